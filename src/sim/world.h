/* world.h - the simulated world: one thread, virtual time, a disk in memory, and a schedule that a seed decides. */
#pragma once
#include "ground/base/buf.h"
#include "ground/base/prng.h"
#include "ground/sys/sys_crash.h"
#include "ground/sys/sys_net.h"
#include "sim/fiber.h"

#define SIM_START_NS INT64_C(1000000000000000000) /* September 2001: where every world begins */
enum { SIM_FIRST_PORT = 40000 }; /* what a listener gets that does not mind */

enum sim_end { SIM_FINISHED, SIM_DEADLOCK, SIM_ENDLESS };
enum thread_state { THREAD_READY, THREAD_PARKED, THREAD_JOINS, THREAD_OVER };

struct sys_parker {
    struct sys_thread *sleeper;
    bool is_notified;
};

struct sys_thread {
    struct fiber fiber;
    struct sim_world *world;
    const char *name;
    sys_thread_fn fn;
    void *arg;
    enum thread_state state;
    struct sys_thread *joins; /* whose end it waits for */
    struct sys_parker *parker;
    int64_t deadline_ns;
    uint32_t number;
    struct sys_thread *next;
};

/* What may go wrong, each in a quarter of the seeds. */
enum sim_fault {
    SIM_TASK_FAILS,  /* a task ends with an error: the job starts anew */
    SIM_PROCESS_DIES, /* from then on nothing reaches the disk; another process goes on */
    SIM_POWER_FAILS, /* the same, and what was not synced is lost or torn */
    SIM_WRITE_FAILS, /* a write or sync of a checkpoint is refused */
    SIM_DISK_FULL,   /* for a while nothing more can be written */
    SIM_UNKNOWN,     /* an object is there, but whether it is durable cannot be said */
    SIM_BIT_FLIPS,   /* in a file of the newest checkpoint while no process runs: it must be found */
    SIM_CRASHES,     /* the process dies, or power fails, at a crash point (sys_crash.h) */
    SIM_RESCALES,    /* no fault, and asked for on purpose alone: the job goes on with another parallelism */
    SIM_FAULT_COUNT,
};

struct sim_faults {
    bool is_on;
    bool wants[SIM_FAULT_COUNT];
    uint32_t fired[SIM_FAULT_COUNT];
    uint64_t one_in; /* task steps, operations on files: how often chance is asked in vain, about */
    bool is_dead;    /* the process: nothing of it reaches the disk any more */
    bool is_power;   /* that it was the power */
    int64_t full_until_ns;
    enum sys_crash_point crash_at; /* the next one, when it is come by so often */
    uint32_t crash_passes;
    uint32_t crashed[CRASH_POINT_COUNT];
};

struct sim_node; /* a file or folder */
struct sim_socket;

struct sys_file {
    struct sim_node *node;     /* NULL: a standard stream or a socket */
    struct sim_socket *socket; /* NULL: something else */
    int fd, flags;
    size_t at;
};

/* What a node of a simulated cluster owns: several may share a clock when there are several. */
struct sim_world {
    struct sys sys;
    struct mem mem;
    struct prng prng;
    bool is_calm; /* ordinary schedule: no chance in it */
    uint64_t trace;
    int64_t now_ns;
    struct sys_thread *threads, *last, *current;
    uint32_t thread_count, idle_rounds;
    uint32_t looks_max; /* so many looks of the first thread alone, 20 ms apart, are a deadlock; more where pauses are long */
    uint64_t turns;
    struct sim_node *root, *ghosts;
    struct buf standard[3]; /* what was written to 1 and 2; what 0 will read */
    size_t standard_read;
    struct sim_socket *listeners;
    struct sys_poll *polls;
    int next_port;
    enum sys_signal signal;
    struct sim_faults faults;
};

struct sim_world *sim_world_create(uint64_t seed, bool is_calm);
void sim_world_free(struct sim_world *w);
/* Runs fn as the first thread until all threads are over. Otherwise *report says what each waits for. */
enum sim_end sim_world_run(struct sim_world *w, sys_thread_fn fn, void *arg, struct buf *report);
void sim_trace(struct sim_world *w, uint64_t what);

/* sim_faults.c */
const char *sim_fault_name(enum sim_fault f);
void sim_faults_choose(struct sim_world *w, struct prng *p);
void sim_faults_none(struct sim_world *w); /* checkpoints, and nothing goes wrong */
/* `times` of the seed's measure: how seldom. */
bool sim_fault_fires(struct sim_world *w, enum sim_fault which, uint64_t times);
bool sim_task_fails(struct sys *);
void sim_crash_point(struct sys *, uint32_t at);
enum status sim_disk_works(struct sim_world *w, const char *path, struct err *e) CHECKED;   /* a change of it */
enum status sim_folder_works(struct sim_world *w, const char *path, struct err *e) CHECKED; /* a sync of names */
bool sim_life_ended(struct sim_world *w); /* the process died: another one may begin */

/* sys_sim_file.c */
/* All that lies in a folder, one file after another by name. */
void sim_disk_settle(struct sim_world *w); /* all that is there is durable */
void sim_disk_lose(struct sim_world *w);   /* power fails: what was not synced is lost, or torn */
/* One bit of a file in the folder, while no process runs; *byte ^= bit takes it back. */
struct sim_flip {
    const char *path;
    char *byte, bit;
};
bool sim_flip(struct sim_world *w, const char *folder, struct sim_flip *f);
void sim_folder_text(struct sim_world *w, const char *folder, struct buf *out);
enum status sim_file_open(struct sys *, const char *path, int flags, struct sys_file **, struct err *);
enum status sim_file_read(struct sys *, struct sys_file *, void *, size_t size, size_t *got, struct err *);
enum status sim_file_write(struct sys *, struct sys_file *, const void *, size_t size, struct err *);
enum status sim_file_seek(struct sys *, struct sys_file *, int64_t offset, struct err *);
enum status sim_file_sync(struct sys *, struct sys_file *, struct err *);
enum status sim_file_stat(struct sys *, const char *path, struct sys_stat *, struct err *);
enum status sim_file_rename(struct sys *, const char *from, const char *to, bool replace, struct err *);
enum status sim_file_set_mode(struct sys *, const char *path, uint32_t mode, struct err *);
enum status sim_file_real(struct sys *, const char *path, char *out, size_t size, struct err *);
enum status sim_file_delete(struct sys *, const char *path, struct err *);
enum status sim_dir_make(struct sys *, const char *path, struct err *);
enum status sim_dir_delete(struct sys *, const char *path, struct err *);
enum status sim_dir_list(struct sys *, const char *path, sys_dir_fn, void *arg, struct err *);
enum status sim_dir_sync(struct sys *, const char *path, struct err *);
enum status sim_file_standard(struct sys *, int fd, struct sys_file **, struct err *);
void sim_file_close(struct sys *, struct sys_file *);

/* sys_sim_net.c */
enum status sim_address_find(struct sys *, const char *host, int port, bool numeric, struct sys_address *, uint32_t *count,
                             struct err *);
enum status sim_socket_begin(struct sys *, const struct sys_address *, struct sys_file **, struct err *);
enum status sim_socket_finish(struct sys *, struct sys_file *, struct err *);
enum status sim_socket_listen(struct sys *, const struct sys_address *, struct sys_file **, int *port, struct err *);
enum status sim_socket_accept(struct sys *, struct sys_file *, struct sys_file **, struct err *);
enum status sim_socket_pair(struct sys *, struct sys_file *[2], struct err *);
enum status sim_file_read_some(struct sys *, struct sys_file *, void *, size_t size, size_t *got, struct err *);
enum status sim_file_write_some(struct sys *, struct sys_file *, const void *, size_t size, size_t *put, struct err *);
void sim_socket_close(struct sys *, struct sys_file *);
uint32_t sim_socket_ready(const struct sim_socket *);

/* sys_sim_poll.c */
enum status sim_poll_create(struct sys *, struct sys_poll **, struct err *);
void sim_poll_free(struct sys *, struct sys_poll *);
enum status sim_poll_set(struct sys *, struct sys_poll *, struct sys_file *, uint32_t events, void *arg, struct err *);
void sim_poll_remove(struct sys *, struct sys_poll *, struct sys_file *);
enum status sim_poll_wait(struct sys *, struct sys_poll *, int64_t timeout_ns, struct sys_poll_event *, uint32_t max,
                          uint32_t *count, struct err *);
void sim_poll_wake(struct sys *, struct sys_poll *);
void sim_poll_changed(struct sim_world *); /* some file became ready: those who wait look again */
