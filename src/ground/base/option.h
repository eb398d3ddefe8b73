/* option.h - typed options by their Flink names: one table per owner gives parsing, defaults, refusal of unknown
 * keys with a suggestion, --help and the reference pages.
 *
 * Values: durations `10 s`, `1min`, `PT10S`, bare number = ms; sizes `64mb`, `1g`, bare = bytes; booleans true/false;
 * enums case-insensitive against `choices` ("a|b|c"). */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/err.h"

enum option_kind { OPT_STRING, OPT_INT, OPT_DOUBLE, OPT_BOOL, OPT_DURATION_MS, OPT_SIZE, OPT_ENUM };

/* For people: "integer". A choice is better shown by its choices. */
const char *option_kind_name(enum option_kind kind);

struct option_def {
    const char *key;
    enum option_kind kind;
    const char *fallback; /* default as text; NULL = none; "" with required = must be given */
    const char *choices;  /* OPT_ENUM only */
    const char *doc;
    bool required;
    bool is_prefix;       /* key names a family: `fields.#.kind` matches any text in place of # */
    const char *least, *most; /* of a number, duration or size, written as its values are; NULL: any */
};

struct option {
    const char *key, *value;
};

/* The given options of one owner. */
struct options {
    const struct option *items;
    uint32_t count;
};

/* What stands in the texts of options_check, by which mistakes are told apart. */
#define OPTION_UNKNOWN " has no option '"
#define OPTION_MISSING " needs the option '"

/* The definition that a key, or its family's prefix, has; NULL: it is unknown. */
const struct option_def *option_find(const struct option_def *defs, const char *key);
/* Text of an option or its default; NULL when neither. Later items win. */
const char *options_get(const struct options *o, const struct option_def *defs, const char *key);
/* Refuses unknown keys (nearest name as hint), missing required ones and values that do not parse.
 * `owner` names whose options they are ("connector 'datagen'"). defs ends with key == NULL. */
enum status options_check(const struct options *o, const struct option_def *defs, const char *owner, struct err *e) CHECKED;
/* Refuses unknown keys only. */
enum status options_check_keys(const struct options *o, const struct option_def *defs, const char *owner, struct err *e) CHECKED;
int64_t options_int(const struct options *o, const struct option_def *defs, const char *key); /* INT, DURATION_MS, SIZE; checked before */
double options_double(const struct options *o, const struct option_def *defs, const char *key);
bool options_bool(const struct options *o, const struct option_def *defs, const char *key);
/* Index into choices; checked before. */
int options_enum(const struct options *o, const struct option_def *defs, const char *key);
bool parse_duration_ms(struct str text, int64_t *out) CHECKED;
bool parse_size(struct str text, int64_t *out) CHECKED;
