"""Files and folders appear whole, and after an error nothing has changed."""

import os

import pytest

from src.runtime.files import complete_file, complete_folder, partial_path, remove_partials, write_atomically


def test_a_file_is_replaced_and_no_temporary_one_stays(tmp_path):
    path = tmp_path / "new" / "folder" / "a.bin"
    write_atomically(path, b"old")
    write_atomically(path, "n\u00eaw")
    assert path.read_bytes() == b"n\xc3\xaaw"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.bin"]


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="disk full"), complete_file(path) as partial:
        partial.write_bytes(b"half")
        raise OSError("disk full")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_the_own_remains_of_an_earlier_try_do_not_disturb(tmp_path):
    path = tmp_path / "a.ckpt"
    partial_path(path).write_text("half")
    with complete_file(path) as partial:
        assert not partial.exists()
        partial.write_text("whole")
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("a.ckpt", "whole")]


def test_a_folder_appears_when_it_is_full(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    with complete_folder(folder) as partial:
        (partial / "a.png").write_text("a")
        assert list(folder.iterdir()) == []
    assert [path.name for path in folder.iterdir()] == ["a.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_a_folder_that_fails_or_would_hide_another_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), complete_folder(tmp_path / "images") as partial:
        (partial / "a.png").write_text("a")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "images").mkdir()
    (tmp_path / "images/own.png").write_text("own")
    with pytest.raises(OSError, match="not empty"), complete_folder(tmp_path / "images") as partial:
        (partial / "a.png").write_text("a")
    assert [path.name for path in tmp_path.rglob("*")] == ["images", "own.png"]


def test_unfinished_files_are_hidden_keep_their_ending_and_are_removed_by_the_next_run(tmp_path):
    partial = partial_path(tmp_path / "last.ckpt")
    assert partial.name == f".last.partial-{os.getpid()}.ckpt"
    partial.write_text("half")
    (tmp_path / "last.ckpt").write_text("whole")
    remove_partials(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]
