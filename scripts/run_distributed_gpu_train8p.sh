#!/usr/bin/env bash
# Trains DGCNet on eight devices of this machine; the log is train_8p.log in the current folder.
#   usage: bash scripts/run_distributed_gpu_train8p.sh /path/dataset /path/datalist /path/ckpt [--key value ...]
#   DEVICE_TARGET (GPU; CPU for a trial), CONFIG_PATH (another recipe), MASTER_PORT and PYTHON are read from the environment.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/dgcnet.sh"
dgcnet_options "$@"
logged train_8p.log on_devices 8 "$project/train.py" "${options[@]}" --run_distribute 1
