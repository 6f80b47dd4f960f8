#!/bin/sh
# usage: gated.sh GATE OUTPUT_DIR
# Two stages, by the six plain fields. In the first it waits until there is a file GATE; the second works for a moment. With
# GATE.broken it fails in the second task of an array; with GATE.slow the second stage takes 1 s, on
# node n4 2.5 s.
gate=$1
output=$2
began=$(date +%s.%N)
stage() {
    printf '{"pid":%s,"stage":"%s","started_at":%s,"stage_started_at":%s}' $$ "$1" "$began" "$(date +%s.%N)" \
        > "$output/.status.tmp"
    mv "$output/.status.tmp" "$output/.pipeline_status.json"
}
stage fetch
: > "$gate.reached.${SLURM_ARRAY_TASK_ID:-0}.${SLURM_RESTART_COUNT:-0}"
until [ -e "$gate" ]; do sleep 0.05; done
if [ -e "$gate.broken" ] && [ "$SLURM_ARRAY_TASK_ID" = 2 ]; then
    echo "gated: the input is broken" >&2
    exit 3
fi
stage crunch
if [ -e "$gate.slow" ]; then
    if [ "$SLURMD_NODENAME" = n4 ]; then sleep 2.5; else sleep 1; fi
fi
i=0
while [ $i -lt 20000 ]; do i=$((i + 1)); done
stage "done"
