#!/usr/bin/env bash
# Trains on the visible devices (NUM_DEVICES, else 8): GPU, or what DEVICE_TARGET says.
#   usage: bash scripts/run_distribute_train_gpu.sh CONFIG_PATH [--key value ...]
#          bash scripts/run_distribute_train_gpu.sh DATA_PATH [--key value ...]
#          bash scripts/run_distribute_train_gpu.sh CONFIG_PATH DATA_PATH [--key value ...]
#   Further settings from the environment: see scripts/run.py.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
exec "$python" "$project/scripts/run.py" run_distribute_train_gpu "$@"
