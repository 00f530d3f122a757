#!/usr/bin/env bash
# Evaluates on one device: Ascend, or what DEVICE_TARGET says.
#   usage: bash scripts/run_eval.sh CONFIG_PATH [--key value ...]
#          bash scripts/run_eval.sh CONFIG_PATH CHECKPOINT_PATH [--key value ...]
#          bash scripts/run_eval.sh DEVICE_ID CONFIG_PATH CHECKPOINT_PATH [--key value ...]
#          bash scripts/run_eval.sh DEVICE_ID CHECKPOINT_PATH PLATFORM [--key value ...]
#          bash scripts/run_eval.sh DEVICE_ID DATA_PATH CHECKPOINT_PATH [--key value ...]
#          bash scripts/run_eval.sh DEVICE_ID DATA_PATH CHECKPOINT_PATH PLATFORM [--key value ...]
#   Further settings from the environment: see scripts/run.py.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
exec "$python" "$project/scripts/run.py" run_eval "$@"
