/* narrow_rows.c - which columns nodes need that work row by row: Calc, WatermarkAssigner, Union, Correlate, windows of rows. See
 * rewrite.h. All of them keep the order of their columns, so that what is asked for whole stays as it is. */
#include "language/plan/narrow_rel.h"
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

#include "ground/base/str.h"

#include <string.h>

/* --- Calc -------------------------------------------------------------------------------------------------------- */
/* Every column of the input under its own name, and no condition. */
static bool is_nothing(const struct rel *input, const struct calc_body *c, const char *const *names)
{
    bool same = c->condition == NULL && c->count == input->row->child_count;

    for (uint32_t i = 0; same && i < c->count; i++)
        same = c->columns[i]->kind == EXPR_COLUMN && c->columns[i]->col == i && str_equal(str_of(names[i]), str_of(input->row->names[i])) &&
               type_equal(c->columns[i]->type, input->row->children[i]);
    return same;
}

static bool any_of(const uint64_t *bits, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (bit_get(bits, i)) return true;
    return false;
}

/* Columns that are kept, as expressions over the input as it was. */
static void calc_keep(struct narrowing *n, const struct rel *r, const uint64_t *needed, struct calc_body *out, const char **names,
                      uint32_t *at)
{
    struct expr_maker m = {.a = n->a};
    const struct calc_body *b = r->body;
    uint32_t count = r->row->child_count;
    struct expr **columns = ARENA_ARRAY(n->a, struct expr *, count + 1);
    bool any = any_of(needed, count);

    *out = *b;
    out->columns = columns;
    out->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!bit_get(needed, i) && (any || i > 0)) continue; /* one column stays: no row is without any */
        at[i] = out->count;
        names[out->count] = r->row->names[i];
        columns[out->count++] = b->count > 0 ? b->columns[i] : expr_column(&m, r->inputs[0]->row, i);
    }
}

struct rel *calc_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    uint64_t *read = narrow_none(n, r->inputs[0]->row);
    const char **names = ARENA_ARRAY(n->a, const char *, r->row->child_count + 1);
    struct calc_body body;
    uint32_t *now;

    calc_keep(n, r, needed, &body, names, at);
    if (body.condition != NULL) expr_columns(body.condition, read);
    for (uint32_t i = 0; i < body.count; i++) expr_columns(body.columns[i], read);
    struct rel *input = narrow_input(n, r->inputs[0], read, &now);
    if (input == r->inputs[0] && body.count == r->row->child_count) return (struct rel *)r;
    struct expr **columns = ARENA_ARRAY(n->a, struct expr *, body.count + 1);
    for (uint32_t i = 0; i < body.count; i++) columns[i] = narrow_expr(n, body.columns[i], input->row, now);
    body.columns = columns;
    body.condition = narrow_expr(n, body.condition, input->row, now);
    return is_nothing(input, &body, names) ? input : rel_calc(n->a, input, &body, names);
}

/* --- others ------------------------------------------------------------------------------------------------------ */
/* The types and names of the columns that the bits name. */
const struct type *narrow_row(struct narrowing *n, const struct type *row, const uint64_t *needed, uint32_t *at)
{
    const struct type **types = ARENA_ARRAY(n->a, const struct type *, row->child_count + 1);
    const char **names = ARENA_ARRAY(n->a, const char *, row->child_count + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < row->child_count; i++) {
        if (!bit_get(needed, i)) continue;
        at[i] = count;
        types[count] = row->children[i];
        names[count++] = row->names[i];
    }
    return type_row(n->a, count, names, types, false);
}

struct rel *watermark_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct watermark_body body = *(const struct watermark_body *)r->body;
    uint64_t *kept = narrow_none(n, r->row);
    uint32_t *now;

    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(needed, i)) bit_set(kept, i);
    bit_set(kept, body.rowtime);
    expr_columns(body.watermark, kept);
    struct rel *input = narrow_below(n, r->inputs[0], kept, &now); /* what assigns stands behind the table, whose options say how */
    const struct type *row = narrow_row(n, r->row, kept, at);
    if (input == r->inputs[0] && row->child_count == r->row->child_count) return (struct rel *)r;
    body.rowtime = at[body.rowtime];
    body.watermark = narrow_expr(n, body.watermark, input->row, now);
    return rel_watermark(n->a, input, row, &body);
}

struct rel *union_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct rel **inputs = ARENA_ARRAY(n->a, struct rel *, r->input_count + 1);
    uint64_t *kept = narrow_none(n, r->row);
    bool changed = false;
    uint32_t *now;

    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(needed, i)) bit_set(kept, i);
    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = narrow_input(n, r->inputs[i], kept, &now);
        changed |= inputs[i] != r->inputs[i];
    }
    const struct type *row = narrow_row(n, r->row, kept, at);
    return changed ? rel_union(n->a, row, inputs, r->input_count) : (struct rel *)r;
}

/* The columns of the input that are kept, and all that the node adds behind them. */
static uint32_t behind(const struct rel *r, const struct rel *input, const uint32_t *now, const uint64_t *kept, uint32_t *at)
{
    uint32_t before = r->inputs[0]->row->child_count, count = input->row->child_count;

    for (uint32_t i = 0; i < before; i++)
        if (bit_get(kept, i)) at[i] = now[i];
    for (uint32_t i = before; i < r->row->child_count; i++) at[i] = count + i - before;
    return count;
}

/* What is asked for of the columns that come from the input. */
static uint64_t *kept_of_input(struct narrowing *n, const struct rel *r, const uint64_t *needed)
{
    uint64_t *kept = narrow_none(n, r->inputs[0]->row);

    for (uint32_t i = 0; i < r->inputs[0]->row->child_count; i++)
        if (bit_get(needed, i)) bit_set(kept, i);
    return kept;
}

struct rel *correlate_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct correlate_body body = *(const struct correlate_body *)r->body;
    uint64_t *kept = kept_of_input(n, r, needed), *read = narrow_none(n, r->row);
    const char **names = ARENA_ARRAY(n->a, const char *, r->row->child_count + 1);
    uint32_t *now;

    expr_columns(body.list, kept);
    if (body.condition != NULL) expr_columns(body.condition, read);
    for (uint32_t i = 0; i < r->inputs[0]->row->child_count; i++)
        if (bit_get(read, i)) bit_set(kept, i);
    struct rel *input = narrow_input(n, r->inputs[0], kept, &now);
    behind(r, input, now, kept, at);
    if (input == r->inputs[0]) return (struct rel *)r;
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (i >= r->inputs[0]->row->child_count || bit_get(kept, i)) names[at[i]] = body.names[i];
    body.names = names;
    body.list = narrow_expr(n, body.list, input->row, now);
    if (body.condition != NULL) body.condition = narrow_expr(n, body.condition, rel_correlate_row(n->a, input->row, &body), at);
    return rel_correlate(n->a, input, &body);
}

struct rel *window_tvf_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct window_tvf_body body = *(const struct window_tvf_body *)r->body;
    uint64_t *kept = kept_of_input(n, r, needed);
    int *partition = ARENA_ARRAY(n->a, int, body.window.partition_count + 1);
    uint32_t *now;

    bit_set(kept, body.rowtime);
    for (uint32_t i = 0; i < body.window.partition_count; i++) bit_set(kept, (uint32_t)body.window.partition[i]);
    struct rel *input = narrow_input(n, r->inputs[0], kept, &now);
    behind(r, input, now, kept, at);
    if (input == r->inputs[0]) return (struct rel *)r;
    for (uint32_t i = 0; i < body.window.partition_count; i++) partition[i] = (int)now[body.window.partition[i]];
    body.rowtime = now[body.rowtime];
    body.window.partition = partition;
    return rel_window_tvf(n->a, input, &body);
}

/* --- what passes ------------------------------------------------------------------------------------------------- */
int union_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    (void)r;
    (void)input;
    return (int)col;
}

int correlate_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    (void)input;
    return col < r->inputs[0]->row->child_count ? (int)col : -1;
}

/* Sessions grow by all rows of their partition. */
int window_tvf_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    const struct window_tvf_body *b = r->body;

    (void)input;
    if (b->window.kind != WINDOW_SESSION) return correlate_passes(r, 0, col);
    for (uint32_t i = 0; i < b->window.partition_count; i++)
        if (b->window.partition[i] == (int)col) return (int)col;
    return -1;
}
