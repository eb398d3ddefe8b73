/* exec_space.c - databases: USE, CREATE, ALTER, DROP, DESCRIBE; and USE CATALOG. Flink reads DESCRIBE DATABASE and then fails; here
 * it answers as DESCRIBE CATALOG does. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"
#include "language/sql/bind_table.h"

#include <string.h>

enum status run_database_name(struct run *r, const struct ast_name *n, struct object_name *out)
{
    if (n->count > 2) return run_fail(r, n->place, "a database's name has at most two parts: catalog.database");
    *out = (struct object_name){.name = run_text(r, n->parts[n->count - 1])};
    if (n->count == 2) out->catalog = run_text(r, n->parts[0]);
    return S_OK;
}

static enum status run_use(struct run *r, const void *body)
{
    const struct use_space *u = body;
    struct object_name name;
    struct err inner = {0};
    enum status st;

    if (u->name.count == 0) return run_use_modules(r, u);
    if (str_equal_nocase(str_of(r->statement->type->starts[u->start]), STR("USE CATALOG")))
        st = catalogs_use(r->s->catalogs, run_text(r, u->name.parts[0]), &inner);
    else {
        TRY(run_database_name(r, &u->name, &name));
        st = catalogs_use_database(r->s->catalogs, name, &inner);
    }
    TRY(run_at_name(r, &u->name, st, &inner));
    return run_said(r);
}

static enum status run_create_database(struct run *r, const void *body)
{
    const struct create_space *c = body;
    struct space said = {.options = run_options(r, &c->options)};
    struct object_name name;
    struct err inner = {0};

    if (c->has_comment) said.comment = run_text(r, c->comment);
    TRY(run_database_name(r, &c->name, &name));
    TRY(run_at_name(r, &c->name, catalogs_add_database(r->s->catalogs, name, &said, c->if_not_exists, &inner), &inner));
    return run_said(r);
}

static enum status run_alter_database(struct run *r, const void *body)
{
    const struct alter_space *x = body;
    struct object_name name;
    struct err inner = {0};

    TRY(run_database_name(r, &x->name, &name));
    const struct space *old = catalogs_database(r->s->catalogs, name, &inner);
    if (old == NULL) return run_at_name(r, &x->name, E_NOT_FOUND, &inner);
    struct space said = {old->comment, run_options_changed(r, &old->options, &x->options, &x->keys)};
    TRY(run_at_name(r, &x->name, catalogs_alter_database(r->s->catalogs, name, &said, &inner), &inner));
    return run_said(r);
}

enum status run_drop_database(struct run *r, const struct drop *d)
{
    struct object_name name;
    struct err inner = {0};

    TRY(run_database_name(r, &d->name, &name));
    TRY(run_at_name(r, &d->name, catalogs_drop_database(r->s->catalogs, name, d->if_exists, d->cascade, &inner),
                    &inner));
    run_forget_functions(r, name.catalog != NULL ? name.catalog : catalogs_current(r->s->catalogs), name.name);
    return S_OK;
}

enum status run_describe_database(struct run *r, const struct describe *d)
{
    static const char *const heads[] = {"name", "comment", NULL};
    struct object_name name;
    struct err inner = {0};

    TRY(run_database_name(r, &d->name, &name));
    const struct space *said = catalogs_database(r->s->catalogs, name, &inner);
    if (said == NULL) return run_at_name(r, &d->name, E_NOT_FOUND, &inner);
    return run_describe_space(r, heads, name.name, said, d->extended);
}

const struct executor space_executors[] = {
    {"use", run_use}, {"create_database", run_create_database}, {"alter_database", run_alter_database}, {0}};
