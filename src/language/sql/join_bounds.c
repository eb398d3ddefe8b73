/* join_bounds.c - l.ts >= r.ts - INTERVAL '5' MINUTES and its kin. Each side of such a comparison reads one time attribute and nothing
 * else; what it adds to it is found by computing it for the time 0. So l + a < r + b says l - r < b - a. As in Flink an INTERVAL
 * of months is as long as from 1970-01-01 on. */
#include "language/sql/join_bounds.h"

#include "ground/base/str.h"

#include <string.h>

/* A side of a comparison: its time attribute, and what is added to it. */
struct shifted {
    uint32_t side, col; /* col: of the side */
    uint8_t time_kind;
    int64_t ms;
};

/* The only column that x reads, over both sides; -1: none, or several. */
static int only_column(const struct expr *x)
{
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    int found = -1;

    expr_columns(x, bits);
    for (uint32_t i = 0; i < TYPE_FIELDS_MAX; i++) {
        if (!bit_get(bits, i)) continue;
        if (found >= 0) return -1;
        found = (int)i;
    }
    return found;
}

/* The value of x where its column is the time 0. */
static bool value_at_zero(const struct expr_maker *m, const struct expr *x, uint32_t col, const struct type *time,
                          int64_t *ms)
{
    struct expr **columns = ARENA_ARRAY(m->a, struct expr *, col + 1);
    int64_t zero[2] = {0, 0};
    struct vector constant = {.type = time, .form = VEC_CONST, .phys = P_I64, .capacity = 1, .data = zero};
    struct batch nothing = {.count = 1, .capacity = 1};
    const struct vector *v;
    struct mem mem;

    columns[col] = expr_constant_of(m, &constant, 0);
    mem_init(&mem, "bounds", 0);
    struct expr_run *run = expr_run_create(expr_substitute(m->a, x, columns), m->session, 1, &mem);
    bool ok = expr_eval(run, &nothing, 0, &v, NULL) == S_OK && !vector_is_null(v, 0);
    if (ok) *ms = VECTOR_VALUES(vector_values(v), int64_t)[0];
    expr_run_free(run);
    mem_release(&mem);
    return ok;
}

static bool read_side(const struct expr_maker *m, const struct type *const rows[2], uint32_t left, const struct expr *x,
                      struct shifted *out)
{
    int col = only_column(x);

    if (col < 0 || x->det == FN_RANDOM) return false;
    out->side = (uint32_t)col >= left;
    out->col = (uint32_t)col - (out->side == 0 ? 0 : left);
    const struct type *time = rows[out->side]->children[out->col];
    bool fits = (x->type->kind == T_TIMESTAMP || x->type->kind == T_TIMESTAMP_LTZ) && x->type->precision <= 3 &&
                time->phys == P_I64;
    out->time_kind = time->time_kind;
    return fits && time->time_kind != TIME_NONE && value_at_zero(m, x, (uint32_t)col, time, &out->ms);
}

static void lower_set(struct time_bounds *b, int64_t ms)
{
    b->lower_ms = b->has_lower ? MAX(b->lower_ms, ms) : ms;
    b->has_lower = true;
}

static void upper_set(struct time_bounds *b, int64_t ms)
{
    b->upper_ms = b->has_upper ? MIN(b->upper_ms, ms) : ms;
    b->has_upper = true;
}

bool time_bounds_take(const struct expr_maker *m, const struct type *const rows[2], uint32_t left, const struct expr *x,
                      struct time_bounds *b)
{
    static const char *const names[] = {"<", "<=", "=", ">=", ">"};
    struct shifted sides[2];
    int at = -1;

    for (int i = 0; x->kind == EXPR_CALL && x->count == 2 && i < (int)COUNT_OF(names); i++)
        if (strcmp(x->call->def->name, names[i]) == 0) at = i;
    if (at < 0 || !read_side(m, rows, left, x->args[0], &sides[0]) || !read_side(m, rows, left, x->args[1], &sides[1]))
        return false;
    if (sides[0].side == sides[1].side || sides[0].time_kind != sides[1].time_kind) return false;
    bool turned = sides[0].side == 1;
    const struct shifted *l = &sides[turned], *r = &sides[!turned];
    if (b->any && (l->col != b->times[0] || r->col != b->times[1])) return false;
    b->any = true;
    b->processing_time = l->time_kind == TIME_PROCTIME;
    b->times[0] = l->col;
    b->times[1] = r->col;
    if (turned) at = (int)COUNT_OF(names) - 1 - at;
    int64_t by = r->ms - l->ms; /* left - right against it */
    if (at <= 2) upper_set(b, by - (at == 0));
    if (at >= 2) lower_set(b, by + (at == 4));
    return true;
}
