"""The log lines of the segmentation seed."""

import logging

import pytest

from src.callbacks.progress import Progress
from src.callbacks.segmentation_log import LogSegmentation
from src.config import read_config
from src.training.schedule import learning_rate_table, num_epochs
from tests.support.training import train

SEED_RATES = [0.01, 0.009999855942, 0.009999711884, 0.009999567826]


@pytest.fixture(scope="module")
def seed_rates():
    config = read_config(["--config_path", "dgcnet_res101_cityscapes.yml"]).config
    epochs = num_epochs(config, steps_per_epoch=2975)
    return learning_rate_table(config, epochs, 2975)


def test_the_seeds_recipe_has_the_seeds_rates(seed_rates):
    assert len(seed_rates) == 62475
    assert seed_rates[:4].tolist() == pytest.approx(SEED_RATES, rel=1e-7)


def test_each_step_and_each_epoch_has_its_line(caplog, seed_rates):
    progress, logger = Progress(2, 2, 1), logging.getLogger("segmentation_log")
    log = LogSegmentation(progress, logger, lambda: seed_rates[progress.step - 1])
    with caplog.at_level(logging.INFO, "segmentation_log"):
        progress.evaluation = {}
        train(progress, [[4.1163725, 4.0], [3.5, 3.0]], [log])
    assert [record.message for record in caplog.records] == [
        "iter = 0 of 4 completed,loss = 4.116373, lr=0.01",
        "iter = 1 of 4 completed,loss = 4.000000, lr=0.009999856",
        "epoch 1: loss is 4.058186",
        "iter = 2 of 4 completed,loss = 3.500000, lr=0.009999712",
        "iter = 3 of 4 completed,loss = 3.000000, lr=0.009999568",
        "epoch 2: loss is 3.250000",
    ]


def test_an_evaluated_epoch_has_its_score(caplog):
    progress = Progress(1, 1, 1, epoch=1, loss_sum=2.0, num_losses=1, evaluation={"score": 0.8029964})
    with caplog.at_level(logging.INFO, "segmentation_log"):
        LogSegmentation(progress, logging.getLogger("segmentation_log"), float).on_train_epoch_end(None)
    assert [record.message for record in caplog.records] == ["epoch 1: loss is 2.000000", "epoch 1: mIOU: 0.802996"]
