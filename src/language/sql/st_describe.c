/* st_describe.c - DESCRIBE, DESC: what a table, catalog, database, function, job or file looks like. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

/* DESCRIBE [TABLE] [EXTENDED] t; TABLE and EXTENDED do not go together. A file is Thalweg's own. */
static enum status parse_table(struct parser *p, struct describe *d)
{
    if (is_query(p, 0) && !is_word(p, 0, KW_TABLE)) {
        err_hint(p->e, "EXPLAIN shows how a query would run");
        return parse_expected(p, "a table");
    }
    if (parse_peek(p, 0)->kind == TOKEN_STRING) return parse_string(p, "a file", &d->text);
    if (!take_word(p, KW_TABLE)) d->extended = take_word(p, KW_EXTENDED);
    return parse_name(p, "a table, or CATALOG, DATABASE, FUNCTION, JOB and a name", &d->name);
}

/* A reserved word is a function's name, too: DESCRIBE FUNCTION count. Flink wants it in backticks. */
static enum status parse_function_name(struct parser *p, struct ast_name *out)
{
    const struct token *t = parse_peek(p, 0);

    if (t->kind != TOKEN_KEYWORD || is_name(p, 0)) return parse_name(p, "a name", out);
    *out = ast_name_of(p, token_text(p->t, t), parse_here(p));
    p->at++;
    return S_OK;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    static const enum keyword kinds[] = {KW_CATALOG, KW_DATABASE, KW_FUNCTION, KW_JOB};
    struct describe *d = ARENA_NEW(p->a, struct describe);

    (void)start;
    *body = d;
    p->at++;
    if (is_word(p, 0, KW_MODEL)) return parse_not_yet(p, "models");
    for (size_t i = 0; i < COUNT_OF(kinds) && d->what == KEYWORD_NONE; i++)
        if (take_word(p, kinds[i])) d->what = kinds[i];
    if (d->what == KEYWORD_NONE) return parse_table(p, d);
    if (d->what == KW_JOB) return parse_string(p, "the job's id in 'quotes'", &d->text);
    d->extended = take_word(p, KW_EXTENDED);
    if (d->what == KW_FUNCTION) return parse_function_name(p, &d->name);
    return d->what == KW_CATALOG ? parse_one_part(p, "a catalog's name", &d->name) : parse_name(p, "a name", &d->name);
}

static void print(const void *body, struct buf *out)
{
    const struct describe *d = body;

    buf_append_text(out, "DESCRIBE ");
    if (d->what != KEYWORD_NONE) buf_printf(out, "%s ", keyword_text(d->what));
    if (d->extended) buf_append_text(out, "EXTENDED ");
    if (d->name.count > 0)
        print_name(&d->name, out);
    else
        print_string(d->text, out);
}

const struct st_type st_describe = {
    .name = "describe",
    .doc = "Shows the columns of a table or file, or what a catalog, database, function or job is.",
    .example = "DESCRIBE flights",
    .starts = {"DESCRIBE", "DESC"},
    .parse = parse,
    .print = print,
};
