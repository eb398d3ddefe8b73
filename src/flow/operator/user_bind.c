/* user_bind.c - row types of the user against the columns of a stream: which column each field of a struct is, whether
 * the C field has the size that its SQL type asks for, and what to tell the user when not.
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

enum { NULL_MASK_FIELDS = 64, C_STRUCT_MAX = 64 * 1024 };

static bool is_mask(const struct tw_field *f) { return f->type != NULL && f->type[0] == 0; }

uint32_t user_row_fields(const struct tw_row *row)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < row->field_count; i++) count += !is_mask(&row->fields[i]);
    return count;
}

static const struct tw_field *mask_of(const struct tw_row *row)
{
    for (uint32_t i = 0; i < row->field_count; i++)
        if (is_mask(&row->fields[i])) return &row->fields[i];
    return NULL;
}

/* Bytes that a value takes in a user's struct; 0 = it has no C form. */
static uint32_t c_size(const struct type *t)
{
    switch ((enum phys)t->phys) {
    case P_LIST:
    case P_ROW:
    case P_I128: return 0;
    case P_STR: return t->kind <= T_VARBINARY ? sizeof(struct tw_str) : 0;
    default: return t->kind == T_NULL ? 0 : (uint32_t)phys_width((enum phys)t->phys);
    }
}

/* The type of one field, its text and size checked. */
static enum status field_type(struct arena *a, const struct tw_row *row, const struct tw_field *f,
                              const struct type **out, struct err *e)
{
    const struct type *t;

    if (f->name == NULL || f->type == NULL)
        return err_set(e, E_GRAPH, "row type '%s' has a field without name or type", row->name);
    if (type_parse(a, str_of(f->type), &t, e) != S_OK) {
        err_wrap(e, "row type '%s', field '%s'", row->name, f->name);
        return E_GRAPH;
    }
    if (c_size(t) == 0) {
        err_set(e, E_GRAPH, "row type '%s', field '%s': %s has no form as a C field", row->name, f->name, f->type);
        err_hint(e, "use numbers, DECIMAL up to 18 digits, times, STRING or BYTES in structs");
        return E_GRAPH;
    }
    if (c_size(t) != f->size || (uint64_t)f->offset + f->size > row->size) {
        return err_set(e, E_GRAPH, "row type '%s', field '%s': %s takes %u bytes in C, but the struct's member has %u",
                       row->name, f->name, f->type, c_size(t), f->size);
    }
    if (t->nullable && mask_of(row) == NULL) t = type_with_null(a, t, false);
    *out = t;
    return S_OK;
}

static enum status row_check(const struct tw_row *row, struct err *e)
{
    const struct tw_field *mask;
    uint32_t count;

    if (row->fields == NULL || row->size == 0)
        return err_set(e, E_GRAPH, "row type '%s' describes no fields", row->name);
    count = user_row_fields(row);
    mask = mask_of(row);
    if (row->size > C_STRUCT_MAX)
        return err_set(e, E_GRAPH, "row type '%s': a struct of %u bytes; at most %d", row->name, row->size,
                       C_STRUCT_MAX);
    if (count > TYPE_FIELDS_MAX)
        return err_set(e, E_GRAPH, "row type '%s' has %u fields; at most %d", row->name, count, TYPE_FIELDS_MAX);
    if (mask == NULL) return S_OK;
    if (mask->size != sizeof(uint64_t))
        return err_set(e, E_GRAPH, "row type '%s': the null mask must be a uint64_t", row->name);
    if (count > NULL_MASK_FIELDS)
        return err_set(e, E_GRAPH, "row type '%s' has a null mask and %u fields; a mask covers %d", row->name, count,
                       NULL_MASK_FIELDS);
    if (row->field_count != count + 1)
        return err_set(e, E_GRAPH, "row type '%s' has more than one null mask", row->name);
    return S_OK;
}

enum status user_row_type(struct arena *a, const struct tw_row *row, const struct type **out, struct err *e)
{
    const struct type **types;
    const char **names;
    uint32_t count = 0;

    ASSERT(row && out);
    TRY(row_check(row, e));
    types = ARENA_ARRAY(a, const struct type *, row->field_count);
    names = ARENA_ARRAY(a, const char *, row->field_count);
    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct tw_field *f = &row->fields[i];
        if (is_mask(f)) continue;
        TRY(field_type(a, row, f, &types[count], e));
        for (uint32_t k = 0; k < count; k++)
            if (strcmp(names[k], f->name) == 0)
                return err_set(e, E_GRAPH, "row type '%s' names '%s' twice", row->name, f->name);
        names[count++] = f->name;
    }
    *out = type_row(a, count, names, types, false);
    return S_OK;
}

/* --- binding ---------------------------------------------------------------------------------------------------------- */
static bool is_bytes(const struct type *t) { return t->kind == T_BINARY || t->kind == T_VARBINARY; }

/* May values of column type `col` lie in a field of type `field`? */
static bool types_agree(const struct type *col, const struct type *field)
{
    if (type_is_string(col) || type_is_string(field)) return type_is_string(col) && type_is_string(field);
    if (is_bytes(col) || is_bytes(field)) return is_bytes(col) && is_bytes(field);
    if (col->kind != field->kind || col->phys != field->phys) return false;
    if (col->kind == T_DECIMAL) return col->precision == field->precision && col->scale == field->scale;
    if (col->kind == T_TIMESTAMP || col->kind == T_TIMESTAMP_LTZ) return (col->precision > 3) == (field->precision > 3);
    return true;
}

static enum status types_differ(struct arena *a, const struct tw_row *row, const struct tw_field *f,
                                const struct type *col, struct err *e)
{
    struct buf text;

    buf_init(&text, a->mem);
    type_print(col, &text);
    err_set(e, E_GRAPH, "row type '%s', field '%s' is %s, but the stream's column '%s' is %s", row->name, f->name,
            f->type, f->name, buf_text(&text));
    buf_release(&text);
    return E_GRAPH;
}

/* cols NULL: by name. */
static enum status bind(struct arena *a, const struct tw_row *row, const struct type *schema, const char *stream,
                        const uint32_t *cols, struct user_row *out, struct err *e)
{
    struct rowconv_field *fields = ARENA_ARRAY(a, struct rowconv_field, row->field_count);
    uint32_t *strings = ARENA_ARRAY(a, uint32_t, row->field_count);
    const struct tw_field *mask = mask_of(row);
    uint32_t count = 0, string_count = 0;

    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct tw_field *f = &row->fields[i];
        const struct type *t;
        if (is_mask(f)) continue;
        TRY(field_type(a, row, f, &t, e));
        int col = cols ? (int)cols[count] : op_type_field(schema, stream, f->name, e);
        if (col < 0) return err_wrap(e, "row type '%s'", row->name);
        if (!types_agree(schema->children[col], t)) return types_differ(a, row, f, schema->children[col], e);
        if (t->phys == P_STR) strings[string_count++] = count;
        fields[count++] = (struct rowconv_field){.col = (uint32_t)col, .offset = f->offset, .phys = t->phys};
    }
    *out = (struct user_row){.row = row, .schema = schema, .strings = strings, .string_count = string_count};
    out->conv = (struct rowconv){.size = row->size,
                                 .null_offset = mask ? mask->offset : ROWCONV_NO_NULLS,
                                 .field_count = count,
                                 .fields = fields};
    return S_OK;
}

enum status user_row_bind(struct arena *a, const struct tw_row *row, const struct type *schema, const char *stream,
                          struct user_row *out, struct err *e)
{
    ASSERT(row && schema && schema->kind == T_ROW);
    TRY(row_check(row, e));
    return bind(a, row, schema, stream, NULL, out, e);
}

enum status user_row_bind_at(struct arena *a, const struct tw_row *row, const struct type *schema, const uint32_t *cols,
                             struct user_row *out, struct err *e)
{
    ASSERT(row && schema && schema->kind == T_ROW && cols);
    TRY(row_check(row, e));
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
