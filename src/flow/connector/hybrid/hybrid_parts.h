/* hybrid_parts.h - the sources that a hybrid source reads one after another, out of its options: 'source-identifiers' names
 * them, and '<name>.key' is option 'key' of one of them. */
#pragma once
#include "flow/connector/connector.h"

enum { HYBRID_PARTS_MAX = 16 };

struct hybrid_part {
    const char *name;
    const struct conn_type *conn;
    struct options options; /* its own, without the name in front */
};

struct hybrid_parts {
    struct hybrid_part items[HYBRID_PARTS_MAX];
    uint32_t count;
};

/* Names, their connectors and options; what the options hold is not looked at. */
enum status hybrid_parts_read(struct hybrid_parts *p, const struct options *o, const struct option_def *defs, struct arena *a,
                              struct err *e) CHECKED;
/* Would each of them work, as a source of rows of that type? Only the last one may go on for ever. */
enum status hybrid_parts_check(const struct hybrid_parts *p, const struct type *row, struct err *e) CHECKED;
