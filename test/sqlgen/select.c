/* select.c - queries with wanted column types: plain, grouped, set operations, first rows in an order, ranks. Every order is by all
 * columns, so that it decides; nothing whose rows depend on when they come. */
#include "query.h"

static void put_columns(uint32_t count, const char *alias, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) buf_printf(out, "%s%s.c%u", i > 0 ? ", " : "", alias, i);
}

static void put_plain_select(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, struct buf *out)
{
    struct gscope s = {0};
    struct from f;

    from_make(g, &s, depth, &f);
    buf_append_text(out, chance(g, 20) ? "SELECT DISTINCT " : "SELECT ");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        put_expression(g, &s, (enum gtype)types[i], pick(g, 3), out);
        buf_printf(out, " AS c%u", i);
    }
    buf_printf(out, " FROM %s", f.text);
    put_where(g, &s, depth, out);
}

/* --- groups --------------------------------------------------------------------------------------------------------- */
/* Whose sums are the same in every order. */
static void put_exact(struct gen *g, const struct gscope *s, struct buf *out)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct gcolumn *c = &s->items[(i + g->aliases) % s->count];
        if (c->type != G_INT) continue;
        buf_printf(out, "CAST(%s AS DOUBLE)", c->name);
        return;
    }
    buf_append_text(out, "0.25E0");
}

struct aggregate_text {
    uint8_t result, argument, peers;
    const char *text; /* $ is the argument */
};

static const struct aggregate_text aggregates[] = {
    {G_INT, G_INT, 3, "SUM($ % 1000)"},
    {G_INT, G_INT, 3, "SUM(DISTINCT $ % 1000)"},
    {G_INT, G_INT, 0, "SUM($)"},
    {G_INT, G_INT, 0, "AVG($)"},
    {G_BIGINT, G_BIGINT, 0, "AVG(DISTINCT $)"},
    {G_BIGINT, G_BIGINT, 3, "SUM($ % 1000)"},
    {G_BIGINT, G_INT, 3, "COUNT($)"},
    {G_BIGINT, G_TEXT, 3, "COUNT($)"},
    {G_BIGINT, G_INT, 3, "COUNT(DISTINCT $)"},
    {G_BIGINT, G_TEXT, 3, "COUNT(DISTINCT $)"},
    {G_BIGINT, G_BOOL, 3, "COUNT($)"},
    {G_DOUBLE, G_TYPES, 3, "SUM($)"},
    {G_DOUBLE, G_TYPES, 3, "AVG($)"},
    {G_DECIMAL, G_DECIMAL, 0, "CAST(SUM($) AS DECIMAL(10, 2))"},
    {G_DECIMAL, G_DECIMAL, 0, "CAST(AVG($) AS DECIMAL(10, 2))"},
    {G_BOOL, G_INT, 3, "(COUNT($) > #)"},
    {G_BOOL, G_INT, 3, "(MAX($) = #)"},
    {G_BOOL, G_TEXT, 3, "(MIN($) < 'ab')"},
};

static void put_argument(struct gen *g, const struct gscope *s, enum gtype t, const char *text, struct buf *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '$' && t == G_TYPES)
            put_exact(g, s, out);
        else if (*text == '$')
            put_expression(g, s, t, pick(g, 2), out);
        else if (*text == '#')
            buf_printf(out, "%u", pick(g, 4));
        else
            buf_append_byte(out, *text);
    }
}

static void put_aggregate(struct gen *g, const struct gscope *s, enum gtype t, struct buf *out)
{
    uint32_t fits = 0, left;

    for (uint32_t i = 0; i < COUNT_OF(aggregates); i++)
        fits += aggregates[i].result == t && (aggregates[i].peers & g->wanted) == g->wanted;
    left = fits > 0 && (t == G_BOOL || chance(g, 60)) ? pick(g, fits) : UINT32_MAX;
    for (uint32_t i = 0; left != UINT32_MAX && i < COUNT_OF(aggregates); i++) {
        if (aggregates[i].result != t || (aggregates[i].peers & g->wanted) != g->wanted || left-- > 0) continue;
        put_argument(g, s, (enum gtype)aggregates[i].argument, aggregates[i].text, out);
        return;
    }
    const char *function = chance(g, 50) ? "MIN" : "MAX";
    buf_printf(out, "%s(", function);
    put_expression(g, s, t, pick(g, 2), out);
    buf_append_byte(out, ')');
    if (!chance(g, 15)) return;
    buf_append_text(out, " FILTER (WHERE ");
    put_expression(g, s, G_BOOL, 1, out);
    buf_append_byte(out, ')');
}

void put_aggregates(struct gen *g, const struct gscope *s, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_append_text(out, ", ");
        put_aggregate(g, s, pick_type(g), out);
        buf_printf(out, " AS a%u", i);
    }
}

static void put_group_by(struct gen *g, const char *const *keys, uint32_t count, struct buf *out)
{
    static const char *const forms[] = {"ROLLUP", "CUBE"};

    buf_append_text(out, " GROUP BY ");
    if (count == 2 && g->wanted != PEER_BOTH && chance(g, 25)) {
        buf_printf(out, "GROUPING SETS ((%s), (%s, %s))", keys[0], keys[0], keys[1]);
        return;
    }
    bool all = g->wanted == 0 && chance(g, 10);
    if (all) buf_printf(out, "%s (", forms[pick(g, 2)]);
    for (uint32_t i = 0; i < count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", keys[i]);
    if (all) buf_append_byte(out, ')');
}

void put_grouped(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, bool is_global, struct buf *out)
{
    struct gscope s = {0};
    struct from f;
    struct buf one;
    const char *keys[COLUMNS_MAX];
    uint32_t key_count = 0;

    buf_init(&one, g->a->mem);
    from_make(g, &s, depth, &f);
    buf_append_text(out, "SELECT ");
    for (uint32_t i = 0; i < count; i++) {
        bool is_key = !is_global && (i == 0 || (key_count < 2 && chance(g, 30)));
        buf_clear(&one);
        if (is_key)
            put_expression(g, &s, (enum gtype)types[i], pick(g, 2), &one);
        else
            put_aggregate(g, &s, (enum gtype)types[i], &one);
        if (is_key) keys[key_count++] = arena_strdup(g->a, buf_text(&one));
        buf_printf(out, "%s%s AS c%u", i > 0 ? ", " : "", buf_text(&one), i);
    }
    buf_printf(out, " FROM %s", f.text);
    put_where(g, &s, depth, out);
    if (!is_global) put_group_by(g, keys, key_count, out);
    if (chance(g, 25)) {
        buf_append_text(out, " HAVING ");
        put_aggregate(g, &s, G_BOOL, out);
    }
    buf_release(&one);
}

/* --- sets, orders, ranks -------------------------------------------------------------------------------------------- */
static void put_sets(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, struct buf *out)
{
    static const char *const kinds[] = {"UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"};
    const char *x = arena_printf(g->a, "r%u", g->aliases), *y = arena_printf(g->a, "r%u", g->aliases + 1);

    g->aliases += 2;
    buf_append_text(out, "SELECT ");
    put_columns(count, x, out);
    buf_append_text(out, " FROM (");
    put_query(g, types, count, depth, out);
    buf_printf(out, ") AS %s %s SELECT ", x, kinds[pick(g, g->wanted == PEER_BOTH ? 4 : 6)]);
    put_columns(count, y, out);
    buf_append_text(out, " FROM (");
    put_query(g, types, count, depth, out);
    buf_printf(out, ") AS %s", y);
}

static void put_order(struct gen *g, uint32_t first, uint32_t count, const char *alias, struct buf *out)
{
    for (uint32_t i = first; i < count; i++) {
        bool down = chance(g, 40), last = chance(g, 20) ? !down : down;
        buf_printf(out, "%s%s.c%u %s NULLS %s", i > first ? ", " : "", alias, i, down ? "DESC" : "ASC",
                   last ? "LAST" : "FIRST");
    }
}

static void put_top(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, struct buf *out)
{
    const char *x = arena_printf(g->a, "r%u", g->aliases++);

    buf_append_text(out, "SELECT ");
    put_columns(count, x, out);
    buf_append_text(out, " FROM (");
    put_query(g, types, count, depth, out);
    buf_printf(out, ") AS %s ORDER BY ", x);
    put_order(g, 0, count, x, out);
    buf_printf(out, " LIMIT %u", 1 + pick(g, 6));
    if (chance(g, 25)) buf_printf(out, " OFFSET %u", pick(g, 3));
}

static void put_rank(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, struct buf *out)
{
    const char *x = arena_printf(g->a, "r%u", g->aliases), *y = arena_printf(g->a, "r%u", g->aliases + 1);

    g->aliases += 2;
    buf_append_text(out, "SELECT ");
    put_columns(count, y, out);
    buf_append_text(out, " FROM (SELECT ");
    put_columns(count, x, out);
    buf_append_text(out, ", ROW_NUMBER() OVER (");
    if (count > 1) buf_printf(out, "PARTITION BY %s.c0 ", x);
    buf_append_text(out, "ORDER BY ");
    put_order(g, count > 1, count, x, out);
    buf_append_text(out, ") AS rn FROM (");
    put_query(g, types, count, depth, out);
    buf_printf(out, ") AS %s) AS %s WHERE %s.rn <= %u", x, y, y, 1 + pick(g, 3));
}

/* The last column is an aggregate over the rows up to this one, with those that are equal in the order: by the second column, in parts
 * by the first one. */
static void put_over(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, struct buf *out)
{
    static const char *const frames[] = {"", " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"};
    const char *x = arena_printf(g->a, "r%u", g->aliases++), *function = chance(g, 50) ? "MAX(%s.c%u)" : "MIN(%s.c%u)";
    uint8_t last = types[count - 1];

    if (last == G_INT && chance(g, 60)) function = "SUM(%s.c%u % 1000)";
    if (last == G_BIGINT && chance(g, 60)) function = "COUNT(%s.c%u)";
    buf_append_text(out, "SELECT ");
    put_columns(count - 1, x, out);
    buf_append_text(out, ", ");
    for (const char *c = function; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] == 's') buf_append_text(out, x), c++;
        else if (c[0] == '%' && c[1] == 'u') buf_printf(out, "%u", count - 1), c++;
        else buf_append_byte(out, *c);
    }
    buf_printf(out, " OVER (PARTITION BY %s.c0 ORDER BY ", x);
    buf_printf(out, "%s.c1 ASC NULLS FIRST%s) AS c%u FROM (", x, frames[pick(g, COUNT_OF(frames))], count - 1);
    put_query(g, types, count, depth, out);
    buf_printf(out, ") AS %s", x);
}

void put_query(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, struct buf *out)
{
    uint32_t roll = pick(g, 100);

    if (depth == 0 || roll < 40)
        put_plain_select(g, types, count, depth, out);
    else if (roll < 70)
        put_grouped(g, types, count, depth, false, out);
    else if (roll < 82)
        put_sets(g, types, count, depth - 1, out);
    else if (roll < 90)
        put_top(g, types, count, depth - 1, out);
    else if (roll < 94 && count > 1 && g->can[CAN_OVER] && types[count - 1] != G_BOOL)
        put_over(g, types, count, depth - 1, out);
    else
        put_rank(g, types, count, depth - 1, out);
}
