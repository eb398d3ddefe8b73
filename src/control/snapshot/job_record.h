/* job_record.h - the one record of a job that everything durable hangs on: who leads it, how it stands, and which checkpoints
 * exist (docs/formats/job-record.md). A checkpoint exists when a record that names it is confirmed.
 *
 * The record is changed by compare-and-set alone. Version v is the object `record-<v>` in the job's folder, made only if it is
 * absent: of two that go on from the same version one succeeds, and the other learns that it is not the leader any more. */
#pragma once
#include "control/jobmanager/job_status.h"
#include "control/snapshot/metadata.h"
#include "ground/fs/fs.h"

enum {
    JOB_RECORD_BYTES_MAX = 1024 * 1024,
    JOB_RECORD_RETAINED_MAX = 1024,
    JOB_RECORD_RESCALED_MAX = 4096, /* GRAPH_NODES_MAX */
    JOB_RECORD_PARALLELISM_MAX = 4096,
    JOB_RECORD_KEPT = 2, /* versions that stay, the present one included */
    CHECKPOINT_IDS_RESERVED = 64,
};

/* A checkpoint that exists. */
struct retained_checkpoint {
    int64_t id;
    enum snapshot_kind kind;
    bool is_foreign;    /* not ours to delete: a savepoint, or one that a job was started from without claiming it */
    bool is_committed;  /* what its sinks had prepared was made final */
    const char *folder; /* of its metadata: the whole path or URI */
    int64_t time_ms;
    uint64_t size;   /* metadata and state */
    uint64_t digest; /* hash64 of the metadata's bytes */
};

/* The parallelism of an operator of a job that was rescaled. */
struct rescaled_operator {
    char id[SNAPSHOT_ID_SIZE];
    uint32_t parallelism;
};

struct job_record {
    uint64_t version; /* 0: there is none */
    char job_id[SNAPSHOT_ID_SIZE];
    const char *job_name;
    uint64_t leader_epoch; /* of the process that leads: one more for each that took over */
    uint64_t nonce;        /* another one in each version: who wrote it knows it again */
    enum job_status status;
    struct sha256 graph;
    uint64_t generation;                        /* of the parallelism: one more for each rescale */
    uint64_t attempt;                           /* how often the job was started anew */
    int64_t first_checkpoint;                   /* of the run that is recorded: lower ids belong to runs before it */
    int64_t next_checkpoint;                    /* ids below it are used up */
    const struct retained_checkpoint *retained; /* by age, the newest last */
    uint32_t retained_count;
    /* Of all operators of the graph, when the job was rescaled; else none. They hold for that very graph alone. */
    const struct rescaled_operator *rescaled;
    uint32_t rescaled_count;
    bool is_in_doubt; /* not in the bytes: whether this version was written is not known */
};

void job_record_encode(const struct job_record *r, struct buf *out);
enum status job_record_decode(struct arena *a, struct str bytes, struct job_record *out, struct err *e) CHECKED;
/* The checkpoint to go on from, the newest; NULL: there is none. */
const struct retained_checkpoint *job_record_latest(const struct job_record *r);

/* Where the records of a job lie. */
struct job_records {
    struct sys *sys;
    const struct fs_type *fs;
    const char *folder; /* the job's: <dir>/<job id> */
};

/* The present version, into the arena; version 0 when there is none. */
enum status job_records_load(const struct job_records *r, struct arena *a, struct job_record *out,
                             struct err *e) CHECKED;
/* Makes `next` the present version, following the version that it holds; on S_OK it holds the new version and nonce, and versions
 * that are no longer needed are gone.
 *   E_EXISTS   another process went on from that version: this one leads no more; nothing was changed
 *   E_UNKNOWN  in doubt: it may or may not have succeeded. No consequence may be drawn; call again with the same `next`, which
 *              remembers what it tried
 *   other      it has failed, and nothing was changed */
enum status job_records_swap(const struct job_records *r, struct job_record *next, struct err *e) CHECKED;
