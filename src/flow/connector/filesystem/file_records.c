/* file_records.c - how many records files hold, as their sizes and some lines of the first one say: for plans, which compare sizes. What
 * goes wrong is for whoever reads the files to say. */
#include "flow/connector/filesystem/file_records.h"

#include "flow/connector/filesystem/decompress.h"
#include "flow/connector/filesystem/file_list.h"

#include <string.h>

enum { SAMPLE_BYTES = 32 * 1024 };

/* Bytes of a record, as the first of them say; 0: unknown. */
static double record_bytes(struct sys *sys, struct mem *mem, const char *uri, const struct fs_entry *file)
{
    char *bytes = mem_alloc(mem, SAMPLE_BYTES);
    const struct fs_type *fs;
    const char *path;
    struct err ignored = {0};
    size_t got = 0, lines = 0, end = 0;

    enum status st = fs_find(uri, &fs, &path, &ignored);
    if (st == S_OK) st = fs->read_range(sys, file->path, 0, bytes, SAMPLE_BYTES, &got, &ignored);
    for (size_t i = 0; st == S_OK && i < got; i++) {
        if (bytes[i] != '\n') continue;
        lines++;
        end = i + 1;
    }
    mem_free(mem, bytes);
    if (st != S_OK) return 0;
    return lines > 0 ? (double)end / (double)lines : (double)got;
}

static double guess(struct file_list *l, struct mem *mem, const char *uri)
{
    const struct fs_entry *first = NULL;
    struct fs_list files = {0};
    struct err ignored = {0};
    double bytes = 0;

    if (file_list_update(l, &files, &ignored) != S_OK) return -1;
    for (uint32_t i = 0; i < files.count; i++) {
        if (files.entries[i].size <= 0) continue;
        if (compression_of(files.entries[i].path) != COMPRESSION_NONE) return -1;
        if (first == NULL) first = &files.entries[i];
        bytes += (double)files.entries[i].size;
    }
    double each = first != NULL ? record_bytes(l->sys, mem, uri, first) : 0;
    return each > 0 ? bytes / each : -1;
}

double file_records_guess(struct sys *sys, struct mem *mem, const char *uri, const char *pattern)
{
    struct file_list l = {0};
    struct err ignored = {0};
    double out = -1;

    if (file_list_open(&l, sys, mem, uri, pattern, &ignored) == S_OK) out = guess(&l, mem, uri);
    file_list_close(&l);
    return out;
}
