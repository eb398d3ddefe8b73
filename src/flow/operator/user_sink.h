/* user_sink.h - what a sink of the user holds between writing and committing: committables, and rows of writer state on
 * their way to or from a snapshot. Used by op_sink_function.c. */
#pragma once
#include <thalweg/sink.h>

#include "flow/operator/user.h"

/* Graph time: do the hooks fit together? */
enum status user_sink_check(const struct function_ref *f, struct err *e) CHECKED;
/* Do its committables go to an operator of their own, instead of being committed where they were prepared? */
static inline bool user_sink_hands_on(const struct tw_function *fn)
{
    return fn->topology != NULL && (fn->topology->pre_commit != NULL || fn->topology->post_commit != NULL);
}
/* And the type of what then leaves the writer. */
static inline const struct tw_row *user_sink_result(const struct tw_function *fn)
{
    return fn->topology->write_result != NULL ? fn->topology->write_result : fn->committable;
}
/* Behind user_start and in front of user_close; does nothing for functions without these hooks. is_writer: what it prepares
 * leaves by the main output. */
enum status user_sink_open(struct tw_context *cx, bool is_writer) CHECKED;
void user_sink_close(struct tw_context *cx);

/* .prepare_commit: what it gives waits for user_sink_commit, or for .abort_commit when user_sink_close comes first. */
enum status user_sink_prepare(struct tw_context *cx) CHECKED;
/* A committable that came to be committed: a row of the current batch. user_sink_hold: before that batch goes. */
enum tw_status user_sink_take(struct tw_context *cx, const void *row);
void user_sink_hold(struct tw_context *cx);
/* Commits what was prepared or taken; what is committed goes to the main output, if there is one. S_OK: all of it; S_MORE:
 * the time is up; S_PENDING: not before op->wake_ms. */
enum status user_sink_commit(struct tw_context *cx) CHECKED;

/* Writer state: .snapshot into a list of batches (linked by next, NULL when there are no rows) that belongs to the sink
 * until the next call, and .restore for each row of such a list. */
enum status user_sink_snapshot(struct tw_context *cx, int64_t checkpoint, const struct batch **rows) CHECKED;
enum status user_sink_restore(struct tw_context *cx, const struct batch *rows) CHECKED;

/* Checkpoints (user_sink_checkpoints.c). states_open: restored rows of state go to .restore. barrier, behind user_sink_prepare: that
 * is of this checkpoint, and so is what .snapshot says. encode: all that is not committed, for the checkpoint. complete, recover: as in
 * struct op_type. */
/* Why a sink of that function takes no part in checkpoints; NULL: it does. */
const char *user_sink_checkpoint_refusal(const struct tw_function *fn);
enum status user_sink_states_open(struct tw_context *cx) CHECKED;
enum status user_sink_barrier(struct tw_context *cx, int64_t checkpoint) CHECKED;
void user_sink_encode(struct tw_context *cx, struct buf *out);
enum status user_sink_complete(struct tw_context *cx, int64_t checkpoint) CHECKED;
enum status user_sink_recover(struct tw_context *cx, struct str committables) CHECKED;
