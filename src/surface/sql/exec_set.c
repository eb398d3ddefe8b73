/* exec_set.c - SET and RESET of the session's configuration. Known keys are those of sql_keys, of sql_accepted_keys and of config_defs;
 * any other is taken, as in Flink, with a warning that names the nearest one. Who sets a key that changes nothing to another value than
 * Flink's own hears what holds instead. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"
#include "surface/sql/sql_keys.h"

#include <stdio.h>
#include <string.h>

enum { KEYS_MAX = 512 };

static bool key_is_known(const char *key, const char **names, uint32_t *count)
{
    const struct option_def *const tables[] = {sql_keys, sql_accepted_keys, config_defs};

    *count = 0;
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (const struct option_def *d = tables[t]; d->key != NULL; d++) {
            if (strcmp(d->key, key) == 0) return true;
            if (*count < KEYS_MAX) names[(*count)++] = d->key;
        }
    return !str_starts(str_of(key), STR("table.")) && config_is_ignored(key); /* all of Flink's keys of tables are listed */
}

/* Is the value what holds without it? Then nothing needs to be said. */
static bool is_fallback(const struct option_def *d, const struct option *given)
{
    struct options with = {(struct option *)given, 1}, without = {NULL, 0};

    if (d->fallback == NULL) return given->value[0] == '\0';
    switch ((enum option_kind)d->kind) {
    case OPT_INT:
    case OPT_SIZE:
    case OPT_DURATION_MS: return options_int(&with, sql_accepted_keys, d->key) == options_int(&without, sql_accepted_keys, d->key);
    case OPT_DOUBLE: return options_double(&with, sql_accepted_keys, d->key) == options_double(&without, sql_accepted_keys, d->key);
    case OPT_BOOL: return options_bool(&with, sql_accepted_keys, d->key) == options_bool(&without, sql_accepted_keys, d->key);
    default: return str_equal_nocase(str_of(given->value), str_of(d->fallback));
    }
}

bool sql_session_doubts(const char *key, const char *value, char text[static SQL_DOUBT_MAX])
{
    const struct option_def *d = option_find(sql_keys, key) != NULL ? NULL : option_find(sql_accepted_keys, key);
    const char *names[KEYS_MAX];
    uint32_t count;

    if (d != NULL) {
        snprintf(text, SQL_DOUBT_MAX, "[WARNING] '%.200s' changes nothing here: %s.", key, d->doc);
        return !is_fallback(d, &(struct option){key, value});
    }
    if (key_is_known(key, names, &count)) {
        const char *why = option_find(sql_keys, key) == NULL && option_find(config_defs, key) == NULL ? config_ignored_why(key) : NULL;
        if (why != NULL) snprintf(text, SQL_DOUBT_MAX, "[WARNING] '%.200s' changes nothing here: %s.", key, why);
        return why != NULL;
    }
    int near = str_nearest(str_of(key), names, count);
    if (near < 0) snprintf(text, SQL_DOUBT_MAX, "[WARNING] Nothing reads the key '%.200s'.", key);
    else snprintf(text, SQL_DOUBT_MAX, "[WARNING] Nothing reads the key '%.200s'; did you mean '%.200s'?", key, names[near]);
    return true;
}

enum status sql_session_set(struct sql_session *s, const char *key, const char *value, struct err *e)
{
    struct option one = {key, value};
    const struct option_def *defs = option_find(sql_keys, key) != NULL            ? sql_keys /* SQL's meaning of a key goes first */
                                    : option_find(sql_accepted_keys, key) != NULL ? sql_accepted_keys
                                                                                  : config_defs;

    if (option_find(defs, key) != NULL) TRY(options_check(&(struct options){&one, 1}, defs, "SET", e));
    if (defs == config_defs && option_find(defs, key) != NULL) TRY(config_check(&(struct options){&one, 1}, e)); /* ranges */
    TRY(config_check_families(&(struct options){&one, 1}, e));
    TRY(sql_key_check(key, value, e));
    config_set(&s->config, key, value);
    sql_keys_apply(&s->config, &s->functions);
    return S_OK;
}

static enum status set_one(struct run *r, const struct ast_option *o)
{
    const char *key = run_text(r, o->key), *value = run_text(r, o->value);
    char doubt[SQL_DOUBT_MAX];
    struct err inner = {0};

    if (sql_session_set(r->s, key, value, &inner) != S_OK) {
        if (inner.hint[0] != '\0') err_hint(r->e, "%s", inner.hint);
        return run_fail(r, o->value_place, "%s", inner.text);
    }
    if (sql_session_doubts(key, value, doubt)) TRY(r->to->said(r->to->arg, doubt, r->e));
    return run_said(r);
}

/* The later of two settings of one key counts. */
static bool is_latest(const struct config *c, uint32_t at)
{
    for (uint32_t i = at + 1; i < c->count; i++)
        if (strcmp(c->items[i].key, c->items[at].key) == 0) return false;
    return true;
}

static enum status show_all(struct run *r)
{
    static const char *const names[] = {"key", "value"};
    const struct config *c = &r->s->config;
    const char **cells = ARENA_ARRAY(&r->arena, const char *, 2 * (size_t)c->count + 2);
    uint32_t rows = 0;

    for (uint32_t i = 0; i < c->count; i++) {
        if (!is_latest(c, i)) continue;
        cells[2 * rows] = c->items[i].key;
        cells[2 * rows++ + 1] = c->items[i].value;
    }
    return run_give(r, 2, names, NULL, cells, rows);
}

static enum status reset(struct run *r, const struct set *s)
{
    struct config *c = &r->s->config;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < c->count; i++) {
        if (!s->has_key || str_equal(str_of(c->items[i].key), s->option.key)) continue;
        c->items[kept] = c->items[i];
        c->places[kept++] = c->places[i];
    }
    c->count = kept;
    sql_keys_apply(c, &r->s->functions);
    return run_said(r);
}

static enum status run_set(struct run *r, const void *body)
{
    const struct set *s = body;

    if (s->reset) return reset(r, s);
    return s->has_key ? set_one(r, &s->option) : show_all(r);
}

const struct executor set_executors[] = {{"set", run_set}, {0}};
