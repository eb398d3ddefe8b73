/* sql_function.c - the list of all that SQL calls: the families' tables and the aggregates, and a table of what only the binder knows.
 *
 * The table tells names, words and examples; what they mean is elsewhere: branches in bind_expr.c, functions of windows in
 * bind_over.c, of tables in bind_window.c, GROUPING in bind_group.c, parts of windows in bind_group_window.c. Examples of windows read
 * the table `events`, whose text stands here too. */
#include "language/sql/sql_function.h"

#include "ground/base/str.h"

#include <string.h>

const char *const sql_function_example_table =
    "CREATE TEMPORARY TABLE events (id BIGINT, ts AS TO_TIMESTAMP(FROM_UNIXTIME(id * 300)), WATERMARK FOR ts AS ts)\n"
    "WITH ('connector' = 'datagen', 'number-of-rows' = '4',\n"
    "  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '4')";

#define WINDOW_TVF(call, more)                                                                                         \
    "SELECT window_start, window_end, COUNT(*) AS n" more " FROM " call " GROUP BY window_start, window_end"

const struct sql_form sql_forms[] = {
    {"$SUM0", SQL_AGGREGATE, "`$SUM0`([DISTINCT] number)", "as SUM, but 0 over no values",
     "SELECT `$SUM0`(x) FROM (VALUES 1, 2) AS t (x) WHERE x > 5", "0"},
    {"AND", SQL_FORM, "a AND b",
     "TRUE when both are, FALSE when one is; else NULL. What is behind a FALSE is not evaluated",
     "SELECT TRUE AND NULL IS NULL", "TRUE"},
    {"APPROX_COUNT_DISTINCT", SQL_AGGREGATE, "APPROX_COUNT_DISTINCT(value)",
     "how many different values; in batch mode only. It counts exactly",
     "SELECT APPROX_COUNT_DISTINCT(x) FROM (VALUES 1, 2, 2) AS t (x)", "2"},
    {"BETWEEN", SQL_FORM, "a [NOT] BETWEEN [ASYMMETRIC | SYMMETRIC] b AND c",
     "b <= a AND a <= c; SYMMETRIC: whichever of b and c is less",
     "SELECT 2 BETWEEN 1 AND 3, 2 BETWEEN SYMMETRIC 3 AND 1", "TRUE | TRUE"},
    {"CASE", SQL_FORM,
     "CASE WHEN condition THEN value [...] [ELSE value] END, CASE value WHEN value THEN value [...] [ELSE value] END",
     "the value behind the first condition that is TRUE; NULL when none is and there is no ELSE. Others are not "
     "evaluated",
     "SELECT CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END, CASE 2 WHEN 2 THEN 'two' END", "b | two"},
    {"COALESCE", SQL_SCALAR, "COALESCE(value, ...)",
     "the first value that is not NULL; those behind it are not evaluated", "SELECT COALESCE(NULL, 2, 1 / 0)", "2"},
    {"CUME_DIST", SQL_WINDOW, "CUME_DIST() OVER (PARTITION BY ... ORDER BY ...)",
     "the part of the rows that are not behind this one; in batch mode only", NULL, NULL},
    {"CUMULATE", SQL_TABLE, "CUMULATE(TABLE t, DESCRIPTOR(time), step, size[, offset])",
     "each row once per window that it lies in; windows of one start grow by a step up to the size",
     WINDOW_TVF("CUMULATE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' MINUTES, INTERVAL '20' MINUTES)", ""),
     "1970-01-01 00:00:00.000 | 1970-01-01 00:10:00.000 | 1; 1970-01-01 00:00:00.000 | 1970-01-01 00:20:00.000 | 3; "
     "1970-01-01 00:20:00.000 | 1970-01-01 00:30:00.000 | 1; 1970-01-01 00:20:00.000 | 1970-01-01 00:40:00.000 | 1"},
    {"DENSE_RANK", SQL_WINDOW, "DENSE_RANK() OVER (PARTITION BY ... ORDER BY ...)",
     "the place of the row; equal rows share one, and none is left out",
     "SELECT x, DENSE_RANK() OVER (ORDER BY x) AS n FROM (VALUES 7, 8) AS t (x)", "7 | 1; 8 | 2"},
    {"EXISTS", SQL_FORM, "EXISTS (SELECT ...)", "whether the query has a row",
     "SELECT x FROM (VALUES 1, 2) AS t (x) WHERE EXISTS (SELECT 1 FROM (VALUES 2) AS u (y) WHERE y = x)", "2"},
    {"GROUPING", SQL_GROUP, "GROUPING(key, ...)",
     "bits that say which of the keys are not in the row's grouping set; the last key is the lowest bit",
     "SELECT x, GROUPING(x) FROM (VALUES 1) AS t (x) GROUP BY ROLLUP (x) HAVING x IS NULL", "NULL | 1"},
    {"GROUPING_ID", SQL_GROUP, "GROUPING_ID(key, ...)", "the same as GROUPING",
     "SELECT x, GROUPING_ID(x) FROM (VALUES 1) AS t (x) GROUP BY ROLLUP (x) HAVING x = 1", "1 | 0"},
    {"GROUP_ID", SQL_GROUP, "GROUP_ID()", "tells equal grouping sets apart: 0",
     "SELECT x, GROUP_ID() FROM (VALUES 1) AS t (x) GROUP BY x", "1 | 0"},
    {"HOP", SQL_TABLE, "HOP(TABLE t, DESCRIPTOR(time), slide, size[, offset])",
     "each row once per window that it lies in; windows of one size begin at every slide",
     WINDOW_TVF("HOP(TABLE events, DESCRIPTOR(ts), INTERVAL '10' MINUTES, INTERVAL '20' MINUTES)",
                "") " HAVING COUNT(*) > 2",
     "1970-01-01 00:00:00.000 | 1970-01-01 00:20:00.000 | 3; 1970-01-01 00:10:00.000 | 1970-01-01 00:30:00.000 | 3"},
    {"HOP_END", SQL_GROUP, "HOP_END(time, slide, size)",
     "where the window of GROUP BY HOP(...) ends; HOP_START, HOP_ROWTIME and HOP_PROCTIME are there, too",
     "SELECT HOP_END(ts, INTERVAL '10' MINUTES, INTERVAL '20' MINUTES), COUNT(*) FROM events GROUP BY HOP(ts, INTERVAL "
     "'10' MINUTES, INTERVAL '20' MINUTES) HAVING COUNT(*) = 3",
     "1970-01-01 00:20:00.000 | 3; 1970-01-01 00:30:00.000 | 3"},
    {"IF", SQL_SCALAR, "IF(condition, value, value)",
     "the first value when the condition is TRUE, else the second; the other is not evaluated",
     "SELECT IF(1 < 2, 'yes', 'no')", "yes"},
    {"IFNULL", SQL_SCALAR, "IFNULL(value, value)", "the first value, or the second where it is NULL",
     "SELECT IFNULL(NULLIF(1, 1), 7)", "7"},
    {"IN", SQL_FORM, "a [NOT] IN (b, ...), a [NOT] IN (SELECT ...)",
     "whether one of them is equal; NULL when none is and one of them is NULL",
     "SELECT 2 IN (1, 2), 3 NOT IN (SELECT x FROM (VALUES 1, 2) AS t (x))", "TRUE | TRUE"},
    {"JSON", SQL_SCALAR, "JSON(text)", "text that is JSON already, inside of JSON_ARRAY and JSON_OBJECT",
     "SELECT JSON_ARRAY(JSON('{\"a\": 1}'))", "[{\"a\":1}]"},
    {"LAG", SQL_WINDOW, "LAG(value[, offset[, default]]) OVER (PARTITION BY ... ORDER BY time)",
     "the value of a row so many before; the default, or NULL, when there is none",
     "SELECT id, LAG(id, 1, CAST(0 AS BIGINT)) OVER (ORDER BY ts) AS l FROM events", "1 | 0; 2 | 1; 3 | 2; 4 | 3"},
    {"LEAD", SQL_WINDOW, "LEAD(value[, offset[, default]]) OVER (PARTITION BY ... ORDER BY ...)",
     "the value of a row so many behind; in batch mode only", NULL, NULL},
    {"NTILE", SQL_WINDOW, "NTILE(count) OVER (PARTITION BY ... ORDER BY ...)",
     "which of so many parts of equal size the row is in; in batch mode only", NULL, NULL},
    {"NULLIF", SQL_SCALAR, "NULLIF(value, value)", "NULL when they are equal, else the first",
     "SELECT NULLIF(1, 1), NULLIF(1, 2)", "NULL | 1"},
    {"OR", SQL_FORM, "a OR b",
     "TRUE when one is, FALSE when both are; else NULL. What is behind a TRUE is not evaluated",
     "SELECT TRUE OR 1 / 0 > 1", "TRUE"},
    {"OVERLAPS", SQL_FORM, "(time, time) OVERLAPS (time, time), (time, interval) OVERLAPS (time, interval)",
     "whether the two periods have a time in common",
     "SELECT (DATE '2020-01-01', DATE '2020-01-03') OVERLAPS (DATE '2020-01-02', INTERVAL '3' DAY)", "TRUE"},
    {"PERCENT_RANK", SQL_WINDOW, "PERCENT_RANK() OVER (PARTITION BY ... ORDER BY ...)",
     "(rank - 1) / (rows - 1); in batch mode only", NULL, NULL},
    {"RANK", SQL_WINDOW, "RANK() OVER (PARTITION BY ... ORDER BY ...)",
     "the place of the row; equal rows share one, and as many are left out behind them",
     "SELECT x, RANK() OVER (ORDER BY x) AS n FROM (VALUES 7, 8) AS t (x)", "7 | 1; 8 | 2"},
    {"ROW_NUMBER", SQL_WINDOW, "ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...)",
     "the place of the row, each its own; with a condition on it a Top-N",
     "SELECT x, n FROM (SELECT x, ROW_NUMBER() OVER (ORDER BY x DESC) AS n FROM (VALUES 7, 8, 9) AS t (x)) WHERE n <= "
     "2",
     "8 | 2; 9 | 1"},
    {"SESSION", SQL_TABLE, "SESSION(TABLE t [PARTITION BY key, ...], DESCRIPTOR(time), gap)",
     "each row with the window of its session, which ends when no row comes for so long",
     WINDOW_TVF("SESSION(TABLE events, DESCRIPTOR(ts), INTERVAL '6' MINUTES)", ""),
     "1970-01-01 00:05:00.000 | 1970-01-01 00:26:00.000 | 4"},
    {"SESSION_END", SQL_GROUP, "SESSION_END(time, gap)",
     "where the session of GROUP BY SESSION(...) ends; SESSION_START, SESSION_ROWTIME and SESSION_PROCTIME are there, "
     "too",
     "SELECT SESSION_END(ts, INTERVAL '6' MINUTES), COUNT(*) FROM events GROUP BY SESSION(ts, INTERVAL '6' MINUTES)",
     "1970-01-01 00:26:00.000 | 4"},
    {"SOURCE_WATERMARK", SQL_SCALAR, "WATERMARK FOR time AS SOURCE_WATERMARK()",
     "in CREATE TABLE only: the watermarks that the connector brings", NULL, NULL},
    {"TRY_CAST", SQL_SCALAR, "TRY_CAST(value AS type)", "as CAST, but NULL where that fails",
     "SELECT TRY_CAST('12' AS INT), TRY_CAST('x' AS INT)", "12 | NULL"},
    {"TUMBLE", SQL_TABLE, "TUMBLE(TABLE t, DESCRIPTOR(time), size[, offset])",
     "each row with the window that it lies in; windows of one size follow each other",
     WINDOW_TVF("TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' MINUTES)", ""),
     "1970-01-01 00:00:00.000 | 1970-01-01 00:10:00.000 | 1; 1970-01-01 00:10:00.000 | 1970-01-01 00:20:00.000 | 2; "
     "1970-01-01 00:20:00.000 | 1970-01-01 00:30:00.000 | 1"},
    {"TUMBLE_END", SQL_GROUP, "TUMBLE_END(time, size)",
     "where the window of GROUP BY TUMBLE(...) ends; TUMBLE_ROWTIME and TUMBLE_PROCTIME are its last time",
     "SELECT TUMBLE_END(ts, INTERVAL '1' HOUR), TUMBLE_ROWTIME(ts, INTERVAL '1' HOUR), COUNT(*) FROM events GROUP BY "
     "TUMBLE(ts, INTERVAL '1' HOUR)",
     "1970-01-01 01:00:00.000 | 1970-01-01 00:59:59.999 | 4"},
    {"TUMBLE_START", SQL_GROUP, "TUMBLE_START(time, size)", "where the window of GROUP BY TUMBLE(...) begins",
     "SELECT TUMBLE_START(ts, INTERVAL '1' HOUR), COUNT(*) FROM events GROUP BY TUMBLE(ts, INTERVAL '1' HOUR)",
     "1970-01-01 00:00:00.000 | 4"},
    {"UNNEST", SQL_TABLE, "UNNEST(list) [WITH ORDINALITY]", "a row per element of an ARRAY, MAP or MULTISET",
     "SELECT x, n FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS t (x, n)", "a | 1; b | 2"},
    {0},
};

const char *sql_function_kind_name(uint8_t kind)
{
    static const char *const names[] = {
        [SQL_SCALAR] = "SCALAR", [SQL_AGGREGATE] = "AGGREGATE", [SQL_WINDOW] = "AGGREGATE",
        [SQL_TABLE] = "TABLE",   [SQL_GROUP] = "OTHER",         [SQL_FORM] = "SCALAR"};
    return names[kind];
}

/* --- all of them --------------------------------------------------------------------------------------------------------- */
/* Operators are not called, and what begins with $ is not for users, but for the one in the table above. */
static bool is_callable(const char *name) { return name[0] >= 'A' && name[0] <= 'Z' && strchr(name, ' ') == NULL; }

static const char *in_capitals(const char *name, size_t size, char *out)
{
    ASSERT(size < SQL_FUNCTION_NAME_SIZE);
    for (size_t i = 0; i < size; i++) out[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    out[size] = '\0';
    return out;
}

static void each_def(const struct fn_def *d, void (*take)(void *arg, const struct sql_function *f), void *arg)
{
    struct str rest = str_of(d->aliases), one;
    char name[SQL_FUNCTION_NAME_SIZE];
    struct sql_function f = {.name = d->name, .kind = SQL_SCALAR, .def = d};

    if (d->flags & FN_SYNTAX) return;
    if (is_callable(d->name)) take(arg, &f);
    f.name = name;
    while (str_cut(&rest, ',', &one)) {
        one = str_trim(one);
        in_capitals(one.data, one.size, name);
        if (is_callable(name)) take(arg, &f);
    }
}

void sql_functions_each(void (*take)(void *arg, const struct sql_function *f), void *arg)
{
    char name[SQL_FUNCTION_NAME_SIZE];

    for (const struct fn_type *const *t = fn_types; *t != NULL; t++)
        for (const struct fn_def *d = (*t)->functions; d->name != NULL; d++) each_def(d, take, arg);
    for (const struct agg_type *const *t = agg_types; *t != NULL; t++)
        take(arg, &(struct sql_function){
                      .name = in_capitals((*t)->name, strlen((*t)->name), name), .kind = SQL_AGGREGATE, .agg = *t});
    for (const struct sql_form *x = sql_forms; x->name != NULL; x++)
        if (x->kind != SQL_FORM) take(arg, &(struct sql_function){.name = x->name, .kind = x->kind, .form = x});
}

struct search {
    struct str name;
    struct sql_function *out;
    bool found;
};

static void compare(void *arg, const struct sql_function *f)
{
    struct search *s = arg;

    if (s->found || !str_equal_nocase(s->name, str_of(f->name))) return;
    s->found = true;
    *s->out = *f;
    s->out->name = f->def != NULL   ? f->def->name
                   : f->agg != NULL ? f->agg->name
                                    : f->form->name; /* which lasts; of an alias the name */
}

bool sql_function_find(struct str name, struct sql_function *out)
{
    struct search s = {.name = name, .out = out};

    sql_functions_each(compare, &s);
    return s.found;
}

struct nearest {
    char name[SQL_FUNCTION_NAME_SIZE], best[SQL_FUNCTION_NAME_SIZE];
};

static void come_nearer(void *arg, const struct sql_function *f)
{
    struct nearest *n = arg;
    bool has_best = n->best[0] != '\0';
    const char *pair[2] = {has_best ? n->best : f->name, f->name};

    if (str_nearest(str_of(n->name), pair, 2) == has_best) in_capitals(f->name, strlen(f->name), n->best);
}

bool sql_function_nearest(struct str name, char out[static SQL_FUNCTION_NAME_SIZE])
{
    struct nearest n = {0};

    if (name.size >= sizeof n.name) return false;
    in_capitals(name.data, name.size, n.name);
    sql_functions_each(come_nearer, &n);
    memcpy(out, n.best, sizeof n.best);
    return n.best[0] != '\0';
}

const char *sql_function_usage(const struct sql_function *f)
{
    return f->form != NULL ? f->form->usage : f->agg != NULL ? f->agg->usage : f->def->usage;
}

/* A name ends at '*' where only its beginning counts. */
const char *sql_function_later(struct str name)
{
    static const char models[] = "a function in C can ask a model: CREATE FUNCTION f AS 'symbol' LANGUAGE C USING ARTIFACT 'lib.so'";
    static const char bitmaps[] = "COUNT(DISTINCT x) counts without bitmaps, ARRAY_AGG(DISTINCT x) keeps the numbers";
    static const char changes[] = "the option 'changelog-mode' of a table, or a format such as 'debezium-json', says which changes its rows are";
    static const char *const later[][2] = {
        {"ML_*", models},
        {"VECTOR_SEARCH", models},
        {"BITMAP_*", bitmaps},
        {"PARSE_JSON", "JSON_VALUE and JSON_QUERY read a JSON text"},
        {"TRY_PARSE_JSON", "JSON_VALUE and JSON_QUERY read a JSON text"},
        {"OBJECT_OF", "ROW(...) makes a row"},
        {"OBJECT_UPDATE", "ROW(...) makes a row"},
        {"FROM_CHANGELOG", changes},
        {"TO_CHANGELOG", changes},
    };

    for (size_t i = 0; i < COUNT_OF(later); i++) {
        struct str is = str_of(later[i][0]);
        bool is_begin = is.data[is.size - 1] == '*';
        is.size -= is_begin;
        struct str head = {name.data, is_begin ? MIN(name.size, is.size) : name.size};
        if (str_equal_nocase(head, is)) return later[i][1];
    }
    return NULL;
}

const char *sql_function_elsewhere(struct str name)
{
    static const char *const others[][2] = {
        {"DATEDIFF", "TIMESTAMPDIFF(DAY, first, last)"},
        {"DATEADD", "TIMESTAMPADD(DAY, 1, time), or time + INTERVAL '1' DAY"},
        {"DATE_ADD", "date + INTERVAL '1' DAY"},
        {"DATE_SUB", "date - INTERVAL '1' DAY"},
        {"NVL", "IFNULL(x, otherwise), or COALESCE"},
        {"ISNULL", "x IS NULL, or IFNULL(x, otherwise)"},
        {"TO_CHAR", "DATE_FORMAT(time, 'yyyy-MM-dd'), or CAST(x AS STRING)"},
        {"TO_NUMBER", "CAST(x AS DECIMAL(10, 2))"},
        {"CONVERT", "CAST(x AS type)"},
        {"GETDATE", "NOW()"},
        {"CURDATE", "CURRENT_DATE"},
        {"LEN", "CHAR_LENGTH(text)"},
        {"STRING_AGG", "LISTAGG(text, separator)"},
        {"GROUP_CONCAT", "LISTAGG(text, separator)"},
        {"IIF", "IF(condition, x, y)"},
        {"DATE_TRUNC", "FLOOR(time TO DAY)"},
        {"GENERATE_SERIES", "VALUES, or a table of the connector 'sequence'"},
    };

    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (str_equal_nocase(name, str_of(others[i][0]))) return others[i][1];
    return NULL;
}
