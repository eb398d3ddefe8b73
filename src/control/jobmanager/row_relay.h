/* row_relay.h - rows of a job whose tasks run in other processes, on their way to the program that wants them: workers bring batches as
 * bytes (columns/column/batch_codec.h), the program fetches them by REST. Everything may be called from any thread.
 *
 * Each receiver has a sequence of batches that are numbered from 0. A fetch names the first number that it wants, which says that all
 * before it have arrived: so what is lost on the way is fetched once more, and no batch is given twice. The version says which attempt
 * numbered them: another attempt begins at 0 again. */
#pragma once
#include "ground/base/err.h"
#include "ground/base/str.h"
#include "ground/sys/sys.h"

struct row_relay;

enum {
    ROW_RELAY_BATCH_MAX = 64 * 1024 * 1024, /* bytes of one batch; it comes in pieces */
    ROW_RELAY_PIECE_MAX = 4 * 1024 * 1024,
    ROW_RELAY_UNTAKEN_MAX = 2 * 1024 * 1024 /* a worker sends no more before the program has taken some, but for one batch */
};

struct row_relay *row_relay_create(struct sys *sys);
void row_relay_free(struct row_relay *r); /* NULL is a no-op */
/* An attempt begins: what is left of the one before goes. */
void row_relay_begin(struct row_relay *r, uint64_t version);
/* A piece of a batch; pieces of one worker and receiver come in order. E_BUDGET: the batch is too large. */
enum status row_relay_put(struct row_relay *r, uint32_t worker, int64_t receiver, struct str piece, bool is_last,
                          struct err *e) CHECKED;

struct row_fetch {
    int64_t receiver;
    uint64_t version, from; /* in: of the fetch before, 0 at first; out: what is given now */
    size_t bytes_max;       /* one batch is given whatever its size is */
    void (*batch)(void *arg, struct str bytes); /* called in order, under the relay's lock */
    /* That much of that worker's has arrived where it belongs. */
    void (*taken)(void *arg, uint32_t worker, uint64_t bytes);
    void *arg;
};
void row_relay_fetch(struct row_relay *r, struct row_fetch *f);
