"""flink.py - Apache Flink 2.3 for the oracle: fetched once under .deps by the ordinary clients (pip and mvn), started on ports of its
own, stopped at the end. Nothing is taken from the system but Python, Maven and a JDK of 11 to 21."""
import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile

VERSION = "2.3.0"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACE = os.path.join(ROOT, ".deps", f"flink-{VERSION}")
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>oracle</groupId><artifactId>flink</artifactId><version>1</version><packaging>pom</packaging><dependencies><dependency>
<groupId>org.apache.flink</groupId><artifactId>flink-sql-gateway</artifactId><version>%s</version>
<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency></dependencies></project>
"""


def run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)


def fetch():
    """FLINK_HOME: that of the environment, or one of our own."""
    home = os.environ.get("FLINK_HOME") or os.path.join(PLACE, "pyflink")
    if os.path.exists(os.path.join(home, "bin", "sql-gateway.sh")) and has_gateway(home):
        return home
    print(f"flink: Flink {VERSION} is fetched into {PLACE} (about 330 MB)", flush=True)
    home = os.path.join(PLACE, "pyflink")
    wheels = os.path.join(PLACE, "wheels")
    os.makedirs(wheels, exist_ok=True)
    run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", wheels, "--python-version", "3.11", "--only-binary=:all:",
        f"apache-flink=={VERSION}", f"apache-flink-libraries=={VERSION}")
    for name in os.listdir(wheels):
        with zipfile.ZipFile(os.path.join(wheels, name)) as wheel:
            wheel.extractall(PLACE)
    shutil.rmtree(wheels)
    with open(os.path.join(PLACE, "pom.xml"), "w", encoding="utf-8") as f:
        f.write(POM % VERSION)
    run("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=" + os.path.join(home, "opt"), cwd=PLACE)
    for name in os.listdir(os.path.join(home, "bin")):
        os.chmod(os.path.join(home, "bin", name), 0o755)
    return home


def has_gateway(home):
    return any(name.startswith("flink-sql-gateway-") for name in os.listdir(os.path.join(home, "opt")))


class Cluster:
    """What one use of Flink runs: its slots, its task manager's memory, and ports and files of its own."""

    def __init__(self, name, slots=8, memory="2g", ports=(28081, 28083, 28123)):
        self.place = os.path.join(ROOT, ".deps", "flink-" + name)
        self.slots, self.memory = slots, memory
        self.rest, self.gateway, self.rpc = ports

    def environment(self, home):
        """A configuration beside the installed one, so that a cluster that runs on the usual ports is left alone."""
        conf = os.path.join(self.place, "conf")
        shutil.rmtree(conf, ignore_errors=True)
        shutil.copytree(os.path.join(home, "conf"), conf)
        with open(os.path.join(conf, "config.yaml"), "w", encoding="utf-8") as f:
            f.write(f"""jobmanager: {{rpc: {{address: localhost, port: {self.rpc}}}, bind-host: localhost, memory: {{process: {{size: 1600m}}}}}}
taskmanager: {{host: localhost, bind-host: localhost, numberOfTaskSlots: {self.slots}, memory: {{process: {{size: {self.memory}}}}}}}
rest: {{address: localhost, bind-address: localhost, port: {self.rest}}}
sql-gateway: {{endpoint: {{rest: {{address: 127.0.0.1, port: {self.gateway}}}}}}}
""")
        return {**os.environ, "FLINK_HOME": home, "FLINK_CONF_DIR": conf, "FLINK_LOG_DIR": os.path.join(self.place, "log"),
                "FLINK_PID_DIR": self.place, "TERM": "dumb"}

    def wait_for(self, url, text):
        for _ in range(120):
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(url, timeout=5) as response:
                    if text in response.read().decode():
                        return
            time.sleep(0.5)
        raise SystemExit(f"flink: {url} does not answer; see {os.path.join(self.place, 'log')}")

    def task_manager(self):
        """The process number of its task manager."""
        name = next(name for name in os.listdir(self.place) if name.endswith("-taskexecutor.pid"))
        with open(os.path.join(self.place, name), encoding="utf-8") as f:
            return int(f.read().split()[-1])

    @contextlib.contextmanager
    def run(self):
        """The address of its gateway, as long as the block runs."""
        home = fetch()
        env = self.environment(home)
        os.makedirs(env["FLINK_LOG_DIR"], exist_ok=True)
        script = lambda name, *arguments: run(os.path.join(home, "bin", name), *arguments, env=env)
        try:
            script("start-cluster.sh")
            self.wait_for(f"http://localhost:{self.rest}/taskmanagers", f'"slotsNumber":{self.slots}')
            script("sql-gateway.sh", "start")
            self.wait_for(f"http://127.0.0.1:{self.gateway}/info", "Apache Flink")
            yield f"http://127.0.0.1:{self.gateway}"
        finally:
            script("sql-gateway.sh", "stop")
            script("stop-cluster.sh")


def gateway(url=None):
    """The address of a gateway: the one given, or one that runs as long as the block."""
    return contextlib.nullcontext(url) if url else Cluster("oracle").run()
