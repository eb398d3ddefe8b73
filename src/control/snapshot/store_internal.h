/* store_internal.h - what snapshot_store.c and store_commit.c share. Everything but the queue belongs to the helper's thread. */
#pragma once
#include "control/snapshot/snapshot_store.h"

/* A chunk that was taken over: in an object, or waiting for the metadata. */
struct stored_chunk {
    char id[SNAPSHOT_ID_SIZE];
    uint32_t subtask, number;
    struct snapshot_handle handle;
};

/* A checkpoint that is open. */
struct store_entry {
    struct store_entry *next;
    struct mem mem;
    struct arena arena;
    int64_t id;
    enum snapshot_kind kind;
    const struct fs_type *fs;
    const char *path, *uri; /* of its folder: for the file system, and as the record names it */
    struct stored_chunk *chunks;
    uint32_t chunk_count, chunk_capacity;
    uint64_t bytes;
    struct err err; /* the first chunk that failed */
};

struct store_word {
    struct mem mem;
    enum snapshot_verb verb;
    struct store_entry *entry;    /* OPEN */
    struct snapshot_order *order; /* FINISH */
    struct snapshot_change change;
    struct stored_chunk chunk; /* CHUNK: bytes in the handle */
    bool is_placed;            /* and nothing is to be written */
    int64_t checkpoint;
    const char *folder; /* MARK */
};

enum { STORE_WAITING_MAX = 256 };

struct snapshot_store {
    struct mem mem;
    struct snapshot_store_options o;
    struct sys_mailbox *words;
    struct sys_thread *thread; /* NULL: none */
    struct sys_parker *parker; /* of the helper, while it waits for the storage */
    struct sys_atomic_u64 is_closing;
    struct sys_lock *lock; /* of what follows */
    uint64_t queued;
    struct sys_parker *waiting[STORE_WAITING_MAX];
    uint32_t waiting_count;
    /* the helper's */
    struct store_entry *entries;
    struct mem record_mems[2]; /* of the present record, and of the next one */
    uint32_t record_at;
    struct job_record record;
    bool is_fenced;
    int64_t first_opened;      /* checkpoints of this process have this number, or higher ones; 0: there was none yet */
    struct store_parts *parts; /* store_parts.c; NULL: there are none */
};

/* store_commit.c */
/* Metadata of an entry are published, and the record names it. */
enum status store_finish(struct snapshot_store *s, struct store_entry *entry, struct snapshot_order *o,
                         struct snapshot_answer *a);
enum status store_change(struct snapshot_store *s, const struct snapshot_change *c, struct snapshot_answer *a);
void store_copy_record(struct snapshot_store *s, const struct job_record *r); /* becomes the present one */
void store_sweep(struct snapshot_store *s);
/* All that lies in a folder, and the folder; what does not go is swept later. */
void store_delete_folder(struct snapshot_store *s, const struct fs_type *fs, const char *path);
/* As often as it takes: a name is written once, always with the same bytes. */
enum status store_publish(struct snapshot_store *s, const struct fs_type *fs, const char *path, struct str bytes,
                          struct err *e);

/* store_parts.c */
/* A file for a part of that checkpoint: its path, and how metadata name it. */
const char *store_part_add(struct snapshot_store *s, int64_t checkpoint, struct arena *a, const char **path);
/* What the newest checkpoint has of a subtask, from that part on; out NULL: how many. */
uint32_t store_parts_find(const struct snapshot_store *s, const char *id, uint32_t subtask, int64_t first_part, struct snapshot_handle *out);
void store_parts_keep(struct snapshot_store *s, const struct snapshot_metadata *m); /* this checkpoint is the newest */
void store_parts_clean(struct snapshot_store *s);                                   /* what nobody needs goes */
void store_parts_free(struct snapshot_store *s);
