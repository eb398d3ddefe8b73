/* test_control_messages.c - what is written is read again field by field; bytes that end early, go on, or claim more than is there are
 * refused with the message's name. */
#include "control/cluster/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct mem mem;
static struct arena arena;
static struct buf bytes;

static int begin(void **state)
{
    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&bytes, &mem);
    return 0;
}

static int end(void **state)
{
    (void)state;
    mem_release(&mem);
    return 0;
}

static const void *there_and_back(enum message_kind kind, const void *message)
{
    const void *out;
    struct err e = {0};

    buf_clear(&bytes);
    message_encode(kind, message, &bytes);
    if (message_decode(kind, (struct str){bytes.data, bytes.size}, &arena, &out, &e) != S_OK) fail_msg("%s", e.text);
    return out;
}

/* --- tests ------------------------------------------------------------------------------------------------------------------- */
static void test_deploy(void **state)
{
    static const struct peer_message peers[] = {{"one", "here", 4711}, {NULL, NULL, 0}};
    static const uint32_t slots[] = {0, 1, 0};
    struct deploy_message m = {.graph = {"a\0graph", 7},
                               .times_hooks = true,
                               .job_id = "id",
                               .checkpoints_uri = "",
                               .restore_digest = UINT64_MAX,
                               .attempt = 3,
                               .epoch = 1ull << 40,
                               .worker = 1,
                               .peers = peers,
                               .peer_count = 2,
                               .slots = slots,
                               .slot_count = 3};
    (void)state;
    const struct deploy_message *out = there_and_back(MESSAGE_DEPLOY, &m);

    assert_int_equal(out->graph.size, 7);
    assert_memory_equal(out->graph.data, "a\0graph", 7);
    assert_true(out->times_hooks);
    assert_false(out->allows_unclaimed);
    assert_string_equal(out->job_id, "id");
    assert_string_equal(out->checkpoints_uri, "");
    assert_null(out->restore_uri);
    assert_true(out->restore_digest == UINT64_MAX);
    assert_int_equal(out->attempt, 3);
    assert_true(out->epoch == 1ull << 40);
    assert_int_equal(out->peer_count, 2);
    assert_string_equal(out->peers[0].name, "one");
    assert_string_equal(out->peers[0].host, "here");
    assert_int_equal(out->peers[0].port, 4711);
    assert_null(out->peers[1].host);
    assert_int_equal(out->slot_count, 3);
    assert_int_equal(out->slots[1], 1);
}

static void test_acknowledge(void **state)
{
    static const struct node_message nodes[] = {{"u1", INT64_MIN, -5, true, 2, {"commit", 6}, false}, {"u2", INT64_MAX, 0, false, 0, {NULL, 0}, true}};
    struct acknowledge_message m = {.checkpoint = 12, .vertex = 1, .subtask = 2, .bytes = 99, .aligned_ns = -1, .nodes = nodes, .node_count = 2};

    (void)state;
    const struct acknowledge_message *out = there_and_back(MESSAGE_ACKNOWLEDGE, &m);
    assert_int_equal(out->checkpoint, 12);
    assert_int_equal(out->aligned_ns, -1);
    assert_int_equal(out->node_count, 2);
    assert_true(out->nodes[0].watermark == INT64_MIN);
    assert_int_equal(out->nodes[0].sent_watermark, -5);
    assert_true(out->nodes[0].is_idle);
    assert_int_equal(out->nodes[0].committables.size, 6);
    assert_true(out->nodes[1].watermark == INT64_MAX);
    assert_int_equal(out->nodes[1].committables.size, 0);
    assert_false(out->nodes[0].is_finished);
    assert_true(out->nodes[1].is_finished);
}

static void test_errors_travel(void **state)
{
    struct news_message m = {.vertex = 1, .state = TASK_FAILED, .status = E_DATA};

    (void)state;
    err_set(&m.err, E_DATA, "row 7 is no number");
    err_hint(&m.err, "look at it");
    const struct news_message *out = there_and_back(MESSAGE_NEWS, &m);
    assert_int_equal(out->status, E_DATA);
    assert_int_equal(out->err.status, E_DATA);
    assert_string_equal(out->err.text, "row 7 is no number");
    assert_string_equal(out->err.hint, "look at it");
}

static void check_refused(enum message_kind kind, size_t size, const char *name)
{
    struct err e = {0};
    const void *out;

    assert_int_equal(message_decode(kind, (struct str){bytes.data, size}, &arena, &out, &e), E_DATA);
    assert_non_null(strstr(e.text, name));
}

static void test_every_cut_is_seen(void **state)
{
    struct spawn_message m = {.token = {"job", 5, 6}, .job_name = "name", .worker = 300, .artifact = {"0123456789", 10}};

    (void)state;
    there_and_back(MESSAGE_SPAWN, &m);
    size_t whole = bytes.size;
    for (size_t size = 0; size < whole; size++) check_refused(MESSAGE_SPAWN, size, "spawn_message");
    buf_append_byte(&bytes, 0);
    check_refused(MESSAGE_SPAWN, whole + 1, "spawn_message");
}

static void test_no_more_items_than_bytes(void **state)
{
    static const char hostile[] = {2, 0, 0, 2, 2, 2, 2, (char)0xff, (char)0xff, 3, 0, 0};

    (void)state;
    buf_clear(&bytes);
    buf_append(&bytes, hostile, sizeof hostile);
    check_refused(MESSAGE_ACKNOWLEDGE, bytes.size, "acknowledge_message");
}

static void test_unknown_kinds(void **state)
{
    struct err e = {0};
    const void *out;

    (void)state;
    assert_null(message_fields_of(0));
    assert_null(message_fields_of(255));
    assert_non_null(message_fields_of(MESSAGE_COUNTS));
    assert_int_equal(message_decode((enum message_kind)200, (struct str){"", 0}, &arena, &out, &e), E_DATA);
    assert_string_equal(e.text, "a message of an unknown kind, 200");
}

static void test_rows_and_counts(void **state)
{
    static const struct task_message tasks[] = {{.vertex = 1, .subtask = 2, .f = {.rows_in = 3, .watermark = INT64_MIN, .busy_rate = 1000}}};
    struct counts_message m = {.tasks = tasks, .task_count = 1, .accumulators = {"\0a", 2}};
    struct rows_message r = {.receiver = -1, .is_last = true, .bytes = {"x\0y", 3}};
    struct taken_message t = {.receiver = 4, .bytes = UINT64_MAX};
    struct heard_message h = {.checkpoint = INT64_MAX};

    (void)state;
    const struct counts_message *counts = there_and_back(MESSAGE_COUNTS, &m);
    assert_int_equal(counts->task_count, 1);
    assert_int_equal(counts->tasks[0].subtask, 2);
    assert_int_equal(counts->tasks[0].f.rows_in, 3);
    assert_true(counts->tasks[0].f.watermark == INT64_MIN);
    assert_int_equal(counts->tasks[0].f.busy_rate, 1000);
    assert_int_equal(counts->accumulators.size, 2);
    const struct rows_message *rows = there_and_back(MESSAGE_ROWS, &r);
    assert_int_equal(rows->receiver, -1);
    assert_true(rows->is_last);
    assert_memory_equal(rows->bytes.data, "x\0y", 3);
    const struct taken_message *taken = there_and_back(MESSAGE_TAKEN, &t);
    assert_true(taken->receiver == 4 && taken->bytes == UINT64_MAX);
    const struct heard_message *heard = there_and_back(MESSAGE_HEARD, &h);
    assert_true(heard->checkpoint == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_deploy, begin, end),
        cmocka_unit_test_setup_teardown(test_rows_and_counts, begin, end),
        cmocka_unit_test_setup_teardown(test_acknowledge, begin, end),
        cmocka_unit_test_setup_teardown(test_errors_travel, begin, end),
        cmocka_unit_test_setup_teardown(test_every_cut_is_seen, begin, end),
        cmocka_unit_test_setup_teardown(test_no_more_items_than_bytes, begin, end),
        cmocka_unit_test_setup_teardown(test_unknown_kinds, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
