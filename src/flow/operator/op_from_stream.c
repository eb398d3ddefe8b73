/* op_from_stream.c - a stream of the program becomes rows of a table: what comes is handed on as it lies, with one column more when
 * the table wants to see event times. A stream said to have inserts only is held to it: an update taken for a row more would be a
 * wrong result that nobody sees. */
#include "flow/operator/table_bridge.h"

#include <string.h>

static const struct config_field from_stream_config_fields[] = {
    CONFIG_FIELD(from_stream_config, time_column, CONF_TEXT,
                 "name of a column more, which holds the rows' event times; empty: none"),
    CONFIG_FIELD(from_stream_config, stream, CONF_TEXT, "name of the stream, for messages"),
    CONFIG_FIELD(from_stream_config, changes, CONF_INT, "which rows come besides +I: the sum of 1 for -U, 2 for +U, 4 for -D"),
    CONFIG_LAST,
};

struct from_stream {
    struct batch *times; /* one column; NULL: none is wanted */
    struct vector *cols; /* of the view */
    struct batch view;
};

static const struct type *time_type(struct arena *a) { return type_new(a, T_TIMESTAMP_LTZ, 3, 0, true); }

static enum status from_stream_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct from_stream_config *c = config;
    const struct type *in = p->inputs[0];
    uint32_t count = in->child_count;

    p->outputs[0] = in;
    p->output_count = 1;
    if (c->time_column == NULL) return S_OK;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, count + 1);
    const char **names = ARENA_ARRAY(p->arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        types[i] = in->children[i];
        names[i] = in->names[i];
        if (strcmp(names[i], c->time_column) == 0)
            return err_set(e, E_GRAPH, "column '%s' is in the stream already", names[i]);
    }
    types[count] = time_type(p->arena);
    names[count] = c->time_column;
    p->outputs[0] = type_row(p->arena, count + 1, names, types, false);
    return S_OK;
}

static void from_stream_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                              uint64_t *const *inputs)
{
    (void)config;
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (bit_get(outputs[0], i)) bit_set(inputs[0], i);
}

static enum status from_stream_open(struct op_cx *cx, void *self)
{
    struct from_stream *s = self;
    const struct from_stream_config *c = cx->config;
    const struct type *out = cx->plan->outputs[0];

    if (c->time_column == NULL) return S_OK;
    uint32_t last = out->child_count - 1;
    const struct type *row = type_row(cx->plan->arena, 1, &out->names[last], &out->children[last], false);
    s->times = batch_create(row, BATCH_ROWS, cx->mem);
    s->cols = mem_zalloc(cx->mem, sizeof *s->cols * out->child_count);
    return S_OK;
}

static const char *kind_text(enum row_kind k)
{
    static const char *const texts[] = {"+I", "-U", "+U", "-D"};
    return texts[k];
}

static enum status check_kinds(struct op_cx *cx, const struct batch *in)
{
    const struct from_stream_config *c = cx->config;

    static const uint8_t bits[] = {0, CHANGES_BEFORE, CHANGES_AFTER, CHANGES_DELETE};

    if (in->kinds == NULL) return S_OK;
    BATCH_EACH(in, i, row)
    {
        enum row_kind kind = batch_kind(in, row);
        if (kind == ROW_INSERT || (c->changes & bits[kind]) != 0) continue;
        if (c->changes != CHANGES_NONE) {
            err_hint(cx->err, "say with tw_from_changelog_stream what comes: TW_CHANGELOG_ALL, for example");
            return err_set(cx->err, E_DATA, "stream '%s' brought a row %s, which its table's changelog mode does not have", c->stream,
                           kind_text(kind));
        }
        err_hint(cx->err, "make a table of a stream of changes with tw_from_changelog_stream");
        return err_set(cx->err, E_DATA, "stream '%s' brought a row %s, but its table was said to have inserts only",
                       c->stream, kind_text(kind));
    }
    return S_OK;
}

static enum status fill_times(struct op_cx *cx, struct from_stream *s, const struct batch *in)
{
    int64_t *values = VECTOR_VALUES(&s->times->cols[0], int64_t);

    batch_clear(s->times);
    BATCH_EACH(in, i, row)
    {
        values[row] = batch_time(in, row);
        if (values[row] != TIME_MIN) continue;
        err_hint(cx->err, "say where event times come from, with tw_with_watermarks before the stream becomes a table");
        return err_set(
            cx->err, E_DATA,
            "Rowtime timestamp is not defined. Please make sure that a proper TimestampAssigner is defined and the "
            "stream environment uses the EventTime time characteristic.");
    }
    s->times->count = in->count;
    return S_OK;
}

static enum status from_stream_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct from_stream *s = self;

    ASSERT(input == 0);
    TRY(check_kinds(cx, in));
    if (s->times == NULL) {
        op_forward(cx, 0, in);
        return S_OK;
    }
    TRY(fill_times(cx, s, in));
    s->view = *in;
    s->view.schema = cx->plan->outputs[0];
    s->view.cols = s->cols;
    s->view.col_count = in->col_count + 1;
    memcpy(s->cols, in->cols, sizeof *s->cols * in->col_count);
    s->cols[in->col_count] = s->times->cols[0];
    op_forward(cx, 0, &s->view);
    return S_OK;
}

static void from_stream_close(struct op_cx *cx, void *self, bool failed)
{
    struct from_stream *s = self;

    (void)failed;
    batch_free(s->times);
    mem_free(cx->mem, s->cols);
}

const struct op_type op_from_stream = {
    .name = "from_stream",
    .doc = "rows of a stream as rows of a table, with their event times as a column where the table wants them",
    .example = "tw_from_stream(clicks, NULL)",
    .flags = OP_SELECTION,
    .input_count = 1,
    .config_size = sizeof(struct from_stream_config),
    .config_fields = from_stream_config_fields,
    .instance_size = sizeof(struct from_stream),
    .derive = from_stream_derive,
    .needs = from_stream_needs,
    .open = from_stream_open,
    .on_batch = from_stream_on_batch,
    .close = from_stream_close,
};
