/* cluster_arguments.c - see the header. Files come first, then what the command line sets: -D and -m win. Where no file is named,
 * config.yaml of the folder THALWEG_CONF_DIR or FLINK_CONF_DIR is read, if there is one. */
#include "surface/cli/cluster_arguments.h"

#include "ground/base/str.h"
#include "ground/sys/sys_daemon.h"
#include "surface/cli/program.h"

#include <string.h>

/* What is read while it is read. */
struct reading {
    struct cluster_arguments *a;
    const struct cluster_argument *own;
    struct config given; /* -D and their like */
    const char *file;    /* --config; NULL: not given */
    int argc, at;
    char **argv;
    struct err *e;
};

/* --- settings ------------------------------------------------------------------------------------------------------ */
enum status cluster_set_address(struct config *c, const char *text, struct err *e)
{
    const char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');
    struct str host = str_of(text);
    int64_t port;

    if (colon != NULL && bracket != NULL && colon < bracket) colon = NULL; /* one of those in [::1] */
    if (colon != NULL) host.size = (size_t)(colon - text);
    bool is_right = host.size > 0 &&
                    (colon == NULL || (str_to_int64(str_of(colon + 1), &port) && port > 0 && port <= 65535));
    if (!is_right) {
        err_set(e, E_CONFIG, "'%.200s' is no address of a JobManager", text);
        err_hint(e, "write HOST:PORT, the port being that of its REST interface: localhost:8081");
        return E_CONFIG;
    }
    if (host.data[0] == '[' && host.size > 2) host = (struct str){host.data + 1, host.size - 2};
    config_set_from(c, "rest.address", arena_strndup(c->arena, host.data, host.size), "-m");
    if (colon != NULL) config_set_from(c, "rest.port", colon + 1, "-m");
    return S_OK;
}

static enum status take_target(struct reading *r, const char *text)
{
    if (strcmp(text, "remote") == 0) return S_OK;
    err_set(r->e, E_UNSUPPORTED, "there is no target '%.100s' for this", text);
    err_hint(r->e, "leave -t out, or write -t remote: a cluster that runs");
    return E_UNSUPPORTED;
}

static enum status take_common(struct reading *r, const char *name, const char *value)
{
    if (strcmp(name, "-D") == 0) return config_set_pair(&r->given, value, r->e);
    if (strcmp(name, "-m") == 0) return cluster_set_address(&r->given, value, r->e);
    if (strcmp(name, "-t") == 0) return take_target(r, value);
    r->file = strcmp(name, "--config") == 0 ? value : arena_printf(&r->a->arena, "%s/config.yaml", value);
    return S_OK;
}

static const struct cluster_argument common[] = {
    {"-D", NULL, true},       {"-m", "--jobmanager", true}, {"-t", "--target", true},
    {"--config", NULL, true}, {"--configDir", NULL, true},  {NULL, NULL, false},
};

/* --- arguments ----------------------------------------------------------------------------------------------------- */
/* Is the argument that one? *value: what stands in it, NULL: nothing. */
static bool is_named(const char *arg, const char *name, bool has_value, const char **value)
{
    size_t size = name != NULL ? strlen(name) : 0;

    *value = NULL;
    if (size == 0 || strncmp(arg, name, size) != 0) return false;
    if (arg[size] == '\0') return true;
    if (!has_value || (arg[size] != '=' && strcmp(name, "-D") != 0)) return false;
    *value = arg + size + (arg[size] == '=');
    return true;
}

static const struct cluster_argument *find(const struct cluster_argument *list, const char *arg, const char **value)
{
    for (; list->name != NULL; list++)
        if (is_named(arg, list->name, list->has_value, value) || is_named(arg, list->other, list->has_value, value))
            return list;
    return NULL;
}

static enum status value_of(struct reading *r, const struct cluster_argument *found, const char **value)
{
    if (!found->has_value || *value != NULL) return S_OK;
    if (r->at + 1 == r->argc) return err_set(r->e, E_CONFIG, "%s needs a value behind it", r->argv[r->at]);
    *value = r->argv[++r->at];
    return S_OK;
}

static enum status take_word(struct reading *r, const char *word)
{
    if (r->a->word_count == CLUSTER_WORDS_MAX) return err_set(r->e, E_CONFIG, "more than %d words", CLUSTER_WORDS_MAX);
    r->a->words[r->a->word_count++] = word;
    return S_OK;
}

static enum status take_one(struct reading *r)
{
    const char *arg = r->argv[r->at], *value;
    const struct cluster_argument *found;

    if (strcmp(arg, "--") == 0) {
        while (++r->at < r->argc) TRY(take_word(r, r->argv[r->at]));
        return S_OK;
    }

    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
        r->a->wants_help = true;
        return S_OK;
    }
    if ((found = find(r->own, arg, &value)) != NULL) {
        TRY(value_of(r, found, &value));
        r->a->values[found - r->own] = value != NULL ? value : "";
        return S_OK;
    }
    if ((found = find(common, arg, &value)) != NULL) {
        TRY(value_of(r, found, &value));
        return take_common(r, found->name, value);
    }
    if (arg[0] == '-' && arg[1] != '\0') {
        err_set(r->e, E_CONFIG, "there is no argument '%.100s'", arg);
        err_hint(r->e, "`%s --help` lists them", r->a->verb);
        return E_CONFIG;
    }
    return take_word(r, arg);
}

static enum status read_files(struct reading *r)
{
    struct cluster_arguments *a = r->a;
    const char *folder = sys_environment("THALWEG_CONF_DIR");
    struct sys_stat st;

    if (folder == NULL) folder = sys_environment("FLINK_CONF_DIR");
    if (r->file != NULL) return config_read_yaml(&a->config, a->cli->sys, r->file, r->e);
    if (folder == NULL) return S_OK;
    const char *path = arena_printf(&a->arena, "%s/config.yaml", folder);
    return sys_file_stat(a->cli->sys, path, &st, NULL) == S_OK ? config_read_yaml(&a->config, a->cli->sys, path, r->e)
                                                               : S_OK;
}

bool cluster_arguments_read(struct cluster_arguments *a, const struct cli *cli, const char *verb,
                            const struct cluster_argument *own, int argc, char **argv)
{
    struct err e = {0};
    enum status st = S_OK;

    *a = (struct cluster_arguments){.cli = cli, .verb = verb};
    mem_init(&a->mem, "arguments", 0);
    arena_init(&a->arena, &a->mem, 0);
    config_init(&a->config, &a->arena);
    struct reading r = {.a = a, .own = own, .argc = argc, .argv = argv, .e = &e};
    config_init(&r.given, &a->arena);
    for (; st == S_OK && r.at < argc; r.at++) st = take_one(&r);
    if (st == S_OK && !a->wants_help) st = read_files(&r);
    for (uint32_t i = 0; i < r.given.count; i++)
        config_set_from(&a->config, r.given.items[i].key, r.given.items[i].value, r.given.places[i]);
    if (st == S_OK) st = cluster_keys_check(&a->config, &e);
    a->options = config_options(&a->config);
    if (st != S_OK) cluster_fail(a, &e);
    return st == S_OK;
}

void cluster_arguments_release(struct cluster_arguments *a) { mem_release(&a->mem); }

int cluster_fail(const struct cluster_arguments *a, const struct err *e)
{
    api_say_error(a->cli->sys, a->verb, e);
    return CLUSTER_EXIT_USAGE;
}

const char *cluster_folder(struct cluster_arguments *a)
{
    const char *above = options_get(&a->options, cluster_defs, "io.tmp.dirs");

    return arena_printf(&a->arena, "%s/thalweg-%lld/%s", above != NULL ? above : "/tmp", (long long)sys_user_id(),
                        options_get(&a->options, cluster_defs, "rest.port"));
}
