# One word each: what `make help` prints is the text behind the two hashes.
# All set-up happens by itself, once, in .venv; it is done again only when requirements.lock or pyproject.toml changes.

.DEFAULT_GOAL := help
.PHONY: help install demo run test test-all check bench screenshots map lock clean check-window

VENV := .venv
PY := $(VENV)/bin/python
# Stamps carry the checksum of what they stand for: a fresh checkout with the same content does no work.
LIBRARIES := $(VENV)/.libraries-$(shell cksum < requirements.lock | cut -d ' ' -f 1)
PROJECT := $(VENV)/.project-$(shell cat requirements.lock pyproject.toml | cksum | cut -d ' ' -f 1)

# llama.cpp is built once, on all cores, without its image tools; your own CMAKE_ARGS (a GPU, say) take their place.
CMAKE_ARGS ?= -DLLAVA_BUILD=OFF
CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
export CMAKE_ARGS CMAKE_BUILD_PARALLEL_LEVEL

# The build of llama.cpp must not take part in this make's own bookkeeping.
PIP := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(PY) -m pip --disable-pip-version-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(PROJECT) ## set everything up in .venv (the first time it builds llama.cpp: 5 to 15 minutes)

demo: $(PROJECT) ## judge sample content with the built-in demo model, then open the window where there is a screen
	@$(VENV)/bin/moderation-studio demo
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
		if $(PY) packaging/check_system.py window; then \
			$(VENV)/bin/moderation-studio || echo "The window could not be opened; the judgements above stand."; \
		fi; \
	fi

run: $(PROJECT) check-window ## open the window
	@$(VENV)/bin/moderation-studio

test: $(PROJECT) check-window ## run all tests
	@$(PY) -m pytest

test-all: $(PROJECT) check-window ## run the slow tests too: simulations, many faults, a bundle without a network
	@$(PY) -m pytest -m ""

check: $(PROJECT) ## formatting, lint, types and the rules about who may import whom
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: $(PROJECT) check-window ## measure the start, then the engine against plain llama.cpp (options of benchmarks/run.py: BENCH="...")
	@$(PY) -m benchmarks.startup
	@$(PY) -m benchmarks.run $(BENCH)

screenshots: $(PROJECT) check-window ## make the pictures in docs/screenshots anew
	@QT_QPA_PLATFORM=offscreen $(PY) docs/screenshots.py

map: $(PROJECT) ## write the list of modules in studio/README.md anew
	@$(PY) docs/map.py

lock: ## pin all libraries anew (needs uv, and the network)
	uv pip compile --quiet pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -o requirements.lock

clean: ## remove what make made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find studio tests benchmarks docs packaging resources -name __pycache__ -type d -prune -exec rm -rf {} +

check-window:
	@$(PY) packaging/check_system.py window

$(PROJECT): $(LIBRARIES)
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.project-*
	@touch $@

$(LIBRARIES): $(VENV)/.python
	@echo "Installing the libraries. The first time this builds llama.cpp: 5 to 15 minutes."
	@# A pip older than 23.1 would build llama.cpp again each time: first the pip that the lock names.
	@sed -n '/^pip==/,/# via/p' requirements.lock > $(VENV)/pip.lock
	@$(PIP) install --quiet --require-hashes -r $(VENV)/pip.lock
	@$(PIP) install --require-hashes -r requirements.lock
	@rm -f $(VENV)/.libraries-*
	@touch $@

# The first Python that is new enough; asking each to run tells a real one from a stand-in.
$(VENV)/.python:
	@if $(PY) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then touch $@; exit; fi; \
	for python in python3 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			$$python packaging/check_system.py build && $$python -m venv --clear $(VENV) && touch $@; exit; \
		fi; \
	done; \
	echo "Python 3.11 or newer is needed; $$(python3 --version 2>&1 || true) is what python3 answers here." >&2; \
	echo "On Debian or Ubuntu: sudo apt-get install -y python3.11 python3.11-venv" >&2; \
	exit 1
