/* user_source.c - steps a user's source through the hooks of a connector, so that everything which sources share (times,
 * watermarks per split, idleness, alignment, rates) is the one in flow/source.
 *
 * A function with .splits brings its own enumerator. One with .source only has a part per subtask: the enumerator here hands
 * each subtask a split without content, and .source, which sees tw_subtask, knows what is its own.
 *
 * A hybrid source has the splits of several such tables one after another; user_parts.c keeps the order, and a split
 * remembers which table is its own.
 *
 * An enumerator has a context of its own without ports, states and counters, for it outlives the subtask that opened it.
 * A source that has nothing is asked again after 1 ms, then after 2, 4, up to 16, unless it says when itself. */
#include "flow/operator/user_source.h"

#include <thalweg/source.h>

#include "flow/operator/op_configs.h"
#include "flow/operator/user_parts.h"
#include "ground/base/str.h"

#include <string.h>

enum { OTHERS_MS = 10, PAUSE_FIRST_MS = 1, PAUSE_LAST_MS = 16, SPLIT_ID_MAX = 4096 };
enum { FILL_NS = 50000, FEW_ROWS = 256 };

struct user_enumerator {
    struct tw_context cx;
    const struct tw_splits *splits; /* of a hybrid source those of the part; NULL: .source */
    struct user_parts parts;
    void *self; /* the user's; with .source: a byte per subtask, has it got its split? */
    char *position; /* where the part before ended */
    int64_t pause_ms;
    bool has_started; /* only then it is stopped */
    bool has_failed;  /* at the change to the next part */
};

struct user_split {
    const struct tw_splits *splits; /* NULL: .source */
    void *self;
    uint32_t part;
    struct buf opened; /* the position it was opened with, when it says no other */
    int64_t pause_ms;
};

static const struct function_ref *function_of(const struct source_cx *scx)
{
    return &((const struct source_function_config *)scx->op->config)->function;
}

static const struct tw_splits *splits_of(const struct source_cx *scx) { return function_of(scx)->fn->splits; }

/* --- graph time --------------------------------------------------------------------------------------------------------- */
static uint32_t parts_count(const struct tw_splits *s)
{
    uint32_t count = 0;

    while (s != NULL && s->parts != NULL && count <= USER_PARTS_MAX && s->parts[count] != NULL) count++;
    return count;
}

static enum status splits_check(const struct function_ref *f, const struct tw_splits *s, const char *what, struct err *e)
{
    if (s->next == NULL || s->read == NULL)
        return err_set(e, E_GRAPH, "function '%s': %s has no .%s", f->name, what, s->next == NULL ? "next" : "read");
    return S_OK;
}

static enum status parts_check(const struct function_ref *f, const struct tw_splits *s, struct err *e)
{
    uint32_t count = parts_count(s);

    if (count == 0 || count > USER_PARTS_MAX)
        return err_set(e, E_GRAPH, "function '%s': a hybrid source has 1 to %d parts", f->name, USER_PARTS_MAX);
    if (s->start || s->next || s->finished || s->stop || s->open || s->read || s->position || s->close || s->end_position)
        return err_set(e, E_GRAPH, "function '%s': splits with .parts have no hooks of their own", f->name);
    for (uint32_t i = 0; i < count; i++) {
        if (s->parts[i]->parts != NULL)
            return err_set(e, E_GRAPH, "function '%s': a part of a hybrid source is no hybrid source", f->name);
        TRY(splits_check(f, s->parts[i], "a part", e));
    }
    return S_OK;
}

enum status user_source_check(const struct function_ref *f, struct err *e)
{
    const struct tw_splits *s = f->fn != NULL ? f->fn->splits : NULL;

    TRY(user_need_hook(f, f->fn != NULL && (f->fn->source != NULL || s != NULL), "source", e));
    if (s == NULL) return S_OK;
    if (f->fn->source != NULL)
        return err_set(e, E_GRAPH, "function '%s' has both .source and .splits; a source is read in one way", f->name);
    if (s->parts != NULL) return parts_check(f, s, e);
    TRY(user_need_hook(f, s->next != NULL, "splits->next", e));
    return user_need_hook(f, s->read != NULL, "splits->read", e);
}

uint32_t user_source_splits(const struct tw_function *fn)
{
    uint32_t most = fn->splits != NULL ? fn->splits->at_once : 1;

    for (uint32_t i = 0; i < parts_count(fn->splits); i++) most = MAX(most, fn->splits->parts[i]->at_once);
    return most;
}

bool user_source_cannot_pause(const struct tw_function *fn)
{
    bool cannot = fn->splits != NULL && fn->splits->cannot_pause;

    for (uint32_t i = 0; i < parts_count(fn->splits); i++) cannot |= fn->splits->parts[i]->cannot_pause;
    return cannot;
}

/* --- asking again ------------------------------------------------------------------------------------------------------- */
struct tw_str tw_start_position(struct tw_context *cx) { return cx->start_position; }

void tw_backlog(struct tw_context *cx, bool is_backlog)
{
    if (cx->op->plan == NULL) cx->is_backlog = is_backlog;
    else user_misuse(cx, "tw_backlog is for the hooks of an enumerator");
}

void tw_ask_again(struct tw_context *cx, int64_t time_ms) { cx->ask_again_ms = time_ms; }

/* When to ask a source again that has nothing now. */
static int64_t asked_again(struct source_cx *scx, struct tw_context *cx, int64_t *pause_ms)
{
    int64_t at = cx->ask_again_ms, now = sys_wall_ms(scx->sys);

    cx->ask_again_ms = 0;
    if (at > 0) return MAX(at, now + 1);
    *pause_ms = *pause_ms == 0 ? PAUSE_FIRST_MS : MIN(*pause_ms * 2, (int64_t)PAUSE_LAST_MS);
    return now + *pause_ms;
}

/* --- enumerator --------------------------------------------------------------------------------------------------------- */
static void backlog_pass_on(struct source_cx *scx, const struct user_enumerator *en) { scx->is_backlog = en->cx.is_backlog; }

/* Makes the enumerator of en->splits and starts it. */
static enum status splits_start(struct source_cx *scx, struct user_enumerator *en)
{
    const struct tw_splits *s = en->splits;

    en->has_started = false;
    en->self = mem_zalloc(scx->mem, s != NULL ? s->enumerator_size + 1 : scx->parallelism);
    if (en->parts.count > 0) en->cx.is_backlog = en->parts.at + 1 < en->parts.count;
    if (s != NULL && s->start != NULL) TRY(user_check(&en->cx, s->start(&en->cx, en->self)));
    backlog_pass_on(scx, en);
    en->has_started = true;
    return S_OK;
}

static void splits_stop(struct source_cx *scx, struct user_enumerator *en)
{
    const struct tw_splits *s = en->splits;

    if (s != NULL && s->stop != NULL && en->has_started) s->stop(&en->cx, en->self);
    mem_free(scx->mem, en->self);
    en->self = NULL;
    en->has_started = false;
}

static enum status user_enumerator_open(struct source_cx *scx, void *self)
{
    struct user_enumerator *en = self;
    const struct tw_splits *s = splits_of(scx);
    uint32_t parts = parts_count(s);

    TRY(user_init(&en->cx, scx->op, function_of(scx)));
    mem_free(scx->mem, en->cx.self);
    en->cx.self = NULL;
    en->splits = parts > 0 ? s->parts[0] : s;
    if (parts > 0) user_parts_init(&en->parts, scx->mem, parts, scx->parallelism);
    return splits_start(scx, en);
}

static void user_enumerator_close(struct source_cx *scx, void *self)
{
    struct user_enumerator *en = self;

    splits_stop(scx, en);
    user_parts_release(&en->parts);
    mem_free(scx->mem, en->position);
    en->cx.is_uncounted = true; /* its job is over and was asked already */
    user_close(&en->cx);
}

/* --- from one part to the next ------------------------------------------------------------------------------------------ */
/* Where the part that is over ended; what it says lives as long as it does, so it is copied. */
static enum status position_take(struct source_cx *scx, struct user_enumerator *en)
{
    struct tw_str said = {0};

    if (en->splits->end_position != NULL) TRY(user_check(&en->cx, en->splits->end_position(&en->cx, en->self, &said)));
    if (said.size > SPLIT_BYTES_MAX)
        return err_set(scx->err, E_USER, "function '%s': an end position of at most %d bytes", function_of(scx)->name,
                       SPLIT_BYTES_MAX);
    char *copy = mem_alloc(scx->mem, said.size + 1);
    if (said.size > 0) memcpy(copy, said.data, said.size);
    mem_free(scx->mem, en->position);
    en->position = copy;
    en->cx.start_position = (struct tw_str){copy, said.size};
    return S_OK;
}

static enum status part_change(struct source_cx *scx, struct user_enumerator *en)
{
    TRY(position_take(scx, en));
    splits_stop(scx, en);
    user_parts_next(&en->parts);
    en->splits = splits_of(scx)->parts[en->parts.at];
    en->pause_ms = 0;
    return splits_start(scx, en);
}

/* S_OK: the subtask may ask the part for a split; S_IDLE: not now. */
static enum status part_look(struct source_cx *scx, struct user_enumerator *en, uint32_t subtask)
{
    bool asks;

    if (en->has_failed) return E_USER;
    if (user_parts_over(&en->parts)) {
        enum status st = part_change(scx, en);
        en->has_failed = st != S_OK;
        if (st != S_OK) return st;
    }
    if (!user_parts_holds(&en->parts, subtask, en->splits->at_once, &asks)) return S_OK;
    if (asks) scx->wake_ms = sys_wall_ms(scx->sys) + OTHERS_MS;
    return S_IDLE;
}

static enum status part_next(struct source_cx *scx, struct user_enumerator *en, uint32_t subtask, struct arena *a,
                             struct split *out)
{
    char *given = en->self;

    if (given[subtask]) return S_END;
    given[subtask] = 1;
    *out = (struct split){.id = arena_printf(a, "%u/%u", subtask + 1, scx->parallelism), .bytes = STR("")};
    return S_OK;
}

static enum status split_copy(struct source_cx *scx, const struct tw_split *from, struct arena *a, struct split *out)
{
    const char *name = function_of(scx)->name;

    if (strlen(from->id) > SPLIT_ID_MAX || from->position.size > SPLIT_BYTES_MAX)
        return err_set(scx->err, E_USER,
                       "function '%s', split '%.100s': a name of at most %d bytes and a position of at most %d", name,
                       from->id, SPLIT_ID_MAX, SPLIT_BYTES_MAX);
    out->id = arena_strdup(a, from->id);
    out->bytes = (struct str){from->position.size > 0 ? arena_strndup(a, from->position.data, from->position.size) : "",
                              from->position.size};
    return S_OK;
}

/* One question to the user's enumerator. */
static enum status splits_next(struct source_cx *scx, struct user_enumerator *en, uint32_t subtask, struct arena *a,
                               struct split *out)
{
    struct tw_split next = {0};
    bool end = false;

    TRY(user_check(&en->cx, en->splits->next(&en->cx, en->self, subtask, &next, &end)));
    backlog_pass_on(scx, en);
    if (next.id == NULL && end) return S_END;
    if (next.id == NULL) {
        scx->wake_ms = asked_again(scx, &en->cx, &en->pause_ms);
        return S_IDLE;
    }
    en->pause_ms = 0;
    return split_copy(scx, &next, a, out);
}

static enum status user_enumerator_next(struct source_cx *scx, void *self, uint32_t subtask, struct arena *a,
                                        struct split *out)
{
    struct user_enumerator *en = self;
    enum status st;

    if (en->splits == NULL) return part_next(scx, en, subtask, a, out);
    if (en->parts.count == 0) return splits_next(scx, en, subtask, a, out);
    do {
        TRY(part_look(scx, en, subtask));
        st = splits_next(scx, en, subtask, a, out);
        if (st == S_END && en->parts.at + 1 < en->parts.count) user_parts_ended(&en->parts, subtask);
    } while (st == S_END && en->parts.at + 1 < en->parts.count);
    return st == S_OK ? user_parts_wrap(&en->parts, subtask, a, out, scx->err) : st;
}

static void user_enumerator_finished(struct source_cx *scx, void *self, const char *id)
{
    struct user_enumerator *en = self;
    const char *own = en->parts.count > 0 ? user_parts_finished(&en->parts, id) : id;

    if (own == NULL || en->splits == NULL || en->splits->finished == NULL) return;
    en->splits->finished(&en->cx, en->self, own);
    backlog_pass_on(scx, en);
}

/* --- reader ------------------------------------------------------------------------------------------------------------- */
static enum status user_reader_open(struct source_cx *scx, void *reader)
{
    struct user_reader *r = reader;

    TRY(user_start(&r->cx, scx->op, function_of(scx), true));
    r->cx.may_collect = false; /* the stage is the rows that the function fills */
    return S_OK;
}

static void user_reader_close(struct source_cx *scx, void *reader)
{
    struct user_reader *r = reader;

    (void)scx;
    user_close(&r->cx);
}

static void user_split_close(struct source_cx *scx, void *reader, void *split)
{
    struct user_split *u = split;

    if (u->splits != NULL && u->splits->close != NULL)
        u->splits->close(&((struct user_reader *)reader)->cx, u->self);
    mem_free(scx->mem, u->self);
    buf_release(&u->opened);
}

static enum status user_split_open(struct source_cx *scx, void *reader, void *split, const struct split *what)
{
    struct tw_context *cx = &((struct user_reader *)reader)->cx;
    const struct tw_splits *s = splits_of(scx);
    struct user_split *u = split;
    struct split own = *what;

    buf_init(&u->opened, scx->mem);
    if (s == NULL) return S_OK;
    if (s->parts != NULL) TRY(user_parts_unwrap(what, parts_count(s), &u->part, &own, scx->err));
    u->splits = s = s->parts != NULL ? s->parts[u->part] : s;
    u->self = mem_zalloc(scx->mem, s->split_size + 1);
    if (s->position == NULL) buf_append(&u->opened, own.bytes.data, own.bytes.size);
    struct tw_split given = {own.id, {own.bytes.data, own.bytes.size}};
    enum status st = s->open != NULL ? user_check(cx, s->open(cx, u->self, &given)) : S_OK;
    if (st != S_OK) user_split_close(scx, reader, split);
    return st;
}

/* One call of the function; *count = rows it gave. */
static enum status rows_read(const struct tw_splits *s, struct tw_context *cx, struct user_split *u, struct batch *out,
                             uint32_t *count, bool *end)
{
    struct user_out *o = &cx->outs[0];
    uint32_t max = MIN(out->capacity - out->count, (uint32_t)ROWCONV_ROWS);

    *count = 0;
    user_forget_loaded(cx);
    memset(o->stage, 0, (size_t)max * o->row.conv.size);
    TRY(user_check(cx, s != NULL ? s->read(cx, u->self, o->stage, max, count, end)
                                 : cx->fn->source(cx, o->stage, max, count, end)));
    if (*count > max) {
        user_misuse(cx, "function '%s' says that it gave %u rows; there was room for %u", cx->ref->name, *count, max);
        return user_failed(cx, TW_FAILED);
    }
    if (!user_out_check(cx, o, o->stage, *count)) return user_failed(cx, TW_FAILED);
    if (*count == 0 || rowconv_write(&o->row.conv, o->stage, *count, out) == S_OK) return S_OK;
    user_misuse(cx, "function '%s': " CFORM_FULL, cx->ref->name);
    return user_failed(cx, TW_FAILED);
}

/* A source that waits for its rows gives few at a time: those that are there do not wait until a batch is full. */
static bool fills_slowly(const struct source_cx *scx, const struct batch *out, int64_t began_ns)
{
    return out->count < FEW_ROWS && sys_mono_ns(scx->sys) - began_ns > FILL_NS;
}

static enum status user_split_read(struct source_cx *scx, void *reader, void *split, struct batch *out)
{
    struct tw_context *cx = &((struct user_reader *)reader)->cx;
    struct user_split *u = split;
    const struct tw_splits *s = u->splits;
    int64_t began = sys_mono_ns(scx->sys);
    uint32_t count = 0;
    bool end = false;

    do {
        TRY(rows_read(s, cx, u, out, &count, &end));
        if (end) return S_END;
        if (count > 0) u->pause_ms = 0;
    } while (count > 0 && out->count < out->capacity && out->heap.used < BATCH_BYTES && !user_slice_over(cx) &&
             !fills_slowly(scx, out, began));
    if (count > 0) return S_OK;
    scx->wake_ms = asked_again(scx, cx, &u->pause_ms);
    return S_IDLE;
}

static void user_split_position(struct source_cx *scx, void *reader, void *split, struct buf *out)
{
    struct user_split *u = split;
    struct tw_str position = {u->opened.data, u->opened.size};
    char part = (char)u->part;

    if (u->splits == NULL) return;
    if (u->splits->position != NULL) u->splits->position(&((struct user_reader *)reader)->cx, u->self, &position);
    if (splits_of(scx)->parts != NULL) buf_append(out, &part, 1);
    buf_append(out, position.data, position.size);
}

/* A function without splits may keep in its own state what it has given. */
static bool user_goes_back(const struct source_cx *scx)
{
    const struct tw_function *fn = function_of(scx)->fn;
    bool all = fn->splits == NULL ? fn->states[0] != NULL : fn->splits->parts != NULL || fn->splits->position != NULL;

    for (uint32_t i = 0; i < parts_count(fn->splits); i++) all &= fn->splits->parts[i]->position != NULL;
    return all;
}

const struct source_type user_source = {
    .enumerator_size = sizeof(struct user_enumerator),
    .reader_size = sizeof(struct user_reader),
    .split_size = sizeof(struct user_split),
    .enumerator_open = user_enumerator_open,
    .enumerator_next = user_enumerator_next,
    .enumerator_finished = user_enumerator_finished,
    .enumerator_close = user_enumerator_close,
    .reader_open = user_reader_open,
    .reader_close = user_reader_close,
    .split_open = user_split_open,
    .split_read = user_split_read,
    .split_position = user_split_position,
    .split_close = user_split_close,
    .goes_back = user_goes_back,
};
