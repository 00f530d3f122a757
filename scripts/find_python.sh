#!/usr/bin/env bash
# Prints the first Python that MindSpore supports (3.10, 3.11, 3.12) and that can create a virtual environment.
for candidate in python3 python3.11 python3.12 python3.10 python; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
        command -v "$candidate"
        exit 0
    fi
done
