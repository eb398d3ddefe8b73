/* job_splits.c - a source of the user with splits, some of which are found later, kept together by alignment; and a sink of the
 * user, which counts. */
#include "sim/sim_rows.h"

#include <thalweg/source.h>

#include <string.h>

enum { SPLITS = 9, SPLIT_ROWS = 20 };

struct splits_book {
    int64_t next;
    uint32_t asked;
};
struct splits_part {
    int64_t number, next;
    uint32_t pauses;
};

static enum tw_status next_part(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split,
                                bool *end)
{
    static const char *const names[SPLITS] = {"0", "1", "2", "3", "4", "5", "6", "7", "8"};
    struct splits_book *book = enumerator;

    (void)subtask;
    *end = book->next == SPLITS;
    if (*end) return TW_OK;
    if (book->next > 5 && book->asked++ % 3 != 2) { /* the last ones turn up by and by */
        tw_ask_again(cx, tw_now_ms(cx) + 5);
        return TW_OK;
    }
    *split = (struct tw_split){names[book->next], {(const char *)&book->next, sizeof book->next}};
    book->next++;
    return TW_OK;
}

static enum tw_status open_part(struct tw_context *cx, void *split, const struct tw_split *what)
{
    struct splits_part *part = split;

    if (what->position.size != sizeof part->number) return tw_fail(cx, "split '%s' has a strange position", what->id);
    memcpy(&part->number, what->position.data, sizeof part->number);
    return TW_OK;
}

static enum tw_status read_part(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count,
                                bool *end)
{
    struct splits_part *part = split;
    struct sim_event *to = rows;

    if (part->next == SPLIT_ROWS / 2 && part->pauses++ < 2) { /* nothing for a while */
        tw_ask_again(cx, tw_now_ms(cx) + 7);
        return TW_OK;
    }
    for (; *count < max && *count < 6 && part->next < SPLIT_ROWS; ++*count, part->next++)
        to[*count] = (struct sim_event){part->number % SIM_KEYS, part->next, part->next * 1000 + part->number};
    *end = part->next == SPLIT_ROWS;
    return TW_OK;
}

static const struct tw_splits parts = {.enumerator_size = sizeof(struct splits_book),
                                       .next = next_part,
                                       .split_size = sizeof(struct splits_part),
                                       .at_once = 2,
                                       .open = open_part,
                                       .read = read_part};
TW_FUNCTION(splits_source) = {.out = &sim_event_row, .splits = &parts};

static enum tw_status take(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    tw_counter_add(cx, "rows", kind == TW_INSERT);
    tw_counter_add(cx, "sum", ((const struct sim_event *)in)->number);
    return TW_OK;
}
TW_FUNCTION(splits_sink) = {.in = &sim_event_row, .sink = take};

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_source_function(env, "parts", &splits_source);
    int64_t rows = 0, sum = 0;

    s = tw_with_watermarks(s, .kind = TW_WM_MONOTONOUS, .time_field = "time", .idleness_ms = 50,
                           .alignment_group = "parts", .alignment_max_drift_ms = 4000, .alignment_interval_ms = 2);
    tw_print(tw_project(s, "key", "number", "time"));
    tw_sink_function(s, "count", &splits_sink);
    int failed = tw_execute(env, "splits");
    tw_accumulator_long(env, "rows", &rows);
    tw_accumulator_long(env, "sum", &sum);
    return failed || rows != SPLITS * SPLIT_ROWS || sum != SPLITS * SPLIT_ROWS * (SPLIT_ROWS - 1) / 2;
}

const struct sim_job job_splits = {.name = "splits",
                                   .doc = "a source with splits, pauses, alignment and idleness; a sink that counts",
                                   .compare = SIM_ANY_ORDER,
                                   .run = run};
