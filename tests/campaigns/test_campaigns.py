"""The campaigns: a short seeded form of each in the quick suite, the long ones with the slow tests."""

import time

import numpy as np
import pytest

from tests.campaigns.damage import damaged_bytes
from tests.campaigns.fuzz import run_case, run_reader
from tests.campaigns.kills import COMMANDS, TRAININGS, Place, Tally, kill_command, kill_training, prepare
from tests.campaigns.limits import LIMITS, TRAINING, limit_command, why_no_disk
from tests.campaigns.readers import READERS, Reader

CASES, LONG_CASES, LONG_KILLS = 25, 600, 20
CRASHES = {"image"}  # read in a process of its own


@pytest.mark.parametrize("name", sorted(set(READERS) - CRASHES))
def test_damaged_inputs_are_read_or_refused(tmp_path, name):
    """Any other error than the reader's own fails; `--readers NAME --seed 1 --case N` repeats one."""
    for case in range(CASES):
        run_case(name, 1, case, tmp_path)


def test_an_input_is_the_same_again_for_its_seed_and_number():
    first, again, other = (damaged_bytes(b"0123456789", np.random.default_rng([1, case])) for case in (7, 7, 8))
    assert first == again != other


def test_a_reader_that_raises_another_error_is_a_failure(monkeypatch, tmp_path):
    def fail(path):
        raise KeyError("epoch")

    monkeypatch.setitem(READERS, "list", Reader(READERS["list"].examples, fail))
    with pytest.raises(KeyError):
        run_case("list", 1, 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_damaged_inputs_in_time_and_memory(name):
    tally = run_reader(name, int(time.time()), LONG_CASES)
    assert (tally.tried, tally.failures) == (LONG_CASES, {})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("campaign"))


def test_killed_writers_of_digits_leave_nothing_half(tmp_path):
    """The quick form: the only command that needs no framework."""
    nothing = Place(tmp_path, tmp_path, tmp_path, tmp_path)
    assert kill_command("create_digits", nothing, 4, np.random.default_rng(1)) == Tally(4, [])


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_leaves_nothing_half(place, name):
    assert kill_command(name, place, LONG_KILLS, np.random.default_rng()) == Tally(LONG_KILLS, [])


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_a_killed_training_ends_as_if_undisturbed(place, name):
    tally = kill_training(place.digits, TRAININGS[name], LONG_KILLS, np.random.default_rng())
    assert tally == Tally(LONG_KILLS, [])


@pytest.mark.slow
@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("name", {**TRAINING, **COMMANDS})
def test_a_command_without_disk_memory_or_descriptors_ends_by_itself(place, name, kind):
    if kind == "disk" and (reason := why_no_disk()):
        pytest.skip(reason)
    values = np.geomspace(*LIMITS[kind], 5).astype(int).tolist()
    assert limit_command(kind, {**TRAINING, **COMMANDS}[name], place, values).failures == []
