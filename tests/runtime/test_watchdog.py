"""The watchdog in a process of its own, which it ends."""

import subprocess
import sys
import time
from pathlib import Path

from src.runtime.watchdog import Watchdog

ROOT = Path(__file__).parents[2]
PROGRAM = """
import time
from src.runtime.watchdog import Watchdog

watchdog = Watchdog(0.5, lambda: "nothing came")
for _ in range(3):
    with watchdog.call():
        time.sleep(0.2)
time.sleep(1.0)  # outside a call
print("alive", flush=True)
with watchdog.call():
    time.sleep(30.0)
"""


def test_it_ends_the_process_when_a_call_takes_too_long_and_only_then():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (1, "alive\n", "error: nothing came\n")


def test_closed_or_without_seconds_it_does_nothing():
    closed, without = (Watchdog(seconds, lambda: "never") for seconds in (0.1, 0.0))
    closed.close()
    with closed.call(), without.call():
        time.sleep(0.3)
