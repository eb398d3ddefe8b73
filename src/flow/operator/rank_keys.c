/* rank_keys.c - operator rank where rows replace those with their unique key, and places are many: from unique keys to sort keys.
 *
 * State: a map, (partition, unique key) -> the sort key of the row that has a place, and the number in which it ends (rank_rows.c). So
 * the row is found in the order by log n steps, however many places there are, and how many stand before it is counted there.
 *
 * Number 0 says that the key has no place: the entry of a row that fell out of the places is emptied at once, as the batch may hold it,
 * and deleted when the batch ends, unless its key got a place again.
 *
 * Not here: few places, which rank_rows.c looks through. */
#include "flow/operator/group_firsts.h"
#include "flow/operator/rank_internal.h"

struct rank_keys {
    struct mem *mem;
    struct state_def def;
    struct state_table *table;
    uint32_t *cols, col_count, group_count; /* of the input: the partition's, then those of the unique key */
    uint32_t *fields;                       /* of the row of the order, behind the partition's */
    uint32_t *each;                         /* columns of a key by itself */
    struct state_probe key;                 /* one sort key */
    struct batch *sort;                     /* the same as columns */
    struct batch *one, *gone;               /* the key of a row; those of rows that fell out */
    struct group_firsts firsts;             /* of those: a key may fall out twice */
    void *rows[BATCH_ROWS];
};

bool rank_keys_serve(const struct rank_config *c) { return c->unique.count > 0 && c->last > RANK_WALK; }

/* The partition's columns, then those of the unique key that are none of them. */
static void cols_find(struct op_cx *cx, struct rank *s, const struct rank_config *c, struct rank_keys *k)
{
    const struct op_plan *p = cx->plan;

    k->group_count = p->key_count[0];
    k->cols = ARENA_ARRAY(p->arena, uint32_t, k->group_count + c->unique.count + 1);
    k->fields = ARENA_ARRAY(p->arena, uint32_t, c->unique.count + 1);
    k->each = ARENA_ARRAY(p->arena, uint32_t, k->group_count + c->unique.count + 1);
    for (uint32_t i = 0; i < k->group_count; i++) k->cols[k->col_count++] = p->keys[0][i];
    for (uint32_t i = 0; i < s->unique_count; i++) {
        k->fields[i] = s->unique[i];
        k->cols[k->col_count++] = s->columns[s->unique[i]].col;
    }
    for (uint32_t i = 0; i < k->col_count; i++) k->each[i] = i;
}

enum status rank_keys_open(struct op_cx *cx, struct rank *s, const struct rank_config *c)
{
    struct rank_keys *k = mem_zalloc(cx->mem, sizeof *k);

    s->keys = k;
    k->mem = cx->mem;
    cols_find(cx, s, c, k);
    k->def = (struct state_def){.name = "keys",
                                .version = 1,
                                .shape = STATE_MAP,
                                .key = type_row_of(cx->plan->arena, cx->plan->inputs[0], k->cols, k->col_count),
                                .value = s->def.sort_key,
                                .is_within = k->group_count > 0 && k->group_count < k->col_count,
                                .group_cols = k->group_count,
                                .ttl = s->def.ttl};
    TRY(state_open(cx->state, &k->def, &k->table, cx->err));
    TRY(state_probe_init(&k->key, s->def.sort_key, cx->mem, cx->err));
    k->sort = batch_create(s->def.sort_key, 1, cx->mem);
    k->one = batch_create(k->def.key, 1, cx->mem);
    k->gone = batch_create(k->def.key, BATCH_ROWS, cx->mem);
    return S_OK;
}

void rank_keys_close(struct rank *s)
{
    struct rank_keys *k = s->keys;

    if (k == NULL) return;
    state_close(k->table);
    state_probe_release(&k->key);
    batch_free(k->sort);
    batch_free(k->one);
    batch_free(k->gone);
    mem_free(k->mem, k);
}

/* --- a batch ------------------------------------------------------------------------------------------------------- */
static void hashes_of(const struct rank_keys *k, const struct batch *b, const uint32_t *cols, uint64_t *out)
{
    if (k->def.is_within) state_hash_within(b, cols, k->group_count, k->col_count, out);
    else batch_hash(b, cols, k->col_count, out);
}

enum status rank_keys_resolve(struct rank *s, const struct batch *in)
{
    struct rank_keys *k = s->keys;
    uint64_t hashes[BATCH_ROWS];

    hashes_of(k, in, k->cols, hashes);
    struct state_keys keys = state_keys_of(in, k->cols, k->col_count, hashes);
    return state_resolve(k->table, 0, &keys, STATE_RESERVE, k->rows, NULL);
}

static int64_t *number_of(const struct rank *s, void *entry) { return state_word(entry, s->keys->table->value.fields[s->order_count].offset); }

/* The sort key of an entry. */
static struct state_probe key_of(struct rank *s, const void *entry)
{
    struct rank_keys *k = s->keys;

    batch_clear(k->sort);
    for (uint32_t f = 0; f <= s->order_count; f++)
        state_rows_load(k->table, &entry, 1, f, &k->sort->cols[f], 0, &k->sort->heap, k->sort->mem);
    state_probe_fill(&k->key, k->sort, NULL, NULL, 1);
    return k->key;
}

enum status rank_keys_find(struct rank *s, uint32_t i, void **row, uint32_t *at)
{
    void *entry = s->keys->rows[i];
    struct state_scan scan = {0};
    struct state_hits hits;

    *row = NULL;
    if (*number_of(s, entry) == 0) return S_OK;
    struct state_probe key = key_of(s, entry);
    struct state_range this = {.from = &key, .to = &key, .limit = 1}, before = {.to = &key, .to_open = true};
    enum status st = state_ordered_scan(s->table, 0, &s->heads[i], 1, &this, &scan, &hits);
    if (st != S_OK && st != S_MORE) return st;
    if (hits.count == 0) return S_OK;
    TRY(state_ordered_count(s->table, 0, &s->heads[i], 1, &before, at));
    *row = hits.row[0];
    return S_OK;
}

void rank_keys_set(struct rank *s, const struct batch *in, uint32_t i, int64_t number)
{
    struct rank_keys *k = s->keys;
    uint16_t row = (uint16_t)batch_row(in, i);

    for (uint32_t f = 0; f < s->order_count; f++) state_rows_store(k->table, 0, &k->rows[i], 1, f, &in->cols[s->order[f]], &row);
    *number_of(s, k->rows[i]) = number;
    state_write(k->table, i);
}

void rank_keys_touch(struct rank *s, uint32_t i) { state_write(s->keys->table, i); }

/* --- rows that fall out -------------------------------------------------------------------------------------------- */
void rank_keys_forget(struct rank *s, const struct batch *in, uint32_t i, const void *row)
{
    struct rank_keys *k = s->keys;
    uint16_t from = (uint16_t)batch_row(in, i);
    uint64_t hash;

    batch_clear(k->one);
    for (uint32_t f = 0; f < k->col_count; f++) {
        struct vector *to = &k->one->cols[f];
        if (f < k->group_count) vector_copy(to, 0, &in->cols[k->cols[f]], &from, 1, &k->one->heap, k->mem);
        else state_rows_load(s->table, &row, 1, k->fields[f - k->group_count], to, 0, &k->one->heap, k->mem);
    }
    k->one->count = 1;
    hashes_of(k, k->one, k->each, &hash);
    void *entry = state_get(k->table, 0, k->one, k->each, 0, hash, STATE_UPDATE, NULL);
    if (entry == NULL) return;
    *number_of(s, entry) = 0;
    batch_append(k->gone, k->one, NULL, 0);
}

enum status rank_keys_end(struct rank *s)
{
    struct rank_keys *k = s->keys;
    uint64_t hashes[BATCH_ROWS];
    uint16_t empty[BATCH_ROWS];
    uint32_t n = 0;

    if (k->gone->count == 0) return S_OK;
    hashes_of(k, k->gone, k->each, hashes);
    struct state_keys all = state_keys_of(k->gone, k->each, k->col_count, hashes);
    group_firsts_find(&k->firsts, &all);
    for (uint32_t i = 0; i < k->firsts.count; i++) {
        uint16_t row = k->firsts.rows[i];
        void *entry = state_get(k->table, 0, k->gone, k->each, row, k->firsts.hashes[i], STATE_READ, NULL);
        if (entry == NULL || *number_of(s, entry) != 0) continue;
        hashes[n] = k->firsts.hashes[i];
        empty[n++] = row;
    }
    struct state_keys keys = {.batch = k->gone, .cols = k->each, .col_count = k->col_count, .count = n, .sel = empty, .hashes = hashes};
    if (n > 0) TRY(state_delete(k->table, 0, &keys));
    batch_clear(k->gone);
    return S_OK;
}

void rank_keys_done(struct rank *s)
{
    if (s->keys != NULL) state_done(s->keys->table);
}
