/* test_hash.c - golden values: the canonical hash and the checksums are formats. Then seeded numbers and sorting. */
#include "ground/base/hash.h"
#include "ground/base/prng.h"
#include "ground/base/sort.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void canonical_hash(void **state)
{
    struct prng prng;

    (void)state;
    assert_int_equal(hash64("", 0), UINT64_C(0x2D06800538D394C2)); /* XXH3's own test vector */
    prng_init(&prng, 1);
    for (int i = 0; i < 100000; i++) {
        uint64_t v = i < 1000 ? (uint64_t)i - 500 : prng_next(&prng) >> (i & 63);
        assert_int_equal(hash64_u64(v), hash64(&v, sizeof v));
    }
    assert_int_not_equal(hash64_seeded("key", 3, 1), hash64("key", 3));
    assert_int_equal(hash64_seeded("key", 3, 0), hash64("key", 3));
}

static void checksums(void **state)
{
    unsigned char bytes[32];
    char text[65];
    struct sha256 digest;

    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xE3069283); /* in parts */
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, 32), 0x8A9136AA); /* RFC 3720, B.4 */
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, 32), 0x62A8AB43);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, bytes, 32), 0x46DD794E);
    assert_int_equal(crc32c(0, NULL, 0), 0);
    sha256_of("abc", 3, &digest);
    sha256_hex(&digest, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_of("", 0, &digest);
    sha256_hex(&digest, text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void random_numbers(void **state)
{
    struct prng a = {{1, 2, 3, 4}}, b;
    static const uint64_t golden[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)}; /* xoshiro256** from 1, 2, 3, 4 */
    uint32_t hits[6] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(golden); i++) assert_int_equal(prng_next(&a), golden[i]);
    assert_int_equal(mix64(0), UINT64_C(0xE220A8397B1DCDAF)); /* splitmix64 from 0 */
    prng_init(&a, 0);
    assert_int_equal(a.s[1], UINT64_C(0x6E789E6AA1B965F4));
    prng_init(&b, 0);
    for (int i = 0; i < 100; i++) assert_int_equal(prng_next(&a), prng_next(&b));
    for (int i = 0; i < 60000; i++) {
        hits[prng_below(&a, 6)]++;
        double d = prng_double(&a);
        assert_true(d >= 0 && d < 1);
        assert_int_equal(prng_below(&a, 1), 0);
    }
    for (int i = 0; i < 6; i++) assert_in_range(hits[i], 9600, 10400); /* four deviations, of a fixed seed */
}

struct rows {
    const uint8_t *keys;
    uint32_t compared;
};

static bool key_less(void *arg, uint32_t a, uint32_t b)
{
    struct rows *r = arg;

    r->compared++;
    return r->keys[a] < r->keys[b];
}

enum { ROWS = 3000 };

static void sorts_stably(void **state)
{
    static uint8_t keys[ROWS];
    static uint32_t items[ROWS], space[ROWS];
    struct rows rows = {.keys = keys};
    struct prng prng;

    (void)state;
    prng_init(&prng, 2);
    for (uint32_t n = 0; n < ROWS; n = n * 2 + n % 3 + 1) {
        for (uint32_t i = 0; i < n; i++) {
            keys[i] = (uint8_t)prng_below(&prng, 40);
            items[i] = i;
        }
        sort_stable(items, space, n, key_less, &rows);
        for (uint32_t i = 1; i < n; i++) {
            uint32_t a = items[i - 1], b = items[i];
            assert_true(keys[a] < keys[b] || (keys[a] == keys[b] && a < b));
        }
        rows.compared = 0;
        sort_stable(items, space, n, key_less, &rows);
        assert_true(rows.compared <= n); /* in order already */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_hash),
        cmocka_unit_test(checksums),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(sorts_stably),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
