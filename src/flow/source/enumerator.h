/* enumerator.h - the one enumerator of a source, shared by its subtasks: opened by whoever asks first, asked under its own
 * lock, closed with the job. */
#pragma once
#include "flow/source/source.h"

struct enumerator;
/* The enumerator of the source that cx belongs to. Without a job (tests, harness) it is the instance's own. */
struct enumerator *enumerator_join(const struct source_type *type, const struct source_cx *cx);
/* Of a job that goes on from a checkpoint, by each subtask, before it asks; all of them say the same. use: splits are handed out as to so
 * many subtasks as the job began with. taken: the split of that id is not handed out again; when it is not open it was read to its end. */
void enumerator_use(struct enumerator *en, uint32_t parallelism);
bool enumerator_taken(struct enumerator *en, struct str id, bool is_open); /* true: nobody had said so */
/* What was read to its end must be remembered also when the subtask that read it is through, and takes no checkpoint any more. It
 * leaves the ids here, and whoever takes the next one takes them over. seen: the last checkpoint that it took part in: there it says itself
 * what it had read, which may have been less. inherit: the next id for a later checkpoint; false: there is none. */
void enumerator_bequeath(struct enumerator *en, struct str id, int64_t seen);
bool enumerator_inherit(struct enumerator *en, int64_t checkpoint, struct buf *id);
/* Next split for cx->subtask, in arena a: S_OK, S_IDLE with *wake_ms, S_END, or an error in cx->err. */
enum status enumerator_ask(struct enumerator *en, const struct source_cx *cx, struct arena *a, struct split *out,
                           int64_t *wake_ms) CHECKED;
/* Split `id` was read to its end. */
void enumerator_finished(struct enumerator *en, const struct source_cx *cx, const char *id);
/* Of a job in several processes: the subtasks here have said what was taken, others may ask now. */
void enumerator_admit(struct enumerator *en);
struct job_shared;
struct far_word;
/* What another process of the job says of its enumerators: any thread of ours but a task's, since a hook may take its time. False: it
 * must be heard again when the source is open here; what it says is not to be lost. */
bool enumerator_hear(struct job_shared *job, uint32_t from, const struct far_word *w) CHECKED;
void enumerator_leave(struct enumerator *en, const struct source_cx *cx); /* NULL is a no-op */
