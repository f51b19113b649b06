# Two commands for a stranger: `make demo` and `make test`. Each sets up what it needs in .venv, with pinned versions.
# Another Python: make test PYTHON=python3.12. Another place for the environment: make test VENV=/tmp/venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
JOBS ?= 2
DEMO ?= out/demo
SAMPLE ?= t12-wedge

# Fewer passed tests than this means that most were skipped: not a success, whatever pytest says.
MIN_PASSED ?= 1000

# One thread for each worker; more only gets in the way of the others.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS ?= 1
export QT_QPA_PLATFORM ?= offscreen

.PHONY: help demo test lint pytest benchmark validation pictures clean

help:
	@echo "make demo        plan a sample case and say where the report is"
	@echo "make test        lint, type check and tests"
	@echo "make lint        ruff and mypy alone"
	@echo "make benchmark   measure the speed, write docs/benchmarks.md"
	@echo "make validation  measure the accuracy, write docs/validation.md"
	@echo "make clean       remove the environment and what was made"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$(PYTHON) is older than Python 3.10; name another one, such as: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The build backend comes first, pinned too, so that nothing unpinned is fetched for building.
$(VENV)/.engine: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --no-compile -c constraints.txt hatchling editables
	$(PIP) install --quiet --no-compile -c constraints.txt --no-build-isolation -e .
	@touch $@

$(VENV)/.tools: pyproject.toml constraints.txt $(VENV)/.engine
	$(PIP) install --quiet --no-compile -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

demo: $(VENV)/.engine
	@mkdir -p $(DEMO)
	$(BIN)/vap sample $(SAMPLE) -o $(DEMO)/case
	$(BIN)/vap plan $(DEMO)/case/ct.nii.gz --segmentation $(DEMO)/case/labels.nii.gz -o $(DEMO)/plan
	@echo
	@echo "The report: $(abspath $(DEMO)/plan/report.html)"

test: lint pytest

lint: $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

pytest: $(VENV)/.tools
	$(BIN)/pytest Testing -n $(JOBS) --dist worksteal -rs --min-passed=$(MIN_PASSED)

benchmark: $(VENV)/.tools
	$(BIN)/python Testing/benchmarks/table.py

validation: $(VENV)/.tools
	$(BIN)/python Testing/validation/run.py

pictures: $(VENV)/.tools
	$(BIN)/python docs/images/make_pictures.py

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
