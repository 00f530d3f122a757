"""Learning-rate tables, value by value."""

import numpy as np
import pytest

from src.lr_schedulers import learning_rates

WARMUP = [0.1, 0.325, 0.55, 0.775]
SMALL = {
    "lr_init": 0.1,
    "lr_max": 1.0,
    "lr_min": 0.2,
    "num_epochs": 3,
    "warmup_epochs": 1,
    "steps_per_epoch": 4,
}


@pytest.mark.parametrize(
    ("name", "options", "after_warmup"),
    [
        ("constant", {}, [1, 1, 1, 1, 1, 1, 1, 1]),
        # 0.2 + 0.4 * (1 + cos(pi * i / 7))
        ("cosine", {}, [1, 0.9603875, 0.8493959, 0.6890084, 0.5109916, 0.3506041, 0.2396125, 0.2]),
        ("linear", {}, [1, 0.8857143, 0.7714286, 0.6571429, 0.5428572, 0.4285714, 0.3142857, 0.2]),
        # a tenth per epoch of four steps
        (
            "exp",
            {"lr_gamma": 0.1},
            [1, 0.5623413, 0.3162278, 0.1778279, 0.1, 0.05623413, 0.03162278, 0.01778279],
        ),
        ("step", {"lr_epochs": [2, 30], "lr_gamma": 0.1}, [1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1]),
        # (1 - i / 8) ** 2
        ("poly", {"power": 2}, [1, 0.765625, 0.5625, 0.390625, 0.25, 0.140625, 0.0625, 0.015625]),
        # 0.2 + 0.4 * (1 + cos(pi * i / 2)), then the same over 4 steps, then over 8
        (
            "cosine_restarts",
            {"lr_period": 0.5, "lr_period_mult": 2},
            [1, 0.6, 1, 0.8828427, 0.6, 0.3171573, 1, 0.9695518],
        ),
        (
            "cosine_restarts",
            {"lr_period": 1, "lr_period_mult": 1},
            [1, 0.8828427, 0.6, 0.3171573, 1, 0.8828427, 0.6, 0.3171573],
        ),
        # of 12 steps 30, 60 and 80 % are 3.6, 7.2 and 9.6
        ("steps", {}, [0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]),
        # 0.2 + 0.4 * (1 + cos(pi * (4 + i) / 8)): the bottom at epoch 2, then up again
        (
            "cosine_annealing",
            {"T_max": 2, "eta_min": 0.2},
            [0.6, 0.4469266, 0.3171573, 0.2304482, 0.2, 0.2304482, 0.3171573, 0.4469266],
        ),
    ],
)
def test_short_tables(name, options, after_warmup):
    rates = learning_rates(name, **SMALL, **options)
    assert rates.dtype == np.float32
    np.testing.assert_allclose(rates, WARMUP + after_warmup, rtol=1e-6)


def test_cosine_starts_on_lr_init_and_ends_on_lr_min():
    rates = learning_rates("cosine", **SMALL)
    assert rates[0] == np.float32(0.1)
    assert rates[4] == np.float32(1.0)
    assert rates[-1] == np.float32(0.2)


def test_two_epochs_without_warmup():
    rates = learning_rates("cosine", lr_init=0, lr_max=1, lr_min=0, num_epochs=2, warmup_epochs=0, steps_per_epoch=4)
    expected = [1, 0.9504844, 0.8117449, 0.6112605, 0.3887395, 0.1882551, 0.0495156, 0]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_dgmn2_seed_log():
    """The seed logs the rate at the end of each epoch: 0.000120, 0.000240, 0.000360, 0.000480."""
    rates = learning_rates(
        "cosine", lr_init=0, lr_max=6e-4, lr_min=1e-5, num_epochs=300, warmup_epochs=5, steps_per_epoch=2502
    )
    assert [f"{rates[epoch * 2502 - 1]:f}" for epoch in (1, 2, 3, 4)] == [
        "0.000120",
        "0.000240",
        "0.000360",
        "0.000480",
    ]
    assert len(rates) == 750600 and rates[0] == 0 and rates[-1] == np.float32(1e-5)


def test_dgcnet_seed_log():
    """60000 steps rounded up to 21 epochs of 2975 pictures: 62475 steps."""
    rates = learning_rates(
        "poly", lr_init=0, lr_max=0.01, lr_min=0, num_epochs=21, warmup_epochs=0, steps_per_epoch=2975
    )
    expected = np.float32([0.01, 0.009999855942, 0.009999711884, 0.009999567826])
    assert rates[:4].tolist() == expected.tolist()


def test_the_zoos_steps_fall_at_30_60_and_80_percent():
    rates = learning_rates("steps", lr_init=0, lr_max=1, lr_min=0, num_epochs=10, warmup_epochs=0, steps_per_epoch=1)
    np.testing.assert_allclose(rates, [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rtol=1e-6)


def test_cosine_annealing_reaches_eta_min_at_the_end_by_default():
    rates = learning_rates("cosine_annealing", **{**SMALL, "warmup_epochs": 0, "num_epochs": 1})
    np.testing.assert_allclose(rates, [1, 0.8535534, 0.5, 0.1464466], rtol=1e-6)


def test_warmup_may_fill_the_training():
    rates = learning_rates("poly", **{**SMALL, "num_epochs": 1})
    np.testing.assert_allclose(rates, WARMUP, rtol=1e-6)


def test_warmup_longer_than_training():
    with pytest.raises(ValueError, match=r"a warm-up of 4 epochs is longer than the training \(3\): lower"):
        learning_rates("cosine", **{**SMALL, "warmup_epochs": 4})


def test_unknown_name_lists_the_nearest_first():
    with pytest.raises(
        ValueError, match="schedule 'cosin': choose one of cosine, constant, cosine_restarts, cosine_annealing"
    ):
        learning_rates("cosin", **SMALL)
