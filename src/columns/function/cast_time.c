/* cast_time.c - dates, times and timestamps as one another. TIMESTAMP_LTZ is an instant: what has no zone is read, and shown, in
 * the session's zone. */
#include "columns/function/cast.h"

static void stamp_put(const struct fn_run *r, struct vector *out, uint32_t row, struct ts96 t)
{
    t.ms = cast_zone_apply(r->call->plan, t.ms);
    fn_put_stamp(out, row, t);
}

void cast_date_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    stamp_put(r, out, i, (struct ts96){.ms = (int64_t)VECTOR_VALUES(args[0], int32_t)[vector_at(args[0], i)] * MS_PER_DAY});
}

void cast_time_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int64_t today = floor_div(r->now_ms, MS_PER_DAY) * MS_PER_DAY;

    FN_EACH_VALID(r, args, 1, i)
    stamp_put(r, out, i, (struct ts96){.ms = today + VECTOR_VALUES(args[0], int32_t)[vector_at(args[0], i)]});
}

void cast_stamp_to_date(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    VECTOR_VALUES(out, int32_t)[i] = (int32_t)floor_div(cast_zone_apply(r->call->plan, fn_stamp(args[0], i).ms), MS_PER_DAY);
}

void cast_stamp_to_time(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        int64_t ms = cast_zone_apply(r->call->plan, fn_stamp(args[0], i).ms);
        VECTOR_VALUES(out, int32_t)[i] = (int32_t)(ms - floor_div(ms, MS_PER_DAY) * MS_PER_DAY);
    }
}

void cast_stamp_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) stamp_put(r, out, i, fn_stamp(args[0], i));
}

enum status cast_zone_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    bool from = c->args[0]->kind == T_TIMESTAMP_LTZ, to = c->result->kind == T_TIMESTAMP_LTZ;
    bool text = type_is_string(c->result); /* what is nested in the value may be an instant */
    struct cast_zone *plan = ARENA_NEW(a, struct cast_zone);

    *plan = (struct cast_zone){.to_local = from && !to, .to_instant = to && !from};
    c->plan = plan;
    return from != to || text ? fn_zone_find(session, &plan->zone, e) : S_OK;
}
