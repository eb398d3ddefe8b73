/* rows.h - the rows of a running job one by one, as the program asks for them: executeAndCollect, and collectAsync for those of
 * several streams.
 *
 *     struct tw_rows *rows = tw_execute_and_collect(results, &result_row, "top ten");
 *     const struct result *r;
 *     while ((r = tw_next_row(rows)) != NULL) printf("%lld\n", (long long)r->value);
 *     return tw_close_rows(rows);
 *
 *     struct tw_rows *accepted = tw_collect_async(orders, &order_row), *refused = tw_collect_async(errors, &error_row);
 *     if (tw_execute_async(env, "orders") != 0) return 1;
 *     while ((o = tw_next_row(accepted)) != NULL) ...
 *     while ((x = tw_next_row(refused)) != NULL) ...
 *     return tw_wait(env);
 *
 * The job runs in the background and waits when it is a few batches ahead of the program, so an unbounded job can be read from,
 * too. Streams of one job may be read in any order, also one to its end and then the next: of two that come from the same sources
 * the one that is not being read runs ahead as far as the other needs, up to 1 GiB, where the job fails and says so. For every row
 * by a callback on the calling thread there is tw_collect_to. */
#pragma once
#include <thalweg/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tw_rows;

/* collectAsync: the rows of `s` are to be read when tw_execute_async, or tw_execute_and_collect of another stream, has started
 * the job; 64 streams of a job at most. Never NULL: what is wrong is a mistake of the graph. tw_execute refuses such a graph:
 * it waits for the job, and nobody could read.
 * The rows belong to the environment: they can be read until tw_wait, the next job that is built or tw_env_free, which drop those
 * that were not read. Each stream by one thread at a time, different ones by different threads; nobody may be reading when
 * tw_wait is called. */
TW_API struct tw_rows *tw_collect_async_at(struct tw_stream *s, const struct tw_row *row, struct tw_here h);
#define tw_collect_async(s, row) tw_collect_async_at(s, row, TW_HERE)
/* Starts the job with the rows of `s` as its result. Never NULL: a mistake ends the rows before the first, and tw_close_rows and
 * tw_error tell it. The job's other sinks run as well. One at a time per environment. */
TW_API struct tw_rows *tw_execute_and_collect_at(struct tw_stream *s, const struct tw_row *row, const char *job_name,
                                                 struct tw_here h);
#define tw_execute_and_collect(s, row, job_name) tw_execute_and_collect_at(s, row, job_name, TW_HERE)
/* The next row, of the row type given; waits for it. NULL: all rows of the stream were read (tw_collect_async), the job is over
 * (tw_execute_and_collect), or it failed or was canceled, see tw_rows_error. Valid until the next call.
 * Before tw_execute_async it is NULL and an error, "the job of these rows was not started", also on standard error unless
 * tw_quiet was set. */
TW_API const void *tw_next_row(struct tw_rows *rows);
/* Of the row that tw_next_row answered: insert, update or delete, and its event time in ms or TW_NO_TIME. */
TW_API enum tw_row_kind tw_next_kind(const struct tw_rows *rows);
TW_API int64_t tw_next_time(const struct tw_rows *rows);
/* Why these rows ended before their stream did: the job's error, of which every stream is told; a NULL that the row type has no
 * place for; or a call at the wrong time. "" when nothing is wrong. Valid until the next call. */
TW_API const char *tw_rows_error(struct tw_rows *rows);
/* Nobody reads these rows any more.
 * tw_collect_async: closed before their stream has ended they cancel the job, as Flink's iterators do, and with it the rows of its
 * other streams; behind the last row, or before the job was started, they only say that nobody reads. tw_wait then answers 0. Need
 * not be called. 1 when the rows ended in an error or the job has failed by now, else 0.
 * tw_execute_and_collect: ends it: a job that still runs is canceled, and waited for. 0 when the job finished, or was closed
 * before it had; else 1, as tw_execute. tw_wait does the same, but lets the job run to its end without its rows. `rows` is gone
 * afterwards, as are those of tw_collect_async in the same job. */
TW_API int tw_close_rows(struct tw_rows *rows);

#ifdef __cplusplus
}
#endif
