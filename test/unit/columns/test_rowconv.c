/* test_rowconv.c - structs from columns and back: every type, every form, NULL with and without a mask. */
#include "columns/column/rowconv.h"
#include "ground/base/str.h"
#include "support/rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

struct inner {
    uint64_t nulls;
    int32_t x;
    struct tw_str y;
};
TW_ROW(inner, TW_FIELD(inner, x, "INT"), TW_FIELD(inner, y, "STRING"), TW_NULLS(inner, nulls));

struct user_row {
    uint64_t nulls;
    bool flag;
    int8_t tiny;
    int16_t small;
    int32_t number;
    float single;
    int64_t big;
    double real;
    int128 wide;
    struct tw_str text;
    struct ts96 when;
    struct tw_array list;
    struct inner row;
};

#define SCHEMA                                                                                                         \
    "ROW<a BOOLEAN, b TINYINT, c SMALLINT, d INT, e FLOAT, f BIGINT, g DOUBLE, h DECIMAL(20, 1), i STRING, j "         \
    "TIMESTAMP(9), "                                                                                                   \
    "k ARRAY<STRING>, l ROW<x INT, y STRING>>"
#define ROW_1                                                                                                          \
    "true | -1 | -300 | 70000 | 1.5 | 5000000000 | 2.25 | 123456789012345678.5 | short | 2001-01-01 "                  \
    "00:00:00.123456789 | [p, null] | (7, z)\n"
#define ROW_2 "null | null | null | null | null | null | null | null | null | null | null | null\n"
#define ROW_3                                                                                                          \
    "false | 1 | 300 | -70000 | 0 | -5000000000 | -0.5 | -0.1 | \"a text of more than twelve bytes\" | 1969-12-31 "    \
    "23:59:59.999 | [] | (null, \"also a rather long one\")\n"

#define FIELD(c, member, p)                                                                                          \
    {                                                                                                                  \
        .col = c, .offset = offsetof(struct user_row, member), .phys = p                                             \
    }
static const struct rowconv_field fields[] = {
    FIELD(0, flag, P_BOOL),  FIELD(1, tiny, P_I8),   FIELD(2, small, P_I16),  FIELD(3, number, P_I32),
    FIELD(4, single, P_F32), FIELD(5, big, P_I64),   FIELD(6, real, P_F64),   FIELD(7, wide, P_I128),
    FIELD(8, text, P_STR),   FIELD(9, when, P_TS96), FIELD(10, list, P_LIST), FIELD(11, row, P_ROW),
};

struct world {
    struct mem mem;
    struct arena arena;
    struct buf out;
    const struct type *schema;
    struct rowconv_field fields[COUNT_OF(fields)];
    struct rowconv layout;
    struct user_row rows[ROWCONV_ROWS];
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0xee, sizeof w);
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.out, &w.mem);
    w.schema = rows_type(&w.arena, SCHEMA);
    memcpy(w.fields, fields, sizeof fields);
    assert_int_equal(cform_parse(&w.arena, "ARRAY<STRING>", NULL, &w.fields[10].form, NULL), S_OK);
    assert_int_equal(cform_of_row(&w.arena, &inner_row, &w.fields[11].form, NULL), S_OK);
    w.layout = (struct rowconv){.size = sizeof(struct user_row),
                                .null_offset = offsetof(struct user_row, nulls),
                                .field_count = COUNT_OF(fields),
                                .fields = w.fields};
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    buf_release(&w->out);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    return 0;
}

static void test_every_type_is_read(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(w->schema, &w->mem, ROW_1 ROW_2 ROW_3);
    const struct user_row *r = w->rows;
    uint32_t bad = 99;

    assert_int_equal(rowconv_read(&w->layout, b, 0, 3, w->rows, &w->arena, &bad), S_OK);
    assert_true(r[0].nulls == 0 && r[0].flag && r[0].tiny == -1 && r[0].small == -300 && r[0].number == 70000);
    assert_true(r[0].single == 1.5f && r[0].big == 5000000000 && r[0].real == 2.25);
    assert_true(r[0].wide == 1234567890123456785 && r[0].when.ms == 978307200123 && r[0].when.ns == 456789);
    assert_true(r[0].text.size == 5 && memcmp(r[0].text.data, "short", 5) == 0);
    const struct tw_str *list = r[0].list.items;
    assert_true(r[0].list.count == 2 && list[0].size == 1 && list[0].data[0] == 'p' && list[1].size == 0);
    assert_true(!tw_is_null(r[0].list.nulls, 0) && tw_is_null(r[0].list.nulls, 1));
    assert_true(r[0].row.nulls == 0 && r[0].row.x == 7 && r[0].row.y.size == 1);
    assert_int_equal(r[1].nulls, 0xfff);
    assert_true(!r[1].flag && r[1].big == 0 && r[1].text.data == NULL && r[1].text.size == 0 &&
                r[1].list.items == NULL && r[1].list.count == 0 && r[1].row.nulls == 0);
    assert_true(r[2].nulls == 0 && r[2].text.size == 32 && r[2].wide == -1 && r[2].list.count == 0);
    assert_true(r[2].row.nulls == 1 && r[2].row.x == 0 && r[2].row.y.size == 22);
    batch_free(b);
}

static void test_what_is_read_writes_the_same_rows(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(w->schema, &w->mem, ROW_1 ROW_2 ROW_3), *dst = batch_create(w->schema, 10, &w->mem);
    struct buf expected;
    uint32_t bad;

    buf_init(&expected, &w->mem);
    (void)rows_text(b, &expected);
    rows_add(dst, "@5 " ROW_2);
    assert_int_equal(rowconv_read(&w->layout, b, 0, 3, w->rows, &w->arena, &bad), S_OK);
    assert_int_equal(rowconv_write(&w->layout, w->rows, 3, dst), S_OK);
    batch_free(b); /* strings and lists were copied */
    assert_int_equal(dst->count, 4);
    assert_int_equal(batch_time(dst, 3), TIME_MIN);
    static const uint16_t sel[] = {1, 2, 3};
    dst->sel = sel;
    dst->sel_count = 3;
    assert_string_equal(rows_text(dst, &w->out), buf_text(&expected));
    batch_free(dst);
    buf_release(&expected);
}

static void test_selection_constants_and_offsets(void **state)
{
    struct world *w = *state;
    const struct type *schema = rows_type(&w->arena, "ROW<a BIGINT, b STRING, c BIGINT>");
    struct batch *b = batch_create(schema, BATCH_ROWS, &w->mem),
                 *dict = rows_batch(rows_type(&w->arena, "ROW<a BIGINT>"), &w->mem, "10\n20\n");
    struct row {
        int64_t a;
        struct tw_str b;
        int64_t c;
    } rows[64];
    static const struct rowconv_field f[] = {{.col = 0, .offset = offsetof(struct row, a), .phys = P_I64},
                                             {.col = 1, .offset = offsetof(struct row, b), .phys = P_STR},
                                             {.col = 2, .offset = offsetof(struct row, c), .phys = P_I64}};
    static const struct rowconv l = {
        .size = sizeof(struct row), .null_offset = ROWCONV_NO_NULLS, .field_count = 3, .fields = f};
    static uint16_t sel[1000];
    uint32_t bad;

    rows_add(b, "0 | constant | 0\n");
    for (uint32_t i = 0; i < 2000; i++) {
        VECTOR_VALUES(&b->cols[0], int64_t)[i] = i;
        ((uint16_t *)b->cols[2].data)[i] = i % 2;
    }
    b->count = 2000;
    vector_make_const(&b->cols[1]);
    b->cols[2].form = VEC_DICT;
    b->cols[2].children = dict->cols;
    b->cols[2].child_count = 1;
    for (uint32_t i = 0; i < 1000; i++) sel[i] = (uint16_t)(i * 2 + (i & 1));
    b->sel = sel;
    b->sel_count = 1000;
    assert_int_equal(rowconv_read(&l, b, 900, 64, rows, NULL, &bad), S_OK);
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(rows[i].a, sel[900 + i]);
        assert_int_equal(rows[i].b.size, 8);
        assert_memory_equal(rows[i].b.data, "constant", 8);
        assert_int_equal(rows[i].c, i % 2 ? 20 : 10);
    }
    batch_free(b);
    batch_free(dict);
}

static void test_null_without_a_mask_is_an_error(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(rows_type(&w->arena, "ROW<a INT, b INT>"), &w->mem, "1 | 2\n3 | null\n");
    static const struct rowconv_field f[] = {{.col = 0, .phys = P_I32}, {.col = 1, .offset = 4, .phys = P_I32}};
    static const struct rowconv l = {.size = 8, .null_offset = ROWCONV_NO_NULLS, .field_count = 2, .fields = f};
    int32_t rows[4];
    uint32_t bad = 99;

    assert_int_equal(rowconv_read(&l, b, 0, 1, rows, NULL, &bad), S_OK);
    assert_true(rows[0] == 1 && rows[1] == 2 && bad == 99);
    assert_int_equal(rowconv_read(&l, b, 1, 1, rows, NULL, &bad), E_DATA);
    assert_int_equal(bad, 1);
    batch_free(b);
}

static void test_columns_without_a_field_get_null_or_zero(void **state)
{
    struct world *w = *state;
    const struct type *schema = rows_type(
        &w->arena, "ROW<a INT, b STRING, c STRING NOT NULL, d ROW<x INT NOT NULL> NOT NULL, e BIGINT NOT NULL>");
    static const uint64_t needed[] = {0xf};
    struct batch *b = batch_create_needed(schema, needed, 10, &w->mem);
    static const struct rowconv_field f[] = {{.phys = P_I32}};
    static const struct rowconv l = {.size = 4, .null_offset = ROWCONV_NO_NULLS, .field_count = 1, .fields = f};
    static const int32_t values[] = {5, 6};

    rows_add(b, "1 | x | y | (3) | 0\n");
    batch_clear(b);
    assert_int_equal(rowconv_write(&l, values, 2, b), S_OK);
    assert_string_equal(rows_text(b, &w->out), "+I[5, null, , +I[0], ?]\n+I[6, null, , +I[0], ?]\n");
    batch_free(b);
}

static void test_kinds_stay_insert(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(rows_type(&w->arena, "ROW<a INT>"), &w->mem, "-D @4 1\n");
    static const struct rowconv_field f[] = {{.phys = P_I32}};
    static const struct rowconv l = {.size = 4, .null_offset = ROWCONV_NO_NULLS, .field_count = 1, .fields = f};
    static const int32_t value = 5;

    b->kinds[1] = ROW_DELETE;
    assert_int_equal(rowconv_write(&l, &value, 1, b), S_OK);
    assert_string_equal(rows_text(b, &w->out), "-D[1]\n+I[5]\n");
    batch_free(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_type_is_read),
        TEST(test_what_is_read_writes_the_same_rows),
        TEST(test_selection_constants_and_offsets),
        TEST(test_null_without_a_mask_is_an_error),
        TEST(test_columns_without_a_field_get_null_or_zero),
        TEST(test_kinds_stay_insert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
