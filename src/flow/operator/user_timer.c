/* user_timer.c - timers of user functions: registering them for the current key, and calling on_timer for those that are
 * due, with the states of all their keys resolved at once.
 *
 * The idea: due timers are taken from the heap a batch at a time, as rows of key columns, so that resolving state works
 * as it does for input rows. A callback may register or delete timers that belong between those already taken; the heap
 * says so (timers_disturbed), the rest is given back and asked for again. The loop ends when nothing is due, not when a
 * batch was the last: a callback may have added some.
 *
 * One batch of timers per call of the hook: state may be pending only while nothing was emitted. */
#include "flow/operator/user.h"

#include "flow/operator/user_internal.h"
#include "flow/state/timer.h"

struct user_timers {
    struct timers *event, *processing;
    struct batch *keys;        /* of the timers taken and not yet fired */
    int64_t *times;
    uint32_t cols[OP_KEYS_MAX]; /* 0, 1, ... */
    uint32_t count, at;
};

enum status user_timers_open(struct tw_context *cx)
{
    struct op_cx *op = cx->op;
    struct user_timers *ut;

    if (cx->fn->on_timer == NULL || cx->key_type == NULL) return S_OK;
    ASSERT(op->state != NULL);
    ut = ARENA_NEW(&cx->arena, struct user_timers);
    cx->timers = ut;
    TRY(timers_create(op->state, "event", cx->key_type, &ut->event, op->err));
    TRY(timers_create(op->state, "processing", cx->key_type, &ut->processing, op->err));
    timers_of_processing_time(ut->processing);
    ut->keys = batch_create(cx->key_type, op->batch_rows, op->mem);
    ut->times = mem_alloc(op->mem, sizeof *ut->times * op->batch_rows);
    for (uint32_t i = 0; i < OP_KEYS_MAX; i++) ut->cols[i] = i;
    return S_OK;
}

void user_timers_close(struct tw_context *cx)
{
    struct user_timers *ut = cx->timers;

    if (ut == NULL) return;
    timers_free(ut->event);
    timers_free(ut->processing);
    batch_free(ut->keys);
    mem_free(cx->op->mem, ut->times);
    cx->timers = NULL;
}

void user_timers_wake(struct tw_context *cx)
{
    int64_t next = timers_next(cx->timers->processing);

    if (next != INT64_MAX) op_wake_at(cx->op, next);
}

/* --- registering ----------------------------------------------------------------------------------------------------- */
typedef enum status (*timer_call)(struct timers *, const struct batch *, const uint32_t *, uint32_t, uint64_t, int64_t);

static void timer_do(struct tw_context *cx, bool processing, timer_call call, int64_t time_ms)
{
    const struct batch *b = cx->keys ? cx->keys : cx->batch;
    uint32_t at = cx->keys ? cx->keys_at : cx->at;
    enum status st;

    if (UNLIKELY(cx->timers == NULL)) {
        if (cx->hooks.trigger_timer != NULL)
            user_misuse(cx, "a trigger has no .on_timer: its timers are tw_register_trigger_timer's, and come to "
                            ".on_event_time or .on_processing_time");
        else user_misuse(cx, "timers need a keyed stream and a function with .on_timer");
        return;
    }
    if (UNLIKELY(!cx->begun || b == NULL)) {
        user_misuse(cx, "a timer was registered or deleted where there is no current key");
        return;
    }
    st = call(processing ? cx->timers->processing : cx->timers->event, b, cx->key_cols, batch_row(b, at), cx->hashes[at], time_ms);
    if (UNLIKELY(st != S_OK)) {
        user_misuse(cx, "a timer could not be kept: %s", status_text(st));
        cx->broken = st;
    }
}

void tw_register_event_timer(struct tw_context *cx, int64_t time_ms) { timer_do(cx, false, timers_register_one, time_ms); }
void tw_delete_event_timer(struct tw_context *cx, int64_t time_ms) { timer_do(cx, false, timers_delete_one, time_ms); }
void tw_register_processing_timer(struct tw_context *cx, int64_t time_ms) { timer_do(cx, true, timers_register_one, time_ms); }
void tw_delete_processing_timer(struct tw_context *cx, int64_t time_ms) { timer_do(cx, true, timers_delete_one, time_ms); }
bool tw_timer_is_processing_time(struct tw_context *cx) { return cx->in_timer && cx->timer_is_processing; }

static void trigger_timer(struct tw_context *cx, int64_t time_ms, bool event_time, bool remove)
{
    if (cx->hooks.trigger_timer == NULL) {
        user_misuse(cx, "trigger timers exist in the hooks of a trigger only");
        return;
    }
    enum status st = cx->hooks.trigger_timer(cx->hooks.arg, time_ms, event_time, remove);
    if (UNLIKELY(st != S_OK)) {
        user_misuse(cx, "a timer could not be kept: %s", status_text(st));
        cx->broken = st;
    }
}

void tw_register_trigger_timer(struct tw_context *cx, int64_t time_ms, bool event_time) { trigger_timer(cx, time_ms, event_time, false); }
void tw_delete_trigger_timer(struct tw_context *cx, int64_t time_ms, bool event_time) { trigger_timer(cx, time_ms, event_time, true); }

/* --- firing ------------------------------------------------------------------------------------------------------------- */
static enum status take_due(struct user_timers *ut, struct timers *t, int64_t upto)
{
    enum status st;

    batch_clear(ut->keys);
    ut->count = ut->at = 0;
    st = timers_due(t, upto, ut->keys, NULL, ut->times, &ut->count);
    return st == S_MORE ? S_OK : st;
}

/* Calls on_timer for the timers at hand until a port is full or the heap has changed below them. */
static enum status fire_taken(struct tw_context *cx, struct timers *t)
{
    struct user_timers *ut = cx->timers;
    enum status st = S_OK;

    cx->keys = ut->keys;
    cx->in_timer = true;
    while (st == S_OK && ut->at < ut->count && !cx->full) {
        cx->keys_at = ut->at;
        cx->time = ut->times[ut->at++];
        st = user_check(cx, cx->fn->on_timer(cx, cx->time));
        if (ut->at < ut->count && timers_disturbed(t)) {
            timers_give_back(t, ut->keys, NULL, ut->at, ut->times + ut->at, ut->count - ut->at);
            ut->count = ut->at;
        }
        if (ut->at % ROWCONV_ROWS == 0 && user_slice_over(cx)) break;
    }
    cx->in_timer = false;
    cx->time = TW_NO_TIME;
    return st;
}

static enum status fire(struct tw_context *cx, bool processing, int64_t upto)
{
    struct user_timers *ut = cx->timers;
    struct timers *t;

    if (ut == NULL) return S_OK;
    t = processing ? ut->processing : ut->event;
    TRY(user_begin(cx, 0, NULL));
    if (ut->at == ut->count) {
        TRY(take_due(ut, t, upto));
        if (ut->count == 0) return user_end(cx, true);
    }
    TRY(user_keys(cx, ut->keys, ut->cols, cx->key_type->child_count));
    cx->timer_is_processing = processing;
    TRY(fire_taken(cx, t));
    if (ut->at == ut->count) user_keys_done(cx);
    cx->keys = NULL;
    return user_end(cx, false);
}

enum status user_fire_event(struct tw_context *cx, int64_t watermark) { return fire(cx, false, watermark); }
enum status user_fire_processing(struct tw_context *cx, int64_t now_ms) { return fire(cx, true, now_ms); }
