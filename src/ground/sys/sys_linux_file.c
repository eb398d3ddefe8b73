/* sys_linux_file.c - files, folders and standard streams. Interrupted calls go on; every failure becomes
 * "cannot <verb> '<path>': <reason>" with a status that callers can act on. */
#include "ground/sys/sys_linux_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 1000000 };

struct reason {
    int number;
    enum status status;
    const char *text, *hint;
};
static const struct reason reasons[] = {
    {EACCES, E_PERMISSION, "permission denied", "let this user do it (chmod, chown), or run as one who may"},
    {EPERM, E_PERMISSION, "operation not permitted", "run as a user who may"},
    {EROFS, E_PERMISSION, "the file system is read-only", "choose another place"},
    {EEXIST, E_EXISTS, "it exists already", "remove it, or choose another name"},
    {ENOSPC, E_FULL_DISK, "no space left on device", "make room there, then run again"},
    {EDQUOT, E_FULL_DISK, "disk quota exceeded", "make room there, then run again"},
    {EPIPE, E_PIPE, "the reader went away", "it must read to the end to get all"},
    {EISDIR, E_IO, "it is a folder", "name a file in it"},
    {ENOTDIR, E_IO, "a part of the path is not a folder", "check the path"},
    {ENOTEMPTY, E_IO, "the folder is not empty", "delete what is in it first"},
    {EMFILE, E_IO, "too many open files in this process", "raise the limit (ulimit -n)"},
    {EBADF, E_IO, "it is closed", "run it with that stream open"},
    {ECONNREFUSED, E_IO, "connection refused", "check host and port, and that somebody listens there"},
    {ETIMEDOUT, E_IO, "no answer", "check host and port, and that nothing stands between"},
    {EADDRINUSE, E_EXISTS, "somebody else has that port", "choose another port"},
    {EADDRNOTAVAIL, E_CONFIG, "that address is not one of this machine", "choose one of its own"},
};

enum status linux_error(struct err *e, const char *verb, const char *path, const char *missing)
{
    int number = errno;
    char text[128];

    ASSERT(number != 0);
    if (number == ENOENT) {
        err_set(e, E_NOT_FOUND, "cannot %s '%s': no such %s", verb, path, missing);
        err_hint(e, "check the path%s", path[0] != '/' ? "; it starts at the folder in which the program runs" : "");
        return E_NOT_FOUND;
    }
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        const struct reason *r = &reasons[i];
        if (r->number != number) continue;
        err_set(e, r->status, "cannot %s '%s': %s", verb, path, r->text);
        err_hint(e, "%s", r->hint);
        return r->status;
    }
    return err_set(e, E_IO, "cannot %s '%s': %s", verb, path, strerror_r(number, text, sizeof text));
}

struct sys_file *linux_file_new(struct sys *s, int fd, const char *path)
{
    struct sys_file *f = linux_alloc(s, sizeof *f);
    size_t size = strlen(path) + 1;

    f->fd = fd;
    f->path = linux_alloc(s, size);
    memcpy(f->path, path, size);
    return f;
}

enum status linux_file_open(struct sys *s, const char *path, int flags, struct sys_file **out, struct err *e)
{
    bool create = (flags & (SYS_CREATE | SYS_EXCLUSIVE)) != 0;
    int mode = (flags & SYS_WRITE) == 0 ? O_RDONLY : (flags & SYS_READ) != 0 ? O_RDWR : O_WRONLY;

    mode |= (flags & SYS_CREATE ? O_CREAT : 0) | (flags & SYS_EXCLUSIVE ? O_CREAT | O_EXCL : 0);
    mode |= (flags & SYS_TRUNCATE ? O_TRUNC : 0) | (flags & SYS_APPEND ? O_APPEND : 0) | O_CLOEXEC;
    mode |= flags & SYS_STREAM ? O_NONBLOCK : 0;
    int fd = open(path, mode, 0666);
    if (fd < 0) return create ? linux_error(e, "create", path, "folder") : linux_error(e, "open", path, "file");
    *out = linux_file_new(s, fd, path);
    return S_OK;
}

enum status linux_file_read(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    ssize_t n;

    (void)s;
    ASSERT(!f->is_socket);
    do n = read(f->fd, bytes, size);
    while (n < 0 && errno == EINTR);
    if (n < 0) return linux_error(e, "read", f->path, "file");
    *got = (size_t)n;
    return S_OK;
}

/* A file that took a part of what was to be written (the disk is full) is cut back to what it was, so that no half line
 * stands at its end. Nothing can be taken back from a pipe or a terminal. */
static void take_back(int fd, size_t size)
{
    struct stat st;

    if (size == 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < (off_t)size || at != st.st_size) return; /* not at its end: what follows is somebody else's */
    if (ftruncate(fd, at - (off_t)size) == 0) lseek(fd, at - (off_t)size, SEEK_SET);
}

static enum status write_all(const struct sys_file *f, const char *bytes, size_t size, struct err *e)
{
    const char *p = bytes;

    while (size > 0) {
        ssize_t n = write(f->fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            enum status st = linux_error(e, "write", f->path, "file");
            take_back(f->fd, (size_t)(p - bytes));
            return st;
        }
        p += n;
        size -= (size_t)n;
    }
    return S_OK;
}

/* Several tasks may write to one standard stream, and a pipe takes a large piece in parts: one piece after another. */
enum status linux_file_write(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e)
{
    struct sys_linux *w = (struct sys_linux *)s;

    ASSERT(!f->is_socket);
    if (!f->is_standard) return write_all(f, bytes, size, e);
    pthread_mutex_lock(&w->standard_lock);
    enum status st = write_all(f, bytes, size, e);
    pthread_mutex_unlock(&w->standard_lock);
    return st;
}

enum status linux_file_seek(struct sys *s, struct sys_file *f, int64_t offset, struct err *e)
{
    (void)s;
    return lseek(f->fd, offset, SEEK_SET) < 0 ? linux_error(e, "seek in", f->path, "file") : S_OK;
}

enum status linux_file_sync(struct sys *s, struct sys_file *f, struct err *e)
{
    (void)s;
    return fdatasync(f->fd) != 0 ? linux_error(e, "sync", f->path, "file") : S_OK;
}

void linux_file_close(struct sys *s, struct sys_file *f)
{
    if (!f->is_standard) close(f->fd);
    if (f->watched > 0) close(f->watched);
    linux_free(s, f->path);
    linux_free(s, f);
}

enum status linux_file_standard(struct sys *s, int fd, struct sys_file **out, struct err *e)
{
    static const char *const names[] = {"standard input", "standard output", "standard error"};

    (void)e;
    *out = linux_file_new(s, fd, names[fd]);
    (*out)->is_standard = true;
    return S_OK;
}

/* --- names ------------------------------------------------------------------------------------------------------------ */
enum status linux_file_stat(struct sys *s, const char *path, struct sys_stat *out, struct err *e)
{
    struct stat st;

    (void)s;
    if (stat(path, &st) != 0) return linux_error(e, "read", path, "file or folder");
    *out = (struct sys_stat){.size = st.st_size,
                             .modified_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000,
                             .is_directory = S_ISDIR(st.st_mode),
                             .is_regular = S_ISREG(st.st_mode),
                             .mode = st.st_mode & 07777};
    return S_OK;
}

enum status linux_file_rename(struct sys *s, const char *from, const char *to, bool replace, struct err *e)
{
    (void)s;
    if (replace) return rename(from, to) != 0 ? linux_error(e, "create", to, "file or folder") : S_OK;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return S_OK;
    if (errno != EINVAL && errno != ENOSYS) return linux_error(e, "create", to, "file or folder");
    /* a file system without that flag: a hard link does not replace either */
    if (link(from, to) != 0) return linux_error(e, "create", to, "file or folder");
    return unlink(from) != 0 ? linux_error(e, "delete", from, "file") : S_OK;
}

enum status linux_file_set_mode(struct sys *s, const char *path, uint32_t mode, struct err *e)
{
    (void)s;
    return chmod(path, mode) != 0 ? linux_error(e, "change the mode of", path, "file or folder") : S_OK;
}

enum status linux_file_real(struct sys *s, const char *path, char *out, size_t size, struct err *e)
{
    (void)s;
    ASSERT(size >= PATH_MAX); /* what realpath writes at most */
    return realpath(path, out) == NULL ? linux_error(e, "read", path, "file or folder") : S_OK;
}

enum status linux_file_delete(struct sys *s, const char *path, struct err *e)
{
    (void)s;
    return unlink(path) != 0 && errno != ENOENT ? linux_error(e, "delete", path, "file") : S_OK;
}

enum status linux_dir_delete(struct sys *s, const char *path, struct err *e)
{
    (void)s;
    return rmdir(path) != 0 && errno != ENOENT ? linux_error(e, "delete", path, "folder") : S_OK;
}

/* A folder is durable once the one that holds it is synced. Where that may not be opened, the system decides when. */
static void sync_parent(const char *path)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL || slash == path ? 1 : (size_t)(slash - path);

    memcpy(parent, slash == NULL ? "." : path, size);
    parent[size] = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

static enum status make_one(struct sys *s, const char *path, struct err *e)
{
    struct sys_stat st = {0};

    if (mkdir(path, 0777) == 0) {
        sync_parent(path);
        return S_OK;
    }
    if (errno != EEXIST) return linux_error(e, "create", path, "folder");
    TRY(linux_file_stat(s, path, &st, e));
    return st.is_directory ? S_OK : err_set(e, E_EXISTS, "cannot create folder '%s': a file has that name", path);
}

enum status linux_dir_make(struct sys *s, const char *path, struct err *e)
{
    char part[PATH_MAX];
    size_t size = strlen(path);

    if (size == 0 || size >= sizeof part) return err_set(e, E_CONFIG, "'%.100s' is not a folder's name", path);
    memcpy(part, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        part[i] = '\0';
        TRY(make_one(s, part, e));
        if (i < size) part[i] = '/';
    }
    return S_OK;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static enum status read_names(struct sys *s, DIR *d, char ***names, size_t *count, const char *path, struct err *e)
{
    size_t capacity = 0;

    errno = 0; /* the only way to tell the end from a failure */
    for (struct dirent *entry; (entry = readdir(d)) != NULL; errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (*count == NAMES_MAX) return err_set(e, E_IO, "folder '%s' has more than %d entries", path, NAMES_MAX);
        if (*count == capacity) {
            capacity = MAX((size_t)64, capacity * 2);
            char **grown = linux_alloc(s, sizeof *grown * capacity);
            if (*count > 0) memcpy(grown, *names, sizeof *grown * *count);
            linux_free(s, *names);
            *names = grown;
        }
        size_t size = strlen(entry->d_name) + 1;
        (*names)[*count] = linux_alloc(s, size);
        memcpy((*names)[(*count)++], entry->d_name, size);
    }
    return errno != 0 ? linux_error(e, "list", path, "folder") : S_OK;
}

enum status linux_dir_list(struct sys *s, const char *path, sys_dir_fn fn, void *arg, struct err *e)
{
    char **names = NULL, full[PATH_MAX + NAME_MAX + 2];
    size_t count = 0;
    struct sys_stat st;
    DIR *d = opendir(path);

    if (d == NULL) return linux_error(e, "list", path, "folder");
    enum status result = read_names(s, d, &names, &count, path, e);
    closedir(d);
    if (count > 0) qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        snprintf(full, sizeof full, "%s/%s", path, names[i]);
        /* an entry that went away between listing and looking is left out */
        if (result == S_OK && linux_file_stat(s, full, &st, NULL) == S_OK) fn(arg, names[i], &st);
        linux_free(s, names[i]);
    }
    linux_free(s, names);
    return result;
}

enum status linux_dir_sync(struct sys *s, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status st = S_OK;

    (void)s;
    if (fd < 0) return linux_error(e, "open", path, "folder");
    if (fsync(fd) != 0) st = linux_error(e, "sync", path, "folder");
    close(fd);
    return st;
}
