/* worker_job.c - the tasks of a job in a worker: the graph comes as bytes, its functions from the job's library, its state from the
 * checkpoint that the job master names, and the task manager of this process runs what belongs here.
 *
 * Everything is derived anew from the same bytes and settings as in the job master's process, so both number vertices and operators alike.
 * What tasks do is told on their threads: first how much they have done, then that they have ended, so that the last number is whole. */
#include "control/cluster/worker_internal.h"

#include "control/config.h"
#include "control/jobmanager/job_setup.h"
#include "control/jobmanager/state_folder.h"
#include "control/memory.h"
#include "flow/source/alignment.h"

#include <thalweg/stream.h>

#include <string.h>

/* --- what is said ------------------------------------------------------------------------------------------------------------------ */
static const struct task_message *count_tasks(struct worker_process *w, struct mem *mem, uint32_t *count)
{
    uint32_t all = 0;

    for (uint32_t v = 0; v < w->graph.vertex_count; v++) all += w->graph.vertices[v].parallelism;
    struct task_message *tasks = mem_zalloc(mem, sizeof *tasks * (all + 1));
    *count = 0;
    for (uint32_t v = 0; v < w->graph.vertex_count; v++)
        for (uint32_t s = 0; s < w->graph.vertices[v].parallelism; s++) {
            tasks[*count] = (struct task_message){.vertex = v, .subtask = s};
            *count += taskmanager_task_now(w->tm, v, s, &tasks[*count].f);
        }
    return tasks;
}

static void count_accumulators(struct worker_process *w, struct mem *mem, struct buf *out)
{
    struct accumulators all;
    struct err e = {0};

    buf_init(out, mem);
    accumulators_init(&all, mem);
    if (job_accumulators_now(w->job, &all, &e) != S_OK) log_write(w->o.log, LOG_WARN, "worker", "accumulators: %s", e.text);
    if (all.count > 0) accumulators_encode(&all, out);
    if (out->size > MESSAGE_BYTES_MAX / 2) buf_clear(out); /* histograms without bounds; the job runs on */
    accumulators_release(&all);
}

static void say_counts(struct worker_process *w, bool is_over)
{
    struct mem mem;
    struct job_totals t;
    struct buf accumulators;
    uint32_t count = w->graph.node_count, task_count;

    mem_init(&mem, "counts", 0);
    struct operator_message *operators = mem_zalloc(&mem, sizeof *operators * (count + 1));
    const struct task_message *tasks = count_tasks(w, &mem, &task_count);
    count_accumulators(w, &mem, &accumulators);
    taskmanager_totals(w->tm, &t);
    for (uint32_t i = 0; i < count; i++) {
        struct operator_totals o;
        if (is_over) taskmanager_operator(w->tm, i, &o);
        else taskmanager_operator_now(w->tm, i, &o);
        operators[i] = (struct operator_message){o.rows_in, o.rows_out, o.state_bytes, o.bytes_out, o.busy_ns};
    }
    struct counts_message m = {t.rows_in,      t.rows_out,  t.late_dropped, t.late_refired, t.errors_skipped,
                               t.dead_letters, t.watermark, operators,      count,
                               tasks,          task_count,  {accumulators.data, accumulators.size}};
    worker_say(w, MESSAGE_COUNTS, &m);
    mem_release(&mem);
}

void job_count(struct worker_process *w)
{
    if (!w->is_started || sys_atomic_load(&w->tasks_left) == 0) return;
    say_counts(w, false);
    alignment_tell(w->job);
    job_hear_early(w);
}

void job_say_end(struct worker_process *w, const struct news_message *m)
{
    say_counts(w, sys_atomic_add(&w->tasks_left, (uint64_t)-1) == 1);
    worker_say(w, MESSAGE_NEWS, m);
}

static void on_news(void *arg, const struct task_news *n)
{
    struct worker_process *w = arg;
    struct news_message m = {.vertex = n->vertex, .subtask = n->subtask, .state = n->state, .status = n->status};

    if (n->err != NULL) m.err = *n->err;
    if (n->status < 0 && m.err.status == S_OK) err_set(&m.err, n->status, "%s", status_text(n->status));
    if (n->status == S_END && job_gives_rows_of(w, n->vertex)) worker_note(w, MESSAGE_NEWS, &m);
    else if (task_has_ended(n)) job_say_end(w, &m);
    else worker_say(w, MESSAGE_NEWS, &m);
}

/* --- deploying ----------------------------------------------------------------------------------------------------------------------- */
static enum status find_functions(struct worker_process *w, struct artifact_table *out, struct err *e)
{
    const struct tw_plugin *plugin;

    *out = w->o.functions;
    if (w->args.library == NULL) return S_OK;
    TRY(sys_library_open(w->args.library, &w->library, e));
    plugin = sys_library_symbol(w->library, "tw_plugin");
    if (plugin == NULL) return err_set(e, E_CONFIG, "'%s' holds no job: it has no TW_JOB", w->args.library);
    *out = (struct artifact_table){plugin->first, plugin->end};
    return S_OK;
}

static enum status prepare(struct worker_process *w, const struct deploy_message *m, struct err *e)
{
    struct artifact_table functions;

    TRY(graph_decode(&w->graph, m->graph, e));
    if (w->o.users != NULL) w->graph.users = w->o.users(w->o.users_arg);
    TRY(find_functions(w, &functions, e));
    TRY(resolve_functions(&w->graph, &functions, e));
    TRY(job_setup_settings(&w->graph, &w->settings, e));
    TRY(graph_prepare(&w->graph, e));
    job_setup_disk(w->o.sys, &w->graph, NULL, &w->settings); /* several workers may share a machine */
    graph_memory_share(&w->graph, memory_of_process(&w->graph.settings, w->o.sys), (int64_t)w->settings.state_bytes_max);
    return job_setup_shared(w->o.sys, &w->graph, 0, m->job_id, &w->job, e);
}

static enum status restore(struct worker_process *w, const struct deploy_message *m, struct err *e)
{
    struct snapshot_reader *reader;

    TRY(snapshot_reader_open(w->o.sys, m->restore_uri, &reader, e));
    TRY(restore_plan_create(reader, &w->graph, m->allows_unclaimed, &w->restore, e));
    if (restore_plan_digest(w->restore) != m->restore_digest)
        return err_set(e, E_DATA, "'%s' is not the checkpoint that the job master means: this process reads other metadata",
                       m->restore_uri);
    TRY(restore_plan_read(w->restore, e));
    w->settings.restores = restore_plan_task;
    w->settings.restores_arg = w->restore;
    return S_OK;
}

static enum status make_chunks(struct worker_process *w, const struct deploy_message *m, struct err *e)
{
    struct worker_chunks_options o = {
        .sys = w->o.sys,
        .uri = arena_strdup(&w->arena, m->checkpoints_uri),
        .inline_max = (uint64_t)options_int(&w->graph.settings, config_defs, "execution.checkpointing.data-inline-threshold"),
        .say = worker_say,
        .arg = w};

    TRY(worker_chunks_create(&o, &w->chunks, e));
    w->settings.snapshots = worker_chunks_port(w->chunks);
    return S_OK;
}

static enum status deploy(struct worker_process *w, const struct deploy_message *m, struct err *e)
{
    struct job_totals t;

    if (w->tm != NULL) return err_set(e, E_DATA, "a worker runs the tasks of one attempt");
    TRY(prepare(w, m, e));
    if (m->restore_uri != NULL) TRY(restore(w, m, e));
    if (m->checkpoints_uri != NULL) TRY(make_chunks(w, m, e));
    TRY(job_spread(w, m, e));
    w->settings.attempt = (uint32_t)m->attempt;
    w->settings.times_hooks = m->times_hooks;
    w->settings.counts_bytes = true;
    w->settings.slots = 0; /* who dealt them out has counted */
    w->tm = taskmanager_create(w->o.sys, w->o.log, &w->settings);
    job_rows_begin(w);
    TRY(taskmanager_deploy(w->tm, &w->graph, w->job, on_news, w, e));
    taskmanager_totals(w->tm, &t);
    sys_atomic_store(&w->tasks_left, t.tasks);
    sys_atomic_store(&w->is_deployed, 1);
    return S_OK;
}

void job_deploy(struct worker_process *w, const struct deploy_message *m)
{
    struct deployed_message answer = {{0}};
    enum status st = deploy(w, m, &answer.err);

    ASSERT(st == S_OK || answer.err.status != S_OK);
    worker_say(w, MESSAGE_DEPLOYED, &answer);
}

/* --- orders -------------------------------------------------------------------------------------------------------------------------- */
/* The job cannot go on here; the end of the process says so. */
static void start(struct worker_process *w)
{
    struct err e = {0};

    w->is_started = true;
    if (taskmanager_start(w->tm, &e) == S_OK) return;
    log_write(w->o.log, LOG_ERROR, "worker", "%s", e.text);
    sys_process_end(1);
}

static void begin_checkpoint(struct worker_process *w, const struct order_message *m)
{
    struct heard_message heard = {m->checkpoint};

    job_hear_early(w); /* what a subtask elsewhere left is part of the checkpoint */
    if (w->chunks == NULL) return;
    if (w->drain_heard != m->checkpoint) worker_chunks_begin(w->chunks, m->checkpoint, m->folder);
    if (m->verb == ORDER_TRIGGER) {
        taskmanager_trigger(w->tm, m->checkpoint);
    } else if (m->verb == ORDER_HEAR) {
        w->drain_heard = m->checkpoint;
        taskmanager_announce_drain(w->tm, m->checkpoint);
        worker_say(w, MESSAGE_HEARD, &heard);
    } else {
        taskmanager_stop(w->tm, m->checkpoint, m->verb == ORDER_DRAIN);
    }
}

void job_obey(struct worker_process *w, const struct order_message *m)
{
    if (sys_atomic_load(&w->is_deployed) == 0) return;
    switch ((enum order_verb)m->verb) {
    case ORDER_START:
        if (!w->is_started) start(w);
        break;
    case ORDER_TRIGGER:
    case ORDER_STOP:
    case ORDER_DRAIN:
    case ORDER_HEAR: begin_checkpoint(w, m); break;
    case ORDER_COMPLETE: taskmanager_complete(w->tm, m->checkpoint); break;
    case ORDER_CANCEL:
        taskmanager_cancel(w->tm);
        job_rows_drop(w);
        break;
    case ORDER_END:
    case ORDER_VERBS: break;
    }
}

void job_end(struct worker_process *w)
{
    if (w->tm != NULL && w->is_started) taskmanager_join(w->tm);
    taskmanager_free(w->tm);
    remote_exchange_free(w->exchange);
    state_folder_clear(w->settings.disk.kv.path, w->o.sys, &w->mem);
    restore_plan_free(w->restore);
    worker_chunks_free(w->chunks);
    job_shared_free(w->job);
    sys_library_close(w->library);
}
