/* user_emit.c - rows that a function emits: staged as structs, transposed 64 at a time into the port's batch, and what
 * does not fit that batch kept for the calls to come.
 *
 * The idea: tw_collect is one copy of the struct. A stage is written out when it is full or when as many rows are staged
 * as the port's batch still takes, so that in the steady case nothing ever waits. Only a callback that emits more than
 * the batch takes makes waiting batches; user_begin hands them on, one per port and call, before the function sees
 * another row.
 *
 * Strings: those that lie in the current input row outlive the stage, because the input batch does. All others are
 * copied at once, so that a function may reuse its buffers from row to row; so are nested values, wherever they lie. */
#include "flow/operator/user.h"

#include "flow/operator/user_internal.h"

#include <string.h>

/* --- strings -------------------------------------------------------------------------------------------------------- */
static struct tw_str *string_at(const struct user_row *r, const char *row, uint32_t i)
{
    return (struct tw_str *)(void *)(row + r->conv.fields[r->strings[i]].offset);
}

static bool is_null(const struct user_row *r, const char *row, uint32_t field)
{
    uint64_t mask;

    if (r->conv.null_offset == ROWCONV_NO_NULLS) return false;
    memcpy(&mask, row + r->conv.null_offset, sizeof mask);
    return mask >> field & 1;
}

/* Do the bytes lie in a string of the current input row? */
static bool lies_in_input(const struct tw_context *cx, const struct tw_str *s)
{
    const struct user_row *in = &cx->in[cx->input].row;

    if (cx->row == NULL) return false;
    for (uint32_t i = 0; i < in->string_count; i++) {
        const struct tw_str *field = string_at(in, cx->row, i);
        if (s->data >= field->data && s->data + s->size <= field->data + field->size) return true;
    }
    return false;
}

bool user_out_check(struct tw_context *cx, const struct user_out *o, const void *structs, uint32_t n)
{
    const char *why;
    uint32_t field;

    if (!user_out_must_hold(o)) return true; /* numbers only */
    if (rowconv_check(&o->row.conv, structs, n, &field, &why) == S_OK) return true;
    user_misuse(cx, "row type '%s', field '%s': %s", o->row.row->name, o->row.form->type->names[field], why);
    return false;
}

static void nested_hold(struct user_out *o, char *row)
{
    const struct rowconv *c = &o->row.conv;

    for (uint32_t f = 0; f < c->field_count; f++) {
        const struct cform *form = c->fields[f].form;
        if (form && !is_null(&o->row, row, f)) cform_hold(form, row + c->fields[f].offset, &o->text);
    }
}

void user_out_hold(struct tw_context *cx, struct user_out *o, char *row)
{
    if (o->row.conv.must_check && !user_out_check(cx, o, row, 1)) memset(row, 0, o->row.conv.size);
    if (o->row.nested_count > 0) nested_hold(o, row);
    for (uint32_t i = 0; i < o->row.string_count; i++) {
        struct tw_str *s = string_at(&o->row, row, i);
        if (s->size == 0 || is_null(&o->row, row, o->row.strings[i])) {
            *s = (struct tw_str){"", 0};
        } else if (s->size > INT32_MAX) {
            user_misuse(cx, "a string of %zu bytes was emitted; at most %d", s->size, INT32_MAX);
            *s = (struct tw_str){"", 0};
        } else if (s->data == NULL) {
            user_misuse(cx, "row type '%s', field '%s': a string has a size, but its data is NULL", o->row.row->name,
                        o->row.form->type->names[o->row.strings[i]]);
            *s = (struct tw_str){"", 0};
        } else if (!lies_in_input(cx, s)) {
            char *copy = arena_alloc(&o->text, s->size);
            memcpy(copy, s->data, s->size);
            s->data = copy;
        }
    }
}

/* --- batches -------------------------------------------------------------------------------------------------------- */
static bool is_full(const struct batch *b) { return b->count == b->capacity || b->heap.used >= BATCH_BYTES; }

static struct batch *waiting_add(struct tw_context *cx, struct user_out *o)
{
    struct op_cx *op = cx->op;
    struct batch *b = o->spare;

    if (b != NULL) {
        o->spare = b->next;
    } else {
        const uint64_t *needed = op->needed_out && !o->detached ? op->needed_out[o->port] : NULL;
        b = batch_create_needed(o->row.schema, needed, op->batch_rows, o->text.mem);
    }
    b->next = NULL;
    if (o->waiting_last) o->waiting_last->next = b;
    else o->waiting = b;
    o->waiting_last = b;
    return b;
}

/* Where the next rows go. */
static struct batch *target(struct tw_context *cx, struct user_out *o)
{
    if (o->waiting_last == NULL && !o->detached) {
        struct batch *b = op_out(cx->op, o->port);
        if (!is_full(b)) return b;
    }
    return o->waiting_last && !is_full(o->waiting_last) ? o->waiting_last : waiting_add(cx, o);
}

static void spare_put(struct user_out *o, struct batch *b)
{
    batch_clear(b);
    b->next = o->spare;
    o->spare = b;
}

uint32_t user_out_room(struct tw_context *cx, struct user_out *o)
{
    if (o->waiting || o->detached) return 0;
    return op_room(cx->op, o->port);
}

void user_out_open(struct tw_context *cx, struct user_out *o)
{
    struct mem *mem = cx->arena.mem;

    o->stage = mem_zalloc(mem, (size_t)o->row.conv.size * ROWCONV_ROWS);
    arena_init(&o->text, mem, 0);
    o->used = o->detached || op_port_used(cx->op, o->port);
    o->limit = MIN(ROWCONV_ROWS, cx->op->batch_rows);
}

enum status user_out_bind(struct tw_context *cx, struct user_out *o, const struct tw_row *row)
{
    const struct type *schema;

    if (row == NULL) return S_OK;
    TRY(user_row_type(&cx->arena, row, &schema, cx->op->err));
    TRY(user_row_bind(&cx->arena, row, schema, NULL, &o->row, cx->op->err));
    o->detached = true;
    user_out_open(cx, o);
    return S_OK;
}

static void list_free(struct batch *b)
{
    while (b) {
        struct batch *next = b->next;
        batch_free(b);
        b = next;
    }
}

void user_out_close(struct user_out *o)
{
    if (o->stage == NULL) return;
    list_free(o->waiting);
    list_free(o->spare);
    batch_free(o->given);
    mem_free(o->text.mem, o->stage);
    arena_release(&o->text);
    o->stage = NULL;
}

void user_out_clear(struct user_out *o)
{
    while (o->waiting) {
        struct batch *b = o->waiting;
        o->waiting = b->next;
        spare_put(o, b);
    }
    o->waiting_last = NULL;
    o->staged = 0;
    o->kinds_seen = TW_INSERT;
    arena_reset(&o->text);
}

static void stamp(struct batch *b, uint32_t first, uint32_t n, const int64_t *times, const uint8_t *kinds)
{
    bool timed = b->times != NULL;

    for (uint32_t i = 0; times && !timed && i < n; i++) timed = times[i] != TW_NO_TIME;
    if (timed && times) {
        batch_use_times(b);
        memcpy(b->times + first, times, n * sizeof *times);
    }
    if (kinds) {
        batch_use_kinds(b);
        memcpy(b->kinds + first, kinds, n);
    }
}

void user_out_write(struct tw_context *cx, struct user_out *o, const void *structs, uint32_t n, const int64_t *times, const uint8_t *kinds)
{
    ASSERT(n <= ROWCONV_ROWS && o->stage != NULL);
    for (uint32_t at = 0; at < n;) {
        struct batch *b = target(cx, o);
        uint32_t first = b->count, take = MIN(n - at, b->capacity - first);
        if (rowconv_write(&o->row.conv, (const char *)structs + (size_t)at * o->row.conv.size, take, b) != S_OK) {
            user_misuse(cx, "row type '%s': " CFORM_FULL, o->row.row->name);
            return;
        }
        stamp(b, first, take, times ? times + at : NULL, kinds ? kinds + at : NULL);
        at += take;
    }
}

/* How many rows the stage takes before they must be written out, and whether the function may go on. */
static void limit_set(struct tw_context *cx, struct user_out *o)
{
    uint32_t room = o->detached ? ROWCONV_ROWS : user_out_room(cx, o);

    if (room == 0) cx->full = true;
    o->limit = room == 0 || room > ROWCONV_ROWS ? ROWCONV_ROWS : room;
}

void user_out_flush(struct tw_context *cx, struct user_out *o)
{
    if (o->staged > 0) {
        user_out_write(cx, o, o->stage, o->staged, o->times, o->kinds_seen != TW_INSERT ? o->kinds : NULL);
        o->staged = 0;
        o->kinds_seen = TW_INSERT;
        if (o->text.used > 0) arena_reset(&o->text);
    }
    limit_set(cx, o);
}

/* Hands on the oldest waiting batch of each port. */
static bool waiting_give(struct tw_context *cx)
{
    bool any = false;

    for (uint32_t i = 0; i < cx->out_count; i++) {
        struct user_out *o = &cx->outs[i];
        if (o->given) spare_put(o, o->given);
        o->given = o->waiting;
        if (o->given == NULL) continue;
        ASSERT(!o->detached);
        o->waiting = o->given->next;
        if (o->waiting == NULL) o->waiting_last = NULL;
        op_forward(cx->op, o->port, o->given);
        any = true;
    }
    return any;
}

static bool any_waiting(const struct tw_context *cx)
{
    for (uint32_t i = 0; i < cx->out_count; i++)
        if (cx->outs[i].waiting) return true;
    return false;
}

/* --- hooks begin and end --------------------------------------------------------------------------------------------- */
enum status user_begin(struct tw_context *cx, uint32_t input, const struct batch *in)
{
    uint32_t limit = MIN(ROWCONV_ROWS, cx->op->batch_rows);

    ASSERT(in == NULL || in->count <= BATCH_ROWS);
    if (waiting_give(cx)) return S_MORE;
    cx->batch = in;
    cx->input = input;
    cx->row = NULL;
    cx->keys = NULL;
    cx->where = NULL;
    cx->key.batch = NULL;
    cx->full = false;
    cx->slice_ns = 0;
    user_forget_loaded(cx);
    for (uint32_t i = 0; i < cx->out_count; i++) cx->outs[i].limit = limit;
    return S_OK;
}

enum status user_end(struct tw_context *cx, bool finished)
{
    for (uint32_t i = 0; i < cx->out_count; i++)
        if (cx->outs[i].staged > 0) user_out_flush(cx, &cx->outs[i]);
    cx->batch = NULL;
    cx->row = NULL;
    if (cx->timers) user_timers_wake(cx);
    TRY(user_check(cx, TW_OK)); /* rows that were emitted since the last callback */
    if (!finished || any_waiting(cx)) return S_MORE;
    user_keys_done(cx);
    cx->done = 0;
    return S_OK;
}

/* --- what functions call ------------------------------------------------------------------------------------------------ */
/* Structs are a few words; a call for each costs more than the copy. */
static inline void struct_copy(char *to, const char *from, size_t size)
{
    if (UNLIKELY(size > 128 || size % 8 != 0)) {
        memcpy(to, from, size);
        return;
    }
    for (size_t i = 0; i < size; i += 8) memcpy(to + i, from + i, 8);
}

void user_emit(struct tw_context *cx, struct user_out *o, const void *row, int64_t time_ms)
{
    char *to = o->stage + (size_t)o->staged * o->row.conv.size;

    if (!o->used) return;
    struct_copy(to, row, o->row.conv.size);
    if (user_out_must_hold(o)) user_out_hold(cx, o, to);
    o->times[o->staged] = time_ms;
    o->kinds[o->staged] = cx->keep_kind && cx->batch && cx->batch->kinds ? (uint8_t)tw_kind(cx) : TW_INSERT;
    o->kinds_seen |= o->kinds[o->staged];
    if (++o->staged >= o->limit) user_out_flush(cx, o);
}

/* As in Flink, rows emitted by a processing-time timer have no event time. */
static int64_t out_time(const struct tw_context *cx)
{
    return cx->in_timer && cx->timer_is_processing ? TW_NO_TIME : user_time(cx);
}

void tw_collect(struct tw_context *cx, const void *row)
{
    tw_collect_at(cx, row, out_time(cx));
}

void tw_collect_at(struct tw_context *cx, const void *row, int64_t time_ms)
{
    if (UNLIKELY(!cx->may_collect)) {
        user_misuse(cx, "tw_collect was called where function '%s' emits nothing", cx->ref->name);
        return;
    }
    user_emit(cx, &cx->outs[0], row, time_ms);
}

void tw_side_output(struct tw_context *cx, uint32_t side, const void *row)
{
    if (side >= TW_SIDE_OUTPUTS_MAX || cx->outs[1 + side].stage == NULL) {
        user_misuse(cx, "tw_side_output: function '%s' has no side output %u", cx->ref->name, side);
        return;
    }
    user_emit(cx, &cx->outs[1 + side], row, out_time(cx));
}
