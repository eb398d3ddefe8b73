/* rewrite_conditions.c - conditions go down: rows that nobody will see are dropped before work is done for them. See rewrite.h.
 *
 * The idea: `sift` is handed a node and conditions on its rows, and answers the node with as many of them applied below it as may be;
 * the others stay in the list, and whoever asked applies them. A Calc takes all that are handed to it, so none is ever lost.
 * A node that several others read is sifted once when nothing is handed down; with conditions each reader gets its own. */
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

#include <string.h>

static struct rel *sift(struct arena *a, struct rel *r, struct conditions *c);

static bool may_move(const struct expr *x) { return x->det == FN_PURE && !x->may_fail; }

/* Over the columns of an input: false when one of those that it reads does not pass, or it reads none. */
static bool translate(struct arena *a, const struct rel *r, uint32_t input, const struct expr *x, struct expr **out)
{
    struct expr_maker m = {.a = a};
    uint32_t n = r->row->child_count;
    uint64_t read[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    struct expr **columns = ARENA_ARRAY(a, struct expr *, n + 1);
    bool any = false;

    expr_columns(x, read);
    for (uint32_t i = 0; i < n; i++) {
        if (!bit_get(read, i)) continue;
        int at = r->type->passes(r, input, i);
        if (at < 0) return false;
        columns[i] = expr_column(&m, r->inputs[input]->row, (uint32_t)at);
        any = true;
    }
    if (any) *out = expr_substitute(a, x, columns);
    return any;
}

/* Hands a condition to the inputs that can take it; false: r must go on asking it itself. */
static bool hand_down(struct arena *a, const struct rel *r, const struct expr *x, struct conditions *below)
{
    struct expr **over = ARENA_ARRAY(a, struct expr *, r->input_count + 1);
    uint32_t taken = 0;

    if (r->type->passes == NULL || !may_move(x)) return false;
    for (uint32_t i = 0; i < r->input_count; i++) {
        over[i] = NULL;
        taken += translate(a, r, i, x, &over[i]);
    }
    if (taken < (r->type->is_any ? r->input_count : 1)) return false;
    for (uint32_t i = 0; i < r->input_count; i++)
        if (over[i] != NULL) conditions_add_new(a, &below[i], over[i]);
    return true;
}

/* Is it as well computed twice as once? */
static bool is_cheap(const struct expr *x)
{
    if (x->kind == EXPR_COLUMN || x->kind == EXPR_CONSTANT) return true;
    if (x->kind != EXPR_CALL || (x->call->def->flags & FN_COSTLY) != 0) return false;
    for (uint32_t i = 0; i < x->count; i++)
        if (x->args[i]->kind != EXPR_COLUMN && x->args[i]->kind != EXPR_CONSTANT) return false;
    return true;
}

static bool reads_cheap(const struct expr *x, struct expr *const *columns)
{
    if (x->kind == EXPR_COLUMN) return is_cheap(columns[x->col]);
    for (uint32_t i = 0; i < x->count; i++)
        if (!reads_cheap(x->args[i], columns)) return false;
    return true;
}

static struct rel **one(struct arena *a, struct rel *r)
{
    struct rel **out = ARENA_ARRAY(a, struct rel *, 1);

    out[0] = r;
    return out;
}

/* --- sources of changes ------------------------------------------------------------------------------------------- */
static bool is_of_changes(const struct rel *r) { return r->type == &rel_normalize_type || r->type == &rel_drop_before_type; }

static struct rel *ask_source(struct arena *a, struct rel *r, struct conditions *c);

/* Conditions over the Calc's columns, over those of its input. */
static struct rel *ask_below(struct arena *a, struct rel *r, struct conditions *c)
{
    const struct calc_body *body = r->body;
    struct conditions below = {0}, handed = {0}, rest = {0};

    if (body->condition != NULL || body->alone) return r;
    for (uint32_t i = 0; i < c->count; i++) {
        bool goes = may_move(c->items[i]) && (body->count == 0 || reads_cheap(c->items[i], body->columns));
        if (goes) conditions_add(a, &below, body->count > 0 ? expr_substitute(a, c->items[i], body->columns) : c->items[i]);
        conditions_add(a, goes ? &handed : &rest, c->items[i]);
    }
    struct conditions left = below;
    struct rel *input = ask_source(a, r->inputs[0], &left);
    for (uint32_t i = 0, at = 0; i < below.count; i++)
        if (at < left.count && left.items[at] == below.items[i]) {
            conditions_add(a, &rest, handed.items[i]);
            at++;
        }
    *c = rest;
    return input == r->inputs[0] ? r : rel_over_inputs(a, r, one(a, input), r->at_end);
}

/* What the source can leave out by itself it does, whatever becomes of its rows' changes, as in Flink: parts of a table that are not
 * read. -U and +U of a change are of the same part. The others stay in the list, in their order. */
static struct rel *ask_source(struct arena *a, struct rel *r, struct conditions *c)
{
    if (r->type == &rel_scan_type) return r->type->strengthen(a, r, c);
    if (r->type == &rel_calc_type) return ask_below(a, r, c);
    if (!is_of_changes(r)) return r;
    struct rel *input = ask_source(a, r->inputs[0], c);
    return input == r->inputs[0] ? r : rel_over_inputs(a, r, one(a, input), r->at_end);
}

/* --- nodes --------------------------------------------------------------------------------------------------------- */
static struct rel *sift_node(struct arena *a, struct rel *r, struct conditions *c)
{
    if (c->count > 0 && is_of_changes(r)) r = ask_source(a, r, c);
    if (r->type->strengthen != NULL && c->count > 0) r = r->type->strengthen(a, r, c);
    struct conditions *below = ARENA_ARRAY(a, struct conditions, r->input_count + 1), rest = {0};
    struct rel **inputs = ARENA_ARRAY(a, struct rel *, r->input_count + 1);
    struct expr_maker m = {.a = a};
    bool changed = false;

    for (uint32_t i = 0; i < r->input_count; i++) below[i] = (struct conditions){0};
    for (uint32_t i = 0; i < c->count; i++)
        if (!hand_down(a, r, c->items[i], below)) conditions_add(a, &rest, c->items[i]);
    *c = rest;
    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = sift(a, r->inputs[i], &below[i]);
        struct calc_body calc = {.condition = conditions_all(&m, &below[i])};
        if (calc.condition != NULL) inputs[i] = rel_calc(a, inputs[i], &calc, NULL);
        changed |= inputs[i] != r->inputs[i];
    }
    return changed ? rel_over_inputs(a, r, inputs, r->at_end) : r;
}

/* What is handed to a Calc joins its own condition, behind it, and goes on from there. */
static struct rel *sift_calc(struct arena *a, struct rel *r, struct conditions *c)
{
    struct expr_maker m = {.a = a};
    struct calc_body body = *(const struct calc_body *)r->body;
    struct conditions below = {0}, rest = {0};
    struct rel *from = r->inputs[0];

    conditions_add_parts(a, &below, body.condition);
    uint32_t own = below.count;
    for (uint32_t i = 0; i < c->count; i++) {
        struct expr *x = may_move(c->items[i]) ? c->items[i] : NULL;
        if (x != NULL && body.count > 0) x = reads_cheap(x, body.columns) ? expr_substitute(a, x, body.columns) : NULL;
        bool moves = x != NULL && may_move(x);
        conditions_add_new(a, moves ? &below : &rest, moves ? x : c->items[i]);
        if (x != NULL && !moves) from = scan_told(a, from, x);
    }
    *c = rest;
    uint32_t all = below.count;
    struct rel *input = sift(a, from, &below);
    if (input == r->inputs[0] && below.count == own && all == own) return r;
    body.condition = conditions_all(&m, &below);
    if (body.condition == NULL && body.count == 0) return input;
    return rel_calc(a, input, &body, r->row->names);
}

/* Are watermarks never ahead of the times of rows that come in order: the time, or less by a constant? */
static bool stays_behind(const struct watermark_body *w)
{
    const struct expr *x = w->watermark;

    if (x->kind == EXPR_COLUMN) return x->col == w->rowtime;
    if (x->kind != EXPR_CALL || x->count != 2 || strcmp(x->call->def->name, "-") != 0) return false;
    const struct expr *time = x->args[0], *delay = x->args[1];
    bool is_delay = delay->kind == EXPR_CONSTANT && delay->type->kind == T_INTERVAL_SECOND && !vector_is_null(delay->constant, 0);
    return time->kind == EXPR_COLUMN && time->col == w->rowtime && is_delay && VECTOR_VALUES(delay->constant, int64_t)[0] >= 0;
}

/* A source below that can leave rows out before they get their watermarks is told of x; x is asked above all the same. */
static struct rel *told(struct arena *a, struct rel *r, struct expr *x, struct expr *time)
{
    const struct calc_body *c = r->body;

    if (r->type != &rel_calc_type) return scan_told_early(a, r, x, time);
    if (c->condition != NULL || c->alone || (c->count > 0 && !reads_cheap(x, c->columns))) return r;
    if (c->count > 0) {
        x = expr_substitute(a, x, c->columns);
        time = expr_substitute(a, time, c->columns);
    }
    struct rel *input = told(a, r->inputs[0], x, time);
    return input == r->inputs[0] ? r : rel_over_inputs(a, r, one(a, input), r->at_end);
}

static struct rel *source_tell(struct arena *a, struct rel *r, const struct conditions *c)
{
    const struct watermark_body *w = r->body;
    struct expr_maker m = {.a = a};
    struct rel *input = r->inputs[0];

    if (!stays_behind(w)) return r;
    for (uint32_t i = 0; i < c->count; i++)
        if (may_move(c->items[i])) input = told(a, input, c->items[i], expr_column(&m, input->row, w->rowtime));
    return input == r->inputs[0] ? r : rel_over_inputs(a, r, one(a, input), r->at_end);
}

static struct rel *sift(struct arena *a, struct rel *r, struct conditions *c)
{
    bool is_plain = c->count == 0;
    const struct rel *old = r;

    if (is_plain && r->sifted != NULL) return r->sifted;
    if (r->type == &rel_watermark_type) r = source_tell(a, r, c);
    struct rel *out = rel_say_as(r->type == &rel_calc_type ? sift_calc(a, r, c) : sift_node(a, r, c), old);
    if (is_plain) r->sifted = out;
    return out;
}

struct rel *rewrite_conditions(struct arena *a, struct rel *r)
{
    struct conditions none = {0};
    struct rel *out = sift(a, r, &none);

    ASSERT(none.count == 0);
    return out;
}
