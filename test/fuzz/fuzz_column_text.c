/* fuzz_column_text.c - hostile text as a type, a decimal, a date, a time and a timestamp, and hostile bytes as an encoded
 * type. What reads must print, and what was printed must read as the same again. */
#include "columns/column/decimal.h"
#include "columns/column/timestamp.h"
#include "ground/base/str.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void type_again(struct arena *a, const struct type *t, struct buf *out)
{
    const struct type *again = NULL;
    const uint8_t *at;
    enum status st;

    buf_clear(out);
    type_print(t, out);
    st = type_parse(a, (struct str){out->data, out->size}, &again, NULL);
    ASSERT(st == S_OK && type_equal(t, again));
    buf_clear(out);
    type_encode(t, out);
    at = (const uint8_t *)out->data;
    st = type_decode(a, &at, at + out->size, &again);
    ASSERT(st == S_OK && type_equal(t, again));
}

static void types(struct arena *a, struct str s, struct buf *out)
{
    struct err e = {.status = S_OK};
    const struct type *t = NULL;
    const uint8_t *at = (const uint8_t *)s.data;

    if (type_parse(a, s, &t, &e) == S_OK) type_again(a, t, out);
    else ASSERT(e.status != S_OK && e.text[0] != '\0');
    if (type_decode(a, &at, at + s.size, &t) != S_OK) return;
    buf_clear(out);
    type_print(t, out); /* the parser may refuse it: bytes may hold two fields of one name */
}

static void decimals(struct str s, struct buf *out)
{
    int128 value, again;

    if (!decimal_parse(s, 38, 10, &value)) return;
    buf_clear(out);
    decimal_print(value, 10, out);
    ASSERT(decimal_parse((struct str){out->data, out->size}, 38, 10, &again));
    ASSERT(value == again);
    (void)decimal_to_double(value, 10);
}

static void times(struct str s, struct buf *out)
{
    struct ts96 t, again;
    int32_t number, same;

    buf_clear(out);
    if (timestamp_parse(s, &t)) {
        timestamp_print(t, 9, out);
        ASSERT(timestamp_parse((struct str){out->data, out->size}, &again));
        ASSERT(t.ms == again.ms && t.ns == again.ns);
    } else if (date_parse(s, &number)) {
        date_print(number, out);
        ASSERT(date_parse((struct str){out->data, out->size}, &same) && same == number);
    } else if (time_parse(s, &number)) {
        time_print(number, 3, out);
        ASSERT(time_parse((struct str){out->data, out->size}, &same) && same == number);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str s = {(const char *)bytes, size};
    struct mem mem;
    struct arena arena;
    struct buf out;

    mem_init(&mem, "fuzz", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&out, &mem);
    types(&arena, s, &out);
    decimals(s, &out);
    times(s, &out);
    mem_release(&mem);
    return 0;
}
