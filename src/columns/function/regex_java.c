/* regex_java.c - Java's patterns said in PCRE2's syntax.
 *
 * One pass over the pattern, as java.util.regex reads it, that writes as it goes. What means the same is copied; what does not is
 * written out: '.', '$' and \Z by the six ends of lines that Java knows, \b by Java's words, named groups and back references by
 * number, classes with unions and intersections by look-ahead (regex_class.c), inline flags by what they do to each character (Java
 * ignores case in ASCII only, unless told otherwise). So no option of PCRE2's decides anything.
 *
 * A construct that Java refuses makes the pattern WRONG; one that Java takes and PCRE2 cannot say makes it FOREIGN, with its place. */
#include "columns/function/regex_java.h"

#include "columns/function/fn_text.h"

#include <string.h>

#define NO_LENGTH "a look behind has no greatest length"
enum { DEPTH_MAX = 200, REPEAT_MAX = 65535 };
#define LINE_ENDS "\\n\\r\\x{85}\\x{2028}\\x{2029}"
#define WORD "[\\p{L}\\p{Nd}_]"

bool java_fault(struct java_reader *r, enum regex_fault fault, size_t at, const char *what)
{
    if (r->mistake->fault == REGEX_FINE) *r->mistake = (struct regex_mistake){fault, at, what};
    return false;
}

/* --- characters --------------------------------------------------------------------------------------------------- */
uint32_t java_peek(const struct java_reader *r)
{
    size_t next;
    return r->at < r->p.size ? point_at(r->p, r->at, &next) : JAVA_END;
}

uint32_t java_take(struct java_reader *r)
{
    size_t next;

    if (r->at >= r->p.size) return JAVA_END;
    uint32_t c = point_at(r->p, r->at, &next);
    r->at = next;
    return c;
}

bool java_takes(struct java_reader *r, uint32_t c)
{
    if (java_peek(r) != c) return false;
    r->at++;
    return true;
}

/* Under flag x blanks and comments are not there. */
void java_skip(struct java_reader *r)
{
    while (r->flags & JAVA_COMMENTS && r->at < r->p.size) {
        char c = r->p.data[r->at];
        if (c == '#') {
            while (r->at < r->p.size && r->p.data[r->at] != '\n' && r->p.data[r->at] != '\r') r->at++;
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            r->at++;
        } else {
            return;
        }
    }
}

static bool is_letter(uint32_t c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

/* A character that stands for itself. */
static void put_literal(struct java_reader *r, uint32_t c)
{
    char bytes[4];

    if (r->flags & JAVA_CASE && is_letter(c) && !(r->flags & JAVA_UNICODE_CASE))
        buf_printf(r->out, "[%c%c]", (char)(c | 32), (char)(c & ~32u));
    else if (r->flags & JAVA_CASE && r->flags & JAVA_UNICODE_CASE)
        buf_printf(r->out, "(?i:\\x{%x})", c);
    else if (c < 0x80 && !is_letter(c) && !is_digit(c))
        buf_printf(r->out, "\\x{%x}", c);
    else
        buf_append(r->out, bytes, point_put(bytes, c));
}

static int digit_of(uint32_t c, int base)
{
    int d = is_digit(c) ? (int)(c - '0') : is_letter(c) ? (int)((c | 32) - 'a') + 10 : 99;
    return d < base ? d : -1;
}

static bool hex_digits(struct java_reader *r, int count, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        int d = digit_of(java_peek(r), 16);
        if (d < 0) return java_fault(r, REGEX_WRONG, r->at, "a hexadecimal digit is missing");
        *out = *out << 4 | (uint32_t)d;
        r->at++;
    }
    return true;
}

static bool hex_braces(struct java_reader *r, uint32_t *out)
{
    size_t start = r->at;

    for (*out = 0; digit_of(java_peek(r), 16) >= 0 && *out <= 0x10FFFF;)
        *out = *out << 4 | (uint32_t)digit_of(java_take(r), 16);
    if (r->at == start || *out > 0x10FFFF || !java_takes(r, '}'))
        return java_fault(r, REGEX_WRONG, start, "no hexadecimal code of a character");
    return true;
}

static bool unicode_escape(struct java_reader *r, uint32_t *out)
{
    uint32_t low;
    size_t start = r->at;

    if (!hex_digits(r, 4, out)) return false;
    if (*out >= 0xD800 && *out < 0xDC00 && r->at + 1 < r->p.size && memcmp(r->p.data + r->at, "\\u", 2) == 0) {
        r->at += 2;
        if (!hex_digits(r, 4, &low)) return false;
        if (low >= 0xDC00 && low < 0xE000) {
            *out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
            return true;
        }
    }
    return *out < 0xD800 || *out >= 0xE000 || java_fault(r, REGEX_FOREIGN, start, "half of a surrogate pair");
}

/* \0n, \0nn, \0mnn */
static bool octal_escape(struct java_reader *r, uint32_t *out)
{
    int most = java_peek(r) <= '3' ? 3 : 2, n = 0;

    for (*out = 0; n < most && digit_of(java_peek(r), 8) >= 0; n++)
        *out = *out << 3 | (uint32_t)digit_of(java_take(r), 8);
    return n > 0 || java_fault(r, REGEX_WRONG, r->at, "an octal digit is missing");
}

bool java_char_escape(struct java_reader *r, uint32_t c, uint32_t *out)
{
    static const char names[] = "aefnrt", codes[] = "\a\033\f\n\r\t";
    size_t at = r->at - 1;

    switch (c) {
    case '0': return octal_escape(r, out);
    case 'c':
        *out = java_take(r) ^ 64;
        return r->at > at + 1 || java_fault(r, REGEX_WRONG, at, "a control character is missing");
    case 'x': return java_takes(r, '{') ? hex_braces(r, out) : hex_digits(r, 2, out);
    case 'u': return unicode_escape(r, out);
    case 'N': return java_fault(r, REGEX_FOREIGN, at, "names of characters are not known");
    case JAVA_END: return java_fault(r, REGEX_WRONG, at, "an escape stands at the end");
    default: break;
    }
    const char *known = c < 0x80 && c > 0 ? strchr(names, (int)c) : NULL;
    *out = known != NULL ? (uint32_t)codes[known - names] : c;
    return known != NULL || !is_letter(c) || java_fault(r, REGEX_WRONG, at, "there is no such escape");
}

/* --- escapes ------------------------------------------------------------------------------------------------------ */
/* \Q to \E: a text. A quantifier behind it is the last character's. */
static void quoted(struct java_reader *r)
{
    while (r->at < r->p.size) {
        if (r->p.size - r->at >= 2 && memcmp(r->p.data + r->at, "\\E", 2) == 0) {
            r->at += 2;
            return;
        }
        put_literal(r, java_take(r));
    }
}

static bool put_reference(struct java_reader *r, uint32_t group)
{
    if (r->behind) return java_fault(r, REGEX_WRONG, r->at, NO_LENGTH);
    bool fold = (r->flags & JAVA_CASE) != 0;

    buf_printf(r->out, fold ? "(?i:\\g{%u})" : "\\g{%u}", group);
    return true;
}

/* \11 is group 11 where there are as many, else group 1 and a digit. */
static bool numbered_reference(struct java_reader *r, uint32_t first)
{
    uint32_t group = first - '0';
    size_t at = r->at - 1;

    while (is_digit(java_peek(r)) && group * 10 + (java_peek(r) - '0') <= r->groups)
        group = group * 10 + (java_take(r) - '0');
    if (group <= r->groups || r->behind) return put_reference(r, group);
    if (r->later == 0 || group < r->later) {
        r->later = group;
        r->later_at = at;
    }
    buf_append_text(r->out, "(?!)"); /* what a group is that never takes part */
    return true;
}

static bool read_name(struct java_reader *r, struct str *out)
{
    size_t start = r->at;

    while (is_letter(java_peek(r)) || (r->at > start && is_digit(java_peek(r)))) r->at++;
    *out = (struct str){r->p.data + start, r->at - start};
    return (out->size > 0 && java_takes(r, '>')) || java_fault(r, REGEX_WRONG, start, "no name of a group");
}

static uint32_t named_group(const struct java_reader *r, struct str name)
{
    for (uint32_t i = 0; i < r->name_count; i++)
        if (str_equal(r->names[i].name, name)) return r->names[i].group;
    return 0;
}

static bool named_reference(struct java_reader *r)
{
    size_t at = r->at - 1;
    struct str name;

    if (!java_takes(r, '<')) return java_fault(r, REGEX_WRONG, at, "no name of a group");
    if (!read_name(r, &name)) return false;
    uint32_t group = named_group(r, name);
    return group > 0 ? put_reference(r, group) : java_fault(r, REGEX_WRONG, at, "no group before has that name");
}

static bool word_bound(struct java_reader *r, bool inverted)
{
    if (r->p.size - r->at >= 3 && memcmp(r->p.data + r->at, "{g}", 3) == 0)
        return java_fault(r, REGEX_FOREIGN, r->at, "boundaries of graphemes are not known");
    buf_append_text(r->out, inverted ? "(?:(?<=" WORD ")(?=" WORD ")|(?<!" WORD ")(?!" WORD "))"
                                     : "(?:(?<=" WORD ")(?!" WORD ")|(?<!" WORD ")(?=" WORD "))");
    return true;
}

/* Behind everything, or before the last end of a line. */
static void put_end(struct java_reader *r)
{
    buf_append_text(r->out, r->flags & JAVA_UNIX_LINES ? "(?:(?=\\n?\\z))"
                                                       : "(?:(?!(?<=\\r)\\n)(?=\\r\\n\\z|[" LINE_ENDS "]?\\z))");
}

static bool escape(struct java_reader *r)
{
    uint32_t c = java_take(r), code;

    if (c >= '1' && c <= '9') return numbered_reference(r, c);
    switch (c) {
    case 'Q': quoted(r); return true;
    case 'k': return named_reference(r);
    case 'b': return word_bound(r, false);
    case 'B': return word_bound(r, true);
    case 'Z': put_end(r); return true;
    case 'R': buf_append_text(r->out, "(?:\\r\\n|\\v)"); return true;
    case 'G': return java_fault(r, REGEX_FOREIGN, r->at - 1, "the end of the match before is not known");
    case 'A':
    case 'z':
    case 'X': buf_printf(r->out, "(?:\\%c)", (char)c); return true;
    default: break;
    }
    struct str items;
    bool inverted;
    if (java_class_escape(r, c, &items, &inverted)) {
        buf_printf(r->out, inverted ? "[^%.*s]" : "[%.*s]", (int)items.size, items.data);
        return true;
    }
    if (r->mistake->fault != REGEX_FINE || !java_char_escape(r, c, &code)) return false;
    put_literal(r, code);
    return true;
}

/* --- groups ------------------------------------------------------------------------------------------------------- */
static bool alternatives(struct java_reader *r, uint32_t depth);

/* Flags up to ')' or ':'; *rest: they hold until the group around ends. */
static bool read_flags(struct java_reader *r, bool *rest)
{
    static const char letters[] = "idmsux";
    bool off = false;

    for (;;) {
        size_t at = r->at;
        uint32_t c = java_take(r);
        *rest = c == ')';
        if (c == ')' || c == ':') return true;
        if (c == 'U') return java_fault(r, REGEX_FOREIGN, at, "the flag U is not known");
        const char *known = c > 0 && c < 0x80 ? strchr(letters, (int)c) : NULL;
        if (c == '-' && !off)
            off = true;
        else if (known == NULL)
            return java_fault(r, REGEX_WRONG, at, "there is no such group or flag");
        else if (off)
            r->flags &= ~(1u << (known - letters));
        else
            r->flags |= 1u << (known - letters);
    }
}

static bool open_named(struct java_reader *r)
{
    size_t at = r->at;
    struct str name;

    if (!read_name(r, &name)) return false;
    if (named_group(r, name) > 0) return java_fault(r, REGEX_WRONG, at, "two groups have that name");
    if (r->name_count == COUNT_OF(r->names)) return java_fault(r, REGEX_FOREIGN, at, "there are too many named groups");
    r->names[r->name_count++] = (struct java_name){name, ++r->groups};
    buf_append_text(r->out, "(");
    return true;
}

/* What stands behind "(?". *rest: only flags, without a group. */
static bool open_special(struct java_reader *r, bool *rest)
{
    static const char *const kinds[] = {":", "=", "!", ">", "<=", "<!"};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        size_t size = strlen(kinds[i]);
        if (r->p.size - r->at < size || memcmp(r->p.data + r->at, kinds[i], size) != 0) continue;
        r->at += size;
        if (i > 0 && i != 3) r->behind = i > 3; /* not of ":" and ">", which are parts of what is around them */
        buf_printf(r->out, "(?%s", kinds[i]);
        return true;
    }
    if (java_takes(r, '<')) return open_named(r);
    if (!read_flags(r, rest)) return false;
    if (!*rest) buf_append_text(r->out, "(?:");
    return true;
}

static bool group(struct java_reader *r, uint32_t depth, bool *quantifies)
{
    uint32_t flags = r->flags;
    size_t start = r->at - 1;
    bool rest = false, behind = r->behind;

    if (depth == DEPTH_MAX) return java_fault(r, REGEX_FOREIGN, start, "groups are nested too deep");
    if (java_takes(r, '?')) {
        if (!open_special(r, &rest)) return false;
    } else {
        r->groups++;
        buf_append_text(r->out, "(");
    }
    *quantifies = !rest;
    if (rest) return true;
    if (!alternatives(r, depth + 1)) return false;
    if (!java_takes(r, ')')) return java_fault(r, REGEX_WRONG, start, "a group is not closed");
    buf_append_text(r->out, ")");
    r->flags = flags;
    r->behind = behind;
    return true;
}

/* --- repetition --------------------------------------------------------------------------------------------------- */
static bool read_count(struct java_reader *r, uint32_t *out)
{
    for (*out = 0; is_digit(java_peek(r));) {
        *out = *out * 10 + (java_take(r) - '0');
        if (*out > REPEAT_MAX) return java_fault(r, REGEX_FOREIGN, r->at - 1, "more than 65535 repetitions");
    }
    return true;
}

/* {n}, {n,}, {n,m} */
static bool counted(struct java_reader *r)
{
    size_t start = r->at++;
    uint32_t least, most;

    if (!is_digit(java_peek(r))) return java_fault(r, REGEX_WRONG, start, "no count of repetitions");
    if (!read_count(r, &least)) return false;
    buf_printf(r->out, "{%u", least);
    if (java_takes(r, ',')) {
        buf_append_text(r->out, ",");
        if (is_digit(java_peek(r))) {
            if (!read_count(r, &most)) return false;
            if (most < least) return java_fault(r, REGEX_WRONG, start, "a range of repetitions runs backwards");
            buf_printf(r->out, "%u", most);
        }
    }
    if (r->behind && r->out->data[r->out->size - 1] == ',') return java_fault(r, REGEX_WRONG, start, NO_LENGTH);
    buf_append_text(r->out, "}");
    return java_takes(r, '}') || java_fault(r, REGEX_WRONG, start, "a count of repetitions is not closed");
}

static bool repetition(struct java_reader *r)
{
    java_skip(r);
    uint32_t c = java_peek(r);
    if (c == '{') {
        if (!counted(r)) return false;
    } else if (c == '*' || c == '+' || c == '?') {
        if (r->behind && c != '?') return java_fault(r, REGEX_FOREIGN, r->at, NO_LENGTH); /* Java takes some */
        buf_append_byte(r->out, (char)java_take(r));
    } else {
        return true;
    }
    java_skip(r);
    if (java_peek(r) == '?' || java_peek(r) == '+') buf_append_byte(r->out, (char)java_take(r));
    return true;
}

/* --- sequences ---------------------------------------------------------------------------------------------------- */
static void put_dot(struct java_reader *r)
{
    buf_append_text(r->out, r->flags & JAVA_DOT_ALL      ? "(?s:.)"
                            : r->flags & JAVA_UNIX_LINES ? "[^\\n]"
                                                         : "[^" LINE_ENDS "]");
}

static void put_start(struct java_reader *r)
{
    if (!(r->flags & JAVA_MULTILINE))
        buf_append_text(r->out, "(?:\\A)");
    else if (r->flags & JAVA_UNIX_LINES)
        buf_append_text(r->out, "(?:\\A|(?<=\\n)(?!\\z))");
    else
        buf_append_text(r->out, "(?:\\A|(?<=[" LINE_ENDS "])(?<!\\r(?=\\n))(?!\\z))");
}

static void put_stop(struct java_reader *r)
{
    if (!(r->flags & JAVA_MULTILINE))
        put_end(r);
    else if (r->flags & JAVA_UNIX_LINES)
        buf_append_text(r->out, "(?:(?=\\n|\\z))");
    else
        buf_append_text(r->out, "(?:(?!(?<=\\r)\\n)(?=[" LINE_ENDS "]|\\z))");
}

/* One part of a sequence, before its repetition. */
static bool part(struct java_reader *r, uint32_t depth, bool *quantifies)
{
    size_t at = r->at;
    uint32_t c = java_peek(r);

    if (c == '{') { /* repeats nothing */
        buf_append_text(r->out, "(?:)");
        return true;
    }
    r->at = at + point_size((unsigned char)r->p.data[at]);
    switch (c) {
    case '(': return group(r, depth, quantifies);
    case '[': return java_class(r);
    case '\\': return escape(r);
    case '.': put_dot(r); return true;
    case '^': put_start(r); return true;
    case '$': put_stop(r); return true;
    case '*':
    case '+':
    case '?': return java_fault(r, REGEX_WRONG, at, "nothing stands before a repetition");
    default: put_literal(r, c); return true;
    }
}

static bool alternatives(struct java_reader *r, uint32_t depth)
{
    for (;;) {
        bool quantifies = true;
        java_skip(r);
        uint32_t c = java_peek(r);
        if (c == JAVA_END || c == ')') return true;
        if (c == '|') {
            r->at++;
            buf_append_text(r->out, "|");
            continue;
        }
        if (!part(r, depth, &quantifies)) return false;
        if (quantifies && !repetition(r)) return false;
    }
}

enum regex_fault regex_translate(struct str java, struct buf *out, uint32_t *groups, struct regex_mistake *mistake)
{
    struct java_reader r = {.p = java, .out = out, .mistake = mistake};

    *mistake = (struct regex_mistake){0};
    if (alternatives(&r, 0) && r.at < java.size) java_fault(&r, REGEX_WRONG, r.at, "a ')' closes no group");
    if (mistake->fault == REGEX_FINE && r.later > 0 && r.later <= r.groups)
        java_fault(&r, REGEX_FOREIGN, r.later_at, "a reference to a group that begins later");
    *groups = r.groups;
    return mistake->fault;
}
