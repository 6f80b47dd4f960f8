#!/usr/bin/env python3
"""What a measured run costs the pipeline: the command under the monitor, stacks off, against the bare command.

Usage: overhead.py [--pairs 40] [--seconds 4] [--bin .build/release] [--json]

Pairs of one bare and one watched run, in an order drawn anew for each pair, so that a machine whose speed wanders slows
both alike. Each pair gives a ratio; printed are the Hodges-Lehmann estimate of the ratio (the median of all means of two
log ratios) and the 95 % interval of the signed-rank test, of wall time, and of CPU time in user mode and in all. The
pipeline computes a fixed amount and goes through ten stages, which it reports in the status file.
"""
import argparse
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PIPELINE = r"""
import json, os, sys
output = os.environ["PIPELINE_OUTPUT_DIR"]
status = os.environ.get("PIPELINE_STATUS_FILE", output + "/.pipeline_status.json")
for stage in range(10):
    with open(status + ".tmp", "w") as file:
        json.dump({"pid": os.getpid(), "stage": f"stage_{stage}"}, file)
    os.rename(status + ".tmp", status)
    total = 0
    for value in range(int(sys.argv[1])):
        total += value * value
"""


def bare(command, directory):
    """The command as it is: wall and CPU seconds by the kernel's account, as a capture takes them."""
    environment = dict(os.environ, PIPELINE_OUTPUT_DIR=directory, PIPELINE_STATUS_FILE=f"{directory}/.pipeline_status.json",
                       PODCAST_SCRAPER_MONITOR_FILE_LOG="1")
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, code, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if code != 0:
        sys.exit("The bare command fails.")
    return wall, usage.ru_utime + usage.ru_stime


def watched(command, directory, tool):
    """One measured run of a capture: what its record says."""
    capture = [tool, "capture", "--version", "v", "--output", f"{directory}/v.yaml", "--skip-warmup", "--runs", "1",
               "--stack-runs", "0", "--"] + command
    done = subprocess.run(capture, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        sys.exit(f"The capture fails: {done.stderr}")
    totals = json.loads(Path(directory, ".records/v/s1/001-measured.json").read_text())["totals"]
    return totals["wall_s"], totals["cpu_s"]


def hodges_lehmann(values):
    """The estimate, and the interval of the signed-rank test at 95 %, of the centre of some values."""
    means = sorted((a + b) / 2 for i, a in enumerate(values) for b in values[i:])
    count = len(values)
    mean = count * (count + 1) / 4
    deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    cut = max(0, int(mean - 1.96 * deviation))
    return statistics.median(means), means[cut], means[-1 - cut]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--bin", default=str(ROOT / ".build/release"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tool = str(Path(options.bin) / "freeze-profile")
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as directory:
        steps = 40000
        probe = bare([sys.executable, "-c", PIPELINE, str(steps)], directory)[0]
        steps = int(steps * options.seconds / probe)
    command = [sys.executable, "-c", PIPELINE, str(steps)]
    walls, cpus, lengths = [], [], []
    for _ in range(options.pairs):
        directory = tempfile.mkdtemp(prefix="capture-overhead.")
        pair = {}
        for kind in generator.sample(["bare", "watched"], 2):
            pair[kind] = bare(command, directory) if kind == "bare" else watched(command, directory, tool)
        shutil.rmtree(directory, ignore_errors=True)
        walls.append(math.log(pair["watched"][0] / pair["bare"][0]))
        cpus.append(math.log(pair["watched"][1] / pair["bare"][1]))
        lengths.append(pair["bare"][0])
    figures = {}
    for name, ratios in (("wall", walls), ("CPU", cpus)):
        figures[name] = [100 * (math.exp(value) - 1) for value in hodges_lehmann(ratios)]
    if options.json:
        print(json.dumps({"pairs": options.pairs, "median_bare_s": statistics.median(lengths), "overhead_pct": figures}))
        return
    print(f"{options.pairs} pairs of a pipeline of {statistics.median(lengths):.2f} s, monitor on, stacks off, "
          f"against the bare command:")
    for name, (estimate, low, high) in figures.items():
        print(f"  {name} {estimate:+.2f} %  (95 % interval {low:+.2f} to {high:+.2f} %)")


if __name__ == "__main__":
    main()
