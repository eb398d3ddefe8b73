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
    uint32_t under_way; /* chunks that are being written */
    bool is_over;       /* nobody asks any more what becomes of them */
    struct err err;     /* the first chunk that failed */
};

struct store_word {
    struct store_word *next;      /* of those that wait */
    struct mem mem;
    enum snapshot_verb verb;
    struct store_entry *entry;    /* OPEN; of CHUNK while it is being written, and of WRITTEN */
    struct snapshot_order *order; /* FINISH */
    struct snapshot_change change;
    struct stored_chunk chunk; /* CHUNK: a draft in the handle; WRITTEN: where it is, or its bytes */
    uint64_t draft_size;       /* CHUNK */
    const char *path;          /* of the file that it may become; lies in the entry's arena */
    uint32_t writer;           /* store_writers.c */
    enum status status;        /* WRITTEN */
    struct err err;
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
    struct store_word *deferred, **deferred_end; /* words that came while chunks were waited for */
    struct store_writers *writers;               /* store_writers.c; NULL: none yet */
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

/* store_writers.c */
static inline bool store_is_inline(const struct snapshot_store *s, uint64_t size) { return size <= s->o.inline_max && size <= SNAPSHOT_INLINE_MAX; }
void store_write(struct snapshot_store *s, struct store_word *w); /* a chunk becomes durable: status says whether. Any thread */
bool store_writers_take(struct snapshot_store *s, struct store_word *w); /* it comes back as WRITTEN; false: there is nobody */
void store_writers_back(struct snapshot_store *s, const struct store_word *w);
void store_writers_free(struct snapshot_store *s);

/* store_parts.c */
/* A file for a part of that checkpoint: its path, and how metadata name it. */
const char *store_part_add(struct snapshot_store *s, int64_t checkpoint, struct arena *a, const char **path);
/* What the newest checkpoint has of a subtask, from that part on; out NULL: how many. */
uint32_t store_parts_find(const struct snapshot_store *s, const char *id, uint32_t subtask, int64_t first_part, struct snapshot_handle *out);
void store_parts_keep(struct snapshot_store *s, const struct snapshot_metadata *m); /* this checkpoint is the newest */
void store_parts_clean(struct snapshot_store *s);                                   /* what nobody needs goes */
void store_parts_free(struct snapshot_store *s);
