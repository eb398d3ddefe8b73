/* shape_ordered.c - the verbs of ORDERED: inserting in order, scanning a range in either direction, counting it, the edges.
 *
 * The idea: a bound is a sort key as a probe row or, for a sole word, a number; both become a position in the leaves,
 * and a scan walks from there. A scan remembers its position, so it can stop at any row; it ends at the first row that
 * the far bound cuts off.
 *
 * Invariants: rows removed in this batch are in the leaves still, and passed over. Not here: leaves (leaf.c). */
#include "flow/state/shape_verbs.h"

/* ---- inserting */

/* With sort_unique: the row with this very sort key, removed or expired ones too. */
static char *find_equal(struct hm_table *t, struct bag *b, uint64_t prefix, const void *key)
{
    struct leaf_position p = leaves_seek(t, b, prefix, key, false);
    char *row = leaves_row(t, b, &p);

    if (row == NULL || row_order_compare(&t->bag->order, &t->segments, row - t->base.extra.size, key) != 0) return NULL;
    return row;
}

static char *insert_new(struct hm_table *t, struct space *s, struct bag *b, const void *key)
{
    struct state_ref ref;
    char *row = bag_add(t, s, b, &ref);

    row_from_probe(&t->base.extra, &t->segments, &s->blocks, row - t->base.extra.size, key);
    leaves_insert(t, s, b, key, ref);
    return row;
}

static char *insert_unique(struct hm_table *t, struct space *s, struct bag *b, const void *key, bool *is_new)
{
    char *row = find_equal(t, b, row_order_prefix(&t->bag->order, key), key);
    struct state_element *e;

    *is_new = row == NULL || !row_is_shown(t, row);
    if (row == NULL) return insert_new(t, s, b, key);
    e = row_element(t->bag, row);
    if (*is_new) {
        row_free_texts(&t->base.value, &t->segments, &s->blocks, row);
        memset(row, 0, t->base.value.size);
        b->rows += e->count == 0;
        e->count = 1;
        e->matches = 0;
    }
    if (t->bag->ttl_offset) row_stamp(t, row);
    return row;
}

/* Before places are asked for. */
static void expire(struct hm_table *t, int64_t ns, struct bag *b)
{
    if (t->bag->is_counted && t->bag->ttl_offset) bag_expire(t, space_find(t, ns), b);
}

enum status hm_ordered_insert(struct state_table *base, int64_t ns, void *const *heads, const struct state_probe *sort_keys,
                              void **rows, uint64_t *created)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);

    ASSERT(t->bag->is_ordered && sort_keys->layout.size == base->extra.size);
    TRY(elements_budget(t, sort_keys->count));
    if (created) memset(created, 0, ALIGN_UP(sort_keys->count, 64) / 8);
    for (uint32_t i = 0; i < sort_keys->count; i++) {
        const void *key = state_probe_at(sort_keys, i);
        bool is_new = true;
        rows[i] = NULL;
        if (heads[i] == NULL) continue;
        expire(t, ns, heads[i]);
        rows[i] = base->def->sort_unique ? insert_unique(t, s, heads[i], key, &is_new) : insert_new(t, s, heads[i], key);
        if (created && is_new) bit_set(created, i);
        head_mark(t, s, heads[i]);
    }
    return S_OK;
}

/* ---- ranges */

/* One end of a range for one head, in sort order: `low` comes first, whichever way the sort key falls. */
struct bound {
    bool is_set, is_open;
    uint64_t prefix;
    const void *probe; /* NULL: the prefix says all */
};

static struct bound bound_of(const struct hm_table *t, const struct state_probe *rows, const int64_t *words, bool is_open, uint32_t i)
{
    const struct row_order *o = &t->bag->order;
    struct bound b = {.is_set = rows != NULL || words != NULL, .is_open = is_open};

    if (rows) {
        b.probe = state_probe_at(rows, i);
        b.prefix = row_order_prefix(o, b.probe);
    } else if (words) {
        ASSERT_ROW(o->layout->field_count == 1 && o->layout->fields[0].form == STATE_WORD);
        b.prefix = row_order_word_prefix(o, words[i]);
    }
    return b;
}

static struct leaf_position low_end(struct hm_table *t, const struct bag *b, const struct bound *low)
{
    if (!low->is_set) return (struct leaf_position){0, 0};
    return leaves_seek(t, b, low->prefix, low->probe, low->is_open);
}

/* Behind the last row of the range. */
static struct leaf_position high_end(struct hm_table *t, const struct bag *b, const struct bound *high)
{
    if (!high->is_set) return (struct leaf_position){b->leaves, 0};
    return leaves_seek(t, b, high->prefix, high->probe, !high->is_open);
}

static bool is_before(struct leaf_position x, struct leaf_position y)
{
    return x.leaf != y.leaf ? x.leaf < y.leaf : x.at < y.at;
}

/* Nothing is inserted while a walk goes on. `end` is normalised. */
struct walk {
    struct leaf_position at, end; /* forwards: at is next, end is behind; backwards: at is behind the next, end the last */
    bool backwards;
};

static char *walk_next(struct hm_table *t, const struct bag *b, struct walk *w)
{
    for (;;) {
        char *row = leaves_row(t, b, &w->at); /* normalises, too */
        if (w->backwards) {
            if (!is_before(w->end, w->at) || !leaves_back(t, b, &w->at)) return NULL;
            row = leaves_row(t, b, &w->at);
        } else {
            if (!is_before(w->at, w->end)) return NULL;
            w->at.at++;
        }
        if (row_is_shown(t, row)) return row;
    }
}

static struct walk walk_start(struct hm_table *t, const struct bag *b, const struct state_range *r, uint32_t i)
{
    struct bound low = bound_of(t, r->from, r->from_word, r->from_open, i), high = bound_of(t, r->to, r->to_word, r->to_open, i);
    struct walk w = {low_end(t, b, &low), high_end(t, b, &high), r->descending};

    if (r->descending) w = (struct walk){w.end, w.at, true};
    (void)leaves_row(t, b, &w.end);
    return w;
}

/* A walk's beginning moves behind the first rows of its range. */
static void walk_skip(struct hm_table *t, const struct bag *b, struct walk *w, uint32_t skip)
{
    ASSERT(!w->backwards);
    if (t->bag->is_counted) {
        uint64_t place = (uint64_t)leaves_before(t, b, w->at) + skip;
        w->at = place < b->rows ? leaves_place(t, b, (uint32_t)place) : w->end;
        return;
    }
    while (skip-- > 0 && walk_next(t, b, w) != NULL) {}
}

enum status hm_ordered_scan(struct state_table *base, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                            struct state_scan *c, struct state_hits *hits)
{
    struct hm_table *t = hm_of(base);

    ASSERT(t->bag->is_ordered);
    hits->count = 0;
    for (; c->key < count; *c = (struct state_scan){.key = c->key + 1}) {
        struct bag *b = heads[c->key];
        struct walk w;
        char *row;
        if (b == NULL) continue;
        expire(t, ns, b);
        if (b->rows == 0) continue;
        w = walk_start(t, b, r, c->key);
        if (c->step) w.at = (struct leaf_position){(uint32_t)c->at[0], (uint32_t)c->at[1]};
        else if (r->skip > 0) walk_skip(t, b, &w, r->skip);
        while ((r->limit == 0 || c->step < r->limit) && hits->count < BATCH_ROWS && (row = walk_next(t, b, &w)) != NULL) {
            row_touch(t, row);
            hits->key[hits->count] = (uint16_t)c->key;
            hits->row[hits->count++] = row;
            c->step++;
        }
        c->at[0] = w.at.leaf;
        c->at[1] = w.at.at;
        if (hits->count == BATCH_ROWS) return S_MORE;
    }
    return S_OK;
}

enum status hm_ordered_count(struct state_table *base, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                             uint32_t *rows)
{
    struct hm_table *t = hm_of(base);

    ASSERT(t->bag->is_ordered);
    for (uint32_t i = 0; i < count; i++) {
        struct bag *b = heads[i];
        rows[i] = 0;
        if (b == NULL) continue;
        expire(t, ns, b);
        if (b->rows == 0) continue;
        struct bound low = bound_of(t, r->from, r->from_word, r->from_open, i), high = bound_of(t, r->to, r->to_word, r->to_open, i);
        struct walk w = {low_end(t, b, &low), high_end(t, b, &high), false};
        if (t->bag->is_counted) {
            uint32_t from = leaves_before(t, b, w.at), to = leaves_before(t, b, w.end);
            rows[i] = to > from ? to - from : 0;
            continue;
        }
        (void)leaves_row(t, b, &w.end);
        while (walk_next(t, b, &w) != NULL) rows[i]++;
    }
    return S_OK;
}

void *hm_ordered_edge(struct state_table *base, int64_t ns, void *head, bool last)
{
    struct hm_table *t = hm_of(base);
    struct state_range all = {.descending = last};
    struct walk w;

    ASSERT(t->bag->is_ordered);
    if (head == NULL) return NULL;
    expire(t, ns, head);
    w = walk_start(t, head, &all, 0);
    return walk_next(t, head, &w);
}

uint32_t hm_ordered_remove(struct state_table *base, int64_t ns, void *head, const struct state_range *r, uint32_t i)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    uint32_t removed = 0;
    struct walk w;

    ASSERT(t->bag->is_ordered && !t->bag->is_counted);
    if (head == NULL) return 0;
    w = walk_start(t, head, r, i);
    for (char *row; (row = walk_next(t, head, &w)) != NULL; removed++) bag_remove(t, s, head, row);
    if (removed) head_mark(t, s, head);
    return removed;
}
