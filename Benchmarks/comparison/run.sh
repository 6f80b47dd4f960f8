#!/usr/bin/env bash
# Compares a pipeline with itself, and with planted regressions, by the built tool, and prints as Markdown how often each was
# called a regression. Usage: run.sh [COMPARISONS [PAIRS]]   (default: 30 comparisons of 12 pairs)
set -euo pipefail
cd "$(dirname "$0")/../.."
comparisons=${1:-30}
pairs=${2:-12}
tool=.build/release/freeze-profile
if ! [ -x "$tool" ]; then
    echo "run.sh: '$tool' is not there. Run 'make build' first." >&2
    exit 66
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -O1 -o "$work/planted" Tests/Fixtures/pipelines/planted.c
base="$work/planted {output_dir} --work 200"

echo "$comparisons comparisons of $pairs pairs each, $(nproc) CPUs, load at the beginning $(cut -d' ' -f1 /proc/loadavg)."
echo
echo "| planted | regressed | cannot tell | ok or improved | stage called |"
echo "| --- | --- | --- | --- | --- |"
# A command to be compared with itself, besides the planted pipeline: COMMAND='./pipeline {output_dir}'.
itself=${COMMAND:-}
compare() { # LABEL STAGE METRIC OPTIONS...
    local label=$1 stage=$2 metric=$3
    shift 3
    local regressed=0 undecided=0 fine=0 called=0 status
    for seed in $(seq "$comparisons"); do
        status=0
        "$tool" ab --json --seed "$seed" --pairs "$pairs" --a "$base" --b "$base $*" >"$work/json" 2>"$work/log" || status=$?
        case $status in
            0) fine=$((fine + 1)) ;;
            1) regressed=$((regressed + 1)) ;;
            2) undecided=$((undecided + 1)) ;;
            *)
                cat "$work/log" >&2
                exit "$status"
                ;;
        esac
        # Each row is a line.
        if grep -q "\"stage\": \"$stage\", \"metric\": \"$metric\".*\"verdict\": \"regressed\"" "$work/json"; then
            called=$((called + 1))
        fi
    done
    echo "| $label | $regressed | $undecided | $fine | $stage $metric: $called |"
}

compare "nothing" transform cpu_time_s
if [ -n "$itself" ]; then
    planted=$base
    base=$itself
    compare "nothing: $itself" none none
    base=$planted
fi
compare "3 % in crunch()" transform cpu_time_s --slower 3
compare "5 % in crunch()" transform cpu_time_s --slower 5
compare "10 % in crunch()" transform cpu_time_s --slower 10
compare "25 % in crunch()" transform cpu_time_s --slower 25
compare "30 MB in extract" extract peak_rss_mb --memory 30
compare "a new stage" transform cpu_time_s --extra-stage
