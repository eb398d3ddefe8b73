/* sys_program.c - the program itself and the code that it loads. A library stays mapped until it is closed; what was found
 * in it must not be used afterwards. */
#include "ground/sys/sys_linux_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
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

const char *sys_environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool sys_has_color(struct sys *s, int fd)
{
    const char *term = sys_environment("TERM");

    return sys_is_terminal(s, fd) && sys_environment("NO_COLOR") == NULL && term != NULL && strcmp(term, "dumb") != 0;
}

void *sys_library_symbol(struct sys_library *library, const char *name) { return dlsym(library, name); }

void sys_library_close(struct sys_library *library)
{
    if (library != NULL) dlclose(library);
}

enum status sys_stdout_flush(struct sys *s, struct err *e)
{
    (void)s;
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return S_OK;
    struct pollfd p = {.fd = STDOUT_FILENO};
    /* an earlier write failed inside printf, and its reason is gone: a pipe without a reader can still be told */
    if (errno == 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0) errno = EPIPE;
    if (errno == 0) return err_set(e, E_IO, "cannot write 'standard output': an earlier write failed");
    return linux_error(e, "write", "standard output", "file");
}

void sys_process_end(int exit_status) { _exit(exit_status); }

bool sys_program_path(char *out, size_t size)
{
    ssize_t got = readlink("/proc/self/exe", out, size - 1);

    if (got <= 0 || (size_t)got >= size - 1) return false;
    out[got] = '\0';
    return true;
}
