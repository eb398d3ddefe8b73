/* exec_rows.c - UPDATE, DELETE, TRUNCATE TABLE: in batch mode, of tables whose connector can replace rows (sink_rewrite). Flink leaves
 * them to connectors, too, and refuses them for files. */
#include "surface/sql/session_internal.h"

#include "flow/connector/connector.h"
#include "ground/base/str.h"
#include "language/sql/bind_change.h"

/* NULL: rows of this table stay as they are. */
static const struct sink_rewrite *rewrite_of(const struct table *t)
{
    const char *name = table_option(t, "connector");
    const struct conn_type *c = NULL;
    struct err none = {0};

    if (name == NULL || conn_find(name, &c, &none) != S_OK || c->sink == NULL) return NULL;
    return c->sink->rewrite;
}

static enum status cannot(struct run *r, const struct ast_name *n, const struct table *t, const char *what)
{
    const char *connector = table_option(t, "connector");

    return run_fail(r, n->place, "%s of the table %s.%s.%s, because its connector '%s' cannot replace rows", what,
                    t->catalog, t->database, t->name, connector != NULL ? connector : "");
}

static enum status run_change(struct run *r, const void *body, bool is_update)
{
    const struct change_rows *c = body;
    struct query_binder b = run_binder(r);
    struct insert *insert = ARENA_NEW(&r->arena, struct insert);
    const struct insert *one = insert;
    const struct table *t;

    if (!b.is_batch) err_hint(r->e, "SET 'execution.runtime-mode' = 'batch'");
    if (!b.is_batch)
        return run_fail(r, r->statement->place, "%s statement is not supported for streaming mode now.",
                        is_update ? "UPDATE" : "DELETE");
    TRY(bind_change(&b, c, insert));
    TRY(bind_find_table(&b, &c->table, &t));
    if (rewrite_of(t) == NULL)
        return cannot(r, &c->table, t, is_update ? "Can't perform update operation" : "Can't perform delete operation");
    return run_inserts(r, &one, 1);
}

static enum status run_update(struct run *r, const void *body) { return run_change(r, body, true); }
static enum status run_delete(struct run *r, const void *body) { return run_change(r, body, false); }

static enum status run_truncate(struct run *r, const void *body)
{
    const struct truncate_table *x = body;
    struct query_binder b = run_binder(r);
    const struct table *t;
    struct err inner = {0};

    if (!b.is_batch)
        return run_fail(r, r->statement->place, "TRUNCATE TABLE statement is not supported in streaming mode.");
    TRY(bind_find_table(&b, &x->table, &t));
    if (t->view != NULL || t->system != NULL)
        return run_fail(r, x->table.place, "TRUNCATE TABLE for a view is not allowed");
    const struct sink_rewrite *rewrite = rewrite_of(t);
    if (rewrite == NULL) return cannot(r, &x->table, t, "Can't perform truncate operation");
    TRY(run_wait_for_table(r, t, true));
    TRY(run_at_name(r, &x->table, rewrite->truncate(r->s->options.sys, &t->options, &inner), &inner));
    return run_said(r);
}

const struct executor rows_executors[] = {
    {"update", run_update}, {"delete", run_delete}, {"truncate", run_truncate}, {0}};
