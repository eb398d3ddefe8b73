/* batch_codec.h - rows of a batch as bytes, column by column: for files that this process writes and reads again, and for blocks of saved
 * state, of which docs/formats/state_chunk.md says what they are. Reading takes any bytes. */
#pragma once
#include "columns/column/batch.h"
#include "ground/base/codec.h"

/* Appends all rows of a batch without a selection, whose columns are FLAT or ABSENT: values, kinds, times. */
void batch_encode(const struct batch *b, struct buf *out);
/* Fills an empty batch of the same columns. E_DATA: these are no such bytes. */
enum status batch_decode(struct dec *d, struct batch *b, struct err *e) CHECKED;
