# Each target sets itself up: a virtual environment in .venv, and in it what the target needs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
CONFIG = configs/vaes/vae_digits.yaml

.PHONY: quickstart test lint types imports docs wheel bench ci clean

quickstart: $(VENV)/.installed  ## train a VAE on scikit-learn's digits and say where its pictures are
	$(BIN)/python train.py fit --config $(CONFIG)

test: $(VENV)/.test  ## run the tests, one torch thread in each of two processes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q $(ARGS)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.lint
	$(BIN)/mypy

imports: $(VENV)/.lint
	$(BIN)/lint-imports

docs: $(VENV)/.docs  ## build the site into site/
	$(BIN)/mkdocs build --strict --quiet

wheel: $(VENV)/.lint  ## build the wheel into dist/
	rm -rf dist && $(BIN)/python -m build --wheel --outdir dist .

bench: $(VENV)/.bench  ## run the benchmarks that are out of date and write BENCHMARKS.md
	$(BIN)/python -m benchmarks.run $(ARGS)
	$(BIN)/python -m benchmarks.report

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	    || { echo "Python 3.10 or newer is needed; say which with make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(PIP) -e '.[test,docs]'
	$(PIP) --no-deps lightning-bolts==0.7.0  # its own requirements exclude every Lightning 2
	@touch $@

$(VENV)/.lint: $(VENV)/.installed
	$(PIP) -e '.[lint]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(PIP) -e '.[docs]'
	@touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(PIP) -e '.[bench]'
	@touch $@

clean:
	rm -rf $(VENV) dist site .mypy_cache .ruff_cache .pytest_cache
