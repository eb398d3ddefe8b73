/* group_calls.c - aggregate calls of a group aggregation. Rows that add and rows that are taken back (-U, -D) go to the call's two
 * hooks as lists; FILTER shortens the lists, DISTINCT lets a value pass when the first row of it comes or its last one goes.
 * Calls of the same argument, FILTER and DISTINCT share these lists; all DISTINCT calls of a column share what they have to know
 * (group_distinct.h). */
#include "flow/operator/group_calls.h"

#include "columns/function/fn.h"
#include "flow/operator/group_names.h"
#include "ground/base/str.h"

#include <string.h>

/* --- reading ----------------------------------------------------------------------------------------------------- */
static uint32_t first_like(const struct text_list *l, uint32_t i)
{
    uint32_t k = 0;

    while (strcmp(l->items[k], l->items[i]) != 0) k++;
    return k;
}

/* Argument and filter: columns of the input; of parts that are merged only the argument's type is known, and equal ones by the first call
 * that has it. */
static enum status columns_read(struct arena *a, const struct op_plan *p, const struct group_config *c, uint32_t i, struct group_call *out,
                                struct err *e)
{
    const struct type *in = p->inputs[0];
    int argument;

    out->filter = -1;
    if (c->merges) {
        out->agg.col = first_like(&c->arguments, i);
        if (c->filters.items[i][0] != '\0') out->filter = (int)first_like(&c->filters, i);
        if (c->types.items[i][0] == '\0') return S_OK;
        return type_parse(a, str_of(c->types.items[i]), &out->agg.argument, e);
    }
    TRY(op_plan_optional_field(p, 0, c->arguments.items[i], &argument, e));
    TRY(op_plan_optional_field(p, 0, c->filters.items[i], &out->filter, e));
    if (out->filter >= 0 && in->children[out->filter]->kind != T_BOOLEAN)
        return err_set(e, E_GRAPH, "FILTER column '%s' is not BOOLEAN", c->filters.items[i]);
    out->agg.col = argument >= 0 ? (uint32_t)argument : 0;
    out->agg.argument = argument >= 0 ? in->children[argument] : NULL;
    return S_OK;
}

enum status group_call_read(struct arena *a, const struct op_plan *p, const struct group_config *c, uint32_t i, struct group_call *out,
                            struct err *e)
{
    out->agg.type = agg_find(str_of(c->functions.items[i]));
    if (out->agg.type == NULL && p->users != NULL) out->agg.type = p->users->aggregate(p->users->arg, str_of(c->functions.items[i]));
    if (out->agg.type == NULL) return err_set(e, E_CONFIG, "unknown aggregate '%s'", c->functions.items[i]);
    TRY(columns_read(a, p, c, i, out, e));
    out->is_distinct = strcmp(c->distinct.items[i], "true") == 0;
    if (out->is_distinct && out->agg.argument == NULL) return err_set(e, E_GRAPH, "DISTINCT needs an argument");
    if (i < c->parameters.count && c->parameters.items[i][0] == '=') out->agg.parameter = c->parameters.items[i] + 1;
    TRY(out->agg.type->bind(&out->agg, a, e));
    if (!c->retracts || out->agg.type->retract != NULL || out->agg.keep != AGG_KEEP_NOTHING) return S_OK;
    out->agg.keep = out->agg.type->keep;
    if (out->agg.keep != AGG_KEEP_NOTHING) return S_OK;
    if (out->agg.type->open == NULL)
        return err_set(e, E_UNSUPPORTED, "%s over rows that are updated or deleted is not supported yet", out->agg.type->name);
    err_hint(e, "give it .retract, or TW_SQL_KEEPS_VALUES");
    return err_set(e, E_GRAPH, "function '%s' has no .retract, but its rows may be updated, be deleted or leave the window", out->agg.type->name);
}

/* Do two calls get the same rows? */
static bool shares_rows(const struct group_call *x, const struct group_call *y)
{
    if (x->filter != y->filter || x->is_distinct != y->is_distinct || (x->agg.argument == NULL) != (y->agg.argument == NULL)) return false;
    if (x->agg.argument != NULL && x->agg.col != y->agg.col) return false;
    return (x->agg.keep != AGG_KEEP_NOTHING) == (y->agg.keep != AGG_KEEP_NOTHING) && x->agg.type->keeps_null == y->agg.type->keeps_null;
}

static uint32_t leader_of(const struct group_call *calls, uint32_t i)
{
    uint32_t k = 0;

    while (!shares_rows(&calls[k], &calls[i])) k++;
    return k;
}

/* The set of call i, and its slot there: of the first call of that column whose set has room for it. */
static void set_find(struct group_call *calls, uint32_t i, uint32_t *slots)
{
    struct group_call *call = &calls[i];

    call->set = call->leader;
    if (call->leader != i) {
        call->set = calls[call->leader].set;
        return;
    }
    for (uint32_t k = 0; k < i; k++) {
        bool is_set = calls[k].is_distinct && calls[k].set == k && calls[k].agg.col == call->agg.col;
        if (!is_set || slots[k] == DISTINCT_SLOTS) continue;
        call->set = k;
        break;
    }
    call->slot = slots[call->set]++;
}

/* Of parts: where the values of each set stand, behind the words. */
static void sets_place(struct group_call *calls, uint32_t count, uint32_t at, bool retracts)
{
    for (uint32_t set = group_set_next(calls, count, 0); set < count; set = group_set_next(calls, count, set + 1)) {
        for (uint32_t i = set; i < count; i++)
            if (calls[i].is_distinct && calls[i].set == set) calls[i].agg.col = at;
        at += 1 + (retracts ? group_set_slots(calls, count, set) : 1);
    }
}

enum status group_calls_read(struct arena *a, const struct op_plan *p, const struct group_config *c, struct group_call **calls,
                             struct err *e)
{
    uint32_t n = c->functions.count, field = 1, slots[GROUP_CALLS_MAX] = {0}; /* field 0 counts rows */

    if (n > GROUP_CALLS_MAX) return err_set(e, E_GRAPH, "at most %d aggregates are computed at once", GROUP_CALLS_MAX);
    if (c->arguments.count != n || c->filters.count != n || c->distinct.count != n || c->names.count != n ||
        (c->parameters.count != 0 && c->parameters.count != n) || (c->merges && c->types.count != n))
        return err_set(e, E_CONFIG, "lists of aggregates of different length");
    *calls = ARENA_ARRAY(a, struct group_call, MAX(n, 1u));
    for (uint32_t i = 0; i < n; i++) {
        TRY(group_call_read(a, p, c, i, &(*calls)[i], e));
        (*calls)[i].leader = leader_of(*calls, i);
        if ((*calls)[i].is_distinct) set_find(*calls, i, slots);
        (*calls)[i].first_field = field;
        field += (*calls)[i].agg.words;
    }
    if (c->merges) sets_place(*calls, n, p->key_count[0] + field, c->retracts);
    return S_OK;
}

enum status group_calls_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct group_config *c = config;
    uint32_t keys = p->key_count[0], n = keys + c->functions.count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n);
    const char **names = ARENA_ARRAY(p->arena, const char *, n);
    struct group_call *calls;

    TRY(group_calls_read(p->arena, p, c, &calls, e));
    for (uint32_t i = 0; i < keys; i++) {
        types[i] = p->inputs[0]->children[p->keys[0][i]];
        names[i] = p->inputs[0]->names[p->keys[0][i]];
    }
    for (uint32_t i = keys; i < n; i++) {
        types[i] = calls[i - keys].agg.result;
        names[i] = c->names.items[i - keys];
    }
    p->outputs[0] = type_row(p->arena, n, names, types, false);
    p->output_count = 1;
    return S_OK;
}

void group_calls_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct group_config *c = config;
    struct group_call *calls;

    (void)outputs;
    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    if (group_calls_read(p->arena, p, c, &calls, NULL) != S_OK) return;
    for (uint32_t i = 0; c->merges && i < p->inputs[0]->child_count; i++) bit_set(inputs[0], i);
    for (uint32_t i = 0; !c->merges && i < c->functions.count; i++) {
        if (calls[i].agg.argument != NULL) bit_set(inputs[0], calls[i].agg.col);
        if (calls[i].filter >= 0) bit_set(inputs[0], (uint32_t)calls[i].filter);
    }
}

uint32_t group_set_next(const struct group_call *calls, uint32_t count, uint32_t from)
{
    while (from < count && !(calls[from].is_distinct && calls[from].set == from)) from++;
    return from;
}

uint32_t group_set_slots(const struct group_call *calls, uint32_t count, uint32_t set)
{
    uint32_t slots = 0;

    for (uint32_t i = set; i < count; i++) slots += calls[i].is_distinct && calls[i].set == set && calls[i].leader == i;
    return slots;
}

const struct type *group_parts_row(struct arena *a, const struct op_plan *p, const uint32_t *keys, uint32_t key_count, uint32_t words,
                                   const struct group_call *calls, uint32_t count, bool retracts)
{
    uint32_t n = key_count + words;

    for (uint32_t set = group_set_next(calls, count, 0); set < count; set = group_set_next(calls, count, set + 1))
        n += 1 + (retracts ? group_set_slots(calls, count, set) : 1);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n);
    const char **names = ARENA_ARRAY(a, const char *, n);

    for (uint32_t i = 0; i < key_count; i++) {
        types[i] = p->inputs[0]->children[keys[i]];
        names[i] = p->inputs[0]->names[keys[i]];
    }
    for (uint32_t i = 0; i < words; i++) {
        types[key_count + i] = type_new(a, T_BIGINT, 0, 0, false);
        names[key_count + i] = arena_printf(a, "$part%u", i);
    }
    uint32_t at = key_count + words;
    for (uint32_t set = group_set_next(calls, count, 0); set < count; set = group_set_next(calls, count, set + 1)) {
        types[at] = type_with_null(a, calls[set].agg.argument, true);
        names[at++] = arena_printf(a, "$value%u", set);
        for (uint32_t k = 0; k < (retracts ? group_set_slots(calls, count, set) : 1); k++) {
            types[at] = type_new(a, T_BIGINT, 0, 0, false);
            names[at++] = arena_printf(a, "$value%u_%u", set, k);
        }
    }
    return type_row(a, n, names, types, false);
}

const struct type *group_words_row(struct arena *a, uint32_t count)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, count);
    const char **names = ARENA_ARRAY(a, const char *, count);

    for (uint32_t i = 0; i < count; i++) {
        types[i] = type_new(a, T_BIGINT, 0, 0, false);
        names[i] = i == 0 ? "rows" : arena_printf(a, "w%u", i);
    }
    return type_row(a, count, names, types, false);
}

const struct type *group_home_row(struct arena *a, const struct group_config *c, struct group_call *calls, bool retracts)
{
    const struct type *plain = group_acc_row(a, 1, c, calls);
    uint32_t words = plain->child_count, count = c->functions.count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, words + count);
    const char **names = ARENA_ARRAY(a, const char *, words + count);
    uint32_t n = words;

    memcpy(types, plain->children, sizeof *types * words);
    memcpy(names, plain->names, sizeof *names * words);
    for (uint32_t i = 0; i < count; i++) {
        if (!group_keep_is_one(&calls[i].agg, retracts)) continue;
        calls[i].home.field = n;
        types[n] = type_with_null(a, calls[i].agg.argument, true);
        names[n] = arena_printf(a, "%s value", group_call_text(a, c, i));
        n++;
    }
    return type_row(a, n, names, types, false);
}

/* --- DISTINCT ---------------------------------------------------------------------------------------------------- */
void group_set_read(const struct group_call *calls, uint32_t count, uint32_t set, struct group_distinct *d)
{
    d->col = calls[set].agg.col;
    d->parts = -1;
    d->slots = 0;
    for (uint32_t i = set; i < count; i++) {
        if (!calls[i].is_distinct || calls[i].set != set || calls[i].leader != i) continue;
        d->filters[d->slots] = calls[i].filter;
        d->nulls[d->slots] = calls[i].agg.type->keeps_null;
        d->slots++;
    }
}

static enum status distinct_open(struct op_cx *cx, const struct group_config *c, struct group_call *calls, uint32_t set, uint32_t number,
                                 const struct state_def *group, bool is_counted)
{
    struct group_distinct *d = calls[set].distinct = mem_zalloc(cx->mem, sizeof *d);
    struct arena *a = cx->plan->arena;

    group_set_read(calls, c->functions.count, set, d);
    d->is_counted = is_counted;
    if (c->merges) d->parts = (int)d->col + 1;
    d->def.name = group_table_name(a, "distinct", c, set, number);
    return group_distinct_open(d, cx, calls[set].agg.argument, group_distinct_column(a, c, calls, set), group);
}

enum status group_calls_open(struct op_cx *cx, const struct group_config *c, struct group_call *calls, uint32_t count,
                             uint32_t number, const struct state_def *group, bool merges)
{
    for (uint32_t i = 0; i < count; i++) {
        struct group_call *call = &calls[i];
        call->err = cx->err;
        if (call->agg.type->open != NULL) TRY(call->agg.type->open(&call->agg, cx->mem, cx->err));
        if (call->is_distinct && call->set == i)
            TRY(distinct_open(cx, c, calls, i, number, group, c->retracts || merges));
        if (call->agg.keep != AGG_KEEP_NOTHING)
            TRY(group_keep_open(&call->keep, cx, &call->agg, group_table_name(cx->plan->arena, "values", c, i, number), group, c->retracts,
                                call->home));
    }
    return S_OK;
}

bool group_calls_hold(const struct group_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].is_distinct || calls[i].agg.keep != AGG_KEEP_NOTHING) return true;
    return false;
}

enum status group_calls_forget(struct group_call *calls, uint32_t count, int64_t ns, const struct state_keys *keys)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; calls[i].keep != NULL && k < keys->count; k++) group_keep_clear(calls[i].keep, k);
        if (calls[i].distinct == NULL) continue;
        TRY(state_delete(calls[i].distinct->table, ns, keys));
        state_done(calls[i].distinct->table);
    }
    return S_OK;
}

enum status group_calls_delete(struct group_call *calls, uint32_t count, int64_t ns, const struct state_keys *keys)
{
    for (uint32_t i = 0; i < count; i++) {
        if (calls[i].keep != NULL) TRY(group_keep_delete(calls[i].keep, keys));
        if (calls[i].distinct == NULL) continue;
        TRY(state_delete(calls[i].distinct->table, ns, keys));
        state_done(calls[i].distinct->table);
    }
    return S_OK;
}

void group_calls_drop(struct group_call *calls, uint32_t count, int64_t ns)
{
    for (uint32_t i = 0; i < count; i++) {
        if (calls[i].distinct != NULL) state_drop(calls[i].distinct->table, ns);
        if (calls[i].keep != NULL) group_keep_drop(calls[i].keep, ns);
    }
}

void group_calls_close(struct op_cx *cx, struct group_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        group_keep_close(calls[i].keep, cx->mem);
        if (calls[i].agg.type->close != NULL) calls[i].agg.type->close(&calls[i].agg, cx->mem);
        if (calls[i].distinct == NULL) continue;
        group_distinct_close(calls[i].distinct);
        mem_free(cx->mem, calls[i].distinct);
    }
}

static bool counts(const struct group_call *call, const struct batch *in, uint32_t row)
{
    if (call->filter >= 0) {
        const struct vector *f = &in->cols[call->filter];
        if (vector_is_null(f, row) || !VECTOR_VALUES(vector_values(f), bool)[vector_at(f, row)]) return false;
    }
    if ((!call->is_distinct && call->keep == NULL) || call->agg.type->keeps_null) return true;
    return !vector_is_null(&in->cols[call->agg.col], row);
}

enum status group_calls_resolve(struct group_call *calls, uint32_t count, int64_t ns, const struct batch *in,
                                const struct state_keys *keys, const struct group_firsts *firsts, const uint64_t *restarts,
                                void *const *groups)
{
    struct group_firsts found;

    if (firsts == NULL && group_calls_hold(calls, count)) {
        group_firsts_find(&found, keys);
        firsts = &found;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (calls[i].distinct != NULL) TRY(group_distinct_resolve(calls[i].distinct, ns, in, firsts, restarts));
        if (calls[i].keep != NULL) TRY(group_keep_resolve(calls[i].keep, ns, &firsts->keys, firsts->key_of, keys->count, groups));
    }
    return S_OK;
}

enum status group_calls_resolve_kept(struct group_call *calls, uint32_t count, int64_t ns, const struct state_keys *keys, void *const *groups)
{
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].keep != NULL) TRY(group_keep_resolve(calls[i].keep, ns, keys, NULL, keys->count, groups));
    return S_OK;
}

/* --- applying ---------------------------------------------------------------------------------------------------- */
static void rows_find(const struct group_call *call, const struct batch *in, void *const *acc, uint32_t first, uint32_t n, bool adds,
                      struct group_rows *out)
{
    out->count = 0;
    for (uint32_t i = first; i < first + n; i++) {
        uint32_t row = batch_row(in, i);
        enum row_kind kind = batch_kind(in, row);
        if ((kind == ROW_INSERT || kind == ROW_UPDATE_AFTER) != adds || !counts(call, in, row)) continue;
        out->acc[out->count] = acc[i];
        out->at[out->count] = (uint16_t)i;
        out->rows[out->count++] = (uint16_t)row;
    }
}

static enum status call_apply(struct group_call *call, const struct batch *in, const struct group_rows *some, bool adds)
{
    const struct agg *a = &call->agg;
    const struct vector *v = a->argument != NULL ? &in->cols[a->col] : NULL;

    if (some->count == 0) return S_OK;
    if (call->keep != NULL) return adds ? group_keep_add(call->keep, in, some) : group_keep_retract(call->keep, in, some);
    if (adds) a->type->add(a, some->acc, v, some->rows, some->count);
    else a->type->retract(a, some->acc, v, some->rows, some->count);
    return S_OK;
}

/* The rows that bring a new value to a slot, or take one away. */
static void fresh_rows(const struct group_distinct *d, uint32_t slot, const struct batch *in, void *const *acc, struct group_rows *out)
{
    out->count = 0;
    for (uint32_t i = 0; i < d->fresh_count; i++) {
        uint32_t n = out->count, at = d->fresh_at[i];
        out->acc[n] = acc[at];
        out->at[n] = (uint16_t)at;
        out->rows[n] = (uint16_t)batch_row(in, at);
        out->count += (d->fresh[i] >> slot) & 1;
    }
}

/* All calls of a set, up to row `end`. */
static enum status distinct_apply(struct group_call *calls, uint32_t count, uint32_t set, const struct batch *in, void *const *acc,
                                  uint32_t end)
{
    struct group_distinct *d = calls[set].distinct;
    struct group_rows some;

    for (int adds = 1; adds >= (in->kinds == NULL && !(d->parts >= 0 && d->is_counted)); adds--) {
        group_distinct_take(d, in, end, adds);
        for (uint32_t c = set; c < count && d->fresh_any != 0; c++) {
            if (!calls[c].is_distinct || calls[c].set != set || calls[c].leader != c) continue;
            if (((d->fresh_any >> calls[c].slot) & 1) == 0) continue;
            fresh_rows(d, calls[c].slot, in, acc, &some);
            for (uint32_t k = c; k < count; k++)
                if (calls[k].leader == c) TRY(call_apply(&calls[k], in, &some, adds));
        }
    }
    group_distinct_pass(d, end);
    return S_OK;
}

/* Is nothing to be found out about its rows? */
static bool takes_all(const struct group_call *call, const struct batch *in, uint32_t first)
{
    if (in->kinds != NULL || call->filter >= 0 || call->is_distinct || call->keep != NULL) return false;
    return in->sel != NULL || first == 0;
}

enum status group_calls_apply(struct group_call *calls, uint32_t count, const struct batch *in, void *const *acc, uint32_t first,
                              uint32_t n)
{
    struct group_rows some;

    for (uint32_t c = 0; c < count; c++) {
        if (takes_all(&calls[c], in, first)) {
            const struct agg *a = &calls[c].agg;
            a->type->add(a, acc + first, &in->cols[a->col], in->sel != NULL ? in->sel + first : NULL, n);
            continue;
        }
        if (calls[c].distinct != NULL) TRY(distinct_apply(calls, count, c, in, acc, first + n));
        if (calls[c].leader != c || calls[c].is_distinct) continue;
        for (int adds = 1; adds >= (in->kinds == NULL); adds--) {
            rows_find(&calls[c], in, acc, first, n, adds, &some);
            for (uint32_t k = c; k < count; k++)
                if (calls[k].leader == c) TRY(call_apply(&calls[k], in, &some, adds));
        }
    }
    return group_calls_check(calls, count);
}

enum status group_calls_merge(struct group_call *calls, uint32_t count, void *const *acc, void *const *other, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) *state_word(acc[i], 0) += *state_word(other[i], 0);
    for (uint32_t c = 0; c < count; c++)
        if (!calls[c].is_distinct) calls[c].agg.type->merge(&calls[c].agg, acc, other, n);
    return group_calls_check(calls, count);
}

enum status group_calls_merge_values(struct group_call *calls, uint32_t count, const struct batch *in, void *const *acc, uint32_t end)
{
    for (uint32_t c = 0; c < count; c++)
        if (calls[c].distinct != NULL) TRY(distinct_apply(calls, count, c, in, acc, end));
    return group_calls_check(calls, count);
}

void group_call_results(const struct group_call *call, void *const *acc, uint32_t n, struct batch *out, uint32_t col, uint32_t first)
{
    const struct agg_type *type = call->agg.type;
    const struct agg_place to = {.out = &out->cols[col], .row = first, .heap = &out->heap, .mem = out->mem};

    if (type->results != NULL) type->results(&call->agg, acc, n, &to);
    else type->result(&call->agg, acc, n, &out->cols[col], first);
}

enum status group_calls_check(const struct group_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *failure = calls[i].agg.type->failure != NULL ? calls[i].agg.type->failure(&calls[i].agg) : NULL;
        if (failure != NULL) return err_set(calls[i].err, E_DATA, "%s", failure);
    }
    return S_OK;
}

void group_calls_done(struct group_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (calls[i].distinct != NULL) group_distinct_done(calls[i].distinct);
        if (calls[i].keep != NULL) group_keep_done(calls[i].keep);
    }
}
