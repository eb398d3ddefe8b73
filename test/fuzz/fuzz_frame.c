/* fuzz_frame.c - any bytes from the other end of a connection: as frames, to the dialed end of a handshake, and to
 * the dialing one. They come in one piece or byte by byte, and then the connection ends. Whatever they are: no crash,
 * one end, and an error has a text. */
#include "ground/base/str.h"
#include "ground/net/handshake.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SIZE_MOST = 16 * 1024 };

struct heard {
    uint32_t ends;
    size_t bytes;
    struct frame_conn *conn;
};

static enum status on_frame(void *arg, uint8_t kind, struct str payload, struct err *e)
{
    struct heard *h = arg;

    for (size_t i = 0; i < payload.size; i++) h->bytes += (uint8_t)payload.data[i] & 1;
    return kind == 255 ? err_set(e, E_DATA, "kind 255") : S_OK;
}

static void note_end(struct heard *h, const struct err *why)
{
    ASSERT(why->status < 0 && why->text[0] != '\0');
    h->ends++;
}

static void on_over(void *arg, enum status st, const struct err *why)
{
    (void)st;
    note_end(arg, why);
}

static void on_failed(void *arg, const struct err *why) { note_end(arg, why); }

static void on_ready(void *arg, struct frame_conn *c, struct str greeting)
{
    struct heard *h = arg;
    struct frame_hooks hooks = {.on_frame = on_frame, .on_over = on_over, .arg = h};

    (void)greeting;
    h->conn = c;
    frame_hand_over(c, &hooks, NULL);
}

static void turn(struct loop *l)
{
    uint32_t did;

    do {
        enum status st = loop_turn(l, 0, &did, NULL);
        ASSERT(st == S_OK);
    } while (did > 0);
}

static void feed(struct sys *sys, struct loop *l, struct sys_file *f, const uint8_t *bytes, size_t size, bool by_byte)
{
    size_t put;

    while (size > 0) {
        enum status st = sys_file_write_some(sys, f, bytes, by_byte ? 1 : size, &put, NULL);
        if (st < 0) break; /* the other end has had enough */
        if (st == S_OK) {
            bytes += put;
            size -= put;
        }
        turn(l);
    }
    sys_file_close(sys, f);
    turn(l);
}

static void play(struct sys *sys, uint8_t how, const uint8_t *bytes, size_t size)
{
    struct heard h = {0};
    struct frame_hooks hooks = {.on_frame = on_frame, .on_over = on_over, .arg = &h};
    struct frame_limits limits = {.payload_max = 4096, .read_bytes = 64};
    struct handshake_plan plan = {
        .build = "fuzz", .key = STR("key"), .greeting = STR("hi"), .ready = on_ready, .failed = on_failed, .arg = &h};
    struct handshake *shake;
    struct sys_file *files[2];
    struct loop *l;

    enum status st = loop_create(sys, "fuzz", NULL, &l, NULL);
    ASSERT(st == S_OK && sys_socket_pair(sys, files, NULL) == S_OK);
    if (how % 3 == 0)
        st = frame_open(l, sys, files[0], "peer", &limits, &hooks, &h.conn, NULL);
    else
        st = handshake_start(l, sys, files[0], "peer", how % 3 == 1, &plan, &shake, NULL);
    ASSERT(st == S_OK);
    feed(sys, l, files[1], bytes, size, (how & 64) != 0 && size < 256);
    ASSERT(h.ends == 1);
    frame_close(h.conn);
    loop_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 1 || size > SIZE_MOST) return 0;
    struct sys *sys = sys_linux_create_quiet();
    play(sys, bytes[0], bytes + 1, size - 1);
    sys_linux_free(sys);
    return 0;
}
