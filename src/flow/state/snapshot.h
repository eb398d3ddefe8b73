/* snapshot.h - the state of one host as bytes, and back: tables of all shapes, operator state, timers. The bytes are those of
 * docs/formats/state_chunk.md.
 *
 * The idea: rows are written as columns of their logical types, never as they lie in memory, in blocks that say which key groups they
 * have. So a file outlives the layout of memory, and whoever has other key groups than the writer had takes the blocks that are his.
 *
 * Saving: state_save_create, then state_save_step until it answers S_OK. Restoring: the host's `restore` is set before the operator
 * opens anything; state_open, timers_create, opstate_create and views_add then begin with what is theirs. */
#pragma once
#include "flow/state/state.h"

struct state_save;

/* Between batches: what is saved is the state of this moment. Until state_save_free tables and timers of the host are not closed; what is in
 * them may change: it is kept as it was. All else that happens to the host's state happens on the same thread. */
enum status state_save_create(struct state_host *h, struct state_save **out, struct err *e) CHECKED;
/* Appends whole blocks to `out`, a chunk that begins when `out` is empty, until it holds about `limit` bytes: a block of rows may go
 * beyond. S_MORE: call again, with an empty buffer when out->size >= limit (or whenever the chunk is taken away), with the same one
 * else: a call does the work of one block of rows, some 200 us. S_OK: that was all; a host without tables and timers leaves `out`
 * empty. */
enum status state_save_step(struct state_save *s, struct buf *out, size_t limit, struct err *e) CHECKED;
/* A part of what the host has: what has changed since the last one, of which the caller knows that it will be read, too; and all of the key
 * groups base_first.. (of is_first: of all). Other saves do not count. Whoever restores gets all parts from the oldest on that is
 * the newest to have all of some key group. */
struct state_part_of {
    uint64_t number; /* higher than that of the last one */
    bool is_first;
    uint32_t base_first, base_count;
};
enum status state_save_create_part(struct state_host *h, const struct state_part_of *part, struct state_save **out, struct err *e) CHECKED;
/* Ranges of key groups of about the same size, by which parts have all of them. */
uint32_t state_host_ranges(const struct state_host *h);
void state_host_range(const struct state_host *h, uint32_t i, uint32_t *first, uint32_t *count);

/* Before the first step: blocks stay as they are, and what steps give is no chunk but a draft of one. So whoever works with the host need
 * not pack it. */
void state_save_draft(struct state_save *s);
/* A draft becomes a chunk, in `space`; a chunk is one already. Any thread. */
struct str state_chunk_finish(struct str draft, struct buf *space);

/* Bytes that were kept and no chunk has taken yet. Who saves too slowly lets the host stand still before they become too many. */
size_t state_save_waiting(const struct state_save *s);
void state_save_free(struct state_save *s); /* NULL is a no-op; the host's tables are there still */

/* One chunk. */
struct state_part {
    struct str bytes;
};
/* All chunks of one old subtask, in the order in which they were written, of parts the older ones first; none: it had no state. */
struct state_image {
    const struct state_part *parts;
    uint32_t part_count;
};
/* What a host begins with. It is there until the operator is open; then whoever set it sets the host's `restore` back to NULL: what an
 * operator opens later begins empty. max_parallelism is that of the job which wrote it and must be
 * the host's. operator: its name, for errors; NULL: they do without. */
struct state_restore {
    const struct state_image *subtasks;
    uint32_t count;
    uint32_t max_parallelism;
    const char *operator;
    struct sys *sys; /* where helpers of a large restore come from; NULL: there are none */
};

/* Looks at a whole chunk: E_DATA where a byte is not what was written. */
enum status state_part_check(struct str bytes, struct err *e) CHECKED;
