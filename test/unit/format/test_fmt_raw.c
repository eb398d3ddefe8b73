/* test_fmt_raw.c - one column as bytes: lines, fixed widths, charsets, messages, and what cannot be written. */
#include "support/format_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct fmt_type fmt_raw, fmt_json;

#define RAW(SCHEMA, ...) ((struct probe){.format = &fmt_raw, .schema = (SCHEMA), .no_hint = true, __VA_ARGS__})
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define BYTES(text) text, sizeof(text) - 1

static void test_lines(void **state)
{
    struct probe p = RAW("ROW<line STRING>");
    char *got;

    (void)state;
    probe_expect(p, "one\n\ntwo, and more than twelve bytes\r\n,\"three\"",
                 "+I[one]\n+I[]\n+I[two, and more than twelve bytes]\n+I[,\"three\"]\n");
    probe_expect(p, "\xef\xbb\xbfone\n\xef\xbb\xbftwo\n", "+I[one]\n+I[\xef\xbb\xbftwo]\n");
    probe_expect(p, "", "");
    probe_expect(p, "ok\nno\xff\n",
                 "+I[ok]\nerror: file:2:3: column 'line' (STRING): byte 0xff is not valid in raw.charset\n");
    p.on_error = ON_ERROR_SKIP;
    p.options = OPTIONS("raw.max-record-size", "5");
    probe_expect(p, "12345\n123456\nno\xff\n123456789", "+I[12345]\n");
    p.on_error = ON_ERROR_DEAD_LETTER;
    got = probe_decode(&p, "123456\nno\xff\n123456789", 20, NULL, 0);
    assert_string_equal(got, "dead file:1:1: the record is longer than 5 bytes (raw.max-record-size) | 12345\n"
                             "dead file:2:3: column 'line' (STRING): byte 0xff is not valid in raw.charset | no\xff\n"
                             "dead file:3:1: the record is longer than 5 bytes (raw.max-record-size) | 12345\n");
    free(got);
    probe_expect(RAW("ROW<b BYTES>"), "a\xff\r\nb", "+I[x'61ff0d']\n+I[x'62']\n");
}

static void test_fixed_widths(void **state)
{
    (void)state;
    probe_expect_bytes(RAW("ROW<n INT>"), BYTES("\0\0\0\1\xff\xff\xff\xfe\n\n\n\n"), "+I[1]\n+I[-2]\n+I[168430090]\n");
    probe_expect_bytes(RAW("ROW<n BIGINT>", .options = OPTIONS("raw.endianness", "little-endian")),
                       BYTES("\1\0\0\0\0\0\0\0\2\1\0\0\0\0\0\0"), "+I[1]\n+I[258]\n");
    probe_expect_bytes(RAW("ROW<n SMALLINT>"), BYTES("\1\2\x80\0"), "+I[258]\n+I[-32768]\n");
    probe_expect_bytes(RAW("ROW<n TINYINT>"), BYTES("\1\xff"), "+I[1]\n+I[-1]\n");
    probe_expect_bytes(RAW("ROW<n DOUBLE>"), BYTES("\x3f\xf8\0\0\0\0\0\0"), "+I[1.5]\n");
    probe_expect_bytes(RAW("ROW<n FLOAT>"), BYTES("\x3f\xc0\0\0"), "+I[1.5]\n");
    probe_expect_bytes(RAW("ROW<n BOOLEAN>"), BYTES("\1\0\2"),
                       "+I[true]\n+I[false]\nerror: file@2:1: column 'n' (BOOLEAN): byte 0x02 is neither 0 nor 1\n");
    probe_expect_bytes(RAW("ROW<n INT>"), BYTES("\0\0\0\1\0\0\0"),
                       "+I[1]\nerror: file@4:1: column 'n' (INT): expected 4 bytes, found 3\n");
    assert_false(fmt_raw.is_splittable(&(struct type){.kind = T_ROW}, NULL));
}

static void messages_expect(struct probe p, const char *const *messages, size_t count, const char *expected)
{
    char *got = probe_messages(&p, messages, count);

    assert_string_equal(got, expected);
    free(got);
}

static void test_messages(void **state)
{
    const char *texts[] = {"a\nb", "", NULL, "\xe9"}, *numbers[] = {"\1\2", "", NULL, "\1"};

    (void)state;
    messages_expect(
        RAW("ROW<s STRING>"), texts, 4,
        "+I[a\nb]\n+I[]\n+I[null]\nerror: file@1003:1: column 's' (STRING): byte 0xe9 is not valid in raw.charset\n");
    messages_expect(RAW("ROW<s STRING>", .options = OPTIONS("raw.charset", "iso-8859-1")), texts, 4,
                    "+I[a\nb]\n+I[]\n+I[null]\n+I[\xc3\xa9]\n");
    messages_expect(
        RAW("ROW<n SMALLINT>"), numbers, 4,
        "+I[258]\n+I[null]\n+I[null]\nerror: file@1003:1: column 'n' (SMALLINT): expected 2 bytes, found 1\n");
    messages_expect(RAW("ROW<s STRING>", .options = OPTIONS("raw.charset", "UTF-16LE")),
                    (const char *[]){"a\x01\xac\x20\x3d\xd8\x01\xde"}, 1, "+I[\xc5\xa1\xe2\x82\xac\xf0\x9f\x98\x81]\n");
    messages_expect(RAW("ROW<s STRING>", .options = OPTIONS("raw.charset", "UTF-16")),
                    (const char *[]){"\xfe\xff\x20\xac", "\xff\xfe\xac\x20", "\x20\xac", "\x20\xac\xd8"}, 4,
                    "+I[\xe2\x82\xac]\n+I[\xe2\x82\xac]\n+I[\xe2\x82\xac]\nerror: file@1003:3: column 's' (STRING): "
                    "byte 0xd8 is not valid in raw.charset\n");
    messages_expect(RAW("ROW<s STRING>", .options = OPTIONS("raw.charset", "US-ASCII")), (const char *[]){"ok", "\x80"},
                    2, "+I[ok]\nerror: file@1001:1: column 's' (STRING): byte 0x80 is not valid in raw.charset\n");
}

static void recode_expect(struct probe p, const char *bytes, size_t size, const char *expected, size_t expected_size)
{
    char *got = probe_recode(&p, bytes, size);

    assert_memory_equal(got, expected, expected_size);
    assert_int_equal(got[expected_size], 0);
    free(got);
}

static void test_encode(void **state)
{
    struct probe p = RAW("ROW<s STRING>");
    char *got;

    (void)state;
    recode_expect(p, BYTES("one\n\ntwo\r\nthree"), BYTES("one\n\ntwo\nthree\n"));
    p.options = OPTIONS("raw.charset", "ISO-8859-1");
    recode_expect(p, BYTES("caf\xe9\n"), BYTES("caf\xe9\n"));
    p = RAW("ROW<n INT>", .options = OPTIONS("raw.endianness", "little-endian"));
    recode_expect(p, BYTES("\1\2\3\4\5\6\7\x08"), BYTES("\1\2\3\4\5\6\7\x08"));
    p = RAW("ROW<s STRING>", .options = OPTIONS("raw.charset", "ISO-8859-1"));
    got = probe_recode_rows(&p, BYTES("\xe9\nx\n"));
    assert_string_equal(got, "\xe9\nx\n");
    free(got);
}

/* From json to raw, so that values come which raw itself would not have read. */
static void write_expect(const char *schema, const char *json, const char *const *options, const char *expected)
{
    struct probe p = {
        .format = &fmt_json, .schema = schema, .writer = &fmt_raw, .writer_options = options, .no_hint = true};
    char *got = probe_recode(&p, json, strlen(json));

    assert_string_equal(got, expected);
    free(got);
}

static void test_what_cannot_be_written(void **state)
{
    (void)state;
    write_expect(
        "ROW<s STRING>", "{\"s\":\"a\\nb\"}", NULL,
        "error: format 'raw' cannot write column 's': 'a\\nb' holds a line break, which would end the record\n");
    write_expect(
        "ROW<s STRING>", "{\"s\":\"a\\r\"}", NULL,
        "error: format 'raw' cannot write column 's': 'a\\r' ends in a carriage return, which would be lost\n");
    write_expect("ROW<s STRING>", "{\"s\":\"\\u20ac\"}", OPTIONS("raw.charset", "ISO-8859-1"),
                 "error: format 'raw' cannot write column 's': '\xe2\x82\xac' holds a character that raw.charset does "
                 "not have\n");
    write_expect("ROW<s INT>", "{}", NULL, "error: format 'raw' cannot write column 's': 'NULL' has no bytes\n");
    write_expect("ROW<s STRING>", "{\"s\":\"x\"}\n{}\n{\"s\":\"y\"}\n", NULL, "x\n\ny\n");
    write_expect("ROW<s STRING>", "{\"s\":\"x\"}", OPTIONS("raw.charset", "UTF-16BE"),
                 "error: format 'raw' writes UTF-16 to messages only, not to files\n");
}

static void test_refused(void **state)
{
    struct probe p = RAW("ROW<a INT, b INT>");

    (void)state;
    probe_expect(p, "", "error: format 'raw' holds one column, but the table has 2\n");
    p.schema = "ROW<a DATE>";
    p.no_hint = false;
    probe_expect(p, "",
                 "error: format 'raw' cannot hold column 'a' (raw holds booleans, whole and floating numbers, strings "
                 "and bytes)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_fixed_widths),           cmocka_unit_test(test_messages),
        cmocka_unit_test(test_encode), cmocka_unit_test(test_what_cannot_be_written), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
