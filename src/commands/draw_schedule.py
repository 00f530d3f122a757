"""Plot of a configuration's learning rate (`train.py --plot_lr lr.png`)."""

from __future__ import annotations

from pathlib import Path

from src.config import Resolved, UserError
from src.runtime.files import check_new
from src.runtime.logs import log_to_console
from src.tasks.create import create_task
from src.training.schedule import learning_rate_table, num_epochs, scale_learning_rates
from src.visualization import plot_learning_rate

NOMINAL_STEPS = 100  # per epoch, if the training images are not available


def draw_schedule(resolved: Resolved) -> int:
    """Draw the learning rate of this configuration into the file `plot_lr`; returns the exit code.

    Steps are counted for one process. Without the training images an epoch has NOMINAL_STEPS, which does not change
    the shape of the curve: its axis counts epochs.

    Raises:
        UserError: the file cannot be written, or the warm-up is longer than the run.
    """
    config, logger = resolved.config, log_to_console()
    check_new("plot_lr", Path(config.run.plot_lr), config.output.overwrite)
    try:
        steps = create_task(config, given=resolved.given).steps_per_epoch(num_ranks=1)
    except UserError as error:
        steps = NOMINAL_STEPS
        logger.info("drawn with %d steps per epoch because the training images could not be read: %s", steps, error)
    config, notes = scale_learning_rates(config, config.data.images_per_step)
    for level, note in notes:
        logger.log(level, note)
    rates = learning_rate_table(config, num_epochs(config, steps), steps)
    try:
        plot_learning_rate(rates, steps, config.run.plot_lr)
    except OSError as error:
        raise UserError(f"plot_lr: {config.run.plot_lr} cannot be written ({error.strerror})") from None
    logger.info("learning rate of %d steps (%s): see %s", len(rates), config.schedule.lr_decay_mode, config.run.plot_lr)
    return 0
