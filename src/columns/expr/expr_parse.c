/* expr_parse.c - text to bound expression, by precedence climbing: comparison < sum < product < sign < primary. Depth is
 * bounded; errors show the text up to where it went wrong. */
#include "columns/expr/expr.h"

#include "ground/base/str.h"

#include <string.h>

enum { PARSE_DEPTH_MAX = 64 };

struct parser {
    struct expr_maker m;
    const struct type *row;
    struct str text;
    size_t at;
    uint32_t depth;
    struct err *e;
};

static const char *const levels[][7] = {
    {"<=", ">=", "<>", "=", "<", ">", NULL}, {"+", "-", NULL}, {"*", "/", "%", NULL}};

static enum status fail_at(struct parser *p, const char *what)
{
    return err_set(p->e, E_GRAPH, "%s at position %zu of \"%.*s\"", what, p->at + 1,
                   (int)MIN(p->text.size, (size_t)200), p->text.data);
}

static void skip_space(struct parser *p)
{
    while (p->at < p->text.size && strchr(" \t\n\r", p->text.data[p->at]) != NULL) p->at++;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

static bool take(struct parser *p, const char *token)
{
    size_t size = strlen(token);

    skip_space(p);
    if (p->text.size - p->at < size || memcmp(p->text.data + p->at, token, size) != 0) return false;
    p->at += size;
    return true;
}

static struct str take_word(struct parser *p, bool digits_and_point)
{
    size_t start = p->at;

    while (p->at < p->text.size && (is_word(p->text.data[p->at]) || (digits_and_point && p->text.data[p->at] == '.')))
        p->at++;
    return (struct str){p->text.data + start, p->at - start};
}

static enum status parse_level(struct parser *p, uint32_t level, struct expr **out);

static enum status parse_number(struct parser *p, struct expr **out)
{
    struct str word = take_word(p, true);
    int64_t whole;
    enum type_kind kind = str_to_int64(word, &whole) ? (whole <= INT32_MAX ? T_INT : T_BIGINT) : T_DOUBLE;

    return expr_constant(&p->m, type_new(p->m.a, kind, 0, 0, false), word, out, p->e);
}

static enum status parse_text(struct parser *p, struct expr **out)
{
    char *copy = arena_alloc(p->m.a, p->text.size);
    size_t size = 0;

    for (p->at++; p->at < p->text.size; p->at++) {
        if (p->text.data[p->at] == '\'') {
            if (p->at + 1 >= p->text.size || p->text.data[p->at + 1] != '\'') {
                p->at++;
                return expr_constant(&p->m, &type_string, (struct str){copy, size}, out, p->e);
            }
            p->at++; /* two quotes stand for one */
        }
        copy[size++] = p->text.data[p->at];
    }
    return fail_at(p, "text without closing quote");
}

static enum status parse_name(struct parser *p, struct expr **out)
{
    struct str name = take_word(p, false);

    if (name.size == 0) return fail_at(p, "a column, number or '(' is expected");
    int col = type_field(p->row, name);
    if (col < 0 && (str_equal_nocase(name, STR("true")) || str_equal_nocase(name, STR("false"))))
        return expr_constant(&p->m, &type_boolean, name, out, p->e);
    if (col < 0) return type_field_missing(p->row, name, p->e);
    *out = expr_column(&p->m, p->row, (uint32_t)col);
    return S_OK;
}

static enum status parse_primary(struct parser *p, struct expr **out)
{
    skip_space(p);
    if (p->at == p->text.size) return fail_at(p, "the expression ends too early");
    char c = p->text.data[p->at];
    if (c == '(') {
        p->at++;
        TRY(parse_level(p, 0, out));
        return take(p, ")") ? S_OK : fail_at(p, "')' is missing");
    }
    if (c == '-') {
        struct expr *args[2];
        p->at++;
        if (++p->depth > PARSE_DEPTH_MAX) return fail_at(p, "the expression is nested too deeply");
        TRY(expr_constant(&p->m, &type_int, STR("0"), &args[0], p->e));
        TRY(parse_primary(p, &args[1]));
        p->depth--;
        return expr_call(&p->m, STR("-"), args, 2, out, p->e);
    }
    if (c >= '0' && c <= '9') return parse_number(p, out);
    return c == '\'' ? parse_text(p, out) : parse_name(p, out);
}

static const char *take_operator(struct parser *p, uint32_t level)
{
    for (const char *const *op = levels[level]; *op != NULL; op++)
        if (take(p, *op)) return *op;
    return NULL;
}

static enum status parse_operators(struct parser *p, uint32_t level, struct expr **out)
{
    struct expr *args[2];
    const char *op;

    TRY(level == COUNT_OF(levels) - 1 ? parse_primary(p, &args[0]) : parse_level(p, level + 1, &args[0]));
    while ((op = take_operator(p, level)) != NULL) {
        TRY(level == COUNT_OF(levels) - 1 ? parse_primary(p, &args[1]) : parse_level(p, level + 1, &args[1]));
        TRY(expr_call(&p->m, str_of(op), args, 2, &args[0], p->e));
    }
    *out = args[0];
    return S_OK;
}

static enum status parse_level(struct parser *p, uint32_t level, struct expr **out)
{
    if (++p->depth > PARSE_DEPTH_MAX) return fail_at(p, "the expression is nested too deeply");
    TRY(parse_operators(p, level, out));
    p->depth--;
    return S_OK;
}

enum status expr_parse(struct arena *a, const struct type *row, struct str text, struct expr **out, struct err *e)
{
    struct parser p = {.m = {.a = a}, .row = row, .text = text, .e = e};

    ASSERT(row->kind == T_ROW);
    if (text.size > EXPR_TEXT_MAX) return err_set(e, E_GRAPH, "an expression may have at most %d bytes", EXPR_TEXT_MAX);
    TRY(parse_level(&p, 0, out));
    skip_space(&p);
    return p.at == text.size ? S_OK : fail_at(&p, "unexpected text");
}
