/* sink.h - sinks of one's own: a writer, its state, and commits in two phases.
 *
 *     static enum tw_status write_row(struct tw_context *cx, const void *in, enum tw_row_kind kind) { ... }
 *     static enum tw_status prepare(struct tw_context *cx) { ... tw_committable(cx, &transaction); return TW_OK; }
 *     static enum tw_status commit(struct tw_context *cx, void *committable, struct tw_commit *c) { ... }
 *     TW_FUNCTION(ledger) = {.in = &entry_row, .committable = &transaction_row, .sink = write_row,
 *                            .prepare_commit = prepare, .commit = commit};
 *     tw_sink_function(entries, "ledger", &ledger);
 *
 * The hooks are members of struct tw_function. A writer gets rows by .sink, watermarks by .sink_watermark, and hands out
 * what it holds back in .flush, which is called when the task would wait and at the end (tw_input_ended says which).
 *
 * Two phases: .prepare_commit, after .flush, gives what was written since the last time as committables, rows of row
 * type `committable` that say all it takes to make that visible: the name of a transaction, of a file. .commit makes one
 * of them final.
 *
 * With checkpoints (execution.checkpointing.interval) a writer prepares in front of each of them, and at the end; what it
 * prepared lies in the checkpoint and is committed when that is complete. A job that fails in between commits it when it is
 * restored, maybe once more and in another subtask: .commit then finds TW_COMMITTED_BEFORE. So it gets no .abort_commit, and
 * rows that were not prepared in front of the checkpoint come again. .flush alone, without committables, is at least once.
 *
 * Without checkpoints that happens once, at the end of the input: no commit begins before every task of the job has read
 * and handed on everything, so a job that fails or is canceled before has committed nothing. A source that never ends is
 * never committed. What was prepared and will not be committed is given to .abort_commit, then .close is called; a
 * transaction that was not prepared is for .close to give up.
 *
 * Writer state: .snapshot gives rows of row type `writer_state` by tw_writer_state, .restore gets each of them back
 * after .open and before the first row, not necessarily in the same subtask. Both are called with checkpoints only, .snapshot
 * behind .prepare_commit. */
#pragma once
#include <thalweg/function.h>

struct tw_stream;

#ifdef __cplusplus
extern "C" {
#endif

/* What .commit found. Anything it cannot say (no answer, no connection after all) is `return tw_fail(cx, ...)`. */
enum tw_commit_answer {
    TW_COMMITTED = 0,
    TW_COMMITTED_BEFORE, /* somebody did it already: as good */
    TW_RETRY_LATER,      /* again in the next round, with what the function changed in the committable */
    TW_LOST,             /* cannot be committed any more: fails the job, rows are missing */
};

/* One call of .commit. Committables are given in order; those that answer TW_RETRY_LATER are given again, in that
 * order, when all were asked, at most sink.committer.retries times (10); then the job fails. */
struct tw_commit {
    uint32_t retries;       /* calls before this one for this committable */
    int64_t retry_after_ms; /* with TW_RETRY_LATER: so long at least; 0 = at once */
    enum tw_commit_answer answer;
};

/* Operators of the sink's own, built out of streams when the job is about to run or its plan is asked for, once the sink has its
 * name, parallelism and configuration (`config` is what tw_with_config gave it). Each member may be NULL. What a callback builds
 * has the sink's parallelism and slot sharing group where it says nothing else.
 *
 * pre_write (Flink's SupportsPreWriteTopology) makes what the writer reads out of the sink's input. pre_commit
 * (SupportsPreCommitTopology) makes what is committed, rows of row type `committable`, out of what the writers' .prepare_commit
 * gave, which is of type `write_result` if that is set; tw_global(written), for example, has one subtask commit everything.
 * tw_parallelism on what pre_commit built is that operator's alone, on the stream that it was given the writer's; the committer
 * always has the sink's.
 * post_commit (SupportsPostCommitTopology) reads each committable whose commit was answered TW_COMMITTED or TW_COMMITTED_BEFORE,
 * in the order of these answers.
 *
 * With one of the last two, writing and committing are two operators, "Sink: x: Writer" and "Sink: x: Committer": .open and
 * .close are called in each, and tw_self is not shared. .abort_commit gets what reached the committer and was not committed;
 * what was on the way to it when the job failed, nobody gets. A sink in post_commit commits when all is committed before it.
 * With checkpoints the writers' .prepare_commit comes in front of each barrier, and the committer commits what a complete checkpoint
 * has in it. A job whose sink has a post_commit takes none; execution.checkpointing.interval is refused. */
struct tw_sink_topology {
    struct tw_stream *(*pre_write)(struct tw_stream *rows, struct tw_str config);
    struct tw_stream *(*pre_commit)(struct tw_stream *written, struct tw_str config);
    void (*post_commit)(struct tw_stream *committed, struct tw_str config);
    const struct tw_row *write_result; /* what tw_committable gets of the writer; NULL = `committable` */
};

/* In .prepare_commit: hands over a committable; strings and nested values are copied. */
TW_API void tw_committable(struct tw_context *cx, const void *row);
/* In .snapshot: a row of the writer's state; strings and nested values are copied. */
TW_API void tw_writer_state(struct tw_context *cx, const void *row);
/* The input has ended: in .flush and .prepare_commit of the end, and from then on. */
TW_API bool tw_input_ended(struct tw_context *cx);

#ifdef __cplusplus
}
#endif
