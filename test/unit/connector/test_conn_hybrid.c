/* test_conn_hybrid.c - sources one after another: when the next one begins, positions, columns, and what is refused. */
#include "ground/base/str.h"
#include "support/folder.h"
#include "support/source_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct source_probe p;

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TWO_RANGES                                                                                                     \
    OPTIONS("source-identifiers", "old, new", "old.connector", "sequence", "old.from", "1", "old.to", "4",             \
            "new.connector", "sequence", "new.from", "10", "new.to", "11")

static void finished(const char *id) { p.conn->source->enumerator_finished(&p.cx, p.enumerator, id); }

static void expect_rows(struct probe_split *s, const char *id, const char *rows)
{
    enum status last;

    assert_string_equal(s->what.id, id);
    assert_string_equal(probe_rows(&p, s, 3, &last), rows);
    assert_int_equal(last, S_END);
}

static void the_next_source_waits_for_all_subtasks(void **state)
{
    struct probe_split a, b, c, d;

    (void)state;
    p.now_ms = 500;
    probe_open(&p, "hybrid", NULL, 2, TWO_RANGES);
    assert_int_equal(probe_next(&p, 0, &a), S_OK);
    assert_int_equal(probe_next(&p, 1, &b), S_OK);
    p.cx.wake_ms = INT64_MAX;
    assert_int_equal(probe_next(&p, 0, &c), S_IDLE); /* a sequence is read one split after another */
    assert_int_equal(p.cx.wake_ms, INT64_MAX);
    expect_rows(&a, "old/1..2", "+I[1]\n+I[2]\n");
    finished("old/1..2");
    probe_split_close(&p, &a);
    assert_int_equal(probe_next(&p, 0, &c), S_IDLE); /* subtask 1 still reads */
    assert_int_equal(p.cx.wake_ms, 510);
    expect_rows(&b, "old/3..4", "+I[3]\n+I[4]\n");
    finished("old/3..4");
    probe_split_close(&p, &b);
    assert_int_equal(probe_next(&p, 0, &c), S_IDLE); /* subtask 1 might get another one */
    assert_int_equal(probe_next(&p, 1, &d), S_OK);
    assert_int_equal(probe_next(&p, 0, &c), S_OK);
    expect_rows(&d, "new/10..10", "+I[10]\n");
    expect_rows(&c, "new/11..11", "+I[11]\n");
    finished("new/10..10");
    assert_int_equal(probe_next(&p, 1, &a), S_END); /* of the last one nobody waits */
    probe_split_close(&p, &c);
    probe_split_close(&p, &d);
    probe_close(&p);
}

/* Splits of generated rows are read side by side: that there are no more of them does not mean that they are read. */
static void splits_side_by_side_are_waited_for(void **state)
{
    struct probe_split a, b;
    enum status last;

    (void)state;
    probe_open(&p, "hybrid", "ROW<`value` BIGINT>", 1,
               OPTIONS("source-identifiers", "made,more", "made.connector", "datagen", "made.number-of-rows", "2", "made.rows-per-second", "0",
                       "made.fields.value.kind", "sequence", "made.fields.value.start", "5", "made.fields.value.end", "6",
                       "more.connector", "datagen", "more.number-of-rows", "1"));
    assert_int_equal(probe_next(&p, 0, &a), S_OK);
    assert_int_equal(probe_next(&p, 0, &b), S_IDLE);
    assert_string_equal(probe_rows(&p, &a, 8, &last), "+I[5]\n+I[6]\n");
    assert_int_equal(probe_next(&p, 0, &b), S_IDLE);
    finished(a.what.id);
    assert_int_equal(probe_next(&p, 0, &b), S_OK);
    assert_memory_equal(b.what.id, "more/", 5);
    probe_split_close(&p, &a);
    probe_split_close(&p, &b);
    probe_close(&p);
}

static void it_goes_on_from_a_position(void **state)
{
    struct probe_split a, again;
    enum status last;
    struct buf at;
    struct batch *b;

    (void)state;
    probe_open(&p, "hybrid", NULL, 1, TWO_RANGES);
    buf_init(&at, &p.mem);
    assert_int_equal(probe_next(&p, 0, &a), S_OK);
    b = probe_batch(&p, 3);
    assert_int_equal(probe_read(&p, &a, b), S_OK);
    p.conn->source->split_position(&p.cx, p.reader, a.self, &at);
    assert_int_equal(probe_reopen(&p, "old/1..4", (struct str){at.data, at.size}, &again), S_OK);
    assert_string_equal(probe_rows(&p, &again, 8, &last), "+I[4]\n");
    assert_int_equal(probe_reopen(&p, "x", STR("\x02"), &(struct probe_split){0}), E_DATA);
    assert_string_equal(p.err.text, "the position of a split of connector 'hybrid' cannot be read (version 2)");
    probe_split_close(&p, &a);
    probe_split_close(&p, &again);
    batch_free(b);
    buf_release(&at);
    probe_close(&p);
}

static void all_files_come_before_what_follows(void **state)
{
    struct probe_split s;
    struct folder f;
    enum status st;
    char all[200] = "";

    (void)state;
    folder_make(&f);
    folder_write(&f, "in/1.csv", "1\n2\n");
    folder_write(&f, "in/2.csv", "3\n");
    probe_open(&p, "hybrid", NULL, 1,
               OPTIONS("source-identifiers", "files,numbers", "numbers.connector", "sequence", "numbers.from", "8", "numbers.to", "9",
                       "files.connector", "filesystem", "files.path", folder_path(&f, "in"), "files.format", "csv"));
    while (probe_next(&p, 0, &s) == S_OK) {
        strcat(all, probe_rows(&p, &s, 8, &st));
        finished(s.what.id);
        probe_split_close(&p, &s);
    }
    assert_string_equal(all, "+I[1]\n+I[2]\n+I[3]\n+I[8]\n+I[9]\n");
    probe_close(&p);
    folder_remove(&f);
}

static void a_source_that_fails_is_named(void **state)
{
    struct probe_split s;

    (void)state;
    probe_open(&p, "hybrid", "ROW<a INT>", 1,
               OPTIONS("source-identifiers", "a,b", "a.connector", "filesystem", "a.path", "/nowhere/x.csv", "a.format", "csv",
                       "b.connector", "datagen"));
    assert_true(probe_next(&p, 0, &s) < 0);
    if (strstr(p.err.text, "source 'a': ") != p.err.text) assert_string_equal(p.err.text, "source 'a': ...");
    probe_close(&p);
}

static void expect_refused(const char *const *kv, const char *message)
{
    assert_int_not_equal(probe_check(&p, "hybrid", "ROW<`value` BIGINT NOT NULL>", kv), S_OK);
    assert_string_equal(p.err.text, message);
    probe_close(&p);
}

#define SEQUENCE_B "b.connector", "sequence", "b.from", "1", "b.to", "2"
static void mistakes(void **state)
{
    (void)state;
    expect_refused(OPTIONS("source-identifiers", "a", "a.connector", "datagen"),
                   "connector 'hybrid' needs two sources or more; 'source-identifiers' names 1");
    expect_refused(OPTIONS("source-identifiers", "a,a"), "'source-identifiers' names 'a' twice");
    expect_refused(OPTIONS("source-identifiers", "a,b-c"), "'source-identifiers': 'b-c' is no name");
    expect_refused(OPTIONS("source-identifiers", "a,b", SEQUENCE_B), "connector 'hybrid': the option 'a.connector' is missing");
    expect_refused(OPTIONS("source-identifiers", "a,b", "a.connector", "blackhole", SEQUENCE_B),
                   "option 'a.connector': connector 'blackhole' cannot be read");
    expect_refused(OPTIONS("source-identifiers", "a,b", "a.connector", "hybrid", SEQUENCE_B),
                   "option 'a.connector': a hybrid source within a hybrid source");
    expect_refused(OPTIONS("source-identifiers", "a,b", "a.connector", "datagen", SEQUENCE_B),
                   "source 'a': it never ends, so that the sources behind it would never be read");
    expect_refused(OPTIONS("source-identifiers", "b,a", "a.connector", "datagen", "a.scan.rate-limit", "5", SEQUENCE_B),
                   "source 'a': option 'a.scan.rate-limit' cannot be given for one of the sources");
    expect_refused(OPTIONS("source-identifiers", "b,a", "a.connector", "nexmark", SEQUENCE_B),
                   "sources 'b' and 'a' of connector 'hybrid' have different columns");
    expect_refused(OPTIONS("source-identifiers", "b,a", "a.connector", "filesystem", "a.path", "x", SEQUENCE_B),
                   "source 'a': connector 'filesystem': the option 'format' is missing");
}

static void mistakes_in_keys(void **state)
{
    (void)state;
    assert_int_equal(probe_check(&p, "hybrid", NULL, OPTIONS("source-identifiers", "a,b", "c.connector", "datagen")), E_CONFIG);
    assert_non_null(strstr(p.err.text, "'c.connector'"));
    probe_close(&p);
    assert_int_equal(probe_check(&p, "hybrid", NULL, OPTIONS("source-identifiers", "b,a", SEQUENCE_B, "a.connector", "sequence",
                                                             "a.from", "1", "a.to", "2", "a.too", "3")), E_CONFIG);
    assert_non_null(strstr(p.err.text, "'too'"));
    probe_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_source_waits_for_all_subtasks), cmocka_unit_test(splits_side_by_side_are_waited_for),
        cmocka_unit_test(it_goes_on_from_a_position),
        cmocka_unit_test(all_files_come_before_what_follows),     cmocka_unit_test(a_source_that_fails_is_named),
        cmocka_unit_test(mistakes),                               cmocka_unit_test(mistakes_in_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
