/* rolling.c - column-wise rolling aggregates over rows of state.
 *
 * Values of every width are widened once (to int64 or double), combined with the state rows in one loop, and narrowed
 * once: the loop that touches state exists twice per operation, whatever the column's type. Strings and 16-byte values
 * are compared in place. */
#include "flow/operator/rolling.h"

#include <string.h>

bool rolling_accepts(enum rolling_kind kind, const struct type *t)
{
    if (kind == ROLLING_SUM) return t->kind >= T_TINYINT && t->kind <= T_DOUBLE;
    return t->phys != P_LIST && t->phys != P_ROW && t->kind != T_NULL;
}

static bool takes_greater(enum rolling_kind k)
{
    return k == ROLLING_MAX || k == ROLLING_MAX_BY || k == ROLLING_MAX_BY_LAST;
}
static bool is_new(const struct rolling_run *r, uint32_t i) { return bit_get(r->created, r->first + i); }
static uint32_t offset_of(const struct rolling_run *r) { return r->table->value.fields[r->field].offset; }

/* --- words ------------------------------------------------------------------------------------------------------------ */
#define WIDEN(name, W, T)                                                                                              \
    static void name(const struct rolling_run *r, W *out)                                                              \
    {                                                                                                                  \
        const struct vector *base = vector_values(r->in);                                                              \
        for (uint32_t i = 0; i < r->count; i++) out[i] = (W)VECTOR_VALUES(base, const T)[vector_at(r->in, r->rows[i])]; \
    }
WIDEN(widen_u8, int64_t, uint8_t)
WIDEN(widen_i8, int64_t, int8_t)
WIDEN(widen_i16, int64_t, int16_t)
WIDEN(widen_i32, int64_t, int32_t)
WIDEN(widen_i64, int64_t, int64_t)
WIDEN(widen_f32, double, float)
WIDEN(widen_f64, double, double)

#define NARROW(name, W, T)                                                                                             \
    static void name(const struct rolling_run *r, const W *values)                                                     \
    {                                                                                                                  \
        for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(r->out, T)[i] = (T)values[i];                            \
    }
NARROW(narrow_i8, int64_t, int8_t)
NARROW(narrow_i16, int64_t, int16_t)
NARROW(narrow_i32, int64_t, int32_t)
NARROW(narrow_i64, int64_t, int64_t)
NARROW(narrow_f32, double, float)
NARROW(narrow_f64, double, double)

/* The sum as the type's width holds it. */
static int64_t wrap(uint8_t phys, uint64_t sum)
{
    switch ((enum phys)phys) {
    case P_I8: return (int8_t)sum;
    case P_I16: return (int16_t)sum;
    case P_I32: return (int32_t)sum;
    default: return (int64_t)sum;
    }
}

static void sum_words(const struct rolling_run *r, int64_t *values)
{
    uint32_t offset = offset_of(r);
    uint8_t phys = r->in->phys;

    for (uint32_t i = 0; i < r->count; i++) {
        int64_t *acc = state_word(r->state[i], offset);
        *acc = is_new(r, i) ? values[i] : wrap(phys, (uint64_t)*acc + (uint64_t)values[i]);
        values[i] = *acc;
    }
}

static void extreme_words(const struct rolling_run *r, int64_t *values)
{
    uint32_t offset = offset_of(r);
    bool greater = takes_greater(r->kind), equal = rolling_takes_equal(r->kind);

    for (uint32_t i = 0; i < r->count; i++) {
        int64_t *acc = state_word(r->state[i], offset);
        bool better = is_new(r, i) || (greater ? values[i] > *acc : values[i] < *acc) || (equal && values[i] == *acc);
        *acc = better ? values[i] : *acc;
        values[i] = *acc;
        if (r->won) r->won[i] = better;
    }
}

static void apply_words(const struct rolling_run *r)
{
    int64_t values[BATCH_ROWS];

    switch ((enum phys)r->in->phys) {
    case P_BOOL: widen_u8(r, values); break;
    case P_I8: widen_i8(r, values); break;
    case P_I16: widen_i16(r, values); break;
    case P_I32: widen_i32(r, values); break;
    default: widen_i64(r, values); break;
    }
    if (r->kind == ROLLING_SUM) sum_words(r, values);
    else extreme_words(r, values);
    if (r->out == NULL) return;
    switch ((enum phys)r->in->phys) {
    case P_BOOL:
    case P_I8: narrow_i8(r, values); break;
    case P_I16: narrow_i16(r, values); break;
    case P_I32: narrow_i32(r, values); break;
    default: narrow_i64(r, values); break;
    }
}

/* --- reals ------------------------------------------------------------------------------------------------------------- */
/* Orders as Java's Double.compareTo: -0 before 0, every NaN last and equal. */
static int64_t real_order(double x)
{
    int64_t bits;

    if (x != x) return INT64_MAX;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? bits ^ INT64_MAX : bits;
}

static void sum_reals(const struct rolling_run *r, double *values)
{
    uint32_t offset = offset_of(r);
    bool narrow = r->in->phys == P_F32;

    for (uint32_t i = 0; i < r->count; i++) {
        double *acc = state_real(r->state[i], offset);
        double sum = narrow ? (double)((float)*acc + (float)values[i]) : *acc + values[i];
        *acc = is_new(r, i) ? values[i] : sum;
        values[i] = *acc;
    }
}

static void extreme_reals(const struct rolling_run *r, double *values)
{
    uint32_t offset = offset_of(r);
    bool greater = takes_greater(r->kind), equal = rolling_takes_equal(r->kind);

    for (uint32_t i = 0; i < r->count; i++) {
        double *acc = state_real(r->state[i], offset);
        int64_t mine = real_order(values[i]), best = real_order(*acc);
        bool better = is_new(r, i) || (greater ? mine > best : mine < best) || (equal && mine == best);
        *acc = better ? values[i] : *acc;
        values[i] = *acc;
        if (r->won) r->won[i] = better;
    }
}

static void apply_reals(const struct rolling_run *r)
{
    double values[BATCH_ROWS];

    if (r->in->phys == P_F32) widen_f32(r, values);
    else widen_f64(r, values);
    if (r->kind == ROLLING_SUM) sum_reals(r, values);
    else extreme_reals(r, values);
    if (r->out == NULL) return;
    if (r->in->phys == P_F32) narrow_f32(r, values);
    else narrow_f64(r, values);
}

/* --- 16-byte values and strings ------------------------------------------------------------------------------------------ */
static int wide_compare(uint8_t phys, const void *a, const void *b)
{
    int128 x, y;
    struct ts96 s, t;

    if (phys == P_I128) {
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return (x > y) - (x < y);
    }
    memcpy(&s, a, sizeof s);
    memcpy(&t, b, sizeof t);
    return s.ms != t.ms ? (s.ms > t.ms) - (s.ms < t.ms) : (s.ns > t.ns) - (s.ns < t.ns);
}

static void apply_wide(const struct rolling_run *r)
{
    const char *values = vector_values(r->in)->data;
    uint32_t offset = offset_of(r);
    bool greater = takes_greater(r->kind), equal = rolling_takes_equal(r->kind);

    for (uint32_t i = 0; i < r->count; i++) {
        char *acc = (char *)r->state[i] + offset;
        const char *value = values + 16 * (size_t)vector_at(r->in, r->rows[i]);
        int order = is_new(r, i) ? 0 : wide_compare(r->in->phys, value, acc);
        bool better = is_new(r, i) || (greater ? order > 0 : order < 0) || (equal && order == 0);
        if (better) memcpy(acc, value, 16);
        if (r->out) memcpy((char *)r->out->data + 16 * (size_t)i, acc, 16);
        if (r->won) r->won[i] = better;
    }
}

static int text_order(struct str a, struct str b)
{
    int order = memcmp(a.data, b.data, MIN(a.size, b.size));

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static void apply_texts(const struct rolling_run *r)
{
    const struct text *values = vector_values(r->in)->data;
    uint32_t offset = offset_of(r);
    bool greater = takes_greater(r->kind), equal = rolling_takes_equal(r->kind);

    for (uint32_t i = 0; i < r->count; i++) {
        struct state_text *acc = state_text_at(r->state[i], offset);
        struct str value = text_str(&values[vector_at(r->in, r->rows[i])]);
        int order = is_new(r, i) ? 0 : text_order(value, state_text_get(r->table, acc));
        bool better = is_new(r, i) || (greater ? order > 0 : order < 0) || (equal && order == 0);
        if (better) state_text_set(r->table, 0, acc, value);
        struct str best = state_text_get(r->table, acc);
        if (r->out) VECTOR_VALUES(r->out, struct text)[i] = text_put(r->heap, best.data, best.size);
        if (r->won) r->won[i] = better;
    }
}

void rolling_apply(const struct rolling_run *r)
{
    ASSERT(r->count <= BATCH_ROWS && rolling_accepts(r->kind, r->in->type));
    ASSERT(r->out == NULL || r->out->form == VEC_FLAT);
    switch ((enum state_field_form)r->table->value.fields[r->field].form) {
    case STATE_WORD: apply_words(r); break;
    case STATE_REAL: apply_reals(r); break;
    case STATE_WIDE: apply_wide(r); break;
    case STATE_STRING: apply_texts(r); break;
    case STATE_NESTED: ASSERT(!"refused when the graph was built");
    }
}
