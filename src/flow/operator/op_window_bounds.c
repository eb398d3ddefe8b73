/* op_window_bounds.c - SQL in batch mode: the end of a row's window, which was a key of its group, becomes window_start, window_end and
 * window_time behind all other columns. Where a window starts its end says, but for sessions: of these a column says it.
 *
 * Invariants: the row's other columns stay as they are, and in their order; nothing is kept. */
#include "flow/operator/sql_window.h"
#include "flow/operator/window_zone.h"

struct window_bounds {
    uint32_t end;
    int start; /* -1: the end says it */
    struct window_zone zone;
    struct batch view; /* what goes out: columns of the input, and those of the window */
    struct vector *cols;
    int64_t bounds[3][BATCH_ROWS]; /* of the batch that goes on: it is read after the hook */
};

static const struct config_field window_bounds_config_fields[] = {
    CONFIG_FIELD(window_bounds_config, end, CONF_TEXT, "column with the end of a row's window"),
    CONFIG_FIELD(window_bounds_config, start, CONF_TEXT, "column with its start; empty: the end says it"),
    CONFIG_FIELD(window_bounds_config, kind, CONF_INT, "0 TUMBLE, 1 HOP, 2 CUMULATE"),
    CONFIG_FIELD(window_bounds_config, size_ms, CONF_INT, "size, ms; of CUMULATE the greatest"),
    CONFIG_FIELD(window_bounds_config, offset_ms, CONF_INT, "offset of the windows, ms"),
    CONFIG_FIELD(window_bounds_config, local_time, CONF_BOOL, "window_time is a TIMESTAMP_LTZ"),
    CONFIG_FIELD(window_bounds_config, zone, CONF_TEXT, "time zone in which windows of instants lie; empty: UTC"),
    CONFIG_FIELD(window_bounds_config, bounds, CONF_TEXTS, "names of the window's columns"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status columns_find(const struct op_plan *p, const struct window_bounds_config *c, int *end, int *start, struct err *e)
{
    *end = op_plan_field(p, 0, c->end, e);
    if (*end < 0) return E_GRAPH;
    return op_plan_optional_field(p, 0, c->start, start, e);
}

static enum status window_bounds_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct window_bounds_config *c = config;
    const struct type *in = p->inputs[0];
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, in->child_count + 3);
    const char **names = ARENA_ARRAY(p->arena, const char *, in->child_count + 3);
    int end, start;
    uint32_t n = 0;

    TRY(columns_find(p, c, &end, &start, e));
    if (c->size_ms <= 0 || c->bounds.count != 3) return err_set(e, E_CONFIG, "windows of %lld ms with %u columns", (long long)c->size_ms, c->bounds.count);
    for (uint32_t i = 0; i < in->child_count; i++) {
        if ((int)i == end || (int)i == start) continue;
        types[n] = in->children[i];
        names[n++] = in->names[i];
    }
    for (uint32_t k = 0; k < 3; k++) {
        types[n] = type_new(p->arena, k == 2 && c->local_time ? T_TIMESTAMP_LTZ : T_TIMESTAMP, 3, 0, false);
        names[n++] = c->bounds.items[k];
    }
    p->outputs[0] = type_row(p->arena, n, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void window_bounds_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    int end, start;
    uint32_t n = 0;

    if (columns_find(p, config, &end, &start, NULL) != S_OK) return;
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++) {
        bool is_bound = (int)i == end || (int)i == start;
        if (is_bound || outputs[0] == NULL || bit_get(outputs[0], n)) bit_set(inputs[0], i);
        n += !is_bound;
    }
}

/* --- hooks ------------------------------------------------------------------------------------------------------- */
static enum status window_bounds_open(struct op_cx *cx, void *self)
{
    const struct window_bounds_config *c = cx->config;
    struct window_bounds *s = self;
    int end;

    TRY(columns_find(cx->plan, c, &end, &s->start, cx->err));
    s->end = (uint32_t)end;
    s->cols = ARENA_ARRAY(cx->plan->arena, struct vector, cx->plan->outputs[0]->child_count);
    return window_zone_open(&s->zone, c->zone, cx->err);
}

static int64_t bound_of(const struct window_bounds *s, const struct window_bounds_config *c, int64_t end, uint32_t which)
{
    if (which == 1) return end;
    if (which == 2) return c->local_time ? window_zone_instant(&s->zone, end - 1) : end - 1;
    return c->kind == SQL_CUMULATE ? sql_window_floor(end - 1, c->offset_ms, c->size_ms) : end - c->size_ms;
}

static struct vector bound_vector(struct op_cx *cx, struct window_bounds *s, const struct batch *in, const struct type *t, uint32_t which)
{
    const struct vector *ends = &in->cols[s->end];
    const int64_t *values = VECTOR_VALUES(vector_values(ends), int64_t);
    int64_t *out = s->bounds[which];

    ASSERT(in->count <= BATCH_ROWS);
    BATCH_EACH(in, i, row)
    {
        (void)i;
        out[row] = bound_of(s, cx->config, values[vector_at(ends, row)], which);
    }
    return (struct vector){.type = t, .form = VEC_FLAT, .phys = (uint8_t)t->phys, .capacity = in->count, .data = out};
}

static enum status window_bounds_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct type *out = cx->plan->outputs[0];
    struct window_bounds *s = self;
    uint32_t n = 0;

    ASSERT(input == 0);
    for (uint32_t i = 0; i < in->col_count; i++)
        if (i != s->end && (int)i != s->start) s->cols[n++] = in->cols[i];
    for (uint32_t k = 0; k < 3; k++, n++) {
        if (k == 0 && s->start >= 0) s->cols[n] = in->cols[s->start];
        else s->cols[n] = bound_vector(cx, s, in, out->children[n], k);
    }
    s->view = *in;
    s->view.schema = out;
    s->view.cols = s->cols;
    s->view.col_count = n;
    op_forward(cx, 0, &s->view);
    return S_OK;
}

const struct op_type op_window_bounds = {
    .name = "window_bounds",
    .doc = "SQL in batch mode: start, end and time of windows, whose ends the rows say",
    .example = "SELECT window_start, window_end, COUNT(*) FROM windowed GROUP BY window_start, window_end",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct window_bounds_config),
    .config_fields = window_bounds_config_fields,
    .instance_size = sizeof(struct window_bounds),
    .derive = window_bounds_derive,
    .needs = window_bounds_needs,
    .open = window_bounds_open,
    .on_batch = window_bounds_on_batch,
};
