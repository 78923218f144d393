"""Results of the checks."""

import threading
import time
from contextlib import contextmanager


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


@contextmanager
def repeating(action, pause_secs: float):
    """Repeats an action in the background until the end."""
    finished = threading.Event()

    def run() -> None:
        while not finished.is_set():
            action()
            time.sleep(pause_secs)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def eventually(condition, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
