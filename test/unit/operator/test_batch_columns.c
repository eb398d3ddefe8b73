/* test_batch_columns.c - batch callbacks over nested columns: read level by level and value by value, written as C values;
 * NULL on every level, empty and missing lists, four levels, more elements than columns begin with, constants, dictionaries
 * and selections coming in. Each scenario runs with batches of one row, of three and whole. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct item {
    struct tw_str name;
    int32_t n;
    uint64_t nulls;
};
TW_ROW(item, TW_FIELD(item, name, "STRING"), TW_FIELD(item, n, "INT"), TW_NULLS(item, nulls));
struct order {
    int64_t id;
    struct tw_array tags;
    struct tw_map props;
    struct item best;
    struct tw_array items;
    struct tw_array deep;
    struct tw_map often;
    struct tw_decimal price;
    uint64_t nulls;
};
TW_ROW(order, TW_FIELD(order, id, "BIGINT NOT NULL"), TW_FIELD(order, tags, "ARRAY<STRING>"),
       TW_FIELD(order, props, "MAP<STRING, BIGINT>"), TW_FIELD_OF(order, best, "ROW", item), TW_FIELD_OF(order, items, "ARRAY<ROW>", item),
       TW_FIELD(order, deep, "ARRAY<ARRAY<MAP<INT, ARRAY<DOUBLE>>>>"), TW_FIELD(order, often, "MULTISET<STRING>"),
       TW_FIELD(order, price, "DECIMAL(38, 2)"), TW_NULLS(order, nulls));
enum { ID, TAGS, PROPS, BEST, ITEMS, DEEP, OFTEN, PRICE, FIELDS };
#define ORDERS                                                                                                         \
    "ROW<id BIGINT NOT NULL, tags ARRAY<STRING>, props MAP<STRING, BIGINT>, best ROW<name STRING, n INT>, "            \
    "items ARRAY<ROW<name STRING, n INT>>, deep ARRAY<ARRAY<MAP<INT, ARRAY<DOUBLE>>>>, often MULTISET<STRING>, "       \
    "price DECIMAL(38, 2)>"
#define ROW_1                                                                                                          \
    "1 | [a, \"a tag of some length\"] | {a=1, b=null} | (pen, 1) | [(pen, 1), null, (null, null)] | "                \
    "[[{1=[0.5, null], 2=null}, null], [], null] | {x=2, y=1} | 999999999999999999999999999999999999.99\n"
#define ROW_2 "2 | null | null | null | null | null | null | null\n"
#define ROW_3 "3 | [] | {} | (null, null) | [] | [] | {} | -0.01\n"
#define ROW_4 "4 | [null, c] | {long=123456789012} | (\"a name of some length\", null) | [(cup, 3)] | [[{}]] | {z=1} | 1.00\n"
#define OUT_1                                                                                                          \
    "+I[1, [a, a tag of some length], {a=1, b=null}, +I[pen, 1], [+I[pen, 1], null, +I[null, null]], "                 \
    "[[{1=[0.5, null], 2=null}, null], [], null], {x=2, y=1}, 999999999999999999999999999999999999.99]\n"
#define OUT_2 "+I[2, null, null, null, null, null, null, null]\n"
#define OUT_3 "+I[3, [], {}, +I[null, null], [], [], {}, -0.01]\n"
#define OUT_4 "+I[4, [null, c], {long=123456789012}, +I[a name of some length, null], [+I[cup, 3]], [[{}]], {z=1}, 1.00]\n"

static struct op_driver *driver(const struct tw_function *f, const char *in, uint32_t batch_rows)
{
    static struct function_config c;

    c = (struct function_config){{.name = "f", .fn = f}};
    return op_driver_create(&(struct op_setup){.type = op_find("batch"), .config = &c, .in = in, .batch_rows = batch_rows});
}

static void expect(const struct tw_function *f, const char *rows, const char *expected)
{
    static const uint32_t sizes[] = {0, 1, 3};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = driver(f, ORDERS, sizes[i]);
        assert_string_equal(op_driver_error(d), "");
        op_push(d, 0, rows);
        op_push(d, 0, rows); /* nothing is left of the batch before */
        assert_string_equal(op_driver_error(d), "");
        const char *out = op_output(d);
        size_t half = strlen(out) / 2;
        assert_int_equal(half, strlen(expected));
        assert_memory_equal(out, expected, half);
        assert_string_equal(out + half, expected);
        op_driver_free(d);
    }
}

/* --- value by value ------------------------------------------------------------------------------------------------------ */
/* In struct order's order of fields. */
static enum tw_status pass(struct tw_context *cx, const struct tw_batch *in)
{
    static const size_t sizes[FIELDS] = {8,
                                         sizeof(struct tw_array),
                                         sizeof(struct tw_map),
                                         sizeof(struct item),
                                         sizeof(struct tw_array),
                                         sizeof(struct tw_array),
                                         sizeof(struct tw_map),
                                         sizeof(struct tw_decimal)};

    for (uint32_t f = 0; f < FIELDS; f++) {
        char *to = tw_batch_out(cx, f);
        uint64_t *validity = f == ID ? NULL : tw_batch_out_validity(cx, f);
        for (uint32_t row = 0; row < tw_batch_rows(in); row++)
            if (!tw_batch_get(in, f, row, to + row * sizes[f])) {
                memset(to + row * sizes[f], 0xee, sizes[f]); /* nobody looks at it */
                tw_set_null(validity, row);
            }
    }
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(passing) = {.in = &order_row, .out = &order_row, .batch = pass};

static void values_pass_through(void **state)
{
    (void)state;
    expect(&passing, ROW_1 ROW_2 ROW_3 ROW_4, OUT_1 OUT_2 OUT_3 OUT_4);
    expect(&passing, ROW_2, OUT_2);
}

/* --- level by level ------------------------------------------------------------------------------------------------------ */
struct line {
    struct tw_str text;
};
TW_ROW(line, TW_FIELD(line, text, "STRING"));

static void column_show(const struct tw_column *c, uint32_t i, char *to)
{
    char *end = to + strlen(to);
    struct tw_str s;

    if (!tw_is_valid(c->validity, i)) {
        strcpy(end, "-");
        return;
    }
    assert_true(i < c->count);
    switch (c->kind) {
    case TW_COLUMN_STRINGS:
        s = tw_column_str(c, i);
        sprintf(end, "%.*s", (int)s.size, s.data);
        break;
    case TW_COLUMN_SPANS:
        for (uint32_t e = 0; e < c->spans[i].count; e++) {
            strcat(to, e ? "," : "(");
            for (uint32_t k = 0; k < c->child_count; k++) {
                if (k) strcat(to, "=");
                column_show(&c->children[k], c->spans[i].first + e, to);
            }
        }
        strcat(to, c->spans[i].count ? ")" : "()");
        break;
    case TW_COLUMN_ROWS:
        for (uint32_t k = 0; k < c->child_count; k++) {
            strcat(to, k ? ":" : "<");
            column_show(&c->children[k], i, to);
        }
        strcat(to, ">");
        break;
    case TW_COLUMN_VALUES: sprintf(end, "%p", c->values); break;
    }
}

/* Numbers, by the types that this test knows. */
static void numbers_show(const struct tw_column *c, uint32_t field, uint32_t i, char *to)
{
    if (field == ID) sprintf(to, "%lld", (long long)((const int64_t *)c->values)[i]);
    else if (field == PRICE) tw_decimal_text(((const struct tw_decimal *)c->values)[i], 2, to);
}

static enum tw_status show(struct tw_context *cx, const struct tw_batch *in)
{
    static const uint32_t fields[] = {ID, TAGS, PRICE};
    struct tw_str *lines = tw_batch_out(cx, 0);

    for (uint32_t row = 0; row < tw_batch_rows(in); row++) {
        char *text = tw_scratch(cx, 4096);
        for (uint32_t k = 0; k < COUNT_OF(fields); k++) {
            const struct tw_column *c = tw_batch_column(in, fields[k]);
            strcat(text, k ? " " : "");
            assert_ptr_equal(c, tw_batch_column(in, fields[k])); /* made once */
            assert_int_equal(c->count, tw_batch_rows(in));
            assert_ptr_equal(c->validity, tw_batch_validity(in, fields[k]));
            if (c->kind == TW_COLUMN_VALUES && tw_is_valid(c->validity, row)) {
                assert_ptr_equal(c->values, tw_batch_values(in, fields[k]));
                numbers_show(c, fields[k], row, text + strlen(text));
            } else {
                column_show(c, row, text);
            }
        }
        lines[row] = (struct tw_str){text, strlen(text)};
    }
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(showing) = {.in = &order_row, .out = &line_row, .batch = show};

static void every_level_has_its_nulls(void **state)
{
    (void)state;
    expect(&showing, ROW_1 ROW_2 ROW_3 ROW_4,
           "+I[1 (a,a tag of some length) 999999999999999999999999999999999999.99]\n"
           "+I[2 - -]\n"
           "+I[3 () -0.01]\n"
           "+I[4 (-,c) 1.00]\n");
}

/* Sums by loops over the levels, as a user would write them. */
struct sums {
    int64_t props, items;
    double deep;
    int32_t often, best;
    uint64_t nulls;
};
TW_ROW(sums, TW_FIELD(sums, props, "BIGINT"), TW_FIELD(sums, items, "BIGINT"), TW_FIELD(sums, deep, "DOUBLE NOT NULL"),
       TW_FIELD(sums, often, "INT"), TW_FIELD(sums, best, "INT"), TW_NULLS(sums, nulls));

static int64_t longs_of(const struct tw_column *list, const struct tw_column *numbers, uint32_t row, bool is_int)
{
    struct tw_span s = list->spans[row];
    int64_t sum = 0;

    for (uint32_t i = s.first; i < s.first + s.count; i++)
        if (tw_is_valid(numbers->validity, i))
            sum += is_int ? ((const int32_t *)numbers->values)[i] : ((const int64_t *)numbers->values)[i];
    return sum;
}

static double doubles_of(const struct tw_column *c, uint32_t i)
{
    double sum = 0;

    if (!tw_is_valid(c->validity, i)) return 0;
    if (c->kind == TW_COLUMN_VALUES) return ((const double *)c->values)[i];
    const struct tw_column *child = &c->children[c->child_count - 1];
    for (uint32_t e = 0; e < c->spans[i].count; e++) sum += 1 + doubles_of(child, c->spans[i].first + e);
    return sum;
}

static enum tw_status sum_up(struct tw_context *cx, const struct tw_batch *in)
{
    const struct tw_column *props = tw_batch_column(in, PROPS), *items = tw_batch_column(in, ITEMS), *deep = tw_batch_column(in, DEEP),
                           *often = tw_batch_column(in, OFTEN), *best = tw_batch_column(in, BEST);
    int64_t *prop_sums = tw_batch_out(cx, 0), *item_sums = tw_batch_out(cx, 1);
    double *deep_sums = tw_batch_out(cx, 2);
    int32_t *often_sums = tw_batch_out(cx, 3), *bests = tw_batch_out(cx, 4);
    uint64_t *prop_valid = tw_batch_out_validity(cx, 0), *best_valid = tw_batch_out_validity(cx, 4);

    assert_int_equal(items->children[0].kind, TW_COLUMN_ROWS);
    for (uint32_t row = 0; row < tw_batch_rows(in); row++) {
        const struct tw_column *n = &best->children[1];
        if (tw_is_valid(props->validity, row)) prop_sums[row] = longs_of(props, &props->children[1], row, false);
        else tw_set_null(prop_valid, row);
        if (tw_is_valid(items->validity, row)) item_sums[row] = longs_of(items, &items->children[0].children[1], row, true);
        deep_sums[row] = doubles_of(deep, row);
        if (tw_is_valid(often->validity, row)) often_sums[row] = (int32_t)longs_of(often, &often->children[1], row, true);
        if (tw_is_valid(n->validity, row)) bests[row] = ((const int32_t *)n->values)[row]; /* NULL where the ROW is */
        else tw_set_null(best_valid, row);
    }
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(summing) = {.in = &order_row, .out = &sums_row, .batch = sum_up};

static void levels_are_arrays(void **state)
{
    (void)state;
    expect(&summing, ROW_1 ROW_2 ROW_3 ROW_4,
           "+I[1, 1, 9.5, 3, 1]\n"
           "+I[null, 0, 0.0, 0, null]\n"
           "+I[0, 0, 0.0, 0, null]\n"
           "+I[123456789012, 3, 2.0, 1, null]\n");
}

/* --- forms of what comes in ---------------------------------------------------------------------------------------------- */
struct forms {
    struct mem mem;
    struct arena arena;
    struct batch *rows, *words;
    struct vector tags, names; /* as they were */
};

static void code(struct vector *v, uint16_t *codes, struct vector *dictionary)
{
    v->form = VEC_DICT;
    v->data = codes;
    v->children = dictionary;
    v->child_count = 1;
}

/* Three rows of type ORDERS. In `best` names are coded by a dictionary and numbers constant, as no reader makes them, but
 * vectors may; outer: column `tags` is coded as well, and `props` constant. */
static void forms_make(struct forms *w, bool outer)
{
    static uint16_t codes[3] = {1, 0, 1}, inner_codes[3] = {2, 1, 0};
    struct batch *b;

    mem_init(&w->mem, "test", 0);
    arena_init(&w->arena, &w->mem, 0);
    b = w->rows = rows_batch(rows_type(&w->arena, ORDERS), &w->mem, ROW_1 ROW_2 ROW_4);
    w->words = rows_batch(rows_type(&w->arena, "ROW<t ARRAY<STRING>, w STRING>"), &w->mem,
                          "[zero, null] | ink\nnull | null\n[] | \"a word of some length\"\n");
    struct vector *name = &b->cols[BEST].children[0];
    w->tags = b->cols[TAGS];
    w->names = *name;
    b->cols[BEST].validity = NULL;
    code(name, inner_codes, &w->words->cols[1]);
    vector_make_const(&b->cols[BEST].children[1]);
    if (!outer) return;
    code(&b->cols[TAGS], codes, &w->words->cols[0]);
    vector_make_const(&b->cols[PROPS]);
}

static void forms_release(struct forms *w)
{
    w->rows->cols[TAGS] = w->tags;
    w->rows->cols[BEST].children[0] = w->names;
    batch_free(w->rows);
    batch_free(w->words);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
}

static enum tw_status show_forms(struct tw_context *cx, const struct tw_batch *in)
{
    const struct tw_column *tags = tw_batch_column(in, TAGS), *best = tw_batch_column(in, BEST);
    struct tw_str *lines = tw_batch_out(cx, 0);

    for (uint32_t row = 0; row < tw_batch_rows(in); row++) {
        char *text = tw_scratch(cx, 4096);
        column_show(tags, row, text);
        column_show(&best->children[0], row, strcat(text, " "));
        sprintf(text + strlen(text), " %d", ((const int32_t *)best->children[1].values)[row]);
        lines[row] = (struct tw_str){text, strlen(text)};
    }
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(forms_showing) = {.in = &order_row, .out = &line_row, .batch = show_forms};

#define DEEP_1 "[[{1=[0.5, null], 2=null}, null], [], null], {x=2, y=1}, 999999999999999999999999999999999999.99]\n"
#define BEST_1 "+I[a word of some length, 1], [+I[pen, 1], null, +I[null, null]], " DEEP_1

static void constants_dictionaries_and_selections_read_alike(void **state)
{
    static const uint16_t selected[] = {0, 2};
    static const struct {
        const struct tw_function *f;
        bool outer;
        const char *lines[3];
    } cases[] = {
        {&forms_showing, false, {"+I[(a,a tag of some length) a word of some length 1]\n", "+I[- - 1]\n", "+I[(-,c) ink 1]\n"}},
        {&forms_showing, true, {"+I[- a word of some length 1]\n", "+I[(zero,-) - 1]\n", "+I[- ink 1]\n"}},
        {&passing,
         false,
         {"+I[1, [a, a tag of some length], {a=1, b=null}, " BEST_1, "+I[2, null, null, +I[null, 1], null, null, null, null]\n",
          "+I[4, [null, c], {long=123456789012}, +I[ink, 1], [+I[cup, 3]], [[{}]], {z=1}, 1.00]\n"}},
        {&passing,
         true,
         {"+I[1, null, {a=1, b=null}, " BEST_1, "+I[2, [zero, null], {a=1, b=null}, +I[null, 1], null, null, null, null]\n",
          "+I[4, null, {a=1, b=null}, +I[ink, 1], [+I[cup, 3]], [[{}]], {z=1}, 1.00]\n"}},
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct op_driver *d = driver(cases[i].f, ORDERS, 0);
        char expected[2000];
        struct forms w;
        forms_make(&w, cases[i].outer);
        for (uint32_t again = 0; again < 2; again++) { /* what was laid out for the first batch goes with it */
            op_push_batch(d, 0, w.rows);
            assert_string_equal(op_driver_error(d), "");
            snprintf(expected, sizeof expected, "%s%s%s", cases[i].lines[0], cases[i].lines[1], cases[i].lines[2]);
            assert_string_equal(op_output(d), expected);
        }
        w.rows->sel = selected;
        w.rows->sel_count = 2;
        op_push_batch(d, 0, w.rows);
        assert_string_equal(op_driver_error(d), "");
        snprintf(expected, sizeof expected, "%s%s", cases[i].lines[0], cases[i].lines[2]);
        assert_string_equal(op_output(d), expected);
        op_driver_free(d);
        forms_release(&w);
    }
}

/* --- growth -------------------------------------------------------------------------------------------------------------- */
struct number {
    int64_t n;
};
TW_ROW(number, TW_FIELD(number, n, "BIGINT NOT NULL"));
struct grown {
    struct tw_array numbers, texts, nested;
    uint64_t nulls;
};
TW_ROW(grown, TW_FIELD(grown, numbers, "ARRAY<BIGINT>"), TW_FIELD(grown, texts, "ARRAY<STRING>"),
       TW_FIELD(grown, nested, "ARRAY<ARRAY<INT>>"), TW_NULLS(grown, nulls));
enum { MANY = 5000 };

static enum tw_status grow(struct tw_context *cx, const struct tw_batch *in)
{
    const int64_t *n = tw_batch_values(in, 0);
    struct tw_array *numbers = tw_batch_out(cx, 0), *texts = tw_batch_out(cx, 1), *nested = tw_batch_out(cx, 2);

    for (uint32_t row = 0; row < tw_batch_rows(in); row++) {
        int64_t *values = tw_scratch(cx, MANY * sizeof *values);
        struct tw_str *strings = tw_scratch(cx, MANY * sizeof *strings);
        struct tw_array *lists = tw_scratch(cx, MANY * sizeof *lists);
        int32_t *ints = tw_scratch(cx, 3 * sizeof *ints);
        uint64_t *nulls = tw_scratch(cx, (MANY + 63) / 64 * 8);
        for (uint32_t i = 0; i < 3; i++) ints[i] = (int32_t)n[row];
        for (uint32_t i = 0; i < MANY; i++) {
            char *text = tw_scratch(cx, 40);
            values[i] = n[row] * 10000 + i;
            strings[i] = (struct tw_str){text, (size_t)snprintf(text, 40, "text number %u", i)};
            lists[i] = (struct tw_array){ints, NULL, i % 4};
        }
        nulls[MANY >> 6] = UINT64_C(1) << 7; /* element 4999 */
        numbers[row] = (struct tw_array){values, nulls, MANY};
        texts[row] = (struct tw_array){strings, NULL, MANY};
        nested[row] = (struct tw_array){lists, NULL, MANY};
    }
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(growing) = {.in = &number_row, .out = &grown_row, .batch = grow};

static enum tw_status same(struct tw_context *cx, const struct tw_batch *in)
{
    for (uint32_t f = 0; f < 3; f++) {
        struct tw_array *to = tw_batch_out(cx, f);
        for (uint32_t row = 0; row < tw_batch_rows(in); row++) assert_true(tw_batch_get(in, f, row, &to[row]));
    }
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(passing_grown) = {.in = &grown_row, .out = &grown_row, .batch = same};

static char *grown_line(char *to, int64_t n)
{
    to += sprintf(to, "+I[[");
    for (uint32_t i = 0; i < MANY - 1; i++) to += sprintf(to, "%s%lld", i ? ", " : "", (long long)n * 10000 + i);
    to += sprintf(to, ", null], [");
    for (uint32_t i = 0; i < MANY; i++) to += sprintf(to, "%stext number %u", i ? ", " : "", i);
    to += sprintf(to, "], [");
    for (uint32_t i = 0; i < MANY; i++) {
        to += sprintf(to, "%s[", i ? ", " : "");
        for (uint32_t k = 0; k < i % 4; k++) to += sprintf(to, "%s%lld", k ? ", " : "", (long long)n);
        to += sprintf(to, "]");
    }
    return to + sprintf(to, "]]\n");
}

static void columns_grow_as_they_must(void **state)
{
    static char expected[1 << 20], rows[1 << 20];
    char *to = expected;

    (void)state;
    for (int64_t n = 1; n <= 3; n++) to = grown_line(to, n);
    struct op_driver *d = driver(&growing, "ROW<n BIGINT NOT NULL>", 0);
    for (int again = 0; again < 2; again++) {
        op_push(d, 0, "1\n2\n3\n");
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), expected);
    }
    op_driver_free(d);
    to = rows;
    for (char *line = expected; *line; line = strchr(line, '\n') + 1) { /* "+I[[..], [..], [..]]" as rows.h wants it */
        char *first = line + 3, *second = strstr(first, "], [") + 3, *third = strstr(second, "], [[") + 3, *end = strchr(line, '\n');
        if (third == NULL || end == NULL) fail();
        if (second > third) fail();
        to += sprintf(to, "%.*s | %.*s | %.*s\n", (int)(second - 2 - first), first, (int)(third - 2 - second), second,
                      (int)(end - 1 - third), third);
    }
    d = driver(&passing_grown, "ROW<numbers ARRAY<BIGINT>, texts ARRAY<STRING>, nested ARRAY<ARRAY<INT>>>", 0);
    op_push(d, 0, rows);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), expected);
    op_driver_free(d);
}

/* --- what is not given, and mistakes --------------------------------------------------------------------------------------- */
struct defaults {
    int64_t id;
    struct tw_array tags;
    struct tw_str text;
    struct item best;
    uint64_t nulls;
};
TW_ROW(defaults, TW_FIELD(defaults, id, "BIGINT NOT NULL"), TW_FIELD(defaults, tags, "ARRAY<STRING>"),
       TW_FIELD(defaults, text, "STRING NOT NULL"), TW_FIELD_OF(defaults, best, "ROW NOT NULL", item), TW_NULLS(defaults, nulls));

static enum tw_status give_some(struct tw_context *cx, const struct tw_batch *in)
{
    bool all = *(const int64_t *)tw_batch_values(in, 0) == 1; /* the first batch has everything, the second nothing of it */

    for (uint32_t row = 0; all && row < tw_batch_rows(in); row++) {
        struct tw_str *tag = tw_scratch(cx, sizeof *tag);
        *tag = TW_STR("a tag of some length");
        ((int64_t *)tw_batch_out(cx, 0))[row] = 7;
        ((struct tw_array *)tw_batch_out(cx, 1))[row] = (struct tw_array){tag, NULL, 1};
        ((struct tw_str *)tw_batch_out(cx, 2))[row] = TW_STR("text");
        ((struct item *)tw_batch_out(cx, 3))[row] = (struct item){.name = TW_STR("pen"), .nulls = 2};
        if (row == 1) tw_set_null(tw_batch_out_validity(cx, 1), row);
    }
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(giving) = {.in = &number_row, .out = &defaults_row, .batch = give_some};

static void columns_that_are_not_asked_for_are_null(void **state)
{
    struct op_driver *d = driver(&giving, "ROW<n BIGINT NOT NULL>", 0);

    (void)state;
    op_push(d, 0, "1\n1\n");
    op_push(d, 0, "2\n2\n");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "+I[7, [a tag of some length], text, +I[pen, null]]\n+I[7, null, text, +I[pen, null]]\n"
                                      "+I[0, null, , +I[, 0]]\n+I[0, null, , +I[, 0]]\n");
    op_driver_free(d);
}

static enum tw_status lose_items(struct tw_context *cx, const struct tw_batch *in)
{
    ((struct tw_array *)tw_batch_out(cx, TAGS))[0] = (struct tw_array){NULL, NULL, 3};
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(losing) = {.in = &order_row, .out = &order_row, .batch = lose_items};
static enum tw_status flat_of_nested(struct tw_context *cx, const struct tw_batch *in)
{
    (void)cx;
    return tw_batch_values(in, ITEMS) ? TW_FAILED : TW_OK;
}
TW_FUNCTION(flat_values) = {.in = &order_row, .out = &order_row, .batch = flat_of_nested};
static enum tw_status null_id(struct tw_context *cx, const struct tw_batch *in)
{
    (void)in;
    return tw_batch_out_validity(cx, ID) ? TW_FAILED : TW_OK;
}
TW_FUNCTION(id_is_null) = {.in = &order_row, .out = &order_row, .batch = null_id};
static enum tw_status no_string(struct tw_context *cx, const struct tw_batch *in)
{
    (void)cx;
    return tw_column_str(tw_batch_column(in, ID), 0).size ? TW_FAILED : TW_OK;
}
TW_FUNCTION(id_as_text) = {.in = &order_row, .out = &order_row, .batch = no_string};
static enum tw_status far_row(struct tw_context *cx, const struct tw_batch *in)
{
    struct tw_array a;

    (void)cx;
    return tw_batch_get(in, TAGS, 1, &a) ? TW_FAILED : TW_OK;
}
TW_FUNCTION(beyond) = {.in = &order_row, .out = &order_row, .batch = far_row};
struct plain {
    struct {
        struct tw_str name;
        int32_t n;
    } best;
    struct tw_array items;
    uint64_t nulls;
};
TW_ROW(plain, TW_FIELD(plain, best, "ROW<name STRING, n INT>"), TW_FIELD(plain, items, "ARRAY<ROW<name STRING, n INT>>"),
       TW_NULLS(plain, nulls));
static enum tw_status show_plain(struct tw_context *cx, const struct tw_batch *in)
{
    ((struct tw_str *)tw_batch_out(cx, 0))[0] = tw_column_str(&tw_batch_column(in, 0)->children[0], 0);
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(plain_rows) = {.in = &plain_row, .out = &line_row, .batch = show_plain};

static void mistakes_fail_with_a_sentence(void **state)
{
    static const struct {
        const struct tw_function *f;
        const char *row, *error;
    } cases[] = {
        {&losing, ROW_1,
         "row type 'order', field 'tags': an array or map has a count, but no elements: items, keys or values is NULL"},
        {&flat_values, ROW_1, "tw_batch_values: field 'items' of row type 'order' is nested; tw_batch_column shows its levels"},
        {&id_is_null, ROW_1, "tw_batch_out_validity: field 'id' of row type 'order' is NOT NULL"},
        {&id_as_text, ROW_1, "tw_column_str: value 0 of a column with 1 values that are no strings"},
        {&beyond, ROW_1, "tw_batch_get: row 1 of 1"},
        {&plain_rows, ROW_3, "NULL inside column 'best', but row type 'plain' has no place for it"},
        {&plain_rows, "1 | null | null | (pen, 1) | [(ink, 2), null, (pen, null)] | null | null | null\n",
         "NULL inside column 'items', but row type 'plain' has no place for it"},
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct op_driver *d = driver(cases[i].f, ORDERS, 0);
        if (op_driver_error(d)[0] == 0) op_push(d, 0, cases[i].row);
        if (strstr(op_driver_error(d), cases[i].error) == NULL) fail_msg("%s", op_driver_error(d));
        op_driver_free(d);
    }
    /* A NULL array, a NULL element and a NULL row are no NULLs without a place. */
    struct op_driver *d = driver(&plain_rows, ORDERS, 0);
    op_push(d, 0, "1 | null | null | (pen, 1) | [(ink, 2), null] | null | null | null\n");
    op_push(d, 0, "1 | null | null | (ink, 1) | null | null | null | null\n");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "+I[pen]\n+I[ink]\n");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_pass_through),
        cmocka_unit_test(every_level_has_its_nulls),
        cmocka_unit_test(levels_are_arrays),
        cmocka_unit_test(constants_dictionaries_and_selections_read_alike),
        cmocka_unit_test(columns_grow_as_they_must),
        cmocka_unit_test(columns_that_are_not_asked_for_are_null),
        cmocka_unit_test(mistakes_fail_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
