"""Configuration of a ModelArts job: what is fetched, and what the settings become."""

from __future__ import annotations

import os

import pytest

from src.config import RemoteFault, UserError
from src.runtime.entry import command_config
from src.runtime.logs import get_logger
from src.runtime.storage import client
from tests.support.recipes import write_recipe

RECIPE = "backbone: hlg_nano\ndataset_path: /cache/imagenet/train\neval_path: /cache/imagenet/val\n"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """The job's folder, with the markers in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("src.runtime.storage.retry.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("src.runtime.modelarts.once.HEAD_START", 0.0)
    return tmp_path


def job(place, *words, command="train", text=RECIPE, **options):
    """The localised configuration, flat."""
    recipe = write_recipe(place, text) if text else None
    arguments = ["--config_path", str(recipe)] if recipe else []
    resolved = command_config([*arguments, "--enable_modelarts=True", *map(str, words)], command, "x", **options)
    return resolved, resolved.config.flat()


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_data_of_an_old_style_job_is_fetched(server, place):
    for key in ("d/", "d/train.tar", "d/val/cat/1.png", "d/val/dog/2.png", "d2/x"):
        server.put(key)
    text = RECIPE + f"data_path: {place}/imagenet\n".replace(str(place), "/cache")
    text = text.replace("/cache", str(place))
    resolved, values = job(place, "--data_url=obs://zoo/d", text=text)
    assert tree(place / "imagenet") == ["train.tar", "val/cat/1.png", "val/dog/2.png"]
    assert (values["dataset_path"], values["eval_path"]) == (f"{place}/imagenet/train", f"{place}/imagenet/val")
    assert any("download obs://zoo/d: 3 of 3 files" in note for note in resolved.notes)
    assert not any("no effect" in note for note in resolved.notes)


def test_without_a_data_path_of_its_own_the_data_has_a_folder_of_its_name(server, place):
    server.put("in/digits/train/0/1.png")
    _, values = job(place, "--data_url=s3://zoo/in/digits")
    assert values["dataset_path"] == str(place / "modelarts/data/zoo/in/digits")
    assert values["eval_path"] == ""
    assert tree(place / "modelarts/data") == ["zoo/in/digits/train/0/1.png"]


def test_one_archive_is_data_as_well(server, place):
    server.put("in/train.tar")
    _, values = job(place, "--data_url=s3://zoo/in/train.tar")
    assert tree(place / "modelarts/data/zoo/in/train.tar") == ["train.tar"]
    assert values["dataset_path"] == str(place / "modelarts/data/zoo/in/train.tar")


def test_vigs_data_url_is_remote_too(server, place):
    server.put("d/train/0/1.png")
    _, values = job(place, "--data_url=s3://zoo/d", text="backbone: vig_nano\ndata_url: ./data/imagenet\n")
    assert values["dataset_path"] == str(place / "modelarts/data/zoo/d")


def test_the_local_paths_of_a_new_style_job_pass_through(place, monkeypatch):
    monkeypatch.setattr(client, "connect", None)
    text = RECIPE + "data_path: /cache/imagenet\noutput_path: /cache/train\nsave_checkpoint_path: /cache/train\n"
    _, values = job(place, "--data_url=/home/in", "--train_url=/home/out", "--checkpoint_url=/home/x.ckpt", text=text)
    assert (values["dataset_path"], values["eval_path"]) == ("/home/in/train", "/home/in/val")
    assert (values["save_checkpoint_path"], values["output_path"]) == ("/home/out", "/home/out")
    assert (values["pretrained"], values["resume"]) == ("/home/x.ckpt", "auto")


def test_nothing_changes_without_urls(place):
    _, values = job(place, "--save_checkpoint_path", "mine")
    assert (values["dataset_path"], values["save_checkpoint_path"]) == ("/cache/imagenet/train", "mine")
    assert values["resume"] == ""


def test_the_platforms_arguments_are_noted_in_a_job_only(place):
    resolved, _ = job(place, "--init_method=tcp://x", "--max_epohc=3")
    assert [note for note in resolved.notes if "ignored" in note] == [
        "ignored, since the platform adds arguments of its own: --init_method is not a configuration key: "
        "did you mean lite_python?",
        "ignored, since the platform adds arguments of its own: --max_epohc is not a configuration key: "
        "did you mean max_epoch?",
    ]
    with pytest.raises(UserError, match="--init_method is not a configuration key"):
        command_config(["--backbone", "vig_ti", "--init_method=tcp://x"], "train", "x")
    with pytest.raises(UserError, match="recipe.yml:4: rank_table is not a configuration key"):
        job(place, text=RECIPE + "rank_table: x\n")


def test_the_checkpoint_of_a_job(server, place):
    server.put("m/start.ckpt", b"weights")
    _, values = job(place, "--checkpoint_url=s3://zoo/m/start.ckpt", "--load_path", place / "model/start.ckpt")
    assert values["pretrained"] == str(place / "model/start.ckpt")
    assert (place / "model/start.ckpt").read_bytes() == b"weights"
    with pytest.raises(UserError, match="^s3://zoo/m/other.ckpt: no such object: check the path$"):
        job(place, "--checkpoint_url=s3://zoo/m/other.ckpt")
    with pytest.raises(UserError, match="give one of them"):
        job(place, "--checkpoint_url=s3://zoo/a", "--pretrained=s3://zoo/b")


@pytest.mark.parametrize("words", [["--pretrained", "obs://zoo/m/x.ckpt"], ["--checkpoint_url=obs://zoo/m/x.ckpt"]])
@pytest.mark.parametrize("command", ["eval", "export"])
def test_the_configuration_of_a_fetched_checkpoint_is_used(server, place, words, command):
    server.put("m/x.ckpt", b"weights")
    opened = []

    class Checkpoint:
        meta = {"config": {"backbone": "vig_nano", "class_num": 7}}  # noqa: RUF012

    def open_checkpoint(path):
        opened.append(path)
        return Checkpoint

    resolved, values = job(
        place, *words, "--train_url=obs://zoo/out", command=command, text="", open_checkpoint=open_checkpoint
    )
    local = str(place / "modelarts/model/zoo/m/x.ckpt")
    assert opened == [local]
    assert (resolved.checkpoint, values["pretrained"]) == (Checkpoint, local)
    assert (values["backbone"], values["class_num"]) == ("vig_nano", 7)
    expected = {"eval": ("output", "evaluation"), "export": ("file_name", "vig_nano")}[command]
    assert values[expected[0]] == str(place / "modelarts/output" / expected[1])
    assert server.list_keys("out") == ["out/"]


def put_run(server, name="recipe", last=b"last"):
    for file, content in {
        "config.yml": b"name: recipe\n",
        "train.log": b"log\n",
        "ckpt/last.ckpt": last,
        "ckpt/best.ckpt": b"best",
        "ckpt/hlg_nano-3_5.ckpt": b"3",
        "ckpt/hlg_nano-4_5.ckpt": b"4",
    }.items():
        server.put(f"out/{name}/{file}", content)


def test_a_restarted_job_gets_its_last_run(server, place):
    put_run(server)
    put_run(server, "recipe-2", b"second")
    put_run(server, "recipe-other")
    _, values = job(place, "--train_url=s3://zoo/out")
    assert values["resume"] == "auto"
    assert tree(place / "modelarts/output") == [
        "recipe-2/ckpt/best.ckpt",
        "recipe-2/ckpt/last.ckpt",
        "recipe-2/config.yml",
        "recipe-2/train.log",
        "recipe/config.yml",
    ]
    assert (place / "modelarts/output/recipe-2/ckpt/last.ckpt").read_bytes() == b"second"


def test_a_job_that_is_not_to_resume_takes_the_next_name(server, place):
    put_run(server)
    _, values = job(place, "--train_url=s3://zoo/out", "--resume=")
    assert values["resume"] == ""
    assert [path.name for path in (place / "modelarts/output").iterdir()] == ["recipe"]
    assert tree(place / "modelarts/output") == ["recipe/config.yml"]


@pytest.mark.parametrize(("hosts", "kept"), [("1", b"newer"), ("2", b"last")])
def test_a_newer_checkpoint_of_this_disk_is_kept_by_a_job_on_one_server(server, place, monkeypatch, hosts, kept):
    put_run(server)
    last = place / "modelarts/output/recipe/ckpt/last.ckpt"
    last.parent.mkdir(parents=True)
    last.write_bytes(b"newer")
    later = os.stat(last).st_mtime + 100
    os.utime(last, (later, later))
    monkeypatch.setenv("MA_NUM_HOSTS", hosts)
    job(place, "--train_url=s3://zoo/out")
    assert last.read_bytes() == kept


def test_an_evaluation_is_numbered_after_those_in_the_bucket(server, place):
    server.put("out/evaluation/result.json")
    job(place, "--train_url=s3://zoo/out", command="eval")
    assert [path.name for path in (place / "modelarts/output").iterdir()] == ["evaluation"]


def test_the_platforms_disk_is_used_on_the_platform_only(server, place, monkeypatch):
    server.put("d/train/0/1.png")
    monkeypatch.setattr("src.runtime.modelarts.paths.PLATFORM_DISK", place / "disk")
    (place / "disk").mkdir()
    assert job(place, "--data_url=s3://zoo/d")[1]["dataset_path"].startswith(str(place / "modelarts"))
    monkeypatch.setenv("MA_VJ_NAME", "job-1")
    assert job(place, "--data_url=s3://zoo/d")[1]["dataset_path"] == str(place / "disk/data/zoo/d")


def test_mistakes_are_told_before_the_work(server, place):
    with pytest.raises(UserError, match="^s3://zoos/d: no such bucket"):
        job(place, "--data_url=s3://zoos/d")
    with pytest.raises(UserError, match="^obs://zoos/out: no such bucket"):
        job(place, "--train_url=obs://zoos/out")
    with pytest.raises(UserError, match="^s3://zoo/d: no such folder, or it is empty"):
        job(place, "--data_url=s3://zoo/d")
    with pytest.raises(UserError, match=r"^enable_modelarts \(command line\): only for train.py, eval.py, export.py$"):
        job(place, command="predict")
    for words in (["--dataset_path", "s3://zoo/d"], ["--pretrained", "obs://zoo/x"]):
        with pytest.raises(UserError, match=r"\(command line\) is in a bucket: add --enable_modelarts 1$"):
            command_config(["--backbone", "vig_ti", *words], "train", "x")


def test_a_service_that_is_down_is_a_fault(server, place, monkeypatch):
    monkeypatch.setattr("src.runtime.storage.client.ATTEMPTS", 1)
    monkeypatch.setenv("S3_ENDPOINT", "127.0.0.1:9")
    with pytest.raises(RemoteFault, match="not reached at"):
        job(place, "--data_url=s3://zoo/d")


def test_the_log_of_the_fetching_leaves_the_logger_as_it_was(server, place, capsys):
    before = list(get_logger().handlers)
    server.put("d/train/0/1.png")
    job(place, "--data_url=s3://zoo/d")
    assert capsys.readouterr().out.endswith(":INFO:download s3://zoo/d: 1 files, 0.0 MB\n")
    assert get_logger().handlers == before
