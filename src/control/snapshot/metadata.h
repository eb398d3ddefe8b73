/* metadata.h - what a checkpoint or savepoint is made of, as data, and its bytes: the object `_metadata` in its folder
 * (docs/formats/metadata.md). Who has read it knows every operator, how far each of its subtasks was, and where its state lies.
 *
 * Plain structs: whoever fills them owns what they point to. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/err.h"
#include "ground/base/hash.h"

enum {
    SNAPSHOT_ID_SIZE = 33, /* 32 hex digits and NUL: of jobs and operators */
    SNAPSHOT_NAME_MAX = 64 * 1024,
    SNAPSHOT_OPERATORS_MAX = 4096,
    SNAPSHOT_SUBTASKS_MAX = 4096,
    SNAPSHOT_HANDLES_MAX = 1024 * 1024, /* of one subtask */
    SNAPSHOT_PATH_MAX = 1024,
    SNAPSHOT_INLINE_MAX = 1024 * 1024, /* bytes of one chunk inside the metadata */
    SNAPSHOT_COMMITTABLES_MAX = 16 * 1024 * 1024,
    SNAPSHOT_METADATA_MAX = 512 * 1024 * 1024,
};

/* An object beside the metadata of a savepoint: all that its sinks had prepared is committed. */
#define SNAPSHOT_COMMITTED "_committed"

/* What a snapshot was taken for; the values are a format. */
enum snapshot_kind { SNAPSHOT_CHECKPOINT = 0, SNAPSHOT_SAVEPOINT = 1, SNAPSHOT_KINDS };
const char *snapshot_kind_name(enum snapshot_kind kind); /* "checkpoint" */

/* A chunk of a subtask's state (docs/formats/state_chunk.md), in here or in an object of its own. */
struct snapshot_handle {
    const char *path; /* relative to the folder of the metadata; NULL: in here */
    struct str bytes; /* in here */
    uint64_t size;
    uint64_t digest; /* hash64 of the chunk's bytes */
    int64_t part;    /* the checkpoint for which it was written, which says what had changed by then; 0: it stands alone */
};

struct snapshot_subtask {
    bool is_finished; /* it had come to its end before: there is no state, and nothing is to be done any more */
    bool is_idle;
    int64_t watermark, sent_watermark;
    struct str committables;               /* what it had prepared and not yet made final */
    const struct snapshot_handle *handles; /* in the order in which they were written */
    uint32_t handle_count;
    int64_t first_part; /* not in the bytes: the oldest part that is needed; 0: none */
};

struct snapshot_operator {
    char id[SNAPSHOT_ID_SIZE]; /* the graph's, from the uid or from the place */
    const char *name;
    const char *uid; /* as the job's author wrote it; NULL: the id comes from the place */
    uint32_t parallelism, max_parallelism;
    const struct snapshot_subtask *subtasks; /* [parallelism] */
};

struct snapshot_metadata {
    char job_id[SNAPSHOT_ID_SIZE];
    const char *job_name;
    int64_t checkpoint;
    int64_t time_ms; /* when it was triggered; wall clock */
    enum snapshot_kind kind;
    struct sha256 graph;                       /* of the encoded job graph; zero: not known */
    const struct snapshot_operator *operators; /* by id, each once */
    uint32_t operator_count;
};

/* Appends it. */
void metadata_encode(const struct snapshot_metadata *m, struct buf *out);
/* Bytes from anywhere: bounded, and any flipped bit is E_DATA with what and where. Texts are copied into the arena; bytes of
 * chunks and committables are views of `bytes`. */
enum status metadata_decode(struct arena *a, struct str bytes, struct snapshot_metadata *out, struct err *e) CHECKED;
/* The operator of that id; NULL: there is none. */
const struct snapshot_operator *metadata_find(const struct snapshot_metadata *m, const char *id);
/* Of all its chunks. */
uint64_t metadata_state_bytes(const struct snapshot_metadata *m);
/* 32 lower case hex digits. */
bool snapshot_id_is_valid(const char *id);
/* A path that stays below the folder it is relative to, or beside it in `shared/` or `taskowned/` of its parent. */
bool snapshot_path_is_safe(const char *path);
