/* remote_pair.c - see remote_pair.h. A row is (k = its number, s = its sender, a text); its time is its number. */
#include "support/remote_pair.h"

#include "ground/base/hash.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_AT_ONCE = 37 };

static void note_failure(void *arg, uint32_t worker, const struct err *why)
{
    struct pair_side *side = arg;

    (void)worker;
    err_pass_on(&side->why, why);
    sys_atomic_add(&side->failures, 1);
}

/* --- wiring, as control/taskmanager/deploy.c does it -------------------------------------------------------------- */
static bool open_side(struct pair *p, int i)
{
    struct pair_side *side = &p->sides[i];
    struct remote_net_plan plan = {
        .host = "127.0.0.1", .build = "test", .key = str_of(p->plan.key[i] != NULL ? p->plan.key[i] : "key")};

    if (remote_net_open(p->sys, NULL, &plan, &side->net, &side->why) != S_OK) return false;
    p->workers[i] = (struct remote_worker){i == 0 ? "w0" : "w1", "127.0.0.1", remote_net_port(side->net)};
    return true;
}

static bool is_connected(const struct pair *p, uint32_t from, uint32_t to)
{
    return p->plan.partitioner != PART_FORWARD || from == to;
}

static struct channel *make_channel(struct pair *p, int side, uint32_t from, uint32_t to)
{
    struct pair_side *s = &p->sides[side];
    struct mem *mem = side == 0 ? &p->mem : remote_exchange_mem(s->exchange);
    struct channel *c = channel_create(mem, p->schema, NULL, p->plan.batch_rows, p->plan.shells);

    if (p->plan.has_budget) channel_share(c, &p->budgets[side][to], p->plan.senders);
    if (side == 0)
        remote_exchange_send(s->exchange, 1, remote_channel_id(5, from, to), c);
    else
        remote_exchange_receive(s->exchange, 0, remote_channel_id(5, from, to), c);
    channel_connect(c, p->sys, side == 0 ? p->parker : NULL, side == 0 ? NULL : p->parker);
    return c;
}

static void make_ends(struct pair *p)
{
    static const uint32_t key = 0;
    struct channel *list[PAIR_MAX];
    struct channel **kept;
    uint32_t n;

    for (uint32_t f = 0; f < p->plan.senders; f++) {
        struct writer_plan plan = {.partitioner = p->plan.partitioner,
                                   .keys = &key,
                                   .key_count = 1,
                                   .max_parallelism = 128,
                                   .subtask = f,
                                   .parallelism = p->plan.senders,
                                   .seed = 3};
        n = 0;
        for (uint32_t t = 0; t < p->plan.receivers; t++)
            if (p->sent[f][t] != NULL) list[n++] = p->sent[f][t];
        kept = ARENA_ARRAY(&p->arena, struct channel *, n);
        memcpy(kept, list, n * sizeof(struct channel *));
        p->writers[f] = writer_create(&plan, kept, n, &p->mem);
        p->batches[f] = batch_create(p->schema, BATCH_ROWS, &p->mem);
    }
    for (uint32_t t = 0; t < p->plan.receivers; t++) {
        n = 0;
        for (uint32_t f = 0; f < p->plan.senders; f++)
            if (p->received[f][t] != NULL) list[n++] = p->received[f][t];
        struct gate_input in = {list, n, NULL};
        p->gates[t] = gate_create(&in, 1, &p->mem, 0);
        p->watermark[t] = TIME_MIN;
        for (uint32_t f = 0; f < PAIR_MAX; f++) p->seen[t][f] = -1;
    }
}

const char *remote_pair_open(struct pair *p, struct sys *sys, const struct pair_plan *plan)
{
    *p = (struct pair){.plan = *plan, .sys = sys};
    mem_init(&p->mem, "pair", 0);
    arena_init(&p->arena, &p->mem, 0);
    p->parker = sys_parker_create(sys);
    if (type_parse(&p->arena, STR("ROW<k BIGINT NOT NULL, s INT, t STRING>"), &p->schema, NULL) != S_OK) return "type";
    for (int i = 0; i < 2; i++)
        if (!open_side(p, i)) return p->sides[i].why.text;
    for (uint32_t i = 0; i < 2; i++) {
        struct remote_plan of = {.job_id = "job",
                                 .epoch = 1,
                                 .attempt = plan->attempt[i],
                                 .workers = p->workers,
                                 .worker_count = 2,
                                 .self = i,
                                 .failed = note_failure,
                                 .arg = &p->sides[i]};
        p->sides[i].exchange = remote_exchange_create(p->sides[i].net, &of);
    }
    for (uint32_t f = 0; f < plan->senders; f++)
        for (uint32_t t = 0; t < plan->receivers; t++) {
            if (!is_connected(p, f, t)) continue;
            p->sent[f][t] = make_channel(p, 0, f, t);
            p->received[f][t] = make_channel(p, 1, f, t);
        }
    make_ends(p);
    for (int i = 0; i < 2 && plan->packs; i++) remote_exchange_pack(p->sides[i].exchange);
    for (int i = 0; i < 2; i++) remote_exchange_open(p->sides[i].exchange);
    return NULL;
}

/* --- senders ------------------------------------------------------------------------------------------------------ */
enum { MAKE, WRITE, WATERMARK, BARRIER, NEXT, LAST_WATERMARK, END, OVER };

static void fill(struct pair *p, uint32_t from)
{
    struct batch *b = p->batches[from];
    uint32_t left = p->plan.rows - p->made[from];

    if (p->plan.barrier_rows > 0) left = MIN(left, p->plan.barrier_rows - p->made[from] % p->plan.barrier_rows);
    uint32_t n = MIN(left, (uint32_t)ROWS_AT_ONCE);
    batch_clear(b);
    batch_use_times(b);
    for (uint32_t i = 0; i < n; i++) {
        int64_t k = p->made[from] + i;
        char text[64];
        int size = snprintf(text, sizeof text, "row %lld of sender %u, in full", (long long)k, from);
        VECTOR_VALUES(&b->cols[0], int64_t)[i] = k;
        VECTOR_VALUES(&b->cols[1], int32_t)[i] = (int32_t)from;
        if (k % 7 == 0) vector_set_null(&b->cols[1], i);
        VECTOR_VALUES(&b->cols[2], struct text)[i] = text_put(&b->heap, text, (size_t)size);
        b->times[i] = k;
    }
    b->count = n;
    p->made[from] += n;
}

/* What a sender does in one phase; S_FULL: it stays in it. */
static enum status act(struct pair *p, uint32_t from)
{
    struct writer *w = p->writers[from];
    uint32_t made = p->made[from];
    bool at_barrier = p->plan.barrier_rows > 0 && made % p->plan.barrier_rows == 0;

    switch (p->phase[from]) {
    case MAKE: fill(p, from); return S_OK;
    case WRITE: return writer_batch(w, p->batches[from], false);
    case WATERMARK: return writer_control(w, ELEMENT_WATERMARK, (int64_t)made - 1);
    case BARRIER: return at_barrier ? writer_control(w, ELEMENT_BARRIER, made / p->plan.barrier_rows) : S_OK;
    case NEXT: return S_OK;
    case LAST_WATERMARK: return writer_control(w, ELEMENT_WATERMARK, WATERMARK_MAX);
    default: return writer_control(w, ELEMENT_END, 0);
    }
}

static bool send_turn(struct pair *p, uint32_t from)
{
    bool moved = false;

    while (p->phase[from] != OVER) {
        if (act(p, from) == S_FULL) break;
        moved = true;
        p->phase[from]++;
        if (p->phase[from] == NEXT + 1 && p->made[from] < p->plan.rows) {
            p->phase[from] = MAKE;
            break; /* one batch in a turn */
        }
    }
    if (p->phase[from] == MAKE || p->phase[from] == OVER) {
        enum status st = writer_flush(p->writers[from]);
        (void)st; /* what waits is sent with what comes */
    }
    return moved;
}

/* --- gates
 * ------------------------------------------------------------------------------------------------------------------
 * */
static void expect(struct pair *p, bool holds, const char *what)
{
    if (!holds && p->wrong == NULL) p->wrong = what;
}

static uint32_t receiver_of(const struct pair *p, int64_t k)
{
    uint64_t group = ((hash64_u64((uint64_t)k) >> 32) * 128) >> 32;

    return (uint32_t)(group * p->plan.receivers / 128);
}

static void take_row(struct pair *p, uint32_t to, const struct batch *b, uint32_t i)
{
    int64_t k = VECTOR_VALUES(&b->cols[0], int64_t)[i];
    struct str text = text_str(&VECTOR_VALUES(&b->cols[2], struct text)[i]);
    char wanted[64];
    uint32_t from = text.size > 15 ? (uint32_t)(text.data[text.size - 10] - '0') : PAIR_MAX;

    expect(p, from < p->plan.senders, "a row is of no sender");
    if (from >= PAIR_MAX) return;
    int size = snprintf(wanted, sizeof wanted, "row %lld of sender %u, in full", (long long)k, from);
    expect(p, str_equal(text, (struct str){wanted, (size_t)size}), "a text is another");
    expect(p, vector_is_null(&b->cols[1], i) == (k % 7 == 0), "a NULL is lost");
    expect(p, k % 7 == 0 || VECTOR_VALUES(&b->cols[1], int32_t)[i] == (int32_t)from, "a number is another");
    expect(p, batch_time(b, i) == k, "a time is another");
    expect(p, k > p->seen[to][from], "rows are out of order");
    expect(p, k > p->watermark[to], "a row is behind a watermark");
    expect(p, p->plan.barrier_rows == 0 || k / p->plan.barrier_rows == p->barrier[to],
           "a row is on the wrong side of a barrier");
    expect(p, p->plan.partitioner != PART_HASH || receiver_of(p, k) == to, "a row is at the wrong receiver");
    p->seen[to][from] = k;
    p->rows[to]++;
}

static bool take_turn(struct pair *p, uint32_t to)
{
    struct gate_event e;

    for (uint32_t n = 0; n < p->plan.takes; n++) {
        if (gate_next(p->gates[to], &e) != S_OK) return n > 0;
        expect(p, !p->has_ended[to], "an event behind the end");
        switch (e.kind) {
        case GATE_BATCH:
            for (uint32_t i = 0; i < e.batch->count; i++) take_row(p, to, e.batch, i);
            break;
        case GATE_WATERMARK:
            expect(p, e.value > p->watermark[to], "a watermark falls");
            p->watermark[to] = e.value;
            break;
        case GATE_BARRIER: expect(p, e.value == ++p->barrier[to], "a barrier is out of order"); break;
        case GATE_END: p->has_ended[to] = true; break;
        default: break;
        }
    }
    return true;
}

bool remote_pair_turn(struct pair *p)
{
    bool moved = false;

    for (uint32_t f = 0; f < p->plan.senders && !p->sides[0].is_gone; f++) moved |= send_turn(p, f);
    for (uint32_t t = 0; t < p->plan.receivers && !p->sides[1].is_gone; t++) moved |= take_turn(p, t);
    return moved;
}

bool remote_pair_has_ended(const struct pair *p)
{
    for (uint32_t t = 0; t < p->plan.receivers; t++)
        if (!p->has_ended[t]) return false;
    return true;
}

static void check_totals(struct pair *p)
{
    uint64_t total = 0, wanted = (uint64_t)p->plan.rows * p->plan.senders;

    for (uint32_t t = 0; t < p->plan.receivers; t++) {
        total += p->rows[t];
        expect(p, p->watermark[t] == WATERMARK_MAX, "the last watermark is lost");
        expect(p, p->plan.barrier_rows == 0 || p->barrier[t] == p->plan.rows / p->plan.barrier_rows,
               "a barrier is lost");
    }
    if (p->plan.partitioner == PART_BROADCAST) wanted *= p->plan.receivers;
    expect(p, total == wanted, "the number of rows is another");
}

const char *remote_pair_run(struct pair *p)
{
    for (int i = 0; i < 2; i++) remote_exchange_start(p->sides[i].exchange);
    while (!remote_pair_has_ended(p) && p->wrong == NULL) {
        for (int i = 0; i < 2; i++)
            if (sys_atomic_load(&p->sides[i].failures) > 0) return p->sides[i].why.text;
        if (!remote_pair_turn(p)) sys_park(p->sys, p->parker, INT64_C(1000000000));
    }
    if (p->wrong == NULL) check_totals(p);
    return p->wrong;
}

bool remote_pair_stop(struct pair *p, int side, int64_t wait_ns)
{
    p->sides[side].is_gone = true;
    return p->sides[side].exchange == NULL || remote_exchange_stop(p->sides[side].exchange, wait_ns);
}

bool remote_pair_close(struct pair *p, int64_t wait_ns)
{
    bool all = true;

    for (int i = 0; i < 2; i++) all &= remote_pair_stop(p, i, wait_ns);
    for (uint32_t t = 0; t < PAIR_MAX; t++) gate_free(p->gates[t]);
    for (uint32_t f = 0; f < PAIR_MAX; f++) {
        writer_free(p->writers[f]);
        batch_free(p->batches[f]);
        for (uint32_t t = 0; t < PAIR_MAX; t++) {
            channel_free(p->sent[f][t]);
            channel_free(p->received[f][t]);
        }
    }
    for (int i = 0; i < 2; i++) {
        remote_exchange_free(p->sides[i].exchange);
        remote_net_close(p->sides[i].net);
    }
    sys_parker_free(p->sys, p->parker);
    arena_release(&p->arena);
    mem_release(&p->mem);
    return all;
}
