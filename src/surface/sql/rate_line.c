/* rate_line.c - see the header. The rate is that of the last second or two: of rows that sources have read, where that is known, else of
 * rows that came. A line that is too long for the terminal says less of the watermark. */
#include "surface/sql/rate_line.h"

#include "columns/column/timestamp.h"
#include "ground/base/str.h"

#include <string.h>

#define DIM "\033[2m"
#define PLAIN "\033[0m"

enum { NS_A_SECOND = 1000000000, LAG_MS_MAX = 24 * 3600 * 1000 };

/* "1,234,567" */
static void put_count(uint64_t n, struct buf *out)
{
    char digits[24];
    size_t size = str_from_int64((int64_t)MIN(n, (uint64_t)INT64_MAX), digits);

    for (size_t i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) buf_append_byte(out, ',');
        buf_append_byte(out, digits[i]);
    }
}

/* ", watermark 2024-03-01 10:00:00.123, lag 2.1 s"; short: without the day and what is below a second. */
static void put_watermark(struct view *v, int64_t watermark, bool is_short)
{
    int64_t lag = sys_wall_ms(v->sys) - watermark;

    if (watermark == TIME_MIN || watermark == INT64_MAX) return;
    buf_append_text(&v->out, ", watermark ");
    size_t from = v->out.size;
    timestamp_print((struct ts96){.ms = watermark}, is_short ? 0 : 3, &v->out);
    const char *day_end = is_short ? memchr(v->out.data + from, ' ', v->out.size - from) : NULL;
    if (day_end != NULL) {
        size_t time = (size_t)(day_end + 1 - v->out.data);
        memmove(v->out.data + from, v->out.data + time, v->out.size - time);
        v->out.size -= time - from;
    }
    if (lag >= 0 && lag < LAG_MS_MAX) buf_printf(&v->out, ", lag %.1f s", (double)lag / 1000);
}

void rate_line_begin(struct view *v, struct rate_line *r)
{
    r->earlier = r->latest = (struct rate_sample){.ns = sys_mono_ns(v->sys)};
}

static uint64_t rate_now(struct rate_line *r, uint64_t rows, int64_t now)
{
    if (now - r->latest.ns >= NS_A_SECOND) {
        r->earlier = r->latest;
        r->latest = (struct rate_sample){now, rows};
    }
    return now > r->earlier.ns ? (uint64_t)((double)(rows - r->earlier.rows) * NS_A_SECOND / (double)(now - r->earlier.ns)) : 0;
}

static void put(struct view *v, const struct job_totals *t, uint64_t rate, bool is_short, const char *rest)
{
    put_count(rate, &v->out);
    buf_append_text(&v->out, t->tasks > 0 ? " rows/s in, " : " rows/s, ");
    put_count(v->rows, &v->out);
    buf_append_text(&v->out, t->tasks > 0 ? " rows out" : " rows in all");
    put_watermark(v, t->watermark, is_short);
    buf_append_text(&v->out, rest);
}

void rate_line_put(struct view *v, struct rate_line *r, const struct job_totals *t, const char *rest, const char *short_rest)
{
    uint64_t rate = rate_now(r, t->tasks > 0 ? t->rows_in : v->rows, sys_mono_ns(v->sys));
    size_t columns = (size_t)MAX(1, sys_terminal_columns(v->sys, 1) - 1);
    bool has_color = sys_has_color(v->sys, 1);

    if (has_color) buf_append_text(&v->out, DIM);
    size_t from = v->out.size;
    put(v, t, rate, false, rest);
    if (v->out.size - from > columns) {
        v->out.size = from;
        put(v, t, rate, true, short_rest);
    }
    if (v->out.size - from > columns) { /* how to leave is what must be seen */
        v->out.size = from;
        buf_append_text(&v->out, short_rest + strspn(short_rest, "; "));
        buf_append_text(&v->out, "; ");
        put(v, t, rate, true, "");
    }
    v->out.size = MIN(v->out.size, from + columns);
    if (has_color) buf_append_text(&v->out, PLAIN);
}
