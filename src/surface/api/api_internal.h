/* api_internal.h - what the files that implement include/thalweg share: the environment and its streams.
 *
 * Two lifetimes: the environment's own arena (streams, results), and the graph's, which is released when the graph has been
 * encoded. Streams outlive their graph as broken handles, so that using one afterwards is a mistake that is reported. */
#pragma once
#include <thalweg/thalweg.h>

#include "control/config.h"
#include "control/graph/graph.h"
#include "control/jobmanager/jobmaster.h"
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"
#include "ground/base/str.h"

enum { API_RECEIVERS_MAX = 64 };

struct api_receiver { /* of tw_collect_to */
    const struct tw_row *row;
    tw_collect_fn fn;
    void *arg;
    uint32_t node;             /* its sink */
    struct user_row bound;     /* row against the stream, bound when the graph was prepared */
    char *structs;             /* ROWCONV_ROWS of them */
};

/* Who looks on while jobs of an environment run: the status line of the command line. */
struct api_watch {
    void (*tick)(void *arg, const char *job_name, const struct job_totals *totals);
    void (*ended)(void *arg, const struct tw_result *result, const struct job_totals *totals);
    void *arg;
    int64_t tick_ms;
};

struct tw_env {
    struct mem mem;
    struct arena arena;
    struct mem graph_mem;
    struct arena graph_arena;
    struct graph graph;
    struct tw_stream *streams;    /* of the present graph */
    struct api_receiver receivers[API_RECEIVERS_MAX];
    uint32_t receiver_count;
    struct config config, parameters;

    struct sys *sys;
    bool owns_sys, takes_signals;
    bool is_quiet;                /* tw_quiet: errors are not printed */
    bool is_silent;               /* --quiet: nothing but errors is */
    const char *artifact;         /* file that holds the functions; NULL = not to be digested (simulation) */
    const struct tw_function_entry *first, *end;
    struct api_watch watch;
    void (*drive)(void *arg, struct taskmanager *tm, struct jobmaster *jm); /* see jobmaster_options */
    void *drive_arg;

    struct jobmaster *jobmaster;  /* of the latest job */
    struct tw_result result;
    bool has_result;
    enum sys_signal signal;       /* that stopped a job */
    struct sys_atomic_u64 cancelled;
    struct err err;               /* the first mistake of the graph, or why the latest job failed */
    bool is_err_old;              /* that job is over: what is built next starts afresh */
    char error_text[ERR_TEXT_MAX + ERR_HINT_MAX + 16];
};

/* An output of a node, and how the next operator reads it. */
struct tw_stream {
    struct tw_env *env;
    struct tw_stream *previous;                /* of env->streams */
    uint32_t node;
    const char *side;
    bool has_partitioner, is_keyed, is_broken; /* broken: a mistake was made before; calls pass it on */
    bool is_stale;                             /* its job was executed */
    enum partitioner partitioner;
    struct text_list keys;
    struct function_ref function;
    struct graph_here here;
    struct tw_stream *also;                    /* union: another stream into the same input */
};

/* --- environment (env.c) ------------------------------------------------------------------------------------------------ */
/* Something new is built: what an earlier job left as its error is forgotten. */
void api_begin(struct tw_env *env);
/* Forgets the graph: its memory goes, its streams become stale. */
void api_graph_clear(struct tw_env *env);
/* Checks and prepares the graph where it stands. The first mistake is in env->err. */
enum status api_graph_prepare(struct tw_env *env, const char *job_name) CHECKED;

/* --- building (stream.c) ------------------------------------------------------------------------------------------------ */
static inline struct graph_here api_here(struct tw_here h) { return (struct graph_here){h.file, h.line}; }
/* Keeps the first mistake with its source line; answers a broken stream. */
struct tw_stream *api_mistake(struct tw_env *env, struct tw_here h, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* May calls go on with this stream? A stale one is a mistake. */
bool api_usable(struct tw_stream *s, struct tw_here h);
/* A node of that operator reading the inputs (NULL = none); its configuration is cleared. NULL after a mistake. */
struct graph_node *api_node(struct tw_env *env, const char *operation, const char *name, struct tw_stream *in, struct tw_stream *in2, struct tw_here h);
struct tw_stream *api_stream(struct tw_env *env); /* of the node added last */
struct tw_stream *api_broken(struct tw_env *env);
/* A function by its name in the program's table; one that is not there is a mistake. NULL gives none. */
struct function_ref api_function(struct tw_env *env, const struct tw_function *f, struct tw_here h);
struct options api_options(struct tw_env *env, struct tw_options o);
struct text_list api_texts(struct tw_env *env, const char *const *items, uint32_t count);
const char *api_text(struct tw_env *env, const char *text); /* a copy in the graph's arena; NULL stays NULL */
/* The columns that a row type stands for; a mistake is kept. NULL after one. */
const struct type *api_row_type(struct tw_env *env, const struct tw_row *row, struct tw_here h);

/* --- rows for the caller (collect.c) ------------------------------------------------------------------------------------- */
/* Binds the receivers' row types to their streams; the graph is prepared. */
enum status api_receivers_bind(struct tw_env *env, struct err *e) CHECKED;
enum status api_receive(void *env, int64_t receiver, struct batch *b, struct err *e) CHECKED; /* of jobmaster_options */
