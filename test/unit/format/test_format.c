/* test_format.c - the list of formats, look-up, picking options, and what one format writes of what another read. */
#include "support/format_probe.h"

#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct fmt_type fmt_csv, fmt_json;

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_find(void **state)
{
    const struct fmt_type *found = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(format_find("json", &found, &e), S_OK);
    assert_ptr_equal(found, &fmt_json);
    assert_int_equal(format_find("jsom", &found, &e), E_CONFIG);
    assert_string_equal(e.text, "unknown format 'jsom'; the formats are canal-json, csv, debezium-json, json, maxwell-json, ogg-json, raw");
    assert_string_equal(e.hint, "did you mean 'json'?");
    err_clear(&e);
    assert_int_equal(format_find("parquet", &found, &e), E_CONFIG);
    assert_string_equal(e.hint, "");
}

static void test_list_is_sorted_and_told(void **state)
{
    (void)state;
    for (uint32_t i = 0; fmt_types[i]; i++) {
        const struct fmt_type *f = fmt_types[i];
        if (i) assert_true(strcmp(fmt_types[i - 1]->name, f->name) < 0);
        assert_true(strlen(f->doc) > 20 && strlen(f->example) > 10);
        for (const struct option_def *o = f->options; o->key; o++) {
            assert_int_equal(strncmp(o->key, f->name, strlen(f->name)), 0);
            assert_true(strlen(o->doc) >= 10);
        }
    }
}

static void test_options_are_picked(void **state)
{
    const struct option items[] = {
        {"path", "x"}, {"value.csv.header", "true"}, {"csv.null-literal", "-"}, {"value.csvx.y", "1"}, {"csv", "2"}};
    const struct options all = {items, COUNT_OF(items)};
    struct options picked;
    struct arena a;
    struct mem mem;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    picked = format_options(&fmt_csv, &all, "", &a);
    assert_int_equal(picked.count, 1);
    assert_string_equal(picked.items[0].key, "csv.null-literal");
    picked = format_options(&fmt_csv, &all, "value.", &a);
    assert_int_equal(picked.count, 1);
    assert_string_equal(picked.items[0].key, "csv.header");
    assert_string_equal(picked.items[0].value, "true");
    arena_release(&a);
    mem_release(&mem);
}

static void test_positions(void **state)
{
    struct format_position at = {.name = "flights.csv", .line = 12, .column = 7, .offset = 900};
    struct buf out;
    struct mem mem;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&out, &mem);
    format_position_print(&at, &out);
    assert_string_equal(buf_text(&out), "flights.csv:12:7");
    buf_clear(&out);
    at.line = 0;
    format_position_print(&at, &out);
    assert_string_equal(buf_text(&out), "flights.csv@900:7");
    buf_release(&out);
    mem_release(&mem);
}

static void test_unknown_options(void **state)
{
    char *got;
    struct probe p = {
        .format = &fmt_json, .schema = "ROW<a INT>", .options = OPTIONS("json.ignore-parse-error", "true")};

    (void)state;
    got = probe_decode(&p, "", 0, NULL, 0);
    assert_non_null(strstr(got, "json.ignore-parse-error"));
    assert_non_null(strstr(got, "json.ignore-parse-errors"));
    free(got);
}

/* json -> csv: csv meets values that it would not have read itself. */
static void csv_expect(const char *schema, const char *json, const char *const *options, const char *expected)
{
    struct probe p = {
        .format = &fmt_json, .schema = schema, .writer = &fmt_csv, .writer_options = options, .no_hint = true};
    char *got = probe_recode(&p, json, strlen(json));

    assert_string_equal(got, expected);
    free(got);
}

static void test_csv_refuses_what_reads_back_otherwise(void **state)
{
    const char *const *bare = OPTIONS("csv.disable-quote-character", "true");

    (void)state;
    csv_expect("ROW<a ARRAY<STRING>>", "{\"a\":[\"x\",\"y;z\"]}", NULL,
               "error: format 'csv' cannot write column 'a': 'y;z' holds the element delimiter\n");
    csv_expect("ROW<a ARRAY<STRING>>", "{\"a\":[\"\"]}", NULL,
               "error: format 'csv' cannot write column 'a': '' as the only element of an array would read back as an "
               "empty array\n");
    csv_expect("ROW<a ARRAY<STRING>>", "{\"a\":[\"nil\"]}", OPTIONS("csv.null-literal", "nil"),
               "error: format 'csv' cannot write column 'a': 'nil' is an element that would read back as NULL\n");
    csv_expect("ROW<a STRING, b STRING>", "{\"a\":\"x\",\"b\":\"y,z\"}", bare,
               "error: format 'csv' cannot write column 'b': 'y,z' holds a delimiter or line end\n");
    csv_expect("ROW<a STRING, b STRING>", "{\"a\":\"x\",\"b\":\"nil\"}",
               OPTIONS("csv.disable-quote-character", "true", "csv.null-literal", "nil"),
               "error: format 'csv' cannot write column 'b': 'nil' would read back as something else without quotes\n");
    csv_expect("ROW<a BYTES, b ARRAY<BYTES>>", "{\"a\":\"\",\"b\":[\"aGk=\",null]}\n{\"b\":[]}\n{\"a\":\"aGk=\"}\n",
               NULL, "\"\",aGk=;\n,\"\"\naGk=,\n");
    csv_expect("ROW<a BYTES, b ARRAY<BYTES>>", "{\"a\":\"aGk=\",\"b\":[\"\",null]}",
               OPTIONS("csv.null-literal", "aGk="), "\"aGk=\",;aGk=\n");
    csv_expect("ROW<b ARRAY<BYTES>>", "{\"b\":[null,\"\"]}", NULL,
               "error: format 'csv' cannot write column 'b': '' is an element that would read back as NULL\n");
    csv_expect(
        "ROW<a INT>", "{\"a\":7}", OPTIONS("csv.null-literal", "7"),
        "error: format 'csv' cannot write column 'a': '7' is csv.null-literal too and would read back as NULL\n");
    csv_expect("ROW<a STRING, b INT>", "{\"a\":\"x\\u0000\"}", NULL,
               "error: format 'csv' cannot write column 'a': 'x\\x00' holds a NUL byte\n");
    csv_expect("ROW<a STRING, b INT>", "{\"a\":\"x\\u0000\"}", OPTIONS("csv.escape-character", "\\"), "\"x\\0\",\n");
    csv_expect("ROW<a STRING, b ARRAY<INT>>",
               "{\"a\":\"x\",\"b\":[]}\n{\"b\":[null]}\n{\"a\":\"\",\"b\":[1,2]}\n{\"a\":\"nil\"}\n{\"a\":\"#"
               "\xef\xbb\xbf\"}\n{\"a\":\"\xef\xbb\xbf\"}",
               OPTIONS("csv.null-literal", "nil", "csv.allow-comments", "true"),
               "x,\"\"\nnil,\"nil\"\n,1;2\n\"nil\",nil\n\"#\xef\xbb\xbf\",nil\n\"\xef\xbb\xbf\",nil\n");
}

/* A map with a NULL key comes from no format: it is made by hand. */
static void null_key_expect(const char *mode, const char *expected)
{
    const struct option items[] = {{"json.map-null-key.mode", mode}, {"json.map-null-key.literal", "none"}};
    const struct options options = {items, COUNT_OF(items)};
    struct format_config config = {.options = &options};
    const struct type *schema = NULL;
    struct batch *batch;
    struct vector *map;
    struct arena a;
    struct mem mem;
    struct buf out;
    struct err e = {0};
    void *self;

    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    buf_init(&out, &mem);
    assert_int_equal(type_parse(&a, (struct str){"ROW<m MAP<STRING, INT>>", 23}, &schema, &e), S_OK);
    batch = batch_create(schema, 4, &mem);
    map = &batch->cols[0];
    for (uint32_t i = 0; i < 2; i++) VECTOR_VALUES(&map->children[1], int32_t)[i] = (int32_t)i;
    vector_set_null(&map->children[0], 0);
    VECTOR_VALUES(&map->children[0], struct text)[1] = text_view("k", 1);
    VECTOR_VALUES(map, struct list_ref)[0] = (struct list_ref){0, 2};
    batch->count = 1;
    config.schema = schema;
    config.mem = &mem;
    self = mem_zalloc(&mem, fmt_json.encoder_size);
    assert_int_equal(fmt_json.encoder_open(self, &config, &e), S_OK);
    if (fmt_json.encode(self, batch, &out, &e) != S_OK) buf_append_text(&out, e.text);
    assert_string_equal(buf_text(&out), expected);
    fmt_json.encoder_close(self);
    mem_free(&mem, self);
    batch_free(batch);
    buf_release(&out);
    arena_release(&a);
    assert_int_equal(mem.used, 0);
    mem_release(&mem);
}

static void test_json_null_keys(void **state)
{
    (void)state;
    null_key_expect("FAIL", "format 'json' cannot write a map whose key is NULL");
    null_key_expect("DROP", "{\"m\":{\"k\":1}}\n");
    null_key_expect("LITERAL", "{\"m\":{\"none\":0,\"k\":1}}\n");
}

/* The same window again and again: after two rounds nothing is allocated any more. */
static void steady_expect(const struct fmt_type *format, const char *line)
{
    struct format_input in = FORMAT_INPUT_START;
    const struct type *schema = NULL;
    struct format_config config = {0};
    struct buf text, written;
    uint64_t calls = 0;
    struct arena a;
    struct mem mem;
    struct err e = {0};
    struct batch *b;
    void *decoder, *encoder;

    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    buf_init(&text, &mem);
    buf_init(&written, &mem);
    assert_int_equal(type_parse(&a, str_of("ROW<a INT, b STRING, c TIMESTAMP(3), d ARRAY<INT>>"), &schema, &e), S_OK);
    for (int i = 0; i < 5000; i++) buf_append_text(&text, line);
    buf_reserve(&text, FORMAT_PADDING);
    config = (struct format_config){.schema = schema, .mem = &mem, .name = "test"};
    decoder = mem_zalloc(&mem, format->decoder_size);
    encoder = mem_zalloc(&mem, format->encoder_size);
    assert_int_equal(format->decoder_open(decoder, &config, &e), S_OK);
    assert_int_equal(format->encoder_open(encoder, &config, &e), S_OK);
    b = batch_create(schema, BATCH_ROWS, &mem);
    for (int round = 0; round < 5; round++) {
        uint32_t rows = 0;
        enum status st = S_MORE;
        if (round == 2) calls = mem.calls;
        in.data = text.data;
        in.size = text.size;
        in.consumed = 0;
        while (st == S_MORE) {
            batch_clear(b);
            buf_clear(&written);
            st = format->decode(decoder, &in, b, &e);
            rows += b->count;
            assert_int_equal(format->encode(encoder, b, &written, &e), S_OK);
        }
        assert_int_equal(st, S_OK);
        assert_int_equal(rows, 5000);
    }
    assert_int_equal(mem.calls, calls);
    format->decoder_close(decoder);
    format->encoder_close(encoder);
    batch_free(b);
    mem_free(&mem, decoder);
    mem_free(&mem, encoder);
    buf_release(&text);
    buf_release(&written);
    arena_release(&a);
    assert_int_equal(mem.used, 0);
    mem_release(&mem);
}

static void test_steady_state_allocates_nothing(void **state)
{
    (void)state;
    steady_expect(&fmt_csv, "7,\"a string, of more than twelve bytes\",2001-01-31 10:20:30.5,1;2;3\n");
    steady_expect(&fmt_json, "{\"a\":7,\"b\":\"a string, of more than twelve bytes\",\"c\":\"2001-01-31 10:20:30.5\",\"d\":[1,2,3]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_list_is_sorted_and_told),
        cmocka_unit_test(test_options_are_picked),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_unknown_options),
        cmocka_unit_test(test_csv_refuses_what_reads_back_otherwise),
        cmocka_unit_test(test_json_null_keys),
        cmocka_unit_test(test_steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
