/* window_user.c - folds of a user's aggregate or reduce function. The accumulator of an aggregate is its row type `acc`, that
 * of a reduce the row itself; behind its fields stands how many rows it holds, so that "nothing yet" needs no callback. */
#include "flow/operator/window_user.h"

#include <thalweg/window.h>

#include "ground/base/str.h"

#include <string.h>

enum { NAMED_START = UINT32_MAX - 1, NAMED_END = UINT32_MAX };
enum { ROWS_AHEAD = 8 }; /* whose accumulators are fetched before they are used */

const struct function_ref *window_user_first(const struct window_config *c)
{
    return c->pre.fn != NULL ? &c->pre : &c->function;
}

static bool is_fold(const struct tw_function *fn) { return fn->add != NULL || fn->reduce != NULL; }

/* --- graph time --------------------------------------------------------------------------------------------------- */
static enum status check_fold(struct op_plan *p, const struct function_ref *f, struct err *e)
{
    const struct tw_function *fn = f->fn;

    TRY(user_derive_in(p, 0, f, true, e));
    if (fn->reduce != NULL) return S_OK;
    TRY(user_need_hook(f, fn->add != NULL, "add", e));
    TRY(user_need_hook(f, fn->result != NULL, "result", e));
    if (fn->acc == NULL)
        return err_set(e, E_GRAPH, "function '%s' does not describe its accumulator: .acc is missing", f->name);
    return fn->out != NULL
               ? S_OK
               : err_set(e, E_GRAPH, "function '%s' does not say what it answers: .out is missing", f->name);
}

/* Where windows have no bounds, what is named after them must have a place for NULL. */
static enum status check_bounds(struct op_plan *p, const struct window_config *c, const struct function_ref *f,
                                struct err *e)
{
    const struct type *out;

    if (f->fn->reduce != NULL || window_is_bounded(c)) return S_OK;
    TRY(user_row_type(p->arena, f->fn->out, &out, e));
    for (uint32_t i = 0; i < out->child_count; i++) {
        const char *name = out->names[i];
        if (strcmp(name, "window_start") != 0 && strcmp(name, "window_end") != 0) continue;
        if (out->children[i]->nullable) continue;
        err_hint(e, "make the column nullable with TW_NULLS in the struct, or leave it out");
        return err_set(e, E_GRAPH, "column '%s' of row type '%s' cannot be NULL, but %s windows have no start and no end",
                       name, f->fn->out->name, c->assigner == TW_COUNT ? "count" : "global");
    }
    return S_OK;
}

/* The window function reads what the fold in front of it answers. */
static enum status check_handover(const struct window_config *c, struct err *e)
{
    const struct tw_row *answers = c->pre.fn->reduce != NULL ? c->pre.fn->in : c->pre.fn->out;
    const struct tw_row *reads = c->function.fn->in;

    if (user_rows_equal(reads, answers)) return S_OK;
    if (reads != NULL && strcmp(reads->name, answers->name) == 0)
        err_hint(e, "the two descriptions of struct %s differ: write its TW_ROW once, in a header that both include", reads->name);
    return err_set(e, E_GRAPH, "window function '%s' reads rows of type %s, but '%s' answers %s", c->function.name,
                   reads != NULL ? reads->name : "(none)", c->pre.name, answers->name);
}

enum status window_user_derive(struct op_plan *p, const struct window_config *c, struct err *e)
{
    const struct tw_function *fn = c->function.fn;

    TRY(user_need_hook(&c->function, fn != NULL && (is_fold(fn) || fn->window != NULL), "add, .reduce or .window", e));
    if (c->pre.fn != NULL) {
        TRY(user_need_hook(&c->function, fn->window != NULL, "window", e));
        TRY(check_fold(p, &c->pre, e));
        TRY(check_bounds(p, c, &c->pre, e));
        TRY(check_handover(c, e));
    } else if (is_fold(fn)) {
        TRY(check_fold(p, &c->function, e));
        TRY(check_bounds(p, c, &c->function, e));
    } else {
        TRY(user_derive_in(p, 0, &c->function, true, e));
    }
    if (fn->reduce != NULL && c->pre.fn == NULL) {
        p->output_count = 1;
        TRY(user_row_type(p->arena, fn->in, &p->outputs[0], e));
        TRY(user_derive_sides(p, &c->function, e));
    } else {
        TRY(user_derive_out(p, &c->function, e));
    }
    if (p->output_count == OP_PORTS_MAX)
        return err_set(e, E_GRAPH, "function '%s' leaves no port for late rows", c->function.name);
    p->outputs[p->output_count] = p->inputs[0];
    p->port_names[p->output_count++] = "late";
    return S_OK;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */
/* The accumulator's type with the row count behind its fields. */
static const struct type *counted_type(struct arena *a, const struct type *acc)
{
    uint32_t n = acc->child_count;
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        names[i] = acc->names[i];
        types[i] = acc->children[i];
    }
    names[n] = "rows so far";
    types[n] = type_new(a, T_BIGINT, 0, 0, false);
    return type_row(a, n + 1, names, types, false);
}

/* Plain values go by their layout, nested ones by type. */
static bool holds_key(const struct cform *field, const struct type *key)
{
    if (cform_is_nested(field)) return type_equal_ignoring_null(field->type, key);
    return field->type->phys == key->phys;
}

static void name_field(struct window_user *u, const struct tw_field *f, uint32_t field, uint32_t key_col,
                       const struct cform *form)
{
    if (u->named_count == WINDOW_NAMED_MAX) return;
    u->named[u->named_count].offset = f->offset;
    u->named[u->named_count].field = field;
    u->named[u->named_count].key_col = key_col;
    u->named[u->named_count++].form = form;
}

/* Which fields of the result are window bounds or key columns by name and layout. */
static enum status find_named(struct window_user *u)
{
    const struct type *key = u->cx->key_type;
    const struct cform *form;
    uint32_t field = 0; /* without the mask */

    if (u->result_row == NULL) return S_OK;
    TRY(cform_of_row(u->cx->op->plan->arena, u->result_row, &form, u->cx->op->err));
    for (uint32_t i = 0; i < u->result_row->field_count; i++) {
        const struct tw_field *f = &u->result_row->fields[i];
        if (f->type[0] == '\0') {
            u->mask_offset = f->offset;
            continue;
        }
        if (strcmp(f->name, "window_start") == 0 && f->size == 8) name_field(u, f, field, NAMED_START, form->children[field].form);
        if (strcmp(f->name, "window_end") == 0 && f->size == 8) name_field(u, f, field, NAMED_END, form->children[field].form);
        int col = key != NULL ? type_field(key, str_of(f->name)) : -1;
        if (col >= 0 && holds_key(form->children[field].form, key->children[col]))
            name_field(u, f, field, (uint32_t)col, form->children[field].form);
        field++;
    }
    return S_OK;
}

static enum status fold_start(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                              const uint64_t *created, uint32_t n);
static enum status fold_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                            struct batch *in, const uint16_t *rows, uint32_t n);
static enum status fold_merge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                              struct state_table *from, int64_t from_ns, void *const *other, uint32_t n);
static enum status fold_result(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                               const struct batch *keys, uint32_t n, int64_t start, int64_t end, struct batch *out);

static enum status open_fold(struct window_user *u)
{
    struct arena *a = u->cx->op->plan->arena;
    const struct tw_row *acc = u->folds->reduce != NULL ? u->folds->in : u->folds->acc;

    TRY(user_value_of_row(a, acc, &u->acc, u->cx->op->err));
    u->result_row = u->folds->reduce != NULL ? u->folds->in : u->folds->out;
    u->rows_field = u->acc.type->child_count;
    u->acc_size = acc->size;
    u->is_plain = true;
    for (uint32_t i = 0; i < u->acc.type->child_count; i++) {
        enum phys phys = u->acc.type->children[i]->phys;
        u->is_plain &= phys != P_STR && phys != P_LIST && phys_width(phys) > 0;
    }
    u->fold = (struct window_fold){.acc = counted_type(a, u->acc.type),
                                   .upgrade = STATE_UPGRADE_FIELDS,
                                   .start = u->folds->create != NULL ? fold_start : NULL,
                                   .add = fold_add,
                                   .merge = fold_merge,
                                   .result = fold_result};
    u->a = mem_zalloc(u->cx->op->mem, acc->size);
    u->b = mem_zalloc(u->cx->op->mem, acc->size);
    u->out = mem_zalloc(u->cx->op->mem, MAX(acc->size, u->result_row->size));
    return S_OK;
}

enum status window_user_open(struct window_user *u, struct tw_context *cx, struct tw_context *fold_cx,
                             const struct window_config *c)
{
    const struct tw_function *fn = c->function.fn;

    u->cx = cx;
    u->fold_cx = fold_cx;
    arena_init(&u->bytes, cx->op->mem, 0);
    u->is_bounded = window_is_bounded(c);
    u->folds = c->pre.fn != NULL ? c->pre.fn : is_fold(fn) ? fn : NULL;
    u->apply = fn->window != NULL && (c->pre.fn != NULL || !is_fold(fn)) ? fn : NULL;
    if (u->folds != NULL) TRY(open_fold(u));
    window_ring_open(u, c);
    user_elements_init(&u->elements, cx, &u->fold_cx->in[0].row);
    return find_named(u);
}

void window_user_close(struct window_user *u)
{
    if (u->cx == NULL) return;
    user_elements_release(&u->elements);
    arena_release(&u->bytes);
    mem_free(u->cx->op->mem, u->a);
    mem_free(u->cx->op->mem, u->b);
    mem_free(u->cx->op->mem, u->out);
}

/* --- accumulators ------------------------------------------------------------------------------------------------- */
static int64_t *rows_so_far(const struct window_user *u, const struct state_table *t, void *acc)
{
    return state_word(acc, t->value.fields[u->rows_field].offset);
}

static void load(const struct window_user *u, struct state_table *t, int64_t ns, const void *acc, char *value)
{
    struct user_home home = {.table = t, .ns = ns};

    user_value_load(&u->acc, &t->value, &home, acc, value, &u->fold_cx->loaded);
}

static enum status store(struct window_user *u, struct state_table *t, int64_t ns, void *acc, const char *value)
{
    struct user_home home = {.table = t, .ns = ns};

    TRY(user_value_accept(u->fold_cx, &u->acc, value));
    user_value_store(&u->acc, &t->value, &home, acc, value, &u->bytes);
    if (u->bytes.used > 0) arena_reset(&u->bytes);
    return S_OK;
}

/* What reduce and its kin leave is read field by field, so every struct starts out cleared. */
static enum status reduce_into(struct window_user *u, const char *left, const char *right)
{
    memset(u->out, 0, u->folds->in->size);
    return user_check(u->fold_cx, u->folds->reduce(u->fold_cx, left, right, u->out));
}

static enum status start_one(struct window_user *u, struct state_table *t, int64_t ns, void *acc)
{
    if (u->folds->create == NULL) return S_OK;
    memset(u->a, 0, u->folds->acc->size);
    TRY(user_check(u->fold_cx, u->folds->create(u->fold_cx, u->a)));
    return store(u, t, ns, acc, u->a);
}

enum status window_user_add(struct window_user *u, struct state_table *t, int64_t ns, void *acc, const char *row)
{
    bool first = (*rows_so_far(u, t, acc))++ == 0;

    user_forget_loaded(u->fold_cx);
    if (u->folds->reduce == NULL) {
        load(u, t, ns, acc, u->a);
        TRY(user_check(u->fold_cx, u->folds->add(u->fold_cx, u->a, row)));
        return store(u, t, ns, acc, u->a);
    }
    if (first) return store(u, t, ns, acc, row);
    load(u, t, ns, acc, u->a);
    TRY(reduce_into(u, u->a, row));
    return store(u, t, ns, acc, u->out);
}

enum status window_user_merge(struct window_user *u, struct state_table *t, int64_t ns, void *acc,
                              struct state_table *from, int64_t from_ns, const void *other)
{
    int64_t more = *rows_so_far(u, from, (void *)(uintptr_t)other), *rows = rows_so_far(u, t, acc);

    if (more == 0) return S_OK;
    user_forget_loaded(u->fold_cx);
    load(u, from, from_ns, other, u->b);
    if (*rows == 0) {
        TRY(store(u, t, ns, acc, u->b));
    } else if (u->folds->reduce != NULL) {
        load(u, t, ns, acc, u->a);
        TRY(reduce_into(u, u->a, u->b));
        TRY(store(u, t, ns, acc, u->out));
    } else {
        if (u->folds->merge == NULL)
            return err_set(u->cx->op->err, E_GRAPH, "this window merges accumulators, but the function has no .merge");
        load(u, t, ns, acc, u->a);
        TRY(user_check(u->fold_cx, u->folds->merge(u->fold_cx, u->a, u->b)));
        TRY(store(u, t, ns, acc, u->a));
    }
    *rows += more;
    return S_OK;
}

/* --- results ------------------------------------------------------------------------------------------------------ */
static void put_null(struct window_user *u, uint32_t field)
{
    uint64_t mask;

    memcpy(&mask, u->out + u->mask_offset, sizeof mask);
    mask |= UINT64_C(1) << field;
    memcpy(u->out + u->mask_offset, &mask, sizeof mask);
}

static enum status fill_named(struct window_user *u, const struct batch *keys, uint32_t at, const struct tw_window *w)
{
    for (uint32_t i = 0; i < u->named_count; i++) {
        char *to = u->out + u->named[i].offset;
        uint32_t col = u->named[i].key_col;
        if (!u->is_bounded && (col == NAMED_START || col == NAMED_END))
            put_null(u, u->named[i].field);
        else if (col == NAMED_START)
            memcpy(to, &w->start, 8);
        else if (col == NAMED_END)
            memcpy(to, &w->end, 8);
        else
            TRY(cform_read(u->named[i].form, &keys->cols[col], at, to, &u->fold_cx->loaded));
    }
    return S_OK;
}

/* What the fold answers for the accumulator in u->a, as a struct. */
static enum status result_of(struct window_user *u, const struct batch *keys, uint32_t at, const struct tw_window *w,
                             const char **out)
{
    *out = u->a;
    if (u->folds->reduce != NULL) return S_OK;
    memset(u->out, 0, u->result_row->size);
    TRY(fill_named(u, keys, at, w));
    *out = u->out;
    return user_check(u->fold_cx, u->folds->result(u->fold_cx, u->a, u->out));
}

void window_user_stand_at(struct window_user *u, const struct batch *keys, uint32_t at, const struct tw_window *w)
{
    u->where_row = (uint16_t)at;
    u->where = (struct user_where){.keys = keys, .rows = &u->where_row, .windows = w, .is_one_window = true};
    u->cx->where = u->fold_cx->where = &u->where;
    u->cx->where_at = u->fold_cx->where_at = 0;
    u->cx->batch = u->fold_cx->batch = NULL;
    u->cx->row = u->fold_cx->row = NULL;
    u->cx->keys = u->fold_cx->keys = keys;
    u->cx->keys_at = u->fold_cx->keys_at = at;
    if (at == 0) u->cx->key.batch = u->fold_cx->key.batch = NULL; /* the batch may hold other keys than before */
}

static void stand_in(struct window_user *u, const struct batch *keys, uint32_t at, const struct tw_window *w)
{
    window_user_stand_at(u, keys, at, w);
    u->cx->time = u->fold_cx->time = w->end == INT64_MAX ? INT64_MAX : w->end - 1;
}

enum status window_user_apply(struct window_user *u, const struct batch *keys, uint32_t at, const struct tw_window *w)
{
    stand_in(u, keys, at, w);
    enum status st = user_check(u->cx, u->apply->window(u->cx, w, &u->elements));
    user_out_flush(u->cx, &u->cx->outs[0]); /* strings of this window's rows go with them */
    user_elements_end(&u->elements);
    return st;
}

/* The accumulator is in u->a. */
static enum status fire_value(struct window_user *u, const struct batch *keys, uint32_t at, const struct tw_window *w)
{
    const char *result;

    TRY(result_of(u, keys, at, w, &result));
    if (u->apply != NULL) {
        user_elements_one(&u->elements, result, u->cx->time);
        return window_user_apply(u, keys, at, w);
    }
    if (!user_out_check(u->cx, &u->cx->outs[0], result, 1)) return user_failed(u->cx, TW_FAILED);
    user_out_write(u->cx, &u->cx->outs[0], result, 1, &u->cx->time, NULL);
    return S_OK;
}

enum status window_user_fire(struct window_user *u, struct state_table *t, int64_t ns, const void *acc,
                             const struct batch *keys, uint32_t at, const struct tw_window *w)
{
    stand_in(u, keys, at, w);
    user_forget_loaded(u->fold_cx);
    load(u, t, ns, acc, u->a);
    return fire_value(u, keys, at, w);
}

enum status window_user_fire_value(struct window_user *u, const void *acc, const struct batch *keys, uint32_t at,
                                   const struct tw_window *w)
{
    stand_in(u, keys, at, w);
    user_forget_loaded(u->fold_cx);
    memcpy(u->a, acc, u->acc_size);
    return fire_value(u, keys, at, w);
}

/* The next row: a struct as it lies in state, or one that is read. */
static inline const void *row_next(struct window_user *u, struct window_rows *rows)
{
    if (!rows->are_structs) return tw_next(&u->elements);
    return rows->at < rows->total ? rows->structs[rows->at++] : NULL;
}

/* Rows into u->a, which is a plain struct: nothing in it must outlive its row. */
static enum status fold_plain(struct window_user *u, struct window_rows *rows)
{
    const void *row;
    bool first = true;

    memset(u->a, 0, u->acc_size);
    if (u->folds->create != NULL) TRY(user_check(u->fold_cx, u->folds->create(u->fold_cx, u->a)));
    for (; (row = row_next(u, rows)) != NULL; first = false) {
        if (u->folds->reduce == NULL) {
            TRY(user_check(u->fold_cx, u->folds->add(u->fold_cx, u->a, row)));
        } else if (first) {
            memcpy(u->a, row, u->acc_size);
        } else {
            TRY(reduce_into(u, u->a, row));
            memcpy(u->a, u->out, u->acc_size);
        }
    }
    return S_OK;
}

/* Strings of an accumulator are kept in state from one row to the next. */
static enum status fold_kept(struct window_user *u, struct state_table *scratch, const uint32_t *cols,
                             const struct batch *keys, uint32_t at)
{
    uint64_t hash;
    uint16_t row = (uint16_t)at;
    struct batch key = *keys;
    const void *element;

    key.sel = &row;
    key.sel_count = 1;
    state_def_hash(scratch->def, &key, cols, &hash);
    void *acc = state_get(scratch, 0, keys, cols, at, hash, STATE_INSERT, NULL);
    if (acc == NULL) return E_BUDGET;
    TRY(start_one(u, scratch, 0, acc));
    while ((element = tw_next(&u->elements)) != NULL) TRY(window_user_add(u, scratch, 0, acc, element));
    load(u, scratch, 0, acc, u->a);
    return S_OK;
}

enum status window_user_fire_rows(struct window_user *u, struct state_table *scratch, const uint32_t *cols,
                                  struct window_rows *rows, const struct batch *keys, uint32_t at,
                                  const struct tw_window *w)
{
    if (rows->total == 0 && u->folds->reduce != NULL) return S_OK;
    stand_in(u, keys, at, w);
    user_elements_rows(&u->elements, rows->total, window_rows_next, rows);
    TRY(u->is_plain ? fold_plain(u, rows) : fold_kept(u, scratch, cols, keys, at));
    rows->at = 0;
    user_elements_end(&u->elements);
    enum status st = fire_value(u, keys, at, w);
    if (u->is_plain) return st;
    state_drop(scratch, 0);
    state_done(scratch);
    return st;
}

/* The callback is for the i-th that the engine speaks of. */
static void stand_for(struct window_user *u, uint32_t i)
{
    u->fold_cx->where = &u->fold.where;
    u->fold_cx->where_at = i;
}

/* --- as a fold of the slice engine -------------------------------------------------------------------------------- */
static enum status fold_start(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                              const uint64_t *created, uint32_t n)
{
    struct window_user *u = (struct window_user *)f;

    f->where.is_row = false;
    for (uint32_t i = 0; i < n; i++) {
        if (!bit_get(created, i)) continue;
        stand_for(u, i);
        TRY(start_one(u, t, ns, acc[i]));
    }
    return S_OK;
}

/* Rows are read as structs 64 at a time: `rows` are numbers of batch rows, so they become the selection meanwhile. */
enum status window_user_each(struct window_user *u, struct state_table *t, int64_t ns, void *const *acc,
                             struct batch *in, const uint16_t *rows, uint32_t n,
                             enum status (*one)(struct window_user *u, struct state_table *t, int64_t ns, void *acc,
                                                const char *row))
{
    const uint16_t *sel = in->sel;
    uint32_t sel_count = in->sel_count, size = u->folds->in->size;
    enum status st = S_OK;

    in->sel = rows;
    in->sel_count = n;
    u->fold.where.is_row = true;
    u->fold_cx->batch = in; /* a firing in between stood in for the row */
    u->fold_cx->keys = NULL;
    u->fold_cx->key.batch = NULL; /* the same batch by another selection: keys read before are of other rows */
    for (uint32_t first = 0; first < n && st == S_OK; first += ROWCONV_ROWS) {
        uint32_t block = MIN(n - first, (uint32_t)ROWCONV_ROWS);
        st = user_read(u->fold_cx, 0, in, first, block);
        for (uint32_t i = 0; i < block && st == S_OK; i++) {
            const char *row = u->fold_cx->in[0].structs + (size_t)i * size;
            if (first + i + ROWS_AHEAD < n) __builtin_prefetch(acc[first + i + ROWS_AHEAD], 1);
            user_at(u->fold_cx, first + i, row);
            stand_for(u, first + i);
            st = one(u, t, ns, acc[first + i], row);
        }
    }
    in->sel = sel;
    in->sel_count = sel_count;
    return st;
}
static enum status fold_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                            struct batch *in, const uint16_t *rows, uint32_t n)
{
    return window_user_each((struct window_user *)f, t, ns, acc, in, rows, n, window_user_add);
}

static enum status fold_merge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                              struct state_table *from, int64_t from_ns, void *const *other, uint32_t n)
{
    struct window_user *u = (struct window_user *)f;

    f->where.is_row = false;
    for (uint32_t i = 0; i < n; i++) {
        stand_for(u, i);
        TRY(window_user_merge(u, t, ns, acc[i], from, from_ns, other[i]));
    }
    return S_OK;
}

static enum status fold_result(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                               const struct batch *keys, uint32_t n, int64_t start, int64_t end, struct batch *out)
{
    struct tw_window w = {start, end};

    (void)out; /* rows go through the context's staging, which keeps them when a window function emits many */
    for (uint32_t i = 0; i < n; i++) TRY(window_user_fire((struct window_user *)f, t, ns, acc[i], keys, i, &w));
    return S_OK;
}
