#!/usr/bin/env bash
# Fetches what a CPU trial of ascend310_infer needs, once, into ascend310_infer/third_party: OpenVINO and MindSpore Lite.
#   usage: bash scripts/setup_cpp.sh
# Compiler and OpenCV come from the system's packages; they are installed only if they are missing and you are root.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
usage_unless test $# -eq 0
cache=$project/ascend310_infer/third_party
packages=(cmake g++ libopencv-dev nlohmann-json3-dev libssl-dev)

# wheel FOLDER REQUIREMENT [PIP_OPTION ...] : unpacks the wheel's folder FOLDER into the cache.
wheel() {
    [[ -d $cache/$1 ]] && return
    local partial
    partial=$(mktemp -d -p "$cache" .partial-XXXXXX)
    echo "Fetching $2 (once) ..."
    "$python" -m pip download --disable-pip-version-check -q --no-deps --only-binary=:all: "${@:3}" -d "$partial" "$2"
    "$python" -m zipfile -e "$partial"/*.whl "$partial/unpacked"
    mv "$partial/unpacked/$1" "$cache/$1"
    rm -rf "$partial"
}

if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
    if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
        apt-get install -y --no-install-recommends "${packages[@]}"
    else
        echo "error: packages are missing: sudo apt-get install --no-install-recommends ${packages[*]}" >&2
        exit 2
    fi
fi
mkdir -p "$cache"
wheel openvino 'openvino>=2024,<2027'
# The only release whose wheel holds the C++ headers and libraries that run on a CPU; it is for Python 3.7 alone.
wheel mindspore_lite 'mindspore-lite==2.0.0' --python-version 3.7
