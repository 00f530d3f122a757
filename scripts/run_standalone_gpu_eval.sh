#!/usr/bin/env bash
# Evaluates DGCNet; the scores are eval_dual_seg_r101_832/result/result.txt in the current folder.
#   usage: bash scripts/run_standalone_gpu_eval.sh /path/dataset /path/datalist /path/ckpt [--key value ...]
#   DEVICE_TARGET (GPU; CPU for a trial), CONFIG_PATH (another recipe) and PYTHON are read from the environment.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/dgcnet.sh"
dgcnet_options "$@"
logged eval.log "$python" "$project/eval.py" --output_dir ./eval_dual_seg_r101_832 "${options[@]}"
