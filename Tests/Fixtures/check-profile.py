#!/usr/bin/env python3
"""Reads frozen profiles with PyYAML and computes their summaries again: an oracle that shares no code with the toolkit.

Usage: check-profile.py PROFILE...   prints what does not agree, and exits with 1 when anything does not.
"""
import hashlib
import statistics
import sys

import yaml

RUN_KEYS = {"wall_time_s": "wall_s", "cpu_time_s": "cpu_s"}
METRICS = ["wall_time_s", "cpu_time_s", "peak_rss_mb", "avg_cpu_pct", "pss_mb", "disk_read_bytes", "disk_written_bytes",
           "major_faults", "voluntary_switches", "involuntary_switches", "run_queue_wait_s", "instructions"]


def number(value):
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def check(name, stated, values, problems):
    """A summary's metrics against the medians of the runs' values."""
    for metric in METRICS:
        there = [number(value.get(RUN_KEYS.get(metric, metric))) for value in values]
        there = [value for value in there if value is not None]
        said = number(stated.get(metric))
        if not there and said is None:
            continue
        median = statistics.median(there) if there else None
        tolerance = 2 if metric.endswith(("bytes", "faults", "switches")) else 0.02 if metric == "avg_cpu_pct" else 0.002
        if said is None or median is None or abs(said - median) > tolerance:
            problems.append(f"{name}.{metric}: {said}, but its runs give {median}")


def main():
    problems = []
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            content = file.read()
        profile = yaml.safe_load(content)
        runs = [run for session in profile["sessions"] for run in session["runs"]
                if run["kind"] == "measured" and run["exit"] == 0]
        check("totals", profile["totals"], runs, problems)
        for stage, stated in profile["stages"].items():
            check(f"stages.{stage}", stated, [run["stages"][stage] for run in runs if stage in run["stages"]], problems)
        for metric, rest in (("wall_time_s", "unattributed_wall_s"), ("cpu_time_s", "unattributed_cpu_s")):
            key = RUN_KEYS[metric]
            rests = [run[key] - sum(stage[key] for stage in run["stages"].values()) for run in runs
                     if all(number(stage[key]) is not None and not stage.get("shared") for stage in run["stages"].values())]
            stated = number(profile["totals"][rest])
            if stated is not None and rests and abs(stated - statistics.median(rests)) > 0.0001:
                problems.append(f"{metric}: what is outside stages is not the median of the runs' rests")
            if any(value < -0.0001 for value in rests):
                problems.append(f"{metric}: the stages of a run used more than the run")
        lines = [line for line in content.splitlines(keepends=True) if not line.startswith(b"content_sha256:")]
        if hashlib.sha256(b"".join(lines)).hexdigest() != profile["content_sha256"]:
            problems.append("content_sha256 is not that of the file")
    print("\n".join(problems) if problems else "agrees")
    sys.exit(1 if problems else 0)


main()
