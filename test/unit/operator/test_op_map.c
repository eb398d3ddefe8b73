/* test_op_map.c - functions that see one row at a time: map, filter, flat_map; rows bound to columns, selections, kinds,
 * event times, strings, failures. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};

struct bid {
    int64_t auction;
    int32_t price;
    struct tw_str url;
};
TW_ROW(bid, TW_FIELD(bid, auction, "BIGINT NOT NULL"), TW_FIELD(bid, price, "INT NOT NULL"),
       TW_FIELD(bid, url, "STRING NOT NULL"));

struct euro {
    struct tw_str label, url;
    double euro;
    uint64_t nulls;
};
TW_ROW(euro, TW_FIELD(euro, label, "STRING NOT NULL"), TW_FIELD(euro, url, "STRING NOT NULL"),
       TW_FIELD(euro, euro, "DOUBLE"), TW_NULLS(euro, nulls));

#define BIDS "ROW<url STRING, price INT, extra STRING, auction BIGINT>"

/* One buffer for all rows: what the engine does not copy at once would be overwritten by the next row. */
struct label_self {
    char buffer[64];
};

static enum tw_status to_euro(struct tw_context *cx, const void *in, void *out)
{
    const struct bid *b = in;
    struct euro *e = out;
    struct label_self *self = tw_self(cx);

    snprintf(self->buffer, sizeof self->buffer, "auction number %lld", (long long)b->auction);
    e->label = tw_str_of(self->buffer);
    e->url = b->url;
    e->euro = b->price / 2.0;
    if (b->price == 0) e->nulls |= 1 << 2;
    return b->price < 0 ? tw_fail(cx, "price %d is negative", b->price) : TW_OK;
}

TW_FUNCTION(euro_of) = {.in = &bid_row, .out = &euro_row, .self_size = sizeof(struct label_self), .map = to_euro};

static void map_fills_one_row_per_row(void **state)
{
    struct function_config c = {{.name = "euro_of", .fn = &euro_of}};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("map"), .config = &c, .in = BIDS, .batch_rows = sizes[i]});
        op_push(d, 0, "@10 u | 3 | x | 7\n-U a rather long address | 0 | x | 8\n@30 w | 8 | null | 123456789012");
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), "+I[auction number 7, u, 1.5]@10\n"
                                          "-U[auction number 8, a rather long address, null]\n"
                                          "+I[auction number 123456789012, w, 4.0]@30\n");
        op_driver_free(d);
    }
}

static void a_failure_names_the_row_and_the_reason(void **state)
{
    struct function_config c = {{.name = "euro_of", .fn = &euro_of}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("map"), .config = &c, .in = BIDS});

    (void)state;
    op_push(d, 0, "u | 3 | x | 7\nv | -4 | y | 8");
    assert_string_equal(op_driver_error(d), "row +I[v, -4, y, 8]: price -4 is negative");
    op_driver_free(d);
}

static void a_null_without_a_place_is_refused(void **state)
{
    struct function_config c = {{.name = "euro_of", .fn = &euro_of}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("map"), .config = &c, .in = BIDS});

    (void)state;
    op_push(d, 0, "u | null | x | 7");
    assert_string_equal(
        op_driver_error(d),
        "NULL in column 'price', but row type 'bid' has no place for it (give the struct a null mask with "
        "TW_NULLS, or remove such rows before)");
    op_driver_free(d);
}

static void rows_that_do_not_fit_are_refused_at_graph_time(void **state)
{
    struct function_config c = {{.name = "euro_of", .fn = &euro_of}};
    static const struct {
        const char *in, *error;
    } cases[] = {
        {"ROW<url STRING, price INT, auctoin BIGINT>",
         "function 'euro_of': row type 'bid': field 'auction' is not in stream 'input' (has: url, price, auctoin) (did "
         "you mean 'auctoin'?)"},
        {"ROW<url STRING, price BIGINT, auction BIGINT>", "function 'euro_of': row type 'bid', field 'price' is INT "
                                                          "NOT NULL, but the stream's column 'price' is BIGINT"},
        {"ROW<url BYTES, price INT, auction BIGINT>",
         "function 'euro_of': row type 'bid', field 'url' is STRING NOT NULL, but the stream's column 'url' is BYTES"},
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("map"), .config = &c, .in = cases[i].in});
        assert_string_equal(op_driver_error(d), cases[i].error);
        op_driver_free(d);
    }
}

TW_FUNCTION(nothing) = {.in = &bid_row};

static void a_missing_hook_is_named(void **state)
{
    struct function_config c = {{.name = "nothing", .fn = &nothing}};
    static const char *const operators[] = {"map", "filter", "flat_map", "process"};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(operators); i++) {
        char expected[128];
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find(operators[i]), .config = &c, .in = BIDS});
        snprintf(expected, sizeof expected,
                 "function 'nothing' cannot be used here: it has no .%s (set .%s in its TW_FUNCTION)", operators[i],
                 operators[i]);
        assert_string_equal(op_driver_error(d), expected);
        op_driver_free(d);
    }
}

/* --- filter --------------------------------------------------------------------------------------------------------- */
struct price {
    int32_t price;
};
TW_ROW(price, TW_FIELD(price, price, "INT NOT NULL"));

static enum tw_status is_even(struct tw_context *cx, const void *in, bool *keep)
{
    (void)cx;
    *keep = ((const struct price *)in)->price % 2 == 0;
    return TW_OK;
}
TW_FUNCTION(even) = {.in = &price_row, .filter = is_even};

static void filter_passes_rows_as_they_are(void **state)
{
    struct function_config c = {{.name = "even", .fn = &even}};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("filter"), .config = &c, .in = BIDS, .batch_rows = sizes[i]});
        op_push(d, 0, "-D @10 a | 2 | null | 1\nb | 3 | x | 2\n+U @20 c | 4 | y | 3\nd | 5 | z | 4\ne | 6 | q | null");
        assert_string_equal(op_output(d), "-D[a, 2, null, 1]@10\n+U[c, 4, y, 3]@20\n+I[e, 6, q, null]\n");
        op_driver_free(d);
    }
}

static void filter_narrows_a_selection_without_touching_the_batch(void **state)
{
    struct function_config c = {{.name = "even", .fn = &even}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("filter"), .config = &c, .in = "ROW<price INT>"});
    struct mem mem;
    static const uint16_t sel[] = {1, 2, 4};

    (void)state;
    mem_init(&mem, "test", 0);
    struct batch *b = rows_batch(op_driver_output(d, 0), &mem, "2\n4\n5\n6\n8");
    b->sel = sel;
    b->sel_count = 3;
    op_push_batch(d, 0, b);
    assert_string_equal(op_output(d), "+I[4]\n+I[8]\n");
    assert_ptr_equal(b->sel, sel);
    assert_int_equal(b->sel_count, 3);
    vector_make_const(&b->cols[0]); /* one value for all rows: 2 */
    op_push_batch(d, 0, b);
    assert_string_equal(op_output(d), "+I[2]\n+I[2]\n+I[2]\n");
    batch_free(b);
    op_driver_free(d);
    mem_release(&mem);
}

/* --- flat_map ------------------------------------------------------------------------------------------------------------ */
struct word {
    struct tw_str word;
    int32_t number;
};
TW_ROW(word, TW_FIELD(word, word, "STRING NOT NULL"), TW_FIELD(word, number, "INT NOT NULL"));

/* The words of the url: each collected out of one struct and one buffer. */
static enum tw_status split(struct tw_context *cx, const void *in)
{
    const struct bid *b = in;
    struct word w = {.number = 0};
    char copy[64];
    size_t from = 0;

    for (size_t i = 0; i <= b->url.size; i++) {
        if (i < b->url.size && b->url.data[i] != ' ') continue;
        if (i > from) {
            snprintf(copy, sizeof copy, "%.*s-%d", (int)(i - from), b->url.data + from, b->price);
            w.word = tw_str_of(copy);
            w.number++;
            tw_collect(cx, &w);
        }
        from = i + 1;
    }
    return TW_OK;
}
TW_FUNCTION(words) = {.in = &bid_row, .out = &word_row, .flat_map = split};

static void flat_map_collects_any_number_of_rows(void **state)
{
    struct function_config c = {{.name = "words", .fn = &words}};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("flat_map"), .config = &c, .in = BIDS, .batch_rows = sizes[i]});
        op_push(d, 0,
                "@1 to be or not | 1 | x | 1\n@2 \"\" | 2 | x | 1\n-D @3 incomprehensibilities reign | 3 | x | 1");
        assert_string_equal(op_output(d), "+I[to-1, 1]@1\n+I[be-1, 2]@1\n+I[or-1, 3]@1\n+I[not-1, 4]@1\n"
                                          "-D[incomprehensibilities-3, 1]@3\n-D[reign-3, 2]@3\n");
        op_driver_free(d);
    }
}

struct number {
    int32_t price;
};
TW_ROW(number, TW_FIELD(number, price, "INT NOT NULL"));

static enum tw_status count_to(struct tw_context *cx, const void *in)
{
    for (struct number n = {1}; n.price <= ((const struct price *)in)->price; n.price++) tw_collect(cx, &n);
    return TW_OK;
}
TW_FUNCTION(counting) = {.in = &price_row, .out = &number_row, .flat_map = count_to};

static void one_callback_may_emit_more_than_a_batch(void **state)
{
    struct function_config c = {{.name = "counting", .fn = &counting}};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){
            .type = op_find("flat_map"), .config = &c, .in = "ROW<price INT>", .batch_rows = sizes[i]});
        op_push(d, 0, "5000\n2\n5000");
        const char *at = op_output(d);
        for (int pass = 0; pass < 3; pass++) {
            for (int n = 1; n <= (pass == 1 ? 2 : 5000); n++) {
                char line[32];
                size_t size = (size_t)snprintf(line, sizeof line, "+I[%d]\n", n);
                assert_memory_equal(at, line, size);
                at += size;
            }
        }
        assert_string_equal(at, "");
        op_driver_free(d);
    }
}

static void nobody_listens_and_nothing_is_built(void **state)
{
    struct function_config c = {{.name = "counting", .fn = &counting}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("flat_map"), .config = &c, .in = "ROW<price INT>", .unused_port = ""});

    (void)state;
    uint64_t before = op_driver_cx(d)->mem->calls;
    op_push(d, 0, "100000");
    assert_int_equal(op_driver_cx(d)->mem->calls, before);
    assert_string_equal(op_output(d), "");
    op_driver_free(d);
}

static void steady_state_allocates_nothing(void **state)
{
    struct function_config c = {{.name = "words", .fn = &words}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("flat_map"), .config = &c, .in = BIDS});
    uint64_t before = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < 50; k++)
            op_push(d, 0, "some words that are longer than inline strings could be | 1 | x | 1");
        op_output(d);
        if (i == 2) before = op_driver_cx(d)->mem->calls;
    }
    assert_int_equal(op_driver_cx(d)->mem->calls, before);
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_fills_one_row_per_row),
        cmocka_unit_test(a_failure_names_the_row_and_the_reason),
        cmocka_unit_test(a_null_without_a_place_is_refused),
        cmocka_unit_test(rows_that_do_not_fit_are_refused_at_graph_time),
        cmocka_unit_test(a_missing_hook_is_named),
        cmocka_unit_test(filter_passes_rows_as_they_are),
        cmocka_unit_test(filter_narrows_a_selection_without_touching_the_batch),
        cmocka_unit_test(flat_map_collects_any_number_of_rows),
        cmocka_unit_test(one_callback_may_emit_more_than_a_batch),
        cmocka_unit_test(nobody_listens_and_nothing_is_built),
        cmocka_unit_test(steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
