/* catalog_store.c - catalogs as files. A file is written in one step (fs.h's publish), so that a reader sees all of it or none; what
 * is not a catalog's file in the folder is left alone. Files of Flink's can be read, and Flink can read these. */
#include "surface/sql/catalog_store.h"

#include "ground/base/str.h"
#include "ground/fs/fs.h"
#include "surface/sql/sql_keys.h"

#include <string.h>

enum { NAME_BYTES_MAX = 200 };

/* --- options ----------------------------------------------------------------------------------------------------- */
const struct option_def catalog_defs[] = {
    {.key = "type",
     .kind = OPT_STRING,
     .fallback = "",
     .required = true,
     .doc = "generic_in_memory: tables live as long as the session"},
    {.key = "default-database",
     .kind = OPT_STRING,
     .fallback = "default",
     .doc = "the database that it has from the beginning"},
    {.key = "property-version", .kind = OPT_INT, .fallback = "1", .doc = "accepted: there is one version"},
    {0},
};

enum status catalog_options_check(struct str name, const struct options *o, struct err *e)
{
    const char *type = NULL, *database = "default";

    for (uint32_t i = 0; i < o->count; i++) {
        if (strcmp(o->items[i].key, "type") == 0) type = o->items[i].value;
        if (strcmp(o->items[i].key, "default-database") == 0) database = o->items[i].value;
    }
    if (type == NULL) {
        err_hint(e, "write WITH ('type' = 'generic_in_memory')");
        return err_set(e, E_CONFIG, "Catalog options do not contain an option key 'type' for discovering a catalog.");
    }
    if (strcmp(type, "generic_in_memory") != 0) {
        err_hint(e, "write WITH ('type' = 'generic_in_memory')");
        return err_set(e, E_CONFIG, "Could not find any factory for identifier '%s' that makes catalogs", type);
    }
    for (uint32_t i = 0; i < o->count; i++) {
        if (option_find(catalog_defs, o->items[i].key) != NULL) continue;
        err_hint(e, "it takes 'type', 'default-database', 'property-version'");
        return err_set(e, E_CONFIG, "Unsupported options found for catalog '%.*s': %s", (int)name.size, name.data,
                       o->items[i].key);
    }
    if (database[0] == '\0') return err_set(e, E_CONFIG, "defaultDatabase cannot be null or empty");
    return options_check(o, catalog_defs, "a catalog", e);
}

/* --- files ------------------------------------------------------------------------------------------------------- */
static enum status path_of(const struct catalog_store *s, const char *name, struct buf *path, struct err *e)
{
    size_t size = strlen(name);

    if (size == 0 || size > NAME_BYTES_MAX || name[0] == '.' || strpbrk(name, "/\n\r") != NULL)
        return err_set(e, E_CONFIG, "catalog '%s' cannot be remembered in a file: its name is no file's name", name);
    buf_printf(path, "%s/%s.yaml", s->folder, name);
    return S_OK;
}

/* YAML's "text" is JSON's. */
static void print_text(const char *text, struct buf *out)
{
    buf_append_byte(out, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c == '"' || *c == '\\')
            buf_printf(out, "\\%c", *c);
        else if (*c < ' ')
            buf_printf(out, "\\x%02x", *c);
        else
            buf_append_byte(out, (char)*c);
    buf_append_byte(out, '"');
}

static bool is_plain(const char *key)
{
    return key[0] != '\0' && key[0] != '-' &&
           strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == strlen(key);
}

static enum status publish(const struct catalog_store *s, const char *path, const struct buf *text, struct err *e)
{
    const struct fs_type *fs;
    enum fs_outcome outcome;

    TRY(fs_find(path, &fs, &path, e));
    return fs->publish(s->sys, path, (struct str){text->data, text->size}, false, &outcome, e);
}

/* The last of equal keys counts. */
static bool is_last(const struct options *o, uint32_t at)
{
    for (uint32_t i = at + 1; i < o->count; i++)
        if (strcmp(o->items[i].key, o->items[at].key) == 0) return false;
    return true;
}

enum status catalog_store_write(struct catalog_store *s, const char *name, const struct options *o, struct err *e)
{
    struct mem mem;
    struct buf text, path;

    if (s->folder == NULL) return S_OK;
    mem_init(&mem, "catalog store", 0);
    buf_init(&text, &mem);
    buf_init(&path, &mem);
    for (uint32_t i = 0; i < o->count; i++) {
        if (!is_last(o, i)) continue;
        if (is_plain(o->items[i].key))
            buf_append_text(&text, o->items[i].key);
        else
            print_text(o->items[i].key, &text);
        buf_append_text(&text, ": ");
        print_text(o->items[i].value, &text);
        buf_append_byte(&text, '\n');
    }
    enum status st = path_of(s, name, &path, e);
    if (st == S_OK) st = publish(s, buf_text(&path), &text, e);
    buf_release(&path);
    buf_release(&text);
    mem_release(&mem);
    return st;
}

enum status catalog_store_remove(struct catalog_store *s, const char *name, struct err *e)
{
    const struct fs_type *fs;
    const char *path;
    struct buf text;
    struct mem mem;

    if (s->folder == NULL) return S_OK;
    mem_init(&mem, "catalog store", 0);
    buf_init(&text, &mem);
    enum status st = path_of(s, name, &text, e);
    if (st == S_OK) st = fs_find(buf_text(&text), &fs, &path, e);
    if (st == S_OK) st = fs->remove(s->sys, path, e);
    buf_release(&text);
    mem_release(&mem);
    return st;
}

/* --- what there is ----------------------------------------------------------------------------------------------- */
static enum status load(struct catalog_store *s, struct catalogs *c, const char *path, struct str name, struct arena *a,
                        struct err *e)
{
    struct config read;
    struct space said = {0};

    config_init(&read, a);
    TRY(config_read_yaml(&read, s->sys, path, e));
    said.options = config_options(&read);
    const char *text = arena_strndup(a, name.data, name.size);
    TRY(catalog_options_check(name, &said.options, e));
    return catalogs_add_catalog(c, text, &said, true, e);
}

/* NAME.yaml -> NAME */
static bool name_of(const char *path, struct str *out)
{
    const char *last = strrchr(path, '/');
    struct str file = str_of(last != NULL ? last + 1 : path);

    if (file.size <= 5 || file.data[0] == '.' || !str_ends(file, STR(".yaml"))) return false;
    *out = (struct str){file.data, file.size - 5};
    return true;
}

static enum status load_all(struct catalog_store *s, struct catalogs *c, struct arena *a, struct err *e)
{
    struct err missing = {0};
    const struct fs_type *fs;
    const char *path;
    struct fs_list list = {0};
    struct str name;

    TRY(fs_find(s->folder, &fs, &path, e));
    enum status st = fs->list(s->sys, path, a, &list, &missing);
    if (st == E_NOT_FOUND) return S_OK; /* the first catalog makes it */
    if (st != S_OK) return err_pass_on(e, &missing);
    for (uint32_t i = 0; i < list.count; i++)
        if (!list.entries[i].is_directory && name_of(list.entries[i].path, &name))
            TRY(load(s, c, list.entries[i].path, name, a, e));
    return S_OK;
}

enum status catalog_store_open(struct catalog_store *s, struct sys *sys, const struct config *config,
                               struct catalogs *c, struct arena *a, struct err *e)
{
    struct options o = config_options(config);
    const char *folder = options_get(&o, sql_keys, "table.catalog-store.file.path");
    struct arena local;

    if (s->is_open) return S_OK;
    s->sys = sys;
    s->is_open = options_enum(&o, sql_keys, "table.catalog-store.kind") == 0;
    if (s->is_open) return S_OK;
    if (folder == NULL || folder[0] == '\0')
        return err_set(
            e, E_CONFIG,
            "'table.catalog-store.kind' = 'file' needs 'table.catalog-store.file.path', the folder of its files");
    s->folder = arena_strdup(a, folder);
    arena_init(&local, a->mem, 0);
    enum status st = load_all(s, c, &local, e);
    arena_release(&local);
    s->is_open = st == S_OK; /* else no statement runs: it might write over what could not be read */
    if (!s->is_open) s->folder = NULL;
    return st;
}
