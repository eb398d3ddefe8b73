/* harness.h - testing one operator without a cluster and without sleeping: push rows, set the watermark and the
 * processing time by hand, read what came out. Everything runs on the calling thread in virtual time. */
#pragma once
#include <thalweg/window.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tw_harness;

/* Builds the graph under test: transforms its one or two inputs (in2 is NULL without in2_row) and answers the stream
 * whose rows tw_output tells. Side outputs that the graph does not read itself are told as well.
 *     static struct tw_stream *graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
 *     {
 *         return tw_process(tw_key_by(in, "user"), &count_visits);
 *     }
 * SQL, too: tables of the inputs (tw_from_stream), queries of tw_env_of(in), and tw_to_changelog_stream of what is under test. */
typedef struct tw_stream *(*tw_harness_graph)(struct tw_stream *in, struct tw_stream *in2, void *arg);
/* Never NULL; a mistake in the graph is told by tw_harness_error. Processing time starts at 0. Parallelism is 1.
 * Functions that block and asynchronous requests run on the calling thread. Freed by tw_harness_free. */
TW_API struct tw_harness *tw_harness_create_in(const struct tw_function_entry *first,
                                               const struct tw_function_entry *end, tw_harness_graph graph, void *arg,
                                               const struct tw_row *in_row, const struct tw_row *in2_row);
#define tw_harness_create(graph, arg, in_row, in2_row)                                                                 \
    tw_harness_create_in(__start_tw_functions, __stop_tw_functions, graph, arg, in_row, in2_row)
/* The same with settings, for example .parallelism = 2, .settings = TW_OPTIONS("state.backend.type", "hashmap"). Each subtask
 * gets the rows of its keys, as in a job; inputs and outputs have one. How batches travel is the harness's (thalweg.exec.*,
 * buffer timeouts have no effect). */
struct tw_harness_settings {
    uint32_t parallelism, max_parallelism; /* of operators that do not say otherwise; 0 = 1, and as the job would choose */
    struct tw_options settings;            /* configuration, as tw_set takes it */
    struct tw_options parameters;          /* job parameters */
};
TW_API struct tw_harness *tw_harness_create_with_in(const struct tw_function_entry *first,
                                                    const struct tw_function_entry *end, tw_harness_graph graph,
                                                    void *arg, const struct tw_row *in_row,
                                                    const struct tw_row *in2_row, struct tw_harness_settings settings);
#define tw_harness_create_with(graph, arg, in_row, in2_row, ...)                                                       \
    tw_harness_create_with_in(__start_tw_functions, __stop_tw_functions, graph, arg, in_row, in2_row,                  \
                              (struct tw_harness_settings){__VA_ARGS__})
TW_API void tw_harness_free(struct tw_harness *h); /* NULL is a no-op */
/* The first mistake or failure, with operator, key and row; "" when there is none. Valid until the next call. */
TW_API const char *tw_harness_error(struct tw_harness *h);

/* Each answers 0 when everything that follows from it has come out, 1 after a failure (then and ever after). What has no
 * end, such as a timer that registers itself for the present time again, is a failure after 20,000 rounds of timers.
 * A row of row type in_row (input 0) or in2_row (input 1), copied; its event time in ms, or TW_NO_TIME. */
TW_API int tw_push(struct tw_harness *h, uint32_t input, const void *row, int64_t time_ms);
/* The same for an update or a deletion of a changelog. */
TW_API int tw_push_kind(struct tw_harness *h, uint32_t input, enum tw_row_kind kind, const void *row, int64_t time_ms);
TW_API int tw_push_watermark(struct tw_harness *h, uint32_t input, int64_t watermark);
/* ms since 1970; never back. The clock stops at each time in between for which something waits (timers, pauses, time limits), in
 * order: one jump does what many small ones do. After 100,000 such times it goes on to now_ms directly. */
TW_API int tw_set_processing_time(struct tw_harness *h, int64_t now_ms);
/* Asynchronous requests are answered at once. While they are held they are not even begun, as if what they ask did not answer:
 * then tw_set_processing_time shows what .timeout does, and the limit on all attempts. hold = false begins them. */
TW_API int tw_hold_async(struct tw_harness *h, bool hold);
/* end of all inputs: the last watermark first */
TW_API int tw_push_end(struct tw_harness *h);

/* Everything that came out since the last call, as text: one line per row "+I[a, 1]@time" in order of emission, without
 * "@time" when it has none; rows of side outputs have "name: " in front; watermarks as "W@time" when asked for.
 * Valid until the next call. */
TW_API const char *tw_output(struct tw_harness *h, bool with_watermarks);
/* What the operators hold now, all subtasks together: keys per state and window; timers of user functions and windows that have
 * not fired (tumbling and sliding windows fire by slices and keep none). 0 after the end. */
TW_API uint64_t tw_harness_state_entries(struct tw_harness *h);
TW_API uint64_t tw_harness_event_timers(struct tw_harness *h);
TW_API uint64_t tw_harness_processing_timers(struct tw_harness *h);
/* Accumulators, after tw_push_end; false before, and when there is none of that name and kind. As tw_accumulator_long,
 * tw_accumulator_double and tw_accumulator_histogram answer them after a job. */
TW_API bool tw_harness_counter(struct tw_harness *h, const char *name, int64_t *value);
TW_API bool tw_harness_double(struct tw_harness *h, const char *name, double *value);
TW_API bool tw_harness_histogram(struct tw_harness *h, const char *name, uint32_t index, int32_t *value,
                                 int64_t *count);

#ifdef __cplusplus
}
#endif
