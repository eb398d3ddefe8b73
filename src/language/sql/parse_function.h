/* parse_function.h - what CREATE FUNCTION and ALTER FUNCTION share. */
#pragma once
#include "language/sql/parse_internal.h"
#include "language/sql/statement.h"

enum status parse_implementation(struct parser *p, struct define_function *f) CHECKED; /* AS 'class' [LANGUAGE x] */
void print_function_kind(const struct define_function *f, struct buf *out);  /* "TEMPORARY SYSTEM FUNCTION " */
void print_implementation(const struct define_function *f, struct buf *out); /* with the name before it */
