/* snapshot_evolve.h - rows of a saved state become rows of the state that an operator has now, when its columns are not the same any
 * more. Internal to flow/state. */
#pragma once
#include "flow/state/snapshot_schema.h"

/* Where a column of the rows that are put in comes from. */
enum column_origin {
    COLUMN_KEPT,    /* it is there, of the same type or of one that cannot be NULL */
    COLUMN_WIDENED, /* it is there, and a CAST that loses nothing makes it */
    COLUMN_ADDED,   /* it is not: NULL, or zero where it cannot be */
};

struct column_source {
    uint8_t origin; /* enum column_origin */
    uint32_t from;  /* the saved column; not of ADDED */
};

struct schema_evolution {
    bool is_same; /* saved rows are taken as they are; what follows is not set then */
    struct state_schema target;          /* of the rows that are put in: the state's, with a column of stamps where the saved rows have one */
    const struct column_source *sources; /* [target.column_count] */
    uint32_t dropped;                    /* saved columns that nobody takes */
};

/* What has to be done for rows of `stored` to become rows of `own`, which says by `upgrade` what may be done. In the arena; both schemas
 * outlive it. E_CONFIG names what cannot be done, and what to do. */
enum status schema_evolve(const struct state_schema *stored, const struct state_schema *own, struct arena *a, struct schema_evolution *out,
                          struct err *e) CHECKED;
/* Appends what changes: "`price` INT -> BIGINT; `note` added, NULL so far; `old` dropped". Nothing where nothing does. */
void evolution_print(const struct state_schema *stored, const struct schema_evolution *ev, struct buf *out);

/* Does it, a batch at a time. */
struct evolution_run;
enum status evolution_run_create(const struct state_schema *stored, const struct schema_evolution *ev, struct mem *mem,
                                 struct evolution_run **out, struct err *e) CHECKED;
void evolution_run_free(struct evolution_run *r); /* NULL is a no-op */
/* The rows of `in`, whose columns are those of `stored`, as rows of ev->target; they hold until the next call, or until `in` changes. */
enum status evolution_run_batch(struct evolution_run *r, const struct batch *in, const struct batch **out, struct err *e) CHECKED;
