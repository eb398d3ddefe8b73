/* sys_linux_editor.c - sys_editor.h by libedit, on the standard streams. libedit changes the terminal's modes only while it reads a
 * line, so that programs that run meanwhile meet the terminal as it was. ctrl-c is a key while a line is read, no signal.
 *
 * Keys are read here, not by libedit, which does not paint again when the terminal has another size: terminals lay long lines out anew
 * then, so that the line begins where it does in the new width. */
#include "ground/sys/sys_editor.h"

#include "ground/base/str.h"
#include "ground/base/width.h"

#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_MAX = 10000, SHOWN_MAX = 200, PROMPT_SIZE = 128, CTRL_C = 3, CTRL_E = 5 };

struct sys_editor {
    struct sys *sys;
    struct sys_editor_hooks hooks;
    EditLine *el;
    History *history;
    char *path;
    struct mem mem;
    char prompt[PROMPT_SIZE];
    struct buf early; /* typed, and not given to a line yet */
    int columns;  /* of the terminal when the line was painted last */
    bool is_last; /* the cursor went to the end of the line for a ctrl-c, which is the next key */
    bool interrupted;
};

static struct sys_editor *editor_of(EditLine *el)
{
    void *data = NULL;

    el_get(el, EL_CLIENTDATA, &data);
    return data;
}

static char *prompt_of(EditLine *el) { return editor_of(el)->prompt; }

static unsigned char on_interrupt(EditLine *el, int key)
{
    (void)key;
    editor_of(el)->interrupted = true;
    return CC_EOF;
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */
/* How many lines stand above the cursor, in so many columns. */
static uint32_t lines_above(const struct sys_editor *ed, uint32_t columns)
{
    const LineInfo *line = el_line(ed->el);
    struct str text = {line->buffer, (size_t)(line->cursor - line->buffer)};
    uint32_t lines = 0, at = width_of(str_of(ed->prompt));

    for (size_t i = 0, size; i < text.size; i += size) {
        uint32_t width = width_of_point(width_point((struct str){text.data + i, text.size - i}, &size));
        bool is_end = text.data[i] == '\n';
        if (is_end || at + width > columns) {
            lines += 1 + at / (columns + 1);
            at = 0;
        }
        at += is_end ? 0 : width;
    }
    return lines + at / columns;
}

/* Paints the line anew where it begins now. */
static void look_at_size(struct sys_editor *ed)
{
    int columns = sys_terminal_columns(ed->sys, STDOUT_FILENO);

    if (columns == ed->columns || columns <= 0) return;
    uint32_t above = lines_above(ed, (uint32_t)columns);
    ed->columns = columns;
    fputs("\r", stdout);
    if (above > 0) fprintf(stdout, "\033[%uA", above);
    fputs("\033[J", stdout);
    fflush(stdout);
    el_resize(ed->el);
    el_set(ed->el, EL_REFRESH);
}

/* False: a signal ends the line. SIGTERM stays for who asks for it next. */
static bool wait_for_key(struct sys_editor *ed)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    while (look_at_size(ed), poll(&p, 1, -1) < 0) {
        enum sys_signal signal = errno == EINTR ? sys_signal_take(ed->sys) : SYS_SIGNAL_TERM;
        ed->interrupted = signal == SYS_SIGNAL_INT;
        if (signal == SYS_SIGNAL_TERM) raise(SIGTERM);
        if (signal != SYS_SIGNAL_NONE) return false;
    }
    return true;
}

/* One byte or more. */
static int read_character(struct sys_editor *ed, wchar_t *out)
{
    char bytes[MB_LEN_MAX];

    for (size_t size = 0; size < sizeof bytes;) {
        mbstate_t state = {0};
        if (!wait_for_key(ed) || read(STDIN_FILENO, bytes + size, 1) != 1) return -1;
        size_t used = mbrtowc(out, bytes, ++size, &state);
        if (used == 0) *out = L'\0';
        if (used == 0 || used == size) return 1;
        if (used == (size_t)-1) size = 0; /* no character: as if it were not there */
    }
    return -1;
}

/* ctrl-c goes to the end of the line first: it is shown behind all that was typed. */
static int read_key(EditLine *el, wchar_t *out)
{
    struct sys_editor *ed = editor_of(el);
    int got = 1;

    if (ed->is_last) *out = CTRL_C;
    else got = read_character(ed, out);
    ed->is_last = !ed->is_last && got == 1 && *out == CTRL_C;
    if (ed->is_last) *out = CTRL_E;
    return got;
}

/* So that a wait ends when the terminal gets another size; what is to be done is seen from the size itself. */
static void on_resize(int number) { (void)number; }

static void hear_resizes(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_resize;
    sigaction(SIGWINCH, &action, NULL);
}

/* --- completion -------------------------------------------------------------------------------------------------- */
struct words {
    struct mem *mem;
    char **items;
    uint32_t count, capacity;
};

static void add_word(void *arg, const char *word)
{
    struct words *w = arg;
    size_t size = strlen(word) + 1;

    if (w->count == w->capacity) {
        w->capacity = MAX(2 * w->capacity, 64u);
        w->items = mem_realloc(w->mem, w->items, sizeof *w->items * w->capacity);
    }
    w->items[w->count] = mem_alloc(w->mem, size);
    memcpy(w->items[w->count++], word, size);
}

static int word_compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void sort_words(struct words *w)
{
    uint32_t kept = 0;

    if (w->count == 0) return;
    qsort(w->items, w->count, sizeof *w->items, word_compare);
    for (uint32_t i = 0; i < w->count; i++) {
        if (kept > 0 && strcmp(w->items[i], w->items[kept - 1]) == 0) mem_free(w->mem, w->items[i]);
        else w->items[kept++] = w->items[i];
    }
    w->count = kept;
}

static size_t common_size(const struct words *w)
{
    size_t size = strlen(w->items[0]);

    for (uint32_t i = 1; i < w->count; i++)
        for (size_t k = 0; k < size; k++)
            if (w->items[i][k] != w->items[0][k]) size = k;
    while (size > 0 && ((unsigned char)w->items[0][size] & 0xC0) == 0x80) size--; /* no half a letter */
    return size;
}

/* Below the line, in columns. */
static void show_words(const struct sys_editor *ed, const struct words *w)
{
    int width = 0, at = 0, columns = sys_terminal_columns(ed->sys, 1);
    uint32_t shown = MIN(w->count, (uint32_t)SHOWN_MAX);

    for (uint32_t i = 0; i < shown; i++) width = MAX(width, (int)strlen(w->items[i]) + 2);
    fputc('\n', stdout);
    for (uint32_t i = 0; i < shown; i++) {
        if (at > 0 && at + width > columns) {
            fputc('\n', stdout);
            at = 0;
        }
        fprintf(stdout, "%-*s", width, w->items[i]);
        at += width;
    }
    if (shown < w->count) fprintf(stdout, "\nand %u more", w->count - shown);
    fputc('\n', stdout);
    fflush(stdout);
}

/* What goes behind a word that is whole: where the cursor stands in quotes, they close; elsewhere a blank. What is there already does
 * not come twice, and a word that goes on gets nothing. */
static const char *behind(const struct sys_editor *ed, const char *word)
{
    const LineInfo *line = el_line(ed->el);
    char last = word[strlen(word) - 1], next = line->cursor < line->lastchar ? *line->cursor : '\0';
    bool in_quotes = false;

    for (const char *c = line->buffer; c < line->cursor; c++) in_quotes ^= *c == '\'';
    if (in_quotes) return next == '\'' ? "" : "'";
    return last == '(' || last == '.' || next == ' ' ? "" : " ";
}

static unsigned char put_word(const struct sys_editor *ed, const struct words *w, size_t typed)
{
    size_t common = common_size(w);
    char text[256];

    if (common > typed || w->count == 1) {
        int size = snprintf(text, sizeof text, "%.*s%s", (int)common, w->items[0], w->count > 1 ? "" : behind(ed, w->items[0]));
        el_deletestr(ed->el, (int)str_utf8_length((struct str){w->items[0], typed}));
        return size > 0 && el_insertstr(ed->el, text) == 0 ? CC_REFRESH : CC_ERROR;
    }
    show_words(ed, w);
    return CC_REDISPLAY;
}

/* A tab with more behind it was pasted, as the indent of a script is: nobody wants words for it. */
static bool is_pasted(void)
{
    int waiting = 0;

    return ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting > 0;
}

static unsigned char on_tab(EditLine *el, int key)
{
    struct sys_editor *ed = editor_of(el);
    const LineInfo *line = el_line(el);
    struct words w = {.mem = &ed->mem};
    unsigned char answer = CC_ERROR;

    (void)key;
    if (is_pasted()) return el_insertstr(el, "\t") == 0 ? CC_REFRESH : CC_ERROR;
    if (ed->hooks.complete == NULL) return CC_ERROR;
    struct str before = {line->buffer, (size_t)(line->cursor - line->buffer)};
    struct str after = {line->cursor, (size_t)(line->lastchar - line->cursor)};
    size_t typed = ed->hooks.complete(ed->hooks.arg, before, after, add_word, &w);
    sort_words(&w);
    if (w.count > 0) answer = put_word(ed, &w, typed);
    for (uint32_t i = 0; i < w.count; i++) mem_free(w.mem, w.items[i]);
    mem_free(w.mem, w.items);
    return answer;
}

/* --- life -------------------------------------------------------------------------------------------------------- */
/* Letters beyond ASCII are counted by the locale; nothing else here asks it. */
static void use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
}

static void bind_keys(EditLine *el)
{
    static const char *const keys[][2] = {{"^I", "complete"},          {"^C", "interrupt"},          {"^R", "em-inc-search-prev"},
                                          {"\\e[1;5D", "ed-prev-word"}, {"\\e[1;5C", "em-next-word"}, {"\\e[3~", "ed-delete-next-char"},
                                          {"\\e[H", "ed-move-to-beg"},  {"\\e[F", "ed-move-to-end"}};

    el_set(el, EL_EDITOR, "emacs");
    /* Names of functions as wide text: of narrow text el_set makes copies that it never gives back. */
    el_wset(el, EL_ADDFN, L"complete", L"completes a word", on_tab);
    el_wset(el, EL_ADDFN, L"interrupt", L"gives the line up", on_interrupt);
    for (size_t i = 0; i < COUNT_OF(keys); i++) el_set(el, EL_BIND, keys[i][0], keys[i][1], NULL);
    el_source(el, NULL); /* ~/.editrc: the user's own keys */
    el_set(el, EL_SETTY, "-d", "-isig", NULL);
}

static void editor_close(struct sys_editor *ed)
{
    HistEvent event;
    struct mem mem;

    if (ed == NULL) return;
    if (ed->path != NULL) history(ed->history, &event, H_SAVE, ed->path);
    if (ed->el != NULL) el_end(ed->el);
    if (ed->history != NULL) history_end(ed->history);
    mem_free(&ed->mem, ed->path);
    buf_release(&ed->early);
    mem_init(&mem, "editor", 0);
    mem_move(&ed->mem, &mem);
    mem_free(&mem, ed);
    mem_release(&mem);
}

static struct sys_editor *editor_new(void)
{
    struct mem mem;

    mem_init(&mem, "editor", 0);
    struct sys_editor *ed = mem_zalloc(&mem, sizeof *ed);
    mem_init(&ed->mem, "editor", 0);
    mem_move(&mem, &ed->mem);
    buf_init(&ed->early, &ed->mem);
    return ed;
}

static enum status editor_open(struct sys *sys, const struct sys_editor_hooks *hooks, const char *path, struct sys_editor **out,
                               struct err *e)
{
    struct sys_editor *ed = editor_new();
    HistEvent event;

    use_utf8();
    ed->sys = sys;
    ed->hooks = *hooks;
    ed->history = history_init();
    ed->el = el_init("thalweg", stdin, stdout, stderr);
    if (ed->el == NULL || ed->history == NULL) {
        editor_close(ed);
        return err_set(e, E_UNSUPPORTED, "the terminal cannot be used for editing lines (is TERM right?)");
    }
    history(ed->history, &event, H_SETSIZE, HISTORY_MAX);
    history(ed->history, &event, H_SETUNIQUE, 1);
    if (path != NULL) {
        ed->path = mem_alloc(&ed->mem, strlen(path) + 1);
        memcpy(ed->path, path, strlen(path) + 1);
        history(ed->history, &event, H_LOAD, path); /* none yet is none */
    }
    el_set(ed->el, EL_CLIENTDATA, ed);
    el_set(ed->el, EL_PROMPT, prompt_of);
    el_set(ed->el, EL_GETCFN, read_key);
    hear_resizes();
    el_set(ed->el, EL_HIST, history, ed->history);
    bind_keys(ed->el);
    *out = ed;
    return S_OK;
}

static void editor_push(struct sys_editor *ed, struct str text) { buf_append(&ed->early, text.data, text.size); }

/* A line of what was typed early, or its last part: libedit takes it for keys. */
static void give_early(struct sys_editor *ed)
{
    struct buf *early = &ed->early;
    const char *end = early->size > 0 ? memchr(early->data, '\r', early->size) : NULL;
    size_t size = end != NULL ? (size_t)(end - early->data) + 1 : early->size;

    if (size == 0) return;
    char *keys = mem_zalloc(&ed->mem, size + 1);
    memcpy(keys, early->data, size);
    el_push(ed->el, keys);
    mem_free(&ed->mem, keys);
    memmove(early->data, early->data + size, early->size - size);
    early->size -= size;
}

static enum status editor_read(struct sys_editor *ed, const char *prompt, struct buf *line)
{
    int size = 0;

    snprintf(ed->prompt, sizeof ed->prompt, "%s", prompt);
    ed->interrupted = false;
    el_resize(ed->el);
    ed->columns = sys_terminal_columns(ed->sys, STDOUT_FILENO);
    el_set(ed->el, EL_PREP_TERM, 1); /* libedit itself does so behind the prompt, which keys typed at once do not wait for */
    give_early(ed);
    const char *text = el_gets(ed->el, &size);
    buf_clear(line);
    if (ed->interrupted) {
        fputs("^C\n", stdout);
        fflush(stdout);
        el_reset(ed->el);
        return E_CANCELED;
    }
    if (text == NULL || size <= 0) return S_END;
    size_t bytes = strlen(text);
    buf_append(line, text, bytes > 0 && text[bytes - 1] == '\n' ? bytes - 1 : bytes);
    return S_OK;
}

static void editor_remember(struct sys_editor *ed, const char *text)
{
    HistEvent event;

    history(ed->history, &event, H_ENTER, text);
}

const struct sys_editor_ops sys_linux_editor = {
    .open = editor_open,
    .read = editor_read,
    .push = editor_push,
    .remember = editor_remember,
    .close = editor_close,
};
