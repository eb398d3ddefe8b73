/* rows.h - the rows of a running job one by one, as the program asks for them: executeAndCollect.
 *
 *     struct tw_rows *rows = tw_execute_and_collect(results, &result_row, "top ten");
 *     const struct result *r;
 *     while ((r = tw_next_row(rows)) != NULL) printf("%lld\n", (long long)r->value);
 *     return tw_close_rows(rows);
 *
 * The job runs in the background and waits when it is a few batches ahead of the program, so an unbounded job can be read from,
 * too. For every row by a callback on the calling thread there is tw_collect_to. */
#pragma once
#include <thalweg/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tw_rows;

/* Starts the job with the rows of `s` as its result. Never NULL: a mistake ends the rows before the first, and tw_close_rows and
 * tw_error tell it. The job's other sinks run as well. One at a time per environment. */
TW_API struct tw_rows *tw_execute_and_collect_at(struct tw_stream *s, const struct tw_row *row, const char *job_name,
                                                 struct tw_here h);
#define tw_execute_and_collect(s, row, job_name) tw_execute_and_collect_at(s, row, job_name, TW_HERE)
/* The next row, of the row type given; waits for it. NULL: the job is over, or failed. Valid until the next call. */
TW_API const void *tw_next_row(struct tw_rows *rows);
/* Of the row that tw_next_row answered: insert, update or delete, and its event time in ms or TW_NO_TIME. */
TW_API enum tw_row_kind tw_next_kind(const struct tw_rows *rows);
TW_API int64_t tw_next_time(const struct tw_rows *rows);
/* Ends it: a job that still runs is canceled, and waited for. 0 when the job finished, or was closed before it had; else 1, as
 * tw_execute. tw_wait does the same, but lets the job run to its end without its rows. `rows` is gone afterwards. */
TW_API int tw_close_rows(struct tw_rows *rows);

#ifdef __cplusplus
}
#endif
