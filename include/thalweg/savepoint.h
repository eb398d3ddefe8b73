/* savepoint.h - savepoints and checkpoints from outside of their job: what is in them is read as rows, and new ones are written, from
 * rows and from others.
 *
 *     struct seen { int64_t k, value; };
 *     TW_ROW(seen, TW_FIELD(seen, k, "BIGINT NOT NULL"), TW_FIELD(seen, value, "BIGINT NOT NULL"));
 *
 *     struct tw_saved *saved = tw_saved_open("savepoints/savepoint-3f2a91-0c55d1e6a7b8");
 *     struct tw_saved_rows *rows = tw_saved_read(saved, "counts", "seen", &seen_row);
 *     for (struct seen s; tw_saved_next(rows, &s);) printf("%lld %lld\n", (long long)s.k, (long long)s.value);
 *     tw_saved_rows_close(rows);
 *     if (tw_saved_error(saved) != NULL) fprintf(stderr, "%s\n", tw_saved_error(saved));
 *     tw_saved_close(saved);
 *
 * A mistake is kept, and what follows does nothing: look at tw_saved_error, tw_savepoint_error at the end. Names of columns are those that
 * `thalweg savepoint inspect` shows: those of the key; of a value that is one C value "value", of a struct its fields; the key of a map, where
 * it is one C value, "map_key". Files are checked by their digests and never believed. Use an object on one thread at a time. */
#pragma once
#include <thalweg/function.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- reading ------------------------------------------------------------------------------------------------------ */
struct tw_saved;
struct tw_saved_rows;

struct tw_saved_operator {
    const char *name, *uid, *id;    /* uid NULL: none was given; id: 32 hex digits */
    uint32_t parallelism, max_parallelism;
    uint32_t state_count;
    uint64_t bytes;                 /* of its state */
};
struct tw_saved_state {
    const char *name;
    const char *kind;               /* "keyed", "list", "union list", "broadcast", "timers" */
    uint64_t keys, rows, bytes;
};

/* The folder of a savepoint or checkpoint. Never NULL. */
TW_API struct tw_saved *tw_saved_open(const char *folder);
TW_API void tw_saved_close(struct tw_saved *s); /* NULL is a no-op; rows of it are closed before */
/* The first mistake, and what to do; NULL: there was none. */
TW_API const char *tw_saved_error(const struct tw_saved *s);
TW_API uint32_t tw_saved_operator_count(const struct tw_saved *s);
/* False: there is no i-th one. Texts live as long as s. The first call that is asked for states reads all of them. */
TW_API bool tw_saved_operator_at(struct tw_saved *s, uint32_t i, struct tw_saved_operator *out);
TW_API bool tw_saved_state_at(struct tw_saved *s, const char *uid, uint32_t i, struct tw_saved_state *out);
/* The rows of a state of the operator with that uid (or id), of all its subtasks: a row for each key, or each element of a list or map, in
 * the order in which they were written. Fields of `row` are columns of the state, by name and type. NULL after a mistake. */
TW_API struct tw_saved_rows *tw_saved_read(struct tw_saved *s, const char *uid, const char *state, const struct tw_row *row);
/* The next row; texts and elements in it hold until the next call. False: at the end, or after a mistake. */
TW_API bool tw_saved_next(struct tw_saved_rows *r, void *row);
TW_API void tw_saved_rows_close(struct tw_saved_rows *r); /* NULL is a no-op */

/* --- writing ------------------------------------------------------------------------------------------------------ */
struct tw_savepoint;

/* A savepoint that is to be written: empty, or (base) with all operators of that one, which stays open until it is written. Never NULL. */
TW_API struct tw_savepoint *tw_savepoint_create(struct tw_saved *base);
TW_API void tw_savepoint_free(struct tw_savepoint *p); /* NULL is a no-op */
TW_API const char *tw_savepoint_error(const struct tw_savepoint *p);
TW_API void tw_savepoint_remove(struct tw_savepoint *p, const char *uid);
TW_API void tw_savepoint_rename(struct tw_savepoint *p, const char *uid, const char *new_uid);
/* Rows of `row` become state `state` of the operator `uid`. Their fields with the names of those of `key` are the key. TW_VALUE (of a key
 * the last row stays), TW_LIST, TW_MAP, TW_OPERATOR_LIST, TW_OPERATOR_UNION (key NULL). All other fields are those of the value, of a map
 * also of its key: a key that is one C value is the field "map_key". Called again with more rows, or other states. The operator must not be
 * in the base; max_parallelism (0: 128) is the job's, or below it. */
TW_API void tw_savepoint_add(struct tw_savepoint *p, const char *uid, uint32_t max_parallelism, const struct tw_state *state,
                             const struct tw_row *key, const struct tw_row *row, const void *rows, size_t count);
/* Writes it into a folder that has none yet; `thalweg run -s FOLDER` begins with it. 0: done. */
TW_API int tw_savepoint_write(struct tw_savepoint *p, const char *folder);

#ifdef __cplusplus
}
#endif
