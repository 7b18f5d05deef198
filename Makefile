# make run: all set-up, then the whole graph of params.yaml (RECIPE=... puts another recipe in place
# first). make test: all set-up, then the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DVC_NO_ANALYTICS := 1
export HF_HUB_DISABLE_TELEMETRY := 1
# Compiled modules are written on first import, also where the shell says not to: without them each
# stage compiles all of transformers again (13 s).
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

.PHONY: run test ui lint docs format clean

run: $(VENV)/.run-ready
	$(if $(RECIPE),$(BIN)/prefloop use $(RECIPE))
	$(BIN)/prefloop repro

test: $(VENV)/.test-ready
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The local web app over the build.
ui: $(VENV)/.run-ready
	$(PIP) --no-deps $(shell grep -E '^(starlette|uvicorn)==' requirements-test.lock)
	$(BIN)/prefloop ui

lint: $(VENV)/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/sqlfluff lint --disable-progress-bar curation
	$(MAKE) docs

# The pages of docs/ as a site in .work/docs: strict, and offline.
docs: $(VENV)/.test-ready
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --quiet -b html docs .work/docs

format: $(VENV)/.test-ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'prefloop needs Python 3.11 or newer: make PYTHON=python3.11 ...' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# torch goes in first and with its own needs: a machine's CPU build is then kept by all that follows.
$(VENV)/.run-ready: $(VENV)/bin/python requirements.lock pyproject.toml
	$(PIP) --constraint requirements.lock torch==2.13.0
	$(PIP) --no-deps --requirement requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.test-ready: $(VENV)/.run-ready requirements-test.lock
	$(PIP) --no-deps --requirement requirements-test.lock
	touch $@

clean:
	rm -rf $(VENV) .work .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
