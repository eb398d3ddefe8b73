/* test_conn_sequence.c - runs of numbers: cutting among subtasks, ends of the range, positions. */
#include "ground/base/str.h"
#include "support/source_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct source_probe p;

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_all_numbers_whatever_the_batches(void **state)
{
    (void)state;
    for (uint32_t capacity = 1; capacity <= 5; capacity++) {
        probe_open(&p, "sequence", NULL, 1, OPTIONS("from", "-2", "to", "3"));
        assert_string_equal(probe_all(&p, capacity), "+I[-2]\n+I[-1]\n+I[0]\n+I[1]\n+I[2]\n+I[3]\n");
        probe_close(&p);
    }
}

static void test_runs_of_subtasks(void **state)
{
    struct probe_split a, b, c;
    enum status last;

    (void)state;
    probe_open(&p, "sequence", NULL, 3, OPTIONS("from", "1", "to", "5"));
    assert_int_equal(probe_next(&p, 0, &a), S_OK);
    assert_int_equal(probe_next(&p, 2, &b), S_OK);
    assert_int_equal(probe_next(&p, 1, &c), S_OK);
    assert_string_equal(a.what.id, "1..1");
    assert_string_equal(b.what.id, "2..3");
    assert_string_equal(c.what.id, "4..5");
    assert_string_equal(probe_rows(&p, &b, 8, &last), "+I[2]\n+I[3]\n");
    assert_int_equal(last, S_END);
    assert_int_equal(probe_next(&p, 0, &a), S_END);
    probe_close(&p);
}

static void test_more_subtasks_than_numbers(void **state)
{
    (void)state;
    probe_open(&p, "sequence", NULL, 8, OPTIONS("from", "7", "to", "8"));
    assert_string_equal(probe_all(&p, 8), "+I[7]\n+I[8]\n");
    probe_close(&p);
}

static void test_the_whole_range(void **state)
{
    struct probe_split s;
    struct batch *b;

    (void)state;
    probe_open(&p, "sequence", NULL, 1, OPTIONS("from", "-9223372036854775808", "to", "9223372036854775807"));
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    b = probe_batch(&p, 2);
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    assert_int_equal(VECTOR_VALUES(&b->cols[0], int64_t)[1], INT64_MIN + 1);
    batch_free(b);
    probe_close(&p);

    probe_open(&p, "sequence", NULL, 1, OPTIONS("from", "9223372036854775806", "to", "9223372036854775807"));
    assert_string_equal(probe_all(&p, 1), "+I[9223372036854775806]\n+I[9223372036854775807]\n");
    probe_close(&p);
}

static void test_goes_on_from_a_position(void **state)
{
    struct probe_split s, again;
    struct batch *b;
    struct buf at;
    enum status last;

    (void)state;
    probe_open(&p, "sequence", NULL, 1, OPTIONS("from", "1", "to", "6"));
    buf_init(&at, &p.mem);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    b = probe_batch(&p, 4);
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    p.conn->source->split_position(&p.cx, p.reader, s.self, &at);
    assert_int_equal(probe_reopen(&p, s.what.id, (struct str){at.data, at.size}, &again), S_OK);
    assert_string_equal(probe_rows(&p, &again, 4, &last), "+I[5]\n+I[6]\n");
    assert_int_equal(probe_reopen(&p, s.what.id, STR("\x09"), &again), E_DATA);
    batch_free(b);
    probe_close(&p);
}

static void test_mistakes(void **state)
{
    (void)state;
    assert_int_equal(probe_check(&p, "sequence", NULL, OPTIONS("from", "2", "to", "1")), E_CONFIG);
    assert_string_equal(p.err.text, "connector 'sequence': 'from' = 2 is greater than 'to' = 1");
    probe_close(&p);
    assert_int_equal(probe_check(&p, "sequence", NULL, OPTIONS("froms", "2", "to", "1")), E_CONFIG);
    assert_string_equal(p.err.text, "connector 'sequence' has no option 'froms'");
    assert_string_equal(p.err.hint, "did you mean 'from'?");
    probe_close(&p);
    assert_int_equal(probe_check(&p, "sequence", NULL, OPTIONS("from", "2")), E_CONFIG);
    assert_string_equal(p.err.text, "connector 'sequence' needs the option 'to': last number");
    probe_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_numbers_whatever_the_batches), cmocka_unit_test(test_runs_of_subtasks),
        cmocka_unit_test(test_more_subtasks_than_numbers),       cmocka_unit_test(test_the_whole_range),
        cmocka_unit_test(test_goes_on_from_a_position),          cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
