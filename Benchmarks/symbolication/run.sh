#!/bin/sh
# Times the naming of 10,000 addresses against addr2line and llvm-symbolizer.
# Usage: Benchmarks/symbolication/run.sh [PROGRAM WITH DEBUG INFORMATION]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
swift build -c release --product symbolication-benchmark >&2
benchmark=$(swift build -c release --show-bin-path)/symbolication-benchmark
# Without an argument: ourselves, with the debug information of every target.
program=${1:-$benchmark}
addresses=$(mktemp /tmp/symbolication-addresses-XXXXXX)
trap 'rm -f "$addresses"' EXIT

# Evenly over all the code of the program: with the seed, the same in every run.
nm --defined-only -S "$program" | python3 -c '
import random, sys
functions = [line.split() for line in sys.stdin]
functions = [(int(f[0], 16), int(f[1], 16)) for f in functions if len(f) == 4 and f[2] in "tTwW"]
functions = [f for f in functions if f[1]]
chance = random.Random(1)
seen = set()
for attempt in range(100000):
    start, size = chance.choice(functions)
    seen.add(start + chance.randrange(size))
    if len(seen) == 10000: break
print("\n".join(hex(address) for address in sorted(seen)))' > "$addresses"

timed() {
    name=$1
    shift
    begin=$(date +%s%N)
    "$@" > /dev/null
    echo "$name: $((($(date +%s%N) - begin) / 1000000)) ms"
}

echo "$program: $(stat -c %s "$program") bytes, $(wc -l < "$addresses") addresses"
"$benchmark" "$program" "$addresses"
timed "addr2line -f -C" addr2line -f -C -e "$program" "@$addresses"
timed "addr2line -f -C -i" addr2line -f -C -i -e "$program" "@$addresses"
if command -v llvm-symbolizer > /dev/null; then
    timed "llvm-symbolizer, inlines" llvm-symbolizer -e "$program" "@$addresses"
fi
