/* view.h - how results look. One file view_<name>.c ends in one `const struct view_type view_<name>`; a generated list collects
 * them. A view is the listener of a session: rows come batch after batch and go as text to standard output, or once to a file. */
#pragma once
#include "surface/sql/live_keys.h"
#include "surface/sql/session.h"

struct view_type;
enum { VIEW_TICK_MS = 50 };

/* What all views share. */
struct view {
    struct sys *sys;
    struct mem *mem;
    const struct zone *zone;      /* that instants are shown in */
    const struct view_type *type; /* of the result that runs */
    void *own;                    /* its state, of type->size bytes; NULL between results */
    const struct type *row;       /* of the result */
    bool is_changelog;            /* rows of a query, as they come; else something known whole, as SHOW */
    bool is_query, is_planned;    /* whose NULLs are shown; the next result will be one */
    bool has_changes;             /* the query also takes rows back: they are worth a column */
    bool is_terminal;             /* lines may be repainted */
    bool says_waits;              /* a person wonders why nothing comes */
    bool has_ended;               /* the last result came whole */
    void (*stop)(void *arg);      /* ends the result that comes; NULL: keys are nobody's */
    void *stop_arg;
    bool is_stopped;              /* it was called for this result */
    struct live_keys keys;
    struct buf typed; /* while a result was shown, for the prompt behind it */
    uint64_t rows;                /* that came */
    uint64_t rows_max;            /* of what is kept of a query's result */
    uint32_t width_max;           /* of a column of text, in columns of a terminal; 0: 30 */
    struct buf out;               /* on its way */
    struct buf cell;
    struct sys_file *file; /* instead of standard output; NULL: none */
};

struct view_type {
    const char *name, *doc;
    size_t size; /* of its state, cleared for each result */
    bool is_data; /* what programs read: only rows go to standard output, what is said of statements to standard error */
    enum status (*begin)(struct view *v, void *own, struct err *e);
    enum status (*rows)(struct view *v, void *own, const struct batch *b, struct err *e);
    /* Every VIEW_TICK_MS while a job runs, also without rows; NULL: nothing to do. */
    void (*tick)(struct view *v, void *own, const struct job_totals *t);
    enum status (*end)(struct view *v, void *own, struct err *e);
    void (*close)(struct view *v, void *own); /* after end or a failure; NULL: nothing to do */
};

extern const struct view_type *const view_types[]; /* sorted by the names of their files, ends with NULL */
extern const struct view_type view_box, view_changelog, view_live, view_tableau;
const struct view_type *view_find(const char *name); /* NULL: none of that name */

void view_init(struct view *v, struct sys *sys, const struct zone *zone, struct mem *mem);
void view_release(struct view *v);
struct sql_listener view_listener(struct view *v);
/* A result that broke off is forgotten. */
void view_abandon(struct view *v);

/* For views whose result a key stops: q, Escape. `act`, unless it is NULL, gets each key. Was something pressed? */
bool view_keys(struct view *v, void (*act)(void *arg, enum live_key key), void *arg);
/* v->typed to v->out, on one line; its end when it is long. */
void view_put_typed(struct view *v, uint32_t columns);
/* For views: v->out goes where it belongs, and is empty then. */
enum status view_flush(struct view *v, struct err *e) CHECKED;
/* The value as text in v->cell; NULL is <NULL>, outside of queries nothing. */
void view_cell(struct view *v, const struct vector *values, uint32_t row);
extern const char *const view_ops[4]; /* "+I", "-U", "+U", "-D" by row kind */
/* v->cell in so many columns of a terminal behind a space: to the right, or to the left; cut with "..." when too long. */
void view_put_right(struct view *v, uint32_t width);
void view_put_left(struct view *v, uint32_t width);
uint32_t view_cell_width(const struct view *v); /* columns of a terminal */
