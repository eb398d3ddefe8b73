/* sqlgen.h - generated SQL: from a seed come tables and queries, and every query has to give the same rows in every mode of the
 * engine, as its parts put together again (check.c), and as SQLite and DuckDB where all mean the same (peers.py).
 *
 * tables.c makes tables, expression.c typed expressions from a table of productions, query.c queries around them, answer.c runs a
 * text and folds its changelog, check.c compares, main.c is the command. Everything of one seed lives in one arena.
 *
 * A query is generated for somebody: `wanted` says which peers must understand it, and only productions that they share are used. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/prng.h"
#include "ground/sys/sys.h"

enum gtype { G_INT, G_BIGINT, G_DOUBLE, G_DECIMAL, G_TEXT, G_BOOL, G_DATE, G_TIMESTAMP, G_TYPES };
enum { PEER_SQLITE = 1, PEER_DUCKDB = 2, PEER_BOTH = 3 };
enum { TABLES_MAX = 4, COLUMNS_MAX = 6, SCOPE_MAX = 48, MODES_MAX = 8 };

extern const char *const gtype_names[G_TYPES]; /* as CAST takes them */

/* --- what is generated ---------------------------------------------------------------------------------------------- */
struct gtable {
    const char *name;
    uint32_t column_count, row_count;
    uint8_t types[COLUMNS_MAX]; /* enum gtype */
    const char **cells;         /* literals, row after row; NULL is NULL */
    bool is_stream;             /* column c0 is its event time, ascending; lies in a file */
};

/* What the engine can do by now, asked with a probe; see features.c. */
enum feature { CAN_CORRELATE, CAN_SCALAR_QUERY, CAN_OVER, CAN_LATERAL, FEATURES };

struct gen {
    struct prng rng;
    struct arena *a;
    struct gtable tables[TABLES_MAX];
    uint32_t table_count;
    uint32_t wanted;  /* peers that have to understand what is made */
    uint32_t aliases; /* made so far */
    bool can[FEATURES];
};

struct gcolumn {
    const char *name; /* as it stands in an expression: "t3.c0" */
    uint8_t type;
};
struct gscope {
    struct gcolumn items[SCOPE_MAX];
    uint32_t count;
};

static inline uint32_t pick(struct gen *g, uint32_t bound) { return (uint32_t)prng_below(&g->rng, bound); }
static inline bool chance(struct gen *g, uint32_t percent) { return pick(g, 100) < percent; }

/* --- tables.c ------------------------------------------------------------------------------------------------------- */
void tables_make(struct gen *g);
void csv_cell_put(const char *cell, struct buf *out); /* without quotes; NULL is NULL */
/* The statement that makes the table in the engine. Rows of a stream go to the file that path names. */
const char *table_statement(struct gen *g, const struct gtable *t, const char *path);
/* "CAST(-3 AS INT)" and the like; peers read it too. */
void put_literal(struct gen *g, enum gtype t, struct buf *out);

/* --- changes.c ------------------------------------------------------------------------------------------------------ */
/* A history of changes at whose end the table's rows are there, for the connector script; *mode: what comes. True: it needs a key. */
bool changes_put(struct gen *g, const struct gtable *t, uint64_t seed, const char **mode, struct buf *out);
/* The statements that make the table of such a file. */
const char *changes_table(struct gen *g, const struct gtable *t, const char *path, const char *mode, bool keyed);
const char *changes_view(struct gen *g, const struct gtable *t);

/* --- expression.c --------------------------------------------------------------------------------------------------- */
enum gtype pick_type(struct gen *g);
void put_expression(struct gen *g, const struct gscope *s, enum gtype t, uint32_t depth, struct buf *out);

/* --- query.c -------------------------------------------------------------------------------------------------------- */
/* Two texts that must give the same rows. */
struct gpair {
    const char *name, *left, *right;
};
struct gquery {
    const char *sql;
    bool is_global; /* an aggregate without keys: a stream without rows has no row of it */
    struct gpair pairs[4];
    uint32_t pair_count;
};
void query_make(struct gen *g, struct gquery *q);

/* --- answer.c ------------------------------------------------------------------------------------------------------- */
struct answer_line {
    const char *text; /* cells, parted by CELL_END */
    int64_t count;
};
#define CELL_END '\x1f'

struct answer {
    enum status status;
    const char *error;         /* whole text; NULL: it ran */
    const char *types;         /* of the columns, parted by CELL_END */
    bool taken_back;           /* a row was taken back that was not there */
    struct answer_line *lines; /* sorted, counts above 0 */
    uint32_t line_count;
    int64_t row_count;
};

struct sql_session;
struct sql_session *session_open(struct sys *sys, const char *const *config);
void session_run(struct sql_session *s, const char *sql, struct arena *a, struct answer *out);
/* NULL: the same rows; doubles may differ a little. */
const char *answers_differ(struct arena *a, const struct answer *x, const struct answer *y);

/* --- features.c ----------------------------------------------------------------------------------------------------- */
void features_probe(struct gen *g, struct sql_session *s);

/* --- check.c -------------------------------------------------------------------------------------------------------- */
struct totals {
    uint64_t seeds, queries, refused, failed, differences;
};
struct checker {
    struct sys *sys;
    const char *folder;  /* for files of streams */
    uint32_t queries;    /* per seed */
    bool verbose, dumps; /* dumps: what peers need goes to stdout */
    bool dumps_all;      /* also what only the engine understands, and Flink */
    bool traces;         /* every text goes to stderr before it runs: who crashes was the last */
    struct totals totals;
};
void seed_check(struct checker *c, uint64_t seed);
