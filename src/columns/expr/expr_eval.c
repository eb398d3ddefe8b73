/* expr_eval.c - runs a bound expression over a batch: arguments first, then the kernel, into vectors that are made once
 * and used for every batch. NULLs are worked out here: a result is NULL where an argument is. */
#include "columns/expr/expr.h"

#include <string.h>

struct expr_run {
    const struct expr *x;
    struct mem *mem;
    struct vector own;        /* result of a call, widening or literal */
    struct expr_run *args[FN_ARGS_MAX];
};

static void store_literal(struct vector *v, const struct expr *x)
{
    switch (v->phys) {
    case P_BOOL: VECTOR_VALUES(v, bool)[0] = x->integer != 0; break;
    case P_I8: VECTOR_VALUES(v, int8_t)[0] = (int8_t)x->integer; break;
    case P_I16: VECTOR_VALUES(v, int16_t)[0] = (int16_t)x->integer; break;
    case P_I32: VECTOR_VALUES(v, int32_t)[0] = (int32_t)x->integer; break;
    case P_F32: VECTOR_VALUES(v, float)[0] = (float)x->real; break;
    case P_F64: VECTOR_VALUES(v, double)[0] = x->real; break;
    case P_STR: VECTOR_VALUES(v, struct text)[0] = text_view(x->text.data, x->text.size); break;
    default: VECTOR_VALUES(v, int64_t)[0] = x->integer; break;
    }
    vector_make_const(v);
}

struct expr_run *expr_run_create(const struct expr *x, uint32_t capacity, struct mem *mem)
{
    struct expr_run *r = mem_zalloc(mem, sizeof *r);

    r->x = x;
    r->mem = mem;
    if (x->kind != EXPR_COLUMN) vector_init(&r->own, x->type, x->kind == EXPR_LITERAL ? 1 : capacity, mem);
    if (x->kind == EXPR_LITERAL) store_literal(&r->own, x);
    for (uint32_t i = 0; i < x->arg_count; i++) r->args[i] = expr_run_create(x->args[i], capacity, mem);
    return r;
}

void expr_run_free(struct expr_run *r)
{
    if (r == NULL) return;
    for (uint32_t i = 0; i < r->x->arg_count; i++) expr_run_free(r->args[i]);
    if (r->x->kind != EXPR_COLUMN) vector_release(&r->own, r->mem);
    mem_free(r->mem, r);
}

#define WIDEN_LOOP(FROM, TO)                                                                                           \
    for (uint32_t i = 0; i < n; i++) VECTOR_VALUES(out, TO)[i] = (TO)VECTOR_VALUES(in, FROM)[i]
#define WIDEN_FROM(TO)                                                                                                 \
    switch (in->phys) {                                                                                                \
    case P_I8: WIDEN_LOOP(int8_t, TO); break;                                                                          \
    case P_I16: WIDEN_LOOP(int16_t, TO); break;                                                                        \
    case P_I32: WIDEN_LOOP(int32_t, TO); break;                                                                        \
    case P_I64: WIDEN_LOOP(int64_t, TO); break;                                                                        \
    default: WIDEN_LOOP(float, TO); break;                                                                             \
    }

static void widen_values(const struct vector *in, uint32_t n, struct vector *out)
{
    switch (out->phys) {
    case P_I32: WIDEN_FROM(int32_t) break;
    case P_I64: WIDEN_FROM(int64_t) break;
    default: WIDEN_FROM(double) break;
    }
}

/* Validity of the result: the AND of the arguments'. A NULL constant makes everything NULL. */
static void merge_nulls(const struct vector *const *args, uint32_t count, uint32_t n, struct vector *out)
{
    uint32_t words = (n + 63) / 64;

    out->validity = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (args[i]->validity == NULL) continue;
        bool fixed = args[i]->form == VEC_CONST;
        if (out->validity == NULL) memset(out->validity_space, 0xFF, sizeof(uint64_t) * words);
        out->validity = out->validity_space;
        for (uint32_t w = 0; w < words; w++)
            out->validity[w] &= fixed ? (bit_get(args[i]->validity, 0) ? UINT64_MAX : 0) : args[i]->validity[w];
    }
}

static enum status eval(struct expr_run *r, const struct batch *in, const struct vector **out, struct row_errors *errors);

static void eval_inner(struct expr_run *r, const struct vector *const *args, uint32_t n, struct row_errors *errors)
{
    bool constant = true;

    for (uint32_t i = 0; i < r->x->arg_count; i++) constant &= args[i]->form == VEC_CONST;
    uint32_t rows = constant ? MIN(n, 1u) : n;
    r->own.form = VEC_FLAT;
    merge_nulls(args, r->x->arg_count, rows, &r->own);
    if (r->x->kind == EXPR_WIDEN) widen_values(args[0], args[0]->form == VEC_CONST ? MIN(rows, 1u) : rows, &r->own);
    else r->x->overload->run(args, rows, &r->own, errors);
    if (constant) r->own.form = VEC_CONST;
}

static enum status eval(struct expr_run *r, const struct batch *in, const struct vector **out, struct row_errors *errors)
{
    const struct vector *args[FN_ARGS_MAX];

    if (r->x->kind == EXPR_COLUMN) {
        *out = &in->cols[r->x->col];
        ASSERT((*out)->form == VEC_FLAT || (*out)->form == VEC_CONST); /* needs() asked for it; dictionaries are flattened */
        return S_OK;
    }
    *out = &r->own;
    if (r->x->kind == EXPR_LITERAL) return S_OK;
    for (uint32_t i = 0; i < r->x->arg_count; i++) TRY(eval(r->args[i], in, &args[i], errors));
    eval_inner(r, args, in->count, errors);
    return S_OK;
}

enum status expr_eval(struct expr_run *r, const struct batch *in, const struct vector **out, struct err *e)
{
    struct row_errors errors = {.batch = in};

    TRY(eval(r, in, out, &errors));
    if (errors.code == 0) return S_OK;
    struct buf text;
    struct mem mem;
    mem_init(&mem, "expr", 0);
    buf_init(&text, &mem);
    batch_print_row(in, errors.row, &text);
    err_set(e, E_DATA, "%s in \"%s\", row %.500s", fn_error_text(errors.code), r->x->fn != NULL ? r->x->fn->name : "?", buf_text(&text));
    err_hint(e, "%s", fn_error_hint(errors.code));
    buf_release(&text);
    mem_release(&mem);
    return E_DATA;
}
