/* node_local_aggregate.c - LocalGroupAggregate: the first of two phases, where rows are. Its rows are parts of groups (op_local_groups.c):
 * they are only added, also those of rows that were taken back. */
#include "flow/operator/local_groups.h"
#include "language/plan/aggregate_rel.h"

#include <string.h>

/* --- which functions, and how their parts are called ----------------------------------------------------------------- */
static const struct {
    const char *function, *first, *second; /* second: NULL: there is one part, or one only when nothing is taken back */
    bool always_two;
} parts[] = {{"count", "count", NULL, false}, {"sum", "sum", "count", false}, {"avg", "sum", "count", true}, {"min", "min", NULL, false}, {"max", "max", NULL, false}};

const char *aggregate_parts(struct arena *a, const struct aggregate_call *c, bool retracts, uint32_t *number)
{
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *star = strcmp(c->function, "count") == 0 && c->argument < 0 ? "1" : "";
        if (strcmp(parts[i].function, c->function) != 0) continue;
        uint32_t first = (*number)++;
        if (parts[i].second == NULL || !(retracts || parts[i].always_two)) return arena_printf(a, "%s%s$%u", parts[i].first, star, first);
        (*number)++;
        return arena_printf(a, "(%s$%u, %s$%u)", parts[i].first, first, parts[i].second, first + 1);
    }
    return NULL;
}

uint32_t aggregate_set(const struct aggregate_body *b, uint32_t call)
{
    uint32_t set = 0;

    for (uint32_t i = 0; i < call; i++) {
        uint32_t k = 0;
        if (!b->calls[i].distinct) continue;
        if (b->calls[i].argument == b->calls[call].argument) return set;
        while (!b->calls[k].distinct || b->calls[k].argument != b->calls[i].argument) k++;
        set += k == i;
    }
    return set;
}

void aggregate_print_function(const struct aggregate_call *c, bool retracts, struct buf *out)
{
    for (const char *p = c->function; *p != '\0'; p++) buf_append_byte(out, *p >= 'a' && *p <= 'z' ? (unsigned char)(*p - 32) : (unsigned char)*p);
    if (retracts) buf_append_text(out, "_RETRACT");
}

/* --- the node ---------------------------------------------------------------------------------------------------------- */
static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true;
}

static void derive(struct rel *r, struct arena *a)
{
    (void)a;
    r->is_empty = ((const struct aggregate_body *)r->body)->key_count > 0 && r->inputs[0]->is_empty;
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct aggregate_body *b = r->body;
    const struct type *in = r->inputs[0]->row;
    bool retracts = r->inputs[0]->modifies != MODIFIES_NOTHING;
    uint32_t number = 0;
    struct arena names;

    arena_init(&names, out->mem, 0);
    if (b->key_count > 0) buf_append_text(out, "groupBy=[");
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", in->names[b->keys[i]]);
    if (b->key_count > 0) buf_append_text(out, "], ");
    aggregate_print_phase(b, out);
    buf_append_text(out, "select=[");
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", in->names[b->keys[i]]);
    for (uint32_t i = 0; i < b->call_count; i++) {
        const struct aggregate_call *c = &b->calls[i];
        if (b->key_count + i > 0) buf_append_text(out, ", ");
        aggregate_print_function(c, retracts, out);
        buf_append_byte(out, '(');
        if (c->distinct) buf_printf(out, "distinct$%u ", aggregate_set(b, i));
        buf_printf(out, "%s)", c->argument >= 0 ? in->names[c->argument] : "*");
        if (c->filter >= 0) buf_printf(out, " FILTER %s", in->names[c->filter]);
        buf_printf(out, " AS %s", aggregate_parts(&names, c, retracts, &number));
    }
    for (uint32_t i = 0, set = 0; i < b->call_count; i++) {
        if (!b->calls[i].distinct || aggregate_set(b, i) != set) continue;
        buf_printf(out, ", DISTINCT(%s) AS distinct$%u", in->names[b->calls[i].argument], set++);
    }
    buf_append_byte(out, ']');
    arena_release(&names);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    struct graph_node *n = graph_add_node(l->graph, op_find("local_groups"), "LocalGroupAggregate", (struct graph_here){0});
    const struct aggregate_body *b = r->body;
    const struct rel *in = r->inputs[0];
    struct local_groups_config *c = n->config;
    const char **keys = ARENA_ARRAY(l->a, const char *, b->key_count + 1);

    (void)e;
    for (uint32_t i = 0; i < b->key_count; i++) keys[i] = in->row->names[b->keys[i]];
    lower_aggregate_calls(l, b, in->row, &c->calls);
    c->calls.retracts = in->modifies != MODIFIES_NOTHING;
    c->keys = (struct text_list){keys, b->key_count};
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_local_aggregate_type = {.name = "LocalGroupAggregate",
                                                  .doc = "parts of groups, where rows are, for GlobalGroupAggregate",
                                                  .derive = derive,
                                                  .wants_before = wants_before,
                                                  .explain = explain,
                                                  .lower = lower};
