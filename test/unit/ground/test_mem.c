/* test_mem.c - memory by owner: counting, limits, dropping whole, moving, alignment; the arena on top of it. */
#include "ground/base/arena.h"
#include "ground/base/prng.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static int block_count(const struct mem *m)
{
    struct mem copy = *m;
    int count = 0;

    for (const void *b = copy.blocks; b != NULL; b = *(void *const *)b) count++; /* `next` is a block's first field */
    return count;
}

static void counts_what_is_held(void **state)
{
    struct mem m;

    (void)state;
    mem_init(&m, "test", 0);
    char *a = mem_alloc(&m, 100);
    size_t with_a = m.used;
    assert_true(with_a >= 100 && with_a <= 200);
    char *b = mem_zalloc(&m, 1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(b[i], 0);
    assert_int_equal(m.calls, 2);
    assert_int_equal(block_count(&m), 2);
    size_t peak = m.used;
    mem_free(&m, b);
    assert_int_equal(m.used, with_a);
    assert_int_equal(m.peak, peak);
    mem_free(&m, a);
    mem_free(&m, NULL);
    assert_int_equal(m.used, 0);
    assert_int_equal(block_count(&m), 0);
}

static void release_drops_everything(void **state)
{
    struct mem m;
    struct prng prng;

    (void)state;
    mem_init(&m, "test", 0);
    prng_init(&prng, 1);
    void *held[64] = {0};
    for (int i = 0; i < 2000; i++) { /* blocks come and go in any order */
        void **slot = &held[prng_below(&prng, COUNT_OF(held))];
        size_t size = prng_below(&prng, 500);
        if (*slot != NULL && i % 3 == 0) *slot = mem_realloc(&m, *slot, size);
        else {
            mem_free(&m, *slot);
            *slot = mem_alloc(&m, size);
        }
        memset(*slot, 0xAB, size);
    }
    mem_release(&m); /* the leak checker proves that nothing stays */
    assert_int_equal(m.used, 0);
    assert_null(m.blocks);
}

static void realloc_keeps_the_bytes(void **state)
{
    struct mem m;

    (void)state;
    mem_init(&m, "test", 0);
    char *p = mem_realloc(&m, NULL, 5);
    memcpy(p, "bytes", 5);
    void *between = mem_alloc(&m, 10);
    p = mem_realloc(&m, p, 100000);
    assert_memory_equal(p, "bytes", 5);
    p = mem_realloc(&m, p, 3);
    assert_memory_equal(p, "byt", 3);
    mem_free(&m, between);
    mem_free(&m, p);
    assert_int_equal(m.used, 0);
}

static void aligned_blocks(void **state)
{
    struct mem m;

    (void)state;
    mem_init(&m, "test", 0);
    for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
        char *p = mem_alloc_aligned(&m, 100, alignment);
        assert_int_equal((uintptr_t)p % alignment, 0);
        memset(p, 1, 100);
        if (alignment % 64 == 0) mem_free(&m, p); /* the rest goes with the owner */
    }
    assert_int_equal((uintptr_t)mem_alloc(&m, 1) % 16, 0);
    char *pages = mem_pages(&m, 5 << 20);
    assert_int_equal((uintptr_t)pages % 4096, 0);
    memset(pages, 2, 5 << 20);
    mem_free(&m, pages);
    mem_release(&m);
    assert_int_equal(m.used, 0);
}

static void try_honours_limit_and_fault(void **state)
{
    struct mem m;

    (void)state;
    mem_init(&m, "test", 1000);
    void *p = mem_try(&m, 500);
    assert_non_null(p);
    assert_null(mem_try(&m, 500));
    assert_int_equal(m.calls, 1);
    mem_free(&m, p);
    assert_non_null(mem_try(&m, 500));
    assert_non_null(mem_alloc(&m, 5000)); /* only mem_try is bound */
    mem_release(&m);
    mem_init(&m, "test", 0);
    m.fail_at = 3;
    assert_non_null(mem_try(&m, 1));
    assert_non_null(mem_try(&m, 1));
    assert_null(mem_try(&m, 1));
    assert_null(mem_try(&m, 1));
    mem_release(&m);
}

static void move_hands_all_over(void **state)
{
    struct mem from, to;

    (void)state;
    mem_init(&from, "from", 0);
    mem_init(&to, "to", 0);
    void *a = mem_alloc(&from, 10), *b = mem_alloc(&from, 20), *c = mem_alloc(&to, 30);
    size_t sum = from.used + to.used;
    mem_move(&from, &to);
    assert_int_equal(to.used, sum);
    assert_int_equal(from.used, 0);
    assert_int_equal(block_count(&to), 3);
    mem_free(&to, b);
    mem_free(&to, c);
    mem_free(&to, a);
    assert_int_equal(to.used, 0);
    mem_move(&from, &to); /* nothing to hand over */
    assert_null(to.blocks);
}

static void arena_hands_out_and_resets(void **state)
{
    struct mem m;
    struct arena a;

    (void)state;
    mem_init(&m, "test", 0);
    arena_init(&a, &m, 1024);
    assert_int_equal(m.calls, 0); /* nothing before it is needed */
    for (int step = 0; step < 3; step++) {
        uint64_t calls = m.calls;
        for (int i = 0; i < 1000; i++) {
            size_t size = (size_t)(i * 37 % 3000);
            char *p = arena_alloc(&a, size);
            assert_int_equal((uintptr_t)p % 16, 0);
            memset(p, i, size);
        }
        if (step > 0) assert_int_equal(m.calls, calls); /* what one step needed serves all later ones */
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    arena_release(&a);
    assert_int_equal(m.used, 0);
    assert_int_equal(*ARENA_NEW(&a, int), 0); /* usable again */
    arena_release(&a);
}

static void arena_blocks_do_not_overlap(void **state)
{
    struct mem m;
    struct arena a;
    unsigned char *held[500];

    (void)state;
    mem_init(&m, "test", 0);
    arena_init(&a, &m, 0);
    for (int i = 0; i < 500; i++) {
        held[i] = arena_alloc(&a, 64 + (size_t)(i == 250) * 3000000); /* one larger than any chunk */
        memset(held[i], i & 255, 64);
    }
    for (int i = 0; i < 500; i++)
        for (int k = 0; k < 64; k++) assert_int_equal(held[i][k], i & 255);
    arena_release(&a);
    assert_int_equal(m.used, 0);
}

static void arena_texts(void **state)
{
    struct mem m;
    struct arena a;

    (void)state;
    mem_init(&m, "test", 0);
    arena_init(&a, &m, 64);
    assert_string_equal(arena_strdup(&a, "text"), "text");
    assert_string_equal(arena_strndup(&a, "texture", 4), "text");
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
    assert_string_equal(arena_printf(&a, "%s=%d", "x", 17), "x=17");
    char *longer = arena_printf(&a, "%0500d", 1);
    assert_int_equal(strlen(longer), 500);
    const int64_t *array = ARENA_ARRAY(&a, int64_t, 100);
    for (int i = 0; i < 100; i++) assert_int_equal(array[i], 0);
    arena_release(&a);
    assert_int_equal(m.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_is_held),         cmocka_unit_test(release_drops_everything),
        cmocka_unit_test(realloc_keeps_the_bytes),     cmocka_unit_test(aligned_blocks),
        cmocka_unit_test(try_honours_limit_and_fault), cmocka_unit_test(move_hands_all_over),
        cmocka_unit_test(arena_hands_out_and_resets),  cmocka_unit_test(arena_blocks_do_not_overlap),
        cmocka_unit_test(arena_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
