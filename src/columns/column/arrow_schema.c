/* arrow_schema.c - row types as Arrow schemas and back.
 *
 * An exported schema owns copies of everything, each node its own, because a consumer may move children away and
 * release them later than the parent. Where Arrow's type says less than ours (CHAR(5) is just utf8, a MULTISET is a
 * map) the field's metadata keeps our text under "thalweg.type"; the import takes it up when it still fits the format
 * that stands there, and forgets it else: somebody cast the column meanwhile.
 *
 * The outermost type imports as a nullable ROW, like the text "ROW<..>": nobody says whether batches may be NULL. */
#include "columns/column/arrow_layout.h"

#include "ground/base/str.h"

struct schema_owner {
    struct mem *mem;
    char *format, *name, *metadata;
};

/* ---- export */

static void schema_release(struct ArrowSchema *s)
{
    struct schema_owner *owner = s->private_data;
    struct mem *mem = owner->mem;

    for (int64_t i = 0; i < s->n_children; i++) {
        if (s->children[i]->release) s->children[i]->release(s->children[i]); /* not when it was moved away */
        mem_free(mem, s->children[i]);
    }
    mem_free(mem, s->children);
    mem_free(mem, owner->format);
    mem_free(mem, owner->name);
    mem_free(mem, owner->metadata);
    mem_free(mem, owner);
    s->release = NULL;
}

static char *text_copy(struct mem *mem, const void *bytes, size_t size)
{
    char *copy = mem_alloc(mem, size + 1);

    memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

/* A node with room for its children; those are empty until they are made. */
static void schema_init(struct ArrowSchema *s, struct mem *mem, const char *format, const char *name, int64_t flags,
                        uint32_t children)
{
    struct schema_owner *owner = mem_zalloc(mem, sizeof *owner);

    *owner = (struct schema_owner){
        .mem = mem, .format = text_copy(mem, format, strlen(format)), .name = text_copy(mem, name, strlen(name))};
    *s = (struct ArrowSchema){.format = owner->format, .name = owner->name, .flags = flags, .n_children = children,
                              .release = schema_release, .private_data = owner};
    if (children) s->children = mem_zalloc(mem, children * sizeof(struct ArrowSchema *));
    for (uint32_t i = 0; i < children; i++) s->children[i] = mem_zalloc(mem, sizeof(struct ArrowSchema));
}

/* One pair: count, length, key, length, value; lengths are int32 in native order. */
static void metadata_put(struct ArrowSchema *s, struct str key, struct str value)
{
    struct schema_owner *owner = s->private_data;
    int32_t head[2] = {1, (int32_t)key.size}, value_size = (int32_t)value.size;
    char *at = owner->metadata = mem_alloc(owner->mem, sizeof head + key.size + sizeof value_size + value.size);

    memcpy(at, head, sizeof head);
    memcpy(at + sizeof head, key.data, key.size);
    memcpy(at + sizeof head + key.size, &value_size, sizeof value_size);
    memcpy(at + sizeof head + key.size + sizeof value_size, value.data, value.size);
    s->metadata = owner->metadata;
}

/* Does the import know the type from the format alone? */
static bool format_says_all(const struct type *t, bool is_key)
{
    if (t->time_kind != TIME_NONE || (is_key && t->nullable)) return false;
    switch ((enum type_kind)t->kind) {
    case T_VARCHAR:
    case T_VARBINARY: return t->precision == VARCHAR_MAX;
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: return t->precision % 3 == 0;
    case T_TIME: return t->precision == 3;
    case T_CHAR:
    case T_BINARY:
    case T_MULTISET: return false;
    default: return true;
    }
}

static void schema_export(const struct type *t, const char *name, bool is_key, struct mem *mem, struct ArrowSchema *s);

/* The entries of a map, and key and value below them. Arrow forbids NULL keys. */
static void entries_export(const struct type *t, struct mem *mem, struct ArrowSchema *s)
{
    schema_init(s, mem, "+s", "entries", 0, 2);
    schema_export(t->children[0], "key", true, mem, s->children[0]);
    schema_export(t->children[1], "value", false, mem, s->children[1]);
}

static void schema_export(const struct type *t, const char *name, bool is_key, struct mem *mem, struct ArrowSchema *s)
{
    bool is_map = t->kind == T_MAP || t->kind == T_MULTISET;
    struct buf b;

    buf_init(&b, mem);
    arrow_format_write(t, &b);
    schema_init(s, mem, buf_text(&b), name, t->nullable && !is_key ? ARROW_NULLABLE : 0, is_map ? 1 : t->child_count);
    if (!format_says_all(t, is_key)) {
        buf_clear(&b);
        type_print(t, &b);
        metadata_put(s, STR(ARROW_TYPE_KEY), (struct str){b.data, b.size});
    }
    buf_release(&b);
    if (is_map) {
        entries_export(t, mem, s->children[0]);
        return;
    }
    for (uint32_t i = 0; i < t->child_count; i++) {
        schema_export(t->children[i], t->names ? t->names[i] : "item", false, mem, s->children[i]);
    }
}

enum status arrow_export_schema(const struct type *row, struct mem *mem, struct ArrowSchema *out, struct err *e)
{
    if (row->kind != T_ROW) return err_set(e, E_DATA, "Arrow export takes a ROW type");
    schema_export(row, "", false, mem, out);
    return S_OK;
}

/* ---- import */

struct import {
    struct arena *arena;
    struct err *e;
};

static enum status node_import(struct import *im, const struct ArrowSchema *s, int depth, const struct type **out);

static enum status children_expect(struct import *im, const struct ArrowSchema *s, int64_t count)
{
    if (s->n_children == count) return S_OK;
    return err_set(im->e, E_DATA, "Arrow format '%s' has %lld children in place of %lld", s->format,
                   (long long)s->n_children, (long long)count);
}

/* Our text in the metadata; false when there is none. */
static bool metadata_find(const char *at, struct str key, struct str *value)
{
    int32_t count, size;

    if (!at) return false;
    memcpy(&count, at, sizeof count);
    at += sizeof count;
    for (; count > 0; count--) {
        struct str pair[2];
        for (int i = 0; i < 2; i++) {
            memcpy(&size, at, sizeof size);
            if (size < 0) return false;
            pair[i] = (struct str){at + sizeof size, (size_t)size};
            at = pair[i].data + size;
        }
        if (!str_equal(pair[0], key)) continue;
        *value = pair[1];
        return true;
    }
    return false;
}

/* What our metadata says replaces what the format says, when both are of one layout. Of a nested type it may change
 * nothing but whether it may be NULL. */
static const struct type *type_refine(struct import *im, const struct ArrowSchema *s, const struct arrow_layout *l,
                                      const struct type *t)
{
    const struct type *said;
    struct str text;

    if (!metadata_find(s->metadata, STR(ARROW_TYPE_KEY), &text)) return t;
    if (type_parse(im->arena, text, &said, NULL) != S_OK || !arrow_layout_is_of(l, said)) return t;
    if (t->child_count == 0) return said;
    return type_equal_ignoring_null(said, t) ? type_with_null(im->arena, t, said->nullable) : t;
}

static enum status child_import(struct import *im, const struct ArrowSchema *s, const char *role, const char *name,
                                int depth, const struct type **out)
{
    enum status st = node_import(im, s, depth + 1, out);

    if (st != S_OK) err_wrap(im->e, "%s '%.200s'", role, name);
    return st;
}

static enum status struct_import(struct import *im, const struct ArrowSchema *s, int depth, const struct type **out)
{
    uint32_t count = (uint32_t)s->n_children;
    const char **names;
    const struct type **fields;

    if (s->n_children < 0 || s->n_children > TYPE_FIELDS_MAX) {
        return err_set(im->e, E_DATA, "the Arrow struct has %lld fields, more than the allowed %d",
                       (long long)s->n_children, TYPE_FIELDS_MAX);
    }
    names = ARENA_ARRAY(im->arena, const char *, count + 1);
    fields = ARENA_ARRAY(im->arena, const struct type *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        names[i] = s->children[i]->name ? s->children[i]->name : "";
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(names[k], names[i]) == 0)
                return err_set(im->e, E_DATA, "two Arrow fields have the name '%.200s'", names[i]);
        }
        TRY(child_import(im, s->children[i], "field", names[i], depth, &fields[i]));
    }
    *out = type_row(im->arena, count, names, fields, true);
    return S_OK;
}

/* A map whose metadata says MULTISET is one: its values are the counts. */
static enum status map_import(struct import *im, const struct ArrowSchema *s, int depth, const struct type **out)
{
    static const char multiset[] = "MULTISET<";
    const struct ArrowSchema *entries = s->n_children == 1 ? s->children[0] : NULL;
    const struct type *key, *value;
    struct str text;

    TRY(children_expect(im, s, 1));
    if (!entries->format || strcmp(entries->format, "+s") != 0)
        return err_set(im->e, E_DATA, "the entries of an Arrow map are no struct");
    TRY(children_expect(im, entries, 2));
    TRY(child_import(im, entries->children[0], "key of", "map", depth, &key));
    TRY(child_import(im, entries->children[1], "value of", "map", depth, &value));
    if (value->kind == T_INT && metadata_find(s->metadata, STR(ARROW_TYPE_KEY), &text) &&
        str_starts(text, STR(multiset))) {
        *out = type_list(im->arena, T_MULTISET, key, NULL, true);
    } else {
        *out = type_list(im->arena, T_MAP, key, value, true);
    }
    return S_OK;
}

static enum status list_import(struct import *im, const struct ArrowSchema *s, int depth, const struct type **out)
{
    const struct type *element;

    TRY(children_expect(im, s, 1));
    TRY(child_import(im, s->children[0], "element of", "list", depth, &element));
    *out = type_list(im->arena, T_ARRAY, element, NULL, true);
    return S_OK;
}

static enum status node_import(struct import *im, const struct ArrowSchema *s, int depth, const struct type **out)
{
    const char *format = s->format ? s->format : "";
    struct arrow_layout l;

    if (depth > TYPE_DEPTH_MAX)
        return err_set(im->e, E_DATA, "the Arrow schema nests more than %d deep", TYPE_DEPTH_MAX);
    if (s->dictionary)
        return err_set(im->e, E_UNSUPPORTED,
                       "dictionary-encoded Arrow columns are not supported: decode before the import");
    if (!arrow_layout_read(format, &l))
        return err_set(im->e, E_UNSUPPORTED, "Arrow format '%.64s' is not supported", format);
    switch ((enum arrow_kind)l.kind) {
    case ARROW_STRUCT: TRY(struct_import(im, s, depth, out)); break;
    case ARROW_MAP: TRY(map_import(im, s, depth, out)); break;
    case ARROW_LIST: TRY(list_import(im, s, depth, out)); break;
    default: *out = arrow_layout_type(im->arena, &l);
    }
    *out = type_with_null(im->arena, *out, (s->flags & ARROW_NULLABLE) != 0);
    *out = type_refine(im, s, &l, *out);
    return S_OK;
}

enum status arrow_import_schema(struct arena *a, const struct ArrowSchema *in, const struct type **row, struct err *e)
{
    struct import im = {a, e};

    if (!in->format || strcmp(in->format, "+s") != 0) {
        return err_set(e, E_DATA, "an Arrow schema of a table is a struct ('+s'), not '%.64s'",
                       in->format ? in->format : "");
    }
    TRY(node_import(&im, in, 0, row));
    *row = type_with_null(a, *row, true);
    return S_OK;
}
