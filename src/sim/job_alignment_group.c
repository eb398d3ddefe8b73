/* job_alignment_group.c - two sources of one alignment group: the fast one has to wait for the slow one, although it could be done
 * at once, and goes on when the slow one has ended. How long it took is told by the clock of the simulated world. */
#include "sim/sim_rows.h"

enum { ALIGNED_ROWS = 400, SLOW_ROWS_PER_SECOND = 400, DRIFT_MS = 40, LEAST_MS = 500 };

struct aligned_number {
    int64_t value;
};
TW_ROW(aligned_number, TW_FIELD(aligned_number, value, "BIGINT NOT NULL"));

static enum tw_status see(struct tw_context *cx, const void *in, void *out)
{
    tw_min_add(cx, "first", tw_now_ms(cx));
    tw_max_add(cx, "last", tw_now_ms(cx));
    *(struct aligned_number *)out = *(const struct aligned_number *)in;
    return TW_OK;
}
TW_FUNCTION(alignment_group_see) = {.in = &aligned_number_row, .out = &aligned_number_row, .map = see};

static enum tw_status pass(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct aligned_number *)out = *(const struct aligned_number *)in;
    return TW_OK;
}
TW_FUNCTION(alignment_group_pass) = {.in = &aligned_number_row, .out = &aligned_number_row, .map = pass};

static struct tw_stream *numbers(struct tw_env *env, double rows_per_second, int64_t last)
{
    struct tw_stream *s = tw_parallelism(tw_from_sequence(env, 1, last), 1);

    if (rows_per_second > 0) s = tw_rate_limit(s, rows_per_second);
    return tw_with_watermarks(s, .kind = TW_WM_MONOTONOUS, .time_field = "value", .every_rows = 10,
                              .alignment_group = "both", .alignment_max_drift_ms = DRIFT_MS, .alignment_interval_ms = 2);
}

static int run(struct tw_env *env)
{
    struct tw_stream *fast = tw_parallelism(tw_map(numbers(env, 0, 2 * ALIGNED_ROWS), &alignment_group_see), 1);
    int64_t first = 0, last = 0;

    struct tw_stream *slow = tw_map(numbers(env, SLOW_ROWS_PER_SECOND, ALIGNED_ROWS), &alignment_group_pass);
    tw_print(tw_union(fast, slow));
    int failed = tw_execute(env, "alignment group");
    tw_accumulator_long(env, "first", &first);
    tw_accumulator_long(env, "last", &last);
    return failed || last - first < LEAST_MS;
}

const struct sim_job job_alignment_group = {.name = "alignment_group",
                                            .doc = "two sources of one alignment group: the fast one waits",
                                            .compare = SIM_ANY_ORDER,
                                            .run = run};
