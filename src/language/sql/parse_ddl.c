/* parse_ddl.c - columns, watermarks, keys and distribution of CREATE and ALTER: reading and printing side by side. Options,
 * partitions and comments are in parse_options.c. */
#include "language/sql/parse_ddl.h"

#include "ground/base/str.h"
#include "language/sql/print.h"

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
    return parse_column_tail(p, c);
}

enum status parse_column_tail(struct parser *p, struct ast_column *c)
{
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
    print_column_tail(c, out);
}

void print_column_tail(const struct ast_column *c, struct buf *out)
{
    if (c->kind == COLUMN_COMPUTED) {
        buf_append_text(out, " AS ");
        print_expr(c->x, out);
    } else {
        buf_append_byte(out, ' ');
        buf_append(out, c->type.text.data, c->type.text.size);
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
    if (*x != NULL) {
        p->at--;
        return parse_expected(p, "one WATERMARK only");
    }
    TRY(expect_word(p, KW_FOR));
    *column = ast_new(p, AX_NAME, parse_here(p));
    TRY(parse_name(p, "the column that carries event time", &(*column)->name));
    (*column)->place = (*column)->name.place;
    TRY(expect_word(p, KW_AS));
    return parse_expr(p, x);
}

void print_watermark(const struct ast_expr *column, const struct ast_expr *x, struct buf *out)
{
    buf_append_text(out, "WATERMARK FOR ");
    print_expr(column, out);
    buf_append_text(out, " AS ");
    print_expr(x, out);
}

/* --- keys -------------------------------------------------------------------------------------------------------- */
bool is_key(const struct parser *p)
{
    return is_word(p, 0, KW_CONSTRAINT) || (is_word(p, 0, KW_PRIMARY) && is_word(p, 1, KW_KEY)) ||
           (is_word(p, 0, KW_UNIQUE) && is_symbol(p, 1, "("));
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

/* --- distribution ------------------------------------------------------------------------------------------------ */
/* BY [HASH | RANGE] (a) [INTO n BUCKETS] | INTO n BUCKETS */
enum status parse_distribution(struct parser *p, struct ast_distribution *d)
{
    d->said = true;
    if (take_word(p, KW_BY)) {
        d->how = take_word(p, KW_HASH) ? KW_HASH : take_word(p, KW_RANGE) ? KW_RANGE : KEYWORD_NONE;
        TRY(parse_name_list(p, "a column", &d->column_count, &d->columns));
    }
    if (!take_word(p, KW_INTO)) return d->column_count > 0 ? S_OK : parse_expected(p, "BY or INTO");
    if (parse_peek(p, 0)->kind != TOKEN_INTEGER) return parse_expected(p, "the number of buckets");
    TRY(parse_literal(p, &d->buckets));
    return expect_word(p, KW_BUCKETS);
}

void print_distribution(const char *before, const struct ast_distribution *d, struct buf *out)
{
    if (!d->said) return;
    buf_append_text(out, before);
    if (d->column_count > 0) {
        buf_printf(out, " BY %s", keyword_text(d->how));
        print_name_list(d->column_count, d->columns, out);
    }
    if (d->buckets == NULL) return;
    buf_append_text(out, " INTO ");
    print_expr(d->buckets, out);
    buf_append_text(out, " BUCKETS");
}
