/* op_source_function.c - the user's own source: .source fills up to 64 rows per call, and says when it has nothing now or is
 * through. One instance per subtask; a function that cannot share its rows asks tw_subtask which part is its own.
 *
 * Event times and watermarks follow from the rows as at any source, the instance being one split; a batch ends where a
 * watermark by row count is due. A source that has nothing is asked again after 1 ms, then after 2, 4, up to 16 while
 * nothing comes; periodic watermarks and idleness are looked at whenever it is asked. */
#include "flow/operator/user_times.h"
#include "flow/source/source_options.h"

#include <string.h>

enum { PAUSE_FIRST_MS = 1, PAUSE_LAST_MS = 16 };

struct source_function {
    struct tw_context cx;
    struct watermark_strategy strategy;
    struct watermark_generator generator;
    struct user_times times;
    struct batch *rows;            /* what this call reads: columns that somebody needs, and those that times come from */
    int64_t pause_ms, watermark, emit_ms, seen_ms; /* the watermark emitted last; when the next is due; when rows came last */
    bool has_ended, is_idle, is_due; /* is_due: a watermark by row count */
};

static enum status source_function_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct source_function_config *c = config;
    struct watermark_strategy s;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->source, "source", e));
    TRY(user_derive_out(plan, &c->function, e));
    TRY(watermark_strategy_init(&s, &c->watermark, plan->outputs[0], c->function.name, e));
    TRY(user_times_check(&c->watermark, plan->outputs[0], c->function.name, plan->arena, e));
    return user_derive_state(plan, &c->function, false, e);
}

static bool source_function_blocks(const void *config)
{
    const struct source_function_config *c = config;

    return c->function.fn && (c->function.fn->flags & TW_BLOCKING);
}

/* The columns that are read downstream, and those that event times and watermarks need. */
static const uint64_t *columns_needed(struct source_function *s)
{
    const struct op_cx *op = s->cx.op;
    const struct type *row = op->plan->outputs[0];
    uint32_t words = (row->child_count + 63) / 64;
    uint64_t *needed;

    if (op->needed_out == NULL || op->needed_out[0] == NULL) return NULL;
    needed = ARENA_ARRAY(&s->cx.arena, uint64_t, words);
    memcpy(needed, op->needed_out[0], words * sizeof *needed);
    if (s->strategy.time_col >= 0) bit_set(needed, (uint32_t)s->strategy.time_col);
    if (s->times.cx.fn) user_row_needs(s->times.cx.fn->in, row, needed);
    return needed;
}

static enum status source_function_open(struct op_cx *op, void *self)
{
    struct source_function *s = self;
    const struct source_function_config *c = op->config;

    struct watermark_config w = source_watermark_config(&c->watermark, &(struct options){NULL, 0});

    s->pause_ms = PAUSE_FIRST_MS;
    s->watermark = TIME_MIN;
    s->seen_ms = s->emit_ms = sys_wall_ms(op->sys);
    watermark_generator_init(&s->generator);
    TRY(watermark_strategy_init(&s->strategy, &w, op->plan->outputs[0], op->name, op->err));
    TRY(user_times_open(&s->times, op, &w.function, op->plan->outputs[0], &s->strategy.hooks));
    TRY(user_start(&s->cx, op, &c->function, true));
    s->cx.may_collect = false; /* the stage is the rows that .source fills */
    s->rows = batch_create_needed(op->plan->outputs[0], columns_needed(s), op->batch_rows, op->mem);
    return S_OK;
}

static void source_function_close(struct op_cx *op, void *self, bool failed)
{
    struct source_function *s = self;

    (void)op;
    batch_free(s->rows);
    user_times_close(&s->times, failed);
    user_close(&s->cx, failed);
}

/* --- times and watermarks ------------------------------------------------------------------------------------------------ */
/* The rows from `first` on have just come. */
static enum status rows_see(struct source_function *s, uint32_t first)
{
    struct batch *out = s->rows;
    uint32_t n = out->count - first;
    int64_t *times;

    if (s->strategy.kind == WATERMARK_NONE && s->strategy.time_col < 0 && s->strategy.hooks.times == NULL) return S_OK;
    batch_use_times(out);
    times = out->times;
    TRY(watermark_times(&s->strategy, out, first, n, times, s->cx.op->err));
    TRY(watermark_see(&s->strategy, &s->generator, out, first, n, times));
    s->is_due = watermark_is_due(&s->strategy, &s->generator);
    return S_OK;
}

static void watermark_emit(struct source_function *s, bool has_rows)
{
    struct op_cx *op = s->cx.op;
    int64_t now = sys_wall_ms(op->sys), idle_at;
    bool periodic = s->strategy.every_rows == 0 && now >= s->emit_ms;

    if (has_rows) s->seen_ms = now;
    idle_at = s->seen_ms + s->strategy.idleness_ms;
    if (s->strategy.idleness_ms > 0 && s->is_idle != (now >= idle_at)) {
        s->is_idle = !s->is_idle;
        op_emit_idle(op, s->is_idle);
    }
    if (!(s->is_due || periodic) || s->generator.watermark <= s->watermark) return;
    s->watermark = s->generator.watermark;
    s->emit_ms = now + s->strategy.interval_ms;
    s->is_due = false;
    op_emit_watermark(op, s->watermark);
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

/* One call of the function; *count = rows it gave. */
static enum status rows_read(struct source_function *s, uint32_t max, uint32_t *count)
{
    struct tw_context *cx = &s->cx;
    struct user_out *o = &cx->outs[0];
    bool end = false;
    uint32_t first = s->rows->count;

    *count = 0;
    memset(o->stage, 0, (size_t)max * o->row.conv.size);
    TRY(user_check(cx, cx->fn->source(cx, o->stage, max, count, &end)));
    if (*count > max) {
        user_misuse(cx, "function '%s' says that it gave %u rows; there was room for %u", cx->ref->name, *count, max);
        return user_failed(cx, TW_FAILED);
    }
    s->has_ended = end;
    if (*count == 0) return S_OK;
    rowconv_write(&o->row.conv, o->stage, *count, s->rows);
    return rows_see(s, first);
}

/* Room for rows before the batch is full or a watermark by row count is due. */
static uint32_t room_of(const struct source_function *s)
{
    uint32_t room = s->rows->heap.used >= BATCH_BYTES ? 0 : s->rows->capacity - s->rows->count;

    return s->is_due ? 0 : MIN(room, watermark_room(&s->strategy, &s->generator));
}

static enum status source_function_poll(struct op_cx *op, void *self)
{
    struct source_function *s = self;
    struct tw_context *cx = &s->cx;
    uint32_t room, count = 1;

    TRY(user_begin(cx, 0, NULL));
    batch_clear(s->rows);
    while (count > 0 && !s->has_ended && (room = room_of(s)) > 0) {
        TRY(rows_read(s, MIN(room, ROWCONV_ROWS), &count));
        if (user_slice_over(cx)) break;
    }
    if (s->rows->count > 0) {
        op_forward(op, 0, s->rows);
        s->pause_ms = PAUSE_FIRST_MS;
    }
    watermark_emit(s, s->rows->count > 0);
    TRY(user_end(cx, true));
    if (s->has_ended) {
        op_emit_watermark(op, WATERMARK_MAX);
        return S_END;
    }
    if (count > 0) return S_OK;
    op_wake_at(op, sys_wall_ms(op->sys) + s->pause_ms);
    s->pause_ms = MIN(s->pause_ms * 2, PAUSE_LAST_MS);
    return S_IDLE;
}

const struct op_type op_source_function = {
    .name = "source_function",
    .doc = "a source of the user, by the function's .source",
    .example = "tw_source_function(env, \"ticks\", &ticker)",
    .flags = OP_SOURCE,
    .config_size = sizeof(struct source_function_config),
    .config_fields = source_function_config_fields,
    .instance_size = sizeof(struct source_function),
    .derive = source_function_derive,
    .blocks = source_function_blocks,
    .open = source_function_open,
    .poll = source_function_poll,
    .close = source_function_close,
    .makes_watermarks = true,
};
