/* snapshot_convert.c - does what schema_evolve found: a batch of saved rows becomes one of the rows that a state has now.
 *
 * The idea: what stays is looked at where it lies, what becomes wider is the work of CAST, whose kernels are there, and what is new is
 * NULL or zero. A widening loses nothing, so no CAST fails but on bytes that no value of its type has.
 *
 * Invariants: a batch refers to texts of the one that it was made of. Not here: what may be done (snapshot_evolve.c). */
#include "columns/expr/expr.h"
#include "flow/state/snapshot_evolve.h"

struct evolution_run {
    struct mem *mem;
    struct arena arena;
    const struct schema_evolution *ev;
    struct expr_run **casts; /* [target.column_count]; NULL: none is needed */
    struct batch *batch;
};

static enum status casts_create(struct evolution_run *r, const struct state_schema *stored, struct err *e)
{
    const struct schema_evolution *ev = r->ev;
    struct expr_maker maker = {.a = &r->arena};
    struct expr *cast;

    for (uint32_t i = 0; i < ev->target.column_count; i++) {
        if (ev->sources[i].origin != COLUMN_WIDENED) continue;
        TRY(expr_cast(&maker, expr_column(&maker, stored->row, ev->sources[i].from), ev->target.columns[i].type, false, &cast, e));
        r->casts[i] = expr_run_create(cast, NULL, BATCH_ROWS, r->mem);
    }
    return S_OK;
}

enum status evolution_run_create(const struct state_schema *stored, const struct schema_evolution *ev, struct mem *mem,
                                 struct evolution_run **out, struct err *e)
{
    struct evolution_run *r = mem_zalloc(mem, sizeof *r);

    ASSERT(!ev->is_same);
    r->mem = mem;
    r->ev = ev;
    arena_init(&r->arena, mem, 0);
    r->casts = ARENA_ARRAY(&r->arena, struct expr_run *, ev->target.column_count + 1);
    enum status st = casts_create(r, stored, e);
    if (st == S_OK) {
        r->batch = batch_create(ev->target.row, BATCH_ROWS, mem);
        *out = r;
        return S_OK;
    }
    evolution_run_free(r);
    *out = NULL;
    return st;
}

void evolution_run_free(struct evolution_run *r)
{
    if (r == NULL) return;
    for (uint32_t i = 0; i < r->ev->target.column_count; i++) expr_run_free(r->casts[i]);
    batch_free(r->batch);
    arena_release(&r->arena);
    mem_free(r->mem, r);
}

/* The zero of its type: 0, FALSE, an empty text or list, a row of them. */
static void vector_zero(struct vector *v, uint32_t count)
{
    if (v->phys != P_ROW) {
        memset(v->data, 0, (size_t)count * phys_width((enum phys)v->phys));
        return;
    }
    for (uint32_t i = 0; i < v->child_count; i++) vector_zero(&v->children[i], count);
}

static void column_add(struct vector *v, uint32_t count)
{
    if (!v->type->nullable) {
        vector_zero(v, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) vector_set_null(v, i);
}

enum status evolution_run_batch(struct evolution_run *r, const struct batch *in, const struct batch **out, struct err *e)
{
    struct batch *b = r->batch;

    ASSERT(in->sel == NULL && in->count <= b->capacity);
    batch_clear(b);
    for (uint32_t i = 0; i < b->col_count; i++) {
        struct column_source s = r->ev->sources[i];
        const struct vector *from = s.origin == COLUMN_KEPT ? &in->cols[s.from] : NULL;
        if (s.origin == COLUMN_WIDENED) TRY(expr_eval(r->casts[i], in, 0, &from, e));
        if (from != NULL)
            vector_copy(&b->cols[i], 0, from, NULL, in->count, s.origin == COLUMN_KEPT ? NULL : &b->heap, b->mem);
        else
            column_add(&b->cols[i], in->count);
    }
    b->count = in->count;
    *out = b;
    return S_OK;
}
