/* node_join.c - Join: pairs of rows of two changelogs, all of whose rows are kept. As Flink says, a side's updates may come without
 * the row before where the join's key lies within one of the side's unique keys: then both rows of an update meet the same partners.
 * That is not so when a condition decides too, or when a row comes alone because of its partners (semi and anti joins). */
#include "flow/operator/join.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/join_rel.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel_internal.h"

static const char *const operator_names[] = {"inner", "left", "right", "full", "semi", "anti"};
static const char *const explain_names[] = {"InnerJoin",     "LeftOuterJoin", "RightOuterJoin",
                                            "FullOuterJoin", "LeftSemiJoin",  "LeftAntiJoin"};

const char *join_operator_name(enum rel_join_kind kind) { return operator_names[kind]; }
const char *join_explain_name(enum rel_join_kind kind) { return explain_names[kind]; }

static bool has_pairs(enum rel_join_kind kind) { return kind != REL_JOIN_SEMI && kind != REL_JOIN_ANTI; }

/* May rows come that have nothing of this side? */
static bool may_lack(enum rel_join_kind kind, uint32_t side)
{
    return kind == REL_JOIN_FULL || kind == (side == 0 ? REL_JOIN_RIGHT : REL_JOIN_LEFT);
}

static const struct type *join_row(struct arena *a, enum rel_join_kind kind, const struct type *left,
                                   const struct type *right, const char *const *names, bool timed)
{
    uint32_t n = left->child_count + (has_pairs(kind) ? right->child_count : 0);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        bool is_right = i >= left->child_count;
        const struct type *t = is_right ? right->children[i - left->child_count] : left->children[i];
        if (t->time_kind != TIME_NONE && !timed) t = type_with_time(a, t, TIME_NONE);
        types[i] = may_lack(kind, is_right) ? type_with_null(a, t, true) : t;
    }
    return type_row(a, n, names, types, false);
}

const struct type *rel_join_row(struct arena *a, enum rel_join_kind kind, const struct type *left,
                                const struct type *right, const char *const *names)
{
    return join_row(a, kind, left, right, names, false);
}

const struct type *rel_join_row_timed(struct arena *a, enum rel_join_kind kind, const struct type *left,
                                      const struct type *right, const char *const *names)
{
    return join_row(a, kind, left, right, names, true);
}

/* --- EXPLAIN ----------------------------------------------------------------------------------------------------- */
void join_explain_where(const struct rel *r, const struct join_body *b, const struct expr *condition, struct buf *out)
{
    uint32_t left = r->inputs[0]->row->child_count, terms = b->key_count + (condition != NULL);
    struct type both = {.child_count = left + r->inputs[1]->row->child_count, .names = b->names};

    if (terms == 0) buf_append_text(out, "true");
    if (terms > 1) buf_append_byte(out, '(');
    for (uint32_t i = 0; i < b->key_count; i++)
        buf_printf(out, "%s(%s %s %s)", i > 0 ? " AND " : "", b->names[b->keys[0][i]],
                   b->null_safe[i] ? "IS NOT DISTINCT FROM" : "=", b->names[left + b->keys[1][i]]);
    if (condition != NULL && b->key_count > 0) buf_append_text(out, " AND ");
    if (condition != NULL) expr_print(condition, &both, out);
    if (terms > 1) buf_append_byte(out, ')');
}

static void key_bits(const struct rel *r, uint32_t input, uint64_t *bits)
{
    const struct join_body *b = r->body;

    for (uint32_t i = 0; i < b->key_count; i++) bit_set(bits, b->keys[input][i]);
}

/* At most one row of the input per key. */
bool join_is_one_row(const struct rel *r, uint32_t input)
{
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    key_bits(r, input, bits);
    return rel_covers_key(r->inputs[input], bits);
}

static const char *input_spec(const struct rel *r, uint32_t input)
{
    if (join_is_one_row(r, input)) return "JoinKeyContainsUniqueKey";
    return r->inputs[input]->key_count > 0 ? "HasUniqueKey" : "NoUniqueKey";
}

static void explain_hints(const struct join_body *b, struct buf *out)
{
    static const char *const sides[] = {"LEFT", "RIGHT"};
    bool any = false;

    for (uint32_t i = 0; i < b->hints.count; i++)
        buf_printf(out, "%s[%s options:[%s]]", i == 0 ? ", joinHints=[[" : "", b->hints.items[i].name, sides[b->hints.items[i].side]);
    if (b->hints.count > 0) buf_append_text(out, "]]");
    for (uint32_t i = 0; i < 2; i++) {
        if (b->ttl[i].text == NULL) continue;
        buf_printf(out, "%s%s=%s", any ? ", " : ", stateTtlHints=[[[STATE_TTL options:{", sides[i], b->ttl[i].text);
        any = true;
    }
    if (any) buf_append_text(out, "}]]]");
}

void join_explain_rows(const struct rel *r, struct buf *out)
{
    const struct join_body *b = r->body;

    buf_printf(out, "joinType=[%s], where=[", explain_names[b->kind]);
    join_explain_where(r, b, b->condition, out);
    buf_append_text(out, "], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct join_body *b = r->body;

    join_explain_rows(r, out);
    buf_printf(out, ", leftInputSpec=[%s], rightInputSpec=[%s]", input_spec(r, 0), input_spec(r, 1));
    explain_hints(b, out);
}

/* --- keys and changes -------------------------------------------------------------------------------------------- */
bool join_key_within(const struct join_body *b, uint32_t input, const struct rel_key *key)
{
    for (uint32_t i = 0; i < b->key_count; i++) {
        uint32_t k = 0;
        while (k < key->count && key->cols[k] != b->keys[input][i]) k++;
        if (k == key->count) return false;
    }
    return true;
}

static const struct rel_key *key_around(const struct rel *r, uint32_t input)
{
    const struct rel *in = r->inputs[input];

    for (uint32_t k = 0; k < in->key_count; k++)
        if (join_key_within(r->body, input, &in->keys[k])) return &in->keys[k];
    return NULL;
}

static bool can_be_after_only(const struct rel *r, uint32_t input)
{
    const struct join_body *b = r->body;

    return has_pairs((enum rel_join_kind)b->kind) && b->condition == NULL && key_around(r, input) != NULL;
}

/* The columns of two keys, or of one (the other NULL), in the output. */
static void keys_add(struct rel *r, struct arena *a, const struct rel_key *left, const struct rel_key *right)
{
    uint32_t n = 0, first = r->inputs[0]->row->child_count;
    uint32_t *cols = ARENA_ARRAY(a, uint32_t,
                                 (left != NULL ? left->count : 0) + (right != NULL ? right->count : 0) + 1);

    for (uint32_t i = 0; left != NULL && i < left->count; i++) cols[n++] = left->cols[i];
    for (uint32_t i = 0; right != NULL && i < right->count; i++) cols[n++] = first + right->cols[i];
    rel_add_key(r, a, cols, n);
}

static void derive_keys(struct rel *r, struct arena *a)
{
    const struct join_body *b = r->body;
    const struct rel *left = r->inputs[0], *right = r->inputs[1];
    bool left_alone = !has_pairs((enum rel_join_kind)b->kind);
    bool by_left = left_alone || (join_is_one_row(r, 1) && !may_lack((enum rel_join_kind)b->kind, 0));
    bool by_right = !left_alone && join_is_one_row(r, 0) && !may_lack((enum rel_join_kind)b->kind, 1);

    for (uint32_t i = 0; by_left && i < left->key_count; i++)
        if (join_key_within(b, 0, &left->keys[i])) keys_add(r, a, &left->keys[i], NULL);
    for (uint32_t k = 0; by_right && k < right->key_count; k++)
        if (join_key_within(b, 1, &right->keys[k])) keys_add(r, a, NULL, &right->keys[k]);
    for (uint32_t i = 0; !left_alone && i < left->key_count; i++)
        for (uint32_t k = 0; k < right->key_count; k++)
            if (join_key_within(b, 0, &left->keys[i]) && join_key_within(b, 1, &right->keys[k]))
                keys_add(r, a, &left->keys[i], &right->keys[k]);
}

static bool derive_empty(const struct rel *r)
{
    const struct join_body *b = r->body;
    bool left = r->inputs[0]->is_empty, right = r->inputs[1]->is_empty, never = rel_condition_fails(b->condition);

    switch ((enum rel_join_kind)b->kind) {
    case REL_JOIN_INNER:
    case REL_JOIN_SEMI: return left || right || never;
    case REL_JOIN_LEFT:
    case REL_JOIN_ANTI: return left;
    case REL_JOIN_RIGHT: return right;
    case REL_JOIN_FULL: return left && right;
    }
    return false;
}

void join_derive_rows(struct rel *r, struct arena *a)
{
    derive_keys(r, a);
    r->is_empty = derive_empty(r);
}

/* Where a side's update may find other partners, its row before goes as a delete when nobody needs -U. */
static void derive(struct rel *r, struct arena *a)
{
    const struct join_body *b = r->body;
    bool is_plain = b->kind == REL_JOIN_INNER || b->kind == REL_JOIN_SEMI;

    join_derive_rows(r, a);
    r->modifies = is_plain ? MODIFIES_NOTHING : MODIFIES_UPDATES | MODIFIES_DELETES;
    for (uint32_t i = 0; i < 2; i++) {
        r->modifies |= r->inputs[i]->modifies;
        bool updates = (r->inputs[i]->modifies & MODIFIES_UPDATES) != 0;
        if (updates && !can_be_after_only(r, i)) r->modifies |= MODIFIES_DELETES;
    }
    if (b->kind == REL_JOIN_SEMI && r->inputs[1]->modifies != MODIFIES_NOTHING) r->modifies |= MODIFIES_DELETES;
}

static bool wants_before(const struct rel *r, uint32_t input)
{
    return r->wants_before || !can_be_after_only(r, input);
}

int join_distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct join_body *b = r->body;

    *cols = b->keys[input];
    return (int)b->key_count;
}

/* By its keys, of a side whose rows all come out. */
bool join_lies_by(const struct rel *r, const uint32_t *cols, uint32_t count)
{
    const struct join_body *b = r->body;
    uint32_t left = r->inputs[0]->row->child_count;

    if (count != b->key_count) return false;
    for (uint32_t i = 0; i < count; i++) {
        bool is_left = cols[i] == b->keys[0][i] && !may_lack((enum rel_join_kind)b->kind, 0);
        bool is_right = cols[i] == left + b->keys[1][i] && has_pairs((enum rel_join_kind)b->kind) && !may_lack((enum rel_join_kind)b->kind, 1);
        if (!is_left && !is_right) return false;
    }
    return true;
}

/* --- advice ------------------------------------------------------------------------------------------------------ */
static bool side_grows(const struct rel *r, const struct plan_settings *s, uint32_t side)
{
    const struct rel_ttl *ttl = &((const struct join_body *)r->body)->ttl[side];

    return !r->inputs[side]->is_bounded && (ttl->text != NULL ? ttl->ms : s->ttl_ms) == 0;
}

static const char *advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    struct buf text;

    if (!side_grows(r, s, 0) && !side_grows(r, s, 1)) return NULL;
    buf_init(&text, a->mem);
    buf_append_text(&text, "the join where ");
    join_explain_where(r, r->body, ((const struct join_body *)r->body)->condition, &text);
    buf_append_text(&text, " keeps all rows for ever: add an interval bound or set 'table.exec.state.ttl'");
    const char *out = arena_strndup(a, text.data, text.size);
    buf_release(&text);
    return out;
}

/* --- lowering ---------------------------------------------------------------------------------------------------- */
static bool is_after_only(const struct rel *r, uint32_t input)
{
    return (r->inputs[input]->modifies & MODIFIES_UPDATES) != 0 && !r->inputs[input]->wants_before;
}

static struct text_list unique_of(const struct rel *r, struct lowering *l, uint32_t input)
{
    const struct rel_key *key = is_after_only(r, input) ? key_around(r, input) : NULL;
    const char **names = ARENA_ARRAY(l->a, const char *, key != NULL ? key->count + 1 : 1);

    for (uint32_t i = 0; key != NULL && i < key->count; i++) names[i] = r->inputs[input]->row->names[key->cols[i]];
    return (struct text_list){names, key != NULL ? key->count : 0};
}

static void sides_lower(const struct rel *r, struct lowering *l, struct join_config *c)
{
    c->left_unique = unique_of(r, l, 0);
    c->right_unique = unique_of(r, l, 1);
    c->left_row = join_is_one_row(r, 0);
    c->right_row = join_is_one_row(r, 1);
    c->left_after = is_after_only(r, 0);
    c->right_after = is_after_only(r, 1);
    c->left_appends = r->inputs[0]->modifies == MODIFIES_NOTHING;
    c->right_appends = r->inputs[1]->modifies == MODIFIES_NOTHING;
}

struct text_list join_null_safe(struct lowering *l, const struct join_body *b)
{
    const char **safe = ARENA_ARRAY(l->a, const char *, b->key_count + 1);

    for (uint32_t i = 0; i < b->key_count; i++) safe[i] = b->null_safe[i] ? "true" : "false";
    return (struct text_list){safe, b->key_count};
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct join_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("join"), "Join", (struct graph_here){0});
    struct join_config *c = n->config;

    (void)e;
    c->kind = operator_names[b->kind];
    c->names = (struct text_list){b->names, r->inputs[0]->row->child_count + r->inputs[1]->row->child_count};
    c->null_safe = join_null_safe(l, b);
    c->emit_before = r->wants_before;
    c->left_ttl_ms = b->ttl[0].text != NULL ? b->ttl[0].ms : l->ttl_ms;
    c->right_ttl_ms = b->ttl[1].text != NULL ? b->ttl[1].ms : l->ttl_ms;
    if (b->condition != NULL) c->condition = lower_exprs(l, &b->condition, 1);
    c->zone = lower_zone(l);
    sides_lower(r, l, c);
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < 2; i++) lower_edge(l, r, inputs[i], *node, i);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct join_body *b = r->body;

    logical_join(r, b, b->condition, l);
}

const struct rel_type rel_join_type = {.name = "Join",
                                       .doc = "pairs of rows of two inputs, all of which are kept",
                                       .derive = derive,
                                       .wants_before = wants_before,
                                       .distribution = join_distribution,
                                       .lies_by = join_lies_by,
                                       .advise = advise,
                                       .passes = join_passes, .strengthen = join_strengthen, .narrow = join_narrow,
                                       .explain = explain,
                                       .logical = logical, .lower = lower};
