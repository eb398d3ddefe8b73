/* opstate.c - operator state: one list or broadcast map per subtask, without keys. It is a sequence under one constant key. */
#include "flow/state/sequence.h"

struct opstate {
    struct sequence sequence;
    struct mem *mem;
    struct arena arena;
    enum opstate_kind kind;
    struct batch *outer; /* one row: the constant key */
};

enum status opstate_create(struct state_host *h, const char *name, enum opstate_kind kind, const struct type *map_key,
                           const struct type *value, struct opstate **out, struct err *e)
{
    static const uint32_t col = 0;
    struct opstate *s = mem_zalloc(h->mem, sizeof *s);
    const char *field = "subtask";

    ASSERT((kind == OPSTATE_BROADCAST) == (map_key != NULL));
    *out = s;
    s->mem = h->mem;
    s->kind = kind;
    arena_init(&s->arena, h->mem, 0);
    const struct type *bigint = type_new(&s->arena, T_BIGINT, 0, 0, false);
    const struct type *outer = type_row(&s->arena, 1, &field, &bigint, false);
    s->outer = batch_create(outer, 1, h->mem);
    VECTOR_VALUES(&s->outer->cols[0], int64_t)[0] = 0;
    s->outer->count = 1;
    TRY(sequence_open(&s->sequence, h, name, outer, value, map_key, (struct state_ttl){0}, e));
    sequence_at(&s->sequence, 0, s->outer, &col, 0);
    return S_OK;
}

void opstate_free(struct opstate *s)
{
    if (s == NULL) return;
    sequence_close(&s->sequence);
    batch_free(s->outer);
    arena_release(&s->arena);
    mem_free(s->mem, s);
}

const struct state_layout *opstate_layout(const struct opstate *s) { return &s->sequence.value_layout; }
const struct state_layout *opstate_key_layout(const struct opstate *s) { return &s->sequence.probe_layout; }
struct state_table *opstate_table(struct opstate *s) { return s->sequence.rows; }

enum status opstate_add(struct opstate *s, const void *probe_row)
{
    ASSERT(s->kind != OPSTATE_BROADCAST);
    void *row = sequence_add(&s->sequence, NULL);
    if (row == NULL) return E_BUDGET;
    sequence_copy(&s->sequence, row, probe_row, &s->sequence.value_layout, 0);
    return S_OK;
}

void opstate_clear(struct opstate *s)
{
    sequence_clear(&s->sequence);
    sequence_done(&s->sequence);
}

uint32_t opstate_count(struct opstate *s) { return sequence_count(&s->sequence); }
void *opstate_next(struct opstate *s, struct view_cursor *c) { return sequence_next(&s->sequence, c); }
void *opstate_get(struct opstate *s, const void *probe_key) { return sequence_find(&s->sequence, probe_key); }

void *opstate_put(struct opstate *s, const void *probe_key, bool *is_new)
{
    void *row = sequence_find(&s->sequence, probe_key);

    if (is_new != NULL) *is_new = row == NULL;
    return row != NULL ? row : sequence_add(&s->sequence, probe_key);
}

bool opstate_remove(struct opstate *s, const void *probe_key) { return sequence_remove(&s->sequence, probe_key); }
const void *opstate_key(const struct opstate *s, const void *row) { return sequence_key(&s->sequence, row); }
void opstate_text_set(struct opstate *s, struct state_text *field, struct str value) { state_text_set(s->sequence.rows, 0, field, value); }
