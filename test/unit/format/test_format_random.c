/* test_format_random.c - the promises of support/format_fuzz.h on seeds of the fuzz corpora, changed at random: what a
 * fuzzer does for hours, for a second in every run of the tests. */
#include "support/format_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEXT_MAX = 8192, ROUNDS = 300 };

static size_t seed_read(const char *folder, const char *name, char out[static TEXT_MAX])
{
    char path[1024];
    FILE *f;
    size_t size;

    snprintf(path, sizeof path, "%s/fuzz/corpus/%s/%s", THALWEG_TEST_DIR, folder, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    size = fread(out, 1, TEXT_MAX, f);
    fclose(f);
    assert_true(size > 2 && size < TEXT_MAX / 4);
    return size;
}

/* A few bytes changed, dropped, or a stretch repeated. */
static size_t change(struct prng *p, char *text, size_t size)
{
    static const char bytes[] = ",;\"\\\n\r'#{}[]:0123456789.eE-+ntfu \t\xc3\xa9\xff";

    for (uint64_t times = prng_below(p, 6); times > 0 && size > 3; times--) {
        size_t at = 2 + prng_below(p, size - 2), length = 1 + prng_below(p, MIN(size - at, (size_t)40));
        switch (prng_below(p, 4)) {
        case 0: text[at] = bytes[prng_below(p, sizeof bytes)]; break;
        case 1:
            memmove(text + at, text + at + 1, size - at - 1);
            size--;
            break;
        case 2:
            memmove(text + at + 1, text + at, size - at);
            text[at] = bytes[prng_below(p, sizeof bytes)];
            size++;
            break;
        default:
            memmove(text + at + length, text + at, size - at);
            size += length;
            break;
        }
    }
    return size;
}

static void run(const struct fuzz_case *cases, size_t case_count, const char *folder, const char *const *names,
                size_t count, bool is_json)
{
    char seed[TEXT_MAX], text[TEXT_MAX];
    struct prng p;

    prng_init(&p, 11);
    for (size_t i = 0; i < count; i++) {
        size_t size = seed_read(folder, names[i], seed);
        for (int round = 0; round < ROUNDS; round++) {
            size_t changed;
            memcpy(text, seed, size);
            changed = change(&p, text, size);
            format_fuzz(&cases[(unsigned char)seed[0] % case_count], text + 2, changed - 2, prng_next(&p), is_json);
        }
    }
}

static void test_csv(void **state)
{
    static const char *const names[] = {"plain",  "quotes",  "broken", "overlong", "numbers", "times",
                                        "nested", "escapes", "ignore", "header",   "mark"};

    (void)state;
    run(csv_cases, COUNT_OF(csv_cases), "csv", names, COUNT_OF(names), false);
}

static void test_json(void **state)
{
    static const char *const names[] = {"plain", "order",  "strings", "broken", "numbers",
                                        "times", "nested", "ignore",  "missing"};

    (void)state;
    run(json_cases, COUNT_OF(json_cases), "json", names, COUNT_OF(names), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_csv), cmocka_unit_test(test_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
