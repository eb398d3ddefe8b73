/* test_diamonds.c - bounded rings and diamonds (a stream that splits and comes together again): small graphs of that kind
 * are enumerated with every partitioner, one or two batches per ring, batches of one row, and tasks stepped in an order
 * that a seed chooses. Each must end, with every row as often as the graph sends it. */
#include "surface/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { VALUES = 40, STILL_MAX = 20000 };

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

static enum tw_status same(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct number *)out = *(const struct number *)in;
    return TW_OK;
}
TW_FUNCTION(passes) = {.in = &number_row, .in2 = &number_row, .out = &number_row, .map = same, .map2 = same};

/* --- one graph --------------------------------------------------------------------------------------------------------------- */
static const char *const hows[] = {"forward", "hash", "rebalance", "rescale", "shuffle", "broadcast", "global"};
enum { HOWS = 7, FORWARD = 0, HASH = 1, BROADCAST = 5 };

struct shape {
    uint32_t how[2];      /* from the source into each branch */
    uint32_t last;        /* from the branches into where they meet */
    uint32_t branch, end; /* parallelism of the branches, and of where they meet */
    bool is_nested;       /* the second branch is a diamond itself */
    bool is_connect;      /* they meet in an operator of two inputs, else in a union */
    uint32_t ring, batch;
    uint64_t seed;
};

struct run {
    struct shape s;
    struct prng pick;
    uint32_t seen[VALUES];
};

static const char *shape_text(const struct shape *s, char out[static 200])
{
    snprintf(out, 200, "%s/%s -> %s, parallelism 2/%u/%u%s%s, ring %u, batch %u, seed %llu", hows[s->how[0]],
             hows[s->how[1]], hows[s->last], s->branch, s->end, s->is_nested ? ", nested" : "",
             s->is_connect ? ", connect" : ", union", s->ring, s->batch, (unsigned long long)s->seed);
    return out;
}

static struct tw_stream *sent(struct tw_stream *s, uint32_t how)
{
    if (how == FORWARD) return s; /* or dealt out in turn where the parallelism changes */
    return how == HASH ? tw_key_by(s, "value") : tw_partition_at(s, hows[how], TW_HERE);
}

static struct tw_stream *branch(struct tw_stream *s, uint32_t how, uint32_t parallelism)
{
    return tw_parallelism(tw_map(sent(s, how), &passes), parallelism);
}

static struct tw_stream *diamond(struct tw_stream *s, const struct shape *d, bool is_outer)
{
    struct tw_stream *a = branch(s, d->how[0], d->branch), *b = branch(s, d->how[1], d->branch);

    if (is_outer && d->is_nested) b = diamond(b, d, false);
    struct tw_stream *both = d->is_connect ? tw_co_map(sent(a, d->last), sent(b, d->last), &passes)
                                           : tw_map(tw_union(sent(a, d->last), sent(b, d->last)), &passes);
    return tw_parallelism(both, d->end);
}

/* How often a row comes out. */
static uint32_t copies(const struct shape *d, bool is_outer)
{
    uint32_t a = d->how[0] == BROADCAST ? d->branch : 1, b = d->how[1] == BROADCAST ? d->branch : 1;

    if (is_outer && d->is_nested) b *= copies(d, false);
    return (a + b) * (d->last == BROADCAST ? d->end : 1);
}

/* --- running it --------------------------------------------------------------------------------------------------------------- */
static void drive(void *arg, struct taskmanager *tm, struct jobmaster *jm)
{
    struct run *r = arg;
    char text[200];
    bool moved;
    int64_t deadline_ms;

    for (uint32_t still = 0; taskmanager_round(tm, &r->pick, &moved, &deadline_ms) == S_OK; jobmaster_pump(jm)) {
        still = moved ? 0 : still + 1;
        if (still == STILL_MAX) fail_msg("nothing moves: %s", shape_text(&r->s, text));
    }
}

static void take(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct run *r = arg;
    int64_t value = ((const struct number *)row)->value;

    (void)kind;
    (void)time_ms;
    assert_true(value >= 0 && value < VALUES);
    r->seen[value]++;
}

static void set_number(struct tw_env *env, const char *key, uint32_t value)
{
    char text[16];

    snprintf(text, sizeof text, "%u", value);
    tw_set(env, key, text);
}

static void run_shape(const struct shape *s)
{
    struct run r = {.s = *s};
    struct tw_env *env = tw_env_create();
    char text[200];

    prng_init(&r.pick, s->seed);
    env->artifact = NULL; /* hundreds of environments: to digest this program for each takes longer than the jobs */
    env->drive = drive;
    env->drive_arg = &r;
    tw_quiet(env, true);
    set_number(env, "thalweg.exec.ring-batches", s->ring);
    set_number(env, "thalweg.exec.batch-rows", s->batch);
    set_number(env, "thalweg.exec.seed", (uint32_t)s->seed);
    set_number(env, "thalweg.exec.workers", 1 + (uint32_t)s->seed % 3);
    tw_collect_to(diamond(tw_parallelism(tw_from_sequence(env, 0, VALUES - 1), 2), s, true), &number_row, take, &r);
    if (tw_execute(env, "diamond") != 0) fail_msg("%s: %s", shape_text(s, text), tw_error(env));
    for (int i = 0; i < VALUES; i++)
        if (r.seen[i] != copies(s, true))
            fail_msg("%s: row %d came %u times instead of %u", shape_text(s, text), i, r.seen[i], copies(s, true));
    tw_env_free(env);
}

/* Every pair of partitioners into the branches, the others in turn. */
static void run_all(bool is_nested, bool is_connect)
{
    uint64_t turn = 0;

    for (uint32_t a = 0; a < HOWS; a++)
        for (uint32_t b = 0; b < HOWS; b++)
            for (uint32_t parallelism = 1; parallelism <= 3; parallelism++)
                for (uint32_t ring = 1; ring <= 2; ring++, turn++) {
                    struct shape s = {.how = {a, b},
                                      .last = (uint32_t)(turn % HOWS),
                                      .branch = parallelism,
                                      .end = 1 + (uint32_t)(turn / HOWS % 3),
                                      .is_nested = is_nested,
                                      .is_connect = is_connect,
                                      .ring = ring,
                                      .batch = 1 + (uint32_t)(turn / 2 % 2) * 6,
                                      .seed = turn};
                    run_shape(&s);
                }
}

static void diamonds_that_meet_in_a_union(void **state)
{
    (void)state;
    run_all(false, false);
}

static void diamonds_that_meet_in_two_inputs(void **state)
{
    (void)state;
    run_all(false, true);
}

static void diamonds_in_diamonds(void **state)
{
    (void)state;
    run_all(true, false);
    run_all(true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diamonds_that_meet_in_a_union),
        cmocka_unit_test(diamonds_that_meet_in_two_inputs),
        cmocka_unit_test(diamonds_in_diamonds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
