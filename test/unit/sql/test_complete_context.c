/* test_complete_context.c - what may stand at the cursor, marked | in the statements here. */
#include "surface/sql/complete_context.h"

#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct complete_context at(const char *statement)
{
    const char *cursor = strchr(statement, '|');
    struct complete_context c;

    assert_non_null(cursor);
    complete_context_of((struct str){statement, (size_t)(cursor - statement)}, str_of(cursor + 1), &c);
    return c;
}

static void places(void **state)
{
    static const struct {
        const char *statement;
        enum complete_place place;
        const char *word;
    } cases[] = {
        {"|", COMPLETE_BEGIN, ""},
        {"SEL|", COMPLETE_BEGIN, "SEL"},
        {"SELECT 1; SEL|", COMPLETE_BEGIN, "SEL"},
        {"-- from here\n  ins|", COMPLETE_BEGIN, "ins"},
        {"SELECT cou|", COMPLETE_EXPRESSION, "cou"},
        {"SELECT cou|nt(", COMPLETE_EXPRESSION, "cou"},
        {"SELECT a FROM |", COMPLETE_TABLE, ""},
        {"SELECT a from cl|", COMPLETE_TABLE, "cl"},
        {"SELECT a FROM x, y|", COMPLETE_TABLE, "y"},
        {"SELECT a FROM x, (SELECT b, |", COMPLETE_EXPRESSION, ""},
        {"SELECT a FROM x, (SELECT b FROM y), |", COMPLETE_TABLE, ""},
        {"SELECT a FROM x JOIN |", COMPLETE_TABLE, ""},
        {"SELECT a FROM x WHERE b, |", COMPLETE_EXPRESSION, ""},
        {"SELECT a FROM db.|", COMPLETE_TABLE, ""},
        {"INSERT INTO |", COMPLETE_TABLE, ""},
        {"DESCRIBE c|", COMPLETE_TABLE, "c"},
        {"SELECT a FROM x ORDER BY a DESC l|", COMPLETE_EXPRESSION, "l"},
        {"USE |", COMPLETE_DATABASE, ""},
        {"USE CATALOG c|", COMPLETE_CATALOG, "c"},
        {"SELECT o.|", COMPLETE_MEMBER, ""},
        {"SELECT `o`.am| FROM orders AS o", COMPLETE_MEMBER, "am"},
        {"CREATE TABLE t (a INT) WITH ('conn|", COMPLETE_KEY, "conn"},
        {"CREATE TABLE t (a INT) WITH ('connector' = 'fi|", COMPLETE_VALUE, "fi"},
        {"CREATE TABLE t (a INT) WITH ('connector'='datagen', '|", COMPLETE_KEY, ""},
        {"SELECT a FROM t /*+ OPTIONS('rows|", COMPLETE_KEY, "rows"},
        {"SELECT 'a|", COMPLETE_NOTHING, "a"},
        {"SELECT 'it''s', 'a|", COMPLETE_NOTHING, "a"},
        {"SELECT `a|", COMPLETE_NOTHING, "a"},
        {"SET 'table.|", COMPLETE_SETTING, "table."},
        {"RESET '|", COMPLETE_SETTING, ""},
        {"SET 'a.b' = '|", COMPLETE_SET_VALUE, ""},
        {"CREATE TABLE t (a INT) WITH ('a' = 'b') |", COMPLETE_EXPRESSION, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct complete_context c = at(cases[i].statement);
        if (c.place != cases[i].place || !str_equal(c.word, str_of(cases[i].word)))
            fail_msg("%s: place %d, word '%.*s'", cases[i].statement, c.place, (int)c.word.size, c.word.data);
    }
}

/* "orders=o db.t" */
static const char *tables(const char *statement, char *out)
{
    struct complete_context c = at(statement);

    out[0] = '\0';
    for (uint32_t i = 0; i < c.table_count; i++) {
        const struct complete_table *t = &c.tables[i];
        for (uint32_t k = 0; k < t->part_count; k++)
            sprintf(out + strlen(out), "%s%.*s",
                    k > 0   ? "."
                    : i > 0 ? " "
                            : "",
                    (int)t->parts[k].size, t->parts[k].data);
        if (t->alias.size > 0) sprintf(out + strlen(out), "=%.*s", (int)t->alias.size, t->alias.data);
    }
    return out;
}

static void named_tables(void **state)
{
    char out[256];

    (void)state;
    assert_string_equal(tables("SELECT |", out), "");
    assert_string_equal(tables("SELECT o.| FROM orders AS o", out), "orders=o");
    assert_string_equal(tables("SELECT | FROM orders o, c.db.`my t` x JOIN z ON o.a = z.a", out),
                        "orders=o c.db.my t=x z");
    assert_string_equal(tables("SELECT a FROM orders WHERE |", out), "orders");
    assert_string_equal(tables("SELECT | FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts AS c ON true", out), "o r=c");
    assert_string_equal(
        tables("SELECT | FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY a", out), "bids");
    assert_string_equal(tables("INSERT INTO sink SELECT | FROM a", out), "sink a");
    assert_string_equal(tables("SELECT a FROM x; SELECT | FROM y; SELECT 1 FROM z", out), "y");
}

static void options(void **state)
{
    (void)state;
    struct complete_context c = at(
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'value.format' = 'csv', 'path' = '|");
    assert_true(str_equal(c.connector, STR("filesystem")));
    assert_true(str_equal(c.format, STR("csv")));
    assert_true(str_equal(c.key, STR("path")));
    c = at("SET 'execution.runtime-mode' = '|");
    assert_true(str_equal(c.key, STR("execution.runtime-mode")));
    c = at("SELECT db.t.|");
    assert_true(str_equal(c.qualifier[0], STR("t")));
    assert_true(str_equal(c.qualifier[1], STR("db")));
    c = at("SELECT | FROM orders o, t");
    assert_ptr_equal(complete_context_table(&c, STR("o")), &c.tables[0]);
    assert_null(complete_context_table(&c, STR("orders"))); /* it has an alias */
    assert_ptr_equal(complete_context_table(&c, STR("t")), &c.tables[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places), cmocka_unit_test(named_tables),
                                       cmocka_unit_test(options)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
