/* sqltest.h - the runner of text tests, test/sql/AREA/TOPIC.test; test/sql/README.md is the format's description.
 *
 * script.c reads a file into records, execute.c runs them in every mode, feed.c makes tables of feeds, compare.c judges the answers,
 * main.c is the command and writes answers back. Everything of one file lives in one arena. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/err.h"
#include "ground/sys/sys.h"

enum { MODES = 9, WORDS_MAX = 16, BLOCKS_MAX = 4, CASE_TEXT_MAX = 64 * 1024 };

/* --- modes ------------------------------------------------------------------------------------------------------- */
struct mode {
    const char *name;      /* all words by which directives mean it: "streaming p1 full" */
    const char *config[12]; /* key, value, ..., NULL */
    const char *absent;    /* why nothing runs in it; NULL: it runs */
};
extern const struct mode modes[MODES];
/* The mode has every word of `words`: "p4", "streaming p1". */
bool mode_is(const struct mode *m, const char *words);
bool mode_exists(const char *words);

/* --- what a file says -------------------------------------------------------------------------------------------- */
enum verb { VERB_STATEMENT, VERB_QUERY, VERB_FEED };
enum comparison { COMPARE_FOLDED, COMPARE_ORDERED, COMPARE_EXACT };

struct lines {
    const char **items;
    uint32_t count, capacity;
};

/* What is expected, in the lines [first, first + count) of the file. */
struct block {
    const char *mode; /* NULL: every mode without a block of its own */
    uint32_t first, count;
};

struct mode_rule {
    bool is_only; /* else skip */
    const char *mode, *reason;
};

struct directives {
    struct mode_rule rules[WORDS_MAX];
    uint32_t rule_count;
    enum comparison compare;
    const char *by[WORDS_MAX]; /* names of columns; by_count 0: none */
    uint32_t by_count;
    double approx;
    const char *error_mode, *error_regex; /* fails in that mode, by nature */
};

struct record {
    enum verb verb;
    bool wants_error;
    uint32_t line;    /* of the verb, from 1 */
    uint32_t sql_end; /* index of the line behind the statement: where a block goes when there is none */
    const char *sql;
    const char *feed, *by; /* VERB_FEED: the table, and its column of event time or NULL; `sql` is its columns */
    const char *changes;   /* the feed's 'changelog-mode'; NULL: +I alone */
    uint32_t feed_first;   /* index of the first line of its rows, which end at sql_end */
    struct directives d;
    struct block blocks[BLOCKS_MAX];
    uint32_t block_count;
};

struct script {
    const char *path;
    struct arena *a;
    struct lines lines; /* as the file has them */
    const char *clock;  /* what time it is when a statement begins, in a world whose time is made up; NULL: the real one */
    const char *feeds;  /* folder for files of feeds */
    struct record *records;
    uint32_t count, capacity;
};

void lines_add(struct lines *l, struct arena *a, const char *line);
/* E_DATA with file and line for what cannot be read. */
enum status script_read(struct script *s, struct sys *sys, const char *path, struct arena *a, struct err *e) CHECKED;
const struct block *record_block(const struct record *r, const struct mode *m); /* NULL: none */
/* NULL: runs; else the reason. */
const char *record_skips(const struct record *r, const struct mode *m);

/* --- what came --------------------------------------------------------------------------------------------------- */
struct answer_row {
    uint8_t kind;
    const char **cells; /* as they stand in files */
};

struct answer {
    bool ran, failed;
    const char *error;  /* text; hint, and below it the excerpt */
    const char *header; /* "(a INT NOT NULL, b STRING)"; NULL: the statement has no rows */
    const char **names;
    uint32_t column_count, row_count, capacity;
    struct answer_row *rows;
    bool *is_float; /* by column */
};

/* "2020-01-01 00:00:00" as ms since 1970. */
bool clock_read(struct str text, int64_t *ms);

/* --- feeds ------------------------------------------------------------------------------------------------------- */
/* Writes the rows to the file, and answers the statements that make a table of it, count of them. */
enum { FEED_STATEMENTS = 2 };
enum status feed_make(const struct script *s, struct sys *sys, const struct record *r, const char *path,
                      const char *statements[FEED_STATEMENTS], struct err *e) CHECKED;

/* Runs the file in one mode; out[i] answers record i. */
void script_execute(const struct script *s, struct sys *sys, const struct mode *m, struct answer *out);

/* --- judging ----------------------------------------------------------------------------------------------------- */
/* What would stand in the file for this answer. */
struct lines answer_lines(const struct script *s, const struct record *r, const struct mode *m, const struct answer *a);
/* NULL: as expected; else a text of several lines, whose first one begins with file and line. */
const char *answer_judge(const struct script *s, const struct record *r, const struct mode *m, const struct answer *a);
