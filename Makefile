# Each target sets itself up: a virtual environment in .venv, and in it what the target needs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
BOLTS = --no-deps lightning-bolts==0.7.0  # its own requirements exclude every Lightning 2
CONFIG = configs/vaes/vae_digits.yaml
# One torch thread in each of two processes.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q
FAST = not slow and not learning and not ladder
MIN = .venv-min
# Where an older package would show: the command line, data, callbacks, checkpoints, agents, every constructor.
MIN_TESTS = tests/project tests/cli/test_commands.py tests/datamodules tests/callbacks/base tests/callbacks/run \
    tests/callbacks/latents tests/dlmodules/checkpoints tests/dlmodules/estimators tests/dlmodules/rl \
    tests/dlmodules/training tests/dlmodules/vaes tests/systems/test_ladder.py

.PHONY: quickstart test test-fast test-min check-system lint types imports pre-commit hooks docs wheel bench setup \
    clean help

quickstart: $(VENV)/.installed  ## train a VAE on scikit-learn's digits and say where its pictures are
	$(BIN)/python train.py fit --config $(CONFIG)

test: $(VENV)/.test  ## run the tests
	$(PYTEST) $(ARGS)

test-fast: $(VENV)/.test  ## run the tests that take seconds
	$(PYTEST) -m "$(FAST)" $(ARGS)

check-system: $(VENV)/.test  ## run what is asked of one system: make check-system SYSTEM=LSGAN
	@test -n "$(SYSTEM)" || { echo "say which: make check-system SYSTEM=LSGAN" >&2; exit 2; }
	$(PYTEST) --system $(SYSTEM) $(ARGS)

# What needs an optional package is skipped there.
test-min: $(MIN)/.installed  ## run a part of the fast tests on the oldest versions that pyproject.toml allows
	DLMODULES_NO_SKIPS= OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR) $(MIN)/bin/python -m pytest -n 2 --dist worksteal -q \
	    -m "$(FAST)" $(or $(ARGS),$(MIN_TESTS))

lint: $(VENV)/.lint  ## run ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.lint  ## run mypy
	$(BIN)/mypy

imports: $(VENV)/.lint  ## check the import contracts
	$(BIN)/lint-imports

pre-commit: $(VENV)/.lint  ## run the hooks of .pre-commit-config.yaml, lint, types and imports among them, on all files
	MAKEFLAGS= VENV=$(VENV) PRE_COMMIT_HOME=$(VENV)/pre-commit $(BIN)/pre-commit run --all-files

hooks: $(VENV)/.lint  ## let `git commit` run them on what changed
	$(BIN)/pre-commit install

docs: $(VENV)/.docs  ## build the site into site/
	$(BIN)/mkdocs build --strict --quiet

wheel: $(VENV)/.lint  ## build the wheel into dist/
	rm -rf dist && $(BIN)/python -m build --wheel --outdir dist .

bench: $(VENV)/.bench  ## run the benchmarks that are out of date and write BENCHMARKS.md
	$(BIN)/python -m benchmarks.run $(ARGS)
	$(BIN)/python -m benchmarks.report

setup: $(VENV)/.setup  ## install what tests, checks and docs need

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	    || { echo "Python 3.10 or newer is needed; say which with make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(PIP) -e '.[test,docs]'
	$(PIP) $(BOLTS)
	@touch $@

$(VENV)/.lint: $(VENV)/.installed
	$(PIP) -e '.[lint]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(PIP) -e '.[docs]'
	@touch $@

# All of these at once, which is faster than one after the other.
$(VENV)/.setup: $(VENV)/bin/python pyproject.toml
	$(PIP) -e '.[test,lint,docs]'
	$(PIP) $(BOLTS)
	@touch $(addprefix $(VENV)/,.installed .test .lint .docs) $@

$(VENV)/.bench: $(VENV)/.installed
	$(PIP) -e '.[bench]'
	@touch $@

# torch and torchvision are those of $(VENV), behind what is installed here.
$(MIN)/.installed: requirements/min.txt requirements/at_hand.py $(VENV)/.test
	$(BIN)/python -m venv $(MIN)
	$(BIN)/python requirements/at_hand.py $(MIN)/at_hand
	echo $(CURDIR)/$(MIN)/at_hand > $$($(MIN)/bin/python -c 'import site; print(site.getsitepackages()[0])')/at_hand.pth
	$(MIN)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r $< pytest pytest-timeout pytest-xdist
	@touch $@

clean:  ## remove what the targets made
	rm -rf $(VENV) $(MIN) dist site .mypy_cache .ruff_cache .pytest_cache

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | expand --tabs 14
