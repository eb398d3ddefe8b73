/* test_table.c - the Table API: sources, relations, INSERT and statement sets, results by accessors and as structs, EXPLAIN. What a
 * relation gives is compared as text, folded by sorting where no order is asked for. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static enum tw_status keep_all(struct tw_context *cx, const void *in)
{
    tw_collect(cx, in);
    return TW_OK;
}
struct one {
    int32_t n;
};
TW_ROW(one, TW_FIELD(one, n, "INT NOT NULL"));
TW_FUNCTION(keep) = {.in = &one_row, .out = &one_row, .process = keep_all};

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* "+I 1 x; -D 2 y": all rows of a result, in order or sorted. */
static const char *rows_of(struct tw_table_result *r, bool sorted, char out[static 1024])
{
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    char *lines[64];
    uint32_t count = 0;

    while (tw_result_next(r)) {
        char line[256];
        int n = snprintf(line, sizeof line, "%s", kinds[tw_result_kind(r)]);
        for (uint32_t c = 0; c < tw_result_columns(r); c++) n += snprintf(line + n, sizeof line - (size_t)n, " %s", tw_result_text(r, c));
        assert_true(count < 64);
        lines[count++] = strdup(line);
    }
    if (sorted) qsort(lines, count, sizeof *lines, by_text);
    out[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) strcat(out, "; ");
        strcat(out, lines[i]);
        free(lines[i]);
    }
    return out;
}

static void expect_rows(struct tw_table *t, bool sorted, const char *expected)
{
    char out[1024];
    struct tw_table_result *r = tw_table_execute(t);

    assert_string_equal(rows_of(r, sorted, out), expected);
    assert_int_equal(tw_result_close(r), 0);
}

static struct tw_table *people(struct tw_env *env)
{
    return tw_from_values(env, "(1, 'ann', 30), (2, 'bob', 20), (3, 'cid', 30)", "id, name, age");
}

static void columns_are_chosen(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_table *t = people(env);

    (void)state;
    expect_rows(t, false, "+I 1 ann 30; +I 2 bob 20; +I 3 cid 30");
    expect_rows(tw_table_select(t, "name, age * 2 AS twice"), false, "+I ann 60; +I bob 40; +I cid 60");
    expect_rows(tw_table_where(t, "age > 20 AND name <> 'cid'"), false, "+I 1 ann 30");
    expect_rows(tw_table_filter(tw_table_as(t, "a, b, c"), "c < 25"), false, "+I 2 bob 20");
    expect_rows(tw_table_add_columns(t, "id + age AS s, 'x' AS x"), false, "+I 1 ann 30 31 x; +I 2 bob 20 22 x; +I 3 cid 30 33 x");
    expect_rows(tw_table_add_or_replace_columns(t, "age + 1 AS age, 0 AS z"), false, "+I 1 ann 31 0; +I 2 bob 21 0; +I 3 cid 31 0");
    expect_rows(tw_table_drop_columns(t, "name, id"), false, "+I 30; +I 20; +I 30");
    struct tw_table *renamed = tw_table_rename_columns(t, "id AS `a``b`, age AS years");
    assert_string_equal(tw_table_schema(renamed), "(\n  `a`b` INT NOT NULL,\n  `name` CHAR(3) NOT NULL,\n  `years` INT NOT NULL\n)");
    expect_rows(tw_table_where(renamed, "years = 20"), false, "+I 2 bob 20");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void rows_are_grouped_ordered_and_cut(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_table *t = people(env);

    (void)state;
    tw_set(env, "execution.runtime-mode", "batch");
    expect_rows(tw_table_select(tw_table_group_by(t, "age"), "age, COUNT(*) AS n"), true, "+I 20 1; +I 30 2");
    expect_rows(tw_table_select(tw_table_group_by(t, ""), "SUM(id) AS s"), true, "+I 6");
    expect_rows(tw_table_select(tw_table_group_by(t, "ROLLUP (age)"), "age, MAX(id)"), true, "+I 20 2; +I 30 3; +I <NULL> 3");
    expect_rows(tw_table_distinct(tw_table_select(t, "age")), true, "+I 20; +I 30");
    struct tw_table *ordered = tw_table_order_by(t, "age DESC, id DESC");
    expect_rows(ordered, false, "+I 3 cid 30; +I 1 ann 30; +I 2 bob 20");
    expect_rows(tw_table_limit(ordered, 2), false, "+I 3 cid 30; +I 1 ann 30");
    expect_rows(tw_table_offset_fetch(ordered, 1, 1), false, "+I 1 ann 30");
    expect_rows(tw_table_offset_fetch(ordered, 2, -1), false, "+I 2 bob 20");
    expect_rows(tw_table_limit(tw_table_limit(ordered, 2), 1), true, "+I 3 cid 30");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void tables_are_combined(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_table *t = people(env), *u = tw_from_values(env, "(1, 'red'), (1, 'blue'), (4, 'grey')", "person, colour");

    (void)state;
    tw_set(env, "execution.runtime-mode", "batch");
    expect_rows(tw_table_select(tw_table_join(t, u, "id = person"), "name, colour"), true, "+I ann blue; +I ann red");
    expect_rows(tw_table_select(tw_table_left_outer_join(t, u, "id = person AND colour = 'red'"), "name, colour"), true,
                "+I ann red; +I bob <NULL>; +I cid <NULL>");
    expect_rows(tw_table_select(tw_table_right_outer_join(t, u, "id = person"), "name, colour"), true,
                "+I <NULL> grey; +I ann blue; +I ann red");
    expect_rows(tw_table_select(tw_table_full_outer_join(tw_table_where(t, "id = 2"), tw_table_where(u, "person = 4"), "id = person"), "id, person"),
                true, "+I 2 <NULL>; +I <NULL> 4");
    expect_rows(tw_table_select(tw_table_join(t, u, NULL), "COUNT(*)"), true, "+I 9");
    struct tw_table *self = tw_table_join(tw_table_alias(t, "a"), tw_table_alias(t, "b"), "a.age = b.age AND a.id < b.id");
    expect_rows(tw_table_select(self, "id"), true, "+I 1");
    struct tw_table *ages = tw_table_select(t, "age"), *more = tw_from_values(env, "(30), (40)", "age");
    expect_rows(tw_table_union_all(ages, more), true, "+I 20; +I 30; +I 30; +I 30; +I 40");
    expect_rows(tw_table_union(ages, more), true, "+I 20; +I 30; +I 40");
    expect_rows(tw_table_intersect(ages, more), true, "+I 30");
    expect_rows(tw_table_intersect_all(ages, more), true, "+I 30");
    expect_rows(tw_table_minus(ages, more), true, "+I 20");
    expect_rows(tw_table_minus_all(ages, more), true, "+I 20; +I 30");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_chosen),
        cmocka_unit_test(rows_are_grouped_ordered_and_cut),
        cmocka_unit_test(tables_are_combined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
