/* lookup_tables.c - orders beside their customers, who are asked for one by one: a table whose rows a function in C finds. The function
 * waits for something outside, here a file for each customer, so many of them are asked for at a time; what was found is kept.
 *
 * Build and run:  cc lookup_tables.c $(pkg-config --cflags --libs thalweg) -o lookup_tables && ./lookup_tables */
#include <thalweg/thalweg.h>

#include <stdio.h>
#include <string.h>

struct customer {
    int32_t id;
    struct tw_str name, city;
};

/* The rows of one key: none, one or many. It runs on a helper thread and may block. */
static enum tw_status find(struct tw_call *c, const void *args)
{
    struct customer row = {.id = *(const int32_t *)args};
    char *line = tw_call_scratch(c, 256), path[64];

    snprintf(path, sizeof path, "examples/data/customers/%d.txt", row.id);
    FILE *file = fopen(path, "r");
    if (file == NULL) return TW_OK; /* no such customer */
    char *read = fgets(line, 256, file), *comma = read != NULL ? strchr(read, ',') : NULL;
    fclose(file);
    if (comma == NULL) return tw_call_fail(c, "%s: 'name,city' expected", path);
    row.name = (struct tw_str){line, (uint32_t)(comma - line)};
    row.city = (struct tw_str){comma + 1, (uint32_t)strcspn(comma + 1, "\n")};
    tw_call_emit(c, &row);
    return TW_OK;
}
TW_SQL_FUNCTION(find_customer) = {
    .kind = TW_SQL_TABLE,
    .flags = TW_SQL_ASYNC,
    .overloads = {{"INT -> ROW<id INT, name STRING, city STRING>", .rows = find}},
};

TW_JOB(env, argc, argv)
{
    tw_create_temporary_system_function(env, "find_customer", &tw_sql_find_customer);

    struct tw_schema *customers = tw_schema_create(env);
    tw_schema_column(customers, "id", "INT NOT NULL");
    tw_schema_column(customers, "name", "STRING");
    tw_schema_column(customers, "city", "STRING");
    tw_schema_primary_key(customers, "id"); /* which are the arguments of the function */
    tw_create_temporary_table(env, "customers", .schema = customers,
                              .options = TW_OPTIONS("connector", "function", "function", "find_customer", "lookup.cache", "PARTIAL",
                                                    "lookup.partial-cache.expire-after-write", "10 min"));

    struct tw_table *orders = tw_sql_query(env, "SELECT item, customer, PROCTIME() AS proc_time FROM (VALUES ('ink', 1), ('paper', 2), "
                                                "('ink', 3), ('pens', 1)) AS t (item, customer)");
    tw_create_temporary_view(env, "orders", orders);
    return tw_result_print(tw_sql_execute(env, "SELECT item, name, city FROM orders AS o LEFT JOIN customers "
                                               "FOR SYSTEM_TIME AS OF o.proc_time AS c ON o.customer = c.id"));
}
