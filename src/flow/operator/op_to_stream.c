/* op_to_stream.c - rows of a table become a stream of the program: the values of the table's time attribute become the event times
 * of the rows, and where updates are to come as their new row alone, -U is left out. Rows are handed on as they lie. */
#include "flow/operator/table_bridge.h"

#include "ground/base/str.h"

static const struct config_field to_stream_config_fields[] = {
    CONFIG_FIELD(to_stream_config, time_column, CONF_TEXT,
                 "column whose values become the event times of the rows; empty: none"),
    CONFIG_FIELD(to_stream_config, drops_before, CONF_BOOL, "rows -U are left out"),
    CONFIG_LAST,
};

struct to_stream {
    int column; /* of the times; -1: none */
    int64_t times[BATCH_ROWS];
    uint16_t rows[BATCH_ROWS];
    struct batch view;
};

static enum status to_stream_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct to_stream_config *c = config;

    if (c->time_column != NULL && op_plan_field(p, 0, c->time_column, e) < 0) return E_GRAPH;
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void to_stream_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                            uint64_t *const *inputs)
{
    const struct to_stream_config *c = config;

    for (uint32_t w = 0; w < (p->inputs[0]->child_count + 63) / 64; w++) inputs[0][w] = outputs[0][w];
    if (c->time_column != NULL) bit_set(inputs[0], (uint32_t)type_field(p->inputs[0], str_of(c->time_column)));
}

static enum status to_stream_open(struct op_cx *cx, void *self)
{
    struct to_stream *s = self;
    const struct to_stream_config *c = cx->config;

    s->column = c->time_column != NULL ? type_field(cx->plan->inputs[0], str_of(c->time_column)) : -1;
    return S_OK;
}

static void take_times(struct to_stream *s, const struct batch *in)
{
    const struct vector *v = &in->cols[s->column];
    const int64_t *values = VECTOR_VALUES(v, int64_t);

    BATCH_EACH(in, i, row) s->times[row] = vector_is_null(v, row) ? TIME_MIN : values[row];
    s->view.times = s->times;
}

static void drop_before(struct to_stream *s, const struct batch *in)
{
    uint32_t kept = 0;

    BATCH_EACH(in, i, row)
    if (batch_kind(in, row) != ROW_UPDATE_BEFORE) s->rows[kept++] = (uint16_t)row;
    s->view.sel = s->rows;
    s->view.sel_count = kept;
}

static enum status to_stream_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct to_stream *s = self;
    const struct to_stream_config *c = cx->config;

    ASSERT(input == 0);
    s->view = *in;
    if (s->column >= 0) take_times(s, in);
    if (c->drops_before && in->kinds != NULL) drop_before(s, in);
    if (batch_rows(&s->view) > 0) op_forward(cx, 0, &s->view);
    return S_OK;
}

const struct op_type op_to_stream = {
    .name = "to_stream",
    .doc = "rows of a table as a stream, their time attribute as event time",
    .example = "tw_to_stream(table)",
    .flags = OP_SELECTION,
    .input_count = 1,
    .config_size = sizeof(struct to_stream_config),
    .config_fields = to_stream_config_fields,
    .instance_size = sizeof(struct to_stream),
    .derive = to_stream_derive,
    .needs = to_stream_needs,
    .open = to_stream_open,
    .on_batch = to_stream_on_batch,
};
