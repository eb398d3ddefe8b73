/* op_multi_join.c - SQL: many changelogs joined by a key that is equal in all of them, by inner and left joins, one after the other.
 * What is kept are the rows of the inputs; what joins of two would keep in between is found anew for each row that comes.
 *
 * A batch finds the heads of its keys in the state of all inputs, scans the rows under them, and takes its own rows in; then
 * multi_stages.c puts rows of the others beside each of its rows. All that may be pending comes before anything is changed.
 *
 * As in joins of two, what an inner join makes of a row has that row's kind; with a left join among them rows only come (+I) and go
 * (-D), since one row of an input may take away others that had NULLs in its place.
 *
 * Invariants: NULL in a key meets nothing; such a row is not kept. The order of what comes out depends on the order of input alone.
 * Not here: right, full, semi and anti joins, keys that are equal when they are NULL, batch mode (there joins are of two). */
#include "flow/operator/computed.h"
#include "flow/operator/join_pairs.h"
#include "flow/operator/multi_join.h"
#include "flow/operator/multi_stages.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <string.h>

static const struct config_field multi_join_config_fields[] = {
    CONFIG_FIELD(multi_join_config, names, CONF_TEXTS, "names of the columns of all inputs"),
    CONFIG_FIELD(multi_join_config, kinds, CONF_TEXTS, "per input: how rows of those before meet it: inner, left"),
    CONFIG_FIELD(multi_join_config, asks, CONF_TEXTS, "per input: true when there is a condition besides the key"),
    CONFIG_FIELD(multi_join_config, conditions, CONF_BYTES,
                 "those: encoded BOOLEAN expressions over the columns of all inputs"),
    CONFIG_FIELD(multi_join_config, required, CONF_TEXTS,
                 "per input: the inputs that must have a row, as bits of a number"),
    CONFIG_FIELD(multi_join_config, appends, CONF_TEXTS, "per input: true when its rows are only added"),
    CONFIG_FIELD(multi_join_config, ttl_ms, CONF_TEXTS, "per input: ms until an untouched row is forgotten; 0: never"),
    CONFIG_FIELD(multi_join_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(multi_join_config, emit_before, CONF_BOOL, "updates come with the row before"),
    CONFIG_FIELD(multi_join_config, drop_before, CONF_BOOL,
                 "the row after an update takes its place by a key: the row before is not told"),
    CONFIG_LAST,
};

/* What the configuration says, over the inputs. */
struct multi_plan {
    struct fn_session session;
    uint32_t inputs, first[OP_INPUTS_MAX + 1];
    const struct type *row;
    struct expr *conditions[OP_INPUTS_MAX]; /* NULL: none */
};

enum { ROWS_KEPT = 64 * BATCH_ROWS }; /* found rows there is room for in any case */

struct multi_join {
    struct multi m;
    enum { JOIN_FINDS, JOIN_SCANS, JOIN_EMITS } state;
    bool scans_own;
    uint64_t no_key[BATCH_ROWS / 64];
    struct state_scan scans[OP_INPUTS_MAX];
    bool more[OP_INPUTS_MAX]; /* its scan goes on */
    struct state_hits hits;
    uint32_t generation;
    struct seen {
        const void *head;
        uint32_t generation;
        uint16_t first, last; /* rows of the batch with that key */
    } seen[2 * BATCH_ROWS];
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static int64_t number(const char *text)
{
    int64_t n = 0;

    for (; *text >= '0' && *text <= '9'; text++) n = n * 10 + (*text - '0');
    return n;
}

static bool says(const struct text_list *l, uint32_t i) { return strcmp(l->items[i], "true") == 0; }
static bool is_left(const struct multi_join_config *c, uint32_t i)
{
    return i > 0 && strcmp(c->kinds.items[i], "left") == 0;
}

static enum status lists_check(const struct op_plan *p, const struct multi_join_config *c, struct err *e)
{
    const struct text_list *lists[] = {&c->kinds, &c->asks, &c->required, &c->appends, &c->ttl_ms};
    uint32_t columns = 0;

    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (lists[i]->count != p->input_count)
            return err_set(e, E_CONFIG, "a multi-join says each thing once per input");
    for (uint32_t i = 0; i < p->input_count; i++) {
        columns += p->inputs[i]->child_count;
        if (!is_left(c, i) && strcmp(c->kinds.items[i], "inner") != 0)
            return err_set(e, E_CONFIG, "a multi-join knows inner and left, but not '%s'", c->kinds.items[i]);
        if (number(c->required.items[i]) >= INT64_C(1) << i)
            return err_set(e, E_CONFIG, "an input of a multi-join requires rows of those before it, not '%s'", c->required.items[i]);
    }
    if (columns > TYPE_FIELDS_MAX)
        return err_set(e, E_GRAPH, "a join has at most %d columns of all inputs", TYPE_FIELDS_MAX);
    return c->names.count == columns ? S_OK : err_set(e, E_CONFIG, "a multi-join names each column of all inputs");
}

static enum status keys_check(const struct op_plan *p, struct err *e)
{
    for (uint32_t i = 0; i < p->input_count; i++) {
        if (p->key_count[i] == 0 || p->key_count[i] != p->key_count[0])
            return err_set(e, E_GRAPH, "the inputs of a multi-join have keys of one length");
        for (uint32_t k = 0; k < p->key_count[0]; k++) {
            const struct type *x = p->inputs[0]->children[p->keys[0][k]], *y = p->inputs[i]->children[p->keys[i][k]];
            if (type_is_string(x) && type_is_string(y)) continue;
            if (!type_equal_ignoring_null(x, y))
                return err_set(e, E_GRAPH, "key %u of a multi-join has two types", k + 1);
        }
    }
    return S_OK;
}

/* The columns of all inputs; of a left join's they may be NULL. */
static enum status plan_read(const struct op_plan *p, const struct multi_join_config *c, struct multi_plan *out,
                             struct err *e)
{
    struct expr_maker m = {.a = p->arena, .session = &out->session};
    const uint8_t *at = (const uint8_t *)c->conditions.data, *end = at + c->conditions.size;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, c->names.count + 1);

    *out = (struct multi_plan){.session = {.zone = str_of(c->zone), .users = p->users}, .inputs = p->input_count};
    for (uint32_t i = 0, n = 0; i < p->input_count; i++) {
        for (uint32_t k = 0; k < p->inputs[i]->child_count; k++) {
            const struct type *t = p->inputs[i]->children[k];
            if (t->time_kind != TIME_NONE) t = type_with_time(p->arena, t, TIME_NONE);
            types[n++] = is_left(c, i) ? type_with_null(p->arena, t, true) : t;
        }
        out->first[i + 1] = n;
    }
    out->row = type_row(p->arena, c->names.count, c->names.items, types, false);
    for (uint32_t i = 0; i < p->input_count; i++) {
        if (!says(&c->asks, i)) continue;
        TRY(expr_decode(&m, out->row, &at, end, &out->conditions[i], e));
        if (out->conditions[i]->type->kind != T_BOOLEAN) return err_set(e, E_GRAPH, "the condition is not BOOLEAN");
    }
    return S_OK;
}

static enum status multi_join_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct multi_plan plan;

    TRY(lists_check(p, config, e));
    TRY(keys_check(p, e));
    TRY(plan_read(p, config, &plan, e));
    p->outputs[0] = plan.row;
    p->output_count = 1;
    return S_OK;
}

/* Columns of an input that come out or that a condition reads; at least one, so that rows can be counted. */
static void columns_read(const struct multi_plan *plan, uint32_t input, const uint64_t *outputs, uint64_t *bits)
{
    uint64_t read[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    uint32_t first = plan->first[input], count = plan->first[input + 1] - first, found = 0;

    for (uint32_t i = 0; i < plan->inputs; i++)
        if (plan->conditions[i] != NULL) expr_columns(plan->conditions[i], read);
    for (uint32_t i = 0; i < count; i++) {
        if (outputs != NULL && !bit_get(outputs, first + i) && !bit_get(read, first + i)) continue;
        bit_set(bits, i);
        found++;
    }
    if (found == 0) bit_set(bits, 0);
}

static void multi_join_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                             uint64_t *const *inputs)
{
    struct multi_plan plan;

    if (plan_read(p, config, &plan, NULL) != S_OK) return;
    for (uint32_t i = 0; i < p->input_count; i++) {
        columns_read(&plan, i, outputs[0], inputs[i]);
        for (uint32_t k = 0; k < p->key_count[i]; k++) bit_set(inputs[i], p->keys[i][k]);
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static enum status side_open(struct op_cx *cx, struct multi_join *s, const struct multi_plan *plan, uint32_t input)
{
    const struct multi_join_config *c = cx->config;
    struct arena *a = cx->plan->arena;
    uint32_t count = cx->plan->inputs[input]->child_count;
    uint64_t *kept = ARENA_ARRAY(a, uint64_t, count / 64 + 1);

    columns_read(plan, input, cx->needed_out != NULL ? cx->needed_out[0] : NULL, kept);
    struct join_side_spec spec = {.name = arena_printf(a, "input%u", input),
                                  .input = input,
                                  .appends = says(&c->appends, input),
                                  .has_many_others = true,
                                  .kept = kept,
                                  .ttl_ms = number(c->ttl_ms.items[input])};
    return join_side_open(cx, &s->m.sides[input], &spec);
}

static void level_open(struct op_cx *cx, struct multi_join *s, const struct multi_plan *plan, uint32_t input)
{
    const struct multi_join_config *c = cx->config;
    struct multi_level *l = &s->m.levels[input];
    uint32_t count = plan->row->child_count;
    uint64_t *read = ARENA_ARRAY(cx->plan->arena, uint64_t, count / 64 + 1);

    *l = (struct multi_level){.is_left = is_left(c, input),
                              .first = plan->first[input],
                              .required = (uint32_t)number(c->required.items[input])};
    s->m.has_left |= l->is_left;
    if (plan->conditions[input] == NULL) return;
    memset(read, 0, sizeof *read * (count / 64 + 1));
    expr_columns(plan->conditions[input], read);
    l->condition = computed_evaluator(cx, &plan->session, plan->conditions[input]);
    l->tested = batch_create_needed(plan->row, read, MULTI_TUPLES, cx->mem);
}

static enum status multi_join_open(struct op_cx *cx, void *self)
{
    const struct multi_join_config *c = cx->config;
    struct multi_join *s = self;
    struct multi_plan *plan = ARENA_NEW(cx->plan->arena, struct multi_plan);

    TRY(plan_read(cx->plan, cx->config, plan, cx->err));
    s->m.inputs = plan->inputs;
    s->m.emits_before = c->emit_before;
    s->m.drops_before = c->drop_before;
    s->m.sides = mem_zalloc(cx->mem, sizeof *s->m.sides * plan->inputs);
    s->m.rows = mem_zalloc(cx->mem, sizeof *s->m.rows * plan->inputs);
    s->m.out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL,
                                   MAX(MIN(cx->batch_rows, (uint32_t)MULTI_TUPLES), 2u), cx->mem);
    multi_blocks_open(&s->m, cx->mem);
    for (uint32_t i = 0; i < plan->inputs; i++) {
        level_open(cx, s, plan, i);
        TRY(side_open(cx, s, plan, i));
    }
    return S_OK;
}

static void multi_join_close(struct op_cx *cx, void *self, bool failed)
{
    struct multi_join *s = self;

    (void)failed;
    for (uint32_t i = 0; s->m.sides != NULL && i < s->m.inputs; i++) {
        join_side_close(cx, &s->m.sides[i]);
        mem_free(cx->mem, s->m.rows[i].rows);
        expr_run_free(s->m.levels[i].condition);
        batch_free(s->m.levels[i].tested);
    }
    multi_blocks_close(&s->m, cx->mem);
    mem_free(cx->mem, s->m.sides);
    mem_free(cx->mem, s->m.rows);
    batch_free(s->m.out);
}

/* --- a batch: finding -------------------------------------------------------------------------------------------- */
/* Which rows have the same key: equal keys have one head. */
static void keys_match(struct multi_join *s, uint32_t input, uint32_t count)
{
    void *const *heads = s->m.sides[input].heads;

    s->generation++;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)(mix64((uintptr_t)heads[i]) % COUNT_OF(s->seen));
        while (s->seen[at].generation == s->generation && s->seen[at].head != heads[i])
            at = (at + 1) % COUNT_OF(s->seen);
        struct seen *f = &s->seen[at];
        bool is_new = f->generation != s->generation;
        if (is_new) *f = (struct seen){heads[i], s->generation, (uint16_t)i, MULTI_NONE};
        s->m.slot[i] = f->first;
        s->m.previous[i] = f->last;
        f->last = (uint16_t)i;
    }
}

static bool scans(const struct multi_join *s, uint32_t input) { return input != s->m.input || s->scans_own; }

/* Each key once. */
static void heads_once(const struct multi_join *s, uint32_t count, void *const *heads, void **once)
{
    for (uint32_t i = 0; i < count; i++) once[i] = s->m.slot[i] == i ? heads[i] : NULL;
}

/* What keys of very many rows took goes when the last batch had few. */
static void rows_reset(struct op_cx *cx, struct multi_rows *r)
{
    if (r->capacity > ROWS_KEPT && r->count < r->capacity / 4) {
        mem_free(cx->mem, r->rows);
        r->rows = NULL;
        r->capacity = 0;
    }
    r->count = 0;
    memset(r->first, 0, sizeof r->first);
}

static void rows_add(struct op_cx *cx, struct multi_join *s, uint32_t input)
{
    struct multi_rows *r = &s->m.rows[input];

    for (uint32_t i = 0; i < s->hits.count; i++) {
        uint32_t times = join_row_count(&s->m.sides[input], s->hits.row[i]);
        if (r->count + times > r->capacity) {
            r->capacity = MAX(2 * r->capacity, r->count + times + BATCH_ROWS);
            r->rows = mem_realloc(cx->mem, r->rows, sizeof *r->rows * r->capacity);
        }
        for (uint32_t k = 0; k < times; k++) r->rows[r->count++] = s->hits.row[i];
        r->first[s->hits.key[i] + 1] += times;
    }
}

static enum status block_scan(struct op_cx *cx, struct multi_join *s, uint32_t input)
{
    struct join_side *side = &s->m.sides[input];
    uint32_t count = batch_rows(s->m.in);
    void *once[BATCH_ROWS];

    heads_once(s, count, side->heads, once);
    enum status st = state_scan(side->table, 0, once, count, &s->scans[input], &s->hits);
    if (st != S_OK && st != S_MORE) return st;
    s->more[input] = st == S_MORE;
    rows_add(cx, s, input);
    return S_OK;
}

/* Without a condition it is enough to know how many rows of its own there are. */
static bool must_scan_own(const struct multi_join *s, uint32_t input)
{
    const struct multi_level *l = &s->m.levels[input];
    const struct join_side *side = &s->m.sides[input];
    bool counted = (side->shape == JOIN_PACKED || side->shape == JOIN_LOG) && side->def.ttl.ms == 0;

    return l->is_left && (l->condition != NULL || !counted);
}

/* All that may be pending. */
static enum status batch_find(struct op_cx *cx, struct multi_join *s, uint32_t input, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS];
    const struct text_list never = {0};

    s->m.input = input;
    s->m.in = in;
    s->scans_own = must_scan_own(s, input);
    batch_hash(in, p->keys[input], p->key_count[input], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[input], p->key_count[input], hashes);
    join_no_keys(p, &never, input, in, s->no_key);
    TRY(join_side_reserve(&s->m.sides[input], &keys, s->no_key));
    keys_match(s, input, keys.count);
    for (uint32_t i = 0; i < s->m.inputs; i++)
        if (i != input) TRY(join_side_find(&s->m.sides[i], &keys, s->no_key));
    for (uint32_t i = 0; i < s->m.inputs; i++) {
        rows_reset(cx, &s->m.rows[i]);
        s->scans[i] = (struct state_scan){0};
        if (scans(s, i)) TRY(block_scan(cx, s, i));
    }
    s->state = JOIN_SCANS;
    return S_OK;
}

/* --- a batch: its own rows --------------------------------------------------------------------------------------- */
static void rows_number(struct multi_join *s)
{
    uint32_t count = batch_rows(s->m.in);

    for (uint32_t i = 0; i < s->m.inputs; i++)
        for (uint32_t k = 0; k < count; k++) s->m.rows[i].first[k + 1] += s->m.rows[i].first[k];
}

/* How many rows were there under the key before the batch. */
static int64_t kept_before(const struct multi_join *s, uint32_t slot)
{
    const struct multi_rows *r = &s->m.rows[s->m.input];
    const void *head = s->m.sides[s->m.input].heads[slot];

    return s->scans_own ? (int64_t)(r->first[slot + 1] - r->first[slot]) : (int64_t)state_head_rows(head);
}

static enum status batch_take(struct multi_join *s)
{
    struct join_side *side = &s->m.sides[s->m.input];
    int64_t now[BATCH_ROWS];
    bool counts = s->m.levels[s->m.input].is_left;

    rows_number(s);
    for (uint32_t i = 0; counts && i < batch_rows(s->m.in); i++)
        if (s->m.slot[i] == i) now[i] = kept_before(s, i);
    TRY(join_side_apply(side, s->m.in));
    BATCH_EACH(s->m.in, i, row)
    {
        if (!counts) break;
        bool adds = join_adds(s->m.in, row), was_there = side->shape != JOIN_ROWS || side->rows[i] != NULL;
        s->m.weight[i] = adds ? 1 : was_there ? -1 : 0;
        s->m.others[i] = now[s->m.slot[i]] + (adds ? 0 : s->m.weight[i]);
        now[s->m.slot[i]] += s->m.weight[i];
    }
    multi_begin(&s->m);
    s->state = JOIN_EMITS;
    return S_OK;
}

/* --- a batch ----------------------------------------------------------------------------------------------------- */
/* One block of the scans that go on; false: none does. */
static enum status scans_go_on(struct op_cx *cx, struct multi_join *s, bool *did)
{
    *did = false;
    for (uint32_t i = 0; i < s->m.inputs && !*did; i++) {
        if (!scans(s, i) || !s->more[i]) continue;
        TRY(block_scan(cx, s, i));
        *did = true;
    }
    return S_OK;
}

static enum status multi_join_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct multi_join *s = self;
    bool did = false;

    if (s->state == JOIN_FINDS) TRY(batch_find(cx, s, input, in));
    if (s->state == JOIN_SCANS) {
        TRY(scans_go_on(cx, s, &did));
        if (did) return S_MORE;
        TRY(batch_take(s));
    }
    s->m.in = in;
    enum status st = multi_run(cx, &s->m);
    if (st != S_OK && st != S_MORE) return st;
    if (s->m.out->count > 0) op_forward(cx, 0, s->m.out);
    if (st == S_MORE) return S_MORE;
    for (uint32_t i = 0; i < s->m.inputs; i++) state_done(s->m.sides[i].table);
    s->state = JOIN_FINDS;
    return S_OK;
}

const struct op_type op_multi_join = {
    .name = "multi_join",
    .doc = "SQL: inner and left joins of many changelogs by a common key, without anything kept in between",
    .example =
        "SET 'table.optimizer.multi-join.enabled' = 'true'; "
        "SELECT * FROM orders JOIN payments ON orders.id = payments.id LEFT JOIN parcels ON orders.id = parcels.id",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE | OP_NEEDS_KEY | OP_MANY_INPUTS,
    .input_count = 2,
    .config_size = sizeof(struct multi_join_config),
    .config_fields = multi_join_config_fields,
    .instance_size = sizeof(struct multi_join),
    .derive = multi_join_derive,
    .needs = multi_join_needs,
    .open = multi_join_open,
    .on_batch = multi_join_on_batch,
    .close = multi_join_close,
};
