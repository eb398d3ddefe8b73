/* user_call.c - calls of a user's scalar function: arguments become C structs, 64 rows at a time, the function is called for each
 * row, and its result is copied into the column. A function of whole columns sees them as they lie.
 *
 * An instance is an evaluator's: its memory, and the sentence of the first row that failed, which lives until the next call. */
#include "columns/function/user_function.h"

#include "columns/function/fn_kernels.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 512 };

struct tw_call {
    const struct fn_call *call;
    const struct user_call *plan;
    struct mem *mem;
    struct arena items;   /* of nested arguments */
    struct arena scratch; /* of results */
    void *self;
    char *structs; /* ROWCONV_ROWS of them */
    void *result;
    bool is_open, result_is_null;
    char sentence[SENTENCE_MAX]; /* of what was called last */
    char failure[SENTENCE_MAX];  /* of the row that counts */
    /* the row */
    const char *row;
    /* the batch */
    const struct fn_run *run;
    const struct vector *const *args;
    struct vector *out;
    uint16_t *rows;
    uint32_t row_count;
};

/* --- an instance ----------------------------------------------------------------------------------------------------------- */
void *user_call_open(const struct fn_call *call, struct mem *mem)
{
    const struct user_call *plan = call->plan;
    struct tw_call *c = mem_zalloc(mem, sizeof *c);

    c->call = call;
    c->plan = plan;
    c->mem = mem;
    arena_init(&c->items, mem, 0);
    arena_init(&c->scratch, mem, 0);
    c->self = mem_zalloc(mem, plan->f->self_size + 1);
    c->structs = mem_zalloc(mem, (size_t)plan->args.conv.size * ROWCONV_ROWS);
    c->result = mem_zalloc(mem, MAX(plan->result->size, 16u));
    c->rows = mem_zalloc(mem, sizeof *c->rows * BATCH_ROWS);
    c->is_open = plan->f->open == NULL || plan->f->open(c) == TW_OK;
    return c;
}

void user_call_close(void *state, struct mem *mem)
{
    struct tw_call *c = state;

    if (c->is_open && c->plan->f->close != NULL) c->plan->f->close(c);
    arena_release(&c->items);
    arena_release(&c->scratch);
    mem_free(mem, c->self);
    mem_free(mem, c->structs);
    mem_free(mem, c->result);
    mem_free(mem, c->rows);
    mem_free(mem, c);
}

/* --- failures -------------------------------------------------------------------------------------------------------------- */
/* Only the first row's sentence is told, so only that is kept. */
static void fail_row(struct tw_call *c, uint32_t row, const char *sentence)
{
    struct row_errors *e = c->run->errors;

    if (e->code == 0 || row < e->row || e->detail != c->failure)
        snprintf(c->failure, sizeof c->failure, "%s",
                 sentence[0] != '\0' ? sentence : "the function failed and did not say why");
    row_error(e, row, FN_BAD_ARGUMENT, c->failure);
}

static void put_null(struct tw_call *c, uint32_t row)
{
    if (c->out->type->nullable && c->plan->result_type->nullable)
        vector_set_null(c->out, row);
    else
        fail_row(c, row, "the function answers NULL, but its signature says NOT NULL");
}

/* --- row by row ------------------------------------------------------------------------------------------------------------ */
static uint64_t nulls_of(const struct tw_call *c)
{
    uint64_t mask;

    memcpy(&mask, c->row + c->plan->args.conv.null_offset, sizeof mask);
    return mask;
}

static void call_row(struct tw_call *c, uint32_t row)
{
    const struct cform *form = c->plan->result;
    const char *why = NULL;

    if (!c->plan->takes_nulls && nulls_of(c) != 0) return;
    memset(c->result, 0, form->size);
    c->result_is_null = false;
    c->sentence[0] = '\0';
    if (c->plan->overload->run_row(c, c->row, c->result) != TW_OK) {
        fail_row(c, row, c->sentence);
        return;
    }
    if (c->result_is_null) {
        put_null(c, row);
        return;
    }
    enum status st = cform_check(form, c->result, &why);
    if (st == S_OK) st = cform_write(form, c->result, c->out, row, c->run->heap, c->run->mem);
    if (st != S_OK) fail_row(c, row, why != NULL ? why : CFORM_FULL);
}

/* Rows first..first+n of the view. A NULL inside an argument that has no place for it is found row by row. */
static void call_rows(struct tw_call *c, const struct batch *view, uint32_t first, uint32_t n)
{
    const struct rowconv *conv = &c->plan->args.conv;
    uint32_t bad;

    arena_reset(&c->items);
    if (rowconv_read(conv, view, first, n, c->structs, &c->items, &bad) != S_OK) {
        if (n == 1)
            fail_row(c, batch_row(view, first), "a NULL inside an argument, where its type in C has no place for it");
        for (uint32_t i = 0; n > 1 && i < n; i++) call_rows(c, view, first + i, 1);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        c->row = c->structs + (size_t)i * conv->size;
        call_row(c, batch_row(view, first + i));
        arena_reset(&c->scratch);
    }
}

static void run_by_row(struct tw_call *c)
{
    struct vector cols[TW_SQL_ARGS_MAX + 1];
    const struct fn_run *r = c->run;
    struct batch view = {.cols = cols,
                         .col_count = c->call->count,
                         .count = r->count,
                         .capacity = r->count,
                         .sel = r->sel,
                         .sel_count = r->sel_count};

    for (uint32_t i = 0; i < c->call->count; i++) cols[i] = *c->args[i];
    uint32_t count = batch_rows(&view);
    for (uint32_t first = 0; first < count; first += ROWCONV_ROWS)
        call_rows(c, &view, first, MIN(count - first, (uint32_t)ROWCONV_ROWS));
}

/* --- whole columns ---------------------------------------------------------------------------------------------------------- */
static void run_by_column(struct tw_call *c)
{
    c->row_count = 0;
    FN_EACH(c->run, i)
    {
        if (c->plan->takes_nulls || !fn_is_null(c->args, c->call->count, i)) c->rows[c->row_count++] = (uint16_t)i;
    }
    c->sentence[0] = '\0';
    if (c->row_count == 0 || c->plan->overload->run_batch(c) == TW_OK) return;
    fail_row(c, c->rows[0], c->sentence);
}

void user_call_run(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct tw_call *c = r->state;

    c->run = r;
    c->args = args;
    c->out = out;
    ASSERT(r->count <= BATCH_ROWS);
    if (!c->is_open) {
        FN_EACH(r, i) fail_row(c, i, c->sentence);
    } else if (c->plan->overload->run_row != NULL) {
        run_by_row(c);
    } else {
        run_by_column(c);
    }
    arena_reset(&c->scratch);
}

/* --- what the function asks ---------------------------------------------------------------------------------------------------- */
void *tw_call_self(struct tw_call *c) { return c->self; }
void *tw_call_scratch(struct tw_call *c, size_t size)
{
    return arena_zalloc(&c->scratch, ALIGN_UP(MAX(size, (size_t)1), (size_t)16));
}

enum tw_status tw_call_fail(struct tw_call *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(c->sentence, sizeof c->sentence, format, args);
    va_end(args);
    return TW_FAILED;
}

uint32_t tw_arg_count(struct tw_call *c) { return c->call->count; }

bool tw_arg_is_null(struct tw_call *c, uint32_t arg)
{
    ASSERT(arg < c->call->count);
    return nulls_of(c) >> arg & 1;
}

const void *tw_arg(struct tw_call *c, uint32_t arg)
{
    return tw_arg_is_null(c, arg) ? NULL : c->row + c->plan->args.conv.fields[arg].offset;
}

enum tw_status tw_result_null(struct tw_call *c)
{
    c->result_is_null = true;
    return TW_OK;
}

struct tw_arg_column tw_column_arg(struct tw_call *c, uint32_t arg)
{
    ASSERT(arg < c->call->count && c->args[arg]->phys != P_STR);
    return (struct tw_arg_column){c->args[arg]->data, c->args[arg]->validity, c->args[arg]->form == VEC_CONST};
}

struct tw_str tw_column_arg_str(struct tw_call *c, uint32_t arg, uint32_t row)
{
    ASSERT(arg < c->call->count && c->args[arg]->phys == P_STR && row < c->run->count);
    if (vector_is_null(c->args[arg], row)) return (struct tw_str){NULL, 0};
    struct str s = fn_str(c->args[arg], row);
    return (struct tw_str){s.data, s.size};
}

const uint16_t *tw_column_rows(struct tw_call *c, uint32_t *count)
{
    *count = c->row_count;
    return c->rows;
}

uint32_t tw_column_size(struct tw_call *c) { return c->run->count; }

void *tw_column_result(struct tw_call *c)
{
    ASSERT(c->out->phys != P_STR);
    return c->out->data;
}

void tw_column_result_str(struct tw_call *c, uint32_t row, struct tw_str s)
{
    ASSERT(c->out->phys == P_STR && row < c->run->count);
    fn_put(c->run, c->out, row, (struct str){s.size > 0 ? s.data : "", s.size});
}

void tw_column_result_null(struct tw_call *c, uint32_t row)
{
    ASSERT(row < c->run->count);
    put_null(c, row);
}

void tw_column_fail(struct tw_call *c, uint32_t row, const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    fail_row(c, row, sentence);
}
