/* pack.c - packed rows, see pack.h: their layout, and moving fields between columns and rows.
 *
 * The idea: a column is gone through row by row, as in row.c, but for a few rows at a time, so that what is written lies in the
 * first-level cache for all columns; sizes are asked for first, because rows lie where they fit, and with them which strings are
 * kept elsewhere.
 *
 * Invariants: the bits of a NULL field are zero, a NULL string is empty. A base never changes once there are rows. Not here: where rows lie (shape_packed.c). */
#include "flow/state/pack.h"

bool pack_fits(const struct type *row)
{
    for (uint32_t i = 0; i < row->child_count; i++)
        if (!pack_fits_value(row->children[i])) return false;
    return true;
}

/* Fields that have a value at a fixed place lie behind the ends of the strings. */
static void fields_lay(struct pack *p, const struct type *row)
{
    const uint32_t end_bytes[PACK_FORMS] = {sizeof(uint16_t), sizeof(uint32_t)};

    for (uint32_t form = 0; form < PACK_FORMS; form++) {
        uint32_t offset = p->head + p->text_count * end_bytes[form];
        for (uint32_t i = 0; i < row->child_count; i++) {
            struct pack_field *f = &p->fields[i];
            f->offset[form] = offset;
            if (f->is_text) continue;
            offset += f->is_narrow && form == PACK_NARROW ? (uint32_t)sizeof(uint32_t) : f->width;
        }
        p->fixed[form] = MAX(offset, 1u);
    }
}

void pack_init(struct pack *p, const struct type *row, bool has_dicts, struct segments *segments, struct mem *mem)
{
    bool has_forms = false;

    *p = (struct pack){.field_count = row->child_count, .segments = segments};
    p->fields = mem_zalloc(mem, sizeof *p->fields * (row->child_count + 1));
    p->forms = mem_zalloc(mem, BATCH_ROWS);
    for (uint32_t i = 0; i < row->child_count; i++) {
        const struct type *t = row->children[i];
        struct pack_field *f = &p->fields[i];
        *f = (struct pack_field){.phys = t->phys, .is_text = t->phys == P_STR, .is_narrow = t->phys == P_I64,
                                 .nullable = t->nullable || t->kind == T_NULL, .text = (uint16_t)p->text_count};
        if (!f->is_text) f->width = (uint8_t)phys_width((enum phys)t->phys);
        p->text_count += f->is_text;
        p->has_nulls |= f->nullable;
        has_forms |= f->is_text || f->is_narrow;
    }
    p->head = p->has_nulls ? (1 + row->child_count + 7) / 8 : has_forms;
    fields_lay(p, row);
    if (!has_dicts || p->text_count == 0) return;
    p->dicts = mem_zalloc(mem, sizeof *p->dicts * p->text_count);
    p->numbers = mem_zalloc(mem, sizeof *p->numbers * p->text_count * BATCH_ROWS);
    for (uint32_t t = 0; t < p->text_count; t++) dict_init(&p->dicts[t], segments, mem);
}

void pack_release(struct pack *p, struct mem *mem)
{
    for (uint32_t t = 0; p->dicts != NULL && t < p->text_count; t++) dict_release(&p->dicts[t]);
    mem_free(mem, p->dicts);
    mem_free(mem, p->numbers);
    mem_free(mem, p->forms);
    mem_free(mem, p->fields);
    *p = (struct pack){0};
}

void pack_forget(struct pack *p)
{
    for (uint32_t t = 0; p->dicts != NULL && t < p->text_count; t++) dict_clear(&p->dicts[t]);
}

/* --- writing ----------------------------------------------------------------------------------------------------- */
/* Those that are kept once: their numbers per row; NULL: none are. */
static const uint32_t *texts_find(struct pack *p, const struct pack_field *f, const struct pack_source *from, const struct vector *v)
{
    uint32_t *numbers = p->dicts != NULL ? p->numbers + (size_t)f->text * BATCH_ROWS : NULL;

    if (numbers == NULL) return NULL;
    bool was_off = p->dicts[f->text].is_off;
    dict_find(&p->dicts[f->text], from->blocks, v, from->rows, from->count, numbers);
    return was_off ? NULL : numbers; /* also when it was just turned off */
}

static void text_sizes(struct pack *p, const struct pack_field *f, const struct pack_source *from, const struct vector *v, uint32_t *sizes)
{
    const struct vector *base = vector_values(v);
    const uint32_t *numbers = texts_find(p, f, from, v);

    for (uint32_t i = 0; i < from->count; i++) {
        bool refers = numbers != NULL && numbers[i] != 0;
        sizes[i] += refers ? (uint32_t)sizeof(uint16_t) : (uint32_t)dict_text(v, base, from->rows[i]).size;
    }
}

enum { BASE_BELOW = 1 << 30 }; /* what comes may also be less than the first */

static void bases_find(struct pack *p, const struct pack_source *from)
{
    for (uint32_t f = 0; f < p->field_count; f++) {
        const struct vector *v = &from->batch->cols[from->cols[f]], *base = vector_values(v);
        int64_t least = INT64_MAX;
        if (!p->fields[f].is_narrow) continue;
        for (uint32_t i = 0; i < from->count; i++)
            if (!vector_is_null(v, from->rows[i])) least = MIN(least, VECTOR_VALUES(base, int64_t)[vector_at(v, from->rows[i])]);
        if (least == INT64_MAX) least = 0;
        p->fields[f].base = MAX(least, INT64_MIN + BASE_BELOW) - BASE_BELOW;
    }
    p->has_bases = true;
}

static inline uint64_t above_base(const struct pack_field *f, int64_t value) { return (uint64_t)value - (uint64_t)f->base; }

/* Rows with a value that 32 bits do not reach become wide; mostly there is none, which one look at all of them says. */
static void values_reach(struct pack *p, const struct pack_field *f, const struct pack_source *from, const struct vector *v)
{
    const struct vector *base = vector_values(v);
    const struct pack_field field = *f;
    uint64_t all = 0;

    for (uint32_t i = 0; i < from->count; i++) all |= above_base(&field, VECTOR_VALUES(base, int64_t)[vector_at(v, from->rows[i])]);
    if (all <= UINT32_MAX) return;
    for (uint32_t i = 0; i < from->count; i++) {
        int64_t value = VECTOR_VALUES(base, int64_t)[vector_at(v, from->rows[i])];
        p->forms[i] |= !vector_is_null(v, from->rows[i]) && above_base(&field, value) > UINT32_MAX;
    }
}

size_t pack_strings_most(const struct pack *p, const struct pack_source *from)
{
    size_t bytes = 0;

    for (uint32_t f = 0; p->dicts != NULL && f < p->field_count; f++) {
        const struct vector *v = &from->batch->cols[from->cols[f]];
        if (!p->fields[f].is_text || p->dicts[p->fields[f].text].is_off) continue;
        bytes += dict_growth(&p->dicts[p->fields[f].text], from->count);
        for (uint32_t i = 0; i < from->count; i++) {
            size_t size = dict_text(v, vector_values(v), from->rows[i]).size;
            if (size >= DICT_SIZE_MIN && size <= DICT_SIZE_MAX) bytes += 2 * size;
        }
    }
    return bytes;
}

void pack_sizes(struct pack *p, const struct pack_source *from, uint32_t *sizes)
{
    if (!p->has_bases && from->count > 0) bases_find(p, from);
    memset(sizes, 0, sizeof *sizes * from->count);
    memset(p->forms, p->head == 0 ? PACK_WIDE : PACK_NARROW, from->count);
    for (uint32_t f = 0; f < p->field_count; f++) {
        const struct vector *v = &from->batch->cols[from->cols[f]];
        if (p->fields[f].is_text) text_sizes(p, &p->fields[f], from, v, sizes);
        else if (p->fields[f].is_narrow) values_reach(p, &p->fields[f], from, v);
    }
    for (uint32_t i = 0; i < from->count; i++) {
        if (p->head > 0 && p->fixed[PACK_NARROW] + sizes[i] >= PACK_NARROW_REFERS) p->forms[i] = PACK_WIDE;
        sizes[i] += p->fixed[p->forms[i]];
    }
}

/* The rows in work: their forms, and where in the batch they are. */
struct writing {
    const struct pack *p;
    uint32_t n;
    const uint16_t *which;
    char *const *at;
    uint16_t rows[PACK_ROWS];
    uint8_t forms[PACK_ROWS];
    uint32_t ends[PACK_ROWS];
};

#define WRITE_LOOP(T)                                                                                                  \
    for (uint32_t i = 0; i < n; i++)                                                                                   \
        memcpy(at[i] + (w->forms[i] == PACK_NARROW ? narrow : wide), &VECTOR_VALUES(base, T)[vector_at(v, w->rows[i])], sizeof(T))

static void write_narrow(const struct writing *w, const struct pack_field *f, const struct vector *v)
{
    const struct pack_field field = *f; /* as the next three: bytes that are written could be theirs */
    const struct vector *base = vector_values(v);
    const uint32_t n = w->n;
    char *const *at = w->at;

    for (uint32_t i = 0; i < n; i++) {
        int64_t value = VECTOR_VALUES(base, int64_t)[vector_at(v, w->rows[i])];
        uint32_t narrow = (uint32_t)above_base(&field, value);
        if (UNLIKELY(w->forms[i] == PACK_WIDE)) memcpy(at[i] + field.offset[PACK_WIDE], &value, sizeof value);
        else memcpy(at[i] + field.offset[PACK_NARROW], &narrow, sizeof narrow);
    }
}

static void write_values(const struct writing *w, const struct pack_field *f, const struct vector *v)
{
    const struct vector *base = vector_values(v);
    const uint32_t n = w->n, narrow = f->offset[PACK_NARROW], wide = f->offset[PACK_WIDE];
    char *const *at = w->at;

    if (f->is_narrow) {
        write_narrow(w, f, v);
        return;
    }
    switch (f->width) {
    case 1: WRITE_LOOP(uint8_t); break;
    case 2: WRITE_LOOP(uint16_t); break;
    case 4: WRITE_LOOP(uint32_t); break;
    case 8: WRITE_LOOP(uint64_t); break;
    default: WRITE_LOOP(int128); break;
    }
}

static inline __attribute__((always_inline)) void end_write(char *to, enum pack_form form, uint32_t text, uint32_t end, bool refers)
{
    uint32_t wide = end | (refers ? PACK_WIDE_REFERS : 0);
    uint16_t narrow = (uint16_t)(end | (refers ? PACK_NARROW_REFERS : 0));

    if (UNLIKELY(form == PACK_WIDE)) memcpy(to + text * sizeof wide, &wide, sizeof wide);
    else memcpy(to + text * sizeof narrow, &narrow, sizeof narrow);
}

enum { TEXTS_AHEAD = 8 };

static void write_texts(struct writing *w, const struct pack_field *f, const struct vector *v)
{
    const struct vector *base = vector_values(v);
    const uint32_t *numbers = w->p->dicts != NULL ? w->p->numbers + (size_t)f->text * BATCH_ROWS : NULL;
    const uint32_t n = w->n, head = w->p->head, text = f->text;
    char *const *at = w->at;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t kept = numbers != NULL ? numbers[w->which[i]] : 0, from = w->ends[i], size = sizeof(uint16_t);
        if (kept > 0) {
            uint16_t number = (uint16_t)(kept - 1);
            memcpy(at[i] + from, &number, sizeof number);
        } else {
            struct str value = dict_text(v, base, w->rows[i]);
            if (i + TEXTS_AHEAD < n) dict_text_fetch(v, base, w->rows[i + TEXTS_AHEAD]);
            size = (uint32_t)value.size;
            memcpy(at[i] + from, value.data, size);
        }
        w->ends[i] = from + size;
        end_write(at[i] + head, (enum pack_form)w->forms[i], text, from + size, kept > 0);
    }
}

static void write_nulls(const struct writing *w, uint32_t field, const struct vector *v)
{
    const struct pack_field *f = &w->p->fields[field];
    bool may_be_null = w->p->has_nulls;

    for (uint32_t i = 0; i < w->n; i++) {
        if (!vector_is_null(v, w->rows[i])) continue;
        ASSERT(may_be_null); /* its bit would be another's */
        w->at[i][(field + 1) / 8] |= (char)(1u << ((field + 1) % 8));
        bool is_narrow = f->is_narrow && w->forms[i] == PACK_NARROW;
        if (!f->is_text) memset(w->at[i] + f->offset[w->forms[i]], 0, is_narrow ? sizeof(uint32_t) : f->width);
    }
}

/* The bits: none is NULL yet. */
static void heads_write(struct writing *w, const struct pack_source *from)
{
    const struct pack *p = w->p;

    for (uint32_t i = 0; i < w->n; i++) {
        w->rows[i] = from->rows[w->which[i]];
        w->forms[i] = p->forms[w->which[i]];
        w->ends[i] = p->fixed[w->forms[i]];
        if (p->head > 0) w->at[i][0] = (char)(w->forms[i] == PACK_WIDE);
        for (uint32_t k = 1; k < p->head; k++) w->at[i][k] = 0;
    }
}

void pack_write(const struct pack *p, const struct pack_source *from, const uint16_t *which, uint32_t n, char *const *at)
{
    struct writing w = {.p = p, .n = n, .which = which, .at = at};

    ASSERT(n <= PACK_ROWS);
    heads_write(&w, from);
    for (uint32_t f = 0; f < p->field_count; f++) {
        const struct pack_field *field = &p->fields[f];
        const struct vector *v = &from->batch->cols[from->cols[f]];
        ASSERT(v->form != VEC_ABSENT && vector_values(v)->phys == field->phys);
        if (field->is_text) write_texts(&w, field, v);
        else write_values(&w, field, v);
        if (vector_values(v)->validity != NULL) write_nulls(&w, f, v);
    }
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
static inline int64_t narrow_value(const struct pack *p, const struct pack_field *f, const char *row)
{
    int64_t value;
    uint32_t narrow;

    if (UNLIKELY(pack_form_of(p, row) == PACK_WIDE)) {
        memcpy(&value, row + f->offset[PACK_WIDE], sizeof value);
        return value;
    }
    memcpy(&narrow, row + f->offset[PACK_NARROW], sizeof narrow);
    return (int64_t)((uint64_t)f->base + narrow);
}

#define LOAD_LOOP(T)                                                                                                   \
    for (uint32_t i = 0; i < count; i++)                                                                               \
        if (rows[i] != NULL)                                                                                           \
            memcpy(&VECTOR_VALUES(v, T)[first + i], (const char *)rows[i] + f->offset[pack_form_of(p, rows[i])], sizeof(T))

static void load_values(const struct pack *p, const struct pack_field *f, const void *const *rows, uint32_t count, struct vector *v,
                        uint32_t first)
{
    if (f->is_narrow) {
        const struct pack_field field = *f; /* what is written could be the base, for all that the compiler knows */
        for (uint32_t i = 0; i < count; i++)
            if (rows[i] != NULL) VECTOR_VALUES(v, int64_t)[first + i] = narrow_value(p, &field, rows[i]);
        return;
    }
    switch (f->width) {
    case 1: LOAD_LOOP(uint8_t); break;
    case 2: LOAD_LOOP(uint16_t); break;
    case 4: LOAD_LOOP(uint32_t); break;
    case 8: LOAD_LOOP(uint64_t); break;
    default: LOAD_LOOP(int128); break;
    }
}

/* As pack_text, most rows being narrow. A string that is kept once is there as it is to be. */
static void load_texts(const struct pack *p, const struct pack_field *f, const void *const *rows, uint32_t count, struct vector *v,
                       uint32_t first)
{
    const uint32_t head = p->head, fixed = p->fixed[PACK_NARROW], text = f->text;
    const struct text *kept = p->dicts != NULL ? p->dicts[text].strings : NULL;
    struct text *to = &VECTOR_VALUES(v, struct text)[first];

    for (uint32_t i = 0; i < count; i++) {
        const char *row = rows[i];
        uint16_t ends[2] = {(uint16_t)fixed, 0}, number;
        if (row == NULL) continue;
        if (text == 0) memcpy(&ends[1], row + head, sizeof ends[1]);
        else memcpy(ends, row + head + (text - 1) * sizeof ends[0], sizeof ends);
        uint32_t from = ends[0] & ~PACK_NARROW_REFERS;
        if (UNLIKELY((row[0] & 1) != 0)) {
            struct str value = pack_text(p, row, f);
            to[i] = text_view(value.data, value.size);
        } else if ((ends[1] & PACK_NARROW_REFERS) != 0) {
            memcpy(&number, row + from, sizeof number);
            to[i] = kept[number];
        } else {
            to[i] = text_view(row + from, ends[1] - from);
        }
    }
}

void pack_load(const struct pack *p, const void *const *rows, uint32_t count, uint32_t field, struct vector *v, uint32_t first)
{
    const struct pack_field *f = &p->fields[field];

    ASSERT(field < p->field_count && v->form == VEC_FLAT && first + count <= v->capacity && f->phys == v->phys);
    if (f->is_text) load_texts(p, f, rows, count, v, first);
    else load_values(p, f, rows, count, v, first);
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
    } else if (f->is_narrow) {
        int64_t number = narrow_value(p, f, row);
        memcpy(value, &number, sizeof number);
    } else {
        memcpy(value, (const char *)row + f->offset[pack_form_of(p, row)], f->width);
    }
    return vector_compare(&one, 0, v, at);
}
