/* enumerator.h - the one enumerator of a source, shared by its subtasks: opened by whoever asks first, asked under its own
 * lock, closed with the job. */
#pragma once
#include "flow/source/source.h"

struct enumerator;
/* The enumerator of the source that cx belongs to. Without a job (tests, harness) it is the instance's own. */
struct enumerator *enumerator_join(const struct source_type *type, const struct source_cx *cx);
/* Next split for cx->subtask, in arena a: S_OK, S_IDLE with *wake_ms, S_END, or an error in cx->err. */
enum status enumerator_ask(struct enumerator *en, const struct source_cx *cx, struct arena *a, struct split *out,
                           int64_t *wake_ms) CHECKED;
/* Split `id` was read to its end. */
void enumerator_finished(struct enumerator *en, const struct source_cx *cx, const char *id);
void enumerator_leave(struct enumerator *en, const struct source_cx *cx); /* NULL is a no-op */
