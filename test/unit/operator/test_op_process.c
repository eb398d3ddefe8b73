/* test_op_process.c - functions with state: every kind of state per key, time to live, operator state, what is refused. Timers and
 * two streams are in test_op_process_timers.c, broadcast state in test_op_broadcast.c. */
#include "support/rows.h"
#include "support/user_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* --- value -------------------------------------------------------------------------------------------------------- */
TW_FUNCTION(counter) = {.in = &event_row,
                        .out = &result_row,
                        .key = &user_row,
                        .states = {&count_state, &last_state},
                        .process = events_count};

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
    events_run("process", &counter, NULL, NULL, count_scenario);
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
    events_emit(cx, e->n, text);
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
    events_run("process", &collector, NULL, NULL, collect_scenario);
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
    events_emit(cx, max, text);
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
    events_run("process", &folding, NULL, NULL, fold_scenario);
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
    events_emit(cx, tw_value_long(cx, &short_state, -1), "");
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
    events_run("process", &short_counter, NULL, NULL, ttl_scenario);
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
    events_emit(cx, tw_list_size(cx, &old_list), text);
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
    events_run("process", &uses_old, NULL, NULL, returned_once_scenario);
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
    for (uint32_t i = 0; i < COUNT_OF(events_sizes); i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("process"), .config = &c, .in = EVENTS, .batch_rows = events_sizes[i]});
        op_push(d, 0, "1 | a | x\n2 | a | y\n3 | a | the last of three rows\n4 | b | x\n5 | c | y\n6 | d | z");
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), "+I[three, 6, the last of three rows]\n+I[three, 15, z]\n");
        op_driver_free(d);
    }
}

/* --- mistakes ----------------------------------------------------------------------------------------------------- */
static enum tw_status never_rings(struct tw_context *cx, int64_t time_ms)
{
    (void)cx, (void)time_ms;
    return TW_OK;
}
TW_FUNCTION(alarm) = {.in = &event_row, .out = &result_row, .process = events_count, .on_timer = never_rings};
static const struct tw_state rules_state = {
    .name = "rules", .kind = TW_BROADCAST, .map_key = "STRING", .value = "BIGINT"};
static const struct tw_state bad_type = {.name = "bad", .kind = TW_VALUE, .value = "ARRAY<NULL>"};
static const struct tw_state no_key_type = {.name = "m", .kind = TW_MAP, .value = "INT"};
TW_FUNCTION(bad_state) = {.in = &event_row, .out = &result_row, .states = {&bad_type}, .process = events_count};
TW_FUNCTION(no_map_key) = {.in = &event_row, .out = &result_row, .states = {&no_key_type}, .process = events_count};
TW_FUNCTION(two_alike) = {
    .in = &event_row, .out = &result_row, .states = {&count_state, &count_state}, .process = events_count};
TW_FUNCTION(wrong_key) = {.in = &event_row, .out = &result_row, .key = &event_row, .process = events_count};
TW_FUNCTION(broadcast_here) = {.in = &event_row, .out = &result_row, .states = {&rules_state}, .process = events_count};

static const struct tw_state
    negative_ttl = {.name = "n", .kind = TW_VALUE, .value = "INT", .ttl = {.ttl_ms = -1}},
    no_such_update = {.name = "u", .kind = TW_VALUE, .value = "INT", .ttl = {.ttl_ms = 1, .update = 9}},
    no_size = {.name = "s", .kind = TW_VALUE, .value = "INT", .ttl = {.ttl_ms = 1, .cleanup_every_record = true}},
    /* Disabled: what else it says does not count. */
    disabled = {.name = "d", .kind = TW_VALUE, .value = "BIGINT", .ttl = {.ttl_ms = -1, .update = TW_TTL_DISABLED}};
TW_FUNCTION(ttl_negative) = {.in = &event_row, .out = &result_row, .states = {&negative_ttl}, .process = events_count};
TW_FUNCTION(ttl_update) = {.in = &event_row, .out = &result_row, .states = {&no_such_update}, .process = events_count};
TW_FUNCTION(ttl_size) = {.in = &event_row, .out = &result_row, .states = {&no_size}, .process = events_count};

static enum tw_status count_for_ever(struct tw_context *cx, const void *in)
{
    (void)in;
    tw_value_set_long(cx, &disabled, tw_value_long(cx, &disabled, 0) + 1);
    events_emit(cx, tw_value_long(cx, &disabled, -1), "");
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
    events_run("process", &counts_for_ever, NULL, NULL, for_ever_scenario);
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
        cmocka_unit_test(state_expires),
        cmocka_unit_test(expired_state_is_returned_once),
        cmocka_unit_test(operator_state_needs_no_key),
        cmocka_unit_test(disabled_ttl_keeps_for_ever),
        cmocka_unit_test(declarations_are_checked),
        cmocka_unit_test(misuse_fails_the_job_with_a_sentence),
        cmocka_unit_test(a_null_key_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
