/* record_writer.h - rows to bytes through a format, gathered and written whole: what file, standard output and other byte
 * sinks have in common. Whole records only are ever written, so a failure between two writes leaves no partial line. */
#pragma once
#include "flow/connector/connector.h"

struct record_writer {
    struct sink_cx *cx;
    const struct fmt_type *format;
    struct options options;
    struct arena arena;
    void *encoder;
    struct buf bytes;      /* encoded and not written */
    struct sys_file *file; /* NULL: none is open */
    int64_t written;       /* bytes of this file, those that wait included */
};

enum status record_writer_open(struct record_writer *w, struct sink_cx *cx) CHECKED;
/* Begins with a file; it is closed by record_writer_finish. */
enum status record_writer_start(struct record_writer *w, struct sys_file *file) CHECKED;
enum status record_writer_add(struct record_writer *w, const struct batch *in) CHECKED;
enum status record_writer_flush(struct record_writer *w) CHECKED;
/* Writes what waits, syncs when asked to, and closes the file; it is closed in any case. */
enum status record_writer_finish(struct record_writer *w, bool sync) CHECKED;
/* Drops what was not written. */
void record_writer_close(struct record_writer *w);
