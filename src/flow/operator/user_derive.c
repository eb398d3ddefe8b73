/* user_derive.c - what is checked about a user function while the graph is built: hooks that are there, rows that fit the
 * streams, keys, declared states. Everything that can be refused before the job starts is refused here; open then binds
 * the same things again and cannot fail for the user's mistakes. */
#include "flow/operator/user.h"

#include "flow/operator/user_internal.h"
#include "flow/operator/user_value.h"
#include "ground/base/str.h"

#include <string.h>

static enum status in_function(const struct function_ref *f, enum status st, struct err *e)
{
    if (st != S_OK) err_wrap(e, "function '%s'", f->name);
    return st;
}

enum status user_need_hook(const struct function_ref *f, bool is_set, const char *hook, struct err *e)
{
    if (f->name == NULL || f->fn == NULL)
        return f->name == NULL ? err_set(e, E_GRAPH, "a function with .%s is needed here, but none is given", hook)
                               : err_set(e, E_GRAPH, "function '%s' is not known here", f->name);
    if (is_set) return S_OK;
    err_set(e, E_GRAPH, "function '%s' cannot be used here: it has no .%s", f->name, hook);
    err_hint(e, "set .%s in its TW_FUNCTION", hook);
    return E_GRAPH;
}

enum status user_derive_in(const struct op_plan *plan, uint32_t input, const struct function_ref *f, bool required,
                           struct err *e)
{
    const struct tw_row *row = input == 0 ? f->fn->in : f->fn->in2;
    struct user_row bound;

    ASSERT(input < plan->input_count);
    if (row == NULL && !required) return S_OK;
    if (row == NULL)
        return err_set(e, E_GRAPH, "function '%s' does not say what it reads: .%s is missing", f->name,
                       input == 0 ? "in" : "in2");
    return in_function(f, user_row_bind(plan->arena, row, plan->inputs[input], plan->input_names[input], &bound, e), e);
}

enum status user_derive_out(struct op_plan *plan, const struct function_ref *f, struct err *e)
{
    if (f->fn->out == NULL)
        return err_set(e, E_GRAPH, "function '%s' does not say what it emits: .out is missing", f->name);
    plan->output_count = 1;
    TRY(in_function(f, user_row_type(plan->arena, f->fn->out, &plan->outputs[0], e), e));
    return user_derive_sides(plan, f, e);
}

enum status user_derive_sides(struct op_plan *plan, const struct function_ref *f, struct err *e)
{
    for (uint32_t i = 0; i < TW_SIDE_OUTPUTS_MAX; i++) {
        uint32_t port = plan->output_count;
        if (f->fn->sides[i] == NULL) continue;
        if (f->fn->side_names[i] == NULL)
            return err_set(e, E_GRAPH, "function '%s': side output %u has no name in .side_names", f->name, i);
        ASSERT(port < OP_PORTS_MAX);
        TRY(in_function(f, user_row_type(plan->arena, f->fn->sides[i], &plan->outputs[port], e), e));
        for (uint32_t k = 1; k < port; k++)
            if (strcmp(plan->port_names[k], f->fn->side_names[i]) == 0)
                return err_set(e, E_GRAPH, "function '%s' has two side outputs named '%s'", f->name,
                               f->fn->side_names[i]);
        plan->port_names[port] = f->fn->side_names[i];
        plan->output_count++;
    }
    return S_OK;
}

/* --- keys ------------------------------------------------------------------------------------------------------------- */
const struct type *user_key_type(struct arena *a, const struct op_plan *plan, uint32_t input)
{
    uint32_t count = plan->key_count[input];
    const struct type **types = ARENA_ARRAY(a, const struct type *, count);
    const char **names = ARENA_ARRAY(a, const char *, count);

    ASSERT(count > 0 && count <= OP_KEYS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        types[i] = plan->inputs[input]->children[plan->keys[input][i]];
        names[i] = plan->inputs[input]->names[plan->keys[input][i]];
    }
    return type_row(a, count, names, types, false);
}

enum status user_key_order(const struct tw_row *row, const struct type *key_type, uint32_t *order, struct err *e)
{
    uint32_t count = 0;
    bool by_name = true;

    if (user_row_fields(row) != key_type->child_count) {
        return err_set(e, E_GRAPH, "key row type '%s' has %u fields, but the stream is keyed by %u columns", row->name,
                       user_row_fields(row), key_type->child_count);
    }
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (row->fields[i].type[0] == 0) continue;
        int col = type_field(key_type, str_of(row->fields[i].name));
        by_name = by_name && col >= 0;
        order[count++] = col >= 0 ? (uint32_t)col : 0;
    }
    for (uint32_t f = 0; !by_name && f < count; f++) order[f] = f;
    return S_OK;
}

static enum status derive_key(const struct op_plan *plan, const struct tw_row *row, struct err *e)
{
    const struct type *key_type = user_key_type(plan->arena, plan, 0);
    uint32_t order[OP_KEYS_MAX];
    struct user_row bound;

    TRY(user_key_order(row, key_type, order, e));
    return user_row_bind_at(plan->arena, row, key_type, order, &bound, e);
}

enum status user_derive_pair(const struct op_plan *plan, struct err *e)
{
    if (plan->key_count[0] != plan->key_count[1]) {
        err_set(e, E_GRAPH, "the two streams are keyed differently: by %u and by %u columns", plan->key_count[0],
                plan->key_count[1]);
        err_hint(e, "key both streams alike, or neither");
        return E_GRAPH;
    }
    for (uint32_t i = 0; i < plan->key_count[0]; i++) {
        const struct type *a = plan->inputs[0]->children[plan->keys[0][i]],
                          *b = plan->inputs[1]->children[plan->keys[1][i]];
        if (type_equal_ignoring_null(a, b)) continue;
        return err_set(e, E_GRAPH, "the two streams are keyed by columns of different types: '%s' and '%s'",
                       plan->inputs[0]->names[plan->keys[0][i]], plan->inputs[1]->names[plan->keys[1][i]]);
    }
    return S_OK;
}

/* --- states ------------------------------------------------------------------------------------------------------------ */
static const char *const kind_names[] = {[TW_VALUE] = "value",
                                         [TW_LIST] = "list",
                                         [TW_MAP] = "map",
                                         [TW_REDUCING] = "reducing",
                                         [TW_AGGREGATING] = "aggregating",
                                         [TW_BROADCAST] = "broadcast",
                                         [TW_OPERATOR_LIST] = "operator list",
                                         [TW_OPERATOR_UNION] = "operator union"};

static bool is_keyed_kind(enum tw_state_kind k) { return k >= TW_VALUE && k <= TW_AGGREGATING; }

static enum status state_function_check(const struct tw_state *s, struct err *e)
{
    const struct tw_function *f = s->function;

    if (s->kind == TW_REDUCING && (f == NULL || f->reduce == NULL))
        return err_set(e, E_GRAPH, "reducing state '%s' needs a function with .reduce", s->name);
    if (s->kind == TW_AGGREGATING && (f == NULL || f->add == NULL || f->result == NULL))
        return err_set(e, E_GRAPH, "aggregating state '%s' needs a function with .add and .result", s->name);
    return S_OK;
}

static enum status state_types_check(struct arena *a, const struct tw_state *s, struct err *e)
{
    bool has_key = s->kind == TW_MAP || s->kind == TW_BROADCAST;
    struct user_value value;
    enum status st = S_OK;

    if (has_key && s->map_key == NULL)
        return err_set(e, E_GRAPH, "%s state '%s' needs the type of its map key in .map_key", kind_names[s->kind],
                       s->name);
    if (!has_key && s->key_row != NULL)
        return err_set(e, E_GRAPH, "%s state '%s' has no keys of its own, but a .key_row", kind_names[s->kind], s->name);
    if (has_key) st = user_value_of_key(a, s->map_key, s->key_row, &value, e);
    if (st == S_OK && s->kind == TW_AGGREGATING && s->function->acc)
        st = user_value_of_row(a, s->function->acc, &value, e);
    else if (st == S_OK && s->value)
        st = user_value_of_text(a, s->value, s->row, &value, e);
    else if (st == S_OK)
        st = err_set(e, E_GRAPH, "the type of its value is missing in .value");
    if (st == S_OK) return S_OK;
    err_wrap(e, "%s state '%s'", kind_names[s->kind], s->name);
    return E_GRAPH;
}

static enum status state_ttl_check(const struct tw_state *s, struct err *e)
{
    const struct tw_ttl *t = &s->ttl;

    if (t->update == TW_TTL_DISABLED) return S_OK;
    if (t->ttl_ms < 0) return err_set(e, E_GRAPH, "state '%s' has a negative time to live", s->name);
    if (t->ttl_ms > 0 && !is_keyed_kind(s->kind))
        return err_set(e, E_GRAPH, "%s state '%s' cannot have a time to live", kind_names[s->kind], s->name);
    if ((unsigned)t->update > TW_TTL_DISABLED || (unsigned)t->visibility > TW_RETURN_EXPIRED_IF_NOT_CLEANED_UP)
        return err_set(e, E_GRAPH, "state '%s': .ttl.update or .ttl.visibility is no value of its enum", s->name);
    if (t->cleanup_every_record && t->cleanup_size == 0)
        return err_set(e, E_GRAPH, "state '%s': .ttl.cleanup_every_record needs a .cleanup_size", s->name);
    if (t->periodic_compaction_ms < 0)
        return err_set(e, E_GRAPH, "state '%s' has a negative .ttl.periodic_compaction_ms", s->name);
    return S_OK;
}

static enum status state_check(const struct op_plan *plan, const struct tw_state *s, bool broadcast, struct err *e)
{
    if (s->name == NULL || s->name[0] == 0) return err_set(e, E_GRAPH, "a declared state has no name");
    if (s->kind < TW_VALUE || s->kind > TW_OPERATOR_UNION)
        return err_set(e, E_GRAPH, "state '%s' has no kind", s->name);
    if (is_keyed_kind(s->kind) && plan->key_count[0] == 0) {
        err_set(e, E_GRAPH, "%s state '%s' needs a keyed stream", kind_names[s->kind], s->name);
        err_hint(e, "call tw_key_by before, or use operator list state");
        return E_GRAPH;
    }
    if (s->kind == TW_BROADCAST && !broadcast)
        return err_set(e, E_GRAPH, "broadcast state '%s' lives in tw_broadcast_process only", s->name);
    TRY(state_ttl_check(s, e));
    TRY(state_function_check(s, e));
    return state_types_check(plan->arena, s, e);
}

enum status user_derive_state(struct op_plan *plan, const struct function_ref *f, bool broadcast, struct err *e)
{
    const struct tw_state *const *states = f->fn->states;

    if (f->fn->key && plan->key_count[0] > 0) TRY(in_function(f, derive_key(plan, f->fn->key, e), e));
    if (f->fn->on_timer && plan->key_count[0] == 0) {
        err_set(e, E_GRAPH, "function '%s' has .on_timer, but timers need a keyed stream", f->name);
        err_hint(e, "call tw_key_by before");
        return E_GRAPH;
    }
    for (uint32_t i = 0; i < TW_STATES_MAX; i++) {
        if (states[i] == NULL) continue;
        TRY(in_function(f, state_check(plan, states[i], broadcast, e), e));
        for (uint32_t k = 0; k < i; k++)
            if (states[k] && strcmp(states[k]->name, states[i]->name) == 0)
                return err_set(e, E_GRAPH, "function '%s' declares two states named '%s'", f->name, states[i]->name);
    }
    return S_OK;
}

/* --- what is read ------------------------------------------------------------------------------------------------------- */
void user_pass_needs(const struct op_plan *plan, uint32_t input, const uint64_t *output, uint64_t *needed)
{
    for (uint32_t i = 0; i < plan->inputs[input]->child_count; i++)
        if (output == NULL || bit_get(output, i)) bit_set(needed, i);
}
