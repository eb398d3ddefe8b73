/* fn_temporal_clock.c - the clock: CURRENT_TIMESTAMP and its kin. All calls for one input batch see one time, that of the batch
 * (fn_run's now_ms). Those without a zone are shown in the session's. */
#include "columns/function/time_values.h"

static int64_t local_now(const struct fn_run *r) { return zone_to_local_ms(r->call->plan, r->now_ms); }

static void now_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    (void)args;
    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(out, int64_t)[i] = r->now_ms;
}

static void now_local(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int64_t now = local_now(r);

    (void)args;
    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(out, int64_t)[i] = now;
}

static void now_date(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int32_t today = (int32_t)floor_div(local_now(r), MS_PER_DAY);

    (void)args;
    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(out, int32_t)[i] = today;
}

static void now_time(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int32_t now = (int32_t)floor_mod(local_now(r), MS_PER_DAY);

    (void)args;
    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(out, int32_t)[i] = now;
}

static enum status bind_clock(struct fn_call *c, struct arena *a, const struct fn_session *session,
                              const struct type *type, fn_kernel run, struct err *e)
{
    struct zone *zone = ARENA_NEW(a, struct zone);

    if (c->count > 0) return fn_wrong_count(c->def->name, "0", e);
    TRY(fn_zone_find(session, zone, e));
    c->plan = zone;
    c->result = type;
    c->run = run;
    return S_OK;
}

#define BIND(NAME, TYPE, RUN)                                                                                          \
    static enum status NAME(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)       \
    {                                                                                                                  \
        return bind_clock(c, a, session, TYPE, RUN, e);                                                                \
    }
BIND(bind_instant, type_new(a, T_TIMESTAMP_LTZ, 3, 0, false), now_stamp)
BIND(bind_proctime, type_with_time(a, type_new(a, T_TIMESTAMP_LTZ, 3, 0, false), TIME_PROCTIME), now_stamp)
BIND(bind_local, type_new(a, T_TIMESTAMP, 3, 0, false), now_local)
BIND(bind_date, type_with_null(a, &type_date, false), now_date)
BIND(bind_time, type_new(a, T_TIME, 0, 0, false), now_time)

static void watermark_run(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int64_t *values = VECTOR_VALUES(out, int64_t);

    (void)args;
    FN_EACH(r, i)
    {
        if (r->watermark == TIME_MIN) vector_set_null(out, i);
        else values[i] = r->watermark;
    }
}

static enum status bind_watermark(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    const struct type *t = c->count == 1 ? c->args[0] : NULL;
    if (t == NULL) return err_set(e, E_GRAPH, "CURRENT_WATERMARK() must be called with a single rowtime attribute argument");
    bool may_be = t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ;
    c->result = type_new(a, may_be ? t->kind : T_TIMESTAMP, 3, 0, true);
    c->run = watermark_run;
    if (t->time_kind == TIME_ROWTIME) return S_OK;
    const char *name = type_text(a, t);
    if (may_be) return err_set(e, E_GRAPH, "The argument of CURRENT_WATERMARK() must be a rowtime attribute, but was '%s'.", name);
    return err_set(e, E_GRAPH,
                   "CURRENT_WATERMARK() must be called with a single rowtime attribute argument, but '%s' cannot be a time attribute.", name);
}

static const struct fn_def functions[] = {
    {.name = "CURRENT_TIMESTAMP",
     .usage = "CURRENT_TIMESTAMP",
     .aliases = "NOW",
     .doc = "the present instant",
     .examples = FN_EXAMPLES({"NOW() = CURRENT_TIMESTAMP", "TRUE"},
                             {"TYPEOF(CURRENT_TIMESTAMP)", "TIMESTAMP_LTZ(3) NOT NULL"}),
     .det = FN_PER_QUERY,
     .bind = bind_instant},
    {.name = "LOCALTIMESTAMP",
     .usage = "LOCALTIMESTAMP",
     .doc = "the present date and time in the session's zone",
     .examples = FN_EXAMPLES({"CAST(LOCALTIMESTAMP AS DATE) = CURRENT_DATE", "TRUE"}),
     .det = FN_PER_QUERY,
     .flags = FN_SESSION_ZONE,
     .bind = bind_local},
    {.name = "CURRENT_DATE",
     .usage = "CURRENT_DATE",
     .doc = "today in the session's zone",
     .examples = FN_EXAMPLES({"CURRENT_DATE = CAST(CURRENT_TIMESTAMP AS DATE)", "TRUE"}),
     .det = FN_PER_QUERY,
     .flags = FN_SESSION_ZONE,
     .bind = bind_date},
    {.name = "CURRENT_TIME",
     .usage = "CURRENT_TIME",
     .aliases = "LOCALTIME",
     .doc = "the time of the day in the session's zone",
     .examples = FN_EXAMPLES({"CURRENT_TIME = LOCALTIME", "TRUE"}),
     .det = FN_PER_QUERY,
     .flags = FN_SESSION_ZONE,
     .bind = bind_time},
    {.name = "CURRENT_ROW_TIMESTAMP",
     .usage = "CURRENT_ROW_TIMESTAMP()",
     .doc = "the instant at which the row is processed",
     .examples = FN_EXAMPLES({"TYPEOF(CURRENT_ROW_TIMESTAMP())", "TIMESTAMP_LTZ(3) NOT NULL"}),
     .det = FN_PER_ROW,
     .bind = bind_instant},
    {.name = "CURRENT_WATERMARK",
     .usage = "CURRENT_WATERMARK(rowtime)",
     .doc = "the watermark of a time attribute at this place of the query; NULL before the first one",
     .examples = FN_EXAMPLES({"CURRENT_WATERMARK(ts)", NULL}),
     .nulls = FN_OWN_NULLS,
     .det = FN_PER_ROW,
     .bind = bind_watermark},
    {.name = "PROCTIME",
     .usage = "PROCTIME()",
     .doc = "the instant at which the row is processed, as a time attribute",
     .examples = FN_EXAMPLES({"PROCTIME() IS NOT NULL", "TRUE"}),
     .det = FN_PER_ROW,
     .bind = bind_proctime},
    {0},
};

const struct fn_type fn_temporal_clock = {
    .name = "temporal_clock", .doc = "the clock", .example = "CURRENT_TIMESTAMP", .functions = functions};
