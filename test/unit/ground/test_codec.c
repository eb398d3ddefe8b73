/* test_codec.c - every kind of field: exact bytes, values at the ends of their ranges, and a message cut off at every byte,
 * which must fail and never read a byte behind its end (the bytes lie at the end of a block of their own). */
#include "ground/base/codec.h"
#include "ground/base/mem.h"
#include "ground/base/str.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct mem mem;
static struct buf bytes;

static int set_up(void **state)
{
    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&bytes, &mem);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_release(&bytes);
    assert_int_equal(mem.used, 0);
    mem_release(&mem);
    return 0;
}

/* A decoder over a copy of the first `size` bytes that ends where its block of memory ends: a sanitizer sees one byte more. */
static void *cut(struct dec *d, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);

    assert_non_null(copy);
    if (size > 0) memcpy(copy, bytes.data, size);
    dec_init(d, copy, size);
    return copy;
}

#define WRITTEN(...)                                                                                                   \
    do {                                                                                                               \
        static const uint8_t expected_[] = {__VA_ARGS__};                                                              \
        assert_int_equal(bytes.size, sizeof expected_);                                                                \
        assert_memory_equal(bytes.data, expected_, sizeof expected_);                                                  \
        buf_clear(&bytes);                                                                                             \
    } while (0)

static void bytes_are_as_documented(void **state)
{
    (void)state;
    enc_u8(&bytes, 0xfe);
    WRITTEN(0xfe);
    enc_u32(&bytes, 0x01020304);
    WRITTEN(4, 3, 2, 1);
    enc_u64(&bytes, UINT64_C(0x0102030405060708));
    WRITTEN(8, 7, 6, 5, 4, 3, 2, 1);
    enc_varint(&bytes, 0);
    enc_varint(&bytes, 127);
    enc_varint(&bytes, 128);
    enc_varint(&bytes, 300);
    WRITTEN(0, 0x7f, 0x80, 1, 0xac, 2);
    enc_varint(&bytes, UINT64_MAX);
    WRITTEN(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1);
    enc_zigzag(&bytes, 0);
    enc_zigzag(&bytes, -1);
    enc_zigzag(&bytes, 1);
    enc_zigzag(&bytes, -64);
    WRITTEN(0, 1, 2, 0x7f);
    enc_f64(&bytes, 1.0);
    WRITTEN(0, 0, 0, 0, 0, 0, 0xf0, 0x3f);
    enc_str(&bytes, (struct str){"a\0b", 3});
    enc_text(&bytes, "ab");
    enc_text(&bytes, NULL);
    WRITTEN(3, 'a', 0, 'b', 2, 'a', 'b', 0);
}

static void words_come_back(void **state)
{
    struct dec d;

    (void)state;
    for (uint32_t shift = 0; shift < 64; shift++) {
        uint64_t around[] = {(UINT64_C(1) << shift) - 1, UINT64_C(1) << shift, (UINT64_C(1) << shift) + 1};
        for (size_t i = 0; i < COUNT_OF(around); i++) {
            buf_clear(&bytes);
            enc_varint(&bytes, around[i]);
            enc_zigzag(&bytes, (int64_t)around[i]);
            enc_zigzag(&bytes, (int64_t)(0 - around[i]));
            enc_u64(&bytes, around[i]);
            enc_u32(&bytes, (uint32_t)around[i]);
            dec_init(&d, bytes.data, bytes.size);
            assert_true(dec_varint(&d) == around[i]);
            assert_true(dec_zigzag(&d) == (int64_t)around[i]);
            assert_true(dec_zigzag(&d) == (int64_t)(0 - around[i]));
            assert_true(dec_u64(&d) == around[i]);
            assert_true(dec_u32(&d) == (uint32_t)around[i]);
            assert_true(dec_ok(&d) && dec_left(&d) == 0);
        }
    }
}

static void reals_come_back_bit_by_bit(void **state)
{
    static const double values[] = {0.0, -0.0, 1.5, -2.25, 0x1p-1074, 0x1.fffffffffffffp1023, INFINITY, -INFINITY, NAN};
    struct dec d;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) enc_f64(&bytes, values[i]);
    dec_init(&d, bytes.data, bytes.size);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        double back = dec_f64(&d);
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    assert_true(dec_ok(&d) && dec_left(&d) == 0);
}

/* One of each kind; answers whether all was there. */
static bool read_all(struct dec *d)
{
    struct str text, none;

    assert_true(dec_u8(d) == 7 || !dec_ok(d));
    assert_true(dec_u32(d) == 0xdeadbeef || !dec_ok(d));
    assert_true(dec_u64(d) == UINT64_C(0xfeedfacecafebeef) || !dec_ok(d));
    assert_true(dec_varint(d) == UINT64_MAX || !dec_ok(d));
    assert_true(dec_zigzag(d) == INT64_MIN || !dec_ok(d));
    assert_true(dec_f64(d) == -1234.5 || !dec_ok(d));
    text = dec_str(d, 100);
    assert_true(!dec_ok(d) || str_equal(text, str_of("a text of some length")));
    none = dec_str(d, 0);
    assert_true(!dec_ok(d) || none.size == 0);
    if (!dec_ok(d)) {
        /* Sticky: from the first failure on everything is zero, whatever is left. */
        assert_true(dec_u8(d) == 0 && dec_u32(d) == 0 && dec_u64(d) == 0 && dec_varint(d) == 0);
        assert_true(dec_zigzag(d) == 0 && dec_f64(d) == 0.0);
        assert_true(dec_str(d, 100).size == 0 && !dec_ok(d));
    }
    return dec_ok(d) && dec_left(d) == 0;
}

static void a_message_cut_anywhere_fails(void **state)
{
    struct dec d;

    (void)state;
    enc_u8(&bytes, 7);
    enc_u32(&bytes, 0xdeadbeef);
    enc_u64(&bytes, UINT64_C(0xfeedfacecafebeef));
    enc_varint(&bytes, UINT64_MAX);
    enc_zigzag(&bytes, INT64_MIN);
    enc_f64(&bytes, -1234.5);
    enc_text(&bytes, "a text of some length");
    enc_text(&bytes, NULL);
    assert_int_equal(bytes.size, 1 + 4 + 8 + 10 + 10 + 8 + 22 + 1);
    for (size_t size = 0; size <= bytes.size; size++) {
        void *copy = cut(&d, size);
        assert_int_equal(read_all(&d), size == bytes.size);
        free(copy);
    }
}

static void varints_that_are_too_long_fail(void **state)
{
    static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0},
                         too_great[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2},
                         greatest[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    struct dec d;

    (void)state;
    dec_init(&d, eleven, sizeof eleven);
    assert_true(dec_varint(&d) == 0 && !dec_ok(&d));
    dec_init(&d, too_great, sizeof too_great);
    assert_true(dec_varint(&d) == 0 && !dec_ok(&d));
    dec_init(&d, greatest, sizeof greatest);
    assert_true(dec_varint(&d) == UINT64_MAX && dec_ok(&d));
}

/* A length that cannot be: above what the reader allows, and near 2^64, where an addition would wrap. */
static void lengths_are_bounded(void **state)
{
    struct dec d;

    (void)state;
    enc_text(&bytes, "abcd");
    dec_init(&d, bytes.data, bytes.size);
    assert_int_equal(dec_str(&d, 4).size, 4);
    dec_init(&d, bytes.data, bytes.size);
    assert_true(dec_str(&d, 3).data == NULL && !dec_ok(&d));
    buf_clear(&bytes);
    enc_varint(&bytes, UINT64_MAX);
    enc_u64(&bytes, 0);
    dec_init(&d, bytes.data, bytes.size);
    assert_true(dec_str(&d, SIZE_MAX).data == NULL && !dec_ok(&d));
    dec_init(&d, NULL, 0);
    assert_true(dec_u8(&d) == 0 && !dec_ok(&d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_are_as_documented, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reals_come_back_bit_by_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_cut_anywhere_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(varints_that_are_too_long_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lengths_are_bounded, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
