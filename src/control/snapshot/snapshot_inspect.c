/* snapshot_inspect.c - reads the chunks of all operators one by one and has flow/state say what is in them.
 *
 * Invariants: of chunks one is in memory at a time. Not here: the bytes of chunks (flow/state/snapshot_survey.c), how it is shown. */
#include "control/snapshot/snapshot_inspect.h"

struct inspection {
    struct snapshot_reader *reader;
    struct inspected_operator *to;
    struct err *e;
};

/* Where the chunk lies: an object of its own, or the metadata. */
static enum status damaged(const struct inspection *c, uint32_t subtask, uint32_t number)
{
    const struct snapshot_operator *o = c->to->saved;
    const struct snapshot_handle *h = &o->subtasks[subtask].handles[number];

    if (h->path != NULL)
        err_wrap(c->e, "'%s/%s'", c->reader->folder, h->path);
    else
        err_wrap(c->e, "'%s/_metadata': chunk %u of operator '%s' (subtask %u/%u)", c->reader->folder, number + 1,
                 o->name, subtask + 1, o->parallelism);
    return E_DATA;
}

static enum status subtask_inspect(struct inspection *c, uint32_t subtask)
{
    const struct snapshot_subtask *s = &c->to->saved->subtasks[subtask];
    enum status st = S_OK;

    c->to->committables += s->committables.size;
    c->to->finished += s->is_finished;
    for (uint32_t i = 0; i < s->handle_count && st == S_OK; i++) {
        struct mem mem;
        struct str bytes;
        mem_init(&mem, "chunk", 0);
        st = snapshot_reader_chunk(c->reader, &s->handles[i], &mem, &bytes, c->e);
        if (st == S_OK && state_survey_add(&c->to->states, subtask, bytes, c->e) != S_OK) st = damaged(c, subtask, i);
        mem_release(&mem);
        c->to->bytes += s->handles[i].size;
        c->to->chunks++;
    }
    return st;
}

enum status snapshot_inspect(struct snapshot_reader *r, const struct inspected_operator **out, struct err *e)
{
    const struct snapshot_metadata *m = &r->metadata;
    struct inspected_operator *all = ARENA_ARRAY(&r->arena, struct inspected_operator, m->operator_count + 1);

    for (uint32_t i = 0; i < m->operator_count; i++) {
        struct inspection c = {.reader = r, .to = &all[i], .e = e};
        all[i] = (struct inspected_operator){.saved = &m->operators[i]};
        state_survey_begin(&all[i].states, &r->arena);
        for (uint32_t t = 0; t < m->operators[i].parallelism; t++) TRY(subtask_inspect(&c, t));
    }
    *out = all;
    return S_OK;
}
