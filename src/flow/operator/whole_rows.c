/* whole_rows.c - see whole_rows.h. */
#include "flow/operator/whole_rows.h"

static const struct type *values_row(struct arena *a, const char *const *names, uint32_t count)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, count);

    for (uint32_t i = 0; i < count; i++) types[i] = type_new(a, T_BIGINT, 0, 0, false);
    return type_row(a, count, names, types, false);
}

const struct type *whole_rows_type(const struct op_plan *p)
{
    const struct type *first = p->inputs[0];
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, first->child_count + 1);

    for (uint32_t c = 0; c < first->child_count; c++) {
        bool nullable = false;
        for (uint32_t i = 0; i < p->input_count; i++) nullable |= p->inputs[i]->children[c]->nullable;
        types[c] = type_with_null(p->arena, first->children[c], nullable);
    }
    return type_row(p->arena, first->child_count, first->names, types, false);
}

static const struct type *key_row(struct whole_rows *w, const struct op_plan *p)
{
    const struct type *in = whole_rows_type(p);
    uint32_t n = 0;

    w->key_count = p->key_count[0];
    w->cols = ARENA_ARRAY(p->arena, uint32_t, in->child_count + 1);
    for (; n < w->key_count; n++) w->cols[n] = p->keys[0][n];
    for (uint32_t i = 0, k; i < in->child_count; i++) {
        for (k = 0; k < w->key_count && p->keys[0][k] != i;) k++;
        if (k == w->key_count) w->cols[n++] = i;
    }
    w->col_count = n;
    return type_row_of(p->arena, in, w->cols, n);
}

enum status whole_rows_open(struct whole_rows *w, struct op_cx *cx, const char *name, const char *const *values, uint32_t count,
                            int64_t ttl_ms)
{
    w->key = key_row(w, cx->plan);
    w->def = (struct state_def){.name = name,
                                .version = 1,
                                .shape = STATE_MAP,
                                .key = w->key,
                                .is_within = w->key_count > 0 && w->key_count < w->col_count,
                                .group_cols = w->key_count,
                                .value = values_row(cx->plan->arena, values, count),
                                .ttl = state_ttl_of(ttl_ms)};
    return state_open(cx->state, &w->def, &w->table, cx->err);
}

static enum status resolve(struct whole_rows *w, const struct batch *in, enum state_intent intent, uint64_t *hashes)
{
    state_def_hash(&w->def, in, w->cols, hashes); /* without a key there are no key groups */
    struct state_keys keys = state_keys_of(in, w->cols, w->col_count, hashes);
    TRY(state_resolve(w->table, 0, &keys, intent, w->rows, NULL));
    w->is_resolved = true;
    return S_OK;
}

enum status whole_rows_resolve(struct whole_rows *w, const struct batch *in)
{
    uint64_t hashes[BATCH_ROWS];

    return w->is_resolved ? S_OK : resolve(w, in, STATE_INSERT, hashes);
}

enum status whole_rows_find(struct whole_rows *w, const struct batch *in, uint64_t *hashes)
{
    return w->is_resolved ? S_OK : resolve(w, in, STATE_UPDATE, hashes);
}

void whole_rows_done(struct whole_rows *w)
{
    state_done(w->table);
    w->is_resolved = false;
}

void whole_rows_close(struct whole_rows *w) { state_close(w->table); }
