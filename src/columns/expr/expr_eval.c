/* expr_eval.c - runs an expression over a batch: arguments first, then the kernel, into vectors that are made once and used for
 * every batch. NULLs of strict functions are worked out here: a result is NULL where an argument is. Branches (expr_branch.c)
 * call back with the rows that are theirs. */
#include "columns/expr/expr_internal.h"

#include "ground/base/prng.h"

#include <string.h>

/* --- life -------------------------------------------------------------------------------------------------------- */
/* Each node has a number of chance of its own, which follows from its parent's. */
static struct expr_run *run_create(const struct expr *x, uint64_t chance, uint32_t capacity, struct mem *mem)
{
    struct expr_run *r = mem_zalloc(mem, sizeof *r);

    r->x = x;
    r->mem = mem;
    r->chance = chance;
    r->has_own = x->kind != EXPR_COLUMN && x->kind != EXPR_CONSTANT;
    if (r->has_own) {
        vector_init(&r->own, x->type, capacity, mem);
        text_heap_init(&r->heap, mem);
    }
    if (x->kind >= EXPR_CASE) branch_init(r, capacity);
    if (x->kind == EXPR_CALL && x->call->def->open != NULL) r->state = x->call->def->open(x->call, mem);
    r->args = x->count == 0 ? NULL : mem_zalloc(mem, sizeof(struct expr_run *) * x->count);
    r->values = x->count == 0 ? NULL : mem_zalloc(mem, sizeof(struct vector *) * x->count);
    for (uint32_t i = 0; i < x->count; i++) r->args[i] = run_create(x->args[i], mix64(chance + i), capacity, mem);
    return r;
}

struct expr_run *expr_run_create(const struct expr *x, const struct fn_session *session, uint32_t capacity, struct mem *mem)
{
    return run_create(x, session != NULL ? session->chance : 0, capacity, mem);
}

void expr_run_watch(struct expr_run *r, const int64_t *watermark)
{
    r->watermark = watermark;
    for (uint32_t i = 0; i < r->x->count; i++) expr_run_watch(r->args[i], watermark);
}

void expr_run_free(struct expr_run *r)
{
    if (r == NULL) return;
    for (uint32_t i = 0; i < r->x->count; i++) expr_run_free(r->args[i]);
    if (r->state != NULL && r->x->call->def->close != NULL) r->x->call->def->close(r->state, r->mem);
    if (r->has_own) {
        vector_release(&r->own, r->mem);
        text_heap_release(&r->heap);
    }
    branch_release(r);
    mem_free(r->mem, r->args);
    mem_free(r->mem, r->values);
    mem_free(r->mem, r);
}

/* --- calls ------------------------------------------------------------------------------------------------------- */
/* Validity of a strict result: the AND of the arguments'. A NULL constant makes everything NULL. */
static void merge_nulls(const struct vector *const *args, uint32_t count, uint32_t n, struct vector *out)
{
    uint32_t words = (n + 63) / 64;

    for (uint32_t i = 0; i < count; i++) {
        if (args[i]->validity == NULL) continue;
        bool fixed = args[i]->form == VEC_CONST;
        if (out->validity == NULL) memset(out->validity_space, 0xFF, sizeof(uint64_t) * words);
        out->validity = out->validity_space;
        for (uint32_t w = 0; w < words; w++)
            out->validity[w] &= fixed ? (bit_get(args[i]->validity, 0) ? UINT64_MAX : 0) : args[i]->validity[w];
    }
}

/* Fields under a NULL row are NULL or zero: those of the batch before must not be found there. */
static void null_fields(struct vector *row, uint32_t count)
{
    for (uint32_t i = 0; row->validity != NULL && i < count; i++)
        if (!bit_get(row->validity, i)) vector_set_null(row, i);
}

/* One value serves all rows, so its error is that of the first row that counts; the value's place need not be one. */
static void pass_on(const struct row_errors *one, struct row_errors *all)
{
    if (one->code == 0 || (all->sel != NULL && all->sel_count == 0)) return;
    row_error(all, all->sel != NULL ? all->sel[0] : 0, one->code, one->detail);
}

static void run_kernel(struct expr_run *r, const struct evaluation *ev, const struct rows *rows, bool constant)
{
    const struct fn_call *c = r->x->call;
    struct row_errors own = {.null_into = c->try_mode ? &r->own : NULL};
    struct fn_run run = {.call = c, .state = r->state, .count = rows->count, .sel = rows->sel, .sel_count = rows->sel_count,
                         .heap = &r->heap, .mem = r->mem, .now_ms = ev->now_ms, .watermark = r->watermark != NULL ? *r->watermark : TIME_MIN, .chance = r->chance,
                         .errors = c->try_mode || constant ? &own : ev->errors};

    if (constant) {
        run.count = 1;
        run.sel = NULL;
    }
    if (c->def->nulls == FN_STRICT) merge_nulls(r->values, r->x->count, run.count, &r->own);
    if (c->def->nulls == FN_STRICT && r->own.phys == P_ROW) null_fields(&r->own, run.count);
    c->run(&run, r->values, &r->own);
    if (!constant) return;
    pass_on(&own, ev->errors);
    vector_make_const(&r->own);
}

/* The result is what stands in an argument: nothing is copied. */
static const struct vector *view_make(struct expr_run *r, const struct rows *rows, const struct vector *stands)
{
    merge_nulls(r->values, r->x->count, rows->count, &r->own);
    merge_nulls(&stands, 1, rows->count, &r->own);
    r->view = r->own;
    r->view.data = stands->data;
    r->view.capacity = stands->capacity;
    return &r->view;
}

static enum status eval_call(struct expr_run *r, const struct evaluation *ev, const struct rows *rows, const struct vector **out)
{
    const struct fn_call *c = r->x->call;
    bool constant = c->def->det <= FN_PER_QUERY;

    for (uint32_t i = 0; i < r->x->count; i++) {
        TRY(expr_run_eval(r->args[i], ev, rows, &r->values[i]));
        constant &= r->values[i]->form == VEC_CONST;
    }
    vector_clear(&r->own);
    text_heap_clear(&r->heap);
    const struct vector *stands = c->borrow != NULL && !constant ? c->borrow(c, r->values) : NULL;
    if (stands != NULL) {
        *out = view_make(r, rows, stands);
        return S_OK;
    }
    run_kernel(r, ev, rows, constant);
    if (ev->errors->code != 0 && ev->failed != NULL && *ev->failed == NULL) *ev->failed = r->x;
    return S_OK;
}

enum status expr_run_eval(struct expr_run *r, const struct evaluation *ev, const struct rows *rows, const struct vector **out)
{
    *out = &r->own;
    switch ((enum expr_kind)r->x->kind) {
    case EXPR_COLUMN:
        *out = &ev->in->cols[r->x->col];
        ASSERT((*out)->form == VEC_FLAT || (*out)->form == VEC_CONST); /* dictionaries are flattened before */
        return S_OK;
    case EXPR_OUTER: ASSERT(false); return E_GRAPH; /* gone before anything runs */
    case EXPR_CONSTANT: *out = r->x->constant; return S_OK;
    case EXPR_CALL: return eval_call(r, ev, rows, out);
    case EXPR_CASE: return eval_case(r, ev, rows);
    case EXPR_COALESCE: return eval_coalesce(r, ev, rows);
    case EXPR_AND:
    case EXPR_OR: return eval_logic(r, ev, rows);
    }
    return S_OK;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
/* As it can stand in a message: zero bytes, which would end it, are written; cut between characters. */
static void append_shown(struct buf *out, const struct buf *text, size_t most)
{
    size_t size = MIN(text->size, most);

    while (size < text->size && size > 0 && ((unsigned char)text->data[size] & 0xC0) == 0x80) size--;
    for (size_t i = 0; i < size; i++)
        if (text->data[i] == '\0') buf_append_text(out, "\\0");
        else buf_append_byte(out, text->data[i]);
}

static enum status raise(const struct expr_run *r, const struct evaluation *ev, struct err *e)
{
    const struct expr *x = *ev->failed != NULL ? *ev->failed : r->x;
    struct mem mem;
    struct buf text, said;

    if (e == NULL) return E_DATA;
    mem_init(&mem, "expr", 0);
    buf_init(&text, &mem);
    buf_init(&said, &mem);
    expr_print(x, ev->in->schema, &text);
    const char *what = ev->errors->detail != NULL ? ev->errors->detail : fn_error_text(ev->errors->code);
    bool is_check = buf_text(&text)[0] == '$'; /* of the sink's: no expression of the statement's */
    if (!is_check) {
        buf_append_text(&said, " in \"");
        append_shown(&said, &text, EXPR_SHOWN_MAX);
        buf_append_text(&said, "\"");
    }
    buf_append_text(&said, is_check && what[strlen(what) - 1] == '.' ? " Row: " : ", row ");
    buf_clear(&text);
    if (ev->in->schema != NULL) batch_show_row(ev->in, ev->errors->row, &text);
    append_shown(&said, &text, 500);
    err_set(e, E_DATA, "%s%s", what, buf_text(&said));
    err_hint(e, "%s", fn_error_hint(ev->errors->code));
    buf_release(&said);
    buf_release(&text);
    mem_release(&mem);
    return E_DATA;
}

enum status expr_eval(struct expr_run *r, const struct batch *in, int64_t now_ms, const struct vector **out, struct err *e)
{
    struct rows rows = {in->count, in->sel, in->sel_count};
    struct row_errors errors = {.sel = in->sel, .sel_count = in->sel_count};
    const struct expr *failed = NULL;
    struct evaluation ev = {in, now_ms, &errors, &failed};

    TRY(expr_run_eval(r, &ev, &rows, out));
    return errors.code == 0 ? S_OK : raise(r, &ev, e);
}

/* --- selections -------------------------------------------------------------------------------------------------- */
/* The rows that are true; branch-free, because whether a row passes is not predictable. */
static uint32_t select_true(const struct vector *v, const struct rows *rows, uint16_t *out)
{
    const bool *values = v->data;
    uint32_t n = 0, count = rows->sel != NULL ? rows->sel_count : rows->count;

    if (v->form == VEC_CONST) {
        bool all = values[0] && !vector_is_null(v, 0);
        for (uint32_t i = 0; all && i < count; i++) out[n++] = rows->sel != NULL ? rows->sel[i] : (uint16_t)i;
        return n;
    }
    if (rows->sel == NULL && v->validity == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            out[n] = (uint16_t)i;
            n += values[i];
        }
        return n;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows->sel != NULL ? rows->sel[i] : i;
        out[n] = (uint16_t)row;
        n += values[row] && !vector_is_null(v, row);
    }
    return n;
}

/* AND narrows: each condition is asked of the rows that the ones before it left. */
static enum status select_rows(struct expr_run *r, const struct evaluation *ev, struct rows *rows, uint16_t *out)
{
    const struct vector *v;

    for (uint32_t i = 0; r->x->kind == EXPR_AND && i < r->x->count; i++) {
        ev->errors->sel = rows->sel;
        ev->errors->sel_count = rows->sel_count;
        TRY(select_rows(r->args[i], ev, rows, out));
        if (rows->sel_count == 0 || ev->errors->code != 0) return S_OK;
    }
    if (r->x->kind == EXPR_AND) return S_OK;
    TRY(expr_run_eval(r, ev, rows, &v));
    uint32_t n = select_true(v, rows, out);
    *rows = (struct rows){rows->count, out, n};
    return S_OK;
}

enum status expr_select(struct expr_run *r, const struct batch *in, int64_t now_ms, uint16_t *out, uint32_t *count, struct err *e)
{
    struct rows rows = {in->count, in->sel, in->sel_count};
    struct row_errors errors = {.sel = in->sel, .sel_count = in->sel_count};
    const struct expr *failed = NULL;
    struct evaluation ev = {in, now_ms, &errors, &failed};

    ASSERT(r->x->type->kind == T_BOOLEAN);
    TRY(select_rows(r, &ev, &rows, out));
    *count = rows.sel_count;
    return errors.code == 0 ? S_OK : raise(r, &ev, e);
}
