/* bench_format.c - rows per second from text to columns on one core, csv and json, against a scanner written by hand for
 * that one schema (format_limit.h) on the same bytes in the same run; and from columns to text.
 *
 * Bids are about 100 bytes in csv, flights are the rows of the main job. Rounds are interleaved, so that a noisy machine
 * hits both sides alike; printed are minimum, median and maximum. The checksums of both sides must agree: both have read
 * every value. */
#include "flow/format/format.h"
#include "format_limit.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"
#include "ground/sys/sys.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9, ROWS = 200 * 1000, WINDOW = 256 * 1024 };

struct bench_case {
    const char *name, *format, *schema;
    limit_fn limit;
    bool is_bid;
    double decode[ROUNDS], limits[ROUNDS], encode[ROUNDS];
    size_t bytes;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

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
               is_json ? "{\"auction\":%lld,\"bidder\":%lld,\"price\":%lld,\"channel\":\"%s\",\"url\":\"https://"
                         "www.nexmark.com/%05llx/item.htm?query=1\","
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

static void text_make(const struct bench_case *bc, struct buf *out)
{
    bool is_json = bc->format[0] == 'j';
    struct prng p;

    prng_init(&p, 1);
    for (uint32_t row = 0; row < ROWS; row++) {
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
    struct sys *sys;
    struct mem *mem;
    const struct type *schema;
    const struct buf *text;
    struct batch *batch;
    uint64_t sum;
};

static void fail(const char *text)
{
    fprintf(stderr, "bench_format: %s\n", text);
    exit(1);
}

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

static void case_print(const struct bench_case *bc, const char *what, double *rates)
{
    qsort(rates, ROUNDS, sizeof *rates, by_value);
    printf("%-14s %-13s %6.2f %6.2f %6.2f M rows/s %7.0f MB/s %6.0f ns/row\n", bc->name, what, rates[0],
           rates[ROUNDS / 2], rates[ROUNDS - 1], rates[ROUNDS / 2] * (double)bc->bytes / ROWS, 1e3 / rates[ROUNDS / 2]);
}

static void case_run(struct bench_case *bc, struct run *r)
{
    const struct fmt_type *format = NULL;
    struct buf text, encoded;
    struct err e = {0};
    struct arena a;

    arena_init(&a, r->mem, 0);
    buf_init(&text, r->mem);
    buf_init(&encoded, r->mem);
    text_make(bc, &text);
    bc->bytes = text.size;
    r->text = &text;
    if (format_find(bc->format, &format, &e) != S_OK || type_parse(&a, str_of(bc->schema), &r->schema, &e) != S_OK)
        fail(e.text);
    r->batch = batch_create(r->schema, BATCH_ROWS, r->mem);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t encode_ns;
        uint64_t sum;
        bc->decode[round] = ROWS * 1e3 / (double)decode_run(r, format, NULL, NULL);
        sum = r->sum;
        bc->limits[round] = ROWS * 1e3 / (double)limit_run(r, bc->limit);
        if (sum != r->sum) fail("the two sides have not read the same values");
        decode_run(r, format, &encoded, &encode_ns);
        bc->encode[round] = ROWS * 1e3 / (double)encode_ns;
    }
    case_print(bc, "hand-written", bc->limits);
    case_print(bc, "decode", bc->decode);
    printf("%-14s %-13s %13.2f of hand-written (%zu bytes per row)\n", bc->name, "ratio",
           bc->decode[ROUNDS / 2] / bc->limits[ROUNDS / 2], bc->bytes / ROWS);
    case_print(bc, "encode", bc->encode);
    batch_free(r->batch);
    buf_release(&text);
    buf_release(&encoded);
    arena_release(&a);
}

int main(int argc, char **argv)
{
    static const char bids[] =
        "ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3)>";
    static const char flights[] =
        "ROW<`date` TIMESTAMP(3), delay INT, distance INT, origin STRING, destination STRING>";
    struct bench_case cases[] = {
        {.name = "csv bids", .format = "csv", .schema = bids, .limit = limit_csv_bids, .is_bid = true},
        {.name = "csv flights", .format = "csv", .schema = flights, .limit = limit_csv_flights},
        {.name = "json bids", .format = "json", .schema = bids, .limit = limit_json_bids, .is_bid = true},
        {.name = "json flights", .format = "json", .schema = flights, .limit = limit_json_flights},
    };
    struct mem mem;
    struct run r = {.sys = sys_linux_create_quiet(), .mem = &mem};

    mem_init(&mem, "bench", 0);
    printf("%-14s %-13s %6s %6s %6s\n", "format", "", "min", "median", "max");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (argc < 2 || strstr(cases[i].name, argv[1])) case_run(&cases[i], &r);
    mem_release(&mem);
    sys_linux_free(r.sys);
    return 0;
}
