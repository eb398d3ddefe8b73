/* user_row.h - row types of user functions against columns, and what operators of functions check at graph time. No
 * instance is needed for any of it. Part of user.h. */
#pragma once
#include <thalweg/function.h>

#include "columns/column/rowconv.h"
#include "flow/operator/op.h"

/* --- rows (user_bind.c) ---------------------------------------------------------------------------------------------- */
/* A row type of the user against the columns of a stream; bit i of the null mask = field i, the mask not counted. */
struct user_row {
    const struct tw_row *row;    /* NULL: nothing is bound */
    const struct type *schema;   /* T_ROW of the columns */
    const struct cform *form;    /* of the struct */
    struct rowconv conv;
    const uint32_t *strings;     /* fields (of conv) that are strings */
    uint32_t string_count, nested_count;
};

/* The columns that a row type stands for. A field is nullable when the row has a null mask and its text lacks NOT NULL. */
enum status user_row_type(struct arena *a, const struct tw_row *row, const struct type **out, struct err *e) CHECKED;
/* Finds each field among the columns by name. E_GRAPH naming the field, both types, and the nearest column of `stream`
 * (its name for messages, may be NULL). */
enum status user_row_bind(struct arena *a, const struct tw_row *row, const struct type *schema, const char *stream, struct user_row *out,
                          struct err *e) CHECKED;
/* The same, field f being column cols[f]; names do not matter. */
enum status user_row_bind_at(struct arena *a, const struct tw_row *row, const struct type *schema, const uint32_t *cols,
                             struct user_row *out, struct err *e) CHECKED;
/* Sets the bits of the columns that the row type names; for op_type.needs. row NULL sets nothing. */
void user_row_needs(const struct tw_row *row, const struct type *schema, uint64_t *needed);
void user_cols_needs(const uint32_t *cols, uint32_t count, uint64_t *needed);
uint32_t user_row_fields(const struct tw_row *row); /* the null mask not counted */
/* Do both describe the same C struct? A TW_ROW in a header is an object of its own in every file that includes it, so it
 * is names, types, places and sizes of the fields that count; what the struct is called does not. NULL equals only NULL. */
bool user_rows_equal(const struct tw_row *a, const struct tw_row *b);

/* --- graph time (user_derive.c) ---------------------------------------------------------------------------------------- */
/* E_GRAPH when the function is missing or has not set the hook. */
enum status user_need_hook(const struct function_ref *f, bool is_set, const char *hook, struct err *e) CHECKED;
/* Checks fn->in (input 0) or fn->in2 (input 1) against the plan's input; NULL is an error when `required`. */
enum status user_derive_in(const struct op_plan *plan, uint32_t input, const struct function_ref *f, bool required, struct err *e) CHECKED;
/* plan->outputs[0] = columns of fn->out, then the side outputs; answers the number of ports. E_GRAPH without fn->out. */
enum status user_derive_out(struct op_plan *plan, const struct function_ref *f, struct err *e) CHECKED;
/* Appends a port per side output of the function. */
enum status user_derive_sides(struct op_plan *plan, const struct function_ref *f, struct err *e) CHECKED;
/* fn->key against the key columns, and the declared states: kinds that this operator can hold, types that can be kept. */
enum status user_derive_state(struct op_plan *plan, const struct function_ref *f, bool broadcast, struct err *e) CHECKED;
/* Two inputs that are keyed alike, or neither. */
enum status user_derive_pair(const struct op_plan *plan, struct err *e) CHECKED;
/* Columns of an input that is passed on with columns added behind or none: what the output needs of it. NULL = all. */
void user_pass_needs(const struct op_plan *plan, uint32_t input, const uint64_t *output, uint64_t *needed);
/* T_ROW of the key columns of an input, named as there. */
const struct type *user_key_type(struct arena *a, const struct op_plan *plan, uint32_t input);
