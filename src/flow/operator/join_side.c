/* join_side.c - one side's rows of a join, in keyed state.
 *
 * The shape is the least that serves: a row per key where the key holds a unique key; rows by their unique key where an update
 * comes without the row before; packed rows, or a log, where rows are only added and nobody counts their matches; else a multiset. All but the
 * entries work on a whole batch at once; the outcome is as if its rows had come one by one.
 *
 * Invariants: what may be pending is asked for by find, reserve and the first scan, before apply. Rows without a key are not
 * kept. Columns that nobody reads are not kept: rows that differ in nothing else count as equal, and are so. */
#include "flow/operator/join_side.h"

#include "flow/operator/join_pairs.h"
#include "flow/state/pack.h"
#include "ground/base/prng.h"

#include <string.h>

/* --- opening ----------------------------------------------------------------------------------------------------- */
static const struct type *columns_row(struct arena *a, const struct type *in, const uint32_t *cols, uint32_t count,
                                      bool nullable)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, count + 1);
    const char **names = ARENA_ARRAY(a, const char *, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        const struct type *t = in->children[cols[i]];
        types[i] = nullable ? type_with_null(a, t, true) : t;
        names[i] = in->names[cols[i]];
    }
    return type_row(a, count, names, types, false);
}

static const struct type *with_matches(struct arena *a, const struct type *row)
{
    uint32_t n = row->child_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);
    const char **names = ARENA_ARRAY(a, const char *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        types[i] = row->children[i];
        names[i] = row->names[i];
    }
    types[n] = type_new(a, T_BIGINT, 0, 0, false);
    names[n] = "matches";
    return type_row(a, n + 1, names, types, false);
}

/* The other input's key column that has this one's value in every pair: equal keys are the same bytes, but for floats. */
static uint32_t twin_of(const struct op_plan *p, uint32_t input, uint32_t col)
{
    const struct type *mine = p->inputs[input]->children[col];

    for (uint32_t k = 0; k < p->key_count[input]; k++) {
        uint32_t other = p->keys[1 - input][k];
        const struct type *theirs = p->inputs[1 - input]->children[other];
        bool fits = mine->phys == theirs->phys && mine->phys != P_F32 && mine->phys != P_F64 && (mine->nullable || !theirs->nullable);
        if (p->keys[input][k] == col && fits) return other;
    }
    return JOIN_NO_TWIN;
}

/* Rows of a packed side always come beside one of the other side, which has the key. */
static void columns_pick(struct join_side *s, const struct op_plan *p, const struct join_side_spec *spec)
{
    uint32_t input = spec->input, n = p->inputs[input]->child_count;
    const uint64_t *kept = spec->kept;
    bool has_twins = s->shape == JOIN_PACKED && !spec->has_many_others;

    s->cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    s->fields = ARENA_ARRAY(p->arena, int, n + 1);
    s->twins = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        s->twins[i] = has_twins ? twin_of(p, input, i) : JOIN_NO_TWIN;
        s->fields[i] = bit_get(kept, i) && s->twins[i] == JOIN_NO_TWIN ? (int)s->col_count : -1;
        if (s->fields[i] >= 0) s->cols[s->col_count++] = i;
    }
}

static bool may_pack(const struct join_side_spec *spec, const struct type *in)
{
    for (uint32_t i = 0; i < in->child_count; i++)
        if (bit_get(spec->kept, i) && !pack_fits_value(in->children[i])) return false;
    return spec->ttl_ms == 0;
}

static enum join_shape shape_of(const struct join_side_spec *spec, const struct type *in)
{
    if (spec->is_one_row) return JOIN_ROW;
    if (spec->is_after_only) return JOIN_ENTRIES;
    if (!spec->appends || spec->counts) return JOIN_ROWS;
    return may_pack(spec, in) ? JOIN_PACKED : JOIN_LOG;
}

static enum state_shape state_shape_of(enum join_shape shape)
{
    static const enum state_shape shapes[] = {[JOIN_ROW] = STATE_MAP, [JOIN_ENTRIES] = STATE_MAP, [JOIN_LOG] = STATE_LOG,
                                              [JOIN_PACKED] = STATE_PACKED, [JOIN_ROWS] = STATE_MULTISET};

    return shapes[shape];
}

enum status join_side_open(struct op_cx *cx, struct join_side *s, const struct join_side_spec *spec)
{
    struct arena *a = cx->plan->arena;
    const struct type *in = cx->plan->inputs[spec->input];

    s->shape = shape_of(spec, in);
    s->counts = spec->counts;
    s->is_after_only = spec->is_after_only;
    s->unique = spec->unique;
    columns_pick(s, cx->plan, spec);
    const struct type *value = columns_row(a, in, s->cols, s->col_count, false);
    s->matches = s->col_count;
    s->def = (struct state_def){
        .name = spec->name,
        .version = 1,
        .upgrade = STATE_UPGRADE_COLUMNS,
        .shape = (uint8_t)state_shape_of(s->shape),
        .key = columns_row(a, in, cx->plan->keys[spec->input], cx->plan->key_count[spec->input], true),
        .map_key = s->shape == JOIN_ENTRIES ? columns_row(a, in, spec->unique, spec->unique_count, false) : NULL,
        .value = s->shape == JOIN_ROW ? with_matches(a, value) : value,
        .ttl = state_ttl_of(spec->ttl_ms)};
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    if (s->shape == JOIN_ENTRIES) TRY(state_probe_init(&s->unique_keys, s->def.map_key, cx->mem, cx->err));
    return s->shape == JOIN_LOG || s->shape == JOIN_ROWS ? state_probe_init(&s->values, s->def.value, cx->mem, cx->err)
                                                         : S_OK;
}

void join_side_close(struct op_cx *cx, struct join_side *s)
{
    (void)cx;
    if (s->values.mem != NULL) state_probe_release(&s->values);
    if (s->unique_keys.mem != NULL) state_probe_release(&s->unique_keys);
    state_close(s->table);
}

/* --- finding ----------------------------------------------------------------------------------------------------- */
static void heads_without_key(struct join_side *s, uint32_t count, const uint64_t *no_key)
{
    for (uint32_t i = 0; i < count; i++)
        if (bit_get(no_key, i)) s->heads[i] = NULL;
}

/* A row per key whose matches change must not live longer for being looked at: reserving stamps nothing. */
enum status join_side_find(struct join_side *s, const struct state_keys *keys, const uint64_t *no_key)
{
    bool reserves = s->counts && s->shape == JOIN_ROW && s->def.ttl.ms > 0;
    enum state_intent intent = reserves ? STATE_RESERVE : s->counts ? STATE_UPDATE : STATE_READ;

    TRY(state_resolve(s->table, 0, keys, intent, s->heads, NULL));
    for (uint32_t i = 0; reserves && i < keys->count; i++)
        if (!state_is_set(s->table, i)) s->heads[i] = NULL;
    heads_without_key(s, keys->count, no_key);
    return S_OK;
}

enum status join_side_reserve(struct join_side *s, const struct state_keys *keys, const uint64_t *no_key)
{
    TRY(state_resolve(s->table, 0, keys, STATE_RESERVE, s->heads, NULL));
    heads_without_key(s, keys->count, no_key);
    return S_OK;
}

enum status join_side_scan(struct join_side *s, uint32_t count, struct state_scan *scan, struct state_hits *hits)
{
    if (s->shape != JOIN_ROW) return state_scan(s->table, 0, s->heads, count, scan, hits);
    hits->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (s->heads[i] == NULL) continue;
        hits->key[hits->count] = (uint16_t)i;
        hits->row[hits->count++] = s->heads[i];
    }
    return S_OK;
}

/* --- taking rows in ---------------------------------------------------------------------------------------------- */
static struct join_last *last_of(struct join_side *s, const void *row)
{
    uint32_t at = (uint32_t)(mix64((uintptr_t)row) % COUNT_OF(s->last));

    while (s->last[at].generation == s->generation && s->last[at].row != row) at = (at + 1) % COUNT_OF(s->last);
    return &s->last[at];
}

/* Which row is the last of its key; earlier ones leave nothing behind. */
static void last_rows_find(struct join_side *s, const struct batch *in)
{
    s->generation++;
    BATCH_EACH(in, i, row)
    {
        if (s->heads[i] == NULL) continue;
        struct join_last *l = last_of(s, s->heads[i]);
        bool is_there = l->generation == s->generation ? l->is_there : state_is_set(s->table, i);
        bool adds = join_adds(in, row);
        if (adds && is_there && s->is_after_only) bit_set(s->replaces, i);
        *l = (struct join_last){s->heads[i], s->generation, (uint16_t)i, adds};
    }
}

static void row_apply(struct join_side *s, const struct batch *in)
{
    void *kept[BATCH_ROWS];
    uint16_t numbers[BATCH_ROWS];
    uint32_t count = 0;

    last_rows_find(s, in);
    BATCH_EACH(in, i, row)
    {
        s->rows[i] = NULL;
        if (s->heads[i] == NULL || last_of(s, s->heads[i])->number != i) continue;
        if (!join_adds(in, row)) {
            state_erase(s->table, i);
            continue;
        }
        state_write(s->table, i);
        s->rows[i] = kept[count] = s->heads[i];
        numbers[count++] = (uint16_t)row;
    }
    for (uint32_t f = 0; f < s->col_count; f++)
        state_rows_store(s->table, 0, kept, count, f, &in->cols[s->cols[f]], numbers);
}

static enum status entry_apply(struct join_side *s, uint32_t i, const struct batch *in, uint32_t row)
{
    struct state_probe one = s->unique_keys;
    bool adds = join_adds(in, row);
    uint64_t created = 0;
    uint16_t number = (uint16_t)row;

    one.rows = state_probe_at(&s->unique_keys, i);
    one.count = 1;
    TRY(state_entry_resolve(s->table, 0, &s->heads[i], &one, adds ? STATE_INSERT : STATE_UPDATE, &s->rows[i],
                            &created));
    if (s->rows[i] == NULL) return S_OK;
    if (!adds) {
        state_row_remove(s->table, 0, s->heads[i], s->rows[i]);
        s->rows[i] = NULL;
        return S_OK;
    }
    if (!bit_get(&created, 0)) bit_set(s->replaces, i);
    for (uint32_t f = 0; f < s->col_count; f++)
        state_rows_store(s->table, 0, &s->rows[i], 1, f, &in->cols[s->cols[f]], &number);
    return S_OK;
}

static enum status entries_apply(struct join_side *s, const struct batch *in, const uint16_t *numbers)
{
    state_probe_fill(&s->unique_keys, in, s->unique, numbers, batch_rows(in));
    BATCH_EACH(in, i, row)
    {
        s->rows[i] = NULL;
        if (s->heads[i] != NULL) TRY(entry_apply(s, i, in, row));
    }
    return S_OK;
}

static enum status rows_apply(struct join_side *s, const struct batch *in, const uint16_t *numbers)
{
    int8_t deltas[BATCH_ROWS];
    uint32_t n = batch_rows(in);

    if (s->shape == JOIN_PACKED) return state_packed_append(s->table, 0, s->heads, in, s->cols, numbers, n);
    state_probe_fill(&s->values, in, s->cols, numbers, n);
    if (s->shape == JOIN_LOG) return state_log_append(s->table, 0, s->heads, &s->values, NULL, NULL);
    for (uint32_t i = 0; i < n; i++) deltas[i] = join_adds(in, numbers[i]) ? 1 : -1;
    return state_multiset_change(s->table, 0, s->heads, &s->values, deltas, s->rows);
}

enum status join_side_apply(struct join_side *s, const struct batch *in)
{
    uint16_t numbers[BATCH_ROWS];

    memset(s->replaces, 0, sizeof s->replaces);
    if (s->shape == JOIN_ROW) {
        row_apply(s, in);
        return S_OK;
    }
    BATCH_EACH(in, i, row) numbers[i] = (uint16_t)row;
    return s->shape == JOIN_ENTRIES ? entries_apply(s, in, numbers) : rows_apply(s, in, numbers);
}

/* --- matches ----------------------------------------------------------------------------------------------------- */
static int64_t *matches_word(const struct join_side *s, void *row)
{
    return state_word(row, s->table->value.fields[s->matches].offset);
}

uint32_t join_matches(const struct join_side *s, const void *row)
{
    if (s->shape == JOIN_ROW) return (uint32_t)*matches_word(s, (void *)row);
    return state_element_of(s->table, row)->matches;
}

static void matches_put(struct join_side *s, void *row, uint32_t matches)
{
    if (s->shape == JOIN_ROW)
        *matches_word(s, row) = matches;
    else
        state_element_of(s->table, row)->matches = matches;
}

void join_matches_change(struct join_side *s, uint32_t i, void *row, uint32_t matches)
{
    if (s->shape == JOIN_ROW)
        state_write(s->table, i);
    else
        state_row_write(s->table, 0, s->heads[i], row);
    matches_put(s, row, matches);
}

void join_matches_set(struct join_side *s, uint32_t i, uint32_t matches)
{
    if (s->counts && s->rows[i] != NULL) matches_put(s, s->rows[i], matches);
}
