/* system_information.c - information_schema: databases, tables, columns and views of the catalog whose schema is read. Columns are
 * those of the SQL standard in its order, then some of Flink's tables. */
#include "surface/sql/system_tables.h"

#include "ground/base/str.h"
#include "surface/sql/session_internal.h"

#include <string.h>

const struct system_table *const system_tables[] = {&system_schemata,  &system_information_tables,
                                                    &system_columns,   &system_views,
                                                    &system_functions, &system_options,
                                                    &system_modules,   &system_statistics,
                                                    &system_jobs,      &system_operators,
                                                    &system_metrics,   NULL};

const char *system_number(struct system_rows *rows, int64_t n) { return arena_printf(rows->a, "%lld", (long long)n); }

static struct catalogs *catalogs_of(const struct system_rows *rows)
{
    return ((struct sql_session *)rows->arg)->catalogs;
}

/* --- databases --------------------------------------------------------------------------------------------------- */
static void add_schema(void *arg, const char *name)
{
    struct system_rows *rows = arg;
    const char **row = system_row_add(rows);
    struct err none = {0};
    const struct space *said = catalogs_database(catalogs_of(rows),
                                                 (struct object_name){.catalog = rows->catalog, .name = name}, &none);

    row[0] = rows->catalog;
    row[1] = arena_strdup(rows->a, name);
    row[3] = "UTF8";
    row[4] = said != NULL && said->comment != NULL ? arena_strdup(rows->a, said->comment) : NULL;
}

static void schemata_rows(struct system_rows *rows)
{
    struct err none = {0};

    if (catalogs_each_database(catalogs_of(rows), rows->catalog, add_schema, rows, &none) != S_OK) return;
    add_schema(rows, "information_schema");
    add_schema(rows, "sys");
}

static const struct system_column schemata_columns[] = {
    {"catalog_name", "STRING NOT NULL", "the catalog"},  {"schema_name", "STRING NOT NULL", "the database"},
    {"schema_owner", "STRING", "NULL: nobody owns one"}, {"default_character_set_name", "STRING NOT NULL", "UTF8"},
    {"schema_comment", "STRING", "of CREATE DATABASE"},         {0},
};
const struct system_table system_schemata = {"information_schema", "schemata", "databases of the catalog",
                                             schemata_columns, schemata_rows};

/* --- tables ------------------------------------------------------------------------------------------------------ */
/* Calls fn for the tables of all databases, then for the system tables. */
struct visit {
    struct system_rows *rows;
    void (*fn)(struct system_rows *rows, const struct table *t);
};

static void visit_table(void *arg, const struct table *t)
{
    struct visit *v = arg;

    v->fn(v->rows, t);
}

static void visit_database(void *arg, const char *name)
{
    struct visit *v = arg;
    struct err none = {0};
    struct object_name database = {.catalog = v->rows->catalog, .name = name};
    enum status st = catalogs_each(catalogs_of(v->rows), database, visit_table, v, &none);

    ASSERT(st == S_OK); /* it was listed just now */
}

static void visit_all(struct system_rows *rows, void (*fn)(struct system_rows *rows, const struct table *t))
{
    struct visit v = {rows, fn};
    struct system_tables all = {rows->arg, system_tables, NULL};
    struct err none = {0};

    if (catalogs_each_database(catalogs_of(rows), rows->catalog, visit_database, &v, &none) != S_OK) return;
    for (uint32_t i = 0; system_tables[i] != NULL; i++)
        fn(rows, system_table_open(&all, system_tables[i], rows->catalog, rows->a));
}

static void name_cells(struct system_rows *rows, const struct table *t, const char **row)
{
    row[0] = rows->catalog;
    row[1] = arena_strdup(rows->a, t->database);
    row[2] = arena_strdup(rows->a, t->name);
}

static const char *kind_of(const struct table *t)
{
    if (t->system != NULL) return "SYSTEM VIEW";
    if (t->view != NULL) return t->is_temporary ? "LOCAL TEMPORARY VIEW" : "VIEW";
    return t->is_temporary ? "LOCAL TEMPORARY" : "BASE TABLE";
}

static void take_row_count(void *arg, const struct table *t, const struct table_statistics *s)
{
    int64_t *count = arg;

    (void)t;
    if (s->partition[0] == '\0') *count = s->row_count;
}

static void table_row(struct system_rows *rows, const struct table *t)
{
    const char **row = system_row_add(rows), *connector = table_option(t, "connector");
    int64_t count = -1;

    if (t->view == NULL && t->system == NULL) catalogs_each_statistics(catalogs_of(rows), t, take_row_count, &count);
    name_cells(rows, t, row);
    row[3] = kind_of(t);
    row[4] = t->view == NULL && t->system == NULL ? "YES" : "NO";
    row[5] = connector != NULL ? arena_strdup(rows->a, connector) : NULL;
    row[6] = t->comment != NULL ? arena_strdup(rows->a, t->comment) : NULL;
    row[7] = count >= 0 ? system_number(rows, count) : NULL;
}

static void tables_rows(struct system_rows *rows) { visit_all(rows, table_row); }

static const struct system_column tables_columns[] = {
    {"table_catalog", "STRING NOT NULL", "the catalog"},
    {"table_schema", "STRING NOT NULL", "the database"},
    {"table_name", "STRING NOT NULL", "the table's or view's name"},
    {"table_type", "STRING NOT NULL", "BASE TABLE, VIEW, LOCAL TEMPORARY, LOCAL TEMPORARY VIEW, SYSTEM VIEW"},
    {"is_insertable_into", "STRING NOT NULL", "YES: INSERT may write it, if its connector can"},
    {"connector", "STRING", "of its WITH clause"},
    {"table_comment", "STRING", "of CREATE"},
    {"row_count", "BIGINT", "what ANALYZE TABLE found last"},
    {0},
};
const struct system_table system_information_tables = {
    "information_schema", "tables", "tables and views of the catalog, these too", tables_columns, tables_rows};

/* --- columns ----------------------------------------------------------------------------------------------------- */
static const char *plain_type(struct system_rows *rows, const struct type *t)
{
    struct type plain = *t;

    plain.nullable = true;
    plain.time_kind = TIME_NONE;
    return type_text(rows->a, &plain);
}

/* Of numbers: how many digits, of which base, and how many of them behind the point. */
static void number_cells(struct system_rows *rows, const struct type *t, const char **row)
{
    static const struct {
        uint8_t kind, digits, base;
    } numbers[] = {{T_TINYINT, 8, 2}, {T_SMALLINT, 16, 2}, {T_INT, 32, 2},
                   {T_BIGINT, 64, 2}, {T_FLOAT, 24, 2},    {T_DOUBLE, 53, 2}};

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (numbers[i].kind != t->kind) continue;
        row[9] = system_number(rows, numbers[i].digits);
        row[10] = system_number(rows, numbers[i].base);
        if (t->kind != T_FLOAT && t->kind != T_DOUBLE) row[11] = "0";
    }
    if (t->kind != T_DECIMAL) return;
    row[9] = system_number(rows, t->precision);
    row[10] = "10";
    row[11] = system_number(rows, t->scale);
}

static void type_cells(struct system_rows *rows, const struct type *t, const char **row)
{
    row[6] = t->nullable ? "YES" : "NO";
    row[7] = plain_type(rows, t);
    number_cells(rows, t, row);
    if (t->phys == P_STR && (type_is_string(t) || t->kind == T_BINARY || t->kind == T_VARBINARY))
        row[8] = system_number(rows, t->precision);
    if (t->kind == T_TIME || t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ)
        row[12] = system_number(rows, t->precision);
    if (t->kind == T_DATE) row[12] = "0";
}

static void column_row(struct system_rows *rows, const struct table *t, uint32_t i)
{
    const char **row = system_row_add(rows);
    const struct table_column *c = t->view == NULL ? &t->columns[i] : NULL; /* a view's are only a row */

    name_cells(rows, t, row);
    row[3] = arena_strdup(rows->a, t->row->names[i]);
    row[4] = system_number(rows, i + 1);
    type_cells(rows, t->row->children[i], row);
    row[13] = c != NULL && c->kind == TABLE_COMPUTED ? "ALWAYS" : "NEVER";
    if (c != NULL && c->expression != NULL) row[14] = arena_strdup(rows->a, c->expression);
    if (c != NULL && c->kind == TABLE_METADATA)
        row[15] = arena_strdup(rows->a, c->metadata_key != NULL ? c->metadata_key : c->name);
    if (t->watermark != NULL && strcmp(t->watermark_column, t->row->names[i]) == 0)
        row[16] = arena_strdup(rows->a, t->watermark);
    for (uint32_t k = 0; k < t->key_count; k++)
        if (strcmp(t->key[k], t->row->names[i]) == 0) row[17] = system_number(rows, k + 1);
    if (c != NULL && c->comment != NULL) row[18] = arena_strdup(rows->a, c->comment);
}

static void column_rows(struct system_rows *rows, const struct table *t)
{
    for (uint32_t i = 0; i < t->row->child_count; i++) column_row(rows, t, i);
}

static void columns_rows(struct system_rows *rows) { visit_all(rows, column_rows); }

static const struct system_column columns_columns[] = {
    {"table_catalog", "STRING NOT NULL", "the catalog"},
    {"table_schema", "STRING NOT NULL", "the database"},
    {"table_name", "STRING NOT NULL", "the table's or view's name"},
    {"column_name", "STRING NOT NULL", "the column's name"},
    {"ordinal_position", "INT NOT NULL", "from 1"},
    {"column_default", "STRING", "NULL: columns have no defaults"},
    {"is_nullable", "STRING NOT NULL", "YES or NO"},
    {"data_type", "STRING NOT NULL", "the type, without NOT NULL"},
    {"character_maximum_length", "INT", "of texts and bytes"},
    {"numeric_precision", "INT", "of numbers: how many digits"},
    {"numeric_precision_radix", "INT", "digits of base 2 or 10"},
    {"numeric_scale", "INT", "digits behind the point"},
    {"datetime_precision", "INT", "of times: digits of a second's fraction"},
    {"is_generated", "STRING NOT NULL", "ALWAYS: computed; NEVER"},
    {"generation_expression", "STRING", "of a computed column"},
    {"metadata_key", "STRING", "of a metadata column: what its connector calls it"},
    {"watermark_expression", "STRING", "of the column of event time: its watermark"},
    {"key_position", "INT", "within the primary key, from 1"},
    {"column_comment", "STRING", "of the column"},
    {0},
};
const struct system_table system_columns = {
    "information_schema", "columns", "columns of the tables and views of the catalog", columns_columns, columns_rows};

/* --- views ------------------------------------------------------------------------------------------------------- */
static void view_row(struct system_rows *rows, const struct table *t)
{
    if (t->view == NULL) return;
    const char **row = system_row_add(rows);
    name_cells(rows, t, row);
    row[3] = arena_strdup(rows->a, t->view);
    row[4] = "NONE";
    row[5] = row[6] = "NO";
}

static void views_rows(struct system_rows *rows) { visit_all(rows, view_row); }

static const struct system_column views_columns[] = {
    {"table_catalog", "STRING NOT NULL", "the catalog"},  {"table_schema", "STRING NOT NULL", "the database"},
    {"table_name", "STRING NOT NULL", "the view's name"}, {"view_definition", "STRING NOT NULL", "the query"},
    {"check_option", "STRING NOT NULL", "NONE"},          {"is_updatable", "STRING NOT NULL", "NO"},
    {"is_insertable_into", "STRING NOT NULL", "NO"},      {0},
};
const struct system_table system_views = {"information_schema", "views", "views of the catalog", views_columns,
                                          views_rows};
