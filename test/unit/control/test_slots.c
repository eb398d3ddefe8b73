/* test_slots.c - how many slots a job takes, by its slot sharing groups, and the words when there are too few. */
#include "control/taskmanager/taskmanager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct graph graph_of(struct graph_vertex *vertices, uint32_t count)
{
    return (struct graph){.vertices = vertices, .vertex_count = count};
}

static void a_group_takes_as_many_as_its_widest_vertex(void **state)
{
    struct graph_vertex v[] = {{.parallelism = 2, .slot_group = "default"},
                               {.parallelism = 4, .slot_group = "default"},
                               {.parallelism = 1, .slot_group = "default"}};
    struct graph one = graph_of(v, 1), all = graph_of(v, 3);

    (void)state;
    assert_int_equal(slots_needed(&one), 2);
    assert_int_equal(slots_needed(&all), 4);
}

static void groups_do_not_share(void **state)
{
    struct graph_vertex v[] = {{.parallelism = 2, .slot_group = "default"},
                               {.parallelism = 3, .slot_group = "heavy"},
                               {.parallelism = 4, .slot_group = "default"},
                               {.parallelism = 1, .slot_group = "heavy"},
                               {.parallelism = 5, .slot_group = "sink"}};
    struct graph g = graph_of(v, 5);

    (void)state;
    assert_int_equal(slots_needed(&g), 4 + 3 + 5);
}

/* default: 0 to 3, heavy: 4 to 6, sink: from 7. */
static void groups_stand_behind_each_other(void **state)
{
    struct graph_vertex v[] = {{.parallelism = 2, .slot_group = "default"},
                               {.parallelism = 3, .slot_group = "heavy"},
                               {.parallelism = 4, .slot_group = "default"},
                               {.parallelism = 1, .slot_group = "heavy"},
                               {.parallelism = 5, .slot_group = "sink"}};
    struct graph g = graph_of(v, 5);
    static const uint32_t firsts[] = {0, 4, 0, 4, 7};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(firsts); i++) assert_int_equal(slots_first(&g, i), firsts[i]);
}

static void too_few_are_refused_before_the_job_starts(void **state)
{
    struct graph_vertex v[] = {{.parallelism = 4, .slot_group = "a"}, {.parallelism = 3, .slot_group = "b"}};
    struct graph g = graph_of(v, 2);
    struct err e = {0};

    (void)state;
    assert_int_equal(slots_check(&g, 0, &e), S_OK); /* as many as it needs */
    assert_int_equal(slots_check(&g, 7, &e), S_OK);
    assert_int_equal(slots_check(&g, 6, &e), E_CONFIG);
    assert_string_equal(e.text, "the job needs 7 slots, but the task manager has 6");
    assert_string_equal(e.hint, "lower the parallelism, or set taskmanager.numberOfTaskSlots=7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_takes_as_many_as_its_widest_vertex),
        cmocka_unit_test(groups_do_not_share),
        cmocka_unit_test(groups_stand_behind_each_other),
        cmocka_unit_test(too_few_are_refused_before_the_job_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
