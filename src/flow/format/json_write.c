/* json_write.c - rows to json, so that json_decode reads the same rows back.
 *
 * The keys of an object are prepared once, quotes, colon and comma included. A string is copied to the output first and
 * looked at there, 32 bytes at a time, for what must be escaped; only from the first such byte on is it written again.
 * NaN and the infinities go in quotes, as json has no numbers for them; bytes as base64. */
#include "flow/format/json.h"

#include "flow/format/text_fast.h"
#include "ground/base/str.h"

enum { ESCAPE_STEP = 256 };

/* What is to be written for one type, prepared. */
struct json_shape {
    struct str *keys; /* ROW: `,"name":` of each field */
    struct json_shape *children;
};

/* ---- strings ----------------------------------------------------------------------------------------------------------- */

static inline bool is_special(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

/* The first byte of data[0..size) that must be escaped, or size. Reads up to 31 beyond. */
static size_t special_find(const char *data, size_t size)
{
    size_t at = 0;

#ifdef __AVX2__
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\'), control = _mm256_set1_epi8(0x1f);
    for (; at < size; at += 32) {
        __m256i block = avx2_load(data + at);
        __m256i hit = _mm256_or_si256(_mm256_cmpeq_epi8(block, quote), _mm256_cmpeq_epi8(block, backslash));
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(
            _mm256_or_si256(hit, _mm256_cmpeq_epi8(_mm256_min_epu8(block, control), block)));
        if (bits) return MIN(at + (size_t)__builtin_ctz(bits), size);
    }
    return size;
#else
    while (at < size && !is_special((unsigned char)data[at])) at++;
    return at;
#endif
}

static char *escape_put(char *p, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char letters[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char letter = c < 32 ? letters[c] : (char)c;

    *p++ = '\\';
    if (letter) {
        *p++ = letter;
        return p;
    }
    memcpy(p, "u00", 3);
    p[3] = digits[c >> 4];
    p[4] = digits[c & 15];
    return p + 5;
}

static char *escaped_put(struct str s, struct buf *out, char *p)
{
    for (size_t at = 0; at < s.size; at += ESCAPE_STEP) {
        size_t upto = MIN(s.size, at + ESCAPE_STEP);
        p = value_room(out, p, 6 * ESCAPE_STEP);
        for (size_t i = at; i < upto; i++) {
            unsigned char c = (unsigned char)s.data[i];
            if (is_special(c)) p = escape_put(p, c);
            else *p++ = (char)c;
        }
    }
    return p;
}

static char *string_put(struct str s, struct buf *out, char *p)
{
    size_t plain;

    p = value_room(out, p, s.size + 64);
    *p++ = '"';
    if (s.size) memcpy(p, s.data, s.size);
    plain = special_find(p, s.size);
    p += plain;
    if (UNLIKELY(plain < s.size))
        p = value_room(out, escaped_put((struct str){s.data + plain, s.size - plain}, out, p), 1);
    *p++ = '"';
    return p;
}

/* ---- opening ----------------------------------------------------------------------------------------------------------- */

static void shape_init(struct json_shape *shape, const struct type *t, struct mem *mem)
{
    *shape = (struct json_shape){0};
    if (t->child_count == 0) return;
    shape->children = mem_zalloc(mem, t->child_count * sizeof(struct json_shape));
    for (uint32_t i = 0; i < t->child_count; i++) shape_init(&shape->children[i], t->children[i], mem);
    if (t->kind != T_ROW) return;
    shape->keys = mem_zalloc(mem, t->child_count * sizeof(struct str));
    for (uint32_t i = 0; i < t->child_count; i++) {
        struct buf key;
        buf_init(&key, mem);
        buf_append_byte(&key, ',');
        key.size = (size_t)(string_put(str_of(t->names[i]), &key, key.data + key.size) - key.data);
        buf_append_byte(&key, ':');
        buf_reserve(&key, 32);                             /* copied in steps of 32 bytes */
        shape->keys[i] = (struct str){key.data, key.size}; /* the buffer's memory is the shape's now */
    }
}

static void shape_release(struct json_shape *shape, const struct type *t, struct mem *mem)
{
    for (uint32_t i = 0; i < t->child_count; i++) {
        shape_release(&shape->children[i], t->children[i], mem);
        if (shape->keys) mem_free(mem, (char *)shape->keys[i].data);
    }
    mem_free(mem, shape->children);
    mem_free(mem, shape->keys);
}

enum status json_encoder_open(void *self, const struct format_config *config, struct err *e)
{
    struct json_encoder *enc = self;
    struct json_node check;
    enum status st;

    ASSERT(config->schema->kind == T_ROW && config->mem);
    TRY(json_options_read(config, &enc->options, e));
    st = json_node_init(&check, config->schema, (struct str){0}, config->mem, e); /* refuses what cannot be read back */
    json_node_release(&check, config->mem);
    if (st != S_OK) return st;
    enc->schema = config->schema;
    enc->mem = config->mem;
    enc->style = (struct value_style){.date_separator = enc->options.is_iso ? 'T' : ' ',
                                      .plain_decimals = enc->options.plain_decimals};
    minute_text_init(&enc->minute);
    enc->shape = mem_zalloc(config->mem, sizeof *enc->shape);
    shape_init(enc->shape, config->schema, config->mem);
    return S_OK;
}

void json_encoder_close(void *self)
{
    struct json_encoder *enc = self;

    shape_release(enc->shape, enc->schema, enc->mem);
    mem_free(enc->mem, enc->shape);
}

/* ---- values: at p, which lies in out; NULL after an error ---------------------------------------------------------------- */

static char *value_write(struct json_encoder *enc, const struct json_shape *shape, const struct vector *v, uint32_t row,
                         struct buf *out, char *p, struct err *e);

static char *byte_put(char c, struct buf *out, char *p)
{
    p = value_room(out, p, 1);
    *p++ = c;
    return p;
}

static char *bytes_put(struct str bytes, struct buf *out, char *p)
{
    p = byte_put('"', out, p);
    out->size = (size_t)(p - out->data);
    base64_encode(bytes, out);
    return byte_put('"', out, out->data + out->size);
}

/* A scalar that is no string: numbers and booleans bare, the rest in quotes. */
static char *scalar_put(struct json_encoder *enc, const struct vector *v, uint32_t row, struct buf *out, char *p)
{
    uint8_t kind = v->type->kind;
    char *start = p = value_room(out, p, VALUE_TEXT_MAX + 2);

    if (kind < T_DATE || kind >= T_INTERVAL_MONTH) {
        p = value_put(p, v, row, &enc->style, &enc->minute);
        if (LIKELY(p[-1] <= '9' || kind == T_BOOLEAN)) return p;
        memmove(start + 1, start, (size_t)(p - start)); /* NaN, Infinity */
        *start = '"';
        p++;
    } else {
        *p = '"';
        p = value_put(p + 1, v, row, &enc->style, &enc->minute);
    }
    *p++ = '"';
    return p;
}

static char *array_put(struct json_encoder *enc, const struct json_shape *shape, const struct vector *v, uint32_t at,
                       struct buf *out, char *p, struct err *e)
{
    struct list_ref list = VECTOR_VALUES(v, struct list_ref)[at];

    p = byte_put('[', out, p);
    for (uint32_t i = 0; i < list.count; i++) {
        if (i) p = byte_put(',', out, p);
        p = value_write(enc, &shape->children[0], &v->children[0], list.first + i, out, p, e);
        if (UNLIKELY(!p)) return NULL;
    }
    return byte_put(']', out, p);
}

/* The key of one entry of a map; *drop says that the entry is to be left out. */
static enum status map_key_find(const struct json_encoder *enc, const struct vector *keys, uint32_t row,
                                struct str *key, bool *drop, struct err *e)
{
    *drop = false;
    if (!vector_is_null(keys, row)) {
        *key = text_str(&VECTOR_VALUES(vector_values(keys), struct text)[vector_at(keys, row)]);
        return S_OK;
    }
    *drop = enc->options.null_key == JSON_NULL_KEY_DROP;
    *key = enc->options.null_key_literal;
    if (enc->options.null_key != JSON_NULL_KEY_FAIL) return S_OK;
    err_set(e, E_DATA, "format '%s' cannot write a map whose key is NULL", enc->options.format);
    err_hint(e, "set '%s.map-null-key.mode' = 'DROP' to leave such entries out, or 'LITERAL' to give the key a text", enc->options.format);
    return E_DATA;
}

static char *map_put(struct json_encoder *enc, const struct json_shape *shape, const struct vector *v, uint32_t at,
                     struct buf *out, char *p, struct err *e)
{
    struct list_ref list = VECTOR_VALUES(v, struct list_ref)[at];
    bool is_first = true;

    p = byte_put('{', out, p);
    for (uint32_t i = list.first; i < list.first + list.count; i++) {
        struct str key;
        bool drop;
        if (map_key_find(enc, &v->children[0], i, &key, &drop, e) != S_OK) return NULL;
        if (drop) continue;
        if (!is_first) p = byte_put(',', out, p);
        is_first = false;
        p = byte_put(':', out, string_put(key, out, p));
        p = value_write(enc, &shape->children[1], &v->children[1], i, out, p, e);
        if (UNLIKELY(!p)) return NULL;
    }
    return byte_put('}', out, p);
}

/* The fields `cols` of row `row` as an object. */
static char *object_put(struct json_encoder *enc, const struct json_shape *shape, const struct vector *cols,
                        uint32_t count, uint32_t row, struct buf *out, char *p, struct err *e)
{
    bool is_first = true;

    p = byte_put('{', out, p);
    for (uint32_t i = 0; i < count; i++) {
        struct str key = shape->keys[i];
        if (enc->options.ignore_null_fields && vector_is_null(&cols[i], row)) continue;
        p = value_room(out, p, key.size + 32);
        copy_steps(p, key.data + is_first, key.size - is_first);
        p += key.size - is_first;
        is_first = false;
        p = value_write(enc, &shape->children[i], &cols[i], row, out, p, e);
        if (UNLIKELY(!p)) return NULL;
    }
    return byte_put('}', out, p);
}

static char *value_write(struct json_encoder *enc, const struct json_shape *shape, const struct vector *v, uint32_t row,
                         struct buf *out, char *p, struct err *e)
{
    const struct vector *values = vector_values(v);
    uint32_t at = vector_at(v, row);

    if (vector_is_null(v, row)) return (char *)memcpy(value_room(out, p, 4), "null", 4) + 4;
    switch (values->phys) {
    case P_STR: {
        struct str s = text_str(&VECTOR_VALUES(values, struct text)[at]);
        return type_is_string(values->type) ? string_put(s, out, p) : bytes_put(s, out, p);
    }
    case P_LIST:
        if (values->type->kind == T_ARRAY) return array_put(enc, shape, values, at, out, p, e);
        return map_put(enc, shape, values, at, out, p, e);
    case P_ROW: return object_put(enc, shape, values->children, values->child_count, at, out, p, e);
    default: return scalar_put(enc, values, at, out, p);
    }
}

enum status json_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e)
{
    struct json_encoder *enc = self;
    size_t before = out->size;
    char *p;

    ASSERT(in->col_count == enc->schema->child_count && row < in->count);
    p = object_put(enc, enc->shape, in->cols, in->col_count, row, out, out->data ? out->data + out->size : NULL, e);
    out->size = p ? (size_t)(p - out->data) : before; /* whole records only */
    return p ? S_OK : E_DATA;
}

enum status json_encode(void *self, const struct batch *in, struct buf *out, struct err *e)
{
    BATCH_EACH(in, i, row)
    {
        TRY(json_encode_row(self, in, row, out, e));
        buf_append_byte(out, '\n');
    }
    return S_OK;
}
