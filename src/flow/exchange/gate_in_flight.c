/* gate_in_flight.c - barriers that overtake what lies in the channels, what they leave behind, and how that comes back.
 *
 * The idea: a barrier stands in its channel like everything else; it is the gate that looks for it there, instead of waiting until it
 * comes. Once one channel has it, the checkpoint may begin. What lies before it in the channels is then copied as bytes, and stays where it
 * is: it is answered afterwards as if nothing had happened. Of a channel that has not got the barrier yet, all is kept that is taken from it
 * until it has. Where the barrier comes to be read at last it says nothing any more.
 *
 * A channel that may not be overtaken has to bring the barrier in its order, and is held meanwhile, as when barriers are aligned.
 *
 * Restored items come back in channels of their own, one for each that there was. Until they are all read nothing is read from the
 * channels, and the watermark is the least of theirs: each begins with the one that its channel had, so it cannot overtake rows. Where
 * receivers are others than before, each takes the rows of its key groups from all old receivers that may have some. */
#include "flow/exchange/gate_internal.h"

#include "columns/column/batch_codec.h"
#include "ground/base/arena.h"

#include <string.h>

struct record {
    struct mem mem;
    struct arena arena;
    struct in_flight_item *items;
    uint32_t count, capacity;
    uint64_t bytes;
    enum status status; /* S_OK; E_BUDGET, E_CANCELED: it is no good */
    struct buf rows;
};

/* --- what is kept -------------------------------------------------------------------------------------------------------- */
static void record_item(struct gate *g, const struct gate_channel *c, enum in_flight_kind kind, int64_t value, struct str rows)
{
    struct record *r = g->record;

    if (r->status != S_OK) return;
    if (r->bytes + rows.size > IN_FLIGHT_BYTES_MAX) {
        r->status = E_BUDGET;
        return;
    }
    if (r->count == r->capacity) {
        r->capacity = MAX(r->capacity * 2, 64u);
        r->items = mem_realloc(&r->mem, r->items, sizeof *r->items * r->capacity);
    }
    if (rows.size > 0) rows.data = arena_strndup(&r->arena, rows.data, rows.size);
    r->bytes += rows.size;
    r->items[r->count++] = (struct in_flight_item){
        .kind = kind, .edge = c->origin->edge, .from = c->origin->from, .value = value, .rows = rows};
}

void gate_record(struct gate *g, const struct gate_channel *c, const struct element *e)
{
    struct record *r = g->record;

    switch (e->kind) {
    case ELEMENT_BATCH:
        buf_clear(&r->rows);
        batch_encode(e->batch, &r->rows);
        record_item(g, c, IN_FLIGHT_ROWS, e->batch->watermark, (struct str){r->rows.data, r->rows.size});
        break;
    case ELEMENT_WATERMARK: record_item(g, c, IN_FLIGHT_WATERMARK, e->value, (struct str){0}); break;
    case ELEMENT_STATUS: record_item(g, c, IN_FLIGHT_STATUS, e->value, (struct str){0}); break;
    case ELEMENT_BARRIER: /* of another checkpoint: not a part of this one */
    case ELEMENT_END:     /* who ended says so again */
    case ELEMENT_LATENCY: break;
    }
}

void gate_record_end(struct gate *g, struct gate_channel *c, int64_t barrier)
{
    if (barrier != 0 && barrier < g->recording) return; /* an earlier one, that was given up */
    if (barrier > g->recording && g->record->status == S_OK) g->record->status = E_CANCELED;
    c->is_recorded = false;
    g->recorded_channels--;
}

static void record_queue(struct gate *g, struct gate_channel *c, uint32_t count)
{
    struct element e;

    for (uint32_t i = 0; i < count && ring_peek(&c->channel->forward, i, &e); i++) gate_record(g, c, &e);
}

static void look_into(struct gate *g, struct gate_channel *c)
{
    uint32_t before;
    bool is_barrier;
    struct element e;

    if (!channel_find_barrier(c->channel, g->recording, &before, &is_barrier)) return;
    record_queue(g, c, before);
    bool is_there = ring_peek(&c->channel->forward, before, &e);
    ASSERT(is_there);
    gate_record_end(g, c, is_barrier ? e.value : 0);
}

void gate_look(struct gate *g)
{
    for (uint32_t i = 0; g->recorded_channels > 0 && i < g->channel_count; i++)
        if (g->channels[i].is_recorded) look_into(g, &g->channels[i]);
}

static void record_begin(struct gate *g, int64_t barrier)
{
    if (g->record == NULL) {
        g->record = mem_zalloc(g->mem, sizeof *g->record);
        mem_init(&g->record->mem, "in-flight data", 0);
        arena_init(&g->record->arena, &g->record->mem, 0);
        buf_init(&g->record->rows, &g->record->mem);
    }
    g->recording = barrier;
}

enum status gate_in_flight(const struct gate *g, struct in_flight *out)
{
    const struct record *r = g->record;

    *out = (struct in_flight){0};
    if (g->recording == 0) return S_OK;
    if (r->status != S_OK) return r->status;
    if (g->recorded_channels > 0) return S_IDLE;
    *out = (struct in_flight){r->items, r->count, r->bytes};
    return S_OK;
}

void gate_in_flight_drop(struct gate *g)
{
    struct record *r = g->record;

    if (r == NULL) return;
    for (uint32_t i = 0; i < g->channel_count; i++) g->channels[i].is_recorded = false;
    g->recording = 0;
    g->recorded_channels = 0;
    arena_release(&r->arena);
    mem_release(&r->mem);
    mem_free(g->mem, r);
    g->record = NULL;
}

/* --- overtaking ---------------------------------------------------------------------------------------------------------- */
void gate_overtake(struct gate *g, int64_t barrier)
{
    if (barrier > g->passed && !g->counts_barriers) g->hurried = barrier;
}

void gate_count_barriers(struct gate *g) { g->counts_barriers = true; }

static bool is_overtaken(const struct gate_channel *c) { return c->origin != NULL && c->origin->may_be_overtaken; }

/* Is the barrier in some channel, and has every one brought it that has to? */
static bool may_overtake(struct gate *g)
{
    bool any = false;

    for (uint32_t i = 0; i < g->channel_count; i++) {
        struct gate_channel *c = &g->channels[i];
        bool has_it = c->is_held && g->aligning == g->hurried, is_barrier = false;
        uint32_t before;
        if (c->is_finished) continue;
        if (!has_it && !is_overtaken(c)) return false;
        if (!has_it && channel_find_barrier(c->channel, g->hurried, &before, &is_barrier) && is_barrier) has_it = true;
        any |= has_it;
    }
    return any;
}

bool gate_can_overtake(struct gate *g)
{
    return g->hurried > g->passed && g->recording == 0 && g->real == NULL && may_overtake(g);
}

/* What the channel was like, and what lies in it. */
static void overtake(struct gate *g, struct gate_channel *c)
{
    if (c->is_finished || !is_overtaken(c)) return;
    record_item(g, c, c->is_idle ? IN_FLIGHT_IDLE : IN_FLIGHT_ACTIVE, c->watermark, (struct str){0});
    if (c->is_held && g->aligning == g->recording) return;
    c->is_recorded = true;
    g->recorded_channels++;
    look_into(g, c);
}

bool gate_try_overtake(struct gate *g)
{
    struct gate_event event = {.kind = GATE_BARRIER, .value = g->hurried, .has_overtaken = true};

    if (g->hurried <= g->passed) {
        g->hurried = 0;
        return false;
    }
    if (!gate_can_overtake(g)) return false;
    record_begin(g, g->hurried);
    for (uint32_t i = 0; i < g->channel_count; i++) overtake(g, &g->channels[i]);
    const struct channel *any = g->channels[0].channel;
    if (g->aligning == g->hurried && any->sys != NULL) event.waited_ns = sys_mono_ns(any->sys) - g->aligning_since_ns;
    gate_release_channels(g);
    gate_enqueue(g, &event);
    g->passed = g->hurried;
    g->hurried = 0;
    return true;
}

/* --- restoring ------------------------------------------------------------------------------------------------------------ */
struct restored {
    const struct in_flight_item **items;
    uint32_t count, at;
    const struct gate_channel *like; /* a channel of the same edge */
};

struct restored_items {
    struct mem mem;
    struct arena arena;
    struct in_flight_share share;
    struct gate_channel *channels; /* [channel_count] */
    struct restored *queues;       /* of them */
    uint32_t channel_count;
    struct err err;
};

static bool is_own_group(const struct in_flight_share *s, uint64_t hash)
{
    uint64_t group = ((hash >> 32) * s->max_parallelism) >> 32;

    return group * s->parallelism / s->max_parallelism == s->subtask;
}

/* May the old receiver `to` have had rows for this one? */
static bool is_of(const struct in_flight_share *s, const struct gate_channel *like, uint32_t to)
{
    if (!s->is_rescaled) return true;
    if (like->origin->keys == NULL) return to % s->parallelism == s->subtask;
    double slack = 2.0 / s->max_parallelism;
    double first = (double)to / s->parallelism_before, end = (double)(to + 1) / s->parallelism_before;
    return first - slack < (double)(s->subtask + 1) / s->parallelism && end + slack > (double)s->subtask / s->parallelism;
}

/* The rows whose key groups are this receiver's. */
static struct batch *own_rows(const struct gate *g, const struct channel_origin *o, struct batch *all)
{
    const struct in_flight_share *s = &g->restored->share;
    uint64_t hashes[BATCH_ROWS];
    uint16_t rows[BATCH_ROWS];
    uint32_t count = 0;

    if (!s->is_rescaled || o->keys == NULL) return all;
    batch_hash(all, o->keys, o->key_count, hashes);
    for (uint32_t i = 0; i < all->count; i++)
        if (is_own_group(s, hashes[i])) rows[count++] = (uint16_t)i;
    if (count == all->count) return all;
    struct batch *own = all;
    if (count > 0) {
        uint64_t *needed = mem_zalloc(g->mem, (all->col_count / 64 + 1) * sizeof *needed);
        for (uint32_t i = 0; i < all->col_count; i++)
            if (all->cols[i].form != VEC_ABSENT) bit_set(needed, i);
        own = batch_create_needed(all->schema, needed, count, g->mem);
        mem_free(g->mem, needed);
        batch_append(own, all, rows, count);
        own->watermark = all->watermark;
        batch_free(all);
        return own;
    }
    batch_clear(all);
    return all;
}

static enum status rows_decode(const struct gate *g, const struct gate_channel *like, const struct in_flight_item *i, struct batch **out,
                               struct err *e)
{
    const struct channel *c = like->channel;
    struct batch *b = batch_create_needed(c->schema, c->needed, BATCH_ROWS, g->mem);
    struct dec d;

    dec_init(&d, i->rows.data, i->rows.size);
    *out = b;
    if (batch_decode(&d, b, e) == S_OK && dec_left(&d) == 0 && b->count > 0) {
        b->watermark = i->value;
        return S_OK;
    }
    batch_free(b);
    err_set(e, E_DATA, "these are no rows of %u columns", c->schema->child_count);
    err_wrap(e, "in-flight data of input %u, edge %u", like->input + 1, like->origin->edge + 1);
    err_hint(e, "between a checkpoint with in-flight data and its restore a job keeps its plan: take a savepoint to change it");
    return E_DATA;
}

bool gate_take_restored(struct gate *g, struct gate_channel *c, struct element *out)
{
    struct restored *r = c->restored;
    struct err e = {0};

    while (r->at < r->count) {
        const struct in_flight_item *i = r->items[r->at++];
        *out = (struct element){.kind = i->kind == IN_FLIGHT_STATUS ? ELEMENT_STATUS : ELEMENT_WATERMARK, .value = i->value};
        if (i->kind != IN_FLIGHT_ROWS) return true;
        enum status st = rows_decode(g, r->like, i, &out->batch, &e);
        ASSERT(st == S_OK); /* they were looked at */
        out->kind = ELEMENT_BATCH;
        out->batch = own_rows(g, r->like->origin, out->batch);
        if (out->batch->count > 0) return true;
        batch_free(out->batch);
        if (i->value == TIME_MIN) continue;
        *out = (struct element){.kind = ELEMENT_WATERMARK, .value = i->value};
        return true;
    }
    return false;
}

bool gate_end_restored(struct gate *g)
{
    for (uint32_t i = 0; i < g->channel_count; i++)
        if (g->channels[i].restored->at < g->channels[i].restored->count) return false;
    g->channels = g->real;
    g->channel_count = g->real_count;
    g->real = NULL;
    g->next = 0;
    gate_in_flight_free(g);
    return true;
}

static const struct gate_channel *channel_like(const struct gate *g, uint32_t edge)
{
    for (uint32_t i = 0; i < g->channel_count; i++)
        if (g->channels[i].origin != NULL && g->channels[i].origin->edge == edge) return &g->channels[i];
    return NULL;
}

static bool is_begin(const struct in_flight_item *i) { return i->kind == IN_FLIGHT_ACTIVE || i->kind == IN_FLIGHT_IDLE; }

/* Items of one old channel follow each other once they are in the order of edge, sender, receiver; nothing changes within a channel. */
static bool is_before(const struct in_flight_item *a, const struct in_flight_item *b)
{
    if (a->edge != b->edge) return a->edge < b->edge;
    if (a->from != b->from) return a->from < b->from;
    return a->to < b->to;
}

static bool is_same_channel(const struct in_flight_item *a, const struct in_flight_item *b) { return !is_before(a, b) && !is_before(b, a); }

/* Stable, merge of neighbours, doubling. */
static void sort_items(const struct in_flight_item **items, const struct in_flight_item **room, uint32_t count)
{
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t from = 0; from < count; from += 2 * width) {
            uint32_t a = from, a_end = MIN(from + width, count), b = a_end, b_end = MIN(a_end + width, count);
            for (uint32_t i = from; i < b_end; i++) {
                bool is_left = a < a_end && (b >= b_end || !is_before(items[b], items[a]));
                room[i] = is_left ? items[a++] : items[b++];
            }
        }
        memcpy(items, room, sizeof *items * count);
    }
}

static enum status items_copy(struct gate *g, const struct in_flight *all, const struct in_flight_item ***out, uint32_t *count, struct err *e)
{
    struct restored_items *r = g->restored;
    const struct in_flight_item **items = ARENA_ARRAY(&r->arena, const struct in_flight_item *, all->count + 1);
    const struct in_flight_item **room = ARENA_ARRAY(&r->arena, const struct in_flight_item *, all->count + 1);

    *count = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct in_flight_item *from = &all->items[i];
        const struct gate_channel *like = channel_like(g, from->edge);
        struct batch *rows = NULL;
        if (like == NULL || from->kind >= IN_FLIGHT_KINDS)
            return err_set(e, E_DATA, "in-flight data of edge %u, which the operator does not have", from->edge + 1);
        if (!is_of(&r->share, like, from->to)) continue;
        if (from->kind == IN_FLIGHT_ROWS) TRY(rows_decode(g, like, from, &rows, e));
        batch_free(rows);
        struct in_flight_item *item = ARENA_NEW(&r->arena, struct in_flight_item);
        *item = *from;
        if (item->rows.size > 0) item->rows.data = arena_strndup(&r->arena, from->rows.data, from->rows.size);
        items[(*count)++] = item;
    }
    sort_items(items, room, *count);
    *out = items;
    return S_OK;
}

static void add_channel(struct restored_items *r, const struct gate_channel *like, const struct in_flight_item **items, uint32_t count)
{
    struct restored *queue = &r->queues[r->channel_count];

    *queue = (struct restored){.items = items, .count = count, .like = like};
    r->channels[r->channel_count++] = (struct gate_channel){.input = like->input, .watermark = TIME_MIN, .restored = queue};
}

/* Each run of items is a channel, whose first item says how it was. */
static enum status make_channels(struct gate *g, const struct in_flight_item **items, uint32_t count, struct err *e)
{
    struct restored_items *r = g->restored;
    uint32_t room = 1;

    for (uint32_t i = 0; i < count; i++) room += is_begin(items[i]);
    r->channels = ARENA_ARRAY(&r->arena, struct gate_channel, room);
    r->queues = ARENA_ARRAY(&r->arena, struct restored, room);
    for (uint32_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && is_same_channel(items[i], items[next]) && !is_begin(items[next]);) next++;
        if (!is_begin(items[i])) return err_set(e, E_DATA, "in-flight data of a channel that does not begin");
        add_channel(r, channel_like(g, items[i]->edge), items + i + 1, next - i - 1);
        struct gate_channel *c = &r->channels[r->channel_count - 1];
        c->watermark = items[i]->value;
        c->is_idle = items[i]->kind == IN_FLIGHT_IDLE;
    }
    if (r->share.watermark == INT64_MAX) return S_OK;
    add_channel(r, &g->channels[0], NULL, 0);
    r->channels[r->channel_count - 1].watermark = r->share.watermark;
    return S_OK;
}

enum status gate_restore_in_flight(struct gate *g, const struct in_flight *all, const struct in_flight_share *share, struct err *e)
{
    const struct in_flight_item **items = NULL;
    uint32_t count = 0;

    ASSERT(g->restored == NULL && g->real == NULL);
    if (all->count == 0) return S_OK;
    g->restored = mem_zalloc(g->mem, sizeof *g->restored);
    mem_init(&g->restored->mem, "in-flight data", 0);
    arena_init(&g->restored->arena, &g->restored->mem, 0);
    g->restored->share = *share;
    TRY(items_copy(g, all, &items, &count, e));
    if (count == 0) return S_OK;
    TRY(make_channels(g, items, count, e));
    g->real = g->channels;
    g->real_count = g->channel_count;
    g->channels = g->restored->channels;
    g->channel_count = g->restored->channel_count;
    return S_OK;
}

void gate_in_flight_free(struct gate *g)
{
    struct restored_items *r = g->restored;

    if (g->real != NULL) {
        g->channels = g->real;
        g->real = NULL;
    }
    if (r != NULL) {
        arena_release(&r->arena);
        mem_release(&r->mem);
        mem_free(g->mem, r);
    }
    g->restored = NULL;
    gate_in_flight_drop(g);
}
