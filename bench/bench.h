/* bench.h - what every benchmark has in common: sizes, paired runs, one table.
 *
 * A case has an engine side and, mostly, a limit side (hand-written C, or another way to run the engine). Both run in turn
 * in one process, engine, limit, engine, limit, and what is judged is the figure of each pair: a machine that is slow for a
 * second is slow for both. Printed are the medians of both sides, and minimum, median and maximum of what is judged.
 *
 * Sides answer a rate (million rows per second) or a cost (ns, us, ms, bytes), whatever the unit of the case says.
 *
 *   bench_<name> [--smoke] [--runs N] [PART OF A CASE'S NAME]
 *
 * --smoke runs every case once on a tiny input, checks the results, and judges nothing: that is what `make test` does.
 * Wrong results end a benchmark with 1 at once; a goal that is missed is only printed. */
#pragma once
#include "columns/column/batch.h"
#include "flow/source/source.h"
#include "ground/sys/sys.h"

#include <thalweg/thalweg.h>

enum { BENCH_RUNS_MAX = 31 };

enum bench_goal {
    GOAL_NONE,           /* printed only */
    GOAL_SHARE_AT_LEAST, /* engine over limit, as rates */
    GOAL_TIMES_AT_MOST,  /* cost of engine over cost of limit: limit rate over engine rate */
    GOAL_AT_LEAST,       /* the engine's figure itself */
    GOAL_AT_MOST,
    GOAL_SHARE_WANTED, /* a share, printed beside what is wanted, not judged */
};

struct bench {
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    const char *only; /* part of the names of cases that run; NULL = all */
    bool is_smoke;
    uint32_t runs;    /* 0 = each case's own */
    double scale;     /* 0 = not measured yet */
};

typedef double (*bench_fn)(struct bench *b, void *arg);

struct bench_case {
    const char *name, *unit;
    bench_fn engine, limit;
    void *arg;
    enum bench_goal goal_kind;
    double goal;
    bool scales; /* the goal is for a machine of scale 1 */
    uint32_t runs; /* 0 = 5 */
};

void bench_start(struct bench *b, int argc, char **argv, const char *title);
int bench_end(struct bench *b);
void bench_run(struct bench *b, const struct bench_case *c);
/* Does a case of that name run? For what costs time before it. */
bool bench_wants(const struct bench *b, const char *name);
/* A figure that was not measured in pairs, in the same table. */
void bench_line(struct bench *b, const struct bench_case *c, double *values, uint32_t count);
/* Events per second of the hand-written generator of whole Nexmark events, over 10 million: what absolute goals scale with. */
double bench_scale(struct bench *b);
static inline uint64_t bench_size(const struct bench *b, uint64_t full, uint64_t smoke) { return b->is_smoke ? smoke : full; }
void bench_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Ends the program with a sentence when they differ. */
void bench_same(const char *what, int64_t engine, int64_t limit);
int bench_by_value(const void *a, const void *b);

/* --- jobs -------------------------------------------------------------------------------------------------------------- */
struct tw_env *bench_env(struct bench *b, uint32_t parallelism, uint32_t workers, const struct tw_function_entry *first,
                         const struct tw_function_entry *end);
#define BENCH_ENV(b, parallelism, workers) bench_env(b, parallelism, workers, __start_tw_functions, __stop_tw_functions)
/* Runs the job and frees the environment; answers seconds. out_rows may be NULL. */
double bench_job(struct tw_env *env, uint64_t *out_rows);
/* million per second */
static inline double bench_rate(uint64_t rows, double seconds) { return (double)rows / seconds / 1e6; }

/* --- a connector's rows without an engine: what both sides read -------------------------------------------------------- */
struct bench_source {
    struct source_cx cx;
    struct mem mem;
    struct arena arena;
    struct err err;
    struct options options;
    const struct source_type *type;
    uint64_t needed;
    void *enumerator, *reader, *split;
    struct batch *batch;
};

/* Opens the first split. `options` are pairs; needed: bits of columns. */
void bench_source_open(struct bench_source *s, struct bench *b, const char *connector, struct tw_options options,
                       uint64_t needed);
/* Fills s->batch; false at the end. */
bool bench_source_read(struct bench_source *s);
void bench_source_close(struct bench_source *s);
