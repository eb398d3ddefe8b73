/* group_calls.h - the aggregate calls of a group aggregation: read from the configuration, and applied to accumulators. */
#pragma once
#include "columns/function/agg.h"
#include "flow/operator/group_distinct.h"
#include "flow/operator/group_keep.h"

enum { GROUP_CALLS_MAX = 1024 };

/* Parallel lists: the i-th call of each. */
struct group_config {
    struct text_list functions; /* "sum" */
    struct text_list arguments; /* column; "" is * */
    struct text_list filters;   /* BOOLEAN column; "" is none */
    struct text_list distinct;  /* "true", "false" */
    struct text_list names;     /* of the results */
    struct text_list parameters; /* constant second arguments; "=" and the text, "" is none. Empty list: no call has one */
    struct text_list types;      /* of arguments, where parts are merged and the arguments are not there; empty: COUNT(*) */
    bool merges;                /* the input has parts that op_local_groups.c made: keys, then words */
    bool emit_before;           /* -U rows are needed */
    bool emit_every;            /* a change for every row, not one for all rows of a batch */
    bool retracts;              /* rows may be taken back */
    int64_t ttl_ms;             /* 0: for ever */
};

/* The lists as fields of a configuration whose struct group_config begins at byte `at`. */
#define GROUP_CALLS_FIELD(at, member, kind, doc) {#member, kind, (at) + offsetof(struct group_config, member), doc}
#define GROUP_CALLS_FIELDS(at)                                                                                         \
    GROUP_CALLS_FIELD(at, functions, CONF_TEXTS, "aggregates"),                                                        \
        GROUP_CALLS_FIELD(at, arguments, CONF_TEXTS, "their argument columns; empty is *"),                            \
        GROUP_CALLS_FIELD(at, filters, CONF_TEXTS, "BOOLEAN columns that say which rows count; empty is all"),         \
        GROUP_CALLS_FIELD(at, distinct, CONF_TEXTS, "true: equal values count once"),                                  \
        GROUP_CALLS_FIELD(at, names, CONF_TEXTS, "names of the results"),                                              \
        GROUP_CALLS_FIELD(at, parameters, CONF_TEXTS, "their constant second arguments; = and the text, empty is none")

struct group_call {
    struct agg agg;
    int filter;                      /* column, or -1 */
    uint32_t first_field;            /* of its words in the state row */
    struct group_distinct *distinct; /* of the first DISTINCT call of a column; NULL in all others */
    uint32_t set;                    /* of a DISTINCT call: the call that has what it needs to know, */
    uint32_t slot;                   /* and which FILTER of it */
    struct group_keep *keep;         /* NULL: the words do */
    struct group_home home;          /* of a value that is kept, set before opening; none: in a table of its own */
    uint32_t leader;                 /* the first call that is given the same rows; itself when there is none before */
    bool is_distinct;
    struct err *err; /* of the task: where what a user's function says goes */
};

/* Binds the calls against the input; *calls in the arena. E_GRAPH, E_CONFIG. */
enum status group_calls_read(struct arena *a, const struct op_plan *p, const struct group_config *c, struct group_call **calls,
                             struct err *e) CHECKED;
/* Hooks of operators that give one row per group; `config` begins with a group_config. The row: keys, then results of the calls. */
enum status group_calls_derive(struct op_plan *p, const void *config, struct err *e) CHECKED;
void group_calls_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs);
/* Columns of partial results: the keys, as many words as the state row of a group has, and for each set of DISTINCT calls a value and for
 * which slots it is there: a mask, or where rows may be taken back a number of rows per slot. A group has as many rows as it has values
 * of a set, all but the first with words that are zero. */
const struct type *group_parts_row(struct arena *a, const struct op_plan *p, const uint32_t *keys, uint32_t key_count, uint32_t words,
                                   const struct group_call *calls, uint32_t count, bool retracts);
/* The next set (its first call) from call `from` on; count: there is none. How many slots it has, and what they are. */
uint32_t group_set_next(const struct group_call *calls, uint32_t count, uint32_t from);
uint32_t group_set_slots(const struct group_call *calls, uint32_t count, uint32_t set);
void group_set_read(const struct group_call *calls, uint32_t count, uint32_t set, struct group_distinct *d);
/* Only the i-th, which must be an aggregate: agg, filter, is_distinct. */
enum status group_call_read(struct arena *a, const struct op_plan *p, const struct group_config *c, uint32_t i, struct group_call *out,
                            struct err *e) CHECKED;
/* The words of the calls (group_acc_row), and behind them values that may lie there; their calls know the fields from then on. */
const struct type *group_home_row(struct arena *a, const struct group_config *c, struct group_call *calls, bool retracts);
/* `count` words: "rows", "w1", ... */
const struct type *group_words_row(struct arena *a, uint32_t count);
/* number: of the set of calls; several of one operator have different ones, by which their tables are called. merges: what DISTINCT
 * knows will be put together and apart (group_merge.h). */
enum status group_calls_open(struct op_cx *cx, const struct group_config *c, struct group_call *calls, uint32_t count,
                             uint32_t number, const struct state_def *group, bool merges) CHECKED;
void group_calls_close(struct op_cx *cx, struct group_call *calls, uint32_t count);

bool group_calls_hold(const struct group_call *calls, uint32_t count); /* more than words: DISTINCT, values that are kept */
/* Finds the values of DISTINCT arguments of a whole batch, and those that are kept; may answer S_PENDING. ns: the group's. firsts: of
 * the keys; NULL: they are found here when they are needed. restarts: bits of the
 * keys of `firsts` whose values of DISTINCT are forgotten first; NULL: none. groups[i]: the row of the i-th key's group, where values are at home there. */
enum status group_calls_resolve(struct group_call *calls, uint32_t count, int64_t ns, const struct batch *in,
                                const struct state_keys *keys, const struct group_firsts *firsts, const uint64_t *restarts,
                                void *const *groups) CHECKED;
/* Only the values that are kept, to be read; may answer S_PENDING. */
enum status group_calls_resolve_kept(struct group_call *calls, uint32_t count, int64_t ns, const struct state_keys *keys,
                                     void *const *groups) CHECKED;
/* The groups of these keys are gone, behind group_calls_resolve_kept for them; all that DISTINCT has looked up is done. */
enum status group_calls_forget(struct group_call *calls, uint32_t count, int64_t ns, const struct state_keys *keys) CHECKED;
/* The same without looking up anything: nothing is looked up for DISTINCT, and what is kept is done later, if it is looked up. */
enum status group_calls_delete(struct group_call *calls, uint32_t count, int64_t ns, const struct state_keys *keys) CHECKED;
void group_calls_drop(struct group_call *calls, uint32_t count, int64_t ns); /* the namespace is gone */
/* The selected rows first..first+n of the batch into acc[first..]; calls for one batch go forward. */
enum status group_calls_apply(struct group_call *calls, uint32_t count, const struct batch *in, void *const *acc, uint32_t first,
                              uint32_t n) CHECKED;
/* Results of acc[0..n) into column `col` of the batch, from row `first` on; of a call whose words do. */
void group_call_results(const struct group_call *call, void *const *acc, uint32_t n, struct batch *out, uint32_t col, uint32_t first);
/* Did functions of users fail in what was called so far? Asked behind results; the others ask themselves. */
enum status group_calls_check(const struct group_call *calls, uint32_t count) CHECKED;
/* Adds parts: other[i] has the words of the calls as acc[i] has, beginning with the number of rows. */
enum status group_calls_merge(struct group_call *calls, uint32_t count, void *const *acc, void *const *other, uint32_t n) CHECKED;
/* And the values of DISTINCT calls that parts bring, up to row `end`. */
enum status group_calls_merge_values(struct group_call *calls, uint32_t count, const struct batch *in, void *const *acc, uint32_t end) CHECKED;
void group_calls_done(struct group_call *calls, uint32_t count); /* the batch is done */
