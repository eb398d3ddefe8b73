/* job_places.c - see the header. A path is told by its text: absolute, without scheme, doubled slashes and dots that say nothing. What
 * symbolic links mean is not looked up, since the path need not be there yet. */
#include "surface/sql/job_places.h"

#include "flow/connector/connector.h"
#include "flow/operator/op_configs.h"
#include "ground/base/str.h"
#include "ground/fs/fs.h"

#include <string.h>

/* --- paths ------------------------------------------------------------------------------------------------------- */
/* Appends the parts of a path to one that ends in none: "/a" and "./b//c/../d/" are "/a/b/d". */
static void parts_add(struct buf *out, struct str path)
{
    struct str part;

    while (str_cut(&path, '/', &part)) {
        if (part.size == 0 || str_equal(part, STR("."))) continue;
        if (memchr(part.data, '*', part.size) != NULL || memchr(part.data, '?', part.size) != NULL) return;
        if (str_equal(part, STR(".."))) {
            while (out->size > 0 && out->data[out->size - 1] != '/') out->size--;
            if (out->size > 0) out->size--;
            continue;
        }
        buf_append_byte(out, '/');
        buf_append(out, part.data, part.size);
    }
}

const char *job_place_of_file(const char *path, struct sys *sys, struct arena *a)
{
    const struct fs_type *fs;
    const char *bare;
    char here[SYS_PATH_MAX];
    struct buf out;

    if (fs_find(path, &fs, &bare, NULL) != S_OK) return NULL;
    buf_init(&out, a->mem);
    if (bare[0] != '/' && sys_file_real(sys, ".", here, sizeof here, NULL) == S_OK) parts_add(&out, str_of(here));
    parts_add(&out, str_of(bare));
    const char *text = arena_strndup(a, out.size > 0 ? out.data : "", out.size);
    buf_release(&out);
    return text;
}

const char *job_place(const char *connector, const struct options *o, struct sys *sys, struct arena *a)
{
    const struct conn_type *c;

    if (connector == NULL || conn_find(connector, &c, NULL) != S_OK || c->path_option == NULL) return NULL;
    const char *path = options_get(o, c->options, c->path_option);
    return path != NULL ? job_place_of_file(path, sys, a) : NULL;
}

bool job_places_touch(const char *x, const char *y)
{
    size_t n = MIN(strlen(x), strlen(y));

    return strncmp(x, y, n) == 0 && (x[n] == '\0' || x[n] == '/') && (y[n] == '\0' || y[n] == '/');
}

/* --- jobs -------------------------------------------------------------------------------------------------------- */
static bool source_ends(const struct source_config *s)
{
    const struct conn_type *c;

    if (conn_find(s->connector, &c, NULL) != S_OK || c->source == NULL) return false;
    return c->source->boundedness == NULL || c->source->boundedness(&s->options, c->options) == BOUNDED;
}

void job_places_of(const struct graph *g, struct sys *sys, struct arena *a, struct job_places *out)
{
    const struct op_type *source = op_find("source"), *sink = op_find("sink");
    const char **written = ARENA_ARRAY(a, const char *, g->node_count + 1),
               **read = ARENA_ARRAY(a, const char *, g->node_count + 1);
    const char *place;

    *out = (struct job_places){.ends = true, .written = written, .read = read};
    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[i];
        if (n->type == sink) {
            const struct sink_config *c = n->config;
            if ((place = job_place(c->connector, &c->options, sys, a)) != NULL) written[out->written_count++] = place;
        } else if (n->type == source) {
            const struct source_config *c = n->config;
            out->ends &= source_ends(c);
            if ((place = job_place(c->connector, &c->options, sys, a)) != NULL) read[out->read_count++] = place;
        } else if (n->type->flags & OP_SOURCE) {
            out->ends = false; /* a program's own */
        }
    }
}
