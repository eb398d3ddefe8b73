/* nested_orders.c - rows with arrays, maps and structs inside, and decimals of 38 digits: orders of several lines become a
 * statement per customer, whose basket is kept in state as an array of structs.
 *
 * Build and run:  cc nested_orders.c $(pkg-config --cflags --libs thalweg) && ./a.out */
#include <thalweg/thalweg.h>

#include <string.h>

enum { BASKET_MAX = 8 };

/* A line of an order. Its quantity may be NULL, so it has a null mask: bit i speaks of field i. */
struct line {
    struct tw_str item;
    struct tw_decimal price;
    int32_t quantity;
    uint64_t nulls;
};
TW_ROW(line, TW_FIELD(line, item, "STRING NOT NULL"), TW_FIELD(line, price, "DECIMAL(38, 2) NOT NULL"),
       TW_FIELD(line, quantity, "INT"), TW_NULLS(line, nulls));

/* A ROW whose fields are never NULL needs no description of its own: it is a struct with these members in order. */
struct address {
    struct tw_str town;
    int32_t zip;
};

struct order {
    struct tw_str customer;
    struct address to;
    struct tw_array lines; /* of struct line */
    struct tw_map notes;   /* struct tw_str -> struct tw_str */
};
TW_ROW(order, TW_FIELD(order, customer, "STRING NOT NULL"), TW_FIELD(order, to, "ROW<town STRING, zip INT>"),
       TW_FIELD_OF(order, lines, "ARRAY<ROW>", line), TW_FIELD(order, notes, "MAP<STRING, STRING>"));

struct statement {
    struct tw_str customer;
    struct tw_decimal total;
    struct address to;
    struct tw_array basket; /* of struct line */
    struct tw_map notes;
};
TW_ROW(statement, TW_FIELD(statement, customer, "STRING NOT NULL"), TW_FIELD(statement, total, "DECIMAL(38, 2)"),
       TW_FIELD(statement, to, "ROW<town STRING, zip INT>"), TW_FIELD_OF(statement, basket, "ARRAY<ROW>", line),
       TW_FIELD(statement, notes, "MAP<STRING, STRING>"));

static const struct tw_state basket = {.name = "basket", .kind = TW_VALUE, .value = "ARRAY<ROW>", .row = &line_row};

/* Adds a line to the basket, to the same item when it is there. NULL counts as one. */
static enum tw_status basket_add(struct tw_context *cx, struct line *lines, uint32_t *count, const struct line *line)
{
    int32_t quantity = line->nulls >> 2 & 1 ? 1 : line->quantity;

    for (uint32_t i = 0; i < *count; i++) {
        if (!tw_str_equal(lines[i].item, line->item)) continue;
        lines[i].quantity += quantity;
        return TW_OK;
    }
    if (*count == BASKET_MAX) return tw_fail(cx, "a basket holds %d items", BASKET_MAX);
    lines[*count] = *line;
    lines[*count].quantity = quantity;
    lines[(*count)++].nulls = 0;
    return TW_OK;
}

static enum tw_status on_order(struct tw_context *cx, const void *in)
{
    const struct order *order = in;
    const struct line *more = order->lines.items;
    struct statement out = {.customer = order->customer, .to = order->to, .notes = order->notes};
    struct line lines[BASKET_MAX];
    struct tw_array kept = {0};
    uint32_t count = 0;

    if (tw_value_get(cx, &basket, &kept) && kept.count > 0) memcpy(lines, kept.items, kept.count * sizeof *lines);
    count = kept.count;
    for (uint32_t i = 0; i < order->lines.count; i++)
        if (basket_add(cx, lines, &count, &more[i]) != TW_OK) return TW_FAILED;
    for (uint32_t i = 0; i < count; i++)
        out.total = tw_decimal_put(tw_decimal_get(out.total) + tw_decimal_get(lines[i].price) * lines[i].quantity);
    out.basket = (struct tw_array){.items = lines, .count = count};
    tw_collect(cx, &out);
    tw_value_set(cx, &basket, &out.basket);
    return TW_OK;
}
TW_FUNCTION(statements) = {.in = &order_row, .out = &statement_row, .states = {&basket}, .process = on_order};

static struct tw_decimal price(const char *text)
{
    struct tw_decimal d = {0};

    tw_decimal_parse(text, 38, 2, &d);
    return d;
}

TW_JOB(env, argc, argv)
{
    struct line anns[] = {{TW_STR("pen"), price("1.20"), 3, 0}, {TW_STR("ink"), price("4.05"), 0, 1 << 2}};
    struct line bobs[] = {{TW_STR("island"), price("123456789012345678901234567890.50"), 2, 0}};
    struct line again[] = {{TW_STR("pen"), price("1.20"), 1, 0}};
    struct tw_str keys[] = {TW_STR("gift"), TW_STR("deliver")}, values[] = {TW_STR("yes"), TW_STR("")};
    uint64_t second_is_null = 1 << 1;
    struct order orders[] = {
        {TW_STR("ann"), {TW_STR("Ulm"), 89073}, {anns, NULL, 2}, {keys, values, &second_is_null, 2}},
        {TW_STR("bob"), {TW_STR("Oslo"), 150}, {bobs, NULL, 1}, {NULL, NULL, NULL, 0}},
        {TW_STR("ann"), {TW_STR("Ulm"), 89075}, {again, NULL, 1}, {NULL, NULL, NULL, 0}},
    };

    (void)argc;
    (void)argv;
    tw_set_parallelism(env, 1);
    struct tw_stream *in = tw_from_data(env, &order_row, orders, 3);
    tw_print(tw_process(tw_key_by(in, "customer"), &statements));
    return tw_execute(env, "nested orders");
}
