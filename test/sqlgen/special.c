/* special.c - queries of what peers lack, each with another form of the same rows: window aggregates as groups, joins by event time as
 * joins of plain times, elements of lists as a union. */
#include "query.h"

static const struct gtable *stream_of(const struct gen *g) { return &g->tables[g->table_count - 1]; }

/* --- windows -------------------------------------------------------------------------------------------------------- */
static const char *window_of(struct gen *g, const char *stream, uint32_t key)
{
    switch (pick(g, key > 0 ? 5 : 4)) {
    case 0: return arena_printf(g->a, "TUMBLE(TABLE %s, DESCRIPTOR(c0), INTERVAL '10' SECOND)", stream);
    case 1: return arena_printf(g->a, "TUMBLE(TABLE %s, DESCRIPTOR(c0), INTERVAL '7' SECOND, INTERVAL '2' SECOND)", stream);
    case 2: return arena_printf(g->a, "HOP(TABLE %s, DESCRIPTOR(c0), INTERVAL '5' SECOND, INTERVAL '15' SECOND)", stream);
    case 3: return arena_printf(g->a, "CUMULATE(TABLE %s, DESCRIPTOR(c0), INTERVAL '6' SECOND, INTERVAL '18' SECOND)", stream);
    default:
        return arena_printf(g->a, "SESSION(TABLE %s PARTITION BY c%u, DESCRIPTOR(c0), INTERVAL '%u' SECOND)", stream, key, 2 + pick(g, 6));
    }
}

/* A window aggregate and a group aggregate over the same windows: start and end as text are no window's columns. */
static void window_make(struct gen *g, struct gquery *q)
{
    const struct gtable *t = stream_of(g);
    uint32_t key = chance(g, 75) ? 1 + pick(g, t->column_count - 1) : 0;
    const char *window = window_of(g, t->name, key), *keys = key > 0 ? arena_printf(g->a, ", c%u", key) : "";
    struct gscope s = {0};
    struct buf list;

    buf_init(&list, g->a->mem);
    for (uint32_t c = 1; c < t->column_count; c++) s.items[s.count++] = (struct gcolumn){arena_printf(g->a, "c%u", c), t->types[c]};
    put_aggregates(g, &s, 1 + pick(g, 3), &list);
    q->sql = arena_printf(g->a,
                          "SELECT CAST(window_start AS STRING) AS ws, CAST(window_end AS STRING) AS we%s%s FROM TABLE(%s) GROUP BY "
                          "window_start, window_end%s",
                          keys, buf_text(&list), window, keys);
    pair(q, "windows as groups", q->sql,
         arena_printf(g->a,
                      "SELECT ws, we%s%s FROM (SELECT *, CAST(window_start AS STRING) AS ws, CAST(window_end AS STRING) AS we FROM "
                      "TABLE(%s)) AS x GROUP BY ws, we%s",
                      keys, buf_text(&list), window, keys));
    buf_release(&list);
}

/* --- joins by event time -------------------------------------------------------------------------------------------- */
/* "SELECT * FROM t", or its rows with a time that is none of the stream's. */
static const char *side_of(struct gen *g, const struct gtable *t, bool is_plain)
{
    struct buf out;

    buf_init(&out, g->a->mem);
    buf_printf(&out, is_plain ? "SELECT CAST(c0 AS %s) AS c0" : "SELECT c0", gtype_names[G_TIMESTAMP]);
    for (uint32_t c = 1; c < t->column_count; c++) buf_printf(&out, ", c%u", c);
    buf_printf(&out, " FROM %s", t->name);
    const char *text = arena_strdup(g->a, buf_text(&out));
    buf_release(&out);
    return text;
}

static void interval_make(struct gen *g, struct gquery *q)
{
    static const char *const kinds[] = {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"};
    const struct gtable *t = stream_of(g);
    const char *texts[2], *kind = kinds[pick(g, COUNT_OF(kinds))];
    uint32_t key = 1 + pick(g, t->column_count - 1), more = 1 + pick(g, t->column_count - 1), below = pick(g, 9), above = pick(g, 9);
    const char *condition = arena_printf(g->a, "x.c%u = y.c%u AND x.c0 BETWEEN y.c0 - INTERVAL '%u' SECOND AND y.c0 + INTERVAL '%u' SECOND",
                                         key, key, below, above);

    if (chance(g, 30)) condition = arena_printf(g->a, "%s AND (x.c%u < y.c%u OR x.c%u IS NULL)", condition, more, more, more);
    for (uint32_t i = 0; i < 2; i++) {
        const char *side = side_of(g, t, i == 1);
        texts[i] = arena_printf(g->a, "SELECT CAST(x.c0 AS STRING) AS c0, x.c%u AS c1, CAST(y.c0 AS STRING) AS c2, y.c%u AS c3 FROM (%s) AS x %s (%s) AS y ON %s",
                                key, more, side, kind, side, condition);
    }
    q->sql = texts[0];
    pair(q, "a join by time as a join", texts[0], texts[1]);
}

/* --- lists ---------------------------------------------------------------------------------------------------------- */
static void unnest_make(struct gen *g, struct gquery *q)
{
    const struct gtable *t = &g->tables[pick(g, g->table_count)];
    struct gscope s = {0};
    struct buf list, both;
    enum gtype type = pick_type(g);
    uint32_t count = 1 + pick(g, 3), other = pick(g, t->column_count);

    buf_init(&list, g->a->mem);
    buf_init(&both, g->a->mem);
    for (uint32_t c = 0; c < t->column_count; c++) s.items[s.count++] = (struct gcolumn){arena_printf(g->a, "a.c%u", c), t->types[c]};
    for (uint32_t i = 0; i < count; i++) {
        size_t first = list.size + (i > 0 ? 2 : 0);
        if (i > 0) buf_append_text(&list, ", ");
        put_expression(g, &s, type, pick(g, 3), &list);
        buf_printf(&both, "%sSELECT a.c%u AS c0, %.*s AS e FROM %s AS a", i > 0 ? " UNION ALL " : "", other, (int)(list.size - first),
                   list.data + first, t->name);
    }
    q->sql = arena_printf(g->a, "SELECT a.c%u AS c0, u.e FROM %s AS a CROSS JOIN UNNEST(ARRAY[%s]) AS u (e)", other, t->name, buf_text(&list));
    pair(q, "elements as a union", q->sql, arena_strdup(g->a, buf_text(&both)));
    buf_release(&list);
    buf_release(&both);
}

void special_make(struct gen *g, struct gquery *q)
{
    uint32_t roll = pick(g, 100);

    if (roll < 45) window_make(g, q);
    else if (roll < 80 || !g->can[CAN_LATERAL]) interval_make(g, q);
    else unnest_make(g, q);
}
