/* glob.c - the files that a path stands for: itself, the files of a folder, or those that match a pattern. '*' is any run
 * of characters and '?' any one of them, within one part of the path. A path that exists is taken as it is, even with a
 * '*' in its name. Works on any file system, by its `list` and `stat` alone. */
#include "ground/fs/fs.h"

#include "ground/base/str.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, FILES_MAX = 1000000 };

struct glob {
    struct sys *sys;
    const struct fs_type *type;
    struct arena *arena;
    bool recursive;
    struct fs_entry *found;
    uint32_t count, capacity;
};

static bool is_hidden(const char *name) { return name[0] == '.' || name[0] == '_'; }
static bool is_pattern(struct str part)
{
    return part.size > 0 && (memchr(part.data, '*', part.size) != NULL || memchr(part.data, '?', part.size) != NULL);
}


static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* One star to fall back to is enough: an earlier one never needs to take more than it did. */
static bool part_matches(struct str pattern, const char *name)
{
    size_t p = 0, star = SIZE_MAX;
    const char *taken = NULL;

    if (is_hidden(name) && pattern.data[0] != name[0]) return false;
    while (*name != '\0') {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = p++;
            taken = name;
        } else if (p < pattern.size && (pattern.data[p] == '?' || pattern.data[p] == *name)) {
            p++;
            name++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            name = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*') p++;
    return p == pattern.size;
}

static enum status add_file(struct glob *g, const struct fs_entry *entry, struct err *e)
{
    if (g->count == FILES_MAX) {
        return err_set(e, E_CONFIG, "more than %d files, up to '%s'; use a narrower pattern", FILES_MAX, entry->path);
    }
    if (g->count == g->capacity) {
        g->capacity = MAX(16u, g->capacity * 2);
        struct fs_entry *grown = ARENA_ARRAY(g->arena, struct fs_entry, g->capacity);
        if (g->count > 0) memcpy(grown, g->found, sizeof *grown * g->count);
        g->found = grown;
    }
    g->found[g->count++] = *entry;
    return S_OK;
}

static enum status add_folder(struct glob *g, const char *path, int depth, struct err *e)
{
    struct fs_list list;

    if (depth > DEPTH_MAX) return err_set(e, E_CONFIG, "'%s' is more than %d folders deep; does a link lead back?", path, DEPTH_MAX);
    TRY(g->type->list(g->sys, path, g->arena, &list, e));
    for (uint32_t i = 0; i < list.count; i++) {
        const struct fs_entry *entry = &list.entries[i];
        if (is_hidden(last_part(entry->path))) continue;
        if (!entry->is_directory) TRY(add_file(g, entry, e));
        else if (g->recursive) TRY(add_folder(g, entry->path, depth + 1, e));
    }
    return S_OK;
}

static const char *join(struct glob *g, const char *folder, struct str name)
{
    size_t size = strlen(folder);

    return arena_printf(g->arena, "%s%s%.*s", folder, size == 0 || folder[size - 1] == '/' ? "" : "/", (int)name.size, name.data);
}

/* Follows the parts that are left of a pattern below a folder. */
static enum status expand(struct glob *g, const char *folder, struct str rest, int depth, struct err *e)
{
    struct str part;
    struct fs_list list;

    if (depth > DEPTH_MAX) return err_set(e, E_CONFIG, "the pattern has more than %d parts", DEPTH_MAX);
    while (str_cut(&rest, '/', &part) && !is_pattern(part)) {
        if (part.size > 0) folder = join(g, folder, part);
        if (rest.size > 0) continue;
        struct fs_entry entry; /* the last part is a plain name: it may be missing below this folder */
        if (g->type->stat(g->sys, folder, &entry, NULL) != S_OK) return S_OK;
        return entry.is_directory ? add_folder(g, folder, depth, e) : add_file(g, &entry, e);
    }
    struct err problem = {0};
    enum status st = g->type->list(g->sys, folder, g->arena, &list, &problem);
    if (st == E_NOT_FOUND) return S_OK;
    if (st != S_OK) return err_pass_on(e, &problem);
    for (uint32_t i = 0; i < list.count; i++) {
        const struct fs_entry *entry = &list.entries[i];
        if (!part_matches(part, last_part(entry->path))) continue;
        if (rest.size == 0 && !entry->is_directory) TRY(add_file(g, entry, e));
        else if (rest.size == 0) TRY(add_folder(g, entry->path, depth + 1, e));
        else if (entry->is_directory) TRY(expand(g, entry->path, rest, depth + 1, e));
    }
    return S_OK;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct fs_entry *)a)->path, ((const struct fs_entry *)b)->path);
}

enum status fs_glob(struct sys *sys, const char *uri, bool recursive, struct arena *a, struct fs_list *out, struct err *e)
{
    struct glob g = {.sys = sys, .arena = a, .recursive = recursive};
    struct err problem = {0};
    struct fs_entry entry;
    const char *path;

    TRY(fs_find(uri, &g.type, &path, e));
    enum status st = g.type->stat(sys, path, &entry, &problem);
    if (st == S_OK && entry.is_directory) TRY(add_folder(&g, path, 0, e));
    else if (st == S_OK) TRY(add_file(&g, &entry, e));
    else if (st != E_NOT_FOUND || !is_pattern(str_of(path))) return err_pass_on(e, &problem);
    else TRY(expand(&g, path[0] == '/' ? "/" : "", str_of(path), 0, e));
    if (st != S_OK && g.count == 0) {
        err_set(e, E_NOT_FOUND, "no file matches '%s'", uri);
        err_hint(e, "check the pattern; * and ? stand for anything but '/'%s",
                 path[0] != '/' ? ", and it starts at the folder in which the program runs" : "");
        return E_NOT_FOUND;
    }
    if (g.count > 0) qsort(g.found, g.count, sizeof *g.found, by_path);
    *out = (struct fs_list){g.found, g.count};
    return S_OK;
}
