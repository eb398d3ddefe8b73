/* user_events.c - running scenarios, and the counting function. */
#include "support/user_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

const uint32_t events_sizes[3] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

void events_run(const char *operator, const struct tw_function *f, const char *in2, const char *keys2, scenario s)
{
    struct function_config c = {{.name = "f", .fn = f}};

    for (uint32_t b = 0; b < COUNT_OF(backends); b++) {
        for (uint32_t i = 0; i < COUNT_OF(events_sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find(operator),
                                                                      .config = &c,
                                                                      .in = EVENTS,
                                                                      .keys = "user",
                                                                      .in2 = in2,
                                                                      .keys2 = keys2,
                                                                      .batch_rows = events_sizes[i],
                                                                      .backend = backends[b]});
            assert_string_equal(op_driver_error(d), "");
            s(d);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
    }
}

void events_emit(struct tw_context *cx, int64_t n, const char *text)
{
    const struct user *key = tw_key(cx);
    struct result r = {.n = n, .text = tw_str_of(text)};

    r.user = key ? key->user : TW_STR("nobody");
    tw_collect(cx, &r);
}

const struct tw_state count_state = {.name = "count", .kind = TW_VALUE, .value = "BIGINT"};
const struct tw_state last_state = {
    .name = "last", .kind = TW_VALUE, .value = "ROW<n INT, what STRING, before STRING, even BOOLEAN>"};

/* Counts, and remembers the last two texts: what is read goes back into another field. */
enum tw_status events_count(struct tw_context *cx, const void *in)
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
        events_emit(cx, tw_value_long(cx, &count_state, -1), "cleared");
        return TW_OK;
    }
    snprintf(text, sizeof text, "%d %.*s %.*s %s", last.n, (int)last.what.size, last.what.data, (int)last.before.size,
             last.before.data, last.even ? "even" : "odd");
    events_emit(cx, tw_value_long(cx, &count_state, -1), text);
    return TW_OK;
}
