/* user_call.c - calls of a user's scalar function: arguments become C structs, 64 rows at a time, the function is called for each
 * row, and its result is copied into the column. A function of whole columns sees them as they lie.
 *
 * An instance is an evaluator's: its memory, and the sentence of the first row that failed, which lives until the next call. */
#include "columns/function/user_call.h"

#include "columns/function/fn_kernels.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A scalar function. */
struct scalar {
    struct tw_call c; /* first */
    const struct user_call *plan;
    /* the batch */
    const struct fn_run *run;
    const struct vector *const *args;
    struct vector *out;
    uint16_t rows[BATCH_ROWS]; /* that count, without those of NULL arguments: for whole columns */
    uint32_t row_count;
};

/* --- an instance ----------------------------------------------------------------------------------------------------------- */
void user_instance_init(struct tw_call *c, const struct tw_sql_function *f, const struct user_struct *args,
                        uint32_t arg_count, const struct cform *result, struct mem *mem)
{
    c->mem = mem;
    c->args = args;
    c->arg_count = arg_count;
    arena_init(&c->items, mem, 0);
    arena_init(&c->scratch, mem, 0);
    c->self = mem_zalloc(mem, f->self_size + 1);
    c->structs = mem_zalloc(mem, (size_t)args->conv.size * ROWCONV_ROWS);
    c->result = mem_zalloc(mem, MAX(result->size, 16u));
    c->is_open = f->open == NULL || f->open(c) == TW_OK;
}

void user_instance_release(struct tw_call *c, const struct tw_sql_function *f)
{
    if (c->is_open && f->close != NULL) f->close(c);
    arena_release(&c->items);
    arena_release(&c->scratch);
    mem_free(c->mem, c->self);
    mem_free(c->mem, c->structs);
    mem_free(c->mem, c->result);
    mem_free(c->mem, c->list.items);
}

void *user_call_open(const struct fn_call *call, struct mem *mem)
{
    struct scalar *s = mem_zalloc(mem, sizeof *s);

    s->plan = call->plan;
    if (s->plan->overload->rows != NULL) s->c.list.form = s->plan->result->children[0].form;
    s->c.is_columns = s->plan->overload->run_batch != NULL;
    user_instance_init(&s->c, s->plan->f, &s->plan->args, call->count, s->plan->result, mem);
    return s;
}

void user_call_close(void *state, struct mem *mem)
{
    struct scalar *s = state;

    user_instance_release(&s->c, s->plan->f);
    mem_free(mem, s);
}

/* --- failures -------------------------------------------------------------------------------------------------------------- */
/* Only the first row's sentence is told, so only that is kept. */
static void fail_row(struct scalar *s, uint32_t row, const char *sentence)
{
    struct row_errors *e = s->run->errors;

    if (e->code == 0 || row < e->row || e->detail != s->c.failure)
        snprintf(s->c.failure, sizeof s->c.failure, "%s", user_sentence(sentence));
    row_error(e, row, FN_BAD_ARGUMENT, s->c.failure);
}

static void put_null(struct scalar *s, uint32_t row)
{
    if (s->out->type->nullable && s->plan->result_type->nullable)
        vector_set_null(s->out, row);
    else
        fail_row(s, row, "the function answers NULL, but its signature says NOT NULL");
}

/* --- row by row ------------------------------------------------------------------------------------------------------------ */
uint64_t user_nulls(const struct tw_call *c)
{
    uint64_t mask;

    memcpy(&mask, c->row + c->args->conv.null_offset, sizeof mask);
    return mask;
}

/* --- rows that a function puts out ------------------------------------------------------------------------------------------ */
/* One more item, which is made its own. */
static void list_push(struct tw_call *c, const void *value)
{
    struct user_list *l = &c->list;
    const char *why = NULL;

    if (l->count == CFORM_ELEMENTS_MAX || cform_check(l->form, value, &why) != S_OK) {
        snprintf(c->sentence, sizeof c->sentence, "%s", why != NULL ? why : "too many rows of one call");
        l->is_bad = true;
        return;
    }
    if (l->count == l->room) {
        l->room = MAX(64u, l->room * 2);
        l->items = mem_realloc(c->mem, l->items, (size_t)l->room * l->form->size);
    }
    void *at = l->items + (size_t)l->count++ * l->form->size;
    memcpy(at, value, l->form->size);
    cform_hold(l->form, at, &c->scratch);
}

void user_list_begin(struct tw_call *c)
{
    c->is_table = true;
    c->list.count = 0;
    c->list.is_bad = false;
}

bool user_list_end(struct tw_call *c)
{
    struct tw_array list = {.items = c->list.items, .count = c->list.count};

    c->is_table = false;
    memcpy(c->result, &list, sizeof list);
    return !c->list.is_bad;
}

static enum tw_status call_table(struct scalar *s)
{
    user_list_begin(&s->c);
    enum tw_status st = s->plan->overload->rows(&s->c, s->c.row);
    return user_list_end(&s->c) ? st : TW_FAILED;
}

static enum tw_status call_hook(struct scalar *s)
{
    const struct tw_sql_overload *o = s->plan->overload;

    return o->rows != NULL ? call_table(s) : o->run_row(&s->c, s->c.row, s->c.result);
}

static void call_row(struct scalar *s, uint32_t row)
{
    const struct cform *form = s->plan->result;
    const char *why = NULL;

    if (!s->plan->takes_nulls && user_nulls(&s->c) != 0) return;
    memset(s->c.result, 0, form->size);
    user_hook_begin(&s->c);
    if (user_hook_failed(&s->c, call_hook(s))) {
        fail_row(s, row, s->c.sentence);
        return;
    }
    if (s->c.result_is_null) {
        put_null(s, row);
        return;
    }
    enum status st = cform_check(form, s->c.result, &why);
    if (st == S_OK) st = cform_write(form, s->c.result, s->out, row, s->run->heap, s->run->mem);
    if (st != S_OK) fail_row(s, row, why != NULL ? why : CFORM_FULL);
}

/* Rows first..first+n of the view. A NULL inside an argument that has no place for it is found row by row. */
static void call_rows(struct scalar *s, const struct batch *view, uint32_t first, uint32_t n)
{
    const struct rowconv *conv = &s->plan->args.conv;
    uint32_t bad;

    arena_reset(&s->c.items);
    if (rowconv_read(conv, view, first, n, s->c.structs, &s->c.items, &bad) != S_OK) {
        if (n == 1)
            fail_row(s, batch_row(view, first), "a NULL inside an argument, where its type in C has no place for it");
        for (uint32_t i = 0; n > 1 && i < n; i++) call_rows(s, view, first + i, 1);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        s->c.row = s->c.structs + (size_t)i * conv->size;
        call_row(s, batch_row(view, first + i));
        arena_reset(&s->c.scratch);
    }
    s->c.row = NULL;
}

static void run_by_row(struct scalar *s)
{
    struct vector cols[TW_SQL_ARGS_MAX + 1];
    const struct fn_run *r = s->run;
    struct batch view = {.cols = cols,
                         .col_count = s->c.arg_count,
                         .count = r->count,
                         .capacity = r->count,
                         .sel = r->sel,
                         .sel_count = r->sel_count};

    for (uint32_t i = 0; i < s->c.arg_count; i++) cols[i] = *s->args[i];
    uint32_t count = batch_rows(&view);
    for (uint32_t first = 0; first < count; first += ROWCONV_ROWS)
        call_rows(s, &view, first, MIN(count - first, (uint32_t)ROWCONV_ROWS));
}

/* --- whole columns ---------------------------------------------------------------------------------------------------------- */
static void run_by_column(struct scalar *s)
{
    s->row_count = 0;
    FN_EACH(s->run, i)
    {
        if (s->plan->takes_nulls || !fn_is_null(s->args, s->c.arg_count, i)) s->rows[s->row_count++] = (uint16_t)i;
    }
    user_hook_begin(&s->c);
    if (s->row_count == 0 || !user_hook_failed(&s->c, s->plan->overload->run_batch(&s->c))) return;
    fail_row(s, s->rows[0], s->c.sentence);
}

void user_call_run(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct scalar *s = r->state;

    s->run = r;
    s->args = args;
    s->out = out;
    ASSERT(r->count <= BATCH_ROWS);
    if (!s->c.is_open) {
        FN_EACH(r, i) fail_row(s, i, s->c.sentence);
    } else if (s->plan->overload->run_batch == NULL) {
        run_by_row(s);
    } else {
        run_by_column(s);
    }
    arena_reset(&s->c.scratch);
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

static void misuse(struct tw_call *c, const char *sentence)
{
    if (c->is_misused) return;
    c->is_misused = true;
    snprintf(c->sentence, sizeof c->sentence, "%s", sentence);
}

uint32_t tw_arg_count(struct tw_call *c) { return c->arg_count; }

bool tw_arg_is_null(struct tw_call *c, uint32_t arg)
{
    if (arg < c->arg_count && c->row != NULL) return user_nulls(c) >> arg & 1;
    misuse(c, "an argument is asked for that is not there");
    return true;
}

const void *tw_arg(struct tw_call *c, uint32_t arg)
{
    return tw_arg_is_null(c, arg) ? NULL : c->row + c->args->conv.fields[arg].offset;
}

enum tw_status tw_result_null(struct tw_call *c)
{
    c->result_is_null = true;
    return TW_OK;
}

void tw_call_emit(struct tw_call *c, const void *row)
{
    if (!c->is_table)
        misuse(c, "tw_call_emit is for table functions");
    else if (!c->list.is_bad)
        list_push(c, row);
}

/* Columns are asked for in run_batch alone; NULL elsewhere, where there are no rows to ask for. */
static struct scalar *scalar_of(struct tw_call *c)
{
    if (c->is_columns) return (struct scalar *)(void *)c;
    misuse(c, "columns are for functions with run_batch");
    return NULL;
}

struct tw_arg_column tw_column_arg(struct tw_call *c, uint32_t arg)
{
    struct scalar *s = scalar_of(c);

    if (s == NULL) return (struct tw_arg_column){0};
    ASSERT(arg < c->arg_count && s->args[arg]->phys != P_STR);
    return (struct tw_arg_column){s->args[arg]->data, s->args[arg]->validity, s->args[arg]->form == VEC_CONST};
}

struct tw_str tw_column_arg_str(struct tw_call *c, uint32_t arg, uint32_t row)
{
    struct scalar *s = scalar_of(c);

    if (s == NULL) return (struct tw_str){NULL, 0};
    ASSERT(arg < c->arg_count && s->args[arg]->phys == P_STR && row < s->run->count);
    if (vector_is_null(s->args[arg], row)) return (struct tw_str){NULL, 0};
    struct str text = fn_str(s->args[arg], row);
    return (struct tw_str){text.data, text.size};
}

const uint16_t *tw_column_rows(struct tw_call *c, uint32_t *count)
{
    struct scalar *s = scalar_of(c);

    *count = s != NULL ? s->row_count : 0;
    return s != NULL ? s->rows : NULL;
}

uint32_t tw_column_size(struct tw_call *c)
{
    struct scalar *s = scalar_of(c);

    return s != NULL ? s->run->count : 0;
}

void *tw_column_result(struct tw_call *c)
{
    struct scalar *s = scalar_of(c);

    ASSERT(s == NULL || s->out->phys != P_STR);
    return s != NULL ? s->out->data : NULL;
}

void tw_column_result_str(struct tw_call *c, uint32_t row, struct tw_str text)
{
    struct scalar *s = scalar_of(c);

    if (s == NULL) return;
    ASSERT(s->out->phys == P_STR && row < s->run->count);
    fn_put(s->run, s->out, row, (struct str){text.size > 0 ? text.data : "", text.size});
}

void tw_column_result_null(struct tw_call *c, uint32_t row)
{
    struct scalar *s = scalar_of(c);

    if (s == NULL) return;
    ASSERT(row < s->run->count);
    put_null(s, row);
}

void tw_column_fail(struct tw_call *c, uint32_t row, const char *format, ...)
{
    struct scalar *s = scalar_of(c);
    char sentence[USER_SENTENCE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (s != NULL) fail_row(s, row, sentence);
}
