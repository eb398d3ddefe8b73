/* metrics.c - what the functions of the latest job counted and measured, and where its tasks stand, as the program reads it.
 *
 * The idea: a job is shown from its submission until the next one begins. Who asks holds the environment's lock meanwhile,
 * so any thread may, while the job runs and afterwards; the lock is never held while waiting. */
#include "surface/api/api_internal.h"

#include "flow/task/metrics.h"

#include <string.h>

_Static_assert((int)TW_COUNTER == METRIC_COUNTER && (int)TW_GAUGE == METRIC_GAUGE && (int)TW_METER == METRIC_METER &&
                   (int)TW_HISTOGRAM == METRIC_HISTOGRAM,
               "kinds are handed on as they are");

_Static_assert((int)TW_TASK_CREATED == EXECUTION_CREATED && (int)TW_TASK_INITIALIZING == EXECUTION_INITIALIZING &&
                   (int)TW_TASK_CANCELING == EXECUTION_CANCELING && (int)TW_TASK_FAILED == EXECUTION_FAILED &&
                   (int)TW_TASK_RECONCILING == EXECUTION_RECONCILING && (int)TW_TASK_STATES == EXECUTION_STATE_COUNT,
               "states are handed on as they are");

/* The job that is shown, or NULL; then nothing is locked. */
static struct jobmaster *shown_take(struct tw_env *env)
{
    if (env->lock == NULL) return NULL;
    sys_lock_take(env->lock);
    struct jobmaster *shown = env->shown; /* once given, the lock holds nobody back from showing another */
    if (shown == NULL) sys_lock_give(env->lock);
    return shown;
}

/* --- accumulators --------------------------------------------------------------------------------------------------- */
/* As it stands, in `copy`, which is the caller's to release; NULL when there is none. */
static const struct accumulator *find_accumulator(struct tw_env *env, const char *name, struct mem *mem,
                                                  struct accumulators *copy)
{
    struct err e = {0};

    mem_init(mem, "accumulator", 0);
    accumulators_init(copy, mem);
    struct jobmaster *jm = name != NULL ? shown_take(env) : NULL;
    if (jm == NULL) return NULL;
    enum status st = jobmaster_accumulator(jm, name, copy, &e);
    sys_lock_give(env->lock);
    return st == S_OK ? accumulators_find(copy, name) : NULL;
}

bool tw_accumulator_long(struct tw_env *env, const char *name, int64_t *value)
{
    struct mem mem;
    struct accumulators copy;
    bool is_there = api_accumulator_long(find_accumulator(env, name, &mem, &copy), value);

    mem_release(&mem);
    return is_there;
}

bool tw_accumulator_double(struct tw_env *env, const char *name, double *value)
{
    struct mem mem;
    struct accumulators copy;
    bool is_there = api_accumulator_double(find_accumulator(env, name, &mem, &copy), value);

    mem_release(&mem);
    return is_there;
}

bool tw_accumulator_histogram(struct tw_env *env, const char *name, uint32_t index, int32_t *value, int64_t *count)
{
    struct mem mem;
    struct accumulators copy;
    bool is_there = api_accumulator_histogram(find_accumulator(env, name, &mem, &copy), index, value, count);

    mem_release(&mem);
    return is_there;
}

/* --- metrics ---------------------------------------------------------------------------------------------------------- */
_Static_assert(sizeof(struct tw_metric_variable) == sizeof(struct option) &&
                   offsetof(struct tw_metric_variable, key) == offsetof(struct option, key) &&
                   offsetof(struct tw_metric_variable, value) == offsetof(struct option, value) &&
                   (int)TW_METRIC_NAME_SIZE == METRIC_NAME_MAX + 1,
               "variables and names are handed on as they are");

static void value_of(const struct metric_view *v, struct tw_metric_value *out)
{
    *out = (struct tw_metric_value){.operator_name = v->operator_name,
                                    .subtask = v->subtask,
                                    .kind = (enum tw_metric_kind)v->kind,
                                    .count = v->count,
                                    .value = v->value,
                                    .values = v->values,
                                    .min = v->min,
                                    .max = v->max,
                                    .mean = v->mean,
                                    .stddev = v->stddev,
                                    .p50 = v->p50,
                                    .p75 = v->p75,
                                    .p95 = v->p95,
                                    .p98 = v->p98,
                                    .p99 = v->p99,
                                    .p999 = v->p999,
                                    .variables = (const struct tw_metric_variable *)(const void *)v->variables,
                                    .variable_count = v->variable_count};
    memcpy(out->name, v->name, sizeof out->name);
}

bool tw_job_metric(struct tw_env *env, uint32_t index, struct tw_metric_value *out)
{
    struct jobmaster *jm = shown_take(env);
    struct metric_view v;

    if (jm == NULL) return false;
    bool is_there = metrics_view(jobmaster_metrics(jm), index, &v);
    sys_lock_give(env->lock);
    if (is_there) value_of(&v, out);
    return is_there;
}

bool tw_find_metric(struct tw_env *env, const char *operator_name, uint32_t subtask, const char *name,
                    struct tw_metric_value *out)
{
    struct metric_view v;

    if (operator_name == NULL || name == NULL) return false;
    struct jobmaster *jm = shown_take(env);
    if (jm == NULL) return false;
    bool is_there = metrics_find(jobmaster_metrics(jm), operator_name, subtask, name, &v);
    sys_lock_give(env->lock);
    if (is_there) value_of(&v, out);
    return is_there;
}

const char *tw_find_variable(const struct tw_metric_value *m, const char *key)
{
    for (uint32_t i = 0; key != NULL && i < m->variable_count; i++)
        if (strcmp(m->variables[i].key, key) == 0) return m->variables[i].value;
    return NULL;
}

/* --- tasks ------------------------------------------------------------------------------------------------------------ */
const char *tw_task_state_name(enum tw_task_state state)
{
    return (unsigned)state < TW_TASK_STATES ? execution_state_name((enum execution_state)state) : "";
}

struct tw_task api_task_of(const struct execution *x)
{
    struct tw_task task = {.name = x->vertex_name,
                           .vertex = x->vertex,
                           .subtask = x->subtask,
                           .parallelism = x->parallelism,
                           .attempt = x->attempt,
                           .slot = x->slot,
                           .state = (enum tw_task_state)x->state};

    for (int s = 0; s < TW_TASK_STATES; s++) task.since_ms[s] = x->since_ms[s];
    return task;
}

bool tw_job_task(struct tw_env *env, uint32_t index, struct tw_task *out)
{
    struct jobmaster *jm = shown_take(env);
    struct execution x;

    if (jm == NULL) return false;
    bool is_there = executions_view(jobmaster_executions(jm), index, &x);
    sys_lock_give(env->lock);
    if (is_there) *out = api_task_of(&x);
    return is_there;
}
