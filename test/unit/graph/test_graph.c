/* test_graph.c - what graph_prepare refuses, with the text a user reads; types, needed columns, chains, names, ids, plan. */
#include "control/graph/graph.h"

#include "flow/operator/op_configs.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* --- operators made for the test ------------------------------------------------------------------------------------------ */
struct source_text {
    const char *type;
};

static enum status fake_source_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct source_text *c = config;

    p->output_count = 1;
    return type_parse(p->arena, str_of(c->type), &p->outputs[0], e);
}

static const struct op_type op_fake_source = {.name = "fake_source",
                                              .flags = OP_SOURCE,
                                              .config_size = sizeof(struct source_text),
                                              .derive = fake_source_derive,
                                              .makes_watermarks = true};

/* Passes its first input on, and has a side output "late" of the same type. Reads column 1 and what is needed behind it. */
static enum status pass_derive(struct op_plan *p, const void *config, struct err *e)
{
    (void)config;
    (void)e;
    p->outputs[0] = p->outputs[1] = p->inputs[0];
    p->port_names[1] = "late";
    p->output_count = 2;
    return S_OK;
}

static void pass_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                       uint64_t *const *inputs)
{
    (void)config;
    inputs[0][0] |= outputs[0][0] | outputs[1][0];
    bit_set(inputs[0], 1);
    if (p->input_count > 1) bit_set(inputs[1], 0);
}

static const struct op_type op_pass = {.name = "pass", .input_count = 1, .derive = pass_derive, .needs = pass_needs};
static const struct op_type op_keyed = {
    .name = "keyed", .input_count = 1, .flags = OP_NEEDS_KEY, .derive = pass_derive, .needs = pass_needs};
static const struct op_type op_two = {.name = "two", .input_count = 2, .derive = pass_derive, .needs = pass_needs};
static const struct op_type op_single = {
    .name = "single", .input_count = 1, .flags = OP_SINGLE, .derive = pass_derive, .needs = pass_needs};

/* Reads column 2 only. */
static enum status end_derive(struct op_plan *p, const void *config, struct err *e)
{
    (void)p;
    (void)config;
    (void)e;
    return S_OK;
}

static void end_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                      uint64_t *const *inputs)
{
    (void)p;
    (void)config;
    (void)outputs;
    bit_set(inputs[0], 2);
}

static const struct op_type op_end = {.name = "end", .input_count = 1, .derive = end_derive, .needs = end_needs};

/* --- fixture ------------------------------------------------------------------------------------------------------------- */
struct world {
    struct mem mem;
    struct arena arena;
    struct graph g;
    struct err e;
};

static void set_up(struct world *w)
{
    memset(w, 0, sizeof *w);
    mem_init(&w->mem, "test", 0);
    arena_init(&w->arena, &w->mem, 0);
    graph_init(&w->g, &w->arena);
}

static void tear_down(struct world *w)
{
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
}

#define AT(line) ((struct graph_here){"job.c", line})
#define BIDS "ROW<user STRING, price BIGINT, url STRING, at TIMESTAMP(3)>"

static uint32_t add_source(struct world *w, const char *name, const char *type, int line)
{
    struct graph_node *n = graph_add_node(&w->g, &op_fake_source, name, AT(line));

    ((struct source_text *)n->config)->type = type;
    return w->g.node_count - 1;
}

static uint32_t add(struct world *w, const struct op_type *type, const char *name, uint32_t from, int line)
{
    graph_add_node(&w->g, type, name, AT(line));
    graph_add_edge(&w->g, from, w->g.node_count - 1, 0, AT(line));
    return w->g.node_count - 1;
}

static struct graph_edge *edge_of(struct world *w, uint32_t node)
{
    return w->g.edges[graph_next_input(&w->g, node, 0, GRAPH_NONE)];
}

static void key(struct world *w, uint32_t node, const char *field, int line)
{
    struct graph_edge *edge = edge_of(w, node);
    const char **items = ARENA_ARRAY(&w->arena, const char *, 1);

    items[0] = field;
    edge->keys = (struct text_list){items, 1};
    edge->has_partitioner = true;
    edge->partitioner = PART_HASH;
    edge->here = AT(line);
}

static void refused(struct world *w, const char *text, const char *hint)
{
    assert_int_equal(graph_prepare(&w->g, &w->e), E_GRAPH);
    assert_string_equal(w->e.text, text);
    assert_string_equal(w->e.hint, hint);
    tear_down(w);
}

/* --- mistakes ------------------------------------------------------------------------------------------------------------- */
static void unknown_key_names_stream_fields_and_nearest(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 40);
    uint32_t p = add(&w, &op_keyed, "Process", s, 43);
    key(&w, p, "usr", 42);
    refused(&w, "job.c:42: field 'usr' is not in stream 'bids' (has: user, price, url, at)", "did you mean 'user'?");
}

static void first_mistake_of_the_program_wins(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    uint32_t a = add(&w, &op_keyed, "Process", s, 2);
    uint32_t b = add(&w, &op_keyed, "Process", a, 3);
    key(&w, b, "nothing like it", 4);
    refused(&w, "job.c:2: operator 'Process' needs a keyed stream, but stream 'bids' is not keyed",
            "call tw_key_by before it");
}

static void window_on_unkeyed_stream(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    add(&w, op_find("window_columns"), "Window", s, 7);
    refused(&w, "job.c:7: window 'Window' needs a keyed stream, but stream 'bids' is not keyed",
            "call tw_key_by before it, or set .all for one window over all rows");
}

static void equal_uids(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    w.g.nodes[s]->uid = "x";
    uint32_t p = add(&w, &op_pass, "Map", s, 2);
    w.g.nodes[p]->uid = "x";
    refused(&w, "job.c:2: uid 'x' of 'Map' is that of 'Source: bids' already; uids are unique in a job", "");
}

static void keys_of_two_inputs_differ(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t a = add_source(&w, "Source: bids", BIDS, 1);
    uint32_t b = add_source(&w, "Source: users", "ROW<id BIGINT, age INT>", 2);
    uint32_t t = add(&w, &op_two, "Co-Process", a, 3);
    key(&w, t, "user", 3);
    struct graph_edge *second = graph_add_edge(&w.g, b, t, 1, AT(3));
    second->keys = (struct text_list){(const char *const[]){"id"}, 1};
    second->has_partitioner = true;
    second->partitioner = PART_HASH;
    refused(&w,
            "job.c:3: the two inputs of 'Co-Process' have keys of different types: STRING in 'bids', BIGINT in 'users'",
            "");
}

static void union_of_different_types(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t a = add_source(&w, "Source: a", "ROW<x INT>", 1);
    uint32_t b = add_source(&w, "Source: b", "ROW<x BIGINT>", 2);
    uint32_t p = add(&w, &op_pass, "Map", a, 4);
    graph_add_edge(&w.g, b, p, 0, AT(3));
    refused(&w, "job.c:3: union of streams of different types: 'a' is ROW<`x` INT>, 'b' is ROW<`x` BIGINT>", "");
}

static void side_output_that_is_not_there(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    uint32_t p = add(&w, &op_pass, "Window", s, 2);
    uint32_t q = add(&w, &op_pass, "Map", p, 3);
    edge_of(&w, q)->side = "lat";
    refused(&w, "job.c:3: operator 'Window' has no side output 'lat'; it has 'late'", "did you mean 'late'?");
}

static void missing_input(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    add(&w, &op_two, "Co-Map", s, 2);
    refused(&w, "job.c:2: operator 'Co-Map' has nothing connected to input 2", "");
}

static void forward_between_different_parallelisms(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    uint32_t p = add(&w, &op_pass, "Map", s, 2);
    w.g.nodes[p]->parallelism = 4;
    edge_of(&w, p)->has_partitioner = true;
    refused(&w, "job.c:2: forward from 'Source: bids' to 'Map' needs one parallelism for both, but they have 1 and 4",
            "use tw_rebalance or tw_rescale, or set the same parallelism");
}

static void parallelism_beyond_its_limit(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    w.g.nodes[s]->parallelism = 8;
    w.g.nodes[s]->max_parallelism = 4;
    refused(&w, "job.c:1: parallelism 8 of 'Source: bids' is more than its max parallelism 4", "");
    set_up(&w);
    s = add_source(&w, "Source: bids", BIDS, 1);
    uint32_t p = add(&w, &op_single, "WindowAll", s, 2);
    w.g.nodes[p]->parallelism = 2;
    refused(&w, "job.c:2: operator 'WindowAll' runs with parallelism 1 only, not 2", "");
}

static void empty_job(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    refused(&w, "the job has no operators: nothing to run", "");
}

/* --- what is derived -------------------------------------------------------------------------------------------------------- */
static void max_parallelism_as_flink_derives_it(void **state)
{
    static const struct {
        uint32_t parallelism, max;
    } cases[] = {{1, 128}, {85, 128}, {86, 256}, {100, 256}, {171, 256}, {172, 512}, {4096, 8192}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct world w;
        set_up(&w);
        uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
        w.g.nodes[s]->parallelism = cases[i].parallelism;
        assert_int_equal(graph_prepare(&w.g, &w.e), S_OK);
        assert_int_equal(w.g.nodes[s]->max_parallelism, cases[i].max);
        tear_down(&w);
    }
}

/* source -> pass -> (end by key, end of the side output): columns travel only where somebody reads them. */
static void needed_columns(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    uint32_t p = add(&w, &op_pass, "Map", s, 2);
    uint32_t e = add(&w, &op_end, "Sink: a", p, 3);
    key(&w, e, "user", 3);
    assert_int_equal(graph_prepare(&w.g, &w.e), S_OK);
    assert_int_equal(w.g.nodes[e]->needed_in[0][0], 4 | 1); /* url, and its key */
    assert_int_equal(w.g.nodes[p]->needed_out[0][0], 4 | 1);
    assert_int_equal(w.g.nodes[p]->needed_out[1][0], 0);         /* nobody listens to the side output */
    assert_int_equal(w.g.nodes[p]->needed_in[0][0], 4 | 2 | 1);  /* and price, which the operator itself reads */
    assert_int_equal(w.g.nodes[s]->needed_out[0][0], 4 | 2 | 1); /* never `at` */
    assert_ptr_equal(edge_of(&w, e)->needed, w.g.nodes[e]->needed_in[0]);
    tear_down(&w);
}

static void chains_and_names(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: bids", BIDS, 1);
    uint32_t f = add(&w, &op_pass, "Filter", s, 2);
    uint32_t m = add(&w, &op_pass, "Map", f, 3);
    add(&w, &op_end, "Sink: a", f, 4);
    uint32_t k = add(&w, &op_keyed, "Process", m, 5);
    key(&w, k, "user", 5);
    add(&w, &op_end, "Sink: b", k, 6);
    uint32_t late = add(&w, &op_end, "Sink: late", k, 7);
    edge_of(&w, late)->side = "late";
    assert_int_equal(graph_prepare(&w.g, &w.e), S_OK);
    assert_int_equal(w.g.vertex_count, 2);
    assert_string_equal(w.g.vertices[0].name, "Source: bids -> Filter -> (Map, Sink: a)");
    assert_string_equal(w.g.vertices[1].name, "Process -> (Sink: b, Sink: late)");
    assert_int_equal(w.g.vertices[0].node_count, 4);
    assert_int_equal(w.g.vertices[1].head, k);
    assert_int_equal(edge_of(&w, late)->port, 1);
    assert_false(edge_of(&w, k)->chained);
    tear_down(&w);
}

enum unchain {
    NOTHING,
    PARALLELISM,
    GROUP,
    HEAD,
    PRODUCER_UNCHAINED,
    CONSUMER_UNCHAINED,
    REBALANCED,
    UNION,
    DISABLED,
    UNCHAIN_COUNT
};

static void what_prevents_chaining(void **state)
{
    (void)state;
    for (int why = NOTHING; why < UNCHAIN_COUNT; why++) {
        struct world w;
        set_up(&w);
        uint32_t s = add_source(&w, "Source: a", BIDS, 1), other = add_source(&w, "Source: b", BIDS, 1);
        uint32_t m = add(&w, &op_pass, "Map", s, 2);
        struct graph_node *from = w.g.nodes[s], *to = w.g.nodes[m];
        if (why == PARALLELISM) to->parallelism = 2;
        if (why == GROUP) to->slot_group = "other";
        if (why == HEAD) to->head = true;
        if (why == PRODUCER_UNCHAINED) from->unchained = true;
        if (why == CONSUMER_UNCHAINED) to->unchained = true;
        if (why == UNION) graph_add_edge(&w.g, other, m, 0, AT(2));
        if (why == DISABLED) w.g.chaining = false;
        edge_of(&w, m)->has_partitioner = why == REBALANCED;
        if (why == REBALANCED) edge_of(&w, m)->partitioner = PART_REBALANCE;
        assert_int_equal(graph_prepare(&w.g, &w.e), S_OK);
        assert_int_equal(w.g.vertex_count, why == NOTHING ? 2 : 3);
        if (why == PARALLELISM) assert_int_equal(edge_of(&w, m)->partitioner, PART_REBALANCE);
        tear_down(&w);
    }
}

static void slot_group_is_inherited(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    uint32_t a = add_source(&w, "Source: a", BIDS, 1), b = add_source(&w, "Source: b", BIDS, 1);
    w.g.nodes[a]->slot_group = "heavy";
    uint32_t m = add(&w, &op_pass, "Map", a, 2), t = add(&w, &op_two, "Co-Map", m, 3);
    graph_add_edge(&w.g, b, t, 1, AT(3));
    assert_int_equal(graph_prepare(&w.g, &w.e), S_OK);
    assert_string_equal(w.g.nodes[m]->slot_group, "heavy");
    assert_string_equal(w.g.nodes[b]->slot_group, "default");
    assert_string_equal(w.g.nodes[t]->slot_group, "default"); /* its inputs disagree */
    tear_down(&w);
}

static void ids_depend_on_uid_or_place(void **state)
{
    struct world w;
    char map_id[GRAPH_ID_SIZE];

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: a", BIDS, 1), m = add(&w, &op_pass, "Map", s, 2);
    w.g.nodes[m]->uid = "my map";
    assert_int_equal(graph_prepare(&w.g, &w.e), S_OK);
    memcpy(map_id, w.g.nodes[m]->id, sizeof map_id);
    assert_int_equal(strlen(map_id), 32);
    assert_string_not_equal(w.g.nodes[s]->id, map_id);
    tear_down(&w);
    set_up(&w); /* the same uid elsewhere: the same id */
    s = add_source(&w, "Source: a", BIDS, 1);
    m = add(&w, &op_pass, "Other", add(&w, &op_pass, "Between", s, 2), 3);
    w.g.nodes[m]->uid = "my map";
    assert_int_equal(graph_prepare(&w.g, &w.e), S_OK);
    assert_string_equal(w.g.nodes[m]->id, map_id);
    tear_down(&w);
}

static void plan_as_json(void **state)
{
    struct world w;
    struct buf out;

    (void)state;
    set_up(&w);
    uint32_t s = add_source(&w, "Source: \"bids\"", BIDS, 1);
    uint32_t k = add(&w, &op_keyed, "Process", s, 2);
    key(&w, k, "user", 2);
    w.g.nodes[k]->description = "counts\nper user";
    add(&w, &op_end, "Sink: b", k, 3);
    assert_int_equal(graph_prepare(&w.g, &w.e), S_OK);
    buf_init(&out, &w.mem);
    graph_plan_json(&w.g, &out);
    assert_string_equal(buf_text(&out), "{\n"
                                        "  \"nodes\" : [ {\n"
                                        "    \"id\" : 1,\n"
                                        "    \"type\" : \"Source: \\\"bids\\\"\",\n"
                                        "    \"pact\" : \"Data Source\",\n"
                                        "    \"contents\" : \"Source: \\\"bids\\\"\",\n"
                                        "    \"parallelism\" : 1\n"
                                        "  }, {\n"
                                        "    \"id\" : 2,\n"
                                        "    \"type\" : \"Process\",\n"
                                        "    \"pact\" : \"Operator\",\n"
                                        "    \"contents\" : \"counts\\u000aper user\",\n"
                                        "    \"parallelism\" : 1,\n"
                                        "    \"predecessors\" : [ {\n"
                                        "      \"id\" : 1,\n"
                                        "      \"ship_strategy\" : \"HASH\",\n"
                                        "      \"side\" : \"second\"\n"
                                        "    } ]\n"
                                        "  }, {\n"
                                        "    \"id\" : 3,\n"
                                        "    \"type\" : \"Sink: b\",\n"
                                        "    \"pact\" : \"Data Sink\",\n"
                                        "    \"contents\" : \"Sink: b\",\n"
                                        "    \"parallelism\" : 1,\n"
                                        "    \"predecessors\" : [ {\n"
                                        "      \"id\" : 2,\n"
                                        "      \"ship_strategy\" : \"FORWARD\",\n"
                                        "      \"side\" : \"second\"\n"
                                        "    } ]\n"
                                        "  } ]\n"
                                        "}\n");
    buf_release(&out);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_key_names_stream_fields_and_nearest),
        cmocka_unit_test(first_mistake_of_the_program_wins),
        cmocka_unit_test(window_on_unkeyed_stream),
        cmocka_unit_test(equal_uids),
        cmocka_unit_test(keys_of_two_inputs_differ),
        cmocka_unit_test(union_of_different_types),
        cmocka_unit_test(side_output_that_is_not_there),
        cmocka_unit_test(missing_input),
        cmocka_unit_test(forward_between_different_parallelisms),
        cmocka_unit_test(parallelism_beyond_its_limit),
        cmocka_unit_test(empty_job),
        cmocka_unit_test(max_parallelism_as_flink_derives_it),
        cmocka_unit_test(needed_columns),
        cmocka_unit_test(chains_and_names),
        cmocka_unit_test(what_prevents_chaining),
        cmocka_unit_test(slot_group_is_inherited),
        cmocka_unit_test(ids_depend_on_uid_or_place),
        cmocka_unit_test(plan_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
