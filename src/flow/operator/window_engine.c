/* window_engine.c - the course of the work: rows become items, items find their windows and contents, triggers decide,
 * windows fire and go.
 *
 * The idea: a hook works in phases, each with its cursor in the struct. ASSIGN gives rows their windows (up to a batch of
 * items), MERGE finds sessions and decides where a chunk of items ends, LATE hands out rows that no window takes, RESOLVE
 * finds all contents and states at once, APPLY goes through the items in order, FORGET and DONE give back what is empty.
 * Timers that are due are items too, taken a batch at a time.
 *
 * Invariants: nothing is changed before RESOLVE is through; S_PENDING is answered only where this call emitted nothing
 * (else S_MORE, and the same again); timers of the past are not deleted, so that firing does not disturb itself.
 *
 * Processing time never repeats for rows: a row that comes in the millisecond whose timers have fired counts as of the
 * next one, so that no window is opened again that has been emitted. */
#include "flow/operator/window_engine.h"

#include "flow/operator/window_spans.h"

enum { SESSION_TIMERS = 256 }; /* at once: each may be of another session among millions */

/* --- making ------------------------------------------------------------------------------------------------------- */
static enum status trigger_timer(void *arg, int64_t time_ms, bool event_time, bool remove)
{
    struct window_engine *e = arg;

    if (!e->trigger.cx.begun) return E_USER;
    return window_timer(e, e->trigger.cx.keys_at, time_ms, event_time, remove);
}

static enum status parts_open(struct window_engine *e)
{
    const struct window_config *c = e->config;

    TRY(window_assigner_open(&e->assigner, e->op, c));
    TRY(window_part_open(&e->trigger, e->op, &c->trigger_function, e->key_type));
    e->trigger.cx.hooks.trigger_timer = trigger_timer;
    e->trigger.cx.hooks.arg = e;
    e->trigger.reads_blocks = e->assigner.part.reads_blocks = true;
    return window_part_open(&e->evictor, e->op, &c->evictor_function, NULL);
}

static enum status timers_make(struct window_engine *e, const char *name, struct timers **out)
{
    struct op_cx *op = e->op;

    if (e->name_count == e->key_count) return timers_create(op->state, name, e->key_type, out, op->err);
    return timers_create_within(op->state, name, e->key_type, e->key_count, out, op->err);
}

enum { KEPT_FIRED, KEPT_STAGGER, KEPT_IS_STAGGERED, KEPT_COUNT };

static enum status open_kept(struct window_engine *e)
{
    int64_t words[KEPT_COUNT] = {[KEPT_FIRED] = TIME_MIN};
    bool is_own;

    TRY(kept_words_open(&e->kept, e->op, "window-engine", words, KEPT_COUNT, &is_own));
    e->fired_ms = words[KEPT_FIRED];
    e->assigner.stagger = words[KEPT_STAGGER];
    e->assigner.is_staggered = words[KEPT_IS_STAGGERED] != 0;
    return S_OK;
}

enum status window_engine_on_barrier(struct window_engine *e)
{
    int64_t words[KEPT_COUNT] = {e->fired_ms, e->assigner.stagger, e->assigner.is_staggered};

    return kept_words_save(&e->kept, words);
}

enum status window_engine_create(struct op_cx *op, const struct window_plan *plan, struct window_engine **out)
{
    struct window_engine *e = mem_zalloc(op->mem, sizeof *e);

    ASSERT(op->state != NULL && plan->fire != NULL);
    *out = e;
    e->op = op;
    e->plan = *plan;
    e->config = plan->config;
    e->late_dropped = window_late_metric(op);
    e->is_merging = window_is_merging(e->config);
    e->is_event_time = window_is_event_time(e->config);
    e->is_lazy = e->is_merging && window_trigger_is_lazy(e->config);
    e->word_count = window_trigger_words(e->config);
    e->key_count = op->plan->key_count[0];
    for (uint32_t i = 0; i < COUNT_OF(e->cols); i++) e->cols[i] = i;
    e->key_type = window_key_type(op->plan, e->config);
    bool spans = window_spans_fit(op, plan);
    if (spans) e->key_type = type_row(op->plan->arena, e->key_count, e->key_type->names, e->key_type->children, false);
    e->fired_ms = TIME_MIN;
    e->name_count = e->key_type->child_count;
    e->owners.batch = batch_create(e->key_type, BATCH_ROWS, op->mem);
    for (uint32_t i = 0; i < (e->is_merging ? 2u : 1u); i++) e->more[i].batch = batch_create(e->key_type, BATCH_ROWS, op->mem);
    e->slots = e->named = &e->owners;
    TRY(parts_open(e));
    TRY(open_kept(e));
    TRY(timers_make(e, "event", &e->event));
    TRY(timers_make(e, "processing", &e->processing));
    timers_of_processing_time(e->processing);
    if (spans) return window_spans_open(e);
    TRY(window_contents_open(e));
    e->is_counting = window_counts(e);
    e->has_rounds = window_has_rounds(e);
    e->is_lean = e->has_rounds && e->plan.fold != NULL && !window_is_bounded(e->config) && e->key_count > 0;
    e->is_by_trigger = e->is_lean && !e->is_counting;
    if (e->is_lean) window_lean_open(e);
    return e->is_merging ? window_sessions_open(e) : S_OK;
}

void window_engine_free(struct window_engine *e)
{
    if (e == NULL) return;
    kept_words_close(&e->kept);
    window_spans_close(e);
    window_sessions_close(e);
    window_contents_close(e);
    timers_free(e->event);
    timers_free(e->processing);
    window_assigner_close(&e->assigner);
    window_part_close(&e->trigger);
    window_part_close(&e->evictor);
    window_lean_close(e);
    batch_free(e->owners.batch);
    for (uint32_t i = 0; i < 2; i++) batch_free(e->more[i].batch);
    mem_free(e->op->mem, e->merged);
    mem_free(e->op->mem, e);
}

/* --- keys, timers ------------------------------------------------------------------------------------------------- */
enum status window_timer(struct window_engine *e, uint32_t named, int64_t time, bool event, bool remove)
{
    struct timers *t = event ? e->event : e->processing;

    if (remove) return timers_delete_one(t, e->named->batch, e->cols, named, e->named->hashes[named], time);
    return timers_register_one(t, e->named->batch, e->cols, named, e->named->hashes[named], time);
}

int64_t window_fired(const struct window_engine *e, const struct window_item *item, bool event)
{
    if (e->in == NULL && event == (e->due == e->event)) return item->time;
    return event ? e->op->watermark : e->fired_ms;
}

/* INT64_MAX: windows that never end are not cleaned up. */
static enum status set_cleanup(struct window_engine *e, const struct window_item *item)
{
    int64_t time = window_cleanup_at(e, &item->window);

    if (e->is_lazy && time == window_last(&item->window) && window_trigger_kind(e->config) != TW_TRIGGER_COUNT)
        return S_OK; /* the trigger's timer is there */
    return time == INT64_MAX ? S_OK : window_timer(e, item->named, time, e->is_event_time, false);
}

static void wake(struct window_engine *e)
{
    int64_t next = timers_next(e->processing);

    if (next != INT64_MAX) op_wake_at(e->op, next);
}

/* --- rows to items ------------------------------------------------------------------------------------------------ */
static bool is_late(const struct window_engine *e, const struct tw_window *w)
{
    return e->is_event_time && window_cleanup_at(e, w) <= e->op->watermark;
}

enum status window_no_time(struct window_engine *e)
{
    err_set(e->op->err, E_DATA,
            "a row has no timestamp (Long.MIN_VALUE, the mark of none), but its windows are of event time");
    err_hint(e->op->err,
             "give the stream a watermark strategy (tw_with_watermarks), or use windows of processing time");
    return E_DATA;
}

/* Items [first, item_count) are windows of the row: those that are late go, unless they may still merge into live ones. */
static void drop_late(struct window_engine *e, uint32_t first)
{
    uint32_t kept = first;

    for (uint32_t i = first; !e->is_merging && i < e->item_count; i++) {
        if (is_late(e, &e->items[i].window)) continue;
        if (i > kept) e->items[kept] = e->items[i];
        kept++;
    }
    if (!e->is_merging) e->item_count = kept;
    e->row_is_taken |= e->item_count > first;
}

static void row_end(struct window_engine *e, int64_t time)
{
    bool late = e->is_event_time && window_instant(e, window_add(time, e->config->lateness_ms)) <= e->op->watermark;

    if (!e->row_is_taken && late) e->late[e->late_count++] = (uint16_t)e->row;
    e->row_is_taken = false;
    e->row++;
}

/* Each row has the global window, and none is ever late. */
static void assign_global(struct window_engine *e)
{
    for (; e->row < batch_rows(e->in) && e->item_count < BATCH_ROWS; e->row++)
        e->items[e->item_count++] = (struct window_item){.at = e->row,
                                                         .node = WINDOW_NONE,
                                                         .time = batch_time(e->in, batch_row(e->in, e->row)),
                                                         .window = {INT64_MIN, INT64_MAX}};
}

static enum status assign_rows(struct window_engine *e)
{
    struct tw_window *windows = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *windows);
    enum status st = S_OK;
    int64_t now = e->plan.zone != NULL ? window_zone_local(e->plan.zone, e->now_ms) : e->now_ms;

    e->item_count = e->item_first = e->item_end = e->late_count = e->late_at = 0;
    if (!window_is_bounded(e->config)) assign_global(e);
    while (st == S_OK && e->row < batch_rows(e->in) && e->item_count < BATCH_ROWS) {
        int64_t time = batch_time(e->in, batch_row(e->in, e->row));
        uint32_t n = 0, first = e->item_count;
        if (time == TIME_MIN && e->is_event_time) return window_no_time(e);
        st = window_assign(&e->assigner, e->row, time, now, windows, BATCH_ROWS - first, &n);
        if (st != S_OK && st != S_MORE) return st;
        for (uint32_t i = 0; i < n; i++)
            e->items[e->item_count++] = (struct window_item){
                .at = e->row, .node = WINDOW_NONE, .time = time, .window = windows[i]};
        drop_late(e, first);
        if (st == S_OK) row_end(e, time);
    }
    window_keys_of_items(e);
    return S_OK;
}

/* Rows of merging windows that no session took; items of one row lie together. */
static void find_late(struct window_engine *e)
{
    for (uint32_t i = e->item_first; i < e->item_end; i++) {
        const struct window_item *item = &e->items[i];
        e->row_is_taken |= item->node != WINDOW_NONE;
        if (i + 1 < e->item_count && e->items[i + 1].at == item->at) continue;
        if (!e->row_is_taken && e->is_event_time && window_add(item->time, e->config->lateness_ms) <= e->op->watermark)
            e->late[e->late_count++] = (uint16_t)item->at;
        e->row_is_taken = false;
    }
}

static enum status merge_rows(struct window_engine *e)
{
    if (!e->is_merging) {
        e->item_end = e->item_count;
        return S_OK;
    }
    if (e->item_first == e->item_count) return S_OK;
    TRY(window_sessions_plan(e));
    e->late_count = e->late_at = 0;
    find_late(e);
    return S_OK;
}

static enum status emit_late(struct window_engine *e)
{
    uint32_t port = e->plan.late_port[e->input];

    while (e->late_at < e->late_count) {
        if (port != WINDOW_NO_PORT && op_port_used(e->op, port)) {
            uint16_t row = (uint16_t)batch_row(e->in, e->late[e->late_at]);
            if (op_room(e->op, port) == 0) return S_MORE;
            batch_append(op_out(e->op, port), e->in, &row, 1);
            e->emitted = true;
        }
        e->late_at++;
        window_late_count(e->op, e->late_dropped, port, 1);
    }
    return S_OK;
}

/* --- items -------------------------------------------------------------------------------------------------------- */
/* Windows came together: their contents, the trigger's state and timers, as MergingWindowSet has it. */
static enum status merge_windows(struct window_engine *e, const struct window_item *item)
{
    const struct window_merged *m = e->merged + item->merged;

    if (item->merged_count == 0) return S_OK;
    for (uint32_t i = 0; i < item->merged_count; i++)
        if (m[i].slot != item->slot) TRY(window_contents_merge(e, item->slot, m[i].slot, &item->window));
    if (e->is_lazy) return S_OK;
    TRY(window_trigger_on_merge(e, item));
    for (uint32_t i = 0; i < item->merged_count; i++) {
        int64_t cleanup = window_cleanup(e->config, &m[i].window);
        TRY(window_trigger_clear(e, item, &m[i].window, WINDOW_NONE, m[i].named));
        if (cleanup != INT64_MAX && cleanup > window_fired(e, item, e->is_event_time))
            TRY(window_timer(e, m[i].named, cleanup, e->is_event_time, true));
    }
    return S_OK;
}

/* Sessions come together, and no row yet. */
static enum status join_only(struct window_engine *e, const struct window_item *item)
{
    int64_t last = window_last(&item->window);

    e->result = TW_CONTINUE;
    TRY(merge_windows(e, item));
    if (!item->is_changed) return S_OK;
    if (window_trigger_kind(e->config) != TW_TRIGGER_COUNT && last > window_fired(e, item, e->is_event_time))
        TRY(window_timer(e, item->named, last, e->is_event_time, false));
    return set_cleanup(e, item);
}

enum status window_row_begin(struct window_engine *e, struct window_item *item)
{
    if (UNLIKELY(e->is_merging && e->sessions->is_cut)) return join_only(e, item);
    TRY(merge_windows(e, item));
    bool is_new = item->is_changed || (!e->is_lazy && window_is_empty(e, item->slot));
    TRY(window_trigger_on_element(e, item, is_new));
    if (is_new) TRY(set_cleanup(e, item));
    return window_run_add(e, item);
}

static enum status clear_window(struct window_engine *e, const struct window_item *item)
{
    struct window_firing f = {.window = item->window, .keys = e->slots->batch, .at = item->slot};

    window_contents_purge(e, item->slot);
    TRY(window_trigger_clear(e, item, &item->window, item->slot, item->named));
    if (e->plan.clear != NULL) TRY(e->plan.clear(e->plan.arg, &f));
    if (e->is_merging) {
        struct window_node *node = &e->sessions->nodes[item->node];
        node->is_dead = node->is_dirty = true;
    }
    return S_OK;
}

static bool is_gone(const struct window_engine *e, const struct window_item *item)
{
    return e->is_merging && (item->node == WINDOW_NONE || (e->in == NULL && e->sessions->nodes[item->node].is_dead));
}

bool window_is_full(const struct window_engine *e)
{
    struct tw_context *cx = e->plan.cx;

    if (cx == NULL) return op_room(e->op, 0) == 0;
    return cx->full || user_out_room(cx, &cx->outs[0]) == 0;
}

enum status window_fire_item(struct window_engine *e, const struct window_item *item)
{
    if (!(e->result & TW_FIRE)) return S_OK;
    if (window_is_full(e)) return S_MORE;
    TRY(window_contents_fire(e, item));
    e->emitted = true;
    return S_OK;
}

static enum status end_item(struct window_engine *e, const struct window_item *item)
{
    if (e->result & TW_PURGE) {
        TRY(window_run_flush(e));
        window_contents_purge(e, item->slot);
    }
    if (e->in != NULL) return S_OK;
    bool cleans = (e->due == e->event) == e->is_event_time;
    int64_t cleanup = window_cleanup_at(e, &item->window);
    if (cleans && cleanup != INT64_MAX && item->time == window_timer_time(cleanup)) TRY(clear_window(e, item));
    return S_OK;
}

/* A callback may have set or removed timers among those taken: the rest is asked for again. */
static void check_disturbed(struct window_engine *e)
{
    uint32_t next = e->item_at + 1;

    if (e->in != NULL || e->is_lazy || next >= e->item_end || !timers_disturbed(e->due)) return;
    timers_give_back(e->due, e->named->batch, NULL, next, e->due_times + next, e->item_end - next);
    e->item_end = e->item_count = next;
}

bool window_slice_over(struct window_engine *e)
{
    int64_t now = sys_mono_ns(e->op->sys);

    if (e->call_ns == 0) e->call_ns = now;
    return now - e->call_ns > USER_SLICE_NS;
}

static enum status apply_items(struct window_engine *e)
{
    if (e->has_rounds && e->in != NULL) return window_rounds_items(e);
    for (; e->item_at < e->item_end; e->item_at++) {
        struct window_item *item = &e->items[e->item_at];
        if (is_gone(e, item)) continue;
        if (e->step == STEP_BEGIN) {
            if (e->item_at % WINDOW_LOOK_EVERY == 0 && window_slice_over(e)) return S_MORE;
            window_fetch_ahead(e);
            TRY(e->in != NULL ? window_row_begin(e, item) : window_trigger_on_timer(e, item));
            e->step = STEP_FIRE;
        }
        if (e->step == STEP_FIRE) {
            TRY(window_fire_item(e, item));
            e->step = STEP_END;
        }
        TRY(end_item(e, item));
        e->step = STEP_BEGIN;
        check_disturbed(e);
    }
    return window_run_flush(e);
}

/* --- the course --------------------------------------------------------------------------------------------------- */
static enum status find_contents(struct window_engine *e)
{
    if (e->in == NULL && e->is_merging) TRY(window_sessions_find(e));
    return S_OK;
}

static enum status spans_phase_run(struct window_engine *e)
{
    switch ((enum window_phase)e->phase) {
    case PHASE_ASSIGN: return window_spans_plan(e);
    case PHASE_MERGE: return e->in == NULL ? window_spans_find(e) : window_spans_load(e);
    case PHASE_LATE: return e->in != NULL ? emit_late(e) : S_OK;
    case PHASE_APPLY: return e->in != NULL ? window_spans_add(e) : window_spans_fire(e);
    case PHASE_DONE: window_spans_done(e); return S_OK;
    case PHASE_RESOLVE: return e->in != NULL ? window_spans_resolve(e) : S_OK;
    case PHASE_IDLE:
    case PHASE_FORGET: return S_OK;
    }
    return S_OK;
}

static enum status phase_run(struct window_engine *e)
{
    if (e->spans != NULL) return spans_phase_run(e);
    switch ((enum window_phase)e->phase) {
    case PHASE_IDLE: return S_OK;
    case PHASE_ASSIGN:
        if (!e->is_lean) return assign_rows(e);
        window_lean_assign(e);
        return S_OK;
    case PHASE_MERGE: return e->in != NULL ? merge_rows(e) : find_contents(e);
    case PHASE_LATE: return e->in != NULL ? emit_late(e) : S_OK;
    case PHASE_RESOLVE:
        TRY(window_contents_resolve(e));
        if (e->in == NULL && e->is_lazy) TRY(window_sessions_retime(e));
        e->item_at = e->item_first;
        return S_OK;
    case PHASE_APPLY: return apply_items(e);
    case PHASE_FORGET:
        return e->slots->count > 0 ? window_contents_forget(e) : S_OK;
    case PHASE_DONE:
        if (e->is_merging) TRY(window_sessions_store(e));
        window_contents_done(e);
        if (e->is_merging && e->sessions->is_cut)
            window_sessions_reach_on(e);
        else
            e->item_first = e->item_end;
        return S_OK;
    }
    return S_OK;
}

/* From the phase at hand to the end of the chunk; S_MORE too when only the call's end asks for it. */
static enum status run(struct window_engine *e)
{
    while (e->phase != PHASE_IDLE) {
        enum status st = phase_run(e);
        if (st == S_PENDING && e->emitted) return S_MORE;
        if (st != S_OK) return st;
        if (e->phase != PHASE_DONE) {
            e->phase++;
            continue;
        }
        bool more_items = e->item_first < e->item_count, more_rows = e->in != NULL && e->row < batch_rows(e->in);
        e->phase = more_items ? PHASE_MERGE : more_rows ? PHASE_ASSIGN : PHASE_IDLE;
        if (e->phase != PHASE_IDLE && (e->spans == NULL || window_spans_were_far(e) || window_slice_over(e))) return S_MORE;
    }
    return S_OK;
}

static void call_begin(struct window_engine *e)
{
    e->emitted = false;
    e->call_ns = 0;
    if (e->phase != PHASE_IDLE) return;
    e->step = STEP_BEGIN;
    e->now_ms = MAX(sys_wall_ms(e->op->sys), e->fired_ms == TIME_MIN ? TIME_MIN : e->fired_ms + 1);
}

enum status window_engine_on_batch(struct window_engine *e, uint32_t input, const struct batch *in)
{
    call_begin(e);
    if (e->phase == PHASE_IDLE) {
        e->in = in;
        e->input = input;
        e->row = 0;
        e->due = NULL;
        window_part_begin(&e->assigner.part, input, in);
        window_part_begin(&e->trigger, input, in);
        e->phase = PHASE_ASSIGN;
    }
    TRY(run(e));
    wake(e);
    return S_OK;
}

static enum status take_due(struct window_engine *e, struct timers *t, int64_t upto)
{
    struct window_keys *k = &e->owners;
    uint32_t n = 0;
    enum status st;

    batch_clear(k->batch);
    k->batch->capacity = e->sessions != NULL ? (uint32_t)SESSION_TIMERS : (uint32_t)BATCH_ROWS;
    st = timers_due(t, upto, k->batch, NULL, e->due_times, &n);
    if (st != S_OK && st != S_MORE) return st;
    k->batch->capacity = BATCH_ROWS;
    k->count = e->item_count = e->item_end = n;
    e->item_first = 0;
    if (n == 0) return S_OK;
    window_keys_hash(e, k);
    for (uint32_t i = 0; i < n && e->spans == NULL; i++) {
        struct tw_window w = window_of_key(e, k->batch, i);
        k->source[i] = (uint16_t)i;
        k->window[i] = w;
        e->items[i] = (struct window_item){
            .at = i, .slot = i, .named = i, .node = WINDOW_NONE, .time = e->due_times[i], .window = w};
    }
    e->slots = e->named = k;
    e->in = NULL;
    e->due = t;
    e->due_upto = upto;
    e->phase = PHASE_MERGE;
    if (t == e->processing && !e->is_lazy) e->fired_ms = MAX(e->fired_ms, e->due_times[n - 1]);
    return S_OK;
}

static enum status fire_due(struct window_engine *e, struct timers *t, int64_t upto)
{
    call_begin(e);
    if (e->phase == PHASE_IDLE) TRY(take_due(e, t, upto));
    if (e->phase == PHASE_IDLE) return S_OK;
    TRY(run(e));
    return S_MORE; /* until nothing is due */
}

enum status window_engine_on_watermark(struct window_engine *e, int64_t watermark)
{
    TRY(fire_due(e, e->event, watermark));
    wake(e);
    return S_OK;
}

enum status window_engine_on_time(struct window_engine *e, int64_t now_ms)
{
    TRY(fire_due(e, e->processing, now_ms));
    wake(e);
    return S_OK;
}
