/* exec_table.c - CREATE, DROP and DESCRIBE of tables and views. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"
#include "language/sql/bind_table.h"
#include "language/sql/infer.h"
#include "language/sql/print.h"
#include "language/sql/view_expand.h"
#include "surface/sql/table_text.h"

#include <string.h>

static enum status catalog_add(struct run *r, const struct ast_name *n, const struct table *t, bool if_not_exists, bool replace)
{
    struct query_binder b = run_binder(r);
    struct object_name name;
    struct err inner = {0};

    TRY(bind_name(&b, n, &name));
    return run_at_name(r, n, catalogs_add(r->s->catalogs, name, t, if_not_exists, replace, &inner), &inner);
}

/* --- CREATE ------------------------------------------------------------------------------------------------------ */
static enum status table_fill(struct run *r, const struct create_table *c)
{
    const struct insert i = {.table = c->name, .query = c->query}, *const all[] = {&i};

    return run_inserts(r, all, 1);
}

static enum status run_create_table(struct run *r, const void *body)
{
    const struct create_table *c = body;
    struct query_binder b = run_binder(r);
    struct table t;

    TRY(bind_create_table(&b, c, &t));
    TRY(catalog_add(r, &c->name, &t, c->if_not_exists, c->replace || c->or_replace));
    return c->query != NULL ? table_fill(r, c) : run_said(r);
}

static const char *query_text(struct run *r, const struct ast_query *q)
{
    struct buf out;

    buf_init(&out, &r->mem);
    print_query(q, &out);
    const char *text = arena_strndup(&r->arena, out.data, out.size);
    buf_release(&out);
    return text;
}

static enum status view_make(struct run *r, const struct create_view *v, bool replace)
{
    struct query_binder b = run_binder(r);
    struct rel *plan;
    struct table t = {.is_temporary = v->temporary};

    TRY(bind_query(&b, v->query, &plan));
    const char *written = query_text(r, v->query), *expanded = NULL; /* before the tree is changed */
    t.view = view_expand(&b, v->query, plan->row, &expanded) ? expanded : written;
    t.view_catalog = catalogs_current(r->s->catalogs);
    t.view_database = catalogs_current_database(r->s->catalogs);
    t.row = plan->row;
    if (v->has_comment) t.comment = run_text(r, v->comment);
    if (v->column_count > 0) {
        const char **names = ARENA_ARRAY(&r->arena, const char *, v->column_count);
        if (v->column_count != plan->row->child_count)
            return run_fail(r, v->name.place,
                            "VIEW definition and input fields not match:\n\tDef fields: %u; Input fields: %u.", v->column_count,
                            plan->row->child_count);
        for (uint32_t i = 0; i < v->column_count; i++) names[i] = run_text(r, v->columns[i]);
        t.row = type_row(&r->arena, v->column_count, names, plan->row->children, false);
    }
    TRY(catalog_add(r, &v->name, &t, v->if_not_exists, replace));
    return run_said(r);
}

static enum status run_create_view(struct run *r, const void *body) { return view_make(r, body, false); }

/* --- ALTER ------------------------------------------------------------------------------------------------------- */
/* The table under its new name in place of the old one. */
static enum status rename_to(struct run *r, struct object_name from, const struct ast_name *to)
{
    struct query_binder b = run_binder(r);
    struct object_name name;
    struct err inner = {0};

    TRY(bind_name(&b, to, &name));
    /* Flink takes the last part only */
    TRY(run_at_name(r, to, catalogs_rename(r->s->catalogs, from, name.name, &inner), &inner));
    return run_said(r);
}

/* S_END: there is none, which is fine. */
static enum status altered_table(struct run *r, const struct ast_name *n, bool view, bool if_exists, struct object_name *name,
                                 const struct table **out)
{
    struct query_binder b = run_binder(r);
    struct err inner = {0};

    TRY(bind_name(&b, n, name));
    if (name->catalog == NULL) name->catalog = catalogs_current(r->s->catalogs);
    if (name->database == NULL) name->database = catalogs_current_database(r->s->catalogs);
    *out = catalogs_find(r->s->catalogs, *name, &inner);
    if (*out != NULL && ((*out)->view != NULL) == view) return S_OK;
    if (*out == NULL && if_exists) return S_END;
    if (inner.hint[0] != '\0') err_hint(r->e, "%s", inner.hint);
    return run_fail(r, n->place, "%s `%s`.`%s`.`%s` doesn't exist or is a temporary %s.", view ? "View" : "Table", name->catalog,
                    name->database, name->name, view ? "view" : "table");
}

static enum status run_alter_table(struct run *r, const void *body)
{
    const struct alter_table *x = body;
    struct query_binder b = run_binder(r);
    const struct table *old;
    struct object_name name;
    struct table t;
    struct err inner = {0};

    if (x->action == ALTER_ADD_PARTITIONS || x->action == ALTER_DROP_PARTITIONS) return run_alter_partitions(r, x);
    enum status st = altered_table(r, &x->table, false, x->if_exists, &name, &old);
    if (st == S_END) return run_said(r);
    TRY(st);
    if (x->action == ALTER_RENAME) return rename_to(r, name, &x->to);
    TRY(bind_alter_table(&b, old, x, &t));
    TRY(run_at_name(r, &x->table, catalogs_alter(r->s->catalogs, name, &t, &inner), &inner));
    return run_said(r);
}

static enum status run_alter_view(struct run *r, const void *body)
{
    const struct alter_view *x = body;
    const struct table *old;
    struct object_name name;

    TRY(altered_table(r, &x->name, true, false, &name, &old));
    if (x->query == NULL) return rename_to(r, name, &x->to);
    struct create_view v = {.temporary = old->is_temporary, .name = x->name, .query = x->query};
    if (old->comment != NULL) {
        v.has_comment = true;
        v.comment = str_of(arena_strdup(&r->arena, old->comment));
    }
    return view_make(r, &v, true);
}

/* --- DROP -------------------------------------------------------------------------------------------------------- */
static enum status run_drop(struct run *r, const void *body)
{
    const struct drop *d = body;
    struct query_binder b = run_binder(r);
    struct object_name name;
    struct err inner = {0};

    if (d->what == KW_FUNCTION) return run_drop_function(r, d);
    if (d->what == KW_CATALOG) TRY(run_drop_catalog(r, d));
    else if (d->what == KW_DATABASE) TRY(run_drop_database(r, d));
    else {
        TRY(bind_name(&b, &d->name, &name));
        TRY(run_at_name(r, &d->name,
                        catalogs_drop(r->s->catalogs, name, d->what == KW_VIEW, d->temporary, d->if_exists, &inner), &inner));
    }
    return run_said(r);
}

/* --- DESCRIBE ---------------------------------------------------------------------------------------------------- */
static enum status give_columns(struct run *r, const struct table *t, bool (*takes)(const void *arg, const char *name), const void *arg)
{
    uint32_t cols = table_has_comments(t) ? TABLE_DESCRIBE_COLUMNS : TABLE_DESCRIBE_COLUMNS - 1, rows = 0;
    const char **cells = ARENA_ARRAY(&r->arena, const char *, (size_t)cols * MAX(t->row->child_count, 1u));
    const struct type *types[TABLE_DESCRIBE_COLUMNS] = {&type_string, &type_string, &type_boolean, &type_string,
                                                        &type_string, &type_string, &type_string};

    for (uint32_t i = 0; i < t->row->child_count; i++) {
        const char *row[TABLE_DESCRIBE_COLUMNS];
        if (takes != NULL && !takes(arg, t->row->names[i])) continue;
        table_describe_column(t, i, &r->arena, row);
        memcpy(cells + (size_t)cols * rows++, row, sizeof *cells * cols);
    }
    return run_give(r, cols, table_describe_names, types, cells, rows);
}

enum status run_describe_table(struct run *r, const struct ast_name *n, bool (*takes)(const void *arg, const char *name),
                               const void *arg)
{
    struct query_binder b = run_binder(r);
    const struct table *t;
    struct err kept = *r->e;

    if (bind_find_table(&b, n, &t) == S_OK) return give_columns(r, t, takes, arg);
    char hint[ERR_HINT_MAX];
    memcpy(hint, r->e->hint, sizeof hint);
    *r->e = kept;
    if (hint[0] != '\0') err_hint(r->e, "%s", hint);
    struct object_name name;
    TRY(bind_name(&b, n, &name));
    return run_fail(r, n->place, "Tables or views with the identifier '%s.%s.%s' doesn't exist.",
                    name.catalog != NULL ? name.catalog : catalogs_current(r->s->catalogs),
                    name.database != NULL ? name.database : catalogs_current_database(r->s->catalogs), name.name);
}

/* A CREATE TABLE to begin with, as it can be run. */
static enum status describe_file(struct run *r, struct str file)
{
    struct table t;
    struct err inner = {0};
    struct buf text;

    TRY(run_wait_for_file(r, file));
    if (infer_table(&r->arena, r->s->options.sys, file, true, &t, &inner) != S_OK) {
        if (inner.hint[0] != '\0') err_hint(r->e, "%s", inner.hint);
        return run_fail(r, r->statement->place, "%s", inner.text);
    }
    buf_init(&text, &r->mem);
    table_text_create(&t, &text);
    text.size -= 1; /* the last newline */
    buf_append_byte(&text, ';');
    enum status st = r->to->said(r->to->arg, buf_text(&text), r->e);
    buf_release(&text);
    return st;
}

static enum status run_describe(struct run *r, const void *body)
{
    const struct describe *d = body;

    if (d->what == KEYWORD_NONE && d->name.count == 0) return describe_file(r, d->text);
    if (d->what == KW_FUNCTION) return run_describe_function(r, d);
    if (d->what == KW_CATALOG) return run_describe_catalog(r, d);
    if (d->what == KW_DATABASE) return run_describe_database(r, d);
    if (d->what == KW_JOB) return run_describe_job(r, d->text);
    return run_describe_table(r, &d->name, NULL, NULL);
}

const struct executor table_executors[] = {{"create_table", run_create_table}, {"create_view", run_create_view},
                                           {"alter_table", run_alter_table}, {"alter_view", run_alter_view},
                                           {"drop", run_drop}, {"describe", run_describe}, {0}};
