/* test_map.c - text to pointer, iterated in the order of insertion, against a plain list under random changes. */
#include "ground/base/map.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static int one, two, three;

/* The keys in the order of iteration, with a blank between. */
static const char *keys_of(const struct map *m, char *out)
{
    char *at = out;

    *at = '\0';
    for (struct map_entry *e = map_next(m, NULL); e != NULL; e = map_next(m, e))
        at += sprintf(at, "%s%s", at == out ? "" : " ", e->key.data);
    return out;
}

static void sets_gets_removes(void **state)
{
    struct mem mem;
    struct map m;
    char text[100], key[] = "b";

    (void)state;
    mem_init(&mem, "test", 0);
    map_init(&m, &mem);
    assert_null(map_get(&m, STR("a")));
    assert_null(map_remove(&m, STR("a")));
    assert_null(map_next(&m, NULL));
    assert_null(map_set(&m, STR("c"), &one));
    assert_null(map_set(&m, str_of(key), &two));
    key[0] = 'x'; /* the key was copied */
    assert_null(map_set(&m, STR(""), &three));
    assert_ptr_equal(map_get(&m, STR("b")), &two);
    assert_ptr_equal(map_get(&m, STR("")), &three);
    assert_ptr_equal(map_set(&m, STR("c"), &three), &one); /* replaced, in its place */
    assert_string_equal(keys_of(&m, text), "c b ");
    assert_ptr_equal(map_remove(&m, STR("c")), &three);
    assert_null(map_get(&m, STR("c")));
    assert_int_equal(map_count(&m), 2);
    assert_null(map_set(&m, STR("c"), &one));
    assert_string_equal(keys_of(&m, text), "b  c");
    map_release(&m);
    assert_int_equal(mem.used, 0);
}

enum { KEYS = 200, STEPS = 50000 };

static int position(const int *list, int count, int key)
{
    for (int i = 0; i < count; i++)
        if (list[i] == key) return i;
    return -1;
}

static void same_as(const struct map *m, const int *list, int count)
{
    char key[16];
    int i = 0;

    assert_int_equal(map_count(m), count);
    for (struct map_entry *e = map_next(m, NULL); e != NULL; e = map_next(m, e), i++) {
        snprintf(key, sizeof key, "key%d", list[i]);
        assert_string_equal(e->key.data, key);
        assert_ptr_equal(map_get(m, str_of(key)), e->value);
    }
    assert_int_equal(i, count);
}

static void agrees_with_a_list(void **state)
{
    static char values[STEPS];
    struct prng prng;
    struct mem mem;
    struct map m;
    int list[KEYS], count = 0;
    char text[16];

    (void)state;
    mem_init(&mem, "test", 0);
    map_init(&m, &mem);
    prng_init(&prng, 3);
    for (int step = 0; step < STEPS; step++) {
        int key = (int)prng_below(&prng, step % 10000 < 5000 ? KEYS : 10), at = position(list, count, key);
        snprintf(text, sizeof text, "key%d", key);
        if (prng_below(&prng, 5) < 3) {
            assert_true((map_set(&m, str_of(text), &values[step]) == NULL) == (at < 0));
            if (at < 0) list[count++] = key;
        } else {
            assert_true((map_remove(&m, str_of(text)) == NULL) == (at < 0));
            if (at >= 0) memmove(list + at, list + at + 1, sizeof *list * (size_t)(--count - at));
        }
        if (step % 500 == 0) same_as(&m, list, count);
    }
    same_as(&m, list, count);
    assert_true(m.capacity <= 4 * KEYS); /* holes are closed, not collected */
    map_release(&m);
    assert_int_equal(mem.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets_gets_removes), cmocka_unit_test(agrees_with_a_list)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
