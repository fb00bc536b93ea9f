# Plain `make` lists what there is. Another interpreter: make test PYTHON=python3.12
# Arguments: make test ARGS="-k token", make demo ARGS="--port 5001"

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

RUN       := $(VENV)/bin/python -m
# One stamp an interpreter: asking for another one makes the environment anew.
INSTALLED := $(VENV)/.installed-$(notdir $(PYTHON))

# Compiled modules are kept, whatever the machine is set to: each process that compiles them anew takes seconds over it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long coverage check format docs bench clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: $(INSTALLED) ## Make .venv and install the package and all tools (nothing to do when done)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	    echo "$(PYTHON) cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; \
	    exit 1; }
	test -e $@ || $(PYTHON) -m venv --clear $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup ## Run the example app at http://127.0.0.1:5000, and a small Activepieces at :8080
	@$(RUN) example_app --demo $(ARGS)

test: setup ## Run the tests, on two processes
	$(RUN) pytest -q -n 2 --dist loadfile $(ARGS)

test-long: setup ## Run the tests that take minutes
	$(RUN) pytest -q -m long $(ARGS)

coverage: setup ## Run the tests and show the lines and branches that none of them reaches
	$(RUN) pytest -q -n 2 --dist loadfile --cov $(ARGS)

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
