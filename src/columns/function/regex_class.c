/* regex_class.c - classes of characters: [a-z&&[^aeiou]], \d, \p{Lu}.
 *
 * A class becomes something that takes one character. While it lies in one bracket it stays one: its items are collected. Java's
 * unions with inner classes are alternatives, intersections a look-ahead before the other side, and what is left out by such a class
 * a negative look-ahead before any character. '^' applies to all of a class, its intersections included, as since Java 9. */
#include "columns/function/regex_java.h"

#include <stdio.h>
#include <string.h>

enum { NESTING_MAX = 50 };

/* --- sets with names ---------------------------------------------------------------------------------------------- */
/* Properties that PCRE2 does not have, or means otherwise: ASCII, unless they begin with Is. */
static const struct {
    const char *name, *items;
} sets[] = {
    {"Lower", "a-z"},
    {"Upper", "A-Z"},
    {"ASCII", "\\x00-\\x7f"},
    {"Alpha", "a-zA-Z"},
    {"Digit", "0-9"},
    {"Alnum", "a-zA-Z0-9"},
    {"Punct", "!-\\/:-@\\[-`{-~"},
    {"Graph", "!-~"},
    {"Print", "\\x20-\\x7e"},
    {"Blank", "\\x20\\t"},
    {"Cntrl", "\\x00-\\x1f\\x7f"},
    {"XDigit", "0-9a-fA-F"},
    {"Space", "\\t-\\r\\x20"},
    {"L1", "\\x{0}-\\x{ff}"},
    {"all", "\\x{0}-\\x{10ffff}"},
    {"LC", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"IsLetter", "\\p{L}"},
    {"IsDigit", "\\p{Nd}"},
    {"IsPunctuation", "\\p{P}"},
    {"IsControl", "\\p{Cc}"},
    {"IsTitlecase", "\\p{Lt}"},
    {"IsAssigned", "\\P{Cn}"},
    {"IsWhite_Space", "\\p{White_Space}"},
    {"IsAlphabetic", "\\p{Alphabetic}"},
    {"IsLowercase", "\\p{Lowercase}"},
    {"IsUppercase", "\\p{Uppercase}"},
    {"IsIdeographic", "\\p{Ideographic}"},
    {"IsHex_Digit", "\\p{Hex_Digit}"},
};
static const char categories[] =
    " Cc Cf Cn Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs ";

static bool is_category(struct str name)
{
    const char *at = name.size > 0 ? categories : NULL;

    if (name.size == 0 || name.size > 2) return false;
    for (; *at != '\0'; at += 3)
        if (at[1] == '\0')
            break;
        else if (memcmp(at + 1, name.data, name.size) == 0)
            return true;
    return false;
}

static struct str items_print(struct java_reader *r, struct str name)
{
    int size = snprintf(r->scratch, sizeof r->scratch, "\\p{%.*s}", (int)MIN(name.size, sizeof r->scratch - 5),
                        name.data);
    return (struct str){r->scratch, (size_t)size};
}

/* With case ignored, cased letters are all of them. */
static struct str fold(const struct java_reader *r, struct str name)
{
    if (!(r->flags & JAVA_CASE)) return name;
    if (str_equal(name, STR("Lower")) || str_equal(name, STR("Upper"))) return STR("Alpha");
    bool cased = str_equal(name, STR("Lu")) || str_equal(name, STR("Ll")) || str_equal(name, STR("Lt"));
    return cased ? STR("LC") : name;
}

static bool property(struct java_reader *r, struct str name, size_t at, struct str *items)
{
    name = fold(r, name);
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        if (str_equal(name, str_of(sets[i].name))) {
            *items = str_of(sets[i].items);
            return true;
        }
    struct str bare = str_starts(name, STR("Is")) ? (struct str){name.data + 2, name.size - 2} : name;
    if (is_category(bare)) {
        *items = items_print(r, bare);
        return true;
    }
    if (bare.size < name.size && bare.size > 2 && bare.size < 40) { /* a script; whether there is one PCRE2 says */
        for (size_t i = 0; i < bare.size; i++)
            if ((bare.data[i] | 32) < 'a' && bare.data[i] != '_')
                return java_fault(r, REGEX_WRONG, at, "no property of characters");
        *items = items_print(r, bare);
        return true;
    }
    bool java = str_starts(name, STR("java")) || str_starts(name, STR("In")) ||
                memchr(name.data, '=', name.size) != NULL;
    return java_fault(r, java ? REGEX_FOREIGN : REGEX_WRONG, at,
                      java ? "blocks and classes of Java's are not known" : "no property of characters");
}

static bool property_escape(struct java_reader *r, struct str *items)
{
    size_t at = r->at, end;

    if (!java_takes(r, '{')) {
        (void)java_take(r);
        return property(r, (struct str){r->p.data + at, r->at - at}, at, items);
    }
    const char *close = r->at < r->p.size ? memchr(r->p.data + r->at, '}', r->p.size - r->at) : NULL;
    if (close == NULL) return java_fault(r, REGEX_WRONG, at, "a property of characters is not closed");
    end = (size_t)(close - r->p.data);
    struct str name = {r->p.data + r->at, end - r->at};
    r->at = end + 1;
    return property(r, name, at, items);
}

bool java_class_escape(struct java_reader *r, uint32_t c, struct str *items, bool *inverted)
{
    static const struct {
        char letter;
        const char *items;
    } escapes[] = {
        {'d', "0-9"},
        {'w', "a-zA-Z_0-9"},
        {'s', "\\t-\\r\\x20"},
        {'v', "\\n-\\r\\x{85}\\x{2028}\\x{2029}"},
        {'h', "\\x20\\t\\xa0\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}"},
    };

    if (c == JAVA_END) return false;
    *inverted = c >= 'A' && c <= 'Z';
    if ((c | 32) == 'p' && c < 0x80) return property_escape(r, items);
    for (size_t i = 0; i < COUNT_OF(escapes); i++)
        if (c < 0x80 && (c | 32) == (uint32_t)escapes[i].letter) {
            *items = str_of(escapes[i].items);
            return true;
        }
    return false;
}

/* --- one class ---------------------------------------------------------------------------------------------------- */
/* What was read of a class: items of one bracket, and alternatives to it, each of which begins with '|'. */
struct set {
    struct buf items, others;
};

static void put_point(struct buf *out, uint32_t c) { buf_printf(out, "\\x{%x}", c); }

static void put_range(struct buf *out, uint32_t low, uint32_t high)
{
    put_point(out, low);
    if (high == low) return;
    buf_append_byte(out, '-');
    put_point(out, high);
}

/* The other case of the letters in a range that lie from..to. */
static void put_other_case(struct buf *out, uint32_t low, uint32_t high, uint32_t from, uint32_t to)
{
    low = MAX(low, from);
    high = MIN(high, to);
    if (low <= high) put_range(out, low ^ 32, high ^ 32);
}

static void set_add_range(struct java_reader *r, struct set *s, uint32_t low, uint32_t high)
{
    put_range(&s->items, low, high);
    if (!(r->flags & JAVA_CASE) || r->flags & JAVA_UNICODE_CASE) return;
    put_other_case(&s->items, low, high, 'a', 'z');
    put_other_case(&s->items, low, high, 'A', 'Z');
}

/* What was read becomes one text that takes one character; nothing when it is empty. */
static void set_print(struct java_reader *r, const struct set *s, bool inverted, struct buf *out)
{
    bool unicode = r->flags & JAVA_CASE && r->flags & JAVA_UNICODE_CASE;

    if (unicode) buf_append_text(out, "(?i:");
    if (s->others.size == 0) {
        buf_printf(out, inverted ? "[^%.*s]" : "[%.*s]", (int)s->items.size, (const char *)s->items.data);
    } else {
        struct str others = {(const char *)s->others.data, s->others.size};
        if (s->items.size == 0) others = (struct str){others.data + 1, others.size - 1};
        buf_append_text(out, inverted ? "(?:(?!" : "(?:");
        if (s->items.size > 0) buf_printf(out, "[%.*s]", (int)s->items.size, (const char *)s->items.data);
        buf_append(out, others.data, others.size);
        buf_append_text(out, inverted ? ")(?s:.))" : ")");
    }
    if (unicode) buf_append_text(out, ")");
}

static bool class_body(struct java_reader *r, struct set *s, bool inner);

static bool inner_class(struct java_reader *r, struct set *s)
{
    struct buf *out = r->out;

    buf_append_byte(&s->others, '|');
    r->out = &s->others;
    bool ok = java_class(r);
    r->out = out;
    return ok;
}

/* Behind "&&": what was read so far and what follows, up to the ']' or the next "&&". */
static bool intersection(struct java_reader *r, struct set *s)
{
    struct set right;
    struct buf both;

    buf_init(&both, s->items.mem);
    buf_init(&right.items, s->items.mem);
    buf_init(&right.others, s->items.mem);
    bool ok = class_body(r, &right, true);
    if (ok && right.items.size + right.others.size > 0) {
        bool left = s->items.size + s->others.size > 0;
        buf_append_text(&both, left ? "|(?:(?=" : "|(?:");
        if (left) set_print(r, s, false, &both);
        if (left) buf_append_text(&both, ")");
        set_print(r, &right, false, &both);
        buf_append_text(&both, ")");
        buf_clear(&s->items);
        buf_clear(&s->others);
        buf_append(&s->others, both.data, both.size);
    }
    buf_release(&right.items);
    buf_release(&right.others);
    buf_release(&both);
    return ok;
}

/* Each character up to \E. */
static void add_quoted(struct java_reader *r, struct set *s)
{
    while (r->at < r->p.size) {
        uint32_t c = java_take(r);
        if (c == '\\' && java_takes(r, 'E')) return;
        set_add_range(r, s, c, c);
    }
}

/* One character of a class, or a set that an escape means; *set. */
static bool class_char(struct java_reader *r, struct set *s, uint32_t *c, bool *set)
{
    struct str items;
    bool inverted;

    *set = false;
    *c = java_take(r);
    if (*c != '\\') return true;
    *c = java_take(r);
    if (java_class_escape(r, *c, &items, &inverted)) {
        *set = true;
        if (inverted)
            buf_printf(&s->others, "|[^%.*s]", (int)items.size, items.data);
        else
            buf_append(&s->items, items.data, items.size);
        return true;
    }
    if (r->mistake->fault != REGEX_FINE) return false;
    if (*c == 'Q') {
        *set = true;
        add_quoted(r, s);
        return true;
    }
    if (*c >= '1' && *c <= '9') return java_fault(r, REGEX_WRONG, r->at - 1, "there is no such escape in a class");
    return java_char_escape(r, *c, c);
}

static bool class_item(struct java_reader *r, struct set *s)
{
    uint32_t low, high;
    size_t at = r->at;
    bool set;

    if (!class_char(r, s, &low, &set)) return false;
    if (set) return true;
    high = low;
    java_skip(r);
    bool range = java_peek(r) == '-' && r->at + 1 < r->p.size && r->p.data[r->at + 1] != ']' &&
                 r->p.data[r->at + 1] != '[';
    if (range) {
        r->at++;
        java_skip(r);
        if (!class_char(r, s, &high, &set)) return false;
        if (set || high < low) return java_fault(r, REGEX_WRONG, at, "a range of characters runs backwards");
    }
    set_add_range(r, s, low, high);
    return true;
}

/* Up to the ']' that ends it, which stays. An inner one is the other side of an intersection. */
static bool class_body(struct java_reader *r, struct set *s, bool inner)
{
    size_t start = r->at;

    if (r->nesting == NESTING_MAX) return java_fault(r, REGEX_FOREIGN, start, "classes are nested too deep");
    for (r->nesting++;;) {
        java_skip(r);
        uint32_t c = java_peek(r);
        bool empty = s->items.size + s->others.size == 0;
        if (c == JAVA_END) return java_fault(r, REGEX_WRONG, start, "a class is not closed");
        if (c == ']' && (!empty || inner)) {
            r->nesting--;
            return true;
        }
        if (c == '[') {
            r->at++;
            if (!inner_class(r, s)) return false;
        } else if (c == '&' && r->at + 1 < r->p.size && r->p.data[r->at + 1] == '&') {
            while (java_peek(r) == '&') r->at++;
            if (!intersection(r, s)) return false;
        } else if (!class_item(r, s)) {
            return false;
        }
    }
}

bool java_class(struct java_reader *r)
{
    struct set s;
    size_t start = r->at - 1;

    buf_init(&s.items, r->out->mem);
    buf_init(&s.others, r->out->mem);
    bool inverted = java_takes(r, '^');
    bool ok = class_body(r, &s, false);
    if (ok && s.items.size + s.others.size == 0) ok = java_fault(r, REGEX_WRONG, start, "a class is empty");
    if (ok) {
        r->at++; /* ']' */
        set_print(r, &s, inverted, r->out);
    }
    buf_release(&s.items);
    buf_release(&s.others);
    return ok;
}
