/* test_sim_loop.c - the event loop in the simulated world: timers in virtual time, connections whose reads and writes bring a
 * part, posts of other threads, and that a seed decides all of it. */
#include "ground/net/loop.h"
#include "sim/world.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { SEEDS = 30, BYTES = 300000, CALLS = 100 };
#define HOUR_NS INT64_C(3600000000000)

struct end {
    struct scene *scene;
    struct sys_file *file;
    struct loop_watch *watch;
    int64_t sent, got;
};

struct scene {
    struct sim_world *world;
    struct sys *sys;
    struct loop *loop;
    struct err err;
    struct end client, server;
    struct sys_file *listener;
    struct loop_watch *waits;
    struct sys_parker *room;
    int64_t due_ns, called_ns, calls;
};

/* Runs fn as the first thread; the trace. */
static uint64_t play(struct scene *s, uint64_t seed, sys_thread_fn fn)
{
    struct mem mem;
    struct buf report;

    mem_init(&mem, "test", 0);
    buf_init(&report, &mem);
    *s = (struct scene){.world = sim_world_create(seed, seed == 0)};
    s->sys = &s->world->sys;
    s->client.scene = s->server.scene = s;
    enum sim_end end = sim_world_run(s->world, fn, s, &report);
    if (end != SIM_FINISHED) fail_msg("seed %d: %s", (int)seed, buf_text(&report));
    assert_int_equal(s->err.status, S_OK);
    uint64_t trace = s->world->trace;
    buf_release(&report);
    mem_release(&mem);
    sim_world_free(s->world);
    return trace;
}

static void begin(struct scene *s)
{
    static const struct loop_limits limits = {.watches = 3, .posts = 4};

    assert_int_equal(loop_create(s->sys, "test", &limits, &s->loop, &s->err), S_OK);
}

/* --- timers ------------------------------------------------------------------------------------------------------------ */
static void note_time(void *arg)
{
    struct scene *s = arg;

    s->called_ns = sys_mono_ns(s->sys);
    loop_stop(s->loop);
}

static void wait_an_hour(void *arg)
{
    struct scene *s = arg;

    begin(s);
    s->due_ns = sys_mono_ns(s->sys) + HOUR_NS;
    assert_int_equal(loop_timer(s->loop, s->due_ns, note_time, s, NULL, &s->err), S_OK);
    assert_int_equal(loop_run(s->loop, &s->err), S_OK);
    loop_free(s->loop);
}

static void timers_follow_virtual_time(void **state)
{
    struct scene s;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        play(&s, seed, wait_an_hour);
        assert_in_range(s.called_ns - s.due_ns, 0, 1000000);
    }
}

static void count_timer(void *arg)
{
    struct scene *s = arg;

    if (++s->calls == CALLS) loop_stop(s->loop);
}

/* Time passes while the loop looks how long it may wait. */
static void wait_often(void *arg)
{
    struct scene *s = arg;
    int64_t now;

    begin(s);
    now = sys_mono_ns(s->sys);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(loop_timer(s->loop, now + i * 20000, count_timer, s, NULL, &s->err), S_OK);
    assert_int_equal(loop_run(s->loop, &s->err), S_OK);
    loop_free(s->loop);
}

static void timers_close_together(void **state)
{
    struct scene s;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        play(&s, seed, wait_often);
        assert_int_equal(s.calls, CALLS);
    }
}

/* --- connections -------------------------------------------------------------------------------------------------------- */
static unsigned char byte_at(int64_t i) { return (unsigned char)(i * 31 % 251); }

static void take_bytes(struct end *end)
{
    struct scene *s = end->scene;
    unsigned char bytes[5000];
    enum status st;
    size_t got;

    while ((st = sys_file_read_some(s->sys, end->file, bytes, sizeof bytes, &got, &s->err)) == S_OK && got > 0)
        for (size_t i = 0; i < got; i++) assert_int_equal(bytes[i], byte_at(end->got++));
    if (st == S_IDLE) return;
    assert_int_equal(st, S_OK);
    loop_unwatch(s->loop, end->watch);
    sys_file_close(s->sys, end->file);
    loop_stop(s->loop);
}

static void server_ready(void *arg, uint32_t ready)
{
    assert_true((ready & SYS_READY_READ) != 0);
    take_bytes(arg);
}

static void listener_ready(void *arg, uint32_t ready)
{
    struct scene *s = arg;

    assert_int_equal(ready, SYS_READY_READ);
    assert_int_equal(sys_socket_accept(s->sys, s->listener, &s->server.file, &s->err), S_OK);
    assert_int_equal(
        loop_watch(s->loop, s->server.file, SYS_READY_READ, server_ready, &s->server, &s->server.watch, &s->err), S_OK);
}

static void client_ready(void *arg, uint32_t ready)
{
    struct end *end = arg;
    struct scene *s = end->scene;
    unsigned char bytes[7000];
    enum status st = S_OK;
    size_t put;

    assert_true((ready & SYS_READY_WRITE) != 0);
    assert_int_equal(sys_socket_finish(s->sys, end->file, &s->err), S_OK);
    while (st == S_OK && end->sent < BYTES) {
        size_t size = (size_t)MIN((int64_t)sizeof bytes, BYTES - end->sent);
        for (size_t i = 0; i < size; i++) bytes[i] = byte_at(end->sent + (int64_t)i);
        st = sys_file_write_some(s->sys, end->file, bytes, size, &put, &s->err);
        if (st == S_OK) end->sent += (int64_t)put;
    }
    if (st == S_IDLE) return;
    assert_int_equal(st, S_OK);
    loop_unwatch(s->loop, end->watch);
    sys_file_close(s->sys, end->file);
}

static void meet(void *arg)
{
    struct scene *s = arg;
    struct sys_address list[SYS_ADDRESSES_MAX];
    struct sys_file *none = NULL;
    uint32_t count;
    int port, other;

    begin(s);
    assert_int_equal(sys_address_find(s->sys, "somewhere", 80, true, list, &count, &s->err), S_IDLE);
    assert_int_equal(sys_address_find(s->sys, "somewhere", 80, false, list, &count, &s->err), S_OK);
    assert_int_equal(sys_socket_listen(s->sys, &list[0], &s->listener, &port, &s->err), S_OK);
    assert_int_equal(port, 80);
    assert_int_equal(sys_socket_listen(s->sys, &list[0], &none, &other, NULL), E_EXISTS);
    assert_int_equal(loop_watch(s->loop, s->listener, SYS_READY_READ, listener_ready, s, &s->waits, &s->err), S_OK);
    assert_int_equal(sys_socket_begin(s->sys, &list[0], &s->client.file, &s->err), S_OK);
    assert_int_equal(
        loop_watch(s->loop, s->client.file, SYS_READY_WRITE, client_ready, &s->client, &s->client.watch, &s->err),
        S_OK);
    assert_int_equal(loop_run(s->loop, &s->err), S_OK);
    loop_unwatch(s->loop, s->waits);
    sys_file_close(s->sys, s->listener);
    assert_int_equal(sys_socket_begin(s->sys, &list[0], &none, &s->err), S_OK);
    assert_int_equal(sys_socket_finish(s->sys, none, NULL), E_IO); /* nobody listens any more */
    sys_file_close(s->sys, none);
    loop_free(s->loop);
}

static void connections(void **state)
{
    struct scene s;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t trace = play(&s, seed, meet);
        assert_int_equal(s.client.sent, BYTES);
        assert_int_equal(s.server.got, BYTES);
        assert_true(play(&s, seed, meet) == trace);
    }
}

/* --- posts -------------------------------------------------------------------------------------------------------------- */
static void count_call(void *arg)
{
    struct scene *s = arg;

    if (++s->calls == CALLS) loop_stop(s->loop);
    sys_unpark(s->sys, s->room);
}

static void post_often(void *arg)
{
    struct scene *s = arg;

    for (int i = 0; i < CALLS; i++)
        while (loop_post(s->loop, count_call, s) == S_FULL) sys_park(s->sys, s->room, INT64_MAX);
}

static void run_with_sender(void *arg)
{
    struct scene *s = arg;
    struct sys_thread *t = NULL;

    begin(s);
    s->room = sys_parker_create(s->sys);
    assert_int_equal(sys_thread_start(s->sys, "sender", post_often, s, &t, &s->err), S_OK);
    assert_int_equal(loop_run(s->loop, &s->err), S_OK);
    sys_thread_join(s->sys, t);
    sys_parker_free(s->sys, s->room);
    loop_free(s->loop);
}

static void posts_of_other_threads(void **state)
{
    struct scene s;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        play(&s, seed, run_with_sender);
        assert_int_equal(s.calls, CALLS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_follow_virtual_time),
        cmocka_unit_test(timers_close_together),
        cmocka_unit_test(connections),
        cmocka_unit_test(posts_of_other_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
