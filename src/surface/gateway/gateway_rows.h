/* gateway_rows.h - pages of a gateway's result as batches. */
#pragma once
#include "flow/format/format.h"

struct gateway_rows {
    struct mem *mem;
    const struct type *row;        /* the columns; names may repeat */
    bool as_json;                  /* else every column is text as the gateway shows it */
    const struct fmt_type *format; /* that reads values; NULL: closed */
    void *decoder;
    struct batch *batch;
    struct buf record;
};

typedef enum status (*gateway_batch_fn)(void *arg, const struct batch *b, struct err *e);

/* columns: of "results"; as_text: rows are not asked for as JSON, whatever their types. */
enum status gateway_rows_open(struct gateway_rows *r, struct str columns, bool as_text, struct arena *a,
                              struct mem *mem, struct err *e) CHECKED;
void gateway_rows_close(struct gateway_rows *r); /* also when it is cleared */
/* data: of "results"; batches are handed to fn, none when there is no row. */
enum status gateway_rows_give(struct gateway_rows *r, struct str data, gateway_batch_fn fn, void *arg,
                              struct err *e) CHECKED;
