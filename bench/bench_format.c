/* bench_format.c - rows per second from text to columns on one core, csv and json, against a scanner written by hand for
 * that one schema (format_limit.h) on the same bytes in the same run; and from columns to text.
 *
 * Bids are about 100 bytes in csv and, with short urls, in json; flights are the rows of the main job. The checksums of both sides must agree: both have read
 * every value. */
#include "bench.h"

#include "flow/format/format.h"
#include "format_limit.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9, WINDOW = 256 * 1024 };

struct format_case {
    const char *name, *format, *schema;
    limit_fn limit;
    bool is_bid;
    double goal; /* M rows/s at scale 1; 0 = none */
};

static void ms_print(int64_t ms, bool with_seconds, char out[32])
{
    struct civil c;

    civil_from_ms(ms, &c);
    if (with_seconds)
        snprintf(out, 32, "%04d-%02d-%02d %02d:%02d:%02d.%03d", c.year, c.month, c.day, c.hour, c.minute, c.second,
                 c.nano / 1000000);
    else snprintf(out, 32, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour, c.minute);
}

static void bid_print(struct prng *p, uint32_t row, bool is_json, struct buf *out)
{
    static const char *const channels[] = {"Google", "Facebook", "Baidu", "Apple", "channel-4711"};
    long long auction = 1000 + (long long)prng_below(p, 900000), bidder = 1000 + (long long)prng_below(p, 300000);
    long long price = 100 + (long long)prng_below(p, prng_below(p, 2) ? 1000 : 10000000);
    const char *channel = channels[prng_below(p, COUNT_OF(channels))];
    char when[32];

    ms_print(INT64_C(1577836800000) + row / 10, true, when);
    buf_printf(out,
               is_json ? "{\"auction\":%lld,\"bidder\":%lld,\"price\":%lld,\"channel\":\"%s\",\"url\":\"%05llx\","
                         "\"dateTime\":\"%s\"}\n"
                       : "%lld,%lld,%lld,%s,https://www.nexmark.com/%05llx/item.htm?query=1,%s\n",
               auction, bidder, price, channel, (unsigned long long)prng_below(p, 1 << 20), when);
}

static void flight_print(struct prng *p, uint32_t row, bool is_json, struct buf *out)
{
    static const char *const airports[] = {"ATL", "ORD", "DFW", "LAX", "PHX", "SMF", "SAN", "SEA", "DEN", "OAK"};
    char when[32];

    ms_print(INT64_C(978307200000) + (int64_t)row * 25000 + (int64_t)prng_below(p, 3600000), false, when);
    buf_printf(out,
               is_json ? "{\"date\":\"%s\",\"delay\":%d,\"distance\":%d,\"origin\":\"%s\",\"destination\":\"%s\"}\n"
                       : "%s,%d,%d,%s,%s\n",
               when, (int)prng_below(p, 120) - 30, 100 + (int)prng_below(p, 2500),
               airports[prng_below(p, COUNT_OF(airports))], airports[prng_below(p, COUNT_OF(airports))]);
}

static void text_make(const struct format_case *bc, uint32_t rows, struct buf *out)
{
    bool is_json = bc->format[0] == 'j';
    struct prng p;

    prng_init(&p, 1);
    for (uint32_t row = 0; row < rows; row++) {
        if (bc->is_bid) bid_print(&p, row, is_json, out);
        else flight_print(&p, row, is_json, out);
    }
    buf_reserve(out, FORMAT_PADDING);
}

/* What both sides must agree on: every value of every row. */
static uint64_t batch_sum(const struct batch *b)
{
    uint64_t sum = b->count;

    for (uint32_t c = 0; c < b->col_count; c++) {
        const struct vector *v = &b->cols[c];
        for (uint32_t i = 0; i < b->count; i++) {
            if (v->phys == P_STR)
                sum += VECTOR_VALUES(v, struct text)[i].size +
                       (unsigned char)text_data(&VECTOR_VALUES(v, struct text)[i])[0];
            else sum += (uint64_t)(v->phys == P_I32 ? VECTOR_VALUES(v, int32_t)[i] : VECTOR_VALUES(v, int64_t)[i]);
        }
    }
    return sum;
}

struct run {
    struct bench *bench;
    struct sys *sys;
    struct mem *mem;
    const struct type *schema;
    const struct buf *text;
    struct batch *batch;
    const struct fmt_type *format;
    const struct format_case *of;
    uint32_t rows;
    uint64_t sum, sum_engine;
    double decode[BENCH_RUNS_MAX], encode[BENCH_RUNS_MAX];
    uint32_t runs;
};

static void fail(const char *text) { bench_fail("%s", text); }

/* Decodes all of the text in windows; every batch is read, and encoded when there is somewhere to. */
static int64_t decode_run(struct run *r, const struct fmt_type *format, struct buf *encoded, int64_t *encode_ns)
{
    struct format_config config = {.schema = r->schema, .mem = r->mem, .name = "bench"};
    struct format_input in = FORMAT_INPUT_START;
    void *decoder = mem_alloc_aligned(r->mem, format->decoder_size, 64),
         *encoder = mem_zalloc(r->mem, format->encoder_size);
    int64_t start, spent = 0;
    struct err e = {0};
    enum status st;

    memset(decoder, 0, format->decoder_size);
    if (format->decoder_open(decoder, &config, &e) != S_OK || format->encoder_open(encoder, &config, &e) != S_OK)
        fail(e.text);
    r->sum = 0;
    start = sys_mono_ns(r->sys);
    do {
        in.data = r->text->data + in.offset;
        in.size = MIN((size_t)WINDOW, r->text->size - in.offset);
        in.at_end = in.offset + in.size == r->text->size;
        in.consumed = 0;
        do {
            batch_clear(r->batch);
            st = format->decode(decoder, &in, r->batch, &e);
            r->sum += batch_sum(r->batch);
            if (encoded) {
                int64_t before = sys_mono_ns(r->sys);
                buf_clear(encoded);
                if (format->encode(encoder, r->batch, encoded, &e) != S_OK) fail(e.text);
                spent += sys_mono_ns(r->sys) - before;
            }
        } while (st == S_MORE);
        if (st < 0) fail(e.text);
    } while (st != S_END);
    start = sys_mono_ns(r->sys) - start;
    format->decoder_close(decoder);
    format->encoder_close(encoder);
    mem_free(r->mem, decoder);
    mem_free(r->mem, encoder);
    if (encode_ns) *encode_ns = spent;
    return start;
}

static int64_t limit_run(struct run *r, limit_fn scan)
{
    const char *at = r->text->data, *end = at + r->text->size;
    int64_t start = sys_mono_ns(r->sys);

    r->sum = 0;
    while (at < end) {
        batch_clear(r->batch);
        at = scan(at, end, r->batch);
        if (!at) fail("the hand-written scanner met text that it does not know");
        r->sum += batch_sum(r->batch);
    }
    return sys_mono_ns(r->sys) - start;
}

static double engine(struct bench *b, void *arg)
{
    struct run *r = arg;
    struct buf encoded;
    int64_t encode_ns;
    double rate = r->rows * 1e3 / (double)decode_run(r, r->format, NULL, NULL);

    (void)b;
    r->sum_engine = r->sum;
    buf_init(&encoded, r->mem);
    decode_run(r, r->format, &encoded, &encode_ns);
    buf_release(&encoded);
    r->decode[r->runs] = rate;
    r->encode[r->runs++] = r->rows * 1e3 / (double)encode_ns;
    return rate;
}

static double by_hand(struct bench *b, void *arg)
{
    struct run *r = arg;
    double rate = r->rows * 1e3 / (double)limit_run(r, r->of->limit);

    (void)b;
    bench_same("sum of all values", (int64_t)r->sum_engine, (int64_t)r->sum);
    return rate;
}

static void case_lines(struct run *r, const char *name)
{
    struct bench *b = r->bench;
    struct bench_case c = {.name = arena_printf(&b->arena, "%s, rows per second", name), .unit = "M rows/s"};

    if (r->runs == 0) return;
    c.goal_kind = GOAL_AT_LEAST;
    c.goal = r->of->goal;
    c.scales = true;
    if (c.goal > 0) bench_line(b, &c, r->decode, r->runs);
    bench_line(b, &(struct bench_case){.name = arena_printf(&b->arena, "%s, written", name), .unit = "M rows/s"}, r->encode, r->runs);
}

static void case_run(struct bench *b, const struct format_case *bc)
{
    struct mem mem;
    struct run r = {.bench = b, .sys = b->sys, .mem = &mem, .of = bc, .rows = (uint32_t)bench_size(b, 200000, 3000)};
    struct buf text;
    struct err e = {0};
    struct arena a;

    mem_init(&mem, "format", 0);
    arena_init(&a, &mem, 0);
    buf_init(&text, &mem);
    text_make(bc, r.rows, &text);
    r.text = &text;
    if (format_find(bc->format, &r.format, &e) != S_OK || type_parse(&a, str_of(bc->schema), &r.schema, &e) != S_OK) fail(e.text);
    r.batch = batch_create(r.schema, BATCH_ROWS, &mem);
    const char *name = arena_printf(&b->arena, "%s, %u bytes", bc->name, (uint32_t)(text.size / r.rows));
    bench_run(b, &(struct bench_case){.name = name,
                                      .unit = "M rows/s",
                                      .engine = engine,
                                      .limit = by_hand,
                                      .arg = &r,
                                      .goal_kind = GOAL_SHARE_AT_LEAST,
                                      .goal = 0.5,
                                      .runs = ROUNDS});
    case_lines(&r, name);
    arena_release(&a);
    mem_release(&mem);
}

int main(int argc, char **argv)
{
    static const char bids[] =
        "ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3)>";
    static const char flights[] =
        "ROW<`date` TIMESTAMP(3), delay INT, distance INT, origin STRING, destination STRING>";
    static const struct format_case cases[] = {
        {.name = "csv bids", .format = "csv", .schema = bids, .limit = limit_csv_bids, .is_bid = true, .goal = 8},
        {.name = "csv flights", .format = "csv", .schema = flights, .limit = limit_csv_flights},
        {.name = "json bids", .format = "json", .schema = bids, .limit = limit_json_bids, .is_bid = true, .goal = 4},
        {.name = "json flights", .format = "json", .schema = flights, .limit = limit_json_flights},
    };
    struct bench b;

    bench_start(&b, argc, argv, "formats");
    for (size_t i = 0; i < COUNT_OF(cases); i++) case_run(&b, &cases[i]);
    return bench_end(&b);
}
