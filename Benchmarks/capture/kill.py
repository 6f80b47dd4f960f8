#!/usr/bin/env python3
"""Kills a capture with SIGKILL at random moments, and looks at what is left.

Usage: kill.py [--times 50] [--sleep 1.2] [--bin .build/release] [--seed N]

After each kill: no process that the capture started runs on, no finished run is lost, a profile that is there verifies,
and the same command, started again, makes the missing runs and a profile that verifies and has the finished ones in it.
Every third time an older profile of the same name is there and is being replaced.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "Tests/Fixtures/pipelines/ten-processes.sh"


def left_over(mark):
    """Processes with our mark in their environment."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                environment = file.read()
            with open(f"/proc/{entry}/stat") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if mark.encode() in environment and state not in "ZX":
            found.append(int(entry))
    return found


def wait_until_gone(mark, seconds=10):
    """What is left after a while; the kernel and the guardian need a moment."""
    deadline = time.monotonic() + seconds
    while left_over(mark) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left_over(mark)


def records(directory):
    """The records that are there, each with when its run was started."""
    found = {}
    for path in (directory / ".records").rglob("[0-9]*.json"):
        found[path.name] = json.loads(path.read_text())["started_at"]
    return found


def run(command, environment):
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)


def one(number, generator, tool, pause, whole_seconds, problems):
    directory = Path(tempfile.mkdtemp(prefix="capture-kill."))
    mark = f"CAPTURE_KILL_MARK={os.getpid()}.{number}."
    environment = dict(os.environ, **dict([mark.split("=")]), TMPDIR=str(directory))
    profile = directory / "v1.yaml"
    replaces = number % 3 == 0
    # Without canaries, so that most kills meet a run and not the timing of the machine.
    capture = [tool, "capture", "--version", "v1", "--output", str(profile), "--canaries", "0", "--runs", "2",
               "--stack-runs", "1"]
    command = capture + (["--force"] if replaces else []) + ["--", str(PIPELINE), "{output_dir}"]
    if replaces:
        first = run(capture[:-4] + ["--runs", "1", "--stack-runs", "0", "--", str(PIPELINE), "{output_dir}"], environment)
        if first.returncode != 0:
            problems.append(f"{number}: the older profile: {first.stderr}")
    # What the pipeline has in the background lives for longer than we wait, unless it is ended.
    slowly = dict(environment, TEN_PROCESSES_SLEEP=pause, TEN_PROCESSES_LINGER="60")
    child = subprocess.Popen(command, env=slowly, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    moment = generator.uniform(0, whole_seconds)
    time.sleep(moment)
    child.send_signal(signal.SIGKILL)
    child.wait()
    finished = records(directory)
    over = wait_until_gone(mark)
    if over:
        problems.append(f"{number}: killed after {moment:.3f} s, processes {over} run on")
    was_there = profile.exists()
    if was_there and run([tool, "verify", str(profile)], environment).returncode != 0:
        problems.append(f"{number}: killed after {moment:.3f} s, the profile does not verify")
    if records(directory) != finished:
        problems.append(f"{number}: finished runs changed after the kill")
    # With the same variables: others would be another recipe.
    again = run(command, slowly)
    # Without --force a capture that had just frozen is refused, rightly.
    if again.returncode != 0 and not (was_there and again.returncode == 73):
        problems.append(f"{number}: killed after {moment:.3f} s, going on failed: {again.stderr.strip()}")
    verified = run([tool, "verify", str(profile)], environment)
    if verified.returncode != 0:
        problems.append(f"{number}: killed after {moment:.3f} s, the profile does not verify: {verified.stdout}{verified.stderr}")
    elif not (replaces and was_there):
        text = profile.read_text()
        lost = [name for name, start in finished.items() if start not in text]
        if lost:
            problems.append(f"{number}: killed after {moment:.3f} s, lost {lost}")
    debris = [name for name in os.listdir(directory) if name.startswith((".freezing-", "freeze-profile."))]
    if debris:
        problems.append(f"{number}: {debris} left over")
    shutil.rmtree(directory, ignore_errors=True)
    return moment, len(finished)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--bin", default=str(ROOT / ".build/release"))
    parser.add_argument("--sleep", default="1.2", help="seconds that each process of the pipeline sleeps")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    generator = random.Random(options.seed)
    tool = str(Path(options.bin) / "freeze-profile")
    with tempfile.TemporaryDirectory() as directory:
        began = time.monotonic()
        whole = run([tool, "capture", "--version", "v1", "--output", f"{directory}/v1.yaml", "--canaries",
                     "0", "--runs", "2", "--stack-runs", "1", "--", str(PIPELINE), "{output_dir}"], dict(os.environ, TMPDIR=directory, TEN_PROCESSES_SLEEP=options.sleep))
        whole_seconds = time.monotonic() - began
        if whole.returncode != 0:
            sys.exit(f"The capture fails without being killed: {whole.stderr}")
    problems = []
    finished = [one(number, generator, tool, options.sleep, whole_seconds, problems)[1] for number in range(options.times)]
    for problem in problems:
        print(problem)
    spread = ", ".join(f"{finished.count(count)} with {count}" for count in sorted(set(finished)))
    print(f"seed {options.seed}: {options.times} kills within {whole_seconds:.1f} s "
          f"(finished runs at the kill: {spread}): {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
