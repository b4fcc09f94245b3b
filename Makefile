# One command each; `make check` is what CI runs. Every target sets up what it needs by itself.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: install demo run test check format lint types contracts cover rest soak lock clean

install: $(READY)

# The lock has hashes and no addresses; the project itself is built with the locked setuptools.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "progrev needs Python 3.11 or newer; name one: make install PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	$(BIN)/python -m bot demo

run: $(READY)
	$(BIN)/python -m bot run --config config.toml

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadgroup

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

# The rules, the database and the GREEN-API client are covered, branches too. Everything else runs
# without: the scenarios start the daemon as a process, which coverage does not see.
GATED := tests/bot/domain tests/storage tests/greenapi

cover: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(GATED) --cov=bot/domain --cov=storage \
		--cov=greenapi --cov-branch --cov-report=term:skip-covered --cov-fail-under=95

rest: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(addprefix --ignore=,$(GATED))

# Hours of trouble in minutes: random kills, seven days of faults, floods of forms. Not in `check`.
soak: $(READY)
	$(BIN)/python -m pytest -m soak -s --timeout=3600

check: lint types contracts cover rest

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .coverage*

# Writes the lock anew: versions and hashes, no index address.
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --upgrade -o requirements.lock
