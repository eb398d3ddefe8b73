/* infer.h - files with nothing declared: the table that the first part of a file says it is. */
#pragma once
#include "language/catalog/catalog.h"
#include "ground/sys/sys.h"

enum { INFER_BYTES = 256 * 1024, INFER_ROWS = 1000, INFER_OPTIONS_MAX = 8 };

/* A table of connector 'filesystem' in `a`, named after the file. Its `inferred_from` is the file's name as it was written.
 * `propose` adds a watermark for the first column that can have one, for a CREATE TABLE to begin with. */
enum status infer_table(struct arena *a, struct sys *sys, struct str file, bool propose, struct table *out,
                        struct err *e) CHECKED;

/* --- among infer*.c ---------------------------------------------------------------------------------------------- */
/* The start of a file. */
struct infer_sample {
    const char *file; /* that was read: of a folder or pattern, the first one that is not empty */
    struct str text;  /* no byte order mark */
    bool is_whole;    /* nothing follows */
};

/* What was found. */
struct infer_schema {
    uint32_t column_count;
    const char *const *names;
    const struct type *const *types;
    uint32_t option_count; /* of the format, besides 'format' */
    struct option options[INFER_OPTIONS_MAX];
};

enum status infer_csv(struct arena *a, const struct infer_sample *s, struct infer_schema *out, struct err *e) CHECKED;
enum status infer_json(struct arena *a, const struct infer_sample *s, struct infer_schema *out, struct err *e) CHECKED;

/* What texts of a column may all be: bits that only ever go away. */
enum infer_kind {
    INFER_BOOLEAN = 1,
    INFER_INT = 2,
    INFER_BIGINT = 4,
    INFER_DOUBLE = 8,
    INFER_DATE = 16,
    INFER_TIME = 32,
    INFER_TIMESTAMP = 64,
    INFER_INSTANT = 128, /* of UTC, as Z says */
    INFER_ANY = 255,
};
/* What one text may be; *precision grows to the digits of a timestamp's fraction. 0: a STRING only. */
uint32_t infer_text_kinds(struct str text, int32_t *precision);
/* The narrowest type of the kinds that are left; nothing was seen: STRING. */
const struct type *infer_type(struct arena *a, bool seen, uint32_t kinds, int32_t precision);
