#!/usr/bin/env python3
"""kill_demo.py THALWEG FLIGHTS.CSV [--minutes M] [--seed N] [--keep] - a cluster whose processes are killed at random while it works.

Starts a JobManager and TaskManagers and submits a SQL job over the flights in a loop: they arrive file by file, lap after lap, each lap a
quarter of a year later. The job counts them by airport and day and writes the counts as files. For M minutes processes (JobManager,
TaskManager, worker) are killed with SIGKILL, chosen by the seed, some of them while the job is still recovering from the kill before; those
that were killed are started again at once, as a supervisor would do.

In the end the files must have exactly the rows that the same statement gives over the same input in one process which nobody disturbs:
none lost, none twice, none different. How long it took from a kill to the first new file that a reader can see is measured. Exit status 0
only if all of that holds."""
import argparse
import collections
import csv
import datetime
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

FILES_PER_LAP, FEED_S, LAP_DAYS = 40, 0.25, 91
PATIENCE_S = 60  # no new output for so long after a kill: the job is taken for dead
FLIGHTS = """CREATE TABLE flights (scheduled TIMESTAMP(3) NOT NULL, delay INT NOT NULL, distance INT NOT NULL, origin STRING NOT NULL,
  destination STRING NOT NULL, WATERMARK FOR scheduled AS scheduled - INTERVAL '2' DAY)
WITH ('connector' = 'filesystem', 'path' = '{input}', 'format' = 'csv'{more});
CREATE TABLE days (`day` STRING, origin STRING, flights BIGINT, minutes BIGINT, miles BIGINT)
WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'csv');
INSERT INTO days SELECT CAST(window_start AS STRING), origin, COUNT(*), SUM(CAST(delay AS BIGINT)), SUM(CAST(distance AS BIGINT))
FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(scheduled), INTERVAL '1' DAY)) GROUP BY window_start, window_end, origin;
"""
CLUSTER_SETTINGS = """SET 'pipeline.name' = 'flights by day';
SET 'parallelism.default' = '2';
SET 'execution.checkpointing.interval' = '250ms';
SET 'execution.checkpointing.dir' = '{folder}/checkpoints';
SET 'restart-strategy.type' = 'fixed-delay';
SET 'restart-strategy.fixed-delay.attempts' = '1000000';
SET 'restart-strategy.fixed-delay.delay' = '100ms';
"""


class Failure(Exception):
    pass


class Feed:
    """Writes the flights, lap after lap, as files that appear whole."""

    def __init__(self, path, folder):
        with open(path) as file:
            rows = list(csv.reader(file))[1:]
        self.rows = [(datetime.datetime.fromisoformat(row[0]), row[1:]) for row in rows]
        self.folder, self.count, self.next_s = folder, 0, time.monotonic()
        os.mkdir(folder)

    def publish(self, lines):
        name = f"{self.folder}/{self.count:06}.csv"
        with open(f"{self.folder}/.next", "w") as file:
            file.write("".join(line + "\n" for line in lines))
        os.rename(f"{self.folder}/.next", name)
        self.count += 1

    def go_on(self):
        while time.monotonic() >= self.next_s:
            lap, part = divmod(self.count, FILES_PER_LAP)
            size = len(self.rows) // FILES_PER_LAP
            later = datetime.timedelta(days=LAP_DAYS * lap)
            self.publish(f"{when + later},{','.join(rest)}" for when, rest in self.rows[part * size : (part + 1) * size])
            self.next_s += FEED_S

    def end(self):
        """A row far behind all others: when every reader has had one, all windows but theirs are complete."""
        self.publish(["2999-01-01 00:00:00,0,0,END,END"])


class Cluster:
    def __init__(self, thalweg, folder, task_managers):
        self.thalweg, self.folder = thalweg, folder
        self.rest, rpc = free_ports(2)
        self.at = f"localhost:{self.rest}"
        self.settings = ["-D", f"rest.port={self.rest}", "-D", f"jobmanager.rpc.port={rpc}", "-D", f"io.tmp.dirs={folder}/tmp",
                         "-D", "taskmanager.numberOfTaskSlots=2"]
        self.files = f"{folder}/tmp/thalweg-{os.getuid()}/{self.rest}"
        self.env = dict(os.environ, THALWEG_CONF_DIR=f"{folder}/none", FLINK_CONF_DIR=f"{folder}/none")
        self.run("start-cluster", "--taskmanagers", str(task_managers), *self.settings)

    def run(self, *arguments, check=True):
        done = subprocess.run([self.thalweg, *arguments], env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120)
        if check and done.returncode != 0:
            raise Failure(f"thalweg {' '.join(arguments)}: exit status {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def processes(self, kind):
        """Process ids of this cluster's processes of a kind: its port, or its folder, is among their arguments."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().decode(errors="replace").split("\0")
                with open(f"/proc/{entry}/environ", "rb") as file:
                    ours = self.env["THALWEG_CONF_DIR"].encode() in file.read()
                with open(f"/proc/{entry}/stat") as file:
                    is_zombie = file.read().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                continue
            if ours and not is_zombie and len(words) > 1 and words[1] == kind:
                found.append(int(entry))
        return sorted(found)

    def kill(self, kind, chooser):
        candidates = self.processes(kind)
        if not candidates:
            return None
        chosen = chooser.choice(candidates)
        os.kill(chosen, signal.SIGKILL)
        return chosen

    def start(self, kind):
        self.run(kind, "start", *self.settings)

    def stop(self):
        """Also what stop-cluster does not find, or where the binary is gone: nothing of ours stays."""
        try:
            self.run("stop-cluster", *self.settings, check=False)
        except (OSError, subprocess.SubprocessError) as problem:
            say(f"stop-cluster: {problem}")
        for kind in ("worker", "taskmanager", "jobmanager"):
            for process in self.processes(kind):
                os.kill(process, signal.SIGKILL)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def visible_parts(folder):
    return {name for name in os.listdir(folder) if name.startswith("part-")} if os.path.isdir(folder) else set()


def rows_of(folder):
    rows = []
    for name in visible_parts(folder):
        with open(f"{folder}/{name}") as file:
            rows += [line for line in file if ",END," not in line]
    return rows


class Demo:
    def __init__(self, thalweg, flights, folder, seed):
        self.folder, self.chooser = folder, random.Random(seed)
        self.feed = Feed(flights, f"{folder}/input")
        self.output = f"{folder}/output"
        self.kills = []  # (kind, seconds to the first new output, was there another kill before that)
        self.feed.go_on()
        self.cluster = Cluster(thalweg, folder, 2)

    def submit(self):
        sql = CLUSTER_SETTINGS + FLIGHTS.format(input=self.feed.folder, output=self.output, more=", 'source.monitor-interval' = '100ms'")
        with open(f"{self.folder}/job.sql", "w") as file:
            file.write(sql.format(folder=self.folder))
        self.cluster.run("sql", "-m", self.cluster.at, "-f", f"{self.folder}/job.sql")

    def wait_for_output(self, since):
        """Feeds until there is a part that was not there; answers the time it took."""
        before = visible_parts(self.output)
        while time.monotonic() - since < PATIENCE_S:
            self.feed.go_on()
            if visible_parts(self.output) - before:
                return time.monotonic() - since
            time.sleep(0.005)
        raise Failure(f"no new output within {PATIENCE_S} s; thalweg list says:\n{self.cluster.run('list', '-a', '-m', self.cluster.at, check=False)}")

    def pause(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.feed.go_on()
            time.sleep(0.01)

    def kill_one(self):
        kind = self.chooser.choices(["worker", "taskmanager", "jobmanager"], weights=[5, 3, 2])[0]
        if self.cluster.kill(kind, self.chooser) is None:
            return None
        if kind != "worker":
            self.cluster.start(kind)
        return kind

    def kill_for(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            kinds = [self.kill_one()]
            while self.chooser.random() < 0.25:
                self.pause(self.chooser.uniform(0, 1))
                began = time.monotonic()
                kinds.append(self.kill_one())
            kinds = [kind for kind in kinds if kind is not None]
            if not kinds:
                continue
            took = self.wait_for_output(began)
            self.kills.append((kinds, took))
            say(f"{datetime.timedelta(seconds=int(until - time.monotonic()))} left  {' + '.join(kinds):40} new output after {took:.2f} s")
            self.pause(self.chooser.uniform(0.5, 3))

    def reference(self):
        with open(f"{self.folder}/reference.sql", "w") as file:
            file.write("SET 'parallelism.default' = '1';\nSET 'table.dml-sync' = 'true';\n")
            file.write(FLIGHTS.format(input=self.feed.folder, output=f"{self.folder}/reference/", more=""))
        self.cluster.run("sql", "-f", f"{self.folder}/reference.sql")
        return rows_of(f"{self.folder}/reference")

    def compare(self):
        self.feed.end()
        expected = self.reference()
        until = time.monotonic() + PATIENCE_S
        while len(rows_of(self.output)) < len(expected) and time.monotonic() < until:
            self.feed.end()
            time.sleep(0.3)
        job = [line.split(" : ")[1] for line in self.cluster.run("list", "-m", self.cluster.at).splitlines() if " (RUNNING)" in line]
        self.cluster.run("cancel", "-m", self.cluster.at, *job)
        got = rows_of(self.output)
        lost = collections.Counter(expected) - collections.Counter(got)
        more = collections.Counter(got) - collections.Counter(expected)
        return expected, lost, more


def say(text):
    print(text, flush=True)


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def table(kills):
    groups = collections.OrderedDict()
    for kind in ("worker", "taskmanager", "jobmanager"):
        groups[kind] = [took for kinds, took in kills if kinds == [kind]]
    groups["several at once"] = [took for kinds, took in kills if len(kinds) > 1]
    groups["all"] = [took for _, took in kills]
    say(f"\n{'killed':18} {'times':>6} {'recovered':>10}   first new output: {'p50':>7} {'p99':>7} {'longest':>8}")
    for name, times in groups.items():
        if times:
            say(f"{name:18} {len(times):6} {len(times):10}   {'':17} {quantile(times, 0.5):5.2f} s {quantile(times, 0.99):5.2f} s {max(times):6.2f} s")


def main():
    parser = argparse.ArgumentParser(description="Kills processes of a cluster at random and compares what it wrote.")
    parser.add_argument("thalweg")
    parser.add_argument("flights")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the folder with input, output, checkpoints and logs")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="thalweg-kill-demo-")
    demo, failed = None, True
    try:
        demo = Demo(os.path.abspath(options.thalweg), options.flights, folder, options.seed)
        demo.submit()
        demo.wait_for_output(time.monotonic())
        say(f"The job runs; processes are killed for {options.minutes:g} min (seed {options.seed}).")
        demo.kill_for(options.minutes * 60)
        expected, lost, more = demo.compare()
        table(demo.kills)
        say(f"\n{demo.feed.count} files, {demo.feed.count // FILES_PER_LAP} laps of the flights read; {len(expected)} rows expected, "
            f"{sum(lost.values())} lost, {sum(more.values())} twice or different")
        for name, rows in (("lost", lost), ("twice or different", more)):
            for row in sorted(rows)[:5]:
                say(f"  {name}: {row.strip()}")
        failed = bool(lost or more) or not demo.kills or not expected
        say("The output is that of the undisturbed run." if not failed else "FAILED: the output is not that of the undisturbed run.")
    except Failure as failure:
        say(f"FAILED: {failure}")
    finally:
        if demo is not None:
            demo.cluster.stop()
        if options.keep or failed:
            say(f"Input, output and logs are in {folder}")
        else:
            shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
