/* narrow_joins.c - joins in rewrites: which columns they need, which conditions pass to a side, and when an outer join is an inner one.
 * See rewrite.h.
 *
 * Conditions: rows of an inner join may be dropped on the side that has the columns; of an outer one only on the side that is always
 * there. A row meets partners of equal keys alone, so what is asked of a key may be asked on the other side, too. */
#include "language/plan/narrow_rel.h"
#include "language/plan/rewrite.h"

#include <string.h>

/* --- conditions -------------------------------------------------------------------------------------------------- */
/* May rows of the join be dropped on that side? Then its rows are all there, each with its partners or alone. */
static bool is_firm(enum rel_join_kind kind, uint32_t side)
{
    switch (kind) {
    case REL_JOIN_INNER: return true;
    case REL_JOIN_LEFT:
    case REL_JOIN_SEMI:
    case REL_JOIN_ANTI: return side == 0;
    case REL_JOIN_RIGHT: return side == 1;
    case REL_JOIN_FULL: return false;
    }
    return false;
}

static int side_of(const struct rel *r, uint32_t col, uint32_t *within)
{
    uint32_t left = r->inputs[0]->row->child_count;

    *within = col < left ? col : col - left;
    return col >= left;
}

int join_side_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    const struct join_body *b = r->body;
    uint32_t within;

    if (side_of(r, col, &within) != (int)input || !is_firm((enum rel_join_kind)b->kind, input)) return -1;
    return (int)within;
}

/* Each left row is looked at by itself. */
int left_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    return input == 0 && col < r->inputs[0]->row->child_count ? (int)col : -1;
}

/* Values of one type that are equal are the same, but for zeros of floating numbers and texts that are padded. */
static bool is_exact(const struct type *x, const struct type *y)
{
    return type_equal_ignoring_null(x, y) && x->kind != T_FLOAT && x->kind != T_DOUBLE && x->kind != T_CHAR && x->phys != P_LIST &&
           x->phys != P_ROW;
}

int join_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    const struct join_body *b = r->body;
    uint32_t within, side = (uint32_t)side_of(r, col, &within);

    if (!is_firm((enum rel_join_kind)b->kind, side)) return -1;
    if (side == input) return (int)within;
    for (uint32_t i = 0; i < b->key_count; i++)
        if (b->keys[side][i] == within &&
            is_exact(r->inputs[side]->row->children[within], r->inputs[input]->row->children[b->keys[input][i]]))
            return (int)b->keys[input][i];
    return -1;
}

/* Is it NULL where all columns of `first`..`end` are? */
static bool is_null_of_nulls(const struct expr *x, uint32_t first, uint32_t end)
{
    if (x->kind == EXPR_COLUMN) return x->col >= first && x->col < end;
    if (x->kind != EXPR_CALL || x->call->def->nulls != FN_STRICT) return false;
    for (uint32_t i = 0; i < x->count; i++)
        if (is_null_of_nulls(x->args[i], first, end)) return true;
    return false;
}

/* Is it never true there? */
static bool refuses_nulls(const struct expr *x, uint32_t first, uint32_t end)
{
    uint32_t refusing = 0;

    if (x->kind == EXPR_CALL && strcmp(x->call->def->name, "IS NOT NULL") == 0) return is_null_of_nulls(x->args[0], first, end);
    if (x->kind != EXPR_AND && x->kind != EXPR_OR) return is_null_of_nulls(x, first, end);
    for (uint32_t i = 0; i < x->count; i++) refusing += refuses_nulls(x->args[i], first, end);
    return x->kind == EXPR_AND ? refusing > 0 : refusing == x->count;
}

static bool any_refuses(const struct conditions *c, uint32_t first, uint32_t end)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->items[i]->det == FN_PURE && refuses_nulls(c->items[i], first, end)) return true;
    return false;
}

/* Rows that came without a partner are dropped above: then none need be made. */
struct rel *join_strengthen(struct arena *a, struct rel *r, struct conditions *c)
{
    struct join_body body = *(const struct join_body *)r->body;
    uint32_t left = r->inputs[0]->row->child_count, all = r->row->child_count;
    bool is_full = body.kind == REL_JOIN_FULL;

    if (body.kind != REL_JOIN_LEFT && body.kind != REL_JOIN_RIGHT && !is_full) return r;
    bool needs_left = (is_full || body.kind == REL_JOIN_RIGHT) && any_refuses(c, 0, left);
    bool needs_right = (is_full || body.kind == REL_JOIN_LEFT) && any_refuses(c, left, all);
    if (!needs_left && !needs_right) return r;
    if (!is_full || (needs_left && needs_right)) body.kind = REL_JOIN_INNER;
    else body.kind = needs_left ? REL_JOIN_LEFT : REL_JOIN_RIGHT;
    struct rel *out = rel_join(a, r->inputs[0], r->inputs[1], &body);
    out->row = r->row; /* what reads it was made for columns that may be NULL */
    return out;
}

/* --- columns ----------------------------------------------------------------------------------------------------- */
/* What both sides have now, and where their columns went. */
struct sides {
    struct rel *inputs[2];
    uint32_t *now[2];
    const uint64_t *kept[2];
    bool changed;
};

static void sides_mark(const struct rel *r, const uint64_t *bits, uint64_t *const read[2])
{
    uint32_t left = r->inputs[0]->row->child_count, all = left + r->inputs[1]->row->child_count;

    for (uint32_t i = 0; i < all; i++)
        if (bit_get(bits, i)) bit_set(read[i >= left], i < left ? i : i - left);
}

static void expr_mark(const struct rel *r, const struct expr *x, uint64_t *const read[2])
{
    uint64_t bits[(2 * TYPE_FIELDS_MAX + 63) / 64] = {0};

    if (x == NULL) return;
    expr_columns(x, bits);
    sides_mark(r, bits, read);
}

/* read: what the node needs for itself. */
static void sides_narrow(struct narrowing *n, const struct rel *r, const struct join_body *b, const uint64_t *needed,
                         uint64_t *const read[2], struct sides *s)
{
    uint32_t left = r->inputs[0]->row->child_count;

    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(needed, i)) bit_set(read[i >= left], i < left ? i : i - left);
    expr_mark(r, b->condition, read);
    s->changed = false;
    for (uint32_t side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < b->key_count; i++) bit_set(read[side], b->keys[side][i]);
        s->inputs[side] = narrow_input(n, r->inputs[side], read[side], &s->now[side]);
        s->kept[side] = read[side];
        s->changed |= s->inputs[side] != r->inputs[side];
    }
}

/* at[c]: for all columns of both. */
static uint32_t *sides_at(struct narrowing *n, const struct rel *r, const struct sides *s)
{
    uint32_t counts[] = {r->inputs[0]->row->child_count, r->inputs[1]->row->child_count};
    uint32_t *at = ARENA_ARRAY(n->a, uint32_t, counts[0] + counts[1] + 1);

    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < counts[side]; i++)
            at[side * counts[0] + i] = bit_get(s->kept[side], i) ? s->now[side][i] + side * s->inputs[0]->row->child_count : 0;
    return at;
}

static struct join_body body_narrow(struct narrowing *n, const struct rel *r, const struct join_body *given, const struct sides *s,
                                    const uint32_t *at)
{
    struct join_body b = *given;
    uint32_t left = r->inputs[0]->row->child_count, all = left + r->inputs[1]->row->child_count;
    const char **names = ARENA_ARRAY(n->a, const char *, all + 1);

    for (uint32_t i = 0; i < all; i++)
        if (bit_get(s->kept[i >= left], i < left ? i : i - left)) names[at[i]] = given->names[i];
    b.names = names;
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t *keys = ARENA_ARRAY(n->a, uint32_t, b.key_count + 1);
        for (uint32_t i = 0; i < b.key_count; i++) keys[i] = s->now[side][given->keys[side][i]];
        b.keys[side] = keys;
    }
    const struct type *pair = rel_join_row(n->a, REL_JOIN_INNER, s->inputs[0]->row, s->inputs[1]->row, names);
    b.condition = narrow_expr(n, given->condition, pair, at);
    return b;
}

/* The node's own columns as those of both sides. */
static void at_of_row(const struct rel *r, const uint32_t *both, uint32_t *at)
{
    for (uint32_t i = 0; i < r->row->child_count; i++) at[i] = both[i];
}

static void read_init(struct narrowing *n, const struct rel *r, uint64_t *read[2])
{
    for (uint32_t i = 0; i < 2; i++) read[i] = narrow_none(n, r->inputs[i]->row);
}

/* Columns that may be NULL by the row that the node had may be so now. */
static void keep_nullable(struct narrowing *n, const struct rel *r, const uint32_t *at, const struct sides *s, struct rel *out)
{
    uint32_t left = r->inputs[0]->row->child_count;
    const struct type **types = ARENA_ARRAY(n->a, const struct type *, out->row->child_count + 1);

    memcpy(types, out->row->children, sizeof *types * out->row->child_count);
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(s->kept[i >= left], i < left ? i : i - left)) types[at[i]] = r->row->children[i];
    out->row = type_row(n->a, out->row->child_count, out->row->names, types, false);
}

struct rel *join_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    uint64_t *read[2];
    struct sides s;

    read_init(n, r, read);
    sides_narrow(n, r, r->body, needed, read, &s);
    uint32_t *both = sides_at(n, r, &s);
    at_of_row(r, both, at);
    if (!s.changed) return (struct rel *)r;
    struct join_body b = body_narrow(n, r, r->body, &s, both);
    struct rel *out = rel_join(n->a, s.inputs[0], s.inputs[1], &b);
    keep_nullable(n, r, at, &s, out);
    return out;
}

struct rel *interval_join_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct interval_join_body body = *(const struct interval_join_body *)r->body;
    uint64_t *read[2];
    struct sides s;

    read_init(n, r, read);
    for (uint32_t i = 0; i < 2; i++) bit_set(read[i], body.times[i]);
    expr_mark(r, body.shown, read);
    sides_narrow(n, r, &body.join, needed, read, &s);
    uint32_t *both = sides_at(n, r, &s);
    at_of_row(r, both, at);
    if (!s.changed) return (struct rel *)r;
    body.join = body_narrow(n, r, &body.join, &s, both);
    const struct type *pair = rel_join_row_timed(n->a, REL_JOIN_INNER, s.inputs[0]->row, s.inputs[1]->row, body.join.names);
    body.shown = narrow_expr(n, body.shown, pair, both);
    for (uint32_t i = 0; i < 2; i++) body.times[i] = s.now[i][body.times[i]];
    return rel_interval_join(n->a, s.inputs[0], s.inputs[1], &body);
}

static void mark_window(const struct rel_window *w, uint64_t *read)
{
    const int cols[] = {w->start, w->end, w->time, w->twins[0], w->twins[1], w->twins[2]};

    for (size_t i = 0; i < COUNT_OF(cols); i++)
        if (cols[i] >= 0) bit_set(read, (uint32_t)cols[i]);
    for (uint32_t i = 0; i < w->partition_count; i++)
        if (w->partition[i] >= 0) bit_set(read, (uint32_t)w->partition[i]);
}

struct rel *window_join_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct window_join_body body = *(const struct window_join_body *)r->body;
    uint64_t *read[2];
    struct sides s;

    read_init(n, r, read);
    for (uint32_t i = 0; i < 2; i++) mark_window(r->inputs[i]->window, read[i]);
    sides_narrow(n, r, &body.all, needed, read, &s);
    uint32_t *both = sides_at(n, r, &s);
    at_of_row(r, both, at);
    if (!s.changed) return (struct rel *)r;
    body.join = body_narrow(n, r, &body.join, &s, both);
    body.all = body_narrow(n, r, &body.all, &s, both);
    return rel_window_join(n->a, s.inputs[0], s.inputs[1], &body);
}
