# Each target sets up what it needs. `make demo` and `make test` are all a fresh machine takes.
.DEFAULT_GOAL := help
.PHONY: help bootstrap build demo test lint format clean
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
	@echo "make build           build the tools into .build/release"
	@echo "make format lint     format the code; check format and scripts"
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
PURE_TESTS := ^(Measurement|JSONDocument|YAMLDocument|MessageDigest|Metrics|Statistics|StackProfile|FrozenProfile|FunctionAttribution|ProfileComparison)Tests\.

test:
	@scripts/bootstrap --tests
	@swift build --build-tests
	@PATH="$(CURDIR)/.build/test-venv/bin:$$PATH" scripts/run-tests '$(PURE_TESTS)'

format:
	@git ls-files -z '*.swift' | xargs -0 swift format -i

lint:
	@git ls-files -z '*.swift' | xargs -0 swift format lint --strict
	@for script in bootstrap demo profile-freeze profile-promote; do bash -n "scripts/$$script" || exit 1; done

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
