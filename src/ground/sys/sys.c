/* sys.c - the sys_* calls: each goes through the vtable of the world behind the door. */
#include "ground/sys/sys.h"

#include "ground/sys/sys_net.h"

enum status sys_thread_start(struct sys *s, const char *name, sys_thread_fn fn, void *arg, struct sys_thread **out, struct err *e)
{
    return s->ops->thread_start(s, name, fn, arg, out, e);
}

void sys_thread_join(struct sys *s, struct sys_thread *t)
{
    if (t != NULL) s->ops->thread_join(s, t);
}

int sys_cpu_count(struct sys *s) { return s->ops->cpu_count(s); }
struct sys_parker *sys_parker_create(struct sys *s) { return s->ops->parker_create(s); }

void sys_parker_free(struct sys *s, struct sys_parker *p)
{
    if (p != NULL) s->ops->parker_free(s, p);
}

bool sys_park(struct sys *s, struct sys_parker *p, int64_t timeout_ns) { return s->ops->park(s, p, timeout_ns); }
void sys_unpark(struct sys *s, struct sys_parker *p) { s->ops->unpark(s, p); }

enum status sys_file_open(struct sys *s, const char *path, int flags, struct sys_file **out, struct err *e)
{
    ASSERT(path != NULL && out != NULL);
    return s->ops->file_open(s, path, flags, out, e);
}

enum status sys_file_read(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    return s->ops->file_read(s, f, bytes, size, got, e);
}

enum status sys_file_write(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e)
{
    return s->ops->file_write(s, f, bytes, size, e);
}

enum status sys_file_seek(struct sys *s, struct sys_file *f, int64_t offset, struct err *e) { return s->ops->file_seek(s, f, offset, e); }
enum status sys_file_sync(struct sys *s, struct sys_file *f, struct err *e) { return s->ops->file_sync(s, f, e); }

void sys_file_close(struct sys *s, struct sys_file *f)
{
    if (f != NULL) s->ops->file_close(s, f);
}

enum status sys_file_stat(struct sys *s, const char *path, struct sys_stat *out, struct err *e)
{
    return s->ops->file_stat(s, path, out, e);
}

enum status sys_file_rename_new(struct sys *s, const char *from, const char *to, struct err *e)
{
    return s->ops->file_rename(s, from, to, false, e);
}

enum status sys_file_rename_over(struct sys *s, const char *from, const char *to, struct err *e)
{
    return s->ops->file_rename(s, from, to, true, e);
}

enum status sys_file_set_mode(struct sys *s, const char *path, uint32_t mode, struct err *e)
{
    return s->ops->file_set_mode(s, path, mode, e);
}

enum status sys_file_real(struct sys *s, const char *path, char *out, size_t size, struct err *e)
{
    ASSERT(size >= SYS_PATH_MAX);
    return s->ops->file_real(s, path, out, size, e);
}

enum status sys_file_delete(struct sys *s, const char *path, struct err *e) { return s->ops->file_delete(s, path, e); }
enum status sys_dir_make(struct sys *s, const char *path, struct err *e) { return s->ops->dir_make(s, path, e); }
enum status sys_dir_delete(struct sys *s, const char *path, struct err *e) { return s->ops->dir_delete(s, path, e); }

enum status sys_dir_list(struct sys *s, const char *path, sys_dir_fn fn, void *arg, struct err *e)
{
    return s->ops->dir_list(s, path, fn, arg, e);
}

enum status sys_dir_sync(struct sys *s, const char *path, struct err *e) { return s->ops->dir_sync(s, path, e); }

enum status sys_file_standard(struct sys *s, int fd, struct sys_file **out, struct err *e)
{
    ASSERT(fd >= 0 && fd <= 2);
    return s->ops->file_standard(s, fd, out, e);
}

void sys_line_live(struct sys *s, bool live) { __atomic_store_n(&s->live_line, live, __ATOMIC_RELEASE); }
bool sys_line_is_live(const struct sys *s) { return __atomic_load_n(&s->live_line, __ATOMIC_ACQUIRE) != 0; }
bool sys_is_terminal(struct sys *s, int fd) { return s->ops->is_terminal(s, fd); }
int sys_terminal_columns(struct sys *s, int fd) { return s->ops->terminal_columns(s, fd); }
int sys_terminal_rows(struct sys *s, int fd) { return s->ops->terminal_rows(s, fd); }
bool sys_keys_open(struct sys *s) { return s->ops->keys_open != NULL && s->ops->keys_open(s); }
bool sys_screen_open(struct sys *s) { return s->ops->screen_open != NULL && s->ops->screen_open(s); }

void sys_keys_close(struct sys *s)
{
    if (s->ops->keys_close != NULL) s->ops->keys_close(s);
}

void sys_screen_close(struct sys *s)
{
    if (s->ops->screen_close != NULL) s->ops->screen_close(s);
}

size_t sys_keys_read(struct sys *s, char *out, size_t size) { return s->ops->keys_read != NULL ? s->ops->keys_read(s, out, size) : 0; }

void sys_signal_forget(struct sys *s) { s->ops->signal_forget(s); }
enum sys_signal sys_signal_take(struct sys *s) { return s->ops->signal_take(s); }
int64_t sys_resident_bytes(struct sys *s) { return s->ops->resident_bytes(s); }
int64_t sys_memory_bytes(struct sys *s) { return s->ops->memory_bytes(s); }

/* --- sys_net.h ---------------------------------------------------------------------------------------------------- */
enum status sys_address_find(struct sys *s, const char *host, int port, bool numeric, struct sys_address *list, uint32_t *count,
                             struct err *e)
{
    ASSERT(port >= 0 && port <= 65535);
    return s->ops->address_find(s, host, port, numeric, list, count, e);
}

enum status sys_socket_begin(struct sys *s, const struct sys_address *a, struct sys_file **out, struct err *e)
{
    return s->ops->socket_begin(s, a, out, e);
}

enum status sys_socket_finish(struct sys *s, struct sys_file *f, struct err *e) { return s->ops->socket_finish(s, f, e); }

enum status sys_socket_listen(struct sys *s, const struct sys_address *a, struct sys_file **out, int *port, struct err *e)
{
    return s->ops->socket_listen(s, a, out, port, e);
}

enum status sys_socket_accept(struct sys *s, struct sys_file *listener, struct sys_file **out, struct err *e)
{
    return s->ops->socket_accept(s, listener, out, e);
}

enum status sys_socket_pair(struct sys *s, struct sys_file *out[2], struct err *e) { return s->ops->socket_pair(s, out, e); }

enum status sys_file_read_some(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    ASSERT(size > 0);
    return s->ops->file_read_some(s, f, bytes, size, got, e);
}

enum status sys_file_write_some(struct sys *s, struct sys_file *f, const void *bytes, size_t size, size_t *put, struct err *e)
{
    ASSERT(size > 0);
    return s->ops->file_write_some(s, f, bytes, size, put, e);
}

enum status sys_poll_create(struct sys *s, struct sys_poll **out, struct err *e) { return s->ops->poll_create(s, out, e); }

void sys_poll_free(struct sys *s, struct sys_poll *p)
{
    if (p != NULL) s->ops->poll_free(s, p);
}

enum status sys_poll_set(struct sys *s, struct sys_poll *p, struct sys_file *f, uint32_t events, void *arg, struct err *e)
{
    ASSERT(events <= (SYS_READY_READ | SYS_READY_WRITE | SYS_READY_ONCE));
    return s->ops->poll_set(s, p, f, events, arg, e);
}

void sys_poll_remove(struct sys *s, struct sys_poll *p, struct sys_file *f) { s->ops->poll_remove(s, p, f); }

enum status sys_poll_wait(struct sys *s, struct sys_poll *p, int64_t timeout_ns, struct sys_poll_event *events, uint32_t max,
                          uint32_t *count, struct err *e)
{
    ASSERT(timeout_ns >= 0 && max > 0);
    return s->ops->poll_wait(s, p, timeout_ns, events, max, count, e);
}

void sys_poll_wake(struct sys *s, struct sys_poll *p) { s->ops->poll_wake(s, p); }
