/* conn_datagen.c - made-up rows, with Flink's options: per field random values within bounds, or a sequence, which ends the
 * source. Ours is 'seed': the same seed makes the same rows, however many subtasks share the work; subtask i of P makes the
 * rows i, i + P, ... rows-per-second is the rate of all subtasks together.
 *
 * A split's bytes: version, index, stride, rows done. */
#include "flow/connector/connector.h"
#include "flow/connector/datagen/datagen.h"
#include "flow/source/rate.h"
#include "ground/base/codec.h"
#include "ground/base/str.h"

enum { SPLIT_VERSION = 1 };

static const struct option_def datagen_options[] = {
    {.key = "rows-per-second",
     .kind = OPT_INT,
     .fallback = "10000",
     .doc = "rate of all subtasks together; 0 = as fast as possible"},
    {.key = "number-of-rows",
     .kind = OPT_INT,
     .least = "0",
     .doc = "how many rows; not given: without end, or until a sequence ends"},
    {.key = "seed", .kind = OPT_INT, .fallback = "0", .doc = "another seed, other rows"},
    {.key = "fields.#.kind",
     .kind = OPT_ENUM,
     .choices = "random|sequence",
     .is_prefix = true,
     .doc = "how the field is made"},
    {.key = "fields.#.min", .kind = OPT_STRING, .is_prefix = true, .doc = "least random value of a number or interval"},
    {.key = "fields.#.max",
     .kind = OPT_STRING,
     .is_prefix = true,
     .doc = "greatest random value of a number or interval"},
    {.key = "fields.#.max-past",
     .kind = OPT_DURATION_MS,
     .is_prefix = true,
     .doc = "timestamps lie so far back at most"},
    {.key = "fields.#.length",
     .kind = OPT_INT,
     .is_prefix = true,
     .doc = "of strings and bytes (100), of collections (3)"},
    {.key = "fields.#.var-len", .kind = OPT_BOOL, .is_prefix = true, .doc = "strings and bytes of 1 to `length`"},
    {.key = "fields.#.start", .kind = OPT_INT, .is_prefix = true, .doc = "first number of a sequence"},
    {.key = "fields.#.end", .kind = OPT_INT, .is_prefix = true, .doc = "last number of a sequence"},
    {.key = "fields.#.null-rate",
     .kind = OPT_DOUBLE,
     .is_prefix = true,
     .doc = "share of random values that are NULL, 0 to 1"},
    {.key = NULL},
};

struct datagen_enumerator {
    struct source_claims claims;
};

struct datagen_reader {
    struct arena arena;
    struct datagen_table table;
    uint64_t rows; /* of the whole source */
};

struct datagen_split {
    uint64_t index, stride, done;
    struct rate rate;
};

static enum status table_make(struct datagen_table *t, const struct options *o, const struct type *row, struct arena *a,
                              struct err *e)
{
    return datagen_table_make(t, o, row, (uint64_t)options_int(o, datagen_options, "seed"), a, e);
}

static uint64_t rows_wanted(const struct options *o)
{
    return options_get(o, datagen_options, "number-of-rows") != NULL
               ? (uint64_t)options_int(o, datagen_options, "number-of-rows")
               : UINT64_MAX;
}

static enum status datagen_check(const struct options *o, const struct option_def *defs, const struct type *row,
                                 struct err *e)
{
    struct datagen_table table;
    struct mem mem;
    struct arena arena;

    if (options_int(o, defs, "rows-per-second") < 0)
        return err_set(e, E_CONFIG, "option 'rows-per-second' of connector 'datagen' must not be negative");
    if ((int64_t)rows_wanted(o) < 0 && rows_wanted(o) != UINT64_MAX)
        return err_set(e, E_CONFIG, "option 'number-of-rows' of connector 'datagen' must not be negative");
    mem_init(&mem, "check", 0);
    arena_init(&arena, &mem, 0);
    enum status st = table_make(&table, o, row, &arena, e);
    mem_release(&mem);
    return st;
}

static enum boundedness datagen_boundedness(const struct options *o, const struct option_def *defs)
{
    (void)defs;
    if (rows_wanted(o) != UINT64_MAX) return BOUNDED;
    for (uint32_t i = 0; i < o->count; i++) {
        struct str key = str_of(o->items[i].key);
        bool is_kind = str_starts(key, STR("fields.")) && str_ends(key, STR(".kind"));
        if (is_kind && str_equal_nocase(str_of(o->items[i].value), STR("sequence"))) return BOUNDED;
    }
    return UNBOUNDED;
}

/* --- splits ------------------------------------------------------------------------------------------------------- */
static void split_encode(const struct datagen_split *s, struct buf *out)
{
    enc_u8(out, SPLIT_VERSION);
    enc_varint(out, s->index);
    enc_varint(out, s->stride);
    enc_varint(out, s->done);
}

static enum status datagen_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a,
                                           struct split *out)
{
    struct datagen_enumerator *en = self;
    struct datagen_split s = {.index = subtask, .stride = cx->parallelism};
    struct buf bytes;

    if (!source_claim(&en->claims, subtask)) return S_END;
    buf_init(&bytes, a->mem);
    split_encode(&s, &bytes);
    out->id = arena_printf(a, "rows-%u/%u", subtask + 1, cx->parallelism);
    out->bytes = (struct str){arena_strndup(a, bytes.data, bytes.size), bytes.size};
    buf_release(&bytes);
    return S_OK;
}

static enum status datagen_reader_open(struct source_cx *cx, void *reader)
{
    struct datagen_reader *r = reader;

    arena_init(&r->arena, cx->mem, 0);
    TRY(table_make(&r->table, cx->options, cx->schema, &r->arena, cx->err));
    r->rows = MIN(rows_wanted(cx->options), r->table.rows);
    return S_OK;
}

static void datagen_reader_close(struct source_cx *cx, void *reader)
{
    struct datagen_reader *r = reader;

    (void)cx;
    if (r->arena.mem != NULL) arena_release(&r->arena);
}

static enum status datagen_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct datagen_split *s = split;
    struct dec d;

    (void)reader;
    dec_init(&d, what->bytes.data, what->bytes.size);
    uint8_t version = dec_u8(&d);
    s->index = dec_varint(&d);
    s->stride = dec_varint(&d);
    s->done = dec_varint(&d);
    if (!dec_ok(&d) || version != SPLIT_VERSION || s->index >= s->stride)
        return err_set(cx->err, E_DATA, "the position of a datagen split cannot be read (version %u)", version);
    double rate = (double)options_int(cx->options, cx->option_defs, "rows-per-second");
    rate_init(&s->rate, rate / (double)s->stride, sys_wall_ms(cx->sys));
    return S_OK;
}

/* Rows of this split that are left. */
static uint64_t rows_left(const struct datagen_reader *r, const struct datagen_split *s)
{
    uint64_t mine = r->rows <= s->index ? 0 : (r->rows - s->index - 1) / s->stride + 1;

    return mine - MIN(mine, s->done);
}

static enum status datagen_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct datagen_reader *r = reader;
    struct datagen_split *s = split;
    int64_t now = sys_wall_ms(cx->sys);
    uint64_t left = rows_left(r, s), fit = MAX(1, BATCH_BYTES / (r->table.row_bytes + 1));
    uint32_t n = (uint32_t)MIN(MIN((uint64_t)(out->capacity - out->count), left), fit);

    n = rate_allows(&s->rate, now, n);
    struct datagen_rows rows = {
        .first = s->index + s->done * s->stride, .stride = s->stride, .at = out->count, .count = n, .now_ms = now};
    for (uint32_t c = 0; n > 0 && c < out->col_count; c++) datagen_fill(&r->table.fields[c], &out->cols[c], &rows, out);
    out->count += n;
    s->done += n;
    rate_give(&s->rate, n);
    if (left == n) return S_END;
    if (n > 0) return S_OK;
    cx->wake_ms = MAX(now + 1, rate_next_ms(&s->rate));
    return S_IDLE;
}

static void datagen_split_position(struct source_cx *cx, void *reader, void *split, struct buf *out)
{
    (void)cx;
    (void)reader;
    split_encode(split, out);
}

static const struct source_type datagen_source = {
    .enumerator_size = sizeof(struct datagen_enumerator),
    .reader_size = sizeof(struct datagen_reader),
    .split_size = sizeof(struct datagen_split),
    .boundedness = datagen_boundedness,
    .splits_at_once = 1024,
    .check = datagen_check,
    .enumerator_next = datagen_enumerator_next,
    .reader_open = datagen_reader_open,
    .reader_close = datagen_reader_close,
    .split_open = datagen_split_open,
    .split_read = datagen_split_read,
    .split_position = datagen_split_position,
};

const struct conn_type conn_datagen = {
    .name = "datagen",
    .doc = "makes up rows: random values within bounds, and sequences",
    .example = "'connector' = 'datagen', 'number-of-rows' = '100', 'fields.id.kind' = 'sequence', 'fields.id.start' = "
               "'1', 'fields.id.end' = '100'",
    .options = datagen_options,
    .source = &datagen_source,
};
