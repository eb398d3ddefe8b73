/* savepoint.c - tw_savepoint, tw_stop_with_savepoint, tw_checkpoint, tw_rescale_job: ask the job master of the job in the background, and say where what was
 * made lies or why there is none. The answer goes into memory of the caller, since the error of the environment is the job's.
 *
 * A job that was started a moment ago is not known to other threads yet: who asks for it waits until it is, or until it is over. */
#include "control/jobmanager/rescale.h"
#include "surface/api/api_internal.h"

#include <stdio.h>

void api_show(struct tw_env *env, struct jobmaster *jm)
{
    sys_lock_take(env->lock);
    env->shown = jm;
    sys_lock_give(env->lock);
    if (jm != NULL) api_wake_askers(env);
}

void api_wake_askers(struct tw_env *env)
{
    sys_lock_take(env->lock);
    for (struct api_asker *a = env->askers; a != NULL; a = a->next) sys_unpark(env->sys, a->parker);
    sys_lock_give(env->lock);
}

static void take_out(struct tw_env *env, struct api_asker *me)
{
    struct api_asker **at = &env->askers;

    sys_lock_take(env->lock);
    while (*at != me) at = &(*at)->next;
    *at = me->next;
    sys_lock_give(env->lock);
}

/* NULL: no job runs. */
static struct jobmaster *wait_for_job(struct tw_env *env)
{
    struct api_asker me = {.parker = sys_parker_create(env->sys)};
    struct jobmaster *jm;

    sys_lock_take(env->lock);
    me.next = env->askers;
    env->askers = &me;
    sys_lock_give(env->lock);
    for (;;) {
        bool may_come = api_is_running(env);
        sys_lock_take(env->lock);
        jm = env->shown;
        sys_lock_give(env->lock);
        if (jm != NULL || !may_come) break;
        sys_park(env->sys, me.parker, INT64_MAX);
    }
    take_out(env, &me);
    sys_parker_free(env->sys, me.parker);
    return jm;
}

static int ask(struct tw_env *env, const struct snapshot_ask *a, char *text, size_t size)
{
    struct snapshot_progress p;
    struct err e = {0};

    ASSERT(text != NULL && size > 0);
    struct jobmaster *jm = env->lock != NULL ? wait_for_job(env) : NULL;
    if (jm == NULL) err_set(&e, E_CANCELED, "no job runs");
    enum status st = jm != NULL ? jobmaster_snapshot(jm, a, &p, &e) : E_CANCELED;
    if (st == S_OK)
        snprintf(text, size, "%s", p.folder);
    else
        snprintf(text, size, "%s%s%s", e.text, e.hint[0] != '\0' ? "; " : "", e.hint);
    return st == S_OK ? 0 : 1;
}

int tw_savepoint(struct tw_env *env, const char *folder, char *text, size_t size)
{
    return ask(env, &(struct snapshot_ask){WISH_SAVEPOINT, folder}, text, size);
}

int tw_stop_with_savepoint(struct tw_env *env, const char *folder, bool drain, char *text, size_t size)
{
    return ask(env, &(struct snapshot_ask){drain ? WISH_DRAIN : WISH_STOP, folder}, text, size);
}

int tw_checkpoint(struct tw_env *env, char *text, size_t size)
{
    return ask(env, &(struct snapshot_ask){WISH_CHECKPOINT, NULL}, text, size);
}

int tw_rescale_job(struct tw_env *env, uint32_t parallelism, const char *vertex, char *text, size_t size)
{
    struct rescale_ask a = {.parallelism = parallelism, .vertex = vertex};
    struct rescale_progress p;
    struct err e = {0};
    enum status st = E_CANCELED;

    ASSERT(text != NULL && size > 0);
    struct jobmaster *jm = env->lock != NULL ? wait_for_job(env) : NULL;
    if (jm == NULL) err_set(&e, E_CANCELED, "no job runs");
    else if (parallelism == 0) err_set(&e, E_CONFIG, "a parallelism is at least 1");
    else st = jobmaster_rescale_now(jm, &a, &p, &e);
    if (st != S_OK) snprintf(text, size, "%s%s%s", e.text, e.hint[0] != '\0' ? "; " : "", e.hint);
    else if (p.checkpoint == 0) snprintf(text, size, "it runs with that parallelism already");
    else snprintf(text, size, "paused for %lld ms", (long long)p.pause_ms);
    return st == S_OK ? 0 : 1;
}
