/* event_time_windows.c - clicks per user in event-time windows of five minutes: rows may come up to five seconds out of
 * order, windows stay open a minute longer for late ones, and what comes later still goes to a side output.
 *
 * Build and run:  cc event_time_windows.c $(pkg-config --cflags --libs thalweg) && ./a.out
 * or as a shared object under `thalweg run`. */
#include <thalweg/thalweg.h>

struct click {
    struct tw_str user;
    int64_t time; /* ms since the epoch */
    int32_t clicks;
};
TW_ROW(click, TW_FIELD(click, user, "STRING NOT NULL"), TW_FIELD(click, time, "TIMESTAMP(3) NOT NULL"),
       TW_FIELD(click, clicks, "INT NOT NULL"));

/* What is kept per user and window. */
struct sum {
    int64_t clicks, rows;
};
TW_ROW(sum, TW_FIELD(sum, clicks, "BIGINT NOT NULL"), TW_FIELD(sum, rows, "BIGINT NOT NULL"));

/* window_start, window_end and user are filled in by name. */
struct total {
    struct tw_str user;
    int64_t window_start, window_end, clicks;
    double mean;
};
TW_ROW(total, TW_FIELD(total, user, "STRING NOT NULL"), TW_FIELD(total, window_start, "TIMESTAMP(3) NOT NULL"),
       TW_FIELD(total, window_end, "TIMESTAMP(3) NOT NULL"), TW_FIELD(total, clicks, "BIGINT NOT NULL"),
       TW_FIELD(total, mean, "DOUBLE NOT NULL"));

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    struct sum *sum = acc;
    const struct click *click = in;

    (void)cx;
    sum->clicks += click->clicks;
    sum->rows++;
    return TW_OK;
}

static enum tw_status merge(struct tw_context *cx, void *acc, const void *other)
{
    struct sum *sum = acc;
    const struct sum *more = other;

    (void)cx;
    sum->clicks += more->clicks;
    sum->rows += more->rows;
    return TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    const struct sum *sum = acc;
    struct total *total = out;

    (void)cx;
    total->clicks = sum->clicks;
    total->mean = (double)sum->clicks / (double)sum->rows;
    return TW_OK;
}

TW_FUNCTION(clicks_per_user) = {
    .in = &click_row, .acc = &sum_row, .out = &total_row, .add = add, .merge = merge, .result = result};

#define AT(minute, second) (TW_MINUTES(minute) + TW_SECONDS(second))

static const struct click clicks[] = {
    {TW_STR("ada"), AT(0, 10), 1},  {TW_STR("bob"), AT(1, 0), 2},     {TW_STR("ada"), AT(4, 59), 3},
    {TW_STR("ada"), AT(5, 2), 10},  {TW_STR("bob"), AT(4, 58), 5}, /* out of order, but within five seconds of the newest */
    {TW_STR("cyd"), AT(5, 30), 1},  /* the watermark passes 5:00: the first windows fire */
    {TW_STR("ada"), AT(3, 0), 100}, /* late, within the minute: ada's first window fires again */
    {TW_STR("cyd"), AT(7, 0), 1},   {TW_STR("bob"), AT(0, 30), 1000}, /* later than the minute: to the side output */
};

TW_JOB(env, argc, argv)
{
    struct tw_stream *events = tw_from_data(env, &click_row, clicks, sizeof clicks / sizeof clicks[0]);
    events = tw_with_watermarks(events, .kind = TW_WM_BOUNDED, .out_of_orderness_ms = TW_SECONDS(5),
                                .time_field = "time", .every_rows = 1);

    struct tw_stream *totals = tw_window_aggregate(
        tw_key_by(events, "user"), TW_TUMBLE(TW_MINUTES(5), .allowed_lateness_ms = TW_MINUTES(1)), &clicks_per_user);
    tw_sink(totals, "totals", "print", TW_NO_OPTIONS);
    tw_sink(tw_side(totals, "late"), "late", "print", TW_OPTIONS("print-identifier", "late"));
    return tw_execute(env, "clicks per user");
}
