/* savepoint_write.h - a savepoint is written that no job has taken: from operators that were made, and from those of another one. */
#pragma once
#include "control/snapshot/snapshot_read.h"

struct savepoint_draft;
/* base NULL: it begins empty; else with all operators of that one, which must stay open. */
struct savepoint_draft *savepoint_draft_create(struct sys *sys, struct snapshot_reader *base);
void savepoint_draft_free(struct savepoint_draft *d); /* NULL is a no-op */
bool savepoint_draft_has(const struct savepoint_draft *d, const char *id);
/* E_NOT_FOUND: it has no such operator; E_EXISTS: it has one of the new id. name: of the operator, for errors. */
enum status savepoint_draft_remove(struct savepoint_draft *d, const char *id, struct err *e) CHECKED;
enum status savepoint_draft_rename(struct savepoint_draft *d, const char *id, const char *new_id, const char *new_uid, struct err *e) CHECKED;
/* An operator of one subtask whose state are these chunks, which are copied. */
enum status savepoint_draft_add(struct savepoint_draft *d, const char *id, const char *uid, uint32_t max_parallelism, struct err *e) CHECKED;
void savepoint_draft_chunk(struct savepoint_draft *d, const char *id, struct str chunk);
/* Into a folder that has no savepoint yet: E_EXISTS. It refers to nothing outside of it; its metadata come last. */
enum status savepoint_draft_write(struct savepoint_draft *d, const char *folder, struct err *e) CHECKED;
