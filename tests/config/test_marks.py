"""The keys that each mark stands on: a key is marked, or unmarked, on purpose only."""

import pytest

from src.config import marks, read_config
from src.config.effect import known_tasks, no_effect_on_task
from src.config.lookup import CONFIG_ROOT
from src.config.marks import (
    CLOUD,
    FLAG,
    FREE_ON_RESUME,
    MANY,
    PATH,
    RUN_ONLY,
    Mark,
    OnlyCommands,
    OnlyTasks,
    marks_of,
)
from src.config.schema import KEY_TYPES, keys_marked
from src.tasks.create import TASKS
from tests.support.recipes import resolve

CLOUD_PATHS = "checkpoint_url data_path data_url load_path output_path train_url"
CLOUD_KEYS = f"{CLOUD_PATHS} upload_interval"
MARKED = {
    FLAG: "check_dataset dynamic_batch overwrite print_config quantize",
    MANY: "input",
    RUN_ONLY: f"""
        {CLOUD_KEYS} check_dataset dynamic_batch enable_modelarts enc_key_file enc_mode eval_split file_name input
        list_models lite_python name nodes output overwrite print_config quantize resume run_distribute
        show_batch show_graph submit
    """,
    FREE_ON_RESUME: f"""
        {CLOUD_KEYS} compile_cache data_list data_timeout dataset_path device_id early_stop_patience enable_modelarts
        eval_batch_size eval_flip eval_interval eval_mode eval_num_workers eval_offset eval_path eval_scales eval_split
        keep_checkpoint_max list_models log_interval log_norms max_steps name open_profiler output overwrite plot_lr
        pretrained print_config report resume save_checkpoint save_checkpoint_epochs save_checkpoint_path
        save_checkpoint_steps submit tensorboard
    """,
    CLOUD: CLOUD_KEYS,
    PATH: f"""
        {CLOUD_PATHS} data_list dataset_path enc_key_file eval_path file_name input output plot_lr pretrained resume
        save_checkpoint_path show_batch submit
    """,
}
TASK_KEYS = {
    "classification": """
        antialias autoaugment bce_threshold crop_min crop_pct cutmix interpolation label_smooth_factor mixup
        mixup_mode mixup_prob nodes re_count re_mode re_prob repeated_augment show_graph switch_prob top_k
        use_label_smooth
    """,
    "segmentation": """
        eval_flip eval_mode eval_scales eval_split ignore_label ohem_keep ohem_thres rgb submit train_scales
    """,
}
COMMAND_KEYS = {
    ("train",): "check_dataset list_models plot_lr show_batch",
    ("eval", "train"): "submit",
    ("eval", "export", "train"): "eval_split",
    ("export",): "dynamic_batch enc_key_file enc_mode file_format file_name lite_python quantize",
    ("convert", "export", "train"): "overwrite",
    ("predict",): "nodes show_graph top_k",
    ("convert", "export", "predict"): "input",
}
RECIPES = sorted(CONFIG_ROOT.glob("*/*.y*ml"))


def keys_by_names(kind):
    found = {}
    for key, hint in KEY_TYPES.items():
        for mark in marks_of(hint):
            if isinstance(mark, kind):
                found.setdefault(tuple(sorted(mark.names)), set()).add(key)
    return found


@pytest.mark.parametrize("mark", MARKED, ids=lambda mark: mark.meaning)
def test_the_marked_keys_are_these(mark):
    assert keys_marked(mark) == set(MARKED[mark].split())


def test_each_mark_is_used_and_says_what_it_means():
    known = [mark for mark in vars(marks).values() if isinstance(mark, Mark)]
    assert set(known) == set(MARKED)
    assert all(mark.meaning for mark in known)


def test_the_keys_of_one_task_are_these():
    assert keys_by_names(OnlyTasks) == {(task,): set(keys.split()) for task, keys in TASK_KEYS.items()}
    assert known_tasks() == set(TASKS)


def test_the_keys_of_some_commands_are_these():
    assert keys_by_names(OnlyCommands) == {commands: set(keys.split()) for commands, keys in COMMAND_KEYS.items()}


def test_settings_of_the_other_task_are_told(tmp_path):
    words = ("--eval_scales", "1,2", "--submit", "files", "--hflip", "0.1", "--eval_split", "val")
    changed = resolve(tmp_path, "rgb: 0\ncrop_min: 0.08\n", *words).changed
    assert no_effect_on_task(changed, "classification") == [
        "rgb=False has no effect on classification",
        "eval_scales=[1.0, 2.0] has no effect on classification",
        "submit=files has no effect on classification",
    ]
    assert no_effect_on_task(changed, "segmentation") == []
    assert no_effect_on_task(changed, "a task that no key names") == []


def test_options_of_another_command_are_told_and_a_recipes_are_not(tmp_path):
    text = "backbone: hlg_mobile\nfile_format: ONNX\ndata_path: a\nload_path: b\n"
    assert resolve(tmp_path, text).notes[1:] == ()
    assert resolve(tmp_path, text, "--top_k", "3", "--train_url", "obs://x").notes[1:] == (
        "top_k=3 has no effect in train.py",
        "train_url=obs://x has no effect: enable_modelarts is off",
    )
    assert resolve(tmp_path, text, "--top_k", "3", command="predict").notes[1:] == ()
    assert resolve(tmp_path, text, "--top_k", "5").notes[1:] == ()  # the default


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_no_recipe_sets_what_its_task_does_not_read(recipe):
    changed = read_config(["--config_path", str(recipe)]).changed
    task = "segmentation" if recipe.parent.name == "dgcnet" else "classification"
    assert no_effect_on_task(changed, task) == []
