/* group_keep.c - keeps values for an aggregate call, under each key of the group aggregation, in the cheapest shape that will do:
 *
 *     one value, nothing taken back      MAP       {value, rows}         overwritten when a better one comes; or a field of the
 *                                                                        group's own row
 *     LEAST, GREATEST, taken back        ORDERED   value -> {rows}       the result is the first or last row
 *     FIRST, LAST, ALL                   LOG       {value, order}        appended
 *     FIRST, LAST, ALL, taken back       MULTISET  {value, order}        order makes rows different; taking back removes the first
 *                                                                        equal value, as Flink's list does: it searches
 *     COUNTED                            MULTISET  {value}
 *
 * No verb that is used behind group_keep_resolve may be pending: results are read in the middle of a batch. The call's word in the
 * group's row counts the values that came, and gives their order. */
#include "flow/operator/group_keep.h"

#include <string.h>

enum { STRETCH = 256 };

struct group_keep {
    const struct agg *agg;
    struct state_def def;
    struct state_table *table;
    bool is_home;   /* the table is the group's: not this one's to open, to look up in or to close */
    uint32_t field; /* of the value, where one is kept */
    int64_t ns; /* of what was resolved */
    struct state_probe probe;
    struct mem *mem;
    bool retracts;
    void *heads[BATCH_ROWS];
    void *some[BATCH_ROWS], *changed[BATCH_ROWS]; /* of the rows at hand */
    struct vector order;                          /* by row of the batch */
    struct vector value;                          /* STRETCH values that were read */
    struct text_heap heap;
    struct buf scratch;
    uint32_t counts[STRETCH];
    int8_t minus[BATCH_ROWS];
};

static const struct type *row_of(struct arena *a, const struct type *first, const struct type *second)
{
    const struct type *types[] = {first, second};
    const char *names[] = {"value", "order"};

    return type_row(a, second != NULL ? 2 : 1, names, types, false);
}

static bool keeps_one(enum agg_keep keep) { return keep != AGG_KEEP_ALL && keep != AGG_KEEP_COUNTED; }
static bool is_sorted(enum agg_keep keep) { return keep == AGG_KEEP_LEAST || keep == AGG_KEEP_GREATEST; }

bool group_keep_is_one(const struct agg *a, bool retracts) { return !retracts && a->keep != AGG_KEEP_NOTHING && keeps_one(a->keep); }

/* How many rows came, where one value is kept. */
static int64_t *count_of(const struct group_keep *k, void *row)
{
    return k->is_home ? agg_word(k->agg, row, 0) : state_word(row, k->table->value.fields[1].offset);
}

static void shape_choose(struct group_keep *k, struct arena *a)
{
    const struct type *number = type_new(a, T_BIGINT, 0, 0, false), *value = k->agg->argument;
    enum agg_keep keep = k->agg->keep;

    k->def.value = row_of(a, value, number);
    if (!k->retracts && keeps_one(keep)) {
        k->def.shape = STATE_MAP;
        k->def.value = row_of(a, type_with_null(a, value, true), number);
    } else if (is_sorted(keep)) {
        k->def.shape = STATE_ORDERED;
        k->def.sort_unique = true;
        k->def.sort_key = row_of(a, value, NULL);
        k->def.value = row_of(a, number, NULL);
    } else if (keep == AGG_KEEP_COUNTED) {
        k->def.shape = STATE_MULTISET;
        k->def.value = row_of(a, value, NULL);
    } else {
        k->def.shape = k->retracts ? STATE_MULTISET : STATE_LOG;
    }
}

enum status group_keep_open(struct group_keep **out, struct op_cx *cx, const struct agg *a, const char *name,
                            const struct state_def *group, bool retracts, struct group_home home)
{
    struct arena *arena = cx->plan->arena;
    struct group_keep *k = *out = mem_zalloc(cx->mem, sizeof *k);

    k->agg = a;
    k->mem = cx->mem;
    k->retracts = retracts;
    k->def = (struct state_def){.name = name,
                                .version = 1,
                                .namespaced = group->namespaced,
                                .key = group->key,
                                .is_within = group->is_within,
                                .group_cols = group->group_cols,
                                .ttl = group->ttl};
    shape_choose(k, arena);
    memset(k->minus, -1, sizeof k->minus);
    buf_init(&k->scratch, cx->mem);
    text_heap_init(&k->heap, cx->mem);
    vector_init(&k->value, type_with_null(arena, a->argument, true), STRETCH, cx->mem);
    vector_init(&k->order, type_new(arena, T_BIGINT, 0, 0, false), BATCH_ROWS, cx->mem);
    k->is_home = home.table != NULL;
    k->table = home.table;
    k->field = home.field;
    if (k->is_home) return S_OK;
    TRY(state_open(cx->state, &k->def, &k->table, cx->err));
    return state_probe_init(&k->probe, k->def.shape == STATE_ORDERED ? k->def.sort_key : k->def.value, cx->mem, cx->err);
}

void group_keep_close(struct group_keep *k, struct mem *mem)
{
    if (k == NULL) return;
    state_probe_release(&k->probe);
    if (!k->is_home) state_close(k->table);
    vector_release(&k->value, mem);
    vector_release(&k->order, mem);
    text_heap_release(&k->heap);
    buf_release(&k->scratch);
    mem_free(mem, k);
}

enum status group_keep_resolve(struct group_keep *k, int64_t ns, const struct state_keys *keys, const uint16_t *key_of, uint32_t count,
                               void *const *groups)
{
    void *found[BATCH_ROWS];

    k->ns = ns;
    if (k->is_home) {
        memcpy(k->heads, groups, count * sizeof *groups);
        return S_OK;
    }
    if (key_of == NULL) return state_resolve(k->table, k->ns, keys, STATE_INSERT, k->heads, NULL);
    TRY(state_resolve(k->table, k->ns, keys, STATE_INSERT, found, NULL));
    for (uint32_t i = 0; i < count; i++) k->heads[i] = found[key_of[i]];
    return S_OK;
}

/* --- rows come --------------------------------------------------------------------------------------------------------- */
/* Values of the rows at hand, beside the order in which they came. */
static void probe_fill(struct group_keep *k, const struct batch *in, const struct group_rows *some, bool adds)
{
    static const uint32_t cols[] = {0, 1};
    struct vector two[2] = {in->cols[k->agg->col], k->order};
    struct batch view = *in;

    for (uint32_t i = 0; i < some->count; i++) {
        k->some[i] = k->heads[some->at[i]];
        if (adds) VECTOR_VALUES(&k->order, int64_t)[some->rows[i]] = ++*agg_word(k->agg, some->acc[i], 0);
    }
    view.cols = two;
    view.col_count = 2;
    state_probe_fill(&k->probe, &view, cols, some->rows, some->count);
}

/* The value of a row of the table into k->value[0]. */
static void value_read(struct group_keep *k, const void *row, uint32_t field)
{
    const void *rows[] = {row};

    text_heap_clear(&k->heap);
    vector_clear(&k->value);
    state_rows_load(k->table, rows, 1, field, &k->value, 0, &k->heap, k->mem);
}

/* One value is kept, and nothing is taken back. */
static void one_take(struct group_keep *k, const struct batch *in, const struct group_rows *some)
{
    const struct vector *v = &in->cols[k->agg->col];

    for (uint32_t i = 0; i < some->count; i++) {
        void *row = k->heads[some->at[i]];
        if ((*count_of(k, row))++ > 0) {
            if (k->agg->keep == AGG_KEEP_FIRST) continue;
            if (is_sorted(k->agg->keep)) {
                value_read(k, row, k->field);
                int order = vector_compare(v, some->rows[i], &k->value, 0);
                if (k->agg->keep == AGG_KEEP_LEAST ? order >= 0 : order <= 0) continue;
            }
        }
        state_rows_store(k->table, k->ns, &row, 1, k->field, v, &some->rows[i]);
    }
}

/* How many rows have each value. */
static enum status sorted_count(struct group_keep *k, uint32_t count, int by)
{
    uint32_t offset = k->table->value.fields[0].offset;

    TRY(state_ordered_insert(k->table, k->ns, k->some, &k->probe, k->changed, NULL));
    for (uint32_t i = 0; i < count; i++) {
        int64_t *rows = state_word(k->changed[i], offset);
        if (state_element_of(k->table, k->changed[i])->count == 0) continue;
        *rows += by;
        if (*rows > 0) state_row_write(k->table, k->ns, k->some[i], k->changed[i]);
        else state_row_remove(k->table, k->ns, k->some[i], k->changed[i]);
    }
    return S_OK;
}

enum status group_keep_add(struct group_keep *k, const struct batch *in, const struct group_rows *some)
{
    if (some->count == 0) return S_OK;
    if (k->def.shape == STATE_MAP) {
        one_take(k, in, some);
        return S_OK;
    }
    probe_fill(k, in, some, true);
    if (k->def.shape == STATE_ORDERED) return sorted_count(k, some->count, 1);
    if (k->def.shape == STATE_LOG) return state_log_append(k->table, k->ns, k->some, &k->probe, NULL, NULL);
    return state_multiset_change(k->table, k->ns, k->some, &k->probe, NULL, k->changed);
}

/* --- rows are taken back ------------------------------------------------------------------------------------------------ */
static void first_equal_remove(struct group_keep *k, void *head, const struct vector *v, uint32_t at)
{
    struct state_scan scan = {0};
    void *row;

    while ((row = state_head_next(k->table, k->ns, head, &scan)) != NULL) {
        value_read(k, row, 0);
        if (vector_compare(&k->value, 0, v, at) != 0) continue;
        state_row_remove(k->table, k->ns, head, row);
        return;
    }
}

enum status group_keep_retract(struct group_keep *k, const struct batch *in, const struct group_rows *some)
{
    ASSERT(k->retracts || some->count == 0);
    if (some->count == 0) return S_OK;
    if (k->def.shape == STATE_ORDERED || k->agg->keep == AGG_KEEP_COUNTED) {
        probe_fill(k, in, some, false);
        if (k->def.shape == STATE_ORDERED) return sorted_count(k, some->count, -1);
        return state_multiset_change(k->table, k->ns, k->some, &k->probe, k->minus, k->changed);
    }
    for (uint32_t i = 0; i < some->count; i++)
        first_equal_remove(k, k->heads[some->at[i]], &in->cols[k->agg->col], some->rows[i]);
    return S_OK;
}

void group_keep_clear(struct group_keep *k, uint32_t i)
{
    if (k->def.shape != STATE_MAP) state_head_clear(k->table, k->ns, k->heads[i]);
}

enum status group_keep_delete(struct group_keep *k, const struct state_keys *keys)
{
    ASSERT(!k->is_home);
    return state_delete(k->table, k->ns, keys);
}

void group_keep_drop(struct group_keep *k, int64_t ns) { state_drop(k->table, ns); }

void group_keep_done(struct group_keep *k)
{
    if (!k->is_home) state_done(k->table);
}

/* --- results ------------------------------------------------------------------------------------------------------------ */
/* The one row that is the result; NULL: none. */
static const void *row_of_result(struct group_keep *k, void *head)
{
    struct state_scan scan = {0};
    const void *found = NULL, *row;

    if (k->def.shape == STATE_MAP) return *count_of(k, head) > 0 ? head : NULL;
    if (k->def.shape == STATE_ORDERED) return state_ordered_edge(k->table, k->ns, head, k->agg->keep == AGG_KEEP_GREATEST);
    while ((row = state_head_next(k->table, k->ns, head, &scan)) != NULL) {
        found = row;
        if (k->agg->keep == AGG_KEEP_FIRST) break;
    }
    return found;
}

struct reading {
    struct agg_values values;
    struct group_keep *keep;
    void *head;
    struct state_scan scan;
};

static bool values_next(struct agg_values *values)
{
    struct reading *r = (struct reading *)values;
    struct group_keep *k = r->keep;
    const void *rows[STRETCH];
    void *row;

    values->count = 0;
    while (values->count < STRETCH && (row = state_head_next(k->table, k->ns, r->head, &r->scan)) != NULL) {
        k->counts[values->count] = k->def.shape == STATE_MULTISET ? state_element_of(k->table, row)->count : 1;
        rows[values->count++] = row;
    }
    text_heap_clear(&k->heap);
    vector_clear(&k->value);
    state_rows_load(k->table, rows, values->count, 0, &k->value, 0, &k->heap, k->mem);
    return values->count > 0;
}

void group_keep_result(struct group_keep *k, uint32_t i, struct batch *out, uint32_t col, uint32_t row)
{
    struct vector *v = &out->cols[col];

    if (!keeps_one(k->agg->keep)) {
        struct reading r = {.values = {.next = values_next, .v = &k->value, .counts = k->counts}, .keep = k, .head = k->heads[i]};
        buf_clear(&k->scratch);
        k->agg->type->fold(k->agg, &r.values, &(struct agg_place){v, row, &out->heap, out->mem, &k->scratch});
        return;
    }
    const void *rows[] = {row_of_result(k, k->heads[i])};
    if (rows[0] == NULL) vector_set_null(v, row);
    else if (k->def.shape == STATE_ORDERED) state_extra_load(k->table, rows, 1, 0, v, row, &out->heap, out->mem);
    else state_rows_load(k->table, rows, 1, k->field, v, row, &out->heap, out->mem);
}
