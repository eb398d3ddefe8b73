/* fn_sink.c - what INSERT puts around values on their way into a table. Not for users: the names begin with $. */
#include "columns/function/fn_kernels.h"

#include "columns/function/cast.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

/* The values as they are; NULL is a row error that names the column. */
static void enforce_not_null(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const char *detail = r->call->plan;

    vector_copy(out, 0, args[0], NULL, r->count, r->heap, r->mem);
    FN_EACH(r, i)
    if (vector_is_null(args[0], i)) row_error(r->errors, i, FN_BAD_ARGUMENT, detail);
}

static enum status bind_enforce_not_null(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count != 2 || c->constants[1] == NULL || !type_is_string(c->args[1]))
        return err_set(e, E_GRAPH, "$NOT_NULL takes a value and the name of its column");
    const struct text *name = &VECTOR_VALUES(c->constants[1], struct text)[0];
    c->plan = arena_printf(a,
                           "Column '%.*s' is NOT NULL, however, a null value is being written into it. You can set job "
                           "configuration 'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and drop "
                           "such records silently.",
                           (int)name->size, text_data(name));
    c->result = c->args[0];
    c->run = enforce_not_null;
    return S_OK;
}

/* --- lengths ----------------------------------------------------------------------------------------------------- */
static size_t length_of(const struct type *t, struct str s) { return type_is_string(t) ? str_utf8_length(s) : s.size; }

static void length_fail(const struct fn_run *r, uint32_t row, size_t length)
{
    enum { TEXT_MAX = 512 };
    char *text = text_reserve(r->heap, TEXT_MAX); /* one row of a job at most comes here for good */

    snprintf(text, TEXT_MAX,
             "Column %s, however, a string of length %zu is being written into it. You can set job configuration "
             "'table.exec.sink.type-length-enforcer' to control this behaviour.",
             (const char *)r->call->plan, length);
    row_error(r->errors, row, FN_BAD_ARGUMENT, text);
}

/* The values as they are; one that does not fit its type is a row error. */
static void enforce_length(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct type *t = r->call->result;
    bool is_fixed = t->kind == T_CHAR || t->kind == T_BINARY;

    vector_copy(out, 0, args[0], NULL, r->count, r->heap, r->mem);
    FN_EACH_VALID(r, args, 1, i)
    {
        size_t length = length_of(t, fn_str(args[0], i));
        if (length > (size_t)t->precision || (is_fixed && length < (size_t)t->precision)) length_fail(r, i, length);
    }
}

/* The type of the column, which is the second argument as text; the values have it from now on. */
static enum status column_type(struct fn_call *c, struct arena *a, const struct type **out, struct err *e)
{
    if (c->count < 2 || c->constants[1] == NULL || !type_is_string(c->args[1]) || c->args[0]->phys != P_STR)
        return err_set(e, E_GRAPH, "%s takes a text or bytes and the type of its column", c->def->name);
    TRY(type_parse(a, text_str(&VECTOR_VALUES(c->constants[1], struct text)[0]), out, e));
    if ((*out)->phys != P_STR) return err_set(e, E_GRAPH, "the type of a column that has a length is one of texts or bytes");
    *out = type_with_null(a, *out, c->args[0]->nullable);
    return S_OK;
}

static enum status bind_enforce_length(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct buf text;

    (void)session;
    TRY(column_type(c, a, &c->result, e));
    if (c->count != 3 || c->constants[2] == NULL || !type_is_string(c->args[2]))
        return err_set(e, E_GRAPH, "$LENGTH takes the name of its column, too");
    const struct text *name = &VECTOR_VALUES(c->constants[2], struct text)[0];
    struct type shown = *c->result;
    shown.nullable = true;
    buf_init(&text, a->mem);
    buf_printf(&text, "'%.*s' is ", (int)MIN(name->size, 200u), text_data(name));
    type_print(&shown, &text);
    c->plan = arena_strndup(a, text.data, text.size);
    buf_release(&text);
    c->run = enforce_length;
    return S_OK;
}

/* Cut and padded as CAST to that type would. */
static enum status bind_fit(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    TRY(column_type(c, a, &c->result, e));
    c->run = cast_text_to_text;
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "$FIT", .doc = "the value cut to its type's length, and padded when that is fixed", .bind = bind_fit},
    {.name = "$LENGTH",
     .doc = "the value; an error where it is longer than its type says, or shorter when that is fixed",
     .flags = FN_MAY_FAIL | FN_INJECTIVE,
     .bind = bind_enforce_length},
    {.name = "$NOT_NULL",
     .doc = "the value; an error where it is NULL: what INSERT puts before a NOT NULL column",
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL | FN_INJECTIVE,
     .bind = bind_enforce_not_null},
    {0},
};

const struct fn_type fn_sink = {
    .name = "sink", .doc = "checks of INSERT", .example = "INSERT INTO t SELECT a FROM s", .functions = functions};
