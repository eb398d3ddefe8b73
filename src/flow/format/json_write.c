/* json_write.c - rows to json, so that json_decode reads the same rows back.
 *
 * The keys of an object are prepared once, quotes, colon and comma included. A string is copied to the output first and
 * looked at there, 32 bytes at a time, for what must be escaped; only from the first such byte on is it written again.
 * NaN and the infinities go in quotes, as json has no numbers for them; bytes as base64. */
#include "flow/format/json.h"

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
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(hit, _mm256_cmpeq_epi8(_mm256_min_epu8(block, control), block)));
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

static void escaped_append(struct str s, struct buf *out)
{
    for (size_t at = 0; at < s.size; at += ESCAPE_STEP) {
        size_t upto = MIN(s.size, at + ESCAPE_STEP);
        char *p;
        buf_reserve(out, 6 * ESCAPE_STEP);
        p = out->data + out->size;
        for (size_t i = at; i < upto; i++) {
            unsigned char c = (unsigned char)s.data[i];
            if (is_special(c)) p = escape_put(p, c);
            else *p++ = (char)c;
        }
        out->size = (size_t)(p - out->data);
    }
}

static void string_append(struct str s, struct buf *out)
{
    size_t plain;

    buf_reserve(out, s.size + 64);
    out->data[out->size++] = '"';
    if (s.size) memcpy(out->data + out->size, s.data, s.size);
    plain = special_find(out->data + out->size, s.size);
    out->size += plain;
    if (plain < s.size) escaped_append((struct str){s.data + plain, s.size - plain}, out);
    buf_append_byte(out, '"');
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
        string_append(str_of(t->names[i]), &key);
        buf_append_byte(&key, ':');
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
    enc->style = (struct value_style){.date_separator = enc->options.is_iso ? 'T' : ' ', .plain_decimals = enc->options.plain_decimals};
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

/* ---- values ------------------------------------------------------------------------------------------------------------ */

static enum status value_append(struct json_encoder *enc, const struct json_shape *shape, const struct vector *v, uint32_t row,
                                struct buf *out, struct err *e);

static void bytes_append(struct str bytes, struct buf *out)
{
    buf_append_byte(out, '"');
    base64_encode(bytes, out);
    buf_append_byte(out, '"');
}

/* A scalar that is no string: numbers and booleans bare, the rest in quotes. */
static void scalar_append(struct json_encoder *enc, const struct vector *v, uint32_t row, struct buf *out)
{
    char *p, *start;
    bool is_bare = v->type->kind < T_DATE || v->type->kind >= T_INTERVAL_MONTH;

    buf_reserve(out, VALUE_TEXT_MAX + 2);
    p = start = out->data + out->size;
    *p++ = '"';
    p = value_put(p, v, row, &enc->style, &enc->minute);
    if (is_bare && !(p - start > 3 && (start[1] == 'N' || start[1] == 'I' || start[2] == 'I'))) { /* NaN, Infinity, -Infinity */
        memmove(start, start + 1, (size_t)(p - start) - 1);
        p--;
    } else {
        *p++ = '"';
    }
    out->size = (size_t)(p - out->data);
}

static enum status array_append(struct json_encoder *enc, const struct json_shape *shape, const struct vector *v, uint32_t at,
                                struct buf *out, struct err *e)
{
    struct list_ref list = VECTOR_VALUES(v, struct list_ref)[at];

    buf_append_byte(out, '[');
    for (uint32_t i = 0; i < list.count; i++) {
        if (i) buf_append_byte(out, ',');
        TRY(value_append(enc, &shape->children[0], &v->children[0], list.first + i, out, e));
    }
    buf_append_byte(out, ']');
    return S_OK;
}

/* The key of one entry of a map, with its quotes; *drop says that the entry is to be left out. */
static enum status map_key_find(const struct json_encoder *enc, const struct vector *keys, uint32_t row, struct str *key, bool *drop,
                                struct err *e)
{
    *drop = false;
    if (!vector_is_null(keys, row)) {
        *key = text_str(&VECTOR_VALUES(vector_values(keys), struct text)[vector_at(keys, row)]);
        return S_OK;
    }
    *drop = enc->options.null_key == JSON_NULL_KEY_DROP;
    *key = enc->options.null_key_literal;
    if (enc->options.null_key != JSON_NULL_KEY_FAIL) return S_OK;
    err_set(e, E_DATA, "format 'json' cannot write a map whose key is NULL");
    err_hint(e, "set 'json.map-null-key.mode' = 'DROP' to leave such entries out, or 'LITERAL' to give the key a text");
    return E_DATA;
}

static enum status map_append(struct json_encoder *enc, const struct json_shape *shape, const struct vector *v, uint32_t at,
                              struct buf *out, struct err *e)
{
    struct list_ref list = VECTOR_VALUES(v, struct list_ref)[at];
    bool is_first = true;

    buf_append_byte(out, '{');
    for (uint32_t i = list.first; i < list.first + list.count; i++) {
        struct str key;
        bool drop;
        TRY(map_key_find(enc, &v->children[0], i, &key, &drop, e));
        if (drop) continue;
        if (!is_first) buf_append_byte(out, ',');
        is_first = false;
        string_append(key, out);
        buf_append_byte(out, ':');
        TRY(value_append(enc, &shape->children[1], &v->children[1], i, out, e));
    }
    buf_append_byte(out, '}');
    return S_OK;
}

/* The fields `cols` of row `row` as an object. */
static enum status object_append(struct json_encoder *enc, const struct json_shape *shape, const struct vector *cols, uint32_t count,
                                 uint32_t row, struct buf *out, struct err *e)
{
    bool is_first = true;

    buf_append_byte(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        struct str key = shape->keys[i];
        if (enc->options.ignore_null_fields && vector_is_null(&cols[i], row)) continue;
        buf_append(out, key.data + is_first, key.size - is_first);
        is_first = false;
        TRY(value_append(enc, &shape->children[i], &cols[i], row, out, e));
    }
    buf_append_byte(out, '}');
    return S_OK;
}

static enum status value_append(struct json_encoder *enc, const struct json_shape *shape, const struct vector *v, uint32_t row,
                                struct buf *out, struct err *e)
{
    const struct vector *values = vector_values(v);
    uint32_t at = vector_at(v, row);

    if (vector_is_null(v, row)) {
        buf_append(out, "null", 4);
        return S_OK;
    }
    switch (values->phys) {
    case P_STR: {
        struct str s = text_str(&VECTOR_VALUES(values, struct text)[at]);
        if (type_is_string(values->type)) string_append(s, out);
        else bytes_append(s, out);
        return S_OK;
    }
    case P_LIST:
        if (values->type->kind == T_ARRAY) return array_append(enc, shape, values, at, out, e);
        return map_append(enc, shape, values, at, out, e);
    case P_ROW: return object_append(enc, shape, values->children, values->child_count, at, out, e);
    default: scalar_append(enc, values, at, out); return S_OK;
    }
}

enum status json_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e)
{
    struct json_encoder *enc = self;
    size_t before = out->size;
    enum status st;

    ASSERT(in->col_count == enc->schema->child_count && row < in->count);
    st = object_append(enc, enc->shape, in->cols, in->col_count, row, out, e);
    if (st != S_OK) out->size = before; /* whole records only */
    return st;
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
