/* op_rank_sorted.c - SQL's Top-N in batch mode: when the input has ended, rows are sorted by partition and order, beyond memory by files
 * (row_sort.h), and of each partition those go out whose place is first..last, with it as a column where somebody reads it.
 *
 * A row's place follows from that of the row before it, so no partition is held: ROW_NUMBER counts rows, RANK gives rows that the order
 * does not tell apart the place of the first of them, DENSE_RANK counts such places. Not here: rows that change (op_rank.c). */
#include "flow/operator/rank_config.h"
#include "flow/operator/row_sort.h"

#include <string.h>

enum { STAGES_MAX = 4 }; /* batches of sorted rows that are looked at in one call */

struct rank_sorted {
    struct row_sort sort;
    struct order_column *by; /* the partition's columns, then those of the order */
    uint32_t key_count, order_count;
    enum place_of { ROWS, PEERS, DENSE } function;
    int number_col;          /* -1: nobody reads it */
    struct batch *stage, *out;
    struct batch *before;    /* one row: the last of the stage before */
    uint32_t at;             /* rows of the stage that are done */
    bool is_over, is_sent;
    int64_t rows, peers, dense; /* of the partition so far: rows; the place of the last row by RANK, by DENSE_RANK */
};

static const struct config_field rank_sorted_config_fields[] = {
    CONFIG_FIELD(rank_sorted_config, order, CONF_TEXTS, "columns by which rows of a partition are ordered"),
    CONFIG_FIELD(rank_sorted_config, directions, CONF_TEXTS, "of each: asc or desc"),
    CONFIG_FIELD(rank_sorted_config, nulls, CONF_TEXTS, "of each: first or last"),
    CONFIG_FIELD(rank_sorted_config, function, CONF_TEXT, "what a place is: row_number, rank or dense_rank"),
    CONFIG_FIELD(rank_sorted_config, first, CONF_INT, "the first place that counts, from 1 on"),
    CONFIG_FIELD(rank_sorted_config, last, CONF_INT, "the last place that counts"),
    CONFIG_FIELD(rank_sorted_config, number, CONF_TEXT, "name of the column of the place; none: there is no such column"),
    SPILL_FIELDS(offsetof(struct rank_sorted_config, spill)),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status function_read(const struct rank_sorted_config *c, enum place_of *out, struct err *e)
{
    static const char *const names[] = {[ROWS] = "row_number", [PEERS] = "rank", [DENSE] = "dense_rank"};

    for (uint32_t i = 0; i < COUNT_OF(names); i++)
        if (c->function != NULL && strcmp(c->function, names[i]) == 0) {
            *out = (enum place_of)i;
            return S_OK;
        }
    return err_set(e, E_CONFIG, "places are by row_number, rank or dense_rank, not by '%s'", c->function != NULL ? c->function : "");
}

static enum status order_read(const struct op_plan *p, const struct rank_sorted_config *c, struct order_column **out, struct err *e)
{
    return order_columns_read(p, &c->order, &c->directions, &c->nulls, out, e);
}

static enum status rank_sorted_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct rank_sorted_config *c = config;
    enum place_of function;
    struct order_column *order;

    TRY(order_read(p, c, &order, e));
    TRY(function_read(c, &function, e));
    TRY(rank_places_check(c->first, c->last, e));
    p->output_count = 1;
    p->outputs[0] = rank_output(p, c->number);
    return S_OK;
}

static void rank_sorted_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct rank_sorted_config *c = config;
    struct order_column *order;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (order_read(p, c, &order, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->order.count; i++) bit_set(inputs[0], order[i].col);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static enum status rank_sorted_open(struct op_cx *cx, void *self)
{
    const struct rank_sorted_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    const uint64_t *needed = cx->needed_in != NULL ? cx->needed_in[0] : NULL, *read = cx->needed_out != NULL ? cx->needed_out[0] : NULL;
    struct rank_sorted *s = self;
    struct order_column *order;

    TRY(order_read(p, c, &order, cx->err));
    TRY(function_read(c, &s->function, cx->err));
    s->key_count = p->key_count[0];
    s->order_count = c->order.count;
    s->by = ARENA_ARRAY(p->arena, struct order_column, s->key_count + s->order_count + 1);
    for (uint32_t i = 0; i < s->key_count; i++) s->by[i] = (struct order_column){.col = p->keys[0][i]};
    if (s->order_count > 0) memcpy(s->by + s->key_count, order, sizeof *order * s->order_count);
    s->number_col = c->number != NULL && (read == NULL || bit_get(read, p->inputs[0]->child_count)) ? (int)p->inputs[0]->child_count : -1;
    row_sort_init(&s->sort, cx, &c->spill, p->inputs[0], needed, s->by, s->key_count + s->order_count);
    s->stage = batch_create_needed(p->inputs[0], needed, BATCH_ROWS, cx->mem);
    s->before = batch_create_needed(p->inputs[0], needed, 1, cx->mem);
    s->out = batch_create_needed(p->outputs[0], read, cx->batch_rows, cx->mem);
    return S_OK;
}

static void rank_sorted_close(struct op_cx *cx, void *self, bool failed)
{
    struct rank_sorted *s = self;

    (void)cx;
    (void)failed;
    row_sort_release(&s->sort);
    batch_free(s->stage);
    batch_free(s->before);
    batch_free(s->out);
}

static enum status rank_sorted_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct rank_sorted *s = self;

    (void)cx;
    ASSERT(input == 0);
    return row_sort_add(&s->sort, in);
}

/* --- places ------------------------------------------------------------------------------------------------------ */
/* The next rows, when the last ones are done; the last of these is kept, to be compared with. */
static enum status stage_fill(struct rank_sorted *s)
{
    uint16_t last = (uint16_t)(s->stage->count - 1);

    if (s->stage->count > 0) {
        batch_clear(s->before);
        batch_append(s->before, s->stage, &last, 1);
    }
    batch_clear(s->stage);
    s->at = 0;
    enum status st = row_sort_next(&s->sort, s->stage, s->stage->capacity);
    s->is_over = st == S_OK;
    return st == S_MORE ? S_OK : st;
}

static bool is_alike(const struct rank_sorted *s, uint32_t row, uint32_t first, uint32_t count)
{
    if (row == 0 && s->before->count == 0) return false;
    return order_columns_compare(s->by + first, count, row > 0 ? s->stage : s->before, row > 0 ? row - 1 : 0, s->stage, row) == 0;
}

static int64_t place_of(struct rank_sorted *s, uint32_t row)
{
    bool is_new = !is_alike(s, row, 0, s->key_count);

    if (is_new) s->rows = s->dense = 0;
    s->rows++;
    if (s->function == ROWS) return s->rows;
    if (is_new || !is_alike(s, row, s->key_count, s->order_count)) {
        s->peers = s->rows;
        s->dense++;
    }
    return s->function == PEERS ? s->peers : s->dense;
}

/* The rows of the stage that have places, as many as fit. */
static void stage_put(struct rank_sorted *s, const struct rank_sorted_config *c)
{
    uint16_t rows[BATCH_ROWS];
    uint32_t n = 0, first = s->out->count;

    for (; s->at < s->stage->count && first + n < s->out->capacity; s->at++) {
        int64_t place = place_of(s, s->at);
        if (place < c->first || place > c->last) continue;
        if (s->number_col >= 0) VECTOR_VALUES(&s->out->cols[s->number_col], int64_t)[first + n] = place;
        rows[n++] = (uint16_t)s->at;
    }
    for (uint32_t k = 0; k < s->stage->col_count && n > 0; k++) {
        struct vector *to = &s->out->cols[k];
        if (to->form != VEC_ABSENT) vector_copy(to, first, &s->stage->cols[k], rows, n, &s->out->heap, s->out->mem);
    }
    s->out->count += n;
}

static enum status rank_sorted_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct rank_sorted *s = self;
    bool is_done = false;

    ASSERT(input == 0);
    if (s->is_sent) batch_clear(s->out);
    s->is_sent = false;
    for (uint32_t stages = 0; stages < STAGES_MAX && s->out->count < s->out->capacity && !is_done; stages++) {
        if (s->at == s->stage->count && !s->is_over) TRY(stage_fill(s));
        stage_put(s, cx->config);
        is_done = s->is_over && s->at == s->stage->count;
    }
    if (s->out->count == s->out->capacity || is_done) {
        if (s->out->count > 0) op_forward(cx, 0, s->out);
        s->is_sent = true;
    }
    return is_done ? S_OK : S_MORE;
}

const struct op_type op_rank_sorted = {
    .name = "rank_sorted",
    .doc = "SQL in batch mode: the first rows of each partition in an order, when the input has ended",
    .example = "SELECT * FROM (SELECT *, RANK() OVER (PARTITION BY auction ORDER BY price DESC) AS n FROM bids) WHERE n <= 1000",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END,
    .input_count = 1,
    .config_size = sizeof(struct rank_sorted_config),
    .config_fields = rank_sorted_config_fields,
    .instance_size = sizeof(struct rank_sorted),
    .derive = rank_sorted_derive,
    .needs = rank_sorted_needs,
    .open = rank_sorted_open,
    .on_batch = rank_sorted_on_batch,
    .on_end = rank_sorted_on_end,
    .close = rank_sorted_close,
};
