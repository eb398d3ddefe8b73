/* run_plan.c - a plan becomes a job graph, and the job runs: here and now, its rows handed to whoever listens, or, where it gives none,
 * in the background, as the session says. */
#include "surface/sql/session_internal.h"

#include "control/jobmanager/jobmaster.h"
#include "language/sql/plan_places.h"
#include "surface/sql/sql_keys.h"

#include <string.h>

static enum status give_rows(void *arg, int64_t receiver, struct batch *b, struct err *e)
{
    struct run *r = arg;

    (void)receiver;
    return r->to->rows(r->to->arg, b, e);
}

/* What the session says of how jobs run; keys of SQL are none of the engine's. */
static struct options engine_keys(struct run *r)
{
    struct options all = config_options(&r->s->config);
    struct option *items = ARENA_ARRAY(&r->arena, struct option, MAX(all.count, 1u));
    uint32_t count = 0;

    for (uint32_t i = 0; i < all.count; i++)
        if (option_find(config_defs, all.items[i].key) != NULL && option_find(sql_keys, all.items[i].key) == NULL)
            items[count++] = all.items[i];
    return (struct options){items, count};
}

/* Equal parts become one, as the session says. */
static void share(struct run *r, struct graph *g, uint32_t **now)
{
    struct plan_settings s = sql_keys_settings(&r->s->config);
    uint32_t *places = ARENA_ARRAY(&r->arena, uint32_t, g->node_count + 1);

    for (uint32_t i = 0; i < g->node_count; i++) places[i] = i;
    if (s.reuse.parts && s.rewrites) graph_share(g, s.reuse.sources, places);
    if (now != NULL) *now = places;
}

/* The session may say another one. */
static enum status job_name(struct run *r, const struct options *o, const char *name, const char **out)
{
    const char *given = options_get(o, config_defs, "pipeline.name");

    if (given != NULL && strlen(given) > JOB_NAME_MAX)
        return err_set(r->e, E_CONFIG, "'pipeline.name' is longer than %d bytes", JOB_NAME_MAX);
    *out = given != NULL ? arena_strdup(&r->arena, given) : name;
    return S_OK;
}

enum status run_plan_graph(struct run *r, struct rel *const *sinks, uint32_t count, const char *name, struct graph *g)
{
    struct options o = config_options(&r->s->config);
    uint32_t node;

    graph_init(g, &r->arena);
    TRY(job_name(r, &o, name, &g->job_name));
    g->artifact.name = "";
    g->users = r->s->functions.users;
    g->settings = engine_keys(r);
    int64_t tasks = options_int(&o, sql_keys, "table.exec.resource.default-parallelism");
    g->default_parallelism = (uint32_t)(tasks > 0 ? tasks : options_int(&g->settings, config_defs, "parallelism.default"));
    g->chaining = options_bool(&g->settings, config_defs, "pipeline.operator-chaining.enabled");
    TRY(run_plan_into(r, sinks, count, g, NULL, &node));
    share(r, g, NULL);
    struct err inner = {0};
    if (graph_prepare(g, &inner) == S_OK) return S_OK;
    const struct rel_said *said = sinks[0]->said != NULL ? sinks[0]->said : sinks[0]->inputs[0]->said; /* of a job's only plan, as a rule */
    return run_refuse(r, count == 1 ? said : NULL, &inner);
}

enum status run_plan_reuse(struct run *r, struct rel *const *sinks, uint32_t count, struct rel_reuse **out)
{
    struct reuse_map map = {0};
    struct graph g;
    uint32_t node, *now;

    *out = NULL;
    graph_init(&g, &r->arena);
    TRY(run_plan_into(r, sinks, count, &g, &map, &node));
    share(r, &g, &now);
    *out = rel_reuse_find(&r->arena, &map, now, sinks, count);
    return S_OK;
}

enum status run_plan_json(struct run *r, struct rel *const *sinks, uint32_t count, struct buf *out)
{
    struct graph g;

    TRY(run_plan_graph(r, sinks, count, "explain", &g));
    graph_plan_json(&g, out);
    return S_OK;
}

static struct async_calls async_calls_of(const struct options *o, const char *capacity, const char *timeout, const char *strategy,
                                         const char *delay, int64_t attempts)
{
    bool retries = options_enum(o, sql_keys, strategy) == 0;

    return (struct async_calls){.capacity = MAX(options_int(o, sql_keys, capacity), 1),
                                .timeout_ms = options_int(o, sql_keys, timeout),
                                .attempts = retries ? MAX(attempts, 1) : 1,
                                .retry_delay_ms = options_int(o, sql_keys, delay)};
}

static struct spill_config spill_of(const struct options *o, const char *key)
{
    return (struct spill_config){.memory = options_get(o, sql_keys, key) != NULL ? options_int(o, sql_keys, key) : MEMORY_SHARE,
                                 .dirs = options_get(o, sql_keys, "io.tmp.dirs"),
                                 .files = options_int(o, sql_keys, "table.exec.sort.max-num-file-handles"),
                                 .packs = options_bool(o, sql_keys, "table.exec.spill-compression.enabled"),
                                 .key = key};
}

#define ASYNC_CALLS(o, kind, attempts)                                                                                 \
    async_calls_of((o), kind ".max-concurrent-operations", kind ".timeout", kind ".retry-strategy", kind ".retry-delay", (attempts))

enum status run_refuse(struct run *r, const struct rel_said *said, const struct err *inner) { return plan_fail(r->e, said, inner); }

/* A statement that is too large is shown; a program's tree has no text. */
static enum status lower(struct run *r, struct rel *sink, struct lowering *l, uint32_t *node)
{
    struct err inner = {0};

    if (rel_lower(sink, l, node, &inner) == S_OK) return S_OK;
    if (inner.status != E_BUDGET || r->statement == NULL) return run_refuse(r, l->said, &inner);
    err_hint(r->e, "%s", inner.hint);
    return run_fail(r, r->statement->place, "%s", inner.text);
}

enum status run_plan_into(struct run *r, struct rel *const *sinks, uint32_t count, struct graph *g, struct reuse_map *map, uint32_t *node)
{
    struct options o = config_options(&r->s->config);
    struct lowering l = {.graph = g,
                         .a = &r->arena,
                         .session = &r->s->functions,
                         .nodes = map,
                         .idle_ms = options_int(&o, sql_keys, "table.exec.source.idle-timeout"),
                         .ttl_ms = options_int(&o, sql_keys, "table.exec.state.ttl"),
                         .is_batch = run_is_batch(r),
                         .spill = spill_of(&o, "table.exec.resource.sort.memory"),
                         .spill_groups = spill_of(&o, "table.exec.resource.hash-agg.memory"),
                         .spill_joins = spill_of(&o, "table.exec.resource.hash-join.memory"),
                         .emit_every = options_enum(&o, sql_keys, "thalweg.exec.emit") == 1};

    l.async_scalar = ASYNC_CALLS(&o, "table.exec.async-scalar", options_int(&o, sql_keys, "table.exec.async-scalar.max-attempts"));
    l.async_table = ASYNC_CALLS(&o, "table.exec.async-table", 1 + options_int(&o, sql_keys, "table.exec.async-table.max-retries"));
    r->s->functions.chance = sys_random(r->s->options.sys);
    const struct rel_said *said = NULL;
    struct err inner = {0};
    if (rel_plan(sinks, count, &said, &inner) != S_OK) return run_refuse(r, said, &inner);
    for (uint32_t i = 0; i < count; i++) TRY(lower(r, sinks[i], &l, node));
    return S_OK;
}

/* A job of an encoded graph, submitted. */
static enum status submit(struct run *r, struct str encoded, struct jobmaster_options o, struct jobmaster **out)
{
    static const struct tw_function_entry none[1];

    o.sys = r->s->options.sys;
    o.log = r->s->options.log;
    o.job_number = r->s->jobs.added + 1;
    o.functions = (struct artifact_table){none, none};
    if (r->s->options.functions != NULL) o.functions = (struct artifact_table){r->s->options.functions, r->s->options.functions_end};
    o.users = r->s->functions.users;
    o.takes_signals = r->s->options.takes_signals && !r->in_background;
    if (o.cancelled == NULL) o.cancelled = r->s->options.cancelled;
    o.say = r->s->options.say;
    o.say_arg = r->s->options.say_arg;
    o.takes_no_checkpoints |= run_is_batch(r); /* as in Flink: a batch job is done again from the beginning */
    *out = jobmaster_create(&o);
    return jobmaster_submit(*out, encoded, r->e);
}

enum status run_plan_submit(struct run *r, struct rel *const *sinks, uint32_t count, const char *name, struct jobmaster_options o,
                            struct jobmaster **out)
{
    struct graph g;
    struct buf bytes;

    buf_init(&bytes, &r->mem);
    enum status st = run_plan_graph(r, sinks, count, name, &g);
    if (st == S_OK) {
        graph_encode(&g, &bytes);
        st = submit(r, (struct str){bytes.data, bytes.size}, o, out);
    }
    buf_release(&bytes);
    return st;
}

static struct jobmaster_options told(struct run *r)
{
    return (struct jobmaster_options){
        .rows = give_rows, .rows_arg = r, .tick = r->to->tick, .tick_arg = r->to->arg, .tick_ms = r->to->tick_ms};
}

/* The job to its end, when st says that it was submitted. jm: may be NULL after a failure. */
static enum status run_job(struct run *r, struct jobmaster *jm, enum status st)
{
    int64_t now = sys_wall_ms(r->s->options.sys);

    if (st == S_OK) st = jobmaster_run(jm, r->e);
    if (jm == NULL) return st;
    r->s->signal = jobmaster_signal(jm);
    bool has_run = jobmaster_metrics(jm) != NULL && job_status_is_terminal(jobmaster_status(jm)); /* it may have waited in vain */
    if (has_run) session_jobs_add(&r->s->jobs, jm, now);
    jobmaster_free(jm);
    return st;
}

static enum status drop_rows(void *arg, int64_t receiver, struct batch *b, struct err *e)
{
    (void)arg;
    (void)receiver;
    (void)b;
    (void)e;
    return S_OK;
}

/* Lowering the same plans again gives the same operators: that is how parts of plans find theirs. */
enum status run_plan_measured(struct run *r, struct rel *const *sinks, uint32_t count, struct rel_reuse **parts,
                              const struct operator_totals **totals, int64_t *run_ns)
{
    struct jobmaster_options o = {.rows = drop_rows, .times_hooks = true, .takes_no_checkpoints = true};
    struct jobmaster *jm = NULL;

    TRY(run_plan_reuse(r, sinks, count, parts));
    enum status st = run_plan_submit(r, sinks, count, "explain-analyze", o, &jm);
    if (st == S_OK) st = jobmaster_run(jm, r->e);
    if (st == S_OK) {
        uint32_t n = jobmaster_graph(jm)->node_count;
        struct operator_totals *out = ARENA_ARRAY(&r->arena, struct operator_totals, n + 1);
        for (uint32_t i = 0; i < n; i++) jobmaster_operator(jm, i, &out[i]);
        *totals = out;
        *run_ns = jobmaster_run_ns(jm);
    }
    jobmaster_free(jm);
    return st;
}

/* Shows more of why the job of plans failed. */
static void explain_failure(struct run *r, struct rel *const *sinks, uint32_t count)
{
    struct job_after after;

    job_after_of(sinks, count, &r->arena, &after);
    after.places = r->places;
    job_after_explain(&after, r->e);
}

enum status run_plan(struct run *r, struct rel *const *sinks, uint32_t count, const char *name, const struct type *row)
{
    struct jobmaster_options o = told(r);
    struct jobmaster *jm = NULL;

    if (r->s->options.remote.run != NULL && row != NULL) {
        enum status there = run_query_there(r, sinks, count, name, row);
        if (there != S_OK) explain_failure(r, sinks, count);
        return there;
    }
    o.takes_no_checkpoints = row != NULL; /* rows that were shown cannot be taken back */
    enum status st = run_plan_submit(r, sinks, count, name, o, &jm);
    if (st == S_OK && row != NULL) st = r->to->begin(r->to->arg, row, !run_is_batch(r), r->e);
    st = run_job(r, jm, st);
    if (st != S_OK) explain_failure(r, sinks, count);
    return st;
}

/* --- updates ----------------------------------------------------------------------------------------------------- */
static enum status update_submit(struct run *r, const struct update *u, struct jobmaster_options o, struct jobmaster **out)
{
    if (u->graph.size == 0) return run_plan_submit(r, u->sinks, u->count, u->name, o, out);
    TRY(submit(r, u->graph, o, out));
    return run_wait_for_graph(r, jobmaster_graph(*out));
}

void run_after_of(const struct update *u, struct arena *a, struct job_after *out)
{
    if (u->graph.size == 0) job_after_of(u->sinks, u->count, a, out);
    else job_after_of_graph(u->replacements, u->replacement_count, a, out);
}

static enum status update_here(struct run *r, const struct update *u)
{
    struct jobmaster *jm = NULL;
    struct job_after after;

    enum status st = update_submit(r, u, told(r), &jm);
    st = run_job(r, jm, st);
    run_after_of(u, &r->arena, &after);
    after.places = r->places;
    if (st != S_OK) job_after_explain(&after, r->e);
    TRY(job_after_replace(&after, r->s->options.sys, st, r->e));
    if (r->to->changed != NULL) r->to->changed(r->to->arg, u->table_count, u->tables, 0);
    return r->to->said(r->to->arg, "[INFO] Complete execution of the SQL update statement.", r->e);
}

static enum status say_submitted(struct run *r, const struct update *u, const struct session_job *j)
{
    if (r->to->changed != NULL) r->to->changed(r->to->arg, u->table_count, u->tables, j->number);
    TRY(r->to->said(r->to->arg, "[INFO] Submitting SQL update statement to the cluster...", r->e));
    return r->to->said(
        r->to->arg,
        arena_printf(&r->arena, "[INFO] SQL update statement has been successfully submitted to the cluster:\nJob ID: %s\n", j->id),
        r->e);
}

static enum status update_in_background(struct run *r, const struct update *u)
{
    struct jobmaster_options o = {0};
    struct jobmaster *jm = NULL;
    struct job_after *after;

    TRY(run_wait_for_room(r));
    struct session_job *j = session_jobs_new(&r->s->jobs, &after, &o.cancelled);
    run_after_of(u, &j->arena, after);
    expr_places_keep(&r->places, &j->arena, &after->places);
    r->in_background = true;
    enum status st = update_submit(r, u, o, &jm);
    r->in_background = false;
    if (st == S_OK) {
        TRY(session_jobs_start(&r->s->jobs, j, jm, r->e));
        return say_submitted(r, u, j);
    }
    st = job_after_replace(after, r->s->options.sys, st, r->e);
    jobmaster_free(jm);
    session_jobs_drop(&r->s->jobs, j);
    return st;
}

enum status run_update_job(struct run *r, const struct update *u)
{
    struct options o = config_options(&r->s->config);

    if (r->s->options.remote.run != NULL) return run_update_there(r, u, options_bool(&o, sql_keys, "table.dml-sync"));
    return r->to->waits || options_bool(&o, sql_keys, "table.dml-sync") ? update_here(r, u) : update_in_background(r, u);
}
