/* gate.c - the receiving end of a task: takes elements from its channels in turn and answers them as events, with the
 * watermark minimum, idleness and the end of inputs worked out.
 *
 * A channel is active, idle or finished. The watermark is the minimum over active channels; idle ones do not hold it
 * back and finished ones do not count at all, so a finished channel beside an idle one never looks like progress. The
 * minimum only rises. When every channel that is left is idle the gate is idle. A batch is lent until the next call.
 *
 * Barriers hold their channel until the others bring theirs: rows behind a barrier stay in the ring, where they hold up their
 * sender, and nobody else. A barrier that is not to wait overtakes what lies in the channels: gate_in_flight.c.
 *
 * Many senders, or one that is ahead, make small batches; those that lie ready are copied into one, so that what a batch
 * costs an operator is paid once. The copy ends before whatever must keep its place: an event, or a watermark behind rows. */
#include "flow/exchange/gate_internal.h"

#include "ground/sys/sys_crash.h"

#include <string.h>

enum { SMALL_ROWS = 64 };

struct gate *gate_create(const struct gate_input *inputs, uint32_t input_count, struct mem *mem, uint64_t seed)
{
    struct gate *g = mem_zalloc(mem, sizeof *g);
    uint32_t total = 0;

    ASSERT(input_count >= 1);
    for (uint32_t i = 0; i < input_count; i++) total += inputs[i].channel_count;
    ASSERT(total >= 1);
    g->mem = mem;
    g->input_count = g->open_inputs = input_count;
    g->watermark = TIME_MIN;
    g->channels = mem_zalloc(mem, sizeof *g->channels * total);
    g->open_channels = mem_zalloc(mem, sizeof *g->open_channels * input_count);
    g->merges = mem_zalloc(mem, sizeof *g->merges * input_count);
    for (uint32_t i = 0; i < input_count; i++) {
        g->open_channels[i] = inputs[i].channel_count;
        for (uint32_t c = 0; c < inputs[i].channel_count; c++)
            g->channels[g->channel_count++] =
                (struct gate_channel){.channel = inputs[i].channels[c],
                                      .input = i,
                                      .watermark = TIME_MIN,
                                      .origin = inputs[i].origins != NULL ? &inputs[i].origins[c] : NULL};
    }
    g->pick_random = seed != 0;
    prng_init(&g->prng, seed);
    return g;
}

/* A restored batch is nobody's shell. */
static void give_back(struct gate_channel *c, struct batch *b)
{
    if (c->restored != NULL) batch_free(b);
    else channel_give_back(c->channel, b);
}

void gate_free(struct gate *g)
{
    if (g == NULL) return;
    if (g->lent != NULL) give_back(g->lender, g->lent);
    gate_in_flight_free(g);
    for (uint32_t i = 0; i < g->input_count; i++) batch_free(g->merges[i]);
    mem_free(g->mem, g->merges);
    mem_free(g->mem, g->open_channels);
    mem_free(g->mem, g->channels);
    mem_free(g->mem, g);
}

void gate_restore(struct gate *g, int64_t watermark) { g->watermark = watermark; }

void gate_enqueue(struct gate *g, const struct gate_event *e)
{
    ASSERT(g->queued < COUNT_OF(g->queue));
    g->queue[g->queued++] = *e;
}

static void enqueue(struct gate *g, enum gate_event_kind kind, uint32_t input, int64_t value)
{
    gate_enqueue(g, &(struct gate_event){.kind = kind, .input = input, .value = value});
}

/* Works out the minimum and idleness again after one channel changed, and queues what became new. */
void gate_merge_time(struct gate *g)
{
    int64_t least = INT64_MAX;
    uint32_t active = 0, waiting = 0;

    for (uint32_t i = 0; i < g->channel_count; i++) {
        const struct gate_channel *c = &g->channels[i];
        if (c->is_finished) continue;
        if (c->is_idle) {
            waiting++;
            continue;
        }
        active++;
        least = MIN(least, c->watermark);
    }
    bool is_idle = active == 0 && waiting > 0;
    if (is_idle != g->is_idle) {
        g->is_idle = is_idle;
        enqueue(g, GATE_STATUS, 0, is_idle);
    }
    if (active > 0 && least > g->watermark) {
        g->watermark = least;
        enqueue(g, GATE_WATERMARK, 0, least);
    }
}

/* --- barriers ---------------------------------------------------------------------------------------------------------- */
static int64_t now_ns(const struct gate_channel *c) { return c->channel->sys != NULL ? sys_mono_ns(c->channel->sys) : 0; }

void gate_release_channels(struct gate *g)
{
    for (uint32_t i = 0; i < g->channel_count; i++) g->channels[i].is_held = false;
    g->aligning = 0;
}

/* Has every channel that is left brought the barrier? */
static void align(struct gate *g, const struct gate_channel *last)
{
    if (g->aligning == 0) return;
    for (uint32_t i = 0; i < g->channel_count; i++)
        if (!g->channels[i].is_held && !g->channels[i].is_finished) return;
    enqueue(g, GATE_BARRIER, 0, g->aligning);
    g->queue[g->queued - 1].waited_ns = now_ns(last) - g->aligning_since_ns;
    g->passed = g->aligning;
    gate_release_channels(g);
}

/* --- barriers that only count */
/* The lowest barrier that every channel that is left has brought, or a later one. */
static void count_up(struct gate *g, const struct gate_channel *last)
{
    int64_t least = INT64_MAX;

    for (uint32_t i = 0; i < g->channel_count; i++)
        if (!g->channels[i].is_finished) least = MIN(least, g->channels[i].counted);
    if (least == INT64_MAX || least <= g->passed) return;
    enqueue(g, GATE_BARRIER, 0, least);
    g->queue[g->queued - 1].waited_ns = now_ns(last) - g->aligning_since_ns;
    g->passed = least;
    g->aligning = 0;
}

static void count_barrier(struct gate *g, struct gate_channel *c, int64_t checkpoint)
{
    if (g->aligning == 0) {
        g->aligning = checkpoint;
        g->aligning_since_ns = now_ns(c);
    }
    c->counted = checkpoint;
    count_up(g, c);
}

static void take_barrier(struct gate *g, struct gate_channel *c, int64_t checkpoint)
{
    ASSERT(checkpoint > 0);
    if (c->is_recorded) gate_record_end(g, c, checkpoint);
    if (checkpoint < g->aligning || checkpoint <= g->passed) return; /* given up already, or it overtook */
    if (g->counts_barriers) {
        count_barrier(g, c, checkpoint);
        return;
    }
    if (checkpoint > g->aligning) {
        gate_release_channels(g);
        g->aligning = checkpoint;
        g->aligning_since_ns = now_ns(c);
    }
    c->is_held = true;
    if (c->channel->sys != NULL) sys_crash_point(c->channel->sys, CRASH_C4);
    align(g, c);
}

/* A finished channel has said its last watermark. When it was the last one, that is the end of time. */
static void channel_finished(struct gate *g, struct gate_channel *c)
{
    ASSERT(!c->is_finished);
    c->is_finished = true;
    if (c->is_recorded) gate_record_end(g, c, 0);
    bool input_done = --g->open_channels[c->input] == 0;
    if (input_done && g->open_inputs == 1) {
        if (c->watermark > g->watermark) {
            g->watermark = c->watermark;
            enqueue(g, GATE_WATERMARK, 0, g->watermark);
        }
    } else {
        gate_merge_time(g);
    }
    if (input_done) enqueue(g, GATE_END_INPUT, c->input, 0);
    if (input_done && --g->open_inputs == 0) enqueue(g, GATE_END, 0, 0);
    if (g->counts_barriers) count_up(g, c);
    else align(g, c);
}

static void take_watermark(struct gate *g, struct gate_channel *c, int64_t watermark)
{
    if (watermark <= c->watermark) return;
    c->watermark = watermark;
    gate_merge_time(g);
}

static void take_element(struct gate *g, struct gate_channel *c, const struct element *e)
{
    if (c->is_recorded) gate_record(g, c, e);
    switch (e->kind) {
    case ELEMENT_BATCH:
        if (c->is_idle) { /* rows make a channel active again */
            c->is_idle = false;
            gate_merge_time(g);
        }
        g->lender = c;
        g->lent = e->batch;
        g->lent_seen = false;
        break;
    case ELEMENT_WATERMARK:
        c->is_idle = false;
        take_watermark(g, c, e->value);
        break;
    case ELEMENT_STATUS:
        c->is_idle = e->value != 0;
        gate_merge_time(g);
        break;
    case ELEMENT_BARRIER: take_barrier(g, c, e->value); break;
    case ELEMENT_LATENCY: enqueue(g, GATE_LATENCY, c->input, e->value); break;
    case ELEMENT_END: channel_finished(g, c); break;
    }
}

static bool queue_pop(struct gate *g, struct gate_event *out)
{
    if (g->queue_at == g->queued) {
        g->queue_at = g->queued = 0;
        return false;
    }
    *out = g->queue[g->queue_at++];
    return true;
}

/* The lent batch goes back; the watermark of its header takes effect after its rows. */
static void return_lent(struct gate *g)
{
    int64_t watermark = g->lent->watermark;
    struct gate_channel *c = g->lender;

    give_back(c, g->lent);
    g->lent = NULL;
    take_watermark(g, c, watermark);
}

static bool take_next(struct gate *g)
{
    uint32_t start = g->pick_random ? (uint32_t)prng_below(&g->prng, g->channel_count) : g->next;
    struct element e;

    for (uint32_t k = 0; k < g->channel_count; k++) {
        uint32_t i = (start + k) % g->channel_count;
        struct gate_channel *c = &g->channels[i];
        if (c->is_finished || c->is_held) continue;
        if (c->restored != NULL ? !gate_take_restored(g, c, &e) : !channel_take(c->channel, &e)) continue;
        g->next = (i + 1) % g->channel_count;
        take_element(g, c, &e);
        return true;
    }
    return false;
}

/* --- small batches ---------------------------------------------------------------------------------------------------- */
static bool is_small(const struct batch *b) { return b->count <= SMALL_ROWS && b->count <= b->capacity / 2; }

static struct batch *merge_create(struct gate *g, const struct batch *like)
{
    uint64_t *needed = mem_zalloc(g->mem, (like->col_count / 64 + 1) * sizeof *needed);

    for (uint32_t i = 0; i < like->col_count; i++)
        if (like->cols[i].form != VEC_ABSENT) bit_set(needed, i);
    struct batch *b = batch_create_needed(like->schema, needed, like->capacity, g->mem);
    mem_free(g->mem, needed);
    return b;
}

/* Copies the rows; the shell goes back at once. */
static void merge_in(struct gate *g, struct gate_channel *c, struct batch *b)
{
    if (g->merges[c->input] == NULL) g->merges[c->input] = merge_create(g, b);
    g->merged = g->merges[c->input];
    g->merged_input = c->input;
    g->merged_last = c;
    g->merged_watermark = b->watermark;
    g->merged_seen = false;
    batch_append(g->merged, b, NULL, 0);
    give_back(c, b);
}

static bool merge_fits(const struct gate *g, const struct gate_channel *c, const struct batch *b)
{
    return is_small(b) && c->input == g->merged_input && g->merged->count + b->count <= g->merged->capacity &&
           g->merged->heap.used + b->heap.used <= BATCH_BYTES;
}

/* A small batch was taken. What else lies ready joins it, up to the first event, the first watermark behind rows, or a
 * batch that does not fit; alone it stays where it is, uncopied. */
static void merge_small(struct gate *g)
{
    struct gate_channel *first_lender = g->lender;
    struct batch *first = g->lent;

    if (!is_small(first) || first->watermark != TIME_MIN) return;
    g->lent = NULL;
    if (!take_next(g)) {
        g->lender = first_lender;
        g->lent = first;
        return;
    }
    merge_in(g, first_lender, first);
    while (g->queued == 0) {
        if (g->lent != NULL) {
            if (!merge_fits(g, g->lender, g->lent)) return;
            merge_in(g, g->lender, g->lent);
            g->lent = NULL;
            if (g->merged_watermark != TIME_MIN) return;
        }
        if (!take_next(g)) return;
    }
}

static void return_merged(struct gate *g)
{
    batch_clear(g->merged);
    g->merged = NULL;
    take_watermark(g, g->merged_last, g->merged_watermark);
}

enum status gate_next(struct gate *g, struct gate_event *out)
{
    if (g->merged != NULL && g->merged_seen) return_merged(g);
    if (g->lent != NULL && g->lent_seen) return_lent(g);
    for (;;) {
        if (g->merged != NULL) {
            g->merged_seen = true;
            *out = (struct gate_event){.kind = GATE_BATCH, .input = g->merged_input, .batch = g->merged};
            return S_OK;
        }
        if (queue_pop(g, out)) return S_OK;
        if (g->lent != NULL) {
            g->lent_seen = true;
            *out = (struct gate_event){.kind = GATE_BATCH, .input = g->lender->input, .batch = g->lent};
            return S_OK;
        }
        if (g->hurried != 0 && gate_try_overtake(g)) continue;
        if (!take_next(g)) {
            if (g->real != NULL && gate_end_restored(g)) continue;
            return S_IDLE;
        }
        if (g->lent != NULL && g->queued == 0) merge_small(g);
    }
}
