/* window_sessions.c - the sessions in flight of each key: from state into lists of nodes, and back.
 *
 * The idea: mostly a key has one session. The one that ends last lies in the key's row of `latest`, where growing changes
 * two words in place; only when a key has several do the others lie in `others`, an ordered table by their end. Sessions of
 * a key neither overlap nor touch, so their order by end is that by start, and of the others a chunk of rows needs those that
 * its windows touch, and the next behind them (window_reach.h): none when they begin with the latest session or behind it.
 *
 * The nodes of a key lie in order of time (window_order.h); those that died while merging are in no list. Nothing
 * in state changes before window_sessions_store. Not here: what happens to the nodes in between (window_merge.c). */
#include "flow/operator/window_internal.h"

enum { JOINS_AT_ONCE = 256 }; /* sessions that one item brings together */
enum { FIELD_START, FIELD_ID_START, FIELD_ID_END, FIELD_END, FIELD_IS_SET, FIELD_OTHERS, FIELD_COUNT };

static const struct type *words_type(struct arena *a, uint32_t count)
{
    static const char *const words[FIELD_COUNT] = {"start", "id_start", "id_end", "end", "is_set", "others"};
    const char **names = ARENA_ARRAY(a, const char *, count);
    const struct type **types = ARENA_ARRAY(a, const struct type *, count);

    for (uint32_t i = 0; i < count; i++) {
        names[i] = words[i];
        types[i] = type_new(a, T_BIGINT, 0, 0, false);
    }
    return type_row(a, count, names, types, false);
}

enum status window_sessions_open(struct window_engine *e)
{
    struct op_cx *op = e->op;
    struct arena *a = op->plan->arena;
    struct window_sessions *s = mem_zalloc(op->mem, sizeof *s);
    const char **end = ARENA_ARRAY(a, const char *, 1);
    const struct type **word = ARENA_ARRAY(a, const struct type *, 1);

    e->sessions = s;
    s->look_at = BATCH_ROWS;
    s->is_dynamic = e->assigner.part.cx.op != NULL;
    s->order.stride = sizeof *s->nodes;
    end[0] = "end";
    word[0] = type_new(a, T_BIGINT, 0, 0, false);
    s->latest_def = (struct state_def){
        .name = "window-session",
        .version = 1,
        .shape = STATE_MAP,
        .key = type_row(a, e->key_count, e->key_type->names, e->key_type->children, false),
        .value = words_type(a, FIELD_COUNT)};
    s->others_def = (struct state_def){.name = "window-sessions",
                                       .version = 1,
                                       .shape = STATE_ORDERED,
                                       .sort_unique = true,
                                       .key = s->latest_def.key,
                                       .sort_key = type_row(a, 1, end, word, false),
                                       .value = words_type(a, FIELD_END)};
    TRY(state_open(op->state, &s->latest_def, &s->latest, op->err));
    TRY(state_open(op->state, &s->others_def, &s->others, op->err));
    return state_probe_init(&s->probe, s->others_def.sort_key, op->mem, op->err);
}

void window_sessions_close(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;

    if (s == NULL) return;
    if (s->others != NULL) state_probe_release(&s->probe);
    state_close(s->latest);
    state_close(s->others);
    mem_free(e->op->mem, s->nodes);
    mem_free(e->op->mem, s);
}

static int64_t *latest_word(const struct window_sessions *s, void *row, uint32_t field)
{
    return state_word(row, s->latest->value.fields[field].offset);
}

/* --- loading ------------------------------------------------------------------------------------------------------ */
uint32_t window_node_add(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;

    if (s->node_count == s->node_capacity) {
        s->node_capacity = s->node_capacity ? s->node_capacity * 2 : 256;
        s->nodes = s->order.nodes = mem_realloc(e->op->mem, s->nodes, s->node_capacity * sizeof *s->nodes);
    }
    s->nodes[s->node_count] = (struct window_node){.slot = WINDOW_NONE};
    return s->node_count++;
}

static uint32_t group_add(struct window_sessions *s, uint32_t item, void *row)
{
    uint32_t g = s->group_count++;

    s->rows[g] = row;
    s->heads[g] = NULL;
    s->hint[g] = WINDOW_NONE;
    s->last_end[g] = INT64_MIN;
    s->item_of[g] = (uint16_t)item;
    window_order_begin(&s->order, g);
    return g;
}

/* A window that begins before the key's latest session may meet others; so may any while it is not known which is the latest. */
static bool may_meet_others(const struct window_sessions *s, void *row, const struct tw_window *w)
{
    if (*latest_word(s, row, FIELD_OTHERS) == 0) return false;
    return !*latest_word(s, row, FIELD_IS_SET) || w->start < *latest_word(s, row, FIELD_START);
}

/* Groups items by their keys' rows. Where many rows may meet others than the latest session the chunk ends early; timers all come. */
static void group_items(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;

    s->group_count = 0;
    memset(s->table_of, 0, sizeof s->table_of);
    window_reach_begin(&s->reaches);
    for (uint32_t i = 0; i < s->item_count; i++) {
        const struct tw_window *w = &e->owners.window[e->item_first + i];
        void *row = s->item_rows[i];
        if (row == NULL) {
            s->group_of[i] = UINT16_MAX;
            continue;
        }
        uint32_t at = (uint32_t)s->hashes[i] % (2 * BATCH_ROWS);
        while (s->table_of[at] != 0 && s->rows[s->table_of[at] - 1] != row) at = (at + 1) % (2 * BATCH_ROWS);
        if (s->table_of[at] == 0) s->table_of[at] = (uint16_t)(group_add(s, i, row) + 1);
        s->group_of[i] = (uint16_t)(s->table_of[at] - 1);
        if (!may_meet_others(s, row, w)) continue;
        if (e->in != NULL && s->is_dynamic) s->item_count = i > 0 ? i : 1; /* it may meet any number: it comes alone */
        if (s->item_count == i) break;
        window_reach_add(&s->reaches, s->group_of[i], w);
        if (e->in != NULL && s->reaches.count == WINDOW_REACHES_AT_ONCE) s->item_count = i + 1;
    }
}

static struct state_keys item_keys(struct window_engine *e, uint16_t *sel, uint32_t n, const uint64_t *hashes)
{
    return (struct state_keys){
        .batch = e->owners.batch, .cols = e->cols, .col_count = e->key_count, .count = n, .sel = sel, .hashes = hashes};
}

/* Heads in `others` of the groups whose bit is set. */
static enum status heads_resolve(struct window_engine *e, const uint64_t *groups, enum state_intent intent)
{
    struct window_sessions *s = e->sessions;
    uint16_t *sel = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *sel);
    uint16_t *which = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *which);
    uint64_t *hashes = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *hashes);
    void **heads = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *heads);
    uint32_t n = 0;

    for (uint32_t g = 0; g < s->group_count; g++) {
        if (!bit_get(groups, g)) continue;
        sel[n] = (uint16_t)(e->item_first + s->item_of[g]);
        hashes[n] = s->hashes[s->item_of[g]];
        which[n++] = (uint16_t)g;
    }
    if (n == 0) return S_OK;
    struct state_keys keys = item_keys(e, sel, n, hashes);
    TRY(state_resolve(s->others, 0, &keys, intent, heads, NULL));
    for (uint32_t i = 0; i < n; i++) s->heads[which[i]] = heads[i];
    return S_OK;
}

/* Behind all that are there of its group. */
static struct window_node *node_load(struct window_engine *e, uint32_t g, struct tw_window w)
{
    struct window_sessions *s = e->sessions;
    uint32_t n = window_node_add(e);

    s->nodes[n].place.window = w;
    s->nodes[n].group = g;
    window_order_insert(&s->order, g, n, s->hint[g]);
    s->hint[g] = n;
    s->last_end[g] = w.end;
    return &s->nodes[n];
}

static void load_other(void *arg, uint32_t g, void *row)
{
    struct window_engine *e = arg;
    const struct window_sessions *s = e->sessions;
    const struct state_field *f = s->others->value.fields;
    struct tw_window w = {*state_word(row, f[FIELD_START].offset),
                          *state_word(state_extra(s->others, row), s->others->extra.fields[0].offset)};
    struct window_node *node = node_load(e, g, w);

    node->row = row;
    node->id = (struct tw_window){*state_word(row, f[FIELD_ID_START].offset), *state_word(row, f[FIELD_ID_END].offset)};
}

/* The one that ends last; without it, when it went before the others, the last of these. */
static void load_latest(struct window_engine *e, uint32_t g)
{
    struct window_sessions *s = e->sessions;
    void *row = s->rows[g];

    if (*latest_word(s, row, FIELD_IS_SET)) {
        struct tw_window w = {*latest_word(s, row, FIELD_START), *latest_word(s, row, FIELD_END)};
        node_load(e, g, w)->id = (struct tw_window){*latest_word(s, row, FIELD_ID_START),
                                                    *latest_word(s, row, FIELD_ID_END)};
        return;
    }
    if (s->heads[g] == NULL) return;
    void *last = state_ordered_edge(s->others, 0, s->heads[g], true);
    if (last != NULL && (s->hint[g] == WINDOW_NONE || s->nodes[s->hint[g]].row != last)) load_other(e, g, last);
}

/* An item whose gap reaches over very many sessions: these come together a few at a time, before it is one of them. Triggers that
 * would see it are given all at once. */
static enum status cut(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;
    struct tw_window *w = &e->owners.window[e->item_first];
    struct state_hits *hits = arena_alloc(e->op->scratch, sizeof *hits);
    struct state_range range = {.from_word = &w->start, .to_word = &w->end, .limit = JOINS_AT_ONCE};
    struct state_scan scan = {0};

    if (!s->is_dynamic || e->in == NULL || !e->is_lazy || s->is_cut) return S_OK;
    TRY(state_ordered_scan(s->others, 0, &s->heads[s->reaches.group[0]], 1, &range, &scan, hits));
    if (hits->count < JOINS_AT_ONCE) return S_OK;
    void *last = state_extra(s->others, hits->row[hits->count - 1]);
    s->is_cut = true;
    s->full_end = w->end;
    w->end = s->reaches.to[0] = *state_word(last, s->others->extra.fields[0].offset);
    return S_OK;
}

static enum status load_nodes(struct window_engine *e, enum state_intent intent)
{
    struct window_sessions *s = e->sessions;

    s->node_count = 0;
    if (s->reaches.count > 0) {
        uint64_t *groups = arena_zalloc(e->op->scratch, sizeof s->is_changed);
        for (uint32_t i = 0; i < s->reaches.count; i++) bit_set(groups, s->reaches.group[i]);
        TRY(heads_resolve(e, groups, intent));
        TRY(cut(e));
        TRY(window_reach_load(&s->reaches, s->others, s->heads, e->op->scratch, load_other, e));
    }
    for (uint32_t g = 0; g < s->group_count; g++) load_latest(e, g);
    return S_OK;
}

enum status window_sessions_load(struct window_engine *e, enum state_intent intent)
{
    struct window_sessions *s = e->sessions;
    uint32_t n = e->item_count - e->item_first;
    if (e->in != NULL) n = MIN(n, s->look_at);
    uint16_t *sel = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *sel);
    struct batch view = *e->owners.batch;

    for (uint32_t i = 0; i < n; i++) sel[i] = (uint16_t)(e->item_first + i);
    view.sel = sel;
    view.sel_count = n;
    batch_hash(&view, e->cols, e->key_count, s->hashes);
    struct state_keys keys = item_keys(e, sel, n, s->hashes);
    TRY(state_resolve(s->latest, 0, &keys, intent, s->item_rows, NULL));
    s->item_count = n;
    group_items(e);
    return load_nodes(e, intent);
}

/* --- storing ------------------------------------------------------------------------------------------------------ */
enum status window_sessions_prepare(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;
    uint64_t *groups = arena_zalloc(e->op->scratch, sizeof s->is_changed);

    for (uint32_t g = 0; g < s->group_count; g++) {
        uint32_t first = window_order_next(&s->order, g, WINDOW_NONE);
        if (first != WINDOW_NONE && s->nodes[first].place.next[0] != WINDOW_NONE && s->heads[g] == NULL)
            bit_set(groups, g);
    }
    return heads_resolve(e, groups, STATE_RESERVE);
}

static enum status other_insert(struct window_sessions *s, void *head, struct window_node *node)
{
    const struct state_field *f = s->others->value.fields;
    uint64_t created;
    void *row;

    *state_word(state_probe_at(&s->probe, 0), s->probe.layout.fields[0].offset) = node->place.window.end;
    TRY(state_ordered_insert(s->others, 0, &head, &s->probe, &row, &created));
    *state_word(row, f[FIELD_START].offset) = node->place.window.start;
    *state_word(row, f[FIELD_ID_START].offset) = node->id.start;
    *state_word(row, f[FIELD_ID_END].offset) = node->id.end;
    state_row_write(s->others, 0, head, row);
    return S_OK;
}

static void latest_set(struct window_sessions *s, uint32_t g, const struct window_node *node)
{
    void *row = s->rows[g];

    *latest_word(s, row, FIELD_IS_SET) = node != NULL;
    if (node == NULL) {
        if (*latest_word(s, row, FIELD_OTHERS) == 0) state_erase(s->latest, s->item_of[g]);
        return;
    }
    *latest_word(s, row, FIELD_START) = node->place.window.start;
    *latest_word(s, row, FIELD_END) = node->place.window.end;
    *latest_word(s, row, FIELD_ID_START) = node->id.start;
    *latest_word(s, row, FIELD_ID_END) = node->id.end;
    state_write(s->latest, s->item_of[g]);
}

/* All of its nodes but the last go to the others. When the one that ended last went and others did not, the last of them may not
 * be here: then there is no latest until the key is loaded again. */
static enum status group_store(struct window_sessions *s, uint32_t g)
{
    struct window_node *last = NULL;

    for (uint32_t n = window_order_next(&s->order, g, WINDOW_NONE); n != WINDOW_NONE; n = s->nodes[n].place.next[0]) {
        struct window_node *node = &s->nodes[n];
        if (node->is_dead) continue;
        if (last != NULL && last->row == NULL) {
            TRY(other_insert(s, s->heads[g], last));
            ++*latest_word(s, s->rows[g], FIELD_OTHERS);
        }
        last = node;
    }
    if (last != NULL && last->place.window.end < s->last_end[g]) {
        if (last->row == NULL) {
            TRY(other_insert(s, s->heads[g], last));
            ++*latest_word(s, s->rows[g], FIELD_OTHERS);
        }
        last = NULL;
    }
    if (last != NULL && last->row != NULL) {
        state_row_remove(s->others, 0, s->heads[g], last->row);
        --*latest_word(s, s->rows[g], FIELD_OTHERS);
    }
    latest_set(s, g, last);
    return S_OK;
}

/* Removals first: a session may end where one ended that is gone. */
enum status window_sessions_store(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;
    int64_t end = 0;
    struct vector v = {
        .type = s->others_def.sort_key->children[0], .form = VEC_CONST, .phys = P_I64, .capacity = 1, .data = &end};
    struct batch one = {.schema = s->others_def.sort_key, .cols = &v, .col_count = 1, .count = 1, .capacity = 1};

    state_probe_fill(&s->probe, &one, NULL, NULL, 1);
    memset(s->is_changed, 0, sizeof s->is_changed);
    for (uint32_t n = 0; n < s->node_count; n++) {
        struct window_node *node = &s->nodes[n];
        if (!node->is_dirty) continue;
        bit_set(s->is_changed, node->group);
        if (node->row == NULL) continue;
        state_row_remove(s->others, 0, s->heads[node->group], node->row);
        --*latest_word(s, s->rows[node->group], FIELD_OTHERS);
        node->row = NULL;
    }
    for (uint32_t g = 0; g < s->group_count; g++)
        if (bit_get(s->is_changed, g)) TRY(group_store(s, g));
    state_done(s->latest);
    state_done(s->others);
    return S_OK;
}
