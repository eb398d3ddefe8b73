/* window_spans.c - rows of sessions that have an accumulator and no lateness (window_spans.h says why they are apart).
 *
 * Most rows go straight into their key's latest session (window_spans_straight.c). Of the others every row first gets its
 * session, in order, on lists of spans in memory: those of state that may matter, those that rows begin, those that come
 * together. Then accumulators get their places (window_spans_place.c) and rows go in, all at once but for the rows between
 * which sessions came together.
 *
 * Groups are found by a word in the key's row that means nothing between batches. Not here: firing (window_spans_fire.c). */
#include "flow/operator/window_spans.h"

enum {
    ROWS_AHEAD = 8,
    JOINS_AT_ONCE = 256, /* sessions that one row brings together */
    CHUNK_OF_KEYS = 512, /* rows of a chunk where most have a key of their own: what they touch stays in the first caches */
};

bool window_spans_fit(const struct op_cx *op, const struct window_plan *plan)
{
    const struct window_config *c = plan->config;

    return state_has_handles(op->state) && c->assigner == TW_SESSION && window_is_event_time(c) && c->lateness_ms == 0 &&
           window_trigger_kind(c) == TW_TRIGGER_EVENT_TIME && c->evictor == TW_NO_EVICTOR && plan->fold != NULL &&
           op->plan->input_count == 1 && op->plan->key_count[0] > 0 && (plan->cx == NULL || plan->cx->states == NULL);
}

/* --- making ------------------------------------------------------------------------------------------------------- */
enum status window_spans_open(struct window_engine *e)
{
    struct op_cx *op = e->op;
    struct arena *a = op->plan->arena;
    struct window_spans *s = mem_zalloc(op->mem, sizeof *s);
    const struct type *acc = e->plan.fold->acc;
    const char **end = ARENA_ARRAY(a, const char *, 1);
    const struct type **word = ARENA_ARRAY(a, const struct type *, 1);

    e->spans = s;
    s->order.stride = sizeof *s->spans;
    s->chunk_rows = BATCH_ROWS;
    s->is_dynamic = e->assigner.part.cx.op != NULL;
    for (uint32_t i = 0; i < BATCH_ROWS; i++) s->all_rows[i] = (uint16_t)i;
    end[0] = "end";
    word[0] = type_new(a, T_BIGINT, 0, 0, false);
    s->word_field = acc->child_count;
    s->latest_def = (struct state_def){.name = "window-session",
                                       .version = 1,
                                       .upgrade = e->plan.fold->upgrade,
                                       .shape = STATE_MAP,
                                       .key = e->key_type,
                                       .value = window_with_words(a, acc, SPAN_WORDS)};
    s->others_def = (struct state_def){.name = "window-sessions",
                                       .version = 1,
                                       .upgrade = e->plan.fold->upgrade,
                                       .shape = STATE_ORDERED,
                                       .key = e->key_type,
                                       .sort_key = type_row(a, 1, end, word, false),
                                       .value = window_with_words(a, acc, SPAN_OTHER_WORDS)};
    TRY(state_open(op->state, &s->latest_def, &s->latest, op->err));
    TRY(state_open(op->state, &s->others_def, &s->others, op->err));
    s->is_plain = s->latest->value.text_count == 0 && s->others->value.text_count == 0;
    s->word_offset = s->latest->value.fields[s->word_field].offset;
    TRY(timers_let_move(e->event, s->latest, s->word_offset + SPAN_LIES * 8u, s->word_offset + SPAN_DUE * 8u));
    return state_probe_init(&s->probe, s->others_def.sort_key, op->mem, op->err);
}

void window_spans_close(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    if (s == NULL) return;
    if (s->others != NULL) state_probe_release(&s->probe);
    state_close(s->latest);
    state_close(s->others);
    mem_free(e->op->mem, s->spans);
    mem_free(e->op->mem, s->merges);
    mem_free(e->op->mem, s);
}

/* --- loading ------------------------------------------------------------------------------------------------------ */
/* Times as they lie, and one gap: false when some window is not an ordinary one. */
static bool assign_plain(struct window_engine *e, uint32_t rows)
{
    struct window_spans *s = e->spans;
    const int64_t *times = e->in->times, gap = e->config->gap_ms;
    int64_t least = INT64_MAX, most = INT64_MIN;

    if (s->is_dynamic || e->in->sel != NULL || times == NULL) return false;
    for (uint32_t i = 0; i < rows; i++) {
        least = MIN(least, times[i]);
        most = MAX(most, times[i]);
    }
    if (least == TIME_MIN || window_add(most, gap) == INT64_MAX) return false;
    for (uint32_t i = 0; i < rows; i++) s->windows[i] = (struct tw_window){times[i], times[i] + gap};
    return true;
}

/* A row's window reaches from its time to a gap behind it. */
static enum status assign(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    uint32_t rows = batch_rows(e->in);
    bool is_done = assign_plain(e, rows);

    for (uint32_t i = 0; i < rows && !is_done; i++) {
        int64_t time = batch_time(e->in, batch_row(e->in, i)), end;
        uint32_t n = 0;
        if (UNLIKELY(time == TIME_MIN)) return window_no_time(e);
        s->windows[i] = (struct tw_window){time, end = window_add(time, e->config->gap_ms)};
        if (UNLIKELY(s->is_dynamic || end == INT64_MAX))
            TRY(window_assign(&e->assigner, i, time, e->now_ms, &s->windows[i], 1, &n));
    }
    batch_hash(e->in, e->op->plan->keys[e->input], e->key_count, s->hashes);
    s->is_assigned = true;
    return S_OK;
}

static struct state_keys batch_keys(struct window_engine *e)
{
    return state_keys_of(e->in, e->op->plan->keys[e->input], e->key_count, e->spans->hashes);
}

static struct state_keys chunk_keys(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    struct state_keys keys = batch_keys(e);

    keys.sel = (keys.sel != NULL ? keys.sel : s->all_rows) + s->row_first;
    keys.hashes += s->row_first;
    keys.count = s->row_end - s->row_first;
    return keys;
}

static inline __attribute__((always_inline)) uint32_t span_add(struct window_engine *e, uint32_t g, struct tw_window w)
{
    struct window_spans *s = e->spans;

    if (s->span_count == s->span_capacity) {
        s->span_capacity = s->span_capacity ? s->span_capacity * 2 : BATCH_ROWS;
        s->spans = s->order.nodes = mem_realloc(e->op->mem, s->spans, s->span_capacity * sizeof *s->spans);
    }
    s->spans[s->span_count] = (struct window_span){.place.window = w, .group = g, .item = s->item_of[g]};
    return s->span_count++;
}

enum status window_spans_heads(struct window_engine *e, const struct state_keys *keys, const uint64_t *groups,
                               enum state_intent intent)
{
    struct window_spans *s = e->spans;
    uint16_t *sel = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *sel);
    uint16_t *which = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *which);
    uint64_t *hashes = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *hashes);
    void **heads = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *heads);
    struct state_keys some = *keys;

    some.count = 0;
    for (uint32_t w = 0; w < BATCH_ROWS / 64; w++) {
        for (uint64_t m = groups[w]; m != 0; m &= m - 1) {
            uint32_t g = w * 64 + (uint32_t)__builtin_ctzll(m), item = s->item_of[g];
            sel[some.count] = keys->sel != NULL ? keys->sel[item] : (uint16_t)item;
            hashes[some.count] = keys->hashes[item];
            which[some.count++] = (uint16_t)g;
        }
    }
    if (some.count == 0) return S_OK;
    some.sel = sel;
    some.hashes = hashes;
    TRY(state_resolve(s->others, 0, &some, intent, heads, NULL));
    for (uint32_t i = 0; i < some.count; i++) s->heads[which[i]] = heads[i];
    return S_OK;
}

static uint32_t span_load(struct window_engine *e, uint32_t g, void *row, bool in_latest)
{
    struct window_spans *s = e->spans;
    uint32_t n = span_add(e, g, (struct tw_window){*span_word(s, row, SPAN_START), *span_word(s, row, SPAN_END)});

    s->spans[n].acc = row;
    s->spans[n].in_latest = in_latest;
    return n;
}

uint32_t window_spans_group(struct window_engine *e, uint32_t i, void *row)
{
    struct window_spans *s = e->spans;
    uint32_t g = s->group_count++;

    s->rows[g] = row;
    s->heads[g] = NULL;
    s->item_of[g] = (uint16_t)i;
    s->hint[g] = s->owner[g] = s->tail[g] = WINDOW_NONE;
    window_order_begin(&s->order, g);
    *span_group(s, row) = g;
    if (!span_is_set(s, row)) return g;
    s->owner[g] = s->hint[g] = s->tail[g] = span_load(e, g, row, true);
    window_order_start(&s->order, g, s->owner[g]);
    return g;
}

/* Sessions of a group come in order, so each lies mostly right behind the one before. */
static void load_other(void *arg, uint32_t g, void *row)
{
    struct window_engine *e = arg;
    struct window_spans *s = e->spans;
    bool goes_on = s->loaded != WINDOW_NONE && s->spans[s->loaded].group == g;
    uint32_t n = span_load(e, g, row, false);

    uint32_t before = window_order_find(&s->order, g, &s->spans[n].place.window, goes_on ? s->loaded : WINDOW_NONE);
    window_order_insert(&s->order, g, n, before);
    s->loaded = n;
}

/* --- rows to sessions --------------------------------------------------------------------------------------------- */
static uint32_t span_begin(struct window_engine *e, uint32_t i, uint32_t g, uint32_t before)
{
    struct window_spans *s = e->spans;
    bool is_first = window_order_next(&s->order, g, WINDOW_NONE) == WINDOW_NONE;
    uint32_t n = span_add(e, g, s->windows[i]);

    bit_set(s->is_changed, g);
    s->spans[n].is_new = true;
    if (before == s->tail[g]) s->tail[g] = n;
    if (is_first) {
        window_order_start(&s->order, g, n);
        return n;
    }
    bit_set(s->needs_head, g);
    window_order_insert(&s->order, g, n, before);
    return n;
}

/* The session and the row's window are one; it takes in those behind it that it touches now. */
static void span_grow(struct window_engine *e, const struct tw_window *in, uint32_t n)
{
    struct window_spans *s = e->spans;
    struct window_span *span = &s->spans[n];
    struct tw_window *w = &span->place.window;

    w->start = MIN(w->start, in->start);
    if (in->end <= w->end) return;
    w->end = in->end;
    span->has_new_end = true;
    while (UNLIKELY(span_next(span) != WINDOW_NONE && s->spans[span_next(span)].place.window.start <= in->end)) {
        uint32_t gone = window_order_remove_next(&s->order, span->group, n);
        struct window_span *other = &s->spans[gone];
        if (gone == s->tail[span->group]) s->tail[span->group] = n;
        if (s->merge_count == s->merge_capacity) {
            s->merge_capacity = s->merge_capacity ? s->merge_capacity * 2 : 64;
            s->merges = mem_realloc(e->op->mem, s->merges, s->merge_capacity * sizeof *s->merges);
        }
        s->merges[s->merge_count++] = (struct span_merge){.at = s->planned_count, .to = n, .from = gone};
        w->end = MAX(w->end, other->place.window.end);
        other->is_dead = true;
        bit_set(s->is_changed, span->group);
    }
}

void window_spans_row(struct window_engine *e, uint32_t i, uint32_t g)
{
    struct window_spans *s = e->spans;
    const struct tw_window *w = &s->windows[i];
    uint32_t n = s->hint[g];

    if (n == WINDOW_NONE || w->start < s->spans[n].place.window.start || w->start > s->spans[n].place.window.end) {
        uint32_t before = window_order_find(&s->order, g, w, n);
        n = window_order_next(&s->order, g, before);
        if (n == WINDOW_NONE || s->spans[n].place.window.start > w->end) {
            if (window_last(w) <= e->op->watermark) {
                e->late[e->late_count++] = (uint16_t)i;
                return;
            }
            n = span_begin(e, i, g, before);
        }
    }
    s->hint[g] = n;
    span_grow(e, w, n);
    window_spans_planned(e, i, n);
}

enum status window_spans_plan(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    if (!s->is_assigned) TRY(assign(e));
    s->row_first = e->row;
    s->row_end = MIN(batch_rows(e->in), e->row + s->chunk_rows);
    struct state_keys chunk = chunk_keys(e);
    TRY(state_resolve(s->latest, 0, &chunk, STATE_INSERT, s->item_rows + s->row_first, NULL));
    e->item_count = e->item_first = e->item_end = e->late_count = e->late_at = 0;
    window_spans_straight(e);
    s->is_assigned = s->row_end < batch_rows(e->in);
    e->row = s->row_end;
    uint32_t rows = s->row_end - s->row_first;
    s->goes_straight = s->goes_straight ? 4 * s->planned_count < rows : 2 * s->group_count > rows;
    s->chunk_rows = s->goes_straight ? (uint32_t)CHUNK_OF_KEYS : (uint32_t)BATCH_ROWS;
    return S_OK;
}

static void late_sort(struct window_engine *e)
{
    uint64_t *is_late = arena_zalloc(e->op->scratch, BATCH_ROWS / 8);
    uint32_t n = 0;

    for (uint32_t i = 0; i < e->late_count; i++) bit_set(is_late, e->late[i]);
    for (uint32_t w = 0; w < BATCH_ROWS / 64; w++)
        for (uint64_t m = is_late[w]; m != 0; m &= m - 1) e->late[n++] = (uint16_t)(w * 64 + (uint32_t)__builtin_ctzll(m));
}

/* A row whose gap reaches over very many sessions brings them together a few at a time: first it reaches as far as the first of
 * them, and with its bounds alone it comes again until it is through (window_spans_done). */
static enum status cut(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    struct tw_window *w = &s->windows[s->rest[0]];
    struct state_hits *hits = arena_alloc(e->op->scratch, sizeof *hits);
    struct state_range range = {.from_word = &w->start, .to_word = &w->end, .limit = JOINS_AT_ONCE};
    struct state_scan scan = {0};

    if (!s->is_dynamic || s->is_cut) return S_OK;
    TRY(state_ordered_scan(s->others, 0, &s->heads[s->group_of[0]], 1, &range, &scan, hits));
    if (hits->count < JOINS_AT_ONCE) return S_OK;
    s->is_cut = true;
    s->full_end = w->end;
    w->end = s->reaches.to[0] = *span_word(s, hits->row[hits->count - 1], SPAN_END);
    return S_OK;
}

enum status window_spans_load(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    struct state_keys keys = batch_keys(e);
    uint32_t late = e->late_count;

    if (s->rest_count == 0) return S_OK;
    TRY(window_spans_heads(e, &keys, s->meets, STATE_RESERVE));
    TRY(cut(e));
    s->loaded = WINDOW_NONE;
    TRY(window_reach_load(&s->reaches, s->others, s->heads, e->op->scratch, load_other, e));
    for (uint32_t k = 0; k < s->rest_count; k++) window_spans_row(e, s->rest[k], s->group_of[k]);
    if (e->late_count > late && late > 0) late_sort(e);
    return S_OK;
}

enum status window_spans_resolve(struct window_engine *e)
{
    struct state_keys keys = batch_keys(e);

    if (e->spans->is_bare) e->spans->planned_count = 0;
    return window_spans_heads(e, &keys, e->spans->needs_head, STATE_RESERVE);
}

/* --- rows into accumulators --------------------------------------------------------------------------------------- */
/* Planned rows [from, to) whose sessions lie in `latest`, or do not; how many. */
static uint32_t collect(struct window_engine *e, uint32_t from, uint32_t to, bool in_latest)
{
    struct window_spans *s = e->spans;
    uint32_t n = 0;

    for (uint32_t k = from; k < to; k++) {
        const struct window_span *span = &s->spans[s->planned_spans[k]];
        if (!s->is_plain && span->in_latest != in_latest) continue;
        e->run_rows[n] = s->planned_rows[k];
        e->run_acc[n++] = span->acc;
    }
    return n;
}

/* Where callbacks of the fold say they are: only those of users do. */
static void collect_windows(struct window_engine *e, uint32_t from, uint32_t to, bool in_latest)
{
    struct window_spans *s = e->spans;
    uint32_t n = 0;

    for (uint32_t k = from; k < to; k++) {
        const struct window_span *span = &s->spans[s->planned_spans[k]];
        if (s->is_plain || span->in_latest == in_latest) e->run_windows[n++] = span->place.window;
    }
}

static enum status add_rows(struct window_engine *e, uint32_t from, uint32_t to, bool in_latest)
{
    struct window_spans *s = e->spans;
    struct window_fold *f = e->plan.fold;
    uint32_t n = collect(e, from, to, in_latest);

    if (n == 0) return S_OK;
    if (e->plan.cx != NULL) collect_windows(e, from, to, in_latest);
    f->where = (struct user_where){
        .keys = e->in, .cols = e->op->plan->keys[e->input], .rows = e->run_rows, .windows = e->run_windows};
    struct batch *in = (struct batch *)(uintptr_t)e->in; /* folds change its selection and put it back */
    return f->add(f, in_latest ? s->latest : s->others, 0, e->run_acc, in, e->run_rows, n);
}

static enum status merge(struct window_engine *e, const struct span_merge *m)
{
    struct window_spans *s = e->spans;
    struct window_fold *f = e->plan.fold;
    struct window_span *to = &s->spans[m->to], *from = &s->spans[m->from];

    e->where_row = s->planned_rows[m->at];
    f->where = (struct user_where){.keys = e->in,
                                   .cols = e->op->plan->keys[e->input],
                                   .rows = &e->where_row,
                                   .windows = &to->place.window,
                                   .is_one_window = true};
    return f->merge(f, to->in_latest ? s->latest : s->others, 0, &to->acc, from->in_latest ? s->latest : s->others, 0,
                    &from->acc, 1);
}

static enum status add_planned(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    uint32_t from = 0;

    TRY(window_spans_place(e));
    for (uint32_t m = 0; m <= s->merge_count; m++) {
        uint32_t to = m < s->merge_count ? s->merges[m].at : s->planned_count;
        TRY(add_rows(e, from, to, true));
        if (!s->is_plain) TRY(add_rows(e, from, to, false));
        if (m < s->merge_count) TRY(merge(e, &s->merges[m]));
        from = to;
    }
    return window_spans_settle(e);
}

enum status window_spans_add(struct window_engine *e)
{
    TRY(window_spans_straight_add(e));
    if (e->spans->group_count > 0) TRY(add_planned(e));
    window_spans_straight_timers(e->spans);
    return window_spans_timers_set(e, e->in, e->op->plan->keys[e->input]);
}

void window_spans_timer(struct window_spans *s, uint32_t row, uint64_t hash, uint32_t i, void *latest, int64_t time)
{
    s->timer_rows[s->timer_count] = (uint16_t)row;
    s->timer_latest[s->timer_count] = latest;
    s->timer_handles[s->timer_count] = state_handle(s->latest, i);
    s->timer_hashes[s->timer_count] = hash;
    s->timer_times[s->timer_count++] = time;
}

enum status window_spans_timers_set(struct window_engine *e, const struct batch *keys, const uint32_t *cols)
{
    struct window_spans *s = e->spans;
    struct state_keys some = {.batch = keys,
                              .cols = cols,
                              .col_count = e->key_count,
                              .count = s->timer_count,
                              .sel = s->timer_rows,
                              .hashes = s->timer_hashes};

    if (s->timer_count == 0) return S_OK;
    return timers_put(e->event, &some, s->timer_times, s->timer_latest, s->timer_handles);
}

void window_spans_done(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    e->item_first = e->item_end;
    state_done(s->latest);
    state_done(s->others);
    if (e->in == NULL) return;
    s->is_bare = s->is_cut;
    if (!s->is_cut) return;
    s->is_cut = false;
    s->is_assigned = true;
    s->windows[s->row_first].end = s->full_end;
    e->row = s->row_first;
}
