/* op_source.c - reads an outside system through its connector. What a source is made of, and where to look:
 * connector/conn_*.c knows the system, source/source_reader.c runs splits and watermarks, this file joins them to a
 * configuration. Port 1 of a connector with a format is the side output of rows that could not be read. */
#include "flow/connector/connector.h"
#include "flow/operator/user_times.h"
#include "flow/source/source_options.h"
#include "flow/source/source_reader.h"
#include "ground/base/str.h"

#include <string.h>

struct source {
    struct source_reader reader;
    struct user_times times;
};

static enum status source_conn(const struct source_config *c, const struct conn_type **conn, struct err *e)
{
    if (c->connector == NULL) return err_set(e, E_GRAPH, "a source needs a connector");
    TRY(conn_find(c->connector, conn, e));
    if ((*conn)->source != NULL) return S_OK;
    err_set(e, E_CONFIG, "connector '%s' cannot be read", c->connector);
    err_hint(e, "it is a sink");
    return E_CONFIG;
}

static bool has_dead_letters(const struct conn_type *conn) { return conn->takes_format || conn->parts_option != NULL; }

/* The connector's own row type; a declared one must then be the same. */
static enum status source_schema(struct op_plan *plan, const struct source_config *c, const struct conn_type *conn,
                                 const struct type **row, struct err *e)
{
    struct buf text;

    *row = c->schema;
    if (conn->source->schema != NULL) TRY(conn->source->schema(plan->arena, &c->options, conn->options, row, e));
    if (*row != c->schema) {
        if (c->schema == NULL || type_equal_ignoring_null(*row, c->schema)) return S_OK;
        buf_init(&text, plan->arena->mem);
        type_print(*row, &text);
        err_hint(e, "declare columns of these names and types");
        err_set(e, E_GRAPH, "the declared columns are not those of connector '%s': %.1500s", conn->name,
                buf_text(&text));
        buf_release(&text);
        return E_GRAPH;
    }
    if (c->schema != NULL && c->schema->kind == T_ROW && c->schema->child_count > 0) return S_OK;
    err_set(e, E_GRAPH, "connector '%s' does not know its columns", conn->name);
    err_hint(e, "declare them: tw_source_rows with a row type, or columns in CREATE TABLE");
    return E_GRAPH;
}

/* The program's, else the option's. */
static double source_rate(const struct source_config *c)
{
    return c->rows_per_second != 0 ? c->rows_per_second : options_double(&c->options, source_options, "scan.rate-limit");
}

static enum status source_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct source_config *c = config;
    const struct conn_type *conn = NULL;
    struct watermark_strategy strategy;

    TRY(source_conn(c, &conn, e));
    TRY(conn_options_check(conn, &c->options, e));
    TRY(source_schema(plan, c, conn, &plan->outputs[0], e));
    const struct type *row = plan->outputs[0];
    TRY(source_metadata_check(conn->source->metadata, row, &c->metadata, e));
    const struct type *read = source_read_type(plan->arena, row, &c->metadata);
    if (conn->takes_format) TRY(conn_format_check(&c->options, read, false, e));
    if (conn->source->check != NULL) TRY(conn->source->check(&c->options, conn->options, row, e));
    struct watermark_config w = source_watermark_config(&c->watermark, &c->options);
    const char *name = plan->name != NULL ? plan->name : c->connector;
    TRY(watermark_strategy_init(&strategy, &w, row, name, e));
    TRY(user_times_check(&w, row, name, plan->arena, e));
    TRY(source_watermark_check(&w, e));
    TRY(source_rate_check(source_rate(c), e));
    plan->output_count = 1;
    if (!has_dead_letters(conn)) return S_OK;
    plan->output_count = 2;
    plan->port_names[1] = "dead-letter";
    return type_parse(plan->arena, STR(DEAD_LETTER_ROW), &plan->outputs[1], e);
}

static bool source_blocks(const void *config)
{
    const struct source_config *c = config;
    const struct conn_type *conn = NULL;

    if (source_conn(c, &conn, NULL) != S_OK) return false;
    return conn->source->blocking ||
           (c->watermark.function.fn != NULL && (c->watermark.function.fn->flags & TW_BLOCKING));
}

static enum status source_open(struct op_cx *cx, void *self)
{
    struct source *s = self;
    const struct source_config *c = cx->config;
    const struct conn_type *conn = NULL;

    TRY(source_conn(c, &conn, cx->err));
    struct source_plan plan = {.type = conn->source,
                               .options = &c->options,
                               .option_defs = conn->options,
                               .rows = c->rows,
                               .filter = c->filter,
                               .zone = c->zone != NULL ? (struct str){c->zone, strlen(c->zone)} : (struct str){0},
                               .schema = cx->plan->outputs[0],
                               .metadata = &c->metadata,
                               .watermark = source_watermark_config(&c->watermark, &c->options),
                               .rows_per_second = source_rate(c),
                               .splits_max = (uint32_t)options_int(&c->options, source_options, "scan.max-splits"),
                               .has_dead_letters = has_dead_letters(conn)};
    TRY(user_times_open(&s->times, cx, &c->watermark.function, plan.schema, &plan.hooks));
    plan.times_needed = user_times_columns(&s->times, plan.schema);
    return source_reader_open(&s->reader, cx, &plan);
}

static enum status source_poll(struct op_cx *cx, void *self)
{
    (void)cx;
    return source_reader_poll(&((struct source *)self)->reader);
}

static enum status source_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    (void)cx;
    return source_reader_barrier(&((struct source *)self)->reader, checkpoint);
}

static void source_close(struct op_cx *cx, void *self, bool failed)
{
    struct source *s = self;

    (void)cx;
    source_reader_close(&s->reader, failed);
    user_times_close(&s->times);
}

const struct op_type op_source = {
    .name = "source",
    .doc = "rows of an outside system, with event times and watermarks",
    .example = "tw_source(env, \"bids\", \"nexmark\", TW_OPTIONS(\"events.num\", \"1000\"))",
    .flags = OP_SOURCE | OP_KEEPS,
    .config_size = sizeof(struct source_config),
    .config_fields = source_config_fields,
    .instance_size = sizeof(struct source),
    .derive = source_derive,
    .blocks = source_blocks,
    .open = source_open,
    .poll = source_poll,
    .on_barrier = source_on_barrier,
    .close = source_close,
    .makes_watermarks = true,
};
