/* graph.h - the job graph: operators with their configuration, and the edges between them.
 *
 * One structure serves three ages of a job. The API appends nodes and edges (the stream graph). graph_prepare refuses
 * mistakes, derives every stream's type, finds the columns that are needed, and chains operators into vertices (the job
 * graph). graph_encode writes it as bytes without a pointer in them, graph_decode reads them back somewhere else, functions
 * are resolved by name in the artifact's table, and graph_prepare brings the decoded graph to the same state again.
 *
 * Nodes stand in an order in which every edge leads from a lower to a higher number; so there are no cycles. */
#pragma once
#include "flow/state/disk.h"
#include "flow/exchange/exchange.h"
#include "flow/operator/op.h"
#include "ground/base/hash.h"

enum {
    JOB_NAME_MAX = 1024, /* bytes */
    GRAPH_NODES_MAX = 4096,
    GRAPH_EDGES_MAX = 16384,
    GRAPH_TEXT_MAX = 64 * 1024, /* names, options, configuration texts */
    GRAPH_BYTES_MAX = 64 * 1024 * 1024,
    GRAPH_PARALLELISM_MAX = 4096,
    GRAPH_MAX_PARALLELISM_MAX = 32768,
    GRAPH_BUFFER_TIMEOUT_MAX = 24 * 60 * 60 * 1000,
    GRAPH_VARIABLES_MAX = 64, /* of metrics, of an operator */
    GRAPH_ID_SIZE = 33, /* 32 hex digits and NUL */
    GRAPH_NONE = -1,
};

/* Where in the user's source a call stands. file NULL = unknown. */
struct graph_here {
    const char *file;
    int line;
};

struct graph_node {
    /* given */
    const struct op_type *type;
    void *config;                  /* of type->config_size; NULL when the operator has none */
    const char *name;              /* "Map", "Source: bids" */
    const char *uid, *description; /* NULL = none */
    const char *uid_hash;          /* the id itself: 32 hex digits in lower case; NULL = none */
    uint32_t parallelism;          /* 0 = the job's default */
    uint32_t max_parallelism;      /* 0 = derived from the parallelism */
    const char *slot_group;        /* NULL = that of the inputs, or "default" */
    bool head;                     /* starts a chain */
    bool unchained;                /* neither before nor behind another operator in a chain */
    bool single;                   /* parallelism is 1 by nature (windowAll, rows from the program) */
    bool is_random;                /* another one each time: equal ones are not one (graph_share); not encoded */
    bool is_expanded;              /* its topology was built; not encoded */
    bool has_buffer_timeout;       /* else the job's: execution.buffer-timeout.* */
    struct options metric_variables; /* of all measures of the operator */
    int64_t buffer_timeout_ms;     /* how long rows for other tasks may wait for a batch to fill; 0 = not at all */
    struct graph_here here;
    struct graph_here uid_here, parallelism_here; /* of the calls that set these; not encoded */
    /* filled by graph_prepare */
    struct op_plan plan;
    const uint64_t *needed_in[OP_INPUTS_MAX]; /* bit set per input, NULL = all columns */
    const uint64_t *needed_out[OP_PORTS_MAX];
    char id[GRAPH_ID_SIZE]; /* stable: from the uid, or from the place in the graph */
    uint32_t stage;         /* how many committers are in front of it, on the way that has most */
    int chained_by;         /* edge that chains this node to its parent, or GRAPH_NONE: a head */
    uint32_t vertex;
};

struct graph_edge {
    /* given */
    uint32_t from, to, input;
    const char *side;     /* name of a side output; NULL = the main output */
    bool has_partitioner; /* else forward, or rebalance when the parallelisms differ */
    enum partitioner partitioner;
    struct text_list keys;        /* the consumer's input is keyed by these fields */
    struct function_ref function; /* PART_CUSTOM */
    struct graph_here here;       /* of the call that asked for keys, partitioning or the side output */
    /* filled by graph_prepare */
    uint32_t port;
    const uint32_t *key_cols; /* keys.count of them */
    const uint64_t *needed;   /* what the consumer reads: travels; NULL = all */
    bool chained;
};

/* A chain of operators that runs as one task per subtask. */
struct graph_vertex {
    uint32_t head;         /* node */
    const uint32_t *nodes; /* head first, parents before children */
    uint32_t node_count;
    const char *name; /* "Source: bids -> Filter -> Sink: print" */
    uint32_t parallelism, max_parallelism;
    const char *slot_group;
    bool blocking; /* some operator may block: its tasks get threads of their own */
    char in_flight_id[GRAPH_ID_SIZE]; /* under which snapshots keep what was on its way to the head */
};

/* Where functions are found: a program or a shared object, known by its digest. */
struct graph_artifact {
    struct sha256 digest;
    const char *name;
};

struct graph {
    struct arena *arena; /* everything here lives in it */
    const char *job_name;
    struct graph_artifact artifact;
    struct options settings;                               /* configuration of the run, by Flink's keys */
    struct options parameters;                             /* global job parameters */
    const struct fn_users *users; /* functions that expressions call, set by whoever decodes the graph; NULL: none */
    uint32_t default_parallelism, default_max_parallelism; /* >= 1; 0 = derived */
    bool chaining;
    struct graph_node **nodes;
    struct graph_edge **edges;
    uint32_t node_count, edge_count;
    /* filled by graph_prepare */
    struct graph_vertex *vertices;
    uint32_t vertex_count;
};

/* graph.c */
void graph_init(struct graph *g, struct arena *a);
struct graph_node *graph_add_node(struct graph *g, const struct op_type *type, const char *name,
                                  struct graph_here here);
/* One field of a configuration from text, by the operator's table; a list gets an item more. E_GRAPH: no such field, no such
 * value. */
enum status graph_config_set(struct arena *a, const struct op_type *type, void *config, const char *name, const char *text,
                             struct err *e) CHECKED; /* config cleared */
struct graph_edge *graph_add_edge(struct graph *g, uint32_t from, uint32_t to, uint32_t input, struct graph_here here);
/* Puts "job.c:42: " in front of the error; answers its status. */
enum status graph_at(struct graph_here here, struct err *e);
/* Of a node, its edges being there: what its type says, or more of a type that takes many. */
uint32_t graph_input_count(const struct graph *g, uint32_t node);
/* Edges into a node's input, in order: for (i = graph_next_input(g, node, input, GRAPH_NONE); i >= 0; ...). */
int graph_next_input(const struct graph *g, uint32_t node, uint32_t input, int after);
/* Edges out of a node. */
int graph_next_output(const struct graph *g, uint32_t node, int after);

/* The id of an operator with that uid. */
void graph_id_of_uid(const char *uid, struct mem *mem, char id[static GRAPH_ID_SIZE]);
/* Brings a graph to the state in which it can run: checks, types, needed columns, ids, chains. The first mistake is
 * answered with the source line of the call that made it: "job.c:42: field 'usr' is not in stream 'bids' (has: ...)",
 * and a hint. Functions must be resolved. E_GRAPH, E_CONFIG. */
enum status graph_prepare(struct graph *g, struct err *e) CHECKED;

/* graph_memory.c, after graph_prepare: operators that ask for a share of memory get bytes, of those that the process may use.
 * state: what each of them may keep as state in a task; 0: anything. */
void graph_memory_share(struct graph *g, int64_t process, int64_t state);
/* Of the backend rocksdb, everything but the folder: process = bytes that it may use. */
void graph_disk_share(const struct graph *g, int64_t process, struct state_disk *out);
/* graph_share.c, before graph_prepare. Operators that do the same with the same inputs become one; sources: those, too. now[n]: the
 * number that node n has then, room for all. */
void graph_share(struct graph *g, bool sources, uint32_t *now);
/* graph_copy.c. Copies a node and all that it reads into another graph, whose arena must live as long as that of `from`; answers the
 * number of the copy. copies[n]: of node n of `from` the number of its copy plus 1, 0: none yet; kept from call to call. */
uint32_t graph_copy(const struct graph *from, uint32_t node, struct graph *to, uint32_t *copies);
/* What rows come out of a node, or of its side output; the graph stays as it is. With the source line of a mistake. */
enum status graph_output_type(const struct graph *from, uint32_t node, const char *side, uint32_t parallelism, struct arena *a,
                              const struct type **out, struct err *e) CHECKED;

/* graph_config.c: configurations by their tables. */
/* Visits every function reference of the graph: configurations and partitioners. Stops at the first that answers not S_OK. */
typedef enum status (*graph_function_fn)(void *arg, struct function_ref *f, struct err *e);
enum status graph_each_function(struct graph *g, graph_function_fn fn, void *arg, struct err *e) CHECKED;
/* A boolean field of the configuration by name; false when the operator has none. */
bool graph_config_flag(const struct graph_node *n, const char *field);

/* graph_rescale.c. base: a job as it was submitted, prepared; encoded: the bytes of that; parallelism: [node]. Appends the bytes of the
 * job with these. E_GRAPH: an operator cannot have it, with what to do. */
enum status graph_rescale(const struct graph *base, struct str encoded, const uint32_t *parallelism, struct buf *out,
                          struct err *e) CHECKED;
bool graph_node_is_single(const struct graph_node *n);                /* by nature: its parallelism is 1 */
bool graph_node_follows(const struct graph *base, uint32_t node);     /* it has the parallelism of the job, not one of its own */
/* graph_encode.c, graph_decode.c: docs/formats/job-graph.md. */
void graph_encode(const struct graph *g, struct buf *out);
/* Reads bytes from anywhere: bounded, E_DATA with the place for what does not read. Operators are found by name. Into g,
 * which was initialised; everything is copied. Functions are not resolved. */
enum status graph_decode(struct graph *g, struct str bytes, struct err *e) CHECKED;

/* graph_plan.c: the plan as Flink's JSON ({"nodes": [...]}). The graph is prepared. */
void graph_plan_json(const struct graph *g, struct buf *out);
/* The same for people: a task per paragraph, its inputs, its operators. */
void graph_plan_text(const struct graph *g, struct buf *out);
