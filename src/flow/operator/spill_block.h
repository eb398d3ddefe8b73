/* spill_block.h - rows of a batch as a block of a file that this process writes and reads again: a header of two sizes, then the rows
 * (batch_codec.h), packed by LZ4 where that is asked for and saves something. Whoever has a file writes what spill_block_encode says,
 * and reads SPILL_HEADER bytes, then as many as the header says. */
#pragma once
#include "columns/column/batch.h"

enum { SPILL_HEADER = 8 };

struct spill_block {
    struct buf rows, packed;
    uint32_t size, stored; /* of the block that is read: of its rows, and in the file */
};

void spill_block_init(struct spill_block *b, struct mem *mem);
void spill_block_release(struct spill_block *b);
/* The bytes of the file; good until the next call. E_BUDGET: they are more than 4 GB. */
enum status spill_block_encode(struct spill_block *b, const struct batch *rows, bool packs, struct str *bytes, struct err *e) CHECKED;
/* Where the b->stored bytes behind the header go. E_DATA: it is none. */
enum status spill_block_begin(struct spill_block *b, const char header[SPILL_HEADER], char **bytes,
                              struct err *e) CHECKED;
/* They are there: into an empty batch of the same columns. */
enum status spill_block_decode(struct spill_block *b, struct batch *rows, struct err *e) CHECKED;
