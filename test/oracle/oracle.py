#!/usr/bin/env python3
"""oracle.py [--update | --fill] [--gateway URL] [--jobs N] [PATH...]: asks real Flink for the answers of every test file marked
`oracle`, and compares them with what the files expect.

  --fill     writes Flink's answers where a case expects nothing yet
  --update   the same, and replaces what differs, but for cases that are marked `oracle differs`
  --gateway  a SQL gateway that runs already; without it one is fetched and started (flink.py)

Ends with 0 when every difference is named in docs/differences.md."""
import argparse
import concurrent.futures
import os
import re
import struct
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases
import feeds
import flink
import gateway

SESSION = {"execution.runtime-mode": "streaming", "parallelism.default": "1", "table.exec.mini-batch.enabled": "false",
           "table.local-time-zone": "UTC", "pipeline.auto-watermark-interval": "0"}
NO_SLOTS = "NoResourceAvailableException"
printing = threading.Lock()


class Totals:
    def __init__(self):
        self.agree = self.differ = self.named = self.skipped = self.filled = 0


# --- comparing -----------------------------------------------------------------------------------------------------------
def number(text):
    try:
        return float(text.replace("Infinity", "inf"))
    except ValueError:
        return None


def canonical(cell, kind):
    """Maps and multisets have no order."""
    if kind in ("MAP", "MULTISET") and cell.startswith("{"):
        return "{" + ", ".join(sorted(cell[1:-1].split(", "))) + "}"
    return cell


def single(x):
    """As a FLOAT holds it: its text in Java 17 may have a digit more than needed."""
    return struct.unpack("f", struct.pack("f", x))[0] if abs(x) < 3.5e38 else x


def cells_equal(x, y, kind, approx):
    if x == y or canonical(x, kind) == canonical(y, kind):
        return True
    if kind not in ("FLOAT", "DOUBLE"):
        return False
    a, b = number(x), number(y)
    if a is not None and b is not None and kind == "FLOAT":
        a, b = single(a), single(b)
    return a is not None and b is not None and (a == b or abs(a - b) <= approx * max(abs(a), abs(b)))


def rows_equal(x, y, kinds, approx):
    a, b = x.split(" | "), y.split(" | ")
    return len(a) == len(b) and all(cells_equal(p, q, k, approx) for p, q, k in zip(a, b, kinds + [""] * len(a)))


def agree(case, expected, answer, got):
    kinds = [t["type"] for _, t in answer.columns or []]
    if case.compare == "folded":
        expected, got = expected[:1] + sorted(expected[1:]), got[:1] + sorted(got[1:])
    if len(expected) != len(got) or expected[:1] != got[:1]:
        return False
    return all(rows_equal(x, y, kinds, case.approx) for x, y in zip(expected[1:], got[1:]))


# --- one file ------------------------------------------------------------------------------------------------------------
def say(case, what, expected=(), got=()):
    lines = [f"{case.path}:{case.line}: {what}", *("    " + line for line in case.sql.split("\n"))]
    lines += [f"  - {line}" for line in expected if line not in got] + [f"  + {line}" for line in got if line not in expected]
    with printing:
        print("\n".join(lines), flush=True)


def named_differences():
    """The ids of docs/differences.md: its headings and list items that begin with `ID`."""
    path = os.path.join(flink.ROOT, "docs", "differences.md")
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as f:
        return set(re.findall(r"^(?:#+|\||-) *`?([a-z0-9-]+)`?", f.read(), re.M))


def ask(session, case):
    """What Flink answers: (answer, lines, reason of the failure)."""
    reason = NO_SLOTS
    for _ in range(10):
        try:
            answer = session.run(case.sql)
            return answer, gateway.lines_of(answer, case.compare, case.by), None
        except gateway.Failed as e:
            reason = str(e)
        if NO_SLOTS not in reason:
            break  # a cluster that is busy says nothing of the statement
    return None, [], reason


def judge(case, lines, session, totals, options, answers):
    answer, got, reason = ask(session, case)
    if case.skip is not None:
        totals.skipped += 1
        return
    expected = lines[case.block[0]:case.block[1]] if case.block else []
    same = reason is not None if case.wants_error else reason is None and (case.verb == "statement" or case.block and agree(case, expected, answer, got))
    if same:
        totals.agree += 1
        if options.update and case.block and reason is None and sorted(expected) != sorted(got):
            answers[case] = got  # written another way
        if options.verbose and reason:
            say(case, "Flink says: " + reason)
    elif case.differs is not None:
        totals.named += 1
        if case.differs not in options.named:
            say(case, f"'{case.differs}' is not listed in docs/differences.md")
            totals.differ += 1
    elif reason is None and not case.wants_error and (options.update or options.fill and not case.block):
        answers[case] = got
        totals.filled += 1
    else:
        totals.differ += 1
        say(case, "Flink fails: " + reason if reason else "Flink does not fail" if case.wants_error else "Flink differs", expected, got)


def run_file(path, url, totals, options):
    lines, all_cases = cases.read_file(path)
    if not any(case.is_marked for case in all_cases):
        return
    session, answers = gateway.Session(url, SESSION), {}
    with tempfile.TemporaryDirectory() as folder:
        for case in all_cases:
            if case.verb == "feed" and case.is_marked and case.skip is None:
                for statement in feeds.statements_of(case, folder):
                    session.run(statement)
            elif case.is_marked and case.verb != "feed":
                judge(case, lines, session, totals, options, answers)
    session.close()
    if answers:
        cases.write_file(path, lines, answers)


def test_files(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in sorted(os.walk(path)):
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".test"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="print what Flink says of the cases that fail, as expected")
    parser.add_argument("--gateway")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("paths", nargs="*", default=[os.path.join(flink.ROOT, "test", "sql")])
    options = parser.parse_args()
    options.named = named_differences()
    totals = Totals()
    with flink.gateway(options.gateway) as url, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(run_file, path, url, totals, options) for path in test_files(options.paths)]:
            done.result()
    print(f"oracle: {totals.agree} agree, {totals.differ} differ, {totals.named} differ as docs/differences.md says, "
          f"{totals.skipped} skipped" + (f", {totals.filled} written" if totals.filled else ""))
    return 1 if totals.differ else 0


if __name__ == "__main__":
    sys.exit(main())
