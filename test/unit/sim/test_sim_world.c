/* test_sim_world.c - the simulated world itself: its clock, its threads, wake-ups, what a deadlock says, and that a seed
 * decides everything. */
#include "sim/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { HELPERS = 3, TURNS = 40 };

struct scene {
    struct sim_world *world;
    struct mem mem;
    struct buf report, order;
    struct sys_parker *parker[2];
    int64_t started_ns, woken_ns;
};

static int set_up(void **state)
{
    static struct scene s;

    memset(&s, 0, sizeof s);
    mem_init(&s.mem, "scene", 0);
    buf_init(&s.report, &s.mem);
    buf_init(&s.order, &s.mem);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    mem_release(&s->mem);
    return 0;
}

static enum sim_end play(struct scene *s, uint64_t seed, bool is_calm, sys_thread_fn fn)
{
    sim_world_free(s->world);
    s->world = sim_world_create(seed, is_calm);
    buf_clear(&s->report);
    buf_clear(&s->order);
    return sim_world_run(s->world, fn, s, &s->report);
}

static void stop(struct scene *s)
{
    sim_world_free(s->world);
    s->world = NULL;
}

/* --- clock -------------------------------------------------------------------------------------------------------------- */
static void sleep_an_hour(void *arg)
{
    struct scene *s = arg;
    struct sys *sys = &s->world->sys;

    s->parker[0] = sys_parker_create(sys);
    s->started_ns = sys_mono_ns(sys);
    sys_park(sys, s->parker[0], INT64_C(3600000000000));
    s->woken_ns = sys_mono_ns(sys);
    assert_int_equal(sys_wall_ms(sys), s->woken_ns / 1000000);
    sys_parker_free(sys, s->parker[0]);
}

static void time_jumps_over_sleep(void **state)
{
    struct scene *s = *state;

    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_int_equal(play(s, seed, seed == 0, sleep_an_hour), SIM_FINISHED);
        int64_t slept = s->woken_ns - s->started_ns;
        assert_in_range(slept, INT64_C(3600000000000), INT64_C(3600001000000));
    }
    stop(s);
}

static void look_often(void *arg)
{
    struct scene *s = arg;
    int64_t before = sys_mono_ns(&s->world->sys);

    for (int i = 0; i < 1000; i++) {
        int64_t now = sys_mono_ns(&s->world->sys);
        assert_true(now > before); /* whoever spins for a time comes to its end */
        before = now;
    }
}

static void time_passes_for_those_who_look(void **state)
{
    struct scene *s = *state;

    assert_int_equal(play(s, 1, false, look_often), SIM_FINISHED);
    assert_int_equal(play(s, 1, true, look_often), SIM_FINISHED);
    stop(s);
}

/* --- threads ------------------------------------------------------------------------------------------------------------ */
struct helper {
    struct scene *scene;
    char name;
};

static void write_name(void *arg)
{
    struct helper *h = arg;

    for (int i = 0; i < TURNS; i++) {
        buf_append_byte(&h->scene->order, h->name);
        sys_mono_ns(&h->scene->world->sys);
    }
}

static void start_helpers(void *arg)
{
    struct scene *s = arg;
    struct helper helpers[HELPERS];
    struct sys_thread *threads[HELPERS];
    struct err e = {0};

    for (int i = 0; i < HELPERS; i++) {
        helpers[i] = (struct helper){s, (char)('a' + i)};
        assert_int_equal(sys_thread_start(&s->world->sys, "helper", write_name, &helpers[i], &threads[i], &e), S_OK);
    }
    for (int i = 0; i < HELPERS; i++) sys_thread_join(&s->world->sys, threads[i]);
    assert_int_equal(s->order.size, HELPERS * TURNS); /* joined: all of it was written */
}

static void a_seed_decides_the_schedule(void **state)
{
    struct scene *s = *state;
    char first[HELPERS * TURNS];
    uint32_t others = 0;

    assert_int_equal(play(s, 7, false, start_helpers), SIM_FINISHED);
    uint64_t trace = s->world->trace;
    int64_t now_ns = s->world->now_ns;
    memcpy(first, s->order.data, sizeof first);
    for (uint64_t seed = 7; seed < 27; seed++) {
        assert_int_equal(play(s, seed, false, start_helpers), SIM_FINISHED);
        bool same = memcmp(first, s->order.data, sizeof first) == 0;
        assert_int_equal(same, s->world->trace == trace);
        if (seed == 7) assert_true(same && s->world->now_ns == now_ns);
        others += !same;
    }
    assert_int_equal(others, 19); /* every other seed took another way */
    stop(s);
}

/* --- wake-ups ----------------------------------------------------------------------------------------------------------- */
static void wake_first(void *arg)
{
    struct scene *s = arg;

    sys_unpark(&s->world->sys, s->parker[0]);
}

static void wait_for_helper(void *arg)
{
    struct scene *s = arg;
    struct sys *sys = &s->world->sys;
    struct sys_thread *helper;
    struct err e = {0};

    s->parker[0] = sys_parker_create(sys);
    sys_unpark(sys, s->parker[0]); /* before the sleep: kept */
    sys_park(sys, s->parker[0], INT64_MAX);
    s->started_ns = sys_mono_ns(sys);
    assert_int_equal(sys_thread_start(sys, "helper", wake_first, s, &helper, &e), S_OK);
    sys_park(sys, s->parker[0], INT64_MAX);
    s->woken_ns = sys_mono_ns(sys);
    sys_thread_join(sys, helper);
    sys_parker_free(sys, s->parker[0]);
}

static void wake_ups_are_kept_or_late_but_never_lost(void **state)
{
    struct scene *s = *state;
    uint32_t late = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        assert_int_equal(play(s, seed, false, wait_for_helper), SIM_FINISHED);
        assert_in_range(s->woken_ns - s->started_ns, 1, 1000000);
        late += s->woken_ns - s->started_ns > 100000;
    }
    assert_in_range(late, 1, 100); /* a busy machine holds some back */
    stop(s);
}

static void wait_for_ever(void *arg)
{
    struct scene *s = arg;

    sys_park(&s->world->sys, s->parker[1], INT64_MAX);
}

static void join_a_sleeper(void *arg)
{
    struct scene *s = arg;
    struct sys_thread *sleeper;
    struct err e = {0};

    s->parker[1] = sys_parker_create(&s->world->sys);
    assert_int_equal(sys_thread_start(&s->world->sys, "sleeper", wait_for_ever, s, &sleeper, &e), S_OK);
    sys_thread_join(&s->world->sys, sleeper);
}

static void a_deadlock_says_who_waits_for_what(void **state)
{
    struct scene *s = *state;

    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_int_equal(play(s, seed, seed == 0, join_a_sleeper), SIM_DEADLOCK);
        assert_string_equal(buf_text(&s->report), "  thread 0 'main' waits for the end of 'sleeper'\n"
                                                  "  thread 1 'sleeper' sleeps until it is woken\n");
    }
    stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(time_jumps_over_sleep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_passes_for_those_who_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_seed_decides_the_schedule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wake_ups_are_kept_or_late_but_never_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deadlock_says_who_waits_for_what, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
