/* test_buf.c - growing bytes, and what is encoded into them read back, also from input that is cut or made up. */
#include "ground/base/codec.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

struct world {
    struct mem mem;
    struct buf buf;
};

static int set_up(void **state)
{
    static struct world w;

    mem_init(&w.mem, "test", 0);
    buf_init(&w.buf, &w.mem);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    buf_release(&w->buf);
    assert_int_equal(w->mem.used, 0);
    return 0;
}

static void appends(void **state)
{
    struct buf *b = &((struct world *)*state)->buf;

    assert_string_equal(buf_text(b), "");
    assert_int_equal(b->size, 0);
    buf_append(b, NULL, 0);
    buf_append(b, "abcdef", 3);
    buf_append_byte(b, '-');
    buf_append_text(b, "text");
    buf_printf(b, " %s %05d", "and", 42);
    assert_string_equal(buf_text(b), "abc-text and 00042");
    assert_int_equal(b->size, 18);
    buf_clear(b);
    assert_string_equal(buf_text(b), "");
}

static void gives_away_what_it_holds(void **state)
{
    struct buf *b = &((struct world *)*state)->buf;
    struct mem other;

    mem_init(&other, "other", 0);
    buf_append_text(b, "as it lies");
    const char *at = b->data;
    struct str s = buf_give(b, &other);
    assert_ptr_equal(s.data, at);
    assert_int_equal(s.size, 10);
    assert_memory_equal(s.data, "as it lies", 10);
    assert_null(b->data);
    assert_int_equal(b->mem->used, 0);
    assert_true(other.used > 10);
    assert_int_equal(buf_give(b, &other).size, 0);
    mem_release(&other);
    buf_append_text(b, "it can be used on");
}

static void grows_by_doubling(void **state)
{
    struct world *w = *state;
    struct buf *b = &w->buf;

    for (int i = 0; i < 1000000; i++) buf_append_byte(b, (char)i);
    assert_int_equal(b->size, 1000000);
    for (int i = 0; i < 1000000; i += 997) assert_int_equal(b->data[i], (char)i);
    assert_true(w->mem.calls < 20);
    buf_clear(b);
    uint64_t calls = w->mem.calls;
    buf_printf(b, "%0*d", 900000, 1);
    assert_int_equal(b->size, 900000);
    assert_int_equal(w->mem.calls, calls); /* clearing keeps the room */
}

static void fixed_bytes(void **state)
{
    struct buf *b = &((struct world *)*state)->buf;

    enc_u8(b, 0xFE);
    enc_u32(b, 0x01020304);
    enc_u64(b, UINT64_C(0x0102030405060708));
    enc_varint(b, 300);
    enc_zigzag(b, -2);
    enc_text(b, "ab");
    enc_text(b, NULL);
    assert_int_equal(b->size, 1 + 4 + 8 + 2 + 1 + 3 + 1);
    assert_memory_equal(b->data, "\xFE\4\3\2\1\x8\7\6\5\4\3\2\1\xAC\2\3\2ab\0", 20);
}

static void reads_back(void **state)
{
    struct buf *b = &((struct world *)*state)->buf;
    static const int64_t values[] = {0, 1, -1, 63, 64, -64, -65, 127, 128, 16383, 16384, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    struct dec d;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        enc_varint(b, (uint64_t)values[i]);
        enc_zigzag(b, values[i]);
        enc_u64(b, (uint64_t)values[i]);
        enc_u32(b, (uint32_t)values[i]);
        enc_f64(b, (double)values[i] / 3);
    }
    enc_f64(b, -0.0);
    enc_str(b, STR("end"));
    dec_init(&d, b->data, b->size);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        assert_int_equal(dec_varint(&d), (uint64_t)values[i]);
        assert_int_equal(dec_zigzag(&d), values[i]);
        assert_int_equal(dec_u64(&d), (uint64_t)values[i]);
        assert_int_equal(dec_u32(&d), (uint32_t)values[i]);
        assert_true(dec_f64(&d) == (double)values[i] / 3);
    }
    assert_true(signbit(dec_f64(&d)));
    assert_true(str_equal(dec_str(&d, 3), STR("end")));
    assert_true(dec_ok(&d));
    assert_int_equal(dec_left(&d), 0);
}

static void failure_sticks(void **state)
{
    struct dec d;

    (void)state;
    dec_init(&d, "\1\2\3", 3);
    assert_int_equal(dec_u32(&d), 0); /* one byte short */
    assert_false(dec_ok(&d));
    assert_int_equal(dec_u8(&d), 0); /* although a byte is there */
    dec_init(&d, NULL, 0);
    assert_int_equal(dec_varint(&d), 0);
    assert_false(dec_ok(&d));
}

static void refuses_bad_varints_and_sizes(void **state)
{
    struct dec d;

    (void)state;
    dec_init(&d, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1", 10);
    assert_int_equal(dec_varint(&d), UINT64_MAX);
    assert_true(dec_ok(&d));
    dec_init(&d, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\2", 10); /* the 65th bit */
    assert_int_equal(dec_varint(&d), 0);
    assert_false(dec_ok(&d));
    dec_init(&d, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1", 11); /* too long */
    dec_varint(&d);
    assert_false(dec_ok(&d));
    dec_init(&d, "\4abcd", 5);
    assert_int_equal(dec_str(&d, 3).size, 0); /* above the reader's limit */
    assert_false(dec_ok(&d));
    dec_init(&d, "\5abcd", 5);
    assert_null(dec_str(&d, 100).data); /* beyond the input */
    assert_false(dec_ok(&d));
}

static void random_input_stays_inside(void **state)
{
    struct prng prng;
    uint8_t bytes[32];

    (void)state;
    prng_init(&prng, 4);
    for (int round = 0; round < 20000; round++) {
        size_t size = prng_below(&prng, sizeof bytes + 1);
        for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(prng_next(&prng) | (prng_below(&prng, 2) ? 0x80 : 0));
        struct dec d;
        dec_init(&d, bytes, size);
        for (int i = 0; i < 8; i++) {
            struct str s = {NULL, 0};
            switch (prng_below(&prng, 4)) {
            case 0: dec_varint(&d); break;
            case 1: s = dec_str(&d, 1000); break;
            case 2: dec_u64(&d); break;
            default: dec_zigzag(&d); break;
            }
            assert_true(dec_left(&d) <= size);
            if (s.size > 0) assert_true((const uint8_t *)s.data >= bytes && (const uint8_t *)s.data + s.size <= bytes + size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(appends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_away_what_it_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(grows_by_doubling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fixed_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_back, set_up, tear_down),
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(refuses_bad_varints_and_sizes),
        cmocka_unit_test(random_input_stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
