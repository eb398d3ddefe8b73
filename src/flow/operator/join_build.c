/* join_build.c - a join in batch mode that keeps one side, which is read first. Rows of the other side that come before it has ended are
 * held back as they come, beyond memory in files (a row_sort without an order); once it has, they and all that follow meet what is kept,
 * and go: those that come alone do so at once. Where the side did not fit memory, they are put aside as join_beyond.c says.
 *
 * Where the side's rows go to all tasks (everywhere), each task keeps keys of all key groups. */
#include "flow/operator/join_run.h"

#include <string.h>

enum { SHARE_OF_SORT = 8 }; /* of the memory */

static uint32_t probing(const struct join *s) { return 1 - (uint32_t)s->build.side; }

enum status join_build_open(struct op_cx *cx, struct join *s)
{
    const struct join_config *c = cx->config;
    struct join_build *b = &s->build;

    b->side = JOIN_BUILDS_BOTH;
    if (c->build == NULL || c->build[0] == '\0') return S_OK;
    if (strcmp(c->build, "left") != 0 && strcmp(c->build, "right") != 0)
        return err_set(cx->err, E_CONFIG, "a join keeps its 'left' side, its 'right' one, or both, not '%s'", c->build);
    if (!c->at_end) return err_set(cx->err, E_CONFIG, "a join whose rows change keeps both sides");
    b->side = strcmp(c->build, "left") == 0 ? 0 : 1;
    if (c->everywhere) state_host_take_all(cx->state);
    b->spill = c->spill;
    if (b->spill.memory > 0) b->spill.memory = MAX(b->spill.memory / SHARE_OF_SORT, (int64_t)1);
    const struct type *row = cx->plan->inputs[probing(s)];
    const uint64_t *needed = cx->needed_in != NULL ? cx->needed_in[probing(s)] : NULL;
    row_sort_init(&b->held, cx, &b->spill, row, needed, NULL, 0);
    b->stage = batch_create_needed(row, needed, MAX(cx->batch_rows, 2u), cx->mem);
    return S_OK;
}

void join_build_close(struct join *s)
{
    row_sort_release(&s->build.held);
    batch_free(s->build.stage);
}

enum status join_build_probe(struct op_cx *cx, struct join *s, const struct batch *in)
{
    if (!s->has_ended[s->build.side]) {
        s->build.is_holding = true;
        return row_sort_add(&s->build.held, in);
    }
    if (s->beyond.is_full) return join_beyond_add(cx, s, probing(s), in);
    if (!s->begun) memset(s->marks, 0, sizeof s->marks);
    s->fate = JOIN_LAST;
    return join_meet(cx, s, probing(s), in);
}

static enum status stage_fill(struct join_build *b)
{
    batch_clear(b->stage);
    enum status st = row_sort_next(&b->held, b->stage, b->stage->capacity);
    if (st != S_OK && st != S_MORE) return st;
    b->is_over = st == S_OK;
    b->is_staged = true;
    return S_OK;
}

enum status join_build_release(struct op_cx *cx, struct join *s)
{
    struct join_build *b = &s->build;

    if (!b->is_holding) return S_OK;
    if (!b->is_staged) TRY(stage_fill(b));
    if (b->stage->count > 0) TRY(join_build_probe(cx, s, b->stage));
    b->is_staged = false;
    if (!b->is_over) return S_MORE;
    b->is_holding = false;
    row_sort_release(&b->held);
    return S_MORE;
}
