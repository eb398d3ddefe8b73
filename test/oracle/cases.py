"""cases.py - test files of SQL as the oracle reads them: the same format as test/sqltest/script.c, described in test/sql/README.md."""
import os
import re

MODES = {"streaming", "p1", "full"}  # what Flink runs in


class Case:
    """One record of a file."""

    def __init__(self, path, line, directives):
        self.path, self.line = path, line
        self.verb = self.sql = ""
        self.wants_error = False
        self.block = None  # [first, behind the last) lines of what is expected in Flink's mode
        self.sql_end = 0
        self.compare, self.by, self.approx = directives["compare"], directives["by"], directives["approx"]
        self.skip, self.differs = directives["skip"], directives["differs"]
        self.is_marked = directives["oracle"]
        self.feed = self.by_time = None  # of a feed: the table, and its column of event time
        self.rows = []


def read_directive(text, d):
    """Takes one directive into d; false: it is none."""
    words = text.split()
    if words[0].startswith("#"):
        return True
    if words[0] == "oracle":
        if len(words) == 1:
            d["oracle"] = True
        elif words[1].startswith("skip"):
            d["skip"] = text.split(":", 1)[1].strip()
        elif words[1] == "differs":
            d["differs"] = words[2].rstrip(":")
        return True
    if words[0] == "compare":
        for i, word in enumerate(words[1:], 1):
            if word in ("exact", "folded", "ordered"):
                d["compare"] = word
            elif word == "by":
                d["by"] = d["by"] + [words[i + 1].rstrip(",")]
            elif word == "approx":
                d["approx"] = float(words[i + 1])
        return True
    if words[0] == "clock":
        d["skip"] = "its time is made up"
        return True
    return words[0] in ("only", "skip", "error")


def read_record(lines, at, end, path, d):
    case = Case(path, at + 1, d)
    words = lines[at].split()
    if words[0] == "feed":
        case.verb, case.feed, case.sql, case.rows, case.sql_end = "feed", words[1], lines[at + 1], lines[at + 2:end], end
        case.by_time = words[3] if len(words) > 3 else None
        return case
    case.verb, case.wants_error = words[0], words[1:] == ["error"]
    at += 1
    first = at
    while at < end and not lines[at].startswith("----"):
        at += 1
    folder = os.path.dirname(os.path.abspath(path))
    case.sql, case.sql_end = "\n".join(lines[first:at]).replace("${FOLDER}", folder), at
    while at < end:
        mode = re.match(r"---- in (.*)", lines[at])
        first = at = at + 1
        while at < end and not lines[at].startswith("----"):
            at += 1
        if mode is None and case.block is None or mode is not None and set(mode[1].split()) <= MODES:
            case.block = (first, at)
    return case


def read_file(path):
    """All lines of the file, and its cases."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    if lines[-1] == "":
        lines.pop()
    cases, at = [], 0
    defaults = {"compare": "folded", "by": [], "approx": 0.0, "skip": None, "differs": None, "oracle": False}
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end] != "":
            end += 1
        d = dict(defaults)
        while at < end and read_directive(lines[at], d):
            at += 1
        if at < end:
            cases.append(read_record(lines, at, end, path, d))
        else:
            defaults = d
        at = end + 1
    return lines, cases


def write_file(path, lines, answers):
    """answers: {case: lines}; they replace what those cases expect."""
    out, at = [], 0
    for case, answer in sorted(answers.items(), key=lambda item: item[0].line):
        first, last = case.block or (case.sql_end, case.sql_end)
        out += lines[at:first] + ([] if case.block else ["----"]) + answer
        at = last
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(out + lines[at:]) + "\n")
