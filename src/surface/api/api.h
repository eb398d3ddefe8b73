/* api.h - the environment behind include/thalweg, for those who run programs: the command line and the simulation set its
 * world, its watch and how it is driven before the job builds its graph.
 *
 * Two lifetimes: the environment's own arena (streams, results), and the graph's, which is released when the graph has been
 * encoded. Streams outlive their graph as stale handles, so that using one afterwards is a mistake that is reported. */
#pragma once
#include <thalweg/thalweg.h>

#include "control/config.h"
#include "control/graph/graph.h"
#include "control/jobmanager/jobmaster.h"
#include "control/logging.h"
#include "flow/operator/user.h"
#include "surface/api/remote_job.h"

enum { API_RECEIVERS_MAX = 64, API_LISTENERS_MAX = 16 };

struct tw_rows;
struct api_receiver { /* of tw_collect_to */
    const struct tw_row *row;
    tw_collect_fn fn;
    void *arg;
    uint32_t node;             /* its sink */
    const char *operator_id;   /* the same, when the graph was prepared */
    const struct type *type;   /* of what comes to it */
    struct user_row bound;     /* row against the stream, bound when the graph was prepared */
    char *structs;             /* ROWCONV_ROWS of them */
    struct tw_rows *rows;      /* not NULL: pulled, there is no call of fn (rows.c) */
    uint32_t group;            /* its sources: equal for those that have one in common */
    struct arena items;        /* of their nested values */
};

/* What came of a job. */
struct api_outcome {
    const struct tw_result *result;
    const struct job_totals *totals;
    const struct accumulators *accumulators; /* NULL = none, as metrics */
    struct metrics *metrics;
};

/* Who looks on while jobs of an environment run: the status line of the command line. */
struct api_watch {
    void (*tick)(void *arg, const char *job_name, const struct job_totals *totals);
    void (*rows)(void *arg); /* the program is about to be handed rows, which it may print */
    void (*ended)(void *arg, const struct api_outcome *outcome);
    void *arg;
    int64_t tick_ms;
};

/* What tw_execute prints instead of running the job. */
enum api_plan { API_PLAN_NONE, API_PLAN_TEXT, API_PLAN_JSON };

struct tw_env {
    struct mem mem;
    struct arena arena;
    struct mem graph_mem;
    struct arena graph_arena;
    struct graph graph;
    struct tw_stream *streams;    /* of the present graph */
    bool was_executed;            /* a graph before it */
    struct api_receiver receivers[API_RECEIVERS_MAX];
    uint32_t receiver_count;
    struct config config, parameters;

    struct sys *sys;
    bool owns_sys, takes_signals;
    bool is_quiet;                /* tw_quiet: errors are not printed */
    bool is_silent;               /* --quiet: nothing but errors is */
    enum api_plan plan;
    const char *artifact;         /* file that holds the functions; NULL = not to be digested (simulation) */
    struct sha256 artifact_digest; /* of the first job; zero before, and where the file cannot be read */
    bool artifact_is_read;
    const struct tw_function_entry *first, *end;
    struct api_watch watch;
    void (*drive)(void *arg, struct taskmanager *tm, struct jobmaster *jm); /* see jobmaster_options; for tests that choose which
                                                                             * task is next. NULL = threads */
    void *drive_arg;
    const char *ledger;           /* not NULL: what is printed becomes pages in this folder instead (simulation with faults) */
    struct buf *collected;        /* not NULL: rows for tw_collect_to become lines of text here instead (simulation) */

    struct api_remote remote;     /* run NULL: in this process */
    struct logging logging;       /* of the latest job; closed after it */
    struct jobmaster *jobmaster;  /* of the latest job */
    struct sys_lock *lock;        /* guards `shown` and `askers`, which any thread may look at */
    struct jobmaster *shown;      /* the same, from its submission on */
    struct api_asker *askers;     /* under the lock: who waits for that */
    struct api_tables *tables;    /* NULL = no call of the Table API yet */
    struct api_background *background; /* tw_execute_async: not waited for yet */
    struct tw_job_listener listeners[API_LISTENERS_MAX];
    uint32_t listener_count;
    struct tw_rows *rows;         /* pulled, of the present graph, or of that job */
    struct row_queues *row_queues; /* where they wait; NULL = that job has none */
    struct tw_result result;
    bool has_result;
    enum sys_signal signal;       /* that stopped a job */
    struct sys_atomic_u64 cancelled;
    struct err err;               /* the first mistake of the graph, or why the latest job failed */
    bool is_err_old;              /* that job is over: what is built next starts afresh */
    struct err refusal;           /* of the first call that the job in the background forbade: err is its thread's */
    bool is_refusal_told;         /* by the call itself */
    const char *job_name;         /* of the latest job */
    struct tw_stream *refused;    /* what calls answer then: nothing is allocated beside that thread */
    struct tw_rows *refused_rows;
    struct tw_parameters *refused_parameters;
    char error_text[ERR_TEXT_MAX + ERR_HINT_MAX + ERR_EXCERPT_MAX + 16];
};

/* say.c: a mistake on standard error, "[name: ]text; hint" and below it the excerpt; in colours where that is wanted. */
void api_say_error(struct sys *sys, const char *name, const struct err *e);
/* The same text, appended; columns: of the terminal, 0: none. */
void api_print_error(const char *name, const struct err *e, bool color, uint32_t columns, struct buf *out);
uint32_t api_error_columns(struct sys *sys, int fd); /* for it */
