/* json_read.c - objects to columns, in one pass over the record.
 *
 * Records of one stream have the same members in the same order, so each object remembers the bytes that stood between
 * the values of the record before: `{"id":`, `,"price": `. Where the next record has the same bytes, the column is known
 * without looking at the key; where not, the key is parsed, looked up by hash and remembered. A member that is missing
 * once is tried over one place. Values are read straight into the row that is being made; the row counts only when the
 * whole record was good. Values are json_scalar.c's and json_nested.c's.
 *
 * Meaning: a missing member is NULL, a repeated one the last that came, an unknown one skipped (but checked). A number
 * may stand in quotes, anything may be read into a string (containers as their text), otherwise kinds must match. */
#include "flow/format/json.h"

#include "flow/format/json_fast.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"

/* ---- objects ----------------------------------------------------------------------------------------------------------- */

/* Do the remembered bytes stand at p? Reads 64 bytes. */
SCAN_INLINE bool key_matches(const struct json_key *key, const char *p)
{
#ifdef __AVX2__
    __m256i low = _mm256_cmpeq_epi8(avx2_load(p), _mm256_load_si256((const __m256i *)key->text));
    if (((uint32_t)_mm256_movemask_epi8(low) & key->mask_low) != key->mask_low) return false;
    if (LIKELY(!key->mask_high)) return true;
    __m256i high = _mm256_cmpeq_epi8(avx2_load(p + 32), _mm256_load_si256((const __m256i *)(key->text + 32)));
    return ((uint32_t)_mm256_movemask_epi8(high) & key->mask_high) == key->mask_high;
#else
    return memcmp(key->text, p, key->size) == 0;
#endif
}

static void key_remember(struct json_object *o, uint32_t at, const char *start, const char *end, uint16_t field)
{
    size_t size = (size_t)(end - start);
    struct json_key *key = &o->order[at];

    o->is_known = false;
    if (at >= o->order_max) {
        o->is_cut = true;
        return;
    }
    o->order_count = MAX(o->order_count, at + 1);
    *key = (struct json_key){
        .text = "!", .mask_low = 1, .size = 1, .field = field}; /* never matches: p stands at { or a comma */
    if (size > JSON_KEY_MAX) return;
    memcpy(key->text, start, size);
    key->size = (uint16_t)size;
    key->mask_low = size >= 32 ? UINT32_MAX : (1u << size) - 1;
    key->mask_high = size <= 32 ? 0 : size == 64 ? UINT32_MAX : (1u << (size - 32)) - 1;
}

static uint16_t field_find(const struct json_object *o, struct str name)
{
    uint32_t i = (uint32_t)hash64_seeded(name.data, name.size, 3) & o->index_mask;

    for (; o->index[i] != JSON_UNKNOWN; i = (i + 1) & o->index_mask)
        if (str_equal(o->fields[o->index[i]].name, name)) return o->index[i];
    return JSON_UNKNOWN;
}

/* p stands at the { or at the comma before a member: parses its key up to the value and remembers it as number `at`. */
static const char *member_parse(struct json_reader *rd, struct json_object *o, uint32_t at, const char *p,
                                uint16_t *field)
{
    const char *start = p;
    struct json_string s;
    struct str name;

    p = json_space_skip(p + 1, rd->end);
    if (p >= rd->end || *p != '"') return json_unexpected(rd, p, "a field name in quotes");
    if (!(p = json_string_read(rd, p + 1, &s)) || !json_string_text(rd, &s, &name)) return NULL;
    p = json_space_skip(p, rd->end);
    if (p >= rd->end || *p != ':') return json_unexpected(rd, p, "':'");
    p = json_space_skip(p + 1, rd->end);
    *field = field_find(o, name);
    key_remember(o, at, start, p, *field);
    return p;
}

/* One value of the object, for a field that is known. */
static const char *field_read(struct json_reader *rd, struct json_object *o, uint16_t field, struct vector *cols,
                              uint32_t row, const char *p)
{
    struct json_node *node = &o->fields[field];
    uint64_t bit = UINT64_C(1) << (field & 63), *word = &o->seen[field >> 6];
    uint32_t depth = rd->depth;
    const char *next;

    if (UNLIKELY(*word & bit) && node->is_needed)
        format_vector_forget(&cols[field], row, 1); /* it came before, perhaps as NULL */
    *word |= bit;
    if (UNLIKELY(!node->is_needed)) return json_value_skip(rd, p);
    if (LIKELY((next = json_fast_read(rd, node, &cols[field], row, p, rd->end)) != NULL)) return next;
    rd->path[rd->depth] = (struct json_place){.node = node};
    next = json_value_read(rd, node, &cols[field], row, p);
    return LIKELY(next) ? next : json_fault_ignore(rd, node, &cols[field], row, p, depth);
}

/* Fields that did not come are NULL, or an error. */
static bool missing_fill(struct json_reader *rd, struct json_object *o, struct vector *cols, uint32_t row,
                         const char *end)
{
    for (uint32_t i = 0; i < o->field_count; i++) {
        struct json_node *node = &o->fields[i];
        bool is_fault = rd->options.fail_on_missing || (node->is_needed && !node->type->nullable);
        if (o->seen[i >> 6] >> (i & 63) & 1) continue;
        if (is_fault) {
            rd->path[rd->depth] = (struct json_place){.node = node};
            buf_append_text(json_soft_begin(rd, end, node->type), "the field is missing");
            return false;
        }
        if (node->is_needed) vector_set_null(&cols[i], row);
    }
    return true;
}

static bool all_seen(const struct json_object *o)
{
    uint32_t words = o->field_count / 64, rest = o->field_count % 64;

    for (uint32_t i = 0; i < words; i++)
        if (~o->seen[i]) return false;
    return !rest || o->seen[words] == (UINT64_C(1) << rest) - 1;
}

/* The next member, by memory or by its key; *at counts members. NULL: a fault. */
SCAN_INLINE const char *member_find(struct json_reader *rd, struct json_object *o, uint32_t *at, const char *p,
                                    uint16_t *field)
{
    for (uint32_t i = *at; i < o->order_count && i < *at + 2; i++) {
        if (LIKELY(key_matches(&o->order[i], p))) {
            *at = i + 1;
            *field = o->order[i].field;
            return p + o->order[i].size;
        }
    }
    return member_parse(rd, o, (*at)++, p, field);
}

const char *json_object_read(struct json_reader *rd, struct json_object *o, struct vector *cols, uint32_t row,
                             const char *p)
{
    const char *start = p, *first = json_space_skip(p + 1, rd->end);
    uint16_t field = JSON_UNKNOWN;
    uint32_t at = 0;

    for (uint32_t i = 0; i < (o->field_count + 63) / 64; i++) o->seen[i] = 0;
    if (UNLIKELY(first < rd->end && *first == '}')) return missing_fill(rd, o, cols, row, start) ? first + 1 : NULL;
    do {
        if (!(p = member_find(rd, o, &at, p, &field))) return NULL;
        if (UNLIKELY(p < rd->end && (unsigned char)*p <= ' '))
            p = json_space_skip(p, rd->end); /* not so much of it before */
        if (UNLIKELY(p >= rd->end)) return json_unexpected(rd, rd->end, "a value");
        p = LIKELY(field != JSON_UNKNOWN) ? field_read(rd, o, field, cols, row, p) : json_value_skip(rd, p);
        if (UNLIKELY(!p)) return NULL;
        if (UNLIKELY(p >= rd->end || (*p != ',' && *p != '}'))) p = json_space_skip(p, rd->end);
    } while (p < rd->end && *p == ',');
    if (UNLIKELY(p >= rd->end || *p != '}')) return json_unexpected(rd, p, "',' or '}'");
    if (UNLIKELY(!all_seen(o)) && !missing_fill(rd, o, cols, row, start)) return NULL;
    return p + 1;
}

/* ---- the usual record -------------------------------------------------------------------------------------------------- */

/* Does the remembered order allow json_record_fast? Found out anew whenever a key was learned. */
static bool order_is_strict(struct json_object *o)
{
    uint32_t found = 0;

    o->is_known = true;
    for (uint32_t i = 0; i < (o->field_count + 63) / 64; i++) o->seen[i] = 0;
    for (uint32_t i = 0; i < o->order_count; i++) {
        uint16_t field = o->order[i].field;
        if (field == JSON_UNKNOWN) continue;
        if (bit_get(o->seen, field)) return false;
        if (o->fields[field].is_needed && (o->fields[field].code >= JSON_ARRAY || o->fields[field].code == JSON_QUOTED))
            return false;
        bit_set(o->seen, field);
        found++;
    }
    return found == o->field_count && !o->is_cut;
}

/* A value that nobody wants: a string or number of the plainest kind. */
SCAN_INLINE const char *plain_skip(const char *p, const char *end)
{
    struct number n;
    uint32_t high = 0;

    if (*p != '"') return plain_number(p, end, &n);
    p = json_string_stop(p + 1, end, &high);
    return p < end && *p == '"' && !high ? p + 1 : NULL;
}

/* null, where it is allowed. */
SCAN_INLINE const char *plain_null(const struct json_node *node, struct vector *v, uint32_t row, const char *p,
                                   const char *end)
{
    if (memcmp(p, "null", 4) != 0 || p + 4 >= end || !node->type->nullable) return NULL;
    vector_set_null(v, row);
    return p + 4;
}

const char *json_record_fast(struct json_reader *rd, struct json_node *root, struct vector *cols, uint32_t row,
                             const char *p)
{
    struct json_object *o = root->object;
    const char *end = rd->end;
    bool has_null = false;

    if (UNLIKELY(!o->is_known)) o->is_strict = order_is_strict(o);
    if (!o->is_strict) return NULL;
    rd->record = p;
    for (uint32_t i = 0; i < o->order_count; i++) {
        const struct json_key *key = &o->order[i];
        const char *value = p + key->size, *next = NULL;
        if (UNLIKELY(!key_matches(key, p) || value >= end)) break;
        struct json_node *node = key->field == JSON_UNKNOWN ? NULL : &o->fields[key->field];
        if (UNLIKELY(!node || !node->is_needed)) {
            next = plain_skip(value, end);
        } else {
            next = json_fast_read(rd, node, &cols[key->field], row, value, end);
            if (UNLIKELY(!next)) has_null |= (next = plain_null(node, &cols[key->field], row, value, end)) != NULL;
        }
        p = next;
        if (UNLIKELY(!p || p >= end)) break;
        if (i + 1 == o->order_count && *p == '}') return p + 1;
    }
    if (has_null)
        for (uint32_t i = 0; i < o->field_count; i++)
            if (o->fields[i].is_needed) format_vector_forget(&cols[i], row, 1);
    return NULL;
}

/* ---- any record --------------------------------------------------------------------------------------------------------- */

bool json_record_read(struct json_reader *rd, struct json_node *root, struct vector *cols, uint32_t row, const char *p)
{
    rd->depth = 0;
    rd->record = p;
    p = json_space_skip(p, rd->end);
    if (UNLIKELY(p >= rd->end || *p != '{')) return json_unexpected(rd, p, "an object");
    p = json_object_read(rd, root->object, cols, row, p);
    if (UNLIKELY(!p)) return false;
    p = json_space_skip(p, rd->end);
    return LIKELY(p == rd->end) || json_unexpected(rd, p, "the end of the record");
}

/* ---- opening ----------------------------------------------------------------------------------------------------------- */

static int code_of(const struct type *t)
{
    switch (t->kind) {
    case T_BOOLEAN: return JSON_BOOLEAN;
    case T_TINYINT: return JSON_I8;
    case T_SMALLINT: return JSON_I16;
    case T_INT:
    case T_INTERVAL_MONTH: return JSON_I32;
    case T_BIGINT:
    case T_INTERVAL_SECOND: return JSON_I64;
    case T_FLOAT: return JSON_F32;
    case T_DOUBLE: return JSON_F64;
    case T_DECIMAL: return t->phys == P_I64 ? JSON_DECIMAL64 : JSON_DECIMAL128;
    case T_CHAR:
    case T_VARCHAR: return JSON_STRING;
    case T_BINARY:
    case T_VARBINARY:
    case T_TIME: return JSON_QUOTED;
    case T_DATE: return JSON_DATE;
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ:
        return t->precision == 3 ? JSON_TIMESTAMP3 : t->precision == 6 ? JSON_TIMESTAMP6 : JSON_TIMESTAMP;
    case T_ARRAY: return JSON_ARRAY;
    case T_MAP:
    case T_MULTISET: return type_is_string(t->children[0]) ? JSON_MAP : -1;
    case T_ROW: return JSON_ROW;
    default: return -1;
    }
}

static struct json_object *object_new(uint32_t fields, struct mem *mem)
{
    struct json_object *o = mem_zalloc(mem, sizeof *o);
    uint32_t slots = 8;

    while (slots < 2 * fields) slots *= 2;
    o->field_count = fields;
    o->fields = mem_zalloc(mem, MAX(fields, 1u) * sizeof(struct json_node));
    o->seen = mem_zalloc(mem, (fields / 64 + 1) * sizeof(uint64_t));
    o->index = mem_alloc(mem, slots * sizeof(uint16_t));
    memset(o->index, 0xff, slots * sizeof(uint16_t));
    o->index_mask = slots - 1;
    o->order_max = MIN(fields + 32, (uint32_t)JSON_ORDER_MAX);
    o->order = mem_alloc_aligned(mem, o->order_max * sizeof(struct json_key), 64);
    return o;
}

static void index_add(struct json_object *o, uint16_t field)
{
    struct str name = o->fields[field].name;
    uint32_t i = (uint32_t)hash64_seeded(name.data, name.size, 3) & o->index_mask;

    while (o->index[i] != JSON_UNKNOWN) i = (i + 1) & o->index_mask;
    o->index[i] = field;
}

static enum status unsupported(const struct type *t, struct str name, struct mem *mem, struct err *e)
{
    struct buf text;

    buf_init(&text, mem);
    report_type(&text, t);
    err_set(e, E_UNSUPPORTED, "format 'json' cannot hold '%.*s' of type %s", (int)MIN(name.size, 64u), name.data,
            buf_text(&text));
    err_hint(e, "keys of maps and elements of multisets must be strings in json");
    buf_release(&text);
    return E_UNSUPPORTED;
}

enum status json_node_init(struct json_node *node, const struct type *t, struct str name, struct mem *mem,
                           struct err *e)
{
    int code = code_of(t);

    *node = (struct json_node){.type = t, .code = (uint8_t)code, .is_needed = true, .name = name};
    if (code < 0) return unsupported(t, name, mem, e);
    if (code == JSON_ROW) {
        node->object = object_new(t->child_count, mem);
        for (uint32_t i = 0; i < t->child_count; i++) {
            TRY(json_node_init(&node->object->fields[i], t->children[i], str_of(t->names[i]), mem, e));
            index_add(node->object, (uint16_t)i);
        }
    } else if (t->child_count) {
        node->children = mem_zalloc(mem, t->child_count * sizeof(struct json_node));
        for (uint32_t i = 0; i < t->child_count; i++)
            TRY(json_node_init(&node->children[i], t->children[i], (struct str){0}, mem, e));
    }
    return S_OK;
}

void json_node_release(struct json_node *node, struct mem *mem)
{
    if (!node->type) return;
    for (uint32_t i = 0; node->children && i < node->type->child_count; i++) json_node_release(&node->children[i], mem);
    mem_free(mem, node->children);
    mem_free(mem, node->slots);
    if (!node->object) return;
    for (uint32_t i = 0; i < node->object->field_count; i++) json_node_release(&node->object->fields[i], mem);
    mem_free(mem, node->object->fields);
    mem_free(mem, node->object->seen);
    mem_free(mem, node->object->index);
    mem_free(mem, node->object->order);
    mem_free(mem, node->object);
}
