#!/bin/sh
# A pipeline of ten processes at once, each of which starts others. Usage: ten-processes.sh OUTPUT_DIR [MEGABYTES]
# Stages: fan_out digests zeros in ten processes, each after TEN_PROCESSES_SLEEP seconds; gather puts the digests together.
set -eu
output=$1
size=${2:-2}
status=${PIPELINE_STATUS_FILE:-$output/.pipeline_status.json}
mkdir -p "$output"

report() {
    printf '{"pid": %s, "stage": "%s"}\n' "$$" "$1" >"$status.tmp"
    mv "$status.tmp" "$status"
}

# Lives on in the background until the end, or when nobody ends it for so many seconds.
sleep "${TEN_PROCESSES_LINGER:-0}" &
lingering=$!

report fan_out
workers=
for worker in 1 2 3 4 5 6 7 8 9 10; do
    (sleep "${TEN_PROCESSES_SLEEP:-0}" && head -c "${size}000000" /dev/zero | sha256sum | cut -c1-64 >"$output/digest.$worker") &
    workers="$workers $!"
done
# shellcheck disable=SC2086 # a list of numbers
wait $workers
report gather
cat "$output"/digest.* | sort >"$output/digests"
printf '{"version": "3.1", "build_mode": "script", "input_digest": "zeros-%s", "output_digest": "%s"}\n' \
    "$size" "$(sha256sum <"$output/digests" | cut -c1-64)" >"$output/.pipeline_facts.json"
kill "$lingering" 2>/dev/null || true
report 'done'
