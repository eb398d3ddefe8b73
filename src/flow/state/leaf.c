/* leaf.c - the order of the elements of an ORDERED bag: sorted leaves under a directory.
 *
 * The idea: a leaf holds up to 255 pairs (prefix, reference) in order, the prefix being the sort key's first field as a
 * number of the same order, so most comparisons touch the leaf only. A bag of a few rows is one leaf that doubles; then
 * leaves split in two, and a directory lists them with their first prefixes. The directory is compared with what the
 * leaves hold now, so nothing in it can refer to an element that is gone. Where places are asked for (COUNTED) the
 * numbers of elements lie behind the directory's pairs as sums, and what is removed is out of its leaf at once.
 *
 * Invariants: pairs ascend by (prefix, sort key), equal ones by age; no leaf is empty; directory[i].prefix is that of
 * leaf i's first pair. Not here: elements (bag.c), sums (leaf_sums.c). */
#include "flow/state/bag.h"
#include "flow/state/leaf_sums.h"

enum { LEAF_FIRST = 7, LEAF_MAX = 255, DIRECTORY_FIRST = 15 };

struct pair {
    uint64_t prefix;
    struct state_ref ref;
};
struct leaf { /* of pairs to elements; the directory is one of pairs to leaves */
    uint32_t count, capacity;
    struct pair pairs[];
};

static struct leaf *leaf_take(struct hm_table *t, struct space *s, uint32_t capacity, bool is_directory, struct state_ref *ref)
{
    struct leaf *f;
    size_t each = sizeof f->pairs[0] + (is_directory && t->bag->is_counted ? sizeof(uint32_t) : 0);

    *ref = block_take(&s->blocks, &t->segments, sizeof *f + capacity * each);
    f = block_at(&t->segments, *ref);
    f->count = 0;
    f->capacity = capacity;
    return f;
}

static struct leaf *directory(const struct hm_table *t, const struct bag *b)
{
    return b->leaves > 1 ? block_at(&t->segments, b->index) : NULL;
}

static uint32_t *sums_of(struct leaf *d) { return (uint32_t *)(void *)(d->pairs + d->capacity); }

static struct state_ref leaf_ref(const struct hm_table *t, const struct bag *b, uint32_t i)
{
    return b->leaves > 1 ? directory(t, b)->pairs[i].ref : b->index;
}

static struct leaf *leaf_at(const struct hm_table *t, const struct bag *b, uint32_t i)
{
    return block_at(&t->segments, leaf_ref(t, b, i));
}

/* Is the pair behind the target: greater, or equal when `or_equal`? */
static bool is_behind(const struct hm_table *t, const struct pair *p, uint64_t prefix, const void *probe, bool or_equal)
{
    const struct row_order *o = &t->bag->order;
    const char *row;
    int order;

    if (p->prefix != prefix) return p->prefix > prefix;
    if (o->exact || probe == NULL) return or_equal;
    row = block_at(&t->segments, p->ref);
    order = row_order_compare(o, &t->segments, row - t->base.extra.size, probe);
    return order > 0 || (order == 0 && or_equal);
}

/* The first leaf whose first pair is behind. The directory says mostly which, without a look into leaves. */
static uint32_t seek_leaf(struct hm_table *t, const struct bag *b, uint64_t prefix, const void *probe, bool or_equal)
{
    const struct leaf *d = directory(t, b);
    uint32_t low = 0, high = b->leaves;

    while (d != NULL && low < high) {
        uint32_t middle = (low + high) / 2;
        bool behind = d->pairs[middle].prefix != prefix
                          ? d->pairs[middle].prefix > prefix
                          : is_behind(t, &leaf_at(t, b, middle)->pairs[0], prefix, probe, or_equal);
        if (behind) high = middle;
        else low = middle + 1;
    }
    return low;
}

struct leaf_position leaves_seek(struct hm_table *t, const struct bag *b, uint64_t prefix, const void *probe, bool after)
{
    uint32_t low, high, leaf;
    const struct leaf *f;

    if (b->leaves == 0) return (struct leaf_position){0, 0};
    low = seek_leaf(t, b, prefix, probe, !after); /* the answer begins in the one before */
    leaf = low ? low - 1 : 0;
    f = leaf_at(t, b, leaf);
    for (low = 0, high = f->count; low < high;) {
        uint32_t middle = (low + high) / 2;
        if (is_behind(t, &f->pairs[middle], prefix, probe, !after)) high = middle;
        else low = middle + 1;
    }
    return (struct leaf_position){leaf, low};
}

char *leaves_row(struct hm_table *t, const struct bag *b, struct leaf_position *p)
{
    while (p->leaf < b->leaves) {
        const struct leaf *f = leaf_at(t, b, p->leaf);
        if (p->at < f->count) return block_at(&t->segments, f->pairs[p->at].ref);
        p->leaf++;
        p->at = 0;
    }
    return NULL;
}

void leaves_set(struct hm_table *t, const struct bag *b, struct leaf_position p, struct state_ref ref)
{
    leaf_at(t, b, p.leaf)->pairs[p.at].ref = ref;
}

bool leaves_back(struct hm_table *t, const struct bag *b, struct leaf_position *p)
{
    if (p->at == 0) {
        if (p->leaf == 0) return false;
        p->leaf--;
        p->at = leaf_at(t, b, p->leaf)->count;
    }
    p->at--;
    return true;
}

/* ---- places: of COUNTED bags only */

uint32_t leaves_before(struct hm_table *t, const struct bag *b, struct leaf_position p)
{
    ASSERT_ROW(t->bag->is_counted);
    if (b->leaves < 2) return p.leaf > 0 ? b->rows : p.at;
    return p.at + sums_before(sums_of(directory(t, b)), p.leaf);
}

struct leaf_position leaves_place(struct hm_table *t, const struct bag *b, uint32_t place)
{
    struct leaf_position p = {0, place};

    ASSERT_ROW(t->bag->is_counted && place < b->rows);
    if (b->leaves > 1) p.leaf = sums_find(sums_of(directory(t, b)), b->leaves, &p.at);
    return p;
}

static void count_change(struct hm_table *t, const struct bag *b, uint32_t leaf, int32_t delta)
{
    if (t->bag->is_counted && b->leaves > 1) sums_add(sums_of(directory(t, b)), b->leaves, leaf, delta);
}

/* The numbers behind leaf i move on by one, which takes the last `moved` elements of it. */
static void sums_split(struct hm_table *t, struct leaf *d, uint32_t i, uint32_t moved)
{
    uint32_t *sums = sums_of(d);

    if (!t->bag->is_counted) return;
    sums_open(sums, d->count - 1);
    memmove(sums + i + 1, sums + i, (d->count - 1 - i) * sizeof *sums);
    sums[i] -= moved;
    sums[i + 1] = moved;
    sums_close(sums, d->count);
}

static void sums_drop(struct hm_table *t, struct leaf *d, uint32_t i)
{
    uint32_t *sums = sums_of(d);

    if (!t->bag->is_counted) return;
    sums_open(sums, d->count);
    memmove(sums + i, sums + i + 1, (d->count - i - 1) * sizeof *sums);
    sums_close(sums, d->count - 1);
}

/* ---- changing */

static void pair_insert(struct leaf *f, uint32_t at, struct pair p)
{
    ASSERT(f->count < f->capacity && at <= f->count);
    memmove(&f->pairs[at + 1], &f->pairs[at], (f->count - at) * sizeof p);
    f->pairs[at] = p;
    f->count++;
}

static struct leaf *leaf_double(struct hm_table *t, struct space *s, bool is_directory, struct state_ref *ref)
{
    struct leaf *old = block_at(&t->segments, *ref), *f;
    struct state_ref fresh;

    f = leaf_take(t, s, old->capacity * 2 + 1, is_directory, &fresh);
    old = block_at(&t->segments, *ref);
    memcpy(f->pairs, old->pairs, old->count * sizeof old->pairs[0]);
    if (is_directory && t->bag->is_counted) memcpy(sums_of(f), sums_of(old), old->count * sizeof(uint32_t));
    f->count = old->count;
    block_give(&s->blocks, &t->segments, *ref);
    *ref = fresh;
    return f;
}

/* The sole leaf comes under a directory. */
static void directory_begin(struct hm_table *t, struct space *s, struct bag *b)
{
    struct state_ref sole = b->index;
    struct leaf *d = leaf_take(t, s, DIRECTORY_FIRST, true, &b->index), *f = block_at(&t->segments, sole);

    d->pairs[d->count++] = (struct pair){f->pairs[0].prefix, sole};
    if (t->bag->is_counted) sums_of(d)[0] = f->count;
}

/* Half of a full leaf becomes the next one. */
static void leaf_split(struct hm_table *t, struct space *s, struct bag *b, uint32_t i)
{
    struct leaf *d, *f, *fresh;
    struct state_ref ref;

    if (b->leaves == 1) directory_begin(t, s, b);
    else if (directory(t, b)->count == directory(t, b)->capacity) leaf_double(t, s, true, &b->index);
    fresh = leaf_take(t, s, LEAF_MAX, false, &ref);
    d = block_at(&t->segments, b->index);
    f = block_at(&t->segments, d->pairs[i].ref);
    fresh->count = f->count - f->count / 2;
    f->count /= 2;
    memcpy(fresh->pairs, f->pairs + f->count, fresh->count * sizeof f->pairs[0]);
    pair_insert(d, i + 1, (struct pair){fresh->pairs[0].prefix, ref});
    sums_split(t, d, i, fresh->count);
    b->leaves++;
}

/* Behind all that are not greater. Mostly that is the end. */
static struct leaf_position place_for(struct hm_table *t, const struct bag *b, uint64_t prefix, const void *probe)
{
    const struct leaf *last = leaf_at(t, b, b->leaves - 1);

    if (last->pairs[last->count - 1].prefix < prefix) return (struct leaf_position){b->leaves - 1, last->count};
    return leaves_seek(t, b, prefix, probe, true);
}

void leaves_insert(struct hm_table *t, struct space *s, struct bag *b, const void *probe, struct state_ref ref)
{
    uint64_t prefix = row_order_prefix(&t->bag->order, probe);
    struct leaf_position p;
    struct leaf *f;

    if (b->leaves == 0) {
        f = leaf_take(t, s, LEAF_FIRST, false, &b->index);
        f->pairs[f->count++] = (struct pair){prefix, ref};
        b->leaves = 1;
        return;
    }
    p = place_for(t, b, prefix, probe);
    f = leaf_at(t, b, p.leaf);
    if (f->count == f->capacity && f->capacity < LEAF_MAX) {
        f = leaf_double(t, s, false, &b->index); /* only a sole leaf is smaller */
    } else if (f->count == f->capacity) {
        leaf_split(t, s, b, p.leaf);
        f = leaf_at(t, b, p.leaf);
        if (p.at > f->count) {
            p.at -= f->count;
            f = leaf_at(t, b, ++p.leaf);
        }
    }
    pair_insert(f, p.at, (struct pair){prefix, ref});
    count_change(t, b, p.leaf, 1);
    if (p.at == 0 && b->leaves > 1) directory(t, b)->pairs[p.leaf].prefix = prefix;
}

static void leaf_drop(struct hm_table *t, struct space *s, struct bag *b, uint32_t i)
{
    struct leaf *d = directory(t, b);

    block_give(&s->blocks, &t->segments, leaf_ref(t, b, i));
    if (d == NULL) {
        b->index = (struct state_ref){0, 0};
    } else {
        sums_drop(t, d, i);
        memmove(&d->pairs[i], &d->pairs[i + 1], (d->count - i - 1) * sizeof d->pairs[0]);
        if (--d->count == 1) {
            struct state_ref sole = d->pairs[0].ref;
            block_give(&s->blocks, &t->segments, b->index);
            b->index = sole;
        }
    }
    b->leaves--;
}

struct leaf_position leaves_find(struct hm_table *t, const struct bag *b, const char *row)
{
    const char *extra = row - t->base.extra.size;
    uint64_t prefix = row_order_prefix(&t->bag->order, extra);
    struct leaf_position p;

    probe_from_row(&t->base.extra, &t->segments, t->bag->probe, extra);
    p = leaves_seek(t, b, prefix, t->bag->probe, false); /* equal ones: by identity */
    while (leaves_row(t, b, &p) != row) {
        ASSERT(p.leaf < b->leaves && leaf_at(t, b, p.leaf)->pairs[p.at].prefix == prefix);
        p.at++;
    }
    return p;
}

/* How many elements from there on go with this one: they were removed in the same batch and lie side by side. */
static uint32_t run_of_removed(struct hm_table *t, const struct leaf *f, uint32_t at)
{
    uint32_t n = 1;

    for (; at + n < f->count; n++) {
        struct state_element *e = row_element(t->bag, block_at(&t->segments, f->pairs[at + n].ref));
        if (e->count > 0 || !(e->flags & ELEMENT_DOOMED) || (e->flags & ELEMENT_OUT)) break;
        e->flags |= ELEMENT_OUT;
    }
    return n;
}

void leaves_remove(struct hm_table *t, struct space *s, struct bag *b, const char *row)
{
    struct leaf_position p = leaves_find(t, b, row);
    struct leaf *f = leaf_at(t, b, p.leaf);
    uint32_t n = run_of_removed(t, f, p.at);

    memmove(&f->pairs[p.at], &f->pairs[p.at + n], (f->count - p.at - n) * sizeof f->pairs[0]);
    f->count -= n;
    count_change(t, b, p.leaf, -(int32_t)n);
    if (f->count == 0) leaf_drop(t, s, b, p.leaf);
    else if (p.at == 0 && b->leaves > 1) directory(t, b)->pairs[p.leaf].prefix = f->pairs[0].prefix;
}

void leaves_release(struct hm_table *t, struct space *s, struct bag *b)
{
    for (uint32_t i = 0; i < b->leaves; i++) block_give(&s->blocks, &t->segments, leaf_ref(t, b, i));
    if (b->leaves > 1) block_give(&s->blocks, &t->segments, b->index);
    b->leaves = 0;
    b->index = (struct state_ref){0, 0};
}
