/* tables.c - the Table API: the airports with the worst delays of a week of flights, as relations over a file, with a bridge to a
 * function in C and back.
 *
 * Build and run:  cc tables.c $(pkg-config --cflags --libs thalweg) -o tables && ./tables */
#include <thalweg/thalweg.h>

#include <stdio.h>

struct flight {
    struct tw_str origin;
    int32_t delay;
};
TW_ROW(flight, TW_FIELD(flight, origin, "STRING NOT NULL"), TW_FIELD(flight, delay, "INT NOT NULL"));

struct verdict {
    struct tw_str origin;
    struct tw_str how;
};
TW_ROW(verdict, TW_FIELD(verdict, origin, "STRING NOT NULL"), TW_FIELD(verdict, how, "STRING NOT NULL"));

/* What is easier said in C than in SQL. */
static enum tw_status judge(struct tw_context *cx, const void *in)
{
    const struct flight *f = in;
    struct tw_str how = f->delay > 120 ? TW_STR("missed connection") : f->delay > 60 ? TW_STR("late") : TW_STR("fine");

    tw_collect(cx, &(struct verdict){f->origin, how});
    return TW_OK;
}
TW_FUNCTION(judged) = {.in = &flight_row, .out = &verdict_row, .process = judge};

TW_JOB(env, argc, argv)
{
    tw_set(env, "execution.runtime-mode", "batch");

    /* A table of a connector, as CREATE TABLE would make it. */
    struct tw_schema *schema = tw_schema_create(env);
    tw_schema_column(schema, "scheduled", "TIMESTAMP(3) NOT NULL");
    tw_schema_column(schema, "delay", "INT NOT NULL");
    tw_schema_column(schema, "distance", "INT NOT NULL");
    tw_schema_column(schema, "origin", "STRING NOT NULL");
    tw_schema_column(schema, "destination", "STRING NOT NULL");
    tw_schema_column_by_expression(schema, "day", "CAST(scheduled AS DATE)");
    tw_create_temporary_table(env, "flights", .schema = schema,
                              .options = TW_OPTIONS("connector", "filesystem", "path", "examples/data/flights.csv", "format", "csv",
                                                    "csv.header", "true"));

    /* Relations: expressions are SQL. */
    struct tw_table *week = tw_table_where(tw_from(env, "flights"), "`day` < DATE '2001-01-08'");
    struct tw_table *airports = tw_table_select(tw_table_group_by(week, "origin"), "origin, COUNT(*) AS flights, AVG(delay) AS minutes");
    struct tw_table *worst =
        tw_table_limit(tw_table_order_by(tw_table_where(airports, "flights >= 50"), "minutes DESC, origin"), 3);

    puts("The worst airports of the week:");
    struct tw_table_result *r = tw_table_execute(worst);
    while (tw_result_next(r)) {
        struct tw_str origin = tw_result_str(r, 0);
        printf("%.*s: %lld flights, %lld minutes late\n", (int)origin.size, origin.data, (long long)tw_result_long(r, 1),
               (long long)tw_result_long(r, 2));
    }
    if (tw_result_close(r) != 0) return 1;

    /* And as a stream: rows go through a function in C, and what it makes of them is a table again. */
    tw_set(env, "execution.runtime-mode", "streaming");
    struct tw_stream *late = tw_to_stream(tw_table_select(tw_table_where(week, "delay > 60"), "origin, delay"));
    struct tw_table *verdicts = tw_from_stream(tw_process(late, &judged), NULL);
    tw_create_temporary_view(env, "verdicts", verdicts);

    puts("\nWhat came of delays of more than an hour:");
    tw_set(env, "execution.runtime-mode", "batch");
    return tw_result_print(tw_sql_execute(env, "SELECT how, COUNT(*) AS flights FROM verdicts GROUP BY how ORDER BY how"));
}
