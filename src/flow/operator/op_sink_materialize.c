/* op_sink_materialize.c - a changelog into a table whose primary key is not the changelog's own key: of the rows under a primary key
 * the one that came last is the table's. When it goes, the one before comes back (Flink's SinkUpsertMaterializer; ON CONFLICT DO
 * DEDUPLICATE). What comes out are +I, +U and -D by the primary key, one change at most for each row that comes.
 *
 * The stream is keyed by the primary key. A batch is resolved whole at the top, then its rows are worked on one by one; what is put
 * out lies in state until the batch is done (upsert_rows.h). */
#include "flow/operator/upsert_rows.h"

struct materialize {
    struct upsert_rows u;
    struct batch *out;
    uint32_t done; /* rows of the batch */
    const void *from[BATCH_ROWS];
    uint16_t numbers[BATCH_ROWS]; /* rows of the input, which have the primary key */
};

static enum status materialize_open(struct op_cx *cx, void *self)
{
    struct materialize *s = self;

    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, cx->batch_rows, cx->mem);
    return upsert_open(cx, &s->u, cx->config);
}

static void materialize_close(struct op_cx *cx, void *self, bool failed)
{
    struct materialize *s = self;

    (void)cx;
    (void)failed;
    upsert_close(&s->u);
    batch_free(s->out);
}

static void put(struct materialize *s, const struct batch *in, const void *row, enum row_kind kind)
{
    uint32_t n = s->out->count++;

    ASSERT_ROW(n < s->out->capacity);
    s->from[n] = row;
    s->numbers[n] = (uint16_t)batch_row(in, s->done);
    s->out->kinds[n] = (uint8_t)kind;
}

static enum status row_added(struct materialize *s, const struct batch *in)
{
    bool is_first = upsert_count(&s->u, s->done) == 0;
    void *row;

    TRY(upsert_add(&s->u, in, s->done, &row));
    put(s, in, row, is_first ? ROW_INSERT : ROW_UPDATE_AFTER);
    return S_OK;
}

static enum status row_removed(struct materialize *s, const struct batch *in)
{
    bool was_last = false;
    void *row;

    TRY(upsert_remove(&s->u, in, s->done, &row, &was_last));
    if (row == NULL) return S_OK;
    if (upsert_count(&s->u, s->done) == 0) put(s, in, row, ROW_DELETE);
    else if (was_last) put(s, in, upsert_edge(&s->u, s->done, true), ROW_UPDATE_AFTER);
    return S_OK;
}

static enum status rows_work(struct materialize *s, const struct batch *in)
{
    for (uint32_t n = batch_rows(in); s->done < n; s->done++) {
        enum row_kind kind = batch_kind(in, batch_row(in, s->done));
        if (s->out->count == s->out->capacity) return S_MORE;
        TRY(kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? row_added(s, in) : row_removed(s, in));
    }
    return S_OK;
}

static void columns_fill(struct op_cx *cx, struct materialize *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    struct batch *out = s->out;

    for (uint32_t k = 0; k < p->key_count[0]; k++) {
        uint32_t col = p->keys[0][k];
        if (out->cols[col].form != VEC_ABSENT)
            vector_copy(&out->cols[col], 0, &in->cols[col], s->numbers, out->count, &out->heap, out->mem);
    }
    for (uint32_t i = 0; i < s->u.col_count; i++) {
        struct vector *to = &out->cols[s->u.cols[i]];
        if (to->form != VEC_ABSENT) state_rows_load(s->u.rows, s->from, out->count, i, to, 0, &out->heap, out->mem);
    }
}

static enum status materialize_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct materialize *s = self;

    ASSERT(input == 0 && s->done <= batch_rows(in));
    TRY(upsert_resolve(cx, &s->u, in));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    enum status st = rows_work(s, in);
    if (st != S_OK && st != S_MORE && (st != S_PENDING || s->out->count == 0)) return st;
    columns_fill(cx, s, in);
    if (s->out->count > 0) op_forward(cx, 0, s->out);
    if (st != S_OK) return S_MORE; /* what is pending is asked for again, behind what was emitted */
    upsert_done(&s->u);
    s->done = 0;
    return S_OK;
}

const struct op_type op_sink_materialize = {
    .name = "sink_materialize",
    .doc = "SQL: of the rows under a table's primary key the one that came last",
    .example = "INSERT INTO users SELECT LAST_VALUE(name), COUNT(*) FROM logins GROUP BY id ON CONFLICT DO DEDUPLICATE",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct upsert_config),
    .config_fields = upsert_config_fields,
    .instance_size = sizeof(struct materialize),
    .derive = upsert_derive,
    .open = materialize_open,
    .on_batch = materialize_on_batch,
    .close = materialize_close,
};
