/* docgen.c - the API reference, written from the docstrings of the public headers.
 *
 *   docgen HEADERS OUT
 *
 * reads HEADERS/<name>.h in the order in which thalweg.h includes them; writes OUT/<name>.md for each, and OUT/README.md,
 * an index of every name.
 *
 * The idea: a header is already a page. Its opening comment is the introduction; a comment of the form "--- title ---"
 * is a heading; a comment followed by declarations is an entry, which ends at the next comment, blank line or heading.
 * Lines of a comment that are indented by four more are code. A macro that only wraps a function joins that function's
 * entry. It does not parse C: it knows braces, comments and the shape of our headers. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 400, NAMES_MAX = 2000, TEXT_MAX = 16384, HEADERS_MAX = 32 };

struct text {
    char bytes[TEXT_MAX];
    size_t size;
};

enum item_kind { ITEM_ENTRY, ITEM_HEADING };

struct item {
    enum item_kind kind;
    struct text doc, code;
};

struct name {
    char name[96];
    const char *page;
    int item;
};

struct docgen {
    const char *folder;
    char pages[HEADERS_MAX][64];  /* names of headers, in the order of thalweg.h */
    int page_count, page;         /* page: the one at hand */
    struct item items[ITEMS_MAX]; /* of the header at hand; item 0 is the introduction */
    int item_count;
    struct name names[NAMES_MAX];
    int name_count, first_name; /* the header's own begin at first_name */
};

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "docgen: %s: %s\n", name, what);
    exit(1);
}

static void text_add(struct text *t, const char *bytes, size_t size)
{
    if (t->size + size >= TEXT_MAX) {
        fail("an entry is too long for a page", bytes);
    }
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
    t->bytes[t->size] = 0;
}

static char *file_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text;
    long size;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || (text = malloc((size_t)size + 1)) == NULL) {
        fail("cannot be read", path);
    }
    rewind(f);
    text[fread(text, 1, (size_t)size, f)] = 0;
    fclose(f);
    return text;
}

static bool starts_with(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }

static const char *line_end(const char *p) { return p + strcspn(p, "\n"); }

static const char *line_next(const char *p)
{
    p = line_end(p);
    return *p == 0 ? p : p + 1;
}

static struct item *item_add(struct docgen *d, enum item_kind kind)
{
    if (d->item_count == ITEMS_MAX) {
        fail("too many entries", d->pages[d->page]);
    }
    d->items[d->item_count] = (struct item){.kind = kind};
    return &d->items[d->item_count++];
}

/* ---- reading a header ------------------------------------------------------------------------------------------ */

/* Copies a comment without its frame, one line after the other, and answers where it ends. */
static const char *comment_read(const char *p, struct text *out)
{
    const char *end = strstr(p, "*/");

    if (end == NULL) {
        fail("a comment has no end", p);
    }
    p += 2;
    while (p < end) {
        const char *stop = line_end(p) < end ? line_end(p) : end;
        const char *last = stop;

        while (last > p && last[-1] == ' ') {
            last--;
        }
        text_add(out, p + (*p == ' ' && last > p), (size_t)(last - p - (*p == ' ' && last > p)));
        text_add(out, "\n", 1);
        p = stop;
        if (*p == '\n') {
            p += 1 + strspn(p + 1, " ");
            p += *p == '*' && p < end;
        }
    }
    return end + 2;
}

static bool heading_read(struct docgen *d, const struct text *comment)
{
    const char *title = comment->bytes, *end;
    struct item *item;

    if (!starts_with(title, "--- ") || (end = strstr(title + 4, " ---")) == NULL) {
        return false;
    }
    item = item_add(d, ITEM_HEADING);
    text_add(&item->doc, title + 4, (size_t)(end - title - 4));
    return true;
}

/* The end of the declaration that begins at p: the line on which braces are closed again and a ';' or '}' has come. */
static const char *declaration_end(const char *p)
{
    int depth = 0;
    bool is_done = false;

    while (*p != 0 && !(is_done && depth == 0 && *p == '\n')) {
        if (starts_with(p, "/*")) {
            p = strstr(p, "*/") + 2;
            continue;
        }
        depth += *p == '{' || *p == '(';
        depth -= *p == '}' || *p == ')';
        is_done = (is_done && !isalpha((unsigned char)*p)) || (depth == 0 && (*p == ';' || *p == '}'));
        p++;
    }
    return p;
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static void name_add(struct docgen *d, const char *name, size_t size, int item)
{
    struct name *n = &d->names[d->name_count];

    if (size == 0) {
        return; /* an enum without a name: its constants speak */
    }
    for (int i = d->first_name; i < d->name_count; i++) {
        if (strlen(d->names[i].name) == size && strncmp(d->names[i].name, name, size) == 0) {
            return;
        }
    }
    if (d->name_count == NAMES_MAX || size >= sizeof n->name) {
        fail("too many names, or one too long", name);
    }
    snprintf(n->name, sizeof n->name, "%.*s", (int)size, name);
    n->page = d->pages[d->page];
    n->item = item;
    d->name_count++;
}

/* The name a declaration gives: after struct or enum when a brace or ';' follows, else the word before the first '(';
 * a callback's typedef has it inside "(*name)". */
static void declaration_name(struct docgen *d, const char *p, const char *end, int item)
{
    const char *open = memchr(p, '(', (size_t)(end - p)), *name;
    size_t size = 0;

    if (starts_with(p, "struct ") || starts_with(p, "enum ")) {
        name = p + strcspn(p, " ") + 1;
        size = strcspn(name, " ;{*\n");
        if (name[size + strspn(name + size, " ")] == '{' || name[size] == ';') {
            name_add(d, name, size, item);
            return;
        }
    }
    if (open == NULL) {
        return;
    }
    if (open[1] == '*') {
        name_add(d, open + 2, strcspn(open + 2, ")"), item);
        return;
    }
    size = 0;
    for (name = open; name > p && is_word(name[-1]); name--) {
        size++;
    }
    name_add(d, name, size, item);
}

static const char *declaration_read(struct docgen *d, const char *p)
{
    const char *end = declaration_end(p);
    struct item *item = &d->items[d->item_count - 1];

    declaration_name(d, starts_with(p, "TW_API ") ? p + 7 : p, end, d->item_count - 1);
    p += starts_with(p, "TW_API ") ? 7 : 0;
    text_add(&item->code, p, (size_t)(end - p));
    text_add(&item->code, "\n", 1);
    return *end == 0 ? end : end + 1;
}

/* The entry of the function that a wrapping macro's body calls; the current entry when it calls none of this header. */
static int macro_home(const struct docgen *d, const char *body, const char *end)
{
    for (const char *p = body; p < end; p++) {
        size_t size = 0;

        while (p + size < end && is_word(p[size])) {
            size++;
        }
        for (int i = d->first_name; size > 0 && i < d->name_count; i++) {
            if (strlen(d->names[i].name) == size && strncmp(d->names[i].name, p, size) == 0 && p[size] == '(') {
                return d->names[i].item;
            }
        }
        p += size;
    }
    return d->item_count - 1;
}

/* A macro with parameters is shown without its body; a constant with it. Macros that are not ours are let pass. */
static const char *macro_read(struct docgen *d, const char *p)
{
    const char *name = p + strlen("#define "), *end = line_end(p), *shown;
    size_t size = 0;
    int home;

    while (*end != 0 && end[-1] == '\\') {
        end = line_end(end + 1);
    }
    while (is_word(name[size])) {
        size++;
    }
    if ((starts_with(name, "tw_") || starts_with(name, "TW_")) && !starts_with(name, "TW_API")) {
        shown = name[size] == '(' ? strchr(name, ')') + 1 : end;
        home = name[size] == '(' ? macro_home(d, shown, end) : d->item_count - 1;
        text_add(&d->items[home].code, p, (size_t)(shown - p));
        text_add(&d->items[home].code, "\n", 1);
        name_add(d, name, size, home);
    }
    return *end == 0 ? end : end + 1;
}

static void header_read(struct docgen *d, const char *p)
{
    bool is_fresh = true; /* the next declaration opens an entry */

    while (*p != 0) {
        p += strspn(p, " ");
        if (starts_with(p, "/*")) {
            struct text comment = {.size = 0};

            p = line_next(comment_read(p, &comment));
            if (!heading_read(d, &comment)) {
                item_add(d, ITEM_ENTRY)->doc = comment;
                is_fresh = false;
            } else {
                is_fresh = true;
            }
        } else if (*p == '\n') {
            is_fresh = true;
            p++;
        } else if (starts_with(p, "#define ")) {
            if (is_fresh) {
                item_add(d, ITEM_ENTRY);
                is_fresh = false;
            }
            p = macro_read(d, p);
        } else if (*p == '#' || *p == '}' || starts_with(p, "extern ")) {
            p = line_next(p);
        } else {
            if (is_fresh) {
                item_add(d, ITEM_ENTRY);
                is_fresh = false;
            }
            p = declaration_read(d, p);
        }
    }
}

/* ---- writing a page ---------------------------------------------------------------------------------------------- */

/* The doc text as Markdown: what is indented by four or more becomes a fenced block. */
static void doc_write(FILE *out, const char *p)
{
    bool is_code = false, has_gap = false;

    for (; *p != 0; p = line_next(p)) {
        size_t indent = strspn(p, " ");

        if (p[indent] == '\n' || p[indent] == 0) {
            has_gap = true;
            continue;
        }
        if ((indent >= 4) != is_code) {
            fputs(is_code ? "```\n\n" : "\n```c\n", out);
            is_code = !is_code;
        } else if (has_gap) {
            fputs("\n", out);
        }
        has_gap = false;
        p += is_code ? 4 : 0;
        fprintf(out, "%.*s\n", (int)(line_end(p) - p), p);
    }
    fputs(is_code ? "```\n" : "", out);
}

static bool ends_with(const char *s, const char *suffix)
{
    return strlen(s) >= strlen(suffix) && strcmp(s + strlen(s) - strlen(suffix), suffix) == 0;
}

/* The entry's heading: at most four names, what users write before what stands behind their macros. */
static void names_write(const struct docgen *d, FILE *out, int index)
{
    int shown = 0, count = 0;

    for (int i = d->first_name; i < d->name_count; i++) {
        if (d->names[i].item == index) {
            fprintf(out, "<a id=\"%s\"></a>\n", d->names[i].name);
            count++;
        }
    }
    fputs(count > 0 ? "\n" : "", out);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = d->first_name; i < d->name_count && shown < 4; i++) {
            const char *name = d->names[i].name;

            if (d->names[i].item == index && (ends_with(name, "_at") || ends_with(name, "_in")) == (pass == 1)) {
                fprintf(out, "%s`%s`", shown++ == 0 ? "### " : ", ", name);
            }
        }
    }
    fputs(shown == 0 ? "" : count > shown ? ", ...\n\n" : "\n\n", out);
}

static void entry_write(const struct docgen *d, FILE *out, int index)
{
    const struct item *item = &d->items[index];

    if (item->code.size == 0) {
        return; /* a remark to the reader of the header */
    }
    names_write(d, out, index);
    doc_write(out, item->doc.bytes);
    fprintf(out, "%s```c\n%s```\n\n", item->doc.size > 0 ? "\n" : "", item->code.bytes);
}

static FILE *page_open(const char *folder, const char *page)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s.md", folder, page);
    out = fopen(path, "w");
    if (out == NULL) {
        fail("cannot be written; does the folder exist?", path);
    }
    fprintf(out, "<!-- Generated by `make docs`; edit the docstrings of include/thalweg instead. -->\n");
    return out;
}

static void page_write(const struct docgen *d, const char *folder)
{
    const char *page = d->pages[d->page];
    FILE *out = page_open(folder, page);
    const char *intro = d->items[0].doc.bytes, *dash = strstr(intro, " - ");

    intro = dash != NULL && dash < line_end(intro) ? dash + 3 : intro; /* the header's name stands in the title */
    fprintf(out, "# `<thalweg/%s.h>`\n\n%c", page, toupper((unsigned char)*intro));
    doc_write(out, *intro == 0 ? intro : intro + 1);
    fputs("\n", out);
    for (int i = 1; i < d->item_count; i++) {
        if (d->items[i].kind == ITEM_HEADING) {
            fprintf(out, "## %c%s\n\n", toupper((unsigned char)d->items[i].doc.bytes[0]), d->items[i].doc.bytes + 1);
        } else {
            entry_write(d, out, i);
        }
    }
    fclose(out);
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

static void index_write(struct docgen *d, const char *folder)
{
    FILE *out = page_open(folder, "README");

    fputs("# The C API, by name\n\nOne page per header:", out);
    for (int i = 0; i < d->page_count; i++) {
        fprintf(out, "%s [%s](%s.md)", i == 0 ? "" : ",", d->pages[i], d->pages[i]);
    }
    fputs(".\n\n| name | header |\n| --- | --- |\n", out);
    qsort(d->names, (size_t)d->name_count, sizeof d->names[0], name_compare);
    for (int i = 0; i < d->name_count; i++) {
        fprintf(out, "| [`%s`](%s.md#%s) | %s.h |\n", d->names[i].name, d->names[i].page, d->names[i].name,
                d->names[i].page);
    }
    fclose(out);
}

static char *header_text(const struct docgen *d, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s.h", d->folder, name);
    return file_read(path);
}

/* The headers that thalweg.h includes are the API, in its order. */
static void pages_find(struct docgen *d)
{
    for (const char *p = header_text(d, "thalweg"); *p != 0; p = line_next(p)) {
        if (d->page_count < HEADERS_MAX && starts_with(p, "#include <thalweg/")) {
            p += strlen("#include <thalweg/");
            snprintf(d->pages[d->page_count++], sizeof d->pages[0], "%.*s", (int)strcspn(p, "."), p);
        }
    }
}

int main(int argc, char **argv)
{
    static struct docgen d;

    if (argc != 3) {
        fputs("usage: docgen HEADERS OUT\n", stderr);
        return 2;
    }
    d.folder = argv[1];
    pages_find(&d);
    for (d.page = 0; d.page < d.page_count; d.page++) {
        d.item_count = 0;
        d.first_name = d.name_count;
        header_read(&d, header_text(&d, d.pages[d.page]));
        page_write(&d, argv[2]);
    }
    index_write(&d, argv[2]);
    return 0;
}
