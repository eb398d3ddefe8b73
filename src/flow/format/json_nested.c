/* json_nested.c - arrays, maps and rows inside of columns.
 *
 * Elements go to the end of the list's child vectors and count only when the list is complete; a list that fails gives
 * them back. Depth is bounded by the schema's. A key that repeats in a map keeps its place and takes the later value:
 * small maps compare, large ones hash. The reader's path follows along, so that a fault can say where it was. */
#include "flow/format/json_fast.h"

#include "ground/base/hash.h"

enum { MAP_LINEAR_MAX = 16 };

/* A value could not be kept: NULL takes its place when that is asked for and allowed, and reading goes on behind it. */
const char *json_fault_ignore(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row,
                              const char *p, uint32_t depth)
{
    if (!rd->is_soft || !rd->options.ignore_errors || !node->type->nullable) return NULL;
    format_vector_forget(v, row, 1);
    vector_set_null(v, row);
    rd->depth = depth;
    return json_value_skip(rd, p);
}

/* Reads a value one level deeper. After a fault depth stays as it was there, for the path in the reason. */
static const char *inner_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                              const char *p, uint32_t element)
{
    uint32_t depth = rd->depth;
    const char *next;

    ASSERT_ROW(depth + 1 < COUNT_OF(rd->path));
    rd->path[++rd->depth] = (struct json_place){node, element};
    next = json_value_read(rd, node, v, row, p);
    if (UNLIKELY(!next)) next = json_fault_ignore(rd, node, v, row, p, depth + 1);
    if (next) rd->depth = depth;
    return next;
}

/* Makes room for child row `used` of every child of v. */
static void children_reserve(struct json_reader *rd, struct vector *v)
{
    if (UNLIKELY(v->children[0].used >= v->children[0].capacity))
        vector_child_reserve(v, v->children[0].used + 1, rd->mem);
}

static void children_used(struct vector *v, uint32_t used)
{
    for (uint32_t i = 0; i < v->child_count; i++) v->children[i].used = used;
}

/* Elements first.. were made for a list that came to nothing. */
static const char *list_drop(struct vector *v, uint32_t first)
{
    uint32_t used = v->children[0].used, upto = MIN(used + 1, v->children[0].capacity);

    for (uint32_t i = 0; i < v->child_count; i++) format_vector_forget(&v->children[i], first, upto - first);
    children_used(v, first);
    return NULL;
}

static const char *array_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                              const char *p)
{
    struct vector *child = &v->children[0];
    uint32_t first = child->used;
    bool more;

    if (*p != '[') return json_soft_kind(rd, p, node->type, "an array");
    p = json_space_skip(p + 1, rd->end);
    more = p >= rd->end || *p != ']';
    while (more) {
        children_reserve(rd, v);
        p = inner_read(rd, &node->children[0], child, child->used, p, child->used - first);
        if (!p) return list_drop(v, first);
        child->used++;
        p = json_space_skip(p, rd->end);
        more = p < rd->end && *p == ',';
        if (more) p = json_space_skip(p + 1, rd->end);
    }
    if (p >= rd->end || *p != ']') {
        list_drop(v, first);
        return json_unexpected(rd, p, "',' or ']'");
    }
    VECTOR_VALUES(v, struct list_ref)[row] = (struct list_ref){first, child->used - first};
    return p + 1;
}

/* ---- maps */

static bool key_equals(const struct vector *keys, uint32_t a, uint32_t b)
{
    return text_equal(&VECTOR_VALUES(keys, struct text)[a], &VECTOR_VALUES(keys, struct text)[b]);
}

/* Slots of a table for n keys, free ones UINT32_MAX. */
static void slots_reset(struct json_reader *rd, struct json_node *map, uint32_t n)
{
    uint32_t wanted = 64;

    while (wanted < 4 * n) wanted *= 2;
    if (wanted > map->slot_count) map->slots = mem_realloc(rd->mem, map->slots, wanted * sizeof(uint32_t));
    map->slot_count = wanted;
    memset(map->slots, 0xff, wanted * sizeof(uint32_t));
}

/* The slot where a key equal to that of row `at` lies, or the free one where it would. */
static uint32_t *slot_find(struct json_node *map, const struct vector *keys, uint32_t at)
{
    struct str key = text_str(&VECTOR_VALUES(keys, struct text)[at]);
    uint32_t mask = map->slot_count - 1, i = (uint32_t)hash64_seeded(key.data, key.size, 7) & mask;

    while (map->slots[i] != UINT32_MAX && !key_equals(keys, map->slots[i], at)) i = (i + 1) & mask;
    return &map->slots[i];
}

/* Has an earlier entry of the map (rows first..at) the key of row `at`? Answers it, or at. */
static uint32_t entry_of_key(struct json_reader *rd, struct json_node *map, const struct vector *keys, uint32_t first,
                             uint32_t at)
{
    uint32_t count = at - first, *slot;

    if (count < MAP_LINEAR_MAX) {
        for (uint32_t i = first; i < at; i++)
            if (key_equals(keys, i, at)) return i;
        return at;
    }
    if (count == MAP_LINEAR_MAX || count * 2 > map->slot_count) {
        slots_reset(rd, map, count);
        for (uint32_t i = first; i < at; i++) *slot_find(map, keys, i) = i;
    }
    slot = slot_find(map, keys, at);
    if (*slot == UINT32_MAX) *slot = at;
    return *slot;
}

/* The key of one entry, into row `used` of the keys. */
static const char *entry_key_read(struct json_reader *rd, struct vector *keys, const char *p)
{
    struct json_string s;

    if (p >= rd->end || *p != '"') return json_unexpected(rd, p, "a key in quotes");
    if (!(p = json_string_read(rd, p + 1, &s)) || !json_string_put(rd, &s, keys, keys->used)) return NULL;
    p = json_space_skip(p, rd->end);
    return p < rd->end && *p == ':' ? json_space_skip(p + 1, rd->end) : json_unexpected(rd, p, "':'");
}

/* One entry; a key that came before gets the new value. */
static const char *entry_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t first,
                              const char *p)
{
    struct vector *keys = &v->children[0], *values = &v->children[1];
    uint32_t at;

    children_reserve(rd, v);
    if (!(p = entry_key_read(rd, keys, p))) return NULL;
    at = entry_of_key(rd, node, keys, first, keys->used);
    if (at < keys->used) format_vector_forget(values, at, 1);
    if (!(p = inner_read(rd, &node->children[1], values, at, p, at - first))) return NULL;
    if (at == keys->used) children_used(v, at + 1);
    return p;
}

static const char *map_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                            const char *p)
{
    uint32_t first = v->children[0].used;
    bool more;

    if (*p != '{') return json_soft_kind(rd, p, node->type, "an object");
    p = json_space_skip(p + 1, rd->end);
    more = p >= rd->end || *p != '}';
    while (more) {
        if (!(p = entry_read(rd, node, v, first, p))) return list_drop(v, first);
        p = json_space_skip(p, rd->end);
        more = p < rd->end && *p == ',';
        if (more) p = json_space_skip(p + 1, rd->end);
    }
    if (p >= rd->end || *p != '}') {
        list_drop(v, first);
        return json_unexpected(rd, p, "',' or '}'");
    }
    VECTOR_VALUES(v, struct list_ref)[row] = (struct list_ref){first, v->children[0].used - first};
    return p + 1;
}

static const char *row_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                            const char *p)
{
    if (*p != '{') return json_soft_kind(rd, p, node->type, "an object");
    rd->depth++;
    p = json_object_read(rd, node->object, v->children, row, p);
    rd->depth -= p != NULL;
    return p;
}

const char *json_value_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                            const char *p)
{
    if (UNLIKELY(p >= rd->end)) return json_unexpected(rd, p, "a value");
    if (UNLIKELY(*p == 'n')) return json_null_read(rd, node, v, row, p);
    if (LIKELY(node->code < JSON_ARRAY)) {
        const char *next = json_fast_read(rd, node, v, row, p, rd->end);
        return LIKELY(next) ? next : json_scalar_read(rd, node, v, row, p);
    }
    if (node->code == JSON_ARRAY) return array_read(rd, node, v, row, p);
    if (node->code == JSON_UNREAD) return json_unread_take(rd, node, v, row, p);
    return node->code == JSON_MAP ? map_read(rd, node, v, row, p) : row_read(rd, node, v, row, p);
}
