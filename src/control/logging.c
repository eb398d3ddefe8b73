/* logging.c - the sink of a node's log lines. Any thread may write: a line goes out in one call, so lines do not mix.
 *
 * To a file, lines are appended; one that would make it longer than thalweg.log.max-bytes begins a new file: FILE.1 becomes
 * FILE.2 and so on, FILE becomes FILE.1, what is beyond thalweg.log.files goes. The lock is held during that and during the
 * write: log lines are rare, and the numbers must be right. A file that can no longer be written ends with one sentence on
 * standard error, where the lines go from then on: a full disk for logs is no reason to end a job. */
#include "control/logging.h"

#include "control/config.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES_MAX = 4096, LINE_BYTES_MAX = 4096 };
#define WIPE "\r\033[K"

/* --- standard error ------------------------------------------------------------------------------------------------------- */
static void say(struct logging *l, const char *line, size_t size)
{
    char text[LINE_BYTES_MAX];
    struct sys_file *f;

    ASSERT(size + sizeof WIPE + 1 < sizeof text);
    if (sys_file_standard(l->sys, 2, &f, NULL) != S_OK) return;
    size_t used = sys_line_is_live(l->sys) && sys_is_terminal(l->sys, 2) ? sizeof WIPE - 1 : 0;
    memcpy(text, WIPE, used);
    memcpy(text + used, line, size);
    text[used + size] = '\n';
    enum status st = sys_file_write(l->sys, f, text, used + size + 1, NULL);
    (void)st; /* nobody is left to be told */
    sys_file_close(l->sys, f);
}

/* --- a file --------------------------------------------------------------------------------------------------------------- */
static void name_of(const struct logging *l, uint32_t number, char out[static PATH_BYTES_MAX])
{
    if (number == 0)
        snprintf(out, PATH_BYTES_MAX, "%s", l->path);
    else
        snprintf(out, PATH_BYTES_MAX, "%s.%u", l->path, number);
}

static enum status rotate(struct logging *l, struct err *e)
{
    char from[PATH_BYTES_MAX], to[PATH_BYTES_MAX];
    struct sys_stat st;

    sys_file_close(l->sys, l->file);
    l->file = NULL;
    for (uint32_t i = l->kept; i > 0; i--) {
        name_of(l, i - 1, from);
        name_of(l, i, to);
        if (sys_file_stat(l->sys, from, &st, NULL) == S_OK) TRY(sys_file_rename_over(l->sys, from, to, e));
    }
    l->size = 0;
    return sys_file_open(l->sys, l->path, SYS_WRITE | SYS_CREATE | SYS_APPEND | (l->kept == 0 ? SYS_TRUNCATE : 0),
                         &l->file, e);
}

static enum status append(struct logging *l, const char *line, size_t size, struct err *e)
{
    char text[LINE_BYTES_MAX];

    ASSERT(size < sizeof text);
    if (l->size > 0 && l->size + (int64_t)size + 1 > l->size_max) TRY(rotate(l, e));
    memcpy(text, line, size);
    text[size] = '\n';
    TRY(sys_file_write(l->sys, l->file, text, size + 1, e));
    l->size += (int64_t)size + 1;
    return S_OK;
}

static void give_up_file(struct logging *l, const struct err *why)
{
    char text[LINE_BYTES_MAX / 2];

    sys_file_close(l->sys, l->file);
    l->file = NULL;
    int size = snprintf(text, sizeof text, "thalweg.log.file: %.1500s; log lines go to standard error from here on",
                        why->text);
    say(l, text, (size_t)size);
}

static void write_line(void *arg, enum log_level level, const char *line, size_t size)
{
    struct logging *l = arg;
    struct err e = {0};

    (void)level;
    sys_lock_take(l->lock);
    if (l->file != NULL && append(l, line, size, &e) != S_OK) give_up_file(l, &e);
    if (l->file == NULL) say(l, line, size);
    sys_lock_give(l->lock);
}

/* --- opening -------------------------------------------------------------------------------------------------------------- */
static int64_t now_ms(void *arg) { return sys_wall_ms(((struct logging *)arg)->sys); }

static enum status open_file(struct logging *l, struct err *e)
{
    struct sys_stat st = {0};
    struct err cause = {0};

    if (strlen(l->path) >= PATH_BYTES_MAX - 16) return err_set(e, E_CONFIG, "thalweg.log.file: the path is too long");
    if (sys_file_stat(l->sys, l->path, &st, NULL) == S_OK) l->size = st.size;
    if (sys_file_open(l->sys, l->path, SYS_WRITE | SYS_CREATE | SYS_APPEND, &l->file, &cause) == S_OK) return S_OK;
    err_set(e, cause.status, "%s", cause.text);
    err_hint(e, "name a file in a folder that is there and may be written, or leave the key out for standard error");
    return err_wrap(e, "thalweg.log.file");
}

enum status logging_open(struct logging *l, struct sys *sys, const struct options *configuration, struct err *e)
{
    const char *path = options_get(configuration, config_defs, "thalweg.log.file");

    *l = (struct logging){
        .log = {.level = (enum log_level)options_enum(configuration, config_defs, "thalweg.log.level"),
                .write = write_line,
                .now_ms = now_ms,
                .arg = l},
        .sys = sys,
        .path = path,
        .size_max = options_int(configuration, config_defs, "thalweg.log.max-bytes"),
        .kept = (uint32_t)options_int(configuration, config_defs, "thalweg.log.files"),
    };
    if (path != NULL && l->log.level != LOG_OFF) TRY(open_file(l, e));
    l->lock = sys_lock_create(sys);
    return S_OK;
}

void logging_close(struct logging *l)
{
    if (l->sys == NULL) return;
    sys_file_close(l->sys, l->file);
    sys_lock_free(l->sys, l->lock);
    *l = (struct logging){0};
}
