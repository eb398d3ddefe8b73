/* listener.c - those who are told when a job of the environment was submitted, how its tasks move, and when it was executed.
 *
 * The idea: as Flink does it. Mistakes of the graph are told to nobody, for nothing was submitted; a submission that fails
 * is told by `submitted` alone; `executed` belongs to tw_execute, which waits, not to tw_execute_async.
 *
 * Invariants: listeners are called in the order in which they were registered, on the thread that runs the job. */
#include "surface/api/api_internal.h"

void tw_register_job_listener_at(struct tw_env *env, struct tw_job_listener l, struct tw_here h)
{
    if (!api_begin(env, h)) return;
    if (l.submitted == NULL && l.executed == NULL && l.task_moved == NULL)
        (void)api_mistake(env, h, "a job listener needs .submitted, .executed or .task_moved");
    else if (env->listener_count == API_LISTENERS_MAX)
        (void)api_mistake(env, h, "an environment has at most %d job listeners", API_LISTENERS_MAX);
    else
        env->listeners[env->listener_count++] = l;
}

void tw_clear_job_listeners(struct tw_env *env)
{
    if (api_begin(env, (struct tw_here){NULL, 0})) env->listener_count = 0;
}

void api_tell_submitted(struct tw_env *env, enum status st)
{
    const char *name = jobmaster_graph(env->jobmaster)->job_name;

    for (uint32_t i = 0; i < env->listener_count; i++) {
        const struct tw_job_listener *l = &env->listeners[i];
        if (l->submitted == NULL) continue;
        l->submitted(l->arg, jobmaster_job_id(env->jobmaster), name != NULL ? name : "", st != S_OK ? tw_error(env) : NULL);
    }
}

void api_tell_executed(struct tw_env *env, enum status st)
{
    if (env->background != NULL) return;
    for (uint32_t i = 0; i < env->listener_count; i++) {
        const struct tw_job_listener *l = &env->listeners[i];
        if (l->executed != NULL) l->executed(l->arg, &env->result, st != S_OK ? tw_error(env) : NULL);
    }
}

void api_tell_task(void *arg, const struct execution *x, enum execution_state from)
{
    struct tw_env *env = arg;
    struct tw_task task = api_task_of(x);

    for (uint32_t i = 0; i < env->listener_count; i++) {
        const struct tw_job_listener *l = &env->listeners[i];
        if (l->task_moved != NULL) l->task_moved(l->arg, &task, (enum tw_task_state)from);
    }
}
