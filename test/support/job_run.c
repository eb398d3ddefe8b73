/* job_run.c - what tw_execute does, with every part in the test's hand. */
#include "support/job_run.h"

#include "surface/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void submit_and_run(struct job_run *r, struct tw_env *env, struct sys *sys, struct str bytes)
{
    struct jobmaster *jm = jobmaster_create(&(struct jobmaster_options){.sys = sys,
                                                                        .log = r->log,
                                                                        .functions = {env->first, env->end},
                                                                        .takes_signals = r->takes_signals,
                                                                        .say = r->say,
                                                                        .say_arg = r->say_arg,
                                                                        .drive = r->drive,
                                                                        .drive_arg = r->drive_arg});

    r->status = jobmaster_submit(jm, bytes, &r->err);
    if (r->status == S_OK) r->status = jobmaster_run(jm, &r->err);
    r->end = jobmaster_status(jm);
    r->signal = jobmaster_signal(jm);
    r->totals = *jobmaster_totals(jm);
    r->failure_count = 0;
    while (r->failure_count < JOB_FAILURES_KEPT && jobmaster_failure(jm, r->failure_count, &r->failures[r->failure_count]))
        r->failure_count++;
    if (!jobmaster_checkpoint(jm, 0, &r->last_checkpoint)) r->last_checkpoint.id = 0;
    jobmaster_free(jm);
}

void job_run(struct job_run *r)
{
    struct sys *sys = r->sys ? r->sys : sys_linux_create_quiet();
    struct tw_env *env = tw_env_create();
    struct buf bytes;

    memset(&r->err, 0, sizeof r->err);
    tw_set(env, "thalweg.exec.workers", "2");
    tw_set_parallelism(env, r->parallelism);
    r->build(env, r->arg);
    buf_init(&bytes, &env->mem);
    assert_non_null(tw_plan(env)); /* prepares the graph */
    graph_encode(&env->graph, &bytes);
    submit_and_run(r, env, sys, (struct str){bytes.data, bytes.size});
    buf_release(&bytes);
    tw_env_free(env);
    if (r->sys == NULL) sys_linux_free(sys);
}
