/* executor.h - the port through which the shell has statements run: by a session in this process (executor_embedded.c), or by a SQL
 * gateway somewhere (surface/gateway). Neither the shell nor its views know which. */
#pragma once
#include "ground/sys/sys_editor.h"
#include "surface/sql/session.h"

/* A piece of a script, or of what was typed: one statement, as a rule. */
struct statement_piece {
    struct str text;     /* from the beginning of its line on, so that places in errors are those of the script */
    size_t from;         /* where the piece begins in it */
    const char *source;  /* name of the script; NULL: typed */
    uint32_t first_line; /* of text in it */
    bool is_init;        /* of a file that prepares the session: no queries, no INSERT */
};

struct statement_executor;
struct statement_executor_ops {
    /* As SET does; before `open`, a setting that the session begins with. */
    enum status (*set)(struct statement_executor *x, const char *key, const char *value, struct err *e);
    /* Nothing else is called before. */
    enum status (*open)(struct statement_executor *x, struct err *e);
    /* Runs a piece to its end. E_CANCELED: somebody stopped it. */
    enum status (*run)(struct statement_executor *x, const struct statement_piece *p, const struct sql_listener *to,
                       struct err *e);
    /* Reads a piece without running it, for the mistakes of its text. S_END: nothing behind it will be run. NULL: only who runs it
     * knows the dialect. */
    enum status (*check)(struct statement_executor *x, const struct statement_piece *p, struct err *e);
    /* What is odd about a key that was set, as a line to be printed; NULL: nothing. Good until the next call. NULL: it cannot know. */
    const char *(*doubt)(struct statement_executor *x, const char *key, const char *value);
    /* What the session has for a key of sql_keys, or its fallback; NULL: neither. Good until the next call. */
    const char *(*get)(struct statement_executor *x, const char *key);
    /* That instants are shown in, as of the statement that runs or ran last; lives as long as x. */
    const struct zone *(*zone)(const struct statement_executor *x);
    /* As complete of sys_editor_hooks: `before` is the whole statement so far. */
    size_t (*complete)(struct statement_executor *x, struct str before, struct str after, sys_word_fn add, void *add_arg);
    /* The statement that runs ends soon, with E_CANCELED. For its listener, from within a call. */
    void (*stop)(struct statement_executor *x);
    /* What stopped the statement that ran last, when that was a signal. */
    enum sys_signal (*signal)(const struct statement_executor *x);
    /* Jobs that go on in the background, where they live in this process; all NULL: they live elsewhere. See session.h. */
    uint32_t (*running)(struct statement_executor *x);
    bool (*failed)(struct statement_executor *x, struct sql_failed_job *out);
    enum status (*finish)(struct statement_executor *x, enum sql_finish how, struct err *e);
    void (*free)(struct statement_executor *x);
};

struct statement_executor {
    const struct statement_executor_ops *ops;
};

/* A session in this process. */
struct statement_executor *executor_embedded_create(const struct sql_session_options *o);
static inline void executor_free(struct statement_executor *x) /* NULL is a no-op */
{
    if (x != NULL) x->ops->free(x);
}
