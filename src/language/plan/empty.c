/* empty.c - inputs that certainly have no rows, which is known from the plan alone: WHERE FALSE, LIMIT 0. Nodes say of themselves
 * whether they are (is_empty, by derive). An aggregate over a stream answers with its first row; over such an input that row will
 * never come, so its result is made here: as in Flink only of COUNT, SUM, MIN, MAX and AVG. */
#include "language/plan/rel_internal.h"

#include "ground/base/str.h"

static bool is_null(const struct expr *x) { return x->kind == EXPR_CONSTANT && vector_is_null(x->constant, 0); }

/* a < NULL is NULL, whatever a is. */
static bool is_null_call(const struct expr *x)
{
    bool found = false;

    if (x->kind != EXPR_CALL || x->call->def->nulls != FN_STRICT) return false;
    for (uint32_t i = 0; i < x->count; i++) found |= is_null(x->args[i]);
    return found;
}

bool rel_condition_fails(const struct expr *x)
{
    uint32_t failing = 0;

    if (x == NULL) return false;
    if (x->kind == EXPR_CONSTANT) return is_null(x) || !VECTOR_VALUES(x->constant, bool)[0];
    if (x->kind != EXPR_AND && x->kind != EXPR_OR) return is_null_call(x);
    for (uint32_t i = 0; i < x->count; i++) failing += rel_condition_fails(x->args[i]);
    return x->kind == EXPR_AND ? failing > 0 : failing == x->count;
}

static bool is_known(const struct aggregate_call *c)
{
    static const char *const known[] = {"count", "sum", "min", "max", "avg"};

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_equal(str_of(c->function), str_of(known[i]))) return true;
    return false;
}

static struct expr *over_nothing(const struct expr_maker *m, const struct aggregate_call *c)
{
    struct expr *x;

    if (!str_equal(str_of(c->function), STR("count"))) return expr_null(m, c->result);
    enum status st = expr_constant(m, c->result, STR("0"), &x, NULL);
    ASSERT(st == S_OK);
    return x;
}

struct rel *aggregate_over_nothing(struct arena *a, const struct rel *aggregate)
{
    const struct aggregate_body *b = aggregate->body;
    struct expr_maker m = {.a = a};
    struct expr **items = ARENA_ARRAY(a, struct expr *, b->call_count + 1);

    if (b->key_count > 0 || !aggregate->inputs[0]->is_empty) return NULL;
    for (uint32_t i = 0; i < b->call_count; i++) {
        if (!is_known(&b->calls[i])) return NULL;
        items[i] = over_nothing(&m, &b->calls[i]);
    }
    return rel_values(a, aggregate->row, &(struct values_body){.row_count = 1, .items = items});
}
