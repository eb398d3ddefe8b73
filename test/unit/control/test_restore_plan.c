/* test_restore_plan.c - which subtask begins with what of a snapshot: watermarks, idleness, what was prepared, who has finished, at
 * the same parallelism and at others. */
#include "control/jobmanager/restore_plan.h"

#include "columns/column/batch.h"
#include "flow/state/snapshot.h"
#include "ground/base/str.h"
#include "support/folder.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ID_A "a0000000000000000000000000000000"
#define ID_B "b0000000000000000000000000000000"

static struct {
    struct sys *sys;
    struct folder folder;
    struct mem mem;
    struct snapshot_subtask subtasks[3]; /* of A; B has none */
    struct snapshot_operator operators[2];
    struct graph graph;
    struct graph_node nodes[2], *node_list[2];
    struct graph_vertex vertex;
    uint32_t chain[2];
    struct restore_plan *plan;
} w;

static int set_up(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    w.sys = sys_linux_create_quiet();
    folder_make(&w.folder);
    mem_init(&w.mem, "test", 0);
    for (int i = 0; i < 3; i++)
        w.subtasks[i] = (struct snapshot_subtask){.watermark = 100 + i, .sent_watermark = 50 - i, .is_idle = i != 1};
    w.operators[0] = (struct snapshot_operator){
        .id = ID_A, .name = "A", .parallelism = 3, .max_parallelism = 128, .subtasks = w.subtasks};
    w.chain[1] = 1;
    for (int i = 0; i < 2; i++) {
        w.node_list[i] = &w.nodes[i];
        w.nodes[i] = (struct graph_node){.name = i == 0 ? "A" : "B", .max_parallelism = 128};
        memcpy(w.nodes[i].id, i == 0 ? ID_A : ID_B, SNAPSHOT_ID_SIZE);
    }
    w.vertex = (struct graph_vertex){.nodes = w.chain, .node_count = 1};
    w.graph = (struct graph){.nodes = w.node_list, .node_count = 1, .vertices = &w.vertex, .vertex_count = 1};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    restore_plan_free(w.plan);
    mem_release(&w.mem);
    folder_remove(&w.folder);
    sys_linux_free(w.sys);
    return 0;
}

static enum status make(uint32_t parallelism, uint32_t operators, bool allows_unclaimed, struct err *e)
{
    struct snapshot_metadata m = {
        .job_id = ID_A, .job_name = "job", .operators = w.operators, .operator_count = operators};
    struct snapshot_reader *reader;
    struct buf bytes;
    enum fs_outcome outcome;
    const struct fs_type *fs;
    const char *path;

    buf_init(&bytes, &w.mem);
    metadata_encode(&m, &bytes);
    assert_int_equal(fs_find(folder_path(&w.folder, "chk/_metadata"), &fs, &path, NULL), S_OK);
    assert_int_equal(fs->publish(w.sys, path, (struct str){bytes.data, bytes.size}, false, &outcome, NULL), S_OK);
    assert_int_equal(snapshot_reader_open(w.sys, folder_path(&w.folder, "chk"), &reader, NULL), S_OK);
    w.vertex.parallelism = w.nodes[0].parallelism = parallelism;
    restore_plan_free(w.plan);
    return restore_plan_create(reader, &w.graph, allows_unclaimed, &w.plan, e);
}

static const struct node_restore *node(uint32_t subtask, uint32_t place)
{
    return &restore_plan_task(w.plan, 0, subtask)->nodes[place];
}

static void at_the_same_parallelism_each_has_its_own(void **state)
{
    (void)state;
    assert_int_equal(make(3, 1, false, NULL), S_OK);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(node(i, 0)->watermark, 100 + i);
        assert_int_equal(node(i, 0)->sent_watermark, 50 - i);
        assert_int_equal(node(i, 0)->is_idle, i != 1);
        assert_false(restore_plan_task(w.plan, 0, i)->is_finished);
    }
}

static void at_another_the_least_of_all_that_had_not_finished(void **state)
{
    (void)state;
    assert_int_equal(make(2, 1, false, NULL), S_OK);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(node(i, 0)->watermark, 100);
        assert_int_equal(node(i, 0)->sent_watermark, 48);
        assert_false(node(i, 0)->is_idle); /* one of them was not */
    }
    w.subtasks[0].is_finished = w.subtasks[1].is_finished = true;
    assert_int_equal(make(2, 1, false, NULL), S_OK);
    assert_int_equal(node(0, 0)->watermark, 102);
    assert_true(node(0, 0)->is_idle);
    assert_false(restore_plan_task(w.plan, 0, 0)->is_finished);
}

static void who_had_finished_stays_finished(void **state)
{
    (void)state;
    w.subtasks[1].is_finished = true;
    assert_int_equal(make(3, 1, false, NULL), S_OK);
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(restore_plan_task(w.plan, 0, i)->is_finished, i == 1);
    w.subtasks[0].is_finished = w.subtasks[2].is_finished = true;
    assert_int_equal(make(5, 1, false, NULL), S_OK);
    for (uint32_t i = 0; i < 5; i++) assert_true(restore_plan_task(w.plan, 0, i)->is_finished);
}

/* At parallelism 1 a source and what was behind it at 3 are one task: the source must not begin anew. */
static void who_had_finished_stays_finished_in_another_chain(void **state)
{
    struct snapshot_subtask source = {.is_finished = true};

    (void)state;
    w.operators[1] = (struct snapshot_operator){.id = ID_B, .name = "B", .parallelism = 1, .max_parallelism = 128, .subtasks = &source};
    w.chain[0] = 1;
    w.chain[1] = 0;
    w.vertex.node_count = w.graph.node_count = 2;
    w.subtasks[1].is_finished = true;
    assert_int_equal(make(1, 2, false, NULL), S_OK);
    assert_false(restore_plan_task(w.plan, 0, 0)->is_finished);
    assert_true(node(0, 0)->is_finished);
    assert_false(node(0, 1)->is_finished);
    assert_int_equal(node(0, 1)->watermark, 100);
}

static void an_operator_that_is_new_begins_with_nothing(void **state)
{
    (void)state;
    w.vertex.node_count = w.graph.node_count = 2;
    w.subtasks[0].is_finished = true;
    assert_int_equal(make(3, 1, false, NULL), S_OK);
    assert_null(node(0, 1)->state);
    assert_int_equal(node(0, 1)->watermark, TIME_MIN);
    assert_false(restore_plan_task(w.plan, 0, 0)->is_finished); /* the task has something new to do */
}

static void what_was_prepared_goes_to_one_subtask_each(void **state)
{
    static const char *const texts[] = {"zero", "", "two"};

    (void)state;
    for (int i = 0; i < 3; i++) w.subtasks[i].committables = str_of(texts[i]);
    assert_int_equal(make(2, 1, false, NULL), S_OK);
    assert_int_equal(node(0, 0)->committable_count, 2);
    assert_memory_equal(node(0, 0)->committables[0].data, "zero", 4);
    assert_memory_equal(node(0, 0)->committables[1].data, "two", 3);
    assert_int_equal(node(1, 0)->committable_count, 0);
    assert_int_equal(make(5, 1, false, NULL), S_OK);
    assert_int_equal(node(2, 0)->committable_count, 1);
    assert_int_equal(node(4, 0)->committable_count, 0);
}

static void every_subtask_has_the_state_of_all(void **state)
{
    struct snapshot_handle handles[] = {{.bytes = {"one", 3}, .size = 3, .digest = hash64("one", 3)},
                                        {.bytes = {"other", 5}, .size = 5, .digest = hash64("other", 5)}};

    (void)state;
    w.subtasks[2].handles = handles;
    w.subtasks[2].handle_count = 2;
    assert_int_equal(make(2, 1, false, NULL), S_OK);
    assert_int_equal(restore_plan_read(w.plan, NULL), S_OK);
    const struct state_restore *r = node(1, 0)->state;
    assert_ptr_equal(r, node(0, 0)->state);
    assert_int_equal(r->count, 3);
    assert_int_equal(r->max_parallelism, 128);
    assert_string_equal(r->operator, "A");
    assert_int_equal(r->subtasks[0].part_count, 0);
    assert_int_equal(r->subtasks[2].part_count, 2);
    assert_memory_equal(r->subtasks[2].parts[1].bytes.data, "other", 5);
}

static void what_has_no_operator_is_refused_when_it_is_state(void **state)
{
    struct snapshot_handle handle = {.bytes = {"one", 3}, .size = 3, .digest = hash64("one", 3)};
    struct snapshot_subtask other = {0};
    struct err e = {0};

    (void)state;
    w.operators[1] = (struct snapshot_operator){
        .id = ID_B, .name = "B", .parallelism = 1, .max_parallelism = 64, .subtasks = &other};
    assert_int_equal(make(3, 2, false, NULL), S_OK); /* it has none */
    other.handles = &handle;
    other.handle_count = 1;
    assert_int_equal(make(3, 2, false, &e), E_GRAPH);
    assert_non_null(
        strstr(e.text, "has state of the operator 'B' (id " ID_B "), but the job has no operator with that id"));
    assert_int_equal(make(3, 2, true, NULL), S_OK);
    w.vertex.node_count = w.graph.node_count = 2;
    err_clear(&e);
    w.nodes[1].max_parallelism = 32;
    assert_int_equal(make(3, 2, true, &e), E_GRAPH);
    assert_string_equal(e.text, "operator 'B' has a max parallelism of 32, its state in the snapshot one of 64");
    assert_string_equal(e.hint, "it may be raised and never lowered: set pipeline.max-parallelism, or the operator's own, to 64 or more");
}

static void a_max_parallelism_that_was_raised_is_told_of(void **state)
{
    struct snapshot_handle handle = {.bytes = {"one", 3}, .size = 3, .digest = hash64("one", 3)};
    struct snapshot_subtask other = {.handles = &handle, .handle_count = 1};
    struct arena a;

    (void)state;
    arena_init(&a, &w.mem, 0);
    w.operators[1] = (struct snapshot_operator){
        .id = ID_B, .name = "B", .parallelism = 1, .max_parallelism = 128, .subtasks = &other};
    w.vertex.node_count = w.graph.node_count = 2;
    assert_int_equal(make(3, 2, true, NULL), S_OK);
    assert_null(restore_plan_split(w.plan, &a));
    w.operators[1].max_parallelism = 64;
    assert_int_equal(make(3, 2, true, NULL), S_OK);
    assert_string_equal(restore_plan_split(w.plan, &a),
                        "the max parallelism of 'B' is 128, 64 before: key groups are split. Until its next checkpoint a start "
                        "reads some state in several subtasks, and each keeps what is its own");
    arena_release(&a);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(at_the_same_parallelism_each_has_its_own),
        T(at_another_the_least_of_all_that_had_not_finished),
        T(who_had_finished_stays_finished),
        T(who_had_finished_stays_finished_in_another_chain),
        T(an_operator_that_is_new_begins_with_nothing),
        T(what_was_prepared_goes_to_one_subtask_each),
        T(every_subtask_has_the_state_of_all),
        T(what_has_no_operator_is_refused_when_it_is_state),
        T(a_max_parallelism_that_was_raised_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
