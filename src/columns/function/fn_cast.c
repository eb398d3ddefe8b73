/* fn_cast.c - CAST: which kernel turns which type into which. The kernels are in cast_*.c, by what they make.
 *
 * Flink's rules: integers and floating point wrap and saturate as Java's do; a DECIMAL that does not fit is NULL; text that is
 * no such value fails the row (NULL under TRY_CAST); CHAR(n) is padded and cut, VARCHAR(n) cut. */
#include "columns/function/cast.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

enum group { G_INT, G_REAL, G_DECIMAL, G_BOOLEAN, G_TEXT, G_BYTES, G_DATE, G_TIME, G_STAMP, G_INTERVAL, G_NESTED, G_NULL, G_COUNT };

static enum group group_of(const struct type *t)
{
    switch ((enum type_kind)t->kind) {
    case T_NULL: return G_NULL;
    case T_BOOLEAN: return G_BOOLEAN;
    case T_TINYINT:
    case T_SMALLINT:
    case T_INT:
    case T_BIGINT: return G_INT;
    case T_FLOAT:
    case T_DOUBLE: return G_REAL;
    case T_DECIMAL: return G_DECIMAL;
    case T_CHAR:
    case T_VARCHAR: return G_TEXT;
    case T_BINARY:
    case T_VARBINARY: return G_BYTES;
    case T_DATE: return G_DATE;
    case T_TIME: return G_TIME;
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: return G_STAMP;
    case T_INTERVAL_MONTH:
    case T_INTERVAL_SECOND: return G_INTERVAL;
    default: return G_NESTED;
    }
}

/* [from][to]; NULL: there is no such cast. */
static const fn_kernel kernels[G_COUNT][G_COUNT] = {
    [G_INT] = {[G_INT] = cast_int_to_int, [G_REAL] = cast_int_to_real, [G_DECIMAL] = cast_to_decimal, [G_BOOLEAN] = cast_to_boolean,
               [G_TEXT] = cast_to_text, [G_INTERVAL] = cast_int_to_int},
    [G_REAL] = {[G_INT] = cast_real_to_int, [G_REAL] = cast_real_to_real, [G_DECIMAL] = cast_to_decimal, [G_BOOLEAN] = cast_to_boolean,
                [G_TEXT] = cast_to_text},
    [G_DECIMAL] = {[G_INT] = cast_decimal_to_int, [G_REAL] = cast_decimal_to_real, [G_DECIMAL] = cast_to_decimal,
                   [G_BOOLEAN] = cast_to_boolean, [G_TEXT] = cast_to_text},
    [G_BOOLEAN] = {[G_INT] = cast_int_to_int, [G_REAL] = cast_int_to_real, [G_DECIMAL] = cast_to_decimal, [G_BOOLEAN] = cast_same,
                   [G_TEXT] = cast_to_text},
    [G_TEXT] = {[G_INT] = cast_text_to_int, [G_REAL] = cast_text_to_real, [G_DECIMAL] = cast_text_to_decimal,
                [G_BOOLEAN] = cast_text_to_boolean, [G_TEXT] = cast_text_to_text, [G_BYTES] = cast_text_to_text,
                [G_DATE] = cast_text_to_date, [G_TIME] = cast_text_to_time, [G_STAMP] = cast_text_to_stamp},
    [G_BYTES] = {[G_TEXT] = cast_bytes_to_text, [G_BYTES] = cast_text_to_text},
    [G_DATE] = {[G_DATE] = cast_same, [G_STAMP] = cast_date_to_stamp, [G_TEXT] = cast_to_text},
    [G_TIME] = {[G_TIME] = cast_same, [G_STAMP] = cast_time_to_stamp, [G_TEXT] = cast_to_text},
    [G_STAMP] = {[G_DATE] = cast_stamp_to_date, [G_TIME] = cast_stamp_to_time, [G_STAMP] = cast_stamp_to_stamp, [G_TEXT] = cast_to_text},
    [G_INTERVAL] = {[G_INT] = cast_int_to_int, [G_INTERVAL] = cast_same, [G_TEXT] = cast_to_text},
    [G_NESTED] = {[G_TEXT] = cast_to_text},
};

static enum status no_cast(const struct fn_call *c, struct err *e)
{
    struct type from = *c->args[0], to = *c->result;
    struct mem mem;
    struct buf text;

    from.nullable = to.nullable = true; /* that is not what is wrong */
    mem_init(&mem, "bind", 0);
    buf_init(&text, &mem);
    type_print(&from, &text);
    buf_append_text(&text, " to ");
    type_print(&to, &text);
    err_set(e, E_GRAPH, "there is no cast from %s", buf_text(&text));
    buf_release(&text);
    mem_release(&mem);
    return E_GRAPH;
}

/* Results that may be NULL although the argument is there. Rounding may carry: 9.99 does not fit DECIMAL(2, 1). */
static bool may_lose(const struct type *from, const struct type *to)
{
    int32_t precision, scale;

    if (to->kind != T_DECIMAL) return false;
    if (!type_as_decimal(from, &precision, &scale)) return true;
    return precision - scale + (scale > to->scale) > to->precision - to->scale;
}

static enum status bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    if (c->count != 1 || c->result == NULL) /* called by its name */
        return err_set(e, E_GRAPH, "a cast is written CAST(value AS type)");
    const struct type *from = c->args[0];
    enum group f = group_of(from), t = group_of(c->result);

    if (!type_casts(from, c->result)) return no_cast(c, e);
    c->run = f == G_NULL ? cast_null : kernels[f][t];
    if (f == G_NESTED && t == G_NESTED) {
        c->run = from->kind == T_ROW ? cast_row_to_row : cast_list_to_list;
        return cast_nested_bind(c, a, session, e);
    }
    if (c->run == NULL) return no_cast(c, e);
    if (may_lose(from, c->result)) c->result = type_with_null(a, c->result, true);
    return cast_zone_bind(c, a, session, e);
}

static bool is_nested_cast(const struct fn_call *c) { return c->run == cast_row_to_row || c->run == cast_list_to_list; }

/* Work space: one growing text, or that of the parts. */
static void *cast_open(const struct fn_call *c, struct mem *mem)
{
    bool nested = is_nested_cast(c);

    if (c->run != cast_to_text && !nested) return NULL;
    struct cast_state *s = mem_zalloc(mem, sizeof *s);
    buf_init(&s->text, mem);
    if (nested) s->nested = cast_nested_open(c, mem);
    return s;
}

static void cast_close(void *state, struct mem *mem)
{
    struct cast_state *s = state;

    if (s == NULL) return;
    if (s->nested != NULL) cast_nested_close(s->nested, mem);
    buf_release(&s->text);
    mem_free(mem, s);
}

static const struct fn_example examples[] = {{"CAST('12' AS INT)", "12"}, {"CAST(2.7 AS INT)", "2"}, {"CAST(TRUE AS STRING)", "TRUE"}, {0}};
static const struct fn_def functions[] = {
    {.name = "CAST", .usage = "CAST(value AS type)", .doc = "the value as another type; TRY_CAST is NULL where that fails", .examples = examples, .flags = FN_MAY_FAIL,
     .bind = bind, .open = cast_open, .close = cast_close},
    {0},
};

const struct fn_type fn_cast = {.name = "cast", .doc = "values as other types", .example = "CAST('12' AS INT)", .functions = functions};
