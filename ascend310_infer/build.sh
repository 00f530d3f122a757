#!/usr/bin/env bash
# Builds ascend310_infer/build/infer: bash ascend310_infer/build.sh [CMAKE_OPTION ...]
#   LITE_HOME    MindSpore Lite, unpacked: the Ascend package's runtime folder (or its parent), or the Python wheel's folder
#   OpenVINO_DIR folder of OpenVINOConfig.cmake
# Without them, what scripts/setup_cpp.sh has put into ascend310_infer/third_party is taken.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
lite=${LITE_HOME:-$here/third_party/mindspore_lite}
openvino=${OpenVINO_DIR:-$here/third_party/openvino/cmake}
[[ -d $lite/runtime ]] && lite=$lite/runtime

options=()
if [[ -f $lite/include/api/model.h ]]; then
    library=mindspore-lite
    [[ -f $lite/lib/libmindspore-lite.so ]] || library=mindspore-extendrt_python # the wheel's name of it
    options+=(-DWITH_MINDSPORE=ON -DMINDSPORE_LITE_ROOT="$lite" -DMINDSPORE_LITE_LIBRARY="$library")
elif [[ -n ${LITE_HOME:-} ]]; then
    echo "error: LITE_HOME: $lite/include/api/model.h is missing: give the folder of the unpacked MindSpore Lite" >&2
    exit 2
fi
[[ -f $openvino/OpenVINOConfig.cmake ]] && options+=(-DWITH_OPENVINO=ON -DOpenVINO_DIR="$openvino")
if [[ ${#options[@]} -eq 0 ]]; then
    echo "error: neither MindSpore Lite nor OpenVINO was found: set LITE_HOME, or run scripts/setup_cpp.sh for a CPU trial" >&2
    exit 2
fi
[[ " ${options[*]} " == *WITH_MINDSPORE* ]] || options+=(-DWITH_MINDSPORE=OFF)

build=${BUILD_FOLDER:-$here/build}
cmake -S "$here" -B "$build" "${options[@]}" "$@"
cmake --build "$build" --parallel "${BUILD_JOBS:-2}"
