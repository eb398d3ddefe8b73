/* fuzz_remote.c - hostile frames between two workers: batches, control elements, credit and ends in any order, on a
 * link with one channel that is sent and two that are received, whose gate is read all the while. The heads of frames
 * are made right, so that what lies behind them is reached; and what can be read as a batch is written and read again
 * as the same bytes. */
#include "columns/column/batch_codec.h"
#include "flow/exchange/remote_pump.h"
#include "ground/base/str.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SIZE_MOST = 32 * 1024, SENT = 1, FIRST, SECOND };
#define SCHEMA "ROW<k BIGINT NOT NULL, s STRING, l ARRAY<INT>, b BOOLEAN, r ROW<x INT, y STRING>>"

struct scene {
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    const struct type *schema;
    struct remote_net *net;
    struct remote_exchange *exchange;
    struct channel *sent, *received[2];
    struct gate *gate;
    struct sys_file *peer;
    uint32_t failures;
};

static void failed(void *arg, uint32_t worker, const struct err *why)
{
    ASSERT(worker == 1 && why->text[0] != '\0');
    ((struct scene *)arg)->failures++;
}

/* A net without thread and port: this thread is its. */
static struct remote_net *net_by_hand(struct scene *s)
{
    struct remote_net *n = mem_zalloc(&s->mem, sizeof *n);
    enum status st = loop_create(s->sys, "fuzz", NULL, &n->loop, NULL);

    ASSERT(st == S_OK);
    mem_init(&n->mem, "net", 0);
    n->sys = s->sys;
    buf_init(&n->raw, &n->mem);
    n->lock = sys_lock_create(s->sys);
    return n;
}

static struct channel *channel_of(struct scene *s, uint64_t id)
{
    struct mem *mem = id == SENT ? &s->mem : remote_exchange_mem(s->exchange);
    struct channel *c = channel_create(mem, s->schema, NULL, 16, 3);

    if (id == SENT)
        remote_exchange_send(s->exchange, 1, id, c);
    else
        remote_exchange_receive(s->exchange, 1, id, c);
    channel_connect(c, s->sys, NULL, NULL);
    return c;
}

static void scene_begin(struct scene *s)
{
    static const struct remote_worker workers[2] = {{"a", "h", 1}, {"b", "h", 2}};
    struct remote_plan plan = {.job_id = "fuzz", .workers = workers, .worker_count = 2, .failed = failed, .arg = s};
    struct frame_hooks none = {0};
    struct sys_file *files[2];
    struct frame_conn *conn;

    *s = (struct scene){.sys = sys_linux_create_quiet()};
    mem_init(&s->mem, "fuzz", 0);
    arena_init(&s->arena, &s->mem, 0);
    enum status st = type_parse(&s->arena, STR(SCHEMA), &s->schema, NULL);
    ASSERT(st == S_OK);
    s->net = net_by_hand(s);
    s->exchange = remote_exchange_create(s->net, &plan);
    s->sent = channel_of(s, SENT);
    for (uint64_t i = 0; i < 2; i++) s->received[i] = channel_of(s, FIRST + i);
    struct gate_input in = {s->received, 2, NULL};
    s->gate = gate_create(&in, 1, &s->mem, 0);
    st = sys_socket_pair(s->sys, files, NULL);
    ASSERT(st == S_OK);
    s->peer = files[1];
    st = frame_open(s->net->loop, s->sys, files[0], "b", NULL, &none, &conn, NULL);
    ASSERT(st == S_OK);
    remote_link_up(&s->exchange->links[1], conn);
}

static void scene_end(struct scene *s)
{
    struct remote_link *l = &s->exchange->links[1];

    remote_link_cut(l);
    for (struct remote_channel *c = l->channels; c != NULL; c = c->link_next) remote_channel_release(c);
    gate_free(s->gate);
    channel_free(s->sent);
    for (int i = 0; i < 2; i++) channel_free(s->received[i]);
    remote_exchange_free(s->exchange);
    sys_file_close(s->sys, s->peer);
    loop_free(s->net->loop);
    sys_lock_free(s->sys, s->net->lock);
    mem_release(&s->net->mem);
    arena_release(&s->arena);
    mem_release(&s->mem);
    sys_linux_free(s->sys);
}

/* What the gate answers can be looked at: every value of every row. */
static void read_gate(struct scene *s, struct buf *text)
{
    struct gate_event e;

    while (gate_next(s->gate, &e) == S_OK) {
        if (e.kind != GATE_BATCH) continue;
        for (uint32_t i = 0; i < e.batch->count; i++) batch_print_row(e.batch, i, text);
        buf_clear(text);
    }
}

static void turn(struct scene *s)
{
    uint32_t did;

    for (int i = 0; i < 3; i++) {
        bool moved = remote_net_pump(s->net);
        if (!moved) moved = remote_net_settle(s->net);
        enum status st = loop_turn(s->net->loop, 0, &did, NULL);
        ASSERT(st == S_OK);
    }
}

/* Takes what came back, so that the other end never blocks us. */
static bool send_frame(struct scene *s, uint8_t kind, const uint8_t *payload, size_t size)
{
    uint8_t head[FRAME_HEAD] = {(uint8_t)size, (uint8_t)(size >> 8), 0, 0, kind};
    char answer[4096];
    size_t put, got;

    if (sys_file_write_some(s->sys, s->peer, head, sizeof head, &put, NULL) != S_OK) return false;
    if (size > 0 && (sys_file_write_some(s->sys, s->peer, payload, size, &put, NULL) != S_OK || put != size))
        return false;
    turn(s);
    enum status st = sys_file_read_some(s->sys, s->peer, answer, sizeof answer, &got, NULL);
    return st == S_IDLE || (st == S_OK && got > 0);
}

static void same_again(struct scene *s, const uint8_t *payload, size_t size)
{
    struct batch *b = batch_create(s->schema, 16, &s->mem);
    struct remote_message m;
    struct buf once, twice, raw;
    struct dec d;

    buf_init(&once, &s->mem);
    buf_init(&twice, &s->mem);
    buf_init(&raw, &s->mem);
    dec_init(&d, payload, size);
    if (remote_message_decode(REMOTE_BATCH, &d, &m, NULL) == S_OK && remote_batch_decode(&d, &m, b, &raw, NULL) == S_OK) {
        remote_batch_encode(&once, m.channel, b, m.has_more, m.is_packed ? &raw : NULL);
        batch_clear(b);
        dec_init(&d, once.data, once.size);
        enum status st = remote_message_decode(REMOTE_BATCH, &d, &m, NULL);
        ASSERT(st == S_OK && remote_batch_decode(&d, &m, b, &raw, NULL) == S_OK);
        remote_batch_encode(&twice, m.channel, b, m.has_more, m.is_packed ? &raw : NULL);
        ASSERT(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    }
    buf_release(&once);
    buf_release(&twice);
    buf_release(&raw);
    batch_free(b);
}

/* Input: runs of kind, size (2 bytes), payload. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct scene s;
    struct buf text;

    if (size > SIZE_MOST) return 0;
    scene_begin(&s);
    buf_init(&text, &s.mem);
    turn(&s);
    while (size > 3 && s.failures == 0) {
        size_t n = MIN((size_t)(bytes[1] | bytes[2] << 8), size - 3);
        same_again(&s, bytes + 3, n);
        if (!send_frame(&s, bytes[0], bytes + 3, n)) break;
        read_gate(&s, &text);
        bytes += 3 + n;
        size -= 3 + n;
    }
    scene_end(&s);
    return 0;
}
