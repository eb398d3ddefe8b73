/* source_filter.c - see the header. Conditions do not depend on when they are looked at, so there is no clock. */
#include "flow/source/source_filter.h"

#include "columns/expr/expr.h"
#include "ground/base/str.h"

static uint64_t *columns_of(struct arena *a, const struct expr *x, const struct type *schema)
{
    size_t words = schema->child_count / 64 + 1;
    uint64_t *bits = arena_zalloc(a, sizeof *bits * words);

    expr_columns(x, bits);
    return bits;
}

enum status source_filter_open(struct source_filter *f, const struct source_cx *cx, struct err *e)
{
    const uint8_t *at = (const uint8_t *)cx->filter.data;
    struct fn_session session = {.zone = cx->zone.size > 0 ? cx->zone : STR("UTC")};
    struct expr *x;

    if (cx->filter.size == 0) return S_OK;
    arena_init(&f->arena, cx->mem, 0);
    const struct expr_maker m = {.a = &f->arena, .session = &session};
    enum status st = expr_decode(&m, cx->schema, &at, at + cx->filter.size, &x, e);
    if (st != S_OK) {
        arena_release(&f->arena);
        return st;
    }
    f->row = batch_create_needed(cx->schema, columns_of(&f->arena, x, cx->schema), 1, cx->mem);
    f->run = expr_run_create(x, &session, 1, cx->mem);
    return S_OK;
}

struct batch *source_filter_row(struct source_filter *f)
{
    ASSERT(f->run != NULL);
    batch_clear(f->row);
    f->row->count = 1;
    return f->row;
}

bool source_filter_passes(struct source_filter *f)
{
    const struct vector *v;
    struct err failed = {0};

    if (f->run == NULL || expr_eval(f->run, f->row, 0, &v, &failed) != S_OK) return true;
    return !vector_is_null(v, 0) && VECTOR_VALUES(vector_values(v), bool)[vector_at(v, 0)];
}

void source_filter_close(struct source_filter *f)
{
    if (f->run == NULL) return;
    expr_run_free(f->run);
    batch_free(f->row);
    arena_release(&f->arena);
    f->run = NULL;
}
