# Each target sets up what it needs. `make demo` and `make test` are all a fresh machine takes.
.DEFAULT_GOAL := help
.PHONY: help bootstrap build demo test faults benchmarks lint format clean
.PHONY: install install-strip uninstall deb test-deb test-image docs
.PHONY: profile-freeze profile-diff profile-gate profile-promote profile-list profile-readme

# The scripts read these from the environment, so that no value meets a shell's quoting twice. Each says what it assumes
# for those left out.
export VERSION PIPELINE_CONFIG DATASET_ID OUTPUT SKIP_WARMUP E2E_FEED SAMPLE_INTERVAL NO_STAGE_TRUTH MONITOR FORCE
export RUNS STACK_RUNS COUNT_RUNS SOURCE PROMOTED_ID REASON DRY_RUN NO_STAGE_TRUTH_REQUIRED FROM TO PROFILES

# $(call require,NAMES,USAGE): stops with a sentence when a variable is not set, before anything is built.
define require
@for name in $(1); do eval "value=\$${$$name:-}"; if [ -z "$$value" ]; then \
    echo "$@: $$name is not set. Say it: $(2)" >&2; exit 64; fi; done
endef

help:
	@echo "make demo            freeze a profile of the embedded podcast run, and show where to look"
	@echo "make test            set up, build, run all tests"
	@echo "make faults          a minute of faults at random moments"
	@echo "make benchmarks      measure every budget beside the peers into docs/benchmarks.md (half an hour, a quiet machine)"
	@echo "make build           build the tools into .build/release"
	@echo "make format lint     format the code; check format and scripts"
	@echo "make install [PREFIX=/usr/local] [DESTDIR=]   install what 'make build' has built; install-strip: without symbols"
	@echo "make uninstall [PREFIX=/usr/local]            remove it"
	@echo "make deb             Debian packages of the tool and of the pipeline, in .build/deb"
	@echo "make test-deb        install, use and remove them in a fresh Debian root (root, mmdebstrap)"
	@echo "make test-image      build the image of docs/ci/Containerfile, and compare two commits in it (root, buildah)"
	@echo "make docs            the documentation as a static site, in .build/site"
	@echo "make profile-freeze VERSION=v1.2.0 [MONITOR=1] [PIPELINE_CONFIG=FILE] [DATASET_ID=ID] [OUTPUT=FILE]"
	@echo "                    [SKIP_WARMUP=1] [E2E_FEED=URL] [SAMPLE_INTERVAL=0.25] [NO_STAGE_TRUTH=1] [FORCE=1]"
	@echo "                    [RUNS=5] [STACK_RUNS=1] [COUNT_RUNS=2]"
	@echo "make profile-diff FROM=v1.1.0 TO=v1.2.0"
	@echo "make profile-gate FROM=v1.1.0 TO=v1.2.0   may TO be released; gate.md and gate.xml for build servers"
	@echo "make profile-promote SOURCE=v1.2.0 PROMOTED_ID=podcast-2026 REASON='why' [DRY_RUN=1]"
	@echo "                    [NO_STAGE_TRUTH_REQUIRED=1]"
	@echo "make profile-list    what is frozen in data/profiles; make profile-readme writes it into its README"

bootstrap:
	@scripts/bootstrap

build: bootstrap
	@swift build -c release --static-swift-stdlib --quiet

demo: build
	@scripts/demo

# Tests of pure code run side by side. The others run one at a time: they start processes and measure CPU time, and would
# measure each other.
PURE_TESTS := ^(Measurement|JSONDocument|YAMLDocument|MessageDigest|Metrics|Statistics|StackProfile|FrozenProfile|FunctionAttribution|ProfileComparison|SlurmEngine)Tests\.

test:
	@scripts/bootstrap --tests
	@swift build --build-tests
	@PATH="$(CURDIR)/.build/test-venv/bin:$$PATH" scripts/run-tests '$(PURE_TESTS)'

# Every budget beside the peers. The figures are of this machine: docs/benchmarks.md says which.
benchmarks: build
	@scripts/bootstrap --tests
	@Benchmarks/run.py

# Faults at random moments in every command, for about a minute; docs/reliability.md says what holds.
faults:
	@scripts/bootstrap --tests
	@swift build --product freeze-profile --quiet
	@PATH="$(CURDIR)/.build/test-venv/bin:$$PATH" Benchmarks/faults/run.py .build/debug/freeze-profile --ci

format:
	@git ls-files -z '*.swift' | xargs -0 swift format -i

# Files whose first line names a shell; none has a space in its name.
shell_scripts = $(shell git ls-files -z | xargs -0 awk 'FNR == 1 { if (/^\#!.*[\/ ](ba)?sh$$/) print FILENAME; nextfile }')

lint:
	@git ls-files -z '*.swift' | xargs -0 swift format lint --strict
	@for script in $(shell_scripts); do bash -n "$$script" || exit 1; done
	@if command -v shellcheck >/dev/null; then \
	    shellcheck -x -S warning $(shell_scripts) helpers/stages.sh helpers/conformance/drive.sh; \
	else echo "lint: shellcheck is not installed; the scripts are checked by bash -n alone" >&2; fi

# What is built is not built again: root often has no Swift toolchain. `make build && sudo make install`.
export PREFIX DESTDIR COMPONENTS ZSH_FUNCTIONS
built = $(if $(wildcard .build/release/freeze-profile),,build)

install: $(built)
	@scripts/install-files install

install-strip: $(built)
	@STRIP=1 scripts/install-files install

uninstall:
	@scripts/install-files uninstall

deb: build
	@scripts/make-deb

test-deb: deb
	@scripts/test-deb

# What docs/ci needs: the image of its Containerfile, with a comparison made in it.
test-image: deb
	@scripts/test-image

docs:
	@scripts/make-docs

profile-freeze: build
	@scripts/profile-freeze

profile-diff:
	$(call require,FROM TO,make profile-diff FROM=v1.1.0 TO=v1.2.0)
	@$(MAKE) --no-print-directory build
	@.build/release/freeze-profile diff "$$FROM" "$$TO"

profile-gate:
	$(call require,FROM TO,make profile-gate FROM=v1.1.0 TO=v1.2.0)
	@$(MAKE) --no-print-directory build
	@.build/release/freeze-profile gate "$$FROM" "$$TO" --markdown gate.md --junit gate.xml

profile-promote:
	$(call require,SOURCE PROMOTED_ID REASON,make profile-promote SOURCE=v1.2.0 PROMOTED_ID=podcast-2026 REASON=why)
	@$(MAKE) --no-print-directory build
	@scripts/profile-promote

profile-list: build
	@.build/release/freeze-profile list

profile-readme: build
	@.build/release/freeze-profile list --update-readme data/profiles/README.md

clean:
	@rm -rf .build .demo
