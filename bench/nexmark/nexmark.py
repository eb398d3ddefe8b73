#!/usr/bin/env python3
"""nexmark.py - the queries of Nexmark: generator -> query -> blackhole, in events per core-second, beside Flink.

usage: nexmark.py [--events N] [--parallelism P] [--runs N] [--large] [--backend NAME [--state-memory SIZE]]
                  [--jar NEXMARK.jar [--flink-events N] [--backends LIST]] [QUERY ...]
  --events        events of a run (10,000,000)
  --parallelism   subtasks of both (2)
  --runs          runs of ours, of which the median counts (3)
  --large         the joins that keep every row, q4, q9 and q20, over 50,000,000 events, once: some 10 GB of memory
  --backend       state backend of ours (hashmap); with rocksdb Flink runs on its rocksdb alone, unless --backends says otherwise
  --state-memory  what rocksdb of ours may have in memory for all of a process, such as 64mb (two fifths of the machine's)
  --jar           the Nexmark suite's generator for Flink, nexmark-flink.jar: with it Flink runs each query beside ours
  --flink-events  events of Flink's run (3,000,000), after one of a third to warm its JVM
  --backends      Flink's state backends (hashmap,rocksdb); the better of them is what ours is compared with

A figure is events over the CPU-seconds of the whole process: user and system time, threads of the JVM included. MB is the peak of
what is resident, B/ev the state of all operators at the end (metric stateBytes) over the events. Flink has its best settings: object
reuse, mini-batches of 2 s or 50,000 rows. Each query's two sides run one after the other."""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "test", "oracle"))
import flink  # noqa: E402
import gateway  # noqa: E402

# query: how many times Flink's better figure is the floor, and the goal
GOALS = {"q0": (4, 10), "q1": (5, 14), "q2": (4, 11), "q3": (5, 12), "q4": (10, 40), "q5": (10, 22), "q7": (10, 60), "q8": (6, 18),
         "q9": (10, 55), "q11": (10, 32), "q12": (6, 22), "q14": (4, 10), "q15": (10, 20), "q16": (10, 65), "q17": (8, 16),
         "q18": (8, 16), "q19": (10, 32), "q20": (10, 37), "q21": (8, 19), "q22": (5, 14)}
BEST = {"pipeline.object-reuse": "true", "table.exec.mini-batch.enabled": "true", "table.exec.mini-batch.allow-latency": "2s",
        "table.exec.mini-batch.size": "50000", "table.dml-sync": "true", "table.optimizer.distinct-agg.split.enabled": "true"}
TICKS = os.sysconf("SC_CLK_TCK")


def queries():
    names = [f[:-4] for f in os.listdir(HERE) if re.fullmatch(r"q\d+\.sql", f)]
    return sorted(names, key=lambda name: int(name[1:]))


def statements(query, events):
    """The tables with so many events, then the query's own."""
    texts = [open(os.path.join(HERE, name), encoding="utf-8").read() for name in ("tables.sql", query + ".sql")]
    texts[0] = re.sub(r"'events\.num' = '\d+'", f"'events.num' = '{events}'", texts[0])
    return [s.strip() for s in re.split(r";\s*\n", "\n".join(texts) + "\n") if s.strip()]


# What all operators keep when the job has ended.
STATE = "SELECT CAST(SUM(metric_value) AS BIGINT) AS state_bytes FROM sys.metrics WHERE metric_name = 'stateBytes'"
LARGE = ("q4", "q9", "q20")


# --- ours ------------------------------------------------------------------------------------------------------------------
def run_ours(options, query):
    """CPU-seconds, peak resident MB and bytes of state of one run."""
    settings = [f"parallelism.default={options.parallelism}", "table.dml-sync=true", f"state.backend.type={options.backend}"]
    if options.state_memory:
        settings.append(f"state.backend.rocksdb.memory.fixed-per-tm={options.state_memory}")
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script, tempfile.TemporaryFile() as said:
        script.write(";\n".join(statements(query, options.events) + [STATE]) + ";\n")
        script.flush()
        words = [word for setting in settings for word in ("-D", setting)]
        process = subprocess.Popen([options.binary, "sql", *words, "--output", "csv", "-f", script.name], stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        text = said.read().decode(errors="replace")
        if status != 0:
            raise SystemExit(f"nexmark: {query} failed\n{text}")
    state = re.search(r"^op,state_bytes\n(?:.*\n)*?(?:\+[IU],(\d*)\n?)?\Z", text, re.MULTILINE)
    if state is None:
        raise SystemExit(f"nexmark: {query} did not tell its state\n{text}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, int(state[1] or 0)


def ours(options, query):
    runs = [run_ours(options, query) for _ in range(options.runs)]
    seconds, resident, state = zip(*runs)
    return options.events / statistics.median(seconds), max(resident), max(state) / options.events


# --- Flink -----------------------------------------------------------------------------------------------------------------
def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run_flink(url, pid, options, query, backend, events):
    session = gateway.Session(url, {**BEST, "parallelism.default": str(options.parallelism), "state.backend.type": backend})
    try:
        session.run(f"ADD JAR '{os.path.abspath(options.jar)}'")
        for statement in statements(query, events):
            before = cpu_of(pid)
            session.run(statement)
        return cpu_of(pid) - before
    finally:
        session.close()


def theirs(url, pid, options, query):
    """Events per core-second by backend; None where Flink refuses the query."""
    figures = []
    for backend in options.backends:
        try:
            run_flink(url, pid, options, query, backend, options.flink_events // 3)
            figures.append(options.flink_events / run_flink(url, pid, options, query, backend, options.flink_events))
        except gateway.Failed as e:
            print(f"nexmark: {query}, Flink with {backend}: {e}", file=sys.stderr)
            figures.append(None)
    return figures


# --- the table -------------------------------------------------------------------------------------------------------------
def verdict(query, times):
    if query not in GOALS or times is None:
        return ""
    floor, goal = GOALS[query]
    return "goal met" if times >= goal else "floor met" if times >= floor else "MISSED"


def line(options, query, url, pid):
    rate, resident, state = ours(options, query)
    figures = theirs(url, pid, options, query) if url else []
    best = max((f for f in figures if f), default=None)
    times = rate / best if best else None
    cells = [f"{query:5}", f"{rate / 1e6:9.2f}", f"{resident:8.0f}", f"{state:8.1f}"]
    cells += [f"{f / 1e3:10.1f}" if f else f"{'-':>10}" for f in figures]
    if url:
        floor, goal = GOALS.get(query, ("-", "-"))
        cells += [f"{times:8.1f}" if times else f"{'-':>8}", f"{floor:>6}", f"{goal:>5}", verdict(query, times)]
    print("  ".join(cells), flush=True)
    return times if query in GOALS else None


def table(options, url=None, pid=None):
    head = [f"{'query':5}", f"{'M ev/c-s':>9}", f"{'MB':>8}", f"{'B/ev':>8}"]
    if url:
        head += [f"{'K ' + backend:>10}" for backend in options.backends] + [f"{'times':>8}", f"{'floor':>6}", f"{'goal':>5}"]
    print("  ".join(head))
    times = [t for t in (line(options, query, url, pid) for query in options.queries or queries()) if t]
    if times:
        print(f"geometric mean: {statistics.geometric_mean(times):.1f} times Flink's events per core-second (floor 7, goal 22)")


def main():
    parser = argparse.ArgumentParser(usage="see the head of this file")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "thalweg"))
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--jar")
    parser.add_argument("--flink-events", type=int, default=3_000_000)
    parser.add_argument("--backend", default="hashmap")
    parser.add_argument("--state-memory")
    parser.add_argument("--backends", type=lambda text: text.split(","))
    parser.add_argument("queries", nargs="*")
    options = parser.parse_args()
    options.backends = options.backends or (["rocksdb"] if options.backend == "rocksdb" else ["hashmap", "rocksdb"])
    if options.large:
        options.events, options.runs, options.queries = 50_000_000, 1, options.queries or list(LARGE)
    unknown = set(options.queries) - set(queries())
    if unknown:
        raise SystemExit(f"nexmark: no query {', '.join(sorted(unknown))}; there are {', '.join(queries())}")
    if not options.jar:
        return table(options)
    cluster = flink.Cluster("nexmark", slots=options.parallelism, memory="6g", ports=(28181, 28183, 28223))
    with cluster.run() as url:
        table(options, url, cluster.task_manager())


if __name__ == "__main__":
    main()
