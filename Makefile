# Two commands: `make book` and `make test`. They need python >= 3.11, make and git; `make help` lists the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
JOBS ?= 2
PRESET ?= book
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# one export a line: make would take `export A=1 B=2` as a single variable
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export PYTHONUNBUFFERED = 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book test figures run sweep check bench lock clean

help: ## list what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python >= 3.11 is needed; name one: make PYTHON=...")'
	@echo "making $(VENV) from requirements.lock with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --no-compile -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # on all cores; pip would use one
	@touch $@

$(BENCH_READY): $(READY) requirements-bench.lock
	@$(PIP) -r requirements.lock -r requirements-bench.lock
	@touch $@

book: $(READY) ## train, measure, run the notebooks, write the pages; prints the path of the first (PRESET=book)
	@$(BIN)/symlab book --preset $(PRESET) --workers $(JOBS)

test: $(READY) ## all tests, with every notebook and the book made from small runs
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

figures: $(READY) ## every figure of the book, as files below build/figures (PRESET=book)
	@$(BIN)/symlab figures --preset $(PRESET) --workers $(JOBS)

run: $(READY) ## one notebook with your parameters: make run NB=09_pet_diagnostics PARAMS="n_structures=20 seed=1"
	@$(BIN)/symlab run $(or $(NB),$(error name a notebook: make run NB=09_pet_diagnostics PARAMS="n_structures=20")) \
		$(foreach pair,$(PARAMS),-p '$(pair)')

sweep: $(READY) ## a run for each point of a grid: make sweep NB=09_pet_diagnostics GRID="n_structures=20,50" SEEDS=3
	@$(BIN)/symlab sweep $(or $(NB),$(error name a notebook: make sweep NB=09_pet_diagnostics GRID="n_structures=20,50")) \
		$(foreach axis,$(GRID),--grid '$(axis)') $(if $(SEEDS),--seeds $(SEEDS)) --preset $(PRESET) \
		$(if $(SCHEDULER),--scheduler $(SCHEDULER),--workers $(JOBS))

check: $(READY) ## lint, format, types, sources of notebooks, links, facts stated twice
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check --diff
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m pytest --quiet tests/test_environment.py tests/test_repository.py

bench: $(BENCH_READY) ## speed beside the alternatives: forward passes alone, metatomic, mtt train; memory
	@set -e; for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python $$script; done

lock: $(READY) ## solve pyproject.toml again: requirements.lock, requirements-bench.lock, environment.yml
	@$(PIP) pip-tools
	@$(BIN)/python tests/environment.py

clean: ## remove the pages and the environment; runs/ and artifacts/ hold results and are kept
	rm -rf build $(VENV) .mypy_cache .pytest_cache .ruff_cache
	find src tests notebooks book benchmarks -name __pycache__ -prune -exec rm -rf {} +
