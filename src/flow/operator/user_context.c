/* user_context.c - the life of a tw_context in an operator: binding the function's rows to the ports, opening and closing
 * it, stepping through a batch in blocks of 64 structs, and telling what went wrong with the row and key in question.
 *
 * A callback's failure is looked at once per callback, by one compare (user_check); everything about it, printing the
 * row included, happens only then. Time is looked at once per block and only from the second block on, so that a batch
 * of a few rows pays for no clock. */
#include "flow/operator/user.h"

#include "flow/operator/user_internal.h"
#include "flow/task/job_shared.h"
#include "ground/base/buf.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <stdio.h>

enum { PRINTED_ROW_MAX = 600 };

/* --- binding --------------------------------------------------------------------------------------------------------- */
enum status user_init(struct tw_context *cx, struct op_cx *op, const struct function_ref *ref)
{
    ASSERT(op && ref);
    if (ref->fn == NULL) return err_set(op->err, E_NOT_FOUND, "function '%s' is not known here", ref->name);
    cx->op = op;
    cx->ref = ref;
    cx->fn = ref->fn;
    cx->time = TW_NO_TIME;
    arena_init(&cx->arena, op->mem, 1024);
    arena_init(&cx->loaded, op->mem, 0);
    if (cx->fn->self_size > 0) cx->self = mem_zalloc(op->mem, cx->fn->self_size);
    return S_OK;
}

enum status user_bind_in(struct tw_context *cx, uint32_t input, const struct tw_row *row)
{
    struct user_in *in = &cx->in[input];

    ASSERT(input < cx->op->plan->input_count && row);
    TRY(user_row_bind(&cx->arena, row, cx->op->plan->inputs[input], NULL, &in->row, cx->op->err));
    in->structs = mem_zalloc(cx->op->mem, (size_t)row->size * ROWCONV_ROWS);
    arena_init(&in->items, cx->op->mem, 0);
    return S_OK;
}

enum status user_bind_out(struct tw_context *cx, uint32_t out, const struct tw_row *row, uint32_t port)
{
    struct user_out *o = &cx->outs[out];

    ASSERT(out < USER_PORTS && port < cx->op->plan->output_count && row);
    TRY(user_row_bind(&cx->arena, row, cx->op->plan->outputs[port], NULL, &o->row, cx->op->err));
    o->port = port;
    user_out_open(cx, o);
    cx->out_count = MAX(cx->out_count, out + 1);
    return S_OK;
}

static enum status key_bind_all(struct tw_context *cx, const struct tw_row *row)
{
    const struct op_plan *plan = cx->op->plan;
    uint32_t order[OP_KEYS_MAX], cols[OP_KEYS_MAX], count = plan->key_count[0];

    TRY(user_key_order(row, cx->key_type, order, cx->op->err));
    for (uint32_t i = 0; i < plan->input_count; i++) {
        if (plan->key_count[i] != count) continue; /* the broadcast side has no key */
        for (uint32_t f = 0; f < count; f++) cols[f] = plan->keys[i][order[f]];
        TRY(user_row_bind_at(&cx->arena, row, plan->inputs[i], cols, &cx->key.rows[i], cx->op->err));
    }
    TRY(user_row_bind_at(&cx->arena, row, cx->key_type, order, &cx->key.rows[2], cx->op->err));
    cx->key.structs = mem_zalloc(cx->op->mem, (size_t)row->size * ROWCONV_ROWS);
    arena_init(&cx->key.items, cx->op->mem, 0);
    return S_OK;
}

enum status user_bind_key(struct tw_context *cx)
{
    if (cx->op->plan->key_count[0] == 0 || cx->key_type) return S_OK;
    cx->key_type = user_key_type(&cx->arena, cx->op->plan, 0);
    cx->hashes = mem_alloc(cx->op->mem, sizeof *cx->hashes * BATCH_ROWS);
    return cx->fn->key ? key_bind_all(cx, cx->fn->key) : S_OK;
}

enum status user_open(struct tw_context *cx)
{
    TRY(user_states_open(cx));
    TRY(user_timers_open(cx));
    if (cx->op->opens_states_only) return S_OK;
    cx->is_open = true;
    return cx->fn->open ? user_check(cx, cx->fn->open(cx)) : S_OK;
}

enum status user_start(struct tw_context *cx, struct op_cx *op, const struct function_ref *ref, bool out)
{
    uint32_t port = 1;

    TRY(user_init(cx, op, ref));
    if (cx->fn->in && op->plan->input_count > 0) TRY(user_bind_in(cx, 0, cx->fn->in));
    if (cx->fn->in2 && op->plan->input_count > 1) TRY(user_bind_in(cx, 1, cx->fn->in2));
    if (out) TRY(user_bind_out(cx, 0, cx->fn->out, 0));
    cx->may_collect = out;
    for (uint32_t i = 0; i < TW_SIDE_OUTPUTS_MAX; i++)
        if (cx->fn->sides[i]) TRY(user_bind_out(cx, 1 + i, cx->fn->sides[i], port++));
    TRY(user_bind_key(cx));
    return user_open(cx);
}

void user_close(struct tw_context *cx)
{
    if (cx->op == NULL) return;
    cx->batch = cx->keys = NULL;
    cx->where = NULL;
    cx->row = NULL;
    if (cx->is_open && cx->fn->close) cx->fn->close(cx);
    user_counters_close(cx);
    user_timers_close(cx);
    user_states_close(cx);
    for (uint32_t i = 0; i < USER_PORTS; i++) user_out_close(&cx->outs[i]);
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++) {
        mem_free(cx->op->mem, cx->in[i].structs);
        arena_release(&cx->in[i].items);
    }
    mem_free(cx->op->mem, cx->key.structs);
    arena_release(&cx->key.items);
    arena_release(&cx->loaded);
    mem_free(cx->op->mem, cx->hashes);
    mem_free(cx->op->mem, cx->self);
    arena_release(&cx->arena);
    cx->op = NULL;
}

/* --- stepping through a batch ------------------------------------------------------------------------------------------- */
enum status user_keys_present(struct tw_context *cx, const struct batch *in, const uint32_t *cols, uint32_t col_count)
{
    for (uint32_t c = 0; c < col_count; c++) {
        const struct vector *v = &in->cols[cols[c]];
        if (vector_values(v)->validity == NULL) continue;
        BATCH_EACH(in, i, row)
        {
            if (!vector_is_null(v, row)) continue;
            err_set(cx->op->err, E_DATA, "a row has NULL in the key column '%s'; keys must not be NULL",
                    in->schema->names[cols[c]]);
            err_hint(cx->op->err, "remove such rows before it, for example with tw_filter");
            return E_DATA;
        }
    }
    return S_OK;
}

enum status user_keys(struct tw_context *cx, const struct batch *in, const uint32_t *cols, uint32_t col_count)
{
    struct state_keys keys;

    ASSERT(cx->key_type && col_count == cx->key_type->child_count);
    if (cx->begun) return S_OK;
    TRY(user_keys_present(cx, in, cols, col_count));
    if (cx->states || cx->timers) {
        batch_hash(in, cols, col_count, cx->hashes);
        keys = state_keys_of(in, cols, col_count, cx->hashes);
        TRY(user_states_begin(cx, &keys));
    }
    cx->key_cols = cols;
    cx->begun = true;
    return S_OK;
}

enum status user_input_keys(struct tw_context *cx, uint32_t input, const struct batch *in)
{
    const struct op_plan *plan = cx->op->plan;

    if (cx->key_type == NULL || plan->key_count[input] == 0) return S_OK;
    return user_keys(cx, in, plan->keys[input], plan->key_count[input]);
}

void user_keys_done(struct tw_context *cx)
{
    if (!cx->begun) return;
    cx->begun = false;
    user_states_end(cx);
}

static enum status null_arrived(struct tw_context *cx, const struct user_row *r, const struct batch *in, uint32_t field)
{
    const char *column = in->schema->names[r->conv.fields[field].col];

    err_set(cx->op->err, E_DATA, "NULL in column '%s', but row type '%s' has no place for it", column, r->row->name);
    err_hint(cx->op->err, "give the struct a null mask with TW_NULLS, or remove such rows before");
    return E_DATA;
}

enum status user_read(struct tw_context *cx, uint32_t input, const struct batch *in, uint32_t first, uint32_t n)
{
    struct user_in *u = &cx->in[input];
    uint32_t bad;

    ASSERT(u->structs && n <= ROWCONV_ROWS);
    arena_reset(&u->items);
    if (LIKELY(rowconv_read(&u->row.conv, in, first, n, u->structs, &u->items, &bad) == S_OK)) return S_OK;
    return null_arrived(cx, &u->row, in, bad);
}

enum status user_read_some(struct tw_context *cx, uint32_t input, const struct batch *in, uint32_t first, uint32_t max,
                           uint32_t *n)
{
    struct user_in *u = &cx->in[input];
    uint32_t bad;

    *n = MIN(MIN(max, (uint32_t)ROWCONV_ROWS), batch_rows(in) - first);
    arena_reset(&u->items);
    if (*n > 1 && rowconv_read(&u->row.conv, in, first, *n, u->structs, &u->items, &bad) == S_OK) return S_OK;
    *n = 1;
    return user_read(cx, input, in, first, 1);
}

bool user_slice_over(struct tw_context *cx)
{
    int64_t now = sys_mono_ns(cx->op->sys);

    if (cx->slice_ns == 0) cx->slice_ns = now;
    return now - cx->slice_ns > USER_SLICE_NS;
}

/* --- failures ------------------------------------------------------------------------------------------------------------ */
static void text_set(struct tw_context *cx, const char *format, va_list args)
{
    if (vsnprintf(cx->text, sizeof cx->text, format, args) < 0) cx->text[0] = 0;
}

enum tw_status tw_fail(struct tw_context *cx, const char *format, ...)
{
    va_list args;

    if (cx->broken != S_OK) return TW_FAILED; /* the first one counts */
    va_start(args, format);
    text_set(cx, format, args);
    va_end(args);
    return TW_FAILED;
}

void user_misuse(struct tw_context *cx, const char *format, ...)
{
    va_list args;

    if (cx->broken != S_OK) return;
    va_start(args, format);
    text_set(cx, format, args);
    va_end(args);
    cx->broken = E_USER;
}

static void cut(struct buf *b, size_t max)
{
    if (b->size <= max) return;
    b->size = max;
    while (b->size > 0 && (b->data[b->size] & 0xC0) == 0x80) b->size--; /* not within a character */
    buf_append_text(b, "...");
}

static void key_columns_print(const struct tw_context *cx, const struct batch *b, const uint32_t *cols, uint32_t row,
                              struct buf *out)
{
    uint32_t count = cx->op->plan->key_count[0];
    struct buf key;

    if (count == 0) return;
    buf_init(&key, out->mem);
    buf_append_text(&key, "key [");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_text(&key, ", ");
        vector_print(&b->cols[cols ? cols[i] : i], row, &key);
    }
    buf_append_text(&key, "]");
    cut(&key, PRINTED_ROW_MAX);
    buf_append_text(out, buf_text(&key));
    buf_release(&key);
}

static void where_print(const struct tw_context *cx, struct buf *out)
{
    const struct user_where *w = cx->where;
    uint32_t at = cx->where_at;

    key_columns_print(cx, w->keys, w->cols, w->rows ? w->rows[at] : at, out);
    if (w->windows == NULL) return;
    const struct tw_window *window = &w->windows[w->is_one_window ? 0 : at];
    if (out->size > 0) buf_append_text(out, ", ");
    if (window->start == INT64_MIN && window->end == INT64_MAX)
        buf_append_text(out, "the global window");
    else
        buf_printf(out, "window [%lld, %lld)", (long long)window->start, (long long)window->end);
}

/* Key, and window where there is one. */
static void key_print(const struct tw_context *cx, struct buf *out)
{
    const struct batch *b = cx->keys ? cx->keys : cx->batch;

    if (cx->where != NULL)
        where_print(cx, out);
    else if (cx->begun && b != NULL)
        key_columns_print(cx, b, cx->key_cols, batch_row(b, cx->keys ? cx->keys_at : cx->at), out);
}

static void row_print(const struct tw_context *cx, struct buf *out)
{
    struct buf row;

    if (cx->batch == NULL || (cx->where != NULL && !cx->where->is_row)) return;
    buf_init(&row, out->mem);
    batch_show_row(cx->batch, batch_row(cx->batch, cx->at), &row);
    cut(&row, PRINTED_ROW_MAX);
    buf_printf(out, "%srow %s", out->size > 0 ? ", " : "", buf_text(&row));
    buf_release(&row);
}

enum status user_failed(struct tw_context *cx, enum tw_status st)
{
    struct op_cx *op = cx->op;
    struct buf where;

    ASSERT(st != TW_OK || cx->broken != S_OK);
    buf_init(&where, cx->arena.mem);
    key_print(cx, &where);
    row_print(cx, &where);
    if (where.size > 0) buf_append_text(&where, ": ");
    if (cx->in_timer) buf_printf(&where, "timer at %lld: ", (long long)cx->time);
    if (cx->text[0] == 0) {
        err_set(op->err, E_USER, "%sfunction '%s' failed without saying why", buf_text(&where), cx->ref->name);
        err_hint(op->err, "answer with tw_fail(cx, \"...\") to say why");
    } else {
        err_set(op->err, E_USER, "%s%s", buf_text(&where), cx->text);
    }
    buf_release(&where);
    return cx->broken != S_OK ? cx->broken : E_USER;
}

/* --- what functions ask ---------------------------------------------------------------------------------------------------- */
void *tw_scratch(struct tw_context *cx, size_t size) { return arena_zalloc(&cx->loaded, MAX(size, (size_t)1)); }
void *tw_self(struct tw_context *cx) { return cx->self; }
struct tw_str tw_config(struct tw_context *cx) { return (struct tw_str){cx->ref->config.data, cx->ref->config.size}; }
int64_t tw_time(struct tw_context *cx) { return user_time(cx); }
int64_t tw_left_time(struct tw_context *cx) { return cx->is_pair ? cx->pair_times[0] : TW_NO_TIME; }
int64_t tw_right_time(struct tw_context *cx) { return cx->is_pair ? cx->pair_times[1] : TW_NO_TIME; }
int64_t tw_watermark(struct tw_context *cx) { return cx->op->watermark; }
int64_t tw_now_ms(struct tw_context *cx) { return sys_wall_ms(cx->op->sys); }
uint32_t tw_subtask(struct tw_context *cx) { return cx->op->subtask; }
uint32_t tw_subtasks(struct tw_context *cx) { return cx->op->parallelism; }
uint32_t tw_max_subtasks(struct tw_context *cx) { return cx->op->max_parallelism; }
uint32_t tw_attempt(struct tw_context *cx) { return cx->op->attempt; }
const char *tw_task_name(struct tw_context *cx) { return cx->op->task_name != NULL ? cx->op->task_name : cx->op->name; }
const char *tw_job_id(struct tw_context *cx) { return cx->op->job ? job_shared_id(cx->op->job) : ""; }
const char *tw_job_name(struct tw_context *cx) { return cx->op->job ? job_shared_name(cx->op->job) : ""; }

const char *tw_job_parameter(struct tw_context *cx, const char *key)
{
    return cx->op->job && key ? job_shared_parameter(cx->op->job, key) : NULL;
}

const char *tw_cached_file(struct tw_context *cx, const char *name)
{
    const char *path = cx->op->job && name ? job_cached_file(cx->op->job, name) : NULL;

    if (path == NULL) user_misuse(cx, "there is no cached file '%s'; tw_register_cached_file makes one", name ? name : "");
    return path;
}

enum tw_row_kind tw_kind(struct tw_context *cx)
{
    return cx->batch ? (enum tw_row_kind)batch_kind(cx->batch, batch_row(cx->batch, cx->at)) : TW_INSERT;
}

const void *tw_key(struct tw_context *cx)
{
    const struct batch *b = cx->keys ? cx->keys : cx->batch;
    uint32_t at = cx->keys ? cx->keys_at : cx->at, bad;
    const struct user_row *r = &cx->key.rows[cx->keys ? 2 : cx->input];
    struct user_key *k = &cx->key;

    if (b == NULL || r->row == NULL) return NULL;
    if (b != k->batch || at - k->first >= k->count) {
        k->batch = b;
        k->first = at;
        k->count = MIN(batch_rows(b) - at, ROWCONV_ROWS);
        arena_reset(&k->items);
        if (rowconv_read(&r->conv, b, at, k->count, k->structs, &k->items, &bad) != S_OK) {
            user_misuse(cx, "NULL in the key column '%s'", b->schema->names[r->conv.fields[bad].col]);
            k->batch = NULL;
            return NULL;
        }
    }
    return k->structs + (size_t)(at - k->first) * r->conv.size;
}

struct tw_str tw_str_of(const char *text) { return text ? (struct tw_str){text, str_of(text).size} : (struct tw_str){"", 0}; }

bool tw_str_equal(struct tw_str a, struct tw_str b)
{
    return str_equal((struct str){a.data, a.size}, (struct str){b.data, b.size});
}
