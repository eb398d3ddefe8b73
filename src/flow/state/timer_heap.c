/* timer_heap.c - the radix heap.
 *
 * The idea: items lie in buckets by the highest byte in which they differ from `base`, and by that byte's value, so adding
 * one is appending to a list. The bucket with the least items is the lowest one of the lowest level; when something in
 * it is due it is split by its next differing byte, and when it is small it is sorted instead: what is due becomes the
 * sorted run `ready`, the rest goes back to buckets. Each item moves down at most as many times as bytes differ.
 *
 * Invariants: items in buckets are not before base; equal items are in one place (the same bucket, or both before
 * base), in the order in which they were added, so duplicates and deletions are resolved where items are sorted; what
 * comes before base is due (base never passes the limit of timer_heap_ready) and waits in `fresh` for the next timer_heap_ready.
 * A bucket that grows large is resolved in place now and then, so that a timer registered for each row is kept a few times,
 * not a million times, or becomes a tree (timer_tree.c). Not here: keys (timer.c). */
#include "flow/state/timer_heap.h"
#include "flow/state/sb.h"
#include "flow/state/timer_sort.h"

#include <string.h>

enum { CHUNK_ORDER_FIRST = 1, CHUNK_ORDER_STEP = 2, ROWS_AHEAD = 16, LEVEL_OF_INSTANT = 8 /* items of a bucket have one time */ };

void timer_heap_init(struct timer_heap *h, struct state_pool *pool, bool has_bytes)
{
    memset(h, 0, sizeof *h);
    h->pool = pool;
    h->words = has_bytes ? 3 : 2;
    segments_init(&h->segments, pool);
}

/* ---- runs */

static void run_reserve(struct timer_heap *h, struct heap_run *r, uint32_t more)
{
    if (r->head == r->count) r->head = r->count = 0;
    if (r->count + more <= r->capacity) return;
    r->capacity = MAX(r->count + more, r->capacity * 2);
    r->items = mem_realloc(h->pool->mem, r->items, (size_t)r->capacity * h->words * sizeof *r->items);
}

static void run_add(struct timer_heap *h, struct heap_run *r, const uint64_t *items, uint32_t count)
{
    if (count == 0) return;
    run_reserve(h, r, count);
    memcpy(r->items + (size_t)r->count * h->words, items, (size_t)count * h->words * sizeof *items);
    r->count += count;
}

static void run_release(struct timer_heap *h, struct heap_run *r)
{
    mem_free(h->pool->mem, r->items);
    memset(r, 0, sizeof *r);
}

/* ---- bytes of keys: a size and the bytes */

uint64_t timer_heap_bytes_put(struct timer_heap *h, struct str bytes)
{
    struct state_ref ref = block_take(&h->blocks, &h->segments, bytes.size + sizeof(uint32_t));
    char *at = block_at(&h->segments, ref);
    uint32_t size = (uint32_t)bytes.size;

    memcpy(at, &size, sizeof size);
    if (size) memcpy(at + sizeof size, bytes.data, size);
    return ref_word(ref);
}

struct str timer_heap_bytes(const struct timer_heap *h, uint64_t ref)
{
    const char *at = block_at(&h->segments, ref_of_word(ref));
    uint32_t size;

    memcpy(&size, at, sizeof size);
    return (struct str){at + sizeof size, size};
}

/* ---- buckets */

static uint32_t chunk_order(const struct heap_bucket *b)
{
    uint32_t order = CHUNK_ORDER_FIRST;

    for (uint64_t held = 4; held < b->count && order + CHUNK_ORDER_STEP <= POOL_FRAME_ORDER; held *= 4) order += CHUNK_ORDER_STEP;
    return MIN(order, (uint32_t)POOL_FRAME_ORDER);
}

static struct heap_chunk *chunk_add(struct timer_heap *h, struct heap_bucket *b)
{
    uint32_t order = chunk_order(b);
    struct heap_chunk *c = pool_take(h->pool, order);

    c->next = NULL;
    c->used = 0;
    c->capacity = (uint32_t)((((size_t)POOL_PIECE_MIN << order) - sizeof *c) / (h->words * sizeof(uint64_t)));
    if (b->tail) b->tail->next = c;
    else b->head = c;
    b->tail = c;
    return c;
}

static struct heap_level *level_at(struct timer_heap *h, uint32_t level)
{
    if (UNLIKELY(h->levels[level] == NULL)) h->levels[level] = timer_level_make(h);
    return h->levels[level];
}

/* Where an item belongs: the highest byte that differs from base, or the lowest one when none does. */
static inline uint32_t place_of(const struct timer_heap *h, const uint64_t *item, uint32_t *digit)
{
    uint64_t when = item[0] & ~WHEN_DELETION, differs = when ^ h->base[0];
    uint32_t byte;

    if (differs) {
        byte = (63 - (uint32_t)__builtin_clzll(differs)) / 8;
        *digit = (uint32_t)(when >> (byte * 8)) & 255;
        return 8 + byte;
    }
    differs = h->moves ? 0 : item[1] ^ h->base[1];
    byte = differs ? (63 - (uint32_t)__builtin_clzll(differs)) / 8 : 0;
    *digit = (uint32_t)((h->moves ? h->base[1] : item[1]) >> (byte * 8)) & 255;
    return byte;
}

static inline void append(struct timer_heap *h, struct heap_bucket *b, const uint64_t *item)
{
    struct heap_chunk *c = b->tail;
    uint64_t *to;

    if (c == NULL || c->used == c->capacity) c = chunk_add(h, b);
    to = c->items + (size_t)c->used++ * h->words;
    to[0] = item[0];
    to[1] = item[1];
    if (h->words == 3) to[2] = item[2];
    if (item[0] < b->min && !(item[0] & WHEN_DELETION)) b->min = item[0];
    b->count++;
}

void timer_bucket_append(struct timer_heap *h, struct heap_bucket *b, const uint64_t *item) { append(h, b, item); }

static __attribute__((noinline)) void tree_add(struct timer_heap *h, struct heap_bucket *b, const uint64_t *item)
{
    struct heap_path path;

    b = timer_tree_find(h, b, item, &path);
    append(h, b, item);
    if (b->count >= b->resolve_at) timer_tree_grow(h, b, &path);
}

static inline void bucket_add(struct timer_heap *h, const uint64_t *item)
{
    uint32_t digit, level = place_of(h, item, &digit);
    struct heap_level *l = level_at(h, level);
    struct heap_bucket *b = &l->buckets[digit];

    if (b->tree != NULL) {
        tree_add(h, b, item);
        return;
    }
    if (b->count == 0) {
        l->filled[digit >> 6] |= UINT64_C(1) << (digit & 63);
        b->min = UINT64_MAX;
        b->resolve_at = HEAP_LOOK_EVERY;
    }
    append(h, b, item);
    if (UNLIKELY(b->count >= b->resolve_at)) timer_tree_grow(h, b, &(struct heap_path){0});
}

static inline bool is_before_base(const struct timer_heap *h, const uint64_t *item)
{
    uint64_t when = item[0] & ~WHEN_DELETION;

    if (when != h->base[0]) return when < h->base[0];
    if (h->moves) return h->base_taken;
    return item[1] < h->base[1] || (item[1] == h->base[1] && h->base_taken);
}

void timer_heap_add(struct timer_heap *h, const uint64_t *item)
{
    h->count++;
    if (UNLIKELY(is_before_base(h, item))) {
        run_add(h, &h->fresh, item, 1);
    } else {
        bucket_add(h, item);
    }
}

/* The bucket with the least items, or NULL. */
static struct heap_bucket *bucket_first(const struct timer_heap *h, struct heap_level **of, uint32_t *digit)
{
    for (uint32_t level = 0; level < HEAP_LEVELS; level++) {
        struct heap_level *l = h->levels[level];
        if (l == NULL) continue;
        for (uint32_t w = 0; w < 4; w++) {
            if (l->filled[w] == 0) continue;
            *of = l;
            *digit = w * 64 + (uint32_t)__builtin_ctzll(l->filled[w]);
            return &l->buckets[*digit];
        }
    }
    return NULL;
}

/* Takes the chunks out of a bucket: it is empty then. */
static struct heap_chunk *bucket_take(struct heap_level *l, uint32_t digit)
{
    struct heap_chunk *chunks = l->buckets[digit].head;

    l->filled[digit >> 6] &= ~(UINT64_C(1) << (digit & 63));
    l->buckets[digit] = (struct heap_bucket){0};
    return chunks;
}

/* ---- sorting and resolving */

int timer_heap_compare(const struct timer_heap *h, const uint64_t *a, const uint64_t *b)
{
    uint64_t x = a[0] & ~WHEN_DELETION, y = b[0] & ~WHEN_DELETION;
    struct str p, q;
    int order;

    if (x != y) return x < y ? -1 : 1;
    if (a[1] != b[1]) return a[1] < b[1] ? -1 : 1;
    if (h->words == 2 || (x & WHEN_NULL)) return 0;
    p = timer_heap_bytes(h, a[2]);
    q = timer_heap_bytes(h, b[2]);
    order = memcmp(p.data, q.data, MIN(p.size, q.size));
    return order != 0 ? order : p.size < q.size ? -1 : p.size > q.size;
}

/* items, sorted and stable: of equal ones only the last is kept, unless it is a deletion. Returns how many are left. */
static uint32_t resolve(struct timer_heap *h, uint64_t *items, uint32_t count)
{
    uint32_t words = h->words, kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t *item = items + (size_t)i * words;
        bool is_last = i + 1 == count || timer_heap_compare(h, item, item + words) != 0;
        if (!is_last || (item[0] & WHEN_DELETION)) {
            if (words == 3) timer_heap_bytes_free(h, item[2]);
            h->count--;
            continue;
        }
        if (kept != i) memmove(items + (size_t)kept * words, item, words * sizeof *items);
        kept++;
    }
    return kept;
}

/* Sorts and resolves the items of a run, using the other scratch run. */
static void run_settle(struct timer_heap *h, struct heap_run *r)
{
    ASSERT(r->head == 0);
    h->steps += r->count;
    run_reserve(h, &h->scratch[1], r->count);
    timer_sort(h, r->items, h->scratch[1].items, r->count);
    r->count = resolve(h, r->items, r->count);
}

static void run_collect(struct timer_heap *h, struct heap_run *r, struct heap_chunk *chunks)
{
    r->head = r->count = 0;
    for (struct heap_chunk *c = chunks, *next; c != NULL; c = next) {
        next = c->next;
        run_add(h, r, c->items, c->used);
        timer_chunk_free(h, c);
    }
}

/* ---- timers that move: items have handles of rows, until they are due */

static void item_drop(struct timer_heap *h, const uint64_t *item)
{
    (void)item;
    h->count--;
}

/* Does the row know of the item? Else its key has another by now, or none, or is another. */
static inline bool item_counts(const struct timer_heap *h, const uint64_t *item, void *row)
{
    return row != NULL && *state_word(row, h->lies_offset) == (int64_t)item[0];
}

/* To the time at which it is due by now; then, up to `last`, to the run, and with its key. */
static inline void item_follow(struct timer_heap *h, uint64_t *item, void *row, uint64_t last, struct heap_run *due)
{
    if (UNLIKELY(!item_counts(h, item, row))) {
        item_drop(h, item);
        return;
    }
    item[0] = timer_when(*state_word(row, h->due_offset)) | (item[0] & WHEN_NULL);
    *state_word(row, h->lies_offset) = (int64_t)item[0];
    if (item[0] > last) {
        bucket_add(h, item);
        return;
    }
    h->table->type->keep_at(h->table, item[1]); /* what the row says changes */
    *state_word(row, h->lies_offset) = 0;
    h->leave(h->leave_arg, item);
    run_add(h, due, item, 1);
}

/* Rows are fetched while those before them are looked at. */
static void items_follow(struct timer_heap *h, uint64_t *items, uint32_t count, uint64_t last, struct heap_run *due)
{
    void *rows[2][ROWS_AHEAD];
    uint32_t words = h->words;

    state_rows_at(h->table, items + 1, words, MIN(count, (uint32_t)ROWS_AHEAD), rows[0]);
    for (uint32_t at = 0, turn = 0; at < count; at += ROWS_AHEAD, turn ^= 1) {
        uint32_t n = MIN(count - at, (uint32_t)ROWS_AHEAD), next = MIN(count - at - n, (uint32_t)ROWS_AHEAD);
        state_rows_at(h->table, items + (size_t)(at + n) * words + 1, words, next, rows[turn ^ 1]);
        for (uint32_t i = 0; i < n; i++) item_follow(h, items + (size_t)(at + i) * words, rows[turn][i], last, due);
    }
}

/* Items that their rows know nothing of go. */
static void run_drop_stale(struct timer_heap *h, struct heap_run *r)
{
    uint32_t words = h->words, kept = 0;

    for (uint32_t i = 0; i < r->count; i++) {
        uint64_t *item = r->items + (size_t)i * words;
        void *row;
        state_rows_at(h->table, item + 1, words, 1, &row);
        if (!item_counts(h, item, row)) {
            item_drop(h, item);
            continue;
        }
        if (kept != i) memmove(r->items + (size_t)kept * words, item, words * sizeof *item);
        kept++;
    }
    r->count = kept;
}

/* Without what cancels out. It is looked at again when it has doubled, or quadrupled when there was little to find. */
void timer_bucket_resolve(struct timer_heap *h, struct heap_bucket *b)
{
    struct heap_run *r = &h->scratch[2];
    uint64_t before = b->count;

    ASSERT(before < UINT32_MAX / 4);
    run_collect(h, r, b->head);
    if (h->moves) run_drop_stale(h, r);
    run_settle(h, r);
    *b = (struct heap_bucket){.min = UINT64_MAX};
    for (uint32_t i = 0; i < r->count; i++) {
        const uint64_t *item = r->items + (size_t)i * h->words;
        struct heap_chunk *c = b->tail;
        if (c == NULL || c->used == c->capacity) c = chunk_add(h, b);
        memcpy(c->items + (size_t)c->used++ * h->words, item, h->words * sizeof *item);
        b->count++;
    }
    if (r->count) b->min = r->items[0];
    b->resolve_at = MAX(b->count * (b->count * 4 < before * 3 ? 2 : 4), (uint64_t)HEAP_LOOK_FIRST);
    for (uint32_t i = 1; i <= 2; i++) /* what is ordinary is kept */
        if (h->scratch[i].capacity > 2 * HEAP_RESOLVE_MAX) run_release(h, &h->scratch[i]);
}

/* ---- what is due */

/* A large bucket: its items move to lower levels, by where they differ from the least of them. */
static void bucket_split(struct timer_heap *h, struct heap_chunk *chunks)
{
    const uint64_t *least = chunks->items;

    for (const struct heap_chunk *c = chunks; c != NULL; c = c->next) {
        for (uint32_t i = 0; i < c->used; i++) {
            const uint64_t *item = c->items + (size_t)i * h->words;
            uint64_t when = item[0] & ~WHEN_DELETION, least_when = least[0] & ~WHEN_DELETION;
            if (when < least_when || (when == least_when && item[1] < least[1])) least = item;
        }
    }
    h->base[0] = least[0] & ~WHEN_DELETION;
    h->base[1] = h->moves ? 0 : least[1];
    h->base_taken = false;
    for (struct heap_chunk *c = chunks, *next; c != NULL; c = next) {
        next = c->next;
        h->steps += c->used;
        for (uint32_t i = 0; i < c->used; i++) bucket_add(h, c->items + (size_t)i * h->words);
        timer_chunk_free(h, c);
    }
}

/* A small bucket that covers [.., end]: what is due becomes ready, the rest goes back, behind the limit. */
static void bucket_sort(struct timer_heap *h, struct heap_chunk *chunks, const uint64_t end[2], uint64_t limit)
{
    struct heap_run *r = &h->scratch[0];
    uint32_t due = 0;

    run_collect(h, r, chunks);
    run_settle(h, r);
    while (due < r->count && r->items[(size_t)due * h->words] <= limit) due++;
    run_add(h, &h->ready, r->items, due);
    h->base_taken = end[0] <= limit;
    h->base[0] = h->base_taken ? end[0] : limit + 1;
    h->base[1] = h->base_taken ? end[1] : 0;
    for (uint32_t i = due; i < r->count; i++) bucket_add(h, r->items + (size_t)i * h->words);
}

/* The same for timers that move: only what is due by now is sorted. */
static void bucket_follow(struct timer_heap *h, struct heap_chunk *chunks, const uint64_t end[2], uint64_t limit)
{
    struct heap_run *r = &h->scratch[0];

    h->base_taken = end[0] <= limit;
    h->base[0] = h->base_taken ? end[0] : limit + 1;
    h->base[1] = 0;
    r->head = r->count = 0;
    for (struct heap_chunk *c = chunks, *next; c != NULL; c = next) {
        next = c->next;
        items_follow(h, c->items, c->used, MIN(end[0], limit), r);
        timer_chunk_free(h, c);
    }
    run_settle(h, r);
    run_add(h, &h->ready, r->items, r->count);
}

/* Nothing but deletions, of what never was: they end here. */
static void bucket_drop(struct timer_heap *h, struct heap_chunk *chunks)
{
    struct heap_run *r = &h->scratch[0];

    run_collect(h, r, chunks);
    for (uint32_t i = 0; i < r->count; i++) {
        ASSERT_ROW(r->items[(size_t)i * h->words] & WHEN_DELETION);
        if (h->words == 3) timer_heap_bytes_free(h, r->items[(size_t)i * h->words + 2]);
    }
    h->count -= r->count;
}

/* The last value whose bytes above `level` are those of item. */
static void range_end(const uint64_t *item, uint32_t level, uint64_t end[2])
{
    uint64_t when = item[0] & ~WHEN_DELETION;

    if (level >= 8) {
        uint64_t below = level == 15 ? UINT64_MAX : (UINT64_C(1) << ((level - 7) * 8)) - 1;
        uint64_t low = below >> 8;
        end[0] = (when | low) & ~WHEN_DELETION;
        end[1] = UINT64_MAX;
    } else {
        end[0] = when;
        end[1] = item[1] | ((UINT64_C(1) << (level * 8)) - 1);
    }
}

/* Those that came before the base take their places among the ready ones; what came later holds. */
static void fresh_merge(struct timer_heap *h)
{
    struct heap_run *all = &h->scratch[0];

    all->head = all->count = 0;
    run_add(h, all, timer_heap_first(h), h->ready.count - h->ready.head);
    if (h->moves) items_follow(h, h->fresh.items, h->fresh.count, h->base[0] - !h->base_taken, all);
    else run_add(h, all, h->fresh.items, h->fresh.count);
    h->fresh.count = 0;
    run_settle(h, all);
    h->ready.head = h->ready.count = 0;
    run_add(h, &h->ready, all->items, all->count);
}

/* A bucket with a tree: its nodes become levels, its first items lie on still lower ones. */
static void bucket_open(struct timer_heap *h, struct heap_level *l, uint32_t digit)
{
    struct heap_bucket b = l->buckets[digit];
    struct heap_chunk *chunks = bucket_take(l, digit);

    ASSERT(chunks == NULL);
    if (b.min == UINT64_MAX) {
        timer_tree_each(h, b.tree, bucket_drop);
        return;
    }
    chunks = timer_tree_open(h, b.tree);
    if (chunks != NULL) bucket_split(h, chunks);
}

bool timer_heap_ready(struct timer_heap *h, uint64_t limit)
{
    if (h->fresh.count > 0) fresh_merge(h);
    while (h->ready.head == h->ready.count) {
        struct heap_level *l = NULL;
        uint32_t digit = 0, level = 0;
        struct heap_bucket *b = bucket_first(h, &l, &digit);
        if (b == NULL || (b->min > limit && b->min != UINT64_MAX)) return false;
        while (h->levels[level] != l) level++;
        if (b->tree != NULL) {
            bucket_open(h, l, digit);
        } else if (b->min == UINT64_MAX) {
            bucket_drop(h, bucket_take(l, digit));
        } else if (b->count > HEAP_SORT_MAX && level > (h->moves ? LEVEL_OF_INSTANT : 0)) {
            bucket_split(h, bucket_take(l, digit));
        } else {
            uint64_t end[2];
            range_end(b->head->items, level, end);
            if (h->moves) bucket_follow(h, bucket_take(l, digit), end, limit);
            else bucket_sort(h, bucket_take(l, digit), end, limit);
        }
    }
    return *timer_heap_first(h) <= limit;
}

void timer_heap_push_front(struct timer_heap *h, const uint64_t *items, uint32_t count)
{
    struct heap_run *all = &h->scratch[0];

    all->head = all->count = 0;
    run_add(h, all, items, count);
    run_add(h, all, timer_heap_first(h), h->ready.count - h->ready.head);
    h->ready.head = h->ready.count = 0;
    run_add(h, &h->ready, all->items, all->count);
    h->count += count;
}

/* Equal items lie together: both before the base, or in one bucket. */
void timer_heap_settle(struct timer_heap *h)
{
    fresh_merge(h);
    for (uint32_t l = 0; l < HEAP_LEVELS; l++) {
        struct heap_level *level = h->levels[l];
        for (uint32_t d = 0; level != NULL && d < 256; d++) {
            struct heap_bucket *b = &level->buckets[d];
            if (b->count == 0 && b->tree == NULL) continue;
            if (!timer_tree_settle(h, b)) level->filled[d >> 6] &= ~(UINT64_C(1) << (d & 63));
        }
    }
}

void timer_heap_merge(struct timer_heap *h)
{
    if (h->fresh.count > 0) fresh_merge(h);
}

void timer_heap_each(const struct timer_heap *h, void (*each)(void *arg, struct heap_bucket *b), void *arg)
{
    for (uint32_t l = 0; l < HEAP_LEVELS; l++)
        if (h->levels[l] != NULL) timer_tree_walk(h->levels[l], each, arg);
}

/* Of the first bucket that holds more than deletions of what never was. */
static uint64_t buckets_min(const struct timer_heap *h)
{
    for (uint32_t level = 0; level < HEAP_LEVELS; level++) {
        const struct heap_level *l = h->levels[level];
        for (uint32_t w = 0; l != NULL && w < 4; w++) {
            for (uint64_t left = l->filled[w]; left != 0; left &= left - 1) {
                uint64_t min = l->buckets[w * 64 + (uint32_t)__builtin_ctzll(left)].min;
                if (min != UINT64_MAX) return min;
            }
        }
    }
    return UINT64_MAX;
}

uint64_t timer_heap_min(const struct timer_heap *h)
{
    uint64_t min = buckets_min(h);

    if (h->ready.head < h->ready.count) min = MIN(min, *timer_heap_first(h));
    for (uint32_t i = 0; i < h->fresh.count; i++) {
        uint64_t when = h->fresh.items[(size_t)i * h->words];
        if (!(when & WHEN_DELETION)) min = MIN(min, when);
    }
    return min;
}

static void chunks_free(struct timer_heap *h, struct heap_chunk *chunks)
{
    for (struct heap_chunk *c = chunks, *next; c != NULL; c = next) {
        next = c->next;
        timer_chunk_free(h, c);
    }
}

void timer_heap_release(struct timer_heap *h)
{
    timer_heap_thaw(h);
    for (uint32_t level = 0; level < HEAP_LEVELS; level++)
        if (h->levels[level] != NULL) timer_tree_each(h, h->levels[level], chunks_free);
    for (struct heap_level *l = h->spares, *next; l != NULL; l = next) {
        next = l->next_spare;
        mem_free(h->pool->mem, l);
    }
    run_release(h, &h->ready);
    run_release(h, &h->fresh);
    run_release(h, &h->scratch[0]);
    run_release(h, &h->scratch[1]);
    run_release(h, &h->scratch[2]);
    blocks_release(&h->blocks, &h->segments);
    segments_release(&h->segments);
}
