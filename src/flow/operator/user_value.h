/* user_value.h - C values of the user in rows of state: what tw_value_set and friends write, accumulators, keys of maps.
 *
 * A value is described by SQL text (one C value; for ROW<...> a struct in declaration order, laid out as the compiler does,
 * or the described struct that a bare ROW stands for) or by a row type. Without a null mask nothing is NULL, and the stored
 * columns say NOT NULL. */
#pragma once
#include <thalweg/row.h>

#include "columns/column/cform.h"
#include "flow/state/view.h"

struct tw_context;

struct user_value_field {
    uint32_t offset; /* in the C value */
    uint8_t phys;
    const struct cform *form; /* of nested values, else NULL */
};

struct user_value {
    const struct type *type; /* T_ROW: what is stored */
    uint32_t size;           /* of the C value */
    uint32_t null_offset;    /* ROWCONV_NO_NULLS when there is no mask */
    uint32_t field_count, string_count, nested_count;
    bool must_check;         /* a C value can be wrong: user_value_check */
    bool is_key;             /* stored in the one form that equal values share */
    const struct cform *form;
    const struct user_value_field *fields;
};

/* Whose row it is, and so where strings go. All NULL: a probe row (row.h), whose strings stay where they are. */
struct user_home {
    struct view *view;
    struct opstate *opstate;
    struct state_table *table;
    int64_t ns; /* with table */
};

/* E_GRAPH for text that is no type, E_UNSUPPORTED for types that have no C form. row: what a bare ROW stands for, or NULL. */
enum status user_value_of_text(struct arena *a, const char *text, const struct tw_row *row, struct user_value *out,
                               struct err *e) CHECKED;
/* The same for a key of a map. */
enum status user_value_of_key(struct arena *a, const char *text, const struct tw_row *row, struct user_value *out,
                              struct err *e) CHECKED;
enum status user_value_of_row(struct arena *a, const struct tw_row *row, struct user_value *out, struct err *e) CHECKED;

/* Can it be stored? E_DATA with a sentence; S_OK at once for values that cannot be wrong. */
enum status user_value_check(const struct user_value *v, const void *value, const char **why) CHECKED;
/* The same for what the user's function has just made; the failure of the job when not. */
enum status user_value_accept(struct tw_context *cx, const struct user_value *v, const void *value) CHECKED;
/* Row of state -> C value. Strings point into the state, items of nested values into it or `items`. */
void user_value_load(const struct user_value *v, const struct state_layout *l, const struct user_home *home, const void *row,
                     void *value, struct arena *items);
/* C value -> row of state. It was checked. What it points to may lie in the row itself; scratch holds that meanwhile. */
void user_value_store(const struct user_value *v, const struct state_layout *l, const struct user_home *home, void *row,
                      const void *value, struct arena *scratch);
