/* group_fold.c - the fold of SQL's window aggregations (group_fold.h). What the calls hold under the keys of rows is found when the
 * engine makes accumulators, before anything changes; only groups that still have rows come out. */
#include "flow/operator/group_fold.h"

#include "flow/operator/group_names.h"

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static bool is_real(const struct agg *a)
{
    return a->argument != NULL && (a->argument->phys == P_F32 || a->argument->phys == P_F64);
}

bool group_fold_merges(const struct group_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].agg.keep != AGG_KEEP_NOTHING || (calls[i].agg.type->merge == NULL && !calls[i].is_distinct))
            return false;
    return true;
}

/* Can slices be taken out of a window again, to the last bit? */
static bool all_exact(const struct group_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct agg *a = &calls[i].agg;
        if (is_real(a) || (calls[i].is_distinct ? a->type->retract == NULL : a->type->unmerge == NULL)) return false;
    }
    return true;
}

const struct type *group_fold_row(const struct op_plan *p, const struct group_config *c, const struct group_call *calls,
                                  const struct text_list *bounds, bool local_time)
{
    static const char *const plain[] = {"window_start", "window_end", "window_time"};
    uint32_t keys = p->key_count[0], count = c->functions.count, n = keys + count + 3;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n);
    const char **names = ARENA_ARRAY(p->arena, const char *, n);

    for (uint32_t i = 0; i < keys; i++) {
        types[i] = p->inputs[0]->children[p->keys[0][i]];
        names[i] = p->inputs[0]->names[p->keys[0][i]];
    }
    for (uint32_t i = 0; i < count; i++) {
        types[keys + i] = calls[i].agg.result;
        names[keys + i] = c->names.items[i];
    }
    for (uint32_t i = 0; i < 3; i++) {
        types[keys + count + i] = type_new(p->arena, i == 2 && local_time ? T_TIMESTAMP_LTZ : T_TIMESTAMP, 3, 0, false);
        names[keys + count + i] = bounds->count == 3 ? bounds->items[i] : plain[i];
    }
    return type_row(p->arena, n, names, types, false);
}

void group_fold_needs(const struct op_plan *p, const struct group_config *c, const struct group_call *calls,
                      uint64_t *needed)
{
    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(needed, p->keys[0][i]);
    for (uint32_t i = 0; i < c->functions.count; i++) {
        if (calls[i].agg.argument != NULL) bit_set(needed, calls[i].agg.col);
        if (calls[i].filter >= 0) bit_set(needed, (uint32_t)calls[i].filter);
    }
}

/* --- the fold ------------------------------------------------------------------------------------------------------ */
static struct group_call *set_of(struct group_fold *s, const struct state_table *t)
{
    return s->sets[s->slices != NULL ? slices_table_number(s->slices, t) : 0];
}

/* What the calls hold under the keys of rows is found here, before anything changes. */
static enum status groups_start(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                                const uint64_t *created, uint32_t n)
{
    struct group_fold *s = (struct group_fold *)f;
    const struct user_where *w = &f->where;

    (void)acc, (void)created;
    if (w->rows == NULL) return S_OK; /* to be merged */
    struct batch view = *w->keys;
    view.sel = w->rows;
    view.sel_count = n;
    batch_hash(&view, w->cols, s->key_count, s->hashes);
    struct state_keys keys = state_keys_of(&view, w->cols, s->key_count, s->hashes);
    return group_calls_resolve(set_of(s, t), s->call_count, ns, &view, &keys, NULL, NULL, NULL);
}

static void count_rows(const struct group_fold *s, const struct batch *in, const uint16_t *rows, void *const *acc, uint32_t n)
{
    for (uint32_t i = 0; s->retracts && i < n; i++) {
        enum row_kind kind = batch_kind(in, rows[i]);
        *state_word(acc[i], 0) += kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? 1 : -1;
    }
}

static enum status groups_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                              struct batch *in, const uint16_t *rows, uint32_t n)
{
    struct group_fold *s = (struct group_fold *)f;
    struct group_call *set = set_of(s, t);
    struct batch view = *in;

    (void)ns;
    view.sel = rows;
    view.sel_count = n;
    count_rows(s, in, rows, acc, n);
    TRY(group_calls_apply(set, s->call_count, &view, acc, 0, n));
    if (s->holds) group_calls_done(set, s->call_count);
    return S_OK;
}

/* --- under the names of windows ------------------------------------------------------------------------------------- */
static enum status windows_find(struct window_fold *f, const struct window_chunk *c)
{
    struct group_fold *s = (struct group_fold *)f;
    struct group_firsts firsts;

    s->chunk = *c;
    s->added = 0;
    s->is_found = true;
    if (c->in == NULL) return group_calls_resolve_kept(s->sets[0], s->call_count, 0, &c->names, NULL);
    struct batch view = *c->in;
    view.sel = c->rows;
    view.sel_count = c->count;
    firsts.count = c->names.count;
    firsts.keys = c->names;
    memcpy(firsts.key_of, c->name_of, c->count * sizeof *c->name_of);
    struct state_keys keys = {.count = c->count};
    return group_calls_resolve(s->sets[0], s->call_count, 0, &view, &keys, &firsts, NULL, NULL);
}

/* A row that several windows have is added to one at a time: values that are kept get their order by the row. */
static uint32_t stretch_of(const struct group_fold *s, uint32_t end)
{
    uint32_t at = s->added + 1;

    while (at < end && !(s->keeps && s->chunk.rows[at] == s->chunk.rows[at - 1])) at++;
    return at - s->added;
}

static enum status windows_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                               struct batch *in, const uint16_t *rows, uint32_t n)
{
    struct group_fold *s = (struct group_fold *)f;
    struct batch view = *in;
    uint32_t end = s->added + n;

    (void)t, (void)ns;
    ASSERT(s->is_found && end <= s->chunk.count && rows[n - 1] == s->chunk.rows[end - 1]);
    view.sel = s->chunk.rows;
    view.sel_count = s->chunk.count;
    memcpy(s->acc + s->added, acc, n * sizeof *acc);
    count_rows(s, in, rows, acc, n);
    while (s->added < end) {
        uint32_t stretch = stretch_of(s, end);
        TRY(group_calls_apply(s->sets[0], s->call_count, &view, s->acc, s->added, stretch));
        s->added += stretch;
    }
    return S_OK;
}

static enum status windows_forget(struct window_fold *f, const struct state_keys *names)
{
    struct group_fold *s = (struct group_fold *)f;

    ASSERT(s->is_found && s->chunk.in == NULL);
    return group_calls_delete(s->sets[0], s->call_count, 0, names);
}

static void windows_done(struct window_fold *f)
{
    struct group_fold *s = (struct group_fold *)f;

    if (s->is_found && s->chunk.in != NULL) group_calls_done(s->sets[0], s->call_count);
    for (uint32_t i = 0; s->is_found && s->chunk.in == NULL && i < s->call_count; i++)
        if (s->sets[0][i].keep != NULL) group_keep_done(s->sets[0][i].keep);
    s->is_found = false;
}

/* --- merging --------------------------------------------------------------------------------------------------------- */
static enum status merge(struct group_fold *s, struct state_table *t, int64_t ns, void *const *acc,
                         struct state_table *from, int64_t from_ns, void *const *other, uint32_t n, bool adds)
{
    struct state_keys keys = {
        .batch = s->fold.where.keys, .cols = s->plain, .col_count = s->key_count, .count = n, .hashes = s->hashes};

    ASSERT(s->merge != NULL && (!s->holds || s->fold.where.rows == NULL));
    if (s->holds) batch_hash(keys.batch, s->plain, s->key_count, s->hashes);
    TRY(group_merge_run(s->merge, set_of(s, t), ns, acc, set_of(s, from), from_ns, other, &keys, adds));
    for (uint32_t i = 0; s->retracts && i < n; i++)
        *state_word(acc[i], 0) += adds ? *state_word(other[i], 0) : -*state_word(other[i], 0);
    return S_OK;
}

static enum status groups_merge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                                struct state_table *from, int64_t from_ns, void *const *other, uint32_t n)
{
    return merge((struct group_fold *)f, t, ns, acc, from, from_ns, other, n, true);
}

static enum status groups_unmerge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                                  struct state_table *from, int64_t from_ns, void *const *other, uint32_t n)
{
    return merge((struct group_fold *)f, t, ns, acc, from, from_ns, other, n, false);
}

/* --- results --------------------------------------------------------------------------------------------------------- */
static void put_window(const struct group_fold *s, struct batch *out, uint32_t n, int64_t start, int64_t end)
{
    const int64_t bounds[] = {start, end, s->zone != NULL ? window_zone_instant(s->zone, end - 1) : end - 1};

    for (uint32_t k = 0; k < COUNT_OF(bounds); k++) {
        struct vector *v = &out->cols[s->key_count + s->call_count + k];
        for (uint32_t i = 0; v->form == VEC_FLAT && i < n; i++) VECTOR_VALUES(v, int64_t)[out->count + i] = bounds[k];
    }
}

/* Column c of the results of s->put[0..count), and s->acc. */
static void put_results(struct group_fold *s, struct group_call *call, uint32_t count, struct batch *out, uint32_t col)
{
    uint32_t first = out->count;

    if (out->cols[col].form == VEC_ABSENT || (call->keep != NULL && s->leaves_kept)) return;
    if (call->keep == NULL) {
        group_call_results(call, s->acc, count, out, col, first);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        group_keep_result(call->keep, s->names != NULL ? s->item : s->put[i], out, col, first + i);
}

/* Only groups that still have rows come out. */
static enum status groups_result(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                                 const struct batch *keys, uint32_t n, int64_t start, int64_t end, struct batch *out)
{
    struct group_fold *s = (struct group_fold *)f;
    struct group_call *set = set_of(s, t);
    uint32_t count = 0, first = out->count;

    ASSERT(s->names == NULL || n == 1);
    if (s->keeps && s->names == NULL) {
        batch_hash(keys, s->plain, s->key_count, s->hashes);
        struct state_keys found = {
            .batch = keys, .cols = s->plain, .col_count = s->key_count, .count = n, .hashes = s->hashes};
        TRY(group_calls_resolve_kept(set, s->call_count, ns, &found, NULL));
    }
    for (uint32_t i = 0; i < n; i++) {
        if (s->retracts && *state_word(acc[i], 0) <= 0) continue;
        s->put[count] = (uint16_t)(s->key_at + i);
        s->acc[count++] = acc[i];
    }
    for (uint32_t k = 0; k < s->key_count; k++)
        if (out->cols[k].form != VEC_ABSENT)
            vector_copy(&out->cols[k], first, &keys->cols[k], s->put, count, &out->heap, out->mem);
    for (uint32_t c = 0; c < s->call_count; c++) {
        put_results(s, &set[c], count, out, s->key_count + c);
        if (set[c].keep != NULL && s->names == NULL) group_keep_done(set[c].keep);
    }
    TRY(group_calls_check(set, s->call_count));
    put_window(s, out, count, start, end);
    out->count += count;
    return S_OK;
}

static void groups_drop(struct window_fold *f, struct state_table *t, int64_t ns)
{
    struct group_fold *s = (struct group_fold *)f;

    group_calls_drop(set_of(s, t), s->call_count, ns);
}

/* --- opening ------------------------------------------------------------------------------------------------------- */
/* A set of calls for each table of the engine; they differ in what they hold. */
static enum status open_sets(struct op_cx *cx, struct group_fold *s, const struct group_config *c, bool shares)
{
    const struct op_plan *p = cx->plan;
    struct state_def *group = ARENA_NEW(p->arena, struct state_def);

    *group = (struct state_def){
        .namespaced = s->names == NULL,
        .key = s->names != NULL ? s->names : type_row_of(p->arena, p->inputs[0], p->keys[0], s->key_count),
        .is_within = s->names != NULL && s->names->child_count > s->key_count,
        .group_cols = s->key_count};
    for (uint32_t k = 0; k < SLICES_TABLES; k++) {
        s->sets[k] = s->sets[0];
        if (k > 0 && !(s->holds && shares)) continue;
        TRY(group_calls_read(p->arena, p, c, &s->sets[k], cx->err));
        for (uint32_t i = 0; i < s->call_count; i++) s->sets[k][i].agg.offset = s->sets[k][i].first_field * 8;
        s->holds = group_calls_hold(s->sets[k], s->call_count);
        TRY(group_calls_open(cx, c, s->sets[k], s->call_count, k, group, shares));
    }
    for (uint32_t i = 0; i < s->call_count; i++) s->keeps |= s->sets[0][i].keep != NULL;
    if (shares) s->merge = group_merge_create(cx, s->sets[0], s->call_count);
    return S_OK;
}

enum status group_fold_open(struct group_fold *s, struct op_cx *cx, const struct group_config *c, bool merges)
{
    s->call_count = c->functions.count;
    s->key_count = cx->plan->key_count[0];
    s->retracts = c->retracts;
    s->plain = ARENA_ARRAY(cx->plan->arena, uint32_t, MAX(s->key_count, 1u));
    for (uint32_t i = 0; i < s->key_count; i++) s->plain[i] = i;
    TRY(open_sets(cx, s, c, merges));
    s->fold = (struct window_fold){.acc = group_acc_row(cx->plan->arena, 1, c, s->sets[0]),
                                   .upgrade = STATE_UPGRADE_PARTS,
                                   .start = s->holds ? groups_start : NULL,
                                   .add = groups_add,
                                   .merge = groups_merge,
                                   .unmerge = all_exact(s->sets[0], s->call_count) ? groups_unmerge : NULL,
                                   .result = groups_result,
                                   .drop = s->holds ? groups_drop : NULL};
    if (s->names != NULL && s->holds) {
        s->fold.start = NULL;
        s->fold.add = windows_add;
        s->fold.find = windows_find;
        s->fold.forget = windows_forget;
        s->fold.done = windows_done;
    }
    return S_OK;
}

void group_fold_close(struct group_fold *s, struct op_cx *cx)
{
    group_merge_free(s->merge);
    for (uint32_t k = 0; k < SLICES_TABLES; k++)
        if (s->sets[k] != NULL && (k == 0 || s->sets[k] != s->sets[0]))
            group_calls_close(cx, s->sets[k], s->call_count);
}
