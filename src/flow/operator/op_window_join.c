/* op_window_join.c - rows of two keyed streams that fall into one window, joined pairwise or handed over as two groups:
 * JoinedStreams and CoGroupedStreams over tumbling and sliding windows.
 *
 * The idea: each side keeps its rows in a log, key -> rows in order of arrival, one namespace per window (its end). When a
 * window fires, the keys of the left log are walked a batch at a time, the right heads of those keys resolved at once, and
 * for a co-group the keys that only the right side has come after. A window goes whole, as its namespace.
 *
 * As in Flink: a row that comes after its window has fired, but within the allowed lateness, fires it again at once; a row
 * all of whose windows are past their lateness is dropped and counted. Results have the window's last ms as event time.
 * Pairs come by left row, then right row, in order of arrival.
 *
 * Invariants: rows are added window by window, each closed by state_done, so state may be pending between two windows and
 * never within one. Sessions, global, count and custom windows, triggers and evictors are refused when the graph is built. */
#include "flow/operator/user_elements.h"
#include "flow/operator/user_value.h"
#include "flow/operator/window_fields.h"
#include "flow/state/shape.h"

#include <thalweg/window.h>

#define TIMES_MAX (INT64_C(1) << 60) /* ms, for event times, sizes and offsets: sums of them do not overflow */

struct join_side {
    struct user_value value;
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;
    uint32_t time_field; /* behind the function's fields: the row's event time */
    struct tw_elements elements;
    struct state_scan scan; /* of the group in elements */
    void *head;
    int64_t window;
};

/* A window that is firing, for all its keys or for the key of a late row. */
struct firing {
    struct state_cursor cursor;
    uint32_t side, count, at;
    bool loaded, resolved, more, in_key;
    const void *left; /* the row whose pairs are being made */
};

struct window_join {
    struct tw_context cx;
    const struct window_config *config;
    int64_t size, slide;
    struct join_side sides[2];
    struct firing firing;
    int64_t fired_upto; /* windows whose last ms is not behind it have fired */
    int64_t window;     /* in work; TIME_MIN = none */
    /* The batch in work. */
    bool hashed, added;
    uint32_t late_at;    /* rows before it are through */
    int64_t late_window; /* next window of that row, TIME_MIN = its last one */
    bool late_added;
    uint64_t hashes[BATCH_ROWS], group_hashes[BATCH_ROWS];
    uint16_t group[BATCH_ROWS];
    int64_t row_times[BATCH_ROWS]; /* by selected row: what decides about windows */
    struct vector *columns;        /* of the probe */
    struct batch *keys;
    uint32_t cols[OP_KEYS_MAX];
    void *mine[BATCH_ROWS], *other[BATCH_ROWS];
};

/* --- graph time ---------------------------------------------------------------------------------------------------------- */
static enum status check(const struct op_plan *plan, const struct window_config *c, struct err *e)
{
    bool plain = c->trigger == TW_TRIGGER_DEFAULT && !c->trigger_purging && c->evictor == TW_NO_EVICTOR;

    TRY(window_config_check(c, e));
    if (c->all || plan->key_count[0] == 0 || plan->key_count[1] == 0) {
        err_hint(e, "use tw_key_by on both before it");
        return err_set(e, E_GRAPH, "a window join needs keyed streams");
    }
    if (c->assigner != TW_TUMBLING && c->assigner != TW_SLIDING)
        return err_set(e, E_UNSUPPORTED, "joins are available over tumbling and sliding windows only");
    if (c->size_ms > TIMES_MAX || c->offset_ms > TIMES_MAX || c->offset_ms < -TIMES_MAX || c->slide_ms > TIMES_MAX)
        return err_set(e, E_GRAPH, "a window's size, slide and offset may be at most %lld ms", (long long)TIMES_MAX);
    if (!plain) return err_set(e, E_UNSUPPORTED, "window joins with a trigger or an evictor are not available");
    return S_OK;
}

static enum status window_join_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct window_config *c = config;
    const struct tw_function *fn = c->function.fn;

    TRY(check(plan, c, e));
    TRY(user_need_hook(&c->function, fn && (c->co_group ? fn->co_group != NULL : fn->join != NULL),
                       c->co_group ? "co_group" : "join", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_in(plan, 1, &c->function, true, e));
    TRY(user_derive_pair(plan, e));
    TRY(user_derive_out(plan, &c->function, e));
    if (fn->on_timer)
        return err_set(e, E_GRAPH, "function '%s' has .on_timer, but a window join has no timers for it",
                       c->function.name);
    return user_derive_state(plan, &c->function, false, e);
}

/* --- opening ---------------------------------------------------------------------------------------------------------------- */
static const struct type *timed_type(struct arena *a, const struct type *row)
{
    uint32_t n = row->child_count;
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        names[i] = row->names[i];
        types[i] = row->children[i];
    }
    names[n] = "event time";
    types[n] = type_new(a, T_BIGINT, 0, 0, false);
    return type_row(a, n + 1, names, types, false);
}

static enum status side_open(struct window_join *j, uint32_t input, const struct tw_row *row)
{
    static const char *const names[] = {"left", "right"};
    struct tw_context *cx = &j->cx;
    struct join_side *s = &j->sides[input];

    TRY(user_value_of_row(&cx->arena, row, &s->value, cx->op->err));
    s->time_field = s->value.type->child_count;
    s->def = (struct state_def){.name = names[input],
                                .version = 1,
                                .shape = STATE_LOG,
                                .namespaced = true,
                                .key = cx->key_type,
                                .value = timed_type(&cx->arena, s->value.type)};
    TRY(state_open(cx->op->state, &s->def, &s->table, cx->op->err));
    TRY(state_probe_init(&s->probe, s->def.value, cx->op->mem, cx->op->err));
    user_elements_init(&s->elements, cx, &cx->in[input].row);
    return S_OK;
}

static enum status window_join_open(struct op_cx *op, void *self)
{
    const struct window_config *c = op->config;
    struct window_join *j = self;

    TRY(user_start(&j->cx, op, &c->function, true));
    j->config = c;
    j->size = c->size_ms;
    j->slide = c->assigner == TW_SLIDING ? c->slide_ms : c->size_ms;
    j->fired_upto = j->window = TIME_MIN;
    TRY(side_open(j, 0, j->cx.fn->in));
    TRY(side_open(j, 1, j->cx.fn->in2));
    uint32_t columns = MAX(j->sides[0].time_field, j->sides[1].time_field) + 1;
    j->columns = ARENA_ARRAY(&j->cx.arena, struct vector, columns);
    for (uint32_t k = 0; k < OP_KEYS_MAX; k++) j->cols[k] = k;
    j->keys = batch_create(j->cx.key_type, op->batch_rows, op->mem);
    return S_OK;
}

static void window_join_close(struct op_cx *op, void *self, bool failed)
{
    struct window_join *j = self;

    (void)op;
    for (uint32_t i = 0; i < 2; i++) {
        user_elements_release(&j->sides[i].elements);
        state_close(j->sides[i].table);
        state_probe_release(&j->sides[i].probe);
    }
    batch_free(j->keys);
    user_close(&j->cx, failed);
}

/* --- windows ------------------------------------------------------------------------------------------------------------------ */
static int64_t clock_now(const struct window_join *j)
{
    return j->config->processing_time ? sys_wall_ms(j->cx.op->sys) : j->cx.op->watermark;
}

/* The end of the last window that holds the time; earlier ones follow slide by slide. */
static int64_t last_end(const struct window_join *j, int64_t time)
{
    int64_t behind = (time - j->config->offset_ms) % j->slide;

    return time - (behind < 0 ? behind + j->slide : behind) + j->size;
}

static bool holds(const struct window_join *j, int64_t end, int64_t time)
{
    return time < end && time >= end - j->size && (last_end(j, time) - end) % j->slide == 0;
}

static bool has_fired(const struct window_join *j, int64_t end)
{
    return !j->config->processing_time && end - 1 <= j->cx.op->watermark;
}

/* Is the window past its lateness at that time? */
static bool is_over(const struct window_join *j, int64_t end, int64_t now)
{
    int64_t limit;

    return !__builtin_sub_overflow(now, j->config->lateness_ms, &limit) && end - 1 <= limit;
}

static bool is_gone(const struct window_join *j, int64_t end)
{
    return has_fired(j, end) && is_over(j, end, j->cx.op->watermark);
}

static void both_done(struct window_join *j)
{
    state_done(j->sides[0].table);
    state_done(j->sides[1].table);
}

/* --- firing --------------------------------------------------------------------------------------------------------------------- */
static enum status fill(void *arg, struct elements_block *block)
{
    struct join_side *s = arg;
    struct user_home home = {.table = s->table, .ns = s->window};
    uint32_t size = s->elements.row->conv.size;

    while (block->count < ROWCONV_ROWS) {
        void *row = state_head_next(s->table, s->window, s->head, &s->scan);
        if (row == NULL) break;
        user_value_load(&s->value, &s->table->value, &home, row, block->structs + (size_t)block->count * size);
        block->times[block->count++] = *state_word(row, s->table->value.fields[s->time_field].offset);
    }
    return S_OK;
}

static void group_set(struct join_side *s, void *head, int64_t window)
{
    s->head = head;
    s->window = window;
    s->scan = (struct state_scan){0};
    user_elements_structs(&s->elements, state_head_rows(head), fill, s);
}

/* Pairs until a port is full or the time is up; *finished says whether those were all. */
static enum status pairs_make(struct window_join *j, bool *finished)
{
    struct tw_context *cx = &j->cx;
    struct tw_elements *left = &j->sides[0].elements, *right = &j->sides[1].elements;

    *finished = false;
    for (uint32_t calls = 1;; calls++) {
        const void *row = j->firing.left ? tw_next(right) : NULL;
        if (row == NULL) {
            j->firing.left = tw_next(left);
            tw_rewind(right);
            if (cx->broken != S_OK) return user_check(cx, TW_FAILED);
            *finished = j->firing.left == NULL;
            if (*finished) return S_OK;
            continue;
        }
        TRY(user_check(cx, cx->fn->join(cx, j->firing.left, row)));
        if (cx->full || (calls % ROWCONV_ROWS == 0 && user_slice_over(cx))) return S_OK;
    }
}

/* One key of a window, the context standing on that key. */
static enum status key_fire(struct window_join *j, void *left, void *right, int64_t window, bool *finished)
{
    struct tw_context *cx = &j->cx;
    enum status st;

    if (!j->firing.in_key) {
        group_set(&j->sides[0], left, window);
        group_set(&j->sides[1], right, window);
        j->firing.left = NULL;
        j->firing.in_key = true;
    }
    cx->is_pair = true;
    cx->time = window - 1;
    cx->pair_times[0] = cx->pair_times[1] = TW_NO_TIME;
    *finished = true;
    if (j->config->co_group)
        st = user_check(cx, cx->fn->co_group(cx, &j->sides[0].elements, &j->sides[1].elements));
    else
        st = pairs_make(j, finished);
    cx->is_pair = false;
    cx->time = TW_NO_TIME;
    if (*finished) {
        user_elements_end(&j->sides[0].elements);
        user_elements_end(&j->sides[1].elements);
        j->firing.in_key = false;
    }
    return st;
}

/* The next batch of keys of the window and both heads of each. May be pending. */
static enum status keys_load(struct window_join *j, int64_t window)
{
    struct firing *f = &j->firing;
    uint32_t count = j->cx.key_type->child_count;

    if (!f->loaded) {
        batch_clear(j->keys);
        f->count = f->at = 0;
        enum status st = state_each(j->sides[f->side].table, window, &f->cursor, j->keys, NULL, j->mine, &f->count);
        if (st != S_OK && st != S_MORE) return st;
        f->more = st == S_MORE;
        f->loaded = true;
    }
    if (f->count == 0) return S_OK;
    batch_hash(j->keys, j->cols, count, j->hashes);
    struct state_keys keys = state_keys_of(j->keys, j->cols, count, j->hashes);
    TRY(state_resolve(j->sides[1 - f->side].table, window, &keys, STATE_READ, j->other, NULL));
    return user_keys(&j->cx, j->keys, j->cols, count);
}

static bool is_wanted(const struct window_join *j, uint32_t i)
{
    if (j->firing.side == 1) return j->other[i] == NULL; /* the others came with the left side */
    return j->config->co_group || j->other[i] != NULL;
}

/* All keys of the window, some per call; *finished when it is through. */
static enum status window_fire(struct window_join *j, int64_t window, bool *finished)
{
    struct firing *f = &j->firing;
    struct tw_context *cx = &j->cx;
    uint32_t sides = j->config->co_group ? 2 : 1;

    *finished = false;
    TRY(keys_load(j, window));
    cx->keys = j->keys;
    while (f->at < f->count && !cx->full) {
        bool through = true;
        cx->keys_at = f->at;
        void *left = f->side == 0 ? j->mine[f->at] : j->other[f->at],
             *right = f->side == 0 ? j->other[f->at] : j->mine[f->at];
        if (is_wanted(j, f->at)) TRY(key_fire(j, left, right, window, &through));
        if (through) f->at++;
        if (!through || (f->at % ROWCONV_ROWS == 0 && user_slice_over(cx))) break;
    }
    cx->keys = NULL;
    if (f->at < f->count) return S_OK;
    user_keys_done(cx);
    both_done(j);
    f->loaded = false;
    if (f->more) return S_OK;
    *finished = ++f->side == sides;
    f->cursor = (struct state_cursor){0};
    if (*finished) f->side = 0;
    return S_OK;
}

/* --- time passes ------------------------------------------------------------------------------------------------------------------ */
/* The least live window above `after`, on either side; TIME_MIN when there is none. */
static int64_t window_after(struct window_join *j, int64_t after)
{
    int64_t least = TIME_MIN;

    for (uint32_t s = 0; s < 2; s++) {
        uint32_t count;
        const int64_t *ends = state_namespaces(j->sides[s].table, &count);
        for (uint32_t i = 0; i < count; i++) {
            if (ends[i] <= after) continue;
            if (least == TIME_MIN || ends[i] < least) least = ends[i];
            break;
        }
    }
    return least;
}

static void windows_drop(struct window_join *j, int64_t now)
{
    for (int64_t end; (end = window_after(j, TIME_MIN)) != TIME_MIN && is_over(j, end, now);) {
        state_drop(j->sides[0].table, end);
        state_drop(j->sides[1].table, end);
    }
}

static enum status advance(struct window_join *j, int64_t now)
{
    bool finished = true;

    TRY(user_begin(&j->cx, 0, NULL));
    if (j->window == TIME_MIN) j->window = window_after(j, j->fired_upto == TIME_MIN ? TIME_MIN : j->fired_upto + 1);
    if (j->window != TIME_MIN && j->window - 1 <= now) {
        TRY(window_fire(j, j->window, &finished));
        if (finished) {
            j->fired_upto = j->window - 1;
            j->window = TIME_MIN;
        }
        return user_end(&j->cx, false);
    }
    if (j->config->processing_time && j->window != TIME_MIN) op_wake_at(j->cx.op, j->window - 1);
    j->window = TIME_MIN;
    j->fired_upto = now == INT64_MAX ? now - 1 : now;
    windows_drop(j, now);
    return user_end(&j->cx, true);
}

static enum status window_join_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    struct window_join *j = self;

    (void)op;
    return j->config->processing_time ? S_OK : advance(j, watermark);
}

static enum status window_join_on_time(struct op_cx *op, void *self, int64_t now_ms)
{
    struct window_join *j = self;

    (void)op;
    return j->config->processing_time ? advance(j, now_ms) : S_OK;
}

/* --- rows come ---------------------------------------------------------------------------------------------------------------------- */
static enum status batch_start(struct window_join *j, uint32_t input, const struct batch *in)
{
    const struct op_plan *plan = j->cx.op->plan;
    uint32_t dropped = 0;

    batch_hash(in, plan->keys[input], plan->key_count[input], j->hashes);
    for (uint32_t i = 0; i < batch_rows(in); i += ROWCONV_ROWS) /* a NULL without a place is told now */
        TRY(user_read(&j->cx, input, in, i, MIN(batch_rows(in) - i, (uint32_t)ROWCONV_ROWS)));
    BATCH_EACH(in, i, row)
    {
        int64_t time = j->config->processing_time ? clock_now(j) : batch_time(in, row);
        j->row_times[i] = time;
        if (time != TIME_MIN && (time > TIMES_MAX || time < -TIMES_MAX))
            return err_set(j->cx.op->err, E_DATA, "the event time %lld of a row is out of the range of windows",
                           (long long)time);
        if (time == TIME_MIN) {
            err_hint(j->cx.op->err, "give the stream watermarks with tw_with_watermarks");
            return err_set(j->cx.op->err, E_DATA, "a row of the %s input of a window join has no event time",
                           input == 0 ? "first" : "second");
        }
        dropped += is_gone(j, last_end(j, time));
    }
    sys_atomic_store(&j->cx.op->metrics->late_dropped, j->cx.op->metrics->late_dropped.value + dropped);
    j->window = TIME_MIN;
    j->late_at = 0;
    j->late_window = TIME_MIN;
    j->added = j->late_added = false;
    j->hashed = true;
    return S_OK;
}

/* The least window above `after` that a row falls into and that has not fired. */
static int64_t next_window(const struct window_join *j, uint32_t rows, int64_t after)
{
    int64_t least = TIME_MIN;

    for (uint32_t i = 0; i < rows; i++)
        for (int64_t end = last_end(j, j->row_times[i]); end > after && holds(j, end, j->row_times[i]); end -= j->slide)
            if (!has_fired(j, end) && (least == TIME_MIN || end < least)) least = end;
    return least;
}

/* Appends rows group[0..n) to their heads in the window. */
static enum status group_append(struct window_join *j, uint32_t input, const struct batch *in, uint32_t n,
                                int64_t window)
{
    const struct op_plan *plan = j->cx.op->plan;
    const struct rowconv *conv = &j->cx.in[input].row.conv;
    struct join_side *s = &j->sides[input];
    struct state_keys keys = {.batch = in,
                              .cols = plan->keys[input],
                              .col_count = plan->key_count[input],
                              .count = n,
                              .sel = j->group,
                              .hashes = j->group_hashes};
    struct batch view = {
        .cols = j->columns, .col_count = s->time_field + 1, .count = in->count, .capacity = in->capacity};
    int64_t times[BATCH_ROWS];

    TRY(state_resolve(s->table, window, &keys, STATE_RESERVE, j->mine, NULL));
    for (uint32_t f = 0; f < conv->field_count; f++) j->columns[f] = in->cols[conv->fields[f].col];
    for (uint32_t i = 0; in->times == NULL && i < in->count; i++) times[i] = TIME_MIN;
    j->columns[s->time_field] = (struct vector){.phys = P_I64, .form = VEC_FLAT, .data = in->times ? in->times : times};
    state_probe_fill(&s->probe, &view, NULL, j->group, n);
    return state_log_append(s->table, window, j->mine, &s->probe, NULL, NULL);
}

/* Rows of windows that have not fired: one window after the other. */
static enum status rows_add(struct window_join *j, uint32_t input, const struct batch *in)
{
    uint32_t rows = batch_rows(in);

    while ((j->window = next_window(j, rows, j->window)) != TIME_MIN) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < rows; i++) {
            if (!holds(j, j->window, j->row_times[i])) continue;
            j->group[n] = (uint16_t)batch_row(in, i);
            j->group_hashes[n++] = j->hashes[i];
        }
        int64_t window = j->window;
        j->window -= 1; /* should state be pending, this window comes again */
        TRY(group_append(j, input, in, n, window));
        state_done(j->sides[input].table);
        j->window = window;
        if (j->config->processing_time) op_wake_at(j->cx.op, window - 1);
    }
    j->added = true;
    return S_OK;
}

/* The row's window in work has fired before and is there still: the row is added, and its key fires again. */
static enum status late_fire(struct window_join *j, uint32_t input, const struct batch *in, int64_t window,
                             bool *finished)
{
    const struct op_plan *plan = j->cx.op->plan;
    void *heads[2];

    j->group[0] = (uint16_t)batch_row(in, j->late_at);
    j->group_hashes[0] = j->hashes[j->late_at];
    struct state_keys keys = {.batch = in,
                              .cols = plan->keys[input],
                              .col_count = plan->key_count[input],
                              .count = 1,
                              .sel = j->group,
                              .hashes = j->group_hashes};
    TRY(state_resolve(j->sides[1 - input].table, window, &keys, STATE_READ, j->other, NULL));
    if (!j->late_added) TRY(group_append(j, input, in, 1, window));
    j->late_added = true;
    heads[input] = j->mine[0];
    heads[1 - input] = j->other[0];
    user_at(&j->cx, j->late_at, NULL);
    *finished = true;
    if (j->config->co_group || heads[1 - input] != NULL) TRY(key_fire(j, heads[0], heads[1], window, finished));
    if (!*finished) return S_OK;
    both_done(j);
    j->late_added = false;
    sys_atomic_store(&j->cx.op->metrics->late_refired, j->cx.op->metrics->late_refired.value + 1);
    return S_OK;
}

/* Late rows in order, each with its windows from the last one on, as the assigner names them. */
static enum status late_rows(struct window_join *j, uint32_t input, const struct batch *in, bool *finished)
{
    bool through;

    *finished = false;
    for (; j->late_at < batch_rows(in); j->late_at++, j->late_window = TIME_MIN) {
        int64_t time = j->row_times[j->late_at];
        if (j->late_window == TIME_MIN) j->late_window = last_end(j, time);
        for (; holds(j, j->late_window, time); j->late_window -= j->slide) {
            if (!has_fired(j, j->late_window) || is_gone(j, j->late_window)) continue;
            TRY(late_fire(j, input, in, j->late_window, &through));
            if (through) j->late_window -= j->slide;
            if (j->late_window == TIME_MIN) break;
            return S_OK;
        }
    }
    *finished = true;
    return S_OK;
}

static enum status window_join_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct window_join *j = self;
    bool finished;

    (void)op;
    ASSERT(input < 2);
    TRY(user_begin(&j->cx, input, in));
    TRY(user_input_keys(&j->cx, input, in));
    if (!j->hashed) TRY(batch_start(j, input, in));
    if (!j->added) TRY(rows_add(j, input, in));
    TRY(late_rows(j, input, in, &finished));
    enum status st = user_end(&j->cx, finished);
    if (st == S_OK) {
        j->hashed = false;
        j->window = TIME_MIN;
    }
    return st;
}

const struct op_type op_window_join = {
    .name = "window_join",
    .doc = "rows of two keyed streams in one tumbling or sliding window: pairs by the function's .join, groups by its "
           ".co_group",
    .example =
        "tw_window_join(tw_key_by(orders, \"id\"), tw_key_by(payments, \"id\"), TW_TUMBLE(TW_MINUTES(5)), &match)",
    .flags = OP_SELECTION | OP_FORMS | OP_NEEDS_KEY,
    .input_count = 2,
    .config_size = sizeof(struct window_config),
    .config_fields = window_config_fields,
    .instance_size = sizeof(struct window_join),
    .derive = window_join_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = window_join_open,
    .on_batch = window_join_on_batch,
    .on_watermark = window_join_on_watermark,
    .on_time = window_join_on_time,
    .close = window_join_close,
};
_Static_assert(offsetof(struct window_config, function) == 0, "the hooks of user_op.c read it as a function_config");
