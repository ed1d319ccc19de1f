# `make demo` shows the product, `make test` proves it. Both work on a fresh Debian 12 with python3-venv, make and git.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test install install-test test-programs clean

PYTHON ?= python3
ARGS ?=
PYTEST_ARGS ?=
BIN := .venv/bin
APT_INSTALL := apt-get install -y --no-install-recommends
# what the tests start or look at, each with the Debian package that brings it
TEST_PROGRAMS := chromium:chromium prometheus:prometheus promtool:prometheus amtool:prometheus-alertmanager \
	/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:fonts-dejavu-core

help:
	@echo "make demo    install into .venv, then run everything with a simulated fleet (ARGS="--port 9000" for another port)"
	@echo "make test    install what the tests need, then run linters, types, import rules and all tests"
	@echo "make clean   remove .venv and what tools left behind"

demo: install
	@export FLEETLEDGER_LOG_LEVEL=$${FLEETLEDGER_LOG_LEVEL:-WARNING}; exec $(BIN)/python manage.py up --demo $(ARGS)

test: test-programs install-test
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== types"
	@$(BIN)/mypy
	@echo "== import rules"
	@$(BIN)/lint-imports
	@echo "== settings and migrations"
	@state=$$(mktemp -d); trap 'rm -rf "$$state"' EXIT; chmod 711 "$$state"; export FLEETLEDGER_STATE_DIR="$$state/state"; \
	$(BIN)/python manage.py check --deploy --fail-level WARNING; \
	$(BIN)/python manage.py makemigrations --check --dry-run
	@echo "== tests"
	@$(BIN)/pytest $(PYTEST_ARGS)

install:
	@$(call installed,demo,--editable .)

install-test:
	@$(call installed,test,--editable . --group test)
	@cp pyproject.toml .venv/.installed-demo

# The programs that pip cannot bring: installed where that is allowed, named in one line where it is not.
test-programs:
	@missing=""; \
	for need in $(TEST_PROGRAMS); do \
	  what=$${need%%:*}; \
	  test -e "$$what" || command -v "$$what" > /dev/null || missing="$$missing $${need##*:}"; \
	done; \
	missing=$$(printf '%s\n' $$missing | sort -u | xargs); \
	test -n "$$missing" || exit 0; \
	if test "$$(id -u)" != 0; then \
	  echo "The tests need programs that only root can install: $(APT_INSTALL) $$missing" >&2; exit 1; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -q && $(APT_INSTALL) $$missing

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Install into .venv unless this very pyproject.toml is in it; one at a time, however many ask.
# $(1): what for; $(2): what pip installs
define installed
exec 9< pyproject.toml; flock 9; \
if ! cmp -s pyproject.toml .venv/.installed-$(1); then \
  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || { echo "Fleetledger needs Python 3.11 or newer: set PYTHON=/path/to/python3.11." >&2; exit 1; }; \
  $(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear .venv \
    || { echo "Python cannot make virtual environments: apt-get install -y python3-venv" >&2; exit 1; }; \
  echo "Installing into .venv; this takes a minute the first time."; \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'; \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check $(2); \
  cp pyproject.toml .venv/.installed-$(1); \
fi
endef
