/* user_value.c - C values <-> rows of state, field by field.
 *
 * The layouts of both sides are known when the state is declared, so a value is moved by one small loop over its fields;
 * a plain BIGINT is one turn of it. Strings are the one danger: what a function writes may be what it has just read from
 * the same row, and writing a field gives the field's old bytes back. Those strings are set aside first. */
#include "flow/operator/user_value.h"

#include "columns/column/rowconv.h"
#include "flow/operator/user.h"
#include "ground/base/str.h"

#include <string.h>

/* --- describing ----------------------------------------------------------------------------------------------------- */
static uint32_t c_size(const struct type *t)
{
    if (t->phys == P_STR && t->kind <= T_VARBINARY) return sizeof(struct tw_str);
    if (t->kind == T_NULL || t->phys >= P_LIST || t->phys == P_I128 || t->phys == P_STR) return 0;
    return (uint32_t)phys_width((enum phys)t->phys);
}

static enum status field_add(struct user_value *v, struct user_value_field *fields, const struct type *t, const char *text, struct err *e)
{
    uint32_t size = c_size(t), align = MIN(size, 8);

    if (size == 0) {
        err_set(e, E_UNSUPPORTED, "type %s has no form as a C value", text);
        err_hint(e, "use numbers, DECIMAL up to 18 digits, times, STRING, BYTES, or a ROW of these");
        return E_UNSUPPORTED;
    }
    v->size = ALIGN_UP(v->size, align);
    fields[v->field_count++] = (struct user_value_field){.offset = v->size, .phys = t->phys};
    v->string_count += t->phys == P_STR;
    v->size += size;
    return S_OK;
}

enum status user_value_of_text(struct arena *a, const char *text, struct user_value *out, struct err *e)
{
    const struct type *t, **types;
    const char *single = "value", *const *names = &single;
    struct user_value_field *fields;
    uint32_t count, align = 1;

    if (type_parse(a, str_of(text), &t, e) != S_OK) return E_GRAPH;
    count = t->kind == T_ROW ? t->child_count : 1;
    types = ARENA_ARRAY(a, const struct type *, count);
    fields = ARENA_ARRAY(a, struct user_value_field, count);
    *out = (struct user_value){.null_offset = ROWCONV_NO_NULLS, .fields = fields};
    for (uint32_t i = 0; i < count; i++) {
        const struct type *field = t->kind == T_ROW ? t->children[i] : t;
        TRY(field_add(out, fields, field, text, e));
        align = MAX(align, MIN(c_size(field), 8));
        types[i] = type_with_null(a, field, false);
    }
    out->size = ALIGN_UP(out->size, align);
    if (t->kind == T_ROW) names = t->names;
    out->type = type_row(a, count, names, types, false);
    return S_OK;
}

enum status user_value_of_row(struct arena *a, const struct tw_row *row, struct user_value *out, struct err *e)
{
    struct user_value_field *fields;
    struct user_row bound;

    TRY(user_row_type(a, row, &out->type, e));
    TRY(user_row_bind(a, row, out->type, NULL, &bound, e));
    fields = ARENA_ARRAY(a, struct user_value_field, bound.conv.field_count);
    for (uint32_t i = 0; i < bound.conv.field_count; i++)
        fields[i] = (struct user_value_field){.offset = bound.conv.fields[i].offset, .phys = bound.conv.fields[i].phys};
    out->size = row->size;
    out->null_offset = bound.conv.null_offset;
    out->field_count = bound.conv.field_count;
    out->string_count = bound.string_count;
    out->fields = fields;
    return S_OK;
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */
static struct str text_of(const struct user_home *h, const struct state_text *field)
{
    if (h->view) return view_text_get(h->view, field);
    if (h->opstate) return state_text_get(opstate_table(h->opstate), field);
    ASSERT_ROW(h->table);
    return state_text_get(h->table, field);
}

static void word_load(int64_t word, uint8_t phys, char *to)
{
    switch ((enum phys)phys) {
    case P_BOOL: *(bool *)to = word != 0; break;
    case P_I8: *(int8_t *)to = (int8_t)word; break;
    case P_I16: {
        int16_t v = (int16_t)word;
        memcpy(to, &v, sizeof v);
        break;
    }
    case P_I32: {
        int32_t v = (int32_t)word;
        memcpy(to, &v, sizeof v);
        break;
    }
    default: memcpy(to, &word, sizeof word); break;
    }
}

static void null_mark(const struct user_value *v, void *value, uint32_t field, bool is_null)
{
    uint64_t mask;
    char *at = (char *)value + v->null_offset;

    memcpy(&mask, at, sizeof mask);
    mask = (mask & ~(UINT64_C(1) << field)) | (uint64_t)is_null << field;
    memcpy(at, &mask, sizeof mask);
}

void user_value_load(const struct user_value *v, const struct state_layout *l, const struct user_home *home, const void *row, void *value)
{
    void *from = (void *)(uintptr_t)row; /* the accessors of row.h serve reading and writing */

    for (uint32_t i = 0; i < v->field_count; i++) {
        const struct state_field *f = &l->fields[i];
        char *to = (char *)value + v->fields[i].offset;
        if (v->null_offset != ROWCONV_NO_NULLS) null_mark(v, value, i, state_is_null(l, row, i));
        switch ((enum state_field_form)f->form) {
        case STATE_WORD: word_load(*state_word(from, f->offset), v->fields[i].phys, to); break;
        case STATE_REAL:
            if (v->fields[i].phys == P_F32) {
                float narrow = (float)*state_real(from, f->offset);
                memcpy(to, &narrow, sizeof narrow);
            } else {
                memcpy(to, state_real(from, f->offset), sizeof(double));
            }
            break;
        case STATE_WIDE: memcpy(to, (const char *)row + f->offset, 16); break;
        case STATE_STRING: {
            struct str s = text_of(home, state_text_at(from, f->offset));
            memcpy(to, &(struct tw_str){s.data, s.size}, sizeof(struct tw_str));
            break;
        }
        case STATE_NESTED: ASSERT(!"nested values are refused when the state is declared");
        }
    }
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */
static int64_t word_of(const char *from, uint8_t phys)
{
    int32_t i32;
    int16_t i16;
    int64_t word;

    switch ((enum phys)phys) {
    case P_BOOL: return *(const uint8_t *)from != 0;
    case P_I8: return *(const int8_t *)from;
    case P_I16: memcpy(&i16, from, sizeof i16); return i16;
    case P_I32: memcpy(&i32, from, sizeof i32); return i32;
    default: memcpy(&word, from, sizeof word); return word;
    }
}

static double real_of(const char *from, uint8_t phys)
{
    float narrow;
    double wide;

    if (phys == P_F32) {
        memcpy(&narrow, from, sizeof narrow);
        return (double)narrow;
    }
    memcpy(&wide, from, sizeof wide);
    return wide;
}

static bool is_probe(const struct user_home *h) { return !h->view && !h->opstate && !h->table; }

static bool value_null(const struct user_value *v, const void *value, uint32_t field)
{
    uint64_t mask;

    if (v->null_offset == ROWCONV_NO_NULLS) return false;
    memcpy(&mask, (const char *)value + v->null_offset, sizeof mask);
    return mask >> field & 1;
}

/* A string that lies in what some field of the row holds now, is copied, unless it is that field's own, whole and unchanged. */
static struct tw_str set_aside(const struct user_value *v, const struct state_layout *l, const struct user_home *home, void *row,
                               uint32_t field, struct tw_str s, struct arena *scratch)
{
    for (uint32_t i = 0; i < v->field_count && s.size > 0; i++) {
        if (l->fields[i].form != STATE_STRING) continue;
        struct str held = text_of(home, state_text_at(row, l->fields[i].offset));
        if (s.data + s.size <= held.data || s.data >= held.data + held.size) continue;
        if (i == field && s.data == held.data && s.size == held.size) continue;
        return (struct tw_str){arena_strndup(scratch, s.data, s.size), s.size};
    }
    return s;
}

static void text_store(const struct user_home *h, struct state_text *field, struct tw_str s)
{
    struct str value = {s.size ? s.data : "", s.size};
    struct str held;

    if (is_probe(h)) {
        struct text probe = text_view(value.data, value.size);
        memcpy(field, &probe, sizeof probe);
        return;
    }
    held = text_of(h, field);
    if (held.size == value.size && held.data == value.data) return;
    if (h->view) view_text_set(h->view, field, value);
    else if (h->opstate) opstate_text_set(h->opstate, field, value);
    else state_text_set(h->table, h->ns, field, value);
}

static void strings_store(const struct user_value *v, const struct state_layout *l, const struct user_home *home, void *row,
                          const void *value, struct arena *scratch)
{
    struct tw_str *strings = arena_alloc(scratch, v->field_count * sizeof *strings);

    for (uint32_t i = 0; i < v->field_count; i++) {
        if (l->fields[i].form != STATE_STRING) continue;
        memcpy(&strings[i], (const char *)value + v->fields[i].offset, sizeof strings[i]);
        if (value_null(v, value, i)) strings[i] = (struct tw_str){"", 0};
        if (!is_probe(home)) strings[i] = set_aside(v, l, home, row, i, strings[i], scratch);
    }
    for (uint32_t i = 0; i < v->field_count; i++)
        if (l->fields[i].form == STATE_STRING) text_store(home, state_text_at(row, l->fields[i].offset), strings[i]);
}

void user_value_store(const struct user_value *v, const struct state_layout *l, const struct user_home *home, void *row,
                      const void *value, struct arena *scratch)
{
    ASSERT_ROW(l->field_count >= v->field_count); /* windows keep a count behind the fields of the value */
    for (uint32_t i = 0; i < v->field_count; i++) {
        const struct state_field *f = &l->fields[i];
        const char *from = (const char *)value + v->fields[i].offset;
        switch ((enum state_field_form)f->form) {
        case STATE_WORD: *state_word(row, f->offset) = word_of(from, v->fields[i].phys); break;
        case STATE_REAL: *state_real(row, f->offset) = real_of(from, v->fields[i].phys); break;
        case STATE_WIDE: memcpy((char *)row + f->offset, from, 16); break;
        case STATE_STRING: break;
        case STATE_NESTED: ASSERT(!"nested values are refused when the state is declared");
        }
        if (!f->nullable) continue;
        if (value_null(v, value, i)) state_set_null(l, row, i);
        else state_set_valid(l, row, i);
    }
    if (v->string_count > 0) strings_store(v, l, home, row, value, scratch);
}
