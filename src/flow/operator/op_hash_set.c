/* op_hash_set.c - SQL's INTERSECT and EXCEPT in batch mode, with and without ALL: rows are only added, and each comes, as often as its
 * counts on both sides say, when both inputs have ended. Counts, and what is beyond memory: counted_rows.c. */
#include "flow/operator/counted_rows.h"
#include "flow/operator/set_config.h"

struct hash_set {
    struct counted_rows rows;
    bool has_ended[2];
};

static const struct config_field hash_set_config_fields[] = {
    CONFIG_FIELD(set_config, is_except, CONF_BOOL,
                 "rows of the first input that are not in the second; else rows of both"),
    CONFIG_FIELD(set_config, all, CONF_BOOL, "a row as often as its counts say, else once"),
    SPILL_FIELDS(offsetof(struct set_config, spill)),
    CONFIG_LAST,
};

static int64_t times(const void *config, const int64_t *counts) { return set_answer(config, counts[0], counts[1]); }

static enum status hash_set_open(struct op_cx *cx, void *self)
{
    static const char *const counts[] = {"left", "right"};
    struct hash_set *s = self;

    return counted_rows_open(&s->rows, cx,
                             &(struct counted_plan){.name = "counts",
                                                    .counts = counts,
                                                    .count = COUNT_OF(counts),
                                                    .spill = &((const struct set_config *)cx->config)->spill,
                                                    .times = times});
}

static void hash_set_close(struct op_cx *cx, void *self, bool failed)
{
    (void)cx;
    (void)failed;
    counted_rows_close(&((struct hash_set *)self)->rows);
}

static enum status hash_set_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    return counted_rows_add(&((struct hash_set *)self)->rows, cx, in, input);
}

static enum status hash_set_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct hash_set *s = self;

    s->has_ended[input] = true;
    return s->has_ended[1 - input] ? counted_rows_give(&s->rows, cx) : S_OK;
}

const struct op_type op_hash_set = {
    .name = "hash_set",
    .doc = "SQL in batch mode: rows of both inputs, or of the first without those of the second, when both have ended",
    .example = "SELECT id FROM a EXCEPT SELECT id FROM b",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END | OP_STATE,
    .input_count = 2,
    .config_size = sizeof(struct set_config),
    .config_fields = hash_set_config_fields,
    .instance_size = sizeof(struct hash_set),
    .derive = set_derive,
    .open = hash_set_open,
    .on_batch = hash_set_on_batch,
    .on_end = hash_set_on_end,
    .close = hash_set_close,
};
