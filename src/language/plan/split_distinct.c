/* split_distinct.c - DISTINCT aggregates of few groups with many values, in many tasks (table.optimizer.distinct-agg.split.enabled): a
 * GroupAggregate becomes one by its keys and a bucket of the DISTINCT argument (PARTIAL), and one of those groups by the keys (FINAL).
 * Equal values lie in one bucket, so that counts, sums, minima and maxima of buckets add up to those of all values.
 *
 * Where arguments of several columns are DISTINCT each row goes once to the buckets of each of them, and once more for the calls
 * without DISTINCT (Expand): a FILTER per call picks the rows that are its own. The final sum of counts over no rows is NULL where a count
 * is 0: a Calc on top says so.
 *
 * A call that cannot be put together that way (AVG, values that are kept, DISTINCT lists) leaves the whole node as it is. */
#include "columns/function/agg.h"
#include "ground/base/str.h"
#include "language/plan/aggregate_rel.h"
#include "language/plan/rel_internal.h"

#include <string.h>

enum { SETS_MAX = 32 };

struct split {
    struct arena *a;
    const struct rel *r;
    const struct aggregate_body *b;
    const struct type *in;
    uint32_t buckets;
    uint32_t column_count, columns[SETS_MAX]; /* of DISTINCT arguments */
    uint32_t sets;                            /* of Expand; 1: none is needed */
};

/* --- which nodes --------------------------------------------------------------------------------------------------- */
static const char *final_function(const char *name)
{
    static const char *const names[][2] = {{"count", "sum"}, {"sum", "sum"}, {"min", "min"}, {"max", "max"}};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i][0], name) == 0) return names[i][1];
    return NULL;
}

static bool is_plain(const struct type *t)
{
    return t->kind != T_ARRAY && t->kind != T_MAP && t->kind != T_MULTISET && t->kind != T_ROW;
}

static uint32_t column_of(const struct split *s, int argument)
{
    uint32_t k = 0;

    while (k < s->column_count && (int)s->columns[k] != argument) k++;
    return k;
}

static bool fits(struct split *s)
{
    bool has_others = false;

    if (s->r->type != &rel_aggregate_type || s->r->at_end || s->b->phase != AGGREGATE_WHOLE) return false;
    for (uint32_t i = 0; i < s->b->call_count; i++) {
        const struct aggregate_call *c = &s->b->calls[i];
        if (c->parameter != NULL || final_function(c->function) == NULL) return false;
        has_others |= !c->distinct;
        if (!c->distinct || column_of(s, c->argument) < s->column_count) continue;
        if (s->column_count == SETS_MAX || !is_plain(s->in->children[c->argument])) return false;
        s->columns[s->column_count++] = (uint32_t)c->argument;
    }
    s->sets = s->column_count > 1 ? s->column_count + has_others : 1;
    return s->column_count > 0 && s->b->key_count + s->column_count < OP_KEYS_MAX;
}

/* --- the rows of the partial groups -------------------------------------------------------------------------------- */
static struct expr *call_of(const struct split *s, struct str name, struct expr *x, struct expr *y)
{
    struct expr_maker m = {.a = s->a};
    struct expr *args[] = {x, y}, *out = NULL;
    struct err e = {0};

    enum status st = expr_call(&m, name, args, 2, &out, &e);
    ASSERT(st == S_OK); /* columns of these types always fit */
    return out;
}

static struct expr *number_of(const struct split *s, uint32_t n)
{
    struct expr_maker m = {.a = s->a};
    struct expr *out = NULL;
    struct err e = {0};

    enum status st = expr_constant(&m, type_new(s->a, T_INT, 0, 0, false), str_of(arena_printf(s->a, "%u", n)), &out,
                                   &e);
    ASSERT(st == S_OK);
    return out;
}

static struct expr *bucket_of(const struct split *s, uint32_t column)
{
    struct expr_maker m = {.a = s->a};

    return call_of(s, STR("$HASH_BUCKET"), expr_column(&m, s->in, s->columns[column]), number_of(s, s->buckets));
}

/* A name that no column of the row has. */
static const char *fresh_name(struct arena *a, const char *const *names, uint32_t count, const char *name)
{
    const char *out = name;

    for (uint32_t k = 0, again = 1; again; k++) {
        again = 0;
        for (uint32_t i = 0; i < count && !again; i++) again = strcmp(names[i], out) == 0;
        if (again) out = arena_printf(a, "%s_%u", name, k);
    }
    return out;
}

/* The input's columns, a bucket per DISTINCT argument and, with several sets, the set's number. */
static struct rel *bucketed(const struct split *s)
{
    uint32_t own = s->in->child_count, n = own + s->column_count + (s->sets > 1);
    struct expr **columns = ARENA_ARRAY(s->a, struct expr *, (size_t)n * s->sets);
    const char **names = ARENA_ARRAY(s->a, const char *, n);
    struct expr_maker m = {.a = s->a};

    for (uint32_t i = 0; i < n; i++) {
        const char *name = i < own ? s->in->names[i] : i < own + s->column_count ? arena_printf(s->a, "$f%u", i) : "$e";
        names[i] = i < own ? name : fresh_name(s->a, names, i, name);
    }
    for (uint32_t set = 0; set < s->sets; set++) {
        struct expr **at = columns + (size_t)set * n;
        for (uint32_t i = 0; i < own; i++) at[i] = expr_column(&m, s->in, i);
        for (uint32_t k = 0; k < s->column_count; k++)
            at[own + k] = s->sets == 1 || k == set ? bucket_of(s, k) : expr_null(&m, type_new(s->a, T_INT, 0, 0, true));
        if (s->sets > 1) at[n - 1] = number_of(s, set + 1);
    }
    if (s->sets == 1)
        return rel_calc(s->a, s->r->inputs[0], &(struct calc_body){.count = n, .columns = columns}, names);
    return rel_expand(s->a, s->r->inputs[0],
                      &(struct expand_body){.set_count = s->sets, .count = n, .columns = columns}, names);
}

/* Behind those of `below` a FILTER per call: rows of its set, and what it asks itself. */
static struct rel *filtered(const struct split *s, struct rel *below, int *filters)
{
    uint32_t own = below->row->child_count, n = own + s->b->call_count;
    struct expr **columns = ARENA_ARRAY(s->a, struct expr *, n);
    const char **names = ARENA_ARRAY(s->a, const char *, n);
    struct expr_maker m = {.a = s->a};
    struct err e = {0};

    for (uint32_t i = 0; i < own; i++) {
        columns[i] = expr_column(&m, below->row, i);
        names[i] = below->row->names[i];
    }
    for (uint32_t i = 0; i < s->b->call_count; i++) {
        const struct aggregate_call *c = &s->b->calls[i];
        uint32_t set = c->distinct ? column_of(s, c->argument) : s->column_count;
        struct expr *is_own = call_of(s, STR("="), expr_column(&m, below->row, own - 1), number_of(s, set + 1));
        struct expr *both[] = {is_own, c->filter >= 0 ? expr_column(&m, below->row, (uint32_t)c->filter) : NULL};
        enum status st = c->filter >= 0 ? expr_branch(&m, EXPR_AND, both, 2, &is_own, &e) : S_OK;
        ASSERT(st == S_OK);
        columns[own + i] = is_own;
        names[own + i] = fresh_name(s->a, names, own + i, arena_printf(s->a, "$g_%u", i));
        filters[i] = (int)(own + i);
    }
    return rel_calc(s->a, below, &(struct calc_body){.count = n, .columns = columns}, names);
}

/* --- the groups ---------------------------------------------------------------------------------------------------- */
static struct rel *partial(const struct split *s)
{
    struct aggregate_call *calls = ARENA_ARRAY(s->a, struct aggregate_call, s->b->call_count + 1);
    uint32_t *keys = ARENA_ARRAY(s->a, uint32_t, s->b->key_count + s->column_count + 1);
    int *filters = ARENA_ARRAY(s->a, int, s->b->call_count + 1);
    struct rel *in = bucketed(s);

    if (s->sets > 1) in = filtered(s, in, filters);
    memcpy(keys, s->b->keys, sizeof *keys * s->b->key_count);
    for (uint32_t k = 0; k < s->column_count; k++) keys[s->b->key_count + k] = s->in->child_count + k;
    for (uint32_t i = 0; i < s->b->call_count; i++) {
        calls[i] = s->b->calls[i];
        calls[i].name = arena_printf(s->a, "$p%u", i);
        if (s->sets > 1) calls[i].filter = filters[i];
    }
    struct aggregate_body body = *s->b;
    body.key_count += s->column_count;
    body.keys = keys;
    body.calls = calls;
    body.phase = AGGREGATE_PARTIAL;
    return rel_aggregate(s->a, in, &body);
}

static struct rel * final(const struct split *s, struct rel *in)
{
    struct aggregate_call *calls = ARENA_ARRAY(s->a, struct aggregate_call, s->b->call_count + 1);
    uint32_t *keys = ARENA_ARRAY(s->a, uint32_t, s->b->key_count + 1);

    for (uint32_t i = 0; i < s->b->key_count; i++) keys[i] = i;
    for (uint32_t i = 0; i < s->b->call_count; i++) {
        const struct aggregate_call *c = &s->b->calls[i];
        calls[i] = (struct aggregate_call){.function = final_function(c->function),
                                           .argument = (int)(s->b->key_count + s->column_count + i),
                                           .filter = -1,
                                           .result = type_with_null(s->a, c->result, true),
                                           .name = c->name};
    }
    struct aggregate_body body = *s->b;
    body.keys = keys;
    body.calls = calls;
    body.phase = AGGREGATE_FINAL;
    return rel_aggregate(s->a, in, &body);
}

static struct rel *counted(const struct split *s, struct rel *in)
{
    uint32_t n = s->r->row->child_count;
    struct expr **columns = ARENA_ARRAY(s->a, struct expr *, n + 1);
    struct expr_maker m = {.a = s->a};
    struct err e = {0};

    for (uint32_t i = 0; i < n; i++) {
        columns[i] = expr_column(&m, in->row, i);
        if (i < s->b->key_count || strcmp(s->b->calls[i - s->b->key_count].function, "count") != 0) continue;
        struct expr *args[] = {columns[i], NULL};
        enum status st = expr_constant(&m, type_new(s->a, T_BIGINT, 0, 0, false), STR("0"), &args[1], &e);
        if (st == S_OK) st = expr_branch(&m, EXPR_COALESCE, args, 2, &columns[i], &e);
        ASSERT(st == S_OK);
    }
    struct rel *out = rel_calc(s->a, in, &(struct calc_body){.count = n, .columns = columns}, s->r->row->names);
    out->row = s->r->row;
    return out;
}

struct rel *rel_split_distinct(struct arena *a, struct rel *r, uint32_t buckets)
{
    struct rel **inputs = ARENA_ARRAY(a, struct rel *, r->input_count + 1), *out = r;
    bool same = true;

    if (r->in_buckets != NULL) return r->in_buckets;
    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = rel_split_distinct(a, r->inputs[i], buckets);
        same &= inputs[i] == r->inputs[i];
    }
    if (!same && r->type == &rel_calc_type) { /* with a Calc below it is one */
        out = rel_calc(a, inputs[0], r->body, r->row->names);
        out->row = r->row;
    } else if (!same) {
        out = rel_over_inputs(a, r, inputs, r->at_end);
    }
    struct split s = {
        .a = a, .r = out, .b = out->body, .buckets = buckets, .in = out->input_count > 0 ? out->inputs[0]->row : NULL};
    if (fits(&s)) out = counted(&s, final(&s, partial(&s)));
    r->in_buckets = rel_say_as(out, r);
    return out;
}
