/* job_after.h - what is left of a statement while its job runs, for when the job is over: rows that were staged take their place, and
 * a failure gets its place in the statement's text. It stands on an arena alone, so that the job may outlive the statement. */
#pragma once
#include "flow/sink/sink.h"
#include "language/sql/expr_places.h"

struct rel;

/* Rows that were written beside a table's, to take their place. */
struct job_replacement {
    const struct sink_rewrite *rewrite;
    struct options table, staged;
    bool all; /* else the partitions that have new rows */
};
struct job_after {
    struct expr_places places; /* of the statement's expressions */
    const char *inferred;      /* file of a table whose columns were inferred; NULL: all are declared */
    uint32_t replacement_count;
    const struct job_replacement *replacements;
};

/* All but the places. */
void job_after_of(struct rel *const *sinks, uint32_t count, struct arena *a, struct job_after *out);
/* Those of a graph without plans, copied into the arena. */
void job_after_of_graph(const struct job_replacement *items, uint32_t count, struct arena *a, struct job_after *out);
/* What happens behind a job that ended with st: a failure of it, too. From any thread. */
enum status job_after_replace(const struct job_after *x, struct sys *sys, enum status st, struct err *e) CHECKED;
/* Shows more of why the job failed. */
void job_after_explain(const struct job_after *x, struct err *e);
