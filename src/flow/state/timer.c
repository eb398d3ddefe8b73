/* timer.c - timers of a keyed operator: keys in and out, around the radix heap (timer_heap.c).
 *
 * The idea: one column of at most 8 bytes is the item's key itself; other keys are hashed (the item holds the hash) and
 * their bytes kept beside. The NULL of a sole nullable column is a bit of the time word, so it is one more key.
 *
 * Invariants: `last` is the greatest item that the latest timers_due gave; what is registered or deleted at or before it
 * disturbs that batch. Times beyond +-2^61 ms are INT64_MIN and INT64_MAX.
 * Not here: which timers an operator needs, and who calls timers_due when. */
#include "flow/state/timer.h"

#include "flow/state/hashmap.h"
#include "flow/state/sb.h"
#include "flow/state/snapshot_timers.h"
#include "flow/state/timer_internal.h"

#include "ground/base/hash.h"
#include "ground/base/str.h"

static enum status name_check(const struct state_host *h, const char *name, struct err *e)
{
    for (const struct timers *t = h->timers; t != NULL; t = t->next) {
        if (str_equal(str_of(t->name), str_of(name))) return err_set(e, E_EXISTS, "there are two sets of timers of the name `%s`", name);
    }
    return S_OK;
}

static enum status make(struct state_host *h, const char *name, const struct type *key, bool is_within, uint32_t group_cols,
    struct timers **out, struct err *e)
{
    struct key_codec codec;
    struct timers *t;
    enum status st = name_check(h, name, e);

    if (st == S_OK) st = key_codec_init(&codec, key, e);
    if (st != S_OK) {
        err_wrap(e, "timers");
        return st;
    }
    t = mem_zalloc(h->mem, sizeof *t);
    *t = (struct timers){.host = h, .name = name, .key = codec, .is_within = is_within, .group_cols = group_cols};
    key_set_init(&t->keys, h->mem);
    timer_heap_init(&t->heap, h->pool, codec.form != KEY_WORD);
    t->next = h->timers;
    h->timers = t;
    st = h->restore != NULL ? snapshot_load_timers(t, e) : S_OK;
    if (st != S_OK) timers_free(t);
    else *out = t;
    return st;
}

enum status timers_create(struct state_host *h, const char *name, const struct type *key, struct timers **out, struct err *e)
{
    return make(h, name, key, false, 0, out, e);
}

enum status timers_create_within(struct state_host *h, const char *name, const struct type *key, uint32_t group_cols,
    struct timers **out, struct err *e)
{
    ASSERT(group_cols < key->child_count && key->child_count > 1);
    return make(h, name, key, true, group_cols, out, e);
}

void timers_free(struct timers *t)
{
    if (t == NULL) return;
    struct timers **at = &t->host->timers;
    while (*at != t) at = &(*at)->next;
    *at = t->next;
    timer_heap_release(&t->heap);
    key_set_release(&t->keys);
    mem_free(t->host->mem, t);
}

static enum status budget_check(struct timers *t, uint32_t count)
{
    size_t needed = (size_t)count * 64 + 2 * (size_t)POOL_FRAME;

    if (pool_room(t->host->pool) >= needed) return S_OK;
    return host_refuse(t->host, "timers", count, "timers");
}

/* The i-th key of t->keys as an item; bytes are copied. */
static void item_make(struct timers *t, uint32_t i, uint64_t hash, int64_t time, uint64_t item[3])
{
    bool is_null = t->keys.has_nulls && t->keys.nulls[i];

    item[0] = timer_when(time) | (is_null ? WHEN_NULL : 0);
    item[1] = is_null ? 0 : t->key.form == KEY_WORD ? (uint64_t)t->keys.words[i] ^ KEY_SIGN : hash;
    item[2] = is_null || t->key.form == KEY_WORD ? 0 : timer_heap_bytes_put(&t->heap, t->keys.views[i]);
}

static inline void item_add(struct timers *t, const uint64_t item[3])
{
    uint64_t when = item[0] & ~WHEN_DELETION;

    ASSERT_ROW(!t->heap.moves);
    if (UNLIKELY(t->has_last && (when < t->last[0] || (when == t->last[0] && item[1] <= t->last[1])))) t->is_disturbed = true;
    timer_heap_add(&t->heap, item);
}

static enum status add_all(struct timers *t, const struct state_keys *keys, const int64_t *times, uint64_t flag)
{
    TRY(budget_check(t, keys->count));
    ASSERT(t->key.form == KEY_WORD || keys->hashes != NULL || keys->count == 0);
    key_gather(&t->key, &t->keys, keys->batch, keys->cols, keys->sel, 0, keys->count);
    for (uint32_t i = 0; i < keys->count; i++) {
        uint64_t item[3];
        item_make(t, i, keys->hashes ? keys->hashes[i] : 0, times[i], item);
        item[0] |= flag;
        item_add(t, item);
    }
    return S_OK;
}

enum status timers_register(struct timers *t, const struct state_keys *keys, const int64_t *times)
{
    return add_all(t, keys, times, 0);
}

enum status timers_delete(struct timers *t, const struct state_keys *keys, const int64_t *times)
{
    return add_all(t, keys, times, WHEN_DELETION);
}

static enum status add_one(struct timers *t, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash, int64_t time,
                           uint64_t flag)
{
    uint64_t item[3];

    TRY(budget_check(t, 1));
    key_gather(&t->key, &t->keys, b, cols, NULL, row, 1);
    item_make(t, 0, hash, time, item);
    item[0] |= flag;
    item_add(t, item);
    return S_OK;
}

enum status timers_register_one(struct timers *t, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash, int64_t time)
{
    return add_one(t, b, cols, row, hash, time, 0);
}

enum status timers_delete_one(struct timers *t, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash, int64_t time)
{
    return add_one(t, b, cols, row, hash, time, WHEN_DELETION);
}

void timers_hash(const struct timers *t, const struct batch *b, const uint32_t *cols, uint64_t *out)
{
    if (t->is_within) state_hash_within(b, cols, t->group_cols, t->key.type->child_count, out);
    else batch_hash(b, cols, t->key.type->child_count, out);
}

/* ---- timers that move */

static void item_leave(void *arg, uint64_t *item)
{
    struct timers *t = arg;
    struct key_set *keys = &t->host->scratch->keys;
    struct state_table *table = t->heap.table;
    uint64_t hash = table->type->key_at(table, item[1], keys, 0);

    if (keys->nulls[0])
        item[1] = 0;
    else if (t->key.form == KEY_WORD)
        item[1] = (uint64_t)keys->words[0] ^ KEY_SIGN;
    else
        item[1] = hash;
    if (t->key.form != KEY_WORD) item[2] = keys->nulls[0] ? 0 : timer_heap_bytes_put(&t->heap, keys->views[0]);
}

bool timers_have_word(const struct state_table *table, uint32_t offset)
{
    for (const struct timers *t = table->host->timers; t != NULL; t = t->next) {
        bool is_mine = t->heap.moves && t->heap.table == table;
        if (is_mine && (offset == t->heap.lies_offset || offset == t->heap.due_offset)) return true;
    }
    return false;
}

enum status timers_let_move(struct timers *t, struct state_table *table, uint32_t lies_offset, uint32_t due_offset)
{
    struct timer_heap *h = &t->heap;
    struct timers restored = *t; /* with the heap that there was */

    ASSERT(!h->moves);
    timer_heap_init(h, t->host->pool, t->key.form != KEY_WORD);
    h->moves = true;
    h->table = table;
    h->lies_offset = lies_offset;
    h->due_offset = due_offset;
    h->leave = item_leave;
    h->leave_arg = t;
    enum status st = t->host->restore != NULL ? snapshot_adopt_timers(t) : S_OK;
    if (st == S_OK && restored.heap.count > 0) st = snapshot_move_timers(&restored, t);
    timer_heap_release(&restored.heap);
    return st;
}

enum status timers_put(struct timers *t, const struct state_keys *keys, const int64_t *times, void *const *rows,
    const uint64_t *handles)
{
    ASSERT(t->heap.moves);
    TRY(budget_check(t, keys->count));
    key_gather(&t->key, &t->keys, keys->batch, keys->cols, keys->sel, 0, keys->count);
    for (uint32_t i = 0; i < keys->count; i++) {
        bool is_null = t->keys.has_nulls && t->keys.nulls[i];
        uint64_t item[3] = {timer_when(times[i]) | (is_null ? WHEN_NULL : 0), handles[i], 0};
        *state_word(rows[i], t->heap.lies_offset) = (int64_t)item[0];
        *state_word(rows[i], t->heap.due_offset) = times[i];
        timer_heap_add(&t->heap, item);
    }
    return S_OK;
}

void timers_ranks(struct timers *t, const struct state_keys *keys, uint64_t *ranks)
{
    if (t->key.form != KEY_WORD) {
        memcpy(ranks, keys->hashes, keys->count * sizeof *ranks);
        return;
    }
    key_gather(&t->key, &t->keys, keys->batch, keys->cols, keys->sel, 0, keys->count);
    for (uint32_t i = 0; i < keys->count; i++) ranks[i] = (uint64_t)t->keys.words[i] ^ KEY_SIGN;
}

enum status timers_due(struct timers *t, int64_t upto, struct batch *keys, const uint32_t *cols, int64_t *times, uint32_t *n)
{
    struct timer_heap *h = &t->heap;
    uint64_t limit = timer_when(upto) | WHEN_NULL | WHEN_DELETION, refs[BATCH_ROWS];
    uint32_t room = MIN(keys->capacity - keys->count, (uint32_t)BATCH_ROWS), count = 0;

    t->keys.has_nulls = false;
    while (count < room && timer_heap_ready(h, limit)) {
        const uint64_t *item = timer_heap_first(h);
        times[count] = timer_heap_time(item[0]);
        t->keys.nulls[count] = (item[0] & WHEN_NULL) != 0;
        t->keys.has_nulls |= t->keys.nulls[count];
        if (t->key.form == KEY_WORD) {
            t->keys.words[count] = (int64_t)(item[1] ^ KEY_SIGN);
        } else {
            refs[count] = item[2];
            t->keys.views[count] = item[2] ? timer_heap_bytes(h, item[2]) : (struct str){"", 0};
        }
        t->last[0] = item[0];
        t->last[1] = item[1];
        t->has_last = true;
        timer_heap_pop(h);
        count++;
    }
    key_scatter(&t->key, &t->keys, count, keys, cols, keys->count);
    for (uint32_t i = 0; t->key.form != KEY_WORD && i < count; i++) timer_heap_bytes_free(h, refs[i]);
    keys->count += count;
    t->is_disturbed = false;
    *n = count;
    return count == room && timer_heap_ready(h, limit) ? S_MORE : S_OK;
}

bool timers_disturbed(const struct timers *t) { return t->is_disturbed; }

void timers_give_back(struct timers *t, const struct batch *keys, const uint32_t *cols, uint32_t first, const int64_t *times, uint32_t n)
{
    uint64_t hashes[BATCH_ROWS], *items;
    uint32_t identity[64], words = t->heap.words;
    uint16_t sel[BATCH_ROWS];
    struct batch view = *keys;

    if (n == 0) return;
    ASSERT(n <= BATCH_ROWS && first + n <= keys->count);
    for (uint32_t k = 0; k < t->key.type->child_count; k++) identity[k] = cols ? cols[k] : k;
    for (uint32_t i = 0; i < n; i++) sel[i] = (uint16_t)(first + i);
    view.sel = sel;
    view.sel_count = n;
    if (t->is_within || t->key.form != KEY_WORD) timers_hash(t, &view, identity, hashes);
    key_gather(&t->key, &t->keys, keys, identity, sel, 0, n);
    items = mem_alloc(t->host->mem, (size_t)n * words * sizeof *items);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t item[3];
        item_make(t, i, t->key.form != KEY_WORD ? hashes[i] : 0, times[i], item);
        memcpy(items + (size_t)i * words, item, words * sizeof *item);
    }
    timer_heap_push_front(&t->heap, items, n);
    mem_free(t->host->mem, items);
}

int64_t timers_next(const struct timers *t)
{
    uint64_t min = timer_heap_min(&t->heap);

    return min == UINT64_MAX ? INT64_MAX : timer_heap_time(min);
}

uint64_t timers_steps(const struct timers *t) { return t->heap.steps; }
uint64_t timers_count(const struct timers *t) { return t->heap.count; }
void timers_of_processing_time(struct timers *t) { t->is_processing_time = true; }

void timers_count_all(const struct state_host *h, uint64_t *event, uint64_t *processing)
{
    for (struct timers *t = h->timers; t != NULL; t = t->next) {
        timer_heap_settle(&t->heap);
        *(t->is_processing_time ? processing : event) += t->heap.count;
    }
}
