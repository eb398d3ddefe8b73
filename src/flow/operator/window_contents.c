/* window_contents.c - what a window holds: one accumulator, or rows in a log per input, and the words of its trigger.
 *
 * Rows go in by runs: an item only joins the run, and the run goes in before anything looks at contents or joins them with
 * others. So per-row work is done for many rows at once, and the order of rows in each window is that of arrival whatever
 * the batches. Entries are made by resolving and given back (window_contents_forget) when they hold nothing any more. */
#include "flow/operator/window_internal.h"

/* --- tables ------------------------------------------------------------------------------------------------------- */
const struct type *window_with_words(struct arena *a, const struct type *front, uint32_t words)
{
    uint32_t n = front != NULL ? front->child_count : 0;
    const char **names = ARENA_ARRAY(a, const char *, n + words);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + words);

    for (uint32_t i = 0; i < n; i++) {
        names[i] = front->names[i];
        types[i] = front->children[i];
    }
    for (uint32_t i = n; i < n + words; i++) {
        names[i] = arena_printf(a, "word %u", i - n);
        types[i] = type_new(a, T_BIGINT, 0, 0, false);
    }
    return type_row(a, n + words, names, types, false);
}

static enum status log_open(struct window_engine *e, uint32_t input)
{
    struct window_log *log = &e->logs[input];
    struct op_cx *op = e->op;
    struct arena *a = op->plan->arena;
    const struct type *in = op->plan->inputs[input];
    const char **names = ARENA_ARRAY(a, const char *, in->child_count);
    const struct type **types = ARENA_ARRAY(a, const struct type *, in->child_count);

    log->cols = ARENA_ARRAY(a, uint32_t, in->child_count + 1);
    for (uint32_t i = 0; i < in->child_count; i++) {
        if (e->plan.kept[input] != NULL && !bit_get(e->plan.kept[input], i)) continue;
        names[log->col_count] = in->names[i];
        types[log->col_count] = in->children[i];
        log->cols[log->col_count++] = i;
    }
    const struct type *kept = type_row(a, log->col_count, names, types, false);
    log->has_arrivals = op->plan->input_count > 1;
    log->has_times = !e->plan.no_times || log->has_arrivals || log->col_count == 0;
    log->def = (struct state_def){.name = input == 0 ? "window-rows" : "window-rows-2",
                                  .version = 1,
                                  .upgrade = STATE_UPGRADE_COLUMNS,
                                  .shape = STATE_LOG,
                                  .key = e->key_type,
                                  .is_within = e->name_count > e->key_count,
                                  .group_cols = e->key_count,
                                  .value = window_with_words(a, kept, log->has_times + log->has_arrivals)};
    TRY(state_open(op->state, &log->def, &log->table, op->err));
    window_rows_init(&log->rows, in, e->plan.kept[input], op->mem);
    log->rows.are_structs = e->plan.as_struct != NULL && window_rows_look_alike(log, e->plan.as_struct);
    return state_probe_init(&log->probe, log->def.value, op->mem, op->err);
}

static enum status contents_open(struct window_engine *e)
{
    struct op_cx *op = e->op;
    bool arrivals = op->plan->input_count > 1 && e->config->evictor != TW_NO_EVICTOR;

    if (!e->is_merging && e->trigger.cx.op != NULL) e->state_words = user_window_states_words(&e->trigger.cx);
    if (e->plan.fold == NULL && e->word_count == 1 && e->state_words == 0 && !arrivals) return S_OK;
    const struct type *acc = e->plan.fold != NULL ? e->plan.fold->acc : NULL;
    e->word_field = acc != NULL ? acc->child_count : 0;
    e->contents_def = (struct state_def){.name = "window-contents",
                                         .version = 1,
                                         .upgrade = e->plan.fold != NULL ? e->plan.fold->upgrade : STATE_UPGRADE_NEVER,
                                         .shape = STATE_MAP,
                                         .key = e->key_type,
                                         .is_within = e->name_count > e->key_count,
                                         .group_cols = e->key_count,
                                         .value = window_with_words(op->plan->arena, acc, e->word_count + e->state_words)};
    TRY(state_open(op->state, &e->contents_def, &e->contents, op->err));
    e->word_offset = e->contents->value.fields[e->word_field].offset;
    return S_OK;
}

enum status window_contents_open(struct window_engine *e)
{
    struct op_cx *op = e->op;

    TRY(contents_open(e));
    for (uint32_t i = 0; e->plan.fold == NULL && i < op->plan->input_count; i++) TRY(log_open(e, i));
    if (window_trigger_kind(e->config) != TW_TRIGGER_DELTA && e->config->trigger_nested != TW_TRIGGER_DELTA)
        return S_OK;
    TRY(user_value_of_row(op->plan->arena, e->trigger.cx.fn->in, &e->last_value, op->err));
    e->last_def = (struct state_def){.name = "window-last-row",
                                     .version = 1,
                                     .shape = STATE_MAP,
                                     .key = e->key_type,
                                     .is_within = e->name_count > e->key_count,
                                     .group_cols = e->key_count,
                                     .value = window_with_words(op->plan->arena, e->last_value.type, 1)};
    return state_open(op->state, &e->last_def, &e->last, op->err);
}

void window_contents_close(struct window_engine *e)
{
    state_close(e->contents);
    state_close(e->last);
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++) {
        struct window_log *log = &e->logs[i];
        if (log->table == NULL) continue;
        window_rows_release(&log->rows);
        state_probe_release(&log->probe);
        state_close(log->table);
    }
}

static enum status states_begin(struct window_engine *e)
{
    struct tw_context *trigger = &e->trigger.cx, *cx = e->plan.cx;
    struct state_keys named = window_keys_of(e, e->named);
    struct state_keys slots = window_keys_of(e, e->slots);

    if (e->state_words > 0)
        user_window_states_begin_in(trigger, e->acc, e->contents->value.fields[e->word_field + e->word_count].offset);
    else if (trigger->op != NULL)
        TRY(user_window_states_begin(trigger, &named, &named));
    if (cx == NULL || cx->states == NULL) return S_OK;
    if (e->key_count == 0) return user_window_states_begin(cx, &slots, &slots);
    batch_hash(e->slots->batch, e->cols, e->key_count, cx->hashes);
    struct state_keys keys = {.batch = e->slots->batch,
                              .cols = e->cols,
                              .col_count = e->key_count,
                              .count = e->slots->count,
                              .hashes = cx->hashes};
    return user_window_states_begin(cx, &keys, &slots);
}

static enum status chunk_find(struct window_engine *e)
{
    struct window_fold *f = e->plan.fold;
    uint32_t n = e->item_end - e->item_first;

    if (f == NULL || f->find == NULL) return S_OK;
    for (uint32_t i = 0; e->in != NULL && i < n; i++) {
        const struct window_item *item = &e->items[e->item_first + i];
        e->chunk_rows[i] = (uint16_t)batch_row(e->in, item->at);
        e->chunk_slots[i] = (uint16_t)item->slot;
    }
    return f->find(f, &(struct window_chunk){.names = window_keys_of(e, e->slots),
                                             .in = e->in,
                                             .rows = e->chunk_rows,
                                             .name_of = e->chunk_slots,
                                             .count = n});
}

enum status window_contents_resolve(struct window_engine *e)
{
    struct state_keys keys = window_keys_of(e, e->slots);

    if (keys.count == 0) return S_OK;
    memset(e->is_purged, 0, sizeof e->is_purged);
    if (e->contents != NULL) TRY(state_resolve(e->contents, 0, &keys, STATE_INSERT, e->acc, NULL));
    if (e->last != NULL) TRY(state_resolve(e->last, 0, &keys, STATE_INSERT, e->lasts, NULL));
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++)
        if (e->logs[i].table != NULL)
            TRY(state_resolve(e->logs[i].table, 0, &keys, STATE_RESERVE, e->logs[i].heads, NULL));
    TRY(chunk_find(e));
    TRY(states_begin(e));
    e->states_begun = true;
    return S_OK;
}

void window_contents_done(struct window_engine *e)
{
    if (e->states_begun && e->trigger.cx.op != NULL) user_window_states_end(&e->trigger.cx);
    if (e->states_begun && e->plan.cx != NULL) user_window_states_end(e->plan.cx);
    e->states_begun = false;
    if (e->plan.fold != NULL && e->plan.fold->done != NULL) e->plan.fold->done(e->plan.fold);
    if (e->contents != NULL) state_done(e->contents);
    if (e->last != NULL) state_done(e->last);
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++)
        if (e->logs[i].table != NULL) state_done(e->logs[i].table);
}

bool window_is_empty(const struct window_engine *e, uint32_t slot)
{
    if (e->plan.fold != NULL) return *window_word(e, slot, WORD_ROWS) == 0;
    return state_head_rows(e->logs[0].heads[slot]) == 0 &&
           state_head_rows(e->logs[1].table ? e->logs[1].heads[slot] : NULL) == 0;
}

/* --- runs --------------------------------------------------------------------------------------------------------- */
enum status window_run_add(struct window_engine *e, const struct window_item *item)
{
    uint32_t n = e->run_count++;

    e->run_rows[n] = (uint16_t)batch_row(e->in, item->at);
    e->run_slots[n] = (uint16_t)item->slot;
    e->run_times[n] = item->time;
    e->run_windows[n] = item->window;
    e->run_arrivals[n] = 0;
    bit_clear(e->run_starts, n);
    if (e->contents != NULL) {
        int64_t *rows = window_word(e, item->slot, WORD_ROWS);
        if (*rows == 0) bit_set(e->run_starts, n);
        e->run_arrivals[n] = (*rows)++;
    }
    /* The first row of a log goes in at once: what asks whether the window is empty must see it. Counting asks nobody. */
    return e->plan.fold == NULL && !e->is_counting && window_is_empty(e, item->slot) ? window_run_flush(e) : S_OK;
}

enum status window_run_flush(struct window_engine *e)
{
    struct window_fold *f = e->plan.fold;
    struct window_log *log = &e->logs[e->input];
    uint32_t n = e->run_count;
    void **to = f != NULL ? e->acc : log->heads;
    static const struct tw_window global = {INT64_MIN, INT64_MAX};

    if (n == 0) return S_OK;
    e->run_count = 0;
    for (uint32_t i = 0; !e->is_lean && i < n; i++) e->run_acc[i] = to[e->run_slots[i]];
    if (f == NULL) return window_log_append(e, log, e->in, e->run_rows, n, e->run_acc, e->run_times, e->run_arrivals);
    f->where = (struct user_where){.keys = e->in,
                                   .cols = e->op->plan->keys[e->input],
                                   .rows = e->run_rows,
                                   .windows = e->is_lean ? &global : e->run_windows,
                                   .is_one_window = e->is_lean};
    if (f->start != NULL) TRY(f->start(f, e->contents, 0, e->run_acc, e->run_starts, n));
    struct batch *in = (struct batch *)(uintptr_t)e->in; /* folds change its selection and put it back */
    return f->add(f, e->contents, 0, e->run_acc, in, e->run_rows, n);
}

/* --- merging ------------------------------------------------------------------------------------------------------ */
static enum status logs_merge(struct window_engine *e, uint32_t to, uint32_t from)
{
    for (uint32_t i = 0; i < e->op->plan->input_count; i++) {
        struct window_log *log = &e->logs[i];
        enum status st;
        void *heads[64];
        int64_t base = e->contents != NULL ? *window_word(e, to, WORD_ROWS) : 0;
        log->is_loaded = log->is_loading = false;
        do
            st = window_rows_load(log, from);
        while (st == S_MORE);
        TRY(st);
        log->is_loaded = false;
        for (uint32_t k = 0; k < COUNT_OF(heads); k++) heads[k] = log->heads[to];
        for (uint32_t b = 0; b < log->rows.count; b++) {
            const struct batch *batch = log->rows.batches[b];
            for (uint32_t at = 0; at < batch->count; at += COUNT_OF(heads)) {
                uint32_t n = MIN((uint32_t)COUNT_OF(heads), batch->count - at);
                uint16_t rows[COUNT_OF(heads)];
                for (uint32_t k = 0; k < n; k++) {
                    rows[k] = (uint16_t)(at + k);
                    log->rows.arrivals[b][at + k] += base;
                }
                TRY(window_log_append(e, log, batch, rows, n, heads, batch->times + at, log->rows.arrivals[b] + at));
            }
        }
        if (log->heads[from] != NULL) state_head_clear(log->table, 0, log->heads[from]);
    }
    return S_OK;
}

static void words_merge(struct window_engine *e, uint32_t to, uint32_t from)
{
    for (uint32_t w = 0; w < e->word_count; w++) {
        int64_t *a = window_word(e, to, w), *b = window_word(e, from, w);
        if (w == WORD_ROWS || w == WORD_COUNT) *a += *b;
        if ((w == WORD_HAS_TIME || w == WORD_HAS_TIMEOUT) && *b) {
            int64_t *time_a = window_word(e, to, w - 1), *time_b = window_word(e, from, w - 1);
            *time_a = *a ? MIN(*time_a, *time_b) : *time_b;
            *a = 1;
        }
    }
    for (uint32_t w = 0; w < e->word_count; w++) *window_word(e, from, w) = 0;
}

enum status window_contents_merge(struct window_engine *e, uint32_t to, uint32_t from, const struct tw_window *w)
{
    struct window_fold *f = e->plan.fold;

    TRY(window_run_flush(e));
    if (f == NULL) {
        TRY(logs_merge(e, to, from));
    } else if (*window_word(e, from, WORD_ROWS) > 0) {
        uint64_t start = *window_word(e, to, WORD_ROWS) == 0;
        e->where_row = (uint16_t)to;
        f->where = (struct user_where){
            .keys = e->slots->batch, .rows = &e->where_row, .windows = w, .is_one_window = true};
        if (start && f->start != NULL) TRY(f->start(f, e->contents, 0, &e->acc[to], &start, 1));
        TRY(f->merge(f, e->contents, 0, &e->acc[to], e->contents, 0, &e->acc[from], 1));
        int64_t rows = *window_word(e, from, WORD_ROWS);
        window_contents_purge(e, from);
        *window_word(e, from, WORD_ROWS) = rows;
    }
    if (e->contents != NULL) words_merge(e, to, from);
    return S_OK;
}

/* --- firing ------------------------------------------------------------------------------------------------------- */
static struct window_firing firing_of(struct window_engine *e, const struct window_item *item)
{
    return (struct window_firing){.window = item->window,
                                  .keys = e->slots->batch,
                                  .at = item->slot,
                                  .item = e->item_at - e->item_first,
                                  .table = e->contents,
                                  .acc = e->plan.fold != NULL ? e->acc[item->slot] : NULL};
}

static enum status load_rows(struct window_engine *e, const struct window_item *item)
{
    for (uint32_t i = 0; i < e->op->plan->input_count; i++) {
        enum status st;
        while ((st = window_rows_load(&e->logs[i], item->slot)) == S_MORE)
            if (window_slice_over(e)) return S_MORE;
        TRY(st);
    }
    return S_OK;
}

/* Rows that a count evictor would take away before anybody sees them are dropped unread. Asked again: nothing is left to drop. */
static void drop_surplus(struct window_engine *e, uint32_t slot)
{
    const struct window_config *c = e->config;
    struct window_log *log = &e->logs[0];
    uint64_t rows = state_head_rows(log->heads[slot]), most = (uint64_t)c->evictor_count;

    if (c->evictor != TW_EVICT_COUNT || c->evictor_after || e->op->plan->input_count > 1 || rows <= most) return;
    state_log_drop(log->table, 0, log->heads[slot], (uint32_t)(rows - most));
}

static enum status fire_rows(struct window_engine *e, const struct window_item *item, struct window_firing *f)
{
    bool evicts = e->config->evictor != TW_NO_EVICTOR && !e->logs[0].rows.are_structs; /* else nothing is left to evict */

    drop_surplus(e, item->slot);
    TRY(load_rows(e, item));
    for (uint32_t i = 0; i < e->op->plan->input_count; i++) f->rows[i] = &e->logs[i].rows;
    if (!e->fire_goes_on) e->any_evicted = false;
    if (!e->fire_goes_on && evicts && !e->config->evictor_after) TRY(window_evict(e, item, &e->any_evicted));
    e->fire_goes_on = true;
    TRY(e->plan.fire(e->plan.arg, f));
    e->fire_goes_on = false;
    if (evicts && e->config->evictor_after) TRY(window_evict(e, item, &e->any_evicted));
    for (uint32_t i = 0; i < e->op->plan->input_count; i++) {
        e->logs[i].is_loaded = false;
        if (e->any_evicted) TRY(window_rows_store(e, &e->logs[i], item->slot));
    }
    return S_OK;
}

enum status window_contents_fire(struct window_engine *e, const struct window_item *item)
{
    struct window_firing f = firing_of(e, item);

    TRY(window_run_flush(e));
    if (window_is_empty(e, item->slot)) return S_OK;
    TRY(e->plan.fold == NULL ? fire_rows(e, item, &f) : e->plan.fire(e->plan.arg, &f));
    if (e->in != NULL && e->is_event_time && window_last_at(e, &item->window) <= e->op->watermark)
        sys_atomic_store(&e->op->metrics->late_refired, e->op->metrics->late_refired.value + 1);
    return S_OK;
}

/* --- taking away -------------------------------------------------------------------------------------------------- */
void window_acc_clear(struct state_table *t, void *row, uint32_t fields)
{
    const struct state_layout *l = &t->value;

    for (uint32_t f = 0; f < fields; f++) {
        char *at = (char *)row + l->fields[f].offset;
        if (l->fields[f].form == STATE_STRING || l->fields[f].form == STATE_NESTED)
            state_text_set(t, 0, (struct state_text *)(void *)at, (struct str){"", 0});
        else
            memset(at, 0, l->fields[f].form == STATE_WIDE ? 16 : 8);
        state_set_valid(l, row, f);
    }
}

void window_contents_purge(struct window_engine *e, uint32_t slot)
{
    bit_set(e->is_purged, slot);
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++)
        if (e->logs[i].table != NULL && e->logs[i].heads[slot] != NULL)
            state_head_clear(e->logs[i].table, 0, e->logs[i].heads[slot]);
    if (e->contents == NULL) return;
    window_acc_clear(e->contents, e->acc[slot], e->word_field);
    *window_word(e, slot, WORD_ROWS) = 0;
}

static bool words_are_zero(const struct window_engine *e, uint32_t slot)
{
    for (uint32_t w = 0; w < e->word_count; w++)
        if (w != WORD_TIME && w != WORD_TIMEOUT && *window_word(e, slot, w) != 0) return false;
    for (uint32_t w = e->word_count; w < e->word_count + e->state_words; w++)
        if (*window_word(e, slot, w) != 0) return false;
    return e->plan.fold != NULL || window_is_empty(e, slot);
}

static bool last_is_unset(const struct window_engine *e, uint32_t slot)
{
    const struct state_layout *l = &e->last->value;

    return *state_word(e->lasts[slot], l->fields[l->field_count - 1].offset) == 0;
}

/* Slots by the words of `which` that are empty, in place of those that may be. */
static bool keep_empty(struct window_engine *e, bool (*is_empty)(const struct window_engine *e, uint32_t slot),
                       uint64_t *which)
{
    uint64_t any = 0;

    for (uint32_t w = 0; w <= (e->slots->count - 1) / 64; w++) {
        for (uint64_t m = which[w]; m != 0; m &= m - 1) {
            uint32_t slot = w * 64 + (uint32_t)__builtin_ctzll(m);
            if (slot >= e->slots->count || !is_empty(e, slot)) bit_clear(which, slot);
        }
        any |= which[w];
    }
    return any != 0;
}

static enum status fold_forget(struct window_engine *e, const uint64_t *which)
{
    struct window_fold *f = e->plan.fold;
    struct state_keys names = window_keys_of(e, e->slots);
    uint16_t rows[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    uint32_t n = 0;

    if (f == NULL || f->forget == NULL) return S_OK;
    for (uint32_t i = 0; i < names.count; i++) {
        if (!bit_get(which, i)) continue;
        rows[n] = (uint16_t)i;
        hashes[n++] = names.hashes[i];
    }
    names.sel = rows;
    names.hashes = hashes;
    names.count = n;
    return f->forget(f, &names);
}

/* Rows leave something in every slot, so only those that were purged may be empty; timers and merging leave more behind. */
enum status window_contents_forget(struct window_engine *e)
{
    if (e->in == NULL || e->is_merging) memset(e->is_purged, 0xff, sizeof e->is_purged);
    uint64_t which[BATCH_ROWS / 64];
    memcpy(which, e->is_purged, sizeof which);
    if (e->contents != NULL && keep_empty(e, words_are_zero, which)) {
        TRY(fold_forget(e, which));
        state_remove(e->contents, which);
    }
    if (e->last == NULL) return S_OK;
    memset(which, 0xff, sizeof which);
    if (keep_empty(e, last_is_unset, which)) state_remove(e->last, which);
    return S_OK;
}
