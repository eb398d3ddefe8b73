/* window_ring.c - sliding count windows of an aggregate function: an accumulator per window in flight, in a ring, instead
 * of the rows.
 *
 * Each row goes into the size / slide windows that will hold it, in the order of rows, so the function sees what it would
 * see if the rows were kept until the window fires, and is called as often. But a firing reads one accumulator, and a key
 * needs size / slide of them instead of `size` rows.
 *
 * Accumulators lie side by side in the key's row of state as the user's structs, so that callbacks work on them where they
 * are. Invariant: between two rows of a key the window that fires next is the one whose place the next window takes.
 *
 * Not here: folds whose accumulator is not plain words, reduce functions, sizes that are no multiple of the slide; their
 * rows are kept (window_rows.c). */
#include "flow/operator/window_user.h"

enum { RING_WORDS_MAX = 64 };

/* Behind the accumulators: rows since a window began; 1 + the place that the next window takes, 0 before the first row. */
enum ring_word { RING_ROWS, RING_NEXT, RING_WORDS };

static int64_t *ring_word(const struct window_user *u, void *row, enum ring_word w)
{
    return state_word(row, u->ring_count * (uint32_t)u->acc_size + w * 8);
}
static char *acc_at(const struct window_user *u, void *row, uint32_t place)
{
    return (char *)row + place * u->acc_size;
}

/* Does the struct look as its fields in a row of state do? */
static bool is_words(const struct window_user *u)
{
    const struct user_value *v = &u->acc;

    for (uint32_t i = 0; i < v->field_count; i++) {
        const struct type *t = v->type->children[i];
        if ((t->phys != P_I64 && t->phys != P_F64) || t->nullable || v->fields[i].offset != i * 8) return false;
    }
    return v->null_offset == ROWCONV_NO_NULLS && !v->must_check && u->acc_size == v->field_count * 8;
}

static const struct type *ring_type(struct arena *a, const struct type *acc, uint32_t count)
{
    uint32_t n = count * acc->child_count;
    const char **names = ARENA_ARRAY(a, const char *, n + RING_WORDS);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + RING_WORDS);

    for (uint32_t i = 0; i < n; i++) {
        names[i] = arena_printf(a, "%s %u", acc->names[i % acc->child_count], i / acc->child_count);
        types[i] = acc->children[i % acc->child_count];
    }
    for (uint32_t i = n; i < n + RING_WORDS; i++) {
        names[i] = i == n ? "rows since" : "next place";
        types[i] = type_new(a, T_BIGINT, 0, 0, false);
    }
    return type_row(a, n + RING_WORDS, names, types, false);
}

static enum status ring_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                            struct batch *in, const uint16_t *rows, uint32_t n);

void window_ring_open(struct window_user *u, const struct window_config *c)
{
    bool slides = c->assigner == TW_COUNT && c->count_slide > 0 && c->count % c->count_slide == 0;
    bool by_default = c->trigger == TW_TRIGGER_DEFAULT && c->trigger_count == c->count_slide && !c->trigger_purging &&
                      c->evictor == TW_EVICT_COUNT && !c->evictor_after && c->evictor_count == c->count;

    if (!slides || !by_default || u->folds == NULL || u->folds->reduce != NULL || !is_words(u)) return;
    if (c->count / c->count_slide > RING_WORDS_MAX / (int64_t)MAX(u->acc.field_count, 1u)) return;
    u->ring_count = (uint32_t)(c->count / c->count_slide);
    u->ring_slide = c->count_slide;
    u->fold = (struct window_fold){.acc = ring_type(u->cx->op->plan->arena, u->acc.type, u->ring_count),
                                   .add = ring_add};
}

static enum status begin(struct window_user *u, void *row, uint32_t place)
{
    void *acc = acc_at(u, row, place);

    memset(acc, 0, u->acc_size);
    return u->folds->create == NULL ? S_OK : user_check(u->fold_cx, u->folds->create(u->fold_cx, acc));
}

/* The row at hand is the first of a window; a key's first row is so of all that it is in. */
static enum status begin_next(struct window_user *u, void *row)
{
    int64_t *next = ring_word(u, row, RING_NEXT);

    for (uint32_t i = 0; *next == 0 && i < u->ring_count; i++) TRY(begin(u, row, i));
    if (*next > 0) TRY(begin(u, row, (uint32_t)*next - 1));
    *next = *next == 0 ? 1 : 1 + *next % u->ring_count;
    return S_OK;
}

static enum status add_row(struct window_user *u, struct state_table *t, int64_t ns, void *row, const char *in)
{
    struct tw_context *cx = u->fold_cx;
    enum tw_status (*add)(struct tw_context *, void *, const void *) = u->folds->add;
    int64_t *since = ring_word(u, row, RING_ROWS);
    char *end = (char *)since;

    (void)t, (void)ns;
    if (*since == 0) TRY(begin_next(u, row));
    *since = *since + 1 == u->ring_slide ? 0 : *since + 1;
    for (char *acc = row; acc < end; acc += u->acc_size) {
        enum tw_status st = add(cx, acc, in);
        if (UNLIKELY(st != TW_OK || cx->broken != S_OK)) return user_failed(cx, st);
    }
    return S_OK;
}

static enum status ring_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                            struct batch *in, const uint16_t *rows, uint32_t n)
{
    return window_user_each((struct window_user *)f, t, ns, acc, in, rows, n, add_row);
}

enum status window_ring_fire(struct window_user *u, void *row, const struct batch *keys, uint32_t at,
                             const struct tw_window *w)
{
    uint32_t place = (uint32_t)*ring_word(u, row, RING_NEXT) - 1;

    return window_user_fire_value(u, acc_at(u, row, place), keys, at, w);
}
