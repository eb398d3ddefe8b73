/* window_rounds.c - rows of windows that fire because of rows: count windows, global windows with a count trigger, and
 * accumulators with a custom trigger.
 *
 * The idea: nobody but the trigger decides here; nothing merges, and what fires changes nothing for other windows. So a batch
 * is gone through in rounds: rows meet the trigger and are put by, and what fires is put by too, until a row comes to a window
 * that has yet to fire. Then all rows so far go into their windows at once, and the windows fire in the order of their rows.
 * Rounds are long where keys are many: rows go in by hundreds instead of those between two firings.
 *
 * A window that is to fire has -1 in its count until it has, so that two slots of one key know of each other; none has when
 * the batch is through. */
#include "flow/operator/window_internal.h"

enum { ROWS_LOOK_EVERY = 256, FIRES_LOOK_EVERY = 16, FIRES_AHEAD = 2 };

bool window_counts(const struct window_engine *e)
{
    return window_trigger_kind(e->config) == TW_TRIGGER_COUNT && !window_is_bounded(e->config) &&
           e->op->plan->input_count == 1;
}

bool window_has_rounds(const struct window_engine *e)
{
    if (window_counts(e)) return true;
    return window_trigger_kind(e->config) == TW_TRIGGER_CUSTOM && !e->is_merging && e->plan.fold != NULL &&
           e->op->plan->input_count == 1;
}

static void fetch_rows(const struct window_engine *e, uint32_t fire)
{
    const struct window_log *log = &e->logs[0];

    if (log->table != NULL && fire < e->fire_count)
        state_head_fetch(log->table, log->heads[e->items[e->fires[fire]].slot]);
}

enum status window_round_end(struct window_engine *e)
{
    TRY(window_run_flush(e));
    for (; e->fire_at < e->fire_count; e->fire_at++) {
        uint32_t fire = e->fires[e->fire_at];
        const struct window_item item = e->is_lean ? window_lean_item(e, fire) : e->items[fire];
        if (e->fire_at % FIRES_LOOK_EVERY == FIRES_LOOK_EVERY - 1 && window_slice_over(e)) return S_MORE;
        fetch_rows(e, e->fire_at + FIRES_AHEAD);
        e->result = e->fire_results[e->fire_at];
        TRY(window_fire_item(e, &item));
        if (e->result & TW_PURGE) window_contents_purge(e, item.slot);
        *window_word(e, item.slot, WORD_COUNT) = 0;
    }
    e->fire_count = e->fire_at = 0;
    return S_OK;
}

/* e->result: what the row brings about. */
static inline enum status row_in(struct window_engine *e, struct window_item *item, int64_t *count)
{
    if (!e->is_counting) return window_row_begin(e, item);
    bool fires = ++*count >= e->config->trigger_count;
    e->result = fires ? window_trigger_purged(e->config, TW_FIRE) : TW_CONTINUE;
    return window_run_add(e, item);
}

static enum status rounds(struct window_engine *e)
{
    for (; e->item_at < e->item_end; e->item_at++) {
        struct window_item *item = &e->items[e->item_at];
        int64_t *count = window_word(e, item->slot, WORD_COUNT);
        if (e->item_at % ROWS_LOOK_EVERY == 0 && window_slice_over(e)) return S_MORE;
        window_fetch_ahead(e);
        if (*count == WINDOW_TO_FIRE) TRY(window_round_end(e));
        TRY(row_in(e, item, count));
        if (e->result == TW_CONTINUE) continue;
        *count = WINDOW_TO_FIRE;
        e->fire_results[e->fire_count] = (uint8_t)e->result;
        e->fires[e->fire_count++] = (uint16_t)e->item_at;
    }
    return window_round_end(e);
}

enum status window_rounds_items(struct window_engine *e)
{
    enum status st = e->is_lean ? window_lean_rows(e) : rounds(e);

    if (e->is_by_trigger) window_trigger_rows_end(e);
    return st;
}
