/* bind_hint.c - hints of a SELECT. STATE_TTL says how long joins and aggregates keep rows of a table; hints of joins are checked, shown
 * by EXPLAIN, and choose among algorithms in batch mode (plan/batch_join.c); MULTI_JOIN: plan/rewrite_multi_joins.c. What LOOKUP says is
 * read in bind_lookup_hint.c. Errors in Flink's words. */
#include "language/sql/bind_hint.h"

#include "ground/base/option.h"
#include "ground/base/str.h"

enum hint_kind { HINT_TABLE, HINT_JOIN, HINT_LOOKUP, HINT_TTL };

static const struct hint_type {
    const char *name;
    enum hint_kind kind;
} types[] = {{"OPTIONS", HINT_TABLE},     {"BROADCAST", HINT_JOIN}, {"SHUFFLE_HASH", HINT_JOIN}, {"SHUFFLE_MERGE", HINT_JOIN},
             {"NEST_LOOP", HINT_JOIN},    {"MULTI_JOIN", HINT_JOIN}, {"LOOKUP", HINT_LOOKUP},    {"STATE_TTL", HINT_TTL}};

static const struct hint_type *type_of(const struct ast_hint *h)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_equal_nocase(h->name, str_of(types[i].name))) return &types[i];
    return NULL;
}

enum status bind_hint_known(struct query_binder *b, const struct ast_hint *h)
{
    const char *names[COUNT_OF(types)];

    if (type_of(h) != NULL) return S_OK;
    for (size_t i = 0; i < COUNT_OF(types); i++) names[i] = types[i].name;
    int near = str_nearest(h->name, names, COUNT_OF(types));
    if (near >= 0)
        err_hint(b->e, "did you mean %s?", names[near]);
    else
        err_hint(b->e, "there are OPTIONS, STATE_TTL, LOOKUP, BROADCAST, SHUFFLE_HASH, SHUFFLE_MERGE, NEST_LOOP and MULTI_JOIN");
    return sql_error(b->e, b->t, h->place.at, h->place.size, "Hint: %.*s should be registered in the HintStrategyTable",
                     (int)h->name.size, h->name.data);
}

/* --- names ------------------------------------------------------------------------------------------------------- */
static struct str name_of(const struct ast_table *t)
{
    if (t->alias.size > 0) return t->alias;
    return t->kind == TABLE_NAME ? t->name.parts[t->name.count - 1] : (struct str){0};
}

static bool has_table(const struct ast_table *t, struct str name)
{
    if (t == NULL) return false;
    if (t->kind == TABLE_JOIN) return has_table(t->left, name) || has_table(t->right, name);
    return str_equal(name_of(t), name);
}

static void tables_of(struct query_binder *b, const struct ast_table *t, const char **names, uint32_t most, uint32_t *count)
{
    if (t == NULL || *count == most) return;
    if (t->kind == TABLE_JOIN) {
        tables_of(b, t->left, names, most, count);
        tables_of(b, t->right, names, most, count);
        return;
    }
    struct str name = name_of(t);
    if (name.size > 0) names[(*count)++] = arena_strndup(b->a, name.data, name.size);
}

/* What an argument says the name of; empty: it names nothing. */
static struct str argument_name(const struct ast_expr *x)
{
    if (x->kind == AX_NAME) return x->name.parts[x->name.count - 1];
    return x->kind == AX_LITERAL || x->kind == AX_NAMED ? x->text : (struct str){0};
}

static enum status check_name(struct query_binder *b, const struct ast_select *s, const struct ast_hint *h, const struct ast_expr *x)
{
    struct str name = argument_name(x);
    const char *names[64];
    uint32_t count = 0;

    if (has_table(s->from, name)) return S_OK;
    tables_of(b, s->from, names, COUNT_OF(names), &count);
    int near = count == 1 ? 0 : str_nearest(name, names, count);
    if (near >= 0) err_hint(b->e, "did you mean '%s'?", names[near]);
    return sql_error(b->e, b->t, x->place.at, x->place.size,
                     "The options of following hints cannot match the name of input tables or views: \n`%.*s` in `%.*s`",
                     (int)name.size, name.data, (int)h->name.size, h->name.data);
}

/* --- checks ------------------------------------------------------------------------------------------------------ */
static enum status check_join(struct query_binder *b, const struct ast_select *s, const struct ast_hint *h)
{
    if (h->count == 0)
        return sql_error(b->e, b->t, h->place.at, h->place.size,
                         "Invalid hint: %.*s, expecting at least one table or view specified in hint %.*s.", (int)h->name.size,
                         h->name.data, (int)h->name.size, h->name.data);
    for (uint32_t i = 0; i < h->count; i++) TRY(check_name(b, s, h, h->args[i]));
    return S_OK;
}

static enum status check_ttl(struct query_binder *b, const struct ast_select *s, const struct ast_hint *h)
{
    int64_t ms;

    for (uint32_t i = 0; i < h->count; i++) {
        const struct ast_expr *x = h->args[i];
        if (x->kind != AX_NAMED || x->args.items[0]->kind != AX_LITERAL)
            return sql_error(b->e, b->t, x->place.at, x->place.size,
                             "Invalid list options in STATE_TTL hint, only support key-value options.");
        struct str value = x->args.items[0]->text;
        if (!parse_duration_ms(value, &ms) || ms < 0)
            return sql_error(b->e, b->t, x->place.at, x->place.size,
                             "Invalid STATE_TTL hint value: text does not start with a number, and is not a valid ISO-8601 duration "
                             "format: %.*s", (int)value.size, value.data);
        TRY(check_name(b, s, h, x));
    }
    return S_OK;
}

static enum status check_lookup(struct query_binder *b, const struct ast_select *s, const struct ast_hint *h)
{
    const struct ast_expr *table;

    TRY(bind_lookup_hint_check(b, h, &table));
    return check_name(b, s, h, table);
}

enum status bind_select_hints(struct query_binder *b, const struct ast_select *s)
{
    b->hints = &s->hints;
    for (uint32_t i = 0; i < s->hints.count; i++) {
        const struct ast_hint *h = &s->hints.items[i];
        TRY(bind_hint_known(b, h));
        if (type_of(h)->kind == HINT_JOIN) TRY(check_join(b, s, h));
        if (type_of(h)->kind == HINT_TTL) TRY(check_ttl(b, s, h));
        if (type_of(h)->kind == HINT_LOOKUP) TRY(check_lookup(b, s, h));
    }
    return S_OK;
}

/* --- use --------------------------------------------------------------------------------------------------------- */
struct rel_ttl bind_hint_ttl(const struct query_binder *b, const struct ast_table *t)
{
    struct rel_ttl none = {0}, out = {0};
    struct str name = t != NULL && t->kind != TABLE_JOIN ? name_of(t) : (struct str){0};

    for (uint32_t i = 0; b->hints != NULL && name.size > 0 && i < b->hints->count; i++) {
        const struct ast_hint *h = &b->hints->items[i];
        if (type_of(h)->kind != HINT_TTL) continue;
        for (uint32_t k = 0; k < h->count; k++) {
            struct str value = h->args[k]->args.items[0]->text;
            if (!str_equal(argument_name(h->args[k]), name) || !parse_duration_ms(value, &out.ms)) continue;
            out.text = arena_strndup(b->a, value.data, value.size);
            return out;
        }
    }
    return none;
}

struct rel_lookup_hint bind_hint_lookup(const struct query_binder *b, const struct ast_table *t)
{
    struct rel_lookup_hint out = {.async = b->settings->lookup};

    for (uint32_t i = 0; b->hints != NULL && i < b->hints->count; i++) {
        const struct ast_hint *h = &b->hints->items[i];
        if (type_of(h)->kind != HINT_LOOKUP) continue;
        for (uint32_t k = 0; k < h->count; k++) {
            if (!str_equal(h->args[k]->text, STR("table")) || !str_equal(h->args[k]->args.items[0]->text, name_of(t))) continue;
            bind_lookup_hint_read(b->a, h, &out);
            return out;
        }
    }
    return out;
}

struct join_hints bind_hint_join(struct query_binder *b, const struct ast_table *left, const struct ast_table *right)
{
    const struct ast_table *sides[] = {left, right};
    struct join_hint *items = ARENA_ARRAY(b->a, struct join_hint, b->hints != NULL ? b->hints->count + 1 : 1);
    struct join_hints out = {.items = items};

    for (uint32_t i = 0; b->hints != NULL && i < b->hints->count; i++) {
        const struct ast_hint *h = &b->hints->items[i];
        int side = -1;
        if (type_of(h)->kind != HINT_JOIN) continue;
        for (uint32_t k = 0; k < h->count && side < 0; k++)
            for (int s = 1; s >= 0; s--)
                if (has_table(sides[s], argument_name(h->args[k]))) side = s;
        if (side < 0) continue;
        items[out.count++] = (struct join_hint){type_of(h)->name, (uint8_t)side};
    }
    return out;
}
