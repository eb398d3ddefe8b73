/* lookup_cache.h - answers of a lookup, by key: the rows that were found, or that there are none. Who asks lists the keys of a batch,
 * gives it the rows that the table holds of those that are to be asked, and then finds all of them here until the next batch. */
#pragma once
#include "columns/column/batch.h"

struct lookup_cache_spec {
    const struct type *row;     /* of what is kept of a row */
    const struct type *key_row; /* of its key columns */
    const uint32_t *keys;   /* columns of it */
    uint32_t key_count;
    uint64_t null_safe; /* bit k: NULL equals NULL in key k */
    int64_t keys_max;   /* kept from batch to batch; 0: none */
    int64_t write_ms, access_ms; /* how long after it was asked, or used; 0: for ever */
    bool keeps_misses;
};

/* A row that was found; rows of one batch lie together. */
struct lookup_hit {
    const struct batch *batch;
    uint16_t row;
};

struct lookup_cache;
struct lookup_cache *lookup_cache_create(const struct lookup_cache_spec *spec, struct mem *mem);
void lookup_cache_free(struct lookup_cache *c); /* NULL is a no-op */

/* Between batches: forgets what is too old or too much, what was used longest ago first. Hits are good until then. */
void lookup_cache_trim(struct lookup_cache *c, int64_t now);
/* The key of row `row` of `in` (columns cols, hash as batch_hash) is wanted: it is to be asked if nothing good is known of it. */
void lookup_cache_want(struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row, uint64_t hash,
                       int64_t now);
/* Is something good known of the key? Then lookup_cache_next finds it, until the next trim. */
bool lookup_cache_knows(struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row, uint64_t hash, int64_t now);
/* How many keys are to be asked, and these, as rows of spec.key_row: at most BATCH_ROWS are copied into the empty batch. */
uint32_t lookup_cache_asked(const struct lookup_cache *c);
void lookup_cache_keys(const struct lookup_cache *c, struct batch *out);
/* Before rows that are wanted are put: the table has such keys (vectors of the columns of spec.row, of which only keys are read), whatever
 * becomes of their rows; it is no miss then. Put rows say so by themselves. */
void lookup_cache_seen(struct lookup_cache *c, const struct vector *const *values, const uint16_t *rows, uint32_t n);
void lookup_cache_seen_of(struct lookup_cache *c, const uint16_t *of, uint32_t n); /* of those that lookup_cache_keys gave */
/* Rows of the table, as vectors of the columns of spec.row: those are kept whose key is to be asked. */
void lookup_cache_put(struct lookup_cache *c, const struct vector *const *values, const uint16_t *rows, uint32_t n);
/* The same rows of[i] of those that lookup_cache_keys gave. */
void lookup_cache_put_of(struct lookup_cache *c, const struct vector *const *values, const uint16_t *rows, const uint16_t *of, uint32_t n);
/* The table was asked: keys that it has have their answer, others too if `last`, else they are to be asked again. */
void lookup_cache_answered(struct lookup_cache *c, bool last, int64_t now);
/* The table was asked in vain: rows that it gave are forgotten. */
void lookup_cache_failed(struct lookup_cache *c);
/* The rows of a key, one by one in the order they were put: *cursor 0 begins, false ends. */
bool lookup_cache_next(const struct lookup_cache *c, const struct batch *in, const uint32_t *cols, uint32_t row, uint64_t hash,
                       uint64_t *cursor, struct lookup_hit *out);
