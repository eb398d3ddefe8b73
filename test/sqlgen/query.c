/* query.c - one query of a seed, and for some of them the same rows said in other ways: the partitions of TLP (a condition, its
 * negation, and NULL), joins with their sides changed or as a filter, counts as sums. Those of streams are in special.c. */
#include "query.h"

void pair(struct gquery *q, const char *name, const char *left, const char *right)
{
    if (q->pair_count < COUNT_OF(q->pairs)) q->pairs[q->pair_count++] = (struct gpair){name, left, right};
}

/* --- the parts of a plain query ------------------------------------------------------------------------------------- */
struct parts {
    struct from from;
    const char *list, *condition;
};

static const char *part(struct gen *g, const struct parts *p, const char *head, const char *tail)
{
    return arena_printf(g->a, "%s FROM %s WHERE %s%s", head, p->from.text, p->condition, tail);
}

static const char *three(struct gen *g, const struct parts *p, const char *head, const char *between)
{
    return arena_printf(g->a, "%s %s %s %s %s", part(g, p, head, ""), between,
                        arena_printf(g->a, "%s FROM %s WHERE NOT %s", head, p->from.text, p->condition), between,
                        part(g, p, head, " IS NULL"));
}

static void partitions(struct gen *g, const struct parts *p, struct gquery *q)
{
    const char *head = arena_printf(g->a, "SELECT %s", p->list),
               *distinct = arena_printf(g->a, "SELECT DISTINCT %s", p->list);
    const char *few = "SELECT COUNT(*) AS n, COUNT(DISTINCT 1) AS m";

    pair(q, "partitions", arena_printf(g->a, "%s FROM %s", head, p->from.text), three(g, p, head, "UNION ALL"));
    if (chance(g, 40))
        pair(q, "distinct partitions", arena_printf(g->a, "%s FROM %s", distinct, p->from.text),
             three(g, p, distinct, "UNION"));
    if (chance(g, 40))
        pair(q, "partitions' counts", arena_printf(g->a, "%s FROM %s HAVING COUNT(*) > 0", few, p->from.text),
             arena_printf(g->a, "SELECT SUM(n) AS n, MAX(m) AS m FROM (%s) AS x HAVING SUM(n) > 0",
                          three(g, p, few, "UNION ALL")));
    if (chance(g, 40))
        pair(
            q, "counts as sums",
            arena_printf(g->a, "SELECT COUNT(*) AS n FROM %s WHERE %s HAVING COUNT(*) > 0", p->from.text, p->condition),
            arena_printf(g->a,
                         "SELECT SUM(CASE WHEN %s THEN 1 ELSE 0 END) AS n FROM %s HAVING SUM(CASE WHEN %s THEN 1 ELSE "
                         "0 END) > 0",
                         p->condition, p->from.text, p->condition));
}

static void joins(struct gen *g, const struct parts *p, struct gquery *q)
{
    if (p->from.mirrored != NULL)
        pair(q, "mirrored join", arena_printf(g->a, "SELECT %s FROM %s", p->list, p->from.text),
             arena_printf(g->a, "SELECT %s FROM %s", p->list, p->from.mirrored));
    if (p->from.crossed != NULL)
        pair(q, "join as filter", arena_printf(g->a, "SELECT %s FROM %s", p->list, p->from.text),
             arena_printf(g->a, "SELECT %s FROM %s WHERE %s", p->list, p->from.crossed, p->from.condition));
}

static void plain_make(struct gen *g, struct gquery *q)
{
    struct gscope s = {0};
    struct parts p;
    struct buf list, condition;
    uint32_t count = 1 + pick(g, 3);

    buf_init(&list, g->a->mem);
    buf_init(&condition, g->a->mem);
    from_make(g, &s, 1, &p.from);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_text(&list, ", ");
        put_expression(g, &s, pick_type(g), pick(g, 4), &list);
        buf_printf(&list, " AS c%u", i);
    }
    buf_append_byte(&condition, '(');
    put_expression(g, &s, G_BOOL, 1 + pick(g, 3), &condition);
    buf_append_byte(&condition, ')');
    p.list = arena_strdup(g->a, buf_text(&list));
    p.condition = arena_strdup(g->a, buf_text(&condition));
    q->sql = part(g, &p, arena_printf(g->a, "SELECT %s", p.list), "");
    if (chance(g, 50))
        partitions(g, &p, q);
    else
        joins(g, &p, q);
    buf_release(&list);
    buf_release(&condition);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
void query_make(struct gen *g, struct gquery *q)
{
    uint8_t types[COLUMNS_MAX];
    struct buf out;
    uint32_t count = 1 + pick(g, 4), roll = pick(g, 100);

    *q = (struct gquery){0};
    if (roll < 45) {
        plain_make(g, q);
        return;
    }
    if (roll < 54 && g->wanted == 0) {
        special_make(g, q);
        return;
    }
    for (uint32_t i = 0; i < count; i++) types[i] = (uint8_t)pick_type(g);
    q->is_global = roll < 58;
    buf_init(&out, g->a->mem);
    if (q->is_global)
        put_grouped(g, types, count, 1, true, &out);
    else
        put_query(g, types, count, 1 + pick(g, 2), &out);
    q->sql = arena_strdup(g->a, buf_text(&out));
    buf_release(&out);
}
