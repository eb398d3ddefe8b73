/* test_conn_socket.c - rows from connections and standard streams that are scripts here: pieces as they arrive, silence,
 * the end, other delimiters, errors. Also what every connector's descriptor owes its reader. */
#include "flow/task/job_shared.h"
#include "ground/base/str.h"
#include "ground/sys/sys_net.h"
#include "support/op_driver.h"
#include "support/source_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SCHEMA "ROW<a INT, b STRING>"

static struct source_probe p;

/* --- a stream of pieces: "" is silence, NULL the end -------------------------------------------------------------- */
static const char *const *pieces;
static char connected_to[64], written[4096];
static int dummy;

static enum status fake_find(struct sys *s, const char *host, int port, bool numeric, struct sys_address *list, uint32_t *count,
                             struct err *e)
{
    (void)s, (void)numeric, (void)e;
    snprintf(list[0].name, sizeof list[0].name, "%s:%d", host, port);
    *count = 1;
    return S_OK;
}

static enum status fake_begin(struct sys *s, const struct sys_address *a, struct sys_file **out, struct err *e)
{
    (void)s, (void)e;
    snprintf(connected_to, sizeof connected_to, "%.60s", a->name);
    *out = (struct sys_file *)(void *)&dummy;
    return S_OK;
}

static enum status fake_finish(struct sys *s, struct sys_file *f, struct err *e)
{
    (void)s, (void)f, (void)e;
    return S_OK;
}

static enum status fake_standard(struct sys *s, int fd, struct sys_file **out, struct err *e)
{
    (void)s;
    (void)e;
    snprintf(connected_to, sizeof connected_to, "%d", fd);
    *out = (struct sys_file *)(void *)&dummy;
    return S_OK;
}

static enum status fake_read(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    (void)s;
    (void)f;
    *got = 0;
    if (*pieces != NULL && strcmp(*pieces, "!") == 0) return err_set(e, E_IO, "cannot read 'test:1': connection reset");
    if (*pieces != NULL && (*pieces)[0] == '\0') {
        pieces++;
        return S_IDLE;
    }
    *got = *pieces != NULL ? strlen(*pieces) : 0;
    assert_true(*got <= size);
    if (*got > 0) memcpy(bytes, *pieces++, *got);
    return S_OK;
}

static enum status fake_write(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e)
{
    (void)s;
    (void)f;
    (void)e;
    snprintf(written + strlen(written), sizeof written - strlen(written), "%.*s", (int)size, (const char *)bytes);
    return S_OK;
}

static void fake_close(struct sys *s, struct sys_file *f)
{
    (void)s;
    (void)f;
}

static struct sys_ops fake_ops;
static void world_fake(struct sys *sys)
{
    fake_ops = *sys->ops;
    fake_ops.address_find = fake_find;
    fake_ops.socket_begin = fake_begin;
    fake_ops.socket_finish = fake_finish;
    fake_ops.file_standard = fake_standard;
    fake_ops.file_read_some = fake_read;
    fake_ops.file_write = fake_write;
    fake_ops.file_close = fake_close;
    sys->ops = &fake_ops;
}

static void start(struct probe_split *s, const char *conn, const char *const *kv, const char *const *script)
{
    pieces = script;
    probe_open(&p, conn, SCHEMA, 1, kv);
    world_fake(p.sys);
    assert_int_equal(probe_next(&p, 0, s), S_OK);
}

static void stop(struct probe_split *s)
{
    struct probe_split none;

    assert_int_equal(probe_next(&p, 1, &none), S_END); /* one subtask reads */
    probe_split_close(&p, s);
    probe_close(&p);
}

static const char *const pieces_of_lines[] = {"1,o", "ne\n2,two\n3", "", ",three\n", "", "4,four", NULL};

/* Rows are handed on as soon as they are there; silence is idleness, not the end. */
static void lines_check(const char *conn, const char *const *kv, const char *where)
{
    struct probe_split s;
    enum status last;

    start(&s, conn, kv, pieces_of_lines);
    assert_string_equal(probe_rows(&p, &s, 10, &last), "+I[1, one]\n+I[2, two]\n");
    assert_string_equal(connected_to, where);
    assert_int_equal(last, S_IDLE);
    assert_string_equal(probe_rows(&p, &s, 10, &last), "+I[3, three]\n");
    assert_int_equal(last, S_IDLE);
    assert_string_equal(probe_rows(&p, &s, 10, &last), "+I[4, four]\n");
    assert_int_equal(last, S_END);
    assert_int_equal(p.cx.bytes_in, 26);
    stop(&s);
}

static void test_lines(void **state)
{
    (void)state;
    lines_check("socket", OPTIONS("hostname", "test", "port", "7", "format", "csv"), "test:7");
    lines_check("stdin", OPTIONS("format", "csv"), "0");
}

static void test_other_delimiters(void **state)
{
    static const char *const script[] = {"1,o", "ne;2,two", ";", "", "3,a\nb;4,four", NULL};
    struct probe_split s;
    enum status last;

    (void)state;
    for (uint32_t capacity = 1; capacity < 4; capacity++) {
        start(&s, "socket",
              OPTIONS("hostname", "test", "port", "7", "format", "csv", "byte-delimiter", "59", "on-error", "skip"),
              script);
        assert_string_equal(probe_rows(&p, &s, capacity, &last), "+I[1, one]\n+I[2, two]\n");
        assert_int_equal(last, S_IDLE);
        assert_string_equal(probe_rows(&p, &s, capacity, &last),
                            "+I[3, a]\n+I[4, four]\n"); /* a message may hold lines; "b" is a bad one */
        assert_int_equal(last, S_END);
        assert_int_equal(p.cx.bad_records, 1);
        stop(&s);
    }
}

static void test_errors(void **state)
{
    static const char *const reset[] = {"1,one\n", "!", NULL}, *const bad[] = {"1,one\nx,two\n", NULL};
    struct probe_split s;
    enum status last;

    (void)state;
    start(&s, "socket", OPTIONS("hostname", "test", "port", "7", "format", "csv"), reset);
    assert_string_equal(probe_rows(&p, &s, 10, &last), "+I[1, one]\n");
    assert_int_equal(last, E_IO);
    assert_string_equal(p.err.text, "cannot read 'test:1': connection reset");
    stop(&s);
    start(&s, "socket", OPTIONS("hostname", "test", "port", "7", "format", "csv"), bad);
    probe_rows(&p, &s, 10, &last);
    assert_int_equal(last, E_DATA);
    assert_true(str_starts(str_of(p.err.text), STR("test:7:2:1")));
    stop(&s);
    assert_int_equal(probe_check(&p, "socket", SCHEMA, OPTIONS("hostname", "test", "port", "70000", "format", "csv")),
                     E_CONFIG);
    assert_string_equal(p.err.text, "option 'port' of connector 'socket' is 70000, but must be between 1 and 65535");
    probe_close(&p);
    assert_int_equal(probe_check(&p, "socket", SCHEMA,
                                 OPTIONS("hostname", "test", "port", "7", "format", "csv", "byte-delimiter", "256")),
                     E_CONFIG);
    probe_close(&p);
}

/* --- a real connection, waited for by a job's event loop: the test is server and worker in one --------------------- */
struct service {
    struct sys_file *listener, *peer;
    int port;
};

static void serve(struct service *v, struct sys *sys)
{
    struct sys_address list[SYS_ADDRESSES_MAX];
    uint32_t count;

    assert_int_equal(sys_address_find(sys, "127.0.0.1", 0, true, list, &count, &p.err), S_OK);
    assert_int_equal(sys_socket_listen(sys, &list[0], &v->listener, &v->port, &p.err), S_OK);
    v->peer = NULL;
}

static void send_text(struct service *v, const char *text)
{
    size_t done;

    assert_int_equal(sys_file_write_some(p.sys, v->peer, text, strlen(text), &done, &p.err), S_OK);
    assert_int_equal(done, strlen(text));
}

/* Rows until there are as many lines as wanted, or the end; sleeps as a worker does. */
static const char *rows_awaited(struct probe_split *s, uint32_t wanted, struct service *v, struct buf *text, enum status *last)
{
    uint32_t lines = 0;

    buf_clear(text);
    for (;;) {
        const char *rows = probe_rows(&p, s, 10, last);
        buf_append_text(text, rows);
        for (; *rows != '\0'; rows++) lines += *rows == '\n';
        if (*last != S_IDLE || (wanted > 0 && lines >= wanted)) return buf_text(text);
        if (v->peer == NULL && sys_socket_accept(p.sys, v->listener, &v->peer, &p.err) == S_OK) return "accepted";
        /* that a connection can be accepted wakes nobody here */
        sys_park(p.sys, p.op.parker, v->peer == NULL ? 1000000 : INT64_MAX);
    }
}

static void connection_check(const char *host, const char *delimiter)
{
    struct sys *own = sys_linux_create_quiet();
    struct service v;
    struct probe_split s;
    struct buf text;
    char port[8];
    enum status last;

    serve(&v, own);
    snprintf(port, sizeof port, "%d", v.port);
    probe_open(&p, "socket", SCHEMA, 1,
               OPTIONS("hostname", host, "port", port, "format", "csv", "byte-delimiter", delimiter));
    p.op.job = job_shared_create(p.sys, "test", NULL);
    p.op.parker = sys_parker_create(p.sys);
    buf_init(&text, &p.mem);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    assert_string_equal(rows_awaited(&s, 1, &v, &text, &last), "accepted");
    char end = (char)strtol(delimiter, NULL, 10), lines[16];
    snprintf(lines, sizeof lines, "1,one%c2,t", end);
    send_text(&v, lines);
    assert_string_equal(rows_awaited(&s, 1, &v, &text, &last), "+I[1, one]\n");
    assert_int_equal(last, S_IDLE);
    snprintf(lines, sizeof lines, "wo%c3,three", end);
    send_text(&v, lines);
    assert_string_equal(rows_awaited(&s, 1, &v, &text, &last), "+I[2, two]\n");
    sys_file_close(p.sys, v.peer);
    assert_string_equal(rows_awaited(&s, 0, &v, &text, &last), "+I[3, three]\n");
    assert_int_equal(last, S_END);
    probe_split_close(&p, &s);
    sys_parker_free(p.sys, p.op.parker);
    job_shared_free(p.op.job);
    buf_release(&text);
    probe_close(&p);
    sys_file_close(own, v.listener);
    sys_linux_free(own);
}

static void test_real_connections(void **state)
{
    (void)state;
    connection_check("127.0.0.1", "10");
    connection_check("127.0.0.1", "59");
    connection_check("localhost", "10"); /* looked up by a helper; where it has several addresses, one answers */
}

static void refused_check(const char *host)
{
    struct sys *own = sys_linux_create_quiet();
    struct service v;
    struct probe_split s;
    struct buf text;
    char port[8], expected[100];
    enum status last;

    serve(&v, own);
    sys_file_close(own, v.listener);
    snprintf(port, sizeof port, "%d", v.port);
    probe_open(&p, "socket", SCHEMA, 1, OPTIONS("hostname", host, "port", port, "format", "csv"));
    p.op.job = job_shared_create(p.sys, "test", NULL);
    p.op.parker = sys_parker_create(p.sys);
    buf_init(&text, &p.mem);
    v.peer = (struct sys_file *)(void *)&dummy; /* nobody is to be accepted */
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    assert_string_equal(rows_awaited(&s, 0, &v, &text, &last), "");
    assert_int_equal(last, E_IO);
    snprintf(expected, sizeof expected, "cannot connect to '%s:%d': connection refused", host, v.port);
    assert_string_equal(p.err.text, expected);
    probe_split_close(&p, &s);
    sys_parker_free(p.sys, p.op.parker);
    job_shared_free(p.op.job);
    buf_release(&text);
    probe_close(&p);
    sys_linux_free(own);
}

static void test_refused(void **state)
{
    (void)state;
    refused_check("127.0.0.1");
    refused_check("localhost"); /* all its addresses are tried */
}

static void test_stdout(void **state)
{
    extern const struct op_type op_sink;
    static const struct option items[] = {{"format", "json"}};
    struct sink_config c = {.connector = "stdout", .options = {items, 1}};
    struct sys *sys = sys_linux_create_quiet();

    (void)state;
    world_fake(sys);
    struct op_driver *d =
        op_driver_create(&(struct op_setup){.type = &op_sink, .config = &c, .in = SCHEMA, .sys = sys});
    assert_string_equal(connected_to, "1");
    op_push(d, 0, "1 | one\n");
    assert_string_equal(written, "");
    op_idle(d);
    assert_string_equal(written, "{\"a\":1,\"b\":\"one\"}\n");
    op_push(d, 0, "2 | null\n");
    op_push_end(d);
    assert_string_equal(written, "{\"a\":1,\"b\":\"one\"}\n{\"a\":2,\"b\":null}\n");
    op_driver_free(d);
    sys_linux_free(sys);
}

static void test_every_descriptor(void **state)
{
    const struct conn_type *found = NULL;

    (void)state;
    for (uint32_t i = 0; conn_types[i] != NULL; i++) {
        const struct conn_type *c = conn_types[i];
        assert_true(c->doc[0] != '\0' && c->example[0] != '\0');
        assert_non_null(c->options);
        assert_true(c->source != NULL || c->sink != NULL || c->lookup != NULL);
        assert_int_equal(conn_find(c->name, &found, NULL), S_OK);
        assert_ptr_equal(found, c);
        for (const struct option_def *d = c->options; d->key != NULL; d++) {
            assert_true(d->doc[0] != '\0');
            assert_int_equal(d->is_prefix, strchr(d->key, '#') != NULL);
            struct option given = {d->key, d->fallback};
            struct options o = {&given, 1};
            if (d->fallback == NULL || d->required) continue;
            const struct option_def one[] = {*d, {.key = NULL}}; /* a default is a value like any other */
            assert_int_equal(options_check(&o, one, c->name, NULL), S_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_other_delimiters), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_real_connections), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_stdout), cmocka_unit_test(test_every_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
