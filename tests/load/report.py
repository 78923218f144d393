"""What held and what did not."""

import time


class Report:
    passed = failed = 0

    def check(self, name: str, holds: bool, otherwise: object = "") -> bool:
        if holds:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {name}: {otherwise}", flush=True)
        return holds

    def tell(self, text: str) -> None:
        """A figure that nothing depends on."""
        print(f"        {text}", flush=True)


report = Report()


def eventually(condition, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
