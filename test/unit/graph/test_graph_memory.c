/* test_graph_memory.c - operators that ask for a share of memory get bytes: half of the process's, by tasks; others keep what they say. */
#include "control/graph/graph.h"
#include "flow/operator/fold_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct graph_node *fold_add(struct graph *g, int64_t memory, uint32_t parallelism)
{
    struct graph_node *n = graph_add_node(g, op_find("fold"), "Fold", (struct graph_here){0});

    ((struct fold_config *)n->config)->spill.memory = memory;
    n->parallelism = parallelism;
    return n;
}

static int64_t memory_of(const struct graph_node *n) { return ((const struct fold_config *)n->config)->spill.memory; }

static void tasks_share_half_of_it(void **state)
{
    static const int64_t GB = INT64_C(1) << 30;
    struct arena a;
    struct mem mem;
    struct graph g;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 4096);
    graph_init(&g, &a);
    struct graph_node *whole = fold_add(&g, MEMORY_SHARE, 2), *half = fold_add(&g, MEMORY_HALF_SHARE, 4), *said = fold_add(&g, 77, 1),
                      *any = fold_add(&g, 0, 1);
    graph_memory_share(&g, 8 * GB, 0);
    assert_int_equal(memory_of(whole), GB); /* 4 GB: two tasks of one, four of half of that */
    assert_int_equal(memory_of(half), GB / 2);
    assert_int_equal(memory_of(said), 77);
    assert_int_equal(memory_of(any), 0);
    graph_memory_share(&g, 16 * GB, 0); /* nobody asks any more */
    assert_int_equal(memory_of(whole), GB);
    arena_release(&a);
    mem_release(&mem);
}

static void a_share_is_not_less_than_what_sorting_needs(void **state)
{
    struct arena a;
    struct mem mem;
    struct graph g;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 4096);
    graph_init(&g, &a);
    struct graph_node *n = fold_add(&g, MEMORY_SHARE, 100);
    graph_memory_share(&g, 1 << 20, 0);
    assert_int_equal(memory_of(n), 32 << 20);
    n = fold_add(&g, MEMORY_SHARE, 1);
    graph_memory_share(&g, INT64_C(1) << 40, 10000); /* state may be bounded, too */
    assert_int_equal(memory_of(n), 5000);
    arena_release(&a);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_share_half_of_it),
        cmocka_unit_test(a_share_is_not_less_than_what_sorting_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
