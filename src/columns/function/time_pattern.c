/* time_pattern.c - reading a pattern: runs of one letter are fields, everything else is literal, quoted or not. Which letters there
 * are, and how often they may stand, is one table per kind. */
#include "columns/function/time_pattern.h"

#include "ground/base/str.h"

#include <string.h>

const char *const month_names[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char *const weekday_names[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/* Letters of DateTimeFormatter and the longest run of each. */
static const struct {
    char letter;
    uint8_t most;
} modern[] = {{'G', 5},  {'u', 19}, {'y', 19}, {'Y', 19}, {'M', 5}, {'L', 5}, {'d', 2},  {'D', 3},  {'Q', 5},
              {'q', 5},  {'w', 2},  {'W', 1},  {'E', 5},  {'e', 5}, {'c', 5}, {'F', 1},  {'a', 1},  {'h', 2},
              {'K', 2},  {'k', 2},  {'H', 2},  {'m', 2},  {'s', 2}, {'S', 9}, {'A', 19}, {'n', 19}, {'N', 19},
              {'g', 19}, {'X', 5},  {'x', 5},  {'Z', 5},  {'z', 4}, {'V', 2}, {'O', 4}};
static const char simple_letters[] = "GyYMLwWDdFEuaHkKhmsSzZX";

static const char *check_modern(char letter, uint32_t count)
{
    for (size_t i = 0; i < COUNT_OF(modern); i++) {
        if (modern[i].letter != letter) continue;
        bool odd = (letter == 'V' || letter == 'c') && count == (letter == 'V' ? 1 : 2);
        return count > modern[i].most || odd ? "a letter of the pattern stands too often" : NULL;
    }
    return letter == 'B' || letter == 'p' || letter == 'v' ? "the letters B, p and v of patterns are not supported"
                                                           : "the pattern has a letter that means nothing";
}

static const char *check_simple(char letter, uint32_t count)
{
    if (strchr(simple_letters, letter) == NULL) return "the pattern has a letter that means nothing";
    return letter == 'X' && count > 3 ? "a letter of the pattern stands too often" : NULL;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static struct pattern_item *item_add(struct time_pattern *p)
{
    if (p->count == PATTERN_ITEMS_MAX) {
        p->problem = "the pattern has too many parts";
        return &p->items[PATTERN_ITEMS_MAX - 1];
    }
    p->items[p->count] = (struct pattern_item){0};
    return &p->items[p->count++];
}

/* One more byte of literal text, behind that before it. */
static void literal_add(struct time_pattern *p, char c, uint32_t *used)
{
    struct pattern_item *last = p->count > 0 ? &p->items[p->count - 1] : NULL;

    if (last == NULL || last->letter != 0) {
        last = item_add(p);
        last->at = (uint16_t)*used;
    }
    p->text[(*used)++] = c;
    last->count++;
}

/* From a quote to the next: '' is a quote, inside as well. Answers where it ends. */
static size_t take_quoted(struct time_pattern *p, struct str s, size_t at, uint32_t *used)
{
    size_t i = at + 1;

    if (i < s.size && s.data[i] == '\'') {
        literal_add(p, '\'', used);
        return i + 1;
    }
    for (; i < s.size; i++) {
        if (s.data[i] == '\'' && (i + 1 >= s.size || s.data[i + 1] != '\'')) return i + 1;
        i += s.data[i] == '\'';
        literal_add(p, s.data[i], used);
    }
    p->problem = "the pattern has a quote without an end";
    return i;
}

static size_t take_field(struct time_pattern *p, struct str s, size_t at)
{
    size_t end = at;

    while (end < s.size && s.data[end] == s.data[at]) end++;
    struct pattern_item *f = item_add(p);
    f->letter = s.data[at];
    f->count = (uint16_t)(end - at);
    const char *problem = p->simple ? check_simple(f->letter, f->count) : check_modern(f->letter, f->count);
    if (problem != NULL) p->problem = problem;
    return end;
}

static size_t take_modern_sign(struct time_pattern *p, char c, size_t at, uint32_t *depth)
{
    if (c == '{' || c == '}' || c == '#' || (c == ']' && *depth == 0)) {
        p->problem = "the pattern has one of the signs { } # outside of quotes, or a bracket too many";
        return at + 1;
    }
    *depth += c == '[' ? 1 : UINT32_MAX;
    item_add(p)->letter = c;
    return at + 1;
}

/* Digits of a field that always has as many; 0: it has not. */
static uint32_t fixed_digits(const struct pattern_item *f)
{
    if (f->letter == 'S') return f->count;
    if (f->letter == 'D' && f->count == 3) return 3;
    return f->count == 2 && strchr("yuMLdDHhkKms", f->letter) != NULL ? 2 : 0;
}

static bool is_number_simple(const struct pattern_item *f)
{
    return f->letter == 'M' || f->letter == 'L' ? f->count <= 2
                                                : f->letter != 0 && strchr("yDdFuHkKhmsSwW", f->letter) != NULL;
}

static void look_ahead(struct time_pattern *p)
{
    for (uint32_t i = p->count; i > 0; i--) {
        struct pattern_item *f = &p->items[i - 1], *next = i < p->count ? &p->items[i] : NULL;
        if (next == NULL || f->letter == 0 || next->letter == 0) continue;
        uint32_t width = fixed_digits(next);
        f->fixed = width > 0 ? (uint16_t)(width + next->fixed) : 0;
        f->runs_on = is_number_simple(next);
    }
}

static void read_all(struct time_pattern *p, struct str s)
{
    uint32_t used = 0, depth = 0;

    for (size_t at = 0; at < s.size && p->problem == NULL;) {
        char c = s.data[at];
        if (c == '\'')
            at = take_quoted(p, s, at, &used);
        else if (is_letter(c))
            at = take_field(p, s, at);
        else if (!p->simple && strchr("[]{}#", c) != NULL && c != '\0')
            at = take_modern_sign(p, c, at, &depth);
        else
            literal_add(p, s.data[at++], &used);
    }
    for (; depth > 0 && p->problem == NULL && p->count < PATTERN_ITEMS_MAX; depth--) item_add(p)->letter = ']';
    look_ahead(p);
}

/* By the finest letter: what changes within a second counts for nothing here. */
static int64_t unit_of(const struct time_pattern *p)
{
    int64_t unit = MS_PER_DAY;

    for (uint32_t i = 0; i < p->count; i++) {
        char letter = p->items[i].letter;
        if (letter == 0 || strchr("[]GuyYMLdDQqwWEecF", letter) != NULL) continue;
        int64_t own = strchr("ahHkK", letter) != NULL ? MS_PER_HOUR : letter == 'm' ? MS_PER_MINUTE : letter == 's' ? MS_PER_SECOND : 0;
        unit = MIN(unit, own);
    }
    return unit;
}

bool time_pattern_read(struct time_pattern *p, struct str s, bool simple)
{
    if (p->known && p->simple == simple && p->size == s.size && (s.size == 0 || memcmp(p->source, s.data, s.size) == 0))
        return p->problem == NULL;
    if (s.size > PATTERN_SIZE_MAX) {
        *p = (struct time_pattern){.problem = "a pattern has at most 256 bytes", .reads = p->reads + 1};
        return false;
    }
    p->known = true;
    p->simple = simple;
    p->size = (uint32_t)s.size;
    p->count = 0;
    p->problem = NULL;
    if (s.size > 0) memcpy(p->source, s.data, s.size);
    read_all(p, s);
    p->unit_ms = unit_of(p);
    p->reads++;
    return p->problem == NULL;
}
