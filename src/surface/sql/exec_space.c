/* exec_space.c - catalogs and databases: USE, CREATE DATABASE, CREATE CATALOG. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"
#include "language/sql/bind_table.h"

#include <string.h>

static enum status database_name(struct run *r, const struct ast_name *n, struct object_name *out)
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

    if (u->name.count == 0) return run_fail(r, r->statement->place, "USE MODULES is not supported yet");
    if (str_equal_nocase(str_of(r->statement->type->starts[u->start]), STR("USE CATALOG")))
        st = catalogs_use(r->s->catalogs, run_text(r, u->name.parts[0]), &inner);
    else {
        TRY(database_name(r, &u->name, &name));
        st = catalogs_use_database(r->s->catalogs, name, &inner);
    }
    TRY(run_at_name(r, &u->name, st, &inner));
    return run_said(r);
}

static enum status run_create_database(struct run *r, const void *body)
{
    const struct create_space *c = body;
    struct object_name name;
    struct err inner = {0};

    TRY(database_name(r, &c->name, &name));
    TRY(run_at_name(r, &c->name, catalogs_add_database(r->s->catalogs, name, c->if_not_exists, &inner), &inner));
    return run_said(r);
}

/* The only type there is lives in memory: 'generic_in_memory', with a default database. */
static enum status run_create_catalog(struct run *r, const void *body)
{
    const struct create_space *c = body;
    const char *type = NULL, *database = "default";
    struct err inner = {0};
    const char *name = run_text(r, c->name.parts[0]);

    for (uint32_t i = 0; i < c->options.count; i++) {
        const struct ast_option *o = &c->options.items[i];
        if (str_equal(o->key, STR("type"))) type = run_text(r, o->value);
        else if (str_equal(o->key, STR("default-database"))) database = run_text(r, o->value);
        else return run_fail(r, o->key_place, "Unsupported options found for catalog '%s': %s", name, run_text(r, o->key));
    }
    if (type == NULL || strcmp(type, "generic_in_memory") != 0) {
        err_hint(r->e, "write WITH ('type' = 'generic_in_memory')");
        return run_fail(r, c->name.place, "Could not find any factory for identifier '%s' that makes catalogs", type ? type : "");
    }
    TRY(run_at_name(r, &c->name, catalogs_add_catalog(r->s->catalogs, name, database, c->if_not_exists, &inner), &inner));
    return run_said(r);
}

const struct executor space_executors[] = {{"use", run_use}, {"create_database", run_create_database},
                                           {"create_catalog", run_create_catalog}, {0}};
