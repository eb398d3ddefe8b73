/* parameters.c - tw_parameters_*: arguments, properties files and pairs as named texts, in the order in which they were given.
 * A set is a map from key to the value and whether somebody asked for it. Sets are made while no job runs, and lie in the
 * environment; reading one allocates nothing. Mistakes go where those of all calls go (see env.c). */
#include "surface/api/api_internal.h"

#include "ground/base/buf.h"
#include "ground/base/map.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct parameter {
    const char *key, *value;
    bool is_requested;
};

struct tw_parameters {
    struct tw_env *env;
    struct map map; /* struct parameter */
};

enum { NAMES_MAX = 16, VALUE_SHOWN_MAX = 100 };

__attribute__((format(printf, 3, 4))) static void mistake(struct tw_env *env, struct tw_here h, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!api_begin(env, h) || env->err.status != S_OK) return;
    err_set(&env->err, E_CONFIG, "%s", text);
    graph_at(api_here(h), &env->err);
}

/* --- making a set --------------------------------------------------------------------------------------------------------- */
struct tw_parameters *api_parameters_new(struct tw_env *env)
{
    struct tw_parameters *p = ARENA_NEW(&env->arena, struct tw_parameters);

    p->env = env;
    map_init(&p->map, &env->mem);
    return p;
}

static void add(struct tw_parameters *p, const char *key, const char *value, bool is_requested)
{
    struct parameter *one = map_get(&p->map, str_of(key));

    if (one == NULL) {
        one = ARENA_NEW(&p->env->arena, struct parameter);
        one->key = arena_strdup(&p->env->arena, key);
        map_set(&p->map, str_of(key), one);
    }
    one->value = arena_strdup(&p->env->arena, value);
    one->is_requested |= is_requested;
}

/* "-5" behind a key is its value, not the next key. */
static bool is_negative_number(const char *text)
{
    double value;

    return text[0] == '-' && ((text[1] >= '0' && text[1] <= '9') || text[1] == '.') &&
           str_to_double(str_of(text), &value);
}

static const char *key_of(const char *arg) { return arg + (arg[0] != '-' ? 0 : arg[1] == '-' ? 2 : 1); }

static bool is_key(struct tw_env *env, const char *arg, int number, struct tw_here h)
{
    const char *key = key_of(arg);

    if (key == arg) {
        mistake(env, h, "argument %d, '%.*s', is no key and follows none; a key begins with -- or -", number,
                VALUE_SHOWN_MAX, arg);
        return false;
    }
    if (key[0] == '\0') {
        mistake(env, h, "argument %d, '%s', has no name behind it", number, arg);
        return false;
    }
    if (strchr(key, '=') == NULL) return true;
    mistake(env, h, "argument %d, '%.*s': key and value are two arguments: --key value", number, VALUE_SHOWN_MAX, arg);
    return false;
}

struct tw_parameters *tw_parameters_from_args_at(struct tw_env *env, int argc, char *const *argv, struct tw_here h)
{
    if (api_refuses(env, h)) return env->refused_parameters;
    struct tw_parameters *p = api_parameters_new(env);

    for (int i = 1; i < argc; i++) {
        if (!is_key(env, argv[i], i, h)) break;
        const char *key = key_of(argv[i]);
        bool has_value = i + 1 < argc && (argv[i + 1][0] != '-' || is_negative_number(argv[i + 1]));
        add(p, key, has_value ? argv[++i] : TW_NO_VALUE, false);
    }
    return p;
}

struct tw_parameters *tw_parameters_from_file_at(struct tw_env *env, const char *path, struct tw_here h)
{
    struct config file;
    struct err e = {0};

    if (api_refuses(env, h)) return env->refused_parameters;
    struct tw_parameters *p = api_parameters_new(env);
    if (path == NULL) {
        mistake(env, h, "tw_parameters_from_file needs a path");
        return p;
    }
    api_world_start(env);
    config_init(&file, &env->arena);
    if (config_read_properties(&file, env->sys, path, &e) != S_OK) mistake(env, h, "%s", e.text);
    for (uint32_t i = 0; i < file.count; i++) add(p, file.items[i].key, file.items[i].value, false);
    return p;
}

struct tw_parameters *tw_parameters_from_map_at(struct tw_env *env, struct tw_options pairs, struct tw_here h)
{
    if (api_refuses(env, h)) return env->refused_parameters;
    struct tw_parameters *p = api_parameters_new(env);

    if (pairs.count % 2 != 0) mistake(env, h, "tw_parameters_from_map: %u texts, but they must be pairs", pairs.count);
    for (uint32_t i = 0; i + 1 < pairs.count; i += 2)
        if (pairs.items[i] == NULL || pairs.items[i + 1] == NULL)
            mistake(env, h, "tw_parameters_from_map: a key or a value is NULL");
        else
            add(p, pairs.items[i], pairs.items[i + 1], false);
    return p;
}

static void add_all(struct tw_parameters *to, const struct tw_parameters *from)
{
    for (struct map_entry *e = map_next(&from->map, NULL); e != NULL; e = map_next(&from->map, e)) {
        const struct parameter *one = e->value;
        add(to, one->key, one->value, one->is_requested);
    }
}

struct tw_parameters *tw_parameters_merge_at(const struct tw_parameters *first, const struct tw_parameters *second,
                                             struct tw_here h)
{
    if (api_refuses(first->env, h)) return first->env->refused_parameters;
    struct tw_parameters *p = api_parameters_new(first->env);

    add_all(p, first);
    add_all(p, second);
    return p;
}

/* --- reading it ------------------------------------------------------------------------------------------------------------- */
/* NULL: it was not given. */
static const char *value_of(struct tw_parameters *p, const char *key, struct tw_here h)
{
    if (key == NULL) mistake(p->env, h, "a parameter's key is NULL");
    struct parameter *one = key != NULL ? map_get(&p->map, str_of(key)) : NULL;

    if (one == NULL) return NULL;
    one->is_requested = true;
    return one->value;
}

/* What is wrong with a key that is missing: its name, the names that are there, and the nearest of them. */
static void tell_missing(struct tw_parameters *p, const char *key, struct tw_here h)
{
    char has[512] = "nothing";
    const char *names[NAMES_MAX];
    size_t size = 0;
    uint32_t count = 0;

    for (struct map_entry *e = map_next(&p->map, NULL); e != NULL && count < NAMES_MAX; e = map_next(&p->map, e)) {
        names[count] = ((const struct parameter *)e->value)->key;
        size += (size_t)snprintf(has + size, sizeof has - size, "%s%s", count > 0 ? ", " : "", names[count]);
        count++;
        if (size >= sizeof has) break;
    }
    const char *more = count < map_count(&p->map) ? ", ..." : "";
    int near = str_nearest(str_of(key), names, count);
    if (near < 0)
        mistake(p->env, h, "the required parameter '%s' was not given (given: %s%s)", key, has, more);
    else
        mistake(p->env, h, "the required parameter '%s' was not given (given: %s%s); did you mean '%s'?", key, has,
                more, names[near]);
}

static const char *required(struct tw_parameters *p, const char *key, struct tw_here h)
{
    const char *value = value_of(p, key, h);

    if (value == NULL && key != NULL) tell_missing(p, key, h);
    return value;
}

static void tell_wrong(struct tw_parameters *p, const char *key, const char *value, const char *wanted,
                       struct tw_here h)
{
    if (strcmp(value, TW_NO_VALUE) == 0)
        mistake(p->env, h, "parameter '%s' has no value; it must be %s", key, wanted);
    else
        mistake(p->env, h, "parameter '%s': '%.*s' is not %s", key, VALUE_SHOWN_MAX, value, wanted);
}

static bool read_whole(struct tw_parameters *p, const char *key, const char *value, int64_t limit, int64_t *out,
                       struct tw_here h)
{
    if (value == NULL) return false;
    if (str_to_int64(str_of(value), out) && *out <= limit && *out >= -limit - 1) return true;
    tell_wrong(p, key, value, limit == INT32_MAX ? "a whole number of 32 bits" : "a whole number of 64 bits", h);
    return false;
}

static bool read_double(struct tw_parameters *p, const char *key, const char *value, double *out, struct tw_here h)
{
    if (value == NULL) return false;
    if (str_to_double(str_of(value), out)) return true;
    tell_wrong(p, key, value, "a number", h);
    return false;
}

static bool read_bool(struct tw_parameters *p, const char *key, const char *value, bool *out, struct tw_here h)
{
    if (value == NULL) return false;
    *out = strcmp(value, TW_NO_VALUE) == 0 || str_equal_nocase(str_of(value), STR("true"));
    if (*out || str_equal_nocase(str_of(value), STR("false"))) return true;
    tell_wrong(p, key, value, "true or false", h);
    return false;
}

const char *tw_parameter_at(struct tw_parameters *p, const char *key, const char *fallback, struct tw_here h)
{
    const char *value = value_of(p, key, h);

    return value != NULL ? value : fallback;
}

int32_t tw_parameter_int_at(struct tw_parameters *p, const char *key, int32_t fallback, struct tw_here h)
{
    int64_t n;

    return read_whole(p, key, value_of(p, key, h), INT32_MAX, &n, h) ? (int32_t)n : fallback;
}

int64_t tw_parameter_long_at(struct tw_parameters *p, const char *key, int64_t fallback, struct tw_here h)
{
    int64_t n;

    return read_whole(p, key, value_of(p, key, h), INT64_MAX, &n, h) ? n : fallback;
}

float tw_parameter_float_at(struct tw_parameters *p, const char *key, float fallback, struct tw_here h)
{
    double d;
    const char *value = value_of(p, key, h);

    if (!read_double(p, key, value, &d, h)) return fallback;
    if (!isinf((float)d) || isinf(d)) return (float)d;
    tell_wrong(p, key, value, "a number that a float holds", h);
    return fallback;
}

double tw_parameter_double_at(struct tw_parameters *p, const char *key, double fallback, struct tw_here h)
{
    double d;

    return read_double(p, key, value_of(p, key, h), &d, h) ? d : fallback;
}

bool tw_parameter_bool_at(struct tw_parameters *p, const char *key, bool fallback, struct tw_here h)
{
    bool b;

    return read_bool(p, key, value_of(p, key, h), &b, h) ? b : fallback;
}

const char *tw_required_at(struct tw_parameters *p, const char *key, struct tw_here h)
{
    const char *value = required(p, key, h);

    return value != NULL ? value : "";
}

int32_t tw_required_int_at(struct tw_parameters *p, const char *key, struct tw_here h)
{
    int64_t n;

    return read_whole(p, key, required(p, key, h), INT32_MAX, &n, h) ? (int32_t)n : 0;
}

int64_t tw_required_long_at(struct tw_parameters *p, const char *key, struct tw_here h)
{
    int64_t n;

    return read_whole(p, key, required(p, key, h), INT64_MAX, &n, h) ? n : 0;
}

double tw_required_double_at(struct tw_parameters *p, const char *key, struct tw_here h)
{
    double d;

    return read_double(p, key, required(p, key, h), &d, h) ? d : 0;
}

bool tw_required_bool_at(struct tw_parameters *p, const char *key, struct tw_here h)
{
    bool b;

    return read_bool(p, key, required(p, key, h), &b, h) && b;
}

bool tw_has_parameter(struct tw_parameters *p, const char *key) { return value_of(p, key, TW_HERE) != NULL; }
uint32_t tw_parameter_count(const struct tw_parameters *p) { return map_count(&p->map); }

const char *tw_unrequested_parameter(const struct tw_parameters *p, uint32_t index)
{
    for (struct map_entry *e = map_next(&p->map, NULL); e != NULL; e = map_next(&p->map, e)) {
        const struct parameter *one = e->value;
        if (!one->is_requested && index-- == 0) return one->key;
    }
    return NULL;
}

void tw_set_job_parameters_at(const struct tw_parameters *p, struct tw_here h)
{
    for (struct map_entry *e = map_next(&p->map, NULL); e != NULL; e = map_next(&p->map, e)) {
        const struct parameter *one = e->value;
        tw_set_job_parameter_at(p->env, one->key, one->value, h);
    }
}
