/* regex_similar.c - patterns of SIMILAR TO said in Java's syntax, by the rules that Calcite follows.
 *
 * '_' is a character that ends no line, '%' any text; groups, alternatives, repetitions and '.' are those of Java's patterns; classes
 * know sets like [:ALPHA:]. An escape stands before a special character or itself. */
#include "columns/function/regex.h"

#include "columns/function/fn_text.h"

#include <string.h>

static const char java_specials[] = "[]()|^-+*?{}$\\.", similar_specials[] = "[]()|^-+*_%?{}";

static const struct {
    const char *name, *java;
} classes[] = {
    {"[:ALPHA:]", "\\p{Alpha}"}, {"[:alpha:]", "\\p{Alpha}"}, {"[:UPPER:]", "\\p{Upper}"}, {"[:upper:]", "\\p{Upper}"},
    {"[:LOWER:]", "\\p{Lower}"}, {"[:lower:]", "\\p{Lower}"}, {"[:DIGIT:]", "\\d"},        {"[:digit:]", "\\d"},
    {"[:SPACE:]", " "},          {"[:space:]", " "},          {"[:WHITESPACE:]", "\\s"},   {"[:whitespace:]", "\\s"},
    {"[:ALNUM:]", "\\p{Alnum}"}, {"[:alnum:]", "\\p{Alnum}"},
};

static bool is_one_of(struct str c, const char *set)
{
    return c.size == 1 && c.data[0] != '\0' && strchr(set, c.data[0]) != NULL;
}

static enum regex_fault wrong(struct regex_mistake *m, size_t at, const char *what)
{
    *m = (struct regex_mistake){REGEX_WRONG, at, what};
    return REGEX_WRONG;
}

static struct str char_at(struct str p, size_t at) { return str_part(p, at, at < p.size ? point_next(p, at) : at); }

/* The character behind an escape at `at`; *at moves behind it. */
static enum regex_fault put_escaped(struct str p, struct str escape, size_t *at, struct buf *out,
                                    struct regex_mistake *m)
{
    struct str c = char_at(p, *at + escape.size);

    if (!is_one_of(c, similar_specials) && (c.size == 0 || !str_equal(c, escape)))
        return wrong(m, *at, "an escape stands before neither a special character nor itself");
    if (is_one_of(c, java_specials)) buf_append_text(out, "\\");
    buf_append(out, c.data, c.size);
    *at += escape.size + c.size;
    return REGEX_FINE;
}

/* [:NAME:] at `at`: its size and what it is in Java; 0: none. */
static size_t named_class(struct str p, size_t at, struct buf *out)
{
    struct str rest = str_part(p, at, p.size);

    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (str_starts(rest, str_of(classes[i].name))) {
            buf_append_text(out, classes[i].java);
            return strlen(classes[i].name);
        }
    return 0;
}

/* From behind '[' to before its ']'. */
static enum regex_fault put_class(struct str p, struct str escape, size_t *at, struct buf *out, struct regex_mistake *m)
{
    while (*at < p.size && p.data[*at] != ']') {
        struct str c = char_at(p, *at);
        if (escape.size > 0 && str_equal(c, escape)) {
            if (put_escaped(p, escape, at, out, m) != REGEX_FINE) return m->fault;
            continue;
        }
        if (str_starts(str_part(p, *at, p.size), STR("[:"))) {
            size_t size = named_class(p, *at, out);
            if (size == 0) return wrong(m, *at, "there is no such set of characters");
            *at += size;
            continue;
        }
        if (!is_one_of(c, "-^") && is_one_of(c, similar_specials))
            return wrong(m, *at, "a special character in a class");
        buf_append(out, c.data, c.size);
        *at += c.size;
    }
    return *at < p.size ? REGEX_FINE : wrong(m, p.size, "a class is not closed");
}

/* An escape that is special itself is looked at first, in the whole pattern. */
static enum regex_fault check_escape(struct str p, struct str escape, struct regex_mistake *m)
{
    if (escape.size > 0 && point_next(escape, 0) < escape.size)
        return wrong(m, 0, "the escape of SIMILAR TO is one character");
    if (!is_one_of(escape, similar_specials)) return REGEX_FINE;
    for (size_t at = 0; at < p.size; at = point_next(p, at)) {
        struct str next = char_at(p, at + 1);
        if (p.data[at] == escape.data[0] && !is_one_of(next, similar_specials))
            return wrong(m, at, "an escape stands before neither a special character nor itself");
    }
    return REGEX_FINE;
}

static enum regex_fault put_part(struct str p, struct str escape, size_t *at, struct buf *out, struct regex_mistake *m)
{
    struct str c = char_at(p, *at);

    if (escape.size > 0 && str_equal(c, escape)) return put_escaped(p, escape, at, out, m);
    *at += c.size;
    if (c.size > 1)
        buf_append(out, c.data, c.size);
    else
        switch (c.data[0]) {
        case '_': buf_append_text(out, "."); break;
        case '%': buf_append_text(out, "(?s:.*)"); break;
        case '\\': buf_append_text(out, "\\\\"); break;
        case '$': buf_append_text(out, "\\$"); break;
        case ']': return wrong(m, *at - 1, "a ']' closes no class");
        case '[':
            buf_append_text(out, "[");
            if (put_class(p, escape, at, out, m) != REGEX_FINE) return m->fault;
            ++*at;
            buf_append_text(out, "]");
            break;
        default: buf_append_byte(out, c.data[0]); break;
        }
    return REGEX_FINE;
}

enum regex_fault regex_similar(struct str pattern, struct str escape, struct buf *out, struct regex_mistake *mistake)
{
    *mistake = (struct regex_mistake){0};
    if (check_escape(pattern, escape, mistake) != REGEX_FINE) return mistake->fault;
    buf_append_text(out, "\\A(?:");
    for (size_t at = 0; at < pattern.size;)
        if (put_part(pattern, escape, &at, out, mistake) != REGEX_FINE) return mistake->fault;
    buf_append_text(out, ")\\z");
    return REGEX_FINE;
}
