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
    uint32_t keep_free; /* slots of the forward ring that control elements leave free, barriers aside */
    uint32_t overdrawn; /* shells beyond the others, made while `overdraws` */
    bool overdraws;     /* sender: a barrier waits for what is before it */
    size_t shell_bytes, heap_bytes; /* what a shell counts in the budget; its strings at most */
    struct gate_budget *budget;     /* NULL = none */
    struct batch *open; /* sender: the shell being filled, NULL = none */
    int64_t held;       /* sender: a watermark that waits, TIME_MIN = none */
    int64_t alone_ns;   /* sender: when a watermark last travelled alone */
    struct sys *sys;
    struct sys_parker *sender, *receiver;
    void (*wake_far)(void *arg); /* instead of the parker of an end that has none: it is a pump, see remote.h */
    void *wake_far_arg;
    struct sys_atomic_u64 sender_waits; /* 1 = wake the sender when a shell comes back */
};

/* Sender. An empty shell, or NULL without credit. */
struct batch *channel_shell(struct channel *c);
/* Sender. Sends the open shell, if it holds rows; never fails: a shell in hand has a slot. */
void channel_send_open(struct channel *c);
bool channel_send_control(struct channel *c, const struct element *e) CHECKED;
/* Sender. A barrier, and the watermark that is held before it: they have slots of their own. */
bool channel_send_barrier(struct channel *c, const struct element *e) CHECKED;
/* Sender. A watermark, behind the rows in the open shell and with them when there are any. now_ns 0 = no matter when the
 * last one went. False: no room, call again. */
bool channel_send_watermark(struct channel *c, int64_t watermark, int64_t now_ns) CHECKED;
bool channel_send_held(struct channel *c) CHECKED; /* true: none is held now */
/* Receiver. */
bool channel_take(struct channel *c, struct element *out) CHECKED;
/* Receiver. How many elements lie before that barrier (or a later one, or the end); false: it is not there. *is_barrier: see there. */
bool channel_find_barrier(struct channel *c, int64_t barrier, uint32_t *before, bool *is_barrier) CHECKED;
void channel_give_back(struct channel *c, struct batch *shell);
