/* execute.c - the records of a file in one mode: one session, statement after statement, as `thalweg sql` runs them. What comes is
 * kept as the text of its cells; a job that fails keeps its error, and the session goes on. A file with a clock runs in the simulated
 * world, where each statement begins at that time. */
#include "sqltest.h"

#include "columns/column/sql_text.h"
#include "ground/base/str.h"
#include "sim/world.h"
#include "surface/sql/session.h"

#include <stdio.h>
#include <string.h>

enum { LOOKS_MAX = 1000000 }; /* a feed may advance by hours */

#define STREAMING(rows) "thalweg.exec.batch-rows", rows, "execution.runtime-mode", "streaming", "parallelism.default"

#define BATCH(rows) "thalweg.exec.batch-rows", rows, "execution.runtime-mode", "batch", "parallelism.default"

/* Nothing stays in memory longer than a batch: all state goes through the map on disk. */
#define ROCKSDB "state.backend.type", "rocksdb", "thalweg.state.memory", "1 b"

const struct mode modes[MODES] = {
    {"streaming p1 full", {STREAMING("2048"), "1"}, NULL}, {"streaming p1 one", {STREAMING("1"), "1"}, NULL},
    {"streaming p4 full", {STREAMING("2048"), "4"}, NULL}, {"streaming p4 one", {STREAMING("1"), "4"}, NULL},
    {"batch p1 full", {BATCH("2048"), "1"}, NULL},         {"batch p1 one", {BATCH("1"), "1"}, NULL},
    {"batch p4 full", {BATCH("2048"), "4"}, NULL},         {"batch p4 one", {BATCH("1"), "4"}, NULL},
    {"streaming p1 rocksdb", {STREAMING("16"), "1", ROCKSDB}, NULL}};

/* One of the words of a mode's name. */
static bool has_word(const struct mode *m, struct str word)
{
    struct str rest = str_of(m->name), head;

    while (str_cut(&rest, ' ', &head))
        if (str_equal(head, word)) return true;
    return false;
}

bool mode_is(const struct mode *m, const char *words)
{
    struct str rest = str_of(words), head;

    while (str_cut(&rest, ' ', &head))
        if (!has_word(m, head)) return false;
    return true;
}

bool mode_exists(const char *words)
{
    for (uint32_t i = 0; i < MODES && words[0] != '\0'; i++)
        if (mode_is(&modes[i], words)) return true;
    return false;
}

/* --- what comes, as text ----------------------------------------------------------------------------------------- */
struct keeper {
    struct arena *a;
    struct answer *out;
    struct buf cell;
};

/* 'a\'b' where the bare text could be taken for something else. */
static const char *quoted(struct keeper *k, bool is_text)
{
    struct str s = {k->cell.data, k->cell.size};
    struct buf out;
    bool plain = s.size > 0 && s.data[0] != '\'' && s.data[0] != ' ' && s.data[s.size - 1] != ' ' &&
                 memmem(s.data, s.size, " | ", 3) == NULL && !(is_text && str_equal(s, STR("NULL")));

    for (size_t i = 0; i < s.size; i++) plain = plain && (unsigned char)s.data[i] >= ' ' && s.data[i] != '\\';
    if (plain) return arena_strndup(k->a, s.data, s.size);
    buf_init(&out, k->a->mem);
    buf_append_byte(&out, '\'');
    for (size_t i = 0; i < s.size; i++) {
        if ((unsigned char)s.data[i] < ' ')
            buf_printf(&out, "\\x%02x", (unsigned char)s.data[i]);
        else if (s.data[i] == '\\' || s.data[i] == '\'')
            buf_printf(&out, "\\%c", s.data[i]);
        else
            buf_append_byte(&out, s.data[i]);
    }
    buf_append_byte(&out, '\'');
    const char *text = arena_strndup(k->a, out.data, out.size);
    buf_release(&out);
    return text;
}

static const char *cell_text(struct keeper *k, const struct vector *v, uint32_t row)
{
    if (vector_is_null(v, row)) return "NULL";
    buf_clear(&k->cell);
    if (v->type->kind != T_BINARY && v->type->kind != T_VARBINARY) {
        sql_text_print(v, row, 0, &k->cell);
        return quoted(k, v->type->kind == T_CHAR || v->type->kind == T_VARCHAR);
    }
    struct str s = text_str(&VECTOR_VALUES(v, struct text)[vector_at(v, row)]);
    buf_append_text(&k->cell, "x'");
    for (size_t i = 0; i < s.size; i++) buf_printf(&k->cell, "%02x", (unsigned char)s.data[i]);
    buf_append_byte(&k->cell, '\'');
    return arena_strndup(k->a, k->cell.data, k->cell.size);
}

static enum status on_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    struct keeper *k = arg;
    struct answer *out = k->out;

    (void)is_changelog;
    (void)e;
    out->column_count = row->child_count;
    out->names = ARENA_ARRAY(k->a, const char *, MAX(row->child_count, 1u));
    out->is_float = ARENA_ARRAY(k->a, bool, MAX(row->child_count, 1u));
    buf_clear(&k->cell);
    for (uint32_t i = 0; i < row->child_count; i++) {
        out->names[i] = arena_strdup(k->a, row->names[i]);
        out->is_float[i] = row->children[i]->kind == T_FLOAT || row->children[i]->kind == T_DOUBLE;
        buf_printf(&k->cell, "%s%s ", i > 0 ? ", " : "(", row->names[i]);
        type_print(row->children[i], &k->cell);
    }
    buf_append_byte(&k->cell, ')');
    out->header = arena_strndup(k->a, k->cell.data, k->cell.size);
    return S_OK;
}

static enum status on_rows(void *arg, const struct batch *b, struct err *e)
{
    struct keeper *k = arg;
    struct answer *out = k->out;

    (void)e;
    BATCH_EACH(b, i, row)
    {
        if (out->row_count == out->capacity) {
            out->capacity = MAX(out->capacity * 2, 64u);
            struct answer_row *grown = ARENA_ARRAY(k->a, struct answer_row, out->capacity);
            if (out->row_count > 0) memcpy(grown, out->rows, sizeof *grown * out->row_count);
            out->rows = grown;
        }
        const char **cells = ARENA_ARRAY(k->a, const char *, MAX(out->column_count, 1u));
        for (uint32_t c = 0; c < out->column_count; c++) cells[c] = cell_text(k, &b->cols[c], row);
        out->rows[out->row_count++] = (struct answer_row){(uint8_t)batch_kind(b, row), cells};
    }
    return S_OK;
}

static enum status on_end(void *arg, struct err *e) { return (void)arg, (void)e, S_OK; }
static enum status on_said(void *arg, const char *text, struct err *e) { return (void)arg, (void)text, (void)e, S_OK; }

/* --- errors ------------------------------------------------------------------------------------------------------ */
/* As the client prints it; which subtask of how many met it is left out. */
static const char *error_text(struct arena *a, const struct err *e)
{
    char *text = arena_printf(a, "%s%s%s%s%s", e->text, e->hint[0] != '\0' ? "; " : "", e->hint,
                              e->excerpt[0] != '\0' ? "\n" : "", e->excerpt);
    for (uint32_t i = 0; e->more != NULL && i < e->more->count; i++)
        text = arena_printf(a, "%s\n%s", text, error_text(a, &e->more->items[i]));
    char *at = strstr(text, " (subtask "), *end = at != NULL ? strchr(at, ')') : NULL;

    if (end != NULL) memmove(at, end + 1, strlen(end + 1) + 1);
    return text;
}

/* --- running ----------------------------------------------------------------------------------------------------- */
static void run_text(struct sql_session *session, const char *sql, struct arena *a, struct answer *out)
{
    struct keeper k = {.a = a, .out = out};
    struct sql_listener to = {.arg = &k, .begin = on_begin, .rows = on_rows, .end = on_end, .said = on_said};
    struct tokens t;
    struct statement st;
    struct err e = {.more = ARENA_NEW(a, struct err_list)};

    buf_init(&k.cell, a->mem);
    out->ran = true;
    enum status status = statement_parse_one(str_of(sql), a, &t, &st, &e);
    if (status == S_OK) status = sql_session_run(session, &t, &st, &to, &e);
    if (status != S_OK) {
        out->failed = true;
        out->error = error_text(a, &e);
    }
    buf_release(&k.cell);
}

/* Its file has the name of the test file and of the table: several folders of tests run side by side. */
static void run_feed(struct sql_session *session, const struct script *s, struct sys *sys, const struct record *r, struct answer *out)
{
    const char *statements[FEED_STATEMENTS];
    struct err e = {0};
    char *name = arena_printf(s->a, "%s.%s.csv", s->path, r->feed);

    for (char *c = name; *c != '\0'; c++)
        if (*c == '/') *c = '_';
    out->ran = true;
    if (feed_make(s, sys, r, arena_printf(s->a, "%s/%s", s->feeds, name), statements, &e) != S_OK) {
        out->failed = true;
        out->error = error_text(s->a, &e);
    }
    for (uint32_t i = 0; !out->failed && i < FEED_STATEMENTS; i++) run_text(session, statements[i], s->a, out);
}

struct script_run {
    const struct script *s;
    const struct mode *m;
    struct sys *sys;
    struct sim_world *world; /* NULL: the real one */
    struct answer *out;
};

static void execute(void *arg)
{
    struct script_run *x = arg;
    struct sql_session *session = sql_session_create(&(struct sql_session_options){.sys = x->sys});
    int64_t now_ns = x->world != NULL ? x->world->now_ns : 0;

    for (uint32_t i = 0; x->m->config[i] != NULL; i += 2)
        config_set(sql_session_config(session), x->m->config[i], x->m->config[i + 1]);
    config_set(sql_session_config(session), "table.dml-sync", "true"); /* unless a file says otherwise */
    for (uint32_t i = 0; i < x->s->count; i++) {
        const struct record *r = &x->s->records[i];
        x->out[i] = (struct answer){0};
        if (record_skips(r, x->m) != NULL) continue;
        if (x->world != NULL && sql_session_running(session) == 0) x->world->now_ns = now_ns; /* nobody sees it go back */
        if (r->verb == VERB_FEED) run_feed(session, x->s, x->sys, r, &x->out[i]);
        else run_text(session, r->sql, x->s->a, &x->out[i]);
    }
    sql_session_free(session);
}

/* Time is made up, threads are turns of one: it goes on when all wait for it. */
static void execute_in_world(const struct script *s, const struct mode *m, struct answer *out)
{
    struct sim_world *w = sim_world_create(1, true);
    struct script_run x = {s, m, &w->sys, w, out};
    struct buf report;
    struct err e = {0};
    int64_t ms;

    buf_init(&report, s->a->mem);
    bool known = clock_read(str_of(s->clock), &ms);
    ASSERT(known); /* script.c has looked */
    w->now_ns = ms * 1000000;
    w->looks_max = LOOKS_MAX;
    enum status st = sys_dir_make(&w->sys, s->feeds, &e);
    ASSERT(st == S_OK);
    if (sim_world_run(w, execute, &x, &report) != SIM_FINISHED) printf("%s: %s", s->path, buf_text(&report));
    buf_release(&report);
    sim_world_free(w);
}

void script_execute(const struct script *s, struct sys *sys, const struct mode *m, struct answer *out)
{
    struct script_run x = {s, m, sys, NULL, out};

    if (s->clock != NULL) execute_in_world(s, m, out);
    else execute(&x);
}
