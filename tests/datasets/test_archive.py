"""Tar archives of class folders: unpacked once, completely or not at all."""

import io
import os
import tarfile

import pytest

from src.config import UserError
from src.datasets.sources.archive import extract_archive
from src.datasets.sources.find import find_split, find_validation, open_images
from tests.support.images import write_class_folder
from tests.support.processes import run_python
from tests.support.user_errors import message_of


def _pack(folder, archive, arcname="."):
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w") as tar:
        tar.add(folder, arcname=arcname)
    return archive


@pytest.fixture
def classes(tmp_path):
    return write_class_folder(tmp_path / "source", {"cat": 2, "dog": 1})


@pytest.fixture
def archive(tmp_path, classes):
    return _pack(classes, tmp_path / "data/train/imagenet_train.tar")


def _names(images):
    return [f"{file.parent.name}/{file.name}" for file in images.files]


def test_an_archive_in_train_is_unpacked_beside_itself_once(archive):
    images = open_images(archive.parent, 2)
    assert (_names(images), images.class_names) == (["cat/0.png", "cat/1.png", "dog/0.png"], ("cat", "dog"))
    assert images.root == archive.with_suffix("")
    unpacked = (images.root / "cat/0.png").stat().st_mtime_ns
    assert open_images(archive.parent, 2) == open_images(archive, 2) == images
    assert (images.root / "cat/0.png").stat().st_mtime_ns == unpacked
    assert sorted(path.name for path in archive.parent.iterdir()) == [
        ".imagenet_train.tar.lock",
        "imagenet_train",
        "imagenet_train.tar",
    ]


def test_the_class_folders_may_lie_one_folder_down(tmp_path, classes):
    folder = extract_archive(_pack(classes, tmp_path / "x.tar", "ILSVRC/train"))
    assert folder == tmp_path / "x/ILSVRC"
    assert extract_archive(_pack(classes, tmp_path / "y.tar", "train")) == tmp_path / "y/train"


def test_an_archive_of_one_archive_a_class(tmp_path, classes):
    packed = tmp_path / "packed"
    for name in ("cat", "dog"):
        _pack(classes / name, packed / f"{name}.tar")
    images = open_images(_pack(packed, tmp_path / "x.tar"), 2)
    assert _names(images) == ["cat/0.png", "cat/1.png", "dog/0.png"]


def test_class_folders_beside_an_archive_are_what_counts(archive):
    write_class_folder(archive.parent, {"ant": 1, "bee": 1})
    assert open_images(archive.parent, 2).class_names == ("ant", "bee")


def test_archives_in_place_of_train_and_val(tmp_path, classes):
    data = tmp_path / "data"
    data.mkdir()
    for split in ("train", "val"):
        _pack(classes, data / f"{split}.tar", arcname=split)
    expected = _names(open_images(classes, 2))
    for _ in range(2):  # also when they have been unpacked
        for train in (data, data / "train"):
            assert find_split(str(train), "train", "dataset_path") == data / "train.tar"
            assert find_validation("", str(train)) == data / "val.tar"
        for place in (data / "train.tar", data / "val.tar"):
            assert _names(open_images(place, 2)) == expected
    assert find_validation(str(data / "val"), "elsewhere") == data / "val.tar"


def test_an_archive_beside_a_whole_data_set_is_not_its_training_images(tmp_path, classes):
    (tmp_path / "data").mkdir()
    classes.rename(tmp_path / "data" / "train")
    (tmp_path / "data.tar").touch()
    assert find_split(str(tmp_path / "data"), "train", "dataset_path") == tmp_path / "data" / "train"


@pytest.mark.parametrize("kept", [0.2, 0.4, 0.6])
def test_a_truncated_archive_leaves_nothing(archive, kept):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * kept)])
    message = message_of(extract_archive, archive)
    assert message.startswith(f"{archive}: damaged or truncated (")
    assert message.endswith("): copy it again")
    assert sorted(path.name for path in archive.parent.iterdir()) == [".imagenet_train.tar.lock", "imagenet_train.tar"]


def test_an_archive_that_is_cut_off_between_two_members_is_not_taken_for_a_whole_one(archive):
    with tarfile.open(archive) as tar:
        second = tar.getmembers()[2].offset
    archive.write_bytes(archive.read_bytes()[:second])
    assert message_of(extract_archive, archive).startswith(f"{archive}: damaged or truncated (end of archive missing)")


def _member(name, kind, linkname=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, linkname
    return member


@pytest.mark.parametrize(
    ("member", "what"),
    [
        (_member("cat/../../evil.png", tarfile.REGTYPE), "points outside the folder"),
        (_member("/tmp/evil.png", tarfile.REGTYPE), "points outside the folder"),
        (_member("cat/link.png", tarfile.SYMTYPE, "/etc/passwd"), "is a link or a device"),
        (_member("cat/hard.png", tarfile.LNKTYPE, "cat/0.png"), "is a link or a device"),
        (_member("cat/null", tarfile.CHRTYPE), "is a link or a device"),
        (_member("cat/pipe", tarfile.FIFOTYPE), "is a link or a device"),
    ],
)
def test_members_that_do_not_belong_into_a_data_set_are_refused(archive, member, what):
    with tarfile.open(archive, "a") as tar:
        tar.addfile(member, io.BytesIO())
    message = message_of(extract_archive, archive)
    assert message == f"{archive}: member {member.name} {what}: nothing was unpacked"
    assert sorted(path.name for path in archive.parent.iterdir()) == [".imagenet_train.tar.lock", "imagenet_train.tar"]


def test_a_sparse_member_does_not_fill_the_disk(tmp_path):
    """10 kB of archive that name 400 MB of zeros."""
    archive = tmp_path / "x.tar"
    member = tarfile.TarInfo("cat/0.png")
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "cat/0.png",
                          "GNU.sparse.size": str(400 * 2**20), "GNU.sparse.map": "0,0"}  # fmt: skip
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member, io.BytesIO())
    assert message_of(extract_archive, archive) == (
        f"{archive}: member cat/0.png is sparse, as no image is: nothing was unpacked"
    )


def test_archives_are_unpacked_one_level_deep(tmp_path, classes):
    inner = _pack(classes, tmp_path / "a/inner.tar").parent
    middle = _pack(inner, tmp_path / "b/middle.tar").parent
    message = message_of(extract_archive, _pack(middle, tmp_path / "outer.tar"))
    assert message.endswith("inner.tar is an archive in an inner archive: nothing was unpacked")
    assert not (tmp_path / "outer").exists()


@pytest.mark.parametrize("record", ["99999 path=x\n", "xx path=x\n", "0 path=x\n", "14 size=-12x\n", "12 size=1e9\n"])
def test_a_damaged_extended_header_is_one_line(tmp_path, record):
    archive, content = tmp_path / "x.tar", record.encode()
    header, member = tarfile.TarInfo("pax"), tarfile.TarInfo("cat/0.png")
    header.type, header.size, member.size = tarfile.XHDTYPE, len(content), 3
    with tarfile.open(archive, "w") as tar:
        tar.addfile(header, io.BytesIO(content))
        tar.addfile(member, io.BytesIO(b"abc"))
    try:
        extract_archive(archive)  # read in spite of it
    except UserError as error:
        assert str(error).startswith(f"{archive}: damaged or truncated (")
        assert not (tmp_path / "x").exists()


def test_what_a_mac_adds_is_no_class(tmp_path, classes):
    write_class_folder(tmp_path / "source/__MACOSX", {"cat": 1})
    assert open_images(_pack(classes, tmp_path / "x.tar"), 2).class_names == ("cat", "dog")


def test_what_a_killed_process_left_is_removed(archive):
    leftover = archive.with_name(".imagenet_train.partial")
    write_class_folder(leftover, {"zebra": 1})
    assert open_images(archive, 2).class_names == ("cat", "dog")
    assert not leftover.exists()


def test_several_processes_unpack_once(archive):
    program = """
        import sys
        from multiprocessing import get_context
        from pathlib import Path
        from src.datasets.sources.archive import extract_archive
        with get_context("fork").Pool(3) as pool:
            print(len(set(pool.map(extract_archive, [Path(sys.argv[1])] * 3))))
    """
    finished = run_python(program, str(archive))
    assert (finished.returncode, finished.stdout) == (0, "1\n")


def test_a_folder_that_cannot_be_written_is_said(archive):
    if os.geteuid() == 0:
        # The rights do not bind root: a file where the lock should be made a folder does.
        archive.with_name(f".{archive.name}.lock").mkdir()
    else:
        archive.parent.chmod(0o500)
    message = message_of(extract_archive, archive)
    archive.parent.chmod(0o700)
    assert message.startswith(f"{archive}: cannot be unpacked into its own folder (")
    assert message.endswith("): unpack it elsewhere and use that folder")
