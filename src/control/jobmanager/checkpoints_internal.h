/* checkpoints_internal.h - what the files share that take checkpoints of a running job: jobmaster_checkpoints.c (what is to be
 * done, and what came of it), checkpoint_notes.c (what other threads say), checkpoint_orders.c (metadata while they grow),
 * savepoint_requests.c (who asked for one). All but the port belongs to the job master's thread. */
#pragma once
#include "control/jobmanager/jobmaster_internal.h"

/* Metadata of a checkpoint that is under way. */
struct pending_order {
    struct pending_order *next;
    struct snapshot_order *order;
};

struct job_checkpoints {
    struct mem mem;
    struct jobmaster *jm;
    struct checkpoint_coordinator *coordinator;
    struct snapshot_store *store;
    struct snapshot_port port;
    struct sys_mailbox *notes;
    struct sys_atomic_u64 is_told; /* a word that notes are waiting is on its way to the job master */
    struct pending_order *orders;
    uint32_t *firsts;                   /* [vertex] number of its first task */
    uint32_t *by_id;                    /* [node_count] nodes in the order of their ids */
    uint32_t *places;                   /* [node] its place there */
    const char *uri; /* of the job's folder */
    char job_id[SNAPSHOT_ID_SIZE];
    bool discards_canceled, discards_failed;
    uint32_t changes_left; /* of the record that are not answered */
    enum status changed;   /* how the last one went */
    struct err change_err;
    struct buf latest; /* folder of the newest checkpoint, as of then */
    bool has_latest;
    struct checkpoint_stats shown[CHECKPOINT_HISTORY]; /* under the job master's lock `look`; the newest first */
    uint32_t shown_count;
    bool is_over; /* under the job master's lock `look` */
};

enum note_kind { NOTE_ACKNOWLEDGE, NOTE_DECLINE, NOTE_WANTS, NOTE_ANSWER, NOTE_COMMITTED };
struct note {
    struct mem mem;
    enum note_kind kind;
    struct snapshot_ack ack; /* ACKNOWLEDGE; of the others checkpoint, vertex and subtask */
    struct err err;          /* DECLINE */
    struct snapshot_answer *answer;
};

/* checkpoint_notes.c */
void notes_init(struct job_checkpoints *c); /* the port, and where its notes go */
void notes_release(struct job_checkpoints *c);
struct note *notes_take(struct job_checkpoints *c); /* NULL: there is none. To be freed */
void note_free(struct note *n);
void notes_send_answer(void *arg, struct snapshot_answer *a); /* of snapshot_store_options */

/* checkpoint_orders.c */
void orders_init(struct job_checkpoints *c);
void orders_release(struct job_checkpoints *c);
void orders_renumber(struct job_checkpoints *c); /* the graph has other parallelisms; none is under way */
void orders_add(struct job_checkpoints *c, int64_t id, enum snapshot_kind kind);
/* False: it is not under way (any more). */
bool orders_acknowledge(struct job_checkpoints *c, const struct snapshot_ack *ack);
/* With those filled in that had finished. NULL: it is not under way. */
struct snapshot_order *orders_take(struct job_checkpoints *c, int64_t id, bool is_through);
uint32_t task_number(const struct job_checkpoints *c, uint32_t vertex, uint32_t subtask);

/* savepoint_requests.c */
void snapshot_requests_look(struct job_checkpoints *c);                            /* something may have come to its end */
const char *snapshot_requests_folder(const struct job_checkpoints *c, int64_t id); /* NULL: in the job's own */
enum snapshot_wish snapshot_requests_wish(const struct job_checkpoints *c, int64_t id); /* WISH_NOTHING: nobody asked for that one */
void snapshot_requests_failed(struct job_checkpoints *c, int64_t id, enum checkpoint_reason why);
void snapshot_requests_complete(struct job_checkpoints *c, int64_t id); /* it exists */
void snapshot_requests_committed(struct job_checkpoints *c, int64_t id, uint32_t task);
void snapshot_requests_marked(struct job_checkpoints *c, int64_t id);
bool snapshot_requests_are_marking(const struct job_checkpoints *c);
void snapshot_requests_attempt_failed(struct job_checkpoints *c);
void snapshot_requests_end_all(struct jobmaster *jm); /* the job is over, and recorded */

static inline int64_t now_ms(const struct jobmaster *jm) { return sys_mono_ns(jm->o.sys) / NS_PER_MS; }
