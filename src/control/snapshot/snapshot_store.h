/* snapshot_store.h - the helper that writes a job's snapshots and its record. Tasks hand over chunks, the job master says what is
 * to be made of them; both only put words into a queue. What came of it is an answer, made on the helper's thread.
 *
 *   open(n) -> chunk(n)... -> finish(n, metadata)   the checkpoint exists when the answer says S_OK
 *                          -> abort(n)              its files go
 *
 * The queue is served in order: a chunk that was handed over before finish(n) belongs to n. */
#pragma once
#include "control/snapshot/job_record.h"
#include "flow/task/snapshot_port.h"
#include "ground/base/log.h"

enum snapshot_verb { STORE_OPEN, STORE_CHUNK, STORE_FINISH, STORE_ABORT, STORE_CHANGE, STORE_MARK, STORE_SWEEP, STORE_CLOSE,
                     STORE_WRITTEN /* to the helper from its writers */ };

/* What came of a word. Belongs to who gets it: snapshot_answer_free. */
struct snapshot_answer {
    struct mem mem;
    enum snapshot_verb verb; /* STORE_CHUNK: only when it failed; STORE_FINISH; STORE_CHANGE; STORE_MARK */
    int64_t checkpoint;      /* CHUNK, FINISH, MARK */
    /* S_OK; E_EXISTS: another process leads the job, and nothing was changed; E_UNKNOWN: in doubt, and there will be no more
     * answer; other: failed, and nothing was changed. */
    enum status status;
    struct err err;
    uint64_t size;   /* FINISH: of the metadata */
    uint64_t written; /* FINISH: of its chunks, without those of older checkpoints */
    int64_t ids_end; /* FINISH, CHANGE: checkpoint ids below it are reserved */
    bool has_latest; /* CHANGE: the newest checkpoint there is */
    struct retained_checkpoint latest;
};
void snapshot_answer_free(struct snapshot_answer *a);

struct snapshot_store_options {
    struct sys *sys;
    struct log *log;
    struct job_records records;      /* of the job; its folder is where checkpoints lie */
    const char *uri;                 /* the same folder as users name it: goes into the record */
    const struct job_record *record; /* the present one, written by this process; copied */
    const struct job_record
        *before;           /* of the process before: what it names stays, other remains of its run go. NULL: there was
                                        none. Outlives the store */
    uint64_t inline_max;   /* chunks up to that size lie in the metadata */
    uint64_t queue_max;    /* bytes under way; 0 = 64 MiB */
    uint32_t retained_max; /* checkpoints that stay */
    bool has_thread;       /* else snapshot_store_run does the work */
    bool has_writers;      /* with a thread: several more of them write chunks, all at a time */
    void (*answer)(void *arg, struct snapshot_answer *a);
    void *arg;
};

/* A checkpoint as the job master knows it: subtasks say how many chunks there are (handle_count), and not where. */
struct snapshot_order {
    struct mem mem;
    struct arena arena; /* everything in metadata lies in it */
    struct snapshot_metadata metadata;
};
struct snapshot_order *snapshot_order_create(void);
void snapshot_order_free(struct snapshot_order *o); /* NULL is a no-op */

struct snapshot_store;
enum status snapshot_store_create(const struct snapshot_store_options *o, struct snapshot_store **out,
                                  struct err *e) CHECKED;
/* What is in the queue is still done, except that nothing is waited for that is in doubt. NULL is a no-op. */
void snapshot_store_free(struct snapshot_store *s);
void snapshot_store_run(struct snapshot_store *s); /* without a thread of its own: all that is in the queue */

/* folder: where a savepoint goes; NULL: chk-<id> in the job's folder. */
enum status snapshot_store_open(struct snapshot_store *s, int64_t checkpoint, enum snapshot_kind kind,
                                const char *folder, struct err *e) CHECKED;
/* Any thread. See snapshot_port. Of a checkpoint that is not open (any more) the bytes are dropped. */
enum status snapshot_store_chunk(struct snapshot_store *s, const struct snapshot_place *where, struct buf *bytes,
                                 struct sys_parker *waiting) CHECKED;
/* The same of one that another process has written into the folder of its checkpoint (handle.path), or sends along. Copied. */
void snapshot_store_placed(struct snapshot_store *s, const struct snapshot_place *where, const struct snapshot_handle *handle);
void snapshot_store_finish(struct snapshot_store *s, struct snapshot_order *o); /* takes it over; answered */
void snapshot_store_abort(struct snapshot_store *s, int64_t checkpoint);
void snapshot_store_forget_waiting(struct snapshot_store *s); /* who was told S_PENDING is there no more */
/* All that was prepared for the savepoint in that folder is committed: SNAPSHOT_COMMITTED is put beside its metadata. Answered. */
void snapshot_store_mark(struct snapshot_store *s, int64_t checkpoint, const char *folder);
/* The record changes: answered. */
struct snapshot_change {
    enum job_status status;
    uint64_t attempt;
    bool reserves; /* more checkpoint ids */
    bool discards; /* the job's own checkpoints go */
    /* Not NULL: the next generation begins, whose operators have these parallelisms. Copied. */
    const struct rescaled_operator *rescaled;
    uint32_t rescaled_count;
};
void snapshot_store_change(struct snapshot_store *s, const struct snapshot_change *c);
