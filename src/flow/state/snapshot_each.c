/* snapshot_each.c - walks a table of a backend that cannot be frozen, while nothing in it changes.
 *
 * The idea: keys are fetched by state_each into a batch, namespace by namespace; a plain row goes over as it is, and a head stands for
 * as many rows as it has. Not here: what becomes of rows (snapshot_save.c), tables that go on meanwhile (freeze.c). */
#include "flow/state/snapshot_each.h"

enum { HEADS_AHEAD = 8, SPACES_PER_STEP = 512 };

struct each_walk {
    struct state_table *table;
    const struct state_taker *to;
    const int64_t *spaces;
    uint32_t space_count, space_at;
    struct state_cursor cursor;
    bool has_heads, is_walked; /* state_each is through with the namespace */
    struct batch *keys;
    uint32_t key_at;
    struct state_scan scan;
    void *heads[BATCH_ROWS];
    void *rows[BATCH_ROWS];
    uint16_t owners[BATCH_ROWS];
    int64_t orders[BATCH_ROWS];
};

struct each_walk *each_walk_create(struct state_table *t, const struct state_taker *to)
{
    static const int64_t no_space[1] = {0};
    struct each_walk *w = mem_zalloc(t->host->mem, sizeof *w);

    w->table = t;
    w->to = to;
    w->has_heads = t->def->shape != STATE_MAP || t->def->map_key != NULL;
    w->spaces = no_space;
    w->space_count = 1;
    if (t->def->namespaced) w->spaces = state_namespaces(t, &w->space_count);
    w->keys = batch_create(t->def->key, BATCH_ROWS, t->host->mem);
    return w;
}

void each_walk_free(struct each_walk *w)
{
    if (w == NULL) return;
    batch_free(w->keys);
    mem_free(w->table->host->mem, w);
}

static enum status keys_fetch(struct each_walk *w)
{
    uint32_t n;

    batch_clear(w->keys);
    w->key_at = 0;
    enum status st = state_each(w->table, w->spaces[w->space_at], &w->cursor, w->keys, NULL, w->heads, &n);
    w->is_walked = st == S_OK;
    return st == S_MORE ? S_OK : st;
}

/* Rows of the keys that were fetched, as many as there is room for. */
static uint32_t heads_walk(struct each_walk *w, uint32_t room)
{
    struct state_table *t = w->table;
    uint32_t found = 0;
    bool are_places = t->def->shape == STATE_PLACES;

    while (found < room && w->key_at < w->keys->count) {
        void *head = w->heads[w->key_at];
        if (w->key_at + HEADS_AHEAD < w->keys->count) state_head_fetch(t, w->heads[w->key_at + HEADS_AHEAD]);
        uint32_t step = w->scan.step, most = room - found, n = t->type->walk(t, head, &w->scan, w->rows + found, most);
        const struct state_place *places = are_places && n > 0 ? state_places(t, head) + step : NULL;
        for (uint32_t i = 0; i < n; i++) w->owners[found + i] = (uint16_t)w->key_at;
        for (uint32_t i = 0; i < n && are_places; i++) w->orders[found + i] = (int64_t)places[i].order;
        found += n;
        if (n == most) break; /* there may be more of it */
        w->key_at++;
        w->scan = (struct state_scan){0};
    }
    return found;
}

static uint32_t entries_walk(struct each_walk *w, uint32_t room)
{
    uint32_t n = MIN(room, w->keys->count - w->key_at);

    for (uint32_t i = 0; i < n; i++) {
        w->owners[i] = (uint16_t)(w->key_at + i);
        w->rows[i] = w->heads[w->key_at + i];
    }
    w->key_at += n;
    return n;
}

static uint32_t rows_hand(struct each_walk *w, uint32_t max)
{
    uint32_t room = MIN(max, (uint32_t)BATCH_ROWS), n = w->has_heads ? heads_walk(w, room) : entries_walk(w, room);
    const struct state_taken taken = {w->spaces[w->space_at], w->keys, w->owners, w->rows,
                                      w->table->def->shape == STATE_PLACES ? w->orders : NULL, n};

    if (n > 0) w->to->take(w->to->arg, &taken);
    return n;
}

static bool space_is_through(const struct each_walk *w) { return w->is_walked && w->key_at == w->keys->count; }

static void space_next(struct each_walk *w)
{
    w->space_at++;
    w->cursor = (struct state_cursor){0};
    w->is_walked = false;
    w->key_at = 0;
    batch_clear(w->keys);
}

static enum status walk(struct each_walk *w, uint32_t max)
{
    uint32_t spaces = 0, done = 0;

    while (w->space_at < w->space_count) {
        if (done >= max || spaces == SPACES_PER_STEP) return S_MORE;
        if (w->key_at == w->keys->count && !w->is_walked) TRY(keys_fetch(w));
        done += rows_hand(w, max - done);
        if (!space_is_through(w)) continue;
        space_next(w);
        spaces++;
    }
    return S_OK;
}

enum status each_walk_next(struct each_walk *w, uint32_t max)
{
    enum status st = walk(w, max);

    w->table->type->rest(w->table);
    return st;
}
