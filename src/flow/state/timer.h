/* timer.h - timers of one keyed operator in one time domain (event time or processing time): a radix heap over
 * (time, key). Registering appends; duplicates and deletions are resolved when a bucket is split, so both cost O(1).
 *
 * Timers are de-duplicated per (key, time) and come out in the order of (time, key): the order is a function of the set,
 * not of how it came about. Times may lie in the past: such timers are due at once. Times beyond +-2^61 ms are taken for
 * INT64_MIN and INT64_MAX. A `struct timers` belongs to one
 * thread and to one state_host; keys are those of the operator (a namespace is one more key column). */
#pragma once
#include "flow/state/state.h"

/* Times below -2^61 are taken for INT64_MIN, which is always due: the first one that is not. */
#define TIMER_FIRST (1 - (INT64_C(1) << 61))

struct timers;

/* Timers that move. A key has one at most, and its row in a table of state says when it is due, so that putting it off is a
 * write to a row at hand: nobody looks at it before the time at which it lies. For operators whose keys put off what they
 * wait for with almost every row. Two words of the row are the timers': they mean nothing elsewhere. Snapshots have zero there,
 * and the timers as such; timers_let_move sets them anew. */
#define TIMER_BIAS (INT64_C(1) << 61)
static inline uint64_t timer_when(int64_t time)
{
    return (uint64_t)(MAX(MIN(time, TIMER_BIAS - 1), -TIMER_BIAS) + TIMER_BIAS) << 2;
}
/* Where its timer lies, as a row has it (0: it has none): may it be due at `time` without being set anew? Then the row's
 * second word may become that time. */
static inline bool timer_reaches(int64_t lies, int64_t time)
{
    return lies != 0 && timer_when(time) >= ((uint64_t)lies & ~UINT64_C(3));
}

/* name: what snapshots know them by, unique among the timers of a host. key: T_ROW of the key columns. Both outlive the timers.
 * Those of the host's restore (snapshot.h) are there at once. */
enum status timers_create(struct state_host *h, const char *name, const struct type *key, struct timers **out, struct err *e) CHECKED;
/* The same for keys whose first group_cols columns alone decide the key group, hashed by state_hash_within. */
enum status timers_create_within(struct state_host *h, const char *name, const struct type *key, uint32_t group_cols,
    struct timers **out, struct err *e) CHECKED;
void timers_free(struct timers *t); /* NULL is a no-op */

/* All timers move from now on, by the words at these offsets in rows of the table, whose keys are theirs and which has
 * handles; restored ones at most are there yet, and they go on so. E_BUDGET: no room. Then timers_put and timers_due are all that there is, beside what looks. */
enum status timers_let_move(struct timers *t, struct state_table *table, uint32_t lies_offset, uint32_t due_offset) CHECKED;
/* Is the word at this offset of the table's rows one of those two, of any timers? */
bool timers_have_word(const struct state_table *table, uint32_t offset);
/* times[i] for the i-th of keys, with its row and its handle; whatever timer it had is gone. What timers_due gives has none. */
enum status timers_put(struct timers *t, const struct state_keys *keys, const int64_t *times, void *const *rows,
    const uint64_t *handles) CHECKED;

/* times[i] belongs to the i-th of keys. keys->hashes may be NULL when the key is one column of at most 8 bytes. */
enum status timers_register(struct timers *t, const struct state_keys *keys, const int64_t *times) CHECKED; /* S_OK, E_BUDGET */
enum status timers_delete(struct timers *t, const struct state_keys *keys, const int64_t *times) CHECKED;
enum status timers_register_one(struct timers *t, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash,
    int64_t time) CHECKED;
enum status timers_delete_one(struct timers *t, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash,
    int64_t time) CHECKED;

/* Where keys stand among timers of one time: those of lower rank come first. Behind them a NULL that is the whole key, whose
 * rank means nothing; two keys share a rank where their hashes are the same. keys->hashes as for timers_register. */
void timers_ranks(struct timers *t, const struct state_keys *keys, uint64_t *ranks);

/* Removes timers with time <= upto in order and appends them: key columns to `keys` (key field k to column cols[k]; NULL =
 * k), up to its capacity, times[0..n) beside them, n rows being added. S_MORE: more are due, call again; S_OK: those were
 * all. Timers registered between two calls are taken in their order. */
enum status timers_due(struct timers *t, int64_t upto, struct batch *keys, const uint32_t *cols, int64_t *times,
    uint32_t *n) CHECKED;
/* For callbacks that see one timer at a time: true when since the last timers_due a timer at or below the last time that
 * it gave was registered or deleted, so that the rest of that batch may be out of date. The caller then gives the
 * rest back and asks again; the same key and time fires again only if it is registered again. */
bool timers_disturbed(const struct timers *t);
/* Gives back rows first..first+n of what timers_due wrote (same batch, cols, times[0..n) of those rows). Deletions made
 * since the timers_due hold against them. */
void timers_give_back(struct timers *t, const struct batch *keys, const uint32_t *cols, uint32_t first, const int64_t *times,
    uint32_t n);

/* The earliest time held, INT64_MAX when there is none. Never too late; too early only when that timer was deleted or moved. */
int64_t timers_next(const struct timers *t);
/* For tests: how many times timers were sorted or moved from place to place, ever. */
uint64_t timers_steps(const struct timers *t);
uint64_t timers_count(const struct timers *t); /* unresolved duplicates and deletions included */
/* For tests: exact numbers of all timers of a host, by what timers_of_processing_time said of each; takes its time. */
void timers_of_processing_time(struct timers *t);
void timers_count_all(const struct state_host *h, uint64_t *event, uint64_t *processing);
