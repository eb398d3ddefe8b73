/* window_spans_place.c - where accumulators of sessions lie. Before rows go in, every session that began in the batch gets a
 * place: the last of its key the key's row of `latest`, from which the former last moves to `others`; the rest there. When
 * rows are in, bounds are written, what has another end is put where it belongs, and what was merged away goes.
 *
 * Moving is merging into an empty accumulator, so that strings find their new table. The place of the last session may be
 * taken by one that is merged away only while rows go in; then it moves when all is done. */
#include "flow/operator/window_spans.h"

enum { ROWS_AHEAD = 8 };

static struct state_table *table_of(const struct window_spans *s, const struct window_span *span)
{
    return span->in_latest ? s->latest : s->others;
}

/* Where callbacks of the fold say they are. */
static void stand_at(struct window_engine *e, const struct window_span *span)
{
    e->where_row = (uint16_t)batch_row(e->in, span->item);
    e->plan.fold->where = (struct user_where){.keys = e->in,
                                              .cols = e->op->plan->keys[e->input],
                                              .rows = &e->where_row,
                                              .windows = &span->place.window,
                                              .is_one_window = true};
}

static enum status start(struct window_engine *e, struct window_span *span)
{
    struct window_fold *f = e->plan.fold;
    uint64_t created = 1;

    stand_at(e, span);
    return f->start(f, table_of(e->spans, span), 0, &span->acc, &created, 1);
}

/* Rows in `others` for n spans. */
static enum status others_insert(struct window_engine *e, const uint32_t *which, uint32_t n, void **rows)
{
    struct window_spans *s = e->spans;
    int64_t *ends = arena_alloc(e->op->scratch, n * sizeof *ends);
    void **heads = arena_alloc(e->op->scratch, n * sizeof *heads);
    uint64_t created[BATCH_ROWS / 64];

    for (uint32_t i = 0; i < n; i++) {
        ends[i] = s->spans[which[i]].place.window.end;
        heads[i] = s->heads[s->spans[which[i]].group];
    }
    struct vector v = {
        .type = s->others_def.sort_key->children[0], .form = VEC_FLAT, .phys = P_I64, .capacity = n, .data = ends};
    struct batch some = {.schema = s->others_def.sort_key, .cols = &v, .col_count = 1, .count = n, .capacity = n};
    state_probe_fill(&s->probe, &some, NULL, NULL, n);
    TRY(state_ordered_insert(s->others, 0, heads, &s->probe, rows, created));
    for (uint32_t i = 0; i < n; i++) {
        const struct window_span *span = &s->spans[which[i]];
        *span_word(s, rows[i], SPAN_START) = span->place.window.start;
        *span_word(s, rows[i], SPAN_END) = span->place.window.end;
        ++*span_others(s, s->rows[span->group]);
    }
    return S_OK;
}

static void place_leave(struct window_spans *s, struct window_span *span)
{
    if (!span->in_latest) {
        state_row_remove(s->others, 0, s->heads[span->group], span->acc);
        --*span_others(s, s->rows[span->group]);
        return;
    }
    window_acc_clear(s->latest, span->acc, s->word_field);
    *span_word(s, span->acc, SPAN_START) = *span_word(s, span->acc, SPAN_END) = 0;
}

static enum status move(struct window_engine *e, struct window_span *span, bool to_latest)
{
    struct window_spans *s = e->spans;
    struct window_fold *f = e->plan.fold;
    void *to = s->rows[span->group];

    if (!to_latest) TRY(others_insert(e, &(uint32_t){(uint32_t)(span - s->spans)}, 1, &to));
    stand_at(e, span);
    TRY(f->merge(f, to_latest ? s->latest : s->others, 0, &to, table_of(s, span), 0, &span->acc, 1));
    place_leave(s, span);
    span->acc = to;
    span->in_latest = to_latest;
    span->has_new_end = false;
    return S_OK;
}

/* Sessions that get rows in `others`, the first `moved` of them from rows of `latest`. */
struct newcomers {
    uint32_t *spans, count, moved;
};

/* The key's row of `latest` is for a session that began and is the last: who has it moves. */
static void give_latest(struct window_spans *s, uint32_t g, struct newcomers *in)
{
    uint32_t last = s->tail[g], owner = s->owner[g];

    if (last == WINDOW_NONE || !s->spans[last].is_new) return;
    if (owner != WINDOW_NONE && s->spans[owner].is_dead) return;
    if (owner != WINDOW_NONE) in->spans[in->count++] = owner;
    s->spans[last].acc = s->rows[g];
    s->spans[last].in_latest = true;
}

/* Accumulators of the rows of `latest` into those of `others`; the rows are as new then. */
static enum status move_all(struct window_engine *e, const struct newcomers *in, void **rows)
{
    struct window_spans *s = e->spans;
    struct window_fold *f = e->plan.fold;

    for (uint32_t i = 0; i < in->moved; i++) {
        const struct window_span *span = &s->spans[in->spans[i]];
        e->run_acc[i] = span->acc;
        e->run_rows[i] = (uint16_t)batch_row(e->in, span->item);
        e->run_windows[i] = span->place.window;
    }
    f->where = (struct user_where){
        .keys = e->in, .cols = e->op->plan->keys[e->input], .rows = e->run_rows, .windows = e->run_windows};
    TRY(f->merge(f, s->others, 0, rows, s->latest, 0, e->run_acc, in->moved));
    for (uint32_t i = 0; i < in->moved; i++) {
        struct window_span *span = &s->spans[in->spans[i]];
        place_leave(s, span);
        span->in_latest = span->has_new_end = false;
    }
    return S_OK;
}

enum status window_spans_place(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    struct newcomers in = {.spans = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *in.spans)};
    void **rows = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *rows);

    for (uint32_t w = 0; w < COUNT_OF(s->is_changed); w++)
        for (uint64_t m = s->is_changed[w]; m != 0; m &= m - 1)
            give_latest(s, w * 64 + (uint32_t)__builtin_ctzll(m), &in);
    in.moved = in.count;
    for (uint32_t n = 0; n < s->span_count; n++)
        if (s->spans[n].acc == NULL) in.spans[in.count++] = n;
    if (in.count > 0) TRY(others_insert(e, in.spans, in.count, rows));
    if (in.moved > 0) TRY(move_all(e, &in, rows));
    for (uint32_t i = 0; i < in.count; i++) s->spans[in.spans[i]].acc = rows[i];
    if (e->plan.fold->start == NULL) return S_OK;
    for (uint32_t n = 0; n < s->span_count; n++)
        if (s->spans[n].is_new) TRY(start(e, &s->spans[n]));
    return S_OK;
}

static enum status settle(struct window_engine *e, struct window_span *span)
{
    struct window_spans *s = e->spans;
    bool is_last = span_next(span) == WINDOW_NONE;

    if (span->is_dead) return S_OK;
    if (is_last != span->in_latest || (!is_last && !span->is_new && span->has_new_end)) TRY(move(e, span, is_last));
    *span_word(s, span->acc, SPAN_START) = span->place.window.start;
    *span_word(s, span->acc, SPAN_END) = span->place.window.end;
    if (!is_last && !span->is_new) state_row_write(s->others, 0, s->heads[span->group], span->acc);
    return S_OK;
}

/* The key's timer, and whether there is anything of the key at all. */
static bool group_settle(struct window_engine *e, uint32_t g)
{
    struct window_spans *s = e->spans;
    void *row = s->rows[g];
    uint32_t first = window_order_next(&s->order, g, WINDOW_NONE);

    *span_group(s, row) = 0;
    if (first == WINDOW_NONE) return false;
    int64_t time = window_timer_time(window_last(&s->spans[first].place.window));
    uint64_t hash = s->hashes[s->item_of[g]];
    if (LIKELY(timer_reaches(*span_word(s, row, SPAN_LIES), time))) {
        int64_t *due = span_word(s, row, SPAN_DUE);
        *due = *span_others(s, row) == 0 ? time : MIN(*due, time); /* there may be earlier ones that are not here */
        return true;
    }
    window_spans_timer(s, batch_row(e->in, s->item_of[g]), hash, s->item_of[g] - s->row_first, row, time);
    return true;
}

enum status window_spans_settle(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    uint64_t *empty = arena_zalloc(e->op->scratch, sizeof s->is_changed);
    bool any = false;

    for (uint32_t n = 0; n < s->span_count; n++)
        if (s->spans[n].is_dead) place_leave(s, &s->spans[n]);
    for (uint32_t n = 0; n < s->span_count; n++) TRY(settle(e, &s->spans[n]));
    for (uint32_t g = 0; g < s->group_count; g++) {
        if (g + ROWS_AHEAD < s->group_count) __builtin_prefetch(span_word(s, s->rows[g + ROWS_AHEAD], SPAN_LIES), 1);
        if (group_settle(e, g)) continue;
        bit_set(empty, s->item_of[g] - s->row_first);
        any = true;
    }
    if (any) state_remove(s->latest, empty);
    return S_OK;
}
