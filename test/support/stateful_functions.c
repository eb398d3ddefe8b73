/* stateful_functions.c - the operators that call a user's function beside its state, one case per hook and per kind of state;
 * the running aggregates; the interval join; partitions. What functions tell depends on all they read, so that a state
 * resolved for another row, applied twice or lost shows in the rows. */
#include "support/stateful.h"

#include "flow/operator/dedup_config.h"
#include "flow/operator/fold_config.h"
#include "flow/operator/hash_aggregate.h"
#include "flow/operator/join.h"
#include "flow/operator/join_interval.h"
#include "flow/operator/join_temporal.h"
#include "flow/operator/multi_join.h"
#include "flow/operator/normalize_config.h"
#include "flow/operator/over.h"
#include "flow/operator/over_sorted.h"
#include "flow/operator/join_window.h"
#include "flow/operator/rank_config.h"
#include "flow/operator/temporal_sort.h"
#include "flow/operator/set_config.h"
#include "flow/operator/sql_window.h"
#include "flow/operator/upsert_rows.h"

#include "columns/column/batch.h"

#define FN(f) .functions = {&f}, .config = &(const struct function_config){.function = STATEFUL_FN(f)}

/* Wraps, so that it may be fed its own results for ever. */
static int64_t mix(int64_t digest, int64_t factor, int64_t item)
{
    return (int64_t)((uint64_t)digest * (uint64_t)factor + (uint64_t)item);
}

/* --- states ------------------------------------------------------------------------------------------------------------- */
static enum tw_status add_two(struct tw_context *cx, const void *a, const void *b, void *out)
{
    (void)cx;
    *(int64_t *)out = mix(*(const int64_t *)a, 3, *(const int64_t *)b); /* the order counts */
    return TW_OK;
}
static const struct tw_function adding = {.reduce = add_two};
static enum tw_status fold_add(struct tw_context *cx, void *acc, const void *in)
{
    struct stateful_sum *s = acc;

    (void)cx;
    s->n++;
    s->total = mix(s->total, 3, *(const int64_t *)in);
    return TW_OK;
}
static enum tw_status fold_result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(int64_t *)out = mix(((const struct stateful_sum *)acc)->total, 1, ((const struct stateful_sum *)acc)->n);
    return TW_OK;
}
static const struct tw_function folding = {.acc = &stateful_sum_row, .add = fold_add, .result = fold_result};

static const struct tw_state value = {.name = "value", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state list = {.name = "list", .kind = TW_LIST, .value = "BIGINT"};
static const struct tw_state map = {.name = "map", .kind = TW_MAP, .map_key = "BIGINT", .value = "BIGINT"};
static const struct tw_state reducing = {
    .name = "reducing", .kind = TW_REDUCING, .value = "BIGINT", .function = &adding};
static const struct tw_state aggregating = {
    .name = "aggregating", .kind = TW_AGGREGATING, .value = "BIGINT", .function = &folding};
static const struct tw_state rules = {.name = "rules", .kind = TW_BROADCAST, .map_key = "BIGINT", .value = "BIGINT"};
static const struct tw_state op_list = {.name = "held", .kind = TW_OPERATOR_LIST, .value = "BIGINT"};
static const struct tw_state op_union = {.name = "shared", .kind = TW_OPERATOR_UNION, .value = "BIGINT"};
static const struct tw_state written = {
    .name = "written", .kind = TW_VALUE, .value = "BIGINT", .ttl = {.ttl_ms = 15, .update = TW_ON_CREATE_AND_WRITE}};
static const struct tw_state read_list = {
    .name = "read", .kind = TW_LIST, .value = "BIGINT", .ttl = {.ttl_ms = 12, .update = TW_ON_READ_AND_WRITE}};
static const struct tw_state brief_map = {
    .name = "brief", .kind = TW_MAP, .map_key = "BIGINT", .value = "BIGINT", .ttl = {.ttl_ms = 20}};
static const struct tw_state expired_map = {
    .name = "expired",
    .kind = TW_MAP,
    .map_key = "BIGINT",
    .value = "BIGINT",
    .ttl = {.ttl_ms = 20, .visibility = TW_RETURN_EXPIRED_IF_NOT_CLEANED_UP}};

static int64_t list_digest(struct tw_context *cx, const struct tw_state *s)
{
    int64_t item, digest = 0;

    for (uint32_t i = 0; tw_list_get(cx, s, i, &item); i++) digest = mix(digest, 31, item);
    return digest;
}

static int64_t map_digest(struct tw_context *cx, const struct tw_state *s)
{
    int64_t key, item, digest = 0;
    uint32_t cursor = 0;

    while (tw_map_next(cx, s, &cursor, &key, &item)) digest = mix(mix(digest, 31, item), 1, mix(key, 7, 0));
    return digest;
}

static int64_t value_touch(struct tw_context *cx, int64_t v)
{
    tw_value_set_long(cx, &value, mix(tw_value_long(cx, &value, 0), 3, v));
    if (v == 7) tw_state_clear(cx, &value);
    return tw_value_long(cx, &value, -1);
}

static int64_t list_touch(struct tw_context *cx, int64_t v)
{
    tw_list_add(cx, &list, &v);
    if (tw_list_size(cx, &list) > 9) tw_state_clear(cx, &list);
    return list_digest(cx, &list);
}

static int64_t map_touch(struct tw_context *cx, int64_t v)
{
    int64_t slot = v % 6, count = 0;

    if (v % 5 == 0) tw_map_remove(cx, &map, &slot);
    else {
        tw_map_get(cx, &map, &slot, &count);
        count = mix(count, 3, v);
        tw_map_put(cx, &map, &slot, &count);
    }
    return map_digest(cx, &map);
}

static int64_t fold_touch(struct tw_context *cx, int64_t v)
{
    int64_t a = -1, b = -1;

    tw_reducing_add(cx, &reducing, &v);
    tw_aggregating_add(cx, &aggregating, &v);
    tw_reducing_get(cx, &reducing, &a);
    tw_aggregating_get(cx, &aggregating, &b);
    if (v % 11 == 0) tw_state_clear(cx, v % 2 ? &reducing : &aggregating);
    return mix(a, 31, b);
}

static enum tw_status told(struct tw_context *cx, int64_t n, int64_t total)
{
    struct stateful_sum out = {n, total};

    tw_collect(cx, &out);
    return TW_OK;
}
static int64_t v_of(const void *in) { return ((const struct stateful_row *)in)->v; }

/* --- process: one case per kind of state, of timer, and of time to live ---------------------------------------------------- */
static enum tw_status on_value(struct tw_context *cx, const void *in) { return told(cx, 1, value_touch(cx, v_of(in))); }
static enum tw_status on_list(struct tw_context *cx, const void *in) { return told(cx, 2, list_touch(cx, v_of(in))); }
static enum tw_status on_map(struct tw_context *cx, const void *in) { return told(cx, 3, map_touch(cx, v_of(in))); }
static enum tw_status on_folds(struct tw_context *cx, const void *in) { return told(cx, 4, fold_touch(cx, v_of(in))); }
#define KEYED .in = &stateful_row_row, .out = &stateful_sum_row, .key = &stateful_key_row
static const struct tw_function values = {KEYED, .states = {&value}, .process = on_value};
static const struct tw_function lists = {KEYED, .states = {&list}, .process = on_list};
static const struct tw_function maps = {KEYED, .states = {&map}, .process = on_map};
static const struct tw_function folds = {KEYED, .states = {&reducing, &aggregating}, .process = on_folds};

/* Every state at once, and whom it belongs to. */
static int64_t touch_all(struct tw_context *cx, int64_t v)
{
    const struct stateful_key *key = tw_key(cx);

    int64_t all = mix(mix(mix(value_touch(cx, v), 31, list_touch(cx, v)), 31, map_touch(cx, v)), 31, fold_touch(cx, v));

    return mix(all, 1, (int64_t)key->k.size + key->k.data[0]);
}
#define ALL_STATES .states = {&value, &list, &map, &reducing, &aggregating}
static enum tw_status on_all(struct tw_context *cx, const void *in) { return told(cx, v_of(in), touch_all(cx, v_of(in))); }
static const struct tw_function everything = {KEYED, ALL_STATES, .process = on_all};

static enum tw_status on_brief(struct tw_context *cx, const void *in)
{
    int64_t v = v_of(in), slot = v % 4;

    int64_t before = mix(mix(tw_value_long(cx, &written, -1), 31, list_digest(cx, &read_list)), 31, map_digest(cx, &brief_map));
    if (v % 3 == 0) tw_value_set_long(cx, &written, v);
    if (v % 3 == 1) tw_list_add(cx, &read_list, &v);
    if (v % 3 == 2) tw_map_put(cx, &brief_map, &slot, &v);
    return told(cx, v, before);
}
static const struct tw_function brief = {KEYED, .states = {&written, &read_list, &brief_map}, .process = on_brief};
static enum tw_status on_expired(struct tw_context *cx, const void *in)
{
    int64_t v = v_of(in), slot = v % 4;

    tw_map_put(cx, &expired_map, &slot, &v);
    return told(cx, v, map_digest(cx, &expired_map));
}
static const struct tw_function expired = {KEYED, .states = {&expired_map}, .process = on_expired};

/* Timers of one domain: some are deleted, some set others; what fires tells the states. */
static enum tw_status set_timers(struct tw_context *cx, int64_t v, bool event)
{
    int64_t at = event ? tw_time(cx) + v % 13 : tw_now_ms(cx) + v % 13;

    touch_all(cx, v);
    if (event && v % 4 == 0) tw_delete_event_timer(cx, at - 1);
    else if (event) tw_register_event_timer(cx, at);
    else if (v % 4 == 0) tw_delete_processing_timer(cx, at - 1);
    else tw_register_processing_timer(cx, at);
    return TW_OK;
}
static enum tw_status on_event_row(struct tw_context *cx, const void *in) { return set_timers(cx, v_of(in), true); }
static enum tw_status on_clock_row(struct tw_context *cx, const void *in) { return set_timers(cx, v_of(in), false); }
static enum tw_status on_timer(struct tw_context *cx, int64_t time)
{
    if (time % 5 == 0 && tw_timer_is_processing_time(cx)) tw_register_processing_timer(cx, time + 2);
    if (time % 5 == 0 && !tw_timer_is_processing_time(cx)) tw_register_event_timer(cx, time - 2); /* due at once */
    return told(cx, time, touch_all(cx, time % 17));
}
static const struct tw_function event_timers = {KEYED, ALL_STATES, .process = on_event_row, .on_timer = on_timer};
static const struct tw_function clock_timers = {KEYED, ALL_STATES, .process = on_clock_row, .on_timer = on_timer};

static enum tw_status on_held(struct tw_context *cx, const void *in)
{
    int64_t v = v_of(in);

    tw_list_add(cx, &op_list, &v);
    tw_list_add(cx, &op_union, &v);
    if (tw_list_size(cx, &op_list) > 5) tw_state_clear(cx, &op_list);
    return told(cx, list_digest(cx, &op_list), list_digest(cx, &op_union));
}
static const struct tw_function held = {
    .in = &stateful_row_row, .out = &stateful_sum_row, .states = {&op_list, &op_union}, .process = on_held};

/* --- the other hooks for one row --------------------------------------------------------------------------------------------- */
static enum tw_status map_row(struct tw_context *cx, const void *in, void *out)
{
    *(struct stateful_sum *)out = (struct stateful_sum){v_of(in), touch_all(cx, v_of(in))};
    return TW_OK;
}
static enum tw_status keep_row(struct tw_context *cx, const void *in, bool *keep)
{
    *keep = touch_all(cx, v_of(in)) % 3 != 0;
    return TW_OK;
}
static enum tw_status on_twice(struct tw_context *cx, const void *in)
{
    if (v_of(in) % 2 == 0) told(cx, 0, list_digest(cx, &list));
    return on_all(cx, in);
}
static enum tw_status map_second(struct tw_context *cx, const void *in, void *out)
{
    *(struct stateful_sum *)out = (struct stateful_sum){-v_of(in), touch_all(cx, v_of(in) + 50)};
    return TW_OK;
}
static enum tw_status on_second(struct tw_context *cx, const void *in)
{
    tw_register_event_timer(cx, tw_time(cx) + 3);
    return told(cx, -v_of(in), touch_all(cx, v_of(in) + 50));
}
static enum tw_status on_second_plain(struct tw_context *cx, const void *in)
{
    return told(cx, -v_of(in), touch_all(cx, v_of(in) + 50));
}
#define PAIR KEYED, .in2 = &stateful_row_row, ALL_STATES
static const struct tw_function mapping = {KEYED, ALL_STATES, .map = map_row};
static const struct tw_function keeping = {.in = &stateful_row_row, .key = &stateful_key_row, ALL_STATES, .filter = keep_row};
static const struct tw_function doubling = {KEYED, ALL_STATES, .flat_map = on_twice};
static const struct tw_function co_mapping = {PAIR, .map = map_row, .map2 = map_second};
static const struct tw_function co_doubling = {PAIR, .flat_map = on_twice, .flat_map2 = on_second_plain};
static const struct tw_function co_processing = {PAIR, .process = on_all, .process2 = on_second, .on_timer = on_timer};

/* --- broadcast: rules for all keys, and a visit to each of them ---------------------------------------------------------------- */
static enum tw_status on_ruled(struct tw_context *cx, const void *in)
{
    return told(cx, map_digest(cx, &rules), touch_all(cx, v_of(in)));
}
static enum tw_status on_rule(struct tw_context *cx, const void *in)
{
    int64_t v = v_of(in), slot = v % 5;

    if (v % 4 == 0) tw_map_remove(cx, &rules, &slot);
    else tw_map_put(cx, &rules, &slot, &v);
    return told(cx, -v, map_digest(cx, &rules));
}
static enum tw_status visit_key(struct tw_context *cx, void *arg) { return told(cx, -1, touch_all(cx, *(int64_t *)arg)); }
static enum tw_status on_visit(struct tw_context *cx, const void *in)
{
    int64_t v = v_of(in);

    return v % 3 ? on_rule(cx, in) : tw_each_key(cx, v % 2 ? &value : &list, visit_key, &v);
}
#define RULED KEYED, .in2 = &stateful_row_row, .states = {&value, &list, &map, &reducing, &aggregating, &rules}
static const struct tw_function ruled = {RULED, .process = on_ruled, .process2 = on_rule, .on_timer = on_timer};
static const struct tw_function visiting = {RULED, .process = on_ruled, .process2 = on_visit};

/* --- joins, partitions, running aggregates ------------------------------------------------------------------------------------ */
static enum tw_status on_pair(struct tw_context *cx, const void *left, const void *right)
{
    return told(cx, v_of(left), v_of(right) * 1000 + (tw_right_time(cx) - tw_left_time(cx)));
}
static enum tw_status on_stateful_pair(struct tw_context *cx, const void *left, const void *right)
{
    return told(cx, v_of(left) * 100 + v_of(right), touch_all(cx, v_of(left)));
}
static const struct tw_function pairs = {KEYED, .in2 = &stateful_row_row, .join = on_pair};
static const struct tw_function stateful_pairs = {PAIR, .join = on_stateful_pair};
static const struct interval_config around = {.function = STATEFUL_FN(pairs), .lower_ms = -5, .upper_ms = 8},
                                    open_bounds = {.function = STATEFUL_FN(pairs),
                                                   .lower_ms = 0,
                                                   .upper_ms = 9,
                                                   .lower_exclusive = true,
                                                   .upper_exclusive = true},
                                    with_states = {.function = STATEFUL_FN(stateful_pairs), .lower_ms = -4, .upper_ms = 4};

static enum tw_status on_partition(struct tw_context *cx, struct tw_elements *rows)
{
    int64_t digest = 0;

    for (const struct stateful_row *r; (r = tw_next(rows)) != NULL;) digest = mix(digest, 31, r->v);
    return told(cx, tw_element_count(rows), digest);
}
static enum tw_status on_stateful_partition(struct tw_context *cx, struct tw_elements *rows)
{
    const struct stateful_row *r = tw_next(rows);

    return told(cx, tw_element_count(rows), touch_all(cx, r->v));
}
static const struct tw_function partitions = {KEYED, .partition_rows = on_partition};
static const struct tw_function stateful_partitions = {KEYED, ALL_STATES, .partition_rows = on_stateful_partition};

static enum tw_status join_rows(struct tw_context *cx, const void *a, const void *b, void *out)
{
    (void)cx;
    *(struct stateful_row *)out = (struct stateful_row){((const struct stateful_row *)a)->k, mix(v_of(a), 3, v_of(b))};
    return TW_OK;
}
static const struct tw_function reduction = {.in = &stateful_row_row, .key = &stateful_key_row, .reduce = join_rows};

/* Of whole partitions: how many rows and a digest that depends on their order. */
static enum tw_status count_and_mix(struct tw_context *cx, void *acc, const void *in)
{
    struct stateful_sum *s = acc;

    (void)cx;
    s->n++;
    s->total = mix(s->total, 7, v_of(in));
    return TW_OK;
}
static enum tw_status answer_sum(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(struct stateful_sum *)out = *(const struct stateful_sum *)acc;
    return TW_OK;
}
static const struct tw_function partition_sums = {.in = &stateful_row_row, .key = &stateful_key_row, .acc = &stateful_sum_row,
                                                  .out = &stateful_sum_row, .add = count_and_mix, .result = answer_sum};

#define ROLLING(name) {"rolling", name, .config = &(const struct rolling_config){name, "v"}}
#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}
static const struct group_config groups = {.functions = TEXTS("count", "sum", "count"),
                                           .arguments = TEXTS("", "v", "v"),
                                           .filters = TEXTS("", "", ""),
                                           .distinct = TEXTS("false", "false", "true"),
                                           .names = TEXTS("n", "s", "d"),
                                           .emit_before = true,
                                           .emit_every = true};
#define KEPT(...)                                                                                                                 \
    {.functions = TEXTS("first_value", "last_value", "array_agg", "collect", "min", "max", "collect"),                           \
     .arguments = TEXTS("v", "v", "v", "v", "v", "v", "v"),                                                                      \
     .filters = TEXTS("", "", "", "", "", "", ""),                                                                               \
     .distinct = TEXTS("false", "false", "false", "false", "false", "false", "true"),                                            \
     .names = TEXTS("f", "l", "a", "c", "i", "x", "d"),                                                                          \
     .emit_before = true,                                                                                                        \
     .emit_every = true,                                                                                                         \
     __VA_ARGS__}
static const struct group_config kept = KEPT(.retracts = false), kept_retracting = KEPT(.retracts = true);
static const struct hash_aggregate_config hashed_groups = {.calls = {.functions = TEXTS("count", "sum", "count"),
                                                                     .arguments = TEXTS("", "v", "v"),
                                                                     .filters = TEXTS("", "", ""),
                                                                     .distinct = TEXTS("false", "false", "true"),
                                                                     .names = TEXTS("n", "s", "d")}},
                                          hashed_kept = {.calls = KEPT(.retracts = false)};
#define JOIN(name, ...) {.kind = name, .names = TEXTS("k", "v", "k0", "v0"), .emit_before = true, __VA_ARGS__}
static const struct join_config appends = JOIN("inner", .left_appends = true, .right_appends = true), full_join = JOIN("full"),
                                row_join = JOIN("full", .left_row = true, .left_after = true, .right_row = true, .right_after = true),
                                entry_join = JOIN("left", .left_after = true, .left_unique = TEXTS("k", "v")), semi_join = JOIN("semi"),
                                brief_join = JOIN("left", .left_ttl_ms = 15, .right_ttl_ms = 15);
#define MULTI_JOIN(kind, appending, ms)                                                                                           \
    {.names = TEXTS("k", "v", "k0", "v0"), .kinds = TEXTS("inner", kind), .asks = TEXTS("false", "false"),                        \
     .required = TEXTS("0", "0"), .appends = TEXTS(appending, appending), .ttl_ms = TEXTS(ms, ms), .emit_before = true}
static const struct multi_join_config multi_appends = MULTI_JOIN("left", "true", "0"), multi_left = MULTI_JOIN("left", "false", "0"),
                                      multi_brief = MULTI_JOIN("left", "false", "15");
#define INTERVAL(name, ...) {.kind = name, .names = TEXTS("k", "v", "k0", "v0"), __VA_ARGS__}
static const struct join_interval_config inner_interval = INTERVAL("inner", .left_time = "v", .right_time = "v", .lower_ms = -130, .upper_ms = 170),
                                         full_interval = INTERVAL("full", .left_time = "v", .right_time = "v", .lower_ms = -170, .upper_ms = 130),
                                         clock_interval = INTERVAL("full", .lower_ms = -9, .upper_ms = 12);
static const struct join_temporal_config inner_temporal = {.kind = "inner", .names = TEXTS("k", "v", "k0", "v0"), .left_time = "v", .right_time = "v"},
                                         left_temporal = {.kind = "left", .names = TEXTS("k", "v", "k0", "v0"), .left_time = "v", .right_time = "v"};
static const struct rank_config first_three = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1,
                                               .last = 3, .number = "n", .emit_before = true};
static const struct rank_config part_ranks = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1,
                                              .last = 3, .nets = true, .is_part = true};
static const struct rank_config kept_ranks = {.order = TEXTS("v"), .directions = TEXTS("asc"), .nulls = TEXTS("first"), .first = 1,
                                        .last = 2, .emit_before = true, .retracts = true};
static const struct rank_config replaced_ranks = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1,
                                                  .last = 2, .number = "n", .emit_before = true, .unique = TEXTS("v")};
static const struct window_groups_config window_groups = {.calls = {.functions = TEXTS("count", "count"),
                                                                    .arguments = TEXTS("", "v"),
                                                                    .filters = TEXTS("", ""),
                                                                    .distinct = TEXTS("false", "true"),
                                                                    .names = TEXTS("n", "d")},
                                                          .size_ms = 10,
                                                          .end = "v",
                                                          .processing_time = true}; /* values lie before all watermarks */
static const struct over_config over_rows = {.calls = {.functions = TEXTS("sum", "max", "count"),
                                                       .arguments = TEXTS("v", "v", "v"),
                                                       .filters = TEXTS("", "", ""),
                                                       .distinct = TEXTS("false", "false", "true"),
                                                       .names = TEXTS("s", "m", "d"),
                                                       .retracts = true},
                                             .rows = true,
                                             .bounded = true,
                                             .preceding = 2},
                                over_all = {.calls = {.functions = TEXTS("sum"),
                                                      .arguments = TEXTS("v"),
                                                      .filters = TEXTS(""),
                                                      .distinct = TEXTS("false"),
                                                      .names = TEXTS("s")},
                                            .rows = true,
                                            .lag_values = TEXTS("v"),
                                            .lag_offsets = TEXTS("2"),
                                            .lag_defaults = TEXTS(""),
                                            .lag_names = TEXTS("l")};
static const struct over_sorted_config over_values = {.calls = {.functions = TEXTS("sum", "max"),
                                                                .arguments = TEXTS("v", "v"),
                                                                .filters = TEXTS("", ""),
                                                                .distinct = TEXTS("false", "false"),
                                                                .names = TEXTS("s", "m"),
                                                                .emit_before = true},
                                                      .order = "v"};
static const struct sort_config sorts = {TEXTS("v"), TEXTS("asc"), TEXTS("first")}, sorts_back = {TEXTS("v"), TEXTS("desc"), TEXTS("last")};
static const struct session_groups_config session_groups = {.calls = {.functions = TEXTS("count", "sum"),
                                                                      .arguments = TEXTS("", "v"),
                                                                      .filters = TEXTS("", ""),
                                                                      .distinct = TEXTS("false", "false"),
                                                                      .names = TEXTS("n", "s")},
                                                            .time = "v",
                                                            .gap_ms = 10,
                                                            .processing_time = true};
static const struct window_updates_config window_updates = {.windows = {.calls = {.functions = TEXTS("count", "sum"),
                                                                                  .arguments = TEXTS("", "v"),
                                                                                  .filters = TEXTS("", ""),
                                                                                  .distinct = TEXTS("false", "false"),
                                                                                  .names = TEXTS("n", "s"),
                                                                                  .emit_before = true},
                                                                        .time = "v",
                                                                        .size_ms = 10},
                                                            .late_ms = 3,
                                                            .lateness_ms = 50};
static const struct window_updates_config held_updates = {
    .windows = {.calls = KEPT(.retracts = true), .time = "v", .kind = SQL_HOP, .size_ms = 10, .slide_ms = 5}, .late_ms = -1, .lateness_ms = 50};
static const struct session_tvf_config sessions = {.time = "v", .gap_ms = 10, .processing_time = true};
static const struct window_rank_config window_ranks = {
    .order = TEXTS("k"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1, .last = 2, .number = "n", .end = "v"};
static const struct join_window_config windows_meet = {
    .kind = "full", .names = TEXTS("k", "v", "k0", "v0"), .left_end = "v", .right_end = "v"};
static const struct stateful_case cases[] = {
    {"join", "rows that are added", .config = &appends, .second_keyed = true},
    {"join", "outer", .config = &full_join, .second_keyed = true},
    {"join", "a row per key", .config = &row_join, .second_keyed = true},
    {"join", "rows by a unique key", .config = &entry_join, .second_keyed = true},
    {"join", "rows with a partner", .config = &semi_join, .second_keyed = true},
    {"join", "time to live", .config = &brief_join, .second_keyed = true},
    {"multi_join", "rows that are added", .config = &multi_appends, .second_keyed = true},
    {"multi_join", "rows that come and go", .config = &multi_left, .second_keyed = true},
    {"multi_join", "time to live", .config = &multi_brief, .second_keyed = true},
    {"join_interval", "inner", .config = &inner_interval, .second_keyed = true},
    {"join_interval", "outer", .config = &full_interval, .second_keyed = true},
    {"join_interval", "by the clock", .config = &clock_interval, .second_keyed = true},
    {"join_temporal", "inner", .config = &inner_temporal, .second_keyed = true},
    {"join_temporal", "left", .config = &left_temporal, .second_keyed = true},
    {"set", "intersect", .config = &(const struct set_config){.all = true}, .second_keyed = true},
    {"set", "except", .config = &(const struct set_config){.is_except = true}, .second_keyed = true},
    {"hash_set", "intersect", .config = &(const struct set_config){.all = true}, .second_keyed = true},
    {"hash_set", "except", .config = &(const struct set_config){.is_except = true}, .second_keyed = true},
    {"hash_deduplicate", "the last by time", .config = &(const struct hash_dedup_config){.time = "v", .keep_last = true}},
    {"fold", "rows at the end", .config = &(const struct fold_config){{0}}},
    {"temporal_sort", "by the clock", .config = &(const struct temporal_sort_config){.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last")}, .unkeyed = true},
    {"temporal_sort", "by time", .config = &(const struct temporal_sort_config){.time = "v"}, .unkeyed = true},
    {"rank", "rows are only added", .config = &first_three},
    {"rank", "the first of two phases", .config = &part_ranks},
    {"rank", "rows may be taken back", .config = &kept_ranks},
    {"rank", "rows replace others", .config = &replaced_ranks},
    {"sink_materialize", "rows by a key of their own", .config = &(const struct upsert_config){.unique = TEXTS("v")}},
    {"sink_materialize", "equal rows are counted", .config = &(const struct upsert_config){.ttl_ms = 0}},
    {"sink_compact", "the first row stays", .config = &(const struct upsert_config){.unique = TEXTS("v")}},
    {"window_groups", "counts, distinct values", .config = &window_groups},
    {"window_rank", "rows are only added", .config = &window_ranks, .is_ahead = true},
    {"join_window", "outer", .config = &windows_meet, .second_keyed = true, .is_ahead = true},
    {"window_updates", "every row, late rows", .config = &window_updates, .is_ahead = true},
    {"window_updates", "distinct values, values that are kept", .config = &held_updates, .is_ahead = true},
    {"session_groups", "counts, sums", .config = &session_groups},
    {"session_tvf", "rows", .config = &sessions},
    {"over", "rows that fall out of the window", .config = &over_rows},
    {"over", "all rows before, LAG", .config = &over_all},
    {"over_sorted", "rows that change those behind them", .config = &over_values},
    {"deduplicate", "the first row", .config = &(const struct dedup_config){.ttl_ms = 0}},
    {"deduplicate", "the last row, with the row before", .config = &(const struct dedup_config){.time = "v", .keep_last = true, .emit_before = true}},
    {"changelog_normalize", "with the row before", .config = &(const struct normalize_config){.emit_every = true, .emit_before = true}},
    {"changelog_normalize", "every row, without the row before", .config = &(const struct normalize_config){.emit_every = true}},
    {"changelog_normalize", "time to live", .config = &(const struct normalize_config){.emit_every = true, .emit_before = true, .ttl_ms = 5}},
    {"group_aggregate", "counts, sums, distinct values", .config = &groups},
    {"group_aggregate", "values that are kept", .config = &kept},
    {"group_aggregate", "values that are kept and may be taken back", .config = &kept_retracting},
    {"hash_aggregate", "counts, sums, distinct values", .config = &hashed_groups},
    {"hash_aggregate", "values that are kept", .config = &hashed_kept},
    {"process", "value", FN(values)},
    {"process", "list", FN(lists)},
    {"process", "map", FN(maps)},
    {"process", "reducing and aggregating", FN(folds)},
    {"process", "all states", FN(everything)},
    {"process", "time to live", FN(brief)},
    {"process", "expired but not cleaned up", FN(expired), .is_swept = true},
    {"process", "event timers", FN(event_timers)},
    {"process", "processing timers", FN(clock_timers)},
    {"process", "operator state", FN(held), .unkeyed = true, .nothing_asked = true},
    {"process", "operator state beside a key", FN(held), .nothing_asked = true},
    {"map", "states", FN(mapping)},
    {"filter", "states", FN(keeping)},
    {"flat_map", "states", FN(doubling)},
    {"co_map", "states", FN(co_mapping), .second_keyed = true},
    {"co_flat_map", "states", FN(co_doubling), .second_keyed = true},
    {"co_process", "states and timers", FN(co_processing), .second_keyed = true},
    {"broadcast_process", "rules", FN(ruled)},
    {"broadcast_process", "each key", FN(visiting)},
    {"reduce", "", FN(reduction)},
    ROLLING("sum"),
    ROLLING("min"),
    ROLLING("max"),
    ROLLING("min_by"),
    ROLLING("max_by"),
    {"interval_join", "bounds inside", .config = &around, .functions = {&pairs}, .second_keyed = true},
    {"interval_join", "bounds outside", .config = &open_bounds, .functions = {&pairs}, .second_keyed = true},
    {"interval_join", "states", .config = &with_states, .functions = {&stateful_pairs}, .second_keyed = true},
    {"sort_partition", "per key", .config = &sorts, .nothing_asked = true},
    {"sort_partition", "of the subtask", .config = &sorts_back, .unkeyed = true, .nothing_asked = true},
    {"partition_rows", "per key", FN(partitions), .nothing_asked = true},
    {"partition_rows", "states", FN(stateful_partitions)},
    {"partition_reduce", "per key", FN(reduction)},
    {"partition_reduce", "of the subtask", FN(reduction), .unkeyed = true},
    {"partition_aggregate", "per key", FN(partition_sums)},
    {"partition_aggregate", "of the subtask", FN(partition_sums), .unkeyed = true},
};

struct stateful_list stateful_functions(void) { return (struct stateful_list){cases, COUNT_OF(cases)}; }
