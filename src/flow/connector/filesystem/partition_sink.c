/* partition_sink.c - files of one path, or for each value of the partition columns a folder `dt=2024-01-01/hm=10%3A00/` with files of
 * its own. A row's partition columns are its last ones; they are in the path, not in the files.
 *
 * Each partition has a file_writer. Some of them only may have a file open: where more are needed, the one that was written to least
 * recently completes its file. Without checkpoints a partition is complete when every task has written all it had: then, if the table
 * asks for it, a file `_SUCCESS` says so. With checkpoints partition_commits.c decides. */
#include "flow/connector/filesystem/file_metadata.h"
#include "flow/connector/filesystem/file_sink.h"
#include "flow/connector/filesystem/partition_commits.h"
#include "ground/base/map.h"
#include "ground/base/str.h"
#include "ground/fs/fs.h"

#include <string.h>

enum { OPEN_MAX = 128, PARTITIONS_MAX = 100000, NO_PARTITION = UINT32_MAX };

struct partition {
    struct file_writer files;
    const char *path;
    uint64_t used;  /* when, in batches */
    uint32_t count; /* rows of the batch at hand */
    int64_t handed_on; /* checkpoint that has its last files, until it is complete; 0: none */
};

struct file_sink_writer {
    struct sink_cx inner; /* without partition columns */
    struct arena arena;
    struct partition **all;
    uint32_t count, capacity, open_count, columns;
    struct map by_path;
    struct buf path;
    uint64_t batches;
    bool is_swept; /* of what earlier attempts left */
    struct partition_commits commits;
    uint32_t of_row[BATCH_ROWS], touched[BATCH_ROWS], touched_count;
    uint16_t rows[BATCH_ROWS];
};

/* --- partitions --------------------------------------------------------------------------------------------------- */
static enum status partition_add(struct file_sink_writer *w, const char *path, uint32_t *out)
{
    if (w->count == PARTITIONS_MAX)
        return err_set(w->inner.err, E_OVERFLOW, "one subtask writes into more than %d partitions", PARTITIONS_MAX);
    TRY(partition_commits_begin(&w->commits, &w->inner, path));
    if (w->count == w->capacity) {
        w->capacity = MAX(16, w->capacity * 2);
        w->all = mem_realloc(w->inner.mem, w->all, sizeof(struct partition *) * w->capacity);
    }
    struct partition *p = w->all[w->count] = mem_zalloc(w->inner.mem, sizeof *p);
    p->path = arena_strdup(&w->arena, path);
    *out = w->count++;
    return file_writer_open(&p->files, &w->inner, p->path);
}

/* "<path>/dt=2024-01-01/hm=10/" of a row. */
static void path_print(struct file_sink_writer *w, const struct sink_cx *cx, const struct batch *in, uint32_t row)
{
    const char *path = options_get(cx->options, cx->option_defs, "path");
    const char *none = options_get(cx->options, cx->option_defs, "partition.default-name");

    buf_clear(&w->path);
    buf_append_text(&w->path, path);
    if (path[0] != '\0' && path[strlen(path) - 1] != '/') buf_append_byte(&w->path, '/');
    for (uint32_t i = 0; i < cx->partitions->count; i++) {
        const struct vector *v = &in->cols[w->columns + i];
        struct str value = vector_is_null(v, row) ? (struct str){0} : text_str(&VECTOR_VALUES(vector_values(v), struct text)[vector_at(v, row)]);
        partition_escape(str_of(cx->partitions->items[i]), &w->path);
        buf_append_byte(&w->path, '=');
        if (value.size == 0) buf_append_text(&w->path, none);
        else partition_escape(value, &w->path);
        buf_append_byte(&w->path, '/');
    }
}

static bool is_as_before(const struct file_sink_writer *w, const struct sink_cx *cx, const struct batch *in, uint32_t before, uint32_t row)
{
    for (uint32_t i = 0; i < cx->partitions->count; i++) {
        const struct vector *v = &in->cols[w->columns + i];
        if (vector_compare(v, before, v, row) != 0) return false;
    }
    return true;
}

static enum status partition_of(struct file_sink_writer *w, const struct sink_cx *cx, const struct batch *in, uint32_t row, uint32_t *out)
{
    path_print(w, cx, in, row);
    struct str path = {buf_text(&w->path), w->path.size};
    uintptr_t known = (uintptr_t)map_get(&w->by_path, path);

    if (known != 0) {
        *out = (uint32_t)known - 1;
        return S_OK;
    }
    enum status st = partition_add(w, path.data, out);
    if (st == S_OK) map_set(&w->by_path, str_of(w->all[*out]->path), (void *)((uintptr_t)*out + 1));
    return st;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */
/* Room for one file more: the partition that was not written to for longest closes its own. */
static enum status make_room(struct file_sink_writer *w, struct partition *p)
{
    struct partition *oldest = NULL;

    if (p->files.records.file != NULL || w->open_count < OPEN_MAX) return S_OK;
    for (uint32_t i = 0; i < w->count; i++)
        if (w->all[i]->files.records.file != NULL && (oldest == NULL || w->all[i]->used < oldest->used)) oldest = w->all[i];
    ASSERT(oldest != NULL);
    w->open_count--;
    return file_writer_complete(&oldest->files, &w->inner);
}

static enum status partition_write(struct file_sink_writer *w, struct partition *p, struct batch *in)
{
    TRY(make_room(w, p));
    w->open_count -= p->files.records.file != NULL;
    enum status st = file_writer_write(&p->files, &w->inner, in);
    w->open_count += p->files.records.file != NULL;
    p->used = w->batches;
    return st;
}

static enum status rows_place(struct file_sink_writer *w, const struct sink_cx *cx, const struct batch *in)
{
    uint32_t before = NO_PARTITION;

    w->touched_count = 0;
    BATCH_EACH(in, i, row)
    {
        uint32_t at;
        if (before != NO_PARTITION && is_as_before(w, cx, in, before, row)) at = w->of_row[i - 1];
        else TRY(partition_of(w, cx, in, row, &at));
        if (w->all[at]->count++ == 0) w->touched[w->touched_count++] = at;
        w->of_row[i] = at;
        before = row;
    }
    return S_OK;
}

/* Rows of each partition of the batch, in their order; `firsts` of them in w->rows. */
static void rows_gather(struct file_sink_writer *w, const struct batch *in, uint32_t *firsts)
{
    for (uint32_t t = 0, total = 0; t < w->touched_count; t++) {
        struct partition *p = w->all[w->touched[t]];
        firsts[t] = total;
        total += p->count;
        p->count = firsts[t];
    }
    BATCH_EACH(in, i, row) w->rows[w->all[w->of_row[i]]->count++] = (uint16_t)row;
}

/* What was prepared is committed by now: recover comes before the first of these hooks. */
static enum status sweep(struct file_sink_writer *w, const struct sink_cx *cx)
{
    const char *path = options_get(cx->options, cx->option_defs, "path");
    uint32_t depth = cx->schema->child_count - w->columns;

    if (w->is_swept || !cx->is_committed) return S_OK;
    if (depth == 0 && w->all[0]->files.is_direct) return S_OK;
    TRY(file_leftovers_remove(&w->inner, path, depth));
    TRY(partition_commits_load(&w->commits, &w->inner));
    w->is_swept = true;
    return S_OK;
}

static enum status file_sink_write(struct sink_cx *cx, void *self, struct batch *in)
{
    struct file_sink_writer *w = self;
    struct batch view = *in;
    uint32_t firsts[BATCH_ROWS];
    enum status st = S_OK;

    TRY(sweep(w, cx));
    w->batches++;
    if (w->columns == in->col_count) return partition_write(w, w->all[0], in);
    TRY(rows_place(w, cx, in));
    rows_gather(w, in, firsts);
    view.schema = w->inner.schema;
    view.col_count = w->columns;
    for (uint32_t t = 0; t < w->touched_count; t++) {
        struct partition *p = w->all[w->touched[t]];
        view.sel = w->rows + firsts[t];
        view.sel_count = p->count - firsts[t];
        p->count = 0;
        if (st == S_OK) st = partition_write(w, p, &view);
    }
    return st;
}

/* --- the other hooks ---------------------------------------------------------------------------------------------- */
static enum status file_sink_open(struct sink_cx *cx, void *self)
{
    struct file_sink_writer *w = self;
    uint32_t ignored;

    w->inner = *cx;
    w->columns = cx->schema->child_count - (cx->partitions != NULL ? cx->partitions->count : 0);
    arena_init(&w->arena, cx->mem, 1024);
    map_init(&w->by_path, cx->mem);
    buf_init(&w->path, cx->mem);
    TRY(partition_commits_open(&w->commits, &w->inner, w->columns < cx->schema->child_count));
    if (w->columns == cx->schema->child_count)
        return partition_add(w, options_get(cx->options, cx->option_defs, "path"), &ignored);
    w->inner.schema = type_row(&w->arena, w->columns, cx->schema->names, cx->schema->children, false);
    return S_OK;
}

static enum status file_sink_on_time(struct sink_cx *cx, void *self, int64_t now_ms)
{
    struct file_sink_writer *w = self;

    (void)cx;
    for (uint32_t i = 0; i < w->count; i++) {
        w->open_count -= w->all[i]->files.records.file != NULL;
        TRY(file_writer_on_time(&w->all[i]->files, &w->inner, now_ms));
        w->open_count += w->all[i]->files.records.file != NULL;
    }
    return S_OK;
}

static enum status file_sink_flush(struct sink_cx *cx, void *self, bool at_end)
{
    struct file_sink_writer *w = self;

    if (at_end) TRY(sweep(w, cx));
    for (uint32_t i = 0; i < w->count; i++) TRY(file_writer_flush(&w->all[i]->files, &w->inner, at_end));
    return S_OK;
}

static enum status file_sink_prepare(struct sink_cx *cx, void *self, int64_t checkpoint, struct buf *committable)
{
    struct file_sink_writer *w = self;

    TRY(sweep(w, cx));
    for (uint32_t i = 0; i < w->count; i++) {
        size_t before = committable->size;
        TRY(file_writer_prepare(&w->all[i]->files, &w->inner, committable));
        if (committable->size > before) w->all[i]->handed_on = checkpoint;
    }
    partition_commits_note(&w->commits, &w->inner, checkpoint);
    return S_OK;
}

static enum status file_sink_completed(struct sink_cx *cx, void *self, int64_t checkpoint)
{
    struct file_sink_writer *w = self;
    const struct fs_type *fs;
    const char *folder;

    (void)cx;
    for (uint32_t i = 0; w->commits.is_on && i < w->count; i++) {
        struct partition *p = w->all[i];
        if (p->handed_on == 0 || p->handed_on > checkpoint) continue;
        TRY(fs_find(p->path, &fs, &folder, w->inner.err));
        TRY(partition_commits_touch(&w->commits, &w->inner, str_of(folder), p->handed_on));
        p->handed_on = 0;
    }
    return partition_commits_complete(&w->commits, &w->inner, checkpoint);
}

static enum status recovered_one(void *arg, struct str name)
{
    struct file_sink_writer *w = arg;
    size_t size = name.size;

    while (size > 0 && name.data[size - 1] != '/') size--;
    return partition_commits_touch(&w->commits, &w->inner, (struct str){name.data, size}, INT64_MIN);
}

static enum status file_sink_recovered(struct sink_cx *cx, void *self, struct str committable)
{
    struct file_sink_writer *w = self;

    return w->commits.is_on ? file_committable_each(cx, committable, recovered_one, w) : S_OK;
}

/* Every subtask that has written into a partition says so; the last one says it once more. */
static enum status file_sink_complete(struct sink_cx *cx, void *self)
{
    struct file_sink_writer *w = self;
    const char *kind = options_get(cx->options, cx->option_defs, "sink.partition-commit.policy.kind");

    if (kind == NULL || cx->is_committed || w->columns == cx->schema->child_count) return S_OK;
    for (uint32_t i = 0; i < w->count; i++) TRY(partition_success_write(&w->inner, w->all[i]->path));
    return S_OK;
}

/* Without the file system there is no telling a folder by its name alone: a dot in it means a file here. */
static const char *file_sink_takes_no_checkpoints(const struct options *o, const struct option_def *defs, const struct text_list *partitions)
{
    const char *path = options_get(o, defs, "path"), *slash = strrchr(path, '/');

    if (partitions->count > 0) return NULL;
    return strchr(slash != NULL ? slash + 1 : path, '.') == NULL
               ? NULL
               : "its path is one file, which appears when the input ends; a path that ends in '/' is a folder of parts";
}

static void file_sink_close(struct sink_cx *cx, void *self, bool failed)
{
    struct file_sink_writer *w = self;

    (void)failed;
    for (uint32_t i = 0; i < w->count; i++) {
        file_writer_close(&w->all[i]->files, &w->inner);
        mem_free(cx->mem, w->all[i]);
    }
    mem_free(cx->mem, w->all);
    partition_commits_close(&w->commits, cx->mem);
    if (w->arena.mem == NULL) return;
    map_release(&w->by_path);
    buf_release(&w->path);
    arena_release(&w->arena);
}

const struct sink_type file_sink = {
    .writer_size = sizeof(struct file_sink_writer),
    .has_partitions = true,
    .rewrite = &file_rewrite,
    .check = file_sink_check,
    .open = file_sink_open,
    .write = file_sink_write,
    .flush = file_sink_flush,
    .on_time = file_sink_on_time,
    .prepare = file_sink_prepare,
    .commit = file_commit,
    .completed = file_sink_completed,
    .recovered = file_sink_recovered,
    .takes_no_checkpoints = file_sink_takes_no_checkpoints,
    .complete = file_sink_complete,
    .close = file_sink_close,
};
