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

report fan_out
for worker in 1 2 3 4 5 6 7 8 9 10; do
    (sleep "${TEN_PROCESSES_SLEEP:-0}" && head -c "${size}000000" /dev/zero | sha256sum | cut -c1-64 >"$output/digest.$worker") &
done
wait
report gather
cat "$output"/digest.* | sort >"$output/digests"
printf '{"version": "3.1", "build_mode": "script", "input_digest": "zeros-%s", "output_digest": "%s"}\n' \
    "$size" "$(sha256sum <"$output/digests" | cut -c1-64)" >"$output/.pipeline_facts.json"
report done
