/* sys_linux_peer.c - whose process is at the other end of a connection on this machine. TCP does not say it as sockets of files do
 * (SO_PEERCRED), but the kernel lists every connection with its owner: the peer's end is the one whose own address is what
 * we see as the other, and whose other port is ours. Nobody who is on another machine has an end in that list. */
#include "ground/sys/sys_linux_internal.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512, END_MAX = 64 };

/* As the list writes an end: hexadecimal words as they lie in memory, and the port. */
static void print_end(const struct sockaddr *a, bool as_v6, char out[static END_MAX])
{
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    uint32_t w[4] = {0};

    if (a->sa_family == AF_INET && !as_v6) {
        snprintf(out, END_MAX, "%08X:%04X", v4->sin_addr.s_addr, ntohs(v4->sin_port));
    } else if (a->sa_family == AF_INET) {
        snprintf(out, END_MAX, "0000000000000000FFFF0000%08X:%04X", v4->sin_addr.s_addr, ntohs(v4->sin_port));
    } else {
        memcpy(w, &v6->sin6_addr, sizeof w);
        snprintf(out, END_MAX, "%08X%08X%08X%08X:%04X", w[0], w[1], w[2], w[3], ntohs(v6->sin6_port));
    }
}

static bool is_allowed(unsigned uid) { return uid == 0 || uid == geteuid(); }

static bool list_has(const char *path, const char *end, int port)
{
    FILE *f = fopen(path, "re");
    char line[LINE_MAX_BYTES], local[END_MAX], other[END_MAX];
    unsigned state, uid, other_port;
    bool is_mine = false;

    if (f == NULL) return false;
    while (!is_mine && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, " %*u: %63s %63s %X %*s %*s %*s %u", local, other, &state, &uid) != 4) continue;
        const char *colon = strchr(other, ':');
        if (colon == NULL || sscanf(colon + 1, "%X", &other_port) != 1) continue;
        is_mine = strcmp(local, end) == 0 && other_port == (unsigned)port && is_allowed(uid);
    }
    fclose(f);
    return is_mine;
}

bool sys_linux_peer_is_mine(const struct sockaddr *peer, int own_port)
{
    char end[END_MAX];

    if (peer == NULL || (peer->sa_family != AF_INET && peer->sa_family != AF_INET6)) return false;
    print_end(peer, peer->sa_family == AF_INET6, end);
    if (list_has(peer->sa_family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", end, own_port)) return true;
    if (peer->sa_family != AF_INET) return false;
    print_end(peer, true, end); /* a socket of IPv6 that speaks IPv4 */
    return list_has("/proc/net/tcp6", end, own_port);
}
