# make demo   install into .venv, then the four commands on the sample voices
# make test   install into .venv, then lint, types and tests
# make check  lint and types alone;  make benchmark;  make constraints  renew constraints.txt
# make inputs  renew docs/inputs.md, the table of bad inputs and what each gets

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check install benchmark constraints inputs clean

demo: $(VENV)/installed
	@scripts/demo.sh $(BIN)/audionet

test: $(VENV)/installed-dev check
	$(BIN)/python -m pytest -q

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: $(VENV)/installed-dev
	$(BIN)/python benchmarks/speed.py

install: $(VENV)/installed

inputs: $(VENV)/installed-dev
	AUDIONET_WRITE_INPUTS=1 $(BIN)/python -m pytest -q tests/test_inputs.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# The versions that a new installation gets, for every Python and system; needs uv (pip install uv).
constraints:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.10 --no-header --no-annotate \
		--upgrade --quiet --output-file constraints.txt

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
