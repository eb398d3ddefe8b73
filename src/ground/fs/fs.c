/* fs.c - finds the file system that a URI names, in the list of those that are built in. A text without a scheme is a
 * local path. What stands behind the scheme is the type's own affair, except that a local URI names no host. */
#include "ground/fs/fs.h"

#include "ground/base/str.h"

#include <string.h>

#define X(name) extern const struct fs_type fs_##name;
#include "fs_registry.def"
#undef X

static const struct fs_type *const types[] = {
#define X(name) &fs_##name,
#include "fs_registry.def"
#undef X
};

/* Length of the scheme in front of ":/", 0 when there is none. */
static size_t scheme_size(const char *uri)
{
    size_t size = strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

    return uri[size] == ':' && uri[size + 1] == '/' ? size : 0;
}

static enum status unknown_scheme(const char *uri, struct str scheme, struct err *e)
{
    char known[ERR_HINT_MAX] = "";
    size_t used = 0;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct str name = str_of(types[i]->scheme);
        if (used + name.size + 6 > sizeof known) break;
        memcpy(known + used, i > 0 ? ", " : "", i > 0 ? 2 : 0);
        used += i > 0 ? 2 : 0;
        memcpy(known + used, name.data, name.size);
        memcpy(known + used + name.size, "://", 4);
        used += name.size + 3;
    }
    err_set(e, E_CONFIG, "'%s': there is no file system '%.*s'", uri, (int)scheme.size, scheme.data);
    err_hint(e, "known are %s and plain paths", known);
    return E_CONFIG;
}

/* "file:/a", "file:///a" and "file://localhost/a" are /a. */
static enum status local_path(const char *uri, const char *rest, const char **path, struct err *e)
{
    if (rest[0] == '/' && rest[1] == '/') {
        rest += 2;
        if (str_starts(str_of(rest), STR("localhost/"))) rest += strlen("localhost");
    }
    if (rest[0] != '/') {
        err_set(e, E_CONFIG, "'%s' names the host '%.*s', but local files have none", uri, (int)strcspn(rest, "/"), rest);
        err_hint(e, "write 'file:///folder/name', or the plain path");
        return E_CONFIG;
    }
    *path = rest;
    return S_OK;
}

enum status fs_find(const char *uri, const struct fs_type **type, const char **path, struct err *e)
{
    ASSERT(uri != NULL);
    if (uri[0] == '\0') return err_set(e, E_CONFIG, "the path is empty");
    struct str scheme = {uri, scheme_size(uri)};
    const struct fs_type *found = NULL;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_equal_nocase(str_of(types[i]->scheme), scheme.size > 0 ? scheme : STR("file"))) found = types[i];
    if (found == NULL) return unknown_scheme(uri, scheme, e);
    const char *rest = uri + scheme.size + (scheme.size > 0 ? 1 : 0);
    bool is_local = str_equal(str_of(found->scheme), STR("file"));
    if (is_local && scheme.size > 0) TRY(local_path(uri, rest, &rest, e));
    else if (scheme.size > 0 && rest[1] == '/') rest += 2;
    *type = found;
    *path = rest;
    return S_OK;
}
