/* snapshot_read.h - a checkpoint or savepoint is opened for reading: its metadata, and its chunks one by one. */
#pragma once
#include "control/snapshot/metadata.h"
#include "ground/fs/fs.h"

struct snapshot_reader {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    const struct fs_type *fs;
    const char *folder; /* without scheme */
    const char *uri;    /* of the folder, as it was given */
    struct snapshot_metadata metadata;
    uint64_t size;   /* of the metadata */
    uint64_t digest; /* hash64 of its bytes */
    bool is_committed; /* nothing of what its sinks had prepared is left to commit */
};

/* uri: of the folder, or of the metadata in it. E_NOT_FOUND, E_DATA with the object's name and what to do. */
enum status snapshot_reader_open(struct sys *sys, const char *uri, struct snapshot_reader **out, struct err *e) CHECKED;
void snapshot_reader_close(struct snapshot_reader *r); /* NULL is a no-op */
/* The bytes of a chunk: in the metadata, or read into `mem`; checked against size and digest. */
enum status snapshot_reader_chunk(struct snapshot_reader *r, const struct snapshot_handle *h, struct mem *mem,
                                  struct str *out, struct err *e) CHECKED;

/* The same in two steps, for several threads: snapshot_reader_find on one, snapshot_reader_place on any. */
struct snapshot_chunk_place {
    const struct snapshot_handle *handle;
    const char *path; /* NULL: in the metadata */
    struct str *out;
};
struct snapshot_chunk_place snapshot_reader_find(struct snapshot_reader *r, const struct snapshot_handle *h, struct str *out);
enum status snapshot_reader_place(const struct snapshot_reader *r, const struct snapshot_chunk_place *p, struct mem *mem, struct str *out,
                                  struct err *e) CHECKED;
/* All of them, by several threads where that is worth it. */
enum status snapshot_reader_places(struct snapshot_reader *r, const struct snapshot_chunk_place *places, uint32_t count, struct mem *mem,
                                   struct err *e) CHECKED;
