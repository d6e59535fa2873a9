# Everything runs in a virtual environment inside this clone. Needed: Python >= 3.11, make, git.
PYTHON ?= python3
PYTHONS := 3.11 3.12 3.13 3.14
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
READY_DEV := $(VENV)/ready-dev
READY_PAGES := $(VENV)/ready-pages
READY_SLOW := $(VENV)/ready-slow
NEEDED := .[book,test]
VERSIONS := --constraint constraints.txt
# uv takes a third of the time; where it cannot be had, or cannot reach the packages, pip does the same
install = $(BIN)/uv pip install --python $(BIN)/python --build-constraint constraints.txt $(VERSIONS) -e $(1) || \
	$(BIN)/python -m pip install --disable-pip-version-check $(VERSIONS) -e $(1)

# The set-up of the person at this machine, its locale, and a home that cannot be written to change no page and no number.
export PYTHONUTF8 := 1
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/own/matplotlib
export IPYTHONDIR := $(CURDIR)/$(VENV)/own/ipython
export JUPYTER_CONFIG_DIR := $(CURDIR)/$(VENV)/own/jupyter/config
export JUPYTER_DATA_DIR := $(CURDIR)/$(VENV)/own/jupyter/data
export JUPYTER_RUNTIME_DIR := $(CURDIR)/$(VENV)/own/jupyter/runtime
# Matrices here are small: threads would wait for each other, most of all on a busy machine.
export OPENBLAS_NUM_THREADS := 1
unexport MATPLOTLIBRC MPLBACKEND JUPYTER_PATH JUPYTER_CONFIG_PATH
unexport PYTHONDONTWRITEBYTECODE  # with it every kernel would compile every package again

.DEFAULT_GOAL := help
.PHONY: help book test test-physics pages pdf chapters mutants slow bench lint pythons lowest newest lock dist clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

book: export IPYTHONDIR := $(CURDIR)/$(VENV)/own/ipython-book
book: $(READY) ## build the book, running every chapter, into _build/html
	@mkdir -p "$(IPYTHONDIR)/profile_default"
	@cp book/kernel_config.py "$(IPYTHONDIR)/profile_default/ipython_kernel_config.py"
	$(BIN)/jupyter-book build . -W -n --keep-going --all
	@echo "The book: $(CURDIR)/_build/html/index.html"

test: $(READY) ## run the tests and validate every number printed in the chapters
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-physics: $(READY) ## run the tests of the physics alone: formulas, data, fit, derivations
	$(BIN)/python -m pytest -p no:nbval -o addopts="--strict-markers --strict-config" -m "not slow" -n 2 --dist loadfile tests/physics tests/derivation

pages: book $(READY_PAGES) ## build the book and check its pages in headless Chromium, skipped where there is none
	$(BIN)/python tools/browser.py
	$(BIN)/python -m pytest -o addopts="--strict-markers --strict-config" -m browser -n 2 --dist worksteal tests/browser

pdf: book $(READY_PAGES) ## build the book and print its pages into _build/pdf
	$(BIN)/python tools/print_pages.py

chapters: $(READY) ## run all chapters and store their cleaned text outputs
	$(BIN)/python tools/chapter.py

mutants: $(READY) ## change inputs and coefficients one at a time: does a chapter fail each time?
	$(BIN)/python tools/mutants.py

slow: $(READY_SLOW) ## run the tests that take minutes: other people's programs as referees
	$(BIN)/python -m pytest -o addopts="--strict-markers" -m slow tests

bench: $(READY) ## measure precision and speed: loop functions, limits, toys, memory; into benchmarks/out
	$(BIN)/python benchmarks/precision.py
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/limits.py
	@echo "To show this machine in the book: cp benchmarks/out/limits.json cevnsloop/data/speed.json, then"
	@echo "$(BIN)/python tools/chapter.py book/speed.ipynb"

lint: $(READY_DEV) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

pythons: ## run the tests on every supported Python that is found here, each in an environment of its own
	@passed=; failed=; for version in $(PYTHONS); do found=; \
	    for python in python$$version "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$version.*/bin/python$$version; do \
	        "$$python" -c 'import ensurepip' 2>/dev/null && found=$$python && break; \
	    done; \
	    [ "$$found" ] || { echo "Python $$version: not found here, skipped"; continue; }; \
	    $(MAKE) test VENV=.venv-$$version PYTHON="$$found" && passed="$$passed $$version" || failed="$$failed $$version"; \
	done; echo "passed:$$passed, failed:$$failed"; [ "$$passed" ] && [ -z "$$failed" ]

lowest: ## run the tests with the lowest versions that pyproject.toml allows
	$(MAKE) test VENV=.venv-lowest VERSIONS="--resolution lowest-direct"

newest: ## run the tests with the newest versions there are, whatever constraints.txt says
	$(MAKE) test VENV=.venv-newest VERSIONS=--upgrade

lock: $(READY_DEV) ## write constraints.txt: the newest versions that pyproject.toml allows, for every supported Python
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --upgrade --no-annotate \
	    --custom-compile-command "make lock" pyproject.toml --output-file constraints.txt

dist: $(READY_DEV) ## build sdist and wheel into dist, and try them in an empty environment
	rm -rf build dist
	$(BIN)/uv build --build-constraint constraints.txt
	$(BIN)/python tools/try_dist.py

clean: ## remove the built book, packages and caches, keep the virtual environments
	rm -rf _build build dist .pytest_cache .ruff_cache .hypothesis

# The stamps are older than these files only when one has changed: then the versions are looked at again.
$(READY): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { echo "cevnsloop: no '$(PYTHON)' here; try make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "cevnsloop needs Python >= 3.11, but '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1);" \
	         "try make PYTHON=python3.12"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv || true
	$(call install,$(NEEDED))
	@$(BIN)/python -c "import matplotlib.font_manager"  # which lists the fonts once, and says so
	@touch $@

$(READY_DEV): $(READY)
	$(call install,.[dev])
	@touch $@

$(READY_PAGES): $(READY)
	$(call install,.[pages])
	@touch $@

$(READY_SLOW): $(READY)
	$(call install,.[slow])
	@touch $@
