/* remote_channel.c - what the pumps do to one channel, and which channels they look at.
 *
 * Who has something to do is in `active` and is looked at in every round. A channel that had nothing to do for a
 * while is taken out: its is_listed is cleared, and it is looked at once more. From then on the task at its end puts
 * it into `listed` and wakes the thread; as long as is_listed is set, a task that sends pays for one atomic exchange
 * and no call of the system. A channel that waits for credit, or for room on the connection, is taken out with
 * is_listed set: its task can do nothing for it.
 *
 * Receiving: a shell in hand is a batch that may come. `told` is what the sender may still send, `fresh` what it has
 * to be told of, which is done when that is as much as it has left. Beyond CHANNEL_SHELLS_SURE shells are taken only
 * for a sender that has more to send. Elements wait in `queue` when the ring has no slot for a control element; its
 * bound is what was granted, so a peer that keeps to it never finds it full, and one that does not is cut off. */
#include "flow/exchange/remote_pump.h"

#include <string.h>

enum { ELEMENTS = 8 /* of one channel in a round */, IDLE_ROUNDS = 64 };

/* --- who is looked at --------------------------------------------------------------------------------------------- */
static struct remote_net *net_of(const struct remote_channel *c) { return c->link->exchange->net; }

void remote_channel_wake(void *arg)
{
    struct remote_channel *c = arg;
    struct remote_net *n = net_of(c);

    if (sys_atomic_exchange(&c->is_listed, 1) != 0) return;
    sys_lock_take(n->lock);
    bool is_first = n->listed == NULL;
    if (!c->is_in_list) {
        c->listed_next = n->listed;
        n->listed = c;
        c->is_in_list = true;
    }
    sys_lock_give(n->lock);
    if (is_first) loop_wake(n->loop);
}

void remote_channel_activate(struct remote_channel *c)
{
    struct remote_net *n = net_of(c);

    c->idle_rounds = 0;
    if (c->is_active || c->link->state != LINK_UP) return;
    sys_atomic_exchange(&c->is_listed, 1); /* found set: it is in `listed`, too, and is left out there */
    if (n->active_count == n->active_capacity) {
        n->active_capacity = MAX(n->active_capacity * 2, 16u);
        n->active = mem_realloc(&n->mem, n->active, sizeof(struct remote_channel *) * n->active_capacity);
    }
    n->active[n->active_count++] = c;
    c->is_active = true;
}

/* A task may stand between setting is_listed and the list while the pump comes to the channel by another way, serves it and
 * clears is_listed again: then it comes into the list with that cleared, and the next time is not put there twice. */
static void take_listed(struct remote_net *n)
{
    sys_lock_take(n->lock);
    for (struct remote_channel *c = n->listed; c != NULL; c = c->listed_next) {
        c->is_in_list = false;
        remote_channel_activate(c);
    }
    n->listed = NULL;
    sys_lock_give(n->lock);
}

/* Stays in `active`, in its order, or leaves it. Nothing is activated while a round is under way. */
static void keep_or_drop(struct remote_net *n, struct remote_channel *c, bool stays, uint32_t *kept)
{
    if (stays) n->active[(*kept)++] = c;
    else c->is_active = false;
}

/* Does it wait for what the other end has to do first? */
static bool waits_for_peer(const struct remote_channel *c)
{
    if (c->link->state != LINK_UP) return true;
    return c->is_sent ? c->is_over || c->has_held : c->is_over && c->queue_count == 0;
}

/* True: it stays, for it had something to do after all. */
static bool settle(struct remote_channel *c)
{
    if (waits_for_peer(c)) return false;
    sys_atomic_exchange(&c->is_listed, 0);
    if (!remote_channel_serve(c)) return false;
    /* listed in between: it comes back from there */
    return sys_atomic_exchange(&c->is_listed, 1) == 0;
}

static void flush_dirty(struct remote_net *n)
{
    for (struct remote_link *l; (l = n->dirty) != NULL;) {
        n->dirty = l->dirty_next;
        l->is_dirty = false;
        if (l->state == LINK_UP) frame_flush(l->conn);
    }
}

/* True: it has something to do, or had until just now. */
static bool round_of(struct remote_channel *c, bool *moved)
{
    if (remote_channel_serve(c)) {
        *moved = true;
        c->idle_rounds = 0;
        return true;
    }
    return (!waits_for_peer(c) && ++c->idle_rounds <= IDLE_ROUNDS) || settle(c);
}

bool remote_net_pump(struct remote_net *n)
{
    uint32_t kept = 0;
    bool moved = false;

    take_listed(n);
    for (uint32_t i = 0; i < n->active_count; i++) {
        struct remote_channel *c = n->active[i];
        keep_or_drop(n, c, round_of(c, &moved), &kept);
    }
    n->active_count = kept;
    flush_dirty(n);
    return moved;
}

bool remote_net_settle(struct remote_net *n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n->active_count; i++) {
        struct remote_channel *c = n->active[i];
        keep_or_drop(n, c, settle(c), &kept);
    }
    n->active_count = kept;
    return kept > 0 || n->dirty != NULL;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */
static void count(struct sys_atomic_u64 *what, uint64_t more) { sys_atomic_store(what, sys_atomic_load(what) + more); }

static bool has_credit(const struct remote_channel *c)
{
    return (c->held.kind == ELEMENT_BATCH ? c->credit.batches : c->credit.controls) > 0;
}

static void encode_held(struct remote_channel *c, struct buf *out)
{
    struct remote_exchange *x = c->link->exchange;
    size_t before = out->size;

    if (c->held.kind == ELEMENT_BATCH) {
        c->credit.batches--;
        remote_batch_encode(out, c->id, c->held.batch, !ring_is_empty(&c->channel->forward), x->packs ? &x->net->raw : NULL);
        count(&x->batches_sent, 1);
    } else {
        c->credit.controls--;
        remote_control_encode(out, c->id, &c->held);
    }
    count(&x->bytes_sent, out->size - before + FRAME_HEAD);
}

/* False: no credit or no room. */
static bool send_held(struct remote_channel *c)
{
    struct buf *out;

    if (!has_credit(c)) return false;
    if (frame_begin(c->link->conn, c->held.kind == ELEMENT_BATCH ? REMOTE_BATCH : REMOTE_CONTROL, &out) != S_OK)
        return false;
    encode_held(c, out);
    frame_end(c->link->conn);
    remote_link_dirty(c->link);
    c->has_held = false;
    if (c->held.kind == ELEMENT_BATCH) channel_give_back(c->channel, c->held.batch);
    if (c->held.kind == ELEMENT_END) {
        c->is_over = true;
        c->link->sends_open--;
        remote_link_check_end(c->link);
    }
    return true;
}

static bool serve_sent(struct remote_channel *c)
{
    bool moved = false;

    for (int i = 0; i < ELEMENTS && !c->is_over; i++) {
        if (!c->has_held) c->has_held = channel_take(c->channel, &c->held);
        if (!c->has_held || !send_held(c)) break;
        moved = true;
    }
    return moved;
}

enum status remote_channel_credit(struct remote_channel *c, const struct remote_message *m, struct err *e)
{
    if (!c->is_sent || m->credit.batches > CHANNEL_SHELLS_MAX - MIN(c->credit.batches, (uint32_t)CHANNEL_SHELLS_MAX) ||
        m->credit.controls > CHANNEL_CONTROL_SLOTS - c->credit.controls)
        return err_set(e, E_DATA, "credit that nobody can have: %u batches, %u control elements", m->credit.batches,
                       m->credit.controls);
    c->credit.batches += m->credit.batches;
    c->credit.controls += m->credit.controls;
    remote_channel_activate(c);
    return S_OK;
}

/* --- receiving ---------------------------------------------------------------------------------------------------- */
static void send_batch(struct channel *channel, struct batch *b)
{
    ASSERT(channel->open == NULL);
    channel->open = b;
    channel_send_open(channel);
}

/* From the queue into the ring, as far as it takes them. */
static bool move_queue(struct remote_channel *c)
{
    bool moved = false;

    while (c->queue_count > 0) {
        struct element *e = &c->queue[c->queue_first];
        if (e->kind == ELEMENT_BATCH) {
            send_batch(c->channel, e->batch);
        } else {
            if (!channel_send_control(c->channel, e)) break;
            c->fresh.controls++;
        }
        c->queue_first = (c->queue_first + 1) % REMOTE_QUEUE;
        c->queue_count--;
        moved = true;
        if (--c->link->queued == 0) remote_link_check_end(c->link);
    }
    return moved;
}

static void enqueue(struct remote_channel *c, struct element e)
{
    ASSERT(c->queue_count < REMOTE_QUEUE);
    c->link->queued++;
    c->queue[(c->queue_first + c->queue_count++) % REMOTE_QUEUE] = e;
    bool moved = move_queue(c);
    (void)moved; /* what is left waits for its slot */
}

/* Shells that came back, and new ones for a sender that needs them. */
static bool take_shells(struct remote_channel *c)
{
    uint32_t wanted = c->has_more ? c->channel->shells_max : MIN((uint32_t)CHANNEL_SHELLS_SURE, c->channel->shells_max);
    bool moved = false;

    while (c->shell_count < wanted && (c->channel->shells_made < wanted || !ring_is_empty(&c->channel->back))) {
        struct batch *shell = channel_shell(c->channel);
        if (shell == NULL) break;
        c->shells[c->shell_count++] = shell;
        c->fresh.batches++;
        moved = true;
    }
    return moved;
}

/* Tells the sender, when it is worth a frame. */
static bool tell_credit(struct remote_channel *c)
{
    struct buf *out;

    bool of_batches = c->fresh.batches > 0 && c->told.batches <= c->fresh.batches;
    bool of_controls = c->fresh.controls > 0 && c->told.controls <= c->fresh.controls;
    if (!of_batches && !of_controls) return false;
    if (frame_begin(c->link->conn, REMOTE_CREDIT, &out) != S_OK) return false;
    remote_credit_encode(out, c->id, &c->fresh);
    frame_end(c->link->conn);
    remote_link_dirty(c->link);
    c->told.batches += c->fresh.batches;
    c->told.controls += c->fresh.controls;
    c->fresh = (struct remote_credit){0};
    return true;
}

/* Is the sender short of what the gate has? Then the gate says when it gives back. */
static bool wants_call(const struct remote_channel *c)
{
    return c->queue_count > 0 || c->told.batches <= c->channel->shells_made / 2;
}

static bool serve_received(struct remote_channel *c)
{
    bool moved = move_queue(c);

    if (c->is_over) return moved; /* what still waits in the queue has asked to be called when there is a slot */
    moved |= take_shells(c);
    if (wants_call(c)) {
        sys_atomic_exchange(&c->channel->sender_waits, 1);
        moved |= move_queue(c); /* what it did in between it does not say */
        moved |= take_shells(c);
    }
    moved |= tell_credit(c);
    return moved;
}

static enum status not_expected(const struct remote_channel *c, const char *what, struct err *e)
{
    return err_set(e, E_DATA, "%s on channel %llx, %s", what, (unsigned long long)c->id,
                   c->is_sent   ? "which goes the other way"
                   : c->is_over ? "which has ended"
                                : "for which there was no credit");
}

enum status remote_channel_batch(struct remote_channel *c, const struct remote_message *m, struct dec *d, struct err *e)
{
    if (c->is_sent || c->is_over || c->told.batches == 0) return not_expected(c, "a batch", e);
    struct batch *shell = c->shells[c->shell_count - 1];
    TRY(remote_batch_decode(d, m, shell, &net_of(c)->raw, e));
    c->shell_count--;
    c->told.batches--;
    c->has_more = m->has_more;
    count(&c->link->exchange->batches_received, 1);
    enqueue(c, (struct element){.kind = ELEMENT_BATCH, .batch = shell});
    remote_channel_activate(c);
    return S_OK;
}

enum status remote_channel_control(struct remote_channel *c, const struct remote_message *m, struct err *e)
{
    if (c->is_sent || c->is_over || c->told.controls == 0) return not_expected(c, "a control element", e);
    c->told.controls--;
    enqueue(c, m->element);
    if (m->element.kind == ELEMENT_END) {
        c->is_over = true;
        c->link->receives_open--;
    }
    remote_channel_activate(c);
    return S_OK;
}

bool remote_channel_serve(struct remote_channel *c)
{
    if (c->link->state != LINK_UP) return false;
    return c->is_sent ? serve_sent(c) : serve_received(c);
}

void remote_channel_release(struct remote_channel *c)
{
    if (c->has_held && c->held.kind == ELEMENT_BATCH) channel_give_back(c->channel, c->held.batch);
    c->has_held = false;
    for (; c->queue_count > 0; c->queue_count--, c->queue_first = (c->queue_first + 1) % REMOTE_QUEUE)
        if (c->queue[c->queue_first].kind == ELEMENT_BATCH) batch_free(c->queue[c->queue_first].batch);
    for (uint32_t i = 0; i < c->shell_count; i++) batch_free(c->shells[i]);
    c->shell_count = 0;
}
