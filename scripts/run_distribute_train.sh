#!/usr/bin/env bash
# Trains on the devices of a rank table that are this server's: Ascend, or what DEVICE_TARGET says.
#   usage: bash scripts/run_distribute_train.sh RANK_TABLE_FILE CONFIG_PATH [--key value ...]
#          bash scripts/run_distribute_train.sh RANK_TABLE_FILE DATA_PATH [--key value ...]
#          bash scripts/run_distribute_train.sh RANK_TABLE_FILE CONFIG_PATH DATA_PATH [--key value ...]
#   Further settings from the environment: see scripts/run.py.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
exec "$python" "$project/scripts/run.py" run_distribute_train "$@"
