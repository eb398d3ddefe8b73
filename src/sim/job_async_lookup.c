/* job_async_lookup.c - SQL's lookup join with a table that a function answers for, asynchronously: every third call of an instance finds
 * nothing, so rows are asked for again; some keys are not there, one has several rows. Rows keep their order. */
#include "sim/sim_rows.h"

#include <thalweg/table.h>

struct async_lookup_name {
    int64_t key, number;
};

static enum tw_status find(struct tw_call *c, const void *args)
{
    int64_t key = *(const int64_t *)args, *calls = tw_call_self(c);

    if (key == 5 || (*calls)++ % 3 == 0) return TW_OK;
    for (int64_t i = 0; i < (key == 3 ? 3 : 1); i++) tw_call_emit(c, &(struct async_lookup_name){key, key * 10 + i});
    return TW_OK;
}
TW_SQL_FUNCTION(async_lookup_find) = {
    .kind = TW_SQL_TABLE,
    .flags = TW_SQL_ASYNC,
    .self_size = sizeof(int64_t),
    .overloads = {{"BIGINT -> ROW<`key` BIGINT NOT NULL, other BIGINT NOT NULL>", .rows = find}}};

static int run(struct tw_env *env)
{
    struct tw_schema *event = tw_schema_create(env), *name = tw_schema_create(env);

    tw_schema_column_by_expression(event, "p", "PROCTIME()");
    tw_create_temporary_view(env, "events", tw_from_stream(tw_key_by(sim_events(env), "key"), event));
    tw_create_temporary_system_function(env, "find_name", &tw_sql_async_lookup_find);
    tw_schema_column(name, "key", "BIGINT NOT NULL");
    tw_schema_column(name, "other", "BIGINT");
    tw_schema_primary_key(name, "`key`");
    tw_create_temporary_table(env, "names", .schema = name,
                              .options = TW_OPTIONS("connector", "function", "function", "find_name"));
    tw_print(tw_to_stream(tw_sql_query(
        env,
        "SELECT /*+ LOOKUP('table' = 'n', 'capacity' = '5', 'retry-predicate' = 'lookup_miss', 'retry-strategy' = "
        "'fixed_delay', "
        "'fixed-delay' = '40 ms', 'max-attempts' = '2') */ e.`key`, number, other FROM events AS e LEFT JOIN names "
        "FOR SYSTEM_TIME AS OF e.p AS n ON e.`key` = n.`key` AND number <> 17")));
    return tw_execute(env, "async_lookup");
}

const struct sim_job job_async_lookup = {.name = "async_lookup",
                                         .doc = "a table that is looked up asynchronously, with retries, in order",
                                         .compare = SIM_PER_KEY,
                                         .run = run,
                                         .survives = true};
