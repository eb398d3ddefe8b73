#!/usr/bin/env python3
"""peers.py BINARY [--seeds N] [--first SEED] [--seed SEED] [--queries N] [--jobs N] [--folder F] [--gateway URL]: runs sqlgen on all
cores, and asks SQLite and DuckDB for the queries that they understand alike; with a SQL gateway of real Flink 2.3, Flink for all of
them. Prints what differs with its seed, and one line of counts.

The generator sees to it that shared queries mean the same: no overflow, no integer division, NULLs placed in every order. What is
left is how values are written, which is evened out here by type."""
import argparse
import concurrent.futures
import decimal
import math
import os
import re
import sqlite3
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import gateway

try:
    import duckdb
except ImportError:
    duckdb = None

SQLITE, DUCKDB = 1, 2
CELL_END = "\x1f"
printing = threading.Lock()


# --- the peers -----------------------------------------------------------------------------------------------------------
def strict(function):
    return lambda *args: None if None in args else function(*args)


class SQLite:
    name, bit = "SQLite", SQLITE

    def __init__(self):
        self.db = sqlite3.connect(":memory:")
        self.db.execute("PRAGMA case_sensitive_like = ON")
        self.db.create_function("CHAR_LENGTH", 1, strict(len), deterministic=True)
        for name in ("FLOOR", "CEIL"):
            self.db.create_function(name, 1, strict(lambda x, f=getattr(math, name.lower()): float(f(x))), deterministic=True)

    @staticmethod
    def text(sql):
        return re.sub(r"\b(DATE|TIMESTAMP) '", "'", sql)

    def create(self, name, types, rows):
        columns = ", ".join(f"c{i} {'TEXT' if t in ('DATE', 'TIMESTAMP(3)') else t}" for i, t in enumerate(types))
        self.db.execute(f"CREATE TABLE {name} ({columns})")
        for row in rows:
            self.db.execute(f"INSERT INTO {name} VALUES ({', '.join(self.text(cell) for cell in row)})")

    def run(self, sql):
        return self.db.execute(self.text(sql)).fetchall()

    def close(self):
        self.db.close()


class DuckDB:
    name, bit = "DuckDB", DUCKDB
    functions = ("CREATE MACRO IF NOT EXISTS char_length(x) AS length(x)",)

    def __init__(self):
        self.db = duckdb.connect(":memory:", config={"threads": 1})
        for statement in self.functions:
            self.db.execute(statement)

    def create(self, name, types, rows):
        columns = ", ".join(f"c{i} {t.replace('TIMESTAMP(3)', 'TIMESTAMP')}" for i, t in enumerate(types))
        self.db.execute(f"CREATE TABLE {name} ({columns})")
        self.db.execute(f"INSERT INTO {name} VALUES " + ", ".join(f"({', '.join(row)})" for row in rows))

    def run(self, sql):
        return self.db.execute(sql.replace("TIMESTAMP(3)", "TIMESTAMP")).fetchall()

    def close(self):
        self.db.close()


class Flink:
    name, bit = "Flink", 0
    settings = {"execution.runtime-mode": "streaming", "parallelism.default": "1", "table.local-time-zone": "UTC"}

    def __init__(self, url, folder):
        self.session, self.folder = gateway.Session(url, self.settings), folder

    def create(self, name, types, rows):
        columns = [f"c{i}" for i in range(len(types))]
        if types[0] == "TIMESTAMP(3)" and rows and all("2020-01-01 00:" in row[0] for row in rows):
            path = os.path.join(self.folder, f"{id(self)}.{name}.csv")
            with open(path, "w", encoding="utf-8") as f:
                f.writelines(",".join(re.sub(r"^(?:\w+ )?'(.*)'$", r"\1", cell) for cell in row) + "\n" for row in rows)
            self.session.run(f"CREATE TABLE {name} ({', '.join(f'{c} {t}' for c, t in zip(columns, types))}, WATERMARK FOR c0 AS c0 - INTERVAL '1' SECOND) WITH "
                             f"('connector' = 'filesystem', 'format' = 'csv', 'csv.null-literal' = 'NULL', 'path' = '{path}')")
            return
        values = ", ".join("(" + ", ".join(f"CAST({c} AS {t})" for c, t in zip(row, types)) + ")" for row in rows)
        self.session.run(f"CREATE VIEW {name} AS SELECT * FROM (VALUES {values}) AS v ({', '.join(columns)})")

    def run(self, sql):
        answer = self.session.run(sql)
        return gateway.fold(answer.rows, [name for name, _ in answer.columns], [])

    def close(self):
        self.session.close()


# --- cells ---------------------------------------------------------------------------------------------------------------
def cell(value, kind):
    """A value of a peer as comparable text; numbers are numbers."""
    if value is None:
        return None
    if kind.startswith(("INT", "BIGINT")):
        return int(value)
    if kind.startswith("DOUBLE"):
        return float(value)
    if kind.startswith("DECIMAL"):
        return decimal.Decimal(str(value)).normalize()
    if kind.startswith("BOOLEAN"):
        return bool(value)
    return re.sub(r"(\d\d:\d\d)(:\d\d)(\.0+)?$", r"\1\2", str(value)) if kind.startswith("TIMESTAMP") else str(value)


def own_cell(text, kind):
    """A cell of the engine's answer."""
    if text == "\\N":
        return None
    if kind.startswith("BOOLEAN"):
        return text == "TRUE"
    if kind.startswith("TIMESTAMP"):
        return re.sub(r"\.0+$", "", text)
    return cell(text, kind)


def key(row):
    """Rows in an order that small differences of doubles do not change much."""
    return [(x is None, f"{x:.6g}" if isinstance(x, float) else str(x)) for x in row]


def near(x, y):
    if isinstance(x, float) and isinstance(y, float):
        return x == y or math.isclose(x, y, rel_tol=1e-9) or (math.isnan(x) and math.isnan(y))
    return x == y


def same(xs, ys):
    if len(xs) != len(ys):
        return False
    return all(all(near(x, y) for x, y in zip(a, b)) for a, b in zip(sorted(xs, key=key), sorted(ys, key=key)))


# --- one run of the generator --------------------------------------------------------------------------------------------
class Run:
    def __init__(self, options):
        self.options = options
        self.lines, self.asked, self.differences, self.refused, self.summary = [], 0, 0, {}, ""
        self.tables, self.peers, self.seed = [], [], 0

    def open(self):
        """The peers with the tables of the seed; made when a query wants them."""
        if not self.peers:
            self.peers = [SQLite()] + ([DuckDB()] if duckdb else [])
            self.peers += [Flink(self.options.gateway, self.options.folder)] if self.options.gateway else []
            for peer in self.peers:
                for name, types, rows in self.tables:
                    peer.create(name, types, rows)
        return self.peers

    def query(self, wanted, is_global, sql, types, rows):
        kinds = types.split(CELL_END)[:-1]
        own = [[own_cell(c, k) for c, k in zip(line.split(CELL_END), kinds)] for count, line in rows for _ in range(count)]
        for peer in self.open():
            if not wanted & peer.bit and peer.bit != 0:
                continue
            try:
                answer = peer.run(sql)
            except (sqlite3.Error, gateway.Failed, *([duckdb.Error] if duckdb else [])) as e:
                self.refused[peer.name] = self.refused.get(peer.name, 0) + 1
                if os.environ.get("SQLGEN_VERBOSE"):
                    print(f"{peer.name}: {str(e).splitlines()[0]}: {sql}", file=sys.stderr)
                continue
            self.asked += 1
            if is_global and not own:
                continue  # a stream that never had a row has none of its aggregate; Flink's planner knows more inputs to be empty
            read = cell if peer.bit != 0 else lambda v, k: own_cell(v, k) if v is not None else None
            theirs = [[read(v, k) for v, k in zip(row, kinds)] for row in answer]
            if not same(own, theirs):
                self.differences += 1
                self.say(peer, sql, own, theirs)

    def say(self, peer, sql, own, theirs):
        lost, more = [r for r in own if r not in theirs][:3], [r for r in theirs if r not in own][:3]
        with printing:
            print(f"sqlgen: seed {self.seed}: {peer.name} differs: {len(own)} and {len(theirs)} rows; only here {lost}, only there {more}",
                  *(f"CREATE TABLE {n} ({', '.join(f'c{i} {t}' for i, t in enumerate(ts))}); INSERT INTO {n} VALUES "
                    f"{', '.join('(' + ', '.join(r) + ')' for r in rs)};" for n, ts, rs in self.tables), sql + ";", "", sep="\n", file=sys.stderr)

    def close(self):
        for peer in self.peers:
            peer.close()
        self.peers = []

    def read(self, stream):
        for line in stream:
            kind, rest = line[0], line[2:].rstrip("\n")
            if line.startswith("sqlgen: "):
                self.summary = line
            elif kind == "S":
                self.close()
                self.tables, self.seed = [], int(rest)
            elif kind == "T":
                name, *types = rest.split("\t")
                name, types[:0] = name, []
                self.tables.append((name, types, []))
            elif kind == "R":
                self.tables[-1][2].append(rest.split("\t"))
            elif kind == "Q":
                wanted, is_global, sql = rest.split(" ", 2)
                rows = []
            elif kind == "H":
                types = rest
            elif kind == "A":
                count, text = rest.split(" ", 1)
                rows.append((int(count), text))
            elif kind == "E":
                self.query(int(wanted), is_global == "1", sql, types, rows)


def run(options, first, seeds):
    r, folder = Run(options), os.path.join(options.folder, f"sqlgen{first}")
    os.makedirs(folder, exist_ok=True)
    command = [options.binary, "--dump-all" if options.gateway else "--dump", "--first", str(first), "--seeds", str(seeds), "--queries", str(options.queries), "--folder", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        r.read(process.stdout)
        r.close()
    counts = re.match(r"sqlgen: (\d+) seeds, (\d+) queries, (\d+) differences \((\d+) refused, (\d+) failed", r.summary)
    if counts is None:
        print(f"sqlgen: the run from seed {first} ended with status {process.returncode}", file=sys.stderr)
        r.differences += 1
    r.counts = [int(n) for n in counts.groups()] if counts else [0] * 5
    return r


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--queries", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--folder", default="/tmp")
    parser.add_argument("--gateway")
    o = parser.parse_args()
    if o.seed is not None:
        o.first, o.seeds = o.seed, 1
    if duckdb is None:
        print("skipped: DuckDB: its Python package is not there")
    step = max(1, min(500, -(-o.seeds // o.jobs)))
    parts = [(at, min(step, o.first + o.seeds - at)) for at in range(o.first, o.first + o.seeds, step)]
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        runs = list(pool.map(lambda part: run(o, *part), parts))
    seeds, queries, differences, refused, failed = (sum(r.counts[i] for r in runs) for i in range(5))
    differences += sum(r.differences for r in runs)
    unknown = sum(sum(r.refused.values()) for r in runs)
    print(f"sqlgen: {seeds} seeds, {queries} queries, {differences} differences ({refused} refused, {failed} failed in a row; "
          f"{sum(r.asked for r in runs)} answers of peers, {unknown} that they refused)")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
