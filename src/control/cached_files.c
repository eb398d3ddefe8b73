/* cached_files.c - Flink's text for files of the distributed cache. An embedded run reads files where they lie, so a path is
 * local; "executable" is read and changes nothing, since no copy is made whose mode could be set. */
#include "control/cached_files.h"

#include "ground/base/str.h"

#include <string.h>

enum { CACHED_FILES_MAX = 1024 };

static enum status entry_mistake(struct str entry, struct err *e)
{
    err_set(e, E_CONFIG, "pipeline.cached-files: '%.*s' is not a file", (int)MIN(entry.size, 200), entry.data);
    err_hint(e, "write name:NAME,path:PATH, and ';' between files");
    return E_CONFIG;
}

static bool cut_key(struct str *field, const char *key)
{
    struct str name;

    return str_cut(field, ':', &name) && str_equal(str_trim(name), str_of(key));
}

static enum status path_of(struct arena *a, struct str path, const char **out, struct err *e)
{
    struct str scheme = path, local = STR("file://");
    struct str name;

    if (path.size > local.size && str_equal((struct str){path.data, local.size}, local))
        path = (struct str){path.data + local.size, path.size - local.size};
    else if (str_cut(&scheme, ':', &name) && scheme.size >= 2 && scheme.data[0] == '/' && scheme.data[1] == '/')
        return err_set(e, E_CONFIG, "pipeline.cached-files: '%.*s' is not on a local disk; only file:// is known here",
                       (int)MIN(path.size, 200), path.data);
    *out = arena_strndup(a, path.data, path.size);
    return S_OK;
}

static enum status entry_parse(struct arena *a, struct str entry, struct option *out, struct err *e)
{
    struct str rest = entry, name, path, more;

    if (!str_cut(&rest, ',', &name)) return entry_mistake(entry, e);
    if (!cut_key(&name, "name") || str_trim(name).size == 0) return entry_mistake(entry, e);
    if (!str_cut(&rest, ',', &path)) return entry_mistake(entry, e);
    if (!cut_key(&path, "path") || str_trim(path).size == 0) return entry_mistake(entry, e);
    more = str_trim(rest);
    if (more.size > 0 && !cut_key(&more, "executable")) return entry_mistake(entry, e);
    name = str_trim(name);
    out->key = arena_strndup(a, name.data, name.size);
    return path_of(a, str_trim(path), &out->value, e);
}

enum status cached_files_parse(struct arena *a, const char *text, struct options *out, struct err *e)
{
    struct str rest = str_of(text != NULL ? text : ""), entry;
    uint32_t count = 0;

    *out = (struct options){0};
    if (rest.size == 0) return S_OK;
    struct option *items = ARENA_ARRAY(a, struct option, CACHED_FILES_MAX);
    while (rest.size > 0) {
        (void)str_cut(&rest, ';', &entry);
        if (str_trim(entry).size == 0) continue;
        if (count == CACHED_FILES_MAX)
            return err_set(e, E_CONFIG, "pipeline.cached-files: at most %d files", CACHED_FILES_MAX);
        TRY(entry_parse(a, str_trim(entry), &items[count], e));
        for (uint32_t i = 0; i < count; i++)
            if (strcmp(items[i].key, items[count].key) == 0)
                return err_set(e, E_CONFIG, "pipeline.cached-files: two files are named '%s'", items[count].key);
        count++;
    }
    *out = (struct options){items, count};
    return S_OK;
}

enum status cached_files_check(const struct options *files, struct sys *sys, struct err *e)
{
    for (uint32_t i = 0; i < files->count; i++) {
        struct sys_stat st;
        if (sys_file_stat(sys, files->items[i].value, &st, NULL) != S_OK)
            return err_set(e, E_NOT_FOUND, "cached file '%s': there is no file '%s'", files->items[i].key,
                           files->items[i].value);
    }
    return S_OK;
}
