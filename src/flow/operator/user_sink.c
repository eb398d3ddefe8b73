/* user_sink.c - two phases of a user's sink, and its writer state.
 *
 * The idea: committables are rows like any others, so they are kept as columns in batches that no port takes (a detached
 * user_out), ready to be encoded. A round of commits goes through them in order; what asks to be tried again is emitted
 * once more, changes included, and so becomes the next round.
 *
 * Invariants: a committable is in exactly one place: waiting (prepared, or for the next round), in the round from `at` on,
 * or decided. One whose commit failed is decided: only the outside system knows what became of it, so it is not aborted.
 * What is undecided when the sink closes is aborted, oldest first.
 *
 * Not here: when commits may begin (task.c), and checkpoints (user_sink_checkpoints.c). */
#include "flow/operator/user_sink.h"

#include "flow/operator/user_internal.h"
#include "flow/operator/user_sink_internal.h"
#include "flow/task/job_shared.h"

/* --- graph time -------------------------------------------------------------------------------------------------------- */
/* Each hook that is there wants the others of its row. */
enum status user_sink_check(const struct function_ref *f, struct err *e)
{
    const struct tw_function *fn = f->fn;

    if (fn->commit || fn->prepare_commit || fn->committable || fn->abort_commit) {
        TRY(user_need_hook(f, fn->committable != NULL, "committable", e));
        TRY(user_need_hook(f, fn->prepare_commit != NULL, "prepare_commit", e));
        TRY(user_need_hook(f, fn->commit != NULL, "commit", e));
    }
    if (fn->snapshot || fn->restore || fn->writer_state) {
        TRY(user_need_hook(f, fn->writer_state != NULL, "writer_state", e));
        TRY(user_need_hook(f, fn->snapshot != NULL, "snapshot", e));
        TRY(user_need_hook(f, fn->restore != NULL, "restore", e));
    }
    if (fn->topology == NULL) return S_OK;
    if (user_sink_hands_on(fn)) TRY(user_need_hook(f, fn->commit != NULL, "commit", e));
    if (fn->topology->write_result != NULL && fn->topology->pre_commit == NULL)
        return err_set(e, E_GRAPH, "function '%s': .write_result needs a .pre_commit that makes committables out of it", f->name);
    return S_OK;
}

/* --- opening and closing ----------------------------------------------------------------------------------------------- */
enum status user_sink_open(struct tw_context *cx, bool is_writer)
{
    const struct tw_function *fn = cx->fn;
    uint32_t size = 0;

    if (fn->committable == NULL && fn->writer_state == NULL) return S_OK;
    struct user_sink *s = cx->sink = ARENA_NEW(&cx->arena, struct user_sink);
    TRY(user_out_bind(cx, &s->committables, fn->committable));
    TRY(user_out_bind(cx, &s->states, fn->writer_state));
    if (fn->committable) size = fn->committable->size;
    if (fn->writer_state) size = MAX(size, fn->writer_state->size);
    s->structs = mem_zalloc(cx->op->mem, (size_t)size * ROWCONV_ROWS);
    arena_init(&s->items, cx->op->mem, 0);
    s->is_writer = is_writer;
    if (fn->commit == NULL || is_writer) return S_OK;
    s->total = tw_metric_counter(cx, NULL, "totalCommittables");
    s->successful = tw_metric_counter(cx, NULL, "successfulCommittables");
    s->already = tw_metric_counter(cx, NULL, "alreadyCommittedCommittables");
    s->failed = tw_metric_counter(cx, NULL, "failedCommittables");
    s->retried = tw_metric_counter(cx, NULL, "retriedCommittables");
    return user_check(cx, TW_OK);
}

static char *structs_read(struct user_sink *s, const struct user_out *o, const struct batch *b, uint32_t first,
                          uint32_t n)
{
    uint32_t bad;

    arena_reset(&s->items);
    enum status st = rowconv_read(&o->row.conv, b, first, n, s->structs, &s->items, &bad);

    ASSERT(st == S_OK); /* they were structs of this row type */
    return s->structs;
}

static void batches_abort(struct tw_context *cx, const struct batch *b, uint32_t at)
{
    const struct user_out *o = &cx->sink->committables;

    for (; b != NULL; b = b->next, at = 0)
        while (at < b->count) {
            uint32_t n = MIN(b->count - at, ROWCONV_ROWS);
            const char *row = structs_read(cx->sink, o, b, at, n);
            for (uint32_t i = 0; i < n; i++, row += o->row.conv.size) cx->fn->abort_commit(cx, row);
            at += n;
        }
}

static void round_drop(struct user_sink *s)
{
    while (s->round) {
        struct batch *b = s->round;
        s->round = b->next;
        batch_free(b);
    }
}

void user_sink_close(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;

    if (s == NULL) return;
    cx->batch = NULL;
    s->taking = NULL;
    if (s->committables.stage != NULL) user_out_flush(cx, &s->committables);
    if (s->structs != NULL && cx->fn->abort_commit != NULL) {
        if (!s->is_committing) batches_abort(cx, s->round, s->at);
        if (!s->is_committing) batches_abort(cx, s->committables.waiting, 0);
        for (const struct user_prepared *p = s->groups; p != NULL; p = p->next)
            if (p->checkpoint == NO_CHECKPOINT) batches_abort(cx, p->rows, 0);
    }
    round_drop(s);
    user_sink_forget(cx);
    user_out_close(&s->committables);
    user_out_close(&s->states);
    mem_free(cx->op->mem, s->structs);
    arena_release(&s->items);
    cx->sink = NULL;
}

/* --- preparing ----------------------------------------------------------------------------------------------------------- */
static void give(struct tw_context *cx, bool states, const void *row, const char *call, const char *hook)
{
    struct user_sink *s = cx->sink;
    struct user_out *o = s == NULL ? NULL : states ? &s->states : s->is_writer ? &cx->outs[0] : &s->committables;

    if (o == NULL || s->taking != o) {
        user_misuse(cx, "%s is for .%s of a sink", call, hook);
        return;
    }
    user_emit(cx, o, row, TW_NO_TIME);
}

void tw_committable(struct tw_context *cx, const void *row)
{
    give(cx, false, row, "tw_committable", "prepare_commit");
}
void tw_writer_state(struct tw_context *cx, const void *row) { give(cx, true, row, "tw_writer_state", "snapshot"); }
bool tw_input_ended(struct tw_context *cx) { return cx->input_ended; }

static uint64_t rows_in(const struct batch *b)
{
    uint64_t rows = 0;

    for (; b != NULL; b = b->next) rows += b->count;
    return rows;
}

enum status user_sink_prepare(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;

    if (cx->fn->prepare_commit == NULL) return S_OK;
    ASSERT(s != NULL && s->round == NULL);
    s->taking = s->is_writer ? &cx->outs[0] : &s->committables;
    enum status st = user_check(cx, cx->fn->prepare_commit(cx));
    s->taking = NULL;
    if (s->is_writer) return st;
    user_out_flush(cx, &s->committables);
    uint64_t rows = rows_in(s->committables.waiting);
    s->prepared += rows;
    tw_metric_add(cx, s->total, (int64_t)rows);
    s->has_begun = false;
    s->retries = 0;
    return st;
}

enum tw_status user_sink_take(struct tw_context *cx, const void *row)
{
    struct user_sink *s = cx->sink;

    user_emit(cx, &s->committables, row, TW_NO_TIME);
    s->prepared++;
    tw_metric_add(cx, s->total, 1);
    return TW_OK;
}

void user_sink_hold(struct tw_context *cx) { user_out_flush(cx, &cx->sink->committables); }

/* --- committing ---------------------------------------------------------------------------------------------------------- */
static enum status commit_failed(struct tw_context *cx, enum status st)
{
    const struct user_sink *s = cx->sink;

    err_wrap(cx->op->err, "commit (%llu of %llu are committed)", (unsigned long long)s->committed,
             (unsigned long long)s->prepared);
    return st;
}

static enum status take_answer(struct tw_context *cx, const struct tw_commit *c, const char *row)
{
    struct user_sink *s = cx->sink;

    switch (c->answer) {
    case TW_COMMITTED:
    case TW_COMMITTED_BEFORE:
        s->committed++;
        tw_metric_add(cx, c->answer == TW_COMMITTED ? s->successful : s->already, 1);
        if (cx->out_count > 0) user_emit(cx, &cx->outs[0], row, TW_NO_TIME);
        return S_OK;
    case TW_RETRY_LATER:
        tw_metric_add(cx, s->retried, 1);
        s->next_ms = MAX(s->next_ms, sys_wall_ms(cx->op->sys) + MAX(c->retry_after_ms, 0));
        user_emit(cx, &s->committables, row, TW_NO_TIME);
        return S_OK;
    case TW_LOST: user_misuse(cx, "it is lost: it cannot be committed any more"); break;
    default: user_misuse(cx, "function '%s' answered %d, which is no answer of .commit", cx->ref->name, c->answer);
    }
    return user_failed(cx, TW_FAILED);
}

static enum status commit_one(struct tw_context *cx, char *row)
{
    struct user_sink *s = cx->sink;
    struct tw_commit c = {.retries = s->retries};

    user_forget_loaded(cx);
    cx->batch = s->round; /* for messages */
    cx->at = s->at++;
    enum status st = user_check(cx, cx->fn->commit(cx, row, &c));
    if (st == S_OK) st = take_answer(cx, &c, row);
    cx->batch = NULL;
    if (st == S_OK) return S_OK;
    tw_metric_add(cx, s->failed, 1);
    return commit_failed(cx, st);
}

/* Up to 64 committables of the round's first batch. */
static enum status commit_block(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;
    struct batch *b = s->round;
    uint32_t n = MIN(b->count - s->at, ROWCONV_ROWS);
    char *row = structs_read(s, &s->committables, b, s->at, n);

    for (uint32_t i = 0; i < n; i++, row += s->committables.row.conv.size) TRY(commit_one(cx, row));
    if (s->at < b->count) return S_OK;
    s->round = b->next;
    s->at = 0;
    batch_free(b);
    return S_OK;
}

/* May those that asked for it be tried again, and now? */
static enum status round_again(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;
    int64_t most = job_settings(cx->op->job).commit_retries;

    if (s->retries >= most) {
        err_set(cx->op->err, E_USER, "%llu could not be committed in %lld retries (sink.committer.retries)",
                (unsigned long long)rows_in(s->committables.waiting), (long long)most);
        return commit_failed(cx, E_USER);
    }
    if (sys_wall_ms(cx->op->sys) < s->next_ms) {
        op_wake_at(cx->op, s->next_ms);
        return S_PENDING;
    }
    s->retries++;
    return S_OK;
}

/* What waits becomes the round; S_END when nothing does. */
static enum status round_begin(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;
    struct user_out *o = &s->committables;

    user_out_flush(cx, o);
    if (o->waiting == NULL) return S_END;
    if (s->has_begun) TRY(round_again(cx));
    s->has_begun = true;
    s->round = o->waiting;
    s->at = 0;
    s->next_ms = 0;
    o->waiting = o->waiting_last = NULL;
    return S_OK;
}

enum status user_sink_commit(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;

    if (cx->fn->commit == NULL) return S_OK;
    ASSERT(s != NULL);
    cx->slice_ns = 0;
    for (;;) {
        enum status st = s->round == NULL ? round_begin(cx) : S_OK;
        if (st != S_OK) return st == S_END ? S_OK : st;
        TRY(commit_block(cx));
        if (user_slice_over(cx)) return S_MORE;
    }
}

/* --- writer state ---------------------------------------------------------------------------------------------------------- */
enum status user_sink_snapshot(struct tw_context *cx, int64_t checkpoint, const struct batch **rows)
{
    struct user_sink *s = cx->sink;

    *rows = NULL;
    if (cx->fn->snapshot == NULL) return S_OK;
    ASSERT(s != NULL);
    user_out_clear(&s->states);
    s->taking = &s->states;
    enum status st = user_check(cx, cx->fn->snapshot(cx, checkpoint));
    s->taking = NULL;
    user_out_flush(cx, &s->states);
    *rows = s->states.waiting;
    return st;
}

enum status user_sink_restore(struct tw_context *cx, const struct batch *rows)
{
    struct user_sink *s = cx->sink;

    if (cx->fn->restore == NULL) return S_OK;
    ASSERT(s != NULL);
    for (const struct batch *b = rows; b != NULL; b = b->next)
        for (uint32_t at = 0; at < b->count;) {
            uint32_t n = MIN(b->count - at, ROWCONV_ROWS);
            const char *row = structs_read(s, &s->states, b, at, n);
            for (uint32_t i = 0; i < n; i++, row += s->states.row.conv.size)
                TRY(user_check(cx, cx->fn->restore(cx, row)));
            at += n;
        }
    return S_OK;
}
