/* test_session_jobs.c - jobs that go on in the background of a session: who waits for them, how their failures are told, and the bounds
 * of what runs and of what is known. Nothing here looks at a clock: what must have ended is waited for. */
#include "ground/base/str.h"
#include "surface/sql/job_places.h"
#include "surface/sql/session.h"
#include "surface/sql/session_jobs.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct fixture {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct sql_session *session;
    struct sys_atomic_u64 cancelled;
    struct buf out; /* rows, cells parted by blanks, a line each; then what was said */
    struct err e;
    int64_t job; /* of the latest INSERT */
    char folder[64];
};

static enum status on_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    return (void)arg, (void)row, (void)is_changelog, (void)e, S_OK;
}

static enum status on_rows(void *arg, const struct batch *b, struct err *e)
{
    struct fixture *f = arg;

    (void)e;
    BATCH_EACH(b, i, row)
    for (uint32_t c = 0; c < b->col_count; c++) {
        const struct vector *v = &b->cols[c];
        if (vector_is_null(v, row))
            buf_append_text(&f->out, "NULL");
        else if (v->phys == P_STR) {
            struct str s = text_str(&VECTOR_VALUES(v, struct text)[vector_at(v, row)]);
            buf_append(&f->out, s.data, s.size);
        } else {
            buf_printf(&f->out, "%lld",
                       v->phys == P_I32 ? (long long)VECTOR_VALUES(v, int32_t)[vector_at(v, row)]
                                        : (long long)VECTOR_VALUES(v, int64_t)[vector_at(v, row)]);
        }
        buf_append_byte(&f->out, c + 1 < b->col_count ? ' ' : '\n');
    }
    return S_OK;
}

static enum status on_end(void *arg, struct err *e) { return (void)arg, (void)e, S_OK; }

static enum status on_said(void *arg, const char *text, struct err *e)
{
    struct fixture *f = arg;

    (void)e;
    buf_printf(&f->out, "%s\n", text);
    return S_OK;
}

static void on_changed(void *arg, uint32_t table_count, const char *const *tables, int64_t job)
{
    struct fixture *f = arg;

    (void)table_count, (void)tables;
    f->job = job;
}

static enum status run(struct fixture *f, const char *sql)
{
    struct sql_listener to = {
        .arg = f, .begin = on_begin, .rows = on_rows, .end = on_end, .said = on_said, .changed = on_changed};
    struct tokens t;
    struct statement st;

    buf_clear(&f->out);
    err_clear(&f->e);
    arena_reset(&f->arena);
    TRY(statement_parse_one(str_of(sql), &f->arena, &t, &st, &f->e));
    return sql_session_run(f->session, &t, &st, &to, &f->e);
}

static void ok(struct fixture *f, const char *sql)
{
    if (run(f, sql) != S_OK) fail_msg("%s: %s", sql, f->e.text);
}

static void expect(struct fixture *f, const char *sql, const char *rows)
{
    ok(f, sql);
    assert_string_equal(buf_text(&f->out), rows);
}

static void file_table(struct fixture *f, const char *name)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "CREATE TABLE %s (a INT) WITH ('connector' = 'filesystem', 'path' = '%s/%s/', 'format' = 'csv')", name,
             f->folder, name);
    ok(f, sql);
}

static int begin(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;

    *f = (struct fixture){.sys = sys_linux_create_quiet(), .folder = "/tmp/test_session_jobs_XXXXXX"};
    if (mkdtemp(f->folder) == NULL) return 1;
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->out, &f->mem);
    f->session = sql_session_create(&(struct sql_session_options){.sys = f->sys, .cancelled = &f->cancelled});
    ok(f, "CREATE TABLE endless (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '10')");
    ok(f, "CREATE TABLE sink (a INT) WITH ('connector' = 'blackhole')");
    file_table(f, "x");
    file_table(f, "y");
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    char command[128];

    sql_session_free(f->session); /* jobs that run are canceled */
    buf_release(&f->out);
    arena_release(&f->arena);
    mem_release(&f->mem);
    sys_linux_free(f->sys);
    snprintf(command, sizeof command, "rm -r %s", f->folder);
    return system(command);
}

/* --- running ----------------------------------------------------------------------------------------------------- */
static void jobs_go_on(void **state)
{
    struct fixture *f = *state;

    expect(f, "INSERT INTO sink SELECT a FROM endless",
           "[INFO] Submitting SQL update statement to the cluster...\n"
           "[INFO] SQL update statement has been successfully submitted to the cluster:\n"
           "Job ID: c599a1e1effd8a1ccdbc8806476dc057\n\n");
    assert_int_equal(f->job, 1);
    assert_int_equal(sql_session_running(f->session), 1);
    expect(f, "SELECT job_number, status, error FROM sys.jobs", "1 RUNNING NULL\n");
    ok(f, "DROP TABLE endless"); /* the job has its own */
    ok(f, "DROP TABLE sink");
    expect(f, "SELECT status FROM sys.jobs WHERE job_number = 1", "RUNNING\n");
    assert_int_equal(sql_session_finish(f->session, SQL_FINISH_CANCEL, &f->e), S_OK);
    assert_int_equal(sql_session_running(f->session), 0);
    expect(f, "SELECT status, error FROM sys.jobs WHERE job_number = 1", "CANCELED NULL\n");
}

static void what_has_no_end_can_be_left(void **state)
{
    struct fixture *f = *state;

    ok(f, "INSERT INTO sink SELECT a FROM endless");
    ok(f, "INSERT INTO sink VALUES (1), (2), (3)");
    assert_int_equal(sql_session_finish(f->session, SQL_FINISH_ENDING, &f->e), S_OK);
    assert_int_equal(sql_session_running(f->session), 0);
    expect(f, "SELECT status, rows_out FROM sys.jobs WHERE job_number = 2", "FINISHED 3\n");
    expect(f, "SELECT status FROM sys.jobs WHERE job_number = 1", "CANCELED\n");
}

static void one_is_awaited(void **state)
{
    struct fixture *f = *state;

    ok(f, "INSERT INTO sink SELECT a FROM endless");
    sys_atomic_store(&f->cancelled, 1);
    assert_int_equal(sql_session_await(f->session, f->job, &f->e), E_CANCELED);
    sys_atomic_store(&f->cancelled, 0);
    expect(f, "SELECT status FROM sys.jobs WHERE job_number = 1", "CANCELED\n");
    ok(f, "INSERT INTO sink VALUES (1), (2)");
    assert_int_equal(sql_session_await(f->session, f->job, &f->e), S_OK);
    expect(f,
           "SELECT j.status, o.operator_name, o.rows_in, o.rows_out FROM sys.jobs AS j JOIN sys.operators AS o ON "
           "j.job_number = "
           "o.job_number WHERE j.job_number = 3 AND o.operator_name LIKE 'Sink%'",
           "FINISHED Sink: sink 2 0\n");
}

/* --- who waits --------------------------------------------------------------------------------------------------- */
static void reading_waits_for_writing(void **state)
{
    struct fixture *f = *state;
    ok(f, "SET 'execution.runtime-mode' = 'batch'");
    ok(f, "CREATE TABLE many (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '100000', 'rows-per-second' = "
          "'100000000', "
          "'fields.a.kind' = 'sequence', 'fields.a.start' = '1', 'fields.a.end' = '100000')");
    ok(f, "INSERT INTO x SELECT a FROM many");
    ok(f, "INSERT INTO y SELECT a + 1 FROM x WHERE a > 10");
    expect(f, "SELECT COUNT(*), MIN(a), MAX(a) FROM y", "99990 12 100001\n");
    ok(f, "INSERT INTO x SELECT a FROM many");
    expect(f, "SELECT COUNT(*) FROM x", "200000\n");
    ok(f, "INSERT OVERWRITE x SELECT a FROM x WHERE a <= 3");
    expect(f, "SELECT COUNT(*), SUM(a) FROM x", "6 12\n");
    ok(f, "INSERT INTO y SELECT a FROM x");
    ok(f, "DELETE FROM x WHERE a = 1");
    expect(f, "SELECT COUNT(*) FROM x", "4\n");
    ok(f, "INSERT INTO x VALUES (7)");
    ok(f, "TRUNCATE TABLE x");
    expect(f, "SELECT COUNT(*) FROM x", "0\n");
}

static void what_has_no_end_is_not_waited_for(void **state)
{
    struct fixture *f = *state;

    ok(f, "INSERT INTO x VALUES (1)");
    ok(f, "INSERT INTO x SELECT a FROM endless");
    expect(f, "SELECT a FROM x", "1\n"); /* it has published nothing yet */
    assert_int_equal(sql_session_running(f->session), 1);
}

/* --- failures ---------------------------------------------------------------------------------------------------- */
#define BAD                                                                                                            \
    "operator 'Calc' (subtask 1/1): the text is no whole number of that size in \"CAST(b AS INT)\" at line 1, column "

static void failures_are_told(void **state)
{
    struct fixture *f = *state;
    struct sql_failed_job j;

    ok(f, "CREATE VIEW v AS SELECT * FROM (VALUES ('u')) AS t (b)");
    ok(f, "INSERT INTO x SELECT CAST(b AS INT) FROM v");
    expect(f, "SELECT 1", "1\n"); /* it has nothing to do with it */
    assert_int_equal(run(f, "SELECT a FROM x"), E_DATA);
    assert_string_equal(f->e.text, "job 'insert-into_default_catalog.default_database.x': " BAD "22, row +I[u]");
    assert_string_equal(f->e.excerpt,
                        "INSERT INTO x SELECT CAST(b AS INT) FROM v\n                     ^^^^^^^^^^^^^^");
    assert_false(sql_session_failed(f->session, &j)); /* once is enough */
    expect(f, "SELECT a FROM x", "");

    ok(f, "INSERT INTO sink SELECT CAST(b AS INT) FROM v");
    assert_int_equal(sql_session_finish(f->session, SQL_FINISH_WAIT, &f->e), S_OK);
    assert_true(sql_session_failed(f->session, &j));
    assert_string_equal(j.name, "insert-into_default_catalog.default_database.sink");
    assert_string_equal(j.why->text, BAD "25, row +I[u]");
    assert_string_equal(j.why->hint, "correct the value, or use TRY_CAST, which is NULL there");
    assert_false(sql_session_failed(f->session, &j));
    expect(f, "SELECT status, error FROM sys.jobs WHERE job_name LIKE '%sink'", "FAILED " BAD "25, row +I[u]\n");

    ok(f, "INSERT INTO sink SELECT CAST(b AS INT) FROM v");
    assert_int_equal(sql_session_await(f->session, f->job, &f->e), E_DATA);
    assert_string_equal(f->e.text, BAD "25, row +I[u]");
}

/* --- bounds ------------------------------------------------------------------------------------------------------ */
static void not_too_many_run(void **state)
{
    struct fixture *f = *state;

    for (int i = 1; i < SESSION_JOBS_RUNNING_MAX; i++) ok(f, "INSERT INTO sink SELECT a FROM endless");
    ok(f, "INSERT INTO sink VALUES (1)");
    ok(f, "INSERT INTO sink SELECT a FROM endless"); /* waits for the one before */
    assert_int_equal(sql_session_running(f->session), SESSION_JOBS_RUNNING_MAX);
    assert_int_equal(run(f, "INSERT INTO sink VALUES (1)"), E_DATA);
    assert_string_equal(
        f->e.text,
        "a session runs at most 32 jobs at a time, and those that run do not end by themselves at line 1, column 1");
    assert_string_equal(f->e.hint, "SHOW JOBS lists them, STOP JOB ends one");
    expect(f, "SELECT COUNT(*) FROM sys.jobs WHERE status = 'RUNNING'", "32\n");
}

static void the_latest_are_known(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < SESSION_JOBS_MAX + 30; i++) ok(f, "INSERT INTO sink VALUES (1)");
    assert_int_equal(sql_session_finish(f->session, SQL_FINISH_WAIT, &f->e), S_OK);
    ok(f, "SET 'execution.runtime-mode' = 'batch'");
    expect(f, "SELECT COUNT(*), MIN(job_number), MAX(job_number) FROM sys.jobs WHERE status = 'FINISHED'",
           "100 31 130\n");
}

/* Each failure brings it back. */
static void end_all(struct fixture *f)
{
    while (sql_session_running(f->session) > 0)
        assert_int_equal(sql_session_finish(f->session, SQL_FINISH_WAIT, &f->e), S_OK);
}

static void no_failure_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct sql_failed_job j;
    uint32_t told = 0;

    ok(f, "CREATE VIEW v AS SELECT * FROM (VALUES ('u')) AS t (b)");
    for (int i = 0; i < SESSION_JOBS_MAX; i++) ok(f, "INSERT INTO sink SELECT CAST(b AS INT) FROM v");
    end_all(f);
    ok(f, "SELECT 1"); /* its job goes first */
    assert_int_equal(run(f, "INSERT INTO sink VALUES (1)"), E_DATA);
    assert_string_equal(f->e.text, BAD "25, row +I[u]");
    while (sql_session_failed(f->session, &j)) told++;
    assert_int_equal(told, SESSION_JOBS_MAX - 1);
    ok(f, "INSERT INTO sink VALUES (1)");
}

/* --- places ------------------------------------------------------------------------------------------------------ */
static void expect_place(struct fixture *f, const char *path, const char *place)
{
    const char *got = job_place_of_file(path, f->sys, &f->arena);

    assert_string_equal(got != NULL ? got : "(none)", place);
}

static void places_are_compared(void **state)
{
    struct fixture *f = *state;

    expect_place(f, "/a/b", "/a/b");
    expect_place(f, "file:///a//./b/../c/", "/a/c");
    expect_place(f, "/a/day=*/x.csv", "/a");
    expect_place(f, "/../..", "");
    expect_place(f, "gopher://x/y", "(none)");
    assert_true(job_places_touch("/a/b", "/a/b"));
    assert_true(job_places_touch("/a", "/a/b"));
    assert_true(job_places_touch("/a/b/c", "/a/b"));
    assert_false(job_places_touch("/a/b", "/a/bc"));
    assert_false(job_places_touch("/a/b", "/a/c"));
    assert_true(job_places_touch("", "/a"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(jobs_go_on),
        CASE(what_has_no_end_can_be_left),
        CASE(one_is_awaited),
        CASE(reading_waits_for_writing),
        CASE(what_has_no_end_is_not_waited_for),
        CASE(failures_are_told),
        CASE(not_too_many_run),
        CASE(the_latest_are_known),
        CASE(no_failure_is_forgotten),
        CASE(places_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
