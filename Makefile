# Everything a developer runs. A fresh machine needs Python 3.11 or newer, make and node (for the real servers).

SHELL := /bin/sh
.DEFAULT_GOAL := help

NEWEST_FIRST := python3 python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(shell for python in $(NEWEST_FIRST); do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP_VERSION := 26.3
PHOENIX_VERSION := 20.26.1
VENV := .venv
DEMO := .demo
BIN := $(VENV)/bin
SERVERS := tests/servers
NPM_SERVERS := $(SERVERS)/node_modules/.package-lock.json
PYTHON_SERVERS := $(VENV)-v1/installed $(VENV)-v2/installed
PROMETHEUS := $(firstword $(shell command -v promtool) $(wildcard $(SERVERS)/prometheus/usr/bin/promtool))
BROWSER := $(firstword $(shell command -v chromium chromium-browser google-chrome 2>/dev/null))

# $(call make_venv,DIRECTORY): an empty environment with the pip that the rest relies on
make_venv = $(if $(PYTHON),,$(error Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python)) \
	$(PYTHON) -m venv --clear $(1) && \
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check pip==$(PIP_VERSION)
# $(call install,DIRECTORY,MORE): this checkout, editable, with the tested version of everything it needs
install = $(1)/bin/python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt --build-constraint constraints.txt --editable . $(2)

.PHONY: help
help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 24

.PHONY: demo
demo: $(DEMO)/venv/installed ## record a short scripted run of a bundled server and show what is kept
	$(DEMO)/venv/bin/mcptap demo --keep $(DEMO)/records

.PHONY: test
test: lint servers ## check style and types, then run every test
	$(BIN)/python -m pytest -n 4 --dist worksteal --durations 15

.PHONY: test-slow
test-slow: servers ## run the long versions of tests too: more kills, more traffic, every exit status
	$(BIN)/python -m pytest -n 4 --dist worksteal --durations 15 -m 'not backend'

.PHONY: lint
lint: $(VENV)/installed ## check style and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: bench
bench: $(VENV)/installed ## measure what the tap costs, beside a direct pipe
	$(BIN)/python -m benchmarks

.PHONY: bench-redaction
bench-redaction: $(VENV)/installed ## measure how fast secrets are found, and how often wrongly
	$(BIN)/python -m benchmarks redaction

.PHONY: backend
backend: $(VENV)-phoenix/installed $(VENV)/installed ## install a real OpenTelemetry backend (900 MB) and test with it
	$(BIN)/python -m pytest -m backend tests/exporters/otlp

.PHONY: bench-detection
bench-detection: $(VENV)/installed ## measure what is found of public attacks, and how often wrongly (fetches them)
	$(BIN)/python -m benchmarks.detection --corpora .corpora

.PHONY: selftest
selftest: $(VENV)/installed ## compare an odd-behaving server with and without the tap
	$(BIN)/mcptap selftest

.PHONY: servers
servers: $(PYTHON_SERVERS) browser prometheus ## install the real MCP servers that the end-to-end tests run
ifneq ($(shell command -v npm 2>/dev/null),)
servers: $(NPM_SERVERS)
else
servers:
	@echo 'make: npm is not installed: the tests with real servers of npm (tests/e2e) will be skipped' >&2
	@test -z "$$CI" || { echo 'make: with CI set nothing may be skipped' >&2; exit 1; }
endif

.PHONY: browser
browser:
ifeq ($(BROWSER),)
	@if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; \
	else \
		echo 'make: no Chromium or Chrome is installed: the test with a real browser will be skipped' >&2; \
		test -z "$$CI" || { echo 'make: with CI set nothing may be skipped' >&2; exit 1; }; \
	fi
endif

# Debian's package is unpacked and not installed: nothing of it starts by itself
.PHONY: prometheus
prometheus:
ifeq ($(PROMETHEUS),)
	@set -e; mkdir -p $(SERVERS)/prometheus; cd $(SERVERS)/prometheus; \
	if command -v apt-get >/dev/null && { test "$$(id -u)" != 0 || apt-get update -qq; } && \
		apt-get download -qq -o APT::Sandbox::User=root prometheus; then \
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin; rm prometheus_*.deb; \
	else \
		echo 'make: no Prometheus is installed: the tests of the Grafana dashboard with it will be skipped' >&2; \
		test -z "$$CI" || { echo 'make: with CI set nothing may be skipped' >&2; exit 1; }; \
	fi
endif

.PHONY: lock
lock: $(VENV)/installed ## write the versions in .venv down in constraints.txt
	{ sed -n '/^#/p' constraints.txt; $(BIN)/pip freeze --exclude-editable; } > constraints.new
	mv constraints.new constraints.txt

.PHONY: clean
clean: ## remove everything that was made here
	rm -rf $(VENV) $(DEMO) .corpora $(SERVERS)/node_modules $(SERVERS)/prometheus $(VENV)-v? $(VENV)-phoenix build dist
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find tap exporters dashboard benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: pyproject.toml constraints.txt
	@$(call make_venv,$(VENV))
	$(call install,$(VENV),--group dev)
	@touch $@

$(VENV)-phoenix/installed: Makefile
	@$(call make_venv,$(@D))
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check arize-phoenix==$(PHOENIX_VERSION)
	@touch $@

$(DEMO)/venv/installed: pyproject.toml constraints.txt
	@mkdir -p $(DEMO)
	@$(call make_venv,$(DEMO)/venv)
	$(call install,$(DEMO)/venv,streamlit)
	@touch $@

$(NPM_SERVERS): $(SERVERS)/package.json $(SERVERS)/package-lock.json
	cd $(SERVERS) && npm ci --no-audit --no-fund
	@touch $@

$(VENV)-%/installed: $(SERVERS)/python-%/requirements.txt $(SERVERS)/python-%/constraints.txt | $(VENV)/installed
	$(if $(PYTHON),,$(error Python 3.11 or newer is needed)) $(PYTHON) -m venv --clear --without-pip $(@D)
	$(BIN)/python -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --requirement $<
	@touch $@
