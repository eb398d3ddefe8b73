/* user_call.h - a function of a user's that is being called: what tw_call_* and tw_arg_* see. For the files user_*.c of this folder. */
#pragma once
#include "columns/function/user_function.h"

enum { USER_SENTENCE_MAX = 512 };

/* Rows that a function has put out, C values side by side. */
struct user_list {
    const struct cform *form; /* of one; set when the instance is opened */
    char *items;
    uint32_t count, room;
    bool is_bad;
};

struct tw_call {
    struct mem *mem;
    struct arena items;   /* of nested arguments */
    struct arena scratch; /* of results */
    void *self;
    const struct user_struct *args;
    uint32_t arg_count;
    char *structs; /* ROWCONV_ROWS of args */
    void *result;
    bool is_open, result_is_null;
    bool is_misused; /* it asked for what is not there: `sentence` says so */
    bool is_table, is_columns; /* which calls are for it, now */
    struct user_list list;     /* where is_table may be */
    const char *row;                  /* the arguments of the present row, as a struct */
    char sentence[USER_SENTENCE_MAX]; /* of what was called last */
    char failure[USER_SENTENCE_MAX];  /* of what counts */
};

/* Opens the function; false: it did not want to, and `sentence` says why. */
void user_instance_init(struct tw_call *c, const struct tw_sql_function *f, const struct user_struct *args,
                        uint32_t arg_count, const struct cform *result, struct mem *mem);
void user_instance_release(struct tw_call *c, const struct tw_sql_function *f);
/* Before a hook is called, and what came of it. */
static inline void user_hook_begin(struct tw_call *c)
{
    c->sentence[0] = '\0';
    c->result_is_null = c->is_misused = false;
}
static inline bool user_hook_failed(const struct tw_call *c, enum tw_status st) { return st != TW_OK || c->is_misused; }
/* Around the hook that puts rows out; the second answers false when one of them was bad. The list is the result. */
void user_list_begin(struct tw_call *c);
bool user_list_end(struct tw_call *c);
uint64_t user_nulls(const struct tw_call *c); /* bit i: argument i of the present row is NULL */
static inline const char *user_sentence(const char *sentence)
{
    return sentence[0] != '\0' ? sentence : "the function failed and did not say why";
}
