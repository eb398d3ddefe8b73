/* bench_startup.c - a job as a process: from fork to the first row on its output, and what it holds resident while it is
 * idle. The job is this program once more (`bench_startup --child`): the Nexmark generator -> keyBy -> sum -> print, which
 * stays alive when its events are over. */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_BYTES = 4096, LINES = 100, PAGE = 4096 };

static int child(void)
{
    struct tw_env *env = tw_env_create_in(NULL, NULL);
    struct tw_stream *bids = tw_source(env, "bids", "nexmark",
                                       TW_OPTIONS("nexmark.table", "bid", "events.num", "110", "keep-alive", "true"));

    tw_print(tw_sum(tw_key_by(tw_project(bids, "bidder", "price"), "bidder"), "price"));
    return tw_execute(env, "start");
}

struct process {
    pid_t pid;
    int out;
    double first_ms;
};

static struct process start(struct bench *b)
{
    int ends[2];
    char byte;

    if (pipe(ends) != 0) bench_fail("no pipe");
    int64_t begin = sys_mono_ns(b->sys);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        execl("/proc/self/exe", "bench_startup", "--child", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    if (pid < 0 || read(ends[0], &byte, 1) != 1) bench_fail("the job printed nothing");
    return (struct process){pid, ends[0], (double)(sys_mono_ns(b->sys) - begin) / 1e6};
}

/* Reads until all of the job's rows have come: then it is idle. */
static void drain(struct process *p)
{
    char text[FIRST_BYTES];
    int lines = 0;

    while (lines < LINES) {
        ssize_t n = read(p->out, text, sizeof text);
        if (n <= 0) bench_fail("the job ended before its rows were out");
        for (ssize_t i = 0; i < n; i++) lines += text[i] == '\n';
    }
}

static void stop(struct process *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    close(p->out);
}

static double first_row(struct bench *b, void *arg)
{
    struct process p = start(b);

    (void)arg;
    drain(&p);
    stop(&p);
    return p.first_ms;
}

static double resident(struct bench *b, void *arg)
{
    struct process p = start(b);
    char path[64];
    long all = 0, in_memory = 0;

    (void)arg;
    drain(&p);
    snprintf(path, sizeof path, "/proc/%d/statm", (int)p.pid);
    FILE *f = fopen(path, "r");
    if (f == NULL || fscanf(f, "%ld %ld", &all, &in_memory) != 2) bench_fail("%s cannot be read", path);
    fclose(f);
    stop(&p);
    return (double)in_memory * PAGE / 1e6;
}

int main(int argc, char **argv)
{
    struct bench b;

    if (argc == 2 && strcmp(argv[1], "--child") == 0) return child();
    bench_start(&b, argc, argv, "a job as a process");
    bench_run(&b, &(struct bench_case){.name = "process start to first row out",
                                       .unit = "ms",
                                       .engine = first_row,
                                       .goal_kind = GOAL_AT_MOST,
                                       .goal = 20,
                                       .runs = 15});
    bench_run(&b, &(struct bench_case){.name = "resident memory of an idle job",
                                       .unit = "MB",
                                       .engine = resident,
                                       .goal_kind = GOAL_AT_MOST,
                                       .goal = 20,
                                       .runs = 3});
    return bench_end(&b);
}
