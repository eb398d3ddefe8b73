/* batch_join.c - which algorithm a join of batch mode is made by, with Flink's rules. Hints come first: the first one that fits the join
 * decides, and names the side that is kept. Else the first of these that is not disabled (table.exec.disabled-operators) and fits:
 *
 *   a hash table in each task of a side that takes no more bytes than table.optimizer.join.broadcast-threshold
 *   a hash table of the side that takes fewer bytes, both being spread by their keys
 *   sorting of both sides
 *   each row beside each other: also for joins without equal keys
 *
 * A side whose rows may come alone is not broadcast: each task would say it of them. How many bytes a side takes is a guess (rows.c).
 * What does not fit is not said: as in Flink such a hint is as if it were not there. */
#include "language/plan/batch_join_rel.h"

#include "flow/operator/join.h"
#include "ground/base/str.h"
#include "language/plan/rel_internal.h"

#include <string.h>

enum { LEFT, RIGHT, NO_SIDE };

struct choice {
    const struct rel *join;
    const struct join_body *b;
    const struct plan_settings *s;
    struct rel *const *inputs;
    double bytes[2];
    uint32_t hinted; /* the side that the hint names; NO_SIDE: there is none */
    struct batch_join_body out;
    const struct rel_type *type;
};

static bool is_disabled(const struct choice *c, enum batch_operator o) { return (c->s->disabled >> o & 1) != 0; }

/* Would rows of the side come alone? */
static bool is_outer(const struct choice *c, uint32_t side)
{
    switch ((enum rel_join_kind)c->b->kind) {
    case REL_JOIN_INNER: return false;
    case REL_JOIN_LEFT:
    case REL_JOIN_SEMI:
    case REL_JOIN_ANTI: return side == LEFT;
    case REL_JOIN_RIGHT: return side == RIGHT;
    case REL_JOIN_FULL: return true;
    }
    return true;
}

static bool has_pairs(const struct choice *c) { return c->b->kind != REL_JOIN_SEMI && c->b->kind != REL_JOIN_ANTI; }

/* --- algorithms: does it fit, and how? --------------------------------------------------------------------------- */
static void takes(struct choice *c, const struct rel_type *type, uint32_t build, bool is_broadcast)
{
    c->type = type;
    c->out = (struct batch_join_body){.join = *c->b, .build = (uint8_t)build, .is_broadcast = is_broadcast};
}

static bool broadcast_hash(struct choice *c)
{
    uint32_t build = c->hinted;

    if (c->b->key_count == 0 || is_disabled(c, BATCH_BROADCAST_HASH_JOIN)) return false;
    if (build == NO_SIDE) {
        bool left = !is_outer(c, LEFT), right = !is_outer(c, RIGHT);
        build = left && right ? (c->bytes[LEFT] < c->bytes[RIGHT] ? LEFT : RIGHT) : left ? LEFT : RIGHT;
        if (c->bytes[build] > (double)c->s->broadcast_bytes) return false;
    }
    if (is_outer(c, build)) return false;
    takes(c, &rel_hash_join_type, build, true);
    return true;
}

static bool shuffle_hash(struct choice *c)
{
    uint32_t build = c->hinted;

    if (c->b->key_count == 0 || is_disabled(c, BATCH_SHUFFLE_HASH_JOIN)) return false;
    if (build == NO_SIDE) {
        bool is_equal = !(c->bytes[LEFT] < c->bytes[RIGHT]) && !(c->bytes[LEFT] > c->bytes[RIGHT]);
        build = is_equal ? (has_pairs(c) ? LEFT : RIGHT) : c->bytes[LEFT] < c->bytes[RIGHT] ? LEFT : RIGHT;
    }
    takes(c, &rel_hash_join_type, build, false);
    return true;
}

/* Arrays, maps and rows have no order. */
static bool sort_merge(struct choice *c)
{
    if (c->b->key_count == 0 || is_disabled(c, BATCH_SORT_MERGE_JOIN)) return false;
    for (uint32_t i = 0; i < c->b->key_count; i++) {
        const struct type *t = c->inputs[0]->row->children[c->b->keys[0][i]];
        if (t->phys == P_LIST || t->phys == P_ROW) return false;
    }
    takes(c, &rel_sort_merge_join_type, LEFT, false);
    return true;
}

static bool has_one_row(const struct rel *r)
{
    for (uint32_t k = 0; k < r->key_count; k++)
        if (r->keys[k].count == 0) return true;
    return false;
}

/* The one side that may be broadcast, else the smaller one. */
static uint32_t smaller_side(const struct choice *c)
{
    if (is_outer(c, LEFT) != is_outer(c, RIGHT)) return is_outer(c, LEFT) ? RIGHT : LEFT;
    return c->bytes[LEFT] <= c->bytes[RIGHT] ? LEFT : RIGHT;
}

/* A side of one row: nobody minds that loops are disabled. */
static bool single_row(struct choice *c)
{
    for (uint32_t side = LEFT; side <= RIGHT && c->b->key_count == 0; side++) {
        if (is_outer(c, side) || !has_one_row(c->inputs[side])) continue;
        takes(c, &rel_nested_loop_join_type, side, true);
        c->out.is_single_row = true;
        return true;
    }
    return false;
}

static bool nested_loop(struct choice *c)
{
    if (is_disabled(c, BATCH_NESTED_LOOP_JOIN)) return false;
    uint32_t build = c->hinted != NO_SIDE ? c->hinted : smaller_side(c);
    takes(c, &rel_nested_loop_join_type, build, !is_outer(c, build));
    return true;
}

/* --- choosing ---------------------------------------------------------------------------------------------------- */
static const struct algorithm {
    const char *hint;
    bool (*fits)(struct choice *c);
} algorithms[] = {{"BROADCAST", broadcast_hash},
                  {"SHUFFLE_HASH", shuffle_hash},
                  {"SHUFFLE_MERGE", sort_merge},
                  {NULL, single_row},
                  {"NEST_LOOP", nested_loop}};

/* Flink takes no hints of semi and anti joins. */
static bool by_hint(struct choice *c)
{
    for (uint32_t i = 0; i < c->b->hints.count && has_pairs(c); i++) {
        c->hinted = c->b->hints.items[i].side;
        for (size_t k = 0; k < COUNT_OF(algorithms); k++) {
            bool is_it = algorithms[k].hint != NULL && strcmp(algorithms[k].hint, c->b->hints.items[i].name) == 0;
            if (is_it && algorithms[k].fits(c)) return true;
        }
    }
    c->hinted = NO_SIDE;
    return false;
}

static bool by_itself(struct choice *c)
{
    for (size_t k = 0; k < COUNT_OF(algorithms); k++)
        if (algorithms[k].fits(c)) return true;
    return false;
}

enum status batch_join(struct arena *a, const struct rel *join, struct rel *const *inputs, const struct plan_settings *s,
                       struct rel **out, struct err *e)
{
    struct choice c = {.join = join, .b = join->body, .s = s, .inputs = inputs, .hinted = NO_SIDE};

    for (uint32_t side = LEFT; side <= RIGHT; side++) c.bytes[side] = rel_bytes(inputs[side]);
    if (!by_hint(&c) && !by_itself(&c)) {
        err_hint(e, "'table.exec.disabled-operators' leaves none of those that could join here: %s",
                 c.b->key_count > 0 ? "BroadcastHashJoin, ShuffleHashJoin, SortMergeJoin, NestedLoopJoin" : "NestedLoopJoin");
        return err_set(e, E_UNSUPPORTED, "Cannot generate a valid execution plan for the given query");
    }
    struct batch_join_body *body = ARENA_NEW(a, struct batch_join_body);
    struct rel like = *join;
    *body = c.out;
    like.type = c.type;
    like.body = body;
    *out = rel_over_inputs(a, &like, inputs, true);
    return S_OK;
}

enum status batch_window_join(struct arena *a, const struct rel *join, struct rel *const *inputs, const struct plan_settings *s,
                              struct rel **out, struct err *e)
{
    const struct window_join_body *b = join->body;
    struct rel like = *join;

    like.body = &b->all;
    TRY(batch_join(a, &like, inputs, s, out, e));
    (*out)->window = join->window; /* rows say in the same columns which one they are of */
    return S_OK;
}

/* --- what the nodes share ---------------------------------------------------------------------------------------- */
void batch_join_derive(struct rel *r, struct arena *a) { join_derive_rows(r, a); }

int batch_join_distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct batch_join_body *b = r->body;

    if (r->type != &rel_nested_loop_join_type && !b->is_broadcast) return join_distribution(r, input, cols);
    if (!b->is_broadcast) return 0;
    return input == b->build ? DISTRIBUTION_BROADCAST : DISTRIBUTION_ANY;
}

void batch_join_edge(struct lowering *l, const struct rel *r, uint32_t from, uint32_t to, uint32_t input, bool by_keys)
{
    const struct join_body *b = r->body;
    const char **names = ARENA_ARRAY(l->a, const char *, b->key_count + 1);

    lower_edge(l, r, from, to, input);
    for (uint32_t i = 0; i < b->key_count; i++) names[i] = r->inputs[input]->row->names[b->keys[input][i]];
    if (by_keys) l->graph->edges[l->graph->edge_count - 1]->keys = (struct text_list){names, b->key_count};
}

static struct expr *equal(const struct expr_maker *m, const struct type *both, uint32_t left, uint32_t right, bool null_safe)
{
    struct expr *sides[] = {expr_column(m, both, left), expr_column(m, both, right)}, *out = NULL;
    struct err err = {0};

    enum status st = expr_call(m, null_safe ? STR("IS NOT DISTINCT FROM") : STR("="), sides, 2, &out, &err);
    ASSERT(st == S_OK); /* it was a key of a join */
    return out;
}

/* Equal keys and what is asked besides. */
static struct expr *whole_condition(const struct rel *r, struct arena *a)
{
    const struct join_body *b = r->body;
    const struct type *both = rel_join_row(a, REL_JOIN_INNER, r->inputs[0]->row, r->inputs[1]->row, b->names);
    struct expr_maker m = {.a = a};
    struct expr *all = NULL;

    for (uint32_t i = 0; i < b->key_count; i++)
        all = calc_and(a, all, equal(&m, both, b->keys[0][i], r->inputs[0]->row->child_count + b->keys[1][i], b->null_safe[i]));
    return calc_and(a, all, b->condition);
}

enum status batch_join_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, bool by_keys, uint32_t *node)
{
    const struct batch_join_body *body = r->body;
    const struct join_body *b = &body->join;
    struct join_config *c = graph_add_node(l->graph, op_find("join"), r->type->name, (struct graph_here){0})->config;
    struct expr *condition = by_keys ? b->condition : whole_condition(r, l->a);

    c->kind = join_operator_name((enum rel_join_kind)b->kind);
    c->names = (struct text_list){b->names, r->inputs[0]->row->child_count + r->inputs[1]->row->child_count};
    if (by_keys) c->null_safe = join_null_safe(l, b);
    if (condition != NULL) c->condition = lower_exprs(l, &condition, 1);
    c->zone = lower_zone(l);
    c->at_end = c->left_appends = c->right_appends = true;
    c->left_row = by_keys && join_is_one_row(r, 0);
    c->right_row = by_keys && join_is_one_row(r, 1);
    c->build = body->build == LEFT ? "left" : "right";
    c->everywhere = body->is_broadcast;
    c->spill = l->spill_joins;
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < 2; i++) batch_join_edge(l, r, inputs[i], *node, i, by_keys);
    return S_OK;
}
