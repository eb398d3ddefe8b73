/* sys_linux_screen.c - the whole screen for a program that paints on it, and the keys that are pressed meanwhile.
 *
 * The terminal's other screen is used, so that what stood there before comes back, and a change of its size leaves nothing broken
 * behind. Keys come one by one and are not shown; ctrl-c stays a signal. Whoever ends the process in between (the second ctrl-c)
 * calls linux_screen_leave, which may be called from a signal handler: that is why how the terminal was is a static. */
#include "ground/sys/sys_linux_internal.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

static struct termios before; /* what the terminal was set to; written before is_screen says so */
static _Atomic int is_screen; /* SCREEN, and KEYS when keys come from a terminal */

enum { SCREEN = 1, KEYS = 2 };

static void put(const char *text)
{
    ssize_t done = write(STDOUT_FILENO, text, strlen(text));
    (void)done; /* a terminal that is gone shows nothing */
}

void linux_screen_leave(void)
{
    int was = atomic_exchange(&is_screen, 0);

    if (was == 0) return;
    put(LEAVE);
    if ((was & KEYS) != 0) tcsetattr(STDIN_FILENO, TCSANOW, &before);
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

bool linux_screen_open(struct sys *s)
{
    (void)s;
    if (atomic_load(&is_screen) != 0 || isatty(STDOUT_FILENO) != 1) return false;
    bool has_keys = tcgetattr(STDIN_FILENO, &before) == 0;
    atomic_store(&is_screen, has_keys ? SCREEN | KEYS : SCREEN);
    if (has_keys) set_keys();
    put(ENTER);
    return true;
}

void linux_screen_close(struct sys *s)
{
    (void)s;
    linux_screen_leave();
}

size_t linux_screen_keys(struct sys *s, char *out, size_t size)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    (void)s;
    if ((atomic_load(&is_screen) & KEYS) == 0 || poll(&p, 1, 0) != 1 || (p.revents & POLLIN) == 0) return 0;
    ssize_t got = read(STDIN_FILENO, out, size);
    return got > 0 ? (size_t)got : 0;
}
