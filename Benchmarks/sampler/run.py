#!/usr/bin/env python3
"""What samplers cost their target and themselves: ours beside py-spy and perf, in interleaved pairs.

Usage: Benchmarks/sampler/run.py [PAIRS [SECONDS]]      (default 5 pairs, targets of about 1 s)

Every pair runs the bare target and the target under a sampler, in random order. The target prints how long its work took and
how much CPU it used; what is used beyond that is the sampler's, from its start to the finished picture. Columns:

slow-down      Hodges-Lehmann estimate of the ratio of the target's own times, and its 95 % interval
samples        median; lost ones after the plus sign where the sampler counts them
CPU a sample   of the sampler, everything included: start, reading ELF files, unwinding, names, the picture
to the picture from the end of the target's work to the finished file
memory         the largest resident set of the sampler; of perf while it records
output         bytes of the picture; of perf the recording, which is what it writes while the target runs

perf stops at `perf script`, which names the stacks: no picture yet. Needs gcc; perf (linux-perf) and py-spy
(scripts/bootstrap --tests) are left out where they are missing or refused.
"""
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOL = os.path.join(ROOT, ".build/release/freeze-profile")
PY_SPY = os.path.join(ROOT, ".build/test-venv/bin/py-spy")


def high_water_mark(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(r"VmHWM:\s*(\d+)", status.read())[1]) * 1024
    except (OSError, TypeError):
        return 0


class Run:
    """A command run to its end: what it said, how long it took, its CPU seconds and largest resident set."""

    def __init__(self, command):
        with tempfile.TemporaryFile() as sink:
            begin = time.monotonic()
            process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
            self.memory = 0
            # By the kernel's own high-water mark, looked at until the end: what wait4 reports counts this script's memory
            # from before the exec as well.
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                self.memory = max(self.memory, high_water_mark(process.pid))
                time.sleep(0.01)
            _, status, usage = os.wait4(process.pid, 0)
            self.wall = time.monotonic() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            sink.seek(0)
            self.output = sink.read().decode(errors="replace")
        self.status = process.returncode
        self.cpu = usage.ru_utime + usage.ru_stime
        found = re.search(r"RESULT (\d+) (\d+)", self.output)
        self.target_wall, self.target_cpu = (int(found[1]) / 1e9, int(found[2]) / 1e9) if found else (None, None)


class Sampler:
    """A way of sampling a target, with what comes after the recording where that is a command of its own."""

    def __init__(self, name, command, picture, samples, lost=None, after=None, output=None):
        self.name, self.command, self.picture, self.after = name, command, picture, after
        self.samples, self.lost, self.output = samples, lost, output or picture

    def measure(self, target):
        """Ratio-free figures of one run; None where it failed."""
        run = Run(self.command + target)
        if run.target_wall is None or not os.path.exists(self.output):
            print(f"{self.name}: failed: {run.output.strip()[-300:]}", file=sys.stderr)
            return None
        cpu, rest, memory = run.cpu - run.target_cpu, run.wall - run.target_wall, run.memory
        if self.after:
            with open(self.picture, "wb") as sink:
                begin, before = time.monotonic(), os.times()
                subprocess.run(self.after, stdout=sink, stderr=subprocess.DEVNULL, check=False)
                spent = os.times()
            rest += time.monotonic() - begin
            cpu += spent.children_user + spent.children_system - before.children_user - before.children_system
        samples = int((re.search(self.samples, run.output) or [0, 0])[1])
        lost = re.search(self.lost, run.output) if self.lost else None
        return {
            "wall": run.target_wall, "samples": samples, "lost": int(lost[1]) if lost else None,
            "cpu": cpu / samples * 1e6 if samples else None, "rest": rest, "memory": memory,
            "output": os.path.getsize(self.output)}


def ours(rate, scratch, mode="cpu"):
    picture = os.path.join(scratch, "ours.svg")
    options = ["--mode", "wall"] if mode == "wall" else ["--sampler", "perf"]
    command = [TOOL, "sample", "--rate", str(rate), "-o", picture] + options + ["--"]
    kind = "ptrace, wall clock," if mode == "wall" else "perf events"
    return Sampler(
        f"freeze-profile {kind} {rate} Hz", command, picture, r"(\d+) samples, \d+ lost", r"samples, (\d+) lost")


def perf(rate, scratch, stack):
    data = os.path.join(scratch, "perf.data")
    command = ["perf", "record", "-F", str(rate), "-e", "cpu-clock:u", "--call-graph", f"dwarf,{stack}", "-o", data, "--"]
    return Sampler(
        f"perf record dwarf,{stack} {rate} Hz + script", command, os.path.join(scratch, "perf.txt"), r"\((\d+) samples\)",
        after=["perf", "script", "--no-inline", "-i", data], output=data)


def py_spy(rate, scratch, native):
    picture = os.path.join(scratch, "py-spy.svg")
    options = ["--native"] if native else []
    command = [PY_SPY, "record", "-r", str(rate), "-o", picture] + options + ["--"]
    return Sampler(
        " ".join(["py-spy"] + options + [str(rate), "Hz"]), command, picture, r"Samples: (\d+)", r"Errors: (\d+)")


def hodges_lehmann(values):
    """The median of all means of two, and its 95 % interval by the normal approximation of the signed-rank test."""
    count = len(values)
    walsh = sorted((values[i] + values[j]) / 2 for i in range(count) for j in range(i, count))
    middle = count * (count + 1) / 4
    deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    index = max(0, math.floor(middle - 1.96 * deviation))
    return statistics.median(walsh), walsh[index], walsh[-1 - index]


def size(count):
    for unit, scale in (("MB", 1e6), ("KB", 1e3)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count:.0f} B"


def measure(title, target, samplers, pairs):
    results = {sampler.name: [] for sampler in samplers}
    ratios = {sampler.name: [] for sampler in samplers}
    for _ in range(pairs):
        for sampler in random.sample(samplers, len(samplers)):
            order = random.random() < 0.5
            first = Run(target).target_wall if order else None
            result = sampler.measure(target)
            bare = first if order else Run(target).target_wall
            if result and bare:
                results[sampler.name].append(result)
                ratios[sampler.name].append(math.log(result["wall"] / bare))
    print(f"\n{title}\n")
    print("| sampler | slow-down (95 % interval) | samples | CPU a sample | to the picture | memory | output |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for sampler in samplers:
        found = results[sampler.name]
        if not found:
            print(f"| {sampler.name} | failed | | | | | |")
            continue
        estimate, low, high = (math.exp(value) for value in hodges_lehmann(ratios[sampler.name]))

        def middle(key):
            values = [result[key] for result in found if result[key] is not None]
            return statistics.median(values) if values else None

        lost, cpu = middle("lost"), middle("cpu")
        print(
            f"| {sampler.name} | {estimate:.3f} ({low:.3f} to {high:.3f}) | {middle('samples'):.0f}"
            f"{'' if lost is None else f' + {lost:.0f}'} | {'' if cpu is None else f'{cpu:.0f} us'} "
            f"| {middle('rest'):.2f} s | {size(middle('memory'))} | {size(middle('output'))} |", flush=True)


def has_perf(scratch):
    if not shutil.which("perf"):
        return False
    return Run(["perf", "record", "-q", "-e", "cpu-clock:u", "-o", os.path.join(scratch, "x"), "true"]).status == 0


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "freeze-profile"], cwd=ROOT,
        check=True, stdout=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        peers = has_perf(scratch)
        native = os.path.join(scratch, "target")
        subprocess.run(["gcc", "-O2", "-g", "-pthread", "-o", native, os.path.join(HERE, "target.c")], check=True)
        rounds = str(int(4e8 * seconds / Run([native, "400000000"]).target_cpu))

        def peer(rate, stack):
            return [perf(rate, scratch, stack)] if peers else []

        print(f"{pairs} pairs each, targets of about {seconds:g} s of CPU, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
        measure(
            "Native, one thread, 40 calls deep", [native, rounds, "40", "1"],
            [ours(100, scratch), ours(997, scratch), ours(100, scratch, "wall"), ours(997, scratch, "wall")]
            + peer(100, 8192) + peer(997, 8192), pairs)
        for depth, stack in ((10, 8192), (100, 8192), (1000, 32768)):
            measure(
                f"Native, one thread, {depth} calls deep", [native, rounds, str(depth), "1"],
                [ours(997, scratch)] + peer(997, stack), pairs)
        for threads in (16, 200):
            measure(
                f"Native, {threads} busy threads, 40 calls deep", [native, rounds, "40", str(threads)],
                [ours(997, scratch), ours(100, scratch, "wall")] + peer(997, 8192), pairs)
        python = [os.path.realpath("/usr/bin/python3"), os.path.join(HERE, "target.py")]
        turns = str(int(2e6 * seconds / Run(python + ["2000000"]).target_cpu))
        spies = [py_spy(rate, scratch, native) for rate in (100, 1000) for native in (False, True)]
        measure(
            "Python, 22 Python frames", python + [turns],
            [ours(100, scratch), ours(997, scratch)] + (spies if os.path.exists(PY_SPY) else []), pairs)


if __name__ == "__main__":
    main()
