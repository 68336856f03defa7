# `make demo` and `make test` need nothing but Python 3.11 and, on a bare Debian machine, root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHOP := docs/tutorial/shop

.PHONY: demo test check units venv testbed docs clean

$(VENV)/.ready: pyproject.toml devenv/agent/agent.c devenv/agent/compile.py
	@echo "• virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || (apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv $(VENV))
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

venv: $(VENV)/.ready

testbed:
	@$(PYTHON) -m tests.testbed up

demo: venv testbed
	@eval "$$($(PYTHON) -m tests.testbed env)" && .ci/demo

check: venv
	@.ci/check

units: venv
	@$(BIN)/python -m pytest -m "not cluster" -n auto

test: venv testbed
	@eval "$$($(PYTHON) -m tests.testbed env)" && .ci/check && $(BIN)/python -m pytest -m "not cluster" -n auto && $(BIN)/python -m pytest -m cluster

docs: venv
	@$(BIN)/python -m tests.docs.reference --write

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
