#!/usr/bin/env python3
"""shell_capture.py THALWEG PREFIX - three screens of `thalweg sql` as tmux shows them, to PREFIXcompletion.txt, PREFIXlive.txt and
PREFIXerror.txt: words that tab offers, a table that grows, an error with carets under its token.

Nothing here waits for a time: what the shell writes also goes through a pipe, and a step is over when its text has come.
"""
import os
import subprocess
import sys
import tempfile

COLUMNS, LINES = 100, 28
ORDERS = ("CREATE TABLE orders (id BIGINT, customer INT, amount DECIMAL(8, 2), ts AS LOCALTIMESTAMP, WATERMARK FOR ts AS ts)"
          " WITH ('connector' = 'datagen', 'rows-per-second' = '5000', 'fields.customer.min' = '1', 'fields.customer.max' = '12',"
          " 'fields.amount.min' = '1', 'fields.amount.max' = '900');")
STEPS = (
    ("completion", (("type", "SELECT o.\t"), ("wait", b"customer"), ("type", "cu\t"), ("wait", b"stomer"), ("type", "FROM orders AS o WHERE CO\t"),
                    ("wait", b"COUNT(")), "\x03"),
    ("live", (("type", "SELECT customer, COUNT(*) AS orders, SUM(amount) AS total, MAX(ts) AS latest FROM orders GROUP BY customer;\r"),
              ("wait", b"lag "), ("wait", b"lag ")), "q"),
    ("error", (("type", "SELECT '漢字',\tcustomer, SUM(amuont) OVER (PARTITION BY customer ORDER BY ts) AS running_total_of_a_customer FROM orders;\r"),
               ("wait", b"^\x1b[0m\r\n"), ("wait", b"SQL> ")), "\x03"),
)


class Screen:
    def __init__(self, program, folder):
        self.tmux = ["tmux", "-S", os.path.join(folder, "socket"), "-f", "/dev/null"]
        pipe = os.path.join(folder, "pipe")
        os.mkfifo(pipe)
        self.fd = os.open(pipe, os.O_RDWR)  # so that nobody waits for the other end
        self.came = b""
        shell = "env -u NO_COLOR HOME=%s LANG=C.UTF-8 %s sql" % (folder, program)
        # The pipe is there before the program is: `read` gives way when a line comes.
        self.call("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), "read go; exec " + shell)
        self.call("pipe-pane", "cat > " + pipe)
        self.type("\r")
        self.wait(b"SQL> ")

    def call(self, *words):
        return subprocess.run(self.tmux + list(words), check=True, capture_output=True).stdout

    def type(self, text):
        self.call("send-keys", "-H", *["%x" % byte for byte in text.encode()])

    def wait(self, text):
        while text not in self.came:
            self.came += os.read(self.fd, 65536)
        self.came = self.came[self.came.find(text) + len(text):]

    def picture(self):
        return self.call("capture-pane", "-p").rstrip() + b"\n"


def main():
    program, prefix = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        screen = Screen(program, folder)
        try:
            screen.type(ORDERS + "\r")
            screen.wait(b"succeeded")
            for name, steps, end in STEPS:
                screen.type("CLEAR;\r")
                screen.wait(b"\x1b[3J")
                screen.wait(b"SQL> ")
                for verb, text in steps:
                    getattr(screen, verb)(text)
                with open(prefix + name + ".txt", "wb") as out:
                    out.write(screen.picture())
                screen.type(end)
                screen.wait(b"SQL> ")
        finally:
            screen.call("kill-server")


main()
