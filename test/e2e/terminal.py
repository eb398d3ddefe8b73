"""terminal.py PROGRAM ARGUMENTS... - runs a program on a pseudo terminal and types what standard input says: a line `wait TEXT` reads
until TEXT has come, `type TEXT` types it (\\r is Enter, \\t Tab, \\x03 ctrl-c), `size COLUMNS LINES` gives the terminal that size.
At the end of the lines the program must end by itself.
Prints all that came, without the terminal's control sequences; its exit status is the program's."""
import fcntl, os, pty, re, select, struct, sys, termios, time

LIMIT_S = 60  # of one wait: only a broken program ever reaches it


def read_some(fd, until):
    ready, _, _ = select.select([fd], [], [], max(until - time.monotonic(), 0))
    if not ready:
        return None
    try:
        return os.read(fd, 65536)
    except OSError:  # the other end is closed
        return b""


def main():
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    came = b""
    seen = 0
    for line in sys.stdin.read().splitlines():
        verb, _, text = line.partition(" ")
        if verb == "size":
            columns, lines = text.split()
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", int(lines), int(columns), 0, 0))
            continue
        text = text.encode().decode("unicode_escape").encode("latin-1")  # bytes of UTF-8 stay what they are
        if verb == "type":
            os.write(fd, text)
            continue
        until = time.monotonic() + LIMIT_S
        while came.find(text, seen) < 0:
            more = read_some(fd, until)
            if not more:
                sys.exit("it did not come: %r; what came at last: %r" % (text, came[-4000:]))
            came += more
        seen = came.find(text, seen) + len(text)
    until = time.monotonic() + LIMIT_S
    while True:
        more = read_some(fd, until)
        if more is None:
            sys.exit("the program does not end; it said: %r" % came)
        if not more:
            break
        came += more
    _, status = os.waitpid(pid, 0)
    plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r", b"", came)
    sys.stdout.buffer.write(plain)
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


main()
