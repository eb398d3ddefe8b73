/* op_window_groups.c - SQL's GROUP BY of windows: one row per key and window, once, when time passes the window's end. Rows may be
 * taken back until then. A row is late when the last window that holds it has ended: it is dropped and counted.
 *
 * The slice engine (window_slices.h) does the work: rows go into slices, windows that overlap are put together from them. Here is
 * its fold: the accumulators are the words of the calls behind the number of rows; values of DISTINCT arguments, and those that are
 * kept for a call, lie in tables of their own beside each table of the engine, under the same keys and namespaces. Calls that
 * cannot be merged need rows that come once per window (op_window_tvf.c), and `end` says which; so do windows of windows.
 *
 * Output: the key columns, the results, window_start, window_end, window_time; the row's event time is end - 1. */
#include "flow/operator/group_merge.h"
#include "flow/operator/sql_window.h"
#include "flow/operator/window_slices.h"

#include <string.h>

struct window_groups {
    struct window_fold fold; /* first: the fold's hooks get its address */
    struct slices *slices;
    struct op_cx *cx;
    struct group_call *sets[SLICES_TABLES]; /* the calls with what they hold beside each table of the engine */
    uint32_t call_count, key_count;
    bool holds, keeps, retracts;
    struct group_merge *merge; /* NULL: no slices are put together */
    uint32_t *plain;           /* 0, 1, 2.. */
    uint64_t hashes[BATCH_ROWS];
    uint16_t put[BATCH_ROWS]; /* keys that come out, and their accumulators */
    void *acc[BATCH_ROWS];
};

#define CALLS_FIELD(member, kind, doc) {#member, kind, offsetof(struct window_groups_config, calls.member), doc}

const struct config_field window_groups_config_fields[] = {
    CALLS_FIELD(functions, CONF_TEXTS, "aggregates"),
    CALLS_FIELD(arguments, CONF_TEXTS, "their argument columns; empty is *"),
    CALLS_FIELD(filters, CONF_TEXTS, "BOOLEAN columns that say which rows count; empty is all"),
    CALLS_FIELD(distinct, CONF_TEXTS, "true: equal values count once"),
    CALLS_FIELD(names, CONF_TEXTS, "names of the results"),
    CALLS_FIELD(parameters, CONF_TEXTS, "their constant second arguments; = and the text, empty is none"),
    CALLS_FIELD(retracts, CONF_BOOL, "rows may be taken back"),
    CONFIG_FIELD(window_groups_config, time, CONF_TEXT, "column with the rows' time; empty: end, or processing time"),
    CONFIG_FIELD(window_groups_config, end, CONF_TEXT, "column with the end of a row's window; empty: none"),
    CONFIG_FIELD(window_groups_config, kind, CONF_INT, "0 TUMBLE, 1 HOP, 2 CUMULATE"),
    CONFIG_FIELD(window_groups_config, size_ms, CONF_INT, "size, ms; of CUMULATE the greatest"),
    CONFIG_FIELD(window_groups_config, slide_ms, CONF_INT, "slide of HOP, step of CUMULATE, ms"),
    CONFIG_FIELD(window_groups_config, offset_ms, CONF_INT, "offset of the windows, ms"),
    CONFIG_FIELD(window_groups_config, processing_time, CONF_BOOL, "windows end by processing time"),
    CONFIG_FIELD(window_groups_config, local_time, CONF_BOOL, "window_time is a TIMESTAMP_LTZ"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static bool is_real(const struct agg *a)
{
    return a->argument != NULL && (a->argument->phys == P_F32 || a->argument->phys == P_F64);
}

bool window_groups_share(const struct group_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].agg.keep != AGG_KEEP_NOTHING || (calls[i].agg.type->merge == NULL && !calls[i].is_distinct)) return false;
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

static bool is_given(const char *name) { return name != NULL && name[0] != '\0'; }

/* The column that decides windows; SLICES_BY_EVENT: there is none. */
static enum status by_column(const struct op_plan *p, const struct window_groups_config *c, enum slices_by *by, uint32_t *col,
                             struct err *e)
{
    *by = is_given(c->end) ? SLICES_BY_END : is_given(c->time) ? SLICES_BY_TIME : SLICES_BY_EVENT;
    *col = 0;
    if (*by == SLICES_BY_EVENT)
        return c->processing_time ? S_OK : err_set(e, E_CONFIG, "windows of event time need a column with it");
    const char *name = *by == SLICES_BY_END ? c->end : c->time;
    int at = op_plan_field(p, 0, name, e);
    if (at < 0) return E_GRAPH;
    *col = (uint32_t)at;
    const struct type *t = p->inputs[0]->children[at];
    if (t->kind == T_BIGINT || ((t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ) && t->precision <= 3)) return S_OK;
    return err_set(e, E_GRAPH, "'%s' is no time in ms", name);
}

static bool overlaps(const struct window_groups_config *c)
{
    return !is_given(c->end) && c->kind != SQL_TUMBLE && c->slide_ms != c->size_ms;
}

static enum status config_check(const struct window_groups_config *c, const struct group_call *calls, struct err *e)
{
    bool slides = c->kind != SQL_TUMBLE;

    if (c->size_ms <= 0 || (slides && c->slide_ms <= 0) || (c->kind == SQL_CUMULATE && c->size_ms % c->slide_ms != 0))
        return err_set(e, E_CONFIG, "windows of %lld ms every %lld ms", (long long)c->size_ms, (long long)c->slide_ms);
    if (!overlaps(c) || window_groups_share(calls, c->calls.functions.count)) return S_OK;
    return err_set(e, E_CONFIG, "aggregates that cannot be merged need rows that come once per window");
}

static enum status window_groups_derive(struct op_plan *p, const void *config, struct err *e)
{
    static const char *const bounds[] = {"window_start", "window_end", "window_time"};
    const struct window_groups_config *c = config;
    uint32_t keys = p->key_count[0], calls = c->calls.functions.count, n = keys + calls + 3, col;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n);
    const char **names = ARENA_ARRAY(p->arena, const char *, n);
    struct group_call *read;
    enum slices_by by;

    TRY(by_column(p, c, &by, &col, e));
    TRY(group_calls_read(p->arena, p, &c->calls, &read, e));
    TRY(config_check(c, read, e));
    for (uint32_t i = 0; i < keys; i++) {
        types[i] = p->inputs[0]->children[p->keys[0][i]];
        names[i] = p->inputs[0]->names[p->keys[0][i]];
    }
    for (uint32_t i = 0; i < calls; i++) {
        types[keys + i] = read[i].agg.result;
        names[keys + i] = c->calls.names.items[i];
    }
    for (uint32_t i = 0; i < 3; i++) {
        types[keys + calls + i] = type_new(p->arena, i == 2 && c->local_time ? T_TIMESTAMP_LTZ : T_TIMESTAMP, 3, 0, false);
        names[keys + calls + i] = bounds[i];
    }
    p->outputs[0] = type_row(p->arena, n, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void window_groups_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct window_groups_config *c = config;
    struct group_call *calls;
    enum slices_by by;
    uint32_t col;

    (void)outputs;
    if (by_column(p, c, &by, &col, NULL) != S_OK || group_calls_read(p->arena, p, &c->calls, &calls, NULL) != S_OK) return;
    if (by != SLICES_BY_EVENT) bit_set(inputs[0], col);
    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < c->calls.functions.count; i++) {
        if (calls[i].agg.argument != NULL) bit_set(inputs[0], calls[i].agg.col);
        if (calls[i].filter >= 0) bit_set(inputs[0], (uint32_t)calls[i].filter);
    }
}

/* --- the fold ------------------------------------------------------------------------------------------------------ */
static struct group_call *set_of(struct window_groups *s, const struct state_table *t)
{
    return s->sets[slices_table_number(s->slices, t)];
}

/* What the calls hold under the keys of rows is found here, before anything changes. */
static enum status groups_start(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc, const uint64_t *created,
                                uint32_t n)
{
    struct window_groups *s = (struct window_groups *)f;
    const struct user_where *w = &f->where;

    (void)acc, (void)created;
    if (!s->holds || w->rows == NULL) return S_OK; /* to be merged */
    struct batch view = *w->keys;
    view.sel = w->rows;
    view.sel_count = n;
    batch_hash(&view, w->cols, s->key_count, s->hashes);
    struct state_keys keys = state_keys_of(&view, w->cols, s->key_count, s->hashes);
    return group_calls_resolve(set_of(s, t), s->call_count, ns, &view, &keys);
}

static enum status groups_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc, struct batch *in,
                              const uint16_t *rows, uint32_t n)
{
    struct window_groups *s = (struct window_groups *)f;
    struct group_call *set = set_of(s, t);
    struct batch view = *in;

    (void)ns;
    view.sel = rows;
    view.sel_count = n;
    for (uint32_t i = 0; s->retracts && i < n; i++) {
        enum row_kind kind = batch_kind(in, rows[i]);
        *state_word(acc[i], 0) += kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? 1 : -1;
    }
    TRY(group_calls_apply(set, s->call_count, &view, acc, 0, n));
    if (s->holds) group_calls_done(set, s->call_count, n);
    return S_OK;
}

static enum status merge(struct window_groups *s, struct state_table *t, int64_t ns, void *const *acc, struct state_table *from,
                         int64_t from_ns, void *const *other, uint32_t n, bool adds)
{
    struct state_keys keys = {.batch = s->fold.where.keys, .cols = s->plain, .col_count = s->key_count, .count = n, .hashes = s->hashes};

    ASSERT(s->fold.where.rows == NULL && s->merge != NULL);
    if (s->holds) batch_hash(keys.batch, s->plain, s->key_count, s->hashes);
    TRY(group_merge_run(s->merge, set_of(s, t), ns, acc, set_of(s, from), from_ns, other, &keys, adds));
    for (uint32_t i = 0; s->retracts && i < n; i++) *state_word(acc[i], 0) += adds ? *state_word(other[i], 0) : -*state_word(other[i], 0);
    return S_OK;
}

static enum status groups_merge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc, struct state_table *from,
                                int64_t from_ns, void *const *other, uint32_t n)
{
    return merge((struct window_groups *)f, t, ns, acc, from, from_ns, other, n, true);
}

static enum status groups_unmerge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc, struct state_table *from,
                                  int64_t from_ns, void *const *other, uint32_t n)
{
    return merge((struct window_groups *)f, t, ns, acc, from, from_ns, other, n, false);
}

static void put_window(const struct window_groups *s, struct batch *out, uint32_t n, int64_t start, int64_t end)
{
    const int64_t bounds[] = {start, end, end - 1};

    for (uint32_t k = 0; k < COUNT_OF(bounds); k++) {
        struct vector *v = &out->cols[s->key_count + s->call_count + k];
        for (uint32_t i = 0; v->form == VEC_FLAT && i < n; i++) VECTOR_VALUES(v, int64_t)[out->count + i] = bounds[k];
    }
}

/* Only groups that still have rows come out. */
static enum status groups_result(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc, const struct batch *keys,
                                 uint32_t n, int64_t start, int64_t end, struct batch *out)
{
    struct window_groups *s = (struct window_groups *)f;
    struct group_call *set = set_of(s, t);
    uint32_t count = 0, first = out->count;

    if (s->keeps) {
        batch_hash(keys, s->plain, s->key_count, s->hashes);
        struct state_keys found = {.batch = keys, .cols = s->plain, .col_count = s->key_count, .count = n, .hashes = s->hashes};
        TRY(group_calls_resolve_kept(set, s->call_count, ns, &found));
    }
    for (uint32_t i = 0; i < n; i++) {
        if (s->retracts && *state_word(acc[i], 0) <= 0) continue;
        s->put[count] = (uint16_t)i;
        s->acc[count++] = acc[i];
    }
    for (uint32_t k = 0; k < s->key_count; k++)
        if (out->cols[k].form != VEC_ABSENT) vector_copy(&out->cols[k], first, &keys->cols[k], s->put, count, &out->heap, out->mem);
    for (uint32_t c = 0; c < s->call_count; c++) {
        struct vector *v = &out->cols[s->key_count + c];
        for (uint32_t i = 0; set[c].keep != NULL && i < count && v->form != VEC_ABSENT; i++)
            group_keep_result(set[c].keep, s->put[i], out, s->key_count + c, first + i);
        if (set[c].keep != NULL) group_keep_done(set[c].keep);
        else if (v->form != VEC_ABSENT) set[c].agg.type->result(&set[c].agg, s->acc, count, v, first);
    }
    put_window(s, out, count, start, end);
    out->count += count;
    return S_OK;
}

static void groups_drop(struct window_fold *f, struct state_table *t, int64_t ns)
{
    struct window_groups *s = (struct window_groups *)f;

    group_calls_drop(set_of(s, t), s->call_count, ns);
}

/* --- hooks ----------------------------------------------------------------------------------------------------------- */
/* A set of calls for each table of the engine; they differ in what they hold. */
static enum status open_sets(struct op_cx *cx, struct window_groups *s)
{
    const struct window_groups_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct state_def *group = ARENA_NEW(p->arena, struct state_def);
    bool shares = overlaps(c);

    *group = (struct state_def){.namespaced = true, .key = type_row_of(p->arena, p->inputs[0], p->keys[0], s->key_count)};
    for (uint32_t k = 0; k < SLICES_TABLES; k++) {
        s->sets[k] = s->sets[0];
        if (k > 0 && !(s->holds && shares)) continue;
        TRY(group_calls_read(p->arena, p, &c->calls, &s->sets[k], cx->err));
        for (uint32_t i = 0; i < s->call_count; i++) s->sets[k][i].agg.offset = s->sets[k][i].first_field * 8;
        s->holds = group_calls_hold(s->sets[k], s->call_count);
        TRY(group_calls_open(cx, &c->calls, s->sets[k], s->call_count, k * GROUP_CALLS_MAX, group));
    }
    for (uint32_t i = 0; i < s->call_count; i++) s->keeps |= s->sets[0][i].keep != NULL;
    if (shares) s->merge = group_merge_create(cx, s->sets[0], s->call_count);
    return S_OK;
}

static enum status window_groups_open(struct op_cx *cx, void *self)
{
    const struct window_groups_config *c = cx->config;
    struct window_groups *s = self;
    uint32_t words = 1;
    struct slices_plan plan = {.size_ms = c->size_ms,
                               .slide_ms = c->kind == SQL_TUMBLE ? c->size_ms : c->slide_ms,
                               .offset_ms = c->offset_ms,
                               .processing_time = c->processing_time,
                               .cumulates = c->kind == SQL_CUMULATE,
                               .late_port = OP_PORTS_MAX};

    s->cx = cx;
    s->call_count = c->calls.functions.count;
    s->key_count = cx->plan->key_count[0];
    s->retracts = c->calls.retracts;
    s->plain = ARENA_ARRAY(cx->plan->arena, uint32_t, MAX(s->key_count, 1u));
    for (uint32_t i = 0; i < s->key_count; i++) s->plain[i] = i;
    TRY(by_column(cx->plan, c, &plan.by, &plan.col, cx->err));
    TRY(open_sets(cx, s));
    for (uint32_t i = 0; i < s->call_count; i++) words += s->sets[0][i].agg.words;
    s->fold = (struct window_fold){.acc = group_words_row(cx->plan->arena, words),
                                   .start = groups_start,
                                   .add = groups_add,
                                   .merge = groups_merge,
                                   .unmerge = all_exact(s->sets[0], s->call_count) ? groups_unmerge : NULL,
                                   .result = groups_result,
                                   .drop = s->holds ? groups_drop : NULL};
    return slices_create(cx, &plan, &s->fold, &s->slices);
}

static enum status window_groups_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct window_groups *s = self;

    (void)cx;
    ASSERT(input == 0);
    return slices_on_batch(s->slices, in);
}

static enum status window_groups_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct window_groups *s = self;

    (void)cx;
    return slices_on_watermark(s->slices, watermark);
}

static enum status window_groups_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct window_groups *s = self;

    (void)cx;
    return slices_on_time(s->slices, now_ms);
}

static void window_groups_close(struct op_cx *cx, void *self, bool failed)
{
    struct window_groups *s = self;

    (void)failed;
    slices_free(s->slices);
    group_merge_free(s->merge);
    for (uint32_t k = 0; k < SLICES_TABLES; k++)
        if (s->sets[k] != NULL && (k == 0 || s->sets[k] != s->sets[0])) group_calls_close(cx, s->sets[k], s->call_count);
}

const struct op_type op_window_groups = {
    .name = "window_groups",
    .doc = "SQL: aggregates per group and window, when the window ends",
    .example = "SELECT window_start, window_end, COUNT(*) FROM windowed GROUP BY window_start, window_end",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct window_groups_config),
    .config_fields = window_groups_config_fields,
    .instance_size = sizeof(struct window_groups),
    .derive = window_groups_derive,
    .needs = window_groups_needs,
    .open = window_groups_open,
    .on_batch = window_groups_on_batch,
    .on_watermark = window_groups_on_watermark,
    .on_time = window_groups_on_time,
    .close = window_groups_close,
};
