/* test_log.c - one line per message: level, time, cutting, and no forged lines. */
#include "ground/base/log.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

struct capture {
    char line[4096];
    size_t size;
    int lines;
    int64_t now_ms;
};

static void keep(void *arg, enum log_level level, const char *line, size_t size)
{
    struct capture *c = arg;

    (void)level;
    memcpy(c->line, line, size);
    c->line[size] = '\0';
    c->size = size;
    c->lines++;
}

static int64_t now(void *arg) { return ((struct capture *)arg)->now_ms; }

static void times(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "1970-01-01 00:00:00.000"},
                 {INT64_C(951782399999), "2000-02-28 23:59:59.999"},
                 {INT64_C(951782400000), "2000-02-29 00:00:00.000"},
                 {INT64_C(951868800000), "2000-03-01 00:00:00.000"},
                 {INT64_C(1709164800123), "2024-02-29 00:00:00.123"},
                 {INT64_C(4107542400000), "2100-03-01 00:00:00.000"}, /* no leap year */
                 {INT64_C(1798761599000), "2026-12-31 23:59:59.000"},
                 {-1, "1969-12-31 23:59:59.999"}};
    struct capture c = {0};
    struct log log = {.level = LOG_DEBUG, .write = keep, .now_ms = now, .arg = &c};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        c.now_ms = cases[i].ms;
        log_write(&log, LOG_WARN, "task", "%d rows", 3);
        char expected[100];
        strcpy(expected, cases[i].text);
        strcat(expected, " WARN  task - 3 rows");
        assert_string_equal(c.line, expected);
    }
}

static void levels(void **state)
{
    struct capture c = {0};
    struct log log = {.level = LOG_WARN, .write = keep, .arg = &c};
    enum log_level level;

    (void)state;
    log_write(&log, LOG_INFO, "x", "dropped");
    assert_int_equal(c.lines, 0);
    log_write(&log, LOG_ERROR, "x", "kept");
    assert_string_equal(c.line, "1970-01-01 00:00:00.000 ERROR x - kept");
    log.level = LOG_OFF;
    log_write(&log, LOG_ERROR, "x", "dropped");
    log_write(NULL, LOG_ERROR, "x", "dropped");
    assert_int_equal(c.lines, 1);
    assert_true(log_level_parse(STR("warn"), &level) && level == LOG_WARN);
    assert_true(log_level_parse(STR("OFF"), &level) && level == LOG_OFF);
    assert_false(log_level_parse(STR("loud"), &level));
}

static void one_line_each(void **state)
{
    struct capture c = {0};
    struct log log = {.level = LOG_DEBUG, .write = keep, .arg = &c};
    char message[3000];

    (void)state;
    log_write(&log, LOG_INFO, "x", "bad row 'a\n1970-01-01 00:00:00.000 ERROR\tforged'");
    assert_string_equal(c.line, "1970-01-01 00:00:00.000 INFO  x - bad row 'a 1970-01-01 00:00:00.000 ERROR forged'");
    memset(message, 'm', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    log_write(&log, LOG_INFO, message, "%s", message);
    assert_int_equal(c.size, 2047);
    assert_int_equal(strlen(c.line), 2047);
    assert_int_equal(c.lines, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times), cmocka_unit_test(levels), cmocka_unit_test(one_line_each)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
