/* test_placement.c - one attempt of a job spread over two task managers, each with a net of its own, as two worker
 * processes have it: every partitioner between vertices whose subtasks lie here and there. Every row comes as often
 * as in one process, and all tasks end; when one task manager is canceled, the other is told by its exchange. */
#include "control/jobmanager/jobmaster.h"
#include "control/taskmanager/taskmanager.h"
#include "flow/exchange/remote.h"
#include "ground/base/str.h"
#include "surface/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { VALUES = 5000, WORKERS = 2, STAGES = 2 };

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

/* How often a row came to a stage, by tasks of any thread. */
struct counts {
    struct sys_atomic_u64 seen[STAGES][VALUES];
};
static struct counts counts_here;
static struct counts *const all_counts = &counts_here;

static enum tw_status count(const void *in, void *out, int stage)
{
    *(struct number *)out = *(const struct number *)in;
    sys_atomic_add(&all_counts->seen[stage][((const struct number *)in)->value], 1);
    return TW_OK;
}

static enum tw_status count_first(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    return count(in, out, 0);
}
TW_FUNCTION(first) = {.in = &number_row, .out = &number_row, .map = count_first};

static enum tw_status count_second(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    return count(in, out, 1);
}
TW_FUNCTION(second) = {.in = &number_row, .out = &number_row, .map = count_second};

/* --- two processes in one ----------------------------------------------------------------------------------------- */
struct process {
    struct spread *spread;
    struct remote_net *net;
    struct remote_exchange *exchange;
    struct task_placement placement;
    struct taskmanager *tm;
    struct sys_atomic_u64 ended, failed_exchanges;
    struct err why;
};

struct spread {
    struct sys *sys;
    struct sys_parker *parker;
    struct tw_env *env;
    struct mem mem;
    struct arena arena;
    struct graph graph;
    struct job_shared *job;
    struct remote_worker workers[WORKERS];
    struct process processes[WORKERS];
};

static void note_news(void *arg, const struct task_news *n)
{
    struct process *p = arg;

    if (!task_has_ended(n)) return;
    sys_atomic_add(&p->ended, 1);
    sys_unpark(p->spread->sys, p->spread->parker);
}

static void note_failure(void *arg, uint32_t worker, const struct err *why)
{
    struct process *p = arg;

    (void)worker;
    err_pass_on(&p->why, why);
    sys_atomic_add(&p->failed_exchanges, 1);
    sys_unpark(p->spread->sys, p->spread->parker);
}

/* Sources in the first process, for they share an enumerator; of everything else one here and one there. */
static uint32_t worker_of(void *arg, uint32_t vertex, uint32_t subtask)
{
    const struct spread *s = arg;
    const struct graph_vertex *v = &s->graph.vertices[vertex];

    return s->graph.nodes[v->head]->type->flags & OP_SOURCE ? 0 : (vertex + subtask) % WORKERS;
}

static void build(struct spread *s, const char *how, int64_t last)
{
    struct buf bytes;

    s->env = tw_env_create();
    tw_quiet(s->env, true);
    struct tw_stream *numbers = tw_parallelism(tw_from_sequence(s->env, 0, last), 2);
    struct tw_stream *sent = strcmp(how, "hash") == 0 ? tw_key_by(numbers, "value")
                                                      : tw_partition_at(numbers, how, TW_HERE);
    struct tw_stream *counted = tw_parallelism(tw_map(sent, &first), strcmp(how, "forward") == 0 ? 2 : 3);
    tw_sink(tw_parallelism(tw_map(tw_key_by(counted, "value"), &second), 2), "out", "blackhole", TW_NO_OPTIONS);
    assert_non_null(tw_plan(s->env)); /* prepares the graph */
    buf_init(&bytes, &s->env->mem);
    graph_encode(&s->env->graph, &bytes);
    struct artifact_table functions = {s->env->first, s->env->end};
    assert_int_equal(graph_decode(&s->graph, (struct str){bytes.data, bytes.size}, NULL), S_OK);
    buf_release(&bytes);
    assert_int_equal(resolve_functions(&s->graph, &functions, NULL), S_OK);
    assert_int_equal(graph_prepare(&s->graph, NULL), S_OK);
    s->job = job_shared_create(s->sys, "spread", &s->graph.parameters);
}

static void deploy(struct spread *s, uint32_t i)
{
    struct process *p = &s->processes[i];
    struct remote_plan plan = {.job_id = "spread",
                               .workers = s->workers,
                               .worker_count = WORKERS,
                               .self = i,
                               .failed = note_failure,
                               .arg = p};
    struct taskmanager_settings settings = {
        .workers = 1, .batch_rows = 64, .ring_batches = 4, .placement = &p->placement};

    p->exchange = remote_exchange_create(p->net, &plan);
    p->placement = (struct task_placement){worker_of, s, i, p->exchange};
    p->tm = taskmanager_create(s->sys, NULL, &settings);
    assert_int_equal(taskmanager_deploy(p->tm, &s->graph, s->job, note_news, p, NULL), S_OK);
}

static void spread_begin(struct spread *s, const char *how, int64_t last)
{
    memset(all_counts, 0, sizeof *all_counts);
    *s = (struct spread){.sys = sys_linux_create_quiet()};
    s->parker = sys_parker_create(s->sys);
    mem_init(&s->mem, "test", 0);
    arena_init(&s->arena, &s->mem, 0);
    graph_init(&s->graph, &s->arena);
    build(s, how, last);
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct remote_net_plan plan = {.host = "127.0.0.1", .build = "test", .key = STR("key")};
        s->processes[i].spread = s;
        assert_int_equal(remote_net_open(s->sys, NULL, &plan, &s->processes[i].net, NULL), S_OK);
        s->workers[i] = (struct remote_worker){i == 0 ? "w0" : "w1", "127.0.0.1", remote_net_port(s->processes[i].net)};
    }
    for (uint32_t i = 0; i < WORKERS; i++) deploy(s, i);
    for (uint32_t i = 0; i < WORKERS; i++) assert_int_equal(taskmanager_start(s->processes[i].tm, NULL), S_OK);
}

static uint32_t tasks_of(const struct process *p)
{
    struct job_totals totals;

    taskmanager_totals(p->tm, &totals);
    return totals.tasks;
}

static void await_end(struct spread *s, uint32_t i)
{
    while (sys_atomic_load(&s->processes[i].ended) < tasks_of(&s->processes[i])) sys_park(s->sys, s->parker, INT64_MAX);
}

static void spread_end(struct spread *s)
{
    for (uint32_t i = 0; i < WORKERS; i++) taskmanager_join(s->processes[i].tm);
    for (uint32_t i = 0; i < WORKERS; i++) {
        taskmanager_free(s->processes[i].tm);
        remote_exchange_free(s->processes[i].exchange);
        remote_net_close(s->processes[i].net);
    }
    job_shared_free(s->job);
    arena_release(&s->arena);
    mem_release(&s->mem);
    tw_env_free(s->env);
    sys_parker_free(s->sys, s->parker);
    sys_linux_free(s->sys);
}

/* --- cases
 * -------------------------------------------------------------------------------------------------------------------
 * */
static void every_row_comes_as_often_as_in_one_process(void **state)
{
    static const char *const hows[] = {"forward", "hash", "rebalance", "rescale", "shuffle", "broadcast", "global"};

    (void)state;
    for (size_t h = 0; h < sizeof hows / sizeof hows[0]; h++) {
        uint64_t copies = strcmp(hows[h], "broadcast") == 0 ? 3 : 1;
        struct job_totals totals[WORKERS];
        struct spread s;
        spread_begin(&s, hows[h], VALUES - 1);
        for (uint32_t i = 0; i < WORKERS; i++) await_end(&s, i);
        for (uint32_t i = 0; i < WORKERS; i++) taskmanager_totals(s.processes[i].tm, &totals[i]);
        assert_int_equal(totals[0].rows_in + totals[1].rows_in, VALUES);
        assert_int_equal(totals[0].rows_out + totals[1].rows_out, VALUES * copies);
        assert_true(totals[0].tasks > 0 && totals[1].tasks > 0);
        for (int stage = 0; stage < STAGES; stage++)
            for (int v = 0; v < VALUES; v++)
                if (sys_atomic_load(&all_counts->seen[stage][v]) != copies)
                    fail_msg("%s: row %d at stage %d", hows[h], v, stage);
        for (uint32_t i = 0; i < WORKERS; i++) assert_int_equal(sys_atomic_load(&s.processes[i].failed_exchanges), 0);
        spread_end(&s);
    }
}

/* The second process gives up in the middle: the first is told, and can be canceled. */
static void an_end_that_gives_up_is_told(void **state)
{
    struct spread s;

    (void)state;
    spread_begin(&s, "rebalance", VALUES - 1);
    taskmanager_cancel(s.processes[1].tm);
    await_end(&s, 1);
    taskmanager_join(s.processes[1].tm);
    while (sys_atomic_load(&s.processes[0].failed_exchanges) == 0) sys_park(s.sys, s.parker, INT64_MAX);
    assert_non_null(strstr(s.processes[0].why.text, "worker w1 (127.0.0.1:"));
    taskmanager_cancel(s.processes[0].tm);
    await_end(&s, 0);
    spread_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_comes_as_often_as_in_one_process),
        cmocka_unit_test(an_end_that_gives_up_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
