#!/usr/bin/env bash
# Compares a pipeline with itself, and with planted regressions, by the built tool, and prints as Markdown how often each was
# called a regression. Every comparison is noted as it ends, so the same command goes on where an interrupted one stopped.
#
# Usage: run.sh [--rows NAME,...] [--comparisons N] [--pairs N,...] [--grow] [--results FILE] [--table]
#   --rows         nothing, slower-3, slower-5, slower-10, slower-25, memory-30, stage, function, itself (default: all but the
#                  last). 'function' freezes both versions with stacks and counts how often crunch() is named first;
#                  'itself' compares $COMMAND with itself: COMMAND='./pipeline {output_dir}'
#   --comparisons  of each row (default: 30)
#   --pairs        of runs in each comparison; several numbers give several rows (default: 12)
#   --grow         let comparisons grow: 'ab --grow'
#   --results      where comparisons are noted (default: .build/comparison/results.tsv); remove it to begin anew
#   --table        print the table of what is noted, and measure nothing
set -euo pipefail
cd "$(dirname "$0")/../.."

rows=nothing,slower-3,slower-5,slower-10,slower-25,memory-30,stage,function
comparisons=30
pairs=12
grow=()
results=.build/comparison/results.tsv
table_only=
while [ $# -gt 0 ]; do
    case $1 in
        --rows) rows=$2 && shift ;;
        --comparisons) comparisons=$2 && shift ;;
        --pairs) pairs=$2 && shift ;;
        --results) results=$2 && shift ;;
        --grow) grow=(--grow) ;;
        --table) table_only=1 ;;
        *) sed -n '5,14s/^# \{0,1\}//p' "$0" >&2 && exit 64 ;;
    esac
    shift
done

# What each row plants, and where it should be found.
options_of() {
    case $1 in
        nothing | itself) ;;
        slower-*) echo --slower "${1#slower-}" ;;
        memory-*) echo --memory "${1#memory-}" ;;
        stage) echo --extra-stage ;;
        function) echo --slower 10 ;;
        *) echo "run.sh: there is no row '$1'." >&2 && return 64 ;;
    esac
}
found_in() {
    case $1 in
        memory-*) echo '"stage": "extract", "metric": "peak_rss_mb"' ;;
        # The whole run does more work; the stage is reported as added.
        stage) echo '"stage": null, "metric": "cpu_time_s"' ;;
        *) echo '"stage": "transform", "metric": "cpu_time_s"' ;;
    esac
}

print_table() {
    echo "| planted | pairs | comparisons | regressed | cannot tell | ok or improved | found where it was planted |"
    echo "| --- | --- | --- | --- | --- | --- | --- |"
    awk -F '\t' '$1 != "#" {
            key = $1 "\t" $2
            if (!(key in all)) order[++keys] = key
            all[key]++; status[key, $4]++; found[key] += $5
        }
        END {
            for (index_ = 1; index_ <= keys; index_++) {
                key = order[index_]; split(key, part, "\t")
                printf "| %s | %s | %d | %d | %d | %d | %d |\n", part[1], part[2], all[key], status[key, 1], status[key, 2],
                    status[key, 0], found[key]
            }
        }' "$results"
}
if [ -n "$table_only" ]; then
    print_table
    exit
fi

tool=${TOOL:-.build/release/freeze-profile}
if ! [ -x "$tool" ]; then
    echo "run.sh: '$tool' is not there. Run 'make build' first." >&2
    exit 66
fi
for row in ${rows//,/ }; do options_of "$row" >/dev/null; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cc -O1 -g -fno-omit-frame-pointer -o "$work/planted" Tests/Fixtures/pipelines/planted.c
mkdir -p "$(dirname "$results")" "$work/out"
touch "$results"

# Runs as short as is sensible: 3 % of the stage 'transform', two thirds of a run, is to be more than the 5 ms below which no
# difference counts. What is noted already was measured with the same work.
units=$(awk -F '\t' '$1 == "#" { print $2 }' "$results" | tail -1)
if [ -z "$units" ]; then
    least=$(for _ in 1 2 3 4 5; do
        # shellcheck disable=SC2016 # the inner shell expands
        /usr/bin/env bash -c 'TIMEFORMAT=%U; time "$0" "$1" --work 100 > /dev/null' "$work/planted" "$work/out" 2>&1
    done | sort -n | head -1)
    units=$(awk -v least="$least" 'BEGIN { printf "%d", 100 * 0.27 / least }')
    printf '#\t%s\tunits of work; %s CPUs, load %s\n' "$units" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)" >>"$results"
fi
base="$work/planted {output_dir} --work $units"

is_noted() { awk -F '\t' -v row="$1" -v pairs="$2" -v seed="$3" \
    '$1 == row && $2 == pairs && $3 == seed { found = 1 } END { exit !found }' "$results"; }
fail() {
    cat "$work/log" >&2
    exit "$1"
}

# Both versions frozen with stacks: is crunch() the first function that is named?
compare_functions() { # SEED
    rm -rf "$work/profiles"
    local version kinds=(v1 v2)
    for version in "${kinds[@]}"; do
        local planted=()
        [ "$version" = v1 ] || read -r -a planted <<<"$(options_of function)"
        # shellcheck disable=SC2086
        "$tool" capture --version "$version" --output "$work/profiles/$version.yaml" --runs 2 --stack-runs 5 \
            --canaries 0 --sampler native --rate 2000 -- $base "${planted[@]}" >"$work/log" 2>&1 || fail $?
    done
    status=0
    "$tool" diff v1 v2 --profiles "$work/profiles" --explain transform --json --allow git_dirty \
        >"$work/json" 2>"$work/log" || status=$?
    [ "$status" -le 2 ] || fail "$status"
    found=$(grep -o '"functions": .*' "$work/json" | grep -o '"function": "[^"]*"' | head -1 | grep -c '"crunch"') || true
}

compare_runs() { # ROW PAIRS SEED
    local a=$base b
    b="$base $(options_of "$1")"
    if [ "$1" = itself ]; then
        a=${COMMAND:?says which command is to be compared with itself}
        b=$a
    fi
    status=0
    "$tool" ab --json --seed "$3" --pairs "$2" "${grow[@]}" --a "$a" --b "$b" >"$work/json" 2>"$work/log" || status=$?
    [ "$status" -le 2 ] || fail "$status"
    # Each row of the comparison is a line.
    found=$(grep -c "$(found_in "$1").*\"verdict\": \"regressed\"" "$work/json") || true
}

for row in ${rows//,/ }; do
    for count in ${pairs//,/ }; do
        label=$count${grow:+ growing}
        if [ "$row" = function ]; then label='5 stack runs'; fi
        for seed in $(seq "$comparisons"); do
            if is_noted "$row" "$label" "$seed"; then continue; fi
            started=$(date +%s.%N)
            if [ "$row" = function ]; then compare_functions "$seed"; else compare_runs "$row" "$count" "$seed"; fi
            printf '%s\t%s\t%s\t%s\t%s\n' "$row" "$label" "$seed" "$status" "$found" >>"$results"
            printf '%s, %s: %s of %s (%.1f s, load %s)\n' "$row" "$label" "$seed" "$comparisons" \
                "$(echo "$(date +%s.%N) - $started" | bc)" "$(cut -d' ' -f1 /proc/loadavg)" >&2
        done
        [ "$row" != function ] || break
    done
done
print_table
