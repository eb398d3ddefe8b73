/* test_snapshot_store.c - the helper that writes snapshots: what lies in the storage after each word, when it is in the record, what
 * goes when, and what a storage that fails or does not answer makes of it. Without a thread of its own, so that nothing is left to
 * chance; once with one. */
#include "control/snapshot/snapshot_store.h"

#include "ground/base/str.h"
#include "support/memory_fs.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define JOB "0123456789abcdef0123456789abcdef"
#define OP_A "a0000000000000000000000000000000"
#define OP_B "b0000000000000000000000000000000"

static struct {
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    struct job_record record, before;
    struct snapshot_store_options o;
    struct snapshot_store *store;
    struct sys_mailbox *answers;
} w;

static void take_answer(void *arg, struct snapshot_answer *a)
{
    (void)arg;
    sys_mailbox_send(w.sys, w.answers, a);
}

static int set_up(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    w.sys = sys_linux_create_quiet();
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    w.answers = sys_mailbox_create(w.sys);
    memory_fs_reset("");
    w.o = (struct snapshot_store_options){.sys = w.sys,
                                          .records = {w.sys, &memory_fs, "/ck/job"},
                                          .uri = "mem:/ck/job",
                                          .record = &w.record,
                                          .inline_max = 10,
                                          .retained_max = 1,
                                          .answer = take_answer};
    w.record = (struct job_record){
        .job_id = JOB, .job_name = "clicks", .leader_epoch = 1, .status = JOB_RUNNING, .next_checkpoint = 65};
    assert_int_equal(job_records_swap(&w.o.records, &w.record, NULL), S_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    snapshot_store_free(w.store);
    for (struct snapshot_answer *a; (a = sys_mailbox_take(w.sys, w.answers, 0)) != NULL;) snapshot_answer_free(a);
    sys_mailbox_free(w.sys, w.answers);
    memory_fs_reset("");
    mem_release(&w.mem);
    sys_linux_free(w.sys);
    return 0;
}

static void begin(void) { assert_int_equal(snapshot_store_create(&w.o, &w.store, NULL), S_OK); }

static void chunk(int64_t id, const char *op, uint32_t subtask, uint32_t number, const char *text)
{
    struct buf bytes;

    buf_init(&bytes, &w.mem);
    buf_append_text(&bytes, text);
    struct snapshot_place where = {.checkpoint = id, .uid = op, .subtask = subtask, .number = number};
    assert_int_equal(snapshot_store_chunk(w.store, &where, &bytes, NULL), S_OK);
    assert_int_equal(bytes.size, 0);
    buf_release(&bytes);
}

/* Of an operator A with two subtasks and an operator B with one, with that many chunks each. */
static struct snapshot_order *order(int64_t id, uint32_t a0, uint32_t a1, uint32_t b0)
{
    struct snapshot_order *o = snapshot_order_create();
    struct snapshot_subtask *subtasks = ARENA_ARRAY(&o->arena, struct snapshot_subtask, 3);
    struct snapshot_operator *operators = ARENA_ARRAY(&o->arena, struct snapshot_operator, 2);

    subtasks[0].handle_count = a0;
    subtasks[1].handle_count = a1;
    subtasks[2].handle_count = b0;
    operators[0] = (struct snapshot_operator){
        .id = OP_A, .name = "A", .parallelism = 2, .max_parallelism = 128, .subtasks = subtasks};
    operators[1] = (struct snapshot_operator){
        .id = OP_B, .name = "B", .parallelism = 1, .max_parallelism = 128, .subtasks = subtasks + 2};
    o->metadata = (struct snapshot_metadata){.job_id = JOB,
                                             .job_name = "clicks",
                                             .checkpoint = id,
                                             .time_ms = 1000 + id,
                                             .operators = operators,
                                             .operator_count = 2};
    return o;
}

static struct snapshot_answer answer(void)
{
    snapshot_store_run(w.store);
    struct snapshot_answer *a = sys_mailbox_take(w.sys, w.answers, INT64_MAX), copy = *a;
    if (a->has_latest) copy.latest.folder = arena_strdup(&w.arena, a->latest.folder);
    snapshot_answer_free(a);
    return copy;
}

static struct snapshot_answer take(int64_t id, enum snapshot_kind kind)
{
    assert_int_equal(snapshot_store_open(w.store, id, kind, NULL, NULL), S_OK);
    chunk(id, OP_A, 0, 0, "a long chunk of A");
    struct snapshot_order *o = order(id, 1, 0, 0);
    o->metadata.kind = kind;
    snapshot_store_finish(w.store, o);
    return answer();
}

static struct job_record present(void)
{
    struct job_record r;

    assert_int_equal(job_records_load(&w.o.records, &w.arena, &r, NULL), S_OK);
    return r;
}

static bool has(const char *name)
{
    char path[200];

    snprintf(path, sizeof path, "/ck/job/%s", name);
    return memory_fs_has(path);
}

static void chunks_lie_where_the_metadata_say(void **state)
{
    struct snapshot_metadata m;

    (void)state;
    begin();
    assert_int_equal(snapshot_store_open(w.store, 7, SNAPSHOT_CHECKPOINT, NULL, NULL), S_OK);
    chunk(7, OP_B, 0, 0, "tiny");
    chunk(7, OP_A, 1, 0, "a long chunk of A");
    chunk(7, OP_A, 0, 1, "the second chunk of A 0");
    chunk(7, OP_A, 0, 0, "0123456789");
    snapshot_store_finish(w.store, order(7, 2, 1, 1));
    struct snapshot_answer a = answer();
    assert_int_equal(a.verb, STORE_FINISH);
    assert_int_equal(a.status, S_OK);
    assert_int_equal(a.checkpoint, 7);
    assert_int_equal(metadata_decode(&w.arena, memory_fs_bytes("/ck/job/chk-7/_metadata"), &m, NULL), S_OK);
    assert_int_equal(a.size, memory_fs_bytes("/ck/job/chk-7/_metadata").size);
    const struct snapshot_subtask *a0 = &metadata_find(&m, OP_A)->subtasks[0],
                                  *a1 = &metadata_find(&m, OP_A)->subtasks[1];
    assert_int_equal(a0->handle_count, 2);
    assert_null(a0->handles[0].path);
    assert_memory_equal(a0->handles[0].bytes.data, "0123456789", 10);
    assert_string_equal(a0->handles[1].path, OP_A "-0-1");
    assert_string_equal(a1->handles[0].path, OP_A "-1-0");
    assert_int_equal(a1->handles[0].digest, hash64("a long chunk of A", 17));
    assert_memory_equal(memory_fs_bytes("/ck/job/chk-7/" OP_A "-1-0").data, "a long chunk of A", 17);
    assert_memory_equal(metadata_find(&m, OP_B)->subtasks[0].handles[0].bytes.data, "tiny", 4);
    struct job_record r = present();
    assert_int_equal(r.retained_count, 1);
    assert_string_equal(r.retained[0].folder, "mem:/ck/job/chk-7");
    assert_int_equal(r.retained[0].size, a.size + 54);
    struct str bytes = memory_fs_bytes("/ck/job/chk-7/_metadata");
    assert_int_equal(r.retained[0].digest, hash64(bytes.data, bytes.size));
    assert_false(r.retained[0].is_foreign);
}

static void as_many_as_are_retained_stay(void **state)
{
    (void)state;
    w.o.retained_max = 2;
    begin();
    for (int64_t id = 1; id <= 4; id++) assert_int_equal(take(id, SNAPSHOT_CHECKPOINT).status, S_OK);
    assert_false(has("chk-1/_metadata") || has("chk-2/_metadata") || has("chk-2/" OP_A "-0-0"));
    assert_true(has("chk-3/_metadata") && has("chk-4/_metadata") && has("chk-3/" OP_A "-0-0"));
    struct job_record r = present();
    assert_int_equal(r.retained_count, 2);
    assert_int_equal(r.retained[0].id, 3);
    assert_int_equal(job_record_latest(&r)->id, 4);
}

static void a_savepoint_is_what_to_go_on_from_until_the_next_checkpoint_and_stays(void **state)
{
    (void)state;
    begin();
    assert_int_equal(take(1, SNAPSHOT_CHECKPOINT).status, S_OK);
    assert_int_equal(take(2, SNAPSHOT_SAVEPOINT).status, S_OK);
    struct job_record r = present();
    assert_int_equal(r.retained_count, 2);
    assert_int_equal(job_record_latest(&r)->id, 2);
    assert_true(r.retained[1].is_foreign);
    assert_int_equal(take(3, SNAPSHOT_CHECKPOINT).status, S_OK);
    r = present();
    assert_int_equal(r.retained_count, 1);
    assert_int_equal(r.retained[0].id, 3);
    assert_true(has("chk-2/_metadata"));
    assert_false(has("chk-1/_metadata"));
}

static void what_was_aborted_goes_and_what_comes_late_is_dropped(void **state)
{
    (void)state;
    begin();
    assert_int_equal(snapshot_store_open(w.store, 1, SNAPSHOT_CHECKPOINT, NULL, NULL), S_OK);
    chunk(1, OP_A, 0, 0, "a long chunk of A");
    snapshot_store_run(w.store);
    assert_true(has("chk-1/" OP_A "-0-0"));
    snapshot_store_abort(w.store, 1);
    chunk(1, OP_A, 1, 0, "another long chunk of A");
    snapshot_store_run(w.store);
    assert_int_equal(memory_fs_count(), 1); /* the record */
    assert_null(sys_mailbox_take(w.sys, w.answers, 0));
}

static void a_chunk_that_cannot_be_written_is_told_once(void **state)
{
    struct snapshot_answer a;

    (void)state;
    begin();
    snapshot_store_run(w.store);
    memory_fs_script("df");
    assert_int_equal(snapshot_store_open(w.store, 1, SNAPSHOT_CHECKPOINT, NULL, NULL), S_OK);
    chunk(1, OP_A, 0, 0, "a long chunk of A");
    chunk(1, OP_A, 1, 0, "a long chunk of A");
    a = answer();
    assert_int_equal(a.verb, STORE_CHUNK);
    assert_int_equal(a.status, E_FULL_DISK);
    assert_string_equal(a.err.text, "no room for '/ck/job/chk-1/" OP_A "-0-0'");
    snapshot_store_abort(w.store, 1);
    snapshot_store_run(w.store);
    assert_null(sys_mailbox_take(w.sys, w.answers, 0));
    memory_fs_script("");
    assert_int_equal(take(2, SNAPSHOT_CHECKPOINT).status, S_OK);
}

static void a_write_without_an_answer_is_made_again(void **state)
{
    (void)state;
    begin();
    snapshot_store_run(w.store);
    memory_fs_script("luolo"); /* of the chunk two, of the metadata one */
    assert_int_equal(take(1, SNAPSHOT_CHECKPOINT).status, S_OK);
    assert_true(has("chk-1/_metadata") && has("chk-1/" OP_A "-0-0"));
}

static void metadata_or_record_that_fail_leave_the_one_before(void **state)
{
    static const char *const scripts[] = {"of", "ood"}; /* chunk, metadata, record */

    (void)state;
    begin();
    assert_int_equal(take(1, SNAPSHOT_CHECKPOINT).status, S_OK);
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        memory_fs_script(scripts[i]);
        struct snapshot_answer a = take(2 + (int64_t)i, SNAPSHOT_CHECKPOINT);
        assert_true(a.status == E_IO || a.status == E_FULL_DISK);
        struct job_record r = present();
        assert_int_equal(r.retained_count, 1);
        assert_int_equal(r.retained[0].id, 1);
        assert_true(has("chk-1/_metadata"));
        assert_false(has("chk-2/_metadata") || has("chk-2/" OP_A "-0-0") || has("chk-3/_metadata"));
    }
    memory_fs_script("");
    assert_int_equal(take(4, SNAPSHOT_CHECKPOINT).status, S_OK);
    assert_int_equal(present().retained[0].id, 4);
}

static void in_doubt_nothing_is_deleted(void **state)
{
    (void)state;
    begin();
    assert_int_equal(take(1, SNAPSHOT_CHECKPOINT).status, S_OK);
    memory_fs_script("oollllllllllllllllllllllllllllllll");
    struct snapshot_answer a = take(2, SNAPSHOT_CHECKPOINT);
    assert_int_equal(a.status, E_UNKNOWN);
    assert_true(has("chk-1/_metadata") && has("chk-2/_metadata"));
    memory_fs_script("");
    a = take(3, SNAPSHOT_CHECKPOINT); /* whatever it became, this process says no more */
    assert_int_equal(a.status, E_EXISTS);
}

static void who_was_overtaken_changes_nothing(void **state)
{
    struct job_record other;

    (void)state;
    begin();
    assert_int_equal(take(1, SNAPSHOT_CHECKPOINT).status, S_OK);
    other = present();
    other.leader_epoch++;
    assert_int_equal(job_records_swap(&w.o.records, &other, NULL), S_OK);
    struct snapshot_answer a = take(2, SNAPSHOT_CHECKPOINT);
    assert_int_equal(a.status, E_EXISTS);
    assert_non_null(strstr(a.err.text, "another process runs this job"));
    snapshot_store_change(w.store, &(struct snapshot_change){.status = JOB_FAILED, .discards = true});
    assert_int_equal(answer().status, E_EXISTS);
    assert_true(has("chk-1/_metadata"));
    assert_int_equal(present().nonce, other.nonce);
}

static void the_end_of_the_job_is_recorded(void **state)
{
    (void)state;
    begin();
    assert_int_equal(take(1, SNAPSHOT_CHECKPOINT).status, S_OK);
    snapshot_store_change(w.store, &(struct snapshot_change){.status = JOB_RESTARTING, .attempt = 3, .reserves = true});
    struct snapshot_answer a = answer();
    assert_int_equal(a.status, S_OK);
    assert_true(a.has_latest);
    assert_int_equal(a.latest.id, 1);
    assert_string_equal(a.latest.folder, "mem:/ck/job/chk-1");
    assert_int_equal(a.ids_end, 129);
    assert_int_equal(present().attempt, 3);
    snapshot_store_change(w.store, &(struct snapshot_change){.status = JOB_FINISHED, .attempt = 3, .discards = true});
    a = answer();
    assert_int_equal(a.status, S_OK);
    assert_false(a.has_latest);
    assert_int_equal(present().status, JOB_FINISHED);
    assert_int_equal(present().retained_count, 0);
    assert_false(has("chk-1/_metadata"));
}

static void rubbish_of_the_run_before_is_swept(void **state)
{
    struct retained_checkpoint kept[] = {{.id = 5, .folder = "mem:/ck/job/chk-5"}};

    (void)state;
    for (int i = 3; i <= 8; i++) {
        char path[100];
        snprintf(path, sizeof path, "/ck/job/chk-%d/_metadata", i);
        memory_fs_put(path, STR("x"));
    }
    memory_fs_put("/ck/job/other/file", STR("x"));
    memory_fs_put("/ck/job/chk-x/file", STR("x"));
    w.before = w.record;
    w.before.first_checkpoint = 4; /* 3 is of a run before that one: kept on purpose, perhaps */
    w.before.retained = kept;
    w.before.retained_count = 1;
    w.o.before = &w.before;
    begin();
    snapshot_store_run(w.store);
    assert_true(has("chk-3/_metadata") && has("chk-5/_metadata") && has("other/file") && has("chk-x/file"));
    assert_false(has("chk-4/_metadata") || has("chk-6/_metadata") || has("chk-7/_metadata") || has("chk-8/_metadata"));
}

static void a_missing_chunk_is_noticed(void **state)
{
    (void)state;
    begin();
    assert_int_equal(snapshot_store_open(w.store, 1, SNAPSHOT_CHECKPOINT, NULL, NULL), S_OK);
    chunk(1, OP_A, 0, 1, "tiny");
    snapshot_store_finish(w.store, order(1, 2, 0, 0));
    struct snapshot_answer a = answer();
    assert_int_equal(a.status, E_DATA);
    assert_string_equal(a.err.text, "operator 'A' (subtask 1/2): chunk 1 of 2 is missing");
}

static void the_queue_is_bounded_and_wakes_who_waits(void **state)
{
    struct sys_parker *parker = sys_parker_create(w.sys);
    struct snapshot_place where = {.checkpoint = 1, .uid = OP_A};
    struct buf bytes;

    (void)state;
    w.o.queue_max = 30;
    begin();
    snapshot_store_run(w.store);
    buf_init(&bytes, &w.mem);
    for (uint32_t i = 0; i < 2; i++) {
        buf_append_text(&bytes, i == 0 ? "more than there is room for, all at once" : "more");
        where.number = i;
        assert_int_equal(snapshot_store_chunk(w.store, &where, &bytes, parker), i == 0 ? S_OK : S_PENDING);
    }
    assert_int_equal(bytes.size, 4); /* still the task's */
    snapshot_store_run(w.store);
    sys_park(w.sys, parker, INT64_MAX); /* it was unparked, or this would never end */
    assert_int_equal(snapshot_store_chunk(w.store, &where, &bytes, parker), S_OK);
    sys_parker_free(w.sys, parker);
    snapshot_store_forget_waiting(w.store);
}

static void with_a_thread_it_is_the_same(void **state)
{
    (void)state;
    w.o.has_thread = true;
    begin();
    for (int64_t id = 1; id <= 20; id++) assert_int_equal(take(id, SNAPSHOT_CHECKPOINT).status, S_OK);
    snapshot_store_free(w.store);
    w.store = NULL;
    struct job_record r = present();
    assert_int_equal(r.retained_count, 1);
    assert_int_equal(r.retained[0].id, 20);
    assert_int_equal(memory_fs_count(), 4); /* two records, metadata, a chunk */
}

/* ---- parts */

/* A checkpoint of one part of A 0, which builds on those from first_part on. */
static struct snapshot_answer take_part(int64_t id, int64_t first_part)
{
    struct snapshot_order *o = order(id, 1, 0, 0);
    struct snapshot_place where = {.checkpoint = id, .uid = OP_A, .part = id};
    struct buf bytes;

    buf_init(&bytes, &w.mem);
    buf_printf(&bytes, "what has changed by %lld", (long long)id);
    assert_int_equal(snapshot_store_open(w.store, id, SNAPSHOT_CHECKPOINT, NULL, NULL), S_OK);
    assert_int_equal(snapshot_store_chunk(w.store, &where, &bytes, NULL), S_OK);
    ((struct snapshot_subtask *)(uintptr_t)o->metadata.operators[0].subtasks)->first_part = first_part;
    snapshot_store_finish(w.store, o);
    buf_release(&bytes);
    return answer();
}

static void parts_are_used_by_several_checkpoints(void **state)
{
    struct snapshot_metadata m;

    (void)state;
    begin();
    assert_int_equal(take_part(1, 1).status, S_OK);
    assert_int_equal(take_part(2, 1).status, S_OK);
    assert_int_equal(take_part(3, 2).status, S_OK);
    assert_true(has("chk-3/_metadata") && !has("chk-2/_metadata"));
    assert_true(!has("shared/0-1/0-0") && has("shared/0-1/0-1") && has("shared/0-1/0-2")); /* nobody needs the first any more */
    assert_int_equal(metadata_decode(&w.arena, memory_fs_bytes("/ck/job/chk-3/_metadata"), &m, NULL), S_OK);
    const struct snapshot_subtask *a0 = &metadata_find(&m, OP_A)->subtasks[0];
    assert_int_equal(a0->handle_count, 2);
    assert_string_equal(a0->handles[0].path, "../shared/0-1/0-1");
    assert_int_equal(a0->handles[0].part, 2);
    assert_int_equal(a0->handles[1].part, 3);
    assert_int_equal(take(4, SNAPSHOT_SAVEPOINT).status, S_OK); /* changes nothing of it */
    assert_int_equal(take_part(5, 3).status, S_OK);
    assert_true(!has("shared/0-1/0-1") && has("shared/0-1/0-2") && has("shared/0-1/0-3"));
    snapshot_store_change(w.store, &(struct snapshot_change){.status = JOB_CANCELED, .discards = true});
    assert_int_equal(answer().status, S_OK);
    assert_false(has("shared/0-1/0-2") || has("shared/0-1/0-3"));
}

static void a_part_without_what_it_builds_on_is_no_checkpoint(void **state)
{
    (void)state;
    begin();
    assert_int_equal(take_part(1, 1).status, S_OK);
    assert_int_equal(snapshot_store_open(w.store, 2, SNAPSHOT_CHECKPOINT, NULL, NULL), S_OK);
    snapshot_store_abort(w.store, 2);
    struct snapshot_answer a = take_part(3, 2);
    assert_int_equal(a.status, E_DATA);
    assert_string_equal(a.err.text, "operator 'A' (subtask 1/2): the part of checkpoint 2, on which it builds, is not there");
    assert_true(has("chk-1/_metadata") && has("shared/0-1/0-0"));
}

/* The files of the process before go with its last checkpoint, and not before. */
static void parts_of_the_process_before_go_in_time(void **state)
{
    (void)state;
    begin();
    assert_int_equal(take_part(1, 1).status, S_OK);
    struct job_record before = present();
    snapshot_store_free(w.store);
    w.before = before;
    w.record = before;
    w.record.leader_epoch++;
    assert_int_equal(job_records_swap(&w.o.records, &w.record, NULL), S_OK);
    w.o.before = &w.before;
    w.o.retained_max = 2;
    begin();
    assert_int_equal(take_part(70, 70).status, S_OK);
    assert_true(has("shared/0-1/0-0") && has("shared/0-2/0-0"));
    assert_int_equal(take_part(71, 70).status, S_OK);
    assert_true(!has("shared/0-1/0-0") && has("shared/0-2/0-0") && has("shared/0-2/0-1"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(chunks_lie_where_the_metadata_say),
        T(as_many_as_are_retained_stay),
        T(a_savepoint_is_what_to_go_on_from_until_the_next_checkpoint_and_stays),
        T(what_was_aborted_goes_and_what_comes_late_is_dropped),
        T(a_chunk_that_cannot_be_written_is_told_once),
        T(a_write_without_an_answer_is_made_again),
        T(metadata_or_record_that_fail_leave_the_one_before),
        T(in_doubt_nothing_is_deleted),
        T(who_was_overtaken_changes_nothing),
        T(the_end_of_the_job_is_recorded),
        T(rubbish_of_the_run_before_is_swept),
        T(a_missing_chunk_is_noticed),
        T(the_queue_is_bounded_and_wakes_who_waits),
        T(with_a_thread_it_is_the_same),
        T(parts_are_used_by_several_checkpoints),
        T(a_part_without_what_it_builds_on_is_no_checkpoint),
        T(parts_of_the_process_before_go_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
