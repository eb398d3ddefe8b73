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
REST, GATEWAY = 28081, 28083
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
    print(f"oracle: Flink {VERSION} is fetched into {PLACE} (about 330 MB)", flush=True)
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


def environment(home):
    """A configuration of our own beside the installed one, so that a cluster that runs on the usual ports is left alone."""
    own = os.path.join(ROOT, ".deps", "flink-oracle")
    conf = os.path.join(own, "conf")
    shutil.rmtree(conf, ignore_errors=True)
    shutil.copytree(os.path.join(home, "conf"), conf)
    with open(os.path.join(conf, "config.yaml"), "w", encoding="utf-8") as f:
        f.write(f"""jobmanager: {{rpc: {{address: localhost, port: 28123}}, bind-host: localhost, memory: {{process: {{size: 1600m}}}}}}
taskmanager: {{host: localhost, bind-host: localhost, numberOfTaskSlots: 8, memory: {{process: {{size: 2g}}}}}}
rest: {{address: localhost, bind-address: localhost, port: {REST}}}
sql-gateway: {{endpoint: {{rest: {{address: 127.0.0.1, port: {GATEWAY}}}}}}}
""")
    return {**os.environ, "FLINK_HOME": home, "FLINK_CONF_DIR": conf, "FLINK_LOG_DIR": os.path.join(own, "log"),
            "FLINK_PID_DIR": own, "TERM": "dumb"}


def wait_for(url, text):
    for _ in range(120):
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(url, timeout=5) as response:
                if text in response.read().decode():
                    return
        time.sleep(0.5)
    raise SystemExit(f"oracle: {url} does not answer; see {os.path.join(ROOT, '.deps', 'flink-oracle', 'log')}")


@contextlib.contextmanager
def gateway(url=None):
    """The address of a gateway: the one given, or one that runs as long as the block."""
    if url:
        yield url
        return
    home = fetch()
    env = environment(home)
    os.makedirs(env["FLINK_LOG_DIR"], exist_ok=True)
    script = lambda name, *arguments: run(os.path.join(home, "bin", name), *arguments, env=env)
    try:
        script("start-cluster.sh")
        wait_for(f"http://localhost:{REST}/taskmanagers", '"slotsNumber":8')
        script("sql-gateway.sh", "start")
        wait_for(f"http://127.0.0.1:{GATEWAY}/info", "Apache Flink")
        yield f"http://127.0.0.1:{GATEWAY}"
    finally:
        script("sql-gateway.sh", "stop")
        script("stop-cluster.sh")
