/* over_frame.c - frames of rows: bounds that only go forward as rows do, so each is found by going on from where it was.
 *
 * Values lie as far from each other as whole numbers say: days, ms and parts of them, decimals in their unit; DOUBLEs as they are. A
 * NULL lies as far as can be from all values, and at no distance from another NULL. */
#include "flow/operator/over_partition.h"

bool over_frame_fits(const struct type *t) { return type_is_numeric(t) || t->kind == T_DATE || t->kind == T_TIME ||
                                                    t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ; }

/* --- distances --------------------------------------------------------------------------------------------------- */
static __int128 power_of_ten(int32_t n)
{
    __int128 p = 1;

    for (; n > 0; n--) p *= 10;
    return p;
}

/* How many units of the column's numbers make one of a frame's: ms of times, else whole ones. */
static __int128 unit_of(const struct type *t)
{
    if (t->kind == T_DECIMAL) return power_of_ten(t->scale);
    if (t->phys == P_TS96) return 1000000;
    if ((t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ) && t->precision > 3) return 1000;
    return 1;
}

static __int128 number_at(const struct vector *v, uint32_t row)
{
    switch ((enum phys)v->type->phys) {
    case P_I8: return VECTOR_VALUES(v, int8_t)[row];
    case P_I16: return VECTOR_VALUES(v, int16_t)[row];
    case P_I32: return v->type->kind == T_DATE ? (__int128)VECTOR_VALUES(v, int32_t)[row] * 86400000 : VECTOR_VALUES(v, int32_t)[row];
    case P_I128: return VECTOR_VALUES(v, __int128)[row];
    case P_TS96: return (__int128)VECTOR_VALUES(v, struct ts96)[row].ms * 1000000 + VECTOR_VALUES(v, struct ts96)[row].ns;
    default: return VECTOR_VALUES(v, int64_t)[row];
    }
}

static double real_at(const struct vector *v, uint32_t row)
{
    return v->type->phys == P_F32 ? (double)VECTOR_VALUES(v, float)[row] : VECTOR_VALUES(v, double)[row];
}

/* Of decimals of 38 digits a difference, or a distance in their unit, may be larger than its type: then as large as can be. */
static __int128 largest(bool negative)
{
    __int128 most = (__int128)(~(unsigned __int128)0 >> 1);

    return negative ? -most : most;
}

static __int128 difference(__int128 a, __int128 b)
{
    __int128 out;

    return __builtin_sub_overflow(a, b, &out) ? largest(a < b) : out;
}

static __int128 in_units(const struct type *t, int64_t distance)
{
    __int128 out;

    return __builtin_mul_overflow(unit_of(t), (__int128)distance, &out) ? largest(distance < 0) : out;
}

static int sign_of(bool below, bool above) { return above - below; }

/* Is the row at `position` before (< 0), at or behind (> 0) `distance` from the row at `from`, in the order of the rows? */
static int side_of(const struct over_partition *s, uint32_t position, uint32_t from, int64_t distance)
{
    const struct order_column *by = &s->by[s->key_count];
    uint32_t a, b;
    const struct vector *x = &kept_rows_at(&s->rows, position, &a)->cols[by->col];
    const struct vector *y = &kept_rows_at(&s->rows, from, &b)->cols[by->col];
    bool null_a = vector_is_null(x, a), null_b = vector_is_null(y, b);

    if (null_a && null_b) return sign_of(0 < distance, 0 > distance);
    if (null_a || null_b) return null_a == by->nulls_last ? 1 : -1;
    if (x->type->phys == P_F32 || x->type->phys == P_F64) {
        double off = real_at(x, a) - real_at(y, b);
        if (by->descending) off = -off;
        return sign_of(off < (double)distance, off > (double)distance);
    }
    __int128 off = difference(number_at(x, a), number_at(y, b)), bound = in_units(x->type, distance);
    if (by->descending) off = -off;
    return sign_of(off < bound, off > bound);
}

/* --- bounds ------------------------------------------------------------------------------------------------------ */
static uint32_t within(const struct over_partition *s, int64_t position)
{
    return (uint32_t)MAX(MIN(position, (int64_t)s->end), (int64_t)s->first);
}

static int64_t moved(uint32_t position, int64_t by) { return by > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)position + by; }

void over_frame_of(struct over_partition *s, struct part_call *c, uint32_t position)
{
    const struct part_frame *f = &c->frame;
    uint32_t i = position - s->at;

    if (f->from == OVER_ALL_BEFORE) c->from = s->first;
    else if (f->rows) c->from = within(s, moved(position, f->from));
    else if (f->from == 0) c->from = s->peer_first[i];
    else
        for (; c->from < s->end && side_of(s, c->from, position, f->from) < 0; c->from++) s->worked++;
    if (f->to == OVER_ALL_BEHIND) c->to = s->end;
    else if (f->rows) c->to = within(s, moved(position, f->to) + 1);
    else if (f->to == 0) c->to = s->peer_end[i];
    else
        for (; c->to < s->end && side_of(s, c->to, position, f->to) <= 0; c->to++) s->worked++;
}
