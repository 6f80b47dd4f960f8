#!/bin/sh
# Memory and CPU of the monitor child at 2 Hz, beside a child made of psutil and rich, in one run.
# Usage: Benchmarks/monitor/run.sh [SECONDS EACH]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
swift build -c release --static-swift-stdlib --product freeze-profile >&2
environment=$(mktemp -d /tmp/monitor-benchmark-XXXXXX)
trap 'rm -rf "$environment"' EXIT
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check psutil rich >&2
"$environment/bin/python" Benchmarks/monitor/measure.py \
    "$(swift build -c release --show-bin-path)/freeze-profile" "${1:-20}"
