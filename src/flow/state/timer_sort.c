/* timer_sort.c - timers in order: a radix sort from the most significant bits, by eight bits from the highest in which items
 * differ, and insertion for the short runs that are left. Stable: what holds among equal items is what came last.
 *
 * Not here: what is done with equal items. */
#include "flow/state/timer_sort.h"

#include <string.h>

enum { INSERTION_MAX = 24 };

static inline void item_copy(uint64_t *to, const uint64_t *from, uint32_t words)
{
    to[0] = from[0];
    to[1] = from[1];
    if (words == 3) to[2] = from[2];
}

/* Mostly the words decide; the bytes of keys only between equal hashes. */
static inline bool is_behind(const struct timer_heap *h, const uint64_t *a, const uint64_t *b)
{
    uint64_t x = a[0] & ~WHEN_DELETION, y = b[0] & ~WHEN_DELETION;

    if (x != y) return x > y;
    if (a[1] != b[1]) return a[1] > b[1];
    return h->words == 3 && timer_heap_compare(h, a, b) > 0;
}

static void insertion_sort(const struct timer_heap *h, uint64_t *items, uint32_t count)
{
    uint32_t words = h->words;

    for (uint32_t i = 1; i < count; i++) {
        uint64_t held[3];
        uint32_t at = i;
        item_copy(held, items + (size_t)i * words, words);
        while (at > 0 && is_behind(h, items + (size_t)(at - 1) * words, held)) {
            item_copy(items + (size_t)at * words, items + (size_t)(at - 1) * words, words);
            at--;
        }
        item_copy(items + (size_t)at * words, held, words);
    }
}

/* Eight bits of a word of the items. */
struct digit {
    uint32_t word, shift;
};

/* From the highest bit in which items differ; false: they are equal. */
static bool top_digit(const uint64_t *items, uint32_t count, uint32_t words, struct digit *out)
{
    uint64_t when = 0, key = 0;

    for (uint32_t i = 1; i < count; i++) {
        when |= items[(size_t)i * words] ^ items[0];
        key |= items[(size_t)i * words + 1] ^ items[1];
    }
    when &= ~WHEN_DELETION;
    uint64_t differs = when ? when : key;
    if (differs == 0) return false;
    uint32_t top = 63 - (uint32_t)__builtin_clzll(differs);
    *out = (struct digit){.word = when == 0, .shift = top < 7 ? 0 : top - 7};
    return true;
}

static inline uint32_t digit_at(const uint64_t *item, struct digit d)
{
    uint64_t word = d.word == 0 ? item[0] & ~WHEN_DELETION : item[1];

    return (uint32_t)(word >> d.shift) & 255;
}

/* Items by a digit, and where each of its values ends. */
static void digit_sort(const struct timer_heap *h, uint64_t *items, uint64_t *room, uint32_t count, struct digit digit,
                       uint32_t ends[256])
{
    uint32_t words = h->words, at = 0;

    memset(ends, 0, 256 * sizeof *ends);
    for (uint32_t i = 0; i < count; i++) ends[digit_at(items + (size_t)i * words, digit)]++;
    for (uint32_t d = 0; d < 256; d++) {
        uint32_t n = ends[d];
        ends[d] = at;
        at += n;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *item = items + (size_t)i * words;
        item_copy(room + (size_t)ends[digit_at(item, digit)]++ * words, item, words);
    }
    memcpy(items, room, (size_t)count * words * sizeof *items);
}

/* Depth: one level per eight bits at least, sixteen at most. */
void timer_sort(const struct timer_heap *h, uint64_t *items, uint64_t *room, uint32_t count)
{
    uint32_t ends[256], words = h->words;
    struct digit digit;

    if (count <= INSERTION_MAX || !top_digit(items, count, words, &digit)) {
        insertion_sort(h, items, count); /* equal words: only the bytes of keys are left to compare */
        return;
    }
    digit_sort(h, items, room, count, digit, ends);
    for (uint32_t d = 0, from = 0; d < 256; from = ends[d++]) {
        if (ends[d] - from > 1) timer_sort(h, items + (size_t)from * words, room + (size_t)from * words, ends[d] - from);
    }
}
