/* bind_json.h - arguments of JSON_OBJECT and JSON_ARRAY, and of their aggregates. */
#pragma once
#include "language/sql/bind.h"

bool bind_is_json(const struct ast_expr *x);
enum status bind_json(struct binder *b, const struct ast_expr *x, struct expr ***out, uint32_t *count) CHECKED;
/* The values of a call without the words between them; how many there are, of which `most` are told. *absent: what NULL ON NULL and
 * ABSENT ON NULL say, else it stays. */
uint32_t bind_json_values(const struct ast_expr *x, const struct ast_expr **out, uint32_t most, bool *absent);
/* A value as its JSON text; NULL for NULL. */
enum status bind_json_text(struct binder *b, const struct ast_expr *x, struct expr **out) CHECKED;
