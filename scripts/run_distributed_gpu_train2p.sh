#!/usr/bin/env bash
# Trains DGCNet on two devices of this machine; the log is train_2p.log in the current folder.
#   usage: bash scripts/run_distributed_gpu_train2p.sh /path/dataset /path/datalist /path/ckpt [--key value ...]
#   DEVICE_TARGET (GPU; CPU for a trial), CONFIG_PATH (another recipe) and more from the environment: see scripts/run.py.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
exec "$python" "$project/scripts/run.py" run_distributed_gpu_train2p "$@"
