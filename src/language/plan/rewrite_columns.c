/* rewrite_columns.c - columns that nobody reads are left out, from the sinks down: see rewrite.h. A node's `narrow` says which columns
 * of its inputs it needs for those that are asked of it, and makes itself anew over narrower inputs. Inputs that cannot do without
 * some (a WatermarkAssigner needs its time) get a Calc that drops them. */
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

#include "ground/base/str.h"

static size_t words(const struct type *row) { return row->child_count / 64 + 1; }

uint64_t *narrow_none(struct narrowing *n, const struct type *row)
{
    return ARENA_ARRAY(n->a, uint64_t, words(row));
}

bool narrow_is_all(const struct type *row, const uint64_t *columns)
{
    for (uint32_t i = 0; i < row->child_count; i++)
        if (!bit_get(columns, i)) return false;
    return true;
}

static uint64_t *all_of(struct narrowing *n, const struct type *row)
{
    uint64_t *out = narrow_none(n, row);

    for (uint32_t i = 0; i < row->child_count; i++) bit_set(out, i);
    return out;
}

struct expr *narrow_expr(struct narrowing *n, const struct expr *x, const struct type *now, const uint32_t *at)
{
    struct expr_maker m = {.a = n->a};
    uint64_t read[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    uint32_t last = 0;

    if (x == NULL) return NULL;
    expr_columns(x, read);
    for (uint32_t i = 0; i < TYPE_FIELDS_MAX; i++)
        if (bit_get(read, i)) last = i;
    struct expr **columns = ARENA_ARRAY(n->a, struct expr *, last + 1);
    for (uint32_t i = 0; i <= last; i++)
        if (bit_get(read, i)) columns[i] = expr_column(&m, now, at[i]);
    return expr_substitute(n->a, x, columns);
}

/* --- nodes ------------------------------------------------------------------------------------------------------- */
/* Nodes that keep all their columns need all of their inputs'. */
static struct rel *keep_all(struct narrowing *n, struct rel *r, uint32_t *at)
{
    struct rel **inputs = ARENA_ARRAY(n->a, struct rel *, r->input_count + 1);
    bool changed = false;

    for (uint32_t i = 0; i < r->row->child_count; i++) at[i] = i;
    for (uint32_t i = 0; i < r->input_count; i++) {
        uint32_t *same;
        inputs[i] = narrow_input(n, r->inputs[i], all_of(n, r->inputs[i]->row), &same);
        changed |= inputs[i] != r->inputs[i];
    }
    return changed ? rel_over_inputs(n->a, r, inputs, r->at_end) : r;
}

struct rel *narrow_rel(struct narrowing *n, struct rel *r, const uint64_t *needed, uint32_t *at)
{
    return rel_say_as(r->type->narrow != NULL ? r->type->narrow(n, r, needed, at) : keep_all(n, r, at), r);
}

/* The columns of r that the bits name, by a Calc: at[c] is where column c is in r, and then where it is in the result. */
static struct rel *picked(struct narrowing *n, struct rel *r, uint32_t count, const uint64_t *needed, uint32_t *at)
{
    struct expr_maker m = {.a = n->a};
    struct expr **columns = ARENA_ARRAY(n->a, struct expr *, count + 1);
    const char **names = ARENA_ARRAY(n->a, const char *, count + 1);
    struct calc_body body = {.columns = columns};

    for (uint32_t i = 0; i < count; i++) {
        if (!bit_get(needed, i)) continue;
        columns[body.count] = expr_column(&m, r->row, at[i]);
        names[body.count] = r->row->names[at[i]];
        at[i] = body.count++;
    }
    return body.count == r->row->child_count ? r : rel_calc(n->a, r, &body, names);
}

struct rel *narrow_input(struct narrowing *n, struct rel *input, uint64_t *needed, uint32_t **at)
{
    uint32_t count = input->row->child_count, asked = 0;

    for (uint32_t i = 0; i < count; i++) asked += bit_get(needed, i);
    if (asked == 0 && count > 0) bit_set(needed, 0);
    *at = ARENA_ARRAY(n->a, uint32_t, count + 1);
    return picked(n, narrow_rel(n, input, needed, *at), count, needed, *at);
}

struct rel *narrow_below(struct narrowing *n, struct rel *input, uint64_t *needed, uint32_t **at)
{
    uint32_t count = input->row->child_count;

    *at = ARENA_ARRAY(n->a, uint32_t, count + 1);
    struct rel *out = narrow_rel(n, input, needed, *at);
    if (out->type != &rel_scan_type && out->row->child_count < count) return picked(n, out, count, needed, *at);
    for (uint32_t i = 0; i < count; i++) { /* of a scan, others may have asked for more; its names are there once */
        int now = out->type == &rel_scan_type ? type_field(out->row, str_of(input->row->names[i])) : (int)i;
        if (now < 0) continue;
        (*at)[i] = (uint32_t)now;
        bit_set(needed, i);
    }
    return out;
}

struct rel *rewrite_columns(struct arena *a, struct rel *r, struct reading *all)
{
    struct narrowing n = {.a = a, .reading = all};
    uint32_t *at;

    return narrow_input(&n, r, all_of(&n, r->row), &at);
}
