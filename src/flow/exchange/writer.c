/* writer.c - the sending end of one edge: decides the channel of each row, fills one builder per channel, sends it when
 * it is full, when control has to follow, or when the task is about to wait.
 *
 * A call that runs out of credit keeps its place (`at`) and answers S_FULL; called again with the same batch it goes on
 * there. Invariants: order is kept per channel; equal keys always go to one channel; a watermark that follows rows rides
 * in the header of their batch, so it can never overtake them nor be overtaken by later rows.
 *
 * A plan with a timeout (Flink's buffer timeout) lets rows lie in builders through flushes until it has passed. */
#include "flow/exchange/channel.h"

#include <string.h>

enum { SCATTER_ROWS_MIN = 64, TRAVERSE_MAX = 4 };
#define NS_PER_MS INT64_C(1000000)

struct writer {
    struct writer_plan plan;
    struct channel *const *channels;
    uint32_t channel_count;
    struct mem *mem;
    struct prng prng;
    uint32_t next;     /* rebalance, rescale, adaptive: whose turn it is */
    bool has_waiting;  /* plan.has_timeout: rows lie in builders, the first of them since... */
    int64_t waiting_since_ns;
    bool busy;         /* a batch is half written */
    bool control_busy; /* a control element is half written: channels before `at` have it */
    uint32_t at, done; /* channel being served, rows of it already taken */
    uint16_t *rows;    /* rows of the batch, grouped by channel */
    uint32_t *starts;  /* [channel_count + 1] first row of each group */
    uint32_t *targets; /* channel of each selected row */
    uint64_t *hashes;
};

const char *const partitioner_names[PART_COUNT] = {"FORWARD", "HASH",    "REBALANCE", "RESCALE", "BROADCAST",
                                                   "GLOBAL",  "SHUFFLE", "CUSTOM",    "ADAPTIVE"};

struct writer *writer_create(const struct writer_plan *plan, struct channel *const *channels, uint32_t channel_count,
                             struct mem *mem)
{
    struct writer *w = mem_zalloc(mem, sizeof *w);

    ASSERT(channel_count >= 1);
    ASSERT(plan->partitioner != PART_HASH || plan->key_count > 0);
    w->plan = *plan;
    w->channels = channels;
    w->channel_count = channel_count;
    w->mem = mem;
    w->rows = mem_alloc(mem, sizeof *w->rows * BATCH_ROWS);
    w->starts = mem_zalloc(mem, sizeof *w->starts * (channel_count + 1));
    w->targets = mem_alloc(mem, sizeof *w->targets * BATCH_ROWS);
    w->hashes = mem_alloc(mem, sizeof *w->hashes * BATCH_ROWS);
    w->next = plan->subtask % channel_count;
    prng_init(&w->prng, plan->seed + plan->subtask);
    return w;
}

void writer_set_custom(struct writer *w, partition_fn custom, void *arg)
{
    ASSERT(w->plan.partitioner == PART_CUSTOM && custom != NULL);
    w->plan.custom = custom;
    w->plan.custom_arg = arg;
}

void writer_free(struct writer *w)
{
    if (w == NULL) return;
    mem_free(w->mem, w->rows);
    mem_free(w->mem, w->starts);
    mem_free(w->mem, w->targets);
    mem_free(w->mem, w->hashes);
    mem_free(w->mem, w);
}

/* --- which channel -------------------------------------------------------------------------------------------------- */
static enum status hash_targets(struct writer *w, const struct batch *in, uint32_t n)
{
    uint64_t parallelism = w->channel_count, max = w->plan.max_parallelism;

    batch_hash(in, w->plan.keys, w->plan.key_count, w->hashes);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t key_group = ((w->hashes[i] >> 32) * max) >> 32;
        w->targets[i] = (uint32_t)(key_group * parallelism / max);
    }
    return S_OK;
}

/* One run of rows per channel, in turn: as even as dealing row by row, at the cost of one copy per channel. */
static enum status deal_targets(struct writer *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) w->targets[i] = (w->next + i * w->channel_count / n) % w->channel_count;
    w->next = (w->next + n) % w->channel_count;
    return S_OK;
}

static enum status shuffle_targets(struct writer *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) w->targets[i] = (uint32_t)prng_below(&w->prng, w->channel_count);
    return S_OK;
}

/* Is `a` less busy than `b`? By batches under way, then by rows that wait for theirs to fill. */
static bool is_idler(struct channel *a, struct channel *b)
{
    uint32_t sent_a = ring_count(&a->forward), sent_b = ring_count(&b->forward);

    if (sent_a != sent_b) return sent_a < sent_b;
    return (a->open != NULL ? a->open->count : 0) < (b->open != NULL ? b->open->count : 0);
}

static uint32_t looked_at(const struct writer *w)
{
    return MIN(w->plan.traverse_max > 0 ? w->plan.traverse_max : TRAVERSE_MAX, w->channel_count);
}

/* The idlest of the channels from the cursor on; the first of equals, so that idle ones are served in turn. */
static uint32_t idlest(const struct writer *w)
{
    uint32_t best = w->next;

    for (uint32_t k = 1; k < looked_at(w); k++) {
        uint32_t c = (w->next + k) % w->channel_count;
        if (is_idler(w->channels[c], w->channels[best])) best = c;
    }
    return best;
}

static enum status choose_targets(struct writer *w, const struct batch *in, uint32_t n)
{
    switch (w->plan.partitioner) {
    case PART_HASH: return hash_targets(w, in, n);
    case PART_REBALANCE:
    case PART_RESCALE: return deal_targets(w, n);
    case PART_SHUFFLE: return shuffle_targets(w, n);
    case PART_CUSTOM: return w->plan.custom(w->plan.custom_arg, in, w->channel_count, w->targets);
    default: memset(w->targets, 0, sizeof *w->targets * n); return S_OK;
    }
}

/* Counting sort of the selected rows by target: order within a target stays. */
static void group_rows(struct writer *w, const struct batch *in, uint32_t n)
{
    uint32_t *starts = w->starts;

    memset(starts, 0, sizeof *starts * (w->channel_count + 1));
    for (uint32_t i = 0; i < n; i++) starts[w->targets[i] + 1]++;
    for (uint32_t c = 0; c < w->channel_count; c++) starts[c + 1] += starts[c];
    for (uint32_t i = 0; i < n; i++) w->rows[starts[w->targets[i]]++] = (uint16_t)batch_row(in, i);
    for (uint32_t c = w->channel_count; c > 0; c--) starts[c] = starts[c - 1];
    starts[0] = 0;
}

/* --- into the builders ------------------------------------------------------------------------------------------------ */
/* Appends rows until done or out of credit; *done counts them. */
static enum status channel_append(struct channel *c, const struct batch *in, const uint16_t *rows, uint32_t count,
                                  uint32_t *done)
{
    if (!channel_send_held(c)) return S_FULL;
    while (*done < count) {
        if (c->open == NULL && (c->open = channel_shell(c)) == NULL) return S_FULL;
        uint32_t n = MIN(count - *done, c->open->capacity - c->open->count);
        batch_append(c->open, in, rows + *done, n);
        *done += n;
        if (c->open->count == c->open->capacity || c->open->heap.used >= c->heap_bytes) channel_send_open(c);
    }
    return S_OK;
}

static enum status write_groups(struct writer *w, const struct batch *in)
{
    for (; w->at < w->channel_count; w->at++, w->done = 0) {
        uint32_t first = w->starts[w->at], count = w->starts[w->at + 1] - first;
        TRY(channel_append(w->channels[w->at], in, w->rows + first, count, &w->done));
    }
    return S_OK;
}

/* Few rows over many channels: row by row, never a walk over all channels. */
static enum status write_rows(struct writer *w, const struct batch *in, uint32_t n)
{
    for (; w->at < n; w->at++, w->done = 0) {
        uint16_t row = (uint16_t)batch_row(in, w->at);
        TRY(channel_append(w->channels[w->targets[w->at]], in, &row, 1, &w->done));
    }
    return S_OK;
}

static void list_rows(struct writer *w, const struct batch *in, uint32_t n)
{
    for (uint32_t i = 0; !w->busy && i < n; i++) w->rows[i] = (uint16_t)batch_row(in, i);
    w->busy = true;
}

/* To the idlest channel; what it has no credit for goes to any other that was compared. Without credit in any, a shell that
 * comes back from any of them wakes the sender, for each was asked. */
static enum status write_idlest(struct writer *w, const struct batch *in, uint32_t n)
{
    uint32_t best = idlest(w), first = w->next;
    enum status st;

    list_rows(w, in, n);
    st = channel_append(w->channels[best], in, w->rows, n, &w->done);
    w->next = (best + 1) % w->channel_count;
    for (uint32_t k = 0; st == S_FULL && k < looked_at(w); k++)
        st = channel_append(w->channels[(first + k) % w->channel_count], in, w->rows, n, &w->done);
    return st;
}

/* Every channel gets all rows. */
static enum status write_all(struct writer *w, const struct batch *in, uint32_t n)
{
    list_rows(w, in, n);
    for (; w->at < w->channel_count; w->at++, w->done = 0)
        TRY(channel_append(w->channels[w->at], in, w->rows, n, &w->done));
    return S_OK;
}

/* A whole batch for one channel goes over by exchanging buffers with an empty shell. */
static bool hand_over(struct writer *w, struct batch *in)
{
    struct channel *c = w->channels[0];

    if (in->sel != NULL || in->count < SCATTER_ROWS_MIN || in->capacity != c->batch_rows || in->mem != c->mem)
        return false;
    for (uint32_t i = 0; i < in->col_count; i++)
        if (in->cols[i].form != VEC_FLAT && in->cols[i].form != VEC_ABSENT) return false;
    channel_send_open(c);
    if (!channel_send_held(c)) return false;
    if (c->open == NULL && (c->open = channel_shell(c)) == NULL) return false;
    for (uint32_t i = 0; i < in->col_count; i++)
        if (in->cols[i].form != c->open->cols[i].form) return false;
    batch_swap(in, c->open);
    in->watermark = c->open->watermark = TIME_MIN;
    channel_send_open(c);
    return true;
}

/* A batch is written: its last rows begin to wait, or go at once. */
static void note_waiting(struct writer *w)
{
    if (w->plan.timeout_ms == 0) {
        for (uint32_t i = 0; i < w->channel_count; i++) channel_send_open(w->channels[i]);
    } else if (!w->has_waiting) {
        w->has_waiting = true;
        w->waiting_since_ns = sys_mono_ns(w->channels[0]->sys);
    }
}

enum status writer_batch(struct writer *w, struct batch *in, bool may_take)
{
    uint32_t n = batch_rows(in);
    bool few = n < SCATTER_ROWS_MIN && w->channel_count > 4;

    ASSERT(!w->control_busy);
    if (n == 0) return S_OK;
    if (w->plan.partitioner == PART_BROADCAST || w->channel_count == 1) {
        if (!w->busy && w->channel_count == 1 && may_take && hand_over(w, in)) return S_OK;
        TRY(write_all(w, in, n));
    } else if (w->plan.partitioner == PART_ADAPTIVE) {
        TRY(write_idlest(w, in, n));
    } else {
        if (!w->busy) {
            TRY(choose_targets(w, in, n));
            if (!few) group_rows(w, in, n);
            w->busy = true;
        }
        TRY(few ? write_rows(w, in, n) : write_groups(w, in));
    }
    w->busy = false;
    w->at = w->done = 0;
    if (w->plan.has_timeout) note_waiting(w);
    return S_OK;
}

/* --- control --------------------------------------------------------------------------------------------------------- */
static bool send_control(struct channel *c, const struct element *e, int64_t now_ns)
{
    if (e->kind == ELEMENT_WATERMARK) return channel_send_watermark(c, e->value, now_ns);
    channel_send_open(c);
    if (e->kind == ELEMENT_BARRIER) return channel_send_barrier(c, e);
    return channel_send_held(c) && channel_send_control(c, e);
}

void writer_overdraw(struct writer *w, bool is_on)
{
    for (uint32_t i = 0; i < w->channel_count; i++) w->channels[i]->overdraws = is_on;
}

enum status writer_control(struct writer *w, enum element_kind kind, int64_t value)
{
    struct element e = {.kind = kind, .value = value};
    int64_t now_ns = kind == ELEMENT_WATERMARK && value != WATERMARK_MAX ? sys_mono_ns(w->channels[0]->sys) : 0;

    ASSERT(!w->busy && kind != ELEMENT_BATCH);
    w->control_busy = true;
    for (; w->at < w->channel_count; w->at++)
        if (!send_control(w->channels[w->at], &e, now_ns)) return S_FULL;
    w->control_busy = w->has_waiting = false;
    w->at = 0;
    return S_OK;
}

int64_t writer_wait_ns(const struct writer *w)
{
    if (!w->has_waiting || w->plan.timeout_ms == WRITER_FULL_ONLY) return INT64_MAX;
    return MAX(INT64_C(0), w->waiting_since_ns + w->plan.timeout_ms * NS_PER_MS - sys_mono_ns(w->channels[0]->sys));
}

enum status writer_flush(struct writer *w)
{
    enum status st = S_OK;
    bool may_wait = w->has_waiting && (w->plan.timeout_ms == WRITER_FULL_ONLY || writer_wait_ns(w) > 0);

    if (!may_wait) w->has_waiting = false;
    for (uint32_t i = 0; i < w->channel_count; i++) {
        if (!may_wait) channel_send_open(w->channels[i]);
        if (!channel_send_held(w->channels[i])) st = S_FULL;
    }
    return st;
}
