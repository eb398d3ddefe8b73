/* test_conn_socket.c - rows from connections and standard streams that are scripts here: pieces as they arrive, silence,
 * the end, other delimiters, errors. Also what every connector's descriptor owes its reader. */
#include "ground/base/str.h"
#include "ground/sys/sys_net.h"
#include "support/op_driver.h"
#include "support/source_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
        assert_true(c->source != NULL || c->sink != NULL);
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
        cmocka_unit_test(test_stdout), cmocka_unit_test(test_every_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
