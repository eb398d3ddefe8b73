/* test_graph_codec.c - a graph as bytes and back: the same bytes again, nothing shared with the original, every kind of
 * configuration, every cut and every damaged byte refused or read without harm. */
#include "control/graph/graph.h"

#include "flow/operator/op_configs.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena from, to;
    struct graph a, b;
    struct buf bytes, again;
    struct err e;
};

static void set_up(struct world *w)
{
    memset(w, 0, sizeof *w);
    mem_init(&w->mem, "test", 0);
    arena_init(&w->from, &w->mem, 0);
    arena_init(&w->to, &w->mem, 0);
    buf_init(&w->bytes, &w->mem);
    buf_init(&w->again, &w->mem);
    graph_init(&w->a, &w->from);
    graph_init(&w->b, &w->to);
}

static void tear_down(struct world *w)
{
    arena_release(&w->from);
    arena_release(&w->to);
    buf_release(&w->bytes);
    buf_release(&w->again);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
}

/* where -> project -> window_columns: texts, lists, numbers, functions. */
static void fill(struct world *w)
{
    struct graph *g = &w->a;
    struct graph_node *n = graph_add_node(g, op_find("where"), "Filter", (struct graph_here){"job.c", 10});
    static const char *const where[] = {"field", "price", "op", ">", "literal", ""};

    g->job_name = "bids";
    g->artifact.name = "job.so";
    for (size_t i = 0; i < sizeof g->artifact.digest.bytes; i++) g->artifact.digest.bytes[i] = (unsigned char)i;
    static const struct option settings[] = {{"parallelism.default", "2"}};
    g->settings = (struct options){settings, 1};
    g->default_parallelism = 2;
    for (uint32_t i = 0; i < 6; i += 2)
        assert_int_equal(graph_config_set(&w->from, n->type, n->config, where[i], where[i + 1], &w->e), S_OK);
    n->uid = "filter";
    n->parallelism = 3;
    n->head = true;
    n = graph_add_node(g, op_find("project"), "Project", (struct graph_here){NULL, 0});
    static const char *const columns[] = {"a", "price * 2 AS p"};
    ((struct project_config *)n->config)->columns = (struct text_list){columns, 2};
    n->description = "two columns";
    n->slot_group = "heavy";
    n = graph_add_node(g, op_find("window_columns"), "Window", (struct graph_here){"job.c", 12});
    struct window_config *window = n->config;
    window->size_ms = 10000;
    window->offset_ms = -3;
    window->trigger_threshold = 0.5;
    window->all = true;
    window->function = (struct function_ref){.name = "f", .config = STR("x\0y")};
    n->single = n->has_buffer_timeout = true;
    n->buffer_timeout_ms = 300;
    n->uid_hash = "0123456789abcdef0123456789abcdef";
    static const struct option variables[] = {{"team", "blue"}, {"floor", "2"}};
    n->metric_variables = (struct options){variables, 2};
    graph_add_edge(g, 0, 1, 0, (struct graph_here){"job.c", 11})->side = "late";
    struct graph_edge *edge = graph_add_edge(g, 1, 2, 0, (struct graph_here){"job.c", 12});
    edge->keys = (struct text_list){columns, 1};
    edge->has_partitioner = true;
    edge->partitioner = PART_CUSTOM;
    edge->function = (struct function_ref){.name = "where_to"};
    graph_encode(g, &w->bytes);
}

static void round_trip(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    fill(&w);
    assert_int_equal(graph_decode(&w.b, (struct str){w.bytes.data, w.bytes.size}, &w.e), S_OK);
    graph_encode(&w.b, &w.again);
    assert_int_equal(w.again.size, w.bytes.size);
    assert_memory_equal(w.again.data, w.bytes.data, w.bytes.size);
    memset(w.bytes.data, 0xAB, w.bytes.size); /* nothing may refer to the bytes */
    const struct graph *g = &w.b;
    assert_string_equal(g->job_name, "bids");
    assert_string_equal(g->settings.items[0].value, "2");
    assert_int_equal(g->artifact.digest.bytes[31], 31);
    assert_int_equal(g->node_count, 3);
    const struct config_field *literal = &g->nodes[0]->type->config_fields[2];
    assert_string_equal(literal->name, "literal");
    assert_string_equal(*(const char **)(void *)((char *)g->nodes[0]->config + literal->offset), ""); /* empty is not absent */
    assert_int_equal(g->nodes[0]->parallelism, 3);
    assert_true(g->nodes[0]->head);
    assert_null(g->nodes[1]->uid);
    assert_null(g->nodes[1]->here.file);
    assert_string_equal(((const struct project_config *)g->nodes[1]->config)->columns.items[1], "price * 2 AS p");
    const struct window_config *window = g->nodes[2]->config;
    assert_int_equal(window->offset_ms, -3);
    assert_true(window->trigger_threshold == 0.5);
    assert_true(window->all && g->nodes[2]->single);
    assert_null(window->pre.name);
    assert_true(g->nodes[2]->has_buffer_timeout && !g->nodes[1]->has_buffer_timeout);
    assert_int_equal(g->nodes[2]->buffer_timeout_ms, 300);
    assert_string_equal(g->nodes[2]->uid_hash, "0123456789abcdef0123456789abcdef");
    assert_null(g->nodes[0]->uid_hash);
    assert_int_equal(g->nodes[0]->metric_variables.count, 0);
    assert_int_equal(g->nodes[2]->metric_variables.count, 2);
    assert_string_equal(g->nodes[2]->metric_variables.items[1].key, "floor");
    assert_string_equal(g->nodes[2]->metric_variables.items[1].value, "2");
    assert_true(str_equal(window->function.config, STR("x\0y")));
    assert_string_equal(g->edges[0]->side, "late");
    assert_false(g->edges[0]->has_partitioner);
    assert_int_equal(g->edges[1]->partitioner, PART_CUSTOM);
    assert_string_equal(g->edges[1]->function.name, "where_to");
    assert_int_equal(g->edges[1]->here.line, 12);
    tear_down(&w);
}

/* Every prefix of the bytes is refused. */
static void every_cut_is_refused(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    fill(&w);
    for (size_t size = 0; size < w.bytes.size; size++) {
        arena_reset(&w.to);
        graph_init(&w.b, &w.to);
        err_clear(&w.e);
        assert_int_equal(graph_decode(&w.b, (struct str){w.bytes.data, size}, &w.e), E_DATA);
        assert_true(strncmp(w.e.text, "job graph, byte ", 16) == 0);
    }
    buf_append_byte(&w.bytes, 0);
    arena_reset(&w.to);
    graph_init(&w.b, &w.to);
    err_clear(&w.e);
    assert_int_equal(graph_decode(&w.b, (struct str){w.bytes.data, w.bytes.size}, &w.e), E_DATA);
    tear_down(&w);
}

/* Any byte changed to anything: refused, or read into a graph that encodes to something. Sanitizers watch. */
static void damaged_bytes_do_no_harm(void **state)
{
    static const unsigned char flips[] = {0x01, 0x80, 0xFF};
    struct world w;

    (void)state;
    set_up(&w);
    fill(&w);
    for (size_t at = 0; at < w.bytes.size; at++)
        for (size_t k = 0; k < COUNT_OF(flips); k++) {
            arena_reset(&w.to);
            graph_init(&w.b, &w.to);
            err_clear(&w.e);
            w.bytes.data[at] = (char)(w.bytes.data[at] ^ flips[k]);
            if (graph_decode(&w.b, (struct str){w.bytes.data, w.bytes.size}, &w.e) == S_OK) {
                buf_clear(&w.again);
                graph_encode(&w.b, &w.again);
                assert_true(w.again.size > 0);
            }
            w.bytes.data[at] = (char)(w.bytes.data[at] ^ flips[k]);
        }
    tear_down(&w);
}

static enum status list_function(void *arg, struct function_ref *f, struct err *e)
{
    (void)e;
    buf_printf(arg, "%s ", f->name);
    return S_OK;
}

static enum status refuse_function(void *arg, struct function_ref *f, struct err *e)
{
    return strcmp(f->name, arg) == 0 ? err_set(e, E_GRAPH, "no '%s'", f->name) : S_OK;
}

static void functions_are_visited(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    fill(&w);
    assert_int_equal(graph_each_function(&w.a, list_function, &w.again, &w.e), S_OK);
    assert_string_equal(buf_text(&w.again), "f where_to ");
    assert_int_equal(graph_each_function(&w.a, refuse_function, "where_to", &w.e), E_GRAPH);
    assert_string_equal(w.e.text, "job.c:12: no 'where_to'");
    tear_down(&w);
}

static void what_a_reader_says(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    assert_int_equal(graph_decode(&w.b, STR("PK\3\4 something"), &w.e), E_DATA);
    assert_string_equal(w.e.text, "job graph, byte 0 of 14: this is not a job graph");
    err_clear(&w.e);
    assert_int_equal(graph_decode(&w.b, STR("TWJG\3"), &w.e), E_DATA);
    assert_string_equal(w.e.text, "job graph, byte 5 of 5: version 3 of the job graph; this build reads version 2");
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(damaged_bytes_do_no_harm),
        cmocka_unit_test(functions_are_visited),
        cmocka_unit_test(what_a_reader_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
