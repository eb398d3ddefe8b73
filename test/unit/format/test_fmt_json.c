/* test_fmt_json.c - what json lines mean: values, missing and repeated fields, nesting; exact errors and positions. */
#include "support/format_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct fmt_type fmt_json;

#define JSON(SCHEMA, ...) ((struct probe){.format = &fmt_json, .schema = (SCHEMA), .no_hint = true, __VA_ARGS__})
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_plain_rows(void **state)
{
    struct probe p = JSON("ROW<a INT, b STRING>");

    (void)state;
    probe_expect(p, "{\"a\":1,\"b\":\"x\"}\n{\"a\":-2,\"b\":\"yy\"}\n", "+I[1, x]\n+I[-2, yy]\n");
    probe_expect(p, "{\"a\":1,\"b\":\"x\"}\r\n\r\n \n{\"b\":\"x\",\"a\":3}", "+I[1, x]\n+I[3, x]\n");
    probe_expect(p, "\xef\xbb\xbf { \"a\" : 1 ,\t\"b\" : \"x\" } \n{\"a\" :  1, \"b\" :\"x\"}\n",
                 "+I[1, x]\n+I[1, x]\n");
    probe_expect(p, "{\"a\":1,\"b\":\"x\"}\n{\"a\": 2,\"b\": \"y\"}\n{\"a\":  3,\"b\":\t\"z\"}\n",
                 "+I[1, x]\n+I[2, y]\n+I[3, z]\n");
    probe_expect(p, "", "");
    probe_expect(p, "{}\n{ }\n", "+I[null, null]\n+I[null, null]\n");
}

static void test_members_move(void **state)
{
    struct probe p = JSON("ROW<a INT, b INT, c INT>");

    (void)state;
    probe_expect(
        p,
        "{\"a\":1,\"b\":2,\"c\":3}\n{\"a\":4,\"c\":5}\n{\"c\":6,\"b\":7,\"a\":8}\n{\"b\":9}\n{\"a\":1,\"b\":2,\"c\":3}"
        "\n"
        "{\"x\":[1,{\"y\":\"}\"}],\"a\":1,\"z\":null,\"b\":2,\"c\":3,\"w\":1e5}\n{\"x\":[],\"a\":1,\"z\":true,\"b\":2,"
        "\"c\":3,\"w\":0}\n",
        "+I[1, 2, 3]\n+I[4, null, 5]\n+I[8, 7, 6]\n+I[null, 9, null]\n+I[1, 2, 3]\n+I[1, 2, 3]\n+I[1, 2, 3]\n");
    probe_expect(p, "{\"a\":1,\"a\":2}\n{\"a\":null,\"a\":3}\n{\"a\":4,\"a\":null}\n",
                 "+I[2, null, null]\n+I[3, null, null]\n+I[null, null, null]\n");
    probe_expect(p, "{\"\\u0061\":1,\"b\":2}\n{\"\\u0061\":3}\n", "+I[1, 2, null]\n+I[3, null, null]\n");
    p.schema = "ROW<`a rather long name of a field, longer than thirty-two bytes` INT, b INT,"
               " `a name that is so long that what stands between two values will not be remembered at all` INT>";
    probe_expect(p,
                 "{\"a rather long name of a field, longer than thirty-two bytes\":1,\"b\":2,"
                 "\"a name that is so long that what stands between two values will not be remembered at all\":3}\n"
                 "{\"a rather long name of a field, longer than thirty-two bytes\":4,\"b\":5,"
                 "\"a name that is so long that what stands between two values will not be remembered at all\":6}\n"
                 "{\"a rather long name of a field, longer than thirty-two bytez\":4,\"b\":5}\n",
                 "+I[1, 2, 3]\n+I[4, 5, 6]\n+I[null, 5, null]\n");
}

static void test_every_type(void **state)
{
    (void)state;
    probe_expect(
        JSON("ROW<a TINYINT, b SMALLINT, c INT, d BIGINT>"),
        "{\"a\":127,\"b\":32767,\"c\":2147483647,\"d\":9223372036854775807}\n"
        "{\"a\":-128,\"b\":-32768,\"c\":-2147483648,\"d\":-9223372036854775808}\n"
        "{\"a\":\"7\",\"b\":1e2,\"c\":3.0,\"d\":1234567890123456}\n{\"a\":0,\"b\":-0,\"c\":12345678,\"d\":123456789}\n",
        "+I[127, 32767, 2147483647, 9223372036854775807]\n+I[-128, -32768, -2147483648, -9223372036854775808]\n"
        "+I[7, 100, 3, 1234567890123456]\n+I[0, 0, 12345678, 123456789]\n");
    probe_expect(JSON("ROW<a FLOAT, b DOUBLE, c DECIMAL(10, 2), d DECIMAL(38, 0)>"),
                 "{\"a\":1.5,\"b\":-2.25e10,\"c\":12.345,\"d\":12345678901234567890123456789012345678}\n"
                 "{\"a\":3.4028235E38,\"b\":1.7976931348623157E308,\"c\":\"-7\",\"d\":1e3}\n"
                 "{\"a\":\"NaN\",\"b\":\"-Infinity\",\"c\":0.1,\"d\":0}\n{\"a\":0,\"b\":0.1,\"c\":1E+2,\"d\":-5}\n",
                 "+I[1.5, -2.25E10, 12.35, 12345678901234567890123456789012345678]\n+I[3.4028235E38, "
                 "1.7976931348623157E308, -7.00, 1000]\n"
                 "+I[NaN, -Infinity, 0.10, 0]\n+I[0.0, 0.1, 100.00, -5]\n");
    probe_expect(JSON("ROW<a BOOLEAN, b DATE, c TIME(3), d TIMESTAMP(3), e TIMESTAMP(9), f TIMESTAMP_LTZ(6)>"),
                 "{\"a\":true,\"b\":\"2001-01-31\",\"c\":\"10:20:30.5\",\"d\":\"2001-01-31 "
                 "10:20:30.123\",\"e\":\"2001-01-31T10:20:30.123456789\","
                 "\"f\":\"2001-01-31 10:20:30.123456Z\"}\n"
                 "{\"a\":\"False\",\"b\":\"1969-12-31\",\"c\":\"00:00\",\"d\":\"1969-12-31T23:59:59.999Z\",\"e\":"
                 "\"0001-01-01 00:00:00\","
                 "\"f\":\"9999-12-31T23:59:59Z\"}\n",
                 "+I[true, 2001-01-31, 10:20:30.500, 2001-01-31T10:20:30.123, 2001-01-31T10:20:30.123456789, "
                 "2001-01-31T10:20:30.123456Z]\n"
                 "+I[false, 1969-12-31, 00:00, 1969-12-31T23:59:59.999, 0001-01-01T00:00, 9999-12-31T23:59:59Z]\n");
    probe_expect(JSON("ROW<a BYTES, b CHAR(3), c INTERVAL YEAR TO MONTH, d INTERVAL DAY TO SECOND>"),
                 "{\"a\":\"aGk=\",\"b\":\"abc\",\"c\":14,\"d\":1500}\n", "+I[x'6869', abc, P1Y2M, PT1.5S]\n");
    probe_expect(
        JSON("ROW<a INT, b STRING, c DOUBLE, d BOOLEAN, e DATE, f ARRAY<INT>, g ROW<x INT>, h MAP<STRING, INT>>"),
        "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,\"f\":null,\"g\":null,\"h\":null}\n",
        "+I[null, null, null, null, null, null, null, null]\n");
}

static void test_strings(void **state)
{
    struct probe p = JSON("ROW<a STRING>");

    (void)state;
    probe_expect(p, "{\"a\":\"\"}\n{\"a\":\"twelve bytes\"}\n{\"a\":\"thirteen byte\"}\n",
                 "+I[]\n+I[twelve bytes]\n+I[thirteen byte]\n");
    probe_expect(p, "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"}\n",
                 "+I[\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80]\n");
    probe_expect(p, "{\"a\":\"caf\xc3\xa9 \xf0\x9f\x98\x80 and some more text behind it\"}\n",
                 "+I[caf\xc3\xa9 \xf0\x9f\x98\x80 and some more text behind it]\n");
    probe_expect(p, "{\"a\":\"a string of more than thirty-two bytes with an escape \\n behind them, and one \\\\\"}\n",
                 "+I[a string of more than thirty-two bytes with an escape \n behind them, and one \\]\n");
    probe_expect(p, "{\"a\":12.50}\n{\"a\":true}\n{\"a\": { \"x y\" : [ 1 , \"a \\\" b\" ] } }\n{\"a\":[]}\n",
                 "+I[12.50]\n+I[true]\n+I[{\"x y\":[1,\"a \\\" b\"]}]\n+I[[]]\n");
}

static void test_nested(void **state)
{
    struct probe p = JSON("ROW<a ARRAY<INT>, b ROW<x INT, y ROW<z STRING>>, c MAP<STRING, ARRAY<INT>>, d ARRAY<ROW<k "
                          "STRING, v DOUBLE>>, e MULTISET<STRING>>");

    (void)state;
    probe_expect(p,
                 "{\"a\":[1,null,3],\"b\":{\"x\":7,\"y\":{\"z\":\"deep\"}},\"c\":{\"p\":[1],\"q\":[]},\"d\":[{\"k\":"
                 "\"one\",\"v\":1},{\"v\":2}],\"e\":{\"m\":2}}\n"
                 "{ \"a\" : [ ] , \"b\" : { } , \"c\" : { } , \"d\" : [ null , { \"k\" : \"two\" } ] }\n"
                 "{\"b\":{\"y\":null,\"x\":1},\"a\":[4]}\n",
                 "+I[[1, null, 3], +I[7, +I[deep]], {p=[1], q=[]}, [+I[one, 1.0], +I[null, 2.0]], {m=2}]\n"
                 "+I[[], +I[null, null], {}, [null, +I[two, null]], null]\n+I[[4], +I[1, null], null, null, null]\n");
    probe_expect(
        p, "{\"a\":[1],\"a\":[2,3],\"b\":null,\"b\":{\"x\":1},\"c\":{\"p\":[1],\"p\":null,\"q\":[3],\"p\":[2]}}\n",
        "+I[[2, 3], +I[1, null], {p=[2], q=[3]}, null, null]\n");
}

/* A map large enough for hashing, with every key twice, around another such map. */
static void test_large_map(void **state)
{
    char *text = malloc(1 << 20), *expected = malloc(1 << 20), *t = text, *x = expected, *got;
    struct probe p = JSON("ROW<m MAP<STRING, MAP<STRING, INT>>>");

    (void)state;
    t += sprintf(t, "{\"m\":{");
    x += sprintf(x, "+I[{");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 50; i++) {
            t += sprintf(t, "%s\"k%d\":{", round || i ? "," : "", i);
            for (int j = 0; j < 40; j++)
                t += sprintf(t, "%s\"a long key for the heap %d\":%d", j ? "," : "", j % 20, round * 1000 + i + j);
            t += sprintf(t, "}");
        }
    }
    for (int i = 0; i < 50; i++) {
        x += sprintf(x, "%sk%d={", i ? ", " : "", i);
        for (int j = 20; j < 40; j++)
            x += sprintf(x, "%sa long key for the heap %d=%d", j > 20 ? ", " : "", j % 20, 1000 + i + j);
        x += sprintf(x, "}");
    }
    sprintf(t, "}}\n");
    sprintf(x, "}]\n");
    got = probe_decode(&p, text, strlen(text), NULL, 0);
    assert_string_equal(got, expected);
    free(got);
    free(text);
    free(expected);
}

static void test_errors_have_positions(void **state)
{
    struct probe p = JSON("ROW<id INT, name STRING, price DOUBLE>");

    (void)state;
    probe_expect(p, "{\"id\":1}\n{\"id\":\"x\"}\n",
                 "+I[1, null, null]\nerror: file:2:7: column 'id' (INT): 'x' is not a whole number\n");
    probe_expect(
        p, "{\"id\":2147483648}\n",
        "error: file:1:7: column 'id' (INT): '2147483648' is out of range for INT (-2147483648 to 2147483647)\n");
    probe_expect(p, "{\"id\":1.5}\n",
                 "error: file:1:7: column 'id' (INT): '1.5' has a fraction where a whole number is expected\n");
    probe_expect(p, "{\"id\":[1]}\n", "error: file:1:7: column 'id' (INT): an array where a number is expected\n");
    probe_expect(p, "{\"id\":true}\n", "error: file:1:7: column 'id' (INT): a boolean where a number is expected\n");
    probe_expect(p, "{\"id\":01}\n", "error: file:1:7: a number must not begin with 0\n");
    probe_expect(p, "{\"id\":-}\n", "error: file:1:8: expected a digit, found '}'\n");
    probe_expect(p, "{\"price\":1.}\n", "error: file:1:12: expected a digit, found '}'\n");
    probe_expect(p, "{\"price\":1e}\n", "error: file:1:12: expected a digit, found '}'\n");
    probe_expect(p, "{\"id\":1 2}\n", "error: file:1:9: expected ',' or '}', found '2'\n");
    probe_expect(p, "{\"id\":1,}\n", "error: file:1:9: expected a field name in quotes, found '}'\n");
    probe_expect(p, "{\"id\" 1}\n", "error: file:1:7: expected ':', found '1'\n");
    probe_expect(p, "{\"id\":}\n", "error: file:1:7: expected a value, found '}'\n");
    probe_expect(p, "{\"id\":nul}\n", "error: file:1:7: expected a value, found 'n'\n");
    probe_expect(p, "{\"id\":1}}\n", "error: file:1:9: expected the end of the record, found '}'\n");
    probe_expect(p, "[1]\n", "error: file:1:1: expected an object, found '['\n");
    probe_expect(p, "{\"id\":1", "error: file:1:8: expected ',' or '}', but the record ends here; it may be cut off\n");
    probe_expect(p, "{\"name\":\"abc", "error: file:1:13: the record ends inside a string; it may be cut off\n");
    probe_expect(p, "{\"name\":\"abc\\", "error: file:1:14: the record ends inside a string; it may be cut off\n");
    probe_expect(p, "{\"id\":1}\n{\"name\":\"a\nb\"}\n",
                 "+I[1, null, null]\nerror: file:2:11: the record ends inside a string; it may be cut off\n");
    probe_expect(p, "{\"name\":\"a\tb\"}\n",
                 "error: file:1:11: control character 0x09 in a string; json wants it escaped\n");
    probe_expect(p, "{\"name\":\"a\\x\"}\n", "error: file:1:11: a backslash before 'x' means nothing in json\n");
    probe_expect(p, "{\"name\":\"a\\u12g4\"}\n", "error: file:1:11: \\u without four hexadecimal digits\n");
    probe_expect(p, "{\"name\":\"\\ud83d\"}\n", "error: file:1:10: \\ud83d is half of a surrogate pair, alone\n");
    probe_expect(p, "{\"name\":\"\\ude00 is too\"}\n",
                 "error: file:1:10: \\ude00 is half of a surrogate pair, alone\n");
    probe_expect(p, "{\"name\":\"caf\xe9\"}\n", "error: file:1:13: byte 0xe9 is not valid UTF-8\n");
    probe_expect(p, "{\"unknown\":\"caf\xe9\"}\n", "error: file:1:16: byte 0xe9 is not valid UTF-8\n");
    probe_expect(p, "{\"unknown\":[1,2}}\n", "error: file:1:16: expected ',' or ']', found '}'\n");
    probe_expect_bytes(p, "{\"name\":\"a\0b\"}\n", 15,
                       "error: file:1:11: control character 0x00 in a string; json wants it escaped\n");
    p.schema = "ROW<t TIMESTAMP(3)>"; /* NUL bytes are no timestamp, not even the first one */
    probe_expect_bytes(p, "{\"t\":\"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\"}\n", 25,
                       "error: file:1:7: control character 0x00 in a string; json wants it escaped\n");
    p.schema = "ROW<id INT, name STRING, price DOUBLE>";
    p.no_hint = false;
    probe_expect(p, "{\"id\":\"x\"}\n",
                 "error: file:1:7: column 'id' (INT): 'x' is not a whole number (correct the value; "
                 "'json.ignore-parse-errors' = "
                 "'true' reads it as NULL, 'on-error' = 'skip' drops the record)\n");
    probe_expect(
        p, "{\"id\":1\n",
        "error: file:1:8: expected ',' or '}', but the record ends here; it may be cut off (correct the record, or set "
        "'on-error' = 'skip' or 'dead-letter' to go on without it)\n");
}

static void test_errors_name_the_path(void **state)
{
    struct probe p = JSON(
        "ROW<order ROW<items ARRAY<ROW<sku STRING, n INT NOT NULL>>, m MAP<STRING, DATE>>, t TIMESTAMP(3) NOT NULL>");
    char text[512] = "{\"order\":", *at;

    (void)state;
    probe_expect(p, "{\"order\":{\"items\":[{\"sku\":\"a\",\"n\":1},{\"n\":\"x\"}]}}\n",
                 "error: file:1:43: column 'order.items[1].n' (INT): 'x' is not a whole number\n");
    probe_expect(p, "{\"order\":{\"items\":[{\"sku\":\"a\"}]}}\n",
                 "error: file:1:20: column 'order.items[0].n' (INT): the field is missing\n");
    probe_expect(p, "{\"order\":{\"items\":[{\"n\":null}]}}\n",
                 "error: file:1:25: column 'order.items[0].n' (INT): null, but the type is NOT NULL\n");
    probe_expect(p, "{\"order\":{\"m\":{\"k\":\"2001-02-30\"}}}\n",
                 "error: file:1:20: column 'order.m[0]' (DATE): '2001-02-30' is not a date such as 2001-01-31\n");
    probe_expect(p, "{\"order\":{\"items\":{}}}\n",
                 "error: file:1:19: column 'order.items' (ARRAY<ROW<`sku` STRING, `n` INT NOT NULL>>): an object where "
                 "an array is expected\n");
    probe_expect(p, "{\"order\":null}\n", "error: file:1:1: column 't' (TIMESTAMP(3)): the field is missing\n");
    probe_expect(p, "{\"t\":5}\n",
                 "error: file:1:6: column 't' (TIMESTAMP(3)): a number where a timestamp in quotes is expected\n");
    probe_expect(p, "{\"t\":\"2001-01-31\"}\n",
                 "error: file:1:6: column 't' (TIMESTAMP(3)): '2001-01-31' is not a timestamp such as 2001-01-31 "
                 "10:20:30.123\n");
    p.schema = "ROW<a INT>"; /* depth of what is skipped */
    at = text + strlen(text);
    memset(at, '[', 64);
    memset(at + 64, ']', 64);
    strcpy(at + 128, "}\n");
    probe_expect(p, text, "+I[null]\n");
    memset(at, '[', 65);
    probe_expect(p, text, "error: file:1:74: nesting is deeper than 64 levels\n");
}

static void test_on_error(void **state)
{
    const char *text = "{\"a\":1}\n{\"a\":\n{\"a\":3}\n{\"a\":\"x\"}\n\n{\"a\":[\"}\n{\"a\":6,\"b\":[1,\"y\"]}\n{\"a\":"
                       "7,\"b\":[1,2]}\n";
    struct probe p = JSON("ROW<a INT, b ARRAY<INT>>", .on_error = ON_ERROR_SKIP);
    char *got;

    (void)state;
    probe_expect(p, text, "+I[1, null]\n+I[3, null]\n+I[7, [1, 2]]\n");
    got = probe_decode(&p, text, strlen(text), NULL, 0);
    free(got);
    assert_int_equal(p.bad_records, 4);
    p.on_error = ON_ERROR_DEAD_LETTER;
    p.batch_rows = 1;
    got = probe_decode(&p, text, strlen(text), NULL, 0);
    assert_string_equal(got,
                        "+I[1, null]\n"
                        "dead file:2:6: expected a value, but the record ends here; it may be cut off | {\"a\":\n"
                        "+I[3, null]\n"
                        "dead file:4:6: column 'a' (INT): 'x' is not a whole number | {\"a\":\"x\"}\n"
                        "dead file:6:9: the record ends inside a string; it may be cut off | {\"a\":[\"}\n"
                        "dead file:7:15: column 'b[1]' (INT): 'y' is not a whole number | {\"a\":6,\"b\":[1,\"y\"]}\n"
                        "+I[7, [1, 2]]\n");
    free(got);
}

static void test_ignore_parse_errors(void **state)
{
    struct probe p = JSON("ROW<a INT, b ARRAY<INT>, c ROW<x INT NOT NULL, y DATE>, d INT NOT NULL>",
                          .options = OPTIONS("json.ignore-parse-errors", "true"));

    (void)state;
    probe_expect(p,
                 "{\"a\":\"x\",\"b\":[1,\"y\",3],\"c\":{\"x\":1,\"y\":\"never\"},\"d\":1}\n{\"d\":2,\"c\":{\"x\":[],"
                 "\"y\":\"2001-01-01\"},\"b\":7}\n"
                 "{\"a\":1}\n{\"a\":1,\"d\":\"z\"}\n{\"a\":{\"q\":[1,2]},\"d\":3}\n{\"d\":4\n{\"d\":5}\n",
                 "+I[null, [1, null, 3], +I[1, null], 1]\n+I[null, null, null, 2]\n+I[null, null, null, 3]\n+I[null, "
                 "null, null, 5]\n");
}

static void test_missing_fields(void **state)
{
    struct probe p = JSON("ROW<a INT, b STRING>", .options = OPTIONS("json.fail-on-missing-field", "true"));

    (void)state;
    probe_expect(p, "{\"a\":1,\"b\":null}\n{\"a\":1}\n",
                 "+I[1, null]\nerror: file:2:1: column 'b' (STRING): the field is missing\n");
    p.options = OPTIONS("json.fail-on-missing-field", "true", "json.ignore-parse-errors", "true");
    probe_expect(p, "", "error: fail-on-missing-field and ignore-parse-errors shouldn't both be true: 'json.fail-on-missing-field' and 'json.ignore-parse-errors'\n");
    p.options = NULL;
    p.schema = "ROW<a INT, b STRING NOT NULL>";
    probe_expect(p, "{\"a\":1}\n", "error: file:1:1: column 'b' (STRING): the field is missing\n");
}

static void test_projection(void **state)
{
    uint64_t needed = 4;
    struct probe p = JSON("ROW<a INT, b STRING, c INT, d ARRAY<INT> NOT NULL>", .needed = &needed);

    (void)state;
    probe_expect(p, "{\"a\":\"nonsense\",\"b\":[1],\"c\":3,\"d\":null}\n{\"c\":4}\n",
                 "+I[?, ?, 3, ?]\n+I[?, ?, 4, ?]\n");
    probe_expect(p, "{\"a\":nonsense,\"c\":3}\n", "error: file:1:6: expected a value, found 'n'\n");
    needed = 0;
    probe_expect(p, "{\"a\":1}\n", "+I[?, ?, ?, ?]\n");
}

static void test_overlong(void **state)
{
    struct probe p = JSON("ROW<a STRING>", .options = OPTIONS("json.max-record-size", "20"), .on_error = ON_ERROR_SKIP);

    (void)state;
    probe_expect(p, "{\"a\":\"0123456789012\"}\n{\"a\":\"x\"}\n", "+I[x]\n");
    probe_expect(p, "{\"a\":\"012345678901\"}\n{\"a\":\"x\"}\n", "+I[012345678901]\n+I[x]\n");
    probe_expect(p, "{\"a\":\"x\"}\n{\"a\":\"0123456789012\"}", "+I[x]\n");
    p.on_error = ON_ERROR_FAIL;
    probe_expect(p, "{\"a\":\"x\"}\n{\"a\":\"0123456789012\"}",
                 "+I[x]\nerror: file:2:1: the record is longer than 20 bytes (json.max-record-size)\n");
}

static void test_splits_begin_anywhere(void **state)
{
    struct probe p = JSON("ROW<a INT>", .offset = 100);

    (void)state;
    probe_expect(p, "{\"a\":1}\n{\"a\":x}\n", "+I[1]\nerror: file@108:6: expected a value, found 'x'\n");
    assert_true(fmt_json.is_splittable(&(struct type){.kind = T_ROW}, NULL));
}

static void test_messages(void **state)
{
    const char *messages[] = {"{\"a\":1}", "{\n  \"a\": 2,\n  \"b\": \"a string of more than twelve bytes\"\n}\n",
                              NULL,        "",
                              "{\"a\":3}", "{\n\"a\":}"};
    struct probe p = JSON("ROW<a INT, b STRING>");

    (void)state;
    for (p.batch_rows = 1; p.batch_rows < 5; p.batch_rows++) {
        char *got = probe_messages(&p, messages, COUNT_OF(messages));
        assert_string_equal(got, "+I[1, null]\n+I[2, a string of more than twelve bytes]\n+I[3, null]\nerror: "
                                 "file@1005:7: expected a value, found '}'\n");
        free(got);
    }
}

static void recode_expect(struct probe p, const char *text, const char *expected)
{
    char *got = probe_recode(&p, text, strlen(text)), *again;

    assert_string_equal(got, expected);
    again = probe_recode(&p, got, strlen(got));
    assert_string_equal(again, expected);
    free(again);
    again = probe_recode_rows(&p, got, strlen(got));
    assert_string_equal(again, expected);
    free(got);
    free(again);
}

static void test_encode(void **state)
{
    struct probe p = JSON("ROW<a INT, `b\"c` STRING, d DOUBLE, e DECIMAL(20, 9), f FLOAT>");

    (void)state;
    recode_expect(
        p,
        "{\"a\":-1,\"b\\\"c\":\"x\",\"d\":2.5,\"e\":100000,\"f\":7}\n{\"d\":\"NaN\",\"e\":2.7e-8}\n{\"d\":\"-"
        "Infinity\",\"b\\\"c\":\"\\\"\\\\\\u0001\\n\\t\xc3\xa9/\"}\n",
        "{\"a\":-1,\"b\\\"c\":\"x\",\"d\":2.5,\"e\":1E+5,\"f\":7.0}\n{\"a\":null,\"b\\\"c\":null,\"d\":\"NaN\",\"e\":2."
        "7E-8,\"f\":null}\n"
        "{\"a\":null,\"b\\\"c\":\"\\\"\\\\\\u0001\\n\\t\xc3\xa9/\",\"d\":\"-Infinity\",\"e\":null,\"f\":null}\n");
    p.options = OPTIONS("json.encode.decimal-as-plain-number", "true", "json.encode.ignore-null-fields", "true");
    recode_expect(p, "{\"e\":100000}\n{\"a\":1,\"e\":2.7e-8}\n{}\n",
                  "{\"e\":100000}\n{\"a\":1,\"e\":0.000000027}\n{}\n");
    p = JSON(
        "ROW<a BOOLEAN, b DATE, c TIME(3), d TIMESTAMP(3), e TIMESTAMP_LTZ(9), f BYTES, g INTERVAL DAY TO SECOND>");
    recode_expect(p,
                  "{\"a\":true,\"b\":\"2001-01-31\",\"c\":\"10:20:30.5\",\"d\":\"2001-01-31T10:20:30\",\"e\":\"1969-12-"
                  "31 23:59:59.000000001Z\",\"f\":\"AAE=\",\"g\":-5}\n",
                  "{\"a\":true,\"b\":\"2001-01-31\",\"c\":\"10:20:30.5\",\"d\":\"2001-01-31 "
                  "10:20:30\",\"e\":\"1969-12-31 23:59:59.000000001Z\",\"f\":\"AAE=\",\"g\":-5}\n");
    p.schema = "ROW<d TIMESTAMP(6)>";
    p.options = OPTIONS("json.timestamp-format.standard", "ISO-8601");
    recode_expect(p, "{\"d\":\"2001-01-31 10:20:30.120\"}\n{\"d\":\"2001-01-31 10:20:31.120\"}\n",
                  "{\"d\":\"2001-01-31T10:20:30.12\"}\n{\"d\":\"2001-01-31T10:20:31.12\"}\n");
    p = JSON("ROW<a ARRAY<ROW<x INT, y STRING>>, m MAP<STRING, ARRAY<DOUBLE>>, r ROW<s MULTISET<STRING>>>");
    recode_expect(p,
                  "{\"a\":[{\"x\":1,\"y\":\"z\"},null,{}],\"m\":{\"a\\nb\":[1,null],\"\":null,\"c\":[]},\"r\":{\"s\":{"
                  "\"k\":3}}}\n{}\n",
                  "{\"a\":[{\"x\":1,\"y\":\"z\"},null,{\"x\":null,\"y\":null}],\"m\":{\"a\\nb\":[1.0,null],\"\":null,"
                  "\"c\":[]},\"r\":{\"s\":{\"k\":3}}}\n"
                  "{\"a\":null,\"m\":null,\"r\":null}\n");
}

static void test_unsupported_types(void **state)
{
    struct probe p = JSON("ROW<a INT, m MAP<INT, STRING>>");

    (void)state;
    p.no_hint = false;
    probe_expect(p, "",
                 "error: format 'json' cannot hold 'm' of type MAP<INT, STRING> (keys of maps and elements of "
                 "multisets must be strings in json)\n");
}

/* Long strings with escapes around block borders, in and out. */
static void test_long_strings(void **state)
{
    char text[4096], expected[4096], *got;
    struct probe p = JSON("ROW<a STRING>");

    (void)state;
    for (int before = 0; before < 140; before++) {
        char *t = text + sprintf(text, "{\"a\":\""), *x = expected + sprintf(expected, "{\"a\":\"");
        for (int i = 0; i < before; i++) *t++ = *x++ = (char)('a' + i % 26);
        t += sprintf(t, "\\u0022\\t\\u00e9 tail \\\\ end\"}\n");
        x += sprintf(x, "\\\"\\t\xc3\xa9 tail \\\\ end\"}\n");
        got = probe_recode(&p, text, strlen(text));
        assert_string_equal(got, expected);
        free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_rows),
        cmocka_unit_test(test_members_move),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_large_map),
        cmocka_unit_test(test_errors_have_positions),
        cmocka_unit_test(test_errors_name_the_path),
        cmocka_unit_test(test_on_error),
        cmocka_unit_test(test_ignore_parse_errors),
        cmocka_unit_test(test_missing_fields),
        cmocka_unit_test(test_projection),
        cmocka_unit_test(test_overlong),
        cmocka_unit_test(test_splits_begin_anywhere),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_unsupported_types),
        cmocka_unit_test(test_long_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
