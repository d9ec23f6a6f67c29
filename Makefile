# Two commands matter: `make book` builds the site, `make test` proves that everything holds. A plain `make` lists all.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
LOCK := -c requirements.lock
export PYTHONUNBUFFERED := 1
# One thread a process and two processes use two cores better than two threads each do (benchmarks/README.md).
TEST_ENV := OMP_NUM_THREADS=1
step = printf '\n== %s\n' "$(1)"; SECONDS=0
took = printf '== %s: %s s\n' "$(1)" "$$SECONDS"

help:            ## list the commands
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/site: requirements.lock pyproject.toml
	@$(call step,install what the site needs); \
	{ [ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv || \
	  { apt-get update -q && apt-get install -y -q python3-venv && $(PYTHON) -m venv .venv; }; } && \
	$(PIP) install $$(grep -E '^pip==' requirements.lock) && $(PIP) install $(LOCK) --group site && touch $@ && \
	$(call took,install)

.venv/all: .venv/site
	@$(call step,install torch and what the tests need); \
	$(PIP) install $(LOCK) --group test && $(PIP) install $(LOCK) -e . && touch $@ && \
	$(call took,install)

book: .venv/site ## build the site into _build/html; executes stale notebooks first
	@$(BIN)/python tools/notebooks.py --check || $(MAKE) notebooks
	@$(call step,vendor JavaScript); $(BIN)/python tools/vendor_assets.py && $(call took,vendor)
	@$(call step,build the site); rm -rf _build; \
	PATH="$(CURDIR)/$(BIN):$$PATH" jupyter-book build . -W -n --keep-going --quiet && $(call took,build)
	@echo "open $(CURDIR)/_build/html/index.html"

notebooks: .venv/all ## execute the notebooks whose text or code changed
	@$(call step,execute stale notebooks); $(BIN)/python tools/notebooks.py && \
	$(BIN)/python tools/collect_results.py && $(call took,notebooks)

test: .venv/all book ## lint, type-check and test everything: code, equations, chapters, notebooks, site
	@[ -x "$$(command -v chromium)" ] || { apt-get update -q && apt-get install -y -q chromium libatomic1; } || \
	  { echo "install Chromium (Debian: apt-get install chromium libatomic1), then run make test again"; exit 1; }
	@$(call step,lint); $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(call took,lint)
	@$(call step,tests); $(TEST_ENV) $(BIN)/python -m pytest -n 2 --dist loadgroup \
	  --cov --cov-report=term:skip-covered --cov-fail-under=95 --durations=8 && $(call took,tests)

serve: book      ## serve the site on http://127.0.0.1:8000
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

lab: .venv/all   ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab notebooks

lock: .venv/all  ## write the versions installed now into requirements.lock
	@$(PIP) freeze --all --exclude-editable | grep -v ' @ ' > requirements.lock

clean:           ## remove what was built; keeps .venv
	@rm -rf _build build dist *.egg-info book/_static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

.PHONY: help book notebooks test serve lab lock clean
