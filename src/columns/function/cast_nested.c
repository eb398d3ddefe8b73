/* cast_nested.c - arrays, maps and rows as ones of other elements, values and fields: each part is a cast of its own, bound with
 * the whole.
 *
 * Fields of rows are cast column by column, in place. Elements of lists lie behind row 65,535 sooner or later, where selections
 * do not reach: they are gathered, row by row and 256 at a time, cast there and put behind the result's elements. Keys of a map
 * that become equal share one entry, with the value of the last. */
#include "columns/function/cast.h"
#include "columns/function/nested.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <string.h>

enum { GATHER = 256 };

/* The plan: the casts of the parts; NULL where a part is the same. */
struct nested_plan {
    uint32_t count;
    struct fn_call **parts;
};

struct nested_part {
    void *state;           /* of its function */
    struct vector in, out; /* gathered elements */
};

struct nested_state {
    const struct fn_call *call;
    uint16_t *rows; /* that are there */
    struct value_set set;
    struct nested_part *parts;
};

/* --- binding ----------------------------------------------------------------------------------------------------- */
static enum status bind_part(struct fn_call *c, uint32_t k, struct arena *a, const struct fn_session *session,
                             struct fn_call **out, struct err *e)
{
    const struct type *from = c->args[0]->children[k], *to = c->result->children[k];
    struct fn_call *part = ARENA_NEW(a, struct fn_call);

    *out = NULL;
    if (type_equal_ignoring_null(from, to)) return S_OK;
    part->def = c->def;
    part->count = 1;
    part->args = ARENA_ARRAY(a, const struct type *, 1);
    part->args[0] = from;
    part->constants = ARENA_ARRAY(a, const struct vector *, 1);
    part->result = type_with_null(a, to, to->nullable || from->nullable);
    *out = part;
    return fn_bind(part, a, session, e);
}

/* The result's parts may be NULL where the argument's may: a cast makes no value of a NULL. */
static const struct type *result_type(const struct fn_call *c, const struct nested_plan *plan, struct arena *a)
{
    const struct type *from = c->args[0], *to = c->result,
                      **parts = ARENA_ARRAY(a, const struct type *, MAX(plan->count, 1u));

    for (uint32_t k = 0; k < plan->count; k++) {
        const struct fn_call *part = plan->parts[k];
        parts[k] = part != NULL
                       ? part->result
                       : type_with_null(a, to->children[k], to->children[k]->nullable || from->children[k]->nullable);
    }
    if (to->kind == T_ROW) return type_row(a, plan->count, to->names, parts, to->nullable);
    return type_list(a, (enum type_kind)to->kind, parts[0], to->kind == T_MAP ? parts[1] : NULL, to->nullable);
}

enum status cast_nested_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct nested_plan *plan = ARENA_NEW(a, struct nested_plan);

    plan->count = c->result->child_count;
    plan->parts = ARENA_ARRAY(a, struct fn_call *, MAX(plan->count, 1u));
    for (uint32_t k = 0; k < plan->count; k++) TRY(bind_part(c, k, a, session, &plan->parts[k], e));
    c->result = result_type(c, plan, a);
    c->plan = plan;
    return S_OK;
}

/* --- life -------------------------------------------------------------------------------------------------------- */
struct nested_state *cast_nested_open(const struct fn_call *c, struct mem *mem)
{
    const struct nested_plan *plan = c->plan;
    struct nested_state *s = mem_zalloc(mem, sizeof *s);

    s->call = c;
    s->rows = mem_alloc(mem, sizeof *s->rows * BATCH_ROWS);
    s->parts = mem_zalloc(mem, sizeof *s->parts * MAX(plan->count, 1u));
    value_set_init(&s->set, mem);
    for (uint32_t k = 0; k < plan->count; k++) {
        const struct fn_call *part = plan->parts[k];
        if (part == NULL) continue;
        s->parts[k].state = part->def->open(part, mem);
        if (c->result->kind == T_ROW) continue;
        vector_init(&s->parts[k].in, part->args[0], GATHER, mem);
        vector_init(&s->parts[k].out, part->result, GATHER, mem);
    }
    return s;
}

void cast_nested_close(struct nested_state *s, struct mem *mem)
{
    const struct fn_call *c = s->call;
    const struct nested_plan *plan = c->plan;

    for (uint32_t k = 0; k < plan->count; k++) {
        if (plan->parts[k] == NULL) continue;
        plan->parts[k]->def->close(s->parts[k].state, mem);
        if (c->result->kind == T_ROW) continue;
        vector_release(&s->parts[k].in, mem);
        vector_release(&s->parts[k].out, mem);
    }
    value_set_release(&s->set);
    mem_free(mem, s->parts);
    mem_free(mem, s->rows);
    mem_free(mem, s);
}

/* --- parts ------------------------------------------------------------------------------------------------------- */
/* Casts are strict: NULL stays NULL. */
static void pass_nulls(const struct fn_run *r, const struct vector *from, struct vector *out)
{
    if (from->validity == NULL) return;
    FN_EACH(r, i)
    if (vector_is_null(from, i)) vector_set_null(out, i);
}

static void run_part(const struct fn_run *r, const struct fn_call *part, const struct vector *in, struct vector *out)
{
    pass_nulls(r, in, out);
    part->run(r, &in, out);
}

static const struct nested_plan *plan_of(const struct fn_run *r) { return r->call->plan; }
static struct nested_state *state_of(const struct fn_run *r) { return ((struct cast_state *)r->state)->nested; }

/* --- rows -------------------------------------------------------------------------------------------------------- */
/* The fields of NULL rows are left alone: they may be no values of their types. */
void cast_row_to_row(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct nested_plan *plan = plan_of(r);
    struct nested_state *s = state_of(r);
    struct fn_run sub = *r;

    sub.sel = s->rows;
    sub.sel_count = 0;
    FN_EACH_VALID(r, args, 1, i) s->rows[sub.sel_count++] = (uint16_t)i;
    for (uint32_t k = 0; k < plan->count; k++) {
        const struct vector *field = &args[0]->children[k];
        sub.call = plan->parts[k];
        sub.state = s->parts[k].state;
        if (sub.call != NULL)
            run_part(&sub, sub.call, field, &out->children[k]);
        else
            nested_put_column(&sub, &out->children[k], field);
    }
}

/* --- lists ------------------------------------------------------------------------------------------------------- */
/* Casts elements of one row and puts them behind the result's. False: one is no value of its type. */
static bool cast_elements(const struct fn_run *r, uint32_t k, struct list list, struct vector *out,
                          struct row_errors *errors)
{
    struct nested_part *p = &state_of(r)->parts[k];
    struct fn_run sub = {.call = plan_of(r)->parts[k],
                         .state = p->state,
                         .heap = r->heap,
                         .mem = r->mem,
                         .now_ms = r->now_ms,
                         .chance = r->chance,
                         .errors = errors};

    for (uint32_t at = 0; at < list.count; at += sub.count) {
        sub.count = MIN(list.count - at, (uint32_t)GATHER);
        vector_clear(&p->in);
        vector_clear(&p->out);
        vector_copy_run(&p->in, 0, list.items, list.first + at, sub.count, r->heap, r->mem);
        run_part(&sub, sub.call, &p->in, &p->out);
        if (errors->code != 0) return false;
        list_add_all(r, out, k, (struct list){&p->out, 0, sub.count});
    }
    return true;
}

/* Row `from` of v to row `to`; lists are shared. */
static void row_move(struct vector *v, uint32_t to, uint32_t from)
{
    size_t width = phys_width((enum phys)v->phys);

    if (v->validity != NULL) {
        if (bit_get(v->validity, from))
            bit_set(v->validity, to);
        else
            bit_clear(v->validity, to);
    }
    if (width > 0) memcpy((char *)v->data + width * to, (char *)v->data + width * from, width);
    for (uint32_t k = 0; v->phys == P_ROW && k < v->child_count; k++) row_move(&v->children[k], to, from);
}

/* Entries of the row that is being made: each key once. */
static void unite_keys(struct value_set *set, struct vector *out, uint32_t row)
{
    uint32_t first = VECTOR_VALUES(out, struct list_ref)[row].first, end = out->children[0].used, kept = first;

    value_set_begin(set, end - first);
    for (uint32_t i = first; i < end; i++) {
        uint32_t at = value_set_find(set, &out->children[0], i);
        if (at == VALUE_NONE && kept != i) row_move(&out->children[0], kept, i);
        if (at != VALUE_NONE || kept != i) row_move(&out->children[1], at == VALUE_NONE ? kept : at, i);
        if (at == VALUE_NONE) value_set_add(set, &out->children[0], kept++);
    }
    out->children[0].used = out->children[1].used = kept;
}

static void cast_list(const struct fn_run *r, const struct vector *from, uint32_t row, struct vector *out)
{
    const struct nested_plan *plan = plan_of(r);
    struct row_errors errors = {0};
    bool good = true;

    list_begin(out, row);
    for (uint32_t k = 0; k < plan->count && good; k++) {
        if (plan->parts[k] == NULL)
            list_add_all(r, out, k, list_at(from, row, k));
        else
            good = cast_elements(r, k, list_at(from, row, k), out, &errors);
    }
    if (good && r->call->result->kind == T_MAP && plan->parts[0] != NULL) unite_keys(&state_of(r)->set, out, row);
    for (uint32_t k = 0; !good && k < plan->count; k++)
        out->children[k].used = VECTOR_VALUES(out, struct list_ref)[row].first;
    list_end(out, row);
    if (!good) row_error(r->errors, row, errors.code, errors.detail);
}

void cast_list_to_list(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) cast_list(r, args[0], i, out);
}
