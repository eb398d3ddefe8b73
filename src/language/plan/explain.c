/* explain.c - plans as Flink's EXPLAIN prints them: a node a line, its inputs below it. What moves rows between tasks is a line of its
 * own, as if it were a node. */
#include "language/plan/rel_internal.h"
#include "language/plan/reuse.h"

enum { EXPLAIN_DEPTH_MAX = 512 };

/* Where a line stands: for each level above, whether more inputs of that level follow. */
struct place {
    bool more[EXPLAIN_DEPTH_MAX];
    uint32_t depth;
    const struct rel_shown *how;
};

static void line_begin(const struct place *p, struct buf *out)
{
    for (uint32_t i = 1; i < p->depth; i++) buf_append_text(out, p->more[i] ? ":  " : "   ");
    if (p->depth > 0) buf_append_text(out, p->more[p->depth] ? ":- " : "+- ");
}

/* id: of what is there once for several; 0: it is not. */
static void line_end(const struct rel *r, const struct place *p, uint32_t id, struct buf *out)
{
    if (p->how->changes) {
        buf_append_text(out, out->size > 0 && out->data[out->size - 1] == '(' ? "changelogMode=[" : ", changelogMode=[");
        rel_print_changes(r, out);
        buf_append_byte(out, ']');
    }
    if (out->data[out->size - 1] == '(') out->size--; /* Flink's: a node of which nothing is said has no brackets */
    else buf_append_byte(out, ')');
    if (id > 0) buf_printf(out, "(reuse_id=[%u])", id);
}

static bool printed_before(const struct rel *r, const struct rel *by, uint32_t input, bool exchange, const struct place *p, uint32_t *id,
                           struct buf *out)
{
    bool again;

    *id = rel_reuse_visit(p->how->reuse, r, by, input, exchange, &again);
    if (!again) return false;
    line_begin(p, out);
    buf_printf(out, "Reused(reference_id=[%u])\n", *id);
    return true;
}

/* The input's rows as they come to r; p goes a level down when that is a line. False: all of it was printed before. */
static bool explain_exchange(const struct rel *r, uint32_t input, struct place *p, struct buf *out)
{
    const uint32_t *cols = NULL;
    int count = rel_distribution(r, input, &cols);
    uint32_t id;

    if (count == DISTRIBUTION_ANY) return true;
    if (printed_before(r->inputs[input], r, input, true, p, &id, out)) return false;
    line_begin(p, out);
    buf_printf(out, "Exchange(distribution=[%s", count == DISTRIBUTION_BROADCAST ? "broadcast" : count == 0 ? "single" : "hash[");
    for (int i = 0; i < count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->inputs[input]->row->names[cols[i]]);
    buf_append_text(out, count <= 0 ? "]" : "]]");
    line_end(r->inputs[input], p, id, out);
    buf_append_byte(out, '\n');
    p->more[++p->depth] = false;
    return true;
}

/* "advice=[1], " */
static void explain_advice(const struct rel *r, const struct place *p, struct buf *out)
{
    for (uint32_t i = 0; p->how->advices != NULL && i < p->how->advices->count; i++)
        if (p->how->advices->items[i].about == r) buf_printf(out, "advice=[%u], ", i + 1);
}

static void explain(const struct rel *r, const struct rel *by, struct place *p, struct buf *out)
{
    uint32_t depth = p->depth, id;

    if (printed_before(r, by, 0, false, p, &id, out)) return;
    line_begin(p, out);
    buf_printf(out, "%s(", r->type->name);
    explain_advice(r, p, out);
    if (r->type->explain != NULL) r->type->explain(r, out);
    line_end(r, p, id, out);
    if (p->how->note != NULL) p->how->note(p->how->arg, r, out);
    buf_append_byte(out, '\n');
    for (uint32_t i = 0; i < r->input_count && depth + 3 < EXPLAIN_DEPTH_MAX; i++) {
        p->depth = depth + 1;
        p->more[depth + 1] = i + 1 < r->input_count;
        if (explain_exchange(r, i, p, out)) explain(r->inputs[i], r, p, out);
    }
    p->depth = depth;
}

void rel_explain(const struct rel *r, const struct rel_shown *how, struct buf *out)
{
    struct place p = {.how = how};

    explain(r, NULL, &p, out);
}
