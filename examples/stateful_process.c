/* stateful_process.c - counting events per user with keyed state and timers: a value state with a time to live, a map state
 * of counts per page, and an event-time timer one hour after each event that emits the count so far.
 *
 * Build and run:  cc stateful_process.c $(pkg-config --cflags --libs thalweg) && ./a.out */
#include <thalweg/thalweg.h>

struct visit {
    struct tw_str user, page;
    int64_t time;
};
TW_ROW(visit, TW_FIELD(visit, user, "STRING NOT NULL"), TW_FIELD(visit, page, "STRING NOT NULL"),
       TW_FIELD(visit, time, "TIMESTAMP(3) NOT NULL"));

struct key {
    struct tw_str user;
};
TW_ROW(key, TW_FIELD(key, user, "STRING NOT NULL"));

struct count {
    struct tw_str user;
    int64_t count, pages, time;
};
TW_ROW(count, TW_FIELD(count, user, "STRING NOT NULL"), TW_FIELD(count, count, "BIGINT NOT NULL"),
       TW_FIELD(count, pages, "BIGINT NOT NULL"), TW_FIELD(count, time, "TIMESTAMP(3) NOT NULL"));

static const struct tw_state visits_seen = {
    .name = "count",
    .kind = TW_VALUE,
    .value = "BIGINT",
    .ttl = {.ttl_ms = TW_HOURS(24), .update = TW_ON_CREATE_AND_WRITE, .visibility = TW_NEVER_RETURN_EXPIRED},
};
static const struct tw_state pages_seen = {.name = "map", .kind = TW_MAP, .map_key = "STRING", .value = "BIGINT"};

static enum tw_status on_visit(struct tw_context *cx, const void *in)
{
    const struct visit *visit = in;
    int64_t on_page = 0;

    tw_value_set_long(cx, &visits_seen, tw_value_long(cx, &visits_seen, 0) + 1);
    tw_map_get(cx, &pages_seen, &visit->page, &on_page);
    on_page++;
    tw_map_put(cx, &pages_seen, &visit->page, &on_page);
    tw_register_event_timer(cx, tw_time(cx) + TW_HOURS(1));
    return TW_OK;
}

static enum tw_status on_timer(struct tw_context *cx, int64_t time_ms)
{
    const struct key *key = tw_key(cx);
    struct count out = {key->user, tw_value_long(cx, &visits_seen, 0), tw_map_size(cx, &pages_seen), time_ms};

    tw_collect(cx, &out);
    return TW_OK;
}

TW_FUNCTION(count_visits) = {
    .in = &visit_row,
    .out = &count_row,
    .key = &key_row,
    .states = {&visits_seen, &pages_seen},
    .process = on_visit,
    .on_timer = on_timer,
};

static const struct visit visits[] = {
    {TW_STR("ada"), TW_STR("/"), TW_MINUTES(0)},
    {TW_STR("bob"), TW_STR("/"), TW_MINUTES(5)},
    {TW_STR("ada"), TW_STR("/cart"), TW_MINUTES(20)},
    {TW_STR("ada"), TW_STR("/"), TW_MINUTES(20)}, /* two events, one timer */
    {TW_STR("bob"), TW_STR("/help/with/a/long/name"), TW_MINUTES(70)},
};

TW_JOB(env, argc, argv)
{
    struct tw_stream *events = tw_from_data(env, &visit_row, visits, sizeof visits / sizeof visits[0]);
    events = tw_with_watermarks(events, .kind = TW_WM_MONOTONOUS, .time_field = "time", .every_rows = 1);

    tw_print(tw_process(tw_key_by(events, "user"), &count_visits));
    return tw_execute(env, "visits per user");
}
