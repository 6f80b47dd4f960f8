#!/usr/bin/env python3
"""Whether sampled Python stacks are true, for every CPython on this machine.

Usage: Benchmarks/python/run.py [--samples N] [--rate HZ] [--root DIRECTORY] [--python PROGRAM]...

Samples Tests/Fixtures/python/oracle.py, which calls functions in every way that Python has and measures by its thread's own clock
what each way took. A stack is impossible when the functions below drive (or thread_work) are no beginning of those of one way. A
way's share of the samples is compared with its share of the time, by the 99 % interval of counting samples. Ends with 1 where a
stack is impossible, or more shares are outside than chance explains once in a thousand runs. Default: 10,000 samples at 997 Hz of
each of python3.8 to python3.15 on PATH and in ~/.pyenv. With --root the programs are run inside that directory by chroot: for
releases of another distribution, unpacked there.
"""
import argparse
import collections
import glob
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ORACLE = os.path.join(ROOT, "Tests/Fixtures/python/oracle.py")
# 2.576 standard deviations hold 99 %.
WIDTH = 2.576


def tool():
    if os.environ.get("FREEZE_PROFILE"):
        return os.environ["FREEZE_PROFILE"]
    for kind in ("release", "debug"):
        program = os.path.join(ROOT, ".build", kind, "freeze-profile")
        if os.access(program, os.X_OK):
            return program
    sys.exit("run.py: there is no freeze-profile in .build/release or .build/debug; build it first.")


def interpreters():
    found = {}
    for minor in range(8, 16):
        candidates = [shutil.which(f"python3.{minor}"), f"/usr/bin/python3.{minor}"]
        candidates += glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/python3.{minor}"))
        for candidate in candidates:
            if candidate and os.access(candidate, os.X_OK) and b"\x7fELF" == open(candidate, "rb").read(4):
                found[os.path.realpath(candidate)] = candidate
    return list(found.values())


def stacks(path):
    """The functions of oracle.py in each sampled stack, outermost first, with its weight."""
    profile = json.load(open(path))
    frames = profile["shared"]["frames"]
    for part in profile["profiles"]:
        for sample, weight in zip(part["samples"], part["weights"]):
            chosen = [frames[index] for index in sample]
            yield [f["name"].split(".")[-1] for f in chosen if f.get("file") == "oracle.py"], weight


def way_of(stack, ways):
    """The way that a stack belongs to; None above them all; an empty name where it is impossible."""
    for root, names in (("drive", [n for n in ways if n != "thread"]), ("thread_work", ["thread"])):
        if root not in stack:
            continue
        below = stack[stack.index(root) + 1:]
        if not below:
            return None
        fitting = [name for name in names if ways[name]["stack"][:len(below)] == below]
        # What two ways share at their beginning is neither's.
        return fitting[0] if len(fitting) == 1 else "" if not fitting else None
    return None


def check(program, samples, rate, root):
    with tempfile.TemporaryDirectory() as scratch:
        truth, output = os.path.join(scratch, "truth.json"), os.path.join(scratch, "stacks.json")
        command = [program, ORACLE, "{seconds}", truth]
        if root:
            truth = os.path.join(root, "truth.json")
            shutil.copy(ORACLE, root)
            command = ["chroot", root, program, "/oracle.py", "{seconds}", "/truth.json"]
        seconds = samples / rate / 1.1 + 0.5
        run = subprocess.run(
            [tool(), "sample", "--sampler", "perf", "--rate", str(rate), "--format", "speedscope", "-o", output, "--",
             *(word.replace("{seconds}", f"{seconds:.1f}") for word in command)], capture_output=True, text=True)
        if run.returncode != 0:
            return {"error": run.stderr.strip().splitlines()[-1][:100]}
        health = re.search(r"Python functions of (\d+) of (\d+) stacks(?:, (\d+) not read in time)?(?:, (\d+) not)?", run.stderr)
        if not health:
            return {"error": "no Python functions: " + run.stderr.strip().splitlines()[-1][:100]}
        proven, every, unproven, failed = (int(text or 0) for text in health.groups())
        ways = json.load(open(truth))["ways"]
        counts, impossible, example, total = collections.Counter(), 0, None, 0
        for stack, weight in stacks(output):
            way = way_of(stack, ways)
            total += weight if stack else 0
            if way == "":
                impossible, example = impossible + weight, stack
            elif way:
                counts[way] += weight
    period = 1 if sum(counts.values()) < 1e6 else 1e9 / rate
    counts = {way: counts[way] / period for way in ways}
    # The thread runs at the end, when more or fewer samples may be proven than before: its stacks are looked at, not its share.
    in_turn = {name: way for name, way in ways.items() if name != "thread"}
    all_samples, all_time = sum(counts[n] for n in in_turn), sum(way["nanoseconds"] for way in in_turn.values())
    outside = []
    for name, way in in_turn.items():
        share, expected = counts[name] / max(1, all_samples), way["nanoseconds"] / all_time
        error = WIDTH * math.sqrt(expected * (1 - expected) / max(1, all_samples))
        if abs(share - expected) > error:
            outside.append(f"{name} {100 * share:.1f} not {100 * expected:.1f} %")
    return {
        "samples": every, "unproven": unproven / every, "failed": failed, "impossible": round(impossible / period),
        "ways": len(in_turn), "outside": outside, "example": example,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=997)
    parser.add_argument("--root")
    parser.add_argument("--python", action="append")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {arguments.rate} Hz\n")
    print("| CPython | stacks | unproven | failed | impossible | shares outside 99 % |\n|---|---|---|---|---|---|", flush=True)
    bad = all_outside = all_ways = 0
    for program in arguments.python or interpreters():
        inside = ["chroot", arguments.root] if arguments.root else []
        version = subprocess.run([*inside, program, "--version"], capture_output=True, text=True).stdout.split()[-1]
        result = check(program, arguments.samples, arguments.rate, arguments.root)
        if "error" in result:
            print(f"| {version} | {result['error']} | | | | |", flush=True)
            bad += 1
            continue
        print(
            f"| {version} | {result['samples']} | {100 * result['unproven']:.1f} % | {result['failed']} | {result['impossible']} "
            f"| {len(result['outside'])} of {result['ways']} {'; '.join(result['outside'])} |", flush=True)
        if result["example"]:
            print("    impossible:", " > ".join(result["example"]), file=sys.stderr)
        bad += result["impossible"] > 0
        all_outside += len(result["outside"])
        all_ways += result["ways"]
    # One in a hundred is outside by chance: the most that this is in 999 of 1,000 runs.
    expected = all_ways / 100
    return 1 if bad or all_outside > expected + 3.3 * math.sqrt(expected) + 1 else 0


if __name__ == "__main__":
    sys.exit(main())
