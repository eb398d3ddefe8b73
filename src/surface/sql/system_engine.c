/* system_engine.c - sys.functions, sys.options, sys.modules, sys.statistics: what the engine can do, what it is told, what it knows
 * of tables. */
#include "surface/sql/system_tables.h"

#include "columns/function/user_function.h"
#include "ground/base/str.h"
#include "language/sql/sql_function.h"
#include "surface/sql/session_internal.h"
#include "surface/sql/sql_keys.h"

#include <string.h>

static const struct sql_session *session_of(const struct system_rows *rows) { return rows->arg; }

/* --- functions --------------------------------------------------------------------------------------------------- */
static const char *signatures(struct system_rows *rows, const struct fn_def *f)
{
    struct buf text;

    if (f == NULL || f->overloads == NULL) return NULL;
    buf_init(&text, rows->a->mem);
    for (uint32_t i = 0; f->overloads[i].signature != NULL; i++)
        buf_printf(&text, "%s%s", i > 0 ? "; " : "", f->overloads[i].signature);
    const char *kept = arena_strndup(rows->a, text.size > 0 ? text.data : "", text.size);
    buf_release(&text);
    return kept;
}

static void example_cells(struct system_rows *rows, const struct sql_function *f, const char **row)
{
    if (f->def != NULL && f->def->examples != NULL && f->def->examples[0].text != NULL) {
        row[5] = f->def->examples[0].text;
        row[6] = f->def->examples[0].result;
    } else if (f->agg != NULL) {
        row[5] = f->agg->example;
    } else if (f->form != NULL) {
        row[5] = f->form->query;
        row[6] = f->form->answer;
    }
    (void)rows;
}

static void function_row(void *arg, const struct sql_function *f)
{
    struct system_rows *rows = arg;
    const char **row = system_row_add(rows);

    row[0] = arena_strdup(rows->a, f->name);
    row[1] = sql_function_kind_name(f->kind);
    row[2] = sql_function_usage(f);
    row[3] = signatures(rows, f->def);
    row[4] = f->def != NULL ? f->def->doc : f->agg != NULL ? f->agg->doc : f->form->doc;
    example_cells(rows, f, row);
}

static void user_function_row(void *arg, const struct named_function *n)
{
    struct system_rows *rows = arg;
    const struct fn_def *f = &n->function->def;
    const char **row = system_row_add(rows);

    row[0] = arena_strdup(rows->a, n->name);
    row[1] = f->makes_rows ? "user table aggregate" : f->is_aggregate ? "user aggregate" : f->is_table ? "user table function" : "user function";
    row[3] = signatures(rows, f);
    row[4] = f->doc;
}

static void functions_rows(struct system_rows *rows)
{
    const struct sql_session *s = session_of(rows);

    if (!s->functions.has_no_core) sql_functions_each(function_row, rows);
    functions_each(s->user_functions, rows->catalog, catalogs_current_database(s->catalogs), user_function_row, rows);
}

static const struct system_column functions_columns[] = {
    {"function_name", "STRING NOT NULL", "as calls write it"},
    {"kind", "STRING NOT NULL", "what it is; of the user's: user function, user aggregate, user table function"},
    {"usage_form", "STRING", "how a call is written, where its signatures do not say it"},
    {"signatures", "STRING", "arguments and results, where they are fixed"},
    {"description", "STRING", "what it does"},
    {"example", "STRING", "a call, or a query"},
    {"example_result", "STRING", "what that answers"},
    {0},
};
const struct system_table system_functions = {"sys", "functions", "functions that a call can name", functions_columns,
                                              functions_rows};

/* --- options ----------------------------------------------------------------------------------------------------- */
static const char *kind_of(struct system_rows *rows, const struct option_def *d)
{
    return d->kind == OPT_ENUM ? arena_strdup(rows->a, d->choices) : option_kind_name(d->kind);
}

static void option_row(struct system_rows *rows, const struct option_def *d, const char *scope)
{
    struct options now = config_options(&session_of(rows)->config);
    const char **row = system_row_add(rows);
    const char *set = NULL;

    for (uint32_t i = 0; i < now.count; i++)
        if (strcmp(now.items[i].key, d->key) == 0) set = now.items[i].value;
    row[0] = d->key;
    row[1] = kind_of(rows, d);
    row[2] = d->fallback;
    row[3] = set != NULL ? arena_strdup(rows->a, set) : d->fallback;
    row[4] = system_truth(set != NULL);
    row[5] = scope;
    row[6] = d->doc;
}

static void options_rows(struct system_rows *rows)
{
    for (const struct option_def *d = sql_keys; d->key != NULL; d++) option_row(rows, d, "sql");
    for (const struct option_def *d = config_defs; d->key != NULL; d++)
        if (option_find(sql_keys, d->key) == NULL) option_row(rows, d, "job");
    for (const struct option_def *d = sql_accepted_keys; d->key != NULL; d++) option_row(rows, d, "no effect");
}

static const struct system_column options_columns[] = {
    {"option_key", "STRING NOT NULL", "as SET takes it"},
    {"option_type", "STRING NOT NULL", "what its values are; choices are parted by a bar"},
    {"default_value", "STRING", "what holds when it is not set"},
    {"current_value", "STRING", "what holds now"},
    {"is_set", "BOOLEAN NOT NULL", "did the session set it?"},
    {"used_by", "STRING NOT NULL", "sql: of statements; job: of how jobs run; no effect: Flink's, and taken"},
    {"description", "STRING NOT NULL", "what it does; of no effect: what holds instead"},
    {0},
};
const struct system_table system_options = {
    "sys", "options", "keys of the configuration, and what they are in this session", options_columns, options_rows};

/* --- modules ----------------------------------------------------------------------------------------------------- */
static void modules_rows(struct system_rows *rows)
{
    const struct sql_session *s = session_of(rows);
    const bool is_there[] = {!s->functions.has_no_core, s->has_state_module};
    static const char *const names[] = {"core", "state"};

    for (uint32_t i = 0; i < COUNT_OF(names); i++) {
        if (!is_there[i]) continue;
        const char **row = system_row_add(rows);
        row[0] = names[i];
        row[1] = "TRUE";
    }
}

static const struct system_column modules_columns[] = {
    {"module_name", "STRING NOT NULL", "of LOAD MODULE"},
    {"is_used", "BOOLEAN NOT NULL", "do calls find its functions?"},
    {0},
};
const struct system_table system_modules = {"sys", "modules", "sets of functions that are loaded", modules_columns,
                                            modules_rows};

/* --- statistics -------------------------------------------------------------------------------------------------- */
static const char **statistics_row(struct system_rows *rows, const struct table *t, const struct table_statistics *s)
{
    const char **row = system_row_add(rows);

    row[0] = rows->catalog;
    row[1] = arena_strdup(rows->a, t->database);
    row[2] = arena_strdup(rows->a, t->name);
    if (s->partition[0] != '\0') row[3] = arena_strdup(rows->a, s->partition);
    row[5] = system_number(rows, s->row_count);
    return row;
}

static void add_statistics(void *arg, const struct table *t, const struct table_statistics *s)
{
    struct system_rows *rows = arg;

    (void)statistics_row(rows, t, s);
    for (uint32_t i = 0; i < s->column_count; i++) {
        const struct column_statistics *c = &s->columns[i];
        const char **row = statistics_row(rows, t, s);
        row[4] = arena_strdup(rows->a, c->name);
        row[6] = system_number(rows, c->null_count);
        if (c->distinct_count >= 0) row[7] = system_number(rows, c->distinct_count);
        row[8] = c->min != NULL ? arena_strdup(rows->a, c->min) : NULL;
        row[9] = c->max != NULL ? arena_strdup(rows->a, c->max) : NULL;
        if (c->average_length >= 0) row[10] = arena_printf(rows->a, "%.17g", c->average_length);
        if (c->max_length >= 0) row[11] = system_number(rows, c->max_length);
    }
}

static void visit_table(void *arg, const struct table *t)
{
    struct system_rows *rows = arg;

    if (t->view == NULL) catalogs_each_statistics(session_of(rows)->catalogs, t, add_statistics, rows);
}

static void visit_database(void *arg, const char *name)
{
    struct system_rows *rows = arg;
    struct err none = {0};
    enum status st = catalogs_each(session_of(rows)->catalogs,
                                   (struct object_name){.catalog = rows->catalog, .name = name}, visit_table, rows,
                                   &none);

    ASSERT(st == S_OK); /* it was listed just now */
}

static void statistics_rows(struct system_rows *rows)
{
    struct err none = {0};
    enum status st = catalogs_each_database(session_of(rows)->catalogs, rows->catalog, visit_database, rows, &none);

    ASSERT(st == S_OK); /* its table was found */
}

static const struct system_column statistics_columns[] = {
    {"table_catalog", "STRING NOT NULL", "the catalog"},
    {"table_schema", "STRING NOT NULL", "the database"},
    {"table_name", "STRING NOT NULL", "the table's name"},
    {"partition_name", "STRING", "of a partition; NULL: the whole table"},
    {"column_name", "STRING", "of a column; NULL: the rows as a whole"},
    {"row_count", "BIGINT NOT NULL", "rows"},
    {"null_count", "BIGINT", "of them NULL in that column"},
    {"distinct_count", "BIGINT", "different values, NULL not counted"},
    {"min_value", "STRING", "the least one, as text"},
    {"max_value", "STRING", "the greatest one, as text"},
    {"average_length", "DOUBLE", "of texts"},
    {"max_length", "BIGINT", "the same"},
    {0},
};
const struct system_table system_statistics = {"sys", "statistics", "what ANALYZE TABLE found", statistics_columns,
                                               statistics_rows};
