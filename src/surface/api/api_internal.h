/* api_internal.h - what the files that implement include/thalweg share beyond api.h: streams, and the helpers that turn
 * calls into nodes and edges. */
#pragma once
#include "surface/api/api.h"

#include "flow/operator/op_configs.h"
#include "ground/base/str.h"

/* An output of a node, and how the next operator reads it. */
struct tw_stream {
    struct tw_env *env;
    struct tw_stream *previous; /* of env->streams */
    uint32_t node;
    const char *side;
    bool has_partitioner, is_keyed, is_broken; /* broken: a mistake was made before; calls pass it on */
    bool is_stale;                             /* its job was executed */
    enum partitioner partitioner;
    struct text_list keys;
    struct function_ref function;
    struct graph_here here;
    struct tw_stream *also; /* union: another stream into the same input */
};

/* --- environment (env.c) ------------------------------------------------------------------------------------------------ */
/* A job in the background is not over and was not told to end: nobody could say how long to wait for it. The first call
 * that is refused for that is kept as a mistake. */
bool api_refuses(struct tw_env *env, struct tw_here h);
/* Something new is built: what an earlier job left as its error is forgotten. False: refused. */
bool api_begin(struct tw_env *env, struct tw_here h);
/* Forgets the graph: its memory goes, its streams become stale. */
void api_graph_clear(struct tw_env *env);
/* Checks and prepares the graph where it stands. The first mistake is in env->err. */
enum status api_graph_prepare(struct tw_env *env, const char *job_name) CHECKED;

/* What an accumulator answers (NULL = none of that name); false when its kind has no such answer. */
bool api_accumulator_long(const struct accumulator *a, int64_t *value);
bool api_accumulator_double(const struct accumulator *a, double *value);
bool api_accumulator_histogram(const struct accumulator *a, uint32_t index, int32_t *value, int64_t *count);

/* --- building (stream.c; what is copied: copy.c) ------------------------------------------------------------------ */
static inline struct graph_here api_here(struct tw_here h) { return (struct graph_here){h.file, h.line}; }
/* Keeps the first mistake with its source line; answers a broken stream. */
struct tw_stream *api_mistake(struct tw_env *env, struct tw_here h, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The stream's environment. Without a stream there is none to keep a mistake in: the process ends, and the text names the
 * call. Every call on a stream comes by here before it looks into the stream. */
struct tw_env *api_env(const struct tw_stream *s, struct tw_here h);
/* May calls go on with this stream? A stale one is a mistake. */
bool api_usable(struct tw_stream *s, struct tw_here h);
/* A node of that operator reading the inputs (NULL = none); its configuration is cleared. NULL after a mistake. */
struct graph_node *api_node(struct tw_env *env, const char *operation, const char *name, struct tw_stream *in,
                            struct tw_stream *in2, struct tw_here h);
/* The newest node reads that stream; false after a mistake. */
bool api_connect(struct tw_env *env, const struct tw_stream *from, struct tw_here h);
/* Operators that sinks of the user's build around themselves (topology.c); the first mistake is in env->err. */
enum status api_topologies_build(struct tw_env *env) CHECKED;
struct tw_stream *api_stream(struct tw_env *env); /* of the node added last */
struct tw_stream *api_broken(struct tw_env *env);
struct tw_stream *api_stream_new(struct tw_env *env); /* cleared, of that environment */
struct tw_stream *api_stream_copy(const struct tw_stream *from);
/* Streams of two environments met in a call: a mistake in both, whichever of them is executed. */
struct tw_stream *api_two_environments(struct tw_env *a, struct tw_env *b, struct tw_here h);
/* A stream out of one or two others, by an operation that is configured with just a function (transform.c). */
struct tw_stream *api_with_function(struct tw_stream *a, struct tw_stream *b, const char *operation,
                                    const struct tw_function *f, struct tw_here h);
/* 'scan.parallelism' or 'sink.parallelism' of the options; what is no number is refused with the other options. */
void api_option_parallelism(struct tw_env *env, struct graph_node *n, const struct options *o, const char *key,
                            struct tw_here h);
/* A function by its name in the program's table; one that is not there is a mistake. NULL gives none. */
struct function_ref api_function(struct tw_env *env, const struct tw_function *f, struct tw_here h);
struct options api_options(struct tw_env *env, struct tw_options o);
struct text_list api_texts(struct tw_env *env, const char *const *items, uint32_t count);
const char *api_text(struct tw_env *env, const char *text); /* a copy in the graph's arena; NULL stays NULL */
/* The columns that a row type stands for; a mistake is kept. NULL after one. */
const struct type *api_row_type(struct tw_env *env, const struct tw_row *row, struct tw_here h);

/* --- running (execute.c) ------------------------------------------------------------------------------------------------ */
/* Other threads look at accumulators, metrics and tasks of that job from now on, and may ask for savepoints; NULL = of none. */
void api_show(struct tw_env *env, struct jobmaster *jm);
struct api_asker {
    struct api_asker *next;
    struct sys_parker *parker;
};
void api_wake_askers(struct tw_env *env); /* no job will be shown, either */
bool api_is_running(struct tw_env *env); /* in the background; what its thread uses is not to be touched */
void api_world_start(struct tw_env *env); /* Linux, when the environment has no world yet */

struct tw_parameters *api_parameters_new(struct tw_env *env); /* parameters.c: without any */

/* say.c: a line for people on standard error, unless the program wants silence; of jobmaster_options. */
void api_say_line(void *env, const char *line);

/* --- listeners (listener.c); st says whether it succeeded, env->err why not ------------------------------------------------ */
void api_tell_submitted(struct tw_env *env, enum status st);
void api_tell_executed(struct tw_env *env, enum status st);
void api_tell_task(void *env, const struct execution *x, enum execution_state from); /* of jobmaster_options */
struct tw_task api_task_of(const struct execution *x); /* metrics.c */

/* --- rows for the caller (collect.c) ------------------------------------------------------------------------------------- */
/* Binds the receivers' row types to their streams; the graph is prepared. */
enum status api_receivers_bind(struct tw_env *env, struct err *e) CHECKED;
void api_receivers_release(struct tw_env *env); /* what they hold, when their job is over */
enum status api_receive(void *env, int64_t receiver, struct batch *b, struct err *e) CHECKED; /* of jobmaster_options */
void api_receivers_remote(struct tw_env *env, struct remote_rows *out); /* of a job that runs elsewhere */
/* n <= ROWCONV_ROWS selected rows into r->structs; a NULL without a place: E_DATA. */
enum status api_structs_read(struct api_receiver *r, const struct batch *b, uint32_t first, uint32_t n,
                             struct err *e) CHECKED;

/* --- pulled rows (rows.c) --------------------------------------------------------------------------------------------------- */
struct tw_rows *api_rows_refused(struct tw_env *env); /* has no rows, and closing it waits for nothing */
const char *api_rows_call(const struct tw_rows *r);   /* that made them: "tw_collect_async" */
void api_rows_refuse(struct tw_env *env);             /* a mistake when there are any: nobody could take them */
void api_rows_start(struct tw_env *env);              /* their job is about to: makes env->row_queues when there are any */
void api_rows_not_started(struct tw_env *env, enum status st); /* st: why, in env->err; S_OK = there is nothing to read */
bool api_rows_job_unwanted(const struct tw_env *env); /* tw_execute_and_collect was closed before the job's end */
/* A batch of a job elsewhere, for pulled rows; S_FULL: later. */
enum status api_rows_offer(struct tw_env *env, int64_t receiver, const struct batch *b, struct err *e) CHECKED;
void api_rows_close(struct tw_env *env);              /* from now on, rows are dropped */
void api_rows_release(struct tw_env *env);            /* the job's thread is gone */
