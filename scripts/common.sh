# Sourced by the run_*.sh: the project's folder, its Python, and commands whose output is also kept in a file.
# shellcheck shell=bash

project=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python}
[[ -z ${PYTHON:-} && -x $project/.venv/bin/python ]] && python=$project/.venv/bin/python

# usage_unless CONDITION... : print the script's own usage (its lines that begin with "#   ") and end.
usage_unless() {
    "$@" && return
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}

# logged FILE COMMAND... : the command's exit code; what it prints is shown and written to FILE in the caller's folder.
logged() {
    local file=$1
    shift
    "$@" 2>&1 | tee -- "$file"
}

# on_devices NUMBER ARGUMENTS... : a program of the project in NUMBER processes, rank 0's output shown.
on_devices() {
    local number=$1
    shift
    # msrun starts the `python` that it finds on PATH, and takes an address for the processes to meet at.
    PATH=$(dirname -- "$(command -v -- "$python")"):$PATH msrun --worker_num="$number" --local_worker_num="$number" \
        --master_port="${MASTER_PORT:-8118}" --join=True --tail_worker_log=0 --log_dir="msrun_logs_${number}p" "$@"
}
