/* op_rank_sift.c - SQL's Top-N, before rows are spread by their partitions: of each batch the rows that can have no place go no further,
 * because as many others of their partition stand before them in the batch alone.
 *
 * The idea: partitions that many rows of a batch belong to are those whose places are hard to get. So most of what would be copied to
 * another task, looked up and refused there is seen here by one comparison: the number of a row's first sort key with the greatest of
 * those that have a place among the batch's. Equal numbers say nothing, and such rows go on.
 *
 * Invariants: rows are a selection, nothing is copied, and there is no state: a batch is a mini-batch. Where it does not pay - partitions
 * have few rows in a batch - most batches pass unseen; whether they do depends on the rows alone. Not here: rows that may be taken back,
 * live for a time only, or are told one by one (rank does all of it). */
#include "flow/operator/group_firsts.h"
#include "flow/operator/order_columns.h"
#include "flow/operator/rank_config.h"

#include <string.h>

enum {
    SIFT_JUDGED = 8,   /* batches after which it is judged */
    SIFT_PART = 16,    /* less than one in so many rows sifted out: it does not pay */
    SIFT_PASSED = 120, /* batches that pass then */
    SIFT_CROWDS = 1024,
};

/* Rows of the batch whose keys have one hash. */
struct crowd {
    uint64_t hash;
    uint16_t first, list; /* row of the batch; which list of numbers */
};

struct rank_sift {
    struct order_column *order;
    uint32_t *keys, key_count, last;
    uint16_t counts[SIFT_CROWDS]; /* rows of each crowd; 0: there is none */
    struct crowd crowds[SIFT_CROWDS];
    uint16_t used[BATCH_ROWS];    /* numbers of each list */
    uint64_t *numbers;            /* lists of `last` numbers, in order */
    uint16_t crowded[BATCH_ROWS]; /* rows of keys with more rows than places, as they were selected */
    uint64_t prefixes[BATCH_ROWS]; /* of these */
    uint8_t stays[BATCH_ROWS];    /* of all */
    uint16_t rows[BATCH_ROWS];
    uint32_t judged, seen, sifted, passes; /* batches and rows since it was judged; batches that are still to pass */
};

static const struct config_field rank_sift_config_fields[] = {
    CONFIG_FIELD(rank_sift_config, partition, CONF_TEXTS, "columns of the partitions; empty: all rows are one"),
    CONFIG_FIELD(rank_sift_config, order, CONF_TEXTS, "columns by which rows are ordered"),
    CONFIG_FIELD(rank_sift_config, directions, CONF_TEXTS, "of each: asc or desc"),
    CONFIG_FIELD(rank_sift_config, nulls, CONF_TEXTS, "of each: first or last"),
    CONFIG_FIELD(rank_sift_config, last, CONF_INT, "the last place that counts"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status sift_read(const struct op_plan *p, const struct rank_sift_config *c, uint32_t **keys, struct order_column **order,
                             struct err *e)
{
    *keys = ARENA_ARRAY(p->arena, uint32_t, c->partition.count + 1);
    for (uint32_t i = 0; i < c->partition.count; i++) {
        int col = op_plan_field(p, 0, c->partition.items[i], e);
        if (col < 0) return E_GRAPH;
        (*keys)[i] = (uint32_t)col;
    }
    TRY(rank_places_check(1, c->last, e));
    if (c->last > RANK_NET_LAST_MAX) return err_set(e, E_CONFIG, "there are %d places at most, not %lld", RANK_NET_LAST_MAX, (long long)c->last);
    if (c->order.count == 0) return err_set(e, E_CONFIG, "order is missing");
    return order_columns_read(p, &c->order, &c->directions, &c->nulls, order, e);
}

static enum status sift_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct order_column *order;
    uint32_t *keys;

    TRY(sift_read(p, config, &keys, &order, e));
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void sift_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct rank_sift_config *c = config;
    struct order_column *order;
    uint32_t *keys;

    for (uint32_t w = 0; w < (p->inputs[0]->child_count + 63) / 64; w++) inputs[0][w] = outputs[0][w];
    if (sift_read(p, c, &keys, &order, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->partition.count; i++) bit_set(inputs[0], keys[i]);
    bit_set(inputs[0], order[0].col);
}

static enum status sift_open(struct op_cx *cx, void *self)
{
    const struct rank_sift_config *c = cx->config;
    struct rank_sift *s = self;

    TRY(sift_read(cx->plan, c, &s->keys, &s->order, cx->err));
    s->key_count = c->partition.count;
    s->last = (uint32_t)c->last;
    s->numbers = mem_alloc(cx->mem, sizeof *s->numbers * BATCH_ROWS);
    return S_OK;
}

static void sift_close(struct op_cx *cx, void *self, bool failed)
{
    struct rank_sift *s = self;

    (void)failed;
    mem_free(cx->mem, s->numbers);
}

/* --- a batch ----------------------------------------------------------------------------------------------------- */
/* Which rows are of keys with more rows than places: how many. Hashes that share a place in the table: the first one has it. */
static uint32_t crowds_find(struct rank_sift *s, const struct batch *in, uint64_t *hashes)
{
    uint32_t n = batch_rows(in), count = 0;

    batch_hash(in, s->keys, s->key_count, hashes);
    memset(s->counts, 0, sizeof s->counts);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = hashes[i] % SIFT_CROWDS;
        struct crowd *c = &s->crowds[at];
        bool is_first = s->counts[at] == 0;
        c->hash = is_first ? hashes[i] : c->hash;
        c->first = is_first ? (uint16_t)i : c->first;
        s->counts[at] += c->hash == hashes[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = hashes[i] % SIFT_CROWDS;
        s->crowded[count] = (uint16_t)i;
        count += (s->counts[at] > s->last) & (s->crowds[at].hash == hashes[i]);
    }
    return count;
}

static void number_add(struct rank_sift *s, uint32_t list, uint64_t number)
{
    uint64_t *numbers = s->numbers + (size_t)list * s->last;
    uint32_t at = s->used[list];

    if (at == s->last && number >= numbers[--at]) return;
    if (s->used[list] < s->last) s->used[list]++;
    for (; at > 0 && numbers[at - 1] > number; at--) numbers[at] = numbers[at - 1];
    numbers[at] = number;
}

/* All lists together have fewer numbers than the batch rows. Rows whose hash alone is that of the crowd stay. */
static void numbers_find(struct rank_sift *s, const struct batch *in, const uint64_t *hashes, uint32_t count)
{
    struct state_keys keys = state_keys_of(in, s->keys, s->key_count, hashes);
    uint32_t lists = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = s->crowded[i];
        struct crowd *c = &s->crowds[hashes[at] % SIFT_CROWDS];
        if (at == c->first) {
            s->used[lists] = 0;
            c->list = (uint16_t)lists++;
        }
        s->prefixes[i] = order_columns_prefix(s->order, in, batch_row(in, at));
        if (group_rows_equal(&keys, batch_row(in, c->first), batch_row(in, at))) number_add(s, c->list, s->prefixes[i]);
        else s->prefixes[i] = 0;
    }
}

/* The rows that are left, in s->rows. A list that rows of another key with the same hash keep from being full sifts nothing. */
static uint32_t rows_sift(struct rank_sift *s, const struct batch *in, const uint64_t *hashes, uint32_t crowded)
{
    uint32_t n = batch_rows(in), count = 0;

    memset(s->stays, true, n);
    for (uint32_t i = 0; i < crowded; i++) {
        uint32_t at = s->crowded[i], list = s->crowds[hashes[at] % SIFT_CROWDS].list;
        s->stays[at] = s->used[list] < s->last || s->prefixes[i] <= s->numbers[(size_t)list * s->last + s->last - 1];
    }
    for (uint32_t i = 0; i < n; i++) {
        s->rows[count] = (uint16_t)batch_row(in, i);
        count += s->stays[i];
    }
    return count;
}

static void judge(struct rank_sift *s, uint32_t seen, uint32_t sifted)
{
    s->seen += seen;
    s->sifted += sifted;
    if (++s->judged < SIFT_JUDGED) return;
    if (s->sifted * SIFT_PART < s->seen) s->passes = SIFT_PASSED;
    s->judged = s->seen = s->sifted = 0;
}

static enum status sift_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct rank_sift *s = self;
    uint32_t n = batch_rows(in), left = n;
    uint64_t hashes[BATCH_ROWS];

    ASSERT(input == 0);
    if (s->passes > 0) {
        s->passes--;
    } else if (n > s->last) {
        uint32_t crowded = crowds_find(s, in, hashes);
        numbers_find(s, in, hashes, crowded);
        if (crowded > 0) left = rows_sift(s, in, hashes, crowded);
        judge(s, n, n - left);
    }
    if (left < n) {
        in->sel = s->rows;
        in->sel_count = left;
    }
    op_forward(cx, 0, in);
    return S_OK;
}

const struct op_type op_rank_sift = {
    .name = "rank_sift",
    .doc = "SQL: of a batch the rows that may have a place among the first of their partition",
    .example = "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS n FROM bids) WHERE n <= 10",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct rank_sift_config),
    .config_fields = rank_sift_config_fields,
    .instance_size = sizeof(struct rank_sift),
    .derive = sift_derive,
    .needs = sift_needs,
    .open = sift_open,
    .on_batch = sift_on_batch,
    .close = sift_close,
};
