/* user_aggregate.c - aggregate functions of users as aggregates of the engine: an agg_type for each overload.
 *
 * The accumulator is a C struct that lies in the words of the engine's accumulator, behind one word that says whether it was made;
 * so it is state like any other, and nothing is copied. Of several arguments the engine has one column, a ROW of them. With
 * TW_SQL_KEEPS_VALUES the engine keeps the arguments, and a result accumulates all of them into a struct of its own (fold).
 *
 * A table aggregate function has the list of its rows as its result, which whoever computes it takes apart again.
 *
 * The first row that fails is told, with the arguments; what comes behind it counts for nothing, because the job ends. */
#include "columns/function/user_call.h"

#include "columns/column/sql_text.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { MADE_WORDS = 1 };

/* Bound: agg.plan. */
struct aggregate_plan {
    struct user_struct args;
    uint32_t arg_count;
    const struct cform *result;
    const struct type *result_type;
};

/* Opened: agg.instance. */
struct aggregate {
    struct tw_call c; /* first */
    const struct user_aggregate *u;
    const struct aggregate_plan *plan;
    void *acc; /* of a group without rows; with TW_SQL_KEEPS_VALUES of the group in work */
    bool has_failed;
};

static const struct user_aggregate *of_type(const struct agg *a)
{
    return (const struct user_aggregate *)(const void *)((const char *)a->type - offsetof(struct user_aggregate, type));
}

static bool keeps_values(const struct user_aggregate *u) { return (u->f->flags & TW_SQL_KEEPS_VALUES) != 0; }

/* --- binding and opening ---------------------------------------------------------------------------------------------------- */
/* The graph may come from elsewhere: is the column what binding made of the arguments? */
static bool fits(const struct type *t, const struct aggregate_plan *p)
{
    if (p->arg_count == 0) return t == NULL;
    if (t == NULL || (p->arg_count > 1 && (t->kind != T_ROW || t->child_count != p->arg_count))) return false;
    for (uint32_t i = 0; i < p->arg_count; i++) {
        const struct type *have = p->arg_count > 1 ? t->children[i] : t, *want = p->args.types[i];
        if (!type_equal_ignoring_null(have, want) && (have->phys != P_STR || want->phys != P_STR)) return false;
    }
    return true;
}

static enum status aggregate_bind(struct agg *a, struct arena *arena, struct err *e)
{
    const struct user_aggregate *u = of_type(a);
    struct aggregate_plan *p = ARENA_NEW(arena, struct aggregate_plan);
    struct fn_signature s;

    if (!fn_signature_cut(u->o->signature, &s)) return err_set(e, E_GRAPH, "'%s' has no signature", u->type.name);
    p->arg_count = s.count;
    TRY(user_struct_make(arena, s.args, s.count, s.count, &p->args, e));
    TRY(user_result_form(arena, u->f, u->o, s.result, &p->result, &p->result_type, e));
    if (!fits(a->argument, p))
        return err_set(e, E_GRAPH, "'%s' is given what its signature does not say", u->type.name);
    a->plan = p;
    a->result = p->result_type;
    a->words = keeps_values(u) ? 1 : MADE_WORDS + (uint32_t)((u->acc_size + sizeof(int64_t) - 1) / sizeof(int64_t));
    if (keeps_values(u)) a->keep = AGG_KEEP_ALL;
    return S_OK;
}

static enum status aggregate_open(struct agg *a, struct mem *mem, struct err *e)
{
    struct aggregate *x = mem_zalloc(mem, sizeof *x);

    a->instance = x;
    x->u = of_type(a);
    x->plan = a->plan;
    x->acc = mem_zalloc(mem, x->u->acc_size + 1);
    if (x->u->o->emit != NULL) x->c.list.form = x->plan->result->children[0].form;
    user_instance_init(&x->c, x->u->f, &x->plan->args, x->plan->arg_count, x->plan->result, mem);
    return x->c.is_open ? S_OK : err_set(e, E_USER, "%s in \"%s\"", user_sentence(x->c.sentence), x->u->type.name);
}

static void aggregate_close(struct agg *a, struct mem *mem)
{
    struct aggregate *x = a->instance;

    if (x == NULL) return;
    user_instance_release(&x->c, x->u->f);
    mem_free(mem, x->acc);
    mem_free(mem, x);
    a->instance = NULL;
}

/* --- failures ------------------------------------------------------------------------------------------------------------------ */
static void fail(struct aggregate *x, const char *sentence, const struct batch *view, uint32_t row)
{
    struct buf text;

    if (x->has_failed) return;
    x->has_failed = true;
    buf_init(&text, x->c.mem);
    for (uint32_t i = 0; view != NULL && i < view->col_count; i++) {
        if (i > 0) buf_append_text(&text, ", ");
        if (vector_is_null(&view->cols[i], row))
            buf_append_text(&text, "NULL");
        else
            sql_text_print(&view->cols[i], row, NULL, &text);
    }
    snprintf(x->c.failure, sizeof x->c.failure, "%.200s in \"%s(%.*s)\"", user_sentence(sentence), x->u->type.name,
             (int)MIN(text.size, (size_t)200), text.size > 0 ? (const char *)text.data : "");
    buf_release(&text);
}

static const char *aggregate_failure(const struct agg *a)
{
    const struct aggregate *x = a->instance;

    return x->has_failed ? x->c.failure : NULL;
}

/* --- rows ----------------------------------------------------------------------------------------------------------------------- */
typedef enum tw_status (*row_hook)(struct tw_call *c, void *acc, const void *args);

/* The accumulator in the words; made when it was not. */
static void *acc_made(struct aggregate *x, const struct agg *a, void *words)
{
    int64_t *made = agg_word(a, words, 0);
    void *acc = agg_word(a, words, MADE_WORDS);

    if (*made != 0) return acc;
    *made = 1;
    memset(acc, 0, x->u->acc_size);
    user_hook_begin(&x->c);
    if (x->u->o->create != NULL && user_hook_failed(&x->c, x->u->o->create(&x->c, acc)))
        fail(x, x->c.sentence, NULL, 0);
    return acc;
}

static void call_row(struct aggregate *x, const struct agg *a, row_hook hook, void *acc, const struct batch *view,
                     uint32_t row)
{
    bool takes_nulls = (x->u->f->flags & TW_SQL_TAKES_NULLS) != 0;

    if (x->has_failed || (x->plan->arg_count > 0 && !takes_nulls && user_nulls(&x->c) != 0)) return;
    if (!keeps_values(x->u)) acc = acc_made(x, a, acc);
    user_hook_begin(&x->c);
    if (user_hook_failed(&x->c, hook(&x->c, acc, x->c.row))) fail(x, x->c.sentence, view, row);
}

/* Rows of the view into acc[i], or all into acc[0]. */
static void call_view(struct aggregate *x, const struct agg *a, row_hook hook, void *const *acc, bool is_one,
                      const struct batch *view)
{
    const struct rowconv *conv = &x->plan->args.conv;
    uint32_t count = batch_rows(view), bad = 0;

    for (uint32_t first = 0, n; first < count && !x->has_failed; first += n) {
        n = MIN(count - first, (uint32_t)ROWCONV_ROWS);
        arena_reset(&x->c.items);
        if (rowconv_read(conv, view, first, n, x->c.structs, &x->c.items, &bad) != S_OK) {
            fail(x, "a NULL inside an argument, where its type in C has no place for it", NULL, 0);
            return;
        }
        for (uint32_t i = 0; i < n; i++) {
            x->c.row = x->c.structs + (size_t)i * conv->size;
            call_row(x, a, hook, acc[is_one ? 0 : first + i], view, batch_row(view, first + i));
        }
        if (!keeps_values(x->u)) arena_reset(&x->c.scratch);
    }
    x->c.row = NULL;
}

/* The arguments of the rows as columns: the fields of the ROW that they are, or the one. */
static struct batch view_of(const struct aggregate *x, const struct vector *v, const uint16_t *at, uint32_t n)
{
    struct vector *base = v != NULL ? (struct vector *)(uintptr_t)vector_values(v) : NULL;

    return (struct batch){.cols = x->plan->arg_count > 1 ? base->children : base,
                          .col_count = x->plan->arg_count,
                          .count = n,
                          .capacity = n,
                          .sel = at,
                          .sel_count = n};
}

static void call_all(const struct agg *a, row_hook hook, void *const *acc, const struct vector *v, const uint16_t *rows,
                     uint32_t n)
{
    struct aggregate *x = a->instance;
    uint16_t at[BATCH_ROWS];

    ASSERT(n <= BATCH_ROWS);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = rows != NULL ? rows[i] : i;
        at[i] = x->plan->arg_count > 0 ? (uint16_t)vector_at(v, row) : 0;
    }
    struct batch view = view_of(x, x->plan->arg_count > 0 ? v : NULL, at, n);
    call_view(x, a, hook, acc, false, &view);
}

static void aggregate_add(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows,
                          uint32_t n)
{
    call_all(a, of_type(a)->o->accumulate, acc, v, rows, n);
}

static void aggregate_retract(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows,
                              uint32_t n)
{
    call_all(a, of_type(a)->o->retract, acc, v, rows, n);
}

static void aggregate_merge(const struct agg *a, void *const *acc, void *const *other, uint32_t n)
{
    struct aggregate *x = a->instance;

    for (uint32_t i = 0; i < n && !x->has_failed; i++) {
        if (*agg_word(a, other[i], 0) == 0) continue;
        void *to = acc_made(x, a, acc[i]);
        user_hook_begin(&x->c);
        if (user_hook_failed(&x->c, x->u->o->merge(&x->c, to, agg_word(a, other[i], MADE_WORDS))))
            fail(x, x->c.sentence, NULL, 0);
        arena_reset(&x->c.scratch);
    }
}

/* --- results ------------------------------------------------------------------------------------------------------------------------ */
static enum tw_status call_value(struct aggregate *x, const void *acc)
{
    const struct tw_sql_overload *o = x->u->o;

    if (o->emit == NULL) return o->value(&x->c, acc, x->c.result);
    user_list_begin(&x->c);
    enum tw_status st = o->emit(&x->c, acc);
    return user_list_end(&x->c) ? st : TW_FAILED;
}

static void put_result(struct aggregate *x, const void *acc, const struct agg_place *to)
{
    const struct cform *form = x->plan->result;
    const char *why = NULL;

    memset(x->c.result, 0, form->size);
    user_hook_begin(&x->c);
    if (user_hook_failed(&x->c, call_value(x, acc))) {
        fail(x, x->c.sentence, NULL, 0);
    } else if (x->c.result_is_null && !x->plan->result_type->nullable) {
        fail(x, "the function answers NULL, but its signature says NOT NULL", NULL, 0);
    } else if (x->c.result_is_null) {
        vector_set_null(to->out, to->row);
    } else {
        enum status st = cform_check(form, x->c.result, &why);
        if (st == S_OK) st = cform_write(form, x->c.result, to->out, to->row, to->heap, to->mem);
        if (st != S_OK) fail(x, why != NULL ? why : CFORM_FULL, NULL, 0);
    }
}

/* An accumulator as it begins. */
static void acc_begin(struct aggregate *x)
{
    memset(x->acc, 0, x->u->acc_size);
    user_hook_begin(&x->c);
    if (x->u->o->create != NULL && user_hook_failed(&x->c, x->u->o->create(&x->c, x->acc)))
        fail(x, x->c.sentence, NULL, 0);
}

static void aggregate_results(const struct agg *a, void *const *acc, uint32_t n, const struct agg_place *to)
{
    struct aggregate *x = a->instance;
    struct agg_place place = *to;

    for (uint32_t i = 0; i < n && !x->has_failed; i++, place.row++) {
        bool is_made = *agg_word(a, acc[i], 0) != 0;
        if (!is_made) acc_begin(x);
        if (!x->has_failed) put_result(x, is_made ? agg_word(a, acc[i], MADE_WORDS) : x->acc, &place);
        arena_reset(&x->c.scratch);
    }
}

static void aggregate_fold(const struct agg *a, struct agg_values *values, const struct agg_place *to)
{
    struct aggregate *x = a->instance;
    uint16_t at[BATCH_ROWS];

    if (x->has_failed) return;
    acc_begin(x);
    while (values->next(values))
        for (uint32_t first = 0, n; first < values->count; first += n) {
            n = MIN(values->count - first, (uint32_t)BATCH_ROWS);
            for (uint32_t i = 0; i < n; i++) at[i] = (uint16_t)(first + i);
            struct batch view = view_of(x, values->v, at, n);
            call_view(x, a, x->u->o->accumulate, &x->acc, true, &view);
        }
    if (!x->has_failed) put_result(x, x->acc, to);
    arena_reset(&x->c.scratch);
}

/* --- made of what a library says ------------------------------------------------------------------------------------------------------ */
/* Bytes of the accumulator; a mistake is a sentence. */
static enum status size_accumulator(struct arena *a, const struct tw_sql_function *f, const struct tw_sql_overload *o,
                                    size_t *size, struct err *e)
{
    struct fn_signature s;
    struct user_struct acc;

    if ((f->flags & TW_SQL_KEEPS_VALUES) != 0) {
        *size = o->accumulator_size;
        if (o->accumulator == NULL && *size > 0 && *size <= USER_ACCUMULATOR_MAX) return S_OK;
        return err_set(e, E_GRAPH,
                       "'%s' keeps values, so .accumulator_size says how large its accumulator is (1 to %d bytes)",
                       o->signature, USER_ACCUMULATOR_MAX);
    }
    if (o->accumulator == NULL || !fn_signature_cut(arena_printf(a, "%s -> INT", o->accumulator), &s) || s.count == 0 ||
        s.more)
        return err_set(e, E_GRAPH, "'%s' needs an .accumulator, types like 'BIGINT, DOUBLE'", o->signature);
    if (user_struct_make(a, s.args, s.count, s.count, &acc, e) != S_OK)
        return err_wrap(e, "the accumulator of '%s'", o->signature);
    for (uint32_t i = 0; i < s.count; i++)
        if (cform_is_nested(acc.forms[i]) || acc.forms[i]->type->phys == P_STR) {
            err_hint(e, "with TW_SQL_KEEPS_VALUES it may be any struct");
            return err_set(e, E_GRAPH, "the accumulator of '%s' holds %.*s, but only values of fixed size can be state",
                           o->signature, (int)s.args[i].size, s.args[i].data);
        }
    *size = acc.conv.null_offset;
    if (*size <= USER_STATE_MAX) return S_OK;
    return err_set(e, E_GRAPH, "the accumulator of '%s' has %zu bytes, at most %d", o->signature, *size,
                   USER_STATE_MAX);
}

enum status user_aggregate_make(struct arena *a, const struct tw_sql_function *f, const struct tw_sql_overload *o,
                                const char *name, struct user_aggregate *out, struct err *e)
{
    bool keeps = (f->flags & TW_SQL_KEEPS_VALUES) != 0;

    bool makes_rows = f->kind == TW_SQL_TABLE_AGGREGATE;

    if (o->accumulate == NULL || (o->emit != NULL) != makes_rows || (o->value != NULL) == makes_rows)
        return err_set(e, E_GRAPH, "'%s' must have .accumulate and .%s", o->signature, makes_rows ? "emit, without .value" : "value");
    *out = (struct user_aggregate){.f = f, .o = o};
    TRY(size_accumulator(a, f, o, &out->acc_size, e));
    out->type = (struct agg_type){.name = name,
                                  .doc = "a function of the user's",
                                  .bind = aggregate_bind,
                                  .add = aggregate_add,
                                  .retract = o->retract != NULL && !keeps ? aggregate_retract : NULL,
                                  .merge = o->merge != NULL && !keeps ? aggregate_merge : NULL,
                                  .keep = keeps ? AGG_KEEP_ALL : AGG_KEEP_NOTHING,
                                  .keeps_null = (f->flags & TW_SQL_TAKES_NULLS) != 0,
                                  .fold = keeps ? aggregate_fold : NULL,
                                  .open = aggregate_open,
                                  .close = aggregate_close,
                                  .results = aggregate_results,
                                  .failure = aggregate_failure};
    return S_OK;
}
