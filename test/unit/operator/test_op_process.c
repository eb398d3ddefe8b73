/* test_op_process.c - functions with state and timers: every kind of state per key, timers in both time domains and their
 * order, time to live, state shared by two streams, broadcast and operator state, what is refused. Each test runs with
 * batches of one row, of three and whole, on a backend that answers at once and on one that never does. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

struct event {
    struct tw_str user;
    int64_t n;
    struct tw_str what;
};
TW_ROW(event, TW_FIELD(event, user, "STRING NOT NULL"), TW_FIELD(event, n, "BIGINT NOT NULL"),
       TW_FIELD(event, what, "STRING NOT NULL"));
struct result {
    struct tw_str user;
    int64_t n;
    struct tw_str text;
};
TW_ROW(result, TW_FIELD(result, user, "STRING NOT NULL"), TW_FIELD(result, n, "BIGINT NOT NULL"),
       TW_FIELD(result, text, "STRING NOT NULL"));
struct user {
    struct tw_str user;
};
TW_ROW(user, TW_FIELD(user, user, "STRING NOT NULL"));
#define EVENTS "ROW<n BIGINT, user STRING, what STRING>"

/* Called for every batch size and backend. */
typedef void (*scenario)(struct op_driver *d);

static void run_all(const char *operator, const struct tw_function * f, const char *in2, const char *keys2, scenario s)
{
    struct function_config c = {{.name = "f", .fn = f}};

    for (uint32_t b = 0; b < COUNT_OF(backends); b++) {
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find(operator),
                                                                      .config = &c,
                                                                      .in = EVENTS,
                                                                      .keys = "user",
                                                                      .in2 = in2,
                                                                      .keys2 = keys2,
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            assert_string_equal(op_driver_error(d), "");
            s(d);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
    }
}

static void emit(struct tw_context *cx, int64_t n, const char *text)
{
    const struct user *key = tw_key(cx);
    struct result r = {.n = n, .text = tw_str_of(text)};

    r.user = key ? key->user : TW_STR("nobody");
    tw_collect(cx, &r);
}

/* --- value -------------------------------------------------------------------------------------------------------- */
static const struct tw_state count_state = {.name = "count", .kind = TW_VALUE, .value = "BIGINT"};
struct last {
    int32_t n;
    struct tw_str what, before;
    bool even;
};
static const struct tw_state last_state = {
    .name = "last", .kind = TW_VALUE, .value = "ROW<n INT, what STRING, before STRING, even BOOLEAN>"};

/* Counts, and remembers the last two texts: what is read goes back into another field. */
static enum tw_status count_rows(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    struct last last = {0};
    char text[128];
    bool known = tw_value_get(cx, &last_state, &last);

    tw_value_set_long(cx, &count_state, tw_value_long(cx, &count_state, 0) + 1);
    if (e->n < 0) {
        tw_state_clear(cx, &count_state);
        tw_state_clear(cx, &last_state);
    } else {
        last.before = known ? last.what : TW_STR("-");
        last.what = e->what;
        last.n = (int32_t)e->n;
        last.even = e->n % 2 == 0;
        tw_value_set(cx, &last_state, &last);
    }
    if (!tw_value_get(cx, &last_state, &last)) {
        emit(cx, tw_value_long(cx, &count_state, -1), "cleared");
        return TW_OK;
    }
    snprintf(text, sizeof text, "%d %.*s %.*s %s", last.n, (int)last.what.size, last.what.data, (int)last.before.size,
             last.before.data, last.even ? "even" : "odd");
    emit(cx, tw_value_long(cx, &count_state, -1), text);
    return TW_OK;
}
TW_FUNCTION(counter) = {.in = &event_row,
                        .out = &result_row,
                        .key = &user_row,
                        .states = {&count_state, &last_state},
                        .process = count_rows};

static void count_scenario(struct op_driver *d)
{
    op_push(d, 0,
            "@1 1 | ann | a\n@2 2 | bob | b\n@3 3 | ann | a text of some length\n@4 4 | ann | c\n@5 -1 | ann | d\n@6 6 "
            "| ann | e");
    op_push(d, 0, "@7 7 | bob | f");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(
        op_output(d), "+I[ann, 1, 1 a - odd]@1\n+I[bob, 1, 2 b - even]@2\n+I[ann, 2, 3 a text of some length a odd]@3\n"
                      "+I[ann, 3, 4 c a text of some length even]@4\n+I[ann, -1, cleared]@5\n+I[ann, 1, 6 e - even]@6\n"
                      "+I[bob, 2, 7 f b odd]@7\n");
}

static void values_belong_to_the_key(void **state)
{
    (void)state;
    run_all("process", &counter, NULL, NULL, count_scenario);
}

/* --- list and map ------------------------------------------------------------------------------------------------- */
static const struct tw_state list_state = {.name = "list", .kind = TW_LIST, .value = "STRING"};
struct seen {
    int64_t first;
    int32_t times;
};
static const struct tw_state map_state = {
    .name = "map", .kind = TW_MAP, .map_key = "STRING", .value = "ROW<first BIGINT, times INT>"};

static size_t append(char *text, size_t used, size_t max, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int size = vsnprintf(text + used, max - used, format, args);
    va_end(args);
    return used + (size_t)size;
}

static enum tw_status collect_things(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    struct seen seen = {.first = e->n};
    struct tw_str name;
    char text[512];
    size_t used = 0;
    uint32_t cursor = 0;

    if (tw_str_equal(e->what, TW_STR("clear"))) {
        tw_state_clear(cx, &list_state);
        tw_state_clear(cx, &map_state);
    } else if (e->n < 0) {
        used = append(text, used, sizeof text, "%s ", tw_map_remove(cx, &map_state, &e->what) ? "removed" : "absent");
    } else {
        tw_list_add(cx, &list_state, &e->what);
        tw_map_get(cx, &map_state, &e->what, &seen);
        seen.times++;
        tw_map_put(cx, &map_state, &e->what, &seen);
    }
    used = append(text, used, sizeof text, "%u:", tw_list_size(cx, &list_state));
    for (uint32_t i = 0; tw_list_get(cx, &list_state, i, &name); i++)
        used = append(text, used, sizeof text, " %.*s", (int)name.size, name.data);
    used = append(text, used, sizeof text, " %u:", tw_map_size(cx, &map_state));
    while (tw_map_next(cx, &map_state, &cursor, &name, &seen))
        used = append(text, used, sizeof text, " %.*s=%lld*%d", (int)name.size, name.data, (long long)seen.first,
                      seen.times);
    emit(cx, e->n, text);
    return TW_OK;
}
TW_FUNCTION(collector) = {.in = &event_row,
                          .out = &result_row,
                          .key = &user_row,
                          .states = {&list_state, &map_state},
                          .process = collect_things};

static void collect_scenario(struct op_driver *d)
{
    op_push(d, 0,
            "1 | ann | x\n2 | bob | y\n3 | ann | a key of some length\n4 | ann | x\n-5 | ann | x\n-6 | ann | x\n7 | "
            "ann | z\n8 | ann | clear\n9 | ann | x");
    op_push(d, 0, "10 | bob | y");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "+I[ann, 1, 1: x 1: x=1*1]\n"
                                      "+I[bob, 2, 1: y 1: y=2*1]\n"
                                      "+I[ann, 3, 2: x a key of some length 2: x=1*1 a key of some length=3*1]\n"
                                      "+I[ann, 4, 3: x a key of some length x 2: x=1*2 a key of some length=3*1]\n"
                                      "+I[ann, -5, removed 3: x a key of some length x 1: a key of some length=3*1]\n"
                                      "+I[ann, -6, absent 3: x a key of some length x 1: a key of some length=3*1]\n"
                                      "+I[ann, 7, 4: x a key of some length x z 2: a key of some length=3*1 z=7*1]\n"
                                      "+I[ann, 8, 0: 0:]\n"
                                      "+I[ann, 9, 1: x 1: x=9*1]\n"
                                      "+I[bob, 10, 2: y y 1: y=2*2]\n");
}

static void lists_and_maps_belong_to_the_key(void **state)
{
    (void)state;
    run_all("process", &collector, NULL, NULL, collect_scenario);
}

/* --- reducing and aggregating ------------------------------------------------------------------------------------- */
static enum tw_status greater(struct tw_context *cx, const void *a, const void *b, void *out)
{
    (void)cx;
    *(int64_t *)out = *(const int64_t *)a > *(const int64_t *)b ? *(const int64_t *)a : *(const int64_t *)b;
    return TW_OK;
}
TW_FUNCTION(greatest) = {.reduce = greater};
struct mean {
    int64_t sum;
    int32_t count;
    struct tw_str trail;
};
TW_ROW(mean, TW_FIELD(mean, sum, "BIGINT NOT NULL"), TW_FIELD(mean, count, "INT NOT NULL"),
       TW_FIELD(mean, trail, "STRING NOT NULL"));
static enum tw_status mean_create(struct tw_context *cx, void *acc)
{
    (void)cx;
    ((struct mean *)acc)->trail = TW_STR("mean");
    return TW_OK;
}
static enum tw_status mean_add(struct tw_context *cx, void *acc, const void *in)
{
    struct mean *m = acc;

    (void)cx;
    m->sum += *(const int64_t *)in;
    m->count++;
    return m->count > 3 ? tw_fail(cx, "more than three") : TW_OK;
}
static enum tw_status mean_result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(double *)out = (double)((const struct mean *)acc)->sum / ((const struct mean *)acc)->count;
    return TW_OK;
}
TW_FUNCTION(mean_of) = {.acc = &mean_row, .create = mean_create, .add = mean_add, .result = mean_result};
static const struct tw_state max_state = {.name = "max", .kind = TW_REDUCING, .value = "BIGINT", .function = &greatest};
static const struct tw_state mean_state = {.name = "mean", .kind = TW_AGGREGATING, .function = &mean_of};

static enum tw_status fold_rows(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    int64_t max = 0;
    double mean = 0;
    char text[64];

    if (tw_reducing_get(cx, &max_state, &max) != tw_aggregating_get(cx, &mean_state, &mean))
        return tw_fail(cx, "one is set, the other not");
    tw_reducing_add(cx, &max_state, &e->n);
    tw_aggregating_add(cx, &mean_state, &e->n);
    if (!tw_reducing_get(cx, &max_state, &max) || !tw_aggregating_get(cx, &mean_state, &mean)) return TW_OK;
    snprintf(text, sizeof text, "mean %.2f", mean);
    emit(cx, max, text);
    return TW_OK;
}
TW_FUNCTION(folding) = {
    .in = &event_row, .out = &result_row, .key = &user_row, .states = {&max_state, &mean_state}, .process = fold_rows};

static void fold_scenario(struct op_driver *d)
{
    op_push(d, 0, "5 | ann | x\n9 | bob | x\n3 | ann | x\n10 | ann | x");
    assert_string_equal(
        op_output(d), "+I[ann, 5, mean 5.00]\n+I[bob, 9, mean 9.00]\n+I[ann, 5, mean 4.00]\n+I[ann, 10, mean 6.00]\n");
    op_push(d, 0, "1 | ann | x");
    assert_string_equal(op_driver_error(d), "key [ann], row +I[1, ann, x]: more than three");
}

static void reducing_and_aggregating_state_fold(void **state)
{
    (void)state;
    run_all("process", &folding, NULL, NULL, fold_scenario);
}

/* --- timers ------------------------------------------------------------------------------------------------------- */
/* n: registers an event timer at n; negative: deletes the one at -n; "now": a processing-time timer at n instead. */
static enum tw_status set_timer(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    bool processing = tw_str_equal(e->what, TW_STR("now"));

    if (e->n < 0 && processing)
        tw_delete_processing_timer(cx, -e->n);
    else if (e->n < 0)
        tw_delete_event_timer(cx, -e->n);
    else if (processing)
        tw_register_processing_timer(cx, e->n);
    else
        tw_register_event_timer(cx, e->n);
    tw_value_set_long(cx, &count_state, tw_value_long(cx, &count_state, 0) + 1);
    return TW_OK;
}

/* A timer at a multiple of 100 sets two more: one 5 later, one 50 back, which is due at once. Tells the count so far. */
static enum tw_status ring(struct tw_context *cx, int64_t time_ms)
{
    if (time_ms != tw_time(cx)) return tw_fail(cx, "two times");
    if (time_ms % 100 == 0 && !tw_timer_is_processing_time(cx)) {
        tw_register_event_timer(cx, time_ms + 5);
        tw_register_event_timer(cx, time_ms - 50);
        tw_delete_event_timer(cx, time_ms + 7);
    }
    emit(cx, tw_value_long(cx, &count_state, -1), tw_timer_is_processing_time(cx) ? "processing" : "event");
    return TW_OK;
}
TW_FUNCTION(alarm) = {.in = &event_row,
                      .out = &result_row,
                      .key = &user_row,
                      .states = {&count_state},
                      .process = set_timer,
                      .on_timer = ring};

static void event_timer_scenario(struct op_driver *d)
{
    op_push(d, 0,
            "30 | ann | x\n10 | bob | x\n10 | bob | x\n20 | cid | x\n20 | ann | x\n-20 | ann | x\n40 | bob | x\n-40 | "
            "cid | x");
    op_push_watermark(d, 9);
    assert_string_equal(op_output(d), "");
    op_push_watermark(d, 30);
    assert_string_equal(op_output(d), "+I[bob, 3, event]@10\n+I[cid, 2, event]@20\n+I[ann, 3, event]@30\n");
    op_push(d, 0, "25 | ann | x"); /* in the past: due with the next watermark */
    assert_string_equal(op_output(d), "");
    op_push_watermark(d, 31);
    assert_string_equal(op_output(d), "+I[ann, 4, event]@25\n");
    op_push_end(d);
    assert_string_equal(op_output(d), "+I[bob, 3, event]@40\n");
}

static void timers_fire_in_order_once_per_key_and_time(void **state)
{
    (void)state;
    run_all("process", &alarm, NULL, NULL, event_timer_scenario);
}

static void changing_timers_scenario(struct op_driver *d)
{
    op_push(d, 0, "100 | ann | x\n103 | bob | x\n107 | ann | x\n200 | ann | x\n204 | bob | x\n206 | bob | x");
    op_push_watermark(d, 1000);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d),
                        "+I[ann, 3, event]@100\n+I[ann, 3, event]@50\n+I[bob, 3, event]@103\n+I[ann, 3, event]@105\n"
                        "+I[ann, 3, event]@200\n+I[ann, 3, event]@150\n+I[bob, 3, event]@204\n+I[ann, 3, "
                        "event]@205\n+I[bob, 3, event]@206\n");
}

static void a_timer_may_set_and_delete_others(void **state)
{
    (void)state;
    run_all("process", &alarm, NULL, NULL, changing_timers_scenario);
}

static void processing_timer_scenario(struct op_driver *d)
{
    op_set_time(d, 1000);
    op_push(d, 0, "1500 | ann | now\n1200 | bob | now\n1300 | bob | now\n-1300 | bob | now\n1200 | bob | now");
    assert_int_equal(op_next_wake(d), 1200);
    op_set_time(d, 1199);
    assert_string_equal(op_output(d), "");
    op_set_time(d, 1200);
    assert_string_equal(op_output(d), "+I[bob, 4, processing]\n");
    op_set_time(d, 9000);
    assert_string_equal(op_output(d), "+I[ann, 1, processing]\n");
    assert_int_equal(op_next_wake(d), INT64_MAX);
}

static void processing_time_timers_follow_the_clock(void **state)
{
    (void)state;
    run_all("process", &alarm, NULL, NULL, processing_timer_scenario);
}

/* The user whose timer is at time 1001 + t: every time below 1900 once. */
static int user_at(int t) { return t * 7919 % 1900; }

static void many_timers_scenario(struct op_driver *d)
{
    struct mem mem;
    struct buf rows, expected;

    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    buf_init(&expected, &mem);
    for (int i = 0; i < 1900; i++) {
        int at = i * 1237 % 1900 + 1001; /* in no particular order */
        if (at % 100 != 5) buf_printf(&rows, "%d | user %d | x\n", at, user_at(at - 1001));
    }
    for (int at = 1001; at < 1001 + 1900; at++) {
        if (at % 100 == 5 && at < 1100) continue;
        buf_printf(&expected, "+I[user %d, 1, event]@%d\n", user_at(at % 100 == 5 ? at - 1006 : at - 1001), at);
        if (at % 100 == 0) buf_printf(&expected, "+I[user %d, 1, event]@%d\n", user_at(at - 1001), at - 50);
    }
    op_push(d, 0, buf_text(&rows));
    op_push_watermark(d, 1001 + 1900 - 1);
    assert_string_equal(op_output(d), buf_text(&expected));
    buf_release(&rows);
    buf_release(&expected);
    mem_release(&mem);
}

static void more_timers_than_a_batch_are_due_at_once(void **state)
{
    (void)state;
    run_all("process", &alarm, NULL, NULL, many_timers_scenario);
}

/* --- time to live ------------------------------------------------------------------------------------------------- */
static const struct tw_state short_state = {
    .name = "short",
    .kind = TW_VALUE,
    .value = "BIGINT",
    .ttl = {.ttl_ms = 100, .update = TW_ON_CREATE_AND_WRITE, .visibility = TW_NEVER_RETURN_EXPIRED}};
static enum tw_status count_short(struct tw_context *cx, const void *in)
{
    const struct event *e = in;

    if (e->n > 0) tw_value_set_long(cx, &short_state, tw_value_long(cx, &short_state, 0) + e->n);
    emit(cx, tw_value_long(cx, &short_state, -1), "");
    return TW_OK;
}
TW_FUNCTION(short_counter) = {
    .in = &event_row, .out = &result_row, .key = &user_row, .states = {&short_state}, .process = count_short};

static void ttl_scenario(struct op_driver *d)
{
    op_set_time(d, 1000);
    op_push(d, 0, "1 | ann | x");
    op_set_time(d, 1060);
    op_push(d, 0, "1 | ann | x\n1 | bob | x");
    op_set_time(d, 1150);
    op_push(d, 0, "0 | ann | x\n0 | bob | x"); /* reading does not prolong */
    op_set_time(d, 1160);
    op_push(d, 0, "0 | ann | x\n5 | bob | x");
    assert_string_equal(
        op_output(d),
        "+I[ann, 1, ]\n+I[ann, 2, ]\n+I[bob, 1, ]\n+I[ann, 2, ]\n+I[bob, 1, ]\n+I[ann, -1, ]\n+I[bob, 5, ]\n");
}

static void state_expires(void **state)
{
    (void)state;
    run_all("process", &short_counter, NULL, NULL, ttl_scenario);
}

/* What has expired is returned once: the first read ends it. "n" of an event says what to do. */
#define RETURNED                                                                                                       \
    .ttl = {.ttl_ms = 100, .visibility = TW_RETURN_EXPIRED_IF_NOT_CLEANED_UP, .no_background_cleanup = true}
static const struct tw_state old_value = {.name = "value", .kind = TW_VALUE, .value = "STRING", RETURNED},
                             old_map = {.name = "map",
                                        .kind = TW_MAP,
                                        .map_key = "BIGINT",
                                        .value = "STRING",
                                        RETURNED},
                             old_list = {.name = "list", .kind = TW_LIST, .value = "STRING", RETURNED};

static void write_old(struct tw_context *cx, struct tw_str text)
{
    tw_value_set(cx, &old_value, &text);
    tw_map_put(cx, &old_map, &(int64_t){1}, &text);
    tw_map_put(cx, &old_map, &(int64_t){2}, &text);
    tw_list_add(cx, &old_list, &text);
    tw_list_add(cx, &old_list, &text);
}

/* value, map by key, map by walk, list; each as far as it goes. */
static void read_old(struct tw_context *cx, char *out, size_t size)
{
    struct tw_str text = {"", 0}, texts[4] = {{"", 0}};
    int64_t key = 0;
    uint32_t cursor = 0, n = 0;

    if (tw_value_get(cx, &old_value, &text)) snprintf(out, size, "%.*s", (int)text.size, text.data);
    if (tw_map_get(cx, &old_map, &(int64_t){2}, &text))
        snprintf(out + strlen(out), size - strlen(out), " 2=%.*s", (int)text.size, text.data);
    while (tw_map_next(cx, &old_map, &cursor, &key, &text))
        snprintf(out + strlen(out), size - strlen(out), " %ld:%.*s", (long)key, (int)text.size, text.data);
    while (n < 4 && tw_list_get(cx, &old_list, n, &texts[n])) n++;
    for (uint32_t i = 0; i < n; i++) /* readable, though the list is at its end */
        snprintf(out + strlen(out), size - strlen(out), " %.*s", (int)texts[i].size, texts[i].data);
}

static enum tw_status use_old(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    char text[200] = "";

    if (e->n == 0) read_old(cx, text, sizeof text);
    if (e->n == 1) write_old(cx, e->what);
    if (e->n == 2) tw_list_add(cx, &old_list, &e->what);
    if (e->n == 3) {
        read_old(cx, text, sizeof text);
        write_old(cx, e->what);
    }
    emit(cx, tw_list_size(cx, &old_list), text);
    return TW_OK;
}
TW_FUNCTION(uses_old) = {.in = &event_row,
                         .out = &result_row,
                         .key = &user_row,
                         .states = {&old_value, &old_map, &old_list},
                         .process = use_old};

static void returned_once_scenario(struct op_driver *d)
{
    op_set_time(d, 1000);
    op_push(d, 0, "1 | ann | a string beyond twelve bytes\n1 | bob | b");
    op_set_time(d, 1050);
    op_push(d, 0, "0 | ann | x\n2 | bob | c"); /* all alive */
    op_set_time(d, 1100);
    op_push(d, 0, "0 | ann | x\n0 | ann | x\n0 | bob | x\n0 | bob | x"); /* bob's list has one that lives */
    op_set_time(d, 1150);
    op_push(d, 0, "3 | bob | d\n0 | bob | x\n3 | ann | e\n0 | ann | x");
    assert_string_equal(op_output(d),
                        "+I[ann, 2, ]\n+I[bob, 2, ]\n"
                        "+I[ann, 2, a string beyond twelve bytes 2=a string beyond twelve bytes 1:a string beyond "
                        "twelve bytes 2:a string beyond twelve bytes a string beyond twelve bytes a string beyond "
                        "twelve bytes]\n+I[bob, 3, ]\n"
                        "+I[ann, 0, a string beyond twelve bytes 2=a string beyond twelve bytes 1:a string beyond "
                        "twelve bytes a string beyond twelve bytes a string beyond twelve bytes]\n+I[ann, 0, ]\n"
                        "+I[bob, 3, b 2=b 1:b b b c]\n+I[bob, 3,  b b c]\n"
                        "+I[bob, 2,  b b c]\n+I[bob, 2, d 2=d 1:d 2:d d d]\n"
                        "+I[ann, 2, ]\n+I[ann, 2, e 2=e 1:e 2:e e e]\n");
}

static void expired_state_is_returned_once(void **state)
{
    (void)state;
    run_all("process", &uses_old, NULL, NULL, returned_once_scenario);
}

/* --- two streams -------------------------------------------------------------------------------------------------- */
static enum tw_status add_second(struct tw_context *cx, const void *in)
{
    const struct event *e = in;

    tw_value_set_long(cx, &count_state, tw_value_long(cx, &count_state, 0) + 100 * e->n);
    tw_register_event_timer(cx, 50);
    emit(cx, tw_value_long(cx, &count_state, 0), "second");
    return TW_OK;
}
static enum tw_status add_first(struct tw_context *cx, const void *in)
{
    const struct event *e = in;

    tw_value_set_long(cx, &count_state, tw_value_long(cx, &count_state, 0) + e->n);
    emit(cx, tw_value_long(cx, &count_state, 0), "first");
    return TW_OK;
}
TW_FUNCTION(both) = {.in = &event_row,
                     .in2 = &event_row,
                     .out = &result_row,
                     .key = &user_row,
                     .states = {&count_state},
                     .process = add_first,
                     .process2 = add_second,
                     .on_timer = ring};

static void both_scenario(struct op_driver *d)
{
    op_push(d, 0, "1 | ann | x\n2 | bob | x");
    op_push(d, 1, "x | bob | 3\nx | ann | 4\nx | cid | 5");
    op_push(d, 0, "6 | bob | x\n7 | cid | x");
    op_push_watermark(d, 50);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(
        op_output(d),
        "+I[ann, 1, first]\n+I[bob, 2, first]\n+I[bob, 302, second]\n+I[ann, 401, second]\n+I[cid, 500, second]\n"
        "+I[bob, 308, first]\n+I[cid, 507, first]\n+I[bob, 308, event]@50\n+I[cid, 507, event]@50\n+I[ann, 401, "
        "event]@50\n");
}

static void two_streams_share_state_and_timers(void **state)
{
    (void)state;
    run_all("co_process", &both, "ROW<what STRING, user STRING, n BIGINT>", "user", both_scenario);
}

static void streams_keyed_differently_are_refused(void **state)
{
    struct function_config c = {{.name = "both", .fn = &both}};
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("co_process"), .config = &c, .in = EVENTS, .keys = "user", .in2 = EVENTS, .keys2 = "n"});

    (void)state;
    assert_string_equal(op_driver_error(d), "the two streams are keyed by columns of different types: 'user' and 'n'");
    op_driver_free(d);
    d = op_driver_create(
        &(struct op_setup){.type = op_find("co_process"), .config = &c, .in = EVENTS, .keys = "user", .in2 = EVENTS});
    assert_string_equal(
        op_driver_error(d),
        "the two streams are keyed differently: by 1 and by 0 columns (key both streams alike, or neither)");
    op_driver_free(d);
}

/* --- broadcast ---------------------------------------------------------------------------------------------------- */
static const struct tw_state rules_state = {
    .name = "rules", .kind = TW_BROADCAST, .map_key = "STRING", .value = "BIGINT"};
static enum tw_status apply_rules(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    int64_t factor = 1;
    uint32_t cursor = 0;
    char text[64];

    if (tw_str_equal(e->what, TW_STR("write"))) tw_map_put(cx, &rules_state, &e->what, &e->n);
    tw_map_get(cx, &rules_state, &e->what, &factor);
    tw_value_set_long(cx, &count_state, tw_value_long(cx, &count_state, 0) + factor * e->n);
    while (tw_map_next(cx, &rules_state, &cursor, NULL, &factor)) continue;
    snprintf(text, sizeof text, "%u rules, last %lld", tw_map_size(cx, &rules_state), (long long)factor);
    emit(cx, tw_value_long(cx, &count_state, 0), text);
    return TW_OK;
}
static enum tw_status keep_rule(struct tw_context *cx, const void *in)
{
    const struct event *e = in;

    if (tw_str_equal(e->what, TW_STR("keyed"))) tw_value_set_long(cx, &count_state, 1);
    if (e->n == 0)
        tw_map_remove(cx, &rules_state, &e->what);
    else
        tw_map_put(cx, &rules_state, &e->what, &e->n);
    emit(cx, e->n, "rule");
    return TW_OK;
}
TW_FUNCTION(ruled) = {.in = &event_row,
                      .in2 = &event_row,
                      .out = &result_row,
                      .key = &user_row,
                      .states = {&count_state, &rules_state},
                      .process = apply_rules,
                      .process2 = keep_rule};

static void broadcast_scenario(struct op_driver *d)
{
    op_push(d, 0, "1 | ann | x");
    op_push(d, 1, "10 | - | x\n100 | - | a rule of some length");
    op_push(d, 0, "1 | ann | x\n2 | bob | a rule of some length\n3 | ann | y");
    op_push(d, 1, "0 | - | x");
    op_push(d, 0, "1 | ann | x");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(
        op_output(d),
        "+I[ann, 1, 0 rules, last 1]\n+I[nobody, 10, rule]\n+I[nobody, 100, rule]\n+I[ann, 11, 2 rules, last 100]\n"
        "+I[bob, 200, 2 rules, last 100]\n+I[ann, 14, 2 rules, last 100]\n+I[nobody, 0, rule]\n+I[ann, 15, 1 rules, "
        "last 100]\n");
}

/* A rule is added to the count of every key that has one; the rule 0 takes odd counts away. */
static enum tw_status add_to_key(struct tw_context *cx, void *arg)
{
    const int64_t *n = arg;
    int64_t count = tw_value_long(cx, &count_state, 0);

    if (*n == 0 && count % 2 != 0) tw_state_clear(cx, &count_state);
    if (*n != 0) tw_value_set_long(cx, &count_state, count + *n);
    if (*n == 13) return tw_fail(cx, "thirteen");
    emit(cx, tw_value_long(cx, &count_state, -1), "each");
    return TW_OK;
}
static enum tw_status rule_for_all(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    int64_t n = e->n;

    return tw_each_key(cx, &count_state, add_to_key, &n);
}
TW_FUNCTION(all_keys) = {.in = &event_row,
                         .in2 = &event_row,
                         .out = &result_row,
                         .key = &user_row,
                         .states = {&count_state, &last_state},
                         .process = count_rows,
                         .process2 = rule_for_all};

static void each_key_scenario(struct op_driver *d)
{
    op_push(d, 1, "5 | - | no key yet");
    op_push(d, 0, "1 | ann | a\n1 | a user of some length | b\n1 | ann | c");
    assert_string_equal(op_output(d),
                        "+I[ann, 1, 1 a - odd]\n+I[a user of some length, 1, 1 b - odd]\n+I[ann, 2, 1 c a odd]\n");
    op_push(d, 1, "10 | - | x");
    assert_string_equal(op_output(d), "+I[ann, 12, each]\n+I[a user of some length, 11, each]\n");
    op_push(d, 1, "0 | - | x\n1 | - | y");
    assert_string_equal(op_output(d), "+I[ann, 12, each]\n+I[a user of some length, -1, each]\n+I[ann, 13, each]\n");
    op_push(d, 0, "1 | ann | d\n1 | a user of some length | e");
    assert_string_equal(op_output(d), "+I[ann, 14, 1 d c odd]\n+I[a user of some length, 1, 1 e b odd]\n");
    assert_string_equal(op_driver_error(d), "");
}

static void the_broadcast_side_may_visit_all_keys(void **state)
{
    struct function_config c = {{.name = "f", .fn = &all_keys}};
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("broadcast_process"), .config = &c, .in = EVENTS, .keys = "user", .in2 = EVENTS});

    (void)state;
    op_push(d, 0, "1 | ann | a");
    op_push(d, 1, "13 | - | x");
    assert_string_equal(op_driver_error(d), "key [ann], row +I[13, -, x]: thirteen");
    op_driver_free(d);
    run_all("broadcast_process", &all_keys, EVENTS, NULL, each_key_scenario);
}

static void very_many_keys_are_visited(void **state)
{
    struct function_config c = {{.name = "f", .fn = &all_keys}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("broadcast_process"),
                                                              .config = &c,
                                                              .in = EVENTS,
                                                              .keys = "user",
                                                              .in2 = EVENTS,
                                                              .backend = "pending"});
    struct mem mem;
    struct buf rows;
    uint32_t lines = 0;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    for (int part = 0; part < 3; part++) {
        buf_clear(&rows);
        for (int i = 0; i < 2000; i++) buf_printf(&rows, "1 | user %d | x\n", part * 2000 + i);
        op_push(d, 0, buf_text(&rows));
    }
    (void)op_output(d);
    op_push(d, 1, "6 | - | x");
    assert_string_equal(op_driver_error(d), "");
    for (const char *at = op_output(d); *at != '\0'; at = strchr(at, '\n') + 1, lines++)
        assert_non_null(strstr(at, ", 7, each]"));
    assert_int_equal(lines, 6000);
    op_driver_free(d);
    buf_release(&rows);
    mem_release(&mem);
}

static void broadcast_state_is_read_by_all_keys(void **state)
{
    (void)state;
    run_all("broadcast_process", &ruled, EVENTS, NULL, broadcast_scenario);
}

static void each_side_has_its_own_state(void **state)
{
    struct function_config c = {{.name = "ruled", .fn = &ruled}};
    struct op_setup setup = {
        .type = op_find("broadcast_process"), .config = &c, .in = EVENTS, .keys = "user", .in2 = EVENTS};
    struct op_driver *d = op_driver_create(&setup);

    (void)state;
    op_push(d, 0, "1 | ann | write");
    assert_string_equal(
        op_driver_error(d),
        "key [ann], row +I[1, ann, write]: broadcast state 'rules' is written by .process2 only, so that it "
        "is the same in every subtask");
    op_driver_free(d);
    d = op_driver_create(&setup);
    op_push(d, 1, "1 | ann | keyed");
    assert_string_equal(
        op_driver_error(d),
        "row +I[1, ann, keyed]: tw_value_set_long: state 'count' belongs to a key, and there is no current key here");
    op_driver_free(d);
}

/* --- without keys ------------------------------------------------------------------------------------------------- */
static const struct tw_state buffer_state = {
    .name = "buffer", .kind = TW_OPERATOR_LIST, .value = "ROW<n BIGINT, what STRING>"};
struct buffered {
    int64_t n;
    struct tw_str what;
};
static enum tw_status buffer_three(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    struct buffered b = {e->n, e->what};
    int64_t sum = 0;

    tw_list_add(cx, &buffer_state, &b);
    if (tw_list_size(cx, &buffer_state) < 3) return TW_OK;
    for (uint32_t i = 0; tw_list_get(cx, &buffer_state, i, &b); i++) sum += b.n;
    struct result r = {TW_STR("three"), sum, b.what};
    tw_collect(cx, &r);
    tw_state_clear(cx, &buffer_state);
    return TW_OK;
}
TW_FUNCTION(buffering) = {.in = &event_row, .out = &result_row, .states = {&buffer_state}, .process = buffer_three};

static void operator_state_needs_no_key(void **state)
{
    struct function_config c = {{.name = "buffering", .fn = &buffering}};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("process"), .config = &c, .in = EVENTS, .batch_rows = sizes[i]});
        op_push(d, 0, "1 | a | x\n2 | a | y\n3 | a | the last of three rows\n4 | b | x\n5 | c | y\n6 | d | z");
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), "+I[three, 6, the last of three rows]\n+I[three, 15, z]\n");
        op_driver_free(d);
    }
}

/* --- mistakes ----------------------------------------------------------------------------------------------------- */
static const struct tw_state bad_type = {.name = "bad", .kind = TW_VALUE, .value = "ARRAY<NULL>"};
static const struct tw_state no_key_type = {.name = "m", .kind = TW_MAP, .value = "INT"};
TW_FUNCTION(bad_state) = {.in = &event_row, .out = &result_row, .states = {&bad_type}, .process = count_rows};
TW_FUNCTION(no_map_key) = {.in = &event_row, .out = &result_row, .states = {&no_key_type}, .process = count_rows};
TW_FUNCTION(two_alike) = {
    .in = &event_row, .out = &result_row, .states = {&count_state, &count_state}, .process = count_rows};
TW_FUNCTION(wrong_key) = {.in = &event_row, .out = &result_row, .key = &event_row, .process = count_rows};
TW_FUNCTION(broadcast_here) = {.in = &event_row, .out = &result_row, .states = {&rules_state}, .process = count_rows};

static const struct tw_state
    negative_ttl = {.name = "n", .kind = TW_VALUE, .value = "INT", .ttl = {.ttl_ms = -1}},
    no_such_update = {.name = "u", .kind = TW_VALUE, .value = "INT", .ttl = {.ttl_ms = 1, .update = 9}},
    no_size = {.name = "s", .kind = TW_VALUE, .value = "INT", .ttl = {.ttl_ms = 1, .cleanup_every_record = true}},
    /* Disabled: what else it says does not count. */
    disabled = {.name = "d", .kind = TW_VALUE, .value = "BIGINT", .ttl = {.ttl_ms = -1, .update = TW_TTL_DISABLED}};
TW_FUNCTION(ttl_negative) = {.in = &event_row, .out = &result_row, .states = {&negative_ttl}, .process = count_rows};
TW_FUNCTION(ttl_update) = {.in = &event_row, .out = &result_row, .states = {&no_such_update}, .process = count_rows};
TW_FUNCTION(ttl_size) = {.in = &event_row, .out = &result_row, .states = {&no_size}, .process = count_rows};

static enum tw_status count_for_ever(struct tw_context *cx, const void *in)
{
    (void)in;
    tw_value_set_long(cx, &disabled, tw_value_long(cx, &disabled, 0) + 1);
    emit(cx, tw_value_long(cx, &disabled, -1), "");
    return TW_OK;
}
TW_FUNCTION(counts_for_ever) = {
    .in = &event_row, .out = &result_row, .key = &user_row, .states = {&disabled}, .process = count_for_ever};

static void for_ever_scenario(struct op_driver *d)
{
    op_push(d, 0, "1 | ann | x");
    op_set_time(d, INT64_MAX / 2);
    op_push(d, 0, "1 | ann | x");
    assert_string_equal(op_output(d), "+I[ann, 1, ]\n+I[ann, 2, ]\n");
}

static void disabled_ttl_keeps_for_ever(void **state)
{
    (void)state;
    run_all("process", &counts_for_ever, NULL, NULL, for_ever_scenario);
}

static void declarations_are_checked(void **state)
{
    static const struct {
        const struct tw_function *f;
        const char *keys, *error;
    } cases[] = {
        {&counter, NULL,
         "function 'f': value state 'count' needs a keyed stream (call tw_key_by before, or use operator list state)"},
        {&alarm, NULL, "function 'f' has .on_timer, but timers need a keyed stream (call tw_key_by before)"},
        {&bad_state, "user",
         "function 'f': value state 'bad': type NULL has no form as a C value (use numbers, DECIMAL, times, STRING, "
         "BYTES, or ARRAY, MAP, MULTISET, ROW of these)"},
        {&no_map_key, "user", "function 'f': map state 'm' needs the type of its map key in .map_key"},
        {&ttl_negative, "user", "function 'f': state 'n' has a negative time to live"},
        {&ttl_update, "user", "function 'f': state 'u': .ttl.update or .ttl.visibility is no value of its enum"},
        {&ttl_size, "user", "function 'f': state 's': .ttl.cleanup_every_record needs a .cleanup_size"},
        {&two_alike, "user", "function 'f' declares two states named 'count'"},
        {&wrong_key, "user", "function 'f': key row type 'event' has 3 fields, but the stream is keyed by 1 columns"},
        {&broadcast_here, "user", "function 'f': broadcast state 'rules' lives in tw_broadcast_process only"},
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct function_config c = {{.name = "f", .fn = cases[i].f}};
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("process"), .config = &c, .in = EVENTS, .keys = cases[i].keys});
        assert_string_equal(op_driver_error(d), cases[i].error);
        op_driver_free(d);
    }
}

static enum tw_status misuse(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    int64_t n = 0;

    switch (e->n) {
    case 1: tw_value_set_long(cx, &short_state, 1); break;
    case 2: tw_list_add(cx, &count_state, &n); break;
    case 3: tw_value_set_long(cx, &last_state, 1); break;
    case 4: tw_register_event_timer(cx, 1); break;
    case 5: tw_side_output(cx, 0, e); break;
    case 6:
        tw_counter_add(cx, "x", 1);
        tw_double_add(cx, "x", 1);
        break;
    default: return TW_FAILED;
    }
    return TW_OK;
}
TW_FUNCTION(misusing) = {
    .in = &event_row, .out = &result_row, .states = {&count_state, &last_state}, .process = misuse};

static void misuse_fails_the_job_with_a_sentence(void **state)
{
    struct function_config c = {{.name = "f", .fn = &misusing}};
    static const char *const errors[] = {
        "function 'f' failed without saying why (answer with tw_fail(cx, \"...\") to say why)",
        "state 'short' is not among the .states of function 'f'",
        "tw_list_add cannot be used with state 'count', which is of another kind",
        "state 'last' is ROW<n INT, what STRING, before STRING, even BOOLEAN>, not BIGINT",
        "timers need a keyed stream and a function with .on_timer",
        "tw_side_output: function 'f' has no side output 0",
        "accumulator 'x' is a counter and cannot be a double too",
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(errors); i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("process"), .config = &c, .in = EVENTS, .keys = "user"});
        char row[32], expected[256];
        snprintf(row, sizeof row, "%u | ann | x", i);
        snprintf(expected, sizeof expected, "key [ann], row +I[%u, ann, x]: %s", i, errors[i]);
        op_push(d, 0, row);
        assert_string_equal(op_driver_error(d), expected);
        op_driver_free(d);
    }
}

static void a_null_key_fails(void **state)
{
    struct function_config c = {{.name = "counter", .fn = &counter}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("process"), .config = &c, .in = EVENTS, .keys = "user"});

    (void)state;
    op_push(d, 0, "1 | null | x");
    assert_string_equal(op_driver_error(d), "a row has NULL in the key column 'user'; keys must not be NULL "
        "(remove such rows before it, for example with tw_filter)");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_belong_to_the_key),
        cmocka_unit_test(lists_and_maps_belong_to_the_key),
        cmocka_unit_test(reducing_and_aggregating_state_fold),
        cmocka_unit_test(timers_fire_in_order_once_per_key_and_time),
        cmocka_unit_test(a_timer_may_set_and_delete_others),
        cmocka_unit_test(processing_time_timers_follow_the_clock),
        cmocka_unit_test(more_timers_than_a_batch_are_due_at_once),
        cmocka_unit_test(state_expires),
        cmocka_unit_test(expired_state_is_returned_once),
        cmocka_unit_test(two_streams_share_state_and_timers),
        cmocka_unit_test(streams_keyed_differently_are_refused),
        cmocka_unit_test(broadcast_state_is_read_by_all_keys),
        cmocka_unit_test(the_broadcast_side_may_visit_all_keys),
        cmocka_unit_test(very_many_keys_are_visited),
        cmocka_unit_test(each_side_has_its_own_state),
        cmocka_unit_test(operator_state_needs_no_key),
        cmocka_unit_test(disabled_ttl_keeps_for_ever),
        cmocka_unit_test(declarations_are_checked),
        cmocka_unit_test(misuse_fails_the_job_with_a_sentence),
        cmocka_unit_test(a_null_key_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
