# Two commands matter: `make book` builds the site, `make test` proves that everything holds. A plain `make` lists all.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
LOCK ?= -c requirements.lock
export LOCK
export PYTHONUNBUFFERED := 1
# One thread a process and two processes use two cores better than two threads each do (benchmarks/README.md).
TEST_ENV := OMP_NUM_THREADS=1
step = printf '\n== %s\n' "$(1)"; SECONDS=0
took = printf '== %s: %s s\n' "$(1)" "$$SECONDS"
# What pages are made of; folders too, whose time changes when a file goes (not `book` itself: that is a target).
SITE := $(shell find book notebooks -mindepth 1; find _ext tests/equations -name '*.py'; find genai_utils -name '*.csv')

help:            ## list the commands
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Marks of an environment that holds up to that step; new only where something was installed. tools/install.py knows all.
.venv/made .venv/site .venv/all: FORCE
	@type -P $(PYTHON) >/dev/null || PYTHON=$(PYTHON) tools/system.sh python3-venv
	@$(PYTHON) tools/install.py $(@F)
.venv/all: .venv/site # one after the other where make does two things at a time

book: .venv/site ## build the site into _build/html if anything changed; executes stale notebooks first
	@$(call step,look for stale notebooks); $(BIN)/python -m tools.notebooks --check && $(call took,look) || $(MAKE) notebooks
	@$(call step,vendor JavaScript); $(BIN)/python tools/vendor_assets.py && $(call took,vendor)
	@$(MAKE) --no-print-directory _build/current
	@echo "open $(CURDIR)/_build/html/index.html"

# One page can break another, and -W must see all of them: whatever changed, the whole site is built anew. The mark has
# the time of the start, so that what changes during a build is built again.
_build/current: .venv/site _config.yml _toc.yml $(SITE)
	@$(call step,build the site); mkdir -p _build && touch _build && rm -rf _build && \
	{ [ $$(df -Pm . | awk 'END {print $$4}') -ge 100 ] || { echo "the disk is full: free 100 MB" >&2; exit 1; }; } && \
	mkdir _build && touch _build/started && \
	PATH="$(CURDIR)/$(BIN):$$PATH" jupyter-book build . -W -n --keep-going --quiet && \
	mv _build/started $@ && $(call took,build)

notebooks: .venv/all ## execute the notebooks whose text or code changed
	@$(call step,execute stale notebooks); $(BIN)/python -m tools.notebooks && $(call took,notebooks)

test: .venv/made system .venv/all ## lint, type-check and test everything: code, equations, chapters, notebooks, site
	@$(MAKE) --no-print-directory -j2 book $(if $(TESTS),,lint)
	@$(call step,tests); $(TEST_ENV) $(BIN)/python -m pytest -n 2 --dist loadgroup \
	  $(or $(TESTS),--cov --cov-report=term:skip-covered --cov-fail-under=95) --durations=8 && $(call took,tests)

lint: .venv/all  # runs beside the site's build; `make test TESTS=tests/site` goes without it and without coverage
	@$(call step,lint); $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && \
	$(BIN)/python -m tools.lint_chapters --ignore E501 && \
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix tools/biome run --silent lint && $(call took,lint)

system:          ## install what needs root: a sandbox, Chromium, a library of Node, Python's venv (Debian)
	@PYTHON=$(PYTHON) tools/system.sh bubblewrap chromium libatomic1 python3-venv

wheel: .venv/site ## build the wheel of the package into dist, for Colab and for releases
	@$(call step,build the wheel); rm -rf build dist; $(PIP) wheel --no-deps -w dist . && rm -rf build && \
	$(call took,wheel) && ls -l dist/*.whl

facts: .venv/site ## list the facts older than 120 days, and the chapters that read them
	@$(BIN)/python -m tools.facts

chapter: .venv/site ## begin a chapter: make chapter NAME=my-topic [TITLE="My topic"] [PART="The question"]
	@$(BIN)/python -m tools.chapter "$$NAME" "$$TITLE" "$$PART"

address: .venv/site ## say where you publish: make address URL=https://github.com/you/your-fork
	@$(BIN)/python -m tools.address '$(URL)'

serve: book      ## serve the site on http://127.0.0.1:8000, or with PORT=8001 there
	@$(BIN)/python -m tools.serve $(PORT)

slides: .venv/site ## make slides of all chapters into _build/slides, or of some: make slides NAME="vae rules"
	@$(BIN)/python tools/vendor_assets.py && $(BIN)/python -m tools.slides $(NAME)

pdf: .venv/made system .venv/all book ## print the site into one PDF, _build/book.pdf, with outline and page numbers
	@$(call step,print the book); $(BIN)/python -m tools.pdf && $(call took,print)

bundle: .venv/all book slides ## pack all that a class without internet needs into dist; with TORCH=yes torch too
	@$(call step,pack the bundle); $(BIN)/python -m tools.bundle $(if $(TORCH),--torch) && $(call took,pack)

lab: .venv/all   ## open the notebooks in JupyterLab, as copies in work/ that stay yours
	@$(BIN)/python -m tools.lab

lock: .venv/all  ## write the versions installed now into requirements.lock, and their licences into LICENSES.md
	@$(PIP) freeze --all --exclude-editable | grep -v ' @ ' > requirements.lock && $(BIN)/python -m tools.licenses

clean:           ## remove what was built; keeps .venv and work/
	@rm -rf _build build dist *.egg-info book/_static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

.PHONY: help book notebooks test lint system wheel facts chapter address serve slides pdf bundle lab lock clean FORCE
