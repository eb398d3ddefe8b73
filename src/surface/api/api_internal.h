/* api_internal.h - what the files that implement include/thalweg share: the environment and its streams. */
#pragma once
#include <thalweg/thalweg.h>

#include "control/graph/graph.h"
#include "control/taskmanager/taskmanager.h"
#include "flow/operator/op_configs.h"
#include "flow/task/accumulators.h"
#include "ground/base/str.h"

enum { API_RECEIVERS_MAX = 64 };

struct api_receiver { /* of tw_collect_to */
    const struct tw_row *row;
    tw_collect_fn fn;
    void *arg;
};

struct tw_env {
    struct mem mem;
    struct arena arena;
    struct graph graph;
    struct sys *sys;              /* made at the first execute unless given */
    bool owns_sys, is_quiet, takes_signals;
    void (*tick)(void *arg, const struct job_totals *totals); /* while the job runs, every tick_ms */
    void *tick_arg;
    int64_t tick_ms;
    enum sys_signal signal;       /* that stopped the job */
    const struct tw_function_entry *first, *end;
    struct err err;               /* the first mistake of the graph, or why the job failed */
    struct option *settings, *parameters;
    uint32_t setting_count, parameter_count;
    struct api_receiver receivers[API_RECEIVERS_MAX];
    uint32_t receiver_count;
    struct tw_result result;
    struct accumulators accumulators; /* of the finished job */
    struct sys_atomic_u64 cancelled;
    char error_text[ERR_TEXT_MAX + ERR_HINT_MAX + 16];
};

/* An output of a node, and how the next operator reads it. Handles are cheap copies in the environment's arena. */
struct tw_stream {
    struct tw_env *env;
    uint32_t node;
    const char *side;
    bool has_partitioner, is_keyed, is_broken; /* broken: a mistake was made before; calls pass it on */
    enum partitioner partitioner;
    struct text_list keys;
    struct function_ref function;
    struct graph_here here;
    const struct tw_stream *also;              /* union: another stream into the same input */
};

static inline struct graph_here api_here(struct tw_here h) { return (struct graph_here){h.file, h.line}; }
/* Keeps the first mistake with its source line; answers a broken stream. */
struct tw_stream *api_mistake(struct tw_env *env, struct tw_here h, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A node of that operator reading the inputs (NULL at the end); its configuration is cleared. NULL after a mistake. */
struct graph_node *api_node(struct tw_env *env, const char *operation, const char *name, const struct tw_stream *in, const struct tw_stream *in2, struct tw_here h);
struct tw_stream *api_stream(struct tw_env *env); /* of the node added last */
struct tw_stream *api_broken(struct tw_env *env);
struct function_ref api_function(struct tw_env *env, const struct tw_function *f);
struct options api_options(struct tw_env *env, struct tw_options o);
void api_watermarks(struct tw_env *env, struct watermark_config *to, const struct tw_watermarks *w);
/* The columns that a row type stands for; a mistake is kept. NULL after one. */
const struct type *api_row_type(struct tw_env *env, const struct tw_row *row, struct tw_here h);
