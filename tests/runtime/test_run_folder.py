"""Which folder a run writes, and what it continues."""

import signal
from pathlib import Path

import pytest

from src.runtime.files import final_path, write_atomically
from src.runtime.run_folder import (
    RunFolder,
    choose_run_folder,
    create_run_folder,
    distinct_names,
    fresh_folder,
    fresh_results,
)
from tests.support.processes import run_python
from tests.support.user_errors import message_of


def _begun_run(folder: Path, name: str) -> RunFolder:
    """A run folder as a training started by `name` makes it."""
    run = RunFolder(folder).create()
    write_atomically(run.config, f"name: '{name}'\n")
    return run


def _finished_run(folder: Path, name: str = "vig") -> Path:
    """A run folder with a checkpoint; returns the checkpoint."""
    checkpoint = _begun_run(folder, name).last
    checkpoint.touch()
    return checkpoint


def test_the_files_of_a_run():
    run = RunFolder(Path("outputs/vig"))
    files = [run.config, run.log, run.metrics, run.curves, run.checkpoints, run.last, run.best]
    assert [str(file) for file in files] == [
        "outputs/vig/config.yml",
        "outputs/vig/train.log",
        "outputs/vig/metrics.jsonl",
        "outputs/vig/curves.png",
        "outputs/vig/ckpt",
        "outputs/vig/ckpt/last.ckpt",
        "outputs/vig/ckpt/best.ckpt",
    ]


def test_new_runs_of_one_name_are_numbered(tmp_path):
    parent, created = tmp_path / "outputs", []
    for _ in range(3):
        folder, checkpoint = choose_run_folder(str(parent), "vig", resume="")
        assert checkpoint is None
        assert folder == create_run_folder(str(parent), "vig")
        _begun_run(folder.root, "vig")
        created.append(folder.root.name)
    assert created == ["vig", "vig-2", "vig-3"]


def test_runs_that_begin_together_get_a_folder_each(tmp_path):
    created = [create_run_folder(str(tmp_path), "vig").root.name for _ in range(3)]  # none has its config.yml yet
    assert created == ["vig", "vig-2", "vig-3"]


def test_a_number_is_not_given_twice(tmp_path):
    for name in ("vig", "vig-10", "vig-x", "vig_s-20", "other-30"):
        _begun_run(tmp_path / name, "vig")
    (tmp_path / "vig-11").mkdir()
    assert choose_run_folder(str(tmp_path), "vig", resume="")[0].root.name == "vig-12"


def test_a_name_with_folders_is_numbered_too(tmp_path):
    _begun_run(create_run_folder(str(tmp_path), "lr/high").root, "lr/high")
    assert choose_run_folder(str(tmp_path), "lr/high", resume="")[0].root == tmp_path / "lr/high-2"
    assert choose_run_folder(str(tmp_path), "lr/high", resume="auto")[0].root == tmp_path / "lr/high"


def test_auto_continues_the_latest_run(tmp_path):
    for name in ("vig", "vig-2", "vig-10", "vig-x"):
        _finished_run(tmp_path / name)
    folder, checkpoint = choose_run_folder(str(tmp_path), "vig", resume="auto")
    assert (folder.root, checkpoint) == (tmp_path / "vig-10", tmp_path / "vig-10/ckpt/last.ckpt")


def test_a_run_whose_own_name_ends_with_a_number_is_another_run(tmp_path):
    _finished_run(tmp_path / "run-50", "run-50")
    for resume in ("auto", ""):
        assert choose_run_folder(str(tmp_path), "run", resume) == (RunFolder(tmp_path / "run"), None)
    _finished_run(tmp_path / "run", "run")
    second = _finished_run(tmp_path / "run-2", "run")
    assert choose_run_folder(str(tmp_path), "run", "auto") == (RunFolder(tmp_path / "run-2"), second)
    assert choose_run_folder(str(tmp_path), "run", "")[0].root.name == "run-3"
    assert choose_run_folder(str(tmp_path), "run-50", "")[0].root.name == "run-50-2"


def test_a_run_of_a_version_that_recorded_no_name_is_told_by_its_folder(tmp_path):
    checkpoint = _finished_run(tmp_path / "vig-2", "")
    assert choose_run_folder(str(tmp_path), "vig", "auto") == (RunFolder(tmp_path / "vig-2"), checkpoint)


@pytest.mark.parametrize("config", ["", "[", "name", "- name", "seed: 1", "name: [vig]"])
def test_a_folder_without_a_readable_name_is_no_run(tmp_path, config):
    run = _begun_run(tmp_path / "vig", "vig")
    run.config.write_text(config)
    assert choose_run_folder(str(tmp_path), "vig", "auto") == (RunFolder(tmp_path / "vig-2"), None)


def test_auto_begins_where_nothing_was_saved(tmp_path):
    assert choose_run_folder(str(tmp_path), "vig", resume="auto") == (RunFolder(tmp_path / "vig"), None)
    _begun_run(tmp_path / "vig", "vig")
    assert choose_run_folder(str(tmp_path), "vig", resume="auto") == (RunFolder(tmp_path / "vig"), None)


def test_a_named_run_or_checkpoint_is_continued_in_its_folder(tmp_path):
    last = _finished_run(tmp_path / "elsewhere/vig")
    numbered = last.with_name("vig_s-3_22.ckpt")
    numbered.touch()
    for resume, checkpoint in ((last.parent.parent, last), (last, last), (numbered, numbered)):
        found = choose_run_folder(str(tmp_path / "outputs"), "vig", resume=str(resume))
        assert found == (RunFolder(tmp_path / "elsewhere/vig"), checkpoint)


def test_a_checkpoint_named_from_within_its_folder_is_continued_there(tmp_path, monkeypatch):
    last = _finished_run(tmp_path / "vig")
    monkeypatch.chdir(last.parent)
    assert choose_run_folder("outputs", "vig", resume="last.ckpt") == (RunFolder(tmp_path / "vig"), last)


def test_a_checkpoint_outside_of_a_run_is_continued_in_a_new_one(tmp_path):
    downloaded = tmp_path / "downloads/x.ckpt"
    downloaded.parent.mkdir()
    downloaded.touch()
    found = choose_run_folder(str(tmp_path / "outputs"), "vig", resume=str(downloaded))
    assert found == (RunFolder(tmp_path / "outputs/vig"), downloaded)


@pytest.mark.parametrize("missing", ["nowhere", "vig"])
def test_a_resume_that_is_not_there_names_what_was_looked_for(tmp_path, monkeypatch, missing):
    monkeypatch.chdir(tmp_path)
    RunFolder(Path("vig")).create()
    looked_for = {"nowhere": "nowhere", "vig": "vig/ckpt/last.ckpt"}[missing]
    assert message_of(choose_run_folder, "outputs", "vig", missing) == (
        f"--resume {missing}: no checkpoint at {looked_for}; give a run folder, a checkpoint or auto"
    )


@pytest.mark.parametrize("parent", ["file", "file/deeper"])
def test_a_file_in_the_way_is_told(tmp_path, parent):
    (tmp_path / "file").touch()
    assert message_of(choose_run_folder, str(tmp_path / parent), "vig", "") == (
        f"save_checkpoint_path: {tmp_path / parent} cannot be written (a file is in the way): "
        "give --save_checkpoint_path FOLDER"
    )


def test_a_file_of_the_runs_own_name_is_not_written_over(tmp_path):
    (tmp_path / "vig").write_text("notes")
    assert choose_run_folder(str(tmp_path), "vig", resume="")[0].root.name == "vig-2"
    assert message_of(RunFolder(tmp_path / "vig").create).startswith(
        f"save_checkpoint_path: {tmp_path}/vig cannot be written ("
    )


def test_a_place_that_cannot_be_written_is_told():
    def choose_and_create():
        choose_run_folder("/proc/outputs", "vig", resume="")[0].create()

    message = message_of(choose_and_create)
    assert message.startswith("save_checkpoint_path: /proc/outputs")
    assert message.endswith("): give --save_checkpoint_path FOLDER")


def test_results_are_never_written_over(tmp_path):
    wanted = tmp_path / "predictions"
    assert [fresh_folder(wanted).name for _ in range(3)] == ["predictions", "predictions-2", "predictions-3"]
    (tmp_path / "file").touch()
    assert message_of(fresh_folder, tmp_path / "file" / "x").startswith(
        f"output: {tmp_path}/file/x cannot be written ("
    )


def test_results_appear_whole_and_under_the_next_free_name(tmp_path):
    wanted = tmp_path / "predictions"
    for name in ("predictions", "predictions-2"):
        with fresh_results(wanted) as folder:
            (folder / "a.txt").write_text("a")
            assert final_path(folder).name == name
            assert list((tmp_path / name).iterdir()) == []
    with pytest.raises(RuntimeError), fresh_results(wanted) as folder:
        raise RuntimeError
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        *("predictions", "predictions-2", "predictions-2/a.txt", "predictions/a.txt")
    ]


def test_what_a_killed_command_left_is_removed_by_the_next(tmp_path):
    program = """
        import os, signal, sys
        from pathlib import Path
        from src.runtime.run_folder import fresh_results

        with fresh_results(Path(sys.argv[1])) as folder:
            (folder / "a.txt").write_text("a")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(program, tmp_path / "predictions").returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    with fresh_results(tmp_path / "predictions") as folder:
        (folder / "b.txt").write_text("b")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["predictions", "predictions/b.txt"]


def test_no_two_files_have_one_name():
    files = [Path("a/x.png"), Path("b/x.png"), Path("c/x-2.png"), Path("all.png")]
    assert list(distinct_names(files, taken=["all"])) == ["x", "x-2", "x-2-2", "all-2"]


@pytest.mark.parametrize(
    "stems, names", [(["x", "x_overlay"], ["x", "x_overlay-2"]), (["x_overlay", "x"], ["x_overlay", "x-2"])]
)
def test_a_second_file_of_each_picture_is_not_written_over(stems: list[str], names: list[str]):
    files = [Path(f"{stem}.png") for stem in stems]
    assert list(distinct_names(files, endings=("", "_overlay"))) == names
