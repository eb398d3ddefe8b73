/* gateway_type.h - types as a gateway writes them: {"type": "DECIMAL", "nullable": false, "precision": 38, "scale": 18}. */
#pragma once
#include "columns/column/type.h"

/* *as_json: values of the type come as JSON, so that they can be read. Else it is a type that is only there as text: STRING. */
enum status gateway_type(struct str json, struct arena *a, const struct type **out, bool *as_json,
                         struct err *e) CHECKED;
