/* json.h - the parts of the json format among themselves: fmt_json.c holds the descriptor and the options, json_text.c
 * the grammar, json_read.c objects to columns, json_decode.c the lines, json_write.c the way back. */
#pragma once
#include "flow/format/format_report.h"
#include "flow/format/lines.h"
#include "flow/format/time_fast.h"
#include "flow/format/value_parse.h"
#include "flow/format/value_print.h"

enum json_null_key { JSON_NULL_KEY_FAIL, JSON_NULL_KEY_DROP, JSON_NULL_KEY_LITERAL };

struct json_options {
    const char *format; /* whose options these are, for advice: "json", or a format that is made of it */
    bool fail_on_missing, ignore_errors, is_iso, plain_decimals, ignore_null_fields;
    enum json_null_key null_key;
    struct str null_key_literal;
    size_t record_max;
};

struct json_object;

enum json_code {
    JSON_I8,
    JSON_I16,
    JSON_I32,
    JSON_I64,
    JSON_F32,
    JSON_F64,
    JSON_DECIMAL64,
    JSON_DECIMAL128,
    JSON_BOOLEAN,
    JSON_STRING,
    JSON_TIMESTAMP3,
    JSON_TIMESTAMP6,
    JSON_TIMESTAMP, /* of other precisions */
    JSON_DATE,
    JSON_QUOTED, /* other types whose values are strings: times, bytes */
    JSON_ARRAY,
    JSON_MAP,
    JSON_ROW,
    JSON_UNREAD, /* an object or an array, as text: somebody reads it later */
};

/* How values of one type are read. */
struct json_node {
    const struct type *type;
    uint8_t code;               /* enum json_code */
    bool is_needed;             /* else it is skipped */
    struct str name;            /* of the field; empty for elements */
    struct json_node *children; /* ARRAY: element; MAP, MULTISET: key, value */
    struct json_object *object; /* ROW */
    struct minute_cache minute;
    uint32_t *slots; /* MAP: finds keys that repeat in large ones */
    uint32_t slot_count;
};

enum { JSON_KEY_MAX = 64, JSON_ORDER_MAX = 2048, JSON_UNKNOWN = 0xffff };

/* One member as the previous record had it: the bytes from behind the value before it up to its own value, such as
 * `,"price": `. When the next record has the same bytes there, its key need not be parsed. */
struct json_key {
    char text[JSON_KEY_MAX] __attribute__((aligned(32)));
    uint32_t mask_low, mask_high; /* bit i = byte i belongs to the key */
    uint16_t size;
    uint16_t field; /* JSON_UNKNOWN = no column */
};

struct json_object {
    uint32_t field_count;
    struct json_node *fields;
    uint16_t *index; /* open addressing over hashes of the names; JSON_UNKNOWN = free */
    uint32_t index_mask;
    uint64_t *seen; /* bit i = field i came in this object */
    struct json_key *order;
    uint32_t order_count; /* members of the longest object so far */
    uint32_t order_max;
    bool is_cut;    /* there were more members than can be remembered */
    bool is_known;  /* is_strict was found out for this order */
    bool is_strict; /* the order has every column once, and each may be read by json_fast_read */
};

/* Where in the types we are, for the path in errors. */
struct json_place {
    const struct json_node *node;
    uint32_t element; /* of an array */
};

struct json_reader {
    struct json_options options;
    struct format_report *report;
    struct mem *mem;
    const char *record, *end;
    const char *window_end; /* strings of the window need no more room than this */
    struct text_heap *heap; /* of the batch being filled */
    char *room, *room_end;  /* taken from the heap, not used yet */
    struct buf unescaped;   /* a key or a value with escapes */
    uint32_t depth;
    struct json_place path[FORMAT_DEPTH_MAX + 2];
    bool is_soft; /* the last fault: a value of the wrong kind, the text itself is json */
    const char *fault_at, *fault_hint;
    char advice[192]; /* for values; fault_hint may be it */
};

/* ---- json_text.c: all answer the place behind what they read, or NULL after json_fault */

struct json_string {
    struct str raw; /* between the quotes */
    bool has_escapes;
};

/* The record is not json, or holds what it must not: a printf-style reason; answers NULL. */
const char *json_fault(struct json_reader *rd, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for an unexpected character at `at`, or the end: "expected X, found 'y'". */
const char *json_unexpected(struct json_reader *rd, const char *at, const char *expected);
/* p stands behind the opening quote. Checks escapes and UTF-8. */
const char *json_string_read(struct json_reader *rd, const char *p, struct json_string *out);
/* The meaning of a string with escapes into out, room s->raw.size; a lone surrogate is a fault at its place. */
bool json_unescape(struct json_reader *rd, const struct json_string *s, char *out, size_t *size) CHECKED;
/* A number by json's grammar. */
const char *json_number_end(struct json_reader *rd, const char *p);
/* Any value, checked in full, nothing kept. */
const char *json_value_skip(struct json_reader *rd, const char *p);
/* A value's text without the spaces between its parts; room text.size. */
size_t json_compact(struct str text, char *out);

/* The first quote, backslash or control character from p on, or end or beyond. *high |= bytes above 0x7f before it. */
static inline const char *json_string_stop(const char *p, const char *end, uint32_t *high)
{
#ifdef __AVX2__
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\'), control = _mm256_set1_epi8(0x1f);

    for (; p < end; p += 32) {
        __m256i block = avx2_load(p);
        __m256i hit = _mm256_or_si256(_mm256_cmpeq_epi8(block, quote), _mm256_cmpeq_epi8(block, backslash));
        uint32_t stops = (uint32_t)_mm256_movemask_epi8(
            _mm256_or_si256(hit, _mm256_cmpeq_epi8(_mm256_min_epu8(block, control), block)));
        *high |= (uint32_t)_mm256_movemask_epi8(block) & (stops ^ (stops - 1));
        if (stops) return p + __builtin_ctz(stops);
    }
    return p;
#else
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\' || c < 0x20) return p;
        *high |= c & 0x80;
    }
    return p;
#endif
}

static inline const char *json_space_skip(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    return p;
}

/* ---- json_scalar.c: the general way; values into v[row]; p stands at the value's first byte, inside the record */

/* Objects and arrays as text, without spaces; nothing else. */
const char *json_unread_take(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row, const char *p);
const char *json_scalar_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                             const char *p);
const char *json_null_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row,
                           const char *p);
/* The value at p is json, but not for this type: "an object where a number is expected". Answers NULL. */
const char *json_soft_kind(struct json_reader *rd, const char *p, const struct type *t, const char *expected);
/* Begins the reason of a soft fault with the path of where the reader is. */
struct buf *json_soft_begin(struct json_reader *rd, const char *at, const struct type *t);
/* Keeps a string: inline, or copied to the batch's heap. false after a fault. */
bool json_string_put(struct json_reader *rd, const struct json_string *s, struct vector *v, uint32_t row) CHECKED;
/* The text of a string, escapes resolved; a view into the record or into rd->unescaped. */
bool json_string_text(struct json_reader *rd, const struct json_string *s, struct str *out) CHECKED;

/* ---- json_nested.c */

const char *json_value_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                            const char *p);
/* After a fault in the value at p: NULL takes its place when that is asked for and allowed. depth: the reader's, before. */
const char *json_fault_ignore(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row,
                              const char *p, uint32_t depth);

/* ---- json_read.c */

const char *json_object_read(struct json_reader *rd, struct json_object *o, struct vector *cols, uint32_t row,
                             const char *p);

enum status json_node_init(struct json_node *node, const struct type *t, struct str name, struct mem *mem,
                           struct err *e) CHECKED;
void json_node_release(struct json_node *node, struct mem *mem);
/* A record as it usually is, from its { on: the members in the order of the last one, no spaces, plain scalars. rd->end
 * is the end of the window here, not of the record, which is found on the way. Answers the place behind the }, or NULL:
 * it is not that simple, json_record_read has to look; nothing was said in the report. */
const char *json_record_fast(struct json_reader *rd, struct json_node *root, struct vector *cols, uint32_t row,
                             const char *p);
/* One record, rd->end its end, into row of cols (the fields of root's object). false = bad, see the fault. */
bool json_record_read(struct json_reader *rd, struct json_node *root, struct vector *cols, uint32_t row,
                      const char *p) CHECKED;

/* ---- json_decode.c, json_write.c */

struct json_decoder {
    struct json_reader reader;
    struct format_report report;
    struct json_node root;
    struct lines lines;
    struct mem *mem;
    size_t heap_max;
    uint32_t slow_left,
        slow_next; /* records to be read the general way before the fast one is tried again; and the next time */
};

struct json_encoder {
    struct json_options options;
    const struct type *schema;
    struct mem *mem;
    struct value_style style;
    struct minute_text minute;
    struct json_shape *shape;
};

enum status json_options_read(const struct format_config *config, struct json_options *out, struct err *e) CHECKED;
enum status json_decoder_open(void *self, const struct format_config *config, struct err *e);
enum status json_decode(void *self, struct format_input *in, struct batch *out, struct err *e);
enum status json_decode_message(void *self, const struct format_message *message, struct batch *out, struct err *e);
void json_decoder_close(void *self);
enum status json_encoder_open(void *self, const struct format_config *config, struct err *e);
enum status json_encode(void *self, const struct batch *in, struct buf *out, struct err *e);
enum status json_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e);
void json_encoder_close(void *self);
