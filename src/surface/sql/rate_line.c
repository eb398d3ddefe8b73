/* rate_line.c - see the header. The rate is that since the line before. */
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

static void put_watermark(struct view *v, int64_t watermark)
{
    int64_t lag = sys_wall_ms(v->sys) - watermark;

    if (watermark == TIME_MIN || watermark == INT64_MAX) return;
    buf_append_text(&v->out, ", watermark ");
    timestamp_print((struct ts96){.ms = watermark}, 3, &v->out);
    if (lag >= 0 && lag < LAG_MS_MAX) buf_printf(&v->out, ", lag %.1f s", (double)lag / 1000);
}

void rate_line_put(struct view *v, struct rate_line *r, const struct job_totals *t)
{
    int64_t now = sys_mono_ns(v->sys);
    double seconds = r->since_ns == 0 ? 0 : (double)(now - r->since_ns) / NS_A_SECOND;
    bool has_color = sys_has_color(v->sys, 1);

    if (has_color) buf_append_text(&v->out, DIM);
    size_t from = v->out.size;
    put_count(seconds > 0 ? (uint64_t)((double)(v->rows - r->rows) / seconds) : 0, &v->out);
    buf_append_text(&v->out, " rows/s, ");
    put_count(v->rows, &v->out);
    buf_append_text(&v->out, " rows in all");
    put_watermark(v, t->watermark);
    buf_append_text(&v->out, "; ctrl-c stops it");
    v->out.size = MIN(v->out.size, from + (size_t)MAX(20, sys_terminal_columns(v->sys, 1) - 1));
    if (has_color) buf_append_text(&v->out, PLAIN);
    *r = (struct rate_line){now, v->rows};
}
