/* sys_program.c - the program itself and the code that it loads. A library stays mapped until it is closed; what was found
 * in it must not be used afterwards. */
#include "ground/sys/sys.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

enum status sys_library_open(const char *path, struct sys_library **out, struct err *e)
{
    char local[4096];
    size_t size = strlen(path);

    if (size + 3 > sizeof local) return err_set(e, E_CONFIG, "the path of a library is longer than %zu bytes", sizeof local);
    memcpy(local, "./", 2); /* a name without a slash means a file here, never the system's library path */
    memcpy(local + 2, path, size + 1);
    void *handle = dlopen(strchr(path, '/') != NULL ? path : local, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) return err_set(e, E_IO, "cannot load '%s': %s", path, dlerror());
    *out = handle;
    return S_OK;
}

void *sys_library_symbol(struct sys_library *library, const char *name) { return dlsym(library, name); }

void sys_library_close(struct sys_library *library)
{
    if (library != NULL) dlclose(library);
}

bool sys_program_path(char *out, size_t size)
{
    ssize_t got = readlink("/proc/self/exe", out, size - 1);

    if (got <= 0 || (size_t)got >= size - 1) return false;
    out[got] = '\0';
    return true;
}
