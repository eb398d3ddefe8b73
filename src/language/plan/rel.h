/* rel.h - relations: the plan of a query as a graph of nodes. One file node_<name>.c ends in one `const struct rel_type
 * rel_<name>`: how it is explained, what it is lowered to. Nodes are immutable and live in the statement's arena.
 *
 * A node's columns are `row`; expressions of its body speak of its input's columns by number.
 *
 * Changelogs: `modifies` says which rows besides +I come out, from the inputs up; rel_plan then asks from the sinks down who needs
 * the rows before an update (-U), and nodes that make updates leave them out where nobody does. An edge that carries updates is
 * forward or hash, by columns of one of the node's keys or with -U: both rows of an update go the same way.
 *
 * A source of upserts has no -U to give, and perhaps no more than the key of a row that is deleted: on it stands a ChangelogNormalize,
 * which rel_plan takes out where nobody needs more. On a source that gives -U stands a DropUpdateBefore, which it takes out where
 * somebody needs it. */
#pragma once
#include "columns/expr/expr.h"
#include "control/graph/graph.h"
#include "flow/operator/row_runs.h"
#include "language/catalog/catalog.h"
#include "language/plan/settings.h"

enum { REL_INPUTS_MAX = 1024 };

struct rel;
struct rel_said; /* where a statement says it: language/sql/plan_places.h */
struct logical;
struct narrowing;
struct reuse_map;
struct conditions;

/* Where rows are worked on if no columns decide it: in any task, in each of them. */
enum distribution { DISTRIBUTION_ANY = -1, DISTRIBUTION_BROADCAST = -2 };

/* Where nodes are lowered to. */
/* Functions that wait for something outside. */
struct async_calls {
    int64_t capacity, timeout_ms, attempts, retry_delay_ms;
};

struct lowering {
    struct graph *graph;
    struct arena *a;
    const struct fn_session *session;
    int64_t receiver; /* of the result's rows */
    int64_t ttl_ms;   /* table.exec.state.ttl */
    int64_t idle_ms;  /* table.exec.source.idle-timeout */
    bool emit_every;  /* thalweg.exec.emit = every */
    struct reuse_map *nodes; /* which node each part of the plan became; NULL: nobody asks */
    uint32_t *copies; /* of operators of the program's streams; see node_stream.c */
    bool is_batch;    /* execution.runtime-mode = batch: no watermarks, what changes comes once */
    const struct rel_said *said; /* after a failure: of what; NULL: not known */
    struct async_calls async_scalar, async_table; /* table.exec.async-scalar, table.exec.async-table */
    struct spill_config spill; /* of sorts: table.exec.resource.sort.memory and others */
    struct spill_config spill_groups, spill_joins; /* the same of aggregates and joins, where results come at the end */
};

struct rel_type {
    const char *name; /* as EXPLAIN shows it: "Calc" */
    const char *planned_as; /* as errors name it, where Flink decides what it is only behind its checks; NULL: as `name` */
    const char *doc;
    bool passes_changes; /* rows come out as the kinds that they came in */
    bool ends; /* in batch mode it gives its rows once, when its input has ended (at_end), instead of changes */
    /* Fills modifies, keys and is_empty from inputs and body, when the node is made; NULL: only +I, no keys. */
    void (*derive)(struct rel *r, struct arena *a);
    /* Does it need -U from an input that updates, given its own wants_before? NULL: when others need it of this node. */
    bool (*wants_before)(const struct rel *r, uint32_t input);
    /* Is the key of a row that is deleted enough for it, given its own takes_keys? NULL: the whole row is needed. */
    bool (*takes_keys)(const struct rel *r, uint32_t input);
    /* How many columns decide in which task a row of an input is worked on, and which; 0: all rows in one; else an enum distribution.
     * NULL: any. */
    int (*distribution)(const struct rel *r, uint32_t input, const uint32_t **cols);
    /* Do its rows lie in the task to which a hash of these columns, in this order, would send them? NULL: that is not known. */
    bool (*lies_by)(const struct rel *r, const uint32_t *cols, uint32_t count);
    /* Can it work on what its inputs bring? NULL: yes. E_UNSUPPORTED in Flink's words. */
    enum status (*check)(const struct rel *r, struct err *e);
    /* What is to be said of it before it runs, in a sentence; NULL: nothing. After rel_plan. */
    const char *(*advise)(const struct rel *r, const struct plan_settings *s, struct arena *a);
    /* Rewrites (rewrite.h). Which column of that input is column `col` of its rows, so that rows may be dropped by it there as well as
     * here; -1: none. NULL: never. */
    int (*passes)(const struct rel *r, uint32_t input, uint32_t col);
    bool is_any; /* its rows are those of any input: what drops some must be told to each */
    /* A stricter node that gives the same rows of which all conditions are true, or r. It may take conditions out that need not be
     * asked any more. */
    struct rel *(*strengthen)(struct arena *a, struct rel *r, struct conditions *c);
    /* The node without columns that are not needed; at[c]: what number column c has in it. NULL: it keeps them all. */
    struct rel *(*narrow)(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
    void (*explain)(const struct rel *r, struct buf *out); /* "select=[a], where=[(a > 1)]"; NULL: nothing */
    void (*logical)(const struct rel *r, struct logical *l); /* its lines of the abstract syntax tree, logical.h; NULL: none */
    /* Appends graph nodes behind those of the inputs; answers the last one. */
    enum status (*lower)(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node,
                         struct err *e);
};

/* What updates do to a column's values; NULL comes before all others. */
enum rel_monotone { MONOTONE_NOT, MONOTONE_CONSTANT, MONOTONE_GROWS, MONOTONE_FALLS };

enum modifies { MODIFIES_NOTHING, MODIFIES_UPDATES = 1, MODIFIES_DELETES = 2 };
enum { REL_KEYS_MAX = 8 };

/* Columns by which at most one row is there at a time: an upsert key. count 0: there is at most one row. */
struct rel_key {
    uint32_t count;
    const uint32_t *cols; /* ascending */
};

enum rel_window_kind { WINDOW_TUMBLE, WINDOW_HOP, WINDOW_CUMULATE, WINDOW_SESSION };

/* Rows belong to windows, and columns say to which: what a window table function gave and nodes above it forward. */
struct rel_window {
    uint8_t kind; /* enum rel_window_kind */
    bool processing_time;
    int64_t size_ms, slide_ms, offset_ms; /* CUMULATE: the greatest size, the step; SESSION: the gap, 0, 0 */
    int start, end, time;                 /* columns of the node; -1: not there */
    int twins[3];                         /* other columns that say the same (of a join's right side), or -1 */
    const struct type *time_type;         /* of window_time */
    uint32_t partition_count;
    const int *partition; /* SESSION: the columns by which rows have sessions, ascending; -1: not there */
};

struct rel {
    const struct rel_type *type;
    const struct type *row;
    const struct rel_window *window; /* filled by derive; NULL: none */
    uint8_t modifies; /* enum modifies, bits */
    uint32_t key_count;
    struct rel_key keys[REL_KEYS_MAX];
    const uint8_t *monotone; /* enum rel_monotone per column, of rows that are updated; NULL: nothing is known */
    bool hands_before; /* -U comes out even when nobody needs it: it passes on what it needs itself, or what the source brings */
    bool wants_rows;   /* filled by rel_plan: somebody needs whole rows of what is deleted */
    bool deletes_by_key; /* a -D may have nothing but the columns of the key; of sources, and filled by rel_plan */
    bool wants_before; /* filled by rel_plan: -U comes out of this node */
    bool planned, is_asked, settled; /* rel_plan's */
    uint32_t input_count;
    struct rel *const *inputs;
    const void *body; /* of the type's own */
    const struct rel_said *said; /* what it was made of; NULL: what the node above was made of */
    bool is_bounded;  /* its rows come to an end */
    bool at_end;      /* its rows come once, when its input has ended: of types that say `ends` */
    struct rel *in_batch; /* what rel_batch has made of it */
    struct rel *sifted;   /* what rewrite_conditions has made of it without a condition from above */
    struct rel *in_phases; /* the same of rel_two_phase */
    struct rel *in_joins;  /* of rel_multi_joins */
    struct rel *in_buckets; /* of rel_split_distinct */
    struct rel *normalized; /* of rewrite_normalize */
    bool is_empty;    /* no row ever comes; filled by derive */
};

extern const struct rel_type *const rel_types[]; /* sorted by name, ends with NULL */
/* Those that rewrites look for. */
extern const struct rel_type rel_aggregate_type, rel_async_calc_type, rel_calc_type, rel_correlate_type, rel_deduplicate_type,
    rel_drop_before_type, rel_expand_type, rel_interval_join_type, rel_join_type, rel_limit_type, rel_lookup_join_type,
    rel_normalize_type, rel_over_type, rel_rank_type, rel_set_type, rel_sink_type, rel_sort_limit_type, rel_temporal_join_type,
    rel_union_type, rel_system_type, rel_values_type, rel_watermark_type, rel_window_join_type, rel_window_tvf_type;

/* VALUES: constants, row by row. */
struct values_body {
    uint32_t row_count;
    struct expr *const *items; /* row after row */
    bool shows_names;          /* in batch mode EXPLAIN names the columns */
};
/* Rows that the session knows by itself. */
struct system_body {
    const struct table *table;
    struct values_body values;
};
/* A scan of a table's physical and metadata columns. */
struct scan_body {
    const struct table *table;
    const struct type *row;    /* all that could be read; NULL: the node's row is that */
    struct text_list metadata; /* keys of the connector's, of the last columns of it */
    struct expr *filter;       /* over those columns: what the source leaves out; NULL: nothing */
    struct expr *asked;        /* over them: all that is asked of the rows right behind, which EXPLAIN shows; NULL: nothing */
    const struct table_statistics *statistics; /* in batch mode; NULL: nothing is known */
};
/* Event time and watermarks of rows: the greatest value of an expression over them. */
struct watermark_body {
    uint32_t rowtime; /* column */
    struct expr *watermark;
};
/* Upserts, or changes that may come twice, as a changelog. */
struct normalize_body {
    const struct table *table; /* whose rows they are */
    uint32_t key_count;
    const uint32_t *keys; /* columns: the primary key */
    struct expr *filter;  /* rows for which it is not true are gone; NULL: none */
    const struct conditions *takes; /* of those above it what may go into it and below; NULL: nothing yet (rewrite_normalize.c) */
    bool may_repeat;      /* table.exec.source.cdc-events-duplicate */
};
/* Filter and projection. */
struct calc_body {
    struct expr *condition; /* NULL: every row */
    uint32_t count;         /* 0: the columns of the input */
    struct expr *const *columns;
    bool alone; /* it is not put together with one below */
    bool is_table; /* of AsyncCalc: it makes the rows of a table function */
};
/* How long rows are kept, by a hint; text NULL: as the session says. */
struct rel_ttl {
    const char *text;
    int64_t ms;
};
/* How a table is looked up, by a hint or as the session says. */
struct rel_lookup_hint {
    int64_t attempts, delay_ms; /* a key without rows is asked for again */
    bool shuffled;              /* rows of one key go to one task */
    bool is_sync;               /* not asynchronously, even where that is possible */
    struct lookup_settings async;
};
/* Aggregates of groups: the row has the group columns, then the results. */
struct aggregate_call {
    const char *function; /* of agg_types; of a user's what it is called in job graphs */
    const char *label;    /* how it is shown; NULL: as `function` */
    int argument, filter; /* columns of the input, or -1 */
    bool distinct;
    const char *parameter; /* constant second argument; NULL: none */
    const struct type *result;
    const char *name;
};
enum aggregate_phase { AGGREGATE_WHOLE, AGGREGATE_PARTIAL, AGGREGATE_FINAL }; /* of split_distinct.c */
struct aggregate_body {
    uint32_t key_count, call_count;
    const uint32_t *keys; /* columns of the input */
    const struct aggregate_call *calls;
    struct rel_ttl ttl;
    uint8_t phase; /* enum aggregate_phase */
};
/* Every row set_count times, by other expressions each time: column i of repetition s is columns[s * count + i]. */
struct expand_body {
    uint32_t set_count, count;
    struct expr *const *columns;
};
/* Hints that name a side of a join, in their order. */
struct join_hints {
    uint32_t count;
    const struct join_hint {
        const char *name; /* "BROADCAST" */
        uint8_t side;     /* that it names first */
    } *items;
};
/* Pairs of rows of two inputs with equal keys; or rows of the left one that have, or lack, a partner. */
enum rel_join_kind { REL_JOIN_INNER, REL_JOIN_LEFT, REL_JOIN_RIGHT, REL_JOIN_FULL, REL_JOIN_SEMI, REL_JOIN_ANTI };
struct join_body {
    uint8_t kind; /* enum rel_join_kind */
    uint32_t key_count;
    const uint32_t *keys[2];   /* columns of each input, of equal types */
    const bool *null_safe;     /* per key: NULL equals NULL */
    struct expr *condition;    /* over the columns of both, left before right; NULL: equal keys are enough */
    const char *const *names;  /* of the columns of both, each once */
    struct rel_ttl ttl[2];     /* of each input's rows */
    struct join_hints hints;
};
/* A join of windows. Its keys are without those of the window, which stand in `all`, too. */
struct window_join_body {
    struct join_body join;
    struct join_body all; /* for EXPLAIN */
};
/* A join of rows whose times lie in an interval of each other: left time - right time is in lower..upper. Event times are columns
 * of the inputs, and stay time attributes. */
struct interval_join_body {
    struct join_body join; /* inner, left, right, full; its condition is what times and keys leave open */
    bool processing_time;
    uint32_t times[2];
    int64_t lower_ms, upper_ms;
    struct expr *shown; /* the condition with that on times, for EXPLAIN */
};
/* Each left row beside the version of a right row that held at its time: inner or left. Times are columns; those of the left side
 * stay time attributes. */
struct temporal_join_body {
    struct join_body join;
    uint32_t time; /* of the left side */
};
/* Each row beside the rows of its key in a table that is asked when the row comes: inner or left. Keys of the right side are columns
 * of `right`: what `columns`, over what the table's connector reads, keep of the rows that `filter` passes. */
struct lookup_join_body {
    struct join_body join;
    const struct table *table;
    const struct text_list *metadata; /* of the scan */
    const struct type *schema, *right;
    struct expr *filter; /* NULL: all rows */
    struct expr *const *columns;
    struct rel_lookup_hint hint;
    struct options options; /* of the connector, as a job gets them */
    /* Of a connector that finds rows by keys itself: these, over a row of the join's keys as the right side has them. */
    struct expr *const *asks;
    uint32_t ask_count;
    bool is_async;
};
/* Each row once per element of a list that it has: the columns of the input, then those of the elements. */
struct correlate_body {
    struct expr *list; /* an ARRAY, MAP or MULTISET */
    bool left, ordinality;
    struct expr *condition;   /* of LEFT, over all columns; NULL: none */
    const char *const *names; /* of all columns */
};
/* Places of rows in an order, first..last; last RANK_UNBOUNDED: all of them. */
#define RANK_UNBOUNDED INT64_MAX
struct rank_order {
    uint32_t col; /* of the input */
    bool descending, nulls_last;
};
struct rank_body {
    uint32_t partition_count, order_count;
    const uint32_t *partition; /* columns of the input */
    const struct rank_order *order;
    int64_t first, last;
    const char *function; /* "ROW_NUMBER" */
    const char *number;   /* name of the column of the place, behind those of the input; NULL: none */
    bool is_limit;        /* of ORDER BY and LIMIT, not of a rank function */
    uint32_t key_count;   /* the partition without the columns of windows; filled by rel_rank */
    const uint32_t *keys;
};
/* Results of functions over the rows up to the current one, behind the columns of the input. */
/* The frame of a row: rows, or values, off its own; INT64_MIN and INT64_MAX: as far as the partition goes. */
struct over_bounds {
    bool rows;
    int64_t from, to;
};
struct over_call {
    struct aggregate_call call; /* function: also "row_number", "rank", "dense_rank", "lag"; in batch mode those of over_places.c */
    int64_t offset;             /* of lag, lead, ntile */
    int otherwise;              /* column of its default, or -1 */
    struct over_bounds frame;   /* in batch mode, where each call has its own; else the body says it */
};
struct over_body {
    uint32_t partition_count, order_count, call_count;
    const uint32_t *partition; /* columns of the input */
    const struct rank_order *order;
    bool rows;           /* ROWS, else RANGE */
    bool bounded;        /* the window begins `preceding` rows, or ms, before the current row; else with the first one */
    bool ends_elsewhere; /* than at the current row */
    int64_t preceding;
    const struct over_call *calls;
};
/* Rows of two inputs by how often each side has them. */
struct set_body {
    bool is_except; /* else INTERSECT */
    bool all;       /* else every row once */
};
/* Rows once per window that they lie in; window_start, window_end, window_time behind the columns of the input. */
struct window_tvf_body {
    uint32_t rowtime;
    struct rel_window window; /* without its columns */
};
/* When windows of GROUP BY fire besides at their end. Delays: 0 at every row, -1 not at all. */
struct window_emit {
    bool updates; /* results are told more than once, or may be */
    int64_t early_ms, late_ms, lateness_ms;
};
/* Aggregates of groups and windows, once each: the row has the group columns, the results, window_start, window_end and
 * window_time. rowtime: the column of the input that decides the windows, or -1: columns start and end of `window` say them. */
struct window_aggregate_body {
    struct aggregate_body groups; /* without the window's columns */
    struct rel_window window;
    int rowtime;
    struct window_emit emit; /* of a group window */
    bool is_group_window, shows_window; /* a window function of GROUP BY; parts of the window are read */
};
/* All rows in an order, when the input has ended. */
struct sort_body {
    uint32_t order_count;
    const struct rank_order *order;
};
/* Rows into a table, or to whoever asked (table NULL). */
enum sink_conflict { SINK_CONFLICT_UNSAID, SINK_CONFLICT_NOTHING, SINK_CONFLICT_ERROR, SINK_CONFLICT_DEDUPLICATE };
struct sink_body {
    const struct table *table;
    const struct type *row;      /* of what is written: the table's names and types */
    uint8_t conflict;            /* enum sink_conflict */
    struct calc_body enforce;    /* checks of the values, over the input's row; condition NULL and count 0: none */
    struct calc_body parts;      /* of a partitioned table: partition columns go last, as text; count 0: none */
    const char *const *part_names;
    uint32_t target_count;       /* columns that INSERT lists, in its order */
    const uint32_t *targets;
    struct plan_settings settings;
    bool is_explained;           /* of a query: nobody asks for -U */
    const struct table *replaced; /* `table` is where its new rows are staged; NULL: rows are added */
    bool replaces_all;           /* else the partitions that have new rows */
};

const struct sink_body *rel_sink_body(const struct rel *r); /* of a sink */
struct rel *rel_values(struct arena *a, const struct type *row, const struct values_body *body);
struct rel *rel_system(struct arena *a, const struct type *row, const struct system_body *body);
struct rel *rel_scan(struct arena *a, const struct scan_body *body, const struct type *row);
const struct text_list *rel_scanned_metadata(const struct rel *r); /* of a scan */
uint8_t table_changes(const struct table *t); /* what its connector or stream brings besides +I: enum changes */
const struct table *rel_scanned(const struct rel *r); /* the table of a scan; NULL: it is another node */
struct rel *rel_watermark(struct arena *a, struct rel *input, const struct type *row, const struct watermark_body *body);
struct rel *rel_drop_before(struct arena *a, struct rel *input); /* a source of changes, without -U where nobody needs it */
struct rel *rel_normalize(struct arena *a, struct rel *input, const struct normalize_body *body);
struct rel *rel_calc(struct arena *a, struct rel *input, const struct calc_body *body, const char *const *names);
/* The same rows under other column names; r itself when they are the same. */
struct rel *rel_renamed(struct arena *a, struct rel *r, const char *const *names);
struct rel *rel_expand(struct arena *a, struct rel *input, const struct expand_body *body, const char *const *names);
struct rel *rel_aggregate(struct arena *a, struct rel *input, const struct aggregate_body *body);
struct rel *rel_rank(struct arena *a, struct rel *input, const struct rank_body *body);
struct rel *rel_over(struct arena *a, struct rel *input, const struct over_body *body);
/* Why such a window over rows of that type cannot be computed, in Flink's words; NULL: it can. *hint: what to do then. */
const char *rel_over_refused(const struct over_body *b, const struct type *in, const char **hint);
struct rel *rel_window_tvf(struct arena *a, struct rel *input, const struct window_tvf_body *body);
enum status rel_check_window(const struct rel_window *w, struct err *e) CHECKED; /* can an aggregation be over its slices? */
struct rel *rel_window_aggregate(struct arena *a, struct rel *input, const struct window_aggregate_body *body);
/* "TUMBLE(time_col=[ts], size=[10 min])"; rowtime NULL: windows that columns of the row say. */
void rel_print_window(const struct rel_window *w, const struct type *row, const char *rowtime, struct buf *out);
/* `row`: what the inputs have but for names, nullable where one of them is. */
struct rel *rel_union(struct arena *a, const struct type *row, struct rel *const *inputs, uint32_t count);
struct rel *rel_join(struct arena *a, struct rel *left, struct rel *right, const struct join_body *body);
/* The columns of two rows beside each other, nullable where that side may have none; times are no longer attributes. */
const struct type *rel_join_row(struct arena *a, enum rel_join_kind kind, const struct type *left, const struct type *right,
                                const char *const *names);
struct rel *rel_interval_join(struct arena *a, struct rel *left, struct rel *right, const struct interval_join_body *body);
/* A join of windows that both inputs have: keys without those of the window, which window_join_keys found. */
struct rel *rel_window_join(struct arena *a, struct rel *left, struct rel *right, const struct window_join_body *body);
/* Takes the equations of window starts and ends out of a join's keys where both are there and the inputs have windows of one kind;
 * answers how many keys are left: `count` when it is no join of windows. */
uint32_t window_join_keys(struct rel *const inputs[2], uint32_t *const cols[2], bool *null_safe, uint32_t count);
/* The same where time attributes stay what they are. */
const struct type *rel_join_row_timed(struct arena *a, enum rel_join_kind kind, const struct type *left, const struct type *right,
                                      const char *const *names);
struct rel *rel_temporal_join(struct arena *a, struct rel *left, struct rel *right, const struct temporal_join_body *body);
/* Fills all but `join` and `hint` from the plan of the right side. E_UNSUPPORTED: it is more than a table with filters and projections,
 * or its connector cannot be asked by these keys. */
enum status rel_lookup_make(const struct expr_maker *m, const struct rel *right, struct lookup_join_body *body, struct err *e) CHECKED;
struct rel *rel_lookup_join(struct arena *a, struct rel *left, const struct lookup_join_body *body);
struct rel *rel_correlate(struct arena *a, struct rel *input, const struct correlate_body *body);
/* Input's columns, then those of the elements of a list and the ordinal; NULL: it has no elements. */
const struct type *rel_correlate_row(struct arena *a, const struct type *input, const struct correlate_body *body);
struct rel *rel_set(struct arena *a, const struct type *row, struct rel *const sides[2], const struct set_body *body);
struct rel *rel_sort(struct arena *a, struct rel *input, const struct sort_body *body); /* only in batch mode */
struct rel *rel_temporal_sort(struct arena *a, struct rel *input, const struct sort_body *body); /* the first column is a time */
struct rel *rel_fold(struct arena *a, struct rel *input); /* what is there when a changelog has ended */
struct rel *rel_sink(struct arena *a, struct rel *input, const struct sink_body *body);

/* Plans of one statement that give the same rows for less work: rewrite.h. Answers how many they are then. */
uint32_t rel_rewrite(struct arena *a, struct rel **plans, uint32_t count, const struct plan_settings *s);
/* The plan for batch mode: no node changes rows that it has given. E_DATA in Flink's words for a table without end; *said (NULL before):
 * where it is read. */
enum status rel_batch(struct arena *a, struct rel *r, const struct plan_settings *s, struct rel **out, const struct rel_said **said,
                      struct err *e) CHECKED;
/* The same plan with inner and left joins by a common key as one node: all of them, or where the hint MULTI_JOIN asks for it. */
struct rel *rel_multi_joins(struct arena *a, struct rel *r, bool all);
/* The same plan with DISTINCT aggregates by buckets of their arguments first. */
struct rel *rel_split_distinct(struct arena *a, struct rel *r, uint32_t buckets);
/* The same plan with group aggregations in two phases; incremental: what stands between those of buckets and of groups is one node. */
struct rel *rel_two_phase(struct arena *a, struct rel *r, bool incremental);
void rank_print_order(const struct rank_order *order, uint32_t count, const struct type *row, struct buf *out); /* "price DESC" */

/* r, and all below it of which that is not known yet, were made of that. */
void rel_say(struct rel *r, const struct rel_said *said);
/* The same for what was made of `old` for a rewrite. Answers r. */
struct rel *rel_say_as(struct rel *r, const struct rel *old);

/* Checks the plan and decides which updates come with -U: once, before EXPLAIN and lowering. Sinks of one statement. *said (NULL before):
 * what was refused. */
enum status rel_plan(struct rel *const *sinks, uint32_t count, const struct rel_said **said, struct err *e) CHECKED;
/* Is nothing changed that an input brings? Else E_UNSUPPORTED in Flink's words: `node` doesn't support consuming update changes ... */
enum status rel_check_appends(const struct rel *r, const char *node, const char *hint, struct err *e) CHECKED;
const char *rel_called(const struct rel *r); /* in errors */
bool rel_has_key(const struct rel *r, const uint32_t *cols, uint32_t count); /* are the columns, in any order, one of its keys? */
/* Does a set of columns contain one of the node's keys? bits: of columns. */
bool rel_covers_key(const struct rel *r, const uint64_t *bits);
void rel_add_key(struct rel *r, struct arena *a, const uint32_t *cols, uint32_t count); /* no more than REL_KEYS_MAX are kept */
/* "I,UB,UA,D", PD for deletes by key: what comes out, as EXPLAIN CHANGELOG_MODE shows it. */
void rel_print_changes(const struct rel *r, struct buf *out);

/* The edge from a node of the job graph to input `input` of the one that r becomes, by its distribution. */
void lower_edge(struct lowering *l, const struct rel *r, uint32_t from, uint32_t to, uint32_t input);
/* An order as operators have it: columns, directions, places of NULL (flow/operator/order_columns.h). */
void lower_order(struct lowering *l, const struct type *row, const struct rank_order *order, uint32_t count,
                 struct text_list *const lists[3]);
/* Operator calc behind a node of the job graph; answers its number. */
uint32_t lower_calc(struct lowering *l, const struct calc_body *c, const char *const *names, uint32_t input);

/* As operators read them, one after the other: of the node that was added last. */
struct str lower_exprs(struct lowering *l, struct expr *const *list, uint32_t count);
const char *lower_zone(struct lowering *l); /* the session's time zone; NULL: none */

/* What is to be said of the nodes of a plan. */
struct rel_advices {
    uint32_t count, capacity;
    struct rel_advice {
        const struct rel *about;
        const char *text;
    } *items;
};
void rel_advise(struct rel *const *sinks, uint32_t count, const struct plan_settings *s, struct arena *a, struct rel_advices *out);
/* With table.optimizer.non-deterministic-update.strategy = TRY_RESOLVE: updates of columns that are never the same are refused. */
enum status rel_check_determinism(struct rel *const *sinks, uint32_t count, struct arena *a, const struct rel_said **said,
                                  struct err *e) CHECKED;

void rel_explain_logical(const struct rel *r, struct buf *out); /* EXPLAIN's abstract syntax tree */
/* The tree as EXPLAIN prints it, one node a line; with `changes` each says what comes out of it. */
struct rel_reuse; /* reuse.h */
/* What a line says besides the node. */
struct rel_shown {
    bool changes;
    const struct rel_advices *advices; /* NULL: none */
    struct rel_reuse *reuse;           /* what of several plans, printed one after the other, is there once; NULL: nothing */
    void (*note)(void *arg, const struct rel *r, struct buf *out); /* behind it; NULL: nothing */
    void *arg;
};
double rel_rows(const struct rel *r); /* a guess at how many it gives: rows.c */
double rel_bytes(const struct rel *r); /* and at how many bytes these take */
/* What is known of a column, and of how many rows; said NULL: nothing. */
struct rel_column {
    const struct column_statistics *said;
    double rows;
};
struct rel_column rel_column_of(const struct rel *r, uint32_t col);
const struct table_statistics *rel_scan_statistics(const struct rel *r); /* NULL: unknown, or another node */
void rel_explain(const struct rel *r, const struct rel_shown *how, struct buf *out);
enum status rel_too_many(struct err *e); /* operators: E_BUDGET */
enum status rel_lower(const struct rel *r, struct lowering *l, uint32_t *node, struct err *e) CHECKED;
/* Operator window_tvf, or session_tvf, behind a node of the job graph; answers its number. in: the row it reads. bounds: names of the
 * three columns of the window; NULL: as SQL has them. */
uint32_t lower_window_tvf(struct lowering *l, const struct rel_window *w, const struct type *in, uint32_t rowtime, const char *const *bounds,
                          uint32_t input);
/* The zone in which the windows lie; "": they are no windows of instants. */
const char *lower_window_zone(struct lowering *l, const struct rel_window *w);
/* An edge by columns of these names; none: all rows in one task. */
void lower_hash_edge(struct lowering *l, uint32_t from, uint32_t to, const char *const *names, uint32_t count);
/* Aggregate calls as the operators' configuration has them, and as EXPLAIN shows them: "COUNT(DISTINCT a) FILTER b AS c". */
struct group_config;
void lower_aggregate_calls(struct lowering *l, const struct aggregate_body *b, const struct type *in, struct group_config *c);
void rel_print_aggregate(const struct aggregate_call *c, const struct type *in, struct buf *out);
