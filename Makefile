# make demo   train, evaluate, export and predict on embedded handwritten digits (CPU, about three minutes)
# make demo-seg   the same for segmentation on drawn street scenes (about twelve minutes)
# make cpp    build the C++ inference and run it on both data sets (downloads about 220 MB once, then a minute)
# make test   run the tests (`make lint` checks the style)
# These targets create .venv when needed, from Python 3.10, 3.11 or 3.12; select one with PYTHON=python3.12.

PYTHON ?= $(shell scripts/find_python.sh)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-seg cpp test test-all lint bench bench-data clean

help:            ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## +/\t/' | expand -t 12

setup: $(READY)  ## create .venv with the pinned requirements

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "error: no Python 3.10, 3.11 or 3.12 found: install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) (once; about 1.5 GB are downloaded and unpacked) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -q --no-deps -r requirements.lock
	@$(BIN)/python scripts/compile_kernels.py
	@touch $@

demo: $(READY)   ## train, evaluate, export and predict on embedded digits
	@$(BIN)/python scripts/demo.py

demo-seg: $(READY) ## the same for segmentation, on drawn street scenes
	@$(BIN)/python scripts/demo_seg.py

cpp: $(READY)    ## build the C++ inference and run it on digits and scenes
	@$(BIN)/python scripts/demo_cpp.py

test: $(READY)   ## run the tests
	@$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-all: $(READY) ## run all tests, including the slow ones
	@$(BIN)/python -m pytest

lint: $(READY)   ## check rules and format with ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

bench: $(READY)  ## time the networks on this machine, and the training of several processes
	@$(BIN)/python benchmarks/models.py
	@$(BIN)/python benchmarks/scaling.py
	@$(BIN)/python benchmarks/scaling.py --gradients resnext152_64x4d

bench-data: $(READY) ## time the data pipeline against the framework's own
	@$(BIN)/python benchmarks/pipeline.py

clean:           ## remove everything the targets above created, including .venv
	rm -rf $(VENV) demo rank_[0-9]* .pytest_cache .ruff_cache ascend310_infer/build ascend310_infer/third_party
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
