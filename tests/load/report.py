"""Results of the checks."""

import time


class Report:
    passed = failed = 0

    def check(self, name: str, holds: bool, details: object = "") -> bool:
        if holds:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {name}: {details}", flush=True)
        return holds

    def info(self, text: str) -> None:
        """Prints a figure that is not checked."""
        print(f"        {text}", flush=True)


report = Report()


def eventually(condition, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
