/* exec_explain.c - EXPLAIN: the plan of a statement in Flink's sections, and what is to be said of it. */
#include "surface/sql/session_internal.h"

#include "language/sql/bind_table.h"

#include <string.h>

struct plans {
    uint32_t count;
    struct rel **items; /* sinks */
    uint32_t tree_count;
    struct rel **trees; /* what the statement says, before it was rewritten */
    bool is_query;      /* the sink is the client, which EXPLAIN does not show */
};

/* Of CREATE TABLE with AS: what fills the table, which is not made. */
static enum status plan_of_new(struct query_binder *b, const struct create_table *c, struct rel **out)
{
    struct insert i = {.table = c->name, .query = c->query};
    struct table *t = ARENA_NEW(b->a, struct table);
    struct object_name name;

    TRY(bind_create_table(b, c, t));
    TRY(bind_name(b, &c->name, &name));
    t->catalog = name.catalog != NULL ? name.catalog : catalogs_current(b->catalogs);
    t->database = name.database != NULL ? name.database : catalogs_current_database(b->catalogs);
    t->name = name.name;
    return bind_insert_into(b, &i, t, out);
}

static enum status plans_of(struct run *r, const struct statement *s, struct plans *out)
{
    struct query_binder b = run_binder(r);
    struct rel *plan;

    if (s->type == &st_statement_set) {
        const struct statement_set *set = s->body;
        for (uint32_t i = 0; i < set->count; i++) TRY(plans_of(r, &set->items[i], out));
        return S_OK;
    }
    if (strcmp(s->type->name, "execute") == 0) return plans_of(r, ((const struct execute *)s->body)->statement, out);
    if (s->type != &st_query && s->type != &st_insert && s->type != &st_create_table)
        return run_fail(r, s->place, "Unsupported operation: EXPLAIN of this statement");
    out->is_query = s->type == &st_query;
    if (s->type == &st_create_table) TRY(plan_of_new(&b, s->body, &plan));
    else TRY(out->is_query ? bind_query(&b, s->body, &plan) : bind_insert(&b, s->body, &plan));
    out->trees[out->tree_count++] = plan;
    out->items[out->count++] = plan;
    return S_OK;
}

/* What is asked for is shown, then what runs. */
static enum status plans_optimize(struct run *r, struct plans *p)
{
    struct query_binder b = run_binder(r);

    TRY(run_optimize(r, &b, p->items, &p->count));
    for (uint32_t i = 0; p->is_query && i < p->count; i++)
        p->items[i] = rel_sink(&r->arena, p->items[i], &(struct sink_body){.is_explained = true});
    return S_OK;
}

static const struct rel *shown(const struct plans *p, uint32_t i) { return p->is_query ? p->items[i]->inputs[0] : p->items[i]; }

static void plans_print(const struct plans *p, const struct rel_shown *how, struct buf *out)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (i > 0) buf_append_byte(out, '\n');
        rel_explain(shown(p, i), how, out);
    }
}

static void trees_print(const struct plans *p, struct buf *out)
{
    buf_append_text(out, "== Abstract Syntax Tree ==\n");
    for (uint32_t i = 0; i < p->tree_count; i++) {
        if (i > 0) buf_append_byte(out, '\n');
        rel_explain_logical(p->trees[i], out);
    }
    buf_append_byte(out, '\n');
}

static void advices_print(const struct rel_advices *all, struct buf *out)
{
    buf_append_text(out, all->count == 0 ? "\nNo available advice...\n" : "\n");
    for (uint32_t i = 0; i < all->count; i++) buf_printf(out, "advice[%u]: [WARNING] %s\n", i + 1, all->items[i].text);
}

/* --- ESTIMATED_COST ----------------------------------------------------------------------------------------------- */
/* As Java prints a double: "1.0E8", "7500.0". */
static void print_double(double x, struct buf *out)
{
    int exponent = 0;

    if (x < 1e7) {
        buf_printf(out, "%.1f", x);
        return;
    }
    for (; x >= 10; x /= 10) exponent++;
    buf_printf(out, "%.1fE%d", x, exponent);
}

static double rows_below(const struct rel *r)
{
    double rows = rel_rows(r);

    for (uint32_t i = 0; i < r->input_count; i++) rows += rows_below(r->inputs[i]);
    return rows;
}

static void note_cost(void *arg, const struct rel *r, struct buf *out)
{
    (void)arg;
    buf_append_text(out, ": rowcount = ");
    print_double(rel_rows(r), out);
    buf_append_text(out, ", cumulative cost = {");
    print_double(rows_below(r), out);
    buf_append_text(out, " rows}");
}

/* --- ANALYZE ------------------------------------------------------------------------------------------------------ */
struct analysis {
    const struct rel_reuse *parts;
    const struct operator_totals *totals; /* by node of the job graph */
};

static void note_totals(void *arg, const struct rel *r, struct buf *out)
{
    const struct analysis *a = arg;
    int node = rel_reuse_node(a->parts, r);

    if (node < 0) return;
    const struct operator_totals *t = &a->totals[node];
    buf_append_text(out, ": ");
    if (r->input_count > 0) buf_printf(out, "rows in = %llu, ", (unsigned long long)t->rows_in);
    buf_printf(out, "rows out = %llu", (unsigned long long)(r->type == &rel_sink_type ? t->rows_in : t->rows_out));
    if (t->bytes_out > 0) buf_printf(out, ", bytes out = %llu", (unsigned long long)t->bytes_out);
    if (t->state_bytes > 0) buf_printf(out, ", state = %llu bytes", (unsigned long long)t->state_bytes);
    buf_printf(out, ", time = %.3f ms", (double)t->busy_ns / 1e6);
}

static enum status check_ends(struct run *r, const struct plans *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->items[i]->is_bounded) continue;
        err_hint(r->e, "give its tables an end ('events.num', 'number-of-rows'), or explain it without ANALYZE");
        return run_fail(r, r->statement->place, "EXPLAIN ANALYZE runs the statement, which would not end: it reads a table without end");
    }
    return S_OK;
}

/* Runs the statement; a query's rows go nowhere. */
static enum status analyzed(struct run *r, const struct plans *p, struct buf *text)
{
    struct analysis a = {0};
    struct job_after after;
    struct rel_reuse *reuse;
    int64_t run_ns;

    TRY(check_ends(r, p));
    enum status st = run_plan_measured(r, p->items, p->count, &reuse, &a.totals, &run_ns);
    job_after_of(p->items, p->count, &r->arena, &after);
    TRY(job_after_replace(&after, r->s->options.sys, st, r->e));
    a.parts = reuse;
    buf_append_text(text, "\n== Analyzed Execution Plan ==\n");
    plans_print(p, &(struct rel_shown){.reuse = reuse, .note = note_totals, .arg = &a}, text);
    buf_printf(text, "\nThe job ran for %.3f ms.\n", (double)run_ns / 1e6);
    return S_OK;
}

static enum status explain_text(struct run *r, const struct explain *x, const struct plans *p, const struct plan_settings *settings,
                                struct buf *text)
{
    struct rel_advices all = {0};

    if (x->plan_advice) rel_advise(p->items, p->count, settings, &r->arena, &all);
    buf_append_text(text, x->plan_advice ? "== Optimized Physical Plan With Advice ==\n" : "== Optimized Physical Plan ==\n");
    plans_print(p, &(struct rel_shown){.changes = x->changelog_mode, .advices = &all, .note = x->estimated_cost ? note_cost : NULL}, text);
    if (x->plan_advice) advices_print(&all, text);
    buf_append_text(text, "\n== Optimized Execution Plan ==\n");
    struct rel_reuse *reuse;
    struct err *given = r->e, ignored = {0};
    r->e = &ignored; /* what cannot run can be explained all the same */
    enum status st = run_plan_reuse(r, p->items, p->count, &reuse);
    r->e = given;
    plans_print(p, &(struct rel_shown){.reuse = st == S_OK ? reuse : NULL}, text);
    if (x->analyze) TRY(analyzed(r, p, text));
    if (!x->json) return S_OK;
    buf_append_text(text, "\n== Physical Execution Plan ==\n");
    return run_plan_json(r, p->items, p->count, text);
}

static enum status run_explain(struct run *r, const void *body)
{
    static const char *const names[] = {"result"};
    const struct explain *x = body;
    if (x->statement == NULL) return run_explain_file(r, x->file);
    r->waits_for_jobs = x->analyze;
    const struct statement_set *set = x->statement->type == &st_statement_set ? x->statement->body : NULL;
    uint32_t most = set != NULL ? set->count + 1 : 1;
    struct plans p = {.items = ARENA_ARRAY(&r->arena, struct rel *, most), .trees = ARENA_ARRAY(&r->arena, struct rel *, most)};
    struct query_binder b = run_binder(r);
    struct buf text;

    buf_init(&text, &r->mem);
    enum status st = plans_of(r, x->statement, &p);
    if (st == S_OK) trees_print(&p, &text);
    if (st == S_OK) st = plans_optimize(r, &p);
    if (st == S_OK) st = run_plan_check(r, &b, p.items, p.count);
    if (st == S_OK && x->upgrade.size > 0) {
        buf_release(&text);
        return run_explain_upgrade(r, p.items, p.count, arena_strndup(&r->arena, x->upgrade.data, x->upgrade.size));
    }
    if (st == S_OK) st = explain_text(r, x, &p, b.settings, &text);
    const char *cell = buf_text(&text);
    if (st == S_OK) st = run_give(r, 1, names, NULL, &cell, 1);
    buf_release(&text);
    return st;
}

const struct executor explain_executors[] = {{"explain", run_explain}, {0}};
