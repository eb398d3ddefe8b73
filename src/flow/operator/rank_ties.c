/* rank_ties.c - operator rank where rows may be taken back: rows of equal sort keys by what they are, so that taking one back does not
 * look at all of them.
 *
 * Rows of one sort key are told apart by a number at its end, and stand in the order of these. The index is an ordered map, (partition,
 * hash of the row, number): its first entry with a row's hash is the one that is taken back. Most sort keys have few rows, and their
 * rows need no entry: one that is among the first RANK_WALK of its sort key when it comes stays among them, as rows come behind and go
 * before, and is found there by looking at each. So only rows that come when there are as many have an entry; the lowest bit of their
 * number says so.
 *
 * Invariants: an entry is there as long as its row, or, with a time to live, as long as that is seen. Not here: looking at the first
 * rows, which is rank_find (rank_rows.c). */
#include "flow/operator/rank_internal.h"

struct rank_ties {
    struct mem *mem;
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;    /* one entry */
    uint32_t hash_offset, number_offset;
    uint32_t *cols;              /* that are kept */
    void *heads[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS]; /* of whole rows */
    bool is_resolved;
};

enum status rank_ties_open(struct op_cx *cx, struct rank *s)
{
    struct arena *a = cx->plan->arena;
    const struct type *word = type_new(a, T_BIGINT, 0, 0, false);
    const struct type **types = ARENA_ARRAY(a, const struct type *, 2);
    const char **names = ARENA_ARRAY(a, const char *, 2);
    struct rank_ties *t = mem_zalloc(cx->mem, sizeof *t);

    types[0] = types[1] = word;
    names[0] = "hash";
    names[1] = "number";
    s->ties = t;
    t->mem = cx->mem;
    t->def = (struct state_def){.name = "ties",
                                .version = 1,
                                .shape = STATE_ORDERED,
                                .sort_unique = true,
                                .key = s->def.key,
                                .sort_key = type_row(a, 2, names, types, false),
                                .value = type_row(a, 0, names, types, false),
                                .ttl = s->def.ttl};
    t->cols = ARENA_ARRAY(cx->plan->arena, uint32_t, s->column_count + 1);
    for (uint32_t i = 0; i < s->column_count; i++) t->cols[i] = s->columns[i].col;
    TRY(state_open(cx->state, &t->def, &t->table, cx->err));
    TRY(state_probe_init(&t->probe, t->def.sort_key, cx->mem, cx->err));
    t->probe.rows = mem_zalloc(cx->mem, t->probe.layout.size);
    t->probe.count = t->probe.capacity = 1;
    t->hash_offset = t->probe.layout.fields[0].offset;
    t->number_offset = t->probe.layout.fields[1].offset;
    return S_OK;
}

void rank_ties_close(struct rank *s)
{
    struct rank_ties *t = s->ties;

    if (t == NULL) return;
    state_close(t->table);
    state_probe_release(&t->probe);
    mem_free(t->mem, t);
}

/* --- a batch ------------------------------------------------------------------------------------------------------- */
enum status rank_ties_ready(struct rank *s, const struct batch *in)
{
    struct rank_ties *t = s->ties;
    const struct op_plan *p = s->plan;

    if (t->is_resolved) return S_OK;
    batch_hash(in, p->keys[0], p->key_count[0], t->hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], t->hashes);
    TRY(state_resolve(t->table, 0, &keys, STATE_RESERVE, t->heads, NULL));
    batch_hash(in, t->cols, s->column_count, t->hashes);
    t->is_resolved = true;
    return S_OK;
}

void rank_ties_done(struct rank *s)
{
    struct rank_ties *t = s->ties;

    if (t == NULL || !t->is_resolved) return;
    state_done(t->table);
    t->is_resolved = false;
}

static void entry_set(struct rank_ties *t, uint32_t i, int64_t number)
{
    *state_word(t->probe.rows, t->hash_offset) = (int64_t)t->hashes[i];
    *state_word(t->probe.rows, t->number_offset) = number;
}

enum status rank_ties_add(struct rank *s, uint32_t i, int64_t number)
{
    void *entry;

    entry_set(s->ties, i, number);
    return state_ordered_insert(s->ties->table, 0, &s->ties->heads[i], &s->ties->probe, &entry, NULL);
}

/* The first entry of the hash of row i whose number is greater than `after`; NULL: there is none. */
static enum status entry_next(struct rank *s, uint32_t i, int64_t after, void **entry)
{
    struct rank_ties *t = s->ties;
    struct state_range r = {.from = &t->probe, .from_open = true, .limit = 1};
    struct state_scan scan = {0};
    struct state_hits hits;

    entry_set(t, i, after);
    enum status st = state_ordered_scan(t->table, 0, &t->heads[i], 1, &r, &scan, &hits);
    if (st != S_OK && st != S_MORE) return st;
    *entry = hits.count > 0 ? hits.row[0] : NULL;
    if (*entry != NULL && *state_word(state_extra(t->table, *entry), t->hash_offset) != (int64_t)t->hashes[i]) *entry = NULL;
    return S_OK;
}

/* Rows whose hashes are equal are looked at, as the hash of one may be that of another. */
enum status rank_ties_find(struct rank *s, const struct batch *in, uint32_t i, void **entry, void **row)
{
    for (int64_t number = 0;;) {
        *row = NULL;
        TRY(entry_next(s, i, number, entry));
        if (*entry == NULL) return S_OK;
        number = *state_word(state_extra(s->ties->table, *entry), s->ties->number_offset);
        TRY(rank_numbered(s, i, number, row));
        if (*row != NULL && rank_is_equal(s, in, i, *row, s->all, s->column_count)) return S_OK;
    }
}

enum status rank_ties_entry(struct rank *s, uint32_t i, int64_t number, void **entry)
{
    TRY(entry_next(s, i, number - 1, entry));
    if (*entry != NULL && *state_word(state_extra(s->ties->table, *entry), s->ties->number_offset) != number) *entry = NULL;
    return S_OK;
}

void rank_ties_drop(struct rank *s, uint32_t i, void *entry) { state_row_remove(s->ties->table, 0, s->ties->heads[i], entry); }
