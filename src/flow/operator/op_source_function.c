/* op_source_function.c - the user's own source: .source fills up to 64 rows per call, and says when it has nothing now or is
 * through. One instance per subtask; a function that cannot share its rows asks tw_subtask which part is its own.
 *
 * A source that has nothing is asked again after 1 ms, then after 2, 4, up to 16 while nothing comes. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

#include <string.h>

enum { PAUSE_FIRST_MS = 1, PAUSE_LAST_MS = 16 };

struct source_function {
    struct tw_context cx;
    int64_t pause_ms;
    bool has_ended;
};

static enum status source_function_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct source_function_config *c = config;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->source, "source", e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static bool source_function_blocks(const void *config)
{
    const struct source_function_config *c = config;

    return c->function.fn && (c->function.fn->flags & TW_BLOCKING);
}

static enum status source_function_open(struct op_cx *op, void *self)
{
    struct source_function *s = self;
    const struct source_function_config *c = op->config;

    s->pause_ms = PAUSE_FIRST_MS;
    TRY(user_start(&s->cx, op, &c->function, true));
    s->cx.may_collect = false; /* the stage is the rows that .source fills */
    return S_OK;
}

/* One call of the function; *count = rows it gave. */
static enum status rows_read(struct source_function *s, uint32_t max, uint32_t *count)
{
    struct tw_context *cx = &s->cx;
    struct user_out *o = &cx->outs[0];
    bool end = false;

    *count = 0;
    memset(o->stage, 0, (size_t)max * o->row.conv.size);
    TRY(user_check(cx, cx->fn->source(cx, o->stage, max, count, &end)));
    if (*count > max) {
        user_misuse(cx, "function '%s' says that it gave %u rows; there was room for %u", cx->ref->name, *count, max);
        return user_failed(cx, TW_FAILED);
    }
    s->has_ended = end;
    if (*count > 0) user_out_write(cx, o, o->stage, *count, NULL, NULL);
    return S_OK;
}

static enum status source_function_poll(struct op_cx *op, void *self)
{
    struct source_function *s = self;
    struct tw_context *cx = &s->cx;
    uint32_t room, count = 1;

    TRY(user_begin(cx, 0, NULL));
    while (count > 0 && !s->has_ended && (room = user_out_room(cx, &cx->outs[0])) > 0) {
        TRY(rows_read(s, MIN(room, ROWCONV_ROWS), &count));
        if (count > 0) s->pause_ms = PAUSE_FIRST_MS;
        if (user_slice_over(cx)) break;
    }
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
    .close = user_op_close,
    .makes_watermarks = true,
};
