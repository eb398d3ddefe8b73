/* task_in_flight.c - see task_in_flight.h.
 *
 * The idea: every task hears of a checkpoint when it is ordered. From then on, or where the alignment has a timeout, from its end on, the
 * checkpoint hurries: the gate looks for its barrier instead of waiting for it, and a task that has it, or is a source, and is
 * in the midst of something gets shells beyond its own, so that it comes to the end of that although those behind it are full.
 *
 * In-flight data are saved as the operator state of a host of their own, a union list: so they are chunks like all others
 * (docs/formats/in_flight.md), and whoever restores gets all of those that may be its own. They are saved last, when every channel has
 * brought the barrier; the task goes on meanwhile. A savepoint never hurries. */
#include "flow/task/task_in_flight.h"

#include "columns/column/type.h"
#include "flow/state/snapshot.h"
#include "flow/state/state.h"
#include "flow/state/view.h"
#include "ground/base/str.h"

#define ITEM_ROW                                                                                                       \
    "ROW<edge BIGINT NOT NULL, sender BIGINT NOT NULL, receiver BIGINT NOT NULL, kind BIGINT NOT NULL, "               \
    "`value` BIGINT NOT NULL, `rows` BYTES NOT NULL>"
enum { COL_EDGE, COL_SENDER, COL_RECEIVER, COL_KIND, COL_VALUE, COL_ROWS };
enum { ITEM_ROWS = 16 };

struct in_flight_host {
    struct state_host host; /* first */
    struct arena arena;
    struct opstate *state;
    struct err err;
};

/* --- hurrying -------------------------------------------------------------------------------------------------------------- */
/* The barrier that was ordered, has not come and may overtake; 0: none. */
static int64_t awaited(const struct task *t)
{
    int64_t word = (int64_t)sys_atomic_load(&t->barrier.ordered), checkpoint = barrier_checkpoint(word);

    if (!t->plan->is_unaligned || checkpoint <= t->barrier.seen || word == barrier_word(checkpoint, true)) return 0;
    return word;
}

static bool hurries(const struct task *t)
{
    const struct barrier *b = &t->barrier;

    return sys_mono_ns(t->sys) - b->noticed_ns >= t->plan->aligned_timeout_ms * INT64_C(1000000);
}

static void overdraw(struct task *t, bool is_on)
{
    for (uint32_t i = 0; t->barrier.overdraws != is_on && i < t->plan->output_count; i++) writer_overdraw(t->writers[i], is_on);
    t->barrier.overdraws = is_on;
}

void in_flight_look(struct task *t)
{
    struct barrier *b = &t->barrier;
    int64_t word = awaited(t);

    if (t->gate != NULL) gate_look(t->gate);
    if (word == 0) return;
    if (b->noticed != word) {
        b->noticed = word;
        b->noticed_ns = sys_mono_ns(t->sys);
    }
    if (!hurries(t)) return;
    b->hurried = word;
    if (t->gate != NULL) gate_overtake(t->gate, word);
    if (t->gate == NULL || t->input_ended || gate_can_overtake(t->gate)) overdraw(t, true);
}

void in_flight_forwarded(struct task *t) { overdraw(t, false); }

int64_t in_flight_deadline_ms(const struct task *t)
{
    const struct barrier *b = &t->barrier;
    int64_t word = awaited(t), left_ns;

    if (word == 0 || b->noticed != word || b->hurried == word) return INT64_MAX;
    left_ns = b->noticed_ns + t->plan->aligned_timeout_ms * INT64_C(1000000) - sys_mono_ns(t->sys);
    return sys_wall_ms(t->sys) + (MAX(left_ns, 0) + 999999) / 1000000;
}

/* --- the host ---------------------------------------------------------------------------------------------------------------- */
static int64_t now_ms(void *sys) { return sys_wall_ms(sys); }

static enum status host_open(struct task *t, const struct state_restore *restore, struct in_flight_host **out, struct err *e)
{
    struct in_flight_host *h = mem_zalloc(&t->mem, sizeof *h);
    const struct type *type;

    arena_init(&h->arena, &t->mem, 0);
    h->host = (struct state_host){.backend = sb_find("hashmap"),
                                  .mem = &t->mem,
                                  .group_count = 1,
                                  .max_parallelism = t->plan->max_parallelism,
                                  .subtask = t->plan->subtask,
                                  .parallelism = t->plan->parallelism,
                                  .now_ms = now_ms,
                                  .now_arg = t->sys,
                                  .restore = restore,
                                  .err = &h->err};
    state_host_init(&h->host);
    *out = h;
    TRY(type_parse(&h->arena, STR(ITEM_ROW), &type, e));
    enum status st = opstate_create(&h->host, "in-flight", OPSTATE_UNION, NULL, type, &h->state, &h->err);
    h->host.restore = NULL;
    return st == S_OK ? S_OK : err_pass_on(e, &h->err);
}

static void host_close(struct task *t, struct in_flight_host *h)
{
    opstate_free(h->state);
    state_host_release(&h->host);
    arena_release(&h->arena);
    mem_free(&t->mem, h);
}

/* --- saving ------------------------------------------------------------------------------------------------------------------ */
static int64_t *word_at(const struct batch *b, uint32_t col, uint32_t row) { return &VECTOR_VALUES(&b->cols[col], int64_t)[row]; }

static void row_fill(const struct task *t, struct batch *b, const struct in_flight_item *i)
{
    uint32_t row = b->count++;

    *word_at(b, COL_EDGE, row) = i->edge;
    *word_at(b, COL_SENDER, row) = i->from;
    *word_at(b, COL_RECEIVER, row) = t->plan->subtask;
    *word_at(b, COL_KIND, row) = i->kind;
    *word_at(b, COL_VALUE, row) = i->value;
    VECTOR_VALUES(&b->cols[COL_ROWS], struct text)[row] = text_put(&b->heap, i->rows.data, i->rows.size);
}

static enum status fill(struct task *t, struct in_flight_host *h, const struct in_flight *all)
{
    struct batch *b = batch_create(opstate_layout(h->state)->type, ITEM_ROWS, &t->mem);
    enum status st = S_OK;

    for (uint32_t i = 0; i < all->count && st == S_OK; i++) {
        row_fill(t, b, &all->items[i]);
        if (b->count < b->capacity && i + 1 < all->count) continue;
        st = opstate_append(h->state, b);
        batch_clear(b);
    }
    batch_free(b);
    return st;
}

enum status in_flight_save_create(struct task *t, struct state_save **out, struct err *e)
{
    struct barrier *b = &t->barrier;
    struct in_flight all;

    *out = NULL;
    b->in_flight_bytes = 0;
    if (t->gate == NULL || !b->saving_overtook) return S_OK;
    gate_look(t->gate);
    enum status st = gate_in_flight(t->gate, &all);
    if (st == E_BUDGET) err_set(e, st, "more than %d MiB were in flight in front of the task", IN_FLIGHT_BYTES_MAX >> 20);
    if (st == E_CANCELED) err_set(e, st, "a sender has given the checkpoint up");
    if (st != S_OK || all.count == 0) return st;
    ASSERT(b->in_flight == NULL);
    TRY(host_open(t, NULL, &b->in_flight, e));
    TRY(fill(t, b->in_flight, &all));
    b->in_flight_bytes = all.bytes;
    return state_save_create(&b->in_flight->host, out, e);
}

bool in_flight_is_known(const struct task *t)
{
    const struct barrier *b = &t->barrier;
    struct in_flight all;

    if (b->saving == 0 || !b->saving_overtook || b->save_at != t->chain.count || b->in_flight != NULL) return false;
    return gate_in_flight(t->gate, &all) != S_IDLE;
}

void in_flight_save_free(struct task *t)
{
    if (t->barrier.in_flight != NULL) host_close(t, t->barrier.in_flight);
    t->barrier.in_flight = NULL;
    if (t->gate != NULL) gate_in_flight_drop(t->gate);
}

/* --- restoring --------------------------------------------------------------------------------------------------------------- */
static enum status take_row(struct batch *b, uint32_t row, struct arena *a, struct in_flight_item *out, struct err *e)
{
    struct text rows = VECTOR_VALUES(&b->cols[COL_ROWS], struct text)[row];
    int64_t edge = *word_at(b, COL_EDGE, row), from = *word_at(b, COL_SENDER, row), to = *word_at(b, COL_RECEIVER, row);
    int64_t kind = *word_at(b, COL_KIND, row);

    if (edge < 0 || edge > UINT32_MAX || from < 0 || from > UINT32_MAX || to < 0 || to > UINT32_MAX || kind < 0 || kind >= IN_FLIGHT_KINDS)
        return err_set(e, E_DATA, "an item of in-flight data that is none");
    *out = (struct in_flight_item){.kind = (enum in_flight_kind)kind,
                                   .edge = (uint32_t)edge,
                                   .from = (uint32_t)from,
                                   .to = (uint32_t)to,
                                   .value = *word_at(b, COL_VALUE, row),
                                   .rows = {arena_strndup(a, text_data(&rows), rows.size), rows.size}};
    return S_OK;
}

static enum status load(struct task *t, struct in_flight_host *h, struct in_flight *out, struct err *e)
{
    struct batch *b = batch_create(opstate_layout(h->state)->type, ITEM_ROWS, &t->mem);
    struct in_flight_item *items = ARENA_ARRAY(&h->arena, struct in_flight_item, opstate_count(h->state) + 1);
    struct view_cursor c = {0};
    enum status st = S_OK;

    *out = (struct in_flight){.items = items};
    for (; st == S_OK && opstate_load(h->state, &c, b); batch_clear(b))
        for (uint32_t i = 0; i < b->count && st == S_OK; i++) st = take_row(b, i, &h->arena, &items[out->count++], e);
    batch_free(b);
    return st;
}

enum status in_flight_restore(struct task *t)
{
    const struct task_restore *r = t->plan->restore;
    struct in_flight_host *h;
    struct in_flight all;

    if (r == NULL || r->in_flight == NULL || t->gate == NULL) return S_OK;
    struct in_flight_share share = {.is_rescaled = r->in_flight->count != t->plan->parallelism,
                                    .subtask = t->plan->subtask,
                                    .parallelism = t->plan->parallelism,
                                    .parallelism_before = r->in_flight->count,
                                    .max_parallelism = t->plan->max_parallelism,
                                    .watermark = r->in_flight_watermark};
    struct state_restore own = *r->in_flight;
    if (!share.is_rescaled) own = (struct state_restore){&r->in_flight->subtasks[t->plan->subtask], 1, own.max_parallelism, own.operator, own.sys};
    enum status st = host_open(t, &own, &h, &t->err);
    if (st == S_OK) st = load(t, h, &all, &t->err);
    if (st == S_OK) st = gate_restore_in_flight(t->gate, &all, &share, &t->err);
    host_close(t, h);
    return st;
}
