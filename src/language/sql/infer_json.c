/* infer_json.c - the columns of JSON lines: every key that comes, with the type that holds all its values.
 *
 * The idea: a shape is the union of what was seen at one place of the documents. Kinds that do not go together, and what there is
 * no type for (objects and arrays that were always empty, nesting beyond SHAPE_DEPTH_MAX), are a STRING: the format reads any
 * value into one, containers as their text. Missing keys are NULL and say nothing. */
#include "language/sql/infer.h"

#include "columns/column/type.h"
#include "columns/function/jdoc.h"

#include <string.h>

enum { SHAPE_DEPTH_MAX = 24 };
enum {
    SEEN_BOOLEAN = 1,
    SEEN_INT = 2,
    SEEN_REAL = 4,
    SEEN_TEXT = 8,
    SEEN_ARRAY = 16,
    SEEN_OBJECT = 32,
    SEEN_HUGE = 64
};

struct shape {
    uint32_t seen;
    uint32_t times; /* INFER_TIMESTAMP or INFER_INSTANT: every text reads as one */
    int32_t precision;
    struct shape *element; /* of arrays */
    uint32_t count, capacity;
    struct str *keys; /* of objects, in the order they came */
    struct shape **members;
};

struct json_guess {
    struct arena *a;
    struct jdoc doc;
};

static void members_grow(struct json_guess *g, struct shape *s)
{
    uint32_t capacity = MAX(s->capacity * 2, 8u);
    struct str *keys = ARENA_ARRAY(g->a, struct str, capacity);
    struct shape **members = ARENA_ARRAY(g->a, struct shape *, capacity);

    if (s->count > 0) memcpy(keys, s->keys, sizeof *keys * s->count);
    if (s->count > 0) memcpy(members, s->members, sizeof *members * s->count);
    s->keys = keys;
    s->members = members;
    s->capacity = capacity;
}

/* *at: where it is expected; moves behind it. */
static struct shape *member_of(struct json_guess *g, struct shape *s, struct str key, uint32_t *at)
{
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t k = (*at + i) % s->count;
        if (!str_equal(s->keys[k], key)) continue;
        *at = k + 1;
        return s->members[k];
    }
    if (s->count == s->capacity) members_grow(g, s);
    s->keys[s->count] = (struct str){arena_strndup(g->a, key.data, key.size), key.size};
    s->members[s->count] = ARENA_NEW(g->a, struct shape);
    *at = s->count + 1;
    return s->members[s->count++];
}

static void shape_text(struct shape *s, struct str text)
{
    uint32_t times = infer_text_kinds(text, &s->precision) & (INFER_TIMESTAMP | INFER_INSTANT);

    s->times = s->seen & SEEN_TEXT ? s->times & times : times;
    s->seen |= SEEN_TEXT;
}

static uint32_t number_seen(struct str text)
{
    int64_t value;

    if (memchr(text.data, '.', text.size) || memchr(text.data, 'e', text.size) || memchr(text.data, 'E', text.size))
        return SEEN_REAL;
    return str_to_int64(text, &value) ? SEEN_INT : SEEN_HUGE;
}

static void shape_take(struct json_guess *g, struct shape *s, uint32_t node, uint32_t depth)
{
    const struct jnode *n = &g->doc.nodes[node];
    uint32_t at = 0;

    switch ((enum jkind)n->kind) {
    case J_NULL: break;
    case J_FALSE:
    case J_TRUE: s->seen |= SEEN_BOOLEAN; break;
    case J_INT:
    case J_REAL: s->seen |= number_seen(n->text); break;
    case J_STRING: shape_text(s, n->text); break;
    case J_ARRAY:
        s->seen |= SEEN_ARRAY;
        if (s->element == NULL) s->element = ARENA_NEW(g->a, struct shape);
        if (depth < SHAPE_DEPTH_MAX) JDOC_EACH(&g->doc, node, child) shape_take(g, s->element, child, depth + 1);
        break;
    case J_OBJECT:
        s->seen |= SEEN_OBJECT;
        if (depth < SHAPE_DEPTH_MAX)
            JDOC_EACH(&g->doc, node, child)
            shape_take(g, member_of(g, s, g->doc.nodes[child].key, &at), child, depth + 1);
        break;
    }
}

/* --- shapes as types --------------------------------------------------------------------------------------------- */
static const struct type *shape_type(struct json_guess *g, const struct shape *s);

static bool is_name(struct str key) { return key.size > 0 && memchr(key.data, '\0', key.size) == NULL; }

/* The fields of an object; NULL: they fit no row. */
static const struct type *shape_row(struct json_guess *g, const struct shape *s)
{
    const char **names = ARENA_ARRAY(g->a, const char *, MAX(s->count, 1u));
    const struct type **types = ARENA_ARRAY(g->a, const struct type *, MAX(s->count, 1u));

    if (s->count == 0 || s->count > TYPE_FIELDS_MAX) return NULL;
    for (uint32_t i = 0; i < s->count; i++) {
        if (!is_name(s->keys[i])) return NULL;
        names[i] = s->keys[i].data;
        types[i] = shape_type(g, s->members[i]);
    }
    return type_row(g->a, s->count, names, types, true);
}

static const struct type *shape_type(struct json_guess *g, const struct shape *s)
{
    const struct type *row;

    switch (s->seen) {
    case SEEN_BOOLEAN: return &type_boolean;
    case SEEN_INT: return &type_bigint;
    case SEEN_REAL:
    case SEEN_REAL | SEEN_INT: return &type_double;
    case SEEN_TEXT: return infer_type(g->a, true, s->times, s->precision);
    case SEEN_ARRAY: return type_list(g->a, T_ARRAY, shape_type(g, s->element), NULL, true);
    case SEEN_OBJECT: return (row = shape_row(g, s)) != NULL ? row : &type_string;
    default: return &type_string;
    }
}

/* --- lines ------------------------------------------------------------------------------------------------------- */
static enum status line_take(struct json_guess *g, struct shape *root, struct str line, const struct infer_sample *s,
                             uint32_t number, struct err *e)
{
    if (!jdoc_read(&g->doc, line)) {
        err_set(e, E_DATA, "%s:%u: this line is no JSON", s->file, number);
        err_hint(e, "every line holds one object, whole");
        return E_DATA;
    }
    if (g->doc.nodes[0].kind == J_OBJECT) {
        shape_take(g, root, 0, 0);
        return S_OK;
    }
    err_set(e, E_DATA, "%s:%u: a JSON object is expected on every line", s->file, number);
    if (g->doc.nodes[0].kind == J_ARRAY) err_hint(e, "write one object per line, without the array around them");
    return E_DATA;
}

static enum status lines_take(struct json_guess *g, struct shape *root, const struct infer_sample *s, struct err *e)
{
    uint32_t number = 0, rows = 0;
    struct str rest = s->text;

    while (rest.size > 0 && rows < INFER_ROWS) {
        const char *end = memchr(rest.data, '\n', rest.size);
        struct str line = {rest.data, end != NULL ? (size_t)(end - rest.data) : rest.size};
        if (end == NULL && !s->is_whole) break; /* cut */
        rest = (struct str){line.data + line.size, rest.size - line.size};
        if (end != NULL) rest = (struct str){rest.data + 1, rest.size - 1};
        number++;
        line = str_trim(line);
        if (line.size == 0) continue;
        TRY(line_take(g, root, line, s, number, e));
        rows++;
    }
    ASSERT(rows > 0 || !s->is_whole); /* infer.c has passed over files that are blank */
    if (rows == 0)
        return err_set(e, E_DATA, "'%s': its first line does not end within the first %d KiB", s->file,
                       INFER_BYTES / 1024);
    return S_OK;
}

enum status infer_json(struct arena *a, const struct infer_sample *s, struct infer_schema *out, struct err *e)
{
    struct json_guess g = {.a = a};
    struct shape root = {0};

    jdoc_init(&g.doc, a->mem);
    enum status st = lines_take(&g, &root, s, e);
    jdoc_release(&g.doc);
    TRY(st);
    const struct type *row = shape_row(&g, &root);
    if (row == NULL && root.count > TYPE_FIELDS_MAX)
        return err_set(e, E_DATA, "'%s': its objects have %u keys, a table has at most %d columns", s->file, root.count,
                       TYPE_FIELDS_MAX);
    if (row == NULL)
        return err_set(e, E_DATA, "'%s': its objects have %s", s->file,
                       root.count == 0 ? "no keys" : "a key that is no column name");
    out->column_count = row->child_count;
    out->names = row->names;
    out->types = row->children;
    return S_OK;
}
