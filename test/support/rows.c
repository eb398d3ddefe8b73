/* rows.c - reads rows for tests by recursive descent over the type; every mistake fails the test at once. */
#include "support/rows.h"

#include "columns/column/decimal.h"
#include "columns/column/timestamp.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

struct reader {
    const char *at;
    struct batch *b;
};

static void read_value(struct reader *r, struct vector *v, uint32_t row);

const struct type *rows_type(struct arena *a, const char *text)
{
    struct err e = {.status = S_OK};
    const struct type *t = NULL;

    if (type_parse(a, str_of(text), &t, &e) != S_OK) fail_msg("%s", e.text);
    return t;
}

static void skip_spaces(struct reader *r)
{
    while (*r->at == ' ') r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_spaces(r);
    if (*r->at != c) return false;
    r->at++;
    return true;
}

static void expect(struct reader *r, char c)
{
    if (!take(r, c)) fail_msg("'%c' expected at: %.40s", c, r->at);
}

static bool is_end(char c)
{
    return c == '\0' || strchr("|,[]{}()=\n", c) != NULL;
}

static struct str read_word(struct reader *r)
{
    const char *start;

    skip_spaces(r);
    start = r->at;
    if (*start == '"') {
        const char *end = strchr(++start, '"');
        if (!end) fail_msg("quote not closed: %.40s", start);
        r->at = end + 1;
        return (struct str){start, (size_t)(end - start)};
    }
    while (!is_end(*r->at)) r->at++;
    return str_trim((struct str){start, (size_t)(r->at - start)});
}

static void refuse(const struct type *t, struct str word)
{
    fail_msg("no value of type kind %d: '%.*s'", t->kind, (int)word.size, word.data);
}

static int64_t read_int(const struct type *t, struct str word)
{
    int64_t value = 0;

    if (!str_to_int64(word, &value)) refuse(t, word);
    return value;
}

static void store_int(struct vector *v, uint32_t row, int64_t value)
{
    switch ((enum phys)v->phys) {
    case P_BOOL:
    case P_I8: VECTOR_VALUES(v, int8_t)[row] = (int8_t)value; break;
    case P_I16: VECTOR_VALUES(v, int16_t)[row] = (int16_t)value; break;
    case P_I32: VECTOR_VALUES(v, int32_t)[row] = (int32_t)value; break;
    case P_I64: VECTOR_VALUES(v, int64_t)[row] = value; break;
    default: fail_msg("no integer type");
    }
}

static void store_decimal(struct vector *v, uint32_t row, struct str word)
{
    int128 value = 0;

    if (!decimal_parse(word, v->type->precision, v->type->scale, &value)) refuse(v->type, word);
    if (v->phys == P_I128) VECTOR_VALUES(v, int128)[row] = value;
    else store_int(v, row, (int64_t)value);
}

static void store_float(struct vector *v, uint32_t row, struct str word)
{
    double value = 0;

    if (str_equal(word, STR("NaN"))) value = __builtin_nan("");
    else if (!str_to_double(word, &value)) refuse(v->type, word);
    if (v->phys == P_F64) VECTOR_VALUES(v, double)[row] = value;
    else VECTOR_VALUES(v, float)[row] = (float)value;
}

static void store_time(struct vector *v, uint32_t row, struct str word)
{
    struct ts96 t;
    int32_t number = 0;
    bool ok;

    if (v->type->kind == T_DATE) {
        ok = date_parse(word, &number);
        store_int(v, row, number);
    } else if (v->type->kind == T_TIME) {
        ok = time_parse(word, &number);
        store_int(v, row, number);
    } else {
        ok = timestamp_parse(word, &t);
        if (ok) timestamp_store(t, v->type->precision, (char *)v->data + row * phys_width((enum phys)v->phys));
    }
    if (!ok) refuse(v->type, word);
}

static void read_scalar(struct reader *r, struct vector *v, uint32_t row)
{
    struct str word = read_word(r);

    switch ((enum type_kind)v->type->kind) {
    case T_BOOLEAN: store_int(v, row, str_equal(word, STR("true"))); break;
    case T_FLOAT:
    case T_DOUBLE: store_float(v, row, word); break;
    case T_DECIMAL: store_decimal(v, row, word); break;
    case T_CHAR:
    case T_VARCHAR:
    case T_BINARY:
    case T_VARBINARY: VECTOR_VALUES(v, struct text)[row] = text_put(&r->b->heap, word.data, word.size); break;
    case T_DATE:
    case T_TIME:
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: store_time(v, row, word); break;
    default: store_int(v, row, read_int(v->type, word));
    }
}

static void read_element(struct reader *r, struct vector *child)
{
    read_value(r, child, child->used++);
}

static void read_list(struct reader *r, struct vector *v, uint32_t row)
{
    bool is_map = v->child_count == 2;
    char close = is_map ? '}' : ']';
    struct list_ref list = {.first = v->children[0].used, .count = 0};

    expect(r, is_map ? '{' : '[');
    while (!take(r, close)) {
        if (list.count > 0) expect(r, ',');
        vector_child_reserve(v, v->children[0].used + 1, r->b->mem);
        read_element(r, &v->children[0]);
        if (is_map) {
            expect(r, '=');
            read_element(r, &v->children[1]);
        }
        list.count++;
    }
    VECTOR_VALUES(v, struct list_ref)[row] = list;
}

static void read_value(struct reader *r, struct vector *v, uint32_t row)
{
    skip_spaces(r);
    if (v->form == VEC_ABSENT) { /* what stands here goes nowhere */
        while (*r->at && *r->at != '|' && *r->at != '\n') r->at++;
        return;
    }
    if (strncmp(r->at, "null", 4) == 0 && (is_end(r->at[4]) || r->at[4] == ' ')) {
        r->at += 4;
        if (v->type->kind != T_NULL) vector_set_null(v, row);
        return;
    }
    if (v->type->kind != T_NULL) vector_set_valid(v, row);
    if (v->phys == P_LIST) {
        read_list(r, v, row);
    } else if (v->phys == P_ROW) {
        expect(r, '(');
        for (uint32_t i = 0; i < v->child_count; i++) {
            if (i > 0) expect(r, ',');
            read_value(r, &v->children[i], row);
        }
        expect(r, ')');
    } else {
        read_scalar(r, v, row);
    }
}

static void read_header(struct reader *r, uint32_t row)
{
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    int64_t time;

    skip_spaces(r);
    for (uint8_t k = 0; k < 4; k++) {
        if (strncmp(r->at, kinds[k], 2) != 0) continue;
        r->at += 2;
        batch_use_kinds(r->b);
        r->b->kinds[row] = k;
        break;
    }
    if (!take(r, '@')) return;
    const char *start = r->at;
    while (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')) r->at++;
    if (!str_to_int64((struct str){start, (size_t)(r->at - start)}, &time)) fail_msg("no time: %.20s", start);
    batch_use_times(r->b);
    r->b->times[row] = time;
}

void rows_add(struct batch *b, const char *text)
{
    struct reader r = {text, b};

    while (*r.at) {
        uint32_t row = b->count;
        assert_true(row < b->capacity);
        if (b->kinds) b->kinds[row] = ROW_INSERT;
        if (b->times) b->times[row] = TIME_MIN;
        read_header(&r, row);
        for (uint32_t i = 0; i < b->col_count; i++) {
            if (i > 0) expect(&r, '|');
            read_value(&r, &b->cols[i], row);
        }
        skip_spaces(&r);
        if (*r.at == '\n') r.at++;
        else if (*r.at) fail_msg("end of line expected at: %.40s", r.at);
        b->count++;
    }
}

struct batch *rows_batch(const struct type *schema, struct mem *mem, const char *text)
{
    struct batch *b = batch_create(schema, BATCH_ROWS, mem);

    rows_add(b, text);
    return b;
}

const char *rows_text(const struct batch *b, struct buf *out)
{
    buf_clear(out);
    BATCH_EACH(b, i, row)
    {
        batch_print_row(b, row, out);
        buf_append_byte(out, '\n');
    }
    return buf_text(out);
}
