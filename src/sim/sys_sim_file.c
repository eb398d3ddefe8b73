/* sys_sim_file.c - the simulated disk: files and folders in memory, and standard streams that are kept as text.
 *
 * A flat list of nodes by their full path, sorted, so that a folder's entries come sorted too. A deleted or replaced file
 * lives on for those who have it open, as on Linux. Sentences and statuses are those of the Linux world. */
#include "ground/base/str.h"
#include "sim/world.h"

#include <string.h>

struct sim_node {
    struct sim_node *next; /* by path */
    char *path;
    bool is_directory, is_linked;
    uint32_t mode;
    uint32_t opened;
    int64_t modified_ms;
    struct buf bytes;
    struct buf synced;  /* what a loss of power leaves for certain */
    char *durable_path; /* the name that it leaves; NULL = none */
};

static struct sim_world *world_of(struct sys *s) { return (struct sim_world *)s; }

static struct sim_node **place_of(struct sim_world *w, const char *path)
{
    struct sim_node **at = &w->root;

    while (*at != NULL && strcmp((*at)->path, path) < 0) at = &(*at)->next;
    return at;
}

static char *copy_text(struct sim_world *w, const char *text, size_t size)
{
    char *copy = mem_alloc(&w->mem, size + 1);

    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

/* Without slashes at its end or side by side; the root stays. Of the caller, freed by him. */
static char *plain_path(struct sim_world *w, const char *path)
{
    char *plain = copy_text(w, path, strlen(path));
    size_t size = 0;

    for (const char *from = path; *from != '\0'; from++)
        if (*from != '/' || size == 0 || plain[size - 1] != '/') plain[size++] = *from;
    while (size > 1 && plain[size - 1] == '/') size--;
    plain[size] = '\0';
    return plain;
}

static struct sim_node *find(struct sim_world *w, const char *path)
{
    char *plain = plain_path(w, path);
    struct sim_node *n = *place_of(w, plain);

    if (n != NULL && strcmp(n->path, plain) != 0) n = NULL;
    mem_free(&w->mem, plain);
    return n;
}

static bool is_root(const char *path) { return strcmp(path, "/") == 0 || strcmp(path, ".") == 0; }

static bool parent_exists(struct sim_world *w, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL || slash == path) return true;
    char *parent = copy_text(w, path, (size_t)(slash - path));
    struct sim_node *n = find(w, parent);
    mem_free(&w->mem, parent);
    return n != NULL && n->is_directory;
}

/* Does the path lead through a file, as through a folder? */
static bool is_below_file(struct sim_world *w, const char *path)
{
    char *part = plain_path(w, path);
    bool found = false;

    for (char *slash; !found && (slash = strrchr(part, '/')) != NULL && slash != part;) {
        *slash = '\0';
        struct sim_node *n = find(w, part);
        found = n != NULL && !n->is_directory;
    }
    mem_free(&w->mem, part);
    return found;
}

static struct sim_node *add(struct sim_world *w, const char *path, bool is_directory)
{
    struct sim_node *n = mem_zalloc(&w->mem, sizeof *n);

    n->path = plain_path(w, path);
    struct sim_node **at = place_of(w, n->path);
    n->is_directory = is_directory;
    n->is_linked = true;
    n->mode = is_directory ? 0755 : 0644;
    n->modified_ms = w->now_ns / 1000000;
    buf_init(&n->bytes, &w->mem);
    buf_init(&n->synced, &w->mem);
    n->next = *at;
    *at = n;
    return n;
}

static void set_durable(struct sim_world *w, struct sim_node *n, const char *path)
{
    mem_free(&w->mem, n->durable_path);
    n->durable_path = path != NULL ? copy_text(w, path, strlen(path)) : NULL;
}

static void drop_unused(struct sim_world *w, struct sim_node *n)
{
    if (n->is_linked || n->opened > 0 || n->durable_path != NULL) return;
    buf_release(&n->bytes);
    buf_release(&n->synced);
    mem_free(&w->mem, n->path);
    mem_free(&w->mem, n);
}

static void unlink_node(struct sim_world *w, struct sim_node *n)
{
    struct sim_node **at = place_of(w, n->path);

    ASSERT(*at == n);
    *at = n->next;
    n->is_linked = false;
    if (!w->faults.is_on) set_durable(w, n, NULL);
    if (n->durable_path != NULL) {
        n->next = w->ghosts;
        w->ghosts = n;
    }
    drop_unused(w, n);
}

/* --- files -------------------------------------------------------------------------------------------------------------- */
enum status sim_file_open(struct sys *s, const char *path, int flags, struct sys_file **out, struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sim_node *n = find(w, path);
    bool create = (flags & (SYS_CREATE | SYS_EXCLUSIVE)) != 0;

    if (n != NULL && (flags & SYS_EXCLUSIVE) != 0) return err_set(e, E_EXISTS, "cannot create '%s': it exists already", path);
    if (n == NULL && is_below_file(w, path))
        return err_set(e, E_IO, "cannot %s '%s': a part of the path is not a folder", create ? "create" : "open", path);
    if (n == NULL && !create) return err_set(e, E_NOT_FOUND, "cannot open '%s': no such file", path);
    if (n == NULL && !parent_exists(w, path)) return err_set(e, E_NOT_FOUND, "cannot create '%s': no such folder", path);
    if ((flags & SYS_WRITE) != 0) TRY(sim_disk_works(w, path, e));
    if (n == NULL) n = add(w, path, false);
    if (n->is_directory && (flags & SYS_WRITE) != 0)
        return err_set(e, E_IO, "cannot %s '%s': it is a folder", create ? "create" : "open", path);
    if ((flags & SYS_TRUNCATE) != 0) buf_clear(&n->bytes);
    n->opened++;
    *out = mem_zalloc(&w->mem, sizeof **out);
    **out = (struct sys_file){.node = n, .flags = flags};
    return S_OK;
}

enum status sim_file_standard(struct sys *s, int fd, struct sys_file **out, struct err *e)
{
    (void)e;
    *out = mem_zalloc(&world_of(s)->mem, sizeof **out);
    (*out)->fd = fd;
    return S_OK;
}

enum status sim_file_read(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct sim_world *w = world_of(s);
    const struct buf *from = f->node != NULL ? &f->node->bytes : &w->standard[0];
    size_t *at = f->node != NULL ? &f->at : &w->standard_read;

    ASSERT(f->socket == NULL);
    if (f->node != NULL && f->node->is_directory) return err_set(e, E_IO, "cannot read '%s': it is a folder", f->node->path);
    *got = *at < from->size ? MIN(size, from->size - *at) : 0;
    if (*got > 1 && !w->is_calm) *got -= prng_below(&w->prng, *got); /* a read may fall short */
    if (*got > 0) memcpy(bytes, from->data + *at, *got);
    *at += *got;
    return S_OK;
}

enum status sim_file_write(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e)
{
    struct sim_world *w = world_of(s);

    ASSERT(f->socket == NULL);
    if (f->node == NULL) {
        buf_append(&w->standard[f->fd], bytes, size);
        return S_OK;
    }
    TRY(sim_disk_works(w, f->node->path, e));
    struct buf *to = &f->node->bytes;
    if ((f->flags & SYS_APPEND) != 0) f->at = to->size;
    while (to->size < f->at) buf_append_byte(to, 0); /* a hole reads as zeros */
    size_t over = MIN(size, to->size - f->at);
    if (over > 0) memcpy(to->data + f->at, bytes, over);
    buf_append(to, (const char *)bytes + over, size - over);
    f->at += size;
    f->node->modified_ms = w->now_ns / 1000000;
    return S_OK;
}

enum status sim_file_seek(struct sys *s, struct sys_file *f, int64_t offset, struct err *e)
{
    (void)s;
    if (offset < 0) return err_set(e, E_IO, "cannot seek in '%s': Invalid argument", f->node != NULL ? f->node->path : "");
    f->at = (size_t)offset;
    return S_OK;
}

static void keep(struct sim_node *n)
{
    buf_clear(&n->synced);
    if (n->bytes.size > 0) buf_append(&n->synced, n->bytes.data, n->bytes.size);
}

enum status sim_file_sync(struct sys *s, struct sys_file *f, struct err *e)
{
    if (f->node == NULL) return S_OK;
    TRY(sim_disk_works(world_of(s), f->node->path, e));
    keep(f->node);
    return S_OK;
}

void sim_file_close(struct sys *s, struct sys_file *f)
{
    struct sim_world *w = world_of(s);

    if (f->socket != NULL) sim_socket_close(s, f);
    if (f->node != NULL) {
        f->node->opened--;
        drop_unused(w, f->node);
    }
    mem_free(&w->mem, f);
}

/* --- names -------------------------------------------------------------------------------------------------------------- */
static struct sys_stat stat_of(const struct sim_node *n)
{
    return (struct sys_stat){.size = (int64_t)n->bytes.size,
                             .modified_ms = n->modified_ms,
                             .is_directory = n->is_directory,
                             .is_regular = !n->is_directory,
                             .mode = n->mode};
}

enum status sim_file_stat(struct sys *s, const char *path, struct sys_stat *out, struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sim_node *n = find(w, path);

    if (is_root(path)) *out = (struct sys_stat){.is_directory = true, .mode = 0755};
    else if (n != NULL) *out = stat_of(n);
    else if (is_below_file(w, path)) return err_set(e, E_IO, "cannot read '%s': a part of the path is not a folder", path);
    else return err_set(e, E_NOT_FOUND, "cannot read '%s': no such file or folder", path);
    return S_OK;
}

enum status sim_file_rename(struct sys *s, const char *from, const char *to, bool replace, struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sim_node *n = find(w, from), *old = find(w, to);

    if (n == NULL || !parent_exists(w, to)) return err_set(e, E_NOT_FOUND, "cannot create '%s': no such file or folder", to);
    if (n == old) return replace ? S_OK : err_set(e, E_EXISTS, "cannot create '%s': it exists already", to);
    if (old != NULL && !replace) return err_set(e, E_EXISTS, "cannot create '%s': it exists already", to);
    if (n->is_directory) return err_set(e, E_UNSUPPORTED, "cannot create '%s': the simulated disk renames files only", to);
    if (old != NULL && old->is_directory) return err_set(e, E_IO, "cannot create '%s': it is a folder", to);
    TRY(sim_disk_works(w, to, e));
    if (old != NULL) unlink_node(w, old);
    *place_of(w, n->path) = n->next;
    mem_free(&w->mem, n->path);
    n->path = plain_path(w, to);
    struct sim_node **at = place_of(w, n->path);
    n->next = *at;
    *at = n;
    return S_OK;
}

enum status sim_file_set_mode(struct sys *s, const char *path, uint32_t mode, struct err *e)
{
    struct sim_node *n = find(world_of(s), path);

    if (n == NULL) return err_set(e, E_NOT_FOUND, "cannot change the mode of '%s': no such file or folder", path);
    n->mode = mode;
    return S_OK;
}

/* It has no links: a path that is there means itself. */
enum status sim_file_real(struct sys *s, const char *path, char *out, size_t size, struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sys_stat st;

    TRY(sim_file_stat(s, path, &st, e));
    char *plain = plain_path(w, path);
    bool fits = strlen(plain) < size;
    if (fits) memcpy(out, plain, strlen(plain) + 1);
    mem_free(&w->mem, plain);
    return fits ? S_OK : err_set(e, E_IO, "cannot read '%.100s...': the path is too long", path);
}

enum status sim_file_delete(struct sys *s, const char *path, struct err *e)
{
    struct sim_node *n = find(world_of(s), path);

    if (n != NULL && n->is_directory) return err_set(e, E_IO, "cannot delete '%s': it is a folder", path);
    if (n == NULL) return S_OK;
    TRY(sim_disk_works(world_of(s), path, e));
    unlink_node(world_of(s), n);
    return S_OK;
}

/* What lies in a folder stands behind it in the list. */
enum status sim_dir_delete(struct sys *s, const char *path, struct err *e)
{
    struct sim_node *n = find(world_of(s), path);
    size_t size = n != NULL ? strlen(n->path) : 0;

    if (n == NULL) return S_OK;
    if (!n->is_directory) return err_set(e, E_IO, "cannot delete '%s': a part of the path is not a folder", path);
    for (const struct sim_node *other = n->next; other != NULL; other = other->next)
        if (strncmp(other->path, n->path, size) == 0 && other->path[size] == '/')
            return err_set(e, E_IO, "cannot delete '%s': the folder is not empty", path);
    TRY(sim_disk_works(world_of(s), path, e));
    unlink_node(world_of(s), n);
    return S_OK;
}

enum status sim_dir_make(struct sys *s, const char *path, struct err *e)
{
    struct sim_world *w = world_of(s);
    char *part = plain_path(w, path);
    size_t size = strlen(part);
    enum status st = size == 0 ? err_set(e, E_CONFIG, "'%s' is not a folder's name", path) : S_OK;

    for (size_t i = 1; st == S_OK && i <= size; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        part[i] = '\0';
        struct sim_node *n = find(w, part);
        if (n != NULL && !n->is_directory)
            st = err_set(e, E_EXISTS, "cannot create folder '%s': a file has that name", part);
        else if (n == NULL && !is_root(part) && (st = sim_disk_works(w, part, e)) == S_OK) add(w, part, true);
        if (i < size) part[i] = '/';
    }
    mem_free(&w->mem, part);
    return st;
}

enum status sim_dir_list(struct sys *s, const char *path, sys_dir_fn fn, void *arg, struct err *e)
{
    struct sim_world *w = world_of(s);
    char *plain = plain_path(w, path);
    struct sim_node *folder = find(w, plain);
    size_t size = strcmp(plain, "/") == 0 ? 0 : strlen(plain);
    bool known = is_root(plain) || (folder != NULL && folder->is_directory);

    for (struct sim_node *n = w->root; known && n != NULL; n = n->next) {
        struct sys_stat st = stat_of(n);
        if (strncmp(n->path, plain, size) != 0 || n->path[size] != '/' || strchr(n->path + size + 1, '/') != NULL) continue;
        fn(arg, n->path + size + 1, &st);
    }
    mem_free(&w->mem, plain);
    if (known) return S_OK;
    if (folder != NULL) return err_set(e, E_IO, "cannot list '%s': a part of the path is not a folder", path);
    return err_set(e, E_NOT_FOUND, "cannot list '%s': no such folder", path);
}

static bool is_in(const char *path, const char *folder, size_t size)
{
    return strncmp(path, folder, size) == 0 && path[size] == '/' && strchr(path + size + 1, '/') == NULL;
}

/* Ghosts are what names that are durable lead to, though they were deleted or replaced. */
static void ghosts_drop(struct sim_world *w, const char *folder, size_t size)
{
    for (struct sim_node **at = &w->ghosts; *at != NULL;) {
        struct sim_node *n = *at;
        if (!is_in(n->durable_path, folder, size)) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        set_durable(w, n, NULL);
        drop_unused(w, n);
    }
}

/* A name that went from this folder to another one is kept as the new one: renames stay in one folder here. */
static void names_keep(struct sim_world *w, const char *path)
{
    char *folder = plain_path(w, path);
    size_t size = is_root(folder) ? 0 : strlen(folder);

    for (struct sim_node *n = w->root; n != NULL; n = n->next)
        if (is_in(n->path, folder, size)) set_durable(w, n, n->path);
    ghosts_drop(w, folder, size);
    mem_free(&w->mem, folder);
}

enum status sim_dir_sync(struct sys *s, const char *path, struct err *e)
{
    struct sys_stat st;

    if (sim_file_stat(s, path, &st, NULL) != S_OK) return err_set(e, E_NOT_FOUND, "cannot open '%s': no such folder", path);
    TRY(sim_folder_works(world_of(s), path, e));
    names_keep(world_of(s), path);
    return S_OK;
}

void sim_folder_text(struct sim_world *w, const char *folder, struct buf *out)
{
    size_t size = strlen(folder);

    for (const struct sim_node *n = w->root; n != NULL; n = n->next)
        if (!n->is_directory && strncmp(n->path, folder, size) == 0 && n->path[size] == '/' && n->path[size + 1] != '.')
            buf_append(out, n->bytes.data, n->bytes.size);
}

/* --- loss of power -------------------------------------------------------------------------------------------------------- */
void sim_disk_settle(struct sim_world *w)
{
    for (struct sim_node *n = w->root; n != NULL; n = n->next) {
        set_durable(w, n, n->path);
        keep(n);
    }
}

/* What was not synced is there, is not there, or is there in part. */
static void tear(struct sim_world *w, struct sim_node *n)
{
    bool is_same = n->bytes.size == n->synced.size &&
                   (n->bytes.size == 0 || memcmp(n->bytes.data, n->synced.data, n->bytes.size) == 0);

    if (n->is_directory || is_same || prng_below(&w->prng, 3) == 0) return;
    if (prng_below(&w->prng, 2) == 0) {
        n->bytes.size = prng_below(&w->prng, n->bytes.size + 1);
        return;
    }
    buf_clear(&n->bytes);
    if (n->synced.size > 0) buf_append(&n->bytes, n->synced.data, n->synced.size);
}

static void link_as(struct sim_world *w, struct sim_node *n, const char *path)
{
    mem_free(&w->mem, n->path);
    n->path = copy_text(w, path, strlen(path));
    struct sim_node **at = place_of(w, n->path);
    ASSERT(*at == NULL || strcmp((*at)->path, n->path) != 0);
    n->is_linked = true;
    n->next = *at;
    *at = n;
}

/* All names are as they were when their folders were last synced. */
static void names_lose(struct sim_world *w)
{
    struct sim_node *all[2] = {w->root, w->ghosts};

    w->root = w->ghosts = NULL;
    for (int i = 0; i < 2; i++)
        for (struct sim_node *n = all[i], *next; n != NULL; n = next) {
            next = n->next;
            n->is_linked = false;
            if (n->durable_path != NULL) link_as(w, n, n->durable_path);
            else drop_unused(w, n);
        }
    for (struct sim_node *n = w->root, *next; n != NULL; n = next) { /* folders stand in front of what is in them */
        next = n->next;
        if (!parent_exists(w, n->path)) unlink_node(w, n);
    }
}

void sim_disk_lose(struct sim_world *w)
{
    for (struct sim_node *n = w->root; n != NULL; n = n->next) tear(w, n);
    if (prng_below(&w->prng, 4) != 0) names_lose(w);
    while (w->ghosts != NULL) {
        struct sim_node *n = w->ghosts;
        w->ghosts = n->next;
        set_durable(w, n, NULL);
        drop_unused(w, n);
    }
    sim_disk_settle(w);
}

bool sim_flip(struct sim_world *w, const char *folder, struct sim_flip *f)
{
    uint64_t bytes = 0, pick;
    size_t size = strlen(folder);

    for (const struct sim_node *n = w->root; n != NULL; n = n->next)
        if (is_in(n->path, folder, size)) bytes += n->bytes.size;
    if (bytes == 0) return false;
    pick = prng_below(&w->prng, bytes);
    for (struct sim_node *n = w->root; n != NULL; n = n->next) {
        if (!is_in(n->path, folder, size)) continue;
        if (pick < n->bytes.size) {
            *f = (struct sim_flip){n->path, n->bytes.data + pick, (char)(1 << prng_below(&w->prng, 8))};
            *f->byte ^= f->bit;
            return true;
        }
        pick -= n->bytes.size;
    }
    return false;
}
