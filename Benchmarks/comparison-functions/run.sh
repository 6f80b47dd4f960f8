#!/usr/bin/env bash
# Prints how long an explained comparison and a history take, and how often planted changes are found.
# RUNS is the number of recorded runs a kind of change (default 24); 0 leaves that part out.
set -euo pipefail
cd "$(dirname "$0")/../.."
swift build -c release --static-swift-stdlib --quiet --product attribution-benchmark
swift build -c release --static-swift-stdlib --quiet --product freeze-profile
tools=$(swift build -c release --static-swift-stdlib --show-bin-path)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$tools/attribution-benchmark" stacks

for runs in 1 10; do
    "$tools/attribution-benchmark" history "$work/profiles-$runs" 1000 "$runs"
    echo "history of 1,000 profiles of 30 stages, 3 sessions of $runs runs ($(du -sm "$work/profiles-$runs" | cut -f1) MB):"
    for arguments in "" "stage_7 --metric cpu"; do
        start=$(date +%s.%N)
        # shellcheck disable=SC2086
        "$tools/freeze-profile" history $arguments --profiles "$work/profiles-$runs" > /dev/null
        echo "  history $arguments: $(echo "$(date +%s.%N) - $start" | bc | cut -c1-5) s (budget 2 s)"
    done
done

runs=${RUNS:-24}
[ "$runs" -gt 0 ] || exit 0
gcc -O1 -fno-omit-frame-pointer -o "$work/planted" Tests/Fixtures/planted/planted.c
mkdir "$work/stacks"
record() { # NAME RUN ARGUMENTS...
    "$tools/freeze-profile" sample --sampler native --rate 5000 -o "$work/stacks/$1-$(printf %03d "$2").pb.gz" \
        -- "$work/planted" 1500000 "${@:3}" 2> /dev/null
}
# In turn, so that a machine that gets slower gets slower for all.
for run in $(seq "$runs"); do
    record before "$run"
    record same "$run"
    record hot3 "$run" hot=3
    record hot5 "$run" hot=5
    record hot10 "$run" hot=10
    record hot25 "$run" hot=25
    record all10 "$run" hot=10 move add
done
"$tools/attribution-benchmark" detection "$work/stacks"
