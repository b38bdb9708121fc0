# The front door: `make help` lists what there is.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
PYTHON ?= python3

TRANSFORMERS := .venv/transformers-$(or $(VERSION),5.24.0)
BINARY := .build/ckptconv
DEBUG_BINARY := .build/debug/ckptconv
SWIFT_FILES := Sources Tests Examples Package.swift
# The XCTest runner would start a second time, for no tests.
TEST_FLAGS := --disable-xctest

.DEFAULT_GOAL := help
# Steps follow each other, and each uses all processors by itself.
.NOTPARALLEL:
.PHONY: help build demo test lint format check interop bench fixtures install deps clean hooks \
	kills faults fuzz scan-peers ceilings sanitize sweep test-slurm transformers docs api-check

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build for debugging
	$(SWIFT) build

demo: deps build ## convert a real OLMo-2 checkpoint and show the results
	Scripts/demo $(DEBUG_BINARY)

test: deps check docs interop ## everything that continuous integration runs

check: lint ## lint, unit tests and command tests; run before every commit
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --quiet $(TEST_FLAGS)

lint: ## format, documentation, module order, unsafe code, scripts
	$(SWIFT) format lint --strict --recursive --parallel $(SWIFT_FILES)
	$(PYTHON) Scripts/lint
	$(PYTHON) Tests/Lint/test_lint.py --quiet

format: ## format the Swift sources in place
	$(SWIFT) format --in-place --recursive --parallel $(SWIFT_FILES)

# By a wheel of the debug build, which is what people install and lets tests inject faults.
interop: build ## compare with PyTorch, safetensors and OLMo (in .venv)
	Scripts/deps interop
	Tests/Interop/setup .venv
	Packaging/setup $(TOOLS)
	rm -rf .build/wheel
	Packaging/wheel $(DEBUG_BINARY) .build/wheel linux_$(ARCH) $(TOOLS)/bin/python
	.venv/bin/python -m pip install --quiet --no-index --no-deps --target .build/wheel/installed \
		.build/wheel/*.whl
	$(TOOLS)/bin/mypy --python-executable .venv/bin/python --cache-dir .build/mypy \
		--config-file Packaging/python/pyproject.toml Packaging/python/src
	PYTHONPATH=$(CURDIR)/.build/wheel/installed CKPTCONV=.build/wheel/installed/bin/ckptconv \
		CKPTPROBE=.build/debug/ckptprobe .venv/bin/python -m pytest Tests/Interop

transformers: build ## check Hugging Face directories with VERSION=5.24.0 of transformers
	Scripts/deps interop
	Tests/Interop/setup .venv
	.venv/bin/python -m pip install --quiet --upgrade --target $(TRANSFORMERS) \
		transformers==$(or $(VERSION),5.24.0) numpy==1.26.4 2>$(TRANSFORMERS).log
	PYTHONPATH=$(TRANSFORMERS) CKPTCONV=$(DEBUG_BINARY) .venv/bin/python -m pytest \
		Tests/Interop/test_olmo_to_hf.py Tests/Interop/test_hf_to_olmo.py

scan-peers: build ## hold scan against picklescan, modelscan and fickling (from PyPI)
	Tests/Interop/setup .venv
	Scripts/scan-peers $(DEBUG_BINARY) .venv/bin/python .peers

kills: build ## kill a batch at 50 random moments, resume, compare; KILLS=50
	Scripts/deps interop
	Tests/Interop/setup .venv
	CKPTCONV=$(DEBUG_BINARY) CKPTCONV_KILLS=$(or $(KILLS),50) .venv/bin/python -m pytest \
		Tests/Interop/test_batch*.py -k killed

faults: build ## fail each system call in each way, kill, fill disks
	Scripts/deps interop
	Tests/Interop/setup .venv
	CKPTCONV=$(DEBUG_BINARY) CKPTCONV_FAULTS=1 .venv/bin/python -m pytest -s \
		Tests/Interop/test_faults.py Tests/Interop/test_disturbances.py

fuzz: ## run all fuzzers, a million inputs each; RUNS= TARGETS= JOBS=2 SANITIZE=1
	Tests/Fuzz/fuzz --runs $(or $(RUNS),1000000) --jobs $(or $(JOBS),2) \
		$(if $(SANITIZE),--sanitize) $(TARGETS)

ceilings: release ## measure the program on fuzzed files, fixtures and files made to exhaust it
	mkdir -p .fuzz/exhaustion
	CKPTCONV_EXHAUSTION=$(CURDIR)/.fuzz/exhaustion $(SWIFT) test --quiet $(TEST_FLAGS) \
		--filter ExhaustionTests/writes
	Tests/Fuzz/ceilings $(BINARY)

# Leaks are not looked for: a table of tests is taken for one. Exhaustion counts its own memory.
sanitize: ## unit tests under AddressSanitizer and ThreadSanitizer
	ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no $(SWIFT) test --quiet $(TEST_FLAGS) \
		--sanitize=address --scratch-path .build/address --skip 'CommandTests|ExhaustionTests'
	TSAN_OPTIONS=halt_on_error=1 SWIFT_BACKTRACE=enable=no $(SWIFT) test --quiet $(TEST_FLAGS) \
		--sanitize=thread --scratch-path .build/thread \
		--filter 'CopyTests|BatchTests|CompareTests|ConvertTests'

sweep: ## cut small files everywhere, flip every bit, cast every half
	CKPTCONV_SWEEP=1 $(SWIFT) test $(TEST_FLAGS) --filter 'HostileTests|ZipTests|ScanTests|CastTests'

test-report: release ## open reports of stats in a headless Chromium; pictures in .report
	Scripts/deps browser
	$(PYTHON) Tests/Report/test_report.py $(BINARY) .report

test-slurm: build ## run Examples/slurm on a real Slurm of one node (root)
	$(PYTHON) Tests/Slurm/test_slurm.py $(DEBUG_BINARY)

docs: build ## build the reference of the libraries into .build/docs
	Scripts/reference docs

api-check: build ## list incompatible changes since BASE=revision
	Scripts/reference api-check $(BASE)

bench: release ## time the program against cp, PyTorch and others; ROUNDS=5 SECTION=statistics
	$(SWIFT) build $(RELEASE_FLAGS) --product ckptprobe
	Scripts/deps bench
	Tests/Interop/setup .venv
	.venv/bin/python Benchmarks/bench.py --binary $(BINARY) --rounds $(or $(ROUNDS),5) \
		$(if $(SECTION),--section $(SECTION))

.PHONY: casts
casts: release ## cast all float32 values and compare with PyTorch
	$(SWIFT) build $(RELEASE_FLAGS) --product ckptprobe
	Tests/Interop/setup .venv
	EXHAUSTIVE=1 CKPTCONV=.build/release/ckptconv .venv/bin/python -m pytest Tests/Interop/test_casts.py

fixtures: ## save the corpus with other versions of torch; VERSIONS="1.10.2 2.0"
	Fixtures/generate/torch_corpus.sh $(VERSIONS)

install: release ## install program, man page, completions; PREFIX=/usr/local
	Scripts/install $(BINARY) $(DESTDIR)$(PREFIX)

deps: ## install missing libraries (root on Debian, Ubuntu), or print the command
	Scripts/deps

clean: ## remove all build products
	rm -rf .build .venv .tools .demo .bench .fuzz dist

hooks: ## run `make check` before every commit
	git config core.hooksPath Scripts/hooks

include Packaging/release.mk
