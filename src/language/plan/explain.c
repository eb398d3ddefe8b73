/* explain.c - plans as Flink's EXPLAIN prints them: a node a line, its inputs below it. What moves rows between tasks is a line of its
 * own, as if it were a node. */
#include "language/plan/rel_internal.h"

enum { EXPLAIN_DEPTH_MAX = 512 };

/* Where a line stands: for each level above, whether more inputs of that level follow. */
struct place {
    bool more[EXPLAIN_DEPTH_MAX];
    uint32_t depth;
    bool changes;
    const struct rel_advices *advices; /* NULL: none */
};

static void line_begin(const struct place *p, struct buf *out)
{
    for (uint32_t i = 1; i < p->depth; i++) buf_append_text(out, p->more[i] ? ":  " : "   ");
    if (p->depth > 0) buf_append_text(out, p->more[p->depth] ? ":- " : "+- ");
}

static void line_end(const struct rel *r, const struct place *p, struct buf *out)
{
    if (p->changes) {
        buf_append_text(out, out->size > 0 && out->data[out->size - 1] == '(' ? "changelogMode=[" : ", changelogMode=[");
        rel_print_changes(r, out);
        buf_append_byte(out, ']');
    }
    buf_append_text(out, ")\n");
}

/* The input's rows as they come to r; p goes a level down when that is a line. */
static void explain_exchange(const struct rel *r, uint32_t input, struct place *p, struct buf *out)
{
    const uint32_t *cols = NULL;
    int count = rel_distribution(r, input, &cols);

    if (count < 0) return;
    line_begin(p, out);
    buf_append_text(out, count == 0 ? "Exchange(distribution=[single" : "Exchange(distribution=[hash[");
    for (int i = 0; i < count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->inputs[input]->row->names[cols[i]]);
    buf_append_text(out, count == 0 ? "]" : "]]");
    line_end(r->inputs[input], p, out);
    p->more[++p->depth] = false;
}

/* "advice=[1], " */
static void explain_advice(const struct rel *r, const struct place *p, struct buf *out)
{
    for (uint32_t i = 0; p->advices != NULL && i < p->advices->count; i++)
        if (p->advices->items[i].about == r) buf_printf(out, "advice=[%u], ", i + 1);
}

static void explain(const struct rel *r, struct place *p, struct buf *out)
{
    uint32_t depth = p->depth;

    line_begin(p, out);
    buf_printf(out, "%s(", r->type->name);
    explain_advice(r, p, out);
    if (r->type->explain != NULL) r->type->explain(r, out);
    line_end(r, p, out);
    for (uint32_t i = 0; i < r->input_count && depth + 3 < EXPLAIN_DEPTH_MAX; i++) {
        p->depth = depth + 1;
        p->more[depth + 1] = i + 1 < r->input_count;
        explain_exchange(r, i, p, out);
        explain(r->inputs[i], p, out);
    }
    p->depth = depth;
}

void rel_explain(const struct rel *r, bool changes, const struct rel_advices *advices, struct buf *out)
{
    struct place p = {.changes = changes, .advices = advices};

    explain(r, &p, out);
}
