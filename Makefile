# Plain `make` lists what there is. Another interpreter: make test PYTHON=python3.12
# Arguments: make test ARGS="-k token", make demo ARGS="--port 5001"

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

RUN := $(VENV)/bin/python -m

# One environment, and a stamp for each thing done to it, with the interpreter in its name: asking for another
# interpreter makes the environment again.
STAMP         := $(VENV)/.stamp-$(notdir $(PYTHON))
ENVIRONMENT   := $(STAMP)-environment
DEMO_PACKAGES := $(STAMP)-demo
ALL_PACKAGES  := $(STAMP)-all

# Making .venv without pip saves seconds: the interpreter's own pip (22.3 or newer) can install into it.
OUTER_PIP := $(PYTHON) -m pip --python $(VENV)/bin/python
INSTALL   := install --quiet --disable-pip-version-check --constraint constraints.txt --editable

# Each file on one process, in the order of their names: the many small files of tests/unit come last, so that both
# processes end at the same time. By default xdist leaves the files with few tests, often the slowest, to the end.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder

# Compiled modules are kept, whatever the machine is set to: each process that compiles them again takes seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo check-demo test test-long coverage check format docs bench clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

$(ENVIRONMENT):
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	    echo "$(PYTHON) cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; \
	    exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv --clear --without-pip $(VENV)
	@touch $@

$(DEMO_PACKAGES): $(ENVIRONMENT) pyproject.toml constraints.txt
	@echo "Installing what the app needs: about 10 seconds, once"
	@if $(PYTHON) -c 'import pip; assert pip.__version__ >= "22.3"' 2>/dev/null; \
	    then $(OUTER_PIP) $(INSTALL) .; \
	    else $(RUN) ensurepip >/dev/null && $(RUN) pip $(INSTALL) .; fi
	@touch $@

$(ALL_PACKAGES): $(ENVIRONMENT) pyproject.toml constraints.txt
	@echo "Installing the package and all tools: about a minute, once"
	@$(RUN) ensurepip --default-pip >/dev/null
	@$(RUN) pip $(INSTALL) '.[dev]'
	@touch $(DEMO_PACKAGES) $@

setup: $(ALL_PACKAGES) ## Make .venv and install the package and all tools (nothing to do when done)

demo: $(DEMO_PACKAGES) ## Run the example app at http://127.0.0.1:5000, and a small Activepieces at :8080
	@echo "Starting the app and a small Activepieces, and linking the two"
	@$(RUN) example_app --demo $(ARGS)

check-demo: $(DEMO_PACKAGES) ## Run what the demo shows unattended, and report each step
	@$(RUN) example_app --check $(ARGS)

test: setup ## Run the tests, on two processes
	$(RUN) pytest -q $(PARALLEL) $(ARGS)

test-long: setup ## Run the tests that take minutes
	$(RUN) pytest -q -m long $(ARGS)

coverage: setup ## Run the tests and show the lines and branches that none of them reaches
	$(RUN) pytest -q $(PARALLEL) --cov $(ARGS)

check: setup ## Check format, lint, types and documentation
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	@$(MAKE) --no-print-directory docs

format: setup ## Format the code and mend what lint can mend
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

docs: setup ## Build the documentation into docs/_build/html; a warning is an error
	$(RUN) sphinx -E -W --keep-going -q docs docs/_build/html

bench: setup ## Measure
	$(RUN) benchmarks

clean: ## Remove what the other targets leave behind, except the environment
	rm -rf build dist *.egg-info docs/_build htmlcov .coverage .coverage.*
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
