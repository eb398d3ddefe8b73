/* op_fold.c - the rows that are there when a changelog has ended: of each row the state knows how often it is there, and at the end
 * every row comes as often as that, as an insertion. What batch mode puts behind an operator that changes rows it has emitted.
 *
 * Rows come in the order in which they were there first. What is taken back may come before what it takes back: counts may be below
 * zero meanwhile. The key of the stream is some of the columns, which all versions of a row share. */
#include "flow/operator/whole_rows.h"

struct fold {
    struct whole_rows whole;
    /* at the end: some rows at a time, of which `at` are done, and `copies` of the next one */
    struct state_cursor cursor;
    struct batch *walk;
    uint32_t at;
    int64_t copies;
    bool is_last;
    int64_t counts[BATCH_ROWS];
};

static enum status fold_derive(struct op_plan *p, const void *config, struct err *e)
{
    (void)config;
    (void)e;
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static enum status fold_open(struct op_cx *cx, void *self)
{
    static const char *const count[] = {"count"};
    struct fold *f = self;

    f->walk = batch_create(cx->plan->inputs[0], cx->batch_rows, cx->mem);
    return whole_rows_open(&f->whole, cx, "rows", count, 1, 0);
}

static void fold_close(struct op_cx *cx, void *self, bool failed)
{
    struct fold *f = self;

    (void)cx;
    (void)failed;
    whole_rows_close(&f->whole);
    batch_free(f->walk);
}

static enum status fold_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct fold *f = self;
    uint32_t rows = batch_rows(in);

    (void)cx;
    ASSERT(input == 0);
    TRY(whole_rows_resolve(&f->whole, in));
    for (uint32_t i = 0; i < rows; i++) {
        enum row_kind kind = batch_kind(in, batch_row(in, i));
        int64_t *count = whole_rows_value(&f->whole, f->whole.rows[i], 0);
        *count += kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? 1 : -1;
        if (*count == 0) state_erase(f->whole.table, i);
        else state_write(f->whole.table, i);
    }
    whole_rows_done(&f->whole);
    return S_OK;
}

/* The next rows of the table, and their counts. */
static enum status walk_on(struct fold *f)
{
    void *rows[BATCH_ROWS];
    uint32_t n = 0;

    batch_clear(f->walk);
    f->at = 0;
    enum status st = state_each(f->whole.table, 0, &f->cursor, f->walk, f->whole.cols, rows, &n);
    if (st != S_OK && st != S_MORE) return st;
    for (uint32_t i = 0; i < n; i++) f->counts[i] = *whole_rows_value(&f->whole, rows[i], 0);
    state_done(f->whole.table);
    f->is_last = st == S_OK;
    return S_OK;
}

static enum status fold_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct fold *f = self;
    uint32_t room = op_room(cx, 0), n = 0;
    uint16_t rows[BATCH_ROWS];

    ASSERT(input == 0);
    if (f->at == f->walk->count) TRY(walk_on(f));
    while (f->at < f->walk->count && n < room) {
        if (f->copies < f->counts[f->at]) {
            rows[n++] = (uint16_t)f->at;
            f->copies++;
        } else {
            f->at++;
            f->copies = 0;
        }
    }
    if (n > 0) batch_append(op_out(cx, 0), f->walk, rows, n);
    return f->at == f->walk->count && f->is_last ? S_OK : S_MORE;
}

const struct op_type op_fold = {
    .name = "fold",
    .doc = "SQL in batch mode: the rows that are there when the changelog has ended",
    .example = "SELECT * FROM a LEFT JOIN b ON a.id = b.id",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .instance_size = sizeof(struct fold),
    .derive = fold_derive,
    .open = fold_open,
    .on_batch = fold_on_batch,
    .on_end = fold_on_end,
    .close = fold_close,
};
