#!/usr/bin/env python3
"""Faults at random moments: signals to the parts of the tool, while a pipeline runs that writes its own proof.

Usage: run.py FREEZE_PROFILE [--runs N] [--seconds S] [--seed N]

Checks after each run: under monitor the pipeline has finished (its proof file is whole) and is not stopped; under capture every
profile that is there verifies; nothing of the run is left. Prints a table and exits with 1 if anything failed.
"""
import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PIPELINE = "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.1; done; echo whole > '%s/proof.part'; mv '%s/proof.part' '%s/proof'"
SIGNALS = {"KILL": signal.SIGKILL, "STOP+CONT": signal.SIGSTOP, "HUP": signal.SIGHUP, "TERM": signal.SIGTERM}


def processes(mark):
    """Living processes that work in the run's directory, by their part."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{name}/cwd") != mark:
                continue
            words = open(f"/proc/{name}/cmdline", "rb").read().split(b"\0")
            state = open(f"/proc/{name}/stat", "rb").read().rsplit(b")", 1)[1].split()[0]
        except OSError:
            continue
        if state == b"Z":
            continue
        text = b" ".join(words)
        part = ("monitor child" if b"monitor-child" in text else "guardian" if b"freeze-profile-guardian" in text
                else "tool" if b" monitor " in text or b" capture " in text else "pipeline")
        found.setdefault(part, []).append(int(name))
    return found


def one(tool, mode, part, name, moment):
    """Makes a run with one fault; what is wrong afterwards, None if the part was not there at the moment."""
    place = os.path.realpath(tempfile.mkdtemp(prefix="faults."))
    script = PIPELINE % (place, place, place)
    command = {"monitor": ["monitor", "--output-dir", "out"],
               "capture": ["capture", "--version", "v1", "--output", f"{place}/v1.yaml", "--canaries", "0", "--skip-warmup",
                           "--stack-runs", "0", "--sampler", "none"]}[mode]
    wrong = []
    child = subprocess.Popen([tool] + command + ["--", "sh", "-c", script], cwd=place, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        time.sleep(moment)
        hit = processes(place).get(part, [])
        for pid in hit[:1]:
            try:
                os.kill(pid, SIGNALS[name])
                if name == "STOP+CONT":
                    time.sleep(0.3)
                    os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                hit = []
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            wrong.append("the tool hangs")
            child.kill()
            child.wait()
        deadline = time.time() + 8
        while processes(place) and time.time() < deadline:
            time.sleep(0.05)
        for kind, pids in processes(place).items():
            wrong.append(f"left behind: {kind}")
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        # A request to end that is sent to the tool alone is passed on to the pipeline.
        asked = part == "tool" and name in ("TERM", "HUP")
        if mode == "monitor" and not asked and not os.path.exists(f"{place}/proof"):
            wrong.append("the pipeline did not finish")
        if os.path.exists(f"{place}/v1.yaml"):
            if subprocess.run([tool, "verify", f"{place}/v1.yaml"], capture_output=True).returncode != 0:
                wrong.append("a profile that does not verify")
        elif mode == "capture" and child.returncode == 0:
            wrong.append("exit code 0 without a profile")
        return wrong if hit else None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tool = os.path.abspath(options.tool)
    dice = random.Random(options.seed)
    cells = [(mode, part, name) for mode, parts in (("monitor", ["tool", "monitor child"]),
                                                    ("capture", ["tool", "monitor child", "guardian"]))
             for part in parts for name in SIGNALS]
    end, made, table = time.time() + options.seconds, 0, collections.defaultdict(lambda: [0, 0])
    failures = []
    while made < options.runs and time.time() < end:
        cell = cells[made % len(cells)]
        made += 1
        wrong = one(tool, *cell, dice.uniform(0.02, 0.7))
        if wrong is None:
            continue
        table[cell][0] += 1
        if wrong:
            table[cell][1] += 1
            failures.append((cell, wrong))
    for cell, (runs, bad) in sorted(table.items()):
        print(f"{cell[0]:8} {cell[1]:14} {cell[2]:10} {runs:5} runs {bad:4} wrong")
    for cell, wrong in failures[:20]:
        print("wrong:", *cell, "-", "; ".join(wrong))
    print(f"{made} runs made, {sum(row[0] for row in table.values())} with their fault, {len(failures)} wrong")
    sys.exit(1 if failures or not table else 0)


main()
