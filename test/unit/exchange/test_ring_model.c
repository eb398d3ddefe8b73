/* test_ring_model.c - the ring under every behaviour that the memory model allows, not only those that one machine shows.
 *
 * ring.c is compiled here once more with its atomics and copies going to a model. Each of the two indices has a single
 * writer, so an execution is an order of calls, and for every load of the other side's index the choice of which store it
 * sees: any from the last one seen on. A call that runs in the middle of another one is the same as one before it whose
 * stores are not seen yet, so choosing among stores covers every interleaving of the steps inside calls. Vector clocks
 * follow release and acquire: a copy into or out of a slot that is not ordered behind the other side's last copy is a race.
 * Every order of CALLS calls on a ring of two slots, every choice: items arrive in order, whole, and without a race. The
 * same search with one memory order weakened must find a race, which proves that the model would see it. */
#include <string.h>

#define ring_init model_ring_init
#define ring_release model_ring_release
#define ring_push model_ring_push
#define ring_pop model_ring_pop
#define ring_is_empty model_ring_is_empty
#include "flow/exchange/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { SENDER, RECEIVER, SIDES, SLOTS = 2, CALLS = 9, STORES_MAX = CALLS + 1, CHOICES_MAX = 2 * CALLS, EXECUTIONS = 54852 };

struct clock {
    uint32_t at[SIDES];
};
struct store {
    uint32_t value;
    struct clock released; /* what a reader that acquires it knows from then on */
};
struct index_history {
    struct store stores[STORES_MAX];
    uint32_t count, seen[SIDES]; /* newest store that a side has read */
};
struct model {
    struct index_history head, tail;
    struct clock clock[SIDES];
    uint32_t wrote[SLOTS], read[SLOTS]; /* the side's own time of its last copy */
    uint32_t choices[CHOICES_MAX], widths[CHOICES_MAX], depth;
    int side; /* whose call runs */
    bool ignore_release, ignore_acquire;
    uint64_t races, executions;
};
static struct model m;
static struct ring ring;

static uint32_t choose(uint32_t width)
{
    assert_true(m.depth < CHOICES_MAX);
    m.widths[m.depth] = width;
    return m.choices[m.depth++];
}

static uint32_t model_load(void *index, memory_order order)
{
    struct index_history *h = index == (void *)&ring.head ? &m.head : &m.tail;
    bool own = (h == &m.head) == (m.side == SENDER);
    uint32_t oldest = own ? h->count - 1 : h->seen[m.side];
    uint32_t at = h->count - 1 - (oldest < h->count - 1 ? choose(h->count - oldest) : 0);

    h->seen[m.side] = at;
    if (order == memory_order_acquire && !m.ignore_acquire)
        for (int i = 0; i < SIDES; i++) m.clock[m.side].at[i] = MAX(m.clock[m.side].at[i], h->stores[at].released.at[i]);
    return h->stores[at].value;
}

static void model_store(void *index, uint32_t value, memory_order order)
{
    struct index_history *h = index == (void *)&ring.head ? &m.head : &m.tail;

    assert_true((h == &m.head) == (m.side == SENDER)); /* one writer each */
    h->stores[h->count] = (struct store){.value = value};
    if (order == memory_order_release && !m.ignore_release) h->stores[h->count].released = m.clock[m.side];
    h->count++;
}

static void model_copy(void *to, const void *from, size_t size)
{
    bool is_write = (char *)to >= ring.slots && (char *)to < ring.slots + SLOTS * sizeof(uint32_t);
    uint32_t slot = (uint32_t)(((is_write ? (char *)to : (const char *)from) - ring.slots) / (ptrdiff_t)sizeof(uint32_t));
    uint32_t now = ++m.clock[m.side].at[m.side];

    assert_true(is_write == (m.side == SENDER) && slot < SLOTS);
    if (is_write) {
        m.races += m.read[slot] > m.clock[SENDER].at[RECEIVER];
        m.wrote[slot] = now;
    } else {
        m.races += m.wrote[slot] > m.clock[RECEIVER].at[SENDER];
        m.read[slot] = now;
    }
    for (size_t i = 0; i < size; i++) ((char *)to)[i] = ((const char *)from)[i];
}

#undef atomic_load_explicit
#undef atomic_store_explicit
#define atomic_load_explicit(index, order) model_load((void *)(index), (order))
#define atomic_store_explicit(index, value, order) model_store((void *)(index), (value), (order))
#define memcpy model_copy
#include "flow/exchange/ring.c"
#undef memcpy

/* One execution: bit i of `script` says whose call the i-th is. */
static void execute(uint32_t script, uint32_t first_index)
{
    uint32_t pushed = 0, popped = 0;

    m.head = m.tail = (struct index_history){.count = 1, .stores = {{.value = first_index}}};
    memset(m.clock, 0, sizeof m.clock);
    memset(m.wrote, 0, sizeof m.wrote);
    memset(m.read, 0, sizeof m.read);
    ring.tail_seen = ring.head_seen = first_index;
    m.depth = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        m.side = (script >> i) & 1 ? SENDER : RECEIVER;
        uint32_t item = pushed;
        if (m.side == SENDER) {
            bool sent = ring_push(&ring, &item, 0);
            assert_true(!sent || pushed - popped < SLOTS); /* never over what is not read */
            pushed += sent;
        } else if (ring_pop(&ring, &item)) {
            assert_true(popped < pushed);
            assert_int_equal(item, popped);
            popped++;
        }
    }
    m.executions++;
}

/* The next combination of choices, as an odometer; false after the last. */
static bool next_choices(void)
{
    while (m.depth > 0 && m.choices[m.depth - 1] + 1 == m.widths[m.depth - 1]) m.choices[--m.depth] = 0;
    if (m.depth == 0) return false;
    m.choices[m.depth - 1]++;
    return true;
}

static void search(bool ignore_release, bool ignore_acquire)
{
    struct mem mem;

    mem_init(&mem, "test", 0);
    m = (struct model){.ignore_release = ignore_release, .ignore_acquire = ignore_acquire};
    ring_init(&ring, &mem, SLOTS, sizeof(uint32_t));
    for (uint32_t script = 0; script < 1u << CALLS; script++)
        for (int wraps = 0; wraps < 2; wraps++) {
            memset(m.choices, 0, sizeof m.choices);
            do execute(script, wraps ? UINT32_MAX - 1 : 0);
            while (next_choices());
        }
    ring_release(&ring, &mem);
    mem_release(&mem);
}

static void every_behaviour_is_in_order_and_without_race(void **state)
{
    (void)state;
    search(false, false);
    assert_int_equal(m.races, 0);
    assert_int_equal(m.executions, EXECUTIONS);
}

static void a_weaker_order_would_be_seen(void **state)
{
    (void)state;
    search(true, false);
    assert_true(m.races > 0);
    search(false, true);
    assert_true(m.races > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_behaviour_is_in_order_and_without_race),
        cmocka_unit_test(a_weaker_order_would_be_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
