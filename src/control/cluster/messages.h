/* messages.h - what the processes of a cluster say to each other: one struct a message, and one table that says how it is written.
 * A message is the payload of a frame (ground/net/frame.h), its number the frame's kind; docs/formats/control-messages.md.
 *
 * Texts that are not there are NULL and come back as NULL; bytes and texts of a message that was read lie in its arena. */
#pragma once
#include "control/snapshot/metadata.h"
#include "control/taskmanager/taskmanager.h"
#include "ground/base/arena.h"
#include "ground/base/err.h"

enum { MESSAGE_LIST_MAX = 65536, MESSAGE_BYTES_MAX = 16 * 1024 * 1024 - 1024, ARTIFACT_CHUNK_BYTES = 1024 * 1024 };

enum message_kind {
    /* between TaskManager and JobManager */
    MESSAGE_REGISTER = 16, /* the greeting of a TaskManager */
    MESSAGE_HEARTBEAT,     /* asked and answered, by workers too */
    MESSAGE_SPAWN,
    MESSAGE_RELEASE,
    MESSAGE_EXITED,
    MESSAGE_ARTIFACT_WANTED,
    MESSAGE_ARTIFACT,
    /* between worker and job master */
    MESSAGE_HELLO, /* the greeting of a worker */
    MESSAGE_DEPLOY,
    MESSAGE_DEPLOYED,
    MESSAGE_ORDER,
    MESSAGE_NEWS,
    MESSAGE_CHUNK,
    MESSAGE_ACKNOWLEDGE,
    MESSAGE_DECLINE,
    MESSAGE_WANTS,
    MESSAGE_COUNTS,
    MESSAGE_TROUBLE,
    MESSAGE_FAR,
    MESSAGE_COMMITTED,
    MESSAGE_ROWS,
    MESSAGE_TAKEN,
    MESSAGE_HEARD,
};

/* Which attempt of which job: a lower one than the highest that is known is refused. */
struct attempt_token {
    const char *job_id;
    uint64_t epoch, attempt;
};

struct register_message {
    const char *resource_id, *host;
    uint32_t slots, cores;
    uint64_t memory_bytes, process;
};

struct heartbeat_message {
    uint64_t number; /* of the one who asks; answered with the same */
    bool is_answer;
};

struct spawn_message {
    struct attempt_token token;
    const char *job_name;
    uint32_t worker; /* its number in the attempt */
    struct str artifact; /* digest; empty: the job has none */
};

struct release_message { /* of a job's worker: it ends, if it has not */
    struct attempt_token token;
};

struct exited_message {
    struct attempt_token token;
    uint32_t worker;
    const char *how;  /* "killed by signal 9", "ended with status 1" */
    const char *said; /* its last lines on standard error */
};

struct artifact_wanted_message {
    struct str digest;
    uint64_t offset;
};

struct artifact_message {
    struct str digest, bytes;
    uint64_t offset, size;
    const char *failure; /* NULL: none */
};

struct hello_message {
    struct attempt_token token;
    uint32_t worker;
    uint64_t process;
    const char *data_host; /* where other workers reach it */
    uint32_t data_port;
};

struct peer_message {
    const char *name, *host; /* name: in messages */
    uint32_t port;
};

struct deploy_message {
    struct str graph;
    bool times_hooks;
    const char *job_id, *checkpoints_uri, *restore_uri;
    uint64_t restore_digest;
    bool allows_unclaimed;
    uint64_t attempt, epoch;
    uint32_t worker;
    const struct peer_message *peers; /* [peer_count] workers of the attempt by number */
    uint32_t peer_count;
    const uint32_t *slots;            /* [slot_count] which worker has which slot */
    uint32_t slot_count;
};

struct deployed_message { /* or not: then the error says why */
    struct err err;
};

/* HEAR: a drain is about to begin; tasks that get rows hear of it, and the worker says so (MESSAGE_HEARD). */
enum order_verb { ORDER_START, ORDER_TRIGGER, ORDER_STOP, ORDER_DRAIN, ORDER_COMPLETE, ORDER_CANCEL, ORDER_END, ORDER_HEAR, ORDER_VERBS };
struct order_message {
    uint32_t verb;
    int64_t checkpoint;
    const char *folder; /* of TRIGGER, and of STOP and DRAIN, which trigger, too; of HEAR */
};

struct news_message {
    uint32_t vertex, subtask, state;
    int64_t status;
    struct err err;
};

struct chunk_message { /* of a checkpoint: it is stored, or it is in here */
    int64_t checkpoint;
    const char *uid, *path;
    uint32_t vertex, subtask, number;
    struct str bytes;
    uint64_t size, digest;
};

struct node_message {
    const char *uid;
    int64_t watermark, sent_watermark;
    bool is_idle;
    uint32_t chunks;
    struct str committables;
    bool is_finished;
};

struct acknowledge_message {
    int64_t checkpoint;
    uint32_t vertex, subtask;
    uint64_t bytes;
    int64_t aligned_ns, held_ns, saved_ns;
    const struct node_message *nodes;
    uint32_t node_count;
};

struct decline_message {
    int64_t checkpoint;
    uint32_t vertex, subtask;
    struct err err;
};

struct wants_message {
    uint32_t vertex, subtask;
};

struct committed_message {
    int64_t checkpoint;
    uint32_t vertex, subtask;
};

struct rows_message { /* a piece of a batch for the program that wants the job's rows */
    int64_t receiver;
    bool is_last; /* of its batch */
    struct str bytes;
};

struct heard_message {
    int64_t checkpoint;
};

struct taken_message { /* so much of them has arrived there */
    int64_t receiver;
    uint64_t bytes;
};

struct operator_message {
    uint64_t rows_in, rows_out, state_bytes, bytes_out;
    int64_t busy_ns;
};

struct task_message {
    uint32_t vertex, subtask;
    struct task_figures f;
};

struct counts_message {
    uint64_t rows_in, rows_out, late_dropped, late_refired, errors_skipped, dead_letters;
    int64_t watermark;
    const struct operator_message *operators; /* [node_count of the graph] */
    uint32_t operator_count;
    const struct task_message *tasks; /* of this worker */
    uint32_t task_count;
    struct str accumulators; /* as flow/task/accumulators.h writes them; empty: there are none */
};

struct trouble_message { /* tasks cannot go on: the way to another worker is cut */
    struct err err;
};

struct far_message { /* from worker to worker, by way of the job master: struct far_word */
    uint32_t to, from; /* to: FAR_ALL is all others */
    uint32_t verb, subtask;
    const char *key, *text;
    int64_t number, wake_ms, status;
    struct str bytes;
    struct err err;
};

/* The table. */
enum field_kind { FIELD_U32, FIELD_U64, FIELD_I64, FIELD_BOOL, FIELD_TEXT, FIELD_BYTES, FIELD_ERR, FIELD_PART, FIELD_LIST, FIELD_U32_LIST };
struct message_fields;
struct message_field {
    enum field_kind kind;
    uint32_t offset, count_offset; /* count_offset: of the number of items of a list */
    const struct message_fields *items;
};
struct message_fields {
    const char *name;
    uint32_t size;
    const struct message_field *list;
    uint32_t count;
};

const struct message_fields *message_fields_of(uint8_t kind); /* NULL: there is no such message */
/* Appends the message of that kind. */
void message_encode(enum message_kind kind, const void *message, struct buf *out);
/* Bytes from anywhere: E_DATA names the message. *out lies in the arena. */
enum status message_decode(enum message_kind kind, struct str bytes, struct arena *a, const void **out,
                           struct err *e) CHECKED;
