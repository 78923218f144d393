"""Requests by `oha`, at a rate or as fast as they are answered."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from service import KEY


@dataclass
class Load:
    """Requests to send, and their rate."""

    url: str
    connections: int
    seconds: float
    # Requests per second. None sends the next request after each response.
    rate: float | None = None
    # Bodies to post in turn. Empty sends GET requests.
    bodies: list[dict] = field(default_factory=list)
    # The URL is a regular expression; each request uses a random match.
    varies: bool = False
    cores: set[int] | None = None
    # At a rate: measures latency from the time at which the request was due, which avoids
    # coordinated omission.
    corrected: bool = True


@dataclass
class Outcome:
    """Results of a load. Times are in milliseconds, None without such a response."""

    statuses: dict[int, int]
    errors: dict[str, int]
    seconds: float
    p50: float | None
    p99: float | None
    p99_rejected: float | None
    slowest: float

    @property
    def goodput(self) -> float:
        return self.statuses.get(200, 0) / self.seconds

    @property
    def all_succeeded(self) -> bool:
        return set(self.statuses) == {200} and not self.errors


class RunningLoad:
    """A load in progress."""

    def __init__(self, load: Load):
        self.directory = tempfile.TemporaryDirectory(prefix="clarity-load-")
        self.report = Path(self.directory.name, "report.json")
        bodies = Path(self.directory.name, "bodies")
        command = [
            "oha", "--no-tui", "--no-color", "--output-format", "json", "--output", self.report, "--stats-success-breakdown",
            "--disable-compression", "--redirect", "0", "-t", "70s", "-c", str(load.connections), "-H", f"X-API-Key: {KEY}",
            "-z", f"{load.seconds}s", "--wait-ongoing-requests-after-deadline",
        ]  # fmt: skip
        if load.cores:
            command = ["taskset", "--cpu-list", ",".join(map(str, load.cores)), *command, "--worker-threads", str(len(load.cores))]
        if load.rate:
            command += ["-q", str(load.rate)]
            command += ["--latency-correction"] if load.corrected else []
        if load.bodies:
            bodies.write_text("".join(json.dumps(body) + "\n" for body in load.bodies))
            command += ["-m", "POST", "-T", "application/json", "-Z", bodies]
        if load.varies:
            command += ["--rand-regex-url"]
        self.timeout = load.seconds + 90
        self.process = subprocess.Popen(
            [*command, load.url], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def is_finished(self) -> bool:
        return self.process.poll() is not None

    def outcome(self) -> Outcome:
        """Waits until the load has finished."""
        with self.directory:
            try:
                output, _ = self.process.communicate(timeout=self.timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
            if self.process.returncode != 0:
                raise RuntimeError(f"oha exited with {self.process.returncode}: {output}")
            result = json.loads(self.report.read_text())
        return Outcome(
            statuses={int(status): count for status, count in result["statusCodeDistribution"].items()},
            errors=result["errorDistribution"],
            seconds=result["summary"]["total"],
            p50=milliseconds(result["latencyPercentilesSuccessful"].get("p50")),
            p99=milliseconds(result["latencyPercentilesSuccessful"].get("p99")),
            p99_rejected=milliseconds(result["latencyPercentilesNotSuccessful"].get("p99")),
            slowest=milliseconds(result["summary"]["slowest"]),
        )


def milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def run(load: Load) -> Outcome:
    return RunningLoad(load).outcome()


def readings(count: int) -> list[dict]:
    """Returns distinct readings of up to 50 users."""
    return [
        {
            "user_id": f"user-{number % 50}",
            "data_type": "heart_rate",
            "value": 50 + number % 100,
            "timestamp": f"2024-01-{1 + number // 1440 % 28:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
            "metadata": {"number": number},
        }
        for number in range(count)
    ]
