/* page.c - where entries lie: pages of a shard, free slots, live and dirty bits.
 *
 * The idea: an entry's slot is (page number << shift) + place, so its address is one load from the page list and one
 * multiplication; pages start at 512 B and double up to a frame, so that a shard with a few keys is small and a big one
 * is dense. The bits of a page lie behind its rows: two runs of dirty bits (current and frozen, exchanged by the
 * barrier), one of live bits, one that says which slots are on the list of reserved entries.
 *
 * Invariants: entries never move; a slot that is not live is free, reserved or removed in this batch; bits of free slots
 * in the live run are 0. Not here: the index, and who may remove what when. */
#include "flow/state/hashmap.h"

enum { PAGE_MIN = 512, ROWS_MIN = 4, ROWS_FULL_MIN = 8 };

static uint32_t rows_that_fit(uint32_t bytes, uint32_t entry_size)
{
    uint32_t rows = bytes / entry_size;

    while (rows > 0 && rows * entry_size + BITS_RUNS * 8 * ((rows + 63) / 64) > bytes) rows--;
    return rows;
}

static uint32_t power_above(uint32_t n)
{
    return n <= 1 ? 1 : 1U << (32 - __builtin_clz(n - 1));
}

void pages_plan(struct hm_table *t)
{
    uint32_t full = MAX((uint32_t)POOL_FRAME, t->entry_size * ROWS_FULL_MIN + BITS_RUNS * 8);
    uint32_t bytes = MIN(full, MAX((uint32_t)PAGE_MIN, power_above(t->entry_size * ROWS_MIN + BITS_RUNS * 8)));

    ASSERT(t->entry_size > 0 && t->entry_size % 8 == 0);
    t->order_count = 0;
    for (;; bytes = MIN(full, bytes * 2)) {
        struct page_order *o = &t->orders[t->order_count++];
        ASSERT(t->order_count <= PAGE_ORDERS_MAX);
        o->bytes = bytes;
        o->rows = rows_that_fit(bytes, t->entry_size);
        o->words = (o->rows + 63) / 64;
        ASSERT(o->rows > 0);
        if (bytes == full) break;
    }
    t->page_mask = power_above(t->orders[t->order_count - 1].rows) - 1;
    t->page_shift = (uint32_t)__builtin_popcount(t->page_mask);
}

void shard_init(struct hm_table *t, struct shard *sh, uint32_t number)
{
    (void)t;
    memset(sh, 0, sizeof *sh);
    sh->free_head = NO_SLOT;
    sh->null_slot = NO_SLOT;
    sh->number = number;
    index_init(sh);
}

void shard_clear(struct hm_table *t, struct shard *sh)
{
    struct state_pool *pool = t->base.host->pool;
    struct shard empty;

    for (uint32_t i = 0; i < sh->page_count; i++) {
        pool_give_size(pool, sh->pages[i].rows, t->orders[MIN(i, t->order_count - 1)].bytes);
    }
    pool->idle -= (size_t)sh->free_count * t->entry_size;
    index_clear(t, sh);
    shard_init(t, &empty, sh->number);
    empty.pages = sh->pages;
    empty.page_capacity = sh->page_capacity;
    empty.chunk_list = sh->chunk_list;
    empty.chunk_capacity = sh->chunk_capacity;
    *sh = empty;
}

void shard_release(struct hm_table *t, struct shard *sh)
{
    shard_clear(t, sh);
    mem_free(t->base.host->pool->mem, sh->pages);
    index_release(t, sh);
}

static void page_add(struct hm_table *t, struct shard *sh)
{
    const struct page_order *o = &t->orders[MIN(sh->page_count, t->order_count - 1)];
    struct mem *mem = t->base.host->mem;
    struct page *p;

    if (sh->page_count == sh->page_capacity) {
        sh->page_capacity = sh->page_capacity ? sh->page_capacity * 2 : 4;
        sh->pages = mem_realloc(mem, sh->pages, sh->page_capacity * sizeof *sh->pages);
    }
    ASSERT(sh->page_count < UINT32_MAX >> t->page_shift);
    p = &sh->pages[sh->page_count];
    p->rows = pool_take_size(t->base.host->pool, o->bytes);
    p->bits = (uint64_t *)(void *)(p->rows + (size_t)o->rows * t->entry_size);
    memset(p->bits, 0, (size_t)o->words * BITS_RUNS * sizeof *p->bits);
    sh->bump = sh->page_count << t->page_shift;
    sh->bump_end = sh->bump + o->rows;
    sh->page_count++;
}

size_t pages_growth(const struct hm_table *t, const struct shard *sh, uint32_t rows)
{
    uint32_t room = sh->bump_end - sh->bump; /* free slots are not counted: from above */
    size_t bytes = 0;

    for (uint32_t page = sh->page_count; room < rows; page++) {
        const struct page_order *o = &t->orders[MIN(page, t->order_count - 1)];
        bytes += o->bytes;
        room += o->rows;
    }
    return bytes;
}

enum { FRESH_AHEAD = 192 }; /* bytes */

/* What was there before is no affair of the new one. */
static void slot_forget(const struct hm_table *t, const struct shard *sh, uint32_t slot)
{
    for (uint32_t run = 0; run < 2; run++) bit_clear(page_bits(t, sh, slot >> t->page_shift, run), slot & t->page_mask);
}

uint32_t slot_take(struct hm_table *t, struct shard *sh)
{
    uint32_t slot = sh->free_head;
    char *entry;

    if (slot != NO_SLOT) {
        entry = entry_at(t, sh, slot);
        memcpy(&sh->free_head, entry, sizeof sh->free_head);
        sh->free_count--;
        t->base.host->pool->idle -= t->entry_size;
        if (sh->free_head != NO_SLOT) __builtin_prefetch(entry_at(t, sh, sh->free_head), 1); /* the next one's turn comes */
    } else {
        if (sh->bump == sh->bump_end) page_add(t, sh);
        slot = sh->bump++;
        entry = entry_at(t, sh, slot);
        __builtin_prefetch(entry + FRESH_AHEAD, 1); /* nobody has been there yet, and shards are too many for the processor to guess */
    }
    if (UNLIKELY(t->is_tracked || t->frozen != NULL)) slot_forget(t, sh, slot);
    if (LIKELY(t->entry_size == 16)) memset(entry, 0, 16); /* a word and a word: no call */
    else memset(entry, 0, t->entry_size);
    return slot;
}

uint32_t slot_append(struct hm_table *t, struct shard *sh)
{
    if (sh->bump == sh->bump_end) page_add(t, sh);
    __builtin_prefetch(entry_at(t, sh, sh->bump) + FRESH_AHEAD, 1);
    return sh->bump++;
}

void slot_give(struct hm_table *t, struct shard *sh, uint32_t slot)
{
    ASSERT_ROW(!slot_is_live(t, sh, slot));
    memcpy(entry_at(t, sh, slot), &sh->free_head, sizeof sh->free_head);
    sh->free_head = slot;
    sh->free_count++;
    t->base.host->pool->idle += t->entry_size;
}

void slot_set_live(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot, bool live)
{
    uint64_t *bits = page_bits(t, sh, slot >> t->page_shift, BITS_LIVE);
    uint32_t at = slot & t->page_mask;

    if (bit_get(bits, at) == live) return;
    if (live) {
        bit_set(bits, at);
        s->live++;
    } else {
        bit_clear(bits, at);
        s->live--;
    }
}

uint32_t slot_next_live(const struct hm_table *t, const struct shard *sh, uint32_t slot)
{
    uint32_t at = slot & t->page_mask;

    for (uint32_t page = slot >> t->page_shift; page < sh->page_count; page++, at = 0) {
        const uint64_t *bits = page_bits(t, sh, page, BITS_LIVE);
        uint32_t words = t->orders[MIN(page, t->order_count - 1)].words;
        for (uint32_t w = at >> 6; w < words; w++) {
            uint64_t left = bits[w] & (w == at >> 6 ? ~UINT64_C(0) << (at & 63) : ~UINT64_C(0));
            if (left) return (page << t->page_shift) + w * 64 + (uint32_t)__builtin_ctzll(left);
        }
    }
    return NO_SLOT;
}

uint32_t slots_live(const struct hm_table *t, const struct shard *sh, uint32_t slot, uint32_t *out, uint32_t max)
{
    uint32_t at = slot & t->page_mask, n = 0;

    for (uint32_t page = slot >> t->page_shift; page < sh->page_count; page++, at = 0) {
        const uint64_t *bits = page_bits(t, sh, page, BITS_LIVE);
        uint32_t words = t->orders[MIN(page, t->order_count - 1)].words, base = page << t->page_shift;
        for (uint32_t w = at >> 6; w < words; w++) {
            uint64_t left = bits[w] & (w == at >> 6 ? ~UINT64_C(0) << (at & 63) : ~UINT64_C(0));
            for (; left != 0; left &= left - 1) {
                if (n == max) return n;
                out[n++] = base + w * 64 + (uint32_t)__builtin_ctzll(left);
            }
        }
    }
    return n;
}
