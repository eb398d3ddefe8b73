/* job_hybrid.c - a hybrid source of the user: old numbers in splits, then new ones that begin where the old ones ended, however
 * splits are shared out; no row of the second part before the first one is through. */
#include "sim/sim_rows.h"

#include <thalweg/source.h>

#include <string.h>

enum { HYBRID_SPLITS = 5, HYBRID_ROWS = 12 };

struct hybrid_list {
    int64_t first, given, rows; /* of the numbers; splits given out; numbers in them */
};
struct hybrid_run {
    int64_t next, left, pauses;
};

static enum tw_status start(struct tw_context *cx, void *enumerator)
{
    struct hybrid_list *l = enumerator;
    struct tw_str from = tw_start_position(cx);

    if (from.size == sizeof l->first) memcpy(&l->first, from.data, sizeof l->first);
    return TW_OK;
}

static enum tw_status next(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split, bool *end)
{
    static const char *const names[HYBRID_SPLITS] = {"a", "b", "c", "d", "e"};
    struct hybrid_list *l = enumerator;

    (void)cx, (void)subtask;
    *end = l->given == HYBRID_SPLITS;
    if (*end) return TW_OK;
    *split = (struct tw_split){names[l->given++], {(const char *)&l->first, sizeof l->first}};
    return TW_OK;
}

/* Where the splits that were given out end. The bytes of a split name the first number of its part. */
static enum tw_status end_position(struct tw_context *cx, void *enumerator, struct tw_str *position)
{
    struct hybrid_list *l = enumerator;

    (void)cx;
    l->rows = l->first + l->given * HYBRID_ROWS;
    *position = (struct tw_str){(const char *)&l->rows, sizeof l->rows};
    return TW_OK;
}

static enum tw_status open_run(struct tw_context *cx, void *split, const struct tw_split *what)
{
    struct hybrid_run *r = split;

    (void)cx;
    memcpy(&r->next, what->position.data, sizeof r->next);
    r->next += (what->id[0] - 'a') * HYBRID_ROWS;
    r->left = HYBRID_ROWS;
    return TW_OK;
}

static enum tw_status read_run(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct hybrid_run *r = split;
    struct sim_event *to = rows;

    if (r->left == HYBRID_ROWS / 2 && r->pauses++ < 1) {
        tw_ask_again(cx, tw_now_ms(cx) + 3);
        return TW_OK;
    }
    for (; *count < max && *count < 5 && r->left > 0 && (r->left != HYBRID_ROWS / 2 || *count == 0); ++*count) {
        to[*count] = (struct sim_event){r->next % SIM_KEYS, r->next, r->next * 1000};
        r->next++;
        r->left--;
    }
    *end = r->left == 0;
    return TW_OK;
}

static const struct tw_splits part = {.enumerator_size = sizeof(struct hybrid_list),
                                      .start = start,
                                      .next = next,
                                      .end_position = end_position,
                                      .split_size = sizeof(struct hybrid_run),
                                      .at_once = 2,
                                      .open = open_run,
                                      .read = read_run};
static const struct tw_splits *const parts[] = {&part, &part, &part, NULL};
static const struct tw_splits hybrid = {.parts = parts};
TW_FUNCTION(hybrid_source) = {.out = &sim_event_row, .splits = &hybrid};

static enum tw_status look(struct tw_context *cx, const void *in, bool *keep)
{
    *keep = true;
    tw_counter_add(cx, "sum", ((const struct sim_event *)in)->number);
    return TW_OK;
}
TW_FUNCTION(hybrid_look) = {.in = &sim_event_row, .filter = look};

static int run(struct tw_env *env)
{
    const int64_t rows = 3 * HYBRID_SPLITS * HYBRID_ROWS;
    int64_t sum = 0;

    tw_print(tw_filter(tw_source_function(env, "numbers", &hybrid_source), &hybrid_look));
    int failed = tw_execute(env, "hybrid");
    tw_accumulator_long(env, "sum", &sum);
    return failed || sum != rows * (rows - 1) / 2;
}

const struct sim_job job_hybrid = {
    .name = "hybrid",
    .doc = "a hybrid source of the user: three parts, each begins where the one before ended",
    .compare = SIM_ANY_ORDER,
    .run = run};
