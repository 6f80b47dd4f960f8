# Each target sets up what it needs. `make demo` and `make test` are all a fresh machine takes.
.DEFAULT_GOAL := help
.PHONY: help bootstrap build demo test lint format profile-freeze profile-diff clean

# Variables of profile-freeze and profile-diff; scripts/profile-freeze says what it assumes for those left out.
export VERSION PIPELINE_CONFIG DATASET_ID OUTPUT SKIP_WARMUP E2E_FEED SAMPLE_INTERVAL NO_STAGE_TRUTH MONITOR FORCE
export RUNS STACK_RUNS

help:
	@echo "make demo            freeze a profile of the embedded podcast run, and show where to look"
	@echo "make test            set up, build, run all tests"
	@echo "make build           build the tools into .build/release"
	@echo "make format lint     format the code; check format and scripts"
	@echo "make profile-freeze VERSION=v1.2.0 [MONITOR=1] [PIPELINE_CONFIG=FILE] [DATASET_ID=ID] [OUTPUT=FILE]"
	@echo "                    [SKIP_WARMUP=1] [E2E_FEED=URL] [SAMPLE_INTERVAL=0.25] [NO_STAGE_TRUTH=1] [FORCE=1]"
	@echo "                    [RUNS=5] [STACK_RUNS=1]"
	@echo "make profile-diff FROM=v1.1.0 TO=v1.2.0"

bootstrap:
	@scripts/bootstrap

build: bootstrap
	@swift build -c release --static-swift-stdlib --quiet

demo: build
	@scripts/demo

# One test at a time: many measure CPU time and would measure each other.
test:
	@scripts/bootstrap --tests
	@PATH="$(CURDIR)/.build/test-venv/bin:$$PATH" swift test --no-parallel

format:
	@git ls-files -z '*.swift' | xargs -0 swift format -i

lint:
	@git ls-files -z '*.swift' | xargs -0 swift format lint --strict
	@bash -n scripts/bootstrap scripts/demo scripts/profile-freeze

profile-freeze: build
	@scripts/profile-freeze

profile-diff: build
	@if [ -z "$(FROM)" ] || [ -z "$(TO)" ]; then \
	    echo "profile-diff: say both versions: make profile-diff FROM=v1.1.0 TO=v1.2.0" >&2; exit 64; fi
	@.build/release/freeze-profile diff "$(FROM)" "$(TO)"

clean:
	@rm -rf .build .demo
