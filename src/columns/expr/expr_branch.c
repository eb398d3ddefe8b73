/* expr_branch.c - CASE, COALESCE, AND and OR: each part is evaluated for the rows that need it, so that a row which was not
 * selected cannot fail, and three-valued logic.
 *
 * The idea: `rest` is the list of rows that are still undecided; a part takes some of them away and its values are copied to
 * their places in the result. AND and OR of parts that cannot fail are computed for all rows by loops without branches. */
#include "columns/expr/expr_internal.h"

#include <string.h>

void branch_init(struct expr_run *r, uint32_t capacity)
{
    for (uint32_t i = 0; i < COUNT_OF(r->sel); i++) r->sel[i] = mem_alloc(r->mem, sizeof(uint16_t) * capacity);
}

void branch_release(struct expr_run *r)
{
    for (uint32_t i = 0; i < COUNT_OF(r->sel); i++) mem_free(r->mem, r->sel[i]);
}

static uint32_t rows_count(const struct rows *rows) { return rows->sel != NULL ? rows->sel_count : rows->count; }
static uint32_t rows_at(const struct rows *rows, uint32_t i) { return rows->sel != NULL ? rows->sel[i] : i; }

/* Evaluates a part for some rows only; errors of others do not count. */
static enum status eval_part(struct expr_run *part, const struct evaluation *ev, const struct rows *rows, const struct vector **out)
{
    const uint16_t *sel = ev->errors->sel;
    uint32_t sel_count = ev->errors->sel_count;

    ev->errors->sel = rows->sel;
    ev->errors->sel_count = rows->sel_count;
    TRY(expr_run_eval(part, ev, rows, out));
    ev->errors->sel = sel;
    ev->errors->sel_count = sel_count;
    return S_OK;
}

/* --- copying values to their places ------------------------------------------------------------------------------ */
#define PLACE(T)                                                                                                       \
    for (uint32_t i = 0; i < rows->sel_count; i++)                                                                     \
        VECTOR_VALUES(dst, T)[rows->sel[i]] = VECTOR_VALUES(src, T)[vector_at(src, rows->sel[i])]

/* Row i of src to row i of dst. The source outlives the result, so references to its text stay good; lists are copied. */
static void place(struct expr_run *r, const struct vector *src, const struct rows *rows)
{
    struct vector *dst = &r->own;
    struct bytes16 {
        uint64_t low, high;
    };

    if (dst->phys == P_LIST || dst->phys == P_ROW) {
        for (uint32_t i = 0; i < rows->sel_count; i++) {
            uint16_t row = rows->sel[i];
            vector_copy(dst, row, src, &row, 1, &r->heap, r->mem);
        }
        return;
    }
    for (uint32_t i = 0; src->validity != NULL && i < rows->sel_count; i++)
        if (vector_is_null(src, rows->sel[i])) vector_set_null(dst, rows->sel[i]);
    switch (phys_width((enum phys)dst->phys)) {
    case 1: PLACE(uint8_t); break;
    case 2: PLACE(uint16_t); break;
    case 4: PLACE(uint32_t); break;
    case 8: PLACE(uint64_t); break;
    default: PLACE(struct bytes16); break;
    }
}

/* --- CASE and COALESCE ------------------------------------------------------------------------------------------- */
/* Parts the undecided rows: those for which a condition holds go to `taken`, the others stay, in order. */
static void part_rows(const struct vector *condition, struct rows *rest, struct rows *taken, uint16_t *stay, uint16_t *go)
{
    const bool *values = condition->data;
    uint32_t n = rows_count(rest), left = 0, gone = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = rows_at(rest, i);
        bool is = values[vector_at(condition, row)] && !vector_is_null(condition, row);
        if (is) go[gone++] = (uint16_t)row;
        else stay[left++] = (uint16_t)row;
    }
    *taken = (struct rows){rest->count, go, gone};
    *rest = (struct rows){rest->count, stay, left};
}

static void begin(struct expr_run *r)
{
    vector_clear(&r->own);
    text_heap_clear(&r->heap);
}

enum status eval_case(struct expr_run *r, const struct evaluation *ev, const struct rows *rows)
{
    struct rows rest = *rows, taken;
    const struct vector *v;

    begin(r);
    for (uint32_t i = 0; i + 1 < r->x->count && rows_count(&rest) > 0; i += 2) {
        TRY(eval_part(r->args[i], ev, &rest, &v));
        part_rows(v, &rest, &taken, r->sel[0], r->sel[1]);
        if (taken.sel_count == 0) continue;
        TRY(eval_part(r->args[i + 1], ev, &taken, &v));
        place(r, v, &taken);
    }
    if (rows_count(&rest) == 0) return S_OK;
    TRY(eval_part(r->args[r->x->count - 1], ev, &rest, &v));
    if (rest.sel == NULL) { /* no condition at all: place takes a list */
        for (uint32_t i = 0; i < rest.count; i++) r->sel[0][i] = (uint16_t)i;
        rest = (struct rows){rest.count, r->sel[0], rest.count};
    }
    place(r, v, &rest);
    return S_OK;
}

enum status eval_coalesce(struct expr_run *r, const struct evaluation *ev, const struct rows *rows)
{
    struct rows rest = *rows;
    const struct vector *v;

    begin(r);
    for (uint32_t i = 0; i < r->x->count && rows_count(&rest) > 0; i++) {
        TRY(eval_part(r->args[i], ev, &rest, &v));
        struct rows taken = {rest.count, r->sel[1], 0};
        uint32_t n = rows_count(&rest), left = 0;
        for (uint32_t k = 0; k < n; k++) {
            uint32_t row = rows_at(&rest, k);
            if (i + 1 == r->x->count || !vector_is_null(v, row)) r->sel[1][taken.sel_count++] = (uint16_t)row;
            else r->sel[0][left++] = (uint16_t)row;
        }
        place(r, v, &taken);
        rest = (struct rows){rest.count, r->sel[0], left};
    }
    return S_OK;
}

/* --- AND and OR -------------------------------------------------------------------------------------------------- */
/* The value that decides: FALSE for AND, TRUE for OR. */
static bool decides(const struct expr_run *r) { return r->x->kind == EXPR_OR; }

/* Without branches: what values are is not predictable. A row is decided by a deciding value on either side, NULL when neither decides
 * and one is NULL. */
static void logic_place(struct expr_run *r, const struct vector *v, const struct rows *rows)
{
    uint8_t *out = r->own.data;
    const uint8_t *values = v->data, decided = decides(r);
    const uint64_t *validity = r->own.validity_space != NULL ? v->validity : NULL; /* else there are no NULLs */
    uint64_t *own;

    if (validity != NULL && r->own.validity == NULL) { /* NULLs begin */
        memset(r->own.validity_space, 0xFF, sizeof(uint64_t) * ((rows->count + 63) / 64));
        r->own.validity = r->own.validity_space;
    }
    own = r->own.validity;
    for (uint32_t i = 0; i < rows_count(rows); i++) {
        uint32_t row = rows_at(rows, i), at = vector_at(v, row), shift = row & 63;
        uint8_t here = own == NULL || ((own[row >> 6] >> shift) & 1), there = validity == NULL || ((validity[at >> 6] >> (at & 63)) & 1);
        uint8_t is = (here & (out[row] == decided)) | (there & (values[at] == decided));
        out[row] = is ? decided : !decided;
        if (own != NULL) own[row >> 6] = (own[row >> 6] & ~(UINT64_C(1) << shift)) | (uint64_t)(is | (here & there)) << shift;
    }
}

/* Parts without NULLs that cannot fail: one loop over all rows. */
static bool logic_all(struct expr_run *r, const struct vector *v, uint32_t count)
{
    bool *restrict out = r->own.data;
    const bool *restrict values = v->data;

    if (v->form != VEC_FLAT || v->validity != NULL || r->own.validity != NULL) return false;
    if (r->x->kind == EXPR_AND)
        for (uint32_t i = 0; i < count; i++) out[i] &= values[i];
    else
        for (uint32_t i = 0; i < count; i++) out[i] |= values[i];
    return true;
}

/* The rows that no part has decided yet: what is NULL so far may still become the deciding value. */
static void undecided(struct expr_run *r, const struct rows *rows, struct rows *rest)
{
    const bool *out = r->own.data;
    uint32_t n = 0;

    for (uint32_t i = 0; i < rows_count(rows); i++) {
        uint32_t row = rows_at(rows, i);
        r->sel[0][n] = (uint16_t)row;
        n += out[row] != decides(r) || vector_is_null(&r->own, row);
    }
    *rest = (struct rows){rows->count, r->sel[0], n};
}

enum status eval_logic(struct expr_run *r, const struct evaluation *ev, const struct rows *rows)
{
    const struct vector *v;

    begin(r);
    memset(r->own.data, !decides(r), rows->count);
    for (uint32_t i = 0; i < r->x->count; i++) {
        struct rows rest = *rows;
        if (i > 0 && r->args[i]->x->may_fail) undecided(r, rows, &rest);
        if (rows_count(&rest) == 0) continue;
        TRY(eval_part(r->args[i], ev, &rest, &v));
        if (rest.sel != NULL || !logic_all(r, v, rows->count)) logic_place(r, v, &rest);
    }
    return S_OK;
}
