# Sourced by DGCNet's run_*.sh: DATASET DATALIST CKPT and further options become the programs' options.
# shellcheck shell=bash
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

recipe=${CONFIG_PATH:-$project/config/dgcnet/dgcnet_res101_cityscapes.yml}

# dgcnet_options DATASET DATALIST CKPT [OPTIONS...] : sets `options`.
dgcnet_options() {
    usage_unless test $# -ge 3
    options=(--config_path "$recipe" --device_target "${DEVICE_TARGET:-GPU}")
    options+=(--data_dir "$1" --data_list "$2" --restore_from "$3" "${@:4}")
}
