/* shell_commands.c - commands of the shell: a line that begins with \ or with a dot. One line of the table each. */
#include "surface/sql/shell_internal.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { WATCH_LOOK_MS = 50, WATCH_SECONDS_MAX = 24 * 3600, PATH_MAX_BYTES = 4096 };

static enum status run_text(struct shell *s, const char *text, struct err *e)
{
    struct shell_piece p = {.to = strlen(text), .is_whole = true};
    bool client = s->options.as_client;

    s->options.as_client = false; /* no echo */
    s->is_within_command = true;
    enum status st = shell_run_piece(s, str_of(text), &p, NULL, e);
    s->is_within_command = false;
    s->options.as_client = client;
    return st;
}

static enum status refuse(struct err *e, const struct shell_command_type *c, const char *what)
{
    err_set(e, E_CONFIG, "%s: %s", c->name, what);
    err_hint(e, "write %s %s", c->name, c->arguments);
    return E_CONFIG;
}

static const struct shell_command_type *command_find(struct str name)
{
    for (const struct shell_command_type *c = shell_commands; c->name != NULL; c++)
        if (str_equal(str_of(c->name), name)) return c;
    return NULL;
}

/* --- each -------------------------------------------------------------------------------------------------------- */
static enum status describe(struct shell *s, struct str name, struct err *e)
{
    char text[1024];

    if (name.size == 0) return run_text(s, "SHOW TABLES;", e);
    snprintf(text, sizeof text, "DESCRIBE %.*s;", (int)MIN(name.size, (size_t)900), name.data);
    return run_text(s, text, e);
}

static enum status mode(struct shell *s, struct str name, struct err *e)
{
    const char *names[32];
    char text[32];
    uint32_t count = 0;

    snprintf(text, sizeof text, "%.*s", (int)MIN(name.size, sizeof text - 1), name.data);
    const struct view_type *view = view_find(text);
    if (view != NULL) s->chosen = view;
    if (view != NULL || name.size == 0) {
        if (name.size == 0)
            for (uint32_t i = 0; view_types[i] != NULL; i++) shell_say(s, "  %-10s %s\n", view_types[i]->name, view_types[i]->doc);
        return S_OK;
    }
    while (view_types[count] != NULL && count < COUNT_OF(names)) {
        names[count] = view_types[count]->name;
        count++;
    }
    int near = str_nearest(name, names, count);
    err_set(e, E_CONFIG, ".mode: there is no mode '%s'%s%s%s", text, near >= 0 ? "; did you mean '" : "", near >= 0 ? names[near] : "",
            near >= 0 ? "'?" : "");
    err_hint(e, ".mode alone lists them");
    return E_CONFIG;
}

static enum status expanded(struct shell *s, struct str argument, struct err *e)
{
    const struct view_type *line = view_find("line");
    bool is_on = s->chosen != line;

    (void)argument, (void)e;
    if (is_on) s->narrow = s->chosen;
    s->chosen = is_on ? line : s->narrow;
    shell_say(s, "Expanded display is %s.\n", is_on ? "on" : "off");
    return S_OK;
}

static enum status timing(struct shell *s, struct str argument, struct err *e)
{
    (void)argument, (void)e;
    s->is_timed = !s->is_timed;
    shell_say(s, "Timing is %s.\n", s->is_timed ? "on" : "off");
    return S_OK;
}

static enum status once(struct shell *s, struct str path, struct err *e)
{
    char text[PATH_MAX_BYTES];

    if (path.size == 0 || path.size >= sizeof text) return refuse(e, command_find(STR(".once")), "the name of a file is expected");
    snprintf(text, sizeof text, "%.*s", (int)path.size, path.data);
    sys_file_close(s->sys, s->once);
    s->once = NULL;
    TRY(sys_file_open(s->sys, text, SYS_WRITE | SYS_CREATE | SYS_TRUNCATE, &s->once, e));
    if (s->is_interactive) shell_say(s, "The next result goes to '%s'.\n", text);
    return S_OK;
}

/* False: somebody wants it to end. */
static bool wait_seconds(struct shell *s, double seconds)
{
    struct sys_parker *p = sys_parker_create(s->sys);
    int64_t until = sys_mono_ns(s->sys) + (int64_t)(seconds * 1e9);
    bool goes_on = true;

    while (goes_on && sys_mono_ns(s->sys) < until) {
        sys_park(s->sys, p, MIN(until - sys_mono_ns(s->sys), INT64_C(1000000) * WATCH_LOOK_MS));
        goes_on = sys_signal_take(s->sys) == SYS_SIGNAL_NONE;
    }
    sys_parker_free(s->sys, p);
    return goes_on;
}

static enum status watch(struct shell *s, struct str argument, struct err *e)
{
    struct str rest = argument, head;
    double seconds = 0;
    enum status st;

    str_cut(&rest, ' ', &head);
    if (!str_to_double(head, &seconds) || seconds <= 0 || seconds > WATCH_SECONDS_MAX || str_trim(rest).size == 0)
        return refuse(e, command_find(STR("\\watch")), "seconds and a statement are expected");
    char *text = mem_zalloc(&s->mem, rest.size + 1);
    memcpy(text, rest.data, rest.size);
    while ((st = run_text(s, text, e)) == S_OK && wait_seconds(s, seconds)) shell_say(s, s->is_interactive ? "\n" : "");
    mem_free(&s->mem, text);
    return st;
}

static enum status help(struct shell *s, struct str argument, struct err *e)
{
    (void)argument, (void)e;
    shell_help(s);
    return S_OK;
}

static enum status leave(struct shell *s, struct str argument, struct err *e)
{
    (void)s, (void)argument, (void)e;
    return S_END;
}

const struct shell_command_type shell_commands[] = {
    {"\\d", "[TABLE]", "the tables of the database, or the columns of one", describe},
    {"\\x", "", "a line a value, and back", expanded},
    {"\\timing", "", "how long each statement took, and back", timing},
    {"\\watch", "SECONDS STATEMENT", "runs it again and again until ctrl-c", watch},
    {".mode", "[NAME]", "how results look; alone: the modes", mode},
    {".once", "FILE", "the next result goes to that file", once},
    {"\\q", "", "leaves", leave},
    {"\\?", "", "this list", help},
    {0},
};

/* --- finding one ------------------------------------------------------------------------------------------------- */
enum status shell_command(struct shell *s, struct str line, struct err *e)
{
    const char *names[16];
    struct str rest = line, name;
    uint32_t count = 0;

    while (line.size > 0 && (line.data[line.size - 1] == '\r' || line.data[line.size - 1] == ' ')) line.size--;
    rest = line;
    str_cut(&rest, ' ', &name);
    if (name.size > 0 && name.data[name.size - 1] == ';') name.size--;
    const struct shell_command_type *c = command_find(name);
    if (c != NULL) {
        rest = str_trim(rest);
        if (c->run != watch && rest.size > 0 && rest.data[rest.size - 1] == ';') rest.size--;
        return c->run(s, rest, e);
    }
    for (; shell_commands[count].name != NULL && count < COUNT_OF(names); count++) names[count] = shell_commands[count].name;
    int near = str_nearest(name, names, count);
    err_set(e, E_CONFIG, "there is no command %.*s%s%s%s", (int)MIN(name.size, (size_t)100), name.data, near >= 0 ? ", did you mean " : "",
            near >= 0 ? names[near] : "", near >= 0 ? "?" : "");
    err_hint(e, "HELP; lists them");
    return E_CONFIG;
}

void shell_help(struct shell *s)
{
    shell_say(s, "Statements end with ';' and may have several lines. Beside those of SQL:\n"
                 "  QUIT, EXIT         leaves\n"
                 "  CLEAR              clears the screen\n"
                 "  HELP               this list\n"
                 "  SET 'key' = 'val'  sets a key of the session; SET alone shows what is set,\n"
                 "                     RESET takes it back\n"
                 "Keys: tab completes, ctrl-r searches what was typed before, ctrl-c stops a query\n"
                 "or gives a line up; while a table grows q and Escape leave it, arrows, PgUp,\n"
                 "PgDn, g and G page. Commands, which end with their line:\n");
    for (const struct shell_command_type *c = shell_commands; c->name != NULL; c++) {
        char call[64];
        snprintf(call, sizeof call, "%s %s", c->name, c->arguments);
        shell_say(s, "  %-26s %s\n", call, c->doc);
    }
}
