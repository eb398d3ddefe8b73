/* sql_function.h - functions for SQL, written in C and found by name in a shared library:
 *
 *     struct distance_args { double lat1, lon1, lat2, lon2; };
 *     static enum tw_status distance(struct tw_call *c, const void *args, void *result)
 *     {
 *         const struct distance_args *a = args;
 *         *(double *)result = ...;
 *         return TW_OK;
 *     }
 *     TW_SQL_FUNCTION(geo_distance) = {
 *         .kind = TW_SQL_SCALAR,
 *         .overloads = {{"DOUBLE, DOUBLE, DOUBLE, DOUBLE -> DOUBLE NOT NULL", .run_row = distance}},
 *     };
 *
 *     cc -shared -fPIC geo.c $(pkg-config --cflags thalweg) -o libgeo.so
 *     CREATE FUNCTION distance AS 'geo_distance' LANGUAGE C USING ARTIFACT 'libgeo.so';
 *
 * Values are the C values of row.h: int32_t for INT, struct tw_str for STRING, struct tw_array for ARRAY, for ROW<..> a struct with
 * these members. Arguments are a struct with one member each, in order, as a compiler lays it out.
 *
 * A function belongs to a task's thread while it runs; several instances run side by side, each with memory of its own (tw_call_self).
 * It must come back soon, and must not block: the task waits. One that waits for something outside says TW_SQL_ASYNC. */
#pragma once
#include <thalweg/function.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TW_SQL_ABI = 1, TW_OVERLOADS_MAX = 16, TW_SQL_ARGS_MAX = 64 };

struct tw_call; /* a function that is being called */

enum tw_sql_kind {
    TW_SQL_SCALAR = 1, /* arguments in, one value out */
    TW_SQL_AGGREGATE,  /* many rows in, one value out */
    TW_SQL_TABLE,      /* arguments in, rows out: LATERAL TABLE(f(x)) */
    TW_SQL_TABLE_AGGREGATE, /* many rows in, rows out, for each group: tw_table_flat_aggregate of table.h; SQL has no such calls */
};

enum tw_sql_flags {
    /* It is called for NULL arguments too (tw_arg_is_null); what stands in their place is zero. Without this the result is NULL
     * when an argument is, and nothing is called. */
    TW_SQL_TAKES_NULLS = 1,
    /* isDeterministic is false: calls with the same arguments may answer differently, so none is computed beforehand, and none
     * stands for another. */
    TW_SQL_NOT_DETERMINISTIC = 2,
    /* Of an aggregate: the engine keeps the arguments of all rows of a group, and accumulates them anew for each result. Then the
     * accumulator may be any struct of the user's, .accumulator_size bytes of cleared memory, that points into tw_call_scratch; and
     * rows can be taken back without .retract. It costs memory and time for each row of the group. */
    TW_SQL_KEEPS_VALUES = 4,
    /* It waits for something outside: AsyncScalarFunction, AsyncTableFunction, AsyncLookupFunction. Scalar and table functions are then
     * called on helper threads, so they may block: table.exec.async-scalar.*, table.exec.async-table.* and, of tables that a function
     * answers for, table.exec.async-lookup.* say how many calls are under way at once, how long all attempts may take together, and how
     * often a call that failed is repeated. Rows keep their order. An instance, with its memory, is in one call at a time. run_batch
     * gets many rows in one call. In conditions of outer joins, EXISTS and IN on columns of both sides they are refused, as in Flink. */
    TW_SQL_ASYNC = 8,
};

/* One way to call it. The first whose types are given is taken, else the first that implicit casts reach. */
struct tw_sql_overload {
    /* "STRING, INT -> STRING": SQL types of arguments and result, each with NOT NULL where NULL is none: a nullable argument is then
     * refused; the result is NULL only where an argument is. The last argument may end in "...": once or more. No argument:
     * "-> INT". */
    const char *signature;
    /* What a bare ROW as the result stands for: "STRING -> ROW" with .row = &word_row; a struct that can hold NULLs. */
    const struct tw_row *row;
    /* Scalar functions set one of the two. `args` is the struct of the arguments; of more than the signature says ("...") see
     * tw_arg. `result` is cleared memory for the C value of the result; what it points to may lie in the arguments or in
     * tw_call_scratch. */
    enum tw_status (*run_row)(struct tw_call *c, const void *args, void *result);
    /* Whole columns; see below. */
    enum tw_status (*run_batch)(struct tw_call *c);

    /* Table functions: any number of rows by tw_call_emit. The result is the type of one, ROW<a INT, b STRING>, or of its only
     * column. No rows come of NULL arguments, unless TW_SQL_TAKES_NULLS is set. */
    enum tw_status (*rows)(struct tw_call *c, const void *args);

    /* Aggregate functions. `acc` is the accumulator: a struct of values of these types in order, "BIGINT, DOUBLE", which must be of
     * fixed size: numbers, BOOLEAN, DECIMAL, times; 504 bytes at most. It is state, so whatever else the function knows is lost. It
     * begins as zeros, or as create makes it. Rows with a NULL argument are left out, unless TW_SQL_TAKES_NULLS is set. */
    const char *accumulator;
    size_t accumulator_size; /* TW_SQL_KEEPS_VALUES, instead of that text */
    enum tw_status (*create)(struct tw_call *c, void *acc);
    enum tw_status (*accumulate)(struct tw_call *c, void *acc, const void *args);
    /* A row that was accumulated is updated or deleted. Without it a statement in which that may happen is refused. */
    enum tw_status (*retract)(struct tw_call *c, void *acc, const void *args);
    /* Adds `other` to acc. With it windows that overlap (HOP, CUMULATE) see each row once, without it once per window. */
    enum tw_status (*merge)(struct tw_call *c, void *acc, const void *other);
    /* getValue; of no row, too: then `acc` is as it begins. */
    enum tw_status (*value)(struct tw_call *c, const void *acc, void *result);
    /* emitValue of a table aggregate function, which has it in place of value: all rows of a group as it is now, by tw_call_emit. The
     * result of the signature is the type of one, as of table functions. What was put out before is taken back by itself. */
    enum tw_status (*emit)(struct tw_call *c, const void *acc);
};

struct tw_sql_function {
    enum tw_sql_kind kind;
    uint32_t flags;    /* of enum tw_sql_flags */
    size_t self_size;  /* bytes of cleared memory per instance, see tw_call_self */
    /* Before an instance's first row, and behind its last. TW_FAILED of open fails the statement. May be NULL. */
    enum tw_status (*open)(struct tw_call *c);
    void (*close)(struct tw_call *c);
    struct tw_sql_overload overloads[TW_OVERLOADS_MAX]; /* ends with signature == NULL */
};

/* How a library says that it has the function: the symbol `tw_sql_<name>`. */
struct tw_sql_entry {
    uint32_t abi, function_size;
    const char *name;
    const struct tw_sql_function *function;
};
#define TW_SQL_FUNCTION(fn)                                                                                            \
    static const struct tw_sql_function fn;                                                                            \
    TW_API extern const struct tw_sql_entry tw_sql_##fn;                                                               \
    const struct tw_sql_entry tw_sql_##fn = {TW_SQL_ABI, sizeof(struct tw_sql_function), #fn, &fn};                    \
    static const struct tw_sql_function fn

/* --- in every hook -------------------------------------------------------------------------------------------------- */
TW_API void *tw_call_self(struct tw_call *c); /* the instance's memory of self_size bytes */
/* Cleared memory for what a result points to; aligned to 16 bytes, valid until the result was taken. */
TW_API void *tw_call_scratch(struct tw_call *c, size_t size);
/* Answers TW_FAILED and keeps the sentence (printf style): it fails the statement, with the call and the row. `return tw_call_fail(c, "no rate for %.*s", (int)s.size, s.data);` */
TW_API enum tw_status tw_call_fail(struct tw_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- of one row ------------------------------------------------------------------------------------------------------ */
TW_API uint32_t tw_arg_count(struct tw_call *c); /* an argument that is asked for and is not there fails the call */
TW_API bool tw_arg_is_null(struct tw_call *c, uint32_t arg);
/* The C value of an argument; NULL when it is NULL. */
TW_API const void *tw_arg(struct tw_call *c, uint32_t arg);
/* The result is NULL, whatever stands in `result`. Answers TW_OK: `return tw_result_null(c);` */
TW_API enum tw_status tw_result_null(struct tw_call *c);

/* --- table functions, and table aggregate functions in emit ----------------------------------------------------------------- */
/* A row: the C value of the result's type, which is copied. In other functions and hooks it fails the call. At most as many as an ARRAY may hold elements. */
TW_API void tw_call_emit(struct tw_call *c, const void *row);

/* --- of whole columns: run_batch ---------------------------------------------------------------------------------------- */
/* Values of numbers, BOOLEAN, DECIMAL and times lie side by side; strings by tw_column_arg_str; ARRAY, MAP, MULTISET and ROW are for
 * run_row. */
struct tw_arg_column {
    const void *values;       /* value of row i: values[i], of a constant values[0] */
    const uint64_t *validity; /* bit i set: row i is valid, of a constant bit 0; NULL: all are. See tw_is_valid in batch.h */
    bool is_constant;
};
TW_API struct tw_arg_column tw_column_arg(struct tw_call *c, uint32_t arg);
TW_API struct tw_str tw_column_arg_str(struct tw_call *c, uint32_t arg, uint32_t row);
/* The rows that count, ascending, without those that are NULL because an argument is. Others hold anything, and may be computed. */
TW_API const uint16_t *tw_column_rows(struct tw_call *c, uint32_t *count);
/* All rows lie in values[0..count). */
TW_API uint32_t tw_column_size(struct tw_call *c);
TW_API void *tw_column_result(struct tw_call *c); /* values of the result, one per row; not for strings */
TW_API void tw_column_result_str(struct tw_call *c, uint32_t row, struct tw_str s); /* copied */
TW_API void tw_column_result_null(struct tw_call *c, uint32_t row);
/* This row fails, and the others go on. */
TW_API void tw_column_fail(struct tw_call *c, uint32_t row, const char *format, ...) __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
