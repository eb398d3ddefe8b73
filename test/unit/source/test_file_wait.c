/* test_file_wait.c - tasks that wait for files by their job's event loop. The test is the worker: it parks without a limit, so
 * a wake-up that gets lost hangs. */
#include "flow/source/file_wait.h"

#include "flow/task/job_shared.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { WAITS = 50 };

struct scene {
    struct sys *sys;
    struct job_shared *job;
    struct mem mem;
    struct err err;
    struct op_cx op;
    struct sys_file *far; /* the other end */
    struct file_wait *wait;
};

static struct sys_ops counting_ops;
static const struct sys_ops *plain_ops;
static struct sys_atomic_u64 threads, closes;

static enum status count_thread(struct sys *s, const char *name, sys_thread_fn fn, void *arg, struct sys_thread **out,
                                struct err *e)
{
    sys_atomic_add(&threads, 1);
    return plain_ops->thread_start(s, name, fn, arg, out, e);
}

static void count_close(struct sys *s, struct sys_file *f)
{
    sys_atomic_add(&closes, 1);
    plain_ops->file_close(s, f);
}

static void start(struct scene *s, bool with_job)
{
    struct sys_file *pair[2];

    memset(s, 0, sizeof *s);
    sys_atomic_store(&threads, 0);
    sys_atomic_store(&closes, 0);
    s->sys = sys_linux_create_quiet();
    plain_ops = s->sys->ops;
    counting_ops = *plain_ops;
    counting_ops.thread_start = count_thread;
    counting_ops.file_close = count_close;
    s->sys->ops = &counting_ops;
    mem_init(&s->mem, "test", 0);
    if (with_job) s->job = job_shared_create(s->sys, "test", NULL);
    s->op = (struct op_cx){.name = "source", .sys = s->sys, .mem = &s->mem, .err = &s->err, .job = s->job};
    s->op.parker = sys_parker_create(s->sys);
    assert_int_equal(sys_socket_pair(s->sys, pair, &s->err), S_OK);
    s->wait = file_wait_create(&s->op, pair[0]);
    s->far = pair[1];
}

/* The task goes first, and its worker with it; the job's shared objects are the last. */
static void stop(struct scene *s)
{
    file_wait_close(s->wait);
    sys_parker_free(s->sys, s->op.parker);
    job_shared_free(s->job);
    sys_file_close(s->sys, s->far);
    assert_int_equal(s->mem.used, 0);
    mem_release(&s->mem);
    sys_linux_free(s->sys);
}

static void put(struct scene *s, const char *text)
{
    size_t done;

    assert_int_equal(sys_file_write_some(s->sys, s->far, text, strlen(text), &done, &s->err), S_OK);
    assert_int_equal(done, strlen(text));
}

static const char *take(struct scene *s, enum status expected)
{
    static char text[64];
    size_t got = 0;

    assert_int_equal(file_wait_read(s->wait, text, sizeof text - 1, &got, &s->err), expected);
    text[got] = '\0';
    return text;
}

static void sleep_until_ready(struct scene *s)
{
    while (!file_wait_is_ready(s->wait)) sys_park(s->sys, s->op.parker, INT64_MAX);
}

static void what_is_there_makes_no_loop(void **state)
{
    struct scene s;

    (void)state;
    start(&s, true);
    put(&s, "one");
    assert_string_equal(take(&s, S_OK), "one");
    assert_int_equal(sys_atomic_load(&threads), 0);
    file_wait_close(s.wait);
    s.wait = NULL;
    assert_int_equal(sys_atomic_load(&closes), 1);
    stop(&s);
}

static void who_waits_is_woken(void **state)
{
    struct scene s;

    (void)state;
    start(&s, true);
    for (int round = 0; round < 100; round++) {
        take(&s, S_IDLE);
        assert_false(file_wait_is_ready(s.wait));
        take(&s, S_IDLE); /* asked in vain: nothing is called for that */
        put(&s, "two");
        sleep_until_ready(&s);
        assert_string_equal(take(&s, S_OK), "two");
    }
    take(&s, S_IDLE);
    sys_file_close(s.sys, s.far);
    s.far = NULL;
    sleep_until_ready(&s);
    take(&s, S_END);
    assert_int_equal(sys_atomic_load(&threads), 1);
    stop(&s);
}

static void write_later(void *arg)
{
    struct scene *s = arg;

    put(s, "three");
}

/* The bytes come at any moment of arming and parking. */
static void bytes_of_another_thread(void **state)
{
    struct scene s;
    struct sys_thread *t;

    (void)state;
    start(&s, true);
    for (int round = 0; round < 100; round++) {
        assert_int_equal(sys_thread_start(s.sys, "writer", write_later, &s, &t, &s.err), S_OK);
        size_t got = 0;
        char text[16];
        enum status st;
        while ((st = file_wait_read(s.wait, text, sizeof text, &got, &s.err)) == S_IDLE) sleep_until_ready(&s);
        assert_int_equal(st, S_OK);
        assert_int_equal(got, 5);
        sys_thread_join(s.sys, t);
    }
    stop(&s);
}

/* One thread for all; each that is closed while it waits, ready or not, ends without waking anybody. */
static void many_wait_and_end(void **state)
{
    struct scene s;
    struct file_wait *waits[WAITS];
    struct sys_file *far[WAITS], *pair[2];
    size_t done;

    (void)state;
    start(&s, true);
    for (int i = 0; i < WAITS; i++) {
        assert_int_equal(sys_socket_pair(s.sys, pair, &s.err), S_OK);
        waits[i] = file_wait_create(&s.op, pair[0]);
        far[i] = pair[1];
        assert_int_equal(file_wait_arm(waits[i], SYS_READY_READ, &s.err), S_OK);
        assert_ptr_equal(file_wait_file(waits[i]), pair[0]);
    }
    for (int i = 0; i < WAITS; i += 2)
        assert_int_equal(sys_file_write_some(s.sys, far[i], "x", 1, &done, &s.err), S_OK);
    for (int i = 0; i < WAITS; i++) file_wait_close(waits[i]);
    sys_parker_free(s.sys, s.op.parker);
    s.op.parker = NULL;
    for (int i = 0; i < WAITS; i++) sys_file_close(s.sys, far[i]);
    assert_int_equal(sys_atomic_load(&threads), 1);
    stop(&s);
    assert_int_equal(sys_atomic_load(&closes), 2 * WAITS + 2);
}

static void without_a_job_one_asks_by_hand(void **state)
{
    struct scene s;

    (void)state;
    start(&s, false);
    take(&s, S_IDLE);
    assert_true(file_wait_is_ready(s.wait));
    put(&s, "four");
    assert_string_equal(take(&s, S_OK), "four");
    assert_int_equal(sys_atomic_load(&threads), 0);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_makes_no_loop),    cmocka_unit_test(who_waits_is_woken),
        cmocka_unit_test(bytes_of_another_thread),        cmocka_unit_test(many_wait_and_end),
        cmocka_unit_test(without_a_job_one_asks_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
