/* snapshot_chunk.h - chunks of saved state and the blocks in them, as bytes. Internal to flow/state; docs/formats/state_chunk.md is what
 * they look like. */
#pragma once
#include "ground/base/buf.h"
#include "ground/base/err.h"

enum chunk_kind { CHUNK_SCHEMA = 1, CHUNK_ROWS = 2, CHUNK_GONE = 4, CHUNK_DROPPED = 5 };
enum {
    CHUNK_VERSION = 1,
    CHUNK_VERSION_PARTS = 2, /* of chunks that are parts */
    CHUNK_HASH_VERSION = 1,
    CHUNK_HEADER = 24,
    CHUNK_HEADER_PARTS = 48,
    BLOCK_HEADER = 48,
};

/* A chunk that says only what has changed, and for some key groups all. number 0: it stands alone. */
struct chunk_part {
    uint64_t number;                   /* higher than those of the parts before it */
    uint32_t group_first, group_count; /* of the host */
    uint32_t base_first, base_count;   /* key groups that it has all of: what earlier parts say of them is void */
};

struct chunk_block {
    uint8_t kind;      /* enum chunk_kind */
    uint8_t is_packed;
    uint32_t number;   /* of the schema in its chunk */
    uint32_t group_first, group_count; /* key groups that may occur; 0: the rows have none */
    uint32_t rows;
    uint32_t size, stored; /* bytes of what it holds, and in the chunk */
    uint64_t sum;      /* of the stored bytes */
    size_t at;         /* of the block in its chunk */
    const char *bytes; /* the stored ones */
};

/* Writing. */
void chunk_begin(struct buf *out, uint32_t max_parallelism);
void chunk_begin_part(struct buf *out, uint32_t max_parallelism, const struct chunk_part *p);
/* `b` says kind, number, groups, rows; what it holds is `bytes`, packed where that saves something. */
void chunk_add(struct buf *out, struct chunk_block b, struct str bytes);
/* A draft of a chunk: its blocks are neither packed nor do they have checksums, until chunk_finish makes a chunk of it. */
void chunk_begin_draft(struct buf *out, size_t start); /* what begins at `start` becomes one */
void chunk_add_draft(struct buf *out, struct chunk_block b, struct str bytes);
struct str chunk_finish(struct str draft, struct buf *space);

/* Reading. */
struct chunk_reader {
    struct str bytes;
    size_t at;
    uint32_t max_parallelism;
    struct chunk_part part;
};
enum status chunk_open(struct chunk_reader *r, struct str bytes, struct err *e) CHECKED;
/* S_END behind the last one. The header alone is looked at. */
enum status chunk_next(struct chunk_reader *r, struct chunk_block *b, struct err *e) CHECKED;
/* What the block holds: a view of the chunk or, unpacked, of space. */
enum status chunk_read(const struct chunk_block *b, struct buf *space, struct str *out, struct err *e) CHECKED;
