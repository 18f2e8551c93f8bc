# make run    everything on this machine: PostgreSQL, migrations, API, worker      make help   the other words
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# The newest Python that is there and runs: version managers put shims in the path that do not.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$python && break; \
	done)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run demo test lint lock clean

help: ## These words
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

run: $(VENV)/installed ## Start everything; Ctrl-C ends it
	@exec $(BIN)/webcare up

demo: $(VENV)/installed ## A day of webcare in two minutes
	@exec $(BIN)/webcare demo

test: $(VENV)/installed-test ## All tests, on the embedded PostgreSQL
	$(BIN)/pytest --numprocesses logical --dist loadfile

lint: $(VENV)/installed-test ## Style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## Choose versions anew (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock
	uv pip compile --group test --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --upgrade --output-file tests/requirements.lock

clean: ## Remove what was installed and cached; data stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "webcare needs Python 3.11 or newer with venv (on Debian: apt install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes --only-binary :all: --requirement requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-test: tests/requirements.lock $(VENV)/installed
	$(INSTALL) --require-hashes --only-binary :all: --requirement tests/requirements.lock
	@touch $@
