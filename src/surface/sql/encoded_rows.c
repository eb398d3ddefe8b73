/* encoded_rows.c - see the header. */
#include "surface/sql/encoded_rows.h"

#include <string.h>

enum { ENCODER_ALIGNMENT = 64 };

enum status encoded_open(struct encoded_rows *r, struct view *v, const char *format, struct err *e)
{
    struct format_config c = {.schema = v->row, .mem = v->mem, .name = "result"};

    TRY(format_find(format, &r->format, e));
    void *encoder = mem_alloc_aligned(v->mem, r->format->encoder_size, ENCODER_ALIGNMENT);
    memset(encoder, 0, r->format->encoder_size);
    enum status st = r->format->encoder_open(encoder, &c, e);
    if (st == S_OK) r->encoder = encoder;
    else mem_free(v->mem, encoder);
    return st;
}

enum status encoded_put(struct encoded_rows *r, struct view *v, const struct batch *b, uint32_t row, struct err *e)
{
    return r->format->encode_row(r->encoder, b, row, &v->out, e);
}

void encoded_close(struct encoded_rows *r, struct view *v)
{
    if (r->encoder == NULL) return;
    r->format->encoder_close(r->encoder);
    mem_free(v->mem, r->encoder);
    r->encoder = NULL;
}
