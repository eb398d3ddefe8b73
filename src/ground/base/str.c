/* str.c - reading text: views, comparison, integers, UTF-8, the nearest name. */
#include "ground/base/str.h"

#include <string.h>

enum { NEAREST_SIZE_MAX = 64 };

struct str str_of(const char *text) { return (struct str){text, text != NULL ? strlen(text) : 0}; }

bool str_equal(struct str a, struct str b) { return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0); }

static unsigned char lower(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }

bool str_equal_nocase(struct str a, struct str b)
{
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    return true;
}

int str_compare(struct str a, struct str b)
{
    size_t common = MIN(a.size, b.size);
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

    if (order != 0) return order < 0 ? -1 : 1;
    return a.size < b.size ? -1 : a.size > b.size;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.size >= prefix.size && (prefix.size == 0 || memcmp(s.data, prefix.data, prefix.size) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.size >= suffix.size && (suffix.size == 0 || memcmp(s.data + s.size - suffix.size, suffix.data, suffix.size) == 0);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct str str_trim(struct str s)
{
    while (s.size > 0 && is_space(s.data[0])) s = (struct str){s.data + 1, s.size - 1};
    while (s.size > 0 && is_space(s.data[s.size - 1])) s.size--;
    return s;
}

bool str_cut(struct str *s, char separator, struct str *head)
{
    if (s->size == 0) return false;
    const char *at = memchr(s->data, separator, s->size);
    head->data = s->data;
    head->size = at != NULL ? (size_t)(at - s->data) : s->size;
    size_t skipped = head->size + (at != NULL ? 1 : 0);
    *s = (struct str){s->data + skipped, s->size - skipped};
    return true;
}

bool str_to_int64(struct str s, int64_t *out)
{
    bool negative = s.size > 0 && s.data[0] == '-';
    size_t i = s.size > 0 && (s.data[0] == '-' || s.data[0] == '+') ? 1 : 0;
    uint64_t value = 0, limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;

    if (i == s.size) return false;
    for (; i < s.size; i++) {
        unsigned digit = (unsigned char)s.data[i] - (unsigned)'0';
        if (digit > 9 || value > (limit - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

size_t str_from_int64(int64_t value, char out[static 24])
{
    char digits[24];
    size_t count = 0, size = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do digits[count++] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0) out[size++] = '-';
    while (count > 0) out[size++] = digits[--count];
    return size;
}

/* Bytes of the code point at s, 0 when it is malformed (overlong forms and surrogates included). */
static size_t utf8_point(const unsigned char *s, size_t left)
{
    if (s[0] < 0x80) return 1;
    size_t size = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || left < size) return 0;
    for (size_t i = 1; i < size; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (s[0] == 0xE0 && s[1] < 0xA0) return 0;
    if (s[0] == 0xED && s[1] > 0x9F) return 0;
    if (s[0] == 0xF0 && s[1] < 0x90) return 0;
    if (s[0] == 0xF4 && s[1] > 0x8F) return 0;
    return size;
}

size_t str_utf8_prefix(struct str s)
{
    size_t i = 0;

    while (i < s.size) {
        uint64_t word;
        if (i + 8 <= s.size && (memcpy(&word, s.data + i, 8), (word & UINT64_C(0x8080808080808080)) == 0)) {
            i += 8; /* eight ASCII characters at once */
            continue;
        }
        size_t size = utf8_point((const unsigned char *)s.data + i, s.size - i);
        if (size == 0) return i;
        i += size;
    }
    return s.size;
}

bool str_is_utf8(struct str s) { return str_utf8_prefix(s) == s.size; }

size_t str_utf8_length(struct str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.size; i++) count += ((unsigned char)s.data[i] & 0xC0) != 0x80;
    return count;
}

/* Edit distance with the case folded, over three rows of the table; neighbours that changed places count as one edit, as
 * they are one slip of the fingers. */
static size_t edit_distance(struct str a, struct str b)
{
    size_t rows[3][NEAREST_SIZE_MAX + 1];

    for (size_t j = 0; j <= b.size; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        const size_t *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
        size_t *row = rows[i % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t change = above[j - 1] + (lower(a.data[i - 1]) != lower(b.data[j - 1]));
            row[j] = MIN(change, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a.data[i - 1]) == lower(b.data[j - 2]) &&
                lower(a.data[i - 2]) == lower(b.data[j - 1]))
                row[j] = MIN(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a.size % 3][b.size];
}

size_t str_distance(struct str a, struct str b)
{
    ASSERT(a.size <= NEAREST_SIZE_MAX && b.size <= NEAREST_SIZE_MAX);
    return edit_distance(a, b);
}

int str_nearest(struct str s, const char *const *names, size_t count)
{
    int best = -1;
    size_t best_distance = MAX((size_t)1, s.size / 3) + 1;

    if (s.size == 0 || s.size > NEAREST_SIZE_MAX) return -1;
    for (size_t i = 0; i < count; i++) {
        struct str name = str_of(names[i]);
        if (name.size > NEAREST_SIZE_MAX) continue;
        size_t distance = edit_distance(s, name);
        if (distance >= best_distance || (distance >= MAX(s.size, name.size) && !str_equal_nocase(s, name))) continue;
        best_distance = distance;
        best = (int)i;
    }
    return best;
}
