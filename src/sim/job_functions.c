/* job_functions.c - functions without state: row by row, by columns, over the rows of a partition, of two inputs, and a key that
 * is computed. */
#include "sim/sim_rows.h"

struct functions_key {
    int64_t parity;
};
TW_ROW(functions_key, TW_FIELD(functions_key, parity, "BIGINT NOT NULL"));
struct functions_keyed {
    int64_t number, parity;
};
TW_ROW(functions_keyed, TW_FIELD(functions_keyed, number, "BIGINT NOT NULL"),
       TW_FIELD(functions_keyed, parity, "BIGINT NOT NULL"));

static enum tw_status map(struct tw_context *cx, const void *in, void *out)
{
    struct sim_event *to = out;

    (void)cx;
    *to = *(const struct sim_event *)in;
    to->number = to->number * 5 + 2;
    return TW_OK;
}

static enum tw_status map_other(struct tw_context *cx, const void *in, void *out)
{
    struct sim_event *to = out;

    (void)cx;
    *to = *(const struct sim_event *)in;
    to->number = -to->number;
    return TW_OK;
}
TW_FUNCTION(functions_map) = {.in = &sim_event_row, .out = &sim_event_row, .map = map};
TW_FUNCTION(functions_co_map) = {
    .in = &sim_event_row, .in2 = &sim_event_row, .out = &sim_event_row, .map = map, .map2 = map_other};

/* As many rows as the number says, up to three. */
static enum tw_status some(struct tw_context *cx, const void *in)
{
    struct sim_event e = *(const struct sim_event *)in;

    for (int64_t i = 0; i < ((const struct sim_event *)in)->number % 4; i++, e.number += 1000) tw_collect(cx, &e);
    return TW_OK;
}
TW_FUNCTION(functions_some) = {.in = &sim_event_row, .out = &sim_event_row, .flat_map = some};
TW_FUNCTION(functions_co_some) = {
    .in = &sim_event_row, .in2 = &sim_event_row, .out = &sim_event_row, .flat_map = some, .flat_map2 = some};

static enum tw_status by_columns(struct tw_context *cx, const struct tw_batch *in)
{
    const int64_t *keys = tw_batch_values(in, 0), *numbers = tw_batch_values(in, 1), *times = tw_batch_values(in, 2);
    int64_t *out_keys = tw_batch_out(cx, 0), *out_numbers = tw_batch_out(cx, 1), *out_times = tw_batch_out(cx, 2);
    uint32_t count = 0;

    for (uint32_t i = 0; i < tw_batch_rows(in); i++) {
        if (numbers[i] % 2 == 0) continue;
        out_keys[count] = keys[i];
        out_numbers[count] = numbers[i] + keys[i];
        out_times[count++] = times[i];
    }
    tw_batch_emit(cx, count);
    return TW_OK;
}
TW_FUNCTION(functions_by_columns) = {.in = &sim_event_row, .out = &sim_event_row, .batch = by_columns};

static enum tw_status parity(struct tw_context *cx, const void *in, void *key)
{
    (void)cx;
    ((struct functions_key *)key)->parity = ((const struct sim_event *)in)->number % 2;
    return TW_OK;
}
TW_FUNCTION(functions_parity) = {.in = &sim_event_row, .key = &functions_key_row, .select_key = parity};

static enum tw_status total(struct tw_context *cx, struct tw_elements *rows)
{
    struct functions_keyed out = {0};

    for (const struct functions_keyed *row; (row = tw_next(rows)) != NULL; out.number += row->number)
        out.parity = row->parity;
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(functions_total) = {.in = &functions_keyed_row, .out = &functions_keyed_row, .partition_rows = total};

static int run(struct tw_env *env)
{
    struct tw_stream *a = tw_map(sim_events(env), &functions_map), *b = tw_flat_map(sim_events(env), &functions_some);

    tw_print(tw_co_map(a, b, &functions_co_map));
    tw_print(tw_co_flat_map(a, b, &functions_co_some));
    tw_print(tw_map_batches(b, &functions_by_columns));
    tw_print(tw_partition_rows(tw_key_by_function(b, &functions_parity), &functions_total));
    return tw_execute(env, "functions");
}

const struct sim_job job_functions = {.name = "functions",
                                      .doc = "map, flat map, columns, partitions, two inputs, a computed key",
                                      .compare = SIM_ANY_ORDER,
                                      .run = run};
