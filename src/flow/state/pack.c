/* pack.c - packed rows, see pack.h: their layout, and moving fields between columns and rows.
 *
 * The idea: a column is gone through row by row, as in row.c, but for a few rows at a time, so that what is written lies in the
 * first-level cache for all columns; sizes are asked for first, because rows lie where they fit, and with them which strings are
 * kept elsewhere.
 *
 * Invariants: the value of a NULL field is zero, a NULL string is empty. Not here: where rows lie (shape_packed.c). */
#include "flow/state/pack.h"

bool pack_fits(const struct type *row)
{
    for (uint32_t i = 0; i < row->child_count; i++)
        if (!pack_fits_value(row->children[i])) return false;
    return true;
}

void pack_init(struct pack *p, const struct type *row, bool has_dicts, struct segments *segments, struct mem *mem)
{
    uint32_t offset = 0;
    bool has_nulls = false;

    *p = (struct pack){.field_count = row->child_count, .last_end = PACK_FIRST, .segments = segments};
    p->fields = mem_zalloc(mem, sizeof *p->fields * (row->child_count + 1));
    for (uint32_t i = 0; i < row->child_count; i++) {
        const struct type *t = row->children[i];
        bool is_text = t->phys == P_STR;
        uint8_t width = is_text ? (uint8_t)sizeof(uint32_t) : (uint8_t)phys_width((enum phys)t->phys);
        p->fields[i] = (struct pack_field){.offset = offset, .before = p->last_end, .phys = t->phys, .width = width, .is_text = is_text,
                                           .nullable = t->nullable || t->kind == T_NULL, .text = (uint16_t)p->text_count};
        p->text_count += is_text;
        if (is_text) p->last_end = offset;
        has_nulls |= p->fields[i].nullable;
        offset += width;
    }
    p->null_offset = offset;
    p->null_bytes = has_nulls ? (row->child_count + 7) / 8 : 0;
    p->fixed = MAX(offset + p->null_bytes, 1u);
    if (!has_dicts || p->text_count == 0) return;
    p->dicts = mem_zalloc(mem, sizeof *p->dicts * p->text_count);
    p->refs = mem_zalloc(mem, sizeof *p->refs * p->text_count * BATCH_ROWS);
    for (uint32_t t = 0; t < p->text_count; t++) dict_init(&p->dicts[t], segments, mem);
}

void pack_release(struct pack *p, struct mem *mem)
{
    for (uint32_t t = 0; p->dicts != NULL && t < p->text_count; t++) dict_release(&p->dicts[t]);
    mem_free(mem, p->dicts);
    mem_free(mem, p->refs);
    mem_free(mem, p->fields);
    *p = (struct pack){0};
}

void pack_forget(struct pack *p)
{
    for (uint32_t t = 0; p->dicts != NULL && t < p->text_count; t++) dict_clear(&p->dicts[t]);
}

/* --- writing ----------------------------------------------------------------------------------------------------- */
static inline struct str text_at(const struct vector *v, const struct vector *base, uint32_t row)
{
    return vector_is_null(v, row) ? (struct str){"", 0} : text_str(&VECTOR_VALUES(base, struct text)[vector_at(v, row)]);
}

/* Those that are kept once: their references per row; NULL: none are. */
static const struct state_ref *texts_find(struct pack *p, const struct pack_field *f, const struct pack_source *from, const struct vector *v)
{
    const struct vector *base = vector_values(v);
    struct state_ref *refs = p->dicts != NULL ? p->refs + (size_t)f->text * BATCH_ROWS : NULL;
    struct str values[DICT_AHEAD];

    if (refs == NULL) return NULL;
    if (p->dicts[f->text].is_off) {
        memset(refs, 0, sizeof *refs * from->count);
        return NULL;
    }
    for (uint32_t at = 0, n; at < from->count; at += n) {
        n = MIN(from->count - at, (uint32_t)DICT_AHEAD);
        for (uint32_t i = 0; i < n; i++) values[i] = text_at(v, base, from->rows[at + i]);
        dict_find(&p->dicts[f->text], from->blocks, values, n, refs + at);
    }
    return refs; /* also when it was just turned off */
}

static void text_sizes(struct pack *p, const struct pack_field *f, const struct pack_source *from, const struct vector *v, uint32_t *sizes)
{
    const struct vector *base = vector_values(v);
    const struct state_ref *refs = texts_find(p, f, from, v);

    for (uint32_t i = 0; i < from->count; i++) {
        bool refers = refs != NULL && refs[i].segment != 0;
        sizes[i] += refers ? (uint32_t)sizeof(struct pack_reference) : (uint32_t)text_at(v, base, from->rows[i]).size;
    }
}

void pack_sizes(struct pack *p, const struct pack_source *from, uint32_t *sizes)
{
    for (uint32_t i = 0; i < from->count; i++) sizes[i] = p->fixed;
    for (uint32_t f = 0; f < p->field_count; f++)
        if (p->fields[f].is_text) text_sizes(p, &p->fields[f], from, &from->batch->cols[from->cols[f]], sizes);
}

#define WRITE_LOOP(T)                                                                                                  \
    for (uint32_t i = 0; i < n; i++) memcpy(at[i] + offset, &VECTOR_VALUES(base, T)[vector_at(v, rows[i])], sizeof(T))

static void write_values(const struct pack_field *f, const struct vector *v, const uint16_t *rows, uint32_t n, char *const *at)
{
    const struct vector *base = vector_values(v);
    uint32_t offset = f->offset;

    switch (f->width) {
    case 1: WRITE_LOOP(uint8_t); break;
    case 2: WRITE_LOOP(uint16_t); break;
    case 4: WRITE_LOOP(uint32_t); break;
    case 8: WRITE_LOOP(uint64_t); break;
    default: WRITE_LOOP(int128); break;
    }
}

/* refs NULL: none of them is kept elsewhere. */
static void write_texts(const struct pack_field *f, const struct vector *v, const uint16_t *rows, const struct state_ref *refs,
                        const uint16_t *which, uint32_t n, char *const *at, uint32_t *ends)
{
    const struct vector *base = vector_values(v);

    for (uint32_t i = 0; i < n; i++) {
        struct str value = text_at(v, base, rows[i]);
        struct pack_reference r = {refs != NULL ? refs[which[i]] : (struct state_ref){0, 0}, (uint32_t)value.size};
        bool refers = r.ref.segment != 0;
        if (refers) memcpy(at[i] + ends[i], &r, sizeof r);
        else memcpy(at[i] + ends[i], value.data, value.size);
        ends[i] += refers ? (uint32_t)sizeof r : r.size;
        uint32_t end = ends[i] | (refers ? PACK_REFERS : 0);
        memcpy(at[i] + f->offset, &end, sizeof end);
    }
}

static void write_nulls(const struct pack *p, uint32_t field, const struct vector *v, const uint16_t *rows, uint32_t n, char *const *at)
{
    const struct pack_field *f = &p->fields[field];
    bool may_be_null = field / 8 < p->null_bytes;

    for (uint32_t i = 0; i < n; i++) {
        if (!vector_is_null(v, rows[i])) continue;
        ASSERT(may_be_null); /* its bit would be another field's */
        at[i][p->null_offset + field / 8] |= (char)(1u << (field % 8));
        if (!f->is_text) memset(at[i] + f->offset, 0, f->width);
    }
}

void pack_write(const struct pack *p, const struct pack_source *from, const uint16_t *which, uint32_t n, char *const *at)
{
    uint32_t ends[PACK_ROWS];
    uint16_t rows[PACK_ROWS];

    ASSERT(n <= PACK_ROWS);
    for (uint32_t i = 0; i < n; i++) {
        ends[i] = p->fixed;
        rows[i] = from->rows[which[i]];
        if (p->null_bytes > 0) memset(at[i] + p->null_offset, 0, p->null_bytes);
    }
    for (uint32_t f = 0; f < p->field_count; f++) {
        const struct pack_field *field = &p->fields[f];
        const struct vector *v = &from->batch->cols[from->cols[f]];
        const struct state_ref *refs = p->dicts != NULL && field->is_text ? p->refs + (size_t)field->text * BATCH_ROWS : NULL;
        ASSERT(v->form != VEC_ABSENT && vector_values(v)->phys == field->phys);
        if (field->is_text) write_texts(field, v, rows, refs, which, n, at, ends);
        else write_values(field, v, rows, n, at);
        if (vector_values(v)->validity != NULL) write_nulls(p, f, v, rows, n, at);
    }
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
#define LOAD_LOOP(T)                                                                                                   \
    for (uint32_t i = 0; i < count; i++)                                                                               \
        if (rows[i] != NULL) memcpy(&VECTOR_VALUES(v, T)[first + i], (const char *)rows[i] + offset, sizeof(T))

static void load_values(const struct pack_field *f, const void *const *rows, uint32_t count, struct vector *v, uint32_t first)
{
    uint32_t offset = f->offset;

    switch (f->width) {
    case 1: LOAD_LOOP(uint8_t); break;
    case 2: LOAD_LOOP(uint16_t); break;
    case 4: LOAD_LOOP(uint32_t); break;
    case 8: LOAD_LOOP(uint64_t); break;
    default: LOAD_LOOP(int128); break;
    }
}

static void load_texts(const struct pack *p, const struct pack_field *f, const void *const *rows, uint32_t count, struct vector *v,
                       uint32_t first)
{
    for (uint32_t i = 0; i < count; i++) {
        struct str value;
        if (rows[i] == NULL) continue;
        value = pack_text(p, rows[i], f);
        VECTOR_VALUES(v, struct text)[first + i] = text_view(value.data, value.size);
    }
}

void pack_load(const struct pack *p, const void *const *rows, uint32_t count, uint32_t field, struct vector *v, uint32_t first)
{
    const struct pack_field *f = &p->fields[field];

    ASSERT(field < p->field_count && v->form == VEC_FLAT && first + count <= v->capacity && f->phys == v->phys);
    if (f->is_text) load_texts(p, f, rows, count, v, first);
    else load_values(f, rows, count, v, first);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i] == NULL || pack_is_null(p, rows[i], field)) vector_set_null(v, first + i);
        else if (v->validity != NULL) bit_set(v->validity, first + i);
    }
}

int pack_compare(const struct pack *p, const void *row, uint32_t field, const struct vector *v, uint32_t at)
{
    const struct pack_field *f = &p->fields[field];
    uint64_t valid = !pack_is_null(p, row, field);
    _Alignas(16) char value[16];
    struct vector one = {.form = VEC_FLAT, .phys = f->phys, .child_count = v->child_count, .data = value, .validity = &valid};

    if (f->is_text) {
        struct str bytes = pack_text(p, row, f);
        struct text text = text_view(bytes.data, bytes.size);
        memcpy(value, &text, sizeof text);
    } else {
        memcpy(value, (const char *)row + f->offset, f->width);
    }
    return vector_compare(&one, 0, v, at);
}
