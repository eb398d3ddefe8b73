/* test_sim_remote.c - an edge between two workers in the simulated world: connections whose reads and writes bring a
 * part, threads in any order, and shapes of channels that the seed decides. Everything arrives, once and in order;
 * the same seed does the same. An end that goes away at any moment is told to the other, and nobody waits for ever:
 * that would be found as a deadlock. */
#include "sim/world.h"
#include "support/remote_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { SEEDS = 1000, CUT_SEEDS = 500, IDLE_TURNS = 20 };
#define SECOND_NS INT64_C(1000000000)

struct scene {
    struct sim_world *world;
    uint64_t seed;
    const char *wrong;
    bool all_arrived;
    uint64_t failures[2];
};

/* Runs fn as the first thread; the trace. */
static uint64_t play(struct scene *s, uint64_t seed, sys_thread_fn fn)
{
    struct mem mem;
    struct buf report;

    mem_init(&mem, "test", 0);
    buf_init(&report, &mem);
    *s = (struct scene){.world = sim_world_create(seed, seed == 0), .seed = seed};
    enum sim_end end = sim_world_run(s->world, fn, s, &report);
    if (end != SIM_FINISHED) fail_msg("seed %d: %s", (int)seed, buf_text(&report));
    uint64_t trace = s->world->trace;
    buf_release(&report);
    mem_release(&mem);
    sim_world_free(s->world);
    return trace;
}

static struct pair_plan plan_of(uint64_t seed)
{
    static const enum partitioner all[] = {PART_FORWARD,   PART_HASH,    PART_REBALANCE,
                                           PART_BROADCAST, PART_SHUFFLE, PART_ADAPTIVE};
    struct prng r;

    prng_init(&r, seed + 77);
    struct pair_plan plan = {.partitioner = all[prng_below(&r, sizeof all / sizeof all[0])],
                             .senders = 1 + (uint32_t)prng_below(&r, 3),
                             .rows = 100 + (uint32_t)prng_below(&r, 300),
                             .batch_rows = 1 + (uint32_t)prng_below(&r, 40),
                             .shells = 1 + (uint32_t)prng_below(&r, 8),
                             .takes = 1 + (uint32_t)prng_below(&r, 5),
                             .has_budget = prng_below(&r, 2) == 0};
    plan.receivers = plan.partitioner == PART_FORWARD ? plan.senders : 1 + (uint32_t)prng_below(&r, 3);
    plan.packs = prng_below(&r, 4) == 0;
    if (prng_below(&r, 3) > 0) plan.barrier_rows = 1 + (uint32_t)prng_below(&r, 50);
    return plan;
}

static void run_edge(void *arg)
{
    struct scene *s = arg;
    struct pair_plan plan = plan_of(s->seed);
    struct pair p;

    s->wrong = remote_pair_open(&p, &s->world->sys, &plan);
    if (s->wrong == NULL) s->wrong = remote_pair_run(&p);
    s->all_arrived = remote_pair_close(&p, 3600 * SECOND_NS);
    for (int i = 0; i < 2; i++) s->failures[i] = sys_atomic_load(&p.sides[i].failures);
}

static void everything_arrives_under_every_seed(void **state)
{
    struct scene s, again;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t trace = play(&s, seed, run_edge);
        if (s.wrong != NULL) fail_msg("seed %d: %s", (int)seed, s.wrong);
        if (!s.all_arrived) fail_msg("seed %d: an end was cut", (int)seed);
        assert_int_equal(s.failures[0] + s.failures[1], 0);
        if (seed % 20 == 3) assert_true(play(&again, seed, run_edge) == trace);
    }
}

static bool has_rows(const struct pair *p)
{
    for (uint32_t t = 0; t < p->plan.receivers; t++)
        if (p->rows[t] > 0) return true;
    return false;
}

/* Worker 0 or 1 gives up some turns after the first rows. Its other half fails, unless all had come and gone before. */
static void cut_edge(void *arg)
{
    struct scene *s = arg;
    struct pair_plan plan = plan_of(s->seed);
    uint32_t cut_at = 1 + (uint32_t)(s->seed * 7 % 60);
    int gone = (int)(s->seed % 2);
    struct pair p;

    s->wrong = remote_pair_open(&p, &s->world->sys, &plan);
    for (int i = 0; i < 2; i++) remote_exchange_start(p.sides[i].exchange);
    for (uint32_t turn = 0; turn < cut_at && !remote_pair_has_ended(&p); turn += has_rows(&p))
        if (!remote_pair_turn(&p)) sys_park(p.sys, p.parker, 1000000);
    bool had_ended = remote_pair_stop(&p, gone, remote_pair_has_ended(&p) ? SECOND_NS : 0);
    for (uint32_t idle = 0; !had_ended && idle < IDLE_TURNS && sys_atomic_load(&p.sides[1 - gone].failures) == 0;) {
        if (remote_pair_turn(&p)) continue;
        sys_park(p.sys, p.parker, 1000000);
        idle++;
    }
    bool other = remote_pair_stop(&p, 1 - gone, SECOND_NS);
    if (p.wrong != NULL) s->wrong = p.wrong;
    s->failures[0] = sys_atomic_load(&p.sides[1 - gone].failures);
    s->failures[1] = sys_atomic_load(&p.sides[gone].failures);
    s->all_arrived = other; /* it may have said good-bye to the other in time */
    bool all = remote_pair_close(&p, 0);
    (void)all;
}

static void who_goes_away_is_told_to_the_other(void **state)
{
    uint32_t cut = 0;
    struct scene s;

    (void)state;
    for (uint64_t seed = 1; seed < CUT_SEEDS; seed++) {
        play(&s, seed, cut_edge);
        if (s.wrong != NULL) fail_msg("seed %d: %s", (int)seed, s.wrong);
        assert_int_equal(s.failures[1], 0);
        assert_int_equal(s.failures[0], s.all_arrived ? 0 : 1);
        cut += !s.all_arrived;
    }
    assert_in_range(cut, CUT_SEEDS / 4, CUT_SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_under_every_seed),
        cmocka_unit_test(who_goes_away_is_told_to_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
