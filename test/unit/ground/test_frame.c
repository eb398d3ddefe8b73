/* test_frame.c - frames over a pair of sockets, and the handshake that begins a connection: frames cut at every byte,
 * sizes that lie, bounds on what waits, ends in every place, and wrong magic, version and key. */
#include "ground/base/codec.h"
#include "ground/base/str.h"
#include "ground/net/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { TURNS_MAX = 20000 };

/* One end that notes what it hears. */
struct end {
    struct frame_conn *conn;
    uint32_t frames, rooms, overs;
    uint64_t bytes, hash;
    enum status st;
    struct err why;
    bool refuses, closes; /* in on_frame */
};

struct scene {
    struct sys *sys;
    struct loop *loop;
    struct sys_file *files[2];
    struct end ends[2];
    struct mem mem;
};

static enum status note_frame(void *arg, uint8_t kind, struct str payload, struct err *e)
{
    struct end *end = arg;

    end->frames++;
    end->bytes += payload.size;
    end->hash = end->hash * 31 + kind;
    for (size_t i = 0; i < payload.size; i++) end->hash = end->hash * 31 + (unsigned char)payload.data[i];
    if (end->closes) {
        frame_close(end->conn);
        end->conn = NULL;
    }
    return end->refuses ? err_set(e, E_DATA, "not this") : S_OK;
}

static void note_room(void *arg) { ((struct end *)arg)->rooms++; }

static void note_over(void *arg, enum status st, const struct err *why)
{
    struct end *end = arg;

    end->overs++;
    end->st = st;
    err_pass_on(&end->why, why);
}

static void scene_begin(struct scene *s)
{
    struct err e = {0};

    *s = (struct scene){.sys = sys_linux_create_quiet()};
    mem_init(&s->mem, "test", 0);
    assert_int_equal(loop_create(s->sys, "test", NULL, &s->loop, &e), S_OK);
    assert_int_equal(sys_socket_pair(s->sys, s->files, &e), S_OK);
}

static void scene_end(struct scene *s)
{
    for (int i = 0; i < 2; i++) frame_close(s->ends[i].conn);
    loop_free(s->loop);
    mem_release(&s->mem);
    sys_linux_free(s->sys);
}

static void open_end(struct scene *s, int i, const struct frame_limits *limits)
{
    struct frame_hooks hooks = {.on_frame = note_frame, .on_room = note_room, .on_over = note_over, .arg = &s->ends[i]};
    struct err e = {0};

    assert_int_equal(
        frame_open(s->loop, s->sys, s->files[i], i == 0 ? "left" : "right", limits, &hooks, &s->ends[i].conn, &e),
        S_OK);
}

/* Turns until nothing happens any more. */
static void settle(struct scene *s)
{
    struct err e = {0};
    uint32_t did = 1;

    for (int i = 0; did > 0; i++) {
        assert_true(i < TURNS_MAX);
        assert_int_equal(loop_turn(s->loop, 0, &did, &e), S_OK);
    }
}

static void put_raw(struct scene *s, const void *bytes, size_t size)
{
    struct err e = {0};
    size_t put;

    while (size > 0) {
        assert_int_equal(sys_file_write_some(s->sys, s->files[0], bytes, size, &put, &e), S_OK);
        bytes = (const char *)bytes + put;
        size -= put;
    }
}

static uint64_t hash_of(uint64_t hash, uint8_t kind, const char *text)
{
    hash = hash * 31 + kind;
    for (; *text; text++) hash = hash * 31 + (unsigned char)*text;
    return hash;
}

/* --- frames ------------------------------------------------------------------------------------------------------- */
static const unsigned char three[] = {3, 0, 0, 0, 7, 'o', 'n', 'e', 0,   0,   0,  0,
                                      8, 5, 0, 0, 0, 9,   't', 'h', 'r', 'e', 'e'};

static void frames_are_whole_wherever_they_are_cut(void **state)
{
    uint64_t wanted = hash_of(hash_of(hash_of(0, 7, "one"), 8, ""), 9, "three");

    (void)state;
    for (size_t first = 0; first <= sizeof three; first++)
        for (size_t second = first; second <= sizeof three; second++) {
            struct scene s;
            scene_begin(&s);
            open_end(&s, 1, NULL);
            put_raw(&s, three, first);
            settle(&s);
            put_raw(&s, three + first, second - first);
            settle(&s);
            put_raw(&s, three + second, sizeof three - second);
            settle(&s);
            assert_int_equal(s.ends[1].frames, 3);
            assert_true(s.ends[1].hash == wanted);
            sys_file_close(s.sys, s.files[0]);
            settle(&s);
            assert_int_equal(s.ends[1].overs, 1);
            assert_int_equal(s.ends[1].st, S_END);
            assert_string_equal(s.ends[1].why.text, "right closed the connection");
            scene_end(&s);
        }
}

static void an_end_within_a_frame_is_an_error(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < sizeof three; cut++) {
        struct scene s;
        bool between = cut == 8 || cut == 13;
        scene_begin(&s);
        open_end(&s, 1, NULL);
        put_raw(&s, three, cut);
        sys_file_close(s.sys, s.files[0]);
        settle(&s);
        assert_int_equal(s.ends[1].overs, 1);
        assert_int_equal(s.ends[1].st, between ? S_END : E_IO);
        if (!between) assert_string_equal(s.ends[1].why.text, "right closed the connection in the middle of a message");
        scene_end(&s);
    }
}

static void a_size_that_cannot_be_ends_the_connection(void **state)
{
    static const unsigned char huge[] = {1, 0, 0, 1, 7, 'x'}, over[] = {101, 0, 0, 0, 7};
    static const struct frame_limits limits = {.payload_max = 100};
    struct scene s;

    (void)state;
    scene_begin(&s);
    open_end(&s, 1, NULL);
    put_raw(&s, huge, sizeof huge);
    settle(&s);
    assert_int_equal(s.ends[1].st, E_DATA);
    assert_string_equal(
        s.ends[1].why.text,
        "right sent what is no message: its size would be 16777217 bytes, at most 16777216 are allowed");
    sys_file_close(s.sys, s.files[0]);
    scene_end(&s);
    scene_begin(&s);
    open_end(&s, 1, &limits);
    put_raw(&s, over, sizeof over);
    settle(&s);
    assert_int_equal(s.ends[1].st, E_DATA);
    sys_file_close(s.sys, s.files[0]);
    scene_end(&s);
}

static void a_hook_may_refuse_or_close(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s);
    open_end(&s, 1, NULL);
    s.ends[1].refuses = true;
    put_raw(&s, three, sizeof three);
    settle(&s);
    assert_int_equal(s.ends[1].frames, 1);
    assert_int_equal(s.ends[1].st, E_DATA);
    assert_string_equal(s.ends[1].why.text, "not this");
    sys_file_close(s.sys, s.files[0]);
    scene_end(&s);
    scene_begin(&s);
    open_end(&s, 1, NULL);
    s.ends[1].closes = true;
    put_raw(&s, three, sizeof three);
    settle(&s);
    assert_int_equal(s.ends[1].frames, 1);
    assert_int_equal(s.ends[1].overs, 0);
    sys_file_close(s.sys, s.files[0]);
    scene_end(&s);
}

/* The largest frame there is, and small ones around it, through sockets that take much less at a time. */
static void large_frames_pass_whole(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s);
    open_end(&s, 0, NULL);
    open_end(&s, 1, NULL);
    char *bytes = mem_zalloc(&s.mem, FRAME_PAYLOAD_MAX);
    for (size_t i = 0; i < FRAME_PAYLOAD_MAX; i++) bytes[i] = (char)(i % 251);
    assert_int_equal(frame_send(s.ends[0].conn, 1, "a", 1), S_OK);
    assert_int_equal(frame_send(s.ends[0].conn, 2, bytes, FRAME_PAYLOAD_MAX), S_OK);
    assert_int_equal(frame_send(s.ends[0].conn, 3, "b", 1), S_FULL);
    settle(&s);
    assert_int_equal(s.ends[0].rooms, 1);
    assert_int_equal(frame_send(s.ends[0].conn, 3, "b", 1), S_OK);
    settle(&s);
    assert_int_equal(s.ends[1].frames, 3);
    assert_int_equal(s.ends[1].bytes, FRAME_PAYLOAD_MAX + 2);
    uint64_t wanted = hash_of(0, 1, "a") * 31 + 2;
    for (size_t i = 0; i < FRAME_PAYLOAD_MAX; i++) wanted = wanted * 31 + i % 251;
    assert_true(s.ends[1].hash == hash_of(wanted, 3, "b"));
    scene_end(&s);
}

/* Who is not read is told to wait, and is called when there is room: what waits is bounded. */
static void a_sender_that_is_not_read_waits(void **state)
{
    static const struct frame_limits limits = {.unsent_max = 10000};
    static char bytes[1000];
    uint32_t sent = 0, again = 0;
    struct scene s;

    (void)state;
    scene_begin(&s);
    open_end(&s, 0, &limits);
    while (frame_send(s.ends[0].conn, 1, bytes, sizeof bytes) == S_OK) assert_true(++sent < 10000);
    assert_in_range(frame_unsent(s.ends[0].conn), 10000, 11005);
    settle(&s);
    assert_int_equal(s.ends[0].rooms, 0);
    open_end(&s, 1, NULL);
    settle(&s);
    assert_int_equal(s.ends[0].rooms, 1);
    assert_int_equal(frame_unsent(s.ends[0].conn), 0);
    assert_int_equal(s.ends[1].frames, sent);
    while (again < 3 && frame_send(s.ends[0].conn, 1, bytes, sizeof bytes) == S_OK) again++;
    settle(&s);
    assert_int_equal(s.ends[1].frames, sent + 3);
    scene_end(&s);
}

static void writing_to_who_went_away_is_told_once(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s);
    open_end(&s, 0, NULL);
    sys_file_close(s.sys, s.files[1]);
    for (int i = 0; i < 5; i++) assert_int_equal(frame_send(s.ends[0].conn, 1, "x", 1), S_OK);
    assert_int_equal(s.ends[0].overs, 0);
    settle(&s);
    assert_int_equal(s.ends[0].overs, 1);
    assert_int_equal(s.ends[0].st, E_PIPE);
    assert_non_null(strstr(s.ends[0].why.text, "the connection to left broke: "));
    assert_int_equal(frame_send(s.ends[0].conn, 1, "x", 1), S_OK);
    scene_end(&s);
}

/* --- handshakes --------------------------------------------------------------------------------------------------- */
struct shaker {
    struct scene *scene;
    int which;
    uint32_t readies, failures, admits;
    char greeting[100];
    struct err why;
    bool refuses;
};

static void shake_ready(void *arg, struct frame_conn *c, struct str greeting)
{
    struct shaker *k = arg;
    struct end *end = &k->scene->ends[k->which];
    struct frame_hooks hooks = {.on_frame = note_frame, .on_room = note_room, .on_over = note_over, .arg = end};

    k->readies++;
    snprintf(k->greeting, sizeof k->greeting, "%.*s", (int)greeting.size, greeting.data);
    end->conn = c;
    frame_hand_over(c, &hooks, NULL);
}

static void shake_failed(void *arg, const struct err *why)
{
    struct shaker *k = arg;

    k->failures++;
    err_pass_on(&k->why, why);
}

static enum status shake_admit(void *arg, struct str greeting, struct err *e)
{
    struct shaker *k = arg;

    (void)greeting;
    k->admits++;
    if (!k->refuses) return S_OK;
    err_set(e, E_NOT_FOUND, "no such job");
    err_hint(e, "start it");
    return E_NOT_FOUND;
}

static struct handshake *shake(struct scene *s, struct shaker *k, int which, const char *key)
{
    struct handshake_plan plan = {.build = which == 0 ? "left 1" : "right 1",
                                  .key = str_of(key),
                                  .greeting = which == 0 ? STR("good morning") : (struct str){0},
                                  .admit = shake_admit,
                                  .ready = shake_ready,
                                  .failed = shake_failed,
                                  .arg = k};
    struct handshake *h;
    struct err e = {0};

    k->scene = s;
    k->which = which;
    assert_int_equal(
        handshake_start(s->loop, s->sys, s->files[which], which == 0 ? "right" : "left", which == 0, &plan, &h, &e),
        S_OK);
    return h;
}

static void both_prove_themselves_and_frames_follow(void **state)
{
    struct shaker a = {0}, b = {0};
    struct scene s;

    (void)state;
    scene_begin(&s);
    shake(&s, &a, 0, "secret");
    shake(&s, &b, 1, "secret");
    settle(&s);
    assert_int_equal(a.readies, 1);
    assert_int_equal(b.readies, 1);
    assert_int_equal(b.admits, 1);
    assert_string_equal(b.greeting, "good morning");
    assert_int_equal(frame_send(s.ends[0].conn, 7, "one", 3), S_OK);
    assert_int_equal(frame_send(s.ends[1].conn, 8, "two", 3), S_OK);
    settle(&s);
    assert_true(s.ends[1].hash == hash_of(0, 7, "one"));
    assert_true(s.ends[0].hash == hash_of(0, 8, "two"));
    scene_end(&s);
}

static void another_key_is_told_at_both_ends(void **state)
{
    struct shaker a = {0}, b = {0};
    struct scene s;

    (void)state;
    scene_begin(&s);
    shake(&s, &a, 0, "secret");
    shake(&s, &b, 1, "another");
    settle(&s);
    assert_int_equal(a.failures, 1);
    assert_int_equal(b.failures, 1);
    assert_int_equal(b.admits, 0);
    assert_string_equal(a.why.text, "right does not have the cluster's key");
    assert_int_equal(a.why.status, E_PERMISSION);
    assert_string_equal(b.why.text, "no handshake with left: left closed the connection");
    scene_end(&s);
}

static void a_refusal_says_why(void **state)
{
    struct shaker a = {0}, b = {.refuses = true};
    struct scene s;

    (void)state;
    scene_begin(&s);
    shake(&s, &a, 0, "secret");
    shake(&s, &b, 1, "secret");
    settle(&s);
    assert_int_equal(a.failures, 1);
    assert_string_equal(a.why.text, "right refused the connection: no such job");
    assert_string_equal(a.why.hint, "start it");
    assert_int_equal(b.failures, 1);
    assert_string_equal(b.why.text, "no such job");
    scene_end(&s);
}

static void hello_of(struct buf *b, const char *magic, uint32_t version, const char *build)
{
    buf_append_text(b, magic);
    enc_u32(b, version);
    enc_text(b, build);
    for (int i = 0; i < 4; i++) enc_u64(b, 1);
    enc_text(b, "hi");
}

/* Sends one raw frame to the dialed end; what that fails with, and what it had sent. */
static void dialed_fails(struct scene *s, struct shaker *k, uint8_t kind, struct str payload)
{
    struct buf frame;

    scene_begin(s);
    buf_init(&frame, &s->mem);
    shake(s, k, 1, "secret");
    enc_u32(&frame, (uint32_t)payload.size);
    enc_u8(&frame, kind);
    buf_append(&frame, payload.data, payload.size);
    put_raw(s, frame.data, frame.size);
    settle(s);
}

static void wrong_magic_ends_it(void **state)
{
    struct shaker k = {0};
    struct scene s;
    struct mem mem;
    struct buf b;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&b, &mem);
    hello_of(&b, "HTTP", 1, "x");
    dialed_fails(&s, &k, 1, (struct str){b.data, b.size});
    assert_int_equal(k.failures, 1);
    assert_string_equal(k.why.text, "left does not speak Thalweg's protocol");
    sys_file_close(s.sys, s.files[0]);
    scene_end(&s);
    mem_release(&mem);
}

static void another_protocol_ends_it(void **state)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct shaker k = {0};
    struct scene s;

    (void)state;
    scene_begin(&s);
    shake(&s, &k, 1, "secret");
    put_raw(&s, http, sizeof http);
    settle(&s);
    assert_int_equal(k.failures, 1);
    assert_non_null(strstr(k.why.text, "left sent what is no message"));
    sys_file_close(s.sys, s.files[0]);
    scene_end(&s);
}

/* Of another version nothing behind the version is looked at; both ends see both. */
static void another_version_is_told(void **state)
{
    struct shaker k = {0};
    struct scene s;
    struct mem mem;
    struct buf b;
    char answer[200];
    size_t got;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&b, &mem);
    hello_of(&b, "THLW", 7, "future");
    dialed_fails(&s, &k, 1, (struct str){b.data, b.size});
    assert_int_equal(k.failures, 0); /* it waits until the other end has seen it */
    assert_int_equal(sys_file_read_some(s.sys, s.files[0], answer, sizeof answer, &got, NULL), S_OK);
    assert_memory_equal(answer + FRAME_HEAD, "THLW\1\0\0\0", 8);
    sys_file_close(s.sys, s.files[0]);
    settle(&s);
    assert_int_equal(k.failures, 1);
    assert_string_equal(k.why.text,
                        "left speaks version 7 of the protocol (build future), this process version 1 (build right 1)");
    scene_end(&s);
    mem_release(&mem);
}

/* The dialed end, cut off at every byte of what a dialer says in the beginning, and hello frames with one byte
 * changed: an error each time, and never a connection. */
static void a_hello_may_be_anything(void **state)
{
    struct mem mem;
    struct buf b;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&b, &mem);
    hello_of(&b, "THLW", 1, "build");
    for (size_t i = 0; i < b.size; i++) {
        struct shaker k = {0};
        struct scene s;
        dialed_fails(&s, &k, 1, (struct str){b.data, i});
        sys_file_close(s.sys, s.files[0]);
        settle(&s);
        assert_int_equal(k.failures, 1);
        assert_int_equal(k.readies, 0);
        scene_end(&s);
    }
    for (uint8_t kind = 2; kind < 10; kind++) {
        struct shaker k = {0};
        struct scene s;
        dialed_fails(&s, &k, kind, (struct str){b.data, b.size});
        assert_int_equal(k.failures, 1);
        assert_string_equal(k.why.text, "left does not speak Thalweg's protocol");
        sys_file_close(s.sys, s.files[0]);
        scene_end(&s);
    }
    mem_release(&mem);
}

/* What one dialer said, said again on another connection: the nonce of the dialed end is another. */
static void words_cannot_be_said_again(void **state)
{
    struct shaker k = {0};
    struct scene s;
    struct mem mem;
    struct buf b;
    char answer[300];
    size_t got;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&b, &mem);
    hello_of(&b, "THLW", 1, "build");
    dialed_fails(&s, &k, 1, (struct str){b.data, b.size});
    assert_int_equal(sys_file_read_some(s.sys, s.files[0], answer, sizeof answer, &got, NULL), S_OK);
    put_raw(&s, answer + got - 37, 37); /* the dialed end's own proof, sent back */
    settle(&s);
    assert_int_equal(sys_file_read_some(s.sys, s.files[0], answer, sizeof answer, &got, NULL), S_OK);
    assert_int_equal(answer[4], 4); /* refused */
    sys_file_close(s.sys, s.files[0]);
    settle(&s);
    assert_int_equal(k.readies, 0);
    assert_string_equal(k.why.text, "left does not have the cluster's key");
    scene_end(&s);
    mem_release(&mem);
}

static void who_says_nothing_is_given_up(void **state)
{
    struct handshake_plan plan = {.build = "x", .timeout_ns = 1, .ready = shake_ready, .failed = shake_failed};
    struct shaker k = {0};
    struct handshake *h;
    struct scene s;
    struct err e = {0};
    uint32_t did;

    (void)state;
    scene_begin(&s);
    k.scene = &s;
    plan.arg = &k;
    assert_int_equal(handshake_start(s.loop, s.sys, s.files[0], "right", true, &plan, &h, &e), S_OK);
    while (k.failures == 0) assert_int_equal(loop_turn(s.loop, INT64_MAX, &did, &e), S_OK);
    assert_string_equal(k.why.text, "no handshake with right: it said nothing for 0 ms");
    sys_file_close(s.sys, s.files[1]);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_whole_wherever_they_are_cut),
        cmocka_unit_test(an_end_within_a_frame_is_an_error),
        cmocka_unit_test(a_size_that_cannot_be_ends_the_connection),
        cmocka_unit_test(a_hook_may_refuse_or_close),
        cmocka_unit_test(large_frames_pass_whole),
        cmocka_unit_test(a_sender_that_is_not_read_waits),
        cmocka_unit_test(writing_to_who_went_away_is_told_once),
        cmocka_unit_test(both_prove_themselves_and_frames_follow),
        cmocka_unit_test(another_key_is_told_at_both_ends),
        cmocka_unit_test(a_refusal_says_why),
        cmocka_unit_test(wrong_magic_ends_it),
        cmocka_unit_test(another_protocol_ends_it),
        cmocka_unit_test(another_version_is_told),
        cmocka_unit_test(a_hello_may_be_anything),
        cmocka_unit_test(words_cannot_be_said_again),
        cmocka_unit_test(who_says_nothing_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
