/* check_objects.c - nobody but ground/sys calls the operating system, and nobody keeps mutable statics.
 *
 * The idea: a macro can be worked around, an undefined symbol in an object file cannot. Every object of the library is
 * read as ELF; what it leaves undefined must be defined by another object of ours or allowed by tools/tidy/symbols.txt.
 * A symbol in a writable section is a variable that lives outside any owner; .data.rel.ro is constant after loading and
 * does not count. Objects whose source is gone are left-overs of the build and are not looked at. */
#include "tidy.h"

#include <elf.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES "tools/tidy/symbols.txt"

struct rule {
    char kind[12], pattern[64];
    const char *rest; /* a path, or advice: up to the end of the line */
    int rest_size, line;
    bool is_used;
};

struct object {
    const struct source *source;
    const char *bytes;
    size_t size;
    const Elf64_Shdr *sections;
    int section_count;
    const char *section_names;
    const Elf64_Sym *symbols;
    size_t symbol_count;
    const char *symbol_names;
};

struct check {
    struct tidy *tidy;
    struct rule *rules;
    int rule_count;
    struct object *objects;
    int object_count;
    const char **defined; /* sorted */
    int defined_count;
};

static void rule_add(struct check *c, const char *kind, const char *pattern, size_t size, const char *rest, int line)
{
    struct rule r = {.rest = rest, .rest_size = (int)strcspn(rest, "\n"), .line = line};

    snprintf(r.kind, sizeof r.kind, "%s", kind);
    snprintf(r.pattern, sizeof r.pattern, "%.*s", (int)size, pattern);
    c->rules = grow(c->rules, c->rule_count, sizeof r);
    c->rules[c->rule_count++] = r;
}

/* "allow a b c" and "ban a b c | advice" name many; the other kinds one pattern, then a path. */
static void rule_line_read(struct check *c, const char *p, int line)
{
    char kind[12];
    int offset = 0;
    bool is_list;
    const char *bar, *end = p + strcspn(p, "\n");

    if (*p == '#' || sscanf(p, "%11s%n", kind, &offset) != 1 || p + offset >= end) {
        return;
    }
    is_list = strcmp(kind, "allow") == 0 || strcmp(kind, "ban") == 0;
    bar = memchr(p, '|', (size_t)(end - p));
    if (bar == NULL) {
        bar = end;
    }
    for (p += offset; p < bar;) {
        size_t size;

        p += strspn(p, " ");
        size = strcspn(p, " |\n");
        if (p >= bar || size == 0) {
            break;
        }
        rule_add(c, kind, p, size, is_list ? (*bar == '|' ? bar + 2 : "") : p + size + 1, line);
        p += is_list ? size : (size_t)(bar - p);
    }
}

static void rules_read(struct check *c)
{
    const struct source *s = tree_find(c->tidy, RULES);
    int line = 1;

    if (s == NULL) {
        problem(c->tidy, RULES, 1, "is missing: it says which symbols objects may use");
        return;
    }
    for (const char *p = s->text; *p != 0; line++) {
        rule_line_read(c, p, line);
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
}

/* Does the rule's path (a file, or a folder that ends in '/') cover this source? */
static bool rule_covers(const struct rule *r, const char *path)
{
    int size = 0;

    while (size < r->rest_size && r->rest[size] != ' ' && r->rest[size] != '|') {
        size++;
    }
    return size > 0 && strncmp(path, r->rest, (size_t)size) == 0 && (r->rest[size - 1] == '/' || path[size] == 0);
}

static struct rule *rule_find(struct check *c, const char *kind, const char *symbol, const char *path)
{
    for (int i = 0; i < c->rule_count; i++) {
        struct rule *r = &c->rules[i];

        if (strcmp(r->kind, kind) == 0 && fnmatch(r->pattern, symbol, 0) == 0 &&
            (path == NULL || rule_covers(r, path))) {
            r->is_used = true;
            return r;
        }
    }
    return NULL;
}

static void object_sections(struct object *o)
{
    const Elf64_Ehdr *header = (const void *)o->bytes;

    o->sections = (const void *)(o->bytes + header->e_shoff);
    o->section_count = header->e_shnum;
    o->section_names = o->bytes + o->sections[header->e_shstrndx].sh_offset;
    for (int i = 0; i < o->section_count; i++) {
        const Elf64_Shdr *section = &o->sections[i];

        if (section->sh_type == SHT_SYMTAB) {
            o->symbols = (const void *)(o->bytes + section->sh_offset);
            o->symbol_count = section->sh_size / sizeof(Elf64_Sym);
            o->symbol_names = o->bytes + o->sections[section->sh_link].sh_offset;
        }
    }
}

static bool object_read(const struct tidy *t, const struct source *s, struct object *o)
{
    char *path = format("%s/CMakeFiles/thalweg_objects.dir/%s.o", t->build, s->path);

    *o = (struct object){.source = s};
    o->bytes = file_read(path, &o->size);
    if (o->bytes == NULL) o->bytes = file_read(format("%s/CMakeFiles/thalweg_binary_objects.dir/%s.o", t->build, s->path), &o->size);
    if (o->bytes == NULL || o->size < sizeof(Elf64_Ehdr) || memcmp(o->bytes, ELFMAG, SELFMAG) != 0 ||
        o->bytes[EI_CLASS] != ELFCLASS64) {
        return false;
    }
    object_sections(o);
    return true;
}

bool object_defines(const struct tidy *t, const struct source *s, const char *name)
{
    struct object o;

    for (size_t i = 0, count = object_read(t, s, &o) ? o.symbol_count : 0; i < count; i++) {
        if (o.symbols[i].st_shndx != SHN_UNDEF && strcmp(o.symbol_names + o.symbols[i].st_name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void objects_read(struct check *c)
{
    for (int i = 0; i < c->tidy->source_count; i++) {
        const struct source *s = &c->tidy->sources[i];
        struct object o;

        if (!ends_with(s->path, ".c") || !starts_with(s->path, "src/") ||
            strcmp(s->path, "src/surface/cli/main.c") == 0) {
            continue;
        }
        if (!object_read(c->tidy, s, &o)) {
            problem(c->tidy, s->path, 1,
                    "has no object in %s: build first (make does), tidy reads what the compiler made of it",
                    c->tidy->build);
            continue;
        }
        c->objects = grow(c->objects, c->object_count, sizeof o);
        c->objects[c->object_count++] = o;
    }
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void defined_collect(struct check *c)
{
    for (int i = 0; i < c->object_count; i++) {
        const struct object *o = &c->objects[i];

        for (size_t j = 0; j < o->symbol_count; j++) {
            if (o->symbols[j].st_shndx != SHN_UNDEF && ELF64_ST_BIND(o->symbols[j].st_info) != STB_LOCAL) {
                c->defined = grow(c->defined, c->defined_count, sizeof c->defined[0]);
                c->defined[c->defined_count++] = o->symbol_names + o->symbols[j].st_name;
            }
        }
    }
    qsort(c->defined, (size_t)c->defined_count, sizeof c->defined[0], name_compare);
}

/* The line of the source that first calls a name, or else first has it, as a help to the reader. */
static int line_of_use(const struct source *s, const char *word)
{
    const char *first = word_find(s->code, word);

    for (const char *p = first; p != NULL; p = word_find(p + 1, word)) {
        if (p[strlen(word)] == '(') {
            return line_of(s->code, p);
        }
    }
    return first == NULL ? 1 : line_of(s->code, first);
}

static bool is_declared(const struct tidy *t, const char *name)
{
    for (int i = 0; i < t->source_count; i++) {
        if (t->sources[i].is_header && word_find(t->sources[i].code, name) != NULL) {
            return true;
        }
    }
    return false;
}

/* Nothing allows the name: say what it is and what to do. */
static void undefined_report(struct check *c, const struct object *o, const char *name)
{
    const struct rule *ban = rule_find(c, "ban", name, NULL);
    const char *path = o->source->path;
    int line = line_of_use(o->source, name);

    if (ban != NULL) {
        problem(c->tidy, path, line, "calls %s: only src/ground/sys/ talks to the system; %.*s", name, ban->rest_size,
                ban->rest);
    } else if (is_declared(c->tidy, name)) {
        problem(c->tidy, path, line, "needs %s, which a header of ours declares and no source defines: write it", name);
    } else {
        problem(
            c->tidy, path, line,
            "needs %s, which is not ours and not allowed here: go through ground/sys; a pure function or a library's "
            "adapter gets a line in " RULES,
            name);
    }
}

static void undefined_check(struct check *c, const struct object *o, const char *name)
{
    const char *path = o->source->path;

    if (bsearch(&name, c->defined, (size_t)c->defined_count, sizeof name, name_compare) == NULL &&
        rule_find(c, "allow", name, NULL) == NULL && rule_find(c, "library", name, path) == NULL &&
        rule_find(c, "call", name, path) == NULL) {
        undefined_report(c, o, name);
    }
}

static bool section_is_mutable(const struct object *o, const Elf64_Sym *symbol)
{
    const Elf64_Shdr *section;

    if (symbol->st_shndx == SHN_COMMON) {
        return true;
    }
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= o->section_count) {
        return false;
    }
    section = &o->sections[symbol->st_shndx];
    return (section->sh_flags & SHF_WRITE) != 0 && !starts_with(o->section_names + section->sh_name, ".data.rel.ro");
}

static void mutable_check(struct check *c, const struct object *o, const Elf64_Sym *symbol)
{
    const char *name = o->symbol_names + symbol->st_name;
    char *plain;

    if ((ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT && ELF64_ST_TYPE(symbol->st_info) != STT_TLS) ||
        !section_is_mutable(o, symbol)) {
        return;
    }
    plain = format("%.*s", (int)strcspn(name, "."), name); /* a static in a function is called name.N */
    if (rule_find(c, "mutable", plain, o->source->path) != NULL) {
        return;
    }
    c->tidy->mutable_count++;
    problem(c->tidy, o->source->path, line_of_use(o->source, plain),
            "keeps the mutable static %s: state has an owner that is passed as an argument, or the simulation cannot "
            "run two nodes; "
            "make it const or move it into a struct",
            plain);
}

static void object_check(struct check *c, const struct object *o)
{
    bool is_door = starts_with(o->source->path, "src/ground/sys/");

    for (size_t i = 1; i < o->symbol_count; i++) {
        const Elf64_Sym *symbol = &o->symbols[i];

        if (symbol->st_shndx == SHN_UNDEF) {
            if (!is_door && o->symbol_names[symbol->st_name] != 0) {
                undefined_check(c, o, o->symbol_names + symbol->st_name);
            }
        } else {
            mutable_check(c, o, symbol);
        }
    }
}

/* An exception that nothing needs any more would let the next one in unseen. */
static void rules_unused(struct check *c)
{
    for (int i = 0; i < c->rule_count; i++) {
        const struct rule *r = &c->rules[i];

        if (!r->is_used && strcmp(r->kind, "allow") != 0 && strcmp(r->kind, "ban") != 0) {
            problem(c->tidy, RULES, r->line, "%s %s is needed by nothing: delete the line", r->kind, r->pattern);
        }
    }
}

void check_objects(struct tidy *t)
{
    struct check c = {.tidy = t};

    rules_read(&c);
    objects_read(&c);
    defined_collect(&c);
    for (int i = 0; i < c.object_count; i++) {
        object_check(&c, &c.objects[i]);
    }
    rules_unused(&c);
}
