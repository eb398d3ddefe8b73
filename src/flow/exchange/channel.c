/* channel.c - what a writer and a gate do to one channel. The number of shells bounds the batches in flight, so a batch
 * always finds a slot; control elements leave those slots free and may be refused instead. */
#include "flow/exchange/channel.h"

#include <string.h>

static uint32_t power_of_two_above(uint32_t n)
{
    uint32_t p = 2;
    while (p < n) p *= 2;
    return p;
}

/* A batch holds at most BATCH_BYTES of fixed-width values, whatever the schema. */
static uint32_t rows_within_bytes(const struct type *schema, uint32_t rows)
{
    size_t width = 16;
    for (uint32_t i = 0; i < schema->child_count; i++) width += phys_width(schema->children[i]->phys);
    return (uint32_t)MAX(1, MIN(rows, BATCH_BYTES / width));
}

struct channel *channel_create(struct mem *mem, const struct type *schema, const uint64_t *needed, uint32_t batch_rows, uint32_t shells)
{
    struct channel *c = mem_alloc_aligned(mem, sizeof *c, 64);

    ASSERT(shells >= 1 && shells <= CHANNEL_SHELLS_MAX);
    ASSERT(batch_rows >= 1 && batch_rows <= BATCH_ROWS);
    memset(c, 0, sizeof *c);
    c->mem = mem;
    c->schema = schema;
    c->needed = needed;
    c->batch_rows = rows_within_bytes(schema, batch_rows);
    c->shells_max = shells;
    ring_init(&c->forward, mem, power_of_two_above(shells + CHANNEL_CONTROL_SLOTS), sizeof(struct element));
    ring_init(&c->back, mem, power_of_two_above(shells), sizeof(struct batch *));
    return c;
}

void channel_free(struct channel *c)
{
    struct element e;
    struct batch *shell;

    if (c == NULL) return;
    while (ring_pop(&c->forward, &e))
        if (e.kind == ELEMENT_BATCH) batch_free(e.batch);
    while (ring_pop(&c->back, &shell)) batch_free(shell);
    batch_free(c->open);
    ring_release(&c->forward, c->mem);
    ring_release(&c->back, c->mem);
    mem_free(c->mem, c);
}

void channel_connect(struct channel *c, struct sys *sys, struct sys_parker *sender, struct sys_parker *receiver)
{
    ASSERT(sys != NULL);
    c->sys = sys;
    c->sender = sender;
    c->receiver = receiver;
}

static void wake(struct channel *c, struct sys_parker *who)
{
    if (who != NULL) sys_unpark(c->sys, who);
}

struct batch *channel_shell(struct channel *c)
{
    struct batch *shell = NULL;

    if (ring_pop(&c->back, &shell)) return shell;
    if (c->shells_made < c->shells_max) {
        c->shells_made++;
        return batch_create_needed(c->schema, c->needed, c->batch_rows, c->mem);
    }
    /* Announce the wait, then look again: a shell that came back in between is not missed. */
    sys_atomic_add(&c->sender_waits, 1);
    return ring_pop(&c->back, &shell) ? shell : NULL;
}

void channel_send_open(struct channel *c)
{
    struct element e = {.kind = ELEMENT_BATCH, .batch = c->open};

    if (c->open == NULL || c->open->count == 0) return;
    bool sent = ring_push(&c->forward, &e, 0);
    ASSERT(sent);
    c->open = NULL;
    wake(c, c->receiver);
}

bool channel_send_control(struct channel *c, const struct element *e)
{
    ASSERT(e->kind != ELEMENT_BATCH);
    if (!ring_push(&c->forward, e, c->shells_max)) {
        sys_atomic_add(&c->sender_waits, 1);
        if (!ring_push(&c->forward, e, c->shells_max)) return false;
    }
    wake(c, c->receiver);
    return true;
}

static void sender_credit(struct channel *c)
{
    /* an exchange, not a load, which could overtake the push before it: then both sides would miss each other */
    if (sys_atomic_exchange(&c->sender_waits, 0) > 0) wake(c, c->sender);
}

bool channel_take(struct channel *c, struct element *out)
{
    if (!ring_pop(&c->forward, out)) return false;
    if (out->kind != ELEMENT_BATCH) sender_credit(c);
    return true;
}

void channel_give_back(struct channel *c, struct batch *shell)
{
    batch_clear(shell);
    bool given = ring_push(&c->back, &shell, 0);
    ASSERT(given);
    sender_credit(c);
}
