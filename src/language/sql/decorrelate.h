/* decorrelate.h - queries that read the row of a query around them (EXPR_OUTER), as relations that do not. */
#pragma once
#include "language/sql/bind_query.h"

struct decorrelation {
    struct query_binder *b;
    uint32_t scope;         /* of the query around */
    struct rel *outer;      /* its rows */
    struct ast_place place; /* of the query within, for errors */
};

/* A growing list of expressions. */
struct exprs {
    uint32_t count, capacity;
    struct expr **items;
};
void exprs_add(struct arena *a, struct exprs *list, struct expr *x);
void exprs_add_parts(struct arena *a, struct exprs *list, struct expr *x); /* of AND, one by one; NULL: nothing */

/* The query within for all rows around at once: which row belongs to which row around is what the conditions say. */
struct pulled {
    struct rel *rel; /* without references */
    uint32_t count;
    struct expr **columns;   /* of the query: over rel's columns and the row around */
    struct exprs conditions; /* the same: all must be true */
    /* A row around for which rel has none has one row nevertheless, in which column i of rel is defaults[i]. */
    bool is_total;
    struct expr **defaults;
};

bool rel_mentions(const struct rel *r, uint32_t scope); /* does the plan read the row around? */
void rel_marks_outers(const struct rel *r, uint32_t scope,
                      uint64_t *bits); /* sets the bits of the columns that it reads */
/* E_UNSUPPORTED where it reads it in a way that is not known here. */
enum status decorrelate(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;
/* The same with a row of rel for every row around: no longer total. */
enum status pulled_settle(struct decorrelation *d, struct pulled *p) CHECKED;
/* The same with columns that read rel alone, and conditions that are equations. */
enum status pulled_detach(struct decorrelation *d, struct pulled *p) CHECKED;

/* The same with the query's columns as the first ones of rel, and equations of the row around with further ones. */
enum status pulled_flatten(struct decorrelation *d, struct pulled *p, const char *const *names) CHECKED;

/* x with columns[i] for its column i, and outers[i] for column i of the row around; NULL: they stay. */
struct expr *expr_moved(struct arena *a, const struct expr *x, struct expr *const *columns, struct expr *const *outers,
                        uint32_t scope);
/* Columns first..first+count of a row. */
struct expr **expr_columns_of(struct arena *a, const struct type *row, uint32_t first, uint32_t count);
