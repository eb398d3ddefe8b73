/* execute.c - tw_execute: the graph goes to bytes, its memory is released, and a job master in this process runs what the
 * bytes say. So nothing but the bytes and the program's table of functions reaches the job, which is what a cluster gets.
 *
 * The program's digest is part of the graph's identity; it is read from the program's file once per environment. */
#include "surface/api/api_internal.h"
#include "surface/api/table_internal.h"

#include <string.h>

enum { PROGRAM_BYTES_MAX = 1024 * 1024 * 1024 };

/* The digest stays zero when the file cannot be read: an embedded job does without. */
static void read_artifact(struct tw_env *env)
{
    struct sys_file *f = NULL;
    struct sys_stat st;
    struct mem mem;
    size_t got = 1, size = 0;

    env->artifact_is_read = true;
    if (env->artifact == NULL || sys_file_stat(env->sys, env->artifact, &st, NULL) != S_OK || st.size <= 0 ||
        st.size > PROGRAM_BYTES_MAX)
        return;
    if (sys_file_open(env->sys, env->artifact, SYS_READ, &f, NULL) != S_OK) return;
    mem_init(&mem, "program", 0);
    char *bytes = mem_pages(&mem, (size_t)st.size);
    while (got > 0 && size < (size_t)st.size)
        if (sys_file_read(env->sys, f, bytes + size, (size_t)st.size - size, &got, NULL) != S_OK) break;
        else size += got;
    if (size == (size_t)st.size) sha256_of(bytes, size, &env->artifact_digest);
    sys_file_close(env->sys, f);
    mem_release(&mem);
}

static void digest_artifact(struct tw_env *env)
{
    if (!env->artifact_is_read) read_artifact(env);
    env->graph.artifact.name = env->artifact != NULL ? api_text(env, env->artifact) : "";
    env->graph.artifact.digest = env->artifact_digest;
}

static void print_error(struct tw_env *env)
{
    const struct err *e = &env->err;

    if (env->logging.file != NULL)
        log_write(&env->logging.log, LOG_ERROR, "job", "%s%s%s", e->text, e->hint[0] != '\0' ? "; " : "", e->hint);
    if (!env->is_quiet) api_say_error(env->sys, NULL, e);
}

static void on_tick(void *arg, const struct job_totals *totals)
{
    struct tw_env *env = arg;

    env->watch.tick(env->watch.arg, jobmaster_graph(env->jobmaster)->job_name, totals);
}

/* Warnings are for who looks at this process: not when the program asked for silence, nor in the simulation, whose world
 * has no such reader. A file is always written. */
static bool has_log(const struct tw_env *env)
{
    return env->logging.file != NULL || (!env->is_quiet && env->drive == NULL);
}

/* A callback holds its thread and does not give it back: neither the job nor tw_execute can come to an end. */
static void on_stuck(void *arg, const struct err *why)
{
    struct tw_env *env = arg;

    env->err = *why;
    err_wrap(&env->err, "job '%s'", jobmaster_graph(env->jobmaster)->job_name);
    print_error(env);
    sys_process_end(1);
}

void api_world_start(struct tw_env *env)
{
    if (env->sys == NULL) {
        env->sys = sys_linux_create_quiet();
        env->owns_sys = true;
    }
    if (env->lock == NULL) env->lock = sys_lock_create(env->sys);
}

static void make_jobmaster(struct tw_env *env)
{
    struct jobmaster_options o = {.sys = env->sys,
                                  .log = has_log(env) ? &env->logging.log : NULL,
                                  .functions = {env->first, env->end},
                                  .users = env->tables != NULL ? sql_session_users(env->tables->session) : NULL,
                                  .takes_signals = env->takes_signals,
                                  .cancelled = &env->cancelled,
                                  .rows = api_receive,
                                  .rows_arg = env,
                                  .row_queues = env->row_queues,
                                  .task_moved = env->listener_count > 0 ? api_tell_task : NULL,
                                  .task_moved_arg = env,
                                  .tick = env->watch.tick != NULL ? on_tick : NULL,
                                  .tick_arg = env,
                                  .tick_ms = env->watch.tick_ms,
                                  .stuck = on_stuck,
                                  .stuck_arg = env,
                                  .say = api_say_line,
                                  .say_arg = env,
                                  .drive = env->drive,
                                  .drive_arg = env->drive_arg};

    env->jobmaster = jobmaster_create(&o);
}

/* Flink refuses a topology without operators too; one without a sink may have functions that do something. */
static enum status check_not_only_sources(struct tw_env *env)
{
    const struct graph_node *first = env->graph.nodes[0];

    if (env->graph.edge_count > 0) return S_OK;
    err_set(&env->err, E_GRAPH, "nothing reads '%s': the job has sources only", first->name);
    err_hint(&env->err, "end it with a sink, for example tw_print");
    return graph_at(first->here, &env->err);
}

/* Bytes of the graph; the graph itself is gone afterwards. */
static enum status encode_and_forget(struct tw_env *env, const char *job_name, struct buf *bytes)
{
    enum status st = api_graph_prepare(env, job_name);

    if (st == S_OK) st = check_not_only_sources(env);
    if (st == S_OK) {
        env->job_name = arena_strdup(&env->arena, env->graph.job_name);
        digest_artifact(env);
        graph_encode(&env->graph, bytes);
        if (bytes->size > GRAPH_BYTES_MAX)
            st = err_set(&env->err, E_GRAPH, "the job is too large: %zu bytes as a graph, at most %d", bytes->size,
                         GRAPH_BYTES_MAX);
    }
    uint32_t receivers = env->receiver_count;
    api_graph_clear(env);
    env->receiver_count = receivers; /* rows are still to come for them */
    return st;
}

static void keep_result(struct tw_env *env)
{
    const struct job_totals *t = jobmaster_totals(env->jobmaster);

    env->signal = jobmaster_signal(env->jobmaster);
    env->has_result = true;
    env->result = (struct tw_result){.job_name = arena_strdup(&env->arena, jobmaster_graph(env->jobmaster)->job_name),
                                     .status = job_status_name(jobmaster_status(env->jobmaster)),
                                     .rows_in = t->rows_in,
                                     .rows_out = t->rows_out,
                                     .late_dropped = t->late_dropped,
                                     .late_refired = t->late_refired,
                                     .seconds = (double)jobmaster_run_ns(env->jobmaster) / 1e9,
                                     .job_id = arena_strdup(&env->arena, jobmaster_job_id(env->jobmaster))};
}

/* What became of the job, as the program is told. */
static enum status outcome_of(struct tw_env *env, enum status st)
{
    if (st == E_CANCELED) {
        err_clear(&env->err);
        return err_set(&env->err, E_CANCELED, "job '%s' was canceled", env->result.job_name);
    }
    if (st != S_OK) err_wrap(&env->err, "job '%s' failed", env->result.job_name);
    return st;
}

static enum status run(struct tw_env *env, struct str bytes)
{
    enum status st = jobmaster_submit(env->jobmaster, bytes, &env->err);

    api_tell_submitted(env, st);
    if (st != S_OK) return st;
    api_show(env, env->jobmaster);
    st = jobmaster_run(env->jobmaster, &env->err);
    keep_result(env);
    struct api_outcome outcome = {&env->result, jobmaster_totals(env->jobmaster),
                                  jobmaster_accumulators(env->jobmaster), jobmaster_metrics(env->jobmaster)};
    if (env->watch.ended != NULL) env->watch.ended(env->watch.arg, &outcome);
    st = outcome_of(env, st);
    api_tell_executed(env, st);
    return st;
}

/* --plan: the graph is prepared as for a run, so its mistakes are told, and goes to standard output. */
static enum status print_plan(struct tw_env *env, const char *job_name, struct buf *text)
{
    struct sys_file *out;

    enum status st = api_graph_prepare(env, job_name);
    if (st == S_OK && env->plan == API_PLAN_JSON) graph_plan_json(&env->graph, text);
    else if (st == S_OK) graph_plan_text(&env->graph, text);
    api_graph_clear(env);
    if (st == S_OK) st = sys_file_standard(env->sys, 1, &out, &env->err);
    if (st != S_OK) return st;
    st = sys_file_write(env->sys, out, text->data, text->size, &env->err);
    sys_file_close(env->sys, out);
    return st;
}

/* --- here and now, or in the background ---------------------------------------------------------------------------------- */
/* The calling thread encodes, so that mistakes of the graph are told at once; from then on the environment belongs to
 * whoever runs the job, until tw_wait. */
struct api_background {
    struct sys_thread *thread;
    struct buf bytes;
    struct sys_atomic_u64 is_over;
    struct err why; /* a copy: when it is over, env->err is no longer this thread's */
    int answer;
};

static int job_over(struct tw_env *env, enum status st)
{
    api_receivers_release(env);
    env->is_err_old = true;
    if (st == E_CANCELED && api_rows_job_unwanted(env)) {
        err_clear(&env->err); /* that was wanted */
        return 0;
    }
    if (st != S_OK) print_error(env);
    return st == S_OK ? 0 : 1;
}

/* What its tasks count and measure stays there. */
static enum status run_elsewhere(struct tw_env *env, const struct buf *bytes)
{
    struct remote_rows rows;
    struct api_remote_job job = {.name = env->job_name,
                                 .artifact = env->first != env->end ? env->artifact : NULL,
                                 .graph = {bytes->data, bytes->size},
                                 .rows = env->receiver_count > 0 ? &rows : NULL,
                                 .cancelled = &env->cancelled};
    struct api_remote_outcome outcome = {.status = "FAILED", .job_id = ""};

    api_receivers_remote(env, &rows);
    enum status st = env->remote.run(env->remote.arg, &job, &outcome, &env->err);
    env->signal = outcome.signal;
    env->has_result = outcome.job_id[0] != '\0';
    env->result = (struct tw_result){.job_name = arena_strdup(&env->arena, env->job_name),
                                     .status = arena_strdup(&env->arena, outcome.status),
                                     .seconds = outcome.seconds,
                                     .job_id = arena_strdup(&env->arena, outcome.job_id)};
    return st;
}

static enum status run_bytes(struct tw_env *env, const struct buf *bytes)
{
    struct options o = config_options(&env->config);

    if (env->remote.run != NULL) return run_elsewhere(env, bytes);

    api_show(env, NULL);
    jobmaster_free(env->jobmaster);
    env->jobmaster = NULL;
    logging_close(&env->logging);
    TRY(logging_open(&env->logging, env->sys, &o, &env->err));
    make_jobmaster(env);
    return run(env, (struct str){bytes->data, bytes->size});
}

/* A job in the background has not ended: that is told here and now. */
static bool is_refused(struct tw_env *env)
{
    if (!api_refuses(env, (struct tw_here){NULL, 0})) return false;
    if (!env->is_quiet) api_say_error(env->sys, NULL, &env->refusal);
    env->is_refusal_told = true;
    return true;
}

/* On this thread; nobody can take rows meanwhile. */
static int execute_here(struct tw_env *env, const char *job_name)
{
    struct buf bytes;
    enum status st;

    api_world_start(env);
    buf_init(&bytes, &env->mem);
    if (env->plan != API_PLAN_NONE) {
        st = print_plan(env, job_name, &bytes);
    } else {
        st = encode_and_forget(env, job_name, &bytes);
        if (st == S_OK) api_rows_start(env); /* they were closed */
        if (st == S_OK) st = run_bytes(env, &bytes);
    }
    buf_release(&bytes);
    api_rows_not_started(env, st);
    int answer = job_over(env, st);
    sys_atomic_store(&env->cancelled, 0);
    return answer;
}

int tw_execute(struct tw_env *env, const char *job_name)
{
    if (is_refused(env)) return 1;
    (void)api_begin(env, (struct tw_here){NULL, 0}); /* an earlier job, and its rows, are over */
    if (env->plan == API_PLAN_NONE) api_rows_refuse(env);
    return execute_here(env, job_name);
}

static void background_main(void *arg)
{
    struct tw_env *env = arg;
    struct api_background *b = env->background;

    enum status st = run_bytes(env, &b->bytes);
    b->why = env->err; /* other results are told why they end early, even when somebody wanted it */
    b->answer = job_over(env, st);
    sys_atomic_store(&b->is_over, 1); /* before the end of the rows: who has seen that may build */
    api_wake_askers(env);
    if (env->row_queues != NULL) row_queues_over(env->row_queues, st, &b->why);
}

int tw_execute_async(struct tw_env *env, const char *job_name)
{
    struct api_background *b;
    enum status st;

    if (is_refused(env)) return 1;
    (void)api_begin(env, (struct tw_here){NULL, 0}); /* waits for a job that was told to end */
    if (env->plan != API_PLAN_NONE || env->drive != NULL) return execute_here(env, job_name); /* a simulation has one thread */
    api_world_start(env);
    b = mem_zalloc(&env->mem, sizeof *b);
    buf_init(&b->bytes, &env->mem);
    if (env->refused == NULL) env->refused = api_broken(env);
    if (env->refused_rows == NULL) env->refused_rows = api_rows_refused(env);
    if (env->refused_parameters == NULL) env->refused_parameters = api_parameters_new(env);
    st = encode_and_forget(env, job_name, &b->bytes);
    env->background = b;
    api_show(env, NULL);
    if (st == S_OK) api_rows_start(env);
    if (st == S_OK) st = sys_thread_start(env->sys, "job", background_main, env, &b->thread, &env->err);
    if (st == S_OK) return 0;
    env->background = NULL;
    buf_release(&b->bytes);
    mem_free(&env->mem, b);
    sys_atomic_store(&env->cancelled, 0);
    api_rows_not_started(env, st);
    return job_over(env, st);
}

int tw_wait(struct tw_env *env)
{
    struct api_background *b = env->background;
    int answer;

    if (b != NULL) {
        if (sys_atomic_load(&env->cancelled) == 0) api_rows_close(env); /* else what is full keeps the job from running on */
        sys_thread_join(env->sys, b->thread);
        env->background = NULL;
        sys_atomic_store(&env->cancelled, 0);
        answer = b->answer;
        buf_release(&b->bytes);
        mem_free(&env->mem, b);
        api_rows_release(env);
    } else {
        answer = env->has_result && strcmp(env->result.status, "FINISHED") == 0 ? 0 : 1;
    }
    return answer;
}

bool api_is_running(struct tw_env *env)
{
    return env->background != NULL && sys_atomic_load(&env->background->is_over) == 0;
}

const char *tw_job_status(struct tw_env *env)
{
    if (api_is_running(env)) return "RUNNING";
    return env->has_result ? env->result.status : "";
}
