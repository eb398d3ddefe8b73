/* user_bind.c - row types of the user against the columns of a stream: which column each field of a struct is, whether
 * their types agree, and what to tell the user when not. Whether the struct fits its description is cform.c's to say.
 *
 * Fields are found by name. Text of any length is one C type (struct tw_str), so CHAR, VARCHAR and STRING may stand for
 * each other, and so may the byte types; everything else must be of the same kind, precision and scale, since a struct
 * holds the bytes as the column does. NULL is settled at run time: a column that may be NULL binds to a struct without a
 * mask, and fails when a NULL arrives.
 *
 * The user's text is what comes from outside here: a mistake is E_GRAPH with a sentence, never an assert. */
#include "flow/operator/user.h"

#include "ground/base/str.h"

#include <string.h>

static bool is_mask(const struct tw_field *f) { return f->type != NULL && f->type[0] == 0; }

uint32_t user_row_fields(const struct tw_row *row)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < row->field_count; i++) count += !is_mask(&row->fields[i]);
    return count;
}

static bool texts_equal(const char *a, const char *b) { return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0); }

/* A row type that holds itself is refused when it is bound; here it ends at the depth that is allowed. */
static bool rows_equal(const struct tw_row *a, const struct tw_row *b, uint32_t depth)
{
    if (a == b) return true;
    if (a == NULL || b == NULL || depth == CFORM_DEPTH_MAX) return false;
    if (a->size != b->size || a->field_count != b->field_count || !a->fields || !b->fields) return false;
    for (uint32_t i = 0; i < a->field_count; i++) {
        const struct tw_field *f = &a->fields[i], *g = &b->fields[i];
        if (f->offset != g->offset || f->size != g->size) return false;
        if (!texts_equal(f->name, g->name) || !texts_equal(f->type, g->type)) return false;
        if (!rows_equal(f->row, g->row, depth + 1)) return false;
    }
    return true;
}

bool user_rows_equal(const struct tw_row *a, const struct tw_row *b) { return rows_equal(a, b, 0); }

enum status user_row_type(struct arena *a, const struct tw_row *row, const struct type **out, struct err *e)
{
    const struct cform *form;

    ASSERT(row && out);
    TRY(cform_of_row(a, row, &form, e));
    *out = form->type;
    return S_OK;
}

/* --- binding ---------------------------------------------------------------------------------------------------------- */
static bool is_bytes(const struct type *t) { return t->kind == T_BINARY || t->kind == T_VARBINARY; }

static bool types_agree(const struct type *col, const struct type *field);

/* Fields of a ROW inside go by position, under the same names. */
static bool children_agree(const struct type *col, const struct type *field)
{
    if (col->child_count != field->child_count) return false;
    for (uint32_t i = 0; i < col->child_count; i++) {
        if (!types_agree(col->children[i], field->children[i])) return false;
        if (col->kind == T_ROW && strcmp(col->names[i], field->names[i]) != 0) return false;
    }
    return true;
}

/* May values of column type `col` lie in a field of type `field`? */
static bool types_agree(const struct type *col, const struct type *field)
{
    if (type_is_string(col) || type_is_string(field)) return type_is_string(col) && type_is_string(field);
    if (is_bytes(col) || is_bytes(field)) return is_bytes(col) && is_bytes(field);
    if (col->kind != field->kind || col->phys != field->phys) return false;
    if (col->kind == T_DECIMAL) return col->precision == field->precision && col->scale == field->scale;
    if (col->kind == T_TIMESTAMP || col->kind == T_TIMESTAMP_LTZ) return (col->precision > 3) == (field->precision > 3);
    if (col->child_count > 0) return children_agree(col, field);
    return true;
}

static enum status types_differ(struct arena *a, const struct tw_row *row, const char *name, const struct type *field,
                                const struct type *col, struct err *e)
{
    struct buf here, there;

    buf_init(&here, a->mem);
    buf_init(&there, a->mem);
    type_print(field, &here);
    type_print(col, &there);
    err_set(e, E_GRAPH, "row type '%s', field '%s' is %s, but the stream's column '%s' is %s", row->name, name,
            buf_text(&here), name, buf_text(&there));
    buf_release(&here);
    buf_release(&there);
    return E_GRAPH;
}

/* cols NULL: by name. */
static enum status bind(struct arena *a, const struct tw_row *row, const struct type *schema, const char *stream,
                        const uint32_t *cols, struct user_row *out, struct err *e)
{
    const struct cform *form;

    TRY(cform_of_row(a, row, &form, e));
    struct rowconv_field *fields = ARENA_ARRAY(a, struct rowconv_field, form->child_count + 1);
    uint32_t *strings = ARENA_ARRAY(a, uint32_t, form->child_count + 1), string_count = 0;
    *out = (struct user_row){.row = row, .schema = schema, .form = form, .strings = strings};
    for (uint32_t i = 0; i < form->child_count; i++) {
        const struct cform_child *c = &form->children[i];
        const char *name = form->type->names[i];
        int col = cols ? (int)cols[i] : op_type_field(schema, stream, name, e);
        if (col < 0) return err_wrap(e, "row type '%s'", row->name);
        const struct type *t = schema->children[col];
        if (!types_agree(t, c->form->type)) return types_differ(a, row, name, c->form->type, t, e);
        bool is_nested = cform_is_nested(c->form);
        if (t->phys == P_STR) strings[string_count++] = i;
        out->nested_count += is_nested;
        fields[i] = (struct rowconv_field){.col = (uint32_t)col,
                                           .offset = c->offset,
                                           .phys = t->phys,
                                           .not_null = !t->nullable,
                                           .form = is_nested ? c->form : NULL};
        out->conv.must_check |= is_nested || (!t->nullable && form->null_offset != CFORM_NO_NULLS);
    }
    out->string_count = string_count;
    out->conv.size = row->size;
    out->conv.null_offset = form->null_offset;
    out->conv.field_count = form->child_count;
    out->conv.fields = fields;
    return S_OK;
}

enum status user_row_bind(struct arena *a, const struct tw_row *row, const struct type *schema, const char *stream,
                          struct user_row *out, struct err *e)
{
    ASSERT(row && schema && schema->kind == T_ROW);
    return bind(a, row, schema, stream, NULL, out, e);
}

enum status user_row_bind_at(struct arena *a, const struct tw_row *row, const struct type *schema, const uint32_t *cols,
                             struct user_row *out, struct err *e)
{
    ASSERT(row && schema && schema->kind == T_ROW && cols);
    return bind(a, row, schema, NULL, cols, out, e);
}

void user_cols_needs(const uint32_t *cols, uint32_t count, uint64_t *needed)
{
    for (uint32_t i = 0; i < count; i++) bit_set(needed, cols[i]);
}

void user_row_needs(const struct tw_row *row, const struct type *schema, uint64_t *needed)
{
    if (row == NULL) return;
    for (uint32_t i = 0; i < row->field_count; i++) {
        int col = is_mask(&row->fields[i]) ? -1 : type_field(schema, str_of(row->fields[i].name));
        if (col >= 0) bit_set(needed, (uint32_t)col);
    }
}
