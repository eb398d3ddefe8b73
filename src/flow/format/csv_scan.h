/* csv_scan.h - where the fields and records of CSV text end: a fast scan of regular text in chunks, and an exact scan
 * of one record of any shape and size that can stop anywhere and go on. Private to the csv format. */
#pragma once
#include "columns/column/batch.h"

enum { CSV_CHUNK = 32 * 1024 };
#define CSV_NONE (-1)

struct csv_syntax {
    char delimiter;
    int quote, escape; /* CSV_NONE = not in use */
    bool comments;     /* lines that begin with # are left out */
};

/* What csv_chunk_scan found. Offsets are from the chunk's start and fit 16 bits. */
struct csv_chunk {
    uint32_t rows;                       /* whole records */
    uint32_t end_count;                  /* entries of ends, those behind the last whole record included */
    uint32_t text_end;                   /* where the last whole record ended, its newline included */
    bool is_open;                        /* the chunk ended inside quotes, or just behind them */
    bool stopped;                        /* the text behind the last record needs the exact scan, or is a comment */
    bool has_quotes, has_high, has_zero; /* some byte of the chunk is a quote, above 0x7f, zero */
    uint16_t row_end[BATCH_ROWS + 65];   /* entries of ends up to and with the record's newline */
    uint16_t ends[CSV_CHUNK + 72];       /* every delimiter and newline outside quotes */
};

/* Scans data[0..size), size <= CSV_CHUNK, which begins at the start of a record, for at most rows_max records. Reads up
 * to 63 bytes beyond size. The escape character is left to the exact scan. */
void csv_chunk_scan(const struct csv_syntax *s, const char *data, uint32_t size, uint32_t rows_max,
                    struct csv_chunk *out);
void csv_chunk_scan_portable(const struct csv_syntax *s, const char *data, uint32_t size, uint32_t rows_max,
                             struct csv_chunk *out);

/* The chunk is the last of its input: what stands behind the last newline is a record too, unless it is odd. */
void csv_chunk_finish(struct csv_chunk *chunk, uint32_t size, uint32_t rows_max);

enum csv_state {
    CSV_FIELD_START,
    CSV_UNQUOTED,
    CSV_QUOTED,
    CSV_AFTER_QUOTE,
    CSV_AFTER_RETURN, /* closing quote, carriage return */
    CSV_ESCAPE_UNQUOTED,
    CSV_ESCAPE_QUOTED,
};

struct csv_field {
    uint32_t start, end; /* raw text, quotes included */
};

/* One record on its way: clear it with csv_record_start, feed the same record from its start, longer each time. */
struct csv_record {
    enum csv_state state;
    uint32_t at;          /* bytes looked at */
    uint32_t field_count; /* may pass fields_max: counted, not kept */
    uint32_t field_start;
    uint32_t quote_at; /* where the last quoted field began */
    uint32_t bad_at;   /* text after a closing quote; UINT32_MAX = none */
    bool is_open;      /* the input ended inside quotes */
    uint32_t end;      /* of the record's text, line end left out */
    uint32_t size;     /* bytes of the record with its line end */
    uint32_t fields_max;
    struct csv_field *fields;
};

void csv_record_start(struct csv_record *r);
/* true = the record is whole: its newline was found, or at_end. false = more bytes are needed. */
bool csv_record_scan(const struct csv_syntax *s, struct csv_record *r, const char *data, uint32_t size,
                     bool at_end) CHECKED;

/* Newlines in data[0..size). */
uint64_t csv_count_newlines(const char *data, size_t size);
