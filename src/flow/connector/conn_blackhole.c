/* conn_blackhole.c - takes every row and keeps none. So that a benchmark cannot profit from columns that were never made,
 * each one is read and goes into a checksum; texts count by their references. Rows and checksum are logged at the end. */
#include "flow/connector/connector.h"

struct blackhole_writer {
    uint64_t rows, sum;
};

#define SUM_LOOP(name, T)                                                                                              \
    static uint64_t name(const void *values, const struct batch *in)                                                  \
    {                                                                                                                  \
        const T *v = values;                                                                                           \
        uint64_t sum = 0;                                                                                              \
        if (in->sel == NULL) {                                                                                         \
            for (uint32_t i = 0; i < in->count; i++) sum += (uint64_t)v[i];                                            \
        } else {                                                                                                       \
            for (uint32_t i = 0; i < in->sel_count; i++) sum += (uint64_t)v[in->sel[i]];                               \
        }                                                                                                              \
        return sum;                                                                                                    \
    }

SUM_LOOP(sum_8, uint8_t)
SUM_LOOP(sum_16, uint16_t)
SUM_LOOP(sum_32, uint32_t)
SUM_LOOP(sum_64, uint64_t)
SUM_LOOP(sum_128, uint128)

static uint64_t vector_sum(const struct vector *v, const struct batch *in)
{
    uint64_t sum = 0;

    if (v->form == VEC_ABSENT) return 0;
    if (v->form == VEC_CONST) return batch_rows(in); /* one value: there is nothing to read */
    if (v->form == VEC_DICT) return sum_16(v->data, in);
    for (uint32_t i = 0; v->phys == P_ROW && i < v->child_count; i++) sum += vector_sum(&v->children[i], in);
    switch (phys_width((enum phys)v->phys)) {
    case 1: return sum_8(v->data, in);
    case 2: return sum_16(v->data, in);
    case 4: return sum_32(v->data, in);
    case 8: return sum_64(v->data, in);
    case 16: return sum_128(v->data, in);
    default: return sum;
    }
}

static enum status blackhole_write(struct sink_cx *cx, void *self, struct batch *in)
{
    struct blackhole_writer *w = self;

    (void)cx;
    for (uint32_t c = 0; c < in->col_count; c++) w->sum += vector_sum(&in->cols[c], in);
    w->rows += batch_rows(in);
    return S_OK;
}

static void blackhole_close(struct sink_cx *cx, void *self, bool failed)
{
    const struct blackhole_writer *w = self;

    log_write(cx->op->log, LOG_DEBUG, "blackhole", "%s (%u/%u) took %llu rows, checksum %016llx%s", cx->op->name,
              cx->subtask + 1, cx->parallelism, (unsigned long long)w->rows, (unsigned long long)w->sum,
              failed ? ", and did not end" : "");
}

static const struct option_def blackhole_options[] = {{.key = NULL}};

static const struct sink_type blackhole_sink = {
    .writer_size = sizeof(struct blackhole_writer),
    .accepts_updates = true,
    .is_upsert = true,
    .write = blackhole_write,
    .close = blackhole_close,
};

const struct conn_type conn_blackhole = {
    .name = "blackhole",
    .doc = "takes rows and forgets them; for benchmarks",
    .example = "'connector' = 'blackhole'",
    .options = blackhole_options,
    .sink = &blackhole_sink,
};
