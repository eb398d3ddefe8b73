/* fn_printf.c - PRINTF(pattern, value...): Java's Formatter over values as Flink holds them. What Java throws at is NULL: a flag that
 * does not fit, a value of another kind, one that is missing.
 *
 * Flink hands its own values to Java, and so they print: a DATE as its day's number, a TIME as milliseconds, an interval as months or
 * milliseconds; a TIMESTAMP in ISO form; a DECIMAL is written by %s, but is no number to %d or %f. */
#include "columns/column/sql_text.h"
#include "columns/function/fn_text.h"
#include "columns/function/java_format.h"
#include "ground/base/str.h"

#include <string.h>

struct printf_state {
    void *letters;
    struct buf work[2], out, shown; /* shown: values that are written as text */
};

static void *printf_open(const struct fn_call *c, struct mem *mem)
{
    struct printf_state *s = mem_zalloc(mem, sizeof *s);

    (void)c;
    s->letters = fn_letters_open();
    buf_init(&s->work[0], mem);
    buf_init(&s->work[1], mem);
    buf_init(&s->out, mem);
    buf_init(&s->shown, mem);
    return s;
}

static void printf_close(void *state, struct mem *mem)
{
    struct printf_state *s = state;

    fn_letters_close(s->letters);
    buf_release(&s->work[0]);
    buf_release(&s->work[1]);
    buf_release(&s->out);
    buf_release(&s->shown);
    mem_free(mem, s);
}

/* 2001-02-03T04:05, with seconds and a fraction of 3, 6 or 9 digits where there are some. */
static struct str stamp_text(const struct vector *v, uint32_t at, struct buf *out)
{
    size_t from = out->size;

    sql_text_print(v, at, NULL, out);
    char *blank = memchr(out->data + from, ' ', out->size - from);
    if (blank != NULL) *blank = 'T';
    char *point = memchr(out->data + from, '.', out->size - from);
    if (point != NULL) {
        while (out->data[out->size - 1] == '0') out->size--;
        size_t digits = out->size - (size_t)(point + 1 - out->data);
        while (digits % 3 != 0) {
            buf_append_byte(out, '0');
            digits++;
        }
        if (digits == 0) out->size--;
    }
    struct str text = {out->data + from, out->size - from};
    if (str_ends(text, STR(":00")) && text.size > sizeof "yyyy-mm-ddThh:mm" - 1) text.size -= 3;
    return text;
}

static int64_t whole_at(const struct vector *v, uint32_t at)
{
    switch ((enum phys)v->phys) {
    case P_BOOL: return VECTOR_VALUES(v, bool)[at];
    case P_I8: return VECTOR_VALUES(v, int8_t)[at];
    case P_I16: return VECTOR_VALUES(v, int16_t)[at];
    case P_I32: return VECTOR_VALUES(v, int32_t)[at];
    default: return VECTOR_VALUES(v, int64_t)[at];
    }
}

static struct format_value value_at(const struct vector *v, uint32_t row, struct buf *shown)
{
    struct format_value out = {.kind = FORMAT_NULL};

    if (vector_is_null(v, row)) return out;
    uint32_t at = vector_at(v, row);
    v = vector_values(v);
    switch ((enum type_kind)v->type->kind) {
    case T_BOOLEAN: return (struct format_value){.kind = FORMAT_BOOLEAN, .whole = whole_at(v, at)};
    case T_TINYINT:
    case T_SMALLINT:
    case T_INT:
    case T_BIGINT:
    case T_DATE:
    case T_TIME:
        return (struct format_value){
            .kind = FORMAT_WHOLE, .bits = (uint8_t)(8 * phys_width((enum phys)v->phys)), .whole = whole_at(v, at)};
    case T_INTERVAL_MONTH: return (struct format_value){.kind = FORMAT_WHOLE, .bits = 32, .whole = whole_at(v, at)};
    case T_INTERVAL_SECOND: return (struct format_value){.kind = FORMAT_WHOLE, .bits = 64, .whole = whole_at(v, at)};
    case T_FLOAT: return (struct format_value){.kind = FORMAT_REAL, .bits = 32, .real = VECTOR_VALUES(v, float)[at]};
    case T_DOUBLE: return (struct format_value){.kind = FORMAT_REAL, .bits = 64, .real = VECTOR_VALUES(v, double)[at]};
    case T_CHAR:
    case T_VARCHAR: return (struct format_value){.kind = FORMAT_OTHER, .has_hash = true, .text = fn_str(v, at)};
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: return (struct format_value){.kind = FORMAT_OTHER, .text = stamp_text(v, at, shown)};
    default: break;
    }
    sql_text_print(v, at, NULL, shown);
    return (struct format_value){.kind = FORMAT_OTHER, .text = {shown->data, shown->size}};
}

/* Which argument a place means; 0: there is none. *last: that of the place before. */
static uint32_t argument_of(const struct format_spec *spec, uint32_t count, uint32_t *next, uint32_t *last)
{
    uint32_t k = spec->index > 0 ? (uint32_t)spec->index : spec->index < 0 ? *last : ++*next;

    *last = k;
    return k < count ? k : 0;
}

/* False: Java throws. */
static bool print_row(const struct fn_run *r, const struct vector *const *args, uint32_t row)
{
    struct printf_state *s = r->state;
    struct str pattern = fn_str(args[0], row), plain;
    struct format_spec spec;
    struct format_value value = {0};
    enum format_step step;
    uint32_t next = 0, last = 0;
    size_t at = 0;

    buf_clear(&s->out);
    while ((step = java_format_next(pattern, &at, &plain, &spec)) != FORMAT_END) {
        if (step == FORMAT_BAD) return false;
        if (step == FORMAT_TEXT) {
            buf_append(&s->out, plain.data, plain.size);
            continue;
        }
        uint32_t k = format_takes_none(&spec) ? 0 : argument_of(&spec, r->call->count, &next, &last);
        if (k == 0 && !format_takes_none(&spec)) return false;
        buf_clear(&s->work[0]);
        buf_clear(&s->shown);
        if (k > 0) value = value_at(args[k], row, &s->shown);
        if (!java_format_put(&spec, &value, fn_letters_upper, s->letters, s->work, &s->out) || s->out.size > FN_TEXT_MAX)
            return false;
    }
    return true;
}

static void print(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct printf_state *s = r->state;

    FN_EACH(r, i)
    {
        if (vector_is_null(args[0], i) || !print_row(r, args, i)) {
            vector_set_null(out, i);
            continue;
        }
        fn_put(r, out, i, (struct str){s->out.data, s->out.size});
    }
}

static enum status print_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count == 0) return fn_wrong_count("PRINTF", "1 or more", e);
    if (!type_is_string(c->args[0]) && c->args[0]->kind != T_NULL) return fn_refuse(c, "a pattern, which is a text, and values", e);
    if (c->args[0]->kind == T_NULL) c->args[0] = &type_string;
    c->result = type_with_null(a, &type_string, true);
    c->run = print;
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "PRINTF",
     .usage = "PRINTF(pattern, value...)",
     .doc = "values put into a pattern of java.util.Formatter's, such as '%-10s %05d %.2f'; NULL where it does not fit "
            "the values",
     .examples = FN_EXAMPLES({"PRINTF('%s has %d', 'Rome', 7)", "Rome has 7"},
                             {"PRINTF('%08.3f|%-5s|%,d', 2.5e0, 'ab', 1234567)", "0002.500|ab   |1,234,567"}),
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_BE_NULL | FN_COSTLY,
     .bind = print_bind,
     .open = printf_open,
     .close = printf_close},
    {0}};

const struct fn_type fn_printf = {.name = "printf",
                                  .doc = "values put into patterns of java.util.Formatter's",
                                  .example = "PRINTF('%05d', id)",
                                  .functions = functions};
