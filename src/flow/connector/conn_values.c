/* conn_values.c - rows that were given in the program (tw_from_data). They travel in the job graph as bytes (values.h), so
 * the source is one split, read by one subtask; its position is the number of bytes read. */
#include "flow/connector/connector.h"
#include "flow/connector/values.h"

struct values_enumerator {
    bool handed_out;
};

struct values_split {
    struct dec left;
};

static const struct option_def values_options[] = {{.key = NULL}};

static enum status values_source_check(const struct options *o, const struct option_def *defs, const struct type *row,
                                       struct err *e)
{
    (void)o;
    (void)defs;
    return values_check(row, e);
}

static enum status values_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a,
                                          struct split *out)
{
    struct values_enumerator *en = self;

    (void)cx;
    (void)subtask;
    if (en->handed_out) return S_END;
    en->handed_out = true;
    *out = (struct split){.id = arena_strdup(a, "rows"), .bytes = {arena_strndup(a, "", 1), 1}}; /* varint 0 */
    return S_OK;
}

static enum status values_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct values_split *s = split;
    struct dec position;

    (void)reader;
    dec_init(&position, what->bytes.data, what->bytes.size);
    uint64_t done = dec_varint(&position);
    if (!dec_ok(&position) || done > cx->rows.size)
        return err_set(cx->err, E_DATA, "the position among the given rows cannot be read");
    dec_init(&s->left, cx->rows.size > 0 ? cx->rows.data + done : NULL, cx->rows.size - done);
    return S_OK;
}

static enum status values_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct values_split *s = split;

    (void)reader;
    while (dec_left(&s->left) > 0 && out->count < out->capacity) {
        values_decode_row(&s->left, out);
        if (!dec_ok(&s->left)) return err_set(cx->err, E_DATA, "the given rows are damaged");
    }
    return dec_left(&s->left) == 0 ? S_END : S_OK;
}

static void values_split_position(struct source_cx *cx, void *reader, void *split, struct buf *out)
{
    (void)reader;
    enc_varint(out, cx->rows.size - dec_left(&((struct values_split *)split)->left));
}

static const struct source_type values_source = {
    .enumerator_size = sizeof(struct values_enumerator),
    .split_size = sizeof(struct values_split),
    .check = values_source_check,
    .enumerator_next = values_enumerator_next,
    .split_open = values_split_open,
    .split_read = values_split_read,
    .split_position = values_split_position,
};

const struct conn_type conn_values = {
    .name = "values",
    .doc = "rows that the program itself gives",
    .example = "tw_from_data(env, &word_row, words, 3)",
    .options = values_options,
    .source = &values_source,
};
