/* worker_chunks.h - the worker's half of the snapshot store: chunks of its tasks are written into the checkpoint's folder by a helper, and
 * what the job master must know goes to it in order: where each chunk lies, then that its task has acknowledged. */
#pragma once
#include "control/cluster/messages.h"
#include "flow/task/snapshot_port.h"

struct worker_chunks;
struct worker_chunks_options {
    struct sys *sys;
    const char *uri;     /* the job's folder for checkpoints */
    uint64_t inline_max; /* chunks up to that size go along in the message */
    void (*say)(void *arg, enum message_kind kind, const void *message); /* any thread */
    void *arg;
};
enum status worker_chunks_create(const struct worker_chunks_options *o, struct worker_chunks **out, struct err *e) CHECKED;
void worker_chunks_free(struct worker_chunks *w); /* what waits is still done; NULL is a no-op */
const struct snapshot_port *worker_chunks_port(struct worker_chunks *w);
/* A checkpoint begins; its chunks may have come already. folder NULL: chk-<id> in the job's. Before its tasks are told. */
void worker_chunks_begin(struct worker_chunks *w, int64_t checkpoint, const char *folder);
