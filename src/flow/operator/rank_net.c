/* rank_net.c - operator rank where rows are only added, and the changes of a batch are netted: a place that several rows of the batch
 * took in turn is told once, and a row that came and fell out again within the batch is never written.
 *
 * State: PLACES, partition -> its rows in order, at most `last` of them. The order number of a place is the first sort key as a number;
 * rows are only looked at where these are equal.
 *
 * A batch: each row meets the places of its partition, a copy of them where the batch has changed something there already; most are
 * refused by the number of the last place. Then the rows that are left are written, all at once, and the places before are told beside
 * the places now, partition by partition as the batch came to them, over as many outputs as that takes. What fell out is freed when the
 * next batch begins, for what was put out refers to it.
 *
 * Not here: rows that may be taken back or replace others, time to live, one change per row (op_rank.c). */
#include "flow/operator/rank_internal.h"
#include "flow/state/pack.h"

#include <string.h>

#define IS_NEW (UINT64_C(1) << 63) /* in state_place.row: not written yet, the row number i of the batch; segments have 31 bits */

/* A partition that the batch changes. Its places before are at items[before], those now at items[now]. */
struct touched {
    void *head;
    uint32_t row, before, now, before_count, now_count;
};

struct rank_net {
    struct mem *mem;
    uint32_t *cols;                 /* that are kept, by field */
    struct order_column *order;
    uint32_t *order_fields, order_count; /* the field of each; RANK_NET_KEY: of the partition, where all are equal */
    struct touched touched[BATCH_ROWS];
    struct state_place *items;
    uint32_t touched_count, item_count, item_capacity;
    uint64_t numbers[BATCH_ROWS];   /* first sort key */
    uint64_t *fallen;
    uint32_t fallen_count, fallen_capacity;
    bool is_placed;                 /* the batch is in the state; what follows is telling */
    uint32_t told, place;           /* partitions told; place of the next one, deletes first where there are no numbers */
};
enum { RANK_NET_KEY = UINT32_MAX };

bool rank_net_serves(const struct rank_config *c, const struct op_plan *p)
{
    return c->nets && !c->retracts && c->unique.count == 0 && c->ttl_ms == 0 && c->last <= RANK_NET_LAST_MAX &&
           pack_fits(p->inputs[0]);
}

void rank_net_open(struct op_cx *cx, struct rank *s, struct order_column *order)
{
    struct arena *a = cx->plan->arena;
    struct rank_net *n = mem_zalloc(cx->mem, sizeof *n);

    s->net = n;
    n->mem = cx->mem;
    n->order = order;
    n->order_count = s->order_count;
    n->cols = ARENA_ARRAY(a, uint32_t, s->column_count + 1);
    n->order_fields = ARENA_ARRAY(a, uint32_t, s->order_count + 1);
    for (uint32_t i = 0; i < s->order_count; i++) n->order_fields[i] = RANK_NET_KEY;
    for (uint32_t f = 0; f < s->column_count; f++) {
        n->cols[f] = s->columns[f].col;
        for (uint32_t i = 0; i < s->order_count; i++)
            if (order[i].col == n->cols[f]) n->order_fields[i] = f;
    }
}

void rank_net_close(struct rank *s)
{
    struct rank_net *n = s->net;

    if (n == NULL) return;
    mem_free(n->mem, n->items);
    mem_free(n->mem, n->fallen);
    mem_free(n->mem, n);
}

/* --- order ------------------------------------------------------------------------------------------------------- */
static uint64_t number_of(const struct order_column *by, const struct vector *v, uint32_t row)
{
    uint64_t number;

    if (vector_is_null(v, row)) return by->nulls_last ? UINT64_MAX : 0;
    if (vector_values(v)->phys == P_I64)
        number = (uint64_t)VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)] ^ UINT64_C(1) << 63;
    else
        number = vector_order_prefix(v, row);
    return by->descending ? ~number : number;
}

static void numbers_fill(struct rank_net *n, const struct batch *in)
{
    BATCH_EACH(in, i, row) n->numbers[i] = n->order_count > 0 ? number_of(&n->order[0], &in->cols[n->order[0].col], row) : 0;
}

/* A row that is in a place beside row `row` of the batch, by one column of the order. */
static int column_order(const struct rank *s, const struct batch *in, const struct state_place *p, uint32_t i, uint32_t row)
{
    const struct rank_net *n = s->net;
    const struct order_column *by = &n->order[i];
    const struct vector *v = &in->cols[by->col];
    bool is_new = (p->row & IS_NEW) != 0;
    uint32_t other = is_new ? batch_row(in, (uint32_t)p->row) : 0, field = n->order_fields[i];
    const void *stored = is_new ? NULL : state_place_row(s->table, p->row);

    if (field == RANK_NET_KEY) return 0;
    bool null_a = is_new ? vector_is_null(v, other) : pack_is_null(s->table->pack, stored, field), null_b = vector_is_null(v, row);
    if (null_a || null_b) return by->nulls_last ? null_a - null_b : null_b - null_a;
    int order = is_new ? vector_compare(v, other, v, row) : pack_compare(s->table->pack, stored, field, v, row);
    return by->descending ? -order : order;
}

/* Does row i of the batch come before what is in the place? Of equal ones that stands first which came first. */
static bool comes_before(const struct rank *s, const struct batch *in, uint32_t i, const struct state_place *p)
{
    uint64_t number = s->net->numbers[i];

    if (number != p->order) return number < p->order;
    for (uint32_t k = 0; k < s->net->order_count; k++) {
        int order = column_order(s, in, p, k, batch_row(in, i));
        if (order != 0) return order > 0;
    }
    return false;
}

/* --- a batch's rows take their places ---------------------------------------------------------------------------- */
static struct touched *touch(struct rank *s, uint32_t i, const struct state_place *places)
{
    struct rank_net *n = s->net;
    uint32_t count = state_head_rows(s->heads[i]), room = count + (uint32_t)s->last;
    struct touched *t = &n->touched[n->touched_count++];

    if (n->item_count + room > n->item_capacity) {
        n->item_capacity = MAX(2 * n->item_capacity, n->item_count + room);
        n->items = mem_realloc(n->mem, n->items, sizeof *n->items * n->item_capacity);
    }
    *t = (struct touched){s->heads[i], i, n->item_count, n->item_count + count, count, count};
    memcpy(n->items + t->before, places, sizeof *places * count);
    memcpy(n->items + t->now, places, sizeof *places * count);
    n->item_count += room;
    *state_place_mark(s->heads[i]) = n->touched_count;
    return t;
}

static void row_place(struct rank *s, const struct batch *in, uint32_t i)
{
    struct rank_net *n = s->net;
    uint32_t mark = *state_place_mark(s->heads[i]);
    struct touched *t = mark > 0 ? &n->touched[mark - 1] : NULL;
    const struct state_place *places = t != NULL ? n->items + t->now : state_places(s->table, s->heads[i]);
    uint32_t count = t != NULL ? t->now_count : state_head_rows(s->heads[i]), at = count;

    if (count == s->last && !comes_before(s, in, i, &places[count - 1])) return;
    if (t == NULL) t = touch(s, i, places);
    struct state_place *now = n->items + t->now;
    if (count < s->last) t->now_count++;
    else at--;
    for (; at > 0 && comes_before(s, in, i, &now[at - 1]); at--) now[at] = now[at - 1];
    now[at] = (struct state_place){n->numbers[i], IS_NEW | i};
}

enum { FETCH_AHEAD = 8 };

static void rows_place(struct rank *s, const struct batch *in)
{
    uint32_t count = batch_rows(in);

    numbers_fill(s->net, in);
    for (uint32_t i = 0; i < MIN(count, (uint32_t)FETCH_AHEAD); i++) state_head_fetch(s->table, s->heads[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (i + FETCH_AHEAD < count) state_head_fetch(s->table, s->heads[i + FETCH_AHEAD]);
        row_place(s, in, i);
    }
}

/* --- into the state ---------------------------------------------------------------------------------------------- */
/* Those that stayed new are written, each batch row once, in the order in which they came: they are read as they lie. */
static enum status rows_write(struct rank *s, const struct batch *in)
{
    struct rank_net *n = s->net;
    struct state_place *places[BATCH_ROWS], *targets[BATCH_ROWS];
    uint16_t rows[BATCH_ROWS];
    uint64_t written[BATCH_ROWS];
    uint32_t count = 0, all = batch_rows(in);

    memset(places, 0, sizeof places[0] * all);
    for (uint32_t t = 0; t < n->touched_count; t++)
        for (uint32_t k = 0; k < n->touched[t].now_count; k++) {
            struct state_place *p = &n->items[n->touched[t].now + k];
            if ((p->row & IS_NEW) != 0) places[(uint32_t)p->row] = p;
        }
    for (uint32_t i = 0; i < all; i++) {
        rows[count] = (uint16_t)batch_row(in, i);
        targets[count] = places[i];
        count += places[i] != NULL;
    }
    if (count == 0) return S_OK;
    TRY(state_places_write(s->table, 0, in, n->cols, rows, count, written));
    for (uint32_t i = 0; i < count; i++) targets[i]->row = written[i];
    return S_OK;
}

static bool holds(const struct state_place *places, uint32_t count, uint64_t row)
{
    for (uint32_t i = 0; i < count; i++)
        if (places[i].row == row) return true;
    return false;
}

static void fall(struct rank_net *n, uint64_t row)
{
    if (n->fallen_count == n->fallen_capacity) {
        n->fallen_capacity = MAX(2 * n->fallen_capacity, 64u);
        n->fallen = mem_realloc(n->mem, n->fallen, sizeof *n->fallen * n->fallen_capacity);
    }
    n->fallen[n->fallen_count++] = row;
}

/* The state is that behind the batch; what is told lies beside it. */
static enum status batch_place(struct rank *s, const struct batch *in)
{
    struct rank_net *n = s->net;

    if (n->fallen_count > 0) state_places_free(s->table, 0, n->fallen, n->fallen_count);
    n->fallen_count = n->touched_count = n->item_count = 0;
    rows_place(s, in);
    for (uint32_t i = 0; i < n->touched_count; i++) *state_place_mark(n->touched[i].head) = 0;
    TRY(rows_write(s, in));
    for (uint32_t i = 0; i < n->touched_count; i++) {
        const struct touched *t = &n->touched[i];
        state_places_set(s->table, 0, t->head, n->items + t->now, t->now_count);
        for (uint32_t k = 0; k < t->before_count; k++)
            if (!holds(n->items + t->now, t->now_count, n->items[t->before + k].row)) fall(n, n->items[t->before + k].row);
    }
    n->told = n->place = 0;
    n->is_placed = true;
    return S_OK;
}

/* --- telling ----------------------------------------------------------------------------------------------------- */
/* Place by place: what is another row now is an update. */
static void place_tell(struct rank *s, const struct touched *t, uint32_t at, bool emit_before)
{
    const struct state_place *before = s->net->items + t->before, *now = s->net->items + t->now;
    int64_t place = (int64_t)at + 1;

    if (place < s->first || (at < t->before_count && before[at].row == now[at].row)) return;
    const void *row = state_place_row(s->table, now[at].row);
    if (at >= t->before_count) {
        rank_put(s, row, ROW_INSERT, place);
        return;
    }
    if (emit_before) rank_put(s, state_place_row(s->table, before[at].row), ROW_UPDATE_BEFORE, place);
    rank_put(s, row, ROW_UPDATE_AFTER, place);
}

/* Without places: rows that left, then rows that came. Those before the first place are told no more than those behind the last. */
static void row_tell(struct rank *s, const struct touched *t, uint32_t at)
{
    uint32_t befores_out = MIN(t->before_count, (uint32_t)s->first - 1), nows_out = MIN(t->now_count, (uint32_t)s->first - 1);
    uint32_t befores = t->before_count - befores_out, nows = t->now_count - nows_out;
    const struct state_place *before = s->net->items + t->before + befores_out, *now = s->net->items + t->now + nows_out;

    if (at < befores) {
        if (!holds(now, nows, before[at].row)) rank_put(s, state_place_row(s->table, before[at].row), ROW_DELETE, 0);
    } else if (at - befores < nows && !holds(before, befores, now[at - befores].row)) {
        rank_put(s, state_place_row(s->table, now[at - befores].row), ROW_INSERT, 0);
    }
}

/* S_MORE: the output is full. */
static enum status batch_tell(struct rank *s, bool emit_before)
{
    struct rank_net *n = s->net;
    bool by_place = s->is_numbered || s->first == s->last;

    for (; n->told < n->touched_count; n->told++, n->place = 0) {
        const struct touched *t = &n->touched[n->told];
        uint32_t steps = by_place ? t->now_count : t->before_count + t->now_count;
        s->done = t->row;
        for (; n->place < steps; n->place++) {
            if (!rank_has_room(s)) return S_MORE;
            if (by_place) place_tell(s, t, n->place, emit_before);
            else row_tell(s, t, n->place);
        }
    }
    return S_OK;
}

void rank_net_forget(struct rank *s) { s->net->fallen_count = 0; }

enum status rank_net_place(struct rank *s, const struct batch *in)
{
    TRY(batch_place(s, in));
    s->net->is_placed = false;
    return S_OK;
}

enum status rank_net_work(struct rank *s, const struct batch *in, bool emit_before)
{
    if (!s->net->is_placed) TRY(batch_place(s, in));
    TRY(batch_tell(s, emit_before));
    s->net->is_placed = false;
    return S_OK;
}
