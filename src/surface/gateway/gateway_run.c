/* gateway_run.c - one statement at a gateway: it is submitted, its result comes in pages, and the operation is closed.
 *
 * A page that is not ready, or holds no row yet, is asked for again after a pause that grows; ctrl-c ends the pause, or the request
 * under way, and cancels the operation, and with it the job of a query. Rows are asked for as JSON; where a result has types that a
 * gateway cannot write so, as text. */
#include "surface/gateway/gateway_internal.h"

#include "ground/base/str.h"
#include "surface/gateway/answer.h"
#include "surface/gateway/gateway_rows.h"

#include <stdio.h>
#include <string.h>

enum { PAUSE_FIRST_MS = 4, PAUSE_MAX_MS = 100, NS_A_MS = 1000000 };

/* A result on its way. */
struct fetch {
    struct gateway *g;
    const struct sql_listener *to;
    const char *operation; /* its handle */
    int64_t token;         /* of the page to come */
    int64_t pause_ms, ticked_ns;
    struct sys_parker *parker;
    struct gateway_rows rows;
    bool as_text, is_query, has_begun, is_done;
    const char *job; /* that an INSERT started */
    bool is_empty;   /* the statement has no result but its success */
};

/* --- pages ------------------------------------------------------------------------------------------------------- */
static enum status begin(struct fetch *f, struct str page, struct str results, struct err *e)
{
    struct gateway *g = f->g;

    f->has_begun = true;
    f->is_query = answer_is(answer_member(page, g->rest.version[1] == '1' ? "resultKind" : "isQueryResult"),
                            g->rest.version[1] == '1' ? "\"SUCCESS_WITH_CONTENT\"" : "true");
    const char *job = answer_text(answer_member(page, "jobID"), &g->call_arena);
    f->job = f->is_query ? NULL : job;
    f->is_empty = answer_is(answer_member(page, "resultKind"), "\"SUCCESS\"");
    if (f->job != NULL || f->is_empty) return S_OK;
    TRY(gateway_rows_open(&f->rows, answer_member(results, "columns"), f->as_text, &g->call_arena, &g->mem, e));
    if (!f->rows.as_json && !f->as_text) { /* its values would fail there: from here on, and this page anew, as text */
        f->as_text = true;
        f->has_begun = false;
        gateway_rows_close(&f->rows);
        return S_OK;
    }
    if (f->is_query && f->to->plan != NULL) f->to->plan(f->to->arg, true);
    const char *mode = g->base.ops->get(&g->base, "execution.runtime-mode");
    bool is_batch = mode != NULL && str_equal_nocase(str_of(mode), STR("batch"));
    return f->to->begin(f->to->arg, f->rows.row, f->is_query && !is_batch, e);
}

static enum status give(void *arg, const struct batch *b, struct err *e)
{
    struct fetch *f = arg;

    f->pause_ms = 0;
    return f->to->rows(f->to->arg, b, e);
}

/* The number in "/v4/sessions/x/operations/y/result/3?rowFormat=JSON". */
static bool next_token(struct str page, int64_t *token)
{
    static const char before[] = "/result/";
    struct str uri = answer_member(page, "nextResultUri");
    const char *at = uri.size > 0 ? memmem(uri.data, uri.size, before, sizeof before - 1) : NULL;
    struct str number;

    if (at == NULL) return false;
    number = (struct str){at + sizeof before - 1, 0};
    while (number.data + number.size < uri.data + uri.size && number.data[number.size] >= '0' &&
           number.data[number.size] <= '9')
        number.size++;
    return str_to_int64(number, token);
}

static enum status take_page(struct fetch *f, struct str page, struct err *e)
{
    struct str results = answer_member(page, "results");
    bool is_last = answer_is(answer_member(page, "resultType"), "\"EOS\"");

    if (answer_is(answer_member(page, "resultType"), "\"NOT_READY\"")) return S_OK;
    if (results.size > 0 && !f->has_begun) {
        TRY(begin(f, page, results, e));
        if (!f->has_begun) return S_OK;
    }
    if (f->rows.format != NULL) TRY(gateway_rows_give(&f->rows, answer_member(results, "data"), give, f, e));
    f->is_done = is_last;
    if (is_last || next_token(page, &f->token)) return S_OK;
    return err_set(e, E_DATA, "the gateway's answer does not say where the result goes on");
}

static enum status fetch_page(struct fetch *f, struct err *e)
{
    struct gateway *g = f->g;
    struct str page, none = {0};
    struct err inner = {0};
    char rest[256];

    snprintf(rest, sizeof rest, "/operations/%s/result/%lld%s", f->operation, (long long)f->token,
             g->rest.version[1] == '1' ? ""
             : f->as_text              ? "?rowFormat=PLAIN_TEXT"
                                       : "?rowFormat=JSON");
    enum status st = gateway_rest_call(&g->rest, "GET", gateway_path(g, rest), none, &page, &inner);
    if (st == S_OK) return take_page(f, page, e);
    if (st == E_DATA && !f->as_text && !f->has_begun && strstr(inner.text, "Could not map response to JSON") != NULL) {
        f->as_text = true;
        return S_OK;
    }
    return err_pass_on(e, &inner);
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */
static void tick(struct fetch *f)
{
    struct job_totals nothing = {.watermark = TIME_MIN};
    int64_t now = sys_mono_ns(f->g->options.sys);

    if (f->to->tick == NULL || f->rows.format == NULL || now - f->ticked_ns < f->to->tick_ms * NS_A_MS) return;
    f->ticked_ns = now;
    f->to->tick(f->to->arg, &nothing);
}

static enum status pause_a_while(struct fetch *f, struct err *e)
{
    struct sys *sys = f->g->options.sys;

    tick(f);
    if (f->pause_ms == 0) {
        f->pause_ms = PAUSE_FIRST_MS; /* rows came: there may be more */
        return S_OK;
    }
    sys_park(sys, f->parker, f->pause_ms * NS_A_MS);
    f->pause_ms = MIN(2 * f->pause_ms, (int64_t)PAUSE_MAX_MS);
    enum sys_signal signal = sys_signal_take(sys);
    if (signal != SYS_SIGNAL_NONE) sys_atomic_store(&f->g->signal, (uint64_t)signal);
    if (sys_atomic_load(&f->g->signal) == SYS_SIGNAL_NONE) return S_OK;
    return err_set(e, E_CANCELED, "the statement was cancelled");
}

static enum status fetch_all(struct fetch *f, struct err *e)
{
    while (!f->is_done) {
        TRY(fetch_page(f, e));
        if (!f->is_done) TRY(pause_a_while(f, e));
    }
    return S_OK;
}

/* --- the end ----------------------------------------------------------------------------------------------------- */
static enum status say_submitted(struct fetch *f, struct err *e)
{
    const char *sync = f->g->base.ops->get(&f->g->base, "table.dml-sync");

    if (sync != NULL && str_equal_nocase(str_of(sync), STR("true"))) return f->to->said(f->to->arg, "[INFO] Complete execution of the SQL update statement.", e);
    TRY(f->to->said(f->to->arg, "[INFO] Submitting SQL update statement to the cluster...", e));
    return f->to->said(
        f->to->arg,
        arena_printf(&f->g->call_arena,
                     "[INFO] SQL update statement has been successfully submitted to the cluster:\nJob ID: %s\n",
                     f->job),
        e);
}

static enum status end(struct fetch *f, struct err *e)
{
    if (f->rows.format != NULL) return f->to->end(f->to->arg, e);
    if (f->job != NULL) return say_submitted(f, e);
    return f->to->said(f->to->arg, "[INFO] Execute statement succeeded.", e);
}

/* Nothing is left of it there; of a query that still runs, not the job either. */
static void close_operation(struct fetch *f, bool cancel)
{
    struct gateway_rest *r = &f->g->rest;
    struct str answer, empty = STR("{}"), none = {0};
    char rest[256];

    r->stopped = NULL;
    if (cancel) {
        snprintf(rest, sizeof rest, "/operations/%s/cancel", f->operation);
        enum status st = gateway_rest_call(r, "POST", gateway_path(f->g, rest), empty, &answer, NULL);
        (void)st; /* it may have ended meanwhile */
    }
    snprintf(rest, sizeof rest, "/operations/%s/close", f->operation);
    enum status st = gateway_rest_call(r, "DELETE", gateway_path(f->g, rest), none, &answer, NULL);
    (void)st;
    r->stopped = &f->g->signal;
}

/* --- errors ------------------------------------------------------------------------------------------------------ */
static size_t offset_of(struct str text, unsigned line, unsigned column)
{
    size_t at = 0;

    for (unsigned l = 1; l < line && at < text.size; at++) l += text.data[at] == '\n';
    for (unsigned c = 1; c < column && at < text.size && text.data[at] != '\n'; c++) do
            at++;
        while (at < text.size && ((unsigned char)text.data[at] & 0xC0) == 0x80);
    return at;
}

/* Where in the statement the gateway's trace says that it is: the line and a caret, as for statements that run here. */
static void show_place(struct gateway *g, const struct statement_piece *p, struct err *e)
{
    const char *trace = answer_text(gateway_rest_complaint(&g->rest), &g->call_arena), *at;
    struct str statement = {p->text.data + p->from, p->text.size - p->from};
    unsigned line = 0, column = 0, line2 = 0, column2 = 0;

    if (trace == NULL || e == NULL) return;
    if ((at = strstr(trace, "From line ")) == NULL ||
        sscanf(at, "From line %u, column %u to line %u, column %u", &line, &column, &line2, &column2) != 4) {
        at = strstr(trace, " at line ");
        if (at == NULL || sscanf(at, " at line %u, column %u", &line, &column) != 2) return;
        line2 = line, column2 = column;
    }
    size_t from = offset_of(statement, line, column), to = offset_of(statement, line2, column2);
    sql_error_excerpt(e, p->text, (uint32_t)(p->from + from),
                      line == line2 && to >= from ? (uint32_t)(to - from + 1) : 1);
    if (p->source == NULL) return;
    struct text_place place = text_place_of(p->text, (uint32_t)(p->from + from));
    err_hint(e, "%s:%u:%u", p->source, p->first_line + place.line - 1, place.column);
}

/* --- one statement ----------------------------------------------------------------------------------------------- */
static struct str statement_of(const struct statement_piece *p)
{
    struct str s = str_trim((struct str){p->text.data + p->from, p->text.size - p->from});

    while (s.size > 0 && s.data[s.size - 1] == ';') s = str_trim((struct str){s.data, s.size - 1});
    return s;
}

static enum status submit(struct gateway *g, const char *where, struct str statement, struct str *answer, struct err *e)
{
    buf_clear(&g->body);
    buf_append_text(&g->body, "{\"statement\":");
    answer_quote(statement, &g->body);
    buf_append_byte(&g->body, '}');
    return gateway_rest_call(&g->rest, "POST", gateway_path(g, where), (struct str){g->body.data, g->body.size}, answer,
                             e);
}

static bool changes_configuration(struct str statement)
{
    struct str set = {statement.data, MIN(statement.size, (size_t)3)},
               reset = {statement.data, MIN(statement.size, (size_t)5)};
    return str_equal_nocase(set, STR("SET")) || str_equal_nocase(reset, STR("RESET"));
}

static enum status run_statement(struct gateway *g, const struct statement_piece *p, struct str statement,
                                 const struct sql_listener *to, struct err *e)
{
    struct fetch f = {.g = g, .to = to};
    struct str answer;

    enum status st = submit(g, "/statements", statement, &answer, e);
    if (st == E_DATA) show_place(g, p, e);
    TRY(st);
    f.operation = answer_text(answer_member(answer, "operationHandle"), &g->call_arena);
    if (f.operation == NULL) return err_set(e, E_DATA, "the gateway took the statement without a handle for it");
    f.parker = sys_parker_create(g->options.sys);
    st = fetch_all(&f, e);
    if (st == E_DATA) show_place(g, p, e);
    if (st == S_OK) st = end(&f, e);
    gateway_rows_close(&f.rows);
    sys_parker_free(g->options.sys, f.parker);
    close_operation(&f, st != S_OK && !f.is_done);
    if (st == S_OK && changes_configuration(statement)) st = gateway_refresh(g, e);
    return st;
}

enum status gateway_run(struct statement_executor *x, const struct statement_piece *p, const struct sql_listener *to,
                        struct err *e)
{
    struct gateway *g = gateway_of(x);
    struct str statement = statement_of(p), answer;
    enum status st;

    sys_atomic_store(&g->signal, SYS_SIGNAL_NONE);
    if (statement.size == 0) return S_OK;
    if (p->is_init) {
        st = submit(g, "/configure-session", statement, &answer, e);
        if (st == E_DATA) show_place(g, p, e);
        if (st == S_OK && changes_configuration(statement)) st = gateway_refresh(g, e);
        if (st == S_OK) st = to->said(to->arg, "[INFO] Execute statement succeeded.", e);
    } else {
        st = run_statement(g, p, statement, to, e);
    }
    arena_release(&g->call_arena);
    arena_init(&g->call_arena, &g->mem, 0);
    return st;
}
