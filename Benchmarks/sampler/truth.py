#!/usr/bin/env python3
"""How true the sampler's shares are. Usage: Benchmarks/sampler/truth.py [RUNS [SECONDS]]      (default 30 2)
                                          Benchmarks/sampler/truth.py table [TOOL]

1. A program spends about 70, 20 and 10 % of its time in three functions and prints the CPU time that each took by its own
   clock. Over RUNS runs the mean of sampled minus true share has to lie within the 99 % interval of Student's t around 0.
   Three intervals of 99 % leave out their true value once in 34 runs of this script.
2. A program with twenty functions of very different cost runs under freeze-profile and `perf record --call-graph dwarf` at
   the same time. The total-variation distance of the self time of functions has to be below 0.03.

Prints both and ends with 1 where one does not hold. Takes RUNS * SECONDS and about a minute.

`table`: programs whose time is spent half in tasks of 0.1 to 100 ms (threads, forks, execs, vforks, posix_spawns, a pool)
and half at a stretch, sampled as root and as a plain user, by perf events and by ptrace. The share of the
tasks has to be within the 99 % interval of the truth, or what is missing of them has to be shown as `[not sampled]`, so
that samples and what is missing come within 2 % of the kernel's CPU time. Takes about three minutes.
"""
import collections
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOL = os.path.join(ROOT, ".build/release/freeze-profile")
FUNCTIONS = ("seventy", "twenty", "ten")


def quantile(degrees):
    """Student's t at 99.5 %, by its expansion around the normal quantile; within 0.001 from 10 degrees on."""
    z = 2.5758293
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + g1 / degrees + g2 / degrees**2 + g3 / degrees**3


def compile_c(source, target, flags=()):
    subprocess.run(["gcc", "-O1", "-g", "-pthread", *flags, "-o", target, source], check=True)


def folded(path):
    """Self weight by function, and the text of the leaf's caller chain, from a folded file."""
    costs = collections.Counter()
    with open(path) as lines:
        for line in lines:
            stack, weight = line.rsplit(" ", 1)
            costs[stack.rsplit(";", 1)[-1]] += int(weight)
    return costs


def oracle(runs, seconds, scratch):
    target = os.path.join(scratch, "clocked-shares")
    compile_c(os.path.join(ROOT, "Tests/Fixtures/native/clocked-shares.c"), target)
    begin = os.times().elapsed
    subprocess.run([target, "5"], check=True, stdout=subprocess.DEVNULL)
    rounds = max(2, int(5 * seconds / (os.times().elapsed - begin)))
    errors = {name: [] for name in FUNCTIONS}
    truths = {name: [] for name in FUNCTIONS}
    for _ in range(runs):
        output = os.path.join(scratch, "out.folded")
        command = [TOOL, "sample", "--sampler", "perf", "-o", output, "--", target, str(rounds)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        spent = [int(word) for word in said.split()]
        costs = folded(output)
        total = sum(costs[name] for name in FUNCTIONS)
        for name, time in zip(FUNCTIONS, spent):
            truths[name].append(time / sum(spent))
            errors[name].append(costs[name] / total - time / sum(spent))
    print(f"## Three functions, {runs} runs of {seconds:g} s at 997 Hz\n")
    print("| function | true share (mean) | sampled minus true (mean) | 99 % interval | |")
    print("|---|---|---|---|---|")
    holds = True
    for name in FUNCTIONS:
        mean = statistics.mean(errors[name])
        half = quantile(runs - 1) * statistics.stdev(errors[name]) / math.sqrt(runs)
        good = abs(mean) <= half
        holds = holds and good
        truth = statistics.mean(truths[name])
        print(f"| {name} | {truth:.4f} | {mean:+.5f} | {-half:+.5f} to {half:+.5f} | {'holds' if good else 'MISSED'} |")
    return holds


def twenty_functions(scratch):
    """A program with twenty functions whose costs follow one another like 1, 1/2, 1/3 ..., and runs for some seconds."""
    names = [f"work_{index:02d}" for index in range(1, 21)]
    lines = ["#include <stdlib.h>", "#include <time.h>"]
    for index, name in enumerate(names, 1):
        turns = 4_000_000 // index
        lines.append(
            f"__attribute__((noinline)) void {name}(void) {{ for (volatile long i = 0; i < {turns}; i++) {{ }} }}")
    calls = " ".join(f"{name}();" for name in names)
    lines.append(
        "int main(int count, char **arguments) { time_t end = time(0) + atoi(arguments[1]); "
        f"while (time(0) < end) {{ {calls} }} return 0; }}")
    source = os.path.join(scratch, "twenty.c")
    with open(source, "w") as file:
        file.write("\n".join(lines))
    target = os.path.join(scratch, "twenty")
    compile_c(source, target)
    return target


def perf_costs(data):
    script = subprocess.run(
        ["perf", "script", "-i", data, "-F", "comm,ip,sym"], capture_output=True, text=True).stdout
    costs = collections.Counter()
    for block in script.split("\n\n"):
        lines = block.strip("\n").split("\n")
        if len(lines) > 1:
            costs[" ".join(lines[1].split()[1:])] += 1
    return costs


def agreement(scratch, seconds=30):
    data = os.path.join(scratch, "perf.data")
    probe = subprocess.run(
        ["perf", "record", "-q", "-e", "cpu-clock:u", "-o", data, "true"], capture_output=True)
    if probe.returncode != 0:
        print("\n## perf record\n\ndoes not work here: " + probe.stderr.decode(errors="replace").strip()[:300])
        return True
    target = subprocess.Popen([twenty_functions(scratch), str(seconds)])
    output = os.path.join(scratch, "twenty.folded")
    ours = subprocess.Popen(
        [TOOL, "sample", "--sampler", "perf", "--pid", str(target.pid), "-o", output], stderr=subprocess.DEVNULL)
    perf = subprocess.Popen(
        ["perf", "record", "-q", "-F", "997", "-e", "cpu-clock:u", "--call-graph", "dwarf,8192", "-p",
         str(target.pid), "-o", data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for process in (target, ours, perf):
        process.wait()
    shares = []
    for costs in (folded(output), perf_costs(data)):
        kept = collections.Counter()
        for name, count in costs.items():
            kept[name if name.startswith("work_") else "[elsewhere]"] += count
        total = sum(kept.values())
        shares.append(({name: count / total for name, count in kept.items()}, total))
    (left, our_total), (right, their_total) = shares
    distance = sum(abs(left.get(name, 0) - right.get(name, 0)) for name in set(left) | set(right)) / 2
    print(f"\n## Beside perf record --call-graph dwarf, one process of {seconds} s at the same time\n")
    print(f"total-variation distance of self time {distance:.4f} (below 0.03 wanted; {our_total} and {their_total} "
          f"samples of twenty functions)")
    return distance < 0.03


# Task length in microseconds and number of tasks: about 0.5 s of tasks in each row, and as much at a stretch.
LENGTHS = ((100, 4000), (300, 1600), (1000, 500), (10_000, 50), (100_000, 5))
KINDS = ("thread", "fork", "exec", "vfork", "spawn", "pool")


def stacks(path):
    with open(path) as lines:
        for line in lines:
            stack, weight = line.rsplit(" ", 1)
            yield stack.split(";"), int(weight)


def row(tool, target, scratch, kind, length, count, user, options):
    output = os.path.join(scratch, "row.folded")
    if os.path.exists(output):
        os.remove(output)
    command = [tool, "sample", *options, "-o", output, "--", target, kind, str(count), str(length)]
    if user == "plain":
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=scratch)
    if ran.returncode != 0:
        return None, ran.stderr.strip().split("\n")[-1][:60]
    short, longer, whole = (int(word) for word in ran.stdout.split())
    weights = collections.Counter()
    for frames, weight in stacks(output):
        what = next((name for name in ("short_work", "long_work", "[not sampled]") if name in frames), "other")
        weights[what] += weight
    sampled = weights["short_work"] + weights["long_work"]
    if sampled == 0:
        return None, "no samples of either"
    truth = short / (short + longer)
    share = weights["short_work"] / sampled
    half = 2.5758 * math.sqrt(truth * (1 - truth) / sampled)
    period = 1e9 / 997 if "--rate" not in options else 1e9 / int(options[options.index("--rate") + 1])
    total = sum(weights.values()) * int(period) / whole
    return (truth, share, half, weights["[not sampled]"] * int(period) / whole, total), None


def table(tool, scratch):
    os.chmod(scratch, 0o777)
    target = os.path.join(scratch, "short-tasks")
    compile_c(os.path.join(ROOT, "Tests/Fixtures/native/short-tasks.c"), target)
    ours = os.path.join(scratch, "freeze-profile")
    shutil.copy(tool, ours)
    users = ("root", "plain") if os.geteuid() == 0 else ("plain",)
    rows = [(kind, length, count, user, ()) for user in users for kind in KINDS for length, count in LENGTHS
            if kind in ("thread", "fork", "exec") or length in (300, 10_000)]
    rows += [(kind, length, count, users[0], ("--sampler", "ptrace", "--rate", "1000"))
             for kind in ("thread", "fork") for length, count in LENGTHS[2:4]]
    print("| tasks | length | user | sampler | true share | sampled | 99 % interval | not sampled | all shown of kernel's | |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    missed = 0
    for kind, length, count, user, options in rows:
        found, problem = row(ours, target, scratch, kind, length, count, user, options)
        sampler = options[1] if options else "perf"
        head = f"| {kind} | {length / 1000:g} ms | {user} | {sampler} |"
        if not found:
            missed += 1
            print(f"{head} | | | | | {problem} |")
            continue
        truth, share, half, hidden, total = found
        # By ptrace the shares are of moments at which threads could run, which the load of the machine moves.
        within = abs(share - truth) <= half
        named = hidden > 0.02 and abs(total - 1) <= 0.02
        verdict = "within" if within else "named" if named else "MISSED"
        missed += verdict == "MISSED"
        print(f"{head} {truth:.3f} | {share:.3f} | ±{half:.3f} | {hidden:.1%} | {total:.1%} | {verdict} |", flush=True)
    print(f"\n{len(rows)} targets, {missed} missed")
    return missed == 0


def main():
    if sys.argv[1:2] == ["table"]:
        with tempfile.TemporaryDirectory() as scratch:
            sys.exit(0 if table(sys.argv[2] if len(sys.argv) > 2 else TOOL, scratch) else 1)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "freeze-profile"], cwd=ROOT,
        check=True, stdout=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        holds = oracle(runs, seconds, scratch)
        agrees = agreement(scratch)
    sys.exit(0 if holds and agrees else 1)


if __name__ == "__main__":
    main()
