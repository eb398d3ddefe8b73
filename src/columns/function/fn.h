/* fn.h - scalar functions. One file fn_<family>.c ends in one `const struct fn_type fn_<family>`: a table of functions.
 *
 * A call is bound once: the function sees types and constants of its arguments, may ask for other types (the arguments are
 * cast then), answers the type of its result and the kernel to run, and prepares what constants allow (a regex, a date
 * pattern). Most functions only list overloads by signature text; those whose types depend on each other have a bind hook.
 *
 * Kernels are loops. They get FLAT or CONST arguments and never fail the batch: they record (row, reason) and go on; the
 * evaluator raises the first error of a row that counts, or writes NULL under TRY_CAST. Cheap kernels compute all rows
 * 0..count, others only those of FN_EACH. */
#pragma once
#include "columns/column/batch.h"

enum { FN_ARGS_MAX = 1024, FN_SIGNATURE_ARGS_MAX = 64 };

/* STRICT: a NULL argument makes the result NULL; the evaluator sees to it, and what a kernel stores there counts for nothing. */
enum fn_nulls { FN_STRICT, FN_OWN_NULLS };
/* When is the result the same for the same arguments? */
enum fn_det { FN_PURE, FN_PER_QUERY, FN_PER_ROW, FN_RANDOM };
enum fn_flags {
    FN_MAY_FAIL = 1,      /* kernels record errors: not evaluated for rows that are not selected */
    FN_MAY_BE_NULL = 2,   /* the result may be NULL although no argument is */
    FN_INJECTIVE = 4,     /* different arguments, different results: keeps unique keys */
    FN_MONOTONE = 8,      /* keeps the order of the first argument */
    FN_SESSION_ZONE = 16, /* depends on the session's time zone */
    FN_COSTLY = 32,       /* worth a selection */
    FN_ASYNC = 128,       /* waits for something outside: not evaluated when a plan is made */
    FN_SYNTAX = 64,       /* written by a syntax of its own, a[1], and not by its name */
};
enum fn_error { FN_DIVISION_BY_ZERO = 1, FN_OVERFLOW, FN_BAD_TEXT, FN_BAD_ARGUMENT };

/* Errors of one evaluation. Under TRY_CAST the row becomes NULL instead. */
struct row_errors {
    enum fn_error code;  /* 0 = none */
    uint32_t row;        /* the first one that counts */
    const char *detail;  /* a static sentence, or NULL */
    const uint16_t *sel; /* rows that count, ascending; NULL = all */
    uint32_t sel_count;
    struct vector *null_into; /* TRY_CAST: the result; else NULL */
};
void row_error(struct row_errors *e, uint32_t row, enum fn_error code, const char *detail);
const char *fn_error_text(enum fn_error code);
const char *fn_error_hint(enum fn_error code); /* what to do */

/* What a session and a clock say; constant during one evaluation. */
struct fn_session {
    struct str zone; /* table.local-time-zone: "UTC", "Europe/Berlin", "+01:00" */
    int64_t query_ms; /* start of the query */
    struct str database; /* the current one; empty: none */
    uint64_t chance;  /* seed of RAND() and UUID(): another one for every evaluator */
    const struct fn_users *users; /* functions of users; NULL: there are none */
    bool plain;       /* nothing is computed beforehand or put together */
    bool has_no_core; /* SQL's UNLOAD MODULE core: calls by name find functions of users only */
};

struct fn_call;
struct fn_def;
struct agg_type;

/* Functions of users (user_function.h), and what they are called. */
struct fn_users {
    void *arg;
    /* What a call in SQL means, f(x) or catalog.database.f(x); NULL: no function of a user's, perhaps one of those here. */
    const struct fn_def *(*named)(void *arg, const struct str *parts, uint32_t count);
    const struct fn_def *(*identified)(void *arg, struct str identity); /* NULL: unknown */
    const struct agg_type *(*aggregate)(void *arg, struct str identity); /* the same of aggregates */
};

/* One evaluation of a kernel. */
struct fn_run {
    const struct fn_call *call;
    void *state;             /* what open made, or NULL */
    uint32_t count;          /* rows 0..count lie in the vectors */
    const uint16_t *sel;     /* rows that count; NULL = all */
    uint32_t sel_count;
    struct text_heap *heap;  /* long strings of the result */
    struct mem *mem;         /* lists of the result grow here */
    int64_t now_ms;          /* processing time of this batch */
    int64_t watermark;       /* of whoever evaluates it; TIME_MIN: none yet */
    uint64_t chance;         /* of the call in its evaluator, the same for all batches: what RAND() is seeded with */
    struct row_errors *errors;
};
#define FN_EACH(r, i)                                                                                                  \
    for (uint32_t fn_k = 0, i; fn_k < ((r)->sel != NULL ? (r)->sel_count : (r)->count) &&                              \
                               ((i = (r)->sel != NULL ? (r)->sel[fn_k] : fn_k), true);                                 \
         fn_k++)

typedef void (*fn_kernel)(const struct fn_run *r, const struct vector *const *args, struct vector *out);

/* "INT, STRING -> STRING"; the last argument may end in "..." (once or more). Lengths are not looked at. The result of a strict
 * function is nullable when an argument is; of others, unless the signature says NOT NULL. */
struct fn_overload {
    const char *signature;
    fn_kernel run;
};

/* A bound call. */
struct fn_call {
    const struct fn_def *def;
    const struct fn_overload *overload; /* that was chosen; NULL: def has a bind hook */
    uint32_t count;
    const struct type **args;         /* bind may change them: arguments are cast to these */
    const struct vector **constants;  /* per argument: one row, when it is known now; else NULL */
    const struct type *result;        /* CAST: what it is asked for, when bind begins */
    bool casts_freely;                /* bind says: the arguments are cast to `args` as by CAST, not only where that loses nothing */
    bool try_mode;                    /* errors of a row become NULL */
    fn_kernel run;
    /* The result may stand already, NULLs of the arguments aside, in a part of an argument: that; else NULL, and run is called. Or no hook. */
    const struct vector *(*borrow)(const struct fn_call *c, const struct vector *const *args);
    const void *plan;                 /* of the function's own, in the arena */
};

struct fn_example {
    const char *text, *result; /* as EXPRESSION prints: executed by a test, shown in the reference; NULL: a table's columns are needed */
};

struct fn_def {
    const char *name;
    const char *identity; /* of a user's function: what it is called in a job graph; NULL: its name */
    const char *aliases;  /* "CHARACTER_LENGTH, LENGTH", or NULL */
    const char *usage;    /* how it is called: "ARRAY_JOIN(array, separator[, null])"; NULL: as the overloads say */
    const char *doc;
    const struct fn_example *examples; /* ends with text == NULL */
    const struct fn_overload *overloads; /* ends with signature == NULL; or NULL and a bind hook */
    bool is_aggregate;    /* of a user's: it is bound for its arguments, but called by aggregations alone */
    bool makes_rows;      /* of such an aggregate: its result is the ARRAY of a group's rows, for the Table API alone */
    bool is_table;        /* of a user's: its result is the ARRAY of its rows, and it stands behind FROM alone */
    uint8_t nulls;        /* enum fn_nulls */
    uint8_t det;          /* enum fn_det */
    uint16_t flags;       /* enum fn_flags */
    /* After an overload was chosen: the type of its result with a length or nullability of its own. May be NULL. */
    const struct type *(*refine)(const struct fn_call *c, struct arena *a);
    /* Then: looks at constants, makes a plan of them. E_GRAPH or E_UNSUPPORTED with the reason. May be NULL. */
    enum status (*check)(struct fn_call *c, struct arena *a, struct err *e);
    /* Sets result, run, plan, and args that need a cast. E_GRAPH with the reason when the arguments do not fit. */
    enum status (*bind)(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e);
    void *(*open)(const struct fn_call *c, struct mem *mem); /* per evaluator: a match context, a generator */
    void (*close)(void *state, struct mem *mem);
};

struct fn_type {
    const char *name, *doc, *example; /* of the family */
    const struct fn_def *functions;   /* ends with name == NULL */
};

/* A signature in its parts, which are texts of types; false: it is none. */
struct fn_signature {
    struct str args[FN_SIGNATURE_ARGS_MAX], result;
    uint32_t count;
    bool more; /* the last one once or more */
};
bool fn_signature_cut(const char *text, struct fn_signature *out) CHECKED;

extern const struct fn_type *const fn_types[]; /* sorted by name, ends with NULL */
const struct fn_def *fn_find(struct str name);  /* by name or alias; case is ignored; NULL when unknown */
/* The names that there are, nearest first: "did you mean". NULL when none is near. */
const char *fn_nearest(struct str name);
/* In Flink's words: the call cannot be applied to arguments of these types, or has too many or too few. `takes` is what the hint says
 * that it takes; NULL: nothing. Answers E_GRAPH. */
enum status fn_refuse(const struct fn_call *c, const char *takes, struct err *e);
enum status fn_wrong_count(const char *name, const char *wanted, struct err *e);
/* Binds by hook or overloads. args and constants are given; E_GRAPH names the function, what it was given and what it takes. */
enum status fn_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e) CHECKED;
