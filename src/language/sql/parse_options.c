/* parse_options.c - IF [NOT] EXISTS, comments, options, keys and partitions, which many statements share: reading and printing
 * side by side. */
#include "language/sql/parse_ddl.h"

#include "ground/base/str.h"
#include "language/sql/print.h"

enum status parse_if_not_exists(struct parser *p, bool *out)
{
    *out = take_word(p, KW_IF);
    if (!*out) return S_OK;
    TRY(expect_word(p, KW_NOT));
    return expect_word(p, KW_EXISTS);
}

enum status parse_if_exists(struct parser *p, bool *out)
{
    *out = take_word(p, KW_IF);
    return *out ? expect_word(p, KW_EXISTS) : S_OK;
}

enum status parse_one_part(struct parser *p, const char *what, struct ast_name *out)
{
    struct ast_place place;
    struct str part;

    TRY(parse_simple_name(p, what, &part, &place));
    *out = ast_name_of(p, part, place);
    return S_OK;
}

enum status parse_comment(struct parser *p, bool *has, struct str *out)
{
    *has = take_word(p, KW_COMMENT);
    return *has ? parse_string(p, "the comment's text", out) : S_OK;
}

void print_comment(bool has, struct str comment, struct buf *out)
{
    if (!has) return;
    buf_append_text(out, " COMMENT ");
    print_string(comment, out);
}

static enum status parse_option(struct parser *p, struct ast_option *o)
{
    o->key_place = parse_here(p);
    TRY(parse_string(p, "an option: 'key' = 'value'", &o->key));
    TRY(expect_symbol(p, "="));
    o->value_place = parse_here(p);
    TRY(parse_string(p, "the option's value in 'quotes'", &o->value));
    return is_symbol(p, 0, ",") || is_symbol(p, 0, ")") ? S_OK : parse_expected(p, "',' or ')'");
}

enum status parse_options(struct parser *p, struct ast_options *out)
{
    TRY(expect_symbol(p, "("));
    if (take_symbol(p, ")")) return S_OK;
    do {
        struct parse_mark m = parse_mark(p);
        TRY(parse_resume(p, m, parse_option(p, PARSE_PUSH(p, out->items, out->count)), parse_at_comma));
    } while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

static void print_pairs(const struct ast_options *o, struct buf *out)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_string(o->items[i].key, out);
        buf_append_text(out, " = ");
        print_string(o->items[i].value, out);
    }
}

void print_option_list(const struct ast_options *o, struct buf *out)
{
    buf_append_byte(out, '(');
    print_pairs(o, out);
    buf_append_byte(out, ')');
}

void print_options(const char *before, const struct ast_options *o, struct buf *out)
{
    if (o->count == 0) return;
    buf_append_text(out, before);
    print_option_list(o, out);
}

enum status parse_option_keys(struct parser *p, struct ast_keys *out)
{
    TRY(expect_symbol(p, "("));
    if (take_symbol(p, ")")) return S_OK;
    do TRY(parse_string(p, "a key in 'quotes'", PARSE_PUSH(p, out->items, out->count)));
    while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

void print_option_keys(const struct ast_keys *k, struct buf *out)
{
    buf_append_byte(out, '(');
    for (uint32_t i = 0; i < k->count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_string(k->items[i], out);
    }
    buf_append_byte(out, ')');
}

/* --- partitions -------------------------------------------------------------------------------------------------- */
/* A literal; numbers may have a sign. */
static enum status parse_part_value(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    bool minus = take_symbol(p, "-");

    if (!minus) take_symbol(p, "+");
    TRY(parse_literal(p, out));
    bool number = *out != NULL && (*out)->literal >= LITERAL_INTEGER && (*out)->literal <= LITERAL_DOUBLE;
    if (*out == NULL || (!number && (*out)->place.at != from.at))
        return parse_expected(p, "the partition's value: a literal");
    if (!minus) return S_OK;
    struct str digits = (*out)->text;
    (*out)->text = str_of(arena_printf(p->a, "-%.*s", (int)digits.size, digits.data));
    (*out)->place = parse_since(p, from);
    return S_OK;
}

enum status parse_partition(struct parser *p, bool open, struct ast_partition *out)
{
    TRY(expect_word(p, KW_PARTITION));
    TRY(expect_symbol(p, "("));
    do {
        struct ast_part *part = PARSE_PUSH(p, out->items, out->count);
        TRY(parse_simple_name(p, "a partition column", &part->column, &part->place));
        if (open && !is_symbol(p, 0, "=")) continue;
        TRY(expect_symbol(p, "="));
        TRY(parse_part_value(p, &part->value));
    } while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

void print_partition(const struct ast_partition *x, struct buf *out)
{
    for (uint32_t i = 0; i < x->count; i++) {
        buf_append_text(out, i == 0 ? " PARTITION (" : ", ");
        print_quoted_name(x->items[i].column, out);
        if (x->items[i].value == NULL) continue;
        buf_append_text(out, " = ");
        print_expr(x->items[i].value, out);
    }
    if (x->count > 0) buf_append_byte(out, ')');
}
