#!/usr/bin/env python3
"""Writes run records of a pipeline that was never run: records.py DIR STAGES RUNS [SESSION].

Every value differs from run to run and from stage to stage, as measured ones do. What freezing, verifying and
comparing cost can so be measured without a night of runs.
"""
import datetime
import json
import os
import random
import sys

UNAVAILABLE = {"unavailable": "it is read at edges only, and not where they follow each other fast"}


def stage(name, rng, scale):
    wall = round(0.01 * scale * rng.uniform(0.98, 1.02), 6)
    cpu = round(wall * rng.uniform(0.4, 0.6), 6)
    return {
        "stage": name, "entered": 1, "wall_s": wall, "cpu_s": cpu,
        "peak_rss_mb": round(20 * rng.uniform(0.99, 1.01), 3), "avg_cpu_pct": round(100 * cpu / wall, 2),
        "pss_mb": UNAVAILABLE if rng.random() < 0.3 else round(18 * rng.uniform(0.99, 1.01), 3),
        "disk_read_bytes": 0, "disk_written_bytes": 4096 * rng.randrange(4), "major_faults": 0,
        "voluntary_switches": rng.randrange(9), "involuntary_switches": rng.randrange(3),
        "run_queue_wait_s": round(0.001 * rng.random(), 6), "minor_faults": rng.randrange(200), "work_s": wall,
        "peak_method": "high-water mark", "source": "event trace",
    }


def record(session, index, stages, rng, begin):
    rows = [stage(f"stage_{number:04d}", rng, 1 + number % 7) for number in range(stages)]
    totals = {key: round(sum(row[key] for row in rows) * 1.001, 6) for key in ("wall_s", "cpu_s", "run_queue_wait_s")}
    totals["peak_rss_mb"] = max(row["peak_rss_mb"] for row in rows)
    totals["avg_cpu_pct"] = round(100 * totals["cpu_s"] / totals["wall_s"], 2)
    for key in ("disk_read_bytes", "disk_written_bytes", "major_faults", "voluntary_switches", "involuntary_switches",
                "minor_faults"):
        totals[key] = sum(row[key] for row in rows)
    started = begin + datetime.timedelta(seconds=60 * index)
    calm = {"before": 0.1, "after": 0.1, "lowest": 0.1, "highest": 0.2}
    return {
        "schema": "freeze-profile.run-record", "schema_version": "1.1", "tool_version": "0.1.0", "release": "v1",
        "session": session, "index": index, "kind": "measured",
        "started_at": started.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "exit": 0,
        "surroundings": {"steal_pct": 0.0, "others_cpu_s": 0.01, "others_cpu_pct": 0.1, "load_1m": calm},
        "recipe": {"argv": ["./pipeline"], "input_sha256": {"unavailable": "not declared"}, "environment": {}},
        "program": "pipeline", "dataset_id": "growth", "episodes_processed": {"unavailable": "none"},
        "identity": {"cpu_model": "Example CPU", "usable_cpus": 2, "os": "debian 12", "architecture": "x86_64",
                     "memory_class_gb": 8, "stage_graph": "0123456789abcdef"},
        "totals": totals, "stages": rows,
        "monitor": {"cpu_s": 0.1, "peak_rss_mb": 7.0, "ticks": 100, "log_lines": 100, "log_lines_lost": 0},
        "sampler": {"name": "none", "reason": "only profiled runs are sampled"},
        "sampler_cpu_s": {"unavailable": "this run was not sampled"}, "files": {}, "notes": [], "transitions": [],
        "transitions_left_out": 0,
    }


def write(directory, stages, runs, session="s1", day=1, indent=None):
    os.makedirs(directory, exist_ok=True)
    rng = random.Random(f"{stages} {session} {day}")
    begin = datetime.datetime(2026, 2, day, 12)
    for index in range(1, runs + 1):
        with open(f"{directory}/{index:03d}-measured.json", "w") as output:
            json.dump(record(session, index, stages, rng, begin), output, indent=indent)


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:5])
