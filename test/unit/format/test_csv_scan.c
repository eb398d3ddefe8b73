/* test_csv_scan.c - the fast scan against its portable twin and against the exact scan, on random text made of the
 * characters that matter. */
#include "flow/format/csv_scan.h"

#include "flow/format/utf8_check.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 700, ROUNDS = 20000, FIELDS_MAX = 1024 };

static const struct csv_syntax dialects[] = {
    {.delimiter = ',', .quote = '"', .escape = CSV_NONE},
    {.delimiter = ',', .quote = CSV_NONE, .escape = CSV_NONE},
    {.delimiter = ';', .quote = '\'', .escape = '\\', .comments = true},
    {.delimiter = '\t', .quote = '"', .escape = CSV_NONE, .comments = true},
};

/* Random text over an alphabet; some rounds are rich in quotes, some in ordinary letters, some are any bytes. */
static uint32_t text_make(struct prng *p, char *out)
{
    static const char *const alphabets[] = {"a,\n\"", "abcdefgh,,\n", "\"\",\n", "a,;\t\n\r\"'\\#", "xyz\"\"\n,,,,"};
    uint32_t size = (uint32_t)prng_below(p, TEXT_MAX), kind = (uint32_t)prng_below(p, COUNT_OF(alphabets) + 1);

    for (uint32_t i = 0; i < size; i++) {
        if (kind == COUNT_OF(alphabets)) out[i] = (char)prng_next(p);
        else out[i] = alphabets[kind][prng_below(p, strlen(alphabets[kind]))];
    }
    return size;
}

static void chunks_equal(const struct csv_chunk *a, const struct csv_chunk *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->end_count, b->end_count);
    assert_int_equal(a->text_end, b->text_end);
    assert_int_equal(a->stopped, b->stopped);
    assert_int_equal(a->is_open, b->is_open);
    assert_int_equal(a->has_quotes, b->has_quotes);
    assert_int_equal(a->has_high, b->has_high);
    assert_int_equal(a->has_zero, b->has_zero);
    assert_memory_equal(a->row_end, b->row_end, a->rows * sizeof a->row_end[0]);
    assert_memory_equal(a->ends, b->ends, a->end_count * sizeof a->ends[0]);
}

/* The rows of the fast scan must be those of the exact one. Comment lines are the caller's: rounds with one are left out. */
static void exact_agrees(const struct csv_syntax *s, const struct csv_chunk *chunk, const char *data, uint32_t size)
{
    struct csv_field fields[FIELDS_MAX];
    struct csv_record r = {.fields_max = FIELDS_MAX, .fields = fields};
    uint32_t at = 0, entry = 0;

    for (uint32_t row = 0; row < chunk->rows; row++) {
        csv_record_start(&r);
        assert_true(csv_record_scan(s, &r, data + at, size - at, false));
        assert_int_equal(r.bad_at == UINT32_MAX || data[at + r.bad_at] == '\r', true);
        assert_int_equal(r.field_count, chunk->row_end[row] - entry);
        for (uint32_t i = 0; i < r.field_count; i++, entry++) {
            uint32_t end = chunk->ends[entry];
            if (i + 1 == r.field_count && r.end + 1 < r.size) end--; /* the carriage return is not the field's */
            assert_int_equal(at + fields[i].end, end);
        }
        at += r.size;
        assert_int_equal(at, chunk->ends[entry - 1] + 1);
    }
    assert_int_equal(at, chunk->text_end);
}

static void test_fast_is_portable_is_exact(void **state)
{
    struct csv_chunk *fast = malloc(sizeof *fast), *portable = malloc(sizeof *portable);
    char *text = malloc(TEXT_MAX + 64);
    uint64_t rows = 0, stops = 0;
    struct prng p;

    (void)state;
    prng_init(&p, 1);
    memset(text, '"', TEXT_MAX + 64);
    for (int round = 0; round < ROUNDS; round++) {
        const struct csv_syntax *s = &dialects[prng_below(&p, COUNT_OF(dialects))];
        uint32_t size = text_make(&p, text),
                 rows_max = prng_below(&p, 4) == 0 ? 1 + (uint32_t)prng_below(&p, 5) : BATCH_ROWS;
        csv_chunk_scan(s, text, size, rows_max, fast);
        csv_chunk_scan_portable(s, text, size, rows_max, portable);
        chunks_equal(fast, portable);
        if (!s->comments || size == 0 || text[0] != '#') exact_agrees(s, fast, text, size);
        rows += fast->rows;
        stops += fast->stopped;
    }
    assert_true(rows > 100000); /* the rounds were not all in vain */
    assert_true(stops > 1000);
    free(fast);
    free(portable);
    free(text);
}

/* The exact scan may be stopped after any byte. */
static void test_exact_scan_goes_on(void **state)
{
    struct csv_field once_fields[FIELDS_MAX], crumb_fields[FIELDS_MAX];
    struct csv_record once = {.fields_max = FIELDS_MAX, .fields = once_fields},
                      crumbs = {.fields_max = FIELDS_MAX, .fields = crumb_fields};
    char text[TEXT_MAX + 64];
    struct prng p;

    (void)state;
    prng_init(&p, 2);
    for (int round = 0; round < 2000; round++) {
        const struct csv_syntax *s = &dialects[prng_below(&p, COUNT_OF(dialects))];
        uint32_t size = text_make(&p, text), at = 0;
        bool whole;
        csv_record_start(&once);
        csv_record_start(&crumbs);
        assert_true(csv_record_scan(s, &once, text, size, true));
        do {
            at += 1 + (uint32_t)prng_below(&p, 9);
            if (at > size) at = size;
            whole = csv_record_scan(s, &crumbs, text, at, at == size);
        } while (!whole);
        assert_int_equal(once.field_count, crumbs.field_count);
        assert_int_equal(once.size, crumbs.size);
        assert_int_equal(once.end, crumbs.end);
        assert_int_equal(once.bad_at, crumbs.bad_at);
        assert_int_equal(once.is_open, crumbs.is_open);
        assert_memory_equal(once_fields, crumb_fields, once.field_count * sizeof once_fields[0]);
    }
}

static void test_newlines_are_counted(void **state)
{
    char text[TEXT_MAX + 64];
    struct prng p;

    (void)state;
    prng_init(&p, 3);
    for (int round = 0; round < 500; round++) {
        uint32_t size = text_make(&p, text);
        uint64_t count = 0;
        for (uint32_t i = 0; i < size; i++) count += text[i] == '\n';
        assert_int_equal(csv_count_newlines(text, size), count);
    }
}

/* Every two-byte and three-byte beginning, alone and behind ASCII of every length, against the definition in ground. */
static void test_utf8(void **state)
{
    char text[128];
    struct prng p;

    (void)state;
    prng_init(&p, 4);
    for (uint32_t bytes = 0; bytes < 1u << 20; bytes++) {
        uint32_t before = bytes % 67, size = before + 4;
        memset(text, 'a', before);
        for (int i = 0; i < 4; i++) text[before + i] = (char)(prng_below(&p, 3) ? 0x80 | prng_next(&p) : prng_next(&p));
        bool valid = str_is_utf8((struct str){text, size});
        size_t bad = utf8_bad_at(text, size);
        assert_int_equal(bad == size, valid);
        assert_true(bad <= size && str_is_utf8((struct str){text, bad}));
    }
    assert_int_equal(utf8_bad_at("\xf0\x9f\x98\x80\xc3", 5), 4);
    assert_int_equal(utf8_bad_at("\xe2\x82\xac\xc0\x80", 5), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast_is_portable_is_exact),
        cmocka_unit_test(test_exact_scan_goes_on),
        cmocka_unit_test(test_newlines_are_counted),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
