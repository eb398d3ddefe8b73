/* freeze.c - what was in a table at a barrier, while the table goes on.
 *
 * The idea: a bit for each entry says that it was there (or had changed) at the barrier and was not handed over yet. A walk hands over
 * some entries at a time and clears their bits. Before an entry whose bit is set is changed for the first time, it is handed over at
 * once: so each is taken exactly once, as it was. A namespace that is dropped meanwhile is buried: out of the table, but its pages
 * stay until the walk has passed them. A head of many rows is walked in pieces; who wants to change it in between has the rest of it
 * handed over first.
 *
 * Of tables of which a part is on disk (behind.h), a shard's entries that were not in memory come after those that were, in a space apart.
 *
 * Invariants: a set bit means that nothing of the entry has changed since the barrier; bits of entries that were made since are clear;
 * between barriers the run that is not current is clear. Not here: what becomes of rows (snapshot_save.c). */
#include "flow/state/freeze.h"

#include "flow/state/behind.h"
#include "flow/state/shape_verbs.h"

enum { HEADS_AHEAD = 8, PAGES_PER_STEP = 1024 /* looked at in vain, at most */ };

struct frozen {
    const struct state_taker *to; /* NULL: nobody takes anything, bits alone stand still */
    bool are_changes;             /* who has no rows to hand over is gone */
    uint32_t run;                 /* of bits */
    int64_t now;                  /* the instant of the barrier, for times to live */
    uint32_t whole_first, whole_end; /* shards of which all was frozen */
    bool is_behind;               /* the walk is where its shard lay in the map (behind_freeze.c) */
    struct space *apart;          /* entries of it that are walked; NULL: none */
    struct space **spaces;        /* of the barrier, by namespace; NULL: gone, with all its entries handed over */
    bool *is_buried;
    uint32_t space_count, at;
    uint32_t shard, page, word;   /* where the walk stands in it */
    uint32_t pages;               /* that this call has looked at */
    /* A head that is walked over several calls. */
    const struct space *part_space;
    uint32_t part_shard, part_slot;
    bool has_part;
    uint64_t part_rows; /* of the head that is walked */
    struct state_scan scan;
    /* On their way to the taker: rows of one namespace. */
    int64_t ns;
    struct key_set set;
    struct batch *keys;
    uint32_t key_count, count;
    uint16_t owners[BATCH_ROWS];
    void *rows[BATCH_ROWS];
    int64_t orders[BATCH_ROWS];
};

/* ---- to the taker */

void frozen_hand_over(struct hm_table *t)
{
    struct frozen *f = t->frozen;

    if (f->count > 0) {
        batch_clear(f->keys);
        key_scatter(&t->key, &f->set, f->key_count, f->keys, NULL, 0);
        f->keys->count = f->key_count;
        const struct state_taken taken = {f->ns, f->keys, f->owners, f->rows, t->has_heads && t->bag->is_places ? f->orders : NULL, f->count};
        f->to->take(f->to->arg, &taken);
    }
    f->count = f->key_count = 0;
    f->set.has_nulls = false;
}

static void room_make(struct hm_table *t, const struct space *s)
{
    struct frozen *f = t->frozen;

    if (f->count == BATCH_ROWS || f->key_count == BATCH_ROWS || f->ns != s->ns) frozen_hand_over(t);
    f->ns = s->ns;
}

static bool is_hidden(const struct hm_table *t, const char *row)
{
    return t->ttl_offset != 0 && t->base.def->ttl.visibility == STATE_TTL_NEVER_RETURN_EXPIRED && hm_is_expired(t, row, t->frozen->now);
}

/* Files may know of rows that are not shown any more. */
static void nothing_hand(struct hm_table *t, const struct space *s, const struct shard *sh, uint32_t slot)
{
    struct frozen *f = t->frozen;

    if (!f->are_changes) return;
    frozen_hand_over(t);
    entry_key(t, sh, slot, &f->set, 0);
    batch_clear(f->keys);
    key_scatter(&t->key, &f->set, 1, f->keys, NULL, 0);
    f->keys->count = 1;
    f->set.has_nulls = false;
    f->to->gone(f->to->arg, s->ns, f->keys, 1);
}

static void entry_hand(struct hm_table *t, const struct space *s, const struct shard *sh, uint32_t slot)
{
    struct frozen *f = t->frozen;
    char *row = entry_at(t, sh, slot) + t->row_offset;

    if (is_hidden(t, row)) {
        nothing_hand(t, s, sh, slot);
        return;
    }
    room_make(t, s);
    entry_key(t, sh, slot, &f->set, f->key_count);
    f->owners[f->count] = (uint16_t)f->key_count++;
    f->rows[f->count++] = row;
}

/* The next rows of a head, at most `max`; answers how many: fewer, that was the last. */
static uint32_t head_walk(struct hm_table *t, void *head, uint32_t max)
{
    struct frozen *f = t->frozen;
    uint32_t step = f->scan.step, n;
    bool had_now = t->has_now;
    int64_t now = t->now;

    t->has_now = true; /* the instant of the barrier, and not that of a batch that is under way */
    t->now = f->now;
    n = hm_walk(&t->base, head, &f->scan, f->rows + f->count, max);
    t->has_now = had_now;
    t->now = now;
    if (!t->bag->is_places || n == 0) return n;
    const struct state_place *places = hm_places(&t->base, head) + step;
    for (uint32_t i = 0; i < n; i++) f->orders[f->count + i] = (int64_t)places[i].order;
    return n;
}

/* Rows of the head from where the scan stands, up to *left; true: those were all. */
static bool head_hand(struct hm_table *t, const struct space *s, const struct shard *sh, uint32_t slot, uint32_t *left)
{
    struct frozen *f = t->frozen;
    void *head = entry_at(t, sh, slot) + t->row_offset;

    while (*left > 0) {
        room_make(t, s);
        uint32_t max = MIN((uint32_t)BATCH_ROWS - f->count, *left), n = head_walk(t, head, max);
        for (uint32_t i = 0; i < n; i++) f->owners[f->count + i] = (uint16_t)f->key_count;
        if (n > 0) entry_key(t, sh, slot, &f->set, f->key_count++);
        f->count += n;
        *left -= n;
        f->part_rows += n;
        if (n == max) continue;
        if (f->part_rows == 0) nothing_hand(t, s, sh, slot);
        f->part_rows = 0;
        return true;
    }
    return false;
}

/* ---- before it changes */

static bool is_part(const struct frozen *f, const struct space *s, const struct shard *sh, uint32_t slot)
{
    return f->has_part && f->part_space == s && f->part_shard == sh->number && f->part_slot == slot;
}

void frozen_keep(struct hm_table *t, const struct space *s, struct shard *sh, uint32_t slot)
{
    struct frozen *f = t->frozen;
    uint64_t *bits = page_bits(t, sh, slot >> t->page_shift, f->run);
    struct state_scan walked = f->scan;
    uint64_t walked_rows = f->part_rows;
    bool had_part = f->has_part;
    uint32_t all = UINT32_MAX;

    if (f->to == NULL || !bit_get(bits, slot & t->page_mask)) return;
    bit_clear(bits, slot & t->page_mask);
    if (!slot_is_live(t, sh, slot)) return;
    if (t->behind != NULL) behind_note(t, (struct space *)(uintptr_t)s, sh, slot, false);
    if (!t->has_heads) {
        entry_hand(t, s, sh, slot);
        return;
    }
    if (is_part(f, s, sh, slot)) {
        had_part = false;
        walked_rows = 0;
    } else {
        f->scan = (struct state_scan){0};
        f->part_rows = 0;
    }
    bool is_through = head_hand(t, s, sh, slot, &all);
    ASSERT(is_through);
    f->has_part = had_part;
    f->scan = walked;
    f->part_rows = walked_rows;
}

void frozen_keep_now(struct hm_table *t, const struct space *s, struct shard *sh, uint32_t slot)
{
    frozen_keep(t, s, sh, slot);
    frozen_hand_over(t);
}

void frozen_keep_run(struct hm_table *t, const struct space *s, struct shard *sh, const uint32_t *slots, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) frozen_keep(t, s, sh, slots[i]);
    frozen_hand_over(t);
}

void frozen_keep_head(struct hm_table *t, const struct space *s, const struct bag *b)
{
    frozen_keep_now(t, s, (struct shard *)(uintptr_t)&s->shards[b->shard], b->slot);
}

void hm_keep_at(struct state_table *base, uint64_t handle)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, 0);
    uint32_t slot, shard = hm_handle_shard(handle, &slot);

    if (t->frozen != NULL) frozen_keep_now(t, s, &s->shards[shard], slot);
    if (t->is_tracked) slot_mark(t, &s->shards[shard], slot, t->dirty_now);
}

/* ---- the walk */

static uint32_t page_words(const struct hm_table *t, uint32_t page) { return t->orders[MIN(page, t->order_count - 1)].words; }

static void part_keep(struct frozen *f, const struct space *s, const struct shard *sh, uint32_t slot)
{
    f->part_space = s;
    f->part_shard = sh->number;
    f->part_slot = slot;
    f->has_part = true;
}

/* Entries of one word of bits; *left falls by as many rows. False: not all of them were. */
static bool word_walk(struct hm_table *t, const struct space *s, struct shard *sh, uint32_t base, uint64_t *bits, uint32_t *left)
{
    struct frozen *f = t->frozen;

    while (*bits != 0) {
        uint32_t slot = base + (uint32_t)__builtin_ctzll(*bits);
        if (*left == 0) return false;
        if (!t->has_heads) {
            entry_hand(t, s, sh, slot);
            --*left;
        } else {
            bool is_on = is_part(f, s, sh, slot);
            if (!is_on) f->scan = (struct state_scan){0};
            f->has_part = false;
            if (!head_hand(t, s, sh, slot, left)) {
                part_keep(f, s, sh, slot);
                return false;
            }
            *left -= MIN(*left, 1u);
        }
        *bits &= *bits - 1;
        if (t->behind != NULL) behind_note(t, (struct space *)(uintptr_t)s, sh, slot, true);
    }
    return true;
}

static void heads_fetch(struct hm_table *t, const struct shard *sh, uint32_t base, uint64_t bits)
{
    uint32_t n = 0;

    for (; bits != 0 && n < HEADS_AHEAD; bits &= bits - 1, n++)
        hm_head_fetch(&t->base, entry_at(t, sh, base + (uint32_t)__builtin_ctzll(bits)) + t->row_offset);
}

/* False: not all entries of the shard were handed over, or there are many pages without any. */
static bool shard_walk(struct hm_table *t, const struct space *s, struct shard *sh, uint32_t *left)
{
    struct frozen *f = t->frozen;

    for (; f->page < sh->page_count; f->page++, f->word = 0) {
        if (f->pages++ == PAGES_PER_STEP) return false;
        uint64_t *frozen = page_bits(t, sh, f->page, f->run), *live = page_bits(t, sh, f->page, BITS_LIVE);
        uint32_t words = page_words(t, f->page);
        for (; f->word < words; f->word++) {
            uint32_t base = (f->page << t->page_shift) + f->word * 64;
            frozen[f->word] &= live[f->word];
            if (frozen[f->word] == 0) continue;
            if (t->has_heads) heads_fetch(t, sh, base, frozen[f->word]);
            if (!word_walk(t, s, sh, base, &frozen[f->word], left)) return false;
        }
    }
    f->page = f->word = 0;
    return true;
}

static void space_leave(struct hm_table *t, uint32_t i)
{
    struct frozen *f = t->frozen;

    if (f->is_buried[i]) space_give_back(t, f->spaces[i]);
    f->is_buried[i] = false;
    f->spaces[i] = NULL;
}

/* What the shard had in memory, then what it had in the map alone. S_MORE: not all of it was handed over. */
static enum status both_walk(struct hm_table *t, const struct space *s, uint32_t *left)
{
    struct frozen *f = t->frozen;
    bool are_changes = f->shard < f->whole_first || f->shard >= f->whole_end;

    if (!f->is_behind && !shard_walk(t, s, (struct shard *)(uintptr_t)&s->shards[f->shard], left)) return S_MORE;
    if (t->behind == NULL) return S_OK;
    f->is_behind = true;
    for (;;) {
        if (f->apart != NULL && !shard_walk(t, f->apart, &f->apart->shards[f->shard], left)) return S_MORE;
        frozen_hand_over(t); /* before other rows lie where these do */
        TRY(behind_load(t, s->ns, f->shard, are_changes, f->run, &f->apart));
        if (f->apart == NULL) break;
    }
    f->is_behind = false;
    return S_OK;
}

enum status hm_frozen_next(struct state_table *base, uint32_t max)
{
    struct hm_table *t = hm_of(base);
    struct frozen *f = t->frozen;
    uint32_t left = max;

    ASSERT(f != NULL && f->to != NULL && max > 0);
    f->pages = 0;
    for (; f->at < f->space_count; f->at++, f->shard = 0) {
        struct space *s = f->spaces[f->at];
        for (; s != NULL && f->shard < t->shard_count; f->shard++) {
            enum status st = both_walk(t, s, &left);
            frozen_hand_over(t);
            if (st != S_OK) return st;
        }
        space_leave(t, f->at);
        f->page = f->word = 0;
        if (left > 0) left--; /* namespaces may be many and small */
        if (left == 0 && f->at + 1 < f->space_count) {
            f->at++;
            f->shard = 0;
            return S_MORE;
        }
    }
    return S_OK;
}

void frozen_take_all(struct state_table *base)
{
    while (hm_of(base)->frozen->to != NULL && hm_frozen_next(base, BATCH_ROWS) == S_MORE) { /* what failed is said by who walks on */
    }
}

/* ---- the barrier */

/* Bits that are set in a run; cleared, if so. */
static uint64_t shard_bits(const struct hm_table *t, const struct shard *sh, uint32_t run, bool clear)
{
    uint64_t set = 0;

    for (uint32_t page = 0; page < sh->page_count; page++) {
        uint64_t *bits = page_bits(t, sh, page, run);
        uint32_t words = page_words(t, page);
        for (uint32_t w = 0; w < words; w++) set += (uint64_t)__builtin_popcountll(bits[w]);
        if (clear) memset(bits, 0, words * sizeof *bits);
    }
    return set;
}

static uint64_t space_bits(const struct hm_table *t, const struct space *s, uint32_t run, bool clear)
{
    uint64_t set = 0;

    for (uint32_t i = 0; i < t->shard_count; i++) set += shard_bits(t, &s->shards[i], run, clear);
    return set;
}

/* Everything that is there is frozen; when `clears`, nothing of it has changed from now on. */
static void shard_freeze(const struct hm_table *t, const struct shard *sh, uint32_t run, bool clears)
{
    for (uint32_t page = 0; page < sh->page_count; page++) {
        size_t size = page_words(t, page) * sizeof(uint64_t);
        memcpy(page_bits(t, sh, page, run), page_bits(t, sh, page, BITS_LIVE), size);
        if (clears) memset(page_bits(t, sh, page, run ^ 1), 0, size);
    }
}

/* Of the shards first..end. */
static void shards_freeze(const struct hm_table *t, uint32_t first, uint32_t end, uint32_t run, bool clears)
{
    for (uint32_t i = 0; i < t->space_count; i++)
        for (uint32_t k = first; k < end; k++) shard_freeze(t, &t->spaces[i]->shards[k], run, clears);
}

static struct frozen *frozen_make(struct hm_table *t, const struct state_taker *to)
{
    struct mem *mem = t->base.host->mem;
    struct frozen *f = mem_zalloc(mem, sizeof *f);

    f->to = to;
    f->space_count = t->space_count;
    f->spaces = mem_alloc(mem, (t->space_count + 1) * sizeof(struct space *));
    f->is_buried = mem_zalloc(mem, (t->space_count + 1) * sizeof *f->is_buried);
    if (t->space_count > 0) memcpy(f->spaces, t->spaces, t->space_count * sizeof(struct space *));
    if (t->base.def->ttl.update != STATE_TTL_OFF) f->now = t->base.host->now_ms(t->base.host->now_arg);
    key_set_init(&f->set, mem);
    f->keys = batch_create(t->base.def->key, BATCH_ROWS, mem);
    return f;
}

void hm_freeze(struct state_table *base, const struct state_taker *to, const struct freezing *how)
{
    struct hm_table *t = hm_of(base);
    bool is_all = how->what != FREEZE_CHANGES || !t->is_tracked;
    uint32_t first = (how->base_first - MIN(how->base_first, base->host->group_first)) >> t->shard_shift;

    ASSERT(t->frozen == NULL && t->latest.count == 0); /* between batches, the former set taken */
    t->frozen = frozen_make(t, to);
    t->frozen->are_changes = !is_all && to != NULL;
    if (how->what != FREEZE_ALL) gone_hand_over(t, is_all ? NULL : to);
    if (t->behind != NULL) behind_freeze(t, to != NULL, how->what != FREEZE_ALL);
    if (is_all) {
        t->frozen->whole_end = t->shard_count;
        t->frozen->run = t->dirty_now ^ 1;
        shards_freeze(t, 0, t->shard_count, t->frozen->run, how->what != FREEZE_ALL && t->is_tracked);
        t->is_tracked |= how->what != FREEZE_ALL;
        return;
    }
    t->frozen->run = t->dirty_now;
    t->dirty_now ^= 1;
    if (how->base_count == 0) return;
    uint32_t end = ((how->base_first + how->base_count - 1 - base->host->group_first) >> t->shard_shift) + 1;
    t->frozen->whole_first = first;
    t->frozen->whole_end = MIN(end, t->shard_count);
    shards_freeze(t, first, t->frozen->whole_end, t->frozen->run, false);
}

void hm_thaw(struct state_table *base)
{
    struct hm_table *t = hm_of(base);
    struct frozen *f = t->frozen;
    struct mem *mem = base->host->mem;

    if (f == NULL) return;
    if (t->behind != NULL) behind_thaw(t);
    for (uint32_t i = f->at; i < f->space_count; i++) {
        if (f->spaces[i] == NULL) continue;
        if (!f->is_buried[i]) (void)space_bits(t, f->spaces[i], f->run, true);
        space_leave(t, i);
    }
    key_set_release(&f->set);
    batch_free(f->keys);
    mem_free(mem, f->spaces);
    mem_free(mem, f->is_buried);
    mem_free(mem, f);
    t->frozen = NULL;
}

/* Of what is frozen, by namespace. */
static uint32_t place_of(const struct frozen *f, const struct space *s)
{
    for (uint32_t i = f->at; i < f->space_count; i++)
        if (f->spaces[i] == s) return i;
    return UINT32_MAX;
}

bool frozen_bury(struct hm_table *t, struct space *s)
{
    struct frozen *f = t->frozen;
    uint32_t i = place_of(f, s);

    if (i == UINT32_MAX) return false;
    f->is_buried[i] = f->to != NULL && (s->live > 0 || s->is_stored);
    if (!f->is_buried[i]) f->spaces[i] = NULL;
    return f->is_buried[i];
}

uint64_t hm_dirty_count(const struct state_table *base, bool frozen)
{
    const struct hm_table *t = hm_of_const(base);
    uint32_t run = !t->is_tracked ? BITS_LIVE : frozen ? t->dirty_now ^ 1 : t->dirty_now;
    uint64_t set = 0;

    if (frozen && t->frozen == NULL) return 0;
    if (frozen) run = t->frozen->run;
    for (uint32_t i = 0; i < t->space_count; i++) set += space_bits(t, t->spaces[i], run, false);
    return set;
}
