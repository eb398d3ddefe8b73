/* job_socket.c - the socket source against a server in the same world: both stand on event loops, the one of the job and one
 * of the server's own, whose timer sends a few rows and then nothing for a while, in virtual time. */
#include "ground/net/loop.h"
#include "sim/sim_rows.h"
#include "surface/api/api.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 150, ROWS_PER_TURN = 11, PAUSE_MS = 7, TEXT_MAX = 1024 };

struct server {
    struct sys *sys;
    struct loop *loop;
    struct sys_file *listener, *client;
    struct loop_watch *waits, *writes;
    char text[TEXT_MAX];
    size_t size, at; /* of the text; what is sent of it */
    int next;
    int port;
    struct err err;
};

static void send_rest(void *arg, uint32_t ready);

static void say_more(void *arg)
{
    struct server *v = arg;

    if (v->next == ROWS) { /* the end of the connection is the end of the job's input */
        loop_unwatch(v->loop, v->writes);
        sys_file_close(v->sys, v->client);
        v->client = NULL;
        return;
    }
    v->size = v->at = 0;
    for (int i = 0; i < ROWS_PER_TURN && v->next < ROWS; i++, v->next++)
        v->size += (size_t)snprintf(v->text + v->size, sizeof v->text - v->size, "%d,%d,2001-01-01 00:%02d:00\n",
                                    v->next % SIM_KEYS, v->next, v->next % 60);
    ASSERT(v->size < sizeof v->text);
    send_rest(v, SYS_READY_WRITE);
}

static void send_rest(void *arg, uint32_t ready)
{
    struct server *v = arg;
    enum status st = S_OK;
    size_t put;

    (void)ready;
    while (st == S_OK && v->at < v->size) {
        st = sys_file_write_some(v->sys, v->client, v->text + v->at, v->size - v->at, &put, &v->err);
        if (st == S_OK) v->at += put;
    }
    if (st == S_OK)
        st = loop_timer(v->loop, sys_mono_ns(v->sys) + PAUSE_MS * INT64_C(1000000), say_more, v, NULL, &v->err);
    else if (st == S_IDLE)
        st = loop_watch_set(v->loop, v->writes, SYS_READY_WRITE | SYS_READY_ONCE, &v->err);
    if (st != S_OK) v->next = ROWS; /* the job was ended early */
}

static void take_client(void *arg, uint32_t ready)
{
    struct server *v = arg;

    (void)ready;
    if (v->client != NULL || sys_socket_accept(v->sys, v->listener, &v->client, &v->err) != S_OK) return;
    enum status st = loop_watch(v->loop, v->client, 0, send_rest, v, &v->writes, &v->err);
    ASSERT(st == S_OK);
    say_more(v);
}

static void serve(void *arg)
{
    struct server *v = arg;
    enum status st = loop_watch(v->loop, v->listener, SYS_READY_READ, take_client, v, &v->waits, &v->err);

    if (st == S_OK) st = loop_run(v->loop, &v->err);
    ASSERT(st == S_OK);
}

static enum status server_start(struct server *v, struct sys_thread **thread)
{
    struct sys_address list[SYS_ADDRESSES_MAX];
    uint32_t count;

    TRY(sys_address_find(v->sys, NULL, 0, true, list, &count, &v->err));
    TRY(sys_socket_listen(v->sys, &list[0], &v->listener, &v->port, &v->err));
    TRY(loop_create(v->sys, "server", NULL, &v->loop, &v->err));
    return sys_thread_start(v->sys, "server", serve, v, thread, &v->err);
}

static void server_end(struct server *v, struct sys_thread *thread)
{
    loop_stop(v->loop);
    sys_thread_join(v->sys, thread);
    loop_free(v->loop);
    sys_file_close(v->sys, v->client);
    sys_file_close(v->sys, v->listener);
}

static int run(struct tw_env *env)
{
    struct server v = {.sys = env->sys};
    struct sys_thread *thread = NULL;
    char port[8];

    if (server_start(&v, &thread) != S_OK) return 1;
    snprintf(port, sizeof port, "%d", v.port);
    struct tw_stream *s = tw_source_rows(env, "rows", "socket", &sim_event_row,
                                         TW_OPTIONS("hostname", "server", "port", port, "format", "csv"));
    tw_print(tw_sum(tw_key_by(s, "key"), "number"));
    int result = tw_execute(env, "socket");
    server_end(&v, thread);
    return result;
}

const struct sim_job job_socket = {.name = "socket",
                                   .doc = "rows from a server that pauses, through event loops on both sides",
                                   .compare = SIM_PER_KEY,
                                   .run = run};
