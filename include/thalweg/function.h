/* function.h - user functions. A function is a const descriptor with a name: the job graph carries the name, never a
 * pointer, so that a program which works in one process works on a cluster.
 *
 *     static enum tw_status add(struct tw_context *cx, void *acc, const void *in) { ... return TW_OK; }
 *     TW_FUNCTION(delay_stats) = {.in = &flight_row, .acc = &sum_row, .out = &stats_row, .add = add, .result = result};
 *
 * Which hooks a function must set follows from where it is used; a missing one is reported by tw_execute. */
#pragma once
#include <thalweg/row.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TW_ABI = 1, TW_STATES_MAX = 16, TW_SIDE_OUTPUTS_MAX = 6 };

/* What a callback answers. Anything but TW_OK fails the job with operator, subtask, key and row; say why with
 * tw_fail. */
enum tw_status { TW_OK = 0, TW_FAILED = -8 };

struct tw_context;
struct tw_elements; /* the rows of a window or group, for window functions */
struct tw_batch;    /* columns, for batch callbacks */
struct tw_splits;   /* source.h */
struct tw_commit;   /* sink.h */
struct tw_request;  /* async_sink.h */
struct tw_waiting;  /* async_sink.h */
struct tw_sink_topology;

enum tw_state_kind {
    TW_VALUE = 1,
    TW_LIST,
    TW_MAP,
    TW_REDUCING,
    TW_AGGREGATING,
    TW_BROADCAST,
    TW_OPERATOR_LIST,
    TW_OPERATOR_UNION
};
enum tw_ttl_update { TW_ON_CREATE_AND_WRITE, TW_ON_READ_AND_WRITE, TW_TTL_DISABLED };
enum tw_ttl_visibility { TW_NEVER_RETURN_EXPIRED, TW_RETURN_EXPIRED_IF_NOT_CLEANED_UP };

/* Time to live, in processing time. ttl_ms 0 = for ever, as with TW_TTL_DISABLED, which needs no other member.
 * TW_RETURN_EXPIRED_IF_NOT_CLEANED_UP: what has expired is returned by the first read, which ends it: a value, an entry of
 * a map; a list ends with a walk to its end that meets nothing alive. */
struct tw_ttl {
    int64_t ttl_ms;
    enum tw_ttl_update update;
    enum tw_ttl_visibility visibility;
    /* Clean-up beside reading. Without any of these a few entries are looked at after each batch of rows.
     * cleanupIncrementally: so many entries for each access to the state, and for each row even without one when
     * cleanup_every_record; after a batch, 16,384 at most. */
    uint32_t cleanup_size;
    bool cleanup_every_record;
    bool no_background_cleanup; /* disableCleanupInBackground: nothing happens that is not asked for here */
    bool cleanup_full_snapshot; /* expired entries stay out of snapshots; there are none without checkpoints */
    /* Of the rocksdb backend, which reads them; others do not. cleanupInRocksdbCompactFilter: the time is asked for anew
     * every so many entries (0 = it was not called); files older than that are compacted, 0 = 30 days. */
    uint32_t compact_filter_query_time_after;
    int64_t periodic_compaction_ms;
};

struct tw_function;

/* One declared state. `value` and `map_key` are SQL type texts: "BIGINT", "ARRAY<STRING>", "ROW<a INT, b STRING>", or with
 * a bare ROW for structs that `row` (in map_key: `key_row`) describes: "MAP<STRING, ROW>". Two keys of a map are one when their
 * fields are: what stands in place of NULL and between fields does not count, nor does the order of a MAP in them; NULL equals
 * NULL, NaN equals NaN, and -0 is another key than 0, as for Flink's Double. */
struct tw_state {
    const char *name;
    enum tw_state_kind kind;
    const char *value;
    const struct tw_row *row;            /* what a bare ROW in .value stands for, as in TW_FIELD_OF; NULL = none */
    const char *map_key;                 /* TW_MAP, TW_BROADCAST */
    const struct tw_row *key_row;        /* what a bare ROW in .map_key stands for; "ROW": the key is that struct */
    const struct tw_function *function;  /* TW_REDUCING: reduce; TW_AGGREGATING: add, merge, result */
    struct tw_ttl ttl;
    /* Of a window function: belongs to the key and the window, and goes with it; not where windows merge. */
    bool per_window;
};

/* A window as functions, assigners and triggers see it: [start, end) in ms; max timestamp is end - 1. */
struct tw_window {
    int64_t start, end;
};

enum tw_trigger_result { TW_CONTINUE = 0, TW_FIRE = 1, TW_PURGE = 2, TW_FIRE_AND_PURGE = 3 };

/* One attempt at an asynchronous request, as .retry judges it. */
struct tw_try {
    uint32_t number;             /* 1 = the first */
    const char *error;           /* NULL: .async answered TW_OK; else what tw_fail said, "" when it was not called */
    struct tw_elements *results; /* the rows that it collected; none when it failed */
};

enum tw_function_flags {
    TW_BLOCKING = 1, /* callbacks may block: the task runs on a thread of its own */
};

struct tw_function {
    /* Row types: in of the (first) input, in2 of the second, out of what is collected, acc of the accumulator, key of
     * the key as tw_key() answers it, sides[i] of side output i. A row type may name a subset of the stream's
     * columns. */
    const struct tw_row *in, *in2, *out, *acc, *key;
    const struct tw_row *sides[TW_SIDE_OUTPUTS_MAX];
    const char *side_names[TW_SIDE_OUTPUTS_MAX];
    const struct tw_state *states[TW_STATES_MAX];
    uint32_t flags;
    size_t self_size; /* bytes of cleared memory per subtask, see tw_self */

    enum tw_status (*open)(struct tw_context *cx);
    void (*close)(struct tw_context *cx);

    /* One row in. */
    /* Fills out, which is cleared; strings and nested values may point into `in` and tw_scratch. */
    enum tw_status (*map)(struct tw_context *cx, const void *in, void *out);
    enum tw_status (*filter)(struct tw_context *cx, const void *in, bool *keep);
    /* Any number of rows by tw_collect. */
    enum tw_status (*flat_map)(struct tw_context *cx, const void *in);
    /* Any number of rows; side outputs; on a keyed stream state and timers. */
    enum tw_status (*process)(struct tw_context *cx, const void *in);
    /* Rows of the second input; the broadcast side of a broadcast connect. */
    enum tw_status (*process2)(struct tw_context *cx, const void *in);
    enum tw_status (*map2)(struct tw_context *cx, const void *in, void *out);
    enum tw_status (*flat_map2)(struct tw_context *cx, const void *in);
    enum tw_status (*on_timer)(struct tw_context *cx, int64_t time_ms);
    enum tw_status (*timestamp)(struct tw_context *cx, const void *in, int64_t *time_ms);
    /* Custom watermark generator: called per row after the timestamp is known; *watermark may be raised. */
    enum tw_status (*watermark)(struct tw_context *cx, const void *in, int64_t time_ms, int64_t *watermark);
    enum tw_status (*select_key)(struct tw_context *cx, const void *in, void *key);    /* key is of row type `key` */
    enum tw_status (*partition)(struct tw_context *cx, const void *in, uint32_t partitions, uint32_t *partition);
    enum tw_status (*session_gap)(struct tw_context *cx, const void *in, int64_t *gap_ms);

    /* Aggregation. Accumulators are plain structs of row type acc; strings and nested values in them are copied. */
    enum tw_status (*reduce)(struct tw_context *cx, const void *a, const void *b, void *out);
    enum tw_status (*create)(struct tw_context *cx, void *acc);                        /* NULL = all zero */
    enum tw_status (*add)(struct tw_context *cx, void *acc, const void *in);
    /* Adds `other` to acc; sessions and sliding windows need it. */
    enum tw_status (*merge)(struct tw_context *cx, void *acc, const void *other);
    enum tw_status (*result)(struct tw_context *cx, const void *acc, void *out);

    /* Windows and groups. For reduce/aggregate followed by a window function, `elements` holds the one result. */
    enum tw_status (*window)(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements);
    /* Window join, interval join: a pair; any number of rows by tw_collect. */
    enum tw_status (*join)(struct tw_context *cx, const void *left, const void *right);
    enum tw_status (*co_group)(struct tw_context *cx, struct tw_elements *left, struct tw_elements *right);
    /* fullWindowPartition().mapPartition: all rows of a subtask, or of a key, at the end of input. */
    enum tw_status (*partition_rows)(struct tw_context *cx, struct tw_elements *rows);
    /* Custom assigner: up to `max` windows for a row; custom trigger; delta of two rows (DeltaTrigger,
     * DeltaEvictor). */
    enum tw_status (*assign)(struct tw_context *cx, const void *in, int64_t time_ms, struct tw_window *windows,
                             uint32_t max, uint32_t *count);
    enum tw_status (*on_element)(struct tw_context *cx, const void *in, int64_t time_ms, const struct tw_window *w,
                                 enum tw_trigger_result *r);
    enum tw_status (*on_event_time)(struct tw_context *cx, int64_t time_ms, const struct tw_window *w,
                                    enum tw_trigger_result *r);
    enum tw_status (*on_processing_time)(struct tw_context *cx, int64_t time_ms, const struct tw_window *w,
                                         enum tw_trigger_result *r);
    /* Windows (of sessions) became the window w; a custom trigger that lacks this cannot be used where windows
     * merge. */
    enum tw_status (*on_merge)(struct tw_context *cx, const struct tw_window *w);
    /* Of triggers and window functions: the window w is gone, what was kept for it can go. */
    enum tw_status (*clear)(struct tw_context *cx, const struct tw_window *w);
    enum tw_status (*delta)(struct tw_context *cx, const void *old_row, const void *new_row, double *out);

    /* Columns in, columns out, for the last factor of three: see batch.h. */
    enum tw_status (*batch)(struct tw_context *cx, const struct tw_batch *in);

    /* Asynchronous I/O: runs on a helper thread; tw_collect from there answers the request. */
    enum tw_status (*async)(struct tw_context *cx, const void *in);
    enum tw_status (*timeout)(struct tw_context *cx, const void *in);
    /* After each attempt, on the same thread: *again comes true for a failure and false for an answer, as without this
     * hook. AsyncRetryStrategies: ifException by t->error, ifResult by t->results. */
    enum tw_status (*retry)(struct tw_context *cx, const void *in, const struct tw_try *t, bool *again);

    /* Custom source: fills up to `max` rows of row type out; *count = 0 with *end = false means nothing now. */
    enum tw_status (*source)(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end);
    const struct tw_splits *splits; /* instead of .source: a source of many parts, see source.h */
    /* Custom sink: one row; flush is called when the task would wait and at the end. */
    enum tw_status (*sink)(struct tw_context *cx, const void *in, enum tw_row_kind kind);
    enum tw_status (*flush)(struct tw_context *cx);
    enum tw_status (*sink_watermark)(struct tw_context *cx, int64_t watermark);
    /* Its state and its commits in two phases: see sink.h. */
    const struct tw_row *writer_state, *committable;
    enum tw_status (*snapshot)(struct tw_context *cx, int64_t checkpoint);
    enum tw_status (*restore)(struct tw_context *cx, const void *state);
    enum tw_status (*prepare_commit)(struct tw_context *cx);
    enum tw_status (*commit)(struct tw_context *cx, void *committable, struct tw_commit *c);
    void (*abort_commit)(struct tw_context *cx, const void *committable);
    const struct tw_sink_topology *topology; /* operators before the writer, before and behind the commit; NULL = none */
    /* Asynchronous sink: begins a request; what an entry counts for. See async_sink.h. */
    enum tw_status (*submit)(struct tw_context *cx, struct tw_request *r);
    enum tw_status (*entry_size)(struct tw_context *cx, const void *entry, int64_t *bytes);
    /* How many entries of the buffer make the next request; NULL = as async_sink.h says. */
    enum tw_status (*next_batch)(struct tw_context *cx, const struct tw_waiting *w, uint32_t *count, int64_t *bytes);
};

/* How an artifact's functions are found: every TW_FUNCTION leaves an entry in this section of its program or
 * library. */
struct tw_function_entry {
    uint32_t abi, function_size;
    const char *name;
    const struct tw_function *function;
};

#define TW_FUNCTION(fn)                                                                                                \
    static const struct tw_function fn;                                                                                \
    static const struct tw_function_entry tw_entry_##fn                                                                \
        __attribute__((used, aligned(8), section("tw_functions"))) = {TW_ABI, sizeof(struct tw_function), #fn, &fn};   \
    static const struct tw_function fn

/* The linker's bounds of that section in this program or library; empty when there are no functions. */
extern const struct tw_function_entry __start_tw_functions[] __attribute__((weak, visibility("hidden")));
extern const struct tw_function_entry __stop_tw_functions[] __attribute__((weak, visibility("hidden")));

#ifdef __cplusplus
}
#endif
