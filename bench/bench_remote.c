/* bench_remote.c - the exchange between two processes over loopback: rows of four BIGINTs, hashed over two receivers
 * that are both in the other process. This process scatters, encodes and sends, its child receives, decodes and adds
 * up one column: a core for each. And how long a single row takes there and back when both ends sleep in between. */
#include "bench.h"

#include "flow/exchange/remote.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECEIVERS = 2, COLUMNS = 4, SHELLS = 8, ROWS_AT_ONCE = BATCH_ROWS };
#define WAIT_NS INT64_C(60000000000)

/* One process's end. Worker 0 sends on channels 0.., the first of which comes back for the round trips. */
struct end {
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    const struct type *schema;
    struct remote_net *net;
    struct remote_worker workers[2];
    struct remote_exchange *exchange;
    struct sys_parker *parker;
    struct gate_budget budgets[RECEIVERS];
    struct channel *there[RECEIVERS], *back; /* back: worker 1 sends */
};

static void failed(void *arg, uint32_t worker, const struct err *why)
{
    (void)arg, (void)worker;
    bench_fail("%s", why->text);
}

static struct channel *make_channel(struct end *x, uint32_t self, uint32_t from_worker, uint32_t number,
                                    struct gate_budget *budget)
{
    bool sends = self == from_worker;
    struct channel *c = channel_create(sends ? &x->mem : remote_exchange_mem(x->exchange), x->schema, NULL, BATCH_ROWS,
                                       SHELLS);
    uint64_t id = remote_channel_id(from_worker, 0, number);

    channel_share(c, budget, 1);
    if (sends)
        remote_exchange_send(x->exchange, 1 - self, id, c);
    else
        remote_exchange_receive(x->exchange, 1 - self, id, c);
    channel_connect(c, x->sys, sends ? x->parker : NULL, sends ? NULL : x->parker);
    return c;
}

static void end_open(struct end *x, uint32_t self)
{
    struct remote_net_plan plan = {.host = "127.0.0.1", .build = "bench", .key = STR("key")};

    *x = (struct end){.sys = sys_linux_create_quiet()};
    mem_init(&x->mem, "end", 0);
    arena_init(&x->arena, &x->mem, 0);
    x->parker = sys_parker_create(x->sys);
    if (type_parse(&x->arena, STR("ROW<a BIGINT NOT NULL, b BIGINT NOT NULL, c BIGINT NOT NULL, d BIGINT NOT NULL>"),
                   &x->schema, NULL) != S_OK ||
        remote_net_open(x->sys, NULL, &plan, &x->net, NULL) != S_OK)
        bench_fail("no end %u", self);
    x->workers[self] = (struct remote_worker){"here", "127.0.0.1", remote_net_port(x->net)};
}

/* other_port: of worker 1, for worker 0; else any. */
static void end_start(struct end *x, uint32_t self, int other_port)
{
    static struct gate_budget back_budgets[2];
    struct remote_plan plan = {
        .job_id = "bench", .workers = x->workers, .worker_count = 2, .self = self, .failed = failed};

    x->workers[1 - self] = (struct remote_worker){"there", "127.0.0.1", other_port};
    x->exchange = remote_exchange_create(x->net, &plan);
    for (uint32_t i = 0; i < RECEIVERS; i++) x->there[i] = make_channel(x, self, 0, i, &x->budgets[i]);
    back_budgets[self] = (struct gate_budget){0};
    x->back = make_channel(x, self, 1, 0, &back_budgets[self]);
    remote_exchange_open(x->exchange);
    remote_exchange_start(x->exchange);
}

static void end_close(struct end *x)
{
    if (!remote_exchange_stop(x->exchange, WAIT_NS)) bench_fail("not all has arrived");
    for (uint32_t i = 0; i < RECEIVERS; i++) channel_free(x->there[i]);
    channel_free(x->back);
    remote_exchange_free(x->exchange);
    remote_net_close(x->net);
    sys_parker_free(x->sys, x->parker);
    arena_release(&x->arena);
    mem_release(&x->mem);
    sys_linux_free(x->sys);
}

/* Spins for a while, as a worker does, and sleeps then. */
static void idle(struct end *x, int64_t *since_ns)
{
    int64_t now = sys_mono_ns(x->sys);

    if (*since_ns == 0) *since_ns = now;
    if (now - *since_ns < 50000) return;
    sys_park(x->sys, x->parker, INT64_MAX);
    *since_ns = 0;
}

/* --- the child: takes rows until both inputs end ------------------------------------------------------------------ */
struct answer {
    uint64_t rows, sum;
};

static bool take(struct gate *g, struct answer *a, struct writer *echo, bool *ended)
{
    struct gate_event e;

    if (gate_next(g, &e) != S_OK) return false;
    if (e.kind == GATE_END) *ended = true;
    if (e.kind != GATE_BATCH) return true;
    for (uint32_t i = 0; i < e.batch->count; i++) a->sum += (uint64_t)VECTOR_VALUES(&e.batch->cols[1], int64_t)[i];
    a->rows += e.batch->count;
    if (echo != NULL && (writer_batch(echo, e.batch, false) != S_OK || writer_flush(echo) != S_OK))
        bench_fail("no credit for one row");
    return true;
}

static void child(int to_parent, bool echoes)
{
    struct answer a = {0};
    struct gate *gates[RECEIVERS];
    bool ended[RECEIVERS] = {false};
    int64_t idle_ns = 0;
    struct end x;

    end_open(&x, 1);
    end_start(&x, 1, 1);
    for (uint32_t i = 0; i < RECEIVERS; i++) {
        struct gate_input in = {&x.there[i], 1, NULL};
        gates[i] = gate_create(&in, 1, &x.mem, 0);
    }
    struct writer *echo = writer_create(&(struct writer_plan){.partitioner = PART_FORWARD, .parallelism = 1}, &x.back,
                                        1, &x.mem);
    int port = remote_net_port(x.net);
    if (write(to_parent, &port, sizeof port) != sizeof port) _exit(1);
    while (!ended[0] || !ended[1]) {
        bool moved = false;
        for (uint32_t i = 0; i < RECEIVERS; i++) moved |= take(gates[i], &a, echoes ? echo : NULL, &ended[i]);
        if (moved)
            idle_ns = 0;
        else
            idle(&x, &idle_ns);
    }
    if (writer_control(echo, ELEMENT_END, 0) != S_OK) bench_fail("no room for an end");
    for (uint32_t i = 0; i < RECEIVERS; i++) gate_free(gates[i]);
    writer_free(echo);
    end_close(&x);
    if (write(to_parent, &a, sizeof a) != sizeof a) _exit(1);
    _exit(0);
}

/* --- the parent --------------------------------------------------------------------------------------------------- */
struct run {
    uint64_t rows;
    bool echoes;
    struct end x;
    pid_t pid;
    int from_child;
    struct writer *writer;
    struct gate *gate;
    struct batch *batch;
    uint64_t sum;
};

static void run_begin(struct run *r)
{
    static const uint32_t key = 0;
    struct writer_plan plan = {
        .partitioner = PART_HASH, .keys = &key, .key_count = 1, .max_parallelism = 128, .parallelism = 1};
    int ends[2], port;

    if (pipe(ends) != 0) bench_fail("no pipe");
    fflush(stdout);
    r->pid = fork();
    if (r->pid == 0) {
        close(ends[0]);
        child(ends[1], r->echoes);
    }
    close(ends[1]);
    r->from_child = ends[0];
    if (r->pid < 0 || read(ends[0], &port, sizeof port) != sizeof port) bench_fail("no child");
    end_open(&r->x, 0);
    end_start(&r->x, 0, port);
    struct gate_input in = {&r->x.back, 1, NULL};
    r->gate = gate_create(&in, 1, &r->x.mem, 0);
    r->writer = writer_create(&plan, r->x.there, RECEIVERS, &r->x.mem);
    r->batch = batch_create(r->x.schema, BATCH_ROWS, &r->x.mem);
    r->sum = 0;
}

static void fill(struct run *r, uint64_t first, uint32_t n)
{
    struct batch *b = r->batch;

    batch_clear(b);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t k = first + i;
        VECTOR_VALUES(&b->cols[0], int64_t)[i] = (int64_t)(k * 2654435761u % 100003);
        VECTOR_VALUES(&b->cols[1], int64_t)[i] = (int64_t)(k & 1023);
        VECTOR_VALUES(&b->cols[2], int64_t)[i] = (int64_t)k;
        VECTOR_VALUES(&b->cols[3], int64_t)[i] = (int64_t)(k * 3);
        r->sum += k & 1023;
    }
    b->count = n;
}

/* Calls until it is not S_FULL, sleeping in between. */
#define UNTIL_TAKEN(r, call)                                                                                           \
    do {                                                                                                               \
        int64_t idle_ns_ = 0;                                                                                          \
        while ((call) == S_FULL) idle(&(r)->x, &idle_ns_);                                                             \
    } while (0)

static void run_end(struct run *r)
{
    struct answer a;

    UNTIL_TAKEN(r, writer_control(r->writer, ELEMENT_END, 0));
    if (read(r->from_child, &a, sizeof a) != sizeof a) bench_fail("the child said nothing");
    close(r->from_child);
    waitpid(r->pid, NULL, 0);
    gate_free(r->gate);
    writer_free(r->writer);
    batch_free(r->batch);
    end_close(&r->x);
    bench_same("rows", (int64_t)a.rows, (int64_t)r->rows);
    bench_same("sum", (int64_t)a.sum, (int64_t)r->sum);
}

static double throughput(struct bench *b, void *arg)
{
    struct run *r = arg;

    r->echoes = false;
    run_begin(r);
    int64_t start = sys_mono_ns(b->sys);
    for (uint64_t at = 0; at < r->rows; at += r->batch->count) {
        fill(r, at, (uint32_t)MIN((uint64_t)ROWS_AT_ONCE, r->rows - at));
        UNTIL_TAKEN(r, writer_batch(r->writer, r->batch, false));
    }
    UNTIL_TAKEN(r, writer_flush(r->writer));
    run_end(r);
    return bench_rate(r->rows, (double)(sys_mono_ns(b->sys) - start) / 1e9);
}

/* us for a row there and back, half of it: the median of all. */
static double latency(struct bench *b, void *arg)
{
    struct run *r = arg;
    double *us = mem_alloc(&b->mem, sizeof *us * r->rows);
    struct gate_event e;

    r->echoes = true;
    run_begin(r);
    for (uint64_t i = 0; i < r->rows; i++) {
        fill(r, i, 1);
        usleep(200); /* until all threads sleep */
        int64_t start = sys_mono_ns(b->sys);
        UNTIL_TAKEN(r, writer_batch(r->writer, r->batch, false));
        UNTIL_TAKEN(r, writer_flush(r->writer));
        while (gate_next(r->gate, &e) != S_OK || e.kind != GATE_BATCH) sys_park(r->x.sys, r->x.parker, INT64_MAX);
        us[i] = (double)(sys_mono_ns(b->sys) - start) / 2e3;
    }
    run_end(r);
    qsort(us, r->rows, sizeof *us, bench_by_value);
    double middle = us[r->rows / 2];
    mem_free(&b->mem, us);
    return middle;
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "exchange between processes");
    struct run r = {.rows = bench_size(&b, 40000000, 50000)};
    bench_run(&b, &(struct bench_case){.name = "exchange between two processes, 4 integers",
                                       .unit = "M rows/s",
                                       .engine = throughput,
                                       .arg = &r,
                                       .goal_kind = GOAL_AT_LEAST,
                                       .goal = 10,
                                       .scales = true});
    r.rows = bench_size(&b, 3000, 20);
    bench_run(&b, &(struct bench_case){.name = "row to a sleeping process, one way, p50",
                                       .unit = "us",
                                       .engine = latency,
                                       .arg = &r,
                                       .goal_kind = GOAL_AT_MOST,
                                       .goal = 200});
    return bench_end(&b);
}
