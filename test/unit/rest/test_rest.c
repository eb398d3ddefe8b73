/* test_rest.c - the REST interface as a function from request to answer, over real dispatchers and jobs whose tasks run in this process:
 * what it answers has the members and types of Flink's own snapshot, while a job runs and when it is over; its errors have Flink's words;
 * who may change something; and jobs go on when the dispatcher is another one. */
#include "surface/rest/rest.h"

#include "flow/format/format.h"
#include "ground/base/str.h"
#include "rest_v1_shapes.h"
#include "support/folder.h"
#include "surface/api/api.h"
#include "surface/gateway/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* --- a cluster ----------------------------------------------------------------------------------------------------- */
struct world {
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    struct folder scratch;
    const char *folder;
    struct config settings;
    struct options options;
    struct rest *rest;
    struct dispatcher *dispatcher;
    struct sys_atomic_u64 ends;
    struct buf answer;
    int status;
    bool is_stranger;
    const char *authorization, *origin, *host;
};

static void begin_world(struct world *w)
{
    struct rest_options r = {
        .sys = w->sys, .settings = &w->options, .folder = w->folder, .token = "0123456789", .ends = &w->ends};
    struct dispatcher_options d = {
        .sys = w->sys, .folder = w->folder, .settings = &w->options, .expiration_ms = 3600 * 1000, .capacity = 100};
    struct err e = {0};

    w->rest = rest_create(&r);
    d.archive = rest_archive;
    d.archive_arg = w->rest;
    assert_int_equal(dispatcher_create(&d, &w->dispatcher, &e), S_OK);
    assert_int_equal(dispatcher_recover(w->dispatcher, &e), S_OK);
    rest_begin(w->rest, w->dispatcher, "http://localhost:8081");
}

static void end_world(struct world *w, bool keeps)
{
    dispatcher_close(w->dispatcher, keeps);
    rest_free(w->rest);
}

static int set_up(void **state)
{
    static struct world world;
    struct world *w = &world;

    *w = (struct world){.sys = sys_linux_create_quiet(), .host = "localhost:8081"};
    mem_init(&w->mem, "test", 0);
    arena_init(&w->arena, &w->mem, 0);
    folder_make(&w->scratch);
    w->folder = w->scratch.path;
    config_init(&w->settings, &w->arena);
    config_set(&w->settings, "execution.checkpointing.dir", arena_printf(&w->arena, "%s/checkpoints", w->folder));
    config_set(&w->settings, "some.password", "secret");
    w->options = config_options(&w->settings);
    buf_init(&w->answer, &w->mem);
    begin_world(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    end_world(w, false);
    folder_remove(&w->scratch);
    mem_release(&w->mem);
    sys_linux_free(w->sys);
    return 0;
}

/* --- requests ------------------------------------------------------------------------------------------------------ */
static const char *ask_with(struct world *w, struct sys_httpd_request q)
{
    struct sys_httpd_answer a = {0};

    q.is_same_user = !w->is_stranger;
    q.authorization = w->authorization;
    q.origin = w->origin;
    q.host = w->host;
    buf_clear(&w->answer);
    a.body = w->answer;
    rest_answer(w->rest, &q, &a);
    w->answer = a.body;
    w->status = a.status;
    assert_string_equal(a.type, "application/json; charset=UTF-8");
    buf_reserve(&w->answer, FORMAT_PADDING);
    memset(w->answer.data + w->answer.size, 0, FORMAT_PADDING);
    return w->answer.data;
}

static const char *ask(struct world *w, const char *method, const char *path)
{
    return ask_with(w, (struct sys_httpd_request){.method = method, .path = path});
}

static void get(struct world *w, const char *format, const char *id, const char *expected)
{
    const char *path = arena_printf(&w->arena, format, id);

    ask(w, "GET", path);
    if (strcmp(w->answer.data, expected) != 0) print_error("GET %s answers %s\n", path, w->answer.data);
    assert_string_equal(w->answer.data, expected);
}

/* --- shapes -------------------------------------------------------------------------------------------------------- */
static const char *shape_end(const char *s)
{
    int depth = 0;

    for (; *s != '\0'; s++) {
        depth += *s == '{' || *s == '[' || *s == '<';
        if (depth == 0 && (*s == ',' || *s == '}' || *s == ']' || *s == '>')) return s;
        depth -= *s == '}' || *s == ']' || *s == '>';
    }
    return s;
}

static bool fits(struct str value, const char *shape, const char *where);

/* What a subclass in Java adds, which the snapshot of the class does not have. */
static bool is_of_subclass(struct str key)
{
    static const char *const names[] = {"className", "external_path", "discarded", "failure_timestamp",
                                        "failure_message"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(key, str_of(names[i]))) return true;
    return false;
}

static bool fits_object(struct str value, const char *shape, const char *where)
{
    struct str key, item;
    uint32_t known = 0, members = 0;
    size_t at = 0;

    for (const char *p = shape + 1; *p != '}' && *p != '\0';) {
        size_t size = strcspn(p, "?:");
        struct str name = {p, size};
        bool is_optional = p[size] == '?', is_there = false;
        const char *inner = p + size + (is_optional ? 2 : 1);
        at = 0;
        while (answer_next_member(value, &at, &key, &item))
            if (str_equal(key, name)) {
                is_there = true;
                if (!is_of_subclass(key)) known++;
                if (!fits(item, inner, where)) return false;
            }
        if (!is_there && !is_optional && !is_of_subclass(name)) {
            print_error("%s: there is no \"%.*s\"\n", where, (int)size, p);
            return false;
        }
        p = shape_end(inner);
        if (*p == ',') p++;
    }
    at = 0;
    while (answer_next_member(value, &at, &key, &item)) members += !is_of_subclass(key);
    if (members != known)
        print_error("%s: a member that Flink does not know in %.*s\n", where, (int)value.size, value.data);
    return members == known;
}

static bool fits_items(struct str value, const char *shape, const char *where)
{
    struct str key, item;
    size_t at = 0;

    if (shape[0] == '[') {
        while (answer_next(value, &at, &item))
            if (!fits(item, shape + 1, where)) return false;
        return value.data[0] == '[';
    }
    while (answer_next_member(value, &at, &key, &item))
        if (!fits(item, shape + 1, where)) return false;
    return value.data[0] == '{';
}

static bool fits_scalar(struct str value, char kind)
{
    char c = value.data[0];
    bool is_number = (c >= '0' && c <= '9') || c == '-', has_point = memchr(value.data, '.', value.size) != NULL;

    if (kind == '*' || answer_is(value, "null")) return true;
    if (kind == 's') return c == '"';
    if (kind == 'b') return answer_is(value, "true") || answer_is(value, "false");
    return (is_number && (kind == 'n' || !has_point)) || (kind == 'n' && answer_is(value, "\"NaN\""));
}

static bool fits(struct str value, const char *shape, const char *where)
{
    bool is_right;

    if (answer_is(value, "null")) return true;
    if (shape[0] == '{')
        is_right = value.data[0] == '{' && fits_object(value, shape, where);
    else if (shape[0] == '[' || shape[0] == '<')
        is_right = fits_items(value, shape, where);
    else
        is_right = fits_scalar(value, shape[0]);
    if (!is_right && shape[0] != '{')
        print_error("%s: %.*s is no %.*s\n", where, (int)MIN(value.size, 200), value.data,
                    (int)(shape_end(shape) - shape), shape);
    return is_right;
}

/* Text for text, each of the parts of a path that begins with ':' is put in. */
static const char *fill(struct world *w, const char *pattern, const char *job, const char *vertex)
{
    char *out = arena_alloc(&w->arena, 1024), *p = out;

    while (*pattern != '\0') {
        const char *value = NULL;
        if (str_starts(str_of(pattern), STR(":jobid")))
            value = job;
        else if (str_starts(str_of(pattern), STR(":vertexid")))
            value = vertex;
        else if (str_starts(str_of(pattern), STR(":checkpointid")))
            value = "1";
        else if (str_starts(str_of(pattern), STR(":taskmanagerid")))
            value = "embedded";
        else if (*pattern == ':')
            value = "0";
        if (value == NULL) {
            *p++ = *pattern++;
            continue;
        }
        p += snprintf(p, 64, "%s", value);
        pattern += strcspn(pattern, "/");
    }
    *p = '\0';
    return out;
}

static void check_shapes(struct world *w, const char *job, const char *vertex)
{
    for (size_t i = 0; i < COUNT_OF(rest_v1_shapes); i++) {
        const char *path = fill(w, rest_v1_shapes[i].path, job, vertex);
        ask(w, "GET", path);
        if (w->status != 200) print_error("GET %s: %d %s\n", path, w->status, w->answer.data);
        assert_int_equal(w->status, 200);
        assert_int_equal(answer_check((struct str){w->answer.data, w->answer.size}, &w->mem, NULL), S_OK);
        assert_true(fits((struct str){w->answer.data, w->answer.size}, rest_v1_shapes[i].shape, path));
    }
}

/* --- jobs ---------------------------------------------------------------------------------------------------------- */
struct captured {
    struct world *w;
    struct str graph;
};

static enum status capture(void *arg, const struct api_remote_job *job, struct api_remote_outcome *out, struct err *e)
{
    struct captured *c = arg;

    (void)out, (void)e;
    c->graph = (struct str){arena_strndup(&c->w->arena, job->graph.data, job->graph.size), job->graph.size};
    return S_OK;
}

struct number {
    int64_t n;
};
TW_ROW(number, TW_FIELD(number, n, "BIGINT NOT NULL"));

/* Numbers one after another, so many, into nothing. */
static struct str graph_of(struct world *w, const char *rows)
{
    struct captured c = {.w = w};
    struct tw_env *env = tw_env_create_in(NULL, NULL);

    env->remote = (struct api_remote){capture, &c};
    tw_set(env, "execution.checkpointing.interval", "20 ms");
    struct tw_stream *s = tw_source_rows(env, "numbers", "datagen", &number_row,
                                         TW_OPTIONS("rows-per-second", "100", "number-of-rows", rows, "fields.n.kind",
                                                    "sequence", "fields.n.start", "1", "fields.n.end", rows));
    tw_sink(s, "nothing", "blackhole", TW_NO_OPTIONS);
    assert_int_equal(tw_execute(env, "numbers"), 0);
    tw_env_free(env);
    return c.graph;
}

/* POST /jobs; the id. */
static const char *submit(struct world *w, struct str graph)
{
    const char *path = arena_printf(&w->arena, "%s/given", w->folder);
    struct sys_file *f;

    assert_int_equal(sys_file_open(w->sys, path, SYS_WRITE | SYS_CREATE | SYS_TRUNCATE, &f, NULL), S_OK);
    assert_int_equal(sys_file_write(w->sys, f, graph.data, graph.size, NULL), S_OK);
    sys_file_close(w->sys, f);
    struct sys_httpd_part parts[] = {
        {.name = "request",
         .text = STR("{\"executionPlanFileName\":\"g\",\"jobJarFileNames\":[],\"jobArtifactFileNames\":[]}")},
        {.name = "file", .file_name = "g", .path = path, .size = (int64_t)graph.size},
    };
    ask_with(w, (struct sys_httpd_request){
                    .method = "POST", .path = "/jobs", .is_form = true, .parts = parts, .part_count = 2});
    if (w->status != 202) return NULL;
    struct str url = answer_member((struct str){w->answer.data, w->answer.size}, "jobUrl");
    return arena_strndup(&w->arena, url.data + 7, 32);
}

static bool says(struct world *w, const char *path, const char *part)
{
    return strstr(ask(w, "GET", path), part) != NULL;
}

/* Asks until the answer holds the part; what never comes is a failure. */
static void await(struct world *w, const char *path, const char *part)
{
    int64_t until = sys_mono_ns(w->sys) + INT64_C(60000000000);

    while (!says(w, path, part)) {
        if (sys_mono_ns(w->sys) > until) print_error("GET %s answers %s\n", path, w->answer.data);
        assert_true(sys_mono_ns(w->sys) < until);
    }
}

static const char *path_of(struct world *w, const char *id, const char *below)
{
    return arena_printf(&w->arena, "/jobs/%s%s", id, below);
}

static const char *first_vertex(struct world *w, const char *id)
{
    struct str item, vertices;
    size_t at = 0;

    ask(w, "GET", path_of(w, id, ""));
    vertices = answer_member((struct str){w->answer.data, w->answer.size}, "vertices");
    assert_true(answer_next(vertices, &at, &item));
    struct str text = answer_member(item, "id");
    return arena_strndup(&w->arena, text.data + 1, text.size - 2);
}

/* One after another, 100 a second, from a source in the same task as the sink: nothing leaves the task. */
static void metrics_have_the_names_of_flink(void **state)
{
    struct world *w = *state;
    const char *id = submit(w, graph_of(w, "1000000"));

    await(w, path_of(w, id, "/checkpoints/details/1"), "\"COMPLETED\"");
    const char *vertex = first_vertex(w, id);
    const char *path = arena_printf(&w->arena, "/jobs/%s/vertices/%s/metrics", id, vertex);
    assert_true(says(w, path, "{\"id\":\"0.numRecordsIn\"}"));
    assert_true(says(w, path, "{\"id\":\"0.busyTimeMsPerSecond\"}"));
    struct sys_httpd_pair query[] = {{"get", "numRecordsIn,numBytesOut,nonsense"}, {"agg", "max,sum"}};
    path = arena_printf(&w->arena, "/jobs/%s/vertices/%s/subtasks/0/metrics", id, vertex);
    ask_with(w, (struct sys_httpd_request){.method = "GET", .path = path, .query = query, .query_count = 1});
    assert_string_equal(w->answer.data, "[{\"id\":\"numRecordsIn\",\"value\":\"0\"},{\"id\":\"numBytesOut\",\"value\":\"0\"}]");
    path = arena_printf(&w->arena, "/jobs/%s/vertices/%s/subtasks/metrics", id, vertex);
    ask_with(w, (struct sys_httpd_request){.method = "GET", .path = path, .query = query, .query_count = 2});
    assert_string_equal(w->answer.data, "[{\"id\":\"numRecordsIn\",\"max\":0.0,\"sum\":0.0},{\"id\":\"numBytesOut\",\"max\":0.0,\"sum\":0.0}]");
    path = arena_printf(&w->arena, "/jobs/%s/vertices/%s/subtasks/7/metrics", id, vertex);
    ask(w, "GET", path);
    assert_int_equal(w->status, 404);
    path = arena_printf(&w->arena, "/jobs/%s/vertices/%s/backpressure", id, vertex);
    assert_true(says(w, path, "{\"status\":\"ok\",\"backpressureLevel\":\"ok\",\"backpressure-level\":\"ok\",\"end-timestamp\":"));
    struct sys_httpd_pair restarts[] = {{"get", "numRestarts"}};
    ask_with(w, (struct sys_httpd_request){.method = "GET", .path = path_of(w, id, "/metrics"), .query = restarts, .query_count = 1});
    assert_string_equal(w->answer.data, "[{\"id\":\"numRestarts\",\"value\":\"0\"}]");
    ask(w, "PATCH", path_of(w, id, ""));
    await(w, path_of(w, id, "/status"), "\"CANCELED\"");
}

static void answers_have_the_shapes_of_flink(void **state)
{
    struct world *w = *state;
    const char *id = submit(w, graph_of(w, "1000000"));

    await(w, path_of(w, id, "/status"), "\"RUNNING\"");
    await(w, path_of(w, id, "/checkpoints/details/1"), "\"COMPLETED\"");
    const char *vertex = first_vertex(w, id);
    check_shapes(w, id, vertex);
    ask(w, "PATCH", path_of(w, id, ""));
    assert_int_equal(w->status, 202);
    assert_string_equal(w->answer.data, "{}");
    await(w, path_of(w, id, "/status"), "\"CANCELED\"");
    await(w, path_of(w, id, ""), "\"end-time\":1"); /* it is archived */
    check_shapes(w, id, vertex);
    ask(w, "PATCH", path_of(w, id, "")); /* once more is no mistake */
    assert_int_equal(w->status, 202);
}

static void a_job_ends_by_itself(void **state)
{
    struct world *w = *state;
    const char *id = submit(w, graph_of(w, "3"));

    await(w, path_of(w, id, "/status"), "\"FINISHED\"");
    await(w, path_of(w, id, "/execution-result"), "\"application-status\":\"SUCCEEDED\"");
    await(w, path_of(w, id, ""), "\"name\":\"Source: numbers -> Sink: nothing\"");
    assert_true(says(w, "/overview", "\"jobs-running\":0,\"jobs-finished\":1,\"jobs-cancelled\":0,\"jobs-failed\":0"));
    ask(w, "PATCH", path_of(w, id, ""));
    assert_int_equal(w->status, 409);
    assert_string_equal(w->answer.data, "{\"errors\":[\"org.apache.flink.runtime.rest.handler.RestHandlerException: "
                                        "Job cancellation failed because the job has "
                                        "already reached another terminal state (FINISHED).\"]}");
}

/* --- mistakes ------------------------------------------------------------------------------------------------------ */
#define REFUSED(text) "{\"errors\":[\"org.apache.flink.runtime.rest.handler.RestHandlerException: " text "\"]}"
#define MISSING(text) "{\"errors\":[\"org.apache.flink.runtime.rest.NotFoundException: " text "\"]}"
#define NO_ID "00000000000000000000000000000000"

static void mistakes_are_told_in_words_of_flink(void **state)
{
    struct world *w = *state;

    get(w, "/nothere", "", "{\"errors\":[\"Unable to load requested file /nothere.\"]}");
    assert_int_equal(w->status, 404);
    get(w, "/jobs/%s", "xyz",
        REFUSED(
            "Bad request, could not parse parameters: Cannot resolve path parameter (jobid) from value \\\"xyz\\\"."));
    assert_int_equal(w->status, 400);
    get(w, "/jobs/%s", NO_ID, MISSING("Job " NO_ID " not found"));
    assert_int_equal(w->status, 404);
    get(w, "/jobs/%s/checkpoints", NO_ID, MISSING("Job " NO_ID " not found"));
    ask(w, "DELETE", "/jobs/" NO_ID);
    assert_int_equal(w->status, 404);
    assert_string_equal(w->answer.data, "{\"errors\":[\"Not found: /jobs/" NO_ID "\"]}");
    const char *id = submit(w, graph_of(w, "1000000"));
    await(w, path_of(w, id, "/status"), "\"RUNNING\"");
    get(w, "/jobs/%s/vertices/" NO_ID, id, MISSING("JobVertex " NO_ID " not found"));
    const char *vertex = first_vertex(w, id);
    get(w, arena_printf(&w->arena, "/jobs/%%s/vertices/%s/subtasks/99", vertex), id,
        arena_printf(&w->arena, REFUSED("Invalid subtask index for vertex %s"), vertex));
    get(w, "/jobs/%s/checkpoints/details/9999", id,
        REFUSED("Could not find checkpointing statistics for checkpoint 9999."));
    struct sys_httpd_pair mode = {"mode", "foo"};
    ask_with(
        w, (struct sys_httpd_request){.method = "PATCH", .path = path_of(w, id, ""), .query = &mode, .query_count = 1});
    assert_string_equal(
        w->answer.data,
        REFUSED(
            "Bad request, could not parse parameters: Cannot resolve query parameter (mode) from value \\\"foo\\\"."));
}

static void what_is_no_job_is_refused(void **state)
{
    struct world *w = *state;
    struct str graph = graph_of(w, "3");

    assert_null(submit(w, (struct str){graph.data, graph.size - 1}));
    assert_int_equal(w->status, 400);
    assert_null(submit(w, STR("THLW is no job")));
    assert_int_equal(w->status, 400);
    ask(w, "POST", "/jobs");
    assert_int_equal(w->status, 400);
    assert_string_equal(w->answer.data, REFUSED("Request did not match expected format JobSubmitRequestBody."));
    struct sys_httpd_part part = {.name = "request", .text = STR("{bad")};
    ask_with(w, (struct sys_httpd_request){
                    .method = "POST", .path = "/jobs", .is_form = true, .parts = &part, .part_count = 1});
    assert_string_equal(w->answer.data, REFUSED("Request did not match expected format JobSubmitRequestBody."));
    part.text = STR("{\"executionPlanFileName\":\"other\"}");
    ask_with(w, (struct sys_httpd_request){
                    .method = "POST", .path = "/jobs", .is_form = true, .parts = &part, .part_count = 1});
    assert_string_equal(w->answer.data, REFUSED("File other could not be found in the request."));
    get(w, "/jobs", "", "{\"jobs\":[]}");
}

/* --- leave --------------------------------------------------------------------------------------------------------- */
static int delete_cluster(struct world *w)
{
    ask(w, "DELETE", "/cluster");
    return w->status;
}

static void changes_need_leave(void **state)
{
    struct world *w = *state;

    w->is_stranger = true;
    assert_int_equal(delete_cluster(w), 403);
    assert_int_equal(sys_atomic_load(&w->ends), 0);
    ask(w, "GET", "/overview"); /* reading does not */
    assert_int_equal(w->status, 200);
    w->authorization = "Bearer 012345678x";
    assert_int_equal(delete_cluster(w), 403);
    w->authorization = "Bearer 0123456789";
    assert_int_equal(delete_cluster(w), 200);
    w->is_stranger = false;
    w->authorization = NULL;
    assert_int_equal(delete_cluster(w), 200);
    w->origin = "http://evil.example"; /* a page in this user's browser */
    assert_int_equal(delete_cluster(w), 403);
    w->origin = "http://localhost:8081";
    assert_int_equal(delete_cluster(w), 200);
    w->origin = NULL;
    w->host = "evil.example:8081"; /* a name that leads here */
    assert_int_equal(delete_cluster(w), 403);
    w->host = "[::1]:8081";
    assert_int_equal(delete_cluster(w), 200);
    assert_int_equal(sys_atomic_load(&w->ends), 1);
}

static void secrets_are_hidden(void **state)
{
    struct world *w = *state;

    ask(w, "GET", "/jobmanager/config");
    assert_non_null(strstr(w->answer.data, "{\"key\":\"some.password\",\"value\":\"******\"}"));
    assert_null(strstr(w->answer.data, "secret"));
}

/* --- other parallelisms -------------------------------------------------------------------------------------------- */
static void change(struct world *w, const char *method, const char *path, const char *body, int status, const char *part)
{
    ask_with(w, (struct sys_httpd_request){.method = method, .path = path, .body = str_of(body)});
    if (w->status != status || strstr(w->answer.data, part) == NULL) print_error("%s %s %s: %d %s\n", method, path, body, w->status, w->answer.data);
    assert_int_equal(w->status, status);
    assert_non_null(strstr(w->answer.data, part));
}

static void rescale_to(struct world *w, const char *id, const char *parallelism)
{
    struct sys_httpd_pair query[] = {{"parallelism", parallelism}};
    const char *path = path_of(w, id, "/rescaling");

    ask_with(w, (struct sys_httpd_request){.method = "PATCH", .path = path, .query = query, .query_count = 1});
}

static const char *request_id(struct world *w)
{
    return answer_text(answer_member((struct str){w->answer.data, w->answer.size}, "request-id"), &w->arena);
}

static void a_job_is_rescaled(void **state)
{
    struct world *w = *state;
    const char *id = submit(w, graph_of(w, "1000000"));

    await(w, path_of(w, id, "/checkpoints/details/1"), "\"COMPLETED\"");
    rescale_to(w, id, "3");
    assert_int_equal(w->status, 200);
    const char *path = arena_printf(&w->arena, "/jobs/%s/rescaling/%s", id, request_id(w));
    await(w, path, "\"id\":\"COMPLETED\"");
    assert_true(says(w, path, "\"operation\":{\"pause\":"));
    assert_true(says(w, path_of(w, id, ""), "\"parallelism\":3,"));
    rescale_to(w, id, "3"); /* once more is nothing */
    assert_true(says(w, arena_printf(&w->arena, "/jobs/%s/rescaling/%s", id, request_id(w)), "\"checkpointId\":0"));
    rescale_to(w, id, "1000");
    assert_int_equal(w->status, 400);
    assert_non_null(strstr(w->answer.data, "is more than its max parallelism 128"));
    rescale_to(w, id, "none");
    assert_int_equal(w->status, 400);
    assert_true(says(w, path_of(w, id, "/resource-requirements"), "{\"parallelism\":{\"lowerBound\":1,\"upperBound\":3}}"));
    const char *all = arena_strdup(&w->arena, w->answer.data), *upper = strstr(all, "\"upperBound\":3");
    const char *two = arena_printf(&w->arena, "%.*s\"upperBound\":2}}}", (int)(upper - all), all);
    end_world(w, true); /* whoever goes on with the job goes on so */
    begin_world(w);
    await(w, path_of(w, id, "/status"), "\"RUNNING\"");
    await(w, path_of(w, id, ""), "\"parallelism\":3,");
    path = path_of(w, id, "/resource-requirements");
    await(w, path_of(w, id, "/checkpoints"), "\"status\":\"COMPLETED\"");
    change(w, "PUT", path, "{}", 400, "The request is incomplete, it lacks the vertex [Source: numbers");
    change(w, "PUT", path, "{\"00\":{\"parallelism\":{\"lowerBound\":1,\"upperBound\":2}}}", 404, "contains a vertex [00]");
    change(w, "PUT", path, two, 200, "{}");
    await(w, path_of(w, id, ""), "\"parallelism\":2,");
}

/* --- another dispatcher -------------------------------------------------------------------------------------------- */
static void jobs_go_on(void **state)
{
    struct world *w = *state;
    const char *ended = submit(w, graph_of(w, "3")), *id = submit(w, graph_of(w, "1000000"));

    await(w, path_of(w, ended, ""), "\"state\":\"FINISHED\"");
    await(w, path_of(w, id, "/checkpoints/details/2"), "\"COMPLETED\"");
    end_world(w, true);
    begin_world(w);
    await(w, path_of(w, id, "/status"), "\"RUNNING\"");
    assert_true(says(w, path_of(w, ended, ""), "\"state\":\"FINISHED\""));
    await(w, path_of(w, id, "/checkpoints"), "\"status\":\"COMPLETED\"");
    assert_false(says(w, path_of(w, id, "/checkpoints/details/1"), "\"id\":1,")); /* numbers go on */
    end_world(w, false);
    begin_world(w);
    get(w, "/jobs", "", "{\"jobs\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics_have_the_names_of_flink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_have_the_shapes_of_flink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_ends_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_told_in_words_of_flink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_job_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_need_leave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_are_hidden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_is_rescaled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_go_on, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
