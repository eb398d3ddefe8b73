/* cform.h - the C form of a type: how a value lies in a user's struct, nested values included, and moving such values
 * to and from columns. A form is made once from type text (and, for a ROW, the user's description of its struct).
 *
 * In C: ARRAY struct tw_array {items, nulls, count}, items being C values of the element type side by side; MAP and
 * MULTISET (element, INT count) struct tw_map {keys, values, value_nulls, count}; ROW the struct itself, with the plain
 * layout of its fields in order or as described by a struct tw_row; DECIMAL above 18 digits struct tw_decimal. Keys of
 * maps, elements of multisets, and fields of a ROW without mask have no place for NULL: they are NOT NULL here. */
#pragma once
#include <thalweg/row.h>

#include "columns/column/batch.h"

#define CFORM_NO_NULLS UINT32_MAX

enum {
    CFORM_DEPTH_MAX = 16,                  /* of types in C; also what ends a description that contains itself */
    CFORM_ELEMENTS_MAX = 16 * 1024 * 1024, /* of one array or map, those of arrays inside it counted */
    CFORM_STRUCT_MAX = 64 * 1024
};

struct cform;
struct cform_child {
    const struct cform *form;
    uint32_t offset; /* ROW: of the field in the struct */
};

struct cform {
    const struct type *type; /* as the C form can hold it: NOT NULL where there is no place for NULL */
    uint32_t size, align;    /* of the C value; elements of arrays lie `size` apart */
    uint32_t null_offset;    /* ROW: of the uint64 null mask (bit i = field i), or CFORM_NO_NULLS */
    uint32_t child_count;    /* ROW: fields; ARRAY 1; MAP, MULTISET 2 */
    const struct cform_child *children;
};

static inline bool cform_is_nested(const struct cform *f) { return f->child_count > 0 || f->type->phys == P_ROW; }

/* From type text, in which a bare ROW stands for `row` ("ARRAY<ROW>"; NULL = there is none). E_UNSUPPORTED naming what has
 * no C form, E_GRAPH for text that is no type and a description that is wrong. */
enum status cform_parse(struct arena *a, const char *text, const struct tw_row *row, const struct cform **out,
                        struct err *e) CHECKED;
/* The form of a described struct, a ROW NOT NULL; checks names, sizes and the mask. */
enum status cform_of_row(struct arena *a, const struct tw_row *row, const struct cform **out, struct err *e) CHECKED;

/* Value `row` of v (not NULL, any form) as a C value. Strings point into the vector, items into it or into a. E_DATA
 * for a NULL inside where there is no place for it. */
enum status cform_read(const struct cform *f, const struct vector *v, uint32_t row, void *value,
                       struct arena *a) CHECKED;
/* The other way, into row `at` of a FLAT vector; everything is copied. The value passed cform_check. E_DATA when a list
 * column would hold more than 2^31 - 1 elements: CFORM_FULL is the sentence for it. */
enum status cform_write(const struct cform *f, const void *value, struct vector *v, uint32_t at, struct text_heap *heap,
                        struct mem *mem) CHECKED;
#define CFORM_FULL "the arrays and maps of one column hold more than 2147483647 elements in one batch; emit fewer or shorter ones"
void cform_write_null(struct vector *v, uint32_t at); /* asserts a nullable type */
/* Is it a value at all? E_DATA with a sentence in *why: counts without items, NULL where the type says NOT NULL, .. */
enum status cform_check(const struct cform *f, const void *value, const char **why) CHECKED;
/* Makes the value its own: strings and items move to a. The value passed cform_check. */
void cform_hold(const struct cform *f, void *value, struct arena *a);

/* Null bits as C values have them: set = NULL; NULL pointer = nothing is. */
static inline bool cform_null(const uint64_t *nulls, uint32_t i) { return nulls && (nulls[i >> 6] >> (i & 63) & 1); }
/* What is in a struct tw_array or tw_map: one run of elements (keys), or a second one beside it (values). */
struct cform_runs {
    uint32_t count;
    const void *items[2];
    const uint64_t *nulls[2];
};
struct cform_runs cform_runs_get(const struct cform *f, const void *value);
void cform_runs_put(const struct cform *f, const struct cform_runs *r, void *value);

bool cform_field_null(const struct cform *f, const void *value, uint32_t field); /* of a ROW */
