/* window_assign.c - tumbling, sliding, session, global, count and custom windows of a row.
 *
 * Sliding windows come from the last that holds the row to the first, as Flink makes them, and may be asked for in
 * portions: size / slide has no bound. A row so near the ends of time that one of its windows would reach beyond them is
 * refused: such times are mistakes of the data, and windows with other bounds than the arithmetic's would hide them.
 *
 * Stagger moves the windows of a subtask, decided with its first row: RANDOM by a number from the task's world, so that
 * the simulator repeats it, NATURAL by how far that moment lies behind the start of an aligned window.
 *
 * Not here: lateness, merging, and whatever else happens to a window once it is known. */
#include "flow/operator/window_assign.h"

/* --- user functions beside the operator's ----------------------------------------------------------------------------- */
const struct tw_row *window_part_in(const struct tw_function *fn, uint32_t input)
{
    return input == 1 && fn->in2 != NULL ? fn->in2 : fn->in;
}

enum status window_part_open(struct window_part *p, struct op_cx *op, const struct function_ref *f,
                             const struct type *windows)
{
    struct tw_context *cx = &p->cx;

    if (!function_given(f)) return S_OK;
    TRY(user_init(cx, op, f));
    for (uint32_t i = 0; cx->fn->in != NULL && i < op->plan->input_count; i++)
        TRY(user_bind_in(cx, i, window_part_in(cx->fn, i)));
    TRY(user_bind_key(cx));
    if (windows != NULL) cx->key_type = windows; /* the key columns come first, so tw_key reads them where it did */
    return user_open(cx);
}

void window_part_close(struct window_part *p) { user_close(&p->cx); }

void window_part_begin(struct window_part *p, uint32_t input, const struct batch *in)
{
    if (p->cx.op == NULL) return;
    p->read_count = 0;
    p->cx.batch = in;
    p->cx.input = input;
    p->cx.row = NULL;
    p->cx.keys = NULL;
    p->cx.key.batch = NULL;
}

enum status window_part_row(struct window_part *p, uint32_t i, const char **row)
{
    struct tw_context *cx = &p->cx;

    *row = NULL;
    p->where_row = (uint16_t)batch_row(cx->batch, i);
    p->where = (struct user_where){
        .keys = cx->batch, .cols = cx->op->plan->keys[cx->input], .rows = &p->where_row, .is_row = true};
    cx->where = &p->where;
    cx->where_at = 0;
    if (cx->in[cx->input].structs == NULL) return S_OK;
    if (i < p->read_first || i - p->read_first >= p->read_count) {
        p->read_count = 0;
        TRY(user_read_some(cx, cx->input, cx->batch, i, p->reads_blocks ? ROWCONV_ROWS : 1, &p->read_count));
        p->read_first = i;
    }
    *row = cx->in[cx->input].structs + (size_t)(i - p->read_first) * cx->in[cx->input].row.conv.size;
    user_at(cx, i, *row);
    return S_OK;
}

void window_part_at(struct window_part *p, const struct batch *keys, uint32_t at, const struct tw_window *w)
{
    p->where.windows = w;
    p->where.is_one_window = true;
    if (keys == NULL) return;
    p->where_row = (uint16_t)at;
    p->where.keys = keys;
    p->where.cols = NULL;
}

/* --- assigners ----------------------------------------------------------------------------------------------------------- */
enum status window_assigner_open(struct window_assigner *a, struct op_cx *op, const struct window_config *c)
{
    a->op = op;
    a->config = c;
    return window_part_open(&a->part, op, &c->assign, NULL);
}

void window_assigner_close(struct window_assigner *a) { window_part_close(&a->part); }

enum status window_out_of_range(struct op_cx *op, int64_t time, int64_t size)
{
    err_set(op->err, E_DATA, "event time %lld is out of range: a window of %lld ms around it would reach beyond the %s time",
            (long long)time, (long long)size, time < 0 ? "first" : "last");
    err_hint(op->err, "event times are milliseconds since 1970; correct such rows or remove them before the window");
    return E_DATA;
}

/* Start of the window of `size` at `offset` that holds the time. */
static int128 start_of(int64_t time, int64_t offset, int64_t size)
{
    int128 past = ((int128)time - offset) % size;

    return (int128)time - (past < 0 ? past + size : past);
}

enum status window_range_check(struct op_cx *op, int64_t time, int64_t offset, int64_t size, int64_t slide)
{
    const int64_t far = INT64_C(1) << 61;

    if (LIKELY(time > -far && time < far && size < far && slide < far)) return S_OK;
    int128 last = start_of(time, offset, slide), first = last, before = (int128)time - size;
    if (last > before) first -= (last - before - 1) / slide * slide;
    if (first > INT64_MIN && last + MAX(size, slide) < INT64_MAX) return S_OK;
    return window_out_of_range(op, time, size);
}

static int64_t stagger_of(struct window_assigner *a, int64_t now_ms)
{
    const struct window_config *c = a->config;

    if (a->is_staggered) return a->stagger;
    a->is_staggered = true;
    if (c->stagger == TW_RANDOM)
        a->stagger = (int64_t)((double)(sys_random(a->op->sys) >> 11) * 0x1p-53 * (double)c->size_ms);
    if (c->stagger == TW_NATURAL) a->stagger = MAX(INT64_C(0), now_ms - (int64_t)start_of(now_ms, 0, c->size_ms));
    return a->stagger;
}

static enum status assign_tumbling(struct window_assigner *a, int64_t time, int64_t now_ms, struct tw_window *out,
                                   uint32_t *n)
{
    int64_t size = a->config->size_ms, offset = (a->config->offset_ms + stagger_of(a, now_ms)) % size;

    TRY(window_range_check(a->op, time, offset, size, size));
    int64_t start = (int64_t)start_of(time, offset, size);
    out[(*n)++] = (struct tw_window){start, start + size};
    return S_OK;
}

static enum status assign_sliding(struct window_assigner *a, int64_t time, struct tw_window *out, uint32_t max,
                                  uint32_t *n)
{
    const struct window_config *c = a->config;

    if (!a->is_within) {
        TRY(window_range_check(a->op, time, c->offset_ms, c->size_ms, c->slide_ms));
        a->next_start = (int64_t)start_of(time, c->offset_ms, c->slide_ms);
    }
    a->is_within = true;
    while ((int128)a->next_start > (int128)time - c->size_ms) {
        if (*n == max) return S_MORE;
        out[(*n)++] = (struct tw_window){a->next_start, a->next_start + c->size_ms};
        if (a->next_start < INT64_MIN + c->slide_ms) break;
        a->next_start -= c->slide_ms;
    }
    a->is_within = false;
    return S_OK;
}

static enum status assign_session(struct window_assigner *a, uint32_t i, int64_t time, struct tw_window *out,
                                  uint32_t *n)
{
    struct tw_context *cx = &a->part.cx;
    int64_t gap = a->config->gap_ms;
    const char *row;

    if (cx->op != NULL) {
        TRY(window_part_row(&a->part, i, &row));
        TRY(user_check(cx, cx->fn->session_gap(cx, row, &gap)));
        if (gap <= 0) {
            (void)tw_fail(cx, "the session gap of a row must be positive, but .session_gap answered %lld ms",
                          (long long)gap);
            return user_failed(cx, TW_FAILED);
        }
    }
    int64_t end = window_add(time, gap);
    if (time == INT64_MIN || end == INT64_MAX) return window_out_of_range(a->op, time, gap);
    out[(*n)++] = (struct tw_window){time, end};
    return S_OK;
}

static enum status assign_custom(struct window_assigner *a, uint32_t i, int64_t time, struct tw_window *out,
                                 uint32_t *n)
{
    struct tw_context *cx = &a->part.cx;
    uint32_t count = 0;
    const char *row;

    TRY(window_part_row(&a->part, i, &row));
    TRY(user_check(cx, cx->fn->assign(cx, row, time, out + *n, WINDOW_CUSTOM_MAX, &count)));
    for (uint32_t k = 0; k < MIN(count, (uint32_t)WINDOW_CUSTOM_MAX); k++) {
        const struct tw_window *w = &out[*n + k];
        if (w->start < w->end) continue;
        (void)tw_fail(cx, "a window must end behind its start, but .assign answered [%lld, %lld)", (long long)w->start,
                      (long long)w->end);
        return user_failed(cx, TW_FAILED);
    }
    if (count > WINDOW_CUSTOM_MAX) {
        (void)tw_fail(cx, ".assign answered %u windows for one row; there is room for %d", count, WINDOW_CUSTOM_MAX);
        return user_failed(cx, TW_FAILED);
    }
    *n += count;
    return S_OK;
}

enum status window_assign(struct window_assigner *a, uint32_t i, int64_t time, int64_t now_ms, struct tw_window *out,
                          uint32_t max, uint32_t *n)
{
    const struct window_config *c = a->config;
    int64_t at = c->processing_time ? now_ms : time;

    if (*n + (c->assigner == TW_CUSTOM_WINDOWS ? WINDOW_CUSTOM_MAX : 1) > max) return S_MORE;
    switch ((enum tw_assigner)c->assigner) {
    case TW_TUMBLING: return assign_tumbling(a, at, now_ms, out, n);
    case TW_SLIDING: return assign_sliding(a, at, out, max, n);
    case TW_SESSION: return assign_session(a, i, at, out, n);
    case TW_CUSTOM_WINDOWS: return assign_custom(a, i, at, out, n);
    case TW_GLOBAL:
    case TW_COUNT: out[(*n)++] = (struct tw_window){INT64_MIN, INT64_MAX}; return S_OK;
    }
    return S_OK;
}
