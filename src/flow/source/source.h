/* source.h - what a connector's reading end is asked for. A source has splits; an enumerator hands them to readers; a
 * split is opened, read batch by batch, and can say its position at any moment. The runtime (op_source.c) owns what all
 * sources share: many splits per subtask, timestamps, per-split watermarks, idleness, alignment, rate limit, cutting
 * batches at watermarks. A connector only reads one split well. */
#pragma once
#include "flow/operator/op.h"

enum { SPLIT_BYTES_MAX = 64 * 1024, SOURCE_SUBTASKS_MAX = 32768 };
enum boundedness { BOUNDED, UNBOUNDED };

struct split {
    const char *id;      /* unique in the source, printable: file name, partition, range */
    struct str bytes;    /* the connector's own encoding, start position included */
};

/* What a source's hooks see. */
struct expr;
struct source_cx {
    struct op_cx *op;
    const struct type *schema;
    const struct type *read;        /* its columns but for the last ones, which are metadata: what records hold */
    const struct text_list *metadata; /* which (source_metadata): of the columns behind those of `read`, one each */
    const uint64_t *needed;         /* columns to fill; the others are ABSENT in the batches handed in */
    const struct options *options;  /* checked against the connector's table */
    const struct option_def *option_defs;
    struct str rows;                /* encoded rows given in the program (from-data); empty elsewhere */
    struct str filter, zone;        /* rows that are wanted (source_filter.h); empty: all */
    struct sys *sys;
    struct mem *mem;                /* lives as long as the instance */
    uint32_t subtask, parallelism;
    int64_t wake_ms;                /* set before answering S_IDLE: when to ask again (wall ms); or somebody wakes the
                                       task, as file_wait.h does */
    struct err *err;
    bool is_backlog;                /* enumerators say so: what is read has long been there, throughput counts */
    uint64_t bad_records, bytes_in; /* counted by readers: records skipped or sent to dead_letter; bytes read */
    /* Rows that could not be read under on-error = dead-letter; NULL when nobody listens. */
    void (*dead_letter)(void *arg, const char *position, const char *reason, struct str raw);
    void *dead_letter_arg;
};

/* For enumerators whose splits are one per subtask, each read for as long as the job runs: who has come for his? A subtask
 * must never get another's, or the others would have nothing to do. */
struct source_claims {
    uint64_t bits[SOURCE_SUBTASKS_MAX / 64];
};
static inline bool source_claim(struct source_claims *c, uint32_t subtask)
{
    ASSERT(subtask < SOURCE_SUBTASKS_MAX);
    bool is_first = !bit_get(c->bits, subtask);
    bit_set(c->bits, subtask);
    return is_first;
}

/* What a connector knows of a row besides what its record holds. */
struct source_metadata {
    const char *key;  /* "file.path"; NULL ends a table */
    const char *type; /* as SQL text */
    const char *doc;
    bool is_part;     /* partition columns: their names follow the key; none of the user's */
};

const struct source_metadata *source_metadata_find(const struct source_metadata *table, const char *key); /* NULL: unknown; also of NULL */
/* The columns of records: all but the last ones, which are metadata. */
const struct type *source_read_type(struct arena *a, const struct type *schema, const struct text_list *metadata);
enum status source_metadata_check(const struct source_metadata *table, const struct type *schema, const struct text_list *keys,
                                  struct err *e) CHECKED;

struct source_type {
    size_t enumerator_size, reader_size, split_size;
    enum boundedness (*boundedness)(const struct options *o, const struct option_def *defs); /* NULL = BOUNDED */
    bool projects;          /* plans show which columns are read; those of other sources come whole in them, and are as little read */
    bool blocking;          /* split_read may block: the task gets a thread of its own */
    const struct source_metadata *metadata; /* NULL = none */
    /* Can it be asked for some fields of nested rows, by a type that has only those? NULL: it cannot. */
    bool (*skips_fields)(const struct options *o, const struct option_def *defs);
    /* What rows come besides +I, as its options say: enum changes, bits. NULL: what its format brings, or nothing (conn_changes). */
    uint8_t (*changes)(const struct options *o, const struct option_def *defs);
    /* Does the source leave out rows for which a condition over these columns is not true, all of them? NULL: never. */
    bool (*takes)(const struct options *o, const struct option_def *defs, const struct type *schema, const struct text_list *metadata,
                  const uint64_t *columns);
    /* Can it leave them out before their watermarks are known? Then the others must come in the order of their times, so that none of
     * them is late with or without those. time: of a row, over its columns. Such a condition is asked of the rows again. NULL: never. */
    bool (*takes_early)(const struct options *o, const struct option_def *defs, const struct type *schema, const uint64_t *columns,
                        const struct expr *time);
    /* How many records lie there, at a glance; -1: that cannot be told. Reads little, before there is a job. NULL: it never can. */
    double (*records)(const struct options *o, const struct option_def *defs, struct sys *sys, struct mem *mem);
    uint32_t splits_at_once; /* read side by side by one subtask; 0 = one after another. Splits that do not end: many */
    /* Derives the schema where the connector fixes it; NULL = taken from the declared row type, as when *row, which holds
     * that one, is left as it is. */
    enum status (*schema)(struct arena *a, const struct options *o, const struct option_def *defs,
                          const struct type **row, struct err *e);
    /* Graph time: do the options fit each other and the columns? May be NULL. */
    enum status (*check)(const struct options *o, const struct option_def *defs, const struct type *row, struct err *e);
    /* Enumerator: one per source, called under its own lock by any subtask's thread. Splits are handed out on request, in order. */
    enum status (*enumerator_open)(struct source_cx *cx, void *self);
    /* Next split for `subtask`: S_OK and *out (bytes in the arena), S_IDLE none now (cx->wake_ms says when), S_END never again. */
    enum status (*enumerator_next)(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a,
                                   struct split *out);
    /* The split of that id was read to its end. May be NULL. */
    void (*enumerator_finished)(struct source_cx *cx, void *self, const char *id);
    void (*enumerator_close)(struct source_cx *cx, void *self);
    /* Reader-wide resources (one client for many splits); may be NULL. */
    enum status (*reader_open)(struct source_cx *cx, void *reader);
    void (*reader_close)(struct source_cx *cx, void *reader);
    /* One split. split_read appends up to batch capacity: S_OK with rows (maybe 0), S_IDLE, S_END (with or without rows). */
    enum status (*split_open)(struct source_cx *cx, void *reader, void *split, const struct split *what);
    enum status (*split_read)(struct source_cx *cx, void *reader, void *split, struct batch *out);
    void (*split_position)(struct source_cx *cx, void *reader, void *split,
                           struct buf *out); /* bytes to reopen from here */
    void (*split_close)(struct source_cx *cx, void *reader, void *split);
    /* Do its positions say all, so that a restored job reads on where the checkpoint was? NULL: those that say any do. */
    bool (*goes_back)(const struct source_cx *cx);
};

static inline bool source_goes_back(const struct source_type *type, const struct source_cx *cx)
{
    return type->goes_back != NULL ? type->goes_back(cx) : type->split_position != NULL;
}
