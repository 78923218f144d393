"""haproxy as a foreground process on its own port."""

import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

from report import eventually


@contextmanager
def haproxy(directory: str, configuration: str, port: int):
    path = Path(directory, "haproxy.cfg")
    path.write_text(configuration)
    with Path(directory, "haproxy.log").open("wb") as log:
        process = subprocess.Popen(["haproxy", "-db", "-q", "-f", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        if not eventually(lambda: is_listening(port) or process.poll() is not None) or process.poll() is not None:
            raise RuntimeError(f"haproxy does not start: {Path(directory, 'haproxy.log').read_text()}")
        yield
    finally:
        process.kill()
        process.wait()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
