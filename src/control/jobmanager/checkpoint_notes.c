/* checkpoint_notes.c - what tasks and the store say on threads of their own: copied into a note, which
 * waits in a mailbox for the job master, whose own mailbox is given a word that notes are waiting, one at a time: what others have to say does
 * not wait behind as many words as there were notes. */
#include "control/jobmanager/checkpoints_internal.h"

#include <string.h>

static struct note *make_note(enum note_kind kind)
{
    struct mem mem;
    mem_init(&mem, "note", 0);
    struct note *n = mem_zalloc(&mem, sizeof *n);

    mem_init(&n->mem, "note", 0);
    mem_move(&mem, &n->mem);
    n->kind = kind;
    return n;
}

void note_free(struct note *n)
{
    struct mem mem;

    if (n->answer != NULL) snapshot_answer_free(n->answer);
    mem_init(&mem, "note", 0);
    mem_move(&n->mem, &mem);
    mem_release(&mem);
}

static void send_note(struct job_checkpoints *c, struct note *n)
{
    sys_mailbox_send(c->jm->o.sys, c->notes, n);
    if (sys_atomic_exchange(&c->is_told, 1) == 0) sys_mailbox_send(c->jm->o.sys, c->jm->mailbox, &c->jm->notes_are_waiting);
}

static enum status port_chunk(void *arg, const struct snapshot_place *where, struct buf *bytes,
                              struct sys_parker *waiting)
{
    struct job_checkpoints *c = arg;

    return snapshot_store_chunk(c->store, where, bytes, waiting);
}

static void port_acknowledge(void *arg, const struct snapshot_ack *ack)
{
    struct note *n = make_note(NOTE_ACKNOWLEDGE);
    struct node_snapshot *nodes = mem_alloc(&n->mem, sizeof *nodes * (ack->node_count + 1));

    n->ack = *ack;
    n->ack.nodes = nodes;
    for (uint32_t i = 0; i < ack->node_count; i++) {
        nodes[i] = ack->nodes[i];
        if (nodes[i].committables.size == 0) continue;
        char *bytes = mem_alloc(&n->mem, nodes[i].committables.size);
        memcpy(bytes, nodes[i].committables.data, nodes[i].committables.size);
        nodes[i].committables.data = bytes;
    }
    send_note(arg, n);
}

static void port_decline(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask, const struct err *why)
{
    struct note *n = make_note(NOTE_DECLINE);

    n->ack = (struct snapshot_ack){.checkpoint = checkpoint, .vertex = vertex, .subtask = subtask};
    n->err = *why;
    send_note(arg, n);
}

static void port_wants(void *arg, uint32_t vertex, uint32_t subtask)
{
    struct note *n = make_note(NOTE_WANTS);

    n->ack = (struct snapshot_ack){.vertex = vertex, .subtask = subtask};
    send_note(arg, n);
}

static void port_committed(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask)
{
    struct note *n = make_note(NOTE_COMMITTED);

    n->ack = (struct snapshot_ack){.checkpoint = checkpoint, .vertex = vertex, .subtask = subtask};
    send_note(arg, n);
}

void notes_send_answer(void *arg, struct snapshot_answer *a)
{
    struct note *n = make_note(NOTE_ANSWER);

    n->answer = a;
    send_note(arg, n);
}

struct note *notes_take(struct job_checkpoints *c) { return sys_mailbox_take(c->jm->o.sys, c->notes, 0); }

void notes_init(struct job_checkpoints *c)
{
    c->port = (struct snapshot_port){.chunk = port_chunk,
                                     .acknowledge = port_acknowledge,
                                     .decline = port_decline,
                                     .wants = port_wants,
                                     .committed = port_committed,
                                     .arg = c};
    c->notes = sys_mailbox_create(c->jm->o.sys);
}

void notes_release(struct job_checkpoints *c)
{
    struct note *n;

    while ((n = notes_take(c)) != NULL) note_free(n);
    sys_mailbox_free(c->jm->o.sys, c->notes);
}
