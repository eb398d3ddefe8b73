/* test_cluster.c - a job whose tasks run in worker processes: the test has the job master and the control port, this program once more is
 * the TaskManager, and once more the worker. Processes are killed with signal 9 behind a checkpoint; the files that the job writes then
 * have every row once. */
#include "columns/column/batch_codec.h"
#include "control/cluster/cluster.h"
#include "control/jobmanager/row_relay.h"
#include "support/folder.h"
#include "surface/api/api.h"

#include <thalweg/thalweg.h>

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ground/sys/sys_process.h"

enum { ROWS = 30000, TASKMANAGERS_MAX = 3, FILES = 10 };

struct number {
    int64_t id;
};
TW_ROW(number, TW_FIELD(number, id, "BIGINT"));

static struct {
    struct sys *sys;
    struct folder folder;
    struct cluster *cluster;
    struct sys_process *taskmanagers[TASKMANAGERS_MAX];
    struct jobmaster *jm;
    int kills; /* of workers, that are still to come */
    int64_t killed_behind;
    bool kills_taskmanager, reads_files, kills_itself, stops_clocks, collects, runs;
    int64_t heartbeat_ms; /* of TaskManagers and workers that are started */
    int port;
    uint32_t parallelism;
    struct row_fetch fetch; /* where the program is with the rows that it collects */
    int64_t collected, stops_at; /* stops_at: then the worker is killed; 0: never */
    uint64_t latest; /* digest of the first batch of the latest answer */
    bool is_repeated, cancels;
    struct sys_atomic_u64 cancelled;
    enum status status;
    struct err err;
    struct job_failure failure;
    bool has_failure;
} w;

/* --- processes ------------------------------------------------------------------------------------------------------------- */
static void start_taskmanager(int number, int slots)
{
    char program[SYS_PATH_MAX], port[16], name[16], count[16], heartbeat[16];
    struct err e = {0};

    assert_true(sys_program_path(program, sizeof program));
    snprintf(port, sizeof port, "%d", w.port);
    snprintf(name, sizeof name, "tm-%d", number);
    snprintf(count, sizeof count, "%d", slots);
    snprintf(heartbeat, sizeof heartbeat, "%d", (int)w.heartbeat_ms);
    const char *argv[] = {program, "taskmanager", port, folder_path(&w.folder, "key"), folder_path(&w.folder, name), name, count, heartbeat, NULL};
    if (sys_process_start(w.sys, argv, folder_path(&w.folder, "taskmanagers.out"), &w.taskmanagers[number], &e) != S_OK) fail_msg("%s", e.text);
}

static void stop_taskmanager(int number)
{
    char how[128];

    if (w.taskmanagers[number] == NULL) return;
    sys_process_kill(w.taskmanagers[number]);
    while (!sys_process_is_over(w.taskmanagers[number], how, sizeof how)) {
    }
    sys_process_free(w.sys, w.taskmanagers[number]);
    w.taskmanagers[number] = NULL;
}

static void say_line(void *arg, enum log_level level, const char *line, size_t size)
{
    (void)arg, (void)level;
    fprintf(stderr, "%.*s\n", (int)size, line);
}

static int taskmanager_main(char **argv)
{
    struct sys *sys = sys_linux_create_quiet();
    struct log log = {.level = LOG_INFO, .write = say_line};
    struct err e = {0};

    struct taskmanager_options o = {.sys = sys,
                                    .log = &log,
                                    .host = "127.0.0.1",
                                    .port = atoi(argv[2]),
                                    .key_path = argv[3],
                                    .resource_id = argv[5],
                                    .own_host = "127.0.0.1",
                                    .folder = argv[4],
                                    .slots = (uint32_t)atoi(argv[6]),
                                    .heartbeat_interval_ms = atoi(argv[7]),
                                    .heartbeat_timeout_ms = 5 * atoi(argv[7])};
    enum status st = cluster_key_read(sys, o.key_path, false, &o.key, &e);
    if (st == S_OK) st = taskmanager_process_run(&o, &e);
    if (st != S_OK) fprintf(stderr, "%s\n", e.text);
    return st != S_OK;
}

static int worker_main(int argc, char **argv)
{
    struct sys *sys = sys_linux_create_quiet();
    struct log log = {.level = LOG_INFO, .write = say_line};
    struct worker_options o = {.sys = sys, .log = &log, .functions = {__start_tw_functions, __stop_tw_functions}};
    return worker_process_run(&o, argc - 2, argv + 2);
}

/* The workers of a TaskManager are its children. */
static int signal_children(int64_t parent, int signal)
{
    char path[128];
    int pid, count = 0;

    snprintf(path, sizeof path, "/proc/%lld/task/%lld/children", (long long)parent, (long long)parent);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fscanf(f, "%d", &pid) == 1)
        if (kill(pid, signal) == 0) count++;
    fclose(f);
    return count;
}

/* It and its workers do nothing any more, and do not know. */
static void stop_clocks(int number)
{
    int64_t id = sys_process_id(w.taskmanagers[number]);

    assert_int_equal(kill((pid_t)id, SIGSTOP), 0);
    assert_int_equal(signal_children(id, SIGSTOP), 1);
}

static void kill_one(void)
{
    if (w.stops_clocks) {
        stop_clocks(0);
    } else if (w.kills_taskmanager) {
        stop_taskmanager(0);
        start_taskmanager(0, 4);
    } else {
        for (int i = 0; i < TASKMANAGERS_MAX; i++)
            if (w.taskmanagers[i] != NULL && signal_children(sys_process_id(w.taskmanagers[i]), SIGKILL) > 0) return;
        fail_msg("there is no worker");
    }
}

/* --- rows that the program collects ---------------------------------------------------------------------------------------- */
static void take_batch(void *arg, struct str bytes)
{
    const struct type *row;
    struct mem mem;
    struct arena a;
    struct dec d;
    struct err e = {0};

    (void)arg;
    if (w.is_repeated) {
        assert_true(hash64(bytes.data, bytes.size) == w.latest);
        return;
    }
    w.latest = hash64(bytes.data, bytes.size);
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    assert_int_equal(type_parse(&a, STR("ROW<id BIGINT>"), &row, &e), S_OK);
    struct batch *b = batch_create(row, BATCH_ROWS, &mem);
    dec_init(&d, bytes.data, bytes.size);
    assert_int_equal(batch_decode(&d, b, &e), S_OK);
    for (uint32_t i = 0; i < b->count; i++) assert_int_equal(VECTOR_VALUES(&b->cols[0], int64_t)[i], ++w.collected);
    batch_free(b);
    mem_release(&mem);
    w.fetch.from++;
}

static void fetch(void)
{
    const struct graph *g = jobmaster_graph(w.jm);
    struct row_fetch f = w.fetch;
    struct err e = {0};

    f.bytes_max = 1;
    f.batch = take_batch;
    if (jobmaster_fetch_rows(w.jm, g->nodes[g->node_count - 1]->id, &f, &e) != S_OK) fail_msg("%s", e.text);
    w.fetch.version = f.version;
}

static void collect_rows(void)
{
    uint64_t from = w.fetch.from, next;

    fetch();
    next = w.fetch.from;
    if (next == from) return;
    w.fetch.from = from;
    w.is_repeated = true;
    fetch();
    w.is_repeated = false;
    w.fetch.from = next;
}

/* --- the job ----------------------------------------------------------------------------------------------------------------- */
static void on_tick(void *arg, const struct job_totals *totals)
{
    struct checkpoint_stats s;

    (void)arg, (void)totals;
    if (w.collects && (w.stops_at == 0 || w.collected < w.stops_at)) {
        collect_rows();
        if (w.stops_at == 0 || w.collected < w.stops_at) return;
        if (w.cancels) sys_atomic_store(&w.cancelled, 1);
        else kill_one();
    }
    if (w.kills == 0) return;
    for (uint32_t i = 0; jobmaster_checkpoint(w.jm, i, &s); i++) {
        if (s.state != CHECKPOINT_COMPLETED) continue;
        if (s.id <= w.killed_behind) return;
        w.killed_behind = s.id;
        w.kills--;
        if (w.kills_itself) raise(SIGKILL);
        kill_one();
        return;
    }
}

static const struct tw_state times = {.name = "times", .kind = TW_VALUE, .value = "BIGINT"};

/* Of a row that came before nothing goes on: state that was lost, or restored twice, would be seen. */
static enum tw_status first_time(struct tw_context *cx, const void *in)
{
    const struct number *n = in;
    int64_t count = 0;

    tw_value_get(cx, &times, &count);
    count++;
    tw_value_set(cx, &times, &count);
    if (count == 1) tw_collect(cx, n);
    return TW_OK;
}
TW_FUNCTION(first_times) = {.in = &number_row, .out = &number_row, .states = {&times}, .process = first_time};

static void take_row(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms) { (void)arg, (void)kind, (void)row, (void)time_ms; }

static void write_files(void)
{
    char name[32];

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "in/%d.csv", i);
        folder_write(&w.folder, name, "");
        FILE *f = fopen(folder_path(&w.folder, name), "w");
        assert_non_null(f);
        for (int id = i * (ROWS / FILES) + 1; id <= (i + 1) * (ROWS / FILES); id++) fprintf(f, "%d\n", id);
        fclose(f);
    }
}

/* Files are dealt out by one enumerator, whoever reads them; rows go by key to tasks of other workers. */
static void build_files(struct tw_env *env)
{
    struct tw_stream *numbers = tw_source_rows(env, "numbers", "filesystem", &number_row, TW_OPTIONS("path", folder_path(&w.folder, "in/"), "format", "csv"));

    numbers = tw_process(tw_key_by(tw_rate_limit(numbers, 30000), "id"), &first_times);
    tw_sink(numbers, "out", "filesystem", TW_OPTIONS("path", folder_path(&w.folder, "out/"), "format", "csv"));
}

static void build(struct tw_env *env)
{
    if (w.reads_files) {
        build_files(env);
        return;
    }
    struct tw_stream *numbers = tw_source_rows(env, "numbers", "datagen", &number_row,
                                               TW_OPTIONS("rows-per-second", "30000", "fields.id.kind", "sequence", "fields.id.start", "1",
                                                          "fields.id.end", "30000"));

    if (w.collects) tw_collect_to(numbers, &number_row, take_row, NULL);
    else tw_sink(numbers, "out", "filesystem", TW_OPTIONS("path", folder_path(&w.folder, "out/"), "format", "csv"));
}

/* All that were started, so that the job is spread over them. */
static void await_taskmanagers(void)
{
    struct cluster_taskmanager tm;
    struct sys_parker *parker = sys_parker_create(w.sys);
    uint32_t count = 0;

    for (int i = 0; i < TASKMANAGERS_MAX; i++) count += w.taskmanagers[i] != NULL;
    while (count > 0 && !cluster_taskmanager(w.cluster, count - 1, &tm)) sys_park(w.sys, parker, 1000000);
    sys_parker_free(w.sys, parker);
}

static void run_job(void)
{
    struct tw_env *env = tw_env_create();
    struct buf bytes;
    char dir[SYS_PATH_MAX];

    snprintf(dir, sizeof dir, "file://%s", folder_path(&w.folder, "ck"));
    tw_set(env, "execution.checkpointing.interval", "50ms");
    tw_set(env, "execution.checkpointing.dir", dir);
    tw_set(env, "restart-strategy.type", "fixed-delay");
    tw_set(env, "restart-strategy.fixed-delay.delay", "10ms");
    tw_set(env, "restart-strategy.fixed-delay.attempts", w.kills > 0 ? "5" : "0");
    tw_set_parallelism(env, w.parallelism);
    build(env);
    buf_init(&bytes, &env->mem);
    if (tw_plan(env) == NULL) fail_msg("%s", tw_error(env));
    graph_encode(&env->graph, &bytes);
    w.jm = jobmaster_create(&(struct jobmaster_options){.sys = w.sys,
                                                        .functions = {env->first, env->end},
                                                        .hosts = cluster_provider(w.cluster),
                                                        .cancelled = &w.cancelled,
                                                        .tick = on_tick,
                                                        .tick_ms = 5});
    w.err = (struct err){0};
    await_taskmanagers();
    w.runs = true;
    w.status = jobmaster_submit(w.jm, (struct str){bytes.data, bytes.size}, &w.err);
    if (w.status == S_OK) w.status = jobmaster_run(w.jm, &w.err);
    w.has_failure = jobmaster_failure(w.jm, 0, &w.failure);
    jobmaster_free(w.jm);
    w.runs = false;
    buf_release(&bytes);
    tw_env_free(env);
}

/* --- what came out ------------------------------------------------------------------------------------------------------------- */
static void count_rows(const char *path, uint8_t seen[static ROWS + 1])
{
    char line[64];
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        int id = atoi(line);
        assert_in_range(id, 1, ROWS);
        if (seen[id]++ != 0) fail_msg("row %d is there twice", id);
    }
    fclose(f);
}

static void check_rows(void)
{
    static uint8_t seen[ROWS + 1];
    DIR *d = opendir(folder_path(&w.folder, "out"));
    const struct dirent *x;
    char path[SYS_PATH_MAX];

    memset(seen, 0, sizeof seen);
    assert_non_null(d);
    while ((x = readdir(d)) != NULL) {
        if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0) continue;
        if (x->d_name[0] == '.') fail_msg("a hidden file is left: %s", x->d_name);
        snprintf(path, sizeof path, "%s/%s", folder_path(&w.folder, "out"), x->d_name);
        count_rows(path, seen);
    }
    closedir(d);
    for (int i = 1; i <= ROWS; i++)
        if (seen[i] != 1) fail_msg("row %d is not there", i);
}

static void check_job(void)
{
    if (w.status != S_OK) fail_msg("%s", w.err.text);
    assert_int_equal(w.kills, 0);
    check_rows();
}

/* --- tests ------------------------------------------------------------------------------------------------------------------------ */
static int begin_with(int64_t heartbeat_ms)
{
    struct err e = {0};
    struct cluster_options o = {.heartbeat_interval_ms = heartbeat_ms, .heartbeat_timeout_ms = 5 * heartbeat_ms, .slot_timeout_ms = 10 * heartbeat_ms, .spreads = true, .host = "127.0.0.1"};

    memset(&w, 0, sizeof w);
    w.heartbeat_ms = heartbeat_ms;
    w.sys = sys_linux_create_quiet();
    w.parallelism = 1;
    folder_make(&w.folder);
    o.sys = w.sys;
    if (cluster_key_read(w.sys, folder_path(&w.folder, "key"), true, &o.key, &e) != S_OK) fail_msg("%s", e.text);
    if (cluster_open(&o, &w.cluster, &e) != S_OK) fail_msg("%s", e.text);
    w.port = cluster_port(w.cluster);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return begin_with(1000);
}

static int begin_fast(void **state)
{
    (void)state;
    return begin_with(200);
}

static int end(void **state)
{
    (void)state;
    for (int i = 0; i < TASKMANAGERS_MAX; i++) stop_taskmanager(i);
    if (w.runs) return 0; /* the test failed in the middle of its job, which is still there */
    cluster_close(w.cluster);
    folder_remove(&w.folder);
    sys_linux_free(w.sys);
    return 0;
}

static void test_runs_in_a_worker(void **state)
{
    (void)state;
    start_taskmanager(0, 1);
    run_job();
    check_job();
    assert_false(w.has_failure);
}

static void test_killed_workers(void **state)
{
    (void)state;
    w.kills = 3;
    start_taskmanager(0, 4);
    w.parallelism = 2;
    run_job();
    check_job();
    assert_non_null(strstr(w.failure.text, "killed by signal 9"));
    assert_non_null(strstr(w.failure.text, "TaskManager tm-0"));
}

static void test_killed_taskmanager(void **state)
{
    (void)state;
    w.kills = 2;
    w.kills_taskmanager = true;
    start_taskmanager(0, 4);
    run_job();
    check_job();
    assert_non_null(strstr(w.failure.text, "tm-0"));
}

static void test_spread_over_taskmanagers(void **state)
{
    (void)state;
    w.reads_files = true;
    write_files();
    w.parallelism = 4;
    for (int i = 0; i < 2; i++) start_taskmanager(i, 2);
    run_job();
    check_job();
    assert_false(w.has_failure);
}

static void test_one_of_several_is_killed(void **state)
{
    (void)state;
    w.reads_files = true;
    write_files();
    w.kills = 3;
    w.parallelism = 4;
    for (int i = 0; i < 3; i++) start_taskmanager(i, 2);
    run_job();
    check_job();
    assert_non_null(strstr(w.failure.text, "killed by signal 9"));
}

static bool has_children(int64_t parent) { return signal_children(parent, 0) > 0; }

/* A TaskManager and its worker stand still for longer than heartbeat.timeout; the job goes on elsewhere and comes to its end. When they wake
 * up their time is over: the worker ends by itself, or is released, and nothing of what it had in hand appears. */
static void test_zombies(void **state)
{
    (void)state;
    w.kills = 1;
    w.stops_clocks = w.reads_files = true;
    write_files();
    w.parallelism = 2;
    for (int i = 0; i < 2; i++) start_taskmanager(i, 2);
    run_job();
    check_job();
    assert_non_null(strstr(w.failure.text, "TaskManager tm-0"));
    assert_non_null(strstr(w.failure.text, "silent for heartbeat.timeout (5000 ms)"));
    int64_t id = sys_process_id(w.taskmanagers[0]);
    assert_true(has_children(id));
    struct sys_parker *parker = sys_parker_create(w.sys);
    assert_int_equal(signal_children(id, SIGCONT), 1);
    kill((pid_t)id, SIGCONT);
    while (has_children(id)) sys_park(w.sys, parker, 1000000);
    sys_parker_free(w.sys, parker);
    check_rows();
}

static void test_too_few_slots(void **state)
{
    (void)state;
    w.parallelism = 4;
    start_taskmanager(0, 2);
    run_job();
    assert_int_equal(w.status, E_BUDGET);
    assert_non_null(strstr(w.err.text, "the job needs 4 slots, the cluster has 2, of which 2 are free"));
}

/* Each batch is fetched twice, as if the first answer were lost; the job ends when the last one is known to have come. */
static void test_rows_for_the_program(void **state)
{
    (void)state;
    w.collects = true;
    start_taskmanager(0, 2);
    run_job();
    if (w.status != S_OK) fail_msg("%s", w.err.text);
    assert_int_equal(w.collected, ROWS);
}

/* Rows that were given cannot be taken back: the job, which takes no checkpoints, ends with its worker. */
static void test_rows_of_a_killed_worker(void **state)
{
    (void)state;
    w.collects = true;
    w.stops_at = 5000;
    start_taskmanager(0, 2);
    run_job();
    assert_int_equal(w.status, E_IO);
    assert_non_null(strstr(w.err.text, "killed by signal 9"));
    assert_in_range(w.collected, 5000, ROWS - 1);
}

/* Nobody takes more of them: the job can be canceled all the same, with all queues full. */
static void test_rows_that_nobody_takes(void **state)
{
    (void)state;
    w.collects = w.cancels = true;
    w.stops_at = 1;
    start_taskmanager(0, 2);
    run_job();
    assert_int_equal(w.status, E_CANCELED);
    assert_in_range(w.collected, 1, 2 * BATCH_ROWS);
}

/* --- the JobManager is a process of its own, too ------------------------------------------------------------------------------ */
/* Kills itself behind a checkpoint, so many times as `kills` says: 0 or 1. */
static int jobmanager_main(char **argv)
{
    struct log log = {.level = LOG_INFO, .write = say_line};
    struct cluster_options o = {.log = &log, .heartbeat_interval_ms = 1000, .heartbeat_timeout_ms = 5000, .slot_timeout_ms = 10000, .spreads = true, .host = "127.0.0.1"};
    struct err e = {0};

    o.sys = w.sys = sys_linux_create_quiet();
    o.port = atoi(argv[2]);
    snprintf(w.folder.path, sizeof w.folder.path, "%s", argv[3]);
    w.kills = atoi(argv[4]);
    w.kills_itself = w.reads_files = true;
    w.parallelism = 4;
    if (cluster_key_read(w.sys, folder_path(&w.folder, "key"), false, &o.key, &e) == S_OK && cluster_open(&o, &w.cluster, &e) == S_OK) {
        run_job();
        e = w.err;
        cluster_close(w.cluster);
    }
    if (e.status != S_OK) fprintf(stderr, "%s\n", e.text);
    return e.status != S_OK;
}

static void run_jobmanager(const char *kills, char how[static 128])
{
    char program[SYS_PATH_MAX], port[16];
    struct sys_process *p;
    struct err e = {0};

    assert_true(sys_program_path(program, sizeof program));
    snprintf(port, sizeof port, "%d", w.port);
    const char *argv[] = {program, "jobmanager", port, w.folder.path, kills, NULL};
    if (sys_process_start(w.sys, argv, folder_path(&w.folder, "jobmanager.out"), &p, &e) != S_OK) fail_msg("%s", e.text);
    struct sys_parker *parker = sys_parker_create(w.sys);
    while (!sys_process_is_over(p, how, 128)) sys_park(w.sys, parker, 1000000);
    sys_parker_free(w.sys, parker);
    sys_process_free(w.sys, p);
}

/* The TaskManagers stay and come back; their workers of the leader before are killed when the next one's are started. */
static void test_killed_jobmanager(void **state)
{
    char how[128];

    (void)state;
    cluster_close(w.cluster); /* its port is free, and was this test's */
    w.cluster = NULL;
    write_files();
    for (int i = 0; i < 2; i++) start_taskmanager(i, 2);
    for (int i = 0; i < 2; i++) {
        run_jobmanager("1", how);
        assert_string_equal(how, "killed by signal 9 (Killed)");
    }
    run_jobmanager("0", how);
    if (strcmp(how, "ended with status 0") != 0) {
        char *room = malloc(1 << 20);
        fail_msg("%s: %s", how, folder_read(&w.folder, "jobmanager.out", room, 1 << 20));
    }
    check_rows();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_runs_in_a_worker, begin, end),
        cmocka_unit_test_setup_teardown(test_killed_workers, begin, end),
        cmocka_unit_test_setup_teardown(test_killed_taskmanager, begin, end),
        cmocka_unit_test_setup_teardown(test_spread_over_taskmanagers, begin, end),
        cmocka_unit_test_setup_teardown(test_one_of_several_is_killed, begin, end),
        cmocka_unit_test_setup_teardown(test_zombies, begin, end),
        cmocka_unit_test_setup_teardown(test_too_few_slots, begin_fast, end),
        cmocka_unit_test_setup_teardown(test_rows_for_the_program, begin, end),
        cmocka_unit_test_setup_teardown(test_rows_of_a_killed_worker, begin, end),
        cmocka_unit_test_setup_teardown(test_rows_that_nobody_takes, begin, end),
        cmocka_unit_test_setup_teardown(test_killed_jobmanager, begin, end),
    };

    if (argc > 7 && strcmp(argv[1], "taskmanager") == 0) return taskmanager_main(argv);
    if (argc > 4 && strcmp(argv[1], "jobmanager") == 0) return jobmanager_main(argv);
    if (argc > 1 && strcmp(argv[1], "worker") == 0) return worker_main(argc, argv);
    if (argc == 2) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
