/* connector.c - the list of connectors, generated from the file names (conn_*.c), and the check of their options.
 *
 * A connector's WITH clause mixes options of several owners: its own, those that all sources share, and those of its format.
 * The check joins their tables into one, so that an unknown key is refused once, with the nearest name of any of them. */
#include "flow/connector/connector.h"

#include "flow/connector/lookup_table.h"
#include "flow/source/source_options.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

#define X(name) extern const struct conn_type conn_##name;
#include "conn_registry.def"
#undef X

const struct conn_type *const conn_types[] = {
#define X(name) &conn_##name,
#include "conn_registry.def"
#undef X
    NULL,
};

enum { CONNECTORS_MAX = 64, KNOWN_TEXT_MAX = 512, DEFS_MAX = 200 };

const struct option_def conn_format_options[] = {
    {.key = "format",
     .kind = OPT_STRING,
     .fallback = "",
     .required = true,
     .doc = "how rows are written as bytes: csv, json, raw; debezium-json, canal-json, maxwell-json, ogg-json bring changes"},
    {.key = "on-error",
     .kind = OPT_ENUM,
     .choices = ON_ERROR_CHOICES,
     .fallback = "fail",
     .doc = "what a malformed record does: fail the job, be counted and skipped, or be counted and sent to side output "
            "'dead-letter'"},
    {.key = NULL},
};

const struct option_def conn_sink_options[] = {
    {.key = "sink.parallelism", .kind = OPT_INT, .least = "1", .most = "4096", .doc = "subtasks of the sink; tw_parallelism wins"},
    {.key = NULL},
};

static const struct option_def connector_option = {
    .key = "connector", .kind = OPT_STRING, .doc = "the connector's name"};

/* "blackhole, datagen, ..." */
static void names_list(const char *const *names, uint32_t count, char out[static KNOWN_TEXT_MAX])
{
    size_t used = 0;

    for (uint32_t i = 0; i < count && used + strlen(names[i]) + 3 < KNOWN_TEXT_MAX; i++)
        used += (size_t)snprintf(out + used, KNOWN_TEXT_MAX - used, "%s%s", i > 0 ? ", " : "", names[i]);
}

enum status conn_find(const char *name, const struct conn_type **out, struct err *e)
{
    const char *names[CONNECTORS_MAX];
    char known[KNOWN_TEXT_MAX] = "";
    uint32_t count = 0;

    ASSERT(name != NULL && out != NULL);
    for (; conn_types[count] != NULL; count++) {
        ASSERT(count < CONNECTORS_MAX);
        names[count] = conn_types[count]->name;
        if (strcmp(name, names[count]) != 0) continue;
        *out = conn_types[count];
        return S_OK;
    }
    names_list(names, count, known);
    err_set(e, E_CONFIG, "unknown connector '%.64s'; the connectors are %s", name, known);
    int nearest = str_nearest(str_of(name), names, count);
    if (nearest >= 0) err_hint(e, "did you mean '%s'?", names[nearest]);
    return E_CONFIG;
}

enum status conn_format(const struct options *o, const struct fmt_type **out, struct err *e)
{
    const char *name = options_get(o, conn_format_options, "format");

    if (name == NULL || name[0] == '\0') {
        err_set(e, E_CONFIG, "the option 'format' is missing");
        err_hint(e, "say how rows are written as bytes: 'format' = 'csv', 'json' or 'raw'");
        return E_CONFIG;
    }
    return format_find(name, out, e);
}

uint8_t conn_changes(const struct conn_type *conn, const struct options *o)
{
    const struct fmt_type *format;

    if (conn->source == NULL) return CHANGES_NONE;
    if (conn->source->changes != NULL) return conn->source->changes(o, conn->options);
    return conn->takes_format && conn_format(o, &format, NULL) == S_OK ? format->changes : CHANGES_NONE;
}

bool conn_takes_changes(const struct conn_type *conn, const struct options *o)
{
    const struct fmt_type *format;

    if (conn->sink->accepts_updates) return true;
    return conn->takes_format && conn_format(o, &format, NULL) == S_OK && format->changes != CHANGES_NONE && format->encode != NULL;
}

static void ignore_dead_letter(void *arg, const struct format_position *at, const char *reason, struct str raw)
{
    (void)arg;
    (void)at;
    (void)reason;
    (void)raw;
}

static enum status coder_try(const struct fmt_type *f, const struct format_config *config, bool writing, struct err *e)
{
    size_t size = writing ? f->encoder_size : f->decoder_size;
    void *self = mem_alloc_aligned(config->mem, size, 64);

    memset(self, 0, size);
    TRY(writing ? f->encoder_open(self, config, e) : f->decoder_open(self, config, e));
    if (writing) f->encoder_close(self);
    else f->decoder_close(self);
    return S_OK;
}

enum status conn_format_check(const struct options *o, const struct type *row, bool writing, struct err *e)
{
    const struct fmt_type *format = NULL;
    struct mem mem;
    struct arena arena;

    TRY(conn_format(o, &format, e));
    if (writing && format->encode == NULL)
        return err_set(e, E_UNSUPPORTED, "format '%s' cannot be written", format->name);
    if (!writing && format->decode == NULL)
        return err_set(e, E_UNSUPPORTED, "format '%s' cannot be read", format->name);
    mem_init(&mem, "check", 0);
    arena_init(&arena, &mem, 0);
    struct options own = format_options(format, o, "", &arena);
    struct format_config config = {.schema = row,
                                   .options = &own,
                                   .on_error = conn_on_error(o),
                                   .dead_letter = ignore_dead_letter,
                                   .mem = &mem,
                                   .name = format->name};
    enum status st = coder_try(format, &config, writing, e);
    mem_release(&mem);
    return st;
}

enum on_error conn_on_error(const struct options *o)
{
    return (enum on_error)options_enum(o, conn_format_options, "on-error");
}

static void defs_add(struct option_def *to, uint32_t *count, const struct option_def *from)
{
    for (; from != NULL && from->key != NULL; from++) {
        ASSERT(*count + 1 < DEFS_MAX);
        to[(*count)++] = *from;
    }
    to[*count] = (struct option_def){.key = NULL};
}

static bool is_of_a_part(const char *key, struct str names)
{
    struct str one;

    while (names.size > 0 && str_cut(&names, ',', &one)) {
        one = str_trim(one);
        if (one.size > 0 && strncmp(key, one.data, one.size) == 0 && key[one.size] == '.') return true;
    }
    return false;
}

/* The options without those of the connector's parts. */
static struct options whole_options(const struct conn_type *conn, const struct options *o, struct arena *a)
{
    const char *names = conn->parts_option != NULL ? options_get(o, conn->options, conn->parts_option) : NULL;
    struct option *items = ARENA_ARRAY(a, struct option, o->count + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < o->count; i++)
        if (names == NULL || !is_of_a_part(o->items[i].key, str_of(names))) items[count++] = o->items[i];
    return (struct options){items, count};
}

static enum status whole_check(const struct conn_type *conn, const struct options *o, const struct option_def *defs,
                               const char *owner, struct err *e)
{
    struct mem mem;
    struct arena arena;

    if (conn->parts_option == NULL) return options_check(o, defs, owner, e);
    mem_init(&mem, "check", 0);
    arena_init(&arena, &mem, 0);
    struct options whole = whole_options(conn, o, &arena);
    enum status st = options_check(&whole, defs, owner, e);
    mem_release(&mem);
    return st;
}

/* Without a format, a key may belong to any; one that belongs to none is told first: it may be 'format' misspelt. */
static enum status check_without_format(const struct options *o, const struct option_def *own, const char *owner, struct err *e)
{
    struct option_def defs[DEFS_MAX];
    uint32_t count = 0;

    defs_add(defs, &count, own);
    for (uint32_t i = 0; fmt_types[i] != NULL; i++) defs_add(defs, &count, fmt_types[i]->options);
    return options_check_keys(o, defs, owner, e);
}

static enum status find_format(const struct options *o, const struct option_def *own, const char *owner,
                               const struct fmt_type **out, struct err *e)
{
    const char *name = options_get(o, conn_format_options, "format");

    if (name == NULL || name[0] == '\0') TRY(check_without_format(o, own, owner, e));
    enum status st = conn_format(o, out, e);
    if (st != S_OK) err_wrap(e, "%s", owner);
    return st;
}

enum status conn_options_check(const struct conn_type *conn, const struct options *o, struct err *e)
{
    struct option_def defs[DEFS_MAX] = {connector_option};
    uint32_t count = 1;
    char owner[128];

    snprintf(owner, sizeof owner, "connector '%s'", conn->name);
    defs_add(defs, &count, conn->options);
    if (conn->source != NULL) defs_add(defs, &count, source_options);
    if (conn->source != NULL || conn->lookup != NULL) defs_add(defs, &count, lookup_options);
    if (conn->sink != NULL) defs_add(defs, &count, conn_sink_options);
    if (conn->takes_format) {
        const struct fmt_type *format = NULL;
        defs_add(defs, &count, conn_format_options);
        TRY(find_format(o, defs, owner, &format, e));
        defs_add(defs, &count, format->options);
    }
    return whole_check(conn, o, defs, owner, e);
}
