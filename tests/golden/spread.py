"""How far rounding moves the golden comparisons: `python -m tests.golden.spread eval vig_ti pvig_ti ...`.

Runs each fixture's phase with the kernels of other processors (SSE4.1, AVX, AVX2), with one thread, and with the input
scaled by 1 +- 1e-6, and prints for each kind of comparison the largest share of its tolerance that a difference took.
A tolerance is sound when all shares are below 1 with room to spare: what lies beyond is not rounding.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
# name: (limit of the kernels, number of threads, scale of the input)
VARIANTS = {
    "SSE4.1": ("SSE41", 2, "1"),
    "AVX": ("AVX", 2, "1"),
    "AVX2": ("AVX2", 2, "1"),
    "1 thread": ("AVX2", 1, "1"),
    "x (1 + 1e-6)": ("AVX2", 2, "1.000001"),
    "x (1 - 1e-6)": ("AVX2", 2, "0.999999"),
}
LINE = re.compile(r"(ok  |FAIL) (?P<what>.*): (?P<difference>\S+) \(tolerance (?P<tolerance>\S+)\)")
# What belongs to one layer or parameter, after its kind.
NAMES = re.compile(r"(layer \d+|(?<=norm )\S+|(?<=slice )\S+|\S+(?= (slice|mean|std|absmax|sum)$)|(?<=one step: )\S+)")


def shares(phase: str, fixture: str, limit: str, threads: int, scale: str) -> dict[str, float]:
    """{kind of comparison: largest difference / tolerance}"""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))
    command = ["taskset", "-c", cores, sys.executable, "-m", "tests.golden.run", fixture, phase, scale]
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": limit}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    found: dict[str, float] = defaultdict(float)
    for line in done.stdout.splitlines():
        match = LINE.fullmatch(line)
        kind = NAMES.sub("*", match["what"])
        found[kind] = max(found[kind], float(match["difference"]) / float(match["tolerance"]))
    assert found, done.stderr[-2000:]
    return found


def main(phase: str, *fixtures: str) -> None:
    """Print a table for each fixture."""
    for fixture in fixtures:
        print(f"{fixture} {phase}", *VARIANTS, sep=" | ", flush=True)
        columns = [shares(phase, fixture, *variant) for variant in VARIANTS.values()]
        for kind in columns[0]:
            print(kind, *(f"{column[kind]:.2g}" for column in columns), sep=" | ", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
