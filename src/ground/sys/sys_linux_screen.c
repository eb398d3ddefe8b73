/* sys_linux_screen.c - the terminal of a program that runs a while: keys that are not shown, and the whole screen to paint on.
 *
 * Keys come one by one, and stay where they are until somebody asks; ctrl-c stays a signal. The whole screen is the terminal's other
 * one, so that what stood there before comes back, and a change of its size leaves nothing broken behind. Whoever ends the process in
 * between (the second ctrl-c) calls linux_screen_leave, which may be called from a signal handler: that is why how the terminal was is
 * a static. */
#include "ground/sys/sys_linux_internal.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

static struct termios before; /* what the terminal was set to; written before is_open says so */
static _Atomic int is_open;   /* KEYS, SCREEN */

enum { KEYS = 1, SCREEN = 2 };

static void put(const char *text)
{
    ssize_t done = write(STDOUT_FILENO, text, strlen(text));
    (void)done; /* a terminal that is gone shows nothing */
}

void linux_screen_close(struct sys *s)
{
    (void)s;
    if ((atomic_fetch_and(&is_open, ~SCREEN) & SCREEN) != 0) put(LEAVE);
}

void linux_keys_close(struct sys *s)
{
    (void)s;
    if ((atomic_fetch_and(&is_open, ~KEYS) & KEYS) != 0) tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void linux_screen_leave(void)
{
    linux_screen_close(NULL);
    linux_keys_close(NULL);
}

static void set_keys(void)
{
    struct termios t = before;

    t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    t.c_iflag &= ~(tcflag_t)ICRNL;
    t.c_cc[VSUSP] = _POSIX_VDISABLE;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

bool linux_keys_open(struct sys *s)
{
    (void)s;
    if ((atomic_load(&is_open) & KEYS) != 0 || tcgetattr(STDIN_FILENO, &before) != 0) return false;
    atomic_fetch_or(&is_open, KEYS);
    set_keys();
    return true;
}

bool linux_screen_open(struct sys *s)
{
    (void)s;
    if ((atomic_load(&is_open) & SCREEN) != 0 || isatty(STDOUT_FILENO) != 1) return false;
    atomic_fetch_or(&is_open, SCREEN);
    put(ENTER);
    return true;
}

size_t linux_keys_read(struct sys *s, char *out, size_t size)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    (void)s;
    if ((atomic_load(&is_open) & KEYS) == 0 || poll(&p, 1, 0) != 1 || (p.revents & POLLIN) == 0) return 0;
    ssize_t got = read(STDIN_FILENO, out, size);
    return got > 0 ? (size_t)got : 0;
}
