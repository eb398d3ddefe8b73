/* sys_linux_internal.h - the parts of the Linux world: clocks and signals (sys_linux.c), threads (sys_linux_thread.c),
 * files (sys_linux_file.c), sockets (sys_linux_net.c), readiness (sys_linux_poll.c), the screen (sys_linux_screen.c). */
#pragma once
#include "ground/sys/sys_net.h"

#include <pthread.h>

struct sys_linux {
    struct sys sys;
    struct mem mem;
    pthread_mutex_t mem_lock; /* guards mem: any thread may open files and make parkers */
    pthread_mutex_t standard_lock; /* held while a standard stream takes what is written, in parts as a pipe does */
};

struct sys_file {
    int fd;
    int watched; /* of a standard file: its own number for epoll, see sys_linux_poll.c; 0 = none */
    bool is_standard;
    bool is_socket; /* then it never makes anybody wait */
    char *path;
};
struct sys_file *linux_file_new(struct sys *s, int fd, const char *path);

void *linux_alloc(struct sys *s, size_t size); /* cleared */
void linux_free(struct sys *s, void *p);

enum status linux_thread_start(struct sys *, const char *name, sys_thread_fn, void *arg, struct sys_thread **, struct err *);
void linux_thread_join(struct sys *, struct sys_thread *);
/* Ends the process with a sentence when the processor is older than what the build is for. */
void sys_linux_cpu_check(void);

struct sys_parker *linux_parker_create(struct sys *);
void linux_parker_free(struct sys *, struct sys_parker *);
bool linux_park(struct sys *, struct sys_parker *, int64_t timeout_ns);
void linux_unpark(struct sys *, struct sys_parker *);

enum status linux_file_open(struct sys *, const char *path, int flags, struct sys_file **, struct err *);
enum status linux_file_read(struct sys *, struct sys_file *, void *, size_t size, size_t *got, struct err *);
enum status linux_file_write(struct sys *, struct sys_file *, const void *, size_t size, struct err *);
enum status linux_file_seek(struct sys *, struct sys_file *, int64_t offset, struct err *);
enum status linux_file_sync(struct sys *, struct sys_file *, struct err *);
enum status linux_file_standard(struct sys *, int fd, struct sys_file **, struct err *);
void linux_file_close(struct sys *, struct sys_file *);
enum status linux_file_stat(struct sys *, const char *path, struct sys_stat *, struct err *);
enum status linux_file_rename(struct sys *, const char *from, const char *to, bool replace, struct err *);
enum status linux_file_set_mode(struct sys *, const char *path, uint32_t mode, struct err *);
enum status linux_file_real(struct sys *, const char *path, char *out, size_t size, struct err *);
enum status linux_file_delete(struct sys *, const char *path, struct err *);
enum status linux_dir_make(struct sys *, const char *path, struct err *);
enum status linux_dir_delete(struct sys *, const char *path, struct err *);
enum status linux_dir_list(struct sys *, const char *path, sys_dir_fn, void *arg, struct err *);
enum status linux_dir_sync(struct sys *, const char *path, struct err *);

enum status linux_address_find(struct sys *, const char *host, int port, bool numeric, struct sys_address *, uint32_t *count,
                               struct err *);
enum status linux_socket_begin(struct sys *, const struct sys_address *, struct sys_file **, struct err *);
enum status linux_socket_finish(struct sys *, struct sys_file *, struct err *);
enum status linux_socket_listen(struct sys *, const struct sys_address *, struct sys_file **, int *port, struct err *);
enum status linux_socket_accept(struct sys *, struct sys_file *, struct sys_file **, struct err *);
enum status linux_socket_pair(struct sys *, struct sys_file *[2], struct err *);
enum status linux_file_read_some(struct sys *, struct sys_file *, void *, size_t size, size_t *got, struct err *);
enum status linux_file_write_some(struct sys *, struct sys_file *, const void *, size_t size, size_t *put, struct err *);

enum status linux_poll_create(struct sys *, struct sys_poll **, struct err *);
void linux_poll_free(struct sys *, struct sys_poll *);
enum status linux_poll_set(struct sys *, struct sys_poll *, struct sys_file *, uint32_t events, void *arg, struct err *);
void linux_poll_remove(struct sys *, struct sys_poll *, struct sys_file *);
enum status linux_poll_wait(struct sys *, struct sys_poll *, int64_t timeout_ns, struct sys_poll_event *, uint32_t max,
                            uint32_t *count, struct err *);
void linux_poll_wake(struct sys *, struct sys_poll *);

bool linux_keys_open(struct sys *);
void linux_keys_close(struct sys *);
size_t linux_keys_read(struct sys *, char *out, size_t size);
bool linux_screen_open(struct sys *);
void linux_screen_close(struct sys *);
void linux_screen_leave(void); /* closes both, also in a signal handler */

/* Sets "cannot <verb> '<path>': <reason>" from errno and answers its status. `missing` names what is not there when the
 * system says so: for a file that was to be created that is its folder. */
enum status linux_error(struct err *e, const char *verb, const char *path, const char *missing);

struct sockaddr;
/* sys_linux_peer.c: the connection from that address to our port belongs to a process of this user, or of root, on this machine. */
bool sys_linux_peer_is_mine(const struct sockaddr *peer, int own_port);
