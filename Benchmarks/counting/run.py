#!/usr/bin/env python3
"""Counted runs: how they repeat, what they find, and what they cost beside callgrind. See README.md.

    run.py repeat|planted|cost [TRIALS]
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOL = os.environ.get("FREEZE_PROFILE", str(HERE.parent.parent / ".build/release/freeze-profile"))
PYTHON = "/usr/bin/python3"


def build(directory):
    """The three pipelines as commands, without their arguments."""
    subprocess.run(["gcc", "-O2", "-g", HERE / "pipeline.c", "-o", directory / "c"], check=True)
    commands = {"C": [str(directory / "c")], "Python": [PYTHON, str(HERE / "pipeline.py")]}
    if shutil.which("swiftc"):
        subprocess.run(
            ["swiftc", "-O", HERE / "pipeline.swift", "-o", directory / "swift"], check=True)
        commands["Swift"] = [str(directory / "swift")]
    return commands


def capture(directory, version, command, runs=1):
    """Freezes a version with counted runs, and returns its file."""
    file = directory / f"{version}.yaml"
    subprocess.run(
        [TOOL, "capture", "--version", version, "--output", file, "--skip-warmup", "--stack-runs", "0",
         "--canaries", "0", "--count-runs", str(runs), "--force", "--no-stage-truth", "--", *command],
        check=True, capture_output=True)
    return file


def diff(older, newer, *options):
    """The comparison of two files, as JSON, with the exit code."""
    result = subprocess.run([TOOL, "diff", older, newer, "--json", *options], capture_output=True, text=True)
    return json.loads(result.stdout), result.returncode


def repeat(directory, commands, trials):
    """The counts of one program, again and again, alone and beside four busy loops."""
    for language, command in commands.items():
        counts = []
        for busy in (0, 4):
            loops = [subprocess.Popen([PYTHON, "-c", "while True: pass"]) for _ in range(busy)]
            try:
                for trial in range(trials):
                    older = capture(directory, f"r{busy}{trial}", command)
                    counts.append(older)
            finally:
                for loop in loops:
                    loop.kill()
                    loop.wait()
        first, worst = counts[0], {}
        for other in counts[1:]:
            for row in diff(first, other)[0]["counted"]["rows"]:
                stage = row["stage"] or "whole run"
                worst[stage] = max(worst.get(stage, 0), abs(row.get("change_pct", 0)))
        text = ", ".join(f"{stage} {change:.5f} %" for stage, change in worst.items())
        print(f"{language:8} {2 * trials} runs, half of them beside 4 busy loops; at most apart: {text}", flush=True)


def planted(directory, commands, trials):
    """Changes in one function: what is said of them."""
    for language, command in commands.items():
        for extra in (0, 1, 5, 250):
            named = verdicts = 0
            changes = []
            for trial in range(trials):
                older = capture(directory, "a", command + ["0"])
                newer = capture(directory, "b", command + [str(extra)])
                result, code = diff(older, newer, "--count-budget", "0.05" if extra < 10 else "0.5")
                rows = result["counted"]["rows"]
                crunch = next(row for row in rows if row["stage"] == "crunch")
                others = [row for row in rows if row["stage"] not in (None, "crunch")]
                changes.append(crunch["change_pct"])
                regressed = [row["stage"] for row in rows if row["verdict"] == "regressed" and row["stage"]]
                function = crunch["functions"][0]["name"] if crunch["functions"] else ""
                right = regressed == ["crunch"] and "load" in function
                named += right if extra else regressed == []
                verdicts += code == 1 if extra else code == 0
                assert others
            print(
                f"{language:8} +{extra / 10:.1f} % in load: stage {min(changes):+.4f} to {max(changes):+.4f} %, "
                f"right in {named} of {trials}, exit code right in {verdicts}", flush=True)


def cpu_seconds(command, environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cost(directory, commands, trials):
    """CPU time natively, counted, and under callgrind, in turn; medians."""
    for language, command in commands.items():
        scale = {"C": "40", "Python": "15", "Swift": "30"}[language]
        words = command + ["0", scale]
        times = {"native": [], "counted": [], "callgrind": []}
        environment = dict(os.environ, PIPELINE_STATUS_FILE=str(directory / ".pipeline_status.json"),
                           PYTHONHASHSEED="0", SWIFT_DETERMINISTIC_HASHING="1")
        for _ in range(trials):
            times["native"].append(cpu_seconds(words, environment))
            before = cpu_seconds(words, environment)
            overhead = resource.getrusage(resource.RUSAGE_CHILDREN)
            capture(directory, "cost", words)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            whole = after.ru_utime + after.ru_stime - overhead.ru_utime - overhead.ru_stime
            # A capture also makes a measured run.
            times["counted"].append(whole - before)
            if language != "Swift":  # valgrind 3.19 cannot read the debug information of Swift 6.3.
                times["callgrind"].append(cpu_seconds(
                    ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/out", *words], environment))
        native = sorted(times["native"])[trials // 2]
        texts = [f"native {native:.2f} s"]
        for name in ("counted", "callgrind"):
            if times[name]:
                texts.append(f"{name} {sorted(times[name])[trials // 2] / native:.1f} times")
        print(f"{language:8} " + ", ".join(texts), flush=True)


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else "repeat"
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory(prefix="counting-") as path:
        directory = Path(path)
        {"repeat": repeat, "planted": planted, "cost": cost}[what](directory, build(directory), trials)


main()
