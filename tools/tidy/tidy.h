/* tidy.h - what the checks share: the tree of sources as read once, and the two ways to speak (a problem, a remark). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct include {
    char path[256]; /* as written between the quotes or brackets */
    int line;
    bool is_quoted;
};

struct function {
    char name[128];
    int line, line_count; /* from the line of the name to the closing brace */
    int assert_count;
};

/* One file of the tree. For C files `code` is the text with comments and the insides of literals blanked out, newlines
 * kept, so that an offset means the same place in both. */
struct source {
    char *path; /* from the root: src/flow/task/chain.c */
    char *text, *code;
    size_t size;
    int line_count, comment_line_count, blank_line_count;
    bool is_c, is_header;
    struct include *includes;
    int include_count;
    struct function *functions;
    int function_count;
};

struct tidy {
    const char *root, *build, *cc;
    struct source *sources;
    int source_count;
    struct {
        char *path;
        int64_t size;
    } * blobs; /* files too large to read */
    int blob_count;
    int problem_count, remark_count;
    int layer_problem_count, mutable_count, todo_count, headers_compiled; /* for the report */
};

/* util.c */
void *grow(void *array, int count, size_t item_size); /* room for one more; ends the process without memory */
char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *file_read(const char *path, size_t *size); /* NULL when it cannot be read; a NUL follows the text */
bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);
bool is_word_char(char c);
/* The first place of `word` as a whole word in text, from `from` on; NULL when there is none. */
const char *word_find(const char *text, const char *word);
int line_of(const char *text, const char *place);
const char *base_name(const char *path);

/* Says file:line: what, why, what to do. A problem makes tidy fail, a remark does not. */
void problem(struct tidy *t, const char *path, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));
void remark(struct tidy *t, const char *path, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* tree.c, lex.c */
void tree_read(struct tidy *t);
const struct source *tree_find(const struct tidy *t, const char *path);
void source_lex(struct source *s);

/* one file each */
void check_includes(struct tidy *t);
void check_headers(struct tidy *t);
void check_objects(struct tidy *t);
/* Does the object that was compiled from s define the symbol? */
bool object_defines(const struct tidy *t, const struct source *s, const char *name);
void check_sizes(struct tidy *t);
void check_documents(struct tidy *t);
void check_descriptors(struct tidy *t);
void check_text(struct tidy *t);
void report_print(const struct tidy *t);
