#!/usr/bin/env python3
"""A pipeline that is not ours: it writes the plain six-field status file itself, and nothing else.

Usage: six-fields.py OUTPUT_DIR [--fail]
Stages: ingest sleeps 0.3 s, crunch computes for about 1 s of CPU, blink lasts 50 ms, publish writes a file.
"""
import json
import os
import sys
import time

OUTPUT = sys.argv[1]
STATUS = os.environ.get("PIPELINE_STATUS_FILE", os.path.join(OUTPUT, ".pipeline_status.json"))
STARTED = time.time()


def report(stage, index=None, total=None):
    """Replace the status file, the way every pipeline of this contract does."""
    fields = {"pid": os.getpid(), "stage": stage, "started_at": STARTED, "stage_started_at": time.time()}
    if index is not None:
        fields["episode_idx"], fields["episode_total"] = index, total
    temporary = STATUS + ".tmp"
    with open(temporary, "w") as file:
        json.dump(fields, file)
    os.rename(temporary, STATUS)


def crunch_numbers(cpu_seconds):
    """Burn CPU time in a function with a name to look for in the flamegraph."""
    deadline = time.process_time() + cpu_seconds
    total = 0
    while time.process_time() < deadline:
        total += sum(value * value for value in range(2000))
    return total


def main():
    os.makedirs(OUTPUT, exist_ok=True)
    report("ingest", 1, 2)
    time.sleep(0.3)
    report("crunch", 1, 2)
    result = crunch_numbers(1.0)
    report("blink", 2, 2)
    time.sleep(0.05)
    report("publish", 2, 2)
    with open(os.path.join(OUTPUT, "result.txt"), "w") as file:
        file.write(f"{result}\n")
    if "--fail" in sys.argv:
        print("disk on fire: cannot publish", file=sys.stderr)
        sys.exit(3)
    report("done")


main()
