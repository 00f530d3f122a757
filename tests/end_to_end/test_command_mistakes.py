"""The user's mistakes: exit code 2, one line with the remedy, nothing written."""

import shutil

import pytest

from tests.support.commands import TINY, mistake, run_here, run_process
from tests.support.few_digits import write_few_digits


@pytest.fixture
def told(tiny):
    """Runs train.py with a mistake; returns the line, after a look that nothing was written."""

    def run(*options, base=None):
        line = mistake(run_here("train.py", *(tiny.options if base is None else base), *options))
        assert not tiny.parent.exists() or tiny.parent.is_file()
        return line

    return run


def test_an_unknown_key_as_a_process(tiny):
    line = mistake(run_process("train.py", *tiny.options, "--lr_mx", 1))
    assert line == "--lr_mx is not a configuration key: did you mean lr_max?"
    assert not tiny.parent.exists()


def test_a_device_that_is_not_there_as_a_process(tiny):
    line = mistake(run_process("train.py", *tiny.options, "--device_target", "Ascend"))
    assert line.startswith("device_target Ascend (device_id 0) is not available; this machine has ")
    assert line.endswith(": use --device_target CPU")
    assert not tiny.parent.exists()


def test_keys_and_values(told, tiny):
    assert told("--max_epoch", "many").startswith("--max_epoch ")
    assert told("--lr_max", -1).startswith("--lr_max ")
    assert told("--opt", "adam9").startswith("--opt must be one of adamw, ")
    assert told("--autoaugment", "rand-m12").startswith("autoaugment: 'rand-m12' needs m in 0-10")
    assert told("--mixup", 0.2, "--batch_size", 1).startswith("mixup 0.2 mixes images of a batch, and batch_size is 1")
    assert told("--backbone", "resnext_nan").startswith(
        "backbone: unknown network 'resnext_nan'; nearest: resnext_nano"
    )
    assert told("--backbone", "dgcnet_nano").startswith("class_num is 10, but cityscapes, which dgcnet_nano segments, ")
    assert told("--loss_name", "ohem").startswith("loss_name ohem is for segmentation networks: choose one of ce, ")
    assert told("--lr_decay_mode", "cosin").startswith("--lr_decay_mode must be one of cosine, ")
    assert told("--warmup_epochs", 5).startswith("lr_decay_mode cosine: a warm-up of 5")
    assert told("--class_num", 10, "--num_classes", 10).endswith(" both set class_num: keep one")
    assert told("--drop_path_rate", 1) == "--drop_path_rate must be at least 0 and below 1, not 1"
    assert told("--drop_rate", 1) == "--drop_rate must be at least 0 and below 1, not 1"
    assert told("--layer_decay", 0) == "--layer_decay must be above 0 and at most 1, not 0"
    assert told("--freeze", "stem").startswith("freeze: the network has no part stem: it has conv1, bn1, layer1, ")
    assert told("--freeze", "conv1,bn1,layer1,layer2,layer3,layer4,fc").startswith("freeze: ")
    assert "nowhere.yml" in told(base=("--config_path", "nowhere.yml"))


def test_a_mistyped_network_without_a_recipe(told):
    assert told(base=("--backbone", "vig_nanoo")).startswith("backbone: unknown network 'vig_nanoo'; nearest: vig_nano")
    assert told(base=("--backbone", "resnet50")) == ("backbone: unknown network 'resnet50': did you mean resnext152?")
    assert told(base=("--arch", "qqqqqq")) == (
        "backbone: unknown network 'qqqqqq': --list_models 1 prints the networks"
    )


def test_without_a_recipe_the_error_names_the_assumed_one(told):
    assert told(base=()).endswith("config/resnext152/default_config.yaml, since --config_path names none)")


def test_places_in_the_cloud(told):
    remote = ("--config_path", TINY, "--dataset_path", "s3://zoo/digits")
    assert told(base=remote) == "dataset_path (command line) is in a bucket: add --enable_modelarts 1"
    assert told("--enable_modelarts", "True", "--data_url", "obs://") == (
        "data_url: obs:// names no bucket: write obs://BUCKET/FOLDER"
    )


def test_data(told, tiny, tmp_path):
    config = ("--config_path", TINY, "--save_checkpoint_path", tiny.parent, "--dataset_path")
    (tmp_path / "empty").mkdir()
    (tmp_path / "one" / "cat").mkdir(parents=True)
    shutil.copy(next(tiny.digits.rglob("*.png")), tmp_path / "one" / "cat")
    write_few_digits(tmp_path / "odd")
    (tmp_path / "odd" / "val" / "cat").mkdir()
    assert told(base=(*config, tmp_path / "nowhere")).startswith(f"dataset_path: no folder {tmp_path}/nowhere")
    assert told(base=(*config, tmp_path / "empty")).startswith(f"{tmp_path}/empty: no images found")
    assert told(base=(*config, tmp_path / "one")).startswith(f"{tmp_path}/one has one class folder only")
    assert told(base=(*config, tmp_path / "odd")).endswith("folder cat is not one of the 10 training classes")
    assert told("--class_num", 9).endswith("has 10 class folders, class_num is 9: give --class_num 10")
    assert told("--accumulate_steps", 5) == (
        "accumulate_steps 5 x batch_size 16 x 1 devices is larger than the 64 training images: "
        "give --batch_size 12 or less"
    )
    assert told("--batch_size", 65) == (
        "batch_size 65 x 1 devices is larger than the 64 training images: give --batch_size 64 or less"
    )


def test_checkpoints(told, reference, tmp_path):
    damaged = shutil.copyfile(reference.last, tmp_path / "damaged.ckpt")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    assert told("--pretrained", tmp_path / "none.ckpt") == f"checkpoint {tmp_path}/none.ckpt: no such file"
    assert told("--pretrained", damaged).startswith(f"checkpoint {damaged} is damaged (")
    assert told("--resume", damaged).startswith(f"checkpoint {damaged} is damaged (")
    assert told("--pretrained", tmp_path / "text.ckpt").startswith(f"checkpoint {tmp_path}/text.ckpt is damaged (")
    assert told("--resume", tmp_path / "nowhere").startswith(f"--resume {tmp_path}/nowhere: no checkpoint at ")
    other = told("--pretrained", reference.best, "--backbone", "vig_nano")
    assert other.startswith(f"{reference.best} does not match the network (another --backbone?): ")
    for script in ("eval.py", "export.py", "predict.py"):
        inputs = ("--input", reference.digits / "val", "--output", tmp_path / "o", "--file_name", tmp_path / "n")
        assert mistake(run_here(script, "--pretrained", damaged, *inputs)).startswith(
            f"checkpoint {damaged} is damaged"
        )
        foreign = run_here(script, "--pretrained", reference.best, "--backbone", "vig_nano", *inputs)
        assert mistake(foreign) == f"{reference.best} holds resnext_nano, backbone is vig_nano: give one of them"
        assert mistake(run_here(script, "--config_path", TINY, *inputs)).startswith("pretrained is empty: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.ckpt", "text.ckpt"]


def test_more_unreadable_images_than_allowed_are_named(tiny, tmp_path):
    digits = write_few_digits(tmp_path / "digits")
    broken = next((digits / "train" / "4").iterdir())
    broken.write_bytes(broken.read_bytes()[:60])
    line = mistake(run_here("train.py", *tiny.options[:2], *tiny.options[4:], "--dataset_path", digits))
    # 1 of 64 is above the default of 1 %.
    assert line.startswith(f"max_bad_images 0.01: 1 of 64 training images cannot be read: {broken} (truncated)")


def test_a_place_that_cannot_be_written(told, tiny, reference, tmp_path):
    tiny.parent.write_text("in the way")
    assert told() == (
        f"save_checkpoint_path: {tiny.parent} cannot be written (a file is in the way): "
        "give --save_checkpoint_path FOLDER"
    )
    output = tiny.parent / "evaluation"
    line = mistake(run_here("eval.py", "--pretrained", reference.best, "--output", output))
    assert line.startswith(f"output: {output} cannot be written (")
    exported = mistake(run_here("export.py", "--pretrained", reference.best, "--file_name", tiny.parent / "net"))
    assert exported.startswith(f"file_name: {tiny.parent} cannot be written (")
    assert tiny.parent.read_text() == "in the way"
