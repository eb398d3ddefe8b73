/* encoded_rows.h - for views whose rows are records of a format, as they come. */
#pragma once
#include "flow/format/format.h"
#include "surface/sql/view.h"

struct encoded_rows {
    const struct fmt_type *format;
    void *encoder; /* NULL until it is open */
};

enum status encoded_open(struct encoded_rows *r, struct view *v, const char *format, struct err *e) CHECKED;
/* Appends one row to v->out. */
enum status encoded_put(struct encoded_rows *r, struct view *v, const struct batch *b, uint32_t row, struct err *e) CHECKED;
void encoded_close(struct encoded_rows *r, struct view *v);
/* Whether rows say their kind: those of a query that takes rows back. */
static inline bool encoded_has_kinds(const struct view *v) { return v->is_changelog && v->has_changes; }
