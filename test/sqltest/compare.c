/* compare.c - an answer against what its file says. Both become lines: the header, then rows, folded, ordered or as a changelog; a
 * difference is shown as those lines, "-" expected, "+" got. */
#include "sqltest.h"

#include "columns/column/batch.h"
#include "ground/base/buf.h"
#include "ground/base/str.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"+I", "-U", "+U", "-D"};

/* --- rows as lines ----------------------------------------------------------------------------------------------- */
static const char *row_line(struct arena *a, const struct answer *n, const struct answer_row *row, bool with_kind)
{
    struct buf out;

    buf_init(&out, a->mem);
    if (with_kind) buf_printf(&out, "%s ", kinds[row->kind]);
    for (uint32_t c = 0; c < n->column_count; c++) buf_printf(&out, "%s%s", c > 0 ? " | " : "", row->cells[c]);
    const char *text = arena_strndup(a, out.size > 0 ? out.data : "", out.size);
    buf_release(&out);
    return text;
}

/* Do the rows agree in the key's columns (all, when there is no key)? */
static bool same_key(const struct record *r, const struct answer *n, const struct answer_row *x,
                     const struct answer_row *y)
{
    for (uint32_t c = 0; c < n->column_count; c++) {
        bool is_key = r->d.by_count == 0;
        for (uint32_t i = 0; i < r->d.by_count; i++) is_key = is_key || strcmp(r->d.by[i], n->names[c]) == 0;
        if (is_key && strcmp(x->cells[c], y->cells[c]) != 0) return false;
    }
    return true;
}

/* The table that a changelog makes. With a key +U replaces, -U says nothing; a row is taken back that is there, or a line says so. */
static struct lines fold(struct arena *a, const struct record *r, const struct answer *n)
{
    struct answer_row *table = ARENA_ARRAY(a, struct answer_row, MAX(n->row_count, 1u));
    uint32_t count = 0;
    bool by = r->d.by_count > 0;
    struct lines out = {0};

    for (uint32_t i = 0; i < n->row_count; i++) {
        const struct answer_row *row = &n->rows[i];
        bool adds = row->kind == ROW_INSERT || row->kind == ROW_UPDATE_AFTER;
        uint32_t at = count;
        if (by && row->kind == ROW_UPDATE_BEFORE) continue;
        while ((by || !adds) && at > 0 && !same_key(r, n, &table[at - 1], row)) at--;
        bool found = (by || !adds) && at > 0;
        if (adds && found)
            table[at - 1] = *row;
        else if (adds)
            table[count++] = *row;
        else if (found)
            memmove(&table[at - 1], &table[at], sizeof *table * (count-- - at));
        else
            lines_add(&out, a, arena_printf(a, "takes back what is not there: %s", row_line(a, n, row, true)));
    }
    for (uint32_t i = 0; i < count; i++) lines_add(&out, a, row_line(a, n, &table[i], false));
    return out;
}

/* A changelog is one only where nothing runs side by side. */
static enum comparison comparison_of(const struct record *r, const struct mode *m)
{
    return r->d.compare == COMPARE_EXACT && (!mode_is(m, "p1") || mode_is(m, "rocksdb")) ? COMPARE_FOLDED : r->d.compare;
}

struct lines answer_lines(const struct script *s, const struct record *r, const struct mode *m, const struct answer *n)
{
    struct lines out = {0}, rows = {0};

    if (n->failed) {
        struct str rest = str_of(n->error), line;
        while (str_cut(&rest, '\n', &line)) lines_add(&out, s->a, arena_strndup(s->a, line.data, line.size));
        return out;
    }
    if (n->header == NULL) return out;
    lines_add(&out, s->a, n->header);
    if (comparison_of(r, m) != COMPARE_EXACT)
        rows = fold(s->a, r, n);
    else
        for (uint32_t i = 0; i < n->row_count; i++) lines_add(&rows, s->a, row_line(s->a, n, &n->rows[i], true));
    for (uint32_t i = 0; i < rows.count; i++) lines_add(&out, s->a, rows.items[i]);
    return out;
}

/* --- expected lines ---------------------------------------------------------------------------------------------- */
/* Rows of a changelog stand in the file; a mode that compares tables folds them first. */
static struct lines fold_lines(const struct script *s, const struct record *r, const struct answer *n,
                               const struct lines *from)
{
    struct answer file = {.column_count = n->column_count, .names = n->names};
    struct lines out = {0};

    file.rows = ARENA_ARRAY(s->a, struct answer_row, MAX(from->count, 1u));
    for (uint32_t i = 1; i < from->count; i++) {
        struct answer_row *row = &file.rows[file.row_count++];
        const char *text = from->items[i];
        for (row->kind = 0; row->kind < 3 && strncmp(text, kinds[row->kind], 2) != 0;) row->kind++;
        row->cells = ARENA_ARRAY(s->a, const char *, MAX(n->column_count, 1u));
        char *rest = arena_strdup(s->a, strlen(text) > 3 ? text + 3 : "");
        for (uint32_t c = 0; c < n->column_count; c++) {
            char *bar = strstr(rest, " | ");
            row->cells[c] = rest;
            if (bar != NULL) *bar = '\0';
            rest = bar != NULL ? bar + 3 : rest + strlen(rest);
        }
    }
    struct lines rows = fold(s->a, r, &file);
    if (from->count > 0) lines_add(&out, s->a, from->items[0]);
    for (uint32_t i = 0; i < rows.count; i++) lines_add(&out, s->a, rows.items[i]);
    return out;
}

static struct lines expected_lines(const struct script *s, const struct record *r, const struct mode *m,
                                   const struct answer *n)
{
    const struct block *b = record_block(r, m);
    struct lines out = {0};

    for (uint32_t i = 0; b != NULL && i < b->count; i++) lines_add(&out, s->a, s->lines.items[b->first + i]);
    bool folds = r->d.compare == COMPARE_EXACT && comparison_of(r, m) == COMPARE_FOLDED && !n->failed &&
                 n->header != NULL;
    return folds ? fold_lines(s, r, n, &out) : out;
}

/* --- comparing --------------------------------------------------------------------------------------------------- */
static bool cells_near(const char *x, const char *y, double e)
{
    char *x_end, *y_end;
    double a = strtod(x, &x_end), b = strtod(y, &y_end);
    bool numbers = x_end != x && y_end != y && (*x_end == '\0' || *x_end == ' ') && (*y_end == '\0' || *y_end == ' ');

    return numbers && fabs(a - b) <= e * fmax(fabs(a), fabs(b));
}

/* Cell by cell where floating point is compared roughly. */
static bool lines_equal(const struct record *r, const struct answer *n, const char *x, const char *y)
{
    if (strcmp(x, y) == 0) return true;
    if (r->d.approx <= 0 || n->failed || x[0] == '(') return false;
    for (uint32_t c = 0; c < n->column_count; c++) {
        const char *x_bar = strstr(x, " | "), *y_bar = strstr(y, " | ");
        size_t x_size = x_bar != NULL ? (size_t)(x_bar - x) : strlen(x),
               y_size = y_bar != NULL ? (size_t)(y_bar - y) : strlen(y);
        bool same = x_size == y_size && memcmp(x, y, x_size) == 0;
        if (!same && !(n->is_float[c] && cells_near(x, y, r->d.approx))) return false;
        if ((x_bar == NULL) != (y_bar == NULL)) return false;
        if (x_bar == NULL) break;
        x = x_bar + 3;
        y = y_bar + 3;
    }
    return true;
}

static int by_text(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

/* The header stays in front. */
static struct lines sorted(struct arena *a, const struct lines *from)
{
    struct lines out = {0};

    for (uint32_t i = 0; i < from->count; i++) lines_add(&out, a, from->items[i]);
    if (out.count > 2) qsort(out.items + 1, out.count - 1, sizeof *out.items, by_text);
    return out;
}

static bool all_equal(const struct record *r, const struct answer *n, const struct lines *want, const struct lines *got)
{
    bool same = want->count == got->count;

    for (uint32_t i = 0; same && i < want->count; i++) same = lines_equal(r, n, want->items[i], got->items[i]);
    return same;
}

/* The cells of a line that belong to the key, one behind the other. */
static const char *line_key(struct arena *a, const struct record *r, const struct answer *n, const char *line)
{
    const char *key = "";

    for (uint32_t c = 0; c < n->column_count && line != NULL; c++) {
        const char *bar = strstr(line, " | ");
        size_t size = bar != NULL ? (size_t)(bar - line) : strlen(line);
        for (uint32_t i = 0; i < r->d.by_count; i++)
            if (strcmp(r->d.by[i], n->names[c]) == 0) key = arena_printf(a, "%s | %.*s", key, (int)size, line);
        line = bar != NULL ? bar + 3 : NULL;
    }
    return key;
}

/* ORDER BY: the keys come as in the file; rows of one key are free among themselves. */
static bool keys_ordered(struct arena *a, const struct record *r, const struct answer *n, const struct lines *want,
                         const struct lines *got)
{
    for (uint32_t i = 1; i < want->count; i++)
        if (strcmp(line_key(a, r, n, want->items[i]), line_key(a, r, n, got->items[i])) != 0) return false;
    return true;
}

/* Where an error speaks of a row; NULL: it does not. */
static const char *row_of(const char *error)
{
    const char *row = strstr(error, ", row ");

    return row != NULL ? row : strstr(error, " Row: ");
}

/* Where rows run side by side, which of the bad ones is met first is not told. */
static bool errors_agree(const struct mode *m, const struct lines *want, const struct lines *got)
{
    const char *x = want->count > 0 ? want->items[0] : "", *y = got->count > 0 ? got->items[0] : "";
    const char *x_row = row_of(x), *y_row = row_of(y);

    return mode_is(m, "p4") && x_row != NULL && y_row != NULL && x_row - x == y_row - y &&
           memcmp(x, y, (size_t)(x_row - x)) == 0;
}

static bool lines_agree(struct arena *a, const struct record *r, const struct mode *m, const struct answer *n,
                        const struct lines *want, const struct lines *got)
{
    bool is_free = !n->failed && n->header != NULL &&
                   (comparison_of(r, m) == COMPARE_FOLDED || (r->d.compare == COMPARE_ORDERED && r->d.by_count > 0));

    if (!is_free) return all_equal(r, n, want, got) || (n->failed && errors_agree(m, want, got));
    struct lines x = sorted(a, want), y = sorted(a, got);
    return all_equal(r, n, &x, &y) && (r->d.compare != COMPARE_ORDERED || keys_ordered(a, r, n, want, got));
}

/* --- the difference, to be read ---------------------------------------------------------------------------------- */
static void show(struct buf *out, char mark, const char *line) { buf_printf(out, "  %c %s\n", mark, line); }

/* The longest common part stays unmarked. */
static void difference(struct arena *a, const struct lines *want, const struct lines *got, struct buf *out)
{
    uint32_t w = want->count + 1, g = got->count + 1;
    uint32_t *common = ARENA_ARRAY(a, uint32_t, (size_t)w * g), i = 0, j = 0;

    for (uint32_t x = want->count; x-- > 0;)
        for (uint32_t y = got->count; y-- > 0;)
            common[x * g + y] = strcmp(want->items[x], got->items[y]) == 0
                                    ? common[(x + 1) * g + y + 1] + 1
                                    : MAX(common[(x + 1) * g + y], common[x * g + y + 1]);
    while (i < want->count || j < got->count) {
        bool both = i < want->count && j < got->count;
        if (both && strcmp(want->items[i], got->items[j]) == 0)
            show(out, ' ', want->items[i++]), j++;
        else if (j == got->count || (both && common[(i + 1) * g + j] >= common[i * g + j + 1]))
            show(out, '-', want->items[i++]);
        else
            show(out, '+', got->items[j++]);
    }
}

static const char *complaint(const struct script *s, const struct record *r, const struct mode *m, const char *what,
                             const struct lines *want, const struct lines *got)
{
    struct buf out;

    buf_init(&out, s->a->mem);
    buf_printf(&out, "%s:%u: %s (%s)\n    %s\n", s->path, r->line, what, m->name, r->sql);
    difference(s->a, want, got, &out);
    const char *text = arena_strndup(s->a, out.data, out.size);
    buf_release(&out);
    return text;
}

static bool text_matches(const char *regex, const char *text)
{
    regex_t compiled;

    if (regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB) != 0) return false;
    bool matches = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return matches;
}

const char *answer_judge(const struct script *s, const struct record *r, const struct mode *m, const struct answer *n)
{
    struct lines got = answer_lines(s, r, m, n), want = {0};

    if (!n->ran) return NULL;
    if (r->d.error_mode != NULL && mode_is(m, r->d.error_mode)) {
        lines_add(&want, s->a, r->d.error_regex);
        return n->failed && text_matches(r->d.error_regex, n->error) ? NULL
                                                                     : complaint(s, r, m, "another error", &want, &got);
    }
    want = expected_lines(s, r, m, n);
    if (n->failed != r->wants_error)
        return complaint(s, r, m, n->failed ? "it fails" : "it does not fail", &want, &got);
    if (record_block(r, m) == NULL && (r->wants_error || r->verb == VERB_QUERY))
        return complaint(s, r, m, "nothing is expected; write '----' and what should come, or use --update", &want,
                         &got);
    if (r->verb != VERB_QUERY && !r->wants_error) return NULL;
    if (lines_agree(s->a, r, m, n, &want, &got)) return NULL;
    return complaint(s, r, m, "the answer differs", &want, &got);
}
