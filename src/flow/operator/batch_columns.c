/* batch_columns.c - columns as a batch callback reads them, nested ones level by level.
 *
 * The idea: a value's C form is the form it has in a column, so nothing is copied: a struct tw_column is a description of the
 * vector it stands for. The tree of descriptions is made once, when the operator opens, and filled per batch with a few words
 * per level, whatever the number of rows. Only strings differ and are read one by one.
 *
 * Invariant: the vectors of the batch itself are flat (the chain sees to it). Levels inside may be constant or coded; those are
 * laid out flat first, which is the one case that copies. Writing is op_batch.c. */
#include "flow/operator/batch_columns.h"

#include <string.h>

_Static_assert(sizeof(struct tw_span) == sizeof(struct list_ref) && offsetof(struct tw_span, count) == offsetof(struct list_ref, count),
               "spans are handed out as they lie");
_Static_assert(sizeof(struct tw_decimal) == 16 && sizeof(struct tw_timestamp) == sizeof(struct ts96), "and so are wide values");

struct column_copy {
    struct vector v;
    struct column_copy *next;
};

/* --- the tree ----------------------------------------------------------------------------------------------------------- */
static void column_make(struct tw_batch *b, struct tw_column *c, const struct type *t)
{
    static const enum tw_column_kind kinds[P_COUNT] = {
        [P_STR] = TW_COLUMN_STRINGS, [P_LIST] = TW_COLUMN_SPANS, [P_ROW] = TW_COLUMN_ROWS};
    struct tw_column *children = NULL;

    if (t->child_count > 0) children = ARENA_ARRAY(&b->cx->arena, struct tw_column, t->child_count);
    *c = (struct tw_column){
        .kind = kinds[t->phys] ? kinds[t->phys] : TW_COLUMN_VALUES, .child_count = t->child_count, .children = children, .batch = b};
    for (uint32_t i = 0; i < t->child_count; i++) column_make(b, &children[i], t->children[i]);
}

void batch_columns_open(struct tw_batch *b, struct tw_context *cx)
{
    const struct user_row *row = &cx->in[0].row;
    uint32_t count = row->conv.field_count;

    *b = (struct tw_batch){.row = row, .cx = cx};
    b->columns = ARENA_ARRAY(&cx->arena, struct tw_column, count + 1);
    b->filled = ARENA_ARRAY(&cx->arena, bool, count + 1);
    text_heap_init(&b->heap, cx->op->mem);
    for (uint32_t i = 0; i < count; i++) column_make(b, &b->columns[i], row->schema->children[row->conv.fields[i].col]);
}

static void copies_free(struct tw_batch *b)
{
    while (b->copies) {
        struct column_copy *c = b->copies;
        b->copies = c->next;
        vector_release(&c->v, b->cx->op->mem);
        mem_free(b->cx->op->mem, c);
    }
    text_heap_clear(&b->heap);
}

void batch_columns_close(struct tw_batch *b)
{
    if (b->columns == NULL) return;
    copies_free(b);
    text_heap_release(&b->heap);
}

static const struct vector *flattened(struct tw_batch *b, const struct vector *v, uint32_t count)
{
    struct mem *mem = b->cx->op->mem;
    struct column_copy *copy = mem_zalloc(mem, sizeof *copy);

    vector_init(&copy->v, v->type, MAX(count, 1), mem);
    vector_copy(&copy->v, 0, v, NULL, count, &b->heap, mem);
    copy->next = b->copies;
    b->copies = copy;
    return &copy->v;
}

static void column_fill(struct tw_batch *b, struct tw_column *c, const struct vector *v, uint32_t count)
{
    struct tw_column *children = (struct tw_column *)(uintptr_t)c->children; /* ours: made by column_make */

    ASSERT(v->form != VEC_ABSENT);
    if (v->form != VEC_FLAT) v = flattened(b, v, count);
    c->count = count;
    c->validity = v->validity;
    switch (c->kind) {
    case TW_COLUMN_VALUES: c->values = v->data; break;
    case TW_COLUMN_STRINGS: c->texts = v->data; break;
    case TW_COLUMN_SPANS: c->spans = v->data; break;
    case TW_COLUMN_ROWS: break;
    }
    for (uint32_t i = 0; i < c->child_count; i++)
        column_fill(b, &children[i], &v->children[i], c->kind == TW_COLUMN_SPANS ? v->children[i].used : count);
}

/* --- NULLs without a place ---------------------------------------------------------------------------------------------- */
/* Could there be one? Asks the levels, not the values. */
static bool may_miss_place(const struct cform *f, const struct vector *v)
{
    v = vector_values(v);
    for (uint32_t i = 0; i < f->child_count; i++) {
        const struct cform *child = f->children[i].form;
        if (!child->type->nullable && vector_values(&v->children[i])->validity) return true;
        if (may_miss_place(child, &v->children[i])) return true;
    }
    return false;
}

/* Value `row`, which is not NULL itself. */
static bool has_place(const struct cform *f, const struct vector *v, uint32_t row)
{
    const struct vector *base = vector_values(v);
    struct list_ref ref = {vector_at(v, row), 1};

    if (f->type->phys == P_LIST) ref = VECTOR_VALUES(base, struct list_ref)[ref.first];
    for (uint32_t k = 0; k < f->child_count; k++) {
        const struct cform *child = f->children[k].form;
        for (uint32_t i = ref.first; i < ref.first + ref.count; i++) {
            bool is_null = vector_is_null(&base->children[k], i);
            if (is_null ? !child->type->nullable : !has_place(child, &base->children[k], i)) return false;
        }
    }
    return true;
}

static enum status no_place(const struct tw_batch *b, uint32_t field, bool is_inside)
{
    const char *name = b->in->schema->names[b->row->conv.fields[field].col];

    err_set(b->cx->op->err, E_DATA, "NULL %scolumn '%s', but row type '%s' has no place for it", is_inside ? "inside " : "in ", name,
            b->row->row->name);
    err_hint(b->cx->op->err, is_inside ? "describe the ROW inside by a row type with TW_NULLS, and leave NOT NULL out"
                                       : "give the row type a null mask with TW_NULLS, and look at tw_batch_validity");
    return E_DATA;
}

static enum status nulls_check(const struct tw_batch *b)
{
    const struct user_row *r = b->row;

    for (uint32_t f = 0; f < r->conv.field_count; f++) {
        const struct rowconv_field *field = &r->conv.fields[f];
        const struct vector *v = &b->in->cols[field->col];
        bool inside = field->form && may_miss_place(field->form, v);
        if (!inside && (r->conv.null_offset != ROWCONV_NO_NULLS || v->validity == NULL)) continue;
        for (uint32_t i = 0; i < b->in->count; i++) {
            bool is_null = vector_is_null(v, i);
            if (is_null && r->conv.null_offset == ROWCONV_NO_NULLS) return no_place(b, f, false);
            if (inside && !is_null && !has_place(field->form, v, i)) return no_place(b, f, true);
        }
    }
    return S_OK;
}

enum status batch_columns_begin(struct tw_batch *b, const struct batch *in)
{
    b->in = in;
    memset(b->filled, 0, b->row->conv.field_count * sizeof *b->filled);
    if (UNLIKELY(b->copies != NULL)) copies_free(b);
    return nulls_check(b);
}

/* --- what functions call ------------------------------------------------------------------------------------------------ */
static const struct vector *vector_of(const struct tw_batch *b, uint32_t field)
{
    if (field < b->row->conv.field_count) return &b->in->cols[b->row->conv.fields[field].col];
    user_misuse(b->cx, "column %u was asked for, but row type '%s' has %u fields", field, b->row->row->name, b->row->conv.field_count);
    return NULL;
}

uint32_t tw_batch_rows(const struct tw_batch *b) { return b->in->count; }
const int64_t *tw_batch_times(const struct tw_batch *b) { return b->in->times; }

const void *tw_batch_values(const struct tw_batch *b, uint32_t field)
{
    const struct vector *v = vector_of(b, field);

    if (v == NULL) return NULL;
    if (v->phys != P_LIST && v->phys != P_ROW) return v->data;
    user_misuse(b->cx, "tw_batch_values: field '%s' of row type '%s' is nested; tw_batch_column shows its levels",
                b->row->form->type->names[field], b->row->row->name);
    return NULL;
}

const uint64_t *tw_batch_validity(const struct tw_batch *b, uint32_t field)
{
    const struct vector *v = vector_of(b, field);

    return v ? v->validity : NULL;
}

const struct tw_column *tw_batch_column(const struct tw_batch *b, uint32_t field)
{
    struct tw_batch *own = (struct tw_batch *)(uintptr_t)b; /* a context in the user's eyes, a cache in ours */
    const struct vector *v = vector_of(b, field);

    if (v == NULL) return NULL;
    if (!b->filled[field]) column_fill(own, &own->columns[field], v, b->in->count);
    own->filled[field] = true;
    return &b->columns[field];
}

static struct tw_str text_view_of(const struct text *t) { return (struct tw_str){text_data(t), t->size}; }

struct tw_str tw_column_str(const struct tw_column *c, uint32_t i)
{
    if (LIKELY(c->kind == TW_COLUMN_STRINGS && i < c->count)) return text_view_of(&((const struct text *)c->texts)[i]);
    user_misuse(c->batch->cx, "tw_column_str: value %u of a column with %u %s", i, c->count,
                c->kind == TW_COLUMN_STRINGS ? "strings" : "values that are no strings");
    return (struct tw_str){"", 0};
}

struct tw_str tw_batch_str(const struct tw_batch *b, uint32_t field, uint32_t row)
{
    const struct vector *v = vector_of(b, field);

    if (v == NULL) return (struct tw_str){"", 0};
    if (v->phys == P_STR && row < b->in->count) return text_view_of(&VECTOR_VALUES(v, const struct text)[row]);
    user_misuse(b->cx, "tw_batch_str: row %u of column %u is no string", row, field);
    return (struct tw_str){"", 0};
}

bool tw_batch_get(const struct tw_batch *b, uint32_t field, uint32_t row, void *value)
{
    const struct vector *v = vector_of(b, field);

    if (v == NULL) return false;
    const struct cform *form = b->row->form->children[field].form;
    if (row < b->in->count && !vector_is_null(v, row)) {
        if (LIKELY(cform_read(form, v, row, value, &b->cx->loaded) == S_OK)) return true;
        user_misuse(b->cx, "tw_batch_get: row %u of column %u has a NULL without a place", row, field);
    } else if (row >= b->in->count) {
        user_misuse(b->cx, "tw_batch_get: row %u of %u", row, b->in->count);
    }
    memset(value, 0, form->size);
    return false;
}
