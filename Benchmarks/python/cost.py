#!/usr/bin/env python3
"""What naming Python functions costs the program, beside py-spy. Usage: Benchmarks/python/cost.py [ROUNDS [MILLIONS]]

A program does a counted amount of work in Python, calls included, and prints its own CPU time and wall-clock time. In each round it
runs once alone and once under each sampler, in another order each time; what a sampler costs is the ratio to the run alone of the
same round: the median over the rounds, with the 95 % interval of that median. "Sampler" is the CPU time of the sampler's own process, by
the program's wall-clock time. Default: 11 rounds of 6 million steps, about a second each.
"""
import os
import resource
import statistics
import subprocess
import sys
import tempfile

from run import ROOT, tool

PROGRAM = """
import sys, time
def leaf(x): return (x * 31 + 7) & 0xffff
def middle(x): return leaf(x) + leaf(x + 1)
def outer(n):
    total = 0
    for i in range(n): total = (total + middle(i)) & 0xffffff
    return total
wall, cpu = time.monotonic(), time.process_time()
outer(int(float(sys.argv[1]) * 1e6))
print("TIMES", time.process_time() - cpu, time.monotonic() - wall, flush=True)
"""


def samplers(scratch):
    """Each with the rate and what comes before the command."""
    found = []
    pyspy = os.path.join(ROOT, ".build/test-venv/bin/py-spy")
    for rate in (100, 997):
        found.append((
            "freeze-profile", rate,
            [tool(), "sample", "--sampler", "perf", "--rate", str(rate), "-o", os.path.join(scratch, "ours.folded"), "--"]))
        if os.access(pyspy, os.X_OK):
            for name, options in (("py-spy", []), ("py-spy --native", ["--native"]), ("py-spy --nonblocking", ["--nonblocking"])):
                found.append((
                    name, rate,
                    [pyspy, "record", "--rate", str(rate), "--format", "raw", "-o", os.path.join(scratch, "spy.raw"), *options, "--"]))
    return found


def measure(command):
    """CPU and wall-clock seconds of the program, and CPU seconds of all processes that were started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    for line in run.stdout.splitlines():
        if line.startswith("TIMES "):
            cpu, wall = (float(field) for field in line.split()[1:])
            every = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            return cpu, wall, every
    return None


def interval(values):
    """The 95 % interval of a median, by order statistics."""
    values, count = sorted(values), len(values)
    rank = max(0, int(count / 2 - 0.98 * count**0.5))
    return values[rank], values[count - 1 - rank]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    millions = sys.argv[2] if len(sys.argv) > 2 else "6"
    with tempfile.TemporaryDirectory() as scratch:
        script = os.path.join(scratch, "work.py")
        with open(script, "w") as file:
            file.write(PROGRAM)
        target = ["/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else sys.executable, script, millions]
        rows = samplers(scratch)
        ratios = {(name, rate): ([], [], []) for name, rate, _ in rows}
        print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {rounds} rounds, {tool().split('/')[-2]} build\n", flush=True)
        for turn in range(rounds):
            alone = measure(target)
            for name, rate, prefix in rows[turn % len(rows):] + rows[:turn % len(rows)]:
                result = measure(prefix + target)
                if result is None:
                    continue
                cpu, wall, own = ratios[name, rate]
                cpu.append(result[0] / alone[0])
                wall.append(result[1] / alone[1])
                # The program's start and end are in both.
                own.append(max(0, result[2] - result[0] - (alone[2] - alone[0])) / result[1])
        print("| sampler | Hz | program's CPU time | wall-clock time | sampler |\n|---|---|---|---|---|")
        for (name, rate), (cpu, wall, own) in ratios.items():
            if len(cpu) < 3:
                print(f"| {name} | {rate} | failed | | |")
                continue
            cells = ["x {:.3f} ({:.3f} to {:.3f})".format(statistics.median(of), *interval(of)) for of in (cpu, wall)]
            print(f"| {name} | {rate} | {cells[0]} | {cells[1]} | {100 * statistics.median(own):.1f} % of a CPU |")


if __name__ == "__main__":
    main()
