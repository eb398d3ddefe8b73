/* partition_commits.c - says of partitions that they are complete, while the job runs.
 *
 * A partition is complete when every subtask has published what it will ever write there: by the clock (process-time) a delay after its
 * first files were seen, by event time (partition-time) when the watermark has passed the time that its values say, and the delay. Rows
 * that come later are published all the same, and the partition is complete once more.
 *
 * Subtasks may run in different processes, and share nothing but the folder they write to. So each keeps a hidden file there, `.commits-
 * <owner>-<subtask>`: up to which checkpoint and watermark it has published, and which partitions are open. It is replaced as a whole,
 * first, and only then those of the others are read. Whoever finds an open partition of its own that all have passed writes the file that
 * says so; what a subtask that has ended left open is everybody's. Of two that end at one time at least one reads what the other has
 * written, so none is forgotten; that both write it changes nothing.
 *
 * Invariants: a subtask replaces its file before the first barrier of an attempt, and no checkpoint is complete before all have, so
 * nobody takes the progress of an attempt, or a run, before for this one's. What is open is known to the file before the checkpoint that
 * published it is forgotten: a restored job is told again which files were published (partition_commits_touch).
 *
 * File: version (1), checkpoint, watermark (zigzag), count (varint), for each open partition folder (text), due time, checkpoint (zigzag);
 * then the hash of all that as 8 bytes. */
#include "flow/connector/filesystem/partition_commits.h"

#include "flow/connector/filesystem/file_metadata.h"
#include "flow/connector/filesystem/file_sink.h"
#include "ground/base/codec.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"
#include "ground/fs/fs.h"

#include <stdlib.h>
#include <string.h>

#define BESIDE ".next" /* behind the name of what is being written */

enum { PROGRESS_VERSION = 1, PROGRESS_SIZE_MAX = 64 << 20, FOLDER_SIZE_MAX = 4096, OPEN_MAX = 1000000 };

static const char *option_of(const struct sink_cx *cx, const char *key) { return options_get(cx->options, cx->option_defs, key); }

/* --- graph time, opening ---------------------------------------------------------------------------------------------- */
enum status partition_commits_check(const struct options *o, const struct option_def *defs, struct err *e)
{
    static const char zone_key[] = "sink.partition-commit.watermark-time-zone", pattern_key[] = "partition.time-extractor.timestamp-formatter";
    const char *zone = options_get(o, defs, zone_key), *pattern = options_get(o, defs, pattern_key);
    struct time_pattern read = {0};
    struct zone ignored;

    if (!zone_find(str_of(zone), &ignored)) {
        err_hint(e, "write a name such as 'Europe/Berlin', 'UTC' or '+01:00'");
        return err_set(e, E_CONFIG, "option '%s': there is no time zone '%s'", zone_key, zone);
    }
    if (pattern == NULL || time_pattern_read(&read, str_of(pattern), false)) return S_OK;
    return err_set(e, E_CONFIG, "option '%s': '%s' is no pattern of times: %s", pattern_key, pattern, read.problem);
}

enum status partition_commits_open(struct partition_commits *pc, struct sink_cx *cx, bool has_partitions)
{
    const char *path, *pattern = option_of(cx, "partition.time-extractor.timestamp-formatter");
    const struct fs_type *fs;

    pc->checkpoint = pc->watermark = INT64_MIN;
    if (!has_partitions || !cx->is_committed || option_of(cx, "sink.partition-commit.policy.kind") == NULL) return S_OK;
    arena_init(&pc->arena, cx->mem, 1024);
    pc->is_on = true;
    pc->by_watermark = options_enum(cx->options, cx->option_defs, "sink.partition-commit.trigger") == 1;
    pc->delay_ms = options_int(cx->options, cx->option_defs, "sink.partition-commit.delay");
    bool has_zone = zone_find(str_of(option_of(cx, "sink.partition-commit.watermark-time-zone")), &pc->zone);
    ASSERT(has_zone); /* it was checked */
    if (pattern != NULL && !time_pattern_read(&pc->formatter, str_of(pattern), false)) return E_CONFIG;
    TRY(fs_find(option_of(cx, "path"), &fs, &path, cx->err));
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    pc->root = arena_strndup(&pc->arena, path, size);
    pc->prefix = arena_printf(&pc->arena, ".commits-%s-", file_owner(&pc->arena, cx));
    return S_OK;
}

void partition_commits_close(struct partition_commits *pc, struct mem *mem)
{
    if (!pc->is_on) return;
    mem_free(mem, pc->open);
    mem_free(mem, pc->notes);
    arena_release(&pc->arena);
}

/* --- the time of a partition ------------------------------------------------------------------------------------------ */
/* Values in the place of their names: "$dt $hour:00:00"; without a pattern the first value. */
static void time_text(struct sink_cx *cx, const char *path, struct buf *out)
{
    const char *pattern = option_of(cx, "partition.time-extractor.timestamp-pattern");
    const struct text_list *names = cx->partitions;

    if (pattern == NULL) {
        partition_value_find(path, names->items[0], out);
        return;
    }
    while (*pattern != '\0') {
        const char *found = NULL;
        for (uint32_t i = 0; *pattern == '$' && i < names->count; i++)
            if (str_starts(str_of(pattern + 1), str_of(names->items[i])) && (found == NULL || strlen(names->items[i]) > strlen(found)))
                found = names->items[i];
        if (found != NULL) partition_value_find(path, found, out);
        else buf_append_byte(out, (uint8_t)*pattern);
        pattern += found != NULL ? 1 + strlen(found) : 1;
    }
}

static enum status partition_time(struct partition_commits *pc, struct sink_cx *cx, const char *folder, int64_t *utc_ms)
{
    const char *formatter = option_of(cx, "partition.time-extractor.timestamp-formatter");
    struct buf path, text;
    struct ts96 t = {0};

    buf_init(&path, cx->mem);
    buf_init(&text, cx->mem);
    buf_printf(&path, "%s/", folder);
    time_text(cx, buf_text(&path), &text);
    struct str s = {buf_text(&text), text.size};
    bool is_time = formatter != NULL ? time_pattern_parse(&pc->formatter, s, &t) : time_parse_default(s, &t);
    if (is_time) {
        *utc_ms = zone_to_utc_ms(&pc->zone, t.ms);
    } else {
        err_set(cx->err, E_DATA, "partition '%s' has no time: '%.100s' is none", folder, s.data);
        err_hint(cx->err, "partition.time-extractor.timestamp-pattern says how a time is made of its values, .timestamp-formatter how that is "
                          "read; sink.partition-commit.trigger = process-time needs none");
    }
    buf_release(&text);
    buf_release(&path);
    return is_time ? S_OK : E_DATA;
}

enum status partition_commits_begin(struct partition_commits *pc, struct sink_cx *cx, const char *folder)
{
    const struct fs_type *fs;
    int64_t ignored;

    if (!pc->is_on || !pc->by_watermark) return S_OK;
    TRY(fs_find(folder, &fs, &folder, cx->err));
    size_t size = strlen(folder);
    while (size > 1 && folder[size - 1] == '/') size--;
    return partition_time(pc, cx, arena_strndup(&pc->arena, folder, size), &ignored);
}

/* --- what is open ----------------------------------------------------------------------------------------------------- */
static enum status open_add(struct partition_commits *pc, struct sink_cx *cx, struct open_partition p)
{
    if (pc->open_count == OPEN_MAX) return err_set(cx->err, E_OVERFLOW, "more than %d partitions are not complete yet", OPEN_MAX);
    if (pc->open_count % 64 == 0) pc->open = mem_realloc(cx->mem, pc->open, sizeof *pc->open * (pc->open_count + 64));
    pc->open[pc->open_count++] = p;
    pc->is_changed = true;
    return S_OK;
}

static struct open_partition *open_find(struct partition_commits *pc, struct str folder)
{
    for (uint32_t i = 0; i < pc->open_count; i++)
        if (str_equal(str_of(pc->open[i].folder), folder)) return &pc->open[i];
    return NULL;
}

enum status partition_commits_touch(struct partition_commits *pc, struct sink_cx *cx, struct str folder, int64_t checkpoint)
{
    struct open_partition p = {.checkpoint = checkpoint}, *known;

    if (!pc->is_on) return S_OK;
    while (folder.size > 1 && folder.data[folder.size - 1] == '/') folder.size--;
    known = open_find(pc, folder);
    if (known != NULL) {
        pc->is_changed |= known->checkpoint != checkpoint;
        known->checkpoint = MAX(known->checkpoint, checkpoint);
        return S_OK;
    }
    p.folder = arena_strndup(&pc->arena, folder.data, folder.size);
    if (pc->by_watermark) TRY(partition_time(pc, cx, p.folder, &p.due_ms));
    else p.due_ms = sys_wall_ms(cx->sys);
    if (__builtin_add_overflow(p.due_ms, pc->delay_ms, &p.due_ms)) p.due_ms = INT64_MAX;
    return open_add(pc, cx, p);
}

void partition_commits_note(struct partition_commits *pc, struct sink_cx *cx, int64_t checkpoint)
{
    if (!pc->is_on) return;
    pc->notes = mem_realloc(cx->mem, pc->notes, sizeof *pc->notes * (pc->note_count + 1));
    pc->notes[pc->note_count++] = (struct commit_note){checkpoint, cx->op->watermark};
}

/* --- progress of the subtasks, as files ------------------------------------------------------------------------------------ */
struct progress {
    int64_t checkpoint, watermark;
    struct open_partition *open;
    uint32_t count;
    bool is_there;
};

static const char *progress_path(const struct partition_commits *pc, struct arena *a, uint32_t subtask)
{
    return arena_printf(a, "%s/%s%u", pc->root, pc->prefix, subtask);
}

/* By a name that says whose it is, as fs->publish does not: one that a killed process has left is used by the next. */
static enum status progress_replace(struct sink_cx *cx, struct arena *a, const char *path, const struct buf *bytes)
{
    const char *beside = arena_printf(a, "%s" BESIDE, path), *slash = strrchr(path, '/');
    struct sys_file *file;

    TRY(sys_file_delete(cx->sys, beside, cx->err));
    TRY(sys_file_open(cx->sys, beside, SYS_WRITE | SYS_CREATE | SYS_EXCLUSIVE, &file, cx->err));
    enum status st = sys_file_write(cx->sys, file, bytes->data, bytes->size, cx->err);
    if (st == S_OK) st = sys_file_sync(cx->sys, file, cx->err);
    sys_file_close(cx->sys, file);
    if (st == S_OK) st = sys_file_rename_over(cx->sys, beside, path, cx->err);
    return st == S_OK ? sys_dir_sync(cx->sys, arena_strndup(a, path, (size_t)MAX(slash - path, 1)), cx->err) : st;
}

static enum status progress_write(struct partition_commits *pc, struct sink_cx *cx, struct arena *a)
{
    struct buf bytes;

    buf_init(&bytes, cx->mem);
    enc_u8(&bytes, PROGRESS_VERSION);
    enc_zigzag(&bytes, pc->checkpoint);
    enc_zigzag(&bytes, pc->watermark);
    enc_varint(&bytes, pc->open_count);
    for (uint32_t i = 0; i < pc->open_count; i++) {
        enc_text(&bytes, pc->open[i].folder);
        enc_zigzag(&bytes, pc->open[i].due_ms);
        enc_zigzag(&bytes, pc->open[i].checkpoint);
    }
    enc_u64(&bytes, hash64(bytes.data, bytes.size));
    enum status st = progress_replace(cx, a, progress_path(pc, a, cx->subtask), &bytes);
    buf_release(&bytes);
    if (st == S_OK) pc->is_changed = false;
    return st;
}

static enum status progress_remove(struct partition_commits *pc, struct sink_cx *cx, struct arena *a, uint32_t subtask)
{
    const char *path = progress_path(pc, a, subtask);

    TRY(sys_file_delete(cx->sys, arena_printf(a, "%s" BESIDE, path), cx->err));
    return sys_file_delete(cx->sys, path, cx->err);
}

static bool progress_decode(struct str bytes, struct arena *a, struct progress *out)
{
    struct dec d, end;

    if (bytes.size < sizeof(uint64_t)) return false;
    dec_init(&end, bytes.data + bytes.size - sizeof(uint64_t), sizeof(uint64_t));
    bytes.size -= sizeof(uint64_t);
    if (dec_u64(&end) != hash64(bytes.data, bytes.size)) return false;
    dec_init(&d, bytes.data, bytes.size);
    if (dec_u8(&d) != PROGRESS_VERSION) return false;
    out->checkpoint = dec_zigzag(&d);
    out->watermark = dec_zigzag(&d);
    uint64_t count = dec_varint(&d);
    if (!dec_ok(&d) || count > OPEN_MAX) return false;
    out->open = arena_alloc(a, sizeof *out->open * (count + 1));
    for (uint64_t i = 0; i < count && dec_ok(&d); i++) {
        struct str folder = dec_str(&d, FOLDER_SIZE_MAX);
        out->open[out->count++] = (struct open_partition){arena_strndup(a, folder.data, folder.size), dec_zigzag(&d), dec_zigzag(&d)};
    }
    return dec_ok(&d) && dec_left(&d) == 0;
}

/* Nothing there is no failure: that subtask has not come so far. */
static enum status progress_read(struct partition_commits *pc, struct sink_cx *cx, uint32_t subtask, struct arena *a, struct progress *out)
{
    const char *path = progress_path(pc, a, subtask);
    const struct fs_type *fs;
    struct fs_entry entry;
    struct err problem = {0};
    size_t got = 0;

    *out = (struct progress){.checkpoint = INT64_MIN, .watermark = INT64_MIN};
    TRY(fs_find(path, &fs, &path, cx->err));
    if (fs->stat(cx->sys, path, &entry, NULL) != S_OK) return S_OK;
    char *bytes = arena_alloc(a, (size_t)MIN(MAX(entry.size, 0), PROGRESS_SIZE_MAX) + 1);
    enum status st = fs->read_range(cx->sys, path, 0, bytes, (size_t)MIN(entry.size, PROGRESS_SIZE_MAX), &got, &problem);
    if (st == E_NOT_FOUND) return S_OK; /* whoever came last has removed it */
    if (st != S_OK) return err_pass_on(cx->err, &problem);
    out->is_there = progress_decode((struct str){bytes, got}, a, out);
    if (out->is_there) return S_OK;
    err_hint(cx->err, "remove the file: of partitions that are open now nothing will say that they are complete");
    return err_set(cx->err, E_DATA, "'%s', which says how far subtask %u has published, is damaged", path, subtask);
}

/* --- an attempt begins ------------------------------------------------------------------------------------------------- */
static bool is_taken_over(const struct partition_commits *pc, const struct sink_cx *cx, const char *name, uint32_t *subtask)
{
    size_t size = strlen(pc->prefix), digits;

    if (strncmp(name, pc->prefix, size) != 0) return false;
    digits = strspn(name + size, "0123456789");
    if (digits == 0 || digits > 9 || name[size + digits] != '\0') return false;
    *subtask = (uint32_t)strtoul(name + size, NULL, 10);
    return *subtask % cx->parallelism == cx->subtask;
}

static enum status take_over(struct partition_commits *pc, struct sink_cx *cx, uint32_t subtask, struct arena *a)
{
    struct progress p;

    TRY(progress_read(pc, cx, subtask, a, &p));
    for (uint32_t i = 0; i < p.count; i++) {
        if (open_find(pc, str_of(p.open[i].folder)) != NULL) continue;
        const char *folder = arena_strdup(&pc->arena, p.open[i].folder);
        TRY(open_add(pc, cx, (struct open_partition){folder, p.open[i].due_ms, INT64_MIN}));
    }
    return S_OK;
}

enum status partition_commits_load(struct partition_commits *pc, struct sink_cx *cx)
{
    struct arena a;
    struct fs_list list = {0};
    const struct fs_type *fs;
    const char *path;
    uint32_t subtask;
    struct err problem = {0};

    if (!pc->is_on) return S_OK;
    TRY(fs_find(pc->root, &fs, &path, cx->err));
    arena_init(&a, cx->mem, 0);
    enum status st = fs->list(cx->sys, path, &a, &list, &problem);
    if (st == E_NOT_FOUND) st = sys_dir_make(cx->sys, path, cx->err);
    else if (st != S_OK) err_pass_on(cx->err, &problem);
    for (uint32_t i = 0; st == S_OK && i < list.count; i++)
        if (is_taken_over(pc, cx, strrchr(list.entries[i].path, '/') + 1, &subtask)) st = take_over(pc, cx, subtask, &a);
    if (st == S_OK) st = progress_write(pc, cx, &a);
    for (uint32_t i = 0; st == S_OK && i < list.count; i++)
        if (is_taken_over(pc, cx, strrchr(list.entries[i].path, '/') + 1, &subtask) && subtask != cx->subtask)
            st = progress_remove(pc, cx, &a, subtask);
    arena_release(&a);
    return st;
}

/* --- a checkpoint is complete ----------------------------------------------------------------------------------------------- */
enum status partition_success_write(struct sink_cx *cx, const char *folder)
{
    const struct fs_type *fs;
    const char *path;
    struct sys_file *file;
    struct buf full;

    TRY(fs_find(folder, &fs, &path, cx->err));
    buf_init(&full, cx->mem);
    buf_printf(&full, "%s%s%s", path, str_ends(str_of(path), STR("/")) ? "" : "/", option_of(cx, "sink.partition-commit.success-file.name"));
    enum status st = sys_file_open(cx->sys, buf_text(&full), SYS_WRITE | SYS_CREATE, &file, cx->err);
    buf_release(&full);
    if (st == S_OK) sys_file_close(cx->sys, file);
    return st;
}

/* What all have published; of nobody who is missing anything is known. */
struct all_progress {
    int64_t checkpoint, watermark;
    bool have_ended;
};

static enum status peers_read(struct partition_commits *pc, struct sink_cx *cx, struct arena *a, struct progress *peers, struct all_progress *all)
{
    *all = (struct all_progress){pc->checkpoint, pc->watermark, pc->checkpoint == INT64_MAX};
    for (uint32_t i = 0; i < cx->parallelism; i++) {
        peers[i] = (struct progress){0};
        if (i == cx->subtask) continue;
        TRY(progress_read(pc, cx, i, a, &peers[i]));
        all->checkpoint = MIN(all->checkpoint, peers[i].checkpoint);
        all->watermark = MIN(all->watermark, peers[i].watermark);
        all->have_ended = all->have_ended && peers[i].checkpoint == INT64_MAX;
    }
    return S_OK;
}

static bool is_complete(const struct partition_commits *pc, const struct sink_cx *cx, const struct all_progress *all, const struct open_partition *p)
{
    if (all->have_ended) return true;
    if (p->checkpoint > all->checkpoint) return false;
    return pc->by_watermark ? all->watermark > p->due_ms : sys_wall_ms(cx->sys) >= p->due_ms;
}

static enum status own_complete(struct partition_commits *pc, struct sink_cx *cx, const struct all_progress *all)
{
    uint32_t left = 0;
    enum status st = S_OK;

    for (uint32_t i = 0; i < pc->open_count; i++) {
        bool is_due = st == S_OK && is_complete(pc, cx, all, &pc->open[i]);
        if (is_due) st = partition_success_write(cx, pc->open[i].folder);
        if (!is_due || st != S_OK) pc->open[left++] = pc->open[i];
    }
    pc->is_changed |= left != pc->open_count;
    pc->open_count = left;
    return st;
}

/* Of subtasks that have ended. */
static enum status left_complete(struct partition_commits *pc, struct sink_cx *cx, const struct all_progress *all, const struct progress *peers)
{
    for (uint32_t i = 0; i < cx->parallelism; i++) {
        if (i == cx->subtask || peers[i].checkpoint != INT64_MAX) continue;
        for (uint32_t k = 0; k < peers[i].count; k++)
            if (is_complete(pc, cx, all, &peers[i].open[k])) TRY(partition_success_write(cx, peers[i].open[k].folder));
    }
    return S_OK;
}


static void notes_take(struct partition_commits *pc, int64_t checkpoint)
{
    uint32_t taken = 0;

    while (taken < pc->note_count && pc->notes[taken].checkpoint <= checkpoint) taken++;
    if (taken == 0) return;
    pc->watermark = MAX(pc->watermark, pc->notes[taken - 1].watermark);
    pc->checkpoint = pc->watermark == WATERMARK_MAX ? INT64_MAX : checkpoint;
    memmove(pc->notes, pc->notes + taken, sizeof *pc->notes * (pc->note_count - taken));
    pc->note_count -= taken;
}

enum status partition_commits_complete(struct partition_commits *pc, struct sink_cx *cx, int64_t checkpoint)
{
    struct arena a;
    struct all_progress all;
    struct progress *peers;

    if (!pc->is_on) return S_OK;
    notes_take(pc, checkpoint);
    arena_init(&a, cx->mem, 0);
    peers = arena_alloc(&a, sizeof *peers * cx->parallelism);
    /* whoever ends last removes all files: one that has said that it ended writes no more */
    bool is_news = !pc->has_ended && (pc->is_changed || cx->parallelism > 1);
    enum status st = is_news ? progress_write(pc, cx, &a) : S_OK;
    pc->has_ended = st == S_OK && pc->checkpoint == INT64_MAX;
    if (st == S_OK) st = peers_read(pc, cx, &a, peers, &all);
    if (st == S_OK) st = own_complete(pc, cx, &all);
    if (st == S_OK) st = left_complete(pc, cx, &all, peers);
    for (uint32_t i = 0; st == S_OK && all.have_ended && i < cx->parallelism; i++) st = progress_remove(pc, cx, &a, i);
    arena_release(&a);
    return st;
}
