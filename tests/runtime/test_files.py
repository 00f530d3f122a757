"""Files and folders appear whole, and after an error nothing has changed."""

import errno
import os
import platform
import resource
import subprocess
import sys

import pytest

from src.config import UserError
from src.runtime.files import (
    check_new,
    check_room,
    complete_file,
    complete_folder,
    final_path,
    holds,
    partial_path,
    remove_all_leftovers,
    remove_partials,
    temporary_folder,
    write_atomically,
    write_csv,
)
from tests.support.user_errors import message_of


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
    assert partial.name == f".last.partial-{os.getpid()}@{platform.node().replace('.', '-')}.ckpt"
    partial.write_text("half")
    (tmp_path / "last.ckpt").write_text("whole")
    remove_partials(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.fixture
def dead_process():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_next_writer_removes_what_a_killed_one_left_and_nothing_else(tmp_path, dead_process):
    path = tmp_path / "a.ckpt"
    left = tmp_path / partial_path(path).name.replace(str(os.getpid()), str(dead_process))
    folder = tmp_path / partial_path(tmp_path / "a.ckpt").name.replace(str(os.getpid()), f"{dead_process}").replace(
        ".ckpt", ".ckpt.more"
    )
    living = tmp_path / left.name.replace(str(dead_process), "1")
    elsewhere = tmp_path / left.name.replace("@", "@other-")
    other = tmp_path / left.name.replace(".a.", ".b.")
    for file in (left, living, elsewhere, other):
        file.write_text("half")
    folder.mkdir()
    write_atomically(path, "whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, living, elsewhere, other])


def test_a_file_in_an_unfinished_folder_is_called_by_its_final_name(tmp_path):
    with complete_folder(tmp_path / "predictions-2") as partial:
        assert final_path(partial / "a.partial-1.png") == tmp_path / "predictions-2" / "a.partial-1.png"


def test_an_existing_result_is_replaced_on_demand_only(tmp_path):
    path = tmp_path / "vig.onnx"
    check_new("file_name", path, overwrite=False)
    path.touch()
    check_new("file_name", path, overwrite=True)
    assert message_of(check_new, "file_name", path, False) == (
        f"file_name: {path} exists already: give another name, or --overwrite 1 to replace it"
    )


def test_a_file_does_not_take_the_place_of_a_folder(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(UserError, match="a.json is a folder: give the name of a file"):
        write_atomically(tmp_path / "a.json", "{}")


@pytest.fixture
def one_descriptor():
    """A process that can open one more file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
    os.close(lowest)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_without_descriptors_leaves_nothing_half(tmp_path, one_descriptor):
    with pytest.raises(OSError) as caught, temporary_folder(tmp_path / "a") as folder:
        (folder / "b" / "c").mkdir(parents=True)
        for name in ("1", "b/2", "b/c/3"):
            (folder / name).touch()
        with (folder / "1").open():
            (folder / "b" / "2").open()
    assert (caught.value.errno, list(tmp_path.iterdir())) == (errno.EMFILE, [])


def test_what_a_link_names_is_not_removed(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "1").touch()
    with temporary_folder(tmp_path / "a") as folder:
        (folder / "link").symlink_to(tmp_path / "kept")
    assert [path.name for path in tmp_path.rglob("*")] == ["kept", "1"]


def test_a_file_that_may_not_be_as_large_is_named_before_it_is_written(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        check_room(tmp_path, 90_000, 100_000)
        for sizes in ((90_000, 100_001), (200_000, 0)):
            with pytest.raises(OSError, match="File too large") as caught:
                check_room(tmp_path, *sizes)
            assert caught.value.filename == str(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_file_holds_just_this_content(tmp_path):
    write_atomically(tmp_path / "a", "n\u00eaw\udcff")
    assert holds(tmp_path / "a", "n\u00eaw\udcff")
    assert not holds(tmp_path / "a", "n\u00eaw")
    assert not holds(tmp_path / "b", "") and not holds(tmp_path, "")


def test_a_full_disk_names_the_file(tmp_path):
    for context, path in ((complete_file, tmp_path / "a.bin"), (complete_folder, tmp_path / "a")):
        with pytest.raises(OSError) as caught, context(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        assert (caught.value.filename, caught.value.errno) == (str(path), errno.ENOSPC)


def test_a_table_has_no_formulas_and_keeps_every_name(tmp_path):
    write_csv(tmp_path / "a.csv", [("name", "x"), ("=1+1", -1.5), ("@a", None), ("a,b\n", "+1"), ("odd\udcff", 2)])
    assert (tmp_path / "a.csv").read_bytes() == (b"name,x\r\n'=1+1,-1.5\r\n'@a,\r\n\"a,b\n\",'+1\r\nodd\\udcff,2\r\n")


def test_leftovers_of_dead_processes_go_and_those_of_running_ones_stay(tmp_path):
    running, dead = partial_path(tmp_path / "a.png"), tmp_path / ".b.partial-999999999@HOST.png"
    dead = dead.with_name(dead.name.replace("HOST", running.name.partition("@")[2].partition(".")[0]))
    for path in (running, dead, tmp_path / "c.png"):
        path.write_text("x")
    remove_all_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([running, tmp_path / "c.png"])
