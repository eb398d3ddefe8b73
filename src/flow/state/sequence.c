/* sequence.c - ordered rows under a key, by way of MAP tables. A count row holds {rows there, next number}; removed rows
 * leave a number that a walk passes over. Keys of the tables are built in one-row batches of the outer key's columns and the
 * number or map key behind them. Lookups are by single key (state_get), so they never answer S_PENDING. */
#include "flow/state/sequence.h"

#include <string.h>

enum { COUNT_LIVE = 0, COUNT_NEXT = 8 };

static const struct type *joined(struct arena *a, const struct type *first, const struct type *second, const char *last)
{
    uint32_t n = first->child_count, m = second != NULL ? second->child_count : 0;
    const char **names = ARENA_ARRAY(a, const char *, n + m + 1);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + m + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++, count++) {
        names[count] = arena_printf(a, "a%u", i);
        types[count] = first->children[i];
    }
    for (uint32_t i = 0; i < m; i++, count++) {
        names[count] = arena_printf(a, "b%u", i);
        types[count] = type_with_null(a, second->children[i], false);
    }
    if (last != NULL) {
        names[count] = last;
        types[count++] = type_new(a, T_BIGINT, 0, 0, false);
    }
    return type_row(a, count, names, types, false);
}

static enum status open_table(struct sequence *s, struct state_def *d, const char *name, const struct type *key, const struct type *value,
                              struct state_ttl ttl, struct state_table **out, struct err *e)
{
    *d = (struct state_def){.name = name, .version = 1, .shape = STATE_MAP, .namespaced = true, .key = key, .value = value, .ttl = ttl};
    return state_open(s->host, d, out, e);
}

/* The fields first..first+count of a table's layout as a layout of their own. */
static struct state_layout part(const struct state_table *t, const struct type *type, uint32_t first, uint32_t count)
{
    struct state_layout l = t->value;

    l.type = type;
    l.fields = t->value.fields + first;
    l.field_count = count;
    return l;
}

enum status sequence_open(struct sequence *s, struct state_host *h, const char *name, const struct type *outer, const struct type *value,
                          const struct type *map_key, struct state_ttl ttl, struct err *e)
{
    struct arena *a = &s->arena;
    struct state_ttl never = {0};

    memset(s, 0, sizeof *s);
    arena_init(a, h->mem, 0);
    s->host = h;
    s->outer = outer;
    s->map_key = map_key;
    s->outer_count = outer->child_count;
    s->value_count = value->child_count;
    s->cols = ARENA_ARRAY(a, uint32_t, outer->child_count + 64);
    for (uint32_t i = 0; i < outer->child_count + 64; i++) s->cols[i] = i;
    const struct type *none = type_row(a, 0, NULL, NULL, false), *numbered = joined(a, outer, NULL, "number");
    TRY(open_table(s, &s->counts_def, arena_printf(a, "%s/counts", name), outer, joined(a, joined(a, none, NULL, "live"), NULL, "next"), never, &s->counts, e));
    TRY(open_table(s, &s->rows_def, arena_printf(a, "%s/rows", name), numbered, joined(a, value, map_key, "number"), ttl, &s->rows, e));
    s->value_layout = part(s->rows, value, 0, value->child_count);
    s->by_number = batch_create(numbered, 1, h->mem);
    s->by_number->count = 1;
    if (map_key == NULL) return S_OK;
    s->key_offset = s->rows->value.fields[value->child_count].offset;
    TRY(state_layout_init(&s->probe_layout, joined(a, none, map_key, NULL), h->mem, e));
    const struct type *keyed = joined(a, outer, map_key, NULL);
    s->by_key = batch_create(keyed, 1, h->mem);
    s->by_key->count = 1;
    return open_table(s, &s->index_def, arena_printf(a, "%s/index", name), keyed, joined(a, none, NULL, "number"), never, &s->index, e);
}

void sequence_close(struct sequence *s)
{
    if (s->host == NULL) return;
    state_close(s->counts);
    state_close(s->rows);
    state_close(s->index);
    if (s->map_key != NULL) state_layout_release(&s->probe_layout, s->host->mem);
    batch_free(s->by_number);
    batch_free(s->by_key);
    arena_release(&s->arena);
    s->host = NULL;
}

static void copy_outer(struct sequence *s, struct batch *to, const struct batch *b, const uint32_t *cols, uint32_t row)
{
    uint16_t at = (uint16_t)row;

    text_heap_clear(&to->heap);
    for (uint32_t i = 0; i < s->outer_count; i++) vector_copy(&to->cols[i], 0, &b->cols[cols[i]], &at, 1, &to->heap, to->mem);
}

void sequence_at(struct sequence *s, int64_t ns, const struct batch *b, const uint32_t *cols, uint32_t row)
{
    s->ns = ns;
    copy_outer(s, s->by_number, b, cols, row);
    if (s->by_key != NULL) copy_outer(s, s->by_key, b, cols, row);
}

static void *look_up(struct sequence *s, struct state_table *t, struct batch *b, uint32_t count, enum state_intent intent)
{
    uint64_t hash;
    bool created;

    batch_hash(b, s->cols, count, &hash);
    return state_get(t, s->ns, b, s->cols, 0, hash, intent, &created);
}

static void delete_one(struct sequence *s, struct state_table *t, struct batch *b, uint32_t count)
{
    uint64_t hash;

    batch_hash(b, s->cols, count, &hash);
    struct state_keys keys = {.batch = b, .cols = s->cols, .col_count = count, .count = 1, .hashes = &hash};
    enum status st = state_delete(t, s->ns, &keys);
    ASSERT(st == S_OK);
}

static int64_t *count_word(struct sequence *s, void *row, uint32_t which) { return state_word(row, s->counts->value.fields[which].offset); }
static int64_t *number_word(const struct state_table *t, void *row) { return state_word(row, t->value.fields[t->value.field_count - 1].offset); }

static void *row_number(struct sequence *s, int64_t number, enum state_intent intent)
{
    VECTOR_VALUES(&s->by_number->cols[s->outer_count], int64_t)[0] = number;
    return look_up(s, s->rows, s->by_number, s->outer_count + 1, intent);
}

/* A field of a probe row as the one value of a column. */
static void put_column(struct vector *v, const char *field)
{
    int64_t word;
    double real;

    memcpy(&word, field, sizeof word);
    memcpy(&real, field, sizeof real);
    switch ((enum phys)v->phys) {
    case P_BOOL: VECTOR_VALUES(v, bool)[0] = word != 0; break;
    case P_I8: VECTOR_VALUES(v, int8_t)[0] = (int8_t)word; break;
    case P_I16: VECTOR_VALUES(v, int16_t)[0] = (int16_t)word; break;
    case P_I32: VECTOR_VALUES(v, int32_t)[0] = (int32_t)word; break;
    case P_F32: VECTOR_VALUES(v, float)[0] = (float)real; break;
    case P_I64:
    case P_F64: memcpy(v->data, field, 8); break;
    default: memcpy(v->data, field, 16); break;
    }
}

static uint32_t put_key(struct sequence *s, const void *probe_key)
{
    for (uint32_t i = 0; i < s->map_key->child_count; i++)
        put_column(&s->by_key->cols[s->outer_count + i], (const char *)probe_key + s->probe_layout.fields[i].offset);
    return s->outer_count + s->map_key->child_count;
}

/* offset: where fields of the layout begin in the row */
void sequence_copy(struct sequence *s, void *row, const void *probe, const struct state_layout *l, uint32_t offset)
{
    for (uint32_t i = 0; i < l->field_count; i++) {
        const struct state_field *f = &l->fields[i];
        const char *from = (const char *)probe + f->offset;
        if (f->form >= STATE_STRING) {
            struct text t;
            memcpy(&t, from, sizeof t);
            state_text_set(s->rows, s->ns, state_text_at(row, offset + f->offset), text_str(&t));
        } else {
            memcpy((char *)row + offset + f->offset, from, f->form == STATE_WIDE ? 16 : 8);
        }
    }
}

void *sequence_add(struct sequence *s, const void *probe_key)
{
    void *count = look_up(s, s->counts, s->by_number, s->outer_count, STATE_INSERT);
    if (count == NULL) return NULL;
    int64_t number = (*count_word(s, count, 1))++;
    (*count_word(s, count, 0))++;
    void *row = row_number(s, number, STATE_INSERT);
    if (row == NULL || probe_key == NULL) return row;
    *number_word(s->rows, row) = number;
    sequence_copy(s, row, probe_key, &s->probe_layout, s->key_offset);
    void *entry = look_up(s, s->index, s->by_key, put_key(s, probe_key), STATE_INSERT);
    if (entry == NULL) return NULL;
    *number_word(s->index, entry) = number;
    return row;
}

const void *sequence_key(const struct sequence *s, const void *row) { return (const char *)row + s->key_offset; }

void *sequence_find(struct sequence *s, const void *probe_key)
{
    void *entry = look_up(s, s->index, s->by_key, put_key(s, probe_key), STATE_READ);

    return entry != NULL ? row_number(s, *number_word(s->index, entry), STATE_UPDATE) : NULL;
}

bool sequence_remove(struct sequence *s, const void *probe_key)
{
    uint32_t cols = put_key(s, probe_key);
    void *entry = look_up(s, s->index, s->by_key, cols, STATE_READ);

    if (entry == NULL) return false;
    bool was_there = row_number(s, *number_word(s->index, entry), STATE_READ) != NULL; /* expired ones are gone already */
    delete_one(s, s->rows, s->by_number, s->outer_count + 1);
    delete_one(s, s->index, s->by_key, cols);
    void *count = look_up(s, s->counts, s->by_number, s->outer_count, STATE_UPDATE);
    ASSERT(count != NULL);
    --*count_word(s, count, 0);
    return was_there;
}

void *sequence_next(struct sequence *s, struct view_cursor *c)
{
    void *count = look_up(s, s->counts, s->by_number, s->outer_count, STATE_READ);
    int64_t end = count != NULL ? *count_word(s, count, 1) : 0;

    while ((int64_t)c->at[0] < end) {
        void *row = row_number(s, (int64_t)c->at[0]++, STATE_READ);
        if (row == NULL) continue;
        c->step++;
        return row;
    }
    return NULL;
}

uint32_t sequence_count(struct sequence *s)
{
    struct view_cursor c = {0};

    if (s->rows_def.ttl.update == STATE_TTL_OFF) {
        void *count = look_up(s, s->counts, s->by_number, s->outer_count, STATE_READ);
        return count != NULL ? (uint32_t)*count_word(s, count, 0) : 0;
    }
    while (sequence_next(s, &c) != NULL) continue; /* with a time to live, what counts is what is still there */
    return c.step;
}

void sequence_clear(struct sequence *s)
{
    void *count = look_up(s, s->counts, s->by_number, s->outer_count, STATE_READ);
    int64_t end = count != NULL ? *count_word(s, count, 1) : 0;

    for (int64_t number = 0; number < end; number++) {
        void *row = row_number(s, number, STATE_READ);
        if (row == NULL) continue;
        if (s->index != NULL) {
            const void *one[] = {row};
            for (uint32_t i = 0; i < s->map_key->child_count; i++)
                state_rows_load(s->rows, one, 1, s->value_count + i, &s->by_key->cols[s->outer_count + i], 0, &s->by_key->heap, s->host->mem);
            delete_one(s, s->index, s->by_key, s->outer_count + s->map_key->child_count);
        }
        delete_one(s, s->rows, s->by_number, s->outer_count + 1);
    }
    if (count != NULL) delete_one(s, s->counts, s->by_number, s->outer_count);
}

void sequence_done(struct sequence *s)
{
    state_done(s->counts);
    state_done(s->rows);
    if (s->index != NULL) state_done(s->index);
}
