/* type_internal.h - what the files of type share. */
#pragma once
#include "columns/column/type.h"

/* Does the kind carry a precision or length? */
bool type_has_precision(enum type_kind kind);
/* Is (precision, scale) within what the kind allows? Always true for kinds without. */
bool type_precision_ok(enum type_kind kind, int32_t precision, int32_t scale);
