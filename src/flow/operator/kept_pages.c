/* kept_pages.c - a file of batches, written once each, in the order in which they left memory.
 *
 * Which batch leaves is told by when it was looked at last: rows of a frame are read front to back again and again, and a few places
 * far apart are read side by side. The latest batch, which is being filled, stays.
 *
 * kept_rows_at has no status: when a batch cannot be read it answers another one, and who reads on asks `failed` before anything of
 * that goes out. Not here: which rows are where (kept_rows.c). */
#include "flow/operator/kept_pages.h"

#include "flow/operator/kept_rows.h"

#include <string.h>

struct kept_pages *kept_pages_create(struct op_cx *cx, const struct spill_config *spill)
{
    struct kept_pages *p = mem_zalloc(cx->mem, sizeof *p);

    p->cx = cx;
    p->spill = spill;
    spill_block_init(&p->block, cx->mem);
    return p;
}

static void file_drop(struct kept_pages *p)
{
    sys_file_close(p->cx->sys, p->file);
    if (p->path != NULL) {
        enum status ignored = sys_file_delete(p->cx->sys, p->path, NULL); /* what cannot be deleted is not missed */
        (void)ignored;
    }
    mem_free(p->cx->mem, p->path);
    p->path = NULL;
    p->file = NULL;
    p->size = p->at = 0;
}

void kept_pages_free(struct kept_pages *p)
{
    if (p == NULL) return;
    file_drop(p);
    spill_block_release(&p->block);
    mem_free(p->cx->mem, p->list);
    mem_free(p->cx->mem, p);
}

void kept_pages_clear(struct kept_pages *p)
{
    file_drop(p);
    p->in_memory = 0;
    p->bytes = 0;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */
static enum status file_at(struct kept_pages *p, int64_t at)
{
    if (p->file == NULL) {
        p->path = spill_path(p->cx, p->spill, 0);
        TRY(sys_file_open(p->cx->sys, p->path, SYS_READ | SYS_WRITE | SYS_CREATE | SYS_EXCLUSIVE, &p->file,
                          p->cx->err));
    }
    if (p->at != at) TRY(sys_file_seek(p->cx->sys, p->file, at, p->cx->err));
    p->at = at;
    return S_OK;
}

static enum status page_write(struct kept_pages *p, struct kept_page *page, const struct batch *b)
{
    struct str bytes;

    if (page->size > 0) return S_OK; /* it has been written, and never changes */
    TRY(spill_block_encode(&p->block, b, p->spill->packs, &bytes, p->cx->err));
    TRY(file_at(p, p->size));
    TRY(sys_file_write(p->cx->sys, p->file, bytes.data, bytes.size, p->cx->err));
    page->at = p->size;
    page->size = (uint32_t)bytes.size;
    p->size += page->size;
    p->at = p->size;
    return S_OK;
}

static enum status cut_off(struct kept_pages *p) { return err_set(p->cx->err, E_DATA, "a file of rows of a partition was cut off"); }

static enum status bytes_read(struct kept_pages *p, char *to, size_t size)
{
    size_t got = 0, some = 1;

    for (; got < size && some > 0; got += some) TRY(sys_file_read(p->cx->sys, p->file, to + got, size - got, &some, p->cx->err));
    p->at += (int64_t)got;
    return got == size ? S_OK : cut_off(p);
}

static enum status page_read(struct kept_pages *p, const struct kept_page *page, struct batch *b)
{
    char header[SPILL_HEADER], *bytes;

    TRY(file_at(p, page->at));
    TRY(bytes_read(p, header, sizeof header));
    TRY(spill_block_begin(&p->block, header, &bytes, p->cx->err));
    TRY(bytes_read(p, bytes, p->block.stored));
    return spill_block_decode(&p->block, b, p->cx->err);
}

/* --- memory ------------------------------------------------------------------------------------------------------ */
static bool is_full(const struct kept_pages *p)
{
    return p->in_memory > KEPT_PAGES_MIN && p->bytes > (size_t)p->spill->memory;
}

/* The batch that was looked at least recently leaves memory: *out can be filled anew. */
static enum status page_leave(const struct kept_rows *k, struct batch **out)
{
    struct kept_pages *p = k->pages;
    uint32_t oldest = UINT32_MAX;

    for (uint32_t i = 0; i + 1 < k->batch_count; i++)
        if (k->batches[i] != NULL && (oldest == UINT32_MAX || p->list[i].used < p->list[oldest].used)) oldest = i;
    ASSERT(oldest != UINT32_MAX);
    struct batch *b = k->batches[oldest];
    enum status st = page_write(p, &p->list[oldest], b);
    if (st != S_OK) return spill_fail(p->cx, p->spill, st);
    p->bytes -= batch_bytes(b);
    p->in_memory--;
    k->batches[oldest] = NULL;
    batch_clear(b);
    *out = b;
    return S_OK;
}

enum status kept_pages_next(struct kept_rows *k, struct batch **out)
{
    struct kept_pages *p = k->pages;

    *out = NULL;
    if (k->batch_count > 0) p->bytes += batch_bytes(k->batches[k->batch_count - 1]);
    if (is_full(p)) TRY(page_leave(k, out));
    if (k->batch_count == p->capacity) {
        p->capacity = MAX(p->capacity * 2, 64u);
        p->list = mem_realloc(p->cx->mem, p->list, sizeof *p->list * p->capacity);
    }
    p->list[k->batch_count] = (struct kept_page){.used = ++p->tick};
    p->in_memory++;
    return S_OK;
}

static enum status page_fetch(const struct kept_rows *k, uint32_t i)
{
    struct kept_pages *p = k->pages;
    struct batch *b;

    TRY(page_leave(k, &b));
    k->batches[i] = b;
    p->in_memory++;
    enum status st = page_read(p, &p->list[i], b);
    p->bytes += batch_bytes(b);
    if (st == S_OK && b->count != k->firsts[i + 1] - k->firsts[i]) st = cut_off(p);
    return st;
}

struct batch *kept_pages_get(const struct kept_rows *k, uint32_t i)
{
    struct kept_pages *p = k->pages;

    if (k->batches[i] == NULL && p->failed == S_OK) p->failed = page_fetch(k, i);
    if (p->failed != S_OK) i = k->batch_count - 1;
    p->list[i].used = ++p->tick;
    return k->batches[i];
}
