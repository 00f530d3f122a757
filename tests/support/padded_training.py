"""train.py whose checkpoints carry a large tensor more, so that a save takes long enough to be hit by a kill."""

import sys

import numpy as np

import train
from src.runtime.entry import run_command
from src.training import state

NUM_FLOATS = 40_000_000


def main(argv: list[str]) -> int:
    plain = state.training_tensors
    state.training_tensors = lambda step, network: {
        **plain(step, network),
        "state.padding": np.zeros(NUM_FLOATS, np.float32),
    }
    return train.main(argv)


if __name__ == "__main__":
    sys.exit(run_command(main))
