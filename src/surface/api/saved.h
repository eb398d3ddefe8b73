/* saved.h - what reading and writing savepoints share. */
#pragma once
#include <thalweg/savepoint.h>

#include "control/snapshot/snapshot_inspect.h"

enum { SAVED_TEXT_MAX = ERR_TEXT_MAX + ERR_HINT_MAX + 4 };

struct tw_saved {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct snapshot_reader *reader;            /* NULL: it could not be opened */
    const struct inspected_operator *operators; /* NULL: nobody has asked yet */
    struct err err;
    char text[SAVED_TEXT_MAX];                 /* of tw_saved_error */
};

/* The operator of that uid, or id; NULL, with the mistake: there is none. */
const struct snapshot_operator *saved_operator(struct tw_saved *s, const char *uid);
/* "text; hint"; NULL: no mistake. */
const char *saved_error_text(const struct err *e, char text[static SAVED_TEXT_MAX]);
/* The columns with a name of their own each: of a map whose key and value are both are called "value" the key's is "map_key". The map
 * key is the columns extra_first.. */
const struct type *saved_names(struct arena *a, const struct type *row, uint32_t extra_first, uint32_t extra_count);
