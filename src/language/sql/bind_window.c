/* bind_window.c - window table functions behind FROM: TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' MINUTES)), HOP, CUMULATE,
 * SESSION; arguments by place or by name. GROUP BY of their window_start and window_end is in bind_group.c; the plan's half of it, windows
 * taken into the aggregation, is here. */
#include "language/sql/bind_window.h"

#include "ground/base/sort.h"
#include "ground/base/str.h"

#include <string.h>

enum { ARGUMENTS_MAX = 5, DATA = 0, TIMECOL = 1 };

struct window_function {
    const char *name, *signature;
    uint8_t kind;
    const char *arguments[ARGUMENTS_MAX];
    bool has_offset; /* the last argument, which may be missing */
};

static const struct window_function functions[] = {
    {"TUMBLE",
     "TUMBLE(TABLE table_name, DESCRIPTOR(timecol), datetime interval[, datetime interval])",
     WINDOW_TUMBLE,
     {"DATA", "TIMECOL", "SIZE", "OFFSET"},
     true},
    {"HOP",
     "HOP(TABLE table_name, DESCRIPTOR(timecol), datetime interval, datetime interval[, datetime interval])",
     WINDOW_HOP,
     {"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"},
     true},
    {"CUMULATE",
     "CUMULATE(TABLE table_name, DESCRIPTOR(timecol), datetime interval, datetime interval[, datetime interval])",
     WINDOW_CUMULATE,
     {"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"},
     true},
    {"SESSION",
     "SESSION(TABLE table_name [PARTITION BY (keycols, ...)], DESCRIPTOR(timecol), datetime interval)",
     WINDOW_SESSION,
     {"DATA", "TIMECOL", "GAP"},
     false},
};

struct window_call {
    struct query_binder *b;
    const struct ast_expr *x;
    const struct window_function *f;
    uint32_t count; /* of arguments that there may be */
    const struct ast_expr *args[ARGUMENTS_MAX];
};

/* --- arguments --------------------------------------------------------------------------------------------------- */
static enum status fail(struct window_call *c, struct ast_place place, const char *text)
{
    err_hint(c->b->e, "%s", c->f->signature);
    return sql_error(c->b->e, c->b->t, place.at, place.size, "%s", text);
}

static int argument_named(const struct window_call *c, struct str name)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (str_equal_nocase(str_of(c->f->arguments[i]), name)) return (int)i;
    return -1;
}

static enum status wrong_number(struct window_call *c)
{
    return fail(c, c->x->place,
                arena_printf(c->b->a, "Invalid number of arguments to function '%s'. Was expecting %u arguments",
                             c->f->name, c->count - c->f->has_offset));
}

static enum status arguments_read(struct window_call *c)
{
    const struct ast_list *args = &c->x->args;

    while (c->count < ARGUMENTS_MAX && c->f->arguments[c->count] != NULL) c->count++;
    for (uint32_t i = 0; i < args->count; i++) {
        const struct ast_expr *x = args->items[i];
        int at = x->kind == AX_NAMED ? argument_named(c, x->text) : (int)i;
        if (at < 0) return fail(c, x->place, "the window function has no argument of that name");
        if (at >= (int)c->count) return wrong_number(c);
        if (c->args[at] != NULL) return fail(c, x->place, "the argument is given twice");
        c->args[at] = x->kind == AX_NAMED ? x->args.items[0] : x;
    }
    for (uint32_t i = 0; i + c->f->has_offset < c->count; i++)
        if (c->args[i] == NULL) return wrong_number(c);
    return S_OK;
}

static enum status bind_data(struct window_call *c, struct bind_source *out)
{
    const struct ast_expr *x = c->args[DATA];

    if (x->kind == AX_QUERY) {
        TRY(bind_query(c->b, x->query, &out->rel));
        out->scope = bind_scope_of(c->b, out->rel->row, (struct str){0});
        return S_OK;
    }
    if (x->kind != AX_TABLE) return fail(c, x->place, "the first argument is a table: TABLE t, or (SELECT ...)");
    bool is_session = c->f->kind == WINDOW_SESSION;
    if (x->table->order.count > 0)
        return fail(c, x->table->order.items[0].x->place,
                    is_session ? "Session window TVF doesn't support order by clause."
                               : "the window function takes no ORDER BY");
    if (x->table->partition.count > 0 && !is_session)
        return fail(c, x->place,
                    arena_printf(c->b->a,
                                 "Only tables with set semantics may be partitioned. Invalid PARTITION BY clause in the 0-th "
                                 "operand of table function '%s'",
                                 c->f->name));
    return bind_table(c->b, x->table, out);
}

static enum status bind_timecol(struct window_call *c, const struct bind_source *from, uint32_t *col)
{
    const struct ast_expr *x = c->args[TIMECOL];
    struct binder binder = bind_expr_binder(c->b, &from->scope);
    struct expr *bound;

    if (x->kind != AX_DESCRIPTOR || x->args.count != 1)
        return fail(c, x->place, "the second argument is DESCRIPTOR(time column)");
    TRY(bind_expr(&binder, x->args.items[0], &bound));
    if (bound->kind != EXPR_COLUMN) return fail(c, x->place, "DESCRIPTOR takes the name of a column");
    *col = bound->col;
    if (bound->type->time_kind != TIME_NONE) return S_OK;
    const char *type = type_text(c->b->a, bound->type);
    struct ast_place place = x->args.items[0]->place;
    if (bound->type->kind != T_TIMESTAMP && bound->type->kind != T_TIMESTAMP_LTZ)
        return sql_error(c->b->e, c->b->t, place.at, place.size,
                         "The window function %s requires the timecol to be TIMESTAMP or TIMESTAMP_LTZ, but is %s.",
                         c->f->signature, type);
    err_hint(c->b->e, "declare WATERMARK FOR it, and forward the column as it is");
    return sql_error(c->b->e, c->b->t, place.at, place.size,
                     "The window function requires the timecol is a time attribute type, but is %s.", type);
}

static bool comes_before(void *arg, uint32_t a, uint32_t b)
{
    const int *cols = arg;

    return cols[a] < cols[b];
}

/* PARTITION BY: columns, ascending, each once. */
static enum status bind_partition(struct window_call *c, const struct bind_source *from, struct rel_window *w)
{
    const struct ast_expr *x = c->args[DATA];
    uint32_t n = x->kind == AX_TABLE ? x->table->partition.count : 0, *order, *space;
    struct binder binder = bind_expr_binder(c->b, &from->scope);
    int *cols = ARENA_ARRAY(c->b->a, int, MAX(n, 1u)), *partition = ARENA_ARRAY(c->b->a, int, MAX(n, 1u));

    order = ARENA_ARRAY(c->b->a, uint32_t, MAX(n, 1u));
    space = ARENA_ARRAY(c->b->a, uint32_t, MAX(n, 1u));
    for (uint32_t i = 0; i < n; i++) {
        struct expr *bound;
        TRY(bind_expr(&binder, x->table->partition.items[i], &bound));
        if (bound->kind != EXPR_COLUMN) return fail(c, x->table->partition.items[i]->place, "PARTITION BY takes names of columns");
        cols[i] = (int)bound->col;
        order[i] = i;
    }
    sort_stable(order, space, n, comes_before, cols);
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || cols[order[i]] != cols[order[i - 1]]) partition[w->partition_count++] = cols[order[i]];
    w->partition = partition;
    return S_OK;
}

static enum status bind_interval(struct window_call *c, const struct ast_expr *x, int64_t *ms)
{
    struct bind_scope nothing = {.row = &type_null};
    struct binder binder = bind_expr_binder(c->b, &nothing);
    struct expr *bound;

    *ms = 0;
    if (x == NULL) return S_OK;
    TRY(bind_expr(&binder, x, &bound));
    if (bound->kind != EXPR_CONSTANT || bound->type->kind != T_INTERVAL_SECOND || vector_is_null(bound->constant, 0))
        return fail(c, x->place, "an INTERVAL of days, hours, minutes or seconds belongs here");
    *ms = VECTOR_VALUES(bound->constant, int64_t)[0];
    return S_OK;
}

/* --- the window -------------------------------------------------------------------------------------------------- */
static enum status check_bounds(struct window_call *c, const struct rel_window *w)
{
    long long size = (long long)w->size_ms, slide = (long long)w->slide_ms;
    const char *text = NULL;

    if (w->kind == WINDOW_SESSION && size <= 0)
        text = arena_printf(c->b->a, "requires gap to be positive, but got gap %lld ms.", size);
    else if (w->kind == WINDOW_TUMBLE && size <= 0)
        text = arena_printf(c->b->a, "requires size to be positive, but got %lld ms.", size);
    else if (w->kind == WINDOW_HOP && (size <= 0 || slide <= 0))
        text = arena_printf(c->b->a, "requires slide and size to be positive, but got slide %lld ms and size %lld ms.",
                            slide, size);
    else if (w->kind == WINDOW_CUMULATE && (size <= 0 || slide <= 0))
        text = arena_printf(c->b->a,
                            "requires maxSize and step to be positive, but got maxSize %lld ms and step %lld ms.", size,
                            slide);
    else if (w->kind == WINDOW_CUMULATE && size % slide != 0)
        text = arena_printf(
            c->b->a, "requires maxSize must be an integral multiple of step, but got maxSize %lld ms and step %lld ms.",
            size, slide);
    if (text == NULL) return S_OK;
    return sql_error(c->b->e, c->b->t, c->x->place.at, c->x->place.size, "%s table function based aggregate %s",
                     c->f->name, text);
}

static enum status bind_bounds(struct window_call *c, struct rel_window *w)
{
    bool plain = c->f->kind == WINDOW_TUMBLE || c->f->kind == WINDOW_SESSION;

    w->kind = c->f->kind;
    w->start = w->end = w->time = -1;
    TRY(bind_interval(c, c->args[plain ? 2 : 3], &w->size_ms));
    if (!plain) TRY(bind_interval(c, c->args[2], &w->slide_ms));
    if (c->f->has_offset) TRY(bind_interval(c, c->args[c->count - 1], &w->offset_ms));
    return check_bounds(c, w);
}

bool bind_is_window(const struct ast_table *t)
{
    if (t->kind != TABLE_CALL || t->x->name.count != 1) return false;
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        if (str_equal_nocase(t->x->name.parts[0], str_of(functions[i].name))) return true;
    return false;
}

enum status bind_window(struct query_binder *b, const struct ast_table *t, struct rel **out)
{
    struct window_call c = {.b = b, .x = t->x};
    struct window_tvf_body body = {0};
    struct bind_source from;

    for (size_t i = 0; i < COUNT_OF(functions); i++)
        if (str_equal_nocase(t->x->name.parts[0], str_of(functions[i].name))) c.f = &functions[i];
    ASSERT(c.f != NULL);
    TRY(arguments_read(&c));
    TRY(bind_data(&c, &from));
    TRY(bind_timecol(&c, &from, &body.rowtime));
    TRY(bind_bounds(&c, &body.window));
    TRY(bind_partition(&c, &from, &body.window));
    const struct type *time = from.rel->row->children[body.rowtime];
    body.window.processing_time = time->time_kind == TIME_PROCTIME;
    body.window.time_type = type_with_time(b->a, type_new(b->a, time->kind, 3, 0, false),
                                           (enum time_kind)time->time_kind);
    *out = rel_window_tvf(b->a, from.rel, &body);
    return S_OK;
}

/* --- windows taken into an aggregation --------------------------------------------------------------------------- */
enum { IS_START = -1, IS_END = -2, IS_TIME = -3 };

/* What is left of a plan without its window function. */
struct unwindowed {
    struct rel *rel;
    int *cols; /* of the plan's columns: in rel, or what of the window they are */
    uint32_t rowtime;
    const struct window_tvf_body *body;
};

/* What the columns of a plan are in what is left of it; NULL: of the window. */
static struct expr **left_columns(struct arena *a, const struct unwindowed *u, uint32_t count)
{
    struct expr_maker m = {.a = a};
    struct expr **out = ARENA_ARRAY(a, struct expr *, MAX(count, 1u));

    for (uint32_t i = 0; i < count; i++)
        out[i] = u->cols[i] >= 0 ? expr_column(&m, u->rel->row, (uint32_t)u->cols[i]) : NULL;
    return out;
}

static bool reads_window(const struct expr *x, const struct rel *in, const int *cols)
{
    uint64_t read[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    if (x == NULL) return false;
    expr_columns(x, read);
    for (uint32_t i = 0; i < in->row->child_count; i++)
        if (cols[i] < 0 && bit_get(read, i)) return true;
    return false;
}

/* The Calc below the window function: its columns but for the window's, and the time attribute. */
static bool calc_without(struct arena *a, const struct rel *r, struct unwindowed *u)
{
    const struct calc_body *c = r->body;
    const struct rel *in = r->inputs[0];
    struct expr_maker m = {.a = a};
    struct expr **columns = ARENA_ARRAY(a, struct expr *, c->count + 1);
    const char **names = ARENA_ARRAY(a, const char *, c->count + 1);
    int *cols = ARENA_ARRAY(a, int, MAX(c->count, 1u));
    struct calc_body below = {.columns = columns};
    struct expr **left = left_columns(a, u, in->row->child_count);
    int rowtime = -1;

    if (c->count == 0 || reads_window(c->condition, in, u->cols)) return false;
    if (c->condition != NULL) below.condition = expr_substitute(a, c->condition, left);
    for (uint32_t i = 0; i < c->count; i++) {
        const struct expr *x = c->columns[i];
        if (x->kind == EXPR_COLUMN && u->cols[x->col] < 0) {
            cols[i] = u->cols[x->col];
            continue;
        }
        if (reads_window(x, in, u->cols)) return false;
        if (x->kind == EXPR_COLUMN && (uint32_t)u->cols[x->col] == u->rowtime) rowtime = (int)below.count;
        names[below.count] = r->row->names[i];
        cols[i] = (int)below.count;
        columns[below.count++] = expr_substitute(a, x, left);
    }
    if (rowtime < 0) {
        rowtime = (int)below.count;
        names[below.count] = u->rel->row->names[u->rowtime];
        columns[below.count++] = expr_column(&m, u->rel->row, u->rowtime);
    }
    *u = (struct unwindowed){rel_calc(a, u->rel, &below, names), cols, (uint32_t)rowtime, u->body};
    return true;
}

static bool without_window(struct arena *a, const struct rel *r, struct unwindowed *u)
{
    if (r->type == &rel_calc_type) return without_window(a, r->inputs[0], u) && calc_without(a, r, u);
    if (r->type != &rel_window_tvf_type) return false;
    uint32_t n = r->inputs[0]->row->child_count;
    u->body = r->body;
    u->rel = r->inputs[0];
    u->rowtime = u->body->rowtime;
    u->cols = ARENA_ARRAY(a, int, n + 3);
    for (uint32_t i = 0; i < n; i++) u->cols[i] = (int)i;
    for (uint32_t i = 0; i < 3; i++) u->cols[n + i] = IS_START - (int)i;
    return true;
}

/* The aggregation with keys and calls over the columns of the input without its window. */
static struct aggregate_body moved_groups(struct arena *a, const struct aggregate_body *g, const int *cols)
{
    uint32_t *keys = ARENA_ARRAY(a, uint32_t, g->key_count + 1);
    struct aggregate_call *calls = ARENA_ARRAY(a, struct aggregate_call, g->call_count + 1);

    for (uint32_t i = 0; i < g->key_count; i++) keys[i] = (uint32_t)cols[g->keys[i]];
    for (uint32_t i = 0; i < g->call_count; i++) {
        calls[i] = g->calls[i];
        if (calls[i].argument >= 0) calls[i].argument = cols[calls[i].argument];
        if (calls[i].filter >= 0) calls[i].filter = cols[calls[i].filter];
    }
    return (struct aggregate_body){.key_count = g->key_count, .call_count = g->call_count, .keys = keys, .calls = calls};
}

static bool calls_read_window(const struct aggregate_body *g, const int *cols)
{
    for (uint32_t i = 0; i < g->call_count; i++) {
        const struct aggregate_call *c = &g->calls[i];
        if ((c->argument >= 0 && cols[c->argument] < 0) || (c->filter >= 0 && cols[c->filter] < 0)) return true;
    }
    return false;
}

static const int *moved_partition(struct arena *a, const struct rel_window *w, const int *cols)
{
    int *out = ARENA_ARRAY(a, int, MAX(w->partition_count, 1u));

    for (uint32_t i = 0; i < w->partition_count; i++) out[i] = cols[w->partition[i]];
    return out;
}

/* Early and late results are for the window functions of GROUP BY. */
static enum status check_emit(struct query_binder *b, struct ast_place place)
{
    const struct emit_settings *emit = &b->settings->emit;

    if (b->settings->is_batch || !(emit->is_early || emit->is_late)) return S_OK;
    err_hint(b->e, "write GROUP BY TUMBLE(..) or HOP(..), or RESET both");
    return sql_error(b->e, b->t, place.at, place.size,
                     "Currently, window table function based aggregate doesn't support early-fire and late-fire configuration "
                     "'table.exec.emit.early-fire.enabled' and 'table.exec.emit.late-fire.enabled'.");
}

enum status bind_window_groups(struct query_binder *b, const struct ast_select *s, const struct rel_window *w)
{
    struct ast_place place = s->from != NULL && s->from->kind == TABLE_CALL ? s->from->x->place : s->place;
    struct err inner = {0};

    TRY(check_emit(b, place));
    if (rel_check_window(w, &inner) == S_OK) return S_OK;
    err_hint(b->e, "%s", inner.hint);
    return sql_error(b->e, b->t, place.at, place.size, "%s", inner.text);
}

struct rel *bind_window_aggregate(struct query_binder *b, struct rel *input, const struct aggregate_body *g)
{
    struct window_aggregate_body body = {.groups = *g, .window = *input->window, .rowtime = -1};
    struct unwindowed u = {0};

    if (without_window(b->a, input, &u) && !calls_read_window(g, u.cols)) {
        body.groups = moved_groups(b->a, g, u.cols);
        body.window = u.body->window;
        body.window.partition = moved_partition(b->a, input->window, u.cols);
        body.rowtime = (int)u.rowtime;
        input = u.rel;
    }
    return rel_window_aggregate(b->a, input, &body);
}
