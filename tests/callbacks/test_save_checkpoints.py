"""Which checkpoints are written, which stay, and what is in them."""

from src.callbacks.checkpoints import SaveCheckpoints
from src.callbacks.evaluation import EvaluateEpochs
from src.callbacks.progress import Progress
from src.runtime.files import partial_path
from tests.support.training import SavedPositions, complete_epochs, run_context


def _saver(folder, progress, *, every_epochs=1, every_steps=0, keep=3):
    save = SavedPositions(progress)
    options = {"every_epochs": every_epochs, "every_steps": every_steps, "keep": keep}
    return SaveCheckpoints(progress, save, folder, "vig_s", **options), save


def _files(folder):
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def _complete(progress, saver, accuracies):
    """None: an epoch without a score."""
    coming = iter(accuracies)

    def evaluate():
        accuracy = next(coming)
        return {} if accuracy is None else {"score": accuracy}

    evaluation = EvaluateEpochs(progress, evaluate, 1, -1, lambda: "")
    complete_epochs(progress, [evaluation, saver], len(accuracies))


def test_the_newest_numbered_checkpoints_stay(tmp_path):
    progress = Progress(num_epochs=12, steps_per_epoch=22, global_batch=1)
    saver, _ = _saver(tmp_path, progress, keep=2)
    complete_epochs(progress, [saver], 11)
    assert _files(tmp_path) == {"last.ckpt": "11.0", "vig_s-10_22.ckpt": "10.0", "vig_s-11_22.ckpt": "11.0"}


def test_numbered_checkpoints_come_every_so_many_epochs_and_after_the_last(tmp_path):
    progress = Progress(num_epochs=5, steps_per_epoch=22, global_batch=1)
    saver, save = _saver(tmp_path, progress, every_epochs=2, keep=9)
    complete_epochs(progress, [saver], 5)
    assert list(_files(tmp_path)) == ["last.ckpt", "vig_s-2_22.ckpt", "vig_s-4_22.ckpt", "vig_s-5_22.ckpt"]
    assert save.positions == ["1.0", "2.0", "3.0", "4.0", "5.0"]


def test_best_is_the_first_checkpoint_of_the_highest_accuracy(tmp_path):
    progress = Progress(num_epochs=9, steps_per_epoch=22, global_batch=1)
    saver, _ = _saver(tmp_path, progress, keep=1)
    _complete(progress, saver, [0.5, 0.7, None, 0.6, 0.7])
    assert _files(tmp_path) == {"best.ckpt": "2.0", "last.ckpt": "5.0", "vig_s-5_22.ckpt": "5.0"}
    assert progress.best == 0.7


def test_a_resumed_run_remembers_its_best(tmp_path):
    progress = Progress(num_epochs=9, steps_per_epoch=22, global_batch=1, epoch=4, best=0.8)
    saver, _ = _saver(tmp_path, progress)
    _complete(progress, saver, [0.7])
    assert "best.ckpt" not in _files(tmp_path)
    _complete(progress, saver, [0.9])
    assert (_files(tmp_path)["best.ckpt"], progress.best) == ("6.0", 0.9)


def test_an_accuracy_of_zero_is_a_best_too(tmp_path):
    progress = Progress(num_epochs=9, steps_per_epoch=22, global_batch=1)
    saver, _ = _saver(tmp_path, progress)
    _complete(progress, saver, [0.0])
    assert _files(tmp_path)["best.ckpt"] == "1.0"


def test_without_numbered_checkpoints_there_is_the_last_one_alone(tmp_path):
    progress = Progress(num_epochs=2, steps_per_epoch=22, global_batch=1)
    saver, _ = _saver(tmp_path, progress, every_epochs=0)
    _complete(progress, saver, [0.5, 0.7])
    assert _files(tmp_path) == {"last.ckpt": "2.0"}


def test_the_last_one_is_refreshed_every_so_many_steps_of_the_run(tmp_path):
    progress = Progress(num_epochs=3, steps_per_epoch=4, global_batch=1)
    saver, save = _saver(tmp_path, progress, every_steps=3)
    for step in range(1, 9):
        progress.epoch, progress.batch = divmod(step, 4)
        saver.on_train_step_end(run_context())
        if progress.at_epoch_end:
            saver.on_train_epoch_end(run_context())
    assert save.positions == ["0.3", "1.0", "1.2", "2.0"]


def test_at_an_epochs_end_it_is_saved_once(tmp_path):
    progress = Progress(num_epochs=3, steps_per_epoch=4, global_batch=1)
    saver, save = _saver(tmp_path, progress, every_steps=4)
    progress.epoch = 1
    saver.on_train_step_end(run_context())
    saver.on_train_epoch_end(run_context())
    assert save.positions == ["1.0"]


def test_an_epoch_that_was_broken_off_is_not_saved_as_complete(tmp_path):
    progress = Progress(num_epochs=3, steps_per_epoch=4, global_batch=1, epoch=1, batch=2)
    saver, save = _saver(tmp_path, progress)
    saver.on_train_epoch_end(run_context())
    assert (save.positions, _files(tmp_path)) == ([], {})


def test_files_of_others_stay(tmp_path):
    others = ["vig_s-1.ckpt", "vig_ti-1_22.ckpt", "xvig_s-1_22.ckpt", "vig_s-1_22.ckpt.bak"]
    for name in others:
        (tmp_path / name).write_text("other")
    progress = Progress(num_epochs=9, steps_per_epoch=22, global_batch=1)
    saver, _ = _saver(tmp_path, progress, keep=1)
    complete_epochs(progress, [saver], 3)
    assert sorted(_files(tmp_path)) == sorted([*others, "last.ckpt", "vig_s-3_22.ckpt"])


def test_the_remains_of_an_own_unfinished_link_do_not_disturb(tmp_path):
    partial_path(tmp_path / "vig_s-1_22.ckpt").write_text("half")
    progress = Progress(num_epochs=9, steps_per_epoch=22, global_batch=1)
    saver, _ = _saver(tmp_path, progress)
    complete_epochs(progress, [saver], 1)
    assert _files(tmp_path) == {"last.ckpt": "1.0", "vig_s-1_22.ckpt": "1.0"}
