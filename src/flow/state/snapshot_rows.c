/* snapshot_rows.c - between rows of tables and columns, both ways, for every shape.
 *
 * The idea: reading goes field by field, as an operator reads; writing goes through the verbs of the shape with a whole batch at a time,
 * so heads, inner indexes, leaves and packed rows come to be as they would by work. What verbs do not take is set in the rows
 * afterwards: counts, matches, stamps.
 *
 * Invariants: rows of a key are put in in the order in which they were read. Not here: which rows (snapshot_load.c). */
#include "flow/state/snapshot_rows.h"

#include "flow/state/sb.h"

/* ---- out of rows */

static const struct schema_column *column_of(const struct state_schema *s, enum schema_role role)
{
    return s->count[role] > 0 ? &s->columns[s->first[role]] : NULL;
}

/* Of packed rows: views, which are good as long as the row lies where it does. */
static void texts_own(struct vector *v, uint32_t first, uint32_t n, struct batch *b)
{
    struct text *texts = VECTOR_VALUES(v, struct text);

    for (uint32_t i = first; i < first + n; i++) {
        if (!vector_is_null(v, i) && texts[i].size > TEXT_INLINE) texts[i] = text_put(&b->heap, texts[i].far, texts[i].size);
    }
}

static void value_columns(struct state_table *t, const struct state_schema *s, void *const *rows, uint32_t n, struct batch *b)
{
    const void *const *from = (const void *const *)rows;

    for (uint32_t f = 0; f < s->count[ROLE_VALUE]; f++) {
        struct vector *v = &b->cols[s->first[ROLE_VALUE] + f];
        state_rows_load(t, from, n, f, v, b->count, &b->heap, b->mem);
        if (t->pack != NULL && v->phys == P_STR) texts_own(v, b->count, n, b);
        if (!s->has_words && t->pack == NULL && v->phys == P_I64 && timers_have_word(t, t->value.fields[f].offset))
            memset((int64_t *)v->data + b->count, 0, n * sizeof(int64_t));
    }
    for (uint32_t f = 0; f < s->count[ROLE_EXTRA]; f++)
        state_extra_load(t, from, n, f, &b->cols[s->first[ROLE_EXTRA] + f], b->count, &b->heap, b->mem);
}

void columns_of_rows(struct state_table *t, const struct state_schema *s, void *const *rows, uint32_t n, struct batch *b)
{
    value_columns(t, s, rows, n, b);
    if (column_of(s, ROLE_COUNT) != NULL) {
        int32_t *to = (int32_t *)b->cols[s->first[ROLE_COUNT]].data + b->count;
        for (uint32_t i = 0; i < n; i++) to[i] = (int32_t)state_element_of(t, rows[i])->count;
    }
    if (column_of(s, ROLE_MATCHES) != NULL) {
        int32_t *to = (int32_t *)b->cols[s->first[ROLE_MATCHES]].data + b->count;
        for (uint32_t i = 0; i < n; i++) to[i] = (int32_t)state_element_of(t, rows[i])->matches;
    }
    if (column_of(s, ROLE_STAMP) != NULL) {
        int64_t *to = (int64_t *)b->cols[s->first[ROLE_STAMP]].data + b->count;
        for (uint32_t i = 0; i < n; i++) to[i] = *t->type->stamp(t, rows[i]);
    }
}

/* ---- into rows */

static bool has_heads(const struct state_def *d) { return d->shape != STATE_MAP || d->map_key != NULL; }

static uint32_t *cols_from(struct arena *a, uint32_t first, uint32_t count)
{
    uint32_t *cols = ARENA_ARRAY(a, uint32_t, count + 1);

    for (uint32_t i = 0; i < count; i++) cols[i] = first + i;
    return cols;
}

enum status rows_in_open(struct rows_in *in, struct state_table *t, const struct state_schema *own, struct arena *a, struct err *e)
{
    const struct state_def *d = t->def;
    const struct type *extra = d->map_key != NULL ? d->map_key : d->sort_key;

    in->table = t;
    buf_init(&in->places, t->host->mem);
    for (uint32_t k = 0; k < own->count[ROLE_KEY]; k++) in->key_cols[k] = own->first[ROLE_KEY] + k;
    in->value_cols = cols_from(a, own->first[ROLE_VALUE], own->count[ROLE_VALUE]);
    in->extra_cols = cols_from(a, own->first[ROLE_EXTRA], own->count[ROLE_EXTRA]);
    if (d->shape == STATE_LOG || d->shape == STATE_MULTISET) TRY(state_probe_init(&in->value, d->value, t->host->mem, e));
    if (extra != NULL) TRY(state_probe_init(&in->extra, extra, t->host->mem, e));
    return S_OK;
}

void rows_in_close(struct rows_in *in)
{
    if (in->table == NULL) return;
    state_probe_release(&in->value);
    state_probe_release(&in->extra);
    buf_release(&in->places);
}

/* One call of rows_in_put. */
struct put {
    struct rows_in *in;
    struct state_table *t;
    const struct state_schema *s;
    const struct batch *b;
    int64_t ns;
    const uint16_t *sel;
    uint32_t count;
};

static inline uint32_t row_of(const struct put *p, uint32_t i) { return p->sel != NULL ? p->sel[i] : i; }

static void values_store(const struct put *p)
{
    for (uint32_t f = 0; f < p->s->count[ROLE_VALUE]; f++)
        state_rows_store(p->t, p->ns, p->in->rows, p->count, f, &p->b->cols[p->s->first[ROLE_VALUE] + f], p->sel);
}

static enum status log_put(const struct put *p)
{
    state_probe_fill(&p->in->value, p->b, p->in->value_cols, p->sel, p->count);
    return state_log_append(p->t, p->ns, p->in->heads, &p->in->value, NULL, p->in->rows);
}

static enum status multiset_put(const struct put *p, struct err *e)
{
    const int32_t *counts = VECTOR_VALUES(&p->b->cols[p->s->first[ROLE_COUNT]], int32_t);

    state_probe_fill(&p->in->value, p->b, p->in->value_cols, p->sel, p->count);
    TRY(state_multiset_change(p->t, p->ns, p->in->heads, &p->in->value, NULL, p->in->rows));
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t count = (uint32_t)counts[row_of(p, i)];
        if (count == 0) return err_set(e, E_DATA, "a row that is there 0 times");
        state_element_of(p->t, p->in->rows[i])->count += count - 1; /* counted once already; rows that lost a column may be equal now */
    }
    return S_OK;
}

static enum status entries_put(const struct put *p)
{
    enum status st;

    state_probe_fill(&p->in->extra, p->b, p->in->extra_cols, p->sel, p->count);
    do {
        st = state_entry_resolve(p->t, p->ns, p->in->heads, &p->in->extra, STATE_INSERT, p->in->rows, NULL);
    } while (st == S_PENDING);
    TRY(st);
    values_store(p);
    return S_OK;
}

static enum status ordered_put(const struct put *p)
{
    state_probe_fill(&p->in->extra, p->b, p->in->extra_cols, p->sel, p->count);
    TRY(state_ordered_insert(p->t, p->ns, p->in->heads, &p->in->extra, p->in->rows, NULL));
    values_store(p);
    return S_OK;
}

/* rows[0..n) of one head go behind those that it has. */
static void places_add(const struct put *p, void *head, const uint64_t *written, uint32_t first, uint32_t n)
{
    const int64_t *orders = VECTOR_VALUES(&p->b->cols[p->s->first[ROLE_ORDER]], int64_t);
    uint32_t had = state_head_rows(head);
    struct buf *places = &p->in->places;

    buf_clear(places);
    if (had > 0) buf_append(places, state_places(p->t, head), had * sizeof(struct state_place));
    for (uint32_t i = first; i < first + n; i++) {
        struct state_place place = {(uint64_t)orders[row_of(p, i)], written[i]};
        buf_append(places, &place, sizeof place);
    }
    state_places_set(p->t, p->ns, head, (const struct state_place *)(const void *)places->data, had + n);
}

static void rows_number(const struct put *p, uint16_t *rows)
{
    for (uint32_t i = 0; i < p->count; i++) rows[i] = (uint16_t)row_of(p, i);
}

static enum status places_put(const struct put *p)
{
    uint64_t written[BATCH_ROWS];
    uint16_t rows[BATCH_ROWS];

    rows_number(p, rows);
    TRY(state_places_write(p->t, p->ns, p->b, p->in->value_cols, rows, p->count, written));
    for (uint32_t i = 0, n; i < p->count; i += n) {
        for (n = 1; i + n < p->count && p->in->heads[i + n] == p->in->heads[i];) n++;
        places_add(p, p->in->heads[i], written, i, n);
    }
    return S_OK;
}

static enum status packed_put(const struct put *p)
{
    uint16_t rows[BATCH_ROWS];

    rows_number(p, rows);
    return state_packed_append(p->t, p->ns, p->in->heads, p->b, p->in->value_cols, rows, p->count);
}

static enum status shape_put(const struct put *p, struct err *e)
{
    switch ((enum state_shape)p->t->def->shape) {
    case STATE_LOG: return log_put(p);
    case STATE_MULTISET: return multiset_put(p, e);
    case STATE_PACKED: return packed_put(p);
    case STATE_PLACES: return places_put(p);
    case STATE_ORDERED: return ordered_put(p);
    case STATE_MAP: break;
    }
    if (has_heads(p->t->def)) return entries_put(p);
    values_store(p);
    return S_OK;
}

/* What verbs do not take. Packed rows have none of it. */
static void details_set(const struct put *p)
{
    const struct state_schema *s = p->s;

    if (p->t->pack != NULL) return;
    if (s->count[ROLE_MATCHES] > 0) {
        const int32_t *matches = VECTOR_VALUES(&p->b->cols[s->first[ROLE_MATCHES]], int32_t);
        for (uint32_t i = 0; i < p->count; i++) state_element_of(p->t, p->in->rows[i])->matches = (uint32_t)matches[row_of(p, i)];
    }
    if (s->count[ROLE_STAMP] > 0 && p->t->def->ttl.update != STATE_TTL_OFF) {
        const int64_t *stamps = VECTOR_VALUES(&p->b->cols[s->first[ROLE_STAMP]], int64_t);
        for (uint32_t i = 0; i < p->count; i++)
            p->t->type->restamp(p->t, has_heads(p->t->def) ? p->in->heads[i] : NULL, p->in->rows[i], stamps[row_of(p, i)]);
    }
}

/* One row for each subtask: of two no one can be made. */
static enum status alone_check(const struct state_def *d, const uint64_t *created, uint32_t count, struct err *e)
{
    if (d->sharing == STATE_KEYED || has_heads(d)) return S_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (bit_get(created, i)) continue;
        err_set(e, E_CONFIG, "each subtask has a row of its own, and two would come together");
        err_hint(e, "Set the parallelism of the operator to what it was when the state was written.");
        return E_CONFIG;
    }
    return S_OK;
}

enum status rows_in_put(struct rows_in *in, const struct state_schema *s, const struct batch *b, int64_t ns, const uint16_t *sel,
                        uint32_t count, const uint64_t *hashes, struct err *e)
{
    struct put p = {in, in->table, s, b, ns, sel, count};
    struct state_keys keys = {.batch = b, .cols = in->key_cols, .col_count = s->count[ROLE_KEY], .count = count, .sel = sel, .hashes = hashes};
    uint64_t created[BATCH_ROWS / 64];
    enum status st;

    do {
        st = state_resolve(p.t, ns, &keys, STATE_INSERT, has_heads(p.t->def) ? in->heads : in->rows, created);
    } while (st == S_PENDING);
    if (st == S_OK) st = alone_check(p.t->def, created, count, e);
    if (st == S_OK) st = shape_put(&p, e);
    if (st == S_OK) details_set(&p);
    state_done(p.t);
    return st;
}

static bool can_append(const struct state_table *t)
{
    return t->type->append != NULL && !has_heads(t->def) && t->def->sharing == STATE_KEYED && t->def->key->child_count > 0;
}

enum status rows_in_append(struct rows_in *in, const struct state_schema *s, const struct batch *b, int64_t ns, const uint16_t *sel,
                           uint32_t count, const uint64_t *hashes, struct err *e)
{
    struct put p = {in, in->table, s, b, ns, sel, count};
    struct state_keys keys = {.batch = b, .cols = in->key_cols, .col_count = s->count[ROLE_KEY], .count = count, .sel = sel, .hashes = hashes};

    if (!can_append(p.t)) return rows_in_put(in, s, b, ns, sel, count, hashes, e);
    TRY(p.t->type->append(p.t, ns, &keys, in->rows));
    values_store(&p);
    details_set(&p);
    p.t->type->rest(p.t);
    return S_OK;
}

enum status rows_in_end(struct rows_in *in, struct err *e) { return can_append(in->table) ? in->table->type->append_end(in->table, e) : S_OK; }
