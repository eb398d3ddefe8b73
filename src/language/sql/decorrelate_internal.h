/* decorrelate_internal.h - what the files share that free queries of the row around them; start at decorrelate.c. */
#pragma once
#include "language/sql/decorrelate.h"
#include "language/sql/join_tree.h"

/* decorrelate.c */
struct expr_maker around_maker(const struct decorrelation *d);
bool around_reads(const struct decorrelation *d, const struct expr *x);
bool pulled_reads_around(const struct decorrelation *d, const struct pulled *p); /* a column does */
void pulled_move(struct arena *a, struct pulled *p, struct expr *const *columns, struct expr *const *outers, uint32_t scope);

/* decorrelate_domain.c: equations with the row around, and the values that it has. */
struct equation {
    struct expr *within, *around;
    bool null_safe;
};
bool equation_find(const struct decorrelation *d, const struct expr *x, struct equation *out);
enum status equation_make(const struct decorrelation *d, struct expr *x, struct expr *y, bool null_safe, struct expr **out) CHECKED;
/* Different values of the columns around that are read. */
struct domain {
    uint32_t count;
    uint32_t *cols;
    struct rel *rel;
};
void domain_make(const struct decorrelation *d, const uint64_t *bits, struct domain *out);
enum status domain_conditions(const struct decorrelation *d, const struct domain *dom, const struct type *row, struct exprs *out) CHECKED;
enum status domain_join(struct decorrelation *d, struct pulled *p, enum rel_join_kind kind, const uint64_t *more) CHECKED;
void around_mark(const struct decorrelation *d, const struct expr *x, uint64_t *bits); /* of the columns that it reads */
struct bind_source pulled_source(struct rel *r);
enum status around_join(const struct decorrelation *d, enum rel_join_kind kind, struct rel *left, struct rel *right, const struct exprs *on,
                        struct rel **out) CHECKED;

/* decorrelate_pull.c: nodes with one input. */
struct pulled pulled_plain(struct decorrelation *d, struct rel *r);
enum status pull_calc(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;
enum status pull_aggregate(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;
enum status pull_rank(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;
enum status pull_over(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;

/* decorrelate_inputs.c: nodes with several, and lists. */
enum status pull_refuse(const struct decorrelation *d, const struct rel *r) CHECKED;
enum status pull_join(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;
enum status pull_union(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;
enum status pull_set(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;
enum status pull_list(struct decorrelation *d, struct rel *r, struct pulled *out) CHECKED;
