/* router.c - which endpoint a request is for, its parameters, and errors as Flink says them: {"errors": ["class: text"]}.
 *
 * The first segment of a pattern that begins with ':' takes any text; of two patterns that fit, the one with the more fixed segments is
 * meant ("/jobs/overview", not "/jobs/:jobid"). A path for which there is another method only is not found, as in Flink. */
#include "surface/rest/rest_internal.h"

#include "flow/format/format.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define X(name) extern const struct rest_endpoint rest_##name[];
#include "rest_registry.def"
#undef X

const struct rest_endpoint *const rest_tables[] = {
#define X(name) rest_##name,
#include "rest_registry.def"
#undef X
    NULL,
};

enum { TEXT_MAX = ERR_TEXT_MAX + ERR_HINT_MAX, BAD_REQUEST = 400, NOT_FOUND = 404 };

/* --- errors -------------------------------------------------------------------------------------------------------- */
/* Of jobs and vertices that are not there Flink says another class. */
static const char *class_of(int status, const char *text)
{
    bool is_missing = status == NOT_FOUND && str_starts(str_of(text), STR("Job")) &&
                      str_ends(str_of(text), STR(" not found"));

    return is_missing ? "org.apache.flink.runtime.rest.NotFoundException"
                      : "org.apache.flink.runtime.rest.handler.RestHandlerException";
}

static void write_error(struct rest_call *c, int status, const char *text)
{
    buf_clear(c->body);
    c->out = json_write_to(c->body);
    c->status = status;
    json_object(&c->out, NULL);
    json_array(&c->out, "errors");
    json_text(&c->out, NULL, text);
    json_array_end(&c->out);
    json_object_end(&c->out);
}

void rest_fail(struct rest_call *c, int status, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    write_error(c, status, arena_printf(&c->arena, "%s: %s", class_of(status, text), text));
}

void rest_fail_with(struct rest_call *c, int status, const struct err *e)
{
    rest_fail(c, status, "%s%s%s", e->text, e->hint[0] != '\0' ? "; " : "", e->hint);
}

/* --- the request --------------------------------------------------------------------------------------------------- */
const char *rest_query(const struct rest_call *c, const char *key)
{
    for (uint32_t i = 0; i < c->request->query_count; i++)
        if (strcmp(c->request->query[i].key, key) == 0) return c->request->query[i].value;
    return NULL;
}

static bool is_known(const char *const *known, struct str key)
{
    for (; *known != NULL; known++)
        if (str_equal(key, str_of(*known))) return true;
    return false;
}

bool rest_body(struct rest_call *c, const char *name, struct str *out)
{
    struct str text = c->request->body;
    struct err e = {0};

    if (str_trim(text).size == 0) text = STR("{}");
    char *copy = arena_zalloc(&c->arena, text.size + FORMAT_PADDING);
    memcpy(copy, text.data, text.size);
    *out = str_trim((struct str){copy, text.size});
    if (answer_check((struct str){copy, text.size}, c->mem, &e) == S_OK && out->data[0] == '{') return true;
    rest_fail(c, BAD_REQUEST, "Request did not match expected format %s.", name);
    return false;
}

const char *rest_body_text(struct rest_call *c, struct str object, const char *key)
{
    return answer_text(answer_member(object, key), &c->arena);
}

bool rest_body_bool(struct str object, const char *key) { return answer_is(answer_member(object, key), "true"); }

bool rest_is_hex_id(const char *text)
{
    return strlen(text) == HEX_ID_SIZE - 1 && strspn(text, "0123456789abcdefABCDEF") == HEX_ID_SIZE - 1;
}

/* --- the endpoint -------------------------------------------------------------------------------------------------- */
/* How many fixed segments the pattern has; -1: the path is another one. Parameters are views of the path. */
static int match(const char *pattern, const char *path, struct str parameters[REST_PARAMETERS_MAX])
{
    int fixed = 0, count = 0;

    while (*pattern == '/' && *path == '/') {
        size_t want = strcspn(++pattern, "/"), have = strcspn(++path, "/");
        if (pattern[0] == ':') {
            if (have == 0 || count == REST_PARAMETERS_MAX) return -1;
            parameters[count++] = (struct str){path, have};
        } else if (want != have || memcmp(pattern, path, want) != 0) {
            return -1;
        } else {
            fixed++;
        }
        pattern += want;
        path += have;
    }
    return *pattern == '\0' && *path == '\0' ? fixed : -1;
}

static const char *without_version(const char *path) { return str_starts(str_of(path), STR("/v1/")) ? path + 3 : path; }

static const struct rest_endpoint *find_endpoint(struct rest_call *c, bool *is_path)
{
    struct str parameters[REST_PARAMETERS_MAX];
    const struct rest_endpoint *best = NULL;
    const char *path = without_version(c->request->path);
    int best_fixed = -1;

    *is_path = false;
    for (uint32_t t = 0; rest_tables[t] != NULL; t++)
        for (const struct rest_endpoint *p = rest_tables[t]; p->method != NULL; p++) {
            memset(parameters, 0, sizeof parameters);
            int fixed = match(p->path, path, parameters);
            *is_path = *is_path || fixed >= 0;
            if (fixed <= best_fixed || strcmp(p->method, c->request->method) != 0) continue;
            best = p;
            best_fixed = fixed;
            for (int i = 0; i < REST_PARAMETERS_MAX; i++)
                c->parameters[i] = parameters[i].data != NULL
                                       ? arena_strndup(&c->arena, parameters[i].data, parameters[i].size)
                                       : NULL;
        }
    return best;
}

/* Identifiers of 32 digits are that. */
static bool check_parameters(struct rest_call *c)
{
    static const char *const ids[] = {"jobid", "vertexid", "triggerid", NULL};
    const char *at = c->endpoint->path;

    for (int i = 0; (at = strchr(at, ':')) != NULL; i++) {
        struct str name = {++at, strcspn(at, "/")};
        if (!is_known(ids, name) || rest_is_hex_id(c->parameters[i])) continue;
        rest_fail(
            c, BAD_REQUEST,
            "Bad request, could not parse parameters: Cannot resolve path parameter (%.*s) from value \"%.100s\".",
            (int)name.size, name.data, c->parameters[i]);
        return false;
    }
    return true;
}

static void answer_of_job(struct rest_call *c)
{
    struct str archive = dispatched_archive(c->job);

    c->jm = dispatched_master(c->job);
    c->graph = c->jm != NULL ? jobmaster_graph(c->jm) : NULL;
    if (archive.data == NULL || !c->endpoint->is_archived) {
        c->endpoint->answer(c);
        return;
    }
    const char *path = strstr(without_version(c->request->path), c->parameters[0]);
    struct str kept = rest_archived(archive, path + strlen(c->parameters[0]));
    if (kept.data != NULL)
        buf_append(c->body, kept.data, kept.size);
    else
        rest_fail(c, NOT_FOUND, "%s is not kept of a job that is over", c->request->path);
}

/* :jobid is the first parameter wherever it stands in a path. */
static void answer_held(struct rest_call *c)
{
    bool is_own = c->job == NULL && strstr(c->endpoint->path, ":jobid") != NULL;

    if (is_own) c->job = dispatcher_hold(c->rest->dispatcher, c->parameters[0]);
    if (is_own && c->job == NULL) {
        rest_fail(c, NOT_FOUND, "Job %s not found", c->parameters[0]);
        return;
    }
    if (c->job != NULL)
        answer_of_job(c);
    else
        c->endpoint->answer(c);
    if (is_own) dispatcher_let_go(c->rest->dispatcher, c->job);
    if (is_own) c->job = NULL;
}

void rest_route(struct rest_call *c)
{
    bool is_path;

    c->status = 200;
    c->out = json_write_to(c->body);
    c->endpoint = find_endpoint(c, &is_path);
    if (c->endpoint == NULL && is_path)
        write_error(c, NOT_FOUND, arena_printf(&c->arena, "Not found: %s", c->request->path));
    else if (c->endpoint == NULL)
        write_error(c, NOT_FOUND, arena_printf(&c->arena, "Unable to load requested file %s.", c->request->path));
    else if (check_parameters(c))
        answer_held(c);
}
