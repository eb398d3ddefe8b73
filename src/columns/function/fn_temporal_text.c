/* fn_temporal_text.c - times as texts and seconds: DATE_FORMAT, FROM_UNIXTIME, UNIX_TIMESTAMP, CONVERT_TZ.
 *
 * As in Flink, timestamps are written by the letters of java.time's DateTimeFormatter, and everything that starts or ends as text by
 * those of SimpleDateFormat (time_pattern.h), which is lenient. A pattern is read when it differs from that of the row before, and a
 * time written anew when its text may differ.
 *
 * Answers that surprise are Flink's: UNIX_TIMESTAMP of text that is no time is the least BIGINT; a zone that is not known is GMT for
 * CONVERT_TZ. */
#include "columns/function/time_pattern.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <string.h>

#define DEFAULT_PATTERN STR("yyyy-MM-dd HH:mm:ss")

struct text_state {
    struct time_pattern read, print;
    struct buf buf;
    /* DATE_FORMAT: what lies in buf is the text of all local times from `from` on and before `to`, by the pattern read last */
    int64_t from, to;
    uint32_t reads;
    struct zone zones[2];
    struct str zone_names[2]; /* of zones; views into names */
    char names[2][64];
};

static void *text_open(const struct fn_call *c, struct mem *mem)
{
    struct text_state *s = mem_zalloc(mem, sizeof *s);

    (void)c;
    buf_init(&s->buf, mem);
    return s;
}

static void text_close(void *state, struct mem *mem)
{
    struct text_state *s = state;

    buf_release(&s->buf);
    mem_free(mem, s);
}

static bool read_pattern(const struct fn_run *r, struct time_pattern *p, struct str text, bool simple, uint32_t row)
{
    if (time_pattern_read(p, text, simple)) return true;
    row_error(r->errors, row, FN_BAD_ARGUMENT, p->problem);
    return false;
}

static void put(const struct fn_run *r, struct vector *out, uint32_t row, const struct shown_time *t)
{
    struct text_state *s = r->state;
    const char *problem;

    buf_clear(&s->buf);
    if (time_pattern_print(&s->print, t, &s->buf, &problem))
        fn_put(r, out, row, (struct str){s->buf.data, s->buf.size});
    else
        row_error(r->errors, row, FN_BAD_ARGUMENT, problem);
}

/* The instant in a zone as SimpleDateFormat shows it. */
static struct shown_time shown_in(const struct zone *zone, int64_t utc_ms)
{
    int64_t offset = zone_calendar_offset_ms(zone, utc_ms), local = (int64_t)((uint64_t)utc_ms + (uint64_t)offset);
    struct shown_time t = {
        .days = floor_div(local, MS_PER_DAY), .offset_s = offset / 1000, .is_utc = zone->count == 0 && offset == 0};

    civil_from_ms(local, &t.civil);
    if (t.civil.year < 1583) civil_from_days_of_clocks(t.days, &t.civil);
    return t;
}

/* --- DATE_FORMAT ------------------------------------------------------------------------------------------------- */
/* The text of a local time into buf, unless it is there; false: the row failed. */
static bool stamp_print(const struct fn_run *r, struct text_state *s, struct ts96 t, uint32_t row)
{
    struct shown_time shown = {.days = floor_div(t.ms, MS_PER_DAY)};
    int64_t unit = s->print.unit_ms;
    const char *problem;

    if (t.ms >= s->from && t.ms < s->to && s->reads == s->print.reads) return true;
    civil_from_ms(t.ms, &shown.civil);
    shown.civil.nano += t.ns;
    buf_clear(&s->buf);
    s->to = s->from = 0;
    if (!time_pattern_print(&s->print, &shown, &s->buf, &problem)) {
        row_error(r->errors, row, FN_BAD_ARGUMENT, problem);
        return false;
    }
    if (unit == 0 || t.ms < INT64_MIN + unit || t.ms > INT64_MAX - unit) return true;
    s->from = t.ms - floor_mod(t.ms, unit);
    s->to = s->from + unit;
    s->reads = s->print.reads;
    return true;
}

static void format_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct text_state *s = r->state;
    const struct zone *zone = r->call->plan;
    bool zoned = args[0]->type->kind == T_TIMESTAMP_LTZ, same = args[1]->form == VEC_CONST, is_read = false;

    FN_EACH_VALID(r, args, 2, i)
    {
        struct ts96 t = fn_stamp(args[0], i);
        if (!(same && is_read) && !read_pattern(r, &s->print, fn_str(args[1], i), false, i)) continue;
        is_read = true;
        if (zoned) t.ms = zone_to_local_ms(zone, t.ms);
        if (stamp_print(r, s, t, i)) fn_put(r, out, i, (struct str){s->buf.data, s->buf.size});
    }
}

static void format_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    static const struct zone utc;
    struct text_state *s = r->state;
    int64_t ms;

    (void)time_pattern_read(&s->read, DEFAULT_PATTERN, true);
    FN_EACH_VALID(r, args, 2, i)
    {
        if (!read_pattern(r, &s->print, fn_str(args[1], i), true, i)) continue;
        if (!time_pattern_parse_simple(&s->read, fn_str(args[0], i), &utc, &ms)) {
            vector_set_null(out, i);
            continue;
        }
        struct shown_time t = shown_in(&utc, ms);
        put(r, out, i, &t);
    }
}

/* --- seconds since 1970 ------------------------------------------------------------------------------------------ */
static void from_unixtime(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct text_state *s = r->state;
    uint32_t n = r->call->count;

    FN_EACH_VALID(r, args, n, i)
    {
        int64_t seconds = VECTOR_VALUES(args[0], int64_t)[vector_at(args[0], i)];
        if (!read_pattern(r, &s->print, n > 1 ? fn_str(args[1], i) : DEFAULT_PATTERN, true, i)) continue;
        struct shown_time t = shown_in(r->call->plan, (int64_t)((uint64_t)seconds * 1000));
        put(r, out, i, &t);
    }
}

static void unix_timestamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct text_state *s = r->state;
    uint32_t n = r->call->count;
    int64_t ms;

    FN_EACH_VALID(r, args, n, i)
    {
        if (!read_pattern(r, &s->read, n > 1 ? fn_str(args[1], i) : DEFAULT_PATTERN, true, i)) continue;
        bool ok = time_pattern_parse_simple(&s->read, fn_str(args[0], i), r->call->plan, &ms);
        VECTOR_VALUES(out, int64_t)[i] = ok ? ms / 1000 : INT64_MIN;
    }
}

static void unix_now(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    (void)args;
    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(out, int64_t)[i] = r->now_ms / 1000;
}

/* --- CONVERT_TZ -------------------------------------------------------------------------------------------------- */
/* The zone of a name, kept for the next row. Offsets without "GMT" are no names for Java's TimeZone. */
static const struct zone *zone_of(struct text_state *s, int which, struct str name)
{
    struct zone *z = &s->zones[which];
    bool offset = name.size > 0 &&
                  (name.data[0] == '+' || name.data[0] == '-' || str_starts(name, STR("UTC+")) ||
                   str_starts(name, STR("UTC-")) || str_starts(name, STR("UT+")) || str_starts(name, STR("UT-")));

    if (s->zone_names[which].data != NULL && str_equal(s->zone_names[which], name)) return z;
    if (offset || (!zone_find_short(name, z) && !zone_find(name, z))) *z = (struct zone){0};
    s->zone_names[which] = (struct str){0};
    if (name.size <= sizeof s->names[which]) {
        if (name.size > 0) memcpy(s->names[which], name.data, name.size);
        s->zone_names[which] = (struct str){s->names[which], name.size};
    }
    return z;
}

static void convert_tz(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct text_state *s = r->state;
    int64_t ms;

    (void)time_pattern_read(&s->read, DEFAULT_PATTERN, true);
    (void)time_pattern_read(&s->print, DEFAULT_PATTERN, true);
    FN_EACH_VALID(r, args, 3, i)
    {
        if (!time_pattern_parse_simple(&s->read, fn_str(args[0], i), zone_of(s, 0, fn_str(args[1], i)), &ms)) {
            vector_set_null(out, i);
            continue;
        }
        struct shown_time t = shown_in(zone_of(s, 1, fn_str(args[2], i)), ms);
        put(r, out, i, &t);
    }
}

/* --- binding ----------------------------------------------------------------------------------------------------- */
/* Arguments from `first` on are texts; NULL is one. */
static bool take_texts(struct fn_call *c, struct arena *a, uint32_t first)
{
    for (uint32_t i = first; i < c->count; i++) {
        if (!type_is_string(c->args[i]) && c->args[i]->kind != T_NULL) return false;
        if (c->args[i]->kind == T_NULL) c->args[i] = type_with_null(a, &type_string, true);
    }
    return true;
}

static enum status finish(struct fn_call *c, struct arena *a, const struct fn_session *session,
                          const struct type *result, fn_kernel run, struct err *e)
{
    struct zone *zone = ARENA_NEW(a, struct zone);
    bool nullable = (c->def->flags & FN_MAY_BE_NULL) != 0;

    TRY(fn_zone_find(session, zone, e));
    for (uint32_t i = 0; i < c->count; i++) nullable |= c->args[i]->nullable;
    c->plan = zone;
    c->result = type_with_null(a, result, nullable);
    c->run = run;
    return S_OK;
}

static enum status bind_date_format(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    static const char takes[] = "a timestamp or its text, and a pattern such as 'yyyy-MM-dd HH:mm'";

    if (c->count != 2 || !take_texts(c, a, 1)) return fn_refuse(c, takes, e);
    bool stamp = type_is_stamp(c->args[0]);
    if (!stamp && !(type_is_string(c->args[0]) || c->args[0]->kind == T_NULL)) return fn_refuse(c, takes, e);
    if (!stamp) (void)take_texts(c, a, 0);
    return finish(c, a, session, &type_string, stamp ? format_stamp : format_text, e);
}

static enum status bind_from_unixtime(struct fn_call *c, struct arena *a, const struct fn_session *session,
                                      struct err *e)
{
    bool whole = c->count > 0 &&
                 (c->args[0]->kind == T_NULL || (c->args[0]->kind >= T_TINYINT && c->args[0]->kind <= T_BIGINT));

    if (!whole || c->count > 2 || !take_texts(c, a, 1))
        return fn_refuse(c, "seconds since 1970 as a whole number, and perhaps a pattern", e);
    c->args[0] = type_with_null(a, &type_bigint, c->args[0]->nullable);
    return finish(c, a, session, &type_string, from_unixtime, e);
}

static enum status bind_unix_timestamp(struct fn_call *c, struct arena *a, const struct fn_session *session,
                                       struct err *e)
{
    if (c->count > 2 || !take_texts(c, a, 0))
        return fn_refuse(c, "nothing, or the text of a time and perhaps a pattern", e);
    return finish(c, a, session, &type_bigint, c->count == 0 ? unix_now : unix_timestamp, e);
}

static enum status bind_convert_tz(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    if (c->count != 3 || !take_texts(c, a, 0))
        return fn_refuse(c, "the text of a time, the zone that it is in, and the zone that it is wanted in", e);
    return finish(c, a, session, &type_string, convert_tz, e);
}

#define TEXT .open = text_open, .close = text_close
static const struct fn_def functions[] = {
    {.name = "DATE_FORMAT",
     .usage = "DATE_FORMAT(time, pattern)",
     .doc = "a timestamp, or the text of one, as text by a pattern of Java's letters",
     .examples = FN_EXAMPLES(
         {"DATE_FORMAT(TIMESTAMP '2001-02-03 14:05:06', 'EEE, d MMM yyyy hh:mm a')", "Sat, 3 Feb 2001 02:05 PM"},
         {"DATE_FORMAT('2001-02-03 04:05:06', 'yyyy/MM/dd')", "2001/02/03"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_SESSION_ZONE | FN_COSTLY,
     TEXT,
     .bind = bind_date_format},
    {.name = "FROM_UNIXTIME",
     .usage = "FROM_UNIXTIME(seconds[, pattern])",
     .doc = "seconds since 1970 as text in the session's zone; the pattern is 'yyyy-MM-dd HH:mm:ss' unless it is given",
     .examples = FN_EXAMPLES({"FROM_UNIXTIME(44)", "1970-01-01 00:00:44"},
                             {"FROM_UNIXTIME(1490500000, 'yyyy/MM/dd')", "2017/03/26"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_SESSION_ZONE | FN_COSTLY,
     TEXT,
     .bind = bind_from_unixtime},
    {.name = "UNIX_TIMESTAMP",
     .usage = "UNIX_TIMESTAMP(), UNIX_TIMESTAMP(text[, pattern])",
     .doc = "seconds since 1970: of now, or of a text in the session's zone, by the pattern 'yyyy-MM-dd HH:mm:ss' "
            "unless one is given",
     .examples = FN_EXAMPLES({"UNIX_TIMESTAMP('1970-01-01 00:00:01')", "1"},
                             {"UNIX_TIMESTAMP('2017/07/01', 'yyyy/MM/dd')", "1498867200"}),
     .det = FN_PER_QUERY,
     .flags = FN_MAY_FAIL | FN_SESSION_ZONE | FN_COSTLY,
     TEXT,
     .bind = bind_unix_timestamp},
    {.name = "CONVERT_TZ",
     .usage = "CONVERT_TZ(text, zone, zone)",
     .doc = "a time's text, 'yyyy-MM-dd HH:mm:ss', from one zone to another",
     .examples = FN_EXAMPLES(
         {"CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')", "1969-12-31 16:00:00"}),
     .flags = FN_MAY_BE_NULL | FN_COSTLY,
     TEXT,
     .bind = bind_convert_tz},
    {0},
};
#undef TEXT

const struct fn_type fn_temporal_text = {.name = "temporal_text",
                                         .doc = "times as texts and seconds",
                                         .example = "FROM_UNIXTIME(44)",
                                         .functions = functions};
