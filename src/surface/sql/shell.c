/* shell.c - running pieces of a text, saying what went wrong, and the loop that reads from a terminal.
 *
 * A piece is cut from its text together with the beginning of its line, so that a position in an error is that of the file. A
 * signal stops the statement that runs; in a script also the script, at a prompt only SIGTERM ends the shell. */
#include "surface/sql/shell.h"

#include "ground/base/str.h"
#include "surface/api/api.h"
#include "surface/sql/shell_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLUE "\033[34;1m"
#define PLAIN "\033[0m"

enum { LINE_MAX_BYTES = 4096 };

/* --- life -------------------------------------------------------------------------------------------------------- */
struct shell *shell_create(const struct shell_options *o)
{
    struct mem mem;

    mem_init(&mem, "shell", 0);
    struct shell *s = mem_zalloc(&mem, sizeof *s);
    mem_init(&s->mem, "shell", 0);
    mem_move(&mem, &s->mem);
    s->sys = o->sys;
    s->options = *o;
    s->chosen = o->view;
    s->executor = o->executor;
    view_init(&s->view, o->sys, s->executor->ops->zone(s->executor), &s->mem);
    s->view.is_terminal = sys_is_terminal(o->sys, 1);
    buf_init(&s->typed, &s->mem);
    return s;
}

void shell_free(struct shell *s)
{
    struct mem mem;

    if (s == NULL) return;
    view_release(&s->view);
    buf_release(&s->typed);
    sys_file_close(s->sys, s->once);
    mem_init(&mem, "shell", 0);
    mem_move(&s->mem, &mem);
    mem_release(&mem);
}

/* --- saying ------------------------------------------------------------------------------------------------------ */
static void put_out(struct shell *s, int fd, const struct buf *text)
{
    struct sys_file *f;

    if (sys_file_standard(s->sys, fd, &f, NULL) != S_OK) return;
    enum status st = sys_file_write(s->sys, f, text->data, text->size, NULL);
    (void)st; /* nobody is left to be told */
    sys_file_close(s->sys, f);
}

void shell_say(struct shell *s, const char *format, ...)
{
    char line[1024];
    struct buf text;
    va_list args;

    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buf_init(&text, &s->mem);
    buf_append(&text, line, MIN((size_t)MAX(size, 0), sizeof line - 1));
    put_out(s, 1, &text);
    buf_release(&text);
}

static void say_error(struct shell *s, const char *head, const struct err *e)
{
    int fd = s->options.as_client || s->is_interactive ? 1 : 2;
    struct buf text;

    buf_init(&text, &s->mem);
    buf_append_text(&text, head);
    api_print_error(NULL, e, sys_has_color(s->sys, fd), api_error_columns(s->sys, fd), &text);
    put_out(s, fd, &text);
    buf_release(&text);
}

void shell_say_error(struct shell *s, const struct err *e)
{
    say_error(s, "[ERROR] Could not execute SQL statement. Reason:\n", e);
}

/* --- jobs in the background --------------------------------------------------------------------------------------- */
/* Says of jobs that have failed since it was asked last: the status of one; S_OK: there is none. */
static enum status tell_failed(struct shell *s)
{
    struct sql_failed_job j;
    enum status st = S_OK;
    char head[128] = "[ERROR] Could not execute SQL statement. Reason:\n";

    while (s->executor->ops->failed != NULL && s->executor->ops->failed(s->executor, &j)) {
        if (s->is_interactive) snprintf(head, sizeof head, "[ERROR] Job %s failed. Reason:\n", j.id);
        say_error(s, head, j.why);
        if (s->is_interactive) shell_say(s, "\n");
        st = j.why->status;
    }
    return st;
}

static void say_leaving(struct shell *s, uint32_t left)
{
    if (left == 1) shell_say(s, "[INFO] 1 job is still running: the shell ends with it; ctrl-c cancels it.\n");
    else if (left > 1)
        shell_say(s, "[INFO] %u jobs are still running: the shell ends with them; ctrl-c cancels them.\n", left);
}

/* The process ends when its last job has. st: what became of the statements; behind a failure nobody waits for jobs without an end. */
static enum status finish_jobs(struct shell *s, enum status st)
{
    const struct statement_executor_ops *ops = s->executor->ops;
    bool is_stopped = st == E_CANCELED || ops->signal(s->executor) == SYS_SIGNAL_TERM;
    enum sql_finish how = is_stopped ? SQL_FINISH_CANCEL : st != S_OK && st != S_END ? SQL_FINISH_ENDING : SQL_FINISH_WAIT;
    enum status over = S_OK, failed = S_OK, one;
    struct err e = {0};

    if (ops->finish == NULL) return st;
    if (s->is_interactive && !is_stopped) say_leaving(s, ops->running(s->executor));
    do {
        over = ops->finish(s->executor, how, &e);
        if ((one = tell_failed(s)) != S_OK) failed = one;
    } while (over == S_OK && ops->running(s->executor) > 0);
    if (over == E_CANCELED && s->is_interactive) shell_say(s, "[INFO] Jobs were cancelled.\n");
    else if (over != S_OK) shell_say_error(s, &e);
    if (st != S_OK && st != S_END) return st;
    return over != S_OK ? over : failed != S_OK && !s->is_interactive ? failed : st;
}

/* --- one statement ----------------------------------------------------------------------------------------------- */
/* A key's whole number, at least 1; it stays what it was where the key says none. */
static int64_t number_of(struct shell *s, const char *key, int64_t before)
{
    const char *text = s->executor->ops->get(s->executor, key);
    int64_t value;

    return text != NULL && str_to_int64(str_of(text), &value) ? MAX(value, INT64_C(1)) : before;
}

static const struct view_type *view_of(struct shell *s)
{
    s->view.rows_max = (uint64_t)number_of(s, "sql-client.execution.max-table-result.rows", (int64_t)s->view.rows_max);
    s->view.width_max = (uint32_t)MIN(number_of(s, "table.display.max-column-width", s->view.width_max), INT64_C(10000));
    if (s->chosen != NULL) return s->chosen;
    const char *mode = s->executor->ops->get(s->executor, "sql-client.execution.result-mode");
    const struct view_type *view = mode != NULL ? view_find(mode) : NULL;
    if (view != NULL) return view;
    return s->view.is_terminal && s->is_interactive ? &view_live : &view_tableau;
}

static const char *const shell_words[] = {"QUIT", "EXIT", "CLEAR", "HELP"};

static enum status shell_word(struct shell *s, const struct shell_word *w)
{
    enum { QUIT, EXIT, CLEAR };

    if (w->start == QUIT || w->start == EXIT) return S_END;
    if (w->start != CLEAR) shell_help(s);
    else if (s->view.is_terminal) shell_say(s, "\033[H\033[2J\033[3J");
    return S_OK;
}

/* QUIT and its like are the shell's own; whatever else begins so is told apart by reading it. */
static bool takes_word(struct shell *s, struct str piece, struct arena *a, enum status *answer)
{
    struct statement st;
    struct tokens t;
    uint32_t at = 0;
    bool fits = false;

    for (size_t i = 0; i < COUNT_OF(shell_words); i++) {
        struct str word = str_of(shell_words[i]);
        fits |= piece.size >= word.size && str_equal_nocase(word, (struct str){piece.data, word.size});
    }
    if (!fits || tokens_cut(&t, piece, NULL, a, NULL) != S_OK || statement_parse(&t, &at, a, &st, NULL) != S_OK || st.type != &st_shell)
        return false;
    *answer = shell_word(s, st.body);
    return true;
}

/* Where the line begins; of a line too long to be cut anew for each of its statements, the place itself. */
static size_t line_start(struct str text, size_t at)
{
    for (size_t line = at; at - line < LINE_MAX_BYTES; line--)
        if (line == 0 || text.data[line - 1] == '\n') return line;
    return at;
}

/* Counts on from where it stopped in this text. */
static uint32_t line_number(struct shell *s, struct str text, size_t at)
{
    if (s->counted != text.data || s->counted_bytes > at) s->counted_bytes = s->counted_lines = 0;
    s->counted = text.data;
    for (; s->counted_bytes < at; s->counted_bytes++) s->counted_lines += text.data[s->counted_bytes] == '\n';
    return s->counted_lines + 1;
}

static struct statement_piece piece_of(struct shell *s, struct str text, const struct shell_piece *p, const char *source)
{
    size_t line = line_start(text, p->from);

    return (struct statement_piece){.text = {text.data + line, p->to - line},
                                    .from = p->from - line,
                                    .source = source,
                                    .first_line = line_number(s, text, line),
                                    .is_init = s->is_init};
}

static enum status run_statement(struct shell *s, struct str text, const struct shell_piece *p, const char *source, struct err *e)
{
    struct sql_listener to = view_listener(&s->view);
    struct statement_piece piece = piece_of(s, text, p, source);

    s->view.type = view_of(s);
    s->view.file = s->once;
    s->view.has_ended = s->view.is_planned = false;
    s->view.says_waits = s->is_interactive;
    if (s->is_interactive) (void)sys_keys_open(s->sys); /* what is typed meanwhile would stand among the rows */
    enum status st = s->executor->ops->run(s->executor, &piece, &to, e);
    view_abandon(&s->view);
    sys_keys_close(s->sys);
    if (s->editor != NULL) s->options.editor->push(s->editor, (struct str){s->view.typed.data, s->view.typed.size});
    buf_clear(&s->view.typed);
    s->view.file = NULL;
    if (s->once != NULL && s->view.has_ended) {
        sys_file_close(s->sys, s->once);
        s->once = NULL;
    }
    return st;
}

/* What a person sees of a statement that a file brings, as if it were typed. */
static void echo(struct shell *s, struct str piece)
{
    struct str rest = piece, line;
    const char *prompt = "Flink SQL> ";

    for (; str_cut(&rest, '\n', &line); prompt = "> ") shell_say(s, "%s%.*s\n", prompt, (int)MIN(line.size, (size_t)900), line.data);
}

enum status shell_run_piece(struct shell *s, struct str text, const struct shell_piece *p, const char *source, struct err *e)
{
    struct str piece = {text.data + p->from, p->to - p->from};
    int64_t from = sys_mono_ns(s->sys);
    struct arena arena;
    enum status st;

    if (s->options.as_client && !s->is_interactive) echo(s, piece);
    sys_signal_forget(s->sys);
    if (p->is_command) {
        st = shell_command(s, piece, e);
    } else {
        arena_init(&arena, &s->mem, 0);
        if (!takes_word(s, piece, &arena, &st)) st = run_statement(s, text, p, source, e);
        arena_release(&arena);
        if (s->is_timed && st == S_OK) shell_say(s, "Time: %.3f ms\n", (double)(sys_mono_ns(s->sys) - from) / 1e6);
    }
    if (st == S_OK && (s->is_interactive || s->options.as_client) && !s->is_within_command) shell_say(s, "\n");
    return st;
}

/* --- scripts ----------------------------------------------------------------------------------------------------- */
/* The mistakes that the rest of a script has in its text, so that it need not be started once for each. */
static void check_rest(struct shell *s, struct str text, size_t at, const char *source, struct err *e)
{
    struct shell_piece p;
    enum status failed = S_OK, st = s->executor->ops->check != NULL ? err_go_on(e, e->status, &failed) : S_END;

    while (st == S_OK && shell_cut(text, at, &p)) {
        struct statement_piece piece = piece_of(s, text, &p, source);
        at = p.to;
        if (p.is_command) continue;
        st = s->executor->ops->check(s->executor, &piece, e);
        if (st != S_END) st = err_go_on(e, st, &failed);
    }
    err_gather(e);
}

enum status shell_run(struct shell *s, struct str text, const char *source)
{
    struct shell_piece p = {0};
    struct err e = {.more = &s->others};
    enum status st = S_OK;

    s->others.count = 0;

    if (s->options.as_client && !s->is_init) shell_say(s, "[INFO] Executing SQL from file.\n\n");
    while (st == S_OK && shell_cut(text, p.to, &p)) st = shell_run_piece(s, text, &p, source, &e);
    if (st != S_OK && st != S_END && st != E_CANCELED) check_rest(s, text, p.to, source, &e);
    if (st != S_OK && st != S_END) shell_say_error(s, &e);
    if (!s->is_init) st = finish_jobs(s, st);
    if (s->options.as_client && !s->is_init) shell_say(s, "\nShutting down the session...\ndone.\n");
    return st;
}

enum status shell_run_init(struct shell *s, struct str text, const char *source)
{
    s->is_init = true;
    enum status st = shell_run(s, text, source);
    s->is_init = false;
    return st;
}

/* --- a person ---------------------------------------------------------------------------------------------------- */
static void say_canceled(struct shell *s) { shell_say(s, "[INFO] The statement was cancelled.\n\n"); }

/* QUIT and its like are meant without their semicolon, too. */
static bool is_word_alone(struct str text, const struct shell_piece *p)
{
    struct str said = str_trim((struct str){text.data + p->from, p->to - p->from});

    for (size_t i = 0; i < COUNT_OF(shell_words); i++)
        if (str_equal_nocase(said, str_of(shell_words[i]))) return true;
    return false;
}

/* Runs what is whole of the lines typed; the rest waits for more. */
static enum status run_typed(struct shell *s, struct sys_editor *ed)
{
    struct str text = {s->typed.data, s->typed.size};
    struct shell_piece p = {0};
    size_t done = 0;
    bool more;

    s->counted = NULL;
    while ((more = shell_cut(text, done, &p)) && (p.is_whole || is_word_alone(text, &p))) {
        struct err e = {.more = &s->others};
        s->others.count = 0;
        struct str piece = str_trim((struct str){text.data + p.from, p.to - p.from});
        char *said = mem_zalloc(&s->mem, piece.size + 1);
        memcpy(said, piece.data, piece.size);
        s->options.editor->remember(ed, said);
        mem_free(&s->mem, said);
        enum status st = shell_run_piece(s, text, &p, NULL, &e);
        done = p.to;
        if (st == S_END || s->executor->ops->signal(s->executor) == SYS_SIGNAL_TERM) return S_END;
        if (st == E_CANCELED) say_canceled(s);
        else if (st != S_OK) {
            shell_say_error(s, &e);
            shell_say(s, "\n");
        }
    }
    if (!more) done = text.size;
    memmove(s->typed.data, s->typed.data + done, s->typed.size - done);
    s->typed.size -= done;
    return S_OK;
}

static void welcome(struct shell *s)
{
    bool color = sys_has_color(s->sys, 1);

    shell_say(s, "%sThalweg SQL%s " THALWEG_VERSION ", Flink's dialect. HELP; lists commands, tab completes.\n\n",
              color ? BLUE : "", color ? PLAIN : "");
}

static void stop_statement(void *arg)
{
    struct shell *s = arg;

    s->executor->ops->stop(s->executor);
}

enum status shell_interact(struct shell *s, struct err *e)
{
    struct sys_editor_hooks hooks = {.arg = s, .complete = shell_complete};
    struct sys_editor *ed = NULL;
    struct buf line;
    enum status st = S_OK;

    TRY(s->options.editor->open(s->sys, &hooks, s->options.history, &ed, e));
    s->is_interactive = true;
    s->editor = ed;
    s->view.stop = stop_statement;
    s->view.stop_arg = s;
    welcome(s);
    buf_init(&line, &s->mem);
    while (st == S_OK) {
        sys_signal_forget(s->sys);
        (void)tell_failed(s);
        st = s->options.editor->read(ed, s->typed.size == 0 ? "Flink SQL> " : "> ", &line);
        if (st == E_CANCELED) {
            buf_clear(&s->typed);
            st = S_OK;
        } else if (st == S_OK) {
            buf_append(&s->typed, line.data, line.size);
            buf_append_byte(&s->typed, '\n');
            st = run_typed(s, ed);
        }
    }
    buf_release(&line);
    s->options.editor->close(ed);
    s->editor = NULL;
    s->view.stop = NULL;
    st = finish_jobs(s, st);
    return st == S_END ? S_OK : st;
}
