/* plan_file.c - see the header. The nodes are for people and tools that compare plans: their ids are those of the job graph, stable as
 * long as the statement's meaning is; what runs is the graph alone, whose digest is written beside it. */
#include "surface/sql/plan_file.h"

#include "flow/format/format.h"
#include "flow/format/value_parse.h"
#include "flow/format/value_print.h"
#include "ground/base/str.h"
#include "surface/gateway/answer.h"

#include <string.h>

/* --- writing ----------------------------------------------------------------------------------------------------- */
static void member(const char *key, struct str value, struct buf *out)
{
    buf_printf(out, "  \"%s\" : ", key);
    answer_quote(value, out);
    buf_append_text(out, ",\n");
}

static void lines_write(const char *key, struct str text, struct buf *out)
{
    bool first = true;

    buf_printf(out, "  \"%s\" : [", key);
    for (size_t at = 0; at < text.size; first = false) {
        const char *end = memchr(text.data + at, '\n', text.size - at);
        size_t size = end != NULL ? (size_t)(end - text.data) - at : text.size - at;
        buf_append_text(out, first ? "\n    " : ",\n    ");
        answer_quote((struct str){text.data + at, size}, out);
        at += size + 1;
    }
    buf_append_text(out, "\n  ],\n");
}

static void inputs_write(const struct graph *g, uint32_t node, struct buf *out)
{
    bool first = true;

    buf_append_text(out, ", \"inputs\" : [");
    for (uint32_t i = 0; i < g->edge_count; i++) {
        const struct graph_edge *edge = g->edges[i];
        if (edge->to != node) continue;
        buf_printf(out, "%s{ \"id\" : \"%s\", \"ship\" : \"%s\" }", first ? " " : ", ", g->nodes[edge->from]->id,
                   partitioner_names[edge->partitioner]);
        first = false;
    }
    buf_append_text(out, first ? "]" : " ]");
}

static void node_write(const struct graph *g, uint32_t i, struct buf *out)
{
    const struct graph_node *n = g->nodes[i];
    struct buf type;

    buf_printf(out, "    { \"id\" : \"%s\", \"type\" : \"%s\", \"name\" : ", n->id, n->type->name);
    answer_quote(str_of(n->name), out);
    if (n->description != NULL) {
        buf_append_text(out, ", \"description\" : ");
        answer_quote(str_of(n->description), out);
    }
    buf_printf(out, ", \"parallelism\" : %u", n->parallelism);
    inputs_write(g, i, out);
    if (n->plan.output_count > 0 && n->plan.outputs[0] != NULL) {
        buf_init(&type, g->arena->mem);
        type_print(n->plan.outputs[0], &type);
        buf_append_text(out, ", \"outputType\" : ");
        answer_quote((struct str){buf_text(&type), type.size}, out);
        buf_release(&type);
    }
    buf_append_text(out, " }");
}

/* Of the graph, and of what is replaced where something is. */
static void digest_of(struct str graph, struct str replaced, char hex[static 65])
{
    struct sha256 both[2], digest;

    sha256_of(graph.data, graph.size, &digest);
    if (replaced.size > 0) {
        both[0] = digest;
        sha256_of(replaced.data, replaced.size, &both[1]);
        sha256_of(both, sizeof both, &digest);
    }
    sha256_hex(&digest, hex);
}

void plan_file_write(const struct plan_file_text *t, const struct graph *g, struct buf *out)
{
    char hex[65];

    digest_of(t->graph, t->replaced, hex);
    buf_printf(out, "{\n  \"thalwegPlan\" : %d,\n", PLAN_FILE_VERSION);
    member("thalwegVersion", STR(THALWEG_VERSION), out);
    member("statement", t->statement, out);
    lines_write("plan", t->plan, out);
    buf_append_text(out, "  \"nodes\" : [\n");
    for (uint32_t i = 0; i < g->node_count; i++) {
        node_write(g, i, out);
        buf_append_text(out, i + 1 < g->node_count ? ",\n" : "\n");
    }
    buf_append_text(out, "  ],\n");
    if (t->replaced.size > 0) buf_printf(out, "  \"replaced\" : %.*s,\n", (int)t->replaced.size, t->replaced.data);
    member("graphDigest", str_of(hex), out);
    buf_append_text(out, "  \"graph\" : \"");
    base64_encode(t->graph, out);
    buf_append_text(out, "\"\n}\n");
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
static enum status check_version(struct str text, struct err *e)
{
    struct str version = answer_member(text, "thalwegPlan");

    if (version.size == 0 && answer_member(text, "flinkVersion").size > 0) {
        err_hint(e, "COMPILE PLAN its statement here");
        return err_set(e, E_UNSUPPORTED, "Flink wrote this plan, whose nodes are Java's");
    }
    if (version.size == 0) return err_set(e, E_DATA, "it is no compiled plan: \"thalwegPlan\" is missing");
    if (answer_int(version, -1) == PLAN_FILE_VERSION) return S_OK;
    err_hint(e, "COMPILE PLAN its statement again");
    return err_set(e, E_UNSUPPORTED, "it is a compiled plan of version %.*s, this program reads version %d",
                   (int)MIN(version.size, 20u), version.data, PLAN_FILE_VERSION);
}

static enum status graph_read(struct str text, struct arena *a, struct str replaced, struct str *out, struct err *e)
{
    const char *base64 = answer_text(answer_member(text, "graph"), a),
               *said = answer_text(answer_member(text, "graphDigest"), a);
    char hex[65];

    if (base64 == NULL || said == NULL)
        return err_set(e, E_DATA, "it is damaged: \"graph\" or \"graphDigest\" is missing");
    struct str packed = str_of(base64);
    char *bytes = arena_alloc(a, packed.size / 4 * 3 + 3);
    if (!base64_decode(packed, bytes, &out->size) || out->size > GRAPH_BYTES_MAX)
        return err_set(e, E_DATA, "it is damaged: \"graph\" is not the base64 of a job graph");
    out->data = bytes;
    digest_of(*out, replaced, hex);
    if (strcmp(hex, said) == 0) return S_OK;
    err_hint(e, "nodes are for reading alone: COMPILE PLAN the statement again to change them");
    return err_set(e, E_DATA, "it is damaged: \"graph\" is not what was compiled");
}

/* Lines of the plan as one text. */
static struct str lines_read(struct str array, struct arena *a)
{
    struct buf text;
    struct str item;
    size_t at = 0;

    buf_init(&text, a->mem);
    while (answer_next(array, &at, &item)) {
        const char *line = answer_text(item, a);
        buf_printf(&text, "%s\n", line != NULL ? line : "");
    }
    struct str out = {arena_strndup(a, buf_text(&text), text.size), text.size};
    buf_release(&text);
    return out;
}

enum status plan_file_read(struct str text, struct arena *a, struct plan_file_text *out, struct err *e)
{
    struct err inner = {0};

    if (answer_check(text, a->mem, &inner) != S_OK)
        return err_set(e, E_DATA, "%s",
                       inner.text + (str_starts(str_of(inner.text), STR("the answer ")) ? strlen("the answer ") : 0));
    while (text.size > 0 &&
           (text.data[0] == ' ' || text.data[0] == '\n' || text.data[0] == '\r' || text.data[0] == '\t'))
        text = (struct str){text.data + 1, text.size - 1};
    TRY(check_version(text, e));
    const char *statement = answer_text(answer_member(text, "statement"), a);
    if (statement == NULL) return err_set(e, E_DATA, "it is damaged: \"statement\" is missing");
    out->statement = str_of(statement);
    out->plan = lines_read(answer_member(text, "plan"), a);
    out->replaced = answer_member(text, "replaced");
    return graph_read(text, a, out->replaced, &out->graph, e);
}
