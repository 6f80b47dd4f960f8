#!/usr/bin/env python3
"""What samplers cost their target and themselves: ours beside py-spy and perf, in interleaved pairs.

Usage: Benchmarks/sampler/run.py [ROUNDS]      (default 7)

Every round runs each sampler once, and the bare target right before it. The target tells how long its work took and
how much CPU it used; what is used beyond that is the sampler's. Medians over the rounds.
"""
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
PY_SPY = os.path.join(ROOT, ".build/test-venv/bin/py-spy")


def run(command):
    """Runs a command. Returns its output, and the CPU seconds of it and all its children."""
    with tempfile.TemporaryFile() as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        sink.seek(0)
        output = sink.read().decode(errors="replace")
    return output, usage.ru_utime + usage.ru_stime


def result(output):
    found = re.search(r"RESULT (\d+) (\d+)", output)
    return (int(found[1]) / 1e9, int(found[2]) / 1e9) if found else None


def folded_samples(path):
    with open(path) as lines:
        return sum(int(line.rsplit(" ", 1)[1]) for line in lines if line.strip())


def samplers(binary, target, is_python, scratch):
    """Name, command, and how to count samples from the output."""
    ours = lambda output: int(re.search(r"^samples +(\d+)", output, re.M)[1])
    for rate in (100, 997):
        yield f"freeze-profile perf {rate} Hz", [binary, "--rate", str(rate)] + target, ours
    stops = lambda output: int(re.search(r"StopAccount\(count: (\d+)", output)[1])
    yield "freeze-profile ptrace 100 Hz", [binary, "--wall", "--rate", "100"] + target, stops
    for rate in (100, 997):
        data = os.path.join(scratch, "perf.data")
        command = ["perf", "record", "-F", str(rate), "-e", "cpu-clock:u", "--call-graph", "dwarf,32768", "-o", data, "--"]
        count = lambda output: int((re.search(r"\((\d+) samples\)", output) or [0, 0])[1])
        yield f"perf record dwarf {rate} Hz", command + target, count
    if not is_python:
        return
    for rate in (100, 1000):
        for native in ([], ["--native"]):
            folded = os.path.join(scratch, f"py-spy-{rate}-{len(native)}.folded")
            command = [PY_SPY, "record", "-r", str(rate), "-f", "raw", "-o", folded] + native + ["--"]
            name = " ".join(["py-spy"] + native + [str(rate), "Hz"])
            yield name, command + target, lambda output, folded=folded: folded_samples(folded)


def measure(title, binary, target, is_python, rounds, scratch):
    chosen = list(samplers(binary, target, is_python, scratch))
    ratios = {name: [] for name, _, _ in chosen}
    costs = {name: [] for name, _, _ in chosen}
    counts = {name: [] for name, _, _ in chosen}
    for _ in range(rounds):
        random.shuffle(chosen)
        for name, command, count in chosen:
            bare = result(run(target)[0])
            output, cpu = run(command)
            sampled = result(output)
            if sampled is None or bare is None:
                print(f"{name}: no result: {output.strip()[-300:]}", file=sys.stderr)
                continue
            ratios[name].append(sampled[0] / bare[0])
            samples = count(output)
            counts[name].append(samples)
            if samples:
                costs[name].append((cpu - sampled[1]) / samples * 1e6)
    print(f"\n{title}, {rounds} pairs each\n")
    print("| sampler | time of the target's work, bare = 1 (median; quartiles) | samples | sampler's CPU per sample |")
    print("|---|---|---|---|")
    for name in ratios:
        values = sorted(ratios[name])
        if not values:
            print(f"| {name} | failed | | |")
            continue
        low, high = values[len(values) // 4], values[-1 - len(values) // 4]
        cost = f"{statistics.median(costs[name]):.0f} us" if costs[name] else ""
        print(
            f"| {name} | {statistics.median(values):.3f} ({low:.3f} to {high:.3f}) "
            f"| {statistics.median(counts[name]):.0f} | {cost} |"
        )


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    subprocess.run(["swift", "build", "-c", "release", "--product", "sampler-cost"], cwd=ROOT, check=True, stdout=sys.stderr)
    binary = os.path.join(ROOT, ".build/release/sampler-cost")
    with tempfile.TemporaryDirectory() as scratch:
        native = os.path.join(scratch, "target")
        subprocess.run(["gcc", "-O2", "-g", "-o", native, os.path.join(HERE, "target.c")], check=True)
        measure("Native target, 45 frames", binary, [native, "400000000"], False, rounds, scratch)
        python = os.path.realpath(sys.executable)
        script = [python, os.path.join(HERE, "target.py"), "6000000"]
        measure("Python target, 22 Python frames", binary, script, True, rounds, scratch)


if __name__ == "__main__":
    main()
