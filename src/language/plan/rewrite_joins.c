/* rewrite_joins.c - the order of inner joins (table.optimizer.join-reorder-enabled): of joins that stand on one another, as few rows as may
 * be are made in between.
 *
 * The idea: the joins' inputs (leaves) and all that is asked of them are laid out flat, over one row that has the columns of all leaves.
 * For every set of leaves it is known how many rows their join has, whatever the order; the cheapest way to make a set is found from
 * those of its parts, for up to JOINS_MAX leaves, so bushy trees are found, too. Pairs that nothing connects are made only where all are
 * of that kind. Of orders that cost the same the one that is written stays.
 *
 * How many rows a leaf has is rel_rows' guess (rows.c); an equation keeps one pair in as many as the side with more different values
 * has (where that is not known: rows), any other condition every second one. */
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

#include "flow/operator/op.h"
#include "ground/base/str.h"

#include <string.h>

enum { JOINS_MAX = 12, EQUATIONS_MAX = 64 };

struct equation {
    uint32_t cols[2]; /* of all leaves */
    bool null_safe;
};

struct flat {
    struct arena *a;
    uint32_t leaf_count, equation_count, column_count;
    struct rel *leaves[JOINS_MAX];
    uint32_t first[JOINS_MAX + 1]; /* column of each leaf */
    struct equation equations[EQUATIONS_MAX];
    struct conditions conditions; /* over all columns */
    bool is_too_large;
};

/* --- laying out -------------------------------------------------------------------------------------------------- */
static bool may_move(const struct rel *r)
{
    const struct join_body *b = r->body;

    return r->type == &rel_join_type && b->kind == REL_JOIN_INNER && b->ttl[0].text == NULL && b->ttl[1].text == NULL &&
           b->hints.count == 0 && (b->condition == NULL || (b->condition->det == FN_PURE && !b->condition->may_fail));
}

static const struct calc_body *plain_calc(const struct rel *r)
{
    const struct calc_body *c = r->body;

    if (r->type != &rel_calc_type || c->condition != NULL || c->count == 0 || c->alone) return NULL;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->columns[i]->kind != EXPR_COLUMN) return NULL;
    return c;
}

static const struct rel *join_below(const struct rel *r)
{
    while (plain_calc(r) != NULL) r = r->inputs[0];
    return may_move(r) ? r : NULL;
}

static void add_leaf(struct flat *f, struct rel *r, uint32_t *cols)
{
    if (f->leaf_count == JOINS_MAX || f->column_count + r->row->child_count > TYPE_FIELDS_MAX) {
        f->is_too_large = true;
        return;
    }
    for (uint32_t i = 0; i < r->row->child_count; i++) cols[i] = f->column_count + i;
    f->leaves[f->leaf_count] = r;
    f->first[f->leaf_count++] = f->column_count;
    f->column_count += r->row->child_count;
    f->first[f->leaf_count] = f->column_count;
}

/* x over the columns of both sides, which are `cols` of all. Types are those of the columns as they are. */
static struct expr *over_all(struct flat *f, const struct expr *x, const struct type *pair, const uint32_t *cols)
{
    struct expr_maker m = {.a = f->a};
    struct expr **columns = ARENA_ARRAY(f->a, struct expr *, pair->child_count + 1);

    for (uint32_t i = 0; i < pair->child_count; i++) {
        columns[i] = expr_column(&m, pair, i);
        columns[i]->col = cols[i];
    }
    return expr_substitute(f->a, x, columns);
}

/* cols[c]: which of all columns column c of r is. */
static void lay_out(struct flat *f, struct rel *r, uint32_t *cols)
{
    if (join_below(r) == NULL) {
        add_leaf(f, r, cols);
        return;
    }
    const struct calc_body *c = plain_calc(r);
    if (c != NULL) {
        uint32_t *below = ARENA_ARRAY(f->a, uint32_t, r->inputs[0]->row->child_count + 1);
        lay_out(f, r->inputs[0], below);
        for (uint32_t i = 0; i < c->count && !f->is_too_large; i++) cols[i] = below[c->columns[i]->col];
        return;
    }
    const struct join_body *b = r->body;
    uint32_t left = r->inputs[0]->row->child_count;
    lay_out(f, r->inputs[0], cols);
    if (!f->is_too_large) lay_out(f, r->inputs[1], cols + left);
    if (f->is_too_large || f->equation_count + b->key_count > EQUATIONS_MAX || f->equation_count + b->key_count > OP_KEYS_MAX) {
        f->is_too_large = true;
        return;
    }
    for (uint32_t i = 0; i < b->key_count; i++)
        f->equations[f->equation_count++] = (struct equation){{cols[b->keys[0][i]], cols[left + b->keys[1][i]]}, b->null_safe[i]};
    const struct type *pair = rel_join_row(f->a, REL_JOIN_INNER, r->inputs[0]->row, r->inputs[1]->row, b->names);
    if (b->condition != NULL) conditions_add_parts(f->a, &f->conditions, over_all(f, b->condition, pair, cols));
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static uint32_t leaf_of(const struct flat *f, uint32_t col)
{
    uint32_t i = 0;

    while (col >= f->first[i + 1]) i++;
    return i;
}

static uint32_t leaves_of(const struct flat *f, const struct expr *x)
{
    uint32_t set = x->kind == EXPR_COLUMN ? 1u << leaf_of(f, x->col) : 0;

    for (uint32_t i = 0; i < x->count; i++) set |= leaves_of(f, x->args[i]);
    return set;
}

static uint32_t equation_set(const struct flat *f, const struct equation *e)
{
    return 1u << leaf_of(f, e->cols[0]) | 1u << leaf_of(f, e->cols[1]);
}

/* How many values a column has: as many as it is known to have, or one per row. */
static double values_of(const struct flat *f, uint32_t col, const double *leaf_rows)
{
    uint32_t leaf = leaf_of(f, col);
    struct rel_column c = rel_column_of(f->leaves[leaf], col - f->first[leaf]);

    return c.said != NULL && c.said->distinct_count > 0 ? MIN((double)c.said->distinct_count, leaf_rows[leaf]) : leaf_rows[leaf];
}

static double rows_of(const struct flat *f, uint32_t set, const double *leaf_rows)
{
    double rows = 1;

    for (uint32_t i = 0; i < f->leaf_count; i++)
        if (set >> i & 1) rows *= leaf_rows[i];
    for (uint32_t i = 0; i < f->equation_count; i++) {
        const struct equation *e = &f->equations[i];
        if ((equation_set(f, e) & ~set) != 0) continue;
        rows /= MAX(MAX(values_of(f, e->cols[0], leaf_rows), values_of(f, e->cols[1], leaf_rows)), 1);
    }
    for (uint32_t i = 0; i < f->conditions.count; i++)
        if ((leaves_of(f, f->conditions.items[i]) & ~set) == 0) rows *= 0.5;
    return MAX(rows, 1);
}

/* --- order ------------------------------------------------------------------------------------------------------- */
struct way {
    double rows, cost;
    uint32_t left; /* leaves of the left side */
    bool crosses;  /* somewhere, sides that nothing connects */
};

static bool connects(const struct flat *f, uint32_t x, uint32_t y)
{
    for (uint32_t i = 0; i < f->equation_count; i++) {
        uint32_t set = equation_set(f, &f->equations[i]);
        if ((set & x) != 0 && (set & y) != 0 && (set & ~(x | y)) == 0) return true;
    }
    return false;
}

static bool is_better(const struct way *x, const struct way *y)
{
    if (x->crosses != y->crosses) return y->crosses;
    return x->cost < y->cost;
}

static struct way way_of(const struct flat *f, uint32_t set, uint32_t left, const struct way *ways)
{
    const struct way *x = &ways[left], *y = &ways[set & ~left];

    return (struct way){.rows = ways[set].rows,
                        .cost = x->cost + y->cost + ways[set].rows,
                        .left = left,
                        .crosses = x->crosses || y->crosses || !connects(f, left, set & ~left)};
}

/* The last leaf to all others is as it is written. */
static void find_way(const struct flat *f, uint32_t set, struct way *ways)
{
    struct way best = way_of(f, set, set & ~(1u << (31 - __builtin_clz(set))), ways);

    for (uint32_t left = set & (set - 1); left > 0; left = (left - 1) & set) {
        struct way way = way_of(f, set, left, ways);
        if (is_better(&way, &best)) best = way;
    }
    ways[set] = best;
}

/* --- building ---------------------------------------------------------------------------------------------------- */
/* Columns of all leaves as they stand in a join that was made: -1: not there. */
struct made {
    struct rel *r;
    int *at;
};

static const char *const *names_of(struct arena *a, const struct type *left, const struct type *right)
{
    uint32_t n = left->child_count + right->child_count;
    const char **names = ARENA_ARRAY(a, const char *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        const char *name = i < left->child_count ? left->names[i] : right->names[i - left->child_count];
        names[i] = name;
        for (uint32_t k = 0, again = 1; again; k++) {
            again = 0;
            for (uint32_t j = 0; j < i && !again; j++) again = strcmp(names[j], names[i]) == 0;
            if (again) names[i] = arena_printf(a, "%s%u", name, k);
        }
    }
    return names;
}

static void keys_of(const struct flat *f, const struct made *x, const struct made *y, struct join_body *b)
{
    uint32_t *cols[] = {ARENA_ARRAY(f->a, uint32_t, f->equation_count + 1), ARENA_ARRAY(f->a, uint32_t, f->equation_count + 1)};
    bool *null_safe = ARENA_ARRAY(f->a, bool, f->equation_count + 1);

    for (uint32_t i = 0; i < f->equation_count; i++) {
        const struct equation *e = &f->equations[i];
        uint32_t first = x->at[e->cols[0]] >= 0 ? 0 : 1;
        if (x->at[e->cols[first]] < 0 || y->at[e->cols[1 - first]] < 0) continue;
        cols[0][b->key_count] = (uint32_t)x->at[e->cols[first]];
        cols[1][b->key_count] = (uint32_t)y->at[e->cols[1 - first]];
        null_safe[b->key_count++] = e->null_safe;
    }
    b->keys[0] = cols[0];
    b->keys[1] = cols[1];
    b->null_safe = null_safe;
}

static struct expr *condition_of(struct flat *f, uint32_t left, uint32_t right, const int *at, const struct type *pair)
{
    struct expr_maker m = {.a = f->a};
    struct conditions here = {0};
    struct expr **columns = ARENA_ARRAY(f->a, struct expr *, f->column_count + 1);

    for (uint32_t i = 0; i < f->column_count; i++)
        if (at[i] >= 0) columns[i] = expr_column(&m, pair, (uint32_t)at[i]);
    for (uint32_t i = 0; i < f->conditions.count; i++) {
        uint32_t set = leaves_of(f, f->conditions.items[i]);
        bool is_here = (set & ~(left | right)) == 0 && (set & ~left) != 0 && (set & ~right) != 0;
        if (is_here) conditions_add(f->a, &here, expr_substitute(f->a, f->conditions.items[i], columns));
    }
    return conditions_all(&m, &here);
}

/* Conditions on one leaf, or none: they are asked of what comes out at the top. */
static struct expr *rest_of(struct flat *f, const struct made *made)
{
    struct expr_maker m = {.a = f->a};
    struct conditions rest = {0};
    struct expr **columns = ARENA_ARRAY(f->a, struct expr *, f->column_count + 1);

    for (uint32_t i = 0; i < f->column_count; i++) columns[i] = expr_column(&m, made->r->row, (uint32_t)made->at[i]);
    for (uint32_t i = 0; i < f->conditions.count; i++) {
        uint32_t set = leaves_of(f, f->conditions.items[i]);
        if ((set & (set - 1)) == 0) conditions_add(f->a, &rest, expr_substitute(f->a, f->conditions.items[i], columns));
    }
    return conditions_all(&m, &rest);
}

static struct made build(struct flat *f, uint32_t set, const struct way *ways)
{
    struct made out = {.at = ARENA_ARRAY(f->a, int, f->column_count + 1)};

    for (uint32_t i = 0; i < f->column_count; i++) out.at[i] = -1;
    if ((set & (set - 1)) == 0) {
        uint32_t leaf = 0;
        while (set >> leaf != 1) leaf++;
        out.r = f->leaves[leaf];
        for (uint32_t i = f->first[leaf]; i < f->first[leaf + 1]; i++) out.at[i] = (int)(i - f->first[leaf]);
        return out;
    }
    uint32_t left = ways[set].left;
    struct made x = build(f, left, ways), y = build(f, set & ~left, ways);
    struct join_body b = {.kind = REL_JOIN_INNER, .names = names_of(f->a, x.r->row, y.r->row)};
    for (uint32_t i = 0; i < f->column_count; i++)
        out.at[i] = x.at[i] >= 0 ? x.at[i] : y.at[i] >= 0 ? y.at[i] + (int)x.r->row->child_count : -1;
    keys_of(f, &x, &y, &b);
    b.condition = condition_of(f, left, set & ~left, out.at, rel_join_row(f->a, REL_JOIN_INNER, x.r->row, y.r->row, b.names));
    out.r = rel_join(f->a, x.r, y.r, &b);
    return out;
}

/* --- the pass ---------------------------------------------------------------------------------------------------- */
static struct rel *reorder(struct arena *a, struct rel *r)
{
    struct flat *f = ARENA_NEW(a, struct flat);
    uint32_t *cols = ARENA_ARRAY(a, uint32_t, r->row->child_count + 1);
    struct expr **columns = ARENA_ARRAY(a, struct expr *, r->row->child_count + 1);
    struct expr_maker m = {.a = a};
    double leaf_rows[JOINS_MAX];

    *f = (struct flat){.a = a};
    lay_out(f, r, cols);
    if (f->is_too_large || f->leaf_count < 3) return r;
    for (uint32_t i = 0; i < f->leaf_count; i++) {
        leaf_rows[i] = rel_rows(f->leaves[i]);
        f->leaves[i] = rewrite_joins(a, f->leaves[i]);
    }
    uint32_t all = (1u << f->leaf_count) - 1;
    struct way *ways = ARENA_ARRAY(a, struct way, all + 1);
    for (uint32_t set = 1; set <= all; set++) {
        ways[set] = (struct way){.rows = rows_of(f, set, leaf_rows)};
        if ((set & (set - 1)) != 0) find_way(f, set, ways);
    }
    struct made made = build(f, all, ways);
    for (uint32_t i = 0; i < r->row->child_count; i++) columns[i] = expr_column(&m, made.r->row, (uint32_t)made.at[cols[i]]);
    struct calc_body body = {.condition = rest_of(f, &made), .count = r->row->child_count, .columns = columns};
    struct rel *out = rel_calc(a, made.r, &body, r->row->names);
    out->row = r->row; /* what reads it was made for columns that may be NULL */
    return out;
}

struct rel *rewrite_joins(struct arena *a, struct rel *r)
{
    struct rel **inputs = ARENA_ARRAY(a, struct rel *, r->input_count + 1);
    bool changed = false;

    if (may_move(r)) {
        struct rel *out = reorder(a, r);
        if (out != r) return rel_say_as(out, r);
    }
    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = rewrite_joins(a, r->inputs[i]);
        changed |= inputs[i] != r->inputs[i];
    }
    return changed ? rel_over_inputs(a, r, inputs, r->at_end) : r;
}
