/* user_value.c - C values <-> rows of state, field by field.
 *
 * The layouts of both sides are known when the state is declared, so a value is moved by one small loop over its fields;
 * a plain BIGINT is one turn of it. Strings are the one danger: what a function writes may be what it has just read from
 * the same row, and writing a field gives the field's old bytes back. Those strings are set aside first. Nested values are
 * bytes in state (flow/state/nested_value.h), encoded before anything is written. */
#include "flow/operator/user_value.h"

#include "columns/column/rowconv.h"
#include "flow/operator/user.h"
#include "flow/state/nested_value.h"
#include "ground/base/str.h"

#include <string.h>

/* --- describing ----------------------------------------------------------------------------------------------------- */
static void fields_set(struct arena *a, struct user_value *v, const struct cform_child *children, uint32_t count)
{
    struct user_value_field *fields = ARENA_ARRAY(a, struct user_value_field, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        const struct cform *form = children[i].form;
        bool is_nested = cform_is_nested(form);
        fields[i] = (struct user_value_field){
            .offset = children[i].offset, .phys = form->type->phys, .form = is_nested ? form : NULL};
        v->string_count += form->type->phys == P_STR;
        v->nested_count += is_nested;
        v->must_check |= is_nested || (v->null_offset != ROWCONV_NO_NULLS && !form->type->nullable);
    }
    v->field_count = count;
    v->fields = fields;
}

static void value_of_form(struct arena *a, const struct cform *form, struct user_value *out)
{
    *out = (struct user_value){.size = form->size, .null_offset = form->null_offset, .form = form};
    if (form->type->kind == T_ROW) {
        out->type = type_with_null(a, form->type, false);
        fields_set(a, out, form->children, form->child_count);
    } else {
        const char *const name = "value";
        const struct type *type = type_with_null(a, form->type, false);
        out->type = type_row(a, 1, &name, &type, false);
        fields_set(a, out, &(struct cform_child){.form = form}, 1);
    }
}

enum status user_value_of_text(struct arena *a, const char *text, const struct tw_row *row, struct user_value *out, struct err *e)
{
    const struct cform *form;

    TRY(cform_parse(a, text, row, &form, e));
    value_of_form(a, form, out);
    return S_OK;
}

enum status user_value_of_key(struct arena *a, const char *text, const struct tw_row *row, struct user_value *out, struct err *e)
{
    TRY(user_value_of_text(a, text, row, out, e));
    out->is_key = true;
    return S_OK;
}

enum status user_value_of_row(struct arena *a, const struct tw_row *row, struct user_value *out, struct err *e)
{
    const struct cform *form;

    TRY(cform_of_row(a, row, &form, e));
    value_of_form(a, form, out);
    return S_OK;
}

enum status user_value_check(const struct user_value *v, const void *value, const char **why)
{
    if (!v->must_check) return S_OK;
    return cform_check(v->form, value, why);
}

enum status user_value_accept(struct tw_context *cx, const struct user_value *v, const void *value)
{
    const char *why;

    if (LIKELY(user_value_check(v, value, &why) == S_OK)) return S_OK;
    user_misuse(cx, "what function '%s' answers cannot be kept: %s", cx->ref->name, why);
    return user_failed(cx, TW_FAILED);
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

/* What is kept was checked when it was stored, so it reads. */
static void nested_load(const struct user_value_field *field, struct str bytes, bool is_null, char *to, struct arena *items)
{
    enum status st;

    if (is_null || bytes.size == 0) {
        memset(to, 0, field->form->size);
        return;
    }
    st = nested_value_decode(field->form, bytes, to, items);
    ASSERT(st == S_OK);
}

void user_value_load(const struct user_value *v, const struct state_layout *l, const struct user_home *home, const void *row,
                     void *value, struct arena *items)
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
        case STATE_NESTED:
            nested_load(&v->fields[i], text_of(home, state_text_at(from, f->offset)), state_is_null(l, row, i), to, items);
            break;
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
        if (l->fields[i].form < STATE_STRING) continue;
        struct str held = text_of(home, state_text_at(row, l->fields[i].offset));
        if (s.data + s.size <= held.data || s.data >= held.data + held.size) continue;
        if (i == field && s.data == held.data && s.size == held.size) continue;
        return (struct tw_str){arena_strndup(scratch, s.data, s.size), s.size};
    }
    return s;
}

/* Encoded bytes are in scratch, so whatever strings of the row the value speaks of may be overwritten then. */
static struct tw_str nested_bytes(const struct user_value *v, const void *value, uint32_t field, struct arena *scratch)
{
    const struct user_value_field *f = &v->fields[field];
    const char *from = (const char *)value + f->offset;

    if (value_null(v, value, field)) return (struct tw_str){"", 0};
    size_t size = nested_value_size(f->form, from);
    uint8_t *bytes = arena_alloc(scratch, size), *end;
    end = v->is_key ? nested_key_encode(f->form, from, bytes, scratch) : nested_value_encode(f->form, from, bytes);
    ASSERT(end == bytes + size);
    return (struct tw_str){(const char *)bytes, size};
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
        if (l->fields[i].form == STATE_NESTED) strings[i] = nested_bytes(v, value, i, scratch);
        if (l->fields[i].form != STATE_STRING) continue;
        memcpy(&strings[i], (const char *)value + v->fields[i].offset, sizeof strings[i]);
        if (value_null(v, value, i)) strings[i] = (struct tw_str){"", 0};
        if (!is_probe(home)) strings[i] = set_aside(v, l, home, row, i, strings[i], scratch);
    }
    for (uint32_t i = 0; i < v->field_count; i++)
        if (l->fields[i].form >= STATE_STRING) text_store(home, state_text_at(row, l->fields[i].offset), strings[i]);
}

/* A field of fixed width; zero when it is NULL, whatever stands in its place. */
static void fixed_store(const struct user_value *v, const struct state_field *f, uint32_t field, const void *value, bool is_null,
                        char *to)
{
    const char *from = (const char *)value + v->fields[field].offset;
    enum phys phys = (enum phys)v->fields[field].phys;

    if (UNLIKELY(is_null)) {
        memset(to, 0, f->form == STATE_WIDE ? 16 : 8);
        return;
    }
    switch ((enum state_field_form)f->form) {
    case STATE_WORD: *state_word(to, 0) = word_of(from, phys); break;
    case STATE_REAL:
        *state_real(to, 0) = real_of(from, phys);
        if (v->is_key) nested_key_scalar(P_F64, to);
        break;
    default:
        memcpy(to, from, 16);
        if (v->is_key) nested_key_scalar(phys, to);
        break;
    }
}

void user_value_store(const struct user_value *v, const struct state_layout *l, const struct user_home *home, void *row,
                      const void *value, struct arena *scratch)
{
    ASSERT_ROW(l->field_count >= v->field_count); /* windows keep a count behind the fields of the value */
    for (uint32_t i = 0; i < v->field_count; i++) {
        const struct state_field *f = &l->fields[i];
        bool is_null = value_null(v, value, i);
        if (f->form < STATE_STRING) fixed_store(v, f, i, value, is_null, (char *)row + f->offset);
        if (!f->nullable) continue;
        if (is_null) state_set_null(l, row, i);
        else state_set_valid(l, row, i);
    }
    if (v->string_count + v->nested_count > 0) strings_store(v, l, home, row, value, scratch);
}
