#!/usr/bin/env python3
"""capture.py FILE.svg COMMAND... - runs COMMAND on a terminal of 80 columns and draws what stands on it at the end as SVG.

Understands what Thalweg writes: \\r, "erase to the end of the line", bold, dim, red. Of long output
the middle is left out, in whole blocks where blank lines divide it, and a line says how much; nothing else is edited.
"""
import fcntl
import html
import os
import pty
import re
import struct
import sys
import termios

COLUMNS, CELL, LINE, BAR = 80, 8.4, 19, 24  # BAR: the window's upper edge
FIRST, LAST = 14, 13  # lines shown of long output, about: blocks are not cut
STYLES = {"0": "", "1": "b", "2": "d", "31": "r"}


def run(command):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", NO_COLOR="")
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        os.execvp(command[0], command)
    output = b""
    try:
        while part := os.read(terminal, 65536):
            output += part
    except OSError:  # the other end is closed
        pass
    os.waitpid(pid, 0)
    return output.decode()


def screen(text):
    """Lines of (character, style)."""
    lines, at, style = [[]], 0, ""
    for token in re.findall(r"\033\[[0-9;]*[A-Za-z]|.|\n", text):
        if token == "\n":
            lines.append([])
            at = 0
        elif token == "\r":
            at = 0
        elif token == "\033[K":
            del lines[-1][at:]
        elif token.endswith("m") and len(token) > 1:
            style = STYLES[token[2:-1]]
        else:
            lines[-1][at : at + 1] = [(token, style)]
            at += 1
    return lines[:-1] if not lines[-1] else lines


def shorten(lines):
    """Lines of long output, without those between the last blank line of the first part and the first one of the last."""
    blank = [i for i, line in enumerate(lines) if not line]
    if len(lines) <= FIRST + LAST + 1:
        return lines
    end = max([i for i in blank if 0 < i <= FIRST], default=FIRST)
    begin = min([i for i in blank if i >= len(lines) - LAST], default=len(lines) - LAST)
    left_out = f"  ... {begin - end} lines ..."
    return lines[:end] + [[], [(c, "d") for c in left_out]] + lines[begin:]


def draw(command, lines):
    lines = shorten(lines)
    rows = [[(c, "b") for c in "$ " + command]] + lines
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * CELL + 32:.0f}" height="{len(rows) * LINE + 28 + BAR}">',
        "<style>text{font:14px monospace;fill:#ddd;white-space:pre}.b{font-weight:bold}.d{opacity:.6}.r{fill:#f66}</style>",
        '<rect width="100%" height="100%" rx="8" fill="#1c1c1c"/>',
    ]
    out += [f'<circle cx="{20 + 20 * i}" cy="18" r="6" fill="{c}"/>' for i, c in enumerate(("#ff5f56", "#ffbd2e", "#27c93f"))]
    for y, row in enumerate(rows):
        spans = re.finditer(r"(.)\1*", "".join((s or "-") for _, s in row))
        body = "".join(
            f'<tspan class="{m[1]}">{html.escape("".join(c for c, _ in row[m.start() : m.end()]))}</tspan>' for m in spans
        )
        out.append(f'<text x="16" y="{(y + 1) * LINE + 8 + BAR}" xml:space="preserve">{body}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    command = sys.argv[2:]
    with open(sys.argv[1], "w", encoding="utf-8") as f:
        f.write(draw(" ".join(command), screen(run(command))))


main()
