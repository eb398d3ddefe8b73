/* gateway.c - a session at a gateway: opening and closing it, keeping it alive, what it is configured to, words that it proposes.
 * Statements are run by gateway_run.c.
 *
 * One request at a time on the shell's thread; a thread beside it sends heartbeats over a connection of its own, so that a session
 * outlives a long lunch. What the session is configured to is asked for at the beginning and behind each SET and RESET. */
#include "surface/gateway/gateway.h"

#include "ground/base/str.h"
#include "surface/gateway/answer.h"
#include "surface/gateway/gateway_internal.h"
#include "surface/sql/sql_keys.h"

#include <string.h>

/* --- configuration ----------------------------------------------------------------------------------------------- */
static enum status set(struct statement_executor *x, const char *key, const char *value, struct err *e)
{
    struct gateway *g = gateway_of(x);

    (void)e;
    ASSERT(g->handle == NULL);
    config_set(&g->settings, key, value);
    return S_OK;
}

static void take_properties(struct gateway *g, struct str properties)
{
    struct str key, value;
    size_t at = 0;

    while (answer_next_member(properties, &at, &key, &value)) {
        struct str quoted = {key.data - 1, key.size + 2};
        const char *name = answer_text(quoted, &g->config_arena), *text = answer_text(value, &g->config_arena);
        if (name != NULL && text != NULL) config_set(&g->config, name, text);
    }
}

enum status gateway_refresh(struct gateway *g, struct err *e)
{
    struct str answer, none = {0};

    TRY(gateway_rest_call(&g->rest, "GET", gateway_path(g, ""), none, &answer, e));
    arena_release(&g->config_arena);
    arena_init(&g->config_arena, &g->mem, 0);
    config_init(&g->config, &g->config_arena);
    take_properties(g, answer_member(answer, "properties"));
    struct options o = config_options(&g->config);
    if (!zone_find(str_of(options_get(&o, sql_keys, "table.local-time-zone")), &g->zone)) {
        bool known = zone_find(STR("UTC"), &g->zone); /* "default": that of a machine somewhere */
        ASSERT(known);
    }
    return S_OK;
}

static const char *get(struct statement_executor *x, const char *key)
{
    struct options o = config_options(&gateway_of(x)->config);
    return options_get(&o, sql_keys, key);
}

static const struct zone *zone(const struct statement_executor *x) { return &((const struct gateway *)x)->zone; }

/* --- opening ----------------------------------------------------------------------------------------------------- */
const char *gateway_path(struct gateway *g, const char *rest)
{
    buf_clear(&g->path);
    buf_printf(&g->path, "/sessions/%s%s", g->handle, rest);
    return buf_text(&g->path);
}

static void put_open_request(struct gateway *g)
{
    buf_clear(&g->body);
    buf_append_byte(&g->body, '{');
    if (g->options.session != NULL) {
        buf_append_text(&g->body, "\"sessionName\":");
        answer_quote(str_of(g->options.session), &g->body);
        buf_append_byte(&g->body, ',');
    }
    buf_append_text(&g->body, "\"properties\":{");
    for (uint32_t i = 0; i < g->settings.count; i++) {
        if (i > 0) buf_append_byte(&g->body, ',');
        answer_quote(str_of(g->settings.items[i].key), &g->body);
        buf_append_byte(&g->body, ':');
        answer_quote(str_of(g->settings.items[i].value), &g->body);
    }
    buf_append_text(&g->body, "}}");
}

/* --- heartbeats -------------------------------------------------------------------------------------------------- */
static void beat(void *arg)
{
    struct gateway *g = arg;
    struct str answer, body = STR("{}");
    struct buf path;

    buf_init(&path, &g->beat_mem);
    buf_printf(&path, "/sessions/%s/heartbeat", g->handle);
    int64_t next = sys_mono_ns(g->options.sys) + g->options.heartbeat_ms * 1000000;
    while (sys_atomic_load(&g->leaves) == 0) {
        int64_t left = next - sys_mono_ns(g->options.sys);
        if (left > 0) {
            sys_park(g->options.sys, g->beat_parker, left);
            continue;
        }
        enum status st = gateway_rest_call(&g->beat_rest, "POST", buf_text(&path), body, &answer, NULL);
        (void)st; /* a gateway that is gone is told of by the next statement */
        next = sys_mono_ns(g->options.sys) + g->options.heartbeat_ms * 1000000;
    }
    buf_release(&path);
}

static enum status beat_start(struct gateway *g, struct err *e)
{
    mem_init(&g->beat_mem, "gateway heartbeat", 0);
    g->beat_rest = (struct gateway_rest){.sys = g->options.sys,
                                         .http = g->options.http,
                                         .mem = &g->beat_mem,
                                         .base = g->rest.base,
                                         .version = g->rest.version};
    g->beat_parker = sys_parker_create(g->options.sys);
    TRY(gateway_rest_open(&g->beat_rest, e));
    return sys_thread_start(g->options.sys, "heartbeat", beat, g, &g->beat_thread, e);
}

static void beat_stop(struct gateway *g)
{
    if (g->beat_parker == NULL) return;
    sys_atomic_store(&g->leaves, 1);
    sys_unpark(g->options.sys, g->beat_parker);
    sys_thread_join(g->options.sys, g->beat_thread);
    gateway_rest_close(&g->beat_rest);
    sys_parker_free(g->options.sys, g->beat_parker);
    mem_release(&g->beat_mem);
}

static enum status open(struct statement_executor *x, struct err *e)
{
    struct gateway *g = gateway_of(x);
    struct str answer;

    TRY(gateway_rest_open(&g->rest, e));
    TRY(gateway_rest_negotiate(&g->rest, e));
    put_open_request(g);
    TRY(gateway_rest_call(&g->rest, "POST", "/sessions", (struct str){g->body.data, g->body.size}, &answer, e));
    g->handle = answer_text(answer_member(answer, "sessionHandle"), &g->arena);
    if (g->handle == NULL)
        return err_set(e, E_DATA, "the gateway at %s opened a session without a handle", g->rest.base);
    TRY(gateway_refresh(g, e));
    return beat_start(g, e);
}

/* --- completion -------------------------------------------------------------------------------------------------- */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           ((unsigned char)c & 0x80) != 0;
}

/* The candidate goes on as the word was begun, in whatever case. */
static void offer(struct gateway *g, struct str word, struct str candidate, sys_word_fn add, void *add_arg)
{
    struct str text = str_of(answer_text(candidate, &g->call_arena));

    if (text.size <= word.size || !str_equal_nocase((struct str){text.data, word.size}, word)) return;
    buf_clear(&g->body);
    buf_append(&g->body, word.data, word.size);
    buf_append(&g->body, text.data + word.size, text.size - word.size);
    add(add_arg, buf_text(&g->body));
}

static size_t complete(struct statement_executor *x, struct str before, struct str after, sys_word_fn add, void *add_arg)
{
    (void)after;
    struct gateway *g = gateway_of(x);
    struct str word = {before.data + before.size, 0}, answer, item;
    size_t at = 0;

    while (word.size < before.size && is_word(before.data[before.size - word.size - 1])) word.size++;
    word.data -= word.size;
    buf_clear(&g->body);
    buf_append_text(&g->body, "{\"statement\":");
    answer_quote(before, &g->body);
    buf_printf(&g->body, ",\"position\":%zu}", str_utf8_length(before));
    struct str body = {g->body.data, g->body.size};
    if (gateway_rest_call(&g->rest, "GET", gateway_path(g, "/complete-statement"), body, &answer, NULL) == S_OK)
        for (struct str all = answer_member(answer, "candidates"); answer_next(all, &at, &item);)
            offer(g, word, item, add, add_arg);
    arena_release(&g->call_arena);
    arena_init(&g->call_arena, &g->mem, 0);
    return word.size;
}

/* --- life -------------------------------------------------------------------------------------------------------- */
static enum sys_signal signal_of(const struct statement_executor *x)
{
    return (enum sys_signal)sys_atomic_load(&((const struct gateway *)x)->signal);
}

static void stop(struct statement_executor *x) { sys_atomic_store(&gateway_of(x)->signal, SYS_SIGNAL_INT); }

static void gateway_free(struct statement_executor *x)
{
    struct gateway *g = gateway_of(x);
    struct str answer, none = {0};
    struct mem mem;

    beat_stop(g);
    g->rest.stopped = NULL;
    if (g->handle != NULL) {
        enum status st = gateway_rest_call(&g->rest, "DELETE", gateway_path(g, ""), none, &answer, NULL);
        (void)st; /* it ends by itself when nobody uses it */
    }
    if (g->rest.client != NULL) gateway_rest_close(&g->rest);
    buf_release(&g->path);
    buf_release(&g->body);
    arena_release(&g->call_arena);
    arena_release(&g->config_arena);
    arena_release(&g->arena);
    mem_init(&mem, "gateway", 0);
    mem_move(&g->mem, &mem);
    mem_free(&mem, g);
    mem_release(&mem);
}

/* The address without a slash at its end, with the protocol. */
static const char *base_of(struct gateway *g, struct str endpoint)
{
    while (endpoint.size > 0 && endpoint.data[endpoint.size - 1] == '/') endpoint.size--;
    bool has_protocol = str_starts(endpoint, STR("http://")) || str_starts(endpoint, STR("https://"));
    return arena_printf(&g->arena, "%s%.*s", has_protocol ? "" : "http://", (int)endpoint.size, endpoint.data);
}

struct statement_executor *gateway_create(const struct gateway_options *o)
{
    static const struct statement_executor_ops ops = {.set = set,
                                                      .open = open,
                                                      .run = gateway_run,
                                                      .get = get,
                                                      .zone = zone,
                                                      .complete = complete,
                                                      .stop = stop,
                                                      .signal = signal_of,
                                                      .free = gateway_free};
    struct mem mem;

    mem_init(&mem, "gateway", 0);
    struct gateway *g = mem_zalloc(&mem, sizeof *g);
    mem_init(&g->mem, "gateway", 0);
    mem_move(&mem, &g->mem);
    g->base.ops = &ops;
    g->options = *o;
    if (g->options.heartbeat_ms == 0) g->options.heartbeat_ms = GATEWAY_HEARTBEAT_MS;
    arena_init(&g->arena, &g->mem, 0);
    arena_init(&g->config_arena, &g->mem, 0);
    arena_init(&g->call_arena, &g->mem, 0);
    config_init(&g->settings, &g->arena);
    config_init(&g->config, &g->config_arena);
    buf_init(&g->path, &g->mem);
    buf_init(&g->body, &g->mem);
    g->rest = (struct gateway_rest){
        .sys = o->sys, .http = o->http, .mem = &g->mem, .base = base_of(g, str_of(o->endpoint)), .stopped = &g->signal};
    bool known = zone_find(STR("UTC"), &g->zone);
    ASSERT(known);
    return &g->base;
}
