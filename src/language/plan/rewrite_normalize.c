/* rewrite_normalize.c - conditions above a ChangelogNormalize go below it and into it, by Flink's rules (see rewrite.h). Those on the key
 * go below: all rows of a key share their answer. Others the node asks itself, so that it keeps no row for which they are not true.
 *
 * Several that read the same rows are one node with one state, as long as they ask the same. So they take only what is common to the
 * conditions above them all, and the rest stays where it is. Readers are those with a Calc right above; without a condition
 * there, nothing is common. As in Flink, the common ones end before the first that is an OR, and a sole condition that is all that one of
 * them asks stays above.
 *
 * It runs when conditions have come down as far as they go (rewrite_conditions.c): to the Calc above. */
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

/* A ChangelogNormalize and what the Calc above it asks. */
struct reader {
    struct rel *r;
    struct conditions asks;
    bool is_done;
    struct reader *next;
};

/* --- who reads what ------------------------------------------------------------------------------------------------- */
static struct reader **readers_find(struct arena *a, struct rel *r, struct reader **end)
{
    for (uint32_t i = 0; i < r->input_count; i++) {
        if (r->inputs[i]->type != &rel_normalize_type) {
            end = readers_find(a, r->inputs[i], end);
            continue;
        }
        if (r->type != &rel_calc_type) continue;
        *end = ARENA_NEW(a, struct reader);
        **end = (struct reader){.r = r->inputs[i]};
        conditions_add_parts(a, &(*end)->asks, ((const struct calc_body *)r->body)->condition);
        end = &(*end)->next;
    }
    return end;
}

static bool reads_same(const struct rel *x, const struct rel *y)
{
    const struct rel *s = source_below(x), *t = source_below(y);

    return x == y || (s->type == &rel_scan_type && t->type == &rel_scan_type && scan_equal(s, t));
}

static bool asks(const struct reader *r, const struct expr *x)
{
    for (uint32_t i = 0; i < r->asks.count; i++)
        if (expr_equal(r->asks.items[i], x)) return true;
    return false;
}

/* What the first and all behind it that read the same rows ask. */
static struct conditions *common_of(struct arena *a, const struct reader *first)
{
    struct conditions *out = ARENA_NEW(a, struct conditions);
    uint32_t least = first->asks.count;

    *out = (struct conditions){0};
    for (uint32_t i = 0; i < first->asks.count; i++) {
        struct expr *x = first->asks.items[i];
        bool by_all = true;
        for (const struct reader *o = first->next; o != NULL; o = o->next) {
            if (!reads_same(first->r, o->r)) continue;
            by_all &= asks(o, x);
            least = MIN(least, o->asks.count);
        }
        if (by_all && x->kind == EXPR_OR) break;
        if (by_all) conditions_add(a, out, x);
    }
    if (out->count == 1 && least == 1) out->count = 0;
    return out;
}

static void readers_settle(struct arena *a, struct reader *first)
{
    bool is_alone = true;

    for (struct reader *o = first->next; o != NULL; o = o->next) is_alone &= !reads_same(first->r, o->r);
    const struct conditions *takes = is_alone ? &first->asks : common_of(a, first);
    for (struct reader *o = first; o != NULL; o = o->next) {
        if (o->is_done || !reads_same(first->r, o->r)) continue;
        o->is_done = true;
        ((struct normalize_body *)(uintptr_t)o->r->body)->takes = takes;
    }
}

/* --- what goes where ------------------------------------------------------------------------------------------------- */
static bool is_key(const struct normalize_body *b, uint32_t col)
{
    for (uint32_t i = 0; i < b->key_count; i++)
        if (b->keys[i] == col) return true;
    return false;
}

static bool reads_keys(const struct rel *r, const struct expr *x)
{
    uint64_t read[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    expr_columns(x, read);
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(read, i) && !is_key(r->body, i)) return false;
    return true;
}

static bool takes(const struct normalize_body *b, const struct expr *x)
{
    if (x->det != FN_PURE || x->may_fail) return false;
    for (uint32_t i = 0; i < b->takes->count; i++)
        if (expr_equal(b->takes->items[i], x)) return true;
    return false;
}

/* The node with what it takes of the conditions; *c: what it does not. */
static struct rel *strengthened(struct arena *a, struct rel *r, struct conditions *c)
{
    struct expr_maker m = {.a = a};
    struct normalize_body body = *(const struct normalize_body *)r->body;
    struct conditions keys = {0}, own = {0}, rest = {0};
    struct rel *input = r->inputs[0];

    for (uint32_t i = 0; i < c->count; i++) {
        struct expr *x = c->items[i];
        conditions_add(a, !takes(&body, x) ? &rest : reads_keys(r, x) ? &keys : &own, x);
    }
    *c = rest;
    if (keys.count > 0)
        input = rewrite_conditions(
            a, rel_calc(a, input, &(struct calc_body){.condition = conditions_all(&m, &keys)}, NULL));
    if (own.count > 0) body.filter = calc_and(a, body.filter, conditions_all(&m, &own));
    return keys.count + own.count > 0 ? rel_normalize(a, input, &body) : r;
}

static struct rel *calc_rewrite(struct arena *a, struct rel *r)
{
    struct expr_maker m = {.a = a};
    struct calc_body body = *(const struct calc_body *)r->body;
    struct conditions c = {0};

    conditions_add_parts(a, &c, body.condition);
    struct rel *input = strengthened(a, r->inputs[0], &c);
    if (input == r->inputs[0]) return r;
    body.condition = conditions_all(&m, &c);
    return body.condition == NULL && body.count == 0 ? input : rel_calc(a, input, &body, r->row->names);
}

static struct rel *rewrite(struct arena *a, struct rel *r)
{
    struct rel **inputs, *out = r;
    bool changed = false;

    if (r->normalized != NULL) return r->normalized;
    if (r->type == &rel_calc_type && r->inputs[0]->type == &rel_normalize_type)
        return r->normalized = calc_rewrite(a, r);
    inputs = ARENA_ARRAY(a, struct rel *, r->input_count + 1);
    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = rewrite(a, r->inputs[i]);
        changed |= inputs[i] != r->inputs[i];
    }
    if (changed) out = rel_over_inputs(a, r, inputs, r->at_end);
    return r->normalized = out;
}

void rewrite_normalize(struct arena *a, struct rel **plans, uint32_t count)
{
    struct reader *readers = NULL, **end = &readers;

    for (uint32_t i = 0; i < count; i++) end = readers_find(a, plans[i], end);
    for (struct reader *r = readers; r != NULL; r = r->next)
        if (!r->is_done) readers_settle(a, r);
    for (uint32_t i = 0; readers != NULL && i < count; i++) plans[i] = rewrite(a, plans[i]);
}
