/* json_write.h - writes JSON piece by piece: the writer puts commas, quotes and brackets. A key is NULL inside of an array and for the
 * outermost value. */
#pragma once
#include "ground/base/buf.h"

struct json_write {
    struct buf *out;
    bool has_before; /* a value stands in front of the next one */
};

static inline struct json_write json_write_to(struct buf *out) { return (struct json_write){out, false}; }
void json_object(struct json_write *w, const char *key); /* until json_object_end */
void json_object_end(struct json_write *w);
void json_array(struct json_write *w, const char *key);
void json_array_end(struct json_write *w);
void json_text(struct json_write *w, const char *key, const char *text); /* text NULL: null */
void json_int(struct json_write *w, const char *key, int64_t value);
void json_double(struct json_write *w, const char *key,
                 double value); /* as Java writes it; "NaN", as a text, where it is none */
void json_bool(struct json_write *w, const char *key, bool value);
void json_null(struct json_write *w, const char *key);
void json_raw(struct json_write *w, const char *key, struct str json); /* a value that is JSON already */
