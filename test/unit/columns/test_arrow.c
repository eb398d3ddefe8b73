/* test_arrow.c - batches through the Arrow C data interface and back, its ownership rules, and what is refused. */
#include "columns/column/arrow_abi.h"
#include "ground/base/str.h"
#include "support/rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

struct world {
    struct mem mem, exports; /* what consumers hold is counted apart */
    struct arena arena;
    struct buf out, expected;
    struct err e;
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    mem_init(&w.mem, "test", 0);
    mem_init(&w.exports, "exports", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.out, &w.mem);
    buf_init(&w.expected, &w.mem);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    assert_int_equal(w->exports.used, 0); /* everything that was exported was released */
    buf_release(&w->out);
    buf_release(&w->expected);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    mem_release(&w->exports);
    return 0;
}

#define EVERY_TYPE                                                                                                     \
    "ROW<a BOOLEAN, b TINYINT, c SMALLINT, d INT NOT NULL, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(10, 2), i "          \
    "DECIMAL(38, 5), j CHAR(3), "                                                                                      \
    "k VARCHAR(9), l STRING, m BINARY(2), n BYTES, o DATE, p TIME(0), q TIME(3), r0 TIMESTAMP(0), r2 TIMESTAMP(2), "   \
    "r3 TIMESTAMP(3) *ROWTIME*, r6 TIMESTAMP(6), r7 TIMESTAMP(7), r9 TIMESTAMP(9), s0 TIMESTAMP_LTZ(0), s3 "           \
    "TIMESTAMP_LTZ(3), "                                                                                               \
    "s9 TIMESTAMP_LTZ(9) NOT NULL, t INTERVAL YEAR TO MONTH, u INTERVAL DAY TO SECOND, v ARRAY<INT>, w "               \
    "ARRAY<ARRAY<STRING NOT NULL>>, "                                                                                  \
    "x MAP<STRING, INT>, y MULTISET<STRING>, z ROW<x1 INT, x2 ROW<x3 STRING NOT NULL, x4 ARRAY<BOOLEAN>>>, nn NULL>"
#define ROW_A                                                                                                          \
    "true | -128 | -32768 | -2147483648 | -9223372036854775808 | 1.5 | -2.25 | -99999999.99 | "                        \
    "123456789012345678901234567890123.45678 | "                                                                       \
    "abc | \"nine char\" | \"a string longer than twelve bytes\" | xy | zzz | 0001-01-01 | 10:20:30 | 23:59:59.999 | " \
    "1969-12-31 23:59:59 | "                                                                                           \
    "2001-01-01 00:00:00.12 | 9999-12-31 23:59:59.999 | 1969-12-31 23:59:59.999999 | 2001-01-01 10:20:30.1234567 | "   \
    "1677-09-21 00:12:43.145224192 | 2001-01-01 00:00:00 | 1969-12-31 23:59:59.999 | 2262-04-11 23:47:16.854775807 | " \
    "-14 | "                                                                                                           \
    "-1500 | [1, null, 3] | [[a, \"a string longer than twelve bytes\"], [], null] | {a=1, b=null} | {x=2} | (1, (p, " \
    "[true, null])) | null\n"
#define ROW_B                                                                                                          \
    "null | null | null | 7 | null | null | null | null | null | null | null | null | null | null | null | null | "    \
    "null | null | null | "                                                                                            \
    "null | null | null | null | null | null | 2001-01-01 00:00:00 | null | null | null | null | null | null | null "  \
    "| null\n"
#define ROW_C                                                                                                          \
    "false | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | a | \"\" | \"\" | \"\" | \"\" | 1970-01-01 | 00:00 | 00:00 | 1970-01-01 " \
    "00:00 | "                                                                                                         \
    "1970-01-01 00:00 | 1970-01-01 00:00 | 1970-01-01 00:00 | 1970-01-01 00:00 | 1970-01-01 00:00 | 1970-01-01 00:00 " \
    "| 1970-01-01 00:00 | "                                                                                            \
    "1970-01-01 00:00 | 0 | 0 | [] | [] | {} | {} | (null, null) | null\n"

/* Exports b and imports rows first.. into a new batch; the types must be equal. */
static struct batch *round_trip(struct world *w, const struct batch *b, int64_t first, uint32_t n)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    const struct type *type = NULL;
    struct batch *back;

    assert_int_equal(arrow_export_schema(b->schema, &w->exports, &schema, &w->e), S_OK);
    if (arrow_export_batch(b, &w->exports, &array, &w->e) != S_OK) fail_msg("%s", w->e.text);
    assert_int_equal(array.length, batch_rows(b));
    if (arrow_import_schema(&w->arena, &schema, &type, &w->e) != S_OK) fail_msg("%s", w->e.text);
    assert_true(type_equal(type, b->schema));
    back = batch_create(type, BATCH_ROWS, &w->mem);
    if (arrow_import_rows(&array, &schema, first, n, back, &w->e) != S_OK) fail_msg("%s", w->e.text);
    array.release(&array);
    schema.release(&schema);
    assert_null(array.release);
    assert_null(schema.release);
    assert_int_equal(back->count, n);
    return back;
}

static void test_every_type_both_ways(void **state)
{
    struct world *w = *state;
    const struct type *type = rows_type(&w->arena, EVERY_TYPE);
    struct batch *b = rows_batch(type, &w->mem, ROW_A ROW_B ROW_C ROW_A), *back = round_trip(w, b, 0, 4);

    assert_string_equal(rows_text(back, &w->out), rows_text(b, &w->expected));
    assert_int_equal(back->schema->children[19]->time_kind, TIME_ROWTIME);
    batch_free(back);
    back = round_trip(w, b, 2, 2); /* a slice that does not begin at the front */
    b->count = 4;
    static const uint16_t tail[] = {2, 3};
    b->sel = tail;
    b->sel_count = 2;
    assert_string_equal(rows_text(back, &w->out), rows_text(b, &w->expected));
    batch_free(back);
    batch_free(b);
}

static void test_selection_constants_and_dictionaries(void **state)
{
    struct world *w = *state;
    const struct type *type = rows_type(&w->arena, "ROW<a INT, b STRING, c ARRAY<INT>, d STRING>");
    struct batch *dict =
        rows_batch(rows_type(&w->arena, "ROW<d STRING>"), &w->mem, "red\nnull\na rather long colour\n");
    struct batch *b = rows_batch(type, &w->mem, "0 | x | [7, 8] | null\n"), *back;
    static const uint16_t sel[] = {1, 3, 4};

    for (uint16_t i = 0; i < 5; i++) {
        VECTOR_VALUES(&b->cols[0], int32_t)[i] = i;
        ((uint16_t *)b->cols[3].data)[i] = i % 3;
    }
    b->count = 5;
    vector_make_const(&b->cols[1]);
    vector_make_const(&b->cols[2]);
    vector_clear(&b->cols[3]);
    b->cols[3].form = VEC_DICT;
    b->cols[3].children = dict->cols;
    b->cols[3].child_count = 1;
    b->sel = sel;
    b->sel_count = 3;
    back = round_trip(w, b, 0, 3);
    assert_string_equal(rows_text(back, &w->out),
                        "+I[1, x, [7, 8], null]\n+I[3, x, [7, 8], red]\n+I[4, x, [7, 8], null]\n");
    batch_free(back);
    batch_free(b);
    batch_free(dict);
}

static void test_many_rows(void **state)
{
    struct world *w = *state;
    const struct type *type = rows_type(&w->arena, "ROW<a INT, b BOOLEAN, c STRING, d ARRAY<INT>>");
    struct batch *b = batch_create(type, BATCH_ROWS, &w->mem), *back;
    char row[100];

    for (int i = 0; i < BATCH_ROWS; i++) {
        (void)snprintf(row, sizeof row,
                       i % 3 == 1 ? "%d | null | null | null\n"
                       : i % 2    ? "%d | true | text %d | [%d]\n"
                                  : "%d | false | \"\" | []\n",
                       i, i, i);
        rows_add(b, row);
    }
    back = round_trip(w, b, 0, BATCH_ROWS);
    assert_string_equal(rows_text(back, &w->out), rows_text(b, &w->expected));
    batch_free(back);
    back = round_trip(w, b, 77, 1000);
    b->count = 1077;
    assert_string_equal(rows_text(back, &w->out), strstr(rows_text(b, &w->expected), "+I[77,"));
    batch_free(back);
    batch_free(b);
}

static void test_empty_batches_and_rows_without_columns(void **state)
{
    struct world *w = *state;
    struct batch *b = batch_create(rows_type(&w->arena, EVERY_TYPE), 1, &w->mem), *back = round_trip(w, b, 0, 0);

    batch_free(b);
    batch_free(back);
    b = batch_create(rows_type(&w->arena, "ROW<>"), 10, &w->mem);
    b->count = 3;
    back = round_trip(w, b, 1, 2);
    batch_free(b);
    batch_free(back);
}

static void test_children_may_be_moved_away(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(rows_type(&w->arena, "ROW<a INT, b ARRAY<STRING>>"), &w->mem, "1 | [x]\n");
    struct ArrowSchema schema, moved_schema;
    struct ArrowArray array, moved;

    assert_int_equal(arrow_export_schema(b->schema, &w->exports, &schema, &w->e), S_OK);
    assert_int_equal(arrow_export_batch(b, &w->exports, &array, &w->e), S_OK);
    moved = *array.children[1];
    array.children[1]->release = NULL;
    moved_schema = *schema.children[1];
    schema.children[1]->release = NULL;
    array.release(&array);
    schema.release(&schema);
    batch_free(b);
    assert_string_equal(moved_schema.format, "+l");
    assert_string_equal(moved_schema.children[0]->format, "u");
    assert_memory_equal(moved.children[0]->buffers[2], "x", 1);
    moved.release(&moved);
    moved_schema.release(&moved_schema);
}

static void test_formats_are_arrows(void **state)
{
    static const char *const formats[] = {
        "b",       "c",       "s",   "i",   "l",   "f",    "g",    "d:10,2", "d:38,5", "u",    "u",    "u",
        "z",       "z",       "tdD", "ttm", "ttm", "tss:", "tsm:", "tsm:",   "tsu:",   "tsn:", "tsn:", "tss:UTC",
        "tsm:UTC", "tsn:UTC", "tiM", "tDm", "+l",  "+l",   "+m",   "+m",     "+s",     "n"};
    struct world *w = *state;
    struct ArrowSchema s;

    assert_int_equal(arrow_export_schema(rows_type(&w->arena, EVERY_TYPE), &w->exports, &s, &w->e), S_OK);
    assert_string_equal(s.format, "+s");
    assert_int_equal(s.n_children, COUNT_OF(formats));
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        assert_string_equal(s.children[i]->format, formats[i]);
        assert_int_equal(s.children[i]->flags, i == 3 || i == 25 ? 0 : 2);
    }
    assert_string_equal(s.children[31]->children[0]->name, "entries");
    assert_int_equal(s.children[31]->children[0]->children[0]->flags, 0); /* keys are never NULL */
    s.release(&s);
}

static enum status import_format(struct world *w, const char *format, const struct type **out)
{
    struct ArrowSchema child = {.format = format, .name = "c", .flags = 2}, *children[] = {&child};
    struct ArrowSchema s = {.format = "+s", .name = "", .n_children = 1, .children = children};

    err_clear(&w->e);
    return arrow_import_schema(&w->arena, &s, out, &w->e);
}

static void test_foreign_formats(void **state)
{
    static const char *const known[][2] = {
        {"C", "SMALLINT"},
        {"S", "INT"},
        {"I", "BIGINT"},
        {"U", "STRING"},
        {"Z", "BYTES"},
        {"w:5", "BINARY(5)"},
        {"tdm", "DATE"},
        {"tts", "TIME(0)"},
        {"ttu", "TIME(3)"},
        {"ttn", "TIME(3)"},
        {"tDs", "INTERVAL DAY(2) TO SECOND(3)"},
        {"tsu:Europe/Paris", "TIMESTAMP_LTZ(6)"},
        {"d:5,2,128", "DECIMAL(5, 2)"},
    };
    static const char *const unknown[] = {"L",      "e",   "vu",   "tiD", "+w:3", "+ud:0,1", "d:5,2,256", "d:39,2",
                                          "d:5,-2", "d:5", "tsx:", "ts",  "w:",   "w:0",     "",          "x"};
    struct world *w = *state;
    const struct type *t;
    char message[100];

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (import_format(w, known[i][0], &t) != S_OK) fail_msg("%s: %s", known[i][0], w->e.text);
        buf_clear(&w->out);
        type_print(t->children[0], &w->out);
        assert_string_equal(buf_text(&w->out), known[i][1]);
    }
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        assert_int_equal(import_format(w, unknown[i], &t), E_UNSUPPORTED);
        (void)snprintf(message, sizeof message, "field 'c': Arrow format '%s' is not supported", unknown[i]);
        assert_string_equal(w->e.text, message);
    }
}

static void test_nanoseconds_have_limits(void **state)
{
    static const char *const beyond[] = {"1677-09-21 00:12:43.145224191\n", "2262-04-11 23:47:16.854775808\n",
                                         "0001-01-01 00:00:00\n", "9999-12-31 00:00:00\n"};
    struct world *w = *state;
    const struct type *type = rows_type(&w->arena, "ROW<a TIMESTAMP(9)>");

    for (size_t i = 0; i < COUNT_OF(beyond); i++) {
        struct batch *b = rows_batch(type, &w->mem, "2001-01-01 00:00\nnull\n");
        struct ArrowArray array;
        rows_add(b, beyond[i]);
        err_clear(&w->e);
        assert_int_equal(arrow_export_batch(b, &w->exports, &array, &w->e), E_OVERFLOW);
        assert_int_equal(w->exports.used, 0);
        assert_non_null(strstr(w->e.text, "Arrow export of column 'a': row 2: a timestamp of the year"));
        assert_string_equal(w->e.hint, "cast the column to TIMESTAMP(6) first");
        batch_free(b);
    }
}

static void test_null_keys_are_refused(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(rows_type(&w->arena, "ROW<a MAP<STRING, INT>>"), &w->mem, "{null=1}\n");
    struct ArrowArray array;

    assert_int_equal(arrow_export_batch(b, &w->exports, &array, &w->e), E_DATA);
    assert_string_equal(w->e.text, "Arrow export of column 'a': a map has a NULL key, which Arrow forbids");
    batch_free(b);
}

/* One column of foreign making into a batch of the type; the rows as text, or the error's. */
static const char *import_column(struct world *w, const char *type, const char *format, const void *bits,
                                 const void *values, int64_t offset, uint32_t n)
{
    const void *buffers[] = {bits, values}, *none[] = {NULL};
    struct ArrowSchema column_schema = {.format = format, .name = "c", .flags = 2}, *schemas[] = {&column_schema};
    struct ArrowSchema schema = {.format = "+s", .n_children = 1, .children = schemas};
    struct ArrowArray column = {.length = n, .offset = offset, .null_count = -1, .n_buffers = 2, .buffers = buffers},
                      *columns[] = {&column};
    struct ArrowArray array = {.length = n, .n_buffers = 1, .n_children = 1, .buffers = none, .children = columns};
    struct batch *b = batch_create(rows_type(&w->arena, type), 100, &w->mem);
    const char *text;

    err_clear(&w->e);
    if (arrow_import_rows(&array, &schema, 0, n, b, &w->e) == S_OK) text = rows_text(b, &w->out);
    else text = w->e.text;
    batch_free(b);
    return text;
}

static void test_foreign_values(void **state)
{
    struct world *w = *state;
    static const uint8_t bits[] = {0xfb}; /* row 2 is NULL */
    static const uint8_t u8[] = {0, 200, 9, 255};
    static const int64_t us[] = {1000, 3000, 77, 5000}, days_ms[] = {0, 86400000, -86400000, -86400000};
    static const int32_t seconds[] = {0, 1, 86399, 86400};
    _Alignas(8) char shifted[1 + 2 * 8] = {0};
    int64_t value = -5;

    memcpy(shifted + 9, &value, 8);
    assert_string_equal(import_column(w, "ROW<c SMALLINT>", "C", bits, u8, 0, 4),
                        "+I[0]\n+I[200]\n+I[null]\n+I[255]\n");
    assert_string_equal(import_column(w, "ROW<c SMALLINT>", "C", bits, u8, 1, 3), "+I[200]\n+I[null]\n+I[255]\n");
    assert_string_equal(import_column(w, "ROW<c TIME(3)>", "ttu", bits, us, 0, 4),
                        "+I[00:00:00.001]\n+I[00:00:00.003]\n+I[null]\n+I[00:00:00.005]\n");
    assert_string_equal(import_column(w, "ROW<c TIME(3)>", "ttu", NULL, us, 0, 4),
                        "Arrow import of column 'c': row 2 is finer than a millisecond");
    assert_string_equal(import_column(w, "ROW<c TIME(0)>", "tts", NULL, seconds, 0, 3),
                        "+I[00:00]\n+I[00:00:01]\n+I[23:59:59]\n");
    assert_string_equal(import_column(w, "ROW<c TIME(0)>", "tts", NULL, seconds, 0, 4),
                        "Arrow import of column 'c': row 3 is no time of the day");
    assert_string_equal(import_column(w, "ROW<c DATE>", "tdm", NULL, days_ms, 0, 3),
                        "+I[1970-01-01]\n+I[1970-01-02]\n+I[1969-12-31]\n");
    assert_string_equal(import_column(w, "ROW<c BINARY(2)>", "w:2", bits, "abcdefgh", 0, 4),
                        "+I[x'6162']\n+I[x'6364']\n+I[null]\n+I[x'6768']\n");
    assert_string_equal(import_column(w, "ROW<c BIGINT>", "l", NULL, shifted + 1, 0, 2),
                        "+I[0]\n+I[-5]\n"); /* not aligned */
}

/* Under a NULL struct Arrow allows anything, also NULL where the field forbids it. None of it comes in. */
static void test_nothing_comes_in_from_under_a_null_struct(void **state)
{
    struct world *w = *state;
    static const char bytes[] = "a rather long piece of garbage";
    static const int32_t offsets[] = {0, 30, 30}, numbers[] = {5, 6};
    static const uint8_t second[] = {2};
    const void *text_buffers[] = {NULL, offsets, bytes}, *number_buffers[] = {second, numbers},
               *row_buffers[] = {second}, *none[] = {NULL};
    struct ArrowSchema text_schema = {.format = "u", .name = "s"}, number_schema = {.format = "i", .name = "n"};
    struct ArrowSchema *field_schemas[] = {&text_schema, &number_schema};
    struct ArrowSchema row_schema = {.format = "+s",
                                     .name = "c",
                                     .flags = 2,
                                     .n_children = 2,
                                     .children = field_schemas},
                       *columns_schema[] = {&row_schema};
    struct ArrowSchema schema = {.format = "+s", .n_children = 1, .children = columns_schema};
    struct ArrowArray texts = {.length = 2, .n_buffers = 3, .buffers = text_buffers};
    struct ArrowArray numbers_array = {.length = 2, .null_count = 1, .n_buffers = 2, .buffers = number_buffers},
                      *fields[] = {&texts, &numbers_array};
    struct ArrowArray row = {.length = 2,
                             .null_count = 1,
                             .n_buffers = 1,
                             .n_children = 2,
                             .buffers = row_buffers,
                             .children = fields},
                      *columns[] = {&row};
    struct ArrowArray array = {.length = 2, .n_buffers = 1, .n_children = 1, .buffers = none, .children = columns};
    struct batch *b = batch_create(rows_type(&w->arena, "ROW<c ROW<s STRING NOT NULL, n INT NOT NULL>>"), 2, &w->mem);

    assert_int_equal(arrow_import_rows(&array, &schema, 0, 2, b, &w->e), S_OK);
    assert_string_equal(rows_text(b, &w->out), "+I[null]\n+I[+I[, 6]]\n");
    assert_int_equal(VECTOR_VALUES(&b->cols[0].children[0], struct text)[0].size, 0);
    assert_int_equal(VECTOR_VALUES(&b->cols[0].children[1], int32_t)[0], 0);
    batch_clear(b);
    row.null_count = 0; /* now the struct is there, and its NULL field an error */
    assert_int_equal(arrow_import_rows(&array, &schema, 0, 2, b, &w->e), E_DATA);
    assert_string_equal(w->e.text, "Arrow import of column 'c': row 0 is NULL, which the type forbids");
    batch_free(b);
}

/* Offsets stand in the map, in its entries, and in keys and values: all add up. */
static void test_offsets_add_up(void **state)
{
    struct world *w = *state;
    static const int32_t offsets[] = {0, 1, 1, 3}, keys[] = {-1, -1, -1, 10, 20, 30}, values[] = {-1, -1, 11, 21, 31};
    const void *map_buffers[] = {NULL, offsets}, *key_buffers[] = {NULL, keys}, *value_buffers[] = {NULL, values},
               *none[] = {NULL};
    struct ArrowSchema key_schema = {.format = "i", .name = "key"},
                       value_schema = {.format = "i", .name = "value", .flags = 2};
    struct ArrowSchema *pair[] = {&key_schema, &value_schema},
                       entries_schema = {.format = "+s", .name = "entries", .n_children = 2, .children = pair};
    struct ArrowSchema *one[] = {&entries_schema},
                       map_schema = {.format = "+m", .name = "c", .flags = 2, .n_children = 1, .children = one};
    struct ArrowSchema *columns_schema[] = {&map_schema},
                       schema = {.format = "+s", .n_children = 1, .children = columns_schema};
    struct ArrowArray key = {.length = 5, .offset = 1, .n_buffers = 2, .buffers = key_buffers};
    struct ArrowArray value = {.length = 5, .offset = 0, .n_buffers = 2, .buffers = value_buffers},
                      *both[] = {&key, &value};
    struct ArrowArray entries = {.length = 3,
                                 .offset = 2,
                                 .n_buffers = 1,
                                 .n_children = 2,
                                 .buffers = none,
                                 .children = both},
                      *below[] = {&entries};
    struct ArrowArray map = {.length = 2,
                             .offset = 1,
                             .n_buffers = 2,
                             .n_children = 1,
                             .buffers = map_buffers,
                             .children = below},
                      *columns[] = {&map};
    struct ArrowArray array = {.length = 2, .n_buffers = 1, .n_children = 1, .buffers = none, .children = columns};
    struct batch *b = batch_create(rows_type(&w->arena, "ROW<c MAP<INT NOT NULL, INT>>"), 2, &w->mem);

    assert_int_equal(arrow_import_rows(&array, &schema, 0, 2, b, &w->e), S_OK);
    assert_string_equal(rows_text(b, &w->out), "+I[{}]\n+I[{20=21, 30=31}]\n");
    batch_free(b);
}

/* Foreign hands may copy our metadata anywhere: it counts only where it fits. */
static void test_metadata_that_does_not_fit(void **state)
{
    static const struct {
        const char *text, *format, *type;
    } cases[] = {
        {"CHAR(7)", "u", "CHAR(7)"},
        {"CHAR(7)", "l", "BIGINT"},
        {"no type", "u", "STRING"},
        {"TIMESTAMP(8)", "tsu:", "TIMESTAMP(6)"},
        {"TIMESTAMP(4)", "tsu:", "TIMESTAMP(4)"},
        {"ROW<a INT NOT NULL> NOT NULL", "+s", "ROW<`a` INT NOT NULL, `b` INT NOT NULL>"},
        {"ROW<a INT NOT NULL, c INT NOT NULL> NOT NULL", "+s", "ROW<`a` INT NOT NULL, `b` INT NOT NULL>"},
        {"ROW<a INT NOT NULL, b INT NOT NULL> NOT NULL", "+s", "ROW<`a` INT NOT NULL, `b` INT NOT NULL> NOT NULL"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ArrowSchema a = {.format = "i", .name = "a"}, b = {.format = "i", .name = "b"}, *fields[] = {&a, &b};
        struct ArrowSchema column = {.format = cases[i].format, .name = "c", .flags = 2}, *columns[] = {&column};
        struct ArrowSchema schema = {.format = "+s", .n_children = 1, .children = columns};
        struct {
            int32_t count, key_size;
            char key[12];
            int32_t size;
            char text[60];
        } metadata = {1, 12, {0}, (int32_t)strlen(cases[i].text), {0}};
        const struct type *t;

        memcpy(metadata.key, "thalweg.type", 12);
        memcpy(metadata.text, cases[i].text, strlen(cases[i].text));
        column.metadata = (const char *)&metadata;
        column.n_children = cases[i].format[0] == '+' ? 2 : 0;
        column.children = fields;
        assert_int_equal(arrow_import_schema(&w->arena, &schema, &t, &w->e), S_OK);
        buf_clear(&w->out);
        type_print(t->children[0], &w->out);
        assert_string_equal(buf_text(&w->out), cases[i].type);
    }
}

static void test_damaged_arrays_are_refused(void **state)
{
    struct world *w = *state;
    static const uint8_t bits[] = {0x02};
    static const int64_t values[4] = {1, 2, INT64_MAX, 4};
    const char *text;

    text = import_column(w, "ROW<c BIGINT NOT NULL>", "l", bits, values, 0, 2);
    assert_string_equal(text, "Arrow import of column 'c': row 0 is NULL, which the type forbids");
    text = import_column(w, "ROW<c INT>", "l", NULL, values, 0, 2);
    assert_string_equal(text, "Arrow import of column 'c': Arrow format 'l' is not that of the batch's type");
    text = import_column(w, "ROW<c BIGINT>", "l", NULL, NULL, 0, 2);
    assert_string_equal(text, "Arrow import of column 'c': an array of format 'l' lacks a buffer");
    text = import_column(w, "ROW<c STRING>", "u", NULL, values, 0, 2);
    assert_string_equal(text, "Arrow import of column 'c': an array of format 'u' has 2 buffers and 0 children");
    text = import_column(w, "ROW<c TIMESTAMP(0)>", "tss:", NULL, values, 0, 3);
    assert_string_equal(text, "Arrow import of column 'c': row 2 does not fit 64 bits of milliseconds");
    text = import_column(w, "ROW<c INT, d INT>", "i", NULL, values, 0, 2);
    assert_string_equal(text, "the Arrow struct has 1 columns, the batch 2");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_type_both_ways),
        TEST(test_selection_constants_and_dictionaries),
        TEST(test_many_rows),
        TEST(test_empty_batches_and_rows_without_columns),
        TEST(test_children_may_be_moved_away),
        TEST(test_formats_are_arrows),
        TEST(test_foreign_formats),
        TEST(test_nanoseconds_have_limits),
        TEST(test_null_keys_are_refused),
        TEST(test_foreign_values),
        TEST(test_nothing_comes_in_from_under_a_null_struct),
        TEST(test_offsets_add_up),
        TEST(test_metadata_that_does_not_fit),
        TEST(test_damaged_arrays_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
