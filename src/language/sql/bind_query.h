/* bind_query.h - queries of the syntax tree as plans. */
#pragma once
#include "language/plan/rel.h"
#include "language/sql/bind.h"
#include "language/sql/statement.h"

/* A WITH query that is visible by name. */
struct bind_with {
    const struct bind_with *outer;
    const struct ast_cte *cte;
};

struct query_binder {
    struct arena *a;
    const struct tokens *t;
    const struct catalogs *catalogs;
    const struct fn_session *session;
    const struct bind_with *with;
    uint32_t depth; /* of views in views */
    struct err *e;
};

enum status bind_query(struct query_binder *b, const struct ast_query *q, struct rel **out) CHECKED;
