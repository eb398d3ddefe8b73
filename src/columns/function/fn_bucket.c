/* fn_bucket.c - what plans compute to spread values over groups of their own (plan/split_distinct.c). Not for users: the name begins
 * with $. A bucket follows from the value alone, so that a row that is taken back finds the one where it was. */
#include "columns/function/fn_kernels.h"

static void bucket(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i)
    {
        uint64_t count = (uint64_t)VECTOR_VALUES(vector_values(args[1]), int32_t)[vector_at(args[1], i)];
        uint64_t hash = vector_is_null(args[0], i) ? 0 : vector_hash(args[0], i);
        VECTOR_VALUES(out, int32_t)[i] = (int32_t)(hash % count);
    }
}

static enum status bind_bucket(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count != 2 || c->constants[1] == NULL || c->args[1]->kind != T_INT || vector_is_null(c->constants[1], 0) ||
        VECTOR_VALUES(c->constants[1], int32_t)[0] < 1)
        return err_set(e, E_GRAPH, "$HASH_BUCKET takes a value and the number of buckets");
    c->result = type_new(a, T_INT, 0, 0, false);
    c->run = bucket;
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "$HASH_BUCKET", .doc = "one of so many buckets, by the value's hash", .nulls = FN_OWN_NULLS, .bind = bind_bucket},
    {0},
};

const struct fn_type fn_bucket = {.name = "bucket",
                                  .doc = "values spread over groups",
                                  .example = "SELECT COUNT(DISTINCT a) FROM t",
                                  .functions = functions};
