#!/usr/bin/env bash
# Converts a PyTorch weights file for DGCNet into a checkpoint: FOLDER/<name of the file>.ckpt.
set -euo pipefail
if [[ $# -ne 2 ]]; then
    echo "usage: bash scripts/run_pth2ckpt.sh /path/weights.pth /path/containing/ckpt" >&2
    echo "BACKBONE (dgcnet_res101), CLASS_NUM (19) and PYTHON are read from the environment." >&2
    exit 2
fi
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
exec "$python" "$project/convert.py" --backbone "${BACKBONE:-dgcnet_res101}" --class_num "${CLASS_NUM:-19}" \
    --input "$1" --output "$2/"
