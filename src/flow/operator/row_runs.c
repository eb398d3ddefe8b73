/* row_runs.c - runs of sorted rows in files. A file is blocks (spill_block.h). Merging keeps a
 * block of each run in memory, and takes rows of one run as long as they stand before the next rows of all others; where the order says
 * nothing, those of an earlier run go first. */
#include "flow/operator/row_runs.h"

#include <stdio.h>
#include <string.h>

enum { FILES_LEAST = 2, FILES_MOST = 1024 };

void row_runs_init(struct row_runs *r, struct op_cx *cx, const struct spill_config *config, const struct type *schema, const uint64_t *needed,
                   const struct order_column *by, uint32_t by_count)
{
    *r = (struct row_runs){.cx = cx, .config = config, .schema = schema, .needed = needed, .by = by, .by_count = by_count};
    spill_block_init(&r->block, cx->mem);
}

static void readers_close(struct row_runs *r)
{
    for (uint32_t i = 0; i < r->reader_count; i++) {
        sys_file_close(r->cx->sys, r->readers[i].file);
        r->readers[i].file = NULL;
    }
    r->reader_count = r->heap_count = 0;
}

static void run_delete(struct row_runs *r, uint32_t i)
{
    enum status ignored = sys_file_delete(r->cx->sys, r->paths[i], NULL); /* what cannot be deleted is not missed */

    (void)ignored;
    mem_free(r->cx->mem, r->paths[i]);
}

void row_runs_release(struct row_runs *r)
{
    if (r->cx == NULL) return;
    sys_file_close(r->cx->sys, r->file);
    readers_close(r);
    for (uint32_t i = 0; i < r->reader_capacity; i++) batch_free(r->readers[i].rows);
    for (uint32_t i = 0; i < r->count; i++) run_delete(r, i);
    mem_free(r->cx->mem, r->readers);
    mem_free(r->cx->mem, r->heap);
    mem_free(r->cx->mem, r->paths);
    spill_block_release(&r->block);
    *r = (struct row_runs){0};
}

uint32_t row_runs_files(const struct row_runs *r)
{
    return (uint32_t)MAX(MIN(r->config->files, (int64_t)FILES_MOST), (int64_t)FILES_LEAST);
}

enum status spill_fail(struct op_cx *cx, const struct spill_config *config, enum status st)
{
    err_wrap(cx->err, "rows that do not fit '%s' go to files in '%s' (io.tmp.dirs)",
             config->key != NULL && config->key[0] != '\0' ? config->key : "table.exec.resource.sort.memory",
             config->dirs != NULL ? config->dirs : "/tmp");
    return st;
}

static enum status file_fail(struct row_runs *r, enum status st) { return spill_fail(r->cx, r->config, st); }

/* --- writing ----------------------------------------------------------------------------------------------------- */
static bool is_separator(char c) { return c == ',' || c == ':'; }

/* The i-th folder; they are taken in turn. */
static struct str folder_of(const char *dirs, uint32_t i)
{
    uint32_t count = 1;

    for (const char *p = dirs; *p != '\0'; p++) count += is_separator(*p);
    for (i %= count; i > 0; dirs++) i -= is_separator(*dirs);
    struct str found = {dirs, 0};
    while (found.data[found.size] != '\0' && !is_separator(found.data[found.size])) found.size++;
    return found;
}

char *spill_path(struct op_cx *cx, const struct spill_config *config, uint32_t number)
{
    struct str dir = folder_of(config->dirs != NULL && config->dirs[0] != '\0' ? config->dirs : "/tmp", number + cx->subtask);
    size_t size = dir.size + 64;
    char *path = mem_alloc(cx->mem, size);

    int n = snprintf(path, size, "%.*s/thalweg-%016llx-%u.rows", (int)dir.size, dir.data, (unsigned long long)sys_random(cx->sys), number);
    ASSERT(n > 0 && (size_t)n < size);
    return path;
}

enum status row_runs_begin(struct row_runs *r)
{
    if (r->count == r->capacity) {
        r->capacity = MAX(r->capacity * 2, 16u);
        r->paths = mem_realloc(r->cx->mem, r->paths, sizeof *r->paths * r->capacity);
    }
    r->paths[r->count++] = spill_path(r->cx, r->config, r->made++);
    enum status st = sys_file_open(r->cx->sys, r->paths[r->count - 1], SYS_WRITE | SYS_CREATE | SYS_EXCLUSIVE, &r->file, r->cx->err);
    return st == S_OK ? S_OK : file_fail(r, st);
}

enum status row_runs_write(struct row_runs *r, const struct batch *rows)
{
    struct str bytes;

    TRY(spill_block_encode(&r->block, rows, r->config->packs, &bytes, r->cx->err));
    enum status st = sys_file_write(r->cx->sys, r->file, bytes.data, bytes.size, r->cx->err);

    return st == S_OK ? S_OK : file_fail(r, st);
}

void row_runs_finish(struct row_runs *r)
{
    sys_file_close(r->cx->sys, r->file);
    r->file = NULL;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
static enum status cut_off(struct row_runs *r) { return err_set(r->cx->err, E_DATA, "a file of sorted rows was cut off"); }

/* size bytes, or none where the file has ended. */
static enum status bytes_read(struct row_runs *r, struct run_reader *from, void *to, size_t size, bool *ended)
{
    size_t got = 0, some;

    while (got < size) {
        TRY(sys_file_read(r->cx->sys, from->file, (char *)to + got, size - got, &some, r->cx->err));
        if (some == 0) break;
        got += some;
    }
    *ended = got == 0;
    return got == size || got == 0 ? S_OK : cut_off(r);
}

static enum status block_read(struct row_runs *r, struct run_reader *from)
{
    char header[SPILL_HEADER], *bytes;
    bool ended;

    batch_clear(from->rows);
    from->row = 0;
    TRY(bytes_read(r, from, header, sizeof header, &from->is_over));
    if (from->is_over) return S_OK;
    TRY(spill_block_begin(&r->block, header, &bytes, r->cx->err));
    TRY(bytes_read(r, from, bytes, r->block.stored, &ended));
    if (ended) return cut_off(r);
    return spill_block_decode(&r->block, from->rows, r->cx->err);
}

/* --- merging ----------------------------------------------------------------------------------------------------- */
static bool goes_first(const struct row_runs *r, uint32_t x, uint32_t y)
{
    const struct run_reader *a = &r->readers[x], *b = &r->readers[y];
    int order = order_columns_compare(r->by, r->by_count, a->rows, a->row, b->rows, b->row);

    return order != 0 ? order < 0 : x < y;
}

static void heap_sink(struct row_runs *r, uint32_t at)
{
    for (;;) {
        uint32_t least = at, child = 2 * at + 1;
        for (uint32_t i = child; i < child + 2 && i < r->heap_count; i++)
            if (goes_first(r, r->heap[i], r->heap[least])) least = i;
        if (least == at) return;
        uint32_t reader = r->heap[at];
        r->heap[at] = r->heap[least];
        r->heap[least] = reader;
        at = least;
    }
}

static enum status reader_open(struct row_runs *r, uint32_t i)
{
    struct run_reader *reader = &r->readers[i];

    TRY(sys_file_open(r->cx->sys, r->paths[i], SYS_READ, &reader->file, r->cx->err));
    if (reader->rows == NULL) reader->rows = batch_create_needed(r->schema, r->needed, RUN_BLOCK_ROWS, r->cx->mem);
    TRY(block_read(r, reader));
    if (!reader->is_over) r->heap[r->heap_count++] = i;
    return S_OK;
}

enum status row_runs_merge(struct row_runs *r, uint32_t n)
{
    if (n > r->reader_capacity) {
        r->readers = mem_realloc(r->cx->mem, r->readers, sizeof *r->readers * n);
        memset(r->readers + r->reader_capacity, 0, sizeof *r->readers * (n - r->reader_capacity));
        r->heap = mem_realloc(r->cx->mem, r->heap, sizeof *r->heap * n);
        r->reader_capacity = n;
    }
    r->reader_count = n;
    r->heap_count = 0;
    for (uint32_t i = 0; i < n; i++) TRY(reader_open(r, i));
    for (uint32_t i = r->heap_count; i > 0; i--) heap_sink(r, i - 1);
    return S_OK;
}

/* The reader whose next row stands behind that of the first one. */
static uint32_t second_of(const struct row_runs *r)
{
    if (r->heap_count < 3) return r->heap_count - 1;
    return goes_first(r, r->heap[1], r->heap[2]) ? 1 : 2;
}

/* How many rows of the first reader go before all others. */
static uint32_t stretch_of(struct row_runs *r, uint32_t most)
{
    struct run_reader *a = &r->readers[r->heap[0]];
    uint32_t first = a->row, second = second_of(r), n = 1;

    most = MIN(most, a->rows->count - first);
    if (second == 0) return most;
    for (a->row = first + 1; n < most && goes_first(r, r->heap[0], r->heap[second]); a->row++) n++;
    a->row = first;
    return n;
}

enum status row_runs_next(struct row_runs *r, struct batch *out, uint32_t room)
{
    while (r->heap_count > 0) {
        struct run_reader *a = &r->readers[r->heap[0]];
        uint16_t rows[RUN_BLOCK_ROWS];
        if (room == 0) return S_MORE;
        uint32_t n = stretch_of(r, MIN(room, (uint32_t)RUN_BLOCK_ROWS));
        for (uint32_t i = 0; i < n; i++) rows[i] = (uint16_t)(a->row + i);
        batch_append(out, a->rows, rows, n);
        room -= n;
        a->row += n;
        if (a->row == a->rows->count) TRY(block_read(r, a));
        if (a->is_over) r->heap[0] = r->heap[--r->heap_count];
        heap_sink(r, 0);
    }
    return S_OK;
}

void row_runs_merged(struct row_runs *r)
{
    uint32_t n = r->reader_count;

    readers_close(r);
    for (uint32_t i = 0; i < n; i++) run_delete(r, i);
    memmove(r->paths, r->paths + n, sizeof *r->paths * (r->count - n));
    r->count -= n;
}

void row_runs_turn(struct row_runs *r, uint32_t n)
{
    char **first = mem_alloc(r->cx->mem, sizeof *first * (n + 1));

    ASSERT(n <= r->count);
    memcpy(first, r->paths, sizeof *first * n);
    memmove(r->paths, r->paths + n, sizeof *first * (r->count - n));
    memcpy(r->paths + r->count - n, first, sizeof *first * n);
    mem_free(r->cx->mem, first);
}
