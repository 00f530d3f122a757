"""Campaign of damaged inputs: each reader either reads a file or refuses it in one line, within 5 s and 1 GB.

python -m tests.campaigns.fuzz                                            1000 damaged inputs for each reader
python -m tests.campaigns.fuzz --readers yaml,torch --cases 200 --seed 7
python -m tests.campaigns.fuzz --readers torch --seed 7 --case 123        one input, with its traceback
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from src.runtime.device import prepare_process

SECONDS, BYTES = 5.0, 2**30  # of processor time and of memory, for one input
HANGS = 90.0  # seconds on the clock after which a reader is given up: the machine may be busy


@dataclass
class Tally:
    """Outcome of the cases of one reader."""

    read: int = 0
    refused: int = 0
    failures: dict[int, str] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        return self.read + self.refused + len(self.failures)


def run_case(name: str, seed: int, case: int, folder: Path) -> bool:
    """Read one damaged input; returns whether it was read (False: refused as it should be)."""
    from src.config import UserError
    from src.runtime.remedies import remedy_for
    from tests.campaigns.readers import READERS

    reader = READERS[name]
    originals = folder / "originals"
    originals.mkdir(exist_ok=True)
    examples = sorted(path for path in originals.iterdir() if path.is_file()) or reader.examples(originals)
    rng = np.random.default_rng([seed, case, sum(name.encode())])
    original = sorted(examples)[rng.integers(len(examples))]
    path = folder / f"case{original.suffix}"
    path.write_bytes(reader.damage(original.read_bytes(), rng))
    try:
        reader.read(path)
    except (UserError, *reader.refusals):
        return False
    except OSError as error:
        if not remedy_for(error):  # told by run_command
            raise
        return False
    return True


def _work(name: str, seed: int, cases: range, answers: Connection) -> None:
    """Run cases in this process and answer each with "read", "refused" or a failure."""
    prepare_process()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            answers.send((case, "begun"))
            answers.send((case, _measured(name, seed, case, Path(folder))))


def _measured(name: str, seed: int, case: int, folder: Path) -> str:
    began, before = time.process_time(), _peak()
    try:
        outcome = "read" if run_case(name, seed, case, folder) else "refused"
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:120]} ({Path(place.filename).name}:{place.lineno})"
    # The first case loads the libraries.
    seconds, taken = time.process_time() - began, _peak() - before
    if seconds > SECONDS and case:
        return f"took {seconds:.1f} s"
    return f"took {taken / 1e9:.1f} GB" if taken > BYTES else outcome


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run_reader(name: str, seed: int, num_cases: int) -> Tally:
    """Run the cases of a reader in processes of their own, a new one after each that ended or hung."""
    tally, next_case = Tally(), 0
    while next_case < num_cases:
        for case, outcome in _outcomes(name, seed, range(next_case, num_cases)):
            next_case = case + 1
            if outcome in ("read", "refused"):
                setattr(tally, outcome, getattr(tally, outcome) + 1)
            else:
                tally.failures[case] = outcome
    return tally


def _outcomes(name: str, seed: int, cases: range) -> Iterator[tuple[int, str]]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(name, seed, cases, theirs))
    process.start()
    theirs.close()
    current = cases.start
    try:
        while ours.poll(HANGS):
            current, outcome = ours.recv()
            if outcome != "begun":
                yield current, outcome
                if current + 1 == cases.stop:
                    return
        yield current, f"hung for {HANGS:g} s"
    except EOFError:
        process.join()
        yield current, f"the process ended with {process.exitcode}"
    finally:
        process.kill()
        process.join()


def main(argv: list[str]) -> int:
    from tests.campaigns.readers import READERS

    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.fuzz")
    parser.add_argument("--readers", default=",".join(READERS), help="comma-separated (default: all)")
    parser.add_argument("--cases", type=int, default=1000, help="inputs for each reader (default: 1000)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--case", type=int, help="run only this one, here")
    options = parser.parse_args(argv)
    names = options.readers.split(",")
    if options.case is not None:
        with tempfile.TemporaryDirectory() as folder:
            print("read" if run_case(names[0], options.seed, options.case, Path(folder)) else "refused")
        return 0
    print(f"seed {options.seed}")
    tallies = {}
    for name in names:
        tallies[name] = tally = run_reader(name, options.seed, options.cases)
        print(f"{name:<20} tried {tally.tried:>5}  read {tally.read:>5}  failed {len(tally.failures):>3}", flush=True)
        for case, failure in list(tally.failures.items())[:8]:
            print(f"  --readers {name} --seed {options.seed} --case {case}: {failure}", flush=True)
    failed = sum(len(tally.failures) for tally in tallies.values())
    print(f"all: tried {sum(tally.tried for tally in tallies.values())}, failed {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    prepare_process()
    sys.exit(main(sys.argv[1:]))
