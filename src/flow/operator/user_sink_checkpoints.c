/* user_sink_checkpoints.c - a user's sink in two phases, checkpoint by checkpoint, and its writer state over checkpoints.
 *
 * What .prepare_commit gives in front of a barrier is a group of that checkpoint. It lies in the checkpoint as bytes, with the groups
 * before it that are not committed; it is committed when that checkpoint or a later one is complete, or when a job is restored from it.
 *
 * Invariants: a group that is in a checkpoint is never aborted, for the next attempt commits it. Groups are committed in the order of
 * their checkpoints. While they are (retries included), no barrier comes: the task waits for on_complete.
 *
 * Not here: rounds, retries and answers of .commit (user_sink.c). */
#include "flow/operator/user_internal.h"
#include "flow/operator/user_sink_internal.h"

#include "columns/column/batch_codec.h"

enum { ROWS_MAX = BATCH_ROWS };

void user_sink_forget(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;

    while (s->groups != NULL) {
        struct user_prepared *p = s->groups;
        s->groups = p->next;
        for (struct batch *b = p->rows, *next; b != NULL; b = next) {
            next = b->next;
            batch_free(b);
        }
        mem_free(cx->op->mem, p);
    }
    opstate_free(s->kept);
    s->kept = NULL;
}

/* --- groups ---------------------------------------------------------------------------------------------------------------- */
/* What waits becomes a group of its own. */
static void group_take(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;
    struct user_out *o = &s->committables;
    struct user_prepared **last = &s->groups;

    if (o->waiting == NULL) return;
    while (*last != NULL) last = &(*last)->next;
    *last = mem_zalloc(cx->op->mem, sizeof **last);
    **last = (struct user_prepared){.checkpoint = NO_CHECKPOINT, .rows = o->waiting};
    o->waiting = o->waiting_last = NULL;
}

static void waiting_append(struct user_out *o, struct batch *rows)
{
    if (o->waiting_last != NULL)
        o->waiting_last->next = rows;
    else
        o->waiting = rows;
    for (o->waiting_last = rows; o->waiting_last->next != NULL;) o->waiting_last = o->waiting_last->next;
}

/* Those of that checkpoint and before are to be committed now. */
static void groups_release(struct tw_context *cx, int64_t checkpoint)
{
    struct user_sink *s = cx->sink;

    while (s->groups != NULL && s->groups->checkpoint <= checkpoint && s->groups->checkpoint != NO_CHECKPOINT) {
        struct user_prepared *p = s->groups;
        s->groups = p->next;
        waiting_append(&s->committables, p->rows);
        mem_free(cx->op->mem, p);
    }
}

static enum status commit_waiting(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;
    enum status st;

    if (!s->is_committing) {
        s->has_begun = false;
        s->retries = 0;
    }
    s->is_committing = true;
    st = user_sink_commit(cx);
    if (st == S_OK) s->is_committing = false;
    return st;
}

/* --- writer state ------------------------------------------------------------------------------------------------------------ */
static enum status states_load(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;
    struct batch *b = batch_create(opstate_layout(s->kept)->type, ROWCONV_ROWS, cx->op->mem);
    struct view_cursor c = {0};
    enum status st = S_OK;

    for (; st == S_OK && opstate_load(s->kept, &c, b); batch_clear(b)) st = user_sink_restore(cx, b);
    batch_free(b);
    return st;
}

enum status user_sink_states_open(struct tw_context *cx)
{
    struct user_sink *s = cx->sink;
    const struct type *type;

    if (cx->fn->writer_state == NULL || cx->op->state == NULL) return S_OK;
    TRY(user_row_type(cx->op->plan->arena, cx->fn->writer_state, &type, cx->op->err));
    TRY(opstate_create_fields(cx->op->state, "writer state", OPSTATE_LIST, NULL, type, &s->kept, cx->op->err));
    return states_load(cx);
}

static enum status states_keep(struct tw_context *cx, int64_t checkpoint)
{
    struct user_sink *s = cx->sink;
    const struct batch *rows;

    if (s->kept == NULL) return S_OK;
    TRY(user_sink_snapshot(cx, checkpoint, &rows));
    opstate_clear(s->kept);
    for (const struct batch *b = rows; b != NULL; b = b->next) TRY(opstate_append(s->kept, b));
    return S_OK;
}

const char *user_sink_checkpoint_refusal(const struct tw_function *fn)
{
    bool has_behind = fn != NULL && fn->topology != NULL && fn->topology->post_commit != NULL;

    return has_behind ? "what stands behind its commit (.post_commit) is told when the input ends" : NULL;
}

/* --- a checkpoint -------------------------------------------------------------------------------------------------------------- */
enum status user_sink_barrier(struct tw_context *cx, int64_t checkpoint)
{
    struct user_sink *s = cx->sink;

    if (s == NULL) return S_OK;
    ASSERT(!s->is_committing);
    if (cx->fn->committable != NULL) group_take(cx);
    for (struct user_prepared *p = s->groups; p != NULL; p = p->next)
        if (p->checkpoint == NO_CHECKPOINT) p->checkpoint = checkpoint;
    return states_keep(cx, checkpoint);
}

void user_sink_encode(struct tw_context *cx, struct buf *out)
{
    const struct user_sink *s = cx->sink;

    for (const struct user_prepared *p = s != NULL ? s->groups : NULL; p != NULL; p = p->next)
        for (const struct batch *b = p->rows; b != NULL; b = b->next) {
            enc_varint(out, b->count);
            batch_encode(b, out);
        }
}

enum status user_sink_complete(struct tw_context *cx, int64_t checkpoint)
{
    struct user_sink *s = cx->sink;

    if (s == NULL || cx->fn->commit == NULL) return S_OK;
    if (!s->is_committing) {
        group_take(cx); /* it was prepared at the end, behind that checkpoint */
        groups_release(cx, checkpoint);
    }
    return commit_waiting(cx);
}

static enum status rows_decode(struct tw_context *cx, struct str bytes)
{
    struct user_sink *s = cx->sink;
    struct dec d;

    dec_init(&d, bytes.data, bytes.size);
    while (dec_left(&d) > 0) {
        uint64_t rows = dec_varint(&d);
        if (!dec_ok(&d) || rows == 0 || rows > ROWS_MAX)
            return err_set(cx->op->err, E_DATA, "what was prepared for commit in the checkpoint cannot be read");
        struct batch *b = batch_create(s->committables.row.schema, (uint32_t)rows, cx->op->mem);
        waiting_append(&s->committables, b);
        TRY(batch_decode(&d, b, cx->op->err));
        s->prepared += b->count;
        tw_metric_add(cx, s->total, b->count);
    }
    return S_OK;
}

enum status user_sink_recover(struct tw_context *cx, struct str committables)
{
    struct user_sink *s = cx->sink;

    if (s == NULL || cx->fn->commit == NULL) return S_OK;
    if (!s->is_committing) {
        s->is_committing = true; /* also when they cannot be read: they are in a checkpoint */
        s->has_begun = false;
        s->retries = 0;
        TRY(rows_decode(cx, committables));
    }
    return commit_waiting(cx);
}
