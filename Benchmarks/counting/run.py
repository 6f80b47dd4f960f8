#!/usr/bin/env python3
"""Counted runs: how they repeat, what they find, and what they cost beside callgrind. See README.md.

    run.py repeat|planted|cost|unchanged|places [TRIALS]
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


def capture(directory, version, command, runs=1, prefix=()):
    """Freezes a version with counted runs, and returns its file."""
    file = directory / f"{version}.yaml"
    result = subprocess.run(
        [*prefix, TOOL, "capture", "--runs", "1", "--version", version, "--output", file, "--skip-warmup", "--stack-runs", "0",
         "--canaries", "0", "--count-runs", str(runs), "--force", "--no-stage-truth", "--", *command],
        capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"capture failed: {result.stderr}")
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


def unchanged(directory, commands, trials):
    """As many comparisons of unchanged work: each capture against the one before of the same program, with the standard budget."""
    previous, alarms, worst, done = {}, 0, 0.0, 0
    names = list(commands)
    for number in range(trials + len(names)):
        language = names[number % len(names)]
        newer = capture(directory, f"u{language}{number % (2 * len(names))}", commands[language])
        older = previous.get(language)
        previous[language] = newer
        if older is None:
            continue
        result, code = diff(older, newer)
        rows = result["counted"]["rows"]
        alarm = any(row.get("verdict") in ("regressed", "improved") for row in rows)
        alarms += alarm
        done += 1
        worst = max(worst, max(abs(row.get("change_pct", 0)) for row in rows))
        if alarm or done % 25 == 0:
            print(f"{done} comparisons of unchanged work, {alarms} alarms; at most apart, any stage: {worst:.6f} %", flush=True)


def total(file):
    """The counts of a frozen file: the whole run, and by stage."""
    counts, name, stages = False, None, {}
    for line in open(file):
        if not line.startswith(" "):
            counts = line.startswith("counts:")
        elif counts and line.strip().endswith(":") and line.strip() not in ("environment:", "stages:", "system_calls:"):
            name = line.strip()[:-1]
        elif counts and line.strip().startswith("instructions:"):
            stages[name] = int(line.split(":")[1])
    return stages


def places(directory, commands, trials):
    """One program on one and two CPUs, idle and beside busy loops, from another directory, and as another user."""
    far = directory / ("a-directory-with-a-long-name/" * 3)
    far.mkdir(parents=True)
    for language, command in commands.items():
        moved = []
        for word in command:
            copy = far / Path(word).name
            if word.startswith("/") and word != PYTHON:
                shutil.copy(word, copy)
                word = str(copy)
            moved.append(word)
        cases = [("as it is", [], command, 0), ("beside 4 busy loops", [], command, 4),
                 ("1 usable CPU", ["taskset", "-c", "0"], command, 0),
                 ("1 usable CPU, 4 busy loops", ["taskset", "-c", "0"], command, 4),
                 ("another directory", [], moved, 0)]
        if os.getuid() == 0 and shutil.which("setpriv"):
            cases.append(("another user", ["setpriv", "--reuid=65534", "--clear-groups", "env", "HOME=/tmp"], command, 0))
        first = None
        for name, prefix, words, busy in cases:
            loops = [subprocess.Popen([PYTHON, "-c", "while True: pass"]) for _ in range(busy)]
            place = directory / "places"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            place.chmod(0o777)
            try:
                file = capture(place, "p", words, prefix=prefix)
            finally:
                for loop in loops:
                    loop.kill()
                    loop.wait()
            counts = total(file)
            first = first or counts
            apart = {stage: 100 * (counts.get(stage, 0) / count - 1) for stage, count in first.items() if count}
            worst = max(apart, key=lambda stage: abs(apart[stage]))
            print(f"{language:8} {name:28} {counts['total']:>13,}  {apart['total']:+.5f} %  "
                  f"most: {worst} {apart[worst]:+.5f} %", flush=True)


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
        directory.chmod(0o755)
        {"repeat": repeat, "planted": planted, "cost": cost, "unchanged": unchanged, "places": places}[what](directory, build(directory), trials)


main()
