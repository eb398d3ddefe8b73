/* memory_fs.c - see memory_fs.h. Objects lie in a short list; listing is consistent and sorted, as the port promises. */
#include "support/memory_fs.h"

#include <stdlib.h>
#include <string.h>

enum { OBJECTS_MAX = 4096 };

struct object {
    char *path, *bytes;
    size_t size;
};

static struct object objects[OBJECTS_MAX];
static int object_count, lists_failing;
static struct object late; /* of a write that lands later */
static const char *left = "";
static void (*hook)(const char *path);

static int find(const char *path)
{
    for (int i = 0; i < object_count; i++)
        if (strcmp(objects[i].path, path) == 0) return i;
    return -1;
}

static void drop(int i)
{
    free(objects[i].path);
    free(objects[i].bytes);
    memmove(&objects[i], &objects[i + 1], sizeof *objects * (size_t)(--object_count - i));
}

static struct object make(const char *path, struct str bytes)
{
    struct object o = {strdup(path), malloc(bytes.size + 1), bytes.size};

    memcpy(o.bytes, bytes.data != NULL ? bytes.data : "", bytes.size);
    return o;
}

static void put(struct object o)
{
    int at = 0;

    ASSERT(object_count < OBJECTS_MAX);
    while (at < object_count && strcmp(objects[at].path, o.path) < 0) at++;
    memmove(&objects[at + 1], &objects[at], sizeof *objects * (size_t)(object_count++ - at));
    objects[at] = o;
}

void memory_fs_put(const char *path, struct str bytes)
{
    int at = find(path);

    if (at >= 0) drop(at);
    put(make(path, bytes));
}

void memory_fs_reset(const char *script)
{
    while (object_count > 0) drop(0);
    free(late.path);
    free(late.bytes);
    late = (struct object){0};
    left = script;
    lists_failing = 0;
    hook = NULL;
}

void memory_fs_script(const char *script) { left = script; }
int memory_fs_count(void) { return object_count; }
bool memory_fs_has(const char *path) { return find(path) >= 0; }
void memory_fs_fail_list(int times) { lists_failing = times; }
void memory_fs_hook(void (*before)(const char *path)) { hook = before; }

struct str memory_fs_bytes(const char *path)
{
    int at = find(path);

    ASSERT(at >= 0);
    return (struct str){objects[at].bytes, objects[at].size};
}

static void land(void)
{
    if (late.path == NULL) return;
    if (find(late.path) < 0)
        put(late);
    else {
        free(late.path);
        free(late.bytes);
    }
    late = (struct object){0};
}

static enum status publish(struct sys *sys, const char *path, struct str bytes, bool if_absent,
                           enum fs_outcome *outcome, struct err *e)
{
    char how = *left != '\0' ? *left++ : 'o';

    (void)sys;
    if (hook != NULL) hook(path);
    land();
    *outcome = FS_OK;
    if (how == 'f') return err_set(e, E_IO, "writing '%s' fails", path);
    if (how == 'd') return err_set(e, E_FULL_DISK, "no room for '%s'", path);
    if (if_absent && find(path) >= 0 && how == 'o') {
        *outcome = FS_EXISTS;
        return S_OK;
    }
    bool is_taken = if_absent && find(path) >= 0;
    if ((how == 'o' || how == 'u') && !is_taken) memory_fs_put(path, bytes);
    if (how == 'w' && !is_taken) late = make(path, bytes);
    if (how == 'o') return S_OK;
    *outcome = FS_UNKNOWN;
    return err_set(e, E_UNKNOWN, "no answer for '%s'", path);
}

static enum status read_range(struct sys *sys, const char *path, int64_t offset, void *bytes, size_t size, size_t *got,
                              struct err *e)
{
    int at = find(path);

    (void)sys;
    *got = 0;
    if (at < 0) return err_set(e, E_NOT_FOUND, "'%s' is not there", path);
    if ((size_t)offset < objects[at].size) *got = MIN(size, objects[at].size - (size_t)offset);
    memcpy(bytes, objects[at].bytes + (*got > 0 ? offset : 0), *got);
    return S_OK;
}

/* What lies directly in it; a folder in it appears once. */
static enum status list(struct sys *sys, const char *directory, struct arena *a, struct fs_list *out, struct err *e)
{
    size_t size = strlen(directory);
    const char *last = "";

    (void)sys;
    if (lists_failing > 0) {
        lists_failing--;
        return err_set(e, E_IO, "listing '%s' fails", directory);
    }
    *out = (struct fs_list){.entries = ARENA_ARRAY(a, struct fs_entry, object_count + 1)};
    for (int i = 0; i < object_count; i++) {
        const char *path = objects[i].path;
        if (strncmp(path, directory, size) != 0 || path[size] != '/') continue;
        size_t name = size + 1 + strcspn(path + size + 1, "/");
        bool is_directory = path[name] == '/';
        if (is_directory && strncmp(last, path, name) == 0 && last[name] == '\0') continue;
        last = arena_strndup(a, path, name);
        out->entries[out->count++] = (struct fs_entry){
            .path = last, .size = (int64_t)objects[i].size, .is_directory = is_directory};
    }
    return out->count > 0 ? S_OK : err_set(e, E_NOT_FOUND, "there is no folder '%s'", directory);
}

static enum status stat_object(struct sys *sys, const char *path, struct fs_entry *out, struct err *e)
{
    int at = find(path);

    (void)sys;
    if (at < 0) return err_set(e, E_NOT_FOUND, "'%s' is not there", path);
    *out = (struct fs_entry){.path = path, .size = (int64_t)objects[at].size};
    return S_OK;
}

static enum status remove_object(struct sys *sys, const char *path, struct err *e)
{
    int at = find(path);

    (void)sys;
    (void)e;
    if (at >= 0) drop(at);
    return S_OK;
}

const struct fs_type memory_fs = {
    .scheme = "memory",
    .doc = "objects in memory",
    .publish = publish,
    .read_range = read_range,
    .list = list,
    .stat = stat_object,
    .remove = remove_object,
};
