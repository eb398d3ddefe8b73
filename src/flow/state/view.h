/* view.h - what user functions call state: value, list, map, reducing and aggregating state of the current key, and
 * operator state without keys. Views are thin: a value is a row of a MAP table, a list a LOG, a map a MAP with a map key.
 *
 * Per input batch: views_begin resolves the keys for every view (S_PENDING: come again with the same batch), then for
 * each row views_row(i) and the user's function, at last views_end. A value, list or map that the function never writes
 * leaves nothing behind. Pointers to rows and strings hold until views_end or the next change of that value.
 * A value row's fields lie where view_layout says (row.h); a value that may be NULL is a nullable field. */
#pragma once
#include "flow/state/shape.h"

enum view_kind { VIEW_VALUE, VIEW_LIST, VIEW_MAP, VIEW_REDUCING, VIEW_AGGREGATING };

/* It and its types outlive the views. */
struct view_def {
    const char *name;
    uint8_t kind;               /* enum view_kind */
    const struct type *value;   /* T_ROW: the value; the element of a list; the value of a map; the accumulator */
    const struct type *map_key; /* VIEW_MAP: T_ROW */
    struct state_ttl ttl;       /* per element in lists, per entry in maps */
};

struct view;
struct views;

enum status views_create(struct state_host *h, const struct type *key, struct views **out, struct err *e) CHECKED;
/* The first group_cols key columns alone decide the key group (state_hash_within). Before the first view is added. */
void views_within(struct views *vs, uint32_t group_cols);
void views_free(struct views *vs); /* NULL is a no-op */
/* E_EXISTS when the name is taken. */
enum status views_add(struct views *vs, const struct view_def *def, struct view **out, struct err *e) CHECKED;
struct view *views_find(struct views *vs, const char *name); /* NULL when absent */

enum status views_begin(struct views *vs, int64_t ns, const struct state_keys *keys) CHECKED;
/* Plain values need no table of their own where their owner keeps a row per key anyway. How many words they take there,
 * all zero while none is set; 0: lists, maps, strings, or what has a time to live must be resolved. */
uint32_t views_words(const struct views *vs);
/* Instead of views_begin: the words of key i lie at rows[i] + offset. The owner resolves them, and marks them as changed. */
void views_begin_in(struct views *vs, void *const *rows, uint32_t offset);
/* Where in those rows the value lies: a word that says whether it is set, then its row. */
uint32_t view_place(const struct view *v);
void views_row(struct views *vs, uint32_t i); /* the i-th key of views_begin is the current one */
void views_end(struct views *vs);
/* Drops every view's rows of a namespace; lists them. */
void views_drop(struct views *vs, int64_t ns);
struct state_table *view_table(struct view *v);           /* of the present namespace: to walk all keys (state_each) */
const struct state_layout *view_layout(const struct view *v); /* of the value rows */
struct str view_text_get(const struct view *v, const struct state_text *field);
void view_text_set(struct view *v, struct state_text *field, struct str value); /* in a row of the current namespace */

/* Value, reducing, aggregating. */
const void *view_value_get(struct view *v); /* NULL: not set */
/* The row to write to, zeroed when it was not set; is_new may be NULL. From now on it is set. */
void *view_value_edit(struct view *v, bool *is_new);
void view_clear(struct view *v); /* any kind */

/* value = value == none ? row : fn(value, row): fn changes accumulator in place through view_layout and view_text_set. */
typedef enum status (*view_fold_fn)(void *arg, struct view *v, void *accumulator, const void *input, bool is_first);
enum status view_fold(struct view *v, view_fold_fn fn, void *arg, const void *input) CHECKED;

/* List. Rows to add are probe rows (state_probe) of the view's layout. */
enum status view_list_add(struct view *v, const void *probe_row) CHECKED;
/* for (void *r = view_list_next(v, &c); r; r = view_list_next(v, &c)) in insertion order; c starts as zero. */
struct view_cursor {
    struct state_scan scan;
    bool has_begun, has_fresh; /* has_fresh: something that is not expired was there */
};
void *view_list_next(struct view *v, struct view_cursor *c);
void *view_list_peek(struct view *v, struct view_cursor *c); /* the same, but it is no access and cleans nothing up */
uint32_t view_list_count(struct view *v);

/* Map. Keys are probe rows of view_key_layout. */
const struct state_layout *view_key_layout(const struct view *v);
void *view_map_get(struct view *v, const void *probe_key);                       /* NULL: absent */
void *view_map_put(struct view *v, const void *probe_key, bool *is_new);          /* the row to write to */
bool view_map_remove(struct view *v, const void *probe_key);                      /* was it there? */
uint32_t view_map_count(struct view *v);
/* Entries in insertion order; the key's row through view_map_key. Entries may be removed during a walk, not added. */
void *view_map_next(struct view *v, struct view_cursor *c);
const void *view_map_key(const struct view *v, const void *row);

/* ---- Operator state: one list or map per subtask, no keys. How a restore shares it out is its kind. */
enum opstate_kind {
    OPSTATE_LIST,      /* split evenly over the subtasks */
    OPSTATE_UNION,     /* every subtask gets all of it */
    OPSTATE_BROADCAST, /* a map, the same in every subtask */
};
struct opstate;

/* value, map_key (BROADCAST only): T_ROW, outliving the state. */
enum status opstate_create(struct state_host *h, const char *name, enum opstate_kind kind, const struct type *map_key,
                           const struct type *value, struct opstate **out, struct err *e) CHECKED;
/* The same, of a user's rows: their fields may be others at a restore (STATE_UPGRADE_FIELDS). */
enum status opstate_create_fields(struct state_host *h, const char *name, enum opstate_kind kind, const struct type *map_key,
                                  const struct type *value, struct opstate **out, struct err *e) CHECKED;
void opstate_free(struct opstate *s);
const struct state_layout *opstate_layout(const struct opstate *s);
const struct state_layout *opstate_key_layout(const struct opstate *s);
struct state_table *opstate_table(struct opstate *s);
enum status opstate_add(struct opstate *s, const void *probe_row) CHECKED; /* lists */
void opstate_clear(struct opstate *s);
/* Lists, as batches of their value type: appends the rows of b; appends rows from where c (zero at first) stands to `out` up to its
 * capacity, true as long as there were some. */
enum status opstate_append(struct opstate *s, const struct batch *b) CHECKED;
bool opstate_load(struct opstate *s, struct view_cursor *c, struct batch *out);
uint32_t opstate_count(struct opstate *s);
void *opstate_next(struct opstate *s, struct view_cursor *c); /* rows in insertion order */
void *opstate_get(struct opstate *s, const void *probe_key);  /* broadcast */
void *opstate_put(struct opstate *s, const void *probe_key, bool *is_new);
bool opstate_remove(struct opstate *s, const void *probe_key);
const void *opstate_key(const struct opstate *s, const void *row);
void opstate_text_set(struct opstate *s, struct state_text *field, struct str value);
