/* test_op_broadcast.c - broadcast state: read by all keys, written by one side, and a visit of that side to every key. */
#include "support/rows.h"
#include "support/user_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

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
    events_emit(cx, tw_value_long(cx, &count_state, 0), text);
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
    events_emit(cx, e->n, "rule");
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
    events_emit(cx, tw_value_long(cx, &count_state, -1), "each");
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
                         .process = events_count,
                         .process2 = rule_for_all};

static void each_key_scenario(struct op_driver *d)
{
    op_push(d, 1, "5 | - | no key yet");
    op_push(d, 0, "1 | ann | a\n1 | a user of some length | b\n1 | ann | c");
    assert_string_equal(op_output(d), "+I[ann, 1, 1 a - odd]\n+I[a user of some length, 1, 1 b - odd]\n+I[ann, 2, 1 c a odd]\n");
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
    events_run("broadcast_process", &all_keys, EVENTS, NULL, each_key_scenario);
}

static void very_many_keys_are_visited(void **state)
{
    struct function_config c = {{.name = "f", .fn = &all_keys}};
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("broadcast_process"), .config = &c, .in = EVENTS, .keys = "user", .in2 = EVENTS, .backend = "pending"});
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
    events_run("broadcast_process", &ruled, EVENTS, NULL, broadcast_scenario);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broadcast_state_is_read_by_all_keys),
        cmocka_unit_test(the_broadcast_side_may_visit_all_keys),
        cmocka_unit_test(very_many_keys_are_visited),
        cmocka_unit_test(each_side_has_its_own_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
