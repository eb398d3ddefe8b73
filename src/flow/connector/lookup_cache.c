/* lookup_cache.c - answers of a lookup, by key.
 *
 * Keys and rows lie in two stores of batches that only grow in number; key n is entry n, chained by its hash, and its rows are a
 * chain of numbers. Entries stand in a list by their last use, from whose old end they are forgotten; what they held stays in the
 * stores until most of these is of no use: then what lives is copied to a second pair, in the order of the list, which takes their
 * place. Nothing moves while a batch is worked on, so hits stay good.
 *
 * An entry that is too old is asked again when it is wanted; one that nobody wants goes when it has come to the old end.
 * Nothing is allocated per row once stores are as large as they get. */
#include "flow/connector/lookup_cache.h"

#include <string.h>

enum { CHAINS_FIRST = 256, DEAD_MIN = 4 * BATCH_ROWS };
enum entry_state { ENTRY_DEAD, ENTRY_ASKED, ENTRY_ANSWERED };

/* Row number -> place. Numbers begin with 1. */
struct store {
    const struct type *row;
    struct batch **batches;
    uint32_t batch_count, batch_capacity;
    uint32_t count;
    size_t live;
};

struct entry {
    uint64_t hash;
    uint32_t chain;        /* the next one of its hash */
    uint32_t first, last;  /* its rows; 0: none */
    uint32_t older, newer; /* in the list of uses */
    uint32_t rows;
    int64_t written_ms, used_ms;
    uint8_t state; /* enum entry_state */
    bool seen;     /* the table has such a key */
};

/* All that is copied when it is mostly dead. Arrays begin with number 1. */
struct half {
    struct store keys, rows;
    struct entry *entries;
    uint32_t *next; /* per row: the next one of its entry */
    uint32_t *chains;
    uint32_t entries_capacity, next_capacity, mask;
    uint32_t oldest, newest;
};

struct lookup_cache {
    struct lookup_cache_spec spec;
    struct mem *mem;
    struct half now, spare;
    uint32_t *asked; /* entries that are to be asked; behind them those that were asked in vain and are not kept */
    uint32_t asked_count, missed_count, asked_capacity;
    struct vector *views;
    uint32_t key_cols[TYPE_FIELDS_MAX];
};

/* --- stores ------------------------------------------------------------------------------------------------------ */
static void *grown(struct mem *mem, void *old, size_t old_bytes, size_t bytes)
{
    char *fresh = mem_zalloc(mem, bytes);

    if (old_bytes > 0) memcpy(fresh, old, old_bytes);
    mem_free(mem, old);
    return fresh;
}

static void store_release(struct store *s, struct mem *mem)
{
    for (uint32_t i = 0; i < s->batch_count; i++) batch_free(s->batches[i]);
    mem_free(mem, s->batches);
}

static void store_clear(struct store *s)
{
    for (uint32_t i = 0; i < s->batch_count; i++) batch_clear(s->batches[i]);
    s->count = 0;
    s->live = 0;
}

static struct batch *store_batch(const struct store *s, uint32_t number) { return s->batches[(number - 1) / BATCH_ROWS]; }
static uint16_t store_row(uint32_t number) { return (uint16_t)((number - 1) % BATCH_ROWS); }

/* Room for one more row; its number. */
static uint32_t store_add(struct store *s, struct mem *mem)
{
    uint32_t number = ++s->count, at = (number - 1) / BATCH_ROWS;

    ASSERT(number < UINT32_MAX);
    if (at == s->batch_capacity) {
        s->batch_capacity = MAX(s->batch_capacity * 2, 16u);
        s->batches = grown(mem, s->batches, sizeof(struct batch *) * at, sizeof(struct batch *) * s->batch_capacity);
    }
    if (at == s->batch_count) s->batches[s->batch_count++] = batch_create(s->row, BATCH_ROWS, mem);
    s->batches[at]->count = store_row(number) + 1u;
    s->live++;
    return number;
}

static void store_set(const struct store *s, uint32_t number, uint32_t col, const struct vector *from, uint16_t row)
{
    struct batch *b = store_batch(s, number);

    vector_copy(&b->cols[col], store_row(number), from, &row, 1, &b->heap, b->mem);
}

/* --- entries ----------------------------------------------------------------------------------------------------- */
static void chain_put(struct half *h, uint32_t n)
{
    uint32_t *first = &h->chains[(uint32_t)h->entries[n].hash & h->mask];

    h->entries[n].chain = *first;
    *first = n;
}

static void chain_remove(struct half *h, uint32_t n)
{
    uint32_t *at = &h->chains[(uint32_t)h->entries[n].hash & h->mask];

    while (*at != n) at = &h->entries[*at].chain;
    *at = h->entries[n].chain;
}

static void list_put(struct half *h, uint32_t n)
{
    h->entries[n].older = h->newest;
    h->entries[n].newer = 0;
    if (h->newest != 0)
        h->entries[h->newest].newer = n;
    else
        h->oldest = n;
    h->newest = n;
}

static void list_remove(struct half *h, uint32_t n)
{
    uint32_t older = h->entries[n].older, newer = h->entries[n].newer;

    if (older != 0)
        h->entries[older].newer = newer;
    else
        h->oldest = newer;
    if (newer != 0)
        h->entries[newer].older = older;
    else
        h->newest = older;
}

/* Twice as many chains, and room for as many entries. */
static void entries_grow(struct half *h, struct mem *mem)
{
    uint32_t capacity = MAX(h->entries_capacity * 2, (uint32_t)CHAINS_FIRST);

    h->entries = grown(mem, h->entries, sizeof(struct entry) * h->entries_capacity, sizeof(struct entry) * (capacity + 1));
    mem_free(mem, h->chains);
    h->chains = mem_zalloc(mem, sizeof *h->chains * capacity);
    h->entries_capacity = capacity;
    h->mask = capacity - 1;
    for (uint32_t i = 1; i < h->keys.count; i++)
        if (h->entries[i].state != ENTRY_DEAD) chain_put(h, i);
}

static uint32_t entry_add(struct half *h, uint64_t hash, struct mem *mem)
{
    uint32_t n = store_add(&h->keys, mem);

    if (n >= h->entries_capacity) entries_grow(h, mem);
    h->entries[n] = (struct entry){.hash = hash, .state = ENTRY_ASKED};
    chain_put(h, n);
    list_put(h, n);
    return n;
}

static void rows_drop(struct half *h, struct entry *e)
{
    h->rows.live -= e->rows;
    e->first = e->last = e->rows = 0;
}

static void entry_drop(struct half *h, uint32_t n)
{
    rows_drop(h, &h->entries[n]);
    chain_remove(h, n);
    list_remove(h, n);
    h->entries[n].state = ENTRY_DEAD;
    h->keys.live--;
}

static uint32_t row_add(struct half *h, uint32_t n, struct mem *mem)
{
    struct entry *e = &h->entries[n];
    uint32_t number = store_add(&h->rows, mem);

    if (number >= h->next_capacity) {
        uint32_t capacity = MAX(h->next_capacity * 2, (uint32_t)CHAINS_FIRST);
        h->next = grown(mem, h->next, sizeof *h->next * h->next_capacity, sizeof *h->next * capacity);
        h->next_capacity = capacity;
    }
    h->next[number] = 0;
    if (e->first == 0)
        e->first = number;
    else
        h->next[e->last] = number;
    e->last = number;
    e->rows++;
    return number;
}

static bool key_equals(const struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row, uint32_t n)
{
    const struct batch *keys = store_batch(&c->now.keys, n);
    uint16_t at = store_row(n);

    for (uint32_t k = 0; k < c->spec.key_count; k++)
        if (vector_compare(&in->cols[cols[k]], row, &keys->cols[k], at) != 0) return false;
    return true;
}

/* A NULL finds nothing. */
static bool key_finds(const struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row)
{
    for (uint32_t k = 0; k < c->spec.key_count; k++)
        if (!((c->spec.null_safe >> k) & 1) && vector_is_null(&in->cols[cols[k]], row)) return false;
    return true;
}

static uint32_t entry_find(const struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row,
                           uint64_t hash)
{
    const struct half *h = &c->now;

    if (h->keys.live == 0 || !key_finds(c, in, cols, row)) return 0;
    for (uint32_t n = h->chains[(uint32_t)hash & h->mask]; n != 0; n = h->entries[n].chain)
        if (h->entries[n].hash == hash && key_equals(c, in, cols, row, n)) return n;
    return 0;
}

/* --- life -------------------------------------------------------------------------------------------------------- */
static void half_init(struct half *h, const struct type *keys, const struct type *rows)
{
    h->keys.row = keys;
    h->rows.row = rows;
}

static void half_release(struct half *h, struct mem *mem)
{
    store_release(&h->keys, mem);
    store_release(&h->rows, mem);
    mem_free(mem, h->entries);
    mem_free(mem, h->next);
    mem_free(mem, h->chains);
}

static void half_clear(struct half *h)
{
    store_clear(&h->keys);
    store_clear(&h->rows);
    if (h->chains != NULL) memset(h->chains, 0, sizeof *h->chains * h->entries_capacity);
    h->oldest = h->newest = 0;
}

struct lookup_cache *lookup_cache_create(const struct lookup_cache_spec *spec, struct mem *mem)
{
    struct lookup_cache *c = mem_zalloc(mem, sizeof *c);

    c->spec = *spec;
    c->mem = mem;
    c->views = mem_zalloc(mem, sizeof *c->views * (spec->key_count + 1));
    for (uint32_t k = 0; k < spec->key_count; k++) c->key_cols[k] = k;
    half_init(&c->now, spec->key_row, spec->row);
    half_init(&c->spare, spec->key_row, spec->row);
    return c;
}

void lookup_cache_free(struct lookup_cache *c)
{
    if (c == NULL) return;
    half_release(&c->now, c->mem);
    half_release(&c->spare, c->mem);
    mem_free(c->mem, c->asked);
    mem_free(c->mem, c->views);
    mem_free(c->mem, c);
}

/* --- forgetting -------------------------------------------------------------------------------------------------- */
static bool is_old(const struct lookup_cache *c, const struct entry *e, int64_t now)
{
    return (c->spec.write_ms > 0 && now - e->written_ms >= c->spec.write_ms) ||
           (c->spec.access_ms > 0 && now - e->used_ms >= c->spec.access_ms);
}

static void entry_copy(const struct half *from, uint32_t n, struct half *to, struct mem *mem)
{
    const struct entry *e = &from->entries[n];
    uint32_t fresh = entry_add(to, e->hash, mem);

    for (uint32_t k = 0; k < to->keys.row->child_count; k++)
        store_set(&to->keys, fresh, k, &store_batch(&from->keys, n)->cols[k], store_row(n));
    to->entries[fresh].state = e->state;
    to->entries[fresh].seen = e->seen;
    to->entries[fresh].written_ms = e->written_ms;
    to->entries[fresh].used_ms = e->used_ms;
    for (uint32_t row = e->first; row != 0; row = from->next[row]) {
        uint32_t number = row_add(to, fresh, mem);
        for (uint32_t c = 0; c < to->rows.row->child_count; c++)
            store_set(&to->rows, number, c, &store_batch(&from->rows, row)->cols[c], store_row(row));
    }
}

static bool is_mostly_dead(const struct store *s) { return s->count - s->live > s->live + DEAD_MIN; }

static void compact(struct lookup_cache *c)
{
    struct half *from = &c->now, *to = &c->spare;

    if (from->keys.live == 0) {
        half_clear(from);
        return;
    }
    if (!is_mostly_dead(&from->keys) && !is_mostly_dead(&from->rows)) return;
    half_clear(to);
    for (uint32_t n = from->oldest; n != 0; n = from->entries[n].newer) entry_copy(from, n, to, c->mem);
    struct half was = c->now;
    c->now = c->spare;
    c->spare = was;
}

void lookup_cache_trim(struct lookup_cache *c, int64_t now)
{
    struct half *h = &c->now;

    for (uint32_t i = 0; i < c->missed_count; i++) entry_drop(h, c->asked[i]);
    c->missed_count = 0;
    while (h->oldest != 0 && (h->keys.live > (uint64_t)c->spec.keys_max || is_old(c, &h->entries[h->oldest], now)))
        entry_drop(h, h->oldest);
    compact(c);
}

/* --- asking ------------------------------------------------------------------------------------------------------ */
static void ask(struct lookup_cache *c, uint32_t n)
{
    if (c->asked_count == c->asked_capacity) {
        uint32_t capacity = MAX(c->asked_capacity * 2, (uint32_t)CHAINS_FIRST);
        c->asked = grown(c->mem, c->asked, sizeof *c->asked * c->asked_count, sizeof *c->asked * capacity);
        c->asked_capacity = capacity;
    }
    c->asked[c->asked_count++] = n;
    c->now.entries[n].state = ENTRY_ASKED;
    c->now.entries[n].seen = false;
    rows_drop(&c->now, &c->now.entries[n]);
}

void lookup_cache_want(struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row, uint64_t hash,
                       int64_t now)
{
    struct half *h = &c->now;
    uint32_t n = entry_find(c, in, cols, row, hash);

    if (n == 0 && !key_finds(c, in, cols, row)) return;
    if (n == 0) {
        n = entry_add(h, hash, c->mem);
        for (uint32_t k = 0; k < c->spec.key_count; k++)
            store_set(&h->keys, n, k, &in->cols[cols[k]], (uint16_t)row);
        ask(c, n);
    } else {
        if (h->entries[n].state == ENTRY_ANSWERED && is_old(c, &h->entries[n], now)) ask(c, n);
        list_remove(h, n);
        list_put(h, n);
    }
    h->entries[n].used_ms = now;
}

bool lookup_cache_knows(struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row, uint64_t hash, int64_t now)
{
    struct half *h = &c->now;
    uint32_t n = entry_find(c, in, cols, row, hash);

    if (n == 0 || h->entries[n].state != ENTRY_ANSWERED || is_old(c, &h->entries[n], now)) return false;
    list_remove(h, n);
    list_put(h, n);
    h->entries[n].used_ms = now;
    return true;
}

uint32_t lookup_cache_asked(const struct lookup_cache *c) { return c->asked_count; }

void lookup_cache_keys(const struct lookup_cache *c, struct batch *out)
{
    ASSERT(out->count == 0);
    out->count = MIN(c->asked_count, out->capacity);
    for (uint32_t i = 0; i < out->count; i++) {
        const struct batch *keys = store_batch(&c->now.keys, c->asked[i]);
        uint16_t row = store_row(c->asked[i]);
        for (uint32_t k = 0; k < c->spec.key_count; k++)
            vector_copy(&out->cols[k], i, &keys->cols[k], &row, 1, &out->heap, out->mem);
    }
}

static void row_put(struct lookup_cache *c, uint32_t entry, const struct vector *const *values, uint16_t row)
{
    uint32_t number = row_add(&c->now, entry, c->mem);

    c->now.entries[entry].seen = true;
    for (uint32_t col = 0; col < c->spec.row->child_count; col++) store_set(&c->now.rows, number, col, values[col], row);
}

void lookup_cache_put_of(struct lookup_cache *c, const struct vector *const *values, const uint16_t *rows, const uint16_t *of, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        ASSERT(of[i] < c->asked_count);
        row_put(c, c->asked[of[i]], values, rows[i]);
    }
}

/* The entry that is to be asked for each of the rows, 0: none. */
static void entries_find(struct lookup_cache *c, const struct vector *const *values, const uint16_t *rows, uint32_t n, uint32_t *out)
{
    uint64_t hashes[BATCH_ROWS];
    struct half *h = &c->now;
    struct batch keys = {.schema = h->keys.row, .cols = c->views, .col_count = c->spec.key_count, .sel = rows, .sel_count = n};

    keys.count = keys.capacity = rows[n - 1] + 1u;
    for (uint32_t k = 0; k < c->spec.key_count; k++) c->views[k] = *values[c->spec.keys[k]];
    batch_hash(&keys, c->key_cols, c->spec.key_count, hashes);
    for (uint32_t i = 0; i < n; i++) {
        out[i] = entry_find(c, &keys, c->key_cols, rows[i], hashes[i]);
        if (out[i] != 0 && h->entries[out[i]].state != ENTRY_ASKED) out[i] = 0;
    }
}

void lookup_cache_seen(struct lookup_cache *c, const struct vector *const *values, const uint16_t *rows, uint32_t n)
{
    uint32_t of[BATCH_ROWS];

    if (n == 0) return;
    entries_find(c, values, rows, n, of);
    for (uint32_t i = 0; i < n; i++)
        if (of[i] != 0) c->now.entries[of[i]].seen = true;
}

void lookup_cache_seen_of(struct lookup_cache *c, const uint16_t *of, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) c->now.entries[c->asked[of[i]]].seen = true;
}

void lookup_cache_put(struct lookup_cache *c, const struct vector *const *values, const uint16_t *rows, uint32_t n)
{
    uint32_t of[BATCH_ROWS];

    if (n == 0) return;
    entries_find(c, values, rows, n, of);
    for (uint32_t i = 0; i < n; i++)
        if (of[i] != 0) row_put(c, of[i], values, rows[i]);
}

void lookup_cache_answered(struct lookup_cache *c, bool last, int64_t now)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < c->asked_count; i++) {
        struct entry *e = &c->now.entries[c->asked[i]];
        bool answered = e->seen || last;
        if (answered) e->state = ENTRY_ANSWERED;
        if (answered) e->written_ms = e->used_ms = now;
        if (!answered || (!e->seen && !c->spec.keeps_misses)) c->asked[left++] = c->asked[i];
    }
    c->asked_count = last ? 0 : left;
    c->missed_count = last ? left : 0;
}

void lookup_cache_failed(struct lookup_cache *c)
{
    for (uint32_t i = 0; i < c->asked_count; i++) {
        rows_drop(&c->now, &c->now.entries[c->asked[i]]);
        c->now.entries[c->asked[i]].seen = false;
    }
}

bool lookup_cache_next(const struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row, uint64_t hash,
                       uint64_t *cursor, struct lookup_hit *out)
{
    uint32_t at;

    if (*cursor == 0) {
        uint32_t n = entry_find(c, in, cols, row, hash);
        at = n != 0 ? c->now.entries[n].first : 0;
    } else {
        at = c->now.next[*cursor];
    }
    if (at == 0) return false;
    *out = (struct lookup_hit){store_batch(&c->now.rows, at), store_row(at)};
    *cursor = at;
    return true;
}
