/* env.c - environments: settings, execution in this process, the result. tw_execute encodes the graph and hands over the
 * bytes; the job master decodes them, so what works here works wherever else those bytes are taken. */
#include "surface/api/api_internal.h"

#include "control/config.h"
#include "control/jobmanager/jobmaster.h"
#include "flow/operator/user.h"
#include "surface/api/run.h"

#include <stdio.h>
#include <string.h>

enum { SETTINGS_MAX = 1024 };

struct tw_env *tw_env_create_in(const struct tw_function_entry *first, const struct tw_function_entry *end)
{
    struct mem mem;
    mem_init(&mem, "environment", 0);
    struct tw_env *env = mem_zalloc(&mem, sizeof *env);

    mem_init(&env->mem, "environment", 0);
    mem_move(&mem, &env->mem);
    arena_init(&env->arena, &env->mem, 0);
    graph_init(&env->graph, &env->arena);
    env->graph.chaining = true;
    env->graph.default_parallelism = 1;
    env->first = first;
    env->end = end;
    env->settings = ARENA_ARRAY(&env->arena, struct option, SETTINGS_MAX);
    env->parameters = ARENA_ARRAY(&env->arena, struct option, SETTINGS_MAX);
    env->result.status = "CREATED";
    return env;
}

void tw_env_free(struct tw_env *env)
{
    struct mem mem;

    if (env == NULL) return;
    if (env->owns_sys) sys_linux_free(env->sys);
    mem_init(&mem, "environment", 0);
    mem_move(&env->mem, &mem);
    mem_release(&mem);
}

/* --- settings ---------------------------------------------------------------------------------------------------------- */
static void add_option(struct tw_env *env, struct option *items, uint32_t *count, const char *key, const char *value)
{
    if (*count == SETTINGS_MAX) {
        err_set(&env->err, E_CONFIG, "more than %d settings", SETTINGS_MAX);
        return;
    }
    items[(*count)++] = (struct option){arena_strdup(&env->arena, key), arena_strdup(&env->arena, value)};
}

void tw_set(struct tw_env *env, const char *key, const char *value) { add_option(env, env->settings, &env->setting_count, key, value); }

static void set_number(struct tw_env *env, const char *key, uint32_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%u", number);
    tw_set(env, key, text);
}

void tw_set_parallelism(struct tw_env *env, uint32_t parallelism) { set_number(env, "parallelism.default", parallelism); }
void tw_set_max_parallelism(struct tw_env *env, uint32_t max_parallelism) { set_number(env, "pipeline.max-parallelism", max_parallelism); }
void tw_disable_chaining(struct tw_env *env) { tw_set(env, "pipeline.operator-chaining.enabled", "false"); }
void tw_set_job_parameter(struct tw_env *env, const char *key, const char *value) { add_option(env, env->parameters, &env->parameter_count, key, value); }
void tw_quiet(struct tw_env *env, bool quiet) { env->is_quiet = quiet; }
void tw_cancel(struct tw_env *env) { sys_atomic_store(&env->cancelled, 1); }
const struct tw_result *tw_job_result(struct tw_env *env) { return &env->result; }

const char *tw_error(struct tw_env *env)
{
    if (env->err.status == S_OK) return "";
    snprintf(env->error_text, sizeof env->error_text, env->err.hint[0] != '\0' ? "%s (%s)" : "%s", env->err.text, env->err.hint);
    return env->error_text;
}

/* --- the graph as it will run -------------------------------------------------------------------------------------------- */
static enum status complete(struct tw_env *env, const char *job_name)
{
    struct graph *g = &env->graph;

    if (env->err.status != S_OK) return env->err.status;
    g->job_name = arena_strdup(&env->arena, job_name);
    g->settings = (struct options){env->settings, env->setting_count};
    g->parameters = (struct options){env->parameters, env->parameter_count};
    TRY(config_check(&g->settings, &env->err));
    g->default_parallelism = (uint32_t)options_int(&g->settings, config_defs, "parallelism.default");
    const char *max = options_get(&g->settings, config_defs, "pipeline.max-parallelism");
    g->default_max_parallelism = max != NULL && max[0] != '-' ? (uint32_t)options_int(&g->settings, config_defs, "pipeline.max-parallelism") : 0;
    g->chaining = options_bool(&g->settings, config_defs, "pipeline.operator-chaining.enabled");
    if (g->node_count == 0) return err_set(&env->err, E_GRAPH, "job '%s' has no operators", job_name);
    return graph_prepare(g, &env->err);
}

const char *tw_plan(struct tw_env *env)
{
    struct buf text;

    if (complete(env, env->graph.job_name != NULL ? env->graph.job_name : "job") != S_OK) return NULL;
    buf_init(&text, &env->mem);
    graph_plan_json(&env->graph, &text);
    const char *copy = arena_strdup(&env->arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

/* --- rows for the caller --------------------------------------------------------------------------------------------------- */
static enum status hand_rows(void *arg, int64_t receiver, struct batch *b, struct err *e)
{
    struct tw_env *env = arg;
    struct api_receiver *r = &env->receivers[receiver];
    struct user_row bound;
    struct arena scratch;
    uint32_t bad = 0;

    ASSERT(receiver >= 0 && receiver < env->receiver_count);
    arena_init(&scratch, &env->mem, 0);
    enum status st = user_row_bind(&scratch, r->row, b->schema, NULL, &bound, e);
    char *rows = arena_zalloc(&scratch, (size_t)r->row->size * ROWCONV_ROWS);
    for (uint32_t first = 0; st == S_OK && first < batch_rows(b); first += ROWCONV_ROWS) {
        uint32_t n = MIN((uint32_t)ROWCONV_ROWS, batch_rows(b) - first);
        st = rowconv_read(&bound.conv, b, first, n, rows, &bad);
        if (st != S_OK) err_set(e, st, "a row holds NULL in field %u of '%s', which has no null mask", bad + 1, r->row->name);
        for (uint32_t i = 0; st == S_OK && i < n; i++) {
            uint32_t row = batch_row(b, first + i);
            r->fn(r->arg, (enum tw_row_kind)batch_kind(b, row), rows + (size_t)i * r->row->size, batch_time(b, row));
        }
    }
    arena_release(&scratch);
    return st;
}

/* --- running -------------------------------------------------------------------------------------------------------------------- */
static void keep_result(struct tw_env *env, struct jobmaster *jm)
{
    const struct job_totals *t = jobmaster_totals(jm);
    const struct accumulators *from = jobmaster_accumulators(jm);
    struct mem *mem = &env->mem;

    env->result = (struct tw_result){.job_name = env->graph.job_name,
                                     .status = job_status_name(jobmaster_status(jm)),
                                     .rows_in = t->rows_in,
                                     .rows_out = t->rows_out,
                                     .late_dropped = t->late_dropped,
                                     .late_refired = t->late_refired,
                                     .seconds = (double)jobmaster_run_ns(jm) / 1e9};
    accumulators_init(&env->accumulators, mem);
    if (from != NULL && accumulators_merge(&env->accumulators, from, &env->err) != S_OK) env->result.status = "FAILED";
    env->signal = jobmaster_signal(jm);
}

static enum status run_encoded(struct tw_env *env, struct str bytes)
{
    struct jobmaster_options o = {.sys = env->sys,
                                  .functions = {env->first, env->end},
                                  .takes_signals = env->takes_signals,
                                  .cancelled = &env->cancelled,
                                  .rows = hand_rows,
                                  .rows_arg = env,
                                  .tick = env->tick,
                                  .tick_arg = env->tick_arg,
                                  .tick_ms = env->tick_ms};
    struct jobmaster *jm = jobmaster_create(&o);
    enum status st = jobmaster_submit(jm, bytes, &env->err);

    if (st == S_OK) st = jobmaster_run(jm, &env->err);
    keep_result(env, jm);
    jobmaster_free(jm);
    return st;
}

static enum status execute(struct tw_env *env, const char *job_name)
{
    struct buf bytes;

    TRY(complete(env, job_name));
    if (env->sys == NULL) {
        env->sys = sys_linux_create_quiet();
        env->owns_sys = true;
    }
    buf_init(&bytes, &env->mem);
    graph_encode(&env->graph, &bytes);
    enum status st = run_encoded(env, (struct str){bytes.data, bytes.size});
    buf_release(&bytes);
    return st;
}

int tw_execute(struct tw_env *env, const char *job_name)
{
    ASSERT(job_name != NULL);
    enum status st = execute(env, job_name);
    if (st == S_OK) return 0;
    env->result.job_name = job_name;
    if (strcmp(env->result.status, "CREATED") == 0) env->result.status = "FAILED";
    if (!env->is_quiet) api_print_error(env, job_name);
    return 1;
}

static const struct accumulator *find_accumulator(struct tw_env *env, const char *name)
{
    return env->accumulators.mem != NULL ? accumulators_find(&env->accumulators, name) : NULL;
}

bool tw_accumulator_long(struct tw_env *env, const char *name, int64_t *value)
{
    const struct accumulator *a = find_accumulator(env, name);

    if (a == NULL || a->kind != ACC_COUNTER) return false;
    *value = a->count;
    return true;
}

bool tw_accumulator_double(struct tw_env *env, const char *name, double *value)
{
    const struct accumulator *a = find_accumulator(env, name);

    if (a == NULL || (a->kind != ACC_DOUBLE && a->kind != ACC_AVERAGE)) return false;
    *value = a->kind == ACC_DOUBLE ? a->sum : a->count > 0 ? a->sum / (double)a->count : 0;
    return true;
}
