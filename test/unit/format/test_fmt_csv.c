/* test_fmt_csv.c - what csv text means: values, NULL, quotes, records; exact errors and positions. */
#include "support/format_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct fmt_type fmt_csv;

#define CSV(SCHEMA, ...) ((struct probe){.format = &fmt_csv, .schema = (SCHEMA), .no_hint = true, __VA_ARGS__})
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_plain_rows(void **state)
{
    (void)state;
    probe_expect(CSV("ROW<a INT, b STRING>"), "1,x\n-2,yy\n", "+I[1, x]\n+I[-2, yy]\n");
    probe_expect(CSV("ROW<a INT, b STRING>"), "1,x\n-2,yy", "+I[1, x]\n+I[-2, yy]\n");
    probe_expect(CSV("ROW<a INT, b STRING>"), "1,x\r\n-2,yy\r\n", "+I[1, x]\n+I[-2, yy]\n");
    probe_expect(CSV("ROW<a INT, b STRING>"), "1,x\r\n-2,yy\r", "+I[1, x]\n+I[-2, yy]\n");
    probe_expect(CSV("ROW<a INT, b STRING>"), "", "");
    probe_expect(CSV("ROW<a INT, b STRING>"), "\n\n1,x\n\r\n\n", "+I[1, x]\n");
    probe_expect(CSV("ROW<a INT, b STRING>"),
                 "\xef\xbb\xbf"
                 "1,x\n",
                 "+I[1, x]\n");
    probe_expect(CSV("ROW<a INT>"), "1\n\n3\n", "+I[1]\n+I[null]\n+I[3]\n");
}

static void test_every_type(void **state)
{
    (void)state;
    probe_expect(
        CSV("ROW<a TINYINT, b SMALLINT, c INT, d BIGINT>"),
        "127,32767,2147483647,9223372036854775807\n-128,-32768,-2147483648,-9223372036854775808\n +1 , 2 ,3.0,4e2\n",
        "+I[127, 32767, 2147483647, 9223372036854775807]\n+I[-128, -32768, -2147483648, -9223372036854775808]\n"
        "+I[1, 2, 3, 400]\n");
    probe_expect(CSV("ROW<a FLOAT, b DOUBLE>"),
                 "1.5,-2.25e10\n3.4028235E38,1.7976931348623157E308\nNaN,-Infinity\n0.1,0.1\n.5,5.\n",
                 "+I[1.5, -2.25E10]\n+I[3.4028235E38, 1.7976931348623157E308]\n+I[NaN, -Infinity]\n+I[0.1, "
                 "0.1]\n+I[0.5, 5.0]\n");
    probe_expect(
        CSV("ROW<a DECIMAL(10, 2), b DECIMAL(38, 10)>"),
        "12.345,12345678901234567890.1234567891\n-0.005,1E+5\n99999999.99,0\n",
        "+I[12.35, 12345678901234567890.1234567891]\n+I[-0.01, 100000.0000000000]\n+I[99999999.99, 0.0000000000]\n");
    probe_expect(
        CSV("ROW<a BOOLEAN, b DATE, c TIME(3), d TIMESTAMP(3)>"),
        "true,2001-01-31,10:20:30.5,2001-01-31 10:20:30.123\nFALSE,0001-01-01,23:59:59,9999-12-31T23:59:59.999\n",
        "+I[true, 2001-01-31, 10:20:30.500, 2001-01-31T10:20:30.123]\n+I[false, 0001-01-01, 23:59:59, "
        "9999-12-31T23:59:59.999]\n");
    probe_expect(
        CSV("ROW<a TIMESTAMP(0), b TIMESTAMP(6), c TIMESTAMP(9), d TIMESTAMP_LTZ(3)>"),
        "2001-01-31 10:20:30.987,2001-01-31 10:20:30.123456789,2001-01-31 10:20:30.123456789,2001-01-31 10:20:30.1Z\n"
        "1969-12-31 23:59:59.9,1969-12-31 23:59:59.9999999,1969-12-31 23:59,1969-12-31 23:59Z\n",
        "+I[2001-01-31T10:20:30, 2001-01-31T10:20:30.123456, 2001-01-31T10:20:30.123456789, 2001-01-31T10:20:30.100Z]\n"
        "+I[1969-12-31T23:59:59, 1969-12-31T23:59:59.999999, 1969-12-31T23:59, 1969-12-31T23:59:00Z]\n");
    probe_expect(CSV("ROW<a BYTES, b BINARY(2), c CHAR(3), d INTERVAL YEAR TO MONTH, e INTERVAL DAY TO SECOND>"),
                 "aGk=,AAE=,abc,14,1500\n", "+I[x'6869', x'0001', abc, P1Y2M, PT1.5S]\n");
}

static void test_quotes(void **state)
{
    struct probe p = CSV("ROW<a STRING, b STRING>");

    (void)state;
    probe_expect(p, "\"x\",\"a,b\"\n\"\",\"say \"\"hi\"\"\"\n", "+I[x, a,b]\n+I[, say \"hi\"]\n");
    probe_expect(p, "\"line one\nline two\",\"\r\n\"\r\n1,2\n", "+I[line one\nline two, \r\n]\n+I[1, 2]\n");
    probe_expect(p, "5\" pipe,it's \"so\"\nx,\"y\"\n", "+I[5\" pipe, it's \"so\"]\n+I[x, y]\n");
    probe_expect(p, "\"\"\"\",\"\"\"a\"\"\"\n", "+I[\", \"a\"]\n");
    probe_expect(p, "\"a long quoted field of more than twelve bytes\",an unquoted one of more than twelve\n",
                 "+I[a long quoted field of more than twelve bytes, an unquoted one of more than twelve]\n");
    p.options = OPTIONS("csv.disable-quote-character", "true");
    probe_expect(p, "\"x,y\"\n", "+I[\"x, y\"]\n");
    p.options = OPTIONS("csv.quote-character", "'", "csv.field-delimiter", ";");
    probe_expect(p, "'x;y';\"z\"\n", "+I[x;y, \"z\"]\n");
    p.options = OPTIONS("csv.field-delimiter", "\\t");
    probe_expect(p, "x,\ty\n", "+I[x,, y]\n");
    p.options = OPTIONS("csv.field-delimiter", "\\u0001");
    probe_expect(p, "x\001y\n", "+I[x, y]\n");
}

static void test_escapes_and_comments(void **state)
{
    struct probe p = CSV("ROW<a STRING, b STRING>", .options = OPTIONS("csv.escape-character", "\\"));

    (void)state;
    probe_expect(p, "a\\,b,c\\\\d\n\"x\\\"y\",\"\\n\"\nl\\\nm,1\n", "+I[a,b, c\\d]\n+I[x\"y, \n]\n+I[l\nm, 1]\n");
    p.options = OPTIONS("csv.allow-comments", "true");
    probe_expect(p, "# one\n1,#2\n#\n\"#3\",4\n# end", "+I[1, #2]\n+I[#3, 4]\n");
    p.options = OPTIONS("csv.allow-comments", "true", "csv.escape-character", "\\");
    probe_expect(p, "# one, \"two\n\\#1,2\n", "+I[#1, 2]\n");
}

static void test_null_and_empty(void **state)
{
    struct probe p = CSV("ROW<a INT, b STRING, c DOUBLE>");

    (void)state;
    probe_expect(p, ",,\n\"\",\"\",\"\"\n", "+I[null, , null]\n+I[null, , null]\n");
    p.options = OPTIONS("csv.null-literal", "\\N");
    probe_expect(p, "\\N,\\N,\\N\n,,\n1,\"\\N\",\"\\N\"\n",
                 "+I[null, null, null]\n+I[null, , null]\n+I[1, \\N, null]\n");
    p.options = OPTIONS("csv.null-literal", "");
    probe_expect(p, ",,\n1,\"\",2\n", "+I[null, null, null]\n+I[1, , 2.0]\n");
    p.options = OPTIONS("csv.null-literal", "-1");
    probe_expect(p, "-1,-1,-1\n-11,-11,-11\n", "+I[null, null, null]\n+I[-11, -11, -11.0]\n");
    p = CSV("ROW<a INT NOT NULL, b STRING NOT NULL>", .options = OPTIONS("csv.null-literal", "NULL"));
    probe_expect(p, "1,x\n2,NULL\n",
                 "+I[1, x]\nerror: file:2:3: column 'b' (STRING): the field is empty, but the column is NOT NULL\n");
}

static void test_nested(void **state)
{
    struct probe p = CSV("ROW<a ARRAY<INT>, b ROW<x INT, y STRING>, c ARRAY<STRING>>");

    (void)state;
    probe_expect(p, "1;2;3,7;seven,a;;b\n,,\n\"\",5;\"\",\"x,y;z\"\n",
                 "+I[[1, 2, 3], +I[7, seven], [a, , b]]\n+I[null, null, null]\n+I[[], +I[5, \"\"], [x,y, z]]\n");
    probe_expect(p, "\"\",;,\"x,y;z\"\n1;;3,1;2,z\n",
                 "+I[[], +I[null, ], [x,y, z]]\n+I[[1, null, 3], +I[1, 2], [z]]\n");
    p.options = OPTIONS("csv.array-element-delimiter", "--", "csv.null-literal", "nil");
    probe_expect(p, "1--nil,nil--nil,nil\n", "+I[[1, null], +I[null, null], null]\n");
    p.options = NULL;
    probe_expect(p, "1;x;3,1;2,\n", "error: file:1:1: column 'a' (ARRAY<INT>): 'x' is not a whole number\n");
    probe_expect(p, "1,1;2;3,\n",
                 "error: file:1:3: column 'b' (ROW<`x` INT, `y` STRING>): expected 2 elements, found 3 in '1;2;3'\n");
    p.schema = "ROW<a INT, m MAP<STRING, ARRAY<INT>>>";
    p.no_hint = false;
    probe_expect(
        p, "1,2\n",
        "error: format 'csv' cannot hold column 'm' of type MAP<STRING, ARRAY<INT>> (csv holds scalars, and arrays and"
        " rows of scalars; use the format json for maps and deeper nesting)\n");
}

static void test_errors_have_positions(void **state)
{
    struct probe p = CSV("ROW<id INT, name STRING, price DOUBLE>");

    (void)state;
    probe_expect(p, "1,a,2\n2,b\n", "+I[1, a, 2.0]\nerror: file:2:4: expected 3 fields, found 2 in '2,b'\n");
    probe_expect(p, "1,a,2,,x\n", "error: file:1:7: expected 3 fields, found 5 in '1,a,2,,x'\n");
    probe_expect(p, "1,a,2\n2,\"x\ny\",3\n4,\"\nz\",abc\n",
                 "+I[1, a, 2.0]\n+I[2, x\ny, 3.0]\n"
                 "error: file:5:4: column 'price' (DOUBLE): 'abc' is not a number\n");
    probe_expect(p, "1,a,2\n12x,a,2\n",
                 "+I[1, a, 2.0]\nerror: file:2:1: column 'id' (INT): '12x' is not a whole number\n");
    probe_expect(
        p, "2147483648,a,2\n",
        "error: file:1:1: column 'id' (INT): '2147483648' is out of range for INT (-2147483648 to 2147483647)\n");
    probe_expect(p, "1.5,a,2\n",
                 "error: file:1:1: column 'id' (INT): '1.5' has a fraction where a whole number is expected\n");
    probe_expect(p, "1,\"a\"b,2\n", "error: file:1:6: text after the closing quote of a field\n");
    probe_expect(p, "1,\"a\"\rb,2\n", "error: file:1:6: text after the closing quote of a field\n");
    probe_expect(p, "1,x,1\n1,\"a,2\n3,4,5\n",
                 "+I[1, x, 1.0]\nerror: file:2:3: the quote opened here is not closed before the end of the input\n");
    probe_expect(p, "1,caf\xe9,2\n", "error: file:1:6: byte 0xe9 is not valid UTF-8\n");
    probe_expect(p, "1,caf\xc3\xa9,2\n1,\xed\xa0\x80,2\n",
                 "+I[1, caf\xc3\xa9, 2.0]\nerror: file:2:3: byte 0xed is not valid UTF-8\n");
    probe_expect_bytes(p, "1,a,2\n1,a\0b,2\n", 13, "+I[1, a, 2.0]\nerror: file:2:4: a NUL byte stands in the text\n");
    p.no_hint = false;
    probe_expect(
        p, "x,a,2\n",
        "error: file:1:1: column 'id' (INT): 'x' is not a whole number (correct the value; 'csv.ignore-parse-errors' = "
        "'true' reads it as NULL, 'on-error' = 'skip' drops the record)\n");
    probe_expect(
        p, "x\n",
        "error: file:1:2: expected 3 fields, found 1 in 'x' (correct the record, or set 'on-error' = 'skip' or "
        "'dead-letter' to go on without it)\n");
}

static void test_texts_of_types(void **state)
{
    (void)state;
    probe_expect(CSV("ROW<a DATE>"), "2001-02-29\n",
                 "error: file:1:1: column 'a' (DATE): '2001-02-29' is not a date such as 2001-01-31\n");
    probe_expect(CSV("ROW<a TIME>"), "24:00:00\n",
                 "error: file:1:1: column 'a' (TIME(0)): '24:00:00' is not a time such as 10:20:30\n");
    probe_expect(CSV("ROW<a TIMESTAMP(3)>"), "2001-01-31 25:00:00\n",
                 "error: file:1:1: column 'a' (TIMESTAMP(3)): '2001-01-31 25:00:00' is not a timestamp such as "
                 "2001-01-31 10:20:30.123\n");
    probe_expect(CSV("ROW<a DECIMAL(4, 2)>"), "99.99\n100\n",
                 "+I[99.99]\nerror: file:2:1: column 'a' (DECIMAL(4, 2)): '100' is out of range for "
                 "DECIMAL(4, 2)\n");
    probe_expect(CSV("ROW<a BOOLEAN>"), "yes\n",
                 "error: file:1:1: column 'a' (BOOLEAN): 'yes' is neither true nor false\n");
    probe_expect(CSV("ROW<a BYTES>"), "a\n",
                 "error: file:1:1: column 'a' (BYTES): 'a' is not base64, as bytes are written\n");
    probe_expect(CSV("ROW<a DOUBLE>"), "1e400\n",
                 "error: file:1:1: column 'a' (DOUBLE): '1e400' is out of range for DOUBLE\n");
    probe_expect(CSV("ROW<a INT NOT NULL>"), "a\tb\xff\x01\n", "error: file:1:4: byte 0xff is not valid UTF-8\n");
    probe_expect(CSV("ROW<a INT NOT NULL>"),
                 "a\tb\x01"
                 "0123456789012345678901234567890123456789012345678901234567890123456789\n",
                 "error: file:1:1: column 'a' (INT): "
                 "'a\\tb\\x01012345678901234567890123456789012345678901234567890123456789...' is not a whole number\n");
}

static void test_on_error(void **state)
{
    const char *text = "1,a\n2\n3,c\nx,d\n5,\"e\n\",\n6,f\n\"7\"x,g\n8,\xff\n9,i\n";
    struct probe p = CSV("ROW<a INT, b STRING>", .on_error = ON_ERROR_SKIP);
    char *got;

    (void)state;
    probe_expect(p, text, "+I[1, a]\n+I[3, c]\n+I[6, f]\n+I[9, i]\n");
    got = probe_decode(&p, text, strlen(text), NULL, 0);
    free(got);
    assert_int_equal(p.bad_records, 5);
    p.on_error = ON_ERROR_DEAD_LETTER;
    p.batch_rows = 1;
    got = probe_decode(&p, text, strlen(text), NULL, 0);
    assert_string_equal(got, "+I[1, a]\n"
                             "dead file:2:2: expected 2 fields, found 1 in '2' | 2\n"
                             "+I[3, c]\n"
                             "dead file:4:1: column 'a' (INT): 'x' is not a whole number | x,d\n"
                             "dead file:6:3: expected 2 fields, found 3 in '5,\"e\\n\",' | 5,\"e\n\",\n"
                             "+I[6, f]\n"
                             "dead file:8:4: text after the closing quote of a field | \"7\"x,g\n"
                             "dead file:9:3: byte 0xff is not valid UTF-8 | 8,\xff\n"
                             "+I[9, i]\n");
    free(got);
}

static void test_ignore_parse_errors(void **state)
{
    struct probe p =
        CSV("ROW<a INT, b ARRAY<INT>, c INT NOT NULL>", .options = OPTIONS("csv.ignore-parse-errors", "true"));

    (void)state;
    probe_expect(p, "x,1;y,3\n4,5\n5,6,7\n1,2,z\n", "+I[null, null, 3]\n+I[5, [6], 7]\n");
}

static void test_projection(void **state)
{
    uint64_t needed = 4;
    struct probe p = CSV("ROW<a INT, b STRING, c INT, d DOUBLE>", .needed = &needed);

    (void)state;
    probe_expect(p, "x,\"y\n\",3,nonsense\n,,4,\n", "+I[?, ?, 3, ?]\n+I[?, ?, 4, ?]\n");
    probe_expect(p, "1,2,3\n", "error: file:1:6: expected 4 fields, found 3 in '1,2,3'\n");
    needed = 0;
    probe_expect(p, "x,y,z,w\n", "+I[?, ?, ?, ?]\n");
}

static void test_header(void **state)
{
    struct probe p = CSV("ROW<id INT, name STRING>", .options = OPTIONS("csv.header", "true"));

    (void)state;
    probe_expect(p, "id,name\n1,x\n", "+I[1, x]\n");
    probe_expect(p, "\xef\xbb\xbf\"ID\", Name \r\n1,x\r\n", "+I[1, x]\n");
    probe_expect(p, "id,name", "");
    probe_expect(p, "", "");
    probe_expect(p, "id,nom\n1,x\n", "error: file:1:4: the header says 'nom' where column 'name' is expected\n");
    probe_expect(p, "id\n1,x\n", "error: file:1:1: the header names 1 columns, the table has 2\n");
    p.options = OPTIONS("csv.header", "auto");
    probe_expect(p, "id,name\n1,x\n", "+I[1, x]\n");
    probe_expect(p, "1,x\n", "+I[1, x]\n");
    probe_expect(p, "1,x\nid,name\n", "+I[1, x]\nerror: file:2:1: column 'id' (INT): 'id' is not a whole number\n");
    p.offset = 100;
    p.line = 7;
    p.options = OPTIONS("csv.header", "true");
    probe_expect(p, "1,x\ny,x\n", "+I[1, x]\nerror: file:8:1: column 'id' (INT): 'y' is not a whole number\n");
    p.line = 0;
    probe_expect(p, "1,x\ny,x\n", "+I[1, x]\nerror: file@104:1: column 'id' (INT): 'y' is not a whole number\n");
}

static void test_overlong(void **state)
{
    struct probe p =
        CSV("ROW<a STRING, b STRING>", .options = OPTIONS("csv.max-record-size", "20"), .on_error = ON_ERROR_SKIP);

    (void)state;
    probe_expect(p, "0123456789,012345678\n01234567890,012345678\nx,y\n", "+I[0123456789, 012345678]\n+I[x, y]\n");
    probe_expect(p, "x,y\n01234567890,012345678", "+I[x, y]\n");
    probe_expect(p, "a,b\n\"\n\n0123456789012345678,0\n1\",2\nx,y\n", "+I[a, b]\n+I[1\", 2]\n+I[x, y]\n");
    p.on_error = ON_ERROR_FAIL;
    probe_expect(p, "a,b\n\"\n\n0123456789012345678,0\n1\",2\nx,y\n",
                 "+I[a, b]\n"
                 "error: file:2:1: the record is longer than 20 bytes (csv.max-record-size); the quote opened in line "
                 "2 is not closed\n");
    probe_expect(p, "a,b\n012345678901234567890\n",
                 "+I[a, b]\nerror: file:2:1: the record is longer than 20 bytes (csv.max-record-size)\n");
}

/* Records that are longer than a chunk of the scanner, and many of them. */
static void test_long_records(void **state)
{
    enum { SIZE = 200 * 1024 };
    char *text = malloc(2 * SIZE + 64), *expected = malloc(2 * SIZE + 64), *p = text;
    struct probe probe = CSV("ROW<a INT, b STRING>");
    size_t cuts[] = {1, 32767, 32768, 32769, 65536, 100000, SIZE + 10, SIZE + 11};

    (void)state;
    p += sprintf(p, "1,");
    memset(p, 'x', SIZE);
    p += sprintf(p + SIZE, "\n2,\"") + SIZE;
    for (int i = 0; i < SIZE; i++) *p++ = i % 100 == 99 ? '\n' : i % 10 == 9 ? ',' : 'y';
    p += sprintf(p, "\"\n3,z\n");
    *p = 0;
    p = expected;
    p += sprintf(p, "+I[1, ");
    memset(p, 'x', SIZE);
    p += sprintf(p + SIZE, "]\n+I[2, ") + SIZE;
    memcpy(p, text + SIZE + 6, SIZE);
    sprintf(p + SIZE, "]\n+I[3, z]\n");
    for (size_t i = 0; i <= COUNT_OF(cuts); i++) {
        char *got = probe_decode(&probe, text, strlen(text), cuts, i);
        assert_string_equal(got, expected);
        assert_int_equal(probe.end_line, 4 + SIZE / 100);
        free(got);
    }
    free(text);
    free(expected);
}

static void test_messages(void **state)
{
    const char *messages[] = {"1,x", "2,\"y\nz\"\n", NULL, "3,a\n4,b\n5,c", "6"};
    struct probe p = CSV("ROW<a INT, b STRING>");

    (void)state;
    for (p.batch_rows = 1; p.batch_rows < 8; p.batch_rows++) {
        char *got = probe_messages(&p, messages, COUNT_OF(messages));
        assert_string_equal(got, "+I[1, x]\n+I[2, y\nz]\n+I[3, a]\n+I[4, b]\n+I[5, c]\nerror: file@1004:2: expected 2 "
                                 "fields, found 1 in '6'\n");
        free(got);
    }
}

static void test_bad_options(void **state)
{
    struct probe p = CSV("ROW<a INT>", .options = OPTIONS("csv.field-delimiter", "ab"));

    (void)state;
    probe_expect(p, "", "error: option 'csv.field-delimiter' = 'ab' is not one ASCII character\n");
    p.options = OPTIONS("csv.quote-character", ",");
    probe_expect(
        p, "",
        "error: csv.field-delimiter, csv.quote-character and csv.escape-character must differ from each other\n");
    p.options = OPTIONS("csv.array-element-delimiter", "");
    probe_expect(p, "", "error: option 'csv.array-element-delimiter' is empty\n");
}

static void recode_expect(struct probe p, const char *text, const char *expected)
{
    char *got = probe_recode(&p, text, strlen(text)), *again;

    assert_string_equal(got, expected);
    again = probe_recode(&p, got, strlen(got));
    assert_string_equal(again, expected);
    free(got);
    free(again);
}

static void test_encode(void **state)
{
    struct probe p = CSV("ROW<a INT, b STRING, c DOUBLE, d DECIMAL(20, 3)>");

    (void)state;
    recode_expect(p, "1,x,2.5,100000\n,\"a,b\",NaN,0.010\n-7,\"say \"\"hi\"\"\n\",1e300,\n",
                  "1,x,2.5,1E+5\n,\"a,b\",NaN,0.01\n-7,\"say \"\"hi\"\"\n\",1.0E300,\n");
    p.options = OPTIONS("csv.write-bigdecimal-in-scientific-notation", "false", "csv.null-literal", "nil", "csv.header",
                        "true");
    recode_expect(p, "a,b,c,d\n1,nil,nil,100000\nnil,\"nil\",0,12345678901234567.891\n",
                  "a,b,c,d\n1,nil,nil,100000\nnil,\"nil\",0.0,12345678901234567.891\n");
    p = CSV("ROW<a DATE, b TIME(3), c TIMESTAMP(9), d TIMESTAMP_LTZ(3), e BYTES, f BOOLEAN>");
    recode_expect(p, "2001-01-31,10:20:30.120,2001-01-31T10:20:30.000000100,1969-12-31 23:59:59.999Z,AAECAw==,true\n",
                  "2001-01-31,10:20:30.12,2001-01-31 10:20:30.0000001,1969-12-31 23:59:59.999Z,AAECAw==,true\n");
    p = CSV("ROW<a ARRAY<INT>, b ROW<x INT, y STRING>, c ARRAY<STRING>>");
    recode_expect(p, "1;2;,7;\"x\",a;;\"b\n\"\",;,\"c,d\"\n,,x\n",
                  "1;2;,\"7;\"\"x\"\"\",\"a;;\"\"b\"\n\"\",;,\"c,d\"\n,,x\n");
    p = CSV("ROW<a STRING, b INT>", .options = OPTIONS("csv.allow-comments", "true", "csv.escape-character", "\\"));
    recode_expect(p, "\"#1\",1\na\\,\\\\\"\\n,2\n", "\"#1\",1\n\"a,\\\\\"\"\n\",2\n");
    p.options = OPTIONS("csv.disable-quote-character", "true", "csv.escape-character", "\\");
    recode_expect(p, "a\\,\\\\\"\\n\\r,2\n", "a\\,\\\\\"\\n\\r,2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_rows),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_escapes_and_comments),
        cmocka_unit_test(test_null_and_empty),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_errors_have_positions),
        cmocka_unit_test(test_texts_of_types),
        cmocka_unit_test(test_on_error),
        cmocka_unit_test(test_ignore_parse_errors),
        cmocka_unit_test(test_projection),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_overlong),
        cmocka_unit_test(test_long_records),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
