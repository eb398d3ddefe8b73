/* test_cform.c - C forms: sizes and offsets as the compiler's, what is refused, and random values of random types that go
 * through columns, copies and batches and come back the same. */
#include "columns/column/rowconv.h"
#include "ground/base/str.h"
#include "support/nested_values.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena arena;
    struct buf out;
    struct err err;
};

static int set_up(void **state)
{
    static struct world w;

    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.out, &w.mem);
    memset(&w.err, 0, sizeof w.err);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    buf_release(&w->out);
    arena_release(&w->arena);
    err_clear(&w->err);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    return 0;
}

static const struct cform *parse(struct world *w, const char *text)
{
    const struct cform *f = NULL;

    if (cform_parse(&w->arena, text, NULL, &f, &w->err) != S_OK) fail_msg("%s: %s", text, w->err.text);
    return f;
}

/* ---- layouts */

static void sizes_are_those_of_c(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text;
        uint32_t size;
    } cases[] = {{"BOOLEAN", sizeof(bool)},
                 {"DECIMAL(18, 2)", sizeof(int64_t)},
                 {"DECIMAL(19, 2)", sizeof(struct tw_decimal)},
                 {"DECIMAL(38)", 16},
                 {"STRING", sizeof(struct tw_str)},
                 {"TIMESTAMP(9)", sizeof(struct tw_timestamp)},
                 {"ARRAY<INT>", sizeof(struct tw_array)},
                 {"MAP<STRING, ARRAY<INT>>", sizeof(struct tw_map)},
                 {"MULTISET<STRING>", sizeof(struct tw_map)},
                 {"ROW<a BOOLEAN>", 1},
                 {"ROW<a BOOLEAN, b SMALLINT>", 4}};

    for (uint32_t i = 0; i < COUNT_OF(cases); i++) assert_int_equal(parse(w, cases[i].text)->size, cases[i].size);
}

static void a_plain_row_lies_as_the_compiler_lays_it(void **state)
{
    struct world *w = *state;
    struct inner {
        int16_t a;
        struct tw_decimal b;
        bool c;
    };
    struct outer {
        bool a;
        struct inner b;
        int32_t c;
        struct tw_array d;
        int8_t e;
    };
    const struct cform *f = parse(w, "ROW<a BOOLEAN, b ROW<a SMALLINT, b DECIMAL(30, 2), c BOOLEAN>, c INT, "
                                     "d ARRAY<STRING>, e TINYINT>");

    assert_int_equal(f->size, sizeof(struct outer));
    assert_int_equal(f->children[1].offset, offsetof(struct outer, b));
    assert_int_equal(f->children[2].offset, offsetof(struct outer, c));
    assert_int_equal(f->children[3].offset, offsetof(struct outer, d));
    assert_int_equal(f->children[4].offset, offsetof(struct outer, e));
    assert_int_equal(f->children[1].form->children[1].offset, offsetof(struct inner, b));
    buf_clear(&w->out);
    type_print(f->type, &w->out);
    assert_string_equal(
        buf_text(&w->out),
        "ROW<`a` BOOLEAN NOT NULL, `b` ROW<`a` SMALLINT NOT NULL, `b` DECIMAL(30, 2) NOT NULL, `c` "
        "BOOLEAN NOT NULL> NOT NULL, `c` INT NOT NULL, `d` ARRAY<STRING> NOT NULL, `e` TINYINT NOT NULL>");
}

struct part {
    struct tw_str name;
    int32_t count;
    uint64_t nulls;
};
TW_ROW(part, TW_FIELD(part, name, "STRING NOT NULL"), TW_FIELD(part, count, "INT"), TW_NULLS(part, nulls));
struct whole {
    struct part best;
    struct tw_map parts;
    struct tw_array numbers;
};
TW_ROW(whole, TW_FIELD_OF(whole, best, "ROW", part), TW_FIELD_OF(whole, parts, "MAP<STRING, ROW>", part),
       TW_FIELD(whole, numbers, "ARRAY<DECIMAL(38, 2)>"));

static void described_structs_nest(void **state)
{
    struct world *w = *state;
    const struct cform *f;

    assert_int_equal(cform_of_row(&w->arena, &whole_row, &f, &w->err), S_OK);
    assert_int_equal(f->children[0].form->null_offset, offsetof(struct part, nulls));
    assert_int_equal(f->children[1].form->children[1].form->size, sizeof(struct part));
    type_print(f->type, &w->out);
    assert_string_equal(buf_text(&w->out),
                        "ROW<`best` ROW<`name` STRING NOT NULL, `count` INT> NOT NULL, `parts` MAP<STRING NOT NULL, "
                        "ROW<`name` STRING NOT NULL, `count` INT>> NOT NULL, `numbers` ARRAY<DECIMAL(38, 2)> NOT NULL> "
                        "NOT NULL");
}

/* ---- mistakes */

struct wrong_size {
    struct tw_map items;
};
TW_ROW(wrong_size, TW_FIELD(wrong_size, items, "ARRAY<INT>"));
struct wrong_row {
    int64_t inner;
};
TW_ROW(wrong_row, TW_FIELD(wrong_row, inner, "ROW<a INT, b STRING>"));
struct no_bare {
    struct tw_array items;
};
TW_ROW(no_bare, TW_FIELD_OF(no_bare, items, "ARRAY<INT>", part));
struct both {
    struct tw_array items;
};
TW_ROW(both, TW_FIELD_OF(both, items, "ARRAY<ROW<a INT>>", part));
struct bare {
    struct tw_array items;
};
TW_ROW(bare, TW_FIELD(bare, items, "ARRAY<ROW>"));
struct tree {
    struct tw_array children;
};
extern const struct tw_row tree_row;
static const struct tw_field tree_fields[] = {TW_FIELD_OF(tree, children, "ARRAY<ROW>", tree)};
const struct tw_row tree_row = {"tree", sizeof(struct tree), 1, tree_fields};
/* Written by hand: the macros cannot say such a thing. */
static const struct tw_field far_mask_fields[] = {{"a", "INT", 0, 4, NULL}, {"nulls", "", 8, 8, NULL}};
static const struct tw_row far_mask_row = {"far_mask", 8, 2, far_mask_fields};
static const struct tw_field far_field_fields[] = {{"a", "BIGINT", 4, 8, NULL}};
static const struct tw_row far_field_row = {"far_field", 8, 1, far_field_fields};

static void mistakes_are_told(void **state)
{
    struct world *w = *state;
    static const struct {
        const struct tw_row *row;
        const char *error;
    } cases[] = {
        {&wrong_size_row,
         "row type 'wrong_size', field 'items': ARRAY<INT> takes 24 bytes in C, but the struct's member "
         "has 32"},
        {&wrong_row_row,
         "row type 'wrong_row', field 'inner': ROW<a INT, b STRING> takes 24 bytes in C, but the struct's "
         "member has 8"},
        {&no_bare_row,
         "row type 'no_bare', field 'items': row type 'part' is given, but ARRAY<INT> has no bare ROW for it"},
        {&far_mask_row, "row type 'far_mask': the null mask lies outside of the struct's 8 bytes"},
        {&far_field_row, "row type 'far_field', field 'a' lies outside of the struct's 8 bytes"},
    };
    const struct cform *f;

    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(cform_of_row(&w->arena, cases[i].row, &f, &w->err), E_GRAPH);
        assert_string_equal(w->err.text, cases[i].error);
        err_clear(&w->err);
    }
    assert_int_equal(cform_of_row(&w->arena, &both_row, &f, &w->err), E_GRAPH);
    assert_non_null(strstr(w->err.text, "ROW stands alone here"));
    err_clear(&w->err);
    assert_int_equal(cform_of_row(&w->arena, &bare_row, &f, &w->err), E_GRAPH);
    assert_non_null(strstr(w->err.text, "'<' belongs here, as in ROW<a INT, b STRING>"));
    err_clear(&w->err);
    assert_int_equal(cform_of_row(&w->arena, &tree_row, &f, &w->err), E_GRAPH);
    assert_non_null(strstr(w->err.text, "row type 'tree' nests more than 16 deep"));
    err_clear(&w->err);
    assert_int_equal(cform_parse(&w->arena, "ARRAY<NULL>", NULL, &f, &w->err), E_UNSUPPORTED);
}

static const char *fault_of(struct world *w, const char *text, const void *value)
{
    const char *why = "";

    return cform_check(parse(w, text), value, &why) == S_OK ? NULL : why;
}

static void values_that_are_none_are_told(void **state)
{
    struct world *w = *state;
    static const uint64_t second = 2;
    static const int32_t numbers[] = {1, 2};
    static const struct tw_str texts[] = {{"a", 1}, {NULL, 5}};
    struct tw_array lost = {NULL, NULL, 2}, holes = {numbers, &second, 2}, strings = {texts, NULL, 2},
                    huge = {numbers, NULL, CFORM_ELEMENTS_MAX + 1}, hidden = {texts, &second, 2},
                    none = {NULL, NULL, 0};
    struct tw_map half = {numbers, NULL, NULL, 2};

    assert_non_null(strstr(fault_of(w, "ARRAY<INT>", &lost), "items, keys or values is NULL"));
    assert_non_null(strstr(fault_of(w, "MAP<INT, INT>", &half), "items, keys or values is NULL"));
    assert_string_equal(fault_of(w, "ARRAY<INT NOT NULL>", &holes), "an element is NULL, but its type says NOT NULL");
    assert_string_equal(fault_of(w, "ARRAY<STRING>", &strings), "a string has a size, but its data is NULL");
    assert_non_null(strstr(fault_of(w, "ARRAY<INT>", &huge), "more than 16777216 elements"));
    assert_null(fault_of(w, "ARRAY<INT>", &holes));
    assert_null(fault_of(w, "ARRAY<STRING>", &hidden)); /* what is NULL may be anything */
    assert_null(fault_of(w, "ARRAY<STRING>", &none));
}

/* Items may be shared, so that a few bytes say more than memory holds. */
static void huge_values_are_errors(void **state)
{
    struct world *w = *state;
    static const int8_t items[1024];
    static const bool no_bytes[1];
    const struct cform *f = parse(w, "ARRAY<ARRAY<TINYINT>>"), *flat = parse(w, "ARRAY<BOOLEAN>");
    struct tw_array *inner = arena_alloc(&w->arena, 17000 * sizeof *inner);
    struct tw_array value = {inner, NULL, 17000}, one = {no_bytes, NULL, 1};
    struct text_heap heap;
    struct vector v;

    for (uint32_t i = 0; i < 17000; i++) inner[i] = (struct tw_array){items, NULL, 1024};
    assert_string_equal(fault_of(w, "ARRAY<ARRAY<TINYINT>>", &value), "an array or map has more than 16777216 elements");
    value.count = 16367; /* and 16,367 * 1,024 in them */
    assert_null(fault_of(w, "ARRAY<ARRAY<TINYINT>>", &value));
    text_heap_init(&heap, &w->mem);
    vector_init(&v, flat->type, 2, &w->mem);
    v.children[0].used = INT32_MAX; /* as if so many were there */
    assert_int_equal(cform_write(flat, &one, &v, 0, &heap, &w->mem), E_DATA);
    v.children[0].used = 0;
    assert_int_equal(cform_write(flat, &one, &v, 0, &heap, &w->mem), S_OK);
    vector_release(&v, &w->mem);
    vector_init(&v, f->type, 2, &w->mem);
    value.count = 2;
    v.children[0].children[0].used = INT32_MAX;
    assert_int_equal(cform_write(f, &value, &v, 0, &heap, &w->mem), E_DATA); /* further inside */
    vector_release(&v, &w->mem);
    text_heap_release(&heap);
}

/* ---- decimals */

static void decimals_have_38_digits(void **state)
{
    char text[TW_DECIMAL_TEXT_MAX];
    struct tw_decimal d;

    (void)state;
    assert_true(tw_decimal_parse("99999999999999999999999999999999999999", 38, 0, &d));
    assert_string_equal(tw_decimal_text(d, 0, text), "99999999999999999999999999999999999999");
    assert_true(tw_decimal_parse("-0.00000000000000000000000000000000000001", 38, 38, &d));
    assert_string_equal(tw_decimal_text(d, 38, text), "-0.00000000000000000000000000000000000001");
    assert_true(tw_decimal_parse("-12.345", 20, 2, &d));
    assert_string_equal(tw_decimal_text(d, 2, text), "-12.35");
    assert_string_equal(tw_decimal_text(tw_decimal_of(-7), 3, text), "-0.007");
    assert_string_equal(tw_decimal_text(tw_decimal_of(0), 0, text), "0");
    d = tw_decimal_put(tw_decimal_get(tw_decimal_of(-5)) * tw_decimal_get(tw_decimal_of(INT64_MAX)));
    assert_string_equal(tw_decimal_text(d, 0, text), "-46116860184273879035");
    assert_false(tw_decimal_parse("1000", 3, 0, &d));
    assert_false(tw_decimal_parse("x", 3, 0, &d));
    assert_false(tw_decimal_parse(NULL, 3, 0, &d));
    assert_false(tw_decimal_parse("1", 39, 0, &d));
}

/* ---- round trips */

enum { ROWS = 20 };

/* Column i is field i; the columns can hold NULL wherever the fields can. */
static void layout_of(struct world *w, const struct tw_row *row, const struct cform *f, struct rowconv *c)
{
    struct rowconv_field *fields = ARENA_ARRAY(&w->arena, struct rowconv_field, f->child_count);

    for (uint32_t i = 0; i < f->child_count; i++) {
        const struct cform_child *child = &f->children[i];
        fields[i] = (struct rowconv_field){.col = i,
                                           .offset = child->offset,
                                           .phys = child->form->type->phys,
                                           .not_null = !child->form->type->nullable,
                                           .form = cform_is_nested(child->form) ? child->form : NULL};
    }
    *c = (struct rowconv){.size = row->size,
                          .null_offset = f->null_offset,
                          .field_count = f->child_count,
                          .fields = fields,
                          .must_check = true};
}

static void all_equal(const struct cform *f, const char *x, const char *y, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < f->child_count; k++)
            assert_int_equal(cform_field_null(f, x + i * f->size, k), cform_field_null(f, y + i * f->size, k));
        assert_true(nested_values_equal(f, x + i * f->size, y + i * f->size));
    }
}

static void read_all(struct world *w, const struct rowconv *c, const struct batch *b, char *to)
{
    uint32_t bad = 0;

    memset(to, 0xdd, (size_t)c->size * ROWS);
    if (rowconv_read(c, b, 0, ROWS, to, &w->arena, &bad) != S_OK) fail_msg("field %u", bad);
}

static void through_batches(struct world *w, const struct tw_row *row, const struct cform *f, const char *structs)
{
    struct batch *b = batch_create(f->type, 2 * ROWS, &w->mem), *copy = batch_create(f->type, 2 * ROWS, &w->mem);
    char *back = arena_alloc(&w->arena, (size_t)f->size * ROWS);
    struct rowconv c;
    uint16_t order[ROWS];

    layout_of(w, row, f, &c);
    for (uint32_t round = 0; round < 2; round++) { /* the second time into buffers that are full of the first */
        batch_clear(b);
        assert_int_equal(rowconv_write(&c, structs, ROWS / 2, b), S_OK);
        assert_int_equal(rowconv_write(&c, structs + (size_t)ROWS / 2 * f->size, ROWS / 2, b), S_OK);
        read_all(w, &c, b, back);
        all_equal(f, structs, back, ROWS);
        batch_clear(copy);
        batch_append(copy, b, NULL, 0);
        batch_append(copy, b, NULL, 0);
        for (uint32_t i = 0; i < ROWS; i++) order[i] = (uint16_t)(i % 2 ? i : i + ROWS);
        copy->sel = order;
        copy->sel_count = ROWS;
        read_all(w, &c, copy, back);
        all_equal(f, structs, back, ROWS);
    }
    for (uint32_t i = 0; i < b->col_count; i++) vector_make_const(&b->cols[i]);
    read_all(w, &c, b, back);
    for (uint32_t i = 0; i < ROWS; i++) all_equal(f, structs, back + (size_t)i * f->size, 1);
    batch_free(b);
    batch_free(copy);
}

static void through_a_copy(struct world *w, const struct cform *f, const char *structs)
{
    char *copy = arena_alloc(&w->arena, (size_t)f->size * ROWS);
    struct arena held;

    arena_init(&held, &w->mem, 0);
    memcpy(copy, structs, (size_t)f->size * ROWS);
    for (uint32_t i = 0; i < ROWS; i++) cform_hold(f, copy + (size_t)i * f->size, &held);
    all_equal(f, structs, copy, ROWS);
    arena_release(&held);
}

static void random_values_come_back(void **state)
{
    struct world *w = *state;
    uint32_t nested = 0;

    for (uint64_t seed = 0; seed < 400; seed++) {
        struct prng p;
        const struct cform *f;
        const char *why;
        prng_init(&p, seed);
        const struct tw_row *row = nested_random_row(&p, &w->arena, (int)(seed % 5));
        if (cform_of_row(&w->arena, row, &f, &w->err) != S_OK) fail_msg("%s", w->err.text);
        for (uint32_t i = 0; i < f->child_count; i++) nested += cform_is_nested(f->children[i].form);
        char *structs = arena_alloc(&w->arena, (size_t)f->size * ROWS);
        for (uint32_t i = 0; i < ROWS; i++) {
            nested_random_value(&p, &w->arena, f, structs + (size_t)i * f->size);
            assert_int_equal(cform_check(f, structs + (size_t)i * f->size, &why), S_OK);
        }
        through_batches(w, row, f, structs);
        through_a_copy(w, f, structs);
        arena_reset(&w->arena);
    }
    assert_true(nested > 400);
}

static void a_null_without_a_place_is_an_error(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *schema, *rows, *form;
    } cases[] = {
        {"ROW<c MAP<STRING, INT>>", "{a=1, null=2}\n", "MAP<STRING, INT>"},
        {"ROW<c ROW<a INT, b INT>>", "(1, null)\n", "ROW<a INT, b INT>"},
        {"ROW<c ARRAY<ROW<a INT>>>", "[(1), (null)]\n", "ARRAY<ROW<a INT>>"},
    };

    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct batch *b = rows_batch(rows_type(&w->arena, cases[i].schema), &w->mem, cases[i].rows);
        const struct rowconv_field field = {.phys = b->cols[0].phys, .form = parse(w, cases[i].form)};
        const struct rowconv c = {.size = 32, .null_offset = ROWCONV_NO_NULLS, .field_count = 1, .fields = &field};
        char row[32];
        uint32_t bad = 99;
        assert_int_equal(rowconv_read(&c, b, 0, 1, row, &w->arena, &bad), E_DATA);
        assert_int_equal(bad, 0);
        batch_free(b);
    }
}

/* Elements of fixed width are views of the column. */
static void plain_arrays_are_not_copied(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(rows_type(&w->arena, "ROW<c ARRAY<BIGINT>>"), &w->mem, "[1, 2]\n[3]\n[4, null]\n");
    const struct cform *f = parse(w, "ARRAY<BIGINT>");
    struct tw_array a;

    assert_int_equal(cform_read(f, &b->cols[0], 1, &a, &w->arena), S_OK);
    assert_ptr_equal(a.items, VECTOR_VALUES(&b->cols[0].children[0], int64_t) + 2);
    assert_int_equal(cform_read(f, &b->cols[0], 2, &a, &w->arena), S_OK);
    assert_true(a.count == 2 && ((const int64_t *)a.items)[0] == 4 && ((const int64_t *)a.items)[1] == 0);
    assert_true(!tw_is_null(a.nulls, 0) && tw_is_null(a.nulls, 1));
    batch_free(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sizes_are_those_of_c),          TEST(a_plain_row_lies_as_the_compiler_lays_it),
        TEST(described_structs_nest),        TEST(mistakes_are_told),
        TEST(values_that_are_none_are_told), TEST(huge_values_are_errors),
        TEST(decimals_have_38_digits),
        TEST(random_values_come_back),       TEST(a_null_without_a_place_is_an_error),
        TEST(plain_arrays_are_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
