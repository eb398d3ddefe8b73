/* test_job_record.c - the record of a job: bytes, and compare-and-set over a storage that loses, delays and does not answer. */
#include "control/snapshot/job_record.h"

#include "ground/base/str.h"
#include "support/memory_fs.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef"

static struct {
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    struct job_records records;
} w;

static int set_up(void **state)
{
    (void)state;
    w.sys = sys_linux_create_quiet();
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    w.records = (struct job_records){w.sys, &memory_fs, "/ck/job"};
    memory_fs_reset("");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_fs_reset("");
    mem_release(&w.mem);
    sys_linux_free(w.sys);
    return 0;
}

static struct job_record fresh(uint64_t epoch)
{
    return (struct job_record){.job_id = ID, .job_name = "clicks", .leader_epoch = epoch, .status = JOB_RUNNING};
}

/* The present record, which somebody else reads. */
static struct job_record present(void)
{
    struct job_record r;

    assert_int_equal(job_records_load(&w.records, &w.arena, &r, NULL), S_OK);
    return r;
}

static void its_bytes_read_back(void **state)
{
    struct retained_checkpoint kept[] = {
        {.id = 7, .folder = "/ck/job/chk-7", .time_ms = -5, .size = 1 << 20, .digest = 99, .is_committed = true},
        {.id = 9, .kind = SNAPSHOT_SAVEPOINT, .is_foreign = true, .folder = "file:///sp", .time_ms = 1700000000000}};
    struct job_record r = fresh(3), back;
    struct buf once, twice;

    (void)state;
    r.version = 12;
    r.nonce = UINT64_MAX;
    r.attempt = 4;
    r.generation = 2;
    r.first_checkpoint = 5;
    r.next_checkpoint = 64;
    r.retained = kept;
    r.retained_count = 2;
    buf_init(&once, &w.mem);
    buf_init(&twice, &w.mem);
    job_record_encode(&r, &once);
    assert_int_equal(job_record_decode(&w.arena, (struct str){once.data, once.size}, &back, NULL), S_OK);
    assert_string_equal(back.job_name, "clicks");
    assert_int_equal(back.status, JOB_RUNNING);
    assert_int_equal(back.first_checkpoint, 5);
    assert_int_equal(back.next_checkpoint, 64);
    assert_int_equal(back.retained_count, 2);
    assert_string_equal(back.retained[1].folder, "file:///sp");
    assert_true(back.retained[1].is_foreign && !back.retained[1].is_committed);
    assert_int_equal(job_record_latest(&back)->id, 9);
    job_record_encode(&back, &twice);
    assert_int_equal(once.size, twice.size);
    assert_memory_equal(once.data, twice.data, once.size);
}

static void every_flipped_bit_is_noticed(void **state)
{
    struct job_record r = fresh(1), back;
    struct buf bytes;

    (void)state;
    buf_init(&bytes, &w.mem);
    job_record_encode(&r, &bytes);
    for (size_t i = 0; i < bytes.size * 8; i++) {
        bytes.data[i / 8] ^= (char)(1 << i % 8);
        assert_int_equal(job_record_decode(&w.arena, (struct str){bytes.data, bytes.size}, &back, NULL), E_DATA);
        bytes.data[i / 8] ^= (char)(1 << i % 8);
    }
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(job_record_decode(&w.arena, (struct str){bytes.data, size}, &back, NULL), E_DATA);
}

static void versions_follow_each_other_and_two_stay(void **state)
{
    struct job_record r = fresh(1);

    (void)state;
    assert_int_equal(present().version, 0);
    for (uint64_t v = 1; v <= 5; v++) {
        assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
        assert_int_equal(r.version, v);
        assert_int_equal(present().version, v);
        assert_int_equal(present().nonce, r.nonce);
    }
    assert_int_equal(memory_fs_count(), JOB_RECORD_KEPT);
    assert_true(memory_fs_has("/ck/job/record-0000000000000005"));
    assert_true(memory_fs_has("/ck/job/record-0000000000000004"));
}

static void of_two_from_the_same_version_one_succeeds(void **state)
{
    struct job_record a = fresh(1), b;
    struct err e = {0};

    (void)state;
    assert_int_equal(job_records_swap(&w.records, &a, NULL), S_OK);
    b = present();
    b.leader_epoch++;
    assert_int_equal(job_records_swap(&w.records, &b, NULL), S_OK);
    assert_int_equal(job_records_swap(&w.records, &a, &e), E_EXISTS);
    assert_string_equal(e.text, "another process runs this job (record version 2 in '/ck/job')");
    assert_int_equal(present().leader_epoch, 2);
    assert_int_equal(present().nonce, b.nonce);
}

static void who_slept_through_versions_that_are_gone_is_told_so(void **state)
{
    struct job_record a = fresh(1), b;

    (void)state;
    assert_int_equal(job_records_swap(&w.records, &a, NULL), S_OK);
    b = present();
    b.leader_epoch++;
    for (int i = 0; i < 6; i++) assert_int_equal(job_records_swap(&w.records, &b, NULL), S_OK);
    assert_false(memory_fs_has("/ck/job/record-0000000000000002"));
    assert_int_equal(job_records_swap(&w.records, &a, NULL), E_EXISTS); /* it could make version 2 */
    assert_int_equal(present().version, 7);
    assert_int_equal(present().leader_epoch, 2);
}

/* A write without an answer that landed, was lost, or lands later: in the end one version is confirmed, and it is ours. */
static void an_unknown_outcome_is_resolved(void **state)
{
    static const struct {
        const char *script;
        uint64_t version; /* that is confirmed */
    } cases[] = {{"u", 2}, {"l", 1}, {"w", 2}, {"ul", 2}, {"ll", 1}, {"lu", 2}, {"uw", 2}, {"uow", 3}, {"wl", 2}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct job_record r = fresh(1);
        memory_fs_reset(cases[i].script);
        assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
        assert_int_equal(r.version, cases[i].version);
        assert_false(r.is_in_doubt);
        assert_int_equal(present().version, r.version);
        assert_int_equal(present().nonce, r.nonce);
        assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK); /* and it goes on from there */
        assert_int_equal(present().version, cases[i].version + 1);
    }
}

static void without_any_answer_it_stays_in_doubt_until_there_is_one(void **state)
{
    struct job_record r = fresh(1);
    struct err e = {0};

    (void)state;
    memory_fs_reset("llllllllllll");
    assert_int_equal(job_records_swap(&w.records, &r, &e), E_UNKNOWN);
    assert_true(r.is_in_doubt);
    assert_string_equal(
        e.text, "record version 1 of the job may or may not have been written: the storage does not say (6 tries)");
    assert_int_equal(job_records_swap(&w.records, &r, NULL), E_UNKNOWN);
    memory_fs_script("");
    assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
    assert_int_equal(r.version, 1);
    assert_false(r.is_in_doubt);
}

static void in_doubt_a_failure_proves_nothing(void **state)
{
    struct job_record r = fresh(1);

    (void)state;
    memory_fs_reset("uf");
    assert_int_equal(job_records_swap(&w.records, &r, NULL), E_UNKNOWN);
    assert_true(r.is_in_doubt);
    assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
    assert_int_equal(r.version, 2);
}

static void a_plain_failure_changes_nothing(void **state)
{
    struct job_record r = fresh(1);

    (void)state;
    memory_fs_reset("odf");
    assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
    assert_int_equal(job_records_swap(&w.records, &r, NULL), E_FULL_DISK);
    assert_int_equal(r.version, 1);
    assert_false(r.is_in_doubt);
    assert_int_equal(job_records_swap(&w.records, &r, NULL), E_IO);
    assert_int_equal(present().version, 1);
    assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
    assert_int_equal(present().version, 2);
}

static struct job_record other;

static void other_goes_first(const char *path)
{
    (void)path;
    memory_fs_hook(NULL);
    other = fresh(9);
    assert_int_equal(job_records_swap(&w.records, &other, NULL), S_OK);
}

static void in_doubt_and_overtaken_it_leads_no_more(void **state)
{
    struct job_record r = fresh(1);

    (void)state;
    memory_fs_reset("l");
    assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
    r = fresh(1);
    memory_fs_reset("");
    memory_fs_script("o");
    memory_fs_hook(other_goes_first);
    assert_int_equal(job_records_swap(&w.records, &r, NULL), E_EXISTS);
    assert_int_equal(present().leader_epoch, 9);
}

static void a_list_that_fails_after_the_write_leaves_it_in_doubt(void **state)
{
    struct job_record r = fresh(1);

    (void)state;
    memory_fs_fail_list(1);
    assert_int_equal(job_records_swap(&w.records, &r, NULL), E_UNKNOWN);
    assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
    assert_int_equal(r.version, 2);
}

static void a_record_that_is_damaged_is_not_passed_over(void **state)
{
    struct job_record r = fresh(1), back;
    struct err e = {0};

    (void)state;
    assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
    assert_int_equal(job_records_swap(&w.records, &r, NULL), S_OK);
    memory_fs_put("/ck/job/record-0000000000000002", STR("TWJR and no more than that, which is not enough"));
    assert_int_equal(job_records_load(&w.records, &w.arena, &back, &e), E_DATA);
    assert_string_equal(e.text, "'/ck/job/record-0000000000000002': the record of a job is damaged (checksum)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_bytes_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(versions_follow_each_other_and_two_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_two_from_the_same_version_one_succeeds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_slept_through_versions_that_are_gone_is_told_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_outcome_is_resolved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_any_answer_it_stays_in_doubt_until_there_is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_doubt_a_failure_proves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plain_failure_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_doubt_and_overtaken_it_leads_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_that_fails_after_the_write_leaves_it_in_doubt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_that_is_damaged_is_not_passed_over, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
