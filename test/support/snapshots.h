/* snapshots.h - saves the state of a host and begins others with it, in tests. */
#pragma once
#include "flow/state/snapshot.h"
#include "support/keyed.h"

enum { SNAPSHOT_SUBTASKS = 8 };

/* The chunks of old subtasks. */
struct snapshots {
    struct mem mem;
    struct buf *chunks[SNAPSHOT_SUBTASKS];
    struct state_part *parts[SNAPSHOT_SUBTASKS];
    struct state_image images[SNAPSHOT_SUBTASKS];
    struct state_restore restore;
};
void snapshots_init(struct snapshots *s, uint32_t count, uint32_t max_parallelism);
void snapshots_release(struct snapshots *s);
/* All of the host's state becomes that of an old subtask, in chunks of about `limit` bytes. */
void snapshots_save(struct snapshots *s, uint32_t subtask, struct state_host *h, size_t limit);
/* The same of a part, behind those that it has. */
void snapshots_save_part(struct snapshots *s, uint32_t subtask, struct state_host *h, const struct state_part_of *part, size_t limit);

/* How a test makes what it has in a host, and closes it. */
struct keyed_opener {
    void (*open)(void *arg, struct state_host *h);
    void (*close)(void *arg);
    void *arg;
};
/* The host begins anew with what it held, by way of as many hosts as `through` says; chunks are of about `limit` bytes. */
void keyed_restart(struct keyed *k, const struct keyed_opener *o, uint32_t through, size_t limit);
/* A host of the same kind as k's for subtask i of n; state_host_init is done. */
struct state_host keyed_host_of(struct keyed *k, uint32_t i, uint32_t n, const struct state_restore *restore);

/* A save that goes on while the host is worked with; then the host goes back to what it was when that began. Saves are parts, each of
 * what has changed since the one before, while none is given up and the host does not begin anew. All zero: there is none. */
struct apart {
    struct snapshots out;
    struct state_save *save; /* NULL: none, or all of it is in `out` */
    struct state_host *host;
    struct buf chunk;
    size_t limit;
    bool is_on, has_parts;
    uint64_t number, bases[16]; /* of the last part; of the last part that has all of a range */
    uint32_t range;
};
void apart_begin(struct apart *a, struct keyed *k, size_t limit);
void apart_step(struct apart *a); /* a step of the save, if there is something left of it */
void apart_end(struct apart *a);  /* the rest of it: it is one of the parts */
/* The rest of it, and then the host begins anew with the parts, as keyed_restart does. */
void apart_back(struct apart *a, struct keyed *k, const struct keyed_opener *o, uint32_t through);
void apart_drop(struct apart *a); /* given up, with all parts; none: a no-op */
