/* frame.h - a connection that carries whole messages: frames, each a size, a kind and bytes, in order, over a loop.
 * What it may hold is bounded on both sides: a sender that is not read gets S_FULL, and is called when there is room
 * again.
 *
 *     u32 size of the payload, little endian | u8 kind | payload
 *
 * All calls are the loop thread's. Callbacks may send, and may close this connection or another; nothing of it is
 * called after frame_close. Whoever begins a connection proves itself first: handshake.h. */
#pragma once
#include "ground/base/buf.h"
#include "ground/net/loop.h"

enum { FRAME_HEAD = 5, FRAME_PAYLOAD_MAX = 16 * 1024 * 1024, FRAME_PEER_MAX = 320 };

struct frame_limits {
    uint32_t payload_max; /* of a frame that comes; 0 = FRAME_PAYLOAD_MAX */
    uint32_t unsent_max;  /* bytes that wait to be sent before a send is S_FULL; 0 = 4 MiB */
    uint32_t read_bytes;  /* room to read into, grown for a larger frame; 0 = 16 KiB */
};

struct frame_hooks {
    /* A frame has come; the payload is lent for the call. An error ends the connection: on_over gets it. */
    enum status (*on_frame)(void *arg, uint8_t kind, struct str payload, struct err *e);
    /* All that had come in one go is through: the place to answer, and to flush. NULL: none wants it. */
    void (*on_pause)(void *arg);
    /* After S_FULL: less than half of unsent_max waits. NULL: none wants it. */
    void (*on_room)(void *arg);
    /* It is over, and only frame_close is left to do, here or later: S_END when the other end closed it between two
     * frames, else why not; the text names the peer. Once. */
    void (*on_over)(void *arg, enum status st, const struct err *why);
    void *arg;
};

struct frame_conn;
/* Takes the connected socket, also when it fails. peer: how errors call the other end, "host:port" or more; copied.
 * limits NULL = all 0. */
enum status frame_open(struct loop *l, struct sys *sys, struct sys_file *socket, const char *peer,
                       const struct frame_limits *limits, const struct frame_hooks *hooks, struct frame_conn **out,
                       struct err *e) CHECKED;
/* Ends it at once: what was not sent is lost. NULL is a no-op. */
void frame_close(struct frame_conn *c);
/* Who is called, and what is allowed, from now on; also from within a callback. */
void frame_hand_over(struct frame_conn *c, const struct frame_hooks *hooks, const struct frame_limits *limits);
const char *frame_peer(const struct frame_conn *c);
void frame_rename(struct frame_conn *c, const char *peer); /* who it is, once that is known */

/* Sends a frame: as much as the system takes now goes out now, the rest when it does. S_FULL: nothing was taken,
 * on_room will be called. On a connection that is broken the frame is dropped: on_over will be called, or was. */
enum status frame_send(struct frame_conn *c, uint8_t kind, const void *payload, size_t size) CHECKED;
/* The same in place: appends to *out between begin and end, at most FRAME_PAYLOAD_MAX bytes, and calls nothing of the
 * connection in between. It waits for frame_flush, or until much waits. */
enum status frame_begin(struct frame_conn *c, uint8_t kind, struct buf **out) CHECKED;
void frame_end(struct frame_conn *c);
void frame_flush(struct frame_conn *c);
bool frame_has_room(const struct frame_conn *c); /* frame_begin would not answer S_FULL */
size_t frame_unsent(const struct frame_conn *c); /* bytes that the system has not taken */
