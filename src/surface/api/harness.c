/* harness.c - tw_harness_*: the user's graph on a clock set by hand, driven on the calling thread.
 *
 * The graph takes the way of a real run: checked, encoded, decoded, its functions found by name, deployed by a task
 * manager; only the thread per worker is missing, rounds are made here until nothing moves any more. Inputs and outputs are
 * operators that meet the harness in objects of the job (flow/operator/harness_port.h). Every side output that the graph does
 * not read itself is an output too.
 *
 * Batches have one row, so lines come in the order in which rows were emitted. The world is Linux with another clock: wall time
 * is what the test set, monotonic time moves on with every round, so that tasks hand over what they hold. Asynchronous
 * requests run at once on the calling thread. Nothing waits, nothing sleeps. */
#include "surface/api/api_internal.h"
#include "surface/api/table_internal.h"

#include "control/memory.h"
#include "flow/operator/harness_port.h"
#include "flow/state/state.h"

#include <string.h>

enum { INPUTS = 2, ROUND_NS = 2000000, RING_BATCHES = 4, DUE_ROUNDS_MAX = 20000, TIME_STEPS_MAX = 100000 };

/* The world's operations come first: that is how the clocks find their time. */
struct harness_world {
    struct sys_ops ops;
    int64_t wall_ms, mono_ns;
};

struct tw_harness {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct harness_world world;
    struct tw_env *env;
    struct graph graph; /* decoded */
    struct job_shared *job;
    struct taskmanager *tm;
    struct tw_stream *in[INPUTS];
    struct user_row rows[INPUTS];
    struct batch *batches[INPUTS];
    struct harness_input *inputs[INPUTS];
    struct harness_output *output;
    struct buf text;
    uint32_t task_count;
    int64_t next_due_ms; /* what the operators wait for next, INT64_MAX = nothing */
    bool has_ended, is_over;
};

static int64_t world_wall_ms(struct sys *sys)
{
    return ((const struct harness_world *)(const void *)sys->ops)->wall_ms;
}
static int64_t world_mono_ns(struct sys *sys)
{
    return ((const struct harness_world *)(const void *)sys->ops)->mono_ns;
}

/* --- building --------------------------------------------------------------------------------------------------------------- */
static const char *const input_names[INPUTS] = {"harness/0", "harness/1"};
static const char *const shown_names[INPUTS] = {"Source: input 0", "Source: input 1"};

static enum status add_input(struct tw_harness *h, uint32_t i, const struct tw_row *row)
{
    struct tw_here here = {NULL, 0};
    const struct type *type = api_row_type(h->env, row, here);

    if (type == NULL) return h->env->err.status;
    struct graph_node *n = api_node(h->env, "harness_input", shown_names[i], NULL, NULL, here);
    *(struct harness_config *)n->config = (struct harness_config){.schema = type, .name = input_names[i]};
    h->in[i] = api_stream(h->env);
    return S_OK;
}

static bool is_taken(const struct graph *g, uint32_t node, const char *side)
{
    for (uint32_t i = 0; i < g->edge_count; i++)
        if (g->edges[i]->from == node && g->edges[i]->side != NULL && strcmp(g->edges[i]->side, side) == 0) return true;
    return false;
}

static void add_output(struct tw_harness *h, struct tw_stream *from, const char *side)
{
    struct tw_here here = {NULL, 0};
    struct graph_node *n = api_node(h->env, "harness_output", "Sink: output", from, NULL, here);

    if (n != NULL) *(struct harness_config *)n->config = (struct harness_config){.name = side, .is_main = side == NULL};
}

/* The graph was prepared once, so it is known which side outputs there are. */
static void add_outputs(struct tw_harness *h, struct tw_stream *result)
{
    struct graph *g = &h->env->graph;
    uint32_t nodes = g->node_count;

    if (g->nodes[result->node]->plan.output_count > 0) add_output(h, result, NULL);
    for (uint32_t i = 0; i < nodes; i++)
        for (uint32_t p = 1; p < g->nodes[i]->plan.output_count; p++) {
            const char *side = g->nodes[i]->plan.port_names[p];
            if (is_taken(g, i, side)) continue;
            struct tw_stream s = {.env = h->env, .node = i, .side = side};
            add_output(h, &s, side);
        }
}

static enum status build(struct tw_harness *h, tw_harness_graph graph, void *arg, const struct tw_row *const *rows)
{
    struct tw_env *env = h->env;

    for (uint32_t i = 0; i < INPUTS && rows[i] != NULL; i++) TRY(add_input(h, i, rows[i]));
    if (h->in[0] == NULL) return err_set(&env->err, E_GRAPH, "a harness needs the row type of its input");
    struct tw_stream *result = graph(h->in[0], h->in[1], arg);
    if (env->err.status != S_OK) return env->err.status;
    if (result == NULL || result->env != env)
        return err_set(&env->err, E_GRAPH, "the graph function must answer a stream made from those it was given");
    if (env->receiver_count > 0)
        return err_set(&env->err, E_GRAPH, "tw_collect_to does not work in a harness: read rows with tw_output");
    TRY(api_graph_prepare(env, "harness"));
    add_outputs(h, result);
    return api_graph_prepare(env, "harness");
}

/* --- deploying ---------------------------------------------------------------------------------------------------------------- */
static void task_news(void *arg, const struct task_news *n)
{
    struct tw_harness *h = arg;

    if (n->err == NULL || h->env->err.status != S_OK) return;
    h->env->err = *n->err;
    err_set(&h->env->err, n->status, "a task ended without a reason");
}

static void *shared_object(struct tw_harness *h, const char *name, size_t size)
{
    bool made;

    job_lock(h->job);
    void *object = job_object(h->job, name, size, NULL, &made);
    job_unlock(h->job);
    return object;
}

static enum status bind_input(struct tw_harness *h, uint32_t i, const struct tw_row *row)
{
    const struct type *type = NULL;

    TRY(user_row_type(&h->arena, row, &type, &h->env->err));
    TRY(user_row_bind(&h->arena, row, type, NULL, &h->rows[i], &h->env->err));
    h->batches[i] = batch_create(type, 1, &h->mem);
    h->inputs[i] = shared_object(h, input_names[i], sizeof *h->inputs[i]);
    return S_OK;
}

static enum status deploy(struct tw_harness *h, const struct tw_row *const *rows)
{
    struct err *e = &h->env->err;
    const struct graph *g = &h->env->graph;
    struct taskmanager_settings settings = {.workers = 1, .batch_rows = 1, .ring_batches = RING_BATCHES};
    struct artifact_table functions = {h->env->first, h->env->end};
    struct job_totals totals;
    struct buf bytes;

    settings.backend = sb_find(config_backend(&g->settings));
    for (uint32_t i = 0; i < g->node_count; i++) g->nodes[i]->has_buffer_timeout = false; /* time stands still */
    buf_init(&bytes, &h->mem);
    graph_encode(g, &bytes);
    api_graph_clear(h->env);
    enum status st = graph_decode(&h->graph, (struct str){bytes.data, bytes.size}, e);
    buf_release(&bytes);
    if (h->env->tables != NULL) h->graph.users = sql_session_users(h->env->tables->session);
    if (st == S_OK) st = resolve_functions(&h->graph, &functions, e);
    TRY(st == S_OK ? graph_prepare(&h->graph, e) : st);
    h->job = job_shared_create(h->sys, h->graph.job_name, &h->graph.parameters);
    for (uint32_t i = 0; i < INPUTS && rows[i] != NULL; i++) TRY(bind_input(h, i, rows[i]));
    h->output = shared_object(h, HARNESS_OUTPUT, sizeof *h->output);
    buf_init(&h->output->all, &h->mem);
    buf_init(&h->output->rows, &h->mem);
    graph_disk_share(&h->graph, memory_of_process(&h->graph.settings, h->sys), &settings.disk);
    settings.disk.kv.path = options_get(&h->graph.settings, config_defs, "state.backend.rocksdb.localdir");
    h->tm = taskmanager_create(h->sys, NULL, &settings);
    TRY(taskmanager_deploy(h->tm, &h->graph, h->job, task_news, h, e));
    taskmanager_totals(h->tm, &totals);
    h->task_count = totals.tasks;
    return S_OK;
}

/* --- driving ------------------------------------------------------------------------------------------------------------------ */
/* Rounds until nothing moves: what one task has sent reaches the last one after as many rounds as there are tasks, since a
 * timer's rows count as no progress of the round in which they leave. */
static int drive(struct tw_harness *h)
{
    uint32_t due_rounds = 0;

    for (uint32_t still = 0; !h->is_over && h->env->err.status == S_OK && still < h->task_count + 2;) {
        bool moved;
        int64_t deadline_ms;

        h->world.mono_ns += ROUND_NS;
        h->is_over = taskmanager_round(h->tm, NULL, &moved, &deadline_ms) == S_END;
        h->next_due_ms = deadline_ms;
        still = moved || deadline_ms <= h->world.wall_ms ? 0 : still + 1;
        if (deadline_ms > h->world.wall_ms || ++due_rounds < DUE_ROUNDS_MAX) continue;
        err_set(&h->env->err, E_USER, "this does not come to an end: after %d rounds timers are still due", DUE_ROUNDS_MAX);
        err_hint(&h->env->err, "does a timer register itself for the present time again?");
    }
    return h->env->err.status == S_OK ? 0 : 1;
}

static void stop(struct tw_harness *h)
{
    bool moved;
    int64_t deadline_ms;

    if (h->tm == NULL || h->task_count == 0) return;
    taskmanager_cancel(h->tm);
    while (!h->is_over) h->is_over = taskmanager_round(h->tm, NULL, &moved, &deadline_ms) == S_END;
}

static void apply_settings(struct tw_env *env, const struct tw_harness_settings *s)
{
    struct tw_here here = {NULL, 0};

    if (s->settings.count % 2 != 0 || s->parameters.count % 2 != 0)
        err_set(&env->err, E_CONFIG, "settings and parameters of a harness come in pairs of key and value");
    for (uint32_t i = 0; i + 1 < s->settings.count; i += 2)
        tw_set_at(env, s->settings.items[i], s->settings.items[i + 1], here);
    for (uint32_t i = 0; i + 1 < s->parameters.count; i += 2)
        tw_set_job_parameter_at(env, s->parameters.items[i], s->parameters.items[i + 1], here);
    if (s->parallelism > 0) tw_set_parallelism_at(env, s->parallelism, here);
    if (s->max_parallelism > 0) tw_set_max_parallelism_at(env, s->max_parallelism, here);
}

struct tw_harness *tw_harness_create_in(const struct tw_function_entry *first, const struct tw_function_entry *end,
                                        tw_harness_graph graph, void *arg, const struct tw_row *in_row,
                                        const struct tw_row *in2_row)
{
    return tw_harness_create_with_in(first, end, graph, arg, in_row, in2_row, (struct tw_harness_settings){0});
}

struct tw_harness *tw_harness_create_with_in(const struct tw_function_entry *first, const struct tw_function_entry *end,
                                             tw_harness_graph graph, void *arg, const struct tw_row *in_row,
                                             const struct tw_row *in2_row, struct tw_harness_settings settings)
{
    const struct tw_row *const rows[INPUTS] = {in_row, in2_row};
    struct mem mem;
    mem_init(&mem, "harness", 0);
    struct tw_harness *h = mem_zalloc(&mem, sizeof *h);

    ASSERT(graph != NULL);
    mem_init(&h->mem, "harness", 0);
    mem_move(&mem, &h->mem);
    arena_init(&h->arena, &h->mem, 0);
    graph_init(&h->graph, &h->arena);
    buf_init(&h->text, &h->mem);
    h->sys = sys_linux_create_quiet();
    h->world.ops = *h->sys->ops;
    h->world.ops.name = "harness";
    h->world.ops.wall_ms = world_wall_ms;
    h->world.ops.mono_ns = world_mono_ns;
    h->sys->ops = &h->world.ops;
    h->env = tw_env_create_in(first, end);
    h->env->sys = h->sys;
    apply_settings(h->env, &settings);
    if (h->env->err.status == S_OK && build(h, graph, arg, rows) == S_OK && deploy(h, rows) == S_OK) drive(h);
    return h;
}

void tw_harness_free(struct tw_harness *h)
{
    struct mem mem;

    if (h == NULL) return;
    stop(h);
    taskmanager_free(h->tm);
    job_shared_free(h->job);
    for (uint32_t i = 0; i < INPUTS; i++) batch_free(h->batches[i]);
    tw_env_free(h->env);
    sys_linux_free(h->sys);
    mem_init(&mem, "harness", 0);
    mem_move(&h->mem, &mem);
    mem_release(&mem);
}

const char *tw_harness_error(struct tw_harness *h) { return tw_error(h->env); }

/* --- pushing ------------------------------------------------------------------------------------------------------------------ */
static bool may_push(struct tw_harness *h, const char *call, uint32_t input)
{
    if (h->env->err.status != S_OK) return false;
    if (input >= INPUTS || h->inputs[input] == NULL)
        err_set(&h->env->err, E_CONFIG, "%s: the harness has no input %u", call, input);
    else if (h->has_ended)
        err_set(&h->env->err, E_CONFIG, "%s: the inputs have ended", call);
    return h->env->err.status == S_OK;
}

static int push(struct tw_harness *h, const char *call, uint32_t input, enum tw_row_kind kind, const void *row,
                int64_t time_ms)
{
    if (!may_push(h, call, input)) return 1;
    ASSERT(kind <= TW_DELETE);
    struct batch *b = h->batches[input];
    const struct user_row *bound = &h->rows[input];
    const char *why;
    uint32_t field;
    if (rowconv_check(&bound->conv, row, 1, &field, &why) != S_OK) {
        err_set(&h->env->err, E_CONFIG, "%s: field '%s' of row type '%s': %s", call, bound->form->type->names[field],
                bound->row->name, why);
        return 1;
    }
    batch_clear(b);
    if (rowconv_write(&h->rows[input].conv, row, 1, b) != S_OK) {
        err_set(&h->env->err, E_CONFIG, "%s: " CFORM_FULL, call);
        return 1;
    }
    batch_use_times(b);
    b->times[0] = time_ms;
    if (kind != TW_INSERT) {
        batch_use_kinds(b);
        b->kinds[0] = (uint8_t)kind;
    }
    h->inputs[input]->rows = b;
    return drive(h);
}

int tw_push(struct tw_harness *h, uint32_t input, const void *row, int64_t time_ms)
{
    return push(h, "tw_push", input, TW_INSERT, row, time_ms);
}

int tw_push_kind(struct tw_harness *h, uint32_t input, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    return push(h, "tw_push_kind", input, kind, row, time_ms);
}

int tw_push_watermark(struct tw_harness *h, uint32_t input, int64_t watermark)
{
    if (!may_push(h, "tw_push_watermark", input)) return 1;
    h->inputs[input]->watermark = watermark;
    h->inputs[input]->has_watermark = true;
    return drive(h);
}

/* Every due time in between comes by itself, in order: what one leads to (a retry, another timer) may be due before now_ms
 * too. So one jump and many small ones are the same. */
int tw_set_processing_time(struct tw_harness *h, int64_t now_ms)
{
    if (h->env->err.status != S_OK) return 1;
    if (now_ms < h->world.wall_ms) {
        err_set(&h->env->err, E_CONFIG, "tw_set_processing_time: time does not go back from %lld to %lld",
                (long long)h->world.wall_ms, (long long)now_ms);
        return 1;
    }
    for (uint32_t steps = 0; h->next_due_ms <= now_ms && !h->is_over && steps < TIME_STEPS_MAX; steps++) {
        h->world.wall_ms = h->next_due_ms;
        if (drive(h) != 0) return 1;
    }
    h->world.wall_ms = now_ms;
    return drive(h);
}

int tw_hold_async(struct tw_harness *h, bool hold)
{
    if (h->env->err.status != S_OK) return 1;
    struct harness_async *async = shared_object(h, HARNESS_ASYNC, sizeof *async);
    async->is_held = hold;
    for (uint32_t i = 0; !hold && i < async->waiting_count; i++) op_ring(async->waiting[i]);
    if (!hold) async->waiting_count = 0;
    return drive(h);
}

int tw_push_end(struct tw_harness *h)
{
    if (!may_push(h, "tw_push_end", 0)) return 1;
    for (uint32_t i = 0; i < INPUTS; i++)
        if (h->inputs[i] != NULL) h->inputs[i]->has_ended = true;
    h->has_ended = true;
    return drive(h);
}

const char *tw_output(struct tw_harness *h, bool with_watermarks)
{
    buf_clear(&h->text);
    if (h->output != NULL) {
        const struct buf *from = with_watermarks ? &h->output->all : &h->output->rows;
        if (from->size > 0) buf_append(&h->text, from->data, from->size);
        buf_clear(&h->output->all);
        buf_clear(&h->output->rows);
    }
    return buf_text(&h->text);
}

/* --- state ------------------------------------------------------------------------------------------------------------------ */
struct counts {
    uint64_t entries, event_timers, processing_timers;
};

static struct counts count_state(const struct tw_harness *h)
{
    struct counts c = {0};

    if (h->tm != NULL && h->task_count > 0) taskmanager_count_state(h->tm, &c.entries, &c.event_timers, &c.processing_timers);
    return c;
}

uint64_t tw_harness_state_entries(struct tw_harness *h) { return count_state(h).entries; }
uint64_t tw_harness_event_timers(struct tw_harness *h) { return count_state(h).event_timers; }
uint64_t tw_harness_processing_timers(struct tw_harness *h) { return count_state(h).processing_timers; }

/* --- accumulators --------------------------------------------------------------------------------------------------------- */
static const struct accumulator *find_accumulator(struct tw_harness *h, const char *name)
{
    return h->is_over && h->job != NULL ? accumulators_find(job_accumulators(h->job), name) : NULL;
}

bool tw_harness_counter(struct tw_harness *h, const char *name, int64_t *value)
{
    return api_accumulator_long(find_accumulator(h, name), value);
}

bool tw_harness_double(struct tw_harness *h, const char *name, double *value)
{
    return api_accumulator_double(find_accumulator(h, name), value);
}

bool tw_harness_histogram(struct tw_harness *h, const char *name, uint32_t index, int32_t *value, int64_t *count)
{
    return api_accumulator_histogram(find_accumulator(h, name), index, value, count);
}
