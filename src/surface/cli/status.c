/* status.c - the live status line and the end summary. On a terminal the line is cut to its width and repainted in place, dim
 * where colours are wanted; it is wiped before anything else is said. Elsewhere (a file, a pipe) every line stays, one per
 * second, so that a log of a long run reads well. Numbers carry thousands separators, times are UTC. */
#include "surface/cli/status.h"

#include "columns/column/timestamp.h"
#include "surface/cli/program.h"

#include <string.h>

#define WIPE "\r\033[K"
#define DIM "\033[2m"
#define PLAIN "\033[0m"
#define NS_PER_S 1e9

void status_init(struct status_view *v, struct sys *sys)
{
    *v = (struct status_view){.sys = sys, .is_terminal = sys_is_terminal(sys, 2), .painted_ns = sys_mono_ns(sys)};
}

/* --- texts ---------------------------------------------------------------------------------------------------------------- */
void status_print_count(uint64_t n, struct buf *out)
{
    if (n >= 1000) {
        status_print_count(n / 1000, out);
        buf_printf(out, ",%03u", (unsigned)(n % 1000));
    } else {
        buf_printf(out, "%u", (unsigned)n);
    }
}

static void print_named(const char *before, uint64_t n, const char *after, struct buf *out)
{
    buf_append_text(out, before);
    status_print_count(n, out);
    buf_append_text(out, after);
}

static void print_watermark(int64_t watermark, struct buf *out)
{
    if (watermark == TIME_MIN) buf_append_text(out, "none");
    else if (watermark == WATERMARK_MAX) buf_append_text(out, "end");
    else timestamp_print((struct ts96){.ms = watermark}, 0, out);
}

void status_print_line(const char *job_name, const struct job_totals *t, double rows_per_second, struct buf *out)
{
    buf_printf(out, "%s: ", job_name);
    print_named("", t->rows_in, " rows in, ", out);
    print_named("", t->rows_out, " out, ", out);
    print_named("", (uint64_t)rows_per_second, " rows/s, watermark ", out);
    print_watermark(t->watermark, out);
    print_named(", late ", t->late_refired + t->late_dropped, "", out);
}

/* --- the summary ---------------------------------------------------------------------------------------------------------- */
static void print_signed(int64_t n, struct buf *out)
{
    if (n < 0) buf_append_text(out, "-");
    status_print_count(n < 0 ? 0 - (uint64_t)n : (uint64_t)n, out);
}

/* "12 values (-1: 4, 3: 8)" */
static void print_histogram(const struct accumulator *a, struct buf *out)
{
    print_signed((int64_t)accumulator_double(a), out);
    buf_append_text(out, " values (");
    for (uint32_t i = 0; i < a->entry_count && i < STATUS_VALUES_MAX; i++) {
        buf_printf(out, "%s%d: ", i > 0 ? ", " : "", a->entries[i].value);
        print_signed(a->entries[i].count, out);
    }
    buf_append_text(out, a->entry_count > STATUS_VALUES_MAX ? ", ...)" : ")");
}

static void print_accumulator(const struct accumulator *a, struct buf *out)
{
    buf_printf(out, "accumulator '%s': ", a->name);
    if (a->kind == ACC_COUNTER || a->kind == ACC_LEAST || a->kind == ACC_GREATEST) print_signed(a->count, out);
    else if (a->kind == ACC_HISTOGRAM) print_histogram(a, out);
    else buf_printf(out, "%.10g", accumulator_double(a));
    buf_append_byte(out, '\n');
}

/* The least name behind that one: the order in which instances closed is chance. */
static const struct accumulator *by_name(const struct accumulators *all, const char *behind)
{
    const struct accumulator *least = NULL;

    for (uint32_t i = 0; i < all->count; i++) {
        const struct accumulator *a = &all->items[i];
        if (behind != NULL && strcmp(a->name, behind) <= 0) continue;
        if (least == NULL || strcmp(a->name, least->name) < 0) least = a;
    }
    return least;
}

static void print_accumulators(const struct accumulators *all, struct buf *out)
{
    const struct accumulator *a = by_name(all, NULL);

    for (uint32_t i = 0; a != NULL && i < STATUS_ACCUMULATORS_MAX; i++, a = by_name(all, a->name))
        print_accumulator(a, out);
    if (all->count > STATUS_ACCUMULATORS_MAX)
        print_named("and ", all->count - STATUS_ACCUMULATORS_MAX, " more accumulators\n", out);
}

static uint64_t counted(struct metrics *m, const char *name)
{
    struct metric_view v;
    uint64_t sum = 0;

    for (uint32_t i = 0; metrics_view(m, i, &v); i++)
        if (v.kind == METRIC_COUNTER && strcmp(v.name, name) == 0) sum += (uint64_t)v.count;
    return sum;
}

/* What sinks in two phases could not make final. */
static void print_commits(struct metrics *m, struct buf *out)
{
    uint64_t failed = counted(m, "failedCommittables");

    if (failed == 0) return;
    print_named("commits: ", failed, " failed, ", out);
    print_named("", counted(m, "successfulCommittables") + counted(m, "alreadyCommittedCommittables"), " succeeded\n", out);
}

void status_print_summary(const struct api_outcome *o, struct buf *out)
{
    const struct tw_result *r = o->result;
    const struct job_totals *t = o->totals;
    double rate = r->seconds > 0 ? (double)r->rows_in / r->seconds : 0;

    buf_printf(out, "job '%s' %s: ", r->job_name, r->status);
    print_named("", r->rows_in, " rows in, ", out);
    print_named("", r->rows_out, " rows out ", out);
    buf_printf(out, "in %.3f s (", r->seconds);
    print_named("", (uint64_t)rate, " rows/s)\n", out);
    if (r->late_refired + r->late_dropped > 0) {
        print_named("late rows: ", r->late_refired, " made windows fire again, ", out);
        print_named("", r->late_dropped, " came too late\n", out);
    }
    if (t->errors_skipped > 0) print_named("rows that could not be read: ", t->errors_skipped, " skipped\n", out);
    if (t->dead_letters > 0)
        print_named("rows that could not be read: ", t->dead_letters, " to the dead-letter output\n", out);
    if (o->metrics != NULL) print_commits(o->metrics, out);
    if (o->accumulators != NULL) print_accumulators(o->accumulators, out);
}

/* --- on standard error ------------------------------------------------------------------------------------------------------ */
static void say(struct status_view *v, const struct buf *text)
{
    struct sys_file *f;

    if (sys_file_standard(v->sys, 2, &f, NULL) != S_OK) return;
    enum status st = sys_file_write(v->sys, f, text->data, text->size, NULL);
    (void)st; /* nobody is left to be told that standard error is closed */
    sys_file_close(v->sys, f);
}

static void on_tick(void *arg, const char *job_name, const struct job_totals *totals)
{
    struct status_view *v = arg;
    struct mem mem;
    struct buf text;
    int64_t now = sys_mono_ns(v->sys);
    double seconds = (double)(now - v->painted_ns) / NS_PER_S;

    mem_init(&mem, "status line", 0);
    buf_init(&text, &mem);
    bool has_color = v->is_terminal && sys_has_color(v->sys, 2);
    if (v->is_terminal) buf_append_text(&text, WIPE);
    if (has_color) buf_append_text(&text, DIM);
    size_t before = text.size;
    status_print_line(job_name, totals, seconds > 0 ? (double)(totals->rows_in - v->painted_rows) / seconds : 0, &text);
    if (v->is_terminal) text.size = MIN(text.size, before + (size_t)MAX(20, sys_terminal_columns(v->sys, 2) - 1));
    else buf_append_byte(&text, '\n');
    if (has_color) buf_append_text(&text, PLAIN);
    if (v->is_terminal) sys_line_live(v->sys, true); /* first: rows between the two wipe nothing, which does no harm */
    say(v, &text);
    buf_release(&text);
    v->is_painted = v->is_terminal;
    v->painted_ns = now;
    v->painted_rows = totals->rows_in;
}

/* Rows of the program may go to the same terminal: they begin on a clean line. */
static void on_rows(void *arg)
{
    struct status_view *v = arg;

    if (v->is_painted) program_say(v->sys, 2, WIPE);
    v->is_painted = false;
}

static void on_end(void *arg, const struct api_outcome *outcome)
{
    struct status_view *v = arg;
    struct mem mem;
    struct buf text;

    mem_init(&mem, "summary", 0);
    buf_init(&text, &mem);
    if (v->is_painted) buf_append_text(&text, WIPE);
    status_print_summary(outcome, &text);
    say(v, &text);
    sys_line_live(v->sys, false);
    buf_release(&text);
    v->is_painted = false;
    v->painted_ns = sys_mono_ns(v->sys);
    v->painted_rows = 0;
}

struct api_watch status_watch(struct status_view *v)
{
    return (struct api_watch){
        .tick = on_tick, .rows = on_rows, .ended = on_end, .arg = v, .tick_ms = v->is_terminal ? STATUS_REPAINT_MS : STATUS_LINE_MS};
}
