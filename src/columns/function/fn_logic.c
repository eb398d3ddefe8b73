/* fn_logic.c - NOT, and the questions IS [NOT] NULL, TRUE, FALSE, UNKNOWN, which are never NULL themselves. AND and OR are branches
 * of expressions (expr_branch.c). */
#include "columns/function/fn_kernels.h"

FN_UNARY(not_bool, uint8_t, bool, !a)

static void is_null(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i) VECTOR_VALUES(out, bool)[i] = vector_is_null(args[0], i);
}

static void is_not_null(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i) VECTOR_VALUES(out, bool)[i] = !vector_is_null(args[0], i);
}

static bool is_bool(const struct vector *v, uint32_t row, bool value)
{
    return !vector_is_null(v, row) && VECTOR_VALUES(v, bool)[vector_at(v, row)] == value;
}

#define IS(NAME, TEST)                                                                                                 \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        FN_EACH(r, i) VECTOR_VALUES(out, bool)[i] = (TEST);                                                            \
    }
IS(is_true, is_bool(args[0], i, true))
IS(is_not_true, !is_bool(args[0], i, true))
IS(is_false, is_bool(args[0], i, false))
IS(is_not_false, !is_bool(args[0], i, false))

/* The questions about NULL take every type, and are not NULL. */
static enum status bind_question(struct fn_call *c, struct arena *a, fn_kernel run, struct err *e)
{
    if (c->count != 1) return fn_wrong_count(c->def->name, "1", e);
    if (c->args[0]->kind == T_NULL) c->args[0] = &type_boolean;
    c->result = type_with_null(a, &type_boolean, false);
    c->run = run;
    return S_OK;
}

static enum status bind_is_null(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_question(c, a, is_null, e);
}

static enum status bind_is_not_null(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_question(c, a, is_not_null, e);
}

#define EXAMPLE(TEXT, RESULT) (const struct fn_example[]){{TEXT, RESULT}, {0}}
#define BOOLEAN_TO(RESULT, KERNEL) (const struct fn_overload[]){{"BOOLEAN -> " RESULT, KERNEL}, {0}}
static const struct fn_def functions[] = {
    {.name = "NOT", .doc = "the opposite", .examples = EXAMPLE("NOT TRUE", "FALSE"), .overloads = BOOLEAN_TO("BOOLEAN", not_bool)},
    {.name = "IS NULL",
     .doc = "is the value missing?",
     .examples = EXAMPLE("1 IS NULL", "FALSE"),
     .nulls = FN_OWN_NULLS,
     .bind = bind_is_null},
    {.name = "IS NOT NULL", .doc = "is there a value?", .examples = EXAMPLE("1 IS NOT NULL", "TRUE"), .nulls = FN_OWN_NULLS,
     .bind = bind_is_not_null},
    {.name = "IS UNKNOWN", .doc = "is a BOOLEAN missing?", .examples = EXAMPLE("UNKNOWN IS UNKNOWN", "TRUE"), .nulls = FN_OWN_NULLS,
     .bind = bind_is_null},
    {.name = "IS NOT UNKNOWN", .doc = "is it TRUE or FALSE?", .examples = EXAMPLE("TRUE IS NOT UNKNOWN", "TRUE"), .nulls = FN_OWN_NULLS,
     .bind = bind_is_not_null},
    {.name = "IS TRUE", .doc = "is it TRUE, not NULL?", .examples = EXAMPLE("UNKNOWN IS TRUE", "FALSE"), .nulls = FN_OWN_NULLS,
     .overloads = BOOLEAN_TO("BOOLEAN NOT NULL", is_true)},
    {.name = "IS NOT TRUE", .doc = "is it FALSE or NULL?", .examples = EXAMPLE("UNKNOWN IS NOT TRUE", "TRUE"), .nulls = FN_OWN_NULLS,
     .overloads = BOOLEAN_TO("BOOLEAN NOT NULL", is_not_true)},
    {.name = "IS FALSE", .doc = "is it FALSE, not NULL?", .examples = EXAMPLE("FALSE IS FALSE", "TRUE"), .nulls = FN_OWN_NULLS,
     .overloads = BOOLEAN_TO("BOOLEAN NOT NULL", is_false)},
    {.name = "IS NOT FALSE", .doc = "is it TRUE or NULL?", .examples = EXAMPLE("FALSE IS NOT FALSE", "FALSE"), .nulls = FN_OWN_NULLS,
     .overloads = BOOLEAN_TO("BOOLEAN NOT NULL", is_not_false)},
    {0},
};

const struct fn_type fn_logic = {.name = "logic", .doc = "three-valued logic", .example = "NOT TRUE", .functions = functions};
