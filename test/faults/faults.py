#!/usr/bin/env python3
"""faults.py - kills real processes at every crash point and compares what they committed with what an undisturbed run writes.

Each run has folders of its own. A process is told by its environment where it kills itself (test/faults/crash.c); it is started again by the same
command until the job is finished, and the rows of all files that its sink has published, sorted, must be those of the reference run, with
nothing hidden left. A run whose crash point was never come by does not count: it is shown as such, and is no failure.

embedded: one process is all. cluster: a JobManager and a TaskManager whose workers run the tasks; killed is the coordinator, the worker, or both.
"""
import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROWS = 12000
RUN_SECONDS = 120
RESTORES = ("C23", "C24")  # come by where a job begins with a checkpoint
SELDOM = RESTORES + ("C11", "C20", "C21", "C25")  # once or twice in a run
PASSES_MAX = 6

JOB = """
SET 'pipeline.name' = 'faults';
SET 'execution.checkpointing.interval' = '40ms';
SET 'execution.checkpointing.dir' = '{folder}/ck';
SET 'execution.checkpointing.data-inline-threshold' = '0 kb';
SET 'execution.checkpointing.incremental' = '{incremental}';
SET 'thalweg.checkpoint.incremental-from' = '0 b';
SET 'execution.checkpointing.tolerable-failed-checkpoints' = '1000';
SET 'execution.checkpointing.timeout' = '{timeout}';
SET 'restart-strategy.type' = 'fixed-delay';
SET 'restart-strategy.fixed-delay.delay' = '300 ms';
SET 'restart-strategy.fixed-delay.attempts' = '100';
SET 'table.dml-sync' = '{sync}';
SET 'parallelism.default' = '2';
CREATE TABLE numbers (id BIGINT, ts AS TO_TIMESTAMP_LTZ(id, 3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'datagen', 'rows-per-second' = '8000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{rows}');
CREATE TABLE counts (k BIGINT, n BIGINT, total BIGINT, t STRING) WITH ('connector' = 'filesystem', 'path' = '{folder}/out/', 'format' = 'csv');
INSERT INTO counts SELECT id % 97, COUNT(*), SUM(id), CAST(window_start AS STRING)
FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '0.200' SECOND)) GROUP BY id % 97, window_start, window_end;
"""


def job_file(folder, point, sync=True):
    path = os.path.join(folder, "job.sql")
    with open(path, "w") as f:
        f.write(JOB.format(folder=folder, rows=ROWS, sync="true" if sync else "false",
                           incremental="true" if point == "C18" and sync else "false", timeout="10 ms" if point == "C11" else "60 s"))
    return path


def rows_of(folder):
    """All rows that are published, sorted; hidden files are those that nobody published."""
    lines, hidden = [], []
    for root, _, names in os.walk(os.path.join(folder, "out")):
        for name in names:
            if name.startswith("."):
                hidden.append(name)
            else:
                with open(os.path.join(root, name)) as f:
                    lines += f.read().splitlines()
    return sorted(lines), hidden


def environment(point=None, passes=1, mark=None):
    e = {k: v for k, v in os.environ.items() if not k.startswith("THALWEG_CRASH")}
    e["THALWEG_CONF_DIR"] = e["FLINK_CONF_DIR"] = "/nonexistent"
    if point:
        e["THALWEG_CRASH"] = "%s:%d" % (point, passes)
        e["THALWEG_CRASH_MARK"] = mark
    return e


def compare(folder, reference):
    rows, hidden = rows_of(folder)
    if rows != reference:
        missing, extra = set(reference) - set(rows), len(rows) - len(set(rows))
        return "%d rows, expected %d: %d missing, %d more than once" % (len(rows), len(reference), len(missing), extra)
    return "hidden files are left: %s" % " ".join(hidden[:3]) if hidden else None


def is_recorded_finished(folder):
    """Whether the newest record of the job says so (docs/formats/job-record.md: the status is text)."""
    ck = os.path.join(folder, "ck")
    for job in os.listdir(ck) if os.path.isdir(ck) else []:
        records = sorted(n for n in os.listdir(os.path.join(ck, job)) if n.startswith("record-"))
        if records:
            with open(os.path.join(ck, job, records[-1]), "rb") as f:
                return b"FINISHED" in f.read()
    return False


# --- one process ------------------------------------------------------------------------------------------------------------
def run_embedded(binary, folder, env):
    p = subprocess.run([binary, "sql", "-f", os.path.join(folder, "job.sql")], env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=RUN_SECONDS)
    return p.returncode, p.stdout.decode(errors="replace")


def embedded(binary, folder, point, passes, reference):
    """Answers (fired, what went wrong or None)."""
    job_file(folder, point)
    mark = os.path.join(folder, "mark")
    passes = 1 if point in SELDOM else passes
    if point in RESTORES:
        run_embedded(binary, folder, environment("C19", 3, os.path.join(folder, "first")))
    status, said = run_embedded(binary, folder, environment(point, passes, mark))
    fired = os.path.exists(mark)
    if fired and status != -signal.SIGKILL:
        return fired, "it died otherwise: status %d: %s" % (status, said[-500:])
    if fired and is_recorded_finished(folder):  # the same command would begin anew
        return fired, compare(folder, reference)
    for _ in range(3 if fired else 0):
        status, said = run_embedded(binary, folder, environment())
        if status == 0:
            break
    if status != 0:
        return fired, "status %d: %s" % (status, said[-500:])
    return fired, compare(folder, reference)


# --- a cluster ----------------------------------------------------------------------------------------------------------------
def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.rest, self.rpc = binary, folder, free_port(), free_port()
        self.processes = {}

    def start(self, what, env):
        settings = ["rest.port=%d" % self.rest, "jobmanager.rpc.port=%d" % self.rpc, "io.tmp.dirs=%s/tmp" % self.folder,
                    "taskmanager.numberOfTaskSlots=2"]
        arguments = [self.binary, what]
        for s in settings:
            arguments += ["-D", s]
        log = open(os.path.join(self.folder, what + ".log"), "ab")
        self.processes[what] = subprocess.Popen(arguments, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()

    def ask(self, *arguments):
        p = subprocess.run([self.binary, *arguments, "-m", "localhost:%d" % self.rest], env=environment(), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=RUN_SECONDS)
        return p.returncode, p.stdout.decode(errors="replace")

    def submit(self):
        return self.ask("sql", "-f", os.path.join(self.folder, "job.sql"))

    def workers(self):
        """Children of the TaskManager, by the kernel's list."""
        found, parent = [], str(self.processes["taskmanager"].pid)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as f:
                    if f.read().rsplit(")", 1)[1].split()[1] == parent:
                        found.append(int(pid))
            except (OSError, IndexError):
                pass
        return found

    def kill_workers(self):
        for pid in self.workers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def is_dead(self, what):
        return self.processes[what].poll() is not None

    def stop(self):
        for p in self.processes.values():
            p.kill()
            p.wait()


def wait_until(condition, seconds=RUN_SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def has_checkpoints(folder):
    ck = os.path.join(folder, "ck")
    return any(n.startswith("chk-") for job in (os.listdir(ck) if os.path.isdir(ck) else []) for n in os.listdir(os.path.join(ck, job)))


def job_id(listing):
    for line in listing.splitlines():
        parts = line.split(" : ")
        if len(parts) == 3 and parts[2].startswith("faults"):
            return parts[1]
    return None


def provoke(c, folder, point):
    """What some points need besides a job that runs."""
    if point in RESTORES + ("C21",):
        if wait_until(lambda: has_checkpoints(folder), 30):
            c.kill_workers()
    if point == "C20":
        if wait_until(lambda: has_checkpoints(folder), 30):
            c.ask("savepoint", job_id(c.ask("list", "-a")[1]) or "", os.path.join(folder, "saved"))


def drive(c, folder, point, target, mark):
    """Until the job is finished; the coordinator is started again when it has died."""
    has_killed = False
    end = time.monotonic() + RUN_SECONDS
    while time.monotonic() < end:
        if os.path.exists(mark) and not has_killed:
            has_killed = True
            if target == "both":
                c.kill_workers()
                c.processes["jobmanager"].kill()
        if c.is_dead("jobmanager"):
            c.processes["jobmanager"].wait()
            c.start("jobmanager", environment())
        if c.is_dead("taskmanager"):
            return "the TaskManager has ended: %s" % tail(folder, "taskmanager")
        status, listing = c.ask("list", "-a")
        if status == 0 and job_id(listing) is None:  # the JobManager died before it had taken the job
            c.submit()
        if status == 0 and "(FINISHED)" in listing:
            return None
        if status == 0 and "(FAILED)" in listing:
            return "the job has failed: %s" % tail(folder, "jobmanager")
        time.sleep(0.05)
    return "not finished after %d s: %s" % (RUN_SECONDS, tail(folder, "jobmanager"))


def tail(folder, what):
    with open(os.path.join(folder, what + ".log"), errors="replace") as f:
        return f.read()[-600:]


def cluster(binary, folder, point, passes, reference, target, side):
    job_file(folder, point, sync=False)
    mark = os.path.join(folder, "mark")
    at_coordinator = target == "coordinator" or (target == "both" and "J" in side)
    armed = environment(point, 1 if point in SELDOM else passes, mark)
    c = Cluster(binary, folder)
    try:
        c.start("jobmanager", armed if at_coordinator else environment())
        if not wait_until(lambda: c.is_dead("jobmanager") or c.ask("list")[0] == 0, 30):
            return False, "the JobManager does not answer: %s" % tail(folder, "jobmanager")
        c.start("taskmanager", environment() if at_coordinator else armed)
        status, said = c.submit()
        if status != 0 and not os.path.exists(mark):
            return False, "the job was not taken: %s" % said[-500:]
        provoke(c, folder, point)
        problem = drive(c, folder, point, target, mark)
        return os.path.exists(mark), problem or compare(folder, reference)
    finally:
        c.kill_workers() if "taskmanager" in c.processes else None
        c.stop()


# --- the table ------------------------------------------------------------------------------------------------------------------
def fresh(base):
    folder = os.path.join(base, "run")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def run_cell(o, base, point, side, mode, target, reference, random_):
    fired = failed = 0
    for n in range(o.runs):
        folder = fresh(base)
        passes = random_.randint(1, PASSES_MAX)
        try:
            has_fired, problem = (embedded(o.binary, folder, point, passes, reference) if mode == "embedded" else
                                  cluster(o.binary, folder, point, passes, reference, target, side))
        except subprocess.TimeoutExpired:
            has_fired, problem = True, "a process has not ended after %d s" % RUN_SECONDS
        fired += has_fired
        if problem:
            failed += 1
            print("%s %s %s, run %d, at pass %d: %s" % (mode, target, point, n + 1, passes, problem), file=sys.stderr)
    return fired, failed


def cells(o, points):
    for point, side, doc in points:
        if "embedded" in o.modes:
            yield point, side, doc, "embedded", "process"
        if "cluster" in o.modes:
            for target, is_there in (("coordinator", "J" in side), ("worker", "T" in side), ("both", True)):
                if is_there:
                    yield point, side, doc, "cluster", target


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--binary", required=True)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--points", help="C1,C7,...: these alone")
    p.add_argument("--modes", default="embedded,cluster")
    p.add_argument("--seed", type=int, default=1, help="of the passes at which a process dies")
    o = p.parse_args()
    o.binary = os.path.abspath(o.binary)
    listed = subprocess.run([o.binary, "--version"], env=dict(os.environ, THALWEG_CRASH="list"), stdout=subprocess.PIPE, check=True)
    points = [tuple(line.split("\t")) for line in listed.stdout.decode().splitlines()]
    if o.points:
        points = [x for x in points if x[0] in o.points.split(",")]
    base = tempfile.mkdtemp(prefix="faults-")
    try:
        folder = fresh(base)
        job_file(folder, "none")
        status, said = run_embedded(o.binary, folder, environment())
        reference, _ = rows_of(folder)
        if status != 0 or not reference:
            sys.exit("faults: the reference run has status %d and %d rows: %s" % (status, len(reference), said))
        print("reference: %d rows; %d runs each" % (len(reference), o.runs))
        print("| point | what has happened by then | killed | runs | fired | failed |\n| --- | --- | --- | ---: | ---: | ---: |", flush=True)
        failures = unfired = 0
        random_ = random.Random(o.seed)
        for point, side, doc, mode, target in cells(o, points):
            fired, failed = run_cell(o, base, point, side, mode, target, reference, random_)
            failures += failed
            unfired += fired == 0
            print("| %s | %s | %s, %s | %d | %d | %d |" % (point, doc, mode, target, o.runs, fired, failed), flush=True)
        print("failures: %d; rows of the table in which nothing fired, which prove nothing: %d" % (failures, unfired))
        sys.exit(1 if failures else 0)
    finally:
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
