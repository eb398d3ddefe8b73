/* sys.h - THE ONLY DOOR to clock, threads, files, sockets, signals and randomness. Two worlds stand behind it: Linux
 * (sys_linux*.c) and the simulation (sim/sys_sim.c). Nobody else calls the operating system; tidy proves it with nm.
 *
 * Threading: `struct sys` may be used from any thread of its node; files, sockets, parkers belong to one thread at a
 * time unless said otherwise. Errors never escape as errno: they are a status and a sentence. */
#pragma once
#include "ground/base/err.h"
#include "ground/base/mem.h"

struct sys;
struct sys_file;
struct sys_thread;
struct sys_parker;  /* lets one thread sleep until another wakes it */
struct sys_mailbox; /* many senders, one receiver, of pointers */
struct sys_address; /* sockets and readiness: sys_net.h */
struct sys_poll;
struct sys_poll_event;

enum sys_file_flags {
    SYS_READ = 1,
    SYS_WRITE = 2,
    SYS_CREATE = 4,    /* with SYS_WRITE: make it when missing */
    SYS_EXCLUSIVE = 8, /* E_EXISTS when it is there */
    SYS_TRUNCATE = 16,
    SYS_APPEND = 32,
    SYS_STREAM = 64, /* with SYS_READ, of pipes: do not wait until somebody writes; sys_file_read_some says S_IDLE */
};

enum { SYS_PATH_MAX = 4096 };

struct sys_stat {
    int64_t size, modified_ms;
    bool is_directory, is_regular;
    uint32_t mode; /* who may read and write it, as of chmod: 0644 */
};

typedef void (*sys_thread_fn)(void *arg);
typedef void (*sys_dir_fn)(void *arg, const char *name, const struct sys_stat *st);

enum sys_signal { SYS_SIGNAL_NONE, SYS_SIGNAL_INT, SYS_SIGNAL_TERM };

/* The vtable of a world. Call through the sys_* functions below. */
struct kv;
struct kv_settings;
struct sys_ops {
    const char *name; /* "linux" or "sim" */
    int64_t (*wall_ms)(struct sys *);      /* since 1970 */
    int64_t (*mono_ns)(struct sys *);      /* monotonic, for durations and deadlines */
    uint64_t (*random)(struct sys *);
    enum status (*thread_start)(struct sys *, const char *name, sys_thread_fn, void *arg, struct sys_thread **, struct err *);
    void (*thread_join)(struct sys *, struct sys_thread *);
    int (*cpu_count)(struct sys *);
    struct sys_parker *(*parker_create)(struct sys *);
    void (*parker_free)(struct sys *, struct sys_parker *);
    bool (*park)(struct sys *, struct sys_parker *, int64_t timeout_ns);
    void (*unpark)(struct sys *, struct sys_parker *);
    enum status (*file_open)(struct sys *, const char *path, int flags, struct sys_file **, struct err *);
    enum status (*file_read)(struct sys *, struct sys_file *, void *, size_t size, size_t *got, struct err *);
    enum status (*file_write)(struct sys *, struct sys_file *, const void *, size_t size, struct err *);
    enum status (*file_seek)(struct sys *, struct sys_file *, int64_t offset, struct err *);
    enum status (*file_sync)(struct sys *, struct sys_file *, struct err *);
    enum status (*file_stat)(struct sys *, const char *path, struct sys_stat *, struct err *);
    enum status (*file_rename)(struct sys *, const char *from, const char *to, bool replace, struct err *);
    enum status (*file_set_mode)(struct sys *, const char *path, uint32_t mode, struct err *);
    enum status (*file_real)(struct sys *, const char *path, char *out, size_t size, struct err *);
    enum status (*file_delete)(struct sys *, const char *path, struct err *);
    enum status (*dir_make)(struct sys *, const char *path, struct err *);
    enum status (*dir_delete)(struct sys *, const char *path, struct err *);
    enum status (*dir_list)(struct sys *, const char *path, sys_dir_fn, void *arg, struct err *);
    enum status (*dir_sync)(struct sys *, const char *path, struct err *);
    enum status (*file_standard)(struct sys *, int fd, struct sys_file **, struct err *);
    void (*file_close)(struct sys *, struct sys_file *);
    enum status (*address_find)(struct sys *, const char *host, int port, bool numeric, struct sys_address *, uint32_t *count,
                                struct err *);
    enum status (*socket_begin)(struct sys *, const struct sys_address *, struct sys_file **, struct err *);
    enum status (*socket_finish)(struct sys *, struct sys_file *, struct err *);
    enum status (*socket_listen)(struct sys *, const struct sys_address *, struct sys_file **, int *port, struct err *);
    enum status (*socket_accept)(struct sys *, struct sys_file *, struct sys_file **, struct err *);
    enum status (*socket_pair)(struct sys *, struct sys_file *[2], struct err *);
    enum status (*file_read_some)(struct sys *, struct sys_file *, void *, size_t size, size_t *got, struct err *);
    enum status (*file_write_some)(struct sys *, struct sys_file *, const void *, size_t size, size_t *put, struct err *);
    enum status (*poll_create)(struct sys *, struct sys_poll **, struct err *);
    void (*poll_free)(struct sys *, struct sys_poll *);
    enum status (*poll_set)(struct sys *, struct sys_poll *, struct sys_file *, uint32_t events, void *arg, struct err *);
    void (*poll_remove)(struct sys *, struct sys_poll *, struct sys_file *);
    enum status (*poll_wait)(struct sys *, struct sys_poll *, int64_t timeout_ns, struct sys_poll_event *, uint32_t max,
                             uint32_t *count, struct err *);
    void (*poll_wake)(struct sys *, struct sys_poll *);
    bool (*is_terminal)(struct sys *, int fd);
    int (*terminal_columns)(struct sys *, int fd);
    int (*terminal_rows)(struct sys *, int fd);
    /* NULL: there is none. */
    bool (*keys_open)(struct sys *);
    void (*keys_close)(struct sys *);
    size_t (*keys_read)(struct sys *, char *out, size_t size);
    bool (*screen_open)(struct sys *);
    void (*screen_close)(struct sys *);
    enum sys_signal (*signal_take)(struct sys *);
    void (*signal_forget)(struct sys *);
    int64_t (*resident_bytes)(struct sys *);
    int64_t (*memory_bytes)(struct sys *);
    enum status (*kv_open)(struct sys *, const struct kv_settings *, struct kv **, struct err *); /* sys_kv.h */
    /* For tests of everything else; NULL in the Linux world. */
    int64_t (*source_pause_ms)(struct sys *);   /* > 0: a source that is asked now has nothing for so long */
    void (*trace)(struct sys *, uint64_t what); /* something went from one task to another */
    bool (*task_fails)(struct sys *);           /* the task that asks is to fail */
    void (*crash_point)(struct sys *, uint32_t at); /* sys_crash.h: the process may die here */
};

struct sys {
    const struct sys_ops *ops;
    struct mem *mem; /* what the world itself allocates; locked inside */
    uint64_t live_line; /* see sys_line_live */
};

/* The Linux world; one per process, made by main. Installs handlers for SIGINT and SIGTERM (counted, see
 * sys_signal_take; the second SIGINT ends the process at once with 130) and ignores SIGPIPE. */
struct sys *sys_linux_create(void);
void sys_linux_free(struct sys *sys);
/* The same without touching signal handlers, for the library inside a host program. */
struct sys *sys_linux_create_quiet(void);

static inline int64_t sys_wall_ms(struct sys *s) { return s->ops->wall_ms(s); }
static inline int64_t sys_mono_ns(struct sys *s) { return s->ops->mono_ns(s); }
static inline uint64_t sys_random(struct sys *s) { return s->ops->random(s); }

static inline int64_t sys_source_pause_ms(struct sys *s) { return s->ops->source_pause_ms != NULL ? s->ops->source_pause_ms(s) : 0; }
static inline bool sys_task_fails(struct sys *s) { return s->ops->task_fails != NULL && s->ops->task_fails(s); }
static inline void sys_trace(struct sys *s, uint64_t what)
{
    if (s->ops->trace != NULL) s->ops->trace(s, what);
}

enum status sys_thread_start(struct sys *s, const char *name, sys_thread_fn fn, void *arg, struct sys_thread **out, struct err *e) CHECKED;
void sys_thread_join(struct sys *s, struct sys_thread *t); /* frees it; NULL is a no-op */
int sys_cpu_count(struct sys *s);

struct sys_parker *sys_parker_create(struct sys *s);
void sys_parker_free(struct sys *s, struct sys_parker *p);
/* Sleeps until unparked, or timeout_ns passes (INT64_MAX = none). An unpark before the park is kept. True: whoever unparked
 * runs on the same core, so that waiting for it awake would keep it from running. A hint: threads move. */
bool sys_park(struct sys *s, struct sys_parker *p, int64_t timeout_ns);
void sys_unpark(struct sys *s, struct sys_parker *p); /* any thread; cheap when nobody sleeps */

/* Mailbox: bounded only by its senders' protocol. Any thread sends; the owner takes. */
struct sys_mailbox *sys_mailbox_create(struct sys *s);
void sys_mailbox_free(struct sys *s, struct sys_mailbox *m);
void sys_mailbox_send(struct sys *s, struct sys_mailbox *m, void *message);
/* Next message, waiting at most timeout_ns (0 = do not wait); NULL when none came. */
void *sys_mailbox_take(struct sys *s, struct sys_mailbox *m, int64_t timeout_ns);

/* Lock of what several threads of a node share on the control plane: held briefly, never while waiting. */
struct sys_lock;
struct sys_lock *sys_lock_create(struct sys *s);
void sys_lock_free(struct sys *s, struct sys_lock *l); /* NULL is a no-op */
void sys_lock_take(struct sys_lock *l);
void sys_lock_give(struct sys_lock *l);

enum status sys_file_open(struct sys *s, const char *path, int flags, struct sys_file **out, struct err *e) CHECKED;
/* Reads up to size bytes; *got = 0 at the end. Not of sockets: sys_net.h. */
enum status sys_file_read(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got, struct err *e) CHECKED;
/* All of it; to a standard stream in one piece, whatever other threads write there. */
enum status sys_file_write(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e) CHECKED;
enum status sys_file_seek(struct sys *s, struct sys_file *f, int64_t offset, struct err *e) CHECKED;
enum status sys_file_sync(struct sys *s, struct sys_file *f, struct err *e) CHECKED;
void sys_file_close(struct sys *s, struct sys_file *f); /* NULL is a no-op; standard files are only released */
enum status sys_file_stat(struct sys *s, const char *path, struct sys_stat *out, struct err *e) CHECKED;
/* Renames without replacing: E_EXISTS when `to` is there. */
enum status sys_file_rename_new(struct sys *s, const char *from, const char *to, struct err *e) CHECKED;
/* Renames in one step whether or not `to` is there: whoever opens it sees the old file or the new one, whole. */
enum status sys_file_rename_over(struct sys *s, const char *from, const char *to, struct err *e) CHECKED;
enum status sys_file_set_mode(struct sys *s, const char *path, uint32_t mode, struct err *e) CHECKED;
/* The file or folder that the path means when every symbolic link in it is followed; SYS_PATH_MAX bytes hold it. */
enum status sys_file_real(struct sys *s, const char *path, char *out, size_t size, struct err *e) CHECKED;
enum status sys_file_delete(struct sys *s, const char *path, struct err *e) CHECKED; /* missing is S_OK */
enum status sys_dir_make(struct sys *s, const char *path, struct err *e) CHECKED;    /* with parents; existing is S_OK */
enum status sys_dir_delete(struct sys *s, const char *path, struct err *e) CHECKED;  /* an empty one; missing is S_OK */
enum status sys_dir_list(struct sys *s, const char *path, sys_dir_fn fn, void *arg, struct err *e) CHECKED; /* sorted by name */
enum status sys_dir_sync(struct sys *s, const char *path, struct err *e) CHECKED;
/* 0, 1 or 2 as a file. */
enum status sys_file_standard(struct sys *s, int fd, struct sys_file **out, struct err *e) CHECKED;
/* What the C library still holds of standard output (user code prints with printf) goes out; says whether all of it could
 * be written. For the thread that runs user code. */
enum status sys_stdout_flush(struct sys *s, struct err *e) CHECKED;
bool sys_is_terminal(struct sys *s, int fd);
/* A line that is repainted stands on standard error: whoever writes to its terminal wipes it first. Any thread. */
void sys_line_live(struct sys *s, bool live);
bool sys_line_is_live(const struct sys *s);
/* May what is written there carry colours? On terminals, unless NO_COLOR is set or TERM is "dumb" or missing. */
bool sys_has_color(struct sys *s, int fd);
int sys_terminal_columns(struct sys *s, int fd); /* 80 when unknown */
int sys_terminal_rows(struct sys *s, int fd);    /* 24 when unknown */
/* Keys that are pressed on the terminal are not shown; who does not read them leaves them to who reads a line next. False: standard input is
 * no terminal. */
bool sys_keys_open(struct sys *s);
void sys_keys_close(struct sys *s); /* of keys that are not open: nothing */
size_t sys_keys_read(struct sys *s, char *out, size_t size); /* bytes, as the terminal sends them; never waits */
/* The whole screen of the terminal, to be painted on, instead of what stands there, which comes back. False: standard output is none. */
bool sys_screen_open(struct sys *s);
void sys_screen_close(struct sys *s);
enum sys_signal sys_signal_take(struct sys *s);  /* the oldest signal not taken, or NONE */
void sys_signal_forget(struct sys *s); /* every SIGINT so far: the next is the first again. For a program that goes on */
int64_t sys_resident_bytes(struct sys *s);
int64_t sys_memory_bytes(struct sys *s); /* that the process may use: the machine's, or less where a control group says so */

/* The program itself, and code that it loads. */
struct sys_library;
/* A path without a slash is a file in the current folder. */
enum status sys_library_open(const char *path, struct sys_library **out, struct err *e) CHECKED;
void *sys_library_symbol(struct sys_library *library, const char *name); /* NULL when it has none */
void sys_library_close(struct sys_library *library);                     /* NULL is a no-op */
const char *sys_environment(const char *name);                           /* NULL when not set or empty */
/* Ends the process at once, without clean-up: user code holds a thread and does not give it back. */
void sys_process_end(int exit_status) __attribute__((noreturn));
bool sys_program_path(char *out, size_t size);                           /* of the running program's file */

/* Threads of the same node: atomics live here and in listed lock-free islands only. */
struct sys_atomic_u64 {
    uint64_t value;
};
static inline uint64_t sys_atomic_load(const struct sys_atomic_u64 *a) { return __atomic_load_n(&a->value, __ATOMIC_ACQUIRE); }
static inline void sys_atomic_store(struct sys_atomic_u64 *a, uint64_t v) { __atomic_store_n(&a->value, v, __ATOMIC_RELEASE); }
static inline uint64_t sys_atomic_add(struct sys_atomic_u64 *a, uint64_t v)
{
    return __atomic_fetch_add(&a->value, v, __ATOMIC_ACQ_REL); /* the value before */
}
/* Answers the value before. Of two threads that each write elsewhere, then change the same word by add or exchange, the
 * later one sees what the earlier wrote: a load would not promise that. */
static inline uint64_t sys_atomic_exchange(struct sys_atomic_u64 *a, uint64_t v)
{
    return __atomic_exchange_n(&a->value, v, __ATOMIC_ACQ_REL);
}
