/* lookup_finder.c - asking a connector for the rows of keys, batch by batch of what it finds.
 *
 * The join's keys become the connector's: some of them in its order, and constants. What it finds is tested: a NULL where the table
 * says NOT NULL fails the job; rows that differ in a key of the join which the connector was not given are not wanted. */
#include "flow/connector/lookup_finder.h"

#include <string.h>

struct lookup_finder {
    struct op_cx *op;
    const struct lookup_spec *spec;
    const struct lookup_type *type;
    struct lookup_cx cx;
    struct arena arena;
    void *self;
    bool is_open;
    uint64_t checked; /* bit k: key k of the join is compared here */
    struct batch *in; /* what was found */
    struct batch asked; /* a view: the keys as the connector has them */
    struct expr_run **asks, **columns, *condition;
    uint16_t of[BATCH_ROWS], rows[BATCH_ROWS];
};

/* --- life -------------------------------------------------------------------------------------------------------- */
static uint64_t checked_keys(const struct lookup_spec *s)
{
    uint64_t all = s->key_count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << s->key_count) - 1;

    for (uint32_t i = 0; i < s->ask_count; i++)
        if (s->asks[i]->kind == EXPR_COLUMN) all &= ~(UINT64_C(1) << s->asks[i]->col);
    return all;
}

static struct expr_run **evaluators(struct lookup_finder *f, struct expr *const *list, uint32_t count)
{
    struct expr_run **out = mem_zalloc(f->op->mem, sizeof *out * (count + 1));

    for (uint32_t i = 0; i < count; i++) out[i] = expr_run_create(list[i], f->spec->session, BATCH_ROWS, f->op->mem);
    return out;
}

static const struct type *asked_row(struct lookup_finder *f)
{
    const struct lookup_spec *s = f->spec;
    const struct type **types = ARENA_ARRAY(&f->arena, const struct type *, s->ask_count + 1);
    const char **names = ARENA_ARRAY(&f->arena, const char *, s->ask_count + 1);

    for (uint32_t i = 0; i < s->ask_count; i++) {
        types[i] = s->asks[i]->type;
        names[i] = s->asks[i]->kind == EXPR_COLUMN ? s->key_row->names[s->asks[i]->col] : arena_printf(&f->arena, "key%u", i + 1);
    }
    return type_row(&f->arena, s->ask_count, names, types, false);
}

/* What comes may be NULL where it must not: nulls_check says so. */
static const struct type *with_nulls(const struct type *row, struct arena *a)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, row->child_count + 1);

    for (uint32_t i = 0; i < row->child_count; i++) types[i] = type_with_null(a, row->children[i], true);
    return type_row(a, row->child_count, row->names, types, false);
}

enum status lookup_finder_create(struct op_cx *op, const struct lookup_spec *spec, struct lookup_finder **out)
{
    struct lookup_finder *f = mem_zalloc(op->mem, sizeof *f);

    *out = f;
    f->op = op;
    f->spec = spec;
    f->type = spec->conn->lookup;
    f->checked = checked_keys(spec);
    arena_init(&f->arena, op->mem, 0);
    f->self = mem_zalloc(op->mem, f->type->instance_size + 1);
    f->in = batch_create(with_nulls(spec->schema, &f->arena), BATCH_ROWS, op->mem);
    f->asked = (struct batch){.schema = asked_row(f), .col_count = spec->ask_count, .mem = op->mem};
    f->asked.cols = mem_zalloc(op->mem, sizeof *f->asked.cols * (spec->ask_count + 1));
    f->asks = evaluators(f, spec->asks, spec->ask_count);
    f->columns = evaluators(f, spec->columns, spec->row->child_count);
    if (spec->condition != NULL) f->condition = expr_run_create(spec->condition, spec->session, BATCH_ROWS, op->mem);
    f->cx = (struct lookup_cx){.a = &f->arena,
                               .session = spec->session,
                               .options = spec->options,
                               .defs = spec->conn->options,
                               .schema = spec->schema,
                               .keys = f->asked.schema,
                               .mem = op->mem,
                               .sys = op->sys,
                               .err = op->err};
    f->is_open = true;
    return f->type->open != NULL ? f->type->open(&f->cx, f->self) : S_OK;
}

void lookup_finder_free(struct lookup_finder *f)
{
    if (f == NULL) return;
    struct mem *mem = f->op->mem;
    if (f->is_open && f->type->close != NULL) f->type->close(&f->cx, f->self);
    for (uint32_t i = 0; i < f->spec->ask_count; i++) expr_run_free(f->asks[i]);
    for (uint32_t i = 0; i < f->spec->row->child_count; i++) expr_run_free(f->columns[i]);
    expr_run_free(f->condition);
    mem_free(mem, f->asks);
    mem_free(mem, f->columns);
    mem_free(mem, f->asked.cols);
    batch_free(f->in);
    mem_free(mem, f->self);
    arena_release(&f->arena);
    mem_free(mem, f);
}

/* --- what was found ---------------------------------------------------------------------------------------------- */
static enum status nulls_check(struct lookup_finder *f)
{
    for (uint32_t c = 0; c < f->in->col_count; c++) {
        if (f->spec->schema->children[c]->nullable || f->in->cols[c].validity == NULL) continue;
        for (uint32_t i = 0; i < f->in->count; i++)
            if (vector_is_null(&f->in->cols[c], i))
                return err_set(f->op->err, E_DATA, "connector '%s' found a row whose column '%s' is NULL, and the table declares it NOT NULL",
                               f->spec->conn->name, f->spec->schema->names[c]);
    }
    return S_OK;
}

static bool has_key(const struct lookup_finder *f, const struct batch *keys, const struct vector *const *values, uint16_t row)
{
    uint32_t key = batch_row(keys, f->of[row]);

    for (uint32_t k = 0; k < f->spec->key_count; k++) {
        if (!((f->checked >> k) & 1)) continue;
        const struct vector *found = values[f->spec->keys[k]], *wanted = &keys->cols[k];
        bool nulls = vector_is_null(found, row) || vector_is_null(wanted, key);
        if (nulls && !((f->spec->null_safe >> k) & 1)) return false;
        if (vector_compare(found, row, wanted, key) != 0) return false;
    }
    return true;
}

static enum status found_take(struct lookup_finder *f, const struct batch *keys, lookup_taker take, void *arg)
{
    const struct vector *values[TYPE_FIELDS_MAX];
    int64_t now = sys_wall_ms(f->op->sys);
    uint32_t n = f->in->count, left = 0;
    uint16_t of[BATCH_ROWS];

    if (n == 0) return S_OK;
    TRY(nulls_check(f));
    for (uint32_t i = 0; i < n; i++) f->rows[i] = (uint16_t)i;
    if (f->condition != NULL) TRY(expr_select(f->condition, f->in, now, f->rows, &n, f->op->err));
    f->in->sel = f->rows;
    f->in->sel_count = n;
    for (uint32_t c = 0; n > 0 && c < f->spec->row->child_count; c++)
        TRY(expr_eval(f->columns[c], f->in, now, &values[c], f->op->err));
    for (uint32_t i = 0; i < n; i++) {
        if (f->checked != 0 && !has_key(f, keys, values, f->rows[i])) continue;
        of[left] = f->of[f->rows[i]];
        f->rows[left++] = f->rows[i];
    }
    if (left > 0) take(arg, values, f->rows, of, left);
    return S_OK;
}

/* --- asking ------------------------------------------------------------------------------------------------------ */
static enum status asked_make(struct lookup_finder *f, const struct batch *keys)
{
    int64_t now = sys_wall_ms(f->op->sys);
    const struct vector *v;

    for (uint32_t i = 0; i < f->spec->ask_count; i++) {
        TRY(expr_eval(f->asks[i], keys, now, &v, f->op->err));
        f->asked.cols[i] = *v;
    }
    f->asked.count = f->asked.capacity = keys->count;
    f->asked.sel = keys->sel;
    f->asked.sel_count = keys->sel_count;
    return S_OK;
}

enum status lookup_finder_find(struct lookup_finder *f, const struct batch *keys, lookup_taker take, lookup_seer see, void *arg)
{
    enum status st;

    if (batch_rows(keys) == 0) return S_OK;
    TRY(asked_make(f, keys));
    f->cx.is_first = true;
    do {
        batch_clear(f->in);
        st = f->type->find(&f->cx, f->self, &f->asked, f->in, f->of);
        f->cx.is_first = false;
        if (st != S_OK && st != S_MORE) return st;
        if (f->in->count > 0) see(arg, f->of, f->in->count);
        TRY(found_take(f, keys, take, arg));
    } while (st == S_MORE);
    return S_OK;
}
