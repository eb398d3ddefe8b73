/* arrow_abi.h - batches through the Arrow C data interface. The two structs below are that interface's ABI. */
#pragma once
#include "columns/column/batch.h"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

/* Exports copies that outlive the batch; released by the consumer through `release`, from any thread that owns mem. */
enum status arrow_export_schema(const struct type *row, struct mem *mem, struct ArrowSchema *out, struct err *e) CHECKED;
enum status arrow_export_batch(const struct batch *b, struct mem *mem, struct ArrowArray *out, struct err *e) CHECKED;
/* Builds the row type for a schema; unsupported formats are refused by name. */
enum status arrow_import_schema(struct arena *a, const struct ArrowSchema *in, const struct type **row, struct err *e) CHECKED;
/* Copies rows [first, first+n) of a struct array into an empty batch of that row type. Does not release. */
enum status arrow_import_rows(const struct ArrowArray *in, const struct ArrowSchema *schema, int64_t first, uint32_t n,
                              struct batch *out, struct err *e) CHECKED;
