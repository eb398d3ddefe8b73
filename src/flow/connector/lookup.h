/* lookup.h - a connector that finds the rows of a key by itself, without being read: Flink's LookupTableSource. Its conn_type names
 * one `struct lookup_type`; without one a lookup join reads the connector's source (lookup_table.h).
 *
 * A plan asks it once which columns must be known, and whether finding may wait for something outside. Then instances find: one per
 * task, for all keys of a batch at once; or, of one that waits, many on helper threads, each for the key of one row (Flink's
 * AsyncLookupFunction). What is kept of the answers, retries of keys without rows and time limits are not the connector's. */
#pragma once
#include "columns/expr/expr.h"
#include "flow/operator/op.h"

/* What a plan wants to know of a table. */
struct lookup_offer {
    struct arena *a;
    const struct fn_session *session; /* its functions of users are those that a statement may name */
    const struct options *options;    /* of the table: checked, without 'connector' */
    const struct option_def *defs;
    const struct type *schema;        /* columns of the table that the connector fills */
    struct text_list primary_key;     /* columns of it; count 0: it has none */
    /* The answer. */
    struct text_list keys;  /* columns of the schema that must be known, in the order of the keys of `find` */
    struct options planned; /* as the job is given them: without names that mean something here and now only */
    bool waits;
};

/* Of an instance. */
struct lookup_cx {
    struct arena *a; /* lives as long as the instance */
    const struct fn_session *session;
    const struct options *options; /* planned */
    const struct option_def *defs;
    const struct type *schema, *keys; /* rows of what is found, and of the keys */
    bool is_first; /* of find: these keys are new, whatever became of those before */
    struct mem *mem;
    struct sys *sys;
    struct err *err;
};

struct lookup_type {
    const char *doc;
    /* E_CONFIG or E_GRAPH with a sentence about the table's options. */
    enum status (*plan)(struct lookup_offer *o, struct err *e);
    size_t instance_size; /* cleared */
    enum status (*open)(struct lookup_cx *cx, void *self);
    void (*close)(struct lookup_cx *cx, void *self); /* also when it was not opened whole */
    /* Rows of the selected keys behind those of `out`: of[r] = to which of them row r belongs (0 = the first selected one), in order.
     * NULL stands for a key that is not known, and finds nothing. S_MORE: `out` is full, called again with the same keys and an empty
     * one; an error: the whole is repeated or given up, and the next call is the first of another. */
    enum status (*find)(struct lookup_cx *cx, void *self, const struct batch *keys, struct batch *out, uint16_t *of);
};
