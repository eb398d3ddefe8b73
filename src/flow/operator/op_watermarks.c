/* op_watermarks.c - assigns event times and watermarks in mid-stream (assignTimestampsAndWatermarks). Watermarks that come
 * in are dropped, except the last one, which says that the input has ended; those that go out follow from the rows.
 *
 * The rows are handed on as they lie: a view of the input batch with times of its own. Where a watermark by row count is
 * due, the batch is cut, so that the watermark stands between the same two rows whatever the batches were. */
#include "flow/operator/kept_words.h"
#include "flow/operator/user_times.h"
#include "flow/source/source_options.h"

#include <string.h>

struct watermarks {
    struct watermark_strategy strategy;
    struct watermark_generator generator;
    struct user_times times;
    int64_t row_times[BATCH_ROWS]; /* of the input batch in work */
    uint16_t rows[BATCH_ROWS];     /* selection of the run that is handed on */
    struct batch view;
    uint32_t done;                 /* rows of it that were handed on */
    int64_t watermark, emit_ms;    /* emitted last; when the next periodic one is due */
    int64_t seen_ms;               /* of the latest row */
    bool is_idle;
    struct kept_words kept;        /* over checkpoints: the generator */
};

static const struct type *with_time_attribute(const struct op_plan *plan, const char *field)
{
    const struct type *in = plan->inputs[0];
    const struct type **types = ARENA_ARRAY(plan->arena, const struct type *, in->child_count);

    for (uint32_t i = 0; i < in->child_count; i++)
        types[i] = strcmp(in->names[i], field) == 0 ? type_with_time(plan->arena, in->children[i], TIME_ROWTIME) : in->children[i];
    return type_row(plan->arena, in->child_count, in->names, types, in->nullable);
}

static enum status watermarks_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct watermarks_config *c = config;
    struct watermark_strategy s;
    const char *stream = plan->input_names[0];

    TRY(watermark_strategy_init(&s, &c->watermark, plan->inputs[0], stream, e));
    TRY(user_times_check(&c->watermark, plan->inputs[0], stream, plan->arena, e));
    if (c->watermark.alignment_group != NULL) {
        err_set(e, E_GRAPH, "watermarks in mid-stream cannot be aligned (group '%s')", c->watermark.alignment_group);
        err_hint(e, "only sources can wait for each other: set the watermarks at the source");
        return E_GRAPH;
    }
    plan->outputs[0] = c->marks_time ? with_time_attribute(plan, c->watermark.time_field) : plan->inputs[0];
    plan->output_count = 1;
    return S_OK;
}

static void watermarks_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs,
                             uint64_t *const *inputs)
{
    const struct watermarks_config *c = config;
    const struct type *row = plan->inputs[0];

    for (uint32_t i = 0; i < (row->child_count + 63) / 64; i++) inputs[0][i] = outputs[0][i];
    int col = c->watermark.time_field != NULL ? op_type_field(row, NULL, c->watermark.time_field, NULL) : -1;
    if (col >= 0) bit_set(inputs[0], (uint32_t)col);
    col = c->watermark.watermark_field != NULL ? op_type_field(row, NULL, c->watermark.watermark_field, NULL) : -1;
    if (col >= 0) bit_set(inputs[0], (uint32_t)col);
    if (function_given(&c->watermark.function) && c->watermark.function.fn != NULL)
        user_row_needs(c->watermark.function.fn->in, row, inputs[0]);
}

static bool watermarks_blocks(const void *config)
{
    const struct watermarks_config *c = config;

    return c->watermark.function.fn != NULL && (c->watermark.function.fn->flags & TW_BLOCKING);
}

static enum status open_kept(struct op_cx *cx, struct watermarks *w)
{
    int64_t words[] = {TIME_MIN, 0, false};
    bool is_own;

    TRY(kept_words_open(&w->kept, cx, "generator", words, COUNT_OF(words), &is_own));
    w->generator.watermark = words[0];
    w->generator.rows = is_own ? (uint32_t)words[1] : 0;
    w->is_idle = words[2] != 0;
    op_emit_idle(cx, w->is_idle);
    return S_OK;
}

static enum status watermarks_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct watermarks *w = self;
    const int64_t words[] = {w->generator.watermark, w->generator.rows, w->is_idle};

    (void)cx, (void)checkpoint;
    return kept_words_save(&w->kept, words);
}

static enum status watermarks_open(struct op_cx *cx, void *self)
{
    struct watermarks *w = self;
    const struct watermarks_config *c = cx->config;
    struct watermark_config defaults = source_watermark_config(&c->watermark, &(struct options){NULL, 0});

    TRY(watermark_strategy_init(&w->strategy, &defaults, cx->plan->inputs[0], cx->plan->input_names[0], cx->err));
    TRY(user_times_open(&w->times, cx, &c->watermark.function, cx->plan->inputs[0], &w->strategy.hooks));
    watermark_generator_init(&w->generator);
    w->watermark = TIME_MIN;
    w->seen_ms = sys_wall_ms(cx->sys);
    w->emit_ms = w->seen_ms + w->strategy.interval_ms;
    if (w->strategy.idleness_ms > 0) op_wake_at(cx, w->seen_ms + w->strategy.idleness_ms);
    return open_kept(cx, w);
}

static void emit(struct op_cx *cx, struct watermarks *w)
{
    if (w->generator.watermark <= w->watermark) return;
    w->watermark = w->generator.watermark;
    op_emit_watermark(cx, w->watermark);
}

/* Periodic watermarks: at once when one is due, else a wake-up for it. */
static void emit_periodic(struct op_cx *cx, struct watermarks *w, int64_t now_ms)
{
    if (w->strategy.every_rows > 0 || w->generator.watermark <= w->watermark) return;
    if (now_ms >= w->emit_ms) {
        emit(cx, w);
        w->emit_ms = now_ms + w->strategy.interval_ms;
    } else {
        op_wake_at(cx, w->emit_ms);
    }
}

static void became_active(struct op_cx *cx, struct watermarks *w, int64_t now_ms)
{
    w->seen_ms = now_ms;
    if (w->strategy.idleness_ms > 0) op_wake_at(cx, now_ms + w->strategy.idleness_ms);
    if (!w->is_idle) return;
    w->is_idle = false;
    op_emit_idle(cx, false);
}

/* Selected rows first..first+n of `in` as a batch of their own. */
static struct batch *view_of(struct watermarks *w, const struct batch *in, uint32_t first, uint32_t n)
{
    w->view = *in;
    w->view.times = w->row_times;
    if (in->sel == NULL && first == 0 && n == in->count) return &w->view;
    for (uint32_t i = 0; i < n; i++) w->rows[i] = (uint16_t)batch_row(in, first + i);
    w->view.sel = w->rows;
    w->view.sel_count = n;
    return &w->view;
}

static enum status watermarks_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct watermarks *w = self;
    uint32_t rows = batch_rows(in);
    int64_t now = sys_wall_ms(cx->sys);

    (void)input;
    ASSERT(rows > 0 && w->done < rows);
    if (w->done == 0) became_active(cx, w, now);
    uint32_t n = MIN(rows - w->done, watermark_room(&w->strategy, &w->generator));
    TRY(watermark_times(&w->strategy, in, w->done, n, w->row_times, cx->err));
    TRY(watermark_see(&w->strategy, &w->generator, in, w->done, n, w->row_times));
    op_forward(cx, 0, view_of(w, in, w->done, n));
    w->done += n;
    if (watermark_is_due(&w->strategy, &w->generator)) emit(cx, w);
    emit_periodic(cx, w, now);
    if (w->done < rows) return S_MORE;
    w->done = 0;
    return S_OK;
}

static enum status watermarks_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    (void)self;
    if (watermark == WATERMARK_MAX) op_emit_watermark(cx, watermark);
    return S_OK;
}

static enum status watermarks_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct watermarks *w = self;
    int64_t idle_at = w->seen_ms + w->strategy.idleness_ms;

    emit_periodic(cx, w, now_ms);
    if (w->strategy.idleness_ms == 0 || w->is_idle) return S_OK;
    if (now_ms < idle_at) {
        op_wake_at(cx, idle_at);
        return S_OK;
    }
    w->is_idle = true;
    op_emit_idle(cx, true);
    return S_OK;
}

static void watermarks_close(struct op_cx *cx, void *self, bool failed)
{
    (void)failed;
    (void)cx;
    kept_words_close(&((struct watermarks *)self)->kept);
    user_times_close(&((struct watermarks *)self)->times);
}

const struct op_type op_watermarks = {
    .name = "watermarks",
    .doc = "event times and watermarks for a stream that has none, or others",
    .example =
        "tw_with_watermarks(rows, .kind = TW_WM_BOUNDED, .time_field = \"ts\", .out_of_orderness_ms = TW_SECONDS(5))",
    .flags = OP_SELECTION | OP_FORMS | OP_KEEPS,
    .input_count = 1,
    .config_size = sizeof(struct watermarks_config),
    .config_fields = watermarks_config_fields,
    .instance_size = sizeof(struct watermarks),
    .derive = watermarks_derive,
    .needs = watermarks_needs,
    .blocks = watermarks_blocks,
    .open = watermarks_open,
    .on_batch = watermarks_on_batch,
    .on_watermark = watermarks_on_watermark,
    .on_time = watermarks_on_time,
    .on_barrier = watermarks_on_barrier,
    .close = watermarks_close,
    .makes_watermarks = true,
};
