/* values.h - rows that were given in the program, as bytes: what tw_from_data puts into a job graph and the connector
 * `values` reads. One row after another; per column a byte (0 = NULL, 1 = a value) and the value: numbers as zigzag, floats
 * as their bits, text as length and bytes, TIMESTAMP(7..9) as zigzag ms and varint ns, DECIMAL above 18 digits as its low
 * and high 64 bits. ARRAY, MAP and MULTISET are their count as a varint and the elements (key, value, key, value ..), ROW
 * its fields, each of them again a byte and the value. */
#pragma once
#include "columns/column/batch.h"
#include "ground/base/codec.h"

/* E_UNSUPPORTED names the first column that cannot be encoded. */
enum status values_check(const struct type *row, struct err *e) CHECKED;
/* Appends all rows of a FLAT batch. */
void values_encode(const struct batch *b, struct buf *out);
/* Appends one row to b, which has room; ABSENT columns are read past. Bytes that do not read fail the decoder. */
void values_decode_row(struct dec *d, struct batch *b);
