#!/usr/bin/env python3
"""What a sample takes from the thread it is of, in microseconds. Usage: Benchmarks/sampler/interruptions.py [PAIRS [SECONDS]]

A program reads the clock without a pause and adds up the gaps between two readings (interrupted.c): the time that interrupts
take. Runs with and without a sampler alternate; the difference, by the number of samples, is what the kernel does for one
sample: its interrupt, and copying the stack. Other programs' turns are left out, so this holds on a machine that is not quiet,
where a ratio of run times shows nothing of a percent. What it cannot see is what the target computes more slowly afterwards,
its caches being colder. Default: 20 pairs of 1 s for each row. perf is left out where it is missing.
"""
import os
import re
import statistics
import subprocess
import sys
import tempfile

from run import HERE, ROOT, Run, TOOL, has_perf, hodges_lehmann

RATE = 997


def taken(command):
    found = re.search(r"TAKEN ([\d.]+)", Run(command).output)
    if not found:
        sys.exit(f"interruptions: {' '.join(command)} did not print what was taken from it.")
    return float(found[1])


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seconds = sys.argv[2] if len(sys.argv) > 2 else "1"
    with tempfile.TemporaryDirectory() as scratch:
        programs = {}
        for kind, flags in (("none", ["-fomit-frame-pointer"]), ("kept", ["-fno-omit-frame-pointer"])):
            programs[kind] = os.path.join(scratch, kind)
            source = os.path.join(HERE, "interrupted.c")
            subprocess.run(["gcc", "-O2", *flags, "-o", programs[kind], source], check=True)
        ours = [TOOL, "sample", "--sampler", "perf", "--rate", str(RATE), "-o", os.path.join(scratch, "ours.svg"), "--"]
        perf = ["perf", "record", "-F", str(RATE), "-e", "cpu-clock:u", "-o", os.path.join(scratch, "data"), "--call-graph"]
        samplers = [("freeze-profile", ours)]
        # A tool of before a change, to be put beside this one: INSTEAD=path/to/freeze-profile.
        if os.environ.get("INSTEAD"):
            samplers.append((os.environ["INSTEAD"], [os.environ["INSTEAD"]] + ours[1:]))
        if has_perf(scratch):
            samplers += [(f"perf record {kind}", perf + [kind, "--"]) for kind in ("dwarf,8192", "dwarf,65528", "fp")]
        print(f"{pairs} pairs of {seconds} s, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n")
        print("| calls deep | bytes a frame | frame pointers | " + " | ".join(name for name, _ in samplers) + " | nothing, ms/s |")
        print("|---|---|---|" + "---|" * len(samplers) + "---|", flush=True)
        for depth, frame, kind in ((10, 64, "none"), (40, 64, "none"), (40, 64, "kept"), (100, 256, "none"), (100, 256, "kept")):
            target = [programs[kind], seconds, str(depth), str(frame)]
            differences, alone = {name: [] for name, _ in samplers}, []
            for turn in range(pairs):
                for name, command in samplers[turn % len(samplers):] + samplers[:turn % len(samplers)]:
                    alone.append(taken(target))
                    differences[name].append((taken(command + target) - alone[-1]) * 1000 / RATE)
            cells = ["{:.1f} ({:.1f} to {:.1f}) us".format(*hodges_lehmann(differences[name])) for name, _ in samplers]
            print(f"| {depth} | {frame} | {kind} | {' | '.join(cells)} | {statistics.median(alone):.1f} |", flush=True)


if __name__ == "__main__":
    main()
