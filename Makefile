.DEFAULT_GOAL := help
SHELL := bash

PYTHON ?= python3
VENV := .venv
DEV := .venv-dev
PIP_FLAGS := --quiet --disable-pip-version-check --constraint constraints.txt

# Any text may be in them: they travel in the environment, where neither make nor a shell reads them again.
export DEMO_DATA := $(value DATA)
export DEMO_IMPRESSION := $(value IMPRESSION)
unexport DATA IMPRESSION

.PHONY: help install demo run check format test coverage test-quick bench clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Install what serving needs into .venv (no torch)

demo: $(VENV)/.installed ## Make a gallery, start the system, send one impression, print the answer, stop. DATA=DIR: your own images
	@$(VENV)/bin/python -m gateway.demo

run: $(VENV)/.installed ## The same, and stay up
	@$(VENV)/bin/python -m gateway.demo --stay

check: $(DEV)/.installed ## Lint, format, types, import contracts; changes nothing
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports

format: $(DEV)/.installed ## Format and mend what can be mended by machine
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .

# What starts the whole system, or measures how soon something is done, has the machine to itself.
test: $(DEV)/.installed ## The whole test suite
	$(DEV)/bin/pytest --numprocesses 2 --dist loadfile -m "not (benchmark or e2e or alone)"
	$(DEV)/bin/pytest -m "e2e or alone"

coverage: $(DEV)/.installed ## The same in one process, and how much of the code it runs
	$(DEV)/bin/pytest --cov --cov-report=
	@echo "Lines that the tests run in their own process: $$($(DEV)/bin/coverage report --format=total) %"

test-quick: $(DEV)/.installed ## The quick unit tests, in less than a minute
	$(DEV)/bin/pytest -m "not (benchmark or e2e or real_data or slow)"

bench: $(DEV)/.installed ## Speed, as ratios measured side by side
	$(DEV)/bin/python -m pytest tests/benchmarks -m benchmark -s
	$(DEV)/bin/python tests/benchmarks/serving.py
	$(DEV)/bin/python tests/benchmarks/overload.py
	$(DEV)/bin/python tests/benchmarks/bad_bodies.py

clean: ## Remove environments and demo data
	rm -rf $(VENV) $(DEV) .demo

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install $(PIP_FLAGS) --editable '.[serve]'
	@touch $@

# torch comes first and alone: it is the one large download, and the rest must not choose its version.
$(DEV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/pip install $(PIP_FLAGS) --upgrade pip
	$(DEV)/bin/pip install $(PIP_FLAGS) torch torchvision
	$(DEV)/bin/pip install $(PIP_FLAGS) --group dev --editable '.[serve,train,ocr,timm,xrv,ray,traces]'
	@touch $@
