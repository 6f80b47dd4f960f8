#!/usr/bin/env python3
"""A pipeline of two stages whose work is counted, not timed, with a regression to be planted in one function of one stage.

Usage: pipeline.py OUTPUT_DIR [--slower PERCENT]
Stages: prepare normalises text; rank scores pairs (pairs.py), PERCENT more of them, and normalises some text.
"""
import json
import os
import sys
import time

import pairs

STATUS = os.environ.get("PIPELINE_STATUS_FILE", os.path.join(sys.argv[1], ".pipeline_status.json"))
STARTED = time.time()


def report(stage):
    """Replace the status file, the way every pipeline of this contract does."""
    fields = {"pid": os.getpid(), "stage": stage, "started_at": STARTED, "stage_started_at": time.time()}
    temporary = STATUS + ".tmp"
    with open(temporary, "w") as file:
        json.dump(fields, file)
    os.rename(temporary, STATUS)


def normalise_text(count):
    words = 0
    for number in range(count):
        words += len(str(number * 7919).split("9"))
    return words


def rank(slower):
    return normalise_text(600_000) + pairs.score_pairs(24_000_000 * (100 + slower) // 100)


def main():
    slower = int(sys.argv[sys.argv.index("--slower") + 1]) if "--slower" in sys.argv else 0
    os.makedirs(sys.argv[1], exist_ok=True)
    report("prepare")
    normalise_text(500_000)
    report("rank")
    rank(slower)
    report("done")


main()
