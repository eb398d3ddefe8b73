/* connector.h - both ends of one outside system. One file conn_<name>.c ends in `const struct conn_type conn_<name>`. */
#pragma once
#include "flow/connector/lookup.h"
#include "flow/format/format.h"
#include "flow/sink/sink.h"
#include "flow/source/source.h"

struct conn_type {
    const char *name, *doc, *example;
    const struct option_def *options;  /* 'connector' and 'format' (with its own options) are handled outside */
    const char *notes;                 /* more about it, for the reference; NULL = none */
    bool takes_format;                 /* 'format' = ... and that format's options are accepted too */
    /* The option that lists names of parts: an option '<name>.key' is one of a part, and checked by the connector. Its sources
     * may have formats, so there are dead letters. NULL = no parts. */
    const char *parts_option;
    const char *path_option;           /* where its rows lie, when what is written there can be read again; NULL = nobody can tell */
    const struct source_type *source;  /* NULL = cannot be read */
    const struct sink_type *sink;      /* NULL = cannot be written */
    const struct lookup_type *lookup;  /* NULL = finds no key by itself: lookup joins read the source */
};

extern const struct conn_type *const conn_types[]; /* sorted by name, ends with NULL */
/* E_CONFIG naming the nearest one when unknown. */
enum status conn_find(const char *name, const struct conn_type **out, struct err *e) CHECKED;
/* Checks options against the connector's table, plus 'connector', those that all sources share (source_options), and
 * 'format', 'on-error' and the format's options when it takes one. */
enum status conn_options_check(const struct conn_type *conn, const struct options *o, struct err *e) CHECKED;
/* What connectors with a format accept besides their own options: 'format' and 'on-error'. */
extern const struct option_def conn_format_options[];
extern const struct option_def conn_sink_options[]; /* what every sink accepts */
/* What a table of these options brings besides +I: enum changes, bits. What is wrong with the options is said elsewhere. */
uint8_t conn_changes(const struct conn_type *conn, const struct options *o);
/* Can rows of other kinds than +I be written into a table of these options? */
bool conn_takes_changes(const struct conn_type *conn, const struct options *o);
/* The format that the options name; E_CONFIG when none is given or it is unknown. */
enum status conn_format(const struct options *o, const struct fmt_type **out, struct err *e) CHECKED;
/* Does the format take these options and columns, for reading or for writing? */
enum status conn_format_check(const struct options *o, const struct type *row, bool writing, struct err *e) CHECKED;
/* 'on-error' of the options. */
enum on_error conn_on_error(const struct options *o);
