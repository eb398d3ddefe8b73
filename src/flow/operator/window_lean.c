/* window_lean.c - rows of global windows that have an accumulator and fire because of rows: by counting, or by a custom trigger.
 *
 * The idea: the window is the key, it is never late and never merges, so a row needs no item: its place in the batch is its
 * slot, and the batch's own key columns name the windows. Keys that rows share are found by state. What fires does so in
 * rounds (window_rounds.c); an item is made for it then.
 *
 * Not here: timers of custom triggers, which are items like others. */
#include "flow/operator/window_internal.h"

enum { ROWS_LOOK_EVERY = 256 };

static const struct tw_window global = {INT64_MIN, INT64_MAX};

void window_lean_open(struct window_engine *e)
{
    e->lean_names = e->more[0].batch;
    e->lean_view = (struct batch){.schema = e->key_type, .cols = e->lean_cols, .col_count = e->key_count, .mem = e->op->mem};
}

void window_lean_close(struct window_engine *e)
{
    if (e->is_lean) e->more[0].batch = e->lean_names;
}

/* Can the batch's key columns be looked at where they lie, row i of them being row i of the chunk? */
static bool lies_well(const struct window_engine *e, const uint32_t *cols)
{
    if (e->in->sel != NULL || e->row != 0) return false;
    for (uint32_t c = 0; c < e->key_count; c++)
        if (e->in->cols[cols[c]].form != VEC_FLAT) return false;
    return true;
}

void window_lean_assign(struct window_engine *e)
{
    struct window_keys *k = &e->more[0];
    const uint32_t *cols = e->op->plan->keys[e->input];
    uint32_t n = MIN(batch_rows(e->in) - e->row, (uint32_t)BATCH_ROWS);

    k->count = n;
    if (lies_well(e, cols)) {
        for (uint32_t c = 0; c < e->key_count; c++) e->lean_cols[c] = e->in->cols[cols[c]];
        e->lean_view.count = e->lean_view.capacity = n;
        k->batch = &e->lean_view;
        window_keys_hash(e, k);
    } else {
        k->batch = e->lean_names;
        for (uint32_t i = 0; i < n; i++) k->source[i] = (uint16_t)batch_row(e->in, e->row + i);
        window_keys_fill(e, k, e->in, cols);
    }
    e->slots = e->named = k;
    e->lean_first = e->row;
    e->row += n;
    e->item_first = e->late_count = e->late_at = 0;
    e->item_count = e->item_end = n;
}

struct window_item window_lean_item(const struct window_engine *e, uint32_t slot)
{
    uint32_t at = e->lean_first + slot;

    return (struct window_item){.at = at,
                                .slot = slot,
                                .named = slot,
                                .node = WINDOW_NONE,
                                .time = batch_time(e->in, batch_row(e->in, at)),
                                .window = global};
}

/* e->result: what the row brings about. */
static inline enum status meet(struct window_engine *e, uint32_t slot, int64_t *count)
{
    if (e->is_by_trigger) {
        uint32_t at = e->lean_first + slot;
        return window_trigger_row(e, at, slot, batch_time(e->in, batch_row(e->in, at)), &global);
    }
    bool fires = ++*count >= e->config->trigger_count;
    e->result = fires ? window_trigger_purged(e->config, TW_FIRE) : TW_CONTINUE;
    return S_OK;
}

static inline void run_add(struct window_engine *e, uint32_t slot, int64_t *rows)
{
    uint32_t n = e->run_count++;

    e->run_rows[n] = (uint16_t)batch_row(e->in, e->lean_first + slot);
    e->run_acc[n] = e->acc[slot];
    if (n % 64 == 0) e->run_starts[n / 64] = 0;
    if (UNLIKELY(*rows == 0)) bit_set(e->run_starts, n);
    ++*rows;
}

enum status window_lean_rows(struct window_engine *e)
{
    for (; e->item_at < e->item_end; e->item_at++) {
        uint32_t slot = e->item_at;
        int64_t *words = window_word(e, slot, 0);
        if (slot % ROWS_LOOK_EVERY == 0 && window_slice_over(e)) return S_MORE;
        if (slot + WINDOW_AHEAD < e->item_end) __builtin_prefetch(window_word(e, slot + WINDOW_AHEAD, 0), 1);
        if (words[WORD_COUNT] == WINDOW_TO_FIRE) TRY(window_round_end(e));
        TRY(meet(e, slot, &words[WORD_COUNT]));
        run_add(e, slot, &words[WORD_ROWS]);
        if (e->result == TW_CONTINUE) continue;
        words[WORD_COUNT] = WINDOW_TO_FIRE;
        e->fire_results[e->fire_count] = (uint8_t)e->result;
        e->fires[e->fire_count++] = (uint16_t)slot;
    }
    return window_round_end(e);
}
