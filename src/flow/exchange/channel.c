/* channel.c - what a writer and a gate do to one channel. The number of shells bounds the batches in flight, so a batch
 * always finds a slot; control elements leave those slots free and may be refused instead. Bytes are bounded per gate: two
 * shells are certain, and shrink when a gate has many channels; more are made while the gate's budget lasts. A watermark
 * that waits is sent before anything behind it is, so its place among the rows stays what it was. */
#include "flow/exchange/channel.h"

#include <string.h>

enum { WATERMARK_GAP_NS = 1000000 };

static uint32_t power_of_two_above(uint32_t n)
{
    uint32_t p = 2;
    while (p < n) p *= 2;
    return p;
}

static bool has_heap(const struct type *t)
{
    if (t->phys == P_STR || t->phys == P_LIST) return true;
    for (uint32_t i = 0; i < t->child_count; i++)
        if (has_heap(t->children[i])) return true;
    return false;
}

/* Rows and strings of a shell so that it holds at most `limit` bytes, whatever the schema: strings and lists get what the
 * fixed widths leave, at least a quarter. */
static void size_shell(struct channel *c, size_t limit)
{
    size_t width = 16;
    bool heap = has_heap(c->schema);
    size_t fixed_max = heap ? limit / 4 * 3 : limit;

    for (uint32_t i = 0; i < c->schema->child_count; i++) width += phys_width(c->schema->children[i]->phys);
    c->batch_rows = (uint32_t)MAX(1, MIN(c->batch_rows, fixed_max / width));
    size_t fixed = MIN(c->batch_rows * width, fixed_max);
    c->heap_bytes = heap ? limit - fixed : BATCH_BYTES;
    c->shell_bytes = heap ? limit : fixed;
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
    c->batch_rows = batch_rows;
    size_shell(c, BATCH_BYTES);
    c->shells_max = shells;
    c->held = c->alone_ns = TIME_MIN;
    uint32_t ordinary = power_of_two_above(shells + CHANNEL_CONTROL_SLOTS);
    uint32_t slots = power_of_two_above(ordinary + CHANNEL_OVERDRAFT + CHANNEL_BARRIER_SLOTS);
    c->keep_free = slots - ordinary + shells;
    ring_init(&c->forward, mem, slots, sizeof(struct element));
    ring_init(&c->back, mem, power_of_two_above(shells + CHANNEL_OVERDRAFT), sizeof(struct batch *));
    return c;
}

void channel_share(struct channel *c, struct gate_budget *budget, uint32_t channel_count)
{
    size_t sure = (size_t)GATE_BYTES / CHANNEL_SHELLS_SURE / channel_count;

    ASSERT(c->shells_made == 0 && c->budget == NULL && channel_count > 0);
    size_shell(c, MIN(MAX(sure, (size_t)SHELL_BYTES_MIN), (size_t)BATCH_BYTES));
    c->budget = budget;
    sys_atomic_add(&budget->used, CHANNEL_SHELLS_SURE * c->shell_bytes);
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
    else if (c->wake_far != NULL) c->wake_far(c->wake_far_arg);
}

/* --- shells --------------------------------------------------------------------------------------------------------- */
/* May one more be made? Those beyond the certain ones must fit into what the gate has left; who is refused has a claim on
 * the next bytes that come free, until a shell of its own comes back. */
static bool budget_take(struct channel *c)
{
    struct gate_budget *b = c->budget;

    if (b == NULL || c->shells_made < CHANNEL_SHELLS_SURE) return true;
    uint64_t claim = sys_atomic_load(&b->wanted);
    if (claim != 0 && claim != (uintptr_t)c) return false;
    if (sys_atomic_add(&b->used, c->shell_bytes) + c->shell_bytes <= GATE_BYTES) {
        sys_atomic_store(&b->wanted, 0);
        return true;
    }
    sys_atomic_add(&b->used, (uint64_t)0 - c->shell_bytes);
    sys_atomic_store(&b->wanted, (uintptr_t)c);
    return false;
}

static void claim_drop(struct channel *c)
{
    if (c->budget != NULL && sys_atomic_load(&c->budget->wanted) == (uintptr_t)c) sys_atomic_store(&c->budget->wanted, 0);
}

/* A shell that came back is given up when it is beyond the certain ones and another channel has a claim on its bytes. */
static bool budget_return(struct channel *c, struct batch *shell)
{
    struct gate_budget *b = c->budget;

    claim_drop(c);
    if (b == NULL || c->shells_made <= CHANNEL_SHELLS_SURE || sys_atomic_load(&b->wanted) == 0) return false;
    if (sys_atomic_load(&b->used) + c->shell_bytes <= GATE_BYTES) return false; /* free already */
    batch_free(shell);
    c->shells_made--;
    sys_atomic_add(&b->used, (uint64_t)0 - c->shell_bytes);
    return true;
}

/* What was lent beyond the channel's own goes when it comes back. */
static struct batch *overdraft_return(struct channel *c, struct batch *shell)
{
    while (shell != NULL && c->overdrawn > 0) {
        batch_free(shell);
        c->overdrawn--;
        if (!ring_pop(&c->back, &shell)) shell = NULL;
    }
    return shell;
}

/* A shell that came back. */
static bool shell_back(struct channel *c, struct batch **shell)
{
    if (!ring_pop(&c->back, shell)) return false;
    if (c->overdrawn > 0 && !c->overdraws) *shell = overdraft_return(c, *shell);
    return *shell != NULL;
}

struct batch *channel_shell(struct channel *c)
{
    struct batch *shell = NULL;

    if (shell_back(c, &shell)) {
        if (!budget_return(c, shell)) return shell;
        if (ring_pop(&c->back, &shell)) return shell;
    } else if (c->shells_made < c->shells_max && budget_take(c)) {
        c->shells_made++;
        return batch_create_needed(c->schema, c->needed, c->batch_rows, c->mem);
    } else if (c->overdraws && c->overdrawn < CHANNEL_OVERDRAFT) {
        c->overdrawn++;
        return batch_create_needed(c->schema, c->needed, c->batch_rows, c->mem);
    }
    /* Announce the wait, then look again: a shell that came back in between is not missed. */
    sys_atomic_add(&c->sender_waits, 1);
    return shell_back(c, &shell) ? shell : NULL;
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

static bool push_control(struct channel *c, const struct element *e, uint32_t keep_free)
{
    if (!ring_push(&c->forward, e, keep_free)) {
        sys_atomic_add(&c->sender_waits, 1);
        if (!ring_push(&c->forward, e, keep_free)) return false;
    }
    wake(c, c->receiver);
    return true;
}

bool channel_send_control(struct channel *c, const struct element *e)
{
    ASSERT(e->kind != ELEMENT_BATCH);
    if (e->kind == ELEMENT_END) claim_drop(c);
    /* what stands before a barrier that hurries may take room that is free else */
    return push_control(c, e, c->overdraws ? c->shells_max + CHANNEL_OVERDRAFT + CHANNEL_BARRIER_SLOTS : c->keep_free);
}

bool channel_send_barrier(struct channel *c, const struct element *e)
{
    struct element held = {.kind = ELEMENT_WATERMARK, .value = c->held};

    ASSERT(e->kind == ELEMENT_BARRIER);
    if (c->held != TIME_MIN && !push_control(c, &held, c->shells_max + CHANNEL_OVERDRAFT)) return false;
    c->held = TIME_MIN;
    return push_control(c, e, c->shells_max + CHANNEL_OVERDRAFT);
}

bool channel_send_held(struct channel *c)
{
    struct element e = {.kind = ELEMENT_WATERMARK, .value = c->held};

    if (c->held == TIME_MIN) return true;
    if (!channel_send_control(c, &e)) return false;
    c->held = TIME_MIN;
    return true;
}

bool channel_send_watermark(struct channel *c, int64_t watermark, int64_t now_ns)
{
    if (c->open != NULL && c->open->count > 0) {
        c->open->watermark = watermark;
        channel_send_open(c);
        return true;
    }
    c->held = watermark; /* one that is held already says less */
    if (now_ns != 0 && c->alone_ns != TIME_MIN && now_ns - c->alone_ns < WATERMARK_GAP_NS) return true;
    if (!channel_send_held(c)) return false;
    c->alone_ns = now_ns;
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

bool channel_find_barrier(struct channel *c, int64_t barrier, uint32_t *before, bool *is_barrier)
{
    struct element e;

    for (uint32_t i = 0; ring_peek(&c->forward, i, &e); i++) {
        *is_barrier = e.kind == ELEMENT_BARRIER && e.value >= barrier;
        if (!*is_barrier && e.kind != ELEMENT_END) continue;
        *before = i;
        return true;
    }
    return false;
}

void channel_give_back(struct channel *c, struct batch *shell)
{
    batch_clear(shell);
    bool given = ring_push(&c->back, &shell, 0);
    ASSERT(given);
    sender_credit(c);
}
