/* logical.c - the abstract syntax tree of a plan, as Flink's EXPLAIN prints it: which nodes, in which order, is as the plan has them
 * before it is lowered; what the binder made one node of two stays one. */
#include "language/plan/logical.h"

#include "ground/base/str.h"

struct buf *logical_begin(struct logical *l, const char *name)
{
    for (uint32_t i = 1; i < l->depth; i++) buf_append_text(l->out, l->more[i] ? ":  " : "   ");
    if (l->depth > 0) buf_append_text(l->out, l->more[l->depth] ? ":- " : "+- ");
    buf_printf(l->out, "Logical%s(", name);
    return l->out;
}

void logical_end(struct logical *l)
{
    buf_append_text(l->out, ")\n");
    if (l->depth < LOGICAL_DEPTH_MAX) l->more[++l->depth] = false;
    l->names = NULL;
}

void logical_order(const struct rank_order *order, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) buf_printf(out, "%ssort%u=[$%u]", i > 0 ? ", " : "", i, order[i].col);
    for (uint32_t i = 0; i < count; i++)
        buf_printf(out, ", dir%u=[%s-nulls-%s]", i, order[i].descending ? "DESC" : "ASC", order[i].nulls_last ? "last" : "first");
}

void logical_join(const struct rel *r, const struct join_body *b, const struct expr *condition, struct logical *l)
{
    static const char *const kinds[] = {"inner", "left", "right", "full", "semi", "anti"};
    uint32_t left = r->inputs[0]->row->child_count, terms = b->key_count + (condition != NULL);
    struct buf *out = logical_begin(l, "Join");

    buf_append_text(out, terms == 0 ? "condition=[true" : terms > 1 ? "condition=[AND(" : "condition=[");
    for (uint32_t i = 0; i < b->key_count; i++)
        buf_printf(out, "%s%s($%u, $%u)", i > 0 ? ", " : "", b->null_safe[i] ? "IS NOT DISTINCT FROM" : "=", b->keys[0][i],
                   left + b->keys[1][i]);
    if (condition != NULL && b->key_count > 0) buf_append_text(out, ", ");
    if (condition != NULL) expr_print_digest(condition, out);
    buf_printf(out, "%s], joinType=[%s]", terms > 1 ? ")" : "", kinds[b->kind]);
    logical_end(l);
}

static void call_print(const struct aggregate_call *c, const char *name, struct buf *out)
{
    buf_printf(out, ", %s=[", name);
    for (const char *p = c->function; *p != '\0'; p++)
        buf_append_byte(out, *p >= 'a' && *p <= 'z' ? (unsigned char)(*p - 32) : (unsigned char)*p);
    buf_append_text(out, c->distinct ? "(DISTINCT " : "(");
    if (c->argument >= 0) buf_printf(out, "$%d", c->argument);
    buf_append_byte(out, ')');
    if (c->filter >= 0) buf_printf(out, " FILTER $%d", c->filter);
    buf_append_byte(out, ']');
}

void logical_aggregate(const struct rel *r, const struct aggregate_body *b, const int *more_keys, uint32_t more, struct logical *l)
{
    const char *const *names = l->names;
    struct buf *out = logical_begin(l, "Aggregate");

    buf_append_text(out, "group=[{");
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%u", i > 0 ? ", " : "", b->keys[i]);
    for (uint32_t i = 0; i < more; i++)
        if (more_keys[i] >= 0) buf_printf(out, "%s%d", b->key_count + i > 0 ? ", " : "", more_keys[i]);
    buf_append_text(out, "}]");
    for (uint32_t i = 0; i < b->call_count; i++)
        call_print(&b->calls[i], names != NULL ? names[b->key_count + i] : r->row->names[b->key_count + i], out);
    logical_end(l);
}

static void print(const struct rel *r, struct logical *l)
{
    if (r->type->logical != NULL) r->type->logical(r, l);
    uint32_t depth = l->depth;
    const char *const *names = r->type->logical != NULL ? l->names : NULL;

    for (uint32_t i = 0; i < r->input_count && depth < LOGICAL_DEPTH_MAX; i++) {
        l->depth = depth;
        l->names = names;
        if (depth > 0) l->more[depth] = i + 1 < r->input_count;
        print(r->inputs[i], l);
    }
}

void rel_explain_logical(const struct rel *r, struct buf *out)
{
    struct logical l = {.out = out};

    print(r, &l);
}
