/* from.c - what stands behind FROM: tables, queries in brackets, and joins of them; and conditions of WHERE that have a query. */
#include "query.h"

static void scope_add(struct gen *g, struct gscope *s, const char *alias, uint32_t column, uint8_t type)
{
    if (s->count == SCOPE_MAX) return;
    s->items[s->count++] = (struct gcolumn){arena_printf(g->a, "%s.c%u", alias, column), type};
}

void put_relation(struct gen *g, struct gscope *s, uint32_t depth, struct buf *out)
{
    uint8_t types[COLUMNS_MAX];
    const char *alias = arena_printf(g->a, "r%u", g->aliases++);

    if (depth == 0 || chance(g, 65)) {
        const struct gtable *t = &g->tables[pick(g, g->table_count)];
        buf_printf(out, "%s AS %s", t->name, alias);
        for (uint32_t c = 0; c < t->column_count; c++) scope_add(g, s, alias, c, t->types[c]);
        return;
    }
    uint32_t count = 1 + pick(g, 3);
    for (uint32_t c = 0; c < count; c++) types[c] = (uint8_t)pick_type(g);
    buf_append_byte(out, '(');
    put_query(g, types, count, depth - 1, out);
    buf_printf(out, ") AS %s", alias);
    for (uint32_t c = 0; c < count; c++) scope_add(g, s, alias, c, types[c]);
}

/* --- joins ---------------------------------------------------------------------------------------------------------- */
/* "r1.c0 = r2.c1": of equal types on both sides; columns before `left` are of the left one. */
static bool put_equal(struct gen *g, const struct gscope *s, uint32_t left, struct buf *out)
{
    for (uint32_t tries = 0; tries < 20 && left > 0 && left < s->count; tries++) {
        const struct gcolumn *x = &s->items[pick(g, left)], *y = &s->items[left + pick(g, s->count - left)];
        if (x->type != y->type) continue;
        buf_printf(out, chance(g, 90) ? "%s = %s" : "%s IS NOT DISTINCT FROM %s", x->name, y->name);
        return true;
    }
    return false;
}

static void put_on(struct gen *g, const struct gscope *s, uint32_t left, struct buf *out)
{
    bool equal = chance(g, 90) && put_equal(g, s, left, out);

    if (equal && chance(g, 15)) {
        buf_append_text(out, " AND ");
        equal = put_equal(g, s, left, out);
        if (!equal) buf_append_text(out, "TRUE");
        equal = true;
    }
    if (equal && chance(g, 70)) return;
    if (equal) buf_append_text(out, " AND ");
    put_expression(g, s, G_BOOL, 2, out);
}

/* SQLite 3.40 loses rows of a FULL JOIN behind a join whose condition is a constant: with it, such joins come first. */
static void put_join(struct gen *g, struct gscope *s, uint32_t depth, bool nested, struct from *f, struct buf *out)
{
    static const char *const kinds[] = {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"};
    static const char *const mirrored[] = {"JOIN", "RIGHT JOIN", "LEFT JOIN", "FULL JOIN"};
    uint32_t kind = chance(g, 40) ? 0 : pick(g, nested && g->wanted == PEER_BOTH ? 2 : 4), left = s->count;
    struct buf right, on;

    buf_init(&right, g->a->mem);
    buf_init(&on, g->a->mem);
    put_relation(g, s, depth, &right);
    put_on(g, s, left, &on);
    if (!nested) {
        f->mirrored = arena_printf(g->a, "%s %s %s ON %s", buf_text(&right), mirrored[kind], buf_text(out),
                                   buf_text(&on));
        if (kind == 0) f->crossed = arena_printf(g->a, "%s CROSS JOIN %s", buf_text(out), buf_text(&right));
        if (kind == 0) f->condition = arena_strdup(g->a, buf_text(&on));
    }
    buf_printf(out, " %s %s ON %s", kinds[kind], buf_text(&right), buf_text(&on));
    buf_release(&right);
    buf_release(&on);
}

void from_make(struct gen *g, struct gscope *s, uint32_t depth, struct from *f)
{
    struct buf out;
    uint32_t joins = chance(g, 55) ? 0 : chance(g, 75) ? 1 : 2;

    *f = (struct from){0};
    buf_init(&out, g->a->mem);
    put_relation(g, s, depth, &out);
    for (uint32_t i = 0; i < joins; i++) {
        if (chance(g, 5)) {
            buf_append_text(&out, " CROSS JOIN ");
            put_relation(g, s, depth, &out);
            f->mirrored = f->crossed = NULL;
        } else {
            put_join(g, s, depth, i > 0, f, &out);
        }
        if (i > 0) f->mirrored = f->crossed = NULL;
    }
    f->text = arena_strdup(g->a, buf_text(&out));
    buf_release(&out);
}

/* --- WHERE ---------------------------------------------------------------------------------------------------------- */
/* x IN (SELECT ...), EXISTS (SELECT ...); with CAN_CORRELATE the inner one may speak of the outer columns. */
static void put_semi(struct gen *g, const struct gscope *s, uint32_t depth, struct buf *out)
{
    uint8_t type = (uint8_t)pick_type(g);
    bool exists = chance(g, 30);

    if (chance(g, 35)) buf_append_text(out, "NOT ");
    if (exists)
        buf_append_text(out, "EXISTS (");
    else {
        buf_append_byte(out, '(');
        put_expression(g, s, (enum gtype)type, 1, out);
        buf_append_text(out, " IN (");
    }
    if (g->can[CAN_CORRELATE] && chance(g, 50)) {
        struct gscope inner = {0};
        struct buf from, on;
        buf_init(&from, g->a->mem);
        buf_init(&on, g->a->mem);
        put_relation(g, &inner, 0, &from);
        buf_append_text(out, "SELECT ");
        put_expression(g, &inner, (enum gtype)type, 1, out);
        struct gscope both = *s;
        for (uint32_t i = 0; i < inner.count && both.count < SCOPE_MAX; i++) both.items[both.count++] = inner.items[i];
        if (!put_equal(g, &both, s->count, &on)) buf_append_text(&on, "TRUE");
        buf_printf(out, " AS c0 FROM %s WHERE %s", buf_text(&from), buf_text(&on));
        buf_release(&from);
        buf_release(&on);
    } else {
        put_query(g, &type, 1, depth > 0 ? depth - 1 : 0, out);
    }
    buf_append_text(out, exists ? ")" : "))");
}

void put_where(struct gen *g, const struct gscope *s, uint32_t depth, struct buf *out)
{
    if (chance(g, 35)) return;
    buf_append_text(out, " WHERE ");
    bool semi = chance(g, 20);
    if (semi) put_semi(g, s, depth, out);
    if (semi && chance(g, 50)) return;
    if (semi) buf_append_text(out, " AND ");
    if (chance(g, 12) && g->can[CAN_SCALAR_QUERY]) {
        uint8_t type = (uint8_t)pick_type(g);
        put_expression(g, s, (enum gtype)type, 1, out);
        buf_printf(out, " %s (SELECT MAX(x.c0) FROM (", chance(g, 50) ? "=" : ">=");
        put_query(g, &type, 1, 0, out);
        buf_append_text(out, ") AS x)");
        return;
    }
    put_expression(g, s, G_BOOL, 1 + pick(g, 3), out);
}
