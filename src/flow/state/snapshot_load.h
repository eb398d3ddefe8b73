/* snapshot_load.h - what is in a host's restore for one table or for one set of timers. Internal to flow/state. */
#pragma once
#include "flow/state/snapshot.h"
#include "flow/state/snapshot_schema.h"

/* Rows of the state on their way to their owner: a run of one namespace, of key groups (or, of operator state, numbers) that are the
 * host's. sel NULL = 0..count-1; hashes[i] of the i-th. */
struct loaded_rows {
    const struct state_schema *schema;
    const struct batch *batch;
    const uint16_t *sel;
    const uint64_t *hashes;
    uint32_t count;
    int64_t ns;
    bool is_new; /* of keyed state: no row of these keys was handed over before, and each key comes once, if rows of keys are single */
};
/* Keys of that namespace with those key groups, of so many; is_all: there are no others. */
struct loaded_drop {
    int64_t ns;
    uint32_t max_parallelism, group_first, group_count;
    bool is_all;
};
struct loader {
    struct state_host *host;
    const struct state_schema *own;
    /* Hashes of all rows of a batch; NULL: operator state, whose rows have that of the host's first key group. */
    void (*hash)(void *arg, const struct batch *b, uint64_t *out);
    enum status (*put)(void *arg, const struct loaded_rows *rows, struct err *e);
    enum status (*part_end)(void *arg, struct err *e); /* all rows of a part, or of a subtask, were handed over; NULL: nobody asks */
    /* Of tables of keys, whose chunks may be parts: the keys of these rows go, with all that was put in of them before; so do the keys of a
     * namespace that was dropped. replaces: rows of a key come instead of those of earlier parts. */
    enum status (*gone)(void *arg, const struct loaded_rows *rows, struct err *e);
    enum status (*dropped)(void *arg, const struct loaded_drop *drop, struct err *e);
    bool replaces;
    void *arg;
};
/* All rows of the state that are the host's, in the order of old subtasks, chunks, blocks. */
enum status load_rows(const struct loader *l, struct err *e) CHECKED;
/* How much of it the host may get, about: keys (timers); bytes of blocks. Is there anything of it? */
struct load_size {
    uint64_t keys, bytes;
    bool has;
};
enum status load_count(const struct loader *l, struct load_size *out, struct err *e) CHECKED;

/* Fills a table that was opened just now. */
enum status snapshot_load_table(struct state_table *t, struct err *e) CHECKED;
/* Has the host's restore rows for such a table? */
enum status snapshot_has_table(struct state_host *h, const struct state_def *def, bool *has, struct err *e) CHECKED;
/* State without keys: each part has all of it. */
bool snapshot_is_whole_in_each(const struct state_schema *own);
