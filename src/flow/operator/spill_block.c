/* spill_block.c - see the header. The block is [u32 size of the rows][u32 size in the file] and that many bytes: packed when it is less
 * than the rows, else the rows themselves. */
#include "flow/operator/spill_block.h"

#include "columns/column/batch_codec.h"
#include "ground/base/squeeze.h"

#include <string.h>

void spill_block_init(struct spill_block *b, struct mem *mem)
{
    buf_init(&b->rows, mem);
    buf_init(&b->packed, mem);
}

void spill_block_release(struct spill_block *b)
{
    buf_release(&b->rows);
    buf_release(&b->packed);
}

static void sizes_put(struct buf *b, uint32_t size, uint32_t stored)
{
    memcpy(b->data, &size, sizeof size);
    memcpy((char *)b->data + sizeof size, &stored, sizeof stored);
}

/* Packed behind a header; answers 0 when that saves nothing. */
static uint32_t rows_pack(struct spill_block *b, uint32_t size)
{
    buf_clear(&b->packed);
    buf_reserve(&b->packed, SPILL_HEADER);
    b->packed.size = SPILL_HEADER;
    bool is_less = squeeze((struct str){b->rows.data + SPILL_HEADER, size}, &b->packed);
    return is_less ? (uint32_t)(b->packed.size - SPILL_HEADER) : 0;
}

enum status spill_block_encode(struct spill_block *b, const struct batch *rows, bool packs, struct str *bytes, struct err *e)
{
    buf_clear(&b->rows);
    enc_u32(&b->rows, 0);
    enc_u32(&b->rows, 0);
    batch_encode(rows, &b->rows);
    if (b->rows.size > UINT32_MAX) return err_set(e, E_BUDGET, "%u rows of %zu bytes: more than a file takes at once", batch_rows(rows), b->rows.size);
    uint32_t size = (uint32_t)(b->rows.size - SPILL_HEADER), stored = packs ? rows_pack(b, size) : 0;
    struct buf *out = stored > 0 ? &b->packed : &b->rows;

    if (stored == 0) stored = size;
    sizes_put(out, size, stored);
    *bytes = (struct str){(const char *)out->data, SPILL_HEADER + stored};
    return S_OK;
}

static enum status cut_off(struct err *e)
{
    return err_set(e, E_DATA, "a file of rows that were written for a while was cut off");
}

enum status spill_block_begin(struct spill_block *b, const char header[SPILL_HEADER], char **bytes, struct err *e)
{
    memcpy(&b->size, header, sizeof b->size);
    memcpy(&b->stored, header + sizeof b->size, sizeof b->stored);
    if (b->size == 0 || b->stored == 0 || b->stored > b->size) return cut_off(e);
    struct buf *to = b->stored < b->size ? &b->packed : &b->rows;
    buf_clear(to);
    buf_reserve(to, b->stored);
    *bytes = (char *)to->data;
    return S_OK;
}

enum status spill_block_decode(struct spill_block *b, struct batch *rows, struct err *e)
{
    struct dec d;

    if (b->stored < b->size) {
        buf_clear(&b->rows);
        buf_reserve(&b->rows, b->size);
        if (!unsqueeze((struct str){b->packed.data, b->stored}, b->rows.data, b->size)) return cut_off(e);
    }
    dec_init(&d, b->rows.data, b->size);
    return batch_decode(&d, rows, e);
}
