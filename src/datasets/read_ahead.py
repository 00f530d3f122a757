"""Reading several files at a time where each takes long: a network drive, an object store, a disk that seeks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

# Seconds a file. One thread that reads faster keeps up with several that decode, and more would only cost it time.
SLOW = 0.001
NUM_TRIED = 9  # files that are read to find out


class Readable(Protocol):
    """Random access to samples; several threads may read at once."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any: ...


class ReadAhead:
    """The samples of `order` one after the other, while `num_threads` threads read the next ones."""

    def __init__(self, source: Readable, order: Sequence[int], num_threads: int):
        self._source, self._order, self._num_threads = source, order, num_threads

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Any]:
        waiting: deque = deque()
        with ThreadPoolExecutor(self._num_threads) as pool:
            for index in self._order:
                waiting.append(pool.submit(self._source.__getitem__, index))
                if len(waiting) > 2 * self._num_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def reads_slowly(source: Readable) -> bool:
    """Whether a file takes long to read, by the median of a few that lie evenly spread."""
    seconds = []
    for index in np.linspace(0, len(source) - 1, NUM_TRIED).astype(int).tolist():
        began = time.perf_counter()
        _ = source[index]
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds)) > SLOW
