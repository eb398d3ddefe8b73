/* flights.c - the worst airports of each week, from 20,000 real flights (examples/data/README.md).
 *
 * The rows come in the order of *arrival*, while event time is the time in the *timetable*: so real delays make real
 * disorder. Watermarks stay 30 minutes behind the latest scheduled time; a flight that comes later than that makes its
 * week's window fire again for an hour, and goes to the side output "late" when even that is over. Watermarks are emitted
 * by row count, so every run gives the same result.
 *
 *     flights per airport and week -> mean delay (a window aggregate, corrected by late rows)
 *     all airports of a week       -> the five worst (a keyed process function with map state and a timer)
 *
 * Run it:  thalweg run [--input FILE.csv] [--on-error fail|skip|dead-letter]  or, as a program of its own,
 *          ./flights --input FILE.csv */
#include <thalweg/thalweg.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FLIGHTS_MIN = 10, WORST = 5, SAMPLES = 3 };
#define LATENESS TW_HOURS(1)
/* Weeks begin on Monday, 0:00 UTC: Sunday, 19:00 of the timetable, which is US Eastern time. 1970-01-01 was a Thursday. */
#define MONDAY (TW_DAYS(4) - TW_HOURS(5))

struct flight {
    int64_t scheduled; /* ms, as all times */
    int32_t delay, distance;
    struct tw_str origin, destination;
};
TW_ROW(flight, TW_FIELD(flight, scheduled, "TIMESTAMP(0) NOT NULL"), TW_FIELD(flight, delay, "INT NOT NULL"),
       TW_FIELD(flight, distance, "INT NOT NULL"), TW_FIELD(flight, origin, "STRING NOT NULL"),
       TW_FIELD(flight, destination, "STRING NOT NULL"));

/* --- per airport and week --------------------------------------------------------------------------------------------- */
struct delays {
    int64_t flights, minutes;
};
TW_ROW(delays, TW_FIELD(delays, flights, "BIGINT NOT NULL"), TW_FIELD(delays, minutes, "BIGINT NOT NULL"));

/* origin, window_start and window_end are filled in by name. */
struct airport_week {
    struct tw_str origin;
    int64_t window_start, window_end, flights;
    double delay;
};
TW_ROW(airport_week, TW_FIELD(airport_week, origin, "STRING NOT NULL"),
       TW_FIELD(airport_week, window_start, "TIMESTAMP(3) NOT NULL"),
       TW_FIELD(airport_week, window_end, "TIMESTAMP(3) NOT NULL"), TW_FIELD(airport_week, flights, "BIGINT NOT NULL"),
       TW_FIELD(airport_week, delay, "DOUBLE NOT NULL"));

static enum tw_status delays_add(struct tw_context *cx, void *acc, const void *in)
{
    struct delays *d = acc;
    const struct flight *f = in;

    (void)cx;
    d->flights++;
    d->minutes += f->delay;
    return TW_OK;
}

static enum tw_status delays_result(struct tw_context *cx, const void *acc, void *out)
{
    const struct delays *d = acc;
    struct airport_week *week = out;

    (void)cx;
    week->flights = d->flights;
    week->delay = (double)d->minutes / (double)d->flights;
    return TW_OK;
}

TW_FUNCTION(mean_delay) = {
    .in = &flight_row, .acc = &delays_row, .out = &airport_week_row, .add = delays_add, .result = delays_result};

/* --- the worst of a week ------------------------------------------------------------------------------------------------ */
struct worst {
    int64_t week;
    int32_t rank;
    struct tw_str origin;
    int64_t flights;
    double delay;
};
TW_ROW(worst, TW_FIELD(worst, week, "TIMESTAMP(3) NOT NULL"), TW_FIELD(worst, rank, "INT NOT NULL"),
       TW_FIELD(worst, origin, "STRING NOT NULL"), TW_FIELD(worst, flights, "BIGINT NOT NULL"),
       TW_FIELD(worst, delay, "DOUBLE NOT NULL"));

struct week_key {
    int64_t window_start;
};
TW_ROW(week_key, TW_FIELD(week_key, window_start, "TIMESTAMP(3) NOT NULL"));

/* What is kept per airport; the latest result wins, so a window that fires again corrects itself. */
struct standing {
    int64_t flights;
    double delay;
};
static const struct tw_state airports = {
    .name = "airports", .kind = TW_MAP, .map_key = "STRING", .value = "ROW<flights BIGINT, delay DOUBLE>"};

static enum tw_status worst_process(struct tw_context *cx, const void *in)
{
    const struct airport_week *w = in;

    if (w->flights < FLIGHTS_MIN) return TW_OK;
    tw_map_put(cx, &airports, &w->origin, &(struct standing){w->flights, w->delay});
    tw_register_event_timer(cx, w->window_end - 1 + LATENESS); /* from then on no window of this week fires again */
    return TW_OK;
}

static int is_worse(const struct worst *a, const struct worst *b)
{
    if (a->delay != b->delay) return a->delay > b->delay;
    size_t size = a->origin.size < b->origin.size ? a->origin.size : b->origin.size;
    int order = memcmp(a->origin.data, b->origin.data, size);
    return order != 0 ? order < 0 : a->origin.size < b->origin.size;
}

static enum tw_status worst_on_timer(struct tw_context *cx, int64_t time_ms)
{
    struct worst top[WORST + 1], one = {.week = ((const struct week_key *)tw_key(cx))->window_start};
    struct standing standing;
    uint32_t cursor = 0;
    int count = 0;

    (void)time_ms;
    while (tw_map_next(cx, &airports, &cursor, &one.origin, &standing)) {
        one.flights = standing.flights;
        one.delay = standing.delay;
        int at = count;
        for (; at > 0 && is_worse(&one, &top[at - 1]); at--) top[at] = top[at - 1];
        top[at] = one;
        if (count < WORST) count++;
    }
    for (int i = 0; i < count; i++) {
        top[i].rank = i + 1;
        tw_collect(cx, &top[i]);
    }
    tw_state_clear(cx, &airports);
    return TW_OK;
}

TW_FUNCTION(worst_airports) = {.in = &airport_week_row,
                               .key = &week_key_row,
                               .out = &worst_row,
                               .states = {&airports},
                               .process = worst_process,
                               .on_timer = worst_on_timer};

/* --- printing --------------------------------------------------------------------------------------------------------------- */
struct late {
    uint64_t count;
    char text[SAMPLES][96];
};

static void print_time(int64_t ms, const char *format, char *out, size_t size)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(out, size, format, &tm);
}

static void on_worst(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    const struct worst *w = row;
    char day[32];

    (void)kind, (void)time_ms;
    (*(uint64_t *)arg)++;
    print_time(w->week + TW_HOURS(5), "%Y-%m-%d", day, sizeof day);
    if (w->rank == 1) printf("\nweek of %s   airport   flights   mean delay\n", day);
    printf("%18d   %-7.*s %9lld %8.1f min\n", w->rank, (int)w->origin.size, w->origin.data, (long long)w->flights,
           w->delay);
}

static void on_late(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct late *late = arg;
    const struct flight *f = row;
    char when[32];

    (void)kind, (void)time_ms;
    if (late->count++ >= SAMPLES) return;
    print_time(f->scheduled, "%Y-%m-%d %H:%M", when, sizeof when);
    snprintf(late->text[late->count - 1], sizeof late->text[0], "%s  %.*s -> %.*s, %d minutes late", when,
             (int)f->origin.size, f->origin.data, (int)f->destination.size, f->destination.data, f->delay);
}

/* What csv could not read, when it was not to end the job. */
struct dead_letter {
    struct tw_str position, reason, raw;
};
TW_ROW(dead_letter, TW_FIELD(dead_letter, position, "STRING NOT NULL"),
       TW_FIELD(dead_letter, reason, "STRING NOT NULL"), TW_FIELD(dead_letter, raw, "BYTES NOT NULL"));

static void on_dead_letter(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    const struct dead_letter *d = row;

    (void)kind, (void)time_ms;
    (*(uint64_t *)arg)++;
    fprintf(stderr, "left out: %.*s: %.*s\n", (int)d->position.size, d->position.data, (int)d->reason.size,
            d->reason.data);
}

/* --- the job ------------------------------------------------------------------------------------------------------------------ */
struct arguments {
    const char *input, *on_error;
};

/* `--NAME VALUE` or `--NAME=VALUE` at argv[*i]? A value that is missing is NULL. */
static int has_name(int argc, char **argv, int *i, const char *name, const char **value)
{
    size_t size = strlen(name);

    if (strncmp(argv[*i], name, size) != 0) return 0;
    if (argv[*i][size] == '=') *value = argv[*i] + size + 1;
    else if (argv[*i][size] != '\0') return 0;
    else *value = *i + 1 < argc ? argv[++*i] : NULL;
    return 1;
}

static int read_arguments(struct arguments *out, int argc, char **argv)
{
    static const char input[] = "--input", on_error[] = "--on-error";

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = NULL;
        if (has_name(argc, argv, &i, input, &value)) out->input = value;
        else if (has_name(argc, argv, &i, on_error, &value)) out->on_error = value;
        else {
            fprintf(stderr, "%s: unknown argument '%s'; write --input FILE.csv or --on-error fail|skip|dead-letter\n",
                    argv[0], name);
            return 0;
        }
        if (value == NULL || value[0] == '\0') {
            fprintf(stderr, "%s: '%s' needs a value: %s\n", argv[0], name,
                    name[2] == 'i' ? "--input FILE.csv" : "--on-error fail|skip|dead-letter");
            return 0;
        }
    }
    if (strcmp(out->input, "-") == 0) out->input = "/dev/stdin";
    return 1;
}

static void print_late(const struct late *late)
{
    if (late->count == 0) return;
    fprintf(stderr, "flights that came too late for their week, for example:\n");
    for (uint64_t i = 0; i < late->count && i < SAMPLES; i++) fprintf(stderr, "  %s\n", late->text[i]);
}

TW_JOB(env, argc, argv)
{
    struct arguments arguments = {.input = "examples/data/flights.csv", .on_error = "fail"};
    struct late late = {0};
    uint64_t lines = 0, dead_letters = 0;

    if (!read_arguments(&arguments, argc, argv)) return 1;
    struct tw_stream *flights = tw_source_rows(env, "flights", "filesystem", &flight_row,
                                               TW_OPTIONS("path", arguments.input, "format", "csv", "csv.header",
                                                          "auto", "on-error", arguments.on_error));
    if (strcmp(arguments.on_error, "dead-letter") == 0)
        tw_collect_to(tw_side(flights, "dead-letter"), &dead_letter_row, on_dead_letter, &dead_letters);
    flights = tw_with_watermarks(flights, .kind = TW_WM_BOUNDED, .out_of_orderness_ms = TW_MINUTES(30),
                                 .time_field = "scheduled", .every_rows = 8);
    tw_parallelism(flights, 1); /* the order of the file is the order of arrival */

    struct tw_stream *weeks = tw_window_aggregate(
        tw_key_by(flights, "origin"), TW_TUMBLE(TW_DAYS(7), .offset_ms = MONDAY, .allowed_lateness_ms = LATENESS),
        &mean_delay);
    struct tw_stream *top = tw_parallelism(tw_process(tw_key_by(weeks, "window_start"), &worst_airports), 1);
    tw_collect_to(top, &worst_row, on_worst, &lines);
    tw_collect_to(tw_side(weeks, "late"), &flight_row, on_late, &late);

    int failed = tw_execute(env, "flights");
    const struct tw_result *result = tw_job_result(env);
    if (failed || result == NULL) return failed; /* --plan runs nothing */
    if (lines == 0 && result->rows_out == late.count + dead_letters) /* a simulation keeps its rows to itself */
        printf("no airport had %d flights in a week\n", FLIGHTS_MIN);
    if (!tw_is_quiet(env)) print_late(&late);
    return 0;
}
