/* source_state.c - checkpoints of a source.
 *
 * The idea: nobody asks the enumerator. Each subtask keeps the splits that it has, with their positions, and the ids of all that
 * it has read, or that subtasks have read which are through (enumerator_bequeath); a split that no subtask has was not handed
 * out, as far as the checkpoint goes. After a restore the enumerator begins
 * anew, and what it hands out again is left out when some subtask had it (enumerator.c). For that, ids of splits say the same in
 * every run; and where they depend on the number of subtasks, the number of the first run stays in force.
 *
 * Splits that cannot say their position (a socket) are opened again as they were. The order of splits is kept, from the one
 * whose turn it is, so that a restored source goes on with the same row. */
#include "flow/source/source_state.h"

#include "flow/source/source_reader_internal.h"
#include "ground/base/str.h"

#include <string.h>

#define SPLIT_ROW                                                                                                      \
    "ROW<id STRING NOT NULL, split BYTES NOT NULL, watermark BIGINT NOT NULL, `rows` BIGINT NOT NULL, "                \
    "turn_rows BIGINT NOT NULL, is_idle BOOLEAN NOT NULL>"
#define ID_ROW "ROW<id STRING NOT NULL>"
#define ENUMERATOR_ROW "ROW<parallelism BIGINT NOT NULL>"
enum { COL_ID, COL_SPLIT, COL_WATERMARK, COL_ROWS, COL_TURN_ROWS, COL_IS_IDLE };
enum { KEPT_ROWS = 64 };

static enum status kept_create(struct source_reader *r, const char *name, enum opstate_kind kind, const char *row,
                               struct opstate **out)
{
    struct op_cx *op = r->op;
    const struct type *type;

    TRY(type_parse(op->plan->arena, str_of(row), &type, op->err));
    return opstate_create(op->state, name, kind, NULL, type, out, op->err);
}

static struct batch *rows_of(struct source_reader *r, struct opstate *s)
{
    return batch_create(opstate_layout(s)->type, KEPT_ROWS, r->op->mem);
}

static struct text text_at(const struct batch *b, uint32_t col, uint32_t row)
{
    return VECTOR_VALUES(&b->cols[col], struct text)[row];
}
static int64_t *word_at(struct batch *b, uint32_t col, uint32_t row)
{
    return &VECTOR_VALUES(&b->cols[col], int64_t)[row];
}

/* --- restoring ------------------------------------------------------------------------------------------------------------ */
static enum status split_restore(struct source_reader *r, struct batch *b, uint32_t row)
{
    struct text id = text_at(b, COL_ID, row), bytes = text_at(b, COL_SPLIT, row);
    struct split what = {.id = arena_strndup(r->op->scratch, text_data(&id), id.size),
                         .bytes = {text_data(&bytes), bytes.size}};
    struct source_split *s;

    TRY(source_split_add(r, &what, &s));
    s->generator.watermark = *word_at(b, COL_WATERMARK, row);
    s->generator.rows = (uint32_t)*word_at(b, COL_ROWS, row);
    s->is_idle = VECTOR_VALUES(&b->cols[COL_IS_IDLE], uint8_t)[row] != 0 && r->strategy.idleness_ms > 0;
    if (s->is_idle) s->seen_ms = r->active_ms - r->strategy.idleness_ms;
    if (s == r->turn) r->turn_rows = (uint32_t)*word_at(b, COL_TURN_ROWS, row);
    return S_OK;
}

/* Without a split it is what it was: nobody else remembers how long it has had none. */
static void idleness_restore(struct source_reader *r)
{
    int64_t limit = r->strategy.idleness_ms;

    r->is_idle = r->splits != NULL || (limit > 0 && op_is_idle(r->op));
    for (const struct source_split *s = r->splits; s != NULL; s = s->next) r->is_idle &= s->is_idle;
    if (r->is_idle && r->splits == NULL) r->assigned_active_ms = r->active_ms - limit;
    op_emit_idle(r->op, r->is_idle);
}

static enum status splits_restore(struct source_reader *r)
{
    struct batch *b = rows_of(r, r->kept.splits);
    struct view_cursor c = {0};
    enum status st = S_OK;

    while (st == S_OK && opstate_load(r->kept.splits, &c, b)) {
        for (uint32_t i = 0; st == S_OK && i < b->count; i++) st = split_restore(r, b, i);
        batch_clear(b);
    }
    batch_free(b);
    idleness_restore(r);
    return st;
}

static void id_open(struct source_reader *r, struct str id) { (void)enumerator_taken(r->enumerator, id, true); }

/* Each subtask knows them all; who tells them first leaves them to whoever takes the next checkpoint. */
static void id_finished(struct source_reader *r, struct str id)
{
    if (enumerator_taken(r->enumerator, id, false)) enumerator_bequeath(r->enumerator, id, 0);
}

static void id_left(struct source_reader *r, struct str id)
{
    enumerator_bequeath(r->enumerator, id, r->kept.checkpoint);
}

static void each_id(struct source_reader *r, struct opstate *ids, void (*fn)(struct source_reader *r, struct str id))
{
    struct batch *b = rows_of(r, ids);
    struct view_cursor c = {0};

    for (; opstate_load(ids, &c, b); batch_clear(b))
        for (uint32_t i = 0; i < b->count; i++) {
            struct text id = text_at(b, 0, i);
            fn(r, (struct str){text_data(&id), id.size});
        }
    batch_free(b);
}

static void parallelism_restore(struct source_reader *r)
{
    struct batch *b = rows_of(r, r->kept.enumerators);
    struct view_cursor c = {0};

    r->kept.parallelism = r->op->parallelism;
    if (opstate_load(r->kept.enumerators, &c, b)) r->kept.parallelism = (uint32_t)*word_at(b, 0, 0);
    batch_free(b);
    enumerator_use(r->enumerator, r->kept.parallelism);
}

static void goes_back_check(struct source_reader *r)
{
    if (r->op->subtask > 0 || source_goes_back(r->plan.type, &r->cx)) return;
    log_write(r->op->log, LOG_WARN, "source",
              "source '%s' cannot go back: after a failure, what came since the last checkpoint is lost, or all that it gives comes "
              "again",
              r->op->name);
}

enum status source_state_open(struct source_reader *r)
{
    struct source_kept *k = &r->kept;

    if (r->op->state == NULL) return S_OK;
    goes_back_check(r);
    TRY(kept_create(r, "splits", OPSTATE_LIST, SPLIT_ROW, &k->splits));
    TRY(kept_create(r, "open splits", OPSTATE_UNION, ID_ROW, &k->open));
    TRY(kept_create(r, "finished splits", OPSTATE_UNION, ID_ROW, &k->finished));
    TRY(kept_create(r, "enumerators", OPSTATE_UNION, ENUMERATOR_ROW, &k->enumerators));
    parallelism_restore(r);
    each_id(r, k->finished, id_finished);
    each_id(r, k->open, id_open);
    opstate_clear(k->finished); /* it was left, see above */
    return splits_restore(r);
}

void source_state_close(struct source_reader *r)
{
    opstate_free(r->kept.splits);
    opstate_free(r->kept.open);
    opstate_free(r->kept.finished);
    opstate_free(r->kept.enumerators);
    r->kept = (struct source_kept){0};
}

/* --- saving ----------------------------------------------------------------------------------------------------------------- */
static void text_set(struct batch *b, uint32_t col, struct str text)
{
    VECTOR_VALUES(&b->cols[col], struct text)[b->count] = text_put(&b->heap, text.data, text.size);
}

static enum status split_write(struct source_reader *r, const struct source_split *s, struct buf *position, struct batch *b)
{
    buf_clear(position);
    if (r->plan.type->split_position != NULL)
        r->plan.type->split_position(&r->cx, r->reader, s->self, position);
    else
        buf_append(position, s->bytes.data, s->bytes.size);
    if (position->size > SPLIT_BYTES_MAX)
        return err_set(r->op->err, E_USER, "source '%s', split '%.100s': its position takes %zu bytes, at most %d fit a checkpoint",
                       r->op->name, s->id, position->size, SPLIT_BYTES_MAX);
    text_set(b, COL_ID, str_of(s->id));
    text_set(b, COL_SPLIT, (struct str){position->data, position->size});
    *word_at(b, COL_WATERMARK, b->count) = s->generator.watermark;
    *word_at(b, COL_ROWS, b->count) = s->generator.rows;
    *word_at(b, COL_TURN_ROWS, b->count) = s == r->turn ? r->turn_rows : 0;
    VECTOR_VALUES(&b->cols[COL_IS_IDLE], uint8_t)[b->count++] = s->is_idle;
    return S_OK;
}

static enum status flush_rows(struct opstate *to, struct batch *b)
{
    enum status st = opstate_append(to, b);

    batch_clear(b);
    return st;
}

static enum status splits_save(struct source_reader *r, struct batch *splits, struct batch *ids, struct buf *position)
{
    const struct source_split *s = r->turn;

    for (uint32_t left = r->split_count; left > 0; left--) {
        TRY(split_write(r, s, position, splits));
        text_set(ids, 0, str_of(s->id));
        ids->count++;
        if (ids->count == KEPT_ROWS || splits->heap.used >= BATCH_BYTES || left == 1) {
            TRY(flush_rows(r->kept.splits, splits));
            TRY(flush_rows(r->kept.open, ids));
        }
        s = s->next != NULL ? s->next : r->splits;
    }
    return S_OK;
}

static enum status enumerator_save(struct source_reader *r, struct batch *b)
{
    opstate_clear(r->kept.enumerators);
    *word_at(b, 0, 0) = r->kept.parallelism;
    b->count = 1;
    return opstate_append(r->kept.enumerators, b);
}

static enum status finished_add(struct source_reader *r, struct str id)
{
    struct batch *b = batch_create(opstate_layout(r->kept.finished)->type, 1, r->op->mem);

    text_set(b, 0, id);
    b->count = 1;
    enum status st = opstate_append(r->kept.finished, b);
    batch_free(b);
    return st;
}

static enum status estate_take(struct source_reader *r)
{
    enum status st = S_OK;
    struct buf id;

    buf_init(&id, r->op->mem);
    while (st == S_OK && enumerator_inherit(r->enumerator, r->kept.checkpoint, &id)) st = finished_add(r, (struct str){id.data, id.size});
    buf_release(&id);
    return st;
}

void source_state_leave(struct source_reader *r)
{
    if (r->kept.finished != NULL) each_id(r, r->kept.finished, id_left);
}

enum status source_state_save(struct source_reader *r, int64_t checkpoint)
{
    struct source_kept *k = &r->kept;
    struct batch *splits, *ids, *enumerators;
    struct buf position;

    if (k->splits == NULL) return S_OK;
    k->checkpoint = checkpoint;
    TRY(estate_take(r));
    splits = rows_of(r, k->splits);
    ids = rows_of(r, k->open);
    enumerators = rows_of(r, k->enumerators);
    buf_init(&position, r->op->mem);
    opstate_clear(k->splits);
    opstate_clear(k->open);
    enum status st = splits_save(r, splits, ids, &position);
    if (st == S_OK) st = enumerator_save(r, enumerators);
    buf_release(&position);
    batch_free(splits);
    batch_free(ids);
    batch_free(enumerators);
    return st;
}

enum status source_state_finished(struct source_reader *r, const struct source_split *s)
{
    return r->kept.finished != NULL ? finished_add(r, str_of(s->id)) : S_OK;
}
