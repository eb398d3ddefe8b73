/* test_saved.c - savepoints that programs write and read: values, lists, maps and operator state that come back as they were; operators that
 * go and get another uid; a job that begins with what was written; mistakes. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/folder.h"

struct key {
    int64_t k;
};
TW_ROW(key, TW_FIELD(key, k, "BIGINT NOT NULL"));
struct pair {
    int64_t k, value;
};
TW_ROW(pair, TW_FIELD(pair, k, "BIGINT NOT NULL"), TW_FIELD(pair, value, "BIGINT NOT NULL"));
struct entry {
    int64_t k;
    struct tw_str map_key, value;
};
TW_ROW(entry, TW_FIELD(entry, k, "BIGINT NOT NULL"), TW_FIELD(entry, map_key, "STRING NOT NULL"), TW_FIELD(entry, value, "STRING NOT NULL"));
struct element {
    int64_t value;
};
TW_ROW(element, TW_FIELD(element, value, "BIGINT NOT NULL"));
struct wrong {
    int64_t k;
    int32_t value;
};
TW_ROW(wrong, TW_FIELD(wrong, k, "BIGINT NOT NULL"), TW_FIELD(wrong, value, "INT NOT NULL"));

static const struct tw_state seen = {.name = "seen", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state list = {.name = "list", .kind = TW_LIST, .value = "BIGINT"};
static const struct tw_state map = {.name = "map", .kind = TW_MAP, .map_key = "STRING", .value = "STRING"};
static const struct tw_state offsets = {.name = "offsets", .kind = TW_OPERATOR_LIST, .value = "BIGINT"};

static struct folder folder;

static int set_up(void **state)
{
    (void)state;
    folder_make(&folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

/* Keys 0..999 with value 3 k; key 7 has a list 5, 6, 5 and a map a -> x, b -> y; two offsets. */
static const char *write_all(void)
{
    static struct pair pairs[1000];
    static const struct pair elements[] = {{7, 5}, {7, 6}, {7, 5}};
    static const struct entry entries[] = {{7, TW_STR("a"), TW_STR("x")}, {7, TW_STR("b"), TW_STR("a text of some length")}};
    static const struct element two[] = {{11}, {12}};
    struct tw_savepoint *p = tw_savepoint_create(NULL);

    for (int64_t k = 0; k < 1000; k++) pairs[k] = (struct pair){k, 3 * k};
    tw_savepoint_add(p, "counts", 0, &seen, &key_row, &pair_row, pairs, 1000);
    tw_savepoint_add(p, "counts", 0, &list, &key_row, &pair_row, elements, 3);
    tw_savepoint_add(p, "counts", 0, &map, &key_row, &entry_row, entries, 2);
    tw_savepoint_add(p, "source", 64, &offsets, NULL, &element_row, two, 2);
    const char *path = folder_path(&folder, "made");
    assert_int_equal(tw_savepoint_write(p, path), 0);
    assert_null(tw_savepoint_error(p));
    tw_savepoint_free(p);
    return path;
}

static void what_was_written_is_read(void **state)
{
    struct tw_saved_operator o;
    struct tw_saved_state s;
    struct pair pair;
    struct entry entry;
    struct element element;
    int64_t sum = 0;
    uint32_t count = 0;

    (void)state;
    struct tw_saved *saved = tw_saved_open(write_all());
    assert_int_equal(tw_saved_operator_count(saved), 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(tw_saved_operator_at(saved, i, &o));
        bool is_counts = strcmp(o.uid, "counts") == 0;
        assert_int_equal(o.max_parallelism, is_counts ? 128 : 64);
        assert_int_equal(o.state_count, is_counts ? 3 : 1);
    }
    assert_false(tw_saved_operator_at(saved, 2, &o));
    assert_true(tw_saved_state_at(saved, "counts", 0, &s));
    assert_string_equal(s.name, "seen");
    assert_string_equal(s.kind, "keyed");
    assert_int_equal(s.keys, 1000);
    assert_false(tw_saved_state_at(saved, "counts", 3, &s));

    struct tw_saved_rows *rows = tw_saved_read(saved, "counts", "seen", &pair_row);
    while (tw_saved_next(rows, &pair)) {
        assert_int_equal(pair.value, 3 * pair.k);
        sum += pair.k;
        count++;
    }
    assert_false(tw_saved_next(rows, &pair));
    tw_saved_rows_close(rows);
    assert_int_equal(count, 1000);
    assert_int_equal(sum, 999 * 500);

    static const int64_t wanted[] = {5, 6, 5};
    rows = tw_saved_read(saved, "counts", "list", &pair_row);
    for (count = 0; tw_saved_next(rows, &pair); count++) assert_int_equal(pair.value, wanted[count]);
    assert_int_equal(count, 3);
    tw_saved_rows_close(rows);

    rows = tw_saved_read(saved, "counts", "map", &entry_row);
    assert_true(tw_saved_next(rows, &entry));
    assert_true(entry.k == 7 && tw_str_equal(entry.map_key, TW_STR("a")) && tw_str_equal(entry.value, TW_STR("x")));
    assert_true(tw_saved_next(rows, &entry));
    assert_true(tw_str_equal(entry.map_key, TW_STR("b")) && tw_str_equal(entry.value, TW_STR("a text of some length")));
    assert_false(tw_saved_next(rows, &entry));
    tw_saved_rows_close(rows);

    rows = tw_saved_read(saved, "source", "offsets", &element_row);
    assert_true(tw_saved_next(rows, &element) && element.value == 11);
    assert_true(tw_saved_next(rows, &element) && element.value == 12);
    assert_false(tw_saved_next(rows, &element));
    tw_saved_rows_close(rows);
    assert_null(tw_saved_error(saved));
    tw_saved_close(saved);
}

static void operators_go_and_get_another_uid(void **state)
{
    struct tw_saved_operator o;
    struct pair pair;
    uint32_t count = 0;

    (void)state;
    struct tw_saved *saved = tw_saved_open(write_all());
    struct tw_savepoint *p = tw_savepoint_create(saved);
    tw_savepoint_remove(p, "source");
    tw_savepoint_rename(p, "counts", "totals");
    tw_savepoint_add(p, "counts", 0, &list, &key_row, &pair_row, &(struct pair){1, 2}, 1);
    const char *path = folder_path(&folder, "changed");
    assert_int_equal(tw_savepoint_write(p, path), 0);
    tw_savepoint_free(p);
    tw_saved_close(saved);

    saved = tw_saved_open(path);
    assert_int_equal(tw_saved_operator_count(saved), 2);
    assert_true(tw_saved_operator_at(saved, 0, &o));
    struct tw_saved_rows *rows = tw_saved_read(saved, "totals", "seen", &pair_row);
    while (tw_saved_next(rows, &pair)) count++;
    assert_int_equal(count, 1000);
    tw_saved_rows_close(rows);
    rows = tw_saved_read(saved, "counts", "list", &pair_row);
    assert_true(tw_saved_next(rows, &pair) && pair.k == 1 && pair.value == 2);
    tw_saved_rows_close(rows);
    assert_null(tw_saved_read(saved, "source", "offsets", &element_row));
    assert_non_null(strstr(tw_saved_error(saved), "has no operator with the uid 'source'"));
    tw_saved_close(saved);
}

/* --- a job begins with it */
static enum tw_status on_row(struct tw_context *cx, const void *in)
{
    const struct key *row = in;
    struct pair out = {row->k, tw_value_long(cx, &seen, 0) + 1 + (int64_t)tw_list_size(cx, &list) * 1000000};

    tw_value_set_long(cx, &seen, out.value);
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(counting) = {.in = &key_row, .out = &pair_row, .key = &key_row, .states = {&seen, &list, &map}, .process = on_row};

static void a_job_begins_with_what_was_written(void **state)
{
    static const struct key keys[] = {{5}, {7}, {5}, {2000}};
    static const struct pair wanted[] = {{5, 16}, {7, 3000022}, {5, 17}, {2000, 1}};
    const struct pair *got;
    uint32_t count = 0;

    (void)state;
    const char *path = write_all();
    struct tw_env *env = tw_env_create();
    tw_set(env, "execution.state-recovery.path", path);
    tw_set(env, "execution.state-recovery.ignore-unclaimed-state", "true"); /* that of `source` */
    struct tw_stream *s = tw_uid(tw_process(tw_key_by(tw_from_data(env, &key_row, keys, 4), "k"), &counting), "counts");
    struct tw_rows *rows = tw_execute_and_collect(s, &pair_row, "begins");
    while ((got = tw_next_row(rows)) != NULL) {
        assert_int_equal(got->k, wanted[count].k);
        assert_int_equal(got->value, wanted[count].value);
        count++;
    }
    assert_int_equal(count, 4);
    tw_close_rows(rows);
    tw_env_free(env);
}

/* --- mistakes */
static void expect(struct tw_savepoint *p, const char *text)
{
    if (tw_savepoint_error(p) == NULL) fail_msg("no mistake, instead of: %s", text);
    if (strstr(tw_savepoint_error(p), text) == NULL) assert_string_equal(tw_savepoint_error(p), text);
    assert_int_equal(tw_savepoint_write(p, folder_path(&folder, "not")), 1);
    tw_savepoint_free(p);
}

static void mistakes_are_told(void **state)
{
    struct pair one = {1, 2};
    struct tw_savepoint *p;

    (void)state;
    struct tw_saved *saved = tw_saved_open(folder_path(&folder, "nowhere"));
    assert_non_null(strstr(tw_saved_error(saved), "there is no checkpoint or savepoint in '"));
    assert_null(tw_saved_read(saved, "counts", "seen", &pair_row));
    p = tw_savepoint_create(saved);
    expect(p, "there is no checkpoint or savepoint in '");
    tw_saved_close(saved);

    const char *path = write_all();
    saved = tw_saved_open(path);
    struct tw_saved_rows *rows = tw_saved_read(saved, "counts", "seen", &wrong_row);
    struct wrong row;
    assert_false(tw_saved_next(rows, &row));
    assert_non_null(strstr(tw_saved_error(saved), "field 'value' is INT NOT NULL"));
    tw_saved_rows_close(rows);
    tw_saved_close(saved);

    saved = tw_saved_open(path);
    p = tw_savepoint_create(saved);
    tw_savepoint_add(p, "counts", 0, &seen, &key_row, &pair_row, &one, 1);
    expect(p, "operator 'counts': the savepoint has the operator 'counts' with the id ");
    p = tw_savepoint_create(saved);
    tw_savepoint_remove(p, "other");
    expect(p, "operator 'other': the savepoint has no operator with the id ");
    p = tw_savepoint_create(NULL);
    tw_savepoint_add(p, "a", 0, &seen, NULL, &pair_row, &one, 1);
    expect(p, "operator 'a': state 'seen' needs a key");
    p = tw_savepoint_create(NULL);
    tw_savepoint_add(p, "a", 0, &seen, &key_row, &key_row, &one, 1);
    expect(p, "operator 'a': row type 'key' has no field 'value', which is a column of state 'seen'");
    p = tw_savepoint_create(NULL);
    tw_savepoint_add(p, "a", 0, &seen, &key_row, &pair_row, &one, 1);
    tw_savepoint_add(p, "a", 64, &list, &key_row, &pair_row, &one, 1);
    expect(p, "operator 'a': a max parallelism of 64; it is one for all states");
    p = tw_savepoint_create(NULL);
    tw_savepoint_add(p, "a", 0, &seen, &key_row, &pair_row, &one, 1);
    assert_int_equal(tw_savepoint_write(p, folder_path(&folder, "once")), 0);
    tw_savepoint_add(p, "a", 0, &seen, &key_row, &pair_row, &one, 1);
    expect(p, "the savepoint is written already: make another one");
    p = tw_savepoint_create(NULL);
    assert_int_equal(tw_savepoint_write(p, path), 1);
    assert_non_null(strstr(tw_savepoint_error(p), "there is a savepoint in '"));
    tw_savepoint_free(p);
    tw_saved_close(saved);
}

static void damage_is_told(void **state)
{
    char name[1200];
    struct pair pair;

    (void)state;
    snprintf(name, sizeof name, "%s/_metadata", write_all());
    FILE *f = fopen(name, "r+b");
    assert_non_null(f);
    fseek(f, 300, SEEK_SET);
    int byte = fgetc(f);
    fseek(f, 300, SEEK_SET);
    fputc(byte ^ 1, f);
    fclose(f);
    struct tw_saved *saved = tw_saved_open(folder_path(&folder, "made"));
    assert_non_null(strstr(tw_saved_error(saved), "damaged"));
    assert_false(tw_saved_next(tw_saved_read(saved, "counts", "seen", &pair_row), &pair));
    assert_int_equal(tw_saved_operator_count(saved), 0);
    tw_saved_close(saved);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_was_written_is_read),
        T(operators_go_and_get_another_uid),
        T(a_job_begins_with_what_was_written),
        T(mistakes_are_told),
        T(damage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
