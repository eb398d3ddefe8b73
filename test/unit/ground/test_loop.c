/* test_loop.c - the event loop on the Linux world: files, timers, posts, their limits, and what a callback may do to the
 * others. Nothing sleeps: bytes are there before the turn that must see them, and whoever waits, waits for an event. */
#include "ground/net/loop.h"

#include "ground/base/buf.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/folder.h"

struct scene {
    struct sys *sys;
    struct loop *loop;
    struct err err;
    struct mem mem;
    struct buf said;
    struct loop_watch *watch[4];
    struct sys_file *pair[2];
    struct loop_timer *timer;
    int64_t now_ns;
};

static struct sys_ops hand_ops;
static struct scene scene;

static int64_t hand_mono_ns(struct sys *s)
{
    (void)s;
    return scene.now_ns;
}

static int set_up(void **state)
{
    struct scene *s = *state = &scene;
    static const struct loop_limits limits = {.watches = 3, .timers = 200, .posts = 4};

    *s = (struct scene){.sys = sys_linux_create_quiet(), .now_ns = 1000};
    hand_ops = *s->sys->ops;
    hand_ops.mono_ns = hand_mono_ns; /* what epoll waits for is real, which timers are due is decided by hand */
    s->sys->ops = &hand_ops;
    mem_init(&s->mem, "test", 0);
    buf_init(&s->said, &s->mem);
    assert_int_equal(loop_create(s->sys, "test", &limits, &s->loop, &s->err), S_OK);
    assert_int_equal(sys_socket_pair(s->sys, s->pair, &s->err), S_OK);
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    loop_free(s->loop);
    for (int i = 0; i < 2; i++) sys_file_close(s->sys, s->pair[i]);
    mem_release(&s->mem);
    sys_linux_free(s->sys);
    return 0;
}

/* --- saying what is called -------------------------------------------------------------------------------------------- */
static void say(void *text) { buf_append_text(&scene.said, text); }

static void say_ready(void *text, uint32_t ready)
{
    buf_printf(&scene.said, "%s%s%s ", (const char *)text, ready & SYS_READY_READ ? "r" : "",
               ready & SYS_READY_WRITE ? "w" : "");
}

/* One turn that does not wait; what was called. */
static const char *turn(struct scene *s)
{
    uint32_t did;

    buf_clear(&s->said);
    assert_int_equal(loop_turn(s->loop, 0, &did, &s->err), S_OK);
    return buf_text(&s->said);
}

static void put(struct scene *s, int end, const char *text)
{
    size_t done;

    assert_int_equal(sys_file_write_some(s->sys, s->pair[end], text, strlen(text), &done, &s->err), S_OK);
    assert_int_equal(done, strlen(text));
}

static enum status take(struct scene *s, int end, char *out, size_t size)
{
    size_t got;
    enum status st = sys_file_read_some(s->sys, s->pair[end], out, size - 1, &got, &s->err);

    out[got] = '\0';
    return st;
}

static void watch(struct scene *s, int number, struct sys_file *f, uint32_t events, loop_ready_fn fn, void *arg)
{
    assert_int_equal(loop_watch(s->loop, f, events, fn, arg, &s->watch[number], &s->err), S_OK);
}

/* --- files ------------------------------------------------------------------------------------------------------------ */
static void files_are_ready_as_long_as_they_are(void **state)
{
    struct scene *s = *state;
    char text[16];

    watch(s, 0, s->pair[0], SYS_READY_READ, say_ready, "a");
    assert_string_equal(turn(s), "");
    assert_int_equal(take(s, 0, text, sizeof text), S_IDLE);
    put(s, 1, "hello");
    assert_string_equal(turn(s), "ar ");
    assert_string_equal(turn(s), "ar ");
    assert_int_equal(take(s, 0, text, 3), S_OK);
    assert_string_equal(text, "he");
    assert_string_equal(turn(s), "ar ");
    assert_int_equal(take(s, 0, text, sizeof text), S_OK);
    assert_string_equal(text, "llo");
    assert_string_equal(turn(s), "");
    assert_int_equal(loop_watch_set(s->loop, s->watch[0], SYS_READY_READ | SYS_READY_WRITE, &s->err), S_OK);
    assert_string_equal(turn(s), "aw ");
    assert_int_equal(loop_watch_set(s->loop, s->watch[0], 0, &s->err), S_OK);
    put(s, 1, "!");
    assert_string_equal(turn(s), "");
    assert_int_equal(loop_watch_set(s->loop, s->watch[0], SYS_READY_READ, &s->err), S_OK);
    sys_file_close(s->sys, s->pair[1]);
    s->pair[1] = NULL;
    assert_string_equal(turn(s), "arw "); /* the connection is gone */
    assert_int_equal(take(s, 0, text, sizeof text), S_OK);
    assert_string_equal(text, "!");
    assert_int_equal(take(s, 0, text, sizeof text), S_OK);
    assert_string_equal(text, ""); /* the end */
    loop_unwatch(s->loop, s->watch[0]);
    assert_string_equal(turn(s), "");
}

static void once_is_once(void **state)
{
    struct scene *s = *state;
    uint32_t once = SYS_READY_READ | SYS_READY_ONCE;

    watch(s, 0, s->pair[0], once, say_ready, "a");
    put(s, 1, "x");
    assert_string_equal(turn(s), "ar ");
    put(s, 1, "y");
    assert_string_equal(turn(s), "");
    assert_int_equal(loop_watch_set(s->loop, s->watch[0], once, &s->err), S_OK);
    assert_string_equal(turn(s), "ar "); /* what is there already counts */
    sys_file_close(s->sys, s->pair[1]);
    s->pair[1] = NULL;
    assert_string_equal(turn(s), "");
    assert_int_equal(loop_watch_set(s->loop, s->watch[0], 0, &s->err), S_OK);
    assert_string_equal(turn(s), ""); /* asked for nothing, not even the other's end is said */
    loop_unwatch(s->loop, s->watch[0]);
}

static void a_full_connection_is_not_ready_to_write(void **state)
{
    struct scene *s = *state;
    static char block[65536];
    size_t done, sent = 0, got;
    enum status st;

    watch(s, 0, s->pair[0], SYS_READY_WRITE, say_ready, "a");
    while ((st = sys_file_write_some(s->sys, s->pair[0], block, sizeof block, &done, &s->err)) == S_OK) sent += done;
    assert_int_equal(st, S_IDLE);
    assert_true(sent > 0);
    assert_string_equal(turn(s), "");
    while (sent > 0) {
        assert_int_equal(sys_file_read_some(s->sys, s->pair[1], block, sizeof block, &got, &s->err), S_OK);
        sent -= got;
    }
    assert_string_equal(turn(s), "aw ");
    sys_file_close(s->sys, s->pair[1]);
    s->pair[1] = NULL;
    assert_int_equal(sys_file_write_some(s->sys, s->pair[0], block, 1, &done, &s->err), E_PIPE);
    assert_string_equal(s->err.text, "cannot write 'a pair of sockets': the reader went away");
    loop_unwatch(s->loop, s->watch[0]);
}

/* Pipes wait, files on disk and /dev/null never do. */
static void any_file_may_be_watched(void **state)
{
    struct scene *s = *state;
    struct folder folder;
    struct sys_file *disk = NULL, *pipe = NULL, *end = NULL, *null = NULL;
    char text[8];
    size_t got;

    folder_make(&folder);
    folder_write(&folder, "disk", "12");
    assert_int_equal(mkfifo(folder_path(&folder, "pipe"), 0600), 0);
    assert_int_equal(sys_file_open(s->sys, folder_path(&folder, "disk"), SYS_READ, &disk, &s->err), S_OK);
    assert_int_equal(sys_file_open(s->sys, "/dev/null", SYS_READ, &null, &s->err), S_OK);
    assert_int_equal(sys_file_open(s->sys, folder_path(&folder, "pipe"), SYS_READ | SYS_STREAM, &pipe, &s->err), S_OK);
    assert_int_equal(sys_file_open(s->sys, folder_path(&folder, "pipe"), SYS_WRITE, &end, &s->err), S_OK);
    watch(s, 0, pipe, SYS_READY_READ, say_ready, "pipe");
    watch(s, 1, disk, SYS_READY_READ, say_ready, "disk");
    watch(s, 2, null, SYS_READY_READ | SYS_READY_ONCE, say_ready, "null");
    assert_string_equal(turn(s), "nullr diskr ");
    assert_string_equal(turn(s), "diskr ");
    assert_int_equal(sys_file_read_some(s->sys, pipe, text, sizeof text, &got, &s->err), S_IDLE);
    assert_int_equal(sys_file_write(s->sys, end, "abc", 3, &s->err), S_OK);
    assert_string_equal(turn(s), "diskr piper ");
    loop_unwatch(s->loop, s->watch[1]);
    assert_string_equal(turn(s), "piper ");
    assert_int_equal(sys_file_read_some(s->sys, pipe, text, sizeof text, &got, &s->err), S_OK);
    assert_int_equal(got, 3);
    assert_int_equal(sys_file_read_some(s->sys, disk, text, sizeof text, &got, &s->err), S_OK);
    assert_int_equal(got, 2);
    loop_unwatch(s->loop, s->watch[0]);
    loop_unwatch(s->loop, s->watch[2]);
    sys_file_close(s->sys, end);
    sys_file_close(s->sys, pipe);
    sys_file_close(s->sys, null);
    sys_file_close(s->sys, disk);
    folder_remove(&folder);
}

/* Standard input is one file to the system, but whoever watches it is told. */
static void standard_input_may_be_watched_twice(void **state)
{
    struct scene *s = *state;
    struct sys_file *in[2];
    int ends[2], own = dup(0);

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], 0), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sys_file_standard(s->sys, 0, &in[i], &s->err), S_OK);
        watch(s, i, in[i], SYS_READY_READ, say_ready, i == 0 ? "a" : "b");
    }
    assert_string_equal(turn(s), "");
    assert_int_equal(write(ends[1], "x", 1), 1);
    const char *said = turn(s); /* in any order */
    assert_true(strcmp(said, "ar br ") == 0 || strcmp(said, "br ar ") == 0);
    for (int i = 0; i < 2; i++) {
        loop_unwatch(s->loop, s->watch[i]);
        sys_file_close(s->sys, in[i]);
    }
    assert_string_equal(turn(s), "");
    assert_int_equal(dup2(own, 0), 0);
    close(own);
    for (int i = 0; i < 2; i++) close(ends[i]);
}

/* --- unwatching inside callbacks --------------------------------------------------------------------------------------- */
static int numbers[] = {0, 1};
static struct sys_file *third;

static void end_the_other(void *arg, uint32_t ready)
{
    int own = *(int *)arg;

    assert_int_equal(ready, SYS_READY_WRITE);
    buf_printf(&scene.said, "%d ", own);
    loop_unwatch(scene.loop, scene.watch[1 - own]);
    scene.watch[1 - own] = NULL;
    /* the record of the one that is gone serves somebody else in the same turn */
    watch(&scene, 2, third, SYS_READY_READ, say_ready, "third");
}

static void end_itself(void *arg, uint32_t ready)
{
    (void)ready;
    say("itself ");
    loop_unwatch(scene.loop, *(struct loop_watch **)arg);
}

static void who_is_unwatched_is_not_called(void **state)
{
    struct scene *s = *state;
    struct sys_file *more[2];

    assert_int_equal(sys_socket_pair(s->sys, more, &s->err), S_OK);
    third = more[0];
    watch(s, 0, s->pair[0], SYS_READY_WRITE, end_the_other, &numbers[0]);
    watch(s, 1, s->pair[1], SYS_READY_WRITE, end_the_other, &numbers[1]);
    assert_string_equal(turn(s), "0 "); /* both were ready */
    assert_non_null(s->watch[0]);
    loop_unwatch(s->loop, s->watch[0]);
    assert_string_equal(turn(s), ""); /* the third is not ready, whatever became of the record it has */
    watch(s, 0, s->pair[0], SYS_READY_WRITE, end_itself, &s->watch[0]);
    assert_string_equal(turn(s), "itself ");
    assert_string_equal(turn(s), "");
    loop_unwatch(s->loop, s->watch[2]);
    for (int i = 0; i < 2; i++) sys_file_close(s->sys, more[i]);
}

static void watches_are_bounded(void **state)
{
    struct scene *s = *state;
    struct loop_watch *none = NULL;
    struct sys_file *more[2];

    assert_int_equal(sys_socket_pair(s->sys, more, &s->err), S_OK);
    watch(s, 0, s->pair[0], SYS_READY_READ, say_ready, "a");
    watch(s, 1, s->pair[1], SYS_READY_READ, say_ready, "b");
    watch(s, 2, more[0], SYS_READY_READ, say_ready, "c");
    assert_int_equal(loop_watch(s->loop, more[1], SYS_READY_READ, say_ready, "d", &none, &s->err), E_BUDGET);
    assert_string_equal(s->err.text, "loop 'test' watches 3 files already, its limit");
    loop_unwatch(s->loop, s->watch[1]);
    watch(s, 1, more[1], SYS_READY_WRITE, say_ready, "d");
    assert_string_equal(turn(s), "dw ");
    for (int i = 0; i < 3; i++) loop_unwatch(s->loop, s->watch[i]);
    for (int i = 0; i < 2; i++) sys_file_close(s->sys, more[i]);
}

/* --- timers ------------------------------------------------------------------------------------------------------------ */
static void at(struct scene *s, int64_t due_ns, char *text)
{
    assert_int_equal(loop_timer(s->loop, due_ns, say, text, &s->timer, &s->err), S_OK);
}

static void timers_come_in_order(void **state)
{
    struct scene *s = *state;

    at(s, 1003, "c");
    at(s, 1001, "a");
    at(s, 1003, "d");
    at(s, 1002, "b");
    assert_string_equal(turn(s), "");
    s->now_ns = 1001;
    assert_string_equal(turn(s), "a");
    at(s, 1002, "never");
    loop_timer_cancel(s->loop, s->timer);
    s->now_ns = 2000;
    assert_string_equal(turn(s), "bcd");
    assert_string_equal(turn(s), "");
}

static void say_and_set(void *arg)
{
    struct scene *s = arg;

    say("x");
    assert_int_equal(loop_timer(s->loop, 0, say_and_set, s, &s->timer, &s->err), S_OK);
    assert_int_equal(loop_post(s->loop, say, "p"), S_OK);
}

/* Who sets a timer that is due at once is called in the next turn: the others have theirs first. */
static void a_timer_may_set_timers(void **state)
{
    struct scene *s = *state;

    assert_int_equal(loop_timer(s->loop, 0, say_and_set, s, &s->timer, &s->err), S_OK);
    at(s, 0, "y");
    assert_string_equal(turn(s), "xy");
    assert_string_equal(turn(s), "px");
    loop_timer_cancel(s->loop, s->timer);
    assert_string_equal(turn(s), "p");
    assert_string_equal(turn(s), "");
}

static void timers_are_bounded_and_canceled_ones_go(void **state)
{
    struct scene *s = *state;
    struct loop_timer *timers[200];

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 200; i++) {
            at(s, 5000 + (i * 7919) % 200, i % 50 == 0 ? "k" : "-");
            timers[i] = s->timer;
        }
        assert_int_equal(loop_timer(s->loop, 1, say, "-", NULL, &s->err), E_BUDGET);
        assert_string_equal(s->err.text, "loop 'test' has 200 timers already, its limit");
        err_clear(&s->err);
        for (int i = 0; i < 200; i++)
            if (i % 50 != 0 || round < 4) loop_timer_cancel(s->loop, timers[i]);
    }
    s->now_ns = 4999;
    assert_string_equal(turn(s), "");
    s->now_ns = 6000;
    assert_string_equal(turn(s), "kkkk");
}

/* --- posts ------------------------------------------------------------------------------------------------------------- */
static void posts_are_bounded_and_in_order(void **state)
{
    struct scene *s = *state;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) assert_int_equal(loop_post(s->loop, say, i % 2 == 0 ? "a" : "b"), S_OK);
        assert_int_equal(loop_post(s->loop, say, "c"), S_FULL);
        assert_string_equal(turn(s), "abab");
    }
}

enum { SENDERS = 3, CALLS = 2000 };

struct sender {
    struct scene *scene;
    int next, missed;
    struct sys_atomic_u64 *count;
};

static void count_call(void *arg)
{
    struct sys_atomic_u64 *count = arg;

    if (sys_atomic_add(count, 1) + 1 == SENDERS * CALLS) loop_stop(scene.loop);
}

static void post_often(void *arg)
{
    struct sender *sender = arg;

    while (sender->next < CALLS) {
        if (loop_post(sender->scene->loop, count_call, sender->count) == S_OK)
            sender->next++;
        else
            sender->missed++;
    }
}

/* A lost wake-up would hang: the loop waits without end, and nothing but posts wakes it. */
static void every_post_of_other_threads_is_called(void **state)
{
    struct scene *s = *state;
    struct sys_atomic_u64 count = {0};
    struct sender senders[SENDERS];
    struct sys_thread *threads[SENDERS];

    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.scene = s, .count = &count};
        assert_int_equal(sys_thread_start(s->sys, "sender", post_often, &senders[i], &threads[i], &s->err), S_OK);
    }
    assert_int_equal(loop_run(s->loop, &s->err), S_OK);
    for (int i = 0; i < SENDERS; i++) sys_thread_join(s->sys, threads[i]);
    assert_int_equal(sys_atomic_load(&count), SENDERS * CALLS);
}

static void stop_before_run(void **state)
{
    struct scene *s = *state;

    loop_stop(s->loop);
    assert_int_equal(loop_post(s->loop, say, "last"), S_OK);
    assert_int_equal(loop_run(s->loop, &s->err), S_OK);
    assert_string_equal(buf_text(&s->said), "last");
}

/* --- connections: a server and a client on one loop -------------------------------------------------------------------- */
enum { MESSAGE_BYTES = 3000000 };

struct peer {
    struct scene *scene;
    struct sys_file *file;
    struct loop_watch *watch;
    bool is_connected;
    int64_t moved;
};
struct meeting {
    struct scene *scene;
    struct sys_file *listener;
    struct loop_watch *watch;
    struct peer server, client;
};

/* Reads all there is; the end stops the loop. */
static void server_ready(void *arg, uint32_t ready)
{
    struct peer *p = arg;
    static unsigned char bytes[65536];
    size_t got;
    enum status st;

    assert_true(ready & SYS_READY_READ);
    while ((st = sys_file_read_some(p->scene->sys, p->file, bytes, sizeof bytes, &got, &p->scene->err)) == S_OK &&
           got > 0)
        for (size_t i = 0; i < got; i++) assert_int_equal(bytes[i], (unsigned char)(p->moved++ % 251));
    if (st == S_IDLE) return;
    assert_int_equal(st, S_OK);
    loop_unwatch(p->scene->loop, p->watch);
    loop_stop(p->scene->loop);
}

static void listener_ready(void *arg, uint32_t ready)
{
    struct meeting *m = arg;
    struct scene *s = m->scene;
    struct sys_file *another = NULL;

    assert_int_equal(ready, SYS_READY_READ);
    assert_int_equal(sys_socket_accept(s->sys, m->listener, &m->server.file, &s->err), S_OK);
    assert_int_equal(sys_socket_accept(s->sys, m->listener, &another, &s->err), S_IDLE);
    assert_int_equal(
        loop_watch(s->loop, m->server.file, SYS_READY_READ, server_ready, &m->server, &m->server.watch, &s->err), S_OK);
}

static void client_ready(void *arg, uint32_t ready)
{
    struct peer *p = arg;
    unsigned char bytes[8192];
    size_t done = 1;
    enum status st = S_OK;

    assert_true(ready & SYS_READY_WRITE);
    if (!p->is_connected) assert_int_equal(sys_socket_finish(p->scene->sys, p->file, &p->scene->err), S_OK);
    p->is_connected = true;
    while (st == S_OK && p->moved < MESSAGE_BYTES) {
        size_t size = MIN(sizeof bytes, (size_t)(MESSAGE_BYTES - p->moved));
        for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)((p->moved + (int64_t)i) % 251);
        st = sys_file_write_some(p->scene->sys, p->file, bytes, size, &done, &p->scene->err);
        if (st == S_OK) p->moved += (int64_t)done;
    }
    if (st == S_IDLE) return;
    assert_int_equal(st, S_OK);
    loop_unwatch(p->scene->loop, p->watch);
    sys_file_close(p->scene->sys, p->file);
}

static int listen_at(struct scene *s, struct sys_file **out, struct sys_address *at_port)
{
    struct sys_address list[SYS_ADDRESSES_MAX];
    uint32_t count;
    int port;

    assert_int_equal(sys_address_find(s->sys, "127.0.0.1", 0, true, list, &count, &s->err), S_OK);
    assert_int_equal(count, 1);
    assert_int_equal(sys_socket_listen(s->sys, &list[0], out, &port, &s->err), S_OK);
    assert_true(port > 0);
    assert_int_equal(sys_address_find(s->sys, "127.0.0.1", port, true, list, &count, &s->err), S_OK);
    *at_port = list[0];
    return port;
}

static void connections(void **state)
{
    struct scene *s = *state;
    struct meeting m = {.scene = s, .server.scene = s, .client.scene = s};
    struct sys_address address, other;
    char text[80];
    int port = listen_at(s, &m.listener, &address), another;
    uint32_t count;

    assert_int_equal(loop_watch(s->loop, m.listener, SYS_READY_READ, listener_ready, &m, &m.watch, &s->err), S_OK);
    assert_int_equal(sys_socket_begin(s->sys, &address, &m.client.file, &s->err), S_OK);
    assert_int_equal(
        loop_watch(s->loop, m.client.file, SYS_READY_WRITE, client_ready, &m.client, &m.client.watch, &s->err), S_OK);
    assert_int_equal(loop_run(s->loop, &s->err), S_OK);
    assert_int_equal(m.client.moved, MESSAGE_BYTES);
    assert_int_equal(m.server.moved, MESSAGE_BYTES);
    assert_int_equal(sys_socket_listen(s->sys, &address, &m.client.file, &another, &s->err), E_EXISTS);
    snprintf(text, sizeof text, "cannot listen at '127.0.0.1:%d': somebody else has that port", port);
    assert_string_equal(s->err.text, text);
    err_clear(&s->err);
    sys_file_close(s->sys, m.server.file);
    loop_unwatch(s->loop, m.watch);
    sys_file_close(s->sys, m.listener);
    assert_int_equal(sys_address_find(s->sys, "localhost", port, true, &other, &count, &s->err), S_IDLE); /* a name */
}

static void note_finish(void *arg, uint32_t ready)
{
    struct peer *p = arg;

    assert_true(ready & SYS_READY_WRITE);
    assert_int_equal(sys_socket_finish(p->scene->sys, p->file, &p->scene->err), E_IO);
    loop_unwatch(p->scene->loop, p->watch);
    loop_stop(p->scene->loop);
}

static void nobody_listens(void **state)
{
    struct scene *s = *state;
    struct peer p = {.scene = s};
    struct sys_address address;
    struct sys_file *listener = NULL;
    char text[80];
    int port = listen_at(s, &listener, &address);

    sys_file_close(s->sys, listener);
    assert_int_equal(sys_socket_begin(s->sys, &address, &p.file, &s->err), S_OK);
    assert_int_equal(loop_watch(s->loop, p.file, SYS_READY_WRITE, note_finish, &p, &p.watch, &s->err), S_OK);
    assert_int_equal(loop_run(s->loop, &s->err), S_OK);
    snprintf(text, sizeof text, "cannot connect to '127.0.0.1:%d': connection refused", port);
    assert_string_equal(s->err.text, text);
    sys_file_close(s->sys, p.file);
}

/* A crowd of files that are always ready keeps nobody out, and all of the crowd get their turn. */
static void a_crowd_of_ready_files_keeps_nobody_out(void **state)
{
    enum { CROWD = 70, ROOM = 64 };
    struct scene *s = *state;
    struct sys_file *files[CROWD];
    struct sys_poll_event events[ROOM];
    struct sys_poll *poll;
    bool seen[CROWD] = {0}, pair_seen[3] = {0};
    uint32_t count, total = 0;
    size_t put;

    assert_int_equal(sys_poll_create(s->sys, &poll, &s->err), S_OK);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(sys_file_open(s->sys, "/dev/null", SYS_READ, &files[i], &s->err), S_OK);
        assert_int_equal(sys_poll_set(s->sys, poll, files[i], SYS_READY_READ, &seen[i], &s->err), S_OK);
    }
    assert_int_equal(sys_poll_set(s->sys, poll, s->pair[0], SYS_READY_READ, s, &s->err), S_OK);
    assert_int_equal(sys_file_write_some(s->sys, s->pair[1], "x", 1, &put, &s->err), S_OK);
    for (int turn = 0; turn < 3; turn++) {
        assert_int_equal(sys_poll_wait(s->sys, poll, 0, events, ROOM, &count, &s->err), S_OK);
        for (uint32_t i = 0; i < count; i++)
            if (events[i].arg == s) pair_seen[turn] = true;
            else *(bool *)events[i].arg = true;
        assert_true(pair_seen[turn]);
    }
    for (int i = 0; i < CROWD; i++) total += seen[i];
    assert_int_equal(total, CROWD);
    sys_poll_free(s->sys, poll);
    for (int i = 0; i < CROWD; i++) sys_file_close(s->sys, files[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_ready_as_long_as_they_are),
        TEST(once_is_once),
        TEST(a_full_connection_is_not_ready_to_write),
        TEST(any_file_may_be_watched),
        TEST(standard_input_may_be_watched_twice),
        TEST(who_is_unwatched_is_not_called),
        TEST(watches_are_bounded),
        TEST(timers_come_in_order),
        TEST(a_timer_may_set_timers),
        TEST(timers_are_bounded_and_canceled_ones_go),
        TEST(posts_are_bounded_and_in_order),
        TEST(every_post_of_other_threads_is_called),
        TEST(stop_before_run),
        TEST(connections),
        TEST(nobody_listens),
        TEST(a_crowd_of_ready_files_keeps_nobody_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
