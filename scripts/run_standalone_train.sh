#!/usr/bin/env bash
# Trains on one device: Ascend, or what DEVICE_TARGET says.
#   usage: bash scripts/run_standalone_train.sh CONFIG_PATH [--key value ...]
#          bash scripts/run_standalone_train.sh DEVICE_ID CONFIG_PATH [--key value ...]
#          bash scripts/run_standalone_train.sh DEVICE_ID DATA_PATH [--key value ...]
#          bash scripts/run_standalone_train.sh DEVICE_ID CONFIG_PATH DATA_PATH [--key value ...]
#          bash scripts/run_standalone_train.sh DATA_PATH [--key value ...]
#   Further settings from the environment: see scripts/run.py.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
exec "$python" "$project/scripts/run.py" run_standalone_train "$@"
