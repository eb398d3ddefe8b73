/* fn_temporal_read.c - dates and timestamps from texts and numbers: TO_DATE, TO_TIMESTAMP, TO_TIMESTAMP_LTZ.
 *
 * As in Flink: without a pattern texts are read leniently ("2001-2-3"); TO_TIMESTAMP's patterns are java.time's, TO_DATE's those of
 * SimpleDateFormat. A text that does not fit is NULL, but it fails the row of TO_TIMESTAMP_LTZ without a pattern, and is a day in
 * 5471 for TO_DATE with one. TO_TIMESTAMP_LTZ reads texts in UTC unless a zone is given, whatever the session's zone. */
#include "columns/function/time_pattern.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <math.h>
#include <string.h>

static const int64_t ltz_least_ms = -62167219200000, ltz_most_ms = 253402300799999; /* years 0 to 9999 */

static void *pattern_open(const struct fn_call *c, struct mem *mem)
{
    (void)c;
    return mem_zalloc(mem, sizeof(struct time_pattern));
}

static void pattern_close(void *state, struct mem *mem) { mem_free(mem, state); }

/* --- TO_DATE ----------------------------------------------------------------------------------------------------- */
static void to_date(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int32_t days;

    FN_EACH_VALID(r, args, 1, i)
    {
        if (date_parse_default(fn_str(args[0], i), &days))
            VECTOR_VALUES(out, int32_t)[i] = days;
        else
            vector_set_null(out, i);
    }
}

static void to_date_by(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    static const struct zone utc;
    struct time_pattern *p = r->state;
    int64_t ms;

    FN_EACH_VALID(r, args, 2, i)
    {
        if (!time_pattern_read(p, fn_str(args[1], i), true)) {
            row_error(r->errors, i, FN_BAD_ARGUMENT, p->problem);
            continue;
        }
        bool ok = time_pattern_parse_simple(p, fn_str(args[0], i), &utc, &ms);
        VECTOR_VALUES(out, int32_t)[i] = ok ? (int32_t)floor_div(ms, MS_PER_DAY) : days_from_civil(5471, 9, 27);
    }
}

/* --- TO_TIMESTAMP ------------------------------------------------------------------------------------------------ */
static void to_timestamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct ts96 t;

    FN_EACH_VALID(r, args, 1, i)
    {
        if (time_parse_default(fn_str(args[0], i), &t))
            fn_put_stamp(out, i, t);
        else
            vector_set_null(out, i);
    }
}

static void to_timestamp_by(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct time_pattern *p = r->state;
    struct ts96 t;

    FN_EACH_VALID(r, args, 2, i)
    {
        if (time_pattern_read(p, fn_str(args[1], i), false) && time_pattern_parse(p, fn_str(args[0], i), &t))
            fn_put_stamp(out, i, t);
        else
            vector_set_null(out, i);
    }
}

/* --- TO_TIMESTAMP_LTZ of texts ----------------------------------------------------------------------------------- */
static void ltz_of_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct ts96 t;

    FN_EACH_VALID(r, args, 1, i)
    {
        if (time_parse_default(fn_str(args[0], i), &t))
            fn_put_stamp(out, i, t);
        else
            row_error(r->errors, i, FN_BAD_TEXT, "the text is no TIMESTAMP, such as 2001-01-31 10:20:30.5");
    }
}

static void ltz_by_pattern(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct time_pattern *p = r->state;
    const struct zone *known = r->call->plan; /* the zone, when it is constant */
    uint32_t n = r->call->count;
    struct zone zone = {0};
    struct ts96 t;

    FN_EACH_VALID(r, args, n, i)
    {
        bool ok = time_pattern_read(p, fn_str(args[1], i), false) && time_pattern_parse(p, fn_str(args[0], i), &t);
        if (ok && n == 3 && known == NULL) ok = zone_find(fn_str(args[2], i), &zone);
        if (!ok) {
            vector_set_null(out, i);
            continue;
        }
        t.ms = zone_to_utc_ms(known != NULL ? known : &zone, t.ms);
        fn_put_stamp(out, i, t);
    }
}

/* --- TO_TIMESTAMP_LTZ of numbers --------------------------------------------------------------------------------- */
/* 10^digits as a count of nanoseconds: the unit of a number with so many digits behind the second. */
static int64_t unit_ns(int32_t digits)
{
    int64_t ns = 1000000000;
    while (digits-- > 0) ns /= 10;
    return ns;
}

/* Whole units; of floating point below milliseconds, whole milliseconds. False: far out of range. */
static bool ns_of(const struct vector *v, uint32_t row, int32_t precision, int128 *ns)
{
    uint32_t at = vector_at(v, row);

    if (v->phys == P_F64) {
        int32_t digits = MAX(precision, 3);
        double units = trunc(VECTOR_VALUES(v, double)[at] * (double)(unit_ns(precision) / unit_ns(digits)));
        if (!(fabs(units) < 1e18)) return false;
        *ns = (int128)(int64_t)units * unit_ns(digits);
        return true;
    }
    int128 units = v->phys == P_I64 || v->phys == P_I128 ? fn_decimal(v, row) : 0;
    for (int32_t s = v->type->kind == T_DECIMAL ? v->type->scale : 0; s > 0; s--) units /= 10;
    if (units > INT64_MAX || units < INT64_MIN) return false;
    *ns = units * unit_ns(precision);
    return true;
}

static void ltz_of_number(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;
    int128 ns;

    FN_EACH_VALID(r, args, n, i)
    {
        int32_t precision = n > 1 ? fn_int(args[1], i) : 3;
        if (precision < 0 || precision > 9) {
            row_error(r->errors, i, FN_BAD_ARGUMENT, "the precision of TO_TIMESTAMP_LTZ must be between 0 and 9");
            continue;
        }
        bool ok = ns_of(args[0], i, precision, &ns);
        int128 ms = ok ? ns / 1000000 - (ns % 1000000 < 0) : 0;
        if (!ok || ms < ltz_least_ms || ms > ltz_most_ms) {
            vector_set_null(out, i);
            continue;
        }
        fn_put_stamp(out, i, (struct ts96){.ms = (int64_t)ms, .ns = (int32_t)(ns - ms * 1000000)});
    }
}

/* --- binding ----------------------------------------------------------------------------------------------------- */
static enum status bind_ltz_number(struct fn_call *c, struct arena *a, struct err *e)
{
    const struct type *t = c->args[0];
    const struct vector *known = c->count > 1 ? c->constants[1] : NULL;
    int32_t precision = 3;

    if (c->count > 2) return fn_refuse(c, "a number and its precision, or a text, a pattern and a zone", e);
    if (t->kind != T_DECIMAL) {
        bool real = t->kind == T_FLOAT || t->kind == T_DOUBLE;
        c->args[0] = type_with_null(a, real ? &type_double : &type_bigint, t->nullable);
    }
    if (known != NULL && known->phys == P_I32 && !vector_is_null(known, 0))
        precision = VECTOR_VALUES(known, int32_t)[0];
    if (precision < 0 || precision > 9)
        return err_set(e, E_GRAPH, "Precision for TO_TIMESTAMP_LTZ must be between 0 and 9 but was %d", precision);
    if (c->count > 1) {
        if (c->args[1]->kind > T_INT || c->args[1]->kind == T_BOOLEAN)
            return fn_refuse(c, "a number and its precision as INT", e);
        c->args[1] = type_with_null(a, &type_int, c->args[1]->nullable);
    }
    c->result = type_new(a, T_TIMESTAMP_LTZ, MAX(precision, 3), 0, true);
    c->run = ltz_of_number;
    return S_OK;
}

/* Digits of the second that a pattern asks for: its longest run of S. */
static int32_t fraction_digits(struct str pattern)
{
    int32_t most = 0, run = 0;

    for (size_t i = 0; i < pattern.size; i++) {
        run = pattern.data[i] == 'S' ? run + 1 : 0;
        most = MAX(most, run);
    }
    return MIN(most, 9);
}

static enum status check_pattern(struct str text, struct err *e)
{
    struct time_pattern p = {0};

    if (time_pattern_read(&p, text, false)) return S_OK;
    return err_set(e, E_GRAPH, "Invalid pattern for parsing TIMESTAMP_LTZ: %s", p.problem);
}

static enum status check_zone(struct fn_call *c, struct arena *a, struct err *e)
{
    struct str name = fn_str(c->constants[2], 0);
    struct zone *zone = ARENA_NEW(a, struct zone);

    if (!zone_find(name, zone))
        return err_set(e, E_GRAPH, "Invalid timezone for parsing TIMESTAMP_LTZ: Unknown time-zone ID: %.*s",
                       (int)MIN(name.size, (size_t)100), name.data);
    c->plan = zone;
    return S_OK;
}

static enum status bind_ltz_text(struct fn_call *c, struct arena *a, struct err *e)
{
    int32_t precision = 3;

    if (c->count > 3) return fn_refuse(c, "a text, a pattern and a zone", e);
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->args[i]->kind == T_NULL) c->args[i] = &type_string;
        if (!type_is_string(c->args[i])) return fn_refuse(c, "a text, a pattern and a zone", e);
        const struct vector *known = c->constants[i];
        if (known == NULL || vector_is_null(known, 0) || known->phys != P_STR) continue;
        if (i == 1) {
            TRY(check_pattern(fn_str(known, 0), e));
            precision = MAX(fraction_digits(fn_str(known, 0)), 3);
        }
        if (i == 2) TRY(check_zone(c, a, e));
    }
    c->result = type_new(a, T_TIMESTAMP_LTZ, precision, 0, true);
    c->run = c->count == 1 ? ltz_of_text : ltz_by_pattern;
    return S_OK;
}

static enum status bind_ltz(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count == 0) return fn_refuse(c, "a number and its precision, or a text, a pattern and a zone", e);
    return type_is_numeric(c->args[0]) || c->args[0]->kind == T_NULL ? bind_ltz_number(c, a, e)
                                                                     : bind_ltz_text(c, a, e);
}

#define PATTERN .open = pattern_open, .close = pattern_close
static const struct fn_def functions[] = {
    {.name = "TO_DATE",
     .doc = "a date from its text: '2001-2-3', or by a pattern of SimpleDateFormat's letters",
     .examples = FN_EXAMPLES({"TO_DATE('2001-02-03')", "2001-02-03"},
                             {"TO_DATE('03.02.2001', 'dd.MM.yyyy')", "2001-02-03"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     PATTERN,
     .overloads = FN_OVERLOADS({"STRING -> DATE", to_date}, {"STRING, STRING -> DATE", to_date_by})},
    {.name = "TO_TIMESTAMP",
     .doc = "a timestamp from its text: '2001-2-3 4:5:6', or by a pattern of DateTimeFormatter's letters; NULL when it "
            "is none",
     .examples = FN_EXAMPLES({"TO_TIMESTAMP('2001-02-03 04:05:06')", "2001-02-03 04:05:06.000"},
                             {"TO_TIMESTAMP('Feb 3, 2001', 'MMM d, yyyy')", "2001-02-03 00:00:00.000"}),
     .flags = FN_MAY_BE_NULL | FN_COSTLY,
     PATTERN,
     .overloads = FN_OVERLOADS({"STRING -> TIMESTAMP(3)", to_timestamp},
                               {"STRING, STRING -> TIMESTAMP(3)", to_timestamp_by})},
    {.name = "TO_TIMESTAMP_LTZ",
     .usage = "TO_TIMESTAMP_LTZ(number[, precision]), TO_TIMESTAMP_LTZ(text[, pattern[, zone]])",
     .doc = "an instant: of a number since 1970 in units of 10^-precision seconds (3 when it is not given), or of a "
            "text, by a pattern, in "
            "a zone (UTC when it is not given)",
     .examples = FN_EXAMPLES({"TO_TIMESTAMP_LTZ(1490500000123, 3)", "2017-03-26 03:46:40.123"},
                             {"TO_TIMESTAMP_LTZ('2017-07-01 10:20:30', 'yyyy-MM-dd HH:mm:ss', 'Europe/Berlin')",
                              "2017-07-01 08:20:30.000"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     PATTERN,
     .bind = bind_ltz},
    {0},
};
#undef PATTERN

const struct fn_type fn_temporal_read = {.name = "temporal_read",
                                         .doc = "times from texts and numbers",
                                         .example = "TO_DATE('2001-02-03')",
                                         .functions = functions};
