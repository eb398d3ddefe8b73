/* join_tree.c - from the conditions of a FROM clause's joins, and of WHERE, to Join nodes.
 *
 * The idea: conditions are lists of what AND connects. Going down from the top, those that may be are handed to a side: of WHERE to
 * a side that has no NULLs made by the join, of ON to a side whose rows do not come without a partner; and WHERE over an inner join
 * is part of its ON. What remains of ON: equations of one side with the other are keys, computed by a Calc below when they are more
 * than a column; the rest is evaluated for each pair of rows with equal keys.
 *
 * What is not a function of its row alone (RAND) stays where it was written. */
#include "language/sql/join_tree.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"
#include "language/plan/conditions.h"
#include "language/sql/join_bounds.h"
#include "language/sql/plan_places.h"

#include <string.h>

/* Keys of a join, and what is computed for them. */
struct keys {
    uint32_t count;
    uint32_t *cols[2];
    bool *null_safe;
    uint32_t computed[2];
    struct expr **items[2];
};

enum { LEFT = 1, RIGHT = 2 };

/* --- making the tree --------------------------------------------------------------------------------------------- */
static bool is_taken(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* As Flink: a, a0, a1. */
static const char *const *unique_names(struct arena *a, const struct type *left, const struct type *right)
{
    uint32_t n = left->child_count + right->child_count;
    const char **names = ARENA_ARRAY(a, const char *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        const char *name = i < left->child_count ? left->names[i] : right->names[i - left->child_count];
        names[i] = name;
        for (uint32_t k = 0; is_taken(names, i, names[i]); k++) names[i] = arena_printf(a, "%s%u", name, k);
    }
    return names;
}

struct join_tree *join_tree_create(struct arena *a, enum rel_join_kind kind, const struct bind_source *left,
                                   const struct bind_source *right)
{
    struct join_tree *t = ARENA_NEW(a, struct join_tree);
    const struct type *l = left->scope.row, *r = right->scope.row;

    *t = (struct join_tree){.kind = (uint8_t)kind, .rels = {left->rel, right->rel}, .trees = {left->join, right->join}, .as_of = -1};
    t->left = l->child_count;
    t->names = unique_names(a, l, r);
    t->pair = rel_join_row(a, REL_JOIN_INNER, l, r, t->names);
    t->row = rel_join_row(a, kind, l, r, t->names);
    return t;
}

static const struct type *with_left_times(struct arena *a, const struct type *row, const struct type *left)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, row->child_count + 1);

    memcpy(types, row->children, sizeof *types * row->child_count);
    memcpy(types, left->children, sizeof *types * left->child_count);
    return type_row(a, row->child_count, row->names, types, false);
}

/* Each row of the left side comes once or not at all, at its own time. */
void join_tree_as_of(struct join_tree *t, struct arena *a, const struct type *left, int col, bool is_lookup)
{
    t->as_of = col;
    t->is_lookup = is_lookup;
    if (col < 0) return;
    t->pair = with_left_times(a, t->pair, left);
    t->row = with_left_times(a, t->row, left);
}

/* Time attributes of the left side stay: its rows come as they came. */
struct join_tree *join_tree_of_list(struct arena *a, const struct bind_source *left, const struct type *right,
                                    const struct correlate_body *list)
{
    struct join_tree *t = ARENA_NEW(a, struct join_tree);
    struct correlate_body *body = ARENA_NEW(a, struct correlate_body), inner;
    const struct type *l = left->scope.row;

    *body = *list;
    *t = (struct join_tree){.kind = list->left ? REL_JOIN_LEFT : REL_JOIN_INNER,
                            .rels = {left->rel},
                            .trees = {left->join},
                            .left = l->child_count,
                            .as_of = -1,
                            .names = unique_names(a, l, right),
                            .list = body};
    body->names = t->names;
    inner = *body;
    inner.left = false;
    t->pair = rel_correlate_row(a, l, &inner);
    t->row = rel_correlate_row(a, l, body);
    return t;
}

void join_tree_add(struct join_tree *t, struct arena *a, struct expr *condition)
{
    struct conditions c = {t->count, t->capacity, t->conditions};

    conditions_add_parts(a, &c, condition);
    t->count = c.count;
    t->capacity = c.capacity;
    t->conditions = c.items;
}

/* --- expressions over other rows --------------------------------------------------------------------------------- */
/* Columns from `first` on are `by` further in the other row. */
static struct expr *rebased(const struct expr_maker *m, const struct expr *x, const struct type *row, uint32_t first,
                            int by)
{
    struct expr *copy = ARENA_NEW(m->a, struct expr);

    if (x->kind == EXPR_COLUMN) return expr_column(m, row, (uint32_t)((int)x->col + (x->col >= first ? by : 0)));
    *copy = *x;
    copy->args = ARENA_ARRAY(m->a, struct expr *, x->count + 1);
    for (uint32_t i = 0; i < x->count; i++) copy->args[i] = rebased(m, x->args[i], row, first, by);
    return copy;
}

/* Whose columns does it read? */
static uint32_t sides_of(const struct expr *x, uint32_t left)
{
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    uint32_t sides = 0;

    expr_columns(x, bits);
    for (uint32_t i = 0; i < TYPE_FIELDS_MAX; i++)
        if (bit_get(bits, i)) sides |= i < left ? LEFT : RIGHT;
    return sides;
}

/* --- who takes a condition --------------------------------------------------------------------------------------- */
static void hand_down(const struct expr_maker *m, const struct join_tree *t, struct expr *x, uint32_t side,
                      struct conditions *below)
{
    const struct type *row = t->trees[side] != NULL ? t->trees[side]->row : t->rels[side]->row;

    conditions_add(m->a, &below[side], rebased(m, x, row, 0, side == 0 ? 0 : -(int)t->left));
}

/* *above keeps what must be evaluated above the join. */
static void split_above(const struct expr_maker *m, const struct join_tree *t, struct conditions *above,
                        struct conditions *on, struct conditions *below)
{
    struct conditions rest = {0};

    for (uint32_t i = 0; i < above->count; i++) {
        struct expr *x = above->items[i];
        uint32_t sides = sides_of(x, t->left);
        bool stays = x->det == FN_RANDOM;
        if (t->kind == REL_JOIN_INNER && !stays)
            conditions_add(m->a, on, x);
        else if (t->kind == REL_JOIN_LEFT && sides == LEFT && !stays)
            hand_down(m, t, x, 0, below);
        else if (t->kind == REL_JOIN_RIGHT && sides == RIGHT && !stays)
            hand_down(m, t, x, 1, below);
        else
            conditions_add(m->a, &rest, x);
    }
    *above = rest;
}

static void split_on(const struct expr_maker *m, const struct join_tree *t, struct conditions *on,
                     struct conditions *below)
{
    bool drops[] = {t->kind == REL_JOIN_INNER || t->kind == REL_JOIN_RIGHT,
                    t->kind == REL_JOIN_INNER || t->kind == REL_JOIN_LEFT};
    struct conditions rest = {0};

    for (uint32_t i = 0; i < on->count; i++) {
        struct expr *x = on->items[i];
        uint32_t sides = x->det == FN_RANDOM ? 0 : sides_of(x, t->left);
        if (sides == LEFT && drops[0])
            hand_down(m, t, x, 0, below);
        else if (sides == RIGHT && drops[1] && t->list == NULL && (t->as_of < 0 || t->is_lookup))
            hand_down(m, t, x, 1, below);
        else
            conditions_add(m->a, &rest, x);
    }
    *on = rest;
}

/* --- keys -------------------------------------------------------------------------------------------------------- */
static uint32_t key_column(struct keys *k, uint32_t side, struct expr *x, uint32_t columns)
{
    if (x->kind == EXPR_COLUMN) return x->col;
    for (uint32_t i = 0; i < k->computed[side]; i++)
        if (expr_equal(k->items[side][i], x)) return columns + i;
    k->items[side][k->computed[side]] = x;
    return columns + k->computed[side]++;
}

/* Makes it a key when it is an equation of the two sides in a type that is hashed. */
static bool take_key(const struct expr_maker *m, const struct join_tree *t, const struct type *const rows[2],
                     struct expr *x, struct keys *k)
{
    bool null_safe = x->kind == EXPR_CALL && strcmp(x->call->def->name, "IS NOT DISTINCT FROM") == 0;
    struct expr *sides[2];
    struct err inner = {0};

    if (x->kind != EXPR_CALL || x->det == FN_RANDOM || (!null_safe && strcmp(x->call->def->name, "=") != 0))
        return false;
    uint32_t first = sides_of(x->args[0], t->left), second = sides_of(x->args[1], t->left);
    if (first + second != LEFT + RIGHT || first == 0 || second == 0) return false;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t side = (i == 0 ? first : second) == RIGHT;
        sides[side] = rebased(m, x->args[i], rows[side], 0, side == 0 ? 0 : -(int)t->left);
    }
    const struct type *common = type_common(m->a, sides[0]->type, sides[1]->type);
    bool texts = type_is_string(sides[0]->type) && type_is_string(sides[1]->type);
    if (common == NULL || common->phys == P_LIST || common->phys == P_ROW) return false;
    for (uint32_t i = 0; i < 2 && !texts; i++)
        if (expr_cast(m, sides[i], type_with_null(m->a, common, sides[i]->type->nullable), false, &sides[i], &inner) !=
            S_OK)
            return false;
    for (uint32_t i = 0; i < 2; i++) k->cols[i][k->count] = key_column(k, i, sides[i], rows[i]->child_count);
    k->null_safe[k->count++] = null_safe;
    return true;
}

static void keys_find(const struct expr_maker *m, const struct join_tree *t, const struct type *const rows[2],
                      struct conditions *on, struct keys *k)
{
    struct conditions rest = {0};

    for (uint32_t i = 0; i < 2; i++) {
        k->cols[i] = ARENA_ARRAY(m->a, uint32_t, on->count + 1);
        k->items[i] = ARENA_ARRAY(m->a, struct expr *, on->count + 1);
    }
    k->null_safe = ARENA_ARRAY(m->a, bool, on->count + 1);
    for (uint32_t i = 0; i < on->count; i++)
        if (k->count == OP_KEYS_MAX || !take_key(m, t, rows, on->items[i], k)) conditions_add(m->a, &rest, on->items[i]);
    *on = rest;
}

/* --- plans ------------------------------------------------------------------------------------------------------- */
static void filtered(const struct expr_maker *m, const struct conditions *c, struct rel **r)
{
    struct calc_body calc = {.condition = conditions_all(m, c)};

    if (calc.condition != NULL) *r = rel_calc(m->a, *r, &calc, NULL);
}

/* The columns of r, and behind them those that are computed. */
static struct rel *with_computed(const struct expr_maker *m, struct rel *r, const struct keys *k, uint32_t side)
{
    uint32_t n = r->row->child_count, count = n + k->computed[side];
    struct expr **columns = ARENA_ARRAY(m->a, struct expr *, count + 1);
    const char **names = ARENA_ARRAY(m->a, const char *, count + 1);

    if (k->computed[side] == 0) return r;
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = i < n ? expr_column(m, r->row, i) : k->items[side][i - n];
        names[i] = i < n ? r->row->names[i] : arena_printf(m->a, "$f%u", i);
    }
    return rel_calc(m->a, r, &(struct calc_body){.count = count, .columns = columns}, names);
}

/* Without the columns that were computed for keys. */
static struct rel *without_computed(const struct expr_maker *m, const struct join_tree *t, struct rel *join,
                                    const struct keys *k)
{
    uint32_t n = t->row->child_count;
    struct expr **columns = ARENA_ARRAY(m->a, struct expr *, n + 1);

    if (k->computed[0] + k->computed[1] == 0) return join;
    for (uint32_t i = 0; i < n; i++) columns[i] = expr_column(m, join->row, i < t->left ? i : i + k->computed[0]);
    return rel_calc(m->a, join, &(struct calc_body){.count = n, .columns = columns}, t->names);
}

/* Conditions on the times of both sides that bound how far they lie apart go from *on to *taken when they do so on both ends. */
static void bounds_find(const struct expr_maker *m, const struct join_tree *t, const struct type *const rows[2], struct conditions *on,
                        struct conditions *taken, struct time_bounds *b)
{
    struct conditions rest = {0};

    *b = (struct time_bounds){0};
    *taken = (struct conditions){0};
    if (t->kind == REL_JOIN_SEMI || t->kind == REL_JOIN_ANTI || t->as_of >= 0) return;
    for (uint32_t i = 0; i < on->count; i++)
        conditions_add(m->a, time_bounds_take(m, rows, t->left, on->items[i], b) ? taken : &rest, on->items[i]);
    if (time_bounds_are_closed(b)) *on = rest;
}

/* The condition above the columns that are computed for keys. */
static struct expr *pair_condition(const struct expr_maker *m, const struct join_tree *t, struct rel *const sides[2],
                                   const char *const *names, const struct conditions *on, uint32_t computed)
{
    struct expr *x = conditions_all(m, on);

    if (x == NULL) return NULL;
    const struct type *pair = rel_join_row(m->a, REL_JOIN_INNER, sides[0]->row, sides[1]->row, names);
    return rebased(m, x, pair, t->left, (int)computed);
}

/* Conditions that wait for something outside are asked behind the join; where rows come without a partner, that is too late, as in Flink. */
static enum status async_take(const struct expr_maker *m, const struct join_tree *t, struct conditions *on, struct conditions *behind,
                              struct err *e)
{
    struct conditions rest = {0};

    *behind = (struct conditions){0};
    for (uint32_t i = 0; i < on->count; i++)
        conditions_add(m->a, expr_is_async(on->items[i]) ? behind : &rest, on->items[i]);
    if (behind->count == 0) return S_OK;
    *on = rest;
    if (t->kind == REL_JOIN_INNER) return S_OK;
    err_hint(e, "compute it in a query below the join");
    return err_set(e, E_UNSUPPORTED, "AsyncScalarFunction not supported for non inner join condition");
}

static struct keys keys_copied(struct arena *a, const struct keys *k)
{
    struct keys copy = *k;

    for (uint32_t i = 0; i < 2; i++) {
        copy.cols[i] = ARENA_ARRAY(a, uint32_t, k->count + 1);
        memcpy(copy.cols[i], k->cols[i], sizeof *k->cols[i] * k->count);
    }
    copy.null_safe = ARENA_ARRAY(a, bool, k->count + 1);
    memcpy(copy.null_safe, k->null_safe, sizeof *k->null_safe * k->count);
    return copy;
}

static struct join_body with_keys(struct join_body body, const struct keys *k)
{
    body.key_count = k->count;
    body.keys[0] = k->cols[0];
    body.keys[1] = k->cols[1];
    body.null_safe = k->null_safe;
    return body;
}

static enum status join_make(const struct expr_maker *m, const struct join_tree *t, struct rel *sides[2],
                             struct conditions *on, struct rel **out, struct err *e)
{
    const struct type *rows[] = {sides[0]->row, sides[1]->row};
    struct conditions shown, behind;
    struct time_bounds bounds;
    struct keys k = {0};

    bounds_find(m, t, rows, on, &shown, &bounds);
    keys_find(m, t, rows, on, &k);
    TRY(async_take(m, t, on, &behind, e));
    bool is_by_time = t->as_of >= 0 || time_bounds_are_closed(&bounds);
    const struct keys all = keys_copied(m->a, &k);
    uint32_t keys = is_by_time ? k.count : window_join_keys(sides, k.cols, k.null_safe, k.count);
    bool is_windowed = keys < k.count;
    k.count = keys;
    struct join_body body = {
        .kind = t->kind, .key_count = k.count, .keys = {k.cols[0], k.cols[1]}, .null_safe = k.null_safe};
    body.names = t->names;
    body.ttl[0] = t->ttl[0];
    body.ttl[1] = t->ttl[1];
    body.hints = t->hints;
    if (k.computed[0] + k.computed[1] > 0) {
        for (uint32_t i = 0; i < 2; i++) sides[i] = with_computed(m, sides[i], &k, i);
        body.names = unique_names(m->a, sides[0]->row, sides[1]->row);
    }
    body.condition = pair_condition(m, t, sides, body.names, on, k.computed[0]);
    struct interval_join_body timed = {.join = body,
                                       .processing_time = bounds.processing_time,
                                       .times = {bounds.times[0], bounds.times[1]},
                                       .lower_ms = bounds.lower_ms,
                                       .upper_ms = bounds.upper_ms};
    for (uint32_t i = 0; i < on->count; i++) conditions_add(m->a, &shown, on->items[i]);
    timed.shown = pair_condition(m, t, sides, body.names, &shown, k.computed[0]);
    struct lookup_join_body lookup = {.join = body, .hint = t->lookup};
    struct rel *join;
    if (t->is_lookup) TRY(rel_lookup_make(m, sides[1], &lookup, e));
    if (t->is_lookup) join = rel_lookup_join(m->a, sides[0], &lookup);
    else if (t->as_of >= 0) join = rel_temporal_join(m->a, sides[0], sides[1], &(struct temporal_join_body){body, (uint32_t)t->as_of});
    else if (time_bounds_are_closed(&bounds)) join = rel_interval_join(m->a, sides[0], sides[1], &timed);
    else if (is_windowed) join = rel_window_join(m->a, sides[0], sides[1], &(struct window_join_body){body, with_keys(body, &all)});
    else join = rel_join(m->a, sides[0], sides[1], &body);
    *out = without_computed(m, t, join, &k);
    filtered(m, &behind, out);
    return S_OK;
}

/* Elements that ON drops are dropped above, but where a row without any must come alone. */
static enum status list_make(const struct expr_maker *m, const struct join_tree *t, struct rel *left, const struct conditions *on,
                             struct rel **out, struct err *e)
{
    struct correlate_body body = *t->list;
    struct conditions inside = *on, behind;

    if (body.left) TRY(async_take(m, t, &inside, &behind, e));
    if (body.left) body.condition = conditions_all(m, &inside);
    *out = rel_correlate(m->a, left, &body);
    if (!body.left) filtered(m, on, out);
    return S_OK;
}

/* What is wrong with the join is said at it. */
static enum status make(const struct expr_maker *m, const struct join_tree *t, struct rel *sides[2], struct conditions *on,
                        struct rel **out, struct err *e)
{
    struct err inner = {0};
    enum status st = t->list != NULL ? list_make(m, t, sides[0], on, out, &inner) : join_make(m, t, sides, on, out, &inner);

    if (st != S_OK) return plan_fail(e, t->said, &inner);
    if (t->said != NULL) rel_say(*out, t->said);
    return S_OK;
}

static enum status plan(const struct expr_maker *m, struct join_tree *t, struct conditions *above, struct rel **out,
                        struct err *e)
{
    struct conditions on = {t->count, t->capacity, t->conditions}, below[2] = {{0}, {0}};
    struct rel *sides[2];

    split_above(m, t, above, &on, below);
    split_on(m, t, &on, below);
    for (uint32_t i = 0; i < (t->list != NULL ? 1u : 2u); i++) {
        sides[i] = t->rels[i];
        if (t->trees[i] != NULL) TRY(plan(m, t->trees[i], &below[i], &sides[i], e));
        filtered(m, &below[i], &sides[i]);
    }
    return make(m, t, sides, &on, out, e);
}

enum status join_tree_plan(const struct expr_maker *m, struct join_tree *t, struct expr **above, struct rel **out,
                           struct err *e)
{
    struct conditions c = {0};

    conditions_add_parts(m->a, &c, *above);
    TRY(plan(m, t, &c, out, e));
    *above = conditions_all(m, &c);
    return S_OK;
}
