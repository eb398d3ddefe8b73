/* conn_filesystem.c - files as a source, and as a sink (filesystem/file_sink.c).
 *
 * The enumerator lists the path once, or again and again with source.monitor-interval, and makes splits in the order of the
 * paths: a file is one split, except that a big plain file in a format whose records are lines is cut into ranges. A split's
 * bytes: version, path, the range, and the position in it, which is offset and line of the next record. A path may stand for
 * a pipe (/dev/stdin): one split, read as it comes; a position in it cannot be gone back to. */
#include "flow/connector/filesystem/file_list.h"
#include "flow/connector/filesystem/file_metadata.h"
#include "flow/connector/filesystem/file_range.h"
#include "flow/connector/filesystem/file_records.h"
#include "flow/connector/filesystem/file_sink.h"
#include "flow/connector/record_reader.h"
#include "flow/source/source_filter.h"
#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <string.h>

enum { SPLIT_VERSION = 1, PATH_SIZE_MAX = 4096, RANGES_MAX = 1 << 20 };

static const struct option_def filesystem_options[] = {
    {.key = "path",
     .kind = OPT_STRING,
     .fallback = "",
     .required = true,
     .doc = "a file, a folder, or a pattern with * and ?; a sink's folder or file"},
    {.key = "source.monitor-interval",
     .kind = OPT_DURATION_MS,
     .doc = "look for new files so often, without end; not given: list once"},
    {.key = "source.path.regex-pattern",
     .kind = OPT_STRING,
     .doc = "regular expression that the whole path of a file must match"},
    {.key = "source.split-size",
     .kind = OPT_SIZE,
     .fallback = "64mb",
     .doc = "bigger files of lines are cut into splits of this size"},
    {.key = "source.report-statistics",
     .kind = OPT_ENUM,
     .choices = "ALL|NONE",
     .fallback = "ALL",
     .doc = "NONE: plans of batch mode do not look how many bytes the files have, and some lines of the first one, to guess at "
            "rows where ANALYZE TABLE has found none"},
    {.key = "partition.default-name",
     .kind = OPT_STRING,
     .fallback = "__HIVE_DEFAULT_PARTITION__",
     .doc = "folder of the rows whose partition column is NULL or empty"},
    {.key = "sink.partition-commit.policy.kind",
     .kind = OPT_ENUM,
     .choices = "success-file",
     .doc = "what says that a partition is complete: a file in its folder. Without checkpoints all are complete when the job has ended; policies "
            "of a catalog or of a class (metastore, custom) do not exist here"},
    {.key = "sink.partition-commit.success-file.name", .kind = OPT_STRING, .fallback = "_SUCCESS", .doc = "name of that file"},
    {.key = "sink.partition-commit.trigger",
     .kind = OPT_ENUM,
     .choices = "process-time|partition-time",
     .fallback = "process-time",
     .doc = "with checkpoints: a partition is complete a delay after its first files were seen (process-time), or when the watermark has passed "
            "its time and the delay (partition-time); it is looked at whenever a checkpoint is complete"},
    {.key = "sink.partition-commit.delay", .kind = OPT_DURATION_MS, .fallback = "0", .doc = "of the trigger: for partitions of a day one day"},
    {.key = "sink.partition-commit.watermark-time-zone", .kind = OPT_STRING, .fallback = "UTC", .doc = "partition-time: zone of the times that partitions say, where the watermark is of a TIMESTAMP_LTZ"},
    {.key = "partition.time-extractor.kind", .kind = OPT_ENUM, .choices = "default", .fallback = "default", .doc = "what makes a time of a partition's values: the pattern"},
    {.key = "partition.time-extractor.timestamp-pattern", .kind = OPT_STRING, .doc = "partition-time: a time with names of partition columns, '$dt $hour:00:00'; not given: the first column"},
    {.key = "partition.time-extractor.timestamp-formatter", .kind = OPT_STRING, .doc = "how that time is read (DateTimeFormatter); not given: yyyy-MM-dd[ HH:mm:ss]"},
    {.key = "sink.rolling-policy.file-size",
     .kind = OPT_SIZE,
     .least = "1 b",
     .fallback = "128mb",
     .doc = "a part of a folder that has grown to this size is complete; complete parts appear at once, under their names, with checkpoints at the "
            "next one"},
    {.key = "sink.rolling-policy.rollover-interval",
     .kind = OPT_DURATION_MS,
     .fallback = "30 min",
     .doc = "a part that is so old is complete"},
    {.key = "sink.rolling-policy.inactivity-interval",
     .kind = OPT_DURATION_MS,
     .fallback = "30 min",
     .doc = "a part to which no row came for so long is complete"},
    {.key = "sink.rolling-policy.check-interval",
     .kind = OPT_DURATION_MS,
     .fallback = "1 min",
     .doc = "age and quiet time are looked at so often while no rows come; with rows, at every batch"},
    {.key = NULL},
};

struct file_enumerator {
    struct file_list files;
    struct fs_list fresh;      /* not handed out: from `next` on */
    uint32_t next;
    int64_t range_start;       /* of the next range of that file */
    int64_t split_size, interval_ms, list_ms;
    bool is_cut, is_monitored, was_listed, is_pattern;
    struct source_filter filter; /* over partition columns */
};

struct file_reader {
    struct record_format format;
};

struct file_split {
    char *path;
    int64_t start, end;        /* as cut; end -1 = the end of the file */
    struct file_range range;
    struct record_reader records;
    struct file_metadata metadata;
};

/* --- graph time --------------------------------------------------------------------------------------------------- */
static enum boundedness filesystem_boundedness(const struct options *o, const struct option_def *defs)
{
    return options_get(o, defs, "source.monitor-interval") != NULL ? UNBOUNDED : BOUNDED;
}

static enum status filesystem_check(const struct options *o, const struct option_def *defs, const struct type *row,
                                    struct err *e)
{
    const char *pattern = options_get(o, defs, "source.path.regex-pattern"),
               *interval = options_get(o, defs, "source.monitor-interval"), *path;
    const struct fs_type *fs;

    ASSERT(row->kind == T_ROW);
    if (fs_find(options_get(o, defs, "path"), &fs, &path, e) != S_OK) return err_wrap(e, "option 'path'");
    if (interval != NULL && options_int(o, defs, "source.monitor-interval") == 0)
        return err_set(e, E_CONFIG, "option 'source.monitor-interval' must be longer than nothing");
    if (options_int(o, defs, "source.split-size") < 1024)
        return err_set(e, E_CONFIG, "option 'source.split-size' must be at least 1kb");
    return pattern != NULL ? file_pattern_check(pattern, e) : S_OK;
}

/* JSON has names, and does not look at fields that it is not asked for; unless all must be there. */
static bool filesystem_skips_fields(const struct options *o, const struct option_def *defs)
{
    const char *format = options_get(o, defs, "format"), *strict = NULL;

    for (uint32_t i = 0; i < o->count; i++)
        if (strcmp(o->items[i].key, "json.fail-on-missing-field") == 0) strict = o->items[i].value;
    return format != NULL && strcmp(format, "json") == 0 && (strict == NULL || strcmp(strict, "false") == 0);
}

/* Conditions on partitions: all rows of a file have one value. */
static bool filesystem_takes(const struct options *o, const struct option_def *defs, const struct type *schema,
                             const struct text_list *metadata, const uint64_t *columns)
{
    uint32_t first = schema->child_count - metadata->count;

    (void)o;
    (void)defs;
    for (uint32_t i = 0; i < schema->child_count; i++) {
        if (!bit_get(columns, i)) continue;
        const struct source_metadata *m = i >= first ? source_metadata_find(file_metadata_keys, metadata->items[i - first]) : NULL;
        if (m == NULL || !m->is_part) return false;
    }
    return true;
}

static double filesystem_records(const struct options *o, const struct option_def *defs, struct sys *sys, struct mem *mem)
{
    if (options_enum(o, defs, "source.report-statistics") != 0) return -1;
    return file_records_guess(sys, mem, options_get(o, defs, "path"), options_get(o, defs, "source.path.regex-pattern"));
}

/* --- enumerator --------------------------------------------------------------------------------------------------- */
static enum status file_enumerator_open(struct source_cx *cx, void *self)
{
    struct file_enumerator *en = self;
    const struct options *o = cx->options;
    const char *path = options_get(o, cx->option_defs, "path");
    struct record_format format = {0};

    TRY(record_format_open(&format, cx));
    en->is_cut = format.format->is_splittable(cx->read, &format.options);
    record_format_close(&format);
    TRY(source_filter_open(&en->filter, cx, cx->err));
    en->split_size = options_int(o, cx->option_defs, "source.split-size");
    en->is_monitored = filesystem_boundedness(o, cx->option_defs) == UNBOUNDED;
    en->is_pattern = strpbrk(path, "*?") != NULL;
    if (en->is_monitored) en->interval_ms = options_int(o, cx->option_defs, "source.monitor-interval");
    return file_list_open(&en->files, cx->sys, cx->mem, path,
                          options_get(o, cx->option_defs, "source.path.regex-pattern"), cx->err);
}

static void file_enumerator_close(struct source_cx *cx, void *self)
{
    struct file_enumerator *en = self;

    (void)cx;
    source_filter_close(&en->filter);
    file_list_close(&en->files);
}

/* The job ends well, as with an empty file, but whoever mistyped a path should hear of it. */
static enum status nothing_found(struct source_cx *cx)
{
    log_write(cx->op->log, LOG_WARN, "filesystem", "%s: no file in '%s' matched; names that begin with '.' or '_' are left out",
              cx->op->name, options_get(cx->options, cx->option_defs, "path"));
    return S_END;
}

/* A file that says nothing of its partition is read, which will say so. */
static bool is_wanted(struct source_cx *cx, struct file_enumerator *en, const char *path)
{
    struct source_cx inner = *cx;
    struct file_metadata m = {0};
    struct err e = {0};
    bool wanted = true;

    inner.err = &e;
    if (file_metadata_open(&m, &inner, path) == S_OK) {
        file_metadata_fill(&m, cx, source_filter_row(&en->filter), 0);
        wanted = source_filter_passes(&en->filter);
    }
    file_metadata_close(&m, cx->mem);
    return wanted;
}

/* Files of partitions that nobody reads are not opened. */
static void files_prune(struct source_cx *cx, struct file_enumerator *en)
{
    size_t kept = 0;

    if (en->filter.run == NULL) return;
    for (size_t i = 0; i < en->fresh.count; i++)
        if (is_wanted(cx, en, en->fresh.entries[i].path)) en->fresh.entries[kept++] = en->fresh.entries[i];
    en->fresh.count = kept;
}

/* S_OK: there are fresh files; S_IDLE until the next look; S_END. */
static enum status files_find(struct source_cx *cx, struct file_enumerator *en)
{
    int64_t now = sys_wall_ms(cx->sys);
    struct err problem = {0};

    if (en->next < en->fresh.count) return S_OK;
    if (en->was_listed && !en->is_monitored) return S_END;
    if (!en->was_listed || now >= en->list_ms) {
        en->next = 0;
        en->fresh.count = 0;
        enum status st = file_list_update(&en->files, &en->fresh, &problem);
        bool may_come = st == E_NOT_FOUND && en->is_monitored && en->is_pattern;
        if (st != S_OK && !may_come) return err_pass_on(cx->err, &problem);
        en->was_listed = true;
        en->list_ms = now + en->interval_ms;
        bool any = en->fresh.count > 0;
        files_prune(cx, en);
        if (en->fresh.count > 0) return S_OK;
        if (!en->is_monitored) return any ? S_END : nothing_found(cx);
    }
    cx->wake_ms = en->list_ms;
    return S_IDLE;
}

static struct str split_encode(struct arena *a, const char *path, int64_t start, int64_t end,
                               const struct format_input *at)
{
    struct buf bytes;

    buf_init(&bytes, a->mem);
    enc_u8(&bytes, SPLIT_VERSION);
    enc_text(&bytes, path);
    enc_zigzag(&bytes, start);
    enc_zigzag(&bytes, end);
    enc_u8(&bytes, at != NULL);
    if (at != NULL) {
        enc_varint(&bytes, at->offset);
        enc_varint(&bytes, at->line);
        enc_u8(&bytes, at->discarding);
    }
    struct str s = {arena_strndup(a, bytes.data, bytes.size), bytes.size};
    buf_release(&bytes);
    return s;
}

static enum status file_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a,
                                        struct split *out)
{
    struct file_enumerator *en = self;

    (void)subtask;
    TRY(files_find(cx, en));
    const struct fs_entry *file = &en->fresh.entries[en->next];
    int64_t size = MAX(en->split_size, file->size / RANGES_MAX + 1);
    bool is_whole = !en->is_cut || file->size <= size || compression_of(file->path) != COMPRESSION_NONE;
    int64_t start = is_whole ? 0 : en->range_start, end = is_whole || file->size - start <= size ? -1 : start + size;
    if (strlen(file->path) >= PATH_SIZE_MAX)
        return err_set(cx->err, E_CONFIG, "the path '%.100s...' is too long", file->path);
    out->id = is_whole ? arena_strdup(a, file->path) : arena_printf(a, "%s@%lld", file->path, (long long)start);
    out->bytes = split_encode(a, file->path, start, end, NULL);
    en->range_start = end;
    if (end >= 0) return S_OK;
    en->range_start = 0;
    en->next++;
    return S_OK;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */
static enum status file_reader_open(struct source_cx *cx, void *reader)
{
    return record_format_open(&((struct file_reader *)reader)->format, cx);
}

static void file_reader_close(struct source_cx *cx, void *reader)
{
    (void)cx;
    record_format_close(&((struct file_reader *)reader)->format);
}

static enum status split_decode(struct source_cx *cx, struct file_split *s, struct str bytes, struct format_input *at,
                                bool *has_position)
{
    struct dec d;

    dec_init(&d, bytes.data, bytes.size);
    uint8_t version = dec_u8(&d);
    struct str path = dec_str(&d, PATH_SIZE_MAX);
    s->start = dec_zigzag(&d);
    s->end = dec_zigzag(&d);
    *has_position = dec_u8(&d) != 0;
    if (*has_position) {
        at->offset = dec_varint(&d);
        at->line = dec_varint(&d);
        at->discarding = dec_u8(&d) != 0;
    }
    bool is_valid =
        dec_ok(&d) && version == SPLIT_VERSION && path.size > 0 && s->start >= 0 && (s->end < 0 || s->end >= s->start);
    if (!is_valid) return err_set(cx->err, E_DATA, "the position of a file split cannot be read (version %u)", version);
    s->path = mem_zalloc(cx->mem, path.size + 1);
    memcpy(s->path, path.data, path.size);
    return S_OK;
}

static enum status file_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct file_split *s = split;
    struct format_input at = FORMAT_INPUT_START;
    bool has_position;

    TRY(split_decode(cx, s, what->bytes, &at, &has_position));
    TRY(file_range_open(&s->range, cx->op, s->path, s->start, s->end < 0 ? INT64_MAX : s->end, cx->err));
    if (has_position) TRY(file_range_seek(&s->range, (int64_t)at.offset, cx->err));
    else at.offset = s->range.start == INT64_MAX ? 0 : (uint64_t)s->range.start;
    TRY(record_reader_open(&s->records, cx, &((struct file_reader *)reader)->format, s->path, at, file_range_fill, &s->range));
    s->records.lines_before = file_range_lines_before;
    return file_metadata_open(&s->metadata, cx, s->path);
}

static enum status file_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct file_split *s = split;
    uint32_t first = out->count;

    (void)reader;
    if (cx->metadata == NULL || cx->metadata->count == 0) return record_reader_read(&s->records, out);
    out->schema = cx->read;
    out->col_count = cx->read->child_count;
    enum status st = record_reader_read(&s->records, out);
    out->schema = cx->schema;
    out->col_count = cx->schema->child_count;
    file_metadata_fill(&s->metadata, cx, out, first);
    return st;
}

static void file_split_position(struct source_cx *cx, void *reader, void *split, struct buf *out)
{
    struct file_split *s = split;
    struct arena a;
    struct format_input at = s->records.in;

    (void)reader;
    arena_init(&a, cx->mem, 0);
    if (s->records.lines_known) at.line -= s->records.lines; /* positions count lines from the range's start */
    struct str bytes = split_encode(&a, s->path, s->start, s->end, &at);
    buf_append(out, bytes.data, bytes.size);
    arena_release(&a);
}

static void file_split_close(struct source_cx *cx, void *reader, void *split)
{
    struct file_split *s = split;

    (void)reader;
    record_reader_close(&s->records);
    file_range_close(&s->range);
    file_metadata_close(&s->metadata, cx->mem);
    mem_free(cx->mem, s->path);
}

static const struct source_type filesystem_source = {
    .enumerator_size = sizeof(struct file_enumerator),
    .reader_size = sizeof(struct file_reader),
    .split_size = sizeof(struct file_split),
    .projects = true,
    .takes = filesystem_takes,
    .records = filesystem_records,
    .skips_fields = filesystem_skips_fields,
    .boundedness = filesystem_boundedness,
    .metadata = file_metadata_keys,
    .check = filesystem_check,
    .enumerator_open = file_enumerator_open,
    .enumerator_next = file_enumerator_next,
    .enumerator_close = file_enumerator_close,
    .reader_open = file_reader_open,
    .reader_close = file_reader_close,
    .split_open = file_split_open,
    .split_read = file_split_read,
    .split_position = file_split_position,
    .split_close = file_split_close,
};

const struct conn_type conn_filesystem = {
    .name = "filesystem",
    .doc = "reads and writes files: csv, json lines or raw; gzip and zstd are read as they are",
    .example = "'connector' = 'filesystem', 'path' = 'flights.csv', 'format' = 'csv', 'csv.header' = 'true'",
    .notes = "**What a sink publishes.** A file is written under a hidden name, which begins with a dot, and is renamed once it is\n"
             "complete and synced; readers never see half of one. A path that ends in `/`, is a folder, or has no dot in its last\n"
             "part is a folder of parts; the folder is made when the job starts.\n\n"
             "| the job | one file | a folder of parts |\n| --- | --- | --- |\n"
             "| ends | appears (empty, when no row came) | the last part of each subtask appears |\n"
             "| goes on | not there yet | a part appears when it rolls, by `sink.rolling-policy.*` |\n"
             "| takes checkpoints | refused | parts appear when a checkpoint is complete, each row once (docs/checkpoints.md) |\n"
             "| fails, or is canceled (Ctrl-C) | does not appear | parts that have appeared stay; those being written are "
             "removed, so a job canceled before its first part has rolled leaves an empty folder |\n\n"
             "As in Flink, what is pending is not published by a job that does not end. Unlike in Flink, a part need not wait for a\n"
             "checkpoint: a job without checkpoints never restarts, so no row can come twice.",
    .options = filesystem_options,
    .takes_format = true,
    .path_option = "path",
    .source = &filesystem_source,
    .sink = &file_sink,
};
