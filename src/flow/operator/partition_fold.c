/* partition_fold.c - a reduce or aggregate function over whole partitions: fullWindowPartition().reduce and .aggregate.
 *
 * The accumulators lie in keyed state, a stream without keys under the key of no columns; so memory grows with the keys, not
 * with the rows. Each key is noted once, in the order in which keys first came, and when the input has ended they are
 * answered in that order, a batch of keys per look-up. What comes out has no event time.
 *
 * As in Flink, an aggregate without keys answers for a subtask without rows, too: what .create made. A reduce does not. */
#include "flow/operator/partition_fold.h"

#include <string.h>

static const struct tw_row *acc_row(const struct tw_function *fn) { return fn->reduce != NULL ? fn->in : fn->acc; }
static const struct tw_row *out_row(const struct tw_function *fn) { return fn->reduce != NULL ? fn->in : fn->out; }

static void state_define(struct partition_fold *p)
{
    p->no_key = (struct type){.kind = T_ROW, .phys = P_ROW};
    p->no_key_hash = state_host_hash(p->cx.op->state);
    p->def = (struct state_def){.name = "partition",
                                .version = 1,
                                .shape = STATE_MAP,
                                .sharing = p->cx.key_type != NULL ? STATE_KEYED : STATE_LIST, /* each subtask has one of its own */
                                .key = p->cx.key_type != NULL ? p->cx.key_type : &p->no_key,
                                .value = p->acc.type};
}

enum status partition_fold_open(struct op_cx *op, void *self)
{
    struct partition_fold *p = self;
    struct tw_context *cx = &p->cx;
    const struct function_config *c = op->config;

    TRY(user_start(cx, op, &c->function, false));
    TRY(user_bind_out(cx, 0, out_row(cx->fn), 0));
    TRY(user_value_of_row(&cx->arena, acc_row(cx->fn), &p->acc, op->err));
    arena_init(&p->scratch, op->mem, 0);
    p->a = mem_zalloc(op->mem, p->acc.size);
    p->out = mem_zalloc(op->mem, out_row(cx->fn)->size);
    state_define(p);
    TRY(state_open(op->state, &p->def, &p->table, op->err));
    p->home.table = p->table;
    if (cx->key_type != NULL) kept_rows_init(&p->keys, cx->key_type, NULL, op->mem);
    for (uint32_t i = 0; i < OP_KEYS_MAX; i++) p->cols[i] = i;
    return S_OK;
}

void partition_fold_close(struct op_cx *op, void *self, bool failed)
{
    struct partition_fold *p = self;

    (void)failed;
    state_close(p->table);
    kept_rows_release(&p->keys);
    mem_free(op->mem, p->a);
    mem_free(op->mem, p->out);
    arena_release(&p->scratch);
    user_close(&p->cx);
}

/* --- folding -------------------------------------------------------------------------------------------------------------- */
/* Keys that are new: their columns alone. */
static enum status keys_note(struct partition_fold *p, const struct batch *in)
{
    const struct op_plan *plan = p->cx.op->plan;
    struct vector cols[OP_KEYS_MAX];
    struct batch view = *in;
    uint16_t sel[BATCH_ROWS];
    uint32_t count = 0;

    for (uint32_t i = 0; i < batch_rows(in); i++)
        if (bit_get(p->created, i)) sel[count++] = (uint16_t)batch_row(in, i);
    if (count == 0) return S_OK;
    for (uint32_t k = 0; k < plan->key_count[0]; k++) cols[k] = in->cols[plan->keys[0][k]];
    view.schema = p->cx.key_type;
    view.cols = cols;
    view.col_count = plan->key_count[0];
    view.times = NULL;
    view.kinds = NULL;
    view.sel = sel;
    view.sel_count = count;
    if (kept_rows_add(&p->keys, &view) == S_OK) return S_OK;
    return err_set(p->cx.op->err, E_BUDGET, "more than %u keys in one subtask", KEPT_ROWS_MAX);
}

/* May be pending, and is asked for again with the same batch; nothing was changed then. */
static enum status rows_resolve(struct partition_fold *p, const struct batch *in)
{
    struct tw_context *cx = &p->cx;
    const struct op_plan *plan = cx->op->plan;
    uint64_t none[BATCH_ROWS], *hashes = cx->key_type != NULL ? cx->hashes : none;

    TRY(user_input_keys(cx, 0, in));
    if (p->is_resolved) return S_OK;
    if (cx->key_type != NULL)
        batch_hash(in, plan->keys[0], plan->key_count[0], hashes);
    else
        for (uint32_t i = 0; i < batch_rows(in); i++) none[i] = p->no_key_hash;
    struct state_keys keys = state_keys_of(in, plan->keys[0], plan->key_count[0], hashes);
    TRY(state_resolve(p->table, 0, &keys, STATE_INSERT, p->rows, p->created));
    if (cx->key_type != NULL) TRY(keys_note(p, in));
    p->is_resolved = true;
    return S_OK;
}

/* The next accumulator after `row`: in p->a, or for a reduce in p->out or the row itself. */
static enum status fold_one(struct partition_fold *p, bool is_first, const void *kept, const char *row,
                            const void **next)
{
    struct tw_context *cx = &p->cx;

    *next = p->a;
    if (!is_first) user_value_load(&p->acc, &p->table->value, &p->home, kept, p->a, &cx->loaded);
    if (cx->fn->reduce != NULL) {
        *next = is_first ? row : p->out;
        if (is_first) return S_OK;
        memset(p->out, 0, p->acc.size);
        return user_check(cx, cx->fn->reduce(cx, p->a, row, p->out));
    }
    if (is_first) memset(p->a, 0, p->acc.size);
    if (is_first && cx->fn->create != NULL) TRY(user_check(cx, cx->fn->create(cx, p->a)));
    return user_check(cx, cx->fn->add(cx, p->a, row));
}

static enum status fold_block(struct partition_fold *p, uint32_t n)
{
    struct tw_context *cx = &p->cx;
    const char *row = cx->in[0].structs;
    const void *next;

    for (uint32_t i = 0; i < n; i++, row += cx->in[0].row.conv.size) {
        uint32_t at = cx->done + i;
        user_at(cx, at, row);
        TRY(fold_one(p, bit_get(p->created, at), p->rows[at], row, &next));
        TRY(user_value_accept(cx, &p->acc, next));
        user_value_store(&p->acc, &p->table->value, &p->home, p->rows[at], next, &p->scratch);
        if (p->scratch.used > 0) arena_reset(&p->scratch);
    }
    return S_OK;
}

enum status partition_fold_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct partition_fold *p = self;
    struct tw_context *cx = &p->cx;
    uint32_t rows = batch_rows(in);

    (void)op;
    ASSERT(input == 0 && cx->done <= rows);
    TRY(user_begin(cx, 0, in));
    TRY(rows_resolve(p, in));
    while (cx->done < rows) {
        uint32_t n = MIN(rows - cx->done, ROWCONV_ROWS);
        TRY(user_read(cx, 0, in, cx->done, n));
        TRY(fold_block(p, n));
        cx->done += n;
        if (cx->full || (cx->done < rows && user_slice_over(cx))) break;
    }
    enum status st = user_end(cx, cx->done == rows);
    if (st == S_OK) {
        state_done(p->table);
        p->is_resolved = false;
    }
    return st;
}

/* --- answering -------------------------------------------------------------------------------------------------------------- */
/* kept NULL: a partition without rows. */
static enum status answer(struct partition_fold *p, const void *kept)
{
    struct tw_context *cx = &p->cx;
    const void *row = p->a;

    user_forget_loaded(cx);
    memset(p->a, 0, p->acc.size);
    if (kept != NULL)
        user_value_load(&p->acc, &p->table->value, &p->home, kept, p->a, &cx->loaded);
    else if (cx->fn->create != NULL)
        TRY(user_check(cx, cx->fn->create(cx, p->a)));
    if (cx->fn->reduce == NULL) {
        memset(p->out, 0, out_row(cx->fn)->size);
        TRY(user_check(cx, cx->fn->result(cx, p->a, p->out)));
        row = p->out;
    }
    user_emit(cx, &cx->outs[0], row, user_time(cx));
    return S_OK;
}

static enum status answer_only(struct partition_fold *p)
{
    static const struct batch no_columns;
    struct tw_context *cx = &p->cx;
    void *kept = NULL;

    if (!p->is_over) kept = state_get(p->table, 0, &no_columns, NULL, 0, p->no_key_hash, STATE_READ, NULL);
    if (!p->is_over && (kept != NULL || cx->fn->reduce == NULL)) TRY(answer(p, kept));
    p->is_over = true;
    return user_end(cx, true);
}

/* Keys of one batch from at_row on, until the output is full. */
static enum status answer_batch(struct partition_fold *p, const struct batch *keys)
{
    struct tw_context *cx = &p->cx;
    uint32_t count = cx->key_type->child_count;
    struct state_keys wanted = state_keys_of(keys, p->cols, count, cx->hashes);

    batch_hash(keys, p->cols, count, cx->hashes);
    TRY(state_resolve(p->table, 0, &wanted, STATE_READ, p->rows, NULL));
    TRY(user_keys(cx, keys, p->cols, count));
    cx->keys = keys;
    while (p->at_row < keys->count && !cx->full) {
        cx->keys_at = p->at_row;
        TRY(answer(p, p->rows[p->at_row]));
        p->at_row++;
    }
    cx->keys = NULL;
    cx->key.batch = NULL; /* the next batch has other keys */
    user_keys_done(cx);
    if (p->at_row < keys->count) return S_OK;
    p->at_row = 0;
    p->at_batch++;
    return S_OK;
}

enum status partition_fold_on_end(struct op_cx *op, void *self, uint32_t input)
{
    struct partition_fold *p = self;
    struct tw_context *cx = &p->cx;

    (void)op;
    ASSERT(input == 0);
    TRY(user_begin(cx, 0, NULL));
    if (cx->key_type == NULL) return answer_only(p);
    if (p->at_batch < p->keys.batch_count) TRY(answer_batch(p, p->keys.batches[p->at_batch]));
    enum status st = user_end(cx, p->at_batch == p->keys.batch_count);
    state_done(p->table);
    return st;
}
