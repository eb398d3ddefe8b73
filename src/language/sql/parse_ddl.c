/* parse_ddl.c - options, columns, watermarks and keys of CREATE and ALTER: reading and printing side by side. */
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

enum status parse_options(struct parser *p, struct ast_options *out)
{
    TRY(expect_symbol(p, "("));
    do {
        struct ast_option *o = PARSE_PUSH(p, out->items, out->count);
        o->key_place = parse_here(p);
        TRY(parse_string(p, "an option: 'key' = 'value'", &o->key));
        TRY(expect_symbol(p, "="));
        o->value_place = parse_here(p);
        TRY(parse_string(p, "the option's value in 'quotes'", &o->value));
    } while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

void print_options(const char *before, const struct ast_options *o, struct buf *out)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (i == 0) buf_append_text(out, before);
        buf_append_text(out, i == 0 ? "(" : ", ");
        print_string(o->items[i].key, out);
        buf_append_text(out, " = ");
        print_string(o->items[i].value, out);
    }
    if (o->count > 0) buf_append_byte(out, ')');
}

/* --- columns ----------------------------------------------------------------------------------------------------- */
static enum status parse_column_kind(struct parser *p, struct ast_column *c)
{
    if (take_word(p, KW_AS)) {
        c->kind = COLUMN_COMPUTED;
        return parse_expr(p, &c->x);
    }
    TRY(parse_type(p, &c->type));
    if (take_word(p, KW_METADATA)) {
        c->kind = COLUMN_METADATA;
        c->has_metadata_key = take_word(p, KW_FROM);
        if (c->has_metadata_key) TRY(parse_string(p, "the metadata's key", &c->metadata_key));
        c->virtual = take_word(p, KW_VIRTUAL);
    }
    return S_OK;
}

enum status parse_column(struct parser *p, struct ast_column *c)
{
    TRY(parse_simple_name(p, "a column's name", &c->name, &c->place));
    TRY(parse_column_kind(p, c));
    if (take_words(p, KW_PRIMARY, KW_KEY)) {
        c->primary_key = true;
        TRY(expect_word(p, KW_NOT));
        TRY(expect_word(p, KW_ENFORCED));
    }
    TRY(parse_comment(p, &c->has_comment, &c->comment));
    c->place = parse_since(p, c->place);
    return S_OK;
}

void print_column(const struct ast_column *c, struct buf *out)
{
    print_quoted_name(c->name, out);
    if (c->kind == COLUMN_COMPUTED) {
        buf_append_text(out, " AS ");
        print_expr(c->x, out);
    } else {
        buf_printf(out, " %.*s", (int)c->type.text.size, c->type.text.data);
    }
    if (c->kind == COLUMN_METADATA) buf_append_text(out, " METADATA");
    if (c->has_metadata_key) {
        buf_append_text(out, " FROM ");
        print_string(c->metadata_key, out);
    }
    if (c->virtual) buf_append_text(out, " VIRTUAL");
    if (c->primary_key) buf_append_text(out, " PRIMARY KEY NOT ENFORCED");
    print_comment(c->has_comment, c->comment, out);
}

enum status parse_watermark(struct parser *p, struct ast_expr **column, struct ast_expr **x)
{
    if (*x != NULL) return parse_expected(p, "one WATERMARK only");
    TRY(expect_word(p, KW_FOR));
    *column = ast_new(p, AX_NAME, parse_here(p));
    TRY(parse_name(p, "the column that carries event time", &(*column)->name));
    (*column)->place = (*column)->name.place;
    TRY(expect_word(p, KW_AS));
    return parse_expr(p, x);
}

enum status parse_key(struct parser *p, struct ast_primary_key *out)
{
    struct ast_place from = parse_here(p);

    if (out->count > 0) return parse_expected(p, "one key only");
    if (take_word(p, KW_CONSTRAINT)) TRY(parse_simple_name(p, "the constraint's name", &out->name, NULL));
    out->unique = take_word(p, KW_UNIQUE);
    if (!out->unique) {
        TRY(expect_word(p, KW_PRIMARY));
        TRY(expect_word(p, KW_KEY));
    }
    TRY(parse_name_list(p, "a column of the key", &out->count, &out->columns));
    out->enforced = !take_word(p, KW_NOT);
    if (!out->enforced) TRY(expect_word(p, KW_ENFORCED));
    else take_word(p, KW_ENFORCED);
    out->place = parse_since(p, from);
    return S_OK;
}

void print_key(const struct ast_primary_key *k, struct buf *out)
{
    if (k->name.size > 0) {
        buf_append_text(out, "CONSTRAINT ");
        print_quoted_name(k->name, out);
        buf_append_byte(out, ' ');
    }
    buf_append_text(out, k->unique ? "UNIQUE " : "PRIMARY KEY ");
    print_name_list(k->count, k->columns, out);
    buf_append_text(out, k->enforced ? " ENFORCED" : " NOT ENFORCED");
}
