/* handshake.c - both ends of a handshake as one machine: each frame kind has one state in which it is right.
 *
 * The hellos of both ends are kept as they were sent: the proofs are over these bytes. Who refuses says so and waits
 * until the other end has hung up, or the time is over: a connection closed at once might take the sentence with it.
 * Whatever ends a handshake ends it once: failed or ready, then it is gone. */
#include "ground/net/handshake.h"

#include "ground/base/codec.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"

#include <string.h>

enum kind { HELLO = 1, PROOF, WELCOME, REFUSED };
enum { NONCE_WORDS = 4, HEAD_BYTES = 8, BUILD_MAX = 128, REFUSAL_MAX = ERR_TEXT_MAX };
enum { HELLO_MAX = HANDSHAKE_GREETING_MAX + BUILD_MAX + 128 };
#define TIMEOUT_NS INT64_C(10000000000)

enum state { WANTS_HELLO, WANTS_PROOF, WANTS_WELCOME, LINGERS };

struct handshake {
    struct mem mem;
    struct loop *loop;
    struct sys *sys;
    struct handshake_plan plan;
    bool is_dialer;
    enum state state;
    struct frame_conn *conn;
    struct loop_timer *timer;
    struct buf hellos[2]; /* the dialer's, the dialed's */
    struct str greeting;  /* in hellos[0] */
    struct err why;       /* LINGERS */
};

static const struct frame_limits own_limits = {.payload_max = HELLO_MAX, .unsent_max = 64 * 1024, .read_bytes = 1024};

/* --- the end ------------------------------------------------------------------------------------------------------ */
static void handshake_free(struct handshake *h)
{
    struct mem mem;

    loop_timer_cancel(h->loop, h->timer);
    mem_init(&mem, "handshake", 0);
    mem_move(&h->mem, &mem);
    mem_release(&mem);
}

void handshake_cancel(struct handshake *h)
{
    if (h == NULL) return;
    frame_close(h->conn);
    handshake_free(h);
}

static void fail(struct handshake *h, const struct err *why)
{
    struct handshake_plan plan = h->plan;
    struct err kept = *why; /* it may lie in h */

    handshake_cancel(h);
    plan.failed(plan.arg, &kept);
}

static void succeed(struct handshake *h)
{
    h->plan.ready(h->plan.arg, h->conn, h->greeting);
    handshake_free(h);
}

static void on_over(void *arg, enum status st, const struct err *why)
{
    struct handshake *h = arg;
    struct err e = {0};

    if (h->state == LINGERS) {
        fail(h, &h->why);
        return;
    }
    err_pass_on(&e, why);
    if (st == S_END || st == E_IO) err_wrap(&e, "no handshake with %s", frame_peer(h->conn));
    fail(h, &e);
}

static void on_timeout(void *arg)
{
    struct handshake *h = arg;
    struct err e = {0};

    h->timer = NULL;
    if (h->state != LINGERS) {
        err_set(&e, E_IO, "no handshake with %s: it said nothing for %lld ms", frame_peer(h->conn),
                (long long)(h->plan.timeout_ns / 1000000));
        err_hint(&e, "is a Thalweg process listening there?");
    }
    fail(h, h->state == LINGERS ? &h->why : &e);
}

/* --- saying ------------------------------------------------------------------------------------------------------- */
static void say(struct handshake *h, enum kind kind, struct str payload)
{
    enum status st = frame_send(h->conn, (uint8_t)kind, payload.data, payload.size);

    ASSERT(st == S_OK); /* these few frames fit */
}

static void say_hello(struct handshake *h)
{
    struct buf *b = &h->hellos[h->is_dialer ? 0 : 1];

    buf_append(b, "THLW", 4);
    enc_u32(b, WIRE_VERSION);
    enc_text(b, h->plan.build);
    for (int i = 0; i < NONCE_WORDS; i++) enc_u64(b, sys_random(h->sys));
    if (h->is_dialer) enc_str(b, h->plan.greeting);
    ASSERT(b->size <= HELLO_MAX);
    say(h, HELLO, (struct str){b->data, b->size});
}

/* What that end has to say. */
static void proof_of(struct handshake *h, bool dialer, struct sha256 *out)
{
    struct buf b;

    buf_init(&b, &h->mem);
    buf_append_text(&b, dialer ? "dialer" : "dialed");
    for (int i = 0; i < 2; i++) enc_str(&b, (struct str){h->hellos[i].data, h->hellos[i].size});
    sha256_hmac(h->plan.key, b.data, b.size, out);
    buf_release(&b);
}

static void say_proof(struct handshake *h)
{
    struct sha256 proof;

    proof_of(h, h->is_dialer, &proof);
    say(h, PROOF, (struct str){(const char *)proof.bytes, sizeof proof.bytes});
}

/* Says it to the dialer, and fails with it when that has hung up. */
static enum status refuse(struct handshake *h, const struct err *why)
{
    struct buf b;

    buf_init(&b, &h->mem);
    enc_text(&b, why->text);
    enc_text(&b, why->hint);
    say(h, REFUSED, (struct str){b.data, b.size});
    buf_release(&b);
    err_pass_on(&h->why, why);
    h->state = LINGERS;
    return S_OK;
}

/* --- hearing ------------------------------------------------------------------------------------------------------ */
static enum status check_version(struct handshake *h, struct dec *d, struct err *e)
{
    char build[BUILD_MAX + 1] = "";
    bool is_ours = dec_left(d) >= HEAD_BYTES && memcmp(d->at, "THLW", 4) == 0;

    if (!is_ours) return err_set(e, E_DATA, "%s does not speak Thalweg's protocol", frame_peer(h->conn));
    d->at += 4;
    uint32_t version = dec_u32(d);
    struct str text = dec_str(d, BUILD_MAX);
    if (dec_ok(d)) memcpy(build, text.data, text.size);
    if (version != WIRE_VERSION) {
        err_set(e, E_UNSUPPORTED, "%s speaks version %u of the protocol (build %s), this process version %d (build %s)",
                frame_peer(h->conn), version, dec_ok(d) ? build : "unknown", WIRE_VERSION, h->plan.build);
        err_hint(e, "run the same build of thalweg on all machines of a cluster");
        return E_UNSUPPORTED;
    }
    return dec_ok(d) ? S_OK : err_set(e, E_DATA, "%s sent a malformed hello", frame_peer(h->conn));
}

static enum status hear_hello(struct handshake *h, struct str payload, struct err *e)
{
    struct buf *b = &h->hellos[h->is_dialer ? 1 : 0];
    struct err other = {0};
    struct dec d;

    buf_append(b, payload.data, payload.size);
    dec_init(&d, b->data, b->size);
    enum status st = check_version(h, &d, &other);
    if (!h->is_dialer && st != E_DATA) say_hello(h); /* of another version, too: so it sees both */
    if (st == E_UNSUPPORTED && !h->is_dialer) {
        h->state = LINGERS;
        err_pass_on(&h->why, &other);
        return S_OK;
    }
    if (st != S_OK) return err_pass_on(e, &other);
    for (int i = 0; i < NONCE_WORDS; i++) dec_u64(&d);
    if (!h->is_dialer) h->greeting = dec_str(&d, HANDSHAKE_GREETING_MAX);
    if (!dec_ok(&d) || dec_left(&d) > 0) return err_set(e, E_DATA, "%s sent a malformed hello", frame_peer(h->conn));
    if (!h->is_dialer) say_proof(h);
    h->state = WANTS_PROOF;
    return S_OK;
}

static enum status hear_proof(struct handshake *h, struct str payload, struct err *e)
{
    struct sha256 right, said;
    struct err no = {0};

    proof_of(h, !h->is_dialer, &right);
    if (payload.size == sizeof said.bytes) memcpy(said.bytes, payload.data, sizeof said.bytes);
    if (payload.size != sizeof said.bytes || !sha256_equal(&right, &said)) {
        err_set(&no, E_PERMISSION, "%s does not have the cluster's key", frame_peer(h->conn));
        err_hint(&no, "all processes of a cluster need the same file thalweg.security.token-file");
        if (!h->is_dialer) return refuse(h, &no);
        err_pass_on(e, &no);
        return no.status;
    }
    if (h->is_dialer) {
        say_proof(h);
        h->state = WANTS_WELCOME;
        return S_OK;
    }
    if (h->plan.admit != NULL && h->plan.admit(h->plan.arg, h->greeting, &no) != S_OK) return refuse(h, &no);
    say(h, WELCOME, (struct str){0});
    succeed(h);
    return S_OK;
}

static enum status hear_refused(struct handshake *h, struct str payload, struct err *e)
{
    struct dec d;

    dec_init(&d, payload.data, payload.size);
    struct str text = dec_str(&d, ERR_TEXT_MAX - 1), hint = dec_str(&d, ERR_HINT_MAX - 1);
    if (!dec_ok(&d)) return err_set(e, E_DATA, "%s sent a malformed refusal", frame_peer(h->conn));
    err_set(e, E_PERMISSION, "%s refused the connection: %.*s", frame_peer(h->conn), (int)text.size, text.data);
    if (hint.size > 0) err_hint(e, "%.*s", (int)hint.size, hint.data);
    return E_PERMISSION;
}

static enum status on_frame(void *arg, uint8_t kind, struct str payload, struct err *e)
{
    struct handshake *h = arg;

    if (h->state == LINGERS) return S_OK; /* said before it read why not */
    if (kind == HELLO && h->state == WANTS_HELLO) return hear_hello(h, payload, e);
    if (kind == PROOF && h->state == WANTS_PROOF) return hear_proof(h, payload, e);
    if (kind == REFUSED && h->is_dialer && h->state != WANTS_HELLO) return hear_refused(h, payload, e);
    if (kind == WELCOME && h->state == WANTS_WELCOME) {
        h->greeting = h->plan.greeting;
        succeed(h);
        return S_OK;
    }
    return err_set(e, E_DATA, "%s does not speak Thalweg's protocol", frame_peer(h->conn));
}

/* --- the beginning ------------------------------------------------------------------------------------------------ */
static struct handshake *handshake_new(struct loop *l, struct sys *sys, bool is_dialer,
                                       const struct handshake_plan *plan)
{
    struct mem mem;

    mem_init(&mem, "handshake", 0);
    struct handshake *h = mem_zalloc(&mem, sizeof *h);
    mem_init(&h->mem, "handshake", 0);
    mem_move(&mem, &h->mem);
    h->loop = l;
    h->sys = sys;
    h->is_dialer = is_dialer;
    h->plan = *plan;
    if (h->plan.timeout_ns == 0) h->plan.timeout_ns = TIMEOUT_NS;
    for (int i = 0; i < 2; i++) buf_init(&h->hellos[i], &h->mem);
    if (plan->greeting.size > 0) {
        char *copy = mem_alloc(&h->mem, plan->greeting.size);
        memcpy(copy, plan->greeting.data, plan->greeting.size);
        h->plan.greeting.data = copy;
    }
    return h;
}

enum status handshake_start(struct loop *l, struct sys *sys, struct sys_file *socket, const char *peer, bool is_dialer,
                            const struct handshake_plan *plan, struct handshake **out, struct err *e)
{
    struct handshake *h = handshake_new(l, sys, is_dialer, plan);
    struct frame_hooks hooks = {.on_frame = on_frame, .on_over = on_over, .arg = h};

    ASSERT(plan->greeting.size <= HANDSHAKE_GREETING_MAX && strlen(plan->build) <= BUILD_MAX);
    enum status st = frame_open(l, sys, socket, peer, &own_limits, &hooks, &h->conn, e);
    if (st == S_OK) st = loop_timer(l, sys_mono_ns(sys) + h->plan.timeout_ns, on_timeout, h, &h->timer, e);
    if (st != S_OK) {
        frame_close(h->conn);
        handshake_free(h);
        return st;
    }
    if (is_dialer) say_hello(h);
    *out = h;
    return S_OK;
}
