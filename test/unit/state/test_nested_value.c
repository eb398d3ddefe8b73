/* test_nested_value.c - nested C values as bytes of state: the bytes are those of the column that holds the same value, and
 * random values of random types come back the same, also where column and C value change sides in between; bytes
 * that are broken are refused. */
#include "flow/state/nested_value.h"
#include "flow/state/rowops.h"
#include "support/nested_values.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena arena;
    struct buf bytes;
};

static void one_value(struct world *w, const struct cform *f, const void *value)
{
    char *back = arena_alloc(&w->arena, f->size);
    size_t size = nested_value_size(f, value);
    uint8_t *bytes = arena_alloc(&w->arena, size + 1);
    struct text_heap heap;
    struct vector v;

    bytes[size] = 0x5a;
    assert_ptr_equal(nested_value_encode(f, value, bytes), bytes + size);
    assert_int_equal(bytes[size], 0x5a);
    assert_int_equal(nested_value_decode(f, (struct str){(char *)bytes, size}, back, &w->arena), S_OK);
    assert_true(nested_values_equal(f, value, back));

    text_heap_init(&heap, &w->mem);
    vector_init(&v, f->type, 2, &w->mem);
    assert_int_equal(cform_write(f, value, &v, 0, &heap, &w->mem), S_OK);
    buf_clear(&w->bytes);
    nested_encode(&v, 0, &w->bytes);
    assert_int_equal(w->bytes.size, size);
    assert_memory_equal(w->bytes.data, bytes, size);
    nested_decode((struct str){(char *)bytes, size}, &v, 1, &heap, &w->mem);
    assert_int_equal(cform_read(f, &v, 1, back, &w->arena), S_OK);
    assert_true(nested_values_equal(f, value, back));
    vector_release(&v, &w->mem);
    text_heap_release(&heap);

    assert_ptr_equal(nested_key_encode(f, value, bytes, &w->arena), bytes + size);
    assert_int_equal(bytes[size], 0x5a);
    assert_int_equal(nested_value_decode(f, (struct str){(char *)bytes, size}, back, &w->arena), S_OK);
}

static void random_values_come_back(void **state)
{
    struct world w;
    uint32_t values = 0;

    (void)state;
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.bytes, &w.mem);
    for (uint64_t seed = 0; seed < 400; seed++) {
        const struct cform *f;
        struct prng p;
        prng_init(&p, seed + 1000);
        const struct tw_row *row = nested_random_row(&p, &w.arena, (int)(seed % 5));
        assert_int_equal(cform_of_row(&w.arena, row, &f, NULL), S_OK);
        for (uint32_t i = 0; i < 10; i++) {
            char *value = arena_alloc(&w.arena, f->size);
            nested_random_value(&p, &w.arena, f, value);
            one_value(&w, f, value);
            values++;
        }
        arena_reset(&w.arena);
    }
    assert_int_equal(values, 4000);
    buf_release(&w.bytes);
    arena_release(&w.arena);
    assert_int_equal(w.mem.used, 0);
    mem_release(&w.mem);
}

/* A struct without a mask reads bytes that were written with one. */
static void a_null_without_a_place_is_an_error(void **state)
{
    static const uint8_t list[] = {2, 0, 7, 0, 0, 0, 1}, row[] = {0, 7, 0, 0, 0, 1}, map[] = {1, 1, 0, 7, 0, 0, 0};
    static const struct {
        const char *type;
        struct str bytes;
        enum status expected;
    } cases[] = {{"ARRAY<INT>", {(const char *)list, sizeof list}, S_OK},
                 {"ROW<a INT, b INT>", {(const char *)row, sizeof row}, E_DATA},
                 {"MAP<INT, INT>", {(const char *)map, sizeof map}, E_DATA}};
    struct arena a;
    struct mem mem;
    char value[64];

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        const struct cform *f;
        assert_int_equal(cform_parse(&a, cases[i].type, NULL, &f, NULL), S_OK);
        assert_int_equal(nested_value_decode(f, cases[i].bytes, value, &a), cases[i].expected);
    }
    arena_release(&a);
    mem_release(&mem);
}

/* Cut anywhere, they are refused; changed anywhere, they are a value or refused, and what is answered lies in the bytes. */
static void broken_bytes_are_refused(void **state)
{
    struct world w;
    uint32_t cuts = 0, values = 0;

    (void)state;
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    for (uint64_t seed = 0; seed < 200; seed++, arena_reset(&w.arena)) {
        const struct cform *f;
        struct prng p;
        prng_init(&p, seed);
        assert_int_equal(cform_of_row(&w.arena, nested_random_row(&p, &w.arena, 3), &f, NULL), S_OK);
        char *value = arena_alloc(&w.arena, f->size), *back = arena_alloc(&w.arena, f->size);
        nested_random_value(&p, &w.arena, f, value);
        size_t size = nested_value_size(f, value);
        uint8_t *all = mem_alloc(&w.mem, size);
        nested_value_encode(f, value, all);
        for (size_t cut = 0; cut < size; cut += 1 + size / 64, cuts++) {
            uint8_t *bytes = mem_alloc(&w.mem, cut + 1); /* to the byte, for the sanitizer */
            memcpy(bytes, all, cut);
            bytes[cut] = 0;
            assert_int_equal(nested_value_decode(f, (struct str){(char *)bytes, cut}, back, &w.arena), E_DATA);
            mem_free(&w.mem, bytes);
        }
        for (uint32_t i = 0; i < 100; i++) {
            size_t at = (size_t)prng_below(&p, size);
            uint8_t old = all[at];
            const char *why;
            all[at] = (uint8_t)prng_below(&p, 256);
            if (nested_value_decode(f, (struct str){(char *)all, size}, back, &w.arena) == S_OK) {
                values++;
                if (cform_check(f, back, &why) == S_OK) nested_value_size(f, back); /* walks all of it */
            }
            all[at] = old;
        }
        mem_free(&w.mem, all);
    }
    assert_true(cuts > 1000 && values > 1000);
    arena_release(&w.arena);
    assert_int_equal(w.mem.used, 0);
    mem_release(&w.mem);
}

static void broken_bytes_by_hand(void **state)
{
    static const uint8_t count[] = {0xff, 0xff, 0xff, 0xff, 0x0f}, flag[] = {1, 2}, behind[] = {0, 9}, text[] = {1, 0, 5, 'a', 'b'},
                         flagged[] = {1, 0, 1, 0, 0}, huge[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    static const struct {
        const char *type;
        struct str bytes;
    } cases[] = {{"ARRAY<INT>", {(const char *)count, sizeof count}},   {"ARRAY<INT>", {(const char *)flag, sizeof flag}},
                 {"ARRAY<INT>", {(const char *)behind, sizeof behind}}, {"ARRAY<STRING>", {(const char *)text, sizeof text}},
                 {"ARRAY<INT>", {(const char *)flagged, sizeof flagged}}, {"ARRAY<INT>", {"", 0}},
                 {"MAP<INT, INT>", {(const char *)huge, sizeof huge}},  {"ROW<a INT>", {"", 0}}};
    struct arena a;
    struct mem mem;
    char value[64];

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        const struct cform *f;
        assert_int_equal(cform_parse(&a, cases[i].type, NULL, &f, NULL), S_OK);
        assert_int_equal(nested_value_decode(f, cases[i].bytes, value, &a), E_DATA);
    }
    arena_release(&a);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_values_come_back),
        cmocka_unit_test(broken_bytes_are_refused),
        cmocka_unit_test(broken_bytes_by_hand),
        cmocka_unit_test(a_null_without_a_place_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
