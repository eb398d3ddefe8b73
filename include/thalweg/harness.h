/* harness.h - testing one operator without a cluster and without sleeping: push rows, set the watermark and the
 * processing time by hand, read what came out. Everything runs on the calling thread in virtual time. */
#pragma once
#include <thalweg/window.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tw_harness;

/* Builds `graph` with one or two harness inputs and takes its result: the function gets streams it may transform.
 *     static struct tw_stream *graph(struct tw_stream *in, struct tw_stream *in2, void *arg) { return tw_process(tw_key_by(in, "user"), &f); }
 * in2_row may be NULL. Answers NULL on a mistake in the graph; tw_harness_error says which. */
typedef struct tw_stream *(*tw_harness_graph)(struct tw_stream *in, struct tw_stream *in2, void *arg);
TW_API struct tw_harness *tw_harness_create_in(const struct tw_function_entry *first, const struct tw_function_entry *end,
                                               tw_harness_graph graph, void *arg, const struct tw_row *in_row, const struct tw_row *in2_row);
#define tw_harness_create(graph, arg, in_row, in2_row)                                                                 \
    tw_harness_create_in(__start_tw_functions, __stop_tw_functions, graph, arg, in_row, in2_row)
TW_API void tw_harness_free(struct tw_harness *h);
TW_API const char *tw_harness_error(struct tw_harness *h); /* "" when there is none */
/* Input 0 or 1. 0, or 1 after a failure. */
TW_API int tw_push(struct tw_harness *h, uint32_t input, const void *row, int64_t time_ms);
TW_API int tw_push_watermark(struct tw_harness *h, uint32_t input, int64_t watermark);
TW_API int tw_set_processing_time(struct tw_harness *h, int64_t now_ms);
TW_API int tw_push_end(struct tw_harness *h); /* end of all inputs */
/* Everything that came out since the last call, as text: one line per row "+I[a, 1]@time", watermarks as "W@time" when
 * asked for; side output rows are prefixed "name: ". Valid until the next call. */
TW_API const char *tw_output(struct tw_harness *h, bool with_watermarks);

#ifdef __cplusplus
}
#endif
