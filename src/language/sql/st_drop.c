/* st_drop.c - DROP of tables, views, catalogs, databases and functions. TEMPORARY of what is never temporary is taken and means
 * nothing, as in Flink. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

static const struct {
    enum keyword what;
    bool temporary, system;
    const char *name;
} forms[] = {
    {KW_TABLE, false, false, "the table's name"},       {KW_TABLE, true, false, "the table's name"},
    {KW_VIEW, false, false, "the view's name"},         {KW_VIEW, true, false, "the view's name"},
    {KW_CATALOG, false, false, "the catalog's name"},   {KW_CATALOG, true, false, "the catalog's name"},
    {KW_DATABASE, false, false, "the database's name"}, {KW_DATABASE, true, false, "the database's name"},
    {KW_FUNCTION, false, false, "the function's name"}, {KW_FUNCTION, true, false, "the function's name"},
    {KW_FUNCTION, true, true, "the function's name"},   {KW_FUNCTION, false, true, "the function's name"},
};

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct drop *d = ARENA_NEW(p->a, struct drop);

    *body = d;
    d->what = forms[start].what;
    d->temporary = forms[start].temporary;
    d->system = forms[start].system;
    p->at += 2u + d->temporary + d->system;
    TRY(parse_if_exists(p, &d->if_exists));
    TRY(parse_name(p, forms[start].name, &d->name));
    if (d->what != KW_DATABASE) return S_OK;
    d->cascade = take_word(p, KW_CASCADE);
    if (!d->cascade) take_word(p, KW_RESTRICT);
    return S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct drop *d = body;

    buf_printf(out, "DROP %s%s%s %s", d->temporary ? "TEMPORARY " : "", d->system ? "SYSTEM " : "",
               keyword_text(d->what), d->if_exists ? "IF EXISTS " : "");
    print_name(&d->name, out);
    if (d->what == KW_DATABASE) buf_append_text(out, d->cascade ? " CASCADE" : " RESTRICT");
}

const struct st_type st_drop = {
    .name = "drop",
    .doc = "Forgets a table, view, catalog, database or function.",
    .example = "DROP TABLE IF EXISTS late_flights",
    .starts = {"DROP TABLE", "DROP TEMPORARY TABLE", "DROP VIEW", "DROP TEMPORARY VIEW", "DROP CATALOG",
               "DROP TEMPORARY CATALOG", "DROP DATABASE", "DROP TEMPORARY DATABASE", "DROP FUNCTION",
               "DROP TEMPORARY FUNCTION", "DROP TEMPORARY SYSTEM FUNCTION", "DROP SYSTEM FUNCTION"},
    .parse = parse,
    .print = print,
};
