/* bench_rescale.c - how long a job stands still when it is rescaled: 1 GiB of keyed state (rows of 40 bytes under keys of 8), from 2 to 4 and
 * back. The time is the job's own: from the barrier of its checkpoint to the last task that runs again. Every key is there afterwards: a
 * second pass over all keys counts each to 2. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROW_BYTES = 48, SPLITS = 4, SMOKE_KEYS = 10000 };

struct key {
    int64_t key;
};
TW_ROW(key, TW_FIELD(key, key, "BIGINT NOT NULL"));
struct kept {
    int64_t count, a, b, c, d;
};
TW_ROW(kept, TW_FIELD(kept, count, "BIGINT NOT NULL"), TW_FIELD(kept, a, "BIGINT NOT NULL"), TW_FIELD(kept, b, "BIGINT NOT NULL"),
       TW_FIELD(kept, c, "BIGINT NOT NULL"), TW_FIELD(kept, d, "BIGINT NOT NULL"));

/* User functions reach it by no other way. */
static struct {
    int64_t keys;
    struct sys *sys;
    struct sys_parker *waiting;
    struct sys_atomic_u64 passes, seen, wrong; /* passes: how often each key may have come */
} w;

struct part {
    int64_t next, first, end;
};

static enum tw_status next_split(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split, bool *end)
{
    static const char *const ids[SPLITS] = {"0", "1", "2", "3"};
    int64_t *handed_out = enumerator;

    (void)cx, (void)subtask;
    *end = *handed_out == SPLITS;
    if (!*end) *split = (struct tw_split){.id = ids[(*handed_out)++]};
    return TW_OK;
}

static enum tw_status open_split(struct tw_context *cx, void *split, const struct tw_split *what)
{
    struct part *p = split;

    (void)cx;
    if (what->position.size == sizeof p->next) memcpy(&p->next, what->position.data, sizeof p->next);
    p->first = w.keys / SPLITS * (what->id[0] - '0');
    p->end = w.keys / SPLITS;
    return TW_OK;
}

/* One pass of all keys, and another one when it is wanted. */
static enum tw_status read_split(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct part *p = split;
    int64_t last = p->end * (int64_t)sys_atomic_load(&w.passes);
    struct key *out = rows;

    (void)cx;
    for (; *count < max && p->next < last; p->next++) out[(*count)++].key = p->first + p->next % p->end;
    *end = p->next == 2 * p->end;
    return TW_OK;
}

static void say_position(struct tw_context *cx, void *split, struct tw_str *position)
{
    (void)cx;
    *position = (struct tw_str){(const char *)&((struct part *)split)->next, sizeof(int64_t)};
}

static const struct tw_splits parts = {.enumerator_size = sizeof(int64_t),
                                       .next = next_split,
                                       .split_size = sizeof(struct part),
                                       .open = open_split,
                                       .read = read_split,
                                       .position = say_position};
TW_FUNCTION(bench_rescale_gives) = {.out = &key_row, .splits = &parts};

static const struct tw_state kept = {.name = "kept", .kind = TW_VALUE, .value = "ROW", .row = &kept_row};

static enum tw_status keep(struct tw_context *cx, const void *in)
{
    const struct key *k = in;
    struct kept now = {0};

    tw_value_get(cx, &kept, &now);
    now = (struct kept){now.count + 1, k->key, k->key + 1, k->key + 2, k->key + 3};
    tw_value_set(cx, &kept, &now);
    uint64_t passes = sys_atomic_load(&w.passes);
    if (passes == 2 && now.count != 2) sys_atomic_add(&w.wrong, 1);
    if (sys_atomic_add(&w.seen, 1) + 1 == (uint64_t)w.keys) sys_unpark(w.sys, w.waiting);
    return TW_OK;
}
TW_FUNCTION(bench_rescale_keeps) = {.in = &key_row, .out = &key_row, .states = {&kept}, .process = keep};

static struct tw_env *make_job(struct bench *b, const char *folder)
{
    struct tw_env *env = BENCH_ENV(b, 4, 2);

    tw_set(env, "execution.checkpointing.interval", "1 h"); /* only the rescale's own */
    tw_set(env, "execution.checkpointing.dir", folder);
    struct tw_stream *keys = tw_source_function(env, "keys", &bench_rescale_gives);
    tw_sink(tw_process(tw_key_by(keys, "key"), &bench_rescale_keeps), "nothing", "blackhole", TW_NO_OPTIONS);
    return env;
}

static double rescale(struct tw_env *env, uint32_t parallelism)
{
    char text[2000];
    long long ms = 0;

    if (tw_rescale_job(env, parallelism, NULL, text, sizeof text) != 0 || sscanf(text, "paused for %lld ms", &ms) != 1) bench_fail("%s", text);
    return (double)ms / 1e3;
}

static void line(struct bench *b, const char *name, double value, enum bench_goal kind, double goal)
{
    struct bench_case c = {.name = name, .unit = "s", .goal_kind = kind, .goal = goal};

    bench_line(b, &c, &value, 1);
}

static void run(struct bench *b)
{
    char folder[] = "/tmp/thalweg-bench-XXXXXX", command[100];

    if (mkdtemp(folder) == NULL) bench_fail("no folder for checkpoints");
    w.keys = (int64_t)bench_size(b, (UINT64_C(1) << 30) / ROW_BYTES / SPLITS * SPLITS, SMOKE_KEYS);
    w.sys = b->sys;
    w.waiting = sys_parker_create(b->sys);
    sys_atomic_store(&w.passes, 1);
    struct tw_env *env = make_job(b, folder);
    if (tw_execute_async(env, "rescale") != 0) bench_fail("%s", tw_error(env));
    while (sys_atomic_load(&w.seen) < (uint64_t)w.keys) sys_park(b->sys, w.waiting, INT64_MAX);
    double back = rescale(env, 2), pause = rescale(env, 4);
    sys_atomic_store(&w.passes, 2);
    if (tw_wait(env) != 0) bench_fail("%s", tw_error(env));
    tw_env_free(env);
    bench_same("keys that were seen twice", (int64_t)(sys_atomic_load(&w.seen) - sys_atomic_load(&w.wrong)), 2 * w.keys);
    line(b, "1 GiB, rescaled from 2 to 4: pause", pause, GOAL_AT_MOST, 4);
    line(b, "1 GiB, rescaled from 4 to 2: pause", back, GOAL_NONE, 0);
    sys_parker_free(b->sys, w.waiting);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) bench_fail("'%s' cannot be removed", folder);
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "rescale");
    if (bench_wants(&b, "1 GiB, rescaled")) run(&b);
    return bench_end(&b);
}
