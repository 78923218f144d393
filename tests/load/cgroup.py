"""Control groups with the memory and the processor of the smallest tasks, version 1 or 2."""

import os
from contextlib import contextmanager
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
IS_V2 = (ROOT / "cgroup.controllers").exists()
# Short, as the pause of a used-up quota would otherwise be the latency that is measured.
CPU_PERIOD_US = 4_000


class NotPermitted(Exception):
    """The control groups of this machine cannot be used."""


class Group:
    """Limits of a service. `memory` in bytes, `cpus` in cores."""

    def __init__(self, memory: int | None = None, cpus: float | None = None):
        self.name = f"clarity-load-{os.getpid()}"
        self.paths: dict[str, Path] = {}
        try:
            if memory:
                self.create("memory", {
                    "memory.max" if IS_V2 else "memory.limit_in_bytes": memory,
                    # Version 1 limits memory and swap together, where swap is accounted for.
                    "memory.swap.max" if IS_V2 else "memory.memsw.limit_in_bytes": 0 if IS_V2 else memory,
                })  # fmt: skip
            if cpus:
                quota = int(CPU_PERIOD_US * cpus)
                self.create("cpu", {"cpu.max": f"{quota} {CPU_PERIOD_US}"} if IS_V2 else {"cpu.cfs_period_us": CPU_PERIOD_US, "cpu.cfs_quota_us": quota})
        except OSError as error:
            self.remove()
            raise NotPermitted(str(error)) from error

    def create(self, controller: str, limits: dict[str, object]) -> None:
        if IS_V2:
            (ROOT / "cgroup.subtree_control").write_text(f"+{controller}")
        path = ROOT / self.name if IS_V2 else ROOT / controller / self.name
        path.mkdir(exist_ok=True)
        self.paths[controller] = path
        for name, value in limits.items():
            if (path / name).exists() or "swap" not in name and "memsw" not in name:
                (path / name).write_text(str(value))

    def join(self) -> None:
        """Moves the calling process into the group."""
        for path in self.paths.values():
            (path / "cgroup.procs").write_text("0" if IS_V2 else str(os.getpid()))

    def stat(self) -> dict[str, int]:
        lines = self.read("memory.stat").splitlines()
        return {name: int(value) for name, value in map(str.split, lines)}

    def anonymous(self) -> int:
        return self.stat()["anon" if IS_V2 else "total_rss"]

    def held(self) -> int:
        """Returns the bytes that the kernel cannot reclaim: of the process, its sockets and other objects."""
        if IS_V2:
            stat = self.stat()
            return stat["anon"] + stat["kernel"] + stat["sock"]
        # Version 1 counts the buffers of sockets apart.
        kernel = ("memory.kmem.usage_in_bytes", "memory.kmem.tcp.usage_in_bytes")
        return self.anonymous() + sum(int(self.read(name)) for name in kernel)

    def peak(self) -> int:
        """Returns the highest usage, which includes the page cache."""
        return int(self.read("memory.peak" if IS_V2 else "memory.max_usage_in_bytes"))

    def kills(self) -> int:
        lines = self.read("memory.events" if IS_V2 else "memory.oom_control").splitlines()
        return int(dict(map(str.split, lines))["oom_kill"])

    def read(self, name: str) -> str:
        return (self.paths["memory"] / name).read_text()

    def remove(self) -> None:
        for path in set(self.paths.values()):
            path.rmdir()
        self.paths = {}


@contextmanager
def limited(**limits):
    """Creates a group, which is empty at the end."""
    group = Group(**limits)
    try:
        yield group
    finally:
        group.remove()
