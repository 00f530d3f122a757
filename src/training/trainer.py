"""Training command and Trainer: one run, from a configuration to a run folder."""

from __future__ import annotations

import logging
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore.train import Callback

from src.callbacks.checkpoints import SaveCheckpoints
from src.callbacks.epoch_log import LogEpochs, read_records
from src.callbacks.evaluation import EvaluateEpochs
from src.callbacks.guards import Limits, StopOnNonFiniteLoss, StopOnRequest, likely_causes
from src.callbacks.order import in_order
from src.callbacks.profiling import ProfileSteps
from src.callbacks.progress import Progress, TrackProgress
from src.callbacks.progress_bar import ShowProgress
from src.callbacks.tensorboard import tensorboard_callbacks
from src.checkpoints import Checkpoint, load_checkpoint
from src.config import Config, Resolved, Standstill, UserError, config_text
from src.config.effect import no_effect_on_task
from src.inference.evaluator import Evaluator
from src.inference.networks import build_network, set_arrays
from src.runtime.compile_cache import cached
from src.runtime.device import clamp_workers
from src.runtime.distributed import any_rank
from src.runtime.files import remove_partials, write_atomically
from src.runtime.logs import get_logger, log_to_file
from src.runtime.modelarts import results_uploaded
from src.runtime.run_folder import RunFolder, choose_run_folder, create_run_folder
from src.runtime.run_lock import RunLock
from src.runtime.session import Session, announce, join, launched
from src.runtime.signals import STOPPED_EXIT_CODE, StopRequest
from src.runtime.terminal import progress_shown
from src.tasks.create import create_task
from src.tasks.task import Task, TaskResult
from src.training import state
from src.training.create_step import create_train_step
from src.training.freezing import freeze
from src.training.report import environment_facts, training_report
from src.training.schedule import (
    check_learning_rates,
    learning_rate_table,
    num_epochs,
    scale_learning_rates,
    schedule_change,
)
from src.visualization import plot_curves

READ_INTERVAL_OFF_CPU = 50  # steps between two readings of the loss, each of which synchronises with the device
NON_FINITE_PATIENCE = 50  # consecutive overflowing steps that end a run with a loss scale


def train(resolved: Resolved) -> int:
    """Run a training; returns the exit code.

    All user errors are detected before the process group is joined: after that, a rank that fails leaves the others
    waiting.

    Raises:
        UserError: a setting, the data or a checkpoint does not allow this training.
    """
    task = create_task(resolved.config, given=resolved.given)
    config = task.config  # completed by the data: the number of classes
    check_learning_rates(config, num_epochs(config, task.steps_per_epoch(num_ranks=1)))
    task.check_settings()
    if config.eval.eval_interval:
        task.check_validation()
    # Recorded, so that `--resume auto` finds the runs of this name.
    config = config.with_values(name=config.run.name or resolved.recipe)
    place = config.checkpoint.save_checkpoint_path, config.run.name
    folder, resumed = choose_run_folder(*place, config.checkpoint.resume)
    continues = folder.root.exists()
    with RunLock() as lock:
        if continues and not launched():  # in a group only rank 0 holds it, known once it has joined
            lock.hold(folder.root)
        checkpoint = load_checkpoint(resumed) if resumed else None
        pretrained = load_checkpoint(config.model.pretrained) if config.model.pretrained and not resumed else None

        session = join(config)
        with StopRequest() as stop, results_uploaded(config.cloud, session):
            trainer = Trainer(config, task, session, folder, stop)
            if checkpoint is not None:
                trainer.resume(checkpoint)
            elif pretrained is not None:
                trainer.load_pretrained(pretrained)
            if config.checkpoint.resume:
                state.check_same_position(trainer.progress.step, session)
            # Created only now, so that a user error leaves no run folder behind.
            if session.is_main:
                trainer.folder = folder = folder if continues else create_run_folder(*place)
                lock.hold(folder.root)
                _open_run_folder(folder, config)
            started = f"run folder {folder.root}{_not_resumed(config, continues, checkpoint)}"
            silent = settings_without_effect(resolved, task.name)
            announce(config, session, (started, *resolved.notes, *task.notes, *silent))
            for level, note in trainer.notes:
                trainer.logger.log(level, note)
            return trainer.run()


class Trainer:
    """One training run: the step, the data and the callbacks around `mindspore.train.Model`.

    Attributes:
        notes: (level, text) for the log, collected before the log file exists.
        latest_result: result of the last evaluation; None before the first.
    """

    def __init__(self, config: Config, task: Task, session: Session, folder: RunFolder, stop: StopRequest):
        self.task, self.session, self.folder = task, session, folder
        self.logger = get_logger()
        batch = config.data.images_per_step * session.num_ranks
        steps = task.steps_per_epoch(session.num_ranks)
        self.config, self.notes = scale_learning_rates(config, batch)
        self.progress = Progress(num_epochs(config, steps), steps, batch, score_name=task.score_name)
        self.network = build_network(self.config, session, config.data.train_image_size)
        frozen = freeze(self.network, config.model.freeze)
        self.notes += [(logging.INFO, frozen)] if frozen else []
        self.rates = learning_rate_table(self.config, self.progress.num_epochs, steps)
        self.step = create_train_step(self.config, self.network, task.loss(), self.rates, session)
        agreed = any_rank if session.num_ranks > 1 else None
        self.limits = Limits(config.schedule, self.progress, lambda: stop.requested, agreed)
        self.latest_result: TaskResult | None = None

    def load_pretrained(self, checkpoint: Checkpoint) -> None:
        """Initialise the network with the weights of another run (fine-tuning)."""
        notes = state.load_pretrained(checkpoint, self.network, self.config)
        self.notes += [(logging.INFO, note) for note in notes]
        if self.step.average is not None:
            self.step.average.restart()

    def resume(self, checkpoint: Checkpoint) -> None:
        """Continue an interrupted run of this configuration."""
        state.check_data(checkpoint, self.task.checkpoint_meta())
        differences = state.restore(checkpoint, self.step, self.network, self.progress, self.config, self.session)
        position = f"epoch {self.progress.epoch + 1}, step {self.progress.batch} of {self.progress.steps_per_epoch}"
        self.notes.append((logging.INFO, f"resumed from {checkpoint.path} at {position}"))
        if differences:
            text = f"changed since the run was interrupted, the weights may differ: {'; '.join(differences)}"
            self.notes.append((logging.WARNING, text))
        change = schedule_change(
            checkpoint.meta["config"], self.config, self.progress.step, self.progress.steps_per_epoch
        )
        if change:
            self.notes.append((logging.WARNING, change))

    def run(self) -> int:
        """Train to the last epoch or until a request to stop; returns the exit code."""
        progress = self.progress
        done = self.limits.nothing_left()
        if done:
            self.logger.info(done)
            return 0
        sink = self.config.run.data_sink
        if sink and progress.batch:
            raise UserError("data_sink resumes only at the start of an epoch: give --data_sink 0 to finish this epoch")
        dataset = self.task.training_dataset(self.session, progress.epoch, progress.batch, sink=sink)
        # Model.train is the framework's convention; step, data and callbacks are ours.
        model = ms.Model(cached(self.step, self.session))
        try:
            model.train(
                progress.num_epochs,
                dataset,
                callbacks=self._callbacks(),
                dataset_sink_mode=sink,
                initial_epoch=progress.epoch,
            )
        except Standstill as error:
            if self.session.is_main:
                self._save(self.folder.last)
            raise Standstill(f"{error}; step {progress.step} is saved, continue with --resume auto") from None
        if progress.stop_reason:
            text = "stopped by %s after step %d; continue with --resume auto"
            self.logger.info(text, progress.stop_reason, progress.step)
        if progress.interrupted:
            return STOPPED_EXIT_CODE
        if self.session.is_main and self.config.run.report:
            self._report()
        curves = f"{self.folder.curves}, " if self.folder.curves.exists() else ""  # drawn at the end of an epoch
        self.logger.info("see %s%s and %s", curves, self.folder.log, self.folder.checkpoints)
        return 0

    # -- parts

    def _callbacks(self) -> list[Callback]:
        """The configured callbacks in order; only rank 0 has those that write files."""
        config, progress = self.config, self.progress
        evaluation, main = config.eval, self.session.is_main
        interval = config.run.log_interval or (1 if self.session.device == "CPU" else READ_INTERVAL_OFF_CPU)
        saver = SaveCheckpoints(
            progress,
            self._save if main else _nothing,
            self.folder.checkpoints,
            config.model.backbone,
            every_epochs=config.checkpoint.save_checkpoint_epochs if main and config.checkpoint.save_checkpoint else 0,
            every_steps=config.checkpoint.save_checkpoint_steps,
            keep=config.checkpoint.keep_checkpoint_max,
        )
        callbacks: list[Callback] = [
            TrackProgress(progress, interval),
            StopOnNonFiniteLoss(
                progress,
                NON_FINITE_PATIENCE if self.step.loss_scale is not None else 1,
                likely_causes(config),
                self._last_good,
            ),
        ]
        if main:
            callbacks.append(ShowProgress(progress, self.logger, progress_shown()))
        interval_and_offset = evaluation.eval_interval, evaluation.eval_offset
        callbacks.append(EvaluateEpochs(progress, self._evaluate, *interval_and_offset, self.limits.signal))
        if main:
            callbacks += [*self.task.step_log(progress, self.logger, self.step.learning_rate), self._epoch_log()]
        if main and config.run.tensorboard:
            readings = self.step.learning_rate, self.step.last_norms
            callbacks += tensorboard_callbacks(self.folder.root, progress, *readings, self.logger)
        callbacks += [saver, StopOnRequest(progress, self.limits.reached, saver.save_last)]
        if main and config.run.open_profiler:
            profile = ProfileSteps(self.folder.profile, self.logger)
            callbacks += [profile, profile.closing]
        return in_order(callbacks)

    def _epoch_log(self) -> LogEpochs:
        return LogEpochs(
            self.progress,
            self.logger,
            learning_rate=self.step.learning_rate,
            num_skipped=self.step.num_skipped,
            metrics=self.folder.metrics,
            plot=self._plot,
            norms=self.step.last_norms,
        )

    def _report(self) -> None:
        """Write report.html."""
        progress = self.progress
        training_report(
            self.folder.report,
            name=self.folder.root.name,
            config=self.config,
            command=sys.argv,
            ended=progress.ended,
            records=read_records(self.folder.metrics, self.task.score_name),
            score_name=self.task.score_name,
            curves=self.task.curves,
            num_epochs=progress.num_epochs,
            result=self.latest_result,
            environment=environment_facts(self.config, self.session),
        )
        self.logger.info("see %s", self.folder.report)

    def _plot(self, records: list[dict[str, Any]]) -> None:
        """Draw the curves, with the mean loss of each epoch instead of the loss of its last step."""
        means = [{**record, "loss": record["mean_loss"]} for record in records]
        plot_curves(means, self.folder.curves, self.task.curves, self.task.score_name)

    def _evaluate(self) -> dict[str, Any]:
        """Evaluate the current weights; returns the record for the epoch's log."""
        evaluator = self._evaluator
        examples = self.task.examples(evaluator.data)
        set_arrays(evaluator.network, self._weights())
        evaluation = evaluator.run(examples)
        self.latest_result = result = self.task.summarise(evaluation, examples)
        score = {} if result.score is None else {self.task.score_name: result.score}
        return {**score, **result.numbers, "eval_seconds": evaluation.seconds}

    @cached_property
    def _evaluator(self) -> Evaluator:
        """Created with the first evaluation, with a network of its own: many trainings are never evaluated."""
        task, session = self.task, self.session
        data = task.evaluation_set(session)
        network = build_network(self.config, session, task.preprocessing.image_size)
        return Evaluator(network, data, task.outputs, task.metric, session, self.config.run.amp_level)

    def _weights(self) -> dict[str, np.ndarray]:
        """The network's current tensors, averaged if ema_decay is set."""
        tensors = state.training_tensors(self.step, self.network)
        return Checkpoint(self.folder.last, tensors, {}).weights(use_ema=True)

    def _save(self, path: Path) -> None:
        progress = self.progress
        try:
            state.save(path, self.task.checkpoint_meta(), self.step, self.network, progress, self.config, self.session)
        except ValueError as error:
            raise UserError(
                f"{error} after step {progress.step} of {progress.num_steps}: likely {likely_causes(self.config)}; "
                f"last good checkpoint: {self._last_good()}"
            ) from None

    def _last_good(self) -> str:
        return str(self.folder.last) if self.folder.last.exists() else "none yet"


def _open_run_folder(folder: RunFolder, config: Config) -> None:
    folder.create()
    remove_partials(folder.root)
    remove_partials(folder.checkpoints)
    log_to_file(folder.log)
    write_atomically(folder.config, config_text(config))


def _not_resumed(config: Config, continues: bool, checkpoint: Checkpoint | None) -> str:
    """Why `--resume auto` begins at the first step, "" if it does not."""
    if config.checkpoint.resume != "auto" or checkpoint is not None:
        return ""
    reason = "this run has no checkpoint yet" if continues else f"there is no run of the name {config.run.name}"
    return f" (from the start, --resume auto: {reason})"


def settings_without_effect(resolved: Resolved, task: str) -> list[str]:
    """A line for each of the user's settings that the task does not read or this machine cannot fulfil."""
    notes, config = no_effect_on_task(resolved.changed, task), resolved.config
    workers = {"train_num_workers": config.data.train_num_workers, "eval_num_workers": config.eval.eval_num_workers}
    reduced = {name: number for name, number in workers.items() if clamp_workers(number) < number}
    if reduced:
        given = ", ".join(f"{name} {number}" for name, number in reduced.items())
        notes.append(f"{given}: {max(map(clamp_workers, reduced.values()))}, the number of cores of this machine")
    return notes


def _nothing(_path: Path) -> None:
    """The `save` of all ranks but 0."""
