# Every target does its own set-up; a fresh clone needs nothing but python3 (3.11 or newer), make and git.
# PYTHON=python3.13 chooses another python3; PYTEST_ARGS, DEMO_ARGS, SERVE_ARGS, SOAK_ARGS, BENCH_ARGS and LOCK_ARGS are passed on.

PYTHON ?= python3
HOSTILE ?= 60
BIN := .venv/bin
CHECKED := tests/test_*.py tests/codec tests/draw tests/handles tests/kinds tests/path/test_stories.py tests/resolve tests/show

.DEFAULT_GOAL := help
.PHONY: help demo serve check test test-kernels accuracy hostile soak recordings golden screenshots lint types format bench bench-small lock clean setup-run setup-web setup-dev setup-bench setup-kernels test-engines setup-engines

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup-run ## build the blog post's network in a private namespace and ask nswire about it (no root needed)
	$(BIN)/nswire demo $(DEMO_ARGS)

serve: setup-web ## the served page, of this machine (as root: sudo make serve; SERVE_ARGS="--port 8053")
	$(BIN)/nswire serve $(SERVE_ARGS)

test: setup-kernels ## run the tests in a private host that leaves nothing behind, and tests/kernels on the newest kernel in a VM
	tools/test $(PYTEST_ARGS)

check: setup-dev ## the inner loop, in less than a minute: style, types, and the tests that need no network of their own
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	NSWIRE_HYPOTHESIS=quick tools/private-host $(BIN)/python -m pytest -q -m 'not slow and not engines' --ignore tests/draw/test_page.py $(CHECKED)

test-kernels: setup-kernels ## run what a kernel can change on Debian's 5.10, 6.1, 6.12 and newest, in VMs (KERNELS="6.1 newest"; a quarter of an hour)
	tests/vm/suite $(KERNELS)

accuracy: setup-kernels ## compare paths with packets really sent, in random networks and through random rulesets, on all kernels, and write docs/accuracy.md (some hours)
	tests/path/accuracy $(KERNELS)

hostile: setup-dev ## attack it for long: mutated recordings, signals, hostile namespaces; writes the figures of docs/security.md (some hours; a million recordings, of which an interrupted run's count; of the rest HOSTILE=60 times what `make test` does)
	NSWIRE_MUTANTS=$(CURDIR)/.venv/mutants.json NSWIRE_HOSTILE=$(HOSTILE) tools/private-host $(BIN)/python -m pytest -q -s tests/hostile $(PYTEST_ARGS)
	tools/private-host $(BIN)/python tests/hostile/figures

soak: setup-dev ## `serve` under churn for an hour: does it grow, does it fail? writes its figures into docs/security.md (SOAK_ARGS="--seconds 60")
	tools/private-host $(BIN)/python tests/hostile/soak.py $(SOAK_ARGS)

test-engines: setup-engines ## start real engines, up, hung and stopped, and write docs/engines.md (ENGINES="docker podman": their rows; some minutes)
	PYTHONPATH=tests $(BIN)/python -m engines.suite $(ENGINES)

recordings: setup-kernels ## make tests/recordings and docs/kernels.md anew, on all four kernels, in VMs (some minutes)
	tests/kernels/recordings $(KERNELS)

golden: setup-dev ## write the golden drawings and findings of the tests anew: look at them before you commit them
	NSWIRE_GOLDEN=write $(BIN)/python -m pytest -q tests/draw/test_golden.py
	NSWIRE_GOLDEN=write tools/private-host $(BIN)/python -m pytest -q tests/check/test_check_golden.py

screenshots: setup-dev ## draw the demo's network, and take the pictures of README.md with Chromium
	tools/private-host $(BIN)/python tools/screenshots

lint: setup-dev ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup-dev ## check types
	$(BIN)/mypy

format: setup-dev ## format, and mend what can be mended by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: setup-bench ## compare speed with other tools at 1000 and 4000 namespaces (some minutes)
	$(BIN)/python bench/run.py $(BENCH_ARGS)
	$(BIN)/python bench/firewall.py

bench-small: setup-bench ## the same at a small size, to see that it works
	$(BIN)/python bench/run.py --small $(BENCH_ARGS)

lock: ## write requirements/*.txt anew from pyproject.toml (LOCK_ARGS=--upgrade for the newest versions)
	PYTHON=$(PYTHON) tools/lock $(LOCK_ARGS)

clean: ## remove everything that these targets made
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist bench/build
	find src tests tools bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

setup-run setup-web setup-dev setup-bench setup-kernels setup-engines:
	@$(PYTHON) tools/setup $(@:setup-%=%)
