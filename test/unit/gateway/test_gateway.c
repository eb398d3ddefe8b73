/* test_gateway.c - pieces of the client of SQL gateways: JSON as views, the innermost cause of a stack trace, types, rows that do not
 * fit, and heartbeats, by a client of HTTP that only counts. */
#include "surface/gateway/gateway.h"

#include "flow/format/format.h"
#include "ground/base/str.h"
#include "surface/gateway/answer.h"
#include "surface/gateway/gateway_rest.h"
#include "surface/gateway/gateway_rows.h"
#include "surface/gateway/gateway_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The text with room behind it, checked. */
static struct str checked(const char *text, struct mem *mem, struct arena *a, enum status expected)
{
    char *copy = arena_alloc(a, strlen(text) + FORMAT_PADDING);
    struct err e = {0};

    memset(copy, 0, strlen(text) + FORMAT_PADDING);
    memcpy(copy, text, strlen(text));
    assert_int_equal(answer_check((struct str){copy, strlen(text)}, mem, &e), expected);
    if (expected != S_OK) assert_non_null(strstr(e.text, "the answer is no JSON: "));
    return (struct str){copy, strlen(text)};
}

static void json_is_seen(void **state)
{
    struct mem mem;
    struct arena a;
    struct str item, key;
    size_t at = 0;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    struct str all = checked(" { \"a]\\\"\" : [ 1 , {\"b\":[]} , \"x,}\\u00fc\" ] , \"c\":null,\"d\" : -12 } ", &mem,
                             &a, S_OK);
    all = str_trim(all);
    assert_true(answer_next_member(all, &at, &key, &item));
    assert_true(str_equal(key, STR("a]\\\"")));
    at = 0;
    struct str list = item;
    assert_true(answer_next(list, &at, &item) && answer_int(item, 0) == 1);
    assert_true(answer_next(list, &at, &item) && str_equal(item, STR("{\"b\":[]}")));
    assert_false(answer_next(answer_member(item, "b"), &(size_t){0}, &key));
    assert_true(answer_next(list, &at, &item));
    assert_string_equal(answer_text(item, &a), "x,}\xc3\xbc");
    assert_false(answer_next(list, &at, &item));
    assert_true(answer_is(answer_member(all, "c"), "null") && answer_text(answer_member(all, "c"), &a) == NULL);
    assert_int_equal(answer_int(answer_member(all, "d"), 7), -12);
    assert_int_equal(answer_int(answer_member(all, "nope"), 7), 7);
    assert_int_equal(answer_member(list, "a").size, 0);
    for (const char *const *bad =
             (const char *const[]){"", "{", "{\"a\":1,}", "[1 2]", "<html>", "1 1", "\"\xff\"", NULL};
         *bad != NULL; bad++)
        checked(*bad, &mem, &a, E_DATA);
    arena_release(&a);
    mem_release(&mem);
}

static void the_innermost_reason_is_told(void **state)
{
    static const char *const cases[][2] = {
        {"<Exception on server side:\nA: outer\n\tat a.b(c:1)\nCaused by: B: mid\n\tat x\n\t... 1 more\nCaused by: C: "
         "in\nner\n\tat x",
         "C: in\nner"},
        {"<Exception on server side:\nA: only\n\tat a.b(c:1)", "A: only"},
        {"Not found: /x", "Not found: /x"},
        {"Caused by: ", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str reason = gateway_reason(str_of(cases[i][0]));
        assert_true(str_equal(reason, str_of(cases[i][1])));
    }
}

static void types_are_read(void **state)
{
    static const struct {
        const char *json, *type; /* NULL: only there as text */
    } cases[] = {
        {"{\"type\":\"INTEGER\",\"nullable\":false}", "INT NOT NULL"},
        {"{\"type\":\"CHAR\",\"nullable\":true,\"length\":3}", "CHAR(3)"},
        {"{\"type\":\"VARCHAR\",\"nullable\":true,\"length\":2147483647}", "STRING"},
        {"{\"type\":\"VARBINARY\",\"nullable\":true,\"length\":2147483647}", "BYTES"},
        {"{\"type\":\"DECIMAL\",\"nullable\":true,\"precision\":38,\"scale\":18}", "DECIMAL(38, 18)"},
        {"{\"type\":\"TIMESTAMP_WITH_LOCAL_TIME_ZONE\",\"nullable\":true,\"precision\":9}", "TIMESTAMP_LTZ(9)"},
        {"{\"type\":\"INTERVAL_YEAR_MONTH\",\"nullable\":false,\"precision\":2,\"resolution\":\"MONTH\"}",
         "INTERVAL YEAR(2) TO MONTH NOT NULL"},
        {"{\"type\":\"ARRAY\",\"nullable\":true,\"elementType\":{\"type\":\"DATE\",\"nullable\":false}}",
         "ARRAY<DATE NOT NULL>"},
        {"{\"type\":\"ROW\",\"nullable\":true,\"fields\":[{\"name\":\"a`b\",\"fieldType\":{\"type\":\"BIGINT\","
         "\"nullable\":true}},"
         "{\"name\":\"c\",\"fieldType\":{\"type\":\"BOOLEAN\",\"nullable\":true}}]}",
         "ROW<`a``b` BIGINT, `c` BOOLEAN>"},
        {"{\"type\":\"MAP\",\"nullable\":true,\"keyType\":{\"type\":\"INTEGER\",\"nullable\":true},\"valueType\":{"
         "\"type\":\"DOUBLE\",\"nullable\":true}}",
         NULL},
        {"{\"type\":\"MULTISET\",\"nullable\":true,\"elementType\":{\"type\":\"INTEGER\",\"nullable\":true}}", NULL},
        {"{\"type\":\"RAW\",\"nullable\":true}", NULL},
        {"{}", NULL},
    };
    const struct type *t;
    struct mem mem;
    struct arena a;
    struct buf out;
    bool as_json;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    buf_init(&out, &mem);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(gateway_type(checked(cases[i].json, &mem, &a, S_OK), &a, &t, &as_json, NULL), S_OK);
        assert_int_equal(as_json, cases[i].type != NULL);
        buf_clear(&out);
        type_print(t, &out);
        assert_string_equal(buf_text(&out), cases[i].type != NULL ? cases[i].type : "STRING");
    }
    assert_int_equal(gateway_type(STR("{\"type\":\"DECIMAL\",\"precision\":99,\"scale\":0}"), &a, &t, &as_json, NULL),
                     E_DATA);
    buf_release(&out);
    arena_release(&a);
    mem_release(&mem);
}

static enum status nobody(void *arg, const struct batch *b, struct err *e)
{
    (void)arg, (void)b, (void)e;
    return S_OK;
}

static void rows_that_do_not_fit_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"[{\"kind\":\"UPSERT\",\"fields\":[1]}]", "the gateway's answer has a row of kind \"UPSERT\""},
        {"[{\"kind\":\"INSERT\",\"fields\":[1,2]}]", "the gateway's answer has a row of 2 columns where 1 are said"},
        {"[{\"kind\":\"INSERT\",\"fields\":[\"x\"]}]", "the gateway's answer@0:6: column '0' (INT)"},
    };
    struct str columns = STR("[{\"name\":\"a\",\"logicalType\":{\"type\":\"INTEGER\",\"nullable\":true}}]");
    struct gateway_rows rows = {0};
    struct mem mem;
    struct arena a;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    assert_int_equal(gateway_rows_open(&rows, columns, false, &a, &mem, NULL), S_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err e = {0};
        assert_int_equal(gateway_rows_give(&rows, str_of(cases[i][0]), nobody, NULL, &e), E_DATA);
        assert_true(str_starts(str_of(e.text), str_of(cases[i][1])));
    }
    gateway_rows_close(&rows);
    arena_release(&a);
    mem_release(&mem);
}

/* --- a client of HTTP that knows what a session needs ------------------------------------------------------------- */
struct sys_http {
    struct sys *sys;
};
static struct {
    struct sys_atomic_u64 beats, closed;
    struct sys_parker *waits;
} seen;

static enum status http_open(struct sys *sys, struct sys_http **out, struct err *e)
{
    static struct sys_http clients[2];
    static uint32_t count;

    (void)e;
    clients[count % 2].sys = sys;
    *out = &clients[count++ % 2];
    return S_OK;
}

static enum status http_call(struct sys_http *h, const struct sys_http_request *r, int *http_status, struct buf *answer,
                             struct err *e)
{
    (void)e;
    buf_clear(answer);
    *http_status = 200;
    if (strstr(r->url, "/api_versions") != NULL)
        buf_append_text(answer, "{\"versions\":[\"V2\"]}");
    else if (strcmp(r->method, "POST") == 0 && str_ends(str_of(r->url), STR("/v2/sessions")))
        buf_append_text(answer, "{\"sessionHandle\":\"H\"}");
    else
        buf_append_text(answer, "{}");
    if (str_ends(str_of(r->url), STR("http://there:1/v2/sessions/H/heartbeat"))) {
        sys_atomic_add(&seen.beats, 1);
        sys_unpark(h->sys, seen.waits);
    }
    if (strcmp(r->method, "DELETE") == 0) sys_atomic_add(&seen.closed, 1);
    return S_OK;
}

static void http_close(struct sys_http *h) { (void)h; }

static void a_session_is_kept_alive(void **state)
{
    static const struct sys_http_ops http = {.open = http_open, .call = http_call, .close = http_close};
    struct sys *sys = sys_linux_create_quiet();
    struct gateway_options o = {.sys = sys, .http = &http, .endpoint = "there:1//", .heartbeat_ms = 1};
    struct err e = {0};

    (void)state;
    seen.waits = sys_parker_create(sys);
    struct statement_executor *x = gateway_create(&o);
    assert_int_equal(x->ops->open(x, &e), S_OK);
    while (sys_atomic_load(&seen.beats) < 3) sys_park(sys, seen.waits, INT64_MAX);
    assert_string_equal(x->ops->get(x, "sql-client.execution.max-table-result.rows"), "1000000");
    executor_free(x);
    assert_int_equal(sys_atomic_load(&seen.closed), 1);
    sys_parker_free(sys, seen.waits);
    sys_linux_free(sys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_seen),
        cmocka_unit_test(the_innermost_reason_is_told),
        cmocka_unit_test(types_are_read),
        cmocka_unit_test(rows_that_do_not_fit_are_refused),
        cmocka_unit_test(a_session_is_kept_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
