/* exec_query.c - queries and INSERT: statements whose plan runs. */
#include "surface/sql/session_internal.h"

#include "language/sql/bind_table.h"

const struct type *run_result_row(struct run *r, const struct type *row)
{
    struct arena *a = &r->arena;
    const struct type **types = ARENA_ARRAY(a, const struct type *, MAX(row->child_count, 1u));

    for (uint32_t i = 0; i < row->child_count; i++)
        types[i] = row->children[i]->time_kind != TIME_NONE ? type_with_time(a, row->children[i], TIME_NONE) : row->children[i];
    return type_row(a, row->child_count, row->names, types, row->nullable);
}

enum status run_optimize(struct run *r, const struct query_binder *b, struct rel **plans, uint32_t *count)
{
    if (b->settings->rewrites) *count = rel_rewrite(&r->arena, plans, *count, b->settings);
    for (uint32_t i = 0; i < *count; i++) {
        if (b->is_batch) {
            const struct rel_said *said = NULL;
            struct err inner = {0};
            if (rel_batch(&r->arena, plans[i], b->settings, &plans[i], &said, &inner) != S_OK) return run_refuse(r, said, &inner);
            continue;
        }
        plans[i] = rel_multi_joins(&r->arena, plans[i], b->settings->joins_many);
        if (b->settings->distinct_buckets > 0) plans[i] = rel_split_distinct(&r->arena, plans[i], b->settings->distinct_buckets);
        if (b->settings->two_phase) plans[i] = rel_two_phase(&r->arena, plans[i], b->settings->incremental);
    }
    return S_OK;
}

enum status run_plan_check(struct run *r, const struct query_binder *b, struct rel *const *sinks, uint32_t count)
{
    const struct rel_said *said = NULL;
    struct err inner = {0};

    enum status st = rel_plan(sinks, count, &said, &inner);
    if (st == S_OK && b->settings->resolves_updates && !b->is_batch) st = rel_check_determinism(sinks, count, &r->arena, &said, &inner);
    return st == S_OK ? S_OK : run_refuse(r, said, &inner);
}

/* Checks a plan, and says what is to be said of it before it runs. */
static enum status plan_ready(struct run *r, const struct query_binder *b, struct rel *const *sinks, uint32_t count)
{
    struct rel_advices all;

    TRY(run_plan_check(r, b, sinks, count));
    rel_advise(sinks, count, b->settings, &r->arena, &all);
    for (uint32_t i = 0; i < all.count; i++) TRY(r->to->said(r->to->arg, arena_printf(&r->arena, "[WARN] %s", all.items[i].text), r->e));
    return S_OK;
}

enum status run_query(struct run *r, const void *body)
{
    r->waits_for_jobs = true;
    struct query_binder b = run_binder(r);
    struct rel *plan;
    uint32_t one = 1;

    TRY(bind_query(&b, body, &plan));
    const struct type *row = run_result_row(r, plan->row); /* as the statement says, however it runs */
    TRY(run_optimize(r, &b, &plan, &one));
    struct rel *sink = rel_sink(&r->arena, plan, &(struct sink_body){0});
    TRY(plan_ready(r, &b, &sink, 1));
    if (r->to->plan != NULL) r->to->plan(r->to->arg, plan->modifies != MODIFIES_NOTHING);
    TRY(run_plan(r, &sink, 1, "collect", row));
    return r->to->end(r->to->arg, r->e);
}

/* --- INSERT ------------------------------------------------------------------------------------------------------ */
enum status run_insert_sinks(struct run *r, const struct insert *const *inserts, uint32_t count, struct update *out)
{
    struct query_binder b = run_binder(r);
    struct rel **sinks = ARENA_ARRAY(&r->arena, struct rel *, count + 1);
    const char **tables = ARENA_ARRAY(&r->arena, const char *, count + 1), *name = "insert-into";
    enum status failed = S_OK;

    for (uint32_t i = 0; i < count; i++) {
        const struct table *t;
        TRY(err_go_on(r->e, bind_insert(&b, inserts[i], &sinks[i]), &failed));
        if (failed != S_OK) continue; /* the others are looked at all the same */
        TRY(bind_find_table(&b, &inserts[i]->table, &t));
        tables[i] = arena_printf(&r->arena, "%s.%s.%s", t->catalog, t->database, t->name);
        name = arena_printf(&r->arena, "%s%s%s", name, i == 0 ? "_" : ",", tables[i]);
    }
    *out = (struct update){.sinks = sinks, .count = count, .table_count = count, .tables = tables, .name = name};
    if (failed != S_OK) return err_gather(r->e);
    TRY(run_optimize(r, &b, sinks, &out->count));
    return plan_ready(r, &b, sinks, out->count);
}

enum status run_inserts(struct run *r, const struct insert *const *inserts, uint32_t count)
{
    struct update u;

    r->waits_for_jobs = true;
    TRY(run_insert_sinks(r, inserts, count, &u));
    return run_update_job(r, &u);
}

/* In a statement set: it must fit now, and runs with the others at END. */
static enum status insert_keep(struct run *r, const struct insert *i)
{
    r->waits_for_jobs = true;
    struct query_binder b = run_binder(r);
    struct ast_place place = r->statement->place;
    struct rel *plan;

    TRY(bind_insert(&b, i, &plan));
    if (r->s->set.size + place.size > SQL_TEXT_MAX) return run_fail(r, place, "the statement set is too long");
    buf_append(&r->s->set, r->t->text.data + place.at, place.size);
    buf_append_text(&r->s->set, ";\n");
    return run_said(r);
}

static enum status run_insert(struct run *r, const void *body)
{
    const struct insert *i = body;

    return r->s->in_set ? insert_keep(r, i) : run_inserts(r, &i, 1);
}

static enum status set_begin(struct run *r)
{
    if (r->s->in_set) return run_fail(r, r->statement->place, "a statement set has begun already: END it first");
    r->s->in_set = true;
    buf_clear(&r->s->set);
    return run_said(r);
}

static enum status set_end(struct run *r)
{
    const struct insert **inserts = ARENA_ARRAY(&r->arena, const struct insert *, STATEMENT_SET_MAX);
    struct tokens t;
    struct statement s;
    uint32_t at = 0, count = 0;
    enum status st;

    if (!r->s->in_set) return run_fail(r, r->statement->place, "No Statement Set to submit, \"END\" statement should be used after \"BEGIN STATEMENT SET\".");
    r->s->in_set = false;
    TRY(tokens_cut(&t, (struct str){buf_text(&r->s->set), r->s->set.size}, NULL, &r->arena, r->e));
    while ((st = statement_parse(&t, &at, &r->arena, &s, r->e)) == S_OK) {
        if (count == STATEMENT_SET_MAX) return run_fail(r, r->statement->place, "a statement set has at most %d statements", STATEMENT_SET_MAX);
        inserts[count++] = s.body;
    }
    if (st != S_END) return st;
    if (count == 0) return r->to->said(r->to->arg, "[INFO] NO statements in Statement Set. Skip submit.", r->e);
    r->t = &t; /* errors stand in the set's text */
    return run_inserts(r, inserts, count);
}

/* EXECUTE STATEMENT SET, and EXECUTE of a query or INSERT by itself. */
static enum status run_set_of(struct run *r, const void *body)
{
    const struct statement_set *s = body;
    const struct insert **inserts = ARENA_ARRAY(&r->arena, const struct insert *, s->count + 1);

    if (s->kind == SET_BEGIN) return set_begin(r);
    if (s->kind == SET_END) return set_end(r);
    for (uint32_t i = 0; i < s->count; i++) inserts[i] = s->items[i].body;
    return run_inserts(r, inserts, s->count);
}

static enum status run_execute(struct run *r, const void *body)
{
    const struct execute *x = body;

    return x->statement->type == &st_query ? run_query(r, x->statement->body) : run_insert(r, x->statement->body);
}

const struct executor query_executors[] = {{"query", run_query}, {"insert", run_insert},
                                           {"statement_set", run_set_of}, {"execute", run_execute}, {0}};
