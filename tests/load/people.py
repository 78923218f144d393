"""Users with many readings, and bodies to send."""

import json
import random
import tempfile
from contextlib import contextmanager
from pathlib import Path

from clients import Class, run
from service import Service

# Readings of the largest batch.
MAX_READINGS = 5_000
MAX_BATCH_BYTES = 8 * 1024 * 1024


@contextmanager
def body_files():
    """Yields a function that writes a body to a file and returns its path."""
    with tempfile.TemporaryDirectory(prefix="clarity-load-") as directory:
        count = 0

        def write(body: str | dict) -> str:
            nonlocal count
            count += 1
            path = Path(directory, str(count))
            path.write_text(body if isinstance(body, str) else json.dumps(body, separators=(",", ":")))
            return str(path)

        yield write


def reading(user: str, number: int, **fields) -> dict:
    """Returns a reading; those with other numbers differ, and are in the two days before 2024-03-03."""
    seconds = number % 172_800
    day, rest = divmod(seconds, 86_400)
    return {
        "user_id": user,
        "data_type": "heart_rate",
        "value": 50 + number % 100,
        "timestamp": f"2024-03-{1 + day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z",
        **fields,
    }


def text(length: int, seed: int) -> str:
    """Returns text that compresses like that of a device: by a factor of about four."""
    words = random.Random(seed)
    return " ".join(f"{words.choice(WORDS)}{words.randrange(100)}" for _ in range(length // 8 + 8))[:length]


WORDS = ["sleep", "stage", "pulse", "watch", "steps", "light", "phase", "track"]


def rich(user: str, count: int, metadata_bytes: int, start: int = 0) -> list[dict]:
    """Returns readings with much metadata."""
    notes = [text(metadata_bytes - 12, seed) for seed in range(16)]
    return [reading(user, start + number, metadata={"note": notes[number % 16]}) for number in range(count)]


def batches(readings: list[dict]) -> list[dict]:
    """Splits readings into batches below the limits of one."""
    size = len(json.dumps(readings[0])) + 2
    count = min(MAX_READINGS, MAX_BATCH_BYTES * 3 // 4 // size)
    return [{"readings": readings[start : start + count]} for start in range(0, len(readings), count)]


def store(service: Service, readings: list[dict]) -> None:
    for batch in batches(readings):
        status, response = service.post("/api/v1/data/batch", batch)
        if status != 200:
            raise RuntimeError(f"a batch is not stored: {status} {response[:300]}")


def series(user: str, series_count: int, per_series: int) -> list[dict]:
    """Returns readings of many data types within one hour."""
    return [
        reading(user, number % 3600, data_type=f"kind_{kind:03}", value=number % 500 + kind / 1000)
        for kind in range(series_count)
        for number in range(per_series)
    ]


def question(user: str) -> dict:
    return {"user_id": user, "query": "How is my heart rate?", "include_recent_data": True}


def capacity(service: Service, group: Class, connections: list[int], seconds: float) -> float:
    """Returns the highest goodput of a closed loop with any of these numbers of connections."""
    goodput = 0
    for count in connections:
        group.connections = count
        goodput = max(goodput, run(service, [group], seconds, warm_up=seconds / 4)[group.name].goodput)
    return goodput
