#!/usr/bin/env bash
# Evaluates DGCNet; the scores are eval_dual_seg_r101_832/result/result.txt, the log is eval.log.
#   usage: bash scripts/run_standalone_gpu_eval.sh /path/dataset /path/datalist /path/ckpt [--key value ...]
#   DEVICE_TARGET (GPU; CPU for a trial), CONFIG_PATH (another recipe) and more from the environment: see scripts/run.py.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
exec "$python" "$project/scripts/run.py" run_standalone_gpu_eval "$@"
