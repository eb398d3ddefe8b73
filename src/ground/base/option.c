/* option.c - one table per owner decides which options exist, what they may hold and what they are when not given. A key
 * that names a family holds one '#', which stands for any text. */
#include "ground/base/option.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 256, LIST_BYTES_MAX = 400 };

const char *option_kind_name(enum option_kind kind)
{
    static const char *const names[] = {
        [OPT_STRING] = "text",          [OPT_INT] = "integer", [OPT_DOUBLE] = "number", [OPT_BOOL] = "boolean",
        [OPT_DURATION_MS] = "duration", [OPT_SIZE] = "size",   [OPT_ENUM] = "choice"};

    return names[kind];
}

static bool key_matches(const struct option_def *d, struct str key)
{
    if (!d->is_prefix) return str_equal(str_of(d->key), key);
    struct str rest = str_of(d->key), head;
    if (!str_cut(&rest, '#', &head)) return false;
    return key.size > head.size + rest.size && str_starts(key, head) && str_ends(key, rest);
}

const struct option_def *option_find(const struct option_def *defs, const char *key)
{
    for (const struct option_def *d = defs; d->key != NULL; d++)
        if (key_matches(d, str_of(key))) return d;
    return NULL;
}

const char *options_get(const struct options *o, const struct option_def *defs, const char *key)
{
    for (uint32_t i = o->count; i-- > 0;)
        if (strcmp(o->items[i].key, key) == 0) return o->items[i].value;
    const struct option_def *d = option_find(defs, key);
    return d != NULL ? d->fallback : NULL;
}

/* --- values -------------------------------------------------------------------------------------------------------- */
struct unit {
    const char *names; /* separated by '|' */
    int64_t factor;
};
static const struct unit duration_units[] = {
    {"ms|milli|millis|millisecond|milliseconds|", 1}, {"s|sec|secs|second|seconds", 1000},  {"min|m|minute|minutes", 60000},
    {"h|hour|hours", 3600000},                        {"d|day|days", 86400000},             {NULL, 0}};
static const struct unit size_units[] = {
    {"b|bytes|", 1},          {"k|kb|kibibytes", 1024}, {"m|mb|mebibytes", 1048576}, {"g|gb|gibibytes", 1073741824},
    {"t|tb|tebibytes", INT64_C(1099511627776)}, {NULL, 0}};

static bool choice_index(const char *choices, struct str text, int *index)
{
    struct str rest = str_of(choices), one;

    for (*index = 0; rest.size > 0 && str_cut(&rest, '|', &one); (*index)++)
        if (str_equal_nocase(one, text)) return true;
    return text.size == 0 && choices[0] != '\0' && choices[strlen(choices) - 1] == '|'; /* the bare number's unit */
}

static bool parse_amount(struct str text, const struct unit *units, int64_t *out)
{
    struct str s = str_trim(text);
    size_t digits = 0;
    int64_t amount;
    int ignored;

    while (digits < s.size && s.data[digits] >= '0' && s.data[digits] <= '9') digits++;
    if (!str_to_int64((struct str){s.data, digits}, &amount)) return false;
    struct str name = str_trim((struct str){s.data + digits, s.size - digits});
    for (const struct unit *u = units; u->names != NULL; u++)
        if (choice_index(u->names, name, &ignored)) return !__builtin_mul_overflow(amount, u->factor, out);
    return false;
}

/* ISO-8601 "PT10S", "P1DT2H3M4.5S". */
static bool parse_iso_duration(struct str s, int64_t *out)
{
    bool in_time = false;
    double total = 0;
    size_t i = 1;

    while (i < s.size) {
        if (s.data[i] == 'T' || s.data[i] == 't') {
            in_time = true;
            i++;
            continue;
        }
        size_t start = i;
        while (i < s.size && ((s.data[i] >= '0' && s.data[i] <= '9') || s.data[i] == '.')) i++;
        double amount;
        if (i == s.size || !str_to_double((struct str){s.data + start, i - start}, &amount)) return false;
        char unit = (char)(s.data[i++] & ~0x20);
        if (unit == 'D' && !in_time) total += amount * 86400000;
        else if (unit == 'H' && in_time) total += amount * 3600000;
        else if (unit == 'M' && in_time) total += amount * 60000;
        else if (unit == 'S' && in_time) total += amount * 1000;
        else return false;
    }
    *out = (int64_t)total;
    return s.size > 2 && total < 9e18;
}

bool parse_duration_ms(struct str text, int64_t *out)
{
    struct str s = str_trim(text);

    if (s.size > 1 && (s.data[0] == 'P' || s.data[0] == 'p')) return parse_iso_duration(s, out);
    return parse_amount(s, duration_units, out);
}

bool parse_size(struct str text, int64_t *out) { return parse_amount(text, size_units, out); }

static bool parse_bool(struct str s, bool *out)
{
    *out = str_equal_nocase(s, STR("true"));
    return *out || str_equal_nocase(s, STR("false"));
}

static const char *const kind_words[] = {"text", "a whole number", "a number", "true or false", "a duration such as '10 s'",
                                         "a size such as '64 mb'", "one of"};

static bool value_is_valid(const struct option_def *d, struct str value)
{
    int64_t whole;
    double real;
    bool truth;
    int index;

    switch (d->kind) {
    case OPT_STRING: return true;
    case OPT_INT: return str_to_int64(value, &whole);
    case OPT_DOUBLE: return str_to_double(value, &real);
    case OPT_BOOL: return parse_bool(value, &truth);
    case OPT_DURATION_MS: return parse_duration_ms(value, &whole);
    case OPT_SIZE: return parse_size(value, &whole);
    case OPT_ENUM: return value.size > 0 && choice_index(d->choices, value, &index);
    }
    return false;
}

/* A value of a kind that has an order; it is valid. */
static double amount_of(const struct option_def *d, struct str text)
{
    int64_t whole = 0;
    double real = 0;
    bool valid = d->kind == OPT_DOUBLE        ? str_to_double(text, &real)
                 : d->kind == OPT_DURATION_MS ? parse_duration_ms(text, &whole)
                 : d->kind == OPT_SIZE        ? parse_size(text, &whole)
                                              : str_to_int64(text, &whole);

    ASSERT(valid);
    return d->kind == OPT_DOUBLE ? real : (double)whole;
}

static bool value_in_range(const struct option_def *d, struct str value)
{
    if (d->least != NULL && !(amount_of(d, value) >= amount_of(d, str_of(d->least)))) return false;
    return d->most == NULL || amount_of(d, value) <= amount_of(d, str_of(d->most));
}

static void range_print(const struct option_def *d, char *out, size_t size)
{
    if (d->least != NULL && d->most != NULL) snprintf(out, size, ", from %s to %s", d->least, d->most);
    else if (d->least != NULL) snprintf(out, size, ", at least %s", d->least);
    else if (d->most != NULL) snprintf(out, size, ", at most %s", d->most);
    else out[0] = '\0';
}

/* --- checking ------------------------------------------------------------------------------------------------------- */
static enum status unknown_key(const char *key, const struct option_def *defs, const char *owner, struct err *e)
{
    const char *names[NAMES_MAX];
    char list[LIST_BYTES_MAX] = "";
    uint32_t count = 0, used = 0;

    for (const struct option_def *d = defs; d->key != NULL && count < NAMES_MAX; d++) {
        names[count++] = d->key;
        if (used < sizeof list) used += (uint32_t)snprintf(list + used, sizeof list - used, "%s%s", count > 1 ? ", " : "", d->key);
    }
    err_set(e, E_CONFIG, "%s" OPTION_UNKNOWN "%s'", owner, key);
    int near = str_nearest(str_of(key), names, count);
    if (near >= 0) err_hint(e, "did you mean '%s'?", names[near]);
    else if (count > 0 && used < sizeof list) err_hint(e, "its options are %s", list);
    return E_CONFIG;
}

static enum status check_one(const struct option *item, const struct option_def *defs, const char *owner, struct err *e)
{
    const struct option_def *d = option_find(defs, item->key);
    char range[64];

    if (d == NULL) return unknown_key(item->key, defs, owner, e);
    if (item->value != NULL && value_is_valid(d, str_of(item->value)) && value_in_range(d, str_of(item->value))) return S_OK;
    range_print(d, range, sizeof range);
    return err_set(e, E_CONFIG, "option '%s' of %s is '%s', but must be %s%s%s%s", item->key, owner,
                   item->value != NULL ? item->value : "NULL", kind_words[d->kind], d->kind == OPT_ENUM ? " " : "",
                   d->kind == OPT_ENUM ? d->choices : "", range);
}

enum status options_check_keys(const struct options *o, const struct option_def *defs, const char *owner, struct err *e)
{
    ASSERT(defs != NULL && owner != NULL);
    for (uint32_t i = 0; i < o->count; i++)
        if (option_find(defs, o->items[i].key) == NULL) return unknown_key(o->items[i].key, defs, owner, e);
    return S_OK;
}

enum status options_check(const struct options *o, const struct option_def *defs, const char *owner, struct err *e)
{
    ASSERT(defs != NULL && owner != NULL);
    for (uint32_t i = 0; i < o->count; i++) TRY(check_one(&o->items[i], defs, owner, e));
    for (const struct option_def *d = defs; d->key != NULL; d++) {
        const char *value = d->required ? options_get(o, defs, d->key) : "given";
        if (value != NULL && value[0] != '\0') continue;
        err_set(e, E_CONFIG, "%s" OPTION_MISSING "%s': %s", owner, d->key, d->doc);
        return E_CONFIG;
    }
    return S_OK;
}

/* --- typed reading: values were checked before ------------------------------------------------------------------------ */
static const struct option_def *def_of(const struct option_def *defs, const char *key)
{
    const struct option_def *d = option_find(defs, key);

    ASSERT(d != NULL); /* the code asks for an option that the table lacks */
    return d;
}

int64_t options_int(const struct options *o, const struct option_def *defs, const char *key)
{
    const struct option_def *d = def_of(defs, key);
    struct str text = str_of(options_get(o, defs, key));
    int64_t value = 0;
    bool valid = d->kind == OPT_DURATION_MS ? parse_duration_ms(text, &value)
                 : d->kind == OPT_SIZE      ? parse_size(text, &value)
                                            : str_to_int64(text, &value);

    ASSERT(valid);
    return value;
}

double options_double(const struct options *o, const struct option_def *defs, const char *key)
{
    double value = 0;
    bool valid = str_to_double(str_of(options_get(o, defs, key)), &value);

    ASSERT(def_of(defs, key)->kind == OPT_DOUBLE && valid);
    return value;
}

bool options_bool(const struct options *o, const struct option_def *defs, const char *key)
{
    bool value = false, valid = parse_bool(str_of(options_get(o, defs, key)), &value);

    ASSERT(def_of(defs, key)->kind == OPT_BOOL && valid);
    return value;
}

int options_enum(const struct options *o, const struct option_def *defs, const char *key)
{
    const struct option_def *d = def_of(defs, key);
    int index = 0;
    bool valid = choice_index(d->choices, str_of(options_get(o, defs, key)), &index);

    ASSERT(d->kind == OPT_ENUM && valid);
    return index;
}
