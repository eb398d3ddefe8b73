/* test_metadata.c - the metadata of a snapshot as bytes and back: what was put in comes out, and no flipped bit goes unnoticed. */
#include "control/snapshot/metadata.h"

#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "f123456789abcdef0123456789abcdef"

static struct mem mem;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_release(&mem);
    return 0;
}

static const struct snapshot_handle handles[] = {{.bytes = {"chunk", 5}, .size = 5},
                                                 {.path = "0123-0-1", .size = 70000, .digest = 7},
                                                 {.path = "../shared/a/b", .size = 1}};

static void fill(struct snapshot_metadata *m)
{
    struct snapshot_handle *own = ARENA_ARRAY(&arena, struct snapshot_handle, 3);
    struct snapshot_subtask *subtasks = ARENA_ARRAY(&arena, struct snapshot_subtask, 3);
    struct snapshot_operator *operators = ARENA_ARRAY(&arena, struct snapshot_operator, 2);

    memcpy(own, handles, sizeof handles);
    own[0].digest = hash64("chunk", 5);
    subtasks[0] = (struct snapshot_subtask){
        .watermark = INT64_MIN, .sent_watermark = -7, .is_idle = true, .handles = own, .handle_count = 3};
    subtasks[1] = (struct snapshot_subtask){.is_finished = true, .watermark = INT64_MAX};
    subtasks[2] = (struct snapshot_subtask){.committables = STR("prepared")};
    operators[0] = (struct snapshot_operator){
        .id = ID_A, .name = "Source: bids", .uid = "bids", .parallelism = 2, .max_parallelism = 128, .subtasks = subtasks};
    operators[1] = (struct snapshot_operator){
        .id = ID_B, .name = "", .parallelism = 1, .max_parallelism = 1, .subtasks = subtasks + 2};
    *m = (struct snapshot_metadata){.job_id = ID_B,
                                    .job_name = "clicks",
                                    .checkpoint = 12,
                                    .time_ms = 1700000000000,
                                    .kind = SNAPSHOT_SAVEPOINT,
                                    .operators = operators,
                                    .operator_count = 2};
    m->graph.bytes[31] = 9;
}

static void encode(const struct snapshot_metadata *m, struct buf *out)
{
    buf_init(out, &mem);
    metadata_encode(m, out);
}

static void what_goes_in_comes_out(void **state)
{
    struct snapshot_metadata m, back;
    struct buf once, twice;

    (void)state;
    fill(&m);
    encode(&m, &once);
    assert_int_equal(metadata_decode(&arena, (struct str){once.data, once.size}, &back, NULL), S_OK);
    assert_string_equal(back.job_id, ID_B);
    assert_string_equal(back.job_name, "clicks");
    assert_int_equal(back.checkpoint, 12);
    assert_int_equal(back.time_ms, 1700000000000);
    assert_int_equal(back.kind, SNAPSHOT_SAVEPOINT);
    assert_int_equal(back.graph.bytes[31], 9);
    const struct snapshot_operator *o = metadata_find(&back, ID_A);
    assert_string_equal(o->name, "Source: bids");
    assert_string_equal(o->uid, "bids");
    assert_null(metadata_find(&back, ID_B)->uid);
    assert_int_equal(o->max_parallelism, 128);
    assert_true(o->subtasks[0].is_idle && !o->subtasks[0].is_finished);
    assert_true(o->subtasks[0].watermark == INT64_MIN && o->subtasks[0].sent_watermark == -7);
    assert_int_equal(o->subtasks[0].handle_count, 3);
    assert_memory_equal(o->subtasks[0].handles[0].bytes.data, "chunk", 5);
    assert_string_equal(o->subtasks[0].handles[2].path, "../shared/a/b");
    assert_true(o->subtasks[1].is_finished);
    assert_memory_equal(metadata_find(&back, ID_B)->subtasks[0].committables.data, "prepared", 8);
    assert_null(metadata_find(&back, "x"));
    assert_int_equal(metadata_state_bytes(&back), 70006);
    encode(&back, &twice);
    assert_int_equal(once.size, twice.size);
    assert_memory_equal(once.data, twice.data, once.size);
}

static void every_flipped_bit_is_noticed(void **state)
{
    struct snapshot_metadata m, back;
    struct buf bytes;

    (void)state;
    fill(&m);
    encode(&m, &bytes);
    for (size_t i = 0; i < bytes.size * 8; i++) {
        bytes.data[i / 8] ^= (char)(1 << i % 8);
        assert_int_equal(metadata_decode(&arena, (struct str){bytes.data, bytes.size}, &back, NULL), E_DATA);
        bytes.data[i / 8] ^= (char)(1 << i % 8);
    }
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(metadata_decode(&arena, (struct str){bytes.data, size}, &back, NULL), E_DATA);
}

/* With the checksum mended, as somebody would who means harm: whatever it says, it reads or is refused. */
static void bytes_that_are_mended_read_or_are_refused(void **state)
{
    struct snapshot_metadata m, back;
    struct buf bytes;
    int read = 0;

    (void)state;
    fill(&m);
    encode(&m, &bytes);
    for (size_t i = 0; i < (bytes.size - 8) * 8; i++) {
        struct buf mended;
        bytes.data[i / 8] ^= (char)(1 << i % 8);
        buf_init(&mended, &mem);
        buf_append(&mended, bytes.data, bytes.size - 8);
        enc_u64(&mended, hash64(mended.data, mended.size));
        struct err e = {0};
        enum status st = metadata_decode(&arena, (struct str){mended.data, mended.size}, &back, &e);
        assert_true(st == S_OK || (st == E_DATA && e.text[0] != '\0'));
        read += st == S_OK;
        bytes.data[i / 8] ^= (char)(1 << i % 8);
        buf_release(&mended);
    }
    assert_in_range(read, 100, 2000); /* names, times, digests of objects */
}

static void messages_say_what_is_wrong(void **state)
{
    struct snapshot_metadata m, back;
    struct err e = {0};
    struct buf bytes;

    (void)state;
    assert_int_equal(metadata_decode(&arena, STR("\x49\x67\x00\x00"), &back, &e), E_DATA);
    assert_string_equal(e.text, "this is no metadata of a snapshot: it does not begin with TWCM");
    fill(&m);
    encode(&m, &bytes);
    bytes.data[4] = 4;
    bytes.size -= 8;
    enc_u64(&bytes, hash64(bytes.data, bytes.size));
    err_clear(&e);
    assert_int_equal(metadata_decode(&arena, (struct str){bytes.data, bytes.size}, &back, &e), E_DATA);
    assert_string_equal(e.text, "metadata of a snapshot: version 4 is newer than this program, which reads 3");
    bytes.data[20] ^= 1;
    err_clear(&e);
    assert_int_equal(metadata_decode(&arena, (struct str){bytes.data, bytes.size}, &back, &e), E_DATA);
    assert_non_null(strstr(e.text, "are damaged (checksum)"));
}

static void paths_lead_nowhere_else(void **state)
{
    static const char *const good[] = {"a", "a/b", "../shared/a", "../taskowned/x/y", "..a", "a..", "a/.b"};
    static const char *const bad[] = {"",     "/a", "../a",         "a/../b",     "a/..", "..",    ".",
                                      "a//b", "a/", "../shared/..", "../shared/", "./a",  "a/./b", "../shared/../a"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) assert_true(snapshot_path_is_safe(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++) assert_false(snapshot_path_is_safe(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_goes_in_comes_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_mended_read_or_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(messages_say_what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_lead_nowhere_else, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
