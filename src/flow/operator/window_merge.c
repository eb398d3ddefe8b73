/* window_merge.c - windows that merge: sessions, and custom ones that say so.
 *
 * The idea: per key the sessions in flight are rows of an ordered table, by their end; they neither overlap nor touch. For
 * a chunk of rows those that may matter (which end at or behind the first row's window) are loaded once, as lists of nodes
 * in order of time, and every row's window is merged into its key's list before anything else happens. That leaves, per
 * row, the window it is in, where its contents lie, and which windows came together. Contents stay under the window with
 * which a session began (`id`), so that growing moves nothing.
 *
 * A chunk ends early when its windows would not fit the arrays of one batch. */
#include "flow/operator/window_internal.h"

enum { FIELD_START, FIELD_ID_START, FIELD_ID_END };

enum status window_sessions_open(struct window_engine *e)
{
    struct op_cx *op = e->op;
    struct arena *a = op->plan->arena;
    struct window_sessions *s = mem_zalloc(op->mem, sizeof *s);
    const struct type *word = type_new(a, T_BIGINT, 0, 0, false);
    const char **names = ARENA_ARRAY(a, const char *, 3);
    const struct type **types = ARENA_ARRAY(a, const struct type *, 3);

    e->sessions = s;
    names[0] = "start", names[1] = "id_start", names[2] = "id_end";
    types[0] = types[1] = types[2] = word;
    s->def = (struct state_def){.name = "window-sessions",
                                .version = 1,
                                .shape = STATE_ORDERED,
                                .sort_unique = true,
                                .key = type_row(a, e->key_count, e->key_type->names, e->key_type->children, false),
                                .value = type_row(a, 3, names, types, false)};
    const char **end = ARENA_ARRAY(a, const char *, 1);
    end[0] = "end";
    s->def.sort_key = type_row(a, 1, end, types, false);
    TRY(state_open(op->state, &s->def, &s->table, op->err));
    return state_probe_init(&s->probe, s->def.sort_key, op->mem, op->err);
}

void window_sessions_close(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;

    if (s == NULL) return;
    if (s->table != NULL) state_probe_release(&s->probe);
    state_close(s->table);
    mem_free(e->op->mem, s->nodes);
    mem_free(e->op->mem, s);
}

/* --- loading ------------------------------------------------------------------------------------------------------------ */
static uint32_t node_add(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;

    if (s->node_count == s->node_capacity) {
        s->node_capacity = s->node_capacity ? s->node_capacity * 2 : 256;
        s->nodes = mem_realloc(e->op->mem, s->nodes, s->node_capacity * sizeof *s->nodes);
    }
    s->nodes[s->node_count] = (struct window_node){.next = WINDOW_NONE, .slot = WINDOW_NONE};
    return s->node_count++;
}

/* Groups items by their keys' heads, in order of first appearance. */
static void group_items(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;

    s->group_count = 0;
    memset(s->table_of, 0, sizeof s->table_of);
    for (uint32_t i = 0; i < e->item_count - e->item_first; i++) {
        const struct window_item *item = &e->items[e->item_first + i];
        void *head = s->item_heads[i];
        if (head == NULL) {
            s->group_of[i] = UINT16_MAX;
            continue;
        }
        uint32_t at = (uint32_t)s->hashes[i] % (2 * BATCH_ROWS);
        while (s->table_of[at] != 0 && s->heads[s->table_of[at] - 1] != head) at = (at + 1) % (2 * BATCH_ROWS);
        if (s->table_of[at] == 0) {
            s->heads[s->group_count] = head;
            s->from[s->group_count] = INT64_MAX;
            s->first[s->group_count] = s->hint[s->group_count] = WINDOW_NONE;
            s->table_of[at] = (uint16_t)++s->group_count;
        }
        uint32_t g = s->group_of[i] = (uint16_t)(s->table_of[at] - 1);
        s->from[g] = MIN(s->from[g], item->window.start);
    }
}

static enum status load_nodes(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;
    struct state_hits *hits = arena_alloc(e->op->scratch, sizeof *hits);
    struct state_scan scan = {0};
    struct state_range range = {.from_word = s->from};
    uint32_t *lasts = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *lasts);
    const struct state_field *f = s->table->value.fields;
    enum status st = S_MORE;

    s->node_count = 0;
    for (uint32_t g = 0; g < s->group_count; g++) lasts[g] = WINDOW_NONE;
    while (st == S_MORE && s->group_count > 0) {
        st = state_ordered_scan(s->table, 0, s->heads, s->group_count, &range, &scan, hits);
        if (st != S_OK && st != S_MORE) return st;
        for (uint32_t i = 0; i < hits->count; i++) {
            uint32_t n = node_add(e), g = hits->key[i];
            void *row = hits->row[i];
            struct window_node *node = &s->nodes[n];
            node->row = row;
            node->group = g;
            node->window.start = *state_word(row, f[FIELD_START].offset);
            node->window.end = *state_word(state_extra(s->table, row), s->table->extra.fields[0].offset);
            node->id = (struct tw_window){*state_word(row, f[FIELD_ID_START].offset),
                                          *state_word(row, f[FIELD_ID_END].offset)};
            if (lasts[g] == WINDOW_NONE)
                s->first[g] = n;
            else
                s->nodes[lasts[g]].next = n;
            lasts[g] = n;
        }
    }
    return S_OK;
}

static enum status load(struct window_engine *e, enum state_intent intent)
{
    struct window_sessions *s = e->sessions;
    uint32_t n = e->item_count - e->item_first;
    uint16_t *sel = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *sel);
    struct batch view = *e->owners.batch;

    for (uint32_t i = 0; i < n; i++) sel[i] = (uint16_t)(e->item_first + i);
    view.sel = sel;
    view.sel_count = n;
    batch_hash(&view, e->cols, e->key_count, s->hashes);
    struct state_keys keys = {.batch = e->owners.batch,
                              .cols = e->cols,
                              .col_count = e->key_count,
                              .count = n,
                              .sel = sel,
                              .hashes = s->hashes};
    TRY(state_resolve(s->table, 0, &keys, intent, s->item_heads, NULL));
    group_items(e);
    return load_nodes(e);
}

/* --- planning rows ---------------------------------------------------------------------------------------------------------- */
static uint32_t key_add(struct window_keys *k, uint32_t item, const struct tw_window *w)
{
    k->source[k->count] = (uint16_t)item;
    k->window[k->count] = *w;
    return k->count++;
}

static uint32_t slot_of(struct window_engine *e, uint32_t item, struct window_node *node)
{
    if (node->slot == WINDOW_NONE) node->slot = key_add(e->slots, item, &node->id);
    return node->slot;
}

static void merged_add(struct window_engine *e, uint32_t item, struct window_node *node)
{
    if (e->merged_count == e->merged_capacity) {
        e->merged_capacity = e->merged_capacity ? e->merged_capacity * 2 : 64;
        e->merged = mem_realloc(e->op->mem, e->merged, e->merged_capacity * sizeof *e->merged);
    }
    e->merged[e->merged_count++] = (struct window_merged){
        .window = node->window, .slot = slot_of(e, item, node), .named = key_add(e->named, item, &node->window)};
}

static bool touches(const struct tw_window *a, const struct tw_window *b)
{
    return a->start <= b->end && a->end >= b->start;
}

/* The node before the first that touches or follows the window (WINDOW_NONE: it is the first), and how many it touches. */
static uint32_t find_place(struct window_sessions *s, uint32_t g, const struct tw_window *w, uint32_t *count)
{
    uint32_t before = WINDOW_NONE, at = s->first[g], hint = s->hint[g];

    if (hint != WINDOW_NONE && !s->nodes[hint].is_dead && s->nodes[hint].window.end < w->start) {
        before = hint;
        at = s->nodes[hint].next;
    }
    while (at != WINDOW_NONE && s->nodes[at].window.end < w->start) {
        before = at;
        at = s->nodes[at].next;
    }
    *count = 0;
    for (; at != WINDOW_NONE && touches(&s->nodes[at].window, w); at = s->nodes[at].next) ++*count;
    return before;
}

static void insert_node(struct window_engine *e, uint32_t index, uint32_t g, uint32_t before)
{
    struct window_sessions *s = e->sessions;
    struct window_item *item = &e->items[index];
    uint32_t n = node_add(e);
    struct window_node *node = &s->nodes[n];

    node->window = node->id = item->window;
    node->group = g;
    node->is_dirty = true;
    node->next = before == WINDOW_NONE ? s->first[g] : s->nodes[before].next;
    if (before == WINDOW_NONE)
        s->first[g] = n;
    else
        s->nodes[before].next = n;
    item->node = s->hint[g] = n;
    item->is_changed = true;
}

/* The window joins `count` sessions behind `before`: the first of them takes in the others. */
static void join_nodes(struct window_engine *e, uint32_t index, uint32_t g, uint32_t before, uint32_t count)
{
    struct window_sessions *s = e->sessions;
    struct window_item *item = &e->items[index];
    uint32_t first = before == WINDOW_NONE ? s->first[g] : s->nodes[before].next;
    struct window_node *node = &s->nodes[first];
    struct tw_window hull = item->window;

    item->node = s->hint[g] = first;
    for (uint32_t i = 0, at = first; i < count; i++, at = s->nodes[at].next) {
        hull.start = MIN(hull.start, s->nodes[at].window.start);
        hull.end = MAX(hull.end, s->nodes[at].window.end);
    }
    item->window = hull;
    if (count == 1 && window_equal(&hull, &node->window)) return;
    item->is_changed = node->is_dirty = true;
    item->merged = e->merged_count;
    item->merged_count = count;
    merged_add(e, index, node);
    for (uint32_t i = 1; i < count; i++) {
        struct window_node *other = &s->nodes[node->next];
        merged_add(e, index, other);
        other->is_dead = other->is_dirty = true;
        node->next = other->next;
    }
    node->window = hull;
}

static bool is_late(const struct window_engine *e, const struct tw_window *w)
{
    return e->is_event_time && window_cleanup(e->config, w) <= e->op->watermark;
}

/* False: the chunk is full. */
static bool plan_item(struct window_engine *e, uint32_t i)
{
    struct window_sessions *s = e->sessions;
    struct window_item *item = &e->items[i];
    uint32_t g = s->group_of[i - e->item_first], count, before;

    before = find_place(s, g, &item->window, &count);
    if (e->slots->count + count + 1 > BATCH_ROWS || e->named->count + count + 1 > BATCH_ROWS) return false;
    item->node = WINDOW_NONE;
    item->merged_count = 0;
    item->is_changed = false;
    if (count == 0 && is_late(e, &item->window)) return true;
    if (count == 0)
        insert_node(e, i, g, before);
    else
        join_nodes(e, i, g, before, count);
    item->slot = slot_of(e, i, &s->nodes[item->node]);
    item->named = key_add(e->named, i, &item->window);
    return true;
}

enum status window_sessions_plan(struct window_engine *e)
{
    uint32_t i = e->item_first;

    e->slots = &e->more[0];
    e->named = &e->more[1];
    e->slots->count = e->named->count = e->merged_count = 0;
    TRY(load(e, STATE_RESERVE));
    while (i < e->item_count && plan_item(e, i)) i++;
    if (i == e->item_first)
        return err_set(e->op->err, E_BUDGET, "one row joins more than %d session windows of its key", BATCH_ROWS - 1);
    e->item_end = i;
    window_keys_fill(e, e->slots, e->owners.batch, e->cols);
    window_keys_fill(e, e->named, e->owners.batch, e->cols);
    return S_OK;
}

/* --- timers ------------------------------------------------------------------------------------------------------------------ */
enum status window_sessions_find(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;

    e->slots = &e->more[0];
    e->named = &e->owners;
    e->slots->count = 0;
    TRY(load(e, STATE_UPDATE));
    for (uint32_t i = 0; i < e->item_count; i++) {
        struct window_item *item = &e->items[i];
        item->node = WINDOW_NONE;
        item->named = i;
        if (s->group_of[i] == UINT16_MAX) continue;
        uint32_t at = s->first[s->group_of[i]];
        while (at != WINDOW_NONE && s->nodes[at].window.end < item->window.end) at = s->nodes[at].next;
        if (at == WINDOW_NONE || !window_equal(&s->nodes[at].window, &item->window)) continue;
        item->node = at;
        item->slot = slot_of(e, i, &s->nodes[at]);
    }
    window_keys_fill(e, e->slots, e->owners.batch, e->cols);
    return S_OK;
}

/* --- storing ------------------------------------------------------------------------------------------------------------------ */
static enum status store_node(struct window_sessions *s, void *head, struct window_node *node)
{
    const struct state_field *f = s->table->value.fields;
    uint64_t created;
    void *row;

    *state_word(state_probe_at(&s->probe, 0), s->probe.layout.fields[0].offset) = node->window.end;
    TRY(state_ordered_insert(s->table, 0, &head, &s->probe, &row, &created));
    *state_word(row, f[FIELD_START].offset) = node->window.start;
    *state_word(row, f[FIELD_ID_START].offset) = node->id.start;
    *state_word(row, f[FIELD_ID_END].offset) = node->id.end;
    state_row_write(s->table, 0, head, row);
    return S_OK;
}

/* Removals first: a session may end where one ended that is gone. Dead nodes are no longer in the lists. */
enum status window_sessions_store(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;
    int64_t end = 0;
    struct vector v = {
        .type = s->def.sort_key->children[0], .form = VEC_CONST, .phys = P_I64, .capacity = 1, .data = &end};
    struct batch one = {.schema = s->def.sort_key, .cols = &v, .col_count = 1, .count = 1, .capacity = 1};

    state_probe_fill(&s->probe, &one, NULL, NULL, 1);
    for (uint32_t n = 0; n < s->node_count; n++) {
        struct window_node *node = &s->nodes[n];
        if (node->is_dirty && node->row != NULL) state_row_remove(s->table, 0, s->heads[node->group], node->row);
    }
    for (uint32_t n = 0; n < s->node_count; n++) {
        struct window_node *node = &s->nodes[n];
        if (node->is_dirty && !node->is_dead) TRY(store_node(s, s->heads[node->group], node));
    }
    state_done(s->table);
    return S_OK;
}
