/* group_calls.c - aggregate calls of a group aggregation. Rows that add and rows that are taken back (-U, -D) go to the call's two
 * hooks as lists; FILTER shortens the lists, DISTINCT lets a value pass when the first row of it comes or its last one goes.
 * Calls of the same argument, FILTER and DISTINCT share these lists, and what DISTINCT has to know. */
#include "flow/operator/group_calls.h"

#include "columns/function/fn.h"
#include "ground/base/str.h"

#include <string.h>

/* --- reading ----------------------------------------------------------------------------------------------------- */
static enum status column_of(const struct op_plan *p, const char *name, int *col, struct err *e)
{
    *col = -1;
    if (name[0] == '\0') return S_OK;
    *col = op_plan_field(p, 0, name, e);
    return *col >= 0 ? S_OK : E_GRAPH;
}

static enum status call_read(struct arena *a, const struct op_plan *p, const struct group_config *c, uint32_t i,
                             struct group_call *out, struct err *e)
{
    const struct type *in = p->inputs[0];
    int argument;

    out->agg.type = agg_find(str_of(c->functions.items[i]));
    if (out->agg.type == NULL && p->users != NULL) out->agg.type = p->users->aggregate(p->users->arg, str_of(c->functions.items[i]));
    if (out->agg.type == NULL) return err_set(e, E_CONFIG, "unknown aggregate '%s'", c->functions.items[i]);
    TRY(column_of(p, c->arguments.items[i], &argument, e));
    TRY(column_of(p, c->filters.items[i], &out->filter, e));
    if (out->filter >= 0 && in->children[out->filter]->kind != T_BOOLEAN)
        return err_set(e, E_GRAPH, "FILTER column '%s' is not BOOLEAN", c->filters.items[i]);
    out->agg.col = argument >= 0 ? (uint32_t)argument : 0;
    out->agg.argument = argument >= 0 ? in->children[argument] : NULL;
    out->is_distinct = strcmp(c->distinct.items[i], "true") == 0;
    if (out->is_distinct && argument < 0) return err_set(e, E_GRAPH, "DISTINCT needs an argument");
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

enum status group_calls_read(struct arena *a, const struct op_plan *p, const struct group_config *c, struct group_call **calls,
                             struct err *e)
{
    uint32_t n = c->functions.count, field = 1; /* field 0 counts rows */

    if (n > GROUP_CALLS_MAX) return err_set(e, E_GRAPH, "at most %d aggregates are computed at once", GROUP_CALLS_MAX);
    if (c->arguments.count != n || c->filters.count != n || c->distinct.count != n || c->names.count != n ||
        (c->parameters.count != 0 && c->parameters.count != n))
        return err_set(e, E_CONFIG, "lists of aggregates of different length");
    *calls = ARENA_ARRAY(a, struct group_call, MAX(n, 1u));
    for (uint32_t i = 0; i < n; i++) {
        TRY(call_read(a, p, c, i, &(*calls)[i], e));
        (*calls)[i].leader = leader_of(*calls, i);
        (*calls)[i].first_field = field;
        field += (*calls)[i].agg.words;
    }
    return S_OK;
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

/* --- DISTINCT ---------------------------------------------------------------------------------------------------- */
static const struct type *row_of_one(struct arena *a, const char *name, const struct type *t)
{
    return type_row(a, 1, &name, &t, false);
}

static enum status distinct_open(struct op_cx *cx, struct group_call *call, uint32_t number, const struct state_def *group)
{
    struct arena *a = cx->plan->arena;
    struct group_distinct *d = mem_zalloc(cx->mem, sizeof *d);

    call->distinct = d;
    d->def = (struct state_def){.name = arena_printf(a, "distinct-%u", number),
                                .version = 1,
                                .shape = STATE_MAP,
                                .namespaced = group->namespaced,
                                .key = group->key,
                                .map_key = row_of_one(a, "value", call->agg.argument),
                                .value = row_of_one(a, "rows", type_new(a, T_BIGINT, 0, 0, false)),
                                .ttl = group->ttl};
    TRY(state_open(cx->state, &d->def, &d->table, cx->err));
    return state_probe_init(&d->probe, d->def.map_key, cx->mem, cx->err);
}

enum status group_calls_open(struct op_cx *cx, const struct group_config *c, struct group_call *calls, uint32_t count,
                             uint32_t first, const struct state_def *group)
{
    for (uint32_t i = 0; i < count; i++) {
        struct group_call *call = &calls[i];
        call->err = cx->err;
        if (call->agg.type->open != NULL) TRY(call->agg.type->open(&call->agg, cx->mem, cx->err));
        if (call->is_distinct && call->leader == i) TRY(distinct_open(cx, call, first + i, group));
        if (call->agg.keep != AGG_KEEP_NOTHING)
            TRY(group_keep_open(&call->keep, cx, &call->agg, first + i, group, c->retracts));
    }
    return S_OK;
}

bool group_calls_hold(const struct group_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].is_distinct || calls[i].agg.keep != AGG_KEEP_NOTHING) return true;
    return false;
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
        state_probe_release(&calls[i].distinct->probe);
        state_close(calls[i].distinct->table);
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

static enum status distinct_resolve(struct group_call *call, int64_t ns, const struct batch *in, const struct state_keys *keys)
{
    struct group_distinct *d = call->distinct;
    uint16_t numbers[BATCH_ROWS];

    d->ns = ns;
    TRY(state_resolve(d->table, ns, keys, STATE_INSERT, d->heads, NULL));
    BATCH_EACH(in, i, row)
    {
        numbers[i] = (uint16_t)row;
        if (!counts(call, in, row)) d->heads[i] = NULL;
    }
    state_probe_fill(&d->probe, in, &call->agg.col, numbers, keys->count);
    return state_entry_resolve(d->table, ns, d->heads, &d->probe, STATE_INSERT, d->rows, NULL);
}

enum status group_calls_resolve(struct group_call *calls, uint32_t count, int64_t ns, const struct batch *in,
                                const struct state_keys *keys)
{
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].distinct != NULL) TRY(distinct_resolve(&calls[i], ns, in, keys));
    return group_calls_resolve_kept(calls, count, ns, keys);
}

enum status group_calls_resolve_kept(struct group_call *calls, uint32_t count, int64_t ns, const struct state_keys *keys)
{
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].keep != NULL) TRY(group_keep_resolve(calls[i].keep, ns, keys));
    return S_OK;
}

/* Is it the first row of its value that comes, or the last one that goes? Counts it. */
static bool value_passes(const struct group_distinct *d, uint32_t i, bool adds)
{
    int64_t *rows;

    if (d->rows[i] == NULL) return false;
    rows = state_word(d->rows[i], d->table->value.fields[0].offset);
    if (!adds && *rows == 0) return false; /* nothing to take back */
    *rows += adds ? 1 : -1;
    return *rows == (adds ? 1 : 0);
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
        if (call->distinct != NULL && !value_passes(call->distinct, i, adds)) continue;
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
        if (calls[c].leader != c) continue;
        for (int adds = 1; adds >= (in->kinds == NULL); adds--) {
            rows_find(&calls[c], in, acc, first, n, adds, &some);
            for (uint32_t k = c; k < count; k++)
                if (calls[k].leader == c) TRY(call_apply(&calls[k], in, &some, adds));
        }
    }
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

/* Values that no row has any more go away at the end only: a later row of the batch may have brought them again. */
static void distinct_done(struct group_distinct *d, uint32_t rows)
{
    uint32_t offset = d->table->value.fields[0].offset;

    for (uint32_t i = 0; i < rows; i++)
        if (d->rows[i] != NULL && *state_word(d->rows[i], offset) == 0 && state_element_of(d->table, d->rows[i])->count > 0)
            state_row_remove(d->table, d->ns, d->heads[i], d->rows[i]);
    state_done(d->table);
}

void group_calls_done(struct group_call *calls, uint32_t count, uint32_t rows)
{
    for (uint32_t i = 0; i < count; i++) {
        if (calls[i].distinct != NULL) distinct_done(calls[i].distinct, rows);
        if (calls[i].keep != NULL) group_keep_done(calls[i].keep);
    }
}
