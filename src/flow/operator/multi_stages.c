/* multi_stages.c - what rows of one input of a multi-join meet, see multi_stages.h.
 *
 * The idea: a row of input i that comes or goes changes as many rows of the result as there are ways to put rows of the other inputs
 * beside it. They are found from the first input on, a stage per input: EXTEND puts each row of an input that is asked for beside each
 * tuple, or none where the join is a left one and no row fits; at input i MATCH keeps the tuples that its row fits, and TURN, where the
 * join is a left one, tells which of them had no row of that input before, or have none any more: those come and go with NULLs in its
 * place. A tuple that goes takes all that is built upon it with it.
 *
 * Stages work on blocks of tuples, and a condition is evaluated on a block of candidates. A block that is full goes on to the next stage
 * before its stage makes more, so results come in one order whatever the sizes: by row of the batch, then input by input as rows came.
 *
 * Rows of input i itself count as they were when the row came: those kept before the batch and, by weight, those of it so far.
 *
 * Invariants: a call looks at a bounded number of candidates; nothing is allocated; refs of inputs that a tuple has not met are NULL. */
#include "flow/operator/multi_stages.h"

#include "flow/operator/computed.h"
#include "ground/base/str.h"

#include <string.h>

enum { WORK_MAX = 4096 };

void multi_blocks_open(struct multi *m, struct mem *mem)
{
    for (uint32_t i = 0; i <= m->inputs + 1; i++) {
        struct multi_block *b = &m->blocks[i];
        b->index = mem_zalloc(mem, sizeof *b->index * MULTI_TUPLES);
        b->adds = mem_zalloc(mem, sizeof *b->adds * MULTI_TUPLES);
        b->matches = mem_zalloc(mem, sizeof *b->matches * MULTI_TUPLES);
        b->refs = mem_zalloc(mem, sizeof *b->refs * MULTI_TUPLES * m->inputs);
    }
}

void multi_blocks_close(struct multi *m, struct mem *mem)
{
    for (uint32_t i = 0; i < COUNT_OF(m->blocks); i++) {
        mem_free(mem, m->blocks[i].index);
        mem_free(mem, m->blocks[i].adds);
        mem_free(mem, m->blocks[i].matches);
        mem_free(mem, m->blocks[i].refs);
    }
}

/* --- blocks ------------------------------------------------------------------------------------------------------ */
static void block_clear(struct multi_block *b)
{
    b->count = b->at = b->next = b->phase = 0;
    b->matched = false;
}

static void **ref_of(struct multi_block *b, uint32_t input, uint32_t tuple)
{
    return &b->refs[input * MULTI_TUPLES + tuple];
}

/* The tuple of `from` with a row of that input, or none, behind those of `to`. */
static void tuple_put(const struct multi *m, struct multi_block *from, uint32_t tuple, uint32_t input, void *row,
                      bool adds, struct multi_block *to)
{
    uint32_t n = to->count++;

    to->index[n] = from->index[tuple];
    to->adds[n] = adds;
    for (uint32_t i = 0; i < m->inputs; i++) *ref_of(to, i, n) = i == input ? row : *ref_of(from, i, tuple);
}

static bool has_required(const struct multi *m, struct multi_block *b, uint32_t tuple, uint32_t level)
{
    for (uint32_t bits = m->levels[level].required; bits != 0; bits &= bits - 1)
        if (*ref_of(b, (uint32_t)__builtin_ctz(bits), tuple) == NULL) return false;
    return true;
}

/* --- conditions -------------------------------------------------------------------------------------------------- */
/* Candidates: tuples, and beside each a row of an input; of the batch's own input it may be one of the batch. */
struct candidates {
    uint32_t count;
    bool of_batch;
    uint16_t tuple[MULTI_TUPLES], index[MULTI_TUPLES];
    void *row[MULTI_TUPLES];
    uint64_t fits[MULTI_TUPLES / 64];
};

static void rows_fill(const struct multi *m, uint32_t input, uint32_t col, void *const *rows, uint32_t n,
                      struct vector *v, struct batch *out)
{
    const struct join_side *s = &m->sides[input];

    state_rows_load(s->table, (const void *const *)rows, n, (uint32_t)s->fields[col], v, 0, &out->heap, out->mem);
}

static void batch_fill(const struct multi *m, uint32_t col, const uint16_t *index, uint32_t n, struct text_heap *heap,
                       struct vector *v, struct mem *mem)
{
    uint16_t numbers[MULTI_TUPLES];

    for (uint32_t i = 0; i < n; i++) numbers[i] = (uint16_t)batch_row(m->in, index[i]);
    vector_copy(v, 0, &m->in->cols[col], numbers, n, heap, mem);
}

/* A column of an input that the tuples have met. */
static void met_fill(const struct multi *m, struct multi_block *b, const struct candidates *c, uint32_t input,
                     uint32_t col, struct vector *v, struct batch *out)
{
    void *rows[MULTI_TUPLES];
    uint16_t index[MULTI_TUPLES];

    for (uint32_t i = 0; i < c->count; i++) {
        rows[i] = *ref_of(b, input, c->tuple[i]);
        index[i] = b->index[c->tuple[i]];
    }
    if (input != m->input) {
        rows_fill(m, input, col, rows, c->count, v, out);
        return;
    }
    batch_fill(m, col, index, c->count, NULL, v, out->mem);
    for (uint32_t i = 0; i < c->count; i++)
        if (rows[i] == NULL) vector_set_null(v, i);
}

static uint32_t input_of(const struct multi *m, uint32_t col)
{
    uint32_t input = m->inputs - 1;

    while (col < m->levels[input].first) input--;
    return input;
}

/* Which candidates the level's condition takes. */
static enum status test(struct op_cx *cx, const struct multi *m, struct multi_block *b, uint32_t level,
                        struct candidates *c)
{
    const struct multi_level *l = &m->levels[level];
    uint16_t taken[MULTI_TUPLES];
    uint32_t n = c->count;

    memset(c->fits, l->condition == NULL ? 0xff : 0, sizeof c->fits);
    if (l->condition == NULL || n == 0) return S_OK;
    batch_clear(l->tested);
    for (uint32_t i = 0; i < l->tested->col_count; i++) {
        struct vector *v = &l->tested->cols[i];
        if (v->form == VEC_ABSENT) continue;
        uint32_t input = input_of(m, i), col = i - m->levels[input].first;
        if (input != level)
            met_fill(m, b, c, input, col, v, l->tested);
        else if (c->of_batch)
            batch_fill(m, col, c->index, n, NULL, v, l->tested->mem);
        else
            rows_fill(m, input, col, c->row, n, v, l->tested);
    }
    l->tested->count = n;
    TRY(expr_select(l->condition, l->tested, sys_wall_ms(cx->sys), taken, &n, cx->err));
    for (uint32_t i = 0; i < n; i++) bit_set(c->fits, taken[i]);
    return S_OK;
}

/* --- EXTEND ------------------------------------------------------------------------------------------------------ */
static void candidate_put(struct candidates *c, uint32_t tuple, uint32_t index, void *row)
{
    c->tuple[c->count] = (uint16_t)tuple;
    c->index[c->count] = (uint16_t)index;
    c->row[c->count++] = row;
}

/* Candidates of the block's tuples from where it stands, no more than `most`. ends: per candidate, how many tuples ended before it. */
static void candidates_list(const struct multi *m, struct multi_block *b, uint32_t level, uint32_t most,
                            struct candidates *c)
{
    const struct multi_rows *r = &m->rows[level];
    bool shows_ends = m->levels[level].is_left;

    c->count = 0;
    c->of_batch = false;
    while (b->at < b->count && c->count < most) {
        uint32_t slot = m->slot[b->index[b->at]], first = r->first[slot];
        uint32_t count = has_required(m, b, b->at, level) ? r->first[slot + 1] - first : 0;
        if (b->next < count) {
            candidate_put(c, b->at, 0, r->rows[first + b->next++]);
            continue;
        }
        if (shows_ends) candidate_put(c, b->at, 0, NULL);
        b->at++;
        b->next = 0;
    }
}

static enum status extend(struct op_cx *cx, const struct multi *m, struct multi_block *from, uint32_t level,
                          struct multi_block *to)
{
    struct candidates c;

    candidates_list(m, from, level, to->capacity, &c);
    TRY(test(cx, m, from, level, &c));
    for (uint32_t i = 0; i < c.count; i++) {
        uint32_t tuple = c.tuple[i];
        bool is_end = c.row[i] == NULL, comes = is_end ? !from->matched : bit_get(c.fits, i);
        if (comes) tuple_put(m, from, tuple, level, c.row[i], from->adds[tuple], to);
        from->matched = !is_end && (from->matched || comes);
    }
    return S_OK;
}

/* --- MATCH, TURN ------------------------------------------------------------------------------------------------- */
/* The next tuples of the block beside their own row of the batch. */
static enum status match(struct op_cx *cx, const struct multi *m, struct multi_block *from, uint32_t level,
                         struct multi_block *to)
{
    struct candidates c = {.of_batch = true};

    for (; from->at < from->count && c.count < to->capacity; from->at++)
        if (has_required(m, from, from->at, level)) candidate_put(&c, from->at, from->index[from->at], NULL);
    TRY(test(cx, m, from, level, &c));
    for (uint32_t i = 0; i < c.count; i++)
        if (bit_get(c.fits, i)) tuple_put(m, from, c.tuple[i], level, m->sides, from->adds[c.tuple[i]], to);
    return S_OK;
}

/* Rows kept before the batch that fit: phase 0 of TURN. */
static enum status kept_count(struct op_cx *cx, const struct multi *m, struct multi_block *b, uint32_t level)
{
    const struct multi_rows *r = &m->rows[level];
    struct candidates c = {.of_batch = false};

    while (b->at < b->count && c.count < MULTI_TUPLES) {
        uint32_t slot = m->slot[b->index[b->at]];
        if (b->next == 0) b->matches[b->at] = 0;
        if (b->next < r->first[slot + 1] - r->first[slot]) {
            candidate_put(&c, b->at, 0, r->rows[r->first[slot] + b->next++]);
            continue;
        }
        b->at++;
        b->next = 0;
    }
    TRY(test(cx, m, b, level, &c));
    for (uint32_t i = 0; i < c.count; i++) b->matches[c.tuple[i]] += bit_get(c.fits, i);
    return S_OK;
}

/* And rows of the batch before the tuple's own: phase 1. `next` is one behind the row that comes next, 0 where it is the latest. */
static enum status recent_count(struct op_cx *cx, const struct multi *m, struct multi_block *b, uint32_t level)
{
    struct candidates c = {.of_batch = true};

    while (b->at < b->count && c.count < MULTI_TUPLES) {
        uint32_t own = b->index[b->at], index = b->next == 0 ? m->previous[own] : b->next - 1;
        if (index == MULTI_NONE) {
            if (!b->adds[b->at] && m->weight[own] < 0) b->matches[b->at]--;
            b->at++;
            b->next = 0;
            continue;
        }
        candidate_put(&c, b->at, index, NULL);
        b->next = m->previous[index] + 1u;
    }
    TRY(test(cx, m, b, level, &c));
    for (uint32_t i = 0; i < c.count; i++)
        if (bit_get(c.fits, i)) b->matches[c.tuple[i]] += m->weight[c.index[i]];
    return S_OK;
}

/* The tuples, each with the one that had no row in its place where there is no other row: phase 2. */
static void turn_put(const struct multi *m, struct multi_block *from, uint32_t level, struct multi_block *to)
{
    bool counts = m->levels[level].condition != NULL;

    for (; from->at < from->count && to->count + 2 <= to->capacity; from->at++) {
        bool adds = from->adds[from->at];
        bool turns = (counts ? from->matches[from->at] : m->others[from->index[from->at]]) <= 0;
        if (turns && adds) tuple_put(m, from, from->at, level, NULL, false, to);
        tuple_put(m, from, from->at, level, m->sides, adds, to);
        if (turns && !adds) tuple_put(m, from, from->at, level, NULL, true, to);
    }
}

static enum status turn(struct op_cx *cx, const struct multi *m, struct multi_block *from, uint32_t level,
                        struct multi_block *to)
{
    if (m->levels[level].condition == NULL) from->phase = 2;
    if (from->phase == 0)
        TRY(kept_count(cx, m, from, level));
    else if (from->phase == 1)
        TRY(recent_count(cx, m, from, level));
    else
        turn_put(m, from, level, to);
    if (from->at == from->count && from->phase < 2) {
        from->phase++;
        from->at = 0;
    }
    return S_OK;
}

/* --- running ----------------------------------------------------------------------------------------------------- */
void multi_begin(struct multi *m)
{
    m->stage_count = 0;
    for (uint32_t i = 0; i < m->inputs; i++) {
        bool is_own = i == m->input;
        if (!is_own || i > 0)
            m->stages[m->stage_count++] = (struct multi_stage){is_own ? MULTI_MATCH : MULTI_EXTEND, i};
        if (is_own && m->levels[i].is_left && i > 0) m->stages[m->stage_count++] = (struct multi_stage){MULTI_TURN, i};
    }
    for (uint32_t i = 0; i <= m->stage_count; i++) {
        block_clear(&m->blocks[i]);
        m->blocks[i].capacity = i < m->stage_count ? MULTI_TUPLES : m->out->capacity;
    }
    m->seeded = m->depth = 0;
}

/* The next rows of the batch as tuples that have met nobody. */
static void seed(struct multi *m)
{
    struct multi_block *b = &m->blocks[0];
    uint32_t rows = batch_rows(m->in);

    block_clear(b);
    memset(b->refs, 0, sizeof *b->refs * MULTI_TUPLES * m->inputs);
    for (; m->seeded < rows && b->count < b->capacity; m->seeded++) {
        uint32_t row = batch_row(m->in, m->seeded);
        if (m->input > 0 && m->sides[m->input].heads[m->seeded] == NULL) continue; /* it has no key */
        if (m->drops_before && batch_kind(m->in, row) == ROW_UPDATE_BEFORE) continue;
        b->index[b->count] = (uint16_t)m->seeded;
        b->adds[b->count] = join_adds(m->in, row);
        if (m->input == 0) *ref_of(b, 0, b->count) = m->sides;
        b->count++;
    }
}

static enum row_kind kind_of(const struct multi *m, const struct multi_block *b, uint32_t tuple)
{
    enum row_kind kind = batch_kind(m->in, batch_row(m->in, b->index[tuple]));

    if (m->has_left) return b->adds[tuple] ? ROW_INSERT : ROW_DELETE;
    return kind == ROW_UPDATE_BEFORE && !m->emits_before ? ROW_DELETE : kind;
}

static void out_fill(struct multi *m, struct multi_block *b)
{
    struct candidates c = {.count = b->count};

    batch_clear(m->out);
    batch_use_kinds(m->out);
    for (uint32_t i = 0; i < b->count; i++) {
        c.tuple[i] = (uint16_t)i;
        m->out->kinds[i] = (uint8_t)kind_of(m, b, i);
    }
    for (uint32_t i = 0; i < m->out->col_count; i++) {
        uint32_t input = input_of(m, i);
        if (m->out->cols[i].form != VEC_ABSENT)
            met_fill(m, b, &c, input, i - m->levels[input].first, &m->out->cols[i], m->out);
    }
    m->out->count = b->count;
}

static enum status stage_run(struct op_cx *cx, const struct multi *m, const struct multi_stage *s,
                             struct multi_block *from, struct multi_block *to)
{
    block_clear(to);
    if (s->kind == MULTI_EXTEND) return extend(cx, m, from, s->level, to);
    return s->kind == MULTI_MATCH ? match(cx, m, from, s->level, to) : turn(cx, m, from, s->level, to);
}

/* To the latest block that has something in work; false: none has, and no row of the batch is left. */
static bool descend(struct multi *m)
{
    while (m->depth > 0 && m->blocks[m->depth].at == m->blocks[m->depth].count) m->depth--;
    while (m->depth == 0 && m->blocks[0].at == m->blocks[0].count) {
        if (m->seeded == batch_rows(m->in)) return false;
        seed(m);
    }
    return true;
}

enum status multi_run(struct op_cx *cx, struct multi *m)
{
    m->out->count = 0;
    for (uint32_t work = 0; work < WORK_MAX; work += MULTI_TUPLES) {
        if (!descend(m)) return S_OK;
        struct multi_block *from = &m->blocks[m->depth], *to = from + 1;
        TRY(stage_run(cx, m, &m->stages[m->depth], from, to));
        if (to->count == 0) continue;
        m->depth++;
        if (m->depth < m->stage_count) continue;
        out_fill(m, to);
        m->depth--;
        return S_MORE;
    }
    return S_MORE;
}
