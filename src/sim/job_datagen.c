/* job_datagen.c - a sequence made up by datagen, at a rate, through the partitioners that copy rows or ask the user. */
#include "sim/sim_rows.h"

static enum tw_status by_number(struct tw_context *cx, const void *in, uint32_t partitions, uint32_t *partition)
{
    (void)cx;
    *partition = (uint32_t)((uint64_t)((const struct sim_event *)in)->number % partitions);
    return TW_OK;
}
TW_FUNCTION(datagen_by_number) = {.in = &sim_event_row, .partition = by_number};

/* Which subtasks have a row is not for the result; that all have it is. */
static enum tw_status share(struct tw_context *cx, const void *in)
{
    tw_counter_add(cx, "copies", 1);
    tw_counter_add(cx, "subtasks",
                   tw_subtasks(cx) * (((const struct sim_event *)in)->number == 7 && tw_subtask(cx) == 0));
    return TW_OK;
}
TW_FUNCTION(datagen_share) = {.in = &sim_event_row, .out = &sim_event_row, .flat_map = share};

static int run(struct tw_env *env)
{
    struct tw_options made = TW_OPTIONS("number-of-rows", "150", "rows-per-second", "10000", "fields.number.kind",
                                        "sequence", "fields.number.start", "1", "fields.number.end", "150",
                                        "fields.key.min", "5", "fields.key.max", "5", "fields.time.max-past", "0 s");
    struct tw_stream *s = tw_source_rows(env, "made up", "datagen", &sim_event_row, made);
    int64_t copies = 0, subtasks = 0;

    s = tw_forward(tw_where(s, "number", "<>", "75"));
    tw_print(tw_project(tw_partition_custom(s, &datagen_by_number), "key", "number"));
    tw_print(tw_project(tw_flat_map(tw_broadcast(s), &datagen_share), "key"));
    int failed = tw_execute(env, "datagen");
    tw_accumulator_long(env, "copies", &copies);
    tw_accumulator_long(env, "subtasks", &subtasks);
    return failed || subtasks == 0 || copies != 149 * subtasks;
}

const struct sim_job job_datagen = {.name = "datagen",
                                    .doc = "datagen at a rate; forward, broadcast and custom partitioners",
                                    .compare = SIM_ANY_ORDER,
                                    .run = run};
