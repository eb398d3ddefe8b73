/* test_conn_filesystem.c - files as a source: one, a folder, patterns, expressions, compression, ranges of big files, new
 * files, positions, bad records with the line they stand on. */
#include "ground/base/str.h"
#include "support/folder.h"
#include "support/source_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SCHEMA "ROW<a INT, b STRING>"
#define CSV(path) OPTIONS("path", path, "format", "csv")

static struct source_probe p;
static struct folder folder;

static int set_up(void **state)
{
    (void)state;
    folder_make(&folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

static void bytes_write(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(folder_path(&folder, name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void test_one_file(void **state)
{
    (void)state;
    folder_write(&folder, "x.csv", "1,one\n2,two\n3,three");
    for (uint32_t capacity = 1; capacity < 5; capacity++) {
        probe_open(&p, "filesystem", SCHEMA, 1, CSV(folder_path(&folder, "x.csv")));
        assert_string_equal(probe_all(&p, capacity), "+I[1, one]\n+I[2, two]\n+I[3, three]\n");
        assert_int_equal(p.cx.bytes_in, 19);
        probe_close(&p);
    }
}

static void test_folders_and_patterns(void **state)
{
    (void)state;
    folder_write(&folder, "in/b.csv", "2,b\n");
    folder_write(&folder, "in/a.csv", "1,a\n");
    folder_write(&folder, "in/deep/c.csv", "3,c\n");
    folder_write(&folder, "in/.hidden.csv", "4,d\n");
    folder_write(&folder, "in/_success", "5,e\n");
    folder_write(&folder, "in/z.txt", "6,f\n");
    probe_open(&p, "filesystem", SCHEMA, 1, CSV(folder_path(&folder, "in")));
    assert_string_equal(probe_all(&p, 10), "+I[1, a]\n+I[2, b]\n+I[3, c]\n+I[6, f]\n");
    probe_close(&p);
    probe_open(&p, "filesystem", SCHEMA, 1, CSV(folder_path(&folder, "in/*.csv")));
    assert_string_equal(probe_all(&p, 10), "+I[1, a]\n+I[2, b]\n");
    probe_close(&p);
    probe_open(&p, "filesystem", SCHEMA, 1,
               OPTIONS("path", folder_path(&folder, "in"), "format", "csv", "source.path.regex-pattern",
                       ".*/(?:a|c|\\w)\\.(csv|txt)"));
    assert_string_equal(probe_all(&p, 10), "+I[1, a]\n+I[2, b]\n+I[3, c]\n+I[6, f]\n");
    probe_close(&p);
    probe_open(&p, "filesystem", SCHEMA, 1,
               OPTIONS("path", folder_path(&folder, "in"), "format", "csv", "source.path.regex-pattern",
                       ".*/deep/[^\\d]\\.csv"));
    assert_string_equal(probe_all(&p, 10), "+I[3, c]\n");
    probe_close(&p);
}

static void take_line(void *arg, enum log_level level, const char *line, size_t size)
{
    char *text = arg;

    assert_int_equal(level, LOG_WARN);
    snprintf(text + strlen(text), 1000 - strlen(text), "%.*s\n", (int)size, line);
}

/* A job over nothing ends well, and says that it was nothing. */
static void test_no_file_is_warned_of(void **state)
{
    char lines[1000] = "", expected[600];
    struct log log = {.level = LOG_WARN, .write = take_line, .arg = lines};

    (void)state;
    folder_write(&folder, "in/.hidden.csv", "4,d\n");
    probe_open(&p, "filesystem", SCHEMA, 1, CSV(folder_path(&folder, "in")));
    p.op.log = &log;
    assert_string_equal(probe_all(&p, 10), "");
    snprintf(expected, sizeof expected, "no file in '%s' matched; names that begin with '.' or '_' are left out\n",
             folder_path(&folder, "in"));
    if (strstr(lines, expected) == NULL) assert_string_equal(lines, expected);
    assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1); /* once */
    probe_close(&p);
}

static void test_json_and_raw(void **state)
{
    (void)state;
    folder_write(&folder, "x.json", "{\"b\":\"one\",\"a\":1}\n{\"a\":2}\n");
    probe_open(&p, "filesystem", SCHEMA, 1, OPTIONS("path", folder_path(&folder, "x.json"), "format", "json"));
    assert_string_equal(probe_all(&p, 10), "+I[1, one]\n+I[2, null]\n");
    probe_close(&p);
    probe_open(&p, "filesystem", "ROW<line STRING>", 1,
               OPTIONS("path", folder_path(&folder, "x.json"), "format", "raw"));
    assert_string_equal(probe_all(&p, 10), "+I[{\"b\":\"one\",\"a\":1}]\n+I[{\"a\":2}]\n");
    probe_close(&p);
}

/* --- compression -------------------------------------------------------------------------------------------------- */
enum { BIG_ROWS = 100000 };

static char *big_text(uint32_t rows, size_t *size)
{
    char *text = malloc((size_t)rows * 32);

    *size = 0;
    for (uint32_t i = 0; i < rows; i++) *size += (size_t)sprintf(text + *size, "%u,row number %u\n", i, i);
    return text;
}

static size_t gzip(const char *text, size_t size, char *out, size_t room)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)text,
                  .avail_in = (unsigned)size,
                  .next_out = (unsigned char *)out,
                  .avail_out = (unsigned)room};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void big_check(const char *name, const char *text)
{
    probe_open(&p, "filesystem", "ROW<line STRING>", 1, OPTIONS("path", folder_path(&folder, name), "format", "raw"));
    const char *at = probe_all(&p, 1000);
    while (*text != '\0') { /* "+I[line]" for each line */
        size_t length = strcspn(text, "\n");
        assert_int_equal(strncmp(at, "+I[", 3), 0);
        assert_int_equal(strncmp(at + 3, text, length), 0);
        assert_int_equal(strncmp(at + 3 + length, "]\n", 2), 0);
        at += length + 5;
        text += length + 1;
    }
    assert_int_equal(*at, '\0');
    probe_close(&p);
}

static void test_gzip_and_zstd(void **state)
{
    size_t size;
    char *text = big_text(BIG_ROWS, &size), *packed = malloc(size * 2);

    (void)state;
    size_t packed_size = gzip(text, size, packed, size * 2);
    bytes_write("x.csv.gz", packed, packed_size);
    big_check("x.csv.gz", text);
    /* two members behind each other, as `cat a.gz b.gz` makes them */
    size_t half = (size_t)(strchr(text + size / 2, '\n') + 1 - text);
    packed_size = gzip(text, half, packed, size);
    packed_size += gzip(text + half, size - half, packed + packed_size, size);
    bytes_write("two.gz", packed, packed_size);
    big_check("two.gz", text);
    packed_size = ZSTD_compress(packed, size * 2, text, half, 3);
    packed_size += ZSTD_compress(packed + packed_size, size, text + half, size - half, 19);
    bytes_write("x.zst", packed, packed_size);
    big_check("x.zst", text);
    free(text);
    free(packed);
}

static void compressed_error(const char *name, const char *expected)
{
    struct probe_split s;
    enum status last;

    probe_open(&p, "filesystem", "ROW<line STRING>", 1, OPTIONS("path", folder_path(&folder, name), "format", "raw"));
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    probe_rows(&p, &s, 1000, &last);
    assert_int_equal(last, E_DATA);
    if (strstr(p.err.text, expected) == NULL) fail_msg("%s", p.err.text);
    probe_split_close(&p, &s);
    probe_close(&p);
}

static void test_damaged_compression(void **state)
{
    size_t size;
    char *text = big_text(BIG_ROWS, &size), *packed = malloc(size);

    (void)state;
    size_t packed_size = gzip(text, size, packed, size);
    bytes_write("cut.gz", packed, packed_size - 5);
    compressed_error("cut.gz", "cut.gz' ends too early");
    packed[packed_size / 2] ^= 0x55;
    bytes_write("bad.gz", packed, packed_size);
    compressed_error("bad.gz", "bad.gz': damaged gzip data at byte");
    bytes_write("not.gz", text, 1000);
    compressed_error("not.gz", "damaged gzip data at byte");
    packed_size = ZSTD_compress(packed, size, text, size, 3);
    bytes_write("cut.zst", packed, packed_size - 5);
    compressed_error("cut.zst", "ends too early");
    bytes_write("not.zst", text, 1000);
    compressed_error("not.zst", "damaged zstd data at byte");
    free(text);
    free(packed);
}

/* --- ranges ------------------------------------------------------------------------------------------------------- */
/* Every line is read exactly once, wherever the borders fall. */
static void test_ranges_of_lines(void **state)
{
    char text[8192] = "", whole[16384] = "";
    size_t size = 0;

    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        char line[64];
        int n = snprintf(line, sizeof line, "%u,%.*s\n", i, (int)(i % 23), "abcdefghijklmnopqrstuvwxyz");
        memcpy(text + size, line, (size_t)n);
        size += (size_t)n;
        snprintf(whole + strlen(whole), 64, "+I[%u, %.*s]\n", i, (int)(i % 23), "abcdefghijklmnopqrstuvwxyz");
    }
    bytes_write("x.csv", text, size);
    for (uint32_t split_size = 1024; split_size < 1100; split_size++) {
        char number[16];
        snprintf(number, sizeof number, "%u", split_size);
        probe_open(&p, "filesystem", SCHEMA, 1,
                   OPTIONS("path", folder_path(&folder, "x.csv"), "format", "csv", "csv.disable-quote-character",
                           "true", "source.split-size", number));
        assert_string_equal(probe_all(&p, 7), whole);
        probe_close(&p);
    }
    /* quoted fields may hold newlines: such a file is not cut */
    probe_open(&p, "filesystem", SCHEMA, 1,
               OPTIONS("path", folder_path(&folder, "x.csv"), "format", "csv", "source.split-size", "1024"));
    struct probe_split s;
    enum status last;
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    assert_string_equal(probe_rows(&p, &s, 2048, &last), whole);
    probe_split_close(&p, &s);
    assert_int_equal(probe_next(&p, 0, &s), S_END);
    probe_close(&p);
}

static void test_a_line_longer_than_ranges(void **state)
{
    char text[6000];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "first\n", 6);
    text[5000] = '\n';
    bytes_write("x.txt", text, sizeof text);
    probe_open(&p, "filesystem", "ROW<line STRING>", 1,
               OPTIONS("path", folder_path(&folder, "x.txt"), "format", "raw", "source.split-size", "1024"));
    struct str rows = str_of(probe_all(&p, 10)), line;
    size_t lengths[4] = {0};
    uint32_t count = 0;
    while (str_cut(&rows, '\n', &line)) lengths[count++] = line.size - 4;
    assert_int_equal(count, 3);
    assert_int_equal(lengths[0], 5);
    assert_int_equal(lengths[1], 5000 - 6);
    assert_int_equal(lengths[2], 6000 - 5001);
    probe_close(&p);
}

/* --- bad records -------------------------------------------------------------------------------------------------- */
static char letters[4096];
static void take_letter(void *arg, const char *position, const char *reason, struct str raw)
{
    const char *slash = strrchr(position, '/');

    (void)arg;
    (void)reason;
    snprintf(letters + strlen(letters), 200, "%s %.*s;", slash + 1, (int)raw.size, raw.data);
}

static void test_bad_records_have_a_line(void **state)
{
    char text[8192] = "";
    char expected[FOLDER_PATH_MAX + 64];

    (void)state;
    for (uint32_t i = 1; i <= 300; i++) snprintf(text + strlen(text), 32, i == 250 ? "oops,%u\n" : "%u,row\n", i);
    folder_write(&folder, "x.csv", text);
    const char *const kv[] = {"path", folder_path(&folder, "x.csv"), "format", "csv", "csv.disable-quote-character",
                              "true", "source.split-size",           "1024",   NULL};
    probe_open(&p, "filesystem", SCHEMA, 1, kv);
    struct probe_split s;
    enum status last = S_END;
    while (last == S_END && probe_next(&p, 0, &s) == S_OK) {
        probe_rows(&p, &s, 50, &last);
        probe_split_close(&p, &s);
    }
    assert_int_equal(last, E_DATA);
    snprintf(expected, sizeof expected, "%s:250:1", folder_path(&folder, "x.csv"));
    if (strstr(p.err.text, expected) == NULL) fail_msg("%s", p.err.text);
    probe_close(&p);

    const char *const with_letters[] = {
        "path", folder_path(&folder, "x.csv"), "format", "csv",      "csv.disable-quote-character",
        "true", "source.split-size",           "1024",   "on-error", "dead-letter",
        NULL};
    letters[0] = '\0';
    probe_open(&p, "filesystem", SCHEMA, 1, with_letters);
    p.cx.dead_letter = take_letter;
    p.conn->source->reader_close(&p.cx, p.reader);
    assert_int_equal(p.conn->source->reader_open(&p.cx, p.reader), S_OK);
    uint64_t rows = 0;
    for (const char *at = probe_all(&p, 64); *at != '\0'; at++) rows += *at == '\n';
    assert_int_equal(rows, 299);
    assert_string_equal(letters, "x.csv:250:1 oops,250;");
    assert_int_equal(p.cx.bad_records, 1);
    probe_close(&p);
}

/* --- new files ---------------------------------------------------------------------------------------------------- */
static void test_new_files(void **state)
{
    struct probe_split s;
    enum status last;

    (void)state;
    folder_write(&folder, "in/b.csv", "1,a\n");
    p.now_ms = 1000;
    probe_open(&p, "filesystem", SCHEMA, 1,
               OPTIONS("path", folder_path(&folder, "in/*.csv"), "format", "csv", "source.monitor-interval", "5 s"));
    assert_int_equal(p.conn->source->boundedness(&p.options, p.conn->options), UNBOUNDED);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    assert_string_equal(probe_rows(&p, &s, 10, &last), "+I[1, a]\n");
    assert_int_equal(last, S_END); /* the file ends, the source does not */
    probe_split_close(&p, &s);
    folder_write(&folder, "in/a.csv", "2,b\n");
    folder_write(&folder, "in/c.csv", "3,c\n");
    p.now_ms = 5999;
    assert_int_equal(probe_next(&p, 0, &s), S_IDLE);
    assert_int_equal(p.cx.wake_ms, 6000);
    p.now_ms = 6000;
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    assert_string_equal(probe_rows(&p, &s, 10, &last), "+I[2, b]\n");
    probe_split_close(&p, &s);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    assert_string_equal(probe_rows(&p, &s, 10, &last), "+I[3, c]\n");
    probe_split_close(&p, &s);
    assert_int_equal(probe_next(&p, 0, &s), S_IDLE);
    assert_int_equal(p.cx.wake_ms, 11000);
    probe_close(&p);
}

/* --- positions ---------------------------------------------------------------------------------------------------- */
static void test_goes_on_from_a_position(void **state)
{
    size_t size;
    char *text = big_text(1000, &size), *packed = malloc(size);
    static const char *const names[] = {"x.csv", "x.csv.gz"};

    (void)state;
    bytes_write("x.csv", text, size);
    bytes_write("x.csv.gz", packed, gzip(text, size, packed, size));
    for (uint32_t i = 0; i < 2; i++) {
        struct probe_split s, again;
        struct buf at;
        enum status last;
        probe_open(&p, "filesystem", SCHEMA, 1, CSV(folder_path(&folder, names[i])));
        buf_init(&at, &p.mem);
        assert_int_equal(probe_next(&p, 0, &s), S_OK);
        struct batch *b = probe_batch(&p, 997);
        assert_int_equal(probe_read(&p, &s, b), S_OK);
        p.conn->source->split_position(&p.cx, p.reader, s.self, &at);
        assert_int_equal(probe_reopen(&p, s.what.id, (struct str){at.data, at.size}, &again), S_OK);
        assert_string_equal(probe_rows(&p, &again, 10, &last),
                            "+I[997, row number 997]\n+I[998, row number 998]\n+I[999, row number 999]\n");
        assert_int_equal(last, S_END);
        probe_split_close(&p, &again);
        probe_split_close(&p, &s);
        batch_free(b);
        probe_close(&p);
    }
    free(text);
    free(packed);
}

/* --- mistakes ----------------------------------------------------------------------------------------------------- */
static void test_mistakes(void **state)
{
    struct probe_split s;

    (void)state;
    probe_open(&p, "filesystem", SCHEMA, 1, CSV(folder_path(&folder, "missing.csv")));
    assert_int_equal(probe_next(&p, 0, &s), E_NOT_FOUND);
    if (strstr(p.err.text, "missing.csv': no such file or folder") == NULL) fail_msg("%s", p.err.text);
    probe_close(&p);
    probe_open(&p, "filesystem", SCHEMA, 1, CSV(folder_path(&folder, "*.csv")));
    assert_int_equal(probe_next(&p, 0, &s), E_NOT_FOUND);
    assert_non_null(strstr(p.err.text, "no file matches '"));
    probe_close(&p);
    assert_int_equal(probe_check(&p, "filesystem", SCHEMA, OPTIONS("path", "x")), E_CONFIG);
    assert_string_equal(p.err.text, "connector 'filesystem': the option 'format' is missing");
    probe_close(&p);
    assert_int_equal(probe_check(&p, "filesystem", SCHEMA, OPTIONS("path", "x", "format", "jsn")), E_CONFIG);
    assert_string_equal(p.err.hint, "did you mean 'json'?");
    probe_close(&p);
    assert_int_equal(
        probe_check(&p, "filesystem", SCHEMA, OPTIONS("path", "x", "format", "csv", "json.map-null-key.mode", "DROP")),
        E_CONFIG);
    assert_string_equal(p.err.text, "connector 'filesystem' has no option 'json.map-null-key.mode'");
    probe_close(&p);
    assert_int_equal(probe_check(&p, "filesystem", SCHEMA,
                                 OPTIONS("path", "x", "format", "csv", "source.path.regex-pattern", "a(?=b)")),
                     E_CONFIG);
    assert_string_equal(p.err.text, "option 'source.path.regex-pattern': a group (?..) in 'a(?=b)' is not supported");
    probe_close(&p);
    assert_int_equal(
        probe_check(&p, "filesystem", SCHEMA, OPTIONS("path", "x", "format", "csv", "source.path.regex-pattern", "a[")),
        E_CONFIG);
    probe_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folders_and_patterns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_file_is_warned_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json_and_raw, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gzip_and_zstd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_compression, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ranges_of_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_line_longer_than_ranges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_records_have_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_new_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_goes_on_from_a_position, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
