/* user_function.h - functions of users, written in C against <thalweg/sql_function.h>, as functions of the engine. They come from
 * outside: what is wrong with one is an error when it is made, never an assert. */
#pragma once
#include <thalweg/sql_function.h>

#include "columns/column/rowconv.h"
#include "columns/function/agg.h"
#include "columns/function/fn.h"
#include "ground/base/err.h"

enum { USER_STATE_MAX = 504, USER_ACCUMULATOR_MAX = 65536 };

/* An overload of an aggregate function. */
struct user_aggregate {
    struct agg_type type;
    const struct tw_sql_function *f;
    const struct tw_sql_overload *o;
    size_t acc_size;
};

struct user_function {
    struct fn_def def; /* its name is for messages; of an aggregate it chooses overloads alone */
    const struct tw_sql_function *f;
    struct fn_overload overloads[TW_OVERLOADS_MAX + 1];
    struct user_aggregate *aggregates; /* of each overload; NULL: it is none */
};

/* Checks all that the entry says. `name` is what messages call it, `identity` what job graphs do; both are copied, the entry must
 * live as long as the function. E_GRAPH with a sentence. */
enum status user_function_make(struct arena *a, const struct tw_sql_entry *entry, const char *name,
                               const char *identity, const struct user_function **out, struct err *e) CHECKED;

bool user_call_takes_columns(const struct fn_call *c); /* of a scalar or table function: many rows in one call */
/* The overload that a call was bound to, and what it is called in a job graph. */
const struct agg_type *user_aggregate_of(const struct fn_call *c, struct arena *a, const char **identity);
/* Of its identity, without the number at the end; NULL when that is none of an overload. */
const struct agg_type *user_aggregate_numbered(const struct user_function *f, struct str number);

/* --- shared by the files user_*.c of this folder ------------------------------------------------------------------------ */
/* Values of these types as a C struct, in order, with a null mask behind that the user does not see. */
struct user_struct {
    struct rowconv conv;
    const struct cform *const *forms;
    const struct type *const *types; /* as they are written: the forms' may be NOT NULL inside, where C has no place for NULL */
};
/* The struct of `count` values, of which those behind the last text are as that. E_GRAPH for what has no C form. */
enum status user_struct_make(struct arena *a, const struct str *texts, uint32_t text_count, uint32_t count,
                             struct user_struct *out, struct err *e) CHECKED;
enum status user_form(struct arena *a, struct str text, const struct tw_row *row, const struct cform **out, const struct type **type,
                      struct err *e) CHECKED;
/* Of the result of an overload; of a function that puts out rows that is the ARRAY of them. */
enum status user_result_form(struct arena *a, const struct tw_sql_function *f, const struct tw_sql_overload *o, struct str text,
                             const struct cform **out, const struct type **type, struct err *e) CHECKED;

enum status user_aggregate_make(struct arena *a, const struct tw_sql_function *f, const struct tw_sql_overload *o, const char *name,
                                struct user_aggregate *out, struct err *e) CHECKED;

/* A scalar call, bound: fn_call.plan. */
struct user_call {
    const struct tw_sql_function *f;
    const struct tw_sql_overload *overload;
    struct user_struct args;
    const struct cform *result;
    const struct type *result_type;
    bool takes_nulls;
};
void user_call_run(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void *user_call_open(const struct fn_call *c, struct mem *mem);
void user_call_close(void *state, struct mem *mem);
