/* st_use.c - USE: the current catalog, the current database, the modules in the order in which they are asked. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

enum { USE_DATABASE, USE_CATALOG, USE_MODULES };

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct use_space *u = ARENA_NEW(p->a, struct use_space);

    *body = u;
    u->start = (uint8_t)start;
    p->at += start == USE_DATABASE ? 1 : 2;
    if (start == USE_DATABASE) return parse_name(p, "a database's name", &u->name);
    if (start == USE_CATALOG) return parse_one_part(p, "a catalog's name", &u->name);
    do TRY(parse_simple_name(p, "a module's name", PARSE_PUSH(p, u->modules, u->count), NULL));
    while (take_symbol(p, ","));
    return S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct use_space *u = body;

    buf_append_text(out, u->start == USE_DATABASE ? "USE " : u->start == USE_CATALOG ? "USE CATALOG " : "USE MODULES ");
    if (u->start != USE_MODULES) print_name(&u->name, out);
    for (uint32_t i = 0; i < u->count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_quoted_name(u->modules[i], out);
    }
}

const struct st_type st_use = {
    .name = "use",
    .doc = "Chooses the current catalog, database or modules.",
    .example = "USE CATALOG default_catalog",
    .starts = {[USE_DATABASE] = "USE", [USE_CATALOG] = "USE CATALOG", [USE_MODULES] = "USE MODULES"},
    .parse = parse,
    .print = print,
};
