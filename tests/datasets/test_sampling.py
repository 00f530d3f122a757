"""Which sample comes when."""

import numpy as np
import pytest

from src.datasets.sampling import evaluation_positions, steps_per_epoch, training_positions


def _rank_positions(num_ranks, batch_size, *, num_samples=20, seed=1, epoch=0, num_repeats=1):
    return [
        training_positions(
            num_samples,
            seed=seed,
            epoch=epoch,
            rank=rank,
            num_ranks=num_ranks,
            batch_size=batch_size,
            num_repeats=num_repeats,
        ).tolist()
        for rank in range(num_ranks)
    ]


def test_an_epoch_is_this_permutation():
    assert _rank_positions(1, 2, num_samples=8) == [[5, 0, 1, 4, 2, 6, 3, 7]]
    assert _rank_positions(1, 2, num_samples=8, epoch=1) == [[6, 1, 4, 0, 3, 2, 5, 7]]
    assert _rank_positions(1, 2, num_samples=8, seed=2) == [[6, 5, 7, 2, 3, 4, 0, 1]]


def test_each_sample_comes_once():
    assert sorted(_rank_positions(1, 5)[0]) == list(range(20))


def test_ranks_take_turns():
    (whole,) = _rank_positions(1, 12)
    assert _rank_positions(3, 4) == [whole[0::3], whole[1::3], whole[2::3]]


@pytest.mark.parametrize("num_ranks", [2, 3, 6])
def test_a_step_of_several_ranks_has_the_images_of_one_process(num_ranks):
    batch = 6 // num_ranks
    (whole,) = _rank_positions(1, 6)
    shares = _rank_positions(num_ranks, batch)
    assert len(whole) == 18
    for step in range(3):
        together = [position for share in shares for position in share[step * batch : (step + 1) * batch]]
        assert sorted(together) == sorted(whole[step * 6 : (step + 1) * 6])


def test_what_does_not_fill_a_step_of_all_ranks_waits_for_another_epoch():
    first, second = _rank_positions(2, 3), _rank_positions(2, 3, epoch=1)
    assert [len(share) for share in first] == [9, 9]
    left_out = [set(range(20)) - {p for share in epoch for p in share} for epoch in (first, second)]
    assert [len(samples) for samples in left_out] == [2, 2]
    assert left_out[0] != left_out[1]


@pytest.mark.parametrize(
    ("num_samples", "num_ranks", "batch_size", "steps"),
    [(1281167, 8, 64, 2502), (1437, 1, 64, 22), (2975, 1, 1, 2975), (8, 2, 4, 1), (7, 2, 4, 0)],
)
def test_steps_of_an_epoch(num_samples, num_ranks, batch_size, steps):
    assert steps_per_epoch(num_samples, num_ranks, batch_size) == steps


def test_repeats_of_a_sample_go_to_different_ranks():
    (plain,) = _rank_positions(1, 4)
    shares = _rank_positions(2, 4, num_repeats=2)
    assert shares[0] == shares[1] == plain[:8]
    (three,) = _rank_positions(1, 4, num_repeats=3)
    assert len(three) == 20
    assert three[:7] == [*[plain[0]] * 3, *[plain[1]] * 3, plain[2]]


@pytest.mark.parametrize("num_ranks", [1, 2, 3])
@pytest.mark.parametrize("num_samples", [12, 13, 11, 60, 5, 1])
def test_evaluation_counts_each_sample_once_over_all_ranks(num_samples, num_ranks):
    counted = []
    for rank in range(num_ranks):
        order = evaluation_positions(num_samples, rank=rank, num_ranks=num_ranks, batch_size=4)
        assert len(order.positions) == len(order.weights)
        assert len(order.positions) % 4 == 0
        assert len(order.positions) >= 4
        assert order.weights.dtype == np.float32
        assert set(order.weights.tolist()) <= {0.0, 1.0}
        assert order.positions.max() < num_samples
        counted += order.positions[order.weights == 1].tolist()
    assert sorted(counted) == list(range(num_samples))


def test_a_short_last_batch_is_filled_up_with_samples_that_do_not_count():
    order = evaluation_positions(5, rank=0, num_ranks=1, batch_size=4)
    assert order.positions.tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert order.weights.tolist() == [1, 1, 1, 1, 1, 0, 0, 0]


def test_a_rank_without_samples_has_a_batch_that_does_not_count():
    order = evaluation_positions(2, rank=2, num_ranks=3, batch_size=4)
    assert (order.positions.tolist(), order.weights.tolist()) == ([0, 0, 0, 0], [0, 0, 0, 0])
