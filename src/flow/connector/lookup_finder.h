/* lookup_finder.h - an instance of a connector that finds rows by their keys (lookup.h), with what a plan has above the table: which of
 * the rows are wanted, and what of them. A task has one; so has each helper's job where finding waits. */
#pragma once
#include "flow/connector/lookup_table.h"

/* What was found of the selected keys: values of the columns of spec.row; rows[i] belongs to key of[i] (0 = the first selected one).
 * Rows of a key come in order, those of the first key first. */
typedef void (*lookup_taker)(void *arg, const struct vector *const *values, const uint16_t *rows, const uint16_t *of, uint32_t n);

/* The connector has such keys, whatever becomes of the rows. */
typedef void (*lookup_seer)(void *arg, const uint16_t *of, uint32_t n);

struct lookup_finder;
/* Memory and errors are those of `op`; the spec lives as long. */
enum status lookup_finder_create(struct op_cx *op, const struct lookup_spec *spec, struct lookup_finder **out) CHECKED;
void lookup_finder_free(struct lookup_finder *f); /* NULL is a no-op */
/* Rows of the selected keys, rows of spec.key_row. Blocks where the connector does. */
enum status lookup_finder_find(struct lookup_finder *f, const struct batch *keys, lookup_taker take, lookup_seer see, void *arg) CHECKED;
