/* view.c - what views share: finding one by name, the listener that calls it, and text on its way out. A view's own state lives
 * from the beginning of a result to its end, or until somebody says that there will be none. */
#include "surface/sql/view.h"

#include "columns/column/sql_text.h"
#include "ground/base/str.h"
#include "ground/base/width.h"

#include <string.h>

enum { TYPED_MAX = 65536, READS_MAX = 8 };

#define X(name) extern const struct view_type view_##name;
#include "view_registry.def"
#undef X

const struct view_type *const view_types[] = {
#define X(name) &view_##name,
#include "view_registry.def"
#undef X
    NULL,
};

const char *const view_ops[4] = {"+I", "-U", "+U", "-D"};

const struct view_type *view_find(const char *name)
{
    for (uint32_t i = 0; view_types[i] != NULL; i++)
        if (str_equal_nocase(str_of(view_types[i]->name), str_of(name))) return view_types[i];
    return NULL;
}

/* --- life -------------------------------------------------------------------------------------------------------- */
void view_init(struct view *v, struct sys *sys, const struct zone *zone, struct mem *mem)
{
    *v = (struct view){.sys = sys, .mem = mem, .zone = zone, .type = &view_tableau, .rows_max = UINT64_MAX};
    buf_init(&v->out, mem);
    buf_init(&v->cell, mem);
    buf_init(&v->typed, mem);
}

void view_abandon(struct view *v)
{
    if (v->own == NULL) return;
    if (v->type->close != NULL) v->type->close(v, v->own);
    mem_free(v->mem, v->own);
    v->own = NULL;
    buf_clear(&v->out);
}

void view_release(struct view *v)
{
    view_abandon(v);
    buf_release(&v->out);
    buf_release(&v->cell);
    buf_release(&v->typed);
}

/* --- text -------------------------------------------------------------------------------------------------------- */
static enum status flush_to(struct view *v, int standard, struct err *e)
{
    struct sys_file *out = v->file;

    if (v->out.size == 0) return S_OK;
    if (out == NULL) TRY(sys_file_standard(v->sys, standard, &out, e));
    enum status st = sys_file_write(v->sys, out, v->out.data, v->out.size, e);
    if (out != v->file) sys_file_close(v->sys, out);
    buf_clear(&v->out);
    return st;
}

enum status view_flush(struct view *v, struct err *e) { return flush_to(v, 1, e); }

void view_cell(struct view *v, const struct vector *values, uint32_t row)
{
    buf_clear(&v->cell);
    if (vector_is_null(values, row)) buf_append_text(&v->cell, v->is_query ? "<NULL>" : ""); /* of SHOW and DESCRIBE: nothing */
    else sql_text_show(values, row, v->zone, &v->cell);
}

uint32_t view_cell_width(const struct view *v) { return width_of((struct str){v->cell.data, v->cell.size}); }

/* Of a cut text half of a wide letter may be left over: a blank. */
static void put(struct view *v, uint32_t width, bool right)
{
    struct str text = {v->cell.data, v->cell.size};
    uint32_t have = width_of(text), dots = have > width ? MIN(width, 3u) : 0;

    if (have > width) {
        text.size = width_prefix(text, width - dots);
        have = width_of(text) + dots;
    }
    buf_append_byte(&v->out, ' ');
    for (uint32_t i = have; right && i < width; i++) buf_append_byte(&v->out, ' ');
    buf_append(&v->out, text.data, text.size);
    buf_append(&v->out, "...", dots);
    for (uint32_t i = have; !right && i < width; i++) buf_append_byte(&v->out, ' ');
}

void view_put_right(struct view *v, uint32_t width) { put(v, width, true); }
void view_put_left(struct view *v, uint32_t width) { put(v, width, false); }

/* --- keys -------------------------------------------------------------------------------------------------------- */
bool view_keys(struct view *v, void (*act)(void *arg, enum live_key key), void *arg)
{
    struct live_keys *k = &v->keys;
    enum live_key key;
    bool any = false;

    for (int i = 0; v->stop != NULL && i < READS_MAX && v->typed.size < TYPED_MAX; i++) {
        size_t got = sys_keys_read(v->sys, k->bytes + k->size, sizeof k->bytes - k->size);
        if (got == 0 && (i > 0 || k->size == 0)) break;
        any = true;
        live_keys_came(k, got, &v->typed);
        while ((key = live_keys_next(k, &v->typed)) != LIVE_NONE) {
            if (act != NULL) act(arg, key);
            if (key != LIVE_QUIT || v->is_stopped) continue;
            v->is_stopped = true;
            v->stop(v->stop_arg);
        }
    }
    return any;
}

void view_put_typed(struct view *v, uint32_t columns)
{
    struct str text = {v->typed.data, v->typed.size};
    uint32_t room = columns > 3 ? columns - 3 : 0;

    while (width_of(text) > room) {
        size_t size;
        (void)width_point(text, &size);
        text = (struct str){text.data + size, text.size - size};
    }
    buf_append_text(&v->out, "> ");
    size_t from = v->out.size;
    buf_append(&v->out, text.data, text.size);
    for (size_t i = from; i < v->out.size; i++)
        if ((unsigned char)v->out.data[i] < ' ') v->out.data[i] = ' ';
}

/* --- as a listener ----------------------------------------------------------------------------------------------- */
static enum status on_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    struct view *v = arg;

    view_abandon(v);
    v->row = row;
    v->is_changelog = is_changelog;
    v->is_query = is_changelog || v->is_planned;
    v->is_planned = false;
    v->rows = 0;
    v->has_ended = v->is_stopped = false;
    v->keys = (struct live_keys){0};
    v->own = mem_zalloc(v->mem, MAX(v->type->size, (size_t)1));
    return v->type->begin(v, v->own, e);
}

static enum status on_rows(void *arg, const struct batch *b, struct err *e)
{
    struct view *v = arg;

    v->rows += batch_rows(b);
    return v->type->rows(v, v->own, b, e);
}

static void on_tick(void *arg, const struct job_totals *t)
{
    struct view *v = arg;

    if (v->own != NULL && v->type->tick != NULL) v->type->tick(v, v->own, t);
}

static enum status on_end(void *arg, struct err *e)
{
    struct view *v = arg;
    enum status st = v->type->end(v, v->own, e);

    if (st == S_OK) st = view_flush(v, e);
    v->has_ended = st == S_OK;
    view_abandon(v);
    return st;
}

static enum status on_said(void *arg, const char *text, struct err *e)
{
    struct view *v = arg;

    buf_printf(&v->out, "%s\n", text);
    return flush_to(v, v->type->is_data ? 2 : 1, e);
}

static void on_waiting(void *arg, const char *job_id)
{
    struct view *v = arg;

    if (!v->says_waits) return;
    buf_printf(&v->out, "[INFO] Waiting for job %s, which must end first; ctrl-c stops waiting.\n", job_id);
    enum status st = flush_to(v, v->type->is_data ? 2 : 1, NULL);
    (void)st; /* the result will meet the same */
}

static void on_plan(void *arg, bool has_changes)
{
    struct view *v = arg;

    v->has_changes = has_changes;
    v->is_planned = true;
}

struct sql_listener view_listener(struct view *v)
{
    return (struct sql_listener){.arg = v,
                                 .begin = on_begin,
                                 .rows = on_rows,
                                 .end = on_end,
                                 .said = on_said,
                                 .plan = on_plan,
                                 .waiting = on_waiting,
                                 .tick = on_tick,
                                 .tick_ms = VIEW_TICK_MS};
}
