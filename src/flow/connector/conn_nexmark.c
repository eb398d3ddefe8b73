/* conn_nexmark.c - the generator of the Nexmark benchmark: persons, auctions and bids of an online auction house.
 *
 * Option names and distributions are those of the benchmark's own connector. What is ours: the sequence is a function of
 * 'nexmark.seed' and the event number, so two runs, or runs of different parallelism, generate the same events; event time
 * begins at a fixed moment unless told otherwise; 'nexmark.table' generates the events of one kind with flat columns.
 *
 * One split per subtask, which reads every P-th chunk of the sequence (nexmark_plan.c). A split's bytes: version, index,
 * stride, events done, base time. With max-emit-speed = false an event is held back until its place in time has come,
 * counted from when the split was opened. There is one rate, first-event.rate: the original's connector takes
 * next-event.rate, rate.shape and rate.period as well and never uses them, in any of its releases. So does this one: the
 * same options make the same times. */
#include "columns/expr/expr.h"
#include "flow/connector/connector.h"
#include "flow/connector/nexmark/nexmark.h"
#include "flow/source/source_filter.h"
#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <math.h>

enum { SPLIT_VERSION = 1, TABLE_ALL = 3, ALL_KINDS = 7 };
#define EVENTS_MAX (UINT64_C(1) << 53)
#define UNUSED "taken and not used, as in the benchmark's own generator: all events come at first-event.rate"
#define DEFAULT_BASE "1577836800000" /* 2020-01-01 */

static const struct option_def nexmark_options[] = {
    {.key = "events.num", .kind = OPT_INT, .fallback = "0", .doc = "events to generate; 0 = without end"},
    {.key = "first-event.rate", .kind = OPT_INT, .fallback = "10000", .doc = "events per second of event time"},
    {.key = "next-event.rate", .kind = OPT_INT, .fallback = "10000", .doc = UNUSED},
    {.key = "rate.shape", .kind = OPT_ENUM, .choices = "SQUARE|SINE", .fallback = "SQUARE", .doc = UNUSED},
    {.key = "rate.period", .kind = OPT_DURATION_MS, .fallback = "600 s", .doc = UNUSED},
    {.key = "rate.limited", .kind = OPT_BOOL, .fallback = "false", .doc = "true: as max-emit-speed = false"},
    {.key = "max-emit-speed",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "as fast as possible; false: at the rate of event time"},
    {.key = "person.proportion", .kind = OPT_INT, .fallback = "1", .doc = "persons per epoch"},
    {.key = "auction.proportion", .kind = OPT_INT, .fallback = "3", .doc = "auctions per epoch"},
    {.key = "bid.proportion", .kind = OPT_INT, .fallback = "46", .doc = "bids per epoch"},
    {.key = "person.avg-size",
     .kind = OPT_SIZE,
     .fallback = "200",
     .doc = "average bytes of a person; the field extra pads to it"},
    {.key = "auction.avg-size", .kind = OPT_SIZE, .fallback = "500", .doc = "average bytes of an auction"},
    {.key = "bid.avg-size", .kind = OPT_SIZE, .fallback = "100", .doc = "average bytes of a bid"},
    {.key = "bid.hot-ratio.auctions",
     .kind = OPT_INT,
     .fallback = "2",
     .doc = "all but one of so many bids go to a hot auction"},
    {.key = "bid.hot-ratio.bidders",
     .kind = OPT_INT,
     .fallback = "4",
     .doc = "all but one of so many bids come from a hot bidder"},
    {.key = "auction.hot-ratio.sellers",
     .kind = OPT_INT,
     .fallback = "4",
     .doc = "all but one of so many auctions are a hot seller's"},
    {.key = "keep-alive",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "stay idle after the last event instead of ending"},
    {.key = "stop-at", .kind = OPT_INT, .fallback = "-1", .doc = "stop after so many events; -1 = events.num decides"},
    {.key = "nexmark.table",
     .kind = OPT_ENUM,
     .choices = "person|auction|bid|all",
     .fallback = "all",
     .doc = "all: event_type and three nested rows; else the events of that kind, flat"},
    {.key = "nexmark.seed", .kind = OPT_INT, .fallback = "0", .doc = "another seed, other events"},
    {.key = "nexmark.base-time",
     .kind = OPT_STRING,
     .fallback = DEFAULT_BASE,
     .doc = "event time of the first event: ms since 1970, or now"},
    {.key = "nexmark.out-of-order-group-size",
     .kind = OPT_INT,
     .fallback = "1",
     .doc = "events of such a group come in another order"},
    {.key = NULL},
};

enum { FIELDS_MAX = 16 };

struct nexmark_enumerator {
    struct source_claims claims;
    int64_t base_ms;
};

struct nexmark_reader {
    struct nexmark_generator generator;
    uint64_t end;      /* number of the first event that is not generated */
    uint32_t table;    /* enum nexmark_kind or TABLE_ALL */
    uint32_t kinds;    /* that are wanted: bits */
    int fields[3][FIELDS_MAX]; /* TABLE_ALL: by kind, for each field which child of its column it is; -1: not wanted */
    bool throttled, keeps_alive;
};

struct nexmark_split {
    struct nexmark_cursor cursor;
    int64_t base_ms,
        started_ms; /* wall time of base_ms: chosen so that the split's first event is due when it is opened */
};

/* --- options ------------------------------------------------------------------------------------------------------ */
static enum status at_least(const struct options *o, const char *key, int64_t least, int64_t most, struct err *e)
{
    int64_t value = options_int(o, nexmark_options, key);

    if (value >= least && value <= most) return S_OK;
    return err_set(e, E_CONFIG, "option '%s' of connector 'nexmark' is %lld, but must be between %lld and %lld", key,
                   (long long)value, (long long)least, (long long)most);
}

/* Far enough from both ends that the times of events lie between them. */
static bool base_time(const struct options *o, int64_t now_ms, int64_t *out)
{
    const int64_t most = INT64_C(1) << 60;
    struct str text = str_of(options_get(o, nexmark_options, "nexmark.base-time"));

    *out = now_ms;
    return str_equal(text, STR("now")) || (str_to_int64(text, out) && *out >= -most && *out <= most);
}

static enum status nexmark_check(const struct options *o, const struct option_def *defs, const struct type *row,
                                 struct err *e)
{
    static const char *const proportions[] = {"person.proportion", "auction.proportion", "bid.proportion"};
    int table = options_enum(o, defs, "nexmark.table");
    int64_t base;

    ASSERT(row->kind == T_ROW);
    for (int i = 0; i < 3; i++)
        TRY(at_least(o, proportions[i], i == NEXMARK_BID && table != NEXMARK_BID ? 0 : 1, 1000000, e));
    TRY(at_least(o, "events.num", 0, (int64_t)EVENTS_MAX, e));
    TRY(at_least(o, "first-event.rate", 1, 1000000000, e));
    TRY(at_least(o, "next-event.rate", 1, 1000000000, e));
    TRY(at_least(o, "stop-at", -1, (int64_t)EVENTS_MAX, e));
    TRY(at_least(o, "nexmark.out-of-order-group-size", 1, 1000000, e));
    TRY(at_least(o, "bid.hot-ratio.auctions", 1, 1000000, e));
    TRY(at_least(o, "bid.hot-ratio.bidders", 1, 1000000, e));
    TRY(at_least(o, "auction.hot-ratio.sellers", 1, 1000000, e));
    TRY(at_least(o, "person.avg-size", 0, 100000, e));
    TRY(at_least(o, "auction.avg-size", 0, 100000, e));
    TRY(at_least(o, "bid.avg-size", 0, 100000, e));
    if (base_time(o, 0, &base)) return S_OK;
    return err_set(e, E_CONFIG,
                   "option 'nexmark.base-time' of connector 'nexmark' is '%s', but must be ms since 1970 or 'now'",
                   options_get(o, defs, "nexmark.base-time"));
}

/* The columns of the one, but perhaps for fields of nested rows. */
static bool is_part(const struct type *part, const struct type *whole)
{
    bool same = part != NULL && part->kind == T_ROW && part->child_count == whole->child_count;

    for (uint32_t i = 0; same && i < whole->child_count; i++) {
        const struct type *x = part->children[i], *y = whole->children[i];
        same = strcmp(part->names[i], whole->names[i]) == 0;
        if (same && x->kind == T_ROW && y->kind == T_ROW)
            for (uint32_t k = 0; same && k < x->child_count; k++) {
                int at = type_field(y, str_of(x->names[k]));
                same = at >= 0 && type_equal_ignoring_null(x->children[k], y->children[at]);
            }
        else same = same && type_equal_ignoring_null(x, y);
    }
    return same;
}

static enum status nexmark_schema(struct arena *a, const struct options *o, const struct option_def *defs,
                                  const struct type **row, struct err *e)
{
    const struct type *declared = *row, *whole;

    TRY(type_parse(a, str_of(nexmark_row_types[options_enum(o, defs, "nexmark.table")]), &whole, e));
    if (!is_part(declared, whole)) *row = whole; /* else it is what is wanted of nested rows */
    return S_OK;
}

static bool nexmark_skips_fields(const struct options *o, const struct option_def *defs)
{
    return options_enum(o, defs, "nexmark.table") == TABLE_ALL;
}

/* Is it the time of the event, whatever its kind is: dateTime of one of the rows, chosen by event_type? */
static bool is_event_time(const struct expr *x)
{
    if (x->kind == EXPR_CONSTANT) return true;
    if (x->kind == EXPR_COLUMN) return x->col == 0;
    if (x->kind == EXPR_CALL && strcmp(x->call->def->name, "FIELD") == 0) {
        const struct vector *name = x->call->constants[1];
        return x->args[0]->kind == EXPR_COLUMN && str_equal(text_str(&VECTOR_VALUES(name, struct text)[0]), STR("dateTime"));
    }
    for (uint32_t i = 0; i < x->count; i++)
        if (!is_event_time(x->args[i])) return false;
    return x->kind == EXPR_CASE || (x->kind == EXPR_CALL && strcmp(x->call->def->name, "=") == 0);
}

/* A condition on event_type alone says which kinds of events are wanted. In groups that come in another order times do, too. */
static bool nexmark_takes_early(const struct options *o, const struct option_def *defs, const struct type *schema, const uint64_t *columns,
                                const struct expr *time)
{
    if (options_enum(o, defs, "nexmark.table") != TABLE_ALL || options_int(o, defs, "nexmark.out-of-order-group-size") != 1) return false;
    for (uint32_t i = 1; i < schema->child_count; i++)
        if (bit_get(columns, i)) return false;
    return bit_get(columns, 0) && schema->children[0]->kind == T_INT && is_event_time(time);
}

static uint64_t event_end(const struct options *o)
{
    int64_t count = options_int(o, nexmark_options, "events.num"), stop = options_int(o, nexmark_options, "stop-at");
    uint64_t end = count > 0 ? (uint64_t)count : EVENTS_MAX;

    return stop >= 0 ? MIN(end, (uint64_t)stop) : end;
}

static enum boundedness nexmark_boundedness(const struct options *o, const struct option_def *defs)
{
    return event_end(o) == EVENTS_MAX || options_bool(o, defs, "keep-alive") ? UNBOUNDED : BOUNDED;
}

static void rules_init(struct nexmark_rules *g, const struct options *o)
{
    const struct option_def *d = nexmark_options;

    *g = (struct nexmark_rules){
        .persons = (uint64_t)options_int(o, d, "person.proportion"),
        .auctions = (uint64_t)options_int(o, d, "auction.proportion"),
        .bids = (uint64_t)options_int(o, d, "bid.proportion"),
        .hot_auction = (uint64_t)options_int(o, d, "bid.hot-ratio.auctions"),
        .hot_bidder = (uint64_t)options_int(o, d, "bid.hot-ratio.bidders"),
        .hot_seller = (uint64_t)options_int(o, d, "auction.hot-ratio.sellers"),
        .out_of_order = (uint64_t)options_int(o, d, "nexmark.out-of-order-group-size"),
        .delay_us = 1000000.0 / (double)options_int(o, d, "first-event.rate"),
        .person_size = (uint32_t)options_int(o, d, "person.avg-size"),
        .auction_size = (uint32_t)options_int(o, d, "auction.avg-size"),
        .bid_size = (uint32_t)options_int(o, d, "bid.avg-size"),
    };
    g->total = g->persons + g->auctions + g->bids;
    nexmark_seed(g, (uint64_t)options_int(o, d, "nexmark.seed"));
}

/* --- splits ------------------------------------------------------------------------------------------------------- */
static void split_encode(const struct nexmark_split *s, struct buf *out)
{
    enc_u8(out, SPLIT_VERSION);
    enc_varint(out, s->cursor.index);
    enc_varint(out, s->cursor.stride);
    enc_varint(out, s->cursor.done);
    enc_zigzag(out, s->base_ms);
}

static enum status split_decode(struct nexmark_split *s, struct str bytes, struct err *e)
{
    struct dec d;

    dec_init(&d, bytes.data, bytes.size);
    uint8_t version = dec_u8(&d);
    s->cursor = (struct nexmark_cursor){.index = dec_varint(&d)};
    s->cursor.stride = dec_varint(&d);
    s->cursor.done = dec_varint(&d);
    s->base_ms = dec_zigzag(&d);
    if (dec_ok(&d) && version == SPLIT_VERSION && s->cursor.index < s->cursor.stride) return S_OK;
    return err_set(e, E_DATA, "the position of a nexmark split cannot be read (version %u)", version);
}

static enum status nexmark_enumerator_open(struct source_cx *cx, void *self)
{
    struct nexmark_enumerator *en = self;
    bool valid = base_time(cx->options, sys_wall_ms(cx->sys), &en->base_ms);

    ASSERT(valid); /* checked with the graph */
    return S_OK;
}

static enum status nexmark_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a,
                                           struct split *out)
{
    struct nexmark_enumerator *en = self;
    struct nexmark_split split = {.cursor = {.index = subtask, .stride = cx->parallelism},
                                  .base_ms = en->base_ms};
    struct buf bytes;

    if (!source_claim(&en->claims, subtask)) return S_END;
    buf_init(&bytes, a->mem);
    split_encode(&split, &bytes);
    out->id = arena_printf(a, "events-%u/%u", subtask + 1, cx->parallelism);
    out->bytes = (struct str){arena_strndup(a, bytes.data, bytes.size), bytes.size};
    buf_release(&bytes);
    return S_OK;
}

/* Which fields of nested rows are columns' children? */
static void fields_find(struct nexmark_reader *r, const struct source_cx *cx)
{
    const struct type *whole;
    struct arena a;

    arena_init(&a, cx->mem, 0);
    for (uint32_t k = NEXMARK_PERSON; k <= NEXMARK_BID; k++) {
        enum status st = type_parse(&a, str_of(nexmark_row_types[k]), &whole, NULL);
        ASSERT(st == S_OK && whole->child_count <= FIELDS_MAX);
        for (uint32_t i = 0; i < whole->child_count; i++)
            r->fields[k][i] = type_field(cx->schema->children[1 + k], str_of(whole->names[i]));
    }
    arena_release(&a);
}

/* By kind of text: letters, words, names, channels. */
static void texts_of(const struct type *row, const uint64_t *needed, uint32_t table, bool wanted[4])
{
    for (uint32_t i = 0; i < row->child_count; i++) {
        struct str name = str_of(row->names[i]);
        if (needed != NULL && !bit_get(needed, i)) continue;
        bool is_extra = str_equal(name, STR("extra"));
        wanted[0] |= is_extra;
        wanted[1] |= (is_extra && table != NEXMARK_BID) || str_equal(name, STR("itemName")) || str_equal(name, STR("description")) ||
                     str_equal(name, STR("emailAddress"));
        wanted[2] |= (is_extra && table == NEXMARK_PERSON) || str_equal(name, STR("name"));
        wanted[3] |= str_equal(name, STR("channel")) || str_equal(name, STR("url"));
    }
}

/* Which texts does somebody want? */
static void texts_make(struct nexmark_reader *r, const struct source_cx *cx, uint64_t seed)
{
    struct nexmark_texts *t = &r->generator.texts;
    bool wanted[4] = {0};

    if (r->table != TABLE_ALL) texts_of(cx->schema, cx->needed, r->table, wanted);
    for (uint32_t k = NEXMARK_PERSON; r->table == TABLE_ALL && k <= NEXMARK_BID; k++)
        if (cx->needed == NULL || bit_get(cx->needed, 1 + k)) texts_of(cx->schema->children[1 + k], NULL, k, wanted);
    if (wanted[0]) nexmark_texts_letters(t, seed, cx->mem);
    if (wanted[1]) nexmark_texts_words(t, seed, cx->mem);
    if (wanted[2]) nexmark_texts_names(t, cx->mem);
    if (wanted[3]) nexmark_texts_channels(t, seed, cx->mem);
}

/* Those that the filter passes: it reads event_type alone. */
static enum status kinds_find(struct nexmark_reader *r, const struct source_cx *cx)
{
    struct source_filter filter = {0};

    r->kinds = r->table == TABLE_ALL ? ALL_KINDS : 1u << r->table;
    if (cx->filter.size == 0) return S_OK;
    TRY(source_filter_open(&filter, cx, cx->err));
    for (uint32_t k = NEXMARK_PERSON; k <= NEXMARK_BID; k++) {
        struct batch *row = source_filter_row(&filter);
        VECTOR_VALUES(&row->cols[0], int32_t)[0] = (int32_t)k;
        if (!source_filter_passes(&filter)) r->kinds &= ~(1u << k);
    }
    source_filter_close(&filter);
    return S_OK;
}

static enum status nexmark_reader_open(struct source_cx *cx, void *reader)
{
    struct nexmark_reader *r = reader;

    rules_init(&r->generator.rules, cx->options);
    r->end = event_end(cx->options);
    r->table = (uint32_t)options_enum(cx->options, cx->option_defs, "nexmark.table");
    r->throttled = !options_bool(cx->options, cx->option_defs, "max-emit-speed") ||
                   options_bool(cx->options, cx->option_defs, "rate.limited");
    r->keeps_alive = options_bool(cx->options, cx->option_defs, "keep-alive");
    TRY(kinds_find(r, cx));
    if (r->table == TABLE_ALL) fields_find(r, cx);
    texts_make(r, cx, (uint64_t)options_int(cx->options, cx->option_defs, "nexmark.seed"));
    return S_OK;
}

/* ms of event time from event 0 to event n. */
static int64_t elapsed_at(const struct nexmark_rules *g, uint64_t n) { return nexmark_time_at(g, n + 1) - g->base_ms; }

static enum status nexmark_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct nexmark_reader *r = reader;
    struct nexmark_split *s = split;

    TRY(split_decode(s, what->bytes, cx->err));
    r->generator.rules.base_ms = s->base_ms;
    s->started_ms = sys_wall_ms(cx->sys) - elapsed_at(&r->generator.rules, nexmark_number(&s->cursor));
    return S_OK;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */
static void bits_range(uint64_t *bits, uint32_t first, uint32_t count, bool value)
{
    for (uint32_t at = first, n; at < first + count; at += n) {
        n = MIN(first + count - at, 64 - (at & 63));
        uint64_t mask = (n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1) << (at & 63);
        bits[at >> 6] = value ? bits[at >> 6] | mask : bits[at >> 6] & ~mask;
    }
}

/* Rows of the plan that are of another kind are NULL in v and in its fields. */
static void kind_nulls(const struct nexmark_plan *plan, enum nexmark_kind kind, uint32_t first, struct vector *v)
{
    bool was_valid = v->validity == NULL;

    v->validity = v->validity_space;
    if (was_valid) bits_range(v->validity, 0, first, true);
    bits_range(v->validity, first, plan->rows, false);
    for (const struct nexmark_run *r = plan->runs; r < plan->runs + plan->run_count; r++)
        if (r->kind == kind) bits_range(v->validity, r->row, r->count, true);
    for (uint32_t i = 0; i < v->child_count; i++) kind_nulls(plan, kind, first, &v->children[i]);
}

/* The fields of a column in their places, those that are not wanted ABSENT; and back. */
static void fields_lay(const int *fields, const struct vector *column, struct vector *out)
{
    for (uint32_t i = 0; i < FIELDS_MAX; i++)
        if (fields[i] >= 0 && fields[i] < (int)column->child_count) out[i] = column->children[fields[i]];
        else out[i] = (struct vector){.form = VEC_ABSENT};
}

static void fields_return(const int *fields, const struct vector *from, struct vector *column)
{
    for (uint32_t i = 0; i < FIELDS_MAX; i++)
        if (fields[i] >= 0 && fields[i] < (int)column->child_count) column->children[fields[i]] = from[i];
}

static void all_fill(const struct nexmark_reader *r, struct batch *out)
{
    const struct nexmark_generator *g = &r->generator;
    const struct nexmark_plan *plan = &g->plan;
    struct vector *cols = out->cols, fields[FIELDS_MAX];

    for (uint32_t k = NEXMARK_PERSON; k <= NEXMARK_BID; k++)
        if (cols[1 + k].form == VEC_FLAT) kind_nulls(plan, (enum nexmark_kind)k, out->count, &cols[1 + k]);
    for (const struct nexmark_run *run = plan->runs; cols[0].form == VEC_FLAT && run < plan->runs + plan->run_count; run++)
        for (uint32_t i = 0; i < run->count; i++) VECTOR_VALUES(&cols[0], int32_t)[run->row + i] = (int32_t)run->kind;
    for (uint32_t k = NEXMARK_PERSON; k <= NEXMARK_BID; k++) {
        if (cols[1 + k].form != VEC_FLAT) continue;
        fields_lay(r->fields[k], &cols[1 + k], fields);
        if (k == NEXMARK_PERSON) nexmark_fill_persons(g, plan, fields, &out->heap);
        else if (k == NEXMARK_AUCTION) nexmark_fill_auctions(g, plan, fields);
        else nexmark_fill_bids(g, plan, fields);
        fields_return(r->fields[k], fields, &cols[1 + k]);
    }
}

static void rows_fill(const struct nexmark_reader *r, struct batch *out)
{
    const struct nexmark_generator *g = &r->generator;

    switch (r->table) {
    case NEXMARK_PERSON: nexmark_fill_persons(g, &g->plan, out->cols, &out->heap); break;
    case NEXMARK_AUCTION: nexmark_fill_auctions(g, &g->plan, out->cols); break;
    case NEXMARK_BID: nexmark_fill_bids(g, &g->plan, out->cols); break;
    default: all_fill(r, out); break;
    }
}

/* First event whose time has not come. */
static uint64_t due_end(const struct nexmark_reader *r, const struct nexmark_split *s, int64_t now_ms)
{
    double due = ((double)(now_ms - s->started_ms) + 1) * 1000 / r->generator.rules.delay_us;

    return due < 1 ? 0 : (uint64_t)ceil(MIN(due, (double)EVENTS_MAX)) - 1;
}

static enum status nexmark_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct nexmark_reader *r = reader;
    struct nexmark_split *s = split;
    struct nexmark_plan *plan = &r->generator.plan;
    int64_t now = r->throttled ? sys_wall_ms(cx->sys) : 0;
    uint64_t end = r->throttled ? MIN(r->end, due_end(r, s, now)) : r->end;

    ASSERT(out->count <= out->capacity);
    r->generator.rules.base_ms = s->base_ms; /* splits of several attempts may begin at several times */
    nexmark_plan_rows(&r->generator.rules, &s->cursor, r->kinds, end,
                      out->count, out->capacity - out->count, plan);
    if (plan->rows > 0) rows_fill(r, out);
    out->count += plan->rows;
    uint64_t next = nexmark_number(&s->cursor);
    if (next >= r->end && !r->keeps_alive) return S_END;
    if (next < end || plan->rows > 0) return S_OK;
    cx->wake_ms = next >= r->end ? INT64_MAX : MAX(now + 1, s->started_ms + elapsed_at(&r->generator.rules, next));
    return S_IDLE;
}

static void nexmark_split_position(struct source_cx *cx, void *reader, void *split, struct buf *out)
{
    (void)cx;
    (void)reader;
    split_encode(split, out);
}

static const struct source_type nexmark_source = {
    .enumerator_size = sizeof(struct nexmark_enumerator),
    .reader_size = sizeof(struct nexmark_reader),
    .split_size = sizeof(struct nexmark_split),
    .boundedness = nexmark_boundedness,
    .skips_fields = nexmark_skips_fields,
    .takes_early = nexmark_takes_early,
    .splits_at_once = 1024,
    .schema = nexmark_schema,
    .check = nexmark_check,
    .enumerator_open = nexmark_enumerator_open,
    .enumerator_next = nexmark_enumerator_next,
    .reader_open = nexmark_reader_open,
    .split_open = nexmark_split_open,
    .split_read = nexmark_split_read,
    .split_position = nexmark_split_position,
};

const struct conn_type conn_nexmark = {
    .name = "nexmark",
    .doc = "generates the auctions of the Nexmark benchmark; the same events in every run",
    .example = "'connector' = 'nexmark', 'events.num' = '1000000', 'nexmark.table' = 'bid'",
    .options = nexmark_options,
    .source = &nexmark_source,
};
