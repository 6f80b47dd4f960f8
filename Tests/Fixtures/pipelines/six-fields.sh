#!/bin/sh
# A pipeline that is not ours, in shell: it writes the plain status file itself. Usage: six-fields.sh OUTPUT_DIR
set -eu
output=$1
status=${PIPELINE_STATUS_FILE:-$output/.pipeline_status.json}
started=$(date +%s.%N)
mkdir -p "$output"

report() {
    printf '{"pid": %s, "stage": "%s", "started_at": %s, "stage_started_at": %s}\n' \
        "$$" "$1" "$started" "$(date +%s.%N)" >"$status.tmp"
    mv "$status.tmp" "$status"
}

report extract
seq 1 200000 >"$output/numbers"
report sort
sort -R "$output/numbers" | sort -n >"$output/sorted"
report compress
gzip -9 <"$output/sorted" >"$output/sorted.gz"
report 'done'
