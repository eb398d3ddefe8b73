/* test_conn_print.c - sinks that need no file: lines of print as Flink writes them, blackhole's checksum, collect's queue. */
#include "flow/connector/connector.h"
#include "flow/task/job_shared.h"
#include "ground/base/str.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* --- a world whose standard streams are buffers ------------------------------------------------------------------- */
static char written[3][4096];
static int standard_fds[3] = {0, 1, 2};

static enum status fake_standard(struct sys *s, int fd, struct sys_file **out, struct err *e)
{
    (void)s;
    (void)e;
    *out = (struct sys_file *)(void *)&standard_fds[fd];
    return S_OK;
}

static enum status fake_write(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e)
{
    int fd = *(int *)(void *)f;

    (void)s;
    if (fd == 0) return err_set(e, E_PIPE, "cannot write 'standard output': Broken pipe");
    strncat(written[fd], bytes, size);
    return S_OK;
}

static void fake_close(struct sys *s, struct sys_file *f)
{
    (void)s;
    (void)f;
}

static int64_t fake_time(struct sys *s)
{
    (void)s;
    return 0;
}

static bool at_terminal;

static bool fake_is_terminal(struct sys *s, int fd)
{
    (void)s;
    (void)fd;
    return at_terminal;
}

static const struct sys_ops fake_ops = {.wall_ms = fake_time,
                                        .mono_ns = fake_time,
                                        .is_terminal = fake_is_terminal,
                                        .file_standard = fake_standard,
                                        .file_write = fake_write,
                                        .file_close = fake_close};
static struct sys fake = {.ops = &fake_ops};

static char log_line[512];
static void take_line(void *arg, enum log_level level, const char *line, size_t size)
{
    (void)arg;
    (void)level;
    snprintf(log_line, sizeof log_line, "%.*s", (int)size, line);
}
static int64_t log_time(void *arg)
{
    (void)arg;
    return 0;
}

static struct option items[4];

static struct op_driver *start(struct sink_config *c, const char *connector, uint32_t options)
{
    extern const struct op_type op_sink;

    memset(written, 0, sizeof written);
    *c = (struct sink_config){.connector = connector, .options = {items, options}};
    return op_driver_create(
        &(struct op_setup){.type = &op_sink, .config = c, .in = "ROW<a STRING, b INT>", .sys = &fake});
}

static void test_lines(void **state)
{
    struct sink_config c;
    struct op_driver *d = start(&c, "print", 0);

    (void)state;
    op_push(d, 0, "x | 1\n-U y | null\n");
    assert_string_equal(written[1], ""); /* gathered */
    op_idle(d);
    assert_string_equal(written[1], "+I[x, 1]\n-U[y, null]\n");
    op_push(d, 0, "+U y | 2\n-D z | 3\n");
    op_push_end(d);
    assert_string_equal(written[1], "+I[x, 1]\n-U[y, null]\n+U[y, 2]\n-D[z, 3]\n");
    op_driver_free(d);
}

/* Flink's prefixes: "id:2> ", "id> ", "2> ", "". */
static void test_prefixes(void **state)
{
    static const struct {
        const char *identifier;
        uint32_t parallelism;
        const char *line;
        bool at_terminal, is_live;
    } cases[] = {{"id", 3, "id:2> +I[x, 1]\n", false, false},
                 {"id", 1, "id> +I[x, 1]\n", false, true},
                 {NULL, 3, "2> +I[x, 1]\n", false, false},
                 {NULL, 1, "+I[x, 1]\n", false, false},
                 {NULL, 1, "\r\033[K+I[x, 1]\n", true, true},
                 {NULL, 1, "+I[x, 1]\n", true, false}}; /* no status line, nothing to wipe */

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        const struct conn_type *print = NULL;
        struct mem mem;
        struct arena arena;
        struct op_cx op = {.name = "print"};
        items[0] = (struct option){"print-identifier", cases[i].identifier};
        items[1] = (struct option){"standard-error", "true"};
        struct options o = {cases[i].identifier != NULL ? items : items + 1, cases[i].identifier != NULL ? 2 : 1};
        mem_init(&mem, "test", 0);
        arena_init(&arena, &mem, 0);
        memset(written, 0, sizeof written);
        at_terminal = cases[i].at_terminal;
        sys_line_live(&fake, cases[i].is_live);
        assert_int_equal(conn_find("print", &print, NULL), S_OK);
        struct sink_cx cx = {.op = &op,
                             .options = &o,
                             .option_defs = print->options,
                             .sys = &fake,
                             .mem = &mem,
                             .subtask = cases[i].parallelism - 1 ? 1 : 0,
                             .parallelism = cases[i].parallelism};
        void *writer = mem_zalloc(&mem, print->sink->writer_size);
        struct batch *b = rows_batch(rows_type(&arena, "ROW<a STRING, b INT>"), &mem, "x | 1\n");
        assert_int_equal(print->sink->open(&cx, writer), S_OK);
        assert_int_equal(print->sink->write(&cx, writer, b), S_OK);
        assert_int_equal(print->sink->flush(&cx, writer, true), S_OK);
        print->sink->close(&cx, writer, false);
        assert_string_equal(written[2], cases[i].line);
        mem_release(&mem);
    }
    at_terminal = false;
    sys_line_live(&fake, false);
}

static void test_closed_pipe(void **state)
{
    struct sink_config c;
    struct op_driver *d = start(&c, "print", 0);

    (void)state;
    standard_fds[1] = 0;
    op_push(d, 0, "x | 1\n");
    op_push_end(d);
    standard_fds[1] = 1;
    assert_string_equal(op_driver_error(d), "cannot write 'standard output': Broken pipe");
    op_driver_free(d);
}

static void test_blackhole_reads_every_column(void **state)
{
    struct sink_config c;
    struct log log = {.level = LOG_DEBUG, .write = take_line, .now_ms = log_time};
    struct op_driver *d = start(&c, "blackhole", 0);

    (void)state;
    op_driver_cx(d)->log = &log;
    op_push(d, 0, "x | 1\n-U y | 20\n");
    op_push_end(d);
    op_driver_free(d);
    /* references of two texts of one byte: size 1, then the byte; and the numbers */
    assert_non_null(strstr(log_line, "sink (1/1) took 2 rows, checksum 000000f100000017"));
}

static void test_collect_waits_for_the_caller(void **state)
{
    struct sink_config c;
    struct sys *sys = sys_linux_create_quiet();
    struct job_shared *job = job_shared_create(sys, "test", NULL);
    struct row_queues *rows_of_job = job_row_queues(job);
    struct op_driver *d = start(&c, "collect", 0);
    struct op_cx *cx = op_driver_cx(d);
    int64_t handle = 0;
    uint32_t rows = 0;

    (void)state;
    c.handle = 7;
    cx->job = job;
    struct sys_parker *parker = cx->parker = sys_parker_create(sys);
    for (uint32_t i = 0; i < ROW_QUEUE_BATCHES_MAX; i++) op_push(d, 0, "x | 1\n");
    struct batch *first = row_queues_take(rows_of_job, &handle);
    assert_int_equal(handle, 0); /* the configuration was read when the sink was opened */
    row_queue_give_back(rows_of_job, handle, first);
    op_push(d, 0, "+U y | 2\n");
    for (struct batch *b; (b = row_queues_take(rows_of_job, &handle)) != NULL; row_queue_give_back(rows_of_job, handle, b)) {
        rows++;
        if (rows == ROW_QUEUE_BATCHES_MAX) assert_int_equal(b->kinds[0], ROW_UPDATE_AFTER);
    }
    assert_int_equal(rows, ROW_QUEUE_BATCHES_MAX);
    op_push_end(d);
    op_driver_free(d);
    sys_parker_free(sys, parker);
    job_shared_free(job);
    sys_linux_free(sys);
}

static void test_mistakes(void **state)
{
    struct sink_config c;
    struct op_driver *d = start(&c, "prnt", 0);

    (void)state;
    assert_non_null(strstr(op_driver_error(d), "unknown connector 'prnt'; the connectors are "));
    assert_non_null(strstr(op_driver_error(d), "(did you mean 'print'?)"));
    op_driver_free(d);
    d = start(&c, "nexmark", 0);
    assert_string_equal(op_driver_error(d), "connector 'nexmark' cannot be written (it is a source)");
    op_driver_free(d);
    items[0] = (struct option){"standard-error", "perhaps"};
    d = start(&c, "print", 1);
    assert_string_equal(op_driver_error(d),
                        "option 'standard-error' of connector 'print' is 'perhaps', but must be true or false");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),       cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_closed_pipe), cmocka_unit_test(test_blackhole_reads_every_column),
        cmocka_unit_test(test_collect_waits_for_the_caller), cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
