/* key.h - key columns <-> the form in which state and timers keep keys. Internal to flow/state.
 *
 * KEY_WORD: one integer-like column, kept as an int64 (compared inline, hashed again from itself).
 * KEY_FIXED: columns of fixed width, kept as words. KEY_BYTES: anything else, kept as bytes.
 * A sole nullable column has no NULL in these forms: the owner keeps a place of its own for the NULL key. */
#pragma once
#include "flow/state/state.h"

enum key_form { KEY_WORD, KEY_FIXED, KEY_BYTES };

struct key_codec {
    const struct type *type; /* T_ROW */
    uint8_t form;            /* enum key_form */
    bool is_single;          /* one column: NULL is kept apart */
    uint32_t bytes;          /* KEY_WORD, KEY_FIXED: of the encoded key */
    uint32_t null_offset;    /* KEY_FIXED, several columns, some nullable: bits at the end; else 0 */
};

/* Up to BATCH_ROWS keys outside tables, in one of the forms. */
struct key_set {
    struct mem *mem;
    int64_t *words;     /* KEY_WORD */
    struct str *views;  /* the others */
    uint8_t *nulls;     /* 1 = the NULL key; read only when has_nulls */
    bool has_nulls;
    struct buf bytes;   /* what views point into when it is not the batch */
};

enum status key_codec_init(struct key_codec *c, const struct type *key, struct err *e) CHECKED;
void key_set_init(struct key_set *s, struct mem *mem);
void key_set_release(struct key_set *s);
/* Encodes count keys: rows sel[i] (NULL = first + i) of the columns. */
void key_gather(const struct key_codec *c, struct key_set *s, const struct batch *b, const uint32_t *cols, const uint16_t *sel,
                uint32_t first, uint32_t count);
/* Writes count keys to rows first.. of the columns of b (cols NULL = 0..); columns that are ABSENT are passed over. */
void key_scatter(const struct key_codec *c, const struct key_set *s, uint32_t count, struct batch *b, const uint32_t *cols,
                 uint32_t first);
