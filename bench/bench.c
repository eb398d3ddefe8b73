/* bench.c - running cases in pairs, the table, jobs, and a connector without an engine; see bench.h. */
#include "bench.h"

#include "flow/connector/connector.h"
#include "nexmark_limit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 5, SCALE_EVENTS = 2 << 20, SCALE_RUNS = 5 };

void bench_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fflush(stdout);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void bench_same(const char *what, int64_t engine, int64_t limit)
{
    if (engine == limit) return;
    bench_fail("%s: the engine's result is %lld, but must be %lld", what, (long long)engine, (long long)limit);
}

int bench_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static uint32_t runs_of(const char *text)
{
    int n = atoi(text);

    return (uint32_t)MAX(1, MIN(n, BENCH_RUNS_MAX));
}

void bench_start(struct bench *b, int argc, char **argv, const char *title)
{
    *b = (struct bench){.sys = sys_linux_create_quiet()};
    mem_init(&b->mem, "bench", 0);
    arena_init(&b->arena, &b->mem, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--smoke") == 0) b->is_smoke = true;
        else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) b->runs = runs_of(argv[++i]);
        else b->only = argv[i];
    }
    printf("%-46s %-8s %8s %8s  %8s %8s %8s  %8s\n", title, "unit", "engine", "limit", "min", "median", "max", "goal");
    fflush(stdout);
}

int bench_end(struct bench *b)
{
    arena_release(&b->arena);
    mem_release(&b->mem);
    sys_linux_free(b->sys);
    return 0;
}

bool bench_wants(const struct bench *b, const char *name) { return b->only == NULL || strstr(name, b->only) != NULL; }

/* --- the table ---------------------------------------------------------------------------------------------------------- */
static const char *figure(double v, char *out, size_t size)
{
    if (v == 0) snprintf(out, size, "-");
    else snprintf(out, size, v >= 1000 ? "%.0f" : v >= 100 ? "%.1f" : "%.2f", v);
    return out;
}

static double median(double *values, uint32_t count)
{
    if (count == 0) return 0;
    qsort(values, count, sizeof *values, bench_by_value);
    return values[count / 2];
}

/* Throughput that must be reached grows with the machine, time that may be taken shrinks. */
static double goal_of(struct bench *b, const struct bench_case *c)
{
    if (!c->scales || c->goal_kind == GOAL_NONE) return c->goal;
    return c->goal_kind == GOAL_AT_LEAST ? c->goal * bench_scale(b) : c->goal / bench_scale(b);
}

static const char *verdict(const struct bench *b, const struct bench_case *c, double value, double goal)
{
    if (b->is_smoke || c->goal_kind == GOAL_NONE || c->goal_kind == GOAL_SHARE_WANTED) return "printed";
    bool least = c->goal_kind == GOAL_SHARE_AT_LEAST || c->goal_kind == GOAL_AT_LEAST;
    return (least ? value >= goal : value <= goal) ? "met" : "MISSED";
}

static void print(struct bench *b, const struct bench_case *c, double engine, double limit, double *judged, uint32_t count)
{
    static const char *const signs[] = {" ", ">=", "<=", ">=", "<=", "~"};
    double middle = median(judged, count), goal = goal_of(b, c);
    char text[6][32], sign[40];

    snprintf(sign, sizeof sign, "%s%s", signs[c->goal_kind], figure(goal, text[5], sizeof text[5]));
    printf("%-46s %-8s %8s %8s  %8s %8s %8s  %8s  %s\n", c->name, c->unit, figure(engine, text[0], sizeof text[0]),
           figure(limit, text[1], sizeof text[1]), figure(judged[0], text[2], sizeof text[2]),
           figure(middle, text[3], sizeof text[3]), figure(judged[count - 1], text[4], sizeof text[4]), sign,
           verdict(b, c, middle, goal));
    fflush(stdout);
}

void bench_line(struct bench *b, const struct bench_case *c, double *values, uint32_t count)
{
    if (bench_wants(b, c->name)) print(b, c, median(values, count), 0, values, count);
}

static bool is_relative(const struct bench_case *c)
{
    return c->goal_kind == GOAL_SHARE_AT_LEAST || c->goal_kind == GOAL_SHARE_WANTED || c->goal_kind == GOAL_TIMES_AT_MOST;
}

void bench_run(struct bench *b, const struct bench_case *c)
{
    double engine[BENCH_RUNS_MAX], limit[BENCH_RUNS_MAX], judged[BENCH_RUNS_MAX];
    uint32_t runs = b->is_smoke ? 1 : b->runs > 0 ? b->runs : c->runs > 0 ? c->runs : RUNS;

    if (!bench_wants(b, c->name)) return;
    for (uint32_t i = 0; i < runs; i++) {
        engine[i] = c->engine(b, c->arg);
        limit[i] = c->limit != NULL ? c->limit(b, c->arg) : 0;
        judged[i] = !is_relative(c)                        ? engine[i]
                    : c->goal_kind == GOAL_TIMES_AT_MOST ? limit[i] / engine[i]
                                                           : engine[i] / limit[i];
    }
    print(b, c, median(engine, runs), c->limit != NULL ? median(limit, runs) : 0, judged, runs);
}

double bench_scale(struct bench *b)
{
    double rates[SCALE_RUNS];
    uint64_t sum = 0;

    if (b->scale > 0) return b->scale;
    if (b->is_smoke) return b->scale = 1;
    struct nexmark_limit *l = mem_alloc(&b->mem, sizeof *l);
    nexmark_limit_init(l, 0, 10000);
    nexmark_limit_texts(l);
    for (uint32_t run = 0; run < SCALE_RUNS; run++) {
        int64_t start = sys_mono_ns(b->sys);
        for (uint32_t i = 0; i < SCALE_EVENTS; i++) sum += nexmark_limit_event(l);
        rates[run] = SCALE_EVENTS * 1e3 / (double)(sys_mono_ns(b->sys) - start);
    }
    if (sum == 1) printf("\n"); /* the events are used */
    mem_free(&b->mem, l);
    b->scale = median(rates, SCALE_RUNS) / 10;
    printf("(the hand-written generator of whole Nexmark events makes %.1f M/s here: absolute goals are scaled by %.2f)\n",
           b->scale * 10, b->scale);
    return b->scale;
}

/* --- jobs --------------------------------------------------------------------------------------------------------------- */
struct tw_env *bench_env(struct bench *b, uint32_t parallelism, uint32_t workers, const struct tw_function_entry *first,
                         const struct tw_function_entry *end)
{
    struct tw_env *env = tw_env_create_in(first, end);
    char text[16];

    (void)b;
    tw_set_parallelism(env, parallelism);
    snprintf(text, sizeof text, "%u", workers);
    tw_set(env, "thalweg.exec.workers", text);
    return env;
}

double bench_job(struct tw_env *env, uint64_t *out_rows)
{
    if (tw_execute(env, "benchmark") != 0) bench_fail("the job failed");
    const struct tw_result *r = tw_job_result(env);
    double seconds = r->seconds;
    if (out_rows != NULL) *out_rows = r->rows_out;
    tw_env_free(env);
    return seconds;
}

/* --- a connector without an engine -------------------------------------------------------------------------------------- */
static void must(const struct bench_source *s, enum status st)
{
    if (st < 0) bench_fail("%s", s->err.text);
}

static struct options options_of(struct arena *a, struct tw_options o)
{
    struct option *items = ARENA_ARRAY(a, struct option, o.count / 2 + 1);

    for (uint32_t i = 0; i < o.count / 2; i++) items[i] = (struct option){o.items[2 * i], o.items[2 * i + 1]};
    return (struct options){items, o.count / 2};
}

void bench_source_open(struct bench_source *s, struct bench *b, const char *connector, struct tw_options options,
                       uint64_t needed)
{
    const struct conn_type *conn = NULL;
    const struct type *row = NULL;
    struct split what = {0};

    memset(s, 0, sizeof *s);
    mem_init(&s->mem, "source", 0);
    arena_init(&s->arena, &s->mem, 0);
    s->options = options_of(&s->arena, options);
    s->needed = needed;
    must(s, conn_find(connector, &conn, &s->err));
    s->type = conn->source;
    must(s, s->type->schema(&s->arena, &s->options, conn->options, &row, &s->err));
    s->cx = (struct source_cx){.schema = row,
                               .read = row,
                               .needed = &s->needed,
                               .options = &s->options,
                               .option_defs = conn->options,
                               .sys = b->sys,
                               .mem = &s->mem,
                               .parallelism = 1,
                               .err = &s->err};
    s->enumerator = mem_zalloc(&s->mem, s->type->enumerator_size + 1);
    s->reader = mem_zalloc(&s->mem, s->type->reader_size + 1);
    s->split = mem_zalloc(&s->mem, s->type->split_size + 1);
    s->batch = batch_create_needed(row, &s->needed, BATCH_ROWS, &s->mem);
    must(s, s->type->enumerator_open(&s->cx, s->enumerator));
    must(s, s->type->reader_open(&s->cx, s->reader));
    must(s, s->type->enumerator_next(&s->cx, s->enumerator, 0, &s->arena, &what));
    must(s, s->type->split_open(&s->cx, s->reader, s->split, &what));
}

bool bench_source_read(struct bench_source *s)
{
    batch_clear(s->batch);
    enum status st = s->type->split_read(&s->cx, s->reader, s->split, s->batch);
    must(s, st);
    return s->batch->count > 0 || st != S_END;
}

void bench_source_close(struct bench_source *s) { mem_release(&s->mem); }
