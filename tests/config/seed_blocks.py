"""The parameter blocks of the five seed documents, key by key, and what they stand for here."""

from __future__ import annotations

DGMN2 = """
enable_modelarts: 1
data_url: ""
train_url: ""
checkpoint_url: ""
output_path: "/cache/train"
data_path: "/cache/datasets/imagenet"
load_path: "/cache/model/dgmn2_tiny.ckpt"
dataset_path: '/cache/datasets/imagenet/train'
train_image_size: 224
interpolation: 'BILINEAR'
crop_min: 0.05
batch_size: 64
train_num_workers: 14
eval_path: '/cache/datasets/imagenet/val'
eval_image_size: 224
eval_batch_size: 64
eval_interval: 1
eval_offset: -1
eval_num_workers: 12
backbone: 'dgmn2_tiny'
class_num: 1000
dgmn2_config_path: 'src.dgmn2.DGMN2Config'
pretrained: ''
lr_decay_mode: 'cosine'
lr_init: 0.0
lr_max: 0.0006
lr_min: 1e-5
max_epoch: 300
warmup_epochs: 5
opt: 'adamw'
beta1: 0.9
beta2: 0.999
weight_decay: 0.05
no_weight_decay_filter: "beta,bias"
gc_flag: 0
loss_scale: 1024
use_label_smooth: 1
label_smooth_factor: 0.1
mixup: 0.2
autoaugment: 1
loss_name: "ce_smooth_mixup"
save_checkpoint: 1
save_checkpoint_epochs: 8
keep_checkpoint_max: 3
save_checkpoint_path: './outputs'
open_profiler: 0
context_mode: 0
device_target: "Ascend"
amp_level: "O3"
run_distribute: 1
"""

DGMN2_MEANING = {
    "enable_modelarts": True,
    "data_url": "",
    "train_url": "",
    "checkpoint_url": "",
    "output_path": "/cache/train",
    "data_path": "/cache/datasets/imagenet",
    "load_path": "/cache/model/dgmn2_tiny.ckpt",
    "dataset_path": "/cache/datasets/imagenet/train",
    "train_image_size": 224,
    "interpolation": "bilinear",
    "crop_min": 0.05,
    "batch_size": 64,
    "train_num_workers": 14,
    "eval_path": "/cache/datasets/imagenet/val",
    "eval_image_size": 224,
    "eval_batch_size": 64,
    "eval_interval": 1,
    "eval_offset": -1,
    "eval_num_workers": 12,
    "backbone": "dgmn2_tiny",
    "class_num": 1000,
    "pretrained": "",
    "lr_decay_mode": "cosine",
    "lr_init": 0.0,
    "lr_max": 0.0006,
    "lr_min": 0.00001,
    "max_epoch": 300,
    "warmup_epochs": 5.0,
    "opt": "adamw",
    "beta1": 0.9,
    "beta2": 0.999,
    "weight_decay": 0.05,
    "no_weight_decay_filter": "beta,bias",
    "gc_flag": False,
    "loss_scale": 1024.0,
    "use_label_smooth": True,
    "label_smooth_factor": 0.1,
    "mixup": 0.2,
    "autoaugment": "autoaugment",
    "loss_name": "ce_smooth_mixup",
    "save_checkpoint": True,
    "save_checkpoint_epochs": 8,
    "keep_checkpoint_max": 3,
    "save_checkpoint_path": "./outputs",
    "open_profiler": False,
    "context_mode": 0,
    "device_target": "Ascend",
    "amp_level": "O3",
    "run_distribute": True,
}

# The HLG seed's block differs from DGMN2's in these lines.
HLG = (
    DGMN2.replace('load_path: "/cache/model/dgmn2_tiny.ckpt"\n', "")
    .replace("\nbatch_size: 64", "\nbatch_size: 128")
    .replace("eval_batch_size: 64", "eval_batch_size: 128")
    .replace("backbone: 'dgmn2_tiny'", "backbone: 'hlg_mobile'")
    .replace("class_num: 1000", "class_num: 1001")
    .replace("dgmn2_config_path: 'src.dgmn2.DGMN2Config'", "hlg_config_path: 'src.hlg.HLGConfig'")
    .replace("lr_max: 0.0006", "lr_max: 0.001")
    .replace("lr_min: 1e-5", "lr_min: 0.00005")
    .replace("warmup_epochs: 5", "warmup_epochs: 20")
    .replace("save_checkpoint_path: './outputs'", "save_checkpoint_path: '/cache/train'")
)

HLG_MEANING = {
    **{key: value for key, value in DGMN2_MEANING.items() if key != "load_path"},
    "batch_size": 128,
    "eval_batch_size": 128,
    "backbone": "hlg_mobile",
    "class_num": 1001,
    "lr_max": 0.001,
    "lr_min": 0.00005,
    "warmup_epochs": 20.0,
    "save_checkpoint_path": "/cache/train",
}

VIG = """
arch: vig_s_patch16_224
data_url: ./data/imagenet
set: ImageNet
num_classes: 1000
mix_up: 0.8
cutmix: 1.0
auto_augment: rand-m9-mstd0.5-inc1
interpolation: bicubic
re_prob: 0.25
re_mode: pixel
re_count: 1
mixup_prob: 1.
switch_prob: 0.5
mixup_mode: batch
optimizer: adamw
base_lr: 0.0005
warmup_lr: 0.00000007
min_lr: 0.000006
lr_scheduler: cosine_lr
warmup_length: 20
image_size: 224
amp_level: O2
beta: [ 0.9, 0.999 ]
clip_global_norm_value: 5.
is_dynamic_loss_scale: True
epochs: 300
label_smoothing: 0.1
weight_decay: 0.05
momentum: 0.9
batch_size: 128
num_parallel_workers: 16
device_target: Ascend
"""

VIG_MEANING = {
    "backbone": "vig_s_patch16_224",
    "dataset_path": "./data/imagenet",
    "dataset": "image_folder",
    "class_num": 1000,
    "mixup": 0.8,
    "cutmix": 1.0,
    "autoaugment": "rand-m9-mstd0.5-inc1",
    "interpolation": "bicubic",
    "re_prob": 0.25,
    "re_mode": "pixel",
    "re_count": 1,
    "mixup_prob": 1.0,
    "switch_prob": 0.5,
    "mixup_mode": "batch",
    "opt": "adamweightdecay",
    "lr_max": 0.0005,
    "lr_init": 0.00000007,
    "lr_min": 0.000006,
    "lr_decay_mode": "cosine",
    "warmup_epochs": 20.0,
    "train_image_size": 224,
    "eval_image_size": 224,
    "amp_level": "O2",
    "beta1": 0.9,
    "beta2": 0.999,
    "clip_global_norm": 5.0,
    "is_dynamic_loss_scale": True,
    "max_epoch": 300,
    "label_smooth_factor": 0.1,
    "weight_decay": 0.05,
    "momentum": 0.9,
    "batch_size": 128,
    "train_num_workers": 16,
    "eval_num_workers": 16,
    "device_target": "Ascend",
}

RESNEXT152 = """
image_size: '224,224'
num_classes: 1000
per_batch_size: 128
lr: 0.05
lr_scheduler: 'cosine_annealing'
lr_epochs: '30,60,90,120'
lr_gamma: 0.1
eta_min: 0
T_max: 150
max_epoch: 150
backbone: 'resnext152'
warmup_epochs: 1
weight_decay: 0.0001
momentum: 0.9
is_dynamic_loss_scale: 0
loss_scale: 1024
label_smooth: 1
label_smooth_factor: 0.1
ckpt_interval: 2000
ckpt_path: 'outputs/'
is_save_on_master: 1
rank: 0
group_size: 1
"""

RESNEXT152_MEANING = {
    "train_image_size": 224,
    "eval_image_size": 224,
    "class_num": 1000,
    "batch_size": 128,
    "lr_max": 0.05,
    "lr_decay_mode": "cosine_annealing",
    "lr_epochs": [30.0, 60.0, 90.0, 120.0],
    "lr_gamma": 0.1,
    "lr_min": 0.0,
    "T_max": 150,
    "max_epoch": 150,
    "backbone": "resnext152",
    "warmup_epochs": 1.0,
    "weight_decay": 0.0001,
    "momentum": 0.9,
    "is_dynamic_loss_scale": False,
    "loss_scale": 1024.0,
    "use_label_smooth": True,
    "label_smooth_factor": 0.1,
    "save_checkpoint_steps": 2000,
    "save_checkpoint_path": "outputs/",
}

# The seed's training and evaluation options; its network is fixed.
DGCNET = """
backbone: dgcnet_res101
dataset: cityscapes
data_dir: "PATH/TO/Cityscapes"
data_list: "PATH/TO/FileList"
restore_from: "PATH/TO/CKPT"
input_size: 832
batch_size: 1
rgb: 1
learning_rate: 0.01
num_steps: 60000
save_dir: "./dgc_832"
run_distribute: 1
ohem_thres: 0.7
ohem_keep: 100000
output_dir: "./eval_dual_seg_r101_832"
"""

DGCNET_MEANING = {
    "backbone": "dgcnet_res101",
    "dataset": "cityscapes",
    "dataset_path": "PATH/TO/Cityscapes",
    "data_list": "PATH/TO/FileList",
    "pretrained": "PATH/TO/CKPT",
    "train_image_size": 832,
    "batch_size": 1,
    "rgb": True,
    "lr_max": 0.01,
    "num_steps": 60000,
    "save_checkpoint_path": "./dgc_832",
    "run_distribute": True,
    "ohem_thres": 0.7,
    "ohem_keep": 100000,
    "output": "./eval_dual_seg_r101_832",
}

BLOCKS = {
    "dgmn2": (DGMN2, DGMN2_MEANING),
    "hlg": (HLG, HLG_MEANING),
    "vig": (VIG, VIG_MEANING),
    "resnext152": (RESNEXT152, RESNEXT152_MEANING),
    "dgcnet": (DGCNET, DGCNET_MEANING),
}
