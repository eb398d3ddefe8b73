/* async_sink.h - sinks that send rows in requests, many at a time, to something that answers later: Flink's AsyncSinkBase.
 *
 *     static enum tw_status submit(struct tw_context *cx, struct tw_request *r)
 *     {
 *         return client_put(tw_self(cx), tw_request_entry(r, 0), tw_request_count(r), answered, r);  // does not wait
 *     }
 *     static void answered(void *r, bool ok) { ok ? tw_request_done(r) : tw_request_retry_all(r); }  // any thread
 *     TW_FUNCTION(stream_sink) = {.in = &event_row, .submit = submit, .entry_size = size};
 *     tw_async_sink(events, "stream", &stream_sink, .max_batch_size = 500, .max_in_flight_requests = 16);
 *
 * The function's hooks: .map is the element converter, it makes an entry of row type .out of a row of row type .in; without it
 * the rows are the entries. .entry_size tells the bytes that an entry counts for (getSizeInBytes). .submit begins a request, on
 * the task's thread, and should not wait. .flush is called when the task would wait, for rows or for answers: a client without
 * threads sends and answers there. .close returns when no thread is in a tw_request_* call any more, or will come to one.
 *
 * .next_batch (Flink's BatchCreator) may say of how many entries a request is made; when it goes off is as follows.
 *
 * Rows wait in a buffer, in order. A request goes off when max_batch_size entries wait, or max_batch_size_bytes, or when the
 * oldest waited for max_time_in_buffer_ms; entries that are to be tried again go to the front of the buffer, in the order in
 * which they are told. While max_buffered_requests wait, no more rows are taken: that is backpressure. At the end of the input
 * everything is sent, and answered, before the sink ends. So rows are delivered at least once, and not always in order. */
#pragma once
#include <thalweg/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A member that is 0 is as said behind it. */
struct tw_async_sink {
    uint32_t max_batch_size;         /* entries of a request; 500 */
    uint32_t max_in_flight_requests; /* per subtask; 50 */
    uint32_t max_buffered_requests;  /* entries that wait per subtask, more than max_batch_size; 10,000 */
    int64_t max_batch_size_bytes;    /* of a request; 5 MiB */
    int64_t max_time_in_buffer_ms;   /* 5,000 */
    int64_t max_record_size_bytes;   /* of an entry: a longer one fails the job; at most max_batch_size_bytes; 1 MiB */
    int64_t request_timeout_ms;      /* a request without an answer is tried again; 600,000 */
    bool fail_on_timeout;            /* instead, the job fails */
    /* How many entries may be in flight: it grows with every request that succeeds, by aimd_increase up to aimd_threshold,
     * and is multiplied by aimd_decrease when entries of a request failed (additive increase, multiplicative decrease). */
    uint32_t initial_in_flight_messages; /* max_batch_size */
    uint32_t aimd_increase;              /* 10 */
    uint32_t aimd_threshold;             /* max_batch_size * max_in_flight_requests */
    double aimd_decrease;                /* between 0 and 1; 0.5 */
};
TW_API struct tw_stream *tw_async_sink_at(struct tw_stream *s, const char *name, const struct tw_function *f,
                                          struct tw_async_sink a, struct tw_here h);
#define tw_async_sink(s, name, f, ...) tw_async_sink_at(s, name, f, (struct tw_async_sink){__VA_ARGS__}, TW_HERE)

/* The entries of a request, in order; valid until it is answered, however late. Any thread. */
TW_API uint32_t tw_request_count(const struct tw_request *r);
TW_API const void *tw_request_entry(const struct tw_request *r, uint32_t i);
/* Answers: exactly one of these per request, from any thread, also within .submit; the request is not to be touched after it.
 * When its time is up, all of its entries are tried again; the answer that it still owes then changes nothing. */
TW_API void tw_request_done(struct tw_request *r);
/* These entries, by their numbers, were not taken: they are sent again in that order. */
TW_API void tw_request_retry(struct tw_request *r, const uint32_t *entries, uint32_t count);
TW_API void tw_request_retry_all(struct tw_request *r);
/* What cannot be helped by trying again: the job fails, and says why. */
TW_API void tw_request_fail(struct tw_request *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What .next_batch sees: the entries that wait, 0 the oldest. It sets *count, from 1 to tw_waiting_most, and may set *bytes, for
 * which numBytesOut counts the request; left as it is, that is the sum of the entries' sizes. The request consists of the first
 * *count entries. Without the hook: as many as max_batch_size_bytes takes. */
TW_API uint32_t tw_waiting_count(const struct tw_waiting *w);
/* As many as max_batch_size, the rate, and what is there allow. */
TW_API uint32_t tw_waiting_most(const struct tw_waiting *w);
TW_API int64_t tw_waiting_max_bytes(const struct tw_waiting *w); /* max_batch_size_bytes */
TW_API int64_t tw_waiting_bytes(const struct tw_waiting *w, uint32_t i); /* what .entry_size said */
/* Valid until the next call of it, or the end of the hook. */
TW_API const void *tw_waiting_entry(const struct tw_waiting *w, uint32_t i);

#ifdef __cplusplus
}
#endif
