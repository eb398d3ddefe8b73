/* channel.h - one channel inside the exchange: a forward ring of elements, a return ring of shells, and the waking of
 * whoever sleeps at the other end. Used by writer.c (sending end) and gate.c (receiving end) only. */
#pragma once
#include "flow/exchange/exchange.h"
#include "flow/exchange/ring.h"

struct channel {
    struct ring forward; /* struct element */
    struct ring back;    /* struct batch * */
    const struct type *schema;
    const uint64_t *needed;
    struct mem *mem; /* the sender's */
    uint32_t batch_rows, shells_max, shells_made;
    struct batch *open; /* sender: the shell being filled, NULL = none */
    struct sys *sys;
    struct sys_parker *sender, *receiver;
    struct sys_atomic_u64 sender_waits; /* 1 = wake the sender when a shell comes back */
};

/* Sender. An empty shell, or NULL without credit. */
struct batch *channel_shell(struct channel *c);
/* Sender. Sends the open shell, if it holds rows; never fails: a shell in hand has a slot. */
void channel_send_open(struct channel *c);
bool channel_send_control(struct channel *c, const struct element *e) CHECKED;
/* Receiver. */
bool channel_take(struct channel *c, struct element *out) CHECKED;
void channel_give_back(struct channel *c, struct batch *shell);
