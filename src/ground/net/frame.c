/* frame.c - frames over a socket.
 *
 * What comes is read into one buffer, and frames are handed out where they lie; what is left of the last one moves to
 * the front before the next read. The buffer grows only with bytes that have come, never with what a head promises,
 * so a hostile peer pays for what it makes us hold. What goes out is appended to one buffer and written from its
 * front.
 *
 * A write that fails says nothing to its caller: the file is ready then, and the loop's next turn reads what is still
 * there and ends the connection, so that hooks are only ever called from the loop. A connection closed by one of its
 * own hooks is freed when the outermost of them is back. */
#include "ground/net/frame.h"

#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum {
    UNSENT_MAX = 4 * 1024 * 1024,
    READ_BYTES = 16 * 1024,
    READS = 8,               /* in one turn: others have their turn, too */
    FLUSH_BYTES = 64 * 1024, /* frames that were begun and ended wait for as many */
};

struct frame_conn {
    struct mem mem;
    struct loop *loop;
    struct sys *sys;
    struct sys_file *file;
    struct loop_watch *watch;
    struct frame_limits limits;
    struct frame_hooks hooks;
    char peer[FRAME_PEER_MAX];
    struct buf in, out;
    size_t in_at, out_at; /* handed out, written */
    size_t begun;         /* where the frame begins that is being made */
    bool is_begun;
    bool watches_write, wants_room;
    bool is_broken; /* a write failed: err says how */
    bool is_over, is_closed;
    uint32_t depth; /* of hooks under way */
    struct err err;
};

static void set_limits(struct frame_conn *c, const struct frame_limits *limits)
{
    c->limits = limits != NULL ? *limits : (struct frame_limits){0};
    if (c->limits.payload_max == 0) c->limits.payload_max = FRAME_PAYLOAD_MAX;
    if (c->limits.unsent_max == 0) c->limits.unsent_max = UNSENT_MAX;
    if (c->limits.read_bytes == 0) c->limits.read_bytes = READ_BYTES;
    ASSERT(c->limits.payload_max <= FRAME_PAYLOAD_MAX);
    if (c->in.capacity < c->limits.read_bytes) buf_reserve(&c->in, c->limits.read_bytes - c->in.size);
}

static void conn_ready(void *arg, uint32_t ready);

enum status frame_open(struct loop *l, struct sys *sys, struct sys_file *socket, const char *peer,
                       const struct frame_limits *limits, const struct frame_hooks *hooks, struct frame_conn **out,
                       struct err *e)
{
    struct mem mem;

    mem_init(&mem, "connection", 0);
    struct frame_conn *c = mem_zalloc(&mem, sizeof *c);
    mem_init(&c->mem, "connection", 0);
    mem_move(&mem, &c->mem);
    c->loop = l;
    c->sys = sys;
    c->file = socket;
    c->hooks = *hooks;
    frame_rename(c, peer);
    buf_init(&c->in, &c->mem);
    buf_init(&c->out, &c->mem);
    set_limits(c, limits);
    enum status st = loop_watch(l, socket, SYS_READY_READ, conn_ready, c, &c->watch, e);
    if (st != S_OK)
        frame_close(c);
    else
        *out = c;
    return st;
}

static void conn_free(struct frame_conn *c)
{
    struct mem mem;

    mem_init(&mem, "connection", 0);
    mem_move(&c->mem, &mem);
    mem_release(&mem);
}

void frame_close(struct frame_conn *c)
{
    if (c == NULL) return;
    ASSERT(!c->is_closed);
    c->is_closed = true;
    loop_unwatch(c->loop, c->watch);
    sys_file_close(c->sys, c->file);
    if (c->depth == 0) conn_free(c);
}

void frame_hand_over(struct frame_conn *c, const struct frame_hooks *hooks, const struct frame_limits *limits)
{
    ASSERT(!c->is_closed);
    c->hooks = *hooks;
    set_limits(c, limits);
}

const char *frame_peer(const struct frame_conn *c) { return c->peer; }
void frame_rename(struct frame_conn *c, const char *peer) { snprintf(c->peer, sizeof c->peer, "%s", peer); }

/* --- the end ------------------------------------------------------------------------------------------------------ */
static void conn_over(struct frame_conn *c, enum status st, struct err *why)
{
    if (c->is_closed || c->is_over) return;
    c->is_over = true;
    loop_unwatch(c->loop, c->watch);
    c->watch = NULL;
    if (st == S_END) err_set(why, E_IO, "%s closed the connection", c->peer);
    c->hooks.on_over(c->hooks.arg, st, why);
}

/* --- sending ------------------------------------------------------------------------------------------------------ */
static void watch_write(struct frame_conn *c, bool wanted)
{
    struct err e = {0};

    if (c->watches_write == wanted || c->is_over) return;
    if (loop_watch_set(c->loop, c->watch, SYS_READY_READ | (wanted ? SYS_READY_WRITE : 0), &e) == S_OK)
        c->watches_write = wanted;
    else if (!c->is_broken) {
        c->is_broken = true;
        err_pass_on(&c->err, &e);
    }
}

/* What is written goes from the front; the rest moves there when that costs less than was written. */
static void out_compact(struct frame_conn *c)
{
    size_t left = c->out.size - c->out_at;

    if (left > 0 && c->out_at < left) return;
    if (left > 0) memmove(c->out.data, c->out.data + c->out_at, left);
    c->out.size = left;
    c->out_at = 0;
}

void frame_flush(struct frame_conn *c)
{
    enum status st = S_OK;
    size_t put;

    ASSERT(!c->is_closed && !c->is_begun);
    while (c->out_at < c->out.size && !c->is_broken && !c->is_over) {
        st = sys_file_write_some(c->sys, c->file, c->out.data + c->out_at, c->out.size - c->out_at, &put, &c->err);
        if (st != S_OK) break;
        c->out_at += put;
    }
    if (st < 0) {
        c->is_broken = true;
        err_wrap(&c->err, "the connection to %s broke", c->peer);
    }
    if (c->is_broken || c->is_over) c->out_at = c->out.size;
    out_compact(c);
    watch_write(c, st == S_IDLE || c->wants_room); /* on_room is called from the loop: one more turn */
}

size_t frame_unsent(const struct frame_conn *c) { return c->out.size - c->out_at; }
bool frame_has_room(const struct frame_conn *c) { return frame_unsent(c) < c->limits.unsent_max; }

enum status frame_begin(struct frame_conn *c, uint8_t kind, struct buf **out)
{
    ASSERT(!c->is_closed && !c->is_begun);
    if (!frame_has_room(c)) frame_flush(c);
    if (!frame_has_room(c)) {
        c->wants_room = true;
        return S_FULL;
    }
    c->is_begun = true;
    c->begun = c->out.size;
    enc_u32(&c->out, 0);
    enc_u8(&c->out, kind);
    *out = &c->out;
    return S_OK;
}

void frame_end(struct frame_conn *c)
{
    size_t size = c->out.size - c->begun - FRAME_HEAD;

    ASSERT(c->is_begun && size <= FRAME_PAYLOAD_MAX);
    for (int i = 0; i < 4; i++) c->out.data[c->begun + (size_t)i] = (char)(size >> (8 * i) & 255);
    c->is_begun = false;
    if (frame_unsent(c) >= FLUSH_BYTES && !c->watches_write) frame_flush(c);
}

enum status frame_send(struct frame_conn *c, uint8_t kind, const void *payload, size_t size)
{
    struct buf *out;

    TRY(frame_begin(c, kind, &out));
    if (size > 0) buf_append(out, payload, size);
    frame_end(c);
    if (!c->watches_write) frame_flush(c);
    return S_OK;
}

/* --- receiving ---------------------------------------------------------------------------------------------------- */
static uint32_t size_at(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Hands out the frames that are whole. */
static enum status take_frames(struct frame_conn *c, struct err *e)
{
    while (!c->is_closed && c->in.size - c->in_at >= FRAME_HEAD) {
        const char *at = c->in.data + c->in_at;
        uint32_t size = size_at((const unsigned char *)at);
        if (size > c->limits.payload_max)
            return err_set(e, E_DATA, "%s sent what is no message: its size would be %u bytes, at most %u are allowed",
                           c->peer, size, c->limits.payload_max);
        if (c->in.size - c->in_at < FRAME_HEAD + (size_t)size) break;
        c->in_at += FRAME_HEAD + (size_t)size;
        TRY(c->hooks.on_frame(c->hooks.arg, (uint8_t)at[4], (struct str){at + FRAME_HEAD, size}, e));
    }
    return S_OK;
}

/* Room for more behind what is not whole yet. */
static size_t in_room(struct frame_conn *c)
{
    size_t left = c->in.size - c->in_at;

    if (left > 0 && c->in_at > 0) memmove(c->in.data, c->in.data + c->in_at, left);
    c->in.size = left;
    c->in_at = 0;
    if (c->in.size == c->in.capacity) buf_reserve(&c->in, c->in.capacity);
    return c->in.capacity - c->in.size;
}

static enum status at_end(struct frame_conn *c, struct err *e)
{
    if (c->is_broken) {
        err_pass_on(e, &c->err);
        return c->err.status;
    }
    if (c->in.size > c->in_at) return err_set(e, E_IO, "%s closed the connection in the middle of a message", c->peer);
    return S_END;
}

static enum status read_frames(struct frame_conn *c, struct err *e)
{
    size_t room, got = 0;

    for (int i = 0; i < READS && !c->is_closed; i++) {
        room = in_room(c);
        enum status st = sys_file_read_some(c->sys, c->file, c->in.data + c->in.size, room, &got, e);
        if (st == S_IDLE) return S_OK;
        if (st != S_OK) {
            err_wrap(e, "the connection to %s broke", c->peer);
            return st;
        }
        if (got == 0) return at_end(c, e);
        c->in.size += got;
        TRY(take_frames(c, e));
        if (got < room) return S_OK; /* that was all */
    }
    return S_OK;
}

static void conn_ready(void *arg, uint32_t ready)
{
    struct frame_conn *c = arg;
    struct err e = {0};
    enum status st = S_OK;

    c->depth++;
    if ((ready & SYS_READY_WRITE) != 0) frame_flush(c);
    if (c->wants_room && frame_unsent(c) < c->limits.unsent_max / 2 && !c->is_broken) {
        c->wants_room = false;
        if (c->hooks.on_room != NULL) c->hooks.on_room(c->hooks.arg);
    }
    if ((ready & SYS_READY_READ) != 0 && !c->is_closed) st = read_frames(c, &e);
    if (!c->is_closed && c->hooks.on_pause != NULL) c->hooks.on_pause(c->hooks.arg);
    if (st != S_OK) conn_over(c, st, &e);
    c->depth--;
    if (c->is_closed && c->depth == 0) conn_free(c);
}
