/* fn_sink.c - what INSERT puts around values on their way into a table. Not for users: the names begin with $. */
#include "columns/function/fn_kernels.h"

#include "ground/base/str.h"

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

static const struct fn_def functions[] = {
    {.name = "$NOT_NULL",
     .doc = "the value; an error where it is NULL: what INSERT puts before a NOT NULL column",
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL | FN_INJECTIVE,
     .bind = bind_enforce_not_null},
    {0},
};

const struct fn_type fn_sink = {
    .name = "sink", .doc = "checks of INSERT", .example = "INSERT INTO t SELECT a FROM s", .functions = functions};
