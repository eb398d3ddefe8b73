/* bind_json.h - arguments of JSON_OBJECT and JSON_ARRAY. */
#pragma once
#include "language/sql/bind.h"

bool bind_is_json(const struct ast_expr *x);
enum status bind_json(struct binder *b, const struct ast_expr *x, struct expr ***out, uint32_t *count) CHECKED;
