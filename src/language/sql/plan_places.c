/* plan_places.c - where the nodes of a plan stand in the statement that they were made of, so that what is found out only when the whole
 * plan is known (a sink that takes no changes, a join without a key) is shown there.
 *
 * The binder goes from the inside out: what it has just made gets the place of the clause at hand, and what lies below has the place of
 * its own already. Rewrites hand places on (rel_say_as); a node that none of them knows the origin of has that of the node above. */
#include "language/sql/plan_places.h"

#include "language/sql/token.h"

void plan_place(struct arena *a, struct rel *r, const struct tokens *t, struct ast_place place)
{
    if (r->said != NULL || place.size == 0) return;
    struct rel_said *said = ARENA_NEW(a, struct rel_said);
    *said = (struct rel_said){t, place};
    rel_say(r, said);
}

enum status plan_fail(struct err *e, const struct rel_said *said, const struct err *inner)
{
    if (said == NULL || inner->excerpt[0] != '\0') return err_pass_on(e, inner);
    if (inner->hint[0] != '\0') err_hint(e, "%s", inner->hint);
    return sql_error(e, said->t, said->place.at, said->place.size, "%s", inner->text);
}
