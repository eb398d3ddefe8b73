/* tree.c - reads the project once, sorted by path: every file below the root but what is hidden, built or a core file.
 *
 * Files above BLOB_BYTES are not read, only listed; whether that is a fault is for check_text.c to say. */
#include "tidy.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BLOB_BYTES = 1 << 20, DEPTH_MAX = 20 };

static bool is_skipped(const char *name, int depth)
{
    if (name[0] == '.') {
        return depth > 0 || strcmp(name, ".ci") != 0;
    }
    return (depth == 0 && starts_with(name, "build")) || strcmp(name, "core") == 0 ||
           strcmp(name, "node_modules") == 0 || strcmp(name, "__pycache__") == 0;
}

static void file_add(struct tidy *t, const char *full, const char *path, int64_t size)
{
    struct source s = {.path = format("%s", path)};

    if (size > BLOB_BYTES) {
        t->blobs = grow(t->blobs, t->blob_count, sizeof t->blobs[0]);
        t->blobs[t->blob_count].path = s.path;
        t->blobs[t->blob_count++].size = size;
        return;
    }
    s.text = file_read(full, &s.size);
    if (s.text == NULL) {
        problem(t, path, 1, "cannot be read: tidy sees every file of the tree; mend its permissions");
        return;
    }
    s.is_header = ends_with(path, ".h");
    s.is_c = s.is_header || ends_with(path, ".c");
    if (s.is_c) {
        source_lex(&s);
    }
    t->sources = grow(t->sources, t->source_count, sizeof s);
    t->sources[t->source_count++] = s;
}

static void folder_read(struct tidy *t, const char *full, const char *path, int depth)
{
    DIR *folder = opendir(full);
    struct dirent *entry;
    struct stat st;

    if (folder == NULL || depth > DEPTH_MAX) {
        problem(t, path[0] != 0 ? path : ".", 1, "cannot be listed, or is nested too deep");
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        char *child = format("%s/%s", full, entry->d_name);
        char *child_path = path[0] == 0 ? format("%s", entry->d_name) : format("%s/%s", path, entry->d_name);

        if (is_skipped(entry->d_name, depth) || lstat(child, &st) != 0) {
            continue;
        }
        if (S_ISDIR(st.st_mode)) {
            folder_read(t, child, child_path, depth + 1);
        } else if (S_ISREG(st.st_mode)) {
            file_add(t, child, child_path, st.st_size);
        }
    }
    closedir(folder);
}

static int source_compare(const void *a, const void *b)
{
    return strcmp(((const struct source *)a)->path, ((const struct source *)b)->path);
}

void tree_read(struct tidy *t)
{
    folder_read(t, t->root, "", 0);
    qsort(t->sources, (size_t)t->source_count, sizeof t->sources[0], source_compare);
}

const struct source *tree_find(const struct tidy *t, const char *path)
{
    struct source key = {.path = (char *)(uintptr_t)path};

    return bsearch(&key, t->sources, (size_t)t->source_count, sizeof key, source_compare);
}
