/* join_pairs.c - what SQL's joins have in common, see join_pairs.h: reading their configuration at graph time, testing a condition
 * on pairs, and filling the columns of a list of pairs at once. */
#include "flow/operator/join_pairs.h"

#include "flow/operator/computed.h"
#include "ground/base/str.h"

#include <string.h>

static const struct join_kind kinds[] = {
    {"inner", true, {false, false}, false}, {"left", true, {true, false}, false}, {"right", true, {false, true}, false},
    {"full", true, {true, true}, false},    {"semi", false, {true, false}, true}, {"anti", false, {true, false}, false},
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status kind_read(const char *name, const struct join_kind **out, struct err *e)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kinds[i].name, name) != 0) continue;
        *out = &kinds[i];
        return S_OK;
    }
    return err_set(e, E_CONFIG, "unknown kind of join '%s'", name);
}

/* Columns of both sides; with NULLs where a side may have no row. */
static const struct type *both_sides(const struct op_plan *p, const struct join_spec *spec, const bool nullable[2])
{
    uint32_t left = p->inputs[0]->child_count, n = left + p->inputs[1]->child_count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        const struct type *t = i < left ? p->inputs[0]->children[i] : p->inputs[1]->children[i - left];
        if (t->time_kind != TIME_NONE && !spec->keeps_times) t = type_with_time(p->arena, t, TIME_NONE);
        types[i] = nullable[i >= left] ? type_with_null(p->arena, t, true) : t;
    }
    return type_row(p->arena, n, spec->names.items, types, false);
}

enum status join_plan_read(const struct op_plan *p, const struct join_spec *spec, struct join_plan *out, struct err *e)
{
    static const bool neither[2];
    struct expr_maker m = {.a = p->arena, .session = &out->session};
    const uint8_t *at = (const uint8_t *)spec->condition.data;

    *out = (struct join_plan){.session = {.zone = str_of(spec->zone), .users = p->users}, .left = p->inputs[0]->child_count};
    TRY(kind_read(spec->kind, &out->kind, e));
    if (spec->names.count != out->left + p->inputs[1]->child_count)
        return err_set(e, E_CONFIG, "a join names each column of both sides");
    if (p->key_count[0] != p->key_count[1])
        return err_set(e, E_GRAPH, "the sides of a join have keys of different length");
    out->both = both_sides(p, spec, neither);
    if (spec->condition.size == 0) return S_OK;
    TRY(expr_decode(&m, out->both, &at, at + spec->condition.size, &out->condition, e));
    return out->condition->type->kind == T_BOOLEAN ? S_OK : err_set(e, E_GRAPH, "the condition is not BOOLEAN");
}

static enum status keys_check(const struct op_plan *p, struct err *e)
{
    for (uint32_t i = 0; i < p->key_count[0]; i++) {
        const struct type *l = p->inputs[0]->children[p->keys[0][i]], *r = p->inputs[1]->children[p->keys[1][i]];
        if (type_is_string(l) && type_is_string(r)) continue;
        if (!type_equal_ignoring_null(l, r)) return err_set(e, E_GRAPH, "key %u of a join has two types", i + 1);
    }
    return S_OK;
}

enum status join_plan_derive(struct op_plan *p, const struct join_spec *spec, struct join_plan *out, struct err *e)
{
    if (p->inputs[0]->child_count + p->inputs[1]->child_count > TYPE_FIELDS_MAX)
        return err_set(e, E_GRAPH, "a join has at most %d columns of both sides", TYPE_FIELDS_MAX);
    TRY(join_plan_read(p, spec, out, e));
    TRY(keys_check(p, e));
    bool nullable[2] = {out->kind->pairs && out->kind->alone[1], out->kind->pairs && out->kind->alone[0]};
    const struct type *row = both_sides(p, spec, nullable);
    p->outputs[0] = out->kind->pairs ? row : type_row(p->arena, out->left, row->names, row->children, false);
    p->output_count = 1;
    return S_OK;
}

void join_columns_read(const struct join_plan *plan, uint32_t side, uint32_t count, const uint64_t *outputs,
                       uint64_t *bits)
{
    uint64_t condition[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    uint32_t first = side == 0 ? 0 : plan->left;

    ASSERT(plan->both->child_count <= TYPE_FIELDS_MAX);
    if (plan->condition != NULL) expr_columns(plan->condition, condition);
    for (uint32_t i = 0; i < count; i++) {
        bool is_out = (plan->kind->pairs || side == 0) && (outputs == NULL || bit_get(outputs, first + i));
        if (is_out || bit_get(condition, first + i)) bit_set(bits, i);
    }
}

const struct type *join_columns_kept(struct arena *a, const struct type *in, const uint64_t *bits, uint32_t **cols,
                                     int **fields)
{
    uint32_t count = 0;

    *cols = ARENA_ARRAY(a, uint32_t, in->child_count + 1);
    *fields = ARENA_ARRAY(a, int, in->child_count + 1);
    for (uint32_t i = 0; i < in->child_count; i++) {
        (*fields)[i] = bit_get(bits, i) ? (int)count : -1;
        if ((*fields)[i] >= 0) (*cols)[count++] = i;
    }
    return type_row_of(a, in, *cols, count);
}

const struct type *join_key_row(const struct op_plan *p, uint32_t input)
{
    const struct type *in = p->inputs[input];
    uint32_t n = p->key_count[input];
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 1);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        types[i] = type_with_null(p->arena, in->children[p->keys[input][i]], true);
        names[i] = in->names[p->keys[input][i]];
    }
    return type_row(p->arena, n, names, types, false);
}

/* --- at run time ------------------------------------------------------------------------------------------------- */
void join_no_keys(const struct op_plan *p, const struct text_list *null_safe, uint32_t input, const struct batch *in,
                  uint64_t *bits)
{
    memset(bits, 0, sizeof *bits * (BATCH_ROWS / 64));
    for (uint32_t k = 0; k < p->key_count[input]; k++) {
        const struct vector *v = &in->cols[p->keys[input][k]];
        if (vector_values(v)->validity == NULL) continue;
        if (k < null_safe->count && strcmp(null_safe->items[k], "true") == 0) continue;
        BATCH_EACH(in, i, row) if (vector_is_null(v, row)) bit_set(bits, i);
    }
}

void join_pairs_open(struct op_cx *cx, struct join_pairs *p, const struct join_plan *plan)
{
    uint32_t count = plan->both->child_count;
    uint64_t *read = ARENA_ARRAY(cx->plan->arena, uint64_t, count / 64 + 1);

    p->left = plan->left;
    p->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL,
                                 MAX(cx->batch_rows, 2u), cx->mem);
    if (plan->condition == NULL) return;
    memset(read, 0, sizeof *read * (count / 64 + 1));
    expr_columns(plan->condition, read);
    p->condition = computed_evaluator(cx, &plan->session, plan->condition);
    p->tested = batch_create_needed(plan->both, read, BATCH_ROWS, cx->mem);
}

void join_pairs_close(struct join_pairs *p)
{
    expr_run_free(p->condition);
    batch_free(p->tested);
    batch_free(p->out);
}

/* A column of the other side: of its rows, or where both sides have the same value, of the batch. */
static void theirs_fill(const struct join_kept *other, uint32_t col, const struct batch *in, const uint16_t *ours, void *const *theirs,
                        uint32_t n, struct vector *v, struct batch *out)
{
    uint32_t twin = other->twins != NULL ? other->twins[col] : JOIN_NO_TWIN;

    if (twin == JOIN_NO_TWIN) {
        state_rows_load(other->table, (const void *const *)theirs, n, (uint32_t)other->fields[col], v, 0, &out->heap, out->mem);
        return;
    }
    vector_copy(v, 0, &in->cols[twin], ours, n, NULL, out->mem);
    for (uint32_t i = 0; i < n; i++)
        if (theirs[i] == NULL) vector_set_null(v, i);
}

/* Columns of the batch beside those of state: rows ours[i] (theirs[i]) make row i of `out`, whose columns are those of both sides. */
static void sides_fill(const struct join_pairs *p, uint32_t input, const struct batch *in, const uint16_t *ours,
                       void *const *theirs, uint32_t n, struct batch *out)
{
    struct text_heap *heap = p->borrows || out == p->tested ? NULL : &out->heap;

    for (uint32_t c = 0; c < out->col_count; c++) {
        struct vector *v = &out->cols[c];
        uint32_t side = c >= p->left, col = side == 0 ? c : c - p->left;
        if (v->form == VEC_ABSENT) continue;
        if (side != input) theirs_fill(&p->kept[side], col, in, ours, theirs, n, v, out);
        else if (in != NULL) vector_copy(v, 0, &in->cols[col], ours, n, heap, out->mem);
    }
    out->count = n;
}

enum status join_pairs_filter(struct op_cx *cx, struct join_pairs *p, uint32_t input, const struct batch *in,
                              struct state_hits *h)
{
    uint16_t numbers[BATCH_ROWS], taken[BATCH_ROWS];
    uint32_t n = h->count;

    if (p->condition == NULL || n == 0) return S_OK;
    for (uint32_t i = 0; i < n; i++) numbers[i] = (uint16_t)batch_row(in, h->key[i]);
    batch_clear(p->tested);
    sides_fill(p, input, in, numbers, h->row, n, p->tested);
    TRY(expr_select(p->condition, p->tested, sys_wall_ms(cx->sys), taken, &n, cx->err));
    for (uint32_t i = 0; i < n; i++) {
        h->key[i] = h->key[taken[i]];
        h->row[i] = h->row[taken[i]];
    }
    h->count = n;
    return S_OK;
}

void join_pairs_begin(struct join_pairs *p)
{
    batch_clear(p->out);
    batch_use_kinds(p->out);
    p->has_lone = false;
}

void join_pairs_forward(struct op_cx *cx, struct join_pairs *p, uint32_t input, const struct batch *in)
{
    uint32_t n = p->out->count;

    if (n == 0) return;
    sides_fill(p, input, in, p->ours, p->theirs, n, p->out);
    for (uint32_t c = 0; p->has_lone && c < p->out->col_count; c++) {
        struct vector *v = &p->out->cols[c];
        if (v->form == VEC_ABSENT || (c >= p->left) != input) continue;
        for (uint32_t i = 0; i < n; i++)
            if (bit_get(p->without_ours, i)) vector_set_null(v, i);
    }
    op_forward(cx, 0, p->out);
}
