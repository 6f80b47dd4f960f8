#!/bin/sh
# Folded stacks to SVG: a million lines in at most 2 s, in proportion to their number, sorted or not.
# Set FLAMEGRAPH_PL to a copy of flamegraph.pl to see its time beside ours.
set -eu
cd "$(dirname "$0")/../.."
swift build -c release --product flamegraph-benchmark
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
for lines in 250000 500000 1000000; do
    for order in "" --shuffle; do
        echo "== $lines lines ${order:-sorted}"
        python3 Benchmarks/flamegraph/generate.py "$lines" $order > "$directory/stacks.folded"
        .build/release/flamegraph-benchmark "$directory/stacks.folded" "$directory/picture.svg"
        if [ -n "${FLAMEGRAPH_PL:-}" ]; then
            echo "flamegraph.pl:"
            ( time -p perl "$FLAMEGRAPH_PL" "$directory/stacks.folded" > /dev/null ) 2>&1 | grep real
        fi
    done
done
