/* repeat.c - rows of a batch that have the key of a row before them.
 *
 * The idea: where a batch has many rows per key, each key is looked up once, and what was found is copied to its other rows.
 * A small table by hash says who had the key last; who is not found there is looked up, so forgetting costs time only. Looking
 * for repetitions costs something for each row: the first rows say whether it pays.
 *
 * Not here: looking up (resolve.c). */
#include "flow/state/hashmap.h"

enum { SAMPLE = 64, SAMPLE_REPEATS = 4 };

static inline bool keys_are_equal(enum key_form form, const struct key_set *keys, uint32_t a, uint32_t b)
{
    if (form == KEY_WORD) return keys->words[a] == keys->words[b];
    return keys->views[a].size == keys->views[b].size && memcmp(keys->views[a].data, keys->views[b].data, keys->views[a].size) == 0;
}

static bool pays(struct state_repeats *r, const uint64_t *hashes)
{
    uint32_t repeats = 0;

    memset(r->seen, 0, sizeof r->seen);
    for (uint32_t i = 0; i < SAMPLE; i++) {
        uint16_t *seen = &r->seen[hashes[i] % COUNT_OF(r->seen)];
        repeats += *seen != 0 && hashes[*seen - 1] == hashes[i];
        *seen = (uint16_t)(i + 1);
    }
    return repeats >= SAMPLE_REPEATS;
}

/* Each key gets its number among the different ones, which move to the front. */
static inline __attribute__((always_inline)) uint32_t number(struct state_scratch *x, enum key_form form,
                                                             const uint64_t *hashes, uint32_t count)
{
    struct state_repeats *r = &x->repeats;
    uint32_t n = 0;

    memset(r->seen, 0, sizeof r->seen);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t *seen = &r->seen[hashes[i] % COUNT_OF(r->seen)];
        uint32_t u = *seen - 1u;
        bool may_be = *seen != 0 && (form == KEY_WORD || r->hashes[u] == hashes[i]);
        if (!may_be || !keys_are_equal(form, &x->keys, u, i)) {
            u = n++;
            *seen = (uint16_t)n;
            r->hashes[u] = hashes[i];
            r->first[u] = (uint16_t)i;
            if (form == KEY_WORD) x->keys.words[u] = x->keys.words[i];
            else x->keys.views[u] = x->keys.views[i];
        }
        r->which[i] = (uint16_t)u;
    }
    return n;
}

uint32_t repeats_find(struct hm_table *t, const uint64_t *hashes, uint32_t count)
{
    struct state_scratch *x = t->base.host->scratch;

    if (count < SAMPLE || x->keys.has_nulls || !pays(&x->repeats, hashes)) return count;
    return t->key.form == KEY_WORD ? number(x, KEY_WORD, hashes, count) : number(x, KEY_BYTES, hashes, count);
}

/* From behind: what is read lies at or before what is written. */
void repeats_spread(struct hm_table *t, uint32_t count, uint32_t n, void **rows)
{
    const struct state_repeats *r = &t->base.host->scratch->repeats;
    struct latest *latest = &t->latest;
    uint64_t created[BATCH_ROWS / 64] = {0};

    for (uint32_t i = count; i-- > 0;) {
        uint32_t u = r->which[i];
        rows[i] = rows[u];
        latest->slot[i] = latest->slot[u];
        latest->shard[i] = latest->shard[u];
    }
    for (uint32_t w = 0; w < ALIGN_UP(n, 64) / 64; w++)
        for (uint64_t m = latest->created[w]; m != 0; m &= m - 1)
            bit_set(created, r->first[w * 64 + (uint32_t)__builtin_ctzll(m)]);
    memcpy(latest->created, created, ALIGN_UP(count, 64) / 8);
    latest->count = count;
}
