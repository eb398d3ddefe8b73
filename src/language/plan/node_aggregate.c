/* node_aggregate.c - GroupAggregate: aggregates of groups whose rows come for ever; each group has one row, which is updated. */
#include "flow/operator/group_calls.h"
#include "ground/base/str.h"
#include "language/plan/aggregate_rel.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel.h"

#include <string.h>

void rel_print_aggregate(const struct aggregate_call *c, const struct type *in, struct buf *out)
{
    if (c->label != NULL) buf_append_text(out, c->label);
    for (const char *p = c->function; c->label == NULL && *p != '\0'; p++)
        buf_append_byte(out, *p >= 'a' && *p <= 'z' ? (unsigned char)(*p - 32) : (unsigned char)*p);
    buf_printf(out, "(%s%s)", c->distinct ? "DISTINCT " : "", c->argument >= 0 ? in->names[c->argument] : "*");
    if (c->filter >= 0) buf_printf(out, " FILTER %s", in->names[c->filter]);
    buf_printf(out, " AS %s", c->name);
}

void aggregate_print_phase(const struct aggregate_body *b, struct buf *out)
{
    if (b->phase != AGGREGATE_WHOLE) buf_printf(out, "partialFinalType=[%s], ", b->phase == AGGREGATE_PARTIAL ? "PARTIAL" : "FINAL");
}

void aggregate_explain_groups(const struct rel *r, struct buf *out)
{
    const struct aggregate_body *b = r->body;

    if (b->key_count > 0) buf_append_text(out, "groupBy=[");
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    if (b->key_count > 0) buf_append_text(out, "], ");
    aggregate_print_phase(b, out);
    buf_append_text(out, "select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        if (i < b->key_count)
            buf_append_text(out, r->row->names[i]);
        else
            rel_print_aggregate(&b->calls[i - b->key_count], r->inputs[0]->row, out);
    }
    buf_append_byte(out, ']');
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct aggregate_body *b = r->body;

    aggregate_explain_groups(r, out);
    if (b->ttl.text != NULL) buf_printf(out, ", stateTtlHints=[[[STATE_TTL options:[%s]]]]", b->ttl.text);
}

/* --- monotone results -------------------------------------------------------------------------------------------- */
/* Does the condition hold back whatever is below zero in the column? */
static bool is_held_above_zero(const struct expr *condition, uint32_t col)
{
    if (condition->kind == EXPR_AND)
        for (uint32_t i = 0; i < condition->count; i++)
            if (is_held_above_zero(condition->args[i], col)) return true;
    if (condition->kind != EXPR_CALL || condition->count != 2) return false;
    struct str name = str_of(condition->call->def->name);
    bool is_greater = str_equal(name, STR(">")) || str_equal(name, STR(">="));
    const struct expr *left = condition->args[0], *right = condition->args[1];
    if (!is_greater || left->kind != EXPR_COLUMN || left->col != col || right->kind != EXPR_CONSTANT) return false;
    if (vector_is_null(right->constant, 0)) return false;
    if (right->type->kind == T_BIGINT) return VECTOR_VALUES(right->constant, int64_t)[0] >= 0;
    return right->type->kind == T_INT && VECTOR_VALUES(right->constant, int32_t)[0] >= 0;
}

static bool is_never_negative(const struct rel *in, int col)
{
    if (in->type != &rel_calc_type || col < 0) return false;
    const struct calc_body *c = in->body;
    const struct expr *x = c->count > 0 ? c->columns[col] : NULL;
    if (c->condition == NULL || (x != NULL && x->kind != EXPR_COLUMN)) return false;
    return is_held_above_zero(c->condition, x != NULL ? x->col : (uint32_t)col);
}

static uint8_t monotone_of(const struct rel *in, const struct aggregate_call *call)
{
    if (strcmp(call->function, "count") == 0 || strcmp(call->function, "max") == 0) return MONOTONE_GROWS;
    if (strcmp(call->function, "min") == 0) return MONOTONE_FALLS;
    return strcmp(call->function, "sum") == 0 && is_never_negative(in, call->argument) ? MONOTONE_GROWS : MONOTONE_NOT;
}

/* Of rows that are only added. */
static const uint8_t *monotone(const struct aggregate_body *b, const struct rel *in, struct arena *a)
{
    uint8_t *out = ARENA_ARRAY(a, uint8_t, b->key_count + b->call_count + 1);

    for (uint32_t i = 0; i < b->key_count; i++) out[i] = MONOTONE_CONSTANT;
    for (uint32_t i = 0; i < b->call_count; i++) out[b->key_count + i] = monotone_of(in, &b->calls[i]);
    return out;
}

/* Without results a group's row never changes (DISTINCT), but it may go. */
void aggregate_derive(struct rel *r, const struct rel *in, struct arena *a)
{
    const struct aggregate_body *b = r->body;
    uint32_t *cols = ARENA_ARRAY(a, uint32_t, b->key_count + 1);

    for (uint32_t i = 0; i < b->key_count; i++) cols[i] = i;
    rel_add_key(r, a, cols, b->key_count);
    r->is_empty = b->key_count > 0 && in->is_empty;
    if (r->at_end) return;
    r->modifies = b->call_count > 0 ? MODIFIES_UPDATES : MODIFIES_NOTHING;
    if (in->modifies != MODIFIES_NOTHING) r->modifies |= MODIFIES_DELETES;
    else if (r->modifies != MODIFIES_NOTHING) r->monotone = monotone(b, in, a);
}

static void derive(struct rel *r, struct arena *a) { aggregate_derive(r, r->inputs[0], a); }

static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true; /* what an update takes away must be known */
}

int aggregate_distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct aggregate_body *b = r->body;

    (void)input;
    *cols = b->keys;
    return (int)b->key_count;
}

const char *aggregate_advise(const struct rel *r, const struct rel *in, const struct plan_settings *s, struct arena *a)
{
    const struct aggregate_body *b = r->body;
    struct buf text;

    if (b->ttl.text != NULL ? b->ttl.ms > 0 : s->ttl_ms > 0) return NULL;
    if (in->is_bounded || b->key_count == 0) return NULL;
    buf_init(&text, a->mem);
    buf_append_text(&text, "the groups by ");
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(&text, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_text(&text, " are kept for ever: group by a window too or set 'table.exec.state.ttl'");
    const char *out = arena_strndup(a, text.data, text.size);
    buf_release(&text);
    return out;
}

static const char *advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    return aggregate_advise(r, r->inputs[0], s, a);
}

void lower_aggregate_calls(struct lowering *l, const struct aggregate_body *b, const struct type *in, struct group_config *c)
{
    struct text_list *const lists[] = {&c->functions, &c->arguments, &c->filters, &c->distinct, &c->names, &c->parameters};
    const char **texts[COUNT_OF(lists)];

    for (size_t k = 0; k < COUNT_OF(lists); k++) {
        texts[k] = ARENA_ARRAY(l->a, const char *, MAX(b->call_count, 1u));
        *lists[k] = (struct text_list){texts[k], b->call_count};
    }
    for (uint32_t i = 0; i < b->call_count; i++) {
        const struct aggregate_call *call = &b->calls[i];
        texts[0][i] = call->function;
        texts[1][i] = call->argument >= 0 ? in->names[call->argument] : "";
        texts[2][i] = call->filter >= 0 ? in->names[call->filter] : "";
        texts[3][i] = call->distinct ? "true" : "false";
        texts[4][i] = call->name;
        texts[5][i] = call->parameter != NULL ? arena_printf(l->a, "=%s", call->parameter) : "";
    }
}

void aggregate_configure(const struct rel *r, const struct rel *in, struct lowering *l, struct group_config *c)
{
    const struct rel_ttl *ttl = &((const struct aggregate_body *)r->body)->ttl;

    lower_aggregate_calls(l, r->body, in->row, c);
    c->emit_before = r->wants_before;
    c->emit_every = l->emit_every;
    c->retracts = in->modifies != MODIFIES_NOTHING;
    c->ttl_ms = ttl->text != NULL ? ttl->ms : l->ttl_ms;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    aggregate_configure(r, r->inputs[0], l,
                        graph_add_node(l->graph, op_find("group_aggregate"), "GroupAggregate", (struct graph_here){0})->config);
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l) { logical_aggregate(r, r->body, NULL, 0, l); }

const struct rel_type rel_aggregate_type = {.name = "GroupAggregate",
                                            .doc = "aggregates of groups; each group has one row, which is updated",
                                            .derive = derive,
                                            .wants_before = wants_before,
                                            .distribution = aggregate_distribution,
                                            .advise = advise,
                                            .passes = aggregate_passes, .narrow = aggregate_narrow,
                                            .explain = explain,
                                            .logical = logical, .lower = lower};
