/* zones.c - the time zones of the system's tzdata as C tables. `zones FOLDER OUT` reads every TZif file (RFC 8536, version 2 on) below
 * FOLDER and writes their transitions and the rule behind the last of them. Zones of equal contents share their tables.
 *
 * The build runs it, so that a program carries its zones: it needs no files where it runs, and the same binary answers the same
 * everywhere. Files that are no TZif, and the folders posix and right (copies; the latter with leap seconds), are passed over. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ZONES_MAX = 4096, FILE_MAX = 64 * 1024, HEADER = 44 };

struct zone {
    char name[64];
    unsigned char *bytes; /* of the file */
    size_t size;
    long first, count; /* in the tables */
    int32_t before;    /* offset before the first transition */
    char rule[64];
};

static struct zone zones[ZONES_MAX];
static size_t zone_count;

static void die(const char *what, const char *which)
{
    fprintf(stderr, "zones: %s '%s'\n", what, which);
    exit(1);
}

static int64_t number(const unsigned char *at, int bytes)
{
    uint64_t v = (at[0] & 0x80) != 0 ? UINT64_MAX : 0;

    for (int i = 0; i < bytes; i++) v = v << 8 | at[i];
    return (int64_t)v;
}

/* --- files ------------------------------------------------------------------------------------------------------- */
static void take_file(const char *path, const char *name)
{
    static unsigned char bytes[FILE_MAX];
    FILE *f = fopen(path, "rb");

    if (f == NULL) die("cannot read", path);
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    if (size < HEADER || size == sizeof bytes || memcmp(bytes, "TZif", 4) != 0) return;
    if (bytes[4] < '2') die("a TZif file of version 1:", path);
    if (zone_count == ZONES_MAX || strlen(name) >= sizeof zones[0].name) die("no room for", path);
    struct zone *z = &zones[zone_count++];
    memcpy(z->name, name, strlen(name) + 1);
    z->bytes = malloc(size);
    if (z->bytes == NULL) die("no memory for", path);
    memcpy(z->bytes, bytes, size);
    z->size = size;
}

static void take_folder(const char *root, const char *under)
{
    char path[4096], name[512];
    struct dirent *d;
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", root, under);
    DIR *dir = opendir(path);
    if (dir == NULL) die("cannot open the folder", path);
    while ((d = readdir(dir)) != NULL) {
        if (d->d_name[0] == '.' || strcmp(d->d_name, "posix") == 0 || strcmp(d->d_name, "right") == 0) continue;
        if (strcmp(d->d_name, "posixrules") == 0 || strcmp(d->d_name, "localtime") == 0) continue;
        snprintf(name, sizeof name, "%s%s%s", under, *under != '\0' ? "/" : "", d->d_name);
        snprintf(path, sizeof path, "%s/%s", root, name);
        if (stat(path, &st) != 0) continue;
        if (S_ISDIR(st.st_mode))
            take_folder(root, name);
        else
            take_file(path, name);
    }
    closedir(dir);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct zone *)a)->name, ((const struct zone *)b)->name);
}

/* --- TZif -------------------------------------------------------------------------------------------------------- */
/* What one header counts: UTC indicators, standard indicators, leap seconds, transitions, types, bytes of names. */
struct counts {
    size_t n[6];
};

static struct counts counts_at(const struct zone *z, size_t at)
{
    struct counts c;

    if (at + HEADER > z->size) die("cut short:", z->name);
    for (int i = 0; i < 6; i++) {
        c.n[i] = (size_t)number(z->bytes + at + 20 + 4 * i, 4);
        if (c.n[i] > FILE_MAX) die("a count out of range in", z->name);
    }
    return c;
}

static size_t body_size(const struct counts *c, size_t width)
{
    return c->n[3] * (width + 1) + c->n[4] * 6 + c->n[5] + c->n[2] * (width + 4) + c->n[1] + c->n[0];
}

static void take_rule(struct zone *z, size_t at)
{
    size_t n = 0;

    if (at >= z->size || z->bytes[at] != '\n') die("no rule at the end of", z->name);
    for (at++; at < z->size && z->bytes[at] != '\n' && n + 1 < sizeof z->rule; at++) z->rule[n++] = (char)z->bytes[at];
    if (at >= z->size || z->bytes[at] != '\n') die("no end of the rule of", z->name);
}

/* Two passes over all zones: times, then the offsets that hold from them on. */
static void write_tables(struct zone *z, FILE *out, bool times, long *written)
{
    struct counts skipped = counts_at(z, 0);
    size_t at = HEADER + body_size(&skipped, 4);
    struct counts c = counts_at(z, at);

    at += HEADER;
    if (at + body_size(&c, 8) > z->size || c.n[4] == 0) die("cut short:", z->name);
    const unsigned char *when = z->bytes + at, *which = when + 8 * c.n[3], *types = which + c.n[3];
    z->first = *written;
    z->count = (long)c.n[3];
    z->before = (int32_t)number(types, 4);
    for (size_t i = 0; i < c.n[3]; i++) {
        if (which[i] >= c.n[4]) die("a type that is not there in", z->name);
        int64_t v = times ? number(when + 8 * i, 8) : number(types + 6 * which[i], 4);
        fprintf(out, "%lld%s", (long long)v, ++*written % 12 == 0 ? ",\n" : ",");
    }
    take_rule(z, at + body_size(&c, 8));
}

/* The zone of the same contents that stands before, or itself. */
static const struct zone *original(const struct zone *z)
{
    for (const struct zone *o = zones; o < z; o++)
        if (o->size == z->size && memcmp(o->bytes, z->bytes, z->size) == 0) return o;
    return z;
}

int main(int argc, char **argv)
{
    FILE *out = argc == 3 ? fopen(argv[2], "w") : NULL;

    if (out == NULL) die("usage: zones FOLDER OUT; cannot write", argc == 3 ? argv[2] : "");
    take_folder(argv[1], "");
    if (zone_count == 0) die("no time zones (Debian package tzdata) in", argv[1]);
    qsort(zones, zone_count, sizeof zones[0], by_name);
    for (int times = 1; times >= 0; times--) {
        long written = 0;
        fprintf(out, "static const %s[] = {\n", times ? "int64_t zone_times" : "int32_t zone_offsets");
        for (size_t i = 0; i < zone_count; i++)
            if (original(&zones[i]) == &zones[i]) write_tables(&zones[i], out, times, &written);
        fprintf(out, "0};\n");
    }
    fprintf(out, "static const struct zone_line zone_lines[] = {\n");
    for (size_t i = 0; i < zone_count; i++) {
        const struct zone *o = original(&zones[i]);
        fprintf(out, "{\"%s\", %ld, %ld, %d, \"%s\"},\n", zones[i].name, o->first, o->count, (int)o->before, o->rule);
    }
    fprintf(out, "};\n");
    return fclose(out) == 0 ? 0 : 1;
}
