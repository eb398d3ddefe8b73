/* user_value.h - C values of the user in rows of state: what tw_value_set and friends write, accumulators, keys of maps.
 *
 * A value is described by SQL text (one plain C value, or for ROW<...> a struct in declaration order, laid out as the
 * compiler does) or by a row type. Without a null mask nothing is NULL, and the stored columns say NOT NULL. */
#pragma once
#include <thalweg/row.h>

#include "flow/state/view.h"

struct user_value_field {
    uint32_t offset; /* in the C value */
    uint8_t phys;
};

struct user_value {
    const struct type *type; /* T_ROW: what is stored */
    uint32_t size;           /* of the C value */
    uint32_t null_offset;    /* ROWCONV_NO_NULLS when there is no mask */
    uint32_t field_count, string_count;
    const struct user_value_field *fields;
};

/* Whose row it is, and so where strings go. All NULL: a probe row (row.h), whose strings stay where they are. */
struct user_home {
    struct view *view;
    struct opstate *opstate;
    struct state_table *table;
    int64_t ns; /* with table */
};

/* E_GRAPH for text that is no type, E_UNSUPPORTED for types that have no C form. */
enum status user_value_of_text(struct arena *a, const char *text, struct user_value *out, struct err *e) CHECKED;
enum status user_value_of_row(struct arena *a, const struct tw_row *row, struct user_value *out, struct err *e) CHECKED;

/* Row of state -> C value. Strings point into the state. */
void user_value_load(const struct user_value *v, const struct state_layout *l, const struct user_home *home, const void *row, void *value);
/* C value -> row of state. The value's strings may point into the row itself; scratch holds them meanwhile. */
void user_value_store(const struct user_value *v, const struct state_layout *l, const struct user_home *home, void *row,
                      const void *value, struct arena *scratch);
