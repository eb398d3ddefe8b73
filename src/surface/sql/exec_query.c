/* exec_query.c - queries, INSERT and EXPLAIN: statements that have a plan. */
#include "surface/sql/session_internal.h"

#include "language/sql/bind_table.h"

static enum status run_query(struct run *r, const void *body)
{
    struct query_binder b = run_binder(r);
    struct rel *plan;

    TRY(bind_query(&b, body, &plan));
    TRY(r->to->begin(r->to->arg, plan->row, true, r->e));
    struct rel *sink = rel_sink(&r->arena, plan, NULL);
    TRY(run_plan(r, &sink, 1, "collect"));
    return r->to->end(r->to->arg, r->e);
}

/* --- INSERT ------------------------------------------------------------------------------------------------------ */
static enum status inserts_run(struct run *r, const struct insert *const *inserts, uint32_t count)
{
    struct query_binder b = run_binder(r);
    struct rel **sinks = ARENA_ARRAY(&r->arena, struct rel *, count);
    const char *name = "insert-into";

    for (uint32_t i = 0; i < count; i++) {
        const struct table *t;
        TRY(bind_insert(&b, inserts[i], &sinks[i]));
        TRY(bind_find_table(&b, &inserts[i]->table, &t));
        name = arena_printf(&r->arena, "%s%s%s.%s.%s", name, i == 0 ? "_" : ",", t->catalog, t->database, t->name);
    }
    TRY(run_plan(r, sinks, count, name));
    return r->to->said(r->to->arg, "[INFO] Complete execution of the SQL update statement.", r->e);
}

static enum status run_insert(struct run *r, const void *body)
{
    const struct insert *i = body;

    return inserts_run(r, &i, 1);
}

/* EXECUTE STATEMENT SET, and EXECUTE of a query or INSERT by itself. */
static enum status run_set_of(struct run *r, const void *body)
{
    const struct statement_set *s = body;
    const struct insert **inserts = ARENA_ARRAY(&r->arena, const struct insert *, s->count + 1);

    if (s->kind != SET_EXECUTE)
        return run_fail(r, r->statement->place, "BEGIN STATEMENT SET is not supported yet: write EXECUTE STATEMENT SET BEGIN ... END");
    for (uint32_t i = 0; i < s->count; i++) inserts[i] = s->items[i].body;
    return inserts_run(r, inserts, s->count);
}

static enum status run_execute(struct run *r, const void *body)
{
    const struct execute *x = body;

    return x->statement->type == &st_query ? run_query(r, x->statement->body) : run_insert(r, x->statement->body);
}

/* --- EXPLAIN ----------------------------------------------------------------------------------------------------- */
static enum status plan_of(struct run *r, const struct statement *s, struct rel **out)
{
    struct query_binder b = run_binder(r);

    if (s->type == &st_query) return bind_query(&b, s->body, out);
    if (s->type == &st_insert) return bind_insert(&b, s->body, out);
    return run_fail(r, s->place, "EXPLAIN of this statement is not supported yet");
}

static enum status run_explain(struct run *r, const void *body)
{
    static const char *const names[] = {"result"};
    const struct explain *x = body;
    struct rel *plan;
    struct buf text;

    TRY(plan_of(r, x->statement, &plan));
    buf_init(&text, &r->mem);
    buf_append_text(&text, "== Optimized Execution Plan ==\n");
    rel_explain(plan, &text);
    const char *cell = buf_text(&text);
    enum status st = run_give(r, 1, names, NULL, &cell, 1);
    buf_release(&text);
    return st;
}

const struct executor query_executors[] = {{"query", run_query}, {"insert", run_insert}, {"explain", run_explain},
                                           {"statement_set", run_set_of}, {"execute", run_execute}, {0}};
