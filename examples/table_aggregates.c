/* table_aggregates.c - functions in C over groups of a table: the range of each airport's delays, one row per group (aggregate), and
 * its two worst flights, any number of rows per group (flatAggregate).
 *
 * Build and run:  cc table_aggregates.c $(pkg-config --cflags --libs thalweg) -o table_aggregates && ./table_aggregates */
#include <thalweg/thalweg.h>

#include <stdio.h>
#include <string.h>

/* --- an aggregate function: its result is a ROW, which becomes columns -------------------------------------------------- */
struct range {
    int32_t least, greatest;
    bool is_set;
};
static enum tw_status range_add(struct tw_call *c, void *acc, const void *args)
{
    struct range *r = acc;
    int32_t delay = *(const int32_t *)args;

    (void)c;
    if (!r->is_set || delay < r->least) r->least = delay;
    if (!r->is_set || delay > r->greatest) r->greatest = delay;
    r->is_set = true;
    return TW_OK;
}
static enum tw_status range_value(struct tw_call *c, const void *acc, void *result)
{
    (void)c;
    memcpy(result, acc, 2 * sizeof(int32_t));
    return TW_OK;
}
TW_SQL_FUNCTION(range) = {.kind = TW_SQL_AGGREGATE,
                          .overloads = {{"INT -> ROW<least INT, greatest INT>", .accumulator = "INT, INT, BOOLEAN",
                                         .accumulate = range_add, .value = range_value}}};

/* --- a table aggregate function: what it puts out are the rows of the group ------------------------------------------------ */
struct worst {
    int32_t delay[2], distance[2], count;
};
struct worst_args {
    int32_t delay, distance;
};
struct worst_flight {
    int32_t place, delay, distance;
};
static enum tw_status worst_add(struct tw_call *c, void *acc, const void *args)
{
    struct worst *w = acc;
    const struct worst_args *a = args;
    int32_t at = w->count;

    (void)c;
    while (at > 0 && a->delay > w->delay[at - 1]) at--;
    if (at == 2) return TW_OK;
    if (at == 0) {
        w->delay[1] = w->delay[0];
        w->distance[1] = w->distance[0];
    }
    w->delay[at] = a->delay;
    w->distance[at] = a->distance;
    w->count += w->count < 2;
    return TW_OK;
}
static enum tw_status worst_emit(struct tw_call *c, const void *acc)
{
    const struct worst *w = acc;

    for (int32_t i = 0; i < w->count; i++) tw_call_emit(c, &(struct worst_flight){i + 1, w->delay[i], w->distance[i]});
    return TW_OK;
}
TW_SQL_FUNCTION(worst) = {
    .kind = TW_SQL_TABLE_AGGREGATE,
    .overloads = {{"INT, INT -> ROW<place INT, delay INT, distance INT>", .accumulator = "INT, INT, INT, INT, INT",
                   .accumulate = worst_add, .emit = worst_emit}}};

TW_JOB(env, argc, argv)
{
    tw_set(env, "execution.runtime-mode", "batch");
    tw_create_temporary_system_function(env, "range", &tw_sql_range);
    tw_create_temporary_system_function(env, "worst", &tw_sql_worst);

    struct tw_schema *schema = tw_schema_create(env);
    tw_schema_column(schema, "scheduled", "TIMESTAMP(3) NOT NULL");
    tw_schema_column(schema, "delay", "INT NOT NULL");
    tw_schema_column(schema, "distance", "INT NOT NULL");
    tw_schema_column(schema, "origin", "STRING NOT NULL");
    tw_schema_column(schema, "destination", "STRING NOT NULL");
    tw_create_temporary_table(env, "flights", .schema = schema,
                              .options = TW_OPTIONS("connector", "filesystem", "path", "examples/data/flights.csv",
                                                    "format", "csv", "csv.header", "true"));
    struct tw_table *airports = tw_table_group_by(
        tw_table_where(tw_from(env, "flights"), "origin IN ('ATL', 'DFW', 'ORD')"), "origin");

    puts("From the earliest to the latest:");
    if (tw_result_print(tw_table_execute(
            tw_table_order_by(tw_table_aggregate(airports, "`range`(delay)", "earliest, latest"), "origin"))) != 0)
        return 1;
    puts("\nThe two worst flights of each:");
    return tw_result_print(tw_table_execute(
        tw_table_order_by(tw_table_flat_aggregate(airports, "worst(delay, distance)", NULL), "origin, place")));
}
