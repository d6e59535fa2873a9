# Everything runs in a virtual environment inside this clone. Needed: Python >= 3.11, make, git.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
READY_DEV := .venv/ready-dev
READY_PAGES := .venv/ready-pages
READY_SLOW := .venv/ready-slow
PROFILE := .venv/ipython/profile_default
NEEDED := .[book,test]
# uv takes a third of the time; where it cannot be had, or cannot reach the packages, pip does the same
install = $(BIN)/uv pip install --python $(BIN)/python -e $(1) || \
	$(BIN)/python -m pip install --disable-pip-version-check -e $(1)

unexport PYTHONDONTWRITEBYTECODE  # with it every kernel would compile every package again

.DEFAULT_GOAL := help
.PHONY: help book test pages pdf chapters mutants slow bench lint clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

book: $(READY) ## build the book, running every chapter, into _build/html
	@mkdir -p $(PROFILE) && cp book/kernel_config.py $(PROFILE)/ipython_kernel_config.py
	IPYTHONDIR=$(CURDIR)/.venv/ipython $(BIN)/jupyter-book build . -W -n --keep-going --all
	@echo "The book: $(CURDIR)/_build/html/index.html"

test: $(READY) ## run the tests and validate every number printed in the chapters
	$(BIN)/python -m pytest -n 2 --dist loadfile

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
	@echo "To show this machine in the book: cp benchmarks/out/limits.json book/speed.json, then"
	@echo "$(BIN)/python tools/chapter.py book/speed.ipynb"

lint: $(READY_DEV) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean: ## remove the built book and caches, keep the virtual environment
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

# The stamps are older than pyproject.toml only when it has changed: then pip looks again.
$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "cevnsloop: no '$(PYTHON)' here; try make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "cevnsloop needs Python >= 3.11, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1);" \
	         "try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || true
	$(call install,$(NEEDED))
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
