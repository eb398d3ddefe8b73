/* config.h - the configuration of a run, by Flink's keys: one table says which keys exist, what they hold and what they are
 * when not given. Values come from the program (tw_set), the command line (-D key=value) and a YAML file; later ones win. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/log.h"
#include "ground/base/option.h"
#include "ground/sys/sys.h"

extern const struct option_def config_defs[]; /* ends with key == NULL */

/* A growing list of key and value; texts are copied into the arena. */
struct config {
    struct arena *arena;
    struct option *items;
    const char **places; /* of each item: "config.yaml:3:5", "-D", "job.c:12"; NULL = unknown */
    uint32_t count, capacity;
};

void config_init(struct config *c, struct arena *a);
void config_set(struct config *c, const char *key, const char *value);
void config_set_from(struct config *c, const char *key, const char *value, const char *place); /* place must stay */
/* "key=value" of a -D; E_CONFIG for a text without '='. */
enum status config_set_pair(struct config *c, const char *pair, struct err *e) CHECKED;
static inline struct options config_options(const struct config *c) { return (struct options){c->items, c->count}; }
/* Refuses unknown keys with the nearest known one, and values that do not parse or are out of range. */
const char *config_backend(const struct options *o); /* state.backend.type, or what its older name says */
bool config_is_unaligned(const struct options *o); /* do barriers overtake? */
enum status config_check(const struct options *o, struct err *e) CHECKED;

/* The same with the place in front from which the value came. */
enum status config_check_places(const struct config *c, struct err *e) CHECKED;

/* config_families.c: keys that are Flink's and known by name only, by what they begin with. */
struct config_family {
    const char *prefix;
    bool is_refused; /* else accepted, without effect */
    const char *what;
};
extern const struct config_family config_families[]; /* ends with prefix == NULL */
bool config_is_ignored(const char *key); /* accepted, without effect here */
const char *config_ignored_why(const char *key); /* NULL: it is not */
enum status config_check_families(const struct options *o, struct err *e) CHECKED; /* E_CONFIG: not available, and why */
void config_warn_ignored(const struct options *o, struct log *log); /* each key once */

/* config_yaml.c. Adds the keys of a YAML 1.2 file: nested mappings and dotted keys mean the same; a sequence of scalars is
 * joined by ';'. E_NOT_FOUND, E_DATA with file and line. */
enum status config_read_yaml(struct config *c, struct sys *sys, const char *path, struct err *e) CHECKED;
/* config_properties.c. Adds the keys of a file of Java's properties, the places with them; the same errors. */
enum status config_read_properties(struct config *c, struct sys *sys, const char *path, struct err *e) CHECKED;
/* The bytes of a file of settings, 1 MiB at most. */
enum status config_read_file(struct sys *sys, const char *path, struct buf *out, struct err *e) CHECKED;
