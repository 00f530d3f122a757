"""Schema of the configuration: typed sections, each key with its type, legal values and marks.

Defaults, units and meanings are in config/defaults.yml.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

from src.config.checks import (
    above_zero_to_one,
    all_positive,
    at_least,
    between,
    num_values,
    one_of,
    positive,
    share_below_one,
)
from src.config.marks import (
    CLOUD,
    FLAG,
    FREE_ON_RESUME,
    MANY,
    PATH,
    RUN_ONLY,
    Mark,
    marks_of,
    only_commands,
    only_tasks,
)

DECAYS = ("cosine", "cosine_annealing", "cosine_restarts", "constant", "exp", "linear", "poly", "step", "steps")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Run"""

    name: Annotated[str, RUN_ONLY, FREE_ON_RESUME]
    seed: Annotated[int, at_least(0)]
    device_target: Annotated[str, one_of("CPU", "GPU", "Ascend")]
    device_id: Annotated[int, at_least(0), FREE_ON_RESUME]
    context_mode: Annotated[int, one_of(0, 1)]
    amp_level: Annotated[str, one_of("O0", "O2", "O3")]
    run_distribute: Annotated[bool, RUN_ONLY]
    sync_bn: bool
    compile_cache: Annotated[bool, FREE_ON_RESUME]
    cpu_kernels: bool
    data_sink: bool
    log_interval: Annotated[int, at_least(0), FREE_ON_RESUME]
    log_norms: Annotated[bool, FREE_ON_RESUME]
    tensorboard: Annotated[bool, FREE_ON_RESUME]
    report: Annotated[bool, FREE_ON_RESUME]
    open_profiler: Annotated[bool, FREE_ON_RESUME]
    check_dataset: Annotated[bool, FLAG, RUN_ONLY, only_commands("train")]
    show_batch: Annotated[str, PATH, RUN_ONLY, only_commands("train")]
    plot_lr: Annotated[str, PATH, FREE_ON_RESUME, only_commands("train")]
    list_models: Annotated[bool, RUN_ONLY, FREE_ON_RESUME, only_commands("train")]
    print_config: Annotated[bool, FLAG, RUN_ONLY, FREE_ON_RESUME]


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Training data"""

    dataset: Annotated[str, one_of("image_folder", "mindrecord", "cityscapes", "masks")]
    dataset_path: Annotated[str, PATH, FREE_ON_RESUME]
    train_image_size: Annotated[int, at_least(8)]
    interpolation: Annotated[str | None, one_of("bilinear", "bicubic"), only_tasks("classification")]
    antialias: Annotated[bool | None, only_tasks("classification")]
    crop_min: Annotated[float, between(0.0, 1.0), only_tasks("classification")]
    train_scales: Annotated[list[float], all_positive(), only_tasks("segmentation")]
    hflip: Annotated[float, between(0.0, 1.0)]
    batch_size: Annotated[int, at_least(1)]
    accumulate_steps: Annotated[int, at_least(1)]
    train_num_workers: Annotated[int, at_least(1)]
    data_timeout: Annotated[float, at_least(0.0), FREE_ON_RESUME]
    mean: Annotated[list[float] | None, num_values(3)]
    std: Annotated[list[float] | None, num_values(3)]
    data_list: Annotated[str, PATH, FREE_ON_RESUME]
    max_bad_images: Annotated[float, between(0.0, 1.0)]
    max_image_pixels: Annotated[int, at_least(1)]
    rgb: Annotated[bool, only_tasks("segmentation")]
    ignore_label: Annotated[int, between(0, 255), only_tasks("segmentation")]

    @property
    def images_per_step(self) -> int:
        """Images per optimizer step and device: `accumulate_steps` batches of `batch_size`.

        The data pipeline delivers them together, so mixing pairs images across all of them.
        """
        return self.batch_size * self.accumulate_steps


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """Evaluation data"""

    eval_path: Annotated[str, PATH, FREE_ON_RESUME]
    eval_split: Annotated[
        str,
        one_of("train", "val", "test"),
        RUN_ONLY,
        FREE_ON_RESUME,
        only_tasks("segmentation"),
        only_commands("train", "eval", "export"),
    ]
    eval_image_size: Annotated[int | None, at_least(8)]
    eval_batch_size: Annotated[int | None, at_least(1), FREE_ON_RESUME]
    eval_num_workers: Annotated[int, at_least(1), FREE_ON_RESUME]
    eval_interval: Annotated[int, at_least(0), FREE_ON_RESUME]
    eval_offset: Annotated[int, FREE_ON_RESUME]
    crop_pct: Annotated[float | None, between(0.1, 1.0), only_tasks("classification")]
    eval_mode: Annotated[str, one_of("window", "whole"), FREE_ON_RESUME, only_tasks("segmentation")]
    eval_scales: Annotated[list[float], all_positive(), FREE_ON_RESUME, only_tasks("segmentation")]
    eval_flip: Annotated[bool, FREE_ON_RESUME, only_tasks("segmentation")]


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Augmentation"""

    autoaugment: Annotated[str, only_tasks("classification")]
    color_jitter: Annotated[float, between(0.0, 1.0)]
    mixup: Annotated[float, at_least(0.0), only_tasks("classification")]
    cutmix: Annotated[float, at_least(0.0), only_tasks("classification")]
    mixup_prob: Annotated[float, between(0.0, 1.0), only_tasks("classification")]
    switch_prob: Annotated[float, between(0.0, 1.0), only_tasks("classification")]
    mixup_mode: Annotated[str, one_of("batch", "pair", "elem"), only_tasks("classification")]
    re_prob: Annotated[float, between(0.0, 1.0), only_tasks("classification")]
    re_mode: Annotated[str, one_of("pixel", "const"), only_tasks("classification")]
    re_count: Annotated[int, at_least(1), only_tasks("classification")]
    repeated_augment: Annotated[int, at_least(1), only_tasks("classification")]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Network"""

    backbone: str
    class_num: Annotated[int, at_least(1)]
    pretrained: Annotated[str, PATH, FREE_ON_RESUME]
    use_ema: bool
    freeze: str
    drop_path_rate: Annotated[float | None, share_below_one()]
    drop_rate: Annotated[float | None, share_below_one()]
    stem_pool: Annotated[str | None, one_of("same", "pad")]
    batch_statistics: bool | None


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """Learning rate"""

    lr_decay_mode: Annotated[str, one_of(*DECAYS)]
    lr_init: Annotated[float, at_least(0.0)]
    lr_max: Annotated[float, positive()]
    lr_min: Annotated[float, at_least(0.0)]
    max_epoch: Annotated[int, at_least(1)]
    warmup_epochs: Annotated[float, at_least(0.0)]
    lr_epochs: list[float]
    lr_gamma: Annotated[float, positive()]
    lr_power: Annotated[float, positive()]
    lr_period: Annotated[float, positive()]
    lr_period_mult: Annotated[float, at_least(1.0)]
    T_max: Annotated[int | None, at_least(1)]
    num_steps: Annotated[int, at_least(0)]
    max_steps: Annotated[int, at_least(0), FREE_ON_RESUME]
    early_stop_patience: Annotated[int, at_least(0), FREE_ON_RESUME]
    recipe_global_batch: Annotated[int | None, at_least(1)]
    scale_lr: bool


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Optimizer"""

    opt: Annotated[str, one_of("adamw", "adamweightdecay", "lamb", "lion", "momentum", "sgd")]
    beta1: Annotated[float, between(0.0, 1.0)]
    beta2: Annotated[float, between(0.0, 1.0)]
    momentum: Annotated[float, between(0.0, 1.0)]
    weight_decay: Annotated[float, at_least(0.0)]
    no_weight_decay_filter: str
    layer_decay: Annotated[float, above_zero_to_one()]
    clip_global_norm: Annotated[float, at_least(0.0)]
    gc_flag: bool
    ema_decay: Annotated[float, between(0.0, 1.0)]


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Loss"""

    loss_name: Annotated[str, one_of("ce", "ce_smooth", "ce_smooth_mixup", "soft_target", "bce", "ohem")]
    use_label_smooth: Annotated[bool, only_tasks("classification")]
    label_smooth_factor: Annotated[float, between(0.0, 1.0), only_tasks("classification")]
    bce_threshold: Annotated[float | None, between(0.0, 1.0), only_tasks("classification")]
    loss_scale: Annotated[float, positive()]
    is_dynamic_loss_scale: bool
    ohem_thres: Annotated[float, between(0.0, 1.0), only_tasks("segmentation")]
    ohem_keep: Annotated[int, at_least(0), only_tasks("segmentation")]


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """Checkpoints"""

    save_checkpoint: Annotated[bool, FREE_ON_RESUME]
    save_checkpoint_epochs: Annotated[int, at_least(1), FREE_ON_RESUME]
    save_checkpoint_steps: Annotated[int, at_least(0), FREE_ON_RESUME]
    keep_checkpoint_max: Annotated[int, at_least(1), FREE_ON_RESUME]
    save_checkpoint_path: Annotated[str, PATH, FREE_ON_RESUME]
    resume: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME]


@dataclass(frozen=True, kw_only=True)
class OutputConfig:
    """Export and prediction"""

    file_format: Annotated[str, only_commands("export")]
    file_name: Annotated[str, PATH, RUN_ONLY, only_commands("export")]
    quantize: Annotated[bool, FLAG, RUN_ONLY, only_commands("export")]
    dynamic_batch: Annotated[bool, FLAG, RUN_ONLY, only_commands("export")]
    enc_key_file: Annotated[str, PATH, RUN_ONLY, only_commands("export")]
    enc_mode: Annotated[str, one_of("AES-GCM", "AES-CBC", "SM4-CBC"), RUN_ONLY, only_commands("export")]
    lite_python: Annotated[str, RUN_ONLY, only_commands("export")]
    input: Annotated[str, PATH, MANY, RUN_ONLY, only_commands("export", "predict", "convert")]
    output: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME]
    top_k: Annotated[int, at_least(1), only_tasks("classification"), only_commands("predict")]
    show_graph: Annotated[bool, RUN_ONLY, only_tasks("classification"), only_commands("predict")]
    nodes: Annotated[list[int], RUN_ONLY, only_tasks("classification"), only_commands("predict")]
    overwrite: Annotated[bool, FLAG, RUN_ONLY, FREE_ON_RESUME, only_commands("train", "export", "convert")]
    submit: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME, only_tasks("segmentation"), only_commands("train", "eval")]


@dataclass(frozen=True, kw_only=True)
class CloudConfig:
    """Cloud (ModelArts)"""

    enable_modelarts: Annotated[bool, RUN_ONLY, FREE_ON_RESUME]
    data_url: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME, CLOUD]
    train_url: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME, CLOUD]
    checkpoint_url: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME, CLOUD]
    output_path: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME, CLOUD]
    data_path: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME, CLOUD]
    load_path: Annotated[str, PATH, RUN_ONLY, FREE_ON_RESUME, CLOUD]
    upload_interval: Annotated[float, positive(), RUN_ONLY, FREE_ON_RESUME, CLOUD]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole configuration: `config.schedule.lr_max` in code, the flat key `lr_max` in files and commands."""

    run: RunConfig
    data: DataConfig
    eval: EvalConfig
    augment: AugmentConfig
    model: ModelConfig
    schedule: ScheduleConfig
    optimizer: OptimizerConfig
    loss: LossConfig
    checkpoint: CheckpointConfig
    output: OutputConfig
    cloud: CloudConfig

    @classmethod
    def from_flat(cls, values: dict[str, Any]) -> Config:
        """Build the sections from a flat dictionary of all keys, already converted and checked."""
        sections = {
            name: section(**{field.name: values[field.name] for field in fields(section)})
            for name, section in SECTIONS.items()
        }
        return cls(**sections)

    def flat(self) -> dict[str, Any]:
        """{key: value} over all sections, in the order of the schema."""
        return {
            field.name: getattr(section, field.name)
            for section in (getattr(self, name) for name in SECTIONS)
            for field in fields(section)
        }

    def with_values(self, **values: Any) -> Config:
        """A copy with some keys replaced (flat names)."""
        unknown = set(values) - set(KEY_TYPES)
        assert not unknown, f"no such configuration key: {unknown}"
        return Config.from_flat({**self.flat(), **values})


SECTIONS: dict[str, type] = get_type_hints(Config)
KEY_TYPES: dict[str, Any] = {
    key: hint for section in SECTIONS.values() for key, hint in get_type_hints(section, include_extras=True).items()
}


def keys_marked(mark: Mark) -> frozenset[str]:
    """The keys with this mark."""
    return frozenset(key for key, hint in KEY_TYPES.items() if mark in marks_of(hint))
