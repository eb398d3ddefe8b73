/* caller.h - the way to another process of the cluster: its address is looked up, tried, and the handshake made, all on a loop. */
#pragma once
#include "control/cluster/messages.h"
#include "control/cluster/cluster.h"
#include "ground/net/dial.h"
#include "ground/net/handshake.h"

struct caller;
struct caller_plan {
    struct loop *loop;
    struct sys *sys;
    const char *host; /* copied */
    int port;
    const char *role; /* of the other end, for messages: "JobManager" */
    const struct cluster_key *key;
    struct str greeting; /* copied */
    /* One of the two is called, once, by the loop's thread; the caller is gone then. ready hands over the connection (frame_hand_over). */
    void (*ready)(void *arg, struct frame_conn *conn);
    void (*failed)(void *arg, const struct err *why);
    void *arg;
};
struct caller *caller_start(const struct caller_plan *plan);
void caller_cancel(struct caller *c); /* nothing is called; NULL is a no-op. The loop's thread */

extern const char *const cluster_build; /* of this program, for handshakes */
/* A greeting or any other message with its kind in front. */
void greeting_encode(enum message_kind kind, const void *message, struct buf *out);
