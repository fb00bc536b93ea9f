# `make` lists the targets. To use another interpreter: make test PYTHON=python3.12
# To pass arguments: make test ARGS="-k token", make demo ARGS="--port 5001"

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

RUN := $(VENV)/bin/python -m

# Each step of building the environment leaves a stamp file. Its name contains the interpreter, so that another
# interpreter builds the environment again.
STAMP         := $(VENV)/.stamp-$(notdir $(PYTHON))
ENVIRONMENT   := $(STAMP)-environment
DEMO_PACKAGES := $(STAMP)-demo
ALL_PACKAGES  := $(STAMP)-all

# The interpreter's own pip (22.3 or newer) can install into .venv, which saves the seconds to install pip there.
OUTER_PIP := $(PYTHON) -m pip --python $(VENV)/bin/python
INSTALL   := install --quiet --disable-pip-version-check --constraint constraints.txt --editable

# Three processes for two cores, because many tests wait for a timeout or a server. Each process runs whole files, in
# alphabetical order: the many small files of tests/unit run last, so that all processes finish together. By default,
# xdist runs files with few tests last, and they are often the slowest.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder
# Some of the long tests start several servers and workers themselves.
PARALLEL_LONG := -n 2 --dist loadfile --no-loadscope-reorder

# Always keep compiled modules: compiling them again takes seconds in each process.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo check-demo test test-long coverage check format docs messages screenshots bench clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

$(ENVIRONMENT):
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	    echo "$(PYTHON) cannot create a virtual environment. On Debian: apt-get install python3-venv" >&2; \
	    exit 1; }
	@echo "Creating a virtual environment in $(VENV)"
	@$(PYTHON) -m venv --clear --without-pip $(VENV)
	@touch $@

$(DEMO_PACKAGES): $(ENVIRONMENT) pyproject.toml constraints.txt
	@echo "Installing the packages for the demo, which takes about 10 seconds once"
	@if $(PYTHON) -c 'import pip; assert pip.__version__ >= "22.3"' 2>/dev/null; \
	    then $(OUTER_PIP) $(INSTALL) .; \
	    else $(RUN) ensurepip >/dev/null && $(RUN) pip $(INSTALL) .; fi
	@touch $@

$(ALL_PACKAGES): $(ENVIRONMENT) pyproject.toml constraints.txt
	@echo "Installing the package and all tools, which takes about a minute once"
	@$(RUN) ensurepip --default-pip >/dev/null
	@$(RUN) pip $(INSTALL) '.[dev]'
	@touch $(DEMO_PACKAGES) $@

setup: $(ALL_PACKAGES) ## Create .venv and install the package and all tools

demo: $(DEMO_PACKAGES) ## Run the example app at http://127.0.0.1:5000 and a stand-in for Activepieces at :8080
	@echo "Starting the example app and a stand-in for Activepieces"
	@$(RUN) example_app --demo $(ARGS)

check-demo: $(DEMO_PACKAGES) ## Run the demo's scenario unattended, and report each step
	@$(RUN) example_app --check $(ARGS)

test: setup ## Run the tests in three processes
	$(RUN) pytest -q $(PARALLEL) $(ARGS)

test-long: setup ## Run the tests that take minutes, in two processes
	$(RUN) pytest -q -m long $(PARALLEL_LONG) $(ARGS)

coverage: setup ## Run the tests, and show lines and branches without coverage
	$(RUN) pytest -q $(PARALLEL) --cov $(ARGS)

check: setup ## Check formatting, lint, types and documentation
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	@$(MAKE) --no-print-directory docs

format: setup ## Format the code, and fix lint problems where possible
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

docs: setup ## Build the documentation in docs/_build/html; warnings are errors
	$(RUN) sphinx -E -W --keep-going -q docs docs/_build/html

messages: setup ## Update and compile the translations, and list the messages without one
	$(RUN) tests.support.catalogs $(ARGS)

screenshots: setup ## Take the pictures of the documentation again, with Chromium
	$(RUN) docs.screenshots $(ARGS)

bench: setup ## Run the benchmarks
	$(RUN) benchmarks

clean: ## Remove all generated files except .venv
	rm -rf build dist *.egg-info docs/_build htmlcov .coverage .coverage.*
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
