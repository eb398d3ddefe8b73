/* flights.c - the main job: 20,000 real flights of early 2001, replayed in the order of their arrival, while time is that of
 * their schedule. So disorder and late rows are real: thirty minutes of disorder are waited for, flights up to an hour later
 * than that still count and fire their week again, the rest goes to a side output.
 *
 *   flights -> mean delay per airport and week -> the five worst airports of each week
 *
 * Watermarks are emitted by row count, so every run gives the same result. `--input FILE` reads your own file of that shape. */
#include <thalweg/thalweg.h>

#include <stdio.h>
#include <string.h>

enum { WORST = 5, FLIGHTS_MIN = 10, AIRPORTS_MAX = 512, SAMPLES = 3 };

struct flight {
    int64_t scheduled; /* ms; event time */
    int32_t delay;     /* minutes at arrival */
    int32_t distance;  /* miles */
    struct tw_str origin, destination;
};
TW_ROW(flight, TW_FIELD(flight, scheduled, "TIMESTAMP(3) NOT NULL"), TW_FIELD(flight, delay, "INT NOT NULL"), TW_FIELD(flight, distance, "INT NOT NULL"),
       TW_FIELD(flight, origin, "STRING NOT NULL"), TW_FIELD(flight, destination, "STRING NOT NULL"));

/* --- per airport and week ------------------------------------------------------------------------------------------------ */
struct sum {
    int64_t delay, flights;
    int32_t worst;
};
TW_ROW(sum, TW_FIELD(sum, delay, "BIGINT NOT NULL"), TW_FIELD(sum, flights, "BIGINT NOT NULL"), TW_FIELD(sum, worst, "INT NOT NULL"));

struct airport {
    struct tw_str origin;
    int64_t window_start, flights;
    double mean;
    int32_t worst;
};
TW_ROW(airport, TW_FIELD(airport, origin, "STRING NOT NULL"), TW_FIELD(airport, window_start, "TIMESTAMP(3) NOT NULL"),
       TW_FIELD(airport, flights, "BIGINT NOT NULL"), TW_FIELD(airport, mean, "DOUBLE NOT NULL"), TW_FIELD(airport, worst, "INT NOT NULL"));

static enum tw_status add_flight(struct tw_context *cx, void *acc, const void *in)
{
    struct sum *sum = acc;
    const struct flight *flight = in;

    (void)cx;
    if (sum->flights == 0 || flight->delay > sum->worst) sum->worst = flight->delay;
    sum->delay += flight->delay;
    sum->flights++;
    return TW_OK;
}

static enum tw_status airport_result(struct tw_context *cx, const void *acc, void *out)
{
    const struct sum *sum = acc;
    struct airport *airport = out; /* origin and window_start are filled in already */

    (void)cx;
    airport->flights = sum->flights;
    airport->mean = (double)sum->delay / (double)sum->flights;
    airport->worst = sum->worst;
    return TW_OK;
}

TW_FUNCTION(delays_of_airport) = {.in = &flight_row, .acc = &sum_row, .out = &airport_row, .add = add_flight, .result = airport_result};

/* --- the worst of each week: all airports of the week, as bytes, latest figures win ---------------------------------------- */
struct entry {
    char origin[8];
    int64_t flights;
    double mean;
    int32_t worst, zero;
};

struct week {
    struct tw_str entries;
};
TW_ROW(week, TW_FIELD(week, entries, "BYTES NOT NULL"));

struct ranked {
    int64_t window_start;
    struct tw_str entries; /* the worst, worst first */
};
TW_ROW(ranked, TW_FIELD(ranked, window_start, "TIMESTAMP(3) NOT NULL"), TW_FIELD(ranked, entries, "BYTES NOT NULL"));

struct memory { /* of a subtask: room to work on one week */
    struct entry entries[AIRPORTS_MAX];
};

static enum tw_status add_airport(struct tw_context *cx, void *acc, const void *in)
{
    struct memory *m = tw_self(cx);
    struct week *week = acc;
    const struct airport *airport = in;
    size_t count = week->entries.size / sizeof(struct entry), at = 0;

    if (airport->origin.size >= sizeof m->entries[0].origin) return tw_fail(cx, "airport code of %zu characters", airport->origin.size);
    if (count > 0) memcpy(m->entries, week->entries.data, week->entries.size);
    while (at < count && (strlen(m->entries[at].origin) != airport->origin.size || memcmp(m->entries[at].origin, airport->origin.data, airport->origin.size) != 0)) at++;
    if (at == AIRPORTS_MAX) return tw_fail(cx, "more than %d airports in a week", AIRPORTS_MAX);
    if (at == count) count++;
    m->entries[at] = (struct entry){.flights = airport->flights, .mean = airport->mean, .worst = airport->worst};
    memcpy(m->entries[at].origin, airport->origin.data, airport->origin.size);
    week->entries = (struct tw_str){(const char *)m->entries, count * sizeof(struct entry)};
    return TW_OK;
}

static int is_worse(const struct entry *a, const struct entry *b)
{
    if (a->mean > b->mean || a->mean < b->mean) return a->mean > b->mean;
    return strcmp(a->origin, b->origin) < 0;
}

static enum tw_status week_result(struct tw_context *cx, const void *acc, void *out)
{
    struct memory *m = tw_self(cx);
    const struct week *week = acc;
    struct ranked *ranked = out;
    size_t count = week->entries.size / sizeof(struct entry), kept = 0;
    struct entry one;

    for (size_t i = 0; i < count; i++) {
        memcpy(&one, week->entries.data + i * sizeof one, sizeof one);
        if (one.flights < FLIGHTS_MIN) continue;
        size_t at = kept;
        for (; at > 0 && is_worse(&one, &m->entries[at - 1]); at--)
            if (at < WORST) m->entries[at] = m->entries[at - 1];
        if (at < WORST) m->entries[at] = one;
        if (kept < WORST) kept++;
    }
    ranked->entries = (struct tw_str){(const char *)m->entries, kept * sizeof one};
    return TW_OK;
}

TW_FUNCTION(worst_of_week) = {.in = &airport_row, .acc = &week_row, .out = &ranked_row, .self_size = sizeof(struct memory), .add = add_airport, .result = week_result};

/* --- output ----------------------------------------------------------------------------------------------------------------- */
/* Days since 1970-01-01 to a date, by counting in the 400-year cycle of the calendar. */
static void print_date(int64_t ms, char out[16])
{
    int64_t days = ms / TW_DAYS(1) + 719468, era = days / 146097, doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);

    snprintf(out, 16, "%04d-%02d-%02d", (int)(year % 10000), (int)month, (int)(doy - (153 * mp + 2) / 5 + 1));
}

static void print_week(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    const struct ranked *ranked = row;
    char date[16];
    struct entry e;

    (void)arg, (void)kind, (void)time_ms;
    print_date(ranked->window_start, date);
    for (size_t i = 0; i < ranked->entries.size / sizeof e; i++) {
        memcpy(&e, ranked->entries.data + i * sizeof e, sizeof e);
        printf("%-12s %4zu  %-8s %8lld %12.1f %12d\n", i == 0 ? date : "", i + 1, e.origin, (long long)e.flights, e.mean, e.worst);
    }
}

struct late_rows {
    uint64_t count;
    char samples[SAMPLES][96];
};

static void keep_sample(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct late_rows *late = arg;
    const struct flight *f = row;
    char date[16];

    (void)kind;
    if (late->count++ >= SAMPLES) return;
    print_date(time_ms, date);
    snprintf(late->samples[late->count - 1], sizeof late->samples[0], "%.*s -> %.*s, %s, %d min late", (int)f->origin.size, f->origin.data, (int)f->destination.size,
             f->destination.data, date, f->delay);
}

static const char *argument(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return argv[i + 1];
    return fallback;
}

TW_JOB(env, argc, argv)
{
    struct late_rows late = {0};
    const char *input = argument(argc, argv, "--input", "examples/data/flights.csv");

    struct tw_stream *flights = tw_source_rows(env, "flights", "filesystem", &flight_row, TW_OPTIONS("path", input, "format", "csv", "csv.header", "true"));
    flights = tw_with_watermarks(flights, .kind = TW_WM_BOUNDED, .out_of_orderness_ms = TW_MINUTES(30), .time_field = "scheduled", .every_rows = 1);

    /* Weeks begin on Monday; the epoch was a Thursday. */
    struct tw_windowing weeks = TW_TUMBLE(TW_DAYS(7), .offset_ms = TW_DAYS(4), .allowed_lateness_ms = TW_HOURS(1));
    struct tw_stream *airports = tw_name(tw_window_aggregate(tw_key_by(flights, "origin"), weeks, &delays_of_airport), "delays per airport");
    tw_collect_to(tw_side(airports, "late"), &flight_row, keep_sample, &late);

    /* A week is ranked when the next one has begun, so that flights counted late have corrected it. */
    airports = tw_with_watermarks(airports, .kind = TW_WM_BOUNDED, .out_of_orderness_ms = TW_DAYS(1), .time_field = "window_start", .every_rows = 1);
    struct tw_stream *worst = tw_window_aggregate(tw_key_by(airports, "window_start"), TW_TUMBLE(TW_DAYS(7), .offset_ms = TW_DAYS(4)), &worst_of_week);
    tw_collect_to(tw_name(worst, "worst airports"), &ranked_row, print_week, NULL);

    printf("%-12s %4s  %-8s %8s %12s %12s\n", "week of", "rank", "airport", "flights", "mean delay", "worst delay");
    int status = tw_execute(env, "worst airports of each week");
    for (uint64_t i = 0; status == 0 && i < late.count && i < SAMPLES; i++)
        fprintf(stderr, "%s%s\n", i == 0 ? "too late to count: " : "                   ", late.samples[i]);
    return status;
}
