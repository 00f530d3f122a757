# Sourced by the run_*.sh: the project's folder and its Python.
# shellcheck shell=bash disable=SC2034  # both are used by what sources this file

project=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python}
if [[ -z ${PYTHON:-} && -x $project/.venv/bin/python ]]; then
    python=$project/.venv/bin/python
fi

# usage_unless CONDITION... : print the script's own usage (its lines that begin with "#   ") and end.
usage_unless() {
    "$@" && return
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}
