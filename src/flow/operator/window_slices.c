/* window_slices.c - the engine of tumbling and sliding windows.
 *
 * Time is cut into slices of gcd(size, slide); the table `panes` has one namespace per slice (named by its end), so that
 * a slice is dropped whole. A tumbling window is one slice and is answered from it. For sliding windows the table
 * `running` holds the window under way: when it moves by one slide, the slices that enter are merged and those that leave
 * are taken back, so the work depends on the keys that change and not on size/slide.
 *
 * Folds that cannot take back (maxima, floating point, a user's) have two stacks: time is also cut at pivots, multiples of
 * the size, one of which lies in every window. `stacks` holds, per start of a window, all from there up to the pivot, built
 * from the pivot down when the first window reaches over it; `running` holds all from the pivot to the window's end. A
 * window is one of the former with the latter: three merges per key and slide, whatever the size. Where pivots lie depends
 * on time alone, so sums of floating point do not depend on what fired before. A late row below a window's end makes the
 * stack that has its slice stale; the next window builds it anew.
 *
 * Windows that cumulate begin together and end one slice after the other: `running` takes the slices in, and begins anew with
 * the next beginning. Windows may also be given, by a column with their end: then each is one slice.
 *
 * Lateness as Flink has it: a row is too late when the last window that holds it is past its end - 1 + lateness; it goes
 * to the side output and is counted. A row for a window that has fired already fires it again at once, row by row.
 *
 * Invariants: on-time rows never belong to a slice that `running` covers; a slice is taken back before it is dropped;
 * windows fire in order of their end; all bounds of windows of rows that are kept are times, less than INT64_MAX. Every
 * loop has its cursor in the struct, so each hook can stop and be called again.
 *
 * Here: making, and rows in time. window_slices_fire.c: what happens when time passes. window_slices_late.c: late rows. */
#include "flow/operator/window_slices.h"

#include "flow/operator/row_time.h"
#include "flow/operator/window_slices_internal.h"
#include "ground/base/sort.h"

/* --- making ------------------------------------------------------------------------------------------------------- */
static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static enum status open_tables(struct slices *s)
{
    struct op_cx *cx = s->cx;
    const struct type *acc = s->fold->acc;
    struct arena *a = cx->plan->arena;
    /* With other calls a sliding window may be put together in another way, from tables that were not kept. */
    uint8_t upgrade = s->tumbling || s->fold->upgrade != STATE_UPGRADE_PARTS ? s->fold->upgrade : STATE_UPGRADE_NEVER;

    s->panes_def = (struct state_def){
        .name = "window-panes", .version = 1, .upgrade = upgrade, .shape = STATE_MAP, .namespaced = true, .key = s->key, .value = acc};
    TRY(state_open(cx->state, &s->panes_def, &s->panes, cx->err));
    if (s->tumbling) return S_OK;
    uint32_t n = acc->child_count;
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        names[i] = acc->names[i];
        types[i] = acc->children[i];
    }
    names[n] = "slices";
    types[n] = type_new(a, T_BIGINT, 0, 0, false);
    s->running_def = (struct state_def){.name = "window-running",
                                        .version = 1,
                                        .upgrade = upgrade,
                                        .shape = STATE_MAP,
                                        .namespaced = true,
                                        .key = s->key,
                                        .value = type_row(a, n + 1, names, types, false)};
    TRY(state_open(cx->state, &s->running_def, &s->running, cx->err));
    s->slices_offset = s->running->value.fields[n].offset;
    if (s->takes_back || s->plan.cumulates || s->plan.slide_ms >= s->plan.size_ms) return S_OK;
    s->stacks_def = s->panes_def;
    s->stacks_def.name = "window-stacks";
    return state_open(cx->state, &s->stacks_def, &s->stacks, cx->err);
}

/* --- over checkpoints ---------------------------------------------------------------------------------------------- */
enum { KEPT_TIME, KEPT_COVER_LOW, KEPT_COVER_HIGH, KEPT_PIVOT, KEPT_STACK_LOW, KEPT_STACKS_STALE, KEPT_RUNNING_STALE, KEPT_COUNT };

static void drop_all(struct slices *s, struct state_table *t)
{
    uint32_t count = 0;

    if (t == NULL) return;
    for (const int64_t *ns; ns = state_namespaces(t, &count), count > 0;) slices_drop(s, t, ns[0]);
}

/* Rows of other subtasks than before: what was worked out over slices is not what it says, and is worked out again. A job that was drained
 * had come to the end of time; one that goes on from there begins its own. */
static enum status open_kept(struct slices *s)
{
    int64_t words[KEPT_COUNT] = {[KEPT_TIME] = TIME_MIN};
    bool is_own;

    TRY(kept_words_open(&s->kept, s->cx, "window-slices", words, KEPT_COUNT, &is_own));
    bool was_drained = words[KEPT_TIME] == WATERMARK_MAX;
    s->time = was_drained ? TIME_MIN : words[KEPT_TIME];
    if (!is_own || was_drained) {
        drop_all(s, s->running);
        drop_all(s, s->stacks);
        return S_OK;
    }
    s->cover_low = words[KEPT_COVER_LOW];
    s->cover_high = words[KEPT_COVER_HIGH];
    s->pivot = words[KEPT_PIVOT];
    s->stack_low = words[KEPT_STACK_LOW];
    s->stacks_stale = words[KEPT_STACKS_STALE] != 0;
    s->running_stale = words[KEPT_RUNNING_STALE] != 0;
    return S_OK;
}

static const struct type *key_type(struct op_cx *cx)
{
    const struct op_plan *p = cx->plan;
    const char **names = ARENA_ARRAY(p->arena, const char *, MAX(p->key_count[0], 1u));
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, MAX(p->key_count[0], 1u));

    for (uint32_t i = 0; i < p->key_count[0]; i++) {
        names[i] = p->inputs[0]->names[p->keys[0][i]];
        types[i] = p->inputs[0]->children[p->keys[0][i]];
    }
    return type_row(p->arena, p->key_count[0], names, types, false);
}

enum status slices_create(struct op_cx *cx, const struct slices_plan *plan, struct window_fold *fold,
                          struct slices **out)
{
    struct slices *s = mem_zalloc(cx->mem, sizeof *s);

    ASSERT(plan->size_ms > 0 && plan->slide_ms > 0 && plan->lateness_ms >= 0);
    *out = s;
    s->cx = cx;
    s->plan = *plan;
    s->fold = fold;
    s->slice_ms = gcd(plan->size_ms, plan->slide_ms);
    s->tumbling = plan->size_ms == plan->slide_ms || plan->by == SLICES_BY_END;
    s->takes_back = !s->tumbling && !plan->cumulates && fold->unmerge != NULL;
    s->time = s->cover_low = s->cover_high = s->pivot = s->stack_low = TIME_MIN;
    s->late_dropped = window_late_metric(cx);
    s->key = key_type(cx);
    s->key_cols = cx->plan->keys[0];
    s->key_count = cx->plan->key_count[0];
    s->plain_cols = mem_alloc(cx->mem, sizeof *s->plain_cols * MAX(s->key_count, 1u));
    for (uint32_t i = 0; i < s->key_count; i++) s->plain_cols[i] = i;
    s->keys = batch_create(s->key, cx->batch_rows, cx->mem);
    TRY(open_tables(s));
    return open_kept(s);
}

enum status slices_on_barrier(struct slices *s)
{
    int64_t words[KEPT_COUNT] = {s->time, s->cover_low, s->cover_high, s->pivot, s->stack_low, s->stacks_stale, s->running_stale};

    ASSERT(s->phase == FIRE_NEXT);
    return kept_words_save(&s->kept, words);
}

void slices_free(struct slices *s)
{
    if (s == NULL) return;
    kept_words_close(&s->kept);
    state_close(s->panes);
    state_close(s->running);
    state_close(s->stacks);
    batch_free(s->keys);
    mem_free(s->cx->mem, s->plain_cols);
    mem_free(s->cx->mem, s);
}

void slices_where(struct slices *s, const struct batch *keys, int64_t end)
{
    bool is_walked = keys == s->keys;

    if (end != WINDOW_ANY) s->window = (struct tw_window){slices_start_of(s, end), end};
    s->fold->where = (struct user_where){.keys = keys,
                                         .cols = is_walked ? NULL : s->key_cols,
                                         .rows = is_walked ? NULL : s->group,
                                         .windows = end != WINDOW_ANY ? &s->window : NULL,
                                         .is_one_window = true};
}

uint32_t slices_table_number(const struct slices *s, const struct state_table *t)
{
    ASSERT(t == s->panes || t == s->running || t == s->stacks);
    return t == s->panes ? 0 : t == s->running ? 1 : 2;
}

void slices_drop(struct slices *s, struct state_table *t, int64_t ns)
{
    if (s->fold->drop != NULL) s->fold->drop(s->fold, t, ns);
    state_drop(t, ns);
}

/* --- rows ------------------------------------------------------------------------------------------------------- */
static bool ends_earlier(void *arg, uint32_t a, uint32_t b)
{
    const struct slices *s = arg;

    return s->sort_by[a] < s->sort_by[b];
}

/* The times by which rows belong to slices into s->ends; TIME_MIN: none. */
static enum status times_read(struct slices *s, const struct batch *in)
{
    uint32_t n = batch_rows(in);

    if (s->plan.by == SLICES_BY_EVENT) {
        int64_t now = s->plan.processing_time ? sys_wall_ms(s->cx->sys) : 0;
        if (in->times == NULL && !s->plan.processing_time)
            return err_set(s->cx->err, E_GRAPH, "rows have no event time; give the source watermarks, or use processing time");
        if (s->plan.zone != NULL) now = window_zone_local(s->plan.zone, now);
        for (uint32_t i = 0; i < n; i++) s->ends[i] = s->plan.processing_time ? now : in->times[batch_row(in, i)];
        return S_OK;
    }
    const struct vector *v = &in->cols[s->plan.col];
    const int64_t *values = VECTOR_VALUES(vector_values(v), int64_t);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(in, i);
        s->ends[i] = vector_is_null(v, row) ? TIME_MIN : values[vector_at(v, row)];
        if (s->plan.zone != NULL && s->plan.by == SLICES_BY_TIME) s->ends[i] = window_zone_local(s->plan.zone, s->ends[i]);
    }
    return S_OK;
}

static enum status no_time(struct slices *s)
{
    if (s->plan.by == SLICES_BY_TIME) return row_time_missing(s->cx, NULL, 0);
    return err_set(s->cx->err, E_DATA, "a row has no event time; its timestamp is NULL or no assigner saw it");
}

/* Turns times into ends of slices. The slice of the row before, [first, end), is mostly that of the next. */
static enum status ends_find(struct slices *s, uint32_t n)
{
    int64_t first = 0, end = 0;

    if (s->plan.by == SLICES_BY_END) return S_OK;
    for (uint32_t i = 0; i < n; i++) {
        int64_t time = s->ends[i];
        if (time == TIME_MIN) return no_time(s);
        if (UNLIKELY(time < first || time >= end)) {
            if (!s->plan.processing_time)
                TRY(window_range_check(s->cx, time, s->plan.offset_ms, s->plan.size_ms, s->plan.slide_ms));
            end = slices_end_of(s, time);
            first = end - s->slice_ms;
        }
        s->ends[i] = end;
    }
    return S_OK;
}

static enum status prepare(struct slices *s, struct batch *in)
{
    uint32_t n = batch_rows(in);
    bool ordered = true;

    TRY(times_read(s, in));
    TRY(ends_find(s, n));
    for (uint32_t i = 0; i < n; i++) {
        bool same = i > 0 && s->ends[i] == s->ends[i - 1];
        /* Rows for windows that have fired go first, in the order in which they came: each fires them as it finds them. */
        s->sort_by[i] = same ? s->sort_by[i - 1] : slices_is_behind(s, slices_first_end(s, s->ends[i])) ? TIME_MIN : s->ends[i];
        s->order[i] = i;
        ordered &= i == 0 || s->sort_by[i] >= s->sort_by[i - 1];
    }
    if (!ordered) sort_stable(s->order, s->order_space, n, ends_earlier, s);
    batch_hash(in, s->key_cols, s->key_count, s->hashes);
    s->prepared = true;
    s->at = 0;
    return S_OK;
}

/* Rows order[at..at+n) as group; answers n. Rows of one slice, or one row where it must fire by itself. */
static uint32_t take_group(struct slices *s, struct batch *in, bool single)
{
    uint32_t total = batch_rows(in), n = 0;
    int64_t end = s->ends[s->order[s->at]];

    while (s->at + n < total && s->ends[s->order[s->at + n]] == end && (n == 0 || !single)) {
        uint32_t i = s->order[s->at + n];
        s->group[n] = (uint16_t)batch_row(in, i);
        s->group_hashes[n++] = s->hashes[i];
    }
    return n;
}

enum status slices_resolve_group(struct slices *s, struct state_table *t, int64_t ns, struct batch *in, uint32_t n,
                                 void **acc)
{
    struct state_keys keys = slices_group_keys(s, in, n);

    TRY(state_resolve(t, ns, &keys, STATE_INSERT, acc, s->bits));
    slices_where(s, in, s->tumbling ? s->ends[s->order[s->at]] : WINDOW_ANY);
    return s->fold->start != NULL ? s->fold->start(s->fold, t, ns, acc, s->bits, n) : S_OK;
}

static enum status too_late(struct slices *s, struct batch *in, uint32_t n)
{
    if (op_port_used(s->cx, s->plan.late_port)) {
        if (op_room(s->cx, s->plan.late_port) < n) return S_MORE;
        batch_append(op_out(s->cx, s->plan.late_port), in, s->group, n);
        s->emitted = true;
    }
    window_late_count(s->cx, s->late_dropped, s->plan.late_port, n);
    s->at += n;
    return S_OK;
}

/* Between windows that leave gaps: a row belongs to none, and is late when its own time is. */
static enum status gap_row(struct slices *s, struct batch *in)
{
    int64_t time = in->times == NULL ? INT64_MAX : slices_local(s, in->times[s->group[0]]);
    bool late = !s->plan.processing_time && s->time != TIME_MIN && window_add(time, s->plan.lateness_ms) <= s->time;

    if (late) return too_late(s, in, 1);
    s->at++;
    return S_OK;
}

static enum status next_group(struct slices *s, struct batch *in)
{
    int64_t slice = s->ends[s->order[s->at]];
    int64_t last = slices_last_end(s, slice);
    bool fired = slice == TIME_MIN || slices_is_behind(s, slices_first_end(s, slice));
    bool gap = last < slice;
    bool cleaned = slice == TIME_MIN || (fired && slices_is_cleaned(s, last));
    uint32_t n = take_group(s, in, gap || (fired && !cleaned));

    if (gap) return gap_row(s, in);
    if (cleaned) return too_late(s, in, n);
    if (fired) return slices_late_row(s, in);
    TRY(slices_resolve_group(s, s->panes, slice, in, n, s->acc));
    TRY(s->fold->add(s->fold, s->panes, slice, s->acc, in, s->group, n));
    state_done(s->panes);
    s->at += n;
    return S_OK;
}

enum status slices_on_batch(struct slices *s, struct batch *in)
{
    if (!s->prepared) TRY(prepare(s, in));
    s->emitted = false;
    while (s->at < batch_rows(in)) {
        enum status st = next_group(s, in);
        if (st == S_PENDING && s->emitted) return S_MORE;
        if (st != S_OK) return st;
    }
    s->prepared = false;
    if (s->plan.processing_time) slices_wake(s);
    return S_OK;
}
