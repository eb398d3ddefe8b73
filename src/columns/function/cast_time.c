/* cast_time.c - dates, times and timestamps as one another. TIMESTAMP_LTZ is an instant: what has no zone is read, and shown, in
 * the session's zone. */
#include "columns/function/cast.h"

#include "columns/column/timestamp.h"
#include "ground/base/str.h"

enum { MS_PER_DAY = 86400000 };

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && a < 0); }

static struct ts96 stamp_at(const struct vector *v, uint32_t row)
{
    return timestamp_load((const char *)v->data + phys_width((enum phys)v->phys) * vector_at(v, row), v->type->precision);
}

static void stamp_put(const struct fn_run *r, struct vector *out, uint32_t row, struct ts96 t)
{
    const int64_t *offset_ms = r->call->plan;
    t.ms += *offset_ms;
    timestamp_store(t, out->type->precision, (char *)out->data + phys_width((enum phys)out->phys) * row);
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
    const int64_t *offset_ms = r->call->plan;

    FN_EACH_VALID(r, args, 1, i)
    VECTOR_VALUES(out, int32_t)[i] = (int32_t)floor_div(stamp_at(args[0], i).ms + *offset_ms, MS_PER_DAY);
}

void cast_stamp_to_time(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const int64_t *offset_ms = r->call->plan;

    FN_EACH_VALID(r, args, 1, i)
    {
        int64_t ms = stamp_at(args[0], i).ms + *offset_ms;
        VECTOR_VALUES(out, int32_t)[i] = (int32_t)(ms - floor_div(ms, MS_PER_DAY) * MS_PER_DAY);
    }
}

void cast_stamp_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) stamp_put(r, out, i, stamp_at(args[0], i));
}

/* --- zones ------------------------------------------------------------------------------------------------------- */
/* "UTC", "Z", "+01:30", "-08:00", "GMT+02:00" */
static bool fixed_offset(struct str zone, int64_t *ms)
{
    int64_t hours, minutes = 0;
    struct str head;

    if (str_starts(zone, STR("GMT")) || str_starts(zone, STR("UTC"))) zone = (struct str){zone.data + 3, zone.size - 3};
    *ms = 0;
    if (zone.size == 0 || str_equal(zone, STR("Z"))) return true;
    if (zone.data[0] != '+' && zone.data[0] != '-') return false;
    bool minus = zone.data[0] == '-';
    zone = (struct str){zone.data + 1, zone.size - 1};
    if (!str_cut(&zone, ':', &head) || !str_to_int64(head, &hours) || (zone.size > 0 && !str_to_int64(zone, &minutes))) return false;
    if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return false;
    *ms = (hours * 60 + minutes) * 60000 * (minus ? -1 : 1);
    return true;
}

enum status cast_zone_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    int64_t *plan = ARENA_NEW(a, int64_t); /* what the kernels add to instants */
    bool from = c->args[0]->kind == T_TIMESTAMP_LTZ, to = c->result->kind == T_TIMESTAMP_LTZ;
    struct str zone = session != NULL && session->zone.size > 0 ? session->zone : STR("UTC");
    int64_t offset;

    c->plan = plan;
    if (from == to) return S_OK;
    if (!fixed_offset(zone, &offset))
        return err_set(e, E_UNSUPPORTED, "the session's time zone '%.*s' is no fixed offset from UTC, such as '+01:00'",
                       (int)zone.size, zone.data);
    *plan = from ? offset : -offset;
    return S_OK;
}
