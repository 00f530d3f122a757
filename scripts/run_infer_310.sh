#!/usr/bin/env bash
# Runs an exported model on Ascend 310 by the C++ program and scores it: acc.log, result_Files/ and time_Result/.
#   usage: bash scripts/run_infer_310.sh MINDIR_PATH DATA_PATH [DEVICE_ID]
#   MINDIR_PATH: a .mindir, or with DEVICE_TARGET=CPU also an .onnx, of export.py, with its .json beside it
#   DATA_PATH: one folder per class (or the parent of such a val/), or Cityscapes with leftImg8bit/ and gtFine/
#   DEVICE_TARGET (Ascend; CPU for a trial), BATCH_SIZE, THREADS and what build.sh takes are read from the environment.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
usage_unless test $# -ge 2 -a $# -le 3
model=$1 data=$2
program=${BUILD_FOLDER:-$project/ascend310_infer/build}/infer

if [[ -d $data/leftImg8bit ]]; then
    truth=$data
    data=$data/leftImg8bit/val
else
    [[ -d $data/val ]] && data=$data/val
    temporary=$(mktemp -d)
    trap 'rm -rf "$temporary"' EXIT
    truth=$temporary/imagenet_label.json
    "$python" "$project/scripts/create_imagenet2012_label.py" "$data" "$model.json" "$truth" >/dev/null
fi

bash "$project/ascend310_infer/build.sh" >build.log 2>&1 || {
    code=$?
    tail -n 5 build.log >&2
    exit "$code"
}
options=(--mindir_path "$model" --dataset_path "$data" --device_target "${DEVICE_TARGET:-Ascend}" --device_id "${3:-0}")
[[ -n ${BATCH_SIZE:-} ]] && options+=(--batch_size "$BATCH_SIZE")
"$program" "${options[@]}" --threads "${THREADS:-1}" 2>&1 | tee -i infer.log
"$python" "$project/scripts/postprocess.py" result_Files "$truth" "$model.json" 2>&1 | tee -i acc.log
