/* gone.c - what went out of a table since the last barrier: keys, and namespaces that were dropped whole.
 *
 * The idea: files say what has changed, and what is no more leaves no entry that could be marked. So its key is noted when it goes;
 * whether files know of it does not matter: saying that it is gone hurts nobody. A key that comes again is in the files, too: what
 * is gone counts before what is there.
 *
 * Invariant: namespaces that were dropped come before keys. Not here: entries (entry.c), what is done with the notes (snapshot_save.c). */
#include "flow/state/freeze.h"

#include <string.h>

struct gone_keys {
    struct gone_keys *next;
    struct batch *keys;
    int64_t spaces[BATCH_ROWS];
};

struct gone {
    struct key_set one;
    struct gone_keys *first, *last;
    int64_t *dropped;
    uint32_t dropped_count, dropped_capacity;
};

static struct gone *gone_of(struct hm_table *t)
{
    if (t->gone == NULL) {
        t->gone = mem_zalloc(t->base.host->mem, sizeof *t->gone);
        key_set_init(&t->gone->one, t->base.host->mem);
    }
    return t->gone;
}

static struct gone_keys *keys_room(struct hm_table *t, struct gone *g)
{
    struct mem *mem = t->base.host->mem;

    if (g->last != NULL && g->last->keys->count < BATCH_ROWS) return g->last;
    struct gone_keys *k = mem_alloc(mem, sizeof *k);
    k->next = NULL;
    k->keys = batch_create(t->base.def->key, BATCH_ROWS, mem);
    if (g->last != NULL) g->last->next = k;
    else g->first = k;
    g->last = k;
    return k;
}

void gone_note(struct hm_table *t, const struct space *s, const struct shard *sh, uint32_t slot)
{
    struct gone *g = gone_of(t);
    struct gone_keys *k = keys_room(t, g);

    g->one.has_nulls = false;
    entry_key(t, sh, slot, &g->one, 0);
    key_scatter(&t->key, &g->one, 1, k->keys, NULL, k->keys->count);
    k->spaces[k->keys->count++] = s->ns;
}

void gone_drop(struct hm_table *t, int64_t ns)
{
    struct gone *g = gone_of(t);

    if (g->dropped_count == g->dropped_capacity) {
        g->dropped_capacity = MAX(16u, 2 * g->dropped_capacity);
        g->dropped = mem_realloc(t->base.host->mem, g->dropped, g->dropped_capacity * sizeof *g->dropped);
    }
    g->dropped[g->dropped_count++] = ns;
}

/* Runs of one namespace. */
static void keys_hand(const struct gone_keys *k, const struct state_taker *to, struct batch *run)
{
    uint16_t rows[BATCH_ROWS];

    for (uint32_t i = 0, n; i < k->keys->count; i += n) {
        for (n = 0; i + n < k->keys->count && k->spaces[i + n] == k->spaces[i]; n++) rows[n] = (uint16_t)(i + n);
        batch_clear(run);
        for (uint32_t c = 0; c < run->col_count; c++) vector_copy(&run->cols[c], 0, &k->keys->cols[c], rows, n, &run->heap, run->mem);
        run->count = n;
        to->gone(to->arg, k->spaces[i], run, n);
    }
}

void gone_hand_over(struct hm_table *t, const struct state_taker *to)
{
    struct gone *g = t->gone;
    struct mem *mem = t->base.host->mem;

    if (g == NULL) return;
    t->gone = NULL;
    struct batch *run = to != NULL ? batch_create(t->base.def->key, BATCH_ROWS, mem) : NULL;
    for (uint32_t i = 0; to != NULL && i < g->dropped_count; i++) to->dropped(to->arg, g->dropped[i]);
    for (struct gone_keys *k = g->first, *next; k != NULL; k = next) {
        next = k->next;
        if (to != NULL) keys_hand(k, to, run);
        batch_free(k->keys);
        mem_free(mem, k);
    }
    batch_free(run);
    key_set_release(&g->one);
    mem_free(mem, g->dropped);
    mem_free(mem, g);
}
