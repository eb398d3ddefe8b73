/* test_vector.c - string references and their heap, validity, copying of every form, order, text of values. */
#include "columns/column/batch.h"
#include "columns/column/vector_internal.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"
#include "support/rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena arena;
    struct buf out;
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.out, &w.mem);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    buf_release(&w->out);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    return 0;
}

static struct batch *batch_of(struct world *w, const char *type, const char *rows)
{
    return rows_batch(rows_type(&w->arena, type), &w->mem, rows);
}

/* ---- texts */

static const char *const words[] = {"",
                                    "a",
                                    "ab",
                                    "abc",
                                    "abcd",
                                    "abcde",
                                    "abcdefghijkl",
                                    "abcdefghijklm",
                                    "abcdefghijklmn",
                                    "abce",
                                    "abcdefghijkzz",
                                    "b",
                                    "\xff",
                                    "a\x01",
                                    "abcdefghijklmo"};

static int sign(int v)
{
    return v < 0 ? -1 : v > 0;
}

static void test_texts_compare_as_their_bytes(void **state)
{
    struct world *w = *state;
    struct text_heap heap;

    text_heap_init(&heap, &w->mem);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct text a = text_put(&heap, words[i], strlen(words[i]));
        assert_true(str_equal(text_str(&a), str_of(words[i])));
        for (size_t k = 0; k < COUNT_OF(words); k++) {
            struct text b = text_put(&heap, words[k], strlen(words[k]));
            assert_int_equal(text_equal(&a, &b), i == k);
            assert_int_equal(text_compare(&a, &b), sign(str_compare(str_of(words[i]), str_of(words[k]))));
        }
    }
    text_heap_release(&heap);
}

/* Every length up to the inline limit, with bytes around that must not get in; beyond the size the reference is zero. */
static void test_short_texts_hold_their_bytes_and_zeros(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 14; size++) {
        char *bytes = test_malloc(size); /* exactly as large: nothing beside it may be read */
        char expected[16] = {0};
        struct text t;
        for (size_t i = 0; i < size; i++) bytes[i] = (char)(0xf0 + i);
        memcpy(expected, &(uint32_t){(uint32_t)size}, 4);
        memcpy(expected + 4, bytes, size <= TEXT_INLINE ? size : 4);
        t = text_view(bytes, size);
        if (size <= TEXT_INLINE) assert_memory_equal(&t, expected, 16);
        else assert_true(memcmp(&t, expected, 8) == 0 && t.far == bytes);
        test_free(bytes);
    }
    assert_int_equal(text_view(NULL, 0).size, 0);
}

static void heap_fill(struct text_heap *heap)
{
    char bytes[3000];

    for (int i = 0; i < 100; i++) {
        memset(bytes, 'a' + i % 26, sizeof bytes);
        struct text t = text_put(heap, bytes, (size_t)(i * 30 + 13));
        assert_int_equal(text_data(&t)[i * 30 + 12], 'a' + i % 26);
    }
}

static void test_heap_reaches_a_steady_state(void **state)
{
    struct world *w = *state;
    struct text_heap heap;
    uint64_t calls;
    size_t used;

    text_heap_init(&heap, &w->mem);
    heap_fill(&heap);
    text_heap_clear(&heap);
    heap_fill(&heap);
    calls = w->mem.calls;
    used = w->mem.used;
    for (int i = 0; i < 10; i++) {
        text_heap_clear(&heap);
        assert_int_equal(heap.used, 0);
        heap_fill(&heap);
    }
    assert_int_equal(w->mem.calls, calls);

    memset(text_reserve(&heap, 8 << 20), 1, 8 << 20); /* one huge string does not stay */
    text_heap_clear(&heap);
    assert_int_equal(w->mem.used, used);
    text_heap_release(&heap);
}

/* ---- validity */

static void test_runs_of_bits(void **state)
{
    struct prng p;
    uint64_t bits[6] = {0}, model[6] = {0};

    (void)state;
    prng_init(&p, 1);
    for (int round = 0; round < 20000; round++) {
        uint32_t at = (uint32_t)prng_below(&p, 300), count = 1 + (uint32_t)prng_below(&p, 64), word_at = at;
        uint64_t word = prng_next(&p);
        if (round % 3 == 0) {
            bits_fill(bits, at, count, round & 1);
            for (uint32_t i = 0; i < count; i++) (round & 1 ? bit_set : bit_clear)(model, at + i);
        } else {
            bits_write(bits, at, count, word);
            for (uint32_t i = 0; i < count; i++) (word >> i & 1 ? bit_set : bit_clear)(model, at + i);
        }
        assert_memory_equal(bits, model, sizeof bits);
        word = bits_read(bits, word_at, count);
        for (uint32_t i = 0; i < 64; i++) assert_int_equal(word >> i & 1, i < count && bit_get(model, at + i));
    }
}

static void test_null_type_is_always_null(void **state)
{
    struct world *w = *state;
    struct vector v;

    vector_init(&v, &type_null, 100, &w->mem);
    assert_true(vector_is_null(&v, 0) && vector_is_null(&v, 99));
    vector_clear(&v);
    assert_true(vector_is_null(&v, 5));
    vector_release(&v, &w->mem);
}

static void test_elements_are_valid_until_said_otherwise(void **state)
{
    struct world *w = *state;
    struct vector v;

    vector_init(&v, rows_type(&w->arena, "ARRAY<INT>"), 10, &w->mem);
    VECTOR_VALUES(&v.children[0], int32_t)[3] = 33;
    vector_set_null(&v.children[0], 0);
    vector_child_reserve(&v, 500, &w->mem);
    assert_true(v.children[0].capacity >= 500);
    assert_true(vector_is_null(&v.children[0], 0));
    for (uint32_t i = 1; i < 500; i++) assert_false(vector_is_null(&v.children[0], i));
    assert_int_equal(VECTOR_VALUES(&v.children[0], int32_t)[3], 33);
    vector_release(&v, &w->mem);
}

/* ---- copying */

#define EVERY_WIDTH                                                                                                    \
    "ROW<a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(30, 2), i STRING, j "         \
    "TIMESTAMP(9), "                                                                                                   \
    "k DATE, l BYTES, m NULL, n ARRAY<STRING>, o MAP<INT, STRING>, p ROW<x INT, y STRING, z ARRAY<INT>>, q "           \
    "MULTISET<STRING>>"

static void every_width_row(struct buf *out, uint64_t seed)
{
    static const char *const texts[] = {"", "short", "exactly12byt", "a string longer than twelve bytes"};
    const char *text = texts[seed % 4], *other = texts[seed / 4 % 4];

    if (seed % 7 == 3) {
        buf_append_text(out, "null | null | null | null | null | null | null | null | null | null | null | null | null "
                             "| null | null | null | null\n");
        return;
    }
    buf_printf(out,
               "%s | %d | %d | %d | %llu | %d.5 | -%d.25 | %llu99999999999999.12 | %s | 2001-01-01 10:20:30.%09d | "
               "20%02d-03-04 | %s | null | ",
               seed & 1 ? "true" : "false", (int)(seed % 128), (int)(seed % 32768), (int)(seed % 100000),
               (unsigned long long)(seed % 1000000007), (int)(seed % 1000), (int)(seed % 1000),
               (unsigned long long)(seed % 10000), *text ? text : "\"\"", (int)(seed % 1000000000),
               (int)(seed % 90 + 10), *other ? other : "\"\"");
    buf_printf(out, "[%s, null] | {1=%s, %d=null} | (%d, %s, [%d, 2, 3]) | {%s=3}\n", *other ? other : "\"\"",
               *text ? text : "\"\"", (int)(seed % 50 + 2), (int)(seed % 9), *other ? other : "\"\"", (int)(seed % 11),
               *text ? text : "\"\"");
}

static struct batch *every_width(struct world *w, const struct type *schema, uint32_t count)
{
    struct prng p;
    struct batch *b = batch_create(schema, BATCH_ROWS, &w->mem);

    prng_init(&p, 7);
    for (uint32_t i = 0; i < count; i++) {
        buf_clear(&w->out);
        every_width_row(&w->out, prng_next(&p) >> 8);
        rows_add(b, buf_text(&w->out));
    }
    return b;
}

/* Row `at` of dst prints as row `from` of src. */
static void same_row(struct world *w, const struct batch *dst, uint32_t at, const struct batch *src, uint32_t from)
{
    struct buf expected;

    buf_init(&expected, &w->mem);
    batch_print_row(src, from, &expected);
    buf_clear(&w->out);
    batch_print_row(dst, at, &w->out);
    assert_string_equal(buf_text(&w->out), buf_text(&expected));
    for (uint32_t c = 0; c < src->col_count; c++)
        assert_int_equal(vector_compare(&dst->cols[c], at, &src->cols[c], from), 0);
    buf_release(&expected);
}

static void test_append_copies_every_type(void **state)
{
    struct world *w = *state;
    const struct type *schema = rows_type(&w->arena, EVERY_WIDTH);
    struct batch *src = every_width(w, schema, 300), *dst = batch_create(schema, 1000, &w->mem);
    uint16_t rows[500];
    struct prng p;

    prng_init(&p, 3);
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t n = (uint32_t)prng_below(&p, 400), before = (uint32_t)prng_below(&p, 300);
        batch_clear(dst);
        for (uint32_t i = 0; i < n; i++) rows[i] = (uint16_t)prng_below(&p, 300);
        src->count = before;
        batch_append(dst, src, NULL, 0);
        src->count = 300;
        batch_append(dst, src, rows, n);
        assert_int_equal(dst->count, before + n);
        for (uint32_t i = 0; i < before; i++) same_row(w, dst, i, src, i);
        for (uint32_t i = 0; i < n; i++) same_row(w, dst, before + i, src, rows[i]);
    }
    batch_free(src); /* nothing in dst points there */
    buf_clear(&w->out);
    for (uint32_t i = 0; i < dst->count; i++) batch_print_row(dst, i, &w->out);
    batch_free(dst);
}

static void test_constants_are_spread(void **state)
{
    struct world *w = *state;
    const struct type *schema = rows_type(&w->arena, EVERY_WIDTH);
    struct batch *src = every_width(w, schema, 20), *dst = batch_create(schema, 1000, &w->mem);
    uint16_t rows[] = {3, 3, 9, 0};

    for (uint32_t i = 0; i < src->col_count; i++) vector_make_const(&src->cols[i]);
    batch_append(dst, src, rows, 4);
    batch_append(dst, src, NULL, 0);
    assert_int_equal(dst->count, 24);
    for (uint32_t i = 0; i < 24; i++) same_row(w, dst, i, src, 7);
    for (uint32_t i = 0; i < dst->col_count; i++) assert_int_equal(dst->cols[i].form, VEC_FLAT);
    batch_free(src);
    batch_free(dst);
}

static void test_dictionaries_are_resolved(void **state)
{
    struct world *w = *state;
    struct batch *dict = batch_of(w, "ROW<s STRING>", "red\nnull\na colour with a long name\nblue\n");
    struct batch *src = batch_create(dict->schema, 1000, &w->mem), *dst = batch_create(dict->schema, 2000, &w->mem);
    uint16_t rows[700];

    for (uint32_t i = 0; i < 1000; i++) ((uint16_t *)src->cols[0].data)[i] = (uint16_t)(i * 7 % 4);
    src->cols[0].form = VEC_DICT;
    src->cols[0].children = dict->cols;
    src->cols[0].child_count = 1;
    src->count = 1000;
    for (uint32_t i = 0; i < 700; i++) rows[i] = (uint16_t)(999 - i);
    batch_append(dst, src, NULL, 0);
    batch_append(dst, src, rows, 700);
    for (uint32_t i = 0; i < 1000; i++) same_row(w, dst, i, dict, i * 7 % 4);
    for (uint32_t i = 0; i < 700; i++) same_row(w, dst, 1000 + i, dict, (999 - i) * 7 % 4);
    batch_clear(src); /* lets go of the dictionary */
    assert_int_equal(src->cols[0].form, VEC_FLAT);
    rows_add(src, "x\n");
    same_row(w, src, 0, src, 0);
    batch_free(src);
    batch_free(dst);
    batch_free(dict);
}

static void test_stale_strings_under_null_are_not_followed(void **state)
{
    struct world *w = *state;
    struct batch *src = batch_of(w, "ROW<s STRING, r ROW<t STRING NOT NULL>>", "x | (a string longer than twelve)\n"),
                 *dst;

    VECTOR_VALUES(&src->cols[0], struct text)[0] = (struct text){.size = 1000, .far = (const char *)16};
    vector_set_null(&src->cols[0], 0);
    vector_set_null(&src->cols[1], 0);
    dst = batch_create(src->schema, 10, &w->mem);
    batch_append(dst, src, NULL, 0);
    assert_int_equal(VECTOR_VALUES(&dst->cols[0], struct text)[0].size, 0);
    assert_string_equal(rows_text(dst, &w->out), "+I[null, null]\n");
    assert_int_equal(batch_bytes(dst), 16 + 1 + 16 + 1);
    batch_free(src);
    batch_free(dst);
}

/* A row that was given up again (its count taken back) leaves a validity bit behind: the next row is not NULL for it. */
static void test_rows_given_up_leave_nothing(void **state)
{
    struct world *w = *state;
    struct batch *src = batch_of(w, "ROW<a INT>", "1\n2\n"), *dst = batch_of(w, "ROW<a INT>", "null\nnull\nnull\n");

    dst->count = 1;
    batch_append(dst, src, NULL, 0);
    assert_string_equal(rows_text(dst, &w->out), "+I[null]\n+I[1]\n+I[2]\n");
    batch_free(src);
    batch_free(dst);
}

static void test_copy_needs_no_memory_in_steady_state(void **state)
{
    struct world *w = *state;
    const struct type *schema = rows_type(&w->arena, EVERY_WIDTH);
    struct batch *src = every_width(w, schema, 300), *dst = batch_create(schema, 300, &w->mem);
    uint64_t calls;

    batch_append(dst, src, NULL, 0);
    batch_clear(dst);
    batch_append(dst, src, NULL, 0);
    calls = w->mem.calls;
    for (int i = 0; i < 10; i++) {
        batch_clear(dst);
        batch_append(dst, src, NULL, 0);
    }
    assert_int_equal(w->mem.calls, calls);
    batch_free(src);
    batch_free(dst);
}

/* ---- order */

/* The rows are ascending, each equal only to itself. */
static void ordered(struct world *w, const char *type, const char *rows)
{
    struct batch *b = batch_of(w, type, rows);

    for (uint32_t i = 0; i < b->count; i++) {
        for (uint32_t k = 0; k < b->count; k++) {
            int expected = i < k ? -1 : i > k;
            if (vector_compare(&b->cols[0], i, &b->cols[0], k) != expected) fail_msg("%s: rows %u and %u", type, i, k);
        }
    }
    batch_free(b);
}

static void test_order_of_values(void **state)
{
    struct world *w = *state;

    ordered(w, "ROW<a BOOLEAN>", "null\nfalse\ntrue\n");
    ordered(w, "ROW<a TINYINT>", "null\n-128\n-1\n0\n127\n");
    ordered(w, "ROW<a SMALLINT>", "-32768\n0\n32767\n");
    ordered(w, "ROW<a INT>", "-2147483648\n0\n2147483647\n");
    ordered(w, "ROW<a BIGINT>", "null\n-9223372036854775808\n-1\n0\n9223372036854775807\n");
    ordered(w, "ROW<a FLOAT>", "-1.5\n0\n1\nNaN\n");
    ordered(w, "ROW<a DOUBLE>", "null\n-1e300\n-1\n0\n1e-300\n1\nNaN\n");
    ordered(w, "ROW<a DECIMAL(38, 0)>",
            "-99999999999999999999999999999999999999\n-1\n0\n99999999999999999999999999999999999999\n");
    ordered(w, "ROW<a STRING>", "null\n\"\"\na\nab\nabcdefghijklm\nabcdefghijklmn\nb\n\xff\n");
    ordered(w, "ROW<a TIMESTAMP(9)>",
            "null\n1969-12-31 23:59:59.999999999\n1970-01-01 00:00:00\n1970-01-01 00:00:00.000000001\n1970-01-01 "
            "00:00:00.001\n");
    ordered(w, "ROW<a ARRAY<INT>>", "null\n[]\n[null]\n[1]\n[1, 2]\n[2]\n");
    ordered(w, "ROW<a ROW<x INT, y STRING>>", "null\n(null, a)\n(1, null)\n(1, a)\n(1, b)\n(2, a)\n");
    ordered(w, "ROW<a MAP<INT, INT>>", "null\n{}\n{1=1}\n{2=1}\n{2=2, 1=1}\n{2=1, 1=2}\n{1=1, 3=1, 2=0}\n");
}

static void test_equal_values_of_different_looks(void **state)
{
    struct world *w = *state;
    struct batch *b = batch_of(w, "ROW<a DOUBLE, m MAP<STRING, INT>>", "0 | {a=1, b=2}\n-0.0 | {b=2, a=1}\n");

    assert_int_equal(vector_compare(&b->cols[0], 0, &b->cols[0], 1), 0);
    assert_int_equal(vector_compare(&b->cols[1], 0, &b->cols[1], 1), 0);
    batch_free(b);
}

/* ---- text of values */

static void prints(struct world *w, const char *type, const char *value, const char *printed)
{
    char schema[200];
    struct batch *b;

    (void)snprintf(schema, sizeof schema, "ROW<a %s>", type);
    b = batch_of(w, schema, value);
    buf_clear(&w->out);
    vector_print(&b->cols[0], 0, &w->out);
    assert_string_equal(buf_text(&w->out), printed);
    batch_free(b);
}

static void test_values_print_as_in_java(void **state)
{
    static const char *const cases[][3] = {
        {"BOOLEAN", "true", "true"},
        {"TINYINT", "-128", "-128"},
        {"BIGINT", "-9223372036854775808", "-9223372036854775808"},
        {"FLOAT", "0.1", "0.1"},
        {"FLOAT", "16777216", "1.6777216E7"},
        {"DOUBLE", "100", "100.0"},
        {"DOUBLE", "1e21", "1.0E21"},
        {"DOUBLE", "0.001", "0.001"},
        {"DOUBLE", "NaN", "NaN"},
        {"DECIMAL(10, 3)", "-0.5", "-0.500"},
        {"DECIMAL(38, 10)", "1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789"},
        {"STRING", "\"a, [b]\"", "a, [b]"},
        {"BYTES", "\n", "x''"},
        {"BYTES", "\x01\xff", "x'01ff'"},
        {"DATE", "2001-01-01", "2001-01-01"},
        {"TIME(3)", "10:20", "10:20"},
        {"TIME(3)", "10:20:30", "10:20:30"},
        {"TIME(3)", "10:20:00.050", "10:20:00.050"},
        {"TIMESTAMP(3)", "2001-01-01 00:00", "2001-01-01T00:00"},
        {"TIMESTAMP(3)", "2001-01-01 00:00:05", "2001-01-01T00:00:05"},
        {"TIMESTAMP(3)", "2001-01-01 00:00:00.1", "2001-01-01T00:00:00.100"},
        {"TIMESTAMP(6)", "1969-12-31 23:59:59.999999", "1969-12-31T23:59:59.999999"},
        {"TIMESTAMP(9)", "0001-01-01 00:00:00.000000001", "0001-01-01T00:00:00.000000001"},
        {"TIMESTAMP_LTZ(3)", "2001-01-01 00:00", "2001-01-01T00:00:00Z"},
        {"TIMESTAMP_LTZ(9)", "9999-12-31 23:59:59.999999999", "9999-12-31T23:59:59.999999999Z"},
        {"INTERVAL MONTH", "14", "P1Y2M"},
        {"INTERVAL MONTH", "-1", "P-1M"},
        {"INTERVAL MONTH", "0", "P0D"},
        {"INTERVAL SECOND", "93784500", "PT26H3M4.5S"},
        {"INTERVAL SECOND", "-500", "PT-0.5S"},
        {"INTERVAL SECOND", "-1500", "PT-1.5S"},
        {"INTERVAL SECOND", "60000", "PT1M"},
        {"INTERVAL SECOND", "0", "PT0S"},
        {"ARRAY<STRING>", "[a, null, b]", "[a, null, b]"},
        {"ARRAY<ARRAY<INT>>", "[[1, 2], [], null]", "[[1, 2], [], null]"},
        {"MAP<STRING, INT>", "{k=1, l=null}", "{k=1, l=null}"},
        {"MULTISET<STRING>", "{k=2}", "{k=2}"},
        {"ROW<x INT, y ROW<z STRING>>", "(1, (null))", "+I[1, +I[null]]"},
        {"INT", "null", "<NULL>"},
        {"NULL", "null", "<NULL>"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) prints(*state, cases[i][0], cases[i][1], cases[i][2]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_texts_compare_as_their_bytes),
        TEST(test_short_texts_hold_their_bytes_and_zeros),
        TEST(test_heap_reaches_a_steady_state),
        TEST(test_runs_of_bits),
        TEST(test_null_type_is_always_null),
        TEST(test_elements_are_valid_until_said_otherwise),
        TEST(test_append_copies_every_type),
        TEST(test_constants_are_spread),
        TEST(test_dictionaries_are_resolved),
        TEST(test_stale_strings_under_null_are_not_followed),
        TEST(test_rows_given_up_leave_nothing),
        TEST(test_copy_needs_no_memory_in_steady_state),
        TEST(test_order_of_values),
        TEST(test_equal_values_of_different_looks),
        TEST(test_values_print_as_in_java),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
