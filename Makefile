# make demo   install into .venv, then the four commands on the sample voices, in demo/
# make test   install into .venv, then lint, types and tests
# make check  lint and types alone;  make benchmark;  make constraints  renew constraints.txt
# make lowest  the tests with the oldest versions that are allowed, in build/lowest
# make inputs  renew docs/inputs.md, the table of bad inputs and what each gets
# make fuzz    ten minutes each of mutated files of every kind that is read;  make audit  known vulnerabilities alone
# make crash-test  kill each command at 50 moments of its run (half an hour), or with CRASHES=--at-each-step before each
#             step on the disk
# make docs   the reference of `import audionet`, in build/docs;  make pictures  those in docs/, made anew
# make soak    ten minutes of label in one process: flat memory, no open files, no children
# make coverage    the tests, and which lines and branches they reach;  make mutation  which changes they notice

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
# Compiled on all cores, where pip takes one; some packages bring templates that are no Python yet.
COMPILE = $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib >/dev/null || true

.PHONY: demo test check install benchmark docs pictures constraints lowest inputs fuzz soak audit crash-test coverage mutation clean

demo: $(VENV)/installed
	@scripts/demo.sh $(BIN)/audionet

# As many processes as tests/conftest.py says share in the tests, a file at a time, in its order; four at most, for each
# may take a gigabyte of memory.
TESTS := -m pytest -q --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(VENV)/installed-dev check
	$(BIN)/python $(TESTS)

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive audionet scripts benchmarks
	@scripts/audit.sh $(BIN)/pip-audit

audit: $(VENV)/installed-dev
	@scripts/audit.sh $(BIN)/pip-audit

benchmark: $(VENV)/installed-dev
	$(BIN)/python benchmarks/speed.py

FUZZ_SECONDS ?= 600
FUZZ_SEED ?= $(shell date +%s)

fuzz: $(VENV)/installed-dev
	AUDIONET_FUZZ_SECONDS=$(FUZZ_SECONDS) AUDIONET_FUZZ_SEED=$(FUZZ_SEED) $(BIN)/python -m pytest -s -v tests/test_fuzz.py

CRASHES ?= --kills 50

crash-test: $(VENV)/installed-dev
	$(BIN)/python -m tests.crashes $(CRASHES)

docs: $(VENV)/installed-dev
	$(BIN)/python scripts/make_docs.py

pictures: demo $(VENV)/installed-dev
	$(BIN)/python scripts/make_pictures.py demo/tf_files
	$(BIN)/python scripts/make_screenshot.py demo/tf_files/report.html docs/report.png

SOAK_SECONDS ?= 600

soak: $(VENV)/installed-dev
	AUDIONET_SOAK_SECONDS=$(SOAK_SECONDS) $(BIN)/python -m pytest -s tests/test_soak.py

coverage: $(VENV)/installed-dev
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run $(TESTS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --fail-under=92

mutation: $(VENV)/installed-dev
	$(BIN)/python -m tests.mutation

install: $(VENV)/installed

inputs: $(VENV)/installed-dev
	AUDIONET_WRITE_INPUTS=1 $(BIN)/python -m pytest -q tests/test_inputs.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --editable '.[dev]'
	@$(COMPILE)
	@touch $@

# The versions that a new installation gets, for every Python and system; needs uv (pip install uv).
constraints:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.10 --no-header --no-annotate \
		--upgrade --quiet --output-file constraints.txt

# The tests with the oldest versions that pyproject.toml allows, as far as the tests' own tools do; needs uv.
lowest:
	uv venv --quiet build/lowest
	uv pip install --quiet --python build/lowest --resolution lowest-direct --editable '.[dev]'
	build/lowest/bin/python $(TESTS)

clean:
	rm -rf $(VENV) build demo *.egg-info .mypy_cache .ruff_cache .pytest_cache
