#!/usr/bin/env bash
# Fetches what a CPU trial of ascend310_infer needs, once, into ascend310_infer/third_party: OpenVINO, MindSpore Lite and,
# where a Python 3.7 is found (on the path, by pyenv, or LITE_PYTHON37), the Python of its converter.
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

# python37 : prints a Python 3.7 that can create a virtual environment, nothing if there is none.
python37() {
    local candidate
    for candidate in ${LITE_PYTHON37:-} python3.7 "$HOME"/.pyenv/versions/3.7.*/bin/python; do
        "$candidate" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 7))' 2>/dev/null || continue
        echo "$candidate"
        return
    done
}

# converter : a Python that imports the unpacked mindspore_lite, for scripts/onnx_to_lite.py --lite_python.
converter() {
    local target=$cache/python37 found
    "$target/bin/python" -c 'import mindspore_lite' 2>/dev/null && return
    found=$(python37)
    if [[ -z $found ]]; then
        echo "No Python 3.7 was found: MindSpore Lite runs converted models, but none is converted (LITE_PYTHON37 names one)"
        return
    fi
    echo "Setting up the converter with $found (once) ..."
    "$found" -m venv --clear "$target"
    "$target/bin/python" -m pip install --disable-pip-version-check -q 'numpy<1.22'
    echo "$cache" >"$target/lib/python3.7/site-packages/mindspore_lite.pth"
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
converter
