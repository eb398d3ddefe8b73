#!/usr/bin/env python3
"""checkpoints.py - what checkpoints cost: queries of Nexmark with one every second beside the same without, in turn.

usage: checkpoints.py [--events N] [--parallelism P] [--runs N] [--interval TIME] [--incremental] [QUERY ...]
  --events       events of a run (20,000,000)
  --parallelism  subtasks (2)
  --runs         pairs of runs (5)
  --interval     between checkpoints (1s)
  --incremental  checkpoints say what has changed since the one before

A pair is a run without and one with checkpoints, one after the other; of the two figures of each pair the share is taken, so a machine that
is slow for a while is slow for both. Printed are medians: events per second of the clock with and without, the share of the clock, which is
judged, and that of CPU-seconds of the whole process. Where other programs run both say little: checkpoints go by the clock, and so they come more
often for the same events. How many a run took is printed, and the bytes of the largest. Ends with 0 whatever the shares are."""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import nexmark  # noqa: E402

QUERIES = ("q4", "q5", "q8", "q17", "q18")
GOAL = 0.95


def run(options, query, folder):
    """Seconds of the clock and of CPU of one run; how many checkpoints were taken, and the bytes of the largest that is left."""
    settings = [f"parallelism.default={options.parallelism}", "table.dml-sync=true"]
    if folder:
        settings += [f"execution.checkpointing.interval={options.interval}", f"execution.checkpointing.dir=file://{folder}",
                     f"execution.checkpointing.incremental={'true' if options.incremental else 'false'}",
                     "execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION"]
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script, tempfile.TemporaryFile() as said:
        script.write(";\n".join(nexmark.statements(query, options.events)) + ";\n")
        script.flush()
        words = [word for setting in settings for word in ("-D", setting)]
        began = time.monotonic()
        process = subprocess.Popen([options.binary, "sql", *words, "--output", "csv", "-f", script.name], stdout=said, stderr=subprocess.STDOUT)
        seen = watch(process, folder) if folder else (0, 0)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        said.seek(0)
        if status != 0:
            raise SystemExit(f"checkpoints: {query} failed\n{said.read().decode(errors='replace')}")
    return took, usage.ru_utime + usage.ru_stime, *seen


def watch(process, folder):
    """The highest number of a checkpoint that was there while the job ran, and the most bytes that one had."""
    newest, most = 0, 0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        for path, _, files in os.walk(folder):
            number = re.search(r"/chk-(\d+)$", path)
            if number is None or "_metadata" not in files:
                continue
            newest = max(newest, int(number[1]))
            most = max(most, sum(size_of(os.path.join(path, name)) for name in files))
        time.sleep(0.2)
    return newest, most


def size_of(path):
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


def pairs(options, query):
    figures = []
    for _ in range(options.runs):
        folder = tempfile.mkdtemp(prefix="checkpoints-", dir=options.folder)
        try:
            without, with_them = run(options, query, None), run(options, query, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        figures.append((options.events / without[0], options.events / with_them[0], without[0] / with_them[0], without[1] / with_them[1],
                        with_them[2], with_them[3]))
    return list(zip(*figures))


def show(name, unit, engine, limit, values, goal, verdict):
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{name:<46} {unit:<8} {engine:>8} {limit:>8}  {low:8.2f} {middle:8.2f} {high:8.2f}  {goal:>8}  {verdict}", flush=True)


def lines(options, query):
    without, with_them, share, cpu, taken, size = pairs(options, query)
    name = f"{query}, checkpoints every {options.interval}"
    verdict = "met" if statistics.median(share) >= GOAL else "MISSED"
    show(name, "M ev/s", f"{statistics.median(with_them) / 1e6:.2f}", f"{statistics.median(without) / 1e6:.2f}", share, f">={GOAL}", verdict)
    show(name + ": CPU without over with", "-", "-", "-", cpu, "-", "printed")
    show(name + ": taken", "-", "-", "-", taken, "-", "printed")
    show(name + ": largest", "MB", "-", "-", [b / 1e6 for b in size], "-", "printed")


def main():
    parser = argparse.ArgumentParser(usage="see the head of this file")
    parser.add_argument("--binary", default=os.path.join(nexmark.ROOT, "build", "thalweg"))
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--interval", default="1s")
    parser.add_argument("--incremental", action="store_true")
    parser.add_argument("--folder", default=None, help="where checkpoints lie meanwhile")
    parser.add_argument("queries", nargs="*")
    options = parser.parse_args()
    unknown = set(options.queries) - set(nexmark.queries())
    if unknown:
        raise SystemExit(f"checkpoints: no query {', '.join(sorted(unknown))}; there are {', '.join(nexmark.queries())}")
    print(f"{'nexmark with checkpoints':<46} {'unit':<8} {'engine':>8} {'limit':>8}  {'min':>8} {'median':>8} {'max':>8}  {'goal':>8}")
    for query in options.queries or QUERIES:
        lines(options, query)


if __name__ == "__main__":
    main()
