/* jdoc.h - JSON documents for functions: text to a flat list of nodes, SQL/JSON paths over them, and back to text.
 *
 * A document is read once per row into memory that is kept. Nodes lie in the order of the text: the children of a node follow it,
 * `next` is where its next sibling would stand. As Jackson does, only the first value of a text is read; of equal keys the last
 * counts. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/err.h"
#include "ground/base/str.h"

enum { JDOC_DEPTH_MAX = 1000, JPATH_STEPS_MAX = 256, JPATH_SCANS_MAX = 2, JPATH_HITS_MAX = 1 << 20 };
enum jkind { J_NULL, J_FALSE, J_TRUE, J_INT, J_REAL, J_STRING, J_ARRAY, J_OBJECT };

struct jnode {
    uint8_t kind;    /* enum jkind */
    bool hidden;     /* by a later member of the same name; known after jdoc_hide */
    uint32_t next;   /* the node behind this one and all in it */
    struct str key;  /* in an object */
    struct str text; /* STRING: without quotes and escapes; numbers: as written */
};

struct jdoc {
    struct mem *mem;
    struct jnode *nodes; /* 0 is the root */
    uint32_t count, capacity;
    size_t end;        /* bytes of the text that were read */
    struct buf bytes;  /* texts without their escapes */
    struct buf digits; /* work space of the writer */
    uint32_t *order;
    uint32_t order_used, order_capacity;
};

void jdoc_init(struct jdoc *d, struct mem *mem);
void jdoc_release(struct jdoc *d);
bool jdoc_read(struct jdoc *d, struct str text); /* false: it is no JSON */
/* Members of an object, elements of an array. */
#define JDOC_EACH(d, parent, child)                                                                                    \
    for (uint32_t child = (parent) + 1; child < (d)->nodes[parent].next; child = (d)->nodes[child].next)
/* The last member of that name; UINT32_MAX: there is none. */
uint32_t jdoc_member(const struct jdoc *d, uint32_t object, struct str key);
/* The members of an object in the order of their keys: that many places, as long as the writer's work space stands. */
uint32_t *jdoc_order(struct jdoc *d, uint32_t object, uint32_t *count);
void jdoc_hide(struct jdoc *d, uint32_t object); /* members that others of the same name follow */
/* Keys in order, each once, no blanks; numbers as Java's BigDecimal. */
void jdoc_write(struct jdoc *d, uint32_t node, struct buf *out);
/* A scalar without quotes. */
void jdoc_write_plain(struct jdoc *d, uint32_t node, struct buf *out);
void jtext_write(struct str text, struct buf *out); /* "text", escaped */

/* --- paths: [strict|lax] $.a['b'][0,1][1:2].*..c */
enum jstep_kind { JSTEP_KEYS, JSTEP_PLACES, JSTEP_SLICE, JSTEP_ALL, JSTEP_SCAN };
struct jstep {
    uint8_t kind; /* enum jstep_kind */
    bool has_from, has_to;
    uint32_t count;
    struct str *keys;
    int32_t *places; /* SLICE: from, to */
};
struct jpath {
    bool lax;
    bool definite; /* one value at most */
    uint32_t count;
    struct jstep *steps;
};
enum status jpath_compile(struct arena *a, struct str text, struct jpath *out, struct err *e) CHECKED;

/* One value, or an object of some of a node's members. */
struct jhit {
    uint32_t node;
    const struct jstep *members; /* NULL = the node */
};
enum jresult { JRES_ERROR, JRES_NULL, JRES_ONE, JRES_LIST };
/* What a path finds; hits stay until the next call. */
struct jfound {
    struct mem *mem;
    enum jresult result;
    struct jhit *hits;
    uint32_t count, capacity;
};
/* valid: the document could be read. */
void jpath_find(const struct jpath *p, struct jdoc *d, bool valid, struct jfound *out);
void jhit_write(struct jdoc *d, const struct jhit *hit, struct buf *out);
bool jhit_is_scalar(const struct jdoc *d, const struct jhit *hit);
