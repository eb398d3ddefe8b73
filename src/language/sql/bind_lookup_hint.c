/* bind_lookup_hint.c - the hint LOOKUP of a SELECT: its options are checked as Flink does, in its words. Those for asynchronous lookups
 * change nothing where the table's connector has none. Options that nobody knows, and numbers that are not positive, are refused
 * wherever they stand: Flink takes some of them and does nothing. */
#include "language/sql/bind_hint.h"

#include "ground/base/option.h"
#include "ground/base/str.h"

static const struct option_def defs[] = {
    {.key = "table", .kind = OPT_STRING},
    {.key = "async", .kind = OPT_BOOL},
    {.key = "output-mode", .kind = OPT_ENUM, .choices = "ORDERED|ALLOW_UNORDERED"},
    {.key = "capacity", .kind = OPT_INT},
    {.key = "timeout", .kind = OPT_DURATION_MS},
    {.key = "retry-predicate", .kind = OPT_STRING},
    {.key = "retry-strategy", .kind = OPT_ENUM, .choices = "FIXED_DELAY"},
    {.key = "fixed-delay", .kind = OPT_DURATION_MS},
    {.key = "max-attempts", .kind = OPT_INT},
    {.key = "shuffle", .kind = OPT_BOOL},
    {.key = NULL},
};
static const char *const retry_keys[] = {"retry-predicate", "retry-strategy", "fixed-delay", "max-attempts"};

/* The pairs of a hint, which are all pairs. */
static struct options pairs_of(struct arena *a, const struct ast_hint *h)
{
    struct option *items = ARENA_ARRAY(a, struct option, h->count + 1);

    for (uint32_t i = 0; i < h->count; i++) {
        struct str key = h->args[i]->text, value = h->args[i]->args.items[0]->text;
        items[i] = (struct option){arena_strndup(a, key.data, key.size), arena_strndup(a, value.data, value.size)};
    }
    return (struct options){items, h->count};
}

static enum status unknown_option(struct query_binder *b, const struct ast_expr *x)
{
    const char *names[COUNT_OF(defs) - 1];

    for (uint32_t i = 0; i < COUNT_OF(names); i++) names[i] = defs[i].key;
    int near = str_nearest(x->text, names, COUNT_OF(names));
    if (near >= 0)
        err_hint(b->e, "did you mean '%s'?", names[near]);
    else
        err_hint(b->e, "there are 'table', 'async', 'output-mode', 'capacity', 'timeout', 'retry-predicate', 'retry-strategy', 'fixed-delay', "
                       "'max-attempts' and 'shuffle'");
    return sql_error(b->e, b->t, x->place.at, x->place.size, "Invalid LOOKUP hint options: there is no option '%.*s'",
                     (int)MIN(x->text.size, (size_t)100), x->text.data);
}

static enum status check_value(struct query_binder *b, const struct ast_expr *x, const struct option *pair)
{
    struct err none = {0};
    const struct option_def *d = option_find(defs, pair->key);
    int64_t number;

    if (d == NULL) return unknown_option(b, x);
    bool good = options_check(&(struct options){pair, 1}, (const struct option_def[]){*d, {.key = NULL}}, "the hint", &none) == S_OK;
    if (d->kind == OPT_DURATION_MS) good = good && parse_duration_ms(str_of(pair->value), &number) && number >= 0;
    if (d->kind == OPT_INT) good = good && str_to_int64(str_of(pair->value), &number) && number >= INT32_MIN && number <= INT32_MAX;
    if (good) return S_OK;
    return sql_error(b->e, b->t, x->place.at, x->place.size,
                     "Invalid LOOKUP hint options: Could not parse value '%s' for key '%s'.", pair->value, pair->key);
}

static enum status check_pairs(struct query_binder *b, const struct ast_hint *h)
{
    for (uint32_t i = 0; i < h->count; i++) {
        const struct ast_expr *x = h->args[i];
        if (x->kind != AX_NAMED || x->args.items[0]->kind != AX_LITERAL)
            return sql_error(b->e, b->t, x->place.at, x->place.size,
                             "Invalid list options in LOOKUP hint, only support key-value options.");
    }
    return S_OK;
}

static enum status check_positive(struct query_binder *b, const struct ast_hint *h, const struct options *o, const char *key)
{
    if (options_get(o, defs, key) == NULL || options_int(o, defs, key) > 0) return S_OK;
    const struct ast_expr *x = h->args[0];
    for (uint32_t i = 0; i < h->count; i++)
        if (str_equal(h->args[i]->text, str_of(key))) x = h->args[i];
    return sql_error(b->e, b->t, x->place.at, x->place.size,
                     "Invalid LOOKUP hint option: %s value should be positive integer but was %s", key, options_get(o, defs, key));
}

static enum status check_retry(struct query_binder *b, const struct ast_hint *h, const struct options *o)
{
    uint32_t given = 0;

    for (uint32_t i = 0; i < COUNT_OF(retry_keys); i++) given += options_get(o, defs, retry_keys[i]) != NULL;
    if (given == 0) return S_OK;
    if (given < COUNT_OF(retry_keys))
        return sql_error(b->e, b->t, h->place.at, h->place.size,
                         "Invalid LOOKUP hint: retry options can be both null or all not null");
    const char *predicate = options_get(o, defs, "retry-predicate");
    if (!str_equal_nocase(str_of(predicate), STR("lookup_miss")))
        return sql_error(b->e, b->t, h->place.at, h->place.size,
                         "Invalid LOOKUP hint option: unsupported retry-predicate '%s', only 'lookup_miss' is supported currently",
                         predicate);
    return check_positive(b, h, o, "max-attempts");
}

enum status bind_lookup_hint_check(struct query_binder *b, const struct ast_hint *h, const struct ast_expr **table)
{
    TRY(check_pairs(b, h));
    struct options o = pairs_of(b->a, h);
    *table = NULL;
    for (uint32_t i = 0; i < h->count; i++)
        if (str_equal(h->args[i]->text, STR("table"))) *table = h->args[i]->args.items[0];
    if (*table == NULL)
        return sql_error(b->e, b->t, h->place.at, h->place.size,
                         "Invalid LOOKUP hint: incomplete required option(s): [Key: 'table' , default: null (fallback keys: [])]");
    for (uint32_t i = 0; i < h->count; i++) TRY(check_value(b, h->args[i], &o.items[i]));
    TRY(check_positive(b, h, &o, "capacity"));
    return check_retry(b, h, &o);
}

static bool says(const struct options *o, const char *key) { return options_get(o, defs, key) != NULL; }

void bind_lookup_hint_read(struct arena *a, const struct ast_hint *h, struct rel_lookup_hint *out)
{
    struct options o = pairs_of(a, h);

    if (says(&o, "max-attempts")) {
        out->attempts = options_int(&o, defs, "max-attempts");
        out->delay_ms = options_int(&o, defs, "fixed-delay");
    }
    out->shuffled = says(&o, "shuffle") && options_bool(&o, defs, "shuffle");
    out->is_sync = says(&o, "async") && !options_bool(&o, defs, "async");
    if (says(&o, "capacity")) out->async.capacity = options_int(&o, defs, "capacity");
    if (says(&o, "timeout")) out->async.timeout_ms = options_int(&o, defs, "timeout");
    if (says(&o, "output-mode")) out->async.is_unordered = options_enum(&o, defs, "output-mode") == 1;
}
