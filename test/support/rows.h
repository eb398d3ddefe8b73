/* rows.h - rows as text, for tests: one line is one row.
 *
 * "+U @1000 1 | a b | null | [1, 2] | {k=1} | (1, x)": kind and event time may be left out (insert, none); fields are
 * separated by |; values as they are printed, arrays [..], maps {k=v}, rows (..), bytes as text, timestamps and dates
 * in SQL form, intervals as the number of months or ms. A string that holds one of |,[]{}()= or a quote, or that has
 * spaces at its ends, stands between double quotes. `null` is NULL. */
#pragma once
#include "columns/column/batch.h"

/* The type of the text; fails the test when it does not parse. */
const struct type *rows_type(struct arena *a, const char *text);
/* Appends the lines of text to b; fails the test on a value that does not read. */
void rows_add(struct batch *b, const char *text);
/* A new batch of that schema with those rows. */
struct batch *rows_batch(const struct type *schema, struct mem *mem, const char *text);
/* The selected rows as batch_print_row prints them, one per line with a newline each; lives in `out`. */
const char *rows_text(const struct batch *b, struct buf *out);
