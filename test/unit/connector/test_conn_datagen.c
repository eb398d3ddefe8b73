/* test_conn_datagen.c - made-up rows: sequences, bounds, lengths, NULLs, every type, rates, splits, mistakes. */
#include "ground/base/str.h"
#include "support/source_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct source_probe p;

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_sequences_end(void **state)
{
    (void)state;
    for (uint32_t parallelism = 1; parallelism < 8; parallelism += 3) {
        probe_open(&p, "datagen", "ROW<a INT, b STRING, c DECIMAL(10, 2), d DOUBLE>", parallelism,
                   OPTIONS("rows-per-second", "0", "fields.a.kind", "sequence", "fields.a.start", "-1", "fields.a.end",
                           "100", "fields.b.kind", "sequence", "fields.b.start", "9", "fields.b.end", "11",
                           "fields.c.kind", "sequence", "fields.c.start", "1", "fields.c.end", "9", "fields.d.kind",
                           "sequence", "fields.d.start", "5", "fields.d.end", "9"));
        assert_int_equal(p.conn->source->boundedness(&p.options, p.conn->options), BOUNDED);
        /* the shortest sequence ends all; subtasks take rows in turn, so the order of splits is that of their first rows */
        assert_string_equal(probe_all(&p, 2), "+I[-1, 9, 1.00, 5.0]\n+I[0, 10, 2.00, 6.0]\n+I[1, 11, 3.00, 7.0]\n");
        probe_close(&p);
    }
}

static struct batch *read_rows(const char *schema, const char *const *kv, uint32_t rows)
{
    struct probe_split s;

    probe_open(&p, "datagen", schema, 1, kv);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    struct batch *b = probe_batch(&p, rows);
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    assert_int_equal(b->count, rows);
    return b;
}

static void test_bounds(void **state)
{
    bool seen[7] = {false}, low = false, high = false;
    double sum = 0;

    (void)state;
    struct batch *b =
        read_rows("ROW<a TINYINT, b BIGINT, c DOUBLE, d DECIMAL(38, 0), e FLOAT>",
                  OPTIONS("rows-per-second", "0", "fields.a.min", "-3", "fields.a.max", "3", "fields.c.min", "10",
                          "fields.c.max", "20", "fields.d.min", "100000000000000000000", "fields.d.max",
                          "100000000000000000001", "fields.e.max", "1"),
                  2000);
    for (uint32_t i = 0; i < b->count; i++) {
        int8_t a = VECTOR_VALUES(&b->cols[0], int8_t)[i];
        int64_t any = VECTOR_VALUES(&b->cols[1], int64_t)[i];
        double c = VECTOR_VALUES(&b->cols[2], double)[i];
        int128 d = VECTOR_VALUES(&b->cols[3], int128)[i] - (int128)UINT64_C(10000000000) * UINT64_C(10000000000);
        assert_true(a >= -3 && a <= 3);
        seen[a + 3] = true;
        low |= any < 0;
        high |= any > INT64_MAX / 2;
        assert_true(c >= 10 && c < 20);
        sum += c;
        assert_true(d == 0 || d == 1);
        assert_true(VECTOR_VALUES(&b->cols[4], float)[i] >= 0 && VECTOR_VALUES(&b->cols[4], float)[i] <= 1);
    }
    for (uint32_t i = 0; i < 7; i++) assert_true(seen[i]);
    assert_true(low && high);
    assert_true(sum / 2000 > 14.7 && sum / 2000 < 15.3);
    batch_free(b);
    probe_close(&p);
}

static void test_lengths_and_nulls(void **state)
{
    uint32_t nulls = 0, shortest = 1000, longest = 0;

    (void)state;
    struct batch *b = read_rows("ROW<a STRING, b CHAR(5), c VARBINARY(20), d VARCHAR(7), e INT>",
                                OPTIONS("rows-per-second", "0", "fields.c.var-len", "true", "fields.e.null-rate",
                                        "0.25", "fields.a.length", "40"),
                                2000);
    for (uint32_t i = 0; i < b->count; i++) {
        struct str a = text_str(&VECTOR_VALUES(&b->cols[0], struct text)[i]);
        uint32_t c = VECTOR_VALUES(&b->cols[2], struct text)[i].size;
        assert_int_equal(a.size, 40);
        for (size_t k = 0; k < a.size; k++) assert_non_null(strchr("0123456789abcdef", a.data[k]));
        assert_int_equal(VECTOR_VALUES(&b->cols[1], struct text)[i].size, 5);
        assert_int_equal(VECTOR_VALUES(&b->cols[3], struct text)[i].size, 7);
        shortest = MIN(shortest, c);
        longest = MAX(longest, c);
        nulls += vector_is_null(&b->cols[4], i);
    }
    assert_int_equal(shortest, 1);
    assert_int_equal(longest, 20);
    assert_true(nulls > 430 && nulls < 570);
    batch_free(b);
    probe_close(&p);
}

static void test_nested_and_times(void **state)
{
    (void)state;
    p.now_ms = 86400000 + 5000;
    struct batch *b =
        read_rows("ROW<r ROW<x INT, y ARRAY<SMALLINT>>, m MAP<TINYINT, STRING>, s MULTISET<BOOLEAN>, d DATE, t "
                  "TIME(3), ts TIMESTAMP(6), i INTERVAL MONTH>",
                  OPTIONS("rows-per-second", "0", "fields.r.x.min", "7", "fields.r.x.max", "7", "fields.r.y.length",
                          "2", "fields.r.y.element.max", "0", "fields.r.y.element.min", "0", "fields.m.key.min", "1",
                          "fields.m.key.max", "2", "fields.m.length", "20", "fields.m.value.length", "3",
                          "fields.s.length", "50", "fields.ts.max-past", "1 s"),
                  100);
    const struct vector *m = &b->cols[1], *s = &b->cols[2];
    for (uint32_t i = 0; i < b->count; i++) {
        struct list_ref map = VECTOR_VALUES(m, struct list_ref)[i], set = VECTOR_VALUES(s, struct list_ref)[i];
        int64_t us = VECTOR_VALUES(&b->cols[5], int64_t)[i];
        int32_t total = 0;
        assert_int_equal(VECTOR_VALUES(&b->cols[0].children[0], int32_t)[i], 7);
        assert_int_equal(map.count, 2); /* twenty draws of two keys */
        assert_int_not_equal(VECTOR_VALUES(&m->children[0], int8_t)[map.first],
                             VECTOR_VALUES(&m->children[0], int8_t)[map.first + 1]);
        assert_int_equal(VECTOR_VALUES(&m->children[1], struct text)[map.first].size, 3);
        for (uint32_t k = 0; k < set.count; k++) total += VECTOR_VALUES(&s->children[1], int32_t)[set.first + k];
        assert_int_equal(total, 50);
        assert_int_equal(VECTOR_VALUES(&b->cols[3], int32_t)[i], 1);
        assert_int_equal(VECTOR_VALUES(&b->cols[4], int32_t)[i], 5000);
        assert_true(us <= (p.now_ms) * 1000 && us >= (p.now_ms - 1000) * 1000);
    }
    buf_clear(&p.text);
    vector_print(&b->cols[0], 0, &p.text);
    assert_non_null(strstr(buf_text(&p.text), "7, [0, 0]"));
    batch_free(b);
    probe_close(&p);
}

static void test_same_rows_however_cut(void **state)
{
    char first[4096];
    const char *const kv[] = {"rows-per-second", "0", "number-of-rows", "20", NULL};

    (void)state;
    probe_open(&p, "datagen", "ROW<a BIGINT, b VARCHAR(20)>", 1, kv);
    strcpy(first, probe_all(&p, 20));
    probe_close(&p);
    probe_open(&p, "datagen", "ROW<a BIGINT, b VARCHAR(20)>", 1, kv);
    assert_string_equal(probe_all(&p, 3), first);
    probe_close(&p);
    probe_open(&p, "datagen", "ROW<a BIGINT, b VARCHAR(20)>", 3, kv);
    struct str rest = str_of(probe_all(&p, 3)), line; /* rows 0 3 6 .., 1 4 7 .., 2 5 8 .. */
    uint32_t n = 0;
    for (; str_cut(&rest, '\n', &line); n++) assert_non_null(memmem(first, strlen(first), line.data, line.size));
    assert_int_equal(n, 20);
    probe_close(&p);
    probe_open(&p, "datagen", "ROW<a BIGINT, b VARCHAR(20)>", 1,
               OPTIONS("rows-per-second", "0", "number-of-rows", "20", "seed", "1"));
    assert_string_not_equal(probe_all(&p, 3), first);
    probe_close(&p);
}

static void test_rate(void **state)
{
    struct probe_split a, b;

    (void)state;
    p.now_ms = 1000;
    probe_open(&p, "datagen", "ROW<a INT>", 2, OPTIONS("rows-per-second", "20"));
    assert_int_equal(p.conn->source->boundedness(&p.options, p.conn->options), UNBOUNDED);
    assert_int_equal(probe_next(&p, 0, &a), S_OK);
    assert_int_equal(probe_next(&p, 1, &b), S_OK);
    assert_int_equal(probe_next(&p, 1, &b), S_END);
    struct batch *out = probe_batch(&p, 100);
    assert_int_equal(probe_read(&p, &a, out), S_OK);
    assert_int_equal(out->count, 1);
    assert_int_equal(probe_read(&p, &a, out), S_IDLE);
    assert_int_equal(p.cx.wake_ms, 1100); /* ten per second for each of the two */
    p.now_ms = 1500;
    assert_int_equal(probe_read(&p, &a, out), S_OK);
    assert_int_equal(out->count, 5);
    batch_free(out);
    probe_close(&p);
}

/* Long texts: batches stay near 512 KiB. */
static void test_batches_are_bounded(void **state)
{
    struct probe_split s;

    (void)state;
    probe_open(&p, "datagen", "ROW<a STRING>", 1, OPTIONS("rows-per-second", "0", "fields.a.length", "100000"));
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    struct batch *b = probe_batch(&p, 2048);
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    assert_int_equal(b->count, 5);
    batch_free(b);
    probe_close(&p);
}

static void refuse(const char *schema, const char *const *kv, const char *text, const char *hint)
{
    assert_true(probe_check(&p, "datagen", schema, kv) < 0);
    assert_string_equal(p.err.text, text);
    assert_string_equal(p.err.hint, hint);
    probe_close(&p);
}

static void test_mistakes(void **state)
{
    (void)state;
    refuse("ROW<amount INT>", OPTIONS("fields.amont.min", "1"),
           "option 'fields.amont.min' of connector 'datagen' fits no column", "did you mean 'fields.amount...'?");
    refuse("ROW<a INT>", OPTIONS("fields.a.length", "1"),
           "option 'fields.a.length' of connector 'datagen' fits no column", "column 'a' has no such property");
    refuse(
        "ROW<a INT>", OPTIONS("fields.a.min", "3000000000"),
        "option 'fields.a.min' of connector 'datagen' is '3000000000', but must be a whole number that fits the column",
        "");
    refuse("ROW<a INT>", OPTIONS("fields.a.min", "3", "fields.a.max", "2"),
           "connector 'datagen': 'fields.a.min' is greater than 'fields.a.max'", "");
    refuse("ROW<a INT>", OPTIONS("fields.a.kind", "sequence", "fields.a.start", "3"),
           "connector 'datagen': the sequence 'a' needs 'fields.a.start' and 'fields.a.end'", "");
    refuse("ROW<a TINYINT>", OPTIONS("fields.a.kind", "sequence", "fields.a.start", "3", "fields.a.end", "128"),
           "option 'fields.a.end' of connector 'datagen' is '128', but must be a number that fits the column", "");
    refuse("ROW<a DATE>", OPTIONS("fields.a.kind", "sequence"),
           "connector 'datagen': column 'a' cannot be a sequence, only numbers and strings can", "");
    refuse("ROW<a INT NOT NULL>", OPTIONS("fields.a.null-rate", "0.5"),
           "connector 'datagen': column 'a' is NOT NULL, but has a null-rate", "");
    refuse("ROW<a CHAR(4)>", OPTIONS("fields.a.length", "3"), "connector 'datagen': column 'a' has the fixed length 4",
           "");
    refuse("ROW<a VARCHAR(4)>", OPTIONS("fields.a.length", "5"),
           "option 'fields.a.length' of connector 'datagen' is '5', but must be a length that fits the column", "");
    refuse("ROW<a INT>", OPTIONS("fields.a.kind", "squence"),
           "option 'fields.a.kind' of connector 'datagen' is 'squence', but must be one of random|sequence", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences_end),         cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_lengths_and_nulls),     cmocka_unit_test(test_nested_and_times),
        cmocka_unit_test(test_same_rows_however_cut), cmocka_unit_test(test_rate),
        cmocka_unit_test(test_batches_are_bounded),   cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
