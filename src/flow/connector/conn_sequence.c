/* conn_sequence.c - the numbers from .. to, both included, as column `value`. The range is cut into one run per subtask. A
 * split's bytes: version, next number, last number. */
#include "flow/connector/connector.h"
#include "ground/base/codec.h"
#include "ground/base/str.h"

enum { SPLIT_VERSION = 1 };

static const struct option_def sequence_options[] = {
    {.key = "from", .kind = OPT_INT, .fallback = "", .required = true, .doc = "first number"},
    {.key = "to", .kind = OPT_INT, .fallback = "", .required = true, .doc = "last number"},
    {.key = NULL},
};

struct sequence_enumerator {
    uint32_t handed_out;
};

struct sequence_split {
    int64_t next, last;
    bool done; /* next has passed last, which may be the greatest number there is */
};

static enum status sequence_schema(struct arena *a, const struct options *o, const struct option_def *defs,
                                   const struct type **row, struct err *e)
{
    (void)o;
    (void)defs;
    return type_parse(a, STR("ROW<`value` BIGINT NOT NULL>"), row, e);
}

static enum status sequence_check(const struct options *o, const struct option_def *defs, const struct type *row,
                                  struct err *e)
{
    int64_t from = options_int(o, defs, "from"), to = options_int(o, defs, "to");

    ASSERT(row->child_count == 1);
    if (from <= to) return S_OK;
    return err_set(e, E_CONFIG, "connector 'sequence': 'from' = %lld is greater than 'to' = %lld", (long long)from,
                   (long long)to);
}

/* Number before which the i-th of n runs begins, counted from `from`. */
static uint64_t run_start(uint128 count, uint32_t i, uint32_t n) { return (uint64_t)(count * i / n); }

static void sequence_encode(const struct sequence_split *s, struct buf *out)
{
    enc_u8(out, SPLIT_VERSION);
    enc_zigzag(out, s->next);
    enc_zigzag(out, s->last);
    enc_u8(out, s->done);
}

static enum status sequence_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a,
                                            struct split *out)
{
    struct sequence_enumerator *en = self;
    int64_t from = options_int(cx->options, cx->option_defs, "from"),
            to = options_int(cx->options, cx->option_defs, "to");
    uint128 count = (uint128)((int128)to - from + 1);

    (void)subtask;
    for (; en->handed_out < cx->parallelism; en->handed_out++) {
        uint64_t start = run_start(count, en->handed_out, cx->parallelism),
                 end = run_start(count, en->handed_out + 1, cx->parallelism);
        if (start == end && count < cx->parallelism) continue; /* more subtasks than numbers */
        struct sequence_split s = {.next = (int64_t)((uint64_t)from + start),
                                   .last = (int64_t)((uint64_t)from + end - 1)};
        struct buf bytes;
        buf_init(&bytes, a->mem);
        sequence_encode(&s, &bytes);
        out->id = arena_printf(a, "%lld..%lld", (long long)s.next, (long long)s.last);
        out->bytes = (struct str){arena_strndup(a, bytes.data, bytes.size), bytes.size};
        buf_release(&bytes);
        en->handed_out++;
        return S_OK;
    }
    return S_END;
}

static enum status sequence_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct sequence_split *s = split;
    struct dec d;

    (void)reader;
    dec_init(&d, what->bytes.data, what->bytes.size);
    uint8_t version = dec_u8(&d);
    s->next = dec_zigzag(&d);
    s->last = dec_zigzag(&d);
    s->done = dec_u8(&d) != 0;
    if (dec_ok(&d) && version == SPLIT_VERSION) return S_OK;
    return err_set(cx->err, E_DATA, "the position of a sequence split cannot be read (version %u)", version);
}

static enum status sequence_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct sequence_split *s = split;
    uint64_t left = s->done ? 0 : (uint64_t)s->last - (uint64_t)s->next; /* beyond the next one */
    uint32_t room = out->capacity - out->count;
    uint32_t n = s->done ? 0 : left < room ? (uint32_t)left + 1 : room;

    (void)cx;
    (void)reader;
    if (out->cols[0].form == VEC_FLAT) {
        int64_t *values = VECTOR_VALUES(&out->cols[0], int64_t) + out->count;
        for (uint32_t i = 0; i < n; i++) values[i] = (int64_t)((uint64_t)s->next + i);
    }
    out->count += n;
    if (!s->done && n == left + 1) s->done = true;
    else s->next = (int64_t)((uint64_t)s->next + n);
    return s->done ? S_END : S_OK;
}

static void sequence_split_position(struct source_cx *cx, void *reader, void *split, struct buf *out)
{
    (void)cx;
    (void)reader;
    sequence_encode(split, out);
}

static const struct source_type sequence_source = {
    .enumerator_size = sizeof(struct sequence_enumerator),
    .split_size = sizeof(struct sequence_split),
    .schema = sequence_schema,
    .check = sequence_check,
    .enumerator_next = sequence_enumerator_next,
    .split_open = sequence_split_open,
    .split_read = sequence_split_read,
    .split_position = sequence_split_position,
};

const struct conn_type conn_sequence = {
    .name = "sequence",
    .doc = "the whole numbers from one to another",
    .example = "'connector' = 'sequence', 'from' = '1', 'to' = '1000'",
    .options = sequence_options,
    .source = &sequence_source,
};
