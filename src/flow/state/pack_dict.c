/* pack_dict.c - see the header: an open hash table from a string's bytes to where they lie.
 *
 * The idea: whether it pays is measured. While at least a quarter of the strings looked for are there, what is new is added, up to a
 * bound; else the dictionary is off for good, and rows have their strings themselves.
 *
 * Invariants: strings never move nor go, nor do their numbers. What a row refers to stays readable also when the dictionary is off. */
#include "flow/state/pack_dict.h"

#include "ground/base/hash.h"

#include <string.h>

enum { SLOTS_MIN = 1024, HITS_OF = 4 };

void dict_init(struct pack_dict *d, struct segments *segments, struct mem *mem)
{
    *d = (struct pack_dict){.mem = mem, .segments = segments};
}

static void slots_release(struct pack_dict *d)
{
    mem_free(d->mem, d->slots);
    d->slots = NULL;
    d->mask = d->count = 0;
}

void dict_release(struct pack_dict *d)
{
    slots_release(d);
    mem_free(d->mem, d->strings);
    d->strings = NULL;
    d->string_room = 0;
}

void dict_clear(struct pack_dict *d)
{
    struct pack_dict fresh = {.mem = d->mem, .segments = d->segments};

    dict_release(d);
    *d = fresh;
}

static void slot_put(struct dict_slot *slots, uint32_t mask, const struct dict_slot *s)
{
    uint32_t at = s->hash & mask;

    while (slots[at].size != 0) at = (at + 1) & mask;
    slots[at] = *s;
}

static void dict_grow(struct pack_dict *d)
{
    uint32_t size = d->slots != NULL ? 2 * (d->mask + 1) : SLOTS_MIN;
    struct dict_slot *slots = mem_zalloc(d->mem, sizeof *slots * size);

    for (uint32_t i = 0; d->slots != NULL && i <= d->mask; i++)
        if (d->slots[i].size != 0) slot_put(slots, size - 1, &d->slots[i]);
    mem_free(d->mem, d->slots);
    d->slots = slots;
    d->mask = size - 1;
}

size_t dict_growth(const struct pack_dict *d, uint32_t count)
{
    uint32_t size = d->slots != NULL ? d->mask + 1 : SLOTS_MIN, strings = MIN(d->count + count, (uint32_t)DICT_STRINGS_MAX);

    size_t bytes = strings > d->string_room ? sizeof *d->strings * MAX(2 * d->string_room, MAX(strings, 64u)) : 0;

    if (d->slots != NULL && 2 * strings < d->mask) return bytes;
    while (2 * strings >= size - 1) size *= 2;
    return bytes + sizeof *d->slots * size;
}

static uint32_t string_add(struct pack_dict *d, struct text view)
{
    if (d->count == d->string_room) {
        d->string_room = MAX(2 * d->string_room, 64u);
        d->strings = mem_realloc(d->mem, d->strings, sizeof *d->strings * d->string_room);
    }
    d->strings[d->count] = view;
    return d->count++;
}

static uint32_t dict_add(struct pack_dict *d, struct blocks *b, uint32_t hash, struct str value)
{
    if (d->count >= DICT_STRINGS_MAX) return 0;
    if (2 * d->count >= d->mask) dict_grow(d);
    struct state_ref ref = block_take(b, d->segments, value.size);
    struct dict_slot s = {.hash = hash, .size = (uint32_t)value.size, .segment = ref.segment, .offset = (uint16_t)ref.offset};
    char *bytes = block_at(d->segments, ref);
    memcpy(bytes, value.data, value.size);
    s.number = (uint16_t)string_add(d, text_view(bytes, value.size));
    slot_put(d->slots, d->mask, &s);
    return s.number + 1u;
}
_Static_assert(POOL_FRAME <= UINT16_MAX && (int)DICT_SIZE_MAX <= (int)BLOCK_SLAB_MAX, "strings lie in slabs, places there have 16 bits");

static const char *slot_bytes(const struct pack_dict *d, const struct dict_slot *s)
{
    return block_at(d->segments, (struct state_ref){s->segment, s->offset});
}

static uint32_t dict_one(struct pack_dict *d, struct blocks *b, uint32_t hash, struct str value)
{
    for (uint32_t at = hash & d->mask; d->slots[at].size != 0; at = (at + 1) & d->mask) {
        const struct dict_slot *s = &d->slots[at];
        if (s->hash != hash || s->size != value.size || memcmp(slot_bytes(d, s), value.data, value.size) != 0) continue;
        d->hits++;
        return s->number + 1u;
    }
    return dict_add(d, b, hash, value);
}

/* The first time sooner: strings that never come again should not fill it. */
static void dict_judge(struct pack_dict *d)
{
    uint32_t window = d->count < DICT_WINDOW / 2 ? DICT_WINDOW / 4 : DICT_WINDOW;

    if (d->seen < window) return;
    if (d->hits * HITS_OF < d->seen) {
        d->is_off = true;
        slots_release(d);
    }
    d->seen = d->hits = 0;
}

static bool is_candidate(struct str value) { return value.size >= DICT_SIZE_MIN && value.size <= DICT_SIZE_MAX; }

/* Strings on their way through the steps. */
struct looking {
    struct str value;
    uint32_t hash;
};
enum { READ = DICT_AHEAD, HASHED = 2 * DICT_AHEAD, FETCHED = 3 * DICT_AHEAD, FOUND = 4 * DICT_AHEAD, LOOKING = 4 * DICT_AHEAD };

static inline void string_hash(const struct pack_dict *d, struct looking *l, struct str value)
{
    l->value = value;
    if (!is_candidate(value)) return;
    l->hash = (uint32_t)hash64(value.data, value.size);
    __builtin_prefetch(&d->slots[l->hash & d->mask]);
}

/* What a string will be compared with. */
static inline void string_fetch(const struct pack_dict *d, const struct looking *l)
{
    const struct dict_slot *s = &d->slots[l->hash & d->mask];

    if (s->hash != l->hash || s->size != l->value.size) return;
    const char *bytes = slot_bytes(d, s);
    for (uint32_t at = 0; at < s->size; at += 64) __builtin_prefetch(bytes + at);
}

/* Steps, each DICT_AHEAD strings behind the one before, which fetched what it reads: references, bytes, slots, bytes to compare with. */
void dict_find(struct pack_dict *d, struct blocks *b, const struct vector *v, const uint16_t *rows, uint32_t count, uint32_t *numbers)
{
    const struct vector *base = vector_values(v);
    struct looking ring[LOOKING];

    memset(numbers, 0, sizeof *numbers * count);
    if (!d->is_off && d->slots == NULL) dict_grow(d);
    for (uint32_t i = 0; i < count + FOUND && !d->is_off; i++) {
        uint32_t read = i - READ, hash = i - HASHED, fetch = i - FETCHED, find = i - FOUND;
        if (i < count) __builtin_prefetch(&VECTOR_VALUES(base, struct text)[vector_at(v, rows[i])]);
        if (read < count) dict_text_fetch(v, base, rows[read]);
        if (hash < count) string_hash(d, &ring[hash % LOOKING], dict_text(v, base, rows[hash]));
        if (fetch < count && is_candidate(ring[fetch % LOOKING].value)) string_fetch(d, &ring[fetch % LOOKING]);
        if (find >= count || !is_candidate(ring[find % LOOKING].value)) continue;
        d->seen++;
        numbers[find] = dict_one(d, b, ring[find % LOOKING].hash, ring[find % LOOKING].value);
        dict_judge(d);
    }
}
