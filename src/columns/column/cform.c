/* cform.c - C forms of types: from type text and from the user's description of a struct, which is checked here.
 *
 * The idea: a form is a tree like the type's, with sizes and offsets. Whatever has no place for NULL in C (keys of maps,
 * elements of multisets, fields of structs without a mask) is NOT NULL in the form's type, so that columns made from it
 * can never hold what C cannot say.
 *
 * The description is what comes from outside: a mistake is E_GRAPH with a sentence, never an assert; a description that
 * contains itself ends at CFORM_DEPTH_MAX. Moving values is cform_read.c and cform_write.c. */
#include "columns/column/cform.h"

#include "ground/base/str.h"

enum { NULL_MASK_FIELDS = 64 };

struct maker {
    struct arena *a;
    struct err *e;
    const struct cform *described; /* what the outermost ROWs are, or NULL */
    bool described_used;
    uint32_t depth;
};

static enum status form_make(struct maker *m, const struct type *t, const struct cform **out);

/* Bytes of a value that holds no other; 0 = it has no C form. */
static uint32_t scalar_size(const struct type *t)
{
    if (t->kind == T_NULL || t->kind > T_ROW) return 0;
    return t->phys == P_STR ? sizeof(struct tw_str) : (uint32_t)phys_width((enum phys)t->phys);
}

static enum status no_form(struct maker *m, const struct type *t)
{
    struct buf text;

    buf_init(&text, m->a->mem);
    type_print(t, &text);
    err_set(m->e, E_UNSUPPORTED, "type %s has no form as a C value", buf_text(&text));
    buf_release(&text);
    err_hint(m->e, "use numbers, DECIMAL, times, STRING, BYTES, or ARRAY, MAP, MULTISET, ROW of these");
    return E_UNSUPPORTED;
}

static const struct cform *form_with_null(struct arena *a, const struct cform *f, bool nullable)
{
    struct cform *copy;

    if (f->type->nullable == nullable) return f;
    copy = ARENA_NEW(a, struct cform);
    *copy = *f;
    copy->type = type_with_null(a, f->type, nullable);
    return copy;
}

/* ARRAY, MAP, MULTISET. */
static enum status list_make(struct maker *m, const struct type *t, struct cform *f, struct cform_child *children)
{
    const struct cform *value;

    TRY(form_make(m, t->children[0], &children[0].form));
    f->align = (uint32_t) _Alignof(struct tw_map);
    if (t->kind == T_ARRAY) {
        f->size = sizeof(struct tw_array);
        f->type = type_list(m->a, T_ARRAY, children[0].form->type, NULL, t->nullable);
        return S_OK;
    }
    TRY(form_make(m, t->children[1], &value));
    children[0].form = form_with_null(m->a, children[0].form, false);
    children[1].form = value;
    f->size = sizeof(struct tw_map);
    f->type = type_list(m->a, (enum type_kind)t->kind, children[0].form->type, value->type, t->nullable);
    return S_OK;
}

/* The struct that a C compiler makes of the fields in order. */
static enum status plain_row_make(struct maker *m, const struct type *t, struct cform *f, struct cform_child *children)
{
    const struct type **types = ARENA_ARRAY(m->a, const struct type *, t->child_count + 1);
    uint64_t size = 0;

    if (t->child_count == 0) return no_form(m, t);
    f->align = 1;
    for (uint32_t i = 0; i < t->child_count; i++) {
        const struct cform *field;
        TRY(form_make(m, t->children[i], &field));
        field = form_with_null(m->a, field, false);
        size = ALIGN_UP(size, (uint64_t)field->align);
        children[i] = (struct cform_child){.form = field, .offset = (uint32_t)size};
        size += field->size;
        types[i] = field->type;
        f->align = MAX(f->align, field->align);
    }
    if (size > CFORM_STRUCT_MAX)
        return err_set(m->e, E_UNSUPPORTED, "a ROW of more than %d bytes in C", CFORM_STRUCT_MAX);
    f->size = (uint32_t)ALIGN_UP(size, (uint64_t)f->align);
    f->type = type_row(m->a, t->child_count, t->names, types, t->nullable);
    return S_OK;
}

static enum status nested_make(struct maker *m, const struct type *t, const struct cform **out)
{
    struct cform_child *children = ARENA_ARRAY(m->a, struct cform_child, t->child_count + 1);
    struct cform *f = ARENA_NEW(m->a, struct cform);

    if (++m->depth > CFORM_DEPTH_MAX)
        return err_set(m->e, E_UNSUPPORTED, "types nest at most %d deep in C, one more begins", CFORM_DEPTH_MAX);
    *f = (struct cform){.child_count = t->child_count, .null_offset = CFORM_NO_NULLS, .children = children};
    if (t->kind == T_ROW)
        TRY(plain_row_make(m, t, f, children));
    else
        TRY(list_make(m, t, f, children));
    m->depth--;
    *out = f;
    return S_OK;
}

static enum status form_make(struct maker *m, const struct type *t, const struct cform **out)
{
    uint32_t size = scalar_size(t);
    struct cform *f;

    if (t->kind == T_ROW && m->described) {
        m->described_used = true;
        *out = form_with_null(m->a, m->described, t->nullable);
        return S_OK;
    }
    if (t->kind >= T_ARRAY && t->kind <= T_ROW) return nested_make(m, t, out);
    if (size == 0) return no_form(m, t);
    f = ARENA_NEW(m->a, struct cform);
    *f = (struct cform){.type = t, .size = size, .align = MIN(size, 8u), .null_offset = CFORM_NO_NULLS};
    *out = f;
    return S_OK;
}

/* ---- described structs */

static bool is_mask(const struct tw_field *f) { return f->type != NULL && f->type[0] == 0; }

static enum status text_make(struct maker *m, const char *text, const struct tw_row *row, const struct cform **out);

static enum status row_check(const struct tw_row *row, struct err *e)
{
    uint32_t masks = 0, count;

    if (row->fields == NULL || row->size == 0)
        return err_set(e, E_GRAPH, "row type '%s' describes no fields", row->name);
    if (row->size > CFORM_STRUCT_MAX)
        return err_set(e, E_GRAPH, "row type '%s': a struct of %u bytes; at most %d", row->name, row->size,
                       CFORM_STRUCT_MAX);
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (!is_mask(&row->fields[i])) continue;
        masks++;
        if (row->fields[i].size != sizeof(uint64_t))
            return err_set(e, E_GRAPH, "row type '%s': the null mask must be a uint64_t", row->name);
        if ((uint64_t)row->fields[i].offset + sizeof(uint64_t) > row->size)
            return err_set(e, E_GRAPH, "row type '%s': the null mask lies outside of the struct's %u bytes", row->name,
                           row->size);
    }
    count = row->field_count - masks;
    if (count > TYPE_FIELDS_MAX)
        return err_set(e, E_GRAPH, "row type '%s' has %u fields; at most %d", row->name, count, TYPE_FIELDS_MAX);
    if (masks > 0 && count > NULL_MASK_FIELDS)
        return err_set(e, E_GRAPH, "row type '%s' has a null mask and %u fields; a mask covers %d", row->name, count,
                       NULL_MASK_FIELDS);
    if (masks > 1) return err_set(e, E_GRAPH, "row type '%s' has more than one null mask", row->name);
    return S_OK;
}

/* One field of a described struct, its text and size checked. */
static enum status field_make(struct maker *m, const struct tw_row *row, const struct tw_field *f, bool has_mask,
                              const struct cform **out)
{
    const struct cform *form;

    if (f->name == NULL || f->type == NULL)
        return err_set(m->e, E_GRAPH, "row type '%s' has a field without name or type", row->name);
    if (text_make(m, f->type, f->row, &form) != S_OK) {
        err_wrap(m->e, "row type '%s', field '%s'", row->name, f->name);
        return E_GRAPH;
    }
    if ((uint64_t)f->offset + f->size > row->size)
        return err_set(m->e, E_GRAPH, "row type '%s', field '%s' lies outside of the struct's %u bytes", row->name,
                       f->name, row->size);
    if (form->size != f->size) {
        return err_set(m->e, E_GRAPH,
                       "row type '%s', field '%s': %s takes %u bytes in C, but the struct's member has %u", row->name,
                       f->name, f->type, form->size, f->size);
    }
    *out = has_mask ? form : form_with_null(m->a, form, false);
    return S_OK;
}

static enum status row_make(struct maker *m, const struct tw_row *row, const struct cform **out)
{
    struct cform *form = ARENA_NEW(m->a, struct cform);
    uint32_t count = 0;

    TRY(row_check(row, m->e));
    if (++m->depth > CFORM_DEPTH_MAX)
        return err_set(m->e, E_GRAPH, "row type '%s' nests more than %d deep", row->name, CFORM_DEPTH_MAX);
    struct cform_child *children = ARENA_ARRAY(m->a, struct cform_child, row->field_count);
    const struct type **types = ARENA_ARRAY(m->a, const struct type *, row->field_count);
    const char **names = ARENA_ARRAY(m->a, const char *, row->field_count);
    *form = (struct cform){.size = row->size, .align = 1, .null_offset = CFORM_NO_NULLS, .children = children};
    for (uint32_t i = 0; i < row->field_count; i++)
        if (is_mask(&row->fields[i])) form->null_offset = row->fields[i].offset, form->align = sizeof(uint64_t);
    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct tw_field *f = &row->fields[i];
        struct cform_child *c = &children[count];
        if (is_mask(f)) continue;
        TRY(field_make(m, row, f, form->null_offset != CFORM_NO_NULLS, &c->form));
        for (uint32_t k = 0; k < count; k++)
            if (str_equal(str_of(names[k]), str_of(f->name)))
                return err_set(m->e, E_GRAPH, "row type '%s' names '%s' twice", row->name, f->name);
        c->offset = f->offset;
        types[count] = c->form->type;
        names[count++] = f->name;
        form->align = MAX(form->align, c->form->align);
    }
    m->depth--;
    form->child_count = count;
    form->type = type_row(m->a, count, names, types, false);
    *out = form;
    return S_OK;
}

/* Type text with a bare ROW for `row`. */
static enum status text_make(struct maker *m, const char *text, const struct tw_row *row, const struct cform **out)
{
    struct maker inner = {.a = m->a, .e = m->e, .depth = m->depth};
    const struct type *t;

    if (row != NULL) TRY(row_make(&inner, row, &inner.described));
    if (type_parse_row(m->a, str_of(text), row ? inner.described->type : NULL, &t, m->e) != S_OK) return E_GRAPH;
    TRY(form_make(&inner, t, out));
    if (row == NULL || inner.described_used) return S_OK;
    err_set(m->e, E_GRAPH, "row type '%s' is given, but %s has no bare ROW for it", row->name, text);
    err_hint(m->e, "write ROW where its struct stands, as in \"ARRAY<ROW>\"");
    return E_GRAPH;
}

enum status cform_parse(struct arena *a, const char *text, const struct tw_row *row, const struct cform **out,
                        struct err *e)
{
    struct maker m = {.a = a, .e = e};

    return text_make(&m, text, row, out);
}

enum status cform_of_row(struct arena *a, const struct tw_row *row, const struct cform **out, struct err *e)
{
    struct maker m = {.a = a, .e = e};

    return row_make(&m, row, out);
}

/* ---- parts of values */

struct cform_runs cform_runs_get(const struct cform *f, const void *value)
{
    if (f->type->kind == T_ARRAY) {
        struct tw_array a;
        memcpy(&a, value, sizeof a);
        return (struct cform_runs){a.count, {a.items}, {a.nulls}};
    }
    struct tw_map m;
    memcpy(&m, value, sizeof m);
    return (struct cform_runs){m.count, {m.keys, m.values}, {NULL, f->type->kind == T_MAP ? m.value_nulls : NULL}};
}

void cform_runs_put(const struct cform *f, const struct cform_runs *r, void *value)
{
    if (f->type->kind == T_ARRAY) {
        struct tw_array a = {r->items[0], r->nulls[0], r->count};
        memcpy(value, &a, sizeof a);
    } else {
        struct tw_map m = {r->items[0], r->items[1], r->nulls[1], r->count};
        memcpy(value, &m, sizeof m);
    }
}

bool cform_field_null(const struct cform *f, const void *value, uint32_t field)
{
    uint64_t mask;

    if (f->null_offset == CFORM_NO_NULLS) return false;
    memcpy(&mask, (const char *)value + f->null_offset, sizeof mask);
    return mask >> field & 1;
}
