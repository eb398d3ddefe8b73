/* unnest.h - the configuration of the operator `unnest`, which plans of SQL fill. */
#pragma once
#include "flow/operator/op.h"

struct unnest_config {
    struct str list; /* expr_encode of an ARRAY, MAP or MULTISET over the input */
    struct text_list
        names;       /* of the columns that are added: the element or its fields, key and value; then the ordinal */
    bool ordinality; /* an INT column that counts the elements of a row from 1 */
    bool left;       /* a row without elements comes once, with NULLs */
    struct str condition; /* expr_encode over all columns: which elements count; empty: all */
    const char *zone;
};

/* The types of the columns that elements of such a type become; answers how many, 0: it has no elements. Room for
 * TYPE_FIELDS_MAX. */
uint32_t unnest_types(const struct type *list, const struct type **out);
/* Their names where nobody names them. */
const char *unnest_name(const struct type *list, uint32_t i);
