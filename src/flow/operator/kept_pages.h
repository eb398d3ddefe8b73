/* kept_pages.h - batches of kept rows beyond memory: those that were looked at least recently lie in a file, from which they are read when
 * they are asked for. Internal to kept_rows.c, and open to who asks whether reading failed. */
#pragma once
#include "flow/operator/row_runs.h"

enum { KEPT_PAGES_MIN = 8 }; /* batches in memory at least: so many that were asked for last are there */

struct kept_rows;
struct kept_page {
    int64_t at; /* in the file; size 0: not written */
    uint32_t size;
    uint64_t used;
};

struct kept_pages {
    struct op_cx *cx;
    const struct spill_config *spill;
    struct kept_page *list; /* of each batch */
    uint32_t capacity, in_memory;
    size_t bytes; /* of those in memory */
    uint64_t tick;
    char *path;
    struct sys_file *file;
    int64_t size, at; /* of the file; where it is read or written next */
    struct spill_block block;
    enum status failed; /* what went wrong when a batch was to be read */
};

struct kept_pages *kept_pages_create(struct op_cx *cx, const struct spill_config *spill);
void kept_pages_free(struct kept_pages *p); /* and the file; NULL is a no-op */
void kept_pages_clear(struct kept_pages *p);
/* A batch is full, the next one will be number k->batch_count: its page, and a batch that can be filled; NULL in *out: make one. */
enum status kept_pages_next(struct kept_rows *k, struct batch **out) CHECKED;
/* Batch i, which is read where it must be. When that fails another one, see failed. */
struct batch *kept_pages_get(const struct kept_rows *k, uint32_t i);
