/* op_source_function.c - the user's own source: a function with .source, one part per subtask, or with .splits, parts that an
 * enumerator hands out. user_source.c makes a connector of it, source/source_reader.c runs it like any other. */
#include "flow/operator/user_source.h"
#include "flow/operator/user_times.h"
#include "flow/source/source_options.h"
#include "flow/source/source_reader.h"

struct source_function {
    struct source_reader reader;
    struct user_times times;
};

static enum status source_function_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct source_function_config *c = config;
    struct watermark_strategy s;

    TRY(user_source_check(&c->function, e));
    TRY(user_derive_out(plan, &c->function, e));
    TRY(watermark_strategy_init(&s, &c->watermark, plan->outputs[0], c->function.name, e));
    TRY(user_times_check(&c->watermark, plan->outputs[0], c->function.name, plan->arena, e));
    TRY(source_watermark_check(&c->watermark, e));
    TRY(source_rate_check(c->rows_per_second, e));
    return user_derive_state(plan, &c->function, false, e);
}

static bool source_function_blocks(const void *config)
{
    const struct source_function_config *c = config;

    return c->function.fn && (c->function.fn->flags & TW_BLOCKING);
}

static enum status source_function_open(struct op_cx *op, void *self)
{
    struct source_function *s = self;
    const struct source_function_config *c = op->config;
    struct source_plan plan = {.type = &user_source,
                               .schema = op->plan->outputs[0],
                               .watermark = source_watermark_config(&c->watermark, &(struct options){NULL, 0}),
                               .rows_per_second = c->rows_per_second,
                               .splits_max = user_source_splits(c->function.fn),
                               .cannot_pause = user_source_cannot_pause(c->function.fn)};

    TRY(user_times_open(&s->times, op, &c->watermark.function, plan.schema, &plan.hooks));
    plan.times_needed = user_times_columns(&s->times, plan.schema);
    return source_reader_open(&s->reader, op, &plan);
}

/* Rows for side outputs that do not fit their batches wait in the function's context. */
static enum status source_function_poll(struct op_cx *op, void *self)
{
    struct source_reader *r = &((struct source_function *)self)->reader;
    struct user_reader *u = r->reader;

    (void)op;
    TRY(user_begin(&u->cx, 0, NULL));
    enum status st = source_reader_poll(r), rest;
    if (st < 0) return st;
    rest = user_end(&u->cx, true);
    return rest == S_OK ? st : rest;
}

static enum status source_function_on_barrier(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct source_reader *r = &((struct source_function *)self)->reader;
    struct user_reader *u = r->reader;

    (void)op;
    TRY(user_begin(&u->cx, 0, NULL));
    TRY(user_end(&u->cx, true));
    return source_reader_barrier(r, checkpoint);
}

static void source_function_close(struct op_cx *op, void *self, bool failed)
{
    struct source_function *s = self;

    (void)op;
    source_reader_close(&s->reader, failed);
    user_times_close(&s->times);
}

const struct op_type op_source_function = {
    .name = "source_function",
    .doc = "a source of the user, by the function's .source, or .splits with an enumerator of its own",
    .example = "tw_source_function(env, \"ticks\", &ticker)",
    .flags = OP_SOURCE | OP_KEEPS,
    .config_size = sizeof(struct source_function_config),
    .config_fields = source_function_config_fields,
    .instance_size = sizeof(struct source_function),
    .derive = source_function_derive,
    .blocks = source_function_blocks,
    .open = source_function_open,
    .poll = source_function_poll,
    .on_barrier = source_function_on_barrier,
    .close = source_function_close,
    .makes_watermarks = true,
};
