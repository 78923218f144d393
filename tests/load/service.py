"""The service as a separate process."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from cgroup import Group
from report import eventually

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("CLARITY_BINARY", REPOSITORY / "target/release/clarity-backend")).resolve()
KEY = "development-key"
# Nothing else is inherited, as in the container.
INHERITED = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """Service with a fixed port across restarts. Its data and log are deleted on exit."""

    def __init__(self, cores: set[int] | None = None, group: Group | None = None, **variables: str):
        self.directory = Path(tempfile.mkdtemp(prefix="clarity-load-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.metrics_port = free_port()
        self.cores = cores
        self.group = group
        self.variables = {
            **INHERITED,
            "PORT": str(self.port),
            "CLARITY_DATA_DIR": str(self.directory / "data"),
            "METRICS_ADDR": f"127.0.0.1:{self.metrics_port}",
            "LOG_FORMAT": "json",
            **variables,
        }
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Service":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory)

    def start(self) -> None:
        def prepare() -> None:
            if self.cores:
                os.sched_setaffinity(0, self.cores)
            if self.group:
                self.group.join()

        with (self.directory / "log").open("ab") as log:
            # It reads `.env` from the working directory.
            self.process = subprocess.Popen(
                [BINARY], env=self.variables, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=prepare
            )
        if not eventually(lambda: self.get("/health/ready")[0] == 200 or self.process.poll() is not None) or self.process.poll() is not None:
            raise RuntimeError(f"the service does not start: {self.log()[-2000:]}")

    def stop(self) -> tuple[int, float]:
        """Sends SIGTERM; returns the exit code and the seconds until the exit."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=40)
        return code, time.monotonic() - start

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def get(self, path: str) -> tuple[int, str]:
        return fetch(self.url + path)

    def post(self, path: str, body: dict) -> tuple[int, str]:
        return fetch(self.url + path, json.dumps(body).encode())

    def resident_mb(self) -> float:
        return self.memory_kb("VmRSS") / 1000

    def peak_resident_mb(self) -> float:
        return self.memory_kb("VmHWM") / 1000

    def memory_kb(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)[1])

    def metric(self, name: str, **labels: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Returns the series of a metric whose labels match these patterns."""
        text = fetch(f"http://127.0.0.1:{self.metrics_port}/metrics")[1]
        series = {}
        for line in re.findall(rf"^{name}(?:{{.*}})? \S+$", text, re.MULTILINE):
            found_labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if all(re.fullmatch(pattern, found_labels.get(label, "")) for label, pattern in labels.items()):
                series[tuple(sorted(found_labels.items()))] = float(line.rsplit(" ", 1)[1])
        return series


def fetch(url: str, body: bytes | None = None) -> tuple[int, str]:
    """Returns status and body; status 0 and the error if there is no response."""
    headers = {"X-API-Key": KEY, **({"Content-Type": "application/json"} if body else {})}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)
