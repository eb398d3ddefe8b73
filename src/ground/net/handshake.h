/* handshake.h - how a connection begins: both ends say which protocol they speak before anything else is read, prove
 * that they know the cluster's key without sending it, and the end that was dialed admits the other or says why not.
 *
 *     dialer  HELLO    "THLW", u32 wire version, build, nonce, greeting (what it wants: opaque here)
 *     dialed  HELLO    "THLW", u32 wire version, build, nonce
 *             PROOF    HMAC-SHA256(key, "dialed" | both hellos)
 *     dialer  PROOF    HMAC-SHA256(key, "dialer" | both hellos)
 *     dialed  WELCOME, or REFUSED and a text
 *
 * Magic and version are the first eight bytes of a HELLO, whatever version it is of; nothing behind them is looked at
 * before they are right. The MAC covers both nonces, so neither side's words can be sent again on another connection,
 * and names the speaker, so that they cannot be sent back. An empty key proves nothing and keeps nobody out. */
#pragma once
#include "ground/net/frame.h"

enum { WIRE_VERSION = 1, HANDSHAKE_GREETING_MAX = 4096 };

struct handshake_plan {
    const char *build;   /* of this program; in messages */
    struct str key;      /* the shared secret */
    struct str greeting; /* the dialer's */
    int64_t timeout_ns;  /* for all of it; 0 = 10 s */
    /* Dialed: an error refuses, and its text goes to the dialer. NULL admits all. */
    enum status (*admit)(void *arg, struct str greeting, struct err *e);
    /* Done: the connection is the callee's, who calls frame_hand_over before it returns, or frame_close. The greeting
     * is the dialer's. */
    void (*ready)(void *arg, struct frame_conn *c, struct str greeting);
    /* It failed and is closed; the text names the peer and says what to do. */
    void (*failed)(void *arg, const struct err *why);
    void *arg;
};

struct handshake;
/* Takes the connected socket, also when it fails. The plan is copied, build and key outlive the handshake, the
 * greeting is copied. *out is good until ready or failed is called. */
enum status handshake_start(struct loop *l, struct sys *sys, struct sys_file *socket, const char *peer, bool is_dialer,
                            const struct handshake_plan *plan, struct handshake **out, struct err *e) CHECKED;
void handshake_cancel(struct handshake *h); /* closes; nothing is called. NULL is a no-op */
