/* op_fold.c - the rows that are there when a changelog has ended: every row comes as often as it is there, as an insertion. What batch
 * mode puts behind an operator that changes rows it has emitted. Counts, and what is beyond memory: counted_rows.c.
 *
 * The key of the stream is some of the columns, which all versions of a row share. */
#include "flow/operator/counted_rows.h"
#include "flow/operator/fold_config.h"

static const struct config_field fold_config_fields[] = {
    SPILL_FIELDS(offsetof(struct fold_config, spill)),
    CONFIG_LAST,
};

static enum status fold_derive(struct op_plan *p, const void *config, struct err *e)
{
    (void)config;
    (void)e;
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static int64_t times(const void *config, const int64_t *counts)
{
    (void)config;
    return counts[0];
}

static enum status fold_open(struct op_cx *cx, void *self)
{
    static const char *const count[] = {"count"};

    return counted_rows_open(self, cx,
                             &(struct counted_plan){.name = "rows",
                                                    .counts = count,
                                                    .count = 1,
                                                    .spill = &((const struct fold_config *)cx->config)->spill,
                                                    .times = times});
}

static void fold_close(struct op_cx *cx, void *self, bool failed)
{
    (void)cx;
    (void)failed;
    counted_rows_close(self);
}

static enum status fold_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    ASSERT(input == 0);
    return counted_rows_add(self, cx, in, 0);
}

static enum status fold_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    ASSERT(input == 0);
    return counted_rows_give(self, cx);
}

const struct op_type op_fold = {
    .name = "fold",
    .doc = "SQL in batch mode: the rows that are there when the changelog has ended",
    .example = "SELECT * FROM a LEFT JOIN b ON a.id = b.id",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct fold_config),
    .config_fields = fold_config_fields,
    .instance_size = sizeof(struct counted_rows),
    .derive = fold_derive,
    .open = fold_open,
    .on_batch = fold_on_batch,
    .on_end = fold_on_end,
    .close = fold_close,
};
