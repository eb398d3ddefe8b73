/* op_window_columns.c - built-in aggregates (COUNT, SUM, MIN, MAX, AVG) over any window, in loops over columns: by
 * slices where the window is tumbling or sliding and fires once, else in the general engine. Output: the key columns,
 * window_start, window_end (NULL for global and count windows), then the aggregates in the order given; the row's event
 * time is window_end - 1. Port 1 "late": rows beyond the allowed lateness, as they came.
 *
 * The accumulator of all aggregates is one state row of BIGINT words; each aggregate knows where its words lie. */
#include "columns/function/agg.h"
#include "flow/operator/window_engine.h"
#include "flow/operator/window_fields.h"
#include "flow/operator/window_slices.h"

#include <thalweg/window.h>

#include <string.h>

enum { AGGREGATES_MAX = 256 };

struct window_columns {
    struct window_fold fold; /* first: the fold's hooks get its address */
    struct slices *slices;         /* tumbling and sliding windows per key */
    struct window_engine *engine;  /* all others */
    struct agg *aggs;
    uint32_t agg_count, key_count;
    bool is_bounded;
    struct op_cx *cx;
};

static const struct type *timestamp_type(struct arena *a, bool nullable)
{
    return type_new(a, T_TIMESTAMP, 3, 0, nullable);
}

/* Binds every aggregate and lays out their words one after another. */
static enum status bind_all(const struct op_plan *p, const struct window_config *c, struct agg *aggs,
                            const char **names, struct err *e)
{
    uint32_t words = 0;

    for (uint32_t i = 0; i < c->aggregates.count; i++) {
        struct str text = {c->aggregates.items[i], strlen(c->aggregates.items[i])};
        TRY(agg_bind(&aggs[i], p->arena, p->inputs[0], text, &names[i], e));
        if (aggs[i].keep != AGG_KEEP_NOTHING) {
            err_hint(e, "use tw_window_aggregate");
            return err_set(e, E_UNSUPPORTED, "%s keeps values, which windows do not do as columns", c->aggregates.items[i]);
        }
        aggs[i].offset = words * 8;
        words += aggs[i].words;
    }
    return S_OK;
}

static enum status check(const struct op_plan *p, const struct window_config *c, struct err *e)
{
    TRY(window_config_check(c, e));
    TRY(window_engine_derive(p, c, e));
    if (!c->all && p->key_count[0] == 0)
        return err_set(e, E_GRAPH, "a window needs a keyed stream; use tw_key_by before it");
    if (c->evictor != TW_NO_EVICTOR) {
        err_hint(e, "use tw_window_aggregate");
        return err_set(e, E_UNSUPPORTED, "aggregates as columns keep no rows that an evictor could take away");
    }
    if (c->aggregates.count == 0 || c->aggregates.count > AGGREGATES_MAX)
        return err_set(e, E_GRAPH, "between 1 and %d aggregates are needed, not %u", AGGREGATES_MAX,
                       c->aggregates.count);
    return S_OK;
}

static enum status window_columns_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct window_config *c = config;
    TRY(check(p, c, e));
    uint32_t keys = p->key_count[0], n = keys + 2 + c->aggregates.count;
    const char **names = ARENA_ARRAY(p->arena, const char *, n);
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n);
    struct agg *aggs = ARENA_ARRAY(p->arena, struct agg, c->aggregates.count);

    for (uint32_t i = 0; i < keys; i++) {
        names[i] = p->inputs[0]->names[p->keys[0][i]];
        types[i] = p->inputs[0]->children[p->keys[0][i]];
    }
    names[keys] = "window_start";
    names[keys + 1] = "window_end";
    types[keys] = types[keys + 1] = timestamp_type(p->arena, !window_is_bounded(c));
    TRY(bind_all(p, c, aggs, names + keys + 2, e));
    for (uint32_t i = 0; i < c->aggregates.count; i++) types[keys + 2 + i] = aggs[i].result;
    p->outputs[0] = type_row(p->arena, n, names, types, false);
    p->outputs[1] = p->inputs[0];
    p->port_names[1] = "late";
    p->output_count = 2;
    return S_OK;
}

/* Keys and arguments; the late side output, when somebody reads it, needs what its readers need. */
static void window_columns_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                                 uint64_t *const *inputs)
{
    const struct window_config *c = config;
    struct agg a;
    const char *name;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    window_engine_needs(p, c, 0, inputs[0]);
    for (uint32_t i = 0; i < c->aggregates.count; i++) {
        struct str text = {c->aggregates.items[i], strlen(c->aggregates.items[i])};
        if (agg_bind(&a, p->arena, p->inputs[0], text, &name, NULL) == S_OK && a.argument != NULL)
            bit_set(inputs[0], a.col);
    }
    for (uint32_t w = 0; outputs[1] != NULL && w < (p->inputs[0]->child_count + 63) / 64; w++)
        inputs[0][w] |= outputs[1][w];
}

/* --- the fold ------------------------------------------------------------------------------------------------------------- */
static enum status columns_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                               struct batch *in, const uint16_t *rows, uint32_t n)
{
    struct window_columns *w = (struct window_columns *)f;

    (void)t;
    (void)ns;
    for (uint32_t i = 0; i < w->agg_count; i++)
        w->aggs[i].type->add(&w->aggs[i], acc, &in->cols[w->aggs[i].col], rows, n);
    return S_OK;
}

static enum status columns_merge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                                 struct state_table *from, int64_t from_ns, void *const *other, uint32_t n)
{
    struct window_columns *w = (struct window_columns *)f;

    (void)t, (void)ns, (void)from, (void)from_ns;
    for (uint32_t i = 0; i < w->agg_count; i++) w->aggs[i].type->merge(&w->aggs[i], acc, other, n);
    return S_OK;
}

static enum status columns_unmerge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                                   struct state_table *from, int64_t from_ns, void *const *other, uint32_t n)
{
    struct window_columns *w = (struct window_columns *)f;

    (void)t, (void)ns, (void)from, (void)from_ns;
    for (uint32_t i = 0; i < w->agg_count; i++) w->aggs[i].type->unmerge(&w->aggs[i], acc, other, n);
    return S_OK;
}

/* Key columns (rows of keys; NULL = the first ones) and aggregates of n rows behind those of out. */
static void columns_write(struct window_columns *w, void *const *acc, const struct batch *keys, const uint16_t *rows,
                          uint32_t n, struct batch *out)
{
    uint32_t first = out->count;

    ASSERT(first + n <= out->capacity);
    for (uint32_t k = 0; k < w->key_count; k++)
        if (out->cols[k].form == VEC_FLAT)
            vector_copy(&out->cols[k], first, &keys->cols[k], rows, n, &out->heap, out->mem);
    for (uint32_t i = 0; i < w->agg_count; i++) {
        struct vector *v = &out->cols[w->key_count + 2 + i];
        if (v->form == VEC_FLAT) w->aggs[i].type->result(&w->aggs[i], acc, n, v, first);
    }
}

/* window_start (0) or window_end (1) of n rows behind those of out: every `step`-th of times, or NULL. */
static void bounds_write(struct window_columns *w, uint32_t bound, const int64_t *times, uint32_t step, uint32_t n,
                         struct batch *out)
{
    struct vector *v = &out->cols[w->key_count + bound];

    for (uint32_t i = 0; v->form == VEC_FLAT && i < n; i++) {
        if (w->is_bounded)
            VECTOR_VALUES(v, int64_t)[out->count + i] = times[i * step];
        else
            vector_set_null(v, out->count + i);
    }
}

static enum status columns_result(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                                  const struct batch *keys, uint32_t n, int64_t start, int64_t end, struct batch *out)
{
    struct window_columns *w = (struct window_columns *)f;

    (void)t, (void)ns;
    columns_write(w, acc, keys, NULL, n, out);
    bounds_write(w, 0, &start, 0, n, out);
    bounds_write(w, 1, &end, 0, n, out);
    out->count += n;
    return S_OK;
}

/* BIGINT words, one after another, as bind_all laid them out. */
static const struct type *accumulator_type(struct arena *a, const struct agg *aggs, uint32_t count)
{
    uint32_t words = 0;

    for (uint32_t i = 0; i < count; i++) words += aggs[i].words;
    const char **names = ARENA_ARRAY(a, const char *, words);
    const struct type **types = ARENA_ARRAY(a, const struct type *, words);
    for (uint32_t i = 0; i < words; i++) {
        names[i] = arena_printf(a, "w%u", i);
        types[i] = type_new(a, T_BIGINT, 0, 0, false);
    }
    return type_row(a, words, names, types, false);
}

/* --- the general engine ---------------------------------------------------------------------------------------------- */
static bool is_sliced(const struct window_config *c)
{
    bool timed = c->assigner == TW_TUMBLING || c->assigner == TW_SLIDING;

    return timed && !c->all && c->trigger == TW_TRIGGER_DEFAULT && !c->trigger_purging && c->stagger == TW_ALIGNED;
}

static enum status columns_fire_many(void *arg, const struct window_firings *f)
{
    struct window_columns *w = arg;
    struct batch *out = op_out(w->cx, 0);

    columns_write(w, f->acc, f->keys, f->at, f->count, out);
    bounds_write(w, 0, &f->windows->start, 2, f->count, out);
    bounds_write(w, 1, &f->windows->end, 2, f->count, out);
    batch_use_times(out);
    for (uint32_t i = 0; i < f->count; i++) out->times[out->count + i] = window_last(&f->windows[i]);
    out->count += f->count;
    return S_OK;
}

static enum status columns_fire(void *arg, const struct window_firing *f)
{
    uint16_t at = (uint16_t)f->at;

    return columns_fire_many(
        arg, &(struct window_firings){.count = 1, .windows = &f->window, .keys = f->keys, .at = &at, .acc = &f->acc});
}

static enum status open_engine(struct op_cx *cx, struct window_columns *w)
{
    struct window_plan plan = {
        .config = cx->config, .fold = &w->fold, .late_port = {1}, .arg = w, .fire = columns_fire,
        .fire_many = columns_fire_many};

    return window_engine_create(cx, &plan, &w->engine);
}

/* --- hooks ------------------------------------------------------------------------------------------------------------------ */
static bool all_exact(const struct agg *aggs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool real = aggs[i].argument != NULL && (aggs[i].argument->phys == P_F32 || aggs[i].argument->phys == P_F64);
        if (aggs[i].type->unmerge == NULL || real) return false;
    }
    return true;
}

static enum status window_columns_open(struct op_cx *cx, void *self)
{
    struct window_columns *w = self;
    const struct window_config *c = cx->config;
    const char **names = ARENA_ARRAY(cx->scratch, const char *, c->aggregates.count);

    w->cx = cx;
    w->is_bounded = window_is_bounded(c);
    w->agg_count = c->aggregates.count;
    w->key_count = cx->plan->key_count[0];
    w->aggs = mem_zalloc(cx->mem, sizeof *w->aggs * w->agg_count);
    TRY(bind_all(cx->plan, c, w->aggs, names, cx->err));
    w->fold = (struct window_fold){.acc = accumulator_type(cx->plan->arena, w->aggs, w->agg_count),
                                   .add = columns_add,
                                   .merge = columns_merge,
                                   .unmerge = all_exact(w->aggs, w->agg_count) ? columns_unmerge : NULL,
                                   .result = columns_result};
    if (!is_sliced(c)) return open_engine(cx, w);
    struct slices_plan plan = {.size_ms = c->size_ms,
                               .slide_ms = c->assigner == TW_SLIDING ? c->slide_ms : c->size_ms,
                               .offset_ms = c->offset_ms,
                               .lateness_ms = c->lateness_ms,
                               .processing_time = c->processing_time,
                               .late_port = 1};
    return slices_create(cx, &plan, &w->fold, &w->slices);
}

static enum status window_columns_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct window_columns *w = self;

    (void)cx;
    ASSERT(input == 0);
    return w->engine ? window_engine_on_batch(w->engine, input, in) : slices_on_batch(w->slices, in);
}

static enum status window_columns_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct window_columns *w = self;

    (void)cx;
    return w->engine ? window_engine_on_watermark(w->engine, watermark) : slices_on_watermark(w->slices, watermark);
}

static enum status window_columns_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct window_columns *w = self;

    (void)cx;
    return w->engine ? window_engine_on_time(w->engine, now_ms) : slices_on_time(w->slices, now_ms);
}

static enum status window_columns_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct window_columns *s = self;

    (void)cx, (void)checkpoint;
    return s->engine ? window_engine_on_barrier(s->engine) : slices_on_barrier(s->slices);
}

static void window_columns_close(struct op_cx *cx, void *self, bool failed)
{
    struct window_columns *w = self;

    (void)failed;
    slices_free(w->slices);
    window_engine_free(w->engine);
    mem_free(cx->mem, w->aggs);
}

const struct op_type op_window_columns = {
    .name = "window_columns",
    .doc = "built-in aggregates over any window, per key or over the whole stream",
    .example = "tw_window_columns(tw_key_by(bids, \"bidder\"), TW_TUMBLE(TW_SECONDS(10)), \"count(*) AS n\")",
    .flags = OP_NEEDS_KEY | OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct window_config),
    .config_fields = window_config_fields,
    .instance_size = sizeof(struct window_columns),
    .derive = window_columns_derive,
    .needs = window_columns_needs,
    .open = window_columns_open,
    .on_batch = window_columns_on_batch,
    .on_watermark = window_columns_on_watermark,
    .on_time = window_columns_on_time,
    .on_barrier = window_columns_on_barrier,
    .close = window_columns_close,
};
