/* test_cdc_json.c - changes as JSON: what each format's operations mean, rows before that are partial, lists of rows, wrapped changes,
 * mistakes and their places; in pieces of every size and batches of one row. */
#include "support/format_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct fmt_type fmt_debezium_json, fmt_canal_json, fmt_maxwell_json, fmt_ogg_json;

#define PROBE(FORMAT, ...) ((struct probe){.format = &(FORMAT), .schema = "ROW<id INT NOT NULL, s STRING, n DOUBLE>", .no_hint = true, __VA_ARGS__})
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define LONG "a text that is longer than twelve bytes"

static void debezium_has_before_and_after(void **state)
{
    struct probe p = PROBE(fmt_debezium_json);

    (void)state;
    probe_expect(p,
                 "{\"before\":null,\"after\":{\"id\":1,\"s\":\"" LONG "\",\"n\":0.5},\"source\":{\"a\":[1]},\"op\":\"c\"}\n\n"
                 "{\"op\":\"r\",\"after\":{\"id\":2,\"s\":null,\"n\":2}}\n"
                 "{\"before\":{\"id\":1,\"s\":\"" LONG "\",\"n\":0.5},\"after\":{\"id\":1,\"n\":7,\"x\":{}},\"op\":\"u\"}\r\n"
                 "{\"before\":{\"id\":2,\"s\":null,\"n\":2},\"after\":null,\"op\":\"d\"}",
                 "+I[1, " LONG ", 0.5]\n+I[2, null, 2.0]\n-U[1, " LONG ", 0.5]\n+U[1, null, 7.0]\n-D[2, null, 2.0]\n");
    p.options = OPTIONS("debezium-json.schema-include", "true");
    probe_expect(p, "{\"schema\":{\"type\":\"struct\"},\"payload\":{\"before\":null,\"after\":{\"id\":1},\"op\":\"c\"}}\n", "+I[1, null, null]\n");
    probe_expect(p, "{\"schema\":1}\n", "error: file:1:1: the change has no \"payload\"\n");
}

static void ogg_is_alike(void **state)
{
    (void)state;
    probe_expect(PROBE(fmt_ogg_json),
                 "{\"after\":{\"id\":1,\"s\":\"a\"},\"op_type\":\"I\"}\n{\"before\":{\"id\":1,\"s\":\"a\"},\"after\":{\"id\":1,\"s\":\"b\"},\"op_type\":\"U\"}\n"
                 "{\"before\":{\"id\":1,\"s\":\"b\"},\"op_type\":\"D\"}\n",
                 "+I[1, a, null]\n-U[1, a, null]\n+U[1, b, null]\n-D[1, b, null]\n");
}

/* What the old row does not tell is as before; a NULL that it tells is one. In texts there may be anything. */
static void maxwell_tells_what_changed(void **state)
{
    (void)state;
    probe_expect(PROBE(fmt_maxwell_json),
                 "{\"type\":\"insert\",\"data\":{\"id\":1,\"s\":\"a\",\"n\":1}}\n"
                 "{\"type\":\"update\",\"data\":{\"id\":1,\"s\":\"\\\"n\\\": 4\",\"n\":1},\"old\":{\"s\":\"a\"}}\n"
                 "{\"type\":\"update\",\"data\":{\"id\":1,\"s\":\"c\",\"n\":1},\"old\":{\"s\":\"\\\"n\\\": 4\"}}\n"
                 "{\"type\":\"update\",\"data\":{\"id\":1,\"s\":\"c\",\"n\":2},\"old\":{\"s\" : null,\"n\":1}}\n"
                 "{\"type\":\"delete\",\"data\":{\"id\":1,\"s\":\"c\",\"n\":2}}\n",
                 "+I[1, a, 1.0]\n-U[1, a, 1.0]\n+U[1, \"n\": 4, 1.0]\n-U[1, \"n\": 4, 1.0]\n+U[1, c, 1.0]\n-U[1, null, 1.0]\n+U[1, c, 2.0]\n"
                 "-D[1, c, 2.0]\n");
}

static void canal_has_lists(void **state)
{
    struct probe p = PROBE(fmt_canal_json);
    static const char text[] =
        "{\"data\":[{\"id\":\"1\",\"s\":\"a\",\"n\":\"1\"},{\"id\":\"2\",\"s\":\"b\"}],\"database\":\"d\",\"table\":\"t\",\"type\":\"INSERT\"}\n"
        "{\"data\":[{\"id\":\"1\",\"s\":\"x\",\"n\":\"1\"},{\"id\":\"2\",\"s\":\"y\"}],\"old\":[{\"s\":\"a\"},{\"s\":\"b\"}],\"table\":\"t\",\"type\":\"UPDATE\"}\n"
        "{\"data\":null,\"table\":\"u\",\"type\":\"CREATE\"}\n"
        "{\"data\":[{\"id\":\"2\",\"s\":\"y\"}],\"database\":\"d\",\"table\":\"tt\",\"type\":\"DELETE\"}\n";

    (void)state;
    probe_expect(p, text,
                 "+I[1, a, 1.0]\n+I[2, b, null]\n-U[1, a, 1.0]\n+U[1, x, 1.0]\n-U[2, b, null]\n+U[2, y, null]\n-D[2, y, null]\n");
    p.options = OPTIONS("canal-json.table.include", "t|u");
    probe_expect(p, text, "+I[1, a, 1.0]\n+I[2, b, null]\n-U[1, a, 1.0]\n+U[1, x, 1.0]\n-U[2, b, null]\n+U[2, y, null]\n");
    p.options = OPTIONS("canal-json.database.include", "d");
    probe_expect(p, text, "+I[1, a, 1.0]\n+I[2, b, null]\n-D[2, y, null]\n");
}

static void messages_are_changes(void **state)
{
    struct probe p = PROBE(fmt_debezium_json);
    const char *const messages[] = {"{\"after\":{\"id\":1},\n\"op\":\"c\"}", "",
                                    "{\"before\":{\"id\":1},\"after\":{\"id\":1,\"n\":3},\"op\":\"u\"}"};

    (void)state;
    for (p.batch_rows = 1; p.batch_rows < 4; p.batch_rows++) {
        char *got = probe_messages(&p, messages, COUNT_OF(messages));
        assert_string_equal(got, "+I[1, null, null]\n-U[1, null, null]\n+U[1, null, 3.0]\n");
        free(got);
    }
}

static void mistakes_are_told(void **state)
{
    struct probe p = PROBE(fmt_debezium_json);
    static const char mixed[] = "{\"after\":{\"id\":1},\"op\":\"c\"}\n{\"op\":\"t\"}\n{\"op\":\"c\",\"after\":{\"id\":x}}\n{\"after\":{\"id\":2},\"op\":\"c\"}\n";

    (void)state;
    probe_expect(p, "{\"after\":{\"id\":1},\"op\":\"c\"}\n{\"after\":{\"id\":1},\"op\":\"t\"}\n",
                 "+I[1, null, null]\nerror: file:2:1: Unknown \"op\" value \"t\"\n");
    probe_expect(p, "{\"after\":{\"id\":1},\"op\":\"u\"}\n",
                 "error: file:1:1: the \"before\" field of u message is null, if you are using Debezium, please check that the database logs "
                 "whole rows\n");
    probe_expect(p, "{\"after\":null,\"op\":\"c\"}\n",
                 "error: file:1:1: the \"after\" field of c message is null, if you are using Debezium, please check that the database logs "
                 "whole rows\n");
    probe_expect(PROBE(fmt_maxwell_json), "{\"type\":\"update\",\"data\":{\"id\":1},\"old\":{\"n\":\"x\"}}\n",
                 "error: file:1:1: the \"old\" field: column 'old.n' (DOUBLE): 'x' is not a number\n");
    probe_expect(PROBE(fmt_maxwell_json), "{\"type\":\"update\",\"data\":{\"id\":1},\"old\":\"{\\\"n\\\":2}\"}\n",
                 "error: file:1:40: column 'old' (STRING): a string where an object is expected\n");
    probe_expect(PROBE(fmt_canal_json), "{\"type\":\"UPDATE\",\"data\":[{\"id\":1}],\"old\":\"[{\\\"n\\\":2}]\"}\n",
                 "error: file:1:42: column 'old' (STRING): a string where an object is expected\n");
    probe_expect(PROBE(fmt_maxwell_json), "{\"type\":\"update\",\"data\":{\"id\":1},\"old\":2}\n",
                 "error: file:1:40: column 'old' (STRING): a number where an object is expected\n");
    p.on_error = ON_ERROR_SKIP;
    probe_expect(p, mixed, "+I[1, null, null]\n+I[2, null, null]\n");
    p.on_error = ON_ERROR_FAIL;
    p.options = OPTIONS("debezium-json.ignore-parse-errors", "true");
    probe_expect(p, mixed, "+I[1, null, null]\n+I[2, null, null]\n");
}

/* Columns that nobody reads are not made; none of them at all is no mistake. */
static void needed_columns_are_filled(void **state)
{
    struct probe p = PROBE(fmt_debezium_json, .needed = (const uint64_t[]){4});

    (void)state;
    probe_expect(p, "{\"before\":{\"id\":1,\"n\":2},\"after\":{\"id\":1,\"n\":3},\"op\":\"u\"}\n", "-U[?, ?, 2.0]\n+U[?, ?, 3.0]\n");
    p.needed = (const uint64_t[]){0};
    probe_expect(p, "{\"before\":{\"id\":1,\"n\":2},\"after\":{\"id\":1,\"n\":3},\"op\":\"u\"}\n", "-U[?, ?, ?]\n+U[?, ?, ?]\n");
}

/* What is written: an update is a deletion and an insertion. As Flink 2.3 wrote it. */
static void changes_are_written(void **state)
{
    static const char text[] = "{\"after\":{\"id\":1,\"s\":\"a\"},\"op\":\"c\"}\n"
                               "{\"before\":{\"id\":1,\"s\":\"a\"},\"after\":{\"id\":1,\"n\":0.5},\"op\":\"u\"}\n";
    static const struct {
        const struct fmt_type *format;
        const char *expected;
    } writers[] = {
        {&fmt_debezium_json, "{\"before\":null,\"after\":{\"id\":1,\"s\":\"a\",\"n\":null},\"op\":\"c\"}\n"
                             "{\"before\":{\"id\":1,\"s\":\"a\",\"n\":null},\"after\":null,\"op\":\"d\"}\n"
                             "{\"before\":null,\"after\":{\"id\":1,\"s\":null,\"n\":0.5},\"op\":\"c\"}\n"},
        {&fmt_canal_json, "{\"data\":[{\"id\":1,\"s\":\"a\",\"n\":null}],\"type\":\"INSERT\"}\n"
                          "{\"data\":[{\"id\":1,\"s\":\"a\",\"n\":null}],\"type\":\"DELETE\"}\n"
                          "{\"data\":[{\"id\":1,\"s\":null,\"n\":0.5}],\"type\":\"INSERT\"}\n"},
        {&fmt_maxwell_json, "{\"data\":{\"id\":1,\"s\":\"a\",\"n\":null},\"type\":\"insert\"}\n"
                            "{\"data\":{\"id\":1,\"s\":\"a\",\"n\":null},\"type\":\"delete\"}\n"
                            "{\"data\":{\"id\":1,\"s\":null,\"n\":0.5},\"type\":\"insert\"}\n"},
        {&fmt_ogg_json, "{\"before\":null,\"after\":{\"id\":1,\"s\":\"a\",\"n\":null},\"op_type\":\"I\"}\n"
                        "{\"before\":{\"id\":1,\"s\":\"a\",\"n\":null},\"after\":null,\"op_type\":\"D\"}\n"
                        "{\"before\":null,\"after\":{\"id\":1,\"s\":null,\"n\":0.5},\"op_type\":\"I\"}\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        struct probe p = PROBE(fmt_debezium_json, .writer = writers[i].format);
        char *got = probe_recode(&p, text, sizeof text - 1);
        assert_string_equal(got, writers[i].expected);
        free(got);
        got = probe_recode_rows(&p, text, sizeof text - 1);
        assert_string_equal(got, writers[i].expected);
        free(got);
    }
    struct probe p = PROBE(fmt_debezium_json, .writer = &fmt_debezium_json, .writer_options = OPTIONS("debezium-json.schema-include", "true"));
    char *got = probe_recode(&p, text, sizeof text - 1);
    assert_non_null(strstr(got, "Debezium JSON serialization doesn't support 'debezium-json.schema-include' option been set to true."));
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debezium_has_before_and_after), cmocka_unit_test(ogg_is_alike),
        cmocka_unit_test(maxwell_tells_what_changed),    cmocka_unit_test(canal_has_lists),
        cmocka_unit_test(messages_are_changes),          cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(needed_columns_are_filled),     cmocka_unit_test(changes_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
