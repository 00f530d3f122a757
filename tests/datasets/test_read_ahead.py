"""Samples read ahead by threads: in their order, a few at a time, and never as an error in the framework's pipeline."""

import threading
import time

import numpy as np
import pytest

from src.config import Standstill, UserError
from src.datasets.pipeline import read_batches
from src.datasets.reading import ReadAhead, Source
from tests.support.user_errors import message_of


class _Numbers(Source):
    """Sample n is n; each takes `seconds`, uneven numbers twice as long."""

    def __init__(self, seconds=0.0):
        super().__init__()
        self.seconds, self.readers, self.num_read = seconds, set(), 0

    def __len__(self):
        return 40

    def __getitem__(self, index):
        time.sleep(self.seconds * (1 + index % 2))
        self.readers.add(threading.get_ident())
        self.num_read += 1
        return index

    def place(self, index):
        return f"number {index}"


class _Broken(_Numbers):
    """Sample 5 cannot be had."""

    def __getitem__(self, index):
        if index == 5:
            raise UserError("sample 5 is broken: mend it")
        return index


class _Held(_Numbers):
    """Sample 5 does not come until it is let go."""

    def __init__(self):
        super().__init__()
        self.let_go = threading.Event()

    def __getitem__(self, index):
        if index == 5:
            self.let_go.wait()
        return index


@pytest.mark.parametrize("num_threads", [1, 3, 16])
def test_the_order_stays(num_threads):
    order = np.random.default_rng(0).permutation(40).tolist()
    source = _Numbers(0.002)
    ahead = ReadAhead(source, order, num_threads)
    assert len(ahead) == 40
    assert list(ahead) == list(ahead) == order
    assert 1 <= len(source.readers) <= 2 * num_threads


def test_it_reads_a_few_samples_ahead_only():
    source = _Numbers()
    samples = iter(ReadAhead(source, range(40), 2))
    assert [next(samples), next(samples)] == [0, 1]
    samples.close()
    assert source.num_read <= 6


def test_an_error_ends_the_samples_and_waits_for_the_taker_of_the_batches():
    source = _Broken()
    assert list(ReadAhead(source, range(40), 4)) == [0, 1, 2, 3, 4]
    assert str(source.failure) == "sample 5 is broken: mend it"
    source = _Broken()
    assert message_of(list, read_batches(lambda: iter(ReadAhead(source, range(40), 4)), source, timeout=9.0)) == (
        "sample 5 is broken: mend it"
    )


def test_in_sink_mode_it_comes_as_an_error():
    source = _Broken()
    source.raises = True
    with pytest.raises(UserError, match="sample 5"):
        list(ReadAhead(source, range(40), 4))


@pytest.mark.parametrize("num_threads", [1, 3])
def test_a_sample_that_does_not_come_ends_the_reading_by_name(num_threads):
    source = _Held()
    batches = read_batches(lambda: iter(ReadAhead(source, range(40), num_threads)), source, timeout=0.3)
    assert [next(batches) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(Standstill) as caught:
        next(batches)
    source.let_go.set()
    assert str(caught.value) == (
        "no sample for 0.3 s while reading number 5: check the drive, or increase --data_timeout (0: no limit)"
    )


def test_without_a_time_limit_it_waits():
    source = _Held()
    batches = read_batches(lambda: iter(ReadAhead(source, range(40), 2)), source, timeout=0.0)
    threading.Timer(0.5, source.let_go.set).start()
    assert list(batches) == list(range(40))


def test_a_lack_of_memory_is_not_blamed_on_the_images():
    def start():
        raise RuntimeError("Exception thrown from a pipeline.\n---\n[ERROR] Resource temporarily unavailable\n---")

    with pytest.raises(RuntimeError, match="^Resource temporarily unavailable$"):
        list(read_batches(start, _Broken(), timeout=0.0))
