"""Requests at a rate, or as fast as they are answered, by `oha`."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from service import KEY


@dataclass
class Load:
    """What to ask for, and how often."""

    url: str
    connections: int
    seconds: float
    # A second; as fast as they are answered where there is none.
    rate: float | None = None
    # Each request has one of these, where there are any.
    bodies: list[dict] = field(default_factory=list)
    # The URL is a regular expression, of which each request has one match.
    varies: bool = False
    cores: set[int] | None = None
    # Whether an answer's time begins when it should have been asked for, at a rate.
    corrected: bool = True


@dataclass
class Outcome:
    """What became of it. Times are in milliseconds, None where there was no such answer."""

    statuses: dict[int, int]
    errors: dict[str, int]
    seconds: float
    p50: float | None
    p99: float | None
    p99_refused: float | None
    slowest: float

    @property
    def goodput(self) -> float:
        return self.statuses.get(200, 0) / self.seconds

    @property
    def all_well(self) -> bool:
        return set(self.statuses) == {200} and not self.errors


class Running:
    """A load that is under way."""

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
        self.limit = load.seconds + 90
        self.process = subprocess.Popen(
            [*command, load.url], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def outcome(self) -> Outcome:
        """Waits for its end."""
        with self.directory:
            try:
                output, _ = self.process.communicate(timeout=self.limit)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
            if self.process.returncode != 0:
                raise RuntimeError(f"oha ended with {self.process.returncode}: {output}")
            found = json.loads(self.report.read_text())
        return Outcome(
            statuses={int(status): count for status, count in found["statusCodeDistribution"].items()},
            errors=found["errorDistribution"],
            seconds=found["summary"]["total"],
            p50=milliseconds(found["latencyPercentilesSuccessful"].get("p50")),
            p99=milliseconds(found["latencyPercentilesSuccessful"].get("p99")),
            p99_refused=milliseconds(found["latencyPercentilesNotSuccessful"].get("p99")),
            slowest=milliseconds(found["summary"]["slowest"]),
        )


def milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def run(load: Load) -> Outcome:
    return Running(load).outcome()


def readings(count: int) -> list[dict]:
    """As many different readings, of a few users."""
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
