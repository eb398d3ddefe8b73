/* group_alive.c - the rows of a batch of changes that count (group_alive.h), so that the rows of a batch at once give what they give one
 * by one. Where each group has more rows than the batch takes back there is nothing to find out; else one pass follows how many rows each
 * group has, and most batches need no more. Then rows are taken out of the selection: those that take back from a group that is not
 * there, and those up to the last time that a group went before it came again. */
#include "flow/operator/group_alive.h"

#include <string.h>

struct following {
    int64_t counts[BATCH_ROWS];  /* by number of the key: rows of the group */
    uint16_t ends[BATCH_ROWS];   /* the row behind the one with which it went last; 0: it did not */
    uint16_t begins[BATCH_ROWS]; /* the same, where it came again */
    uint64_t nothing[BATCH_ROWS / 64]; /* bits of rows that take back from nothing */
};

static bool adds(const struct batch *in, uint32_t i)
{
    enum row_kind kind = batch_kind(in, batch_row(in, i));

    return kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
}

/* Do all rows count? */
static bool groups_follow(struct following *f, const struct batch *in, const struct group_firsts *keys, bool every)
{
    uint32_t rows = batch_rows(in);
    bool all = true;

    for (uint32_t i = 0; i < rows; i++) {
        uint32_t k = keys->key_of[i];
        if (adds(in, i)) {
            if (f->counts[k]++ == 0 && f->ends[k] != 0 && !every) {
                f->begins[k] = f->ends[k];
                all = false;
            }
        } else if (f->counts[k] == 0) {
            bit_set(f->nothing, i);
            all = false;
        } else if (--f->counts[k] == 0) {
            f->ends[k] = (uint16_t)(i + 1);
        }
    }
    return all;
}

static void rows_select(struct group_alive *a, const struct following *f, const struct batch *in, struct group_firsts *keys, void **rows)
{
    uint32_t n = 0;

    memset(a->counted, 0, sizeof a->counted);
    for (uint32_t i = 0; i < batch_rows(in); i++) {
        uint16_t k = keys->key_of[i];
        if (bit_get(f->nothing, i) || i < f->begins[k]) continue;
        a->selection[n] = (uint16_t)batch_row(in, i);
        rows[n] = rows[i];
        keys->key_of[n++] = k;
        bit_set(a->counted, k);
    }
    a->view = *in;
    a->view.sel = a->selection;
    a->view.sel_count = n;
}

/* Has every group more rows than the batch takes back? */
static bool is_plenty(const struct batch *in, const struct group_firsts *keys, void *const *groups, uint32_t offset)
{
    int64_t least = INT64_MAX;
    uint32_t taken = 0;

    for (uint32_t k = 0; k < keys->count; k++) least = MIN(least, *state_word(groups[k], offset));
    if (least > BATCH_ROWS) return true;
    for (uint32_t i = 0; i < batch_rows(in); i++) taken += !adds(in, i);
    return taken == 0 || least > taken;
}

bool group_alive_find(struct group_alive *a, const struct batch *in, struct group_firsts *keys, void *const *groups, void **rows,
                      uint32_t offset, bool every)
{
    struct following f;

    if (is_plenty(in, keys, groups, offset)) return false;
    memset(f.ends, 0, sizeof *f.ends * keys->count);
    memset(f.begins, 0, sizeof *f.begins * keys->count);
    memset(f.nothing, 0, sizeof f.nothing);
    for (uint32_t k = 0; k < keys->count; k++) f.counts[k] = *state_word(groups[k], offset);
    if (groups_follow(&f, in, keys, every)) return false;
    memset(a->restarts, 0, sizeof a->restarts);
    for (uint32_t k = 0; k < keys->count; k++)
        if (f.begins[k] != 0 && *state_word(groups[k], offset) > 0) bit_set(a->restarts, k);
    rows_select(a, &f, in, keys, rows);
    return true;
}
